// Reasons to doubt an object, and its place on the Earth.
#pragma once

#include "detect/hull.h"

namespace sidelook
{

/// Edge: the object touches the image's border or pixels without echo. Land: land lies within 80 m.
void flag_surroundings(const HullPatch &patch, View2<const std::uint8_t> land, std::int64_t lines, std::int64_t samples,
                       DetectedObject &object);

/// Land: also what hangs together with it, as breakwaters do, and groups as dense as only built-up shores are.
void flag_built_up(const IntensityImage &image, std::vector<DetectedObject> &objects);

/// Azimuth ambiguities and side lobes of brighter objects.
void flag_ghosts(const IntensityImage &image, std::vector<DetectedObject> &objects);

/// Latitude, longitude and heading, where there is an orbit.
void locate(const IntensityImage &image, DetectedObject &object);

}  // namespace sidelook
