#include "core/isa.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace sidelook
{

Isa best_isa()
{
    static const Isa best = [] {
        Isa found = Isa::portable;
#ifdef SIDELOOK_X86_KERNELS
        if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) found = Isa::avx2;
        if (found == Isa::avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
            __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
            found = Isa::avx512;
        if (const char *wish = std::getenv("SIDELOOK_MAX_ISA")) {
            if (std::strcmp(wish, "portable") == 0) found = Isa::portable;
            if (std::strcmp(wish, "avx2") == 0) found = std::min(found, Isa::avx2);
        }
#endif
        return found;
    }();
    return best;
}

const char *isa_name(Isa isa) { return isa == Isa::avx512 ? "avx512" : isa == Isa::avx2 ? "avx2" : "portable"; }

}  // namespace sidelook
