"""A user's land, any vector file, in the image's own pixels."""

from __future__ import annotations

import math
import os
import secrets
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sidelook.errors import BadInput
from sidelook.publish._gdal import first_line, modules, quiet, wgs84
from sidelook.publish.image import IntensityReader, Place

# An edge is straight in the file's own coordinates; in radar coordinates it bends by s^2 / 8 R per edge of length s over
# a radius R of some 600 km: 8 mm for 200 m.
EDGE_M = 200.0
MARGIN_M = 3000.0  # kept around the image, so that what is cut off there never shows
METRES_A_DEGREE = 111320.0
GOES_ROUND = ("Polygon", "Multi Polygon", "Geometry Collection", "Curve Polygon", "Multi Surface")


class LandMask:
    """1 where the centre of a pixel of the image lies within a polygon of the file, else 0; a context manager.

    Every layer of the file counts, each in its own coordinate reference system. Polygons are taken to lie at the
    acquisition's terrain height. A file that covers the place and has no land there gives zeros. The mask is held
    compressed, some thousandth of the image.

    Raises
    ------
    BadInput
        If the file cannot be read, holds no polygons, has no coordinate reference system, or lies entirely elsewhere.
    MissingAuxiliary
        If the image has no orbit, without which nothing on the Earth can be found in it.
    """

    def __init__(self, path: str | os.PathLike[str], image: IntensityReader) -> None:
        m = modules()
        name = os.fspath(path)
        shapes = _polygons(name, image)
        self._path = f"/vsimem/sidelook-land-{secrets.token_hex(8)}.tif"
        self._dataset = m.gdal.GetDriverByName("GTiff").Create(
            self._path, image.samples, image.lines, 1, m.gdal.GDT_Byte, ["COMPRESS=DEFLATE", "SPARSE_OK=TRUE", "BIGTIFF=IF_SAFER"]
        )
        self._dataset.SetGeoTransform((0, 1, 0, 0, 0, 1))  # pixels are their own coordinates, the first one's corner (0, 0)
        if shapes.GetLayer(0).GetFeatureCount():
            with quiet():
                m.gdal.RasterizeLayer(self._dataset, [1], shapes.GetLayer(0), burn_values=[1])

    def __enter__(self) -> LandMask:
        return self

    def __exit__(self, *unused: object) -> None:
        self._dataset = None
        modules().gdal.Unlink(self._path)

    def window(self, line: int, sample: int, lines: int, samples: int) -> NDArray[np.uint8]:
        """A part of the mask, uint8 (lines, samples)."""
        part: NDArray[np.uint8] = self._dataset.GetRasterBand(1).ReadAsArray(sample, line, samples, lines)
        return part

    def is_everywhere(self) -> bool:
        """Whether no pixel is left."""
        return bool(self._dataset.GetRasterBand(1).ComputeRasterMinMax(False)[0] == 1)


def land_mask(path: str | os.PathLike[str], image: IntensityReader) -> NDArray[np.uint8]:
    """The whole of a `LandMask` as an array: uint8 (lines, samples), 1 on land."""
    with LandMask(path, image) as mask:
        return mask.window(0, 0, image.lines, image.samples)


def _polygons(name: str, image: IntensityReader) -> Any:
    """A data source of OGR in memory: all polygons of the file around the image, in GDAL's pixel coordinates."""
    place = image.require_place("a land mask")
    m = modules()
    try:
        with quiet():
            source = m.gdal.OpenEx(name, m.gdal.OF_VECTOR | m.gdal.OF_READONLY)
    except RuntimeError as error:
        raise BadInput(f"land is {name}, which cannot be read as a vector file: {first_line(error)}") from None
    found = m.ogr.GetDriverByName("Memory").CreateDataSource("")
    target = found.CreateLayer("land", None, m.ogr.wkbPolygon)
    near = polygons = False
    try:
        with quiet():
            for layer in (source.GetLayer(i) for i in range(source.GetLayerCount())):
                window = _Window(layer, place, name)
                polygons |= window.polygons
                near |= window.near
                for shape in window.in_pixels():
                    row = m.ogr.Feature(target.GetLayerDefn())
                    row.SetGeometry(shape)
                    target.CreateFeature(row)
    except RuntimeError as error:
        raise BadInput(f"land is {name}, which cannot be read: {first_line(error)}") from None
    if not polygons:
        raise BadInput(f"land is {name}, which holds no polygons; must hold the land's areas")
    if not near:
        raise BadInput(f"land is {name}, which lies entirely elsewhere; must cover the place of {image.path}")
    return found


