#include "backproject/backproject.h"

#include <algorithm>
#include <cmath>

#include "core/threads.h"

namespace sidelook
{
namespace
{

constexpr double pi = 3.14159265358979323846;
constexpr double c0 = speed_of_light_m_per_s;
constexpr double least_pattern = 0.1;  // held at -20 dB, as azimuth_compress does

double inverse_pattern(double x)
{
    const double y = pi * x, sinc = std::abs(y) < 1e-6 ? 1 : std::sin(y) / y;
    return 1 / std::max(sinc * sinc, least_pattern);
}

/// Dopplers that pixels of the scene are seen at: the centroid's extremes over window and record, and half the band.
std::pair<double, double> dopplers(const Scene &scene)
{
    const Acquisition &a = scene.acquisition();
    std::pair<double, double> out{1e99, -1e99};
    for (int i = 0; i <= 16; ++i) {
        const double delay = a.first_sample_delay_s + static_cast<double>(a.samples * i) / (16 * a.sample_rate_hz);
        for (const double end : {0.0, 1.0}) {
            const double sent = a.first_pulse_time_s + end * static_cast<double>(a.pulses) / a.prf_hz;
            const double f = scene.centroid_hz(delay, sent);
            out = {std::min(out.first, f), std::max(out.second, f)};
        }
    }
    return {out.first - scene.half_band_hz(), out.second + scene.half_band_hz()};
}

}  // namespace

Parabolas::Parabolas(double first, double last, const std::function<double(double)> &f)
    : first_(first), step_((last - first) / (knots - 1))
{
    for (int i = 0; i < knots; ++i) {
        const double x = first + i * step_, low = f(x - 0.5 * step_), at = f(x), high = f(x + 0.5 * step_);
        knots_.push_back({at, (high - low) / step_, 2 * (high + low - 2 * at) / (step_ * step_)});
    }
}

void Parabolas::at(double x, double (&out)[3]) const
{
    const double place = std::clamp(std::rint((x - first_) / step_), 0.0, knots - 1.0),
                 d = x - (first_ + place * step_);
    const auto &k = knots_[static_cast<std::size_t>(place)];
    out[0] = k[0] + d * (k[1] + d * k[2]);
    out[1] = k[1] + 2 * d * k[2];
    out[2] = k[2];
}

Backproject::Backproject(const Scene &scene, View2<const double> points, int threads)
    : scene_(scene), blocks_(scene, points, threads), compress_(scene, dopplers(scene).first, dopplers(scene).second),
      window_(-scene.half_band_hz(), scene.half_band_hz(),
              [&](double f) { return scene.options().azimuth_window(2 * f / scene.grid().doppler_bandwidth_hz); }),
      equaliser_(-1, 1, inverse_pattern)
{
    const Acquisition &a = scene.acquisition();
    scales_.samples_a_cycle = static_cast<float>(compress_.sample_rate_hz() / a.carrier_hz);
    scales_.samples_a_hz = static_cast<float>(compress_.sample_rate_hz() / a.chirp_rate_hz_per_s);
    scales_.half_band_hz = static_cast<float>(0.5 * scene.grid().doppler_bandwidth_hz);
    scales_.inverse_roll_off_s = static_cast<float>(1 / scene.roll_off_hz());
    if (scene.options().equalise_antenna && !a.antenna.frames.empty())
        equaliser_scale_ = a.antenna.azimuth_length_m * a.carrier_hz / c0;

    const std::int64_t rows = (blocks_.lines() + blocks_.block_lines() - 1) / blocks_.block_lines();
    row_pulses_.resize(static_cast<std::size_t>(rows));
    parallel_for(rows, threads, [&](std::int64_t row, int) {
        // Between blocks of the grid the ends are smooth in range; points may lie anywhere.
        const std::int64_t last = blocks_.columns() - 1,
                           step = points.rows > 0 ? 1 : std::max<std::int64_t>(1, last / 8);
        double first = 1e18, end = -1e18;
        for (std::int64_t column = 0;; column = std::min(column + step, last)) {
            const PixelBlock b = blocks_.outline(row, column);
            if (b.seen) {
                first = std::min(first, b.first_pulse);
                end = std::max(end, b.last_pulse);
            }
            if (column == last) break;
        }
        const double margin = 8, limit = static_cast<double>(a.pulses);
        Interval &pulses = row_pulses_[static_cast<std::size_t>(row)];
        if (first <= end)
            pulses = {static_cast<std::int64_t>(std::clamp(first - margin, 0.0, limit)),
                      static_cast<std::int64_t>(std::clamp(end + margin, 0.0, limit))};
    });
    // Both ends must grow with the lines; rows that no pulse sees take their neighbours'.
    std::int64_t end = 0;
    for (Interval &r : row_pulses_) r.end = end = std::max(end, r.end);
    std::int64_t first = a.pulses;
    for (auto r = row_pulses_.rbegin(); r != row_pulses_.rend(); ++r) {
        if (r->first < r->end) first = std::min(first, r->first);
        r->first = std::min(first, r->end);
    }
}

Interval Backproject::reach(Interval out) const
{
    const std::int64_t n = blocks_.block_lines(), last = static_cast<std::int64_t>(row_pulses_.size()) - 1;
    return {row_pulses_[static_cast<std::size_t>(std::clamp<std::int64_t>(out.first / n, 0, last))].first,
            row_pulses_[static_cast<std::size_t>(std::clamp<std::int64_t>((out.end - 1) / n, 0, last))].end};
}

std::int64_t Backproject::shared_samples(std::int64_t blocks) const
{
    return blocks * block_floats / 2 + pulse_group * compress_.banks() * compress_.samples();
}

std::int64_t Backproject::workspace_bytes(std::int64_t out_lines, int threads) const
{
    const std::int64_t rows = (out_lines + blocks_.block_lines() - 1) / blocks_.block_lines() + 1;
    const std::int64_t blocks = rows * blocks_.columns();
    return (shared_samples(blocks) + threads * compress_.workspace_samples()) * static_cast<std::int64_t>(sizeof(c64)) +
           blocks * static_cast<std::int64_t>(sizeof(PixelBlock));
}

double Backproject::pixel_pulses() const
{
    double sum = 0;
    for (std::size_t row = 0; row < row_pulses_.size(); ++row) {
        const PixelBlock b = blocks_.outline(static_cast<std::int64_t>(row), blocks_.columns() / 2);
        const double pulses =
            std::min(b.last_pulse, static_cast<double>(scene_.acquisition().pulses)) - std::max(b.first_pulse, 0.0);
        const auto first = static_cast<std::int64_t>(row) * blocks_.block_lines();
        const std::int64_t lines = std::min<std::int64_t>(blocks_.block_lines(), blocks_.lines() - first);
        // The margin by which a block's ends exceed a pixel's is not counted.
        const double share = scene_.half_band_hz() / (scene_.half_band_hz() + b.extent_hz);
        if (b.seen && pulses > 0) sum += share * pulses * static_cast<double>(lines * blocks_.samples());
    }
    return sum;
}

int Backproject::terms(const PixelBlock &b, const PulseTracks<pulse_group> &tracks, Interval pulses, std::int64_t group,
                       const c64 *lines, PulseTerms *out) const
{
    const Acquisition &a = scene_.acquisition();
    const std::int64_t first = std::max(pulses.first, static_cast<std::int64_t>(std::floor(b.first_pulse))),
                       end = std::min(pulses.end, static_cast<std::int64_t>(std::ceil(b.last_pulse)) + 1);
    GroupSights sights;
    SIDELOOK_DISPATCH(sights, tracks, b.centre_m, sights);
    const double wavenumber = a.carrier_hz / c0, rate = a.chirp_rate_hz_per_s, fine = compress_.sample_rate_hz();
    const double reference_hz = compress_.bank_doppler_hz(b.bank);
    const double roll = 0.5 * scene_.roll_off_hz(), half_band = 0.5 * scene_.grid().doppler_bandwidth_hz;
    int count = 0;
    for (std::int64_t pulse = std::max(first, group); pulse < std::min(end, group + pulse_group); ++pulse) {
        const auto i = static_cast<std::size_t>(pulse - group);
        const Sight s = sights.at(i);
        const double doppler = a.carrier_hz * s.doppler_rate, offset = doppler - b.centroid_hz;
        if (std::abs(offset) - b.extent_hz >= half_band + roll) continue;
        // The line was compressed for the bank's Doppler: off it the echo lies earlier and has another phase.
        const double off_bank = doppler - reference_hz;
        const double delay = s.delay_s - off_bank / rate;
        const double cycles =
            a.carrier_hz * (s.delay_s - b.delay_s) + off_bank * (reference_hz + 0.5 * off_bank) / rate;
        const Vec3 slope = wavenumber * (s.slope - b.slope), bend = wavenumber * s.doppler_slope;

        const double place = (delay - compress_.first_delay_s()) * fine;
        const double slack = 2 + (norm(slope) * b.radius_m / a.carrier_hz + b.extent_hz / std::abs(rate)) * fine;
        const auto low = static_cast<std::int64_t>(std::floor(place + b.first_delay_s * fine - slack));
        if (low < 1 || place + b.last_delay_s * fine + slack + 3 > static_cast<double>(compress_.samples())) continue;

        double window[3], pattern[3] = {1, 0, 0};
        window_.at(offset, window);
        if (equaliser_scale_ > 0) {
            equaliser_.at(equaliser_scale_ * s.off_axis, pattern);
            // From the argument of the antenna's sinc to Doppler: both go with the angle along the track.
            const double a_hz =
                equaliser_scale_ /
                (2 * wavenumber *
                 norm(Vec3{tracks.send_velocity[0][i], tracks.send_velocity[1][i], tracks.send_velocity[2][i]}));
            pattern[1] *= a_hz;
            pattern[2] *= a_hz * a_hz;
        }
        PulseTerms &t = out[count++];
        t.line = lines + static_cast<std::int64_t>(i) * compress_.samples() + low - 1;
        t.slope_x = static_cast<float>(slope.x);
        t.slope_y = static_cast<float>(slope.y);
        t.slope_z = static_cast<float>(slope.z);
        t.inverse_range = static_cast<float>(s.inverse_range_per_m);
        t.bend = static_cast<float>(s.inverse_range_per_m / (4 * wavenumber));
        t.stretch = static_cast<float>(wavenumber * (s.inverse_range_per_m - b.inverse_range_per_m));
        t.cycles = static_cast<float>(cycles - std::rint(cycles));
        t.delay = static_cast<float>(place - static_cast<double>(low));
        t.doppler_x = static_cast<float>(bend.x);
        t.doppler_y = static_cast<float>(bend.y);
        t.doppler_z = static_cast<float>(bend.z);
        t.offset_hz = static_cast<float>(offset);
        t.weight[0] = static_cast<float>(window[0] * pattern[0]);
        t.weight[1] = static_cast<float>(window[1] * pattern[0] + window[0] * pattern[1]);
        t.weight[2] = static_cast<float>(window[2] * pattern[0] + window[1] * pattern[1] + window[0] * pattern[2]);
        t.edge = std::abs(offset) + b.extent_hz > half_band - roll;
    }
    return count;
}

void Backproject::compute(View2<const c64> in, Interval in_lines, View2<c64> out, Interval out_lines, int threads,
                          Workspace &workspace) const
{
    const Acquisition &a = scene_.acquisition();
    const int n = blocks_.block_lines();
    const std::int64_t first_row = out_lines.first / n, rows = (out_lines.end + n - 1) / n - first_row,
                       columns = blocks_.columns(), count = rows * columns;
    const std::int64_t shared = shared_samples(count);
    const std::int64_t block_space = (count * static_cast<std::int64_t>(sizeof(PixelBlock)) + 63) / 64 * 8;
    auto *const base =
        reinterpret_cast<float *>(workspace.get(0, shared + block_space + compress_.workspace_samples()));
    c64 *const lines = reinterpret_cast<c64 *>(base + count * block_floats);
    auto *const blocks = reinterpret_cast<PixelBlock *>(lines + pulse_group * compress_.banks() * compress_.samples());
    c64 *const own = lines + pulse_group * compress_.banks() * compress_.samples() + block_space;

    parallel_for(count, threads, [&](std::int64_t k, int) {
        blocks[k] =
            blocks_.prepare(first_row + k / columns, k % columns, compress_.sample_rate_hz(), base + k * block_floats);
    });
    const Interval pulses = intersection(in_lines, {0, a.pulses});
    Interval used{pulses.end, pulses.first};
    for (std::int64_t k = 0; k < count; ++k) {
        if (!blocks[k].seen) continue;
        used.first = std::min(used.first, static_cast<std::int64_t>(std::floor(blocks[k].first_pulse)));
        used.end = std::max(used.end, static_cast<std::int64_t>(std::ceil(blocks[k].last_pulse)) + 1);
    }
    used = intersection(used, pulses);

    PulseTracks<pulse_group> tracks;
    tracks.typical_s = blocks_.typical_way_s();
    std::vector<char> needed(static_cast<std::size_t>(compress_.banks()));
    for (std::int64_t group = used.first / pulse_group * pulse_group; group < used.end; group += pulse_group) {
        for (int i = 0; i < pulse_group; ++i) {
            const double sent = a.first_pulse_time_s + static_cast<double>(group + i) / a.prf_hz;
            set_track(tracks, i, blocks_.orbit(), blocks_.azimuth_axis(sent + tracks.typical_s), sent);
        }
        std::fill(needed.begin(), needed.end(), 0);
        const auto in_group = [&](const PixelBlock &b) {
            return b.seen && b.last_pulse >= static_cast<double>(group - 1) &&
                   b.first_pulse <= static_cast<double>(group + pulse_group);
        };
        for (std::int64_t k = 0; k < count; ++k) {
            if (!in_group(blocks[k])) continue;
            const Sight s = sight(tracks, pulse_group / 2, blocks[k].centre_m);
            blocks[k].bank = compress_.bank_of(a.carrier_hz * s.doppler_rate);
            needed[static_cast<std::size_t>(blocks[k].bank)] = 1;
        }
        constexpr std::int64_t batch = PulseCompress::batch, batches = pulse_group / batch;
        parallel_for(batches * compress_.banks(), threads, [&](std::int64_t job, int worker) {
            const std::int64_t bank = job / batches, from = group + job % batches * batch;
            const Interval there = intersection({from, from + batch}, used);
            if (!needed[static_cast<std::size_t>(bank)] || there.size() == 0) return;
            // The batch begins at `from` always, so that a line's place in it does not depend on the call.
            c64 *const scratch = worker == 0 ? own : workspace.get(worker, compress_.workspace_samples());
            c64 *const to = lines + (bank * pulse_group + (there.first - group)) * compress_.samples();
            compress_.compress({&in(there.first - in_lines.first, 0), there.size(), in.cols, in.stride},
                               static_cast<int>(bank), {to, there.size(), compress_.samples()}, scratch);
        });
        parallel_for(count, threads, [&](std::int64_t k, int) {
            if (!in_group(blocks[k])) return;
            PulseTerms pulse_terms[pulse_group];
            const int found = terms(blocks[k], tracks, pulses, group,
                                    lines + blocks[k].bank * pulse_group * compress_.samples(), pulse_terms);
            SIDELOOK_DISPATCH(accumulate, PixelBlocks::planes(base + k * block_floats), n, pulse_terms, found, scales_);
        });
    }

    parallel_for(count, threads, [&](std::int64_t k, int) {
        float *const block = base + k * block_floats;
        const PixelPlanes planes = PixelBlocks::planes(block);
        const float *const re = PixelBlocks::factor(block), *const im = re + block_pixels;
        const std::int64_t line0 = (first_row + k / columns) * n, sample0 = k % columns * block_samples;
        const std::int64_t width = std::min<std::int64_t>(block_samples, blocks_.samples() - sample0);
        for (std::int64_t line = std::max(line0, out_lines.first); line < std::min(line0 + n, out_lines.end); ++line)
            for (std::int64_t j = 0; j < width; ++j) {
                const std::int64_t p = (line - line0) * block_samples + j;
                out(line - out_lines.first, sample0 + j) = {planes.re[p] * re[p] - planes.im[p] * im[p],
                                                            planes.re[p] * im[p] + planes.im[p] * re[p]};
            }
    });
}

}  // namespace sidelook
