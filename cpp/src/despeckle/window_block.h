// The pixels around a chunk of a line, copied together; what is missing is -1, which no pixel is. Only for files of
// sidelook_isa_sources.
#pragma once

#include <algorithm>

#include "core/simd.h"
#include "despeckle/filter_strip.h"

namespace sidelook
{
namespace
{

/// [window][stride] values: row k is line - window / 2 + k, column 0 is the sample `half` before the chunk.
struct WindowBlock {
    float *values = nullptr;
    std::int64_t stride = 0;
    const float *at(std::int64_t row, std::int64_t column) const { return values + row * stride + column; }
    static std::int64_t stride_for(std::int64_t columns, int window)
    {
        return (columns + window - 1 + 2 * simd_width) / 16 * 16 + 16;
    }
};

/// Fills the block for `columns` pixels from `first` on of a line; returns whether nothing is missing.
inline bool take_block(const FilterStrip &s, std::int64_t line, std::int64_t first, std::int64_t columns,
                       const WindowBlock &block)
{
    const int half = s.window / 2;
    const std::int64_t wide = columns + s.window - 1, sample = first - half;
    const std::int64_t begin = std::clamp<std::int64_t>(-sample, 0, wide),
                       end = std::clamp<std::int64_t>(s.in.cols - sample, begin, wide);
    bool whole = begin == 0 && end == wide;
    for (std::int64_t k = 0; k < s.window; ++k) {
        const std::int64_t from = line - half + k;
        float *__restrict to = block.values + k * block.stride;
        if (from < s.in_lines.first || from >= s.in_lines.end) {
            std::fill(to, to + block.stride, -1.0f);
            whole = false;
            continue;
        }
        std::fill(to, to + begin, -1.0f);
        std::fill(to + end, to + block.stride, -1.0f);
        const float *__restrict x = s.in.row(from - s.in_lines.first) + sample;
        const float nodata = s.nodata;
        int gone = 0;
#pragma GCC ivdep
        for (std::int64_t j = begin; j < end; ++j) {
            const bool good = (x[j] == x[j]) & (x[j] != nodata);
            to[j] = good ? x[j] + 0.0f : -1.0f;  // -0 becomes 0
            gone |= !good;
        }
        whole = whole && gone == 0;
    }
    return whole;
}

}  // namespace
}  // namespace sidelook
