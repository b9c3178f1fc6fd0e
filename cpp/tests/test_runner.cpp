// The runner with stages of whole numbers, so that every result is exact: windows, order of calls, errors, threads.
#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>

#include "core/runner.h"
#include "core/threads.h"
#include "harness.h"

using namespace sidelook;

namespace
{

constexpr std::int64_t lines_in = 137, lines_of_sums = 90, samples_first = 3, samples = 11;

/// Line i is the sum of input lines i + first .. i + end - 1 as far as they exist, sample by sample: a reach that may
/// lie before, around or beyond the block. Refuses to compute from fewer or other lines than that.
class SumOfLines : public TypedStage<c64, c64>
{
public:
    SumOfLines(std::int64_t first, std::int64_t end, Interval exist, std::int64_t samples)
        : first_(first), end_(end), exist_(exist), samples_(samples)
    {
    }
    const char *name() const override { return "sum_of_lines"; }
    Interval lines_out(Interval) const override { return {0, lines_of_sums}; }
    Interval reach(Interval out) const override { return {out.first + first_, out.end - 1 + end_}; }
    std::int64_t samples_in() const override { return samples_; }
    std::int64_t samples_out() const override { return samples_; }
    std::int64_t workspace_bytes(std::int64_t, int threads) const override
    {
        return threads * samples_ * static_cast<std::int64_t>(sizeof(c64));
    }
    void compute(View2<const c64> in, Interval in_lines, View2<c64> out, Interval out_lines, int threads,
                 Workspace &workspace) const override
    {
        const Interval wanted = reach(out_lines);
        const std::int64_t first = std::max(wanted.first, exist_.first), end = std::min(wanted.end, exist_.end);
        if (end > first && (in_lines.first > first || in_lines.end < end))
            throw std::logic_error(
                text("given lines ", in_lines.first, " to ", in_lines.end, "; needed ", first, " to ", end));
        if (in.rows != in_lines.size() || out.rows != out_lines.size())
            throw std::logic_error("views and intervals differ");
        parallel_for(out.rows, threads, [&](std::int64_t r, int worker) {
            c64 *sum = workspace.get(worker, samples_);
            std::fill(sum, sum + samples_, c64());
            const std::int64_t i = out_lines.first + r;
            for (std::int64_t line = std::max(i + first_, exist_.first); line < std::min(i + end_, exist_.end); ++line)
                for (std::int64_t c = 0; c < samples_; ++c) sum[c] += in(line - in_lines.first, c);
            std::copy(sum, sum + samples_, out.row(r));
        });
        if (out_lines.first >= throw_from) throw std::runtime_error("the stage failed");
    }
    std::int64_t throw_from = 1 << 30;

private:
    std::int64_t first_, end_;
    Interval exist_;
    std::int64_t samples_;
};

/// Leaves out the first two samples and adds the line's number: a stage that works line by line.
class AddNumber : public LineStage<c64, c64>
{
public:
    explicit AddNumber(std::int64_t samples_in) : samples_in_(samples_in) {}
    const char *name() const override { return "add_number"; }
    std::int64_t samples_in() const override { return samples_in_; }
    std::int64_t samples_out() const override { return samples_in_ - 2; }
    std::int64_t workspace_bytes(std::int64_t, int) const override { return 0; }
    void compute(View2<const c64> in, Interval in_lines, View2<c64> out, Interval out_lines, int,
                 Workspace &) const override
    {
        for (std::int64_t line = out_lines.first; line < out_lines.end; ++line)
            for (std::int64_t c = 0; c < samples_out(); ++c)
                out(line - out_lines.first, c) = in(line - in_lines.first, c + 2) + c64(static_cast<float>(line), 0);
    }

private:
    std::int64_t samples_in_;
};

c64 echo(std::int64_t line, std::int64_t sample)
{
    return {static_cast<float>(line * 7 % 31), static_cast<float>(sample - line % 5)};
}

/// Counts what runs and what was called, so that nothing may go on after run_chain has returned.
struct Calls {
    std::atomic<int> inside{0}, total{0};
    struct Guard {
        Calls &calls;
        explicit Guard(Calls &c) : calls(c) { ++calls.inside, ++calls.total; }
        ~Guard() { --calls.inside; }
    };
};

struct Outcome {
    std::vector<c64> image = std::vector<c64>(static_cast<std::size_t>(lines_of_sums * (samples - 4)), c64(-1, -1));
    std::string error;
    std::vector<StageTime> times{{"add_number"}, {"add_number"}, {"sum_of_lines"}};
    std::vector<double> shares;
};

struct Faults {
    std::int64_t source_line = 1 << 30, sink_line = 1 << 30, stage_line = 1 << 30;
    double share = 2;
    bool slow_source = false, slow_sink = false;
};

Outcome run(std::int64_t first, std::int64_t end, std::int64_t block, std::int64_t chunk, int threads,
            const Faults &faults = {})
{
    Outcome out;
    Calls calls;
    std::int64_t read_end = -1, write_end = 0;
    const auto rest = [](bool slow) {
        if (slow) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    };
    const AddNumber one(samples), two(samples - 2);
    SumOfLines sum(first, end, {0, lines_in}, samples - 4);
    sum.throw_from = faults.stage_line;
    const Source source{{0, lines_in}, [&](Interval lines, Interval which, AnyView any) {
                            const View2<c64> to = any.as<c64>();
                            const Calls::Guard guard(calls);
                            rest(faults.slow_source);
                            CHECK(read_end < 0 || lines.first == read_end);  // in order, each line once
                            CHECK(lines.first >= 0 && lines.end <= lines_in && lines.size() <= chunk);
                            CHECK(which.first == samples_first && which.size() == samples && to.cols == samples &&
                                  to.rows == lines.size());
                            read_end = lines.end;
                            for (std::int64_t r = 0; r < to.rows; ++r)
                                for (std::int64_t c = 0; c < to.cols; ++c)
                                    to(r, c) = echo(lines.first + r, which.first + c);
                            if (lines.end > faults.source_line) throw std::runtime_error("the source failed");
                        }};
    const Sink sink{[&](Interval lines, Interval which, AnyView any) {
        const View2<const c64> from = any.as<const c64>();
        const Calls::Guard guard(calls);
        rest(faults.slow_sink);
        CHECK(lines.first == write_end && lines.size() <= block);
        CHECK(which.first == 50 && from.cols == samples - 4 && from.rows == lines.size());
        write_end = lines.end;
        for (std::int64_t r = 0; r < from.rows; ++r)
            std::copy(from.row(r), from.row(r) + from.cols, out.image.begin() + (lines.first + r) * (samples - 4));
        if (lines.end > faults.sink_line) throw std::runtime_error("the sink failed");
    }};
    RunOptions options;
    options.samples_in = {samples_first, samples_first + samples};
    options.samples_out = {50, 50 + samples - 4};
    options.block_lines = block;
    options.chunk_lines = chunk;
    options.threads = threads;
    options.progress = [&](double share) {
        out.shares.push_back(share);
        if (share >= faults.share) throw std::runtime_error("stopped");
    };
    const std::vector<const Stage *> chain{&one, &two, &sum};
    try {
        run_chain(source, chain, sink, options, out.times);
    } catch (const std::runtime_error &e) {
        out.error = e.what();
    }
    CHECK(calls.inside == 0);
    const int total = calls.total;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    CHECK(calls.total == total);
    if (out.error.empty()) {
        CHECK(write_end == lines_of_sums);
        std::int64_t held = 0;
        for (const StageTime &t : out.times) held = std::max(held, t.bytes);
        CHECK(held > 0 && held <= chain_bytes(source.lines, chain, options));
    }
    return out;
}

/// The same by the definition of the two stages.
c64 expected(std::int64_t line, std::int64_t sample, std::int64_t first, std::int64_t end)
{
    c64 sum;
    for (std::int64_t i = std::max<std::int64_t>(line + first, 0); i < std::min(line + end, lines_in); ++i)
        sum += echo(i, samples_first + 4 + sample) + c64(static_cast<float>(2 * i), 0);
    return sum;
}

}  // namespace

