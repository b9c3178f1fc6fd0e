// cfar on every device, by one table of cases, against its definition: sums over the ring in double precision, pixel by
// pixel. Devices agree bit for bit, and so do blocks, threads and orders.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "detect/cfar.h"
#include "harness.h"
#if defined(SIDELOOK_EMULATOR)
#include "emulator.h"
#endif

using namespace sidelook;

namespace
{

constexpr float missing = std::numeric_limits<float>::quiet_NaN(), infinite = std::numeric_limits<float>::infinity();
constexpr double eps = 1.2e-7 / 2;  // rounding of a float
constexpr std::int64_t cell = 16;   // side of a cell of the clutter map, pixels

/// What the pixels are, besides exponential speckle of the clutter's level.
enum class Pixels { speckle, gaps, clipped, absent, faint };

struct Case {
    const char *name;
    CfarWindows windows;
    std::int64_t samples;
    Interval held, wanted;  // lines that exist; lines of the output
    std::int64_t padding;   // of the views' rows
    Pixels pixels;
    double level, range_db;  // of the clutter at sample 0; how much more at the last
    double clip, least_training;
};

// A device computes tiles of 256 samples less the training window and batches of (512 - training + 1) / 2 lines; a
// processor strips of 512 samples and pieces of 192 lines at least.
const std::vector<Case> cases{
    {"the smallest windows", {9, 1}, 77, {0, 50}, {0, 50}, 0, Pixels::speckle, 1, 0, 12, 0.25},
    {"the usual windows", {31, 15}, 610, {0, 90}, {0, 90}, 3, Pixels::gaps, 1e-3, 60, 12, 0.25},
    {"the largest windows", {65, 63}, 391, {0, 130}, {0, 130}, 1, Pixels::gaps, 1e-3, 60, 12, 0.25},
    {"the largest ring", {65, 1}, 192, {0, 100}, {0, 100}, 0, Pixels::gaps, 1e3, -60, 12, 0.25},
    {"as wide as the window", {31, 29}, 31, {0, 40}, {0, 40}, 7, Pixels::gaps, 1, 0, 12, 0.25},
    {"two whole tiles", {31, 15}, 450, {0, 33}, {0, 33}, 0, Pixels::gaps, 1, 20, 12, 0.25},
    {"two tiles and a sample", {31, 15}, 451, {0, 33}, {0, 33}, 2, Pixels::gaps, 1, 20, 12, 0.25},
    {"one line", {9, 3}, 300, {0, 1}, {0, 1}, 0, Pixels::gaps, 1, 0, 12, 0.01},
    {"fewer lines than the window", {65, 31}, 97, {0, 20}, {0, 20}, 0, Pixels::gaps, 1, 0, 12, 0.01},
    {"lines that begin late and end early", {31, 15}, 140, {37, 83}, {37, 83}, 5, Pixels::gaps, 1, 10, 12, 0.25},
    {"lines within what is held", {31, 15}, 140, {5, 120}, {41, 90}, 5, Pixels::gaps, 1, 10, 12, 0.25},
    {"six batches, twice round the ring", {31, 15}, 130, {3, 1213}, {3, 1213}, 1, Pixels::gaps, 1, 10, 12, 0.25},
    {"three whole batches of the largest windows",
     {65, 31},
     100,
     {0, 700},
     {10, 682},
     0,
     Pixels::gaps,
     1,
     10,
     12,
     0.25},
    {"pixels at the clip", {21, 9}, 260, {0, 60}, {0, 60}, 0, Pixels::clipped, 1, 0, 12, 0.25},
    {"a clip of 1", {21, 9}, 260, {0, 60}, {0, 60}, 0, Pixels::gaps, 1, 0, 1, 0.25},
    {"no pixel at all", {21, 9}, 260, {0, 60}, {0, 60}, 0, Pixels::absent, 1, 0, 12, 0.25},
    {"every pixel of the ring wanted", {21, 9}, 260, {0, 60}, {0, 60}, 0, Pixels::speckle, 1, 0, 12, 1},
    {"the brightest that is allowed", {65, 1}, 90, {0, 80}, {0, 80}, 0, Pixels::clipped, 0x1p111, 0, 12, 0.25},
    {"the faintest that is allowed", {31, 15}, 90, {0, 60}, {0, 60}, 0, Pixels::faint, 1e-25, 0, 12, 0.25},
};

double level_at(const Case &c, std::int64_t sample)
{
    const double middle = static_cast<double>(sample / cell * cell) + 8;
    return c.level * std::pow(10.0, c.range_db / 10 * middle / static_cast<double>(c.samples));
}

CfarParameters parameters_of(const Case &c)
{
    CfarParameters p;
    p.samples = c.samples;
    p.windows = c.windows;
    p.clip = c.clip;
    p.least_training = c.least_training;
    p.level_rows = std::max<std::int64_t>(1, c.held.end / cell);  // a part of a cell at the end belongs to the last one
    p.level_cols = (c.samples + cell - 1) / cell;
    for (std::int64_t r = 0; r < p.level_rows; ++r)
        for (std::int64_t k = 0; k < p.level_cols; ++k)
            p.level.push_back(static_cast<float>(level_at(c, k * cell) * (r % 2 ? 1 : 0.75)));
    for (std::int64_t j = 0; j < c.samples; ++j) p.threshold.push_back(1 + 0.01f * static_cast<float>(j % 7));
    return p;
}

/// The lines that exist; between the rows, what would spoil a mean.
std::vector<float> pixels_of(const Case &c)
{
    const std::int64_t stride = c.samples + c.padding;
    std::vector<float> all(static_cast<std::size_t>(c.held.size() * stride), static_cast<float>(3 * c.level));
    const auto clip = static_cast<float>(c.clip * c.level);
    harness::Noise noise(7);
    for (std::int64_t r = 0; r < c.held.size(); ++r)
        for (std::int64_t j = 0; j < c.samples; ++j) {
            const double what = noise(), speckle = -std::log(0.5 + 0.4999 * noise()) * level_at(c, j);
            auto x = static_cast<float>(speckle);
            if (c.pixels == Pixels::absent)
                x = r % 2 ? missing : 0;
            else if (c.pixels == Pixels::clipped && what > 0)  // at the clip, and the nearest above
                x = r % 3 ? clip : std::nextafter(clip, infinite);
            else if (c.pixels == Pixels::faint && what > 0.5)
                x = std::numeric_limits<float>::denorm_min();
            else if (c.pixels == Pixels::gaps && what > 0.98)
                x = static_cast<float>(1000 * speckle);
            else if (c.pixels == Pixels::gaps && what > 0.975)
                x = std::numeric_limits<float>::max();
            else if (c.pixels == Pixels::gaps && (what < -0.97 || r % 128 > 2 * j + 20))
                x = missing;
            else if (c.pixels == Pixels::gaps && what < -0.94)
                x = r % 3 ? 0 : j % 2 ? -x : r % 2 ? infinite : -infinite;
            all[static_cast<std::size_t>(r * stride + j)] = x;
        }
    return all;
}

/// Output lines, computed in calls of at most `step` lines that are given all lines, or no more than they need.
std::vector<float> compute(const Stage &stage, const Case &c, int threads, std::int64_t step, bool sparing = false)
{
    const std::int64_t stride_in = c.samples + c.padding, stride_out = c.samples + 2 * c.padding;
    std::vector<float> in = pixels_of(c);
    std::vector<float> out(static_cast<std::size_t>(c.wanted.size() * stride_out), -7.0f), packed;
    Workspace workspace(threads);
    for (std::int64_t first = c.wanted.first; first < c.wanted.end; first += step) {
        const Interval lines{first, std::min(first + step, c.wanted.end)};
        const Interval given = sparing ? intersection(stage.reach(lines), c.held) : c.held;
        stage.execute(
            View2<float>(in.data() + (given.first - c.held.first) * stride_in, given.size(), c.samples, stride_in),
            given,
            View2<float>(out.data() + (first - c.wanted.first) * stride_out, lines.size(), c.samples, stride_out),
            lines, threads, workspace);
    }
    for (std::int64_t r = 0; r < c.wanted.size(); ++r) {
        const auto row = out.begin() + r * stride_out;
        packed.insert(packed.end(), row, row + c.samples);
        CHECK(std::all_of(row + c.samples, row + stride_out, [](float x) { return x == -7.0f; }));
    }
    return packed;
}

/// Bit by bit, but that one NaN is as good as another.
bool same(const std::vector<float> &a, const std::vector<float> &b)
{
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](float x, float y) {
        return std::memcmp(&x, &y, sizeof x) == 0 || (std::isnan(x) && std::isnan(y));
    });
}

