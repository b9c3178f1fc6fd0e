// despeckle: image [line][sample] f32 -> the same, filtered. NaN stays where it was, and nowhere else.
#pragma once

#include <utility>

#include "core/stage.h"
#include "despeckle/methods.h"

namespace sidelook
{

class Despeckle final : public TypedStage<float, float>
{
public:
    Despeckle(std::int64_t samples, Method method) : samples_(samples), method_(std::move(method)) {}

    const char *name() const override { return "despeckle"; }
    std::int64_t samples_in() const override { return samples_; }
    std::int64_t samples_out() const override { return samples_; }
    Interval lines_out(Interval lines_in) const override { return lines_in; }
    Interval reach(Interval out) const override
    {
        return {out.first - method_.window / 2, out.end + method_.window / 2};
    }
    std::int64_t workspace_bytes(std::int64_t out_lines, int threads) const override;
    /// Throws Error(bad_input) for pixels that are negative or too large.
    void compute(View2<const float> in, Interval in_lines, View2<float> out, Interval out_lines, int threads,
                 Workspace &workspace) const override;

    void set_bright_level(float level) { method_.numbers.bright = level; }

private:
    std::int64_t strip_bytes() const;
    std::int64_t samples_;
    Method method_;
};

}  // namespace sidelook
