// A 16-tap kernel that shifts a band-limited signal by a fraction of a sample and, at the same time, multiplies its
// spectrum by a small quadratic phase: y(t) has the spectrum X(w) e^{j w shift} e^{j beta (w/w_edge)^2}. Range
// migration with residual secondary range compression, and the drift of azimuth position and focus along a block, are
// both this operation. The taps are the least-squares solution over the signal's own band, for each power of beta
// apart:
//   e^{j beta x^2} = sum over n of (j beta)^n / n! * x^{2n}, five terms, so |beta| <= 0.8 leaves less than 3e-3 at the
//   edge.
#pragma once

#include <vector>

namespace sidelook
{

constexpr int resampler_taps = 16;
constexpr int resampler_terms = 5;
constexpr int resampler_steps = 256;  // table entries a sample, joined linearly
constexpr double resampler_max_beta = 0.8;

/// Taps k = 0..15 weigh the samples at floor(position) - 7 + k.
class Resampler
{
public:
    /// `band` is the half width of the signal's spectrum in cycles a sample, below 0.5.
    explicit Resampler(double band);

    /// Entry [step][term][tap] for fraction step/steps - 1/2, step = 0..2 steps: fractions -0.5 to 1.5.
    const float *table() const { return table_.data(); }
    double band() const { return band_; }
    /// Largest error of the response over the band and over fractions 0..1, without quadratic phase.
    double worst_error() const { return worst_error_; }

private:
    double band_;
    double worst_error_ = 0;
    std::vector<float> table_;
};

}  // namespace sidelook
