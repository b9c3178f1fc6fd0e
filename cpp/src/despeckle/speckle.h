// What a filter knows of the speckle.
#pragma once

namespace sidelook
{

struct SpeckleNumbers {
    float cu2 = 0;    ///< squared coefficient of variation of pure speckle
    float cmax2 = 0;  ///< from this squared coefficient of a window on, a pixel is kept as it is
    float looks = 0, damping = 0;
    // of lee_sigma: bounds of the range over the pixel's level, the squared coefficient of variation of the speckle
    // within it, and the level from which a pixel is bright
    float low = 0, high = 0, range_cu2 = 0, bright = 0;
};

}  // namespace sidelook
