// Focusing a tiny scene through the C++ interface: the same bits for any number of threads, a point where geometry puts
// it, refusals and stops. tests/test_focus_accuracy.py judges images; this runs where sanitizers can watch.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "harness.h"
#include "sidelook/focus.h"
#if defined(SIDELOOK_EMULATOR)
#include "emulator.h"
#endif

using namespace sidelook;

namespace
{

constexpr double pi = 3.14159265358979323846, c0 = speed_of_light_m_per_s;

/// A C-band radar on a straight track; the aperture is some 700 pulses long.
Acquisition small_acquisition()
{
    Acquisition a;
    a.sensor = "test radar";
    a.epoch_utc = "2026-01-01T00:00:00Z";
    a.carrier_hz = 5.4e9;
    a.prf_hz = 1500;
    a.pulses = 1100;
    a.samples = 400;
    a.sample_rate_hz = 25e6;
    a.first_sample_delay_s = 2 * 850e3 / c0;
    a.chirp_rate_hz_per_s = -2e12;
    a.chirp_duration_s = 8e-6;
    a.effective_velocity_m_per_s = 7100;
    a.doppler_centroid_hz = {40, 1e5};
    return a;
}

std::vector<c64> noise_echoes(const Acquisition &a)
{
    harness::Noise noise(11);
    std::vector<c64> echoes(static_cast<std::size_t>(a.pulses * a.samples));
    for (c64 &x : echoes) x = {static_cast<float>(noise()), static_cast<float>(noise())};
    return echoes;
}

EchoReader reader_of(const std::vector<c64> &echoes, std::int64_t samples)
{
    return [&echoes, samples](std::int64_t line, std::int64_t lines, std::int64_t sample, View2<c64> out) {
        for (std::int64_t r = 0; r < lines; ++r)
            std::copy_n(echoes.begin() + (line + r) * samples + sample, out.cols, out.row(r));
    };
}

std::vector<c64> focus(const Acquisition &a, const FocusOptions &options, const std::vector<c64> &echoes,
                       const EchoCorrections &corrections = {})
{
    const FocusPlan plan(a, options);
    std::vector<c64> image(static_cast<std::size_t>(plan.grid().lines * plan.grid().samples), c64(-7, -7));
    const SlcWriter writer = [&](std::int64_t line, std::int64_t sample, View2<const c64> block) {
        for (std::int64_t r = 0; r < block.rows; ++r)
            std::copy_n(block.row(r), block.cols, image.begin() + (line + r) * plan.grid().samples + sample);
    };
    std::vector<StageReport> report;
    plan.run(reader_of(echoes, a.samples), writer, corrections, {}, report);
    CHECK(report.size() == 3);
    for (const StageReport &stage : report)
        CHECK(stage.device == (stage.name == "range_compress" ? options.device : Device::cpu));
    return image;
}

bool same_bits(const std::vector<c64> &a, const std::vector<c64> &b)
{
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(c64)) == 0;
}

}  // namespace

TEST(focus, thread_counts_give_the_same_bits)
{
    const Acquisition a = small_acquisition();
    const std::vector<c64> echoes = noise_echoes(a);
    FocusOptions options;
    options.minimum_exposure = 0.7;
    options.block_lines = 150;  // several blocks and strips, so that they follow each other under threads too
    options.strip_samples = 128;
    std::vector<std::vector<c64>> images;
    for (const int threads : {1, 2, 3}) {
        options.threads = threads;
        images.push_back(focus(a, options, echoes));
    }
    CHECK(same_bits(images[0], images[1]));
    CHECK(same_bits(images[0], images[2]));
    const FocusPlan plan(a, options);
    const SlcGrid &g = plan.grid();
    std::int64_t finite = 0;
    for (std::int64_t i = 0; i < g.lines; ++i)
        for (std::int64_t j = 0; j < g.samples; ++j) {
            const c64 x = images[0][static_cast<std::size_t>(i * g.samples + j)];
            const auto u = static_cast<std::size_t>(j);
            const bool valid = i >= g.valid_first_line[u] && i < g.valid_end_line[u];
            CHECK(valid == (std::isfinite(x.real()) && std::isfinite(x.imag())));
            finite += valid;
        }
    CHECK(finite > 0);
}

