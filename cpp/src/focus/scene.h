// What all focusing stages of one scene share: the echo model, the output grid, the Doppler centroid, reference points.
#pragma once

#include <optional>
#include <utility>

#include "core/stage.h"
#include "focus/echo_history.h"
#include "sidelook/focus.h"

namespace sidelook
{

class Scene
{
public:
    /// Checks the acquisition and the options and lays out the image. Throws Error(bad_input).
    Scene(const Acquisition &acquisition, const FocusOptions &options);

    const Acquisition &acquisition() const { return acquisition_; }
    const FocusOptions &options() const { return options_; }
    const EchoModel &model() const { return model_; }
    const SlcGrid &grid() const { return grid_; }

    double line_time_s(double line) const { return grid_.first_line_time_s + line * grid_.line_spacing_s; }
    double slant_range_m(double sample) const { return grid_.first_slant_range_m + sample * grid_.sample_spacing_m; }

    /// Absolute Doppler centroid of what is sent at sent_s and comes back after delay_s.
    double centroid_hz(double delay_s, double sent_s) const;
    /// Absolute Doppler centroid of the target at this place.
    double doppler_hz(const EchoModel::Target &target) const;
    EchoHistory history(const EchoModel::Target &target, double doppler_hz) const
    {
        return model_.history(target, doppler_hz, history_half_width_s_);
    }

    /// History, at its Doppler centroid (or at a given Doppler) and with that, of the target at this zero-Doppler range
    /// that the beam passes with the pulse sent at sent_s.
    std::pair<EchoHistory, double> passing(double slant_range_m, double sent_s,
                                           std::optional<double> doppler = {}) const;
    double middle_pulse_s() const
    {
        return acquisition_.first_pulse_time_s + 0.5 * static_cast<double>(acquisition_.pulses) / acquisition_.prf_hz;
    }

    /// Half the processed Doppler band, to where the window has rolled off to zero (Hz).
    double half_band_hz() const { return 0.5 * (grid_.doppler_bandwidth_hz + roll_off_hz()); }
    /// Width of the raised-cosine edge, centred on the band's edge: it keeps the filter short in time, so that blocks
    /// agree.
    double roll_off_hz() const { return 0.05 * acquisition_.prf_hz; }
    /// Azimuth weight at an offset from the Doppler centroid.
    double azimuth_weight(double offset_hz) const;
    /// Integral of azimuth_weight over frequency (Hz).
    double azimuth_weight_integral_hz() const { return azimuth_weight_integral_hz_; }

    /// The same along range: raised-cosine edges, 2 % of the band wide, and the weight at an offset from the band's
    /// centre.
    double range_roll_off_hz() const { return 0.02 * grid_.range_bandwidth_hz; }
    double range_weight(double offset_hz) const;
    double range_weight_integral_hz() const { return range_weight_integral_hz_; }

    /// Pulses (fractional) at which the edges of the processed band of a target were sent, for exposure e = 1.
    struct Aperture {
        double first_pulse, last_pulse;
    };
    Aperture aperture(const EchoModel::Target &target) const;

    /// How much later than on the middle pulse the middle range's echoes arrive on this pulse (s), at the beam's
    /// centre. Under squint a target of constant zero-Doppler range drifts through the echoes, as the orbit is no
    /// straight line: compressed lines are moved by this, so that one migration curve holds for a whole block.
    double line_delay_s(double pulse) const;
    bool lines_drift() const { return lines_drift_; }

private:
    void find_line_delays();
    void find_range_extent();
    void find_lines();

    Acquisition acquisition_;
    FocusOptions options_;
    EchoModel model_;
    SlcGrid grid_;
    double history_half_width_s_ = 0;
    double azimuth_weight_integral_hz_ = 0, range_weight_integral_hz_ = 0;
    std::vector<double> line_delays_s_;  // at equidistant pulses, first to last
    bool lines_drift_ = false;
};

}  // namespace sidelook
