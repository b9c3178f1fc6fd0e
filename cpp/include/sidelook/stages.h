// The table of stages: what every stage is, for bindings, bench, tests and documentation. docs/stages.md is made from
// it.
#pragma once

#include <string>
#include <vector>

namespace sidelook
{

struct StagePort {
    std::string type;        ///< of an element
    std::string dimensions;  ///< slowest first
    std::string unit;
};

struct StageParameter {
    std::string name, unit, default_value, summary;
};

struct StageInfo {
    std::string name, summary;
    StagePort in, out;
    std::string reach;       ///< which input an output block needs
    std::string first_pass;  ///< what a pass over the whole scene must find before; empty: nothing
    std::vector<StageParameter> parameters;
    bool cpu = false;
    bool cuda_twin = false;  ///< whether there is a CUDA implementation, for builds with SIDELOOK_CUDA
    bool cuda = false;       ///< whether this is such a build
};

/// All stages, in the order of the chain.
const std::vector<StageInfo> &stage_table();

/// What the machine can do, measured now (about a second): the limits that stages are held against.
struct MachineLimits {
    double copy_bytes_per_s = 0;  ///< read plus written, `threads` threads on arrays beyond any cache
    double flops_per_s = 0;       ///< single precision, fused multiply-add on all vector lanes
};
MachineLimits measure_machine(int threads);

/// CPU seconds that `rows` transforms of `length` take on one thread, in batches of `batch` rows, inverse or forward
/// alike.
double time_transforms(long long length, long long rows, long long batch);

}  // namespace sidelook
