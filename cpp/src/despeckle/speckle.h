// What a filter knows of the speckle.
#pragma once

namespace sidelook
{

struct SpeckleNumbers {
    float cu2 = 0;    ///< squared coefficient of variation of pure speckle
    float cmax2 = 0;  ///< from this squared coefficient of a window on, a pixel is kept as it is
    float looks = 0, damping = 0;
};

}  // namespace sidelook
