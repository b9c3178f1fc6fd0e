// simulate_coast: makes a stretch of coast, with its truth, and hands it to the scene simulator.
// in: sensor, acquisition, options; out: echoes [pulse][sample] c64 and the truth.
#include <algorithm>
#include <cmath>
#include <string>

#include "core/threads.h"
#include "sidelook/error.h"
#include "simulate/backscatter.h"
#include "simulate/motion.h"
#include "simulate/scatterers.h"

namespace sidelook::simulate
{

namespace
{

constexpr double c = speed_of_light_m_per_s;
constexpr int tile_azimuth = 16, tile_range = 64;  // cells of a tile: a chunk holds 1024
constexpr double land_mean_db =
    -9;  // vegetated land at C and X band VV, 30 to 40 degrees: Ulaby & Dobson, "Handbook of
constexpr double land_swing_db = 5;  // Radar Scattering Statistics for Terrain", 1989, give about -14 to -6 dB
constexpr double land_shape = 8;     // order of the land's texture, smoother than the sea's

void check(const CoastOptions &o)
{
    const auto rule = [](const char *name, double value, bool ok, const char *must) {
        require(ok, std::string(name) + " is " + std::to_string(value) + "; must " + must);
    };
    rule("wind_m_per_s", o.wind_m_per_s, o.wind_m_per_s >= 0.5 && o.wind_m_per_s <= 35, "lie between 0.5 and 35");
    rule("wind_from_deg", o.wind_from_deg, std::isfinite(o.wind_from_deg), "be finite");
    rule("k_shape", o.k_shape, o.k_shape >= 0.1 && o.k_shape <= 1000, "lie between 0.1 and 1000");
    rule("correlation_m", o.correlation_m, o.correlation_m >= 20 && o.correlation_m <= 2000, "lie between 20 and 2000");
    rule("scatterers_per_cell", o.scatterers_per_cell, o.scatterers_per_cell >= 1 && o.scatterers_per_cell <= 16,
         "lie between 1 and 16");
    rule("ships", o.ships, o.ships >= 0 && o.ships <= 500, "lie between 0 and 500");
    rule("calibration_rows", o.calibration_rows, o.calibration_rows >= 0 && o.calibration_rows <= 100,
         "lie between 0 and 100");
    rule("calibration_columns", o.calibration_columns, o.calibration_columns >= 0 && o.calibration_columns <= 100,
         "lie between 0 and 100");
    rule("calibration_rcs_dbsm", o.calibration_rcs_dbsm, std::abs(o.calibration_rcs_dbsm) <= 100, "lie within +-100");
    rule("pulse_edge_samples", o.pulse_edge_samples, o.pulse_edge_samples >= 4 && o.pulse_edge_samples <= 1000,
         "lie between 4 and 1000");
    rule("threads", o.threads, o.threads >= 0 && o.threads <= 1024, "be zero or positive, at most 1024");
}

/// Local east, north and up (ECEF) on the ellipsoid.
struct Local {
    Vec3 east, north, up;
    explicit Local(const Vec3 &position)
    {
        const Geodetic g = to_geodetic(position);
        const double lat = g.latitude_deg * radians_per_degree, lon = g.longitude_deg * radians_per_degree;
        up = {std::cos(lat) * std::cos(lon), std::cos(lat) * std::sin(lon), std::sin(lat)};
        east = {-std::sin(lon), std::cos(lon), 0};
        north = cross(up, east);
    }
};

/// The scene's own plane: y (m) along the track by the time in the middle of the beam, x (m) across it on the ground.
struct Layout {
    const Sensor &sensor;
    const Platform &platform;
    const CoastOptions &options;
    Layout(const Sensor &s, const CoastOptions &o) : sensor(s), platform(s.platform), options(o) {}

    double first_s = 0, last_s = 0;  // of all pulses
    double begin_s = 0, end_s = 0;   // beam times of the scatterers: whatever is lit at all
    double near_m = 0, far_m = 0;    // slant ranges, likewise
    double full_begin_s = 0, full_end_s = 0, full_near_m = 0, full_far_m = 0;  // fully exposed
    double ground_speed = 0;                                                   // of the beam (m/s)
    double lobe_s = 0;  // from the beam's middle to its first null
    double middle_s = 0, centre_range_m = 0, incidence = 0, look_azimuth_deg = 0;
    Vec3 centre;
    double cell_range_m = 0, cell_azimuth_m = 0;
    Random land{0, Stream::land};

