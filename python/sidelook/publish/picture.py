"""Quicklooks: a grey picture with outlines drawn on it."""

from __future__ import annotations

import math
import pathlib
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sidelook import _native
from sidelook.detections import Detections
from sidelook.errors import Failure
from sidelook.publish._gdal import first_line, modules, options, quiet
from sidelook.publish.image import IntensityReader
from sidelook.raster import picture_looks

PLAIN, DOUBTED = (255, 80, 0), (255, 220, 0)  # red-orange; yellow for what carries a flag
MARGIN = 3.0  # (picture pixels) between an object's box and its outline, so that the box does not hide it
BLOCK_PIXELS = 1 << 22

Outline = tuple[tuple[int, int, int], list[tuple[float, float]]]  # colour; x, y in GDAL's pixel coordinates of the picture


def grey(band: Any, looks: tuple[int, int]) -> NDArray[np.uint8]:
    """Mean power in dB as the native quicklook scales it, from a float32 band read by lines."""
    quicklook = _native.Quicklook(band.YSize, band.XSize, *looks)
    step = max(1, BLOCK_PIXELS // band.XSize)
    for first in range(0, band.YSize, step):
        block = band.ReadAsArray(0, first, band.XSize, min(step, band.YSize - first))
        quicklook.add_power(first, 0, block)
    return quicklook.render()


def write_picture(path: pathlib.Path, picture: NDArray[np.uint8], outlines: Iterable[Outline] = ()) -> None:
    """An 8-bit PNG, in colour if anything is outlined."""
    m = modules()
    shapes: dict[tuple[int, int, int], list[list[tuple[float, float]]]] = {}
    for colour, ring in outlines:
        shapes.setdefault(colour, []).append(ring)
    rows, cols = picture.shape
    memory = m.gdal.GetDriverByName("MEM").Create("", cols, rows, 3 if shapes else 1, m.gdal.GDT_Byte)
    memory.SetGeoTransform((0, 1, 0, 0, 0, 1))
    for number in range(1, memory.RasterCount + 1):
        memory.GetRasterBand(number).WriteArray(picture)
    try:
        with quiet(), options(GDAL_PAM_ENABLED="NO"):  # no .aux.xml for the pixels' coordinates
            for colour in sorted(shapes, reverse=True):  # plain ones last, on top
                _draw(memory, colour, shapes[colour])
            copy = m.gdal.GetDriverByName("PNG").CreateCopy(str(path), memory)
            copy.FlushCache()
            del copy
    except RuntimeError as error:
        raise Failure(f"{path} cannot be written: {first_line(error)}") from None


def _draw(memory: Any, colour: tuple[int, int, int], rings: list[list[tuple[float, float]]]) -> None:
    m = modules()
    source = m.ogr.GetDriverByName("Memory").CreateDataSource("")
    layer = source.CreateLayer("outlines", None, m.ogr.wkbLineString)
    for ring in rings:
        line = m.ogr.Geometry(m.ogr.wkbLineString)
        for x, y in ring:
            line.AddPoint_2D(x, y)
        row = m.ogr.Feature(layer.GetLayerDefn())
        row.SetGeometry(line)
        layer.CreateFeature(row)
    m.gdal.RasterizeLayer(memory, [1, 2, 3], layer, burn_values=list(colour))


def radar_picture(path: pathlib.Path, image: IntensityReader, detections: Detections | None = None) -> None:
    """The image in its own grid, azimuth down and range across, with the objects' boxes."""
    line_m = image.mean_of("azimuth_spacing_m") or 1.0
    sample_m = image.mean_of("ground_range_spacing_m") or line_m
    looks = picture_looks(image.lines, image.samples, line_m, sample_m)
    outlines = []
    for d in detections.objects if detections else ():
        # the box's corners lie on GDAL's pixel corners, where the first is 0
        top, bottom = d.first_line / looks[0] - MARGIN, d.end_line / looks[0] + MARGIN
        left, right = d.first_sample / looks[1] - MARGIN, d.end_sample / looks[1] + MARGIN
        outlines.append((colour_of(d.flags), [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]))
    write_picture(path, grey(image.band, looks), outlines)


def colour_of(flags: tuple[str, ...]) -> tuple[int, int, int]:
    """Of an outline: what carries a flag is to be doubted."""
    return DOUBTED if flags else PLAIN


def widened(corners: NDArray[np.float64]) -> list[tuple[float, float]]:
    """A closed ring of x, y drawn MARGIN further out from its middle."""
    middle = (corners.min(axis=0) + corners.max(axis=0)) / 2
    away = corners - middle
    length = np.maximum(np.hypot(away[:, 0], away[:, 1]), 1e-9)[:, None]
    return [(x, y) for x, y in (middle + away * (1 + MARGIN * math.sqrt(2) / length)).tolist()]
