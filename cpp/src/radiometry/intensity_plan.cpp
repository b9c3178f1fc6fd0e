// The chain multilook, calibrate over an image that is read and written line by line.
#include <algorithm>

#include "core/runner.h"
#include "core/text.h"
#include "core/threads.h"
#include "radiometry/calibrate.h"
#include "radiometry/multilook.h"

namespace sidelook
{

struct IntensityPlan::Parts {
    std::int64_t lines, samples;
    bool complex;
    Looks looks;
    std::unique_ptr<Stage> look;
    std::unique_ptr<Calibrate> calibrate;
    RunOptions run;
    std::int64_t bytes = 0;

    Parts(std::int64_t l, std::int64_t s, bool c, const IntensityOptions &o)
        : lines(l), samples(s), complex(c), looks(o.looks)
    {
        require(o.threads >= 0, text("threads is ", o.threads, "; must be 0 (all) or greater"));
        require(o.block_lines >= 0, text("block_lines is ", o.block_lines, "; must be 0 (chosen) or greater"));
        require(o.max_bytes >= 0, text("max_bytes is ", o.max_bytes, "; must be 0 (no bound) or greater"));
        if (complex)
            look = std::make_unique<Multilook<c64, float>>(lines, samples, looks);
        else
            look = std::make_unique<Multilook<float, float>>(lines, samples, looks);
        if (!o.factor.values.empty() || !o.noise.values.empty())
            calibrate = std::make_unique<Calibrate>(look->samples_out(), o.factor, o.divide_by_square, o.noise);
        run.samples_in = {0, samples};
        run.samples_out = {0, look->samples_out()};
        run.threads = o.threads > 0 ? o.threads : default_threads();
        const std::int64_t line_bytes = samples * (complex ? 8 : 4), out_lines = look->lines_out({0, lines}).size();
        // Some megabytes at once keep the disk and all threads busy; less where the memory asks for it.
        std::int64_t least = -1;
        for (std::int64_t target = std::int64_t{16} << 20;; target /= 2) {
            const std::int64_t wanted = std::max<std::int64_t>(1, target / (line_bytes * looks.azimuth));
            run.block_lines = std::min(o.block_lines > 0 ? o.block_lines : wanted, out_lines);
            run.chunk_lines = std::clamp<std::int64_t>(target / 2 / line_bytes, 1, lines);
            bytes = chain_bytes({0, lines}, stages(), run);
            least = least < 0 ? bytes : std::min(least, bytes);
            if (o.max_bytes == 0 || bytes + o.base_bytes <= o.max_bytes) break;
            if (target < line_bytes)
                throw Error(Code::over_memory, text("max_bytes (--max-ram) is ", o.max_bytes,
                                                    " bytes; one line needs at least ", least + o.base_bytes,
                                                    " bytes, ", o.base_bytes, " of which the process holds already"));
        }
    }
    std::vector<const Stage *> stages() const
    {
        std::vector<const Stage *> all{look.get()};
        if (calibrate) all.push_back(calibrate.get());
        return all;
    }
    void execute(const std::function<void(Interval, AnyView)> &read, const IntensityWriter &writer,
                 const std::function<void(double)> &progress, std::vector<StageReport> &report) const
    {
        const Source source{{0, lines}, [&](Interval part, Interval, AnyView out) { read(part, out); }};
        const Sink sink{[&](Interval part, Interval, AnyView block) { writer(part.first, block.as<const float>()); }};
        std::vector<StageTime> times;
        for (const Stage *s : stages()) times.push_back({s->name()});
        RunOptions options = run;
        options.progress = progress;
        run_chain(source, stages(), sink, options, times);
        for (const StageTime &t : times) report.push_back({t.name, t.seconds, t.bytes});
    }
};

IntensityPlan::IntensityPlan(std::int64_t lines, std::int64_t samples, bool complex, const IntensityOptions &options)
    : parts_(std::make_unique<Parts>(lines, samples, complex, options))
{
}
IntensityPlan::~IntensityPlan() = default;
IntensityPlan::IntensityPlan(IntensityPlan &&) noexcept = default;

std::int64_t IntensityPlan::lines() const { return parts_->look->lines_out({0, parts_->lines}).size(); }
std::int64_t IntensityPlan::samples() const { return parts_->look->samples_out(); }
std::int64_t IntensityPlan::block_lines() const { return parts_->run.block_lines; }
std::int64_t IntensityPlan::bytes() const { return parts_->bytes; }

std::vector<StageCost> IntensityPlan::costs() const
{
    const auto in = static_cast<double>(parts_->lines) * static_cast<double>(parts_->samples);
    const auto out = static_cast<double>(lines()) * static_cast<double>(samples());
    std::vector<StageCost> all{
        {"multilook", in * (parts_->complex ? 4 : 1), in * (parts_->complex ? 8 : 4) + 4 * out, {}}};
    if (parts_->calibrate) all.push_back({"calibrate", 4 * out, 8 * out, {}});
    return all;
}

void IntensityPlan::run(const ComplexReader &reader, const IntensityWriter &writer,
                        const std::function<void(double)> &progress, std::vector<StageReport> &report) const
{
    require(parts_->complex, "image is complex; the plan was made for powers");
    parts_->execute([&](Interval part, AnyView out) { reader(part.first, out.as<c64>()); }, writer, progress, report);
}

void IntensityPlan::run(const IntensityReader &reader, const IntensityWriter &writer,
                        const std::function<void(double)> &progress, std::vector<StageReport> &report) const
{
    require(!parts_->complex, "image holds powers; the plan was made for complex samples");
    parts_->execute([&](Interval part, AnyView out) { reader(part.first, out.as<float>()); }, writer, progress, report);
}

}  // namespace sidelook
