#include <algorithm>

#include "core/text.h"
#include "core/vec3.h"
#include "sidelook/error.h"
#include "sidelook/geometry.h"

namespace sidelook
{

Orbit::Orbit(std::vector<StateVector> states) : states_(std::move(states))
{
    require(states_.size() >= 4, text("orbit has ", states_.size(), " state vectors; must have at least 4"));
    for (std::size_t i = 1; i < states_.size(); ++i)
        require(
            states_[i].time_s > states_[i - 1].time_s,
            text("orbit time_s of state vector ", i, " is ", states_[i].time_s, "; must be later than the one before"));
    pieces_.resize(states_.size() - 3);
    for (std::size_t p = 0; p < pieces_.size(); ++p) {
        Piece &piece = pieces_[p];
        piece.time_s = states_[p].time_s;
        Vec3 table[8];
        for (int i = 0; i < 8; ++i) {
            piece.node[i] = states_[p + i / 2].time_s - piece.time_s;
            table[i] = states_[p + i / 2].position_m;
        }
        piece.coefficient[0] = table[0];
        for (int order = 1; order < 8; ++order) {
            for (int i = 0; i + order < 8; ++i) {
                const double gap = piece.node[i + order] - piece.node[i];
                table[i] = gap > 0 ? (1 / gap) * (table[i + 1] - table[i]) : states_[p + i / 2].velocity_m_per_s;
            }
            piece.coefficient[order] = table[0];
        }
    }
}

const Orbit::Piece &Orbit::piece(double time_s) const
{
    // The middle interval of four vectors interpolates best, so the piece begins one vector before the time.
    const auto after = std::upper_bound(states_.begin(), states_.end(), time_s,
                                        [](double t, const StateVector &s) { return t < s.time_s; });
    const auto index = static_cast<std::ptrdiff_t>(after - states_.begin()) - 2;
    return pieces_[static_cast<std::size_t>(
        std::clamp<std::ptrdiff_t>(index, 0, static_cast<std::ptrdiff_t>(pieces_.size()) - 1))];
}

Vec3 Orbit::position_m(double time_s) const
{
    const Piece &p = piece(time_s);
    const double x = time_s - p.time_s;
    Vec3 sum = p.coefficient[7];
    for (int i = 6; i >= 0; --i) sum = p.coefficient[i] + (x - p.node[i]) * sum;
    return sum;
}

Vec3 Orbit::velocity_m_per_s(double time_s) const
{
    const Piece &p = piece(time_s);
    const double x = time_s - p.time_s;
    Vec3 sum = p.coefficient[7], slope;
    for (int i = 6; i >= 0; --i) {
        slope = sum + (x - p.node[i]) * slope;
        sum = p.coefficient[i] + (x - p.node[i]) * sum;
    }
    return slope;
}

}  // namespace sidelook
