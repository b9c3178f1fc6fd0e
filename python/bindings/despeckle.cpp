// Speckle filters: a whole array, or a stream with Python callables as source and sink.
#include "sidelook/despeckle.h"

#include <pybind11/functional.h>

#include <optional>

#include "bindings.h"

using namespace sidelook;

/// A two-dimensional float32 array; anything else is refused by its type, not converted.
static array_in<float> pixels(const py::object &image)
{
    const py::array array = py::array::ensure(image);
    require(bool(array), "image is no array; must be a float32 array");
    const std::string type = py::str(static_cast<py::object>(array.dtype()));
    require(array.dtype().kind() != 'c', "image is " + type + "; must be float32 intensity or amplitude, not complex");
    require(py::isinstance<py::array_t<float>>(array), "image is " + type + "; must be float32");
    require(array.ndim() == 2, "image is not two-dimensional; must be (lines, samples)");
    return array_in<float>::ensure(array);
}

static array_in<float> filtered(const py::object &image, const DespeckleOptions &options,
                                std::optional<array_in<float>> given)
{
    const array_in<float> array = pixels(image);
    const View2<const float> in(array.data(), array.shape(0), array.shape(1));
    array_in<float> out = given ? *given : array_in<float>({in.rows, in.cols});
    require(out.ndim() == 2 && out.writeable(), "out is not two-dimensional or not writable; must be both");
    const View2<float> to(out.mutable_data(), out.shape(0), out.shape(1));
    require(to.data + to.rows * to.cols <= in.data || in.data + in.rows * in.cols <= to.data,
            "out shares memory with image; must be an array of its own");
    const py::gil_scoped_release release;
    despeckle(in, options, to);
    return out;
}

static std::vector<StageReport> run(const DespecklePlan &plan, const py::function &read, const py::function &write,
                                    const py::object &progress)
{
    std::vector<StageReport> report;
    const DespeckleReader reader = [&](std::int64_t first_line, View2<float> out) {
        const py::gil_scoped_acquire gil;
        const array_in<float> array = pixels(read(first_line, out.rows));
        require(array.shape(0) == out.rows && array.shape(1) == out.cols,
                "image ended early; the source gave fewer lines or samples than were asked for");
        const View2<const float> in(array.data(), out.rows, out.cols);
        const py::gil_scoped_release release;
        for (std::int64_t r = 0; r < out.rows; ++r) std::copy(in.row(r), in.row(r) + out.cols, out.row(r));
    };
    const DespeckleWriter writer = [&](std::int64_t first_line, View2<const float> block) {
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
    plan.run(reader, writer, tick, report);
    return report;
}

void bind_despeckle(py::module_ &m)
{
    py::class_<DespeckleOptions>(m, "DespeckleOptions")
        .def(py::init<>())
        .def_readwrite("method", &DespeckleOptions::method)
        .def_readwrite("kind", &DespeckleOptions::kind)
        .def_readwrite("compat", &DespeckleOptions::compat)
        .def_readwrite("distance", &DespeckleOptions::distance)
        .def_readwrite("window", &DespeckleOptions::window)
        .def_readwrite("looks", &DespeckleOptions::looks)
        .def_readwrite("damping", &DespeckleOptions::damping)
        .def_readwrite("sigma", &DespeckleOptions::sigma)
        .def_readwrite("bright_level", &DespeckleOptions::bright_level)
        .def_readwrite("nodata", &DespeckleOptions::nodata)
        .def_readwrite("block_lines", &DespeckleOptions::block_lines)
        .def_readwrite("max_bytes", &DespeckleOptions::max_bytes)
        .def_readwrite("base_bytes", &DespeckleOptions::base_bytes)
        .def_readwrite("threads", &DespeckleOptions::threads);
    m.def("despeckle_methods", &despeckle_methods);
    m.def("despeckle_needs_looks", &despeckle_needs_looks, py::arg("method"));
    m.def("despeckle", &filtered, py::arg("image"), py::arg("options"), py::arg("out").noconvert() = py::none());
    m.def(
        "sigma_range",
        [](double looks, bool amplitude, double share) {
            const SigmaRange r = sigma_range(looks, amplitude, share);
            return std::make_tuple(r.low, r.high, r.cu2);
        },
        py::arg("looks"), py::arg("amplitude"), py::arg("share"));
    m.def(
        "bright_level",
        [](const py::object &image, std::optional<double> nodata) {
            const array_in<float> array = pixels(image);
            BrightLevel level;
            level.add({array.data(), array.shape(0), array.shape(1)}, nodata.value_or(not_given));
            return level.value();
        },
        py::arg("image"), py::arg("nodata") = py::none());
    py::class_<DespecklePlan>(m, "DespecklePlan")
        .def(py::init<std::int64_t, std::int64_t, const DespeckleOptions &>(), py::arg("lines"), py::arg("samples"),
             py::arg("options"))
        .def_property_readonly("options", &DespecklePlan::options)
        .def_property_readonly("block_lines", &DespecklePlan::block_lines)
        .def_property_readonly("bytes", &DespecklePlan::bytes)
        .def_property_readonly("reads_twice", &DespecklePlan::reads_twice)
        .def("costs", &DespecklePlan::costs)
        .def("run", &run, py::arg("read_lines"), py::arg("write_lines"), py::arg("progress") = py::none());
}
