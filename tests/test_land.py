"""A user's land in the image's pixels, against the oracle's own geometry; and what is no land of this place."""

from __future__ import annotations

import json
import pathlib

import numpy as np
import pytest
from intensity_image import Truth, sea, spaced, turned, write_image
from sidelook.errors import BadInput, MissingAuxiliary

pytest.importorskip("osgeo.gdal", reason="GDAL's Python bindings are not installed")
from osgeo import gdal, ogr, osr  # noqa: E402
from sidelook.publish import IntensityReader, LandMask, land_mask  # noqa: E402

LINES, SAMPLES = 120, 150
Ring = list[tuple[float, float]]


@pytest.fixture(autouse=True)
def raising():
    ogr.UseExceptions()
    osr.UseExceptions()


class Scene:
    def __init__(self, folder: pathlib.Path, **orbit) -> None:
        acquisition, metadata = spaced((4, 1), LINES, SAMPLES)
        if orbit:
            acquisition = turned(acquisition, **orbit)
            metadata["source"]["acquisition"] = acquisition.to_dict()
        self.truth = Truth(acquisition, metadata)
        self.image = IntensityReader(write_image(folder / "image.tif", sea(LINES, SAMPLES), metadata))

    def box(self, top: float, bottom: float, left: float, right: float, steps: int = 40) -> Ring:
        """A closed ring around pixels, by the oracle, its edges so short that they do not bend."""
        corners = [(top, left), (bottom, left), (bottom, right), (top, right), (top, left)]
        pixels = [
            (a[0] + k / steps * (b[0] - a[0]), a[1] + k / steps * (b[1] - a[1]))
            for a, b in zip(corners, corners[1:], strict=False)
            for k in range(steps)
        ]
        ring = [self.truth.lonlat(*p) for p in pixels]
        return [*ring, ring[0]]


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    return Scene(tmp_path_factory.mktemp("scene"))


def write_land(path: pathlib.Path, polygons: list[list[Ring]], crs: str | None = "EPSG:4326", kind: int = ogr.wkbPolygon) -> pathlib.Path:
    """Polygons, each an outer ring and holes in longitude and latitude, in a file of this reference system."""
    lonlat = osr.SpatialReference()
    lonlat.SetFromUserInput("EPSG:4326")
    reference = None
    if crs:
        reference = osr.SpatialReference()
        reference.SetFromUserInput(crs)
        reference.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    lonlat.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    driver = {".gpkg": "GPKG", ".geojson": "GeoJSON", ".shp": "ESRI Shapefile"}[path.suffix]
    source = ogr.GetDriverByName(driver).CreateDataSource(str(path))
    layer = source.CreateLayer("land", reference, kind)
    for rings in polygons:
        shape = ogr.Geometry(ogr.wkbPolygon)
        for ring in rings:
            line = ogr.Geometry(ogr.wkbLinearRing)
            for x, y in ring:
                line.AddPoint_2D(x, y)
            shape.AddGeometry(line)
        if reference is not None:
            shape.Transform(osr.CoordinateTransformation(lonlat, reference))
        row = ogr.Feature(layer.GetLayerDefn())
        row.SetGeometry(shape if kind == ogr.wkbPolygon else shape.GetBoundary())
        layer.CreateFeature(row)
    del row, layer, source
    return path


def inside(top: int, bottom: int, left: int, right: int) -> np.ndarray:
    """Pixels whose centres lie within the box between these corners."""
    mask = np.zeros((LINES, SAMPLES), np.uint8)
    mask[top:bottom, left:right] = 1
    return mask


# ---- pixels ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "crs"),
    [("a.gpkg", "EPSG:4326"), ("a.geojson", "EPSG:4326"), ("a.shp", "EPSG:32631"), ("a.gpkg", "EPSG:3035"), ("a.gpkg", "EPSG:3857")],
)
def test_a_box_of_pixels(tmp_path, scene, name, crs):
    """Corners at pixels' corners, where no centre is near: every pixel is decided, and half a pixel of error shows."""
    ring = scene.box(29.5, 79.5, 39.5, 99.5)
    mask = land_mask(write_land(tmp_path / name, [[ring]], crs), scene.image)
    assert mask.dtype == np.uint8 and mask.shape == (LINES, SAMPLES)
    assert np.array_equal(mask, inside(30, 80, 40, 100))


