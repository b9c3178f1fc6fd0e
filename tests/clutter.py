"""Clutter made without the simulator: correlated gamma texture times correlated speckle, and the metadata of an image."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import fft, special


def metadata_of(lines: int, samples: int, *, looks: float = 1.0, spacing: tuple[float, float] = (4.0, 5.0)) -> dict[str, Any]:
    """Of an image with constant spacings (m), resolutions of 1.45 and 1.2 pixels, no acquisition and no orbit."""
    return {
        "schema": "sidelook-intensity-1",
        "quantity": "sigma0",
        "looks": [1, 1],
        "lines": lines,
        "samples": samples,
        "first_line_time_s": 10.0,
        "line_spacing_s": spacing[0] / 6800,
        "first_sample_slant_range_m": 850e3,
        "sample_spacing_m": 0.6 * spacing[1],
        "azimuth_spacing_m": [[0, spacing[0]], [samples - 1, spacing[0]]],
        "ground_range_spacing_m": [[0, spacing[1]]],
        "resolution_azimuth_m": [[0, 1.45 * spacing[0]]],
        "resolution_ground_range_m": [[0, 1.2 * spacing[1]]],
        "equivalent_number_of_looks": looks,
        "nesz": None,
        "valid_region": None,
        "source": None,
    }


def speckle(shape: tuple[int, int], rng: np.random.Generator, oversampling: tuple[float, float] = (1.45, 1.2)) -> np.ndarray:
    """Complex Gaussian, unit power, its spectrum a Hamming-weighted band: neighbouring pixels are correlated as in an image."""
    f0, f1 = fft.fftfreq(shape[0])[:, None], fft.fftfreq(shape[1])[None, :]

    def band(f: np.ndarray, over: float) -> np.ndarray:
        x = np.abs(f) * 2 * over
        return np.where(x < 1, 0.75 + 0.25 * np.cos(np.pi * x), 0)

    weight = band(f0, oversampling[0]) * band(f1, oversampling[1])
    white = rng.standard_normal((*shape, 2), np.float32).view(np.complex64)[..., 0]
    field = fft.ifft2(fft.fft2(white) * weight.astype(np.float32))
    return field / np.float32(np.sqrt(2 * np.mean(weight**2)))


def texture(shape: tuple[int, int], order: float, correlation: tuple[float, float], rng: np.random.Generator) -> np.ndarray:
    """Gamma-distributed, mean 1: quantiles of a normal field with correlation exp(-d^2 / correlation^2) (pixels)."""
    f0, f1 = fft.fftfreq(shape[0])[:, None], fft.rfftfreq(shape[1])[None, :]
    weight = np.exp(-0.5 * np.pi**2 * ((f0 * correlation[0]) ** 2 + (f1 * correlation[1]) ** 2))
    field = fft.irfft2(fft.rfft2(rng.standard_normal(shape)) * weight, s=shape)
    field /= field.std()
    grid = np.linspace(-6, 6, 4001)
    return np.interp(field, grid, special.gammaincinv(order, special.ndtr(grid)) / order)


def clutter_image(
    shape: tuple[int, int], *, order: float, correlation: tuple[float, float] = (20.0, 20.0), looks: int = 1, seed: int = 0
) -> tuple[np.ndarray, dict[str, Any]]:
    """K-distributed intensity of mean 1, float32, with `looks` independent looks; order inf: gamma-distributed."""
    rng = np.random.default_rng(seed)
    power = np.zeros(shape, np.float32)
    for _ in range(looks):
        s = speckle(shape, rng)
        power += (s.real**2 + s.imag**2) / looks
    if np.isfinite(order):
        power *= texture(shape, order, correlation, rng).astype(np.float32)
    return power, metadata_of(*shape, looks=looks)
