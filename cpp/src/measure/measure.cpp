// measure_point: find the peak, choose the window and the axes, collect the figures.
#include "sidelook/measure.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string>

#include "measure/cuts.h"
#include "measure/patch.h"
#include "sidelook/error.h"

namespace sidelook
{

namespace
{

using measure::Line;
using measure::Patch;
using measure::side_lobe_widths;

struct Pixel {
    std::int64_t row, col;
};

std::string at(double row, double col) { return "(" + std::to_string(row) + ", " + std::to_string(col) + ")"; }

/// "holds rows 0 to 99 and columns 0 to 99", counted in the image that the array was read from.
std::string extent(View2<const c64> image, const MeasureOptions &o)
{
    return "holds rows " + std::to_string(o.first_row) + " to " + std::to_string(o.first_row + image.rows - 1) +
           " and columns " + std::to_string(o.first_col) + " to " + std::to_string(o.first_col + image.cols - 1);
}

void check(View2<const c64> image, double row, double col, const MeasureOptions &o)
{
    require(image.rows > 0 && image.cols > 0, "image is " + std::to_string(image.rows) + " x " +
                                                  std::to_string(image.cols) + " samples; must not be empty");
    require(row >= 0 && row <= static_cast<double>(image.rows - 1) && col >= 0 &&
                col <= static_cast<double>(image.cols - 1),
            "position is " + at(row + static_cast<double>(o.first_row), col + static_cast<double>(o.first_col)) +
                "; must lie inside the image, which " + extent(image, o));
    require(o.search_radius >= 1 && o.search_radius <= 1000,
            "search_radius is " + std::to_string(o.search_radius) + "; must be 1 to 1000 samples");
    require(o.half_size == 0 || (o.half_size > Patch::taper && o.half_size <= 512),
            "half_size is " + std::to_string(o.half_size) + "; must be 0 or " + std::to_string(Patch::taper + 1) +
                " to 512");
    require(o.oversampling >= 1 && o.oversampling <= 256,
            "oversampling is " + std::to_string(o.oversampling) + "; must be 1 to 256");
    require(std::isfinite(o.spectrum_centre_row), "spectrum_centre_row is not finite; must be cycles per row");
    require(std::isfinite(o.spectrum_centre_col), "spectrum_centre_col is not finite; must be cycles per column");
    require(o.row_spacing_m >= 0, "row_spacing_m is " + std::to_string(o.row_spacing_m) + "; must not be negative");
    require(o.col_spacing_m >= 0, "col_spacing_m is " + std::to_string(o.col_spacing_m) + "; must not be negative");
    require(std::abs(o.azimuth_axis_slope) <= 10 && std::abs(o.range_axis_slope) <= 10 &&
                std::abs(1 - o.azimuth_axis_slope * o.range_axis_slope) > 0.1,
            "axis slopes are " + at(o.azimuth_axis_slope, o.range_axis_slope) + "; must be two different directions");
}

float power_at(View2<const c64> image, std::int64_t r, std::int64_t c, const MeasureOptions &o)
{
    const c64 v = image(r, c);
    require(std::isfinite(v.real()) && std::isfinite(v.imag()),
            "image has a sample that is not finite at (" + std::to_string(r + o.first_row) + ", " +
                std::to_string(c + o.first_col) + "); must be finite around the target");
    return std::norm(v);
}

/// Brightest local maximum in the disc; a slope that rises towards something brighter outside is none.
Pixel find_peak(View2<const c64> image, double row, double col, const MeasureOptions &o)
{
    const double radius = o.search_radius;
    const auto first = [](double x) { return std::max<std::int64_t>(0, static_cast<std::int64_t>(std::ceil(x))); };
    const auto last = [](double x, std::int64_t n) {
        return std::min(n - 1, static_cast<std::int64_t>(std::floor(x)));
    };
    std::optional<Pixel> best;
    float best_power = 0;
    for (std::int64_t r = first(row - radius); r <= last(row + radius, image.rows); ++r)
        for (std::int64_t c = first(col - radius); c <= last(col + radius, image.cols); ++c) {
            const double dr = static_cast<double>(r) - row, dc = static_cast<double>(c) - col;
            if (dr * dr + dc * dc > radius * radius) continue;
            const float p = power_at(image, r, c, o);
            if (p <= best_power) continue;
            bool maximum = true;
            for (std::int64_t i = std::max<std::int64_t>(0, r - 1); i <= std::min(image.rows - 1, r + 1); ++i)
                for (std::int64_t j = std::max<std::int64_t>(0, c - 1); j <= std::min(image.cols - 1, c + 1); ++j)
                    maximum = maximum && power_at(image, i, j, o) <= p;
            if (!maximum) continue;
            best = Pixel{r, c};
            best_power = p;
        }
    require(best.has_value(),
            "position is " + at(row + static_cast<double>(o.first_row), col + static_cast<double>(o.first_col)) +
                "; must have a local maximum within search_radius = " + std::to_string(radius) + " samples");
    return *best;
}

void check_window(View2<const c64> image, Pixel peak, std::int64_t half, const MeasureOptions &o)
{
    require(peak.row >= half && peak.col >= half && peak.row + half < image.rows && peak.col + half < image.cols,
            "image " + extent(image, o) + "; must hold " + std::to_string(half) +
                " samples on every side of the target at (" + std::to_string(peak.row + o.first_row) + ", " +
                std::to_string(peak.col + o.first_col) + ")");
    for (std::int64_t r = peak.row - half; r <= peak.row + half; ++r)
        for (std::int64_t c = peak.col - half; c <= peak.col + half; ++c) power_at(image, r, c, o);
}

/// Peak of |f|^2 near the patch's centre: the best of a grid of 1/8 sample, then Newton's method.
std::array<double, 2> refine(const Patch &patch)
{
    std::vector<double> grid;
    for (int i = -8; i <= 8; ++i) grid.push_back(i / 8.0);
    const std::vector<double> p = patch.power(grid, grid);
    const auto best = static_cast<std::size_t>(std::max_element(p.begin(), p.end()) - p.begin());
    double r = grid[best / grid.size()], c = grid[best % grid.size()];
    for (int i = 0; i < 20; ++i) {
        const measure::Jet j = patch.jet(r, c);
        // Derivatives of |f|^2, halved: its gradient is 2 Re(f* f_x), its Hessian 2 Re(f_x* f_y + f* f_xy).
        const double gr = std::real(std::conj(j.f) * j.fr), gc = std::real(std::conj(j.f) * j.fc);
        const double hrr = std::norm(j.fr) + std::real(std::conj(j.f) * j.frr);
        const double hcc = std::norm(j.fc) + std::real(std::conj(j.f) * j.fcc);
        const double hrc = std::real(std::conj(j.fr) * j.fc) + std::real(std::conj(j.f) * j.frc);
        const double det = hrr * hcc - hrc * hrc;
        if (!(hrr < 0 && det > 0)) break;  // not concave: the grid's point stands
        const double dr = std::clamp((hcc * gr - hrc * gc) / det, -0.125, 0.125);
        const double dc = std::clamp((hrr * gc - hrc * gr) / det, -0.125, 0.125);
        r -= dr;
        c -= dc;
        if (std::abs(dr) + std::abs(dc) < 1e-10) break;
    }
    return {r, c};
}

/// The two lines through the peak with their widths.
struct Axes {
    Line azimuth, range;
    double azimuth_irw, range_irw;
    bool azimuth_measured = false, range_measured = false;

