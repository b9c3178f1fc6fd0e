// Physics of the CFAR test ratio, a pixel and a window at a time, for host and device. The tiling is in
// cfar_kernels.cpp and cfar.cu.
//
// Training values are rounded to multiples of one power of two, at least 2^-40 of the largest of them. A sum of up to
// 65 x 65 of them then fits the 53 bits of a double, and a 64-bit integer: every partial sum is exact, so that windows
// may be summed in any order, running or not, and give the same bits. Nothing else here depends on the compiler either:
// products that an addition follows are exact, fused with it or not, and divisions are IEEE's.
#pragma once

#include <cfloat>
#include <cmath>

#include "core/host_device.h"

namespace sidelook
{
namespace
{

constexpr int cfar_cell = 16;           // side of a cell of the clutter map (pixels)
constexpr int cfar_fraction_bits = 40;  // 2 log2(65) = 12.05 more make 53

/// Whether a pixel is an echo: zero, negative, infinite and NaN stand for none.
SIDELOOK_HD inline bool cfar_valid(float x) { return (x > 0.0f) & (x <= FLT_MAX); }

/// Multiples of `quantum` nearest to x >= 0. From 2^23 quanta on a float is one already; adding and taking away
/// 1.5 x 2^23 quanta rounds what is smaller.
SIDELOOK_HD inline float cfar_round(float x, float quantum)
{
    const float magic = 12582912.0f * quantum;
    const float rounded = (x + magic) - magic;
    return x < 8388608.0f * quantum ? rounded : x;
}

/// What a pixel adds to the training sums: itself, or the clutter's level there where it is brighter than `clip` and
/// so hardly clutter. 0 where there is no echo; cfar_valid says whether it counts.
SIDELOOK_HD inline float cfar_training(float x, float clip, float level, float quantum)
{
    const float kept = x <= clip ? x : level;
    return cfar_valid(x) ? cfar_round(kept, quantum) : 0.0f;
}

/// The test ratio: pixel over the mean of its training ring, over the threshold. NaN without an echo or with fewer than
/// `least` training values. Products and quotients only: there is nothing to fuse.
SIDELOOK_HD inline float cfar_ratio(float x, float ring_sum, float ring_count, float least, float threshold)
{
    const float mean = ring_sum / ring_count;
    const float ratio = x / (mean * threshold);
    return cfar_valid(x) & (ring_count >= least) & (mean > 0.0f) ? ratio : NAN;
}

}  // namespace
}  // namespace sidelook