TEST(focus, a_point_appears_where_it_is_with_its_phase)
{
    Acquisition a = small_acquisition();
    a.doppler_centroid_hz = {0};
    FocusOptions options;
    options.threads = 2;
    const FocusPlan plan(a, options);
    const SlcGrid &g = plan.grid();
    const std::int64_t line = g.lines / 2, sample = g.samples / 2;
    const double t0 = g.first_line_time_s + static_cast<double>(line) * g.line_spacing_s;
    const double r0 = g.first_slant_range_m + static_cast<double>(sample) * g.sample_spacing_m,
                 v = a.effective_velocity_m_per_s;
    // The two-way delay of what is received at t, the antenna moving on from sending to receiving.
    const auto delay_at = [&](double t) {
        const double back = std::hypot(r0, v * (t - t0));
        double delay = 2 * back / c0;
        for (int i = 0; i < 4; ++i) delay = (back + std::hypot(r0, v * (t - delay - t0))) / c0;
        return delay;
    };
    std::vector<c64> echoes(static_cast<std::size_t>(a.pulses * a.samples));
    for (std::int64_t k = 0; k < a.pulses; ++k)
        for (std::int64_t j = 0; j < a.samples; ++j) {
            const double sent = a.first_pulse_time_s + static_cast<double>(k) / a.prf_hz;
            const double t = sent + a.first_sample_delay_s + static_cast<double>(j) / a.sample_rate_hz;
            const double delay = delay_at(t), u = t - sent - delay;
            if (std::abs(u) > 0.5 * a.chirp_duration_s) continue;
            echoes[static_cast<std::size_t>(k * a.samples + j)] =
                c64(std::polar(1.0, pi * a.chirp_rate_hz_per_s * u * u - 2 * pi * a.carrier_hz * delay));
        }
    const std::vector<c64> image = focus(a, options, echoes);
    std::size_t top = 0;
    for (std::size_t i = 0; i < image.size(); ++i)
        if (std::norm(image[i]) > std::norm(image[top]) || !(std::norm(image[top]) >= 0)) top = i;
    CHECK(static_cast<std::int64_t>(top) == line * g.samples + sample);
    // docs/flow.md: amplitude 1, phase -4 pi f0 R / c. The chirp's time-bandwidth product of 128 leaves Fresnel ripple
    // at the band's edges: some per cent of the amplitude, some hundredths of a radian.
    const auto peak = std::complex<double>(image[top]) * std::polar(1.0, 4 * pi * a.carrier_hz * r0 / c0);
    CHECK_NEAR(std::abs(peak), 1, 0.05);
    CHECK_NEAR(std::arg(peak), 0, 0.05);
}

TEST(focus, damaged_pulses_count_as_silent)
{
    const Acquisition a = small_acquisition();
    std::vector<c64> silent = noise_echoes(a), damaged = silent;
    const float bad[] = {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()};
    for (const int n : {0, 1}) {
        const auto pulse = (400 + 50 * n) * a.samples;
        std::fill_n(silent.begin() + pulse, a.samples, c64());
        damaged[static_cast<std::size_t>(pulse + 37)] = {1, bad[n]};
    }
    CHECK(same_bits(focus(a, {}, silent), focus(a, {}, damaged)));
}

TEST(focus, a_stop_in_any_callback_comes_out_and_leaves_the_plan_whole)
{
    const Acquisition a = small_acquisition();
    const std::vector<c64> echoes = noise_echoes(a);
    FocusOptions options;
    options.block_lines = 60;
    const FocusPlan plan(a, options);
    const EchoReader reader = reader_of(echoes, a.samples);
    const SlcWriter writer = [](std::int64_t, std::int64_t, View2<const c64>) {};
    std::vector<StageReport> report;
    CHECK_REFUSED(Code::failure, "reader",
                  plan.run([](auto &&...) { throw Error(Code::failure, "reader"); }, writer, {}, {}, report));
    CHECK_REFUSED(Code::failure, "writer",
                  plan.run(reader, [](auto &&...) { throw Error(Code::failure, "writer"); }, {}, {}, report));
    CHECK_REFUSED(Code::failure, "progress",
                  plan.run(reader, writer, {}, [](double) { throw Error(Code::failure, "progress"); }, report));
    EchoCorrections corrections;
    corrections.line_gain.assign(3, 1.0f);
    CHECK_REFUSED(Code::bad_input, "line_gain has 3", plan.run(reader, writer, corrections, {}, report));
    plan.run(reader, writer, {}, {}, report);
}

