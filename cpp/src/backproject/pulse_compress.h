// Range compression for backprojection: a pulse's echoes -> compressed samples fine enough for cubic B-splines, target
// peaks at the delay of their pulse's centre, unit echo amplitude -> unit peak.
//
// A line sees each target at its own Doppler f, and the inverse of the chirp's spectrum, P((F - f) / (1 - d')), is
// right for one. So a line is compressed for several references f_b, the banks, close enough that what is left at the
// middle between two of them, a change of the chirp's rate and of its spectrum's ripples, is below `residual`; the
// linear part, a delay of -(f - f_b)/K, is undone where the line is read.
#pragma once

#include <vector>

#include "core/stage.h"
#include "focus/scene.h"

namespace sidelook
{

class PulseCompress
{
public:
    static constexpr std::int64_t batch = 8;  ///< lines transformed together: the vectors of any instruction set
    static constexpr double residual =
        1.2e-4;  ///< at the band's edge, in rad or relative: -80 dB rms and less in the image

    /// For targets whose absolute Doppler lies within lowest..highest.
    PulseCompress(const Scene &scene, double lowest_hz, double highest_hz);

    int banks() const { return static_cast<int>(filters_.size()); }
    double bank_doppler_hz(int bank) const { return first_hz_ + bank * spacing_hz_; }
    /// The bank whose reference is nearest.
    int bank_of(double doppler_hz) const;

    std::int64_t samples() const { return samples_; }  ///< of a fine line
    double first_delay_s() const { return first_delay_s_; }
    double sample_rate_hz() const { return sample_rate_hz_; }

    std::int64_t workspace_samples() const { return batch * (fft_in_ + fft_out_ + 32); }
    /// Compresses up to `batch` lines for one bank into rows of B-spline coefficients (a sixth of the usual, which
    /// saves the weights a factor).
    void compress(View2<const c64> echoes, int bank, View2<c64> out, c64 *workspace) const;

private:
    double first_hz_ = 0, spacing_hz_ = 0;
    std::int64_t samples_ = 0, skip_ = 0, fft_in_ = 0, fft_out_ = 0, half_ = 0;
    double first_delay_s_ = 0, sample_rate_hz_ = 0;
    std::vector<std::vector<c64>> filters_;
};

}  // namespace sidelook
