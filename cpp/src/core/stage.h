// The contract of a processing stage: what the runner, the tests, the bench and the documentation know of it.
#pragma once

#include <cstdint>

#include "sidelook/view.h"

namespace sidelook {

/// Lines or samples [first, end) of a grid.
struct Interval {
    std::int64_t first = 0, end = 0;
    std::int64_t size() const { return end - first; }
};

/// A planned stage: arguments checked, transforms and tables built. It maps lines of complex samples to lines of complex
/// samples; its output grid may have another origin, length and width than its input grid.
class Stage {
public:
    virtual ~Stage() = default;
    virtual const char *name() const = 0;

    /// Reach: the input lines that output lines [out.first, out.end) are computed from. It may be asymmetric and need not
    /// contain `out`; both ends grow with `out`. Lines outside the input count as not recorded.
    virtual Interval reach(Interval out) const = 0;
    virtual std::int64_t samples_in() const = 0;
    virtual std::int64_t samples_out() const = 0;

    /// Bytes that execute() allocates beside its arguments for this many output lines.
    virtual std::int64_t workspace_bytes(std::int64_t out_lines, int threads) const = 0;

    /// Computes output lines `out_lines` from input lines `in_lines`, which hold reach(out_lines) as far as it exists.
    /// The result does not depend on `threads`.
    virtual void execute(View2<const c64> in, Interval in_lines, View2<c64> out, Interval out_lines, int threads) const = 0;
};

}  // namespace sidelook
