// Peak arithmetic of one core, compiled once for each instruction set (see isa.h).
#include "core/machine_kernels.h"

#include "core/simd.h"

namespace sidelook::SIDELOOK_ISA
{

double spin_fma(std::int64_t rounds)
{
    constexpr int chains = 10;  // enough to hide the latency of 4 to 5 cycles on two units
    vfloat x[chains];
    for (int i = 0; i < chains; ++i) x[i] = splat(static_cast<float>(i));
    const vfloat a = splat(0.999f), b = splat(0.5f);
    for (std::int64_t r = 0; r < rounds; ++r)
        for (int i = 0; i < chains; ++i) x[i] = fma(x[i], a, b);
    float sum = 0;
    for (int i = 0; i < chains; ++i) sum += x[i][0];
    // The sum is below 1e5: it takes part so that the loop is not removed.
    return static_cast<double>(rounds) * chains * simd_width * 2 + (sum > 1e6f ? 1 : 0);
}

}  // namespace sidelook::SIDELOOK_ISA
