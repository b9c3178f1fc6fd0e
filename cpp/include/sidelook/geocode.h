// A map's pixels in a zero-Doppler image: where each lies, and the image's value there.
#pragma once

#include <cstdint>
#include <vector>

#include "sidelook/geometry.h"
#include "sidelook/view.h"

namespace sidelook
{

/// Zero-Doppler time and slant range of a point; where the closest approach lies outside the orbit, as if the antenna
/// flew on in a straight line from its last state vector. So every point has a place, and those near the image one that
/// is nearly right: what polygons that leave the image need.
RadarCoordinates ecef_to_radar_continued(const Orbit &orbit, const Vec3 &position_m);

/// Pixels of a zero-Doppler image; integers are pixel centres.
struct RadarGrid {
    double first_line_time_s = 0;
    double line_spacing_s = 0;
    double first_sample_slant_range_m = 0;
    double sample_spacing_m = 0;
    std::int64_t lines = 0;
    std::int64_t samples = 0;
};

/// A rectangle of pixels; empty if an end is not behind its first.
struct PixelWindow {
    std::int64_t first_line = 0, end_line = 0;
    std::int64_t first_sample = 0, end_sample = 0;
};

/// Places of a map's pixel centres on a coarse lattice; between its nodes the place in ECEF is the cubic polynomial
/// through four nodes a side. On a sphere of radius a that is off by 0.023 h^4 / a^3 with nodes h apart: 1e-6 m for 10
/// km.
struct MapLattice {
    std::int64_t step = 0;  ///< map pixels between nodes
    std::int64_t rows = 0;  ///< of nodes; node (a, b) is the centre of map pixel ((a - 1) step, (b - 1) step)
    std::int64_t cols = 0;
    std::vector<Geodetic> places;  ///< rows x cols
};

/// Exact range-Doppler coordinates of map pixels.
class MapToRadar
{
public:
    /// Throws Error(bad_input) for a grid or lattice that holds nothing, or spacings that are not positive.
    MapToRadar(Orbit orbit, LookSide side, const RadarGrid &grid, const MapLattice &lattice);

    std::int64_t map_rows() const { return (rows_ - 3) * step_; }  ///< that the lattice surrounds
    std::int64_t map_cols() const { return (cols_ - 3) * step_; }

    /// Fractional line and sample of every pixel of a block of the map, NaN on the other side of the track. Returns the
    /// pixels of the image that `resample` needs for it. The numbers do not depend on how a map is cut into blocks.
    PixelWindow coordinates(std::int64_t first_row, std::int64_t first_col, View2<double> line, View2<double> sample,
                            int threads) const;

private:
    struct Node {
        double value[5];  // x, y, z (m); zero-Doppler time (s); slope of (P - S) . V over time (m^2/s^2)
    };

    Orbit orbit_;
    LookSide side_;
    RadarGrid grid_;
    std::int64_t step_, rows_, cols_;
    std::vector<Node> nodes_;
};

enum class Interpolation : int {
    nearest = 0,  ///< the pixel that contains the place
    bilinear = 1  ///< of the four pixels around it, in linear power; NaN if one that counts is NaN
};

/// Values of an image at fractional places: `image` is the part of it that begins at (first_line, first_sample). A
/// place outside the part, or NaN, gives NaN: for `bilinear` outside of the outermost pixel centres, for `nearest` half
/// a pixel further out.
void resample(View2<const float> image, std::int64_t first_line, std::int64_t first_sample, View2<const double> line,
              View2<const double> sample, Interpolation interpolation, View2<float> out, int threads);

}  // namespace sidelook
