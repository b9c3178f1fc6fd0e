// The scheduler: runs a grid block by block, and a block's threads in random order until all have ended.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "emulator.h"
#include "fiber.h"
#include "sanitizers.h"

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;

namespace emulator
{
namespace
{

struct Thread {
    uint3 index{};
    Fiber *fiber = nullptr;
    bool ended = false;
    const char *waits_for = nullptr, *file = nullptr;
    int line = 0;
};

/// What the lanes of one mask give each other.
struct Exchange {
    unsigned arrived = 0, given = 0;  // lanes that wait now; lanes that gave something in the latest round
    std::uint64_t in[32] = {}, out[32] = {};
    unsigned round = 0;
    char edge[2] = {};  // for ThreadSanitizer, rounds in turn
};

struct Warp {
    std::map<unsigned, Exchange> exchanges;  // by mask
    unsigned ended = 0;                      // lanes that have, or never were
};

struct Shared {
    void *memory = nullptr;
    std::size_t bytes = 0;
    std::uint64_t block = 0;  // that it was last made new for
};

/// The kernel that runs, and its block.
struct {
    const char *kernel = nullptr;  // null: none runs
    const std::function<void()> *body = nullptr;
    std::size_t dynamic_bytes = 0;
    std::map<const void *, Shared> shared;  // by site
    std::uint64_t blocks = 0;

