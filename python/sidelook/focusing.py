"""Echoes to a focused image: survey, Doppler centroid, plan, run. Pixels are touched in the native core only."""

from __future__ import annotations

import dataclasses
import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sidelook import _native
from sidelook.acquisition import Acquisition
from sidelook.crsd import open_echoes
from sidelook.errors import BadInput, translate

Image = npt.NDArray[np.complex64]
Write = Callable[[int, int, Image], None]
Progress = Callable[[float], None]

SURVEY_BYTES = 16 << 20  # of complex64 lines read at once in the first pass


@dataclass(frozen=True)
class Options:
    """How to focus; every default suits a scene of which nothing else is known.

    Attributes
    ----------
    doppler : "auto" (the acquisition's polynomial, else attitude, else the echoes), "attitude", "data", or the
        coefficients (Hz) of a polynomial over delay - first_sample_delay_s (s)
    ambiguities : candidates (first, last), in PRFs, when `doppler` comes from the echoes and no attitude is known
    doppler_bandwidth_hz, range_bandwidth_hz : processed bands; 0: 0.7 PRF and the chirp's
    azimuth_window, range_window : "rectangular", "hamming 0.75", "kaiser 2.5", "taylor 35"
    equalise_antenna : divide by the two-way azimuth pattern where the antenna is known
    minimum_exposure : share of aperture and pulse that must have been recorded, 0.5 to 1; less is NaN
    line_gain : amplitude factor for every pulse, to undo gain steps; empty: 1
    correct_iq : remove I/Q bias and imbalance found in the survey
    block_lines, strip_samples : output lines and samples computed at once; 0: chosen
    max_ram : bytes that the whole process may hold; 0: no bound
    threads : 0: all
    device : "cpu", or "cuda": stages that have a CUDA implementation run on the first CUDA device, the others on the
        processor, as `stages` tells; refused where there is none
    """

    doppler: str | Sequence[float] = "auto"
    ambiguities: tuple[int, int] = (-10, 10)
    doppler_bandwidth_hz: float = 0.0
    range_bandwidth_hz: float = 0.0
    azimuth_window: str = "hamming 0.75"
    range_window: str = "hamming 0.75"
    equalise_antenna: bool = True
    minimum_exposure: float = 1.0
    line_gain: Sequence[float] | npt.NDArray[np.floating[Any]] = ()
    correct_iq: bool = True
    block_lines: int = 0
    strip_samples: int = 0
    max_ram: int = 0
    threads: int = 0
    device: str = "cpu"


@dataclass(frozen=True)
class Slc:
    """A focused image in memory.

    Attributes
    ----------
    image : (lines, samples) complex64; zero-Doppler time down, slant range across; NaN where not fully exposed
    metadata : what a stranger needs to use it, plain data; docs/slc.md describes every field
    """

    image: Image
    metadata: dict[str, Any]


def window(name: str, option: str = "window") -> Any:
    """A native window from its name, such as "hamming 0.75"; `option` is whose, for the sentence of a refusal."""
    shape, _, parameter = name.partition(" ")
    shapes: dict[str, Any] = dict(_native.Window.Shape.__members__)
    defaults = {"rectangular": 0.0, "hamming": 0.75, "kaiser": 2.5, "taylor": 35.0}
    if shape not in shapes:
        raise BadInput(f"{option} is {name!r}; must be one of {', '.join(shapes)}, with its parameter")
    try:
        value = float(parameter) if parameter else defaults[shape]
    except ValueError:
        raise BadInput(f"{option} is {name!r}; its parameter must be a number") from None
    return _native.Window(shapes[shape], value)


