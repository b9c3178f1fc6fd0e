"""Focused images as GeoTIFF (CFloat32) with ground control points and metadata, and their quicklooks, through GDAL."""

from __future__ import annotations

import json
import os
import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from sidelook import _native
from sidelook._cli_common import AtomicFile
from sidelook.acquisition import Acquisition
from sidelook.errors import BadInput, Failure, MissingAuxiliary
from sidelook.focusing import Image, Slc

DOMAIN = "SIDELOOK"
GCP_ROWS, GCP_COLUMNS = 11, 11
QUICKLOOK_PIXELS = 1600


def gdal() -> Any:
    """osgeo.gdal with exceptions on, or the sentence that says what to install."""
    try:
        from osgeo import gdal as module
        from osgeo import gdal_array  # noqa: F401  # fails where GDAL was built without numpy
    except ImportError as error:
        raise MissingAuxiliary(
            f"GDAL's Python bindings are not installed ({error}); install libgdal-dev, then in this environment "
            "pip install numpy setuptools wheel && pip install --no-build-isolation --no-binary gdal "
            '"gdal==$(gdal-config --version)"'
        ) from None
    module.UseExceptions()
    return module


class SlcFile:
    """Writes a focused image block by block; the files appear under their names only when all is written.

    Parameters
    ----------
    path : of the GeoTIFF; the quicklook goes to the same name with .quicklook.png
    grid : native SlcGrid
    metadata : of the image, plain data
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        grid: Any,
        metadata: dict[str, Any],
        *,
        driver: str = "GTiff",
        creation_options: Sequence[str] = (),
        overwrite: bool = False,
    ) -> None:
        self._gdal = gdal()
        self._driver = self._gdal.GetDriverByName(driver)
        if self._driver is None:
            raise BadInput(f"--of is {driver}; GDAL has no driver of that name")
        self._grid, self._metadata = grid, metadata
        self._options = list(creation_options)
        if driver == "GTiff" and not any(o.upper().startswith("BIGTIFF=") for o in self._options):
            self._options.append("BIGTIFF=IF_SAFER")
        target = pathlib.Path(path)
        self._image_file = AtomicFile(target, overwrite=overwrite)
        self.quicklook_path = target.with_suffix(".quicklook.png")
        self._picture_file = AtomicFile(self.quicklook_path, overwrite=overwrite)
        self._dataset: Any = None
        looks = quicklook_looks(metadata)
        self._quicklook = _native.Quicklook(grid.lines, grid.samples, *looks)
        metadata["quicklook_looks"] = list(looks)

    def __enter__(self) -> SlcFile:
        self._image_file.__enter__()
        try:
            self._picture_file.__enter__()
            self._create()
        except BaseException as error:
            self._picture_file.__exit__(type(error), error, None)
            self._image_file.__exit__(type(error), error, None)
            raise
        return self

    def _create(self) -> None:
        g = self._grid
        try:
            self._dataset = self._driver.Create(
                str(self._image_file.temporary), g.samples, g.lines, 1, self._gdal.GDT_CFloat32, self._options
            )
        except RuntimeError as error:
            raise BadInput(f"{self._image_file.path} cannot be created: {_first_line(error)}") from None
        self._dataset.SetMetadataItem("slc", json.dumps(self._metadata, allow_nan=False), DOMAIN)
        self._dataset.SetMetadataItem("AREA_OR_POINT", "Area")
        band = self._dataset.GetRasterBand(1)
        band.SetDescription("SLC, zero Doppler")
        band.SetNoDataValue(float("nan"))
        points = control_points(self._metadata)
        if points:
            gcps = [self._gdal.GCP(lon, lat, height, column, row) for row, column, lat, lon, height in points]
            self._dataset.SetGCPs(gcps, _WGS84)

    def write(self, first_line: int, first_sample: int, block: Image) -> None:
        """Takes block (lines, samples) complex64 at this place."""
        self._quicklook.add(first_line, first_sample, block)
        try:
            self._dataset.GetRasterBand(1).WriteArray(block, first_sample, first_line)
        except RuntimeError as error:
            raise _write_failure(self._image_file.path, error) from None

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        try:
            if kind is None:
                self._finish()
        except BaseException as refused:
            kind, error = type(refused), refused
            raise
        finally:
            self._dataset = None
            try:
                self._picture_file.__exit__(kind, error, traceback)
            finally:
                self._image_file.__exit__(kind, error, traceback)

    def _finish(self) -> None:
        try:
            self._dataset.FlushCache()
            self._dataset = None
        except RuntimeError as error:
            raise _write_failure(self._image_file.path, error) from None
        write_png(self._picture_file.temporary, self._quicklook.render())


def write_png(path: pathlib.Path, grey: Any) -> None:
    """(rows, columns) uint8 as a grey PNG."""
    module = gdal()
    memory = module.GetDriverByName("MEM").Create("", grey.shape[1], grey.shape[0], 1, module.GDT_Byte)
    memory.GetRasterBand(1).WriteArray(grey)
    try:
        copy = module.GetDriverByName("PNG").CreateCopy(str(path), memory)
        copy.FlushCache()
        del copy
    except RuntimeError as error:
        raise _write_failure(path, error) from None


def write_slc(path: str | os.PathLike[str], slc: Slc, *, overwrite: bool = False, **options: Any) -> None:
    """Writes an image in memory as GeoTIFF, with its quicklook beside it."""

    class Grid:
        lines, samples = slc.image.shape

    with SlcFile(path, Grid, dict(slc.metadata), overwrite=overwrite, **options) as file:
        file.write(0, 0, slc.image)


def read_slc(path: str | os.PathLike[str]) -> Slc:
    """Reads a whole image that `SlcFile` wrote.

    Raises
    ------
    BadInput
        If the file is no such image.
    """
    try:
        dataset = gdal().Open(str(path))
    except RuntimeError as error:
        raise BadInput(f"{path} cannot be read: {_first_line(error)}") from None
    text = dataset.GetMetadataItem("slc", DOMAIN)
    if text is None:
        raise BadInput(f"{path} has no item 'slc' in the metadata domain {DOMAIN}; must be an image focused by sidelook")
    image: Image = dataset.GetRasterBand(1).ReadAsArray().astype(np.complex64, copy=False)
    return Slc(image, json.loads(text))


def read_window(path: str | os.PathLike[str], line: int, sample: int, lines: int, samples: int) -> Image:
    """A part of an image as complex64 (lines, samples)."""
    try:
        dataset = gdal().Open(str(path))  # held: a band outlives its dataset only in Python, and then crashes
        window: Image = dataset.GetRasterBand(1).ReadAsArray(sample, line, samples, lines).astype(np.complex64, copy=False)
    except RuntimeError as error:
        raise BadInput(f"{path} cannot be read: {_first_line(error)}") from None
    return window


def quicklook_looks(metadata: dict[str, Any]) -> tuple[int, int]:
    """Looks (azimuth, range) that make about square pixels on the ground and a picture of handy size."""
    azimuth_m = metadata["effective_velocity_m_per_s"] * 0.94 * metadata["line_spacing_s"]  # the beam moves slower than the platform
    range_m = metadata["sample_spacing_m"] / 0.6  # incidence about 37 degrees
    side = max(azimuth_m, range_m)
    shrink = max(
        1.0,
        metadata["lines"] * azimuth_m / side / QUICKLOOK_PIXELS,
        metadata["samples"] * range_m / side / QUICKLOOK_PIXELS,
    )
    return max(1, round(shrink * side / azimuth_m)), max(1, round(shrink * side / range_m))


def control_points(metadata: dict[str, Any]) -> list[tuple[float, float, float, float, float]]:
    """(row, column, latitude, longitude, height) at corners, edges and between; empty without an orbit.

    Rows and columns are GDAL's: the centre of pixel (i, j) is (i + 0.5, j + 0.5).
    """
    acquisition = Acquisition.from_json(metadata["acquisition"])
    if not acquisition.orbit:
        return []
    native = acquisition.native()
    orbit = _native.Orbit(native.orbit)
    rows = np.linspace(0, metadata["lines"], GCP_ROWS)
    columns = np.linspace(0, metadata["samples"], GCP_COLUMNS)
    row, column = (a.ravel() for a in np.meshgrid(rows, columns, indexing="ij"))
    time_s = metadata["first_line_time_s"] + (row - 0.5) * metadata["line_spacing_s"]
    range_m = metadata["first_sample_slant_range_m"] + (column - 0.5) * metadata["sample_spacing_m"]
    height = np.full(row.shape, acquisition.terrain_height_m)
    places = orbit.radar_to_geodetic(time_s, range_m, height, native.look_side)
    return [(r, c, *place) for r, c, place in zip(row.tolist(), column.tolist(), places.tolist(), strict=True)]


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


def _write_failure(path: pathlib.Path, error: RuntimeError) -> Exception:
    try:
        free = os.statvfs(path.parent).f_bavail * os.statvfs(path.parent).f_frsize
    except OSError:
        return Failure(f"{path} cannot be written: {_first_line(error)}")
    if free < 16 << 20:
        return BadInput(f"{path} cannot be written: the disk is full ({free} bytes are free)")
    return Failure(f"{path} cannot be written: {_first_line(error)}")


_WGS84 = (
    'GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563,AUTHORITY["EPSG","7030"]],'
    'AUTHORITY["EPSG","6326"]],PRIMEM["Greenwich",0,AUTHORITY["EPSG","8901"]],UNIT["degree",0.0174532925199433,'
    'AUTHORITY["EPSG","9122"]],AXIS["Latitude",NORTH],AXIS["Longitude",EAST],AUTHORITY["EPSG","4326"]]'
)
