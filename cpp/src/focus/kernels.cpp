// Inner loops of focusing; see kernels.h. Compiled once for each instruction set.
#include "focus/kernels.h"

#include "core/simd.h"
#include "focus/resampler.h"

namespace sidelook::SIDELOOK_ISA
{
namespace
{

constexpr int lane_pairs = simd_width / 2;           // complex samples a vector holds
constexpr int vectors = chunk_samples / lane_pairs;  // vectors a chunk holds

/// Weights at one fraction and one beta: linear between table entries, series in beta.
inline void weights_at(const float *table, float fraction, float beta, bool quadratic, float (&re)[resampler_taps],
                       float (&im)[resampler_taps])
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
            store(re + k, fma(fma(term(4), b2, term(2)), b2, term(0)));
            store(im + k, fma(term(3), b2, term(1)) * b);
        } else {
            store(re + k, term(0));
        }
    }
}

/// Powers of z, -1 at lane 0 and 1 at lane 15, from weights at the Chebyshev nodes of the lanes, for one degree: the
/// interpolating polynomial, and the one of a degree less that has its Chebyshev series without the last term.
struct LanePolynomials {
    float place[max_order + 1];                // of the nodes, in lanes / 16
    float same[max_order + 1][max_order + 1];  // [power][node]
    float less[max_order + 1][max_order + 1];
    explicit LanePolynomials(int order)
    {
        constexpr double pi = 3.14159265358979323846, last = (chunk_samples - 1.0) / chunk_samples;
        const int n = order + 1;
        for (int i = 0; i < n; ++i) place[i] = static_cast<float>(0.5 * last * (1 - __builtin_cos(pi * (i + 0.5) / n)));
        for (int i = 0; i < n; ++i) {
            // T_k(z) in powers of z: T_k = 2 z T_(k-1) - T_(k-2).
            double t[max_order + 1][max_order + 1] = {{1}, {0, 1}}, sum[max_order + 1] = {};
            for (int k = 2; k < n; ++k)
                for (int p = 0; p < n; ++p) t[k][p] = 2 * (p > 0 ? t[k - 1][p - 1] : 0) - t[k - 2][p];
            for (int k = 0; k < n; ++k) {
                const double weight = (k > 0 ? 2.0 : 1.0) / n * __builtin_cos(k * (pi - pi * (i + 0.5) / n));
                for (int p = 0; p < n; ++p) {
                    if (k == order) less[p][i] = static_cast<float>(sum[p]);
                    sum[p] += weight * t[k][p];
                }
            }
            for (int p = 0; p < n; ++p) same[p][i] = static_cast<float>(sum[p]);
            if (order == 0) less[0][0] = same[0][0];
        }
    }
};

/// Coefficients c[power][tap] from weights w[node][tap].
template <int powers, int nodes>
inline void combine(const float (&matrix)[max_order + 1][max_order + 1], const float (*w)[resampler_taps],
                    float (*c)[resampler_taps])
{
    for (int k = 0; k < resampler_taps; k += simd_width)
        for (int p = 0; p < powers; ++p) {
            vfloat sum = splat(matrix[p][0]) * load(w[0] + k);
            for (int i = 1; i < nodes; ++i) sum = fma(splat(matrix[p][i]), load(w[i] + k), sum);
            store(c[p] + k, sum);
        }
}

