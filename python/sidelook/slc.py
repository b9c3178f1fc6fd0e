"""Focused images as GeoTIFF (CFloat32) with ground control points and metadata, and their quicklooks, through GDAL."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from sidelook.errors import BadInput
from sidelook.focusing import Image, Slc
from sidelook.raster import DOMAIN, Kind, RasterFile, control_points, first_line, gdal, open_image, picture_looks, read_metadata, write_png

__all__ = ["DOMAIN", "SlcFile", "control_points", "gdal", "quicklook_looks", "read_slc", "read_window", "write_png", "write_slc"]

KIND = Kind("slc", "GDT_CFloat32", "SLC, zero Doppler")


class SlcFile(RasterFile):
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
        if (grid.lines, grid.samples) != (metadata["lines"], metadata["samples"]):
            raise BadInput(
                f"image is {grid.lines} x {grid.samples}; its metadata says {metadata['lines']} lines x {metadata['samples']} samples"
            )
        super().__init__(
            path, metadata, KIND, quicklook_looks(metadata), driver=driver, creation_options=creation_options, overwrite=overwrite
        )


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
    dataset = open_image(path)
    metadata = read_metadata(path, dataset, KIND.item, "sidelook focus")
    image: Image = dataset.GetRasterBand(1).ReadAsArray().astype(np.complex64, copy=False)
    return Slc(image, metadata)


def read_window(path: str | os.PathLike[str], line: int, sample: int, lines: int, samples: int) -> Image:
    """A part of an image as complex64 (lines, samples)."""
    try:
        dataset = gdal().Open(str(path))  # held: a band outlives its dataset only in Python, and then crashes
        window: Image = dataset.GetRasterBand(1).ReadAsArray(sample, line, samples, lines).astype(np.complex64, copy=False)
    except RuntimeError as error:
        raise BadInput(f"{path} cannot be read: {first_line(error)}") from None
    return window


def quicklook_looks(metadata: dict[str, Any]) -> tuple[int, int]:
    """Looks (azimuth, range) that make about square pixels on the ground and a picture of handy size."""
    azimuth_m = metadata["effective_velocity_m_per_s"] * 0.94 * metadata["line_spacing_s"]  # the beam moves slower than the platform
    range_m = metadata["sample_spacing_m"] / 0.6  # incidence about 37 degrees
    return picture_looks(metadata["lines"], metadata["samples"], azimuth_m, range_m)
