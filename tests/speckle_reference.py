"""Slow, obvious speckle filters in double precision, straight from their definitions (docs/despeckle.md)."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def neighbours(image: npt.ArrayLike, window: int) -> Array:
    """(window, window, lines, samples): every pixel's window; NaN beyond the image."""
    x, h = np.asarray(image, np.float64), window // 2
    wide = np.pad(x, h, constant_values=np.nan)
    return np.array([[wide[i : i + x.shape[0], j : j + x.shape[1]] for j in range(window)] for i in range(window)])


def moments(image: npt.ArrayLike, window: int) -> tuple[Array, Array]:
    """Mean and variance (N - 1; 0 of a lone value) over the valid pixels of every window; two passes, a window at a time."""
    x, h = np.asarray(image, np.float64), window // 2
    wide = np.pad(x, h, constant_values=np.nan)
    n, total = np.zeros(x.shape), np.zeros(x.shape)
    parts = [(i, j) for i in range(window) for j in range(window)]

    def part(i: int, j: int) -> Array:
        return wide[i : i + x.shape[0], j : j + x.shape[1]]

    for i, j in parts:
        good = ~np.isnan(part(i, j))
        n += good
        total += np.where(good, part(i, j), 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = total / n
        spread = np.zeros(x.shape)
        for i, j in parts:
            spread += np.where(np.isnan(part(i, j)), 0, (part(i, j) - mean) ** 2)
    return mean, spread / np.maximum(n - 1, 1)


def speckle_cu2(kind: str, looks: float) -> float:
    """Squared coefficient of variation of speckle."""
    if kind == "intensity":
        return 1 / looks
    return looks * math.exp(2 * (math.lgamma(looks) - math.lgamma(looks + 0.5))) - 1


def ci2(mean: Array, var: Array) -> Array:
    return np.where(mean > 0, var / np.where(mean > 0, mean, 1) ** 2, 0)


def missing(image: npt.ArrayLike, out: Array) -> Array:
    return np.where(np.isnan(np.asarray(image)), np.nan, out)


def boxcar(image: npt.ArrayLike, window: int) -> Array:
    return missing(image, moments(image, window)[0])


def lee(image: npt.ArrayLike, window: int, cu2: float) -> Array:
    """mean + (1 - Cu^2 / Ci^2) (x - mean)."""
    x = np.asarray(image, np.float64)
    mean, var = moments(image, window)
    c = ci2(mean, var)
    w = np.where(c > cu2, 1 - cu2 / np.where(c > cu2, c, 1), 0)
    return missing(image, mean + w * (x - mean))


def kuan(image: npt.ArrayLike, window: int, cu2: float) -> Array:
    x = np.asarray(image, np.float64)
    mean, var = moments(image, window)
    c = ci2(mean, var)
    w = np.where(c > cu2, (1 - cu2 / np.where(c > cu2, c, 1)) / (1 + cu2), 0)
    return missing(image, mean + w * (x - mean))


def enhanced_lee(image: npt.ArrayLike, window: int, cu2: float, cmax2: float, damping: float) -> Array:
    x = np.asarray(image, np.float64)
    mean, var = moments(image, window)
    c, cu, cmax = np.sqrt(ci2(mean, var)), math.sqrt(cu2), math.sqrt(cmax2)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        q = np.where((c > cu) & (c < cmax), np.exp(-damping * (c - cu) / (cmax - c)), 0)
    out = np.where(c <= cu, mean, np.where(c >= cmax, x, q * mean + (1 - q) * x))
    return missing(image, out)


def gamma_map(image: npt.ArrayLike, window: int, looks: float) -> Array:
    x = np.asarray(image, np.float64)
    mean, var = moments(image, window)
    c2, cu2 = ci2(mean, var), 1 / looks
    with np.errstate(divide="ignore", invalid="ignore"):
        a = (1 + cu2) / (c2 - cu2)
        b = a - looks - 1
        y = (b * mean + np.sqrt(mean**2 * b**2 + 4 * a * looks * mean * x)) / (2 * a)
    return missing(image, np.where(c2 <= cu2, mean, np.where(c2 >= 2 * cu2, x, y)))


def near(c2: Array, *bounds: float, by: float = 1e-5) -> npt.NDArray[np.bool_]:
    """Where a squared coefficient is so near to a bound that rounding may put it on the other side."""
    return np.any([np.abs(c2 / b - 1) < by for b in bounds], axis=0)
