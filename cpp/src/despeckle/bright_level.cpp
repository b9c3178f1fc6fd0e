// The level of bright targets: a percentile of the scene from fixed bins and whole numbers, so that it is the same in
// whatever order lines come.
#include <cmath>
#include <cstring>
#include <limits>

#include "sidelook/despeckle.h"

namespace sidelook
{

// A positive float's bits are its exponent, then its mantissa: without the last 15 they count bins of 1/256 to 1/512 of
// their values.
static constexpr int dropped_bits = 15;
static constexpr double share_below = 0.98;  // Lee et al. (2009)

BrightLevel::BrightLevel() : bins_(std::size_t{1} << (31 - dropped_bits), 0) {}

void BrightLevel::add(View2<const float> lines, double nodata)
{
    const auto none = static_cast<float>(nodata);
    for (std::int64_t r = 0; r < lines.rows; ++r)
        for (const float *x = lines.row(r), *end = x + lines.cols; x < end; ++x) {
            if (!(*x >= 0) || *x == none) continue;
            const float value = *x + 0.0f;  // -0 becomes 0
            std::uint32_t bits = 0;
            std::memcpy(&bits, &value, sizeof bits);
            ++bins_[bits >> dropped_bits];
        }
}

double BrightLevel::value() const
{
    std::int64_t total = 0, below = 0;
    for (const std::int64_t n : bins_) total += n;
    const auto wanted = static_cast<std::int64_t>(std::ceil(share_below * static_cast<double>(total)));
    if (total == 0) return std::numeric_limits<double>::infinity();
    std::uint32_t bin = 0;
    while (below + bins_[bin] < wanted) below += bins_[bin++];
    const std::uint32_t bits = bin << dropped_bits;
    float level = 0;
    std::memcpy(&level, &bits, sizeof level);
    return static_cast<double>(level);
}

}  // namespace sidelook
