"""Backprojection on one thread, in pixel-pulses per CPU second, and FastSAR's on the same pulses and grid where it is installed.

    python -m pytest bench/test_bench_backproject.py -s

The grid is 512 x 512 points 3 m apart on a plane, the pulses one aperture and what the grid adds. Right against
double-precision sums is shown by tests/test_backproject.py, at -80 dB and less. FastSAR adds every pulse to every pixel,
Sidelook those of the pixel's band: of each the pixel-pulses that it adds are counted.
"""

from __future__ import annotations

import functools
import time
from typing import Any

import numpy as np
import pytest
from sidelook import _native, simulate

PULSES, SAMPLES, SIDE, SPACING_M = 1800, 1100, 512, 3.0
LIGHT = 299792458.0  # (m/s)


@functools.lru_cache(maxsize=1)
def made() -> tuple[Any, np.ndarray, np.ndarray, np.ndarray]:
    """Acquisition, the grid's centre and its axes."""
    instrument = simulate.sensor("c-stripmap")
    a = simulate.acquire(instrument, PULSES, SAMPLES)
    a.doppler_centroid_hz = _native.doppler_from_attitude(a)
    grid = _native.FocusPlan(a, _native.FocusOptions()).grid
    middle = (
        grid.first_line_time_s + grid.lines / 2 * grid.line_spacing_s,
        grid.first_slant_range_m + grid.samples / 2 * grid.sample_spacing_m,
    )

    def place(t: float, r: float) -> np.ndarray:
        return np.asarray(simulate.place(instrument.platform, middle[0] + t, middle[1] + r))

    along, across = place(0.01, 0) - place(-0.01, 0), place(0, 10) - place(0, -10)
    e1 = along / np.linalg.norm(along)
    e2 = across - (across @ e1) * e1
    return a, place(0, 0), e1, e2 / np.linalg.norm(e2)


def cpu_seconds(work: Any, rounds: int = 5) -> float:
    """Median after a first run that is not counted."""
    work()
    times = []
    for _ in range(rounds):
        begin = time.process_time()
        work()
        times.append(time.process_time() - begin)
    return float(np.median(times))


def sidelook_rate() -> float:
    a, centre, e1, e2 = made()
    steps = (np.arange(SIDE) - (SIDE - 1) / 2) * SPACING_M
    points = np.ascontiguousarray(centre + steps[:, None, None] * e1 + steps[None, :, None] * e2)
    options = _native.FocusOptions()
    options.threads, options.minimum_exposure = 1, 0.5
    plan = _native.BackprojectPlan(a, options, points)
    echoes = np.random.default_rng(1).standard_normal((PULSES, 2 * SAMPLES), np.float32).view(np.complex64)

    def run() -> None:
        plan.run(lambda p, n, s, m: np.ascontiguousarray(echoes[p : p + n, s : s + m]), lambda *unused: None, _native.EchoCorrections())

    return float(plan.pixel_pulses / cpu_seconds(run))


def test_backproject() -> None:
    rate = sidelook_rate()
    print(f"sidelook: {rate / 1e9:.3f} G pixel-pulses per CPU second, {_native.instruction_set()}")
    assert rate > 0


def test_beside_fastsar() -> None:
    fastsar = pytest.importorskip("fastsar", reason="the extra `bench` is not installed")
    a, centre, e1, e2 = made()
    sent = a.first_pulse_time_s + np.arange(PULSES) / a.prf_hz
    states = np.array([[s.time_s, s.position_m.x, s.position_m.y, s.position_m.z] for s in a.orbit])
    antenna = np.stack([np.polyval(np.polyfit(states[:, 0] - sent[0], states[:, k], 5), sent - sent[0]) for k in (1, 2, 3)], axis=1)
    band = abs(a.chirp_rate_hz_per_s) * a.chirp_duration_s
    bins = int(band / a.sample_rate_hz * 2048)  # frequencies dense enough for the grid's extent
    step = a.sample_rate_hz / 2048
    former = fastsar.ExactFormer(
        antenna - centre, a.carrier_hz - band / 2, step, bins, SIDE, SIDE, SPACING_M, SPACING_M, e1, e2, backend="cpu"
    )
    spectra = np.random.default_rng(1).standard_normal((PULSES, 2 * bins), np.float32).view(np.complex64)
    theirs = SIDE * SIDE * PULSES / cpu_seconds(lambda: former(spectra), rounds=3)
    ours = sidelook_rate()
    print(f"sidelook {ours / 1e9:.3f}, FastSAR {theirs / 1e9:.3f} G pixel-pulses per CPU second: {ours / theirs:.2f} times")
    assert ours > theirs
