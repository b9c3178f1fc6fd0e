// The first pass: how bright the clutter is where, from medians over cells, and which cells are land.
#pragma once

#include <vector>

#include "core/stage.h"
#include "sidelook/detect.h"

namespace sidelook
{

/// Medians over cells of cfar_cell x cfar_cell pixels, counted from the image's pixel (0, 0).
class Survey
{
public:
    Survey(std::int64_t lines, std::int64_t samples);
    /// Takes whole lines in order; `first` is a multiple of a cell, and so is their number but at the image's end.
    /// Throws Error(bad_input) for negative intensity.
    void add(std::int64_t first, View2<const float> intensity, int threads);

    std::int64_t rows() const { return rows_; }
    std::int64_t cols() const { return cols_; }
    const std::vector<float> &median() const { return median_; }        ///< 0 where there is nothing valid
    const std::vector<std::uint16_t> &valid() const { return valid_; }  ///< pixels

    /// Cells that are land by their own brightness, or built up: see docs/detection.md.
    std::vector<std::uint8_t> find_land(double azimuth_spacing_m, double ground_range_spacing_m, double least_area_m2,
                                        double buffer_m) const;
    /// Level of the clutter in every cell: robust against ships, without land, filled where there is nothing.
    std::vector<float> clutter_map(const std::vector<std::uint8_t> &land, double looks) const;

private:
    std::vector<std::uint8_t> find_towns(double azimuth_spacing_m, double ground_range_spacing_m) const;

    std::int64_t samples_, rows_, cols_;
    std::vector<float> median_;
    std::vector<std::uint16_t> valid_, bright_;  // pixels: echoes, and those far above the cell's median
};

}  // namespace sidelook
