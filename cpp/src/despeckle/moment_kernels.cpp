// Moments of a window around every pixel and the filters made of them; see filter_strip.h.
// in: image [line][sample] f32; out: the same. The arithmetic of a pixel is in despeckle_math.h.
//
// A window is joined from parts of 1, 2, 4 .. values, first along the line, then from line to line, always in the same
// order counted from the window's own end: no sum runs on from pixel to pixel, so nothing drifts, and a pixel's bits
// depend on its window alone. The moments of 2^k lines are kept in a ring for the lines to come. Where values are
// missing (NaN, beyond the image) the joins count; elsewhere the counts are known, and the bits are the same.
#include "despeckle/filter_strip.h"

#include <algorithm>
#include <cstring>
#include <vector>

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

constexpr int chunk = 128;               // columns whose ring of lines stays in the caches near the core
constexpr int lines_at_once = 8;         // lines joined along the samples before they are joined with each other
constexpr int border = 32;               // columns of the chunk at an image's border, whose windows must be counted
constexpr int slot_stride = chunk + 16;  // so that slots are not multiples of 4096 bytes apart
constexpr int most_levels = 6;           // 2^6 = 64 of 65
constexpr std::int64_t spare = 2 * chunk;

int levels_of(int window)
{
    int levels = 0;
    while (2 << levels <= window) ++levels;
    return levels;
}

/// Slots of the ring of level k: its values are needed 2^k lines later, those of the last level after the lesser parts.
int slots_of(int level, int levels, int window)
{
    if (level < levels) return 1 << level;
    int slots = 1;
    while (slots <= window - (1 << levels)) slots *= 2;
    return slots;
}

/// Constants of a window's parts of 2^k lines, and where the ring has them.
struct LevelPlan {
    int first_slot = 0, slots = 0;
    int done = -1;  // lines of the window that lesser parts hold; -1: it has no part of 2^k lines
    JoinWeights<float> doubled, added;
};

/// Moments of consecutive columns, and of how many values; `count` is not kept where nothing is missing.
struct Columns {
    float *sum = nullptr, *dev = nullptr, *count = nullptr;
    Columns at(std::int64_t i) const { return {sum + i, dev + i, count + i}; }
};

struct Memory {
    std::int64_t stride = 0;             // of the rows below
    Columns level[most_levels + 1];      // one line, joined along the samples to 2^k
    Columns line;                        // [lines_at_once][stride]: joined to the window
    Columns ring;                        // [chunk of columns][slot][chunk]
    Columns whole;                       // [chunk]: one chunk joined to the window, and its result
    float *known[most_levels + 1] = {};  // [chunk]: the counts of a level's windows where nothing is missing
    float *centre = nullptr, *result = nullptr;
    float *block = nullptr;     // of frost
    bool *line_full = nullptr;  // [lines_at_once][chunk of columns]: nothing is missing
    bool *ring_full = nullptr;  // [chunk of columns][slot]
    bool *missing = nullptr;    // [border columns of level 0]
    int slots = 0;
    LevelPlan plan[most_levels + 1];
    std::int64_t bytes = 0;

    Memory(char *base, int window, std::int64_t samples)
    {
        const std::int64_t chunks = (samples + chunk - 1) / chunk + 2;  // at most, with those at the borders
        const int levels = levels_of(window);
        stride = chunks * chunk + spare;
        for (int k = 0; k <= levels; ++k) {
            LevelPlan &p = plan[k];
            p.first_slot = slots;
            p.slots = slots_of(k, levels, window);
            slots += p.slots;
            const int lines = 1 << k, less = window & (lines - 1);
            if (k > 0 && window & lines) p.done = less;
            p.doubled = join_weights(static_cast<float>(lines * window), static_cast<float>(lines * window));
            p.added = join_weights(static_cast<float>(less * window), static_cast<float>(lines * window));
        }
        const auto take = [&](auto *&to, std::int64_t n) {
            to = reinterpret_cast<std::remove_reference_t<decltype(to)>>(base + bytes);
            bytes += (n * static_cast<std::int64_t>(sizeof *to) + 63) / 64 * 64;
        };
        const auto take_columns = [&](Columns &c, std::int64_t n) { take(c.sum, n), take(c.dev, n), take(c.count, n); };
        for (int k = 0; k <= levels; ++k) take_columns(level[k], stride + 16);  // 16: no two of them 4096 bytes apart
        take_columns(line, lines_at_once * stride);
        take_columns(ring, chunks * slots * slot_stride);
        take_columns(whole, chunk);
        for (int k = 0; k <= levels; ++k) take(known[k], chunk);
        take(centre, chunk), take(result, chunk);
        take(block, window * WindowBlock::stride_for(chunk, window));
        take(line_full, lines_at_once * chunks), take(ring_full, chunks * slots), take(missing, stride / border + 1);
    }
};

