// The kernel by which scatterers are laid on a grid, and what undoes it after the Fourier transform.
#pragma once

#include <complex>
#include <vector>

namespace sidelook::simulate
{

/// exp(beta (sqrt(1 - (2x/w)^2) - 1)) on |x| < w/2, the "exponential of semicircle" of Barnett, Magland & af
/// Klinteberg, SIAM J. Sci. Comput. 41(5), 2019, with beta = 2.3 w: its aliases are below 1e-5 for grids twice as fine
/// as needed.
double kernel(double x);

/// Moment integral of x^j kernel(x) exp(j 2 pi x xi) dx for |xi| <= 1/2.
std::complex<double> kernel_moment(int j, double xi);

/// Weights of the taps for a first tap s cells inside the kernel's edge, s = i / deposit_steps: rows of `width` floats,
/// every weight written `copies` times, zeros to fill.
std::vector<float> kernel_table(int width, int copies);

}  // namespace sidelook::simulate
