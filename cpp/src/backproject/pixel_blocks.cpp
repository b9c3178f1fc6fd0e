#include "backproject/pixel_blocks.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/text.h"
#include "core/threads.h"
#include "sidelook/error.h"

namespace sidelook
{
namespace
{

constexpr double pi = 3.14159265358979323846;
constexpr double c0 = speed_of_light_m_per_s;
constexpr double tolerance_cycles = 1e-5;  // -84 dB, at the worst pixel of the worst pulse

const Orbit &orbit_of(const Scene &scene)
{
    const std::optional<Orbit> &orbit = scene.model().orbit();
    if (!orbit) throw Error(Code::bad_input, "orbit is empty; backprojection needs one");
    return *orbit;
}

bool finite(const Vec3 &p) { return std::isfinite(p.x) && std::isfinite(p.y) && std::isfinite(p.z); }

/// Range from the orbit to a point at the instant at which it is perpendicular to the velocity, from a time near it.
struct ZeroDoppler {
    Vec3 position, velocity, acceleration;
    ZeroDoppler(const Orbit &orbit, double t) : position(orbit.position_m(t)), velocity(orbit.velocity_m_per_s(t))
    {
        const double h = 0.05;
        acceleration = (0.5 / h) * (orbit.velocity_m_per_s(t + h) - orbit.velocity_m_per_s(t - h));
    }
    double range_m(const Vec3 &p) const
    {
        double t = 0;
        for (int i = 0; i < 3; ++i) {
            const Vec3 ray = p - at(t), v = velocity + t * acceleration;
            t += dot(ray, v) / (dot(v, v) - dot(ray, acceleration));
        }
        return norm(p - at(t));
    }
    Vec3 at(double t) const { return position + t * velocity + (0.5 * t * t) * acceleration; }
};

}  // namespace

PixelBlocks::PixelBlocks(const Scene &scene, View2<const double> points, int threads)
    : scene_(scene), orbit_(orbit_of(scene)), points_(points)
{
    const bool given = points.rows > 0;
    lines_ = given ? points.rows : scene.grid().lines;
    samples_ = given ? points.cols / 3 : scene.grid().samples;

    // The largest block that the expansion holds. Over the aperture the line of sight turns by up to `turn` either way.
    // What is left out of a pulse's delay less the reference's, all relative to the block's radius r at range R: the
    // cubic term, turn r^3 / R^2 at most; and the Doppler's change, linear in place, whose error moves nothing but the
    // weights, by r / R of themselves. In single precision a sum of up to turn r 2 / wavelength cycles keeps 2^-23.
    const Acquisition &a = scene.acquisition();
    const double wavelength = c0 / a.carrier_hz, range = c0 * typical_way_s();
    const double speed = norm(orbit_.velocity_m_per_s(scene.middle_pulse_s()));
    const double turn = std::min(1.0, scene.half_band_hz() * wavelength / (2 * speed));
    const auto left_out = [&](double r) {
        return (2 * turn * r * r * r / (range * range) + 2 * turn * r * std::ldexp(1, -22)) / wavelength;
    };
    for (;; block_lines_ /= 2) {
        const double r = farthest(block_lines_, threads);
        if (left_out(r) <= tolerance_cycles) break;
        require(block_lines_ > 1,
                text(given ? "points has" : "the grid has", " ", block_samples, " neighbours that lie up to ", r,
                     " m from their middle; the phase over them would err by ", left_out(r), " cycles, more than ",
                     tolerance_cycles));
    }
}

double PixelBlocks::typical_way_s() const
{
    const Acquisition &a = scene_.acquisition();
    return 0.5 * (a.first_sample_delay_s + 0.5 * static_cast<double>(a.samples) / a.sample_rate_hz);
}

double PixelBlocks::farthest(int lines, int threads) const
{
    const std::int64_t rows = (lines_ + lines - 1) / lines;
    if (points_.rows == 0) {  // the grid's blocks are alike: the nearest is the largest on the ground
        const auto at = [&](int i, int j) {
            return radar_to_ecef(orbit_, {scene_.line_time_s(i), scene_.slant_range_m(j)},
                                 scene_.acquisition().terrain_height_m, scene_.acquisition().look_side);
        };
        return 0.5 * std::max(norm(at(lines, block_samples) - at(0, 0)), norm(at(lines, 0) - at(0, block_samples)));
    }
    std::vector<double> worst(static_cast<std::size_t>(rows), 0.0);
    parallel_for(rows, threads, [&](std::int64_t row, int) {
        for (std::int64_t column = 0; column < columns(); ++column) {
            Vec3 low{1e99, 1e99, 1e99}, high{-1e99, -1e99, -1e99};
            const std::int64_t end = std::min(lines_, (row + 1) * lines),
                               stop = std::min(samples_, (column + 1) * block_samples);
            for (std::int64_t i = row * lines; i < end; ++i)
                for (std::int64_t j = column * block_samples; j < stop; ++j) {
                    const double *p = &points_(i, 3 * j);
                    if (!finite({p[0], p[1], p[2]})) continue;
                    low = {std::min(low.x, p[0]), std::min(low.y, p[1]), std::min(low.z, p[2])};
                    high = {std::max(high.x, p[0]), std::max(high.y, p[1]), std::max(high.z, p[2])};
                }
            if (low.x <= high.x) {
                double &w = worst[static_cast<std::size_t>(row)];
                w = std::max(w, 0.5 * norm(high - low));
            }
        }
    });
    return worst.empty() ? 0 : *std::max_element(worst.begin(), worst.end());
}

PixelPlanes PixelBlocks::planes(float *base)
{
    const auto plane = [base](int k) { return base + k * block_pixels; };
    return {plane(0), plane(1), plane(2), plane(3), plane(4), plane(5), plane(6), plane(7), plane(8)};
}

Vec3 PixelBlocks::azimuth_axis(double time_s) const
{
    if (scene_.acquisition().antenna.frames.empty()) return {};
    return scene_.model().frame(time_s).azimuth_axis;
}

void PixelBlocks::place(std::int64_t block_row, std::int64_t column, Place &out) const
{
    const std::int64_t line0 = block_row * block_lines_, sample0 = column * block_samples;
    const auto n = static_cast<std::size_t>(block_lines_ * block_samples);
    if (points_.rows > 0) {
        for (std::size_t k = 0; k < n; ++k) {
            const std::int64_t i = line0 + static_cast<std::int64_t>(k) / block_samples,
                               j = sample0 + static_cast<std::int64_t>(k) % block_samples;
            const double *p = i < lines_ && j < samples_ ? &points_(i, 3 * j) : nullptr;
            if (p) out.points[k] = {p[0], p[1], p[2]};
            out.inside[k] = p && finite(out.points[k]);
            out.any = out.any || out.inside[k];
        }
        return;
    }
    // Through 3 x 3 exact places by quadratics: over a block the ground is that smooth, to 1e-7 m.
    const double middle_line = static_cast<double>(line0) + 0.5 * (block_lines_ - 1),
                 half_lines = std::max(1.0, 0.5 * (block_lines_ - 1));
    const double middle_sample = static_cast<double>(sample0) + 0.5 * (block_samples - 1),
                 half_samples = 0.5 * (block_samples - 1);
    Vec3 node[3][3];
    for (int i = 0; i < 3; ++i)
        for (int j = 0; j < 3; ++j)
            node[i][j] = radar_to_ecef(orbit_,
                                       {scene_.line_time_s(middle_line + (i - 1) * half_lines),
                                        scene_.slant_range_m(middle_sample + (j - 1) * half_samples)},
                                       scene_.acquisition().terrain_height_m, scene_.acquisition().look_side);
    const auto quadratic = [](const Vec3 &a, const Vec3 &b, const Vec3 &c, double x) {
        return b + (0.5 * x) * (c - a) + (0.5 * x * x) * (a + c - 2.0 * b);
    };
    const SlcGrid &grid = scene_.grid();
    for (int j = 0; j < block_samples; ++j) {
        const double x = (j - 0.5 * (block_samples - 1)) / half_samples;
        Vec3 across[3];
        for (int i = 0; i < 3; ++i) across[i] = quadratic(node[i][0], node[i][1], node[i][2], x);
        for (int i = 0; i < block_lines_; ++i) {
            const auto k = static_cast<std::size_t>(i * block_samples + j);
            out.points[k] = quadratic(across[0], across[1], across[2], (i - 0.5 * (block_lines_ - 1)) / half_lines);
            const auto u = static_cast<std::size_t>(sample0 + j);
            out.inside[k] =
                sample0 + j < samples_ && line0 + i >= grid.valid_first_line[u] && line0 + i < grid.valid_end_line[u];
            out.any = out.any || out.inside[k];
        }
    }
    out.zero_doppler_s = scene_.line_time_s(middle_line);
}

Sight PixelBlocks::seen(const Vec3 &p, double sent_s) const
{
    PulseTracks<1> track;
    track.typical_s = typical_way_s();
    set_track(track, 0, orbit_, Vec3{}, sent_s);
    return sight(track, 0, p);
}

double PixelBlocks::offset_hz(const Vec3 &p, double sent_s) const
{
    const Sight s = seen(p, sent_s);
    return scene_.acquisition().carrier_hz * s.doppler_rate - scene_.centroid_hz(s.delay_s, sent_s);
}

bool PixelBlocks::solve(const Vec3 &p, double &sent_s, double &rate) const
{
    // Newton from the middle of the record with a secant slope. The start is the same for every block, so that a
    // block's numbers do not depend on which were computed before.
    double t = scene_.middle_pulse_s();
    for (int i = 0; i < 12; ++i) {
        const double h = 0.01, off = offset_hz(p, t);
        rate = (offset_hz(p, t - h) - offset_hz(p, t + h)) / (2 * h);
        if (!(rate > 0)) return false;
        const double step = off / rate;
        t += step;
        if (!(t > orbit_.first_time_s() && t < orbit_.last_time_s())) return false;
        if (std::abs(step) < 1e-8) {
            sent_s = t;
            return true;
        }
    }
    return false;
}

double PixelBlocks::edge(const Vec3 &p, double offset, double sent_s, double rate) const
{
    double t = sent_s - offset / rate;
    for (int i = 0; i < 3; ++i) t += (offset_hz(p, t) - offset) / rate;
    return (t - scene_.acquisition().first_pulse_time_s) * scene_.acquisition().prf_hz;
}

PixelBlock PixelBlocks::outline(const Place &place, double &sent_s, double &rate) const
{
    PixelBlock b;
    const auto n = static_cast<std::size_t>(block_lines_ * block_samples);
    double count = 0;
    for (std::size_t k = 0; k < n; ++k) {
        if (points_.rows > 0 && !place.inside[k]) continue;
        b.centre_m = b.centre_m + place.points[k];
        ++count;
    }
    if (!place.any) return b;
    b.centre_m = (1 / count) * b.centre_m;
    b.seen = solve(b.centre_m, sent_s, rate);
    if (!b.seen) return b;
    const Sight s = seen(b.centre_m, sent_s);
    const Acquisition &a = scene_.acquisition();
    b.delay_s = s.delay_s;
    b.slope = s.slope;
    b.inverse_range_per_m = s.inverse_range_per_m;
    b.centroid_hz = scene_.centroid_hz(s.delay_s, sent_s);
    for (std::size_t k = 0; k < n; ++k) {
        if (points_.rows > 0 && !place.inside[k]) continue;
        const Vec3 r = place.points[k] - b.centre_m;
        b.radius_m = std::max(b.radius_m, norm(r));
        b.extent_hz = std::max(b.extent_hz, std::abs(a.carrier_hz / c0 * dot(s.doppler_slope, r)));
    }
    // The Doppler's slope changes by a few per cent over the aperture; the centroid's own slope is a tenth of it at
    // most.
    b.extent_hz *= 1.2;
    const double beside = b.extent_hz / rate * a.prf_hz;
    b.first_pulse = edge(b.centre_m, scene_.half_band_hz(), sent_s, rate) - beside;
    b.last_pulse = edge(b.centre_m, -scene_.half_band_hz(), sent_s, rate) + beside;
    return b;
}

PixelBlock PixelBlocks::outline(std::int64_t block_row, std::int64_t column) const
{
    Place at;
    place(block_row, column, at);
    double sent_s = 0, rate = 0;
    return outline(at, sent_s, rate);
}

PixelBlock PixelBlocks::prepare(std::int64_t block_row, std::int64_t column, double fine_rate_hz, float *base) const
{
    Place at;
    place(block_row, column, at);
    double sent_s = 0, rate = 0;
    PixelBlock b = outline(at, sent_s, rate);
    std::fill(base, base + block_floats, 0.0f);
    constexpr float nan = std::numeric_limits<float>::quiet_NaN();
    std::fill(factor(base), factor(base) + 2 * block_pixels, nan);
    if (!b.seen) return b;

    const Acquisition &a = scene_.acquisition();
    PulseTracks<1> track;
    track.typical_s = typical_way_s();
    set_track(track, 0, orbit_, Vec3{}, sent_s);
    const bool given = points_.rows > 0;
    if (given) at.zero_doppler_s = ecef_to_radar(orbit_, b.centre_m).zero_doppler_time_s;
    const ZeroDoppler zero(orbit_, at.zero_doppler_s);
    const double window_end = a.first_sample_delay_s + static_cast<double>(a.samples - 1) / a.sample_rate_hz;
    const double inset = (scene_.options().minimum_exposure - 0.5) * a.chirp_duration_s;
    // The exposed aperture: that of the centre, moved with each pixel's Doppler.
    const double first = b.first_pulse + b.extent_hz / rate * a.prf_hz,
                 last = b.last_pulse - b.extent_hz / rate * a.prf_hz;
    const double spare = (1 - scene_.options().minimum_exposure) * (last - first);
    const Sight first_sight = seen(b.centre_m, a.first_pulse_time_s + first / a.prf_hz),
                last_sight = seen(b.centre_m, a.first_pulse_time_s + last / a.prf_hz);

    for (int k = 0; k < block_lines_ * block_samples; ++k) {
        const auto u = static_cast<std::size_t>(k);
        if (given && !at.inside[u]) continue;
        const Vec3 r = at.points[u] - b.centre_m;
        const Sight s = sight(track, 0, at.points[u]);
        const double along = 0.5 * dot(b.slope, r), delay = s.delay_s - b.delay_s;
        const double centroid = scene_.centroid_hz(s.delay_s, sent_s) - b.centroid_hz;
        const double planes[7] = {r.x, r.y, r.z, along, dot(r, r) - along * along, delay * fine_rate_hz, centroid};
        for (int plane = 0; plane < 7; ++plane) base[plane * block_pixels + k] = static_cast<float>(planes[plane]);
        b.first_delay_s = std::min(b.first_delay_s, delay);
        b.last_delay_s = std::max(b.last_delay_s, delay);

        bool exposed = at.inside[u];
        double range = 0;
        if (given) {
            const double moved = (a.carrier_hz * s.doppler_rate - b.centroid_hz - centroid) / rate * a.prf_hz;
            exposed = exposed && first + moved >= -spare && last + moved <= static_cast<double>(a.pulses - 1) + spare;
            for (const Sight *end : {&first_sight, &last_sight}) {
                const double there = end->delay_s + dot(end->slope, r) / c0;
                exposed = exposed && there - inset >= a.first_sample_delay_s && there + inset <= window_end;
            }
            range = zero.range_m(at.points[u]);
        } else {
            range = scene_.slant_range_m(static_cast<double>(column * block_samples + k % block_samples));
        }
        if (!exposed) continue;
        // A sum over pulses is prf / rate times one over Doppler; the rate goes as 1 / range.
        const double scale =
            rate * (s.inverse_range_per_m / b.inverse_range_per_m) / (a.prf_hz * scene_.azimuth_weight_integral_hz());
        const double cycles = a.carrier_hz * (s.delay_s - 2 * range / c0);
        factor(base)[k] = static_cast<float>(scale * std::cos(2 * pi * (cycles - std::rint(cycles))));
        factor(base)[block_pixels + k] = static_cast<float>(scale * std::sin(2 * pi * (cycles - std::rint(cycles))));
    }
    return b;
}

}  // namespace sidelook
