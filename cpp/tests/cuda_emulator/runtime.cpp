// The host's side: errors, devices, memory, and streams whose work is done late, at random moments.
#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <random>
#include <utility>
#include <vector>

#include "emulator.h"

struct CUstream_st {
    std::deque<std::function<void()>> work;
};

namespace emulator
{
namespace
{

std::uint64_t first_seed()
{
    const char *const wish = std::getenv("SIDELOOK_EMULATOR_SEED");
    return wish ? std::strtoull(wish, nullptr, 10) : 1;
}

std::uint64_t seed = first_seed();
std::mt19937_64 random_bits(seed);
int device_count = 1;
std::size_t device_bytes = std::size_t{4} << 30;
cudaError_t last_error = cudaSuccess;
std::vector<cudaStream_t> streams;

void run_one(cudaStream_t stream)
{
    const std::function<void()> work = std::move(stream->work.front());
    stream->work.pop_front();
    work();
}

void run_all(cudaStream_t stream)
{
    while (!stream->work.empty()) run_one(stream);
}

/// As a device would have done some of its work by now: none, or a few steps of any streams.
void pass_time()
{
    for (std::uint64_t steps = random_below(3); steps > 0 && !streams.empty(); --steps) {
        const cudaStream_t stream = streams[random_below(streams.size())];
        if (!stream->work.empty()) run_one(stream);
    }
}

void check_stream(cudaStream_t stream)
{
    if (std::find(streams.begin(), streams.end(), stream) == streams.end())
        fail("work is given to a stream that does not exist; Sidelook uses no default stream");
}

void check_range(const void *memory, std::size_t bytes, const char *call)
{
    if (bytes > 0 && !device_sees(memory, bytes))
        fail("%s: %zu bytes at %p are not within one array of the device", call, bytes, memory);
}

}  // namespace

void set_seed(std::uint64_t new_seed) { random_bits.seed(seed = new_seed); }
void set_device_count(int count) { device_count = count; }
void set_device_bytes(std::size_t bytes) { device_bytes = bytes; }

void report(const char *text)
{
    char place[200];
    describe_place(place, sizeof place);
    std::fprintf(stderr, "CUDA emulator: %s: %s (seed %llu)\n", place, text, static_cast<unsigned long long>(seed));
}

void fail(const char *format, ...)
{
    char text[1024];
    std::va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    report(text);
    std::abort();
}

std::uint64_t random_below(std::uint64_t n) { return random_bits() % n; }

cudaError_t failed(cudaError_t error) { return last_error = error; }

cudaError_t check_launch(dim3 grid, dim3 block, std::size_t shared_bytes)
{
    const std::uint64_t threads = std::uint64_t{block.x} * block.y * block.z;
    const bool good = threads > 0 && threads <= 1024 && block.z <= 64 && grid.x > 0 && grid.x <= 0x7fffffffu &&
                      grid.y > 0 && grid.y <= 65535 && grid.z > 0 && grid.z <= 65535 && shared_bytes <= 48 << 10;
    return good ? cudaSuccess : failed(cudaErrorInvalidConfiguration);
}

void enqueue(cudaStream_t stream, std::function<void()> work)
{
    check_stream(stream);
    stream->work.push_back(std::move(work));
    pass_time();
}

}  // namespace emulator

using namespace emulator;

const char *cudaGetErrorString(cudaError_t error)
{
    switch (error) {
    case cudaSuccess: return "no error";
    case cudaErrorInvalidValue: return "invalid argument";
    case cudaErrorMemoryAllocation: return "out of memory";
    case cudaErrorInvalidConfiguration: return "invalid configuration argument";
    case cudaErrorInsufficientDriver: return "CUDA driver version is insufficient for CUDA runtime version";
    case cudaErrorNoDevice: return "no CUDA-capable device is detected";
    }
    return "unrecognized error code";
}

cudaError_t cudaGetLastError() { return std::exchange(last_error, cudaSuccess); }

cudaError_t cudaGetDeviceCount(int *count)
{
    *count = device_count;
    return device_count > 0 ? cudaSuccess : failed(cudaErrorNoDevice);
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp *properties, int device)
{
    if (device < 0 || device >= device_count) return failed(cudaErrorInvalidValue);
    *properties = {};
    std::strcpy(properties->name, "emulated");
    properties->totalGlobalMem = device_bytes;
    return cudaSuccess;
}

cudaError_t cudaMalloc(void **memory, std::size_t bytes)
{
    if (bytes_in_use() + bytes > device_bytes) return failed(cudaErrorMemoryAllocation);
    *memory = guarded_memory(bytes, "device");
    return cudaSuccess;
}

cudaError_t cudaMallocHost(void **memory, std::size_t bytes)
{
    *memory = guarded_memory(bytes, "pinned");
    return cudaSuccess;
}

cudaError_t cudaFree(void *memory)
{
    for (const cudaStream_t stream : streams) run_all(stream);  // as the device's does, it waits
    if (memory) free_guarded_memory(memory);
    return cudaSuccess;
}

cudaError_t cudaFreeHost(void *memory) { return cudaFree(memory); }

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned flags)
{
    if (flags != cudaStreamNonBlocking) return failed(cudaErrorInvalidValue);
    streams.push_back(*stream = new CUstream_st);
    return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream)
{
    check_stream(stream);
    run_all(stream);
    streams.erase(std::find(streams.begin(), streams.end(), stream));
    delete stream;
    return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream)
{
    check_stream(stream);
    run_all(stream);
    return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void *to, const void *from, std::size_t bytes, cudaMemcpyKind kind, cudaStream_t stream)
{
    return cudaMemcpy2DAsync(to, bytes, from, bytes, bytes, 1, kind, stream);
}

cudaError_t cudaMemcpy2DAsync(void *to, std::size_t to_pitch, const void *from, std::size_t from_pitch,
                              std::size_t width, std::size_t height, cudaMemcpyKind kind, cudaStream_t stream)
{
    if (width > to_pitch || width > from_pitch) return failed(cudaErrorInvalidValue);
    const bool up = kind == cudaMemcpyHostToDevice;
    if (height > 0)
        check_range(up ? to : from, (height - 1) * (up ? to_pitch : from_pitch) + width, "cudaMemcpy2DAsync");
    enqueue(stream, [=] {
        const DeviceAccess access;
        for (std::size_t row = 0; row < height; ++row)
            std::memcpy(static_cast<char *>(to) + row * to_pitch, static_cast<const char *>(from) + row * from_pitch,
                        width);
    });
    return cudaSuccess;
}

cudaError_t cudaMemsetAsync(void *memory, int value, std::size_t bytes, cudaStream_t stream)
{
    check_range(memory, bytes, "cudaMemsetAsync");
    enqueue(stream, [=] {
        const DeviceAccess access;
        std::memset(memory, value, bytes);
    });
    return cudaSuccess;
}
