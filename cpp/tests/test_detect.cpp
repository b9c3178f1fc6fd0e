// Detection: the K distribution, components, a small search. The ratio itself is test_cfar.cpp's.
#include <algorithm>
#include <limits>

#include "detect/clutter.h"
#include "detect/components.h"
#include "harness.h"
#include "sidelook/detect.h"
#if defined(SIDELOOK_EMULATOR)
#include "emulator.h"
#endif

using namespace sidelook;

namespace
{

constexpr float missing = std::numeric_limits<float>::quiet_NaN();

}  // namespace

TEST(detect, gamma_function)
{
    CHECK_NEAR(gamma_q(1, 3), std::exp(-3.0), 1e-15);
    CHECK_NEAR(gamma_q(2, 3), 4 * std::exp(-3.0), 1e-14);  // e^-x (1 + x)
    CHECK_NEAR(gamma_q(0.5, 4), std::erfc(2.0), 1e-14);    // Q(1/2, x) = erfc(sqrt(x))
    CHECK_NEAR(gamma_q(0.5, 0.01), std::erfc(0.1), 1e-14);
    CHECK_NEAR(gamma_q(3, 30) / (std::exp(-30.0) * 481), 1, 1e-11);  // e^-x (1 + x + x^2 / 2)
}

TEST(detect, k_distribution)
{
    // Order 1/2, one look: texture g^2 with g normal; E exp(-t / g^2) = exp(-sqrt(2 t)) for t over the mean of g^2 = 1
    for (const double t : {1.0, 5.0, 40.0})
        CHECK_NEAR(k_exceedance(2 * t, 2, 1, 0.5) / std::exp(-std::sqrt(2 * t)), 1, 2e-5);
    ClutterFit fit;
    fit.mean = 1, fit.looks = 1, fit.order = 1e9;
    CHECK_NEAR(clutter_threshold(fit, 1e-6), std::log(1e6), 1e-6);
}

TEST(detect, fit_finds_the_law)
{
    RatioHistogram h;
    h.all = 10000000;
    for (int k = 0; k < ratio_bins; ++k)
        h.bin[static_cast<std::size_t>(k)] =
            static_cast<std::uint32_t>(1e7 * (k_exceedance(RatioHistogram::edge(k), 1.1, 1, 4) -
                                              k_exceedance(RatioHistogram::edge(k + 1), 1.1, 1, 4)));
    const ClutterFit fit = fit_clutter(h, Clutter::k, 1);
    CHECK_NEAR(fit.order, 4, 0.1);
    CHECK_NEAR(fit.mean, 1.1, 0.01);
    CHECK_NEAR(fit.share, 1, 0.01);
    h.all = 100;
    CHECK_REFUSED(Code::bad_input, "clutter: 100 pixels of open water", fit_clutter(h, Clutter::k, 1));
    CHECK(RatioHistogram::place(0.25f) == 0 && RatioHistogram::place(1.0f) == 16 && RatioHistogram::place(1.13f) == 17);
    CHECK(RatioHistogram::place(0.249f) < 0 && RatioHistogram::place(256.0f) == ratio_bins);
}

TEST(detect, components_of_a_horseshoe)
{
    // two arms that meet on the last line, beside a spot that never reaches 1 and one that touches by a corner
    const char *rows[] = {"1..2..9", ".1..2.1", ".1.2...", "..9..1."};
    Components c(0.5f);
    for (int r = 0; r < 4; ++r) {
        std::vector<float> line;
        for (const char *p = rows[r]; *p; ++p) line.push_back(*p == '9' ? 1.5f : *p == '.' ? 0.1f : 0.6f);
        c.add(r, line.data(), static_cast<std::int64_t>(line.size()));
    }
    const std::vector<Component> found = c.finish();
    CHECK(found.size() == 2);
    CHECK(found[0].size == 7 && found[0].pixels == 1 && found[0].end_line == 4 && found[0].first_sample == 0 &&
          found[0].end_sample == 5);
    CHECK(found[1].size == 2 && found[1].first_sample == 6);
    CHECK(c.faint().empty());  // one pixel is not kept
}

TEST(detect, fragments_merge_by_distance)
{
    Components c(0.5f);
    std::vector<float> line(100, 0.0f);
    line[10] = line[16] = line[60] = 2;
    c.add(0, line.data(), 100);
    const std::vector<double> spacing(100, 5.0);
    const std::vector<Component> found = merge_near(c.finish(), {}, spacing, spacing, 30);
    CHECK(found.size() == 2);
    CHECK(found[0].runs.size() == 2 && found[0].end_sample == 17);
}

