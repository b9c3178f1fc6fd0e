// The plan of range_compress, one for all its implementations: the compressed grid, the transforms' lengths, the
// filter, and the turn of each line's spectrum. What is done to one bin is in range_bin.h.
#pragma once

#include <vector>

#include "focus/range_bin.h"
#include "focus/scene.h"

namespace sidelook
{

/// Spectrum of the chirp, integral of p(t) e^{-j 2 pi (f - shift) t} dt at f = k step, k = -half..half, from
/// 32-fold samples; n steps are the sample rate.
std::vector<c128> chirp_spectrum(const Acquisition &acquisition, double shift_hz, double step_hz, std::int64_t n,
                                 std::int64_t half);

/// Where a strip's compressed lines lie, and the reference that the range filter has already corrected.
struct CompressedGrid {
    Interval samples_in;       ///< of the echo lines
    std::int64_t samples = 0;  ///< of a compressed line
    double first_delay_s = 0;
    double sample_rate_hz = 0;
    double reference_doppler_hz = 0;
    double reference_curvature = 0;  ///< (cycles/Hz^2) quadratic phase already removed
    double band = 0;                 ///< half width of the spectrum, cycles a compressed sample
};

class RangePlan
{
public:
    /// For output samples `out` of the scene's image.
    RangePlan(const Scene &scene, Interval out);

    const CompressedGrid &grid() const { return grid_; }
    std::int64_t fft_length() const { return fft_in_; }
    std::int64_t inverse_fft_length() const { return fft_out_; }
    /// Compressed samples before the first that is kept.
    std::int64_t skip() const { return skip_; }
    /// The filter holds bins -half()..half() of the spectrum, bin k at filter()[half() + k]; beyond is nothing.
    std::int64_t half() const { return half_; }
    const std::vector<c64> &filter() const { return filter_; }
    /// Whether any line's turn is not 0.
    bool lines_turn() const { return scene_.lines_drift(); }
    /// Mean square of a compressed sample of white noise over that of an echo sample.
    double noise_gain() const;
    /// Turn from each bin of this line to the next: an advance by the line's delay.
    Turns turns_a_bin(std::int64_t line) const;

    /// Lines that a device transforms together, enough to keep it busy; and the memory of the host that two such
    /// batches pass through, one on its way while the other is computed.
    std::int64_t device_batch() const;
    std::int64_t device_staging_bytes() const;

private:
    const Scene &scene_;
    CompressedGrid grid_;
    std::int64_t fft_in_ = 0, fft_out_ = 0, skip_ = 0, half_ = 0;
    std::vector<c64> filter_;
};

}  // namespace sidelook
