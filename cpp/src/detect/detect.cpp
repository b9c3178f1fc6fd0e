// The search of a whole image: clutter map, law of the ratio, detection, measurement, flags.
#include "sidelook/detect.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "core/runner.h"
#include "core/text.h"
#include "core/threads.h"
#include "detect/cfar.h"
#include "detect/cfar_math.h"
#include "detect/clutter.h"
#include "detect/components.h"
#include "detect/flags.h"
#include "detect/objects.h"
#include "detect/sea_reader.h"
#include "detect/survey.h"
#include "sidelook/error.h"

namespace sidelook
{
namespace
{

constexpr std::int64_t tile = 64;  // of the ratios' histograms (pixels): a ship spoils its tile and those beside it

/// Histograms of the ratio over tiles, so that tiles with ships in them can be left out afterwards.
class TileHistograms
{
public:
    TileHistograms(std::int64_t lines, std::int64_t samples)
        : rows_((lines + tile - 1) / tile), cols_((samples + tile - 1) / tile),
          tiles_(static_cast<std::size_t>(rows_ * cols_))
    {
    }
    std::int64_t cols() const { return cols_; }
    void add(std::int64_t line, const float *ratio, std::int64_t samples)
    {
        for (std::int64_t j = 0; j < samples; ++j) {
            if (!(ratio[j] >= 0)) continue;
            Tile &t = tiles_[static_cast<std::size_t>(line / tile * cols_ + j / tile)];
            ++t.all;
            t.largest = std::max(t.largest, ratio[j]);
            const int k = RatioHistogram::place(ratio[j]);
            if (k >= 0 && k < ratio_bins) ++t.bin[static_cast<std::size_t>(k)];
        }
    }
    /// Sum over these columns of tiles, without those in or beside which a ratio exceeds `largest`.
    RatioHistogram sum(std::int64_t first, std::int64_t end, double largest) const
    {
        RatioHistogram h;
        for (std::int64_t r = 0; r < rows_; ++r)
            for (std::int64_t c = first; c < end; ++c) {
                if (spoilt(r, c, largest)) continue;
                const Tile &t = tiles_[static_cast<std::size_t>(r * cols_ + c)];
                h.all += t.all;
                for (std::size_t k = 0; k < ratio_bins; ++k) h.bin[k] += t.bin[k];
            }
        return h;
    }
    std::int64_t pixels() const
    {
        std::int64_t n = 0;
        for (const Tile &t : tiles_) n += t.all;
        return n;
    }

private:
    bool spoilt(std::int64_t r, std::int64_t c, double largest) const
    {
        for (std::int64_t a = std::max<std::int64_t>(0, r - 1); a <= std::min(rows_ - 1, r + 1); ++a)
            for (std::int64_t b = std::max<std::int64_t>(0, c - 1); b <= std::min(cols_ - 1, c + 1); ++b)
                if (static_cast<double>(tiles_[static_cast<std::size_t>(a * cols_ + b)].largest) > largest) return true;
        return false;
    }
    struct Tile {
        std::array<std::uint16_t, ratio_bins> bin{};
        std::uint16_t all = 0;
        float largest = 0;
    };
    std::int64_t rows_, cols_;
    std::vector<Tile> tiles_;
};

/// The law of the ratio in a zone: fitted with everything, then without the tiles in which something stands out.
ClutterFit fit_zone(const TileHistograms &tiles, std::int64_t first, std::int64_t end, const DetectOptions &o,
                    double looks)
{
    ClutterFit fit;
    double largest = std::numeric_limits<double>::infinity();
    for (int round = 0; round < 4; ++round) {
        const RatioHistogram h = tiles.sum(first, end, largest);
        // an image full of ships leaves no clean tile: then the last fit, whose thresholds are the higher, stands
        if (round > 0 && h.all < 20000) break;
        fit = fit_clutter(h, o.clutter, looks);
        // what one pixel of three such zones exceeds by chance is no clutter
        largest = clutter_threshold(fit, 0.3 / static_cast<double>(std::max<std::int64_t>(1, fit.pixels)));
    }
    fit.threshold = clutter_threshold(fit, o.false_alarm_rate);
    fit.certain = clutter_threshold(fit, std::min(o.certain_rate, o.false_alarm_rate));
    return fit;
}

double middle_of(const std::vector<double> &v) { return v[v.size() / 2]; }

void check_table(const char *name, const std::vector<double> &v, std::int64_t samples)
{
    require(!v.empty(), text("image has no ", name, "; must have one, so that objects have a size"));
    require(static_cast<std::int64_t>(v.size()) == samples,
            text(name, " has ", v.size(), " values; must have one a sample, ", samples));
    for (const double x : v) require(x > 0 && std::isfinite(x), text(name, " is ", x, "; must be greater than 0"));
}

/// Lines read and searched at once: block_lines, or as few as the memory asks for.
std::int64_t lines_at_once(const IntensityImage &image, const DetectOptions &o, int threads)
{
    const auto stage = make_cfar(Device::cpu, {image.samples,
                                               o.windows,
                                               o.least_training,
                                               std::vector<float>(static_cast<std::size_t>(image.samples), 1.0f),
                                               {1.0f},
                                               1,
                                               1,
                                               o.clip});
    RunOptions run;
    run.samples_in = run.samples_out = {0, image.samples};
    run.threads = threads;
    // of what is kept for the whole image, by pixel: maps of cells, histograms of tiles, runs of what exceeds grow_rate
    const double pixels = static_cast<double>(image.lines) * static_cast<double>(image.samples);
    const auto kept = static_cast<std::int64_t>(
        pixels * (32.0 / (cfar_cell * cfar_cell) + 180.0 / (tile * tile) + o.grow_rate * sizeof(Run)));
    for (std::int64_t block = std::min(o.block_lines, image.lines);; block = std::max<std::int64_t>(1, block / 2)) {
        run.block_lines = run.chunk_lines = block;
        const std::int64_t first_pass = (block + cfar_cell) * image.samples * 5,  // intensity and mask
            later = chain_bytes({0, image.lines}, {stage.get()}, run) + block * image.samples;
        const std::int64_t bytes = kept + std::max(first_pass, later) + o.base_bytes;
        if (o.max_bytes == 0 || bytes <= o.max_bytes) return block;
        if (block == 1)
            throw Error(Code::over_memory,
                        text("max_bytes (--max-ram) is ", o.max_bytes, " bytes; one line at a time needs at least ",
                             bytes, " bytes, ", o.base_bytes, " of which the process holds already"));
    }
}

}  // namespace

void check_detection(const IntensityImage &image, const DetectOptions &o)
{
    require(image.lines > 0 && image.samples > 0,
            text("image is ", image.lines, " x ", image.samples, "; must not be empty"));
    require(o.false_alarm_rate > 0 && o.false_alarm_rate < 0.1,
            text("false_alarm_rate is ", o.false_alarm_rate, "; must lie above 0 and below 0.1"));
    require(o.certain_rate > 0, text("certain_rate is ", o.certain_rate, "; must be greater than 0"));
    require(o.grow_rate >= o.false_alarm_rate && o.grow_rate < 0.2,
            text("grow_rate is ", o.grow_rate, "; must be at least false_alarm_rate, ", o.false_alarm_rate,
                 ", and below 0.2"));
    check_windows(o.windows, image.lines, image.samples);
    require(o.least_training > 0 && o.least_training <= 1,
            text("least_training is ", o.least_training, "; must lie above 0 and not above 1"));
    require(o.clip >= 2 && o.clip <= 1e6, text("clip is ", o.clip, "; must lie between 2 and 1e6"));
    require(o.merge_m >= 0 && o.merge_m <= 1e4, text("merge_m is ", o.merge_m, "; must lie between 0 and 10000"));
    require(o.block_lines >= 1, text("block_lines is ", o.block_lines, "; must be at least 1"));
    require(o.max_bytes >= 0 && o.base_bytes >= 0,
            text("max_bytes is ", o.max_bytes, " and base_bytes ", o.base_bytes, "; must be zero or positive"));
    require(o.threads >= 0, text("threads is ", o.threads, "; must be zero or positive"));
    check_table("azimuth_spacing_m", image.azimuth_spacing_m, image.samples);
    check_table("ground_range_spacing_m", image.ground_range_spacing_m, image.samples);
    check_table("azimuth_resolution_m", image.azimuth_resolution_m, image.samples);
    check_table("ground_range_resolution_m", image.ground_range_resolution_m, image.samples);
    require(image.equivalent_looks > 0,
            text("equivalent_looks is ", image.equivalent_looks, "; must be greater than 0"));
}

DetectReport detect(const IntensityImage &image, const DetectOptions &o, const IntensityReader &read,
                    const MaskReader &mask, const std::function<void(double)> &progress)
{
    check_detection(image, o);
    if (o.device == Device::cuda) cuda_devices();  // refuses where there is none
    const int threads = o.threads > 0 ? o.threads : default_threads();
    const std::int64_t lines = image.lines, samples = image.samples, at_once = lines_at_once(image, o, threads);
    const auto tell = [&](double share) {
        if (progress) progress(share);
    };
    DetectReport report;
    report.device = o.device;
    const SeaReader reader(read, mask, report);

    // ---- first pass: medians of cells ----
    Survey survey(lines, samples);
    {
        const std::int64_t step = std::max<std::int64_t>(1, at_once / cfar_cell) * cfar_cell;
        Buffer<float> block(step * samples);
        Buffer<std::uint8_t> land(step * samples);
        for (std::int64_t first = 0; first < lines; first += step) {
            const std::int64_t n = std::min(step, lines - first);
            const View2<float> v(block.data(), n, samples);
            report.pixels_land += reader.get(first, 0, v, {land.data(), n, samples});
            survey.add(first, v, threads);
            tell(0.25 * static_cast<double>(first + n) / static_cast<double>(lines));
        }
        require(report.pixels_land < lines * samples, "land covers the whole image; must leave some water to search");
        std::int64_t valid = 0;
        for (const std::uint16_t n : survey.valid()) valid += n;
        require(valid > 0, "image has no valid pixel; must not be all NaN or zero");
    }
    std::vector<std::uint8_t> land_cells(survey.median().size());
    if (o.land == LandSource::scene) {
        land_cells = survey.find_land(middle_of(image.azimuth_spacing_m), middle_of(image.ground_range_spacing_m),
                                      o.land_area_km2 * 1e6, o.land_buffer_m);
        report.land_cells = land_cells;
        report.land_rows = survey.rows();
        report.land_cols = survey.cols();
        require(std::count(land_cells.begin(), land_cells.end(), std::uint8_t{0}) > 0,
                "land covers the whole image; must leave some water to search");
    }
    CfarParameters parameters;
    parameters.samples = samples;
    parameters.windows = o.windows;
    parameters.least_training = o.least_training;
    parameters.clip = o.clip;
    parameters.level = survey.clutter_map(land_cells, image.equivalent_looks);
    parameters.level_rows = survey.rows();
    parameters.level_cols = survey.cols();

    Buffer<std::uint8_t> land_lines(at_once * samples);
    std::int64_t pixels_land = 0;
    Source source;
    source.lines = {0, lines};
    source.read = [&](Interval which, Interval, AnyView out) {
        pixels_land += reader.get(which.first, 0, out.as<float>(), {land_lines.data(), which.size(), samples});
    };
    RunOptions run;
    run.samples_in = run.samples_out = {0, samples};
    run.block_lines = run.chunk_lines = at_once;
    run.threads = threads;
    const auto search = [&](double begin, const std::function<void(std::int64_t, const float *)> &take) {
        const std::unique_ptr<Stage> stage = make_cfar(o.device, parameters);
        run.progress = [&](double share) { tell(begin + 0.35 * share); };
        Sink sink;
        sink.write = [&](Interval which, Interval, AnyView block) {
            const auto v = block.as<const float>();
            for (std::int64_t r = 0; r < which.size(); ++r) take(which.first + r, v.row(r));
        };
        std::vector<StageTime> times{{stage->name()}};
        pixels_land = 0;
        run_chain(source, {stage.get()}, sink, run, times);
        report.bytes = std::max(report.bytes, chain_bytes(source.lines, {stage.get()}, run));
    };

    // ---- second pass: the law of the ratio, by zones of range where there is enough to fit ----
    TileHistograms tiles(lines, samples);
    parameters.threshold.assign(static_cast<std::size_t>(samples), 1.0f);
    search(0.25, [&](std::int64_t line, const float *ratio) { tiles.add(line, ratio, samples); });
    const auto zones = std::clamp<std::int64_t>(tiles.pixels() / 6000000, 1, std::min<std::int64_t>(8, tiles.cols()));
    report.grow_level = 1;
    for (std::int64_t z = 0; z < zones; ++z) {
        const std::int64_t first = z * tiles.cols() / zones, end = (z + 1) * tiles.cols() / zones;
        ClutterFit fit = fit_zone(tiles, first, end, o, image.equivalent_looks);
        fit.first_sample = first * tile;
        fit.end_sample = std::min(samples, end * tile);
        std::fill(parameters.threshold.begin() + fit.first_sample, parameters.threshold.begin() + fit.end_sample,
                  static_cast<float>(fit.threshold));
        // one level for all: objects cross zones
        report.grow_level = std::min(report.grow_level, clutter_threshold(fit, o.grow_rate) / fit.threshold);
        report.clutter.push_back(fit);
    }

    // ---- third pass: detection ----
    Components components(static_cast<float>(report.grow_level));
    search(0.6, [&](std::int64_t line, const float *ratio) {
        components.add(line, ratio, samples);
        double area = 0;
        for (std::int64_t j = 0; j < samples; ++j) {
            if (std::isnan(ratio[j])) continue;
            const auto k = static_cast<std::size_t>(j);
            area += image.azimuth_spacing_m[k] * image.ground_range_spacing_m[k];
            ++report.pixels_searched;
            report.pixels_above += ratio[j] >= 1;
        }
        report.area_searched_m2 += area;
    });
    report.pixels_land = pixels_land;
    std::vector<Component> parts = components.finish();
    std::vector<Component> found = merge_near(std::move(parts), components.faint(), image.azimuth_spacing_m,
                                              image.ground_range_spacing_m, o.merge_m);

    // ---- measurement and flags ----
    report.objects = measure_objects(image, o, report, reader, found, [&](double share) { tell(0.95 + 0.05 * share); });
    flag_ghosts(image, report.objects);
    flag_chained(
        image, found, components.faint(),
        [&](Interval l, Interval s) { return reader.land_in(l, s, {0, lines}, {0, samples}); }, report.objects);
    flag_built_up(image, report.objects);
    report.objects.erase(std::remove_if(report.objects.begin(), report.objects.end(),
                                        [&](const DetectedObject &d) { return !is_confirmed(image, report, d); }),
                         report.objects.end());
    tell(1);
    return report;
}

void cfar_ratio(View2<const float> intensity, const CfarWindows &windows, double least_training, double clip,
                std::int64_t block_lines, int threads, View2<float> out)
{
    check_windows(windows, intensity.rows, intensity.cols);
    require(out.rows == intensity.rows && out.cols == intensity.cols,
            "out has another shape than intensity; must have the same");
    require(block_lines >= 1, text("block_lines is ", block_lines, "; must be at least 1"));
    const int n = threads > 0 ? threads : default_threads();
    Survey survey(intensity.rows, intensity.cols);
    survey.add(0, intensity, n);
    CfarParameters p;
    p.samples = intensity.cols;
    p.windows = windows;
    p.least_training = least_training;
    p.threshold.assign(static_cast<std::size_t>(intensity.cols), 1.0f);
    p.level = survey.clutter_map(std::vector<std::uint8_t>(survey.median().size()), 1);
    p.level_rows = survey.rows(), p.level_cols = survey.cols();
    p.clip = clip;
    const Cfar stage(p);
    Workspace workspace(n);
    const Interval all{0, intensity.rows};
    for (std::int64_t first = 0; first < intensity.rows; first += block_lines) {
        const Interval lines = intersection({first, first + block_lines}, all),
                       in = intersection(stage.reach(lines), all);
        stage.compute({intensity.row(in.first), in.size(), intensity.cols, intensity.stride}, in,
                      {out.row(lines.first), lines.size(), out.cols, out.stride}, lines, n, workspace);
    }
}

double clutter_exceedance(double t, double mean, double looks, double order)
{
    return k_exceedance(t, mean, looks, order);
}

double clutter_level(double share, double mean, double looks, double order)
{
    require(share > 0 && share < 1, text("share is ", share, "; must lie between 0 and 1"));
    ClutterFit fit;
    fit.mean = mean, fit.looks = looks, fit.order = order;
    return clutter_threshold(fit, share);
}

std::int64_t label_objects(View2<const float> ratio, float grow, View2<std::int32_t> out)
{
    require(out.rows == ratio.rows && out.cols == ratio.cols, "out has another shape than ratio; must have the same");
    Components components(grow);
    for (std::int64_t r = 0; r < ratio.rows; ++r) {
        components.add(r, ratio.row(r), ratio.cols);
        std::fill(out.row(r), out.row(r) + out.cols, 0);
    }
    std::int32_t label = 0;
    for (const Component &c : components.finish()) {
        ++label;
        for (const Run &run : c.runs) std::fill(out.row(run.line) + run.first, out.row(run.line) + run.end, label);
    }
    return label;
}

}  // namespace sidelook
