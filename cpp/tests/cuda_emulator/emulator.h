// The emulator's inside: what kernels call through cuda_runtime.h and device.h, and what tests set and ask.
//
// One block runs at a time, its threads as fibers of one host thread, each until it must wait for others; who runs next
// is drawn at random. Work given to a stream is done later, at moments drawn at random, in the stream's order. The seed
// of it all is printed with every finding.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <tuple>
#include <type_traits>

#include "cuda_runtime.h"

namespace emulator
{

// ---- for tests -----------------------------------------------------------------------------------------------------

/// Begins another order of threads, blocks and streams. The first is 1, or what SIDELOOK_EMULATOR_SEED says.
void set_seed(std::uint64_t seed);
void set_device_count(int count);
/// Device memory that cudaMalloc may give out.
void set_device_bytes(std::size_t bytes);
/// Device and pinned memory given out and not yet freed.
std::size_t bytes_in_use();

/// Prints what was found, by whom, and the seed.
void report(const char *text);
/// The same, and aborts.
[[noreturn]] [[gnu::format(printf, 1, 2)]] void fail(const char *format, ...);

// ---- kernels -------------------------------------------------------------------------------------------------------

/// Runs every thread of the grid.
void run_grid(const char *kernel, dim3 grid, dim3 block, std::size_t shared_bytes, const std::function<void()> &thread);
/// __syncthreads: waits for every thread of the block.
void wait_for_block(const char *file, int line);
/// Gives `value` to the warp and waits for the lanes of `mask`; what the lane `from` gave, all ones if it is not there.
std::uint64_t exchange(unsigned mask, std::uint64_t value, unsigned from, const char *file, int line);
/// One bit a lane of `mask`: whether it gave a value that is not 0.
unsigned ballot(unsigned mask, bool value, const char *file, int line);
unsigned lane();
/// A shared array, told from others by the address of `site`: the same for all threads of a block, NaN at its
/// beginning.
void *shared_array(const void *site, std::size_t bytes);
/// The array whose size the launch gave.
void *dynamic_shared_array();
/// The running kernel and thread, or "the host".
void describe_place(char *text, std::size_t size);
/// Whether a thread of a kernel has run out of stack there.
bool is_stack_guard(const void *address);

// ---- memory --------------------------------------------------------------------------------------------------------

/// Memory whose last byte is the last before a page that nobody may touch, filled with ones: NaN as float.
void *guarded_memory(std::size_t bytes, const char *what);
void free_guarded_memory(void *memory);
/// Makes shared memory as good as new.
void renew_shared_memory(void *memory, std::size_t bytes);

/// While one exists the host may touch device memory, as kernels and copies do.
class DeviceAccess
{
public:
    DeviceAccess();
    ~DeviceAccess();
    DeviceAccess(const DeviceAccess &) = delete;
    DeviceAccess &operator=(const DeviceAccess &) = delete;
};

/// Whether all these bytes are device memory (or memory that cudaMallocHost gave, which devices see too).
bool device_sees(const void *memory, std::size_t bytes);

// ---- streams -------------------------------------------------------------------------------------------------------

void enqueue(cudaStream_t stream, std::function<void()> work);
std::uint64_t random_below(std::uint64_t n);
/// Also remembers it for cudaGetLastError.
cudaError_t failed(cudaError_t error);
cudaError_t check_launch(dim3 grid, dim3 block, std::size_t shared_bytes);

template <class T> void check_argument(const char *kernel, int index, const T &value)
{
    static_assert(std::is_trivially_copyable_v<T>, "kernels take their arguments by value, bit by bit");
    if constexpr (std::is_pointer_v<T>)
        if (value && !device_sees(value, 1)) fail("argument %d of %s is a pointer to the host's memory", index, kernel);
}

/// What <<<>>> does, with every argument looked at first.
template <class... Parameters, class... Arguments>
cudaError_t launch(const char *name, void (*kernel)(Parameters...), dim3 grid, dim3 block, std::size_t shared_bytes,
                   cudaStream_t stream, Arguments... arguments)
{
    const std::tuple<Parameters...> values{static_cast<Parameters>(arguments)...};
    int index = 0;
    std::apply([&](const auto &...value) { (check_argument(name, ++index, value), ...); }, values);
    if (const cudaError_t error = check_launch(grid, block, shared_bytes); error != cudaSuccess) return error;
    enqueue(stream, [=] {
        const DeviceAccess access;
        run_grid(name, grid, block, shared_bytes, [&] { std::apply(kernel, values); });
    });
    return cudaSuccess;
}

}  // namespace emulator
