// Presets, and the acquisition that follows from a sensor and its orbit.
#include <cmath>
#include <string>

#include "sidelook/error.h"
#include "sidelook/simulate.h"
#include "simulate/vec.h"

namespace sidelook::simulate
{

Sensor sensor(const std::string &name)
{
    Sensor s;
    s.name = name;
    if (name == "c-stripmap") {
        // Carrier, antenna and orbit of Sentinel-1 (ESA SP-1322/1, 2012); band and pulse cut down to a demo's size.
        s.carrier_hz = 5.405e9;
        s.prf_hz = 1700;
        s.sample_rate_hz = 50e6;
        s.chirp_bandwidth_hz = 42.5e6;
        s.chirp_duration_s = 10e-6;
        s.antenna_azimuth_length_m = 12.3;
        s.antenna_elevation_length_m = 0.82;
        s.sea_model = "cmod5n";
        s.nesz_db = -25;
        s.platform.altitude_m = 693e3;
        s.platform.look_angle_deg = 30;
    } else if (name == "x-stripmap") {
        // Carrier, antenna and orbit of TerraSAR-X (Werninghaus & Buckreuss, IEEE TGRS 48(2), 2010); band as above.
        s.carrier_hz = 9.65e9;
        s.prf_hz = 3800;
        s.sample_rate_hz = 60e6;
        s.chirp_bandwidth_hz = 51e6;
        s.chirp_duration_s = 8e-6;
        s.down_chirp = true;
        s.antenna_azimuth_length_m = 4.8;
        s.antenna_elevation_length_m = 0.7;
        s.sea_model = "nrl";
        s.nesz_db = -22;
        s.platform.altitude_m = 514e3;
        s.platform.inclination_deg = 97.44;
        s.platform.look_angle_deg = 33;
    } else {
        require(false, "sensor is '" + name + "'; must be c-stripmap or x-stripmap");
    }
    return s;
}

Acquisition acquire(const Sensor &s, std::int64_t pulses, std::int64_t samples, double height_m)
{
    require(pulses > 0, "pulses is " + std::to_string(pulses) + "; must be positive");
    require(samples > 0, "samples is " + std::to_string(samples) + "; must be positive");
    require(std::abs(height_m) <= 10e3, "height_m is " + std::to_string(height_m) + "; must lie within +-10 km");
    const auto positive = [](const char *name, double value) {
        require(std::isfinite(value) && value > 0,
                std::string(name) + " is " + std::to_string(value) + "; must be positive");
    };
    positive("carrier_hz", s.carrier_hz);
    positive("prf_hz", s.prf_hz);
    positive("sample_rate_hz", s.sample_rate_hz);
    positive("chirp_bandwidth_hz", s.chirp_bandwidth_hz);
    positive("chirp_duration_s", s.chirp_duration_s);
    require(static_cast<double>(pulses) / s.prf_hz <= 3600,
            "pulses is " + std::to_string(pulses) + "; must be sent within an hour at most");
    Acquisition a;
    a.sensor = s.name;
    a.epoch_utc = "2026-01-01T00:00:00.000000Z";
    a.carrier_hz = s.carrier_hz;
    a.prf_hz = s.prf_hz;
    a.first_pulse_time_s = 20.0;  // state vectors before it still have positive times
    a.pulses = pulses;
    a.samples = samples;
    a.sample_rate_hz = s.sample_rate_hz;
    a.chirp_rate_hz_per_s = (s.down_chirp ? -1.0 : 1.0) * s.chirp_bandwidth_hz / s.chirp_duration_s;
    a.chirp_duration_s = s.chirp_duration_s;
    a.look_side = s.platform.look_side;
    a.terrain_height_m = height_m;
    a.antenna.azimuth_length_m = s.antenna_azimuth_length_m;
    a.antenna.elevation_length_m = s.antenna_elevation_length_m;

    const double last = a.first_pulse_time_s + static_cast<double>(pulses - 1) / s.prf_hz;
    const double middle = 0.5 * (a.first_pulse_time_s + last);
    const Vec3 centre = boresight_point(s.platform, middle, height_m);
    const double delay = 2.0 * norm(centre - earth_fixed_state(s.platform, middle).position_m) / speed_of_light_m_per_s;
    a.first_sample_delay_s = delay - 0.5 * static_cast<double>(samples - 1) / s.sample_rate_hz;
    require(a.first_sample_delay_s > 0,
            "samples is " + std::to_string(samples) + "; must fit between transmission and echo");

    // Under squint zero Doppler lies R tan(squint) / v away, about 6 s at 3 degrees.
    const double away = norm(centre - earth_fixed_state(s.platform, middle).position_m) *
                        std::abs(std::tan(s.platform.squint_deg * radians_per_degree)) / 6500;
    const double margin = 16 + away;
    for (double t = std::floor(a.first_pulse_time_s - margin); t <= std::ceil(last + margin); t += 1) {
        const State state = earth_fixed_state(s.platform, t);
        a.orbit.push_back({t, state.position_m, state.velocity_m_per_s});
        a.antenna.frames.push_back(antenna_frame(s.platform, t));
    }
    return a;
}

}  // namespace sidelook::simulate
