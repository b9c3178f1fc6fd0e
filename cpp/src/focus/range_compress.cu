// range_compress, CUDA. Twin: range_compress.cpp
// in: echoes [pulse][sample] c64; out: compressed lines [pulse][sample'] c64
//
// Two batches of lines take turns, each on a stream of its own: while one is on the device, the host fills or empties
// the other's pinned memory.
#include <algorithm>
#include <array>
#include <cstring>

#include "core/cuda/device.h"
#include "core/cuda/fft.h"
#include "core/cuda/launch.h"
#include "core/threads.h"
#include "focus/range_compress.h"

namespace sidelook
{
namespace
{

constexpr int block_threads = 256;

/// Filters and turns each line's spectrum, and lays it out for an inverse transform of another length: one thread a
/// bin, blockIdx.y the line.
__global__ void __launch_bounds__(block_threads)
    filter_lines(const float2 *__restrict__ spectrum, int length_in, const float2 *__restrict__ filter, int half,
                 const Turns *__restrict__ turns_a_bin, float2 *__restrict__ out, int length_out)
{
    const int place = static_cast<int>(blockIdx.x) * block_threads + static_cast<int>(threadIdx.x);
    if (place >= length_out) return;
    const std::int64_t line = blockIdx.y;
    const int bin = place <= half ? place : place - length_out;
    float2 x = make_float2(0, 0);
    if (bin >= -half) {
        x = spectrum[line * length_in + (bin < 0 ? bin + length_in : bin)];
        const float2 h = filter[half + bin];
        multiply_bin(x.x, x.y, h.x, h.y);
        float sine, cosine;
        sincospif(2 * cycles_of(static_cast<Turns>(std::int64_t{bin}) * turns_a_bin[line]), &sine, &cosine);
        multiply_bin(x.x, x.y, cosine, sine);
    }
    out[line * length_out + place] = x;
}

/// Its memory is its own: one call of compute() at a time.
class RangeCompressCuda final : public LineStage<c64, c64>
{
public:
    explicit RangeCompressCuda(std::shared_ptr<const RangePlan> plan);

    const char *name() const override { return "range_compress"; }
    std::int64_t samples_in() const override { return plan_->grid().samples_in.size(); }
    std::int64_t samples_out() const override { return plan_->grid().samples; }
    std::int64_t workspace_bytes(std::int64_t, int) const override { return plan_->device_staging_bytes(); }
    void compute(View2<const c64> in, Interval in_lines, View2<c64> out, Interval out_lines, int threads,
                 Workspace &workspace) const override;

private:
    /// A batch's memory and transforms.
    struct Slot {
        explicit Slot(const RangePlan &plan);
        cuda::Stream stream;  // first: what follows is used on it
        cuda::PinnedArray<c64> in, out;
        cuda::PinnedArray<Turns> turns;
        cuda::DeviceArray<float2> d_in, d_spectrum, d_out;
        cuda::DeviceArray<Turns> d_turns;
        cuda::RowTransforms forward, inverse;
    };
    void start(const Slot &slot, std::int64_t lines) const;

