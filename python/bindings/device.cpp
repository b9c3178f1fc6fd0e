// Devices: where stages compute, what there is, and the test of CUDA implementations against their twins.
#include "sidelook/device.h"

#include "bindings.h"

using namespace sidelook;

void bind_device(py::module_ &m)
{
    py::enum_<Device>(m, "Device").value("cpu", Device::cpu).value("cuda", Device::cuda);
    py::class_<CudaDevice>(m, "CudaDevice")
        .def_readonly("name", &CudaDevice::name)
        .def_readonly("major", &CudaDevice::major)
        .def_readonly("minor", &CudaDevice::minor)
        .def_readonly("memory_bytes", &CudaDevice::memory_bytes);
    m.def("cuda_devices", &cuda_devices);
    py::class_<SelftestResult>(m, "SelftestResult")
        .def_readonly("stage", &SelftestResult::stage)
        .def_readonly("largest_error", &SelftestResult::largest_error)
        .def_readonly("tolerance", &SelftestResult::tolerance)
        .def_readonly("cpu_seconds", &SelftestResult::cpu_seconds)
        .def_readonly("cuda_seconds", &SelftestResult::cuda_seconds)
        .def_readonly("passed", &SelftestResult::passed);
    m.def("cuda_selftest", &cuda_selftest, py::call_guard<py::gil_scoped_release>());
}
