// A fiber: a stack of its own that one piece of code runs on, entered and left like a function that can pause.
#pragma once

#include <cstddef>

namespace emulator
{

class Fiber
{
public:
    /// `body` never returns: it calls leave(), and goes on from there when the fiber is entered again.
    explicit Fiber(void (*body)());
    ~Fiber();
    Fiber(const Fiber &) = delete;
    Fiber &operator=(const Fiber &) = delete;

    /// Runs the fiber until it leaves. To ThreadSanitizer it is a thread, which entering and leaving orders with
    /// nothing.
    void enter();
    /// Called on the fiber: goes back to where enter() was called.
    void leave();

    bool guards(const void *address) const;  ///< whether it is the page that a stack overflows into

private:
    static void start();  // first code on a new stack

    void (*body_)();
    char *memory_;
    void *paused_at_ = nullptr;   // stack pointer, while the fiber does not run
    void *entered_at_ = nullptr;  // stack pointer of enter(), while it runs
    [[maybe_unused]] void *tsan_ = nullptr, *tsan_outside_ = nullptr, *asan_ = nullptr, *asan_outside_ = nullptr;
    const void *outside_stack_ = nullptr;
    std::size_t outside_size_ = 0;
};

}  // namespace emulator
