"""Detections as files: read back by others (OGR, sqlite, csv, json), the same bytes each time, whole or not there."""

from __future__ import annotations

import csv
import dataclasses
import json
import pathlib
import sqlite3
import time

import numpy as np
import pytest
from intensity_image import Truth, detection, found, spaced, turned
from sidelook.detections import Detection
from sidelook.errors import BadInput

pytest.importorskip("osgeo.gdal", reason="GDAL's Python bindings are not installed")
from osgeo import gdal, ogr  # noqa: E402
from sidelook.publish import format_of, read_detections, to_geojson, write_detections  # noqa: E402
from sidelook.publish.geojson import bbox, polygon  # noqa: E402
from sidelook.publish.image import Place, ring  # noqa: E402

FORMATS = ("geojson", "gpkg", "csv")
FIELDS = [f.name for f in dataclasses.fields(Detection)]


@pytest.fixture(autouse=True)
def raising():
    gdal.UseExceptions()
    ogr.UseExceptions()


@pytest.fixture(scope="module")
def scene():
    acquisition, metadata = spaced()
    truth = Truth(acquisition, metadata)
    three = found(detection(20.25, 30.5, truth), detection(60, 70, truth, flags=("side_lobe", "edge")), detection(90, 40.75, truth))
    return truth, metadata, three


