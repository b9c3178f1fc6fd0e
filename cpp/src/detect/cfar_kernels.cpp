// Window sums of the CFAR stage; see cfar_kernels.h. Compiled once for each instruction set.
// in: intensity [line][sample] f32; out: ratio [line][sample] f32. Twin: cfar.cu; the arithmetic is in cfar_math.h.
//
// Down the columns two running sums are kept, of the training window's and of the guard window's lines; along a line
// the difference of their moving sums is the ring's. All sums are exact (cfar_math.h), so that where they start leaves
// no trace. The last training lines are kept as they were rounded, in a ring that stays in the second-level cache.
#include "detect/cfar_kernels.h"

#include <algorithm>
#include <cstring>

#include "detect/cfar_math.h"

namespace sidelook
{
namespace SIDELOOK_ISA
{
namespace
{

constexpr int chains = 4;  // moving sums side by side: one alone would wait for its own last addition

/// Memory of one strip, 64-byte aligned pieces of the workspace.
struct Strip {
    std::int64_t width = 0, stride = 0;  // columns with the window's margins, and from line to line of the rings
    float *values = nullptr;             // [training][stride], rounded
    std::uint8_t *valid = nullptr;       // [training][stride]
    double *outer = nullptr, *inner = nullptr, *step = nullptr;
    std::int32_t *outer_count = nullptr, *inner_count = nullptr, *count = nullptr;
    float *level = nullptr, *clip = nullptr;
    double *sum = nullptr;

