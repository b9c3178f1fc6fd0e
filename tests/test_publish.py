"""Maps against the oracle's geometry, pixel by pixel; STAC items against the specifications; files whole or not there."""

from __future__ import annotations

import datetime
import json
import math
import os
import pathlib
import re

import numpy as np
import pytest
from intensity_image import Truth, detection, found, sea, spaced, turned, write_image
from sidelook.cli import main
from sidelook.errors import BadInput, Failure, MissingAuxiliary

pytest.importorskip("osgeo.gdal", reason="GDAL's Python bindings are not installed")
from osgeo import gdal, osr  # noqa: E402
from sidelook.publish import IntensityReader, geocode, publish, stac, write_detections  # noqa: E402
from sidelook.raster import picture_looks  # noqa: E402

LINES, SAMPLES = 120, 150


@pytest.fixture(autouse=True)
def raising():
    gdal.UseExceptions()
    osr.UseExceptions()


class Scene:
    """An image on disk, its pixels and its truth."""

    def __init__(self, folder: pathlib.Path, power: np.ndarray | None = None, name: str = "sigma0.tif", **orbit) -> None:
        acquisition, self.metadata = spaced((4, 1), LINES, SAMPLES)
        if orbit:
            acquisition = turned(acquisition, **orbit)
            self.metadata["source"]["acquisition"] = acquisition.to_dict()
        self.power = sea(LINES, SAMPLES) if power is None else power
        self.truth = Truth(acquisition, self.metadata)
        self.path = write_image(folder / name, self.power, self.metadata)


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    return Scene(tmp_path_factory.mktemp("scene"))


@pytest.fixture(scope="module")
def product(scene, tmp_path_factory):
    """Published with three objects, once for many tests."""
    folder = tmp_path_factory.mktemp("product") / "out"
    objects = found(detection(30, 40, scene.truth), detection(60, 75.5, scene.truth, flags=("edge",)), detection(100, 120, scene.truth))
    return publish(scene.path, folder, detections=objects, polarizations=("HH",))


