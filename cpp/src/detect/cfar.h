// The stage cfar: intensity to test ratio. Twin of its arithmetic: cfar_math.h.
#pragma once

#include <vector>

#include "core/stage.h"
#include "sidelook/detect.h"

namespace sidelook
{

/// What the stage needs to know of the scene.
struct CfarParameters {
    std::int64_t samples = 0;
    CfarWindows windows;
    double least_training = 0.25;  ///< share of the training ring that must be valid
    std::vector<float> threshold;  ///< [sample], over the mean of the ring
    std::vector<float> level;      ///< clutter map, [row][column] of cells of 16 x 16 pixels
    std::int64_t level_rows = 0, level_cols = 0;
    double clip = 12;  ///< times the level: brighter pixels do not train
};

class Cfar : public TypedStage<float, float>
{
public:
    explicit Cfar(CfarParameters parameters);
    const char *name() const override { return "cfar"; }
    std::int64_t samples_in() const override { return p_.samples; }
    std::int64_t samples_out() const override { return p_.samples; }
    Interval lines_out(Interval lines_in) const override { return lines_in; }
    Interval reach(Interval out) const override { return {out.first - half_, out.end + half_}; }
    std::int64_t workspace_bytes(std::int64_t out_lines, int threads) const override;
    void compute(View2<const float> in, Interval in_lines, View2<float> out, Interval out_lines, int threads,
                 Workspace &workspace) const override;

private:
    CfarParameters p_;
    std::int64_t half_ = 0;
    float least_ = 0, quantum_ = 0;
};

/// Throws Error(bad_input) unless the windows are odd, the guard inside the training window and that inside the image.
void check_windows(const CfarWindows &windows, std::int64_t lines, std::int64_t samples);

}  // namespace sidelook
