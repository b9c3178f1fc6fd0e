// Orbit interpolation and geolocation against a circular orbit over the rotating Earth, known in closed form.
#include <cmath>

#include "core/vec3.h"
#include "harness.h"
#include "sidelook/geometry.h"

using namespace sidelook;

namespace
{

constexpr double radius_m = 7.07e6, orbit_rate = 1.0625e-3, earth_rate = 7.292115e-5, tilt = 1.7;  // (rad/s), (rad)
constexpr double pi = 3.14159265358979323846;

double length(const Vec3 &v) { return std::sqrt(dot(v, v)); }

/// A circle in the inertial frame seen from the Earth: velocity is the derivative of the position, term by term.
StateVector on_circle(double t)
{
    const double a = orbit_rate * t + 0.7, e = -earth_rate * t;
    const double x = std::cos(a), y = std::sin(a) * std::cos(tilt), z = std::sin(a) * std::sin(tilt);
    const double u = -orbit_rate * std::sin(a), v = orbit_rate * std::cos(a) * std::cos(tilt),
                 w = orbit_rate * std::cos(a) * std::sin(tilt);
    const double c = std::cos(e), s = std::sin(e);
    const Vec3 position{radius_m * (c * x - s * y), radius_m * (s * x + c * y), radius_m * z};
    const Vec3 velocity{radius_m * (c * u - s * v) + earth_rate * position.y,
                        radius_m * (s * u + c * v) - earth_rate * position.x, radius_m * w};
    return {t, position, velocity};
}

Orbit orbit_every(double step_s, int count)
{
    std::vector<StateVector> states;
    for (int i = 0; i < count; ++i) states.push_back(on_circle(step_s * i));
    return Orbit(states);
}

}  // namespace

TEST(geometry, orbit_is_interpolated_to_the_error_of_its_degree)
{
    for (const double step : {1.0, 10.0, 60.0, 240.0}) {
        const Orbit orbit = orbit_every(step, 9);
        // Hermite on four nodes, each counted twice, leaves the eighth derivative over 8! times the product of squared
        // distances. The derivative is at most (orbit_rate + earth_rate)^8 radius. The product, in steps^8, is at most
        // (1.5 x 0.5 x 0.5 x 1.5)^2 = 0.3164 between the two inner nodes, which all times but the first and last step's
        // have, and 1 between the outer ones. Rounding: some ten operations on numbers of the orbit's size.
        const double remainder = std::pow((orbit_rate + earth_rate) * step, 8) * radius_m / 40320;
        const double rounding = 32 * 2.2e-16 * radius_m;
        for (double t = 0; t <= orbit.last_time_s(); t += 0.0731 * step) {
            const double share = t < step || t > orbit.last_time_s() - step ? 1 : 0.3164;
            const double tolerance = share * remainder + rounding;
            const StateVector truth = on_circle(t);
            CHECK_NEAR(length(orbit.position_m(t) - truth.position_m), 0, tolerance);
            // The derivative of the product is at most 0.981 and 4.18 steps^7; 1.1 covers the ninth derivative's part.
            const double slope = 1.1 * (share < 1 ? 0.981 : 4.18) * remainder;
            CHECK_NEAR(length(orbit.velocity_m_per_s(t) - truth.velocity_m_per_s), 0, (slope + 8 * rounding) / step);
        }
    }
}

TEST(geometry, geodetic_coordinates_are_normals_of_the_ellipsoid)
{
    constexpr double a = 6378137.0, f = 1 / 298.257223563, b = a * (1 - f);  // WGS84
    for (const double latitude : {-90.0, -89.999, -45.0, -1e-9, 0.0, 0.3, 52.5, 90.0})
        for (const double longitude : {-179.5, -90.0, 0.0, 13.4, 180.0})
            for (const double height : {-400.0, 0.0, 8000.0, 800e3}) {
                const Vec3 p = geodetic_to_ecef({latitude, longitude, height});
                const double la = latitude * pi / 180, lo = longitude * pi / 180;
                const Vec3 up{std::cos(la) * std::cos(lo), std::cos(la) * std::sin(lo), std::sin(la)};
                const Vec3 foot = p - height * up;  // must lie on the ellipsoid, whose gradient there must point up
                CHECK_NEAR((foot.x * foot.x + foot.y * foot.y) / (a * a) + foot.z * foot.z / (b * b), 1, 1e-14);
                const Vec3 gradient{foot.x / (a * a), foot.y / (a * a), foot.z / (b * b)};
                CHECK_NEAR(length(cross(gradient, up)) / length(gradient), 0, 1e-14);
                const Geodetic back = ecef_to_geodetic(p);
                CHECK_NEAR(length(geodetic_to_ecef(back) - p), 0, 1e-8);
                CHECK_NEAR(back.latitude_deg, latitude, 1e-13 * 180);
                CHECK_NEAR(back.height_m, height, 1e-8);
            }
}

TEST(geometry, pixels_obey_the_range_doppler_equations)
{
    const Orbit orbit = orbit_every(10, 12);
    for (const LookSide side : {LookSide::left, LookSide::right})
        for (const double t : {25.0, 51.3, 88.8})
            for (const double range : {760e3, 900e3, 1100e3})
                for (const double height : {0.0, 3000.0}) {
                    const Vec3 p = radar_to_ecef(orbit, {t, range}, height, side);
                    const StateVector s = on_circle(t);
                    const Vec3 ray = p - s.position_m;
                    // A micrometre: a hundred times the rounding of ECEF coordinates.
                    CHECK_NEAR(length(ray), range, 1e-6);
                    CHECK_NEAR(dot(ray, s.velocity_m_per_s) / length(s.velocity_m_per_s), 0, 1e-6);
                    CHECK_NEAR(ecef_to_geodetic(p).height_m, height, 1e-6);
                    // Right of the track: flying north, up is z, right is east: velocity x up.
                    const double right = dot(ray, cross(s.velocity_m_per_s, s.position_m));
                    CHECK((right > 0) == (side == LookSide::right));
                    const RadarCoordinates back = ecef_to_radar(orbit, p);
                    CHECK_NEAR(back.slant_range_m, range, 1e-6);
                    CHECK_NEAR(back.zero_doppler_time_s, t, 1e-9);
                }
}

TEST(geometry, what_cannot_be_located_is_refused)
{
    const Orbit orbit = orbit_every(10, 5);
    CHECK_REFUSED(Code::bad_input, "range", radar_to_ecef(orbit, {20, 300e3}, 0, LookSide::right));
    CHECK_REFUSED(Code::bad_input, "range", radar_to_ecef(orbit, {20, 14000e3}, 0, LookSide::right));
    CHECK_REFUSED(Code::bad_input, "orbit", radar_to_ecef(orbit, {500, 900e3}, 0, LookSide::right));
    const Vec3 elsewhere = geodetic_to_ecef({-60, 120, 0});
    CHECK_REFUSED(Code::bad_input, "orbit", ecef_to_radar(orbit, elsewhere));
    CHECK_REFUSED(Code::bad_input, "orbit", Orbit({on_circle(0), on_circle(1), on_circle(2)}));
    CHECK_REFUSED(Code::bad_input, "time_s", Orbit({on_circle(0), on_circle(1), on_circle(1), on_circle(2)}));
}
