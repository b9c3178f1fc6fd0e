// Range-Doppler focusing of stripmap echoes (Cumming & Wong, Digital Processing of SAR Data, 2005, chapter 6), without
// the stop-and-go approximation, at any squint whose Doppler centroid is known. docs/focusing.md derives every step.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "sidelook/acquisition.h"
#include "sidelook/device.h"
#include "sidelook/view.h"

namespace sidelook
{

/// Spectral weighting over a processed band; `parameter` is Hamming's alpha (w = alpha - (1-alpha) cos), Kaiser's beta,
/// or Taylor's side lobe level in dB (nbar = 4).
struct Window {
    enum class Shape { rectangular, hamming, kaiser, taylor };
    Shape shape = Shape::hamming;
    double parameter = 0.75;

    /// Weight at x = 2 f / bandwidth; 1 at its maximum. Follows its formula beyond |x| = 1.
    double operator()(double x) const;
    std::string name() const;
};

struct FocusOptions {
    double doppler_bandwidth_hz = 0;  ///< processed azimuth band between half-amplitude edges; 0: 0.7 PRF
    double range_bandwidth_hz = 0;    ///< processed range band; 0: the chirp's
    Window azimuth_window;
    Window range_window;
    bool equalise_antenna = true;  ///< divide by the two-way azimuth pattern where the acquisition has one
    /// Share of a target's aperture (and of its pulse) that must have been recorded; pixels with less are NaN. 0.5
    /// to 1.
    double minimum_exposure = 1;
    std::int64_t block_lines = 0;    ///< output lines computed at once; 0: chosen from the memory allowed
    std::int64_t strip_samples = 0;  ///< output samples computed at once; 0: chosen from the memory allowed
    std::int64_t max_bytes = 0;      ///< memory that execution may use, with base_bytes; 0: no bound
    std::int64_t base_bytes = 0;     ///< memory that the process holds already and that max_bytes must cover too
    int threads = 0;                 ///< 0: all that the process may run on
    /// cuda: stages that have a CUDA implementation run on the first CUDA device, the others on the processor; the
    /// report says which did.
    Device device = Device::cpu;
};

/// The zero-Doppler grid of a focused image. Line i is at first_line_time_s + i line_spacing_s, sample j at
/// first_slant_range_m + j sample_spacing_m: coordinates of pixel centres.
struct SlcGrid {
    std::int64_t lines = 0, samples = 0;
    double first_line_time_s = 0, line_spacing_s = 0;
    double first_slant_range_m = 0, sample_spacing_m = 0;
    /// Lines [valid_first_line[j], valid_end_line[j]) of sample j are fully exposed; the others are NaN.
    std::vector<std::int64_t> valid_first_line, valid_end_line;
    std::vector<double> doppler_centroid_hz;  ///< of each sample, absolute
    /// Where the image's spectrum lies along range (cycles a sample, of each sample): 0 without squint; under squint
    /// the phase of a target turns from sample to sample, since its echo was seen from a slant.
    std::vector<double> range_spectrum_centre;
    double doppler_bandwidth_hz = 0, range_bandwidth_hz = 0;
    double effective_velocity_m_per_s = 0;  ///< at the centre: sqrt(d2(R^2)/dt2 / 2) at closest approach
};

/// What a first pass over the echoes finds.
struct EchoStatistics {
    std::int64_t lines = 0, good_lines = 0;
    std::vector<std::int64_t> damaged_lines;  ///< hold NaN or infinity; focused without them
    std::vector<std::int64_t> silent_lines;   ///< all zero
    double mean_i = 0, mean_q = 0;            ///< I/Q bias
    double power_i = 0, power_q = 0;          ///< variances
    double covariance = 0;                    ///< of I and Q
    double largest = 0;                       ///< largest |I| or |Q|
    double share_at_largest = 0;              ///< of I and Q values; well above 1e-4 it is clipping
    double gain_ratio = 1;                    ///< Q over I
    double quadrature_error_rad = 0;          ///< phase between I and Q beyond 90 degrees
    /// Doppler centroid modulo the PRF (Hz, -PRF/2..PRF/2) in `doppler_columns` equal parts of the line, and the
    /// strength of the correlation it comes from, 0 to 1 (Madsen 1989, correlation Doppler estimator).
    std::vector<double> doppler_fraction_hz, doppler_coherence;
    /// How far the centroid of each run of `drift_lines` lines lies from that of the whole record (Hz), and its weight.
    std::vector<double> doppler_deviation_hz, doppler_deviation_weight;
};

/// Gathers EchoStatistics line by line; the result does not depend on how the lines are cut into calls.
class EchoSurvey
{
public:
    static constexpr std::int64_t doppler_columns = 16, drift_lines = 1024;
    EchoSurvey(std::int64_t samples, double prf_hz);
    ~EchoSurvey();
    /// Takes the next lines.
    void add(View2<const c64> lines);
    /// Throws Error(bad_input) if there is no good line or nothing but zeros.
    EchoStatistics result() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// What is done to the echoes before compression: x -> line_gain (matrix (x - bias)), lines that are not finite -> 0.
struct EchoCorrections {
    double bias_i = 0, bias_q = 0;
    double gain_ratio = 1, quadrature_error_rad = 0;
    std::vector<float> line_gain;  ///< amplitude factor of each pulse, undoing gain steps; empty: 1
};

/// Corrections from a survey: bias, and imbalance where it is significant.
EchoCorrections corrections_from(const EchoStatistics &statistics);

/// Gives echoes: fills out(r, c) with line lines.first + r, sample samples.first + c.
using EchoReader =
    std::function<void(std::int64_t first_line, std::int64_t lines, std::int64_t first_sample, View2<c64> out)>;
/// Takes finished image lines: block(r, c) is line first_line + r, sample first_sample + c.
using SlcWriter = std::function<void(std::int64_t first_line, std::int64_t first_sample, View2<const c64> block)>;

/// One stage of a run, as reported.
struct StageReport {
    std::string name;
    double seconds = 0;  ///< in which the stage computed (wall)
    std::int64_t peak_bytes = 0;
    Device device = Device::cpu;  ///< that it ran on
};

/// What one stage of a run must do at least: the work that its time is held against.
struct StageCost {
    std::string name;
    double flops = 0;
    double bytes = 0;  ///< between memory and processor, where arrays outgrow the caches
    struct Transforms {
        std::int64_t length, rows, batch;
    };
    std::vector<Transforms> transforms;  ///< the FFTs among it
};

/// A planned focusing: everything is checked, laid out and sized; run() only reads, computes and writes.
class FocusPlan
{
public:
    /// Throws Error(bad_input) for an acquisition or options that break a rule, Error(over_memory) if max_bytes cannot
    /// hold one block, Error(missing_auxiliary) if the device is not there.
    FocusPlan(const Acquisition &acquisition, const FocusOptions &options);
    ~FocusPlan();
    FocusPlan(FocusPlan &&) noexcept;

