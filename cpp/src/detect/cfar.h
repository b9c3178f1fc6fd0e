// cfar: intensity [line][sample] f32, linear -> test ratio [line][sample] f32, 1 at the threshold, NaN where there is
// no test. The reach is half the training window.
//
// CPU. Twin: cfar.cu
#pragma once

#include <memory>

#include "core/stage.h"
#include "detect/cfar_plan.h"
#include "sidelook/device.h"

namespace sidelook
{

class Cfar final : public TypedStage<float, float>
{
public:
    explicit Cfar(CfarParameters parameters) : Cfar(std::make_shared<const CfarPlan>(std::move(parameters))) {}
    explicit Cfar(std::shared_ptr<const CfarPlan> plan) : plan_(std::move(plan)) {}

    const char *name() const override { return "cfar"; }
    std::int64_t samples_in() const override { return plan_->parameters().samples; }
    std::int64_t samples_out() const override { return plan_->parameters().samples; }
    Interval lines_out(Interval lines_in) const override { return lines_in; }
    Interval reach(Interval out) const override { return plan_->reach(out); }
    std::int64_t workspace_bytes(std::int64_t out_lines, int threads) const override;
    void compute(View2<const float> in, Interval in_lines, View2<float> out, Interval out_lines, int threads,
                 Workspace &workspace) const override;

private:
    std::shared_ptr<const CfarPlan> plan_;
};

/// Makes the CUDA twin, by the same plan; null where this program has none. Set by cfar.cu.
extern std::unique_ptr<Stage> (*make_cfar_cuda)(std::shared_ptr<const CfarPlan> plan);

/// The implementation of this device, which has been found to be there.
std::unique_ptr<Stage> make_cfar(Device device, CfarParameters parameters);

}  // namespace sidelook
