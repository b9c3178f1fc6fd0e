// What a radar was doing while it recorded: everything that focusing and geolocation need to know.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sidelook
{

/// Speed of light in vacuum (m/s), exact by the definition of the metre.
constexpr double speed_of_light_m_per_s = 299792458.0;

/// A Cartesian vector; the frame is stated where it is used (mostly Earth-fixed, ECEF/WGS84).
struct Vec3 {
    double x = 0, y = 0, z = 0;
};

/// Position and velocity of the antenna's phase centre in the rotating Earth-fixed frame (ECEF, WGS84).
struct StateVector {
    double time_s = 0;  ///< seconds after Acquisition::epoch_utc
    Vec3 position_m;
    Vec3 velocity_m_per_s;
};

/// Attitude of the antenna in the Earth-fixed frame at one time; interpolated linearly, then normalised.
struct AntennaFrame {
    double time_s = 0;  ///< seconds after Acquisition::epoch_utc
    Vec3 azimuth_axis;  ///< unit vector along the antenna's length, roughly along the flight direction
    Vec3 boresight;     ///< unit vector along the centre of the beam, perpendicular to azimuth_axis
};

/// A rectangular, uniformly lit antenna, the same for transmit and receive. With d the unit vector to the
/// target, the one-way amplitude is sinc(L/lambda * d.azimuth_axis) * sinc(H/lambda * d.elevation_axis),
/// sinc(x) = sin(pi x)/(pi x), elevation_axis = azimuth_axis x boresight; the echo has its square.
struct Antenna {
    double azimuth_length_m = 0;    ///< L; 0: unknown, the pattern is taken as flat
    double elevation_length_m = 0;  ///< H; 0: unknown, the pattern is taken as flat
    std::vector<AntennaFrame> frames;
};

/// What turns powers into radar cross-sections. The echo of a target of s m^2 at range R has the power
/// radar_constant s (reference_range_m / R)^4 times the two-way pattern's power.
struct Radiometry {
    double radar_constant = 0;     ///< |echo|^2 of 1 m^2 at the beam's centre and at reference_range_m; 0: unknown
    double reference_range_m = 0;  ///< 0: the loss of range spreading is not in the echoes
    double noise_power = 0;        ///< mean |n|^2 of the thermal noise in an echo sample; 0: unknown
};

enum class LookSide : int { left = -1, right = 1 };

/// Stripmap acquisition with a linear chirp and a constant PRF. Signs: the transmitted pulse is
/// exp(j pi chirp_rate t^2) for |t| <= chirp_duration/2; an echo with delay d(t), t its reception time, is
/// demodulated to exp(-j 2 pi carrier d(t)), so that Doppler = -carrier d'(t) is positive while approaching.
struct Acquisition {
    std::string sensor;
    std::string epoch_utc;  ///< ISO 8601; every time below counts seconds from it
    double carrier_hz = 0;  ///< centre of the transmitted band
    double prf_hz = 0;
    double first_pulse_time_s = 0;  ///< transmission time of the CENTRE of pulse 0; pulse k is k/prf later
    std::int64_t pulses = 0;        ///< lines of the echo array
    std::int64_t samples = 0;       ///< complex samples of a line
    double sample_rate_hz = 0;
    double first_sample_delay_s = 0;  ///< from the pulse's centre to sample 0; sample j is j/sample_rate later
    double chirp_rate_hz_per_s = 0;   ///< negative for a down-chirp
    double chirp_duration_s = 0;
    LookSide look_side = LookSide::right;
    double terrain_height_m = 0;            ///< mean height of the scene above the WGS84 ellipsoid
    std::vector<StateVector> orbit;         ///< empty: unknown, then effective_velocity_m_per_s is needed
    double effective_velocity_m_per_s = 0;  ///< of the range hyperbola, used where there is no orbit; 0: unknown
    Antenna antenna;
    /// Doppler centroid (Hz, absolute) = c[0] + c[1] x + c[2] x^2 ..., x = delay - first_sample_delay (s); empty:
    /// unknown
    std::vector<double> doppler_centroid_hz;
    /// Change of the Doppler centroid along the record (Hz/s), added times (transmission time - the middle pulse's).
    double doppler_drift_hz_per_s = 0;
    Radiometry radiometry;
};

/// Throws Error(bad_input) with one sentence if the acquisition breaks a rule.
void validate(const Acquisition &acquisition);

}  // namespace sidelook
