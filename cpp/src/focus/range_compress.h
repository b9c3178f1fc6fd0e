// range_compress: echoes [pulse][sample] -> compressed lines [pulse][sample'], finer by `oversampling`, target peaks at
// the delay of their pulse's centre, unit echo amplitude -> unit peak. Line by line; the reach is the line itself.
//
// The filter is the inverse of the chirp's spectrum, weighted by the range window over the processed band, so that the
// result's spectrum is the window itself and not the window times Fresnel ripples. It also removes, at one reference
// (the strip's middle range and Doppler), the chirp's Doppler shift and the whole secondary range compression (Cumming
// & Wong 2005, section 6.5); what is left of both away from the reference is small and is removed by azimuth_compress.
//
// CPU. Twin: range_compress.cu
#pragma once

#include <memory>

#include "core/stage.h"
#include "focus/range_plan.h"

namespace sidelook
{

class RangeCompress final : public LineStage<c64, c64>
{
public:
    /// For output samples `out` of the scene's image.
    RangeCompress(const Scene &scene, Interval out);

    const char *name() const override { return "range_compress"; }
    std::int64_t samples_in() const override { return plan_->grid().samples_in.size(); }
    std::int64_t samples_out() const override { return plan_->grid().samples; }
    std::int64_t workspace_bytes(std::int64_t out_lines, int threads) const override;
    void compute(View2<const c64> in, Interval in_lines, View2<c64> out, Interval out_lines, int threads,
                 Workspace &workspace) const override;

    const CompressedGrid &grid() const { return plan_->grid(); }
    const std::shared_ptr<const RangePlan> &plan() const { return plan_; }

private:
    std::shared_ptr<const RangePlan> plan_;
};

/// Makes the CUDA twin, by the same plan; null where this program has none. Set by range_compress.cu.
extern std::unique_ptr<Stage> (*make_range_compress_cuda)(std::shared_ptr<const RangePlan> plan);

}  // namespace sidelook
