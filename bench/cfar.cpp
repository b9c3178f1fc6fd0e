// The ratio that detection tests, alone: millions of pixels a CPU second by training window, one thread, with the
// median of the runs and their spread, the interquartile range over it. One JSON object goes to stdout.
//   sidelook_bench_cfar [REPEAT]
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <limits>
#include <memory>
#include <vector>

#include "detect/cfar.h"
#include "sidelook/focus.h"

using namespace sidelook;

namespace
{

constexpr std::int64_t lines = 2048, samples = 4099;

double cpu_seconds()
{
    timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

/// Exponential speckle; with gaps, a third of it NaN between two slanting lines.
void fill(std::vector<float> &image, bool gaps)
{
    std::uint64_t state = 1;
    for (std::int64_t i = 0; i < lines; ++i)
        for (std::int64_t j = 0; j < samples; ++j) {
            state = 6364136223846793005u * state + 1442695040888963407u;
            const double uniform = (static_cast<double>(state >> 11) + 0.5) / 9007199254740992.0;
            const bool gone = gaps && j > 1000 + i / 4 && j < 2500 + i / 8;
            image[static_cast<std::size_t>(i * samples + j)] =
                gone ? std::numeric_limits<float>::quiet_NaN() : static_cast<float>(-std::log(uniform));
        }
}

}  // namespace

int main(int argc, char **argv)
{
    const int repeat = argc > 1 ? std::max(1, std::atoi(argv[1])) : 9;
    std::vector<float> image(lines * samples), ratio(image.size());
    std::printf("{\"instruction_set\": \"%s\", \"lines\": %lld, \"samples\": %lld, \"cfar\": [\n",
                instruction_set().c_str(), static_cast<long long>(lines), static_cast<long long>(samples));
    const char *separator = "";
    for (const bool gaps : {false, true}) {
        fill(image, gaps);
        for (const int training : {9, 15, 31, 41, 65}) {
            CfarParameters p;
            p.samples = samples;
            p.windows = {training, training / 2 | 1};
            p.threshold.assign(samples, 1.0f);
            p.level = {1.0f};
            p.level_rows = p.level_cols = 1;
            const std::unique_ptr<Stage> stage = make_cfar(Device::cpu, p);
            Workspace workspace(1);
            std::vector<double> seconds;
            for (int turn = 0; turn <= repeat; ++turn) {
                const double begin = cpu_seconds();
                stage->execute(View2<const float>(image.data(), lines, samples), {0, lines},
                               View2<float>(ratio.data(), lines, samples), {0, lines}, 1, workspace);
                if (turn > 0) seconds.push_back(cpu_seconds() - begin);  // the first faults memory in
            }
            std::sort(seconds.begin(), seconds.end());
            const auto quantile = [&](double q) {
                return seconds[static_cast<std::size_t>(q * static_cast<double>(seconds.size() - 1) + 0.5)];
            };
            std::printf(
                "%s  {\"training\": %d, \"guard\": %d, \"gaps\": %s, \"mpixel_per_cpu_s\": %.1f, \"spread\": %.3f}",
                separator, p.windows.training, p.windows.guard, gaps ? "true" : "false",
                1e-6 * static_cast<double>(lines * samples) / quantile(0.5),
                (quantile(0.75) - quantile(0.25)) / quantile(0.5));
            separator = ",\n";
        }
    }
    std::printf("\n]}\n");
    return 0;
}
