// Cuts through a peak: the direction of the side lobes, widths, side-lobe ratios.
#pragma once

#include "measure/patch.h"
#include "sidelook/measure.h"

namespace sidelook::measure
{

constexpr double side_lobe_widths = 10;  ///< side lobes count out to this many widths from the peak

/// The peak of a patch and which image axis a cut follows.
struct Line {
    const Patch &patch;
    double row, col;  ///< of the peak, relative to the patch's centre
    bool azimuth;     ///< true: offsets count rows and slope is columns per row; false: the other way round
    double slope;

    c128 value(double offset) const
    {
        return azimuth ? patch.value(row + offset, col + slope * offset)
                       : patch.value(row + slope * offset, col + offset);
    }
    double power(double offset) const { return std::norm(value(offset)); }
};

/// Full width at half power. Throws Error if the response does not fall to half within the patch's flat part.
double half_power_width(const Line &line);

/// Slope that holds most energy from 1.5 to 10 widths on both sides, searched up to 45 degrees in units of the widths
/// `irw` (this axis) and `irw_other`. The response is a product of one factor along each ridge; points are taken where
/// this axis's factor does not change with the slope, which the other ridge's slope tells. False in `stands_out`, and
/// 0, if no slope holds clearly more than the rest.
double ridge_slope(Line line, double irw, double irw_other, double other_slope, bool &stands_out);

/// Nulls, PSLR, ISLR and the sampled cut; line.patch must be flat out to 10 irw_samples.
PointCut analyse(const Line &line, double irw_samples, int oversampling);

}  // namespace sidelook::measure
