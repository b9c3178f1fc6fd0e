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
    const std::vector<Component> found = merge_near(c.finish(), spacing, spacing, 30);
    CHECK(found.size() == 2);
    CHECK(found[0].runs.size() == 2 && found[0].end_sample == 17);
}

TEST(detect, a_ship_is_found)
{
    constexpr std::int64_t lines = 160, samples = 200;
    harness::Noise noise(9);
    std::vector<float> x(static_cast<std::size_t>(lines * samples));
    for (float &v : x) v = static_cast<float>(-std::log(0.5 + 0.5 * noise() * 0.999999));
    for (int k = -8; k <= 8; ++k)
        for (int a = -1; a <= 1; ++a)
            for (int b = -1; b <= 1; ++b)
                x[static_cast<std::size_t>((80 + k + a) * samples + 100 + k + b)] += a == 0 && b == 0 ? 400.0f : 60.0f;
    IntensityImage image_of;
    image_of.lines = lines, image_of.samples = samples;
    image_of.line_spacing_s = 1e-3, image_of.first_slant_range_m = 8e5, image_of.sample_spacing_m = 3;
    image_of.azimuth_spacing_m.assign(samples, 5);
    image_of.ground_range_spacing_m.assign(samples, 5);
    image_of.azimuth_resolution_m.assign(samples, 7);
    image_of.ground_range_resolution_m.assign(samples, 7);
    const IntensityReader read = [&](std::int64_t line, std::int64_t sample, View2<float> out) {
        for (std::int64_t r = 0; r < out.rows; ++r)
            std::copy_n(x.data() + (line + r) * samples + sample, out.cols, out.row(r));
    };
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