@pytest.mark.parametrize(("off", "moved"), [(-0.4, 0), (0.4, 0), (0.6, 1), (-0.6, -1)])
def test_centres_decide(tmp_path, scene, off, moved):
    """A box half a pixel and a little more to the side moves by one; integers are centres."""
    ring = scene.box(29.5 + off, 79.5 + off, 39.5 + off, 99.5 + off)
    mask = land_mask(write_land(tmp_path / "a.gpkg", [[ring]]), scene.image)
    assert np.array_equal(mask, inside(30 + moved, 80 + moved, 40 + moved, 100 + moved))


def test_holes_and_several_polygons(tmp_path, scene):
    lake = [scene.box(19.5, 59.5, 19.5, 59.5), scene.box(29.5, 39.5, 29.5, 39.5)]
    island = [scene.box(79.5, 89.5, 99.5, 109.5)]
    mask = land_mask(write_land(tmp_path / "a.gpkg", [lake, island]), scene.image)
    want = inside(20, 60, 20, 60) + inside(80, 90, 100, 110)
    want[30:40, 30:40] = 0
    assert np.array_equal(mask, want)


def test_a_coast_of_long_edges(tmp_path, scene):
    """Straight in longitude and latitude over many kilometres, from far outside: every pixel against its own place."""
    places = np.array([scene.truth.lonlat(i, j) for i in range(0, LINES, 5) for j in range(0, SAMPLES, 5)])
    west, east = places[:, 0].min() - 3, places[:, 0].max() + 3
    middle = places[:, 1].mean()
    ring = [(west, middle - 0.2), (east, middle + 0.2), (east, middle + 4), (west, middle + 4), (west, middle - 0.2)]
    mask = land_mask(write_land(tmp_path / "a.gpkg", [[ring]]), scene.image)
    above = places[:, 1] - (ring[0][1] + (places[:, 0] - west) / (east - west) * (ring[1][1] - ring[0][1]))
    clear = np.abs(above) * 111e3 > 0.5  # half a metre, a sixteenth of a pixel, from the edge
    got = np.array([mask[i, j] for i in range(0, LINES, 5) for j in range(0, SAMPLES, 5)])
    assert clear.mean() > 0.99 and 0.2 < got.mean() < 0.8
    assert np.array_equal(got[clear], (above > 0)[clear])


def test_land_that_covers_all_and_land_that_is_near(tmp_path, scene):
    lon, lat = scene.truth.lonlat(60, 75)
    square = [(lon - 5, lat - 5), (lon + 5, lat - 5), (lon + 5, lat + 5), (lon - 5, lat + 5), (lon - 5, lat - 5)]
    assert land_mask(write_land(tmp_path / "all.gpkg", [[square]]), scene.image).all()
    # a file of the region with no land just here: the open sea is no mistake
    pair = [[[(x + 1, y) for x, y in scene.box(0, 20, 0, 20)]], [[(x - 1, y + 1) for x, y in scene.box(0, 20, 0, 20)]]]
    extra = [[(x + 1, y - 1) for x, y in scene.box(0, 20, 0, 20)]]
    assert not land_mask(write_land(tmp_path / "none.gpkg", [*pair, extra]), scene.image).any()


def test_a_ring_that_crosses_itself(tmp_path, scene):
    """Coastlines of the world are full of them; both halves of the bow tie count."""
    a, b, c, d = (scene.truth.lonlat(*p) for p in ((20, 20), (100, 130), (100, 20), (20, 130)))
    mask = land_mask(write_land(tmp_path / "a.gpkg", [[[a, b, c, d, a]]]), scene.image)
    assert mask[30, 75] and mask[90, 75] and not mask[60, 30] and not mask[60, 120]


@pytest.mark.parametrize("count_on", [False, True])
def test_across_the_date_line(tmp_path, scene, count_on):
    """The scene lies on both sides; the file counts to 180 and from -180 on, or from 0 to 360."""
    longitude = scene.truth.lonlat(60, 75)[0]
    there = Scene(tmp_path, degrees=180 - longitude)
    ring = there.box(29.5, 79.5, 39.5, 99.5)
    ring = [(x % 360, y) for x, y in ring]
    assert min(x for x, _ in ring) < 180 < max(x for x, _ in ring)
    path = tmp_path / "a.geojson"
    if count_on:
        shapes = [{"type": "Polygon", "coordinates": [ring]}]
    else:
        whole = ogr.CreateGeometryFromJson(json.dumps({"type": "Polygon", "coordinates": [ring]}))
        halves = [
            whole.Intersection(ogr.CreateGeometryFromWkt(f"POLYGON(({w} -90,{e} -90,{e} 90,{w} 90,{w} -90))"))
            for w, e in ((170, 180), (180, 190))
        ]
        shapes = [json.loads(h.ExportToJson()) for h in halves]
        shapes[1]["coordinates"] = [[[x - 360, y] for x, y in shapes[1]["coordinates"][0]]]
    features = [{"type": "Feature", "properties": {}, "geometry": s} for s in shapes]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    assert np.array_equal(land_mask(path, there.image), inside(30, 80, 40, 100))


