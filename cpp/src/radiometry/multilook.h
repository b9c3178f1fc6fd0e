// multilook: lines [line][sample] of c64 or of powers f32 -> cells [line'][sample'], the mean over looks.azimuth x
// looks.range pixels. NaN is left out; a cell with less than half of its pixels is NaN.
#pragma once

#include "core/stage.h"
#include "radiometry/look_kernels.h"
#include "sidelook/radiometry.h"

namespace sidelook
{

template <class In, class Out> class Multilook final : public TypedStage<In, Out>
{
public:
    /// Throws Error(bad_input) for looks that do not fit the image.
    Multilook(std::int64_t lines, std::int64_t samples, Looks looks);

    const char *name() const override { return "multilook"; }
    std::int64_t samples_in() const override { return samples_; }
    std::int64_t samples_out() const override { return samples_ / looks_.range; }
    Interval lines_out(Interval in) const override { return {in.first / looks_.azimuth, in.end / looks_.azimuth}; }
    Interval reach(Interval out) const override { return {out.first * looks_.azimuth, out.end * looks_.azimuth}; }
    std::int64_t workspace_bytes(std::int64_t out_lines, int threads) const override;
    void compute(View2<const In> in, Interval in_lines, View2<Out> out, Interval out_lines, int threads,
                 Workspace &workspace) const override;

private:
    std::int64_t tile_cells() const;
    std::int64_t samples_;
    Looks looks_;
};

extern template class Multilook<c64, float>;
extern template class Multilook<c64, c64>;
extern template class Multilook<float, float>;

}  // namespace sidelook
