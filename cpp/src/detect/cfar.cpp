// cfar, CPU. Twin: cfar.cu. The arithmetic of a pixel is in cfar_math.h, which both share.
// in: intensity [line][sample] f32, linear; out: ratio [line][sample] f32, 1 at the threshold.
#include "detect/cfar.h"

#include <algorithm>

#include "core/threads.h"
#include "detect/cfar_kernels.h"

namespace sidelook
{

std::unique_ptr<Stage> (*make_cfar_cuda)(std::shared_ptr<const CfarPlan> plan) = nullptr;

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

std::unique_ptr<Stage> make_cfar(Device device, CfarParameters parameters)
{
    auto plan = std::make_shared<const CfarPlan>(std::move(parameters));
    return device == Device::cuda ? make_cfar_cuda(std::move(plan)) : std::make_unique<Cfar>(std::move(plan));
}

std::int64_t Cfar::workspace_bytes(std::int64_t, int threads) const
{
    const CfarParameters &p = plan_->parameters();
    return std::max(1, threads) * cfar_strip_bytes(p.windows.training, std::min(p.samples, strip_samples));
}

void Cfar::compute(View2<const float> in, Interval in_lines, View2<float> out, Interval out_lines, int threads,
                   Workspace &workspace) const
{
    const CfarParameters &p = plan_->parameters();
    // Strips of about equal width, and of few lines only where there are not enough of them for the threads.
    const std::int64_t strips = (p.samples + strip_samples - 1) / strip_samples;
    const std::int64_t wanted = std::max<std::int64_t>(1, (4 * threads + strips - 1) / strips);
    const std::int64_t pieces =
        threads == 1 ? 1 : std::clamp<std::int64_t>(out_lines.size() / least_lines_a_task, 1, wanted);
    const std::int64_t bytes = cfar_strip_bytes(p.windows.training, std::min(p.samples, strip_samples));
    parallel_for(strips * pieces, threads, [&](std::int64_t task, int worker) {
        const std::int64_t strip = task % strips, piece = task / strips;
        CfarStrip s;
        s.in = in;
        s.in_lines = in_lines;
        s.out = out;
        s.out_lines = out_lines;
        s.lines = {out_lines.first + piece * out_lines.size() / pieces,
                   out_lines.first + (piece + 1) * out_lines.size() / pieces};
        s.samples = {strip * p.samples / strips, (strip + 1) * p.samples / strips};
        s.training = p.windows.training;
        s.guard = p.windows.guard;
        s.least = plan_->least();
        s.threshold = p.threshold.data();
        s.map = {p.level.data(), p.level_rows, p.level_cols, static_cast<float>(p.clip), plan_->quantum()};
        s.workspace = reinterpret_cast<char *>(workspace.get(worker, (bytes + 7) / 8));
        SIDELOOK_DISPATCH(cfar_strip, s);
    });
}

}  // namespace sidelook
