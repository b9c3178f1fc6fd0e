"""Orbit, zero-Doppler geometry and the light's path, in double precision.

Frames: ECEF (WGS84, rotating) for state vectors and targets; light travels in the inertial frame that coincides with
ECEF at the instant named. Times are seconds after the acquisition's epoch; arrays of shape (..., 3) are metres, m/s.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

C = 299792458.0  # (m/s)
EARTH_RATE = 7.2921150e-5  # (rad/s), WGS84
WGS84_A = 6378137.0  # (m)
WGS84_F = 1 / 298.257223563


def rotate(vector: Array, angle: Array | float) -> Array:
    """Rotates (..., 3) vectors about the Earth's axis by `angle` (rad, east positive)."""
    c, s = np.cos(angle), np.sin(angle)
    x, y, z = vector[..., 0], vector[..., 1], vector[..., 2]
    return np.asarray(np.stack(np.broadcast_arrays(c * x - s * y, s * x + c * y, z), axis=-1))


def dot(a: Array, b: Array) -> Array:
    return np.asarray(np.einsum("...i,...i->...", a, b))


def norm(a: Array) -> Array:
    return np.sqrt(dot(a, a))


class Orbit:
    """State vectors joined by the Hermite polynomial of the `nodes` nearest ones (degree 2 nodes - 1).

    `states` is a sequence with time_s, position_m and velocity_m_per_s, the latter two with x, y, z.
    """

    def __init__(self, states: Sequence[Any], nodes: int = 8) -> None:
        def vector(v: Any) -> list[float]:
            return [v.x, v.y, v.z] if hasattr(v, "x") else list(v)

        self.time = np.array([s.time_s for s in states], float)
        self.position_nodes = np.array([vector(s.position_m) for s in states], float)
        self.velocity_nodes = np.array([vector(s.velocity_m_per_s) for s in states], float)
        self.nodes = min(nodes, len(self.time))
        self._pieces: dict[int, tuple[float, float, Array, Array]] = {}

    def _piece(self, first: int) -> tuple[float, float, Array, Array]:
        """Centre, scale, abscissae (each time twice) and divided differences of the nodes first..first+nodes-1."""
        if first not in self._pieces:
            part = slice(first, first + self.nodes)
            centre, scale = self.time[part].mean(), max(np.ptp(self.time[part]) / 2, 1.0)
            x = np.repeat((self.time[part] - centre) / scale, 2)
            table = np.repeat(self.position_nodes[part], 2, axis=0)
            coefficients = [table[0].copy()]
            slopes = self.velocity_nodes[part] * scale
            for order in range(1, len(x)):
                gap = (x[order:] - x[:-order])[:, None]
                if order == 1:
                    same = gap[:, 0] == 0
                    difference = np.diff(table, axis=0) / np.where(gap == 0, 1, gap)
                    difference[same] = slopes
                    table = difference
                else:
                    table = np.diff(table, axis=0) / gap
                coefficients.append(table[0].copy())
            self._pieces[first] = (float(centre), float(scale), x, np.array(coefficients))
        return self._pieces[first]

    def state(self, time: Array | float) -> tuple[Array, Array, Array]:
        """Position, velocity and acceleration in ECEF at `time`, each of shape time.shape + (3,)."""
        t = np.asarray(time, float)
        nearest = np.searchsorted(self.time, t) - self.nodes // 2
        first = np.clip(nearest, 0, len(self.time) - self.nodes)
        out = [np.empty((*t.shape, 3)) for _ in range(3)]
        for k in np.unique(first):
            centre, scale, x, coefficients = self._piece(int(k))
            here = first == k
            u = ((t[here] - centre) / scale)[:, None]
            p = np.zeros((u.shape[0], 3))
            v, a = p.copy(), p.copy()
            for node, coefficient in zip(x[::-1], coefficients[::-1], strict=True):  # Horner with two derivatives
                a = a * (u - node) + 2 * v
                v = v * (u - node) + p
                p = p * (u - node) + coefficient
            for target, value in zip(out, (p, v / scale, a / scale**2), strict=True):
                target[here] = value
        return out[0], out[1], out[2]


def geodetic_to_ecef(latitude: Array, longitude: Array, height: Array) -> Array:
    """WGS84 geodetic (rad, rad, m) to ECEF."""
    e2 = WGS84_F * (2 - WGS84_F)
    n = WGS84_A / np.sqrt(1 - e2 * np.sin(latitude) ** 2)
    return np.stack(
        [
            (n + height) * np.cos(latitude) * np.cos(longitude),
            (n + height) * np.cos(latitude) * np.sin(longitude),
            (n * (1 - e2) + height) * np.sin(latitude),
        ],
        axis=-1,
    )


