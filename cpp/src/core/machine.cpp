// Limits of the machine, measured with the same instruction sets and threads that the stages use.
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstring>

#include "core/fft.h"
#include "core/machine_kernels.h"
#include "core/memory.h"
#include "core/threads.h"
#include "sidelook/stages.h"

namespace sidelook
{
namespace
{

double cpu_seconds()
{
    timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

template <class Work> double best_wall_seconds(int tries, const Work &work)
{
    double best = 1e30;
    for (int i = 0; i < tries; ++i) {
        const auto begin = std::chrono::steady_clock::now();
        work();
        best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    }
    return best;
}

}  // namespace

MachineLimits measure_machine(int threads)
{
    if (threads <= 0) threads = default_threads();
    constexpr std::int64_t bytes = 64 << 20;  // a thread: several times any last-level cache's share
    std::vector<Buffer<char>> from, to;
    for (int i = 0; i < threads; ++i) {
        from.emplace_back(bytes);
        to.emplace_back(bytes);
        std::memset(from.back().data(), 1, bytes);
        std::memset(to.back().data(), 0, bytes);
    }
    MachineLimits limits;
    const double copy = best_wall_seconds(5, [&] {
        parallel_for(threads, threads, [&](std::int64_t i, int) {
            const auto u = static_cast<std::size_t>(i);
            std::memcpy(to[u].data(), from[u].data(), bytes);
        });
    });
    limits.copy_bytes_per_s = 2.0 * static_cast<double>(bytes) * threads / copy;
    constexpr std::int64_t rounds = 4 << 20;
    double flops = 0;
    const double busy = best_wall_seconds(3, [&] {
        std::vector<double> done(static_cast<std::size_t>(threads));
        parallel_for(threads, threads, [&](std::int64_t i, int) {
            done[static_cast<std::size_t>(i)] = SIDELOOK_DISPATCH(spin_fma, rounds);
        });
        flops = 0;
        for (const double d : done) flops += d;
    });
    limits.flops_per_s = flops / busy;
    return limits;
}

double time_transforms(long long length, long long rows, long long batch)
{
    const std::int64_t stride = length + 16;
    Buffer<c64> data(batch * stride);
    std::fill(data.data(), data.data() + batch * stride,
              c64{});  // zeros: no overflow, and the time does not depend on values
    const View2<c64> view(data.data(), batch, length, stride);
    fft::forward(view);
    const double begin = cpu_seconds();
    for (std::int64_t done = 0; done < rows; done += batch) fft::forward(view);
    const double spent = cpu_seconds() - begin;
    return spent * static_cast<double>(rows) /
           (static_cast<double>((rows + batch - 1) / batch) * static_cast<double>(batch));
}

}  // namespace sidelook
