// The delay of one target's echo over slow time, and its spectrum by stationary phase: all the physics that focusing
// needs.
//
// With d(t) the two-way delay of what is received at t, an echo is p(t - d(t) - t_k) e^{-j 2 pi f0 d(t)}, p the chirp
// of pulse k sent at t_k. Written as a sum over transmitted frequencies f0 + g, with u = t - t_k the fast time, its
// transform over (t_k, u) at slow-time frequency f (Doppler, absolute) and fast-time frequency F is, without
// approximation,
//     P(g) * integral dt e^{-j 2 pi (nu d(t) + f t)},   g = F - f,  nu = f0 + g:
// motion during the pulse only moves the spectrum by f. The integral is taken at its stationary time, -nu d'(t) = f,
// with value e^{-j 2 pi (nu d + f t)} e^{-j pi/4} / sqrt(nu d''(t)) (Cumming & Wong 2005, section 3.3, for the method).
#pragma once

#include <array>
#include <cmath>
#include <memory>
#include <optional>

#include "sidelook/acquisition.h"
#include "sidelook/geometry.h"

namespace sidelook
{

/// d(t) = sum of c[i] x^i, x = (t - time_s) / scale_s, good for |x| <= 1.
struct EchoHistory {
    static constexpr int degree = 8;
    double time_s = 0;  ///< reception time at the Doppler it was asked for
    double scale_s = 1;
    std::array<double, degree + 1> c{};

    struct Value {
        double delay_s, slope, curvature_per_s;  // d, d', d''
    };
    Value at(double x) const
    {
        double d = 0, s = 0, q = 0;
        for (int i = degree; i >= 0; --i) {
            q = q * x + 2 * s;
            s = s * x + d;
            d = d * x + c[static_cast<std::size_t>(i)];
        }
        return {d, s / scale_s, q / (scale_s * scale_s)};
    }
};

/// The stationary point for one Doppler.
struct SpectralPoint {
    double time_s;     ///< t*, reception time
    double delay_s;    ///< d(t*): where range compression puts the echo, before the chirp's Doppler shift
    double cycles;     ///< nu d + f t*: minus the phase of the spectrum
    double curvature;  ///< (cycles/Hz^2) second derivative of the phase over fast-time frequency: d'^2 / (nu d'')
    double doppler_rate_hz_per_s;  ///< nu d'' > 0: minus the azimuth FM rate
};

/// Stationary point of `history` for transmitted frequency nu_hz and Doppler f; `guess_x` starts the search.
inline SpectralPoint stationary_point(const EchoHistory &history, double nu_hz, double doppler_hz, double guess_x = 0)
{
    double x = guess_x;
    for (int i = 0; i < 12; ++i) {
        const auto v = history.at(x);
        const double step = (v.slope + doppler_hz / nu_hz) / (v.curvature_per_s * history.scale_s);
        x -= step;
        if (std::abs(step) < 1e-13) break;
    }
    const auto v = history.at(x);
    const double t = history.time_s + x * history.scale_s;
    return {t, v.delay_s, nu_hz * v.delay_s + doppler_hz * t, v.slope * v.slope / (nu_hz * v.curvature_per_s),
            nu_hz * v.curvature_per_s};
}

/// Gives histories of targets, from the orbit or, where there is none, from a straight track at the effective velocity.
class EchoModel
{
public:
    /// Throws Error(bad_input) if the acquisition has neither an orbit nor an effective velocity.
    explicit EchoModel(const Acquisition &acquisition);

    struct Target {
        double zero_doppler_time_s, slant_range_m;
        Vec3 position_m;  // ECEF; along-track and range in the straight-track model
    };
    /// Throws Error(bad_input) where the orbit does not cover the time.
    Target target(double zero_doppler_time_s, double slant_range_m) const;

    /// Two-way delay of what is received at `time_s`: transmission, reflection and reception at their own instants;
    /// light goes straight in the inertial frame that coincides with the Earth's at the reflection.
    double delay_s(const Target &target, double time_s) const;

    /// History over +-half_width_s around the reception time whose Doppler (carrier times -d') is doppler_hz.
    EchoHistory history(const Target &target, double doppler_hz, double half_width_s) const;

    /// Two-way azimuth pattern (amplitude, 1 along the beam's centre) towards the target at reception time `time_s`;
    /// 1 where the acquisition has no antenna.
    double azimuth_pattern(const Target &target, double time_s) const;

    /// The two-way elevation pattern likewise.
    double elevation_pattern(const Target &target, double time_s) const;

    /// Doppler (Hz, absolute) at which the beam's centre passes the target; nothing where the attitude is unknown.
    std::optional<double> beam_doppler_hz(const Target &target) const;

    double effective_velocity_m_per_s(const Target &target) const;
    bool azimuth_invariant() const { return !orbit_; }
    const std::optional<Orbit> &orbit() const { return orbit_; }

    /// Attitude at this time; the acquisition must have antenna frames.
    AntennaFrame frame(double time_s) const;

private:
    double doppler_hz(const Target &target, double time_s) const;

    Acquisition acquisition_;
    std::optional<Orbit> orbit_;
};

}  // namespace sidelook
