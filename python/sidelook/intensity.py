"""Calibrated intensity as GeoTIFF (Float32) with ground control points and metadata, and its quicklook, through GDAL."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sidelook.errors import BadInput
from sidelook.radiometry import Calibrator, Intensity, Options, Pixels, Power
from sidelook.raster import Kind, RasterFile, first_line, open_image, picture_looks, read_metadata

KIND = Kind("intensity", "GDT_Float32", "intensity, zero Doppler")


class IntensityFile(RasterFile):
    """Writes calibrated intensity block by block; the files appear under their names only when all is written.

    Parameters
    ----------
    path : of the GeoTIFF; the quicklook goes to the same name with .quicklook.png
    metadata : of the image, plain data; what is added to it until the end is written too
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        metadata: dict[str, Any],
        *,
        driver: str = "GTiff",
        creation_options: Sequence[str] = (),
        overwrite: bool = False,
    ) -> None:
        kind = Kind(KIND.item, KIND.data_type, f"{metadata['quantity']}, {metadata['unit']}, zero Doppler")
        super().__init__(
            path, metadata, kind, _quicklook_looks(metadata), driver=driver, creation_options=creation_options, overwrite=overwrite
        )


class SlcReader:
    """A focused image in a file, read by lines.

    Attributes
    ----------
    metadata : of the focused image
    dtype : of its pixels as `read` gives them: complex64 or float32
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        self._dataset = open_image(path)
        self._band = self._dataset.GetRasterBand(1)
        kind = self._band.ReadAsArray(0, 0, 1, 1).dtype
        self.dtype = np.dtype(np.complex64 if kind.kind == "c" else np.float32)
        if kind not in (np.complex64, np.float32):
            raise BadInput(f"{self.path} has pixels of type {kind}; must be complex64, or float32 for powers")
        self.metadata = read_metadata(path, self._dataset, "slc", "sidelook focus")
        shape = (self._dataset.RasterYSize, self._dataset.RasterXSize)
        if shape != (self.metadata.get("lines"), self.metadata.get("samples")):
            raise BadInput(
                f"{self.path} is {shape[0]} x {shape[1]}; its metadata says {self.metadata.get('lines')} lines x "
                f"{self.metadata.get('samples')} samples"
            )

    def read(self, first_line_: int, lines: int) -> Pixels:
        """Whole lines, (lines, samples)."""
        try:
            block: Pixels = self._band.ReadAsArray(0, first_line_, self._dataset.RasterXSize, lines)
        except RuntimeError as error:
            raise BadInput(f"{self.path} cannot be read: {first_line(error)}") from None
        return block


def calibrate_file(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    options: Options | None = None,
    *,
    base_bytes: int = 0,
    progress: Callable[[float], None] | None = None,
    **output: Any,
) -> tuple[Calibrator, IntensityFile]:
    """Calibrates a focused image in a file into another, block by block; memory does not grow with the scene.

    Parameters
    ----------
    source, target : the files
    options : see `sidelook.radiometry.Options`
    base_bytes : what the process holds already, where options.max_ram bounds it
    output : keywords of `IntensityFile`
    """
    reader = SlcReader(source)
    job = Calibrator(reader.metadata, reader.dtype, options, base_bytes=base_bytes)
    file = IntensityFile(target, job.metadata, **output)

    def write(first: int, block: Power) -> None:
        file.write(first, 0, block)

    with file:
        job.run(reader.read, write, progress)
    return job, file


def write_intensity(path: str | os.PathLike[str], intensity: Intensity, *, overwrite: bool = False, **options: Any) -> None:
    """Writes intensity in memory as GeoTIFF, with its quicklook beside it; `options` are keywords of `IntensityFile`."""
    with IntensityFile(path, dict(intensity.metadata), overwrite=overwrite, **options) as file:
        file.write(0, 0, intensity.image)


def read_intensity(path: str | os.PathLike[str]) -> Intensity:
    """Reads a whole image that `IntensityFile` wrote.

    Raises
    ------
    BadInput
        If the file is no such image.
    """
    dataset = open_image(path)
    metadata = read_metadata(path, dataset, KIND.item, "sidelook calibrate")
    image: Power = dataset.GetRasterBand(1).ReadAsArray()
    if image.dtype != np.float32:
        raise BadInput(f"{os.fspath(path)} has pixels of type {image.dtype}; must be float32")
    return Intensity(image, metadata)


def _quicklook_looks(metadata: dict[str, Any]) -> tuple[int, int]:
    def spacing(key: str, otherwise: float) -> float:
        table = metadata[key]
        return float(table[len(table) // 2][1]) if table else otherwise

    azimuth_m = spacing("azimuth_spacing_m", 7000 * metadata["line_spacing_s"])
    range_m = spacing("ground_range_spacing_m", metadata["sample_spacing_m"] / 0.6)
    return picture_looks(metadata["lines"], metadata["samples"], azimuth_m, range_m)
