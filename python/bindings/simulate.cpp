// The simulator as Python sees it. Every function here is documented in python/sidelook/simulate.py.
#include "sidelook/simulate.h"

#include <optional>

#include "bindings.h"
#include "simulate/backscatter.h"

using namespace sidelook;
namespace sim = sidelook::simulate;

namespace
{

Vec3 vec3_of(const array_in<double> &a, const char *name)
{
    require(a.ndim() == 1 && a.shape(0) == 3,
            std::string(name) + " has " + std::to_string(a.size()) + " values; must have 3");
    return {a.at(0), a.at(1), a.at(2)};
}

py::array_t<double> array_of(const Vec3 &v)
{
    py::array_t<double> a(3);
    a.mutable_at(0) = v.x;
    a.mutable_at(1) = v.y;
    a.mutable_at(2) = v.z;
    return a;
}

std::vector<sim::Target> targets_of(const array_in<double> &positions, const array_in<std::complex<double>> &amplitudes,
                                    const std::optional<array_in<double>> &velocities, double reference_time_s)
{
    require(positions.ndim() == 2 && positions.shape(1) == 3,
            "positions_m has " + std::to_string(positions.ndim()) + " dimensions; must have the shape (targets, 3)");
    const py::ssize_t n = positions.shape(0);
    require(amplitudes.ndim() == 1 && amplitudes.shape(0) == n, "amplitudes has " + std::to_string(amplitudes.size()) +
                                                                    " values; must have one a target, " +
                                                                    std::to_string(n));
    if (velocities)
        require(velocities->ndim() == 2 && velocities->shape(0) == n && velocities->shape(1) == 3,
                "velocities_m_per_s has " + std::to_string(velocities->size()) +
                    " values; must have the shape of positions_m");
    std::vector<sim::Target> targets(static_cast<std::size_t>(n));
    for (py::ssize_t i = 0; i < n; ++i) {
        sim::Target &t = targets[static_cast<std::size_t>(i)];
        t.position_m = {positions.at(i, 0), positions.at(i, 1), positions.at(i, 2)};
        if (velocities) t.velocity_m_per_s = {velocities->at(i, 0), velocities->at(i, 1), velocities->at(i, 2)};
        t.reference_time_s = reference_time_s;
        t.amplitude = amplitudes.at(i);
    }
    return targets;
}

/// An uninitialised (pulses, samples) complex64 array for an acquisition that is checked first.
py::array_t<c64> echo_array(const Acquisition &a)
{
    validate(a);
    return py::array_t<c64>({static_cast<py::ssize_t>(a.pulses), static_cast<py::ssize_t>(a.samples)});
}

View2<c64> view_of(py::array_t<c64> &a) { return {a.mutable_data(), a.shape(0), a.shape(1)}; }

py::dict dict_of(const sim::SceneReport &r)
{
    py::dict d;
    d["scatterer_pulses"] = r.scatterer_pulses;
    d["pulses_per_block"] = r.pulses_per_block;
    d["doppler_orders"] = r.doppler_orders;
    d["workspace_bytes"] = r.workspace_bytes;
    d["seconds"] = r.seconds;
    return d;
}

template <class T> void put_place(py::dict &d, const T &t)
{
    d["latitude_deg"] = t.place.latitude_deg;
    d["longitude_deg"] = t.place.longitude_deg;
    d["height_m"] = t.place.height_m;
    d["position_m"] = std::vector<double>{t.position_m.x, t.position_m.y, t.position_m.z};
    d["zero_doppler_time_s"] = t.zero_doppler.time_s;
    d["slant_range_m"] = t.zero_doppler.slant_range_m;
    d["rcs_dbsm"] = t.rcs_dbsm;
}

/// Plain data, ready for JSON.
py::dict dict_of(const sim::CoastTruth &t)
{
    py::list ships, points;
    for (const sim::ShipTruth &s : t.ships) {
        py::dict d;
        put_place(d, s);
        d["velocity_m_per_s"] = std::vector<double>{s.velocity_m_per_s.x, s.velocity_m_per_s.y, s.velocity_m_per_s.z};
        d["length_m"] = s.length_m;
        d["width_m"] = s.width_m;
        d["heading_deg"] = s.heading_deg;
        d["speed_m_per_s"] = s.speed_m_per_s;
        d["closest_approach_time_s"] = s.closest_approach.time_s;
        d["closest_approach_range_m"] = s.closest_approach.slant_range_m;
        ships.append(d);
    }
    for (const sim::PointTruth &p : t.points) {
        py::dict d;
        d["kind"] = p.kind;
        put_place(d, p);
        points.append(d);
    }
    py::dict d;
    d["ships"] = ships;
    d["points"] = points;
    d["incidence_deg"] = t.incidence_deg;
    d["look_azimuth_deg"] = t.look_azimuth_deg;
    d["centre_range_m"] = t.centre_range_m;
    d["sea_sigma0_db"] = t.sea_sigma0_db;
    d["land_sigma0_db"] = t.land_sigma0_db;
    d["land_fraction"] = t.land_fraction;
    d["nesz_db"] = t.nesz_db;
    d["noise_sigma"] = t.noise_sigma;
    d["cell_area_m2"] = t.cell_area_m2;
    d["scatterers"] = t.scatterers;
    d["pulse_edge_s"] = t.pulse_edge_s;
    d["report"] = dict_of(t.report);
    return d;
}

}  // namespace