TEST(runner, windows_of_any_reach_and_block)
{
    const std::vector<std::pair<std::int64_t, std::int64_t>> reaches{{0, 1},   {-4, 6},    {7, 19},      {-30, -3},
                                                                     {60, 61}, {200, 240}, {-240, -200}, {-300, 300}};
    for (const auto &[first, end] : reaches)
        for (const std::int64_t block : {1, 7, 32, 90})
            for (const std::int64_t chunk : {1, 10, 200}) {
                const Outcome out = run(first, end, block, chunk, 2);
                CHECK(out.error.empty());
                for (std::int64_t line = 0; line < lines_of_sums; ++line)
                    for (std::int64_t c = 0; c < samples - 4; ++c)
                        CHECK(out.image[static_cast<std::size_t>(line * (samples - 4) + c)] ==
                              expected(line, c, first, end));
            }
}

TEST(runner, progress_ascends_to_one)
{
    const Outcome out = run(-4, 6, 7, 10, 3);
    CHECK(!out.shares.empty() && out.shares.back() == 1);
    for (std::size_t i = 1; i < out.shares.size(); ++i) CHECK(out.shares[i] >= out.shares[i - 1]);
}

TEST(runner, errors_come_out_and_threads_stop)
{
    for (const bool slow : {false, true}) {
        for (const int threads : {1, 3}) {
            for (const std::int64_t at : {0, 40, 80}) {
                Faults source, sink, stage, progress;
                source.source_line = sink.sink_line = stage.stage_line = at;
                progress.share = static_cast<double>(at) / 100;
                // Slow neighbours are at work on the runner's buffers when the error strikes.
                for (Faults *f : {&source, &sink, &stage, &progress}) f->slow_sink = f->slow_source = slow;
                CHECK(run(-4, 6, 7, 10, threads, source).error == "the source failed");
                CHECK(run(-4, 6, 7, 10, threads, sink).error == "the sink failed");
                CHECK(run(-4, 6, 7, 10, threads, stage).error == "the stage failed");
                CHECK(run(-4, 6, 7, 10, threads, progress).error == "stopped");
            }
        }
    }
}

