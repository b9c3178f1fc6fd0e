#include "core/threads.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace sidelook
{

int default_threads()
{
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
    return std::max(1u, std::thread::hardware_concurrency());
}

void parallel_for(std::int64_t n, int threads, const std::function<void(std::int64_t, int)> &body)
{
    if (threads <= 0) threads = default_threads();
    threads = static_cast<int>(std::min<std::int64_t>(threads, n));
    if (threads <= 1) {
        for (std::int64_t i = 0; i < n; ++i) body(i, 0);
        return;
    }
    std::atomic<std::int64_t> next{0};
    std::exception_ptr first;
    std::mutex guard;
    const auto work = [&](int worker) {
        try {
            for (std::int64_t i = next++; i < n; i = next++) body(i, worker);
        } catch (...) {
            const std::lock_guard<std::mutex> lock(guard);
            if (!first) first = std::current_exception();
            next = n;
        }
    };
#ifdef SIDELOOK_OPENMP
#pragma omp parallel for num_threads(threads) schedule(static, 1)
    for (int worker = 0; worker < threads; ++worker) work(worker);
#else
    std::vector<std::thread> pool;
    for (int worker = 1; worker < threads; ++worker) pool.emplace_back(work, worker);
    work(0);
    for (auto &t : pool) t.join();
#endif
    if (first) std::rethrow_exception(first);
}

}  // namespace sidelook
