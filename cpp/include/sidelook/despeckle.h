// Speckle filters for images of intensity or amplitude: arrays or streams of lines in, the same out.
// docs/despeckle.md defines every one of them.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "sidelook/focus.h"
#include "sidelook/view.h"

namespace sidelook
{

constexpr double not_given = std::numeric_limits<double>::quiet_NaN();

struct DespeckleOptions {
    std::string method;               ///< one of despeckle_methods()
    std::string kind;                 ///< what a pixel is: "intensity" (linear power) or "amplitude", its root
    std::string compat;               ///< "snap" or "otb": that tool's formula; empty: ours
    std::string distance;             ///< of frost: "euclidean" (the default) or "chebyshev"
    std::int64_t window = 7;          ///< side of the square window (pixels), odd, 3 to 65, at most the image
    double looks = not_given;         ///< equivalent number of looks, greater than 0; not every method needs it
    double damping = not_given;       ///< of enhanced_lee (default 1) and frost (2)
    double sigma = not_given;         ///< of lee_sigma: share of the speckle within the range; default 0.95
    double bright_level = not_given;  ///< of lee_sigma: level of bright targets; default: found, see BrightLevel
    double nodata = not_given;        ///< pixels of this value are missing, as NaN always is
    std::int64_t block_lines = 0;     ///< lines computed at once; 0: chosen from the memory allowed
    std::int64_t max_bytes = 0;       ///< memory that execution may use, with base_bytes; 0: no bound
    std::int64_t base_bytes = 0;
    int threads = 0;  ///< 0: all that the process may run on
};

/// Names of the methods.
const std::vector<std::string> &despeckle_methods();

/// Whether a method must be told the number of looks. Throws Error(bad_input) for a name that is none.
bool despeckle_needs_looks(const std::string &method);

/// Fills `out` with whole lines of the image from first_line on.
using DespeckleReader = std::function<void(std::int64_t first_line, View2<float> out)>;
using DespeckleWriter = std::function<void(std::int64_t first_line, View2<const float> block)>;

/// A planned filter over an image of any size.
class DespecklePlan
{
public:
    /// Throws Error(bad_input) for options that break a rule, Error(over_memory) if max_bytes cannot hold one line.
    DespecklePlan(std::int64_t lines, std::int64_t samples, const DespeckleOptions &options);
    ~DespecklePlan();
    DespecklePlan(DespecklePlan &&) noexcept;

    /// With the defaults of the method filled in, the bright level after run().
    const DespeckleOptions &options() const;
    std::int64_t block_lines() const;
    std::int64_t bytes() const;  ///< that run() allocates
    std::vector<StageCost> costs() const;

    /// Whether run() reads the image twice: lee_sigma, unless it is given the bright level.
    bool reads_twice() const;

    /// Reads every line once or twice, in order, on a thread of its own; writes likewise. NaN stays where it was and
    /// nowhere else. Throws Error(bad_input) for pixels that are negative or infinite.
    void run(const DespeckleReader &reader, const DespeckleWriter &writer, const std::function<void(double)> &progress,
             std::vector<StageReport> &report) const;

private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

/// Of lee_sigma: the part of the distribution of speckle of mean 1 that holds a given share of it and keeps the mean.
struct SigmaRange {
    double low = 0, high = 0;
    double cu2 = 0;  ///< squared coefficient of variation of what lies between
};

/// For gamma distributed intensity of so many looks, or its root (`amplitude`), 0 < share < 1.
SigmaRange sigma_range(double looks, bool amplitude, double share);

/// The level from which a pixel is bright: that of the 98th percentile of the scene, as the lower end of its bin. Bins
/// are fixed: 256 to an octave; numbers of pixels are whole: neither blocks nor threads change it.
class BrightLevel
{
public:
    BrightLevel();
    void add(View2<const float> lines, double nodata = not_given);
    double value() const;  ///< infinite if no pixel is valid

private:
    std::vector<std::int64_t> bins_;
};

/// The same for an image in memory; `out` is of its size and may not overlap it.
void despeckle(View2<const float> in, const DespeckleOptions &options, View2<float> out);

}  // namespace sidelook
