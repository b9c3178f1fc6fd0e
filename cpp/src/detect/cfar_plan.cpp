#include "detect/cfar_plan.h"

#include <algorithm>
#include <cmath>

#include "core/text.h"
#include "detect/cfar_math.h"
#include "sidelook/error.h"

namespace sidelook
{

void check_windows(const CfarWindows &w, std::int64_t lines, std::int64_t samples)
{
    require(w.training >= 9 && w.training <= 65 && w.training % 2 == 1,
            text("training is ", w.training, "; must be odd and lie between 9 and 65"));
    require(w.guard >= 1 && w.guard % 2 == 1, text("guard is ", w.guard, "; must be odd and at least 1"));
    require(w.guard < w.training, text("guard is ", w.guard, "; must be less than training, which is ", w.training));
    require(w.training <= lines && w.training <= samples,
            text("training is ", w.training, "; must not exceed the image, ", lines, " lines x ", samples, " samples"));
}

CfarPlan::CfarPlan(CfarParameters parameters) : p_(std::move(parameters))
{
    check_windows(p_.windows, p_.windows.training, p_.samples);
    require(p_.least_training > 0 && p_.least_training <= 1,
            text("least_training is ", p_.least_training, "; must lie above 0 and not above 1"));
    require(p_.clip >= 1 && p_.clip <= 1e6, text("clip is ", p_.clip, "; must lie between 1 and 1e6"));
    require(static_cast<std::int64_t>(p_.threshold.size()) == p_.samples,
            text("threshold has ", p_.threshold.size(), " values; must have one a sample, ", p_.samples));
    require(p_.level_rows > 0 && p_.level_cols > 0 &&
                static_cast<std::int64_t>(p_.level.size()) == p_.level_rows * p_.level_cols,
            text("level has ", p_.level.size(), " cells; must have ", p_.level_rows, " x ", p_.level_cols));
    const double w = p_.windows.training, g = p_.windows.guard;
    least_ = static_cast<float>(std::ceil(p_.least_training * (w * w - g * g)));
    float largest = 0;
    for (const float level : p_.level) {
        require(level >= 0 && std::isfinite(level), text("level is ", level, "; must be finite and not negative"));
        largest = std::max(largest, level);
    }
    int exponent = 0;
    std::frexp(largest * static_cast<float>(p_.clip), &exponent);  // below 2^exponent
    // 2^115: a sum over the largest window is a float yet
    require(exponent > -80 && exponent <= 115,
            text("level is ", largest, ", times clip, which is ", p_.clip, "; must lie between 1e-24 and 4e34"));
    quantum_ = std::ldexp(1.0f, exponent - cfar_fraction_bits);
}

Interval CfarPlan::reach(Interval out) const
{
    const std::int64_t half = p_.windows.training / 2;
    return {out.first - half, out.end + half};
}

}  // namespace sidelook
