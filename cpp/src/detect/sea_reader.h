// The image with its land taken out.
#pragma once

#include <algorithm>
#include <limits>

#include "core/memory.h"
#include "core/stage.h"
#include "detect/cfar_math.h"
#include "sidelook/detect.h"

namespace sidelook
{

/// Reads intensity: NaN where the mask or, once it is known, the scene's own land is.
class SeaReader
{
public:
    SeaReader(const IntensityReader &read, const MaskReader &mask, const DetectReport &report)
        : read_(read), mask_(mask), report_(report)
    {
    }
    /// Fills both views, land with 0 and 1. Returns how many pixels of the patch are land.
    std::int64_t get(std::int64_t line, std::int64_t sample, View2<float> out, View2<std::uint8_t> land) const
    {
        read_(line, sample, out);
        return take_out(line, sample, out, land);
    }
    /// Whether there is land in a patch of the image.
    bool land_in(Interval lines, Interval samples, Interval all_lines, Interval all_samples) const
    {
        const Interval l = intersection(lines, all_lines), s = intersection(samples, all_samples);
        const Buffer<float> values(l.size() * s.size());
        const Buffer<std::uint8_t> dry(l.size() * s.size());
        const View2<float> v(values.data(), l.size(), s.size());
        return take_out(l.first, s.first, v, {dry.data(), l.size(), s.size()}) > 0;
    }

private:
    std::int64_t take_out(std::int64_t line, std::int64_t sample, View2<float> out, View2<std::uint8_t> land) const
    {
        std::int64_t count = 0;
        if (mask_) mask_(line, sample, land);
        for (std::int64_t r = 0; r < out.rows; ++r) {
            const std::uint8_t *cells = report_.land_cells.empty()
                                            ? nullptr
                                            : report_.land_cells.data() + (line + r) / cfar_cell * report_.land_cols;
            for (std::int64_t c = 0; c < out.cols; ++c) {
                bool dry = mask_ && land(r, c) != 0;
                if (cells) dry |= cells[(sample + c) / cfar_cell] != 0;
                land(r, c) = dry;
                if (!dry) continue;
                out(r, c) = std::numeric_limits<float>::quiet_NaN();
                ++count;
            }
        }
        return count;
    }
    const IntensityReader &read_;
    const MaskReader &mask_;
    const DetectReport &report_;
};

}  // namespace sidelook
