// azimuth_compress: compressed lines [pulse][sample'] -> zero-Doppler image [line][sample], NaN where not fully
// exposed.
//
// Range by range tile (256 samples), each tile through: transpose; transform along azimuth; range migration by
// resampling across range for each Doppler, with the residual secondary range compression in the same taps, the azimuth
// phase of each range exact; inverse transform; resampling along azimuth, which undoes the drift of position and focus
// away from the block's middle (the orbit is no straight line, and under squint zero Doppler lies seconds away from the
// echoes).
#pragma once

#include "core/stage.h"
#include "focus/range_compress.h"
#include "focus/resampler.h"
#include "focus/scene.h"

namespace sidelook
{

class AzimuthCompress final : public TypedStage<c64, c64>
{
public:
    /// For output samples `out` of the scene's image, computed in blocks of at most `block_lines` lines.
    AzimuthCompress(const Scene &scene, const CompressedGrid &in, Interval out, std::int64_t block_lines);

    const char *name() const override { return "azimuth_compress"; }
    Interval lines_out(Interval) const override { return {0, scene_.grid().lines}; }
    Interval reach(Interval out) const override;
    std::int64_t block_lines() const override { return block_lines_; }
    std::int64_t samples_in() const override { return in_.samples; }
    std::int64_t samples_out() const override { return out_.size(); }
    std::int64_t workspace_bytes(std::int64_t out_lines, int threads) const override;
    void compute(View2<const c64> in, Interval in_lines, View2<c64> out, Interval out_lines, int threads,
                 Workspace &workspace) const override;

    std::int64_t fft_length() const { return fft_; }
    std::int64_t tile_rows() const { return tile_rows_; }
    /// Pulses beyond a block's lines that its computation needs.
    std::int64_t overlap_pulses() const { return overlap_; }
    /// Largest residual quadratic phase (rad) that the taps had to take in a probe of the strip; the planner keeps it
    /// small.
    double worst_beta() const { return worst_beta_; }

    static constexpr std::int64_t tile_samples = 256;

private:
    struct Tile;
    Tile plan_tile(Interval samples, Interval lines) const;
    Interval tile_pulses(const Tile &tile, std::int64_t lines) const;
    void load(const Tile &tile, View2<const c64> in, Interval in_lines, View2<c64> block) const;
    void migrate(const Tile &tile, View2<const c64> block, View2<c64> image) const;
    void finish(const Tile &tile, View2<const c64> image, View2<c64> lines, View2<c64> out, Interval out_lines) const;

    const Scene &scene_;
    CompressedGrid in_;
    Interval out_;
    std::int64_t block_lines_, fft_ = 0, overlap_ = 0, tile_rows_ = 0;
    double worst_beta_ = 0, block_beta_ = 0;
    Resampler range_taps_, azimuth_taps_;
};

}  // namespace sidelook
