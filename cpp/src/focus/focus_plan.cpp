#include <algorithm>
#include <cmath>

#include "core/fft.h"
#include "core/isa.h"
#include "core/runner.h"
#include "core/text.h"
#include "core/threads.h"
#include "focus/azimuth_compress.h"
#include "focus/correct_echoes.h"
#include "focus/range_compress.h"
#include "sidelook/error.h"

namespace sidelook
{
namespace
{

constexpr std::int64_t chunk_lines = 128;

/// The stages of one strip of range. Corrections come with the run, so theirs is made then.
struct Strip {
    Interval samples;
    RangeCompress range;
    AzimuthCompress azimuth;
    Strip(const Scene &scene, Interval out, std::int64_t block)
        : samples(out), range(scene, out), azimuth(scene, range.grid(), out, block)
    {
    }
    /// Range compression on this device. A CUDA one is made here and belongs to `twin`: its memory is held for one
    /// strip.
    const Stage &range_on(Device device, std::unique_ptr<Stage> &twin) const
    {
        if (device == Device::cpu) return range;
        twin = make_range_compress_cuda(range.plan());
        return *twin;
    }
};

RunOptions run_options(const Scene &scene, const Strip &strip, std::int64_t block, int threads)
{
    RunOptions o;
    o.samples_in = strip.range.grid().samples_in;
    o.samples_out = strip.samples;
    o.block_lines = block;
    o.chunk_lines = chunk_lines;
    o.threads = threads;
    return o;
}

std::int64_t strip_bytes(const Scene &scene, const Strip &strip, std::int64_t block, int threads)
{
    const CorrectEchoes correct({}, strip.range.samples_in());
    const bool device = scene.options().device == Device::cuda;
    return chain_bytes({0, scene.acquisition().pulses}, {&correct, &strip.range, &strip.azimuth},
                       run_options(scene, strip, block, threads)) +
           (device ? strip.range.plan()->device_staging_bytes() : 0);
}

}  // namespace

struct FocusPlan::Parts {
    Scene scene;
    int threads;
    std::int64_t block, strip_width, bytes;
    std::vector<std::unique_ptr<Strip>> strips;

