#pragma once

#include <cstdint>

#include "core/isa.h"

namespace sidelook
{
SIDELOOK_FOR_EACH_ISA(
    /// Does rounds x 10 vector multiply-adds that depend on nothing but themselves; returns the number of flops done.
    double spin_fma(std::int64_t rounds);)
}  // namespace sidelook
