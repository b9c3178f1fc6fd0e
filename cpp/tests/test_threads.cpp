// parallel_for: every index once, exceptions out, nothing left running.
#include <atomic>
#include <stdexcept>
#include <thread>

#include "core/threads.h"
#include "harness.h"

using namespace sidelook;

TEST(threads, every_index_once)
{
    for (const int threads : {0, 1, 2, 3, 7}) {
        for (const std::int64_t n : {0, 1, 2, 5, 1000}) {
            std::vector<int> seen(static_cast<std::size_t>(n), 0);
            std::atomic<int> wrong_worker{0};
            const int limit = threads > 0 ? threads : default_threads();
            parallel_for(n, threads, [&](std::int64_t i, int worker) {
                ++seen[static_cast<std::size_t>(i)];
                if (worker < 0 || worker >= limit) ++wrong_worker;
            });
            CHECK(wrong_worker == 0);
            for (const int count : seen) CHECK(count == 1);
        }
    }
}

TEST(threads, a_worker_is_one_thread_at_a_time)
{
    // Workers own scratch memory: two bodies must never run with the same number at once.
    constexpr int threads = 4;
    std::atomic<int> inside[threads] = {};
    std::atomic<int> clashes{0};
    parallel_for(2000, threads, [&](std::int64_t, int worker) {
        if (inside[worker]++ != 0) ++clashes;
        std::this_thread::yield();
        --inside[worker];
    });
    CHECK(clashes == 0);
}

TEST(threads, exceptions_come_out_once_all_have_stopped)
{
    for (const int threads : {1, 2, 3, 7}) {
        for (const std::int64_t bad : {0, 1, 50, 99}) {
            std::atomic<int> running{0};
            std::string caught;
            try {
                parallel_for(100, threads, [&](std::int64_t i, int) {
                    ++running;
                    std::this_thread::yield();
                    --running;
                    if (i == bad) throw std::out_of_range("index " + std::to_string(i));
                });
            } catch (const std::out_of_range &e) {
                caught = e.what();
            }
            CHECK(caught == "index " + std::to_string(bad));
            CHECK(running == 0);
        }
    }
    // All may throw: one exception arrives, and the next call works.
    CHECK_REFUSED(Code::bad_input, "stop",
                  parallel_for(100, 3, [](std::int64_t, int) { throw Error(Code::bad_input, "stop"); }));
    std::atomic<int> count{0};
    parallel_for(10, 3, [&](std::int64_t, int) { ++count; });
    CHECK(count == 10);
}

TEST(threads, calls_may_be_nested)
{
    std::atomic<int> count{0};
    parallel_for(6, 3, [&](std::int64_t, int) { parallel_for(5, 2, [&](std::int64_t, int) { ++count; }); });
    CHECK(count == 30);
}
