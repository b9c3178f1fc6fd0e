// From a backscatter coefficient to the mean power of pixels, through orbit, ellipsoid, antenna and the filters of
// focusing; docs/radiometry.md derives it.
#include <algorithm>
#include <cmath>

#include "core/vec3.h"
#include "focus/range_plan.h"
#include "focus/scene.h"
#include "sidelook/radiometry.h"

namespace sidelook
{
namespace
{

constexpr double pi = 3.14159265358979323846;
constexpr double c0 = speed_of_light_m_per_s;
constexpr int panels = 512;  // of integrals over a band: the midpoint rule's error is then below 1e-5

/// Amplitude of an image's spectrum over offsets from its centre, at the middles of `panels` equal steps.
struct Response {
    double step_hz = 0;
    std::vector<double> weight;
    double energy() const
    {
        double sum = 0;
        for (const double w : weight) sum += w * w;
        return sum * step_hz;
    }
    double offset_hz(std::size_t i) const { return (static_cast<double>(i) + 0.5 - 0.5 * panels) * step_hz; }
    /// The response at a time off its peak; it is real where the weight is even, and its modulus otherwise.
    double power_at(double time_s) const
    {
        double re = 0, im = 0;
        for (std::size_t i = 0; i < weight.size(); ++i) {
            const double angle = 2 * pi * offset_hz(i) * time_s;
            re += weight[i] * std::cos(angle);
            im += weight[i] * std::sin(angle);
        }
        return (re * re + im * im) * step_hz * step_hz;
    }
    /// Squared coherence of uniform speckle between two instants.
    double coherence2(double time_s) const
    {
        double re = 0, im = 0;
        for (std::size_t i = 0; i < weight.size(); ++i) {
            const double angle = 2 * pi * offset_hz(i) * time_s, power = weight[i] * weight[i];
            re += power * std::cos(angle);
            im += power * std::sin(angle);
        }
        const double whole = energy() / step_hz;
        return (re * re + im * im) / (whole * whole);
    }
    /// Variance of the mean of n intensities `spacing_s` apart, over that of one.
    double variance(std::int64_t n, double spacing_s) const
    {
        const auto count = static_cast<double>(n);
        double sum = count;
        // Beyond 64 inverse bandwidths the coherence is gone.
        const double reach = 64 / (step_hz * panels * spacing_s);
        for (std::int64_t k = 1; k < n && static_cast<double>(k) < reach; ++k)
            sum += 2 * (count - static_cast<double>(k)) * coherence2(static_cast<double>(k) * spacing_s);
        return sum / (count * count);
    }
    /// 3 dB width (s) of |response|^2 averaged over n places `spacing_s` apart.
    double width(std::int64_t n, double spacing_s) const
    {
        constexpr std::int64_t fine = 32;  // steps between two places
        const double band = step_hz * panels, step = spacing_s / fine;
        const auto margin = static_cast<std::int64_t>(std::ceil(2 / (band * step)));
        // Half of the even profile is enough. Places lie at (k - (n-1)/2) spacing; times at multiples of half a step.
        std::vector<double> power(static_cast<std::size_t>((n - 1) * fine + 2 * margin + 2));
        for (std::size_t i = 0; i < power.size(); ++i) power[i] = -1;
        const auto single = [&](std::int64_t half_steps) {
            const auto k = static_cast<std::size_t>(std::abs(half_steps));
            if (k >= power.size()) return 0.0;
            if (power[k] < 0) power[k] = power_at(0.5 * step * static_cast<double>(k));
            return power[k];
        };
        const auto average = [&](std::int64_t half_steps) {
            double sum = 0;
            for (std::int64_t k = 0; k < n; ++k) sum += single(half_steps - (2 * k - (n - 1)) * fine);
            return sum;
        };
        const std::int64_t far = (n - 1) * fine + 2 * margin;
        std::vector<double> profile;
        for (std::int64_t i = 0; i <= far; ++i) profile.push_back(average(i));
        const double half = 0.5 * *std::max_element(profile.begin(), profile.end());
        std::size_t i = profile.size() - 1;
        while (i > 0 && profile[i] < half) --i;
        const double part = i + 1 < profile.size() ? (profile[i] - half) / (profile[i] - profile[i + 1]) : 0;
        return 2 * 0.5 * step * (static_cast<double>(i) + part);
    }
};

}  // namespace

struct ImageRadiometry::Parts {
    Scene scene;
    double range_noise_gain;
    Response across;  // over range frequency
    Response along;   // over Doppler, in the image's middle

    Parts(const Acquisition &a, const FocusOptions &o)
        : scene(a, o), range_noise_gain(RangePlan(scene, {0, scene.grid().samples}).noise_gain())
    {
        across.step_hz = (scene.grid().range_bandwidth_hz + scene.range_roll_off_hz()) / panels;
        across.weight.resize(panels);
        for (std::size_t i = 0; i < panels; ++i)
            across.weight[i] = scene.range_weight(across.offset_hz(i)) / scene.range_weight_integral_hz();
        const auto middle = scene.model().target(scene.line_time_s(0.5 * static_cast<double>(scene.grid().lines)),
                                                 scene.slant_range_m(0.5 * static_cast<double>(scene.grid().samples)));
        along = azimuth(middle).response;
    }

