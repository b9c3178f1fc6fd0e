// The emulator itself: kernels do what CUDA says, in an order that changes with the seed, and every planted bug is
// found.
#include <sys/wait.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "core/cuda/device.h"
#include "core/cuda/launch.h"
#include "harness.h"

using namespace sidelook;
using cuda::DeviceArray;

namespace
{

/// Runs `launch` on device copies of the values, and brings back what it leaves there.
template <class T, class Launch> std::vector<T> on_device(const std::vector<T> &values, const Launch &launch)
{
    const cuda::Stream stream;
    const auto n = static_cast<std::int64_t>(values.size());
    const DeviceArray<T> d_values(n);
    std::vector<T> out(values.size());
    cuda::upload(d_values.data(), values.data(), n, stream);
    launch(d_values.data(), stream.get());
    cuda::check(
        cudaMemcpyAsync(out.data(), d_values.data(), values.size() * sizeof(T), cudaMemcpyDeviceToHost, stream.get()),
        "the download");
    stream.wait("the kernel");
    return out;
}

__global__ void number_threads(int *numbers)
{
    const auto place = [](uint3 i, dim3 n) { return i.x + n.x * (i.y + n.y * i.z); };
    const unsigned t = place(threadIdx, blockDim), b = place(blockIdx, gridDim);
    numbers[b * blockDim.x * blockDim.y * blockDim.z + t] = static_cast<int>(1000 * b + t);
}

/// Every exchange of a warp, each into its own part of `values`; the first part holds what goes in.
__global__ void exchange(int *values)
{
    const int lane = static_cast<int>(threadIdx.x) % 32, n = static_cast<int>(blockDim.x),
              t = static_cast<int>(threadIdx.x);
    const int x = values[t];
    int sum = x;
    for (unsigned by = 1; by < 32; by *= 2) {  // inclusive prefix sum (Hillis & Steele 1986)
        const int before = __shfl_up_sync(0xffffffffu, sum, by);
        if (lane >= static_cast<int>(by)) sum += before;
    }
    values[n + t] = sum;
    values[2 * n + t] = __shfl_down_sync(0xffffffffu, x, 3);
    values[3 * n + t] = __shfl_xor_sync(0xffffffffu, x, 5);
    values[4 * n + t] = __shfl_sync(0xffffffffu, x, 7);
    values[5 * n + t] = static_cast<int>(__ballot_sync(0xffffffffu, x % 3 == 0));
    if (lane < 8) values[6 * n + t] = __shfl_xor_sync(0xffu, x, 1);  // a part of the warp
}

/// Counts of values 0..15, then the largest and the smallest, by way of shared memory.
__global__ void count_values(const unsigned *values, int n, unsigned *counts)
{
    SIDELOOK_DYNAMIC_SHARED(unsigned, mine);
    if (threadIdx.x < 16) mine[threadIdx.x] = 0;
    __syncthreads();
    for (unsigned i = blockIdx.x * blockDim.x + threadIdx.x; i < static_cast<unsigned>(n);
         i += gridDim.x * blockDim.x) {
        atomicAdd(&mine[values[i]], 1u);
        atomicMax(&counts[16], values[i]);
        atomicMin(&counts[17], values[i]);
    }
    __syncthreads();
    if (threadIdx.x < 16) atomicAdd(&counts[threadIdx.x], mine[threadIdx.x]);
}

/// When each thread had its turn.
__global__ void note_order(unsigned *turns) { turns[1 + blockIdx.x * blockDim.x + threadIdx.x] = atomicAdd(turns, 1u); }

std::vector<unsigned> order(std::uint64_t seed)
{
    emulator::set_seed(seed);
    return on_device(std::vector<unsigned>(1 + 4 * 32), [](unsigned *d, cudaStream_t stream) {
        SIDELOOK_LAUNCH(note_order, dim3(4), dim3(32), 0, stream, d);
    });
}

/// The lesser of each and 5, and the greater.
__global__ void limit(int *values, int n)
{
    const int t = static_cast<int>(threadIdx.x), x = values[t];
    values[n + t] = min(x, 5);
    values[2 * n + t] = max(x, 5);
}

struct Run {
    int status;
    std::string said;
};

Run run(const std::string &command)
{
    Run run;
    FILE *const pipe = popen((command + " 2>&1").c_str(), "r");
    for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) run.said += static_cast<char>(c);
    run.status = pclose(pipe);
    return run;
}

}  // namespace

TEST(emulator, threads_have_their_indices)
{
    const std::vector<int> got = on_device(std::vector<int>(2 * 3 * 2 * 4 * 3 * 5), [](int *d, cudaStream_t stream) {
        SIDELOOK_LAUNCH(number_threads, dim3(2, 3, 2), dim3(4, 3, 5), 0, stream, d);
    });
    for (std::size_t i = 0; i < got.size(); ++i) CHECK(got[i] == static_cast<int>(1000 * (i / 60) + i % 60));
}

