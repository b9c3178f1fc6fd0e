// Inner loop of the scene simulator, compiled for each instruction set: exact delay, Doppler and beam of every
// scatterer at the middle of a block of pulses, laid on a grid of delay and Doppler with a compact kernel.
#pragma once

#include <cstdint>

#include "core/isa.h"
#include "sidelook/view.h"

namespace sidelook
{

constexpr int deposit_taps = 6;     ///< width of the kernel, in cells of either axis
constexpr int deposit_steps = 256;  ///< table entries a cell
constexpr int deposit_pad = 8;      ///< taps written along Doppler: 6, and 2 zeros to fill a vector
constexpr int deposit_nodes = 3;    ///< most instants at which the beam is taken within a block

/// What holds for all scatterers of a block. Inertial frame, equal to ECEF at the block's middle (time 0 here).
struct DepositBlock {
    double v[3], a2[3], j6[3];                  ///< platform about its position at 0: v s + a2 s^2 + j6 s^3
    double spin;                                ///< of the Earth (rad/s)
    double azimuth_axis[3], elevation_axis[3];  ///< of the antenna at the reflection, times L/lambda and H/lambda
    double carrier_hz;
    double first_delay_s, rows_per_s;  ///< delay -> row
    double centre_doppler_hz, bins_per_hz, centre_bin;
    double beam_limit;
    double reference_range_m;  ///< 0: none
    int nodes;
    double node_s[deposit_nodes];  ///< instants at which the beam is taken
    std::int64_t rows, bins;       ///< of the grid; bins includes deposit_pad
    float *grid;                   ///< [row][node][bin] complex
    const float *row_table;        ///< [steps + 2][8]
    const float *bin_table;        ///< [steps + 2][16], every weight twice, for real and imaginary part
};

struct DepositChunk {
    double p[3];                          ///< centre relative to the platform at 0 (m), ECEF
    double p_earth[3];                    ///< centre relative to the Earth's centre (m), for its rotation
    double w[3];                          ///< velocity in ECEF (m/s)
    double azimuth_rate, elevation_rate;  ///< of the beam position (1/s)
    bool turned;                          ///< whether node_cycles are not all 0
    float node_cycles[deposit_nodes];     ///< phase at every node (cycles): what the block's curvature lacks
    const std::int32_t *x, *y, *z;        ///< offsets from the centre, in `unit` metres
    double unit;
    const c64 *amplitude;
    std::int64_t count;
};

SIDELOOK_FOR_EACH_ISA(
    /// Returns the number of scatterers that were lit and within the grid.
    std::int64_t deposit(const DepositBlock &block, const DepositChunk &chunk);)

}  // namespace sidelook
