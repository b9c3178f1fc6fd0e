"""Polygons and numbers as RFC 7946 wants them: WGS84, longitude first, counter-clockwise, cut at the date line."""

from __future__ import annotations

import math
from typing import Any

from sidelook.publish._gdal import modules

DECIMALS = 7  # of a degree: a centimetre
Ring = list[tuple[float, float]]


def position(longitude_deg: float, latitude_deg: float) -> list[float]:
    """One place, its longitude brought to -180..180."""
    return [_degrees(math.remainder(longitude_deg, 360)), _degrees(latitude_deg)]


def polygon(ring: Ring) -> dict[str, Any]:
    """The geometry of one closed ring whose longitudes may run on beyond 180 degrees; a MultiPolygon across the date line."""
    parts = [r for turn in (0, -360, 360) if (r := _within(ring, turn))]
    coordinates = [[[[_degrees(x), _degrees(y)] for x, y in part]] for part in parts]
    if len(coordinates) == 1:
        return {"type": "Polygon", "coordinates": coordinates[0]}
    return {"type": "MultiPolygon", "coordinates": coordinates}


def bbox(ring: Ring) -> list[float]:
    """West, south, east, north; west is greater than east across the date line."""
    longitudes, latitudes = zip(*ring, strict=True)
    west, east = min(longitudes), max(longitudes)
    return [_wrapped(west), _degrees(min(latitudes)), _wrapped(east), _degrees(max(latitudes))]


def _wrapped(longitude: float) -> float:
    return _degrees(longitude if -180 <= longitude <= 180 else math.remainder(longitude, 360))


def _within(ring: Ring, turn: float) -> Ring:
    """The part of a ring that lies within -180..180 after a turn; empty if none does."""
    turned = [(x + turn, y) for x, y in ring]
    if all(-180 <= x <= 180 for x, _ in turned):
        return turned
    if all(x <= -180 for x, _ in turned) or all(x >= 180 for x, _ in turned):
        return []
    ogr = modules().ogr
    band = ogr.CreateGeometryFromWkt("POLYGON((-180 -90,180 -90,180 90,-180 90,-180 -90))")
    cut = _ogr_polygon(turned).Intersection(band)
    if cut is None or cut.GetGeometryName() != "POLYGON":
        return []
    points: Ring = [(x, y) for x, y, *_ in cut.GetGeometryRef(0).GetPoints()]
    return points if _area(points) > 0 else points[::-1]


def _area(ring: Ring) -> float:
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(ring, ring[1:], strict=False)) / 2


def _ogr_polygon(ring: Ring) -> Any:
    ogr = modules().ogr
    outer = ogr.Geometry(ogr.wkbLinearRing)
    for x, y in ring:
        outer.AddPoint_2D(x, y)
    whole = ogr.Geometry(ogr.wkbPolygon)
    whole.AddGeometry(outer)
    return whole


def _degrees(value: float) -> float:
    return round(value, DECIMALS) + 0.0  # no -0.0
