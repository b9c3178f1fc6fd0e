// The native bench: focusing and its stages against the machine's limits and against the bare cost of their transforms.
//   sidelook_bench [--size PULSESxSAMPLES]... [--repeat N] [--threads N]
// One JSON object goes to stdout. A size is timed only after its image has been found right: a point where geometry
// puts it, with the amplitude of its echo. Every run begins with cold caches; the first, which also faults memory in,
// does not count. Of the others the median is given, and the spread: the interquartile range over the median.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <string>
#include <utility>
#include <vector>

#include "sidelook/error.h"
#include "sidelook/focus.h"
#include "sidelook/simulate.h"
#include "sidelook/stages.h"

using namespace sidelook;

namespace
{

using Size = std::pair<std::int64_t, std::int64_t>;  // pulses, samples
// A power of two, two primes, a long strip, a wide one: few transforms of theirs are of convenient length.
const std::vector<Size> fixed_sizes = {{4096, 4096}, {5003, 4099}, {16384, 2053}, {2503, 8209}};

struct Request {
    std::vector<Size> sizes;
    int repeat = 5, threads = 1;
};

struct Summary {
    double median = 0, spread = 0;
};

Summary summary(std::vector<double> values)
{
    std::sort(values.begin(), values.end());
    const auto quantile = [&](double q) {
        const double at = q * static_cast<double>(values.size() - 1);
        const auto below = static_cast<std::size_t>(at);
        const auto above = std::min(below + 1, values.size() - 1);
        return values[below] + (at - static_cast<double>(below)) * (values[above] - values[below]);
    };
    return {quantile(0.5), (quantile(0.75) - quantile(0.25)) / quantile(0.5)};
}

/// Whole numbers from 1 on; anything else ends the program with the usage.
std::int64_t number(const char *text, const char *end)
{
    std::int64_t value = 0;
    for (const char *c = text; c != end; ++c) {
        if (*c < '0' || *c > '9' || value > 1000000) return 0;
        value = 10 * value + (*c - '0');
    }
    return value;
}

bool parse(int argc, char **argv, Request &r)
{
    for (int i = 1; i + 1 < argc; i += 2) {
        const char *value = argv[i + 1], *end = value + std::strlen(value), *cross = std::strchr(value, 'x');
        if (std::strcmp(argv[i], "--size") == 0 && cross)
            r.sizes.emplace_back(number(value, cross), number(cross + 1, end));
        else if (std::strcmp(argv[i], "--repeat") == 0)
            r.repeat = static_cast<int>(number(value, end));
        else if (std::strcmp(argv[i], "--threads") == 0)
            r.threads = static_cast<int>(number(value, end));
        else
            return false;
    }
    for (const Size &s : r.sizes)
        if (s.first < 1 || s.second < 1) return false;
    if (r.sizes.empty()) r.sizes = fixed_sizes;
    return argc % 2 == 1 && r.repeat > 0 && r.threads > 0;
}

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

double wall_seconds()
{
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Turns out of every cache what a run before has left there.
void cool_caches()
{
    static std::vector<char> other(64 << 20);
    for (std::size_t i = 0; i < other.size(); i += 64) ++other[i];
}

struct Scene {
    Acquisition acquisition;
    simulate::Platform platform;

    Scene(Size size)
    {
        const simulate::Sensor sensor = simulate::sensor("c-stripmap");
        platform = sensor.platform;
        acquisition = simulate::acquire(sensor, size.first, size.second);
        acquisition.doppler_centroid_hz = doppler_from_attitude(acquisition);
    }
};

/// Focuses a point that lies on a pixel's centre; what it should be there is 1 times the phase of its range.
void check_answer(const Scene &scene, const FocusPlan &plan, std::vector<c64> &echoes)
{
    const SlcGrid &g = plan.grid();
    const std::int64_t sample = g.samples / 2;
    const auto j = static_cast<std::size_t>(sample);
    const std::int64_t line = (g.valid_first_line[j] + g.valid_end_line[j]) / 2;
    const double range = g.first_slant_range_m + static_cast<double>(sample) * g.sample_spacing_m;
    const double time = g.first_line_time_s + static_cast<double>(line) * g.line_spacing_s;
    const Acquisition &a = scene.acquisition;
    simulate::Target target;
    target.position_m = simulate::place(scene.platform, {time, range}, a.terrain_height_m);
    simulate::EchoOptions lit;
    lit.beam_limit = 1;
    simulate::simulate_exact(a, scene.platform, {target}, lit, {echoes.data(), a.pulses, a.samples});
    c64 found;
    const EchoReader reader = [&](std::int64_t first, std::int64_t lines, std::int64_t from, View2<c64> out) {
        for (std::int64_t r = 0; r < lines; ++r)
            std::copy_n(echoes.data() + (first + r) * a.samples + from, out.cols, out.row(r));
    };
    const SlcWriter writer = [&](std::int64_t first, std::int64_t from, View2<const c64> block) {
        if (line >= first && line < first + block.rows && sample >= from && sample < from + block.cols)
            found = block(line - first, sample - from);
    };
    std::vector<StageReport> report;
    plan.run(reader, writer, {}, {}, report);
    const double turns = std::fmod(2 * range * a.carrier_hz / speed_of_light_m_per_s, 1.0);
    const std::complex<double> unit = std::complex<double>(found) * std::polar(1.0, 2 * 3.14159265358979323846 * turns);
    // The elevation pattern is left in the image and is flat to a per cent in the middle of the swath.
    if (!(std::abs(unit - 1.0) < 0.05))
        throw Error(Code::failure, "a unit point focuses to " + std::to_string(unit.real()) + " + " +
                                       std::to_string(unit.imag()) + "i; must be 1 within 0.05");
}

void fill_with_noise(std::vector<c64> &echoes)
{
    std::uint32_t state = 1;  // a linear congruential generator (Numerical Recipes' constants)
    const auto next = [&] {
        state = 1664525u * state + 1013904223u;
        return static_cast<float>(state >> 8) / 16777216.0F - 0.5F;
    };
    for (c64 &x : echoes) x = {next(), next()};
}

void print_size(Size size, const Request &request, const MachineLimits &limits)
{
    const Scene scene(size);
    FocusOptions options;
    options.threads = request.threads;
    const double planned = wall_seconds();
    const FocusPlan plan(scene.acquisition, options);
    const double plan_seconds = wall_seconds() - planned;
    std::vector<c64> echoes(static_cast<std::size_t>(size.first * size.second));
    check_answer(scene, plan, echoes);
    fill_with_noise(echoes);

    const EchoReader reader = [&](std::int64_t first, std::int64_t lines, std::int64_t from, View2<c64> out) {
        for (std::int64_t r = 0; r < lines; ++r)
            std::copy_n(echoes.data() + (first + r) * size.second + from, out.cols, out.row(r));
    };
    std::vector<double> wall, cpu;
    std::vector<std::vector<double>> stages(3);
    for (int turn = 0; turn <= request.repeat; ++turn) {
        cool_caches();
        std::vector<StageReport> report;
        const double wall0 = wall_seconds(), cpu0 = cpu_seconds();
        plan.run(reader, [](std::int64_t, std::int64_t, View2<const c64>) {}, {}, {}, report);
        if (turn == 0) continue;
        cpu.push_back(cpu_seconds() - cpu0);
        wall.push_back(wall_seconds() - wall0);
        for (std::size_t s = 0; s < stages.size(); ++s) stages[s].push_back(report[s].seconds);
    }
    std::int64_t valid = 0;
    for (std::size_t j = 0; j < plan.grid().valid_first_line.size(); ++j)
        valid += plan.grid().valid_end_line[j] - plan.grid().valid_first_line[j];

    const Summary cpu_time = summary(cpu), wall_time = summary(wall);
    std::printf("    {\"pulses\": %lld, \"samples\": %lld, \"valid_samples\": %lld, \"block_lines\": %lld,\n",
                static_cast<long long>(size.first), static_cast<long long>(size.second), static_cast<long long>(valid),
                static_cast<long long>(plan.block_lines()));
    std::printf("     \"plan_seconds\": %.6f,\n", plan_seconds);
    std::printf("     \"wall_seconds\": {\"median\": %.6f, \"spread\": %.4f},\n", wall_time.median, wall_time.spread);
    std::printf("     \"cpu_seconds\": {\"median\": %.6f, \"spread\": %.4f},\n", cpu_time.median, cpu_time.spread);
    std::printf("     \"ns_per_valid_sample\": %.4f,\n", 1e9 * cpu_time.median / static_cast<double>(valid));
    double transforms = 0;
    std::string rows;
    const std::vector<StageCost> costs = plan.costs();
    for (std::size_t s = 0; s < costs.size() && s < stages.size(); ++s) {
        double bare = 0;
        for (const StageCost::Transforms &t : costs[s].transforms) bare += time_transforms(t.length, t.rows, t.batch);
        transforms += bare;
        const Summary time = summary(stages[s]);
        const double memory = costs[s].bytes / limits.copy_bytes_per_s,
                     arithmetic = costs[s].flops / limits.flops_per_s;
        char row[512];
        std::snprintf(row, sizeof row,
                      "      {\"name\": \"%s\", \"wall_seconds\": {\"median\": %.6f, \"spread\": %.4f}, "
                      "\"bare_fft_cpu_seconds\": "
                      "%.6f, \"share_of_limit\": %.4f, \"bound_by\": \"%s\"}%s\n",
                      costs[s].name.c_str(), time.median, time.spread, bare, std::max(memory, arithmetic) / time.median,
                      memory >= arithmetic ? "memory" : "arithmetic", s + 1 < costs.size() ? "," : "");
        rows += row;
    }
    std::printf("     \"bare_fft_cpu_seconds\": %.6f, \"times_bare_fft\": %.4f,\n", transforms,
                cpu_time.median / transforms);
    std::printf("     \"stages\": [\n%s     ]}", rows.c_str());
}

}  // namespace

int main(int argc, char **argv)
{
    Request request;
    if (!parse(argc, argv, request)) {
        std::fprintf(stderr, "usage: %s [--size PULSESxSAMPLES]... [--repeat N] [--threads N]\n", argv[0]);
        return static_cast<int>(Code::usage);
    }
    try {
        for (const Size &size : request.sizes)
            FocusPlan(Scene(size).acquisition, {});  // refused before anything is said
        const MachineLimits limits = measure_machine(request.threads);
        std::printf("{\"software\": \"sidelook %s\", \"fft_library\": \"%s\", \"instruction_set\": \"%s\",\n",
                    version(), fft_library().c_str(), instruction_set().c_str());
        std::printf(" \"threads\": %d, \"runs\": %d,\n", request.threads, request.repeat);
        std::printf(" \"limits\": {\"copy_bytes_per_s\": %.4g, \"flops_per_s\": %.4g},\n \"focus\": [\n",
                    limits.copy_bytes_per_s, limits.flops_per_s);
        for (std::size_t i = 0; i < request.sizes.size(); ++i) {
            if (i > 0) std::printf(",\n");
            print_size(request.sizes[i], request, limits);
            std::fflush(stdout);
        }
        std::printf("\n ]}\n");
        return 0;
    } catch (const Error &e) {
        std::fprintf(stderr, "sidelook_bench: error: %s\n", e.what());
        return static_cast<int>(e.code());
    }
}
