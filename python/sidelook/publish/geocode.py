"""Intensity on a map: a north-up grid of a projection, each pixel's value found by the exact range-Doppler equations."""

from __future__ import annotations

import functools
import json
import math
import pathlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sidelook import _native
from sidelook.errors import BadInput, Failure, translate
from sidelook.publish._gdal import crs, first_line, modules, quiet, wgs84
from sidelook.publish.image import IntensityReader

SCHEMA = "sidelook-map-1"
ITEM = "SIDELOOK_MAP"
TILE = 512  # pixels of the map computed at once, a side, as the tiles of the file
WINDOW_PIXELS = 1 << 24  # of the image read at once, 64 MiB
NODE_M = 5000.0  # the lattice's cubics are exact to a micrometre over that distance
NODE_PIXELS = 64
METRES_A_DEGREE = 111320.0
FINEST = 64  # map pixels for one of the image: more than eight a side say nothing new

INTERPOLATIONS = ("bilinear", "nearest")


@dataclass(frozen=True)
class MapGrid:
    """A north-up grid.

    Attributes
    ----------
    reference : of OSR, x (east, longitude) first
    code : as EPSG:32633; None for one without a number
    left, top : of the first pixel's outer corner (m or degrees)
    spacing : of pixels, both ways (m or degrees)
    cols, rows : its size
    """

    reference: Any
    code: str | None
    left: float
    top: float
    spacing: float
    cols: int
    rows: int

    @property
    def transform(self) -> tuple[float, float, float, float, float, float]:
        """GDAL's geotransform."""
        return self.left, self.spacing, 0.0, self.top, 0.0, -self.spacing

    @property
    def bbox(self) -> list[float]:
        """Left, bottom, right, top."""
        return [self.left, self.top - self.rows * self.spacing, self.left + self.cols * self.spacing, self.top]

    @functools.cached_property
    def spacing_m(self) -> float:
        """Of pixels, on the ground and in metres, along the meridian where the grid is one of degrees."""
        return self.spacing * (METRES_A_DEGREE if self.reference.IsGeographic() else self.reference.GetLinearUnits())

    def pixels(self, lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
        """x, y (n, 2) in GDAL's pixel coordinates, where the corner of the first pixel is (0, 0)."""
        m = modules()
        found = np.array(m.osr.CoordinateTransformation(wgs84(), self.reference).TransformPoints(lonlat.tolist()), float)[:, :2]
        return (found - [self.left, self.top]) / [self.spacing, -self.spacing]


def map_grid(image: IntensityReader, reference: str = "utm", spacing_m: float | None = None) -> MapGrid:
    """The grid that just holds an image, its corners at whole multiples of the spacing, so that grids of one spacing match.

    Parameters
    ----------
    reference : "utm" for the zone of the image's centre (beyond 84 degrees polar stereographic), or as EPSG:3035
    spacing_m : default: the coarser of the image's spacings on the ground, to two digits

    Raises
    ------
    BadInput
        If the reference system is none, does not reach the place, or the spacing is out of bounds.
    MissingAuxiliary
        If the image has no orbit.
    """
    place = image.require_place("a map")
    footprint = np.array(place.footprint(image.metadata.get("valid_region")))
    system = crs(_utm(footprint) if reference.lower() == "utm" else reference, "crs")
    if not (system.IsGeographic() or system.IsProjected()):
        raise BadInput(f"crs is {reference}; must be a projection or geographic coordinates")
    if system.IsGeographic() and not (footprint[:, 0].min() >= -180 and footprint[:, 0].max() <= 180):
        raise BadInput(f"crs is {reference}, in which {image.path} lies on both ends of the map, across the date line; give --crs utm")
    spacing = _spacing(image, system, spacing_m)
    edge = np.concatenate([np.linspace(a, b, 8, endpoint=False) for a, b in zip(footprint, footprint[1:], strict=False)])
    try:
        with quiet():
            transformation = modules().osr.CoordinateTransformation(wgs84(), system)
            outline = np.array(transformation.TransformPoints(edge.tolist()), float)[:, :2]
    except RuntimeError:
        outline = np.array([[math.inf, math.inf]])
    if not np.isfinite(outline).all():
        raise BadInput(f"crs is {reference}, which does not reach the place of {image.path}; must hold {_where(footprint)}")
    (left, bottom), (right, top) = np.floor(outline.min(axis=0) / spacing), np.ceil(outline.max(axis=0) / spacing)
    cols, rows = max(1, int(right - left)), max(1, int(top - bottom))
    if cols * rows > FINEST * image.lines * image.samples + (1 << 16):
        raise BadInput(f"spacing-m is {spacing_m}; gives {rows} x {cols} pixels, more than {FINEST} for each of the image's")
    name = f"EPSG:{system.GetAuthorityCode(None)}" if system.GetAuthorityName(None) == "EPSG" else None
    return MapGrid(system, name, float(left * spacing), float(top * spacing), spacing, cols, rows)


def _utm(footprint: NDArray[np.float64]) -> str:
    longitude, latitude = (float(v) for v in (footprint.min(axis=0) + footprint.max(axis=0)) / 2)
    if abs(latitude) > 84:
        return "EPSG:32661" if latitude > 0 else "EPSG:32761"
    zone = int((longitude + 180) % 360 // 6) + 1
    return f"EPSG:{(32600 if latitude >= 0 else 32700) + zone}"


def _spacing(image: IntensityReader, system: Any, spacing_m: float | None) -> float:
    """In the units of the map."""
    if spacing_m is None:
        known = [s for key in ("azimuth_spacing_m", "ground_range_spacing_m") if (s := image.mean_of(key)) is not None]
        if not known:
            raise BadInput(f"{image.path} does not say its spacing on the ground; give --spacing-m")
        spacing_m = float(f"{max(known):.1e}")
    if not (math.isfinite(spacing_m) and spacing_m > 0):
        raise BadInput(f"spacing-m is {spacing_m}; must be greater than 0")
    return spacing_m / METRES_A_DEGREE if system.IsGeographic() else float(spacing_m / system.GetLinearUnits())


def _where(footprint: NDArray[np.float64]) -> str:
    longitude, latitude = footprint[:-1].mean(axis=0)
    return f"{latitude:.2f}, {longitude:.2f}"


def lattice(grid: MapGrid, height_m: float) -> tuple[NDArray[np.float64], int]:
    """Latitude, longitude and height of the nodes that `_native.MapToRadar` asks for, and the map pixels between them."""
    step = max(1, min(NODE_PIXELS, int(NODE_M / grid.spacing_m)))
    rows, cols = (grid.rows - 1) // step + 4, (grid.cols - 1) // step + 4
    x = grid.left + ((np.arange(cols) - 1) * step + 0.5) * grid.spacing  # centres of pixels
    y = grid.top - ((np.arange(rows) - 1) * step + 0.5) * grid.spacing
    points = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    transformation = modules().osr.CoordinateTransformation(grid.reference, wgs84())
    lonlat = np.array(transformation.TransformPoints(points.tolist()), float)[:, :2]
    places = np.column_stack([lonlat[:, ::-1], np.full(len(lonlat), height_m)])
    return np.ascontiguousarray(places.reshape(rows, cols, 3)), step


class Geocoder:
    """Fills a map from an image, block by block; the result does not depend on the blocks."""

    @translate()
    def __init__(self, image: IntensityReader, grid: MapGrid, interpolation: str = "bilinear", threads: int = 0) -> None:
        place = image.require_place("a map")
        if interpolation not in INTERPOLATIONS:
            raise BadInput(f"interpolation is {interpolation}; must be bilinear or nearest")
        self.image, self.grid, self.threads = image, grid, threads
        self._how = getattr(_native.Interpolation, interpolation)
        self._map = _native.MapToRadar(place.orbit, place.look_side, place.grid, *lattice(grid, place.height_m))

    def blocks(self) -> Iterator[tuple[int, int, NDArray[np.float32]]]:
        """First row, first column and float32 power of the map, tile by tile; NaN where the image does not reach."""
        for row in range(0, self.grid.rows, TILE):
            for col in range(0, self.grid.cols, TILE):
                yield from self._block(row, col, min(TILE, self.grid.rows - row), min(TILE, self.grid.cols - col))

    def _block(self, row: int, col: int, rows: int, cols: int) -> Iterator[tuple[int, int, NDArray[np.float32]]]:
        line, sample, window = self._map.coordinates(row, col, rows, cols, self.threads)
        lines, samples = window.end_line - window.first_line, window.end_sample - window.first_sample
        if lines * samples > WINDOW_PIXELS and max(rows, cols) > 1:  # a coarse map of a large image
            if rows >= cols:
                yield from self._block(row, col, rows // 2, cols)
                yield from self._block(row + rows // 2, col, rows - rows // 2, cols)
            else:
                yield from self._block(row, col, rows, cols // 2)
                yield from self._block(row, col + cols // 2, rows, cols - cols // 2)
            return
        if lines > 0 and samples > 0:
            part = self.image.window(window.first_line, window.first_sample, lines, samples)
        else:
            part = np.empty((0, 0), np.float32)
        yield row, col, _native.resample(part, window.first_line, window.first_sample, line, sample, self._how, self.threads)


def write_map(
    path: pathlib.Path,
    geocoder: Geocoder,
    metadata: dict[str, Any],
    scratch: pathlib.Path,
    progress: Callable[[float], None] = lambda share: None,
) -> dict[str, float]:
    """Writes the map as a cloud-optimised GeoTIFF and returns its statistics.

    Parameters
    ----------
    path : of the file, replaced
    metadata : its JSON, in the item SIDELOOK_MAP; with `quantity` and `software`
    scratch : folder for the map before its tiles are put in order
    """
    grid, gdal = geocoder.grid, modules().gdal
    raw = scratch / "map.tif"
    try:
        with quiet():
            dataset = gdal.GetDriverByName("GTiff").Create(
                str(raw), grid.cols, grid.rows, 1, gdal.GDT_Float32,
                ["TILED=YES", f"BLOCKXSIZE={TILE}", f"BLOCKYSIZE={TILE}", "BIGTIFF=IF_SAFER", "SPARSE_OK=TRUE"],
            )  # fmt: skip
            dataset.SetGeoTransform(grid.transform)
            dataset.SetProjection(grid.reference.ExportToWkt())
            # the COG driver of GDAL 3.6 keeps the default domain only
            dataset.SetMetadataItem(ITEM, json.dumps(metadata, allow_nan=False))
            dataset.SetMetadataItem("TIFFTAG_SOFTWARE", metadata["software"])
            dataset.SetMetadataItem("AREA_OR_POINT", "Area")
            band = dataset.GetRasterBand(1)
            band.SetDescription(f"{metadata['quantity']}, linear power")
            band.SetNoDataValue(float("nan"))
            for row, col, block in geocoder.blocks():
                band.WriteArray(block, col, row)
                progress(0.8 * (row + block.shape[0]) / grid.rows)
            dataset.FlushCache()
            statistics = _statistics(band, grid)
            copy = gdal.GetDriverByName("COG").CreateCopy(
                str(path), dataset, options=["COMPRESS=DEFLATE", "PREDICTOR=YES", f"BLOCKSIZE={TILE}", "OVERVIEW_RESAMPLING=AVERAGE",
                                             "BIGTIFF=IF_SAFER"],
            )  # fmt: skip
            copy.FlushCache()
            del copy, band, dataset
    except RuntimeError as error:
        raise Failure(f"{path} cannot be written: {first_line(error)}") from None
    progress(1.0)
    return statistics


def _statistics(band: Any, grid: MapGrid) -> dict[str, float]:
    """Of the pixels that are numbers, by GDAL; only their share (%) where none is."""
    try:
        least, greatest, mean, deviation = band.ComputeStatistics(False)
        share = float(band.GetMetadataItem("STATISTICS_VALID_PERCENT"))
    except RuntimeError:
        return {"valid_percent": 0.0}
    return {"minimum": least, "maximum": greatest, "mean": mean, "stddev": deviation, "valid_percent": share}
