// What the echoes themselves tell of Doppler centroid and effective velocity, by focusing with candidates and keeping
// the sharpest image: sum |x|^4 / (sum |x|^2)^2 is largest where range walk and azimuth FM rate fit. It needs contrast
// in the scene (ships, shores, streets), as every method of the kind does.
#include <algorithm>
#include <cmath>
#include <optional>

#include "core/text.h"
#include "sidelook/error.h"
#include "sidelook/focus.h"

namespace sidelook
{
namespace
{

/// Weighted least squares of a polynomial of degree 0..2, normal equations in double: three unknowns, scaled x.
std::vector<double> fit(const std::vector<double> &x, const std::vector<double> &y, const std::vector<double> &w,
                        int degree)
{
    const int n = degree + 1;
    double m[3][4] = {};
    for (std::size_t i = 0; i < x.size(); ++i) {
        double powers[3] = {1, x[i], x[i] * x[i]};
        for (int r = 0; r < n; ++r) {
            for (int c = 0; c < n; ++c) m[r][c] += w[i] * powers[r] * powers[c];
            m[r][3] += w[i] * powers[r] * y[i];
        }
    }
    for (int p = 0; p < n; ++p) {
        int pivot = p;
        for (int r = p + 1; r < n; ++r)
            if (std::abs(m[r][p]) > std::abs(m[pivot][p])) pivot = r;
        std::swap(m[p], m[pivot]);
        for (int r = 0; r < n; ++r) {
            if (r == p || m[p][p] == 0) continue;
            const double f = m[r][p] / m[p][p];
            for (int c = 0; c < 4; ++c) m[r][c] -= f * m[p][c];
        }
    }
    std::vector<double> out;
    for (int p = 0; p < n; ++p) out.push_back(m[p][p] != 0 ? m[p][3] / m[p][p] : 0);
    return out;
}

double value(const std::vector<double> &c, double x)
{
    double v = 0;
    for (std::size_t i = c.size(); i-- > 0;) v = v * x + c[i];
    return v;
}

/// A part of the record small enough to focus many times: the middle, three apertures long at most, 2048 samples wide.
struct Patch {
    Acquisition acquisition;
    std::int64_t first_pulse = 0, first_sample = 0;
};

Patch middle_of(const Acquisition &a)
{
    Patch p{a};
    const double chirp = a.chirp_duration_s * a.sample_rate_hz;
    const std::int64_t pulses = std::min<std::int64_t>(a.pulses, 4096);
    const std::int64_t samples = std::min<std::int64_t>(a.samples, static_cast<std::int64_t>(chirp) + 1024);
    p.first_pulse = (a.pulses - pulses) / 2;
    p.first_sample = (a.samples - samples) / 2;
    p.acquisition.pulses = pulses;
    p.acquisition.samples = samples;
    p.acquisition.first_pulse_time_s += static_cast<double>(p.first_pulse) / a.prf_hz;
    const double later = static_cast<double>(p.first_sample) / a.sample_rate_hz;
    p.acquisition.first_sample_delay_s += later;
    return p;
}

/// The polynomial over x = delay - first_sample_delay, when the first sample moves later.
std::vector<double> moved(std::vector<double> c, double later)
{
    c.resize(3);
    return {c[0] + later * (c[1] + later * c[2]), c[1] + 2 * later * c[2], c[2]};
}

FocusPlan plan_of(const Patch &patch)
{
    FocusOptions options;
    options.minimum_exposure = 0.7;  // a larger part of a short record, and no less sharp
    options.equalise_antenna = false;
    return {patch.acquisition, options};
}

double sharpness(const FocusPlan &plan, const Patch &patch, const EchoReader &reader,
                 const EchoCorrections &corrections)
{
    double p2 = 0, p4 = 0, n = 0;
    const EchoReader part = [&](std::int64_t line, std::int64_t lines, std::int64_t sample, View2<c64> out) {
        reader(line + patch.first_pulse, lines, sample + patch.first_sample, out);
    };
    const SlcWriter add = [&](std::int64_t, std::int64_t, View2<const c64> block) {
        for (std::int64_t r = 0; r < block.rows; ++r)
            for (std::int64_t c = 0; c < block.cols; ++c) {
                const double power = std::norm(block(r, c));
                if (!std::isfinite(power)) continue;
                p2 += power;
                p4 += power * power;
                n += 1;
            }
    };
    EchoCorrections local = corrections;
    if (!local.line_gain.empty())
        local.line_gain.assign(corrections.line_gain.begin() + patch.first_pulse,
                               corrections.line_gain.begin() + patch.first_pulse + patch.acquisition.pulses);
    std::vector<StageReport> report;
    plan.run(part, add, local, {}, report);
    return p2 > 0 ? n * p4 / (p2 * p2) : 0;
}

}  // namespace

std::vector<double> fractional_doppler(const Acquisition &a, const EchoStatistics &s)
{
    require(!s.doppler_fraction_hz.empty(),
            "doppler_fraction_hz is empty; the survey must have seen two good pulses in a row");
    const auto n = s.doppler_fraction_hz.size();
    std::vector<double> x, y, w;
    const double width = static_cast<double>(a.samples) / a.sample_rate_hz;
    for (std::size_t i = 0; i < n; ++i) {
        double f = s.doppler_fraction_hz[i];
        if (!y.empty())
            f += std::round((y.back() - f) / a.prf_hz) * a.prf_hz;  // neighbours differ by far less than half the PRF
        x.push_back((static_cast<double>(i) + 0.5) / static_cast<double>(n));
        y.push_back(f);
        w.push_back(s.doppler_coherence[i] * s.doppler_coherence[i]);
    }
    std::vector<double> c;
    for (int round = 0; round < 3; ++round) {  // columns that strong targets have drawn away lose their say
        c = fit(x, y, w, 2);
        std::vector<double> distance;
        for (std::size_t i = 0; i < n; ++i) distance.push_back(std::abs(y[i] - value(c, x[i])));
        std::vector<double> sorted = distance;
        std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(n / 2), sorted.end());
        const double limit = std::max(4 * sorted[n / 2], 1e-3 * a.prf_hz);
        for (std::size_t i = 0; i < n; ++i)
            if (distance[i] > limit) w[i] *= 0.01;
    }
    return {c[0], c[1] / width, c[2] / (width * width)};
}