def names(folder: pathlib.Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def rows_of(path: pathlib.Path, layer: str | int = 0) -> list[tuple[dict, tuple[float, float] | None]]:
    """Attributes and point of every feature, by OGR."""
    source = ogr.Open(str(path))
    rows = []
    for f in source.GetLayer(layer):
        g = f.GetGeometryRef()
        rows.append((json.loads(f.ExportToJson())["properties"], (g.GetX(), g.GetY()) if g else None))
    return rows


# ---- what is in them ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", FORMATS)
def test_read_back_by_ogr(tmp_path, scene, suffix):
    truth, metadata, three = scene
    path = tmp_path / f"ships.{suffix}"
    write_detections(path, three, image=metadata)
    rows = rows_of(path)
    assert len(rows) == 3
    for d, (row, point) in zip(three.objects, rows, strict=True):
        for name in FIELDS:
            got, want = row[name], getattr(d, name)
            if name == "flags":
                # a list in GeoJSON, of which OGR makes what it likes
                assert suffix == "geojson" or (got or "") == ",".join(want)
            elif isinstance(want, str):
                # OGR takes a time in GeoJSON for a DateTime and writes it its own way
                assert got is not None and got.replace("/", "-").replace(" ", "T")[:19] == want[:19]
            else:
                assert float(got) == pytest.approx(want, rel=1e-14)
        if suffix != "csv":
            # seven decimals of a degree
            assert point == pytest.approx(truth.lonlat(d.line, d.sample), abs=0.5001e-7 + 1e-9)


def test_csv_is_plain(tmp_path, scene):
    write_detections(tmp_path / "ships.csv", scene[2], image=scene[1])
    assert names(tmp_path) == ["ships.csv", "ships.csv.json"]
    with open(tmp_path / "ships.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == FIELDS
    assert [float(r["line"]) for r in rows] == [20.25, 60, 90]
    assert [r["pixels"] for r in rows] == ["38"] * 3 and rows[1]["flags"] == "side_lobe,edge"
    assert json.loads((tmp_path / "ships.csv.json").read_text())["count"] == 3


def test_geopackage_by_sqlite(tmp_path, scene):
    """Another reader of the standard; and no file of SQLite's beside it."""
    write_detections(tmp_path / "ships.gpkg", scene[2], image=scene[1])
    assert names(tmp_path) == ["ships.gpkg"]
    with sqlite3.connect(tmp_path / "ships.gpkg") as base:
        assert base.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert base.execute("PRAGMA journal_mode").fetchone()[0] == "delete"
        assert base.execute("SELECT table_name, srs_id FROM gpkg_contents ORDER BY 1").fetchall() == [
            ("detections", 4326),
            ("outlines", 4326),
        ]
        assert base.execute("SELECT line, pixels, flags FROM detections ORDER BY fid").fetchall()[1] == (60.0, 38, "side_lobe,edge")
        (text,) = base.execute("SELECT metadata FROM gpkg_metadata").fetchone()
        assert '"area_searched_km2": 41.25' in text
        (changed,) = base.execute("SELECT DISTINCT last_change FROM gpkg_contents").fetchone()
        assert changed == "2026-05-01T12:00:00.000Z"
    base.close()


def test_geojson_is_rfc_7946(scene):
    truth, metadata, three = scene
    data = json.loads(to_geojson(three, Place.of(metadata)))
    assert data["type"] == "FeatureCollection" and data["schema"] == "sidelook-detections-1"
    assert data["count"] == 3 and data["area_searched_km2"] == 41.25 and data["search"]["false_alarm_rate"] == 1e-6
    assert "crs" not in data  # RFC 7946: always WGS84
    for number, (d, f) in enumerate(zip(three.objects, data["features"], strict=True), 1):
        assert f["type"] == "Feature" and f["id"] == number and f["geometry"]["type"] == "Point"
        lon, lat = f["geometry"]["coordinates"]
        assert all(len(repr(x).partition(".")[2]) <= 7 for x in (lon, lat))
        assert set(f["properties"]) == {*FIELDS, "outline"} and f["properties"]["flags"] == list(d.flags)
        (outer,) = f["properties"]["outline"]["coordinates"]
        assert outer[0] == outer[-1] and len(outer) == 5
        shape = ogr.CreateGeometryFromJson(json.dumps(f["properties"]["outline"]))
        assert shape.IsValid()
        assert sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(outer, outer[1:], strict=False)) > 0  # counter-clockwise
        assert shape.Contains(ogr.CreateGeometryFromJson(json.dumps(f["geometry"])))
        # the corners of the box are pixels' corners: half a pixel out of their centres
        want = [truth.lonlat(i - 0.5, j - 0.5) for i in (d.first_line, d.end_line) for j in (d.first_sample, d.end_sample)]
        assert all(np.abs(np.array(outer[:4]) - corner).sum(axis=1).min() < 2e-7 for corner in want)


def test_round_trip(tmp_path, scene):
    write_detections(tmp_path / "a.geojson", scene[2], image=scene[1])
    assert read_detections(tmp_path / "a.geojson") == scene[2]


@pytest.mark.parametrize("suffix", FORMATS)
def test_without_an_orbit_there_are_image_coordinates(tmp_path, scene, suffix):
    metadata = json.loads(json.dumps(scene[1]))
    metadata["source"]["acquisition"]["orbit"] = []
    path = tmp_path / f"ships.{suffix}"
    write_detections(path, found(detection(20.25, 30.5, None)), image=metadata)
    ((row, point),) = rows_of(path)
    assert point is None and float(row["line"]) == 20.25 and float(row["sample"]) == 30.5
    assert row["latitude_deg"] in (None, "")
    if suffix == "geojson":
        (f,) = json.loads(path.read_text())["features"]
        assert f["geometry"] is None and f["properties"]["outline"] is None and f["properties"]["heading_deg"] is None


@pytest.mark.parametrize("suffix", FORMATS)
def test_no_objects_are_a_result(tmp_path, scene, suffix):
    path = tmp_path / f"none.{suffix}"
    write_detections(path, found(area=812.5), image=scene[1])
    assert rows_of(path) == []
    text = path.read_text(encoding="latin-1") if suffix != "csv" else (tmp_path / "none.csv.json").read_text()
    assert '"count": 0' in text and "812.5" in text
    if suffix == "geojson":
        assert json.loads(text)["features"] == []
    if suffix == "csv":
        assert path.read_text() == ",".join(FIELDS) + "\n"


def test_numbers_that_json_does_not_know(tmp_path):
    """NaN is null, numpy's numbers are numbers."""
    odd = detection(3, 4, None, rcs_dbsm=float("nan"), scr_db=np.float32(2.5), pixels=np.int64(7))
    write_detections(tmp_path / "odd.geojson", found(odd, area=np.float64(1.5)))
    (f,) = json.loads((tmp_path / "odd.geojson").read_text())["features"]
    assert f["properties"]["rcs_dbsm"] is None and f["properties"]["scr_db"] == 2.5 and f["properties"]["pixels"] == 7


# ---- the date line -----------------------------------------------------------------------------------------------


def test_outline_across_the_date_line(tmp_path):
    acquisition, metadata = spaced()
    longitude = Truth(acquisition, metadata).lonlat(60, 70)[0]
    acquisition = turned(acquisition, 180 - longitude)
    metadata["source"]["acquisition"] = acquisition.to_dict()
    truth = Truth(acquisition, metadata)
    write_detections(tmp_path / "a.geojson", found(detection(60, 70, truth)), image=metadata)
    write_detections(tmp_path / "a.gpkg", found(detection(60, 70, truth)), image=metadata)
    (f,) = json.loads((tmp_path / "a.geojson").read_text())["features"]
    outline = f["properties"]["outline"]
    assert outline["type"] == "MultiPolygon" and len(outline["coordinates"]) == 2
    sides = [np.array(part[0])[:, 0] for part in outline["coordinates"]]
    assert all((abs(s) <= 180).all() and (abs(s) > 179.99).all() for s in sides)
    assert {np.sign(s).mean() for s in sides} == {1.0, -1.0}
    whole = Place.of(metadata).outline(55, 66, 67, 74)
    area = sum(ogr.CreateGeometryFromJson(json.dumps({"type": "Polygon", "coordinates": c})).GetArea() for c in outline["coordinates"])
    flat = [(x - 180, y) for x, y in whole]
    assert area == pytest.approx(abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(flat, flat[1:], strict=False))) / 2, rel=1e-2)
    (row,) = rows_of(tmp_path / "a.gpkg", "detections")
    assert abs(row[1][0]) == pytest.approx(180, abs=1e-4)


