// The pixels of backprojection, in blocks small enough for one expansion of the delay: where they lie, which pulses see
// them, and what is exact about each pixel (in double) before the pulses' differences are summed in single precision.
#pragma once

#include "backproject/backproject_kernels.h"
#include "core/stage.h"
#include "focus/scene.h"

namespace sidelook
{

constexpr int block_pixels = max_block_lines * block_samples;
constexpr int block_planes = 11;  ///< those of PixelPlanes and the final factor's two
constexpr int block_floats = block_planes * block_pixels;

/// A block of pixels as the pulses see it. The reference is the (fractional) pulse that sees its centre at the
/// centroid.
struct PixelBlock {
    bool seen = false;
    int bank = 0;  ///< that the current pulses are read from
    Vec3 centre_m;
    double first_pulse = 0, last_pulse = 0;  ///< at the ends of the band, over all its pixels
    double delay_s = 0, centroid_hz = 0;     ///< of the centre, at the reference
    Vec3 slope;                              ///< c dd/dP there
    double inverse_range_per_m = 0;
    double radius_m = 0, extent_hz = 0;          ///< of the pixels around the centre, in place and in Doppler
    double first_delay_s = 0, last_delay_s = 0;  ///< of the pixels at the reference, from the centre's
};

class PixelBlocks
{
public:
    /// Pixels are the scene's zero-Doppler grid, or, where points.rows > 0, these ECEF points (m): rows of 3 x samples.
    /// Throws Error(bad_input) where points lie too far apart for even the smallest block.
    PixelBlocks(const Scene &scene, View2<const double> points, int threads);

    std::int64_t lines() const { return lines_; }
    std::int64_t samples() const { return samples_; }
    int block_lines() const { return block_lines_; }
    std::int64_t columns() const { return (samples_ + block_samples - 1) / block_samples; }
    double typical_way_s() const;
    const Orbit &orbit() const { return orbit_; }

    /// Fills a block's planes, sums set to 0 and the final factor to NaN where a pixel is not exposed.
    PixelBlock prepare(std::int64_t block_row, std::int64_t column, double fine_rate_hz, float *planes) const;
    /// Only which pulses see it.
    PixelBlock outline(std::int64_t block_row, std::int64_t column) const;

    static PixelPlanes planes(float *base);
    static float *factor(float *base) { return base + (block_planes - 2) * block_pixels; }

    Vec3 azimuth_axis(double time_s) const;

private:
    struct Place {
        Vec3 points[block_pixels];
        bool inside[block_pixels];
        bool any = false;
        double zero_doppler_s = 0;
    };
    void place(std::int64_t block_row, std::int64_t column, Place &out) const;
    /// Farthest pixel of any block of this many lines from its centre (m).
    double farthest(int block_lines, int threads) const;
    Sight seen(const Vec3 &p, double sent_s) const;
    double offset_hz(const Vec3 &p, double sent_s) const;
    bool solve(const Vec3 &p, double &sent_s, double &rate) const;
    double edge(const Vec3 &p, double offset_hz, double sent_s, double rate) const;
    PixelBlock outline(const Place &place, double &sent_s, double &rate) const;

    const Scene &scene_;
    const Orbit &orbit_;
    View2<const double> points_;
    std::int64_t lines_ = 0, samples_ = 0;
    int block_lines_ = max_block_lines;
};

}  // namespace sidelook
