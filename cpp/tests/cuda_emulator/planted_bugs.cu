// Kernels with a bug planted, and the same without: `sidelook_planted_bugs NAME` runs one and tells whether its values
// are right, if it comes so far. test_emulator.cpp holds the emulator to finding each.
#include <cstdio>
#include <cstring>

#include "core/cuda/device.h"
#include "core/cuda/launch.h"

using sidelook::cuda::DeviceArray;
using sidelook::cuda::PinnedArray;
using sidelook::cuda::Stream;

namespace
{

enum class Bug {
    none,
    missing_barrier,
    global_out_of_bounds,
    before_global,
    shared_out_of_bounds,
    uninitialised_shared,
    divergent_barrier,
    barrier_after_end,
    non_atomic_update,
    non_atomic_between_blocks,
    missing_wait,
    host_dereference,
    host_pointer
};

float of_the_host[1];

constexpr int threads = 64, blocks = 8, count = threads * blocks;

/// out[i] = sum of in[i - 1], in[i], in[i + 1] within the block's part, by way of shared memory.
template <Bug bug> __global__ void sum_of_three(const float *in, float *out)
{
    SIDELOOK_SHARED(float, tile, [threads + 2]);
    const int t = static_cast<int>(threadIdx.x), i = static_cast<int>(blockIdx.x) * threads + t;
    if (bug == Bug::barrier_after_end && t == 5) return;
    tile[t + 1] = in[bug == Bug::global_out_of_bounds ? i + 1 : bug == Bug::before_global ? i - 1 : i];
    if (t == 0 && bug != Bug::uninitialised_shared) tile[0] = tile[threads + 1] = 0;
    if (bug == Bug::divergent_barrier && t % 2 == 0)
        __syncthreads();
    else if (bug != Bug::missing_barrier)
        __syncthreads();
    const int right = bug == Bug::shared_out_of_bounds ? t + 3 : t + 2;
    out[i] = tile[t] + tile[t + 1] + (&tile[0])[right];
}

/// *sum += the number of threads.
template <Bug bug> __global__ void count_threads(unsigned *sum)
{
    if (bug == Bug::non_atomic_update || (bug == Bug::non_atomic_between_blocks && threadIdx.x == 0))
        *sum += 1;
    else if (bug != Bug::non_atomic_between_blocks)
        atomicAdd(sum, 1u);
}

template <Bug bug> bool sum_is_right()
{
    const Stream stream;
    PinnedArray<float> in(count), out(count);
    for (int i = 0; i < count; ++i) in.data()[i] = static_cast<float>(i % 37);
    const DeviceArray<float> d_in(count), d_out(count);
    sidelook::cuda::upload(d_in.data(), in.data(), count, stream);
    const float *const given = bug == Bug::host_pointer ? of_the_host : d_in.data();
    SIDELOOK_LAUNCH(sum_of_three<bug>, dim3(blocks), dim3(threads), 0, stream.get(), given, d_out.data());
    sidelook::cuda::check(
        cudaMemcpyAsync(out.data(), d_out.data(), count * sizeof(float), cudaMemcpyDeviceToHost, stream.get()),
        "the download");
    if (bug != Bug::missing_wait) stream.wait("sum_of_three");
    if (bug == Bug::host_dereference) std::printf("%g\n", static_cast<double>(d_out.data()[7]));
    bool right = true;
    for (int i = 0; i < count; ++i) {
        const int t = i % threads;
        const float want = (t > 0 ? in.data()[i - 1] : 0) + in.data()[i] + (t < threads - 1 ? in.data()[i + 1] : 0);
        right = right && out.data()[i] == want;
    }
    return right;
}

template <Bug bug> bool count_is_right()
{
    const Stream stream;
    PinnedArray<unsigned> sum(1);
    sum.data()[0] = 0;
    const DeviceArray<unsigned> d_sum(1);
    sidelook::cuda::upload(d_sum.data(), sum.data(), 1, stream);
    SIDELOOK_LAUNCH(count_threads<bug>, dim3(blocks), dim3(threads), 0, stream.get(), d_sum.data());
    sidelook::cuda::check(
        cudaMemcpyAsync(sum.data(), d_sum.data(), sizeof(unsigned), cudaMemcpyDeviceToHost, stream.get()),
        "the download");
    stream.wait("count_threads");
    return sum.data()[0] == (bug == Bug::non_atomic_between_blocks ? blocks : count);
}

const struct {
    const char *name;
    bool (*values_are_right)();
} planted[] = {
    {"none", [] { return sum_is_right<Bug::none>() && count_is_right<Bug::none>(); }},
    {"missing_barrier", sum_is_right<Bug::missing_barrier>},
    {"global_out_of_bounds", sum_is_right<Bug::global_out_of_bounds>},
    {"before_global", sum_is_right<Bug::before_global>},
    {"shared_out_of_bounds", sum_is_right<Bug::shared_out_of_bounds>},
    {"uninitialised_shared", sum_is_right<Bug::uninitialised_shared>},
    {"divergent_barrier", sum_is_right<Bug::divergent_barrier>},
    {"barrier_after_end", sum_is_right<Bug::barrier_after_end>},
    {"non_atomic_update", count_is_right<Bug::non_atomic_update>},
    {"non_atomic_between_blocks", count_is_right<Bug::non_atomic_between_blocks>},
    {"missing_wait", sum_is_right<Bug::missing_wait>},
    {"host_dereference", sum_is_right<Bug::host_dereference>},
    {"host_pointer", sum_is_right<Bug::host_pointer>},
};

}  // namespace

int main(int argc, char **argv)
{
    for (const auto &[name, values_are_right] : planted) {
        if (argc != 2 || std::strcmp(argv[1], name) != 0) continue;
        const bool right = values_are_right();
        std::printf(right ? "right values\n" : "wrong values\n");
        return right ? 0 : 1;
    }
    std::printf("NAME is missing or unknown; must be one of those in planted_bugs.cu\n");
    return 2;
}