def test_boxes_and_rings():
    clockwise = np.array([[10.0, 0.0], [10.0, 1.0], [11.0, 1.0], [11.0, 0.0]])
    corners = ring(clockwise)
    assert corners[0] == corners[-1] and corners[1] == (11.0, 1.0)
    assert polygon(corners)["type"] == "Polygon" and bbox(corners) == [10.0, 0.0, 11.0, 1.0]
    across = ring(np.array([[179.5, 0.0], [-179.5, 0.0], [-179.5, 1.0], [179.5, 1.0]]))
    assert max(x for x, _ in across) == 180.5
    assert bbox(across) == [179.5, 0.0, -179.5, 1.0]  # RFC 7946, section 5.2
    assert [p[0] for p in polygon(across)["coordinates"]] and polygon(across)["type"] == "MultiPolygon"


# ---- bytes and files ---------------------------------------------------------------------------------------------


def test_same_objects_same_bytes(tmp_path, scene):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        for suffix in FORMATS:
            write_detections(tmp_path / folder / f"ships.{suffix}", scene[2], image=scene[1])
        time.sleep(1.1)  # GeoPackage's times have a resolution of a second and less
    for name in names(tmp_path / "a"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name


@pytest.mark.parametrize("suffix", FORMATS)
def test_existing_files_are_kept(tmp_path, scene, suffix):
    path = tmp_path / f"ships.{suffix}"
    path.write_text("mine")
    with pytest.raises(BadInput, match="exists already; give --overwrite"):
        write_detections(path, scene[2], image=scene[1])
    assert path.read_text() == "mine" and names(tmp_path) == [path.name]
    write_detections(path, scene[2], image=scene[1], overwrite=True)
    assert len(rows_of(path)) == 3


@pytest.mark.parametrize("suffix", FORMATS)
def test_nothing_is_left_of_a_failure(tmp_path, scene, suffix, monkeypatch):
    def fail(*unused):
        raise RuntimeError("the disk is gone")

    monkeypatch.setattr("sidelook.publish.vectors.record", fail)
    with pytest.raises(Exception, match="the disk is gone"):
        write_detections(tmp_path / f"ships.{suffix}", scene[2], image=scene[1])
    assert names(tmp_path) == []


def test_a_folder_that_is_not_there(tmp_path, scene):
    with pytest.raises(BadInput, match="cannot be written: there is no such file or folder"):
        write_detections(tmp_path / "no" / "ships.gpkg", scene[2])


def test_formats():
    assert [format_of(p) for p in ("a.geojson", "a.JSON", "a.gpkg", "x/a.csv")] == ["GeoJSON", "GeoJSON", "GPKG", "CSV"]
    assert format_of("a.txt", "csv") == "CSV"
    with pytest.raises(BadInput, match=r"must end in \.geojson"):
        format_of("a.shp")
    with pytest.raises(BadInput, match="--of is Shape; must be GeoJSON, GPKG or CSV"):
        format_of("a.csv", "Shape")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "is not JSON"),
        ('{"type": "FeatureCollection", "features": []}', "is no GeoJSON of schema sidelook-detections-1"),
        ('{"schema": "sidelook-detections-1", "features": [{}]}', "lacks what sidelook detect writes"),
    ],
)
def test_what_is_no_file_of_detections(tmp_path, text, words):
    (tmp_path / "a.geojson").write_text(text)
    with pytest.raises(BadInput, match=words):
        read_detections(tmp_path / "a.geojson")
    with pytest.raises(BadInput, match="there is no such file"):
        read_detections(tmp_path / "b.geojson")
