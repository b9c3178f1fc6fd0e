// The transforms of core/fft.h on the device: Forward is sum x[n] e^{-j 2 pi k n / N}; inverse has e^{+j}; neither is
// scaled.
#pragma once

#include <cufft.h>

#include <cstdint>

#include "core/cuda/device.h"

namespace sidelook::cuda
{

/// Transforms of a fixed number of rows of a fixed length, one row after the other in memory, on one stream.
class RowTransforms
{
public:
    RowTransforms(std::int64_t length, std::int64_t rows, const Stream &stream);
    ~RowTransforms();
    RowTransforms(const RowTransforms &) = delete;
    RowTransforms &operator=(const RowTransforms &) = delete;

    /// `in` keeps what it holds, unless it is `out`.
    void forward(float2 *d_in, float2 *d_out) const;
    void inverse(float2 *d_in, float2 *d_out) const;

private:
    cufftHandle plan_ = 0;
};

}  // namespace sidelook::cuda
