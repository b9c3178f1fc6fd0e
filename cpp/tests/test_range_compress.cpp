// range_compress on every device, by one table of cases, against its definition: sums over samples and over bins in
// double precision. What the filter must be is tests/test_stages.py's business; here it is the plan's.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "core/vec3.h"
#include "focus/range_compress.h"
#include "harness.h"
#if defined(SIDELOOK_EMULATOR)
#include "emulator.h"
#endif

using namespace sidelook;

namespace
{

constexpr double pi = 3.14159265358979323846, c0 = speed_of_light_m_per_s;
constexpr double eps = 1.2e-7 / 2;  // rounding of a float

struct Case {
    const char *name;
    double sample_rate_hz, chirp_rate_hz_per_s;
    std::int64_t samples;
    bool orbit;             // squinted, seen from an orbit: lines drift
    Interval held, wanted;  // lines of the input; of the output
    std::int64_t padding;   // of the views' rows
};

// The chirp's band is 16 MHz: sample rates make each of the oversampling ratios. A device's batch of these lengths has
// 128 lines, a processor's 8.
const std::vector<Case> cases{
    {"one line", 25e6, -2e12, 400, false, {0, 1}, {0, 1}, 0},
    {"a batch less one line", 25e6, 2e12, 401, false, {10, 137}, {10, 137}, 1},
    {"lines within what is held", 20e6, -2e12, 377, false, {3, 60}, {11, 44}, 5},
    {"three batches, the last not full", 17.5e6, 2e12, 353, false, {0, 300}, {1, 290}, 0},
    {"the coarsest sampling", 16.05e6, -2e12, 499, false, {0, 40}, {0, 40}, 3},
    {"squint and drift", 25e6, -2e12, 640, true, {500, 700}, {501, 689}, 2},
    {"squint and drift, the last lines", 20e6, 2e12, 611, true, {3900, 4000}, {3960, 4000}, 0},
};

/// A circle in the inertial frame seen from the rotating Earth.
StateVector on_circle(double t)
{
    constexpr double radius_m = 7.07e6, orbit_rate = 1.0625e-3, earth_rate = 7.292115e-5, tilt = 1.7;
    const double a = orbit_rate * t + 0.7, c = std::cos(earth_rate * t), s = -std::sin(earth_rate * t);
    const double x = std::cos(a), y = std::sin(a) * std::cos(tilt), z = std::sin(a) * std::sin(tilt);
    const double u = -orbit_rate * std::sin(a), v = orbit_rate * std::cos(a) * std::cos(tilt),
                 w = orbit_rate * std::cos(a) * std::sin(tilt);
    const Vec3 position{radius_m * (c * x - s * y), radius_m * (s * x + c * y), radius_m * z};
    return {t,
            position,
            {radius_m * (c * u - s * v) + earth_rate * position.y, radius_m * (s * u + c * v) - earth_rate * position.x,
             radius_m * w}};
}

Acquisition acquisition_of(const Case &c)
{
    Acquisition a;
    a.sensor = "test radar";
    a.epoch_utc = "2026-01-01T00:00:00Z";
    a.carrier_hz = 5.4e9;
    a.prf_hz = 1500;
    a.pulses = c.orbit ? 4000 : 1100;
    a.samples = c.samples;
    a.sample_rate_hz = c.sample_rate_hz;
    a.first_sample_delay_s = 2 * 850e3 / c0;
    a.chirp_rate_hz_per_s = c.chirp_rate_hz_per_s;
    a.chirp_duration_s = 8e-6;
    a.doppler_centroid_hz = {40, 1e5};
    a.effective_velocity_m_per_s = 7100;
    if (c.orbit) {
        for (int i = 0; i < 9; ++i) a.orbit.push_back(on_circle(10.0 * i));
        a.first_pulse_time_s = 38;
        a.doppler_centroid_hz = {9000};
    }
    return a;
}

/// Lines of noise of size 1 at these places; between the rows, NaN.
std::vector<c64> noise_lines(Interval lines, std::int64_t cols, std::int64_t stride)
{
    std::vector<c64> all(static_cast<std::size_t>(lines.size() * stride), c64(NAN, NAN));
    for (std::int64_t r = 0; r < lines.size(); ++r) {
        harness::Noise noise(
            static_cast<std::uint64_t>(1000 + lines.first + r));  // a line's own, wherever a view begins
        for (std::int64_t c = 0; c < cols; ++c)
            all[static_cast<std::size_t>(r * stride + c)] = {static_cast<float>(noise()), static_cast<float>(noise())};
    }
    return all;
}

/// The definition, one line: spectrum, times filter, turned by the line's delay, back at the compressed samples.
std::vector<c128> by_definition(const RangePlan &plan, const Scene &scene, const c64 *echoes, std::int64_t line)
{
    const std::int64_t n = plan.fft_length(), m = plan.inverse_fft_length(), half = plan.half();
    const auto roots = [](std::int64_t length) {
        std::vector<c128> all;
        for (std::int64_t i = 0; i < length; ++i)
            all.push_back(std::polar(1.0, 2 * pi * static_cast<double>(i) / static_cast<double>(length)));
        return all;
    };
    const std::vector<c128> forward = roots(n), back = roots(m);
    const auto at = [](const std::vector<c128> &all, std::int64_t i) {
        const auto length = static_cast<std::int64_t>(all.size());
        return all[static_cast<std::size_t>((i % length + length) % length)];
    };
    std::vector<c128> out(static_cast<std::size_t>(plan.grid().samples));
    for (std::int64_t k = -half; k <= half; ++k) {
        c128 bin = 0;
        for (std::int64_t i = 0; i < plan.grid().samples_in.size(); ++i) bin += c128(echoes[i]) * at(forward, -k * i);
        const double frequency_hz = static_cast<double>(k) * plan.grid().sample_rate_hz / static_cast<double>(m);
        bin *= c128(plan.filter()[static_cast<std::size_t>(half + k)]) *
               std::polar(1.0, 2 * pi * frequency_hz * scene.line_delay_s(static_cast<double>(line)));
        for (std::size_t j = 0; j < out.size(); ++j)
            out[j] += bin * at(back, k * (plan.skip() + static_cast<std::int64_t>(j)));
    }
    return out;
}

/// Output lines, computed in calls of at most `step` lines.
std::vector<c64> compute(const Stage &stage, const Case &c, int threads, std::int64_t step)
{
    const std::int64_t stride_in = stage.samples_in() + c.padding, stride_out = stage.samples_out() + 2 * c.padding;
    std::vector<c64> in = noise_lines(c.held, stage.samples_in(), stride_in);
    std::vector<c64> out(static_cast<std::size_t>(c.wanted.size() * stride_out), c64(-7, -7)), packed;
    Workspace workspace(threads);
    for (std::int64_t first = c.wanted.first; first < c.wanted.end; first += step) {
        const Interval lines{first, std::min(first + step, c.wanted.end)};
        const View2<c64> to(out.data() + (first - c.wanted.first) * stride_out, lines.size(), stage.samples_out(),
                            stride_out);
        stage.execute(View2<c64>(in.data(), c.held.size(), stage.samples_in(), stride_in), c.held, to, lines, threads,
                      workspace);
    }
    for (std::int64_t r = 0; r < c.wanted.size(); ++r) {
        const auto row = out.begin() + r * stride_out;
        packed.insert(packed.end(), row, row + stage.samples_out());
        CHECK(std::all_of(row + stage.samples_out(), row + stride_out, [](c64 x) { return x == c64(-7, -7); }));
    }
    return packed;
}

bool same_bits(const std::vector<c64> &a, const std::vector<c64> &b)
{
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(c64)) == 0;
}

