// Vector arithmetic of the simulator. Its own on purpose: the simulator judges the geometry room and shares none of it.
#pragma once

#include <cmath>

#include "sidelook/acquisition.h"

namespace sidelook::simulate
{

inline Vec3 operator+(const Vec3 &a, const Vec3 &b) { return {a.x + b.x, a.y + b.y, a.z + b.z}; }
inline Vec3 operator-(const Vec3 &a, const Vec3 &b) { return {a.x - b.x, a.y - b.y, a.z - b.z}; }
inline Vec3 operator*(double s, const Vec3 &a) { return {s * a.x, s * a.y, s * a.z}; }
inline double dot(const Vec3 &a, const Vec3 &b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
inline double norm(const Vec3 &a) { return std::sqrt(dot(a, a)); }
inline Vec3 unit(const Vec3 &a) { return (1.0 / norm(a)) * a; }
inline Vec3 cross(const Vec3 &a, const Vec3 &b)
{
    return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}

/// Rotation about the Earth's axis by `angle_rad`, counted from x to y.
inline Vec3 rotate_z(const Vec3 &a, double angle_rad)
{
    const double c = std::cos(angle_rad), s = std::sin(angle_rad);
    return {c * a.x - s * a.y, s * a.x + c * a.y, a.z};
}

constexpr double pi = 3.14159265358979323846;
constexpr double radians_per_degree = pi / 180.0;
/// Angular velocity of the Earth (rad/s), WGS84.
constexpr double earth_rate_rad_per_s = 7.2921150e-5;
/// Gravitational constant of the Earth (m^3/s^2), WGS84.
constexpr double earth_mu_m3_per_s2 = 3.986004418e14;

}  // namespace sidelook::simulate