TEST(detect, what_is_faint_joins_but_does_not_extend)
{
    Components c(0.5f);
    std::vector<float> line(100, 0.0f);
    line[10] = line[20] = line[60] = 2;     // 50 m apart, too far to be one; and one for itself
    line[14] = line[15] = line[16] = 0.6f;  // between the first two
    line[62] = line[63] = line[64] = 0.6f;  // beside the third
    c.add(0, line.data(), 100);
    std::vector<Component> parts = c.finish();
    const std::vector<double> spacing(100, 5.0);
    const std::vector<Component> found = merge_near(std::move(parts), c.faint(), spacing, spacing, 30);
    CHECK(found.size() == 2);
    CHECK(found[0].pixels == 2 && found[0].size == 5 && found[0].end_sample == 21);
    CHECK(found[1].size == 1 && found[1].end_sample == 61);
}

namespace
{

std::vector<float> speckle(std::int64_t lines, std::int64_t samples, std::uint64_t seed)
{
    harness::Noise noise(seed);
    std::vector<float> x(static_cast<std::size_t>(lines * samples));
    for (float &v : x) v = static_cast<float>(-std::log(0.5 + 0.5 * noise() * 0.999999));
    return x;
}

/// Pixels of 5 m and a resolution of 7 m.
IntensityImage image_of_pixels(std::int64_t lines, std::int64_t samples)
{
    const auto n = static_cast<std::size_t>(samples);
    IntensityImage image;
    image.lines = lines, image.samples = samples;
    image.line_spacing_s = 1e-3, image.first_slant_range_m = 8e5, image.sample_spacing_m = 3;
    image.azimuth_spacing_m.assign(n, 5);
    image.ground_range_spacing_m.assign(n, 5);
    image.azimuth_resolution_m.assign(n, 7);
    image.ground_range_resolution_m.assign(n, 7);
    return image;
}

IntensityReader reader_of(const std::vector<float> &x, std::int64_t samples)
{
    return [&x, samples](std::int64_t line, std::int64_t sample, View2<float> out) {
        for (std::int64_t r = 0; r < out.rows; ++r)
            std::copy_n(x.data() + (line + r) * samples + sample, out.cols, out.row(r));
    };
}

}  // namespace

TEST(detect, a_hull_that_the_clutter_half_hides)
{
    // A bright point, and from it a hull of 45 m of six times the clutter's mean towards later lines or nearer samples:
    // its middle lies 14 m from the point. Over many draws the place is told, and without a hull none is invented.
    constexpr std::int64_t size = 120, at = 60;
    int inferred = 0, invented = 0;
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        const bool hull = seed % 3 != 0, along = seed % 2 == 0;
        std::vector<float> x = speckle(size, size, seed);
        for (std::int64_t u = -1; u <= 7 && hull; ++u)
            for (std::int64_t v = -1; v <= 1; ++v)
                x[static_cast<std::size_t>(along ? (at + u) * size + at + v : (at + v) * size + at - u)] *= 6;
        x[at * size + at] = 60;
        DetectOptions options;
        options.threads = 1;
        options.clutter = Clutter::gamma;
        const DetectReport report = detect(image_of_pixels(size, size), options, reader_of(x, size), {}, {});
        for (const DetectedObject &o : report.objects) {
            if (std::hypot(o.peak_line - at, o.peak_sample - at) > 1) continue;
            if (!hull) {
                invented += o.axis_known;
                continue;
            }
            const double line = along ? at + 3 : at, sample = along ? at : at - 3;
            inferred += o.axis_known && std::hypot(o.line - line, o.sample - sample) < 2;
        }
    }
    CHECK(inferred >= 34);  // of 40
    CHECK(invented <= 2);   // of 20
}

TEST(detect, side_lobes_are_no_hull)
{
    // the response of a spectrum weighted by Hamming 0.75 on both axes to a point of 40 dB, in the middle and off
    // pixels
    constexpr std::int64_t size = 120;
    const auto sinc = [](double u) {
        const double a = 3.14159265358979323846 * u;
        return std::abs(u) < 1e-9 ? 1.0 : std::sin(a) / a;
    };
    const auto response = [&](double metres) {
        const double u = metres / 7;
        const double amplitude = sinc(u) + (sinc(u - 1) + sinc(u + 1)) / 6;  // 0.25 / 0.75 / 2
        return amplitude * amplitude;
    };
    for (const double off : {0.0, 0.3, 0.5}) {
        std::vector<float> x = speckle(size, size, 21);
        for (std::int64_t i = 0; i < size; ++i)
            for (std::int64_t j = 0; j < size; ++j)
                x[static_cast<std::size_t>(i * size + j)] +=
                    static_cast<float>(1e4 * response(5 * (static_cast<double>(i) - 60 - off)) *
                                       response(5 * (static_cast<double>(j) - 60 + off)));
        DetectOptions options;
        options.threads = 1;
        const DetectReport report = detect(image_of_pixels(size, size), options, reader_of(x, size), {}, {});
        CHECK(report.objects.size() == 1);
        const DetectedObject &o = report.objects.front();
        CHECK(!o.axis_known && o.hull_evidence < 6);
        CHECK_NEAR(o.line, 60 + off, 0.5);
        CHECK_NEAR(o.sample, 60 - off, 0.7);
    }
}

