#include "core/runner.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "core/memory.h"

namespace sidelook
{
namespace
{

using Clock = std::chrono::steady_clock;

/// One job at a time on a thread of its own; submit() waits for the one before and throws what it threw.
class Background
{
public:
    Background() : thread_([this] { loop(); }) {}
    ~Background()
    {
        {
            const std::lock_guard<std::mutex> lock(guard_);
            stop_ = true;
        }
        wake_.notify_all();
        thread_.join();
    }
    void submit(std::function<void()> job)
    {
        wait();
        {
            const std::lock_guard<std::mutex> lock(guard_);
            job_ = std::move(job);
        }
        wake_.notify_all();
    }
    void wait()
    {
        std::unique_lock<std::mutex> lock(guard_);
        wake_.wait(lock, [this] { return !job_; });
        if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
    }

private:
    void loop()
    {
        std::unique_lock<std::mutex> lock(guard_);
        for (;;) {
            wake_.wait(lock, [this] { return stop_ || job_; });
            if (!job_) return;
            const auto job = job_;
            lock.unlock();
            std::exception_ptr error;
            try {
                job();
            } catch (...) {
                error = std::current_exception();
            }
            lock.lock();
            error_ = error;
            job_ = nullptr;
            wake_.notify_all();
        }
    }
    std::mutex guard_;
    std::condition_variable wake_;
    std::function<void()> job_;
    std::exception_ptr error_;
    bool stop_ = false;
    std::thread thread_;  // last: it starts with everything else in place
};

/// The latest lines of one stage's input, in one piece of memory.
class LineWindow
{
public:
    LineWindow(std::int64_t samples, std::int64_t capacity, std::int64_t first)
        : samples_(samples), stride_((samples + 7) / 8 * 8 + 8), capacity_(capacity), data_(capacity * stride_),
          held_{first, first}
    {
    }
    Interval held() const { return held_; }
    View2<c64> view() const { return {data_.data(), held_.size(), samples_, stride_}; }
    std::int64_t bytes() const { return capacity_ * stride_ * static_cast<std::int64_t>(sizeof(c64)); }

