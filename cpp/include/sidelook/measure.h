// Point-target analysis: where the peak of a bright point is, how wide and clean its impulse response is.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "sidelook/view.h"

namespace sidelook
{

/// Which straight lines through the peak the widths and side lobes are read along.
enum class CutAxes : int {
    measured = 0,  ///< the ridges of the side lobes, found in the image; the image's axes where none stands out
    image = 1,     ///< the rows and columns of the image
    given = 2,     ///< azimuth_axis_slope and range_axis_slope of the options
};

/// Rows are azimuth (zero-Doppler time), columns are slant range; all positions are fractional indices, the centre
/// of the first sample is (0, 0).
struct MeasureOptions {
    double search_radius = 8;    ///< (samples) the brightest local maximum this close to the expected position is taken
    std::int64_t half_size = 0;  ///< (samples) window of +-half_size around the peak; 0: as much as 10 widths need
    int oversampling = 16;       ///< cut samples per image sample
    /// Nominal centre of the spectrum (cycles per row, per column). It is absolute: a Doppler centroid of several PRF
    /// is several cycles per row, and decides the phase between two rows. The measured centre lies within half a
    /// cycle of it.
    double spectrum_centre_row = 0;
    double spectrum_centre_col = 0;
    bool measure_spectrum_centre = true;  ///< false: take the nominal centre as it is
    double row_spacing_m = 0;             ///< 0: unknown, then widths in metres are NaN
    double col_spacing_m = 0;
    CutAxes axes = CutAxes::measured;
    double azimuth_axis_slope = 0;  ///< columns per row along the azimuth side lobes, for CutAxes::given
    double range_axis_slope = 0;    ///< rows per column along the range side lobes, for CutAxes::given
    /// Index of the array's first sample in the image it was read from: positions, given and returned, and sentences
    /// count from the image's first sample.
    std::int64_t first_row = 0, first_col = 0;
};

/// One cut through the peak. `offset` counts rows on the azimuth cut and columns on the range cut, whatever the slope:
/// for a support whose band is B cycles per row the width is 0.886/B rows however skewed the support is.
struct PointCut {
    double slope = 0;             ///< azimuth cut: columns per row; range cut: rows per column
    bool slope_measured = false;  ///< false: image axis, given, or no ridge stood out of the background
    double irw_samples = 0;       ///< full width at half power, counted along the image axis
    double irw_m = 0;             ///< the same along the slanted cut in metres, NaN without spacings
    double null_before = 0;       ///< offset of the first minimum before the peak, negative
    double null_after = 0;        ///< offset of the first minimum after the peak, positive
    double pslr_db = 0;           ///< highest side lobe within 10 irw_samples of the peak over the peak
    double islr_db = 0;           ///< energy from the nulls out to 10 irw_samples over energy between the nulls
    std::vector<double> offset;   ///< (samples) ascending, 0 is the peak
    std::vector<c128> value;      ///< interpolated image
};

struct PointTarget {
    double row = 0, col = 0;         ///< of the peak of |image|
    c128 peak;                       ///< interpolated value there
    c128 at_expected;                ///< interpolated value at the expected position; NaN if that is outside the window
    double spectrum_centre_row = 0;  ///< (cycles per row) centre of the interpolated band
    double spectrum_centre_col = 0;  ///< (cycles per column)
    PointCut azimuth, range;
    double islr_2d_db = 0;                 ///< as islr_db over areas: parallelograms along the two axes
    double main_lobe_energy_fraction = 0;  ///< of the energy within 10 widths along both axes
    double peak_to_background_db = 0;      ///< peak over mean power between 5 and 10 widths off along both axes
};

/// Analyses the brightest local maximum within options.search_radius of (expected_row, expected_col). The window
/// around it, tapered beyond 10 widths, is interpolated in double by its own Fourier series, centred on its spectrum;
/// the peak is refined by Newton's method on |image|^2. Throws Error(bad_input): a sample that is not finite in the
/// window, no maximum within the radius, a window that leaves the image or holds less than 10 widths.
PointTarget measure_point(View2<const c64> image, double expected_row, double expected_col,
                          const MeasureOptions &options = {});

}  // namespace sidelook
