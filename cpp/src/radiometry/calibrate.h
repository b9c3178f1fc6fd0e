// calibrate: powers [line][sample] f32 -> backscatter [line][sample] f32: a factor a pixel, and noise taken away.
#pragma once

#include <vector>

#include "core/stage.h"
#include "sidelook/radiometry.h"

namespace sidelook
{

/// A FactorGrid made ready: its values at every sample, for each of its lines.
class FactorRows
{
public:
    /// `name` is used in the sentences. Throws Error(bad_input).
    FactorRows(const char *name, const FactorGrid &grid, std::int64_t samples);

    /// Values of a line are low + t (high - low).
    struct Row {
        const float *low = nullptr, *high = nullptr;
        float t = 0;
    };
    Row at(std::int64_t line) const;
    bool empty() const { return rows_.empty(); }
    std::int64_t bytes() const { return static_cast<std::int64_t>(rows_.size() * sizeof(float)); }

private:
    std::vector<double> lines_;
    std::int64_t samples_;
    std::vector<float> rows_;
};

class Calibrate final : public LineStage<float, float>
{
public:
    /// Throws Error(bad_input) for grids that break a rule.
    Calibrate(std::int64_t samples, const FactorGrid &factor, bool divide_by_square, const FactorGrid &noise);

    const char *name() const override { return "calibrate"; }
    std::int64_t samples_in() const override { return samples_; }
    std::int64_t samples_out() const override { return samples_; }
    std::int64_t workspace_bytes(std::int64_t, int) const override { return factor_.bytes() + noise_.bytes(); }
    void compute(View2<const float> in, Interval in_lines, View2<float> out, Interval out_lines, int threads,
                 Workspace &workspace) const override;

private:
    std::int64_t samples_;
    FactorRows factor_, noise_;
    bool divide_by_square_;
};

}  // namespace sidelook
