// Acquisition and its parts as Python classes with the same field names.
#include "bindings.h"

using namespace sidelook;

void bind_acquisition(py::module_ &m)
{
    py::class_<Vec3>(m, "Vec3")
        .def(py::init([](double x, double y, double z) { return Vec3{x, y, z}; }), py::arg("x"), py::arg("y"),
             py::arg("z"))
        .def_readwrite("x", &Vec3::x)
        .def_readwrite("y", &Vec3::y)
        .def_readwrite("z", &Vec3::z);
    py::class_<StateVector>(m, "StateVector")
        .def(py::init<>())
        .def_readwrite("time_s", &StateVector::time_s)
        .def_readwrite("position_m", &StateVector::position_m)
        .def_readwrite("velocity_m_per_s", &StateVector::velocity_m_per_s);
    py::class_<AntennaFrame>(m, "AntennaFrame")
        .def(py::init<>())
        .def_readwrite("time_s", &AntennaFrame::time_s)
        .def_readwrite("azimuth_axis", &AntennaFrame::azimuth_axis)
        .def_readwrite("boresight", &AntennaFrame::boresight);
    py::class_<Antenna>(m, "Antenna")
        .def(py::init<>())
        .def_readwrite("azimuth_length_m", &Antenna::azimuth_length_m)
        .def_readwrite("elevation_length_m", &Antenna::elevation_length_m)
        .def_readwrite("frames", &Antenna::frames);
    py::class_<Radiometry>(m, "Radiometry")
        .def(py::init<>())
        .def_readwrite("radar_constant", &Radiometry::radar_constant)
        .def_readwrite("reference_range_m", &Radiometry::reference_range_m)
        .def_readwrite("noise_power", &Radiometry::noise_power);
    py::enum_<LookSide>(m, "LookSide").value("left", LookSide::left).value("right", LookSide::right);
    py::class_<Acquisition>(m, "Acquisition")
        .def(py::init<>())
        .def_readwrite("sensor", &Acquisition::sensor)
        .def_readwrite("epoch_utc", &Acquisition::epoch_utc)
        .def_readwrite("carrier_hz", &Acquisition::carrier_hz)
        .def_readwrite("prf_hz", &Acquisition::prf_hz)
        .def_readwrite("first_pulse_time_s", &Acquisition::first_pulse_time_s)
        .def_readwrite("pulses", &Acquisition::pulses)
        .def_readwrite("samples", &Acquisition::samples)
        .def_readwrite("sample_rate_hz", &Acquisition::sample_rate_hz)
        .def_readwrite("first_sample_delay_s", &Acquisition::first_sample_delay_s)
        .def_readwrite("chirp_rate_hz_per_s", &Acquisition::chirp_rate_hz_per_s)
        .def_readwrite("chirp_duration_s", &Acquisition::chirp_duration_s)
        .def_readwrite("look_side", &Acquisition::look_side)
        .def_readwrite("terrain_height_m", &Acquisition::terrain_height_m)
        .def_readwrite("orbit", &Acquisition::orbit)
        .def_readwrite("effective_velocity_m_per_s", &Acquisition::effective_velocity_m_per_s)
        .def_readwrite("antenna", &Acquisition::antenna)
        .def_readwrite("doppler_centroid_hz", &Acquisition::doppler_centroid_hz)
        .def_readwrite("doppler_drift_hz_per_s", &Acquisition::doppler_drift_hz_per_s)
        .def_readwrite("radiometry", &Acquisition::radiometry);
    m.def("validate", &validate, py::arg("acquisition"));
}
