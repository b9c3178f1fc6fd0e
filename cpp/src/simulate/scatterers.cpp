// Packing of scatterers into chunks; see scatterers.h.
#include "simulate/scatterers.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "simulate/vec.h"

namespace sidelook::simulate
{

namespace
{

bool same(const Vec3 &a, const Vec3 &b) { return a.x == b.x && a.y == b.y && a.z == b.z; }

}  // namespace

void Scatterers::reserve(std::size_t n)
{
    x.reserve(n);
    y.reserve(n);
    z.reserve(n);
    amplitude.reserve(n);
}

void Scatterers::add(const Target &t)
{
    Vec3 d;
    bool fits = false;
    if (!chunks.empty()) {
        const Chunk &c = chunks.back();
        d = t.position_m - c.centre_m;
        fits = radius2_ < 1e300 && c.count < chunk_capacity && same(c.velocity_m_per_s, t.velocity_m_per_s) &&
               c.reference_time_s == t.reference_time_s && std::abs(d.x) <= chunk_reach_m &&
               std::abs(d.y) <= chunk_reach_m && std::abs(d.z) <= chunk_reach_m;
    }
    if (!fits) {
        finish();
        Chunk c;
        c.centre_m = t.position_m;
        c.velocity_m_per_s = t.velocity_m_per_s;
        c.reference_time_s = t.reference_time_s;
        c.begin = static_cast<std::int64_t>(amplitude.size());
        chunks.push_back(c);
        d = {};
        radius2_ = 0;
    }
    x.push_back(static_cast<std::int32_t>(std::lrint(d.x / offset_unit_m)));
    y.push_back(static_cast<std::int32_t>(std::lrint(d.y / offset_unit_m)));
    z.push_back(static_cast<std::int32_t>(std::lrint(d.z / offset_unit_m)));
    amplitude.push_back(static_cast<c64>(t.amplitude));
    radius2_ = std::max(radius2_, dot(d, d));
    ++chunks.back().count;
}

void Scatterers::finish()
{
    if (!chunks.empty() && radius2_ < 1e300) chunks.back().radius_m = std::sqrt(radius2_) + 1e-3;
}

void Scatterers::append(Scatterers &other)
{
    finish();
    other.finish();
    const std::int64_t shift = static_cast<std::int64_t>(amplitude.size());
    for (Chunk &c : other.chunks) {
        c.begin += shift;
        chunks.push_back(c);
    }
    x.insert(x.end(), other.x.begin(), other.x.end());
    y.insert(y.end(), other.y.begin(), other.y.end());
    z.insert(z.end(), other.z.begin(), other.z.end());
    amplitude.insert(amplitude.end(), other.amplitude.begin(), other.amplitude.end());
    other = Scatterers();
    radius2_ = 1e300;  // the last chunk is closed
}

Scatterers Scatterers::pack(const std::vector<Target> &targets)
{
    // Order: motion, then cubes of 256 m, then the caller's order; so the result does not depend on anything else.
    std::vector<std::size_t> order(targets.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    const auto key = [&](std::size_t i) {
        const Target &t = targets[i];
        return std::array<double, 7>{t.reference_time_s,
                                     t.velocity_m_per_s.x,
                                     t.velocity_m_per_s.y,
                                     t.velocity_m_per_s.z,
                                     std::floor(t.position_m.x / 256),
                                     std::floor(t.position_m.y / 256),
                                     std::floor(t.position_m.z / 256)};
    };
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return key(a) < key(b); });
    Scatterers packed;
    packed.reserve(targets.size());
    for (std::size_t i : order) packed.add(targets[i]);
    packed.finish();
    return packed;
}

}  // namespace sidelook::simulate
