// Every CUDA implementation against its CPU twin, on noise: what a machine with a device can say that the emulator
// cannot.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "detect/cfar.h"
#include "focus/range_compress.h"

namespace sidelook
{
namespace
{

/// A squinted C-band radar on a spiral around the Earth's centre: lines drift, so that every term is there.
Acquisition squinted_acquisition()
{
    Acquisition a;
    a.sensor = "selftest";
    a.epoch_utc = "2026-01-01T00:00:00Z";
    a.carrier_hz = 5.4e9;
    a.prf_hz = 1500;
    a.pulses = 4000;
    a.samples = 4000;
    a.sample_rate_hz = 50e6;
    a.first_sample_delay_s = 2 * 850e3 / speed_of_light_m_per_s;
    a.chirp_rate_hz_per_s = 2e12;
    a.chirp_duration_s = 20e-6;
    a.doppler_centroid_hz = {9000};
    a.first_pulse_time_s = 38;
    constexpr double rate = 1.0625e-3, climb = 20;  // (rad/s), (m/s)
    for (int i = 0; i < 9; ++i) {
        const double t = 10.0 * i, r = 7.07e6 + climb * t, x = std::cos(rate * t), y = std::sin(rate * t);
        a.orbit.push_back({t, {r * x, r * y, 0}, {climb * x - r * rate * y, climb * y + r * rate * x, 0}});
    }
    return a;
}

/// Uniform, -1 to 1: the generator of Numerical Recipes.
class Noise
{
public:
    float operator()()
    {
        state_ = 1664525 * state_ + 1013904223;
        return 0x1p-31f * static_cast<float>(static_cast<std::int32_t>(state_));
    }

private:
    std::uint32_t state_ = 1;
};

/// Runs both over all these lines, and compares what they make of them relative to its RMS. NaN is to be where NaN is.
template <class T>
SelftestResult compare(const Stage &cpu, const Stage &cuda, std::vector<T> in, std::int64_t lines, double tolerance)
{
    SelftestResult result{cpu.name(), 0, tolerance, 0, 0, false};
    std::vector<T> want(static_cast<std::size_t>(lines * cpu.samples_out())), got(want.size());
    const auto seconds = [&](const Stage &stage, std::vector<T> &out) {
        const Interval all{1000, 1000 + lines};
        Workspace workspace(1);
        const auto begin = std::chrono::steady_clock::now();
        stage.execute(View2<T>(in.data(), lines, stage.samples_in()), all,
                      View2<T>(out.data(), lines, stage.samples_out()), all, 1, workspace);
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    };
    result.cpu_seconds = seconds(cpu, want);
    seconds(cuda, got);  // a device's first run loads its code
    result.cuda_seconds = seconds(cuda, got);

    double power = 0;
    std::size_t compared = 0, odd = 0;
    for (std::size_t i = 0; i < want.size(); ++i) {
        const c128 x(want[i]), y(got[i]);
        const bool number = std::isfinite(std::abs(x));
        odd += number != std::isfinite(std::abs(y));
        if (!number) continue;
        result.largest_error = std::max(result.largest_error, std::abs(y - x));
        power += std::norm(x);
        ++compared;
    }
    result.largest_error /= std::sqrt(power / static_cast<double>(compared));
    result.passed = odd == 0 && compared > want.size() / 2 && result.largest_error <= result.tolerance;
    return result;
}

SelftestResult range_compress()
{
    const Scene scene(squinted_acquisition(), {});
    const RangeCompress cpu(scene, {0, scene.grid().samples});
    const std::unique_ptr<Stage> cuda = make_range_compress_cuda(cpu.plan());
    const std::int64_t lines = 2 * cpu.plan()->device_batch() + 3;  // whole batches and a part of one
    std::vector<c64> in(static_cast<std::size_t>(lines * cpu.samples_in()));
    Noise noise;
    for (c64 &x : in) x = {noise(), noise()};
    // Each is within 2e-6 of the RMS from the definition, by random rounding (cpp/tests/test_range_compress.cpp derives
    // it).
    return compare(cpu, *cuda, std::move(in), lines, 2 * 2e-6);
}

SelftestResult cfar()
{
    CfarParameters p;
    p.samples = 3001;
    p.level_rows = p.level_cols = 1;
    p.level = {0.3f};
    p.threshold.assign(static_cast<std::size_t>(p.samples), 4.0f);
    const auto plan = std::make_shared<const CfarPlan>(p);
    constexpr std::int64_t lines = 1100;  // several batches
    std::vector<float> in(static_cast<std::size_t>(lines * p.samples));
    Noise noise;
    for (float &x : in) {
        const float u = noise();
        x = u > -0.9f ? std::abs(u * u * u * u) / (1.0001f - u) : NAN;  // some are brighter than the clip
    }
    // Sums are exact and divisions IEEE's (detect/cfar_math.h): not a bit may differ.
    return compare(Cfar(plan), *make_cfar_cuda(plan), std::move(in), lines, 0);
}

}  // namespace

std::vector<SelftestResult> cuda_selftest()
{
    cuda_devices();  // refuses where there is none
    return {range_compress(), cfar()};
}

}  // namespace sidelook
