// in: a patch of intensity with the object's pixels; out: one DetectedObject.
//
// A ship is a set of scatterers: local maxima of the intensity that are neither clutter nor side lobes of a brighter
// one. Their places are finer than the resolution, so that extents measured between them need no deconvolution.
#include "detect/hull.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace sidelook
{
namespace
{

constexpr double pi = 3.14159265358979323846;
constexpr double longest_hidden_m = 60;  // hulls of longer ships show themselves
constexpr double least_evidence = 6;     // of some 300 rectangles
constexpr double hidden_hull_m = 9;      // from the superstructure to the middle of a ship of some 30 to 60 m

struct Point {
    double y = 0, x = 0;  // metres along azimuth and along ground range, from the patch's first pixel
    double value = 0;     // over the clutter
    bool core = false;    // in the object's own pixels
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

/// Vertex of a parabola through the logarithms of three neighbours, within half a pixel.
double vertex(double before, double at, double after)
{
    const double a = std::log(std::max(before, 1e-3 * at)), b = std::log(at), c = std::log(std::max(after, 1e-3 * at));
    const double bend = a - 2 * b + c;
    return bend < 0 ? std::clamp(0.5 * (a - c) / bend, -0.5, 0.5) : 0;
}

/// Whether a maximum may be a side lobe of a brighter pixel on one of the image's axes.
bool side_lobe_of(const Point &weak, const Point &strong, const HullPatch &p)
{
    const double dl = std::abs(weak.y - strong.y) / p.azimuth_resolution_m,
                 ds = std::abs(weak.x - strong.x) / p.ground_range_resolution_m;
    const double along = std::max(dl, ds), across = std::min(dl, ds);
    if (across > 0.7 || along < 0.9) return false;
    return weak.value < strong.value * 0.025 * std::pow(1.5 / std::max(1.5, along), 2);
}

std::vector<Point> find_points(const HullPatch &p, double clutter)
{
    std::vector<Point> points;
    for (std::int64_t i = 1; i + 1 < p.intensity.rows; ++i)
        for (std::int64_t j = 1; j + 1 < p.intensity.cols; ++j) {
            const float v = p.intensity(i, j);
            if (!(static_cast<double>(v) >= p.grow_ratio * clutter) || p.object(i, j) == 2) continue;
            bool top = true;
            for (int a = -1; a <= 1; ++a)
                for (int b = -1; b <= 1; ++b) {
                    const float n = p.intensity(i + a, j + b);
                    top &= (a == 0 && b == 0) || !(n > v || (n == v && (a < 0 || (a == 0 && b < 0))));
                }
            if (!top) continue;
            const auto at = [&](std::int64_t a, std::int64_t b) { return static_cast<double>(p.intensity(a, b)); };
            const double y = static_cast<double>(i) + vertex(at(i - 1, j), at(i, j), at(i + 1, j)),
                         x = static_cast<double>(j) + vertex(at(i, j - 1), at(i, j), at(i, j + 1));
            points.push_back({y * p.azimuth_spacing_m, x * p.ground_range_spacing_m, static_cast<double>(v) / clutter,
                              p.object(i, j) == 1});
        }
    std::vector<Point> real;
    for (const Point &w : points) {
        bool lobe = false;
        for (const Point &s : points) lobe |= side_lobe_of(w, s, p);
        if (!lobe) real.push_back(w);
    }
    return real;
}

/// A rectangle about points: axis and extents.
struct Hull {
    double c = 1, s = 0;  // direction of the long axis
    double u0 = 0, u1 = 0, v0 = 0, v1 = 0;
    double length() const { return u1 - u0; }
    double width() const { return v1 - v0; }
    double u(const Point &q) const { return q.y * c + q.x * s; }
    double v(const Point &q) const { return q.x * c - q.y * s; }
};

/// Direction of largest spread, every point with the same weight.
void turn_to(Hull &h, const std::vector<const Point *> &points)
{
    double n = 0, sy = 0, sx = 0, syy = 0, sxx = 0, syx = 0;
    for (const Point *q : points) {
        const double w = 1;
        n += w, sy += w * q->y, sx += w * q->x, syy += w * q->y * q->y, sxx += w * q->x * q->x, syx += w * q->y * q->x;
    }
    if (n < 2) return;
    const double vyy = syy / n - sy * sy / (n * n), vxx = sxx / n - sx * sx / (n * n),
                 vyx = syx / n - sy * sx / (n * n);
    const double angle = 0.5 * std::atan2(2 * vyx, vyy - vxx);
    h.c = std::cos(angle), h.s = std::sin(angle);
}

void span(Hull &h, const std::vector<const Point *> &points)
{
    h.u0 = h.v0 = 1e30, h.u1 = h.v1 = -1e30;
    for (const Point *q : points) {
        h.u0 = std::min(h.u0, h.u(*q)), h.u1 = std::max(h.u1, h.u(*q));
        h.v0 = std::min(h.v0, h.v(*q)), h.v1 = std::max(h.v1, h.v(*q));
    }
}

/// Points without the superstructure's: what lies within an eighth of the length of the brightest point. It stands
/// high, leans towards the radar and would turn and shift the hull.
std::vector<const Point *> without_tower(const std::vector<const Point *> &points, const Hull &h)
{
    const Point *brightest = points.front();
    for (const Point *q : points)
        if (q->value > brightest->value) brightest = q;
    std::vector<const Point *> out;
    for (const Point *q : points)
        if (std::abs(h.u(*q) - h.u(*brightest)) > 0.125 * h.length()) out.push_back(q);
    return out;
}

/// Scatterers of the object: those in its pixels, and those that go on with its line.
Hull fit_hull(const std::vector<Point> &points, double resolution, double grow_ratio, std::vector<const Point *> &mine)
{
    Hull h;
    std::vector<double> values;
    for (const Point &q : points)
        if (q.core) values.push_back(q.value);
    if (values.empty()) return h;
    // Scatterers of one hull are alike but for their fading: what is 15 dB below the middle one is a side lobe or
    // clutter more probably than a part of it, and outside the object's own pixels what is 12 dB below.
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    const double faint = 0.03 * *middle, faint_outside = std::max(1.3 * grow_ratio, 0.06 * *middle);
    for (const Point &q : points)
        if (q.core && q.value >= faint) mine.push_back(&q);
    // A single bright spot may be all that reached the threshold of a ship of 60 m: its neighbours are looked at first
    // in all directions, then along the axis only.
    for (int round = 0; round < 6; ++round) {
        turn_to(h, mine);
        span(h, mine);
        const bool line = h.length() > 3 * resolution && mine.size() >= 4;
        if (line) {
            const std::vector<const Point *> body = without_tower(mine, h);
            if (body.size() >= 5) {
                turn_to(h, body);
                span(h, mine);
            }
        }
        const double reach = line ? std::clamp(0.2 * h.length(), 12.0, 25.0) : 25.0;
        const double side = line ? std::max(0.0, 0.5 * (0.22 * h.length() - h.width())) + 0.5 * resolution : 25.0;
        std::vector<const Point *> next;
        for (const Point &q : points) {
            const double u = h.u(q), v = h.v(q);
            const bool near = u > h.u0 - reach && u < h.u1 + reach && v > h.v0 - side && v < h.v1 + side;
            bool mine_already = false;
            for (const Point *m : mine) mine_already |= m == &q;
            if (q.value < (q.core ? faint : faint_outside)) continue;
            if (q.core || near || (!line && mine_already)) next.push_back(&q);
        }
        if (next.size() == mine.size()) break;
        mine = next;
    }
    return h;
}

/// About the response to a point (power), so many resolutions away along one axis: its main lobe, and side lobes from
/// -17 dB on, 4 dB above those of Hamming 0.75. Those of an unweighted spectrum begin at -13 dB.
double response_envelope(double resolutions)
{
    return std::max(std::exp2(-4 * resolutions * resolutions), 0.02 * std::pow(1.5 / std::max(1.5, resolutions), 2));
}

/// The hull of a ship of which little more than one point stands out: of all rectangles in which that point lies a
/// fifth of the length from one end, the one whose other pixels are least like clutter and the point's side lobes.
/// Under speckle of L looks the log likelihood ratio of n independent pixels of mean m, m unknown, against clutter of
/// mean 1 is L n (m - 1 - ln m); short ships are the more common. Returns the logarithm.
double find_hidden_hull(const HullPatch &p, double clutter, const Point &peak, Hull &hull)
{
    struct Pixel {
        double y, x, value;
    };
    std::vector<Pixel> pixels;
    for (std::int64_t i = 0; i < p.intensity.rows; ++i)
        for (std::int64_t j = 0; j < p.intensity.cols; ++j) {
            const double value = static_cast<double>(p.intensity(i, j)) / clutter;
            if (!(value > 0) || p.object(i, j) == 2) continue;
            const double y = static_cast<double>(i) * p.azimuth_spacing_m - peak.y,
                         x = static_cast<double>(j) * p.ground_range_spacing_m - peak.x;
            const double dl = std::abs(y) / p.azimuth_resolution_m, ds = std::abs(x) / p.ground_range_resolution_m;
            if (std::hypot(y, x) > longest_hidden_m || std::hypot(dl, ds) < 1.2) continue;  // too far; the point itself
            pixels.push_back({y, x, value / (1 + response_envelope(dl) * response_envelope(ds) * peak.value)});
        }
    const double cells = p.azimuth_spacing_m * p.ground_range_spacing_m /
                         (p.azimuth_resolution_m * p.ground_range_resolution_m),
                 independent = p.looks * std::min(1.0, cells);
    const double resolution = std::max(p.azimuth_resolution_m, p.ground_range_resolution_m);
    double best = 0;
    for (int turn = 0; turn < 36; ++turn)
        for (double length = 25; length <= longest_hidden_m; length += 5) {
            Hull h;
            h.c = std::cos(pi * turn / 18), h.s = std::sin(pi * turn / 18);
            const double half_width = std::max(0.5 * resolution, 0.1 * length);
            double n = 0, sum = 0;
            for (const Pixel &q : pixels) {
                const double u = q.y * h.c + q.x * h.s, v = q.x * h.c - q.y * h.s;
                if (u < -0.2 * length || u > 0.8 * length || std::abs(v) > half_width) continue;
                ++n, sum += q.value;
            }
            if (sum <= n) continue;
            const double mean = sum / n, evidence = independent * n * (mean - 1 - std::log(mean)) - length / 10;
            if (evidence <= best) continue;
            best = evidence;
            h.u0 = h.u(peak) - 0.2 * length, h.u1 = h.u0 + length;
            h.v0 = h.v(peak) - half_width, h.v1 = h.v0 + 2 * half_width;
            hull = h;
        }
    return best;
}

}  // namespace

void measure_hull(const HullPatch &p, DetectedObject &o)
{
    o.clutter = clutter_around(p);
    const double dl = p.azimuth_spacing_m, ds = p.ground_range_spacing_m;
    double energy = 0, peak = 0, py = 0, px = 0;
    for (std::int64_t i = 0; i < p.intensity.rows; ++i)
        for (std::int64_t j = 0; j < p.intensity.cols; ++j) {
            const auto v = static_cast<double>(p.intensity(i, j));
            if (!(v > 0)) continue;
            const bool mine = p.object(i, j) == 1;
            bool beside = false;
            if (!mine)
                for (std::int64_t a = std::max<std::int64_t>(0, i - 2); a <= std::min(p.intensity.rows - 1, i + 2); ++a)
                    for (std::int64_t b = std::max<std::int64_t>(0, j - 2); b <= std::min(p.intensity.cols - 1, j + 2);
                         ++b)
                        beside |= p.object(a, b) == 1;
            if (mine || (beside && p.object(i, j) == 0)) energy += v - o.clutter;
            if (!mine || !(v > peak)) continue;
            peak = v;
            py = static_cast<double>(i), px = static_cast<double>(j);
        }
    o.energy_m2 = energy * dl * ds;
    o.peak_ratio = peak / o.clutter;
    o.peak_line = static_cast<double>(p.first_line) + py;
    o.peak_sample = static_cast<double>(p.first_sample) + px;

    const double resolution = std::max(p.azimuth_resolution_m, p.ground_range_resolution_m);
    std::vector<Point> points = find_points(p, o.clutter);
    if (std::none_of(points.begin(), points.end(), [](const Point &q) { return q.core; }))
        points.push_back({py * dl, px * ds, o.peak_ratio, true});  // its maximum lies on the patch's border
    std::vector<const Point *> mine;
    Hull h = fit_hull(points, resolution, p.grow_ratio, mine);

    const bool shown = h.length() > 2 * resolution;
    Hull about_peak;
    o.hull_evidence = find_hidden_hull(p, o.clutter, {py * dl, px * ds, o.peak_ratio, true}, about_peak);
    const bool inferred = !shown && o.hull_evidence >= least_evidence;
    if (inferred) h = about_peak;
    o.axis_known = shown || inferred || h.length() > 1.5 * resolution;

    const auto n = static_cast<double>(mine.size());
    // The outermost scatterers lie inside the ends: by half the mean distance between them along the axis.
    const double spacing = n > 1 && !inferred ? h.length() / (n - 1) : 0;
    o.length_m = h.length() + spacing;
    Hull b = h;
    if (!inferred) {
        const std::vector<const Point *> body = without_tower(mine, h);
        if (body.size() >= 4) span(b, body);
    }
    o.width_m = std::min(b.width(), o.length_m);
    const double u = 0.5 * (h.u0 + h.u1), v = 0.5 * (b.v0 + b.v1);
    // Edges and decks stand about a fortieth of the length above the water and are imaged nearer to the radar.
    const double lean = 0.025 * o.length_m * p.cotangent;
    o.line = static_cast<double>(p.first_line) + (u * h.c - v * h.s) / dl;
    o.sample = static_cast<double>(p.first_sample) + (u * h.s + v * h.c + lean) / ds;

    // Where one scatterer is all there is, it is the superstructure rather than the middle of a hull of unknown length.
    const double hidden = o.axis_known ? 0 : hidden_hull_m;
    const double vague = inferred ? 0.15 * o.length_m : 0;
    const double sigma_along =
                     std::hypot(0.3 * resolution, std::max({0.6 * spacing, 0.03 * o.length_m, hidden, vague})),
                 sigma_across = std::hypot(0.3 * resolution, std::max({0.02 * o.length_m, hidden, 0.6 * vague}));
    o.azimuth_sigma_m = std::hypot(sigma_along * h.c, sigma_across * h.s);
    o.ground_range_sigma_m = std::hypot(std::hypot(sigma_along * h.s, sigma_across * h.c), 0.5 * lean);
    o.position_sigma_m = std::hypot(std::max(sigma_along, sigma_across), 0.5 * lean);
    o.line_sigma = o.azimuth_sigma_m / dl;
    o.sample_sigma = o.ground_range_sigma_m / ds;
    o.length_sigma_m = std::hypot(0.6 * resolution, std::max({spacing, 0.05 * o.length_m, 2.5 * hidden, 2 * vague}));
    o.width_sigma_m = std::hypot(0.4 * resolution, 0.3 * o.width_m);
    o.axis_deg = std::fmod(std::atan2(h.s, h.c) * 180 / pi + 360, 180.0);
    o.axis_sigma_deg =
        std::min(52.0, 180 / pi * std::hypot((inferred ? 1.6 : 0.8) * resolution / std::max(1.0, h.length()), 0.05));
}

}  // namespace sidelook
