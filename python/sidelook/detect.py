"""Ships in an intensity image: arrays in, a list of objects out. Pixels are touched in the native core only.

docs/detection.md tells how clutter is modelled, how objects are measured and what the figures are worth.
"""

from __future__ import annotations

import dataclasses
import datetime
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sidelook import _native
from sidelook.acquisition import Acquisition
from sidelook.detections import Detection, Detections
from sidelook.errors import BadInput, translate

Read = Callable[[int, int, int, int], npt.NDArray[np.float32]]
"""(first line, lines, first sample, samples) -> intensity (lines, samples)"""
ReadMask = Callable[[int, int, int, int], npt.NDArray[np.uint8]]
Progress = Callable[[float], None]


@dataclass(frozen=True)
class Options:
    """How to search. The defaults are those of `sidelook detect`.

    Attributes
    ----------
    false_alarm_rate : of a pixel of clutter, above 0 and below 0.1
    certain_rate : an object fainter than the level that this share of the clutter exceeds is kept only if it shows a
        hull; false_alarm_rate: every object is kept
    clutter : "k" (textured sea) or "gamma" (speckle alone)
    training, guard : sides of the windows (pixels, odd, training 9 to 65): clutter is measured between them
    grow_rate : objects grow from their seeds to pixels that this share of the clutter exceeds
    merge_m : fragments nearer than this on the ground are one object
    land_area_km2, land_buffer_m : with land="scene": the smallest land, and how far around it nothing is searched
    block_lines : lines read at once, at most
    max_ram : bytes that the whole process may hold; 0: no bound
    threads : 0: all; the result does not depend on it
    device : "cpu", or "cuda": the ratio is computed on the first CUDA device
    """

    false_alarm_rate: float = 3e-7
    certain_rate: float = 1e-8
    clutter: str = "k"
    training: int = 31
    guard: int = 15
    grow_rate: float = 2e-3
    merge_m: float = 25.0
    land_area_km2: float = 0.4
    land_buffer_m: float = 60.0
    block_lines: int = 256
    max_ram: int = 0
    threads: int = 0
    device: str = "cpu"

    def native(self) -> Any:
        """The same as `sidelook._native.DetectOptions`."""
        kinds = _native.Clutter.__members__
        if self.clutter not in kinds:
            raise BadInput(f"clutter is {self.clutter!r}; must be one of {', '.join(kinds)}")
        devices: dict[str, Any] = dict(_native.Device.__members__)
        if self.device not in devices:
            raise BadInput(f"device is {self.device!r}; must be one of {', '.join(devices)}")
        o = _native.DetectOptions()
        o.windows = _native.CfarWindows(self.training, self.guard)
        o.clutter = kinds[self.clutter]
        o.device = devices[self.device]
        for field in dataclasses.fields(self):
            if field.name not in ("clutter", "training", "guard", "device", "max_ram"):
                setattr(o, field.name, getattr(self, field.name))
        o.max_bytes = self.max_ram
        o.grow_rate = max(self.grow_rate, self.false_alarm_rate)
        return o


def detect(
    intensity: npt.NDArray[np.float32] | Read,
    metadata: dict[str, Any],
    options: Options | None = None,
    *,
    land: npt.NDArray[np.uint8] | ReadMask | str | None = None,
    mask_too: npt.NDArray[np.uint8] | ReadMask | None = None,
    progress: Progress | None = None,
    base_bytes: int = 0,
    **changes: Any,
) -> Detections:
    """Finds ships.

    Parameters
    ----------
    intensity : (lines, samples) float32, linear power; NaN or 0 where there is no echo. Or a callable that returns a
        part of it, (first line, lines, first sample, samples): the image then need not fit in memory
    metadata : of the image, schema "sidelook-intensity-1"
    options : see `Options`; `changes` replace fields of it
    land : None; (lines, samples) uint8 or bool, not 0 on land, or a callable as `intensity`; "scene": land is found
        in the image itself
    mask_too : a mask besides land="scene"
    progress : called with the share done
    base_bytes : what the process holds already, where max_ram bounds it

    Raises
    ------
    BadInput
        One sentence with the argument, its value and the rule.
    MissingAuxiliary
        If the device is not there; said before anything is read.
    """
    options = options or Options()
    unknown = set(changes) - {f.name for f in dataclasses.fields(Options)}
    if unknown:
        raise BadInput(f"{sorted(unknown)[0]} is no option of detect; see sidelook.detect.Options")
    options = dataclasses.replace(options, **changes)
    image = image_from(metadata)
    native = options.native()
    native.base_bytes = base_bytes
    mask: Any = mask_too
    if isinstance(land, str):
        if land != "scene":
            raise BadInput(f"land is {land!r}; must be 'scene', a mask or None")
        native.land = _native.LandSource.scene
    elif land is not None:
        mask = land
    read = intensity if callable(intensity) else _reader(intensity, "intensity", (np.dtype(np.float32),), image)
    if mask is not None and not callable(mask):
        mask = _reader(mask, "land", (np.dtype(np.uint8), np.dtype(np.bool_)), image)
    with translate():
        report = _native.detect(image, native, read, mask, progress)
    return _detections(report, image, options, metadata)