    double x_of(double range_m) const { return (range_m - near_m) / std::sin(incidence); }
    double y_of(double time_s) const { return (time_s - begin_s) * ground_speed; }
    double range_of(double x_m) const { return near_m + x_m * std::sin(incidence); }
    double time_of(double y_m) const { return begin_s + y_m / ground_speed; }
    Vec3 point(double time_s, double range_m, double height_m) const
    {
        return place_in_beam(platform, time_s, range_m, height_m);
    }
    /// Above 0: land, growing inland. The land lies far from the radar, its shore is fractal, and there are islands.
    double depth(double x_m, double y_m) const
    {
        if (!options.land) return -1;
        const double width = x_of(far_m);
        return (x_m - 0.66 * width) / (0.3 * width) + 0.75 * fractal_noise(land, x_m, y_m, 0.32 * width, 7);
    }
};

Layout make_layout(const Sensor &sensor, const Acquisition &acq, const CoastOptions &options)
{
    Layout l(sensor, options);
    l.land = Random(options.seed, Stream::land);
    l.first_s = acq.first_pulse_time_s;
    l.last_s = l.first_s + static_cast<double>(acq.pulses - 1) / acq.prf_hz;
    l.middle_s = 0.5 * (l.first_s + l.last_s);
    const double first = acq.first_sample_delay_s,
                 last = first + static_cast<double>(acq.samples - 1) / acq.sample_rate_hz;
    const double half = 0.5 * acq.chirp_duration_s;
    l.near_m = 0.5 * c * (first - half);
    l.far_m = 0.5 * c * (last + half);
    l.centre_range_m = 0.25 * c * (first + last);
    const bool exposed = last - first > 2 * half;
    l.full_near_m = exposed ? 0.5 * c * (first + half) : l.centre_range_m;
    l.full_far_m = exposed ? 0.5 * c * (last - half) : l.centre_range_m;
    l.centre = l.point(l.middle_s, l.centre_range_m, acq.terrain_height_m);
    const State s = earth_fixed_state(l.platform, l.middle_s);
    l.ground_speed =
        norm(l.point(l.middle_s + 0.05, l.centre_range_m, 0) - l.point(l.middle_s - 0.05, l.centre_range_m, 0)) / 0.1;
    Target t;
    t.position_m = l.centre;
    const double rate = 50 * (beam_position(l.platform, acq.antenna, acq.carrier_hz, t, l.middle_s + 0.01).azimuth -
                              beam_position(l.platform, acq.antenna, acq.carrier_hz, t, l.middle_s - 0.01).azimuth);
    l.lobe_s = 1 / std::abs(rate);
    l.begin_s = l.first_s - 1.02 * l.lobe_s;
    l.end_s = l.last_s + 1.02 * l.lobe_s;
    const double inset = std::min(l.lobe_s, 0.4 * (l.last_s - l.first_s));
    l.full_begin_s = l.first_s + inset;
    l.full_end_s = l.last_s - inset;
    const Local local(l.centre);
    const Vec3 look = unit(l.centre - s.position_m);
    l.incidence = std::acos(-dot(look, local.up));
    l.look_azimuth_deg = std::atan2(dot(look, local.east), dot(look, local.north)) / radians_per_degree;
    l.cell_range_m = c / (2 * std::abs(acq.chirp_rate_hz_per_s) * acq.chirp_duration_s);
    l.cell_azimuth_m = 0.5 * acq.antenna.azimuth_length_m;
    return l;
}

double incidence_at(const Platform &platform, double time_s, const Vec3 &position)
{
    const Vec3 look = unit(position - earth_fixed_state(platform, time_s).position_m);
    return std::acos(-dot(look, Local(position).up));
}

/// Sea and land: one jittered scatterer a cell (or more), complex Gaussian times the texture's root.
class Clutter
{
public:
    Clutter(const Layout &layout, const Acquisition &acq, double height_m)
        : l_(layout), height_m_(height_m), sea_(layout.options.k_shape), land_(land_shape),
          scatterer_(layout.options.seed, Stream::scatterer), land_cover_(layout.options.seed, Stream::land_cover)
    {
        const double fine = 1 / std::sqrt(layout.options.scatterers_per_cell);
        range_step_m_ = fine * l_.cell_range_m;
        time_step_s_ = fine * l_.cell_azimuth_m / l_.ground_speed;
        range_tiles_ = static_cast<std::int64_t>(std::ceil((l_.far_m - l_.near_m) / (range_step_m_ * tile_range)));
        strips_ = static_cast<std::int64_t>(std::ceil((l_.end_s - l_.begin_s) / (time_step_s_ * tile_azimuth)));
        carrier_hz_ = acq.carrier_hz;
    }
    std::int64_t strips() const { return strips_; }
    std::size_t size() const { return static_cast<std::size_t>(strips_ * range_tiles_ * tile_azimuth * tile_range); }

