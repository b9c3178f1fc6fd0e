// Physics of the speckle filters that need the moments of a window, a pixel at a time, for the CPU and a CUDA twin to
// come: V is float, or on the CPU a vector of floats (then core/simd.h comes first).
//
// Two parts of a window are joined by their sums and their sums of squared deviations from their own means: nothing is
// subtracted that is nearly equal, so that neither bright points nor many looks cost digits (Chan, Golub, LeVeque
// 1983).
#pragma once

#include <cmath>

#include "core/host_device.h"
#include "despeckle/speckle.h"

namespace sidelook
{
namespace
{

SIDELOOK_HD inline float root(float x) { return sqrtf(x); }
SIDELOOK_HD inline float exponential(float x) { return expf(x); }
#if defined(__CUDACC__) || defined(__FMA__) || defined(__ARM_FEATURE_FMA)
SIDELOOK_HD inline float fma(float a, float b, float c) { return fmaf(a, b, c); }
#else
SIDELOOK_HD inline float fma(float a, float b, float c) { return a * b + c; }
#endif

/// Sum, and sum of squared deviations from the mean.
template <class V> struct Moments {
    V sum, dev;
};

/// What joins na values with nb: na / nb, and nb / (na (na + nb)). Where there are none of one, the other's moments
/// come out; where all are there, the bits do not depend on whether V counts them or a float does.
template <class V> struct JoinWeights {
    V ratio, scale;
};

template <class V> SIDELOOK_HD inline V at_least_one(V n) { return n > V{} + 1.0f ? n : V{} + 1.0f; }

template <class V> SIDELOOK_HD inline JoinWeights<V> join_weights(V na, V nb)
{
    return {na / at_least_one(nb), nb / at_least_one(na * (na + nb))};
}

template <class V> SIDELOOK_HD inline Moments<V> join(Moments<V> a, Moments<V> b, JoinWeights<V> w)
{
    const V d = fma(-w.ratio, b.sum, a.sum);
    return {a.sum + b.sum, fma(d * w.scale, d, a.dev + b.dev)};
}

/// (1 - w) mean + w x, with q = 1 - w: exact at both ends, and without losing a small x beside a bright point.
template <class V> SIDELOOK_HD inline V between(V q, V mean, V x) { return q * mean + (1.0f - q) * x; }

/// Share of the speckle in the variance, Cu^2 / Ci^2, at most 1.
template <class V, class C> SIDELOOK_HD inline V speckle_share(V mean, V var, C cu2)
{
    const V speckle = mean * mean * cu2, one = V{} + 1.0f;
    const auto more = var > speckle;
    const V share = speckle / (more ? var : one);
    return more ? share : one;
}

/// Lee (1980): w = 1 - Cu^2 / Ci^2.
template <class V> SIDELOOK_HD inline V lee(V x, V mean, V var, const SpeckleNumbers &s)
{
    return between(speckle_share(mean, var, s.cu2), mean, x);
}

/// Kuan et al. (1985): w = (1 - Cu^2 / Ci^2) / (1 + Cu^2), the least mean square error under multiplicative speckle.
/// Cu^2 may differ from pixel to pixel.
template <class V, class C> SIDELOOK_HD inline V kuan(V x, V mean, V var, C cu2)
{
    return between((speckle_share(mean, var, cu2) + cu2) * (1.0f / (1.0f + cu2)), mean, x);
}

/// Squared coefficient of variation; 0 where all is 0.
template <class V> SIDELOOK_HD inline V squared_variation(V mean, V var)
{
    const V inverse = 1.0f / (mean > V{} ? mean : V{} + 1.0f);
    return var * inverse * inverse;
}

/// Enhanced Lee (Lopes, Touzi, Nezry 1990): the mean up to Cu, the pixel from Cmax on, between them
/// w = 1 - exp(-K (Ci - Cu) / (Cmax - Ci)).
template <class V> SIDELOOK_HD inline V enhanced_lee(V x, V mean, V var, const SpeckleNumbers &s)
{
    const V ci2 = squared_variation(mean, var), one = V{} + 1.0f;
    const V ci = root(ci2);
    const float cu = root(s.cu2), cmax = root(s.cmax2);
    const auto flat = ci2 <= s.cu2, bright = ci2 >= s.cmax2;
    const V room = cmax - ci;
    const V q = exponential((ci - cu) * -s.damping / (room > 1e-6f * cmax ? room : one * (1e-6f * cmax)));
    return flat ? mean : bright ? x : between(q, mean, x);
}

/// Gamma MAP (Lopes, Nezry, Touzi, Laur 1990): the root of a x^2 - (a - L - 1) m x - L m I, a = (1 + Cu^2) / (Ci^2 -
/// Cu^2), multiplied by Ci^2 - Cu^2 and divided by m^2 so that nothing grows beyond bounds where it vanishes.
template <class V> SIDELOOK_HD inline V gamma_map(V x, V mean, V var, const SpeckleNumbers &s)
{
    const V ci2 = squared_variation(mean, var), one = V{} + 1.0f;
    const V ratio = x / (mean > V{} ? mean : one);
    const auto flat = ci2 <= s.cu2, bright = ci2 >= s.cmax2;
    const V excess = flat ? V{} : ci2 - s.cu2;
    const float a = 1.0f + s.cu2;
    const V b = a - (s.looks + 1.0f) * excess, c = excess * s.looks * ratio;
    const V r = root(b * b + 4.0f * a * c);
    // b negative: the other form of the root, which subtracts nothing
    const auto below = b < V{};
    const V up = below ? 2.0f * c : b + r;
    const V y = mean * (up / (below ? r - b : one * (2.0f * a)));
    return flat ? mean : bright ? x : y;
}

}  // namespace
}  // namespace sidelook