    std::vector<Thread> threads;
    std::vector<Warp> warps;
    std::vector<unsigned> fresh, ready;  // threads that have not begun; that have waited and may go on
    unsigned current = 0;
    std::size_t ended = 0, at_barrier = 0;
    const char *barrier_file = nullptr;
    int barrier_line = 0;
    unsigned barriers = 0;
    char begin_edge = 0, end_edge = 0;
    std::unique_ptr<char[]> barrier_edges;  // two, in turn; new for every block, so that barriers order no blocks
} now;

std::vector<std::unique_ptr<Fiber>> fibers;
std::vector<Fiber *> idle, spent;  // spent: to ThreadSanitizer a fiber is one thread, which a block must not meet twice

unsigned take_any(std::vector<unsigned> &from)
{
    std::swap(from[random_below(from.size())], from.back());
    const unsigned taken = from.back();
    from.pop_back();
    return taken;
}

void make_current(unsigned thread)
{
    now.current = thread;
    threadIdx = now.threads[thread].index;
}

void will_wait_for(const char *what, const char *file, int line)
{
    if (!now.kernel) fail("%s:%d: threads wait for %s outside a kernel", file, line, what);
    Thread &thread = now.threads[now.current];
    thread.waits_for = what, thread.file = file, thread.line = line;
}

void wake(unsigned thread)
{
    now.threads[thread].waits_for = nullptr;
    now.ready.push_back(thread);
}

/// Lets others run until this thread has been woken and drawn.
void pause()
{
    const unsigned self = now.current;
    now.threads[self].fiber->leave();
    make_current(self);
}

/// The exchange takes place once all lanes of its mask are there, but for those that have ended.
void complete(unsigned warp, unsigned mask, Exchange &e)
{
    if (e.arrived == 0 || (mask & ~e.arrived & ~now.warps[warp].ended) != 0) return;
    std::copy(e.in, e.in + 32, e.out);
    e.given = e.arrived;
    for (unsigned l = 0; l < 32; ++l)
        if (e.arrived >> l & 1) wake(32 * warp + l);
    e.arrived = 0;
    ++e.round;
}

const Exchange &give(unsigned mask, std::uint64_t value, const char *file, int line)
{
    const Unwatched unwatched;
    will_wait_for("their warp", file, line);
    if (!(mask >> lane() & 1)) fail("%s:%d: lane %u is not in its own mask %08x", file, line, lane(), mask);
    const unsigned warp = now.current / 32;
    Exchange &e = now.warps[warp].exchanges[mask];
    char *const edge = &e.edge[e.round % 2];
    release(edge);
    e.in[lane()] = value;
    e.arrived |= 1u << lane();
    complete(warp, mask, e);
    pause();
    acquire(edge);
    return e;
}

void end_thread()
{
    const Unwatched unwatched;
    const unsigned warp = now.current / 32;
    now.threads[now.current].ended = true;
    ++now.ended;
    now.warps[warp].ended |= 1u << lane();
    for (auto &[mask, e] : now.warps[warp].exchanges) complete(warp, mask, e);
}

bool draw_fresh() { return random_below(now.fresh.size() + now.ready.size()) < now.fresh.size(); }

/// What every fiber does: threads, one after another; those that never wait need no change of stacks.
void run_threads()
{
    for (;;) {
        Fiber *const self = now.threads[now.current].fiber;
        acquire(&now.begin_edge);
        (*now.body)();
        release(&now.end_edge);
        end_thread();
        if (!EMULATOR_TSAN && !now.fresh.empty() && draw_fresh()) {
            make_current(take_any(now.fresh));
            now.threads[now.current].fiber = self;
        } else {
            self->leave();
        }
    }
}

Fiber *idle_fiber()
{
    if (idle.empty()) {
        fibers.push_back(std::make_unique<Fiber>(run_threads));
        return fibers.back().get();
    }
    Fiber *const fiber = idle.back();
    idle.pop_back();
    return fiber;
}

[[noreturn]] void report_deadlock()
{
    std::map<std::string, int> states;
    for (const Thread &t : now.threads)
        ++states[t.ended ? "have ended"
                         : std::string("wait for ") + t.waits_for + " at " + t.file + ":" + std::to_string(t.line)];
    std::string text;
    for (const auto &[state, count] : states) text += "; " + std::to_string(count) + " threads " + state;
    fail("deadlock in its block%s", text.c_str());
}

void run_block()
{
    const unsigned count = blockDim.x * blockDim.y * blockDim.z;
    now.threads.assign(count, {});
    for (unsigned i = 0; i < count; ++i)
        now.threads[i].index = {i % blockDim.x, i / blockDim.x % blockDim.y, i / blockDim.x / blockDim.y};
    now.warps.assign((count + 31) / 32, {});
    if (count % 32) now.warps.back().ended = ~0u << count % 32;
    now.fresh.resize(count);
    std::iota(now.fresh.begin(), now.fresh.end(), 0u);
    now.ready.clear();
    now.ended = now.at_barrier = 0;
    now.barrier_edges = std::make_unique<char[]>(2);
    idle.insert(idle.end(), spent.begin(), spent.end());
    spent.clear();
    ++now.blocks;
    release(&now.begin_edge);  // blocks come after the launch, and in no order among each other
    while (now.ended < count) {
        if (now.fresh.empty() && now.ready.empty()) report_deadlock();
        const bool begins = draw_fresh();
        make_current(take_any(begins ? now.fresh : now.ready));
        Thread &thread = now.threads[now.current];
        if (begins) thread.fiber = idle_fiber();
        Fiber *const fiber = thread.fiber;
        fiber->enter();
        if (now.threads[now.current].ended) (EMULATOR_TSAN ? spent : idle).push_back(fiber);
    }
}

}  // namespace

unsigned lane() { return now.current % 32; }

void run_grid(const char *kernel, dim3 grid, dim3 block, std::size_t shared_bytes, const std::function<void()> &thread)
{
    if (now.kernel) fail("%s is launched from within a kernel", kernel);
    now.kernel = kernel, now.body = &thread, now.dynamic_bytes = shared_bytes;
    gridDim = grid, blockDim = block;
    // Blocks in an order that meets each once and begins anywhere.
    const std::uint64_t blocks = std::uint64_t{grid.x} * grid.y * grid.z;
    std::uint64_t step = 1 + random_below(blocks), at = random_below(blocks);
    while (std::gcd(step, blocks) != 1) ++step;
    for (std::uint64_t i = 0; i < blocks; ++i, at = (at + step) % blocks) {
        blockIdx = {static_cast<unsigned>(at % grid.x), static_cast<unsigned>(at / grid.x % grid.y),
                    static_cast<unsigned>(at / grid.x / grid.y)};
        run_block();
    }
    acquire(&now.end_edge);
    for (const auto &[site, shared] : now.shared) free_guarded_memory(shared.memory);
    now.shared.clear();
    now.kernel = nullptr;
}

void wait_for_block(const char *file, int line)
{
    const Unwatched unwatched;
    will_wait_for("their block", file, line);
    // As the rule has it, all threads of a block reach the same __syncthreads. Hardware counts any of them, and does
    // without threads that have ended: what works there by luck is found here.
    if (now.at_barrier == 0) now.barrier_file = file, now.barrier_line = line;
    if (now.barrier_line != line || std::strcmp(now.barrier_file, file) != 0)
        fail("divergent barrier: threads of one block wait at %s:%d and at %s:%d", now.barrier_file, now.barrier_line,
             file, line);
    char *const edge = &now.barrier_edges[now.barriers % 2];
    release(edge);
    if (++now.at_barrier == now.threads.size()) {
        for (unsigned i = 0; i < now.threads.size(); ++i) wake(i);
        now.at_barrier = 0;
        ++now.barriers;
    }
    pause();
    acquire(edge);
}

std::uint64_t exchange(unsigned mask, std::uint64_t value, unsigned from, const char *file, int line)
{
    const Exchange &e = give(mask, value, file, line);
    return e.given >> from & 1 ? e.out[from] : ~std::uint64_t{0};
}

unsigned ballot(unsigned mask, bool value, const char *file, int line)
{
    const Exchange &e = give(mask, value, file, line);
    unsigned bits = 0;
    for (unsigned l = 0; l < 32; ++l)
        if (e.given >> l & 1 && e.out[l]) bits |= 1u << l;
    return bits;
}

void *shared_array(const void *site, std::size_t bytes)
{
    const Unwatched unwatched;
    Shared &shared = now.shared[site];
    if (!shared.memory) shared = {guarded_memory(bytes, "shared"), bytes, 0};
    if (shared.block != now.blocks) {
        renew_shared_memory(shared.memory, bytes);
        shared.block = now.blocks;
    }
    return shared.memory;
}

void *dynamic_shared_array() { return shared_array(&now.dynamic_bytes, now.dynamic_bytes); }

void describe_place(char *text, std::size_t size)
{
    if (now.kernel)
        std::snprintf(text, size, "%s, thread (%u, %u, %u) of block (%u, %u, %u)", now.kernel, threadIdx.x, threadIdx.y,
                      threadIdx.z, blockIdx.x, blockIdx.y, blockIdx.z);
    else
        std::snprintf(text, size, "the host");
}

bool is_stack_guard(const void *address)
{
    return std::any_of(fibers.begin(), fibers.end(), [&](const auto &fiber) { return fiber->guards(address); });
}

}  // namespace emulator
