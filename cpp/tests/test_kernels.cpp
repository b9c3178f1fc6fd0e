// The inner loops of focusing, in every instruction set that this build has and this machine runs, against scalar
// references in double. The kernels are hidden in the library, so their objects are linked into this program once more.
#include <algorithm>
#include <complex>
#include <cstring>

#include "focus/kernels.h"
#include "focus/resampler.h"
#include "harness.h"

using namespace sidelook;

namespace
{

constexpr double pi = 3.14159265358979323846;
constexpr double eps = 6e-8;  // float's unit roundoff

struct Kernels {
    Isa isa;
    void (*resample_chunks)(const float *, const ChunkPlan *, c64 *const *, std::int64_t, int, bool);
    void (*multiply_row)(c64 *, const c64 *, std::int64_t);
    void (*turn_row)(c64 *, std::int64_t, Turns, Turns);
    void (*transpose)(View2<const c64>, View2<c64>);
};

/// Those that can run here; SIDELOOK_MAX_ISA leaves out the higher ones.
std::vector<Kernels> runnable()
{
    std::vector<Kernels> all{
        {Isa::portable, portable::resample_chunks, portable::multiply_row, portable::turn_row, portable::transpose}};
#ifdef SIDELOOK_X86_KERNELS
    all.push_back({Isa::avx2, avx2::resample_chunks, avx2::multiply_row, avx2::turn_row, avx2::transpose});
    all.push_back({Isa::avx512, avx512::resample_chunks, avx512::multiply_row, avx512::turn_row, avx512::transpose});
#endif
    std::vector<Kernels> here;
    for (const Kernels &k : all)
        if (k.isa <= best_isa()) here.push_back(k);
    return here;
}

std::vector<c64> noise_row(std::int64_t n, std::uint64_t seed)
{
    harness::Noise noise(seed);
    std::vector<c64> row(static_cast<std::size_t>(n));
    for (c64 &x : row) x = {static_cast<float>(noise()), static_cast<float>(noise())};
    return row;
}

/// Chebyshev nodes of the lanes 0..15, in lanes / 16.
std::vector<double> lane_nodes(int order)
{
    std::vector<double> x;
    for (int i = 0; i <= order; ++i) x.push_back(0.5 * 15 / 16 * (1 - std::cos(pi * (2 * i + 1) / (2 * (order + 1)))));
    return x;
}

/// Polynomial through values at places, by Lagrange's formula.
double through(const std::vector<double> &places, const std::vector<double> &values, double x)
{
    double sum = 0;
    for (std::size_t i = 0; i < places.size(); ++i) {
        double term = values[i];
        for (std::size_t j = 0; j < places.size(); ++j)
            if (j != i) term *= (x - places[j]) / (places[i] - places[j]);
        sum += term;
    }
    return sum;
}

/// The same less the last term of its Chebyshev series: 2/n sum v_i T(z_i) times T(z), T(z) = cos(order acos z).
double through_less(const std::vector<double> &places, const std::vector<double> &values, double x)
{
    const auto order = static_cast<double>(places.size() - 1);
    const double last = 15.0 / 16;
    const auto chebyshev = [&](double place) {
        return std::cos(order * std::acos(std::clamp(2 * place / last - 1, -1.0, 1.0)));
    };
    if (places.size() == 1) return values[0];
    double coefficient = 0;
    for (std::size_t i = 0; i < places.size(); ++i)
        coefficient += 2 * values[i] * chebyshev(places[i]) / static_cast<double>(places.size());
    return through(places, values, x) - coefficient * chebyshev(x);
}

/// Weight of one tap at a fraction and a quadratic phase: linear in the table, series in beta.
std::complex<double> weight(const float *table, int tap, double fraction, double beta)
{
    const double place = (fraction + 0.5) * resampler_steps;
    const int step = std::min(static_cast<int>(place), 2 * resampler_steps - 1);
    std::complex<double> sum = 0, power = 1;
    for (int n = 0; n < resampler_terms; ++n) {
        const double low = table[(step * resampler_terms + n) * resampler_taps + tap],
                     high = table[((step + 1) * resampler_terms + n) * resampler_taps + tap];
        sum += power * (low + (place - step) * (high - low));
        power *= std::complex<double>(0, beta);
    }
    return sum;
}

/// One output by the definition in kernels.h; the imaginary part of the weights has one degree less.
std::complex<double> resampled(const float *table, const ChunkPlan &p, int lane, int order, bool quadratic)
{
    const double x = static_cast<double>(lane) / chunk_samples;
    const auto between = [](const float(&v)[2], double u) { return v[0] + u * (static_cast<double>(v[1]) - v[0]); };
    const std::vector<double> places = lane_nodes(order);
    std::complex<double> sum = 0;
    for (int k = 0; k < resampler_taps; ++k) {
        std::vector<double> re, im;
        for (const double u : places) {
            const auto w = weight(table, k, between(p.fraction, u), quadratic ? between(p.beta, u) : 0);
            re.push_back(w.real());
            im.push_back(w.imag());
        }
        sum += std::complex<double>(through(places, re, x), through_less(places, im, x)) *
               std::complex<double>(p.taps[k * p.tap_stride + lane]);
    }
    const double cycles = p.cycles[0] + lane * (p.cycles[1] + static_cast<double>(lane) * p.cycles[2]);
    return (p.amplitude[0] + static_cast<double>(lane) * p.amplitude[1]) * std::polar(1.0, 2 * pi * cycles) * sum;
}

}  // namespace