template <int order, bool quadratic>
void resample(const float *table, const LanePolynomials &lanes, const ChunkPlan &plan, c64 *out)
{
    // The imaginary part is small (beta): a degree less holds it as well.
    constexpr int im_order = order > 0 ? order - 1 : 0;
    float re_at[order + 1][resampler_taps], im_at[order + 1][resampler_taps];
    float re[order + 1][resampler_taps], im[im_order + 1][resampler_taps];
    for (int i = 0; i <= order; ++i) {
        const float x = lanes.place[i];
        weights_at(table, plan.fraction[0] + x * (plan.fraction[1] - plan.fraction[0]),
                   plan.beta[0] + x * (plan.beta[1] - plan.beta[0]), quadratic, re_at[i], im_at[i]);
    }
    combine<order + 1, order + 1>(lanes.same, re_at, re);
    if (quadratic) combine<im_order + 1, order + 1>(lanes.less, im_at, im);

    vfloat lane0, pair_sign;
    for (int i = 0; i < simd_width; ++i) {
        lane0[i] = static_cast<float>(i / 2);
        pair_sign[i] = i % 2 ? 1.0f : -1.0f;
    }
    // Two vectors at a time share the broadcast weights; at degree 3 the registers hold only one.
    constexpr int together = order < 3 ? 2 : 1;
    for (int v = 0; v < vectors; v += together) {
        const float *data = reinterpret_cast<const float *>(plan.taps) + v * simd_width;
        vfloat s[together][order + 1] = {}, t[together][im_order + 1] = {};
        for (int k = 0; k < resampler_taps; ++k) {
            vfloat x[together];
            for (int n = 0; n < together; ++n) x[n] = load(data + 2 * k * plan.tap_stride + n * simd_width);
            for (int o = 0; o <= order; ++o) {
                const vfloat w_re = splat(re[o][k]);
                for (int n = 0; n < together; ++n) s[n][o] = fma(x[n], w_re, s[n][o]);
            }
            if (quadratic) {
                for (int o = 0; o <= im_order; ++o) {
                    const vfloat w_im = splat(im[o][k]);
                    for (int n = 0; n < together; ++n) t[n][o] = fma(x[n], w_im, t[n][o]);
                }
            }
        }
        for (int n = 0; n < together; ++n) {
            const vfloat lane = lane0 + splat(static_cast<float>((v + n) * lane_pairs));
            const vfloat place = fma(lane, splat(2.0f / (chunk_samples - 1)), splat(-1.0f));
            vfloat y = s[n][order], q = t[n][im_order];
            for (int o = order - 1; o >= 0; --o) y = fma(y, place, s[n][o]);
            if (quadratic) {
                for (int o = im_order - 1; o >= 0; --o) q = fma(q, place, t[n][o]);
                y = fma(swap_pairs(q), pair_sign, y);  // y + j q
            }
            const vfloat phase =
                fma(fma(splat(plan.cycles[2]), lane, splat(plan.cycles[1])), lane, splat(plan.cycles[0]));
            vfloat sine, cosine;
            sincos_cycles(phase, sine, cosine);
            const vfloat amplitude = fma(splat(plan.amplitude[1]), lane, splat(plan.amplitude[0]));
            y = fma(swap_pairs(y) * pair_sign, sine, y * cosine) * amplitude;
            store(reinterpret_cast<float *>(out) + (v + n) * simd_width, y);
        }
    }
}

}  // namespace

void resample_chunks(const float *table, const ChunkPlan *plans, c64 *const *out, std::int64_t chunks, int order,
                     bool quadratic)
{
    static const LanePolynomials lanes[max_order + 1] = {LanePolynomials(0), LanePolynomials(1), LanePolynomials(2),
                                                         LanePolynomials(3), LanePolynomials(4)};
    using Resample = void (*)(const float *, const LanePolynomials &, const ChunkPlan &, c64 *);
    constexpr Resample choices[max_order + 1][2] = {{resample<0, false>, resample<0, true>},
                                                    {resample<1, false>, resample<1, true>},
                                                    {resample<2, false>, resample<2, true>},
                                                    {resample<3, false>, resample<3, true>},
                                                    {resample<4, false>, resample<4, true>}};
    const Resample chosen = choices[order][quadratic];
    for (std::int64_t i = 0; i < chunks; ++i) chosen(table, lanes[order], plans[i], out[i]);
}

void multiply_row(c64 *row, const c64 *filter, std::int64_t n)
{
    float *x = reinterpret_cast<float *>(row);
    const float *h = reinterpret_cast<const float *>(filter);
    for (std::int64_t i = 0; i < 2 * n; i += 2) multiply_bin(x[i], x[i + 1], h[i], h[i + 1]);
}