def image_from(metadata: dict[str, Any]) -> Any:
    """What the native core needs to know, `sidelook._native.IntensityImage`, from metadata "sidelook-intensity-1"."""
    schema = metadata.get("schema")
    if schema != "sidelook-intensity-1":
        raise BadInput(f"image has metadata of schema {schema!r}; must be 'sidelook-intensity-1'")
    image = _native.IntensityImage()
    samples = _number(metadata, "samples", int)
    image.lines, image.samples = _number(metadata, "lines", int), samples
    image.first_line_time_s = _number(metadata, "first_line_time_s")
    image.line_spacing_s = _number(metadata, "line_spacing_s")
    image.first_slant_range_m = _number(metadata, "first_sample_slant_range_m")
    image.sample_spacing_m = _number(metadata, "sample_spacing_m")
    for name in ("azimuth_spacing_m", "ground_range_spacing_m"):
        setattr(image, name, _table(metadata, name, samples))
    image.azimuth_resolution_m = _table(metadata, "resolution_azimuth_m", samples)
    image.ground_range_resolution_m = _table(metadata, "resolution_ground_range_m", samples)
    if metadata.get("noise_subtracted"):
        raise BadInput("image has its noise taken away; must still have it, so that its statistics are those of clutter")
    looks = metadata.get("looks") or [1, 1]
    if metadata.get("equivalent_number_of_looks") is None:  # unknown: the fit of the clutter finds them
        image.equivalent_looks = float(looks[0] * looks[1])
    else:
        image.equivalent_looks = _number(metadata, "equivalent_number_of_looks")
    slc = metadata.get("source") or {}
    if slc.get("acquisition"):
        acquisition = Acquisition.from_json(slc["acquisition"])
        native = acquisition.native()
        image.prf_hz, image.carrier_hz = native.prf_hz, native.carrier_hz
        image.effective_velocity_m_per_s = float(slc.get("effective_velocity_m_per_s") or 0.0)
        image.orbit = native.orbit
        image.look_side = native.look_side
        image.terrain_height_m = native.terrain_height_m
        if slc.get("doppler_centroid_hz"):
            # by sample of the single-look image: to this image's samples through their slant ranges
            table = np.asarray(slc["doppler_centroid_hz"], float)
            at = slc["first_sample_slant_range_m"] + table[:, 0] * slc["sample_spacing_m"]
            here = image.first_slant_range_m + np.arange(samples) * image.sample_spacing_m
            image.doppler_centroid_hz = np.interp(here, at, table[:, 1]).tolist()
    return image


def _number(metadata: dict[str, Any], name: str, kind: Callable[[Any], Any] = float) -> Any:
    value = metadata.get(name)
    if not isinstance(value, (int, float)) or not math.isfinite(value):
        raise BadInput(f"image has {name} {value!r} in its metadata; must be a number")
    return kind(value)


def _table(metadata: dict[str, Any], name: str, samples: int) -> list[float]:
    """[[sample, value], ...] at every sample; a number stands for all of them."""
    value = metadata.get(name)
    if value is None:
        raise BadInput(f"image has no {name} in its metadata; must have one, so that objects have a size")
    table = np.asarray(value if isinstance(value, (list, tuple)) else [[0, value]], float)
    if table.ndim != 2 or table.shape[1] != 2 or len(table) == 0:
        raise BadInput(f"image has {name} of shape {table.shape} in its metadata; must be [[sample, value], ...]")
    values: list[float] = np.interp(np.arange(samples), table[:, 0], table[:, 1]).tolist()
    return values