    const SlcGrid &grid() const;
    std::int64_t block_lines() const;
    std::int64_t strip_samples() const;
    std::int64_t azimuth_fft_length() const;
    std::int64_t range_fft_length() const;
    std::int64_t range_inverse_fft_length() const;
    std::int64_t bytes() const;  ///< that run() allocates
    std::vector<StageCost> costs() const;

    /// Reads every echo it needs once a strip, in ascending order, on a thread of its own; writes likewise. `progress`
    /// is called from the calling thread with the share done and may throw to stop the run.
    void run(const EchoReader &reader, const SlcWriter &writer, const EchoCorrections &corrections,
             const std::function<void(double)> &progress, std::vector<StageReport> &report) const;

    /// What one stage makes of whole echoes in memory, for tests and for a look inside: the first strip's lines from
    /// the first that its first block needs.
    struct Inside {
        std::int64_t first_line = 0, first_sample_in = 0, samples_in = 0, lines = 0, samples = 0, transform_length = 0;
        double first_delay_s = 0, sample_rate_hz = 0;  ///< of the compressed samples
        std::vector<c64> data;                         ///< lines x samples
    };
    /// `stage` is correct_echoes or range_compress. Throws Error(bad_input) for another name or echoes of another
    /// shape.
    Inside run_until(const std::string &stage, View2<const c64> echoes, const EchoCorrections &corrections) const;

private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

/// Doppler centroid from orbit and attitude as the acquisition's polynomial; empty if either is missing.
std::vector<double> doppler_from_attitude(const Acquisition &acquisition);

/// Its change along the record (Hz/s) from orbit and attitude; 0 if either is missing.
double doppler_drift_from_attitude(const Acquisition &acquisition);
/// The same from a survey: a straight line through its deviations; 0 where the record is too short to tell (three
/// runs).
double doppler_drift(const Acquisition &acquisition, const EchoStatistics &statistics);
/// Doppler centroid modulo the PRF from a survey: a quadratic in x = delay - first_sample_delay, as the acquisition's.
std::vector<double> fractional_doppler(const Acquisition &acquisition, const EchoStatistics &statistics);

struct AmbiguityEstimate {
    int ambiguity = 0;                        ///< whole PRFs to add to the fraction
    double margin = 1;                        ///< sharpness of the best over the second best; near 1: do not trust it
    std::vector<double> sharpness;            ///< of every candidate
    std::vector<double> doppler_centroid_hz;  ///< fraction and ambiguity together
};

/// Focuses the middle of the record with every ambiguity from..to and keeps the sharpest. The acquisition needs an
/// orbit or a velocity good to some per cent. Throws Error(bad_input).
AmbiguityEstimate estimate_ambiguity(const Acquisition &acquisition, const std::vector<double> &fraction_hz,
                                     const EchoReader &reader, const EchoCorrections &corrections, int from, int to);

/// Effective velocity (m/s) within from..to that focuses the middle of the record sharpest. Throws Error(bad_input).
double estimate_velocity(const Acquisition &acquisition, const EchoReader &reader, const EchoCorrections &corrections,
                         double from_m_per_s, double to_m_per_s);

/// Names of the FFT library and the instruction set that compute, for a product's metadata.
std::string fft_library();
std::string instruction_set();
/// Version of the library, "major.minor.patch".
const char *version();

}  // namespace sidelook
