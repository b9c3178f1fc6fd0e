// Ship detection, with Python callables as the image and its mask.
#include "sidelook/detect.h"

#include <pybind11/functional.h>

#include "bindings.h"

using namespace sidelook;

namespace
{

/// A reader of T from a callable (first line, lines, first sample, samples) -> array.
template <class T> auto reader_from(const py::function &read, const char *name)
{
    return [&read, name](std::int64_t first_line, std::int64_t first_sample, View2<T> out) {
        const py::gil_scoped_acquire gil;
        const py::object block = read(first_line, out.rows, first_sample, out.cols);
        require(py::isinstance<py::array_t<T>>(block),
                std::string(name) + " is " + std::string(py::str(py::type::of(block))) + "; must be a numpy array of " +
                    std::string(py::str(py::dtype::of<T>())));
        const auto array = array_in<T>::ensure(block);
        require(array && array.ndim() == 2 && array.shape(0) == out.rows && array.shape(1) == out.cols,
                std::string(name) + " ended early; the source gave fewer lines or samples than the image says");
        const auto in = array.template unchecked<2>();
        for (std::int64_t r = 0; r < out.rows; ++r) std::copy(&in(r, 0), &in(r, 0) + out.cols, out.row(r));
    };
}

DetectReport run(const IntensityImage &image, const DetectOptions &options, const py::function &read_intensity,
                 const py::object &read_mask, const py::object &progress)
{
    const IntensityReader read = reader_from<float>(read_intensity, "intensity");
    py::function mask_function;
    MaskReader mask;
    if (!read_mask.is_none()) {
        mask_function = py::cast<py::function>(read_mask);
        mask = reader_from<std::uint8_t>(mask_function, "land");
    }
    const std::function<void(double)> tick = [&](double share) {
        const py::gil_scoped_acquire gil;
        if (PyErr_CheckSignals() != 0) throw py::error_already_set();
        if (!progress.is_none()) progress(share);
    };
    const py::gil_scoped_release release;
    return detect(image, options, read, mask, tick);
}

View2<const float> view(const array_in<float> &array, const char *name)
{
    require(array.ndim() == 2, std::string(name) + " is not two-dimensional; must be (lines, samples)");
    return {array.data(), array.shape(0), array.shape(1)};
}

}  // namespace

