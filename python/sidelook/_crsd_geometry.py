"""Geometry that a CRSD's metadata needs: where the antenna was at every pulse, where the scene lies.

All of it in double precision, for a handful of points; no pixel passes through here.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from sidelook.acquisition import AntennaFrame, StateVector
from sidelook.errors import BadInput

Array = npt.NDArray[np.float64]

_A = 6378137.0  # WGS84 semi-major axis (m)
_E2 = 6.69437999014e-3  # WGS84 first eccentricity squared
_GM = 3.986004418e14  # (m^3/s^2), WGS84
_J2 = 1.08262982e-3  # of the EGM96/WGS84 field
_OMEGA = 7.292115e-5  # Earth's rotation (rad/s), WGS84


def unit(vector: Array) -> Array:
    """Vectors (..., 3) divided by their length."""
    result: Array = vector / np.linalg.norm(vector, axis=-1, keepdims=True)
    return result


def interpolate_orbit(orbit: Sequence[StateVector], time_s: Array) -> tuple[Array, Array]:
    """Positions (n, 3) in m and velocities (n, 3) in m/s at `time_s` (n,), ECEF.

    Hermite interpolation of degree 7 through position and velocity of the four nearest state vectors, as
    sidelook::Orbit does it; Newton's divided differences with every node taken twice.
    """
    position = np.empty((len(time_s), 3))
    velocity = np.empty((len(time_s), 3))
    times = [state.time_s for state in orbit]
    pieces = np.array([min(max(bisect.bisect_right(times, t) - 2, 0), len(times) - 4) for t in time_s])
    for first in np.unique(pieces):
        chosen = pieces == first
        states = orbit[first : first + 4]
        origin = states[0].time_s
        node = np.repeat([s.time_s - origin for s in states], 2)
        table = np.repeat([s.position_m for s in states], 2, axis=0)
        coefficient = [table[0]]
        for order in range(1, 8):
            step = (node[order:] - node[:-order])[:, None]
            difference = table[1:] - table[:-1]
            if order == 1:  # between a node and itself the difference is the derivative
                derivative = np.repeat([s.velocity_m_per_s for s in states], 2, axis=0)[:-1]
                same = step == 0
                table = np.where(same, derivative, difference / np.where(same, 1.0, step))
            else:
                table = difference / step
            coefficient.append(table[0])
        x = (time_s[chosen] - origin)[:, None]
        value, slope = np.zeros((len(x), 3)), np.zeros((len(x), 3))
        for order in range(7, -1, -1):  # Horner's rule for the value and its derivative
            slope = slope * (x - node[order]) + value
            value = value * (x - node[order]) + coefficient[order]
        position[chosen], velocity[chosen] = value, slope
    return position, velocity


def extend_orbit(states: list[StateVector], margin_s: float, step_s: float) -> list[StateVector]:
    """The state vectors continued by `margin_s` before and after, every `step_s`, by the laws of motion.

    A CRSD tells positions only while pulses fly, but the closest approach of a squinted scene lies seconds away.
    Free fall in the Earth's field with its oblateness (J2), in the rotating frame; what is left out is below
    1e-4 m/s^2, 5 mm after 10 s.
    """
    before = _propagate(states[0], -step_s, math.ceil(margin_s / step_s))
    return [*reversed(before), *states, *_propagate(states[-1], step_s, math.ceil(margin_s / step_s))]


def _propagate(start: StateVector, step_s: float, steps: int) -> list[StateVector]:
    y = np.array([*start.position_m, *start.velocity_m_per_s])
    result = []
    for index in range(1, steps + 1):  # the classical Runge-Kutta method: error below 1e-6 m at steps of 1 s
        k1 = _motion(y)
        k2 = _motion(y + step_s / 2 * k1)
        k3 = _motion(y + step_s / 2 * k2)
        k4 = _motion(y + step_s * k3)
        y = y + step_s / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        result.append(state_vector(start.time_s + index * step_s, y[:3], y[3:]))
    return result


def _motion(y: Array) -> Array:
    """Time derivative of (position, velocity) in the rotating frame; gravity to J2 (Montenbruck & Gill, chapter 3)."""
    p, v = y[:3], y[3:]
    r = float(np.linalg.norm(p))
    z2 = (p[2] / r) ** 2
    oblate = 1.5 * _J2 * (_A / r) ** 2
    gravity = -_GM / r**3 * p * (1 + oblate * (np.array([1.0, 1.0, 3.0]) - 5 * z2))
    spin = np.array([0.0, 0.0, _OMEGA])
    return np.concatenate([v, gravity - 2 * np.cross(spin, v) - np.cross(spin, np.cross(spin, p))])


def state_vector(time_s: float, position_m: Array, velocity_m_per_s: Array) -> StateVector:
    """A `StateVector` of plain floats."""
    p, v = position_m.tolist(), velocity_m_per_s.tolist()
    return StateVector(float(time_s), (p[0], p[1], p[2]), (v[0], v[1], v[2]))


def antenna_axes(frames: Sequence[AntennaFrame], time_s: Array) -> tuple[Array, Array]:
    """Azimuth axis and boresight (n, 3) at `time_s`: linear between the frames, normalised, made perpendicular."""
    times = [f.time_s for f in frames]

    def between(vectors: Array) -> Array:
        return unit(np.stack([np.interp(time_s, times, vectors[:, axis]) for axis in range(3)], axis=-1))

    azimuth = between(np.array([f.azimuth_axis for f in frames]))
    boresight = between(np.array([f.boresight for f in frames]))
    along = np.sum(azimuth * boresight, axis=-1, keepdims=True)
    return azimuth, unit(boresight - along * azimuth)


def ground_point(
    position_m: Array, velocity_m_per_s: Array, slant_range_m: float, height_m: float, look: int, squint_sine: float
) -> Array | None:
    """The point (3,) at a slant range, `height_m` above WGS84, with the given sine of squint to the velocity.

    Bisection over the look angle from nadir to the horizontal. None if the range is shorter than the altitude.
    """
    along = unit(velocity_m_per_s)
    up = unit(position_m - np.dot(position_m, along) * along)
    side = look * np.cross(along, up)  # +1: right of the flight direction
    across = math.sqrt(1 - squint_sine**2)

    def point(angle: float) -> Array:
        direction: Array = squint_sine * along + across * (math.sin(angle) * side - math.cos(angle) * up)
        return position_m + slant_range_m * direction

    low, high = 0.0, math.pi / 2
    if geodetic(point(low))[2] > height_m:
        return None
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if geodetic(point(middle))[2] > height_m else (middle, high)
    return point((low + high) / 2)


def geodetic(position_m: Array) -> Array:
    """Latitude (deg), longitude (deg), height (m) above WGS84 of a point (3,); Bowring's iteration."""
    x, y, z = position_m.tolist()
    p = math.hypot(x, y)
    latitude = math.atan2(z, p * (1 - _E2))
    for _ in range(6):
        n = _A / math.sqrt(1 - _E2 * math.sin(latitude) ** 2)
        latitude = math.atan2(z + _E2 * n * math.sin(latitude), p)
    n = _A / math.sqrt(1 - _E2 * math.sin(latitude) ** 2)
    # this form of the height is good at the poles too
    height = p * math.cos(latitude) + z * math.sin(latitude) - _A**2 / n
    return np.array([math.degrees(latitude), math.degrees(math.atan2(y, x)), height])


def vertical(latitude_deg: float, longitude_deg: float) -> Array:
    """Unit vector (3,) upwards, normal to the ellipsoid."""
    lat, lon = math.radians(latitude_deg), math.radians(longitude_deg)
    return np.array([math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat)])


def half_power_sine(cut: Array, sine: Array) -> float:
    """Where a one-way gain cut (dB, 0 at its centre) falls to -3.01 dB, as a direction cosine; 0 if it never does."""
    level = -10 * math.log10(2)
    centre = int(np.argmin(np.abs(sine)))
    for j in range(centre + 1, len(cut)):
        if cut[j] < level:
            # a main lobe in dB is nearly a parabola: linear in the square of the direction cosine
            inner, outer = float(sine[j - 1]) ** 2, float(sine[j]) ** 2
            return math.sqrt(inner + (outer - inner) * (level - cut[j - 1]) / (cut[j] - cut[j - 1]))
    return 0.0


def refuse_unreached(slant_range_m: float, height_m: float) -> BadInput:
    """The sentence for a swath that lies above the ground."""
    return BadInput(f"slant range of the middle sample is {slant_range_m:.3f} m; must reach the ground, {height_m:g} m above WGS84")
