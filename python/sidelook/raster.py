"""Images as files through GDAL, whatever their pixels: written block by block, with metadata, control points and a quicklook."""

from __future__ import annotations

import contextlib
import json
import math
import os
import pathlib
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sidelook import _native
from sidelook._cli_common import AtomicFile
from sidelook.acquisition import Acquisition
from sidelook.errors import BadInput, Failure, MissingAuxiliary

DOMAIN = "SIDELOOK"
GCP_ROWS, GCP_COLUMNS = 11, 11
QUICKLOOK_PIXELS = 1600
GDAL_CACHE_BYTES = 32 << 20


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


def limit_cache(max_ram: int) -> None:
    """Keeps GDAL's cache of blocks small where the memory of the process is limited (bytes; 0: it is not)."""
    module = gdal()
    if max_ram:
        module.SetCacheMax(min(GDAL_CACHE_BYTES, max_ram // 8))


def open_image(path: str | os.PathLike[str]) -> Any:
    """The GDAL dataset of an image, to be held while its bands are used."""
    try:
        return gdal().Open(os.fspath(path))
    except RuntimeError as error:
        raise BadInput(f"{os.fspath(path)} cannot be read: {first_line(error)}") from None


def read_metadata(path: str | os.PathLike[str], dataset: Any, item: str, maker: str) -> dict[str, Any]:
    """The JSON object in the domain SIDELOOK; `maker` is the command that writes it, named in the refusal."""
    text = dataset.GetMetadataItem(item, DOMAIN)
    if text is None:
        raise BadInput(f"{path} has no item {item!r} in the metadata domain {DOMAIN}; must be written by {maker}")
    try:
        metadata: dict[str, Any] = json.loads(text)
    except ValueError:
        raise BadInput(f"{path} has metadata item {item} that is not JSON; must be written by {maker}") from None
    return metadata


@dataclass(frozen=True)
class Kind:
    """What an image file holds.

    Attributes
    ----------
    item : of the metadata domain SIDELOOK that holds the JSON
    data_type : name of GDAL's pixel type
    description : of the band
    """

    item: str
    data_type: str
    description: str


class RasterFile:
    """Writes an image block by block; image and quicklook appear under their names only when all is written.

    Parameters
    ----------
    path : of the image; the quicklook goes to the same name with .quicklook.png
    metadata : of the image, plain data, with `lines` and `samples`; written last, so that it may grow while blocks come
    kind : what it holds
    looks : of the quicklook, azimuth and range
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        metadata: dict[str, Any],
        kind: Kind,
        looks: tuple[int, int],
        *,
        driver: str = "GTiff",
        creation_options: Sequence[str] = (),
        overwrite: bool = False,
    ) -> None:
        self._gdal = gdal()
        self._driver = _driver(self._gdal, driver)
        self._kind, self._metadata = kind, metadata
        self._lines, self._samples = metadata["lines"], metadata["samples"]
        self._options = list(creation_options)
        if driver == "GTiff" and not any(o.upper().startswith("BIGTIFF=") for o in self._options):
            self._options.append("BIGTIFF=IF_SAFER")
        self._image_file, self._picture_file = _targets(path, overwrite)
        self.quicklook_path = self._picture_file.path
        self._dataset: Any = None
        self._quicklook = _native.Quicklook(self._lines, self._samples, *looks)
        metadata["quicklook_looks"] = list(looks)

    def __enter__(self) -> Any:
        self._image_file.__enter__()
        try:
            self._picture_file.__enter__()
            self._create()
        except BaseException as error:
            self._close()
            self._picture_file.__exit__(type(error), error, None)
            self._image_file.__exit__(type(error), error, None)
            raise
        return self

    def _create(self) -> None:
        data_type = getattr(self._gdal, self._kind.data_type)
        complaints: list[str] = []
        with _listening(self._gdal, complaints):
            self._dataset = self._driver.Create(str(self._image_file.temporary), self._samples, self._lines, 1, data_type, self._options)
        if self._dataset is None or complaints:
            reason = _one_line(complaints[0]) if complaints else "GDAL does not say why"
            refusal = write_failure(self._image_file.path, reason)
            raise refusal if isinstance(refusal, BadInput) else BadInput(f"{self._image_file.path} cannot be created: {reason}")
        self._set_metadata()
        self._dataset.SetMetadataItem("AREA_OR_POINT", "Area")
        band = self._dataset.GetRasterBand(1)
        band.SetDescription(self._kind.description)
        band.SetNoDataValue(float("nan"))
        points = control_points(self._metadata)
        if points:
            gcps = [self._gdal.GCP(lon, lat, height, column, row) for row, column, lat, lon, height in points]
            self._dataset.SetGCPs(gcps, _WGS84)

    def _set_metadata(self) -> None:
        self._written = json.dumps(self._metadata, allow_nan=False)
        self._dataset.SetMetadataItem(self._kind.item, self._written, DOMAIN)

    def write(self, first_line: int, first_sample: int, block: npt.NDArray[Any]) -> None:
        """Takes block (lines, samples) of the file's pixels at this place."""
        if block.dtype == np.float32:
            self._quicklook.add_power(first_line, first_sample, block)
        else:
            self._quicklook.add(first_line, first_sample, block)
        try:
            band = self._dataset.GetRasterBand(1)
            band.WriteArray(block, first_sample, first_line)
            if band.GetBlockSize()[0] == self._samples:
                # Whole lines lie together in the file: kept in GDAL's cache they would be of no use, and a longer scene
                # would fill more of it. Tiles that a block has begun stay for the next to fill.
                band.FlushCache()
        except RuntimeError as error:
            raise write_failure(self._image_file.path, _one_line(str(error))) from None

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        try:
            if kind is None:
                self._finish()
        except BaseException as refused:
            kind, error = type(refused), refused
            raise
        finally:
            self._close()  # what is still to be said of a dataset that has failed was said before
            try:
                self._picture_file.__exit__(kind, error, traceback)
            finally:
                self._image_file.__exit__(kind, error, traceback)

    def _finish(self) -> None:
        complaints: list[str] = []
        try:
            if json.dumps(self._metadata, allow_nan=False) != self._written:
                self._set_metadata()
            self._dataset.FlushCache()
        except RuntimeError as error:  # raised below: from here its traceback would keep the dataset open
            complaints.append(first_line(error))
        complaints += self._close()
        if complaints:
            raise write_failure(self._image_file.path, complaints[0])
        try:
            write_png(self._picture_file.temporary, self._quicklook.render())
        except RuntimeError as error:
            raise write_failure(self._picture_file.path, first_line(error)) from None

    def _close(self) -> list[str]:
        """Closes the dataset; GDAL's complaints, which it would print since a destructor cannot raise, are returned."""
        complaints: list[str] = []
        with _listening(self._gdal, complaints):
            self._dataset = None
        return complaints


def check_format(driver: str, creation_options: Sequence[str], kind: Kind) -> None:
    """Refuses a format that cannot take such an image block by block into a file, and options that it does not know.

    GDAL itself warns of an option that it does not understand and goes on without.

    Raises
    ------
    BadInput
        With what GDAL says of a small image in memory, where the format can be written there.
    """
    module = gdal()
    found = _driver(module, driver)
    pixels = kind.data_type.removeprefix("GDT_")
    types = found.GetMetadataItem("DMD_CREATIONDATATYPES") or pixels
    if found.GetMetadataItem("DCAP_CREATE") != "YES" or pixels not in types.split():
        raise BadInput(f"--of is {driver}; must be a format that GDAL can write images of {pixels} in block by block")
    if found.GetMetadataItem("DCAP_VIRTUALIO") != "YES" and driver.upper() not in ("MEM", "VRT"):
        return
    folder = f"/vsimem/sidelook-{secrets.token_hex(4)}"
    complaints: list[str] = []
    with _listening(module, complaints, warnings=True):
        data_type = getattr(module, kind.data_type)
        dataset = found.Create(f"{folder}/trial.{driver.lower()}", 64, 64, 1, data_type, list(creation_options))
        if dataset is not None:
            dataset.GetRasterBand(1).WriteArray(np.ones((64, 64), np.complex64 if pixels == "CFloat32" else np.float32))
        dataset = None
        kept = module.VSIStatL(f"{folder}/trial.{driver.lower()}")
        module.RmdirRecursive(folder)
    if complaints and creation_options:
        raise BadInput(f"--co is {' '.join(creation_options)}; {driver} refuses: {_one_line(complaints[0])}")
    if complaints or kept is None or kept.size == 0:
        reason = _one_line(complaints[0]) if complaints else "it keeps no pixels in a file of its own"
        raise BadInput(f"--of is {driver}; must be a format that holds images of {pixels}: {reason}")


def check_targets(path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
    """Refuses what `RasterFile` would refuse of the files that it is to write: there already, no folder, no permission."""
    for target in _targets(path, overwrite):
        target.check()


def _driver(module: Any, name: str) -> Any:
    driver = module.GetDriverByName(name)
    if driver is None:
        raise BadInput(f"--of is {name}; GDAL has no driver of that name")
    return driver


def _targets(path: str | os.PathLike[str], overwrite: bool) -> tuple[AtomicFile, AtomicFile]:
    """The image's file and its quicklook's."""
    target = pathlib.Path(path)
    if not target.name:
        raise BadInput(f"{target} is a folder; must be the name of a file")
    return AtomicFile(target, overwrite=overwrite), AtomicFile(target.with_suffix(".quicklook.png"), overwrite=overwrite)


@contextlib.contextmanager
def _listening(module: Any, complaints: list[str], *, warnings: bool = False) -> Iterator[None]:
    """Within it GDAL's errors of this thread go to a list: neither to stderr nor into exceptions that nobody catches."""
    from osgeo import ogr, osr

    least = module.CE_Warning if warnings else module.CE_Failure

    def take(kind: int, number: int, message: str) -> None:
        if kind >= least:
            complaints.append(message)

    # The three modules share a stack of error handlers: exceptions go off in the reverse of the order they went on in.
    # Where somebody else chose another order they stay on, and an error at the end may be told twice.
    off = []
    with contextlib.suppress(RuntimeError):
        for part in (osr, ogr, module):
            if part.GetUseExceptions():
                part.DontUseExceptions()
                off.append(part)
    module.PushErrorHandler(take)
    try:
        yield
    finally:
        module.PopErrorHandler()
        for part in reversed(off):
            part.UseExceptions()


def write_png(path: pathlib.Path, grey: Any) -> None:
    """(rows, columns) uint8 as a grey PNG; RuntimeError if it cannot be written."""
    module = gdal()
    memory = module.GetDriverByName("MEM").Create("", grey.shape[1], grey.shape[0], 1, module.GDT_Byte)
    memory.GetRasterBand(1).WriteArray(grey)
    copy = module.GetDriverByName("PNG").CreateCopy(str(path), memory)
    copy.FlushCache()
    complaints: list[str] = []
    with _listening(module, complaints):
        del copy
    if complaints:
        raise RuntimeError(complaints[0])


def picture_looks(lines: int, samples: int, azimuth_m: float, range_m: float) -> tuple[int, int]:
    """Looks (azimuth, range) that make about square pixels of pixels of this size, and a picture of QUICKLOOK_PIXELS a side at most."""
    side = max(azimuth_m, range_m)
    shrink = max(1.0, lines * azimuth_m / side / QUICKLOOK_PIXELS, samples * range_m / side / QUICKLOOK_PIXELS)
    # Whole numbers round the shape; a little more shrinking may keep it better.
    sizes = [side * shrink * more for more in (1.0, 1.25, 1.5, 1.75, 2.0)]
    pairs = [(max(1, round(size / azimuth_m)), max(1, round(size / range_m))) for size in sizes]
    fitting = [p for p in pairs if max(math.ceil(lines / p[0]), math.ceil(samples / p[1])) <= QUICKLOOK_PIXELS]
    return min(fitting, key=lambda p: round(abs(math.log(p[0] * azimuth_m / (p[1] * range_m))), 1))


def control_points(metadata: dict[str, Any]) -> list[tuple[float, float, float, float, float]]:
    """(row, column, latitude, longitude, height) at corners, edges and between; empty without an orbit.

    Rows and columns are GDAL's: the centre of pixel (i, j) is (i + 0.5, j + 0.5).
    """
    found = metadata.get("acquisition") or metadata.get("source", {}).get("acquisition")
    if not found or not found.get("orbit"):
        return []
    acquisition = Acquisition.from_json(found)
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


def first_line(error: BaseException) -> str:
    """What GDAL said, without what follows it."""
    return _one_line(str(error)) or type(error).__name__


def _one_line(text: str) -> str:
    return next(iter(text.strip().splitlines()), "")


def write_failure(path: pathlib.Path, reason: str) -> Exception:
    """The refusal for a write that failed."""
    try:
        free = os.statvfs(path.parent).f_bavail * os.statvfs(path.parent).f_frsize
    except OSError:
        return Failure(f"{path} cannot be written: {reason}")
    if free < 16 << 20:
        return BadInput(f"{path} cannot be written: the disk is full ({free} bytes are free)")
    return Failure(f"{path} cannot be written: {reason}")


_WGS84 = (
    'GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563,AUTHORITY["EPSG","7030"]],'
    'AUTHORITY["EPSG","6326"]],PRIMEM["Greenwich",0,AUTHORITY["EPSG","8901"]],UNIT["degree",0.0174532925199433,'
    'AUTHORITY["EPSG","9122"]],AXIS["Latitude",NORTH],AXIS["Longitude",EAST],AUTHORITY["EPSG","4326"]]'
)
