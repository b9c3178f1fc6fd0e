#include "sidelook/quicklook.h"

#include <algorithm>
#include <cmath>

#include "core/text.h"
#include "sidelook/error.h"

namespace sidelook
{

Quicklook::Quicklook(std::int64_t lines, std::int64_t samples, std::int64_t looks_azimuth, std::int64_t looks_range)
    : looks_azimuth_(looks_azimuth), looks_range_(looks_range)
{
    require(lines > 0 && samples > 0, text("image is ", lines, " x ", samples, "; must not be empty"));
    require(looks_azimuth > 0 && looks_range > 0,
            text("looks are ", looks_azimuth, " x ", looks_range, "; must be greater than 0"));
    rows_ = (lines + looks_azimuth - 1) / looks_azimuth;
    cols_ = (samples + looks_range - 1) / looks_range;
    sum_.assign(static_cast<std::size_t>(rows_ * cols_), 0);
    count_.assign(sum_.size(), 0);
}

static float power_of(c64 x) { return x.real() * x.real() + x.imag() * x.imag(); }
static float power_of(float x) { return x; }

template <class T> void Quicklook::take(std::int64_t first_line, std::int64_t first_sample, View2<const T> block)
{
    for (std::int64_t r = 0; r < block.rows; ++r) {
        const T *x = block.row(r);
        const std::int64_t row = (first_line + r) / looks_azimuth_ * cols_;
        for (std::int64_t c = 0; c < block.cols; ++c) {
            const float power = power_of(x[c]);
            if (std::isnan(power)) continue;
            const auto k = static_cast<std::size_t>(row + (first_sample + c) / looks_range_);
            sum_[k] += static_cast<double>(power);
            count_[k] += 1;
        }
    }
}

void Quicklook::add(std::int64_t first_line, std::int64_t first_sample, View2<const c64> block)
{
    take(first_line, first_sample, block);
}

void Quicklook::add(std::int64_t first_line, std::int64_t first_sample, View2<const float> block)
{
    take(first_line, first_sample, block);
}

void Quicklook::render(View2<std::uint8_t> out) const
{
    require(out.rows == rows_ && out.cols == cols_,
            text("quicklook is ", out.rows, " x ", out.cols, "; must be ", rows_, " x ", cols_));
    std::vector<float> db;
    for (std::size_t k = 0; k < sum_.size(); ++k)
        if (count_[k] > 0 && sum_[k] > 0) db.push_back(static_cast<float>(10 * std::log10(sum_[k] / count_[k])));
    float dark = 0, bright = 1;
    if (!db.empty()) {
        const auto at = [&](double share) {
            const auto place = db.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(db.size() - 1));
            std::nth_element(db.begin(), place, db.end());
            return *place;
        };
        // From the darkest hundredth to what only one in 300 exceeds; 20 dB at least, so that noise stays dark and
        // speckle soft.
        dark = at(0.01);
        bright = at(0.997);
        if (bright - dark < 20) dark = bright - 20;
    }
    for (std::int64_t r = 0; r < rows_; ++r)
        for (std::int64_t c = 0; c < cols_; ++c) {
            const auto k = static_cast<std::size_t>(r * cols_ + c);
            double level = 0;  // not exposed: 0, and 0 only there
            if (count_[k] > 0) {
                const double value = sum_[k] > 0 ? 10 * std::log10(sum_[k] / count_[k]) : dark;
                level = 1 + 254 * std::clamp((value - static_cast<double>(dark)) / static_cast<double>(bright - dark),
                                             0.0, 1.0);
            }
            out(r, c) = static_cast<std::uint8_t>(std::lround(level));
        }
}

}  // namespace sidelook
