// simulate_scene: echoes of millions of scatterers. in: scatterers; out: echoes [pulse][sample] c64.
//
// Pulses are taken in blocks of some 32. About the middle of a block (time u = 0) a scatterer's delay is
//     D(u) = D + D' u + q(u),
// D and D' its own, exact, and q (the curvature, from exact delays) a function of D alone, since delay, Doppler and the
// ellipsoid fix a point. So a block is a sum over scatterers that knows them by (D, Doppler f = -f0 D') only, and a
// non-uniform Fourier transform of type 1 (deposit.h) makes it:
//   1. scatterers are laid on a grid of delay (twice the sample rate) and Doppler (half the block's resolution), with
//      phase exp(-j 2 pi f0 D) and beam; the beam's change within the block is interpolated between 2 instants, or 3
//      for what moves by itself, whose own curvature is interpolated along with it;
//   2. Doppler is transformed to pulses, and exp(-j 2 pi f0 q) applied to every cell of delay;
//   3. each pulse's line is convolved with the pulse in the frequency domain. What depends on the offset df of a
//      scatterer's Doppler from the block's mean, namely range migration exp(j 2 pi f u df/f0) and the Doppler shift
//      exp(j 2 pi df t) of the pulse itself, is a power series in df whose terms the Doppler grid gives for nothing.
#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <vector>

#include "core/fft.h"
#include "core/threads.h"
#include "simulate/check.h"
#include "simulate/deposit.h"
#include "simulate/gridding.h"
#include "simulate/motion.h"
#include "simulate/scatterers.h"

namespace sidelook::simulate
{

namespace
{

constexpr double c = speed_of_light_m_per_s;
constexpr int most_orders = 8;
constexpr int delay_nodes = 9;
constexpr std::int64_t tile_rows = 64;  // of the delay grid, transformed together
constexpr double fastest_m_per_s = 30;  // of targets: the Doppler grid has room for so much

/// Delay of the pulse sent at `sent`, by Newton's method.
double delay_from(const Path &path, const Point &point, double sent)
{
    const Vec3 from = path.position(sent);
    double s1 = sent + norm(point.position(sent) - from) / c;
    for (int i = 0; i < 3; ++i) {
        const Vec3 d = point.position(s1) - from;
        s1 -= (c * (s1 - sent) - norm(d)) / (c - dot(d, point.velocity(s1)) / norm(d));
    }
    const Vec3 at = point.position(s1);
    double s2 = 2 * s1 - sent;
    for (int i = 0; i < 3; ++i) {
        const Vec3 d = at - path.position(s2);
        s2 -= (c * (s2 - s1) - norm(d)) / (c + dot(d, path.velocity(s2)) / norm(d));
    }
    return s2 - sent;
}

/// Instants of a block between which a scatterer's beam (and what its curvature differs by) is interpolated.
struct Nodes {
    int count = 0;
    double time_s[deposit_nodes] = {};
    std::vector<double> weight;  // [pulse][node], Lagrange

