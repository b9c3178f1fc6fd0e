// What ducc0 knows of threads: real locks, since it keeps its plans in a cache that our threads share, and no threads
// of its own, since parallel_for has started them already. ducc0 includes a file of this name where
// DUCC0_CUSTOM_LOWLEVEL_THREADING is defined. Its other way without threads (DUCC0_NO_LOWLEVEL_THREADING) has locks
// that do nothing: two transforms of new lengths at once then damage the cache.
#pragma once

#include <condition_variable>
#include <mutex>

namespace DUCC0_NAMESPACE::detail_threading
{

using Mutex = std::mutex;
using UniqueLock = std::unique_lock<std::mutex>;
using LockGuard = std::lock_guard<std::mutex>;
using CondVar = std::condition_variable;

/// Does everything on the thread that calls.
class CallingThread final : public thread_pool
{
public:
    size_t nthreads() const override { return 1; }
    size_t adjust_nthreads(size_t) const override { return 1; }
    void submit(std::function<void()> work) override { work(); }
};

inline thread_pool *get_active_pool()
{
    static CallingThread pool;
    return &pool;
}
inline thread_pool *set_active_pool(thread_pool *) { return get_active_pool(); }

static thread_local bool in_parallel_region = false;

}  // namespace DUCC0_NAMESPACE::detail_threading
