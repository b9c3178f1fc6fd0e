// Kernel of the scene simulator's grids; see gridding.h.
#include "simulate/gridding.h"

#include <cmath>

#include "simulate/deposit.h"
#include "simulate/vec.h"

namespace sidelook::simulate
{

double kernel(double x)
{
    constexpr double half = 0.5 * deposit_taps, beta = 2.3 * deposit_taps;
    const double r = x / half;
    return std::abs(r) >= 1 ? 0.0 : std::exp(beta * (std::sqrt(1 - r * r) - 1));
}

std::complex<double> kernel_moment(int j, double xi)
{
    // Trapezoids: the kernel and all it is multiplied with are smooth, and 1e-6 at the ends.
    constexpr int n = 600;
    constexpr double half = 0.5 * deposit_taps, h = 2 * half / n;
    std::complex<double> sum = 0;
    for (int i = 0; i <= n; ++i) {
        const double x = -half + i * h;
        sum += kernel(x) * std::pow(x, j) * std::polar(1.0, 2 * pi * x * xi);
    }
    return h * sum;
}

std::vector<float> kernel_table(int width, int copies)
{
    std::vector<float> table(static_cast<std::size_t>(deposit_steps + 2) * width);
    for (int step = 0; step < deposit_steps + 2; ++step)
        for (int tap = 0; tap < deposit_taps; ++tap)
            for (int copy = 0; copy < copies; ++copy)
                table[static_cast<std::size_t>(step) * width + tap * copies + copy] =
                    static_cast<float>(kernel(static_cast<double>(step) / deposit_steps - 0.5 * deposit_taps + tap));
    return table;
}

}  // namespace sidelook::simulate