void bind_simulate(py::module_ &m)
{
    py::class_<sim::Platform>(m, "Platform")
        .def(py::init<>())
        .def_readwrite("altitude_m", &sim::Platform::altitude_m)
        .def_readwrite("eccentricity", &sim::Platform::eccentricity)
        .def_readwrite("inclination_deg", &sim::Platform::inclination_deg)
        .def_readwrite("node_longitude_deg", &sim::Platform::node_longitude_deg)
        .def_readwrite("perigee_deg", &sim::Platform::perigee_deg)
        .def_readwrite("latitude_argument_deg", &sim::Platform::latitude_argument_deg)
        .def_readwrite("look_side", &sim::Platform::look_side)
        .def_readwrite("look_angle_deg", &sim::Platform::look_angle_deg)
        .def_readwrite("squint_deg", &sim::Platform::squint_deg);
    py::class_<sim::Sensor>(m, "Sensor")
        .def(py::init<>())
        .def_readwrite("name", &sim::Sensor::name)
        .def_readwrite("carrier_hz", &sim::Sensor::carrier_hz)
        .def_readwrite("prf_hz", &sim::Sensor::prf_hz)
        .def_readwrite("sample_rate_hz", &sim::Sensor::sample_rate_hz)
        .def_readwrite("chirp_bandwidth_hz", &sim::Sensor::chirp_bandwidth_hz)
        .def_readwrite("chirp_duration_s", &sim::Sensor::chirp_duration_s)
        .def_readwrite("down_chirp", &sim::Sensor::down_chirp)
        .def_readwrite("antenna_azimuth_length_m", &sim::Sensor::antenna_azimuth_length_m)
        .def_readwrite("antenna_elevation_length_m", &sim::Sensor::antenna_elevation_length_m)
        .def_readwrite("sea_model", &sim::Sensor::sea_model)
        .def_readwrite("nesz_db", &sim::Sensor::nesz_db)
        .def_readwrite("platform", &sim::Sensor::platform);
    py::class_<sim::Receiver>(m, "Receiver")
        .def(py::init<>())
        .def_readwrite("noise_sigma", &sim::Receiver::noise_sigma)
        .def_readwrite("block_gain_db", &sim::Receiver::block_gain_db)
        .def_readwrite("block_lines", &sim::Receiver::block_lines)
        .def_readwrite("iq_gain_ratio", &sim::Receiver::iq_gain_ratio)
        .def_readwrite("iq_phase_deg", &sim::Receiver::iq_phase_deg)
        .def_readwrite("bias_i", &sim::Receiver::bias_i)
        .def_readwrite("bias_q", &sim::Receiver::bias_q)
        .def_readwrite("bits", &sim::Receiver::bits)
        .def_readwrite("step", &sim::Receiver::step)
        .def_readwrite("seed", &sim::Receiver::seed)
        .def_readwrite("threads", &sim::Receiver::threads);
    py::class_<sim::EchoOptions>(m, "EchoOptions")
        .def(py::init<>())
        .def_readwrite("beam_limit", &sim::EchoOptions::beam_limit)
        .def_readwrite("reference_range_m", &sim::EchoOptions::reference_range_m)
        .def_readwrite("pulse_edge_s", &sim::EchoOptions::pulse_edge_s)
        .def_readwrite("threads", &sim::EchoOptions::threads);

    py::class_<sim::CoastOptions>(m, "CoastOptions")
        .def(py::init<>())
        .def_readwrite("seed", &sim::CoastOptions::seed)
        .def_readwrite("wind_m_per_s", &sim::CoastOptions::wind_m_per_s)
        .def_readwrite("wind_from_deg", &sim::CoastOptions::wind_from_deg)
        .def_readwrite("k_shape", &sim::CoastOptions::k_shape)
        .def_readwrite("correlation_m", &sim::CoastOptions::correlation_m)
        .def_readwrite("scatterers_per_cell", &sim::CoastOptions::scatterers_per_cell)
        .def_readwrite("ships", &sim::CoastOptions::ships)
        .def_readwrite("land", &sim::CoastOptions::land)
        .def_readwrite("calibration_rows", &sim::CoastOptions::calibration_rows)
        .def_readwrite("calibration_columns", &sim::CoastOptions::calibration_columns)
        .def_readwrite("calibration_rcs_dbsm", &sim::CoastOptions::calibration_rcs_dbsm)
        .def_readwrite("pulse_edge_samples", &sim::CoastOptions::pulse_edge_samples)
        .def_readwrite("noise", &sim::CoastOptions::noise)
        .def_readwrite("threads", &sim::CoastOptions::threads)
        .def_readwrite("max_bytes", &sim::CoastOptions::max_bytes);

    const auto state_pair = [](const sim::State &s) {
        return py::make_tuple(array_of(s.position_m), array_of(s.velocity_m_per_s));
    };
    m.def("sim_sensor", &sim::sensor, py::arg("name"));
    m.def("sim_acquire", &sim::acquire, py::arg("sensor"), py::arg("pulses"), py::arg("samples"),
          py::arg("height_m") = 0.0);
    m.def(
        "sim_inertial_state",
        [state_pair](const sim::Platform &p, double t) { return state_pair(sim::inertial_state(p, t)); },
        py::arg("platform"), py::arg("time_s"));
    m.def(
        "sim_earth_fixed_state",
        [state_pair](const sim::Platform &p, double t) { return state_pair(sim::earth_fixed_state(p, t)); },
        py::arg("platform"), py::arg("time_s"));
    m.def("sim_antenna_frame", &sim::antenna_frame, py::arg("platform"), py::arg("time_s"));
    m.def(
        "sim_boresight_point",
        [](const sim::Platform &p, double t, double h) { return array_of(sim::boresight_point(p, t, h)); },
        py::arg("platform"), py::arg("time_s"), py::arg("height_m"));
    m.def(
        "sim_to_geodetic",
        [](const array_in<double> &p) {
            const sim::Geodetic g = sim::to_geodetic(vec3_of(p, "position_m"));
            return py::make_tuple(g.latitude_deg, g.longitude_deg, g.height_m);
        },
        py::arg("position_m").noconvert());
    m.def(
        "sim_to_ecef", [](double lat, double lon, double height) { return array_of(sim::to_ecef({lat, lon, height})); },
        py::arg("latitude_deg"), py::arg("longitude_deg"), py::arg("height_m"));
    m.def(
        "sim_zero_doppler",
        [](const sim::Platform &p, const array_in<double> &position, double near, const array_in<double> &velocity,
           double reference_time_s) {
            sim::Target target;
            target.position_m = vec3_of(position, "position_m");
            target.velocity_m_per_s = vec3_of(velocity, "velocity_m_per_s");
            target.reference_time_s = reference_time_s;
            const sim::ZeroDoppler z = sim::zero_doppler(p, target, near);
            return py::make_tuple(z.time_s, z.slant_range_m);
        },
        py::arg("platform"), py::arg("position_m").noconvert(), py::arg("near_time_s"),
        py::arg("velocity_m_per_s").noconvert(), py::arg("reference_time_s"));
    m.def(
        "sim_place",
        [](const sim::Platform &p, double t, double range, double height) {
            return array_of(sim::place(p, {t, range}, height));
        },
        py::arg("platform"), py::arg("time_s"), py::arg("slant_range_m"), py::arg("height_m"));
    m.def(
        "sim_place_in_beam",
        [](const sim::Platform &p, double t, double range, double height) {
            return array_of(sim::place_in_beam(p, t, range, height));
        },
        py::arg("platform"), py::arg("time_s"), py::arg("slant_range_m"), py::arg("height_m"));
    m.def(
        "sim_exact",
        [](const Acquisition &a, const sim::Platform &p, const array_in<double> &positions,
           const array_in<std::complex<double>> &amplitudes, const std::optional<array_in<double>> &velocities,
           double reference_time_s, const sim::EchoOptions &options) {
            const auto targets = targets_of(positions, amplitudes, velocities, reference_time_s);
            py::array_t<c64> out = echo_array(a);
            const View2<c64> view = view_of(out);
            py::gil_scoped_release release;
            sim::simulate_exact(a, p, targets, options, view);
            return out;
        },
        py::arg("acquisition"), py::arg("platform"), py::arg("positions_m").noconvert(),
        py::arg("amplitudes").noconvert(), py::arg("velocities_m_per_s").noconvert(), py::arg("reference_time_s"),
        py::arg("options"));
    m.def(
        "sim_scene",
        [](const Acquisition &a, const sim::Platform &p, const array_in<double> &positions,
           const array_in<std::complex<double>> &amplitudes, const std::optional<array_in<double>> &velocities,
           double reference_time_s, const sim::EchoOptions &options) {
            const auto targets = targets_of(positions, amplitudes, velocities, reference_time_s);
            py::array_t<c64> out = echo_array(a);
            const View2<c64> view = view_of(out);
            sim::SceneReport report;
            {
                py::gil_scoped_release release;
                report = sim::simulate_scene(a, p, targets, options, view);
            }
            return py::make_tuple(out, dict_of(report));
        },
        py::arg("acquisition"), py::arg("platform"), py::arg("positions_m").noconvert(),
        py::arg("amplitudes").noconvert(), py::arg("velocities_m_per_s").noconvert(), py::arg("reference_time_s"),
        py::arg("options"));
    m.def(
        "sim_coast",
        [](const sim::Sensor &sensor, const Acquisition &a, const sim::CoastOptions &options) {
            py::array_t<c64> out = echo_array(a);
            const View2<c64> view = view_of(out);
            sim::CoastTruth truth;
            {
                py::gil_scoped_release release;
                truth = sim::simulate_coast(sensor, a, options, view);
            }
            return py::make_tuple(out, dict_of(truth));
        },
        py::arg("sensor"), py::arg("acquisition"), py::arg("options"));
    m.def("sim_sea_sigma0", &sim::sea_sigma0, py::arg("model"), py::arg("carrier_hz"), py::arg("wind_m_per_s"),
          py::arg("relative_deg"), py::arg("incidence_deg"));
    m.def("sim_ship_rcs_m2", &sim::ship_rcs_m2, py::arg("length_m"), py::arg("width_m"));
    m.def(
        "sim_texture",
        [](double shape, double correlation_m, std::int64_t rows, std::int64_t cols, double spacing_m,
           std::uint64_t seed) {
            require(rows > 0 && cols > 0,
                    "rows x cols is " + std::to_string(rows) + " x " + std::to_string(cols) + "; must be positive");
            py::array_t<double> out({static_cast<py::ssize_t>(rows), static_cast<py::ssize_t>(cols)});
            const sim::GammaQuantile quantile(shape);
            sim::NormalField field(sim::Random(seed, sim::Stream::texture), correlation_m);
            field.prepare(0, static_cast<double>(cols) * spacing_m, 0, static_cast<double>(rows) * spacing_m);
            for (std::int64_t i = 0; i < rows; ++i)
                for (std::int64_t j = 0; j < cols; ++j)
                    out.mutable_at(i, j) =
                        quantile(field.value(static_cast<double>(j) * spacing_m, static_cast<double>(i) * spacing_m));
            return out;
        },
        py::arg("shape"), py::arg("correlation_m"), py::arg("rows"), py::arg("cols"), py::arg("spacing_m"),
        py::arg("seed"));
    m.def(
        "sim_receive",
        [](const sim::Receiver &receiver, py::array_t<c64, py::array::c_style> echoes, std::int64_t first_line) {
            require(echoes.ndim() == 2, "echoes has " + std::to_string(echoes.ndim()) + " dimensions; must have 2");
            View2<c64> view{echoes.mutable_data(), echoes.shape(0), echoes.shape(1)};
            py::gil_scoped_release release;
            return sim::receive(receiver, first_line, view).saturated_fraction;
        },
        py::arg("receiver"), py::arg("echoes").noconvert(), py::arg("first_line"));
}
