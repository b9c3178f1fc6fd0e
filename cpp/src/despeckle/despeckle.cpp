// despeckle, CPU; there is no CUDA twin yet. The arithmetic of a pixel is in despeckle_math.h, which both can share.
#include "despeckle/despeckle.h"

#include <algorithm>
#include <vector>

#include "core/text.h"
#include "core/threads.h"

namespace sidelook
{
namespace
{

constexpr std::int64_t strip_samples = 1280;
constexpr std::int64_t least_lines_a_task = 256;  // the window is filled again for every task
constexpr float largest = 1e15f;                  // squares of sums of a window are still floats

}  // namespace

std::int64_t Despeckle::strip_bytes() const
{
    return of_moments(method_.filter)
               ? SIDELOOK_DISPATCH(moment_strip_bytes, method_.window, std::min(samples_, strip_samples))
               : SIDELOOK_DISPATCH(window_strip_bytes, method_.window);
}

std::int64_t Despeckle::workspace_bytes(std::int64_t, int threads) const
{
    return std::max(1, threads) * strip_bytes();
}

void Despeckle::compute(View2<const float> in, Interval in_lines, View2<float> out, Interval out_lines, int threads,
                        Workspace &workspace) const
{
    // Strips of about equal width, and of few lines only where there are not enough of them for the threads.
    const std::int64_t strips = (samples_ + strip_samples - 1) / strip_samples;
    const std::int64_t wanted = std::max<std::int64_t>(1, (4 * threads + strips - 1) / strips);
    const std::int64_t pieces =
        threads == 1 ? 1 : std::clamp<std::int64_t>(out_lines.size() / least_lines_a_task, 1, wanted);
    const std::int64_t bytes = strip_bytes();
    const bool moments = of_moments(method_.filter);
    std::vector<ValueRange> ranges(static_cast<std::size_t>(strips * pieces));
    parallel_for(strips * pieces, threads, [&](std::int64_t task, int worker) {
        const std::int64_t strip = task % strips, piece = task / strips;
        FilterStrip s;
        s.in = in;
        s.in_lines = in_lines;
        s.out = out;
        s.out_lines = out_lines;
        s.lines = {out_lines.first + piece * out_lines.size() / pieces,
                   out_lines.first + (piece + 1) * out_lines.size() / pieces};
        s.samples = {strip * samples_ / strips, (strip + 1) * samples_ / strips};
        s.window = method_.window;
        s.filter = method_.filter;
        s.numbers = method_.numbers;
        s.nodata = method_.nodata;
        s.workspace = reinterpret_cast<char *>(workspace.get(worker, (bytes + 7) / 8));
        s.distances = &method_.distances;
        ranges[static_cast<std::size_t>(task)] =
            moments ? SIDELOOK_DISPATCH(moment_strip, s) : SIDELOOK_DISPATCH(window_strip, s);
    });
    ValueRange all;
    for (const ValueRange &r : ranges) {
        all.least = std::min(all.least, r.least);
        all.greatest = std::max(all.greatest, r.greatest);
    }
    const auto lines = [&] { return text(" in lines ", out_lines.first, " to ", out_lines.end - 1); };
    require(all.least >= 0, text("image has values below 0", lines(), ", the least ", all.least,
                                 "; must be linear intensity or amplitude, neither decibels nor less a noise level"));
    require(all.greatest <= largest, text("image has the value ", all.greatest, lines(),
                                          "; must be finite and not above 1e15, or NaN where there is no image"));
}

}  // namespace sidelook
