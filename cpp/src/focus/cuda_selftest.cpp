// Every CUDA implementation against its CPU twin, on noise: what a machine with a device can say that the emulator
// cannot.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>

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

/// Seconds that the stage takes for all lines of `in`.
double run(const Stage &stage, View2<c64> in, View2<c64> out)
{
    const Interval lines{1000, 1000 + in.rows};
    Workspace workspace(1);
    const auto begin = std::chrono::steady_clock::now();
    stage.execute(in, lines, out, lines, 1, workspace);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

SelftestResult range_compress()
{
    // Each is within 2e-6 of the RMS from the definition, by random rounding (cpp/tests/test_range_compress.cpp derives
    // it).
    SelftestResult result{"range_compress", 0, 2 * 2e-6, 0, 0, false};
    const Scene scene(squinted_acquisition(), {});
    const RangeCompress cpu(scene, {0, scene.grid().samples});
    const std::unique_ptr<Stage> cuda = make_range_compress_cuda(cpu.plan());
    const std::int64_t lines = 2 * cpu.plan()->device_batch() + 3;  // whole batches and a part of one
    std::vector<c64> in(static_cast<std::size_t>(lines * cpu.samples_in()));
    std::vector<c64> want(static_cast<std::size_t>(lines * cpu.samples_out())), got(want.size());
    std::uint32_t noise = 1;  // the generator of Numerical Recipes
    const auto next = [&] {
        return static_cast<float>(static_cast<std::int32_t>(noise = 1664525 * noise + 1013904223));
    };
    for (c64 &x : in) x = {0x1p-31f * next(), 0x1p-31f * next()};
    const View2<c64> from(in.data(), lines, cpu.samples_in());
    result.cpu_seconds = run(cpu, from, {want.data(), lines, cpu.samples_out()});
    run(*cuda, from, {got.data(), lines, cpu.samples_out()});  // a device's first run loads its code
    result.cuda_seconds = run(*cuda, from, {got.data(), lines, cpu.samples_out()});

    double power = 0, largest = 0;
    bool finite = true;
    for (std::size_t i = 0; i < want.size(); ++i) {
        const double error = std::abs(c128(got[i]) - c128(want[i]));
        finite = finite && std::isfinite(error);
        largest = std::max(largest, error);
        power += std::norm(c128(want[i]));
    }
    result.largest_error = largest / std::sqrt(power / static_cast<double>(want.size()));
    result.passed = finite && result.largest_error <= result.tolerance;
    return result;
}

}  // namespace

std::vector<SelftestResult> cuda_selftest()
{
    cuda_devices();  // refuses where there is none
    return {range_compress()};
}

}  // namespace sidelook
