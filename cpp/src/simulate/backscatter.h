// What sea and ships send back. Every formula names its source.
#pragma once

#include <string>
#include <vector>

#include "simulate/random.h"

namespace sidelook::simulate
{

/// C-band VV sigma zero of the sea (linear), CMOD5.N: H. Hersbach, "CMOD5.N: A C-band geophysical model function for
/// equivalent neutral wind", ECMWF Technical Memorandum 554, 2008. wind_m_per_s: equivalent neutral, at 10 m;
/// relative_deg: 0 where the radar looks upwind; incidence_deg: fitted for 18 to 58.
double cmod5n(double wind_m_per_s, double relative_deg, double incidence_deg);

/// VV sigma zero of the sea (linear) by the NRL model, 0.5 to 35 GHz, grazing angles up to 60 degrees: V.
/// Gregers-Hansen & R. Mital, "An improved empirical model for radar sea clutter reflectivity", NRL/MR/5310-12-9346,
/// 2012. Sea state S from the wind by U = 3.16 S^0.8 m/s (F. Nathanson, "Radar Design Principles", 1991). No wind
/// direction.
double nrl_sea(double carrier_hz, double wind_m_per_s, double incidence_deg);

/// By name, "cmod5n" or "nrl". Throws Error(bad_input) where the model does not hold.
double sea_sigma0(const std::string &model, double carrier_hz, double wind_m_per_s, double relative_deg,
                  double incidence_deg);

/// Displacement (t) of a ship: 1.025 t/m^3 x block coefficient 0.7 x length x width x draught, draught = width / 2.7.
double displacement_t(double length_m, double width_m);
/// Radar cross-section (m^2) of a ship seen away from grazing: its displacement in tonnes, the order-of-magnitude rule
/// of M. Skolnik, "Introduction to Radar Systems", 2nd ed. 1980, section 2.7.
double ship_rcs_m2(double length_m, double width_m);

/// Gamma-distributed texture of mean 1 from a unit normal value, by the quantile function; shape is K's order.
class GammaQuantile
{
public:
    explicit GammaQuantile(double shape);
    double operator()(double normal) const;

private:
    std::vector<double> table_;
};

/// Correlated unit normal field over the plane (m): exactly N(0, 1) everywhere, correlation exp(-d^2 / length^2).
class NormalField
{
public:
    NormalField(const Random &random, double length_m) : random_(random), spacing_m_(0.5 * length_m) {}
    /// The lattice that any point of this rectangle needs; then value() may be asked there.
    void prepare(double x0_m, double x1_m, double y0_m, double y1_m);
    double value(double x_m, double y_m) const;

private:
    Random random_;
    double spacing_m_;
    std::int64_t i0_ = 0, j0_ = 0, ni_ = 0, nj_ = 0;
    std::vector<double> lattice_;
};

/// Sum of octaves of smoothed lattice noise, about -1 to 1, wavelengths from length_m down to length_m / 2^(octaves-1).
double fractal_noise(const Random &random, double x_m, double y_m, double length_m, int octaves);

}  // namespace sidelook::simulate
