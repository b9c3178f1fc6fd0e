// What all the speckle filters' kernels are given: a part of a block that one thread filters.
#pragma once

#include "core/isa.h"
#include "core/stage.h"
#include "despeckle/speckle.h"

namespace sidelook
{

enum class Filter : int { boxcar, lee, kuan, enhanced_lee, gamma_map };

struct FilterStrip {
    View2<const float> in;  ///< rows are lines `in_lines`
    Interval in_lines;
    View2<float> out;  ///< rows are lines `out_lines`, all samples
    Interval out_lines;
    Interval lines, samples;  ///< to be computed
    int window = 0;
    Filter filter = Filter::boxcar;
    SpeckleNumbers numbers;
    float nodata = 0;           ///< pixels of this value are missing, as NaN is; NaN: only NaN
    char *workspace = nullptr;  ///< of the bytes that the kernel's strip_bytes function says
};

/// Least and greatest of the values that a kernel has read; missing ones left out, 0 among them.
struct ValueRange {
    float least = 0, greatest = 0;
};

SIDELOOK_FOR_EACH_ISA(
    /// boxcar to gamma_map: what is made of the moments of a window.
    ValueRange moment_strip(const FilterStrip &strip);
    /// Workspace for a strip of so many samples.
    std::int64_t moment_strip_bytes(int window, std::int64_t samples);)

}  // namespace sidelook
