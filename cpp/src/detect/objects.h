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

}  // namespace sidelook
