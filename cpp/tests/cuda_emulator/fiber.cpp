#include "fiber.h"

#include <sys/mman.h>

#include <cstdint>
#include <cstring>

#include "emulator.h"
#include "sanitizers.h"

// Saves what a call must preserve on the running stack, keeps its pointer in *from and goes on where `to` was saved. No
// system call, unlike swapcontext, which keeps the signal mask too and takes fifty times as long.
extern "C" void emulator_switch_stack(void **from, void *to);

#if defined(__x86_64__)
asm(R"(
.text
.globl emulator_switch_stack
.type emulator_switch_stack,@function
emulator_switch_stack:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
.size emulator_switch_stack,.-emulator_switch_stack
)");

/// A stack that looks as if it had been switched away from at the beginning of `entry`.
static void *fresh_stack(char *top, void (*entry)())
{
    void **stack = reinterpret_cast<void **>(top);
    *--stack = nullptr;  // where a return address would be: keeps the alignment that `entry` expects
    *--stack = reinterpret_cast<void *>(entry);
    for (int saved = 0; saved < 6; ++saved) *--stack = nullptr;
    return stack;
}
#elif defined(__aarch64__)
asm(R"(
.text
.globl emulator_switch_stack
.type emulator_switch_stack,%function
emulator_switch_stack:
    sub sp, sp, #160
    stp x19, x20, [sp, #0]
    stp x21, x22, [sp, #16]
    stp x23, x24, [sp, #32]
    stp x25, x26, [sp, #48]
    stp x27, x28, [sp, #64]
    stp x29, x30, [sp, #80]
    stp d8, d9, [sp, #96]
    stp d10, d11, [sp, #112]
    stp d12, d13, [sp, #128]
    stp d14, d15, [sp, #144]
    mov x9, sp
    str x9, [x0]
    mov sp, x1
    ldp x19, x20, [sp, #0]
    ldp x21, x22, [sp, #16]
    ldp x23, x24, [sp, #32]
    ldp x25, x26, [sp, #48]
    ldp x27, x28, [sp, #64]
    ldp x29, x30, [sp, #80]
    ldp d8, d9, [sp, #96]
    ldp d10, d11, [sp, #112]
    ldp d12, d13, [sp, #128]
    ldp d14, d15, [sp, #144]
    add sp, sp, #160
    ret
.size emulator_switch_stack,.-emulator_switch_stack
)");

static void *fresh_stack(char *top, void (*entry)())
{
    char *stack = top - 160;
    std::memset(stack, 0, 160);
    *reinterpret_cast<void **>(stack + 88) = reinterpret_cast<void *>(entry);  // x30, the link register
    return stack;
}
#else
#error "emulator_switch_stack is written for x86-64 and aarch64"
#endif

namespace emulator
{

constexpr std::size_t guard_bytes = 4096;
constexpr std::size_t stack_bytes = EMULATOR_ASAN || EMULATOR_TSAN ? 256 << 10 : 64 << 10;

static Fiber *running = nullptr;

Fiber::Fiber(void (*body)()) : body_(body)
{
    void *memory = mmap(nullptr, guard_bytes + stack_bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) fail("the system gives no memory for another stack");
    mprotect(memory, guard_bytes, PROT_NONE);
    memory_ = static_cast<char *>(memory);
    paused_at_ = fresh_stack(memory_ + guard_bytes + stack_bytes - 64, start);
#if EMULATOR_TSAN
    tsan_ = __tsan_create_fiber(0);
    // What lies on a stack is nobody else's business.
    AnnotateBenignRaceSized(__FILE__, __LINE__, memory_, guard_bytes + stack_bytes, "stack of a fiber");
#endif
}

Fiber::~Fiber()
{
#if EMULATOR_TSAN
    __tsan_destroy_fiber(tsan_);
#endif
    munmap(memory_, guard_bytes + stack_bytes);
}

bool Fiber::guards(const void *address) const { return address >= memory_ && address < memory_ + guard_bytes; }

void Fiber::start()
{
#if EMULATOR_ASAN
    __sanitizer_finish_switch_fiber(nullptr, &running->outside_stack_, &running->outside_size_);
#endif
    running->body_();
}

void Fiber::enter()
{
    running = this;
#if EMULATOR_TSAN
    tsan_outside_ = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(tsan_, __tsan_switch_to_fiber_no_sync);
#endif
#if EMULATOR_ASAN
    __sanitizer_start_switch_fiber(&asan_outside_, memory_ + guard_bytes, stack_bytes);
#endif
    emulator_switch_stack(&entered_at_, paused_at_);
#if EMULATOR_ASAN
    __sanitizer_finish_switch_fiber(asan_outside_, nullptr, nullptr);
#endif
    running = nullptr;
}

void Fiber::leave()
{
#if EMULATOR_TSAN
    __tsan_switch_to_fiber(tsan_outside_, __tsan_switch_to_fiber_no_sync);
#endif
#if EMULATOR_ASAN
    __sanitizer_start_switch_fiber(&asan_, outside_stack_, outside_size_);
#endif
    emulator_switch_stack(&paused_at_, entered_at_);
#if EMULATOR_ASAN
    __sanitizer_finish_switch_fiber(asan_, &outside_stack_, &outside_size_);
#endif
}

}  // namespace emulator
