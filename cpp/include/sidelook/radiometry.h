// Calibrated intensity: looks averaged, and the powers of an image turned into beta0, sigma0 or gamma0.
// docs/radiometry.md derives what stands here.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "sidelook/focus.h"

namespace sidelook
{

/// Pixels that are averaged into one, along each axis.
struct Looks {
    std::int64_t azimuth = 1, range = 1;
};

// ---- physics ----------------------------------------------------------------------------------------------------

/// What the powers of a focused image mean: everything between a backscatter coefficient and the mean |x|^2 of pixels.
class ImageRadiometry
{
public:
    /// The acquisition (its Doppler centroid included) and the options that the image was focused with. Throws what
    /// FocusPlan throws.
    ImageRadiometry(const Acquisition &acquisition, const FocusOptions &options);
    ~ImageRadiometry();
    ImageRadiometry(ImageRadiometry &&) noexcept;

    /// At one place of the zero-Doppler grid, on the ellipsoid at the terrain height.
    struct Place {
        double incidence_deg = 0;       ///< between the line of sight at zero Doppler and the ellipsoid's normal
        double beam_incidence_deg = 0;  ///< the same while the beam's centre passes; differs under squint
        double line_speed_m_per_s = 0;  ///< ground covered along the track a second of zero-Doppler time
        double elevation_gain = 1;      ///< two-way power pattern in elevation
        double azimuth_width_s = 0;     ///< equivalent width of the response: its energy for a unit echo
        double range_width_m = 0;       ///< likewise, slant range
        double intensity_of_beta0 = 0;  ///< mean |x|^2 where beta0 is 1; 0: the radar constant is unknown
        double noise_intensity = 0;     ///< mean |n|^2 of the image's noise; 0: unknown
    };
    /// Throws Error(missing_auxiliary) without an orbit.
    Place at(double zero_doppler_time_s, double slant_range_m) const;

    /// Statistically independent looks in a cell of uniform speckle, from the correlation that the windows leave
    /// between pixels.
    double equivalent_looks(Looks looks) const;

    /// 3 dB widths of a point's response averaged over looks.
    struct Widths {
        double azimuth_s = 0, slant_range_m = 0;
    };
    Widths widths(Looks looks) const;

private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

// ---- pixels -----------------------------------------------------------------------------------------------------

/// Throws Error(bad_input) unless looks are at least 1 and at most the image.
void check_looks(Looks looks, std::int64_t lines, std::int64_t samples);

/// Mean of cells of looks.azimuth x looks.range pixels, the first at line 0 and sample 0; lines and samples that fill
/// no cell are left out, so `out` has in.rows / looks.azimuth x in.cols / looks.range. NaN pixels are left out of the
/// mean; a cell with less than half of its pixels is NaN. Throws Error(bad_input).
void multilook(View2<const c64> in, Looks looks, View2<float> out, int threads);        ///< of |x|^2
void multilook(View2<const float> in, Looks looks, View2<float> out, int threads);      ///< of powers, not negative
void multilook_complex(View2<const c64> in, Looks looks, View2<c64> out, int threads);  ///< of the samples themselves

/// Values on a grid of pixels, between which they are interpolated: linearly, or along samples with cubics through four
/// (`smooth`). Beyond its ends a grid goes on with its last values. One line: it holds for all.
struct FactorGrid {
    std::vector<double> lines, samples;  ///< ascending; pixels' centres are whole numbers
    std::vector<double> values;          ///< [line][sample]
    bool smooth = false;
};

struct IntensityOptions {
    Looks looks;
    FactorGrid factor;  ///< on the grid of the result; empty: 1
    bool divide_by_square =
        false;                     ///< the result is mean / factor^2 (a look-up table of amplitudes), not mean x factor
    FactorGrid noise;              ///< taken away from the result; empty: nothing
    std::int64_t block_lines = 0;  ///< lines of the result computed at once; 0: chosen from the memory allowed
    std::int64_t max_bytes = 0;    ///< memory that execution may use, with base_bytes; 0: no bound
    std::int64_t base_bytes = 0;
    int threads = 0;  ///< 0: all that the process may run on
};

/// Fills `out` with whole lines of the image from first_line on.
using ComplexReader = std::function<void(std::int64_t first_line, View2<c64> out)>;
using IntensityReader = std::function<void(std::int64_t first_line, View2<float> out)>;
using IntensityWriter = std::function<void(std::int64_t first_line, View2<const float> block)>;

/// A planned chain of multilook and calibrate over an image of any size.
class IntensityPlan
{
public:
    /// For an image of complex samples or of powers. Throws Error(bad_input), or Error(over_memory) if max_bytes cannot
    /// hold one line of the result.
    IntensityPlan(std::int64_t lines, std::int64_t samples, bool complex, const IntensityOptions &options);
    ~IntensityPlan();
    IntensityPlan(IntensityPlan &&) noexcept;

    std::int64_t lines() const;  ///< of the result
    std::int64_t samples() const;
    std::int64_t block_lines() const;
    std::int64_t bytes() const;  ///< that run() allocates
    std::vector<StageCost> costs() const;

    /// Reads every line once, in order, on a thread of its own; writes likewise. Throws Error(bad_input) for powers
    /// below 0.
    void run(const ComplexReader &reader, const IntensityWriter &writer, const std::function<void(double)> &progress,
             std::vector<StageReport> &report) const;
    void run(const IntensityReader &reader, const IntensityWriter &writer, const std::function<void(double)> &progress,
             std::vector<StageReport> &report) const;

private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

}  // namespace sidelook
