#include <cmath>

#include "core/text.h"
#include "sidelook/error.h"
#include "sidelook/focus.h"

namespace sidelook
{
namespace
{

constexpr double pi = 3.14159265358979323846;

/// Coefficients F_m of a Taylor window with nbar = 4 (Carrara, Goodman & Majewski 1995, appendix D.2).
double taylor(double x, double side_lobe_db)
{
    constexpr int nbar = 4;
    const double a = std::acosh(std::pow(10.0, side_lobe_db / 20)) / pi, a2 = a * a;
    const double s2 = nbar * nbar / (a2 + (nbar - 0.5) * (nbar - 0.5));
    const auto weight = [&](double y) {
        double sum = 1;
        for (int m = 1; m < nbar; ++m) {
            double up = 1, down = 1;
            for (int n = 1; n < nbar; ++n) {
                up *= 1 - m * m / (s2 * (a2 + (n - 0.5) * (n - 0.5)));
                if (n != m) down *= 1 - static_cast<double>(m * m) / (n * n);
            }
            sum += (m % 2 ? 1 : -1) * up / down * std::cos(pi * m * y);
        }
        return sum;
    };
    return weight(x) / weight(0);
}

}  // namespace

double Window::operator()(double x) const
{
    switch (shape) {
    case Shape::hamming: return parameter + (1 - parameter) * std::cos(pi * x);
    case Shape::kaiser:
        return std::cyl_bessel_i(0, parameter * std::sqrt(std::max(0.0, 1 - x * x))) / std::cyl_bessel_i(0, parameter);
    case Shape::taylor: return taylor(x, parameter);
    case Shape::rectangular: break;
    }
    return 1;
}

std::string Window::name() const
{
    switch (shape) {
    case Shape::hamming: return text("hamming ", parameter);
    case Shape::kaiser: return text("kaiser ", parameter);
    case Shape::taylor: return text("taylor ", parameter);
    case Shape::rectangular: break;
    }
    return "rectangular";
}

}  // namespace sidelook
