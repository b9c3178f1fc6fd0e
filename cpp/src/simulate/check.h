// Refusals that both simulators share.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "sidelook/error.h"
#include "sidelook/simulate.h"

namespace sidelook::simulate
{

inline void check_echo_request(const Acquisition &acq, const EchoOptions &o, const View2<c64> &out)
{
    validate(acq);
    require(out.rows == acq.pulses && out.cols == acq.samples,
            "out is " + std::to_string(out.rows) + " x " + std::to_string(out.cols) + "; must be pulses x samples, " +
                std::to_string(acq.pulses) + " x " + std::to_string(acq.samples));
    require(std::isfinite(o.beam_limit) && o.beam_limit >= 0,
            "beam_limit is " + std::to_string(o.beam_limit) + "; must be zero or positive");
    require(std::isfinite(o.reference_range_m) && o.reference_range_m >= 0,
            "reference_range_m is " + std::to_string(o.reference_range_m) + "; must be zero or positive");
    require(std::isfinite(o.pulse_edge_s) && o.pulse_edge_s >= 0 && 2 * o.pulse_edge_s <= acq.chirp_duration_s,
            "pulse_edge_s is " + std::to_string(o.pulse_edge_s) + "; must lie between 0 and half of chirp_duration_s");
    require(o.threads >= 0 && o.threads <= 1024,
            "threads is " + std::to_string(o.threads) + "; must be zero or positive, at most 1024");
}

inline void check_targets(const std::vector<Target> &targets)
{
    for (std::size_t i = 0; i < targets.size(); ++i) {
        const Target &t = targets[i];
        const double sum = t.position_m.x + t.position_m.y + t.position_m.z + t.velocity_m_per_s.x +
                           t.velocity_m_per_s.y + t.velocity_m_per_s.z + t.reference_time_s + t.amplitude.real() +
                           t.amplitude.imag();
        require(std::isfinite(sum), "target " + std::to_string(i) + " holds NaN or infinity; must be finite");
        const double r = std::sqrt(t.position_m.x * t.position_m.x + t.position_m.y * t.position_m.y +
                                   t.position_m.z * t.position_m.z);
        require(r > 6300e3 && r < 6450e3,
                "target " + std::to_string(i) + " lies " + std::to_string(r) +
                    " m from the Earth's centre; must lie within 6300 km to 6450 km (ECEF metres)");
    }
}

/// Amplitude of the pulse at |u| from its centre: 1, a Hann-shaped slope of `edge` inside the end, 0.
inline double envelope(double u, double half, double edge)
{
    const double inside = half - std::abs(u);
    if (inside < 0) return 0;
    if (inside >= edge) return 1;
    const double x = inside / edge;
    return x - std::sin(2 * 3.14159265358979323846 * x) / (2 * 3.14159265358979323846);
}

}  // namespace sidelook::simulate
