#include "core/cuda/device.h"

#include "core/device.h"
#include "core/text.h"
#include "sidelook/error.h"

namespace sidelook::cuda
{
namespace
{

std::size_t size_of(std::int64_t bytes) { return static_cast<std::size_t>(bytes > 0 ? bytes : 1); }

Error refusal(cudaError_t status, const char *what)
{
    const char *const reason = cudaGetErrorString(status);
    if (status == cudaErrorNoDevice || status == cudaErrorInsufficientDriver)
        return {Code::missing_auxiliary, text("device is cuda; this machine has no CUDA device that works: ", reason)};
    if (status == cudaErrorMemoryAllocation)
        return {Code::over_memory, text("device is cuda; ", what, " does not fit its memory")};
    return {Code::failure, text("CUDA: ", what, " failed: ", reason)};
}

std::vector<CudaDevice> devices()
{
    int count = 0;
    check(cudaGetDeviceCount(&count), "the count of devices");
    std::vector<CudaDevice> found;
    for (int i = 0; i < count; ++i) {
        cudaDeviceProp p;
        check(cudaGetDeviceProperties(&p, i), "the look at a device");
        found.push_back({p.name, p.major, p.minor, static_cast<std::int64_t>(p.totalGlobalMem)});
    }
    return found;
}

[[maybe_unused]] const bool announced = (find_cuda_devices = devices, true);

}  // namespace

void check(cudaError_t status, const char *what)
{
    if (status == cudaSuccess) return;
    cudaGetLastError();  // what is thrown must not come back as the error of the next launch
    throw refusal(status, what);
}

void *allocate_device(std::int64_t bytes)
{
    void *memory = nullptr;
    check(cudaMalloc(&memory, size_of(bytes)), text("an array of ", bytes, " bytes").c_str());
    return memory;
}

void *allocate_pinned(std::int64_t bytes)
{
    void *memory = nullptr;
    check(cudaMallocHost(&memory, size_of(bytes)), text("a pinned array of ", bytes, " bytes").c_str());
    return memory;
}

void free_device(void *memory) noexcept { cudaFree(memory); }
void free_pinned(void *memory) noexcept { cudaFreeHost(memory); }

Stream::Stream() { check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "the making of a stream"); }
Stream::~Stream() { cudaStreamDestroy(stream_); }

void Stream::wait(const char *what) const { check(cudaStreamSynchronize(stream_), what); }

}  // namespace sidelook::cuda
