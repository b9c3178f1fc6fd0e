// simulate_exact: the reference. Point targets, double precision, the delay solved for every sample.
// in: acquisition, platform, targets; out: echoes [pulse][sample] c64.
#include <algorithm>
#include <cmath>
#include <vector>

#include "core/threads.h"
#include "simulate/check.h"
#include "simulate/motion.h"

namespace sidelook::simulate
{

namespace
{

constexpr double c = speed_of_light_m_per_s;

/// Instants of one echo, in seconds after the reference instant.
struct Flight {
    double reflected = 0, transmitted = 0;
};

/// Light received at `received` was at the point at `reflected` and left at `transmitted`; both by Newton's method from
/// the guess. After a step s the error left is s^2 v^2 / (2 R c) = 1e-7 s^2 seconds, so a step below 1e-7 s is the
/// last.
inline void solve(const Path &path, const Point &point, double received, Flight &f)
{
    const Vec3 at_reception = path.position(received);
    Vec3 at_reflection{};
    for (int i = 0; i < 8; ++i) {
        at_reflection = point.position(f.reflected);
        const Vec3 d = at_reflection - at_reception;
        const double range = norm(d);
        const double step = (range - c * (received - f.reflected)) / (c + dot(d, point.velocity(f.reflected)) / range);
        f.reflected -= step;
        if (std::abs(step) < 1e-7) break;
    }
    at_reflection = point.position(f.reflected);
    for (int i = 0; i < 8; ++i) {
        const Vec3 d = path.position(f.transmitted) - at_reflection;
        const double range = norm(d);
        const double step =
            (range - c * (f.reflected - f.transmitted)) / (c + dot(d, path.velocity(f.transmitted)) / range);
        f.transmitted -= step;
        if (std::abs(step) < 1e-7) break;
    }
}

}  // namespace

void simulate_exact(const Acquisition &acq, const Platform &platform, const std::vector<Target> &targets,
                    const EchoOptions &options, View2<c64> out)
{
    check_echo_request(acq, options, out);
    check_targets(targets);
    const double pri = 1.0 / acq.prf_hz, half = 0.5 * acq.chirp_duration_s, fs = acq.sample_rate_hz;
    const double first = acq.first_sample_delay_s, last = first + static_cast<double>(acq.samples - 1) / fs;
    earth_fixed_state(platform, acq.first_pulse_time_s);  // refuses a bad platform before any thread starts

    parallel_for(acq.pulses, options.threads, [&](std::int64_t line, int) {
        // Every time below is counted from the line's own pulse, so that nothing is lost to the seconds of the epoch.
        const double line_time = acq.first_pulse_time_s + static_cast<double>(line) * pri;
        const Path path(platform, line_time);
        std::vector<std::complex<double>> sum(static_cast<std::size_t>(acq.samples));
        for (const Target &target : targets) {
            const Point point(target, line_time);
            const double middle = 0.5 * (first + last);
            const double guess = norm(point.p - path.r) / c;
            Flight f{middle - guess, middle - 2 * guess};
            solve(path, point, middle, f);
            const double delay = middle - f.transmitted;
            // The beam is evaluated exactly at the first and the last reflection of the window and runs linearly in
            // between: the curvature left out is (L/lambda) (v/R)^2 t^2/8, below 1e-8 for a window of a millisecond.
            const double t0 = f.reflected - 0.5 * (last - first), t1 = f.reflected + 0.5 * (last - first);
            const BeamPosition b0 = beam_position(platform, acq.antenna, acq.carrier_hz, target, line_time + t0);
            const BeamPosition b1 = beam_position(platform, acq.antenna, acq.carrier_hz, target, line_time + t1);
            const double span = t1 > t0 ? t1 - t0 : 1.0;
            const double azimuth_rate = (b1.azimuth - b0.azimuth) / span,
                         elevation_rate = (b1.elevation - b0.elevation) / span;
            const double farthest = std::min(std::max(std::abs(b0.azimuth), std::abs(b0.elevation)),
                                             std::max(std::abs(b1.azimuth), std::abs(b1.elevation)));
            if (options.beam_limit > 0 && farthest > options.beam_limit + 1e-3) continue;
            // Pulses m (0: this line's own) whose echo overlaps the window; 1e-6 s covers the delay's drift in it.
            const double m0 = std::ceil((first - delay - half - 1e-6) / pri),
                         m1 = std::floor((last - delay + half + 1e-6) / pri);
            for (double m = m0; m <= m1; m += 1) {
                const double centre = m * pri;
                const double begin = std::floor((centre + delay - half - 1e-6 - first) * fs);
                const double end = std::ceil((centre + delay + half + 1e-6 - first) * fs);
                const std::int64_t j0 = std::max<std::int64_t>(0, static_cast<std::int64_t>(begin));
                const std::int64_t j1 = std::min<std::int64_t>(acq.samples - 1, static_cast<std::int64_t>(end));
                for (std::int64_t j = j0; j <= j1; ++j) {
                    const double received = first + static_cast<double>(j) / fs;
                    f = {received - 0.5 * delay, received - delay};  // off by the delay's drift in the window, 1e-10 s
                    solve(path, point, received, f);
                    const double u = f.transmitted - centre;
                    const double gate = envelope(u, half, options.pulse_edge_s);
                    if (gate == 0) continue;
                    const double d = received - f.transmitted;
                    const double azimuth = b0.azimuth + azimuth_rate * (f.reflected - t0);
                    const double elevation = b0.elevation + elevation_rate * (f.reflected - t0);
                    if (options.beam_limit > 0 &&
                        std::max(std::abs(azimuth), std::abs(elevation)) >= options.beam_limit)
                        continue;
                    const double one_way = sinc(azimuth) * sinc(elevation);
                    double gain = gate * one_way * one_way;
                    if (options.reference_range_m > 0) {
                        const double ratio = options.reference_range_m / (0.5 * c * d);
                        gain *= ratio * ratio;
                    }
                    double cycles = 0.5 * acq.chirp_rate_hz_per_s * u * u - acq.carrier_hz * d;
                    cycles -= std::round(cycles);
                    sum[static_cast<std::size_t>(j)] += target.amplitude * std::polar(gain, 2 * pi * cycles);
                }
            }
        }
        c64 *row = out.row(line);
        for (std::int64_t j = 0; j < acq.samples; ++j) row[j] = static_cast<c64>(sum[static_cast<std::size_t>(j)]);
    });
}

}  // namespace sidelook::simulate
