// The table of stages and the machine's limits.
#include "sidelook/stages.h"

#include "bindings.h"

using namespace sidelook;

void bind_stages(py::module_ &m)
{
    m.def("stage_table", [] {
        py::list all;
        for (const StageInfo &s : stage_table()) {
            const auto port = [](const StagePort &p) {
                py::dict d;
                d["type"] = p.type;
                d["dimensions"] = p.dimensions;
                d["unit"] = p.unit;
                return d;
            };
            py::list parameters;
            for (const StageParameter &p : s.parameters) {
                py::dict d;
                d["name"] = p.name;
                d["unit"] = p.unit;
                d["default"] = p.default_value;
                d["summary"] = p.summary;
                parameters.append(d);
            }
            py::dict d;
            d["name"] = s.name;
            d["summary"] = s.summary;
            d["in"] = port(s.in);
            d["out"] = port(s.out);
            d["reach"] = s.reach;
            d["first_pass"] = s.first_pass;
            d["parameters"] = parameters;
            d["cpu"] = s.cpu;
            d["cuda_twin"] = s.cuda_twin;
            d["cuda"] = s.cuda;
            all.append(d);
        }
        return all;
    });
    py::class_<MachineLimits>(m, "MachineLimits")
        .def_readonly("copy_bytes_per_s", &MachineLimits::copy_bytes_per_s)
        .def_readonly("flops_per_s", &MachineLimits::flops_per_s);
    m.def("measure_machine", &measure_machine, py::arg("threads"), py::call_guard<py::gil_scoped_release>());
    m.def("time_transforms", &time_transforms, py::arg("length"), py::arg("rows"), py::arg("batch"),
          py::call_guard<py::gil_scoped_release>());
}