TEST(detect, a_town_is_land_and_a_ship_is_not)
{
    constexpr std::int64_t lines = 400, samples = 400;
    std::vector<float> x = speckle(lines, samples, 4);
    harness::Noise noise(8);
    for (std::int64_t i = 200; i < 380; ++i)  // 900 m square of houses, no brighter on the whole than the sea
        for (std::int64_t j = 210; j < 390; ++j)
            x[static_cast<std::size_t>(i * samples + j)] *= noise() > 0.9 ? 12.0f : 0.9f;
    for (int k = -30; k <= 30; ++k)  // a ship of 300 m
        for (int w = -4; w <= 4; ++w) x[static_cast<std::size_t>((80 + k) * samples + 80 + w)] *= noise() > 0 ? 40 : 10;
    DetectOptions options;
    options.threads = 1;
    options.land = LandSource::scene;
    const DetectReport report = detect(image_of_pixels(lines, samples), options, reader_of(x, samples), {}, {});
    const auto land = [&](std::int64_t line, std::int64_t sample) {
        return report.land_cells[static_cast<std::size_t>(line / 16 * report.land_cols + sample / 16)] != 0;
    };
    CHECK(land(290, 300) && land(230, 240) && land(350, 360));
    CHECK(!land(80, 80) && !land(60, 80) && !land(100, 80) && !land(100, 300) && !land(300, 100));
    int ships = 0, others = 0;
    for (const DetectedObject &o : report.objects)
        if (!o.land) (std::hypot(o.line - 80, o.sample - 80) < 10 ? ships : others) += 1;
    CHECK(ships == 1 && others == 0);
}

TEST(detect, a_ship_is_found)
{
    constexpr std::int64_t lines = 160, samples = 200;
    std::vector<float> x = speckle(lines, samples, 9);
    for (int k = -8; k <= 8; ++k)
        for (int a = -1; a <= 1; ++a)
            for (int b = -1; b <= 1; ++b)
                x[static_cast<std::size_t>((80 + k + a) * samples + 100 + k + b)] += a == 0 && b == 0 ? 400.0f : 60.0f;
    const IntensityImage image_of = image_of_pixels(lines, samples);
    const IntensityReader read = reader_of(x, samples);
    DetectOptions options;
    options.threads = 2;
    options.block_lines = 50;
    const DetectReport report = detect(image_of, options, read, {}, {});
    CHECK(report.objects.size() == 1);
    const DetectedObject &o = report.objects.front();
    CHECK_NEAR(o.line, 80, 2);
    CHECK_NEAR(o.sample, 100, 2);
    CHECK_NEAR(o.axis_deg, 45, 5);
    CHECK_NEAR(o.length_m, 16 * std::sqrt(50.0), 25);
    CHECK(!o.place && !o.heading_deg && !o.land && !o.edge);
    if (harness::has_cuda("detection on a device")) {  // the same pixels, so the same objects
        options.device = Device::cuda;
        const DetectReport there = detect(image_of, options, read, {}, {});
        CHECK(report.device == Device::cpu && there.device == Device::cuda);
        CHECK(there.objects.size() == 1 && there.pixels_above == report.pixels_above);
        CHECK(there.objects.front().line == o.line && there.objects.front().energy_m2 == o.energy_m2);
        CHECK(there.clutter.front().threshold == report.clutter.front().threshold);
#if defined(SIDELOOK_EMULATOR)
        emulator::set_device_count(0);
        const IntensityReader unread = [](std::int64_t, std::int64_t, View2<float>) { CHECK(!"read"); };
        CHECK_REFUSED(Code::missing_auxiliary, "device is cuda; this machine has no CUDA device that works",
                      detect(image_of, options, unread, {}, {}));
        emulator::set_device_count(1);
#endif
        options.device = Device::cpu;
    }
    // a mask over everything, and an image of nothing
    const MaskReader all = [](std::int64_t, std::int64_t, View2<std::uint8_t> out) {
        for (std::int64_t r = 0; r < out.rows; ++r) std::fill_n(out.row(r), out.cols, std::uint8_t{1});
    };
    CHECK_REFUSED(Code::bad_input, "land covers the whole image", detect(image_of, options, read, all, {}));
    std::fill(x.begin(), x.end(), missing);
    CHECK_REFUSED(Code::bad_input, "image has no valid pixel", detect(image_of, options, read, {}, {}));
    x[17] = -3;
    CHECK_REFUSED(Code::bad_input, "intensity has negative values", detect(image_of, options, read, {}, {}));
}
