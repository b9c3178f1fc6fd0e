// Vectors of floats as wide as the instruction set of the file being compiled. Only for files of sidelook_isa_sources.
// Everything here has internal linkage: a kernel's code must not be shared between instruction sets.
#pragma once

#if defined(__AVX2__) || defined(__AVX512F__)
#include <immintrin.h>
#elif defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace sidelook
{
namespace
{

#if defined(__AVX512F__)
constexpr int simd_width = 16;
#elif defined(__AVX2__)
constexpr int simd_width = 8;
#else
constexpr int simd_width = 4;
#endif

typedef float vfloat __attribute__((vector_size(simd_width * 4)));
typedef int vint __attribute__((vector_size(simd_width * 4)));

/// x - 0 is x whatever its sign, so that no arithmetic is left of it; 0 + x would not be.
inline vfloat splat(float x) { return x - vfloat{}; }

inline vfloat load(const float *p)
{
    vfloat v;
    __builtin_memcpy(&v, p, sizeof v);
    return v;
}

inline void store(float *p, vfloat v) { __builtin_memcpy(p, &v, sizeof v); }

/// a b + c, rounded once where the instruction set can.
inline vfloat fma(vfloat a, vfloat b, vfloat c)
{
#if defined(__AVX512F__)
    return (vfloat)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif defined(__FMA__)
    return (vfloat)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#else
    return a * b + c;
#endif
}

/// Lanes by .. by + simd_width - 1 of a and then b, 0 < by <= simd_width.
template <int by> inline vfloat lanes_from(vfloat a, vfloat b)
{
    static_assert(by > 0 && by <= simd_width, "within a and b");
#if defined(__clang__)
    vfloat r;
    for (int i = 0; i < simd_width; ++i) r[i] = i + by < simd_width ? a[i + by] : b[i + by - simd_width];
    return r;
#else
    if (by == simd_width) return b;
    vint mask;
    for (int i = 0; i < simd_width; ++i) mask[i] = i + by;
    return __builtin_shuffle(a, b, mask);
#endif
}

inline vfloat root(vfloat x)
{
#if defined(__AVX512F__)
    return (vfloat)_mm512_maskz_sqrt_ps(0xffff, (__m512)x);  // g++ 12 warns of the plain one
#elif defined(__AVX2__)
    return (vfloat)_mm256_sqrt_ps((__m256)x);
#elif defined(__SSE2__)
    return (vfloat)_mm_sqrt_ps((__m128)x);
#else
    for (int i = 0; i < simd_width; ++i) x[i] = __builtin_sqrtf(x[i]);
    return x;
#endif
}

/// e^x for x <= 0 to 2e-7 relative; below -87, whose power is no normal float any more, 0.
inline vfloat exponential(vfloat x)
{
    const vfloat magic = splat(12582912.0f);  // 1.5 * 2^23: adding it rounds to whole numbers
    const vfloat turns = x * splat(1.44269504f) + magic;
    const vfloat n = turns - magic;
    vfloat t = x - n * splat(0.693359375f);  // ln 2 in two parts, the first with few digits
    t = t - n * splat(-2.12194440e-4f);
    // the series to t^6 / 720, |t| <= ln 2 / 2: the first term left out is below 1.3e-7
    vfloat p = fma(t, splat(1.0f / 720), splat(1.0f / 120));
    p = fma(p, t, splat(1.0f / 24));
    p = fma(p, t, splat(1.0f / 6));
    p = fma(p, t, splat(0.5f));
    p = fma(p, t, splat(1.0f));
    p = fma(p, t, splat(1.0f));
    const vint power = (((vint)turns - (vint)magic) + 127) << 23;
    const vint there = x >= splat(-87.0f);
    return (vfloat)((vint)(p * (vfloat)power) & there);
}

/// Exchanges real and imaginary parts of interleaved complex numbers.
inline vfloat swap_pairs(vfloat v)
{
    vint mask;
    for (int i = 0; i < simd_width; ++i) mask[i] = i ^ 1;
#if defined(__clang__)
    vfloat r;
    for (int i = 0; i < simd_width; ++i) r[i] = v[i ^ 1];
    return r;
#else
    return __builtin_shuffle(v, mask);
#endif
}

/// sin(2 pi t) and cos(2 pi t) for |t| up to about 1e4: t is reduced to a quarter turn, then minimax polynomials whose
/// error is below 3e-8 plus rounding (Chebyshev fits on [-1/8, 1/8]).
inline void sincos_cycles(vfloat t, vfloat &s, vfloat &c)
{
    // Rounding to the nearest multiple of 1/4 by adding and taking away 1.5 * 2^21, whose ulp is 1/4.
    const vfloat magic = splat(3145728.0f);
    const vfloat quarter = (t + magic);
    const vint turns = (vint)quarter;  // the low two bits count quarter turns
    const vfloat x = t - (quarter - magic), y = x * x;
    vfloat ss = splat(-75.40184031f);
    ss = fma(ss, y, splat(81.59254821f));
    ss = fma(ss, y, splat(-41.3416626f));
    ss = fma(ss, y, splat(6.28318529f)) * x;
    vfloat cc = splat(-83.59221439f);
    cc = fma(cc, y, splat(64.92124357f));
    cc = fma(cc, y, splat(-19.73915217f));
    cc = fma(cc, y, splat(0.99999997f));
    const vint odd = (turns & 1) != 0;
    const vfloat a = (vfloat)(((vint)ss & ~odd) | ((vint)cc & odd)), b = (vfloat)(((vint)cc & ~odd) | ((vint)ss & odd));
    const vint sign_s = (turns & 2) << 30, sign_c = ((turns + 1) & 2) << 30;
    s = (vfloat)((vint)a ^ sign_s);
    c = (vfloat)((vint)b ^ sign_c);
}

}  // namespace
}  // namespace sidelook
