// Backscatter models and random fields of the coast scene; see backscatter.h.
#include "simulate/backscatter.h"

#include <algorithm>
#include <cmath>

#include "sidelook/error.h"
#include "simulate/vec.h"

namespace sidelook::simulate
{

double cmod5n(double v, double relative_deg, double incidence_deg)
{
    // Table of the memorandum, c1 to c28; names of the intermediate quantities as there.
    static const double c[29] = {0,      -0.6878, -0.7957, 0.3380,  -0.1728, 0.0000, 0.0040, 0.1103, 0.0159,  6.7329,
                                 2.7713, -2.2885, 0.4971,  -0.7250, 0.0450,  0.0066, 0.3222, 0.0120, 22.7000, 2.0813,
                                 3.0000, 8.3659,  -3.3428, 1.3236,  6.2437,  2.3893, 0.3249, 4.1590, 1.6930};
    const double x = (incidence_deg - 40) / 25, x2 = x * x, phi = relative_deg * radians_per_degree;
    const double a0 = c[1] + c[2] * x + c[3] * x2 + c[4] * x * x2, a1 = c[5] + c[6] * x, a2 = c[7] + c[8] * x;
    const double gamma = c[9] + c[10] * x + c[11] * x2, s0 = c[12] + c[13] * x, s = a2 * v;
    const auto logistic = [](double z) { return 1 / (1 + std::exp(-z)); };
    double a3 = logistic(std::max(s, s0));
    if (s < s0) a3 = logistic(s0) * std::pow(s / s0, s0 * (1 - logistic(s0)));
    const double b0 = std::pow(a3, gamma) * std::pow(10.0, a0 + a1 * v);

    const double b1 = (c[14] * (1 + x) - c[15] * v * (0.5 + x - std::tanh(4 * (x + c[16] + c[17] * v)))) /
                      (1 + std::exp(0.34 * (v - c[18])));

    const double y0 = c[19], n = c[20], a = y0 - (y0 - 1) / n, b = 1 / (n * std::pow(y0 - 1, n - 1));
    double v2 = 1 + v / (c[21] + c[22] * x + c[23] * x2);
    if (v2 < y0) v2 = a + b * std::pow(v2 - 1, n);
    const double d1 = c[24] + c[25] * x + c[26] * x2, d2 = c[27] + c[28] * x;
    const double b2 = (-d1 + d2 * v2) * std::exp(-v2);
    return b0 * std::pow(1 + b1 * std::cos(phi) + b2 * std::cos(2 * phi), 1.6);
}

double nrl_sea(double carrier_hz, double wind_m_per_s, double incidence_deg)
{
    constexpr double c1 = -50.79, c2 = 25.93, c3 = 0.7093, c4 = 21.58, c5 = 0.00211;  // vertical polarisation
    const double grazing = 90 - incidence_deg, state = std::pow(wind_m_per_s / 3.16, 1 / 0.8);
    const double db = c1 + c2 * std::log10(std::sin(grazing * radians_per_degree)) +
                      (27.5 + c3 * grazing) * std::log10(carrier_hz / 1e9) / (1 + 0.95 * grazing) +
                      c4 * std::pow(1 + state, 1 / (2 + 0.085 * grazing + 0.033 * state)) + c5 * grazing * grazing;
    return std::pow(10.0, db / 10);
}

double sea_sigma0(const std::string &model, double carrier_hz, double wind_m_per_s, double relative_deg,
                  double incidence_deg)
{
    const auto angle = [&](double low, double high) {
        require(incidence_deg >= low && incidence_deg <= high,
                "incidence of the scene is " + std::to_string(incidence_deg) + " degrees; must lie between " +
                    std::to_string(low) + " and " + std::to_string(high) + " for sea_model " + model);
    };
    if (model == "cmod5n") {
        angle(16, 60);
        return cmod5n(wind_m_per_s, relative_deg, incidence_deg);
    }
    require(model == "nrl", "sea_model is '" + model + "'; must be cmod5n or nrl");
    angle(30, 89.9);
    return nrl_sea(carrier_hz, wind_m_per_s, incidence_deg);
}

double displacement_t(double length_m, double width_m) { return 1.025 * 0.7 * length_m * width_m * width_m / 2.7; }

double ship_rcs_m2(double length_m, double width_m) { return displacement_t(length_m, width_m); }

namespace
{

/// Regularised lower incomplete gamma function P(a, x), by its series or by Lentz's continued fraction (Abramowitz &
/// Stegun 6.5.29 and 6.5.31).
double gamma_p(double a, double x)
{
    if (x <= 0) return 0;
    const double front = std::exp(-x + a * std::log(x) - std::lgamma(a));
    if (x < a + 1) {
        double term = 1 / a, sum = term;
        for (int n = 1; n < 2000 && term > 1e-17 * sum; ++n) sum += term *= x / (a + n);
        return front * sum;
    }
    double b = x + 1 - a, c = 1e300, d = 1 / b, h = d;
    for (int n = 1; n < 2000; ++n) {
        const double an = -n * (n - a);
        b += 2;
        d = 1 / (an * d + b);
        c = b + an / c;
        h *= d * c;
        if (std::abs(d * c - 1) < 1e-15) break;
    }
    return 1 - front * h;
}

constexpr double table_reach = 5.5;  // beyond, with probability 4e-8, the quantile stays that of 5.5 sigma
constexpr int table_steps = 1100;

}  // namespace

GammaQuantile::GammaQuantile(double shape) : table_(table_steps + 2)
{
    for (int i = 0; i <= table_steps + 1; ++i) {
        const double g = -table_reach + i * (2 * table_reach / table_steps);
        const double p = 0.5 * std::erfc(-g / std::sqrt(2.0));
        double low = -60, high = std::log(shape + 60 + 20 * std::sqrt(shape));  // ln of the unscaled value
        for (int k = 0; k < 70; ++k) {
            const double middle = 0.5 * (low + high);
            (gamma_p(shape, std::exp(middle)) < p ? low : high) = middle;
        }
        table_[static_cast<std::size_t>(i)] = std::exp(0.5 * (low + high)) / shape;
    }
}

double GammaQuantile::operator()(double normal) const
{
    const double place =
        (std::clamp(normal, -table_reach, table_reach) + table_reach) * (table_steps / (2 * table_reach));
    const std::size_t i = static_cast<std::size_t>(place);
    return table_[i] + (place - static_cast<double>(i)) * (table_[i + 1] - table_[i]);
}

namespace
{

constexpr int reach = 4;  // lattice steps, of 1 sigma of the smoothing kernel each: e^-8

double lattice_normal(const Random &random, std::int64_t i, std::int64_t j)
{
    const auto w =
        random.words(static_cast<std::uint64_t>(static_cast<std::uint32_t>(i)) << 32 | static_cast<std::uint32_t>(j));
    return std::sqrt(2.0) * Random::normal(w[0], w[1]).real();
}

}  // namespace

void NormalField::prepare(double x0_m, double x1_m, double y0_m, double y1_m)
{
    i0_ = static_cast<std::int64_t>(std::floor(x0_m / spacing_m_)) - reach;
    j0_ = static_cast<std::int64_t>(std::floor(y0_m / spacing_m_)) - reach;
    ni_ = static_cast<std::int64_t>(std::ceil(x1_m / spacing_m_)) + reach - i0_ + 1;
    nj_ = static_cast<std::int64_t>(std::ceil(y1_m / spacing_m_)) + reach - j0_ + 1;
    lattice_.resize(static_cast<std::size_t>(ni_ * nj_));
    for (std::int64_t i = 0; i < ni_; ++i)
        for (std::int64_t j = 0; j < nj_; ++j)
            lattice_[static_cast<std::size_t>(i * nj_ + j)] = lattice_normal(random_, i0_ + i, j0_ + j);
}

double NormalField::value(double x_m, double y_m) const
{
    // White lattice noise smoothed by a Gaussian of sigma = one step = length / 2; divided by the weights' own norm, so
    // that the variance is 1 wherever the point lies between the lattice's nodes.
    const double x = x_m / spacing_m_ - static_cast<double>(i0_), y = y_m / spacing_m_ - static_cast<double>(j0_);
    const std::int64_t i = static_cast<std::int64_t>(x), j = static_cast<std::int64_t>(y);
    constexpr int taps = 2 * reach;
    double wx[taps], wy[taps], norm_x = 0, norm_y = 0, sum = 0;
    for (int k = 0; k < taps; ++k) {
        const double dx = static_cast<double>(i - reach + 1 + k) - x, dy = static_cast<double>(j - reach + 1 + k) - y;
        wx[k] = std::exp(-0.5 * dx * dx);
        wy[k] = std::exp(-0.5 * dy * dy);
        norm_x += wx[k] * wx[k];
        norm_y += wy[k] * wy[k];
    }
    for (int k = 0; k < taps; ++k) {
        const double *row = &lattice_[static_cast<std::size_t>((i - reach + 1 + k) * nj_ + j - reach + 1)];
        double line = 0;
        for (int m = 0; m < taps; ++m) line += wy[m] * row[m];
        sum += wx[k] * line;
    }
    return sum / std::sqrt(norm_x * norm_y);
}

double fractal_noise(const Random &random, double x_m, double y_m, double length_m, int octaves)
{
    double sum = 0, weight = 0.5, scale = 1 / length_m;
    for (int octave = 0; octave < octaves; ++octave, weight *= 0.5, scale *= 2) {
        const double x = x_m * scale, y = y_m * scale, fx = std::floor(x), fy = std::floor(y);
        const std::int64_t i = static_cast<std::int64_t>(fx), j = static_cast<std::int64_t>(fy);
        const auto corner = [&](std::int64_t a, std::int64_t b) {
            const auto w = random.words(static_cast<std::uint64_t>(static_cast<std::uint32_t>(a)) << 32 |
                                            static_cast<std::uint32_t>(b),
                                        static_cast<std::uint32_t>(octave));
            return 2 * Random::uniform(w[0]) - 1;
        };
        const auto smooth = [](double t) { return t * t * t * (t * (6 * t - 15) + 10); };
        const double u = smooth(x - fx), v = smooth(y - fy);
        const double low = corner(i, j) * (1 - u) + corner(i + 1, j) * u;
        const double high = corner(i, j + 1) * (1 - u) + corner(i + 1, j + 1) * u;
        sum += weight * 2 * (low * (1 - v) + high * v);
    }
    return sum;
}

}  // namespace sidelook::simulate
