// Where CUDA implementations, if this program has any, make themselves known: each .cu sets a pointer like this one
// when the program starts. So a build without them needs no stand-ins, and the emulator's tests bring theirs.
#pragma once

#include <vector>

#include "sidelook/device.h"

namespace sidelook
{

/// What cuda_devices() calls; null where nothing was built for CUDA. Set by core/cuda/device.cpp.
extern std::vector<CudaDevice> (*find_cuda_devices)();

}  // namespace sidelook
