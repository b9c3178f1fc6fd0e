// The plan of cfar, one for all its implementations: what it must know of the scene, checked. What is done to a pixel
// is in cfar_math.h.
#pragma once

#include <vector>

#include "core/stage.h"
#include "sidelook/detect.h"

namespace sidelook
{

struct CfarParameters {
    std::int64_t samples = 0;
    CfarWindows windows;
    double least_training = 0.25;  ///< share of the training ring that must be valid
    std::vector<float> threshold;  ///< [sample], over the mean of the ring
    std::vector<float> level;      ///< clutter map, [row][column] of cells of 16 x 16 pixels
    std::int64_t level_rows = 0, level_cols = 0;
    double clip = 12;  ///< times the level: brighter pixels do not train
};

class CfarPlan
{
public:
    explicit CfarPlan(CfarParameters parameters);

    const CfarParameters &parameters() const { return p_; }
    /// Half the training window on all sides.
    Interval reach(Interval out) const;
    /// Training values without which there is no ratio.
    float least() const { return least_; }
    /// Training values are multiples of it: a power of two.
    float quantum() const { return quantum_; }

private:
    CfarParameters p_;
    float least_ = 0, quantum_ = 0;
};

/// Throws Error(bad_input) unless the windows are odd, the guard inside the training window and that inside the image.
void check_windows(const CfarWindows &windows, std::int64_t lines, std::int64_t samples);

}  // namespace sidelook
