"""Error of an image against backprojection, 10 log10(sum |c a - b|^2 / sum |b|^2) with one complex c.

Both images get the same Doppler window before: Hamming 0.75 over the processed band around the Doppler centroid. The
window is cut off sharply at the band's edges, so its response in time falls off as 1/n only: what lies outside a patch
still counts inside. Backprojection, tapered to zero at +-PRF/2, is compact: a patch of some 100 lines holds it. A
focused image with a sharp band is not, so give all its lines, and compare only lines well inside the patch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .ideal import Array, Window, hamming

Complex = NDArray[np.complex128]


def doppler_window(
    image: NDArray[Any],
    line_rate_hz: float,
    doppler_centroid_hz: Array | float,
    band_hz: float,
    window: Window | None = None,
    applied: Callable[[Array], Array] | None = None,
    edge: float = 0,
    length: int = 0,
) -> Complex:
    """Windows `image` (lines, samples) along its lines over band_hz around the centroid (Hz, one or one a sample).

    `applied` is the amplitude weighting over frequency relative to the centroid (Hz) that the image already has; it is
    divided out. `edge`: share of the band at each side over which the window is led to zero by a cosine; 0 keeps the
    sharp cut of the definition, 0.05 makes the window compact, and what is outside the patch immaterial. `length` of
    the transform: images that are compared need the same, for it decides which frequencies are inside a sharp band.
    """
    z = np.asarray(image, np.complex128)
    n = max(length, 2 * z.shape[0])
    frequency = np.fft.fftfreq(n, 1 / line_rate_hz)[:, None]
    centroid = np.broadcast_to(np.asarray(doppler_centroid_hz, float), (z.shape[1],))[None, :]
    offset = np.remainder(frequency - centroid + line_rate_hz / 2, line_rate_hz) - line_rate_hz / 2
    x = np.clip(offset / band_hz, -0.5, 0.5)
    weight = (window or hamming(0.75))(x) * (np.abs(offset) <= band_hz / 2)
    if edge > 0:
        weight = weight * (0.5 - 0.5 * np.cos(np.pi * np.clip((0.5 - np.abs(x)) / edge, 0, 1)))
    if applied is not None:
        weight = np.where(weight != 0, weight / np.where(weight != 0, applied(offset), 1), 0)
    return np.asarray(np.fft.ifft(np.fft.fft(z, n, axis=0) * weight, axis=0)[: z.shape[0]])


def relative_error_db(a: NDArray[Any], b: NDArray[Any]) -> tuple[float, complex]:
    """10 log10(sum |c a - b|^2 / sum |b|^2) for the complex c that makes it least, and that c."""
    x, y = np.asarray(a, np.complex128).ravel(), np.asarray(b, np.complex128).ravel()
    c = complex(np.vdot(x, y) / np.vdot(x, x))
    error = np.sum(np.abs(c * x - y) ** 2) / np.sum(np.abs(y) ** 2)
    return float(10 * np.log10(max(error, 1e-300))), c


def error_against_backprojection(
    image: NDArray[Any],
    reference: NDArray[Any],
    *,
    line_rate_hz: float,
    doppler_centroid_hz: Array | float,
    band_hz: float,
    first_line: int = 0,
    margin: int | None = None,
    applied: Callable[[Array], Array] | None = None,
    edge: float = 0,
) -> tuple[float, complex]:
    """The figure, in dB, and the constant c.

    Parameters
    ----------
    image : (lines, samples) of the focuser: the columns of `reference`, and as many lines around it as there are;
        lines that are not finite (not fully exposed) count as zero
    reference : (lines, samples) backprojection of the same pixels
    line_rate_hz : 1 / line spacing
    band_hz : of the Doppler window. Where it ends exactly where the image's own sharp band ends, the edge falls between
        two frequencies and the figure cannot go below some -59 dB (1024 lines) or -66 dB (4096 lines); 1 % narrower, it
        can: -85 dB and less. See tests/test_measure.py.
    first_line : index in `image` of the first line of `reference`
    margin : lines at both ends of `reference` that are not compared; default: a quarter of them
    applied : Doppler weighting that `image` already has (see `doppler_window`), `reference` has none in the band
    edge : see `doppler_window`
    """
    margin = reference.shape[0] // 4 if margin is None else margin
    inner = slice(margin, reference.shape[0] - margin)
    a = np.where(np.isfinite(image), image, 0)
    if not np.isfinite(image[first_line + margin : first_line + reference.shape[0] - margin]).all():
        raise ValueError("image is not finite where it is compared")
    settings = (line_rate_hz, doppler_centroid_hz, band_hz)
    n = 1 << int(np.ceil(np.log2(2 * max(image.shape[0], reference.shape[0]))))
    a = doppler_window(a, *settings, applied=applied, edge=edge, length=n)
    a = a[first_line : first_line + reference.shape[0]]
    b = doppler_window(reference, *settings, edge=edge, length=n)
    return relative_error_db(a[inner], b[inner])
