// The contract of a processing stage: what the runner, the tests, the bench and the documentation know of it.
#pragma once

#include <cstdint>
#include <vector>

#include "core/memory.h"
#include "sidelook/view.h"

namespace sidelook
{

/// Lines or samples [first, end) of a grid.
struct Interval {
    std::int64_t first = 0, end = 0;
    std::int64_t size() const { return end - first; }
};

/// Memory that a stage works in, one piece a worker; kept by the caller from one execute to the next.
class Workspace
{
public:
    /// At least n samples for this worker; what they hold is undefined.
    c64 *get(int worker, std::int64_t n)
    {
        const auto w = static_cast<std::size_t>(worker);
        if (pieces_[w].size() < n) {
            pieces_[w] = Buffer<c64>();  // the old piece goes before the new one comes
            pieces_[w] = Buffer<c64>(n);
        }
        return pieces_[w].data();
    }
    explicit Workspace(int workers) : pieces_(static_cast<std::size_t>(workers > 0 ? workers : 1)) {}

private:
    std::vector<Buffer<c64>> pieces_;
};

/// A planned stage: arguments checked, transforms and tables built. It maps lines of complex samples to lines of
/// complex samples; its output grid may have another origin, length and width than its input grid.
class Stage
{
public:
    virtual ~Stage() = default;
    virtual const char *name() const = 0;

    /// Reach: the input lines that output lines [out.first, out.end) are computed from. It may be asymmetric and need
    /// not contain `out`; both ends grow with `out`. Lines outside the input count as not recorded.
    virtual Interval reach(Interval out) const = 0;
    virtual std::int64_t samples_in() const = 0;
    virtual std::int64_t samples_out() const = 0;

    /// Bytes of workspace that execute() takes for this many output lines.
    virtual std::int64_t workspace_bytes(std::int64_t out_lines, int threads) const = 0;

    /// Computes output lines `out_lines` from input lines `in_lines`, which hold reach(out_lines) as far as it exists.
    /// The result does not depend on `threads`.
    virtual void execute(View2<const c64> in, Interval in_lines, View2<c64> out, Interval out_lines, int threads,
                         Workspace &workspace) const = 0;
};

}  // namespace sidelook
