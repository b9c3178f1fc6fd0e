// The inner loops of backprojection, compiled for each instruction set; docs/backprojection.md derives the expansion.
#pragma once

#include "backproject/pulse_tracks.h"
#include "core/isa.h"
#include "sidelook/view.h"

namespace sidelook
{

constexpr int block_samples = 16;  ///< of a block of pixels, whole vectors of any instruction set
constexpr int max_block_lines = 16;

/// The pixels of one block, a plane of floats for each quantity, `block_samples` to a line. Relative to the block's
/// centre: its place, its sight from the reference pulse, its centroid.
struct PixelPlanes {
    const float *x, *y, *z;  ///< (m) place: r
    const float *along;      ///< (m) u: along the reference's line of sight
    const float *across;     ///< (m^2) |r|^2 - u^2
    const float *delay;      ///< (fine samples) of the reference's echo
    const float *centroid;   ///< (Hz) Doppler centroid
    float *re, *im;          ///< sums
};

/// One pulse's expansion over one block. Cycles are those of the carrier.
struct PulseTerms {
    const c64 *line;                        ///< B-spline coefficients that the block's delays count from
    float slope_x, slope_y, slope_z;        ///< (cycles/m) of the delay, less the reference's
    float inverse_range;                    ///< (1/m)
    float bend;                             ///< (1/cycle) wavelength / 4 inverse_range
    float stretch;                          ///< (cycles/m^2) inverse range less the reference's, over the wavelength
    float cycles;                           ///< phase at the centre, reduced to a cycle
    float delay;                            ///< (fine samples) at the centre
    float doppler_x, doppler_y, doppler_z;  ///< (Hz/m) slope of the Doppler
    float offset_hz;                        ///< Doppler of the centre less its centroid
    float weight[3];  ///< window over the antenna pattern: powers of the change of the offset (Hz)
    bool edge;        ///< the band's roll-off touches the block
};

/// The fields of Sight, each for every pulse of a group: vectors of pulses.
struct GroupSights {
    double delay_s[pulse_group], doppler_rate[pulse_group], inverse_range_per_m[pulse_group], off_axis[pulse_group];
    double slope[3][pulse_group], doppler_slope[3][pulse_group];
    Sight at(std::size_t i) const
    {
        return {delay_s[i],
                doppler_rate[i],
                {slope[0][i], slope[1][i], slope[2][i]},
                {doppler_slope[0][i], doppler_slope[1][i], doppler_slope[2][i]},
                inverse_range_per_m[i],
                off_axis[i]};
    }
};

struct PulseScales {
    float samples_a_cycle;  ///< fine samples
    float samples_a_hz;     ///< by which the chirp's Doppler shift moves an echo
    float half_band_hz, inverse_roll_off_s;
};

SIDELOOK_FOR_EACH_ISA(
    /// How each of the group's pulses sees `p`.
    void sights(const PulseTracks<pulse_group> &tracks, const Vec3 &p, GroupSights &out);
    /// Adds the pulses to the sums of `lines` lines of pixels.
    void accumulate(const PixelPlanes &pixels, int lines, const PulseTerms *pulses, int count,
                    const PulseScales &scales);)

}  // namespace sidelook
