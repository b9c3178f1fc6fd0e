#include "detect/flags.h"

#include <algorithm>
#include <cmath>

#include "sidelook/acquisition.h"

namespace sidelook
{
namespace
{

constexpr double land_near_m = 80;     // of land: may be its edge
constexpr double chain_m = 50;         // from link to link of a breakwater
constexpr double beside_land_m = 150;  // of an object that is land: may be of the same shore
constexpr double group_m = 200;        // objects nearer than this hang together
constexpr int group_size = 4;          // as many that hang together are houses, no anchorage
constexpr double degrees = 180 / 3.14159265358979323846;

std::size_t column(const IntensityImage &image, double sample)
{
    return static_cast<std::size_t>(std::clamp<std::int64_t>(std::llround(sample), 0, image.samples - 1));
}

/// Whether b is where the n-th azimuth ambiguity of a appears. A scatterer with zero Doppler at t is sampled with
/// Doppler f + n PRF aliased to f, and is focused at t - n PRF / Ka with the range migration of f instead of f + n PRF
/// (Li & Johnson, IEEE Trans. Aerospace and Electronic Systems 19, 1983).
bool is_ambiguity(const IntensityImage &image, const DetectedObject &a, const DetectedObject &b, int n)
{
    const std::size_t at = column(image, a.sample);
    const double range = image.first_slant_range_m + a.sample * image.sample_spacing_m;
    const double wavelength = speed_of_light_m_per_s / image.carrier_hz, v = image.effective_velocity_m_per_s;
    const double rate = 2 * v * v / (wavelength * range);  // (Hz/s), at zero Doppler
    const double f = image.doppler_centroid_hz.empty() ? 0 : image.doppler_centroid_hz[at],
                 aliased = f + n * image.prf_hz;
    // far from zero Doppler the hyperbola of range bends: time and range follow it exactly
    const auto time = [&](double doppler) {
        const double q = wavelength * doppler / (2 * v);
        return -doppler / rate / std::sqrt(std::max(0.1, 1 - q * q));
    };
    const auto range_at = [&](double doppler) {
        const double q = wavelength * doppler / (2 * v);
        return range / std::sqrt(std::max(0.1, 1 - q * q));
    };
    const double line = a.line + (time(aliased) - time(f)) / image.line_spacing_s;
    const double sample = a.sample + (range_at(aliased) - range_at(f)) / image.sample_spacing_m;
    // an ambiguity is defocused: the migration that is not undone spreads it over some cells
    const double reach_lines = 0.5 * static_cast<double>(a.end_line - a.first_line) +
                               6 * image.azimuth_resolution_m[at] / image.azimuth_spacing_m[at];
    const double reach_samples = 0.5 * static_cast<double>(a.end_sample - a.first_sample) +
                                 6 * image.ground_range_resolution_m[at] / image.ground_range_spacing_m[at];
    return std::abs(b.line - line) <= reach_lines && std::abs(b.sample - sample) <= reach_samples;
}

/// Whether b lies on an axis through a's box and is no brighter than side lobes there: they fall with the square of the
/// distance; at 1.5 resolutions they are below -13 dB for any window.
bool is_side_lobe(const IntensityImage &image, const DetectedObject &a, const DetectedObject &b)
{
    const std::size_t at = column(image, a.sample);
    const double al = image.azimuth_spacing_m[at], as = image.ground_range_spacing_m[at];
    const double rl = image.azimuth_resolution_m[at], rs = image.ground_range_resolution_m[at];
    const double dl = std::abs(b.peak_line - a.peak_line) * al / rl,
                 ds = std::abs(b.peak_sample - a.peak_sample) * as / rs;
    const bool on_column = b.peak_sample >= static_cast<double>(a.first_sample) - rs / as &&
                           b.peak_sample <= static_cast<double>(a.end_sample - 1) + rs / as;
    const bool on_line = b.peak_line >= static_cast<double>(a.first_line) - rl / al &&
                         b.peak_line <= static_cast<double>(a.end_line - 1) + rl / al;
    if (!on_column && !on_line) return false;
    const double distance = on_column && on_line ? std::max(dl, ds) : on_column ? dl : ds;
    if (distance < 1) return false;
    const double envelope = 0.05 * std::pow(1.5 / distance, 2);  // power
    return b.peak_ratio * b.clutter < envelope * a.peak_ratio * a.clutter;
}

}  // namespace

void flag_surroundings(const HullPatch &p, View2<const std::uint8_t> land, std::int64_t lines, std::int64_t samples,
                       DetectedObject &o)
{
    o.edge |= o.first_line == 0 || o.first_sample == 0 || o.end_line == lines || o.end_sample == samples;
    for (std::int64_t i = 0; i < p.intensity.rows; ++i)
        for (std::int64_t j = 0; j < p.intensity.cols; ++j) {
            if (!(land(i, j) || std::isnan(p.intensity(i, j)))) continue;
            const std::int64_t l = p.first_line + i, s = p.first_sample + j;
            const auto gap = [](std::int64_t at, std::int64_t first, std::int64_t end) {
                return static_cast<double>(std::max<std::int64_t>({0, first - at, at - end + 1}));
            };
            const double gl = gap(l, o.first_line, o.end_line), gs = gap(s, o.first_sample, o.end_sample);
            if (land(i, j))
                o.land |= std::hypot(gl * p.azimuth_spacing_m, gs * p.ground_range_spacing_m) <= land_near_m;
            else
                o.edge |= gl <= 1 && gs <= 1;
        }
}

void flag_built_up(const IntensityImage &image, std::vector<DetectedObject> &objects)
{
    const auto gap = [](std::int64_t first, std::int64_t end, std::int64_t other_first, std::int64_t other_end) {
        return static_cast<double>(std::max<std::int64_t>({0, other_first - end + 1, first - other_end + 1}));
    };
    const auto near = [&](const DetectedObject &a, const DetectedObject &b, double metres) {
        const std::size_t at = column(image, a.sample);
        return std::hypot(gap(a.first_line, a.end_line, b.first_line, b.end_line) * image.azimuth_spacing_m[at],
                          gap(a.first_sample, a.end_sample, b.first_sample, b.end_sample) *
                              image.ground_range_spacing_m[at]) <= metres;
    };
    // everything that hangs together, each nearer than `metres` to another
    const auto groups = [&](double metres, const auto &take) {
        std::vector<std::uint8_t> seen(objects.size());
        for (std::size_t start = 0; start < objects.size(); ++start) {
            if (seen[start]) continue;
            std::vector<std::size_t> members{start};
            seen[start] = 1;
            for (std::size_t done = 0; done < members.size(); ++done)
                for (std::size_t k = 0; k < objects.size(); ++k)
                    if (!seen[k] && near(objects[members[done]], objects[k], metres)) {
                        seen[k] = 1;
                        members.push_back(k);
                    }
            take(members);
        }
    };
    groups(group_m, [&](const std::vector<std::size_t> &members) {
        if (members.size() < group_size) return;
        for (const std::size_t k : members) objects[k].land = true;
    });
    groups(beside_land_m, [&](const std::vector<std::size_t> &members) {
        bool land = false;
        for (const std::size_t k : members) land |= objects[k].land;
        for (const std::size_t k : members) objects[k].land = land;
    });
}

void flag_chained(const IntensityImage &image, const std::vector<Component> &found, const std::vector<Component> &faint,
                  const NearLand &near_land, std::vector<DetectedObject> &objects)
{
    std::vector<const Component *> all;
    for (const Component &c : found) all.push_back(&c);
    for (const Component &c : faint) all.push_back(&c);
    // by stretches of lines, so that neighbours are found without going through all
    constexpr std::int64_t stretch = 64;
    std::vector<std::vector<std::size_t>> by_line(static_cast<std::size_t>(image.lines / stretch + 1));
    for (std::size_t k = 0; k < all.size(); ++k)
        for (std::int64_t b = all[k]->first_line / stretch; b <= (all[k]->end_line - 1) / stretch; ++b)
            by_line[static_cast<std::size_t>(b)].push_back(k);
    for (std::size_t start = 0; start < objects.size(); ++start) {
        if (objects[start].land) continue;
        std::vector<std::size_t> chain{start};
        std::vector<std::size_t> seen{start};  // sorted
        bool land = false;
        for (std::size_t done = 0; done < chain.size() && !land && chain.size() < 1000; ++done) {
            const Component &a = *all[chain[done]];
            const std::size_t at = column(image, static_cast<double>(a.first_sample));
            const double al = image.azimuth_spacing_m[at], as = image.ground_range_spacing_m[at];
            const auto rl = static_cast<std::int64_t>(chain_m / al) + 1,
                       rs = static_cast<std::int64_t>(chain_m / as) + 1;
            land = near_land({a.first_line - rl, a.end_line + rl}, {a.first_sample - rs, a.end_sample + rs});
            const std::int64_t b0 = std::max<std::int64_t>(0, a.first_line - rl) / stretch,
                               b1 = std::min(image.lines - 1, a.end_line + rl) / stretch;
            for (std::int64_t b = b0; b <= b1; ++b)
                for (const std::size_t k : by_line[static_cast<std::size_t>(b)]) {
                    const auto place = std::lower_bound(seen.begin(), seen.end(), k);
                    if (place != seen.end() && *place == k) continue;
                    if (!are_near(a, *all[k], al, as, chain_m)) continue;
                    seen.insert(place, k);
                    chain.push_back(k);
                }
        }
        objects[start].land = land;
    }
}

void flag_ghosts(const IntensityImage &image, std::vector<DetectedObject> &objects)
{
    const bool ambiguities = image.prf_hz > 0 && image.carrier_hz > 0 && image.effective_velocity_m_per_s > 0;
    for (DetectedObject &b : objects)
        for (const DetectedObject &a : objects) {
            if (&a == &b) continue;
            // ambiguities of a ship are 15 dB and more below it with any antenna made for imaging
            if (ambiguities && b.energy_m2 < 0.05 * a.energy_m2)
                for (const int n : {-2, -1, 1, 2}) b.azimuth_ambiguity |= is_ambiguity(image, a, b, n);
            b.side_lobe |= is_side_lobe(image, a, b);
        }
}

void locate(const IntensityImage &image, DetectedObject &o)
{
    if (image.orbit.empty()) return;
    const Orbit orbit(image.orbit);
    const auto place = [&](double line, double sample) {
        return ecef_to_geodetic(radar_to_ecef(orbit,
                                              {image.first_line_time_s + line * image.line_spacing_s,
                                               image.first_slant_range_m + sample * image.sample_spacing_m},
                                              image.terrain_height_m, image.look_side));
    };
    o.place = place(o.line, o.sample);
    if (!o.axis_known) return;
    // the axis as two points 50 m apart on the ground
    const std::size_t at = column(image, o.sample);
    const double dl = 25 * std::cos(o.axis_deg / degrees) / image.azimuth_spacing_m[at],
                 ds = 25 * std::sin(o.axis_deg / degrees) / image.ground_range_spacing_m[at];
    const Geodetic a = place(o.line - dl, o.sample - ds), b = place(o.line + dl, o.sample + ds);
    const double north = b.latitude_deg - a.latitude_deg,
                 east = std::remainder(b.longitude_deg - a.longitude_deg, 360.0) *
                        std::cos(o.place->latitude_deg / degrees);
    const double heading = std::fmod(std::atan2(east, north) * degrees + 360, 180.0);
    o.heading_deg = heading;
}

}  // namespace sidelook