inline bool any(vint mask)
{
    int seen = 0;
    for (int i = 0; i < simd_width; ++i) seen |= mask[i];
    return seen != 0;
}

// ---- one line ------------------------------------------------------------------------------------------------------

/// Takes the line's values with the margins of the window, n of them of which begin to end - 1 lie in the image; what
/// is missing is 0. `missing` tells for each `border` of them whether something is; returns whether any is.
bool take_values(const float *in, std::int64_t begin, std::int64_t end, std::int64_t n, float nodata, float *to,
                 bool *missing, vfloat &least, vfloat &greatest)
{
    std::fill(to, to + begin, 0.0f);
    std::fill(to + end, to + n, 0.0f);
    vint gone = {};
    const vfloat none = splat(nodata);
    const auto take = [&](vfloat x) {
        const vint good = (x == x) & (x != none);
        const vfloat value = (vfloat)((vint)x & good);
        least = value < least ? value : least;
        greatest = value > greatest ? value : greatest;
        gone |= ~good;
        return value;
    };
    bool some = false;
    for (std::int64_t c = 0; c * border < n; ++c) {
        const std::int64_t first = std::max(begin, c * border), last = std::min(end, (c + 1) * border);
        std::int64_t j = first;
        gone = vint{};
        for (; j + simd_width <= last; j += simd_width) store(to + j, take(load(in + j)));
        if (j < last) {
            float x[simd_width];
            std::fill(x, x + simd_width, in[j]);  // what lies beyond the end must be neither missing nor an extreme
            std::memcpy(x, in + j, static_cast<std::size_t>(last - j) * sizeof(float));
            store(x, take(load(x)));
            std::memcpy(to + j, x, static_cast<std::size_t>(last - j) * sizeof(float));
        }
        missing[c] = any(gone) || first > c * border || last < std::min(n, (c + 1) * border);
        some = some || missing[c];
    }
    return some;
}

/// 1 for each of these values, 0 where it is missing.
void count_values(const float *in, std::int64_t begin, std::int64_t end, std::int64_t n, float nodata, float *to)
{
    std::fill(to, to + n, 0.0f);
    for (std::int64_t j = begin; j < end; ++j) to[j] = (in[j] == in[j]) & (in[j] != nodata) ? 1.0f : 0.0f;
}

/// a joined with b. The counts na and nb are looked at where values may be missing; `known` holds where none is.
template <bool gaps, bool spread>
inline Moments<vfloat> joined(Moments<vfloat> a, Moments<vfloat> b, vfloat na, vfloat nb, JoinWeights<float> known)
{
    if (!spread) return {a.sum + b.sum, vfloat{}};
    if (gaps) return join(a, b, join_weights(na, nb));
    return join(a, b, {splat(known.ratio), splat(known.scale)});
}

/// to[j] = a[j] joined with b[j], na and nb values each, j = 0..n-1. a.dev and b.dev null: single values.
template <bool gaps, bool spread> void join_columns(Columns a, int na, Columns b, int nb, std::int64_t n, Columns to)
{
    const JoinWeights<float> known = join_weights(static_cast<float>(na), static_cast<float>(nb));
    const auto part = [](Columns c, std::int64_t j) {
        return Moments<vfloat>{load(c.sum + j), spread && c.dev ? load(c.dev + j) : vfloat{}};
    };
    for (std::int64_t j = 0; j < n; j += simd_width) {
        const vfloat ca = gaps ? load(a.count + j) : vfloat{}, cb = gaps ? load(b.count + j) : vfloat{};
        const Moments<vfloat> m = joined<gaps, spread>(part(a, j), part(b, j), ca, cb, known);
        store(to.sum + j, m.sum);
        if (spread) store(to.dev + j, m.dev);
        if (gaps) store(to.count + j, ca + cb);
    }
}

