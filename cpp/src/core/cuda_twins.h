// The CUDA implementations linked into this program. Each .cu announces its own when the program starts, so that a
// build without them needs no stand-ins and the emulator's tests can bring theirs.
#pragma once

#include <memory>
#include <vector>

#include "core/stage.h"
#include "sidelook/device.h"

namespace sidelook
{

class RangePlan;

struct CudaTwins {
    std::vector<CudaDevice> (*devices)() = nullptr;
    std::unique_ptr<Stage> (*range_compress)(std::shared_ptr<const RangePlan> plan) = nullptr;
};

/// Members that are null have no CUDA implementation here.
CudaTwins &cuda_twins();

}  // namespace sidelook
