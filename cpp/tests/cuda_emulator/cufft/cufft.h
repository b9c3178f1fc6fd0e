// The part of cuFFT's interface that Sidelook uses, in cuFFT's own words. The emulator's tests compile against it, and
// so does the gate on kernels where a toolkit comes without cuFFT's header; a build that runs on a device never does.
#pragma once

#include <cuda_runtime.h>

using cufftHandle = int;
using cufftComplex = float2;
enum cufftResult { CUFFT_SUCCESS = 0, CUFFT_INVALID_PLAN = 1, CUFFT_ALLOC_FAILED = 2, CUFFT_INVALID_VALUE = 4 };
enum cufftType { CUFFT_C2C = 0x29 };
constexpr int CUFFT_FORWARD = -1, CUFFT_INVERSE = 1;

extern "C" {
cufftResult cufftPlanMany(cufftHandle *plan, int rank, int *n, int *in_embed, int in_stride, int in_distance,
                          int *out_embed, int out_stride, int out_distance, cufftType type, int batch);
cufftResult cufftSetStream(cufftHandle plan, cudaStream_t stream);
cufftResult cufftExecC2C(cufftHandle plan, cufftComplex *in, cufftComplex *out, int direction);
cufftResult cufftDestroy(cufftHandle plan);
}