/// Levels 1 to `levels` (at most 3) of single values, n or more of each, in registers from the right to the left.
template <int levels, bool spread> void join_singles(const Memory &m, std::int64_t n)
{
    JoinWeights<vfloat> w[3];
    for (int k = 0; k < levels; ++k) {
        const JoinWeights<float> known = join_weights(static_cast<float>(1 << k), static_cast<float>(1 << k));
        w[k] = {splat(known.ratio), splat(known.scale)};
    }
    Moments<vfloat> right[3] = {};
    for (std::int64_t j = (n - 1) / simd_width * simd_width; j >= 0; j -= simd_width) {
        Moments<vfloat> part = {load(m.level[0].sum + j), vfloat{}};
        const auto next = [&](auto level) {
            constexpr int k = decltype(level)::value, by = 1 << k;
            if constexpr (k < levels) {
                const Moments<vfloat> after = {lanes_from<by>(part.sum, right[k].sum),
                                               k > 0 && spread ? lanes_from<by>(part.dev, right[k].dev) : vfloat{}};
                right[k] = part;
                part = spread ? join(part, after, w[k]) : Moments<vfloat>{part.sum + after.sum, vfloat{}};
                store(m.level[k + 1].sum + j, part.sum);
                if (spread) store(m.level[k + 1].dev + j, part.dev);
            }
        };
        next(std::integral_constant<int, 0>());
        next(std::integral_constant<int, 1>());
        next(std::integral_constant<int, 2>());
    }
}

/// Joins level 0 along the line to n windows, the first of which begins at value `first`.
template <bool gaps, bool spread>
void join_line(const Memory &m, int window, std::int64_t first, std::int64_t n, Columns to)
{
    const int levels = levels_of(window);
    const auto shifted = [&](int k, std::int64_t by) {  // single values have no deviations
        by += first;
        return Columns{m.level[k].sum + by, k > 0 ? m.level[k].dev + by : nullptr, m.level[k].count + by};
    };
    int k = 0;
    if (!gaps) {
        k = std::min(levels, 3);
        const auto singles = k == 1   ? join_singles<1, spread>
                             : k == 2 ? join_singles<2, spread>
                                      : join_singles<3, spread>;
        singles(m, n + window - 1);
    }
    for (; k < levels; ++k) {
        const int size = 1 << k;
        join_columns<gaps, spread>(shifted(k, 0), size, shifted(k, size), size, n + window - 2 * size,
                                   shifted(k + 1, 0));
    }
    // the parts of the window, the largest first
    struct Part {
        Columns at;
        JoinWeights<float> known;
    } parts[most_levels];
    int count = 0, done = 1 << levels;
    for (k = levels - 1; k >= 0; --k) {
        if (!(window >> k & 1)) continue;
        parts[count++] = {shifted(k, done), join_weights(static_cast<float>(done), static_cast<float>(1 << k))};
        done += 1 << k;
    }
    const Columns largest = shifted(levels, 0);
    to = to.at(first);
    for (std::int64_t j = 0; j < n; j += simd_width) {
        Moments<vfloat> sum = {load(largest.sum + j), spread ? load(largest.dev + j) : vfloat{}};
        vfloat values = gaps ? load(largest.count + j) : vfloat{};
        for (int i = 0; i < count; ++i) {
            const Columns &c = parts[i].at;
            const Moments<vfloat> more = {load(c.sum + j), spread && c.dev ? load(c.dev + j) : vfloat{}};
            const vfloat more_values = gaps ? load(c.count + j) : vfloat{};
            sum = joined<gaps, spread>(sum, more, values, more_values, parts[i].known);
            values = values + more_values;
        }
        store(to.sum + j, sum.sum);
        if (spread) store(to.dev + j, sum.dev);
        if (gaps) store(to.count + j, values);
    }
}

// ---- line to line --------------------------------------------------------------------------------------------------

/// Where join_lines finds and leaves the moments of 2^k lines.
struct Level {
    Columns before;  // those that ended 2^k lines ago
    Columns late;    // those that end where the lesser parts of the window begin; sum is null if it has no part of 2^k
    Columns to;      // has the place of `before`
};

