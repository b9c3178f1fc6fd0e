// Geolocation both ways, on arrays, and maps.
#include "sidelook/geometry.h"

#include "bindings.h"
#include "sidelook/geocode.h"

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

template <class Locate>
static array_in<double> to_radar(const Orbit &orbit, const array_in<double> &places, const Locate &locate)
{
    require(places.ndim() == 2 && places.shape(1) == 3,
            "places has the wrong shape; must be (n, 3): latitude_deg, longitude_deg, height_m");
    array_in<double> out({places.shape(0), py::ssize_t{2}});
    for (py::ssize_t i = 0; i < places.shape(0); ++i) {
        const double *p = places.data() + 3 * i;
        const RadarCoordinates r = locate(orbit, geodetic_to_ecef({p[0], p[1], p[2]}));
        out.mutable_data()[2 * i] = r.zero_doppler_time_s;
        out.mutable_data()[2 * i + 1] = r.slant_range_m;
    }
    return out;
}

static MapLattice lattice_from(const array_in<double> &places, std::int64_t step)
{
    require(places.ndim() == 3 && places.shape(2) == 3,
            "places has the wrong shape; must be (rows, cols, 3): latitude_deg, longitude_deg, height_m");
    MapLattice lattice{step, places.shape(0), places.shape(1), {}};
    for (const double *p = places.data(); p != places.data() + places.size(); p += 3)
        lattice.places.push_back({p[0], p[1], p[2]});
    return lattice;
}

static py::array_t<float> resample_array(const array_in<float> &image, std::int64_t first_line,
                                         std::int64_t first_sample, const array_in<double> &line,
                                         const array_in<double> &sample, Interpolation interpolation, int threads)
{
    require(image.ndim() == 2 && line.ndim() == 2 && sample.ndim() == 2,
            "image, line and sample are not two-dimensional; must be (rows, cols)");
    py::array_t<float> out({line.shape(0), line.shape(1)});
    const View2<const float> in(image.data(), image.shape(0), image.shape(1));
    const View2<const double> i(line.data(), line.shape(0), line.shape(1));
    const View2<const double> j(sample.data(), sample.shape(0), sample.shape(1));
    const View2<float> result(out.mutable_data(), out.shape(0), out.shape(1));
    const py::gil_scoped_release release;
    resample(in, first_line, first_sample, i, j, interpolation, result, threads);
    return out;
}

static void bind_geocode(py::module_ &m)
{
    py::class_<RadarGrid>(m, "RadarGrid")
        .def(py::init([](double time, double line, double range, double sample, std::int64_t lines,
                         std::int64_t samples) { return RadarGrid{time, line, range, sample, lines, samples}; }),
             py::arg("first_line_time_s"), py::arg("line_spacing_s"), py::arg("first_sample_slant_range_m"),
             py::arg("sample_spacing_m"), py::arg("lines"), py::arg("samples"))
        .def_readonly("lines", &RadarGrid::lines)
        .def_readonly("samples", &RadarGrid::samples);
    py::class_<PixelWindow>(m, "PixelWindow")
        .def_readonly("first_line", &PixelWindow::first_line)
        .def_readonly("end_line", &PixelWindow::end_line)
        .def_readonly("first_sample", &PixelWindow::first_sample)
        .def_readonly("end_sample", &PixelWindow::end_sample);
    py::class_<MapToRadar>(m, "MapToRadar")
        .def(py::init([](const Orbit &orbit, LookSide side, const RadarGrid &grid, const array_in<double> &places,
                         std::int64_t step) { return MapToRadar(orbit, side, grid, lattice_from(places, step)); }),
             py::arg("orbit"), py::arg("look_side"), py::arg("grid"), py::arg("places"), py::arg("step"))
        .def_property_readonly("map_rows", &MapToRadar::map_rows)
        .def_property_readonly("map_cols", &MapToRadar::map_cols)
        .def(
            "coordinates",
            [](const MapToRadar &map, std::int64_t row, std::int64_t col, std::int64_t rows, std::int64_t cols,
               int threads) {
                require(rows >= 0 && cols >= 0, "block has a negative size; must be 0 or more");
                py::array_t<double> line({rows, cols}), sample({rows, cols});
                PixelWindow window;
                {
                    const View2<double> i(line.mutable_data(), rows, cols), j(sample.mutable_data(), rows, cols);
                    const py::gil_scoped_release release;
                    window = map.coordinates(row, col, i, j, threads);
                }
                return std::make_tuple(line, sample, window);
            },
            py::arg("first_row"), py::arg("first_col"), py::arg("rows"), py::arg("cols"), py::arg("threads") = 0);
    py::enum_<Interpolation>(m, "Interpolation")
        .value("nearest", Interpolation::nearest)
        .value("bilinear", Interpolation::bilinear);
    m.def("resample", &resample_array, py::arg("image").noconvert(), py::arg("first_line"), py::arg("first_sample"),
          py::arg("line").noconvert(), py::arg("sample").noconvert(), py::arg("interpolation"), py::arg("threads") = 0);
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
        .def(
            "geodetic_to_radar",
            [](const Orbit &o, const array_in<double> &places) { return to_radar(o, places, ecef_to_radar); },
            py::arg("places"))
        .def(
            "geodetic_to_radar_continued",
            [](const Orbit &o, const array_in<double> &places) { return to_radar(o, places, ecef_to_radar_continued); },
            py::arg("places"));
    m.def("ecef_to_geodetic", [](double x, double y, double z) {
        const Geodetic g = ecef_to_geodetic({x, y, z});
        return py::make_tuple(g.latitude_deg, g.longitude_deg, g.height_m);
    });
    m.def("geodetic_to_ecef", [](double lat, double lon, double h) {
        const Vec3 p = geodetic_to_ecef({lat, lon, h});
        return py::make_tuple(p.x, p.y, p.z);
    });
    bind_geocode(m);
}
