#include "detect/components.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace sidelook
{
namespace
{

bool by_place(const Component &a, const Component &b)
{
    const Run &p = a.runs.front(), &q = b.runs.front();
    return p.line != q.line ? p.line < q.line : p.first < q.first;
}

bool run_before(const Run &a, const Run &b) { return a.line != b.line ? a.line < b.line : a.first < b.first; }

}  // namespace

void join(Component &to, Component &&from)
{
    const auto middle = static_cast<std::ptrdiff_t>(to.runs.size());
    to.runs.insert(to.runs.end(), from.runs.begin(), from.runs.end());
    std::inplace_merge(to.runs.begin(), to.runs.begin() + middle, to.runs.end(), run_before);
    to.first_line = std::min(to.first_line, from.first_line);
    to.end_line = std::max(to.end_line, from.end_line);
    to.first_sample = std::min(to.first_sample, from.first_sample);
    to.end_sample = std::max(to.end_sample, from.end_sample);
    to.pixels += from.pixels;
    to.size += from.size;
    to.peak = std::max(to.peak, from.peak);
}

std::size_t Components::root(std::size_t k)
{
    for (auto it = up_.find(k); it != up_.end(); it = up_.find(k)) k = it->second;
    return k;
}

void Components::add(std::int64_t line, const float *ratio, std::int64_t samples)
{
    current_.clear();
    std::size_t p = 0;
    for (std::int64_t j = 0; j < samples; ++j) {
        if (!(ratio[j] >= grow_)) continue;
        Run run{line, j, j};
        std::int64_t above = 0;
        float peak = 0;
        for (; j < samples && ratio[j] >= grow_; ++j) {
            above += ratio[j] >= 1;
            peak = std::max(peak, ratio[j]);
        }
        run.end = j;
        // 8-connected: runs of the line before that begin no later than one past the end and end no earlier than one
        // before the first
        while (p < previous_.size() && previous_[p].run.end < run.first) ++p;
        std::size_t label = next_;
        bool known = false;
        for (std::size_t q = p; q < previous_.size() && previous_[q].run.first <= run.end; ++q) {
            const std::size_t other = root(previous_[q].label);
            if (!known) {
                label = other;
                known = true;
            } else if (other != label) {
                const std::size_t keep = std::min(label, other), drop = std::max(label, other);
                join(open_.at(keep).component, std::move(open_.at(drop).component));
                open_.at(keep).last_line = std::max(open_.at(keep).last_line, open_.at(drop).last_line);
                open_.erase(drop);
                up_[drop] = keep;
                label = keep;
            }
        }
        if (!known) {
            ++next_;
            Component c;
            c.first_line = line, c.first_sample = run.first;
            open_[label].component = c;
        }
        Open &o = open_.at(label);
        Component &c = o.component;
        c.runs.push_back(run);
        c.end_line = line + 1;
        c.first_sample = std::min(c.first_sample, run.first);
        c.end_sample = std::max(c.end_sample, run.end);
        c.pixels += above;
        c.size += run.end - run.first;
        c.peak = std::max(c.peak, peak);
        o.last_line = line;
        current_.push_back({run, label});
    }
    std::swap(previous_, current_);
    for (Labelled &l : previous_) l.label = root(l.label);
    up_.clear();
    close(line);
}

void Components::close(std::int64_t before)
{
    for (auto it = open_.begin(); it != open_.end();) {
        if (it->second.last_line >= before) {
            ++it;
            continue;
        }
        Component &c = it->second.component;
        if (c.pixels > 0)
            done_.push_back(std::move(c));
        else if (c.size > 1)
            faint_.push_back(std::move(c));
        it = open_.erase(it);
    }
}

std::vector<Component> Components::finish()
{
    close(std::numeric_limits<std::int64_t>::max());
    previous_.clear();
    std::sort(done_.begin(), done_.end(), by_place);
    std::sort(faint_.begin(), faint_.end(), by_place);
    return std::move(done_);
}

bool are_near(const Component &a, const Component &b, double azimuth_spacing_m, double ground_range_spacing_m,
              double gap_m)
{
    const auto gap = [](std::int64_t first, std::int64_t end, std::int64_t other_first, std::int64_t other_end) {
        return static_cast<double>(std::max<std::int64_t>({0, other_first - end + 1, first - other_end + 1}));
    };
    const auto far = [&](double lines, double samples) {
        return std::hypot(azimuth_spacing_m * lines, ground_range_spacing_m * samples) > gap_m;
    };
    if (far(gap(a.first_line, a.end_line, b.first_line, b.end_line),
            gap(a.first_sample, a.end_sample, b.first_sample, b.end_sample)))
        return false;
    for (const Run &p : a.runs)
        for (const Run &q : b.runs)
            if (!far(static_cast<double>(q.line - p.line), gap(p.first, p.end, q.first, q.end))) return true;
    return false;
}

std::vector<Component> merge_near(std::vector<Component> parts, const std::vector<Component> &faint,
                                  const std::vector<double> &azimuth_spacing_m,
                                  const std::vector<double> &ground_range_spacing_m, double gap_m)
{
    std::vector<std::size_t> up(parts.size());
    std::iota(up.begin(), up.end(), std::size_t{0});
    const auto root = [&](std::size_t k) {
        while (up[k] != k) k = up[k] = up[up[k]];
        return k;
    };
    const auto near = [&](const Component &a, const Component &b) {
        const auto at = static_cast<std::size_t>(a.first_sample);
        const auto size = [&](const Component &c) {
            return std::hypot(azimuth_spacing_m[at] * static_cast<double>(c.end_line - c.first_line),
                              ground_range_spacing_m[at] * static_cast<double>(c.end_sample - c.first_sample));
        };
        // the two sides of a large ship lie farther apart than fragments of a small one
        const double gap = std::max(gap_m, std::min(2.4 * gap_m, 0.2 * std::max(size(a), size(b))));
        return are_near(a, b, azimuth_spacing_m[at], ground_range_spacing_m[at], gap);
    };
    const double least_spacing = *std::min_element(azimuth_spacing_m.begin(), azimuth_spacing_m.end());
    std::vector<std::size_t> active;  // sorted by first line: those that may still be near what comes
    for (std::size_t i = 0; i < parts.size(); ++i) {
        std::vector<std::size_t> still;
        for (const std::size_t k : active) {
            if (static_cast<double>(parts[i].first_line - parts[k].end_line) * least_spacing > 2.4 * gap_m) continue;
            still.push_back(k);
            if (root(k) != root(i) && near(parts[k], parts[i])) {
                const std::size_t a = root(k), b = root(i);
                up[std::max(a, b)] = std::min(a, b);
            }
        }
        still.push_back(i);
        active = std::move(still);
    }
    std::vector<Component> bridges;
    std::vector<std::size_t> bridge_of;                                       // a part that it belongs to
    const auto reach = static_cast<std::int64_t>(gap_m / least_spacing) + 1;  // lines
    std::size_t next = 0;
    active.clear();  // parts that a faint one may be near; both lists are sorted by first line
    for (const Component &f : faint) {
        while (next < parts.size() && parts[next].first_line <= f.end_line + reach) active.push_back(next++);
        active.erase(std::remove_if(active.begin(), active.end(),
                                    [&](std::size_t k) { return parts[k].end_line + reach < f.first_line; }),
                     active.end());
        const auto at = static_cast<std::size_t>(f.first_sample);
        std::size_t shore = parts.size();
        bool joins = false;
        for (const std::size_t k : active) {
            if (!are_near(f, parts[k], azimuth_spacing_m[at], ground_range_spacing_m[at], gap_m)) continue;
            if (shore == parts.size()) {
                shore = k;
            } else if (root(shore) != root(k)) {
                const std::size_t a = root(shore), b = root(k);
                up[std::max(a, b)] = std::min(a, b);
                joins = true;
            }
        }
        if (!joins) continue;
        bridges.push_back(f);
        bridge_of.push_back(shore);
    }
    std::vector<Component> out;
    std::vector<std::size_t> place(parts.size());
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const std::size_t r = root(i);
        if (r == i) {
            place[i] = out.size();
            out.push_back(std::move(parts[i]));
        } else {
            join(out[place[r]], std::move(parts[i]));
        }
    }
    for (std::size_t b = 0; b < bridges.size(); ++b) join(out[place[root(bridge_of[b])]], std::move(bridges[b]));
    std::sort(out.begin(), out.end(), by_place);
    return out;
}

}  // namespace sidelook
