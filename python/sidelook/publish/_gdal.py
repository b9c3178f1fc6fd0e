"""GDAL, OGR and OSR with exceptions on, and the few things that every writer here asks of them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, NamedTuple

from sidelook.errors import BadInput
from sidelook.raster import first_line, gdal

__all__ = ["Modules", "crs", "first_line", "gdal", "modules", "options", "quiet", "wgs84"]


class Modules(NamedTuple):
    """The three modules of osgeo, each raising what goes wrong."""

    gdal: Any
    ogr: Any
    osr: Any


def modules() -> Modules:
    """osgeo.gdal, ogr and osr, or the sentence that says what to install."""
    raster = gdal()
    from osgeo import ogr, osr

    ogr.UseExceptions()
    osr.UseExceptions()
    return Modules(raster, ogr, osr)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Within it GDAL's warnings are not printed; what fails still raises."""
    module = gdal()
    module.PushErrorHandler("CPLQuietErrorHandler")
    try:
        yield
    finally:
        module.PopErrorHandler()


@contextlib.contextmanager
def options(**values: str) -> Iterator[None]:
    """Configuration options of GDAL for the time being."""
    module = gdal()
    before = {name: module.GetConfigOption(name) for name in values}
    for name, value in values.items():
        module.SetConfigOption(name, value)
    try:
        yield
    finally:
        for name, old in before.items():
            module.SetConfigOption(name, old)


def wgs84() -> Any:
    """EPSG:4326 with longitude first."""
    return crs("EPSG:4326", "crs")


def crs(text: str, argument: str) -> Any:
    """A coordinate reference system from what OSR understands, x (east, longitude) first; refused by the argument's name."""
    osr = modules().osr
    reference = osr.SpatialReference()
    try:
        with quiet():
            reference.SetFromUserInput(text)
    except RuntimeError:
        raise BadInput(f"{argument} is {text}; must be 'utm' or a coordinate reference system as EPSG:32633") from None
    reference.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    return reference
