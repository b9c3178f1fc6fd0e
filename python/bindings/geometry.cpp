// Geolocation both ways, on arrays.
#include "sidelook/geometry.h"

#include "bindings.h"

using namespace sidelook;

static array_in<double> radar_to_geodetic(const Orbit &orbit, const array_in<double> &time_s,
                                          const array_in<double> &range_m, const array_in<double> &height_m,
                                          LookSide side)
{
    require(time_s.size() == range_m.size() && time_s.size() == height_m.size(),
            "zero_doppler_time_s, slant_range_m and height_m differ in length; must be equal");
    array_in<double> out({time_s.size(), py::ssize_t{3}});
    for (py::ssize_t i = 0; i < time_s.size(); ++i) {
        const Geodetic g =
            ecef_to_geodetic(radar_to_ecef(orbit, {time_s.data()[i], range_m.data()[i]}, height_m.data()[i], side));
        double *row = out.mutable_data() + 3 * i;
        row[0] = g.latitude_deg, row[1] = g.longitude_deg, row[2] = g.height_m;
    }
    return out;
}

static array_in<double> geodetic_to_radar(const Orbit &orbit, const array_in<double> &places)
{
    require(places.ndim() == 2 && places.shape(1) == 3,
            "places has the wrong shape; must be (n, 3): latitude_deg, longitude_deg, height_m");
    array_in<double> out({places.shape(0), py::ssize_t{2}});
    for (py::ssize_t i = 0; i < places.shape(0); ++i) {
        const double *p = places.data() + 3 * i;
        const RadarCoordinates r = ecef_to_radar(orbit, geodetic_to_ecef({p[0], p[1], p[2]}));
        out.mutable_data()[2 * i] = r.zero_doppler_time_s;
        out.mutable_data()[2 * i + 1] = r.slant_range_m;
    }
    return out;
}

void bind_geometry(py::module_ &m)
{
    py::class_<Orbit>(m, "Orbit")
        .def(py::init<std::vector<StateVector>>(), py::arg("states"))
        .def("position_m",
             [](const Orbit &o, double t) {
                 const Vec3 p = o.position_m(t);
                 return py::make_tuple(p.x, p.y, p.z);
             })
        .def("velocity_m_per_s",
             [](const Orbit &o, double t) {
                 const Vec3 v = o.velocity_m_per_s(t);
                 return py::make_tuple(v.x, v.y, v.z);
             })
        .def("radar_to_geodetic", &radar_to_geodetic, py::arg("zero_doppler_time_s"), py::arg("slant_range_m"),
             py::arg("height_m"), py::arg("look_side"))
        .def("geodetic_to_radar", &geodetic_to_radar, py::arg("places"));
    m.def("ecef_to_geodetic", [](double x, double y, double z) {
        const Geodetic g = ecef_to_geodetic({x, y, z});
        return py::make_tuple(g.latitude_deg, g.longitude_deg, g.height_m);
    });
    m.def("geodetic_to_ecef", [](double lat, double lon, double h) {
        const Vec3 p = geodetic_to_ecef({lat, lon, h});
        return py::make_tuple(p.x, p.y, p.z);
    });
}
