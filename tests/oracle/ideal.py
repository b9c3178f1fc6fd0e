"""The ideal impulse response of a spectral support with a window, by dense Fourier sums from the definition.

The response of a separable support is the product of one factor along each of its two ridges, so everything about a
width or a side lobe is said in one dimension: frequency runs over -1/2..1/2 of the band, time counts 1/bandwidth.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Window = Callable[[Array], Array]  # amplitude over -1/2..1/2 of the band


def rectangular(x: Array) -> Array:
    """No weighting."""
    return np.ones_like(x)


def hamming(alpha: float) -> Window:
    """Generalised Hamming: alpha + (1 - alpha) cos(2 pi x)."""
    return lambda x: alpha + (1 - alpha) * np.cos(2 * np.pi * x)


def kaiser(beta: float) -> Window:
    """I0(beta sqrt(1 - (2x)^2)), not divided by I0(beta)."""
    return lambda x: np.i0(beta * np.sqrt(np.clip(1 - (2 * x) ** 2, 0, None)))


def taylor(side_lobe_db: float, nbar: int) -> Window:
    """Taylor's window: 1 + 2 sum F_m cos(2 pi m x), F_m after Carrara, Goodman & Majewski, appendix D."""
    a = np.arccosh(10 ** (side_lobe_db / 20)) / np.pi
    s2 = nbar**2 / (a**2 + (nbar - 0.5) ** 2)
    m = np.arange(1, nbar)
    coefficients = []
    for mi in m:
        numerator = np.prod(1 - mi**2 / (s2 * (a**2 + (m - 0.5) ** 2)))
        denominator = np.prod([1 - mi**2 / n**2 for n in m if n != mi])
        coefficients.append(0.5 * (-1.0) ** (mi + 1) * numerator / denominator)
    return lambda x: 1 + 2 * sum(f * np.cos(2 * np.pi * mi * x) for f, mi in zip(coefficients, m, strict=True))


WINDOWS: dict[str, Window] = {
    "rectangular": rectangular,
    "hamming_0.75": hamming(0.75),
    "kaiser_2.5": kaiser(2.5),
    "taylor_35_4": taylor(35, 4),
}


def response(window: Window, t: Array, points: int = 4096) -> NDArray[np.complex128]:
    """sum window(x) e^{j 2 pi x t} dx at times `t` (1/bandwidth); midpoint rule, error ~ (pi t / points)^2 / 6."""
    x = (np.arange(points) + 0.5) / points - 0.5
    w = window(x) / points
    out = np.empty(np.shape(t), np.complex128)
    flat, times = out.reshape(-1), np.reshape(t, -1)
    for start in range(0, times.size, 512):
        part = slice(start, start + 512)
        flat[part] = np.exp(2j * np.pi * np.outer(times[part], x)) @ w
    return out


@dataclass
class Figures:
    """Widths in 1/bandwidth, ratios in dB; ISLR: main lobe null to null, side lobes out to +-10 IRW."""

    irw: float
    null: float
    pslr_db: float
    islr_db: float


@functools.lru_cache(maxsize=32)
def figures(window: Window) -> Figures:
    """The figures of one factor of the ideal response, which is even in time."""

    def power(t: Array | float) -> Array:
        return np.abs(response(window, np.atleast_1d(np.asarray(t, float)), 1024)) ** 2

    low, high, half = 0.0, 3.0, power(0.0)[0] / 2
    coarse = np.linspace(0, 3, 301)
    high = coarse[np.argmax(power(coarse) < half)]
    low = high - 0.01
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if power(middle)[0] > half else (low, middle)
    irw = low + high

    step = 2e-3
    t = np.arange(0, 10 * irw + step, step)
    p = power(t)
    first = int(np.argmax((p[1:-1] <= p[:-2]) & (p[1:-1] < p[2:]) & (t[1:-1] > irw / 2))) + 1
    inside = t <= 10 * irw
    sums = np.concatenate([[0.0], np.cumsum((p[1:] + p[:-1]) / 2 * step)])  # trapezoids
    main = sums[first]
    side = sums[np.flatnonzero(inside)[-1]] - main
    pslr = p[first:][inside[first:]].max() / p[0]
    return Figures(irw, float(t[first]), float(10 * np.log10(pslr)), float(10 * np.log10(side / main)))


@dataclass
class Support:
    """A 2-D spectral support with separable windows, in cycles per row and per column: a parallelogram

        fr = row_centre + u + row_slope v,   fc = col_centre + v + col_slope u,   |u| <= row_band/2, |v| <= col_band/2.

    row_slope: cycles per row that the azimuth band moves per cycle per column (squint: angles bound the aperture);
    col_slope: the other way round (squint: the pulse's band is bound along the line of sight).
    """

    row_band: float
    col_band: float
    row_centre: float = 0.0
    col_centre: float = 0.0
    row_slope: float = 0.0
    col_slope: float = 0.0
    row_window: Window = rectangular
    col_window: Window = rectangular

    def image(self, rows: Array, cols: Array) -> NDArray[np.complex128]:
        """Response at offsets `rows` x `cols` (samples) from the target, real and positive at (0, 0).

        The double integral over u, v is a product of one function of row + col_slope col and one of
        col + row_slope row: its side lobes lie where the other function's argument is zero.
        """
        r, c = np.asarray(rows, float)[:, None], np.asarray(cols, float)[None, :]
        azimuth = _tabulated(self.row_window, self.row_band * (r + self.col_slope * c))
        across = _tabulated(self.col_window, self.col_band * (c + self.row_slope * r))
        return np.asarray(azimuth * across * np.exp(2j * np.pi * (self.row_centre * r + self.col_centre * c)))

    @property
    def azimuth_axis_slope(self) -> float:
        """Columns per row along the azimuth side lobes, col + row_slope row = 0."""
        return -self.row_slope

    @property
    def range_axis_slope(self) -> float:
        """Rows per column along the range side lobes, row + col_slope col = 0."""
        return -self.col_slope

    def widths(self) -> tuple[float, float]:
        """3 dB widths along the two ridges, in rows and in columns."""
        scale = 1 - self.row_slope * self.col_slope
        return (
            figures(self.row_window).irw / (self.row_band * scale),
            figures(self.col_window).irw / (self.col_band * scale),
        )

    def brute_force(self, row: float, col: float, points: int = 400) -> complex:
        """The same at one point as a plain double sum over the support, to check `image` by."""
        x = (np.arange(points) + 0.5) / points - 0.5
        u, v = self.row_band * x[:, None], self.col_band * x[None, :]
        weight = self.row_window(x)[:, None] * self.col_window(x)[None, :]
        phase = (self.row_centre + u + self.row_slope * v) * row + (self.col_centre + v + self.col_slope * u) * col
        return complex((weight * np.exp(2j * np.pi * phase)).sum() / points**2)


def _tabulated(window: Window, t: Array) -> Array:
    """The (real) response of an even window at many times: distinct times only, as a rectangle has few."""
    distinct, index = np.unique(np.round(t, 12), return_inverse=True)
    return np.asarray(response(window, distinct, 1024).real[index].reshape(t.shape))