/// The definition, one pixel: over the mean of the ring over the threshold. Also the mean.
struct Ratio {
    double ratio = std::numeric_limits<double>::quiet_NaN(), mean = 0;
};

Ratio by_definition(const Case &c, const CfarParameters &p, const std::vector<float> &x, std::int64_t line,
                    std::int64_t sample)
{
    const auto pixel = [&](std::int64_t i, std::int64_t j) {
        return x[static_cast<std::size_t>((i - c.held.first) * (c.samples + c.padding) + j)];
    };
    const auto valid = [](float v) { return v > 0 && std::isfinite(v); };
    const int half = c.windows.training / 2, half_guard = c.windows.guard / 2;
    double sum = 0, count = 0;
    for (std::int64_t i = std::max(c.held.first, line - half); i <= std::min(c.held.end - 1, line + half); ++i)
        for (std::int64_t j = std::max<std::int64_t>(0, sample - half); j <= std::min(c.samples - 1, sample + half);
             ++j) {
            if (std::abs(i - line) <= half_guard && std::abs(j - sample) <= half_guard) continue;
            if (!valid(pixel(i, j))) continue;
            const std::int64_t row = std::min(i / cell, p.level_rows - 1);
            const double v = pixel(i, j), level = p.level[static_cast<std::size_t>(row * p.level_cols + j / cell)];
            sum += v <= c.clip * level ? v : level;
            ++count;
        }
    const double ring = c.windows.training * c.windows.training - c.windows.guard * c.windows.guard;
    const float v = pixel(line, sample);
    Ratio result;
    if (!valid(v) || count < std::ceil(c.least_training * ring) || sum == 0) return result;
    result.mean = sum / count;
    result.ratio =
        static_cast<double>(v) / (result.mean * static_cast<double>(p.threshold[static_cast<std::size_t>(sample)]));
    return result;
}

