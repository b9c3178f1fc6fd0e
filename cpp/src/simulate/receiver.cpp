// The receiver: thermal noise, gain steps, I/Q faults and the quantiser, in place on echoes.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <string>

#include "core/threads.h"
#include "sidelook/error.h"
#include "sidelook/simulate.h"
#include "simulate/random.h"
#include "simulate/vec.h"

namespace sidelook::simulate
{

namespace
{

void check(const Receiver &r)
{
    const auto finite = [](const char *name, double value) {
        require(std::isfinite(value), std::string(name) + " is " + std::to_string(value) + "; must be finite");
    };
    require(std::isfinite(r.noise_sigma) && r.noise_sigma >= 0,
            "noise_sigma is " + std::to_string(r.noise_sigma) + "; must be zero or positive");
    for (double g : r.block_gain_db) finite("block_gain_db", g);
    require(r.block_gain_db.empty() || r.block_lines > 0,
            "block_lines is " + std::to_string(r.block_lines) + "; must be positive where block_gain_db is given");
    require(std::isfinite(r.iq_gain_ratio) && r.iq_gain_ratio > 0,
            "iq_gain_ratio is " + std::to_string(r.iq_gain_ratio) + "; must be positive");
    finite("iq_phase_deg", r.iq_phase_deg);
    finite("bias_i", r.bias_i);
    finite("bias_q", r.bias_q);
    require(r.bits >= 0 && r.bits <= 16, "bits is " + std::to_string(r.bits) + "; must lie between 0 and 16");
    require(r.bits == 0 || (std::isfinite(r.step) && r.step > 0),
            "step is " + std::to_string(r.step) + "; must be positive where bits is not 0");
}

}  // namespace

ReceiverReport receive(const Receiver &receiver, std::int64_t first_line, View2<c64> echoes)
{
    check(receiver);
    require(first_line >= 0, "first_line is " + std::to_string(first_line) + "; must be zero or positive");
    const Random random(receiver.seed, Stream::noise);
    const double cos_q = std::cos(receiver.iq_phase_deg * radians_per_degree);
    const double sin_q = std::sin(receiver.iq_phase_deg * radians_per_degree);
    const double limit = receiver.bits ? (std::ldexp(1.0, receiver.bits - 1) - 0.5) : 0;  // in steps
    std::atomic<std::int64_t> saturated{0};
    parallel_for(echoes.rows, receiver.threads, [&](std::int64_t row, int) {
        const std::uint64_t line = static_cast<std::uint64_t>(first_line + row);
        double gain = 1;
        if (!receiver.block_gain_db.empty()) {
            const std::size_t block = static_cast<std::size_t>(line) / static_cast<std::size_t>(receiver.block_lines);
            gain = std::pow(10.0, receiver.block_gain_db[std::min(block, receiver.block_gain_db.size() - 1)] / 20);
        }
        std::int64_t clipped = 0;
        const auto quantise = [&](double x) {
            const double level = std::floor(x / receiver.step) + 0.5;
            clipped += std::abs(level) > limit;
            return std::clamp(level, -limit, limit) * receiver.step;
        };
        c64 *x = echoes.row(row);
        for (std::int64_t j = 0; j < echoes.cols; ++j) {
            std::complex<double> v = x[j];
            if (receiver.noise_sigma > 0) {
                // counter: (sample, line); the key: (seed, stream)
                const auto w = random.words(static_cast<std::uint64_t>(j), static_cast<std::uint32_t>(line));
                v += receiver.noise_sigma * Random::normal(w[0], w[1]);
            }
            v *= gain;
            double i = v.real(), q = receiver.iq_gain_ratio * (v.imag() * cos_q + v.real() * sin_q);
            i += receiver.bias_i;
            q += receiver.bias_q;
            if (receiver.bits) {
                i = quantise(i);
                q = quantise(q);
            }
            x[j] = {static_cast<float>(i), static_cast<float>(q)};
        }
        saturated += clipped;
    });
    ReceiverReport report;
    if (receiver.bits && echoes.rows * echoes.cols > 0)
        report.saturated_fraction =
            static_cast<double>(saturated) / (2.0 * static_cast<double>(echoes.rows * echoes.cols));
    return report;
}

}  // namespace sidelook::simulate