    Strip(const CfarStrip &s) : width(s.samples.size() + s.training - 1), stride((width + 79) / 64 * 64 + 16)
    {
        char *p = s.workspace;
        const auto take = [&](auto *&to, std::int64_t n) {
            to = reinterpret_cast<std::remove_reference_t<decltype(to)>>(p);
            p += (n * static_cast<std::int64_t>(sizeof *to) + 63) / 64 * 64;
        };
        take(values, s.training * stride);
        take(valid, s.training * stride);
        take(outer, stride), take(inner, stride), take(step, stride), take(sum, stride);
        take(outer_count, stride), take(inner_count, stride), take(count, stride);
        take(level, stride), take(clip, stride);
        std::memset(s.workspace, 0, static_cast<std::size_t>(p - s.workspace));
    }
};

/// Level and clip of every column of a line.
void expand_map(const CfarStrip &s, const Strip &m, std::int64_t line, std::int64_t first_sample)
{
    const std::int64_t row = std::clamp<std::int64_t>(line / cfar_cell, 0, s.map.rows - 1);
    const float *cells = s.map.level + row * s.map.cols;
    for (std::int64_t j = 0; j < m.width; ++j) {
        const std::int64_t sample = std::max<std::int64_t>(0, first_sample + j);
        m.level[j] = cells[std::min(sample / cfar_cell, s.map.cols - 1)];
    }
    for (std::int64_t j = 0; j < m.width; ++j) m.clip[j] = s.map.clip * m.level[j];
}

/// Rounds a line into the ring; returns whether all of it is valid.
bool take_line(const float *in, std::int64_t first, std::int64_t end, const Strip &m, float quantum, float *values,
               std::uint8_t *valid)
{
    std::fill(values, values + first, 0.0f);
    std::fill(values + end, values + m.width, 0.0f);
    std::fill(valid, valid + first, std::uint8_t{0});
    std::fill(valid + end, valid + m.width, std::uint8_t{0});
    int good = 0;
    for (std::int64_t j = first; j < end; ++j) {
        const float x = in[j];
        values[j] = cfar_training(x, m.clip[j], m.level[j], quantum);
        valid[j] = cfar_valid(x);
    }
    for (std::int64_t j = 0; j < m.width; ++j) good += valid[j];
    return good == m.width;
}

/// sum[j] = sum over i <= j of step[i], plus the start. `window` gives the sum at a column from scratch: there each of
/// the chains begins.
template <class T, class Window> void scan(const T *step, T *sum, std::int64_t n, const Window &window)
{
    const std::int64_t part = (n + chains - 1) / chains;
    T s[chains];
    for (int k = 0; k < chains; ++k) {
        const std::int64_t j = std::min(k * part, n - 1);
        s[k] = window(j) - step[j];
    }
    const std::int64_t common = std::max<std::int64_t>(0, n - (chains - 1) * part);
    for (std::int64_t j = 0; j < common; ++j)
        for (int k = 0; k < chains; ++k) sum[j + k * part] = s[k] += step[j + k * part];
    for (int k = 0; k < chains - 1; ++k)
        for (std::int64_t j = k * part + common; j < std::min(n, (k + 1) * part); ++j) sum[j] = s[k] += step[j];
}

/// Moving sums of the ring along a line, from the column sums of both windows.
template <class T> void ring_sums(const CfarStrip &s, const T *outer, const T *inner, T *step, T *sum, std::int64_t n)
{
    const std::int64_t training = s.training, guard = s.guard, margin = (training - guard) / 2;
    const T *__restrict enter = outer + training - 1, *__restrict in0 = inner + margin, *__restrict in1 = in0 + guard;
    T *__restrict d = step;
    // at column 0 the steps would reach before the strip: that is where the first chain begins, from scratch
    d[0] = T();
#pragma GCC ivdep
    for (std::int64_t j = 1; j < n; ++j) d[j] = (enter[j] - outer[j - 1]) - (in1[j - 1] - in0[j - 1]);
    scan(d, sum, n, [&](std::int64_t j) {
        T a = T(), b = T();
        for (std::int64_t i = 0; i < training; ++i) a += outer[j + i];
        for (std::int64_t i = 0; i < guard; ++i) b += in0[j + i];
        return a - b;
    });
}

template <class T, class V>
void move_columns(T *__restrict sums, const V *__restrict enter, const V *__restrict leave, std::int64_t n)
{
#pragma GCC ivdep
    for (std::int64_t j = 0; j < n; ++j) sums[j] += static_cast<T>(enter[j]) - static_cast<T>(leave[j]);
}

}  // namespace

void cfar_strip(const CfarStrip &s)
{
    const Strip m(s);
    const std::int64_t training = s.training, h = training / 2, g = s.guard / 2, n = s.samples.size();
    const std::int64_t first_sample = s.samples.first - h, total = s.in.cols;
    const std::int64_t begin = std::clamp<std::int64_t>(-first_sample, 0, m.width),
                       end = std::clamp(total - first_sample, begin, m.width);
    bool whole[128] = {};  // lines of the ring without a gap
    int gaps = static_cast<int>(training);
    const auto slot = [&](std::int64_t line) { return ((line % training) + training) % training; };
    std::int64_t map_row = -1;
    for (std::int64_t line = s.lines.first - h; line < s.lines.end + h; ++line) {
        // the line that leaves the window has the slot of the one that enters
        const std::int64_t k = slot(line);
        float *values = m.values + k * m.stride;
        std::uint8_t *valid = m.valid + k * m.stride;
        const bool leaving_whole = whole[k];
        if (!leaving_whole) {
#pragma GCC ivdep
            for (std::int64_t j = 0; j < m.width; ++j) m.outer_count[j] -= valid[j];
        } else {
            for (std::int64_t j = 0; j < m.width; ++j) --m.outer_count[j];
            ++gaps;
        }
#pragma GCC ivdep
        for (std::int64_t j = 0; j < m.width; ++j) m.outer[j] -= static_cast<double>(values[j]);
        const bool exists = line >= s.in_lines.first && line < s.in_lines.end;
        if (exists) {
            if (line / cfar_cell != map_row) {
                map_row = line / cfar_cell;
                expand_map(s, m, line, first_sample);
            }
            whole[k] = take_line(s.in.row(line - s.in_lines.first) + first_sample, begin, end, m, s.map.quantum, values,
                                 valid);
        } else {
            std::fill(values, values + m.width, 0.0f);
            std::fill(valid, valid + m.width, std::uint8_t{0});
            whole[k] = false;
        }
        gaps -= whole[k];
#pragma GCC ivdep
        for (std::int64_t j = 0; j < m.width; ++j) m.outer[j] += static_cast<double>(values[j]);
        if (whole[k])
            for (std::int64_t j = 0; j < m.width; ++j) ++m.outer_count[j];
        else
            for (std::int64_t j = 0; j < m.width; ++j) m.outer_count[j] += valid[j];

        const std::int64_t enter = slot(line - h + g), leave = slot(line - h - g - 1);
        move_columns(m.inner, m.values + enter * m.stride, m.values + leave * m.stride, m.width);
        if (!(whole[enter] && whole[leave]))
            move_columns(m.inner_count, m.valid + enter * m.stride, m.valid + leave * m.stride, m.width);

        const std::int64_t o = line - h;
        if (o < s.lines.first) continue;
        ring_sums(s, m.outer, m.inner, m.step, m.sum, n);
        const float *__restrict x = s.in.row(o - s.in_lines.first) + s.samples.first;
        float *__restrict out = s.out.row(o - s.out_lines.first) + s.samples.first;
        const float *__restrict threshold = s.threshold + s.samples.first;
        if (gaps == 0) {
            const auto ring = static_cast<float>(training * training - static_cast<std::int64_t>(s.guard) * s.guard);
#pragma GCC ivdep
            for (std::int64_t j = 0; j < n; ++j)
                out[j] = cfar_ratio(x[j], static_cast<float>(m.sum[j]), ring, s.least, threshold[j]);
        } else {
            auto *step = reinterpret_cast<std::int32_t *>(m.step);
            ring_sums(s, m.outer_count, m.inner_count, step, m.count, n);
#pragma GCC ivdep
            for (std::int64_t j = 0; j < n; ++j)
                out[j] = cfar_ratio(x[j], static_cast<float>(m.sum[j]), static_cast<float>(m.count[j]), s.least,
                                    threshold[j]);
        }
    }
}

}  // namespace SIDELOOK_ISA
}  // namespace sidelook
