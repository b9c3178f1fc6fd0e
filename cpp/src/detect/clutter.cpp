#include "detect/clutter.h"

#include <algorithm>
#include <cmath>

#include "core/text.h"
#include "sidelook/error.h"

namespace sidelook
{
namespace
{

constexpr double no_texture = 1e4;
constexpr int nodes = 128;  // of the integral over the texture's logarithm; by the trapezoidal rule

/// Nodes of texture and their weights for one order. The tail of the result is many orders smaller than the whole, and
/// the rule's error is one of the whole: the nodes lie within an eighth of each other in the logarithm.
struct Texture {
    double value[nodes], weight[nodes];
    explicit Texture(double order)
    {
        // The density of u = ln(tau) is exp(order (u - e^u)) times a constant; it is followed down to e^-34 of its peak
        // at u = 0, and no lower than e^-11: so little texture sends nothing above a hundredth of the mean.
        const auto bound = [&](double to) {
            double from = 0;
            for (int i = 0; i < 60; ++i) {
                const double u = 0.5 * (from + to);
                (order * (u - std::exp(u) + 1) > -34 ? from : to) = u;
            }
            return from;
        };
        const double low = std::max(-11.0, bound(-35 / order - 1)), high = bound(std::log(2 + 35 / order) + 8);
        const double step = (high - low) / (nodes - 1), constant = order * std::log(order) - std::lgamma(order);
        for (int i = 0; i < nodes; ++i) {
            const double u = low + step * i;
            value[i] = std::exp(u);
            weight[i] = step * std::exp(order * (u - value[i]) + constant);
        }
    }
    double exceedance(double t, double mean, double looks) const
    {
        double p = 0;
        for (int i = 0; i < nodes; ++i) p += weight[i] * gamma_q(looks, looks * t / (mean * value[i]));
        return p;
    }
};

/// Minimum by the simplex of Nelder & Mead (The Computer Journal 7, 1965), from `x` with these first steps.
template <std::size_t n, class F>
std::array<double, n> minimise(std::array<double, n> x, std::array<double, n> step, const F &f)
{
    std::array<std::array<double, n>, n + 1> p;
    std::array<double, n + 1> v;
    for (std::size_t i = 0; i <= n; ++i) {
        p[i] = x;
        if (i > 0) p[i][i - 1] += step[i - 1];
        v[i] = f(p[i]);
    }
    for (int iteration = 0; iteration < 200; ++iteration) {
        std::array<std::size_t, n + 1> order;
        for (std::size_t i = 0; i <= n; ++i) order[i] = i;
        std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return v[a] < v[b]; });
        const std::size_t best = order[0], worst = order[n];
        if (v[worst] - v[best] < 1e-4) break;  // of a log likelihood
        std::array<double, n> middle{};
        for (std::size_t i = 0; i < n; ++i)
            for (std::size_t k = 0; k < n; ++k) middle[k] += p[order[i]][k] / n;
        const auto along = [&](double share) {
            std::array<double, n> q;
            for (std::size_t k = 0; k < n; ++k) q[k] = middle[k] + share * (p[worst][k] - middle[k]);
            return q;
        };
        auto trial = along(-1);
        double value = f(trial);
        if (value < v[best]) {
            const auto far = along(-2);
            const double value_far = f(far);
            if (value_far < value) trial = far, value = value_far;
        } else if (value >= v[order[n - 1]]) {
            trial = along(value < v[worst] ? -0.5 : 0.5);
            value = f(trial);
        }
        if (value < v[worst]) {
            p[worst] = trial;
            v[worst] = value;
        } else {
            for (std::size_t i = 1; i <= n; ++i) {
                for (std::size_t k = 0; k < n; ++k) p[order[i]][k] = p[best][k] + 0.5 * (p[order[i]][k] - p[best][k]);
                v[order[i]] = f(p[order[i]]);
            }
        }
    }
    std::size_t best = 0;
    for (std::size_t i = 1; i <= n; ++i)
        if (v[i] < v[best]) best = i;
    return p[best];
}

}  // namespace

double gamma_q(double a, double x)
{
    if (!(x > 0)) return 1;
    if (a == 1) return std::exp(-x);
    const double front = std::exp(a * std::log(x) - x - std::lgamma(a));
    if (x < a + 1) {
        double term = 1 / a, sum = term;
        for (int k = 1; k < 500 && term > 1e-13 * sum; ++k) sum += term *= x / (a + k);
        return std::max(0.0, 1 - front * sum);
    }
    // the continued fraction by Lentz's method
    double b = x + 1 - a, c = 1e300, d = 1 / b, h = d;
    for (int k = 1; k < 500; ++k) {
        const double an = -k * (k - a);
        b += 2;
        d = 1 / (an * d + b);
        c = b + an / c;
        h *= c * d;
        if (std::abs(c * d - 1) < 1e-12) break;
    }
    return front * h;
}

double k_exceedance(double t, double mean, double looks, double order)
{
    return order > no_texture ? gamma_q(looks, looks * t / mean) : Texture(order).exceedance(t, mean, looks);
}