TEST(kernels, resample_chunks_is_its_definition)
{
    const Resampler resampler(0.42);
    constexpr std::int64_t stride = 40, chunks = 9;
    const std::vector<c64> data = noise_row(stride * (resampler_taps + chunks), 5);
    harness::Noise noise(6);
    std::vector<ChunkPlan> plans(chunks);
    for (std::int64_t i = 0; i < chunks; ++i) {
        ChunkPlan &p = plans[static_cast<std::size_t>(i)];
        p.taps = data.data() + i * stride + i;  // any alignment
        p.tap_stride = stride;
        const double middle = 0.5 + 0.95 * noise(), drift = 0.04 * noise(), beta = 0.7 * noise(),
                     beta_drift = 0.1 * noise();
        p.fraction[0] = static_cast<float>(middle - drift), p.fraction[1] = static_cast<float>(middle + drift);
        p.beta[0] = static_cast<float>(beta - beta_drift), p.beta[1] = static_cast<float>(beta + beta_drift);
        p.cycles[0] = static_cast<float>(noise()), p.cycles[1] = static_cast<float>(0.05 * noise()),
        p.cycles[2] = static_cast<float>(1e-3 * noise());
        p.amplitude[0] = static_cast<float>(1 + 0.5 * noise()), p.amplitude[1] = static_cast<float>(0.01 * noise());
    }
    for (const Kernels &kernels : runnable()) {
        for (int order = 0; order <= max_order; ++order) {
            for (const bool quadratic : {false, true}) {
                std::vector<c64> got(static_cast<std::size_t>(chunks * chunk_samples));
                std::vector<c64 *> out;
                for (std::int64_t i = 0; i < chunks; ++i) out.push_back(got.data() + i * chunk_samples);
                kernels.resample_chunks(resampler.table(), plans.data(), out.data(), chunks, order, quadratic);
                for (std::int64_t i = 0; i < chunks; ++i)
                    for (int lane = 0; lane < chunk_samples; ++lane) {
                        const auto want =
                            resampled(resampler.table(), plans[static_cast<std::size_t>(i)], lane, order, quadratic);
                        // Sixteen taps of size up to 1 on samples up to sqrt(2); the polynomial is summed from the
                        // Chebyshev series, whose terms have coefficients 1, 1, 3, 7 and 17 in all, each but the first
                        // twice; amplitude up to 1.7; phases up to 2.2 cycles.
                        const double terms[] = {1, 3, 9, 23, 57};
                        const double tolerance = eps * 1.7 * (16 * std::sqrt(2.0) * terms[order] + 2 * pi * 2.2 * 4);
                        CHECK_NEAR(std::abs(std::complex<double>(out[static_cast<std::size_t>(i)][lane]) - want), 0,
                                   tolerance);
                    }
            }
        }
    }
}

TEST(kernels, rows_are_multiplied_and_turned)
{
    for (const Kernels &kernels : runnable()) {
        for (const std::int64_t n : {0, 1, 2, 7, 8, 15, 16, 33, 1000}) {
            const std::vector<c64> row = noise_row(n + 1, 7), filter = noise_row(n + 1, 8);
            std::vector<c64> product = row, turned = row;
            kernels.multiply_row(product.data(), filter.data(), n);
            const double cycles = 123456.789, slope = 3.1875061;  // whole turns must not cost digits
            kernels.turn_row(turned.data(), n, turns_from(cycles), turns_from(slope));
            for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) {
                const std::complex<double> x = row[i];
                CHECK_NEAR(std::abs(std::complex<double>(product[i]) - x * std::complex<double>(filter[i])), 0,
                           4 * eps * 2);
                const double t = cycles + static_cast<double>(i) * slope;
                const auto turn = std::polar(1.0, 2 * pi * (t - std::rint(t)));
                // Phase in float within a turn and over the lanes (2 pi 8 lanes eps), sine to 3e-8, two products.
                CHECK_NEAR(std::abs(std::complex<double>(turned[i]) - x * turn), 0,
                           std::sqrt(2.0) * (2 * pi * 2 * eps + 3e-8 + 4 * eps));
            }
            CHECK(product.back() == row.back() && turned.back() == row.back());
        }
    }
}

TEST(kernels, transposing_moves_and_changes_nothing)
{
    for (const Kernels &kernels : runnable()) {
        for (const auto &[rows, cols] : std::vector<std::pair<std::int64_t, std::int64_t>>{
                 {1, 1}, {3, 5}, {16, 8}, {17, 9}, {40, 100}, {64, 64}}) {
            const std::int64_t in_stride = cols + 3, out_stride = rows + 5;
            std::vector<c64> in = noise_row(rows * in_stride, 9);
            in[0] = {std::nanf("7"), -0.0f};  // bits must come through
            std::vector<c64> out(static_cast<std::size_t>(cols * out_stride), c64(42, 42));
            kernels.transpose({in.data(), rows, cols, in_stride}, {out.data(), cols, rows, out_stride});
            for (std::int64_t c = 0; c < cols; ++c)
                for (std::int64_t r = 0; r < out_stride; ++r) {
                    const c64 &got = out[static_cast<std::size_t>(c * out_stride + r)];
                    if (r < rows)
                        CHECK(std::memcmp(&got, &in[static_cast<std::size_t>(r * in_stride + c)], sizeof got) == 0);
                    else
                        CHECK(got == c64(42, 42));
                }
        }
    }
}
