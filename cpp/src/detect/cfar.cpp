// cfar, CPU; there is no CUDA twin yet. The arithmetic of a pixel is in cfar_math.h, which both can share.
// in: intensity [line][sample] f32, linear; out: ratio [line][sample] f32, 1 at the threshold.
#include "detect/cfar.h"

#include <algorithm>
#include <cmath>

#include "core/text.h"
#include "core/threads.h"
#include "detect/cfar_kernels.h"
#include "detect/cfar_math.h"
#include "sidelook/error.h"

namespace sidelook
{
namespace
{

constexpr std::int64_t strip_samples = 512;       // the ring of 65 lines stays in 256 KiB
constexpr std::int64_t least_lines_a_task = 192;  // the window is filled again for every task

}  // namespace

std::int64_t cfar_strip_bytes(int training, std::int64_t samples)
{
    const std::int64_t stride = (samples + training + 78) / 64 * 64 + 16;
    return training * stride * 5 + stride * (4 * 8 + 3 * 4 + 2 * 4) + std::int64_t{16} * 64;
}

void check_windows(const CfarWindows &w, std::int64_t lines, std::int64_t samples)
{
    require(w.training >= 9 && w.training <= 65 && w.training % 2 == 1,
            text("training is ", w.training, "; must be odd and lie between 9 and 65"));
    require(w.guard >= 1 && w.guard % 2 == 1, text("guard is ", w.guard, "; must be odd and at least 1"));
    require(w.guard < w.training, text("guard is ", w.guard, "; must be less than training, which is ", w.training));
    require(w.training <= lines && w.training <= samples,
            text("training is ", w.training, "; must not exceed the image, ", lines, " lines x ", samples, " samples"));
}

Cfar::Cfar(CfarParameters parameters) : p_(std::move(parameters)), half_(p_.windows.training / 2)
{
    check_windows(p_.windows, p_.windows.training, p_.samples);
    require(p_.least_training > 0 && p_.least_training <= 1,
            text("least_training is ", p_.least_training, "; must lie above 0 and not above 1"));
    require(p_.clip >= 1 && p_.clip <= 1e6, text("clip is ", p_.clip, "; must lie between 1 and 1e6"));
    require(static_cast<std::int64_t>(p_.threshold.size()) == p_.samples,
            text("threshold has ", p_.threshold.size(), " values; must have one a sample, ", p_.samples));
    require(p_.level_rows > 0 && p_.level_cols > 0 &&
                static_cast<std::int64_t>(p_.level.size()) == p_.level_rows * p_.level_cols,
            text("level has ", p_.level.size(), " cells; must have ", p_.level_rows, " x ", p_.level_cols));
    const double w = p_.windows.training, g = p_.windows.guard;
    least_ = static_cast<float>(std::ceil(p_.least_training * (w * w - g * g)));
    float largest = 0;
    for (const float level : p_.level) {
        require(level >= 0 && std::isfinite(level), text("level is ", level, "; must be finite and not negative"));
        largest = std::max(largest, level);
    }
    int exponent = 0;
    std::frexp(largest * static_cast<float>(p_.clip), &exponent);  // below 2^exponent
    require(exponent > -80 && exponent < 120, text("level is ", largest, "; must lie between 1e-24 and 1e30"));
    quantum_ = std::ldexp(1.0f, exponent - cfar_fraction_bits);
}

std::int64_t Cfar::workspace_bytes(std::int64_t, int threads) const
{
    return std::max(1, threads) * cfar_strip_bytes(p_.windows.training, std::min(p_.samples, strip_samples));
}

void Cfar::compute(View2<const float> in, Interval in_lines, View2<float> out, Interval out_lines, int threads,
                   Workspace &workspace) const
{
    // Strips of about equal width, and of few lines only where there are not enough of them for the threads.
    const std::int64_t strips = (p_.samples + strip_samples - 1) / strip_samples;
    const std::int64_t wanted = std::max<std::int64_t>(1, (4 * threads + strips - 1) / strips);
    const std::int64_t pieces =
        threads == 1 ? 1 : std::clamp<std::int64_t>(out_lines.size() / least_lines_a_task, 1, wanted);
    const std::int64_t bytes = cfar_strip_bytes(p_.windows.training, std::min(p_.samples, strip_samples));
    parallel_for(strips * pieces, threads, [&](std::int64_t task, int worker) {
        const std::int64_t strip = task % strips, piece = task / strips;
        CfarStrip s;
        s.in = in;
        s.in_lines = in_lines;
        s.out = out;
        s.out_lines = out_lines;
        s.lines = {out_lines.first + piece * out_lines.size() / pieces,
                   out_lines.first + (piece + 1) * out_lines.size() / pieces};
        s.samples = {strip * p_.samples / strips, (strip + 1) * p_.samples / strips};
        s.training = p_.windows.training;
        s.guard = p_.windows.guard;
        s.least = least_;
        s.threshold = p_.threshold.data();
        s.map = {p_.level.data(), p_.level_rows, p_.level_cols, static_cast<float>(p_.clip), quantum_};
        s.workspace = reinterpret_cast<char *>(workspace.get(worker, (bytes + 7) / 8));
        SIDELOOK_DISPATCH(cfar_strip, s);
    });
}

}  // namespace sidelook
