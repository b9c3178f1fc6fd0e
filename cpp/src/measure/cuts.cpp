// Figures along one straight line through the peak.
#include "measure/cuts.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "sidelook/error.h"

namespace sidelook::measure
{

namespace
{

/// Offset, on the side of `sign`, where the power first falls to `level`.
double crossing(const Line &line, double level, double sign)
{
    constexpr double step = 0.125;
    const auto flat = static_cast<double>(line.patch.flat());
    double inside = 0, outside = step;
    while (line.power(sign * outside) > level) {
        inside = outside;
        outside += step;
        require(outside < flat, std::string("image does not fall to half power within ") +
                                    std::to_string(line.patch.flat()) + (line.azimuth ? " rows" : " columns") +
                                    " of the peak; must hold a point target");
    }
    for (int i = 0; i < 40; ++i) {
        const double middle = 0.5 * (inside + outside);
        (line.power(sign * middle) > level ? inside : outside) = middle;
    }
    return sign * 0.5 * (inside + outside);
}

/// Offset of the first local minimum of the power on the side of `sign`, refined by golden-section search.
double first_null(const Line &line, double irw, double sign, double limit)
{
    const double step = irw / 32;
    double x = 0.5 * irw, here = line.power(sign * x);
    for (;;) {
        const double next = line.power(sign * (x + step));
        if (next > here) break;
        x += step;
        here = next;
        require(x < limit, "image has no minimum within 10 widths of the peak; must hold a point target");
    }
    constexpr double golden = 0.6180339887498949;
    double low = x - step, high = x + step;
    for (int i = 0; i < 30; ++i) {
        const double a = high - golden * (high - low), b = low + golden * (high - low);
        if (line.power(sign * a) < line.power(sign * b))
            high = b;
        else
            low = a;
    }
    return sign * 0.5 * (low + high);
}

/// Energy of the response between two offsets: composite Simpson at no more than 1/`per_sample` apart.
double energy(const Line &line, double from, double to, int per_sample)
{
    const auto half = static_cast<int>(std::ceil(0.5 * (to - from) * per_sample)) + 1;
    const double h = (to - from) / (2 * half);
    double sum = line.power(from) + line.power(to);
    for (int i = 1; i < 2 * half; ++i) sum += line.power(from + i * h) * (i % 2 == 1 ? 4 : 2);
    return sum * h / 3;
}

/// Highest power between two offsets of one side: samples, then a parabola through the highest and its neighbours.
double highest(const Line &line, double from, double to, int per_sample)
{
    const auto n = std::max(2, static_cast<int>(std::ceil((to - from) * per_sample)));
    const double h = (to - from) / n;
    std::vector<double> p(n + 1);
    for (int i = 0; i <= n; ++i) p[i] = line.power(from + i * h);
    const auto i = std::max_element(p.begin(), p.end()) - p.begin();
    if (i == 0 || i == n) return p[i];
    const double slope = 0.5 * (p[i + 1] - p[i - 1]), curve = p[i + 1] - 2 * p[i] + p[i - 1];
    return curve < 0 ? p[i] - 0.5 * slope * slope / curve : p[i];
}

}  // namespace

double half_power_width(const Line &line)
{
    const double half = 0.5 * line.power(0);
    return crossing(line, half, 1) - crossing(line, half, -1);
}

double ridge_slope(Line line, double irw, double irw_other, double other_slope, bool &stands_out)
{
    const auto flat = static_cast<double>(line.patch.flat());
    const double unit = irw_other / irw;
    const auto side_lobes = [&](double slope) {
        line.slope = slope;
        const double scale = 1 / (1 - slope * other_slope);
        double sum = 0;
        for (double w = 1.5; w <= side_lobe_widths; w += 0.5) {
            const double x = w * irw * scale;
            if (x * std::max(1.0, std::abs(slope)) <= flat) sum += line.power(x) + line.power(-x);
        }
        return sum;
    };
    constexpr int steps = 20;  // of 1/20: at 5 widths from the peak that is a quarter of a width
    std::vector<double> energies;
    for (int i = -steps; i <= steps; ++i) energies.push_back(side_lobes(unit * i / steps));
    const auto best = static_cast<int>(std::max_element(energies.begin(), energies.end()) - energies.begin()) - steps;
    std::vector<double> sorted = energies;
    std::nth_element(sorted.begin(), sorted.begin() + steps, sorted.end());
    // Noise alone: some 17 independent exponential variates a slope, the largest of 41 slopes is rarely 2 x the median.
    stands_out = energies[best + steps] > 3 * sorted[steps] && std::abs(best) < steps;
    if (!stands_out) return 0;
    constexpr double golden = 0.6180339887498949;
    double low = unit * (best - 1) / steps, high = unit * (best + 1) / steps;
    for (int i = 0; i < 18; ++i) {
        const double a = high - golden * (high - low), b = low + golden * (high - low);
        if (side_lobes(a) > side_lobes(b))
            high = b;
        else
            low = a;
    }
    return 0.5 * (low + high);
}

PointCut analyse(const Line &line, double irw_samples, int oversampling)
{
    PointCut cut;
    const double limit = side_lobe_widths * irw_samples;
    const int fine = std::max(oversampling, 16);
    cut.slope = line.slope;
    cut.irw_samples = irw_samples;
    cut.null_before = first_null(line, irw_samples, -1, limit);
    cut.null_after = first_null(line, irw_samples, 1, limit);
    const double main = energy(line, cut.null_before, cut.null_after, fine);
    const double side = energy(line, -limit, cut.null_before, fine) + energy(line, cut.null_after, limit, fine);
    const double lobe =
        std::max(highest(line, -limit, cut.null_before, fine), highest(line, cut.null_after, limit, fine));
    cut.pslr_db = 10 * std::log10(lobe / line.power(0));
    cut.islr_db = 10 * std::log10(side / main);
    const auto n = static_cast<std::int64_t>(std::floor(limit * oversampling));
    for (std::int64_t i = -n; i <= n; ++i) {
        cut.offset.push_back(static_cast<double>(i) / oversampling);
        cut.value.push_back(line.value(cut.offset.back()));
    }
    return cut;
}

}  // namespace sidelook::measure