    /// The scatterers of one strip of tiles, and how many of them are land.
    std::int64_t strip(std::int64_t index, Scatterers &out) const
    {
        std::int64_t on_land = 0;
        NormalField field(Random(l_.options.seed, Stream::texture), l_.options.correlation_m);
        const double t0 = l_.begin_s + static_cast<double>(index * tile_azimuth) * time_step_s_,
                     t1 = t0 + tile_azimuth * time_step_s_;
        Vec3 a = l_.point(t0, l_.near_m, height_m_), b = l_.point(t1, l_.near_m, height_m_);
        for (std::int64_t tile = 0; tile < range_tiles_; ++tile) {
            const double r0 = l_.near_m + static_cast<double>(tile * tile_range) * range_step_m_,
                         r1 = r0 + tile_range * range_step_m_;
            const Vec3 p = l_.point(t0, r1, height_m_), q = l_.point(t1, r1, height_m_);
            on_land += fill(index, tile, t0, r0, a, b, p, q, field, out);
            a = p;
            b = q;
        }
        return on_land;
    }

private:
    std::int64_t fill(std::int64_t strip, std::int64_t tile, double t0, double r0, const Vec3 &a, const Vec3 &b,
                      const Vec3 &p, const Vec3 &q, NormalField &field, Scatterers &out) const
    {
        const Vec3 middle = 0.25 * (a + b + p + q);
        const double incidence = incidence_at(l_.platform, t0, middle);
        const double sea = sea_sigma0(l_.sensor.sea_model, carrier_hz_, l_.options.wind_m_per_s,
                                      l_.options.wind_from_deg - l_.look_azimuth_deg, incidence / radians_per_degree);
        const double area = range_step_m_ / std::sin(incidence) * time_step_s_ * l_.ground_speed;
        const double dx = range_step_m_ / std::sin(l_.incidence), dy = time_step_s_ * l_.ground_speed;
        const double x0 = l_.x_of(r0), y0 = l_.y_of(t0);
        field.prepare(x0, x0 + tile_range * dx, y0, y0 + tile_azimuth * dy);
        std::int64_t on_land = 0;
        Target t;
        for (int j = 0; j < tile_range; j += 2)
            for (int i = 0; i < tile_azimuth; i += 2) {
                // texture and land are taken for 2 x 2 scatterers at once
                const double x = x0 + (j + 1) * dx, y = y0 + (i + 1) * dy;
                const bool dry = l_.depth(x, y) > 0;
                double sigma0;
                if (dry) {
                    const double db = land_mean_db + land_swing_db * fractal_noise(land_cover_, x, y, 900, 4);
                    sigma0 = std::pow(10.0, db / 10) * land_(field.value(x, y));
                    on_land += 4;
                } else {
                    sigma0 = sea * sea_(field.value(x, y));
                }
                const double scale = std::sqrt(sigma0 * area);
                for (int k = 0; k < 4; ++k) {
                    const int jj = j + (k & 1), ii = i + (k >> 1);
                    const std::uint64_t id =
                        (static_cast<std::uint64_t>(strip) * tile_azimuth + static_cast<unsigned>(ii)) << 32 |
                        (static_cast<std::uint64_t>(tile) * tile_range + static_cast<unsigned>(jj));
                    const auto w = scatterer_.words(id);
                    const double u = (jj + Random::uniform(w[0])) / tile_range,
                                 v = (ii + Random::uniform(w[1])) / tile_azimuth;
                    // bilinear in the tile's corners: the ellipsoid bulges by millimetres in a tile
                    t.position_m = (1 - u) * ((1 - v) * a + v * b) + u * ((1 - v) * p + v * q);
                    t.amplitude = scale * Random::normal(w[2], w[3]);
                    out.add(t);
                }
            }
        return on_land;
    }

