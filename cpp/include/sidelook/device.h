// Where stages compute. A build with SIDELOOK_CUDA has CUDA implementations of some of them (the table of stages says
// which); asking for a device that is not there is refused, never answered by another.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sidelook
{

enum class Device { cpu, cuda };

struct CudaDevice {
    std::string name;
    int major = 0, minor = 0;  ///< compute capability
    std::int64_t memory_bytes = 0;
};

/// The CUDA devices of this machine; stages run on the first. Throws Error(missing_auxiliary) if there is none or this
/// build has no CUDA implementations.
std::vector<CudaDevice> cuda_devices();

/// A CUDA implementation held against its CPU twin on noise.
struct SelftestResult {
    std::string stage;
    double largest_error = 0, tolerance = 0;  ///< relative to the result's RMS
    double cpu_seconds = 0, cuda_seconds = 0;
    bool passed = false;
};

/// Runs every CUDA implementation once on the first device. Throws as cuda_devices() does.
std::vector<SelftestResult> cuda_selftest();

}  // namespace sidelook
