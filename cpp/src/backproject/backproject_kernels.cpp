// Inner loops of backprojection; see backproject_kernels.h. Compiled once for each instruction set.
#include "backproject/backproject_kernels.h"

#include "core/simd.h"

namespace sidelook::SIDELOOK_ISA
{
namespace
{

/// Vector whose 128-bit lane l holds the two complex samples at line[index[4 l + n]].
SIDELOOK_INLINE vfloat pairs(const c64 *line, const int *index, int n)
{
    const auto at = [&](int l) { return reinterpret_cast<const float *>(line + index[4 * l + n]); };
#if defined(__AVX512F__)
    __m512 v = _mm512_castps128_ps512(_mm_loadu_ps(at(0)));
    v = _mm512_insertf32x4(v, _mm_loadu_ps(at(1)), 1);
    v = _mm512_insertf32x4(v, _mm_loadu_ps(at(2)), 2);
    return (vfloat)_mm512_insertf32x4(v, _mm_loadu_ps(at(3)), 3);
#elif defined(__AVX2__)
    return (vfloat)_mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(at(0))), _mm_loadu_ps(at(1)), 1);
#else
    return load(at(0));
#endif
}

/// Within each 128-bit lane: elements i, j of a, then k, l of b.
template <int i, int j, int k, int l> SIDELOOK_INLINE vfloat mixed(vfloat a, vfloat b)
{
#if defined(__clang__)
    vfloat r;
    for (int n = 0; n < simd_width; n += 4) {
        r[n] = a[n + i];
        r[n + 1] = a[n + j];
        r[n + 2] = b[n + k];
        r[n + 3] = b[n + l];
    }
    return r;
#else
    vint mask;
    for (int n = 0; n < simd_width; n += 4) {
        mask[n] = n + i;
        mask[n + 1] = n + j;
        mask[n + 2] = simd_width + n + k;
        mask[n + 3] = simd_width + n + l;
    }
    return __builtin_shuffle(a, b, mask);
#endif
}

/// Real and imaginary parts of coefficients first and first + 1 of every lane's pixel.
SIDELOOK_INLINE void coefficients(const c64 *line, const int *index, vfloat &re0, vfloat &im0, vfloat &re1, vfloat &im1)
{
    const vfloat a = pairs(line, index, 0), b = pairs(line, index, 1), c = pairs(line, index, 2),
                 d = pairs(line, index, 3);
    // 4 x 4 transposition within lanes, pixel by pixel to part by part.
    const vfloat ab0 = mixed<0, 1, 0, 1>(a, b), ab1 = mixed<2, 3, 2, 3>(a, b), cd0 = mixed<0, 1, 0, 1>(c, d),
                 cd1 = mixed<2, 3, 2, 3>(c, d);
    re0 = mixed<0, 2, 0, 2>(ab0, cd0);
    im0 = mixed<1, 3, 1, 3>(ab0, cd0);
    re1 = mixed<0, 2, 0, 2>(ab1, cd1);
    im1 = mixed<1, 3, 1, 3>(ab1, cd1);
}

inline vfloat clamped(vfloat x, float limit)
{
    const vfloat high = splat(limit), low = splat(-limit);
    const vint over = x > high, under = x < low;
    return (vfloat)(((vint)high & over) | ((vint)low & under) | ((vint)x & ~over & ~under));
}

inline vfloat magnitude(vfloat x) { return (vfloat)((vint)x & 0x7fffffff); }

}  // namespace

void sights(const PulseTracks<pulse_group> &tracks, const Vec3 &p, GroupSights &out)
{
    // By value and reference-free, so that the loop becomes vectors of pulses.
    const Vec3 place = p;
    GroupSights *__restrict to = &out;
#pragma GCC ivdep
    for (int i = 0; i < pulse_group; ++i) {
        const Sight s = sight(tracks, i, place);
        to->delay_s[i] = s.delay_s;
        to->doppler_rate[i] = s.doppler_rate;
        to->inverse_range_per_m[i] = s.inverse_range_per_m;
        to->off_axis[i] = s.off_axis;
        to->slope[0][i] = s.slope.x;
        to->slope[1][i] = s.slope.y;
        to->slope[2][i] = s.slope.z;
        to->doppler_slope[0][i] = s.doppler_slope.x;
        to->doppler_slope[1][i] = s.doppler_slope.y;
        to->doppler_slope[2][i] = s.doppler_slope.z;
    }
}