class _Window:
    """What of one layer lies around the image."""

    def __init__(self, layer: Any, place: Place, name: str) -> None:
        m = modules()
        self._layer, self._place = layer, place
        self.near = False
        self.polygons = _may_hold_polygons(layer)
        if not self.polygons:
            return
        reference = layer.GetSpatialRef()
        if reference is None:
            raise BadInput(f"land is {name}, whose layer {layer.GetName()} has no coordinate reference system; must say where it lies")
        reference = reference.Clone()
        reference.SetAxisMappingStrategy(m.osr.OAMS_TRADITIONAL_GIS_ORDER)
        self._to_lonlat = m.osr.CoordinateTransformation(reference, wgs84())
        self._edge = EDGE_M / (METRES_A_DEGREE if reference.IsGeographic() else reference.GetLinearUnits())
        self._boxes = list(_boxes(place, reference))
        west, east, south, north = layer.GetExtent()
        self.near = any(b[0] <= east and west <= b[1] and b[2] <= north and south <= b[3] for b in self._boxes)

    def in_pixels(self) -> Iterator[Any]:
        """Its polygons, cut to the neighbourhood of the image, in GDAL's pixel coordinates."""
        if not self.near:
            return
        for west, east, south, north in self._boxes:
            box = _rectangle(west, east, south, north)
            self._layer.SetSpatialFilterRect(west, south, east, north)
            self._layer.ResetReading()
            for feature in self._layer:
                shape = feature.GetGeometryRef()
                if shape is None or shape.IsEmpty():
                    continue
                shape = shape.GetLinearGeometry()
                if not shape.IsValid():
                    shape = shape.MakeValid()
                part = shape.Intersection(box) if shape is not None else None
                if part is None or part.IsEmpty():
                    continue
                part.Segmentize(self._edge)
                yield from (self._polygon(p) for p in _parts(part))

    def _polygon(self, polygon: Any) -> Any:
        ogr = modules().ogr
        found = ogr.Geometry(ogr.wkbPolygon)
        for i in range(polygon.GetGeometryCount()):
            points = np.array([p[:2] for p in polygon.GetGeometryRef(i).GetPoints()], float)
            lonlat = np.array(self._to_lonlat.TransformPoints(points.tolist()), float)[:, :2]
            ring = ogr.Geometry(ogr.wkbLinearRing)
            for line, sample in self._place.pixels(lonlat).tolist():
                ring.AddPoint_2D(sample + 0.5, line + 0.5)  # the centre of pixel (0, 0) is (0.5, 0.5) in GDAL
            found.AddGeometry(ring)
        return found


def _may_hold_polygons(layer: Any) -> bool:
    """By the layer's type, or where that is open by its features."""
    ogr = modules().ogr
    kind = ogr.GT_Flatten(layer.GetGeomType())
    if kind != ogr.wkbUnknown:
        return str(ogr.GeometryTypeToName(kind)) in GOES_ROUND
    layer.ResetReading()
    shapes = (feature.GetGeometryRef() for feature in layer)
    return any(s is not None and ogr.GeometryTypeToName(ogr.GT_Flatten(s.GetGeometryType())) in GOES_ROUND for s in shapes)


def _boxes(place: Place, reference: Any) -> Iterator[tuple[float, float, float, float]]:
    """West, east, south, north of the image's neighbourhood in a layer's coordinates; more than one across the date line."""
    m = modules()
    footprint = np.array(place.footprint())
    edge = np.concatenate([np.linspace(a, b, 16, endpoint=False) for a, b in zip(footprint, footprint[1:], strict=False)])
    if reference.IsGeographic():
        north = MARGIN_M / METRES_A_DEGREE
        east = north / max(math.cos(math.radians(float(np.abs(edge[:, 1]).max()))), 0.01)
        (west_edge, south_edge), (east_edge, north_edge) = edge.min(axis=0), edge.max(axis=0)
        for turn in (-360, 0, 360):  # files count from -180 to 180, or from 0 to 360
            box = (west_edge - east + turn, east_edge + east + turn, south_edge - north, north_edge + north)
            if box[1] >= -180 and box[0] <= 360:
                yield box
        return
    there = m.osr.CoordinateTransformation(wgs84(), reference)
    try:
        found = np.array(there.TransformPoints(edge.tolist()), float)[:, :2]
    except RuntimeError:
        return  # the projection does not reach the place
    if np.isfinite(found).all():
        margin = MARGIN_M / reference.GetLinearUnits()
        (west, south), (east, north) = found.min(axis=0) - margin, found.max(axis=0) + margin
        yield west, east, south, north


def _rectangle(west: float, east: float, south: float, north: float) -> Any:
    ogr = modules().ogr
    ring = ogr.Geometry(ogr.wkbLinearRing)
    for x, y in ((west, south), (east, south), (east, north), (west, north), (west, south)):
        ring.AddPoint_2D(x, y)
    box = ogr.Geometry(ogr.wkbPolygon)
    box.AddGeometry(ring)
    return box


def _parts(shape: Any) -> Iterator[Any]:
    """The polygons of any geometry."""
    ogr = modules().ogr
    if ogr.GT_Flatten(shape.GetGeometryType()) == ogr.wkbPolygon:
        yield shape
        return
    for i in range(shape.GetGeometryCount()):
        yield from _parts(shape.GetGeometryRef(i))
