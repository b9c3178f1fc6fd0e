// All of CUDA's own syntax that .cu files use, so that the emulator of the tests can take its place:
//   SIDELOOK_SHARED(float, tile, [8][33]);              an array of the block
//   SIDELOOK_DYNAMIC_SHARED(float, sums);               the array whose bytes the launch gives
//   SIDELOOK_LAUNCH(kernel, grid, block, shared_bytes, stream, arguments...);
// A launch is checked: what CUDA refuses is thrown as Error.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>

#include "core/cuda/device.h"

#if defined(SIDELOOK_CUDA_EMULATED)

#include "emulator.h"

// NOLINTBEGIN(bugprone-macro-parentheses): types, names and extents are no expressions
#define SIDELOOK_SHARED(TYPE, NAME, EXTENTS) \
    static char NAME##_site;                 \
    auto &NAME = *static_cast<TYPE(*) EXTENTS>(::emulator::shared_array(&NAME##_site, sizeof(TYPE EXTENTS)))
#define SIDELOOK_DYNAMIC_SHARED(TYPE, NAME) TYPE *NAME = static_cast<TYPE *>(::emulator::dynamic_shared_array())
#define SIDELOOK_LAUNCH(KERNEL, ...) \
    ::sidelook::cuda::check(::emulator::launch(#KERNEL, KERNEL, __VA_ARGS__), "the launch of " #KERNEL)
// NOLINTEND(bugprone-macro-parentheses)

#else

#define SIDELOOK_SHARED(TYPE, NAME, EXTENTS) __shared__ TYPE NAME EXTENTS
#define SIDELOOK_DYNAMIC_SHARED(TYPE, NAME)                     \
    extern __shared__ __align__(16) unsigned char NAME##_raw[]; \
    TYPE *NAME = reinterpret_cast<TYPE *>(NAME##_raw)
#define SIDELOOK_LAUNCH(KERNEL, ...) ::sidelook::cuda::launch("the launch of " #KERNEL, KERNEL, __VA_ARGS__)

namespace sidelook::cuda
{

template <class... Parameters, class... Arguments>
void launch(const char *what, void (*kernel)(Parameters...), dim3 grid, dim3 block, std::size_t shared_bytes,
            cudaStream_t stream, Arguments... arguments)
{
    kernel<<<grid, block, shared_bytes, stream>>>(static_cast<Parameters>(arguments)...);
    check(cudaGetLastError(), what);
}

}  // namespace sidelook::cuda

#endif
