"""Makes the figures of the documentation from simulated echoes: python docs/figures/make_figures.py (two minutes; matplotlib)."""

from __future__ import annotations

import pathlib

import numpy as np
from matplotlib.figure import Figure
from PIL import Image
from sidelook import Acquisition, focus, simulate
from sidelook.focusing import Slc

HERE = pathlib.Path(__file__).resolve().parent


def save(figure: Figure, name: str, greys: int = 0) -> None:
    """As PNG; in so many greys where size matters, since speckle does not compress."""
    path = HERE / name
    figure.savefig(path, dpi=100)
    if greys:
        with Image.open(path) as picture:
            small = picture.convert("L").quantize(greys)
        small.save(path, optimize=True)


def looks(samples: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Mean intensity of rows x columns samples, in dB."""
    power = np.abs(samples) ** 2
    high, wide = (n // k for n, k in zip(power.shape, (rows, columns), strict=True))
    parts = power[: high * rows, : wide * columns].reshape(high, rows, wide, columns)
    return np.asarray(10 * np.log10(parts.mean((1, 3)) + 1e-30))


def coast() -> None:
    """A coast in X band: what the radar recorded, and what focusing makes of it."""
    scene = simulate.coast(instrument="x-stripmap", pulses=9000, samples=3500, seed=5, ships=14)
    slc = focus(scene.echoes, Acquisition.from_native(scene.acquisition))
    image = looks(slc.image, 14, 6)[:430, :430]
    echoes = looks(scene.echoes, 14, 6)[120:550, 60:400]
    figure = Figure(figsize=(8.0, 4.6), layout="constrained")
    panels = figure.subplots(1, 2, width_ratios=(echoes.shape[1], image.shape[1]))
    for axes, data, title in ((panels[0], echoes, "raw echoes"), (panels[1], image, "focused")):
        low, high = np.nanpercentile(data, (2, 99.7))
        axes.imshow(data, cmap="gray", vmin=low, vmax=high, interpolation="nearest")
        axes.set(xticks=[], yticks=[], title=title)
    panels[0].set(xlabel="delay", ylabel="pulse")
    panels[1].set(xlabel="slant range", ylabel="zero-Doppler time")
    save(figure, "coast.png", greys=24)


def response(slc: Slc, time_s: float, range_m: float, half: int = 10, finer: int = 16) -> np.ndarray:
    """|image| around a place, in dB of its peak: demodulated by the spectrum's centre, then interpolated by its transform."""
    m = slc.metadata
    i = round((time_s - m["first_line_time_s"]) / m["line_spacing_s"])
    j = round((range_m - m["first_sample_slant_range_m"]) / m["sample_spacing_m"])
    row_centre = float(np.interp(j, *np.array(m["doppler_centroid_hz"]).T)) * m["line_spacing_s"]
    column_centre = float(np.interp(j, *np.array(m["range_spectrum_centre_cycles_per_sample"]).T))
    size = 64
    patch = slc.image[i - size // 2 : i + size // 2, j - size // 2 : j + size // 2]
    n = np.arange(size)
    patch = patch * np.exp(-2j * np.pi * (row_centre * n[:, None] + column_centre * n[None, :]))
    spectrum = np.fft.fftshift(np.fft.fft2(patch))
    padded = np.pad(spectrum, (finer - 1) * size // 2)
    fine = np.fft.ifft2(np.fft.ifftshift(padded))
    middle, reach = size * finer // 2, half * finer
    cut = np.abs(fine[middle - reach : middle + reach + 1, middle - reach : middle + reach + 1])
    return np.asarray(20 * np.log10(cut / cut.max() + 1e-9))


def point() -> None:
    """The response to one point without squint and at 3 degrees."""
    figure = Figure(figsize=(8.0, 3.9), layout="constrained")
    shown = None
    for axes, squint_deg in zip(figure.subplots(1, 2, sharey=True), (0.0, 3.0), strict=True):
        scene = simulate.points(pulses=2200, samples=1000, rows=1, columns=1, squint_deg=squint_deg)
        slc = focus(scene.echoes, Acquisition.from_native(scene.acquisition))
        target = scene.truth["targets"][0]
        picture = response(slc, target["zero_doppler_time_s"], target["slant_range_m"])
        shown = axes.imshow(picture, cmap="magma", vmin=-45, vmax=0, extent=(-10, 10, 10, -10), interpolation="bilinear")
        axes.set(title=f"squint {squint_deg:g} degrees", xlabel="samples (slant range)")
    figure.axes[0].set_ylabel("lines (zero-Doppler time)")
    figure.colorbar(shown, ax=figure.axes, label="power over peak (dB)")
    save(figure, "point.png")


if __name__ == "__main__":
    point()
    coast()
