// Map pixels to radar coordinates and values: MapToRadar and resample.
// in: places of a lattice of map pixels, an orbit, a part of an image; out: line and sample, f32 power
#include "sidelook/geocode.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/text.h"
#include "core/threads.h"
#include "core/vec3.h"
#include "sidelook/error.h"

namespace sidelook
{
namespace
{

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// d/dt of (P - S) . V, from the velocity's central difference over 2 ms: the acceleration changes by 1e-5 in that
/// time.
double slope_at(const Orbit &orbit, const Vec3 &p, double t)
{
    const double h = 1e-3;
    const double a = std::clamp(t - h, orbit.first_time_s(), orbit.last_time_s());
    const double b = std::clamp(t + h, orbit.first_time_s(), orbit.last_time_s());
    const Vec3 v = orbit.velocity_m_per_s(t);
    const Vec3 acceleration = (1 / (b - a)) * (orbit.velocity_m_per_s(b) - orbit.velocity_m_per_s(a));
    return dot(p - orbit.position_m(t), acceleration) - dot(v, v);
}

struct Approach {
    RadarCoordinates radar;
    double right;  // of the track if positive
};

/// Newton's method with a fixed slope from a start within the orbit, held within it; straight on from its ends.
Approach closest(const Orbit &orbit, const Vec3 &p, double t, double slope)
{
    const double first = orbit.first_time_s(), last = orbit.last_time_s();
    for (int i = 0; i < 60; ++i) {
        const Vec3 s = orbit.position_m(t), v = orbit.velocity_m_per_s(t), d = p - s;
        const double along = dot(d, v), step = along / slope;
        // 2e-13 s are a nanometre and a half of flight; times beyond an hour have no such digits
        if (std::abs(step) <= 2e-13 + 2e-16 * std::abs(t)) return {{t, norm(d)}, dot(d, cross(v, s))};
        const bool leaves = (t <= first && step > 0) || (t >= last && step < 0);
        if (leaves) {
            const double speed2 = dot(v, v);
            return {{t + along / speed2, std::sqrt(std::max(0.0, dot(d, d) - along * along / speed2))},
                    dot(d, cross(v, s))};
        }
        t = std::clamp(t - step, first, last);
    }
    return {{nan, nan}, 0};
}

/// Lagrange's cubic weights at u (0 to 1) between the second and third of four equidistant nodes.
void cubic_weights(double u, double w[4])
{
    w[0] = -u * (u - 1) * (u - 2) / 6;
    w[1] = (u + 1) * (u - 1) * (u - 2) / 2;
    w[2] = -(u + 1) * u * (u - 2) / 2;
    w[3] = (u + 1) * u * (u - 1) / 6;
}

/// Grows `window` by the pixels around one place, if that lies within half a pixel of the image.
void include(PixelWindow &window, const RadarGrid &grid, double line, double sample)
{
    const double lines = static_cast<double>(grid.lines), samples = static_cast<double>(grid.samples);
    if (!(line >= -0.5 && line < lines && sample >= -0.5 && sample < samples)) return;
    const auto i = static_cast<std::int64_t>(std::floor(line)), j = static_cast<std::int64_t>(std::floor(sample));
    const std::int64_t top = std::max<std::int64_t>(i, 0), left = std::max<std::int64_t>(j, 0);
    const std::int64_t bottom = std::min(i + 2, grid.lines), right = std::min(j + 2, grid.samples);
    if (window.end_line <= window.first_line) {
        window = {top, bottom, left, right};
        return;
    }
    window.first_line = std::min(window.first_line, top);
    window.end_line = std::max(window.end_line, bottom);
    window.first_sample = std::min(window.first_sample, left);
    window.end_sample = std::max(window.end_sample, right);
}

float bilinear_at(View2<const float> image, double line, double sample)
{
    const double lines = static_cast<double>(image.rows - 1), samples = static_cast<double>(image.cols - 1);
    if (!(line >= 0 && line <= lines && sample >= 0 && sample <= samples))
        return std::numeric_limits<float>::quiet_NaN();
    const auto i = static_cast<std::int64_t>(line), j = static_cast<std::int64_t>(sample);
    const double u = line - static_cast<double>(i), w = sample - static_cast<double>(j);
    const auto along = [&](std::int64_t r) {  // a weight of zero keeps out what may be NaN or beyond the image
        const double a = static_cast<double>(image(r, j));
        return w > 0 ? a * (1 - w) + w * static_cast<double>(image(r, j + 1)) : a;
    };
    const double upper = along(i);
    return static_cast<float>(u > 0 ? upper * (1 - u) + u * along(i + 1) : upper);
}

float nearest_at(View2<const float> image, double line, double sample)
{
    const double i = std::floor(line + 0.5), j = std::floor(sample + 0.5);
    if (!(i >= 0 && i < static_cast<double>(image.rows) && j >= 0 && j < static_cast<double>(image.cols)))
        return std::numeric_limits<float>::quiet_NaN();
    return image(static_cast<std::int64_t>(i), static_cast<std::int64_t>(j));
}

}  // namespace

RadarCoordinates ecef_to_radar_continued(const Orbit &orbit, const Vec3 &p)
{
    double t = orbit.first_time_s(), best = -1;
    for (const StateVector &state : orbit.states()) {
        const double distance = norm(p - state.position_m);
        if (best < 0 || distance < best) best = distance, t = state.time_s;
    }
    const RadarCoordinates found = closest(orbit, p, t, slope_at(orbit, p, t)).radar;
    require(std::isfinite(found.zero_doppler_time_s),
            text("place ", p.x, ", ", p.y, ", ", p.z, " m (ECEF) has no closest approach; must be near the track"));
    return found;
}

MapToRadar::MapToRadar(Orbit orbit, LookSide side, const RadarGrid &grid, const MapLattice &lattice)
    : orbit_(std::move(orbit)), side_(side), grid_(grid), step_(lattice.step), rows_(lattice.rows), cols_(lattice.cols)
{
    require(grid.lines > 0 && grid.samples > 0,
            text("image is ", grid.lines, " x ", grid.samples, "; must not be empty"));
    require(grid.line_spacing_s > 0, text("line_spacing_s is ", grid.line_spacing_s, "; must be greater than 0"));
    require(grid.sample_spacing_m > 0, text("sample_spacing_m is ", grid.sample_spacing_m, "; must be greater than 0"));
    require(step_ > 0, text("step is ", step_, "; must be greater than 0"));
    require(rows_ >= 4 && cols_ >= 4, text("places is ", rows_, " x ", cols_, "; must be at least 4 x 4"));
    require(static_cast<std::int64_t>(lattice.places.size()) == rows_ * cols_,
            text("places has ", lattice.places.size(), " nodes; must have ", rows_, " x ", cols_));
    nodes_.resize(lattice.places.size());
    double t = 0.5 * (orbit_.first_time_s() + orbit_.last_time_s());
    for (std::size_t k = 0; k < nodes_.size(); ++k) {
        const Geodetic &g = lattice.places[k];
        require(
            std::isfinite(g.latitude_deg) && std::isfinite(g.longitude_deg) && std::isfinite(g.height_m),
            text("places has a node at ", g.latitude_deg, ", ", g.longitude_deg, ", ", g.height_m, "; must be finite"));
        const Vec3 p = geodetic_to_ecef(g);
        const Approach near = closest(orbit_, p, t, slope_at(orbit_, p, t));
        t = std::isfinite(near.radar.zero_doppler_time_s) ? near.radar.zero_doppler_time_s : t;
        t = std::clamp(t, orbit_.first_time_s(), orbit_.last_time_s());
        nodes_[k] = {{p.x, p.y, p.z, t, slope_at(orbit_, p, t)}};
    }
}

PixelWindow MapToRadar::coordinates(std::int64_t first_row, std::int64_t first_col, View2<double> line,
                                    View2<double> sample, int threads) const
{
    require(line.rows == sample.rows && line.cols == sample.cols, "line and sample differ in shape; must be equal");
    require(first_row >= 0 && first_col >= 0 && first_row + line.rows <= map_rows() &&
                first_col + line.cols <= map_cols(),
            text("block of ", line.rows, " x ", line.cols, " pixels at ", first_row, ", ", first_col,
                 "; must lie within the map of ", map_rows(), " x ", map_cols()));
    std::vector<PixelWindow> windows(static_cast<std::size_t>(line.rows));
    const double step = static_cast<double>(step_);
    parallel_for(line.rows, threads, [&](std::int64_t r, int) {
        const std::int64_t cell = (first_row + r) / step_;
        double weight[4];
        cubic_weights(static_cast<double>(first_row + r - cell * step_) / step, weight);
        const std::int64_t from = first_col / step_, to = line.cols ? (first_col + line.cols - 1) / step_ + 4 : from;
        std::vector<Node> across(static_cast<std::size_t>(to - from));  // the lattice at this row
        for (std::int64_t b = from; b < to; ++b)
            for (int k = 0; k < 5; ++k) {
                double sum = 0;
                for (int a = 0; a < 4; ++a)
                    sum += weight[a] * nodes_[static_cast<std::size_t>((cell + a) * cols_ + b)].value[k];
                across[static_cast<std::size_t>(b - from)].value[k] = sum;
            }
        for (std::int64_t c = 0; c < line.cols; ++c) {
            const std::int64_t left = (first_col + c) / step_;
            cubic_weights(static_cast<double>(first_col + c - left * step_) / step, weight);
            double at[5] = {};
            for (int b = 0; b < 4; ++b)
                for (int k = 0; k < 5; ++k)
                    at[k] += weight[b] * across[static_cast<std::size_t>(left - from + b)].value[k];
            const double start = std::clamp(at[3], orbit_.first_time_s(), orbit_.last_time_s());
            const Approach found = closest(orbit_, {at[0], at[1], at[2]}, start, at[4]);
            const bool seen = found.right * static_cast<double>(side_) > 0;
            line(r, c) =
                seen ? (found.radar.zero_doppler_time_s - grid_.first_line_time_s) / grid_.line_spacing_s : nan;
            sample(r, c) =
                seen ? (found.radar.slant_range_m - grid_.first_sample_slant_range_m) / grid_.sample_spacing_m : nan;
            include(windows[static_cast<std::size_t>(r)], grid_, line(r, c), sample(r, c));
        }
    });
    PixelWindow all;
    for (const PixelWindow &w : windows) {
        if (w.end_line <= w.first_line) continue;
        if (all.end_line <= all.first_line) {
            all = w;
            continue;
        }
        all = {std::min(all.first_line, w.first_line), std::max(all.end_line, w.end_line),
               std::min(all.first_sample, w.first_sample), std::max(all.end_sample, w.end_sample)};
    }
    return all;
}

void resample(View2<const float> image, std::int64_t first_line, std::int64_t first_sample, View2<const double> line,
              View2<const double> sample, Interpolation interpolation, View2<float> out, int threads)
{
    require(line.rows == sample.rows && line.cols == sample.cols && line.rows == out.rows && line.cols == out.cols,
            "line, sample and the result differ in shape; must be equal");
    const double top = static_cast<double>(first_line), left = static_cast<double>(first_sample);
    parallel_for(out.rows, threads, [&](std::int64_t r, int) {
        for (std::int64_t c = 0; c < out.cols; ++c) {
            const double i = line(r, c) - top, j = sample(r, c) - left;
            out(r, c) = interpolation == Interpolation::nearest ? nearest_at(image, i, j) : bilinear_at(image, i, j);
        }
    });
}

}  // namespace sidelook
