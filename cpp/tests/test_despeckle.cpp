// Speckle filters with every instruction set: the moments' filters against plain sums in double, blocks and threads,
// missing pixels, refusals. tests/test_despeckle.py has more.
#include <cstring>
#include <limits>

#include "harness.h"
#include "sidelook/despeckle.h"

using namespace sidelook;

namespace
{

constexpr float none = std::numeric_limits<float>::quiet_NaN();

struct Image {
    std::int64_t rows, cols;
    std::vector<float> pixels;
    View2<const float> view() const { return {pixels.data(), rows, cols}; }
    float at(std::int64_t r, std::int64_t c) const { return pixels[static_cast<std::size_t>(r * cols + c)]; }
};

/// Exponential speckle of 30 dB of dynamics; about one pixel in `gaps` is NaN.
Image speckle(std::int64_t rows, std::int64_t cols, int gaps)
{
    harness::Noise random(7);
    Image out{rows, cols, {}};
    for (std::int64_t i = 0; i < rows * cols; ++i) {
        const double scene = i % 97 == 0 ? 1000 : 1 + i % cols / 50;
        const double x = -scene * std::log(0.5 + 0.499999 * random());
        const bool gone = gaps > 0 && static_cast<std::int64_t>(1e6 * (random() + 1)) % gaps == 0;
        out.pixels.push_back(gone ? none : static_cast<float>(x));
    }
    return out;
}

DespeckleOptions options_for(const std::string &method, std::int64_t window)
{
    DespeckleOptions o;
    o.method = method;
    o.kind = "intensity";
    o.window = window;
    if (despeckle_needs_looks(method)) o.looks = 2;
    o.threads = 1;
    return o;
}

std::vector<float> filtered(const Image &image, const DespeckleOptions &options)
{
    std::vector<float> out(image.pixels.size());
    despeckle(image.view(), options, {out.data(), image.rows, image.cols});
    return out;
}

std::vector<float> streamed(const Image &image, const DespeckleOptions &options)
{
    const DespecklePlan plan(image.rows, image.cols, options);
    std::vector<float> out(image.pixels.size());
    std::vector<StageReport> report;
    plan.run(
        [&](std::int64_t first, View2<float> to) {
            for (std::int64_t r = 0; r < to.rows; ++r) std::copy_n(image.view().row(first + r), image.cols, to.row(r));
        },
        [&](std::int64_t first, View2<const float> block) {
            for (std::int64_t r = 0; r < block.rows; ++r)
                std::copy_n(block.row(r), image.cols, out.data() + (first + r) * image.cols);
        },
        {}, report);
    return out;
}

bool same(const std::vector<float> &a, const std::vector<float> &b)
{
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

}  // namespace

TEST(despeckle, moments_are_those_of_plain_sums)
{
    for (const int gaps : {0, 20})
        for (const std::int64_t window : {3, 7, 31, 33}) {
            const Image image = speckle(67, 150, gaps);
            const std::vector<float> mean = filtered(image, options_for("boxcar", window)),
                                     lee = filtered(image, options_for("lee", window));
            for (std::int64_t r = 0; r < image.rows; ++r)
                for (std::int64_t c = 0; c < image.cols; ++c) {
                    const float x = image.at(r, c);
                    const auto i = static_cast<std::size_t>(r * image.cols + c);
                    CHECK(std::isnan(x) == std::isnan(mean[i]) && std::isnan(x) == std::isnan(lee[i]));
                    if (std::isnan(x)) continue;
                    std::vector<double> values;
                    const std::int64_t h = window / 2;
                    for (std::int64_t k = std::max<std::int64_t>(0, r - h); k <= std::min(image.rows - 1, r + h); ++k)
                        for (std::int64_t l = std::max<std::int64_t>(0, c - h); l <= std::min(image.cols - 1, c + h);
                             ++l)
                            if (!std::isnan(image.at(k, l))) values.push_back(static_cast<double>(image.at(k, l)));
                    double m = 0, var = 0;
                    for (const double v : values) m += v / static_cast<double>(values.size());
                    for (const double v : values) var += (v - m) * (v - m);
                    if (values.size() > 1) var /= static_cast<double>(values.size() - 1);
                    const double q = var > 0.5 * m * m ? 0.5 * m * m / var : 1;
                    const double want = q * m + (1 - q) * static_cast<double>(x);
                    CHECK_NEAR(static_cast<double>(mean[i]), m, 2e-6 * m);
                    CHECK_NEAR(static_cast<double>(lee[i]), want, 1e-5 * want);
                }
        }
}

TEST(despeckle, blocks_and_threads_change_no_bit)
{
    for (const std::string &method : despeckle_methods()) {
        const Image image = speckle(61, 207, 50);
        DespeckleOptions options = options_for(method, 7);
        const std::vector<float> whole = filtered(image, options);
        for (const int threads : {1, 3})
            for (const std::int64_t block : {1, 4, 20}) {
                options.threads = threads;
                options.block_lines = block;
                CHECK(same(whole, streamed(image, options)));
            }
    }
}

TEST(despeckle, nothing_but_missing_pixels)
{
    for (const std::string &method : despeckle_methods()) {
        Image image{9, 11, std::vector<float>(99, none)};
        for (const float v : filtered(image, options_for(method, 7))) CHECK(std::isnan(v));
        image.pixels[50] = 3;
        const std::vector<float> out = filtered(image, options_for(method, 7));
        for (std::size_t i = 0; i < out.size(); ++i) CHECK(i == 50 ? out[i] == 3 : std::isnan(out[i]));
    }
}

TEST(despeckle, refusals)
{
    const Image image = speckle(20, 30, 0);
    const auto refused = [&](const char *words, const auto &change) {
        DespeckleOptions o = options_for("lee", 7);
        change(o);
        CHECK_REFUSED(Code::bad_input, words, filtered(image, o));
        CHECK_REFUSED(Code::bad_input, words, DespecklePlan(20, 30, o));
    };
    refused("method is 'none'; must be one of boxcar, lee", [](auto &o) { o.method = "none"; });
    refused("kind is ''; must be intensity", [](auto &o) { o.kind.clear(); });
    refused("window is 6; must be odd", [](auto &o) { o.window = 6; });
    refused("must not exceed the image, 20 lines x 30 samples", [](auto &o) { o.window = 21; });
    refused("looks is not given", [](auto &o) { o.looks = not_given; });
    refused("looks is -1; must lie above 0", [](auto &o) { o.looks = -1; });
    refused("compat is 'x'; must be snap or otb", [](auto &o) { o.compat = "x"; });
    refused("threads is -1", [](auto &o) { o.threads = -1; });
    DespeckleOptions o = options_for("lee", 7);
    o.max_bytes = 100;
    CHECK_REFUSED(Code::over_memory, "one line needs at least", DespecklePlan(20, 30, o));
    const Image decibels{8, 8, std::vector<float>(64, -3.0f)};
    CHECK_REFUSED(Code::bad_input, "image has values below 0", filtered(decibels, options_for("lee", 7)));
    std::vector<float> out(64);
    CHECK_REFUSED(Code::bad_input, "out is 8 x 8; must be 20 x 30",
                  despeckle(image.view(), options_for("lee", 7), {out.data(), 8, 8}));
}
