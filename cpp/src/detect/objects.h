// From components to measured objects.
#pragma once

#include <functional>
#include <vector>

#include "detect/components.h"
#include "detect/sea_reader.h"

namespace sidelook
{

/// Measures every component, the largest first. A smaller one whose middle lies inside a measured hull is a fragment of
/// it and is joined. `found` comes back as the components of the objects, in their order.
std::vector<DetectedObject> measure_objects(const IntensityImage &image, const DetectOptions &options,
                                            const DetectReport &report, const SeaReader &reader,
                                            std::vector<Component> &found, const std::function<void(double)> &progress);

/// Whether an object is brighter than clutter ever is, or shows a hull. Where the resolution is coarser than ships all
/// objects are confirmed.
bool is_confirmed(const IntensityImage &image, const DetectReport &report, const DetectedObject &object);

}  // namespace sidelook
