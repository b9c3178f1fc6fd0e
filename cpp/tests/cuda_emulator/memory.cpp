// Memory with guard pages, and who may touch it: the host never device memory, kernels nothing beyond an array's end.
#include <signal.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <map>

#include "emulator.h"
#include "sanitizers.h"

namespace emulator
{
namespace
{

constexpr std::size_t page_bytes = 4096;

struct Allocation {
    std::size_t bytes;
    const char *what;  // "device", "pinned" or "shared"
    char *pages;       // a guard page, whole pages that hold the memory at their end, a guard page
    std::size_t page_count;

    bool is_device() const { return std::strcmp(what, "device") == 0; }
    void allow(bool access) const
    {
        mprotect(pages + page_bytes, (page_count - 2) * page_bytes, access ? PROT_READ | PROT_WRITE : PROT_NONE);
    }
};

/// By address. Never destroyed: device memory may outlive any static variable.
std::map<const char *, Allocation> &allocations()
{
    static auto *const all = new std::map<const char *, Allocation>;
    return *all;
}

int accesses = 0;
struct sigaction before;

/// The allocation whose pages hold the address.
const std::pair<const char *const, Allocation> *around(const char *address)
{
    for (const auto &entry : allocations()) {
        const Allocation &a = entry.second;
        if (address >= a.pages && address < a.pages + a.page_count * page_bytes) return &entry;
    }
    return nullptr;
}

/// Says what a fault means in the terms of CUDA; then lets it happen again, for a sanitizer or the system to act on.
void explain(int, siginfo_t *info, void *)
{
    sigaction(SIGSEGV, &before, nullptr);
    const char *const address = static_cast<const char *>(info->si_addr);
    const auto *const found = around(address);
    if (!found) {
        report(is_stack_guard(address) ? "the thread's stack overflows" : "touches memory that is not there");
        return;
    }
    const auto &[begin, a] = *found;
    const std::ptrdiff_t offset = address - begin, size = static_cast<std::ptrdiff_t>(a.bytes);
    char text[200];
    if (offset < 0)
        std::snprintf(text, sizeof text, "out of bounds: %td bytes before a %s array of %td bytes", -offset, a.what,
                      size);
    else if (offset < size)
        std::snprintf(text, sizeof text, "dereferences a pointer to the device's memory, byte %td of %td", offset,
                      size);
    else
        std::snprintf(text, sizeof text, "out of bounds: %td bytes beyond a %s array of %td bytes", offset - size,
                      a.what, size);
    report(text);
}

void watch_faults()
{
    static const bool once = [] {
        // A stack of its own: the fault may be that the fiber's has run out.
        static char stack[64 << 10];
        const stack_t alternative{stack, 0, sizeof stack};
        sigaltstack(&alternative, nullptr);
        struct sigaction action = {};
        action.sa_sigaction = explain;
        action.sa_flags = SA_SIGINFO | SA_ONSTACK;
        return sigaction(SIGSEGV, &action, &before) == 0;
    }();
    if (!once) fail("the system does not let faults be caught");
}

/// All ones: NaN as float, an improbable size as integer. Not by memset, which sanitizers would take for a write of the
/// thread that happens to run.
void poison(void *memory, std::size_t bytes)
{
    auto *const p = static_cast<volatile unsigned char *>(memory);
    for (std::size_t i = 0; i < bytes; ++i) p[i] = 0xff;
}

}  // namespace

void *guarded_memory(std::size_t bytes, const char *what)
{
    watch_faults();
    const std::size_t page_count = std::max<std::size_t>(1, (bytes + page_bytes - 1) / page_bytes) + 2;
    void *const pages = mmap(nullptr, page_count * page_bytes, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (pages == MAP_FAILED) fail("the system gives no memory for %zu bytes", bytes);
    Allocation a{bytes, what, static_cast<char *>(pages), page_count};
    mprotect(a.pages, page_bytes, PROT_NONE);
    mprotect(a.pages + (page_count - 1) * page_bytes, page_bytes, PROT_NONE);
    // Flush with the guard page: the address is as aligned as the size is, which is what arrays of any type need.
    char *const memory = a.pages + (page_count - 1) * page_bytes - bytes;
    poison(memory, bytes);
#if EMULATOR_ASAN
    // What is left of the first page: near misses before an array that no guard page catches.
    ASAN_POISON_MEMORY_REGION(a.pages + page_bytes, static_cast<std::size_t>(memory - a.pages) - page_bytes);
#endif
    if (a.is_device() && accesses == 0) a.allow(false);
    allocations().emplace(memory, a);
    return memory;
}

void free_guarded_memory(void *memory)
{
    const auto found = allocations().find(static_cast<char *>(memory));
    if (found == allocations().end()) fail("frees %p, which was not given out or has been freed", memory);
    const Allocation &a = found->second;
#if EMULATOR_ASAN
    ASAN_UNPOISON_MEMORY_REGION(a.pages, a.page_count * page_bytes);  // whoever gets these pages next
#endif
    munmap(a.pages, a.page_count * page_bytes);
    allocations().erase(found);
}

void renew_shared_memory(void *memory, [[maybe_unused]] std::size_t bytes)
{
#if EMULATOR_TSAN
    // To ThreadSanitizer new pages have no past, so that blocks do not race for the same place in shared memory.
    const Allocation &a = allocations().at(static_cast<char *>(memory));
    const Unwatched unwatched;
    mmap(a.pages + page_bytes, (a.page_count - 2) * page_bytes, PROT_READ | PROT_WRITE,
         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
#endif
    poison(memory, bytes);
}

DeviceAccess::DeviceAccess()
{
    if (accesses++ > 0) return;
    for (const auto &[memory, a] : allocations())
        if (a.is_device()) a.allow(true);
}

DeviceAccess::~DeviceAccess()
{
    if (--accesses > 0) return;
    for (const auto &[memory, a] : allocations())
        if (a.is_device()) a.allow(false);
}

bool device_sees(const void *memory, std::size_t bytes)
{
    const auto *const address = static_cast<const char *>(memory);
    auto next = allocations().upper_bound(address);
    if (next == allocations().begin()) return false;
    const auto &[begin, a] = *--next;
    return address + bytes <= begin + a.bytes;
}

std::size_t bytes_in_use()
{
    std::size_t sum = 0;
    for (const auto &[memory, a] : allocations()) sum += a.bytes;
    return sum;
}

}  // namespace emulator
