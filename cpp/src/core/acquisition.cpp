#include "sidelook/acquisition.h"

#include <cmath>
#include <cstdio>

#include "core/text.h"
#include "sidelook/error.h"

namespace sidelook
{
namespace
{

void require_positive(const char *name, double value)
{
    require(std::isfinite(value) && value > 0, text(name, " is ", value, "; must be finite and greater than 0"));
}

void require_finite(const char *name, double value)
{
    require(std::isfinite(value), text(name, " is ", value, "; must be finite"));
}

double norm(const Vec3 &v) { return std::sqrt(v.x * v.x + v.y * v.y + v.z * v.z); }

void validate_orbit(const std::vector<StateVector> &orbit)
{
    require(orbit.size() == 0 || orbit.size() >= 4,
            text("orbit has ", orbit.size(), " state vectors; must be 0 or at least 4"));
    for (std::size_t i = 0; i < orbit.size(); ++i) {
        require_finite("orbit time_s", orbit[i].time_s);
        require(i == 0 || orbit[i].time_s > orbit[i - 1].time_s,
                text("orbit time_s of state vector ", i, " is ", orbit[i].time_s,
                     "; must be later than the one before, ", i == 0 ? 0.0 : orbit[i - 1].time_s));
        const double radius = norm(orbit[i].position_m), speed = norm(orbit[i].velocity_m_per_s);
        require(radius > 6.3e6 && radius < 1e8, text("orbit position_m of state vector ", i, " is ", radius,
                                                     " m from the Earth's centre; must be within 6.3e6 and 1e8 m"));
        require(speed > 100 && speed < 2e4, text("orbit velocity_m_per_s of state vector ", i, " is ", speed,
                                                 " m/s; must be within 100 and 20000 m/s"));
    }
}

void validate_antenna(const Antenna &antenna)
{
    require(antenna.azimuth_length_m >= 0,
            text("antenna azimuth_length_m is ", antenna.azimuth_length_m, "; must be 0 (unknown) or greater"));
    require(antenna.elevation_length_m >= 0,
            text("antenna elevation_length_m is ", antenna.elevation_length_m, "; must be 0 (unknown) or greater"));
    for (std::size_t i = 0; i < antenna.frames.size(); ++i) {
        const AntennaFrame &f = antenna.frames[i];
        require(i == 0 || f.time_s > antenna.frames[i - 1].time_s,
                text("antenna frame ", i, " has time_s ", f.time_s, "; must be later than the one before"));
        const double dot =
            f.azimuth_axis.x * f.boresight.x + f.azimuth_axis.y * f.boresight.y + f.azimuth_axis.z * f.boresight.z;
        require(std::abs(norm(f.azimuth_axis) - 1) < 1e-3,
                text("antenna frame ", i, " has an azimuth_axis of length ", norm(f.azimuth_axis), "; must be 1"));
        require(std::abs(norm(f.boresight) - 1) < 1e-3,
                text("antenna frame ", i, " has a boresight of length ", norm(f.boresight), "; must be 1"));
        require(std::abs(dot) < 1e-2, text("antenna frame ", i, " has azimuth_axis . boresight = ", dot,
                                           "; must be 0, the axes are perpendicular"));
    }
}

}  // namespace

void validate(const Acquisition &a)
{
    require_positive("carrier_hz", a.carrier_hz);
    require_positive("prf_hz", a.prf_hz);
    require_positive("sample_rate_hz", a.sample_rate_hz);
    require_positive("chirp_duration_s", a.chirp_duration_s);
    require(std::isfinite(a.chirp_rate_hz_per_s) && a.chirp_rate_hz_per_s != 0,
            text("chirp_rate_hz_per_s is ", a.chirp_rate_hz_per_s, "; must be finite and not zero"));
    require_finite("first_pulse_time_s", a.first_pulse_time_s);
    require_positive("first_sample_delay_s", a.first_sample_delay_s);
    require_finite("terrain_height_m", a.terrain_height_m);
    require(a.pulses > 0, text("pulses is ", a.pulses, "; must be greater than 0"));
    require(a.samples > 0, text("samples is ", a.samples, "; must be greater than 0"));
    require(a.look_side == LookSide::left || a.look_side == LookSide::right,
            text("look_side is ", static_cast<int>(a.look_side), "; must be -1 (left) or 1 (right)"));
    const double bandwidth = std::abs(a.chirp_rate_hz_per_s) * a.chirp_duration_s;
    require(bandwidth <= a.sample_rate_hz,
            text("chirp bandwidth (chirp_rate_hz_per_s x chirp_duration_s) is ", bandwidth,
                 " Hz; must not exceed sample_rate_hz, ", a.sample_rate_hz, " Hz"));
    require(bandwidth < a.carrier_hz,
            text("chirp bandwidth is ", bandwidth, " Hz; must be below carrier_hz, ", a.carrier_hz, " Hz"));
    const double window = static_cast<double>(a.samples) / a.sample_rate_hz;
    require(a.chirp_duration_s < window,
            text("chirp_duration_s is ", a.chirp_duration_s,
                 " s; must be shorter than the receive window, samples/sample_rate_hz = ", window, " s"));
    validate_orbit(a.orbit);
    if (!a.orbit.empty()) {
        const double last = a.first_pulse_time_s + static_cast<double>(a.pulses - 1) / a.prf_hz;
        require(a.orbit.front().time_s <= a.first_pulse_time_s && a.orbit.back().time_s >= last,
                text("orbit covers ", a.orbit.front().time_s, " to ", a.orbit.back().time_s,
                     " s; must cover the pulses, ", a.first_pulse_time_s, " to ", last, " s"));
    }
    require(std::isfinite(a.effective_velocity_m_per_s) && a.effective_velocity_m_per_s >= 0 &&
                a.effective_velocity_m_per_s < 2e4,
            text("effective_velocity_m_per_s is ", a.effective_velocity_m_per_s,
                 "; must be 0 (unknown) or up to 20000 m/s"));
    validate_antenna(a.antenna);
    for (const double c : a.doppler_centroid_hz) require_finite("doppler_centroid_hz", c);
    require_finite("doppler_drift_hz_per_s", a.doppler_drift_hz_per_s);
    const auto not_negative = [](const char *name, double value) {
        require(std::isfinite(value) && value >= 0,
                text("radiometry.", name, " is ", value, "; must be finite and not negative"));
    };
    not_negative("radar_constant", a.radiometry.radar_constant);
    not_negative("reference_range_m", a.radiometry.reference_range_m);
    not_negative("noise_power", a.radiometry.noise_power);
}

}  // namespace sidelook