double RatioHistogram::edge(int k) { return std::ldexp(1 + (k % 8) / 8.0, k / 8 - 2); }

ClutterFit fit_clutter(const RatioHistogram &h, Clutter clutter, double nominal_looks)
{
    constexpr std::uint64_t fewest = 2000;
    require(h.all >= fewest, text("clutter: ", h.all, " pixels of open water; must be at least ", fewest));
    // The tail from what one in twenty exceeds to what one in 5000 does: nearer to the threshold than the body, and
    // still thousands of pixels. What lies beyond may be ships.
    const auto count = static_cast<double>(h.all);
    const double share_low = std::clamp(2000 / count, 0.05, 0.5), share_high = std::max(2e-4, 20 / count);
    std::array<double, ratio_bins + 1> beyond;  // share of the pixels beyond each edge
    std::uint64_t inside = 0;
    for (const std::uint32_t n : h.bin) inside += n;
    // all that is not in a bin lies below the first or beyond the last edge; the latter are ships or nothing
    double left = static_cast<double>(inside);
    for (int k = 0; k < ratio_bins; ++k) {
        beyond[static_cast<std::size_t>(k)] = left / count;
        left -= h.bin[static_cast<std::size_t>(k)];
    }
    beyond[ratio_bins] = 0;
    int low = 0, high = ratio_bins;
    while (low < ratio_bins - 4 && beyond[static_cast<std::size_t>(low + 1)] >= share_low) ++low;
    while (high > low + 4 && beyond[static_cast<std::size_t>(high - 1)] <= share_high) --high;
    // Single-look speckle is exponential; looks that overlap are no gamma variable exactly: their number is fitted.
    const bool single = nominal_looks < 1.05;
    const double inside_tail = beyond[static_cast<std::size_t>(low)] - beyond[static_cast<std::size_t>(high)];
    std::array<double, ratio_bins + 1> tail{};
    const auto cost = [&](double mean, double looks, double order) {
        if (!(mean > 0.02 && mean < 50 && looks > 0.4 && looks < 2000)) return 1e300;
        if (clutter == Clutter::k && !(order > 0.3 && order < 500)) return 1e300;
        if (clutter == Clutter::k) {
            const Texture texture(order);
            for (int k = low; k <= high; ++k)
                tail[static_cast<std::size_t>(k)] = texture.exceedance(h.edge(k), mean, looks);
        } else {
            for (int k = low; k <= high; ++k)
                tail[static_cast<std::size_t>(k)] = gamma_q(looks, looks * h.edge(k) / mean);
        }
        const double all = tail[static_cast<std::size_t>(low)] - tail[static_cast<std::size_t>(high)];
        double sum = 0;  // - log likelihood of the bins, given that a ratio lies in one of them
        for (int k = low; k < high; ++k) {
            const auto i = static_cast<std::size_t>(k);
            sum -= h.bin[i] * std::log(std::max(1e-300, (tail[i] - tail[i + 1]) / all));
        }
        // K knows not looks from order: a weak wish for the nominal looks tells them apart
        return sum + (single ? 0 : 2 * std::pow(std::log(looks / nominal_looks), 2));
    };
    ClutterFit fit;
    const double l0 = std::log(std::max(0.5, nominal_looks));
    if (clutter == Clutter::gamma) {
        const auto best =
            minimise<2>({0, l0}, {0.1, -0.2}, [&](const auto &p) { return cost(std::exp(p[0]), std::exp(p[1]), 1e9); });
        fit.mean = std::exp(best[0]), fit.looks = std::exp(best[1]), fit.order = 1e9;
    } else if (single) {
        const auto best = minimise<2>({0, std::log(5.0)}, {0.1, 0.3},
                                      [&](const auto &p) { return cost(std::exp(p[0]), 1, std::exp(p[1])); });
        fit.mean = std::exp(best[0]), fit.looks = 1, fit.order = std::exp(best[1]);
    } else {
        const auto best = minimise<3>({0, l0, std::log(5.0)}, {0.1, -0.2, 0.3}, [&](const auto &p) {
            return cost(std::exp(p[0]), std::exp(p[1]), std::exp(p[2]));
        });
        fit.mean = std::exp(best[0]), fit.looks = std::exp(best[1]), fit.order = std::exp(best[2]);
    }
    cost(fit.mean, fit.looks, fit.order);  // for its tail
    fit.share = inside_tail / (tail[static_cast<std::size_t>(low)] - tail[static_cast<std::size_t>(high)]);
    fit.pixels = static_cast<std::int64_t>(h.all);
    return fit;
}

double clutter_threshold(const ClutterFit &fit, double false_alarm_rate)
{
    double low = std::log(1e-3), high = std::log(1e9);
    for (int i = 0; i < 100; ++i) {
        const double u = 0.5 * (low + high);
        const double p = fit.share * k_exceedance(std::exp(u), fit.mean, fit.looks, fit.order);
        (p > false_alarm_rate ? low : high) = u;
    }
    return std::exp(0.5 * (low + high));
}

}  // namespace sidelook
