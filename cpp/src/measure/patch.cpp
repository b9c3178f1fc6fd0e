// The patch: tapered window -> Fourier coefficients -> value and derivatives at any point.
#include "measure/patch.h"

#include <cmath>

#include "core/fft.h"

namespace sidelook::measure
{

namespace
{

constexpr double two_pi = 6.283185307179586476925286766559;

/// Phase of the correlation at lag one, in cycles: the power-weighted circular mean of the spectrum. White noise adds
/// nothing to its expectation. Lies within half a cycle of `nominal`.
double spectrum_centre(const std::vector<c128> &z, std::int64_t n, std::int64_t row_lag, std::int64_t col_lag,
                       double nominal)
{
    c128 sum = 0;
    for (std::int64_t r = row_lag; r < n; ++r)
        for (std::int64_t c = col_lag; c < n; ++c)
            sum += z[r * n + c] * std::conj(z[(r - row_lag) * n + (c - col_lag)]);
    const double wrapped = std::arg(sum) / two_pi;
    return wrapped + std::round(nominal - wrapped);
}

/// Index of the lowest DFT frequency in the cycle around `centre`, unwrapped: frequency k is (lowest + k)/n cycles.
std::int64_t lowest_index(std::int64_t n, double centre)
{
    return std::llround(centre * static_cast<double>(n)) - (n - 1) / 2;
}

void transpose(std::vector<c128> &z, std::int64_t n)
{
    for (std::int64_t r = 0; r < n; ++r)
        for (std::int64_t c = 0; c < r; ++c) std::swap(z[r * n + c], z[c * n + r]);
}

}  // namespace

Patch::Patch(View2<const c64> image, std::int64_t row, std::int64_t col, std::int64_t half, double centre_row,
             double centre_col, bool measure_centre)
    : half_(half), n_(2 * half + 1), centre_row_(centre_row), centre_col_(centre_col)
{
    // A raised-cosine edge: what is cut off leaves no step, so the periodic series follows the image inside flat().
    std::vector<double> edge(n_, 1.0);
    for (std::int64_t k = 0; k < taper; ++k)
        edge[k] = edge[n_ - 1 - k] = 0.5 - 0.5 * std::cos(0.5 * two_pi * (static_cast<double>(k) + 0.5) / taper);
    std::vector<c128> z(n_ * n_);
    for (std::int64_t r = 0; r < n_; ++r)
        for (std::int64_t c = 0; c < n_; ++c)
            z[r * n_ + c] = c128(image(row - half + r, col - half + c)) * (edge[r] * edge[c]);
    if (measure_centre) {
        centre_row_ = spectrum_centre(z, n_, 1, 0, centre_row);
        centre_col_ = spectrum_centre(z, n_, 0, 1, centre_col);
    }
    fft::forward(View2<c128>(z.data(), n_, n_));
    transpose(z, n_);
    fft::forward(View2<c128>(z.data(), n_, n_));
    transpose(z, n_);

    lowest_row_ = lowest_index(n_, centre_row_);
    lowest_col_ = lowest_index(n_, centre_col_);
    re_.resize(n_ * n_);
    im_.resize(n_ * n_);
    // Ascending frequencies, and the origin moved from sample (0, 0) of the window to its centre.
    const auto modulo = [this](std::int64_t k) { return ((k % n_) + n_) % n_; };
    const double scale = 1 / static_cast<double>(n_ * n_);
    for (std::int64_t k = 0; k < n_; ++k)
        for (std::int64_t l = 0; l < n_; ++l) {
            const std::int64_t fr = modulo(lowest_row_ + k), fc = modulo(lowest_col_ + l);
            const double cycles = static_cast<double>((fr + fc) * half_ % n_) / static_cast<double>(n_);
            const c128 v = z[fr * n_ + fc] * std::polar(scale, two_pi * cycles);
            re_[k * n_ + l] = v.real();
            im_[k * n_ + l] = v.imag();
        }
}

void Patch::phasors(double x, std::int64_t lowest, std::vector<double> &re, std::vector<double> &im) const
{
    re.resize(n_);
    im.resize(n_);
    const double step = two_pi * x / static_cast<double>(n_);
    c128 p = std::polar(1.0, step * static_cast<double>(lowest));
    const c128 q = std::polar(1.0, step);
    for (std::int64_t k = 0; k < n_; ++k) {  // n is a hundred or so: the recurrence loses 1e-14 at most
        re[k] = p.real();
        im[k] = p.imag();
        p = {p.real() * q.real() - p.imag() * q.imag(), p.real() * q.imag() + p.imag() * q.real()};
    }
}

c128 Patch::value(double r, double c) const
{
    std::vector<double> rr, ri, cr, ci, s(n_, 0.0), t(n_, 0.0);
    phasors(r, lowest_row_, rr, ri);
    phasors(c, lowest_col_, cr, ci);
    for (std::int64_t k = 0; k < n_; ++k) {
        const double *a = &re_[k * n_], *b = &im_[k * n_], p = rr[k], q = ri[k];
        for (std::int64_t l = 0; l < n_; ++l) {
            s[l] += a[l] * p - b[l] * q;
            t[l] += a[l] * q + b[l] * p;
        }
    }
    double re = 0, im = 0;
    for (std::int64_t l = 0; l < n_; ++l) {
        re += s[l] * cr[l] - t[l] * ci[l];
        im += s[l] * ci[l] + t[l] * cr[l];
    }
    return {re, im};
}

Jet Patch::jet(double r, double c) const
{
    std::vector<double> rr, ri, cr, ci;
    phasors(r, lowest_row_, rr, ri);
    phasors(c, lowest_col_, cr, ci);
    const double unit = two_pi / static_cast<double>(n_);
    Jet jet{};
    for (std::int64_t k = 0; k < n_; ++k) {
        c128 s0 = 0, s1 = 0, s2 = 0;
        for (std::int64_t l = 0; l < n_; ++l) {
            const c128 v = c128(re_[k * n_ + l], im_[k * n_ + l]) * c128(cr[l], ci[l]);
            const c128 jw(0, unit * static_cast<double>(lowest_col_ + l));
            s0 += v;
            s1 += v * jw;
            s2 += v * jw * jw;
        }
        const c128 p(rr[k], ri[k]), jw(0, unit * static_cast<double>(lowest_row_ + k));
        jet.f += s0 * p;
        jet.fc += s1 * p;
        jet.fcc += s2 * p;
        jet.fr += s0 * p * jw;
        jet.frc += s1 * p * jw;
        jet.frr += s0 * p * jw * jw;
    }
    return jet;
}

std::vector<double> Patch::power(const std::vector<double> &rows, const std::vector<double> &cols) const
{
    // Columns first: half[row frequency][col], then rows.
    const auto m = static_cast<std::int64_t>(cols.size());
    std::vector<double> hr(n_ * m), hi(n_ * m), pr, pi, out(rows.size() * cols.size());
    for (std::int64_t j = 0; j < m; ++j) {
        phasors(cols[j], lowest_col_, pr, pi);
        for (std::int64_t k = 0; k < n_; ++k) {
            const double *a = &re_[k * n_], *b = &im_[k * n_];
            double s = 0, t = 0;
            for (std::int64_t l = 0; l < n_; ++l) {
                s += a[l] * pr[l] - b[l] * pi[l];
                t += a[l] * pi[l] + b[l] * pr[l];
            }
            hr[k * m + j] = s;
            hi[k * m + j] = t;
        }
    }
    std::vector<double> s(m), t(m);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        phasors(rows[i], lowest_row_, pr, pi);
        s.assign(m, 0.0);
        t.assign(m, 0.0);
        for (std::int64_t k = 0; k < n_; ++k)
            for (std::int64_t j = 0; j < m; ++j) {
                s[j] += hr[k * m + j] * pr[k] - hi[k * m + j] * pi[k];
                t[j] += hr[k * m + j] * pi[k] + hi[k * m + j] * pr[k];
            }
        for (std::int64_t j = 0; j < m; ++j) out[i * m + j] = s[j] * s[j] + t[j] * t[j];
    }
    return out;
}

}  // namespace sidelook::measure
