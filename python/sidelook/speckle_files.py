"""Images in files despeckled into files through GDAL, block by block; the filters are those of `sidelook.speckle`."""

from __future__ import annotations

import json
import math
import os
import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np

from sidelook.errors import BadInput
from sidelook.intensity import KIND as INTENSITY
from sidelook.radiometry import SCHEMA
from sidelook.raster import DOMAIN, Kind, RasterFile, first_line, open_image, picture_looks, read_metadata
from sidelook.speckle import Despeckler, Image, Options

OTHER_SCHEMA, OTHER_ITEM = "sidelook-despeckled-1", "despeckled"  # of images that are not ours


class ImageReader:
    """An image of float32 pixels in any file that GDAL reads, by lines.

    Attributes
    ----------
    dataset : GDAL's
    description : of its band
    lines, samples : its shape
    metadata : of calibrated intensity, as `sidelook calibrate` writes it; None: an image of others
    nodata : of its band; None where there is none, or NaN
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        self.dataset = open_image(path)
        if self.dataset.RasterCount != 1:
            raise BadInput(f"{self.path} has {self.dataset.RasterCount} bands; must have one")
        self._band = self.dataset.GetRasterBand(1)
        kind = self._band.ReadAsArray(0, 0, 1, 1).dtype
        if kind != np.float32:
            means = ", intensity or amplitude, not complex" if kind.kind == "c" else ""
            raise BadInput(f"{self.path} has pixels of type {kind}; must be float32{means}")
        self.lines, self.samples = self.dataset.RasterYSize, self.dataset.RasterXSize
        self.description = self._band.GetDescription()
        self.metadata: dict[str, Any] | None = None
        if self.dataset.GetMetadataItem(INTENSITY.item, DOMAIN) is not None:
            self.metadata = read_metadata(path, self.dataset, INTENSITY.item, "sidelook calibrate")
            if self.metadata.get("schema") != SCHEMA:
                raise BadInput(f"{self.path} has metadata of the schema {self.metadata.get('schema')}; must be {SCHEMA}")
        value = self._band.GetNoDataValue()
        self.nodata = None if value is None or math.isnan(value) else value

    def read(self, first: int, lines: int) -> Image:
        """Whole lines, (lines, samples)."""
        try:
            block: Image = self._band.ReadAsArray(0, first, self.samples, lines)
        except RuntimeError as error:
            raise BadInput(f"{self.path} cannot be read: {first_line(error)}") from None
        return block


class FilteredFile(RasterFile):
    """Writes a filtered image block by block; it lies where the source lies and has its metadata, with the filter's added.

    Parameters
    ----------
    metadata : of calibrated intensity, or of an image of others, with what was done last in `despeckle`
    source : where it comes from
    output : keywords of `sidelook.raster.RasterFile`
    """

    def __init__(self, path: str | os.PathLike[str], metadata: dict[str, Any], source: ImageReader, **output: Any) -> None:
        done = metadata["despeckle"][-1]
        before = source.description or done["kind"]
        item = OTHER_ITEM if source.metadata is None else INTENSITY.item
        kind = Kind(item, "GDT_Float32", f"{before}, {done['method']} {done['window']} x {done['window']}")
        looks = metadata.get("quicklook_looks") or picture_looks(source.lines, source.samples, 1.0, 1.0)
        super().__init__(path, metadata, kind, (looks[0], looks[1]), **output)
        self._source = source.dataset

    def _create(self) -> None:
        super()._create()
        self._dataset.SetMetadata({**self._source.GetMetadata(), **self._dataset.GetMetadata()})
        place = self._source.GetGeoTransform(can_return_null=True)
        if place is not None:
            self._dataset.SetGeoTransform(place)
            self._dataset.SetSpatialRef(self._source.GetSpatialRef())
        elif self._source.GetGCPCount():
            self._dataset.SetGCPs(self._source.GetGCPs(), self._source.GetGCPSpatialRef())


def complete(options: dict[str, Any], image: ImageReader) -> Options:
    """Options with what the file says of itself; `kind` and `looks` may be None where it does."""
    given = dict(options)
    if given.get("nodata") is None:
        given["nodata"] = image.nodata
    m = image.metadata
    if m is not None:
        if given.get("kind") not in (None, "intensity"):
            raise BadInput(f"kind is {given['kind']}; {image.path} says of itself that it is intensity")
        given["kind"] = "intensity"
        if m.get("noise_subtracted"):
            raise BadInput(f"{image.path} had its noise taken away, which leaves values below 0; must be calibrated without that")
        if given.get("looks") is None:
            given["looks"] = m.get("equivalent_number_of_looks")
    if given.get("kind") is None:
        raise BadInput(f"kind is not given, and {image.path} does not say it; must be intensity or amplitude")
    return Options(**given)


def despeckle_file(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    method: str,
    *,
    base_bytes: int = 0,
    progress: Callable[[float], None] | None = None,
    output: dict[str, Any] | None = None,
    **options: Any,
) -> tuple[Despeckler, FilteredFile, dict[str, Any]]:
    """Filters an image in a file into another; memory does not grow with the scene.

    Parameters
    ----------
    source, target : the files
    method, options : fields of `sidelook.speckle.Options`; an image of `sidelook calibrate` says its kind and looks itself
    base_bytes : what the process holds already, where max_ram bounds it
    output : keywords of `sidelook.raster.RasterFile`

    Returns
    -------
    the job, the file and its metadata
    """
    if pathlib.Path(source).exists() and pathlib.Path(target).exists() and os.path.samefile(source, target):
        raise BadInput(f"--output is {os.fspath(target)}, the image; must be another file")
    image = ImageReader(source)
    job = Despeckler(image.lines, image.samples, complete({"method": method, **options}, image), base_bytes=base_bytes)
    before = image.dataset.GetMetadataItem(OTHER_ITEM, DOMAIN)
    known = image.metadata or {"schema": OTHER_SCHEMA, "despeckle": json.loads(before)["despeckle"] if before else []}
    known |= {"lines": image.lines, "samples": image.samples}
    metadata = {**known, "despeckle": [*known.get("despeckle", []), job.description()]}
    if "equivalent_number_of_looks" in metadata:
        metadata["equivalent_number_of_looks"] = None  # that of what was filtered is with the filter
    file = FilteredFile(target, metadata, image, **(output or {}))

    def write(first: int, block: Image) -> None:
        file.write(first, 0, block)

    with file:
        job.run(image.read, write, progress)
        metadata["despeckle"][-1] = job.description()  # what was found on the way, too
    return job, file, metadata
