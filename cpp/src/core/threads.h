// parallel_for: the only way the core starts threads. OpenMP, or std::thread in sanitizer builds (libgomp gives false
// races).
#pragma once

#include <cstdint>
#include <functional>

namespace sidelook
{

/// Number of threads used for `threads` = 0: what the process may run on.
int default_threads();

/// Calls body(index, worker) for index 0..n-1, worker 0..threads-1, indices handed out dynamically, in any order.
/// Bodies write disjoint memory, so that the result does not depend on the number of threads. The first exception
/// is thrown again in the caller once all workers have stopped.
void parallel_for(std::int64_t n, int threads, const std::function<void(std::int64_t, int)> &body);

}  // namespace sidelook