    /// Forgets the lines before `first`, then makes room for lines up to `end`; returns the new lines' place.
    View2<c64> advance(std::int64_t first, std::int64_t end)
    {
        const std::int64_t drop = std::min(first, held_.end) - held_.first;
        if (drop > 0) {
            std::memmove(data_.data(), data_.data() + drop * stride_,
                         static_cast<std::size_t>((held_.size() - drop) * stride_) * sizeof(c64));
            held_.first += drop;
        }
        const Interval fresh{held_.end, end};
        if (end - held_.first > capacity_)
            throw Error(Code::failure, text("runner: a window of ", end - held_.first, " lines; planned ", capacity_));
        held_.end = end;
        return {data_.data() + (fresh.first - held_.first) * stride_, fresh.size(), samples_, stride_};
    }

private:
    std::int64_t samples_, stride_, capacity_;
    Buffer<c64> data_;
    Interval held_;
};

/// Largest number of input lines that `stage` needs for any block.
std::int64_t window_lines(const Stage &stage, std::int64_t lines_out, std::int64_t block)
{
    std::int64_t most = 0;
    // The reach changes slowly along the orbit: its extremes lie at the first, a middle or the last block.
    for (const std::int64_t first : {std::int64_t{0}, std::max<std::int64_t>(0, (lines_out - block) / 2),
                                     std::max<std::int64_t>(0, lines_out - block)})
        most = std::max(most, stage.reach({first, std::min(lines_out, first + block)}).size());
    return most + 32;
}

}  // namespace

std::int64_t chain_bytes(const std::vector<const Stage *> &stages, const RunOptions &o)
{
    constexpr std::int64_t sample = sizeof(c64);
    const Stage &last = *stages.back();
    std::int64_t bytes = 2 * o.chunk_lines * (stages.front()->samples_in() + 16) * sample;  // two chunks of read lines
    std::int64_t workspace = 0;
    for (std::size_t i = 0; i + 1 < stages.size(); ++i) {
        if (i > 0) bytes += o.chunk_lines * (stages[i]->samples_in() + 16) * sample;
        workspace = std::max(workspace, stages[i]->workspace_bytes(o.chunk_lines, o.threads));
    }
    const std::int64_t window = stages.size() > 1 ? window_lines(last, o.lines_out, o.block_lines) : o.block_lines;
    bytes += (window + o.chunk_lines) * (last.samples_in() + 16) * sample;
    bytes += 2 * o.block_lines * last.samples_out() * sample;  // one block computed while one is written
    return bytes + workspace + last.workspace_bytes(o.block_lines, o.threads);
}

void run_chain(const Source &source, const std::vector<const Stage *> &stages, const Sink &sink, const RunOptions &o,
               std::vector<StageTime> &times)
{
    const Stage &last = *stages.back();
    const std::size_t pushed = stages.size() - 1;  // stages before the last work line by line, a chunk at a time
    const auto timed = [&](std::size_t i, const auto &work) {
        const auto begin = Clock::now();
        work();
        times[i].seconds += std::chrono::duration<double>(Clock::now() - begin).count();
    };

    std::int64_t done_lines = 0;
    Workspace workspace(o.threads), last_workspace(o.threads);  // the first is shared by the stages that take turns
    const Interval first_reach = last.reach({0, std::min(o.block_lines, o.lines_out)});
    const std::int64_t read_first = std::clamp(first_reach.first, source.lines.first, source.lines.end);
    LineWindow window(last.samples_in(), window_lines(last, o.lines_out, o.block_lines) + o.chunk_lines, read_first);
    times.back().bytes = std::max(times.back().bytes, window.bytes() + last.workspace_bytes(o.block_lines, o.threads));

    // Read ahead: slot n % 2 holds chunk n of the source's lines.
    const std::int64_t read_stride = stages.front()->samples_in();
    Buffer<c64> slot[2] = {Buffer<c64>(o.chunk_lines * read_stride), Buffer<c64>(o.chunk_lines * read_stride)};
    const auto chunk = [&](std::int64_t n) {
        const std::int64_t first = read_first + n * o.chunk_lines;
        return Interval{first, std::min(first + o.chunk_lines, source.lines.end)};
    };
    Background reader, writer;
    std::int64_t next = 0;  // chunk to be used next; it is being read
    const auto start_reading = [&](std::int64_t n) {
        const Interval lines = chunk(n);
        if (lines.size() <= 0) return;
        c64 *to = slot[n % 2].data();
        reader.submit([&source, &o, lines, to, read_stride] {
            source.read(lines, o.samples_in, {to, lines.size(), read_stride});
        });
    };
    start_reading(0);

    std::vector<Buffer<c64>> between;
    for (std::size_t i = 1; i < pushed; ++i) {
        between.emplace_back(o.chunk_lines * stages[i]->samples_in());
        times[i].bytes = std::max(times[i].bytes, between.back().size() * static_cast<std::int64_t>(sizeof(c64)) +
                                                      stages[i]->workspace_bytes(o.chunk_lines, o.threads));
    }
    if (pushed > 0)
        times[0].bytes =
            std::max(times[0].bytes, 2 * o.chunk_lines * read_stride * static_cast<std::int64_t>(sizeof(c64)) +
                                         stages[0]->workspace_bytes(o.chunk_lines, o.threads));

    const auto pull = [&](std::int64_t keep) {  // pushes one more chunk through the stages before the last
        const Interval lines = chunk(next);
        reader.wait();
        View2<const c64> at(slot[next % 2].data(), lines.size(), read_stride);
        start_reading(++next);
        const View2<c64> fresh = window.advance(keep, lines.end);
        for (std::size_t i = 0; i < pushed; ++i) {
            const View2<c64> to =
                i + 1 == pushed ? fresh : View2<c64>(between[i].data(), lines.size(), stages[i + 1]->samples_in());
            timed(i, [&] { stages[i]->execute(at, lines, to, lines, o.threads, workspace); });
            at = to;
        }
        if (pushed == 0)
            for (std::int64_t r = 0; r < lines.size(); ++r)
                std::memcpy(fresh.row(r), at.row(r), static_cast<std::size_t>(read_stride) * sizeof(c64));
    };

    Buffer<c64> out[2] = {Buffer<c64>(o.block_lines * last.samples_out()),
                          Buffer<c64>(o.block_lines * last.samples_out())};
    for (std::int64_t block = 0; done_lines < o.lines_out; ++block) {
        const Interval lines{done_lines, std::min(done_lines + o.block_lines, o.lines_out)};
        const Interval need = last.reach(lines);
        const std::int64_t keep = std::max(need.first, read_first);
        while (window.held().end < std::min(need.end, source.lines.end)) {
            if (o.progress) o.progress(static_cast<double>(done_lines) / static_cast<double>(o.lines_out));
            pull(keep);
        }
        if (o.progress) o.progress(static_cast<double>(done_lines) / static_cast<double>(o.lines_out));
        const View2<c64> result(out[block % 2].data(), lines.size(), last.samples_out());
        timed(stages.size() - 1,
              [&] { last.execute(window.view(), window.held(), result, lines, o.threads, last_workspace); });
        writer.submit([&sink, &o, lines, result] { sink.write(lines, o.samples_out, result); });
        done_lines = lines.end;
    }
    writer.wait();
    if (o.progress) o.progress(1.0);
}

}  // namespace sidelook
