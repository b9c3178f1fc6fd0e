// Filters that look at every pixel of their window: median, refined Lee, improved Lee sigma; see filter_strip.h.
// in: image [line][sample] f32; out: the same. A vector holds neighbouring pixels, each with its own window.
#include <cstring>

#include "core/simd.h"
// after simd.h, whose functions of vectors it calls
#include "despeckle/despeckle_math.h"
#include "despeckle/window_block.h"

namespace sidelook
{
namespace SIDELOOK_ISA
{
namespace
{

constexpr int chunk = 128;  // columns whose windows are copied together

inline bool any(vint mask)
{
    int seen = 0;
    for (int i = 0; i < simd_width; ++i) seen |= mask[i];
    return seen != 0;
}

inline vfloat only(vint mask, vfloat x) { return (vfloat)((vint)x & mask); }
inline vfloat lesser(vfloat a, vfloat b) { return a < b ? a : b; }
inline vfloat greater(vfloat a, vfloat b) { return a > b ? a : b; }

struct Inside {
    vfloat count, mean, var;
};

/// Count, mean and variance of the values that `row(i, take)`, i = 0..rows-1, hands to `take(value, whether it
/// counts)`. It is called twice: deviations are taken from the mean itself. Rows are summed apart, which keeps rounding
/// low.
template <class Row> inline Inside moments_of(int rows, const Row &row)
{
    vfloat n = {}, sum = {}, dev = {};
    const vfloat one = splat(1.0f);
    for (int i = 0; i < rows; ++i) {
        vfloat part = {};
        row(i, [&](vfloat x, vint good) {
            part = part + only(good, x);
            n = n + only(good, one);
        });
        sum = sum + part;
    }
    const vfloat mean = sum / at_least_one(n);
    for (int i = 0; i < rows; ++i) {
        vfloat part = {};
        row(i, [&](vfloat x, vint good) {
            const vfloat d = only(good, x - mean);
            part = fma(d, d, part);
        });
        dev = dev + part;
    }
    return {n, mean, dev / at_least_one(n - one)};
}

/// Moments of the 3 x 3 values around a place.
inline Inside moments_of_nine(const WindowBlock &b, std::int64_t row, std::int64_t column)
{
    return moments_of(3, [&](int i, auto take) {
        for (int j = -1; j <= 1; ++j) {
            const vfloat x = load(b.at(row + i - 1, column + j));
            take(x, x >= vfloat{});
        }
    });
}

// ---- median --------------------------------------------------------------------------------------------------------

/// The middle one of the valid values, or the mean of the middle two. Floats that are not negative are ordered as their
/// bits are: the value whose rank is wanted is found bit by bit, by counting what lies below.
inline vfloat median(const WindowBlock &b, int window, std::int64_t x)
{
    const auto each = [&](auto take) {
        for (int i = 0; i < window; ++i)
            for (int j = 0; j < window; ++j) take((vint)load(b.at(i, x + j)));
    };
    vint missing = {}, found = {};
    each([&](vint v) { missing += v < 0; });
    const vint n = window * window + missing, rank = (n + 1) / 2;
    for (int bit = 30; bit >= 0; --bit) {
        const vint trial = found | (1 << bit);
        vint below = missing;  // -1 has the sign's bit and lies below too; `missing` is minus their number
        each([&](vint v) { below -= v < trial; });
        found = below < rank ? trial : found;
    }
    vint upto = missing, next = vint{} + 0x7fffffff;  // of an even number: the next value, unless it is the same
    each([&](vint v) {
        upto -= v <= found;
        next = (v > found) & (v < next) ? v : next;
    });
    const vfloat low = (vfloat)found, high = upto > n / 2 ? low : (vfloat)next;
    return (n & 1) != 0 ? low : low * 0.5f + high * 0.5f;
}

// ---- refined Lee ---------------------------------------------------------------------------------------------------

constexpr int refined = 7;     // side of its window
constexpr float most = 1e30f;  // squared variation of a part without a pixel: beyond all others

/// Bit d of a place of the window: whether half window d holds it. 0, 1: left and right of a vertical edge; 2, 3: above
/// and below a horizontal one; 4, 5: above and below an edge that falls to the right; 6, 7: that rises. The line of the
/// edge belongs to both halves.
constexpr int halves_of(int row, int column)
{
    const int i = row - refined / 2, j = column - refined / 2;
    return (j <= 0) | (j >= 0) << 1 | (i <= 0) << 2 | (i >= 0) << 3 | (j >= i) << 4 | (j <= i) << 5 |
           (i + j <= 0) << 6 | (i + j >= 0) << 7;
}

/// Lee (1981): the edge's direction from the means of nine 3 x 3 parts, the half of the window on the pixel's side of
/// it, and there the least mean square error. `local`: the speckle's variation is the mean of the five least of the
/// nine parts, else it is known.
template <bool local> inline vfloat refined_lee(const WindowBlock &b, std::int64_t x, vfloat value, float cu2)
{
    vfloat m[3][3], variation[9];
    for (int i = 0; i < 3; ++i)
        for (int j = 0; j < 3; ++j) {
            const Inside part = moments_of_nine(b, 1 + 2 * i, x + 1 + 2 * j);
            const vint there = part.count > 0.0f;
            m[i][j] = there ? part.mean : splat(-1.0f);
            variation[3 * i + j] = there ? squared_variation(part.mean, part.var) : splat(most);
        }
    for (int i = 0; i < 3; ++i)  // a part without a pixel says nothing of an edge
        for (int j = 0; j < 3; ++j) m[i][j] = m[i][j] >= vfloat{} ? m[i][j] : m[1][1];

    const auto magnitude = [](vfloat v) { return greater(v, -v); };
    const vfloat centre = m[1][1];
    // 1 << half window, of the one of two whose part next to the centre is more like it
    const auto nearer = [&](vfloat first, vfloat second, int half) {
        return magnitude(first - centre) <= magnitude(second - centre) ? vint{} + (1 << half)
                                                                       : vint{} + (1 << (half + 1));
    };
    vfloat steepest = magnitude((m[0][0] + m[1][0] + m[2][0]) - (m[0][2] + m[1][2] + m[2][2]));
    vint half = nearer(m[1][0], m[1][2], 0);
    const auto edge = [&](vfloat gradient, vint chosen) {
        const vint more = magnitude(gradient) > steepest;
        steepest = more ? magnitude(gradient) : steepest;
        half = more ? chosen : half;
    };
    edge((m[0][0] + m[0][1] + m[0][2]) - (m[2][0] + m[2][1] + m[2][2]), nearer(m[0][1], m[2][1], 2));
    edge((m[0][1] + m[0][2] + m[1][2]) - (m[1][0] + m[2][0] + m[2][1]), nearer(m[0][2], m[2][0], 4));
    edge((m[0][0] + m[0][1] + m[1][0]) - (m[1][2] + m[2][1] + m[2][2]), nearer(m[0][0], m[2][2], 6));

    const Inside inside = moments_of(refined, [&](int i, auto take) {
        for (int j = 0; j < refined; ++j) {
            const vfloat v = load(b.at(i, x + j));
            take(v, (v >= vfloat{}) & ((half & halves_of(i, j)) != 0));
        }
    });
    if (!local) return kuan(value, inside.mean, inside.var, cu2);

    vfloat sum = {}, n = {};
    for (int i = 0; i < 5; ++i) {  // the least of what is left moves to the front
        for (int k = 8; k > i; --k) {
            const vfloat low = lesser(variation[k - 1], variation[k]), high = greater(variation[k - 1], variation[k]);
            variation[k - 1] = low;
            variation[k] = high;
        }
        const vint good = variation[i] < most;
        sum = sum + only(good, variation[i]);
        n = n + only(good, splat(1.0f));
    }
    return kuan(value, inside.mean, inside.var, sum / at_least_one(n));
}

// ---- improved Lee sigma --------------------------------------------------------------------------------------------

/// Whether a pixel is one of more than five bright ones in the 3 x 3 around a bright pixel.
inline vint bright_target(const WindowBlock &b, int half, std::int64_t x, float bright)
{
    const auto is_bright = [&](int i, int j) { return load(b.at(half + i, x + half + j)) >= bright; };
    const vint mine = is_bright(0, 0);
    if (!any(mine)) return mine;
    vint kept = {};
    for (int i = -1; i <= 1; ++i)
        for (int j = -1; j <= 1; ++j) {
            vint n = {};
            for (int k = -1; k <= 1; ++k)
                for (int l = -1; l <= 1; ++l) n -= is_bright(i + k, j + l);
            kept |= is_bright(i, j) & (n > 5);
        }
    return mine & kept;
}

/// Lee et al. (2009): the pixel's level from its 3 x 3 neighbours, then the least mean square error over the pixels of
/// the window that lie within the sigma range of that level. Bright targets are kept.
inline vfloat lee_sigma(const WindowBlock &b, int window, std::int64_t x, vfloat value, const SpeckleNumbers &s)
{
    const int half = window / 2;
    const Inside near = moments_of_nine(b, half, x + half);
    const vfloat level = kuan(value, near.mean, near.var, s.cu2);
    const vfloat low = level * s.low, high = level * s.high;
    const Inside inside = moments_of(window, [&](int i, auto take) {
        for (int j = 0; j < window; ++j) {
            const vfloat v = load(b.at(i, x + j));
            take(v, (v >= low) & (v <= high));
        }
    });
    const vfloat y = inside.count > 0.0f ? kuan(value, inside.mean, inside.var, s.range_cu2) : value;
    return bright_target(b, half, x, s.bright) ? value : y;
}

// ---- all -----------------------------------------------------------------------------------------------------------

inline vfloat filtered(const FilterStrip &s, const WindowBlock &b, std::int64_t x, vfloat value)
{
    switch (s.filter) {
    case Filter::refined_lee: return refined_lee<false>(b, x, value, s.numbers.cu2);
    case Filter::refined_lee_local: return refined_lee<true>(b, x, value, 0);
    case Filter::lee_sigma: return lee_sigma(b, s.window, x, value, s.numbers);
    default: break;
    }
    return median(b, s.window, x);
}

/// The values' extremes on a line.
void extend(ValueRange &range, const float *in, Interval samples, float nodata)
{
    vfloat least = splat(range.least), greatest = splat(range.greatest);
    for (std::int64_t j = samples.first; j < samples.end; j += simd_width) {
        float part[simd_width] = {};
        std::memcpy(part, in + j,
                    static_cast<std::size_t>(std::min<std::int64_t>(simd_width, samples.end - j)) * sizeof(float));
        vfloat x = load(part);
        x = only((x == x) & (x != splat(nodata)), x);
        least = lesser(x, least);
        greatest = greater(x, greatest);
    }
    for (int i = 0; i < simd_width; ++i) {
        range.least = std::min(range.least, least[i]);
        range.greatest = std::max(range.greatest, greatest[i]);
    }
}

}  // namespace

std::int64_t window_strip_bytes(int window)
{
    return window * WindowBlock::stride_for(chunk, window) * static_cast<std::int64_t>(sizeof(float));
}

ValueRange window_strip(const FilterStrip &s)
{
    const WindowBlock block{reinterpret_cast<float *>(s.workspace), WindowBlock::stride_for(chunk, s.window)};
    const int half = s.window / 2;
    ValueRange range;
    for (std::int64_t line = s.lines.first; line < s.lines.end; ++line) {
        extend(range, s.in.row(line - s.in_lines.first), s.samples, s.nodata);
        for (std::int64_t first = s.samples.first; first < s.samples.end; first += chunk) {
            const std::int64_t columns = std::min<std::int64_t>(chunk, s.samples.end - first);
            take_block(s, line, first, columns, block);
            float *out = s.out.row(line - s.out_lines.first) + first;
            for (std::int64_t j = 0; j < columns; j += simd_width) {
                const vfloat value = load(block.at(half, half + j));
                const vfloat y = value >= vfloat{} ? filtered(s, block, j, value) : splat(__builtin_nanf(""));
                float part[simd_width];
                store(part, y);
                std::memcpy(out + j, part,
                            static_cast<std::size_t>(std::min<std::int64_t>(simd_width, columns - j)) * sizeof(float));
            }
        }
    }
    return range;
}

}  // namespace SIDELOOK_ISA
}  // namespace sidelook