TEST(focus, what_breaks_a_rule_is_refused)
{
    const auto refuse = [](Code code, const std::string &words, const auto &change) {
        Acquisition a = small_acquisition();
        FocusOptions o;
        change(a, o);
        CHECK_REFUSED(code, words, const FocusPlan plan(a, o));
    };
    const double nan = std::numeric_limits<double>::quiet_NaN();
    refuse(Code::bad_input, "prf_hz is 0", [](Acquisition &a, FocusOptions &) { a.prf_hz = 0; });
    refuse(Code::bad_input, "prf_hz is nan", [&](Acquisition &a, FocusOptions &) { a.prf_hz = nan; });
    refuse(Code::bad_input, "carrier_hz is -1", [](Acquisition &a, FocusOptions &) { a.carrier_hz = -1; });
    refuse(Code::bad_input, "pulses is 0", [](Acquisition &a, FocusOptions &) { a.pulses = 0; });
    refuse(Code::bad_input, "doppler_centroid_hz is empty",
           [](Acquisition &a, FocusOptions &) { a.doppler_centroid_hz.clear(); });
    refuse(Code::bad_input, "effective_velocity_m_per_s",
           [](Acquisition &a, FocusOptions &) { a.effective_velocity_m_per_s = 0; });
    refuse(Code::bad_input, "orbit has 1", [](Acquisition &a, FocusOptions &) { a.orbit.resize(1); });
    refuse(Code::bad_input, "range_bandwidth_hz is 1000000000",
           [](Acquisition &, FocusOptions &o) { o.range_bandwidth_hz = 1e9; });
    refuse(Code::bad_input, "minimum_exposure is 0.2",
           [](Acquisition &, FocusOptions &o) { o.minimum_exposure = 0.2; });
    refuse(Code::bad_input, "block_lines is -1", [](Acquisition &, FocusOptions &o) { o.block_lines = -1; });
    refuse(Code::over_memory, "max_bytes (--max-ram) is 4096",
           [](Acquisition &, FocusOptions &o) { o.max_bytes = 4096; });
}

TEST(focus, the_survey_is_its_definition_however_lines_are_cut)
{
    const std::int64_t lines = 60, samples = 64;
    harness::Noise noise(3);
    std::vector<c64> x(static_cast<std::size_t>(lines * samples));
    for (c64 &v : x) v = {static_cast<float>(0.3 + noise()), static_cast<float>(-0.1 + 1.2 * noise())};
    x[static_cast<std::size_t>(5 * samples + 2)] = {std::numeric_limits<float>::quiet_NaN(), 0};
    std::fill_n(x.begin() + 9 * samples, samples, c64());
    double n = 0, i1 = 0, q1 = 0, ii = 0, qq = 0, iq = 0;
    for (std::int64_t r = 0; r < lines; ++r) {
        if (r == 5 || r == 9) continue;
        for (std::int64_t c = 0; c < samples; ++c) {
            const std::complex<double> v = x[static_cast<std::size_t>(r * samples + c)];
            n += 1, i1 += v.real(), q1 += v.imag(), ii += v.real() * v.real(), qq += v.imag() * v.imag(),
                iq += v.real() * v.imag();
        }
    }
    std::vector<double> first_doppler;
    for (const std::int64_t step : {1, 7, 60}) {
        EchoSurvey survey(samples, 1500);
        for (std::int64_t r = 0; r < lines; r += step)
            survey.add({x.data() + r * samples, std::min(step, lines - r), samples});
        const EchoStatistics s = survey.result();
        CHECK(s.lines == lines && s.good_lines == lines - 2);
        CHECK(s.damaged_lines == std::vector<std::int64_t>{5} && s.silent_lines == std::vector<std::int64_t>{9});
        const double mi = i1 / n, mq = q1 / n, tolerance = 1e-12;  // sums of 4e3 doubles of size 1
        CHECK_NEAR(s.mean_i, mi, tolerance);
        CHECK_NEAR(s.mean_q, mq, tolerance);
        CHECK_NEAR(s.power_i, ii / n - mi * mi, tolerance);
        CHECK_NEAR(s.power_q, qq / n - mq * mq, tolerance);
        CHECK_NEAR(s.covariance, iq / n - mi * mq, tolerance);
        if (first_doppler.empty()) first_doppler = s.doppler_fraction_hz;
        CHECK(s.doppler_fraction_hz == first_doppler && !first_doppler.empty());
    }
    CHECK_REFUSED(Code::bad_input, "0 lines", EchoSurvey(4, 1500).result());
    const std::vector<c64> nothing(8);
    EchoSurvey silent(4, 1500);
    silent.add({nothing.data(), 2, 4});
    CHECK_REFUSED(Code::bad_input, "2 lines of zeros", silent.result());
    CHECK_REFUSED(Code::bad_input, "line has 8", silent.add({nothing.data(), 1, 8}));
}