def geodetic_height(point: Array) -> tuple[Array, Array]:
    """Height above WGS84 (m) and the upward normal of ECEF points, by fixed-point iteration of the latitude."""
    e2 = WGS84_F * (2 - WGS84_F)
    p = np.hypot(point[..., 0], point[..., 1])
    latitude = np.arctan2(point[..., 2], p * (1 - e2))
    for _ in range(8):
        n = WGS84_A / np.sqrt(1 - e2 * np.sin(latitude) ** 2)
        height = p * np.cos(latitude) + point[..., 2] * np.sin(latitude) - WGS84_A**2 / n
        latitude = np.arctan2(point[..., 2], p * (1 - e2 * n / (n + height)))
    longitude = np.arctan2(point[..., 1], point[..., 0])
    up = np.stack([np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)], axis=-1)
    return height, up


def place(orbit: Orbit, zero_doppler_time: Array, slant_range: Array, height: float, look_right: bool) -> Array:
    """ECEF points with (P - S(t)) . V(t) = 0, |P - S(t)| = R, `height` above WGS84; the inputs are broadcast.

    Newton's method on the angle below the horizontal in the plane of zero Doppler.
    """
    t, r = np.broadcast_arrays(np.asarray(zero_doppler_time, float), np.asarray(slant_range, float))
    s, v, _ = orbit.state(t)
    along = v / norm(v)[..., None]
    down = -s + along * dot(s, along)[..., None]
    down /= norm(down)[..., None]
    side = np.cross(down, along)  # right of the track: flying north, down x north = east
    if not look_right:
        side = -side
    # start from the sphere of the local radius
    radius = norm(s) - geodetic_height(s)[0] + height
    look = np.arccos(np.clip((r**2 + dot(s, s) - radius**2) / (2 * r * norm(s)), -1, 1))
    for _ in range(12):
        ray = down * np.cos(look)[..., None] + side * np.sin(look)[..., None]
        turned = side * np.cos(look)[..., None] - down * np.sin(look)[..., None]
        h, up = geodetic_height(s + ray * r[..., None])
        look = look - (h - height) / (r * dot(turned, up))
    return np.asarray(s + (down * np.cos(look)[..., None] + side * np.sin(look)[..., None]) * r[..., None])


def zero_doppler(orbit: Orbit, point: Array, near: float) -> tuple[float, float]:
    """Zero-Doppler time and slant range of one ECEF point, by Newton's method from the time `near`."""
    t = near
    for _ in range(20):
        s, v, a = (x[0] for x in orbit.state(np.array([t])))
        f, slope = dot(point - s, v), dot(point - s, a) - dot(v, v)
        t -= float(f / slope)
    s = orbit.state(np.array([t]))[0][0]
    return t, float(norm(point - s))


def two_way(orbit: Orbit, point: Array, reception: Array, iterations: int = 5) -> tuple[Array, Array]:
    """Delay d (s) and its derivative d' with the reception time, of ECEF points seen at `reception` times.

    The pulse received at t left at t - d, was reflected in between, and went straight at c in the inertial frame. With
    n1 the unit vector from transmitter to target, n2 from target to receiver, and inertial velocities at each instant,
        d(bounce)/dt = (c - n2 . v_r) / (c - n2 . v_p),   d(sent)/dt = d(bounce)/dt (c - n1 . v_p) / (c - n1 . v_t).
    """
    t = np.asarray(reception, float)
    received, received_velocity, _ = orbit.state(t)
    down = norm(point - received) / C
    for _ in range(iterations):  # each is a contraction by v/c: 1e-5 of the last step
        down = norm(rotate(point, -EARTH_RATE * down) - received) / C
    up = down
    bounce = t - down
    for _ in range(iterations):
        sent, sent_velocity, _ = orbit.state(bounce - up)
        up = norm(rotate(point, EARTH_RATE * up) - sent) / C

    # all in the inertial frame that coincides with ECEF at the bounce
    omega = np.array([0.0, 0.0, EARTH_RATE])
    v_p = np.cross(omega, point)
    p_r, p_t = rotate(received, EARTH_RATE * down), rotate(sent, -EARTH_RATE * up)
    v_r = rotate(received_velocity + np.cross(omega, received), EARTH_RATE * down)
    v_t = rotate(sent_velocity + np.cross(omega, sent), -EARTH_RATE * up)
    n1 = (point - p_t) / norm(point - p_t)[..., None]
    n2 = (p_r - point) / norm(p_r - point)[..., None]
    bounce_rate = (C - dot(n2, v_r)) / (C - dot(n2, v_p))
    sent_rate = bounce_rate * (C - dot(n1, v_p)) / (C - dot(n1, v_t))
    return up + down, 1 - sent_rate
