// Reasons to doubt an object, and its place on the Earth.
#pragma once

#include <functional>
#include <vector>

#include "detect/hull.h"

namespace sidelook
{

/// Edge: the object touches the image's border or pixels without echo. Land: land lies within 80 m.
void flag_surroundings(const HullPatch &patch, View2<const std::uint8_t> land, std::int64_t lines, std::int64_t samples,
                       DetectedObject &object);

/// Land: also what hangs together with it, as breakwaters do, and groups as dense as only built-up shores are.
void flag_built_up(const IntensityImage &image, std::vector<DetectedObject> &objects);

/// Land: also objects that a chain of other bright spots, each within 50 m of the next, joins to land, as a
/// breakwater's blocks do. near_land tells whether there is land beside a box.
using NearLand = std::function<bool(Interval lines, Interval samples)>;
void flag_chained(const IntensityImage &image, const std::vector<Component> &found, const std::vector<Component> &faint,
                  const NearLand &near_land, std::vector<DetectedObject> &objects);

/// Azimuth ambiguities and side lobes of brighter objects.
void flag_ghosts(const IntensityImage &image, std::vector<DetectedObject> &objects);

/// Latitude, longitude and heading, where there is an orbit.
void locate(const IntensityImage &image, DetectedObject &object);

}  // namespace sidelook
