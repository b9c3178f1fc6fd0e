// measure_point and what it returns.
#include <pybind11/complex.h>

#include "bindings.h"
#include "sidelook/measure.h"

using namespace sidelook;

namespace
{

/// A view of a complex64 image whose rows may lie apart; nothing is copied or converted.
View2<const c64> image_view(const py::array &image)
{
    const std::string dtype = py::str(image.dtype());
    require(dtype == "complex64", "image has dtype " + dtype + "; must be complex64");
    require(image.ndim() == 2, "image has " + std::to_string(image.ndim()) + " dimensions; must have 2");
    constexpr auto item = static_cast<py::ssize_t>(sizeof(c64));
    require(image.shape(0) == 0 || image.shape(1) == 0 ||
                (image.strides(1) == item && image.strides(0) >= 0 && image.strides(0) % item == 0),
            "image has strides (" + std::to_string(image.strides(0)) + ", " + std::to_string(image.strides(1)) +
                "); rows must be contiguous");
    return {static_cast<const c64 *>(image.data()), image.shape(0), image.shape(1), image.strides(0) / item};
}

template <class T> py::array_t<T> to_array(const std::vector<T> &v)
{
    return py::array_t<T>(static_cast<py::ssize_t>(v.size()), v.data());
}

}  // namespace

void bind_measure(py::module_ &m)
{
    py::enum_<CutAxes>(m, "CutAxes")
        .value("measured", CutAxes::measured)
        .value("image", CutAxes::image)
        .value("given", CutAxes::given);
    py::class_<MeasureOptions>(m, "MeasureOptions")
        .def(py::init<>())
        .def_readwrite("search_radius", &MeasureOptions::search_radius)
        .def_readwrite("half_size", &MeasureOptions::half_size)
        .def_readwrite("oversampling", &MeasureOptions::oversampling)
        .def_readwrite("spectrum_centre_row", &MeasureOptions::spectrum_centre_row)
        .def_readwrite("spectrum_centre_col", &MeasureOptions::spectrum_centre_col)
        .def_readwrite("measure_spectrum_centre", &MeasureOptions::measure_spectrum_centre)
        .def_readwrite("row_spacing_m", &MeasureOptions::row_spacing_m)
        .def_readwrite("col_spacing_m", &MeasureOptions::col_spacing_m)
        .def_readwrite("axes", &MeasureOptions::axes)
        .def_readwrite("azimuth_axis_slope", &MeasureOptions::azimuth_axis_slope)
        .def_readwrite("range_axis_slope", &MeasureOptions::range_axis_slope)
        .def_readwrite("first_row", &MeasureOptions::first_row)
        .def_readwrite("first_col", &MeasureOptions::first_col);
    py::class_<PointCut>(m, "PointCut")
        .def_readonly("slope", &PointCut::slope)
        .def_readonly("slope_measured", &PointCut::slope_measured)
        .def_readonly("irw_samples", &PointCut::irw_samples)
        .def_readonly("irw_m", &PointCut::irw_m)
        .def_readonly("null_before", &PointCut::null_before)
        .def_readonly("null_after", &PointCut::null_after)
        .def_readonly("pslr_db", &PointCut::pslr_db)
        .def_readonly("islr_db", &PointCut::islr_db)
        .def_property_readonly("offset", [](const PointCut &c) { return to_array(c.offset); })
        .def_property_readonly("value", [](const PointCut &c) { return to_array(c.value); });
    py::class_<PointTarget>(m, "PointTarget")
        .def_readonly("row", &PointTarget::row)
        .def_readonly("col", &PointTarget::col)
        .def_readonly("peak", &PointTarget::peak)
        .def_readonly("at_expected", &PointTarget::at_expected)
        .def_readonly("spectrum_centre_row", &PointTarget::spectrum_centre_row)
        .def_readonly("spectrum_centre_col", &PointTarget::spectrum_centre_col)
        .def_readonly("azimuth", &PointTarget::azimuth)
        .def_readonly("range", &PointTarget::range)
        .def_readonly("islr_2d_db", &PointTarget::islr_2d_db)
        .def_readonly("main_lobe_energy_fraction", &PointTarget::main_lobe_energy_fraction)
        .def_readonly("peak_to_background_db", &PointTarget::peak_to_background_db);
    m.def(
        "measure_point",
        [](const py::array &image, double row, double col, const MeasureOptions &options) {
            const View2<const c64> view = image_view(image);
            const py::gil_scoped_release release;
            return measure_point(view, row, col, options);
        },
        py::arg("image"), py::arg("row"), py::arg("col"), py::arg("options") = MeasureOptions{});
}
