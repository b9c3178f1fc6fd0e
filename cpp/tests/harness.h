// A test harness in one header. A test is TEST(group, name) { CHECK(...); }; the program runs those whose group is
// named on the command line, or all, and returns how many failed. A failed CHECK is printed and the test goes on.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "core/text.h"
#include "sidelook/device.h"
#include "sidelook/error.h"

namespace harness
{

struct Test {
    const char *group, *name;
    void (*body)();
};

inline std::vector<Test> &tests()
{
    static std::vector<Test> all;
    return all;
}

inline int &failed_checks()
{
    static int count = 0;
    return count;
}

inline bool add(const char *group, const char *name, void (*body)())
{
    tests().push_back({group, name, body});
    return true;
}

inline void fail(const char *file, int line, const std::string &what)
{
    ++failed_checks();
    std::printf("%s:%d: %s\n", file, line, what.c_str());
}

inline void check(const char *file, int line, bool holds, const char *rule)
{
    if (!holds) fail(file, line, rule);
}

/// `tolerance` is absolute; a NaN is never near.
inline void check_near(const char *file, int line, const char *what, double got, double want, double tolerance)
{
    if (!(std::abs(got - want) <= tolerance))
        fail(file, line, sidelook::text(what, " is ", got, "; must be ", want, " within ", tolerance));
}

/// Expects Error with this code and a sentence that holds these words.
template <class Body>
void check_refused(const char *file, int line, sidelook::Code code, const std::string &words, const Body &body)
{
    try {
        body();
    } catch (const sidelook::Error &e) {
        if (e.code() != code)
            fail(file, line,
                 sidelook::text("code ", static_cast<int>(e.code()), ", not ", static_cast<int>(code), ": ", e.what()));
        if (std::string(e.what()).find(words) == std::string::npos)
            fail(file, line, sidelook::text("\"", e.what(), "\" does not say \"", words, "\""));
        return;
    } catch (const std::exception &e) {
        fail(file, line, sidelook::text("another exception: ", e.what()));
        return;
    }
    fail(file, line, sidelook::text("not refused; must say \"", words, "\""));
}

/// Whether this build has CUDA implementations (or their emulation) and this machine a device; where not, says so.
inline bool has_cuda(const char *test)
{
    try {
        sidelook::cuda_devices();
        return true;
    } catch (const sidelook::Error &e) {
        std::printf("skipped %s: %s\n", test, e.what());
        return false;
    }
}

/// Deterministic noise, uniform in -1..1: the 64-bit linear congruential generator of Knuth's MMIX.
class Noise
{
public:
    explicit Noise(std::uint64_t seed) : state_(seed) {}
    double operator()()
    {
        state_ = 6364136223846793005u * state_ + 1442695040888963407u;
        return static_cast<double>(static_cast<std::int64_t>(state_) >> 11) / 4503599627370496.0;
    }

private:
    std::uint64_t state_;
};

}  // namespace harness

#define TEST(GROUP, NAME)                                                                          \
    static void test_##GROUP##_##NAME();                                                           \
    static const bool added_##GROUP##_##NAME = harness::add(#GROUP, #NAME, test_##GROUP##_##NAME); \
    static void test_##GROUP##_##NAME()
#define CHECK(...) harness::check(__FILE__, __LINE__, static_cast<bool>(__VA_ARGS__), #__VA_ARGS__)
#define CHECK_NEAR(GOT, WANT, TOLERANCE) harness::check_near(__FILE__, __LINE__, #GOT, GOT, WANT, TOLERANCE)
#define CHECK_REFUSED(CODE, WORDS, ...) harness::check_refused(__FILE__, __LINE__, CODE, WORDS, [&] { __VA_ARGS__; })
