// cfar, CUDA. Twin: cfar.cpp
// in: intensity [line][sample] f32, linear; out: ratio [line][sample] f32, 1 at the threshold
//
// Lines pass through the device in batches. While one is computed, the lines that the next needs besides are on their
// way up, and those before it on their way into the caller's block. The lines of the window's halo, which two batches
// share, are sent once: line n stays in row n % ring_lines until it is read no more.
#include <algorithm>
#include <array>

#include "core/cuda/device.h"
#include "core/cuda/launch.h"
#include "core/threads.h"
#include "detect/cfar.h"
#include "detect/cfar_math.h"

namespace sidelook
{
namespace
{

constexpr int tile_columns = 256;               // threads of a block, the margins of the window among them
constexpr int group_lines = tile_columns / 32;  // a warp for the prefix sums of each
constexpr int piece_lines = 64;  // of a block: more would leave processors idle, fewer fill windows again
constexpr int ring_lines = 512;

/// Where a line's column lies in shared memory: a gap after every 8, so that lanes 8 columns apart use other banks.
SIDELOOK_HD constexpr int padded(int column) { return column + column / 8; }
constexpr int padded_columns = tile_columns + tile_columns / 8;

/// What a launch knows besides its arrays.
struct Batch {
    Interval held, lines;  ///< of the input on the device; to be computed
    int samples, level_rows, level_cols, training, guard;
    float clip, quantum, least;
};

/// The part of a window in one column. In quanta, an int64: two 32-bit additions at full rate on Orin and H100 alike,
/// where a double, no more exact, would run at a small fraction of that rate on the Orin.
struct ColumnSum {
    std::int64_t quanta;
    std::uint32_t count;
};

/// Makes of the padded columns of a line their sums from the first to each, by one warp.
template <class T> __device__ void sum_along(T *line)
{
    const int lane = static_cast<int>(threadIdx.x) % 32;
    T *const mine = line + padded(8 * lane);
    T sum = 0;
    for (int k = 0; k < 8; ++k) sum += mine[k];
    T before = sum;  // Hillis & Steele 1986
    for (unsigned by = 1; by < 32; by *= 2) {
        const T others = __shfl_up_sync(0xffffffffu, before, by);
        if (lane >= static_cast<int>(by)) before += others;
    }
    before -= sum;
    for (int k = 0; k < 8; ++k) mine[k] = before += mine[k];
}

/// Ratios of one tile of columns and one piece of lines. Each thread keeps the running sums of its column over the
/// lines of both windows; prefix sums along a group of lines then give any window in two reads. The window's side adds
/// margins to tiles and lines before pieces; its area costs nothing.
__global__ void __launch_bounds__(tile_columns)
    test_ratios(const float *__restrict__ in, const float *__restrict__ level, const float *__restrict__ threshold,
                float *__restrict__ out, Batch b)
{
    SIDELOOK_SHARED(std::int64_t, outer_sums, [group_lines][padded_columns]);
    SIDELOOK_SHARED(std::int64_t, inner_sums, [group_lines][padded_columns]);
    SIDELOOK_SHARED(std::uint32_t, counts, [group_lines][padded_columns]);  // the inner's above the outer's 16 bits

    const int t = static_cast<int>(threadIdx.x), half = b.training / 2, half_guard = b.guard / 2;
    const int width = tile_columns - b.training;  // a column before the first window is what its prefix sums begin at
    const std::int64_t first_out = std::int64_t{blockIdx.x} * width;
    const std::int64_t sample = first_out - half - 1 + t;  // of the column that this thread sums
    const bool exists = sample >= 0 && sample < b.samples;
    const std::int64_t cell = min(sample / cfar_cell, std::int64_t{b.level_cols - 1});
    const float a_quantum = 1 / b.quantum;

    const auto row = [&](std::int64_t line) { return (line & (ring_lines - 1)) * b.samples; };
    const auto at = [&](std::int64_t line) {
        if (!exists || line < b.held.first || line >= b.held.end) return ColumnSum{0, 0};
        const float x = in[row(line) + sample];
        const float l = level[min(line / cfar_cell, std::int64_t{b.level_rows - 1}) * b.level_cols + cell];
        const float trains = cfar_training(x, b.clip * l, l, b.quantum);
        return ColumnSum{static_cast<std::int64_t>(trains * a_quantum), cfar_valid(x)};
    };
    const auto move = [&](ColumnSum &sum, std::int64_t enters, std::int64_t leaves) {
        const ColumnSum more = at(enters), less = at(leaves);
        sum.quanta += more.quanta - less.quanta;
        sum.count += more.count - less.count;
    };

    const std::int64_t begin = b.lines.first + std::int64_t{blockIdx.y} * piece_lines;
    const std::int64_t end = min(begin + piece_lines, b.lines.end);
    ColumnSum outer{0, 0}, inner{0, 0};  // around the line before
    for (std::int64_t line = begin - 1 - half; line < begin + half; ++line) {
        const ColumnSum one = at(line);
        outer.quanta += one.quanta;
        outer.count += one.count;
        if (line < begin - 1 - half_guard || line >= begin + half_guard) continue;
        inner.quanta += one.quanta;
        inner.count += one.count;
    }
    for (std::int64_t first = begin; first < end; first += group_lines) {
        const int lines = static_cast<int>(min(end - first, std::int64_t{group_lines}));
        for (int l = 0; l < lines; ++l) {
            const std::int64_t line = first + l;
            move(outer, line + half, line - half - 1);
            move(inner, line + half_guard, line - half_guard - 1);
            outer_sums[l][padded(t)] = outer.quanta;
            inner_sums[l][padded(t)] = inner.quanta;
            counts[l][padded(t)] = outer.count | inner.count << 16;  // at most 256 x 65 along a line
        }
        __syncthreads();
        if (const int l = t / 32; l < lines) {
            sum_along(outer_sums[l]);
            sum_along(inner_sums[l]);
            sum_along(counts[l]);
        }
        __syncthreads();
        if (t < width && first_out + t < b.samples) {
            const int outer_end = padded(t + b.training), outer_begin = padded(t);
            const int inner_end = padded(t + half + 1 + half_guard), inner_begin = padded(t + half - half_guard);
            for (int l = 0; l < lines; ++l) {
                const std::int64_t quanta = (outer_sums[l][outer_end] - outer_sums[l][outer_begin]) -
                                            (inner_sums[l][inner_end] - inner_sums[l][inner_begin]);
                const std::uint32_t count = ((counts[l][outer_end] & 0xffff) - (counts[l][outer_begin] & 0xffff)) -
                                            ((counts[l][inner_end] >> 16) - (counts[l][inner_begin] >> 16));
                const std::int64_t line = first + l, j = first_out + t;
                out[(line - b.lines.first) * b.samples + j] =
                    cfar_ratio(in[row(line) + j], static_cast<float>(quanta) * b.quantum, static_cast<float>(count),
                               b.least, threshold[j]);
            }
        }
        __syncthreads();
    }
}

/// Its memory is its own: one call of compute() at a time.
class CfarCuda final : public TypedStage<float, float>
{
public:
    explicit CfarCuda(std::shared_ptr<const CfarPlan> plan);

