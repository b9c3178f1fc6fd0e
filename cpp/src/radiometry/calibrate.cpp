#include "radiometry/calibrate.h"

#include <algorithm>
#include <cmath>

#include "core/text.h"
#include "core/threads.h"
#include "radiometry/look_kernels.h"

namespace sidelook
{
namespace
{

void check(const char *name, const FactorGrid &g)
{
    const auto ascending = [&](const char *axis, const std::vector<double> &v) {
        require(!v.empty(), text(name, " has no ", axis, "; must have at least one"));
        for (std::size_t i = 0; i < v.size(); ++i)
            require(std::isfinite(v[i]) && (i == 0 || v[i] > v[i - 1]),
                    text(name, " has ", axis, " that do not ascend at entry ", i, "; must be finite and ascend"));
    };
    ascending("lines", g.lines);
    ascending("samples", g.samples);
    require(g.values.size() == g.lines.size() * g.samples.size(),
            text(name, " has ", g.values.size(), " values; must have ", g.lines.size(), " lines x ", g.samples.size(),
                 " samples"));
    for (std::size_t i = 0; i < g.values.size(); ++i)
        require(std::isfinite(g.values[i]) && g.values[i] >= 0,
                text(name, " has the value ", g.values[i], " at entry ", i, "; must be finite and not negative"));
}

/// Between two nodes, or with a cubic through the four nearest.
double value_at(const std::vector<double> &x, const double *y, double place, bool smooth)
{
    const auto n = static_cast<std::ptrdiff_t>(x.size());
    if (n == 1 || place <= x.front()) return y[0];
    if (place >= x.back()) return y[n - 1];
    const std::ptrdiff_t i = std::upper_bound(x.begin(), x.end(), place) - x.begin() - 1;
    const auto at = [&](std::ptrdiff_t k) { return x[static_cast<std::size_t>(k)]; };
    if (!smooth || n < 4) return y[i] + (place - at(i)) / (at(i + 1) - at(i)) * (y[i + 1] - y[i]);
    const std::ptrdiff_t first = std::clamp<std::ptrdiff_t>(i - 1, 0, n - 4);
    double sum = 0;
    for (std::ptrdiff_t k = first; k < first + 4; ++k) {
        double weight = 1;
        for (std::ptrdiff_t m = first; m < first + 4; ++m)
            if (m != k) weight *= (place - at(m)) / (at(k) - at(m));
        sum += weight * y[k];
    }
    return sum;
}

}  // namespace

FactorRows::FactorRows(const char *name, const FactorGrid &grid, std::int64_t samples)
    : lines_(grid.lines), samples_(samples)
{
    if (grid.values.empty() && grid.lines.empty() && grid.samples.empty()) return;
    check(name, grid);
    rows_.resize(lines_.size() * static_cast<std::size_t>(samples));
    for (std::size_t r = 0; r < lines_.size(); ++r)
        for (std::int64_t j = 0; j < samples; ++j)
            rows_[r * static_cast<std::size_t>(samples) + static_cast<std::size_t>(j)] = static_cast<float>(value_at(
                grid.samples, grid.values.data() + r * grid.samples.size(), static_cast<double>(j), grid.smooth));
}

FactorRows::Row FactorRows::at(std::int64_t line) const
{
    if (rows_.empty()) return {};
    const auto place = static_cast<double>(line);
    const auto row = [&](std::ptrdiff_t r) { return rows_.data() + r * samples_; };
    const auto last = static_cast<std::ptrdiff_t>(lines_.size()) - 1;
    if (last == 0 || place <= lines_.front()) return {row(0), row(0), 0};
    if (place >= lines_.back()) return {row(last), row(last), 0};
    const std::ptrdiff_t i = std::upper_bound(lines_.begin(), lines_.end(), place) - lines_.begin() - 1;
    const double low = lines_[static_cast<std::size_t>(i)], high = lines_[static_cast<std::size_t>(i) + 1];
    return {row(i), row(i + 1), static_cast<float>((place - low) / (high - low))};
}

Calibrate::Calibrate(std::int64_t samples, const FactorGrid &factor, bool divide_by_square, const FactorGrid &noise)
    : samples_(samples), factor_("factor", factor, samples), noise_("noise", noise, samples),
      divide_by_square_(divide_by_square)
{
    require(!factor_.empty(), "factor is empty; calibrate must have one");
    if (divide_by_square)
        for (const double v : factor.values)
            require(v > 0, text("factor has the value ", v, "; must be greater than 0 to divide by"));
}

void Calibrate::compute(View2<const float> in, Interval in_lines, View2<float> out, Interval out_lines, int threads,
                        Workspace &) const
{
    parallel_for(out_lines.size(), threads, [&](std::int64_t r, int) {
        const std::int64_t line = out_lines.first + r;
        const FactorRows::Row f = factor_.at(line), n = noise_.at(line);
        SIDELOOK_DISPATCH(calibrate_row, in.row(line - in_lines.first), out.row(r), samples_, f.low, f.high, f.t, n.low,
                          n.high, n.t, divide_by_square_);
    });
}

}  // namespace sidelook
