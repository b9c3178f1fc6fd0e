#include <algorithm>

#include "backproject/backproject.h"
#include "core/runner.h"
#include "core/text.h"
#include "core/threads.h"
#include "focus/correct_echoes.h"
#include "sidelook/backproject.h"
#include "sidelook/error.h"

namespace sidelook
{
namespace
{

constexpr std::int64_t chunk_lines = 128;

View2<const double> checked(View2<const double> points)
{
    require(points.cols % 3 == 0, text("points has ", points.cols, " values a line; must be 3 a sample"));
    require(points.rows == 0 || points.cols > 0, "points has no samples; must have at least one");
    return points;
}

}  // namespace

struct BackprojectPlan::Parts {
    Scene scene;
    int threads;
    Backproject stage;
    std::int64_t block = 0, bytes = 0;

    Parts(const Acquisition &acquisition, const FocusOptions &options, View2<const double> points)
        : scene(acquisition, options), threads(options.threads > 0 ? options.threads : default_threads()),
          stage(scene, checked(points), threads)
    {
        require(options.device == Device::cpu, "device is cuda; backprojection runs on cpu only");
        require(options.strip_samples == 0,
                text("strip_samples is ", options.strip_samples, "; must be 0: backprojection has no strips"));
        require(options.block_lines >= 0,
                text("block_lines is ", options.block_lines, "; must be 0 (chosen) or greater"));
        // Long blocks compress each pulse less often; whole rows of pixel blocks are not computed twice.
        const std::int64_t lines = stage.blocks().lines();
        std::int64_t least = -1;
        for (const std::int64_t wanted : {1024, 512, 256, 128, 64, 32, 16}) {
            block = std::min(options.block_lines > 0 ? options.block_lines : wanted, lines);
            bytes = chain(block);
            least = least < 0 ? bytes : std::min(least, bytes);
            if (options.max_bytes == 0 || bytes + options.base_bytes <= options.max_bytes) return;
            if (options.block_lines > 0) break;
        }
        throw Error(Code::over_memory, text("max_bytes (--max-ram) is ", options.max_bytes,
                                            " bytes; one block needs at least ", least + options.base_bytes, " bytes, ",
                                            options.base_bytes, " of which the process holds already"));
    }

    RunOptions run_options(std::int64_t lines) const
    {
        RunOptions o;
        o.samples_in = {0, stage.samples_in()};
        o.samples_out = {0, stage.samples_out()};
        o.block_lines = lines;
        o.chunk_lines = chunk_lines;
        o.threads = threads;
        return o;
    }
    std::int64_t chain(std::int64_t lines) const
    {
        const CorrectEchoes correct({}, stage.samples_in());
        return chain_bytes({0, scene.acquisition().pulses}, {&correct, &stage}, run_options(lines));
    }
};

BackprojectPlan::BackprojectPlan(const Acquisition &acquisition, const FocusOptions &options,
                                 View2<const double> points)
    : parts_(std::make_unique<Parts>(acquisition, options, points))
{
}
BackprojectPlan::~BackprojectPlan() = default;
BackprojectPlan::BackprojectPlan(BackprojectPlan &&) noexcept = default;

const SlcGrid &BackprojectPlan::grid() const { return parts_->scene.grid(); }
std::int64_t BackprojectPlan::lines() const { return parts_->stage.blocks().lines(); }
std::int64_t BackprojectPlan::samples() const { return parts_->stage.blocks().samples(); }
std::int64_t BackprojectPlan::block_lines() const { return parts_->block; }
std::int64_t BackprojectPlan::bytes() const { return parts_->bytes; }
double BackprojectPlan::pixel_pulses() const { return parts_->stage.pixel_pulses(); }

void BackprojectPlan::run(const EchoReader &reader, const SlcWriter &writer, const EchoCorrections &corrections,
                          const std::function<void(double)> &progress, std::vector<StageReport> &report) const
{
    const std::int64_t pulses = parts_->scene.acquisition().pulses;
    require(corrections.line_gain.empty() || static_cast<std::int64_t>(corrections.line_gain.size()) == pulses,
            text("line_gain has ", corrections.line_gain.size(), " values; must be empty or one a pulse, ", pulses));
    const CorrectEchoes correct(corrections, parts_->stage.samples_in());
    std::vector<StageTime> times{{"correct_echoes"}, {"backproject"}};
    const Source source{{0, pulses}, [&](Interval lines, Interval samples, AnyView out) {
                            reader(lines.first, lines.size(), samples.first, out.as<c64>());
                        }};
    const Sink sink{[&](Interval lines, Interval samples, AnyView block) {
        writer(lines.first, samples.first, block.as<const c64>());
    }};
    RunOptions options = parts_->run_options(parts_->block);
    options.progress = progress;
    run_chain(source, {&correct, &parts_->stage}, sink, options, times);
    for (const StageTime &t : times) report.push_back({t.name, t.seconds, t.bytes, Device::cpu});
}

}  // namespace sidelook