    const char *name() const override { return "cfar"; }
    std::int64_t samples_in() const override { return plan_->parameters().samples; }
    std::int64_t samples_out() const override { return plan_->parameters().samples; }
    Interval lines_out(Interval lines_in) const override { return lines_in; }
    Interval reach(Interval out) const override { return plan_->reach(out); }
    std::int64_t workspace_bytes(std::int64_t, int) const override
    {
        return (in_.size() + 2 * out_[0].size()) * static_cast<std::int64_t>(sizeof(float));
    }
    void compute(View2<const float> in, Interval in_lines, View2<float> out, Interval out_lines, int threads,
                 Workspace &workspace) const override;

private:
    void send(View2<const float> in, Interval in_lines, Interval lines, int threads) const;
    void start(Interval held, Interval lines, float *out) const;

    std::shared_ptr<const CfarPlan> plan_;
    std::int64_t batch_;           // lines: two of them and a window's halo fill the ring
    cuda::Stream up_, work_;       // before what is used on them
    cuda::PinnedArray<float> in_;  // a window's halo and a batch, on their way up
    std::array<cuda::PinnedArray<float>, 2> out_;
    cuda::DeviceArray<float> d_ring_, d_out_, d_level_, d_threshold_;
};

CfarCuda::CfarCuda(std::shared_ptr<const CfarPlan> plan)
    : plan_(std::move(plan)), batch_((ring_lines - plan_->parameters().windows.training + 1) / 2),
      in_((ring_lines - batch_) * samples_in()),
      out_{cuda::PinnedArray<float>(batch_ * samples_in()), cuda::PinnedArray<float>(batch_ * samples_in())},
      d_ring_(ring_lines * samples_in()), d_out_(batch_ * samples_in()),
      d_level_(static_cast<std::int64_t>(plan_->parameters().level.size())), d_threshold_(samples_in())
{
    cuda::upload(d_level_.data(), plan_->parameters().level.data(), d_level_.size(), work_);
    cuda::upload(d_threshold_.data(), plan_->parameters().threshold.data(), d_threshold_.size(), work_);
    work_.wait("the plan of cfar");
}

/// Gives the ring these lines of the caller's; no kernel that still runs reads the rows they come to.
void CfarCuda::send(View2<const float> in, Interval in_lines, Interval lines, int threads) const
{
    parallel_for(lines.size(), threads, [&](std::int64_t i, int) {
        std::copy_n(in.row(lines.first + i - in_lines.first), samples_in(), in_.data() + i * samples_in());
    });
    for (std::int64_t line = lines.first; line < lines.end;) {  // in two parts where the ring begins again
        const std::int64_t row = line & (ring_lines - 1), n = std::min(lines.end - line, ring_lines - row);
        cuda::upload(d_ring_.data() + row * samples_in(), in_.data() + (line - lines.first) * samples_in(),
                     n * samples_in(), up_);
        line += n;
    }
}

/// Computes these lines into pinned memory.
void CfarCuda::start(Interval held, Interval lines, float *out) const
{
    const CfarParameters &p = plan_->parameters();
    const Batch batch{held,
                      lines,
                      static_cast<int>(p.samples),
                      static_cast<int>(p.level_rows),
                      static_cast<int>(p.level_cols),
                      p.windows.training,
                      p.windows.guard,
                      static_cast<float>(p.clip),
                      plan_->quantum(),
                      plan_->least()};
    const std::int64_t width = tile_columns - p.windows.training;
    const dim3 grid(static_cast<unsigned>((p.samples + width - 1) / width),
                    static_cast<unsigned>((lines.size() + piece_lines - 1) / piece_lines));
    SIDELOOK_LAUNCH(test_ratios, grid, dim3(tile_columns), 0, work_.get(), d_ring_.data(), d_level_.data(),
                    d_threshold_.data(), d_out_.data(), batch);
    cuda::check(cudaMemcpyAsync(out, d_out_.data(), static_cast<std::size_t>(lines.size() * p.samples) * sizeof(float),
                                cudaMemcpyDeviceToHost, work_.get()),
                "the download of lines");
}

void CfarCuda::compute(View2<const float> in, Interval in_lines, View2<float> out, Interval out_lines, int threads,
                       Workspace &) const
{
    const std::int64_t batches = (out_lines.size() + batch_ - 1) / batch_;
    const auto lines_of = [&](std::int64_t b) {  // of about equal size, so that copies and kernels overlap
        return Interval{out_lines.first + b * out_lines.size() / batches,
                        out_lines.first + (b + 1) * out_lines.size() / batches};
    };
    const auto held_by = [&](std::int64_t b) { return intersection(reach(lines_of(b)), in_lines); };
    // Step b starts batch b, whose lines are on the device, sends what batch b + 1 needs besides, and takes batch
    // b - 1 out.
    if (batches > 0) send(in, in_lines, held_by(0), threads);
    for (std::int64_t b = 0; b < batches + 1; ++b) {
        up_.wait("the upload of lines");
        work_.wait("cfar");
        if (b < batches) start(held_by(b), lines_of(b), out_[static_cast<std::size_t>(b % 2)].data());
        if (b + 1 < batches) send(in, in_lines, {held_by(b).end, held_by(b + 1).end}, threads);
        if (b == 0) continue;
        const Interval lines = lines_of(b - 1);
        const float *const from = out_[static_cast<std::size_t>((b - 1) % 2)].data();
        parallel_for(lines.size(), threads, [&](std::int64_t i, int) {
            std::copy_n(from + i * samples_out(), samples_out(), out.row(lines.first + i - out_lines.first));
        });
    }
}

std::unique_ptr<Stage> make(std::shared_ptr<const CfarPlan> plan)
{
    return std::make_unique<CfarCuda>(std::move(plan));
}

[[maybe_unused]] const bool announced = (make_cfar_cuda = make, true);

}  // namespace
}  // namespace sidelook
