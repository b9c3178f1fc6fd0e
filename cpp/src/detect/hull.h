// From an object's pixels to the ship: centre, length, width, heading, cross-section.
#pragma once

#include "detect/components.h"
#include "sidelook/detect.h"

namespace sidelook
{

/// A piece of the image around an object, and what is known there.
struct HullPatch {
    View2<const float> intensity;
    View2<const std::uint8_t> object;  ///< 1: this object's pixels, 2: another's
    std::int64_t first_line = 0, first_sample = 0;
    double azimuth_spacing_m = 0, ground_range_spacing_m = 0;
    double azimuth_resolution_m = 0, ground_range_resolution_m = 0;
    double cotangent = 0;   ///< of the incidence angle: metres towards the radar a metre of height
    double looks = 1;       ///< independent ones of a pixel
    double grow_ratio = 0;  ///< pixel over clutter to which objects grow
};

/// Fills everything of the object but flags, box, pixels and place on the Earth.
void measure_hull(const HullPatch &patch, DetectedObject &object);

}  // namespace sidelook
