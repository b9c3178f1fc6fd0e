"""Calibrated intensity as `sidelook calibrate` writes it: opened, checked, located, read by windows."""

from __future__ import annotations

import functools
import hashlib
import json
import math
import os
import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sidelook import _native
from sidelook.acquisition import Acquisition
from sidelook.errors import BadInput, MissingAuxiliary, from_os_error, translate
from sidelook.publish._gdal import first_line, modules, quiet
from sidelook.slc import DOMAIN

ITEM = "intensity"
GRID = ("first_line_time_s", "line_spacing_s", "first_sample_slant_range_m", "sample_spacing_m")


class IntensityReader:
    """A float32 image of linear power on the zero-Doppler grid.

    Attributes
    ----------
    path : of the file
    metadata : the JSON object of the item `intensity` in the metadata domain SIDELOOK
    lines, samples : its shape
    acquisition : of the echoes; its orbit may be empty

    Raises
    ------
    BadInput
        If it cannot be read, is complex, or lacks the metadata that place a pixel.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        gdal = modules().gdal
        try:
            with quiet():
                self.dataset = gdal.Open(self.path)
        except RuntimeError as error:
            raise BadInput(f"{self.path} cannot be read: {first_line(error)}") from None
        self.band = self.dataset.GetRasterBand(1)
        self.lines, self.samples = self.dataset.RasterYSize, self.dataset.RasterXSize
        kind = gdal.GetDataTypeName(self.band.DataType)
        if gdal.DataTypeIsComplex(self.band.DataType):
            raise BadInput(f"{self.path} has complex pixels ({kind}); must be intensity: run sidelook calibrate first")
        self.metadata = self._read_metadata()
        if self.band.DataType != gdal.GDT_Float32:
            raise BadInput(f"{self.path} has pixels of type {kind}; must be Float32, linear power")
        acquisition = source_of(self.metadata).get("acquisition")
        if not isinstance(acquisition, dict):
            raise BadInput(f"{self.path} has no acquisition in its SIDELOOK metadata; must be written by sidelook calibrate")
        self.acquisition = Acquisition.from_json(acquisition)

    def _read_metadata(self) -> dict[str, Any]:
        text = self.dataset.GetMetadataItem(ITEM, DOMAIN)
        if text is None:
            raise BadInput(
                f"{self.path} has no item '{ITEM}' in the metadata domain {DOMAIN}, which says how far apart its pixels are; "
                "must be written by sidelook calibrate"
            )
        try:
            metadata = json.loads(text)
        except ValueError:
            metadata = None
        if not isinstance(metadata, dict):
            raise BadInput(f"{self.path} has metadata item '{ITEM}' that is no JSON object; must be written by sidelook calibrate")
        for name in GRID:
            value = metadata.get(name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
                raise BadInput(f"{self.path} has {name} = {value} in its SIDELOOK metadata; must be a number")
        for name in ("line_spacing_s", "sample_spacing_m"):
            if metadata[name] <= 0:
                raise BadInput(f"{self.path} has {name} = {metadata[name]} in its SIDELOOK metadata; must be greater than 0")
        shape = (metadata.get("lines"), metadata.get("samples"))
        if shape != (self.lines, self.samples):
            raise BadInput(
                f"{self.path} is {self.lines} x {self.samples}, its SIDELOOK metadata say {shape[0]} x {shape[1]}; must be the same"
            )
        return metadata

    def check_pixels(self, *, negative: bool = False) -> tuple[float, float]:
        """Least and greatest power, read once through by GDAL; `negative` allows what a subtracted noise leaves.

        Raises
        ------
        BadInput
            If a pixel is negative (as decibels are) or infinite, or none is a number.
        """
        try:
            with quiet():
                least, greatest = self.band.ComputeRasterMinMax(False)
        except (RuntimeError, TypeError):
            least = greatest = math.nan
        if math.isnan(least) or math.isnan(greatest):
            raise BadInput(f"{self.path} holds no pixel that is a number; nothing is left to search or to show")
        if least < 0 and not negative:
            why = "must be linear power, not decibels"
            if self.metadata.get("noise_subtracted"):
                why = "its noise was taken away; must be calibrated without --subtract-noise"
            raise BadInput(f"{self.path} holds negative values, the least {least:g}; {why}")
        if math.isinf(greatest):
            raise BadInput(f"{self.path} holds infinite values; must be finite, or NaN where there is no image")
        return least, greatest

    def window(self, line: int, sample: int, lines: int, samples: int) -> NDArray[np.float32]:
        """A part of the image, float32 (lines, samples)."""
        try:
            part: NDArray[np.float32] = self.band.ReadAsArray(sample, line, samples, lines)
        except RuntimeError as error:
            raise BadInput(f"{self.path} cannot be read: {first_line(error)}") from None
        return part

    @functools.cached_property
    def sha256(self) -> str:
        """Of the file."""
        digest = hashlib.sha256()
        try:
            with open(self.path, "rb") as file:
                while chunk := file.read(1 << 20):
                    digest.update(chunk)
        except OSError as error:
            raise from_os_error(error, self.path, "read") from None
        return digest.hexdigest()

    @property
    def name(self) -> str:
        """Of the file, without its folder."""
        return pathlib.Path(self.path).name

    @functools.cached_property
    def place(self) -> Place | None:
        """Where its pixels lie on the Earth; None without an orbit."""
        return Place.of(self.metadata)

    def require_place(self, what: str) -> Place:
        """The same; refused without an orbit, `what` saying what needs it."""
        if self.place is None:
            raise MissingAuxiliary(f"{self.path} has no orbit in its acquisition; {what} needs one")
        return self.place

    def mean_of(self, key: str) -> float | None:
        """A quantity of the metadata in the middle of the swath: a number or a table [[sample, value], ...]; None if absent."""
        return value_at(self.metadata.get(key), (self.samples - 1) / 2)


def source_of(metadata: dict[str, Any]) -> dict[str, Any]:
    """Metadata of the focused image that an intensity was made from; empty if they are not there."""
    source = metadata.get("source")
    return source if isinstance(source, dict) else {}


def value_at(table: Any, sample: float) -> float | None:
    """A number, or a table [[sample, value], ...] interpolated linearly; None for anything else."""
    if isinstance(table, int | float) and not isinstance(table, bool):
        return float(table)
    try:
        samples, values = zip(*((float(s), float(v)) for s, v in table), strict=True)
    except (TypeError, ValueError):
        return None
    value = float(np.interp(sample, samples, values))
    return value if math.isfinite(value) else None


class Place:
    """Between pixels of one image and places on the ellipsoid plus the acquisition's terrain height.

    Pixels are fractional and integers are their centres; places are degrees, longitude first.
    """

    def __init__(self, metadata: dict[str, Any], acquisition: Acquisition) -> None:
        native = acquisition.native()
        self.orbit = _native.Orbit(native.orbit)
        self.look_side = native.look_side
        self.height_m = acquisition.terrain_height_m
        self._first_line_s, self._line_s, self._first_m, self._sample_m = (float(metadata[name]) for name in GRID)
        self.grid = _native.RadarGrid(
            self._first_line_s, self._line_s, self._first_m, self._sample_m, metadata["lines"], metadata["samples"]
        )

    @classmethod
    def of(cls, metadata: dict[str, Any]) -> Place | None:
        """From the metadata of an intensity image; None if it has no orbit."""
        acquisition = Acquisition.from_json(source_of(metadata)["acquisition"])
        return cls(metadata, acquisition) if acquisition.orbit else None

    @translate()
    def lonlat(self, line: Sequence[float] | NDArray[Any], sample: Sequence[float] | NDArray[Any]) -> NDArray[np.float64]:
        """Longitude and latitude (n, 2) of pixels."""
        time_s = self._first_line_s + np.asarray(line, float) * self._line_s
        range_m = self._first_m + np.asarray(sample, float) * self._sample_m
        places = self.orbit.radar_to_geodetic(time_s, range_m, np.full(time_s.shape, self.height_m), self.look_side)
        return np.asarray(places)[:, 1::-1]

    @translate()
    def pixels(self, lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
        """Line and sample (n, 2) of places; those beyond the orbit as if the track went straight on."""
        height = np.full((len(lonlat), 1), self.height_m)
        radar = self.orbit.geodetic_to_radar_continued(np.ascontiguousarray(np.hstack([lonlat[:, 1::-1], height])))
        return (np.asarray(radar) - [self._first_line_s, self._first_m]) / [self._line_s, self._sample_m]

    def outline(self, first_line: float, end_line: float, first_sample: float, end_sample: float) -> list[tuple[float, float]]:
        """Closed ring of longitude and latitude around a box of pixels, their corners included, counter-clockwise."""
        top, bottom, left, right = first_line - 0.5, end_line - 0.5, first_sample - 0.5, end_sample - 0.5
        return ring(self.lonlat([top, bottom, bottom, top], [left, left, right, right]))

    def footprint(self, valid_region: Any = None) -> list[tuple[float, float]]:
        """Closed ring around the image, counter-clockwise, longitudes running on over the date line.

        `valid_region`, triples [sample, first line, end line], cuts off lines that hold nothing.
        """
        lines, samples = self.grid.lines, self.grid.samples
        region = _region(valid_region, lines, samples)
        near = [(first, sample) for sample, first, _ in region]
        far = [(end, sample) for sample, _, end in reversed(region)]
        corners = np.array(near + far) - [0.5, 0.0]
        corners[:, 1] += np.where(corners[:, 1] <= 0, -0.5, np.where(corners[:, 1] >= samples - 1, 0.5, 0))
        return ring(self.lonlat(corners[:, 0], corners[:, 1]))


def _region(table: Any, lines: int, samples: int) -> list[tuple[float, float, float]]:
    """Triples (sample, first line, end line) with something in them; a whole image where the table is none."""
    try:
        region = [(float(j), float(first), float(end)) for j, first, end in table if end > first]
    except (TypeError, ValueError):
        region = []
    if len(region) < 2:
        region = [(j, 0.0, float(lines)) for j in np.linspace(0, samples - 1, 9)]
    return region


def ring(lonlat: NDArray[np.float64]) -> list[tuple[float, float]]:
    """Closed and counter-clockwise (RFC 7946), each longitude within 180 degrees of the first."""
    lon = lonlat[0, 0] + np.remainder(lonlat[:, 0] - lonlat[0, 0] + 180, 360) - 180
    lat = lonlat[:, 1]
    doubled_area = np.sum(lon * np.roll(lat, -1) - np.roll(lon, -1) * lat)
    corners = list(zip(lon.tolist(), lat.tolist(), strict=True))
    if doubled_area < 0:
        corners.reverse()
    return [*corners, corners[0]]