    /// Samples from the peak that the parallelogram of 10 widths along both lines reaches.
    double reach() const
    {
        return side_lobe_widths * std::max(azimuth_irw + std::abs(range.slope) * range_irw,
                                           range_irw + std::abs(azimuth.slope) * azimuth_irw);
    }
};

Axes find_axes(const Patch &patch, double r, double c, const MeasureOptions &o)
{
    const bool given = o.axes == CutAxes::given;
    Axes a{{patch, r, c, true, given ? o.azimuth_axis_slope : 0},
           {patch, r, c, false, given ? o.range_axis_slope : 0},
           0,
           0};
    a.azimuth_irw = measure::half_power_width(a.azimuth);
    a.range_irw = measure::half_power_width(a.range);
    if (o.axes == CutAxes::measured) {
        for (int pass = 0; pass < 2; ++pass) {  // each ridge is found better once the other is known
            a.azimuth.slope =
                measure::ridge_slope(a.azimuth, a.azimuth_irw, a.range_irw, a.range.slope, a.azimuth_measured);
            a.range.slope =
                measure::ridge_slope(a.range, a.range_irw, a.azimuth_irw, a.azimuth.slope, a.range_measured);
        }
        a.azimuth_irw = measure::half_power_width(a.azimuth);
        a.range_irw = measure::half_power_width(a.range);
    }
    return a;
}

/// Energies over areas, on a grid of 1/4 sample. Offsets along the two lines are oblique coordinates.
void measure_area(const Axes &a, PointTarget &t)
{
    const double reach = a.reach(), ma = a.azimuth.slope, mr = a.range.slope;
    std::vector<double> rows, cols;
    const auto n = static_cast<int>(std::ceil(4 * reach));
    for (int i = -n; i <= n; ++i) {
        rows.push_back(a.azimuth.row + i / 4.0);
        cols.push_back(a.azimuth.col + i / 4.0);
    }
    const std::vector<double> p = a.azimuth.patch.power(rows, cols);
    double main = 0, side = 0, background = 0;
    std::int64_t count = 0;
    for (int i = -n; i <= n; ++i)
        for (int j = -n; j <= n; ++j) {
            // (dr, dc) = x (1, ma) + y (mr, 1)
            const double dr = i / 4.0, dc = j / 4.0, det = 1 - ma * mr;
            const double x = (dr - mr * dc) / det, y = (dc - ma * dr) / det;
            const double wx = std::abs(x) / a.azimuth_irw, wy = std::abs(y) / a.range_irw;
            if (wx > side_lobe_widths || wy > side_lobe_widths) continue;
            const double v = p[static_cast<std::size_t>(i + n) * cols.size() + static_cast<std::size_t>(j + n)];
            const bool inside = x > t.azimuth.null_before && x < t.azimuth.null_after && y > t.range.null_before &&
                                y < t.range.null_after;
            (inside ? main : side) += v;
            if (wx > 0.5 * side_lobe_widths && wy > 0.5 * side_lobe_widths) {
                background += v;
                ++count;
            }
        }
    t.islr_2d_db = 10 * std::log10(side / main);
    t.main_lobe_energy_fraction = main / (main + side);
    t.peak_to_background_db = 10 * std::log10(std::norm(t.peak) * static_cast<double>(count) / background);
}

double width_m(const PointCut &cut, double along_m, double across_m)
{
    if (along_m == 0 || across_m == 0) return std::numeric_limits<double>::quiet_NaN();
    return cut.irw_samples * std::hypot(along_m, cut.slope * across_m);
}

}  // namespace

PointTarget measure_point(View2<const c64> image, double expected_row, double expected_col, const MeasureOptions &o)
{
    const double row = expected_row - static_cast<double>(o.first_row),
                 col = expected_col - static_cast<double>(o.first_col);
    check(image, row, col, o);
    const Pixel pixel = find_peak(image, row, col, o);
    // 20 flat samples hold 10 widths of up to 2 samples, which is what a well-sampled image has.
    std::int64_t half = o.half_size > 0 ? o.half_size : 20 + Patch::taper;
    for (;;) {
        check_window(image, pixel, half, o);
        const Patch patch(image, pixel.row, pixel.col, half, o.spectrum_centre_row, o.spectrum_centre_col,
                          o.measure_spectrum_centre);
        const std::array<double, 2> peak = refine(patch);
        const Axes axes = find_axes(patch, peak[0], peak[1], o);
        const double needed = axes.reach() + 1;  // the peak is up to a sample off the window's centre
        if (needed > static_cast<double>(patch.flat())) {
            const auto larger = static_cast<std::int64_t>(std::ceil(1.02 * needed)) + Patch::taper;
            require(o.half_size == 0, "half_size is " + std::to_string(o.half_size) + "; must be at least " +
                                          std::to_string(larger) + " to hold 10 widths of this target");
            require(larger <= 512, "image is a response wider than 50 samples; must hold a point target");
            half = larger;
            continue;
        }
        PointTarget t;
        t.row = static_cast<double>(pixel.row + o.first_row) + peak[0];
        t.col = static_cast<double>(pixel.col + o.first_col) + peak[1];
        t.peak = patch.value(peak[0], peak[1]);
        const double er = row - static_cast<double>(pixel.row), ec = col - static_cast<double>(pixel.col);
        const auto flat = static_cast<double>(patch.flat());
        const double nan = std::numeric_limits<double>::quiet_NaN();
        t.at_expected = std::abs(er) <= flat && std::abs(ec) <= flat ? patch.value(er, ec) : c128(nan, nan);
        t.spectrum_centre_row = patch.centre_row();
        t.spectrum_centre_col = patch.centre_col();
        t.azimuth = measure::analyse(axes.azimuth, axes.azimuth_irw, o.oversampling);
        t.range = measure::analyse(axes.range, axes.range_irw, o.oversampling);
        t.azimuth.slope_measured = axes.azimuth_measured;
        t.range.slope_measured = axes.range_measured;
        t.azimuth.irw_m = width_m(t.azimuth, o.row_spacing_m, o.col_spacing_m);
        t.range.irw_m = width_m(t.range, o.col_spacing_m, o.row_spacing_m);
        measure_area(axes, t);
        return t;
    }
}

}  // namespace sidelook
