// Instruction sets. A file of kernels is compiled once for each (CMake: sidelook_isa_sources), inside the namespace
// that SIDELOOK_ISA names, and chosen at run time by best_isa(). The portable build comes first in link order, so that
// a template instantiated in several builds resolves to the portable one.
#pragma once

namespace sidelook
{

enum class Isa { portable = 0, avx2 = 1, avx512 = 2 };

/// The best set that this build has and this processor runs; SIDELOOK_MAX_ISA=portable|avx2|avx512 lowers it.
Isa best_isa();
const char *isa_name(Isa isa);

}  // namespace sidelook

/// Calls FUNCTION of the namespace of the best instruction set: SIDELOOK_DISPATCH(fft_rows, rows, true)
#ifdef SIDELOOK_X86_KERNELS
#define SIDELOOK_DISPATCH(FUNCTION, ...)                                                           \
    (::sidelook::best_isa() == ::sidelook::Isa::avx512 ? ::sidelook::avx512::FUNCTION(__VA_ARGS__) \
     : ::sidelook::best_isa() == ::sidelook::Isa::avx2 ? ::sidelook::avx2::FUNCTION(__VA_ARGS__)   \
                                                       : ::sidelook::portable::FUNCTION(__VA_ARGS__))
#define SIDELOOK_FOR_EACH_ISA(DECLARATIONS) \
    namespace portable                      \
    {                                       \
    DECLARATIONS                            \
    }                                       \
    namespace avx2                          \
    {                                       \
    DECLARATIONS                            \
    }                                       \
    namespace avx512                        \
    {                                       \
    DECLARATIONS                            \
    }
#else
#define SIDELOOK_DISPATCH(FUNCTION, ...) ::sidelook::portable::FUNCTION(__VA_ARGS__)
#define SIDELOOK_FOR_EACH_ISA(DECLARATIONS) \
    namespace portable                      \
    {                                       \
    DECLARATIONS                            \
    }
#endif