void check_against_definition(const char *device, const Case &c, const std::vector<float> &got)
{
    const CfarParameters p = parameters_of(c);
    const std::vector<float> x = pixels_of(c);
    // Training values are multiples of a quantum, at most 2^-39 of the brightest that trains: half of it each.
    const double rounding = c.clip * static_cast<double>(*std::max_element(p.level.begin(), p.level.end())) * 0x1p-40;
    // About 3000 pixels, those of the edges among them.
    const std::int64_t step = 1 + c.wanted.size() * c.samples / 3000;
    double worst = 0;
    std::int64_t tested = 0, other = 0;
    for (std::int64_t r = 0; r < c.wanted.size(); ++r)
        for (std::int64_t j = 0; j < c.samples; ++j) {
            const std::int64_t k = r * c.samples + j;
            const bool edge = (j == 0 || j == c.samples - 1 || r == 0 || r == c.wanted.size() - 1) && k % 5 == 0;
            if (k % step != 0 && !edge) continue;
            const Ratio want = by_definition(c, p, x, c.wanted.first + r, j);
            const float y = got[static_cast<std::size_t>(k)];
            other += std::isnan(want.ratio) != std::isnan(y);
            if (std::isnan(want.ratio) || std::isnan(y)) continue;
            ++tested;
            // Roundings of the sum, two quotients and a product, eps each; beyond the largest float is infinity.
            const double tolerance = 4.01 * eps + rounding / want.mean;
            const bool beyond = want.ratio > static_cast<double>(std::numeric_limits<float>::max());
            const double error = beyond && y == infinite ? 0 : std::abs(static_cast<double>(y) / want.ratio - 1);
            if (error / tolerance > worst || std::isnan(error)) worst = error / tolerance;  // and stays NaN
        }
    std::printf("%s on %s: error %.2g of its bound at %lld pixels\n", c.name, device, worst,
                static_cast<long long>(tested));
    if (other > 0 || !(worst <= 1) || (tested == 0) != (c.pixels == Pixels::absent))
        harness::fail(__FILE__, __LINE__,
                      text(c.name, " on ", device, ": error ", worst, " of its bound at ", tested, " pixels; ", other,
                           " have a ratio and must not, or the other way round"));
}

}  // namespace