def names(folder: pathlib.Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def read_map(path: pathlib.Path) -> tuple[np.ndarray, tuple[float, ...], object]:
    dataset = gdal.Open(str(path))
    reference = dataset.GetSpatialRef()
    return dataset.ReadAsArray(), dataset.GetGeoTransform(), reference


def places(transform: tuple[float, ...], reference: object, rows: np.ndarray, cols: np.ndarray) -> list[tuple[float, float]]:
    """Longitude and latitude of GDAL's pixel coordinates (the first corner is 0, 0)."""
    lonlat = osr.SpatialReference()
    lonlat.SetFromUserInput("EPSG:4326")
    lonlat.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    there = osr.CoordinateTransformation(reference, lonlat)
    return [
        there.TransformPoint(transform[0] + c * transform[1], transform[3] + r * transform[5])[:2] for r, c in zip(rows, cols, strict=True)
    ]


def utm(longitude_deg: float, latitude_deg: float, zone: int) -> tuple[float, float]:
    """Easting and northing by the series of Krueger to the sixth order of n (Karney 2011, equations 7 to 11, 35)."""
    a, f = 6378137.0, 1 / 298.257223563
    n, e = f / (2 - f), math.sqrt(f * (2 - f))
    radius = a / (1 + n) * (1 + n**2 / 4 + n**4 / 64)
    alpha = (
        n / 2 - 2 * n**2 / 3 + 5 * n**3 / 16 + 41 * n**4 / 180,
        13 * n**2 / 48 - 3 * n**3 / 5 + 557 * n**4 / 1440,
        61 * n**3 / 240 - 103 * n**4 / 140,
        49561 * n**4 / 161280,
    )
    phi, lam = math.radians(latitude_deg), math.radians(longitude_deg - (6 * zone - 183))
    tau = math.tan(phi)
    sigma = math.sinh(e * math.atanh(e * tau / math.hypot(1, tau)))
    conformal = tau * math.hypot(1, sigma) - sigma * math.hypot(1, tau)
    xi, eta = math.atan2(conformal, math.cos(lam)), math.asinh(math.sin(lam) / math.hypot(conformal, math.cos(lam)))
    y = xi + sum(c * math.sin(2 * k * xi) * math.cosh(2 * k * eta) for k, c in enumerate(alpha, 1))
    x = eta + sum(c * math.cos(2 * k * xi) * math.sinh(2 * k * eta) for k, c in enumerate(alpha, 1))
    return 500e3 + 0.9996 * radius * x, 0.9996 * radius * y


# ---- pixels ------------------------------------------------------------------------------------------------------


def bilinear(power: np.ndarray, line: float, sample: float) -> float:
    """In double precision; NaN outside of the outermost centres and where a pixel that counts is NaN."""
    if not (0 <= line <= LINES - 1 and 0 <= sample <= SAMPLES - 1):
        return math.nan
    total = 0.0
    for i in (math.floor(line), math.floor(line) + 1):
        for j in (math.floor(sample), math.floor(sample) + 1):
            weight = (1 - abs(line - i)) * (1 - abs(sample - j))
            if weight > 0:
                total += weight * float(power[i, j])
    return total


def nearest(power: np.ndarray, line: float, sample: float) -> float:
    i, j = math.floor(line + 0.5), math.floor(sample + 0.5)
    return float(power[i, j]) if 0 <= i < LINES and 0 <= j < SAMPLES else math.nan


@pytest.mark.parametrize(
    ("crs", "interpolation", "orbit"),
    [
        ("utm", "bilinear", {}),
        ("utm", "nearest", {}),
        ("EPSG:4326", "bilinear", {}),
        ("EPSG:3035", "bilinear", {}),
        ("utm", "bilinear", {"degrees": 77.0, "south": True}),
        ("utm", "bilinear", {"degrees": 179.905}),
    ],
)
def test_every_pixel_has_the_value_of_its_place(tmp_path, crs, interpolation, orbit):
    """Each map pixel's centre is solved for by the oracle, and the image interpolated there in double precision."""
    power = sea(LINES, SAMPLES)
    power[40:44, 60:63] = np.nan
    scene = Scene(tmp_path, power, **orbit)
    made = publish(scene.path, tmp_path / "map.tif", crs=crs, interpolation=interpolation, spacing_m=13.0)
    image, transform, reference = read_map(made.files["data"])
    assert image.dtype == np.float32 and image.shape == (made.grid.rows, made.grid.cols)
    random = np.random.default_rng(3)
    rows, cols = random.integers(0, image.shape[0], 400), random.integers(0, image.shape[1], 400)
    worst = numbers = 0.0
    for (lon, lat), r, c in zip(places(transform, reference, rows + 0.5, cols + 0.5), rows, cols, strict=True):
        line, sample = scene.truth.pixel(lon, lat)
        want = (bilinear if interpolation == "bilinear" else nearest)(power, line, sample)
        assert math.isnan(want) == math.isnan(image[r, c]), (r, c, line, sample)
        if not math.isnan(want):
            worst, numbers = max(worst, abs(float(image[r, c]) / want - 1)), numbers + 1
    print(f"{crs} {interpolation}: {int(numbers)} pixels, worst {worst:.1e}")
    assert numbers > 150
    # Rounding to float32 is 6e-8; a micrometre of place, 1e-7 pixel, counts as much where a neighbour is ten times brighter.
    assert worst < 1e-6


@pytest.mark.parametrize("spacing_m", [6.0, 18.0])
def test_a_point_lies_where_it_is(tmp_path, spacing_m):
    """Half a pixel of error, of either convention, would be 9 m. The projection is the test's own."""
    power = np.zeros((LINES, SAMPLES), np.float32)
    power[50:71, 70:81] = 1
    scene = Scene(tmp_path, power)
    made = publish(scene.path, tmp_path / "map.tif", spacing_m=spacing_m)
    image, transform, _ = read_map(made.files["data"])
    assert made.grid.code == "EPSG:32631"
    weight = np.nan_to_num(image.astype(float))
    row, col = ((weight * k).sum() / weight.sum() for k in np.indices(image.shape) + 0.5)  # centres, in GDAL's coordinates
    easting, northing = utm(*scene.truth.lonlat(60, 75), 31)
    off = transform[0] + col * transform[1] - easting, transform[3] + row * transform[5] - northing
    print(f"spacing {spacing_m} m: centre of the block off by {off[0]:+.2f}, {off[1]:+.2f} m")
    assert math.hypot(*off) < 0.6


def test_nothing_depends_on_blocks_and_threads(scene, tmp_path, monkeypatch):
    whole = publish(scene.path, tmp_path / "a.tif", threads=1)
    monkeypatch.setattr(geocode, "TILE", 32)
    image = IntensityReader(scene.path)
    grid = geocode.map_grid(image)
    for window in (geocode.WINDOW_PIXELS, 300):  # the second cuts blocks until what they need is small
        monkeypatch.setattr(geocode, "WINDOW_PIXELS", window)
        out = np.full((grid.rows, grid.cols), -1, np.float32)
        for row, col, block in geocode.Geocoder(image, grid, threads=3).blocks():
            out[row : row + block.shape[0], col : col + block.shape[1]] = block
        assert np.array_equal(out, read_map(whole.files["data"])[0], equal_nan=True)


def test_grids_of_one_spacing_match(scene):
    image = IntensityReader(scene.path)
    grid = geocode.map_grid(image, spacing_m=12.5)
    assert grid.left % 12.5 == 0 and grid.top % 12.5 == 0 and grid.spacing == 12.5
    assert geocode.map_grid(image).spacing == 18.0  # the coarser of 18.13 and 8.24 m, two digits
    degrees = geocode.map_grid(image, "EPSG:4326", 11.132)
    assert degrees.spacing == pytest.approx(1e-4, rel=1e-12) and degrees.code == "EPSG:4326"
    # everything of the image is on the map, and no row or column without need
    for g in (grid, degrees):
        corners = [scene.truth.lonlat(i - 0.5, j - 0.5) for i in (0, LINES) for j in (0, SAMPLES)]
        x, y = g.pixels(np.array(corners)).T
        assert -1e-3 <= x.min() < 1 and g.cols - 1 < x.max() <= g.cols + 1e-3
        assert -1e-3 <= y.min() < 1 and g.rows - 1 < y.max() <= g.rows + 1e-3


def test_polar_maps(tmp_path):
    """Beyond 84 degrees a UTM zone is no map."""
    footprint = np.array([[10.0, 85.0], [11.0, 86.0]])
    assert geocode._utm(footprint) == "EPSG:32661" and geocode._utm(footprint * [1, -1]) == "EPSG:32761"
    assert geocode._utm(np.array([[179.9, -10.0], [180.3, -9.0]])) == "EPSG:32701"
    assert geocode._utm(np.array([[179.5, 10.0], [180.1, 11.0]])) == "EPSG:32660"


# ---- the file ----------------------------------------------------------------------------------------------------


def test_it_is_a_cloud_optimised_geotiff(product):
    dataset = gdal.Open(str(product.files["data"]))
    assert dataset.GetMetadataItem("LAYOUT", "IMAGE_STRUCTURE") == "COG"
    band = dataset.GetRasterBand(1)
    assert band.GetBlockSize() == [512, 512] and math.isnan(band.GetNoDataValue()) and band.DataType == gdal.GDT_Float32
    assert dataset.GetGCPCount() == 0 and dataset.GetGeoTransform() == product.grid.transform
    told = json.loads(dataset.GetMetadataItem("SIDELOOK_MAP"))
    assert told["schema"] == "sidelook-map-1" and told["quantity"] == "sigma0" and told["terrain_height_m"] == 120.5
    assert re.fullmatch("[0-9a-f]{64}", told["image_sha256"])


def test_overviews_of_a_larger_map(scene, tmp_path):
    made = publish(scene.path, tmp_path / "a.tif", spacing_m=2.5)
    dataset = gdal.Open(str(made.files["data"]))  # held while its band is used
    band = dataset.GetRasterBand(1)
    assert band.GetOverviewCount() >= 1
    small, full = band.GetOverview(0).ReadAsArray(), band.ReadAsArray()
    assert np.nanmean(small) == pytest.approx(np.nanmean(full), rel=5e-3)  # averaged in power, NaN left out
    assert np.isnan(small).mean() == pytest.approx(np.isnan(full).mean(), abs=0.02)


def test_statistics(product):
    image = read_map(product.files["data"])[0].astype(float)
    s = product.statistics
    assert s["minimum"] == pytest.approx(np.nanmin(image)) and s["maximum"] == pytest.approx(np.nanmax(image))
    assert s["mean"] == pytest.approx(np.nanmean(image)) and s["stddev"] == pytest.approx(np.nanstd(image), rel=1e-4)
    assert s["valid_percent"] == pytest.approx(100 * np.isfinite(image).mean(), abs=0.01)


def test_same_input_same_bytes(scene, tmp_path):
    objects = found(detection(30, 40, scene.truth))
    for folder in ("a", "b"):
        publish(scene.path, tmp_path / folder, detections=objects)
    assert names(tmp_path / "a") == ["sigma0.detections.geojson", "sigma0.json", "sigma0.quicklook.png", "sigma0.tif"]
    for name in names(tmp_path / "a"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name


def test_the_quicklook_shows_the_objects(product, scene, tmp_path):
    pixels = gdal.Open(str(product.files["overview"])).ReadAsArray()
    assert pixels.dtype == np.uint8 and pixels.shape == (3, product.grid.rows, product.grid.cols)
    plain, doubted = ((pixels == np.array(c)[:, None, None]).all(axis=0) for c in ((255, 80, 0), (255, 220, 0)))
    assert plain.sum() > 40 and doubted.sum() > 20
    x, y = product.grid.pixels(np.array([scene.truth.lonlat(60, 75)]))[0]  # around the second object, and not on it
    rows, cols = np.nonzero(doubted)
    assert rows.min() < y < rows.max() and cols.min() < x < cols.max()
    assert not doubted[int(y), int(x)]
    grey = publish(scene.path, tmp_path / "plain.tif")
    assert gdal.Open(str(grey.files["overview"])).RasterCount == 1


@pytest.mark.parametrize(
    ("shape", "spacing", "looks"),
    [
        ((100, 100), (1, 1), (1, 1)),
        ((120, 150), (18.1, 8.2), (1, 2)),
        ((1351, 1900), (1, 1), (2, 2)),
        ((1900, 2400), (4, 5.5), (4, 3)),
        ((50000, 40000), (4, 10), (62, 25)),
    ],
)
def test_pictures_are_square_and_small(shape, spacing, looks):
    found_looks = picture_looks(*shape, *spacing)
    assert found_looks == looks and all(math.ceil(n / k) <= 1600 for n, k in zip(shape, looks, strict=True))


def test_names_of_the_files(scene, tmp_path):
    made = publish(scene.path, tmp_path / "deep" / "map.tiff")
    assert names(tmp_path / "deep") == ["map.json", "map.quicklook.png", "map.tiff"]
    assert made.item["id"] == "map"
    with pytest.raises(BadInput, match="must end in .tif, or be a folder"):
        publish(scene.path, tmp_path / "map.png")
    with pytest.raises(BadInput, match="the image itself; must be another file"):
        publish(scene.path, scene.path, overwrite=True)
    with pytest.raises(BadInput, match="exists already; give --overwrite"):
        publish(scene.path, tmp_path / "deep" / "map.tiff")
    publish(scene.path, tmp_path / "deep" / "map.tiff", overwrite=True)


@pytest.mark.parametrize("there", [False, True])
def test_nothing_is_left_of_a_failure(scene, tmp_path, monkeypatch, there):
    out = tmp_path / "out"
    if there:
        out.mkdir()
        (out / "mine.txt").write_text("mine")

    def fail(*unused, **also_unused):
        raise Failure("the last step failed")

    monkeypatch.setattr(stac, "item", fail)
    with pytest.raises(Failure):
        publish(scene.path, out)
    assert (names(out) == ["mine.txt"]) if there else not out.exists()


# ---- STAC --------------------------------------------------------------------------------------------------------


def check_item(item: dict) -> None:
    """What the specifications ask of an item like ours: STAC 1.0.0, item-spec and common metadata; sar 1.3, sat 1.0, processing
    1.2, projection 1.2, raster 1.1. Written from their text, since no package ships the extensions' schemas; the schemas themselves
    are asked where SIDELOOK_STAC_SCHEMAS names a folder of them."""
    assert item["type"] == "Feature" and item["stac_version"] == "1.0.0"
    assert isinstance(item["id"], str) and item["id"] and not set(item["id"]) & set("/:")
    assert set(item) == {"type", "stac_version", "stac_extensions", "id", "geometry", "bbox", "properties", "links", "assets"}
    assert isinstance(item["links"], list)
    p = item["properties"]
    prefixes = {"sar", "sat", "processing", "proj", "raster"}
    declared = {e.split("/")[3]: e for e in item["stac_extensions"]}
    assert set(declared) == {"sar", "sat", "processing", "projection", "raster"}
    assert all(re.fullmatch(r"https://stac-extensions\.github\.io/\w+/v\d+\.\d+\.\d+/schema\.json", e) for e in declared.values())
    # time: RFC 3339 in UTC; start and end come together
    times = [p[k] for k in ("start_datetime", "datetime", "end_datetime")]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", t) for t in times) and times == sorted(times)
    assert p["platform"] == p["platform"].lower() and isinstance(p["instruments"], list) and p["instruments"]
    assert p["gsd"] > 0
    known = {
        "sar": "instrument_mode frequency_band center_frequency bandwidth polarizations product_type resolution_range resolution_azimuth "
        "pixel_spacing_range pixel_spacing_azimuth looks_range looks_azimuth looks_equivalent_number observation_direction beam_ids",
        "sat": "platform_international_designator orbit_state absolute_orbit relative_orbit anx_datetime",
        "processing": "expression lineage level facility datetime version software",
        "proj": "epsg code wkt2 projjson geometry bbox centroid shape transform",
        "raster": "bands",
    }
    for where in (p, *item["assets"].values()):
        for key in where:
            prefix, _, name = key.partition(":")
            assert not name or (prefix in prefixes and name in known[prefix].split()), key
    # sar
    assert p["sar:frequency_band"] in ("P", "L", "S", "C", "X", "Ku", "K", "Ka") and p["sar:center_frequency"] > 0
    assert p["sar:instrument_mode"] and p["sar:product_type"] and p["sar:observation_direction"] in ("left", "right")
    if "sar:polarizations" in p:
        assert p["sar:polarizations"] and len(set(p["sar:polarizations"])) == len(p["sar:polarizations"])
        assert set(p["sar:polarizations"]) <= {"HH", "VV", "HV", "VH", "LH", "LV", "RH", "RV", "CH", "CV"}
    for key in ("looks_range", "looks_azimuth"):
        assert type(p[f"sar:{key}"]) is int and p[f"sar:{key}"] >= 1
    for key in ("resolution_range", "resolution_azimuth", "pixel_spacing_range", "pixel_spacing_azimuth", "looks_equivalent_number"):
        assert type(p[f"sar:{key}"]) in (int, float) and p[f"sar:{key}"] > 0
    assert p["sat:orbit_state"] in ("ascending", "descending")
    # processing
    assert all(isinstance(k, str) and isinstance(v, str) for k, v in p["processing:software"].items()) and p["processing:software"]
    assert re.fullmatch(r"L\w+", p["processing:level"]) and isinstance(p["processing:lineage"], str)
    # projection
    assert p["proj:epsg"] is None or type(p["proj:epsg"]) is int
    assert (p["proj:code"] == f"EPSG:{p['proj:epsg']}") if p["proj:epsg"] else (p["proj:code"] is None and p["proj:wkt2"])
    assert len(p["proj:shape"]) == 2 and all(type(n) is int for n in p["proj:shape"])
    assert len(p["proj:transform"]) == 6 and len(p["proj:bbox"]) == 4
    # assets
    assert "data" in item["assets"]
    for asset in item["assets"].values():
        assert asset["href"] and isinstance(asset["type"], str) and asset["roles"] and all(isinstance(r, str) for r in asset["roles"])
    assert item["assets"]["data"]["type"] == "image/tiff; application=geotiff; profile=cloud-optimized"
    assert "data" in item["assets"]["data"]["roles"]
    (band,) = item["assets"]["data"]["raster:bands"]
    assert band["data_type"] == "float32" and band["nodata"] == "nan" and band["sampling"] == "area" and isinstance(band["unit"], str)
    assert set(band["statistics"]) <= {"mean", "minimum", "maximum", "stddev", "valid_percent"} and band["statistics"]
    # geometry: RFC 7946
    parts = item["geometry"]["coordinates"] if item["geometry"]["type"] == "MultiPolygon" else [item["geometry"]["coordinates"]]
    assert item["geometry"]["type"] in ("Polygon", "MultiPolygon")
    for (outer,) in parts:
        assert len(outer) >= 4 and outer[0] == outer[-1]
        assert all(-180 <= x <= 180 and -90 <= y <= 90 for x, y in outer)
        assert sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(outer, outer[1:], strict=False)) > 0
    west, south, east, north = item["bbox"]
    assert south < north and all(south <= y <= north for (outer,) in parts for _, y in outer)
    for (outer,) in parts:
        for x, _ in outer:
            assert west <= x <= east if west <= east else (x >= west or x <= east)


def test_the_item_obeys_the_specifications(product):
    item = json.loads(product.files["item"].read_text())
    check_item(item)
    assert set(item["assets"]) == {"data", "overview", "detections"}
    for asset in item["assets"].values():
        assert (product.files["item"].parent / asset["href"]).is_file()


def test_the_check_can_fail(product):
    for spoil in (
        lambda i: i["properties"].pop("datetime"),
        lambda i: i["properties"].update({"sar:frequency_band": "c"}),
        lambda i: i["properties"].update({"sar:colour": 1}),
        lambda i: i["geometry"]["coordinates"][0].reverse(),
        lambda i: i["assets"]["data"].pop("roles"),
        lambda i: i["stac_extensions"].pop(),
    ):
        item = json.loads(product.files["item"].read_text())
        spoil(item)
        with pytest.raises((AssertionError, KeyError)):
            check_item(item)


def test_the_item_obeys_the_schemas(product, tmp_path, scene):
    """The published JSON schemas, from a folder that holds each under its address without https://."""
    folder = os.environ.get("SIDELOOK_STAC_SCHEMAS")
    if not folder:
        pytest.skip("SIDELOOK_STAC_SCHEMAS names no folder of the STAC schemas, which cannot be fetched here")
    jsonschema = pytest.importorskip("jsonschema")
    referencing = pytest.importorskip("referencing")

    def retrieve(address: str):
        text = (pathlib.Path(folder) / address.partition("://")[2].partition("#")[0]).read_text(encoding="utf-8")
        return referencing.Resource.from_contents(json.loads(text))

    registry = referencing.Registry(retrieve=retrieve)
    longitude = scene.truth.lonlat(60, 75)[0]
    (tmp_path / "across").mkdir()
    across = publish(Scene(tmp_path / "across", degrees=180 - longitude).path, tmp_path / "a.tif")
    for item in (product.item, across.item):
        for address in ("https://schemas.stacspec.org/v1.0.0/item-spec/json-schema/item.json", *item["stac_extensions"]):
            validator = jsonschema.Draft7Validator(retrieve(address).contents, registry=registry, format_checker=jsonschema.FormatChecker())
            errors = [e.message for e in validator.iter_errors(item)]
            assert not errors, f"{address}: {errors}"


def test_the_item_tells_the_truth(product, scene):
    p, m = product.item["properties"], scene.metadata
    epoch = datetime.datetime(2026, 5, 1, 12, 0, 0, 125000)
    want = [m["first_line_time_s"] + i * m["line_spacing_s"] for i in (0, (LINES - 1) / 2, LINES - 1)]
    for key, seconds in zip(("start_datetime", "datetime", "end_datetime"), want, strict=True):
        told = datetime.datetime.strptime(p[key], "%Y-%m-%dT%H:%M:%S.%fZ")
        assert abs((told - epoch).total_seconds() - seconds) < 1e-6
    assert p["sar:frequency_band"] == "C" and p["sar:center_frequency"] == 5.405 and p["sar:observation_direction"] == "right"
    assert (p["sar:looks_azimuth"], p["sar:looks_range"]) == (4, 1) and p["sar:polarizations"] == ["HH"]
    assert p["sar:pixel_spacing_azimuth"] == pytest.approx(6800 * 4 / 1500, abs=1e-3)
    assert p["sat:orbit_state"] == "ascending" and p["platform"] == "test-radar"
    image, transform, reference = read_map(product.files["data"])
    assert p["proj:shape"] == list(image.shape) and p["proj:epsg"] == 32631
    across, skew, left, skew2, down, top = p["proj:transform"]
    assert (left, across, skew, top, skew2, down) == transform
    assert p["proj:bbox"] == [left, top + down * image.shape[0], left + across * image.shape[1], top]
    ring = np.array(product.item["geometry"]["coordinates"][0])
    for i in (0, LINES):  # the corners of the image are corners of its footprint
        for j in (0, SAMPLES):
            assert np.abs(ring - scene.truth.lonlat(i - 0.5, j - 0.5)).sum(axis=1).min() < 2e-7


def test_unknown_polarization_is_not_said(scene, tmp_path):
    made = publish(scene.path, tmp_path / "a.tif")
    assert "sar:polarizations" not in made.item["properties"]
    check_item(made.item)
    with pytest.raises(BadInput, match="polarization is hh; must be one of HH"):
        publish(scene.path, tmp_path / "b.tif", polarizations=("hh",))
    assert not (tmp_path / "b.tif").exists()


def test_items_elsewhere(tmp_path):
    south = publish(Scene(tmp_path, degrees=77.0, south=True).path, tmp_path / "south.tif")
    check_item(south.item)
    assert south.item["properties"]["sat:orbit_state"] == "descending" and south.item["properties"]["sar:observation_direction"] == "left"
    assert 32701 <= south.item["properties"]["proj:epsg"] <= 32760


def test_the_footprint_across_the_date_line(scene, tmp_path):
    longitude = scene.truth.lonlat(60, 75)[0]
    there = Scene(tmp_path, degrees=180 - longitude)
    made = publish(there.path, tmp_path / "a.tif")
    check_item(made.item)
    assert made.item["geometry"]["type"] == "MultiPolygon" and len(made.item["geometry"]["coordinates"]) == 2
    west, _, east, _ = made.item["bbox"]
    assert 179 < west <= 180 and -180 <= east < -179
    with pytest.raises(BadInput, match="on both ends of the map, across the date line; give --crs utm"):
        publish(there.path, tmp_path / "b.tif", crs="EPSG:4326")


def test_the_footprint_follows_what_is_valid(scene, tmp_path):
    metadata = {**scene.metadata, "valid_region": [[0, 10, 100], [SAMPLES - 1, 20, 110]]}
    made = publish(write_image(tmp_path / "i.tif", scene.power, metadata), tmp_path / "a.tif")
    ring = np.array(made.item["geometry"]["coordinates"][0])
    for corner in ((9.5, -0.5), (99.5, -0.5), (109.5, SAMPLES - 0.5), (19.5, SAMPLES - 0.5)):
        assert np.abs(ring - scene.truth.lonlat(*corner)).sum(axis=1).min() < 2e-7


@pytest.mark.parametrize(
    ("epoch", "seconds", "want"),
    [
        ("2026-05-01T12:00:00.125Z", -0.125, "2026-05-01T12:00:00.000000Z"),
        ("2026-12-31T23:59:59Z", 1.5, "2027-01-01T00:00:00.500000Z"),
        ("2002-06-16 01:57:46.1234567", 0.0, "2002-06-16T01:57:46.123457Z"),
    ],
)
def test_times(epoch, seconds, want):
    assert stac.utc(epoch, seconds) == want


def test_bands():
    pairs = {0.435: "P", 1.27: "L", 3.2: "S", 5.3: "C", 9.65: "X", 13.5: "Ku", 24.0: "K", 35.0: "Ka", 95.0: None, 0.1: None}
    assert {f: stac._band(f) for f in pairs} == pairs


# ---- the command, and what it refuses ----------------------------------------------------------------------------


def test_the_command(scene, tmp_path, capsys):
    objects = tmp_path / "ships.geojson"
    write_detections(objects, found(detection(30, 40, scene.truth)), image=scene.metadata)
    argv = ["publish", str(scene.path), "-o", str(tmp_path / "out"), "--detections", str(objects), "--polarization", "VV", "--json"]
    assert main(argv) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["crs"] == "EPSG:32631" and report["item"]["properties"]["sar:polarizations"] == ["VV"]
    assert all(pathlib.Path(p).is_file() for p in report["files"].values())
    assert main(argv) == 3 and "exists already" in capsys.readouterr().err
    assert main([*argv[:-1], "--overwrite", "--crs", "EPSG:3035", "--spacing-m", "25"]) == 0
    assert "25 m, EPSG:3035" in capsys.readouterr().out


def refused(capsys, *argv: str) -> tuple[int, str]:
    code = main(["publish", *argv])
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.startswith("sidelook: error: ") and captured.err.count("\n") == 1, captured.err
    return code, captured.err


@pytest.mark.parametrize(
    ("changes", "options", "code", "words"),
    [
        ({}, ["--crs", "EPSG:99999"], 3, "crs is EPSG:99999; must be 'utm' or a coordinate reference system"),
        ({}, ["--crs", "+proj=ortho +lat_0=-40 +lon_0=180"], 3, "which does not reach the place of i.tif; must hold 40.75, 0.10"),
        ({}, ["--crs", "EPSG:4978"], 3, "must be a projection or geographic coordinates"),
        ({}, ["--spacing-m", "0"], 3, "spacing-m is 0.0; must be greater than 0"),
        ({}, ["--spacing-m", "nan"], 3, "spacing-m is nan; must be greater than 0"),
        ({}, ["--spacing-m", "0.01"], 3, "more than 64 for each of the image's"),
        ({}, ["--detections", "missing.geojson"], 3, "missing.geojson cannot be read"),
        ({}, ["--polarization", "XX"], 3, "polarization is XX; must be one of"),
        ({}, ["--interpolation", "cubic"], 2, "invalid choice: 'cubic'"),
        ({"source": {"acquisition": "orbitless"}}, [], 4, "has no orbit in its acquisition; a map needs one"),
        ({"source": {}}, [], 3, "has no acquisition in its SIDELOOK metadata"),
        ({"azimuth_spacing_m": None, "ground_range_spacing_m": None}, [], 3, "does not say its spacing on the ground; give --spacing-m"),
        ({"line_spacing_s": None}, [], 3, "has line_spacing_s = None in its SIDELOOK metadata; must be a number"),
        ({"sample_spacing_m": -1.0}, [], 3, "has sample_spacing_m = -1.0 in its SIDELOOK metadata; must be greater than 0"),
        ({"lines": 7}, [], 3, "is 120 x 150, its SIDELOOK metadata say 7 x 150; must be the same"),
    ],
)
def test_refusals(scene, tmp_path, capsys, monkeypatch, changes, options, code, words):
    monkeypatch.chdir(tmp_path)
    metadata = {**json.loads(json.dumps(scene.metadata)), **changes}
    if metadata["source"].get("acquisition") == "orbitless":
        metadata["source"] = {"acquisition": {**scene.metadata["source"]["acquisition"], "orbit": []}}
    write_image(tmp_path / "i.tif", scene.power, metadata)
    got, sentence = refused(capsys, "i.tif", "-o", "out", *options)
    assert got == code and words in sentence
    assert names(tmp_path) == ["i.tif"]


@pytest.mark.parametrize(
    ("power", "words"),
    [
        (np.full((LINES, SAMPLES), np.nan, np.float32), "holds no pixel that is a number"),
        (10 * np.log10(sea(LINES, SAMPLES)), "holds negative values"),
        (sea(LINES, SAMPLES).astype(np.complex64), "has complex pixels (CFloat32); must be intensity: run sidelook calibrate first"),
        (np.ones((LINES, SAMPLES), np.uint8), "has pixels of type Byte; must be Float32, linear power"),
        (np.where(sea(LINES, SAMPLES) > 0.03, np.inf, 0.01).astype(np.float32), "holds infinite values"),
    ],
)
def test_pixels_that_are_no_intensity(scene, tmp_path, capsys, power, words):
    path = write_image(tmp_path / "i.tif", power, scene.metadata)
    code, sentence = refused(capsys, str(path), "-o", str(tmp_path / "out"))
    assert code == 3 and words in sentence and names(tmp_path) == ["i.tif"]


def test_noise_taken_away_may_be_negative(scene, tmp_path):
    metadata = {**scene.metadata, "noise_subtracted": True}
    made = publish(write_image(tmp_path / "i.tif", scene.power - np.float32(0.01), metadata), tmp_path / "a.tif")
    assert made.statistics["minimum"] < 0


def test_a_foreign_image(tmp_path, capsys):
    path = write_image(tmp_path / "i.tif", sea(LINES, SAMPLES), None)
    code, sentence = refused(capsys, str(path), "-o", str(tmp_path / "out"))
    assert code == 3 and "which says how far apart its pixels are; must be written by sidelook calibrate" in sentence
    (tmp_path / "not.tif").write_text("no image")
    assert refused(capsys, str(tmp_path / "not.tif"), "-o", str(tmp_path / "out"))[0] == 3
    assert names(tmp_path) == ["i.tif", "not.tif"]


def test_a_place_that_is_missing_is_an_auxiliary(scene):
    image = IntensityReader(scene.path)
    image.__dict__["place"] = None
    with pytest.raises(MissingAuxiliary, match="has no orbit"):
        geocode.map_grid(image)
