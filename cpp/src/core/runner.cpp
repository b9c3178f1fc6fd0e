#include "core/runner.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <exception>
#include <limits>
#include <mutex>
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
    LineWindow(Element element, std::int64_t samples, std::int64_t capacity)
        : element_(element), samples_(samples), stride_(padded(samples)), capacity_(capacity), data_(bytes())
    {
    }
    static std::int64_t padded(std::int64_t samples) { return (samples + 7) / 8 * 8 + 8; }
    std::int64_t bytes() const { return capacity_ * stride_ * bytes_of(element_); }
    Interval held() const { return held_; }
    AnyView view() const { return {element_, data_.data(), held_.size(), samples_, stride_}; }

    /// Forgets the lines before `first`. An empty window begins there.
    void forget(std::int64_t first)
    {
        const std::int64_t drop = std::min(first, held_.end) - held_.first;
        if (drop > 0) {
            const std::int64_t line = stride_ * bytes_of(element_);
            std::memmove(data_.data(), data_.data() + drop * line,
                         static_cast<std::size_t>((held_.size() - drop) * line));
            held_.first += drop;
        }
        if (held_.size() == 0 && first > held_.first) held_ = {first, first};
    }
    /// Makes room for lines up to `end`; returns their place.
    AnyView extend(std::int64_t end)
    {
        if (end - held_.first > capacity_)
            throw Error(Code::failure, text("runner: a window of ", end - held_.first, " lines; planned ", capacity_));
        const std::int64_t known = held_.size();
        held_.end = end;
        return view().lines(known, held_.size() - known);
    }

private:
    Element element_;
    std::int64_t samples_, stride_, capacity_;
    Buffer<char> data_;
    Interval held_{std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::min()};
};

/// What a chain needs, found out before anything is allocated.
struct Plan {
    struct Node {
        Interval grid;                 ///< lines of the stage's input that exist
        std::int64_t at_once = 0;      ///< output lines computed at once
        std::int64_t input_lines = 0;  ///< capacity of the window, or of the scratch lines, that its input is kept in
        std::int64_t input_bytes = 0, workspace_bytes = 0;
    };
    std::vector<Node> nodes;
    Interval lines_out;
    std::int64_t read_lines = 0, read_bytes = 0, write_bytes = 0;

    std::int64_t bytes() const
    {
        std::int64_t sum = read_bytes + write_bytes;
        for (const Node &n : nodes) sum += n.input_bytes + n.workspace_bytes;
        return sum;
    }
};

/// Largest number of input lines that any block of `lines` output lines needs.
std::int64_t most_reached(const Stage &stage, Interval grid_out, std::int64_t lines)
{
    std::int64_t most = 0;
    // The reach changes slowly along the orbit: its extremes lie at the first, a middle or the last block.
    const std::int64_t last = std::max(grid_out.first, grid_out.end - lines);
    for (const std::int64_t first : {grid_out.first, (grid_out.first + last) / 2, last})
        most = std::max(most, stage.reach({first, std::min(grid_out.end, first + lines)}).size());
    return most;
}

Plan plan_chain(Interval source_lines, const std::vector<const Stage *> &stages, const RunOptions &o)
{
    Plan plan;
    Interval grid = source_lines;
    for (const Stage *s : stages) {
        plan.nodes.push_back({});
        plan.nodes.back().grid = grid;
        grid = s->lines_out(grid);
    }
    plan.lines_out = grid;
    // From the sink backwards: a stage that works line by line makes what the next one takes; any other keeps a window.
    std::int64_t wanted = o.block_lines;
    for (std::size_t i = stages.size(); i-- > 0;) {
        const Stage &s = *stages[i];
        Plan::Node &n = plan.nodes[i];
        n.at_once = wanted;
        n.workspace_bytes = s.workspace_bytes(n.at_once, o.threads);
        if (!s.line_by_line()) {
            std::size_t maker = i;  // the stage whose blocks come in, unchanged by those that work line by line
            while (maker > 0) {
                --maker;
                if (!stages[maker]->line_by_line()) break;
            }
            const std::int64_t before = maker < i ? stages[maker]->block_lines() : 0;
            const Interval out = i + 1 < stages.size() ? plan.nodes[i + 1].grid : plan.lines_out;
            wanted = before > 0 ? before : o.chunk_lines;
            n.input_lines = most_reached(s, out, n.at_once) + 32 + wanted;  // 32: what the probes of the reach may miss
        } else {
            n.input_lines = i > 0 ? wanted : 0;  // the first stage works on the lines as they were read
        }
        n.input_bytes = n.input_lines * LineWindow::padded(s.samples_in()) * bytes_of(s.element_in());
    }
    plan.read_lines = wanted;
    plan.read_bytes = 2 * wanted * stages.front()->samples_in() * bytes_of(stages.front()->element_in());
    plan.write_bytes = 2 * o.block_lines * stages.back()->samples_out() * bytes_of(stages.back()->element_out());
    return plan;
}

