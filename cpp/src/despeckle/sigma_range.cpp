// Lee, Wen, Ainsworth, Chen, Chen, Improved sigma filter for speckle filtering of SAR imagery, IEEE Transactions on
// Geoscience and Remote Sensing 47 (1), 2009: bounds I1, I2 and the variation eta' within, for any number of looks.
#include <cmath>

#include "sidelook/despeckle.h"

namespace sidelook
{
namespace
{

/// Regularised lower incomplete gamma function P(a, x): its series below a + 1, its continued fraction (Lentz) above.
double gamma_p(double a, double x)
{
    if (x <= 0) return 0;
    const double front = std::exp(a * std::log(x) - x - std::lgamma(a));
    if (x < a + 1) {
        double term = 1 / a, sum = term;
        for (double n = a + 1; term > sum * 1e-17; ++n) sum += term *= x / n;
        return front * sum;
    }
    double b = x + 1 - a, c = 1e300, d = 1 / b, h = d;
    for (int i = 1; i < 100000; ++i) {
        const double an = -i * (i - a);
        b += 2;
        d = 1 / (an * d + b);
        c = b + an / c;
        h *= d * c;
        if (std::abs(d * c - 1) < 1e-16) break;
    }
    return 1 - front * h;
}

/// Moments of speckle of mean 1 below x. A power p of intensity I, gamma distributed, has the moments
/// E[I^k; I < y] = Gamma(L + k) / (Gamma(L) L^k) P(L + k, L y).
class Speckle
{
public:
    Speckle(double looks, bool amplitude) : looks_(looks), power_(amplitude ? 0.5 : 1) { mean_ = moment(power_); }
    double below(int order, double x) const
    {
        const double k = order * power_, intensity = std::pow(x * mean_, 1 / power_);
        return moment(k) / std::pow(mean_, order) * gamma_p(looks_ + k, looks_ * intensity);
    }
    double between(int order, double low, double high) const { return below(order, high) - below(order, low); }

private:
    double moment(double k) const
    {
        return std::exp(std::lgamma(looks_ + k) - std::lgamma(looks_) - k * std::log(looks_));
    }
    double looks_, power_, mean_ = 1;
};

template <class Rising> double where_it_vanishes(double low, double high, const Rising &rising)
{
    for (int i = 0; i < 200 && high - low > 1e-15 * high; ++i) {
        const double middle = 0.5 * (low + high);
        (rising(middle) < 0 ? low : high) = middle;
    }
    return 0.5 * (low + high);
}

}  // namespace

SigmaRange sigma_range(double looks, bool amplitude, double share)
{
    const Speckle speckle(looks, amplitude);
    const double far = 1 + 60 / std::sqrt(looks) + 800 / looks;  // nothing lies beyond
    const auto top = [&](double low) {
        return where_it_vanishes(low, far, [&](double high) { return speckle.between(0, low, high) - share; });
    };
    // The lower bound may not leave less than the share above it.
    const double most = where_it_vanishes(0, 1, [&](double low) { return speckle.below(0, low) - (1 - share); });
    SigmaRange r;
    r.low = where_it_vanishes(0, most, [&](double low) { return speckle.between(1, low, top(low)) / share - 1; });
    r.high = top(r.low);
    const double mean = speckle.between(1, r.low, r.high) / share;
    r.cu2 = speckle.between(2, r.low, r.high) / share / (mean * mean) - 1;
    return r;
}

}  // namespace sidelook
