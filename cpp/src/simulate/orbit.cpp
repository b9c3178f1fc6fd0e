// The platform: a two-body ellipse in the inertial frame, the same in ECEF, and the antenna's attitude.
#include <cmath>
#include <string>

#include "sidelook/error.h"
#include "sidelook/simulate.h"
#include "simulate/vec.h"

namespace sidelook::simulate
{

namespace
{

void check(const Platform &p)
{
    const auto rule = [](const char *name, double value, bool ok, const char *must) {
        require(ok, std::string(name) + " is " + std::to_string(value) + "; must " + must);
    };
    rule("altitude_m", p.altitude_m, p.altitude_m >= 100e3 && p.altitude_m <= 2000e3, "lie between 100 km and 2000 km");
    rule("eccentricity", p.eccentricity, p.eccentricity >= 0 && p.eccentricity < 0.5, "lie in [0, 0.5)");
    rule("inclination_deg", p.inclination_deg, std::isfinite(p.inclination_deg), "be finite");
    rule("node_longitude_deg", p.node_longitude_deg, std::isfinite(p.node_longitude_deg), "be finite");
    rule("perigee_deg", p.perigee_deg, std::isfinite(p.perigee_deg), "be finite");
    rule("latitude_argument_deg", p.latitude_argument_deg, std::isfinite(p.latitude_argument_deg), "be finite");
    rule("look_angle_deg", p.look_angle_deg, p.look_angle_deg > 0 && p.look_angle_deg < 70, "lie between 0 and 70");
    rule("squint_deg", p.squint_deg, std::abs(p.squint_deg) <= 30, "lie within +-30");
}

double true_to_mean(double nu, double e)
{
    const double ecc = 2.0 * std::atan2(std::sqrt(1.0 - e) * std::sin(nu / 2), std::sqrt(1.0 + e) * std::cos(nu / 2));
    return ecc - e * std::sin(ecc);
}

}  // namespace

State inertial_state(const Platform &p, double time_s)
{
    check(p);
    const double a = 6378137.0 + p.altitude_m, e = p.eccentricity;
    const double mean_motion = std::sqrt(earth_mu_m3_per_s2 / (a * a * a));
    const double mean =
        true_to_mean((p.latitude_argument_deg - p.perigee_deg) * radians_per_degree, e) + mean_motion * time_s;
    double ecc = mean + e * std::sin(mean);  // Kepler's equation E - e sin E = M, by Newton
    for (int i = 0; i < 6; ++i) ecc -= (ecc - e * std::sin(ecc) - mean) / (1.0 - e * std::cos(ecc));
    const double c = std::cos(ecc), s = std::sin(ecc), root = std::sqrt(1.0 - e * e);
    const double rate = mean_motion / (1.0 - e * c);  // dE/dt
    const double x = a * (c - e), y = a * root * s, vx = -a * s * rate, vy = a * root * c * rate;
    const double w = p.perigee_deg * radians_per_degree, i = p.inclination_deg * radians_per_degree;
    const double o = p.node_longitude_deg * radians_per_degree;
    const auto turn = [&](double px, double py) {  // perifocal -> inertial: perigee, inclination, node
        const double u = std::cos(w) * px - std::sin(w) * py, v = std::sin(w) * px + std::cos(w) * py;
        return rotate_z({u, std::cos(i) * v, std::sin(i) * v}, o);
    };
    return {turn(x, y), turn(vx, vy)};
}

State earth_fixed_state(const Platform &p, double time_s)
{
    const State s = inertial_state(p, time_s);
    const double angle = -earth_rate_rad_per_s * time_s;
    const Vec3 r = rotate_z(s.position_m, angle), v = rotate_z(s.velocity_m_per_s, angle);
    return {r, v - cross({0, 0, earth_rate_rad_per_s}, r)};
}

AntennaFrame antenna_frame(const Platform &p, double time_s)
{
    const State s = earth_fixed_state(p, time_s);
    const Vec3 along = unit(s.velocity_m_per_s), up = unit(s.position_m);
    const Vec3 down = unit(dot(up, along) * along - up);
    const Vec3 right = cross(along, -1.0 * down);
    const double look = p.look_angle_deg * radians_per_degree, squint = p.squint_deg * radians_per_degree;
    const double side = p.look_side == LookSide::right ? 1.0 : -1.0;
    const Vec3 broadside = std::cos(look) * down + (side * std::sin(look)) * right;
    AntennaFrame frame;
    frame.time_s = time_s;
    frame.boresight = std::cos(squint) * broadside + std::sin(squint) * along;
    frame.azimuth_axis = std::cos(squint) * along - std::sin(squint) * broadside;
    return frame;
}

}  // namespace sidelook::simulate
