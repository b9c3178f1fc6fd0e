// A window of an image as a band-limited function that can be evaluated anywhere.
#pragma once

#include <cstdint>
#include <vector>

#include "sidelook/view.h"

namespace sidelook::measure
{

/// Value and derivatives of an interpolated patch at one point.
struct Jet {
    c128 f, fr, fc, frr, frc, fcc;
};

/// Fourier series of a tapered window of (2 half + 1)^2 samples. Coordinates are samples relative to its centre.
class Patch
{
public:
    static constexpr std::int64_t taper = 16;  ///< samples over which the window's edge falls to zero

    /// The window of `image` centred at (row, col), which must lie inside. The band is one cycle wide around the
    /// centre (cycles per sample); with `measure_centre` the given centre only decides the integer part.
    Patch(View2<const c64> image, std::int64_t row, std::int64_t col, std::int64_t half, double centre_row,
          double centre_col, bool measure_centre);

    std::int64_t flat() const { return half_ - taper; }  ///< within +-flat() samples the image is untouched
    double centre_row() const { return centre_row_; }
    double centre_col() const { return centre_col_; }

    c128 value(double r, double c) const;
    Jet jet(double r, double c) const;
    /// |value|^2 on the grid of rows x cols, row-major.
    std::vector<double> power(const std::vector<double> &rows, const std::vector<double> &cols) const;

private:
    /// e^{j 2 pi (lowest + k) x / n} for k = 0..n-1.
    void phasors(double x, std::int64_t lowest, std::vector<double> &re, std::vector<double> &im) const;

    std::int64_t half_, n_;
    double centre_row_, centre_col_;
    std::int64_t lowest_row_ = 0, lowest_col_ = 0;  ///< coefficient [k][l] has (lowest + k)/n cycles per sample
    std::vector<double> re_, im_;                   ///< coefficients, [row frequency][column frequency]
};

}  // namespace sidelook::measure
