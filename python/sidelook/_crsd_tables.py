"""Per-pulse and per-vector parameters of a CRSD (NGA.STND.0080) from an acquisition, and the scene they look at.

Conventions. TxTime is the centre of the pulse, as ours. The stored signal's phase, in cycles, is that of the received
wave minus RefPhi0 + RefFreq (t - RcvStart); the transmitted wave has PhiX0 + FxFreq0 (t - TxTime) and the chirp,
FxRate/2 (t - TxTime)^2. So with PhiX0 = 0, RefFreq = FxFreq0 = carrier and RefPhi0 = carrier x first_sample_delay an
echo with delay d has the phase -carrier d, which is ours. Phases are never conjugated: FxRate has our chirp's sign.
ACX is the antenna's azimuth axis, ACZ (= ACX x ACY) its boresight.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from sidelook._crsd_geometry import (
    Array,
    antenna_axes,
    geodetic,
    ground_point,
    interpolate_orbit,
    refuse_unreached,
    unit,
    vertical,
)
from sidelook.acquisition import Acquisition

SPEED_OF_LIGHT = 299792458.0  # (m/s), exact

_INT_FRAC, _XYZ, _EB = np.dtype([("Int", "i8"), ("Frac", "f8")]), np.dtype("3f8"), np.dtype("2f8")
_F8, _I8 = np.dtype("f8"), np.dtype("i8")
PPP_FIELDS = {
    "TxTime": _INT_FRAC, "TxPos": _XYZ, "TxVel": _XYZ, "FX1": _F8, "FX2": _F8, "TXmt": _F8, "PhiX0": _INT_FRAC,
    "FxFreq0": _F8, "FxRate": _F8, "TxRadInt": _F8, "TxACX": _XYZ, "TxACY": _XYZ, "TxEB": _EB, "FxResponseIndex": _I8,
}  # fmt: skip
PVP_FIELDS = {
    "RcvStart": _INT_FRAC, "RcvPos": _XYZ, "RcvVel": _XYZ, "FRCV1": _F8, "FRCV2": _F8, "RefPhi0": _INT_FRAC,
    "RefFreq": _F8, "DFIC0": _F8, "FICRate": _F8, "RcvACX": _XYZ, "RcvACY": _XYZ, "RcvEB": _EB, "SIGNAL": _I8,
    "AmpSF": _F8, "DGRGC": _F8, "TxPulseIndex": _I8,
}  # fmt: skip


def _layout(fields: dict[str, np.dtype[Any]]) -> tuple[dict[str, Any], np.dtype[Any]]:
    """XML entries (offset and size in 8-byte words) and the big-endian record of a parameter table."""
    entries, offset = {}, 0
    for name, dtype in fields.items():
        words = dtype.itemsize // 8
        entries[name] = {"Offset": offset, "Size": words, "dtype": dtype}
        offset += words
    return entries, np.dtype(list(fields.items())).newbyteorder(">")


PPP_XML, PPP_DTYPE = _layout(PPP_FIELDS)
PVP_XML, PVP_DTYPE = _layout(PVP_FIELDS)


@dataclass(frozen=True)
class Scene:
    """The ground under the middle of the acquisition: a plane at the reference point, x along the track, y up x x."""

    point_m: Array  # (3,) ECEF
    geodetic: Array  # (3,) deg, deg, m
    x_axis: Array
    y_axis: Array
    half_length_m: float
    y_limits_m: tuple[float, float]
    ground_speed_m_per_s: float
    dwell_s: float

    def corners_xy(self) -> list[list[float]]:
        """The image area's corners, clockwise seen from above."""
        (y1, y2), x = self.y_limits_m, self.half_length_m
        return [[-x, y1], [-x, y2], [x, y2], [x, y1]]

    def corners_geodetic(self) -> Array:
        """(4, 2) latitude and longitude (deg) of `corners_xy`."""
        return np.array([geodetic(self.point_m + x * self.x_axis + y * self.y_axis)[:2] for x, y in self.corners_xy()])