TEST(focus, a_turning_phase_has_the_doppler_it_turns_with)
{
    // x(k) = e^{j 2 pi f k / PRF}: correlation of neighbouring lines points at f, modulo the PRF (Madsen 1989).
    constexpr double prf_hz = 1500;
    for (const double f : {-700.0, -12.5, 0.0, 310.0, 740.0, 1900.0}) {
        std::vector<c64> x(static_cast<std::size_t>(40 * 32));
        for (std::int64_t k = 0; k < 40; ++k)
            for (std::int64_t c = 0; c < 32; ++c)  // signs that cancel the bias
                x[static_cast<std::size_t>(k * 32 + c)] =
                    c64((c % 2 ? 1.0 : -1.0) * std::polar(1.0, 2 * pi * f * static_cast<double>(k) / prf_hz));
        // Across a damaged and a silent pulse the phase turns twice as far: no pair may be made of their neighbours.
        x[static_cast<std::size_t>(10 * 32 + 3)] = {std::numeric_limits<float>::infinity(), 0};
        std::fill_n(x.begin() + 20 * 32, 32, c64());
        EchoSurvey survey(32, prf_hz);
        survey.add({x.data(), 40, 32});
        const double want = f - prf_hz * std::rint(f / prf_hz);
        for (const double got : survey.result().doppler_fraction_hz)
            CHECK_NEAR(got, want, 1e-4);  // float phases: 6e-8 of 1500 Hz
    }
}

#if defined(SIDELOOK_EMULATOR)
TEST(focus, cuda_without_a_device_is_refused)
{
    FocusOptions options;
    options.device = Device::cuda;
    emulator::set_device_count(0);
    CHECK_REFUSED(Code::missing_auxiliary, "device is cuda; this machine has no CUDA device",
                  FocusPlan(small_acquisition(), options));
    emulator::set_device_count(1);
    const FocusPlan plan(small_acquisition(), options);
    emulator::set_device_bytes(1 << 20);
    const auto nothing = [](auto &&...) {};
    std::vector<StageReport> report;
    CHECK_REFUSED(Code::over_memory, "device is cuda; an array of", plan.run(nothing, nothing, {}, {}, report));
    emulator::set_device_bytes(std::size_t{4} << 30);
    CHECK(emulator::bytes_in_use() == 0);
}

#endif

TEST(focus, cuda_gives_the_processors_image)
{
    if (!harness::has_cuda("focusing")) return;
    const Acquisition a = small_acquisition();
    const std::vector<c64> echoes = noise_echoes(a);
    FocusOptions options;
    options.block_lines = 150;
    options.strip_samples = 128;
    const std::vector<c64> want = focus(a, options, echoes);
    options.device = Device::cuda;
    const std::vector<c64> got = focus(a, options, echoes);
    double power = 0, worst = 0, finite = 0;
    for (std::size_t i = 0; i < want.size(); ++i) {
        CHECK(std::isfinite(want[i].real()) == std::isfinite(got[i].real()));
        if (!std::isfinite(want[i].real())) continue;
        power += std::norm(want[i]);
        worst = std::max(worst, static_cast<double>(std::abs(got[i] - want[i])));
        ++finite;
    }
    // Each range compression is good to its tolerance, some 2e-6 of the RMS (test_range_compress.cpp); what follows is
    // the same and keeps the ratio.
    CHECK(finite > 0);
    CHECK_NEAR(worst / std::sqrt(power / finite), 0, 4e-6);
}
