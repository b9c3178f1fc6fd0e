// The resampling taps against their definition: the least-squares solution over the band, and what they do to a
// spectrum.
#include <array>
#include <complex>

#include "focus/resampler.h"
#include "harness.h"

using namespace sidelook;

namespace
{

constexpr double pi = 3.14159265358979323846;
using Taps = std::array<std::complex<double>, resampler_taps>;

/// Taps at a fraction and a quadratic phase, as the header says to make them: linear in the table, series in beta.
Taps taps_at(const Resampler &r, double fraction, double beta)
{
    const double place = (fraction + 0.5) * resampler_steps;
    const int step = std::min(static_cast<int>(place), 2 * resampler_steps - 1);
    Taps taps{};
    for (int k = 0; k < resampler_taps; ++k) {
        std::complex<double> power = 1;
        for (int n = 0; n < resampler_terms; ++n) {
            const double low = r.table()[(step * resampler_terms + n) * resampler_taps + k];
            const double high = r.table()[((step + 1) * resampler_terms + n) * resampler_taps + k];
            taps[static_cast<std::size_t>(k)] += power * (low + (place - step) * (high - low));
            power *= std::complex<double>(0, beta);
        }
    }
    return taps;
}

/// What the taps make of e^{j w t}, over what it should be, e^{j w fraction}: tap k weighs the sample at k - 7.
std::complex<double> response(const Taps &taps, double w, double fraction)
{
    std::complex<double> sum = 0;
    for (int k = 0; k < resampler_taps; ++k)
        sum += taps[static_cast<std::size_t>(k)] * std::polar(1.0, w * (k - 7 - fraction));
    return sum;
}

}  // namespace

TEST(resampler, residual_is_orthogonal_to_every_tap)
{
    // That is what least squares means. Simpson over the band; the integrand turns at most 15 x 0.45 times.
    const Resampler r(0.42);
    constexpr int panels = 2000;
    for (const int step : {0, 77, 128, 200, 384, 512}) {
        const double fraction = static_cast<double>(step) / resampler_steps - 0.5;
        double factorial = 1;
        for (int n = 0; n < resampler_terms; ++n) {
            factorial *= n > 0 ? n : 1;
            Taps taps{};
            for (int k = 0; k < resampler_taps; ++k)
                taps[static_cast<std::size_t>(k)] = r.table()[(step * resampler_terms + n) * resampler_taps + k];
            for (int m = 0; m < resampler_taps; ++m) {
                std::complex<double> product = 0;
                for (int i = 0; i <= panels; ++i) {
                    const double x = -1 + 2.0 * i / panels, w = 2 * pi * 0.42 * x;
                    const double simpson = (i == 0 || i == panels ? 1 : i % 2 ? 4 : 2) / (3.0 * panels);
                    const auto error = response(taps, w, fraction) - std::pow(x, 2 * n) / factorial;
                    product += simpson * error * std::polar(1.0, -w * (m - 7 - fraction));
                }
                // Taps are kept as float (6e-8 of up to 1, sixteen of them).
                CHECK_NEAR(std::abs(product), 0, 16 * 6e-8);
            }
        }
    }
}

TEST(resampler, shifts_and_turns_quadratically_within_its_stated_errors)
{
    for (const double band : {0.35, 0.42, 0.45}) {
        const Resampler r(band);
        for (const double fraction : {0.0, 0.1234, 0.5, 0.873, 1.0})
            for (const double beta : {-resampler_max_beta, -0.3, 0.0, 0.1, resampler_max_beta})
                for (int i = -32; i <= 32; ++i) {
                    const double x = i / 32.0;
                    // The series leaves |beta|^5 / 5!; linear joining leaves w^2 / 8 per step squared. Term n, x^{2n}
                    // beta^n / n!, is missed by at most twice what the constant is: it stresses the band's edges, where
                    // the taps are worst. The terms add up to e^|beta|.
                    const double series = 1.1 * std::pow(std::abs(beta), 5) / 120,
                                 joining = std::pow(2 * pi * band / resampler_steps, 2) / 8;
                    const double tolerance =
                        series + std::exp(std::abs(beta)) * (joining + 2 * r.worst_error()) + 16 * 6e-8;
                    CHECK_NEAR(std::abs(response(taps_at(r, fraction, beta), 2 * pi * band * x, fraction) -
                                        std::polar(1.0, beta * x * x)),
                               0, tolerance);
                }
    }
}

TEST(resampler, worst_error_is_the_largest_over_band_and_fraction)
{
    double before = 0;
    for (const double band : {0.35, 0.42, 0.45}) {
        const Resampler r(band);
        double worst = 0;
        for (int step = 0; step <= resampler_steps; ++step)
            for (int i = 0; i <= 256; ++i) {
                const double fraction = static_cast<double>(step) / resampler_steps;
                worst = std::max(worst,
                                 std::abs(response(taps_at(r, fraction, 0), 2 * pi * band * i / 256, fraction) - 1.0));
            }
        // This grid is finer than the library's in both directions: it may find a little more, never less but for float
        // taps.
        CHECK(r.worst_error() <= worst + 16 * 6e-8 && worst <= 1.02 * r.worst_error() + 16 * 6e-8);
        CHECK(worst > before);
        before = worst;
    }
}

TEST(resampler, bands_beyond_nyquist_are_refused)
{
    CHECK_REFUSED(Code::bad_input, "band is 0.5", Resampler(0.5));
    CHECK_REFUSED(Code::bad_input, "band is 0 ", Resampler(0));
}
