// Orbit interpolation, geolocation and maps against a circular orbit over the rotating Earth, known in closed form.
#include <cmath>
#include <cstring>
#include <limits>

#include "core/vec3.h"
#include "harness.h"
#include "sidelook/geocode.h"
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

TEST(geometry, beyond_the_orbit_the_track_goes_straight_on)
{
    const Orbit whole = orbit_every(10, 12),
                part(std::vector<StateVector>(whole.states().begin() + 4, whole.states().begin() + 8));
    for (const double t : {41.0, 55.5, 69.0}) {  // within both: the same answer
        const Vec3 p = radar_to_ecef(whole, {t, 900e3}, 0, LookSide::right);
        CHECK_NEAR(ecef_to_radar_continued(whole, p).zero_doppler_time_s, t, 1e-9);
        CHECK_NEAR(ecef_to_radar_continued(part, p).zero_doppler_time_s, t, 1e-7);
        CHECK_NEAR(ecef_to_radar_continued(part, p).slant_range_m, 900e3, 1e-5);
    }
    // A straight line leaves the circle by v^2 t^2 / 2r, 16 m after 2 s; its beams do not turn, which makes an eighth
    // of the time beyond the end, (P - S) . A / V^2.
    for (const double t : {38.0, 72.0}) {
        const Vec3 p = radar_to_ecef(whole, {t, 900e3}, 0, LookSide::right);
        const RadarCoordinates found = ecef_to_radar_continued(part, p);
        CHECK_NEAR(found.zero_doppler_time_s, t, 0.3);
        CHECK_NEAR(found.slant_range_m, 900e3, 30);
        CHECK((found.zero_doppler_time_s < 40) == (t < 40));
    }
}

namespace
{

/// A map in plate carree around a point of the swath: row and column to latitude and longitude, 60 pixels to a side.
struct Plate {
    Geodetic centre;
    double degrees;  // a pixel
    Geodetic at(double row, double col) const
    {
        return {centre.latitude_deg - degrees * (row - 30), centre.longitude_deg + degrees * (col - 30), 150};
    }
    MapLattice lattice(std::int64_t step) const
    {
        MapLattice l{step, 60 / step + 4, 60 / step + 4, {}};
        for (std::int64_t a = 0; a < l.rows; ++a)
            for (std::int64_t b = 0; b < l.cols; ++b)
                l.places.push_back(at(static_cast<double>((a - 1) * step), static_cast<double>((b - 1) * step)));
        return l;
    }
};

struct Coordinates {
    std::vector<double> line = std::vector<double>(3600), sample = line;
    PixelWindow window;
    Coordinates(const MapToRadar &map, std::int64_t block)
    {
        for (std::int64_t r = 0; r < 60; r += block)
            for (std::int64_t c = 0; c < 60; c += block)
                window = map.coordinates(r, c, {line.data() + r * 60 + c, block, block, 60},
                                         {sample.data() + r * 60 + c, block, block, 60}, 2);
    }
};

}  // namespace

TEST(geometry, map_pixels_have_exact_radar_coordinates)
{
    const Orbit orbit = orbit_every(10, 12);
    const RadarGrid grid{50, 5e-4, 880e3, 5, 20000, 8000};
    const Vec3 middle = radar_to_ecef(orbit, {55, 900e3}, 150, LookSide::right);
    const Plate plate{ecef_to_geodetic(middle), 2e-3};
    const MapToRadar map(orbit, LookSide::right, grid, plate.lattice(20));
    CHECK(map.map_rows() >= 60 && map.map_cols() >= 60);
    const Coordinates found(map, 60);
    for (std::int64_t r = 0; r < 60; r += 7)
        for (std::int64_t c = 0; c < 60; c += 7) {
            const Vec3 p = geodetic_to_ecef(plate.at(static_cast<double>(r), static_cast<double>(c)));
            const RadarCoordinates want = ecef_to_radar(orbit, p);
            const auto k = static_cast<std::size_t>(r * 60 + c);
            // Nodes 4.4 km apart leave 3e-8 m; a micrometre is a hundred times the rounding of ECEF coordinates.
            CHECK_NEAR(50 + 5e-4 * found.line[k], want.zero_doppler_time_s, 1e-6 / 7000);
            CHECK_NEAR(880e3 + 5 * found.sample[k], want.slant_range_m, 1e-6);
        }
    const Coordinates cut(map, 12);  // bit for bit the same in blocks
    CHECK(std::memcmp(cut.line.data(), found.line.data(), sizeof(double) * 3600) == 0);
    CHECK(std::memcmp(cut.sample.data(), found.sample.data(), sizeof(double) * 3600) == 0);

    // The window holds the four pixels around every place in the image, and touches the outermost ones.
    PixelWindow want{grid.lines, 0, grid.samples, 0};
    for (std::size_t k = 0; k < 3600; ++k) {
        const double i = found.line[k], j = found.sample[k];
        if (!(i >= 0 && i <= 19999 && j >= 0 && j <= 7999)) continue;
        const auto top = static_cast<std::int64_t>(i), left = static_cast<std::int64_t>(j);
        want = {std::min(want.first_line, top), std::max(want.end_line, top + 2), std::min(want.first_sample, left),
                std::max(want.end_sample, left + 2)};
    }
    CHECK(found.window.first_line <= want.first_line && found.window.end_line >= std::min(want.end_line, grid.lines));
    CHECK(found.window.first_line >= want.first_line - 1 && found.window.end_line <= want.end_line + 1);
    CHECK(found.window.first_sample <= want.first_sample && found.window.first_sample >= want.first_sample - 1);
    CHECK(found.window.end_sample >= std::min(want.end_sample, grid.samples) &&
          found.window.end_sample <= want.end_sample + 1);

    // From the other side of the track nothing is seen.
    const Coordinates mirrored(MapToRadar(orbit, LookSide::left, grid, plate.lattice(20)), 60);
    CHECK(std::isnan(mirrored.line[1830]) && std::isnan(mirrored.sample[1830]));
    CHECK(mirrored.window.end_line == mirrored.window.first_line);
}

