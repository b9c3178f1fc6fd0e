// cuFFT's rows, by the transforms of core/fft.h.
#include <cufft.h>

#include <algorithm>
#include <map>

#include "core/fft.h"
#include "emulator.h"

namespace
{

struct Plan {
    std::int64_t length, rows;
    cudaStream_t stream = nullptr;
    std::int64_t size() const { return length * rows; }
};
std::map<cufftHandle, Plan> plans;
cufftHandle next_handle = 1;

}  // namespace

cufftResult cufftPlanMany(cufftHandle *plan, int rank, int *n, int *in_embed, int, int, int *out_embed, int, int,
                          cufftType type, int batch)
{
    if (rank != 1 || in_embed || out_embed || type != CUFFT_C2C || n[0] < 1 || batch < 1) return CUFFT_INVALID_VALUE;
    *plan = next_handle++;
    plans[*plan] = {n[0], batch};
    return CUFFT_SUCCESS;
}

cufftResult cufftSetStream(cufftHandle plan, cudaStream_t stream)
{
    if (plans.count(plan) == 0) return CUFFT_INVALID_PLAN;
    plans[plan].stream = stream;
    return CUFFT_SUCCESS;
}

cufftResult cufftDestroy(cufftHandle plan) { return plans.erase(plan) ? CUFFT_SUCCESS : CUFFT_INVALID_PLAN; }

cufftResult cufftExecC2C(cufftHandle plan, cufftComplex *in, cufftComplex *out, int direction)
{
    if (plans.count(plan) == 0) return CUFFT_INVALID_PLAN;
    const Plan p = plans[plan];
    for (const cufftComplex *array : {in, out})
        if (!emulator::device_sees(array, static_cast<std::size_t>(p.size()) * sizeof *array))
            emulator::fail("cufftExecC2C: %lld rows of %lld at %p are not within one array of the device",
                           static_cast<long long>(p.rows), static_cast<long long>(p.length),
                           static_cast<const void *>(array));
    emulator::enqueue(p.stream, [=] {
        const emulator::DeviceAccess access;
        if (in != out) std::copy_n(in, p.size(), out);
        const sidelook::View2<sidelook::c64> rows(reinterpret_cast<sidelook::c64 *>(out), p.rows, p.length);
        direction == CUFFT_FORWARD ? sidelook::fft::forward(rows) : sidelook::fft::inverse(rows);
    });
    return CUFFT_SUCCESS;
}
