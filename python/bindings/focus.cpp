// Focusing: survey, plan and run, with Python callables as source and sink.
#include "sidelook/focus.h"

#include <pybind11/functional.h>

#include "bindings.h"
#include "sidelook/backproject.h"
#include "sidelook/quicklook.h"

using namespace sidelook;

static py::array_t<c64> wrap(View2<const c64> v)
{
    // The view's memory is only good during the call; the Python side writes it out and forgets it.
    return py::array_t<c64>({v.rows, v.cols},
                            {v.stride * static_cast<py::ssize_t>(sizeof(c64)), static_cast<py::ssize_t>(sizeof(c64))},
                            v.data, py::capsule(v.data, [](void *) {}));
}

static EchoReader reader_from(const py::function &read)
{
    return [&read](std::int64_t first_line, std::int64_t lines, std::int64_t first_sample, View2<c64> out) {
        const py::gil_scoped_acquire gil;
        const py::object block = read(first_line, lines, first_sample, out.cols);
        require(py::isinstance<py::array_t<c64>>(block), "echoes is not complex64; must be a complex64 array");
        const auto array = array_in<c64>::ensure(block);
        require(array && array.ndim() == 2 && array.shape(0) == lines && array.shape(1) == out.cols,
                "echoes ended early; the source gave fewer lines or samples than the acquisition says");
        const auto in = array.unchecked<2>();
        for (std::int64_t r = 0; r < lines; ++r) std::copy(&in(r, 0), &in(r, 0) + out.cols, out.row(r));
    };
}

template <class Plan>
static std::vector<StageReport> run(const Plan &plan, const py::function &read, const py::function &write,
                                    const EchoCorrections &corrections, const py::object &progress)
{
    std::vector<StageReport> report;
    const EchoReader reader = reader_from(read);
    const SlcWriter writer = [&](std::int64_t first_line, std::int64_t first_sample, View2<const c64> block) {
        const py::gil_scoped_acquire gil;
        write(first_line, first_sample, wrap(block));
    };
    const std::function<void(double)> tick = [&](double share) {
        const py::gil_scoped_acquire gil;
        if (PyErr_CheckSignals() != 0) throw py::error_already_set();
        if (!progress.is_none()) progress(share);
    };
    {
        const py::gil_scoped_release release;
        plan.run(reader, writer, corrections, tick, report);
    }
    return report;
}

