// The inner loops of focusing, compiled for each instruction set. All of them work on whole chunks of 16 complex
// samples: there are no scalar tails, so a sample's arithmetic does not depend on where a block begins or ends.
#pragma once

#include "core/isa.h"
#include "focus/range_bin.h"
#include "sidelook/view.h"

namespace sidelook
{

constexpr int chunk_samples = 16;
constexpr int max_order = 4;

/// What a chunk of 16 outputs needs: position and quadratic phase at its begin and end, amplitude and phase.
struct ChunkPlan {
    const c64 *taps = nullptr;    ///< first tap of the first output
    std::int64_t tap_stride = 0;  ///< complex samples from one tap to the next
    float fraction[2] = {};   ///< position less its lane and whole tap, at lanes 0 and 16; -0.5 to 1.5, linear between
    float beta[2] = {};       ///< quadratic phase at the band's edge (rad), the same lanes
    float cycles[3] = {};     ///< phase = cycles[0] + cycles[1] lane + cycles[2] lane^2
    float amplitude[2] = {};  ///< amplitude = amplitude[0] + amplitude[1] lane
};

SIDELOOK_FOR_EACH_ISA(
    /// out[lane] = amplitude e^{j 2 pi phase} sum over k of weight(k, lane) taps[k tap_stride + lane], lane = 0..15.
    /// The weights are polynomials of degree `order` (0 to max_order) over the lanes, through the exact ones at the
    /// Chebyshev nodes of the lanes. Taps whose response turns by `turn` rad over 16 lanes err by up to
    /// turn^(n+1) / (2, 16, 192, 3072, 61440) for degree n.
    void resample_chunks(const float *table, const ChunkPlan *plans, c64 *const *out, std::int64_t chunks, int order,
                         bool quadratic);
    /// row[i] *= filter[i].
    void multiply_row(c64 *row, const c64 *filter, std::int64_t n);
    /// row[i] *= e^{j 2 pi (first + i turns_a_sample)}.
    void turn_row(c64 *row, std::int64_t n, Turns first, Turns turns_a_sample);
    /// out(c, r) = in(r, c); both may be padded. Rows and columns need not be multiples of anything.
    void transpose(View2<const c64> in, View2<c64> out);)

}  // namespace sidelook
