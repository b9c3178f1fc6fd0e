#include "backproject/pulse_compress.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/fft.h"
#include "focus/kernels.h"
#include "focus/range_plan.h"

namespace sidelook
{
namespace
{

constexpr double pi = 3.14159265358979323846;
constexpr std::int64_t margin = 16;  // echo samples beside the window

/// Spectrum of the B-spline coefficients of a signal over that of the signal, w = 2 pi cycles a sample: the orthogonal
/// projection onto cubic splines (Unser, Aldroubi, Eden 1993), sinc^4 over the sum of the squares of its images.
double spline_prefilter(double w)
{
    const double s = std::abs(w) < 1e-9 ? 1 : std::sin(0.5 * w) / (0.5 * w);
    const double images = (2416 + 2382 * std::cos(w) + 240 * std::cos(2 * w) + 2 * std::cos(3 * w)) / 5040;
    return s * s * s * s / images;
}

}  // namespace

PulseCompress::PulseCompress(const Scene &scene, double lowest, double highest)
{
    const Acquisition &a = scene.acquisition();
    const double bandwidth = scene.grid().range_bandwidth_hz + scene.range_roll_off_hz();
    // Off its reference by e the chirp's rate is wrong by a relative 2 e / f0, a phase of pi (B/2)^2 / K times that at
    // the band's edge; and the spectrum's ripples, sqrt(K) wide, are moved by e.
    const double rate = std::abs(a.chirp_rate_hz_per_s);
    const double by_rate = residual * a.carrier_hz * rate / (0.5 * pi * bandwidth * bandwidth);
    const double reach = std::min(by_rate, residual * std::sqrt(rate));
    const auto count =
        std::max<std::int64_t>(1, static_cast<std::int64_t>(std::ceil((highest - lowest) / (2 * reach))));
    spacing_hz_ = (highest - lowest) / static_cast<double>(count);
    first_hz_ = lowest + 0.5 * spacing_hz_;

    // The images of a frequency f (cycles a fine sample) in a cubic spline have (f / (1 - f))^4 of its
    // amplitude: 1.5e-4 at the band's edge is -85 dB over a flat band.
    std::int64_t finer = 2;
    while (0.5 * bandwidth / (a.sample_rate_hz * static_cast<double>(finer)) > 0.0995) ++finer;
    const auto chirp = static_cast<std::int64_t>(std::ceil(a.chirp_duration_s * a.sample_rate_hz));
    fft_in_ = fft::good_length(a.samples + chirp + 2 * margin);
    while (fft::good_length(finer) != finer) ++finer;
    fft_out_ = fft_in_ * finer;
    sample_rate_hz_ = a.sample_rate_hz * static_cast<double>(finer);
    skip_ = margin * finer;
    samples_ = (a.samples + 2 * margin) * finer;
    first_delay_s_ = a.first_sample_delay_s - static_cast<double>(margin) / a.sample_rate_hz;

    const double step = a.sample_rate_hz / static_cast<double>(fft_in_);
    half_ = std::min(static_cast<std::int64_t>(std::floor(0.5 * bandwidth / step)), fft_in_ / 2 - 1);
    const double plateau = 1 / std::sqrt(rate),
                 scale = step / (6 * scene.range_weight_integral_hz() * a.sample_rate_hz);
    for (std::int64_t bank = 0; bank < count; ++bank) {
        const double doppler = bank_doppler_hz(static_cast<int>(bank)), shrink = 1 + doppler / a.carrier_hz;  // 1 - d'
        Acquisition seen = a;
        seen.chirp_rate_hz_per_s *= shrink * shrink;
        seen.chirp_duration_s /= shrink;
        const auto spectrum = chirp_spectrum(seen, doppler, step, fft_in_, half_);
        std::vector<c64> filter;
        for (std::int64_t k = -half_; k <= half_; ++k) {
            const c128 p = spectrum[static_cast<std::size_t>(k + half_)];
            // Below a quarter of the plateau there is too little signal left to restore.
            const double power = std::max(std::norm(p), plateau * plateau / 16);
            const double weight = scene.range_weight(static_cast<double>(k) * step) * scale *
                                  spline_prefilter(2 * pi * static_cast<double>(k) / static_cast<double>(fft_out_));
            filter.emplace_back(std::conj(p) * (weight / power));
        }
        filters_.push_back(std::move(filter));
    }
}

int PulseCompress::bank_of(double doppler_hz) const
{
    const double place = spacing_hz_ > 0 ? std::round((doppler_hz - first_hz_) / spacing_hz_) : 0;
    return static_cast<int>(std::clamp(place, 0.0, static_cast<double>(banks() - 1)));
}

void PulseCompress::compress(View2<const c64> echoes, int bank, View2<c64> out, c64 *workspace) const
{
    const c64 *filter = filters_[static_cast<std::size_t>(bank)].data();
    const std::int64_t stride_in = fft_in_ + 16, stride_out = fft_out_ + 16;
    const View2<c64> x(workspace, batch, fft_in_, stride_in),
        y(x.data + batch * stride_in, batch, fft_out_, stride_out);
    for (std::int64_t i = 0; i < batch; ++i) {
        // Silent lines fill the batch: the transform's vectors then hold the same lanes however lines are cut.
        const std::int64_t held = i < echoes.rows ? echoes.cols : 0;
        if (held > 0) std::memcpy(x.row(i), echoes.row(i), static_cast<std::size_t>(held) * sizeof(c64));
        std::fill(x.row(i) + held, x.row(i) + fft_in_, c64{});
    }
    fft::forward(x);
    for (std::int64_t i = 0; i < batch; ++i) {
        c64 *row = y.row(i);
        std::memcpy(row, x.row(i), static_cast<std::size_t>(half_ + 1) * sizeof(c64));
        std::memcpy(row + fft_out_ - half_, x.row(i) + fft_in_ - half_, static_cast<std::size_t>(half_) * sizeof(c64));
        std::fill(row + half_ + 1, row + fft_out_ - half_, c64{});
        SIDELOOK_DISPATCH(multiply_row, row, filter + half_, half_ + 1);
        SIDELOOK_DISPATCH(multiply_row, row + fft_out_ - half_, filter, half_);
    }
    fft::inverse(y);
    for (std::int64_t i = 0; i < out.rows; ++i) {
        // What lies before the window is at the circular line's end.
        std::memcpy(out.row(i), y.row(i) + fft_out_ - skip_, static_cast<std::size_t>(skip_) * sizeof(c64));
        std::memcpy(out.row(i) + skip_, y.row(i), static_cast<std::size_t>(samples_ - skip_) * sizeof(c64));
    }
}

}  // namespace sidelook
