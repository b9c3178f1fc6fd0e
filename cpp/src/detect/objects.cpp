#include "detect/objects.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "detect/flags.h"
#include "detect/hull.h"

namespace sidelook
{
namespace
{

const ClutterFit &zone_of(const DetectReport &report, std::int64_t sample)
{
    const ClutterFit *zone = &report.clutter.front();
    for (const ClutterFit &f : report.clutter)
        if (sample >= f.first_sample) zone = &f;
    return *zone;
}

/// Measures one object after the other, on memory that is kept.
class Measurement
{
public:
    Measurement(const IntensityImage &image, const DetectOptions &options, const DetectReport &report,
                const SeaReader &reader)
        : image_(image), options_(options), report_(report), reader_(reader)
    {
    }
    /// `others`: components whose pixels are not this one's.
    DetectedObject measure(const Component &c, const std::vector<const Component *> &others)
    {
        DetectedObject d;
        d.first_line = c.first_line, d.end_line = c.end_line;
        d.first_sample = c.first_sample, d.end_sample = c.end_sample;
        d.pixels = c.pixels;
        const auto at = static_cast<std::size_t>((c.first_sample + c.end_sample) / 2);
        const std::int64_t margin = options_.windows.training / 2 + 1;
        const Interval l = intersection({c.first_line - margin, c.end_line + margin}, {0, image_.lines}),
                       s = intersection({c.first_sample - margin, c.end_sample + margin}, {0, image_.samples});
        const std::int64_t size = l.size() * s.size();
        if (patch_.size() < size) {
            patch_ = Buffer<float>(size);
            land_ = Buffer<std::uint8_t>(size);
            object_ = Buffer<std::uint8_t>(size);
        }
        const View2<float> v(patch_.data(), l.size(), s.size());
        const View2<std::uint8_t> dry(land_.data(), l.size(), s.size()), mark(object_.data(), l.size(), s.size());
        reader_.get(l.first, s.first, v, dry);
        std::fill(object_.data(), object_.data() + size, std::uint8_t{0});
        const auto paint = [&](const Component &q, std::uint8_t value) {
            if (q.end_line <= l.first || q.first_line >= l.end || q.end_sample <= s.first || q.first_sample >= s.end)
                return;
            for (const Run &r : q.runs) {
                if (r.line < l.first || r.line >= l.end) continue;
                for (std::int64_t j = std::max(r.first, s.first); j < std::min(r.end, s.end); ++j)
                    mark(r.line - l.first, j - s.first) = value;
            }
        };
        for (const Component *q : others) paint(*q, 2);
        paint(c, 1);
        HullPatch p;
        p.intensity = v;
        p.object = mark;
        p.first_line = l.first, p.first_sample = s.first;
        p.azimuth_spacing_m = image_.azimuth_spacing_m[at];
        p.ground_range_spacing_m = image_.ground_range_spacing_m[at];
        p.azimuth_resolution_m = image_.azimuth_resolution_m[at];
        p.ground_range_resolution_m = image_.ground_range_resolution_m[at];
        const double sine = std::min(0.999, image_.sample_spacing_m / p.ground_range_spacing_m);
        p.cotangent = image_.sample_spacing_m > 0 ? std::sqrt(1 - sine * sine) / sine : 0;
        p.looks = image_.equivalent_looks;
        p.grow_ratio = report_.grow_level * zone_of(report_, static_cast<std::int64_t>(at)).threshold;
        measure_hull(p, d);
        flag_surroundings(p, dry, image_.lines, image_.samples, d);
        return d;
    }
    /// Whether a component is a fragment of an object: it lies in the object's rectangle, widened by a
    /// resolution, or its middle lies in line with it and its nearer end no farther from its end than a quarter of its
    /// length or 50 m.
    bool inside(const Component &c, const DetectedObject &d) const
    {
        const auto at = static_cast<std::size_t>((d.first_sample + d.end_sample) / 2);
        const double al = image_.azimuth_spacing_m[at], as = image_.ground_range_spacing_m[at];
        const double angle = d.axis_deg * 3.14159265358979323846 / 180, co = std::cos(angle), si = std::sin(angle);
        const auto along = [&](double y, double x) { return std::abs(y * co + x * si); };
        double nearest = 1e30;
        for (const Run &r : c.runs)
            for (const std::int64_t j : {r.first, r.end - 1})
                nearest = std::min(nearest, along((static_cast<double>(r.line) - d.line) * al,
                                                  (static_cast<double>(j) - d.sample) * as));
        const double y = (0.5 * static_cast<double>(c.first_line + c.end_line - 1) - d.line) * al,
                     x = (0.5 * static_cast<double>(c.first_sample + c.end_sample - 1) - d.sample) * as;
        const double wide = std::max(image_.azimuth_resolution_m[at], image_.ground_range_resolution_m[at]);
        return nearest <= 0.5 * d.length_m + std::max(wide, std::min(50.0, 0.25 * d.length_m)) &&
               std::abs(x * co - y * si) <= 0.5 * std::max(d.width_m, 0.3 * d.length_m) + wide;
    }

private:
    const IntensityImage &image_;
    const DetectOptions &options_;
    const DetectReport &report_;
    const SeaReader &reader_;
    Buffer<float> patch_;
    Buffer<std::uint8_t> land_, object_;
};

constexpr double confirming_evidence = 8;  // of a hull; where clutter exceeds the threshold it seldom has more
constexpr double coarsest_hull_m = 15;     // resolution in which ships are more than points

}  // namespace

bool is_confirmed(const IntensityImage &image, const DetectReport &report, const DetectedObject &o)
{
    const std::int64_t at = (o.first_sample + o.end_sample) / 2;
    const auto k = static_cast<std::size_t>(at);
    return o.peak_ratio >= zone_of(report, at).certain || o.hull_evidence >= confirming_evidence ||
           std::max(image.azimuth_resolution_m[k], image.ground_range_resolution_m[k]) > coarsest_hull_m;
}

std::vector<DetectedObject> measure_objects(const IntensityImage &image, const DetectOptions &options,
                                            const DetectReport &report, const SeaReader &reader,
                                            std::vector<Component> &found, const std::function<void(double)> &progress)
{
    std::vector<std::size_t> order(found.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return found[a].size > found[b].size; });
    Measurement measurement(image, options, report, reader);
    std::vector<std::uint8_t> gone(found.size());
    std::vector<DetectedObject> objects;
    std::vector<Component> kept;
    for (std::size_t i = 0; i < order.size(); ++i) {
        const std::size_t k = order[i];
        if (gone[k]) continue;
        // those already measured are themselves; smaller ones may be fragments of this one
        std::vector<const Component *> others;
        for (const Component &c : kept) others.push_back(&c);
        DetectedObject d = measurement.measure(found[k], others);
        for (bool joined = true; joined;) {
            joined = false;
            for (std::size_t j = i + 1; j < order.size(); ++j) {
                Component &small = found[order[j]];
                if (gone[order[j]] || !measurement.inside(small, d)) continue;
                gone[order[j]] = 1;
                joined = true;
                join(found[k], std::move(small));
            }
            if (joined) d = measurement.measure(found[k], others);
        }
        locate(image, d);
        objects.push_back(d);
        kept.push_back(std::move(found[k]));
        progress(static_cast<double>(i + 1) / static_cast<double>(order.size()));
    }
    // back into reading order
    std::vector<std::size_t> place(objects.size());
    std::iota(place.begin(), place.end(), std::size_t{0});
    std::stable_sort(place.begin(), place.end(), [&](std::size_t a, std::size_t b) {
        return objects[a].line != objects[b].line ? objects[a].line < objects[b].line
                                                  : objects[a].sample < objects[b].sample;
    });
    std::vector<DetectedObject> sorted;
    found.clear();
    for (const std::size_t k : place) {
        sorted.push_back(objects[k]);
        found.push_back(std::move(kept[k]));
    }
    return sorted;
}

}  // namespace sidelook
