#include "core/cuda_twins.h"

#include "sidelook/error.h"

namespace sidelook
{

CudaTwins &cuda_twins()
{
    static CudaTwins twins;
    return twins;
}

std::vector<CudaDevice> cuda_devices()
{
    if (!cuda_twins().devices)
        throw Error(Code::missing_auxiliary, "device is cuda; this build has no CUDA implementations, only cpu");
    return cuda_twins().devices();
}

}  // namespace sidelook
