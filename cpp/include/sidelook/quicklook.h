// A small grey picture of an image: mean intensity of looks, in dB, 8 bit.
#pragma once

#include <cstdint>
#include <vector>

#include "sidelook/view.h"

namespace sidelook
{

/// Takes blocks of the image in any order and renders them; NaN pixels do not count.
class Quicklook
{
public:
    /// Throws Error(bad_input) for an empty image or looks below 1.
    Quicklook(std::int64_t lines, std::int64_t samples, std::int64_t looks_azimuth, std::int64_t looks_range);
    void add(std::int64_t first_line, std::int64_t first_sample, View2<const c64> block);
    void add(std::int64_t first_line, std::int64_t first_sample, View2<const float> block);  ///< of powers
    std::int64_t rows() const { return rows_; }
    std::int64_t cols() const { return cols_; }
    /// 1 to 255 from dark to bright (from the 1st percentile to the 99.7th, 20 dB at least); 0 where nothing was
    /// exposed.
    void render(View2<std::uint8_t> out) const;

private:
    template <class T> void take(std::int64_t first_line, std::int64_t first_sample, View2<const T> block);
    std::int64_t looks_azimuth_, looks_range_, rows_, cols_;
    std::vector<double> sum_;
    std::vector<std::int32_t> count_;
};

}  // namespace sidelook
