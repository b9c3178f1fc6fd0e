"""Detections as GeoJSON, GeoPackage or CSV: whole files, the same bytes for the same objects."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import os
import pathlib
from typing import Any

from sidelook._cli_common import AtomicFile
from sidelook.detections import Detection, Detections
from sidelook.errors import BadInput, Failure, from_os_error
from sidelook.publish import geojson
from sidelook.publish._gdal import first_line, modules, options, quiet, wgs84
from sidelook.publish.image import Place, source_of

SCHEMA = "sidelook-detections-1"
SUFFIXES = {".geojson": "GeoJSON", ".json": "GeoJSON", ".gpkg": "GPKG", ".csv": "CSV"}
FIELDS = tuple(f.name for f in dataclasses.fields(Detection))
WHOLE = ("pixels", "first_line", "end_line", "first_sample", "end_sample")
TEXT = ("time_utc", "flags")


def format_of(path: str | os.PathLike[str], wanted: str | None = None) -> str:
    """GDAL's short name of the format: the one wanted, or by the file's suffix; refused if it is none of the three."""
    names = tuple(dict.fromkeys(SUFFIXES.values()))
    if wanted is not None:
        found = next((n for n in names if n.lower() == wanted.lower()), None)
        if found is None:
            raise BadInput(f"--of is {wanted}; must be GeoJSON, GPKG or CSV")
        return found
    suffix = pathlib.Path(path).suffix
    if suffix.lower() not in SUFFIXES:
        raise BadInput(f"output is {path}; must end in .geojson, .gpkg or .csv, or the format be given by --of")
    return SUFFIXES[suffix.lower()]


def write_detections(
    path: str | os.PathLike[str],
    detections: Detections,
    *,
    image: dict[str, Any] | None = None,
    format: str | None = None,
    overwrite: bool = False,
) -> None:
    """Writes what one search found; no objects are a result like any other.

    Parameters
    ----------
    path : of the file; a CSV gets what belongs to the whole search in ``path.json`` beside it
    image : metadata of the intensity image that was searched; with its orbit the objects' boxes become outlines
    format : GeoJSON, GPKG or CSV (default: by the suffix)

    Raises
    ------
    BadInput
        If the format is none of the three, the file exists, or cannot be written.
    """
    kind = format_of(path, format)
    place = Place.of(image) if image else None
    summary = summary_of(detections)
    file = AtomicFile(path, overwrite=overwrite)
    if kind == "GeoJSON":
        with file:
            file.temporary.write_text(to_geojson(detections, place), encoding="utf-8")
    elif kind == "GPKG":
        with file:
            _write_geopackage(file, detections, place, summary, _date(image))
    else:
        side = AtomicFile(f"{file.path}.json", overwrite=overwrite)
        with file, side:  # the last to appear is the file itself
            _write_csv(file, detections)
            side.temporary.write_text(json.dumps(summary, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def summary_of(detections: Detections) -> dict[str, Any]:
    """What belongs to the whole search: how many, over what area, how."""
    return {
        "schema": SCHEMA,
        "count": len(detections.objects),
        "area_searched_km2": _plain(detections.area_searched_km2),
        "search": _plain(detections.metadata),
    }


def record(detection: Detection) -> dict[str, Any]:
    """All fields of a detection as plain data; None for what is not known."""
    return {name: _plain(getattr(detection, name)) for name in FIELDS}


def to_geojson(detections: Detections, place: Place | None = None) -> str:
    """The text of a FeatureCollection, one feature a line."""
    head = {"type": "FeatureCollection", **summary_of(detections)}
    lines = [json.dumps(feature(d, place, i), allow_nan=False) for i, d in enumerate(detections.objects, 1)]
    body = ",\n".join(lines)
    return json.dumps(head, allow_nan=False)[:-1] + ', "features": [' + (f"\n{body}\n" if body else "") + "]}\n"


def feature(detection: Detection, place: Place | None, number: int) -> dict[str, Any]:
    """One detection as a GeoJSON feature; its geometry is null where its place is not known."""
    point = None
    if detection.longitude_deg is not None and detection.latitude_deg is not None:
        point = {"type": "Point", "coordinates": geojson.position(detection.longitude_deg, detection.latitude_deg)}
    properties = record(detection)
    properties["outline"] = geojson.polygon(_outline(detection, place)) if place else None
    return {"type": "Feature", "id": number, "geometry": point, "properties": properties}


def read_detections(path: str | os.PathLike[str]) -> Detections:
    """Reads the GeoJSON that `write_detections` wrote.

    Raises
    ------
    BadInput
        If it is no such file.
    """
    try:
        data = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise from_os_error(error, path, "read") from None
    except ValueError as error:
        raise BadInput(f"{path} is not JSON: {error}") from None
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        raise BadInput(f"{path} is no GeoJSON of schema {SCHEMA}; must be written by sidelook detect")
    try:
        objects = [_from_record(f["properties"]) for f in data["features"]]
        return Detections(objects, float(data["area_searched_km2"]), dict(data["search"]))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadInput(f"{path} lacks what sidelook detect writes ({type(error).__name__}: {error})") from None


def _from_record(properties: dict[str, Any]) -> Detection:
    values = {name: properties[name] for name in FIELDS}
    return Detection(**{**values, "flags": tuple(values["flags"])})


def _outline(d: Detection, place: Place) -> geojson.Ring:
    return place.outline(d.first_line, d.end_line, d.first_sample, d.end_sample)


def _plain(value: Any) -> Any:
    """Plain JSON data: numpy's numbers and tuples unwrapped, what is not finite as None."""
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if hasattr(value, "item") and not isinstance(value, str):
        value = value.item() if getattr(value, "ndim", 0) == 0 else value.tolist()
        return _plain(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _date(image: dict[str, Any] | None) -> str:
    """The time that a GeoPackage calls its last change: the acquisition's, since the clock's would change every file."""
    epoch = source_of(image)["acquisition"]["epoch_utc"] if image else "1970-01-01T00:00:00Z"
    return f"{epoch[:19]}.000Z"


# ---- OGR ---------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _ogr_file(file: AtomicFile, driver: str) -> Any:
    """A new data source of OGR under the temporary name; what fails is told in our words."""
    ogr = modules().ogr
    file.temporary.unlink(missing_ok=True)  # OGR makes files, it does not fill them
    try:
        with quiet():
            source = ogr.GetDriverByName(driver).CreateDataSource(str(file.temporary))
            try:
                yield source
                source.SyncToDisk()
            finally:
                source.Destroy()  # or it would write again when Python forgets it, perhaps after the file was removed
    except RuntimeError as error:
        raise Failure(f"{file.path} cannot be written: {first_line(error)}") from None


def _add_fields(layer: Any) -> None:
    ogr = modules().ogr
    for name in FIELDS:
        kind = ogr.OFTInteger64 if name in WHOLE else ogr.OFTString if name in TEXT else ogr.OFTReal
        layer.CreateField(ogr.FieldDefn(name, kind))


def _ogr_feature(layer: Any, detection: Detection, number: int) -> Any:
    row = modules().ogr.Feature(layer.GetLayerDefn())
    row.SetFID(number)
    for name, value in record(detection).items():
        if name == "flags":
            row.SetField(name, ",".join(value))
        elif value is not None:
            row.SetField(name, value)
        else:
            row.SetFieldNull(name)
    return row


def _write_geopackage(file: AtomicFile, detections: Detections, place: Place | None, summary: dict[str, Any], date: str) -> None:
    ogr = modules().ogr
    with options(OGR_CURRENT_DATE=date), _ogr_file(file, "GPKG") as source:
        source.SetMetadataItem("sidelook", json.dumps(summary, allow_nan=False))
        points = source.CreateLayer("detections", wgs84(), ogr.wkbPoint)
        outlines = source.CreateLayer("outlines", wgs84(), ogr.wkbMultiPolygon) if place else None
        for layer in (points, outlines):
            if layer is not None:
                _add_fields(layer)
        for number, d in enumerate(detections.objects, 1):
            row = _ogr_feature(points, d, number)
            if d.longitude_deg is not None and d.latitude_deg is not None:
                point = ogr.Geometry(ogr.wkbPoint)
                point.AddPoint_2D(*geojson.position(d.longitude_deg, d.latitude_deg))
                row.SetGeometry(point)
            points.CreateFeature(row)
            if outlines is not None and place is not None:
                row = _ogr_feature(outlines, d, number)
                shape = json.dumps(geojson.polygon(_outline(d, place)))
                row.SetGeometry(ogr.ForceToMultiPolygon(ogr.CreateGeometryFromJson(shape)))
                outlines.CreateFeature(row)
        source.SyncToDisk()  # writes the metadata, with the clock's time
        source.ExecuteSQL(f"UPDATE gpkg_metadata_reference SET timestamp = '{date}'")


def _write_csv(file: AtomicFile, detections: Detections) -> None:
    ogr = modules().ogr
    with _ogr_file(file, "CSV") as source:
        layer = source.CreateLayer("detections", None, ogr.wkbNone, ["LINEFORMAT=LF", "STRING_QUOTING=IF_NEEDED"])
        _add_fields(layer)
        for number, d in enumerate(detections.objects, 1):
            layer.CreateFeature(_ogr_feature(layer, d, number))
