// Row transforms against the sum that defines them, in long double.
#include <atomic>
#include <complex>
#include <set>

#include "core/fft.h"
#include "core/threads.h"
#include "harness.h"

using namespace sidelook;

namespace
{

constexpr long double pi = 3.14159265358979323846264338327950288L;

template <class T> void compare_with_sum(std::int64_t n, std::int64_t rows, bool forward)
{
    const std::int64_t stride = n + 3;
    harness::Noise noise(static_cast<std::uint64_t>(100 * n + rows));
    std::vector<std::complex<T>> data(static_cast<std::size_t>(rows * stride));
    for (auto &x : data) x = {static_cast<T>(noise()), static_cast<T>(noise())};
    const auto original = data;
    const View2<std::complex<T>> view(data.data(), rows, n, stride);
    forward ? fft::forward(view) : fft::inverse(view);

    std::vector<std::complex<long double>> turn(static_cast<std::size_t>(n));
    for (std::int64_t i = 0; i < n; ++i)
        turn[static_cast<std::size_t>(i)] =
            std::polar(1.0L, (forward ? -2 : 2) * pi * static_cast<long double>(i) / static_cast<long double>(n));
    // Rounding grows as eps log2(n) times the root of the summed power (Higham 2002, theorem 24.2); 4 is its constant,
    // generously.
    const double tolerance = 4 * std::numeric_limits<T>::epsilon() * (1 + std::log2(static_cast<double>(n))) *
                             std::sqrt(2.0 / 3 * static_cast<double>(n));
    for (std::int64_t r = 0; r < rows; ++r) {
        for (std::int64_t k = 0; k < n; ++k) {
            std::complex<long double> sum = 0;
            for (std::int64_t i = 0; i < n; ++i)
                sum += std::complex<long double>(original[static_cast<std::size_t>(r * stride + i)]) *
                       turn[static_cast<std::size_t>(k * i % n)];
            const std::complex<long double> got = view(r, k);
            CHECK_NEAR(static_cast<double>(std::abs(got - sum)), 0, tolerance);
        }
        for (std::int64_t c = n; c < stride; ++c)
            CHECK(data[static_cast<std::size_t>(r * stride + c)] == original[static_cast<std::size_t>(r * stride + c)]);
    }
}

}  // namespace

TEST(fft, is_the_sum_that_defines_it)
{
    // Every radix, their products, and lengths with other primes; rows short of, at and beyond the vectors' width.
    for (const std::int64_t n : {1, 2, 3, 4, 5, 7, 8, 11, 12, 30, 49, 97, 128, 210, 243})
        for (const std::int64_t rows : {1, 3, 16, 19})
            for (const bool forward : {true, false}) compare_with_sum<float>(n, rows, forward);
    for (const std::int64_t n : {1, 2, 13, 30, 105, 128})
        for (const bool forward : {true, false}) compare_with_sum<double>(n, 3, forward);
}

TEST(fft, threads_may_meet_in_the_cache_of_plans)
{
    // More lengths than the cache holds, each asked for by several threads at once: there and back gives n times the
    // row.
    constexpr std::int64_t lengths = 40, turns = 25;
    std::atomic<int> wrong{0};
    parallel_for(8, 8, [&](std::int64_t worker, int) {
        for (std::int64_t i = 0; i < lengths * turns; ++i) {
            const std::int64_t n = 16 + (i * (2 * worker + 1)) % lengths;
            std::vector<c64> row(static_cast<std::size_t>(n), c64(1, -2));
            const View2<c64> view(row.data(), 1, n);
            fft::forward(view);
            fft::inverse(view);
            for (const c64 &x : row)
                if (std::abs(x - c64(1, -2) * static_cast<float>(n)) > 1e-4F * static_cast<float>(n)) ++wrong;
        }
    });
    CHECK(wrong == 0);
}

TEST(fft, nothing_is_no_error)
{
    fft::forward(View2<c64>(nullptr, 0, 8));
    fft::inverse(View2<c128>(nullptr, 4, 0));
    CHECK(std::string(fft::library()).size() > 0);
}

TEST(fft, good_lengths_are_the_next_smooth_numbers)
{
    std::set<std::int64_t> smooth;  // made by multiplying, where the library divides
    constexpr std::int64_t end = 20000;
    for (std::int64_t a = 1; a < end; a *= 2)
        for (std::int64_t b = a; b < end; b *= 3)
            for (std::int64_t c = b; c < end; c *= 5)
                for (std::int64_t d = c; d < end; d *= 7) smooth.insert(d);
    for (std::int64_t n = 1; n < 10000; ++n) CHECK(fft::good_length(n) == *smooth.lower_bound(n));
    CHECK(fft::good_length(0) == 1);
}
