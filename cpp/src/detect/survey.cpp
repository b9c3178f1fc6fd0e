// in: intensity [line][sample] f32; out: a map of cells.
#include "detect/survey.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <limits>

#include "core/text.h"
#include "core/threads.h"
#include "detect/cfar_math.h"
#include "sidelook/error.h"

namespace sidelook
{
namespace
{

constexpr int cell = cfar_cell;
constexpr int fewest_valid = cell * cell / 4;  // below, a cell's median says nothing
constexpr float far_above = 8;                 // times a cell's median: 1 of 256 pixels of speckle, many of a town's
constexpr double town_m = 480;                 // over which a town is told from a ship
constexpr double town_share = 0.6;             // of its cells, where of the sea's a third are as busy
constexpr float unknown = std::numeric_limits<float>::quiet_NaN();

using Mask = std::vector<std::uint8_t>;

/// A rectangle of cells with neighbourhoods.
struct Grid {
    std::int64_t rows, cols;
    std::size_t at(std::int64_t i, std::int64_t j) const { return static_cast<std::size_t>(i * cols + j); }
    template <class F> void around(std::int64_t i, std::int64_t j, std::int64_t reach, const F &f) const
    {
        for (std::int64_t a = std::max<std::int64_t>(0, i - reach); a <= std::min(rows - 1, i + reach); ++a)
            for (std::int64_t b = std::max<std::int64_t>(0, j - reach); b <= std::min(cols - 1, j + reach); ++b)
                f(at(a, b));
    }
    /// The four cells beside one.
    template <class F> void beside(std::int64_t k, const F &f) const
    {
        const std::int64_t i = k / cols, j = k % cols;
        if (i > 0) f(at(i - 1, j));
        if (i + 1 < rows) f(at(i + 1, j));
        if (j > 0) f(at(i, j - 1));
        if (j + 1 < cols) f(at(i, j + 1));
    }
    /// Cells that can be reached from `seeds` through `open` cells, 4-connected.
    Mask flood(const Mask &seeds, const Mask &open) const
    {
        Mask out(seeds.size());
        std::vector<std::int64_t> found;
        for (std::size_t k = 0; k < seeds.size(); ++k)
            if (seeds[k] && open[k]) out[k] = 1, found.push_back(static_cast<std::int64_t>(k));
        for (std::size_t done = 0; done < found.size(); ++done)
            beside(found[done], [&](std::size_t k) {
                if (open[k] && !out[k]) out[k] = 1, found.push_back(static_cast<std::int64_t>(k));
            });
        return out;
    }
    /// Takes away regions of fewer cells, 4-connected.
    void drop_small(Mask &mask, double fewest) const
    {
        Mask left = mask;
        std::vector<std::int64_t> region;
        for (std::size_t start = 0; start < mask.size(); ++start) {
            if (!left[start]) continue;
            region.assign(1, static_cast<std::int64_t>(start));
            left[start] = 0;
            for (std::size_t done = 0; done < region.size(); ++done)
                beside(region[done], [&](std::size_t k) {
                    if (left[k]) left[k] = 0, region.push_back(static_cast<std::int64_t>(k));
                });
            if (static_cast<double>(region.size()) < fewest)
                for (const std::int64_t k : region) mask[static_cast<std::size_t>(k)] = 0;
        }
    }
};

float quantile(std::vector<float> values, double share)
{
    const auto place = values.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
    std::nth_element(values.begin(), place, values.end());
    return *place;
}

}  // namespace

Survey::Survey(std::int64_t lines, std::int64_t samples)
    : samples_(samples), rows_((lines + cell - 1) / cell), cols_((samples + cell - 1) / cell),
      median_(static_cast<std::size_t>(rows_ * cols_)), valid_(median_.size()), bright_(median_.size())
{
}

void Survey::add(std::int64_t first, View2<const float> x, int threads)
{
    const std::int64_t rows = (x.rows + cell - 1) / cell;
    std::atomic<bool> negative{false};
    parallel_for(rows, threads, [&](std::int64_t r, int) {
        std::array<float, cell * cell> values;
        for (std::int64_t c = 0; c < cols_; ++c) {
            std::size_t n = 0;
            bool below = false;
            for (std::int64_t i = r * cell; i < std::min(x.rows, (r + 1) * cell); ++i)
                for (std::int64_t j = c * cell; j < std::min(samples_, (c + 1) * cell); ++j) {
                    const float v = x(i, j);
                    below |= v < 0;
                    if (cfar_valid(v)) values[n++] = v;
                }
            if (below) negative = true;
            const std::size_t k = static_cast<std::size_t>((first / cell + r) * cols_ + c);
            valid_[k] = static_cast<std::uint16_t>(n);
            const auto middle = values.begin() + static_cast<std::ptrdiff_t>(n / 2);
            if (n > 0) std::nth_element(values.begin(), middle, values.begin() + static_cast<std::ptrdiff_t>(n));
            median_[k] = n > 0 ? *middle : 0;
            bright_[k] = static_cast<std::uint16_t>(
                std::count_if(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(n),
                              [limit = far_above * median_[k]](float v) { return v > limit; }));
        }
    });
    require(!negative, "intensity has negative values; must be linear power, not decibels");
}

/// Cells in whose surroundings far more cells hold bright points than at sea: however bright a ship, it is in few
/// cells.
std::vector<std::uint8_t> Survey::find_towns(double azimuth_spacing_m, double ground_range_spacing_m) const
{
    const Grid grid{rows_, cols_};
    Mask town(median_.size());
    std::vector<float> counts;
    for (std::size_t k = 0; k < town.size(); ++k)
        if (valid_[k] >= fewest_valid) counts.push_back(bright_[k]);
    if (counts.empty()) return town;
    const float busy = std::max(4.0f, quantile(counts, 0.5) + 2);
    const auto reach = [&](double spacing_m) {
        return std::max<std::int64_t>(2, std::llround(0.5 * town_m / (cell * spacing_m)));
    };
    const std::int64_t reach_rows = reach(azimuth_spacing_m), reach_cols = reach(ground_range_spacing_m);
    // sums over the surroundings from sums over everything above and to the left
    std::vector<std::int64_t> all(static_cast<std::size_t>((rows_ + 1) * (cols_ + 1))), some(all.size());
    const Grid sums{rows_ + 1, cols_ + 1};
    for (std::int64_t i = 0; i < rows_; ++i)
        for (std::int64_t j = 0; j < cols_; ++j) {
            const std::size_t k = grid.at(i, j), at = sums.at(i + 1, j + 1), up = sums.at(i, j + 1),
                              left = sums.at(i + 1, j), both = sums.at(i, j);
            const bool valid = valid_[k] >= fewest_valid;
            all[at] = all[up] + all[left] - all[both] + valid;
            some[at] = some[up] + some[left] - some[both] + (valid && static_cast<float>(bright_[k]) >= busy);
        }
    for (std::int64_t i = 0; i < rows_; ++i)
        for (std::int64_t j = 0; j < cols_; ++j) {
            const std::int64_t i0 = std::max<std::int64_t>(0, i - reach_rows), i1 = std::min(rows_, i + reach_rows + 1),
                               j0 = std::max<std::int64_t>(0, j - reach_cols), j1 = std::min(cols_, j + reach_cols + 1);
            const auto around = [&](const std::vector<std::int64_t> &s) {
                return static_cast<double>(s[sums.at(i1, j1)] - s[sums.at(i0, j1)] - s[sums.at(i1, j0)] +
                                           s[sums.at(i0, j0)]);
            };
            town[grid.at(i, j)] = valid_[grid.at(i, j)] >= fewest_valid && around(some) > town_share * around(all);
        }
    return town;
}

std::vector<std::uint8_t> Survey::find_land(double azimuth_spacing_m, double ground_range_spacing_m,
                                            double least_area_m2, double buffer_m) const
{
    const Grid grid{rows_, cols_};
    const std::size_t n = median_.size();
    // Decibels of the cells, averaged over 3 x 3 of them: some 200 m, over which the sea's texture has averaged out.
    std::vector<float> level(n, unknown);
    for (std::int64_t i = 0; i < rows_; ++i)
        for (std::int64_t j = 0; j < cols_; ++j) {
            float sum = 0, count = 0;
            grid.around(i, j, 1, [&](std::size_t k) {
                if (valid_[k] >= fewest_valid) sum += 10 * std::log10(median_[k]), ++count;
            });
            if (valid_[grid.at(i, j)] >= fewest_valid) level[grid.at(i, j)] = sum / count;
        }
    // The sea against range: a line through the columns' levels, first the low ones of all cells, then the middle ones
    // of what is not land. Columns that lie above the line are land rather than sea and hardly count.
    Mask land(n);
    std::vector<float> excess(n, unknown), column, of_columns;
    double sigma = 1, slope = 0, offset = 0;
    for (int iteration = -1; iteration < 16; ++iteration) {
        const bool begin = iteration < 6;
        double sw = 0, sx = 0, sy = 0, sxx = 0, sxy = 0;
        for (std::int64_t j = 0; j < cols_; ++j) {
            column.clear();
            double all = 0;
            for (std::int64_t i = 0; i < rows_; ++i) {
                const std::size_t k = grid.at(i, j);
                if (std::isnan(level[k])) continue;
                ++all;
                if (begin || !land[k]) column.push_back(level[k]);
            }
            if (column.empty()) continue;
            const float low = quantile(column, begin ? 0.1 : 0.5);
            if (iteration < 0) {
                of_columns.push_back(low);
                continue;
            }
            const double x = (static_cast<double>(j) + 0.5) / static_cast<double>(cols_) - 0.5,
                         y = static_cast<double>(low);
            double w = std::pow(static_cast<double>(column.size()) / all, 3);
            if (y - (offset + slope * x) > 0.5) w *= 0.03;
            sw += w, sx += w * x, sy += w * y, sxx += w * x * x, sxy += w * x * y;
        }
        if (iteration < 0) {
            if (of_columns.empty()) return land;
            offset = static_cast<double>(quantile(of_columns, 0.25));
            continue;
        }
        if (sw <= 0) return land;
        const double spread = sxx - sx * sx / sw;
        slope = spread > 1e-9 * sw ? (sxy - sx * sy / sw) / spread : 0;
        offset = (sy - slope * sx) / sw;
        std::vector<float> below;
        for (std::int64_t i = 0; i < rows_; ++i)
            for (std::int64_t j = 0; j < cols_; ++j) {
                const std::size_t k = grid.at(i, j);
                const double x = (static_cast<double>(j) + 0.5) / static_cast<double>(cols_) - 0.5;
                excess[k] = level[k] - static_cast<float>(offset + slope * x);
                if (!begin && excess[k] < 0) below.push_back(excess[k]);
            }
        // below the sea's middle there is no land: a third of that half lies beyond one sigma
        if (below.size() > 8) sigma = std::clamp(-static_cast<double>(quantile(below, 0.32)), 0.2, 1.5);
        for (std::size_t k = 0; k < n; ++k) land[k] = static_cast<double>(excess[k]) > std::max(1.8, 2.5 * sigma);
    }
    // Hysteresis: what stands out clearly, and what is connected with it and still stands out.
    Mask bright(n);
    for (std::size_t k = 0; k < n; ++k) bright[k] = static_cast<double>(excess[k]) > std::max(3.0, 4 * sigma);
    land = grid.flood(bright, land);
    const Mask town = find_towns(azimuth_spacing_m, ground_range_spacing_m);
    for (std::size_t k = 0; k < n; ++k) land[k] |= town[k];
    const double cell_area = cell * cell * azimuth_spacing_m * ground_range_spacing_m;
    grid.drop_small(land, least_area_m2 / cell_area);
    if (std::count(land.begin(), land.end(), std::uint8_t{1}) == 0) return land;
    // Lakes and dark fields: enclosed up to the size of a bay, and small ones that the image's border cuts.
    Mask water(n), border(n);
    for (std::int64_t i = 0; i < rows_; ++i)
        for (std::int64_t j = 0; j < cols_; ++j) {
            water[grid.at(i, j)] = !land[grid.at(i, j)];
            border[grid.at(i, j)] = i == 0 || j == 0 || i == rows_ - 1 || j == cols_ - 1;
        }
    Mask open = grid.flood(border, water);
    Mask closed(n);
    for (std::size_t k = 0; k < n; ++k) closed[k] = water[k] && !open[k];
    grid.drop_small(closed, 4e6 / cell_area);
    grid.drop_small(open, std::min(0.5e6 / cell_area, 0.05 * static_cast<double>(n)));
    for (std::size_t k = 0; k < n; ++k) land[k] = !open[k] && !closed[k];
    const double cell_m = cell * std::min(azimuth_spacing_m, ground_range_spacing_m);
    const auto reach = static_cast<std::int64_t>(std::ceil(buffer_m / cell_m));
    Mask wide(n);
    for (std::int64_t i = 0; i < rows_; ++i)
        for (std::int64_t j = 0; j < cols_; ++j)
            if (land[grid.at(i, j)]) grid.around(i, j, reach, [&](std::size_t k) { wide[k] = 1; });
    return wide;
}

std::vector<float> Survey::clutter_map(const std::vector<std::uint8_t> &land, double looks) const
{
    const Grid grid{rows_, cols_};
    // mean over median of a gamma variable, to half a percent
    const double scale = looks < 1e4 ? (3 * looks + 0.2) / (3 * looks - 0.8) : 1;
    std::vector<float> known;
    for (std::size_t k = 0; k < median_.size(); ++k)
        if (valid_[k] >= fewest_valid && !land[k]) known.push_back(median_[k]);
    const float typical = known.empty() ? 1 : quantile(known, 0.5);
    std::vector<float> map(median_.size());
    std::vector<float> near;
    for (std::int64_t i = 0; i < rows_; ++i)
        for (std::int64_t j = 0; j < cols_; ++j) {
            float value = typical;
            for (const std::int64_t reach : {2, 4, 8}) {
                near.clear();
                grid.around(i, j, reach, [&](std::size_t k) {
                    if (valid_[k] >= fewest_valid && !land[k]) near.push_back(median_[k]);
                });
                if (near.size() >= 6) {
                    value = quantile(near, 0.5);
                    break;
                }
            }
            map[grid.at(i, j)] = static_cast<float>(scale) * value;
        }
    return map;
}

}  // namespace sidelook
