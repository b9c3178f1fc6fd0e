// backproject: echoes [pulse][sample] -> image [line][sample], on the zero-Doppler grid or at given points. Every pulse
// within the band of a pixel is compressed in range, read at the pixel's delay, turned by its phase, weighted and
// added. The reach is the pulses that a block of lines is seen by.
//
// The image is cut into blocks of at most 16 x 16 pixels that are anchored to the grid, pulses into groups that are
// anchored to the record: a pixel's arithmetic depends neither on threads nor on how lines are cut into calls.
#pragma once

#include <array>
#include <functional>

#include "backproject/pixel_blocks.h"
#include "backproject/pulse_compress.h"

namespace sidelook
{

/// A function as parabolas around equidistant knots, for the weights of many pulses.
class Parabolas
{
public:
    Parabolas(double first, double last, const std::function<double(double)> &f);
    /// Value, slope and half the curvature at x; beyond the ends those of the end's parabola.
    void at(double x, double (&out)[3]) const;

private:
    static constexpr int knots = 1024;
    double first_, step_;
    std::vector<std::array<double, 3>> knots_;
};

class Backproject final : public TypedStage<c64, c64>
{
public:
    /// `points` as for PixelBlocks; they must outlive the stage.
    Backproject(const Scene &scene, View2<const double> points, int threads);

    const char *name() const override { return "backproject"; }
    std::int64_t samples_in() const override { return scene_.acquisition().samples; }
    std::int64_t samples_out() const override { return blocks_.samples(); }
    Interval lines_out(Interval) const override { return {0, blocks_.lines()}; }
    Interval reach(Interval out) const override;
    std::int64_t workspace_bytes(std::int64_t out_lines, int threads) const override;
    void compute(View2<const c64> in, Interval in_lines, View2<c64> out, Interval out_lines, int threads,
                 Workspace &workspace) const override;

    const PixelBlocks &blocks() const { return blocks_; }
    const PulseCompress &compression() const { return compress_; }
    /// Pixels times the pulses that are added to each: of the whole image.
    double pixel_pulses() const;

private:
    std::int64_t shared_samples(std::int64_t blocks) const;
    int terms(const PixelBlock &block, const PulseTracks<pulse_group> &tracks, Interval pulses, std::int64_t group,
              const c64 *lines, PulseTerms *out) const;

    const Scene &scene_;
    PixelBlocks blocks_;
    PulseCompress compress_;
    PulseScales scales_{};
    Parabolas window_, equaliser_;
    double equaliser_scale_ = 0;        // argument of the antenna's sinc for off_axis = 1; 0: no pattern
    std::vector<Interval> row_pulses_;  // of each row of blocks
};

}  // namespace sidelook
