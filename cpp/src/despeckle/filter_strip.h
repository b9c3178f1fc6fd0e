// What all the speckle filters' kernels are given: a part of a block that one thread filters.
#pragma once

#include <vector>

#include "core/isa.h"
#include "core/stage.h"
#include "despeckle/speckle.h"

namespace sidelook
{

enum class Filter : int {
    boxcar,
    lee,
    kuan,
    enhanced_lee,
    gamma_map,
    frost,
    median,
    refined_lee,
    refined_lee_local,
    lee_sigma,
};

/// Whether a filter is made of the moments of its whole window (moment_strip), or else looks at each pixel of it
/// (window_strip).
inline bool of_moments(Filter filter) { return filter <= Filter::frost; }

/// Pixels of a square window by their distance from its centre.
struct Distances {
    struct Ring {
        float distance;
        std::int32_t first, end;  ///< of its places
    };
    struct Place {
        std::int32_t row, column;  ///< of the window
    };
    std::vector<Ring> rings;  ///< from the centre outwards
    std::vector<Place> places;
};

struct FilterStrip {
    View2<const float> in;  ///< rows are lines `in_lines`
    Interval in_lines;
    View2<float> out;  ///< rows are lines `out_lines`, all samples
    Interval out_lines;
    Interval lines, samples;  ///< to be computed
    int window = 0;
    Filter filter = Filter::boxcar;
    SpeckleNumbers numbers;
    const Distances *distances = nullptr;  ///< of frost
    float nodata = 0;                      ///< pixels of this value are missing, as NaN is; NaN: only NaN
    char *workspace = nullptr;             ///< of the bytes that the kernel's strip_bytes function says
};

/// Least and greatest of the values that a kernel has read; missing ones left out, 0 among them.
struct ValueRange {
    float least = 0, greatest = 0;
};

SIDELOOK_FOR_EACH_ISA(ValueRange moment_strip(const FilterStrip &strip);
                      ValueRange window_strip(const FilterStrip &strip);
                      /// Workspace for a strip of so many samples.
                      std::int64_t moment_strip_bytes(int window, std::int64_t samples);
                      std::int64_t window_strip_bytes(int window);)

}  // namespace sidelook
