// What fft_ducc0.cpp gives for each instruction set.
#pragma once

#include "core/isa.h"
#include "sidelook/view.h"

namespace sidelook
{
SIDELOOK_FOR_EACH_ISA(void fft_rows_c64(View2<c64> rows, bool forward);)
namespace portable
{
void fft_rows_c128(View2<c128> rows, bool forward);
}
}  // namespace sidelook
