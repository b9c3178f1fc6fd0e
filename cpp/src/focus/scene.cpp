#include "focus/scene.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/text.h"
#include "sidelook/error.h"

namespace sidelook
{
namespace
{

constexpr double pi = 3.14159265358979323846;
constexpr double c0 = speed_of_light_m_per_s;

void check_window(const char *name, const Window &w)
{
    using Shape = Window::Shape;
    if (w.shape == Shape::hamming)
        require(w.parameter >= 0.5 && w.parameter <= 1,
                text(name, " is hamming ", w.parameter, "; its parameter must lie within 0.5 and 1"));
    if (w.shape == Shape::kaiser)
        require(w.parameter >= 0 && w.parameter <= 20,
                text(name, " is kaiser ", w.parameter, "; its parameter must lie within 0 and 20"));
    if (w.shape == Shape::taylor)
        require(w.parameter >= 15 && w.parameter <= 60,
                text(name, " is taylor ", w.parameter, "; its parameter must lie within 15 and 60 dB"));
}

/// A window over a band whose ends fall off as a raised cosine, half way at the band's edges.
double weight(double offset_hz, double band_hz, double roll_off_hz, const Window &window)
{
    const double edge = (std::abs(offset_hz) - 0.5 * band_hz) / roll_off_hz;
    if (edge >= 0.5) return 0;
    const double roll = edge <= -0.5 ? 1 : 0.5 - 0.5 * std::sin(pi * edge);
    return roll * window(2 * offset_hz / band_hz);
}

/// Polynomial through values at n equidistant nodes on [0, 1], evaluated at x (Neville).
double interpolate(const std::vector<double> &values, double x)
{
    std::vector<double> p = values;
    const auto n = p.size();
    const double step = 1.0 / static_cast<double>(n - 1);
    for (std::size_t order = 1; order < n; ++order)
        for (std::size_t i = 0; i + order < n; ++i) {
            const double a = static_cast<double>(i) * step, b = static_cast<double>(i + order) * step;
            p[i] = ((x - b) * p[i] - (x - a) * p[i + 1]) / (a - b);
        }
    return p[0];
}

}  // namespace

Scene::Scene(const Acquisition &acquisition, const FocusOptions &options)
    : acquisition_((validate(acquisition), acquisition)), options_(options), model_(acquisition)
{
    const Acquisition &a = acquisition_;
    require(!a.doppler_centroid_hz.empty(),
            "doppler_centroid_hz is empty; must be given, estimated from the echoes or taken from the attitude");
    check_window("azimuth_window", options.azimuth_window);
    check_window("range_window", options.range_window);
    require(options.minimum_exposure >= 0.5 && options.minimum_exposure <= 1,
            text("minimum_exposure is ", options.minimum_exposure, "; must lie within 0.5 and 1"));
    require(options.threads >= 0 && options.threads <= 1024,
            text("threads is ", options.threads, "; must be 0 (all) or greater, at most 1024"));
    require(options.max_bytes >= 0, text("max_bytes is ", options.max_bytes, "; must be 0 (no bound) or greater"));

    const double chirp_bandwidth = std::abs(a.chirp_rate_hz_per_s) * a.chirp_duration_s;
    grid_.range_bandwidth_hz = options.range_bandwidth_hz > 0 ? options.range_bandwidth_hz : chirp_bandwidth;
    require(options.range_bandwidth_hz >= 0 && grid_.range_bandwidth_hz <= chirp_bandwidth * (1 + 1e-9),
            text("range_bandwidth_hz is ", options.range_bandwidth_hz,
                 "; must be 0 (the chirp's) or at most the chirp's, ", chirp_bandwidth, " Hz"));
    grid_.doppler_bandwidth_hz = options.doppler_bandwidth_hz > 0 ? options.doppler_bandwidth_hz : 0.7 * a.prf_hz;
    // Narrower than its own roll-off a band is no band.
    require(options.doppler_bandwidth_hz >= 0 && grid_.doppler_bandwidth_hz >= roll_off_hz() &&
                grid_.doppler_bandwidth_hz <= 0.85 * a.prf_hz,
            text("doppler_bandwidth_hz is ", options.doppler_bandwidth_hz,
                 "; must be 0 (0.7 PRF) or lie within 0.05 and 0.85 PRF, ", roll_off_hz(), " to ", 0.85 * a.prf_hz,
                 " Hz"));
    grid_.line_spacing_s = 1 / a.prf_hz;
    grid_.sample_spacing_m = c0 / (2 * a.sample_rate_hz);

    constexpr int panels = 4000;
    const double half_range_band = 0.5 * (grid_.range_bandwidth_hz + range_roll_off_hz());
    for (int i = 0; i < panels; ++i) {
        const double x = 2 * (i + 0.5) / panels - 1;
        azimuth_weight_integral_hz_ += azimuth_weight(half_band_hz() * x) * 2 * half_band_hz() / panels;
        range_weight_integral_hz_ += range_weight(half_range_band * x) * 2 * half_range_band / panels;
    }

    // A first history, wide enough for any stripmap aperture, tells the Doppler rate and so the width that is needed.
    const double middle_time = a.first_pulse_time_s + 0.5 * static_cast<double>(a.pulses) / a.prf_hz;
    const double middle_range =
        0.5 * c0 * (a.first_sample_delay_s + 0.5 * static_cast<double>(a.samples) / a.sample_rate_hz);
    history_half_width_s_ = 0.5;
    const auto probe = model_.target(middle_time, middle_range);
    const auto h = history(probe, 0);
    const double rate = stationary_point(h, a.carrier_hz, 0).doppler_rate_hz_per_s;
    history_half_width_s_ = 0.75 * a.prf_hz / rate;

    find_line_delays();
    find_range_extent();
    find_lines();
    const auto centre = model_.target(line_time_s(0.5 * static_cast<double>(grid_.lines)),
                                      slant_range_m(0.5 * static_cast<double>(grid_.samples)));
    grid_.effective_velocity_m_per_s = model_.effective_velocity_m_per_s(centre);
}

double Scene::azimuth_weight(double offset_hz) const
{
    return weight(offset_hz, grid_.doppler_bandwidth_hz, roll_off_hz(), options_.azimuth_window);
}

double Scene::range_weight(double offset_hz) const
{
    return weight(offset_hz, grid_.range_bandwidth_hz, range_roll_off_hz(), options_.range_window);
}

double Scene::centroid_hz(double delay_s, double sent_s) const
{
    const double x = delay_s - acquisition_.first_sample_delay_s;
    double f = 0;
    for (std::size_t i = acquisition_.doppler_centroid_hz.size(); i-- > 0;)
        f = f * x + acquisition_.doppler_centroid_hz[i];
    return f + acquisition_.doppler_drift_hz_per_s * (sent_s - middle_pulse_s());
}

double Scene::doppler_hz(const EchoModel::Target &target) const
{
    // The centroid depends on the delay and time at which the target is seen, and these on its Doppler: a fixed point
    // that contracts by (drift / Doppler rate), some 1e-3, each round.
    const Acquisition &a = acquisition_;
    double f = centroid_hz(2 * target.slant_range_m / c0, middle_pulse_s());
    if (a.doppler_centroid_hz.size() == 1 && a.doppler_drift_hz_per_s == 0) return f;
    for (int i = 0; i < 3; ++i) {
        const auto h = history(target, f);
        const double delay = h.at(0).delay_s;
        f = centroid_hz(delay, h.time_s - delay);
    }
    return f;
}

std::pair<EchoHistory, double> Scene::passing(double slant_range_m, double sent_s, std::optional<double> doppler) const
{
    double t = sent_s, f = 0;
    EchoHistory h;
    for (int round = 0; round < 6; ++round) {
        const auto target = model_.target(t, slant_range_m);
        f = doppler ? *doppler : doppler_hz(target);
        h = history(target, f);
        const double late = h.time_s - h.at(0).delay_s - sent_s;
        t -= late;
        if (std::abs(late) < 1e-9) break;
    }
    return {h, f};
}

Scene::Aperture Scene::aperture(const EchoModel::Target &target) const
{
    const double f = doppler_hz(target);
    const auto h = history(target, f);
    const auto pulse = [&](double doppler) {
        const auto p = stationary_point(h, acquisition_.carrier_hz - doppler, doppler);
        return (p.time_s - p.delay_s - acquisition_.first_pulse_time_s) * acquisition_.prf_hz;
    };
    return {pulse(f + half_band_hz()), pulse(f - half_band_hz())};  // Doppler falls with time
}

void Scene::find_line_delays()
{
    const Acquisition &a = acquisition_;
    constexpr int nodes = 7;
    line_delays_s_.assign(nodes, 0);
    if (model_.azimuth_invariant()) return;
    // At one Doppler for all pulses: it is the drift of the curve at a given Doppler that a block cannot hold.
    const double wanted = a.first_sample_delay_s + 0.5 * static_cast<double>(a.samples) / a.sample_rate_hz;
    double range = 0.5 * c0 * wanted, doppler = 0, middle = 0;
    for (int round = 0; round < 4; ++round) {
        const auto [h, f] = passing(range, middle_pulse_s());
        doppler = f;
        middle = h.at(0).delay_s;
        if (round < 3) range += 0.5 * c0 * (wanted - middle);
    }
    for (int i = 0; i < nodes; ++i) {
        const double sent = a.first_pulse_time_s + static_cast<double>(a.pulses) * i / ((nodes - 1) * a.prf_hz);
        const double late = passing(range, sent, doppler).first.at(0).delay_s - middle;
        line_delays_s_[static_cast<std::size_t>(i)] = late;
        // A ten-thousandth of a sample turns the band's edge by less than a milliradian.
        if (std::abs(late) * a.sample_rate_hz > 1e-4) lines_drift_ = true;
    }
}

double Scene::line_delay_s(double pulse) const
{
    return lines_drift_ ? interpolate(line_delays_s_, pulse / static_cast<double>(acquisition_.pulses)) : 0;
}

void Scene::find_range_extent()
{
    // Delays at which the asked share of the pulse was recorded; the image holds the ranges whose whole migration stays
    // within.
    const Acquisition &a = acquisition_;
    const double inset = (options_.minimum_exposure - 0.5) * a.chirp_duration_s;
    const double near = a.first_sample_delay_s + inset;
    const double far = a.first_sample_delay_s + static_cast<double>(a.samples - 1) / a.sample_rate_hz - inset;
    require(far > near, text("samples is ", a.samples, "; the receive window must be longer than the pulse"));
    // Extremes over the migration curve, on the first, the middle and the last pulse.
    const auto delays = [&](double range) {
        std::pair<double, double> extent{1e9, -1e9};
        for (const double place : {0.0, 0.5, 1.0}) {
            const auto [h, f] =
                passing(range, a.first_pulse_time_s + place * static_cast<double>(a.pulses - 1) / a.prf_hz);
            for (const double offset : {-half_band_hz(), 0.0, half_band_hz()}) {
                const double delay = stationary_point(h, a.carrier_hz - f - offset, f + offset).delay_s;
                extent = {std::min(extent.first, delay), std::max(extent.second, delay)};
            }
        }
        return extent;
    };
    const auto solve = [&](double delay, bool nearest) {
        double range = 0.5 * c0 * delay;
        for (int i = 0; i < 6; ++i) {
            const auto e = delays(range);
            range += 0.5 * c0 * (delay - (nearest ? e.first : e.second));
        }
        return range;
    };
    const double first = solve(near, true), last = solve(far, false);
    grid_.first_slant_range_m = std::ceil(first / grid_.sample_spacing_m) *
                                grid_.sample_spacing_m;  // a grid of its own, the same for every crop
    grid_.samples =
        static_cast<std::int64_t>(std::floor((last - grid_.first_slant_range_m) / grid_.sample_spacing_m)) + 1;
    require(grid_.samples > 0, text("samples is ", a.samples, "; no range is fully exposed over pulse and migration"));
}

void Scene::find_lines()
{
    const Acquisition &a = acquisition_;
    constexpr int nodes = 9;
    std::vector<double> begin(nodes), end(nodes), doppler(nodes), tilt(nodes);
    for (int i = 0; i < nodes; ++i) {
        const double range = slant_range_m(static_cast<double>(grid_.samples - 1) * i / (nodes - 1));
        const auto edge = [&](double pulse, bool first) {
            double t = a.first_pulse_time_s + pulse / a.prf_hz;
            for (int round = 0; round < 5; ++round) {
                const auto ap = aperture(model_.target(t, range));
                const double spare = (1 - options_.minimum_exposure) * (ap.last_pulse - ap.first_pulse);
                t += (pulse - (first ? ap.first_pulse + spare : ap.last_pulse - spare)) / a.prf_hz;
            }
            return t;
        };
        begin[i] = edge(0, true);
        end[i] = edge(static_cast<double>(a.pulses - 1), false);
        const double middle = 0.5 * (begin[i] + end[i]);
        doppler[i] = doppler_hz(model_.target(middle, range));
        // d/dR of the cycles that focusing adds at the centroid, less those of the image's phase convention, 2 f0 R /
        // c.
        const auto cycles = [&](double r) {
            return stationary_point(history(model_.target(middle, r), doppler[i]), a.carrier_hz - doppler[i],
                                    doppler[i])
                .cycles;
        };
        tilt[i] = (cycles(range + 50) - cycles(range - 50)) / 100 - 2 * a.carrier_hz / c0;
    }
    const double first = *std::min_element(begin.begin(), begin.end()),
                 last = *std::max_element(end.begin(), end.end());
    const bool any = [&] {
        for (int i = 0; i < nodes; ++i)
            if (end[i] >= begin[i]) return true;
        return false;
    }();
    if (!any) {
        const auto ap = aperture(model_.target(0.5 * (first + last), slant_range_m(0)));
        throw Error(Code::bad_input, text("pulses is ", a.pulses, "; must exceed the synthetic aperture, ",
                                          std::ceil(ap.last_pulse - ap.first_pulse), " pulses"));
    }
    grid_.first_line_time_s = std::ceil(first * a.prf_hz) / a.prf_hz;
    grid_.lines = static_cast<std::int64_t>(std::floor((last - grid_.first_line_time_s) * a.prf_hz)) + 1;
    grid_.valid_first_line.resize(static_cast<std::size_t>(grid_.samples));
    grid_.valid_end_line.resize(static_cast<std::size_t>(grid_.samples));
    grid_.doppler_centroid_hz.resize(static_cast<std::size_t>(grid_.samples));
    grid_.range_spectrum_centre.resize(static_cast<std::size_t>(grid_.samples));
    for (std::int64_t j = 0; j < grid_.samples; ++j) {
        const double x = grid_.samples > 1 ? static_cast<double>(j) / static_cast<double>(grid_.samples - 1) : 0;
        const auto line = [&](double t) { return (t - grid_.first_line_time_s) * a.prf_hz; };
        const auto u = static_cast<std::size_t>(j);
        grid_.valid_first_line[u] = std::clamp<std::int64_t>(
            static_cast<std::int64_t>(std::ceil(line(interpolate(begin, x)) - 1e-6)), 0, grid_.lines);
        grid_.valid_end_line[u] =
            std::clamp<std::int64_t>(static_cast<std::int64_t>(std::floor(line(interpolate(end, x)) + 1e-6)) + 1,
                                     grid_.valid_first_line[u], grid_.lines);
        grid_.doppler_centroid_hz[u] = interpolate(doppler, x);
        grid_.range_spectrum_centre[u] = interpolate(tilt, x) * grid_.sample_spacing_m;
    }
}

}  // namespace sidelook
