// Short-time motion of platform and targets about one instant, in the inertial frame that coincides with ECEF there.
#pragma once

#include <cmath>

#include "sidelook/simulate.h"
#include "simulate/vec.h"

namespace sidelook::simulate
{

/// The platform's path r + v s + a s^2/2 + j s^3/6 about a reference instant. For |s| <= 10 ms the next term is below
/// (n s)^4 r / 24 = 4e-15 m (n = 1.1e-3 rad/s): the analytic orbit to the last bit, not an interpolation of samples.
struct Path {
    Vec3 r, v, a2, j6;  // a2 = a/2, j6 = j/6

    Path() = default;
    Path(const Platform &platform, double time_s)
    {
        const State s = inertial_state(platform, time_s);
        r = rotate_z(s.position_m, -earth_rate_rad_per_s * time_s);
        v = rotate_z(s.velocity_m_per_s, -earth_rate_rad_per_s * time_s);
        const double r2 = dot(r, r), k = earth_mu_m3_per_s2 / (r2 * std::sqrt(r2));
        a2 = (-0.5 * k) * r;
        j6 = (-k / 6) * (v - (3.0 * dot(r, v) / r2) * r);  // d/dt (-mu r / r^3)
    }
    Vec3 position(double s) const { return r + s * (v + s * (a2 + s * j6)); }
    Vec3 velocity(double s) const { return v + s * (2.0 * a2 + (3.0 * s) * j6); }
};

/// A point that moves straight in the rotating frame, seen from the inertial one: p + v s + a s^2/2. The next term is
/// below (Omega s)^3 p / 6 = 4e-13 m for |s| <= 10 ms.
struct Point {
    Vec3 p, v, a2;

    Point(const Target &target, double time_s)
    {
        const Vec3 spin{0, 0, earth_rate_rad_per_s};
        const Vec3 &w = target.velocity_m_per_s;
        p = target.position_m + (time_s - target.reference_time_s) * w;
        v = w + cross(spin, p);
        a2 = cross(spin, w) + 0.5 * cross(spin, cross(spin, p));
    }
    Vec3 position(double s) const { return p + s * (v + s * a2); }
    Vec3 velocity(double s) const { return v + (2.0 * s) * a2; }
};

/// One-way pattern of acquisition.h.
inline double sinc(double x)
{
    const double y = pi * x;
    return std::abs(y) < 1e-4 ? 1.0 - y * y / 6 : std::sin(y) / y;
}

/// L/lambda d.azimuth_axis and H/lambda d.elevation_axis of a point at one instant, all in ECEF.
struct BeamPosition {
    double azimuth = 0, elevation = 0;
};
inline BeamPosition beam_position(const Platform &platform, const Antenna &antenna, double carrier_hz,
                                  const Target &target, double time_s)
{
    const AntennaFrame f = antenna_frame(platform, time_s);
    const Vec3 p = target.position_m + (time_s - target.reference_time_s) * target.velocity_m_per_s;
    const Vec3 d = unit(p - earth_fixed_state(platform, time_s).position_m);
    const double per_m = carrier_hz / speed_of_light_m_per_s;
    return {antenna.azimuth_length_m * per_m * dot(d, f.azimuth_axis),
            antenna.elevation_length_m * per_m * dot(d, cross(f.azimuth_axis, f.boresight))};
}

}  // namespace sidelook::simulate
