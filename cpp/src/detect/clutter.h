// How clutter is distributed, and how that is found out from the ratios of pixels to their training rings.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <vector>

#include "sidelook/detect.h"

namespace sidelook
{

/// Probability that intensity exceeds t under the K distribution of this mean, looks L and order nu: the gamma law of
/// the speckle averaged over the gamma law of the texture (Ward, Electronics Letters 17, 1981; Oliver & Quegan,
/// "Understanding Synthetic Aperture Radar Images", 1998, chapter 5). order above 1e4: no texture, gamma clutter.
double k_exceedance(double t, double mean, double looks, double order);

/// Regularised upper incomplete gamma function Q(a, x): Abramowitz & Stegun 6.5.29 (series) and 6.5.31 (fraction).
double gamma_q(double a, double x);

/// Counts of ratios from 0.25 to 256, eight bins an octave, and how many ratios there were in all.
constexpr int ratio_bins = 80;
struct RatioHistogram {
    std::array<std::uint32_t, ratio_bins> bin{};
    std::uint64_t all = 0;
    static double edge(int k);
    /// Negative or beyond the last for ratios outside: the exponent and the first three digits of the fraction.
    static int place(float ratio)
    {
        std::uint32_t bits;
        std::memcpy(&bits, &ratio, sizeof bits);
        return static_cast<int>(bits >> 20) - (125 << 3);
    }
};

/// Fits the tail of a histogram. nominal_looks is what the image's metadata say.
ClutterFit fit_clutter(const RatioHistogram &histogram, Clutter clutter, double nominal_looks);

/// The ratio that this share of the clutter's pixels exceeds.
double clutter_threshold(const ClutterFit &fit, double false_alarm_rate);

}  // namespace sidelook
