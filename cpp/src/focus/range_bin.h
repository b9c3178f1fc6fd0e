// What range_compress does to one bin of a line's spectrum, for host and device: times the filter, times a turn of
// phase.
#pragma once

#include <cmath>
#include <cstdint>

#include "core/host_device.h"

namespace sidelook
{

/// A phase in 2^-64 of a turn. Whole turns fall off at the top, so that sums and products with bin numbers are exact
/// where a float would have lost the fraction and a device has no double precision to spare.
using Turns = std::uint64_t;

inline Turns turns_from(double cycles)
{
    return static_cast<Turns>(std::llrint(std::ldexp(cycles - std::rint(cycles), 63))) << 1;
}

/// -0.5 to 0.5; the upper half of the number is more than a float holds.
SIDELOOK_HD inline float cycles_of(Turns turns)
{
    return static_cast<float>(static_cast<std::int32_t>(turns >> 32)) * 0x1p-32f;
}

/// x times h.
SIDELOOK_HD inline void multiply_bin(float &x_re, float &x_im, float h_re, float h_im)
{
    const float re = x_re * h_re - x_im * h_im, im = x_re * h_im + x_im * h_re;
    x_re = re;
    x_im = im;
}

}  // namespace sidelook
