"""`publish`: a map, its STAC item and its quicklook, all of them or none."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from sidelook import _native
from sidelook._cli_common import AtomicFile, temporary_folder
from sidelook.detections import Detections
from sidelook.errors import BadInput, from_os_error, translate
from sidelook.publish import picture, stac
from sidelook.publish._gdal import modules
from sidelook.publish.geocode import SCHEMA, Geocoder, MapGrid, map_grid, write_map
from sidelook.publish.image import IntensityReader
from sidelook.publish.vectors import read_detections, to_geojson
from sidelook.raster import picture_looks


@dataclass(frozen=True)
class Published:
    """Files by what they are, the item as plain data, the map's grid and statistics."""

    files: dict[str, pathlib.Path]
    item: dict[str, Any]
    grid: MapGrid
    statistics: dict[str, float]


@translate()
def publish(
    image: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    crs: str = "utm",
    spacing_m: float | None = None,
    interpolation: str = "bilinear",
    detections: str | os.PathLike[str] | Detections | None = None,
    polarizations: tuple[str, ...] = (),
    overwrite: bool = False,
    threads: int = 0,
    progress: Callable[[float], None] = lambda share: None,
) -> Published:
    """Puts calibrated intensity on a map: a cloud-optimised GeoTIFF, its STAC item and a quicklook.

    Parameters
    ----------
    image : GeoTIFF of `sidelook calibrate`, with an orbit
    output : name of the map (.tif), beside which the others go, or a folder, made if it is not there
    crs : "utm" or as EPSG:3035
    spacing_m : of the map's pixels (default: the coarser of the image's on the ground)
    interpolation : bilinear in power, or nearest
    detections : GeoJSON of `sidelook detect`, or the objects; drawn on the quicklook and an asset of the item

    Raises
    ------
    BadInput, MissingAuxiliary
        If the image is no calibrated intensity, lacks an orbit, or a file exists or cannot be written.
    """
    source = IntensityReader(image)
    objects = detections if isinstance(detections, Detections) or detections is None else read_detections(detections)
    source.check_pixels(negative=bool(source.metadata.get("noise_subtracted")))
    grid = map_grid(source, crs, spacing_m)
    files = _names(source, pathlib.Path(output), objects is not None)
    folder = files["data"].parent
    made = _make(folder)
    try:
        with contextlib.ExitStack() as stack:
            open_files = {key: stack.enter_context(AtomicFile(path, overwrite=overwrite)) for key, path in files.items()}
            scratch = stack.enter_context(temporary_folder(folder))
            temporary = {key: file.temporary for key, file in open_files.items()}
            statistics = write_map(temporary["data"], Geocoder(source, grid, interpolation, threads), _metadata(source, interpolation),
                                   scratch, progress)  # fmt: skip
            if objects is not None:
                temporary["detections"].write_text(to_geojson(objects, source.place), encoding="utf-8")
            _picture(temporary["overview"], temporary["data"], grid, source, objects)
            assets = {key: path for key, path in files.items() if key != "item"}
            item = stac.item(files["data"].stem, source, grid, statistics, assets, polarizations=polarizations)
            temporary["item"].write_text(json.dumps(item, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    except BaseException:
        if made:
            with contextlib.suppress(OSError):
                folder.rmdir()
        raise
    return Published(files, item, grid, statistics)


def _names(image: IntensityReader, output: pathlib.Path, detections: bool) -> dict[str, pathlib.Path]:
    if output.suffix.lower() in (".tif", ".tiff"):
        data = output
    elif output.suffix and not output.is_dir():
        raise BadInput(f"output is {output}; must end in .tif, or be a folder")
    else:
        data = output / f"{pathlib.Path(image.path).stem}.tif"
    if data.resolve() == pathlib.Path(image.path).resolve():
        raise BadInput(f"output is {data}, the image itself; must be another file")
    files = {"data": data, "overview": data.with_suffix(".quicklook.png"), "item": data.with_suffix(".json")}
    if detections:
        files["detections"] = data.with_suffix(".detections.geojson")
    return files


def _make(folder: pathlib.Path) -> bool:
    """Makes a folder; whether it was not there before."""
    if folder.is_dir():
        return False
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise from_os_error(error, folder, "made") from None
    return True


def _metadata(image: IntensityReader, interpolation: str) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "quantity": image.metadata.get("quantity", "intensity"),
        "image": image.name,
        "image_sha256": image.sha256,
        "interpolation": interpolation,
        "terrain_height_m": image.acquisition.terrain_height_m,
        "software": f"sidelook {_native.version()}",
    }


def _picture(path: pathlib.Path, map_path: pathlib.Path, grid: MapGrid, image: IntensityReader, objects: Detections | None) -> None:
    dataset = modules().gdal.Open(str(map_path))
    looks = picture_looks(grid.rows, grid.cols, 1, 1)
    outlines: list[picture.Outline] = []
    place = image.place
    for d in objects.objects if objects and place else ():
        assert place is not None
        ring = place.outline(d.first_line, d.end_line, d.first_sample, d.end_sample)
        corners = grid.pixels(np.array(ring, float)) / [looks[1], looks[0]]
        outlines.append((picture.colour_of(d.flags), picture.widened(corners)))
    picture.write_picture(path, picture.grey(dataset.GetRasterBand(1), looks), outlines)