/// Joins the moments of a line, `now`, with those of the lines before, to those of the window that ends with it.
template <int levels, bool gaps, bool spread>
void join_lines(const LevelPlan *plan, const Level *level, Columns now, std::int64_t columns, Columns window)
{
    const auto get = [](Columns c, int j) {
        return Moments<vfloat>{load(c.sum + j), spread ? load(c.dev + j) : vfloat{}};
    };
    const auto count = [](Columns c, int j) { return gaps ? load(c.count + j) : vfloat{}; };
    const auto put = [](Moments<vfloat> m, vfloat n, Columns c, int j) {
        store(c.sum + j, m.sum);
        if (spread) store(c.dev + j, m.dev);
        if (gaps) store(c.count + j, n);
    };
    for (int j = 0; j < columns; j += simd_width) {
        Moments<vfloat> part = get(now, j), sum = part;
        vfloat part_count = count(now, j), sum_count = part_count;
        for (int k = 0; k <= levels; ++k) {
            const Level &l = level[k];
            if (k > 0 && l.late.sum) {
                const vfloat n = count(l.late, j);
                sum = joined<gaps, spread>(sum, get(l.late, j), sum_count, n, plan[k].added);
                sum_count = sum_count + n;
            }
            const Moments<vfloat> next = part;
            const vfloat next_count = part_count;
            if (k < levels) {
                const vfloat n = count(l.before, j);
                part = joined<gaps, spread>(part, get(l.before, j), part_count, n, plan[k].doubled);
                part_count = part_count + n;
            }
            put(next, next_count, l.to, j);
        }
        put(sum, sum_count, window, j);
    }
}

/// One line of one chunk of columns, the c-th, into m.whole. Returns whether nothing is missing in any of its windows.
template <int levels, bool spread>
bool window_of_lines(const Memory &m, std::int64_t line, Columns now, bool now_full, std::int64_t columns,
                     std::int64_t c)
{
    Level level[levels + 1];
    bool all = now_full, part = now_full;  // nothing is missing: in the window, in the part of level k
    if (now_full) now.count = m.known[0];
    for (int k = 0; k <= levels; ++k) {
        const LevelPlan &p = m.plan[k];
        const std::int64_t first = c * m.slots + p.first_slot, place = first + (line & (p.slots - 1));
        const auto held = [&](std::int64_t slot) {
            Columns there = m.ring.at(slot * slot_stride);
            if (m.ring_full[slot]) there.count = m.known[k];
            return there;
        };
        level[k].before = held(place);
        level[k].to = m.ring.at(place * slot_stride);
        if (p.done >= 0) {
            const std::int64_t late = first + ((line - p.done) & (p.slots - 1));
            level[k].late = held(late);
            all = all && m.ring_full[late];
        }
        const bool before_full = m.ring_full[place];
        m.ring_full[place] = part;
        if (k < levels) part = part && before_full;
    }
    if (all && part)
        join_lines<levels, false, spread>(m.plan, level, now, columns, m.whole);
    else
        join_lines<levels, true, spread>(m.plan, level, now, columns, m.whole);
    return all && part;
}

/// The same, by the number of levels.
template <bool spread>
using WindowOfLines = bool (*)(const Memory &, std::int64_t, Columns, bool, std::int64_t, std::int64_t);
template <bool spread> WindowOfLines<spread> window_of_lines_for(int levels)
{
    constexpr WindowOfLines<spread> table[] = {window_of_lines<1, spread>, window_of_lines<2, spread>,
                                               window_of_lines<3, spread>, window_of_lines<4, spread>,
                                               window_of_lines<5, spread>, window_of_lines<6, spread>};
    return table[levels - 1];
}

// ---- the filters ---------------------------------------------------------------------------------------------------

template <Filter filter> inline vfloat filtered(vfloat x, vfloat mean, vfloat var, const SpeckleNumbers &numbers)
{
    switch (filter) {
    case Filter::lee: return lee(x, mean, var, numbers);
    case Filter::kuan: return kuan(x, mean, var, numbers.cu2);
    case Filter::enhanced_lee: return enhanced_lee(x, mean, var, numbers);
    case Filter::gamma_map: return gamma_map(x, mean, var, numbers);
    default: break;
    }
    return mean;
}

