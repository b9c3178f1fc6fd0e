"""Intensity images from focused ones, with the metadata that detection reads: multilook by numpy, spacings by geometry."""

from __future__ import annotations

from typing import Any

import numpy as np
from sidelook import _native
from sidelook.acquisition import Acquisition
from sidelook.focusing import window

LIGHT = 299792458.0  # (m/s)


def half_power_width(name: str) -> float:
    """Width of the response to a unit band with this spectral window."""
    shape = window(name)
    f = np.linspace(-0.5, 0.5, 401)
    weight = np.array([shape(2 * v) for v in f])
    t = np.linspace(0, 2, 2001)
    response = np.abs(np.cos(2 * np.pi * np.outer(t, f)) @ weight) ** 2
    return float(2 * t[np.argmax(response < 0.5 * response[0])])


def intensity_image(slc: Any, looks: tuple[int, int] = (1, 1), gain: float = 1.0) -> tuple[np.ndarray, dict[str, Any]]:
    """(lines, samples) float32 of `gain` times |x|^2, means over looks (azimuth, range), and metadata sidelook-intensity-1."""
    m = slc.metadata
    a, r = looks
    lines, samples = m["lines"] // a, m["samples"] // r
    power = slc.image.real**2 + slc.image.imag**2
    power = power[: lines * a, : samples * r].reshape(lines, a, samples, r).mean((1, 3)) * np.float32(gain)
    acquisition = Acquisition.from_json(m["acquisition"])
    native = acquisition.native()
    orbit = _native.Orbit(native.orbit)
    edge = sorted({round(i * (samples - 1) / 16) for i in range(17)})
    columns = np.array(edge, float) * r + 0.5 * (r - 1)
    row = 0.5 * (m["lines"] - 1)

    def ground(line: float, sample: np.ndarray) -> np.ndarray:
        time_s = np.full(sample.shape, m["first_line_time_s"] + line * m["line_spacing_s"])
        range_m = m["first_sample_slant_range_m"] + sample * m["sample_spacing_m"]
        places = orbit.radar_to_geodetic(time_s, range_m, np.full(sample.shape, native.terrain_height_m), native.look_side)
        return np.array([_native.geodetic_to_ecef(*p) for p in places.tolist()])

    azimuth = np.linalg.norm(ground(row + 0.5, columns) - ground(row - 0.5, columns), axis=1)
    across = np.linalg.norm(ground(row, columns + 0.5) - ground(row, columns - 0.5), axis=1)
    width = [
        half_power_width(m["azimuth_window"]) / m["processed_doppler_bandwidth_hz"] / m["line_spacing_s"],
        half_power_width(m["range_window"]) * LIGHT / 2 / m["processed_range_bandwidth_hz"] / m["sample_spacing_m"],
    ]  # samples of the single-look image
    wide = [w if n == 1 else float(np.hypot(w, 0.9 * n)) for w, n in zip(width, looks, strict=True)]
    # looks that overlap: pixels over the cells they share
    independent = max(1.0, a / max(1.0, width[0])) * max(1.0, r / max(1.0, width[1])) if a * r > 1 else 1.0

    def table(values: np.ndarray) -> list[list[float]]:
        return [[float(j), float(v)] for j, v in zip(edge, values, strict=True)]

    return np.ascontiguousarray(power, np.float32), {
        "schema": "sidelook-intensity-1",
        "quantity": "intensity",
        "looks": [a, r],
        "lines": lines,
        "samples": samples,
        "first_line_time_s": m["first_line_time_s"] + 0.5 * (a - 1) * m["line_spacing_s"],
        "line_spacing_s": a * m["line_spacing_s"],
        "first_sample_slant_range_m": m["first_sample_slant_range_m"] + 0.5 * (r - 1) * m["sample_spacing_m"],
        "sample_spacing_m": r * m["sample_spacing_m"],
        "azimuth_spacing_m": table(azimuth * a),
        "ground_range_spacing_m": table(across * r),
        "resolution_azimuth_m": table(azimuth * wide[0]),
        "resolution_ground_range_m": table(across * wide[1]),
        "equivalent_number_of_looks": independent,
        "nesz": None,
        "valid_region": None,
        "source": m,
    }
