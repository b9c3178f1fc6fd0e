// The inner loops of the CFAR stage, compiled for each instruction set.
#pragma once

#include "core/isa.h"
#include "core/stage.h"

namespace sidelook
{

/// The clutter map: its level in cells of cfar_cell x cfar_cell pixels, counted from the image's pixel (0, 0).
struct CfarMap {
    const float *level = nullptr;  ///< [row][column], linear power
    std::int64_t rows = 0, cols = 0;
    float clip = 0;     ///< times the level: brighter pixels do not train
    float quantum = 0;  ///< training values are multiples of it
};

/// One strip of one block.
struct CfarStrip {
    View2<const float> in;  ///< rows are lines `in_lines`
    Interval in_lines;
    View2<float> out;  ///< rows are lines `out_lines`, all samples
    Interval out_lines;
    Interval lines, samples;  ///< to be computed: a part of the block
    int training = 0, guard = 0;
    float least = 0;                   ///< training values without which there is no ratio
    const float *threshold = nullptr;  ///< [sample]
    CfarMap map;
    char *workspace = nullptr;  ///< cfar_strip_bytes
};

std::int64_t cfar_strip_bytes(int training, std::int64_t samples);

SIDELOOK_FOR_EACH_ISA(void cfar_strip(const CfarStrip &strip);)

}  // namespace sidelook