double doppler_drift(const Acquisition &a, const EchoStatistics &s)
{
    const auto n = s.doppler_deviation_hz.size();
    if (n < 3) return 0;
    std::vector<double> x;
    for (std::size_t i = 0; i < n; ++i) {  // middle of the run, seconds after the middle pulse
        const double first = static_cast<double>(i) * EchoSurvey::drift_lines;
        const double end = std::min(first + EchoSurvey::drift_lines, static_cast<double>(a.pulses));
        x.push_back((0.5 * (first + end) - 0.5 * static_cast<double>(a.pulses)) / a.prf_hz);
    }
    return fit(x, s.doppler_deviation_hz, s.doppler_deviation_weight, 1)[1];
}

AmbiguityEstimate estimate_ambiguity(const Acquisition &a, const std::vector<double> &fraction,
                                     const EchoReader &reader, const EchoCorrections &corrections, int from, int to)
{
    require(from <= to && to - from <= 200,
            text("ambiguities from ", from, " to ", to, "; must ascend and span at most 200"));
    validate(a);  // what is left for a plan to refuse depends on the candidate
    AmbiguityEstimate found;
    std::optional<Error> refusal;
    double refused_hz = 0;
    double best = -1;
    Patch patch = middle_of(a);
    const double later = patch.acquisition.first_sample_delay_s - a.first_sample_delay_s;
    for (int m = from; m <= to; ++m) {
        std::vector<double> doppler = fraction;
        doppler[0] += m * a.prf_hz;
        patch.acquisition.doppler_centroid_hz = moved(doppler, later);
        found.sharpness.push_back(0);
        std::optional<FocusPlan> plan;
        try {
            plan.emplace(plan_of(patch));
        } catch (const Error &e) {
            // Too large a squint (no strip narrow enough, zero Doppler beyond the orbit) is no more than a wrong
            // candidate. The refusal next to zero Doppler says why if there is no other.
            if (e.code() != Code::bad_input) throw;
            if (!refusal || std::abs(doppler[0]) < refused_hz) {
                refusal.emplace(e);
                refused_hz = std::abs(doppler[0]);
            }
            continue;
        }
        const double s = sharpness(*plan, patch, reader, corrections);
        found.sharpness.back() = s;
        if (s > best) {
            best = s;
            found.ambiguity = m;
            found.doppler_centroid_hz = doppler;
        }
    }
    if (best < 0 && refusal)
        throw Error(refusal->code(),
                    text("ambiguities from ", from, " to ", to, " hold none that can be focused: ", refusal->what()));
    double second = 0;
    for (int m = from; m <= to; ++m)
        if (m != found.ambiguity) second = std::max(second, found.sharpness[static_cast<std::size_t>(m - from)]);
    found.margin = second > 0 ? best / second : 1;
    return found;
}

double estimate_velocity(const Acquisition &a, const EchoReader &reader, const EchoCorrections &corrections,
                         double from, double to)
{
    require(from > 0 && from < to, text("velocities from ", from, " to ", to, " m/s; must be positive and ascend"));
    require(a.orbit.empty(), "orbit is given; the effective velocity follows from it");
    Patch patch = middle_of(a);
    const double later = patch.acquisition.first_sample_delay_s - a.first_sample_delay_s;
    patch.acquisition.doppler_centroid_hz = moved(a.doppler_centroid_hz, later);
    const auto score = [&](double v) {
        patch.acquisition.effective_velocity_m_per_s = v;
        return sharpness(plan_of(patch), patch, reader, corrections);
    };
    // A grid as fine as a fully defocused edge (pi of quadratic phase) of an aperture of 700 pulses, then golden
    // section.
    constexpr int steps = 32;
    double best = from, top = -1;
    const double step = (to - from) / steps;
    for (int i = 0; i <= steps; ++i) {
        const double s = score(from + i * step);
        if (s > top) top = s, best = from + i * step;
    }
    double low = best - step, high = best + step;
    const double ratio = 0.5 * (std::sqrt(5.0) - 1);
    double x1 = high - ratio * (high - low), x2 = low + ratio * (high - low), s1 = score(x1), s2 = score(x2);
    while (high - low > 1e-4 * best) {
        if (s1 > s2) {
            high = x2, x2 = x1, s2 = s1, x1 = high - ratio * (high - low), s1 = score(x1);
        } else {
            low = x1, x1 = x2, s1 = s2, x2 = low + ratio * (high - low), s2 = score(x2);
        }
    }
    return 0.5 * (low + high);
}

}  // namespace sidelook