/// The source, one chunk ahead: while a chunk is used the next is read.
class ReadAhead
{
public:
    ReadAhead(const Source &source, Interval samples, Element element, std::int64_t lines)
        : source_(source), samples_(samples), element_(element), lines_(lines), slot_{buffer(), buffer()}
    {
    }
    /// These lines, good until the next call.
    AnyView get(Interval lines)
    {
        if (coming_.first != lines.first || coming_.end != lines.end) {
            reader_.wait();
            start(lines);
        }
        reader_.wait();
        const AnyView now = view(lines);
        turn_ ^= 1;
        coming_ = {};
        const Interval next{lines.end, std::min(lines.end + lines_, source_.lines.end)};
        if (next.size() > 0) start(next);
        return now;
    }

private:
    Buffer<char> buffer() const { return Buffer<char>(lines_ * samples_.size() * bytes_of(element_)); }
    AnyView view(Interval lines) const
    {
        return {element_, slot_[turn_].data(), lines.size(), samples_.size(), samples_.size()};
    }
    void start(Interval lines)
    {
        coming_ = lines;
        reader_.submit([this, lines, to = view(lines)] { source_.read(lines, samples_, to); });
    }
    const Source &source_;
    Interval samples_;
    Element element_;
    std::int64_t lines_;
    Buffer<char> slot_[2];
    int turn_ = 0;
    Interval coming_;    // what is being read, or has been and was not asked for yet
    Background reader_;  // last: it stops before what it reads into goes
};

/// A chain at work: lines are asked for at its end and pulled through.
class Chain
{
public:
    Chain(const Source &source, const std::vector<const Stage *> &stages, const RunOptions &options, const Plan &plan,
          std::vector<StageTime> &times)
        : stages_(stages), options_(options), plan_(plan), times_(times),
          reader_(source, options.samples_in, stages.front()->element_in(), plan.read_lines)
    {
        for (std::size_t i = 0; i < stages.size(); ++i) {
            const Plan::Node &n = plan.nodes[i];
            inputs_.emplace_back(stages[i]->element_in(), stages[i]->samples_in(), n.input_lines);
            workspaces_.emplace_back(options.threads);
            const std::int64_t held = i == 0 ? plan.read_bytes : 0;
            times_[i].bytes = std::max(times_[i].bytes, held + n.input_bytes + n.workspace_bytes);
        }
    }
    /// Computes these lines of stage i into `out`.
    void produce(std::size_t i, Interval lines, AnyView out)
    {
        const Stage &s = *stages_[i];
        AnyView in;
        Interval in_lines = lines;
        if (!s.line_by_line()) {
            fill(i, intersection(s.reach(lines), plan_.nodes[i].grid));
            in = inputs_[i].view();
            in_lines = inputs_[i].held();
        } else if (i == 0) {
            in = read(lines);
        } else {
            inputs_[i].forget(lines.first);
            in = inputs_[i].extend(lines.end);
            produce(i - 1, lines, in);
            inputs_[i].forget(lines.end);
        }
        const auto begin = Clock::now();
        s.execute(in, in_lines, out, lines, options_.threads, workspaces_[i]);
        times_[i].seconds += std::chrono::duration<double>(Clock::now() - begin).count();
    }
    void tell(double share)
    {
        share_ = share;
        if (options_.progress) options_.progress(share);
    }

private:
    /// Makes the window of stage i hold these lines of its input.
    void fill(std::size_t i, Interval need)
    {
        LineWindow &window = inputs_[i];
        window.forget(need.first);
        const Interval grid = plan_.nodes[i].grid;
        const std::int64_t step = i > 0 ? plan_.nodes[i - 1].at_once : plan_.read_lines;
        while (window.held().end < need.end) {
            const Interval lines{window.held().end, std::min(window.held().end + step, grid.end)};
            const AnyView to = window.extend(lines.end);
            if (i > 0) {
                produce(i - 1, lines, to);
            } else {
                const AnyView from = read(lines);
                const std::int64_t size = bytes_of(from.element);
                for (std::int64_t r = 0; r < from.rows; ++r)
                    std::memcpy(to.lines(r, 1).data, from.lines(r, 1).data, static_cast<std::size_t>(from.cols * size));
            }
        }
    }
    AnyView read(Interval lines)
    {
        tell(share_);
        return reader_.get(lines);
    }
    const std::vector<const Stage *> &stages_;
    const RunOptions &options_;
    const Plan &plan_;
    std::vector<StageTime> &times_;
    double share_ = 0;
    std::vector<LineWindow> inputs_;
    std::vector<Workspace> workspaces_;
    ReadAhead reader_;
};

}  // namespace

std::int64_t chain_bytes(Interval source_lines, const std::vector<const Stage *> &stages, const RunOptions &options)
{
    return plan_chain(source_lines, stages, options).bytes();
}

void run_chain(const Source &source, const std::vector<const Stage *> &stages, const Sink &sink,
               const RunOptions &options, std::vector<StageTime> &times)
{
    const Plan plan = plan_chain(source.lines, stages, options);
    const Stage &last = *stages.back();
    const std::int64_t samples = last.samples_out(), block = options.block_lines;
    const auto buffer = [&] { return Buffer<char>(block * samples * bytes_of(last.element_out())); };
    Buffer<char> out[2] = {buffer(), buffer()};
    Chain chain(source, stages, options, plan, times);
    Background writer;
    int turn = 0;
    const auto total = static_cast<double>(plan.lines_out.size());
    for (std::int64_t first = plan.lines_out.first; first < plan.lines_out.end; first += block, turn ^= 1) {
        const Interval lines{first, std::min(first + block, plan.lines_out.end)};
        chain.tell(static_cast<double>(first - plan.lines_out.first) / total);
        const AnyView result(last.element_out(), out[turn].data(), lines.size(), samples, samples);
        chain.produce(stages.size() - 1, lines, result);
        writer.submit([&sink, &options, lines, result] { sink.write(lines, options.samples_out, result); });
    }
    writer.wait();
    if (options.progress) options.progress(1.0);
}

}  // namespace sidelook