    void prepare(std::vector<double> times, const std::vector<double> &pulses_s)
    {
        count = static_cast<int>(times.size());
        std::copy(times.begin(), times.end(), time_s);
        for (double u : pulses_s)
            for (int g = 0; g < count; ++g) {
                double w = 1;
                for (int h = 0; h < count; ++h)
                    if (h != g) w *= (u - time_s[h]) / (time_s[g] - time_s[h]);
                weight.push_back(w);
            }
    }
};

struct Plan {
    int pulses = 0, fft = 0;   // of a block; length of the Doppler transform, twice that
    int orders = 0;            // powers of df
    Nodes still, moving;       // 2 instants for what stands still, 3 for what moves
    double half_s = 0;         // half a block
    double fine_hz = 0;        // rate of the delay grid, twice the sample rate
    double first_delay_s = 0;  // of row 0
    std::int64_t lead = 0;     // samples before sample 0
    std::int64_t rows = 0;     // of the delay grid = length of its transform
    double bin_hz = 0, half_band_hz = 0;
    std::int64_t bins = 0;
    std::vector<float> row_table, bin_table;
    std::vector<c64> twiddle;                // [order][bin]: to fold the Doppler axis
    std::vector<int> fold;                   // [bin]
    std::vector<std::complex<double>> undo;  // [pulse][order][order]: T -> W, see below
    std::vector<double> undo_delay;          // [row frequency]: 1 / transform of the kernel
};

/// What is common to the scatterers of one block.
struct Block {
    double time_s = 0;  // its middle
    Path path;
    double doppler_hz = 0;                                     // mean
    double doppler_spread_hz = 0;                              // of the beam's centre over range
    double delay_s[delay_nodes] = {};                          // of the nodes
    std::vector<double> curvature;                             // [node][pulse]: q (s)
    double moving_curvature[delay_nodes][deposit_nodes] = {};  // q at the instants of Plan::moving
};

double pulse_offset(const Plan &p, double prf_hz, int k) { return (k - 0.5 * (p.pulses - 1)) / prf_hz; }

Block make_block(const Acquisition &acq, const Platform &platform, const Plan &plan, double time_s)
{
    Block b;
    b.time_s = time_s;
    b.path = Path(platform, time_s);
    b.curvature.resize(static_cast<std::size_t>(delay_nodes * std::max(1, plan.pulses)));
    double low = 1e300, high = -1e300;
    for (int i = 0; i < delay_nodes; ++i) {
        const double span = static_cast<double>(plan.rows) / plan.fine_hz;
        const double delay = plan.first_delay_s + span * i / (delay_nodes - 1);
        Target t;
        t.position_m = place_in_beam(platform, time_s + 0.5 * delay, 0.5 * c * delay, acq.terrain_height_m);
        t.reference_time_s = time_s;
        const Point point(t, time_s);
        const double at = delay_from(b.path, point, 0);
        const double rate = (delay_from(b.path, point, 1e-3) - delay_from(b.path, point, -1e-3)) / 2e-3;
        b.delay_s[i] = at;
        b.doppler_hz += -acq.carrier_hz * rate / delay_nodes;
        low = std::min(low, -acq.carrier_hz * rate);
        high = std::max(high, -acq.carrier_hz * rate);
        for (int k = 0; k < plan.pulses; ++k) {
            const double u = pulse_offset(plan, acq.prf_hz, k);
            b.curvature[static_cast<std::size_t>(i * plan.pulses + k)] = delay_from(b.path, point, u) - at - rate * u;
        }
        for (int g = 0; g < plan.moving.count; ++g)
            b.moving_curvature[i][g] =
                delay_from(b.path, point, plan.moving.time_s[g]) - at - rate * plan.moving.time_s[g];
    }
    b.doppler_spread_hz = high - low;
    return b;
}

Plan make_plan(const Acquisition &acq, const Platform &platform, const EchoOptions &options)
{
    Plan p;
    p.fine_hz = 2 * acq.sample_rate_hz;
    p.lead = static_cast<std::int64_t>(std::ceil(0.5 * acq.chirp_duration_s * acq.sample_rate_hz)) + 24;
    p.rows = 2 * fft::good_length(acq.samples + 2 * p.lead);
    p.first_delay_s = acq.first_sample_delay_s - static_cast<double>(2 * p.lead) / p.fine_hz;

    const double middle = acq.first_pulse_time_s + 0.5 * static_cast<double>(acq.pulses - 1) / acq.prf_hz;
    const Block centre = make_block(acq, platform, p, middle);
    const double speed = norm(earth_fixed_state(platform, middle).velocity_m_per_s);
    const double range = 0.5 * c * centre.delay_s[delay_nodes / 2];
    const double beam_rate = acq.antenna.azimuth_length_m * acq.carrier_hz / c * speed / range;  // of L/lambda d.axis

    // Linear interpolation of the beam between two instants leaves at most 3.3 (rate u)^2 / 2 of it, 7e-4 at 0.02.
    p.pulses = 8;
    for (int n : {16, 24, 32, 48, 64})
        if (0.5 * n / acq.prf_hz * beam_rate <= 0.0205) p.pulses = n;
    p.fft = 2 * p.pulses;
    p.half_s = 0.5 * p.pulses / acq.prf_hz;
    std::vector<double> pulses_s;
    for (int k = 0; k < p.pulses; ++k) pulses_s.push_back(pulse_offset(p, acq.prf_hz, k));
    const double two = p.half_s / std::sqrt(2.0), three = p.half_s * std::sqrt(0.75);  // Chebyshev's nodes
    p.still.prepare({-two, two}, pulses_s);
    p.moving.prepare({-three, 0, three}, pulses_s);

    p.bin_hz = acq.prf_hz / p.fft;
    p.half_band_hz =
        (options.beam_limit + 1.05 * beam_rate * p.half_s + 0.02) * 2 * speed / acq.antenna.azimuth_length_m +
        2 * centre.doppler_spread_hz + 2 * fastest_m_per_s * acq.carrier_hz / c;
    p.bins = 2 * static_cast<std::int64_t>(std::ceil(p.half_band_hz / p.bin_hz)) + 2 * deposit_pad;

    // Series in df: the first term left out, weighted with the beam, may reach 5e-4 anywhere; it grows with the
    // squares of time, frequency and Doppler, so that its mean power is a tenth of that squared or less.
    const double per_hz = 2 * pi *
                          (0.5 * std::abs(acq.chirp_rate_hz_per_s) * acq.chirp_duration_s * p.half_s / acq.carrier_hz +
                           0.5 * acq.chirp_duration_s);
    for (p.orders = 1; p.orders < most_orders; ++p.orders) {
        double worst = 0;
        for (double x = 0; x <= options.beam_limit; x += 0.05) {
            const double one = sinc(x), theta = per_hz * x * 2 * speed / acq.antenna.azimuth_length_m;
            worst = std::max(worst, one * one * std::pow(theta, p.orders) / std::tgamma(p.orders + 1.0));
        }
        if (worst < 5e-4) break;
    }

    p.row_table = kernel_table(8, 1);
    p.bin_table = kernel_table(16, 2);
    const double centre_pulse = 0.5 * (p.pulses - 1), centre_bin = static_cast<double>(p.bins / 2);
    p.fold.resize(static_cast<std::size_t>(p.bins));
    p.twiddle.resize(static_cast<std::size_t>(p.orders * p.bins));
    for (std::int64_t m = 0; m < p.bins; ++m) {
        const double offset = static_cast<double>(m) - centre_bin;
        p.fold[static_cast<std::size_t>(m)] = static_cast<int>(((m - p.bins / 2) % p.fft + p.fft) % p.fft);
        for (int n = 0; n < p.orders; ++n)
            p.twiddle[static_cast<std::size_t>(n * p.bins + m)] = static_cast<c64>(
                std::polar(std::pow(offset * p.bin_hz / p.half_band_hz, n), -2 * pi * offset * centre_pulse / p.fft));
    }
    // The transform of df^n times the gridded sum is T_n = sum_j binomial(n, j) (bin/band)^j M_j W_{n-j}, W_n the
    // wanted sum with df^n of the scatterers themselves and M_j the kernel's moments: solved for W, lower triangular.
    p.undo.assign(static_cast<std::size_t>(p.pulses * p.orders * p.orders), 0);
    for (int k = 0; k < p.pulses; ++k) {
        const double u = pulse_offset(p, acq.prf_hz, k);
        std::complex<double> *row = &p.undo[static_cast<std::size_t>(k * p.orders * p.orders)];
        std::array<std::complex<double>, most_orders> moment;
        for (int j = 0; j < p.orders; ++j) moment[static_cast<std::size_t>(j)] = kernel_moment(j, u * p.bin_hz);
        for (int n = 0; n < p.orders; ++n) {
            row[n * p.orders + n] = 1.0;
            double binomial = 1;
            for (int j = 1; j <= n; ++j) {
                binomial = binomial * (n - j + 1) / j;
                const std::complex<double> factor =
                    binomial * std::pow(p.bin_hz / p.half_band_hz, j) * moment[static_cast<std::size_t>(j)];
                for (int i = 0; i <= n - j; ++i) row[n * p.orders + i] -= factor * row[(n - j) * p.orders + i];
            }
            for (int i = 0; i <= n; ++i) row[n * p.orders + i] /= moment[0];
        }
    }
    p.undo_delay.resize(static_cast<std::size_t>(p.rows));
    for (std::int64_t i = 0; i < p.rows; ++i) {
        const double xi = static_cast<double>(i < p.rows / 2 ? i : i - p.rows) / static_cast<double>(p.rows);
        p.undo_delay[static_cast<std::size_t>(i)] = 1.0 / kernel_moment(0, xi).real();
    }
    return p;
}

/// Spectra of (j 2 pi t band)^n / n! times the pulse as the block's mean Doppler leaves it, [order][row frequency].
std::vector<std::complex<double>> pulse_spectra(const Acquisition &acq, const Plan &p, const EchoOptions &options,
                                                double doppler_hz)
{
    // Sampled 4 times finer than the delay grid, so that nothing but the slopes' far skirts folds back.
    constexpr int finer = 4;
    const std::int64_t n = finer * p.rows;
    const double rate_hz = finer * p.fine_hz, half = 0.5 * acq.chirp_duration_s;
    const double delay_rate = -doppler_hz / acq.carrier_hz;      // with the time of transmission
    const double per_reception = delay_rate / (1 + delay_rate);  // with the time of reception
    std::vector<std::complex<double>> out(static_cast<std::size_t>(p.orders * p.rows));
    std::vector<c128> line(static_cast<std::size_t>(n));
    for (int order = 0; order < p.orders; ++order) {
        std::fill(line.begin(), line.end(), c128(0));
        const std::int64_t reach = static_cast<std::int64_t>(std::ceil(half * rate_hz)) + 1;
        for (std::int64_t i = -reach; i <= reach; ++i) {
            const double u = static_cast<double>(i) / rate_hz, sent = u * (1 - per_reception);
            const double gate = envelope(sent, half, options.pulse_edge_s);
            const double cycles = 0.5 * acq.chirp_rate_hz_per_s * sent * sent - acq.carrier_hz * per_reception * u;
            line[static_cast<std::size_t>((i + n) % n)] = std::polar(gate, 2 * pi * cycles) *
                                                          std::pow(c128(0, 2 * pi * u * p.half_band_hz), order) /
                                                          std::tgamma(order + 1.0);
        }
        fft::forward(View2<c128>(line.data(), 1, n));
        for (std::int64_t i = 0; i < p.rows; ++i) {
            const std::int64_t from = i < p.rows / 2 ? i : n - p.rows + i;
            out[static_cast<std::size_t>(order * p.rows + i)] = line[static_cast<std::size_t>(from)] / rate_hz;
        }
    }
    return out;
}

struct Workspace {
    std::vector<float> grid;    // [row][node][bin] complex
    std::vector<char> touched;  // [tile of rows]: whether the grid holds anything there
    std::vector<c64> lines;     // [order][pulse][row]
    std::vector<c64> tile;      // [row of the tile][order][node][fft]
    std::vector<c64> half;      // one line at the sample rate
    std::vector<c128> sum;      // one spectrum
};

/// Doppler to pulses: grid -> lines, with the curvature's phase. Tiles of rows that are not `touched` hold nothing;
/// `more` adds to what the lines hold already.
void to_pulses(const Acquisition &acq, const Plan &p, const Nodes &nodes, const Block &b,
               const std::vector<char> &touched, bool more, Workspace &w)
{
    const std::int64_t per_row = p.orders * nodes.count;
    w.tile.resize(static_cast<std::size_t>(tile_rows * per_row * p.fft));
    std::vector<c64> coefficient(static_cast<std::size_t>(p.pulses * p.orders * p.orders * nodes.count));
    for (int k = 0; k < p.pulses; ++k)
        for (int n = 0; n < p.orders; ++n)
            for (int i = 0; i <= n; ++i)
                for (int g = 0; g < nodes.count; ++g)
                    coefficient[static_cast<std::size_t>(((k * p.orders + n) * p.orders + i) * nodes.count + g)] =
                        static_cast<c64>(p.undo[static_cast<std::size_t>((k * p.orders + n) * p.orders + i)] *
                                         nodes.weight[static_cast<std::size_t>(k * nodes.count + g)]);
    const double node_step = (b.delay_s[delay_nodes - 1] - b.delay_s[0]) / (delay_nodes - 1);
    for (std::int64_t row0 = 0; row0 < p.rows; row0 += tile_rows) {
        if (!touched[static_cast<std::size_t>(row0 / tile_rows)]) continue;
        const std::int64_t count = std::min(tile_rows, p.rows - row0);
        std::fill(w.tile.begin(), w.tile.end(), c64(0));
        for (std::int64_t r = 0; r < count; ++r)
            for (int g = 0; g < nodes.count; ++g) {
                const float *in = &w.grid[static_cast<std::size_t>(((row0 + r) * nodes.count + g) * 2 * p.bins)];
                for (int n = 0; n < p.orders; ++n) {
                    const float *tw = reinterpret_cast<const float *>(&p.twiddle[static_cast<std::size_t>(n * p.bins)]);
                    float *out = reinterpret_cast<float *>(
                        &w.tile[static_cast<std::size_t>(((r * p.orders + n) * nodes.count + g) * p.fft)]);
                    // fold in runs, within which the target index grows by one
                    for (std::int64_t m = 0; m < p.bins;) {
                        const int f = p.fold[static_cast<std::size_t>(m)];
                        const std::int64_t run = std::min<std::int64_t>(p.bins - m, p.fft - f);
                        for (std::int64_t i = 0; i < run; ++i) {
                            const float xr = in[2 * (m + i)], xi = in[2 * (m + i) + 1];
                            const float tr = tw[2 * (m + i)], ti = tw[2 * (m + i) + 1];
                            out[2 * (f + i)] += xr * tr - xi * ti;
                            out[2 * (f + i) + 1] += xr * ti + xi * tr;
                        }
                        m += run;
                    }
                }
            }
        fft::inverse(View2<c64>(w.tile.data(), count * per_row, p.fft));
        for (int k = 0; k < p.pulses; ++k) {
            const c64 *co = &coefficient[static_cast<std::size_t>(k * p.orders * p.orders * nodes.count)];
            for (std::int64_t r = 0; r < count; ++r) {
                // curvature between the nodes, linearly: it is nearly 1/R
                const double delay = p.first_delay_s + static_cast<double>(row0 + r) / p.fine_hz;
                const double place = std::clamp((delay - b.delay_s[0]) / node_step, 0.0, delay_nodes - 1.000001);
                const int node = static_cast<int>(place);
                const double *q = &b.curvature[static_cast<std::size_t>(node * p.pulses + k)];
                const double curvature = q[0] + (place - node) * (q[p.pulses] - q[0]);
                const float angle = static_cast<float>(-2 * pi * acq.carrier_hz * curvature);
                const float cr = std::cos(angle), ci = std::sin(angle);
                const c64 *t = &w.tile[static_cast<std::size_t>(r * per_row * p.fft + k)];
                for (int n = 0; n < p.orders; ++n) {
                    float re = 0, im = 0;
                    for (int i = 0; i <= n; ++i)
                        for (int g = 0; g < nodes.count; ++g) {
                            const c64 a = co[(n * p.orders + i) * nodes.count + g],
                                      x = t[(i * nodes.count + g) * p.fft];
                            re += a.real() * x.real() - a.imag() * x.imag();
                            im += a.real() * x.imag() + a.imag() * x.real();
                        }
                    c64 &line = w.lines[static_cast<std::size_t>(
                        (static_cast<std::int64_t>(n) * p.pulses + k) * p.rows + row0 + r)];
                    const c64 value{re * cr - im * ci, re * ci + im * cr};
                    line = more ? line + value : value;
                }
            }
        }
    }
}

/// Convolves line k of the block with the pulse and writes its samples.
void to_samples(const Acquisition &acq, const Plan &p, const Block &b, const std::vector<std::complex<double>> &pulse,
                int k, Workspace &w, c64 *out)
{
    const double u = pulse_offset(p, acq.prf_hz, k);
    // The mean Doppler's phase and migration, and the curvature's migration at mid range.
    const double shift =
        -b.doppler_hz / acq.carrier_hz * u + b.curvature[static_cast<std::size_t>((delay_nodes / 2) * p.pulses + k)];
    const double bin_hz = p.fine_hz / static_cast<double>(p.rows);
    std::array<c64 *, most_orders> line{};
    for (int n = 0; n < p.orders; ++n) {
        line[static_cast<std::size_t>(n)] =
            &w.lines[static_cast<std::size_t>((static_cast<std::int64_t>(n) * p.pulses + k) * p.rows)];
        fft::forward(View2<c64>(line[static_cast<std::size_t>(n)], 1, p.rows));
    }
    const std::int64_t half = p.rows / 2;
    std::fill(w.half.begin(), w.half.end(), c64(0));
    const c128 step = std::polar(1.0, -2 * pi * bin_hz * shift);
    c128 ramp = 0;
    for (std::int64_t i = 0; i < p.rows; ++i) {
        const double f = bin_hz * static_cast<double>(i < half ? i : i - p.rows);
        if (i % 64 == 0 || i == half) ramp = std::polar(1.0, 2 * pi * (b.doppler_hz * u - f * shift));
        // powers (j 2 pi f u band / f0)^a / a! of migration, times the pulse's own series
        const double theta = 2 * pi * f * u * p.half_band_hz / acq.carrier_hz;
        double re = 0, im = 0;
        for (int n = 0; n < p.orders; ++n) {
            double qr = 0, qi = 0, power = 1;
            for (int a = 0; a <= n; ++a) {
                const std::complex<double> s = pulse[static_cast<std::size_t>((n - a) * p.rows + i)];
                switch (a & 3) {  // j^a
                case 0: qr += power * s.real(), qi += power * s.imag(); break;
                case 1: qr -= power * s.imag(), qi += power * s.real(); break;
                case 2: qr -= power * s.real(), qi -= power * s.imag(); break;
                default: qr += power * s.imag(), qi -= power * s.real(); break;
                }
                power *= theta / (a + 1);
            }
            const c64 x = line[static_cast<std::size_t>(n)][i];
            re += qr * x.real() - qi * x.imag();
            im += qr * x.imag() + qi * x.real();
        }
        const double g = p.undo_delay[static_cast<std::size_t>(i)] * bin_hz;
        const double rr = ramp.real() * g, ri = ramp.imag() * g;
        w.half[static_cast<std::size_t>(i < half ? i : i - half)] +=
            c64(static_cast<float>(re * rr - im * ri), static_cast<float>(re * ri + im * rr));
        ramp = c128(ramp.real() * step.real() - ramp.imag() * step.imag(),
                    ramp.real() * step.imag() + ramp.imag() * step.real());
    }
    fft::inverse(View2<c64>(w.half.data(), 1, half));
    std::copy_n(w.half.begin() + p.lead, acq.samples, out);
}

/// The block's constants for the inner loop.
DepositBlock deposit_block(const Acquisition &acq, const Platform &platform, const EchoOptions &options, const Plan &p,
                           const Nodes &nodes, const Block &b, Workspace &w, Vec3 &azimuth_rate, Vec3 &elevation_rate)
{
    DepositBlock d{};
    const auto copy = [](const Vec3 &v, double *out) { out[0] = v.x, out[1] = v.y, out[2] = v.z; };
    copy(b.path.v, d.v);
    copy(b.path.a2, d.a2);
    copy(b.path.j6, d.j6);
    d.spin = earth_rate_rad_per_s;
    const double reflection = 0.5 * b.delay_s[delay_nodes / 2];
    const auto axes = [&](double s, Vec3 &azimuth,
                          Vec3 &elevation) {  // ECEF at time_s + s -> the block's inertial frame
        const AntennaFrame f = antenna_frame(platform, b.time_s + s);
        const double per_m = acq.carrier_hz / c;
        azimuth = (acq.antenna.azimuth_length_m * per_m) * rotate_z(f.azimuth_axis, earth_rate_rad_per_s * s);
        elevation = (acq.antenna.elevation_length_m * per_m) *
                    rotate_z(cross(f.azimuth_axis, f.boresight), earth_rate_rad_per_s * s);
    };
    Vec3 a, e, a0, e0, a1, e1;
    axes(reflection, a, e);
    axes(reflection - 0.01, a0, e0);
    axes(reflection + 0.01, a1, e1);
    copy(a, d.azimuth_axis);
    copy(e, d.elevation_axis);
    azimuth_rate = 50.0 * (a1 - a0);
    elevation_rate = 50.0 * (e1 - e0);
    d.carrier_hz = acq.carrier_hz;
    d.first_delay_s = p.first_delay_s;
    d.rows_per_s = p.fine_hz;
    d.centre_doppler_hz = b.doppler_hz;
    d.bins_per_hz = 1.0 / p.bin_hz;
    d.centre_bin = static_cast<double>(p.bins / 2);
    d.beam_limit = options.beam_limit;
    d.reference_range_m = options.reference_range_m;
    d.nodes = nodes.count;
    std::copy_n(nodes.time_s, deposit_nodes, d.node_s);
    d.rows = p.rows;
    d.bins = p.bins;
    d.grid = w.grid.data();
    d.row_table = p.row_table.data();
    d.bin_table = p.bin_table.data();
    return d;
}

bool moves(const Chunk &k) { return dot(k.velocity_m_per_s, k.velocity_m_per_s) > 0; }

/// Curvature of a moving chunk's middle beyond that of the block's grid, as a phase at every instant: a ship's speed
/// changes the second derivative of the delay, which the grid takes for that of standing points.
void turn(const Acquisition &acq, const Plan &p, const Block &b, const Point &point, DepositChunk &q)
{
    const double at = delay_from(b.path, point, 0);
    const double rate = (delay_from(b.path, point, 1e-3) - delay_from(b.path, point, -1e-3)) / 2e-3;
    const double step = (b.delay_s[delay_nodes - 1] - b.delay_s[0]) / (delay_nodes - 1);
    const double place = std::clamp((at - b.delay_s[0]) / step, 0.0, delay_nodes - 1.000001);
    const int node = static_cast<int>(place);
    q.turned = true;
    for (int g = 0; g < p.moving.count; ++g) {
        const double u = p.moving.time_s[g], *low = b.moving_curvature[node], *high = b.moving_curvature[node + 1];
        const double lacking =
            delay_from(b.path, point, u) - at - rate * u - (low[g] + (place - node) * (high[g] - low[g]));
        q.node_cycles[g] = static_cast<float>(-acq.carrier_hz * lacking);
    }
}

/// Clears the grid and lays on it the scatterers that move, or those that do not. Returns how many were lit.
std::int64_t lay(const Acquisition &acq, const Platform &platform, const EchoOptions &options, const Plan &plan,
                 const Block &block, const Scatterers &scatterers, bool moving, Workspace &w)
{
    const Nodes &nodes = moving ? plan.moving : plan.still;
    w.grid.assign(static_cast<std::size_t>(plan.rows * nodes.count * plan.bins * 2), 0.0f);
    w.touched.assign(static_cast<std::size_t>((plan.rows + tile_rows - 1) / tile_rows), moving ? 0 : 1);
    Vec3 azimuth_rate, elevation_rate;
    const DepositBlock d = deposit_block(acq, platform, options, plan, nodes, block, w, azimuth_rate, elevation_rate);
    const Vec3 azimuth{d.azimuth_axis[0], d.azimuth_axis[1], d.azimuth_axis[2]};
    const Vec3 elevation{d.elevation_axis[0], d.elevation_axis[1], d.elevation_axis[2]};
    std::int64_t lit = 0;
    for (const Chunk &k : scatterers.chunks) {
        if (moves(k) != moving) continue;
        Target t;
        t.position_m = k.centre_m;
        t.velocity_m_per_s = k.velocity_m_per_s;
        t.reference_time_s = k.reference_time_s;
        const Point point(t, block.time_s);
        const Vec3 r = point.p - block.path.r;
        const double range = norm(r);
        const Vec3 n = (1.0 / range) * r, w_rel = point.v - block.path.v;
        const Vec3 sweep = (1.0 / range) * (w_rel - dot(n, w_rel) * n);
        DepositChunk q{};
        q.azimuth_rate = dot(sweep, azimuth) + dot(n, azimuth_rate);
        q.elevation_rate = dot(sweep, elevation) + dot(n, elevation_rate);
        // Whole chunks out of the beam are left out; 1 % and 0.02 cover the second order.
        const double reach = 1.01 * k.radius_m / range, drift = plan.half_s * std::abs(q.azimuth_rate) + 0.02;
        const double reflected = range / c;  // the platform flies on meanwhile
        if (std::abs(dot(n, azimuth) + reflected * q.azimuth_rate) > options.beam_limit + reach * norm(azimuth) + drift)
            continue;
        if (std::abs(dot(n, elevation)) > options.beam_limit + reach * norm(elevation) + 0.02) continue;
        if (moving) {
            turn(acq, plan, block, point, q);
            const double row = (2 * range / c - plan.first_delay_s) * plan.fine_hz;
            const double rows = 2 * (k.radius_m / c + 1e-7) * plan.fine_hz + deposit_taps;  // 1e-7 s: no stop-and-go
            const double tiles = static_cast<double>(w.touched.size()) - 1;
            const auto tile = [&](double at) {
                return static_cast<std::int64_t>(std::clamp(at / tile_rows, 0.0, tiles));
            };
            for (std::int64_t i = tile(row - rows); i <= tile(row + rows); ++i)
                w.touched[static_cast<std::size_t>(i)] = 1;
        }
        q.p[0] = r.x, q.p[1] = r.y, q.p[2] = r.z;
        q.p_earth[0] = point.p.x, q.p_earth[1] = point.p.y, q.p_earth[2] = point.p.z;
        q.w[0] = k.velocity_m_per_s.x, q.w[1] = k.velocity_m_per_s.y, q.w[2] = k.velocity_m_per_s.z;
        q.x = &scatterers.x[static_cast<std::size_t>(k.begin)];
        q.y = &scatterers.y[static_cast<std::size_t>(k.begin)];
        q.z = &scatterers.z[static_cast<std::size_t>(k.begin)];
        q.unit = offset_unit_m;
        q.amplitude = &scatterers.amplitude[static_cast<std::size_t>(k.begin)];
        q.count = k.count;
        lit += SIDELOOK_DISPATCH(deposit, d, q);
    }
    return lit;
}

void check_scene(const Acquisition &acq, const EchoOptions &options)
{
    require(acq.antenna.azimuth_length_m > 0, "antenna azimuth_length_m is " +
                                                  std::to_string(acq.antenna.azimuth_length_m) +
                                                  "; must be positive for a scene, which is lit by a beam");
    require(options.beam_limit > 0 && options.beam_limit <= 4,
            "beam_limit is " + std::to_string(options.beam_limit) + "; must be above 0 and at most 4 for a scene");
    require(options.pulse_edge_s >= 4 / acq.sample_rate_hz * (1 - 1e-9),
            "pulse_edge_s is " + std::to_string(options.pulse_edge_s * 1e9) +
                " ns; must be at least 4 samples for a scene, since a rectangular pulse has no band limit");
}

int workers(const Acquisition &acq, const Plan &plan, const EchoOptions &options)
{
    const std::int64_t blocks = (acq.pulses + plan.pulses - 1) / plan.pulses;
    return static_cast<int>(std::min<std::int64_t>(options.threads > 0 ? options.threads : default_threads(), blocks));
}

std::int64_t workspace_bytes(const Plan &p)
{
    const std::int64_t pulse = 16 * (p.orders + 4) * p.rows;  // spectra, and the finer line they are made from
    return 8 * p.rows * p.moving.count * p.bins + 8 * p.orders * p.pulses * p.rows + pulse;
}

}  // namespace

std::int64_t scene_workspace_bytes(const Acquisition &acq, const Platform &platform, const EchoOptions &options)
{
    check_scene(acq, options);
    const Plan plan = make_plan(acq, platform, options);
    return workers(acq, plan, options) * workspace_bytes(plan);
}

SceneReport simulate_scatterers(const Acquisition &acq, const Platform &platform, const Scatterers &scatterers,
                                const EchoOptions &options, View2<c64> out)
{
    const auto start = std::chrono::steady_clock::now();
    check_echo_request(acq, options, out);
    check_scene(acq, options);
    for (const Chunk &k : scatterers.chunks)
        require(norm(k.velocity_m_per_s) <= fastest_m_per_s,
                "velocity is " + std::to_string(norm(k.velocity_m_per_s)) + " m/s; must be at most 30 m/s in a scene");
    const Plan plan = make_plan(acq, platform, options);
    const std::int64_t blocks = (acq.pulses + plan.pulses - 1) / plan.pulses;
    std::vector<std::int64_t> lit(static_cast<std::size_t>(blocks));
    const bool any_moving = std::any_of(scatterers.chunks.begin(), scatterers.chunks.end(), moves);
    const int threads = workers(acq, plan, options);
    std::vector<Workspace> workspaces(static_cast<std::size_t>(threads));

    parallel_for(blocks, threads, [&](std::int64_t index, int worker) {
        Workspace &w = workspaces[static_cast<std::size_t>(worker)];
        w.lines.resize(static_cast<std::size_t>(plan.orders * plan.pulses * plan.rows));
        w.half.resize(static_cast<std::size_t>(plan.rows / 2));
        const std::int64_t first = index * plan.pulses;
        const double middle =
            acq.first_pulse_time_s + (static_cast<double>(first) + 0.5 * (plan.pulses - 1)) / acq.prf_hz;
        const Block block = make_block(acq, platform, plan, middle);
        lit[static_cast<std::size_t>(index)] = lay(acq, platform, options, plan, block, scatterers, false, w);
        to_pulses(acq, plan, plan.still, block, w.touched, false, w);
        if (any_moving) {
            lit[static_cast<std::size_t>(index)] += lay(acq, platform, options, plan, block, scatterers, true, w);
            to_pulses(acq, plan, plan.moving, block, w.touched, true, w);
        }
        const std::vector<std::complex<double>> pulse = pulse_spectra(acq, plan, options, block.doppler_hz);
        for (int k = 0; k < plan.pulses && first + k < acq.pulses; ++k)
            to_samples(acq, plan, block, pulse, k, w, out.row(first + k));
    });

    SceneReport report;
    for (std::int64_t n : lit) report.scatterer_pulses += static_cast<double>(n) * plan.pulses;
    report.pulses_per_block = plan.pulses;
    report.doppler_orders = plan.orders;
    report.workspace_bytes = threads * workspace_bytes(plan);
    report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return report;
}

SceneReport simulate_scene(const Acquisition &acq, const Platform &platform, const std::vector<Target> &targets,
                           const EchoOptions &options, View2<c64> out)
{
    check_targets(targets);
    return simulate_scatterers(acq, platform, Scatterers::pack(targets), options, out);
}

}  // namespace sidelook::simulate
