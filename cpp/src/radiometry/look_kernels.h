// The inner loops of radiometry, compiled for each instruction set. Pixels are summed in the order of their lines, and
// a last vector that is not full goes through the same arithmetic: results do not depend on where a block begins or
// ends.
#pragma once

#include <cstdint>

#include "core/isa.h"

namespace sidelook
{

/// What is summed of a row of floats: squares of the parts of complex samples, the parts themselves, or plain values.
enum class LookSum : int { power, complex, value };

SIDELOOK_FOR_EACH_ISA(
    /// sum[i] = sum over lines of x[line * stride + i] (or its square) as far as it is not NaN, count[i] = how many are
    /// not; a complex sample counts whole or not at all. i = 0..n-1; sum and count have room for a whole vector more.
    /// Returns whether no value is NaN; count is then not written. `lowest` becomes at most the least value.
    bool sum_lines(LookSum what, const float *x, std::int64_t stride, std::int64_t lines, std::int64_t n, float *sum,
                   float *count, float &lowest);
    /// x[i] = x[2 i] + x[2 i + 1], i = 0..n-1, in place; x has room for two whole vectors more.
    void fold_pairs(float *x, std::int64_t n);
    /// y[i] = x[i] / d, i = 0..n-1.
    void divide_row(const float *x, float *y, std::int64_t n, float d);
    /// y[i] = x[i] f[i] or x[i] / f[i]^2, less g[i], with f[i] = low[i] + t (high[i] - low[i]) and g likewise; without
    /// noise g is 0.
    void calibrate_row(const float *x, float *y, std::int64_t n, const float *low, const float *high, float t,
                       const float *noise_low, const float *noise_high, float noise_t, bool divide_by_square);)

}  // namespace sidelook