void accumulate(const PixelPlanes &pixels, int lines, const PulseTerms *pulses, int count, const PulseScales &scales)
{
    for (int at = 0; at < lines * block_samples; at += simd_width) {
        const vfloat x = load(pixels.x + at), y = load(pixels.y + at), z = load(pixels.z + at),
                     along = load(pixels.along + at), across = load(pixels.across + at),
                     delay = load(pixels.delay + at), centroid = load(pixels.centroid + at);
        vfloat sum_re = load(pixels.re + at), sum_im = load(pixels.im + at);
        for (int i = 0; i < count; ++i) {
            const PulseTerms &p = pulses[i];
            // Delay less the reference's, beyond the centre's: linear, and what of the quadratic part has changed.
            const vfloat linear = fma(x, splat(p.slope_x), fma(y, splat(p.slope_y), z * splat(p.slope_z)));
            const vfloat bent = fma(linear, splat(-p.bend), fma(along, splat(-p.inverse_range), splat(1.0f)));
            const vfloat change = fma(linear, bent, across * splat(p.stretch));
            const vfloat doppler = fma(x, splat(p.doppler_x), fma(y, splat(p.doppler_y), z * splat(p.doppler_z)));
            const vfloat place = fma(doppler, splat(-scales.samples_a_hz),
                                     fma(change, splat(scales.samples_a_cycle), delay + splat(p.delay)));

            const vfloat off = doppler - centroid;
            vfloat weight = fma(fma(splat(p.weight[2]), off, splat(p.weight[1])), off, splat(p.weight[0]));
            if (p.edge) {
                const vfloat beyond = magnitude(off + splat(p.offset_hz)) - splat(scales.half_band_hz);
                vfloat sine, cosine;
                sincos_cycles(splat(0.5f) * clamped(beyond * splat(scales.inverse_roll_off_s), 0.5f), sine, cosine);
                weight *= splat(0.5f) - splat(0.5f) * sine;
            }

            // Cubic B-spline: coefficients place - 1 .. place + 2, the line beginning one before.
            const vint whole = __builtin_convertvector(place, vint);
            const vfloat f = place - __builtin_convertvector(whole, vfloat), g = splat(1.0f) - f;
            alignas(64) int index[simd_width];
            __builtin_memcpy(index, &whole, sizeof whole);
            const vfloat f2 = f * f;
            const vfloat w0 = g * g * g, w3 = f2 * f, w1 = fma(splat(3.0f), w3, fma(splat(-6.0f), f2, splat(4.0f))),
                         w2 = splat(6.0f) - (w0 + w1 + w3);
            vfloat re0, im0, re1, im1, re2, im2, re3, im3;
            coefficients(p.line, index, re0, im0, re1, im1);
            coefficients(p.line + 2, index, re2, im2, re3, im3);
            const vfloat re = fma(w0, re0, fma(w1, re1, fma(w2, re2, w3 * re3))),
                         im = fma(w0, im0, fma(w1, im1, fma(w2, im2, w3 * im3)));

            vfloat sine, cosine;
            sincos_cycles(change + splat(p.cycles), sine, cosine);
            sine *= weight;
            cosine *= weight;
            sum_re = fma(re, cosine, fma(-im, sine, sum_re));
            sum_im = fma(re, sine, fma(im, cosine, sum_im));
        }
        store(pixels.re + at, sum_re);
        store(pixels.im + at, sum_im);
    }
}

}  // namespace sidelook::SIDELOOK_ISA