TEST(geometry, resampling_by_hand)
{
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const float pixels[] = {1, 2, 4, 3, 5, 9, 7, 8, nan};  // 3 x 3, at lines 10..12, samples 20..22
    const View2<const float> image(pixels, 3, 3);
    struct Case {
        double line, sample;
        float bilinear, nearest;
    };
    const Case cases[] = {
        {10, 20, 1, 1},             // integers are pixel centres
        {12, 20, 7, 7},             // the last line counts, and needs none behind it
        {10, 22, 4, 4},             //
        {10.5, 20, 2, 3},           // a half belongs to the next pixel
        {10.5, 20.5, 2.75f, 5},     // the mean of four
        {10.25, 21.75, 4.625f, 4},  // (2 * 1 + 4 * 3) / 4 * 3/4 + (5 + 9 * 3) / 4 / 4
        {9.999, 20, nan, 1},        // outside the outermost centres, inside the pixel
        {9.4, 20, nan, nan},        //
        {10, 22.4, nan, 4},         //
        {10, 22.5, nan, nan},       //
        {11, 22, 9, 9},             // the NaN below has no weight
        {11.01, 22, nan, 9},        // and here it has
        {11, 21.5, 7, 9},           //
        {12, 22, nan, nan},         //
        {static_cast<double>(nan), 20, nan, nan},
    };
    for (const Case &c : cases)
        for (const Interpolation how : {Interpolation::bilinear, Interpolation::nearest}) {
            float out = -1;
            resample(image, 10, 20, {&c.line, 1, 1}, {&c.sample, 1, 1}, how, {&out, 1, 1}, 1);
            const float want = how == Interpolation::bilinear ? c.bilinear : c.nearest;
            if (std::isnan(want)) {
                CHECK(std::isnan(out));
            } else {
                CHECK_NEAR(out, want, 1e-6);
            }
        }
    double place = 0;
    float out = 0;
    resample({}, 0, 0, {&place, 1, 1}, {&place, 1, 1}, Interpolation::bilinear, {&out, 1, 1}, 1);
    CHECK(std::isnan(out));  // an empty image has no pixels
}

TEST(geometry, maps_that_cannot_be_are_refused)
{
    const Orbit orbit = orbit_every(10, 12);
    const RadarGrid grid{50, 5e-4, 880e3, 5, 200, 100};
    const Plate plate{{0, 0, 0}, 2e-3};
    const MapLattice lattice = plate.lattice(20);
    const auto refused = [&](const char *words, const RadarGrid &g, const MapLattice &l) {
        CHECK_REFUSED(Code::bad_input, words, MapToRadar(orbit, LookSide::right, g, l));
    };
    RadarGrid g = grid;
    g.line_spacing_s = 0;
    refused("line_spacing_s is 0", g, lattice);
    g = grid, g.sample_spacing_m = std::numeric_limits<double>::quiet_NaN();
    refused("sample_spacing_m is nan", g, lattice);
    g = grid, g.lines = 0;
    refused("image is 0 x 100", g, lattice);
    MapLattice l = lattice;
    l.step = 0;
    refused("step is 0", grid, l);
    l = lattice, l.places.pop_back();
    refused("places has 48 nodes", grid, l);
    l = lattice, l.rows = 3;
    refused("at least 4 x 4", grid, l);
    l = lattice, l.places[5].latitude_deg = std::numeric_limits<double>::infinity();
    refused("places has a node at inf", grid, l);
    const MapToRadar map(orbit, LookSide::right, grid, lattice);
    double line = 0, sample = 0;
    CHECK_REFUSED(Code::bad_input, "must lie within the map",
                  map.coordinates(map.map_rows(), 0, {&line, 1, 1}, {&sample, 1, 1}, 1));
}