/// Largest distance of these lines from the definition, and the tolerance that float arithmetic deserves.
void check_against_definition(const char *device, const Case &c, const Scene &scene, const RangePlan &plan,
                              const std::vector<c64> &got)
{
    const std::int64_t cols = plan.grid().samples;
    const std::vector<c64> in = noise_lines(c.held, plan.grid().samples_in.size(), plan.grid().samples_in.size());
    double sum = 0, worst = 0;
    std::int64_t count = 0;
    for (std::int64_t line = c.wanted.first; line < c.wanted.end; ++line) {
        // The lines at the ends of batches, and some of the others.
        const std::int64_t r = line - c.wanted.first;
        if (r % 128 > 0 && r % 128 < 127 && r % 31 != 0 && line != c.wanted.end - 1) continue;
        const std::vector<c128> want =
            by_definition(plan, scene, in.data() + (line - c.held.first) * plan.grid().samples_in.size(), line);
        for (std::int64_t j = 0; j < cols; ++j) {
            const c128 y = want[static_cast<std::size_t>(j)];
            const double error = std::abs(c128(got[static_cast<std::size_t>(r * cols + j)]) - y);
            sum += std::norm(y);
            if (error > worst || std::isnan(error)) worst = error;  // and stays NaN
            ++count;
        }
    }
    // Random errors: two transforms, some eps sqrt(log2 N) of the RMS each (Schatzman 1996); the filter's product and
    // the turn's, 2 eps each; the turn's phase, uniform within 2 pi eps. The largest of 10^5 lies five deviations out.
    const double length = static_cast<double>(plan.inverse_fft_length());
    const double rms = std::sqrt(sum / static_cast<double>(count));
    const double tolerance = 5 * rms * eps * std::sqrt(2 * std::log2(length) + 2 * 4 + 4 * pi * pi / 3);
    std::printf("%s on %s: error %.2g of the RMS, tolerance %.2g\n", c.name, device, worst / rms, tolerance / rms);
    if (!(worst <= tolerance))
        harness::fail(__FILE__, __LINE__, text(c.name, " on ", device, ": error ", worst, "; tolerance ", tolerance));
}

}  // namespace

