// Radiometry: looks, the physics of calibration, and the streamed chain with Python callables as source and sink.
#include "sidelook/radiometry.h"

#include <pybind11/functional.h>

#include "bindings.h"

using namespace sidelook;

template <class In, class Out, class Function>
static py::array_t<Out> looked(const array_in<In> &image, Looks looks, Function function, int threads)
{
    require(image.ndim() == 2, "image is not two-dimensional; must be (lines, samples)");
    const View2<const In> in(image.data(), image.shape(0), image.shape(1));
    check_looks(looks, in.rows, in.cols);
    py::array_t<Out> out({in.rows / looks.azimuth, in.cols / looks.range});
    const View2<Out> to(out.mutable_data(), out.shape(0), out.shape(1));
    const py::gil_scoped_release release;
    function(in, looks, to, threads);
    return out;
}

/// What a Python callable gives for some lines, copied into `out`.
template <class T> static void read_lines(const py::function &read, std::int64_t first_line, View2<T> out)
{
    const py::gil_scoped_acquire gil;
    const py::object block = read(first_line, out.rows);
    require(py::isinstance<py::array_t<T>>(block), std::is_same_v<T, c64>
                                                       ? "image is not complex64; must be a complex64 array"
                                                       : "image is not float32; must be a float32 array");
    const auto array = array_in<T>::ensure(block);
    require(array && array.ndim() == 2 && array.shape(0) == out.rows && array.shape(1) == out.cols,
            "image ended early; the source gave fewer lines or samples than were asked for");
    const View2<const T> in(array.data(), out.rows, out.cols);
    const py::gil_scoped_release release;
    for (std::int64_t r = 0; r < out.rows; ++r) std::copy(in.row(r), in.row(r) + out.cols, out.row(r));
}

static std::vector<StageReport> run(const IntensityPlan &plan, bool complex, const py::function &read,
                                    const py::function &write, const py::object &progress)
{
    std::vector<StageReport> report;
    const IntensityWriter writer = [&](std::int64_t first_line, View2<const float> block) {
        const py::gil_scoped_acquire gil;
        // The view's memory is only good during the call; the Python side writes it out and forgets it.
        write(first_line, py::array_t<float>({block.rows, block.cols},
                                             {block.stride * static_cast<py::ssize_t>(sizeof(float)),
                                              static_cast<py::ssize_t>(sizeof(float))},
                                             block.data, py::capsule(block.data, [](void *) {})));
    };
    const std::function<void(double)> tick = [&](double share) {
        const py::gil_scoped_acquire gil;
        if (PyErr_CheckSignals() != 0) throw py::error_already_set();
        if (!progress.is_none()) progress(share);
    };
    const py::gil_scoped_release release;
    if (complex) {
        const ComplexReader reader = [&](std::int64_t first, View2<c64> out) { read_lines<c64>(read, first, out); };
        plan.run(reader, writer, tick, report);
    } else {
        const IntensityReader reader = [&](std::int64_t first, View2<float> out) {
            read_lines<float>(read, first, out);
        };
        plan.run(reader, writer, tick, report);
    }
    return report;
}

/// The places (times and ranges of equal length) as a dictionary of arrays.
static py::dict places(const ImageRadiometry &model, const array_in<double> &time_s, const array_in<double> &range_m)
{
    require(time_s.size() == range_m.size(), "zero_doppler_time_s and slant_range_m differ in length; must be equal");
    std::vector<ImageRadiometry::Place> found(static_cast<std::size_t>(time_s.size()));
    const double *t = time_s.data(), *r = range_m.data();
    {
        const py::gil_scoped_release release;
        for (std::size_t i = 0; i < found.size(); ++i) found[i] = model.at(t[i], r[i]);
    }
    py::dict out;
    const auto put = [&](const char *name, double ImageRadiometry::Place::*field) {
        py::array_t<double> column(static_cast<py::ssize_t>(found.size()));
        for (std::size_t i = 0; i < found.size(); ++i) column.mutable_data()[i] = found[i].*field;
        out[name] = column;
    };
    put("incidence_deg", &ImageRadiometry::Place::incidence_deg);
    put("beam_incidence_deg", &ImageRadiometry::Place::beam_incidence_deg);
    put("line_speed_m_per_s", &ImageRadiometry::Place::line_speed_m_per_s);
    put("elevation_gain", &ImageRadiometry::Place::elevation_gain);
    put("azimuth_width_s", &ImageRadiometry::Place::azimuth_width_s);
    put("range_width_m", &ImageRadiometry::Place::range_width_m);
    put("intensity_of_beta0", &ImageRadiometry::Place::intensity_of_beta0);
    put("noise_intensity", &ImageRadiometry::Place::noise_intensity);
    return out;
}