    struct Azimuth {
        Response response;  // of a unit echo
        double noise_gain = 0;
        double doppler_hz = 0, time_s = 0, delay_s = 0;  // at which the beam's centre passes
    };
    Azimuth azimuth(const EchoModel::Target &target) const
    {
        const Acquisition &a = scene.acquisition();
        const double centre = scene.doppler_hz(target);
        const EchoHistory h = scene.history(target, centre);
        const double rate = stationary_point(h, a.carrier_hz - centre, centre).doppler_rate_hz_per_s;
        Azimuth out;
        out.doppler_hz = centre;
        out.time_s = h.time_s;
        out.delay_s = h.at(0).delay_s;
        out.response.step_hz = 2 * scene.half_band_hz() / panels;
        out.response.weight.resize(panels);
        double guess = 0;
        for (std::size_t i = 0; i < panels; ++i) {
            const double offset = out.response.offset_hz(i), f = centre + offset;
            const auto p = stationary_point(h, a.carrier_hz - f, f, guess);
            guess = (p.time_s - h.time_s) / h.scale_s;
            // As azimuth_compress weighs (docs/focusing.md, "Amplitude"): what it divides by is held at -20 dB.
            const double pattern = scene.model().azimuth_pattern(target, p.time_s);
            const double divided = scene.options().equalise_antenna ? std::max(pattern, 0.1) : 1;
            const double weight = scene.azimuth_weight(offset) / scene.azimuth_weight_integral_hz() * rate / divided;
            out.response.weight[i] = weight * pattern / p.doppler_rate_hz_per_s;
            out.noise_gain += weight * weight / p.doppler_rate_hz_per_s * out.response.step_hz / a.prf_hz;
        }
        return out;
    }
};

ImageRadiometry::ImageRadiometry(const Acquisition &acquisition, const FocusOptions &options)
    : parts_(std::make_unique<Parts>(acquisition, options))
{
}
ImageRadiometry::~ImageRadiometry() = default;
ImageRadiometry::ImageRadiometry(ImageRadiometry &&) noexcept = default;

ImageRadiometry::Place ImageRadiometry::at(double t, double range_m) const
{
    const Scene &scene = parts_->scene;
    const Acquisition &a = scene.acquisition();
    const std::optional<Orbit> &known = scene.model().orbit();
    if (!known)
        throw Error(Code::missing_auxiliary,
                    "orbit is empty; beta0, sigma0 and gamma0 need one, for incidence and areas on the ground");
    const Orbit &orbit = *known;
    const auto ground = [&](double time_s, double r) {
        return radar_to_ecef(orbit, {time_s, r}, a.terrain_height_m, a.look_side);
    };
    const auto target = scene.model().target(t, range_m);
    const auto azimuth = parts_->azimuth(target);

    Place out;
    const Geodetic place = ecef_to_geodetic(target.position_m);
    const double lat = place.latitude_deg * pi / 180, lon = place.longitude_deg * pi / 180;
    const Vec3 up{std::cos(lat) * std::cos(lon), std::cos(lat) * std::sin(lon), std::sin(lat)};
    const double incidence = std::acos(dot(unit(orbit.position_m(t) - target.position_m), up));
    out.incidence_deg = incidence * 180 / pi;
    const Vec3 from_beam = orbit.position_m(azimuth.time_s - 0.5 * azimuth.delay_s) - target.position_m;
    out.beam_incidence_deg = std::acos(dot(unit(from_beam), up)) * 180 / pi;
    // Ground area of a second by a metre of slant range; the steps are short against the Earth's and the orbit's
    // curves.
    constexpr double second = 0.02, metre = 20;
    const Vec3 ahead = (0.5 / second) * (ground(t + second, range_m) - ground(t - second, range_m));
    const Vec3 aside = (0.5 / metre) * (ground(t, range_m + metre) - ground(t, range_m - metre));
    out.line_speed_m_per_s = norm(cross(ahead, aside)) * std::sin(incidence);

    const double pattern = scene.model().elevation_pattern(target, azimuth.time_s);
    out.elevation_gain = pattern * pattern;
    out.azimuth_width_s = azimuth.response.energy();
    // Slant range a second of delay, at the Doppler at which the target is seen: c/2 without squint, less with it.
    const auto delay = [&](double r) {
        const EchoHistory h = scene.history(scene.model().target(t, r), azimuth.doppler_hz);
        return stationary_point(h, a.carrier_hz - azimuth.doppler_hz, azimuth.doppler_hz).delay_s;
    };
    out.range_width_m = 2 * metre / (delay(range_m + metre) - delay(range_m - metre)) * parts_->across.energy();
    const Radiometry &r = a.radiometry;
    // The range of the radar equation is that of the beam's passage, not the closest approach.
    const double spreading =
        r.reference_range_m > 0 ? std::pow(r.reference_range_m / (0.5 * c0 * azimuth.delay_s), 4) : 1;
    out.intensity_of_beta0 = r.radar_constant * spreading * out.elevation_gain * out.line_speed_m_per_s *
                             out.azimuth_width_s * out.range_width_m;
    out.noise_intensity = r.noise_power * parts_->range_noise_gain * azimuth.noise_gain;
    return out;
}

double ImageRadiometry::equivalent_looks(Looks looks) const
{
    const Acquisition &a = parts_->scene.acquisition();
    return 1 / (parts_->along.variance(looks.azimuth, 1 / a.prf_hz) *
                parts_->across.variance(looks.range, 1 / a.sample_rate_hz));
}

ImageRadiometry::Widths ImageRadiometry::widths(Looks looks) const
{
    const Acquisition &a = parts_->scene.acquisition();
    return {parts_->along.width(looks.azimuth, 1 / a.prf_hz),
            0.5 * c0 * parts_->across.width(looks.range, 1 / a.sample_rate_hz)};
}

}  // namespace sidelook