    Parts(const Acquisition &acquisition, const FocusOptions &options)
        : scene(acquisition, options), threads(options.threads > 0 ? options.threads : default_threads())
    {
        if (options.device == Device::cuda) cuda_devices();  // refuses where there is none
        const SlcGrid &grid = scene.grid();
        require(options.block_lines >= 0,
                text("block_lines is ", options.block_lines, "; must be 0 (chosen) or greater"));
        require(options.strip_samples >= 0,
                text("strip_samples is ", options.strip_samples, "; must be 0 (chosen) or greater"));

        // Candidates in order of merit: whole swath and long blocks first; long blocks waste the least on the aperture.
        const auto aperture = scene.aperture(
            scene.model().target(scene.line_time_s(0.5 * static_cast<double>(grid.lines)), scene.slant_range_m(0)));
        const auto overlap = static_cast<std::int64_t>(aperture.last_pulse - aperture.first_pulse) + 400;
        std::vector<std::int64_t> blocks;
        if (options.block_lines > 0) {
            blocks.push_back(std::min(options.block_lines, grid.lines));
        } else {
            for (const double share : {5.0, 3.0, 2.0, 1.2, 0.7, 0.4}) {
                const std::int64_t lines =
                    std::max<std::int64_t>(64, static_cast<std::int64_t>(share * static_cast<double>(overlap)));
                // Blocks of equal length, so that the last is not a sliver that costs a whole transform; but not under
                // a limit: memory must not depend on how the scene's length happens to divide.
                const std::int64_t count = (grid.lines + lines - 1) / lines;
                const std::int64_t length =
                    options.max_bytes > 0 ? std::min(lines, grid.lines) : (grid.lines + count - 1) / count;
                if (blocks.empty() || length < blocks.back()) blocks.push_back(length);
            }
        }
        std::vector<std::int64_t> widths;
        if (options.strip_samples > 0) {
            widths.push_back(std::min(options.strip_samples, grid.samples));
        } else {
            for (std::int64_t n = 1;; n *= 2) {
                // Strips begin on tiles, so that a tile's arithmetic is the same in any plan.
                const std::int64_t tiles =
                    (grid.samples + AzimuthCompress::tile_samples - 1) / AzimuthCompress::tile_samples;
                widths.push_back(std::min(grid.samples, (tiles + n - 1) / n * AzimuthCompress::tile_samples));
                if (n >= tiles) break;
            }
        }
        std::int64_t least = -1;
        for (const std::int64_t width : widths) {
            for (const std::int64_t lines : blocks) {
                block = lines;
                strip_width = width;
                // The widest strip in bytes and in residual phase is the first or the last.
                const Strip first(scene, {0, std::min(width, grid.samples)}, lines);
                std::int64_t need = strip_bytes(scene, first, lines, threads);
                double beta = first.azimuth.worst_beta();
                if (width < grid.samples) {
                    const Strip last(scene, {(grid.samples - 1) / width * width, grid.samples}, lines);
                    need = std::max(need, strip_bytes(scene, last, lines, threads));
                    beta = std::max(beta, last.azimuth.worst_beta());
                }
                if (beta > resampler_max_beta) {
                    if (options.strip_samples > 0)
                        throw Error(Code::bad_input,
                                    text("strip_samples is ", options.strip_samples,
                                         "; secondary range compression changes too much over so wide a strip, by ",
                                         beta, " rad; at most ", resampler_max_beta, " rad"));
                    break;
                }
                least = least < 0 ? need : std::min(least, need);
                if (options.max_bytes == 0 || need + options.base_bytes <= options.max_bytes) {
                    bytes = need;
                    for (std::int64_t s = 0; s < grid.samples; s += width)
                        strips.push_back(
                            std::make_unique<Strip>(scene, Interval{s, std::min(s + width, grid.samples)}, lines));
                    return;
                }
            }
        }
        if (least < 0)
            throw Error(Code::bad_input, "doppler_centroid_hz asks for a squint at which range-Doppler focusing does "
                                         "not hold, even in the narrowest strip");
        throw Error(Code::over_memory, text("max_bytes (--max-ram) is ", options.max_bytes,
                                            " bytes; one block needs at least ", least + options.base_bytes, " bytes, ",
                                            options.base_bytes, " of which the process holds already"));
    }
};

FocusPlan::FocusPlan(const Acquisition &acquisition, const FocusOptions &options)
    : parts_(std::make_unique<Parts>(acquisition, options))
{
}
FocusPlan::~FocusPlan() = default;
FocusPlan::FocusPlan(FocusPlan &&) noexcept = default;

const SlcGrid &FocusPlan::grid() const { return parts_->scene.grid(); }
std::int64_t FocusPlan::block_lines() const { return parts_->block; }
std::int64_t FocusPlan::strip_samples() const { return parts_->strip_width; }
std::int64_t FocusPlan::azimuth_fft_length() const { return parts_->strips.front()->azimuth.fft_length(); }
std::int64_t FocusPlan::range_fft_length() const { return parts_->strips.front()->range.plan()->fft_length(); }
std::int64_t FocusPlan::range_inverse_fft_length() const
{
    return parts_->strips.front()->range.plan()->inverse_fft_length();
}
std::int64_t FocusPlan::bytes() const { return parts_->bytes; }

std::vector<StageCost> FocusPlan::costs() const
{
    StageCost correct{"correct_echoes", 0, 0, {}}, range{"range_compress", 0, 0, {}},
        azimuth{"azimuth_compress", 0, 0, {}};
    const Scene &scene = parts_->scene;
    const auto fft_flops = [](double n) { return 5 * n * std::log2(n); };
    for (const auto &strip : parts_->strips) {
        const Interval first = strip->azimuth.reach({0, std::min(parts_->block, scene.grid().lines)});
        const Interval last =
            strip->azimuth.reach({std::max<std::int64_t>(0, scene.grid().lines - parts_->block), scene.grid().lines});
        const std::int64_t pulses = last.end - first.first;
        const auto lines = static_cast<double>(pulses);
        const auto in = static_cast<double>(strip->range.samples_in()),
                   out = static_cast<double>(strip->range.samples_out());
        correct.flops += lines * in * 6;
        correct.bytes += lines * in * 16;
        const auto n = static_cast<double>(strip->range.plan()->fft_length()),
                   m = static_cast<double>(strip->range.plan()->inverse_fft_length());
        range.flops += lines * (fft_flops(n) + fft_flops(m) + 6 * n);
        range.bytes += lines * (in + out) * 8;
        range.transforms.push_back({strip->range.plan()->fft_length(), pulses, 8});
        range.transforms.push_back({strip->range.plan()->inverse_fft_length(), pulses, 8});
        const std::int64_t blocks = (scene.grid().lines + parts_->block - 1) / parts_->block;
        const std::int64_t tiles =
            (strip->samples.size() + AzimuthCompress::tile_samples - 1) / AzimuthCompress::tile_samples;
        const std::int64_t rows_in = strip->azimuth.tile_rows() * tiles * blocks,
                           rows_out = strip->samples.size() * blocks;
        const std::int64_t length = strip->azimuth.fft_length();
        const auto ri = static_cast<double>(rows_in), ro = static_cast<double>(rows_out),
                   l = static_cast<double>(length);
        // Two resamplings of 16 real taps and a phase each; six sweeps over arrays that outgrow the caches.
        azimuth.flops += (ri + ro) * fft_flops(l) + 2 * ro * l * (16 * 4 + 8);
        azimuth.bytes += (2 * ri + 4 * ro) * l * 16;
        azimuth.transforms.push_back({length, rows_in, strip->azimuth.tile_rows()});
        azimuth.transforms.push_back({length, rows_out, AzimuthCompress::tile_samples});
    }
    return {correct, range, azimuth};
}

void FocusPlan::run(const EchoReader &reader, const SlcWriter &writer, const EchoCorrections &corrections,
                    const std::function<void(double)> &progress, std::vector<StageReport> &report) const
{
    const Scene &scene = parts_->scene;
    const std::int64_t pulses = scene.acquisition().pulses;
    require(corrections.line_gain.empty() || static_cast<std::int64_t>(corrections.line_gain.size()) == pulses,
            text("line_gain has ", corrections.line_gain.size(), " values; must be empty or one a pulse, ", pulses));
    std::vector<StageTime> times{{"correct_echoes"}, {"range_compress"}, {"azimuth_compress"}};
    const Source source{{0, pulses}, [&](Interval lines, Interval samples, AnyView out) {
                            reader(lines.first, lines.size(), samples.first, out.as<c64>());
                        }};
    const Sink sink{[&](Interval lines, Interval samples, AnyView block) {
        writer(lines.first, samples.first, block.as<const c64>());
    }};
    const double share = 1 / static_cast<double>(parts_->strips.size());
    for (std::size_t s = 0; s < parts_->strips.size(); ++s) {
        const Strip &strip = *parts_->strips[s];
        const CorrectEchoes correct(corrections, strip.range.samples_in());
        RunOptions options = run_options(scene, strip, parts_->block, parts_->threads);
        if (progress) options.progress = [&](double done) { progress((static_cast<double>(s) + done) * share); };
        std::unique_ptr<Stage> twin;
        const Stage &range = strip.range_on(scene.options().device, twin);
        run_chain(source, {&correct, &range, &strip.azimuth}, sink, options, times);
    }
    for (const StageTime &t : times) {
        const bool device = std::string(t.name) == "range_compress";
        report.push_back({t.name, t.seconds, t.bytes, device ? scene.options().device : Device::cpu});
    }
}

FocusPlan::Inside FocusPlan::run_until(const std::string &stage, View2<const c64> echoes,
                                       const EchoCorrections &corrections) const
{
    const Acquisition &a = parts_->scene.acquisition();
    require(stage == "correct_echoes" || stage == "range_compress",
            text("stage is ", stage, "; must be correct_echoes or range_compress"));
    require(echoes.rows == a.pulses && echoes.cols == a.samples,
            text("echoes is ", echoes.rows, " x ", echoes.cols, "; must be ", a.pulses, " pulses x ", a.samples,
                 " samples"));
    const Strip &strip = *parts_->strips.front();
    const Interval lines = strip.azimuth.reach({0, std::min(parts_->block, grid().lines)});
    const CompressedGrid &g = strip.range.grid();
    Inside out{lines.first,     g.samples_in.first,  g.samples_in.size(),
               lines.size(),    g.samples_in.size(), strip.range.plan()->fft_length(),
               g.first_delay_s, g.sample_rate_hz,    {}};
    Workspace workspace(parts_->threads);
    const CorrectEchoes correct(corrections, strip.range.samples_in());
    out.data.resize(static_cast<std::size_t>(out.lines * out.samples));
    const View2<const c64> in(&echoes(lines.first, g.samples_in.first), lines.size(), g.samples_in.size(),
                              echoes.stride);
    correct.compute(in, lines, {out.data.data(), out.lines, out.samples, out.samples}, lines, parts_->threads,
                    workspace);
    if (stage == "range_compress") {
        const std::vector<c64> corrected = std::move(out.data);
        const View2<const c64> from(corrected.data(), lines.size(), g.samples_in.size());
        out.samples = g.samples;
        out.data = std::vector<c64>(static_cast<std::size_t>(out.lines * out.samples));
        std::unique_ptr<Stage> twin;
        const Stage &range = strip.range_on(parts_->scene.options().device, twin);
        range.execute(from, lines, View2<c64>(out.data.data(), out.lines, out.samples), lines, parts_->threads,
                      workspace);
    }
    return out;
}

std::vector<double> doppler_from_attitude(const Acquisition &a)
{
    validate(a);
    if (a.orbit.empty() || a.antenna.frames.empty()) return {};
    const EchoModel model(a);
    const double middle = a.first_pulse_time_s + 0.5 * static_cast<double>(a.pulses) / a.prf_hz;
    // Newton's quadratic through three ranges of the swath, over the delay at which the beam sees them.
    double x[3], f[3];
    for (int i = 0; i < 3; ++i) {
        const double wanted =
            a.first_sample_delay_s + (0.05 + 0.45 * i) * static_cast<double>(a.samples) / a.sample_rate_hz;
        double t = middle, range = 0.5 * speed_of_light_m_per_s * wanted;
        for (int round = 0; round < 5; ++round) {
            const auto target = model.target(t, range);
            const auto doppler = model.beam_doppler_hz(target);
            if (!doppler) return {};
            f[i] = *doppler;
            const EchoHistory h = model.history(target, f[i], 0.5);
            const double delay = h.at(0).delay_s;
            x[i] = delay - a.first_sample_delay_s;
            t += middle - (h.time_s - delay);
            range += 0.5 * speed_of_light_m_per_s * (wanted - delay);
        }
    }
    const double s01 = (f[1] - f[0]) / (x[1] - x[0]), s12 = (f[2] - f[1]) / (x[2] - x[1]),
                 s = (s12 - s01) / (x[2] - x[0]);
    return {f[0] - s01 * x[0] + s * x[0] * x[1], s01 - s * (x[0] + x[1]), s};
}

double doppler_drift_from_attitude(const Acquisition &a)
{
    const double length = static_cast<double>(a.pulses) / a.prf_hz, first = a.first_pulse_time_s;
    Acquisition part = a;
    // The centroid at one delay, for the beginning and for the end of the record.
    const auto at = [&](double time_s) {
        part.pulses = 1;
        part.first_pulse_time_s = time_s - 0.5 / a.prf_hz;
        const std::vector<double> c = doppler_from_attitude(part);
        if (c.empty()) return std::optional<double>{};
        const double x = 0.5 * static_cast<double>(a.samples) / a.sample_rate_hz;
        return std::optional<double>{c[0] + x * (c[1] + x * c[2])};
    };
    const auto begin = at(first), end = at(first + length);
    return begin && end ? (*end - *begin) / length : 0;
}

std::string fft_library() { return fft::library(); }
std::string instruction_set() { return isa_name(best_isa()); }
const char *version() { return SIDELOOK_VERSION; }

}  // namespace sidelook
