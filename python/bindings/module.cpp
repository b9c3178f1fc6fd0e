// Table of contents of sidelook._native.
#include "bindings.h"

PYBIND11_MODULE(_native, m)
{
    m.doc() = "Native core of sidelook: arrays in, arrays out, no files.";

    static PyObject *error = PyErr_NewException("sidelook._native.NativeError", PyExc_Exception, nullptr);
    m.attr("NativeError") = py::handle(error);
    py::register_exception_translator([](std::exception_ptr p) {
        try {
            if (p) std::rethrow_exception(p);
        } catch (const sidelook::Error &e) {
            // args = (exit code, sentence); python/sidelook/errors.py gives it its public face
            py::tuple args = py::make_tuple(static_cast<int>(e.code()), e.what());
            PyErr_SetObject(error, args.ptr());
        }
    });

    bind_acquisition(m);
    bind_device(m);
    bind_decode(m);
    bind_geometry(m);
    bind_simulate(m);
    bind_focus(m);
    bind_radiometry(m);
    bind_despeckle(m);
    bind_measure(m);
    bind_detect(m);
    bind_stages(m);
}
