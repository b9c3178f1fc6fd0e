// WGS84 as the simulator sees it: geodetic coordinates, zero-Doppler truth and placing of targets.
#include <algorithm>
#include <cmath>
#include <string>

#include "sidelook/error.h"
#include "sidelook/simulate.h"
#include "simulate/vec.h"

namespace sidelook::simulate
{

namespace
{

constexpr double semi_major_m = 6378137.0;          // WGS84
constexpr double flattening = 1.0 / 298.257223563;  // WGS84
constexpr double eccentricity2 = flattening * (2.0 - flattening);

Vec3 position_at(const Target &target, double time_s)
{
    return target.position_m + (time_s - target.reference_time_s) * target.velocity_m_per_s;
}

}  // namespace

Vec3 to_ecef(const Geodetic &g)
{
    const double lat = g.latitude_deg * radians_per_degree, lon = g.longitude_deg * radians_per_degree;
    const double n = semi_major_m / std::sqrt(1.0 - eccentricity2 * std::sin(lat) * std::sin(lat));
    return {(n + g.height_m) * std::cos(lat) * std::cos(lon), (n + g.height_m) * std::cos(lat) * std::sin(lon),
            (n * (1.0 - eccentricity2) + g.height_m) * std::sin(lat)};
}

Geodetic to_geodetic(const Vec3 &p)
{
    // Fixed point on the latitude: contracts by e^2 = 0.0067 a step near the surface, so ten steps reach rounding.
    const double rho = std::hypot(p.x, p.y);
    double lat = std::atan2(p.z, rho * (1.0 - eccentricity2));
    for (int i = 0; i < 10; ++i) {
        const double s = std::sin(lat);
        const double n = semi_major_m / std::sqrt(1.0 - eccentricity2 * s * s);
        lat = std::atan2(p.z + n * eccentricity2 * s, rho);
    }
    const double s = std::sin(lat), c = std::cos(lat);
    const double n = semi_major_m / std::sqrt(1.0 - eccentricity2 * s * s);
    // rho cos + z sin: no division, good at the poles and at the equator alike
    const double height = rho * c + p.z * s - n * (1.0 - eccentricity2 * s * s);
    return {lat / radians_per_degree, std::atan2(p.y, p.x) / radians_per_degree, height};
}

ZeroDoppler zero_doppler(const Platform &platform, const Target &target, double near_time_s)
{
    // Newton with a numerical slope: f(t) = (P - S) . V is nearly linear, f' about -|V|^2.
    const auto f = [&](double t) {
        const State s = earth_fixed_state(platform, t);
        return dot(position_at(target, t) - s.position_m, s.velocity_m_per_s);
    };
    double t = near_time_s, step = 1;
    for (int i = 0; i < 30 && std::abs(step) > 1e-13; ++i) {
        const double slope = (f(t + 0.01) - f(t - 0.01)) / 0.02;
        step = f(t) / slope;
        t -= step;
        require(std::abs(t - near_time_s) <= 60, "target has no zero Doppler within 60 s of " +
                                                     std::to_string(near_time_s) +
                                                     " s; it must be passed by the platform");
    }
    return {t, norm(position_at(target, t) - earth_fixed_state(platform, t).position_m)};
}

namespace
{

/// In the plane through the platform perpendicular to `axis`, on the look side: the point at `range_m` and `height_m`.
Vec3 point_in_plane(const Platform &platform, double time_s, const Vec3 &axis, double range_m, double height_m)
{
    require(std::isfinite(range_m) && range_m > 0,
            "slant_range_m is " + std::to_string(range_m) + "; must be positive");
    require(std::isfinite(height_m), "height_m is " + std::to_string(height_m) + "; must be finite");
    const Vec3 s = earth_fixed_state(platform, time_s).position_m, up = unit(s);
    const Vec3 down = unit(dot(up, axis) * axis - up);
    const double side = platform.look_side == LookSide::right ? 1.0 : -1.0;
    const Vec3 right = cross(axis, -1.0 * down);  // flight direction x up
    const auto point = [&](double angle) {
        return s + range_m * (std::cos(angle) * down + (side * std::sin(angle)) * right);
    };
    // The height of the point grows with its angle off the nadir: bisect to the last bit.
    const auto excess = [&](double angle) { return to_geodetic(point(angle)).height_m - height_m; };
    double low = 0, high = pi / 2;
    require(excess(low) < 0 && excess(high) > 0, "slant_range_m is " + std::to_string(range_m) +
                                                     "; must reach the ellipsoid at height_m " +
                                                     std::to_string(height_m));
    for (int i = 0; i < 60; ++i) {
        const double middle = 0.5 * (low + high);
        (excess(middle) < 0 ? low : high) = middle;
    }
    return point(0.5 * (low + high));
}

}  // namespace

Vec3 place(const Platform &platform, const ZeroDoppler &at, double height_m)
{
    require(std::isfinite(at.time_s), "time_s is " + std::to_string(at.time_s) + "; must be finite");
    const Vec3 along = unit(earth_fixed_state(platform, at.time_s).velocity_m_per_s);
    return point_in_plane(platform, at.time_s, along, at.slant_range_m, height_m);
}

Vec3 place_in_beam(const Platform &platform, double time_s, double slant_range_m, double height_m)
{
    require(std::isfinite(time_s), "time_s is " + std::to_string(time_s) + "; must be finite");
    return point_in_plane(platform, time_s, antenna_frame(platform, time_s).azimuth_axis, slant_range_m, height_m);
}

Vec3 boresight_point(const Platform &platform, double time_s, double height_m)
{
    const State s = earth_fixed_state(platform, time_s);
    const Vec3 b = antenna_frame(platform, time_s).boresight;
    double near = 0, far = -dot(s.position_m, b);  // far: the point of the ray that is nearest to the Earth's centre
    require(far > 0 && to_geodetic(s.position_m + far * b).height_m < height_m,
            "look_angle_deg is " + std::to_string(platform.look_angle_deg) + "; must meet the ellipsoid");
    for (int i = 0; i < 70; ++i) {
        const double middle = 0.5 * (near + far);
        (to_geodetic(s.position_m + middle * b).height_m > height_m ? near : far) = middle;
    }
    return s.position_m + (0.5 * (near + far)) * b;
}

}  // namespace sidelook::simulate
