#include "focus/azimuth_compress.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/fft.h"
#include "core/memory.h"
#include "core/threads.h"
#include "focus/kernels.h"

namespace sidelook
{
namespace
{

constexpr double pi = 3.14159265358979323846;
constexpr double c0 = speed_of_light_m_per_s;
constexpr int nodes = 5;           // ranges of a tile at which the physics is solved; a quartic joins them
constexpr std::int64_t lead = 24;  // image lines kept before the first output line, for the taps and the drift

/// A quartic in y = (sample - middle) / half_width of a tile.
struct Quartic {
    double c[nodes];
    double operator()(double y) const { return c[0] + y * (c[1] + y * (c[2] + y * (c[3] + y * c[4]))); }
};

/// Through values at y = -1, -1/2, 0, 1/2, 1.
Quartic quartic(const double (&v)[nodes])
{
    const double s1 = 0.5 * (v[3] - v[1]), s2 = 0.5 * (v[4] - v[0]), a1 = 0.5 * (v[3] + v[1]) - v[2],
                 a2 = 0.5 * (v[4] + v[0]) - v[2];
    // odd: c1 y + c3 y^3; even: c2 y^2 + c4 y^4
    const double c3 = (s2 - 2 * s1) * 4 / 3, c1 = s2 - c3;
    const double c4 = (a2 - 4 * a1) * 4 / 3, c2 = a2 - c4;
    return {{v[2], c1, c2, c3, c4}};
}

/// Degree that holds the taps' change over 16 lanes to 1e-3 at the band's edge (see kernels.h).
int lane_order(double turn) { return turn < 2e-3 ? 0 : turn < 0.126 ? 1 : turn < 0.57 ? 2 : turn < 1.32 ? 3 : 4; }
constexpr double max_turn = 2.28;  // beyond it not even degree 4 does

double node_place(int i) { return -1 + 0.5 * i; }

}  // namespace

/// Everything about one tile of one block, solved in double.
struct AzimuthCompress::Tile {
    Interval samples, lines;
    double middle_sample, half_width;
    double reference_s;            // zero-Doppler time of the block's middle
    double image_start_s;          // zero-Doppler time of image sample 0
    double band_centre_hz;         // Doppler at the middle of the transform's band: a multiple of 16 bins
    std::int64_t first_bin;        // natural index of the lowest Doppler's bin
    std::int64_t first_pulse;      // of the transform
    std::int64_t first_row, rows;  // compressed samples the tile reads
    std::int64_t chunk0, chunk1;   // chunks of 16 bins that hold the processed band, Doppler ascending
    double turn;                   // of the taps' response at the band's edge (rad) over a chunk of 16 Dopplers
    bool quadratic;
    std::vector<Quartic> position, cycles, amplitude, beta;  // at knots chunk0-1 .. chunk1+1, every 16 bins
    // Drift over zero-Doppler time x = (t - reference_s) / half_time_s, a quadratic for each node: cycles, seconds,
    // cycles/Hz^2
    double half_time_s;
    Quartic drift_cycles[2], drift_s[2], drift_focus[2];  // coefficients of x and x^2
};

AzimuthCompress::AzimuthCompress(const Scene &scene, const CompressedGrid &in, Interval out, std::int64_t block_lines)
    : scene_(scene), in_(in), out_(out), block_lines_(block_lines), range_taps_(in.band),
      azimuth_taps_(
          std::min(0.49, (scene.half_band_hz() + 0.02 * scene.acquisition().prf_hz) / scene.acquisition().prf_hz))
{
    // Transform length: the block, the aperture of any target in it, room for the filter's decay and the image's taps.
    const Acquisition &a = scene.acquisition();
    double aperture = 0;
    std::int64_t rows = 0;
    const Interval ends[] = {{out.first, std::min(out.end, out.first + tile_samples)},
                             {std::max(out.first, out.end - tile_samples), out.end}};
    for (const double line : {0.0, static_cast<double>(scene.grid().lines - 1)})
        for (const std::int64_t sample : {out.first, out.end - 1}) {
            const auto ap = scene.aperture(
                scene.model().target(scene.line_time_s(line), scene.slant_range_m(static_cast<double>(sample))));
            aperture = std::max(aperture, ap.last_pulse - ap.first_pulse);
        }
    const double rate = 2 * scene.half_band_hz() * a.prf_hz / aperture;
    // The filter decays beyond its aperture within a few Fresnel zones (1/sqrt(rate) s): five leave less than 1e-6 of
    // its energy.
    const auto guard = static_cast<std::int64_t>(std::ceil(2.5 * a.prf_hz / std::sqrt(rate)));
    overlap_ = static_cast<std::int64_t>(std::ceil(aperture)) + 2 * guard + 2 * lead;
    std::vector<Tile> tiles;
    for (double needed = static_cast<double>(block_lines + overlap_);;) {
        for (fft_ = fft::good_length(static_cast<std::int64_t>(needed)); fft_ % 32 != 0;)
            fft_ = fft::good_length(fft_ + 1);
        tiles.clear();
        double turn = 0;
        for (const Interval &samples : ends)
            for (const std::int64_t first :
                 {std::int64_t{0}, std::max<std::int64_t>(0, scene.grid().lines - block_lines)}) {
                tiles.push_back(plan_tile(samples, {first, std::min(first + block_lines, scene.grid().lines)}));
                turn = std::max(turn, tiles.back().turn);
            }
        if (turn <= max_turn) break;
        // Under squint a short transform's bins are so far apart that migration outruns the taps' polynomials.
        needed = std::max(needed + 32, static_cast<double>(fft_) * turn / max_turn);
    }
    for (const Tile &tile : tiles) {
        rows = std::max(rows, tile.rows);
        for (const auto &q : tile.beta)
            for (int i = 0; i < nodes; ++i) worst_beta_ = std::max(worst_beta_, std::abs(q(node_place(i))));
        for (int i = 0; i < nodes; ++i)
            for (const double x : {-1.0, 1.0}) {
                const double y = node_place(i), edge = azimuth_taps_.band() * a.prf_hz;
                block_beta_ = std::max(block_beta_, std::abs(pi * edge * edge * x *
                                                             (tile.drift_focus[0](y) + x * tile.drift_focus[1](y))));
            }
    }
    tile_rows_ = rows + 8;
}

AzimuthCompress::Tile AzimuthCompress::plan_tile(Interval samples, Interval lines) const
{
    const Acquisition &a = scene_.acquisition();
    const EchoModel &model = scene_.model();
    Tile t;
    t.samples = samples;
    t.lines = lines;
    t.middle_sample = 0.5 * static_cast<double>(samples.first + samples.end - 1);
    t.half_width = std::max(0.5, 0.5 * static_cast<double>(samples.size() - 1));
    t.reference_s = scene_.line_time_s(0.5 * static_cast<double>(lines.first + lines.end - 1));
    t.image_start_s = scene_.line_time_s(static_cast<double>(lines.first - lead));
    t.half_time_s = std::max(0.5 * static_cast<double>(lines.size()), 64.0) / a.prf_hz;

    const auto range = [&](int node) {
        return scene_.slant_range_m(t.middle_sample + node_place(node) * t.half_width);
    };
    EchoModel::Target target[nodes];
    EchoHistory history[nodes];
    double doppler[nodes];
    for (int i = 0; i < nodes; ++i) {
        target[i] = model.target(t.reference_s, range(i));
        doppler[i] = scene_.doppler_hz(target[i]);
    }
    // Bins: Doppler ascends from band_centre - PRF/2; the centre is a multiple of 16 bins so that chunks never straddle
    // an end.
    const double bin = a.prf_hz / static_cast<double>(fft_);
    const auto centre = static_cast<std::int64_t>(std::llround(doppler[nodes / 2] / (16 * bin))) * 16;
    t.band_centre_hz = static_cast<double>(centre) * bin;
    t.first_bin = ((centre - fft_ / 2) % fft_ + fft_) % fft_;
    double centroid_rate[nodes];
    for (int i = 0; i < nodes; ++i) {
        history[i] = scene_.history(target[i], t.band_centre_hz);
        centroid_rate[i] = stationary_point(history[i], a.carrier_hz - doppler[i], doppler[i]).doppler_rate_hz_per_s;
    }

    const auto spread =
        std::max(std::abs(doppler[0] - t.band_centre_hz), std::abs(doppler[nodes - 1] - t.band_centre_hz));
    const double reach = scene_.half_band_hz() + spread;
    const auto chunks = fft_ / chunk_samples;
    t.chunk0 = std::clamp<std::int64_t>(static_cast<std::int64_t>(std::floor((0.5 * a.prf_hz - reach) / (16 * bin))), 0,
                                        chunks);
    t.chunk1 = std::clamp<std::int64_t>(static_cast<std::int64_t>(std::ceil((0.5 * a.prf_hz + reach) / (16 * bin))), 0,
                                        chunks);

    // The transform's pulses are centred on those that the beam sends to the block's middle.
    const auto mid = stationary_point(history[nodes / 2], a.carrier_hz - t.band_centre_hz, t.band_centre_hz);
    const double sent = (mid.time_s - mid.delay_s - a.first_pulse_time_s) * a.prf_hz;
    t.first_pulse = static_cast<std::int64_t>(std::llround(sent)) - fft_ / 2;
    const double first_pulse_s = a.first_pulse_time_s + static_cast<double>(t.first_pulse) / a.prf_hz;

    const double gain = a.prf_hz / (static_cast<double>(fft_) * scene_.azimuth_weight_integral_hz());
    const double edge_hz = in_.band * in_.sample_rate_hz;
    const bool equalise = scene_.options().equalise_antenna;
    double low = 1e18, high = -1e18, step = 0, largest = 0;
    double guess[nodes] = {};
    std::vector<double> previous(nodes, 0);
    for (std::int64_t knot = t.chunk0 - 1; knot <= t.chunk1 + 1; ++knot) {
        const double f = t.band_centre_hz - 0.5 * a.prf_hz + static_cast<double>(16 * knot) * bin;
        double position[nodes], cycles[nodes], amplitude[nodes], beta[nodes];
        for (int i = 0; i < nodes; ++i) {
            const auto p = stationary_point(history[i], a.carrier_hz - f, f, guess[i]);
            guess[i] = (p.time_s - history[i].time_s) / history[i].scale_s;
            // The reference chirp shift is in the range filter; the rest moves the peak by -(f - f_ref)/K, with its
            // phase.
            const double fr = in_.reference_doppler_hz;
            const double pulse = (p.time_s - p.delay_s - a.first_pulse_time_s) * a.prf_hz;
            position[i] =
                (p.delay_s - (f - fr) / a.chirp_rate_hz_per_s - in_.first_delay_s - scene_.line_delay_s(pulse)) *
                in_.sample_rate_hz;
            // Cycles that undo: the stationary phase (and its 1/8 cycle), the chirp's (f^2 - fr^2)/2K, the pulses'
            // start; and that set the image's first sample to image_start_s.
            cycles[i] = p.cycles + 0.125 + 0.5 * (f * f - fr * fr) / a.chirp_rate_hz_per_s - f * first_pulse_s +
                        (f - t.band_centre_hz) * (t.image_start_s - t.reference_s);
            beta[i] = -pi * (p.curvature - in_.reference_curvature) * edge_hz * edge_hz;
            double pattern = equalise ? model.azimuth_pattern(target[i], p.time_s) : 1;
            // More than 20 dB below the beam's centre there is nothing but noise to raise.
            pattern = std::max(pattern, 0.1);
            // The spectrum's amplitude is 1/sqrt(rate); the image gets 1/rate, what a sum over equal pulses has
            // (backprojection).
            amplitude[i] = gain * centroid_rate[i] / std::sqrt(p.doppler_rate_hz_per_s) / a.prf_hz *
                           scene_.azimuth_weight(f - doppler[i]) / pattern;
            low = std::min(low, position[i]);
            high = std::max(high, position[i]);
            largest = std::max(largest, std::abs(beta[i]));
            if (knot >= t.chunk0) step = std::max(step, std::abs(position[i] - previous[i]));
            previous[i] = position[i];
        }
        t.position.push_back(quartic(position));
        t.cycles.push_back(quartic(cycles));
        t.amplitude.push_back(quartic(amplitude));
        t.beta.push_back(quartic(beta));
    }
    t.first_row = static_cast<std::int64_t>(std::floor(low)) - 8;
    t.rows = static_cast<std::int64_t>(std::ceil(high)) + 10 - t.first_row;
    t.turn = 2 * pi * in_.band * step;
    t.quadratic = largest > 2e-4;

    // Drift: how cycles(f) of a target at zero-Doppler time t differ from those of the reference moved by t -
    // reference_s.
    double linear[3][nodes] = {}, square[3][nodes] = {};
    if (!model.azimuth_invariant()) {
        const double fb = t.band_centre_hz, nu = a.carrier_hz - fb;
        const auto terms = [&](const EchoHistory &h, double out[3]) {
            const auto p = stationary_point(h, nu, fb);
            const double slope = 1 + fb / nu;  // 1 - d'
            out[0] = p.cycles;
            out[1] = p.time_s - p.delay_s;
            out[2] = -slope * slope / p.doppler_rate_hz_per_s;
        };
        for (int i = 0; i < nodes; ++i) {
            double base[3], before[3], after[3];
            terms(history[i], base);
            terms(scene_.history(model.target(t.reference_s - t.half_time_s, range(i)), fb), before);
            terms(scene_.history(model.target(t.reference_s + t.half_time_s, range(i)), fb), after);
            const double moved[3] = {fb * t.half_time_s, t.half_time_s, 0};
            for (int n = 0; n < 3; ++n) {
                const double plus = after[n] - base[n] - moved[n], minus = before[n] - base[n] + moved[n];
                linear[n][i] = 0.5 * (plus - minus);
                square[n][i] = 0.5 * (plus + minus);
            }
        }
    }
    Quartic *drifts[3] = {t.drift_cycles, t.drift_s, t.drift_focus};
    for (int n = 0; n < 3; ++n) {
        drifts[n][0] = quartic(linear[n]);
        drifts[n][1] = quartic(square[n]);
    }
    return t;
}

Interval AzimuthCompress::tile_pulses(const Tile &tile, std::int64_t lines) const
{
    const std::int64_t used = std::min(fft_, lines + overlap_);
    return {tile.first_pulse + (fft_ - used) / 2, tile.first_pulse + (fft_ - used) / 2 + used};
}

Interval AzimuthCompress::reach(Interval lines) const
{
    // The beam's passage moves monotonically over range within a strip, up to a few pulses: probe it at both ends and
    // between.
    Interval all{std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()};
    const Acquisition &a = scene_.acquisition();
    const double t0 = scene_.line_time_s(0.5 * static_cast<double>(lines.first + lines.end - 1));
    const std::int64_t used = std::min(fft_, lines.size() + overlap_);
    for (int i = 0; i <= 4; ++i) {
        const double sample = static_cast<double>(out_.first) + 0.25 * i * static_cast<double>(out_.size() - 1);
        const auto target = scene_.model().target(t0, scene_.slant_range_m(sample));
        const double f = scene_.doppler_hz(target);
        const auto h = scene_.history(target, f);
        const auto sent =
            static_cast<std::int64_t>(std::llround((h.time_s - h.at(0).delay_s - a.first_pulse_time_s) * a.prf_hz));
        // 16 bins of Doppler, by which the transform's centre may differ from the centroid, and rounding.
        const auto slack =
            static_cast<std::int64_t>(std::ceil(8 * a.prf_hz / static_cast<double>(fft_) *
                                                static_cast<double>(overlap_) / (2 * scene_.half_band_hz()))) +
            8;
        all.first = std::min(all.first, sent - used / 2 - slack);
        all.end = std::max(all.end, sent + used / 2 + slack);
    }
    return {std::clamp<std::int64_t>(all.first, 0, a.pulses), std::clamp<std::int64_t>(all.end, 0, a.pulses)};
}

std::int64_t AzimuthCompress::workspace_bytes(std::int64_t out_lines, int threads) const
{
    const std::int64_t padded = fft_ + chunk_samples;
    return threads * static_cast<std::int64_t>(sizeof(c64)) *
           ((tile_rows_ + tile_samples) * padded + tile_samples * (out_lines + 32));
}

void AzimuthCompress::load(const Tile &tile, View2<const c64> in, Interval in_lines, View2<c64> block) const
{
    const Interval pulses = tile_pulses(tile, tile.lines.size());
    const Interval have{std::max(pulses.first, in_lines.first), std::min(pulses.end, in_lines.end)};
    const Interval cols{std::max<std::int64_t>(0, tile.first_row), std::min(in_.samples, tile.first_row + tile.rows)};
    // Rows outside the compressed line and pulses outside the record count as silent.
    for (std::int64_t r = 0; r < block.rows; ++r) {
        const std::int64_t col = tile.first_row + r;
        const bool held = have.size() > 0 && col >= cols.first && col < cols.end;
        c64 *row = block.row(r);
        std::fill(row, row + (held ? have.first - tile.first_pulse : fft_), c64{});
        if (held) std::fill(row + (have.end - tile.first_pulse), row + fft_, c64{});
    }
    if (have.size() <= 0 || cols.size() <= 0) return;
    const View2<const c64> from(&in(have.first - in_lines.first, cols.first), have.size(), cols.size(), in.stride);
    const View2<c64> to(&block(cols.first - tile.first_row, have.first - tile.first_pulse), cols.size(), have.size(),
                        block.stride);
    SIDELOOK_DISPATCH(transpose, from, to);
}

void AzimuthCompress::migrate(const Tile &tile, View2<const c64> block, View2<c64> image) const
{
    // Eight chunks (128 Dopplers) at a time, all ranges: the 16 rows of taps then stay in the first cache.
    constexpr std::int64_t group = 8;
    const std::int64_t chunks = fft_ / chunk_samples;
    ChunkPlan plans[group];
    c64 *out[group];
    for (std::int64_t r = 0; r < image.rows; ++r) {  // bins outside the processed band
        const auto clear = [&](std::int64_t c) {
            c64 *p = image.row(r) + (c * chunk_samples + fft_ / 2) % fft_;
            std::fill(p, p + chunk_samples, c64{});
        };
        for (std::int64_t c = 0; c < tile.chunk0; ++c) clear(c);
        for (std::int64_t c = tile.chunk1; c < chunks; ++c) clear(c);
    }
    for (std::int64_t g = tile.chunk0; g < tile.chunk1; g += group) {
        const std::int64_t n = std::min(group, tile.chunk1 - g);
        for (std::int64_t r = 0; r < image.rows; ++r) {
            const double y = (static_cast<double>(tile.samples.first + r) - tile.middle_sample) / tile.half_width;
            const auto knot = [&](const std::vector<Quartic> &q, std::int64_t c) {
                return q[static_cast<std::size_t>(c - tile.chunk0 + 1)](y);
            };
            double cycles[group + 2], position[group + 1], amplitude[group + 1], beta[group + 1];
            for (std::int64_t i = 0; i < n + 2; ++i) cycles[i] = knot(tile.cycles, g - 1 + i);
            for (std::int64_t i = 0; i < n + 1; ++i) {
                position[i] = knot(tile.position, g + i);
                amplitude[i] = knot(tile.amplitude, g + i);
                beta[i] = knot(tile.beta, g + i);
            }
            for (std::int64_t i = 0; i < n; ++i) {
                ChunkPlan &p = plans[i];
                const double middle = 0.5 * (position[i] + position[i + 1]), whole = std::floor(middle);
                p.taps = block.row(static_cast<std::int64_t>(whole) - 7 - tile.first_row) +
                         ((g + i) * chunk_samples + tile.first_bin) % fft_;
                p.tap_stride = block.stride;
                p.fraction[0] = static_cast<float>(position[i] - whole);
                p.fraction[1] = static_cast<float>(position[i + 1] - whole);
                p.beta[0] = static_cast<float>(beta[i]);
                p.beta[1] = static_cast<float>(beta[i + 1]);
                p.amplitude[0] = static_cast<float>(amplitude[i]);
                p.amplitude[1] = static_cast<float>((amplitude[i + 1] - amplitude[i]) / 16);
                // Quadratic through three knots: what it leaves is the third difference, below 1e-6 cycle.
                const double before = cycles[i], here = cycles[i + 1], next = cycles[i + 2];
                p.cycles[0] = static_cast<float>(here - std::rint(here));
                p.cycles[1] = static_cast<float>((next - before) / 32);
                p.cycles[2] = static_cast<float>((next - 2 * here + before) / 512);
                out[i] = image.row(r) + ((g + i) * chunk_samples + fft_ / 2) % fft_;
            }
            SIDELOOK_DISPATCH(resample_chunks, range_taps_.table(), plans, out, n, lane_order(tile.turn),
                              tile.quadratic);
        }
    }
}

void AzimuthCompress::finish(const Tile &tile, View2<const c64> image, View2<c64> lines, View2<c64> out,
                             Interval out_lines) const
{
    const Acquisition &a = scene_.acquisition();
    const std::int64_t chunks = (out_lines.size() + chunk_samples - 1) / chunk_samples;
    const double edge_hz = azimuth_taps_.band() * a.prf_hz, fb = tile.band_centre_hz;
    const bool quadratic = block_beta_ > 2e-4;
    std::vector<ChunkPlan> plans(static_cast<std::size_t>(chunks));
    std::vector<c64 *> to(static_cast<std::size_t>(chunks));
    const float nan = std::numeric_limits<float>::quiet_NaN();
    for (std::int64_t r = 0; r < image.rows; ++r) {
        const std::int64_t sample = tile.samples.first + r;
        const double y = (static_cast<double>(sample) - tile.middle_sample) / tile.half_width;
        const double range_cycles = -2 * a.carrier_hz * scene_.slant_range_m(static_cast<double>(sample)) / c0;
        double c[2], s[2], q[2];
        for (int n = 0; n < 2; ++n)
            c[n] = tile.drift_cycles[n](y), s[n] = tile.drift_s[n](y), q[n] = tile.drift_focus[n](y);
        double slope = 0;
        for (std::int64_t k = 0; k < chunks; ++k) {
            ChunkPlan &p = plans[static_cast<std::size_t>(k)];
            double cycles[3], position[3];
            for (int i = 0; i < 3; ++i) {
                const std::int64_t line = out_lines.first + k * chunk_samples + 8 * i;
                const double dt = scene_.line_time_s(static_cast<double>(line)) - tile.reference_s,
                             x = dt / tile.half_time_s;
                position[i] = static_cast<double>(line - tile.lines.first + lead) + x * (s[0] + x * s[1]) * a.prf_hz;
                cycles[i] = range_cycles + fb * dt + x * (c[0] + x * c[1]);
                p.beta[i / 2] = static_cast<float>(pi * edge_hz * edge_hz * x * (q[0] + x * q[1]));
            }
            const double whole = std::floor(position[1]) - 8;  // lane 8 is the middle: lane 0's tap lies 8 before
            p.fraction[0] = static_cast<float>(position[0] - whole);
            p.fraction[1] = static_cast<float>(position[2] - whole - 16);
            slope = std::max(slope, std::abs(position[2] - position[0] - 16));
            p.taps = image.row(r) + static_cast<std::int64_t>(whole) - 7;
            p.tap_stride = 1;
            p.amplitude[0] = 1;
            p.amplitude[1] = 0;
            p.cycles[0] = static_cast<float>(cycles[0] - std::rint(cycles[0]));
            // The carrier turns by whole and part cycles a lane; only the part matters, the rest would cost digits.
            const double a2 = (cycles[2] - 2 * cycles[1] + cycles[0]) / 128, a1 = (cycles[1] - cycles[0]) / 8 - 8 * a2;
            p.cycles[1] = static_cast<float>(a1 - std::rint(a1));
            p.cycles[2] = static_cast<float>(a2);
            to[static_cast<std::size_t>(k)] = lines.row(r) + k * chunk_samples;
        }
        const double turn = 2 * pi * azimuth_taps_.band() * slope;
        SIDELOOK_DISPATCH(resample_chunks, azimuth_taps_.table(), plans.data(), to.data(), chunks, turn < 5e-4 ? 0 : 1,
                          quadratic);
        const auto j = static_cast<std::size_t>(sample);
        const std::int64_t first =
            std::clamp(scene_.grid().valid_first_line[j], out_lines.first, out_lines.end) - out_lines.first;
        const std::int64_t end =
            std::clamp(scene_.grid().valid_end_line[j], out_lines.first, out_lines.end) - out_lines.first;
        std::fill(lines.row(r), lines.row(r) + first, c64(nan, nan));
        std::fill(lines.row(r) + std::max(first, end), lines.row(r) + out_lines.size(), c64(nan, nan));
    }
    const View2<const c64> from(lines.data, image.rows, out_lines.size(), lines.stride);
    SIDELOOK_DISPATCH(transpose, from,
                      (View2<c64>(&out(0, tile.samples.first - out_.first), out_lines.size(), image.rows, out.stride)));
}

void AzimuthCompress::compute(View2<const c64> in, Interval in_lines, View2<c64> out, Interval out_lines, int threads,
                              Workspace &workspace) const
{
    require(out_lines.size() <= block_lines_,
            text("out_lines is ", out_lines.size(), "; must be at most the planned block, ", block_lines_));
    const std::int64_t padded = fft_ + chunk_samples, line_stride = (out_lines.size() + 31) / 16 * 16;
    const std::int64_t tiles = (out_.size() + tile_samples - 1) / tile_samples;
    const std::int64_t needed = (tile_rows_ + tile_samples) * padded + tile_samples * line_stride;
    parallel_for(tiles, threads, [&](std::int64_t index, int worker) {
        const Interval samples{out_.first + index * tile_samples,
                               std::min(out_.end, out_.first + (index + 1) * tile_samples)};
        const Tile tile = plan_tile(samples, out_lines);
        if (tile.rows > tile_rows_)
            throw Error(Code::failure,
                        text("azimuth_compress: a tile needs ", tile.rows, " rows; planned ", tile_rows_));
        c64 *memory = workspace.get(worker, needed);
        const View2<c64> block(memory, tile.rows, fft_, padded);
        const View2<c64> image(memory + tile_rows_ * padded, samples.size(), fft_, padded);
        const View2<c64> lines(memory + (tile_rows_ + tile_samples) * padded, samples.size(), line_stride, line_stride);
        load(tile, in, in_lines, block);
        fft::forward(block);
        migrate(tile, block, image);
        fft::inverse(image);
        finish(tile, image, lines, out, out_lines);
    });
}

}  // namespace sidelook
