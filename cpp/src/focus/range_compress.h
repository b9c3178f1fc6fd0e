// range_compress: echoes [pulse][sample] -> compressed lines [pulse][sample'], finer by `oversampling`, target peaks at
// the delay of their pulse's centre, unit echo amplitude -> unit peak. Line by line; the reach is the line itself.
//
// The filter is the inverse of the chirp's spectrum, weighted by the range window over the processed band, so that the
// result's spectrum is the window itself and not the window times Fresnel ripples. It also removes, at one reference
// (the strip's middle range and Doppler), the chirp's Doppler shift and the whole secondary range compression (Cumming
// & Wong 2005, section 6.5); what is left of both away from the reference is small and is removed by azimuth_compress.
#pragma once

#include <memory>
#include <vector>

#include "core/stage.h"
#include "focus/scene.h"

namespace sidelook
{

/// Where a strip's compressed lines lie, and the reference that the range filter has already corrected.
struct CompressedGrid {
    Interval samples_in;       ///< of the echo lines
    std::int64_t samples = 0;  ///< of a compressed line
    double first_delay_s = 0;
    double sample_rate_hz = 0;
    double reference_doppler_hz = 0;
    double reference_curvature = 0;  ///< (cycles/Hz^2) quadratic phase already removed
    double band = 0;                 ///< half width of the spectrum, cycles a compressed sample
};

class RangeCompress final : public LineStage<c64, c64>
{
public:
    /// For output samples `out` of the scene's image.
    RangeCompress(const Scene &scene, Interval out);

    const char *name() const override { return "range_compress"; }
    std::int64_t samples_in() const override { return grid_.samples_in.size(); }
    std::int64_t samples_out() const override { return grid_.samples; }
    std::int64_t workspace_bytes(std::int64_t out_lines, int threads) const override;
    void compute(View2<const c64> in, Interval in_lines, View2<c64> out, Interval out_lines, int threads,
                 Workspace &workspace) const override;

    const CompressedGrid &grid() const { return grid_; }
    std::int64_t fft_length() const { return fft_in_; }
    std::int64_t inverse_fft_length() const { return fft_out_; }
    /// Mean power of what white noise of power 1 becomes.
    double noise_gain() const;

private:
    const Scene &scene_;
    CompressedGrid grid_;
    std::int64_t fft_in_ = 0, fft_out_ = 0;
    std::int64_t skip_ = 0;    // compressed samples before the first that is kept
    std::int64_t half_ = 0;    // filter bins -half_..half_
    std::vector<c64> filter_;  // index half_ + bin
};

}  // namespace sidelook
