"""Echoes of point targets from the definitions alone, to check the backprojection by: no stop-and-go, no fast path.

Sample j of line k is received at t = t_k + first_sample_delay + j / sample_rate and holds
    sum over targets of a p(t - d(t) - t_k) exp(-j 2 pi f0 d(t)),   p(u) = exp(j pi K u^2), |u| <= T/2,
with d(t) solved for every sample (oracle.orbit.two_way).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .orbit import Array, Orbit, two_way


def simulate(
    acquisition: Any,
    points: Array,
    amplitudes: Sequence[complex],
    gain: Callable[[Array], Array] | None = None,
) -> NDArray[np.complex128]:
    """Echoes (pulses, samples) of ECEF `points` (n, 3); `gain` maps the instantaneous Doppler (Hz) to an amplitude."""
    orbit = Orbit(acquisition.orbit)
    out = np.zeros((acquisition.pulses, acquisition.samples), np.complex128)
    delay = acquisition.first_sample_delay_s + np.arange(acquisition.samples) / acquisition.sample_rate_hz
    half = acquisition.chirp_duration_s / 2
    for point, amplitude in zip(np.atleast_2d(points), amplitudes, strict=True):
        for k in range(acquisition.pulses):
            sent = acquisition.first_pulse_time_s + k / acquisition.prf_hz
            rough = float(two_way(orbit, point, np.array([sent + delay[0]]))[0][0])
            near = np.flatnonzero(np.abs(delay - rough) < half * 1.01 + 1e-6)
            if near.size == 0:
                continue
            d, rate = two_way(orbit, point, sent + delay[near])
            u = delay[near] - d
            pulse = np.where(np.abs(u) <= half, np.exp(1j * np.pi * acquisition.chirp_rate_hz_per_s * u**2), 0)
            if gain is not None:
                pulse = pulse * gain(-acquisition.carrier_hz * rate)
            out[k, near] += amplitude * pulse * np.exp(-2j * np.pi * np.remainder(acquisition.carrier_hz * d, 1.0))
    return out