TEST(runner, the_last_write_may_fail_too)
{
    Faults sink;
    sink.sink_line = lines_of_sums - 1;
    CHECK(run(0, 1, 7, 10, 2, sink).error == "the sink failed");
}

// ---- several windows and elements in one chain ---------------------------------------------------------------------

namespace
{

/// Line i is the sum of `looks` lines' real parts, from i looks on: a grid of its own and another element. Takes few
/// lines at once.
class Looks : public TypedStage<c64, float>
{
public:
    Looks(std::int64_t looks, std::int64_t at_once) : looks_(looks), at_once_(at_once) {}
    const char *name() const override { return "looks"; }
    std::int64_t samples_in() const override { return samples; }
    std::int64_t samples_out() const override { return samples; }
    Interval lines_out(Interval in) const override { return {in.first / looks_, in.end / looks_}; }
    Interval reach(Interval out) const override { return {out.first * looks_, out.end * looks_}; }
    std::int64_t block_lines() const override { return at_once_; }
    std::int64_t workspace_bytes(std::int64_t, int) const override { return 0; }
    void compute(View2<const c64> in, Interval in_lines, View2<float> out, Interval out_lines, int,
                 Workspace &) const override
    {
        CHECK(out_lines.size() <= at_once_);
        for (std::int64_t r = 0; r < out.rows; ++r)
            for (std::int64_t c = 0; c < out.cols; ++c) {
                out(r, c) = 0;
                for (std::int64_t k = 0; k < looks_; ++k)
                    out(r, c) += in((out_lines.first + r) * looks_ + k - in_lines.first, c).real();
            }
    }

private:
    std::int64_t looks_, at_once_;
};

/// Twice the value.
class Twice : public LineStage<float, float>
{
public:
    const char *name() const override { return "twice"; }
    std::int64_t samples_in() const override { return samples; }
    std::int64_t samples_out() const override { return samples; }
    std::int64_t workspace_bytes(std::int64_t, int) const override { return 0; }
    void compute(View2<const float> in, Interval in_lines, View2<float> out, Interval out_lines, int,
                 Workspace &) const override
    {
        for (std::int64_t r = 0; r < out.rows; ++r)
            for (std::int64_t c = 0; c < out.cols; ++c) out(r, c) = 2 * in(out_lines.first + r - in_lines.first, c);
    }
};

/// Whether a line is above the sum of its neighbours, `halo` on either side as far as they exist.
class Above : public TypedStage<float, std::uint8_t>
{
public:
    explicit Above(std::int64_t halo) : halo_(halo) {}
    const char *name() const override { return "above"; }
    std::int64_t samples_in() const override { return samples; }
    std::int64_t samples_out() const override { return samples; }
    Interval lines_out(Interval in) const override { return in; }
    Interval reach(Interval out) const override { return {out.first - halo_, out.end + halo_}; }
    std::int64_t workspace_bytes(std::int64_t, int) const override { return 0; }
    void compute(View2<const float> in, Interval in_lines, View2<std::uint8_t> out, Interval out_lines, int,
                 Workspace &) const override
    {
        for (std::int64_t r = 0; r < out.rows; ++r)
            for (std::int64_t c = 0; c < out.cols; ++c) {
                const std::int64_t line = out_lines.first + r;
                float sum = 0;
                for (std::int64_t i = line - halo_; i <= line + halo_; ++i)
                    if (i >= 0 && i < lines_in / 3) sum += in(i - in_lines.first, c);
                out(r, c) = in(line - in_lines.first, c) > sum / static_cast<float>(2 * halo_ + 2) ? 1 : 0;
            }
    }

private:
    std::int64_t halo_;
};

std::vector<std::uint8_t> run_mixed(std::int64_t halo, std::int64_t at_once, std::int64_t block, std::int64_t chunk)
{
    std::vector<std::uint8_t> image(static_cast<std::size_t>(lines_in / 3 * samples), 9);
    const Looks looks(3, at_once);
    const Twice twice;
    const Above above(halo);
    const Source source{{0, lines_in}, [&](Interval lines, Interval, AnyView any) {
                            const View2<c64> to = any.as<c64>();
                            for (std::int64_t r = 0; r < to.rows; ++r)
                                for (std::int64_t c = 0; c < to.cols; ++c) to(r, c) = echo(lines.first + r, c);
                        }};
    const Sink sink{[&](Interval lines, Interval, AnyView any) {
        const View2<const std::uint8_t> from = any.as<const std::uint8_t>();
        for (std::int64_t r = 0; r < from.rows; ++r)
            std::copy_n(from.row(r), samples, image.begin() + (lines.first + r) * samples);
    }};
    RunOptions options;
    options.samples_in = options.samples_out = {0, samples};
    options.block_lines = block;
    options.chunk_lines = chunk;
    std::vector<StageTime> times{{"looks"}, {"twice"}, {"above"}};
    const std::vector<const Stage *> chain{&looks, &twice, &above};
    run_chain(source, chain, sink, options, times);
    for (const StageTime &t : times) CHECK(t.bytes > 0 && t.bytes <= chain_bytes(source.lines, chain, options));
    return image;
}

}  // namespace

TEST(runner, several_windows_and_elements_in_one_chain)
{
    for (const std::int64_t halo : {0, 1, 5, 60}) {
        std::vector<std::uint8_t> wanted;
        std::int64_t ones = 0;
        for (std::int64_t line = 0; line < lines_in / 3; ++line)
            for (std::int64_t c = 0; c < samples; ++c) {
                const auto value = [&](std::int64_t i) {
                    return 2 * (echo(3 * i, c) + echo(3 * i + 1, c) + echo(3 * i + 2, c)).real();
                };
                float sum = 0;
                for (std::int64_t i = std::max<std::int64_t>(0, line - halo);
                     i <= std::min(line + halo, lines_in / 3 - 1); ++i)
                    sum += value(i);
                wanted.push_back(value(line) > sum / static_cast<float>(2 * halo + 2) ? 1 : 0);
                ones += wanted.back();
            }
        CHECK(ones > 0);
        for (const std::int64_t at_once : {1, 4, 100})
            for (const std::int64_t block : {1, 6, 45})
                for (const std::int64_t chunk : {1, 8, 200}) CHECK(run_mixed(halo, at_once, block, chunk) == wanted);
    }
}
