"""What the tests of focusing share: scenes of points whose places are geometry, the ideal response, the command line."""

from __future__ import annotations

import functools
import os
import pathlib
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from oracle import ideal, orbit
from sidelook import _native, simulate
from sidelook.acquisition import Acquisition
from sidelook.measure import PointTarget, measure_point

LIGHT = 299792458.0  # (m/s)
WINDOWS = {
    "rectangular": ideal.WINDOWS["rectangular"],
    "hamming 0.75": ideal.WINDOWS["hamming_0.75"],
    "kaiser 2.5": ideal.WINDOWS["kaiser_2.5"],
    "taylor 35": ideal.WINDOWS["taylor_35_4"],
}


# ---- scenes ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Points:
    """Echoes of unit point targets at known zero-Doppler times (s) and slant ranges (m)."""

    acquisition: Acquisition
    platform: Any
    echoes: np.ndarray
    places: tuple[tuple[float, float], ...]


def instrument(name: str, squint_deg: float = 0.0, **platform: Any) -> Any:
    """A preset sensor; `platform` replaces fields of its platform."""
    preset = simulate.sensor(name, squint_deg=squint_deg)
    changed = preset.platform
    for key, value in platform.items():
        setattr(changed, key, value)
    preset.platform = changed
    return preset


def layout(acquisition: Any, pixels: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Zero-Doppler times and slant ranges of pixels (line counted from the sample's first valid line, sample)."""
    probe = Acquisition.from_native(acquisition).native()
    probe.doppler_centroid_hz = _native.doppler_from_attitude(acquisition)
    probe.doppler_drift_hz_per_s = _native.doppler_drift_from_attitude(acquisition)
    grid = _native.FocusPlan(probe, _native.FocusOptions()).grid
    places = []
    for line, sample in pixels:
        i = line + grid.valid_first_line[round(sample)]
        assert i < grid.valid_end_line[round(sample)], (line, sample, grid.lines, grid.samples)
        places.append((grid.first_line_time_s + i * grid.line_spacing_s, grid.first_slant_range_m + sample * grid.sample_spacing_m))
    return places


@functools.lru_cache(maxsize=4)
def point_scene(
    name: str, squint_deg: float, pulses: int, samples: int, pixels: tuple[tuple[float, float], ...], look_left: bool = False
) -> Points:
    """Exact echoes of unit targets at `pixels`, see `layout`."""
    more = {"look_side": _native.LookSide.left} if look_left else {}
    radar = instrument(name, squint_deg, **more)
    native = simulate.acquire(radar, pulses, samples)
    places = layout(native, pixels)
    positions = [simulate.place(radar.platform, *place) for place in places]
    return Points(Acquisition.from_native(native), radar.platform, simulate.exact(native, radar.platform, positions), tuple(places))


def noise(shape: tuple[int, int], sigma: float, seed: int) -> np.ndarray:
    """White complex Gaussian noise, E|n|^2 = sigma^2, complex64."""
    parts = np.random.default_rng(seed).standard_normal((*shape, 2), dtype=np.float32)
    return np.asarray(parts.view(np.complex64)[..., 0] * np.float32(sigma / np.sqrt(2)))


# ---- the image ---------------------------------------------------------------------------------------------------


def at(table: Sequence[Sequence[float]], sample: float) -> float:
    """A slowly changing quantity of the metadata at a sample."""
    return float(np.interp(sample, *np.array(table, float).T[:2]))


def pixel(metadata: dict[str, Any], place: tuple[float, float]) -> tuple[float, float]:
    """Line and sample of a zero-Doppler time and slant range."""
    line = (place[0] - metadata["first_line_time_s"]) / metadata["line_spacing_s"]
    return line, (place[1] - metadata["first_sample_slant_range_m"]) / metadata["sample_spacing_m"]


def spectrum_centre(metadata: dict[str, Any], sample: float) -> tuple[float, float]:
    """Cycles per line and per sample, absolute."""
    doppler = at(metadata["doppler_centroid_hz"], sample) * metadata["line_spacing_s"]
    return doppler, at(metadata["range_spectrum_centre_cycles_per_sample"], sample)


def measured(image: np.ndarray, metadata: dict[str, Any], place: tuple[float, float], **options: Any) -> PointTarget:
    """Point-target analysis at a known place with the spectrum's centre from the metadata."""
    line, sample = pixel(metadata, place)
    options.setdefault("half_size", 40)
    half = options["half_size"] + 12
    top, left = max(0, round(line) - half), max(0, round(sample) - half)
    patch = np.ascontiguousarray(image[top : top + 2 * half, left : left + 2 * half])
    return measure_point(
        patch, line, sample, spectrum_centre=spectrum_centre(metadata, sample), measure_spectrum_centre=False,
        first_sample=(top, left), **options,
    )  # fmt: skip


def phase_at_place(point: PointTarget, metadata: dict[str, Any], slant_range_m: float) -> complex:
    """Unit phasor of the value at the true place, without the range's -4 pi R / lambda."""
    turned = point.at_expected * np.exp(4j * np.pi * np.fmod(slant_range_m * metadata["carrier_hz"] / LIGHT, 0.5))
    return complex(turned / abs(turned))


# ---- the ideal ---------------------------------------------------------------------------------------------------


@functools.cache
def edged(name: str, band: float, edge: float) -> Callable[[np.ndarray], np.ndarray]:
    """The window `name` over `band` with raised-cosine ends `edge` wide, over -1/2..1/2 of band + edge."""

    def window(x: np.ndarray) -> np.ndarray:
        f = x * (band + edge)
        roll = np.clip((np.abs(f) - band / 2) / edge, -0.5, 0.5)
        return np.asarray(WINDOWS[name](f / band) * (0.5 - 0.5 * np.sin(np.pi * roll)))

    return window


class Support:
    """The 2-D spectral support of a point's image with its weights, from the orbit and the exact delay (oracle.orbit).

    The echo component at Doppler f and baseband frequency F left the antenna at the frequency f0 + F - f; received
    with the delay d(t) it has the phase -2 pi (nu d(t) + f t), nu = f0 + F - f, at the time t that makes it stationary.
    Its change with the target's slant range, beyond that of the image's phase convention, is its range wavenumber.
    """

    def __init__(self, metadata: dict[str, Any], acquisition: Acquisition, place: tuple[float, float], points: int = 128) -> None:
        path = orbit.Orbit(acquisition.orbit)
        time_s, range_m = place
        sample = pixel(metadata, place)[1]
        f0, bands = acquisition.carrier_hz, {}
        for axis in ("doppler", "range"):
            bands[axis] = (metadata[f"processed_{axis}_bandwidth_hz"], metadata[f"{axis}_band_edge_hz"])
        x = (np.arange(points) + 0.5) / points - 0.5
        doppler = at(metadata["doppler_centroid_hz"], sample) + sum(bands["doppler"]) * x
        self.row = doppler * metadata["line_spacing_s"]  # (cycles per line) of every Doppler
        knots = np.linspace(-0.5, 0.5, 3)  # of curves that a quadratic holds to 1e-4 cycles a sample
        step, cycles = 40.0, {}
        for side in (-1, 1):
            target = orbit.place(
                path, np.array([time_s]), np.array([range_m + side * step]), acquisition.terrain_height_m, acquisition.look_side == "right"
            )[0]
            for f in knots:
                for g in knots:
                    fd = doppler.mean() + sum(bands["doppler"]) * f
                    nu = f0 + sum(bands["range"]) * g - fd
                    cycles[side, f, g] = self._stationary(path, target, time_s, nu, fd)
        slope = np.array([[(cycles[1, f, g] - cycles[-1, f, g]) / (2 * step) for g in knots] for f in knots]) - 2 * f0 / LIGHT
        polynomial = np.linalg.inv(np.vander(knots, increasing=True))
        grid = np.vander(x, len(knots), increasing=True) @ polynomial
        self.col = grid @ slope @ grid.T * metadata["sample_spacing_m"]  # (cycles per sample) of (Doppler, F)
        azimuth, across = edged(metadata["azimuth_window"], *bands["doppler"]), edged(metadata["range_window"], *bands["range"])
        self.weight = azimuth(x)[:, None] * across(x)[None, :]
        self.weight /= self.weight.sum()

    @staticmethod
    def _stationary(path: orbit.Orbit, target: np.ndarray, near_s: float, nu: float, doppler: float) -> float:
        t, h = near_s, 1e-2
        for _ in range(12):
            rate = orbit.two_way(path, target, np.array([t - h, t, t + h]))[1]
            move = float((nu * rate[1] + doppler) / (nu * (rate[2] - rate[0]) / (2 * h)))
            t -= move
            if abs(move) < 1e-9:
                break
        return float(nu * orbit.two_way(path, target, np.array([t]))[0][0] + doppler * (t - near_s))

    def image(self, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
        """Response at offsets rows x cols (samples) from the target, 1 at (0, 0): plain sums over the support."""
        out = np.empty((len(rows), len(cols)), np.complex128)
        turn = np.exp(2j * np.pi * np.outer(rows, self.row))
        for k, c in enumerate(cols):
            out[:, k] = turn @ (self.weight * np.exp(2j * np.pi * self.col * c)).sum(axis=1)
        return out


def db(ratio: float) -> float:
    return float(10 * np.log10(max(ratio, 1e-300)))


def rms(values: np.ndarray) -> float:
    """Over what is finite."""
    return float(np.sqrt(np.nanmean(np.abs(values) ** 2, dtype=np.float64)))


# ---- the command line --------------------------------------------------------------------------------------------


def environment() -> dict[str, str]:
    """In which a new process finds the same package."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}


def start(*arguments: Any) -> subprocess.Popen[str]:
    """`sidelook ARGUMENTS`, running; SIGINT reaches it even if these tests are run in the background, where shells ignore it."""
    return subprocess.Popen(
        [sys.executable, "-m", "sidelook.cli", *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=environment(), preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip


def run(*arguments: Any, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    """`sidelook ARGUMENTS` in a fresh process."""
    return subprocess.run(
        [sys.executable, "-m", "sidelook.cli", *map(str, arguments)], capture_output=True, text=True, timeout=timeout, env=environment()
    )


def write_scene(folder: pathlib.Path, echoes: np.ndarray, acquisition: Acquisition, name: str = "scene") -> pathlib.Path:
    """echoes.npy with its acquisition beside it."""
    path = folder / f"{name}.npy"
    np.save(path, echoes)
    acquisition.to_json(path.with_suffix(".json"))
    return path


def only_files(folder: pathlib.Path) -> set[str]:
    """Everything in a folder, hidden files too."""
    return {p.name for p in folder.iterdir()}