/// Frost et al. (1982): the mean of the window weighted by exp(-damping Ci^2 distance). `x` is the pixel's place in the
/// block of its window.
template <bool gaps>
inline vfloat frost(const FilterStrip &s, const WindowBlock &block, std::int64_t x, vfloat mean, vfloat var)
{
    const vfloat fall = squared_variation(mean, var) * splat(-s.numbers.damping);
    vfloat sum = {}, weights = {};
    for (const Distances::Ring &ring : s.distances->rings) {
        vfloat values = {}, count = splat(static_cast<float>(ring.end - ring.first));
        if (gaps) count = vfloat{};
        for (std::int32_t i = ring.first; i < ring.end; ++i) {
            const Distances::Place place = s.distances->places[static_cast<std::size_t>(i)];
            const vfloat value = load(block.at(place.row, x + place.column));
            if (gaps) {
                const vint there = value >= vfloat{};
                values = values + (vfloat)((vint)value & there);
                count = count + (vfloat)((vint)splat(1.0f) & there);
            } else {
                values = values + value;
            }
        }
        const vfloat weight = exponential(fall * splat(ring.distance));
        sum = fma(weight, values, sum);
        weights = fma(weight, count, weights);
    }
    return sum / weights;
}

/// Filters one chunk of a line from this sample on. `full`: nothing is missing in its windows.
template <Filter filter>
void filter_chunk(const FilterStrip &s, const Memory &m, bool full, std::int64_t line, std::int64_t sample,
                  std::int64_t columns, const float *x, float *y)
{
    const vfloat one = splat(1.0f);
    const float n = static_cast<float>(s.window) * static_cast<float>(s.window);
    const vfloat inverse = one / splat(n), inverse_less = one / splat(n - 1.0f);
    WindowBlock block;
    if (filter == Filter::frost) {
        block = {m.block, WindowBlock::stride_for(chunk, s.window)};
        take_block(s, line, sample, columns, block);
    }
    for (int j = 0; j < columns; j += simd_width) {
        const vfloat value = load(x + j), sum = load(m.whole.sum + j);
        const vfloat dev = filter == Filter::boxcar ? vfloat{} : load(m.whole.dev + j);
        if (full) {
            const vfloat mean = sum * inverse, var = dev * inverse_less;
            if (filter == Filter::frost)
                store(y + j, frost<false>(s, block, j, mean, var));
            else
                store(y + j, filtered<filter>(value, mean, var, s.numbers));
        } else {
            const vfloat count = load(m.whole.count + j);
            const vfloat mean = sum * (one / at_least_one(count)), var = dev * (one / at_least_one(count - one));
            const vint good = (value == value) & (value != splat(s.nodata));
            const vfloat result = filter == Filter::frost ? frost<true>(s, block, j, mean, var)
                                                          : filtered<filter>(value, mean, var, s.numbers);
            store(y + j, good ? result : splat(__builtin_nanf("")));
        }
    }
}

/// Where the chunks of n columns begin, and the end: narrow ones at the image's borders.
std::vector<std::int64_t> chunk_bounds(std::int64_t n, bool left, bool right)
{
    const std::int64_t first = left ? std::min<std::int64_t>(border, n) : 0,
                       last = right ? std::max(first, n - border) : n;
    std::vector<std::int64_t> bounds{0};
    for (std::int64_t at = first; at < last; at += chunk)
        if (at > 0) bounds.push_back(at);
    for (const std::int64_t at : {last, n})
        if (at > bounds.back()) bounds.push_back(at);
    return bounds;
}