void bind_detect(py::module_ &m)
{
    py::enum_<Clutter>(m, "Clutter").value("gamma", Clutter::gamma).value("k", Clutter::k);
    py::enum_<LandSource>(m, "LandSource").value("none", LandSource::none).value("scene", LandSource::scene);
    py::class_<CfarWindows>(m, "CfarWindows")
        .def(py::init([](int training, int guard) { return CfarWindows{training, guard}; }),
             py::arg("training") = CfarWindows{}.training, py::arg("guard") = CfarWindows{}.guard)
        .def_readwrite("training", &CfarWindows::training)
        .def_readwrite("guard", &CfarWindows::guard);
    py::class_<DetectOptions>(m, "DetectOptions")
        .def(py::init<>())
        .def_readwrite("false_alarm_rate", &DetectOptions::false_alarm_rate)
        .def_readwrite("certain_rate", &DetectOptions::certain_rate)
        .def_readwrite("max_bytes", &DetectOptions::max_bytes)
        .def_readwrite("base_bytes", &DetectOptions::base_bytes)
        .def_readwrite("clutter", &DetectOptions::clutter)
        .def_readwrite("windows", &DetectOptions::windows)
        .def_readwrite("least_training", &DetectOptions::least_training)
        .def_readwrite("clip", &DetectOptions::clip)
        .def_readwrite("grow_rate", &DetectOptions::grow_rate)
        .def_readwrite("merge_m", &DetectOptions::merge_m)
        .def_readwrite("land", &DetectOptions::land)
        .def_readwrite("land_area_km2", &DetectOptions::land_area_km2)
        .def_readwrite("land_buffer_m", &DetectOptions::land_buffer_m)
        .def_readwrite("block_lines", &DetectOptions::block_lines)
        .def_readwrite("threads", &DetectOptions::threads)
        .def_readwrite("device", &DetectOptions::device);
    py::class_<IntensityImage>(m, "IntensityImage")
        .def(py::init<>())
        .def_readwrite("lines", &IntensityImage::lines)
        .def_readwrite("samples", &IntensityImage::samples)
        .def_readwrite("first_line_time_s", &IntensityImage::first_line_time_s)
        .def_readwrite("line_spacing_s", &IntensityImage::line_spacing_s)
        .def_readwrite("first_slant_range_m", &IntensityImage::first_slant_range_m)
        .def_readwrite("sample_spacing_m", &IntensityImage::sample_spacing_m)
        .def_readwrite("azimuth_spacing_m", &IntensityImage::azimuth_spacing_m)
        .def_readwrite("ground_range_spacing_m", &IntensityImage::ground_range_spacing_m)
        .def_readwrite("azimuth_resolution_m", &IntensityImage::azimuth_resolution_m)
        .def_readwrite("ground_range_resolution_m", &IntensityImage::ground_range_resolution_m)
        .def_readwrite("equivalent_looks", &IntensityImage::equivalent_looks)
        .def_readwrite("prf_hz", &IntensityImage::prf_hz)
        .def_readwrite("carrier_hz", &IntensityImage::carrier_hz)
        .def_readwrite("effective_velocity_m_per_s", &IntensityImage::effective_velocity_m_per_s)
        .def_readwrite("doppler_centroid_hz", &IntensityImage::doppler_centroid_hz)
        .def_readwrite("orbit", &IntensityImage::orbit)
        .def_readwrite("look_side", &IntensityImage::look_side)
        .def_readwrite("terrain_height_m", &IntensityImage::terrain_height_m);
    py::class_<ClutterFit>(m, "ClutterFit")
        .def_readonly("mean", &ClutterFit::mean)
        .def_readonly("looks", &ClutterFit::looks)
        .def_readonly("order", &ClutterFit::order)
        .def_readonly("share", &ClutterFit::share)
        .def_readonly("pixels", &ClutterFit::pixels)
        .def_readonly("threshold", &ClutterFit::threshold)
        .def_readonly("certain", &ClutterFit::certain)
        .def_readonly("first_sample", &ClutterFit::first_sample)
        .def_readonly("end_sample", &ClutterFit::end_sample);
    py::class_<DetectedObject>(m, "DetectedObject")
        .def_readonly("line", &DetectedObject::line)
        .def_readonly("sample", &DetectedObject::sample)
        .def_readonly("line_sigma", &DetectedObject::line_sigma)
        .def_readonly("sample_sigma", &DetectedObject::sample_sigma)
        .def_readonly("azimuth_sigma_m", &DetectedObject::azimuth_sigma_m)
        .def_readonly("ground_range_sigma_m", &DetectedObject::ground_range_sigma_m)
        .def_readonly("position_sigma_m", &DetectedObject::position_sigma_m)
        .def_readonly("length_m", &DetectedObject::length_m)
        .def_readonly("length_sigma_m", &DetectedObject::length_sigma_m)
        .def_readonly("width_m", &DetectedObject::width_m)
        .def_readonly("width_sigma_m", &DetectedObject::width_sigma_m)
        .def_readonly("axis_deg", &DetectedObject::axis_deg)
        .def_readonly("axis_sigma_deg", &DetectedObject::axis_sigma_deg)
        .def_readonly("axis_known", &DetectedObject::axis_known)
        .def_readonly("energy_m2", &DetectedObject::energy_m2)
        .def_readonly("clutter", &DetectedObject::clutter)
        .def_readonly("peak_ratio", &DetectedObject::peak_ratio)
        .def_readonly("hull_evidence", &DetectedObject::hull_evidence)
        .def_readonly("peak_line", &DetectedObject::peak_line)
        .def_readonly("peak_sample", &DetectedObject::peak_sample)
        .def_readonly("pixels", &DetectedObject::pixels)
        .def_readonly("first_line", &DetectedObject::first_line)
        .def_readonly("end_line", &DetectedObject::end_line)
        .def_readonly("first_sample", &DetectedObject::first_sample)
        .def_readonly("end_sample", &DetectedObject::end_sample)
        .def_readonly("azimuth_ambiguity", &DetectedObject::azimuth_ambiguity)
        .def_readonly("side_lobe", &DetectedObject::side_lobe)
        .def_readonly("edge", &DetectedObject::edge)
        .def_readonly("land", &DetectedObject::land)
        .def_property_readonly("place",
                               [](const DetectedObject &o) -> std::optional<std::tuple<double, double, double>> {
                                   if (!o.place) return std::nullopt;
                                   return std::tuple(o.place->latitude_deg, o.place->longitude_deg, o.place->height_m);
                               })
        .def_readonly("heading_deg", &DetectedObject::heading_deg);
    py::class_<DetectReport>(m, "DetectReport")
        .def_readonly("objects", &DetectReport::objects)
        .def_readonly("area_searched_m2", &DetectReport::area_searched_m2)
        .def_readonly("pixels_searched", &DetectReport::pixels_searched)
        .def_readonly("pixels_land", &DetectReport::pixels_land)
        .def_readonly("pixels_above", &DetectReport::pixels_above)
        .def_readonly("clutter", &DetectReport::clutter)
        .def_readonly("grow_level", &DetectReport::grow_level)
        .def_readonly("bytes", &DetectReport::bytes)
        .def_readonly("device", &DetectReport::device)
        .def_property_readonly("land_cells", [](const DetectReport &r) {
            py::array_t<std::uint8_t> cells({r.land_rows, r.land_cols});
            std::copy(r.land_cells.begin(), r.land_cells.end(), cells.mutable_data());
            return cells;
        });
    m.def("check_detection", &check_detection, py::arg("image"), py::arg("options"));
    m.def("detect", &run, py::arg("image"), py::arg("options"), py::arg("read_intensity"), py::arg("read_mask"),
          py::arg("progress") = py::none());
    m.def(
        "cfar_ratio",
        [](const array_in<float> &intensity, const CfarWindows &windows, double least_training, double clip,
           std::int64_t block_lines, int threads) {
            const View2<const float> in = view(intensity, "intensity");
            py::array_t<float> out({in.rows, in.cols});
            const View2<float> to(out.mutable_data(), in.rows, in.cols);
            {
                const py::gil_scoped_release release;
                cfar_ratio(in, windows, least_training, clip, block_lines, threads, to);
            }
            return out;
        },
        py::arg("intensity").noconvert(), py::arg("windows"), py::arg("least_training") = 0.25, py::arg("clip") = 12.0,
        py::arg("block_lines") = 4096, py::arg("threads") = 0);
    m.def("clutter_exceedance", &clutter_exceedance, py::arg("t"), py::arg("mean"), py::arg("looks"), py::arg("order"));
    m.def("clutter_level", &clutter_level, py::arg("share"), py::arg("mean"), py::arg("looks"), py::arg("order"));
    m.def(
        "label_objects",
        [](const array_in<float> &ratio, float grow) {
            const View2<const float> in = view(ratio, "ratio");
            py::array_t<std::int32_t> out({in.rows, in.cols});
            const auto n = label_objects(in, grow, {out.mutable_data(), in.rows, in.cols});
            return py::make_tuple(out, n);
        },
        py::arg("ratio").noconvert(), py::arg("grow"));
}