    std::shared_ptr<const RangePlan> plan_;
    cuda::DeviceArray<float2> d_filter_;
    std::array<Slot, 2> slots_;
};

RangeCompressCuda::Slot::Slot(const RangePlan &plan)
    : in(plan.device_batch() * plan.grid().samples_in.size()), out(plan.device_batch() * plan.grid().samples),
      turns(plan.device_batch()), d_in(plan.device_batch() * plan.fft_length()), d_spectrum(d_in.size()),
      d_out(plan.device_batch() * plan.inverse_fft_length()), d_turns(plan.device_batch()),
      forward(plan.fft_length(), plan.device_batch(), stream),
      inverse(plan.inverse_fft_length(), plan.device_batch(), stream)
{
    // The zeros beyond a line's samples stay: the forward transform leaves its input as it is.
    cuda::check(cudaMemsetAsync(d_in.data(), 0, static_cast<std::size_t>(d_in.size()) * sizeof(float2), stream.get()),
                "the silence behind the lines");
}

RangeCompressCuda::RangeCompressCuda(std::shared_ptr<const RangePlan> plan)
    : plan_(std::move(plan)), d_filter_(static_cast<std::int64_t>(plan_->filter().size())),
      slots_{Slot(*plan_), Slot(*plan_)}
{
    const auto *const filter = reinterpret_cast<const float2 *>(plan_->filter().data());
    cuda::upload(d_filter_.data(), filter, d_filter_.size(), slots_[0].stream);
    for (const Slot &slot : slots_) slot.stream.wait("the plan of range_compress");
}

/// Gives the device a batch whose lines and turns are in pinned memory. The transforms run over the whole batch,
/// whatever the lines at its end hold, so that a line's result does not depend on how many others came with it.
void RangeCompressCuda::start(const Slot &slot, std::int64_t lines) const
{
    const std::int64_t length_in = plan_->fft_length(), length_out = plan_->inverse_fft_length();
    const auto bytes = [](std::int64_t samples) { return static_cast<std::size_t>(samples) * sizeof(float2); };
    const cudaStream_t stream = slot.stream.get();
    cuda::check(cudaMemcpy2DAsync(slot.d_in.data(), bytes(length_in), slot.in.data(), bytes(samples_in()),
                                  bytes(samples_in()), static_cast<std::size_t>(lines), cudaMemcpyHostToDevice, stream),
                "the upload of lines");
    cuda::upload(slot.d_turns.data(), slot.turns.data(), lines, slot.stream);
    slot.forward.forward(slot.d_in.data(), slot.d_spectrum.data());
    const dim3 grid(static_cast<unsigned>((length_out + block_threads - 1) / block_threads),
                    static_cast<unsigned>(lines));
    SIDELOOK_LAUNCH(filter_lines, grid, dim3(block_threads), 0, stream, slot.d_spectrum.data(),
                    static_cast<int>(length_in), d_filter_.data(), static_cast<int>(plan_->half()), slot.d_turns.data(),
                    slot.d_out.data(), static_cast<int>(length_out));
    slot.inverse.inverse(slot.d_out.data(), slot.d_out.data());
    cuda::check(cudaMemcpy2DAsync(slot.out.data(), bytes(samples_out()), slot.d_out.data() + plan_->skip(),
                                  bytes(length_out), bytes(samples_out()), static_cast<std::size_t>(lines),
                                  cudaMemcpyDeviceToHost, stream),
                "the download of lines");
}

void RangeCompressCuda::compute(View2<const c64> in, Interval in_lines, View2<c64> out, Interval out_lines, int threads,
                                Workspace &) const
{
    const std::int64_t batch = plan_->device_batch(), batches = (out_lines.size() + batch - 1) / batch;
    const auto lines_of = [&](std::int64_t b) {
        return Interval{b * batch, std::min((b + 1) * batch, out_lines.size())};
    };
    // Step b waits for batch b - 2, which used the same slot, takes its lines out, and puts those of batch b in.
    for (std::int64_t b = 0; b < batches + 2; ++b) {
        const Slot &slot = slots_[static_cast<std::size_t>(b % 2)];
        slot.stream.wait("range_compress");
        if (b >= 2) {
            const Interval lines = lines_of(b - 2);
            parallel_for(lines.size(), threads, [&](std::int64_t i, int) {
                std::copy_n(slot.out.data() + i * samples_out(), samples_out(), out.row(lines.first + i));
            });
        }
        if (b >= batches) continue;
        const Interval lines = lines_of(b);
        parallel_for(lines.size(), threads, [&](std::int64_t i, int) {
            const std::int64_t line = out_lines.first + lines.first + i;
            std::copy_n(in.row(line - in_lines.first), samples_in(), slot.in.data() + i * samples_in());
            slot.turns.data()[i] = plan_->turns_a_bin(line);
        });
        start(slot, lines.size());
    }
}

std::unique_ptr<Stage> make(std::shared_ptr<const RangePlan> plan)
{
    return std::make_unique<RangeCompressCuda>(std::move(plan));
}

[[maybe_unused]] const bool announced = (make_range_compress_cuda = make, true);

}  // namespace
}  // namespace sidelook