TEST(emulator, lanes_exchange_as_documented)
{
    constexpr int n = 64;
    std::vector<int> values(7 * n);
    for (int i = 0; i < n; ++i) values[static_cast<std::size_t>(i)] = i * i % 23;
    const auto x = [&](int warp, int lane) { return values[static_cast<std::size_t>(32 * warp + lane)]; };
    for (const std::uint64_t seed : {1, 2, 3}) {
        emulator::set_seed(seed);
        const std::vector<int> got = on_device(
            values, [](int *d, cudaStream_t stream) { SIDELOOK_LAUNCH(exchange, dim3(1), dim3(n), 0, stream, d); });
        for (int t = 0; t < n; ++t) {
            const int w = t / 32, lane = t % 32;
            const auto part = [&](int p) { return got[static_cast<std::size_t>(p * n + t)]; };
            int sum = 0, votes = 0;
            for (int l = 0; l <= lane; ++l) sum += x(w, l);
            for (int l = 0; l < 32; ++l) votes |= (x(w, l) % 3 == 0) << l;
            CHECK(part(1) == sum);
            CHECK(part(2) == x(w, lane + 3 < 32 ? lane + 3 : lane));
            CHECK(part(3) == x(w, lane ^ 5));
            CHECK(part(4) == x(w, 7));
            CHECK(part(5) == votes);
            CHECK(part(6) == (lane < 8 ? x(w, lane ^ 1) : 0));
        }
    }
}

TEST(emulator, atomics_and_dynamic_shared_memory_count)
{
    constexpr int n = 3000;
    std::vector<unsigned> values(n), want(18);
    for (unsigned i = 0; i < n; ++i) ++want[values[i] = 1 + i * i % 13];
    want[16] = *std::max_element(values.begin(), values.end());
    want[17] = *std::min_element(values.begin(), values.end());
    std::vector<unsigned> counts(18);
    counts[17] = 99;
    const cuda::Stream stream;
    const DeviceArray<unsigned> d_values(n);
    cuda::upload(d_values.data(), values.data(), n, stream);
    const std::vector<unsigned> got = on_device(counts, [&](unsigned *d, cudaStream_t other) {
        stream.wait("the upload");
        SIDELOOK_LAUNCH(count_values, dim3(3), dim3(96), 16 * sizeof(unsigned), other, d_values.data(), n, d);
    });
    CHECK(got == want);
}

TEST(emulator, values_are_limited)
{
    std::vector<int> values(3 * 8);
    for (int i = 0; i < 8; ++i) values[static_cast<std::size_t>(i)] = i;
    const std::vector<int> got = on_device(
        values, [](int *d, cudaStream_t stream) { SIDELOOK_LAUNCH(limit, dim3(1), dim3(8), 0, stream, d, 8); });
    for (std::size_t i = 0; i < 8; ++i) {
        CHECK(got[8 + i] == std::min(static_cast<int>(i), 5));
        CHECK(got[16 + i] == std::max(static_cast<int>(i), 5));
    }
}

TEST(emulator, the_order_is_the_seeds)
{
    CHECK(order(1) == order(1));
    CHECK(order(1) != order(2));
    std::vector<unsigned> turns = order(5);
    CHECK(!std::is_sorted(turns.begin() + 1, turns.end()));
    std::sort(turns.begin() + 1, turns.end());
    for (unsigned i = 0; i < 128; ++i) CHECK(turns[1 + i] == i);
}

TEST(emulator, what_cuda_refuses_is_an_error)
{
    const std::size_t before = emulator::bytes_in_use();
    CHECK_REFUSED(Code::over_memory, "an array of 17179869184 bytes does not fit",
                  DeviceArray<char>(std::int64_t{16} << 30));
    CHECK_REFUSED(Code::failure, "the launch of note_order failed: invalid configuration",
                  on_device(std::vector<unsigned>(2000), [](unsigned *d, cudaStream_t stream) {
                      SIDELOOK_LAUNCH(note_order, dim3(1), dim3(2000), 0, stream, d);
                  }));
    CHECK(cudaGetLastError() == cudaSuccess);
    CHECK(emulator::bytes_in_use() == before);
}

TEST(emulator, every_planted_bug_is_found)
{
#if defined(EMULATOR_WATCHED_BY_TSAN)
    constexpr bool tsan = true;
#else
    constexpr bool tsan = false;
#endif
#if defined(__SANITIZE_ADDRESS__)
    constexpr bool asan = true;
#else
    constexpr bool asan = false;
#endif
    // What is said of each bug. Nothing: this build cannot find it, the one with the sanitizer named in docs/cuda.md
    // does.
    const std::vector<std::pair<std::string, std::string>> bugs{
        {"missing_barrier", tsan ? "data race" : "wrong values"},
        {"uninitialised_shared", "wrong values"},
        {"global_out_of_bounds", "out of bounds: 0 bytes beyond a device array"},
        {"before_global", asan ? "use-after-poison" : ""},
        {"shared_out_of_bounds", "out of bounds: 0 bytes beyond a shared array"},
        {"divergent_barrier", "divergent barrier"},
        {"barrier_after_end", "deadlock"},
        {"non_atomic_update", tsan ? "data race" : ""},
        {"non_atomic_between_blocks", tsan ? "data race" : ""},
        {"missing_wait", "wrong values"},
        {"host_dereference", "dereferences a pointer to the device's memory, byte 28 of 2048"},
        {"host_pointer", "argument 1 of sum_of_three<bug> is a pointer to the host's memory"},
    };
    const Run good = run(SIDELOOK_PLANTED_BUGS " none");
    CHECK(good.status == 0 && good.said == "right values\n");
    for (const auto &[name, words] : bugs) {
        if (words.empty()) continue;
        const Run found = run(std::string(SIDELOOK_PLANTED_BUGS " ") + name);
        CHECK(found.status != 0);
        if (found.said.find(words) == std::string::npos)
            harness::fail(__FILE__, __LINE__, text(name, " is not found: \"", words, "\" is not in: ", found.said));
    }
}
