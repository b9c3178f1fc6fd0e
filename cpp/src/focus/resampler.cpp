#include "focus/resampler.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>

#include "core/text.h"
#include "sidelook/error.h"

namespace sidelook
{
namespace
{

constexpr int taps = resampler_taps;
constexpr double pi = 3.14159265358979323846;

/// Moment integrals m_n(d) = 1/2 integral over x in [-1, 1] of x^{2n} cos(w d x) dx by Gauss-free composite Simpson;
/// smooth integrand, so 200 panels leave less than 1e-9 for |w d| < 30.
std::array<double, resampler_terms> moments(double wd)
{
    std::array<double, resampler_terms> sum{};
    constexpr int panels = 200;
    for (int i = 0; i <= panels; ++i) {
        const double x = static_cast<double>(i) / panels, simpson = (i == 0 || i == panels) ? 1 : (i % 2 ? 4 : 2);
        double term = simpson * std::cos(wd * x) / (3 * panels);
        for (double &s : sum) {
            s += term;
            term *= x * x;
        }
    }
    return sum;
}

using Matrix = std::array<std::array<double, taps>, taps>;

/// Cholesky factor of the Gram matrix of the taps' responses over the band.
Matrix gram_factor(double w)
{
    Matrix l{};
    for (int i = 0; i < taps; ++i) {
        for (int j = 0; j <= i; ++j) {
            const double d = w * (i - j);
            double sum =
                i == j ? 1 + 1e-11 : std::sin(d) / d;  // the ridge bounds the taps where the band leaves them free
            for (int k = 0; k < j; ++k) sum -= l[i][k] * l[j][k];
            l[i][j] = i == j ? std::sqrt(sum) : sum / l[j][j];
        }
    }
    return l;
}

std::array<double, taps> solve(const Matrix &l, std::array<double, taps> b)
{
    for (int i = 0; i < taps; ++i) {
        for (int k = 0; k < i; ++k) b[i] -= l[i][k] * b[k];
        b[i] /= l[i][i];
    }
    for (int i = taps - 1; i >= 0; --i) {
        for (int k = i + 1; k < taps; ++k) b[i] -= l[k][i] * b[k];
        b[i] /= l[i][i];
    }
    return b;
}

}  // namespace

Resampler::Resampler(double band) : band_(band)
{
    require(band > 0 && band < 0.5, text("resampler band is ", band, " cycles a sample; must lie within 0 and 0.5"));
    const double w = 2 * pi * band;
    const Matrix factor = gram_factor(w);
    // Distances between a fraction and a tap are multiples of 1/steps, and the moments are even in them.
    std::vector<std::array<double, resampler_terms>> moment_at;
    for (int i = 0; i <= (taps / 2 + 1) * resampler_steps; ++i) moment_at.push_back(moments(w * i / resampler_steps));
    table_.resize(static_cast<std::size_t>((2 * resampler_steps + 1) * resampler_terms * taps));
    for (int step = 0; step <= 2 * resampler_steps; ++step) {
        const double fraction = static_cast<double>(step) / resampler_steps - 0.5;
        std::array<std::array<double, taps>, resampler_terms> right{};
        for (int k = 0; k < taps; ++k) {
            const int distance = (k - 7) * resampler_steps - (step - resampler_steps / 2);
            const auto &m = moment_at[static_cast<std::size_t>(std::abs(distance))];
            for (int n = 0; n < resampler_terms; ++n) right[n][k] = m[n];
        }
        double factorial = 1;
        for (int n = 0; n < resampler_terms; ++n) {
            factorial *= n > 0 ? n : 1;
            const auto h = solve(factor, right[n]);
            float *out = table_.data() + (step * resampler_terms + n) * taps;
            for (int k = 0; k < taps; ++k) out[k] = static_cast<float>(h[k] / factorial);
            if (n == 0 && fraction >= 0 && fraction <= 1 && step % 8 == 0) {
                for (int i = 0; i <= 64; ++i) {
                    const double x = w * i / 64;
                    std::complex<double> response = 0;
                    for (int k = 0; k < taps; ++k) response += h[k] * std::polar(1.0, x * (k - 7 - fraction));
                    worst_error_ = std::max(worst_error_, std::abs(response - 1.0));
                }
            }
        }
    }
}

}  // namespace sidelook
