#include "core/device.h"

#include "sidelook/error.h"

namespace sidelook
{

std::vector<CudaDevice> (*find_cuda_devices)() = nullptr;

std::vector<CudaDevice> cuda_devices()
{
    if (!find_cuda_devices)
        throw Error(Code::missing_auxiliary, "device is cuda; this build has no CUDA implementations, only cpu");
    return find_cuda_devices();
}

}  // namespace sidelook