void bind_focus(py::module_ &m)
{
    m.def("version", &version);
    m.def("fft_library", &fft_library);
    m.def("instruction_set", &instruction_set);
    m.def("doppler_drift_from_attitude", &doppler_drift_from_attitude, py::arg("acquisition"));
    m.def("doppler_drift", &doppler_drift, py::arg("acquisition"), py::arg("statistics"));
    m.def("doppler_from_attitude", &doppler_from_attitude, py::arg("acquisition"));

    py::class_<Window> window(m, "Window");
    py::enum_<Window::Shape>(window, "Shape")
        .value("rectangular", Window::Shape::rectangular)
        .value("hamming", Window::Shape::hamming)
        .value("kaiser", Window::Shape::kaiser)
        .value("taylor", Window::Shape::taylor);
    window.def(py::init([](Window::Shape s, double p) { return Window{s, p}; }), py::arg("shape"), py::arg("parameter"))
        .def_readwrite("shape", &Window::shape)
        .def_readwrite("parameter", &Window::parameter)
        .def_property_readonly("name", &Window::name)
        .def("__call__", &Window::operator());

    py::class_<FocusOptions>(m, "FocusOptions")
        .def(py::init<>())
        .def_readwrite("doppler_bandwidth_hz", &FocusOptions::doppler_bandwidth_hz)
        .def_readwrite("range_bandwidth_hz", &FocusOptions::range_bandwidth_hz)
        .def_readwrite("azimuth_window", &FocusOptions::azimuth_window)
        .def_readwrite("range_window", &FocusOptions::range_window)
        .def_readwrite("equalise_antenna", &FocusOptions::equalise_antenna)
        .def_readwrite("minimum_exposure", &FocusOptions::minimum_exposure)
        .def_readwrite("block_lines", &FocusOptions::block_lines)
        .def_readwrite("strip_samples", &FocusOptions::strip_samples)
        .def_readwrite("max_bytes", &FocusOptions::max_bytes)
        .def_readwrite("base_bytes", &FocusOptions::base_bytes)
        .def_readwrite("threads", &FocusOptions::threads)
        .def_readwrite("device", &FocusOptions::device);

    py::class_<SlcGrid>(m, "SlcGrid")
        .def_readonly("lines", &SlcGrid::lines)
        .def_readonly("samples", &SlcGrid::samples)
        .def_readonly("first_line_time_s", &SlcGrid::first_line_time_s)
        .def_readonly("line_spacing_s", &SlcGrid::line_spacing_s)
        .def_readonly("first_slant_range_m", &SlcGrid::first_slant_range_m)
        .def_readonly("sample_spacing_m", &SlcGrid::sample_spacing_m)
        .def_readonly("valid_first_line", &SlcGrid::valid_first_line)
        .def_readonly("valid_end_line", &SlcGrid::valid_end_line)
        .def_readonly("doppler_centroid_hz", &SlcGrid::doppler_centroid_hz)
        .def_readonly("range_spectrum_centre", &SlcGrid::range_spectrum_centre)
        .def_readonly("doppler_bandwidth_hz", &SlcGrid::doppler_bandwidth_hz)
        .def_readonly("range_bandwidth_hz", &SlcGrid::range_bandwidth_hz)
        .def_readonly("effective_velocity_m_per_s", &SlcGrid::effective_velocity_m_per_s);

    py::class_<EchoStatistics>(m, "EchoStatistics")
        .def_readonly("lines", &EchoStatistics::lines)
        .def_readonly("good_lines", &EchoStatistics::good_lines)
        .def_readonly("damaged_lines", &EchoStatistics::damaged_lines)
        .def_readonly("silent_lines", &EchoStatistics::silent_lines)
        .def_readonly("mean_i", &EchoStatistics::mean_i)
        .def_readonly("mean_q", &EchoStatistics::mean_q)
        .def_readonly("power_i", &EchoStatistics::power_i)
        .def_readonly("power_q", &EchoStatistics::power_q)
        .def_readonly("largest", &EchoStatistics::largest)
        .def_readonly("share_at_largest", &EchoStatistics::share_at_largest)
        .def_readonly("gain_ratio", &EchoStatistics::gain_ratio)
        .def_readonly("quadrature_error_rad", &EchoStatistics::quadrature_error_rad)
        .def_readonly("doppler_fraction_hz", &EchoStatistics::doppler_fraction_hz)
        .def_readonly("doppler_coherence", &EchoStatistics::doppler_coherence)
        .def_readonly("doppler_deviation_hz", &EchoStatistics::doppler_deviation_hz)
        .def_readonly("doppler_deviation_weight", &EchoStatistics::doppler_deviation_weight);

    py::class_<EchoSurvey>(m, "EchoSurvey")
        .def(py::init<std::int64_t, double>(), py::arg("samples"), py::arg("prf_hz"))
        .def(
            "add",
            [](EchoSurvey &s, const array_in<c64> &lines) {
                require(lines.ndim() == 2, "echoes is not two-dimensional; must be (pulses, samples)");
                const View2<const c64> v(lines.data(), lines.shape(0), lines.shape(1));
                const py::gil_scoped_release release;
                s.add(v);
            },
            py::arg("lines").noconvert())
        .def("result", &EchoSurvey::result);

    py::class_<EchoCorrections>(m, "EchoCorrections")
        .def(py::init<>())
        .def_readwrite("bias_i", &EchoCorrections::bias_i)
        .def_readwrite("bias_q", &EchoCorrections::bias_q)
        .def_readwrite("gain_ratio", &EchoCorrections::gain_ratio)
        .def_readwrite("quadrature_error_rad", &EchoCorrections::quadrature_error_rad)
        .def_readwrite("line_gain", &EchoCorrections::line_gain);
    m.def("corrections_from", &corrections_from, py::arg("statistics"));

    m.def("fractional_doppler", &fractional_doppler, py::arg("acquisition"), py::arg("statistics"));
    py::class_<AmbiguityEstimate>(m, "AmbiguityEstimate")
        .def_readonly("ambiguity", &AmbiguityEstimate::ambiguity)
        .def_readonly("margin", &AmbiguityEstimate::margin)
        .def_readonly("sharpness", &AmbiguityEstimate::sharpness)
        .def_readonly("doppler_centroid_hz", &AmbiguityEstimate::doppler_centroid_hz);
    m.def(
        "estimate_ambiguity",
        [](const Acquisition &a, const std::vector<double> &fraction, const py::function &read,
           const EchoCorrections &c, int from, int to) {
            const EchoReader reader = reader_from(read);
            const py::gil_scoped_release release;
            return estimate_ambiguity(a, fraction, reader, c, from, to);
        },
        py::arg("acquisition"), py::arg("fraction_hz"), py::arg("read"), py::arg("corrections"), py::arg("first"),
        py::arg("last"));
    m.def(
        "estimate_velocity",
        [](const Acquisition &a, const py::function &read, const EchoCorrections &c, double from, double to) {
            const EchoReader reader = reader_from(read);
            const py::gil_scoped_release release;
            return estimate_velocity(a, reader, c, from, to);
        },
        py::arg("acquisition"), py::arg("read"), py::arg("corrections"), py::arg("first_m_per_s"),
        py::arg("last_m_per_s"));

    py::class_<Quicklook>(m, "Quicklook")
        .def(py::init<std::int64_t, std::int64_t, std::int64_t, std::int64_t>(), py::arg("lines"), py::arg("samples"),
             py::arg("looks_azimuth"), py::arg("looks_range"))
        .def(
            "add",
            [](Quicklook &q, std::int64_t line, std::int64_t sample, const py::array_t<c64> &block) {
                require(block.ndim() == 2 && block.strides(1) == static_cast<py::ssize_t>(sizeof(c64)),
                        "block is not a complex64 image with contiguous lines");
                const View2<const c64> v(block.data(), block.shape(0), block.shape(1),
                                         block.strides(0) / static_cast<py::ssize_t>(sizeof(c64)));
                const py::gil_scoped_release release;
                q.add(line, sample, v);
            },
            py::arg("first_line"), py::arg("first_sample"), py::arg("block").noconvert())
        .def(
            "add_power",
            [](Quicklook &q, std::int64_t line, std::int64_t sample, const py::array_t<float> &block) {
                require(block.ndim() == 2 && block.strides(1) == static_cast<py::ssize_t>(sizeof(float)),
                        "block is not a float32 image with contiguous lines");
                const View2<const float> v(block.data(), block.shape(0), block.shape(1),
                                           block.strides(0) / static_cast<py::ssize_t>(sizeof(float)));
                const py::gil_scoped_release release;
                q.add(line, sample, v);
            },
            py::arg("first_line"), py::arg("first_sample"), py::arg("block").noconvert())
        .def("render", [](const Quicklook &q) {
            py::array_t<std::uint8_t> out({q.rows(), q.cols()});
            q.render({out.mutable_data(), q.rows(), q.cols()});
            return out;
        });

    py::class_<StageReport>(m, "StageReport")
        .def_readonly("name", &StageReport::name)
        .def_readonly("seconds", &StageReport::seconds)
        .def_readonly("peak_bytes", &StageReport::peak_bytes)
        .def_readonly("device", &StageReport::device);

    py::class_<StageCost> cost(m, "StageCost");
    py::class_<StageCost::Transforms>(cost, "Transforms")
        .def_readonly("length", &StageCost::Transforms::length)
        .def_readonly("rows", &StageCost::Transforms::rows)
        .def_readonly("batch", &StageCost::Transforms::batch);
    cost.def_readonly("name", &StageCost::name)
        .def_readonly("flops", &StageCost::flops)
        .def_readonly("bytes", &StageCost::bytes)
        .def_readonly("transforms", &StageCost::transforms);

    py::class_<FocusPlan>(m, "FocusPlan")
        .def(py::init<const Acquisition &, const FocusOptions &>(), py::arg("acquisition"), py::arg("options"))
        .def_property_readonly("grid", &FocusPlan::grid)
        .def_property_readonly("block_lines", &FocusPlan::block_lines)
        .def_property_readonly("strip_samples", &FocusPlan::strip_samples)
        .def_property_readonly("azimuth_fft_length", &FocusPlan::azimuth_fft_length)
        .def_property_readonly("range_fft_length", &FocusPlan::range_fft_length)
        .def_property_readonly("range_inverse_fft_length", &FocusPlan::range_inverse_fft_length)
        .def_property_readonly("bytes", &FocusPlan::bytes)
        .def("costs", &FocusPlan::costs)
        .def(
            "run_until",
            [](const FocusPlan &plan, const std::string &stage, const array_in<c64> &echoes,
               const EchoCorrections &corrections) {
                require(echoes.ndim() == 2, "echoes is not two-dimensional; must be (pulses, samples)");
                const FocusPlan::Inside inside =
                    plan.run_until(stage, {echoes.data(), echoes.shape(0), echoes.shape(1)}, corrections);
                py::array_t<c64> data({inside.lines, inside.samples});
                std::copy(inside.data.begin(), inside.data.end(), data.mutable_data());
                py::dict place;
                place["first_line"] = inside.first_line;
                place["first_sample_in"] = inside.first_sample_in;
                place["samples_in"] = inside.samples_in;
                place["transform_length"] = inside.transform_length;
                place["first_delay_s"] = inside.first_delay_s;
                place["sample_rate_hz"] = inside.sample_rate_hz;
                return py::make_tuple(data, place);
            },
            py::arg("stage"), py::arg("echoes").noconvert(), py::arg("corrections"))
        .def("run", &run<FocusPlan>, py::arg("read"), py::arg("write"), py::arg("corrections"),
             py::arg("progress") = py::none());

    py::class_<BackprojectPlan>(m, "BackprojectPlan")
        .def(py::init(
                 [](const Acquisition &a, const FocusOptions &options, const std::optional<array_in<double>> &points) {
                     View2<const double> view;
                     if (points) {
                         require(points->ndim() == 3 && points->shape(2) == 3,
                                 "points is not three-dimensional; must be (lines, samples, 3)");
                         require(points->size() > 0, "points is empty; must have at least one line and sample");
                         view = {points->data(), points->shape(0), 3 * points->shape(1)};
                         view.stride = view.cols;
                     }
                     const py::gil_scoped_release release;
                     return std::make_unique<BackprojectPlan>(a, options, view);
                 }),
             py::arg("acquisition"), py::arg("options"), py::arg("points").noconvert() = py::none(),
             py::keep_alive<1, 4>())
        .def_property_readonly("grid", &BackprojectPlan::grid)
        .def_property_readonly("lines", &BackprojectPlan::lines)
        .def_property_readonly("samples", &BackprojectPlan::samples)
        .def_property_readonly("block_lines", &BackprojectPlan::block_lines)
        .def_property_readonly("bytes", &BackprojectPlan::bytes)
        .def_property_readonly("pixel_pulses", &BackprojectPlan::pixel_pulses)
        .def("run", &run<BackprojectPlan>, py::arg("read"), py::arg("write"), py::arg("corrections"),
             py::arg("progress") = py::none());
}
