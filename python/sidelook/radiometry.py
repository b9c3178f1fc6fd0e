"""Focused images to calibrated intensity: arrays in, arrays out; docs/radiometry.md derives what a pixel then means.

Pixels are touched in the native core only. Files are the matter of `sidelook.intensity`.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from sidelook import _native
from sidelook.acquisition import Acquisition
from sidelook.errors import BadInput, MissingAuxiliary, translate
from sidelook.focusing import Options as FocusOptions
from sidelook.focusing import Slc, native_options

SCHEMA = "sidelook-intensity-1"
QUANTITIES = ("intensity", "beta0", "sigma0", "gamma0")
Quantity = Literal["intensity", "beta0", "sigma0", "gamma0"]
Power = npt.NDArray[np.float32]
Looks = tuple[int, int] | Literal["square"]
Pixels = npt.NDArray[np.complex64] | npt.NDArray[np.float32]
Read = Callable[[int, int], Pixels]
Write = Callable[[int, Power], object]

NODE_SECONDS = 1.0  # between lines of the native table of factors: orbit and attitude are smooth over much longer
NODE_COLUMNS = 65  # over the swath, joined by cubics


@dataclass(frozen=True)
class Lut:
    """A look-up table of amplitudes, such as Sentinel-1's: the backscatter is |x|^2 / A^2, A linear between the nodes.

    Attributes
    ----------
    lines, samples : pixels of the focused image at which A is given, ascending
    values : (lines, samples) A, greater than 0; one line: it holds for all
    """

    lines: npt.ArrayLike
    samples: npt.ArrayLike
    values: npt.ArrayLike


@dataclass(frozen=True)
class Options:
    """How to calibrate.

    Attributes
    ----------
    quantity : "sigma0", "beta0", "gamma0", or "intensity", the mean |x|^2 as it is
    looks : pixels (azimuth, range) averaged into one; "square": about square on the ground, see `square_looks`
    lut : instead of the acquisition's radar constant; it decides what the quantity is, `quantity` only names it
    subtract_noise : take the noise-equivalent level away; the result may fall below 0
    block_lines : lines of the result computed at once; 0: chosen
    max_ram : bytes that the whole process may hold; 0: no bound
    threads : 0: all
    """

    quantity: Quantity = "sigma0"
    looks: Looks = (1, 1)
    lut: Lut | None = None
    subtract_noise: bool = False
    block_lines: int = 0
    max_ram: int = 0
    threads: int = 0


@dataclass(frozen=True)
class Intensity:
    """Calibrated intensity in memory.

    Attributes
    ----------
    image : (lines, samples) float32, linear power; NaN where less than half of a cell's pixels are exposed
    metadata : what a stranger needs to use it, plain data; docs/radiometry.md describes every field
    """

    image: Power
    metadata: dict[str, Any]


class Calibrator:
    """One image being calibrated: made ready by the constructor, computed by `run`.

    Parameters
    ----------
    metadata : of the focused image
    dtype : of its pixels: complex64, or float32 for |x|^2

    Attributes
    ----------
    lines, samples : shape of the result
    metadata : of the result; `source_sha256` comes with `run`
    stages : after `run`, name, seconds and peak_bytes of every stage
    """

    @translate()
    def __init__(
        self, metadata: dict[str, Any], dtype: npt.DTypeLike = np.complex64, options: Options | None = None, *, base_bytes: int = 0
    ) -> None:
        self.options = options or Options()
        self.source = metadata
        self.dtype = np.dtype(dtype)
        if self.dtype not in (np.complex64, np.float32):
            raise BadInput(f"image is {self.dtype}; must be complex64, or float32 for powers")
        if self.options.quantity not in QUANTITIES:
            raise BadInput(f"quantity is {self.options.quantity!r}; must be one of {', '.join(QUANTITIES)}")
        self._grid = _Grid(metadata)
        self._model = _model(metadata)
        self._located = self._model is not None and bool(metadata["acquisition"].get("orbit"))
        self._require_calibration()
        self.looks = _looks(square_looks(metadata) if self.options.looks == "square" else self.options.looks)
        _native.check_looks(self.looks, self._grid.lines, self._grid.samples)
        self._cells = self._grid.cells(self.looks)
        native = _native.IntensityOptions()
        native.looks = self.looks
        native.block_lines, native.threads = self.options.block_lines, self.options.threads
        native.max_bytes, native.base_bytes = self.options.max_ram, base_bytes
        self._fill_factors(native)
        self.plan = _native.IntensityPlan(self._grid.lines, self._grid.samples, self.dtype == np.complex64, native)
        self.lines, self.samples = self.plan.lines, self.plan.samples
        self.stages: list[dict[str, Any]] = []
        self.metadata = self._metadata()

    def _require_calibration(self) -> None:
        o = self.options
        if o.lut is not None and o.quantity == "intensity":
            raise BadInput("lut is given with quantity 'intensity'; must name what the table makes: beta0, sigma0 or gamma0")
        self._noise_power = self.source.get("acquisition", {}).get("radiometry", {}).get("noise_power", 0.0) if self._located else 0.0
        if o.subtract_noise and not self._noise_power:
            raise MissingAuxiliary(
                "subtract_noise needs acquisition.radiometry.noise_power and an orbit; one of them is unknown in this image"
            )
        if o.quantity == "intensity" or o.lut is not None:
            return
        missing = None
        if self._model is None:
            missing = "the acquisition and how the image was focused"
        elif not self._located:
            missing = "an orbit, for incidence and areas on the ground"
        elif not self.source["acquisition"].get("radiometry", {}).get("radar_constant"):
            missing = "acquisition.radiometry.radar_constant, which is unknown"
        if missing:
            raise MissingAuxiliary(f"{o.quantity} needs {missing}; only the quantity intensity, or a look-up table, can do without")

    def _nodes(self) -> tuple[npt.NDArray[Any], npt.NDArray[Any], dict[str, npt.NDArray[Any]]]:
        """Cells (lines, samples) at which the physics is solved, and what it says there, (lines, samples) each."""
        c = self._cells
        rows = np.linspace(0, c.lines - 1, min(c.lines, 2 + math.floor((c.lines - 1) * c.line_spacing_s / NODE_SECONDS)))
        columns = np.linspace(0, c.samples - 1, min(c.samples, NODE_COLUMNS))
        return rows, columns, self._places(rows, columns)

    def _places(self, rows: npt.NDArray[Any], columns: npt.NDArray[Any]) -> dict[str, npt.NDArray[Any]]:
        row, column = np.meshgrid(rows, columns, indexing="ij")
        found = self._model.places(self._cells.time_s(row).ravel(), self._cells.range_m(column).ravel())
        return {key: values.reshape(row.shape) for key, values in found.items()}

    def _fill_factors(self, native: Any) -> None:
        o = self.options
        if o.lut is not None:
            lines, samples = (np.atleast_1d(np.asarray(v, np.float64)) for v in (o.lut.lines, o.lut.samples))
            native.factor = _factors(self._cells.of_lines(lines), self._cells.of_samples(samples), o.lut.values, smooth=False)
            native.divide_by_square = True
            if o.subtract_noise:
                raise BadInput("subtract_noise is given with lut; the noise is known for the acquisition's own calibration only")
            return
        if o.quantity == "intensity" and not o.subtract_noise:
            return
        rows, columns, at = self._nodes()
        factor = _factor(o.quantity, at)
        native.factor = _factors(rows, columns, factor, smooth=True)
        if o.subtract_noise:
            native.noise = _factors(rows, columns, factor * at["noise_intensity"], smooth=True)

    @translate()
    def run(self, read: Read, write: Write, progress: Callable[[float], None] | None = None) -> None:
        """Computes the result.

        Parameters
        ----------
        read : (first line, lines) -> (lines, samples) of the focused image; called in ascending order, in a thread
        write : (first line, block) takes each block of the result once, in order, in a thread
        """
        digest = hashlib.sha256()
        done = 0

        def take(first: int, lines: int) -> Any:
            nonlocal done
            block: Any = np.ascontiguousarray(read(first, lines))
            digest.update(memoryview(block).cast("B"))
            done = first + lines
            return block

        run = self.plan.run if self.dtype == np.complex64 else self.plan.run_intensity
        report = run(take, write, progress)
        while done < self._grid.lines:  # lines that fill no cell belong to the image all the same
            take(done, min(64, self._grid.lines - done))
        self.stages = [{"name": s.name, "seconds": s.seconds, "peak_bytes": s.peak_bytes} for s in report]
        self.metadata["source_sha256"] = digest.hexdigest()

    def _metadata(self) -> dict[str, Any]:
        c, o = self._cells, self.options
        edge = sorted({round(i * (c.samples - 1) / 16) for i in range(17)})
        columns = np.array(edge, np.float64)

        def pairs(values: npt.NDArray[Any]) -> list[list[float]]:
            return [[j, float(v)] for j, v in zip(edge, values, strict=True)]

        tables: dict[str, Any] = dict.fromkeys(
            ("azimuth_spacing_m", "ground_range_spacing_m", "resolution_azimuth_m", "resolution_ground_range_m", "incidence_deg", "nesz")
        )
        if self._located:
            at = {key: values[0] for key, values in self._places(np.array([(c.lines - 1) / 2]), columns).items()}
            speed, sine = at["line_speed_m_per_s"], np.sin(np.radians(at["incidence_deg"]))
            widths = self._model.widths(self.looks)
            tables["azimuth_spacing_m"] = pairs(speed * c.line_spacing_s)
            tables["ground_range_spacing_m"] = pairs(c.sample_spacing_m / sine)
            tables["resolution_azimuth_m"] = pairs(speed * widths.azimuth_s)
            tables["resolution_ground_range_m"] = pairs(widths.slant_range_m / sine)
            tables["incidence_deg"] = pairs(at["incidence_deg"])
            if self._noise_power and o.lut is None:
                tables["nesz"] = pairs(at["noise_intensity"] * _factor(o.quantity, at))
        known = "lut" if o.lut is not None else None if o.quantity == "intensity" else "acquisition"
        return {
            "schema": SCHEMA,
            "quantity": o.quantity,
            "unit": "linear power",
            "calibration": known,
            "looks": [self.looks.azimuth, self.looks.range],
            "equivalent_number_of_looks": self._model.equivalent_looks(self.looks) if self._model is not None else None,
            "noise_subtracted": o.subtract_noise,
            "lines": self.lines,
            "samples": self.samples,
            "first_line_time_s": c.first_line_time_s,
            "line_spacing_s": c.line_spacing_s,
            "first_sample_slant_range_m": c.first_sample_slant_range_m,
            "sample_spacing_m": c.sample_spacing_m,
            **tables,
            "valid_region": _valid_region(self.source, self.looks, c, edge),
            "software": f"sidelook {_native.version()}",
            "instruction_set": _native.instruction_set(),
            "source": self.source,
        }


@translate()
def calibrate(
    slc: Slc,
    quantity: Quantity = "sigma0",
    looks: Looks = (1, 1),
    *,
    lut: Lut | None = None,
    subtract_noise: bool = False,
    threads: int = 0,
    progress: Callable[[float], None] | None = None,
) -> Intensity:
    """Averages looks of a focused image and calibrates them.

    Parameters
    ----------
    slc : image (lines, samples) complex64, or float32 for |x|^2, and its metadata
    quantity, looks, lut, subtract_noise, threads : see `Options`

    Raises
    ------
    BadInput
        Pixels of another type, powers below 0, looks that do not fit, metadata without times or spacings.
    MissingAuxiliary
        beta0, sigma0 or gamma0 of an image whose orbit or radar constant is unknown.
    """
    image = slc.image
    options = Options(quantity=quantity, looks=looks, lut=lut, subtract_noise=subtract_noise, threads=threads)
    job = Calibrator(slc.metadata, image.dtype, options)
    wanted = (slc.metadata["lines"], slc.metadata["samples"])
    if image.shape != wanted:
        raise BadInput(f"image is {' x '.join(map(str, image.shape))}; its metadata says {wanted[0]} lines x {wanted[1]} samples")
    out = np.empty((job.lines, job.samples), np.float32)

    def write(first: int, block: Power) -> None:
        out[first : first + len(block)] = block

    job.run(lambda first, lines: image[first : first + lines], write, progress)
    return Intensity(out, job.metadata)


@translate()
def multilook(image: Pixels, looks: tuple[int, int], *, coherent: bool = False, threads: int = 0) -> Pixels:
    """Mean of cells of looks (azimuth, range) pixels; NaN is left out, and a cell with less than half of its pixels is NaN.

    Parameters
    ----------
    image : (lines, samples) complex64, averaged as |x|^2; or float32, powers
    coherent : average the complex samples themselves; under squint bring the image to baseband first, see docs/slc.md

    Returns
    -------
    (lines // azimuth, samples // range) float32, or complex64 if coherent
    """
    result: Pixels
    if image.dtype == np.complex64:
        function = _native.multilook_complex if coherent else _native.multilook_power
        result = function(np.ascontiguousarray(image), _looks(looks), threads)
    elif image.dtype == np.float32 and not coherent:
        result = _native.multilook_intensity(np.ascontiguousarray(image), _looks(looks), threads)
    else:
        raise BadInput(f"image is {image.dtype}; must be complex64{'' if coherent else ', or float32 for powers'}")
    return result


def square_looks(metadata: dict[str, Any]) -> tuple[int, int]:
    """Looks (azimuth, range) whose cells on the ground come nearest to the coarser of the two resolutions along both axes."""
    grid = _Grid(metadata)
    model = _model(metadata)
    if model is not None and metadata["acquisition"].get("orbit"):
        middle = model.places(np.array([grid.time_s(0.5 * (grid.lines - 1))]), np.array([grid.range_m(0.5 * (grid.samples - 1))]))
        speed, sine = float(middle["line_speed_m_per_s"][0]), math.sin(math.radians(float(middle["incidence_deg"][0])))
    else:  # the footprint is a little slower than the platform; 37 degrees of incidence
        speed, sine = 0.94 * float(metadata.get("effective_velocity_m_per_s") or 7500.0), 0.6
    azimuth_m, range_m = speed * grid.line_spacing_s, grid.sample_spacing_m / sine
    side = max(azimuth_m, range_m)
    if model is not None:
        widths = model.widths(_native.Looks(1, 1))
        side = max(speed * widths.azimuth_s, widths.slant_range_m / sine)
    return (
        min(grid.lines, max(1, round(side / azimuth_m))),
        min(grid.samples, max(1, round(side / range_m))),
    )


class _Grid:
    """Where pixels lie in time and range; refused if the metadata does not say."""

    def __init__(self, metadata: dict[str, Any]) -> None:
        def number(key: str, *, positive: bool) -> float:
            value: Any = metadata.get(key)
            good = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
            if not good or (positive and not value > 0):
                raise BadInput(f"image has {key} = {value} in its metadata; must be a number{' greater than 0' if positive else ''}")
            return float(value)

        if metadata.get("schema") == SCHEMA:
            raise BadInput(f"image is {metadata.get('quantity')} already; must be a focused image, as sidelook focus writes it")
        self.lines, self.samples = int(number("lines", positive=True)), int(number("samples", positive=True))
        self.first_line_time_s = number("first_line_time_s", positive=False)
        self.line_spacing_s = number("line_spacing_s", positive=True)
        self.first_sample_slant_range_m = number("first_sample_slant_range_m", positive=True)
        self.sample_spacing_m = number("sample_spacing_m", positive=True)

    def time_s(self, line: Any) -> Any:
        return self.first_line_time_s + line * self.line_spacing_s

    def range_m(self, sample: Any) -> Any:
        return self.first_sample_slant_range_m + sample * self.sample_spacing_m

    def cells(self, looks: Any) -> _Cells:
        return _Cells(self, looks)


class _Cells:
    """The grid of looks: cell i has its centre at pixel i L + (L - 1) / 2."""

    def __init__(self, grid: _Grid, looks: Any) -> None:
        self._looks = looks
        self.lines, self.samples = grid.lines // looks.azimuth, grid.samples // looks.range
        self.first_line_time_s = grid.time_s((looks.azimuth - 1) / 2)
        self.first_sample_slant_range_m = grid.range_m((looks.range - 1) / 2)
        self.line_spacing_s, self.sample_spacing_m = looks.azimuth * grid.line_spacing_s, looks.range * grid.sample_spacing_m

    def time_s(self, line: Any) -> Any:
        return self.first_line_time_s + line * self.line_spacing_s

    def range_m(self, sample: Any) -> Any:
        return self.first_sample_slant_range_m + sample * self.sample_spacing_m

    def of_lines(self, line: Any) -> Any:
        """Cells (fractional) at lines of the focused image."""
        return (line - (self._looks.azimuth - 1) / 2) / self._looks.azimuth

    def of_samples(self, sample: Any) -> Any:
        """Cells (fractional) at samples of the focused image."""
        return (sample - (self._looks.range - 1) / 2) / self._looks.range


def _model(metadata: dict[str, Any]) -> Any:
    """The native physics of an image that this processor focused; None for others."""
    if metadata.get("schema") != "sidelook-slc-1":
        return None
    acquisition = Acquisition.from_json(metadata["acquisition"]).native()
    acquisition.doppler_centroid_hz = metadata["doppler"]["coefficients_hz"]
    acquisition.doppler_drift_hz_per_s = metadata["doppler"]["drift_hz_per_s"]
    options = FocusOptions(
        doppler_bandwidth_hz=metadata["processed_doppler_bandwidth_hz"],
        range_bandwidth_hz=metadata["processed_range_bandwidth_hz"],
        azimuth_window=metadata["azimuth_window"],
        range_window=metadata["range_window"],
        equalise_antenna=metadata["antenna_equalised"],
        minimum_exposure=metadata["minimum_exposure"],
    )
    return _native.ImageRadiometry(acquisition, native_options(options))


def _factor(quantity: str, at: dict[str, npt.NDArray[Any]]) -> npt.NDArray[Any]:
    """What a mean |x|^2 is multiplied by: areas of the slant plane, of the ground, or across the line of sight."""
    incidence = np.radians(at["incidence_deg"])
    if quantity == "intensity":
        return np.ones_like(incidence)
    area = {"beta0": np.ones_like(incidence), "sigma0": np.sin(incidence), "gamma0": np.tan(incidence)}[quantity]
    return np.asarray(area / at["intensity_of_beta0"])


def _factors(lines: Any, samples: Any, values: Any, *, smooth: bool) -> Any:
    grid = _native.FactorGrid()
    table = np.atleast_2d(np.asarray(values, np.float64))
    if table.shape != (len(lines), len(samples)):
        raise BadInput(f"lut has values of shape {table.shape}; must be {len(lines)} lines x {len(samples)} samples")
    grid.lines, grid.samples, grid.values, grid.smooth = list(lines), list(samples), table.ravel().tolist(), smooth
    return grid


def _looks(looks: Sequence[int] | str) -> Any:
    if isinstance(looks, str) or len(looks) != 2 or any(isinstance(n, bool) or int(n) != n for n in looks):
        raise BadInput(f"looks are {looks!r}; must be two whole numbers, along azimuth and range, or 'square'")
    return _native.Looks(int(looks[0]), int(looks[1]))


def _valid_region(source: dict[str, Any], looks: Any, cells: _Cells, edge: list[int]) -> list[list[int]] | None:
    """Triples [sample, first, end]: lines first <= i < end hold at least half of their pixels; None if the source does not say."""
    known = source.get("valid_region")
    if not known:
        return None
    column, first, end = np.array(known, np.float64).T
    out = []
    for j in edge:
        place = j * looks.range + (looks.range - 1) / 2
        begin, stop = (float(np.interp(place, column, v)) for v in (first, end))
        half = looks.azimuth / 2
        low = min(cells.lines, max(0, math.ceil((begin - half) / looks.azimuth)))
        out.append([j, low, min(cells.lines, max(low, math.floor((stop - half) / looks.azimuth) + 1))])
    return out
