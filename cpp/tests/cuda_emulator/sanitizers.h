// What the sanitizers must be told of code that changes stacks and orders threads by itself. Empty without them.
#pragma once

#include <cstddef>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#define EMULATOR_ASAN 1
#else
#define EMULATOR_ASAN 0
#endif

// The emulator's own files are compiled without ThreadSanitizer, so that it sees kernels and not the scheduler; the
// build says that the program is watched.
#if defined(EMULATOR_WATCHED_BY_TSAN)
#include <sanitizer/tsan_interface.h>
#define EMULATOR_TSAN 1
extern "C" {
void AnnotateBenignRaceSized(const char *file, int line, const volatile void *address, std::size_t bytes,
                             const char *why);
void AnnotateIgnoreWritesBegin(const char *file, int line);
void AnnotateIgnoreWritesEnd(const char *file, int line);
}
#else
#define EMULATOR_TSAN 0
#endif

namespace emulator
{

/// What happened before release(edge) happens before what follows acquire(edge).
inline void release([[maybe_unused]] void *edge)
{
#if EMULATOR_TSAN
    __tsan_release(edge);
#endif
}
inline void acquire([[maybe_unused]] void *edge)
{
#if EMULATOR_TSAN
    __tsan_acquire(edge);
#endif
}

/// While one exists ThreadSanitizer looks away: the scheduler keeps its books on threads that nothing orders.
class Unwatched
{
public:
    Unwatched()
    {
#if EMULATOR_TSAN
        AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
#endif
    }
    ~Unwatched()
    {
#if EMULATOR_TSAN
        AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
#endif
    }
    Unwatched(const Unwatched &) = delete;
    Unwatched &operator=(const Unwatched &) = delete;
};

}  // namespace emulator
