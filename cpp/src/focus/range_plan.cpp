#include "focus/range_plan.h"

#include <algorithm>
#include <cmath>

#include "core/fft.h"
#include "core/memory.h"

namespace sidelook
{
namespace
{

constexpr double pi = 3.14159265358979323846;
constexpr double c0 = speed_of_light_m_per_s;

/// Output samples for every `down` input samples: the least oversampling that leaves the resampler room beside the
/// band.
struct Ratio {
    std::int64_t up, down;
};

Ratio oversampling(double band)
{
    for (const Ratio r : {Ratio{1, 1}, Ratio{9, 8}, Ratio{5, 4}, Ratio{3, 2}})
        if (band * static_cast<double>(r.down) / static_cast<double>(r.up) <= 0.77) return r;
    return {3, 2};
}

/// Transform length whose `up/down` multiple is smooth too.
std::int64_t transform_length(std::int64_t at_least, Ratio r)
{
    for (std::int64_t n = at_least;; ++n) {
        n = fft::good_length(n);
        if (n % r.down == 0 && fft::good_length(n / r.down * r.up) == n / r.down * r.up) return n;
    }
}

}  // namespace

std::vector<c128> chirp_spectrum(const Acquisition &a, double shift_hz, double step_hz, std::int64_t n,
                                 std::int64_t half)
{
    constexpr std::int64_t fine = 32;
    const double dt = 1 / (step_hz * static_cast<double>(n * fine));
    Buffer<c128> line(n * fine);
    std::fill(line.data(), line.data() + n * fine, c128{});
    // Trapezoids to the last whole step, and what is left to the pulse's very end: the end falls between samples, and
    // by it the spectrum at the band's edge, where half the pulse is missing, would err by half a per cent.
    const double half_steps = 0.5 * a.chirp_duration_s / dt;
    const auto reach = static_cast<std::int64_t>(std::floor(half_steps));
    const double rest = half_steps - static_cast<double>(reach);
    for (std::int64_t i = -reach - 1; i <= reach + 1; ++i) {
        const std::int64_t inside = reach - std::abs(i);
        const double share = inside > 0 ? 1 : inside == 0 ? 0.5 + rest * (1 - 0.5 * rest) : 0.5 * rest * rest;
        const double t = static_cast<double>(i) * dt;
        line.data()[(i + n * fine) % (n * fine)] =
            std::polar(share * dt, pi * a.chirp_rate_hz_per_s * t * t + 2 * pi * shift_hz * t);
    }
    fft::forward(View2<c128>(line.data(), 1, n * fine));
    std::vector<c128> out;
    for (std::int64_t k = -half; k <= half; ++k) out.push_back(line.data()[(k + n * fine) % (n * fine)]);
    return out;
}

RangePlan::RangePlan(const Scene &scene, Interval out) : scene_(scene)
{
    const Acquisition &a = scene.acquisition();
    const auto [reference, doppler] =
        scene.passing(scene.slant_range_m(0.5 * static_cast<double>(out.first + out.end - 1)), scene.middle_pulse_s());
    grid_.reference_doppler_hz = doppler;
    const double nu = a.carrier_hz - doppler;
    grid_.reference_curvature = stationary_point(reference, nu, doppler).curvature;

    // Delays that the strip's migration curves and the taps around them touch, over the scene's length.
    const double bandwidth = scene.grid().range_bandwidth_hz + scene.range_roll_off_hz();
    const Ratio ratio = oversampling(bandwidth / a.sample_rate_hz);
    grid_.sample_rate_hz = a.sample_rate_hz * static_cast<double>(ratio.up) / static_cast<double>(ratio.down);
    grid_.band = 0.5 * bandwidth / grid_.sample_rate_hz;
    double near = 1e9, far = 0;
    for (const double sample : {static_cast<double>(out.first), static_cast<double>(out.end - 1)}) {
        for (const double place : {0.0, 0.5, 1.0}) {
            const double pulse = place * static_cast<double>(a.pulses - 1);
            const auto [h, f] = scene.passing(scene.slant_range_m(sample), a.first_pulse_time_s + pulse / a.prf_hz);
            for (const double offset : {-scene.half_band_hz(), 0.0, scene.half_band_hz()}) {
                const double shift =
                    (f + offset - grid_.reference_doppler_hz) / a.chirp_rate_hz_per_s + scene.line_delay_s(pulse);
                const double delay = stationary_point(h, a.carrier_hz - f - offset, f + offset).delay_s - shift;
                near = std::min(near, delay);
                far = std::max(far, delay);
            }
        }
    }
    // 24 samples: the taps, and the drift of the range-to-delay relation along the orbit.
    // The inverse of the chirp's spectrum spreads an echo beyond its pulse, falling off slowly: 96 samples more of the
    // echoes are read, so that strips agree.
    const double margin = 24 / a.sample_rate_hz, pulse = 0.5 * a.chirp_duration_s + 96 / a.sample_rate_hz;
    const auto to_sample = [&](double delay) { return (delay - a.first_sample_delay_s) * a.sample_rate_hz; };
    grid_.samples_in.first = std::clamp<std::int64_t>(
        static_cast<std::int64_t>(std::floor(to_sample(near - margin - pulse))), 0, a.samples - 1);
    grid_.samples_in.end =
        std::clamp<std::int64_t>(static_cast<std::int64_t>(std::ceil(to_sample(far + margin + pulse))) + 1,
                                 grid_.samples_in.first + 1, a.samples);
    const double origin = a.first_sample_delay_s + static_cast<double>(grid_.samples_in.first) / a.sample_rate_hz;
    const auto skip = static_cast<std::int64_t>(std::floor((near - margin - origin) * grid_.sample_rate_hz));
    skip_ = std::max<std::int64_t>(0, skip);
    grid_.first_delay_s = origin + static_cast<double>(skip_) / grid_.sample_rate_hz;

    const auto chirp_samples = static_cast<std::int64_t>(std::ceil(a.chirp_duration_s * a.sample_rate_hz));
    fft_in_ = transform_length(grid_.samples_in.size() + chirp_samples, ratio);
    fft_out_ = fft_in_ / ratio.down * ratio.up;
    const auto wanted =
        static_cast<std::int64_t>(std::ceil((far + margin - grid_.first_delay_s) * grid_.sample_rate_hz)) + 1;
    grid_.samples = std::min(wanted, fft_out_ - skip_);

    // Filter: window / spectrum, times the reference's phase beyond its constant and linear part.
    const double step_hz = a.sample_rate_hz / static_cast<double>(fft_in_);
    half_ = std::min(static_cast<std::int64_t>(std::floor(0.5 * bandwidth / step_hz)), fft_in_ / 2 - 1);
    const auto chirp = chirp_spectrum(a, doppler, step_hz, fft_in_, half_);
    const double plateau = 1 / std::sqrt(std::abs(a.chirp_rate_hz_per_s));
    const auto base = stationary_point(reference, nu, doppler);
    // The image's peak is the integral of the window: a unit echo then has a unit peak whatever the transform's length.
    const double sum = scene.range_weight_integral_hz() / step_hz;
    filter_.resize(static_cast<std::size_t>(2 * half_ + 1));
    for (std::int64_t k = -half_; k <= half_; ++k) {
        const double f = static_cast<double>(k) * step_hz;
        const c128 p = chirp[static_cast<std::size_t>(k + half_)];
        // Below a quarter of the plateau there is too little signal left to restore; such bins lie outside any chirp's
        // band.
        const double power = std::max(std::norm(p), plateau * plateau / 16);
        const auto point = stationary_point(reference, nu + f, doppler);
        const double cycles = point.cycles - base.cycles - f * base.delay_s;
        // sqrt(f0/(f0+f)): with the spectrum's own 1/sqrt(f0+f) it makes what a sum over pulses has, 1/(f0+f).
        const double weight =
            scene.range_weight(f) * std::sqrt(a.carrier_hz / (a.carrier_hz + f)) / (sum * a.sample_rate_hz);
        filter_[static_cast<std::size_t>(k + half_)] =
            c64(std::conj(p) * std::polar(weight / power, 2 * pi * (cycles - std::round(cycles))));
    }
}

Turns RangePlan::turns_a_bin(std::int64_t line) const
{
    // Phase 2 pi F line_delay, F in steps of sample rate / transform length.
    return turns_from(scene_.line_delay_s(static_cast<double>(line)) * grid_.sample_rate_hz /
                      static_cast<double>(fft_out_));
}

std::int64_t RangePlan::device_batch() const { return std::clamp<std::int64_t>((1 << 20) / fft_out_, 1, 128); }

std::int64_t RangePlan::device_staging_bytes() const
{
    return 2 * device_batch() * (grid_.samples_in.size() + grid_.samples) * static_cast<std::int64_t>(sizeof(c64));
}

double RangePlan::noise_gain() const
{
    // The filter's impulse response, sampled as the input is: by Parseval the sum over its bins, which are fft_in_ to
    // the sample rate.
    double sum = 0;
    for (const c64 &h : filter_) sum += static_cast<double>(std::norm(h));
    return sum * static_cast<double>(fft_in_);
}

}  // namespace sidelook