void turn_row(c64 *row, std::int64_t n, Turns first, Turns turns_a_sample)
{
    vfloat lane, pair_sign;
    for (int i = 0; i < simd_width; ++i) {
        lane[i] = static_cast<float>(i / 2);
        pair_sign[i] = i % 2 ? 1.0f : -1.0f;
    }
    const vfloat slope = splat(cycles_of(turns_a_sample));
    const auto turned = [&](const float *p, std::int64_t i) {
        const vfloat start = splat(cycles_of(first + static_cast<Turns>(i) * turns_a_sample));
        vfloat sine, cosine;
        sincos_cycles(fma(lane, slope, start), sine, cosine);
        const vfloat x = load(p);
        return fma(swap_pairs(x) * pair_sign, sine, x * cosine);
    };
    auto *data = reinterpret_cast<float *>(row);
    std::int64_t i = 0;
    for (; i + lane_pairs <= n; i += lane_pairs) store(data + 2 * i, turned(data + 2 * i, i));
    if (i < n) {  // what is left goes through a whole vector too
        float part[simd_width] = {};
        const auto bytes = static_cast<unsigned long>(n - i) * 8;
        __builtin_memcpy(part, data + 2 * i, bytes);
        store(part, turned(part, i));
        __builtin_memcpy(data + 2 * i, part, bytes);
    }
}

namespace
{

#if defined(__AVX2__)
/// Four by four complex samples, each a 64-bit word.
inline void transpose4(const c64 *in, std::int64_t in_stride, c64 *out, std::int64_t out_stride)
{
    const auto word = [&](std::int64_t r) {
        return _mm256_loadu_pd(reinterpret_cast<const double *>(in + r * in_stride));
    };
    const __m256d a = word(0), b = word(1), c = word(2), d = word(3);
    const __m256d ab0 = _mm256_unpacklo_pd(a, b), ab1 = _mm256_unpackhi_pd(a, b), cd0 = _mm256_unpacklo_pd(c, d),
                  cd1 = _mm256_unpackhi_pd(c, d);
    const auto put = [&](std::int64_t r, __m256d v) {
        _mm256_storeu_pd(reinterpret_cast<double *>(out + r * out_stride), v);
    };
    put(0, _mm256_permute2f128_pd(ab0, cd0, 0x20));
    put(1, _mm256_permute2f128_pd(ab1, cd1, 0x20));
    put(2, _mm256_permute2f128_pd(ab0, cd0, 0x31));
    put(3, _mm256_permute2f128_pd(ab1, cd1, 0x31));
}
#else
inline void transpose4(const c64 *in, std::int64_t in_stride, c64 *out, std::int64_t out_stride)
{
    for (int r = 0; r < 4; ++r)
        for (int c = 0; c < 4; ++c) __builtin_memcpy(out + c * out_stride + r, in + r * in_stride + c, 8);
}
#endif

}  // namespace

void transpose(View2<const c64> in, View2<c64> out)
{
    // Tiles of 16 rows by 8 columns: whole cache lines each way, few enough that their sets do not collide.
    constexpr std::int64_t tile_rows = 16, tile_cols = 8;
    for (std::int64_t c0 = 0; c0 < in.cols; c0 += tile_cols) {
        const std::int64_t c1 = c0 + tile_cols < in.cols ? c0 + tile_cols : in.cols;
        for (std::int64_t r0 = 0; r0 < in.rows; r0 += tile_rows) {
            const std::int64_t r1 = r0 + tile_rows < in.rows ? r0 + tile_rows : in.rows;
            if (r1 - r0 == tile_rows && c1 - c0 == tile_cols) {
                for (std::int64_t c = c0; c < c1; c += 4)
                    for (std::int64_t r = r0; r < r1; r += 4)
                        transpose4(in.data + r * in.stride + c, in.stride, out.data + c * out.stride + r, out.stride);
            } else {
                for (std::int64_t c = c0; c < c1; ++c)
                    for (std::int64_t r = r0; r < r1; ++r)
                        __builtin_memcpy(out.data + c * out.stride + r, in.data + r * in.stride + c, 8);
            }
        }
    }
}

}  // namespace sidelook::SIDELOOK_ISA
