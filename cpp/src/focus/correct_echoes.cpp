#include "focus/correct_echoes.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/text.h"
#include "core/threads.h"
#include "sidelook/error.h"

namespace sidelook
{

struct EchoSurvey::State {
    std::int64_t samples;
    double prf_hz;
    EchoStatistics found;
    double sum_i = 0, sum_q = 0, sum_ii = 0, sum_qq = 0, sum_iq = 0;
    std::int64_t count_at_largest = 0;
    std::vector<c64> previous;  // the line before, if it was good
    std::vector<c128> correlation = std::vector<c128>(doppler_columns);
    std::vector<std::vector<c128>> runs;  // the same for each run of lines
    std::vector<double> power = std::vector<double>(doppler_columns), pairs = std::vector<double>(doppler_columns);
};

EchoSurvey::EchoSurvey(std::int64_t samples, double prf_hz) : state_(new State)
{
    require(samples > 0, text("samples is ", samples, "; must be greater than 0"));
    state_->samples = samples;
    state_->prf_hz = prf_hz;
}

EchoSurvey::~EchoSurvey() = default;

void EchoSurvey::add(View2<const c64> lines)
{
    State &s = *state_;
    require(lines.cols == s.samples, text("line has ", lines.cols, " samples; must have ", s.samples));
    for (std::int64_t r = 0; r < lines.rows; ++r) {
        const c64 *x = lines.row(r);
        const std::int64_t index = s.found.lines++;
        double i1 = 0, q1 = 0, ii = 0, qq = 0, iq = 0;
        float largest = 0;
        for (std::int64_t c = 0; c < lines.cols; ++c) {
            const double i = x[c].real(), q = x[c].imag();
            i1 += i, q1 += q, ii += i * i, qq += q * q, iq += i * q;
            largest = std::max({largest, std::abs(x[c].real()), std::abs(x[c].imag())});
        }
        if (!std::isfinite(ii + qq)) {
            s.found.damaged_lines.push_back(index);
            s.previous.clear();
            continue;
        }
        if (largest == 0) {
            s.found.silent_lines.push_back(index);
            s.previous.clear();
            continue;
        }
        ++s.found.good_lines;
        s.sum_i += i1, s.sum_q += q1, s.sum_ii += ii, s.sum_qq += qq, s.sum_iq += iq;
        std::int64_t at = 0;
        if (largest >= s.found.largest) {
            for (std::int64_t c = 0; c < lines.cols; ++c)
                at += (std::abs(x[c].real()) == largest) + (std::abs(x[c].imag()) == largest);
            s.count_at_largest = largest > s.found.largest ? at : s.count_at_largest + at;
            s.found.largest = largest;
        }
        if (!s.previous.empty()) {
            for (std::int64_t k = 0; k < doppler_columns; ++k) {
                c128 sum = 0;
                double power = 0;
                const std::int64_t first = k * lines.cols / doppler_columns,
                                   end = (k + 1) * lines.cols / doppler_columns;
                for (std::int64_t c = first; c < end; ++c) {
                    const double ar = x[c].real(), ai = x[c].imag(),
                                 br = s.previous[static_cast<std::size_t>(c)].real(),
                                 bi = s.previous[static_cast<std::size_t>(c)].imag();
                    sum += c128(ar * br + ai * bi, ai * br - ar * bi);
                    power += 0.5 * (ar * ar + ai * ai + br * br + bi * bi);
                }
                const auto u = static_cast<std::size_t>(k);
                s.correlation[u] += sum;
                const auto run = static_cast<std::size_t>(index / drift_lines);
                if (s.runs.size() <= run) s.runs.resize(run + 1, std::vector<c128>(doppler_columns));
                s.runs[run][u] += sum;
                s.power[u] += power;
                s.pairs[u] += static_cast<double>(end - first);
            }
        }
        s.previous.assign(x, x + lines.cols);
    }
}

EchoStatistics EchoSurvey::result() const
{
    const State &s = *state_;
    EchoStatistics f = s.found;
    require(f.lines > 0, "echoes has 0 lines; must have at least 1");
    require(f.good_lines > 0,
            text("echoes has ", f.damaged_lines.size(), " lines with NaN or infinity and ", f.silent_lines.size(),
                 " lines of zeros among ", f.lines, "; at least one must hold an echo"));
    const double n = static_cast<double>(f.good_lines) * static_cast<double>(s.samples);
    f.mean_i = s.sum_i / n;
    f.mean_q = s.sum_q / n;
    f.power_i = s.sum_ii / n - f.mean_i * f.mean_i;
    f.power_q = s.sum_qq / n - f.mean_q * f.mean_q;
    f.covariance = s.sum_iq / n - f.mean_i * f.mean_q;
    f.share_at_largest = static_cast<double>(s.count_at_largest) / (2 * n);
    if (f.power_i > 0 && f.power_q > 0) {
        f.gain_ratio = std::sqrt(f.power_q / f.power_i);
        f.quadrature_error_rad = std::asin(std::clamp(f.covariance / std::sqrt(f.power_i * f.power_q), -1.0, 1.0));
    }
    for (std::size_t k = 0; k < s.correlation.size(); ++k) {
        // The bias is a spectral line at zero Doppler; it must not draw the centroid there.
        const double line = f.mean_i * f.mean_i + f.mean_q * f.mean_q;
        const c128 r = s.correlation[k] - s.pairs[k] * line;
        const double power = s.power[k] - s.pairs[k] * line;
        f.doppler_fraction_hz.push_back(std::arg(r) / (2 * 3.14159265358979323846) * s.prf_hz);
        f.doppler_coherence.push_back(power > 0 ? std::abs(r) / power : 0);
    }
    for (const auto &run : s.runs) {
        c128 sum = 0;
        for (std::size_t k = 0; k < run.size(); ++k) sum += run[k] * std::polar(1.0, -std::arg(s.correlation[k]));
        f.doppler_deviation_hz.push_back(std::arg(sum) / (2 * 3.14159265358979323846) * s.prf_hz);
        f.doppler_deviation_weight.push_back(std::abs(sum));
    }
    return f;
}

EchoCorrections corrections_from(const EchoStatistics &s)
{
    EchoCorrections c;
    c.bias_i = s.mean_i;
    c.bias_q = s.mean_q;
    // A few strong targets make I and Q differ by chance: imbalance is undone only where it is beyond 1 %.
    if (std::abs(s.gain_ratio - 1) > 0.01) c.gain_ratio = s.gain_ratio;
    if (std::abs(s.quadrature_error_rad) > 0.01) c.quadrature_error_rad = s.quadrature_error_rad;
    return c;
}

CorrectEchoes::CorrectEchoes(const EchoCorrections &corrections, std::int64_t samples)
    : corrections_(corrections), samples_(samples)
{
    require(corrections.gain_ratio > 0.1 && corrections.gain_ratio < 10,
            text("gain_ratio is ", corrections.gain_ratio, "; must lie within 0.1 and 10"));
    require(std::abs(corrections.quadrature_error_rad) < 1,
            text("quadrature_error_rad is ", corrections.quadrature_error_rad, "; must lie within -1 and 1"));
    for (std::size_t i = 0; i < corrections.line_gain.size(); ++i)
        require(std::isfinite(corrections.line_gain[i]) && corrections.line_gain[i] >= 0,
                text("line_gain of pulse ", i, " is ", corrections.line_gain[i], "; must be finite and not negative"));
}

void CorrectEchoes::compute(View2<const c64> in, Interval in_lines, View2<c64> out, Interval out_lines, int threads,
                            Workspace &) const
{
    const EchoCorrections &k = corrections_;
    const auto bi = static_cast<float>(k.bias_i), bq = static_cast<float>(k.bias_q);
    const auto cross = static_cast<float>(-std::tan(k.quadrature_error_rad));
    const auto scale = static_cast<float>(1 / (k.gain_ratio * std::cos(k.quadrature_error_rad)));
    parallel_for(out_lines.size(), threads, [&](std::int64_t r, int) {
        const std::int64_t line = out_lines.first + r;
        const auto *x = reinterpret_cast<const float *>(in.row(line - in_lines.first));
        auto *y = reinterpret_cast<float *>(out.row(r));
        const float gain = k.line_gain.empty() ? 1.0f : k.line_gain[static_cast<std::size_t>(line)];
        std::uint32_t damaged = 0;  // an exponent of all ones is infinity or NaN
        for (std::int64_t c = 0; c < 2 * samples_; ++c) {
            std::uint32_t bits;
            std::memcpy(&bits, x + c, sizeof bits);
            damaged |= static_cast<std::uint32_t>((bits & 0x7f800000u) == 0x7f800000u);
        }
        if (damaged) {
            std::fill(y, y + 2 * samples_, 0.0f);
            return;
        }
        for (std::int64_t c = 0; c < 2 * samples_; c += 2) {
            const float i = x[c] - bi, q = x[c + 1] - bq;
            y[c] = gain * i;
            y[c + 1] = gain * (scale * q + cross * i);
        }
    });
}

}  // namespace sidelook
