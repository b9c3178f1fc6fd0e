#include "focus/range_compress.h"

#include <algorithm>
#include <cstring>

#include "core/fft.h"
#include "core/threads.h"
#include "focus/kernels.h"

namespace sidelook
{

std::unique_ptr<Stage> (*make_range_compress_cuda)(std::shared_ptr<const RangePlan> plan) = nullptr;

namespace
{

constexpr std::int64_t batch = 8;  // lines transformed together: enough to fill the vectors of any instruction set

}  // namespace

RangeCompress::RangeCompress(const Scene &scene, Interval out) : plan_(std::make_shared<const RangePlan>(scene, out)) {}

std::int64_t RangeCompress::workspace_bytes(std::int64_t, int threads) const
{
    return threads * batch * (plan_->fft_length() + plan_->inverse_fft_length() + 32) *
           static_cast<std::int64_t>(sizeof(c64));
}

void RangeCompress::compute(View2<const c64> in, Interval in_lines, View2<c64> out, Interval out_lines, int threads,
                            Workspace &workspace) const
{
    const std::int64_t fft_in = plan_->fft_length(), fft_out = plan_->inverse_fft_length(), half = plan_->half();
    const c64 *const filter = plan_->filter().data();
    const std::int64_t batches = (out_lines.size() + batch - 1) / batch;
    const std::int64_t stride_in = fft_in + 16, stride_out = fft_out + 16;
    parallel_for(batches, threads, [&](std::int64_t b, int worker) {
        const std::int64_t first = b * batch, lines = std::min(batch, out_lines.size() - first);
        const View2<c64> x(workspace.get(worker, batch * (stride_in + stride_out)), batch, fft_in, stride_in);
        const View2<c64> y(x.data + batch * stride_in, batch, fft_out, stride_out);
        for (std::int64_t i = 0; i < batch; ++i) {
            // The last batch is filled with silent lines: the transform's vectors then hold the same lanes whatever the
            // block.
            std::int64_t held = 0;
            if (i < lines) {
                std::memcpy(x.row(i), in.row(out_lines.first + first + i - in_lines.first),
                            static_cast<std::size_t>(in.cols) * sizeof(c64));
                held = in.cols;
            }
            std::fill(x.row(i) + held, x.row(i) + fft_in, c64{});
        }
        fft::forward(x);
        for (std::int64_t i = 0; i < batch; ++i) {
            c64 *row = y.row(i);
            std::memcpy(row, x.row(i), static_cast<std::size_t>(half + 1) * sizeof(c64));
            std::memcpy(row + fft_out - half, x.row(i) + fft_in - half, static_cast<std::size_t>(half) * sizeof(c64));
            std::fill(row + half + 1, row + fft_out - half, c64{});
            SIDELOOK_DISPATCH(multiply_row, row, filter + half, half + 1);
            SIDELOOK_DISPATCH(multiply_row, row + fft_out - half, filter, half);
            if (plan_->lines_turn()) {
                const Turns turn = plan_->turns_a_bin(out_lines.first + first + i);
                SIDELOOK_DISPATCH(turn_row, row, half + 1, 0, turn);
                SIDELOOK_DISPATCH(turn_row, row + fft_out - half, half, turn * static_cast<Turns>(-half), turn);
            }
        }
        fft::inverse(y);
        for (std::int64_t i = 0; i < lines; ++i)
            std::memcpy(out.row(first + i), y.row(i) + plan_->skip(),
                        static_cast<std::size_t>(plan_->grid().samples) * sizeof(c64));
    });
}

}  // namespace sidelook
