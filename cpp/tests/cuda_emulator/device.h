// What kernels may call: indices, barriers, warp exchanges, atomics, and mathematics that only devices have.
#pragma once

#include <cmath>
#include <cstring>

extern uint3 threadIdx, blockIdx;
extern dim3 blockDim, gridDim;
constexpr int warpSize = 32;

namespace emulator
{
void wait_for_block(const char *file, int line);
std::uint64_t exchange(unsigned mask, std::uint64_t value, unsigned from, const char *file, int line);
unsigned ballot(unsigned mask, bool value, const char *file, int line);
unsigned lane();

template <class T> T shuffle(unsigned mask, T value, unsigned from, const char *file, int line)
{
    static_assert(sizeof(T) <= 8);
    std::uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof value);
    bits = exchange(mask, bits, from, file, line);
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

/// A real atomic update, so that ThreadSanitizer knows it for one.
template <class T, class Change> T update(T *place, Change change)
{
    static_assert(sizeof(T) == 4 || sizeof(T) == 8);
    T before, after;
    __atomic_load(place, &before, __ATOMIC_RELAXED);
    do after = change(before);
    while (!__atomic_compare_exchange(place, &before, &after, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    return before;
}
}  // namespace emulator

// Where a kernel waits is told in the report of a deadlock.
#define EMULATOR_PLACE const char *file = __builtin_FILE(), int line = __builtin_LINE()

inline void __syncthreads(EMULATOR_PLACE) { emulator::wait_for_block(file, line); }
inline void __syncwarp(unsigned mask = 0xffffffffu, EMULATOR_PLACE) { emulator::ballot(mask, true, file, line); }
inline unsigned __ballot_sync(unsigned mask, int value, EMULATOR_PLACE)
{
    return emulator::ballot(mask, value != 0, file, line);
}

// A source beyond the warp's end is the lane itself, as on the device.
template <class T> T __shfl_sync(unsigned mask, T value, int from, EMULATOR_PLACE)
{
    return emulator::shuffle(mask, value, static_cast<unsigned>(from) % 32, file, line);
}
template <class T> T __shfl_up_sync(unsigned mask, T value, unsigned by, EMULATOR_PLACE)
{
    const unsigned lane = emulator::lane();
    return emulator::shuffle(mask, value, lane >= by ? lane - by : lane, file, line);
}
template <class T> T __shfl_down_sync(unsigned mask, T value, unsigned by, EMULATOR_PLACE)
{
    const unsigned lane = emulator::lane();
    return emulator::shuffle(mask, value, lane + by < 32 ? lane + by : lane, file, line);
}
template <class T> T __shfl_xor_sync(unsigned mask, T value, int with, EMULATOR_PLACE)
{
    return emulator::shuffle(mask, value, (emulator::lane() ^ static_cast<unsigned>(with)) % 32, file, line);
}
#undef EMULATOR_PLACE

template <class T> T atomicAdd(T *place, T value)
{
    return emulator::update(place, [=](T before) { return static_cast<T>(before + value); });
}
template <class T> T atomicMax(T *place, T value)
{
    return emulator::update(place, [=](T before) { return before > value ? before : value; });
}
template <class T> T atomicMin(T *place, T value)
{
    return emulator::update(place, [=](T before) { return before < value ? before : value; });
}

template <class T> T min(T a, T b) { return b < a ? b : a; }
template <class T> T max(T a, T b) { return a < b ? b : a; }
inline float rsqrtf(float x) { return 1.0f / std::sqrt(x); }
/// sin(pi x) and cos(pi x), exact in the reduction, as on the device.
inline void sincospif(float x, float *sine, float *cosine)
{
    const double angle = 3.14159265358979323846 * (x - 2.0 * std::rint(0.5 * x));
    *sine = static_cast<float>(std::sin(angle));
    *cosine = static_cast<float>(std::cos(angle));
}