class Focuser:
    """One scene being focused: made ready by the constructor, computed by `run`.

    Attributes
    ----------
    grid : the native SlcGrid of the image to come
    metadata : complete but for run times
    stages : after `run`, name, seconds, peak_bytes and device of every stage
    """

    @translate()
    def __init__(self, echoes: Any, options: Options | None = None, *, base_bytes: int = 0) -> None:
        self.options = options or Options()
        self.echoes = echoes
        self.acquisition: Acquisition = echoes.acquisition
        pulses, samples = echoes.shape
        if (pulses, samples) != (self.acquisition.pulses, self.acquisition.samples):
            raise BadInput(
                f"echoes is {pulses} x {samples}; the acquisition says {self.acquisition.pulses} pulses x "
                f"{self.acquisition.samples} samples"
            )
        planned = native_options(self.options, base_bytes)
        if planned.device == _native.Device.cuda:
            _native.cuda_devices()  # refused before the first pass reads anything
        if self.options.max_ram:
            # Refused before the first pass reads anything: the plan does not depend on the Doppler's small change.
            probe = self.acquisition.native()
            probe.doppler_centroid_hz = probe.doppler_centroid_hz or [0.0]
            self._plan(probe, planned)
        begin = time.perf_counter()
        self.statistics, self.input_sha256 = self._survey()
        self.survey_seconds = time.perf_counter() - begin
        self.corrections = _native.corrections_from(self.statistics) if self.options.correct_iq else _native.EchoCorrections()
        self.corrections.line_gain = np.asarray(self.options.line_gain, dtype=np.float32).tolist()
        native = self.acquisition.native()
        self.doppler = self._find_doppler(native)
        native.doppler_centroid_hz = self.doppler["coefficients_hz"]
        native.doppler_drift_hz_per_s = self.doppler["drift_hz_per_s"]
        self.native_acquisition = native
        self.plan = self._plan(native, planned)
        self.grid = self.plan.grid
        self.stages: list[dict[str, Any]] = []
        self.metadata = self._metadata()

    def _plan(self, native: Any, planned: Any) -> Any:
        return _native.FocusPlan(native, planned)

    def _read(self, first_line: int, lines: int, first_sample: int, samples: int) -> Image:
        block = self.echoes.read(first_line, lines)
        return np.ascontiguousarray(block[:, first_sample : first_sample + samples])

    def _survey(self) -> tuple[Any, str]:
        pulses, samples = self.echoes.shape
        survey = _native.EchoSurvey(samples, self.acquisition.prf_hz)
        digest = hashlib.sha256()
        step = max(1, SURVEY_BYTES // (8 * samples))
        for first in range(0, pulses, step):
            block = self.echoes.read(first, min(step, pulses - first))
            digest.update(memoryview(block).cast("B"))
            survey.add(block)
        return survey.result(), digest.hexdigest()

    def _find_doppler(self, native: Any) -> dict[str, Any]:
        wish = self.options.doppler
        if not isinstance(wish, str):
            return {"source": "given", "coefficients_hz": [float(c) for c in wish], "drift_hz_per_s": native.doppler_drift_hz_per_s}
        if wish not in ("auto", "attitude", "data"):
            raise BadInput(f"doppler is {wish!r}; must be auto, attitude, data or the coefficients of a polynomial")
        if wish == "auto" and native.doppler_centroid_hz:
            return {
                "source": "acquisition",
                "coefficients_hz": list(native.doppler_centroid_hz),
                "drift_hz_per_s": native.doppler_drift_hz_per_s,
            }
        predicted = _native.doppler_from_attitude(native)
        if wish == "attitude" and not predicted:
            raise BadInput("doppler is attitude; the acquisition must have an orbit and antenna frames")
        if wish != "data" and predicted:
            return {
                "source": "attitude",
                "coefficients_hz": predicted,
                "drift_hz_per_s": _native.doppler_drift_from_attitude(native),
            }
        fraction = _native.fractional_doppler(native, self.statistics)
        first, last = self.options.ambiguities
        if predicted:  # a pointing error of some hundredths of a degree: one ambiguity on either side at most
            near = round((predicted[0] - fraction[0]) / native.prf_hz)
            first, last = near - 1, near + 1
        found = _native.estimate_ambiguity(native, fraction, self._read, self.corrections, first, last)
        return {
            "source": "data",
            "coefficients_hz": found.doppler_centroid_hz,
            "drift_hz_per_s": _native.doppler_drift(native, self.statistics),
            "ambiguity": found.ambiguity,
            "sharpness_margin": found.margin,
        }

    @translate()
    def run(self, write: Write, progress: Progress | None = None) -> None:
        """Computes the image; `write(first_line, first_sample, block)` gets each block once, in order, in a thread."""
        report = self.plan.run(self._read, write, self.corrections, progress)
        self.stages = [{"name": "survey", "seconds": self.survey_seconds, "peak_bytes": SURVEY_BYTES, "device": "cpu"}]
        for s in report:
            self.stages.append({"name": s.name, "seconds": s.seconds, "peak_bytes": s.peak_bytes, "device": s.device.name})

    def _metadata(self) -> dict[str, Any]:
        g, s, o = self.grid, self.statistics, self.options
        edge = _edge(g.samples)
        return {
            "schema": "sidelook-slc-1",
            "lines": g.lines,
            "samples": g.samples,
            "first_line_time_s": g.first_line_time_s,
            "line_spacing_s": g.line_spacing_s,
            "first_sample_slant_range_m": g.first_slant_range_m,
            "sample_spacing_m": g.sample_spacing_m,
            "carrier_hz": self.acquisition.carrier_hz,
            "phase": "exp(-j 4 pi carrier_hz slant_range / c)",
            "doppler_centroid_hz": [[j, g.doppler_centroid_hz[j]] for j in edge],
            "range_spectrum_centre_cycles_per_sample": [[j, g.range_spectrum_centre[j]] for j in edge],
            "processed_doppler_bandwidth_hz": g.doppler_bandwidth_hz,
            "processed_range_bandwidth_hz": g.range_bandwidth_hz,
            # raised-cosine edges, centred on the ends of the processed bands
            "doppler_band_edge_hz": 0.05 * self.acquisition.prf_hz,
            "range_band_edge_hz": 0.02 * g.range_bandwidth_hz,
            "azimuth_window": window(o.azimuth_window).name,
            "range_window": window(o.range_window).name,
            "antenna_equalised": bool(o.equalise_antenna and self.acquisition.antenna.frames),
            "minimum_exposure": o.minimum_exposure,
            "valid_region": [[j, g.valid_first_line[j], g.valid_end_line[j]] for j in edge],
            "effective_velocity_m_per_s": g.effective_velocity_m_per_s,
            "doppler": self.doppler,
            "echoes": {
                "sha256": self.input_sha256,
                "damaged_pulses": s.damaged_lines,
                "silent_pulses": s.silent_lines,
                "bias": [s.mean_i, s.mean_q],
                "gain_ratio": s.gain_ratio,
                "quadrature_error_rad": s.quadrature_error_rad,
                "largest": s.largest,
                "share_at_largest": s.share_at_largest,
                "corrected": {
                    "bias": [self.corrections.bias_i, self.corrections.bias_q],
                    "gain_ratio": self.corrections.gain_ratio,
                    "quadrature_error_rad": self.corrections.quadrature_error_rad,
                    "line_gain": bool(len(self.corrections.line_gain)),
                },
            },
            "software": f"sidelook {_native.version()}",
            "fft_library": _native.fft_library(),
            "instruction_set": _native.instruction_set(),
            "device": o.device,
            "block_lines": self.plan.block_lines,
            "acquisition": self.acquisition.to_dict(),
        }


def focus(echoes: Any, acquisition: Acquisition | None = None, *, progress: Progress | None = None, **options: Any) -> Slc:
    """Focuses echoes into an image in memory.

    Parameters
    ----------
    echoes : (pulses, samples) complex64, the path of a CRSD or .npy file, or echoes that are open already
    acquisition : needed with an array
    options : fields of `Options`

    Raises
    ------
    BadInput, OverMemory
        One sentence with the argument, its value and the rule.
    """
    source = open_echoes(echoes, acquisition)
    job = Focuser(source, named_options("focus", options))
    image = np.empty((job.grid.lines, job.grid.samples), np.complex64)

    def write(line: int, sample: int, block: Image) -> None:
        image[line : line + block.shape[0], sample : sample + block.shape[1]] = block

    job.run(write, progress)
    return Slc(image, job.metadata)


def named_options(function: str, options: dict[str, Any]) -> Options:
    """Options from keywords of this function."""
    unknown = set(options) - {f.name for f in dataclasses.fields(Options)}
    if unknown:
        raise BadInput(f"{sorted(unknown)[0]} is no option of {function}; see sidelook.focusing.Options")
    return Options(**options)


def _edge(samples: int) -> list[int]:
    """At most 17 samples, first to last, between which slowly changing quantities may be interpolated."""
    return sorted({round(i * (samples - 1) / 16) for i in range(17)})


def native_options(o: Options, base_bytes: int = 0) -> Any:
    """The same as the native class."""
    native = _native.FocusOptions()
    native.azimuth_window = window(o.azimuth_window, "azimuth_window")
    native.range_window = window(o.range_window, "range_window")
    native.base_bytes = base_bytes
    whole = ("block_lines", "strip_samples", "max_ram", "threads")
    for name in ("doppler_bandwidth_hz", "range_bandwidth_hz", "equalise_antenna", "minimum_exposure", *whole):
        try:
            setattr(native, "max_bytes" if name == "max_ram" else name, getattr(o, name))
        except TypeError:
            kind = "a whole number" if name in whole else "a number"
            raise BadInput(f"{name} is {getattr(o, name)!r}; must be {kind} that the core can hold") from None
    devices: dict[str, Any] = dict(_native.Device.__members__)
    if o.device not in devices:
        raise BadInput(f"device is {o.device!r}; must be one of {', '.join(devices)}")
    native.device = devices[o.device]
    return native