TEST(cfar, on_the_processor_is_its_definition)
{
    for (const Case &c : cases) {
        const Cfar stage(parameters_of(c));
        const std::vector<float> got = compute(stage, c, 1, 10000);
        check_against_definition("cpu", c, got);
        for (const std::int64_t step : {1, 7, 200, 10000})
            for (const bool sparing : {false, true})
                CHECK(same(got, compute(stage, c, sparing ? 4 : 1, step, sparing)));
    }
}

TEST(cfar, on_a_cuda_device_is_its_definition)
{
    if (!harness::has_cuda("cfar")) return;
    for (const Case &c : cases) {
        const auto plan = std::make_shared<const CfarPlan>(parameters_of(c));
        const std::unique_ptr<Stage> stage = make_cfar_cuda(plan);
        const std::vector<float> got = compute(*stage, c, 1, 10000);
        check_against_definition("cuda", c, got);
        CHECK(same(got, compute(Cfar(plan), c, 1, 10000)));
        const std::int64_t few = c.wanted.size() > 100 ? 97 : 1, whole = 10000;
        std::uint64_t seed = 1;
        // Whole ones in many orders: there, uploads, kernels and downloads of several batches overlap.
        for (const std::int64_t step : {few, 7 * few, whole, whole, whole, whole, whole, whole}) {
            ++seed;
#if defined(SIDELOOK_EMULATOR)
            emulator::set_seed(seed);
#endif
            CHECK(same(got, compute(*stage, c, 2, step, seed % 2 == 0)));
        }
    }
}

TEST(cfar, refuses_what_cannot_be)
{
    Case square = cases.front();
    square.samples = 64;
    square.windows = {31, 15};
    const CfarParameters good = parameters_of(square);
    const auto refused = [&](const char *words, const auto &change) {
        CfarParameters p = good;
        change(p);
        CHECK_REFUSED(Code::bad_input, words, CfarPlan plan(p));
    };
    refused("training is 30; must be odd", [](CfarParameters &p) { p.windows.training = 30; });
    refused("training is 7; must be odd and lie between 9 and 65", [](CfarParameters &p) { p.windows.training = 7; });
    refused("guard is 31; must be less than training", [](CfarParameters &p) { p.windows.guard = 31; });
    refused("guard is 0; must be odd", [](CfarParameters &p) { p.windows.guard = 0; });
    refused("training is 65; must not exceed the image", [](CfarParameters &p) { p.windows.training = 65; });
    refused("least_training is 0", [](CfarParameters &p) { p.least_training = 0; });
    refused("clip is 0.5", [](CfarParameters &p) { p.clip = 0.5; });
    refused("threshold has 3 values; must have one a sample, 64", [](CfarParameters &p) { p.threshold.resize(3); });
    refused("level is nan", [](CfarParameters &p) { p.level[3] = missing; });
    refused("times clip, which is 12; must lie between 1e-24 and 4e34", [](CfarParameters &p) { p.level[3] = 5e33f; });
}
