#include <algorithm>
#include <cmath>

#include "core/text.h"
#include "core/vec3.h"
#include "sidelook/error.h"
#include "sidelook/geometry.h"

namespace sidelook
{
namespace
{

constexpr double pi = 3.14159265358979323846;
constexpr double semi_major_m = 6378137.0;        // WGS84
constexpr double flattening = 1 / 298.257223563;  // WGS84
constexpr double eccentricity2 = flattening * (2 - flattening);

/// A point and the outward normal of the surface at height h above the ellipsoid, seen as the level of `excess`.
struct Height {
    double excess_m;
    Vec3 gradient;
};

Height height_above(const Vec3 &p, double height_m)
{
    const Geodetic g = ecef_to_geodetic(p);
    const double lat = g.latitude_deg * pi / 180, lon = g.longitude_deg * pi / 180;
    return {g.height_m - height_m, {std::cos(lat) * std::cos(lon), std::cos(lat) * std::sin(lon), std::sin(lat)}};
}

}  // namespace

Vec3 geodetic_to_ecef(const Geodetic &place)
{
    const double lat = place.latitude_deg * pi / 180, lon = place.longitude_deg * pi / 180;
    const double n = semi_major_m / std::sqrt(1 - eccentricity2 * std::sin(lat) * std::sin(lat));
    return {(n + place.height_m) * std::cos(lat) * std::cos(lon), (n + place.height_m) * std::cos(lat) * std::sin(lon),
            (n * (1 - eccentricity2) + place.height_m) * std::sin(lat)};
}

Geodetic ecef_to_geodetic(const Vec3 &p)
{
    const double b = semi_major_m * (1 - flattening);
    const double rho = std::hypot(p.x, p.y);
    // Reduced latitude iteration of Bowring 1976; three rounds leave less than 1e-12 rad up to satellite heights.
    double reduced = std::atan2(p.z * semi_major_m, rho * b), lat = 0;
    for (int i = 0; i < 4; ++i) {
        const double s = std::sin(reduced), c = std::cos(reduced);
        lat = std::atan2(p.z + eccentricity2 / (1 - eccentricity2) * b * s * s * s,
                         rho - eccentricity2 * semi_major_m * c * c * c);
        reduced = std::atan2((1 - flattening) * std::sin(lat), std::cos(lat));
    }
    const double n = semi_major_m / std::sqrt(1 - eccentricity2 * std::sin(lat) * std::sin(lat));
    // Projection on the normal: no division by cos(lat), good at the poles too.
    const double height = rho * std::cos(lat) + (p.z + eccentricity2 * n * std::sin(lat)) * std::sin(lat) - n;
    return {lat * 180 / pi, std::atan2(p.y, p.x) * 180 / pi, height};
}

Vec3 radar_to_ecef(const Orbit &orbit, const RadarCoordinates &radar, double height_m, LookSide side)
{
    const double t = radar.zero_doppler_time_s, range = radar.slant_range_m;
    require(t >= orbit.first_time_s() && t <= orbit.last_time_s(),
            text("zero_doppler_time_s is ", t, "; must lie within the orbit, ", orbit.first_time_s(), " to ",
                 orbit.last_time_s(), " s"));
    const Vec3 s = orbit.position_m(t);
    // The target lies on a circle in the plane perpendicular to the velocity: P = S + R (cos a * down + sin a * aside).
    const Vec3 ahead = unit(orbit.velocity_m_per_s(t));
    const Vec3 aside = static_cast<double>(side) * unit(cross(ahead, unit(s)));  // right of the track for +1
    const Vec3 down = static_cast<double>(side) * cross(ahead, aside);
    const double altitude = norm(s) - semi_major_m * (1 - flattening / 2) - height_m;
    require(std::isfinite(range) && range > 0.5 * altitude,
            text("slant_range_m is ", range, "; must reach the surface, some ", altitude, " m below the antenna"));
    // Start on a sphere through the sub-satellite radius, then Newton on the look angle.
    const double rs = norm(s), re = rs - altitude;
    double cosine = (rs * rs + range * range - (re + height_m) * (re + height_m)) / (2 * rs * range);
    require(cosine > -1 && cosine < 1.02,
            text("slant_range_m is ", range, "; no point at height ", height_m, " m is that far from the antenna"));
    double angle = std::acos(std::min(cosine, 0.9999));
    Vec3 p;
    for (int i = 0; i < 50; ++i) {
        p = s + range * (std::cos(angle) * down + std::sin(angle) * aside);
        const Height h = height_above(p, height_m);
        const double slope = range * dot(h.gradient, std::cos(angle) * aside - std::sin(angle) * down);
        const double step = h.excess_m / slope;
        angle -= std::clamp(step, -0.05, 0.05);
        if (std::abs(step) < 1e-14) break;
        require(i < 49 && angle > 0 && angle < pi / 2 + 0.5,
                text("slant_range_m is ", range, "; no point at height ", height_m, " m is that far from the antenna"));
    }
    return s + range * (std::cos(angle) * down + std::sin(angle) * aside);
}

RadarCoordinates ecef_to_radar(const Orbit &orbit, const Vec3 &p)
{
    // f(t) = (P - S) . V falls through zero at closest approach; Newton from the nearest state vector.
    double t = orbit.first_time_s(), best = -1;
    for (const StateVector &state : orbit.states()) {
        const double distance = norm(p - state.position_m);
        if (best < 0 || distance < best) best = distance, t = state.time_s;
    }
    for (int i = 0; i < 20; ++i) {
        const Vec3 v = orbit.velocity_m_per_s(t), d = p - orbit.position_m(t);
        const double h = 1e-3;
        const Vec3 a = (0.5 / h) * (orbit.velocity_m_per_s(t + h) - orbit.velocity_m_per_s(t - h));
        const double step = dot(d, v) / (dot(d, a) - dot(v, v));
        t -= step;
        if (std::abs(step) < 1e-13) break;
    }
    require(t >= orbit.first_time_s() && t <= orbit.last_time_s(),
            text("closest approach is at ", t, " s; must lie within the orbit, ", orbit.first_time_s(), " to ",
                 orbit.last_time_s(), " s"));
    return {t, norm(p - orbit.position_m(t))};
}

}  // namespace sidelook
