"""Point-target analysis of a focused image: arrays in, numbers out, no files.

Rows are azimuth (zero-Doppler time), columns slant range; positions are fractional indices, the centre of the first
sample is (0, 0). docs/measure.md says how each figure is defined.
"""

from __future__ import annotations

import cmath
import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from sidelook.errors import translate

Axes = Literal["measured", "image", "given"]
SPEED_OF_LIGHT_M_PER_S = 299792458.0


@dataclass(frozen=True)
class Cut:
    """One straight cut through the peak; offsets count rows (azimuth cut) or columns (range cut), however it slants."""

    slope: float
    """Azimuth cut: columns per row; range cut: rows per column."""
    slope_measured: bool
    """False: image axis, given, or no side-lobe ridge stood out of the background."""
    irw_samples: float
    """Full width at half power, counted along the image axis."""
    irw_m: float
    """The same along the slanted cut (m); NaN without spacings."""
    null_before: float
    """Offset of the first minimum before the peak, negative."""
    null_after: float
    pslr_db: float
    """Highest side lobe within 10 widths over the peak."""
    islr_db: float
    """Energy from the nulls out to 10 widths over the energy between the nulls."""
    offset: npt.NDArray[np.float64]
    """Offsets of `value` (samples), ascending; 0 is the peak."""
    value: npt.NDArray[np.complex128]
    """The interpolated image."""


@dataclass(frozen=True)
class PointTarget:
    """What `measure_point` finds."""

    row: float
    col: float
    peak: complex
    """Interpolated image at (row, col)."""
    at_expected: complex
    """Interpolated image at the expected position; NaN if that lies outside the window."""
    spectrum_centre_row: float
    """Centre of the spectrum, cycles per row."""
    spectrum_centre_col: float
    """Centre of the spectrum, cycles per column."""
    azimuth: Cut
    range: Cut
    islr_2d_db: float
    """Energy outside the main lobe, within 10 widths along both axes, over that inside."""
    main_lobe_energy_fraction: float
    peak_to_background_db: float
    """Peak over the mean power between 5 and 10 widths off along both axes."""

    def to_dict(self, *, cuts: bool = False) -> dict[str, Any]:
        """Plain numbers for JSON: angles in degrees, NaN as None; `cuts` adds the sampled cuts in dB and degrees."""

        def plain(cut: Cut) -> dict[str, Any]:
            out: dict[str, Any] = {f.name: getattr(cut, f.name) for f in dataclasses.fields(cut) if f.name not in ("offset", "value")}
            if cuts:
                out["offset_samples"] = cut.offset.tolist()
                out["magnitude_db"] = (20 * np.log10(np.maximum(np.abs(cut.value), 1e-300) / abs(self.peak))).tolist()
                out["phase_deg"] = np.degrees(np.angle(cut.value)).tolist()
            return {k: _finite(v) for k, v in out.items()}

        return {
            "row": self.row,
            "col": self.col,
            "peak_magnitude": abs(self.peak),
            "peak_phase_deg": math.degrees(cmath.phase(self.peak)),
            "expected_phase_deg": _finite(math.degrees(cmath.phase(self.at_expected))),
            "spectrum_centre_row": self.spectrum_centre_row,
            "spectrum_centre_col": self.spectrum_centre_col,
            "azimuth": plain(self.azimuth),
            "range": plain(self.range),
            "islr_2d_db": self.islr_2d_db,
            "main_lobe_energy_fraction": self.main_lobe_energy_fraction,
            "peak_to_background_db": _finite(self.peak_to_background_db),
        }


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def measure_point(
    image: npt.NDArray[np.complex64],
    row: float,
    col: float,
    *,
    search_radius: float = 8.0,
    half_size: int = 0,
    oversampling: int = 16,
    spectrum_centre: tuple[float, float] = (0.0, 0.0),
    measure_spectrum_centre: bool = True,
    spacing_m: tuple[float, float] = (0.0, 0.0),
    axes: Axes = "measured",
    axis_slopes: tuple[float, float] = (0.0, 0.0),
    first_sample: tuple[int, int] = (0, 0),
) -> PointTarget:
    """Analyses the brightest local maximum near an expected position.

    Parameters
    ----------
    image : (rows, columns) complex64, consecutive samples of a row contiguous
        Only the window around the target is read, and must be finite.
    row, col : expected position
    search_radius : samples from the expected position
    half_size : samples on each side of the peak that are used; 0: as many as 10 widths need
    oversampling : samples of a cut per image sample
    spectrum_centre : nominal centre (cycles per row, cycles per column), absolute: Doppler centroid over line rate
    measure_spectrum_centre : the centre is measured within half a cycle of the nominal one; False: taken as it is
    spacing_m : metres per row and per column; 0: unknown
    axes : along which lines to cut: "measured" side-lobe ridges, the "image" axes, or as "given" by `axis_slopes`
    axis_slopes : columns per row of the azimuth cut, rows per column of the range cut
    first_sample : index of image[0, 0] in the image it was read from; positions count from that image's first sample

    Raises
    ------
    BadInput
        A sample that is not finite, no maximum within the radius, a window that leaves the image or is too small.
    """
    from sidelook import _native

    options = _native.MeasureOptions()
    options.search_radius = search_radius
    options.half_size = half_size
    options.oversampling = oversampling
    options.spectrum_centre_row, options.spectrum_centre_col = spectrum_centre
    options.measure_spectrum_centre = measure_spectrum_centre
    options.row_spacing_m, options.col_spacing_m = spacing_m
    options.axes = getattr(_native.CutAxes, axes)
    options.azimuth_axis_slope, options.range_axis_slope = axis_slopes
    options.first_row, options.first_col = first_sample
    with translate():
        found = _native.measure_point(image, row, col, options)
    values = {f.name: getattr(found, f.name) for f in dataclasses.fields(PointTarget)}
    for name in ("azimuth", "range"):
        values[name] = Cut(**{f.name: getattr(values[name], f.name) for f in dataclasses.fields(Cut)})
    return PointTarget(**values)


def measure_points(
    image: npt.NDArray[np.complex64], positions: Sequence[tuple[float, float]] | npt.NDArray[np.float64], **options: Any
) -> list[PointTarget]:
    """`measure_point` at each of `positions` (n, 2); the first refusal is raised."""
    return [measure_point(image, float(row), float(col), **options) for row, col in positions]


def range_phase_rad(slant_range_m: float, carrier_hz: float) -> float:
    """Phase that an image gives a target by its slant range, -4 pi R f0 / c, reduced to (-2 pi, 0]."""
    return -2 * math.pi * math.fmod(2 * slant_range_m * carrier_hz / SPEED_OF_LIGHT_M_PER_S, 1.0)


def relative_phases_deg(phases_rad: Sequence[float]) -> list[float]:
    """Phases relative to their circular mean, in -180..180 degrees."""
    if not phases_rad:
        return []
    mean = cmath.phase(sum(cmath.exp(1j * p) for p in phases_rad))
    return [math.degrees(cmath.phase(cmath.exp(1j * (p - mean)))) for p in phases_rad]
