// Where the antenna was when it sent a pulse and when it received its echo, so that the two-way delay of any point
// takes three square roots and no orbit: no stop-and-go approximation, light straight in the inertial frame that
// coincides with the Earth's at the reflection, as in focus/echo_history.h.
//
// Both places are expanded around a typical delay (the middle of the receive window) to first order for the sender, to
// second for the receiver. Half a window beside it, 1e-4 s, what is left out is below 1e-9 m.
#pragma once

#include "core/vec3.h"
#include "sidelook/geometry.h"

namespace sidelook
{

/// Into every caller: the instruction sets' kernels must not share one function, nor spill registers around it.
#define SIDELOOK_INLINE inline __attribute__((always_inline))

/// n pulses, as arrays that a compiler makes vectors of.
template <int n> struct PulseTracks {
    double typical_s = 0;                                     ///< one-way delay around which the places are expanded
    double send[3][n], send_turn[3][n], send_velocity[3][n];  // at the typical delay; d/d(way up); d/dt
    double receive[3][n], receive_velocity[3][n], receive_turn[3][n], receive_acceleration[3][n];
    double azimuth_axis[3][n];  // of the antenna, halfway
};

/// How one pulse sees a point P.
struct Sight {
    double delay_s;              ///< d: two-way, from the pulse's centre to its echo's
    double doppler_rate;         ///< -d'(t), t the reception time: Doppler over the carrier
    Vec3 slope;                  ///< c dd/dP
    Vec3 doppler_slope;          ///< -c dd'/dP (1/s)
    double inverse_range_per_m;  ///< mean of both ways
    double off_axis;             ///< sine of the angle to the plane across the antenna's azimuth axis
};

template <int n> SIDELOOK_INLINE Sight sight(const PulseTracks<n> &t, int i, const Vec3 &p)
{
    constexpr double c = speed_of_light_m_per_s;
    const auto at = [i](const double(&v)[3][n]) { return Vec3{v[0][i], v[1][i], v[2][i]}; };
    // Up: |P - A(up)| = c up, A moving by send_turn (the Earth's rotation), linear in up to rounding.
    const Vec3 up_ray = p - at(t.send);
    const double up_range = norm(up_ray);
    const Vec3 n1 = (1 / up_range) * up_ray;
    const double turn1 = dot(n1, at(t.send_turn)), up = (up_range + t.typical_s * turn1) / (c + turn1);
    // Down: the receiver moves with the whole delay, its frame with the way down: a first step, then exactly there.
    const double x = up - t.typical_s;
    const Vec3 velocity = at(t.receive_velocity), turn = at(t.receive_turn);
    const Vec3 down_ray = p - at(t.receive);
    const double first_range = norm(down_ray);
    const Vec3 n0 = (1 / first_range) * down_ray;
    const double z = (first_range - c * t.typical_s - x * dot(n0, velocity)) / (c + dot(n0, velocity) + dot(n0, turn));
    const double later = x + z;
    const Vec3 there =
        p - (at(t.receive) + later * velocity + z * turn + (0.5 * later * later) * at(t.receive_acceleration));
    const double down_range = norm(there);
    const Vec3 n2 = (1 / down_range) * there;
    const Vec3 v2 = velocity + later * at(t.receive_acceleration), v1 = at(t.send_velocity);
    const double b = dot(n2, v2), inverse = 1 / (c + b + dot(n2, turn)), inverse_up = 1 / (c + turn1);
    // Derivatives with the time of sending, then with that of reception.
    const double up_rate = -dot(n1, v1) * inverse_up, down_rate = -b * (1 + up_rate) * inverse;
    const double rate = up_rate + down_rate;
    Sight s;
    s.delay_s = up + down_range / c;
    s.doppler_rate = -rate / (1 + rate);
    s.slope = (c * inverse_up * (1 - b * inverse)) * n1 + (c * inverse) * n2;
    const double up_inverse = 1 / up_range, down_inverse = 1 / down_range;
    s.doppler_slope = up_inverse * (v1 - dot(n1, v1) * n1) + down_inverse * (v2 - b * n2);
    s.inverse_range_per_m = 0.5 * (up_inverse + down_inverse);
    s.off_axis = 0.5 * dot(n1 + n2, at(t.azimuth_axis));
    return s;
}

constexpr int pulse_group = 32;  ///< pulses whose geometry is computed, and whose lines are summed, together

/// Puts the pulse whose centre is sent at `sent_s` at place i; the axis is 0 where the antenna is unknown.
template <int n>
void set_track(PulseTracks<n> &tracks, int i, const Orbit &orbit, const Vec3 &azimuth_axis, double sent_s);

extern template void set_track(PulseTracks<1> &, int, const Orbit &, const Vec3 &, double);
extern template void set_track(PulseTracks<pulse_group> &, int, const Orbit &, const Vec3 &, double);

}  // namespace sidelook
