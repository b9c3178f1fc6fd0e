"""Echoes to an image by exact time-domain backprojection. Pixels are touched in the native core only."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from sidelook import _native
from sidelook.acquisition import Acquisition
from sidelook.crsd import open_echoes
from sidelook.errors import BadInput, translate
from sidelook.focusing import Focuser, Image, Options, Progress, Slc, named_options

Points = npt.NDArray[np.float64]

# What places an image on the zero-Doppler grid; an image of given points has none of it.
GRID_FIELDS = (
    "first_line_time_s", "line_spacing_s", "first_sample_slant_range_m", "sample_spacing_m", "doppler_centroid_hz",
    "range_spectrum_centre_cycles_per_sample", "valid_region",
)  # fmt: skip


class Backprojector(Focuser):
    """One scene being backprojected; everything else is as in `Focuser`."""

    @translate()
    def __init__(self, echoes: Any, options: Options | None = None, points: Points | None = None, *, base_bytes: int = 0) -> None:
        if points is not None and not (isinstance(points, np.ndarray) and points.dtype == np.float64 and points.flags.c_contiguous):
            raise BadInput(f"points is {type(points).__name__}; must be a contiguous float64 array of (lines, samples, 3)")
        self.points = points
        super().__init__(echoes, options, base_bytes=base_bytes)
        self.metadata["algorithm"] = "backprojection"
        if points is not None:
            for name in GRID_FIELDS:
                del self.metadata[name]
            self.metadata.update(schema="sidelook-points-1", lines=self.plan.lines, samples=self.plan.samples)

    def _plan(self, native: Any, planned: Any) -> Any:
        return _native.BackprojectPlan(native, planned, self.points)


def backproject(
    echoes: Any,
    acquisition: Acquisition | None = None,
    *,
    points: Points | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> Slc:
    """Focuses echoes in the time domain: exact at any squint and height, some ten times slower than `focus`.

    Parameters
    ----------
    echoes : (pulses, samples) complex64, the path of a CRSD or .npy file, or echoes that are open already
    acquisition : needed with an array; it must have an orbit
    points : (lines, samples, 3) float64, ECEF (m): the image's pixels, in any arrangement whose neighbours are close,
        NaN where there is none; default: the zero-Doppler grid that `focus` has
    options : fields of `sidelook.focusing.Options`; strip_samples and device "cuda" are refused

    Returns
    -------
    Slc
        As from `focus`: same window, phase and amplitude. With `points` its metadata have no grid.

    Raises
    ------
    BadInput, OverMemory
        One sentence with the argument, its value and the rule.
    """
    job = Backprojector(open_echoes(echoes, acquisition), named_options("backproject", options), points)
    image = np.empty((job.plan.lines, job.plan.samples), np.complex64)

    def write(line: int, sample: int, block: Image) -> None:
        image[line : line + block.shape[0], sample : sample + block.shape[1]] = block

    job.run(write, progress)
    return Slc(image, job.metadata)
