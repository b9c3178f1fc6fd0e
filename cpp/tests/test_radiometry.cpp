// Radiometry with every instruction set: looks against plain sums in double, blocks and threads, refusals, and the
// geometry of an acquisition that knows no orbit.
#include <cstring>
#include <limits>

#include "harness.h"
#include "sidelook/radiometry.h"

using namespace sidelook;

namespace
{

constexpr float none = std::numeric_limits<float>::quiet_NaN();

struct Image {
    std::int64_t rows, cols;
    std::vector<c64> pixels;
    View2<const c64> view() const { return {pixels.data(), rows, cols}; }
};

/// Noise; one pixel in `gaps` is NaN, in one part or in both.
Image noise(std::int64_t rows, std::int64_t cols, int gaps)
{
    harness::Noise random(7);
    Image out{rows, cols, {}};
    for (std::int64_t i = 0; i < rows * cols; ++i) {
        c64 x(static_cast<float>(random()), static_cast<float>(random()));
        if (gaps > 0 && static_cast<std::int64_t>(1e6 * (random() + 1)) % gaps == 0) {
            if (i % 3 != 0) x.real(none);
            if (i % 3 != 1) x.imag(none);
        }
        out.pixels.push_back(x);
    }
    return out;
}

double mean_power(const Image &image, Looks looks, std::int64_t r, std::int64_t c)
{
    double sum = 0;
    std::int64_t good = 0;
    for (std::int64_t i = r * looks.azimuth; i < (r + 1) * looks.azimuth; ++i)
        for (std::int64_t j = c * looks.range; j < (c + 1) * looks.range; ++j) {
            const c64 x = image.pixels[static_cast<std::size_t>(i * image.cols + j)];
            if (std::isnan(x.real()) || std::isnan(x.imag())) continue;
            sum += std::norm(c128(x));
            ++good;
        }
    return 2 * good < looks.azimuth * looks.range ? std::numeric_limits<double>::quiet_NaN()
                                                  : sum / static_cast<double>(good);
}

FactorGrid ramp(double first, double last)
{
    FactorGrid g;
    g.lines = {0, 30};
    g.samples = {0, 10, 20, 200};
    for (int i = 0; i < 8; ++i) g.values.push_back(first + (last - first) * i / 7);
    return g;
}

std::vector<float> run(const Image &image, const IntensityOptions &options)
{
    const IntensityPlan plan(image.rows, image.cols, true, options);
    std::vector<float> out(static_cast<std::size_t>(plan.lines() * plan.samples()));
    const ComplexReader reader = [&](std::int64_t first, View2<c64> to) {
        for (std::int64_t r = 0; r < to.rows; ++r) std::copy_n(image.view().row(first + r), image.cols, to.row(r));
    };
    const IntensityWriter writer = [&](std::int64_t first, View2<const float> block) {
        for (std::int64_t r = 0; r < block.rows; ++r)
            std::copy_n(block.row(r), block.cols, out.data() + (first + r) * block.cols);
    };
    std::vector<StageReport> report;
    plan.run(reader, writer, {}, report);
    CHECK(report.size() == 2 && report[0].name == "multilook" && report[1].name == "calibrate");
    return out;
}

}  // namespace

TEST(radiometry, looks_are_means)
{
    for (const int gaps : {0, 40, 2})
        for (const Looks looks : {Looks{1, 1}, {2, 3}, {5, 1}, {1, 17}, {7, 40}, {23, 333}}) {
            const Image image = noise(23, 333, gaps);
            const std::int64_t rows = 23 / looks.azimuth, cols = 333 / looks.range;
            std::vector<float> out(static_cast<std::size_t>(rows * cols));
            multilook(image.view(), looks, {out.data(), rows, cols}, 2);
            for (std::int64_t r = 0; r < rows; ++r)
                for (std::int64_t c = 0; c < cols; ++c) {
                    const double got = out[static_cast<std::size_t>(r * cols + c)],
                                 want = mean_power(image, looks, r, c);
                    CHECK(std::isnan(got) == std::isnan(want));
                    // a rounding a line in the sums, powers up to 2
                    if (!std::isnan(want)) CHECK_NEAR(got, want, 2 * 6e-8 * static_cast<double>(looks.azimuth + 2));
                }
        }
}

TEST(radiometry, blocks_and_threads_change_no_bit)
{
    const Image image = noise(61, 207, 50);
    IntensityOptions options;
    options.looks = {3, 2};
    options.factor = ramp(1, 9);
    options.noise = ramp(0.1, 0.2);
    options.threads = 1;
    for (const bool divide : {false, true}) {
        options.divide_by_square = divide;
        options.block_lines = 0;
        const std::vector<float> whole = run(image, options);
        for (const int threads : {1, 3})
            for (const std::int64_t block : {1, 4, 20}) {
                options.threads = threads;
                options.block_lines = block;
                const std::vector<float> parts = run(image, options);
                CHECK(std::memcmp(whole.data(), parts.data(), whole.size() * sizeof(float)) == 0);
            }
    }
}

TEST(radiometry, refusals)
{
    const Image image = noise(8, 8, 0);
    std::vector<float> out(64);
    for (const Looks looks : {Looks{0, 1}, {1, -1}, {9, 1}, {1, 9}})
        CHECK_REFUSED(Code::bad_input, "must lie within 1 and the 8",
                      multilook(image.view(), looks, {out.data(), 8, 8}, 1));
    CHECK_REFUSED(Code::bad_input, "out is 8 x 8; must be 4 x 2",
                  multilook(image.view(), Looks{2, 4}, {out.data(), 8, 8}, 1));
    const std::vector<float> decibels(64, -3.0f);
    CHECK_REFUSED(Code::bad_input, "must be linear power, not decibels",
                  multilook({decibels.data(), 8, 8}, Looks{2, 2}, {out.data(), 4, 4}, 1));
    IntensityOptions options;
    options.max_bytes = 100;
    CHECK_REFUSED(Code::over_memory, "one line needs at least", IntensityPlan(8, 8, true, options));
    options.max_bytes = 0;
    options.factor = ramp(1, 2);
    options.factor.values.pop_back();
    CHECK_REFUSED(Code::bad_input, "factor has 7 values", IntensityPlan(8, 8, true, options));

    Acquisition a;
    a.carrier_hz = 5e9;
    a.prf_hz = 1500;
    a.sample_rate_hz = 30e6;
    a.chirp_rate_hz_per_s = 2.5e12;
    a.chirp_duration_s = 10e-6;
    a.first_sample_delay_s = 6e-3;
    a.pulses = 3000;
    a.samples = 1000;
    a.effective_velocity_m_per_s = 7000;
    a.doppler_centroid_hz = {0};
    const ImageRadiometry straight(a, {});
    CHECK(straight.equivalent_looks({4, 4}) > 4 && straight.equivalent_looks({4, 4}) < 16);
    CHECK_REFUSED(Code::missing_auxiliary, "orbit is empty", straight.at(0, 9e5));
}