class Tables:
    """Per-pulse and per-vector parameters of an acquisition, made for any run of pulses at a time."""

    def __init__(self, acquisition: Acquisition) -> None:
        self.acquisition = acquisition
        middle = self.pulse_seconds(acquisition.pulses // 2, 1)
        self.position, self.velocity = (v[0] for v in interpolate_orbit(acquisition.orbit, middle))
        self.scene = self._scene(middle)

    def pulse_seconds(self, first: int, count: int) -> Array:
        """Times of the centres of pulses (s after the epoch)."""
        a = self.acquisition
        return a.first_pulse_time_s + np.arange(first, first + count) / a.prf_hz

    def int_frac(self, first: int, count: int, delay_s: float) -> tuple[Array, Array]:
        """Whole seconds and fractions of the pulse times plus a delay."""
        # whole seconds are split off before the sum, so that the fraction keeps all its digits
        a = self.acquisition
        whole = math.floor(a.first_pulse_time_s)
        fraction = (a.first_pulse_time_s - whole) + np.arange(first, first + count) / a.prf_hz + delay_s
        carry = np.floor(fraction)
        return whole + carry, fraction - carry

    def _axes(self, seconds: Array, position: Array, velocity: Array) -> tuple[Array, Array]:
        frames = self.acquisition.antenna.frames
        if frames:
            azimuth, boresight = antenna_axes(frames, seconds)
        else:  # attitude unknown: along the velocity, looking at the scene
            azimuth = unit(velocity)
            towards = self.scene.point_m - self.position
            boresight = unit(towards - np.sum(azimuth * towards, axis=-1, keepdims=True) * azimuth)
        return azimuth, np.cross(boresight, azimuth)

    def ppp(self, first: int, count: int) -> np.ndarray[Any, Any]:
        """Records of pulses `first` to `first + count`."""
        a = self.acquisition
        table = np.zeros(count, PPP_DTYPE)
        table["TxTime"]["Int"], table["TxTime"]["Frac"] = self.int_frac(first, count, 0.0)
        seconds = self.pulse_seconds(first, count)
        table["TxPos"], table["TxVel"] = position, velocity = interpolate_orbit(a.orbit, seconds)
        table["FX1"], table["FX2"] = band(a)
        table["TXmt"] = a.chirp_duration_s
        table["FxFreq0"] = a.carrier_hz
        table["FxRate"] = a.chirp_rate_hz_per_s
        table["TxACX"], table["TxACY"] = self._axes(seconds, position, velocity)
        return table

    def pvp(self, first: int, amplitude_scale: Array) -> np.ndarray[Any, Any]:
        """Records of the vectors from `first` on, one for every amplitude scale factor."""
        a, count = self.acquisition, len(amplitude_scale)
        table = np.zeros(count, PVP_DTYPE)
        table["RcvStart"]["Int"], table["RcvStart"]["Frac"] = self.int_frac(first, count, a.first_sample_delay_s)
        seconds = self.pulse_seconds(first, count) + a.first_sample_delay_s
        table["RcvPos"], table["RcvVel"] = position, velocity = interpolate_orbit(a.orbit, seconds)
        table["FRCV1"], table["FRCV2"] = band(a)
        cycles = a.carrier_hz * a.first_sample_delay_s
        table["RefPhi0"]["Int"], table["RefPhi0"]["Frac"] = math.floor(cycles), cycles - math.floor(cycles)
        table["RefFreq"] = a.carrier_hz
        table["RcvACX"], table["RcvACY"] = self._axes(seconds, position, velocity)
        table["SIGNAL"] = 1
        table["AmpSF"] = amplitude_scale
        table["TxPulseIndex"] = np.arange(first, first + count)
        return table

    def _scene(self, middle: Array) -> Scene:
        a = self.acquisition
        position, velocity, height = self.position, self.velocity, a.terrain_height_m
        look = 1 if a.look_side == "right" else -1
        sine = 0.0
        if a.antenna.frames:
            sine = float(np.dot(antenna_axes(a.antenna.frames, middle)[1][0], unit(velocity)))
        delays = a.first_sample_delay_s + np.array([0.0, 0.5, 1.0]) * (a.samples - 1) / a.sample_rate_hz
        ranges = (SPEED_OF_LIGHT / 2 * delays).tolist()
        near, point, far = (ground_point(position, velocity, r, height, look, sine) for r in ranges)
        if point is None or far is None:
            raise refuse_unreached(ranges[1], height)
        place = geodetic(point)
        up = vertical(place[0], place[1])
        x_axis = unit(velocity - np.dot(velocity, up) * up)
        y_axis = np.cross(up, x_axis)
        sides = sorted(float(np.dot(p - point, y_axis)) for p in (point if near is None else near, far))
        speed = float(np.linalg.norm(velocity) * np.linalg.norm(point) / np.linalg.norm(position))
        duration = a.pulses / a.prf_hz
        dwell = duration
        if a.antenna.azimuth_length_m > 0:  # the main lobe between its -3.9 dB points
            wavelength = SPEED_OF_LIGHT / a.carrier_hz
            dwell = min(duration, wavelength * ranges[1] / a.antenna.azimuth_length_m / speed)
        limits = (min(sides[0], -1.0), max(sides[1], 1.0))
        return Scene(point, place, x_axis, y_axis, speed * duration / 2, limits, speed, dwell)


def band(a: Acquisition) -> tuple[float, float]:
    """Lowest and highest transmitted frequency (Hz)."""
    half = abs(a.chirp_rate_hz_per_s) * a.chirp_duration_s / 2
    return a.carrier_hz - half, a.carrier_hz + half
