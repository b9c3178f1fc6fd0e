// Echoes of known scenes, to judge a focuser by. Positions are truth by geometry; nothing here knows how to focus.
//
// Frames: ECEF is WGS84; the inertial frame coincides with it at time 0 (Acquisition::epoch_utc). Times are seconds
// after that epoch. Light travels straight at c in the inertial frame.
#pragma once

#include <complex>
#include <cstdint>
#include <string>
#include <vector>

#include "sidelook/acquisition.h"
#include "sidelook/view.h"

namespace sidelook::simulate
{

/// A satellite on an exact two-body ellipse over a rotating Earth, its antenna steered to zero Doppler plus a squint.
struct Platform {
    double altitude_m = 693e3;     ///< semi-major axis less 6378137 m
    double eccentricity = 0.0011;  ///< in [0, 0.5)
    double inclination_deg = 98.18;
    double node_longitude_deg = 0;      ///< of the ascending node, in the inertial frame
    double perigee_deg = 90;            ///< argument of the perigee
    double latitude_argument_deg = 45;  ///< of the satellite at time 0, counted from the ascending node
    LookSide look_side = LookSide::right;
    double look_angle_deg = 30;  ///< of the boresight off the nadir, in the plane of zero Doppler, before squint
    double squint_deg = 0;       ///< of the boresight out of the plane of zero Doppler, positive forwards
};

/// Position (m) and velocity (m/s) at one instant.
struct State {
    Vec3 position_m;
    Vec3 velocity_m_per_s;
};

/// On the ellipse, in the inertial frame.
State inertial_state(const Platform &platform, double time_s);
/// In ECEF; the velocity is that seen by the rotating frame, v - Omega x r.
State earth_fixed_state(const Platform &platform, double time_s);
/// In ECEF. Without squint, azimuth_axis is along the ECEF velocity and the boresight in the plane perpendicular to it.
AntennaFrame antenna_frame(const Platform &platform, double time_s);

/// Geodetic WGS84 coordinates.
struct Geodetic {
    double latitude_deg = 0;
    double longitude_deg = 0;
    double height_m = 0;
};
Geodetic to_geodetic(const Vec3 &position_m);
Vec3 to_ecef(const Geodetic &geodetic);

/// A point that scatters; it moves straight in ECEF and is at position_m at reference_time_s.
struct Target {
    Vec3 position_m;
    Vec3 velocity_m_per_s;
    double reference_time_s = 0;
    std::complex<double> amplitude = 1.0;
};

/// Where geometry alone puts a target: (P - S(t)) . V(t) = 0 with S, V of the platform and P in ECEF at the same
/// instant.
struct ZeroDoppler {
    double time_s = 0;
    double slant_range_m = 0;  ///< |P - S| at that instant
};
/// Solved by Newton's method on the analytic orbit, to 1e-12 s; the solution nearest to `near_time_s`.
/// Throws Error(bad_input) where there is none within 60 s.
ZeroDoppler zero_doppler(const Platform &platform, const Target &target, double near_time_s);

/// The point at `height_m` over the ellipsoid, on the platform's look side, with this zero Doppler.
/// Throws Error(bad_input) where the sphere of that range does not meet the ellipsoid.
Vec3 place(const Platform &platform, const ZeroDoppler &at, double height_m);
/// The point in the middle of the beam (d . azimuth_axis = 0) at `time_s` with |P - S| = slant_range_m at that instant.
Vec3 place_in_beam(const Platform &platform, double time_s, double slant_range_m, double height_m);

/// The instrument a preset or a user describes; the rest of an Acquisition follows from it and the platform.
struct Sensor {
    std::string name;
    double carrier_hz = 0;
    double prf_hz = 0;
    double sample_rate_hz = 0;
    double chirp_bandwidth_hz = 0;
    double chirp_duration_s = 0;
    bool down_chirp = false;
    double antenna_azimuth_length_m = 0;
    double antenna_elevation_length_m = 0;
    std::string sea_model;  ///< "cmod5n" or "nrl"
    double nesz_db = 0;     ///< noise-equivalent sigma zero at the centre of the scene
    Platform platform;
};
/// "c-stripmap" or "x-stripmap". Throws Error(bad_input) for any other name.
Sensor sensor(const std::string &name);

/// The acquisition whose window is centred, in delay, on the point where the boresight meets the ellipsoid (plus
/// `height_m`) in the middle of the pulses. State vectors and antenna frames come every second with 16 s of margin.
Acquisition acquire(const Sensor &sensor, std::int64_t pulses, std::int64_t samples, double height_m = 0);
/// The same point: where the boresight meets the ellipsoid plus `height_m` at `time_s` (ECEF).
Vec3 boresight_point(const Platform &platform, double time_s, double height_m);

/// How the echo of one point is formed.
struct EchoOptions {
    /// 0: the antenna's whole pattern, side lobes included. Otherwise points are lit only where |L/lambda
    /// d.azimuth_axis| and |H/lambda d.elevation_axis| are below this; 1 is the main lobe to its first nulls.
    double beam_limit = 0;
    /// 0: no range factor. Otherwise the amplitude is times (reference_range_m / range)^2, the radar equation.
    double reference_range_m = 0;
    /// Rise and fall time of the pulse, inside |t| <= T/2, with Hann-shaped slope; 0: the exact rectangle.
    double pulse_edge_s = 0;
    int threads = 0;  ///< 0: as many as the process may run on
};

/// Echoes of point targets, delay solved for every sample: out(k, j) is received at t = t_k + first_sample_delay_s +
/// j/fs,
///     sum over targets and pulses m of  a g(P, S) p(t - d - t_m) exp(-j 2 pi f0 d),
/// d(t) from transmission at t - d, reflection in between and reception at t, each at its own place of satellite and
/// target. Pulses go on at the PRF before pulse 0 and after the last, so echoes of other pulses fall into a line where
/// geometry says so (range ambiguities). g is the two-way pattern of acquisition.h at the instant of reflection. The
/// antenna's lengths are taken from `acquisition`, its path and attitude from `platform`. No transmit blanking.
/// out: (pulses, samples), overwritten. Throws Error(bad_input).
void simulate_exact(const Acquisition &acquisition, const Platform &platform, const std::vector<Target> &targets,
                    const EchoOptions &options, View2<c64> out);

/// Echoes of many points, some 100 times faster than simulate_exact and within -60 dB of it (error energy over energy):
/// every scatterer's exact delay, phase, Doppler and beam on every pulse, by non-uniform Fourier transforms of blocks
/// of pulses (scene.cpp says how). Needs beam_limit > 0, pulse_edge_s of at least 4 samples (a rectangular pulse has no
/// band limit), velocities up to 30 m/s, and points near terrain_height_m (a kilometre off it costs 2e-3 rad). Echoes
/// of other pulses than a line's own are left out. out: (pulses, samples), overwritten. Throws Error(bad_input).
struct SceneReport {
    double scatterer_pulses = 0;  ///< scatterers times pulses, counted where they were lit
    int pulses_per_block = 0;
    int doppler_orders = 0;  ///< terms of the series in Doppler
    std::int64_t workspace_bytes = 0;
    double seconds = 0;  ///< of the echoes, without making the scatterers
};
SceneReport simulate_scene(const Acquisition &acquisition, const Platform &platform, const std::vector<Target> &targets,
                           const EchoOptions &options, View2<c64> out);

/// The receiver, in this order: noise, gain steps, I/Q imbalance, bias, quantisation.
struct Receiver {
    double noise_sigma = 0;  ///< sqrt(E|n|^2) of a complex sample
    std::vector<double>
        block_gain_db;  ///< gain of consecutive blocks of block_lines lines; the last one goes on; empty: 0 dB
    std::int64_t block_lines = 0;
    double iq_gain_ratio = 1;       ///< amplitude of Q over that of I
    double iq_phase_deg = 0;        ///< Q sees the signal's phase advanced by this: Q = ratio |x| sin(arg x + phase)
    double bias_i = 0, bias_q = 0;  ///< added to I and Q, in the unit of the samples
    int bits = 0;                   ///< 0: not quantised. 1..16: I and Q each have 2^bits levels (n + 1/2) step
    double step = 0;                ///< of the quantiser; levels saturate at +-(2^(bits-1) - 1/2) step
    std::uint64_t seed = 0;         ///< of the noise; line k of any window has the same noise
    int threads = 0;
};

/// Fraction of I and Q values that lay outside the quantiser's range; 0 without quantisation.
struct ReceiverReport {
    double saturated_fraction = 0;
};

/// Passes echoes through the receiver in place; row r is line first_line + r.
ReceiverReport receive(const Receiver &receiver, std::int64_t first_line, View2<c64> echoes);

/// A stretch of coast: sea, land, a town, a breakwater, ships and calibration points. Amplitudes are sqrt(RCS / 1 m^2)
/// at the range of the scene's centre (radar constant 1); elsewhere times (centre range / range)^2.
struct CoastOptions {
    std::uint64_t seed = 1;
    double wind_m_per_s = 8;
    double wind_from_deg = 300;      ///< clockwise from north
    double k_shape = 5;              ///< order of the sea's K distribution: gamma texture of this shape
    double correlation_m = 80;       ///< of the sea's texture: exp(-d^2 / correlation_m^2) before the gamma quantile
    double scatterers_per_cell = 1;  ///< of resolution c/(2B) by L/2
    int ships = 12;
    bool land = true;
    int calibration_rows = 0;  ///< rows and columns of a grid of point targets of calibration_rcs_dbsm
    int calibration_columns = 0;
    double calibration_rcs_dbsm = 45;
    double pulse_edge_samples = 8;  ///< rise time of the pulse, see EchoOptions
    bool noise = true;              ///< at the sensor's NESZ
    int threads = 0;
    std::int64_t max_bytes = 0;  ///< limit of the memory for scatterers, work and `out`; 0: none
};

/// A ship as it was put there. Its place is where it is at its zero-Doppler time.
struct ShipTruth {
    Geodetic place;
    Vec3 position_m;        ///< ECEF, at zero_doppler.time_s
    Vec3 velocity_m_per_s;  ///< ECEF
    double length_m = 0, width_m = 0, heading_deg = 0, speed_m_per_s = 0, rcs_dbsm = 0;
    ZeroDoppler zero_doppler;
    ZeroDoppler closest_approach;  ///< range rate zero, the ship's own motion included: where an image shows it
};

struct PointTruth {
    std::string kind;  ///< "calibration", "breakwater" or "building"
    Geodetic place;
    Vec3 position_m;  ///< ECEF
    double rcs_dbsm = 0;
    ZeroDoppler zero_doppler;
};

struct CoastTruth {
    std::vector<ShipTruth> ships;
    std::vector<PointTruth> points;
    double incidence_deg = 0, look_azimuth_deg = 0;  ///< at the centre of the scene
    double centre_range_m = 0;
    double sea_sigma0_db = 0;             ///< mean, at the centre
    double land_sigma0_db = 0;            ///< mean
    double land_fraction = 0;             ///< of the scatterers
    double nesz_db = 0, noise_sigma = 0;  ///< noise_sigma: of a complex sample
    double cell_area_m2 = 0;              ///< on the ground at the centre, c/(2B sin incidence) by L/2
    std::int64_t scatterers = 0;
    double pulse_edge_s = 0;
    SceneReport report;
};

/// Makes the scene and its echoes. nesz: a point of RCS sigma0 = NESZ times cell_area_m2 at the centre of the scene has
/// a signal-to-noise ratio of 1 after the ideal matched filter over the main lobe. Memory: 20 bytes a scatterer
/// (about 1.3 scatterers a sample and a main lobe's worth of pulses more) plus SceneReport::workspace_bytes plus `out`.
/// Throws Error(bad_input), or Error(over_memory) where max_bytes does not hold that.
CoastTruth simulate_coast(const Sensor &sensor, const Acquisition &acquisition, const CoastOptions &options,
                          View2<c64> out);

}  // namespace sidelook::simulate
