// Where a radar pixel lies on the Earth, and back: the range-Doppler equations on the WGS84 ellipsoid plus a height.
// Frame: Earth-fixed (ECEF). A target P has zero-Doppler time t and slant range R when (P - S(t)) . V(t) = 0 and
// |P - S(t)| = R, S and V being the antenna's position and velocity in that frame (Curlander & McDonough 1991,
// section 8.2).
#pragma once

#include <vector>

#include "sidelook/acquisition.h"

namespace sidelook
{

/// Geodetic coordinates on WGS84 (EPSG:4979).
struct Geodetic {
    double latitude_deg = 0;
    double longitude_deg = 0;
    double height_m = 0;  ///< above the ellipsoid
};

/// Place of a target in a zero-Doppler image.
struct RadarCoordinates {
    double zero_doppler_time_s = 0;  ///< after Acquisition::epoch_utc
    double slant_range_m = 0;
};

Vec3 geodetic_to_ecef(const Geodetic &place);
Geodetic ecef_to_geodetic(const Vec3 &position_m);  ///< Bowring's start, Newton to below 1e-9 m

/// State vectors joined by Hermite interpolation of degree 7 (position and velocity of the four nearest).
class Orbit
{
public:
    /// Throws Error(bad_input) unless there are at least four state vectors in order of time.
    explicit Orbit(std::vector<StateVector> states);

    Vec3 position_m(double time_s) const;
    Vec3 velocity_m_per_s(double time_s) const;  ///< derivative of position_m
    double first_time_s() const { return states_.front().time_s; }
    double last_time_s() const { return states_.back().time_s; }
    const std::vector<StateVector> &states() const { return states_; }

private:
    struct Piece {
        double time_s;        // the nodes are relative to this
        double node[8];       // each time twice
        Vec3 coefficient[8];  // Newton's divided differences
    };
    const Piece &piece(double time_s) const;

    std::vector<StateVector> states_;
    std::vector<Piece> pieces_;
};

/// The point at this zero-Doppler time and slant range, `height_m` above WGS84, on the given side of the track.
/// Throws Error(bad_input) if the range sphere does not meet the surface or the orbit does not cover the time.
Vec3 radar_to_ecef(const Orbit &orbit, const RadarCoordinates &radar, double height_m, LookSide side);

/// Zero-Doppler time and slant range of a point. Throws Error(bad_input) if the closest approach lies outside the
/// orbit.
RadarCoordinates ecef_to_radar(const Orbit &orbit, const Vec3 &position_m);

}  // namespace sidelook
