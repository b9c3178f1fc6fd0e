// in: a patch of intensity with the object's pixels; out: one DetectedObject.
#include "detect/hull.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace sidelook
{
namespace
{

constexpr double pi = 3.14159265358979323846;

struct Pixel {
    double y, x;   // metres along azimuth and along ground range, from the patch's first pixel
    double value;  // over the clutter
};

/// Mean of what lies around the object, without what is too bright to be clutter.
double clutter_around(const HullPatch &p)
{
    std::vector<float> values;
    for (std::int64_t i = 0; i < p.intensity.rows; ++i)
        for (std::int64_t j = 0; j < p.intensity.cols; ++j)
            if (p.object(i, j) == 0 && p.intensity(i, j) > 0) values.push_back(p.intensity(i, j));
    if (values.empty()) return 0;
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    const double limit = 12 * static_cast<double>(*middle);
    double sum = 0, count = 0;
    for (const float v : values)
        if (static_cast<double>(v) <= limit) sum += static_cast<double>(v), ++count;
    return sum / count;
}

/// Resolution along a direction: the response is taken as an ellipse.
double resolution_along(const HullPatch &p, double cosine, double sine)
{
    return 1 / std::hypot(cosine / p.azimuth_resolution_m, sine / p.ground_range_resolution_m);
}

/// One end of the object along an axis. Going inwards from outside, the first pixels that belong to it are the flank of
/// an outermost scatterer, whose own peak says how wide its flank is: its half-power point less half a resolution.
double end_along(const std::vector<Pixel> &pixels, double cosine, double sine, double sign, double resolution)
{
    double outermost = -1e30;
    for (const Pixel &q : pixels) outermost = std::max(outermost, sign * (q.y * cosine + q.x * sine));
    double peak = 0;
    for (const Pixel &q : pixels)
        if (sign * (q.y * cosine + q.x * sine) > outermost - 1.5 * resolution) peak = std::max(peak, q.value);
    double half = -1e30;
    for (const Pixel &q : pixels)
        if (q.value >= 0.5 * peak) half = std::max(half, sign * (q.y * cosine + q.x * sine));
    return sign * half;
}

}  // namespace

void measure_hull(const HullPatch &p, DetectedObject &o)
{
    o.clutter = clutter_around(p);
    const double dl = p.azimuth_spacing_m, ds = p.ground_range_spacing_m;
    std::vector<Pixel> pixels;
    double energy = 0, peak = 0;
    for (std::int64_t i = 0; i < p.intensity.rows; ++i)
        for (std::int64_t j = 0; j < p.intensity.cols; ++j) {
            const auto v = static_cast<double>(p.intensity(i, j));
            if (!(v > 0)) continue;
            bool mine = p.object(i, j) == 1, beside = false;
            if (!mine)
                for (std::int64_t a = std::max<std::int64_t>(0, i - 2); a <= std::min(p.intensity.rows - 1, i + 2); ++a)
                    for (std::int64_t b = std::max<std::int64_t>(0, j - 2); b <= std::min(p.intensity.cols - 1, j + 2);
                         ++b)
                        beside |= p.object(a, b) == 1;
            if (mine || (beside && p.object(i, j) == 0)) energy += v - o.clutter;
            if (!mine) continue;
            pixels.push_back({static_cast<double>(i) * dl, static_cast<double>(j) * ds, v / o.clutter});
            if (v > peak) {
                peak = v;
                o.peak_line = static_cast<double>(p.first_line + i),
                o.peak_sample = static_cast<double>(p.first_sample + j);
            }
        }
    o.energy_m2 = energy * dl * ds;
    o.peak_ratio = peak / o.clutter;

    // Orientation: second moments, weighted by the logarithm so that no scatterer outweighs the hull.
    double sw = 0, sy = 0, sx = 0, syy = 0, sxx = 0, syx = 0;
    for (const Pixel &q : pixels) {
        const double w = std::log(std::max(1.0, q.value));
        sw += w, sy += w * q.y, sx += w * q.x, syy += w * q.y * q.y, sxx += w * q.x * q.x, syx += w * q.y * q.x;
    }
    const double my = sy / sw, mx = sx / sw;
    // a point's own extent, about, is not the object's
    const double vyy = syy / sw - my * my - std::pow(0.42 * p.azimuth_resolution_m, 2),
                 vxx = sxx / sw - mx * mx - std::pow(0.42 * p.ground_range_resolution_m, 2), vyx = syx / sw - my * mx;
    const double angle = 0.5 * std::atan2(2 * vyx, vyy - vxx);
    const double c = std::cos(angle), s = std::sin(angle);

    const double along = resolution_along(p, c, s), across = resolution_along(p, -s, c);
    const double bow = end_along(pixels, c, s, 1, along), stern = end_along(pixels, c, s, -1, along);
    const double left = end_along(pixels, -s, c, 1, across), right = end_along(pixels, -s, c, -1, across);
    const double u = 0.5 * (bow + stern), v = 0.5 * (left + right);
    o.length_m = std::max(0.0, bow - stern - along);
    o.width_m = std::max(0.0, left - right - across);
    if (o.width_m > o.length_m) std::swap(o.width_m, o.length_m);
    o.line = static_cast<double>(p.first_line) + (u * c - v * s) / dl;
    o.sample = static_cast<double>(p.first_sample) + (u * s + v * c) / ds;
    const double sigma_along = std::hypot(0.3 * along, 0.05 * o.length_m),
                 sigma_across = std::hypot(0.3 * across, 0.03 * o.length_m);
    o.azimuth_sigma_m = std::hypot(sigma_along * c, sigma_across * s);
    o.ground_range_sigma_m = std::hypot(sigma_along * s, sigma_across * c);
    o.position_sigma_m = std::max(sigma_along, sigma_across);
    o.line_sigma = o.azimuth_sigma_m / dl;
    o.sample_sigma = o.ground_range_sigma_m / ds;
    o.length_sigma_m = std::hypot(0.5 * along, 0.08 * o.length_m);
    o.width_sigma_m = std::hypot(0.5 * across, 0.2 * o.width_m);
    o.axis_known = o.length_m > along;
    o.axis_deg = std::fmod(angle * 180 / pi + 360, 180.0);
    o.axis_sigma_deg = std::min(52.0, 180 / pi * 0.7 * across / std::max(1.0, o.length_m));
}

}  // namespace sidelook