    const Layout &l_;
    double height_m_;
    GammaQuantile sea_, land_;
    Random scatterer_, land_cover_;
    double range_step_m_ = 0, time_step_s_ = 0, carrier_hz_ = 0;
    std::int64_t range_tiles_ = 0, strips_ = 0;
};

PointTruth describe(const Layout &l, const char *kind, const Vec3 &position, double time_s, double rcs_dbsm)
{
    Target t;
    t.position_m = position;
    return {kind, to_geodetic(position), position, rcs_dbsm, zero_doppler(l.platform, t, time_s)};
}

std::complex<double> amplitude_of(double rcs_m2, std::uint32_t phase_word)
{
    return std::polar(std::sqrt(rcs_m2), 2 * pi * Random::uniform(phase_word));
}

/// Grid of equal points, all with phase 0.
void add_calibration(const Layout &l, const CoastOptions &o, double height_m, std::vector<Target> &out,
                     CoastTruth &truth)
{
    for (int i = 0; i < o.calibration_rows; ++i)
        for (int j = 0; j < o.calibration_columns; ++j) {
            const double a = o.calibration_rows > 1 ? static_cast<double>(i) / (o.calibration_rows - 1) : 0.5;
            const double b = o.calibration_columns > 1 ? static_cast<double>(j) / (o.calibration_columns - 1) : 0.5;
            const double time_s = l.full_begin_s + a * (l.full_end_s - l.full_begin_s);
            const double range_m = l.full_near_m + (0.1 + 0.8 * b) * (l.full_far_m - l.full_near_m);
            Target t;
            t.position_m = l.point(time_s, range_m, height_m);
            t.amplitude = std::pow(10.0, o.calibration_rcs_dbsm / 20);
            out.push_back(t);
            truth.points.push_back(describe(l, "calibration", t.position_m, time_s, o.calibration_rcs_dbsm));
        }
}

/// A town's street grid a little inland, some very bright buildings, and a breakwater from its shore.
void add_town(const Layout &l, const CoastOptions &o, double height_m, std::vector<Target> &out, CoastTruth &truth)
{
    if (!o.land) return;
    const Random random(o.seed, Stream::town);
    const double y = l.y_of(0.5 * (l.full_begin_s + l.full_end_s)), width = l.x_of(l.full_far_m);
    double shore = l.x_of(l.full_near_m);
    while (shore < width && l.depth(shore, y) < 0.02) shore += 5;
    if (shore >= width) return;  // all sea here
    const double radius = std::min(1100.0, 0.12 * width), x = shore + 0.7 * radius;
    const auto put = [&](double px, double py, double rcs_dbsm, std::uint32_t word, double height) {
        Target t;
        t.position_m = l.point(l.time_of(py), l.range_of(px), height);
        t.amplitude = amplitude_of(std::pow(10.0, rcs_dbsm / 10), word);
        out.push_back(t);
        return t.position_m;
    };
    // Blocks of 60 x 90 m between streets of 20 m, houses along the streets; RCS exponential about 15 dBsm.
    std::uint64_t house = 0;
    for (double v = -radius; v < radius; v += 15)
        for (double u = -radius; u < radius; u += 15, ++house) {
            const double su = u - 80 * std::floor(u / 80), sv = v - 110 * std::floor(v / 110);
            const bool front = (su < 35 && su >= 10) || (sv < 35 && sv >= 10);
            const auto w = random.words(house);
            if (u * u + v * v > radius * radius || !front || Random::uniform(w[0]) < 0.35 ||
                l.depth(x + u, y + v) <= 0.01)
                continue;
            put(x + u, y + v, 15 + 10 * std::log10(-std::log(Random::uniform(w[1]))), w[2], height_m + 6);
        }
    for (int i = 0; i < 10; ++i) {  // corner reflections of large buildings
        const auto w = random.words(static_cast<std::uint64_t>(i), 1);
        const double r = radius * std::sqrt(Random::uniform(w[0])), angle = 2 * pi * Random::uniform(w[1]);
        const double px = x + r * std::cos(angle), py = y + r * std::sin(angle), rcs = 34 + 8 * Random::uniform(w[2]);
        if (l.depth(px, py) <= 0.01) continue;
        truth.points.push_back(describe(l, "building", put(px, py, rcs, w[3], height_m), l.time_of(py), rcs));
    }
    // Breakwater: a wall of blocks out to sea, bent half way, a scatterer every 4 m of 12 dBsm on average.
    const double side = y - 0.8 * radius;
    double root = l.x_of(l.full_near_m);
    while (root < width && l.depth(root, side) < 0) root += 5;
    const double length = std::min(500.0, 0.5 * (root - l.x_of(l.full_near_m)));
    for (int i = 0; i * 4.0 < length; ++i) {
        const auto w = random.words(static_cast<std::uint64_t>(i), 2);
        const double along = i * 4.0, bend = std::max(0.0, along - 0.5 * length);
        put(root - along + 0.4 * bend, side + 0.8 * bend, 12 + 10 * std::log10(-std::log(Random::uniform(w[0]))), w[1],
            height_m + 3);
        if ((i + 1) * 4.0 >= length)
            truth.points.push_back(describe(l, "breakwater",
                                            put(root - along + 0.4 * bend, side + 0.8 * bend, 30, w[2], height_m + 3),
                                            l.time_of(side + 0.8 * bend), 30));
    }
}

/// Time and range of no range rate between the platform and a moving ship, by bisection of its sign about zero Doppler.
ZeroDoppler closest_approach(const Platform &platform, const Target &t, double near_s)
{
    const auto range = [&](double time_s) {
        return norm(t.position_m + (time_s - t.reference_time_s) * t.velocity_m_per_s -
                    earth_fixed_state(platform, time_s).position_m);
    };
    const auto rate = [&](double time_s) {
        const State s = earth_fixed_state(platform, time_s);
        const Vec3 d = t.position_m + (time_s - t.reference_time_s) * t.velocity_m_per_s - s.position_m;
        return dot(d, t.velocity_m_per_s - s.velocity_m_per_s);
    };
    double low = near_s - 5, high = near_s + 5;
    for (int i = 0; i < 60; ++i) {
        const double middle = 0.5 * (low + high);
        (rate(middle) < 0 ? low : high) = middle;
    }
    return {0.5 * (low + high), range(0.5 * (low + high))};
}

/// One hull: points along its outline and superstructure, of Rayleigh amplitudes that add up to the RCS.
void add_hull(const Random &random, std::uint32_t ship, const ShipTruth &s, const Vec3 &position, double time_s,
              std::vector<Target> &out)
{
    const Local local(position);
    const double heading = s.heading_deg * radians_per_degree;
    const Vec3 bow = std::sin(heading) * local.east + std::cos(heading) * local.north, starboard = cross(bow, local.up);
    const int n = std::max(12, static_cast<int>(s.length_m / 3));
    std::vector<double> power(static_cast<std::size_t>(n));
    double sum = 0;
    const std::size_t first = out.size();
    for (int i = 0; i < n; ++i) {
        const auto w = random.words(static_cast<std::uint64_t>(i), 1000 + ship),
                   v = random.words(static_cast<std::uint64_t>(i), 2000 + ship);
        // a third of the points, with half of the power, is the superstructure aft
        const bool tower = i % 3 == 0;
        const double along = tower ? -0.42 + 0.16 * Random::uniform(w[0]) : -0.5 + (i + Random::uniform(w[0])) / n;
        const double taper = std::min(1.0, (0.5 - along) / 0.18), edge = w[3] & 1 ? 0.5 : -0.5;
        const double across = tower ? 0.8 * (Random::uniform(w[1]) - 0.5) : edge * taper;
        const double height =
            tower ? (0.05 + 0.08 * Random::uniform(w[2])) * s.length_m : 0.03 * s.length_m * Random::uniform(w[2]);
        power[static_cast<std::size_t>(i)] = (tower ? 2.0 : 1.0) * -std::log(Random::uniform(v[0]));
        sum += power[static_cast<std::size_t>(i)];
        Target t;
        t.position_m = position + (along * s.length_m) * bow + (across * s.width_m) * starboard + height * local.up;
        t.velocity_m_per_s = s.velocity_m_per_s;
        t.reference_time_s = time_s;
        t.amplitude = amplitude_of(1, v[1]);
        out.push_back(t);
    }
    const double rcs = std::pow(10.0, s.rcs_dbsm / 10);
    for (int i = 0; i < n; ++i)
        out[first + static_cast<std::size_t>(i)].amplitude *= std::sqrt(power[static_cast<std::size_t>(i)] / sum * rcs);
}

void add_ships(const Layout &l, const CoastOptions &o, double height_m, std::vector<Target> &out, CoastTruth &truth)
{
    const Random random(o.seed, Stream::ships);
    std::vector<Vec3> taken;
    for (int ship = 0; ship < o.ships; ++ship)
        for (int attempt = 0; attempt < 300; ++attempt) {
            const auto w = random.words(static_cast<std::uint64_t>(attempt), static_cast<std::uint32_t>(ship));
            const auto v = random.words(static_cast<std::uint64_t>(attempt) + 1000, static_cast<std::uint32_t>(ship));
            const double time_s = l.full_begin_s + Random::uniform(w[0]) * (l.full_end_s - l.full_begin_s);
            const double range_m =
                l.full_near_m + (0.04 + 0.92 * Random::uniform(w[1])) * (l.full_far_m - l.full_near_m);
            const double x = l.x_of(range_m), y = l.y_of(time_s);
            bool wet = true;
            for (int k = 0; k < 9; ++k) wet = wet && l.depth(x + 300 * (k % 3 - 1), y + 300 * (k / 3 - 1)) < 0;
            const Vec3 position = l.point(time_s, range_m, height_m);
            for (const Vec3 &p : taken) wet = wet && norm(p - position) > 500;
            if (!wet) continue;
            taken.push_back(position);
            ShipTruth s;
            s.length_m = 35 * std::pow(8.0, Random::uniform(w[2]));  // 35 to 280 m, evenly in its logarithm
            s.width_m = s.length_m / 6.5;
            s.heading_deg = 360 * Random::uniform(w[3]);
            s.speed_m_per_s =
                Random::uniform(v[0]) < 0.35 ? 0 : 2 + 7 * Random::uniform(v[1]);  // a third lies at anchor
            s.rcs_dbsm = 10 * std::log10(ship_rcs_m2(s.length_m, s.width_m));
            const Local local(position);
            const double heading = s.heading_deg * radians_per_degree;
            s.velocity_m_per_s = s.speed_m_per_s * (std::sin(heading) * local.east + std::cos(heading) * local.north);
            add_hull(random, static_cast<std::uint32_t>(ship), s, position, time_s, out);
            Target t;
            t.position_m = position;
            t.velocity_m_per_s = s.velocity_m_per_s;
            t.reference_time_s = time_s;
            s.zero_doppler = zero_doppler(l.platform, t, time_s);
            s.closest_approach = closest_approach(l.platform, t, s.zero_doppler.time_s);
            s.position_m = position + (s.zero_doppler.time_s - time_s) * s.velocity_m_per_s;
            s.place = to_geodetic(s.position_m);
            truth.ships.push_back(s);
            break;
        }
}

/// Sum over pulses of the two-way power pattern of a point that passes the middle of the beam, main lobe.
double pulses_power(const Layout &l, double prf_hz)
{
    double sum = 0;
    constexpr int n = 2000;
    for (int i = 0; i < n; ++i) {
        const double g = sinc(-1 + (i + 0.5) * 2 / n);
        sum += g * g * g * g * 2 / n;
    }
    return sum * l.lobe_s * prf_hz;
}

}  // namespace

CoastTruth simulate_coast(const Sensor &sensor, const Acquisition &acq, const CoastOptions &options, View2<c64> out)
{
    check(options);
    validate(acq);
    require(acq.antenna.azimuth_length_m > 0 && acq.antenna.elevation_length_m > 0,
            "antenna length is " +
                std::to_string(std::min(acq.antenna.azimuth_length_m, acq.antenna.elevation_length_m)) +
                "; must be positive for a coast");
    require(std::abs(sensor.nesz_db) <= 200,
            "nesz_db is " + std::to_string(sensor.nesz_db) + "; must lie within +-200");
    const Layout l = make_layout(sensor, acq, options);
    const double height = acq.terrain_height_m;
    CoastTruth truth;
    truth.incidence_deg = l.incidence / radians_per_degree;
    truth.look_azimuth_deg = l.look_azimuth_deg;
    truth.centre_range_m = l.centre_range_m;
    truth.sea_sigma0_db = 10 * std::log10(sea_sigma0(sensor.sea_model, acq.carrier_hz, options.wind_m_per_s,
                                                     options.wind_from_deg - l.look_azimuth_deg, truth.incidence_deg));
    truth.land_sigma0_db = land_mean_db;
    truth.nesz_db = sensor.nesz_db;
    truth.cell_area_m2 = l.cell_range_m / std::sin(l.incidence) * l.cell_azimuth_m;
    truth.pulse_edge_s = options.pulse_edge_samples / acq.sample_rate_hz;

    EchoOptions echo;
    echo.beam_limit = 1;
    echo.reference_range_m = l.centre_range_m;
    echo.pulse_edge_s = truth.pulse_edge_s;
    echo.threads = options.threads;
    Scatterers scene;
    {
        const Clutter clutter(l, acq, height);
        const std::int64_t bytes = 20 * static_cast<std::int64_t>(clutter.size()) + 8 * out.rows * out.cols +
                                   scene_workspace_bytes(acq, sensor.platform, echo) + (std::int64_t{16} << 20);
        if (options.max_bytes > 0 && bytes > options.max_bytes)
            throw Error(Code::over_memory, "max_bytes (--max-ram) is " + std::to_string(options.max_bytes) +
                                               "; must be at least " + std::to_string(bytes) + " bytes for this scene");
        scene.reserve(clutter.size());
        // A few strips at a time, so that hardly anything is held twice; their order is that of their index.
        constexpr std::int64_t together = 8;
        std::int64_t on_land = 0;
        for (std::int64_t strip = 0; strip < clutter.strips(); strip += together) {
            const std::int64_t count = std::min(together, clutter.strips() - strip);
            std::vector<Scatterers> part(static_cast<std::size_t>(count));
            std::vector<std::int64_t> dry(static_cast<std::size_t>(count));
            parallel_for(count, options.threads, [&](std::int64_t i, int) {
                dry[static_cast<std::size_t>(i)] = clutter.strip(strip + i, part[static_cast<std::size_t>(i)]);
            });
            for (std::int64_t i = 0; i < count; ++i) {
                scene.append(part[static_cast<std::size_t>(i)]);
                on_land += dry[static_cast<std::size_t>(i)];
            }
        }
        truth.land_fraction = static_cast<double>(on_land) / static_cast<double>(scene.amplitude.size());
    }
    std::vector<Target> extra;
    add_calibration(l, options, height, extra, truth);
    add_town(l, options, height, extra, truth);
    add_ships(l, options, height, extra, truth);
    Scatterers bright = Scatterers::pack(extra);
    scene.append(bright);
    truth.scatterers = static_cast<std::int64_t>(scene.amplitude.size());

    truth.report = simulate_scatterers(acq, sensor.platform, scene, echo, out);

    // The matched filter adds up E = samples of the pulse x sum of the two-way power over the pulses: a point's power
    // becomes RCS E^2 and the noise's sigma^2 E.
    const double energy = acq.chirp_duration_s * acq.sample_rate_hz * pulses_power(l, acq.prf_hz);
    truth.noise_sigma =
        options.noise ? std::sqrt(std::pow(10.0, sensor.nesz_db / 10) * truth.cell_area_m2 * energy) : 0;
    if (options.noise) {
        Receiver receiver;
        receiver.noise_sigma = truth.noise_sigma;
        receiver.seed = options.seed;
        receiver.threads = options.threads;
        receive(receiver, 0, out);
    }
    return truth;
}

}  // namespace sidelook::simulate
