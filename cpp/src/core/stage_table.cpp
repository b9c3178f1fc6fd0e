#include "sidelook/stages.h"

namespace sidelook
{

#if defined(SIDELOOK_CUDA)
static constexpr bool cuda_is_built = true;
#else
static constexpr bool cuda_is_built = false;
#endif

static std::vector<StageInfo> declared()
{
    return {
        {"correct_echoes",
         "I/Q bias, I/Q imbalance and gain steps undone; damaged lines silent",
         {"complex64", "[pulse][sample]", "as recorded"},
         {"complex64", "[pulse][sample]", "as recorded"},
         "the sample itself",
         "mean and covariance of I and Q, damaged and silent lines, saturation, Doppler fraction (EchoSurvey)",
         {{"bias_i, bias_q", "as recorded", "from the survey", "subtracted"},
          {"gain_ratio", "1", "from the survey", "Q over I"},
          {"quadrature_error_rad", "rad", "from the survey", "phase between I and Q beyond 90 degrees"},
          {"line_gain", "1", "1", "amplitude factor of every pulse"}},
         true,
         false},
        {"range_compress",
         "pulses compressed by the inverse of the chirp's spectrum, with the reference's secondary range compression",
         {"complex64", "[pulse][sample]", "echo amplitude"},
         {"complex64", "[pulse][compressed sample]", "echo amplitude"},
         "the line itself; along range the chirp's length and the migration",
         "",
         {{"range_bandwidth_hz", "Hz", "the chirp's", "processed band"},
          {"range_window", "", "hamming 0.75", "spectral weight over the band"}},
         true,
         true},
        {"azimuth_compress",
         "range migration, azimuth compression and drift correction in the range-Doppler domain, onto the zero-Doppler "
         "grid",
         {"complex64", "[pulse][compressed sample]", "echo amplitude"},
         {"complex64", "[line][sample]", "echo amplitude; NaN where not fully exposed"},
         "the pulses that the beam sent to a block's targets: an interval that under squint lies seconds away from the "
         "block and moves with range",
         "",
         {{"doppler_centroid_hz", "Hz", "from the acquisition, the attitude or the echoes", "polynomial over delay"},
          {"doppler_bandwidth_hz", "Hz", "0.7 PRF", "processed band"},
          {"azimuth_window", "", "hamming 0.75", "spectral weight over the band"},
          {"equalise_antenna", "", "true", "divide by the two-way azimuth pattern"},
          {"minimum_exposure", "1", "1", "share of the aperture that must have been recorded"}},
         true,
         false},
        {"backproject",
         "exact time-domain focusing, onto the zero-Doppler grid or at given points: every pulse of a pixel's band "
         "compressed, read at the pixel's delay, turned by its phase, weighted and added",
         {"complex64", "[pulse][sample]", "echo amplitude"},
         {"complex64", "[line][sample]", "echo amplitude; NaN where not fully exposed"},
         "the pulses that the beam sent to a block's pixels: an interval that under squint lies seconds away from the "
         "block; for given points the least that grows with the lines",
         "",
         {{"points", "m", "the zero-Doppler grid", "ECEF coordinates of every pixel"},
          {"doppler_centroid_hz", "Hz", "from the acquisition, the attitude or the echoes", "polynomial over delay"},
          {"doppler_bandwidth_hz", "Hz", "0.7 PRF", "processed band"},
          {"range_bandwidth_hz", "Hz", "the chirp's", "processed band"},
          {"azimuth_window, range_window", "", "hamming 0.75", "spectral weight over the bands"},
          {"equalise_antenna", "", "true", "divide by the two-way azimuth pattern"},
          {"minimum_exposure", "1", "1", "share of the aperture and of the pulse that must have been recorded"}},
         true,
         false},
        {"multilook",
         "mean over cells of looks: of |x|^2, of powers, or of the complex samples themselves; NaN left out, a cell "
         "with "
         "less than half of its pixels NaN",
         {"complex64 or float32", "[line][sample]", "amplitude or linear power"},
         {"float32 or complex64", "[cell][cell]", "linear power or amplitude"},
         "the cell's lines and samples; cells begin at line 0 and sample 0, and what fills no cell is left out",
         "",
         {{"looks.azimuth", "lines", "1", "averaged into one"}, {"looks.range", "samples", "1", "averaged into one"}},
         true,
         false},
        {"calibrate",
         "powers to beta0, sigma0 or gamma0: a factor a pixel between the nodes of a grid, and noise taken away",
         {"float32", "[line][sample]", "linear power"},
         {"float32", "[line][sample]", "linear power"},
         "the pixel itself",
         "",
         {{"factor", "1", "from the acquisition",
           "grid of lines x samples, linear between lines; a mean is multiplied by it"},
          {"divide_by_square", "", "false", "divided by the factor's square instead: look-up tables of amplitudes"},
          {"noise", "linear power", "none", "grid of what is taken away from the result"}},
         true,
         false},
        {"despeckle",
         "speckle filtered in a square window by one of the classic methods; missing pixels stay missing and are left "
         "out of their neighbours' windows",
         {"float32", "[line][sample]", "linear power or amplitude"},
         {"float32", "[line][sample]", "as the input; NaN where it is missing"},
         "half the window on all sides",
         "level of bright targets, of lee_sigma only (BrightLevel)",
         {{"method", "", "-", "docs/despeckle.md lists them"},
          {"kind", "", "-", "intensity or amplitude"},
          {"window", "pixels", "7", "side of the window, odd, 3 to 65"},
          {"looks", "1", "-", "equivalent number of looks of the input"},
          {"compat", "", "none", "snap or otb: the formula of that tool"},
          {"damping", "1", "by the method", "how fast the weights of enhanced_lee and frost fall"},
          {"distance", "", "euclidean", "of frost: euclidean or chebyshev"},
          {"sigma", "1", "0.95", "of lee_sigma: share of the speckle within the range"},
          {"bright_level", "as the input", "98th percentile", "of lee_sigma: level of bright targets"},
          {"nodata", "as the input", "none", "value of missing pixels, besides NaN"}},
         true,
         false},
        {"cfar",
         "test for targets: pixel over the mean of the clutter in a square ring around it, over the threshold; land "
         "and "
         "NaN neither tested nor trained on, pixels too bright for clutter replaced in training by its level",
         {"float32", "[line][sample]", "linear power"},
         {"float32", "[line][sample]", "1 at the threshold; NaN where there is no test"},
         "half the training window on all sides",
         "level of the clutter in cells of 16 x 16 pixels; the law of the ratio, for the threshold",
         {{"training", "pixels", "31", "side of the window, odd, 9 to 65"},
          {"guard", "pixels", "15", "side of the part of it that does not train, odd"},
          {"least_training", "1", "0.25", "share of the ring that must be valid"},
          {"threshold", "1", "from the false-alarm rate", "of the ratio, by sample"},
          {"level", "linear power", "from the first pass", "clutter map"},
          {"clip", "1", "12", "pixels brighter than this times the level do not train"}},
         true,
         true},
    };
}

const std::vector<StageInfo> &stage_table()
{
    static const std::vector<StageInfo> table = [] {
        std::vector<StageInfo> all = declared();
        for (StageInfo &stage : all) stage.cuda = stage.cuda_twin && cuda_is_built;
        return all;
    }();
    return table;
}

}  // namespace sidelook
