// Inner loops of focusing; see kernels.h. Compiled once for each instruction set.
#include "focus/kernels.h"

#include "core/simd.h"
#include "focus/resampler.h"

namespace sidelook::SIDELOOK_ISA {
namespace {

constexpr int lane_pairs = simd_width / 2;                  // complex samples a vector holds
constexpr int vectors = chunk_samples / lane_pairs;         // vectors a chunk holds

struct Weights {
    float re[resampler_taps], im[resampler_taps];
};

/// Weights at one fraction and one beta: linear between table entries, series in beta.
inline void weights_at(const float *table, float fraction, float beta, bool quadratic, Weights &w)
{
    const float place = (fraction + 0.5f) * resampler_steps;
    int step = static_cast<int>(place);
    step = step < 0 ? 0 : step > 2 * resampler_steps - 1 ? 2 * resampler_steps - 1 : step;
    const vfloat part = splat(place - static_cast<float>(step));
    const float *low = table + step * resampler_terms * resampler_taps, *high = low + resampler_terms * resampler_taps;
    const vfloat b = splat(beta), b2 = splat(-beta * beta);
    for (int k = 0; k < resampler_taps; k += simd_width) {
        const auto term = [&](int n) {
            const vfloat l = load(low + n * resampler_taps + k);
            return fma(part, load(high + n * resampler_taps + k) - l, l);
        };
        if (quadratic) {
            store(w.re + k, fma(fma(term(4), b2, term(2)), b2, term(0)));
            store(w.im + k, fma(term(3), b2, term(1)) * b);
        } else {
            store(w.re + k, term(0));
        }
    }
}

/// Coefficients c[power][tap] of the polynomial over lane/16 through weights at places 0, 1/order .. 1 (order 0: 1/2).
inline void through_lanes(const float *const *w, int order, float (*c)[resampler_taps])
{
    for (int k = 0; k < resampler_taps; k += simd_width) {
        const vfloat a = load(w[0] + k);
        store(c[0] + k, a);
        if (order == 1) store(c[1] + k, load(w[1] + k) - a);
        if (order == 2) {
            const vfloat m = load(w[1] + k), z = load(w[2] + k);
            store(c[1] + k, splat(4.0f) * m - splat(3.0f) * a - z);
            store(c[2] + k, splat(2.0f) * (a + z) - splat(4.0f) * m);
        }
        if (order == 3) {
            const vfloat m = load(w[1] + k), n = load(w[2] + k), z = load(w[3] + k);
            store(c[1] + k, splat(-5.5f) * a + splat(9.0f) * m - splat(4.5f) * n + z);
            store(c[2] + k, splat(9.0f) * a - splat(22.5f) * m + splat(18.0f) * n - splat(4.5f) * z);
            store(c[3] + k, splat(-4.5f) * a + splat(13.5f) * (m - n) + splat(4.5f) * z);
        }
    }
}

template <int order, bool quadratic> void resample(const float *table, const ChunkPlan &plan, c64 *out)
{
    Weights w[order + 1];
    const float *re_at[order + 1], *im_at[order + 1];
    for (int i = 0; i <= order; ++i) {
        const float x = order ? static_cast<float>(i) / static_cast<float>(order ? order : 1) : 0.5f;
        weights_at(table, plan.fraction[0] + x * (plan.fraction[1] - plan.fraction[0]), plan.beta[0] + x * (plan.beta[1] - plan.beta[0]), quadratic, w[i]);
        re_at[i] = w[i].re;
        im_at[i] = w[i].im;
    }
    float re[order + 1][resampler_taps], im[order + 1][resampler_taps];
    through_lanes(re_at, order, re);
    if (quadratic) through_lanes(im_at, order, im);

    vfloat lane0, pair_sign;
    for (int i = 0; i < simd_width; ++i) {
        lane0[i] = static_cast<float>(i / 2);
        pair_sign[i] = i % 2 ? 1.0f : -1.0f;
    }
    for (int v = 0; v < vectors; ++v) {
        const float *data = reinterpret_cast<const float *>(plan.taps) + v * simd_width;
        vfloat s[order + 1] = {}, t[order + 1] = {};
        for (int k = 0; k < resampler_taps; ++k) {
            const vfloat x = load(data + 2 * k * plan.tap_stride);
            for (int o = 0; o <= order; ++o) {
                s[o] = fma(x, splat(re[o][k]), s[o]);
                if (quadratic) t[o] = fma(x, splat(im[o][k]), t[o]);
            }
        }
        const vfloat lane = lane0 + splat(static_cast<float>(v * lane_pairs));
        const vfloat place = lane * splat(1.0f / chunk_samples);
        vfloat y = s[order], q = t[order];
        for (int o = order - 1; o >= 0; --o) {
            y = fma(y, place, s[o]);
            if (quadratic) q = fma(q, place, t[o]);
        }
        if (quadratic) y = fma(swap_pairs(q), pair_sign, y);  // y + j q
        const vfloat phase = fma(fma(splat(plan.cycles[2]), lane, splat(plan.cycles[1])), lane, splat(plan.cycles[0]));
        vfloat sine, cosine;
        sincos_cycles(phase, sine, cosine);
        const vfloat amplitude = fma(splat(plan.amplitude[1]), lane, splat(plan.amplitude[0]));
        y = fma(swap_pairs(y) * pair_sign, sine, y * cosine) * amplitude;
        store(reinterpret_cast<float *>(out) + v * simd_width, y);
    }
}

}  // namespace

void resample_chunks(const float *table, const ChunkPlan *plans, c64 *const *out, std::int64_t chunks, int order, bool quadratic)
{
    using Resample = void (*)(const float *, const ChunkPlan &, c64 *);
    constexpr Resample choices[4][2] = {{resample<0, false>, resample<0, true>},
                                        {resample<1, false>, resample<1, true>},
                                        {resample<2, false>, resample<2, true>},
                                        {resample<3, false>, resample<3, true>}};
    const Resample chosen = choices[order][quadratic];
    for (std::int64_t i = 0; i < chunks; ++i) chosen(table, plans[i], out[i]);
}

void multiply_row(c64 *row, const c64 *filter, std::int64_t n)
{
    float *x = reinterpret_cast<float *>(row);
    const float *h = reinterpret_cast<const float *>(filter);
    for (std::int64_t i = 0; i < 2 * n; i += 2) {
        const float re = x[i] * h[i] - x[i + 1] * h[i + 1], im = x[i] * h[i + 1] + x[i + 1] * h[i];
        x[i] = re;
        x[i + 1] = im;
    }
}

void turn_row(c64 *row, std::int64_t n, double cycles, double cycles_a_sample)
{
    vfloat lane, pair_sign;
    for (int i = 0; i < simd_width; ++i) {
        lane[i] = static_cast<float>(i / 2);
        pair_sign[i] = i % 2 ? 1.0f : -1.0f;
    }
    const auto slope = static_cast<float>(cycles_a_sample - __builtin_rint(cycles_a_sample));
    for (std::int64_t i = 0; i < n; i += lane_pairs) {
        const double start = cycles + static_cast<double>(i) * cycles_a_sample;
        vfloat sine, cosine;
        sincos_cycles(fma(lane, splat(slope), splat(static_cast<float>(start - __builtin_rint(start)))), sine, cosine);
        float *p = reinterpret_cast<float *>(row + i);
        float part[simd_width] = {};
        const std::int64_t left = n - i < lane_pairs ? n - i : lane_pairs;
        __builtin_memcpy(part, p, static_cast<unsigned long>(left) * 8);  // the last vector may stick out
        const vfloat x = load(part);
        store(part, fma(swap_pairs(x) * pair_sign, sine, x * cosine));
        __builtin_memcpy(p, part, static_cast<unsigned long>(left) * 8);
    }
}

void transpose(View2<const c64> in, View2<c64> out)
{
    // Tiles of 16 x 16: sixteen cache lines each way. Moved as 64-bit words, which is what a complex sample is.
    constexpr std::int64_t tile = 16;
    for (std::int64_t r0 = 0; r0 < in.rows; r0 += tile) {
        const std::int64_t r1 = r0 + tile < in.rows ? r0 + tile : in.rows;
        for (std::int64_t c0 = 0; c0 < in.cols; c0 += tile) {
            const std::int64_t c1 = c0 + tile < in.cols ? c0 + tile : in.cols;
            for (std::int64_t c = c0; c < c1; ++c)
                for (std::int64_t r = r0; r < r1; ++r) __builtin_memcpy(&out.data[c * out.stride + r], &in.data[r * in.stride + c], 8);
        }
    }
}

}  // namespace sidelook::SIDELOOK_ISA
