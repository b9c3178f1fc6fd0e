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


def frost(image: npt.ArrayLike, window: int, damping: float, euclidean: bool) -> Array:
    x = np.asarray(image, np.float64)
    c2, n = ci2(*moments(x, window)), neighbours(x, window)
    i, j = np.mgrid[:window, :window] - window // 2
    d = np.hypot(i, j) if euclidean else np.maximum(abs(i), abs(j))
    w = np.exp(-damping * c2 * d[:, :, None, None]) * ~np.isnan(n)
    return missing(image, np.nansum(w * n, (0, 1)) / np.maximum(w.sum((0, 1)), 1e-300))


def median(image: npt.ArrayLike, window: int) -> Array:
    n = neighbours(image, window).astype(np.float32).reshape(window * window, *np.shape(image))
    order = np.sort(n, 0)  # NaN last
    count = (~np.isnan(n)).sum(0)
    low, high = np.maximum(count - 1, 0) // 2, np.minimum(count // 2, window * window - 1)
    low, high = (np.take_along_axis(order, k[None], 0)[0].astype(np.float64) for k in (low, high))
    return missing(image, (low + high) / 2)


def over(values: Array, good: npt.NDArray[np.bool_]) -> tuple[Array, Array, Array]:
    """Count, mean and variance over the first axis where good."""
    n = good.sum(0)
    mean = np.where(good, values, 0).sum(0) / np.maximum(n, 1)
    var = np.where(good, values - mean, 0) ** 2
    return n, mean, var.sum(0) / np.maximum(n - 1, 1)


def mmse(x: Array, mean: Array, var: Array, cu2: Array | float) -> Array:
    """x + b (x - mean), b = varx / var, varx = (var - mean^2 cu2) / (1 + cu2), b within 0 and 1."""
    varx = (var - mean**2 * cu2) / (1 + cu2)
    b = np.clip(np.where(var > 0, varx / np.where(var > 0, var, 1), 0), 0, 1)
    return mean + b * (x - mean)


def refined_lee(image: npt.ArrayLike, cu2: float | None) -> tuple[Array, npt.NDArray[np.bool_]]:
    """Lee (1981); cu2 None: the mean of the five least variations of the nine 3 x 3 parts. With it, where the edge's side is plain."""
    x = np.asarray(image, np.float64)
    n = neighbours(x, 7)
    part, variation = np.zeros((3, 3, *x.shape)), np.zeros((9, *x.shape))
    for i in range(3):
        for j in range(3):
            values = n[2 * i : 2 * i + 3, 2 * j : 2 * j + 3].reshape(9, *x.shape)
            count, mean, var = over(values, ~np.isnan(values))
            part[i, j] = np.where(count > 0, mean, np.nan)
            variation[3 * i + j] = np.where(count > 0, ci2(mean, var), np.nan)
    part = np.where(np.isnan(part), part[1, 1], part)
    a = part
    gradients = np.array(
        [
            a[0, 0] + a[1, 0] + a[2, 0] - a[0, 2] - a[1, 2] - a[2, 2],
            a[0, 0] + a[0, 1] + a[0, 2] - a[2, 0] - a[2, 1] - a[2, 2],
            a[0, 1] + a[0, 2] + a[1, 2] - a[1, 0] - a[2, 0] - a[2, 1],
            a[0, 0] + a[0, 1] + a[1, 0] - a[1, 2] - a[2, 1] - a[2, 2],
        ]
    )
    i, j = np.mgrid[-3:4, -3:4]
    sides = [((1, 0), (1, 2)), ((0, 1), (2, 1)), ((0, 2), (2, 0)), ((0, 0), (2, 2))]
    halves = [(j <= 0, j >= 0), (i <= 0, i >= 0), (j >= i, j <= i), (i + j <= 0, i + j >= 0)]
    steepest = np.abs(gradients)
    direction = steepest.argmax(0)
    order = np.sort(steepest, 0)
    sure = order[3] - order[2] > 1e-5 * np.nansum(a, (0, 1))
    out = np.zeros(x.shape)
    with np.errstate(all="ignore"):
        least = np.sort(variation, 0)[:5]
        local = np.nansum(least, 0) / np.maximum((~np.isnan(least)).sum(0), 1)
    for d, ((one, two), pair) in enumerate(zip(sides, halves, strict=True)):
        far = np.abs(a[one] - a[1, 1]) - np.abs(a[two] - a[1, 1])
        sure &= (direction != d) | (np.abs(far) > 1e-5 * a[1, 1])
        for which, half in enumerate(pair):
            values = n[half]
            _, mean, var = over(values, ~np.isnan(values))
            y = mmse(x, mean, var, local if cu2 is None else cu2)
            here = (direction == d) & ((far <= 0) if which == 0 else (far > 0))
            out = np.where(here, y, out)
    return missing(image, out), sure


def lee_sigma(
    image: npt.ArrayLike, window: int, cu2: float, sigma: tuple[float, float, float], bright: float
) -> tuple[Array, npt.NDArray[np.bool_]]:
    """Lee et al. (2009); `sigma` the range's bounds over the mean and its squared variation. With it, where the range is plain."""
    x, h = np.asarray(image, np.float64), window // 2
    level = mmse(x, *moments(x, 3), cu2)
    low, high = level * sigma[0], level * sigma[1]
    wide = np.pad(x, h, constant_values=np.nan)
    sure = np.full(x.shape, True)
    count, total, dev = np.zeros(x.shape), np.zeros(x.shape), np.zeros(x.shape)
    shifts = [wide[i : i + x.shape[0], j : j + x.shape[1]] for i in range(window) for j in range(window)]
    with np.errstate(invalid="ignore", divide="ignore"):
        for part in shifts:
            inside = (part >= low) & (part <= high)
            sure &= ~((np.abs(part / low - 1) < 2e-6) | (np.abs(part / high - 1) < 2e-6))
            count += inside
            total += np.where(inside, part, 0)
        mean = total / np.maximum(count, 1)
        for part in shifts:
            dev += np.where((part >= low) & (part <= high), part - mean, 0) ** 2
    y = np.where(count > 0, mmse(x, mean, dev / np.maximum(count - 1, 1), sigma[2]), x)
    lit = np.pad(np.nan_to_num(x, nan=-1) >= bright, 2)
    around = np.zeros(lit.shape)
    for i in (-1, 0, 1):
        for j in (-1, 0, 1):
            around += np.roll(lit, (i, j), (0, 1))
    target = lit & (around > 5)
    kept = np.zeros(lit.shape, bool)
    for i in (-1, 0, 1):
        for j in (-1, 0, 1):
            kept |= np.roll(target, (i, j), (0, 1))
    return missing(image, np.where((kept & lit)[2:-2, 2:-2], x, y)), sure