def test_in_the_south_looking_left(tmp_path):
    there = Scene(tmp_path, degrees=33.0, south=True)
    ring = there.box(29.5, 79.5, 39.5, 99.5)
    assert min(y for _, y in ring) < -40
    assert np.array_equal(land_mask(write_land(tmp_path / "a.gpkg", [[ring]], "EPSG:32736"), there.image), inside(30, 80, 40, 100))


def test_by_windows(tmp_path, scene):
    path = write_land(tmp_path / "a.gpkg", [[scene.box(29.5, 79.5, 39.5, 99.5)]])
    with LandMask(path, scene.image) as mask:
        assert np.array_equal(mask.window(25, 90, 60, 20), inside(30, 80, 40, 100)[25:85, 90:110]) and not mask.is_everywhere()
        held = gdal.VSIStatL(mask._path).size
    assert gdal.VSIStatL(mask._path) is None and held < LINES * SAMPLES / 4
    lon, lat = scene.truth.lonlat(60, 75)
    square = [(lon - 5, lat - 5), (lon + 5, lat - 5), (lon + 5, lat + 5), (lon - 5, lat + 5), (lon - 5, lat - 5)]
    with LandMask(write_land(tmp_path / "all.gpkg", [[square]]), scene.image) as mask:
        assert mask.is_everywhere()


# ---- refusals ----------------------------------------------------------------------------------------------------


def test_land_of_another_place(tmp_path, scene):
    ring = [(x + 20, y) for x, y in scene.box(29.5, 79.5, 39.5, 99.5)]
    for crs in ("EPSG:4326", "EPSG:32634"):
        path = write_land(tmp_path / f"{crs[-2:]}.gpkg", [[ring]], crs)
        with pytest.raises(BadInput, match="which lies entirely elsewhere; must cover the place of"):
            land_mask(path, scene.image)


def test_land_without_a_reference_system(tmp_path, scene):
    path = write_land(tmp_path / "a.shp", [[scene.box(29.5, 79.5, 39.5, 99.5)]], None)
    with pytest.raises(BadInput, match="has no coordinate reference system; must say where it lies"):
        land_mask(path, scene.image)


def test_land_that_cannot_be_read(tmp_path, scene):
    (tmp_path / "a.gpkg").write_bytes(b"SQLite format 3\0 but not really")
    (tmp_path / "a.geojson").write_text('{"type": "FeatureCollection", "features": [')
    for name in ("a.gpkg", "a.geojson", "missing.shp"):
        with pytest.raises(BadInput, match="which cannot be read as a vector file") as refused:
            land_mask(tmp_path / name, scene.image)
        assert "\n" not in str(refused.value)


def test_land_without_polygons(tmp_path, scene):
    ring = scene.box(29.5, 79.5, 39.5, 99.5)
    lines = write_land(tmp_path / "lines.gpkg", [[ring]], kind=ogr.wkbLineString)
    (tmp_path / "empty.geojson").write_text('{"type": "FeatureCollection", "features": []}')
    for path in (lines, tmp_path / "empty.geojson"):
        with pytest.raises(BadInput, match="which holds no polygons; must hold the land's areas"):
            land_mask(path, scene.image)


def test_land_needs_an_orbit(tmp_path, scene):
    metadata = json.loads(json.dumps(scene.image.metadata))
    metadata["source"]["acquisition"]["orbit"] = []
    image = IntensityReader(write_image(tmp_path / "image.tif", sea(LINES, SAMPLES), metadata))
    with pytest.raises(MissingAuxiliary, match="has no orbit in its acquisition; a land mask needs one"):
        land_mask(write_land(tmp_path / "a.gpkg", [[scene.box(29.5, 79.5, 39.5, 99.5)]]), image)
