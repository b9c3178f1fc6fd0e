"""Stripmap echoes of a Sentinel-1 Level-0 product as what focusing reads: an acquisition and one line a pulse."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from sidelook._crsd_geometry import extend_orbit, state_vector
from sidelook._echoes import Source
from sidelook.acquisition import Acquisition, Antenna
from sidelook.errors import BadInput
from sidelook.sentinel1 import Channel, Group, Product, gps_to_utc

CARRIER_HZ = 5.40500045433435e9  # radarFrequency of products' annotations
ANTENNA_LENGTH_M = 12.3  # along the track
ORBIT_MARGIN_S = 15.0  # of free fall before and after the states that the packets tell
LEAST_SHARE = 0.5  # of the pulses must have an echo line; of a TOPS swath some third has


class StripmapEchoes(Source):
    """One line a pulse repetition interval; NaN where there is no echo: noise and calibration lines, damage.

    ``damaged`` lists the pulses known to have none; those whose samples do not decode read as NaN too.
    """

    def __init__(self, product: Product, channel: Channel) -> None:
        groups = sorted(channel.echoes, key=lambda g: -len(g.packets))
        if not groups:
            raise BadInput(f"{channel.path.name} has no echoes; must have some, to be focused")
        self._product, self._group = product, groups[0]
        offset, first_gps_s = _clock(self._group)
        count = self._group.packets["pri_count"].astype(np.int64)
        good = np.abs(count - offset - np.rint((self._group.packets["time_gps_s"] - first_gps_s) / self._group.pri_s)) <= 1
        good &= np.concatenate([[True], count[1:] > np.maximum.accumulate(np.where(good, count, -1))[:-1]])
        lines = np.flatnonzero(good)
        if not len(lines):
            raise BadInput(f"{self._group.name} has times that contradict its PRI counts and PRI, {self._group.pri_s:g} s")
        pulse = count[lines] - count[lines[0]]
        pulses = int(pulse[-1]) + 1
        if len(lines) < LEAST_SHARE * pulses:
            raise BadInput(
                f"{self._group.name} has {len(lines)} echoes of swath {self._group.swath} in {pulses} pulses; only stripmap, with an echo "
                "from nearly every pulse, can be focused"
            )
        self._lines = np.full(pulses, -1, np.int64)  # of the group, by pulse
        self._lines[pulse] = lines
        self.damaged = np.flatnonzero(self._lines < 0).tolist()
        self.acquisition = _acquisition(channel, self._group, first_gps_s + (count[lines[0]] - offset) * self._group.pri_s, pulses)
        self.acquisition.native()

    @property
    def dtype(self) -> np.dtype[Any]:
        """As it is read: complex64."""
        return np.dtype(np.complex64)

    def close(self) -> None:
        """Closes the product."""
        self._product.close()

    def read(self, first_pulse: int, pulses: int) -> npt.NDArray[np.complex64]:
        """Pulses `first_pulse` to `first_pulse + pulses` as complex64 (pulses, samples), a new array."""
        self._check_window(first_pulse, pulses)
        wanted = self._lines[first_pulse : first_pulse + pulses]
        there = wanted >= 0
        if not there.any():
            return np.full((pulses, self.shape[1]), np.nan, np.complex64)
        first, last = int(wanted[there][0]), int(wanted[there][-1])
        block = self._group.read(first, last + 1 - first)
        if there.all() and len(block) == pulses:
            return block
        result = np.full((pulses, self.shape[1]), np.nan, np.complex64)
        result[there] = block[wanted[there] - first]
        return result


def _clock(group: Group) -> tuple[int, float]:
    """A PRI count and the GPS time it belongs to: the middle of what all packets say, so that a damaged header does not count.

    Their times are rounded down to 15 us, to which a half is added; the median over many of them is much closer.
    """
    count, time = group.packets["pri_count"].astype(np.int64), group.packets["time_gps_s"]
    middle = len(count) // 2
    at_first = time - time[middle] - (count - count[middle]) * group.pri_s
    return int(count[middle]), float(time[middle] + np.median(at_first))


def _acquisition(channel: Channel, group: Group, window_gps_s: float, pulses: int) -> Acquisition:
    """`window_gps_s`: datation of the first line, taken as the start of the interval in which its window lies."""
    head = group.packets[len(group.packets) // 2]
    length_s, rate = float(head["tx_pulse_length_s"]), float(head["tx_ramp_rate_hz_per_s"])
    # Pulses are sent at the start of an interval, `rank` of them before the window.
    centre_gps_s = window_gps_s - int(head["rank"]) * group.pri_s + length_s / 2
    epoch_gps_s = float(np.floor(centre_gps_s))
    states = [state_vector(s[0] - epoch_gps_s, s[1:4], s[4:7]) for s in channel.orbit]
    if len(states) > 0:
        states = extend_orbit(states, ORBIT_MARGIN_S, 1.0)
    return Acquisition(
        sensor="Sentinel-1",
        epoch_utc=gps_to_utc(epoch_gps_s).isoformat() + "Z",
        carrier_hz=CARRIER_HZ,
        prf_hz=1 / group.pri_s,
        first_pulse_time_s=centre_gps_s - epoch_gps_s,
        pulses=pulses,
        samples=group.shape[1],
        sample_rate_hz=group.sample_rate_hz,
        first_sample_delay_s=group.first_sample_delay_s - length_s / 2,
        chirp_rate_hz_per_s=rate,
        chirp_duration_s=length_s,
        look_side="right",
        orbit=tuple(states),
        antenna=Antenna(azimuth_length_m=ANTENNA_LENGTH_M),
    )
