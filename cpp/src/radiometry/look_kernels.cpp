// Inner loops of radiometry; see look_kernels.h. Compiled once for each instruction set.
#include "radiometry/look_kernels.h"

#include "core/simd.h"

namespace sidelook::SIDELOOK_ISA
{
namespace
{

inline vfloat choose(vint mask, vfloat a) { return (vfloat)((vint)a & mask); }

inline bool any(vint mask)
{
    int seen = 0;
    for (int i = 0; i < simd_width; ++i) seen |= mask[i];
    return seen != 0;
}

/// One vector's sum over the lines. `load_line(line)` gives its values.
template <LookSum what, class LoadLine>
inline bool sum_vector(LoadLine load_line, std::int64_t lines, float *sum, float *count, vfloat &lowest)
{
    const auto term = [](vfloat x, vfloat s) { return what == LookSum::power ? fma(x, x, s) : s + x; };
    vfloat s = {};
    for (std::int64_t r = 0; r < lines; ++r) {
        const vfloat x = load_line(r);
        if (what == LookSum::value) lowest = (vfloat)(((vint)x & (x < lowest)) | ((vint)lowest & ~(x < lowest)));
        s = term(x, s);
    }
    const bool whole = !any(s != s);
    if (!whole) {  // NaN among them: once more, without those
        s = vfloat{};
        vfloat k = {};
        for (std::int64_t r = 0; r < lines; ++r) {
            const vfloat x = load_line(r);
            vint good = x == x;
            if (what != LookSum::value) good &= (vint)swap_pairs((vfloat)good);
            s = term(choose(good, x), s);
            k += choose(good, splat(1.0f));
        }
        store(count, k);
    } else {
        store(count, splat(static_cast<float>(lines)));
    }
    store(sum, s);
    return whole;
}

template <LookSum what>
bool sum_rows(const float *x, std::int64_t stride, std::int64_t lines, std::int64_t n, float *sum, float *count,
              float &lowest)
{
    constexpr int together = 4;  // vectors summed at once: a cache line and more of every row
    const auto term = [](vfloat v, vfloat s) { return what == LookSum::power ? fma(v, v, s) : s + v; };
    vfloat least = splat(lowest);
    bool whole = true;
    std::int64_t i = 0;
    for (; i + together * simd_width <= n; i += together * simd_width) {
        vfloat s[together] = {};
        for (std::int64_t r = 0; r < lines; ++r) {
            const float *row = x + r * stride + i;
            for (int v = 0; v < together; ++v) {
                const vfloat value = load(row + v * simd_width);
                if (what == LookSum::value) {
                    const vint below = value < least;
                    least = (vfloat)(((vint)value & below) | ((vint)least & ~below));
                }
                s[v] = term(value, s[v]);
            }
        }
        vint bad = {};
        for (int v = 0; v < together; ++v) {
            bad |= s[v] != s[v];
            store(sum + i + v * simd_width, s[v]);
        }
        if (any(bad)) {
            if (whole)  // the counts of what came before, which were not written
                for (std::int64_t k = 0; k < i; ++k) count[k] = static_cast<float>(lines);
            whole = false;
        }
        if (!whole)
            for (std::int64_t k = i; k < i + together * simd_width; k += simd_width)
                sum_vector<what>([&](std::int64_t r) { return load(x + r * stride + k); }, lines, sum + k, count + k,
                                 least);
    }
    for (; i < n; i += simd_width) {
        const auto bytes = static_cast<unsigned long>(n - i < simd_width ? n - i : simd_width) * sizeof(float);
        const auto part = [&](std::int64_t r) {
            float values[simd_width] = {};
            __builtin_memcpy(values, x + r * stride + i, bytes);
            return load(values);
        };
        if (!sum_vector<what>(part, lines, sum + i, count + i, least) && whole) {
            for (std::int64_t k = 0; k < i; ++k) count[k] = static_cast<float>(lines);
            whole = false;
        }
    }
    for (int v = 0; v < simd_width; ++v) lowest = least[v] < lowest ? least[v] : lowest;
    return whole;
}

/// Lanes 0, 2, 4 .. of a, then of b.
inline vfloat even_lanes(vfloat a, vfloat b)
{
#if defined(__clang__)
    vfloat r;
    for (int i = 0; i < simd_width; ++i) r[i] = i < simd_width / 2 ? a[2 * i] : b[2 * i - simd_width];
    return r;
#else
    vint mask;
    for (int i = 0; i < simd_width; ++i) mask[i] = 2 * i;
    return __builtin_shuffle(a, b, mask);
#endif
}

template <bool divide, bool noisy>
inline vfloat calibrated(vfloat x, vfloat low, vfloat high, float t, vfloat noise_low, vfloat noise_high, float noise_t)
{
    const vfloat f = fma(splat(t), high - low, low);
    const vfloat y = divide ? x / (f * f) : x * f;
    return noisy ? y - fma(splat(noise_t), noise_high - noise_low, noise_low) : y;
}

template <bool divide, bool noisy>
void calibrate(const float *x, float *y, std::int64_t n, const float *low, const float *high, float t,
               const float *noise_low, const float *noise_high, float noise_t)
{
    std::int64_t i = 0;
    for (; i + simd_width <= n; i += simd_width)
        store(y + i, calibrated<divide, noisy>(load(x + i), load(low + i), load(high + i), t,
                                               noisy ? load(noise_low + i) : vfloat{},
                                               noisy ? load(noise_high + i) : vfloat{}, noise_t));
    if (i < n) {
        const auto bytes = static_cast<unsigned long>(n - i) * sizeof(float);
        const auto part = [&](const float *p) {
            float values[simd_width] = {};
            __builtin_memcpy(values, p + i, bytes);
            return load(values);
        };
        float values[simd_width];
        store(values, calibrated<divide, noisy>(part(x), part(low), part(high), t, noisy ? part(noise_low) : vfloat{},
                                                noisy ? part(noise_high) : vfloat{}, noise_t));
        __builtin_memcpy(y + i, values, bytes);
    }
}

}  // namespace

bool sum_lines(LookSum what, const float *x, std::int64_t stride, std::int64_t lines, std::int64_t n, float *sum,
               float *count, float &lowest)
{
    switch (what) {
    case LookSum::power: return sum_rows<LookSum::power>(x, stride, lines, n, sum, count, lowest);
    case LookSum::complex: return sum_rows<LookSum::complex>(x, stride, lines, n, sum, count, lowest);
    case LookSum::value: break;
    }
    return sum_rows<LookSum::value>(x, stride, lines, n, sum, count, lowest);
}

void fold_pairs(float *x, std::int64_t n)
{
    for (std::int64_t i = 0; i < n; i += simd_width) {
        const vfloat a = load(x + 2 * i), b = load(x + 2 * i + simd_width);
        store(x + i, even_lanes(a + swap_pairs(a), b + swap_pairs(b)));
    }
}

void divide_row(const float *x, float *y, std::int64_t n, float d)
{
    std::int64_t i = 0;
    for (; i + simd_width <= n; i += simd_width) store(y + i, load(x + i) / splat(d));
    for (; i < n; ++i) y[i] = x[i] / d;  // division rounds alike in a lane and alone
}

void calibrate_row(const float *x, float *y, std::int64_t n, const float *low, const float *high, float t,
                   const float *noise_low, const float *noise_high, float noise_t, bool divide_by_square)
{
    const bool noisy = noise_low != nullptr;
    const auto chosen = divide_by_square ? (noisy ? calibrate<true, true> : calibrate<true, false>)
                                         : (noisy ? calibrate<false, true> : calibrate<false, false>);
    chosen(x, y, n, low, high, t, noise_low, noise_high, noise_t);
}

}  // namespace sidelook::SIDELOOK_ISA