TEST(range_compress, on_the_processor_is_its_definition)
{
    for (const Case &c : cases) {
        const Scene scene(acquisition_of(c), {});
        CHECK(scene.lines_drift() == c.orbit);
        const RangeCompress stage(scene, {0, scene.grid().samples});
        const std::vector<c64> got = compute(stage, c, 1, 1000);
        check_against_definition("cpu", c, scene, *stage.plan(), got);
        CHECK(same_bits(got, compute(stage, c, 3, 1000)));
        CHECK(same_bits(got, compute(stage, c, 2, 13)));
    }
}

TEST(range_compress, on_a_cuda_device_is_its_definition)
{
    if (!harness::has_cuda("range_compress")) return;
    for (const Case &c : cases) {
        const Scene scene(acquisition_of(c), {});
        const RangeCompress planned(scene, {0, scene.grid().samples});
        const std::unique_ptr<Stage> stage = make_range_compress_cuda(planned.plan());
        const std::vector<c64> got = compute(*stage, c, 1, 1000);
        check_against_definition("cuda", c, scene, *planned.plan(), got);
        for (const std::uint64_t seed : {2, 3, 4}) {
#if defined(SIDELOOK_EMULATOR)
            emulator::set_seed(seed);
#endif
            CHECK(same_bits(got, compute(*stage, c, 2, 1 + 43 * static_cast<std::int64_t>(seed % 3))));
        }
    }
}

TEST(range_compress, the_selftest_passes)
{
    if (!harness::has_cuda("the self-test")) return;
    const std::vector<SelftestResult> results = cuda_selftest();
    CHECK(results.size() == 2 && results[0].stage == "range_compress" && results[1].stage == "cfar");
    for (const SelftestResult &r : results) {
        std::printf("%s: error %.2g, tolerance %.2g; cpu %.3f s, cuda %.3f s\n", r.stage.c_str(), r.largest_error,
                    r.tolerance, r.cpu_seconds, r.cuda_seconds);
        CHECK(r.passed && (r.largest_error > 0) == (r.tolerance > 0) && r.largest_error <= r.tolerance);
    }
}
