// Ship detection: from an intensity image to objects with places, sizes and their uncertainty. docs/detection.md tells
// the model.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "sidelook/acquisition.h"
#include "sidelook/device.h"
#include "sidelook/geometry.h"
#include "sidelook/view.h"

namespace sidelook
{

enum class Clutter { gamma, k };

/// Windows of the constant false-alarm rate test (pixels, odd): clutter is what lies inside the one and outside the
/// other.
struct CfarWindows {
    int training = 31, guard = 15;
};

/// Where the land comes from: nowhere, or the image itself. A mask may be given with either.
enum class LandSource { none, scene };

struct DetectOptions {
    double false_alarm_rate = 3e-7;  ///< of a pixel
    double certain_rate = 1e-8;      ///< objects above the level that this share exceeds need show no hull
    Clutter clutter = Clutter::k;
    CfarWindows windows;
    double least_training = 0.25;  ///< share of the training ring that must be valid
    double clip = 12;              ///< times the local clutter: brighter pixels do not train
    double grow_rate = 2e-3;       ///< an object grows from its seed to pixels that this share of the clutter exceeds
    double merge_m = 25;           ///< fragments nearer than this on the ground are one object
    LandSource land = LandSource::none;
    double land_area_km2 = 0.4;      ///< smaller bright regions are not land
    double land_buffer_m = 60;       ///< around land found in the scene
    std::int64_t block_lines = 256;  ///< read and searched at once, at most
    std::int64_t max_bytes = 0;      ///< that the process may hold, base_bytes included; 0: no bound
    std::int64_t base_bytes = 0;     ///< that it holds besides
    int threads = 0;
    /// cuda: the ratio is computed on the first CUDA device, everything else on the processor.
    Device device = Device::cpu;
};

/// What the image's metadata say about its pixels. Vectors have one value a sample; empty: unknown.
struct IntensityImage {
    std::int64_t lines = 0, samples = 0;
    double first_line_time_s = 0, line_spacing_s = 0;  ///< of pixel centres
    double first_slant_range_m = 0, sample_spacing_m = 0;
    std::vector<double> azimuth_spacing_m, ground_range_spacing_m;        ///< on the ground
    std::vector<double> azimuth_resolution_m, ground_range_resolution_m;  ///< widths at half power
    double equivalent_looks = 1;
    /// For azimuth ambiguities; 0: unknown, they are not looked for.
    double prf_hz = 0, carrier_hz = 0, effective_velocity_m_per_s = 0;
    std::vector<double> doppler_centroid_hz;
    std::vector<StateVector> orbit;  ///< empty: objects have no place on the Earth
    LookSide look_side = LookSide::right;
    double terrain_height_m = 0;
};

/// The law of the ratio of a pixel to its training ring in a zone of ranges: `share` times a K distribution.
struct ClutterFit {
    double mean = 1, looks = 1, order = 1e9, share = 1;
    std::int64_t pixels = 0;  ///< that it was fitted to
    double threshold = 0;     ///< of the ratio, for the false-alarm rate asked for
    double certain = 0;       ///< the same, for certain_rate
    std::int64_t first_sample = 0, end_sample = 0;
};

/// What was found at one place. Angles and lengths are on the ground.
struct DetectedObject {
    double line = 0, sample = 0, line_sigma = 0, sample_sigma = 0;
    double azimuth_sigma_m = 0, ground_range_sigma_m = 0, position_sigma_m = 0;
    double length_m = 0, length_sigma_m = 0, width_m = 0, width_sigma_m = 0;
    double axis_deg = 0;  ///< long axis from the line axis (later lines) towards larger range, 0 to 180
    double axis_sigma_deg = 0;
    bool axis_known = false;
    double energy_m2 = 0;      ///< (intensity - clutter) times pixel area, summed
    double clutter = 0;        ///< mean intensity around it
    double peak_ratio = 0;     ///< brightest pixel over the clutter
    double hull_evidence = 0;  ///< log likelihood ratio of a hull about the brightest pixel against clutter
    double peak_line = 0, peak_sample = 0;
    std::int64_t pixels = 0;  ///< above the threshold
    std::int64_t first_line = 0, end_line = 0, first_sample = 0, end_sample = 0;
    bool azimuth_ambiguity = false, side_lobe = false, edge = false, land = false;
    std::optional<Geodetic> place;
    std::optional<double> heading_deg;  ///< of the axis, clockwise from north, 0 to 180
};

struct DetectReport {
    std::vector<DetectedObject> objects;  ///< by line, then sample
    double area_searched_m2 = 0;
    std::int64_t pixels_searched = 0, pixels_land = 0, pixels_above = 0;
    std::vector<ClutterFit> clutter;
    double grow_level = 0;                 ///< of the ratio over the threshold
    std::vector<std::uint8_t> land_cells;  ///< [row][column] of 16 x 16 pixels: land found in the scene
    std::int64_t land_rows = 0, land_cols = 0;
    std::int64_t bytes = 0;       ///< largest memory held at once, about
    Device device = Device::cpu;  ///< that the ratio was computed on
};

/// Fills `out` with these lines from this sample on; asked for whole lines in order, then for patches around objects.
using IntensityReader = std::function<void(std::int64_t first_line, std::int64_t first_sample, View2<float> out)>;
/// Not zero where there is land. Empty: no mask.
using MaskReader = std::function<void(std::int64_t first_line, std::int64_t first_sample, View2<std::uint8_t> out)>;

/// Throws Error(bad_input) with one sentence unless image and options make sense.
void check_detection(const IntensityImage &image, const DetectOptions &options);

/// Searches the whole image in three passes: clutter map, law of the ratio, detection. The result depends neither on
/// `threads` nor on `block_lines`. Throws Error(missing_auxiliary), before anything is read, if the device is not
/// there.
DetectReport detect(const IntensityImage &image, const DetectOptions &options, const IntensityReader &read,
                    const MaskReader &mask, const std::function<void(double)> &progress);

/// The test alone, on an image in memory: pixel over the mean of its training ring. NaN where there is none.
void cfar_ratio(View2<const float> intensity, const CfarWindows &windows, double least_training, double clip,
                std::int64_t block_lines, int threads, View2<float> out);

/// The share of K-distributed intensity above t, and the level that a share exceeds. order above 1e4: gamma.
double clutter_exceedance(double t, double mean, double looks, double order);
double clutter_level(double share, double mean, double looks, double order);

/// 8-connected components of ratio >= grow that hold a pixel >= 1: labels from 1 in the order of their first pixels.
std::int64_t label_objects(View2<const float> ratio, float grow, View2<std::int32_t> out);

}  // namespace sidelook
