// Complex-to-complex transforms of rows behind one small interface. Forward is sum x[n] e^{-j 2 pi k n / N}; inverse
// has e^{+j}; neither is scaled. Built in: ducc0. Plans are cached and shared between threads.
#pragma once

#include <cstdint>

#include "sidelook/view.h"

namespace sidelook::fft
{

/// Smallest number >= n whose prime factors are 2, 3, 5 and 7.
std::int64_t good_length(std::int64_t n);

/// Transforms every row of `rows` in place on the calling thread.
void forward(View2<c64> rows);
void inverse(View2<c64> rows);
void forward(View2<c128> rows);
void inverse(View2<c128> rows);

/// Name and version of the library that computes, for a product's metadata.
const char *library();

}  // namespace sidelook::fft