def _reader(array: Any, name: str, kinds: tuple[np.dtype[Any], ...], image: Any) -> Callable[[int, int, int, int], Any]:
    array = np.asarray(array)
    if array.dtype not in kinds:
        what = "; an image of complex samples must be detected and multilooked first" if array.dtype.kind == "c" else ""
        raise BadInput(f"{name} has dtype {array.dtype}; must be {kinds[0]}{what}")
    if array.shape != (image.lines, image.samples):
        raise BadInput(f"{name} has shape {array.shape}; must be that of the image, ({image.lines}, {image.samples})")
    if array.dtype == np.bool_:
        array = array.view(np.uint8)
    return lambda line, lines, sample, samples: array[line : line + lines, sample : sample + samples]


def _detections(report: Any, image: Any, options: Options, metadata: dict[str, Any]) -> Detections:
    epoch = _epoch(metadata)
    objects = [_detection(o, image, epoch) for o in report.objects]
    return Detections(
        objects,
        report.area_searched_m2 * 1e-6,
        {
            "detector": f"cfar {options.clutter}",
            "options": dataclasses.asdict(options),
            "false_alarm_rate": options.false_alarm_rate,
            "grow_level": report.grow_level,
            "zones": [
                {
                    "first_sample": z.first_sample,
                    "end_sample": z.end_sample,
                    "threshold": z.threshold,
                    "certain": z.certain,
                    "ratio_mean": z.mean,
                    "looks": z.looks,
                    "order": z.order if z.order < 1e4 else None,
                    "share": z.share,
                    "pixels": z.pixels,
                }
                for z in report.clutter
            ],
            "pixels_searched": report.pixels_searched,
            "pixels_land": report.pixels_land,
            "pixels_above_threshold": report.pixels_above,
            "quantity": metadata.get("quantity"),
            "software": f"sidelook {_native.version()}",
            "instruction_set": _native.instruction_set(),
            "device": report.device.name,
        },
    )


def _epoch(metadata: dict[str, Any]) -> datetime.datetime | None:
    text = ((metadata.get("source") or {}).get("acquisition") or {}).get("epoch_utc")
    if not text:
        return None
    try:
        parsed = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    return parsed.replace(tzinfo=None)


def _db(value: float) -> float:
    return 10 * math.log10(max(value, 1e-30))


def _detection(o: Any, image: Any, epoch: datetime.datetime | None) -> Detection:
    time_s = image.first_line_time_s + o.line * image.line_spacing_s
    utc = None
    if epoch is not None:
        utc = (epoch + datetime.timedelta(seconds=time_s)).isoformat(timespec="microseconds") + "Z"
    place = o.place
    return Detection(
        line=o.line,
        sample=o.sample,
        line_sigma=o.line_sigma,
        sample_sigma=o.sample_sigma,
        zero_doppler_time_s=time_s,
        slant_range_m=image.first_slant_range_m + o.sample * image.sample_spacing_m,
        time_utc=utc,
        latitude_deg=place[0] if place else None,
        longitude_deg=place[1] if place else None,
        position_sigma_m=o.position_sigma_m,
        azimuth_sigma_m=o.azimuth_sigma_m,
        ground_range_sigma_m=o.ground_range_sigma_m,
        length_m=o.length_m,
        length_sigma_m=o.length_sigma_m,
        width_m=o.width_m,
        width_sigma_m=o.width_sigma_m,
        heading_deg=o.heading_deg,
        heading_sigma_deg=o.axis_sigma_deg if o.heading_deg is not None else None,
        rcs_dbsm=_db(o.energy_m2),
        scr_db=_db(o.peak_ratio),
        clutter_db=_db(o.clutter),
        pixels=o.pixels,
        first_line=o.first_line,
        end_line=o.end_line,
        first_sample=o.first_sample,
        end_sample=o.end_sample,
        flags=tuple(name for name in ("azimuth_ambiguity", "side_lobe", "land", "edge") if getattr(o, name)),
    )
