#include "backproject/pulse_tracks.h"

namespace sidelook
{
namespace
{

constexpr double earth_rate_rad_per_s = 7.2921150e-5;  // WGS84

/// Earth-fixed coordinates at a time `later_s` after the reflection, in the frame frozen at the reflection.
Vec3 frozen(const Vec3 &p, double later_s)
{
    const double a = earth_rate_rad_per_s * later_s, c = std::cos(a), s = std::sin(a);
    return {c * p.x - s * p.y, s * p.x + c * p.y, p.z};
}

/// d/d(later_s) of frozen p.
Vec3 turning(const Vec3 &p) { return {-earth_rate_rad_per_s * p.y, earth_rate_rad_per_s * p.x, 0}; }

}  // namespace

template <int n>
void set_track(PulseTracks<n> &tracks, int i, const Orbit &orbit, const Vec3 &azimuth_axis, double sent_s)
{
    const auto put = [i](double(&to)[3][n], const Vec3 &v) {
        to[0][i] = v.x;
        to[1][i] = v.y;
        to[2][i] = v.z;
    };
    const double way = tracks.typical_s, received_s = sent_s + 2 * way;
    const Vec3 send = frozen(orbit.position_m(sent_s), -way), receive = frozen(orbit.position_m(received_s), way);
    put(tracks.send, send);
    put(tracks.send_turn, -1.0 * turning(send));
    put(tracks.send_velocity, frozen(orbit.velocity_m_per_s(sent_s), -way));
    put(tracks.receive, receive);
    put(tracks.receive_turn, turning(receive));
    put(tracks.receive_velocity, frozen(orbit.velocity_m_per_s(received_s), way));
    const double h = 0.05;  // (s) the velocity is smooth over many seconds
    put(tracks.receive_acceleration,
        frozen((0.5 / h) * (orbit.velocity_m_per_s(received_s + h) - orbit.velocity_m_per_s(received_s - h)), way));
    put(tracks.azimuth_axis, azimuth_axis);
}

template void set_track(PulseTracks<1> &, int, const Orbit &, const Vec3 &, double);
template void set_track(PulseTracks<pulse_group> &, int, const Orbit &, const Vec3 &, double);

}  // namespace sidelook