void bind_radiometry(py::module_ &m)
{
    py::class_<Looks>(m, "Looks")
        .def(py::init([](std::int64_t azimuth, std::int64_t range) { return Looks{azimuth, range}; }),
             py::arg("azimuth"), py::arg("range"))
        .def_readwrite("azimuth", &Looks::azimuth)
        .def_readwrite("range", &Looks::range);
    m.def("check_looks", &check_looks, py::arg("looks"), py::arg("lines"), py::arg("samples"));
    m.def(
        "multilook_power",
        [](const array_in<c64> &image, Looks looks, int threads) {
            return looked<c64, float>(
                image, looks, [](auto in, Looks l, auto out, int n) { multilook(in, l, out, n); }, threads);
        },
        py::arg("image").noconvert(), py::arg("looks"), py::arg("threads") = 0);
    m.def(
        "multilook_intensity",
        [](const array_in<float> &image, Looks looks, int threads) {
            return looked<float, float>(
                image, looks, [](auto in, Looks l, auto out, int n) { multilook(in, l, out, n); }, threads);
        },
        py::arg("image").noconvert(), py::arg("looks"), py::arg("threads") = 0);
    m.def(
        "multilook_complex",
        [](const array_in<c64> &image, Looks looks, int threads) {
            return looked<c64, c64>(
                image, looks, [](auto in, Looks l, auto out, int n) { multilook_complex(in, l, out, n); }, threads);
        },
        py::arg("image").noconvert(), py::arg("looks"), py::arg("threads") = 0);

    py::class_<ImageRadiometry::Widths>(m, "ResponseWidths")
        .def_readonly("azimuth_s", &ImageRadiometry::Widths::azimuth_s)
        .def_readonly("slant_range_m", &ImageRadiometry::Widths::slant_range_m);
    py::class_<ImageRadiometry>(m, "ImageRadiometry")
        .def(py::init<const Acquisition &, const FocusOptions &>(), py::arg("acquisition"), py::arg("options"))
        .def("places", &places, py::arg("zero_doppler_time_s"), py::arg("slant_range_m"))
        .def("equivalent_looks", &ImageRadiometry::equivalent_looks, py::arg("looks"))
        .def("widths", &ImageRadiometry::widths, py::arg("looks"));

    py::class_<FactorGrid>(m, "FactorGrid")
        .def(py::init<>())
        .def_readwrite("lines", &FactorGrid::lines)
        .def_readwrite("samples", &FactorGrid::samples)
        .def_readwrite("values", &FactorGrid::values)
        .def_readwrite("smooth", &FactorGrid::smooth);
    py::class_<IntensityOptions>(m, "IntensityOptions")
        .def(py::init<>())
        .def_readwrite("looks", &IntensityOptions::looks)
        .def_readwrite("factor", &IntensityOptions::factor)
        .def_readwrite("divide_by_square", &IntensityOptions::divide_by_square)
        .def_readwrite("noise", &IntensityOptions::noise)
        .def_readwrite("block_lines", &IntensityOptions::block_lines)
        .def_readwrite("max_bytes", &IntensityOptions::max_bytes)
        .def_readwrite("base_bytes", &IntensityOptions::base_bytes)
        .def_readwrite("threads", &IntensityOptions::threads);
    py::class_<IntensityPlan>(m, "IntensityPlan")
        .def(py::init<std::int64_t, std::int64_t, bool, const IntensityOptions &>(), py::arg("lines"),
             py::arg("samples"), py::arg("complex"), py::arg("options"))
        .def_property_readonly("lines", &IntensityPlan::lines)
        .def_property_readonly("samples", &IntensityPlan::samples)
        .def_property_readonly("block_lines", &IntensityPlan::block_lines)
        .def_property_readonly("bytes", &IntensityPlan::bytes)
        .def("costs", &IntensityPlan::costs)
        .def(
            "run",
            [](const IntensityPlan &plan, const py::function &read, const py::function &write,
               const py::object &progress) { return run(plan, true, read, write, progress); },
            py::arg("read_lines"), py::arg("write_lines"), py::arg("progress") = py::none())
        .def(
            "run_intensity",
            [](const IntensityPlan &plan, const py::function &read, const py::function &write,
               const py::object &progress) { return run(plan, false, read, write, progress); },
            py::arg("read_lines"), py::arg("write_lines"), py::arg("progress") = py::none());
}
