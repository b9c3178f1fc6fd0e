"""Speckle filters: arrays in, arrays out; docs/despeckle.md defines every one of them.

Pixels are touched in the native core only. Files are the matter of `sidelook.speckle_files`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from sidelook import _native
from sidelook.errors import BadInput, translate

Method = Literal["boxcar", "lee", "kuan", "enhanced_lee", "gamma_map", "frost", "median", "refined_lee", "refined_lee_local", "lee_sigma"]
Kind = Literal["intensity", "amplitude"]
Compat = Literal["snap", "otb"]
Distance = Literal["euclidean", "chebyshev"]
Image = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Options:
    """How to filter.

    Attributes
    ----------
    method : name of the filter
    kind : what a pixel is: "intensity", linear power, or "amplitude", its root; never guessed
    window : side of the square window (pixels), odd, 3 to 65
    looks : equivalent number of looks of the image; None where the method needs none
    compat : "snap" or "otb": the formula of that tool
    damping : of "enhanced_lee" (None: 1) and "frost" (None: 2)
    distance : of "frost"; None: "euclidean"
    sigma : of "lee_sigma", the share of the speckle within the range; None: 0.95
    bright_level : of "lee_sigma", the level of bright targets; None: the 98th percentile of the image
    nodata : value of pixels that are missing, as NaN always is; they come out as NaN
    block_lines : lines computed at once; 0: chosen
    max_ram : bytes that the whole process may hold; 0: no bound
    threads : 0: all
    """

    method: Method
    kind: Kind
    window: int = 7
    looks: float | None = None
    compat: Compat | None = None
    damping: float | None = None
    distance: Distance | None = None
    sigma: float | None = None
    bright_level: float | None = None
    nodata: float | None = None
    block_lines: int = 0
    max_ram: int = 0
    threads: int = 0


_NUMBERS = ("damping", "sigma", "bright_level", "nodata")


def native_options(options: Options) -> Any:
    """The options as the native core takes them; refused where they are no numbers or names at all."""
    native = _native.DespeckleOptions()
    for name in ("method", "kind", "compat", "distance"):
        value = getattr(options, name)
        if value is None and name in ("compat", "distance"):
            continue
        if not isinstance(value, str):
            raise BadInput(f"{name} is {value!r}; must be a name")
        setattr(native, name, value)
    for name in ("looks", *_NUMBERS):
        value = getattr(options, name)
        if value is not None:
            setattr(native, name, _number(name, value))
            if name == "looks" and math.isnan(native.looks):
                raise BadInput("looks is nan; must be a number greater than 0")
    for name in ("window", "block_lines", "threads"):
        value = getattr(options, name)
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
            raise BadInput(f"{name} is {value!r}; must be a whole number")
        setattr(native, name, int(value))
    native.max_bytes = options.max_ram
    return native


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise BadInput(f"{name} is {value!r}; must be a number")
    return float(value)


@translate()
def despeckle(
    image: Image,
    method: Method,
    kind: Kind,
    *,
    window: int = 7,
    looks: float | None = None,
    compat: Compat | None = None,
    damping: float | None = None,
    distance: Distance | None = None,
    sigma: float | None = None,
    bright_level: float | None = None,
    nodata: float | None = None,
    threads: int = 0,
    out: Image | None = None,
) -> Image:
    """Filters the speckle of an image; the keywords are those of `Options`.

    Parameters
    ----------
    image : (lines, samples) float32, linear power or amplitude as `kind` says; NaN where there is none
    out : array of that shape and type for the result, C-contiguous; None: a new one

    Returns
    -------
    (lines, samples) float32 of the same kind; NaN where the image is missing, and nowhere else

    Raises
    ------
    BadInput
        If the image is of another type or holds negative or infinite values, or an option breaks a rule.
    """
    options = Options(method, kind, window, looks, compat, damping, distance, sigma, bright_level, nodata, threads=threads)
    if out is not None and (not isinstance(out, np.ndarray) or out.dtype != np.float32 or not out.flags.c_contiguous):
        raise BadInput("out is no C-contiguous float32 array; must be one")
    result: Image = _native.despeckle(image, native_options(options), out)
    return result


class Despeckler:
    """One image being filtered line by line: made ready by the constructor, computed by `run`.

    Parameters
    ----------
    lines, samples : shape of the image
    base_bytes : what the process holds already, where options.max_ram bounds it

    Attributes
    ----------
    plan : the native plan; its `options` have the defaults filled in
    stages : after `run`, name, seconds and peak_bytes of every stage
    """

    @translate()
    def __init__(self, lines: int, samples: int, options: Options, *, base_bytes: int = 0) -> None:
        native = native_options(options)
        native.base_bytes = base_bytes
        self.plan = _native.DespecklePlan(lines, samples, native)
        self.stages: list[dict[str, Any]] = []

    @translate()
    def run(
        self,
        read: Callable[[int, int], Image],
        write: Callable[[int, Image], object],
        progress: Callable[[float], None] | None = None,
    ) -> None:
        """Computes the result.

        Parameters
        ----------
        read : (first line, lines) -> (lines, samples) of the image; called in ascending order, in a thread;
            of all lines once before, if `plan.reads_twice`
        write : (first line, block) takes each block of the result once, in order, in a thread
        """
        report = self.plan.run(read, write, progress)
        self.stages = [{"name": s.name, "seconds": s.seconds, "peak_bytes": s.peak_bytes} for s in report]

    def description(self) -> dict[str, Any]:
        """What was done, as plain data."""
        o = self.plan.options
        known: dict[str, Any] = {"method": o.method, "kind": o.kind, "window": o.window}
        for name in ("looks", *_NUMBERS):
            value = getattr(o, name)
            known[name] = value if math.isfinite(value) else None
        return {**known, "distance": o.distance or None, "compat": o.compat or None, "software": f"sidelook {_native.version()}"}
