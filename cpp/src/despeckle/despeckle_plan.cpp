// A speckle filter over an image that is read and written line by line, or lies in memory.
#include <algorithm>
#include <cmath>

#include "core/memory.h"
#include "core/runner.h"
#include "core/text.h"
#include "core/threads.h"
#include "despeckle/despeckle.h"

namespace sidelook
{

static bool needs_bright_level(const Method &method, const DespeckleOptions &options)
{
    return method.filter == Filter::lee_sigma && std::isnan(options.bright_level);
}

struct DespecklePlan::Parts {
    std::int64_t lines, samples;
    DespeckleOptions options;
    Method method;
    bool finds_bright_level;
    Despeckle stage;
    RunOptions run;
    std::int64_t bytes = 0;

    Parts(std::int64_t l, std::int64_t s, DespeckleOptions o)
        : lines(l), samples(s), options(std::move(o)), method(find_method(l, s, options)),
          finds_bright_level(needs_bright_level(method, options)), stage(s, method)
    {
        require(options.threads >= 0, text("threads is ", options.threads, "; must be 0 (all) or greater"));
        require(options.block_lines >= 0,
                text("block_lines is ", options.block_lines, "; must be 0 (chosen) or greater"));
        require(options.max_bytes >= 0, text("max_bytes is ", options.max_bytes, "; must be 0 (no bound) or greater"));
        run.samples_in = run.samples_out = {0, samples};
        run.threads = options.threads > 0 ? options.threads : default_threads();
        const std::int64_t line_bytes = samples * 4;
        // Some megabytes at once keep the disk and all threads busy; less where the memory asks for it.
        std::int64_t least = -1;
        for (std::int64_t target = std::int64_t{16} << 20;; target /= 2) {
            const std::int64_t wanted = std::max<std::int64_t>(1, target / line_bytes);
            run.block_lines = std::min(options.block_lines > 0 ? options.block_lines : wanted, lines);
            run.chunk_lines = std::clamp<std::int64_t>(target / 2 / line_bytes, 1, lines);
            bytes = chain_bytes({0, lines}, {&stage}, run);
            least = least < 0 ? bytes : std::min(least, bytes);
            if (options.max_bytes == 0 || bytes + options.base_bytes <= options.max_bytes) break;
            if (target < line_bytes)
                throw Error(Code::over_memory,
                            text("max_bytes (--max-ram) is ", options.max_bytes, " bytes; one line needs at least ",
                                 least + options.base_bytes, " bytes, ", options.base_bytes,
                                 " of which the process holds already"));
        }
    }
};

DespecklePlan::DespecklePlan(std::int64_t lines, std::int64_t samples, const DespeckleOptions &options)
    : parts_(std::make_unique<Parts>(lines, samples, options))
{
}
DespecklePlan::~DespecklePlan() = default;
DespecklePlan::DespecklePlan(DespecklePlan &&) noexcept = default;

const DespeckleOptions &DespecklePlan::options() const { return parts_->options; }
std::int64_t DespecklePlan::block_lines() const { return parts_->run.block_lines; }
std::int64_t DespecklePlan::bytes() const { return parts_->bytes; }

std::vector<StageCost> DespecklePlan::costs() const
{
    const auto pixels = static_cast<double>(parts_->lines) * static_cast<double>(parts_->samples);
    const double window = static_cast<double>(parts_->method.window);
    const double flops = parts_->method.filter < Filter::frost ? 60 : 4 * window * window;  // about
    return {{"despeckle", flops * pixels, 8 * pixels, {}}};
}

bool DespecklePlan::reads_twice() const { return parts_->finds_bright_level; }

void DespecklePlan::run(const DespeckleReader &reader, const DespeckleWriter &writer,
                        const std::function<void(double)> &progress, std::vector<StageReport> &report) const
{
    Parts &p = *parts_;
    RunOptions options = p.run;
    options.progress = progress;
    if (reads_twice()) {
        const double share = 0.2;  // about what the first pass takes of the time
        BrightLevel bright;
        Buffer<float> lines(options.chunk_lines * p.samples);
        for (std::int64_t first = 0; first < p.lines; first += options.chunk_lines) {
            if (progress) progress(share * static_cast<double>(first) / static_cast<double>(p.lines));
            const View2<float> part(lines.data(), std::min(options.chunk_lines, p.lines - first), p.samples);
            reader(first, part);
            bright.add(part, p.options.nodata);
        }
        p.options.bright_level = bright.value();
        p.stage.set_bright_level(static_cast<float>(bright.value()));
        if (progress) options.progress = [&](double done) { progress(share + (1 - share) * done); };
    }
    const Source source{{0, p.lines},
                        [&](Interval lines, Interval, AnyView out) { reader(lines.first, out.as<float>()); }};
    const Sink sink{[&](Interval lines, Interval, AnyView block) { writer(lines.first, block.as<const float>()); }};
    std::vector<StageTime> times{{p.stage.name()}};
    run_chain(source, {&p.stage}, sink, options, times);
    for (const StageTime &t : times) report.push_back({t.name, t.seconds, t.bytes});
}

void despeckle(View2<const float> in, const DespeckleOptions &options, View2<float> out)
{
    DespeckleOptions o = options;
    require(o.threads >= 0, text("threads is ", o.threads, "; must be 0 (all) or greater"));
    const Method method = find_method(in.rows, in.cols, o);
    require(out.rows == in.rows && out.cols == in.cols,
            text("out is ", out.rows, " x ", out.cols, "; must be ", in.rows, " x ", in.cols));
    const int workers = o.threads > 0 ? o.threads : default_threads();
    Despeckle stage(in.cols, method);
    if (needs_bright_level(method, o)) {
        BrightLevel bright;
        bright.add(in, o.nodata);
        stage.set_bright_level(static_cast<float>(bright.value()));
    }
    Workspace workspace(workers);
    stage.compute(in, {0, in.rows}, out, {0, in.rows}, workers, workspace);
}

}  // namespace sidelook
