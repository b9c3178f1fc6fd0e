// What the binding files share: one function a room, called by module.cpp.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "sidelook/acquisition.h"
#include "sidelook/error.h"
#include "sidelook/view.h"

namespace py = pybind11;

void bind_acquisition(py::module_ &m);
void bind_device(py::module_ &m);
void bind_decode(py::module_ &m);
void bind_geometry(py::module_ &m);
void bind_simulate(py::module_ &m);
void bind_focus(py::module_ &m);
void bind_radiometry(py::module_ &m);
void bind_despeckle(py::module_ &m);
void bind_measure(py::module_ &m);
void bind_detect(py::module_ &m);
void bind_stages(py::module_ &m);

/// A C-contiguous array of exactly dtype T; anything else is refused by name instead of being converted.
template <class T> using array_in = py::array_t<T, py::array::c_style>;
