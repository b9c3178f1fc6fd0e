#include "focus/echo_history.h"

#include <algorithm>

#include "core/text.h"
#include "core/vec3.h"
#include "sidelook/error.h"

namespace sidelook
{
namespace
{

constexpr double pi = 3.14159265358979323846;
constexpr double c0 = speed_of_light_m_per_s;
constexpr double earth_rate_rad_per_s = 7.2921150e-5;  // WGS84

/// Turns Earth-fixed coordinates at a time `later_s` after the reflection into the frame frozen at the reflection.
Vec3 frozen(const Vec3 &p, double later_s)
{
    const double a = earth_rate_rad_per_s * later_s, c = std::cos(a), s = std::sin(a);
    return {c * p.x - s * p.y, s * p.x + c * p.y, p.z};
}

double sinc(double x)
{
    const double y = pi * x;
    return std::abs(y) < 1e-6 ? 1 - y * y / 6 : std::sin(y) / y;
}

}  // namespace

EchoModel::EchoModel(const Acquisition &acquisition) : acquisition_(acquisition)
{
    if (!acquisition.orbit.empty())
        orbit_.emplace(acquisition.orbit);
    else
        require(acquisition.effective_velocity_m_per_s > 0,
                "effective_velocity_m_per_s is 0 and orbit is empty; one of them must be given");
}

EchoModel::Target EchoModel::target(double t, double range_m) const
{
    if (!orbit_) return {t, range_m, {acquisition_.effective_velocity_m_per_s * t, range_m, 0}};
    return {t, range_m, radar_to_ecef(*orbit_, {t, range_m}, acquisition_.terrain_height_m, acquisition_.look_side)};
}

double EchoModel::delay_s(const Target &target, double t) const
{
    if (!orbit_) {
        const double v = acquisition_.effective_velocity_m_per_s;
        const double down = std::hypot(target.slant_range_m, v * (t - target.zero_doppler_time_s));
        double d = 2 * down / c0;
        for (int i = 0; i < 4; ++i)
            d = (down + std::hypot(target.slant_range_m, v * (t - d - target.zero_doppler_time_s))) / c0;
        return d;
    }
    // Both legs contract by v/c each round: four rounds are exact to rounding.
    const Vec3 receiver = orbit_->position_m(t);
    double down = norm(receiver - target.position_m) / c0, up = down;
    for (int i = 0; i < 4; ++i) {
        down = norm(frozen(receiver, down) - target.position_m) / c0;
        up = norm(frozen(orbit_->position_m(t - down - up), -up) - target.position_m) / c0;
    }
    return down + up;
}

double EchoModel::doppler_hz(const Target &target, double t) const
{
    const double h = 1e-3;
    return -acquisition_.carrier_hz * (delay_s(target, t + h) - delay_s(target, t - h)) / (2 * h);
}

EchoHistory EchoModel::history(const Target &target, double doppler, double half_width_s) const
{
    // Newton with a secant slope from closest approach; Doppler is nearly linear in time.
    double t = target.zero_doppler_time_s;
    for (int i = 0; i < 12; ++i) {
        const double h = 0.05, slope = (doppler_hz(target, t + h) - doppler_hz(target, t - h)) / (2 * h);
        const double step = (doppler_hz(target, t) - doppler) / slope;
        t -= step;
        if (orbit_)
            require(t > orbit_->first_time_s() && t < orbit_->last_time_s(),
                    text("orbit covers ", orbit_->first_time_s(), " to ", orbit_->last_time_s(),
                         " s; must cover the beam's passage at Doppler ", doppler, " Hz and zero Doppler, ",
                         target.zero_doppler_time_s, " s"));
        // Beyond 2 v / wavelength there is no such time, and Newton's steps end in NaN.
        require(std::isfinite(t), text("doppler_centroid_hz asks for ", doppler,
                                       " Hz; must be a Doppler that this carrier and this velocity can give"));
        if (std::abs(step) < 1e-6) break;
    }
    EchoHistory out;
    out.time_s = t;
    out.scale_s = half_width_s;
    // Interpolation at Chebyshev nodes, expanded in monomials; degree 8 on [-1, 1] loses about three digits of sixteen.
    constexpr int n = EchoHistory::degree + 1;
    double node[n], value[n];
    const double base = delay_s(target, t);
    for (int i = 0; i < n; ++i) {
        node[i] = std::cos(pi * (i + 0.5) / n);
        value[i] = delay_s(target, t + node[i] * half_width_s) - base;
    }
    for (int order = 1; order < n; ++order)
        for (int i = n - 1; i >= order; --i) value[i] = (value[i] - value[i - 1]) / (node[i] - node[i - order]);
    out.c.fill(0);
    for (int i = n - 1; i >= 0; --i) {
        for (int k = n - 1; k > 0; --k) out.c[k] = out.c[k - 1] - node[i] * out.c[k];
        out.c[0] = value[i] - node[i] * out.c[0];
    }
    out.c[0] += base;
    return out;
}

AntennaFrame EchoModel::frame(double t) const
{
    const auto &frames = acquisition_.antenna.frames;
    if (frames.size() == 1) return frames[0];
    auto after =
        std::upper_bound(frames.begin(), frames.end(), t, [](double x, const AntennaFrame &f) { return x < f.time_s; });
    after = std::clamp(after, frames.begin() + 1, frames.end() - 1);
    const AntennaFrame &a = *(after - 1), &b = *after;
    const double w = (t - a.time_s) / (b.time_s - a.time_s);
    return {t, unit((1 - w) * a.azimuth_axis + w * b.azimuth_axis), unit((1 - w) * a.boresight + w * b.boresight)};
}

double EchoModel::azimuth_pattern(const Target &target, double t) const
{
    const Antenna &antenna = acquisition_.antenna;
    if (!orbit_ || antenna.frames.empty() || antenna.azimuth_length_m <= 0) return 1;
    // At the reflection the antenna is halfway between sending and receiving: half a delay before reception.
    const double middle = t - target.slant_range_m / c0;
    const Vec3 look = unit(target.position_m - orbit_->position_m(middle));
    const double lobe =
        sinc(antenna.azimuth_length_m * acquisition_.carrier_hz / c0 * dot(look, frame(middle).azimuth_axis));
    return lobe * lobe;
}

double EchoModel::elevation_pattern(const Target &target, double t) const
{
    const Antenna &antenna = acquisition_.antenna;
    if (!orbit_ || antenna.frames.empty() || antenna.elevation_length_m <= 0) return 1;
    const double middle = t - target.slant_range_m / c0;
    const AntennaFrame f = frame(middle);
    const Vec3 look = unit(target.position_m - orbit_->position_m(middle)), up = cross(f.azimuth_axis, f.boresight);
    const double lobe = sinc(antenna.elevation_length_m * acquisition_.carrier_hz / c0 * dot(look, up));
    return lobe * lobe;
}

std::optional<double> EchoModel::beam_doppler_hz(const Target &target) const
{
    if (!orbit_ || acquisition_.antenna.frames.empty()) return std::nullopt;
    const auto off_axis = [&](double t) {
        const double middle = t - target.slant_range_m / c0;
        return dot(unit(target.position_m - orbit_->position_m(middle)), frame(middle).azimuth_axis);
    };
    double t = target.zero_doppler_time_s;
    for (int i = 0; i < 20; ++i) {
        const double h = 0.01, slope = (off_axis(t + h) - off_axis(t - h)) / (2 * h);
        const double step = off_axis(t) / slope;
        t -= step;
        if (!(t > orbit_->first_time_s() && t < orbit_->last_time_s())) return std::nullopt;
        if (std::abs(step) < 1e-9) break;
    }
    return doppler_hz(target, t);
}

double EchoModel::effective_velocity_m_per_s(const Target &target) const
{
    if (!orbit_) return acquisition_.effective_velocity_m_per_s;
    const double t = target.zero_doppler_time_s, h = 0.1;
    const auto r2 = [&](double x) {
        const Vec3 d = target.position_m - orbit_->position_m(x);
        return dot(d, d);
    };
    return std::sqrt((r2(t + h) - 2 * r2(t) + r2(t - h)) / (2 * h * h));
}

}  // namespace sidelook