template <Filter filter> ValueRange strip(const FilterStrip &s)
{
    constexpr bool spread = filter != Filter::boxcar;
    const int half = s.window / 2;
    const std::int64_t n = s.samples.size(), wide = n + 2 * half;
    const std::vector<std::int64_t> bounds = chunk_bounds(n, s.samples.first == 0, s.samples.end == s.in.cols);
    const auto chunks = static_cast<std::int64_t>(bounds.size()) - 1;
    const Memory m(s.workspace, s.window, n);
    std::memset(s.workspace, 0, static_cast<std::size_t>(m.bytes));
    for (int k = 0; k <= levels_of(s.window); ++k)
        std::fill(m.known[k], m.known[k] + chunk, static_cast<float>(s.window << k));
    std::fill(m.ring_full, m.ring_full + chunks * m.slots, true);  // what was before the strip is never looked at
    const std::int64_t first = s.samples.first - half, begin = std::max<std::int64_t>(0, -first),
                       end = std::min(wide, s.in.cols - first);
    const auto window_of = window_of_lines_for<spread>(levels_of(s.window));
    vfloat least = {}, greatest = {};
    for (std::int64_t top = s.lines.first - half; top < s.lines.end + half; top += lines_at_once) {
        const std::int64_t bottom = std::min(top + lines_at_once, s.lines.end + half);
        for (std::int64_t line = top; line < bottom; ++line) {
            const std::int64_t r = line - top;
            const Columns to = m.line.at(r * m.stride);
            bool *full = m.line_full + r * chunks;
            if (line < s.in_lines.first || line >= s.in_lines.end) {
                std::fill(to.sum, to.sum + m.stride, 0.0f);
                std::fill(to.dev, to.dev + m.stride, 0.0f);
                std::fill(to.count, to.count + m.stride, 0.0f);
                std::fill(full, full + chunks, false);
                continue;
            }
            const float *in = s.in.row(line - s.in_lines.first) + first;
            const bool gaps = take_values(in, begin, end, wide, s.nodata, m.level[0].sum, m.missing, least, greatest);
            join_line<false, spread>(m, s.window, 0, n, to);
            std::fill(full, full + chunks, true);
            if (!gaps) continue;
            count_values(in, begin, end, wide, s.nodata, m.level[0].count);
            for (std::int64_t c = 0; c < chunks; ++c) {  // once more where it must be counted
                const std::int64_t left = bounds[static_cast<std::size_t>(c)],
                                   columns = bounds[static_cast<std::size_t>(c) + 1] - left;
                const bool *gone = m.missing + left / border,
                           *gone_end = m.missing + (left + columns + s.window - 2) / border + 1;
                if (std::none_of(gone, gone_end, [](bool g) { return g; })) continue;
                join_line<true, spread>(m, s.window, left, columns, to);
                const float *count = to.count + left;
                full[c] =
                    std::all_of(count, count + columns, [&](float k) { return k == static_cast<float>(s.window); });
            }
        }
        for (std::int64_t c = 0; c < chunks; ++c) {
            const std::int64_t left = bounds[static_cast<std::size_t>(c)],
                               columns = bounds[static_cast<std::size_t>(c) + 1] - left;
            for (std::int64_t line = top; line < bottom; ++line) {
                const std::int64_t r = line - top, o = line - half;
                const bool full =
                    window_of(m, line, m.line.at(r * m.stride + left), m.line_full[r * chunks + c], columns, c);
                if (o < s.lines.first) continue;
                const std::int64_t sample = s.samples.first + left;
                const float *x = s.in.row(o - s.in_lines.first) + sample;
                float *y = s.out.row(o - s.out_lines.first) + sample;
                if (columns % simd_width == 0) {
                    filter_chunk<filter>(s, m, full, o, sample, columns, x, y);
                } else {
                    const auto bytes = static_cast<std::size_t>(columns) * sizeof(float);
                    std::memcpy(m.centre, x, bytes);
                    filter_chunk<filter>(s, m, full, o, sample, columns, m.centre, m.result);
                    std::memcpy(y, m.result, bytes);
                }
            }
        }
    }
    ValueRange range;
    for (int i = 0; i < simd_width; ++i) {
        range.least = std::min(range.least, least[i]);
        range.greatest = std::max(range.greatest, greatest[i]);
    }
    return range;
}

}  // namespace

std::int64_t moment_strip_bytes(int window, std::int64_t samples) { return Memory(nullptr, window, samples).bytes; }

ValueRange moment_strip(const FilterStrip &s)
{
    switch (s.filter) {
    case Filter::lee: return strip<Filter::lee>(s);
    case Filter::kuan: return strip<Filter::kuan>(s);
    case Filter::enhanced_lee: return strip<Filter::enhanced_lee>(s);
    case Filter::gamma_map: return strip<Filter::gamma_map>(s);
    case Filter::frost: return strip<Filter::frost>(s);
    default: break;
    }
    return strip<Filter::boxcar>(s);
}

}  // namespace SIDELOOK_ISA
}  // namespace sidelook
