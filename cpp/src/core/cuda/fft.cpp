#include "core/cuda/fft.h"

#include "core/text.h"
#include "sidelook/error.h"

namespace sidelook::cuda
{
namespace
{

void check(cufftResult status, const char *what)
{
    if (status == CUFFT_SUCCESS) return;
    throw Error(status == CUFFT_ALLOC_FAILED ? Code::over_memory : Code::failure,
                text("CUDA: ", what, " failed: cuFFT's status ", static_cast<int>(status)));
}

}  // namespace

RowTransforms::RowTransforms(std::int64_t length, std::int64_t rows, const Stream &stream)
{
    require(length > 0 && length <= 1 << 27 && rows > 0 && rows <= 1 << 20,  // cuFFT's counts are ints
            text("transform of ", rows, " rows of ", length, "; must be 1 to 2^20 rows of 1 to 2^27"));
    int n = static_cast<int>(length);
    check(cufftPlanMany(&plan_, 1, &n, nullptr, 1, n, nullptr, 1, n, CUFFT_C2C, static_cast<int>(rows)),
          "the plan of a transform");
    const cufftResult joined = cufftSetStream(plan_, stream.get());
    if (joined != CUFFT_SUCCESS) cufftDestroy(plan_);
    check(joined, "the choice of a transform's stream");
}

RowTransforms::~RowTransforms() { cufftDestroy(plan_); }

void RowTransforms::forward(float2 *d_in, float2 *d_out) const
{
    check(cufftExecC2C(plan_, d_in, d_out, CUFFT_FORWARD), "a forward transform");
}

void RowTransforms::inverse(float2 *d_in, float2 *d_out) const
{
    check(cufftExecC2C(plan_, d_in, d_out, CUFFT_INVERSE), "an inverse transform");
}

}  // namespace sidelook::cuda
