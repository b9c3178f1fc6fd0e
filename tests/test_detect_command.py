"""`sidelook detect` around the detector: its files, its words, its exit codes. The detector here is a stand-in of the test."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import subprocess
import sys
import types

import numpy as np
import pytest
from intensity_image import Truth, detection, found, sea, spaced, write_image
from sidelook import _native
from sidelook.cli import main
from sidelook.errors import BadInput
from test_land import Scene, write_land

pytest.importorskip("osgeo.gdal", reason="GDAL's Python bindings are not installed")
from osgeo import gdal  # noqa: E402
from sidelook.publish import read_detections  # noqa: E402

LINES, SAMPLES = 120, 150


@dataclasses.dataclass
class Options:
    """Every option that the command passes on."""

    false_alarm_rate: float = 1e-6
    certain_rate: float = 1e-8
    training: int = 33
    guard: int = 9
    clutter: str = "k"
    threads: int = 0
    device: str = "cpu"
    max_ram: int = 0


@pytest.fixture
def scene(tmp_path):
    acquisition, metadata = spaced((4, 1), LINES, SAMPLES)
    path = write_image(tmp_path / "sigma0.tif", sea(LINES, SAMPLES), metadata)
    return types.SimpleNamespace(path=path, truth=Truth(acquisition, metadata), metadata=metadata, folder=tmp_path)


@pytest.fixture
def detector(monkeypatch, scene):
    """Stands for the native one: returns what the test says, and keeps what it was given."""
    state = types.SimpleNamespace(result=found(detection(30, 40, scene.truth), detection(60, 75, None, flags=("edge",))), calls=[])

    def detect(intensity, metadata, options=None, *, land=None, progress=None, base_bytes=0):
        whole = (0, metadata["lines"], 0, metadata["samples"])
        mask = land(*whole) if callable(land) else land
        state.calls.append(types.SimpleNamespace(image=intensity(*whole), metadata=metadata, options=options, land=mask))
        if isinstance(state.result, Exception):
            raise state.result
        return state.result

    module = types.ModuleType("sidelook.detect")
    module.detect, module.Options = detect, Options
    monkeypatch.setitem(sys.modules, "sidelook.detect", module)
    return state


def names(folder: pathlib.Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def test_a_file_of_objects(scene, detector, capsys):
    out = scene.folder / "ships.geojson"
    assert main(["detect", str(scene.path), "-o", str(out)]) == 0
    text = capsys.readouterr().out
    assert f"{out}: n=2, 41.2 km2 searched" in text and "no orbit, no place" in text and "edge" in text
    told = read_detections(out)
    assert told.objects == detector.result.objects and told.area_searched_km2 == 41.25
    assert told.metadata["image"] == "sigma0.tif" and len(told.metadata["image_sha256"]) == 64 and told.metadata["land"] == "scene"
    (call,) = detector.calls
    assert np.array_equal(call.image, sea(LINES, SAMPLES)) and call.metadata["quantity"] == "sigma0" and call.land == "scene"
    assert call.options.false_alarm_rate == 1e-6 and call.options.training == 33 and call.options.clutter == "k"


@pytest.mark.parametrize(
    ("name", "options", "first"), [("a.gpkg", [], b"SQLite"), ("a.csv", [], b"line,"), ("a.txt", ["--of", "geojson"], b'{"type"')]
)
def test_formats(scene, detector, name, options, first):
    assert main(["detect", str(scene.path), "-o", str(scene.folder / name), "--quiet", *options]) == 0
    assert (scene.folder / name).read_bytes().startswith(first)


def test_options_reach_the_detector(scene, detector):
    argv = [
        "--false-alarm-rate",
        "1e-5",
        "--certain-rate",
        "1e-9",
        "--max-ram",
        "1GiB",
        "--training",
        "41",
        "--guard",
        "11",
        "--clutter",
        "gamma",
        "--land",
        "none",
        "--threads",
        "2",
    ]
    assert main(["detect", str(scene.path), "-o", str(scene.folder / "a.csv"), *argv]) == 0
    (call,) = detector.calls
    assert call.options == Options(1e-5, 1e-9, 41, 11, "gamma", 2, max_ram=1 << 30) and call.land is None


def test_no_objects_are_a_success(scene, detector, capsys):
    detector.result = found(area=812.5)
    assert main(["detect", str(scene.path), "-o", str(scene.folder / "a.geojson")]) == 0
    assert "n=0, 812.5 km2 searched" in capsys.readouterr().out
    assert json.loads((scene.folder / "a.geojson").read_text())["features"] == []


def test_json(scene, detector, capsys):
    assert main(["detect", str(scene.path), "-o", str(scene.folder / "a.csv"), "--json", "--quicklook"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["count"] == 2 and report["area_searched_km2"] == 41.25 and report["search"]["guard"] == 9
    assert report["objects"][0]["line"] == 30 and report["objects"][1]["flags"] == ["edge"]
    assert report["quicklook"] == str(scene.folder / "a.quicklook.png") and report["format"] == "CSV"


def test_quicklook_outlines_the_objects(scene, detector):
    assert main(["detect", str(scene.path), "-o", str(scene.folder / "a.geojson"), "--quicklook", "--quiet"]) == 0
    picture = gdal.Open(str(scene.folder / "a.quicklook.png")).ReadAsArray()
    # pixels of 18 m by 8 m: two samples to one of the picture's
    assert picture.dtype == np.uint8 and picture.shape == (3, LINES, SAMPLES // 2)
    plain = (picture == np.array([255, 80, 0])[:, None, None]).all(axis=0)
    rows, cols = np.nonzero(plain)
    d = detector.result.objects[0]
    assert (rows.min(), rows.max()) == (d.first_line - 3, d.end_line + 3)
    assert abs(cols.min() - (d.first_sample / 2 - 3)) <= 1 and abs(cols.max() - (d.end_sample / 2 + 3)) <= 1
    assert names(scene.folder) == ["a.geojson", "a.quicklook.png", "sigma0.tif"]


def test_land_of_the_user(scene, detector):
    land = write_land(scene.folder / "land.gpkg", [[Scene(scene.folder).box(29.5, 79.5, 39.5, 99.5)]])
    assert main(["detect", str(scene.path), "-o", str(scene.folder / "a.geojson"), "--land", str(land), "--quiet"]) == 0
    (call,) = detector.calls
    assert call.land.dtype == np.uint8 and call.land.sum() == 50 * 60
    assert read_detections(scene.folder / "a.geojson").metadata["land"] == "land.gpkg"


# ---- refusals ----------------------------------------------------------------------------------------------------


def refused(capsys, *argv: object) -> tuple[int, str]:
    code = main(["detect", *map(str, argv)])
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.startswith("sidelook: error: ") and captured.err.count("\n") == 1, captured.err
    return code, captured.err


@pytest.mark.parametrize(
    ("power", "with_metadata", "words"),
    [
        (sea(LINES, SAMPLES).astype(np.complex64), True, "must be intensity: run sidelook calibrate first"),
        (10 * np.log10(sea(LINES, SAMPLES)), True, "must be linear power, not decibels"),
        (sea(LINES, SAMPLES), False, "which says how far apart its pixels are; must be written by sidelook calibrate"),
        (np.full((LINES, SAMPLES), np.nan, np.float32), True, "holds no pixel that is a number"),
    ],
    ids=["complex", "decibels", "no spacing", "all NaN"],
)
def test_images_that_cannot_be_searched(scene, detector, capsys, power, with_metadata, words):
    path = write_image(scene.folder / "bad.tif", power, scene.metadata if with_metadata else None)
    code, sentence = refused(capsys, path, "-o", scene.folder / "a.geojson", "--quicklook")
    assert code == 3 and words in sentence and not detector.calls
    assert names(scene.folder) == ["bad.tif", "sigma0.tif"]


def test_a_complex_slc_of_ours(scene, detector, capsys):
    """It has metadata of its own kind, and still the sentence names the next step."""
    path = write_image(scene.folder / "slc.tif", sea(LINES, SAMPLES).astype(np.complex64), None)
    assert "run sidelook calibrate first" in refused(capsys, path, "-o", scene.folder / "a.geojson")[1]


def test_noise_taken_away(scene, detector, capsys):
    path = write_image(scene.folder / "n.tif", sea(LINES, SAMPLES) - np.float32(0.01), {**scene.metadata, "noise_subtracted": True})
    code, sentence = refused(capsys, path, "-o", scene.folder / "a.geojson")
    assert code == 3 and "must be calibrated without --subtract-noise" in sentence


def test_land_that_is_refused(scene, detector, capsys):
    box = Scene(scene.folder).box(29.5, 79.5, 39.5, 99.5)
    elsewhere = write_land(scene.folder / "there.gpkg", [[[(x + 20, y) for x, y in box]]])
    lon, lat = scene.truth.lonlat(60, 75)
    square = [(lon - 1, lat - 1), (lon + 1, lat - 1), (lon + 1, lat + 1), (lon - 1, lat + 1), (lon - 1, lat - 1)]
    everywhere = write_land(scene.folder / "all.gpkg", [[square]])
    before = names(scene.folder)
    for land, words in (
        (elsewhere, "lies entirely elsewhere"),
        (everywhere, "nothing is left to search"),
        ("missing.shp", "cannot be read"),
    ):
        code, sentence = refused(capsys, scene.path, "-o", scene.folder / "a.geojson", "--land", land)
        assert code == 3 and words in sentence and not detector.calls
    assert names(scene.folder) == before


def test_nothing_could_be_searched(scene, detector, capsys):
    detector.result = found(area=0.0)
    code, sentence = refused(capsys, scene.path, "-o", scene.folder / "a.geojson")
    assert code == 3 and "has no pixel that could be searched" in sentence and names(scene.folder) == ["sigma0.tif"]


def test_what_the_detector_refuses_leaves_nothing(scene, detector, capsys):
    detector.result = BadInput("training is 999; must be less than the image's 120 lines")
    code, sentence = refused(capsys, scene.path, "-o", scene.folder / "a.gpkg", "--quicklook", "--training", "999")
    assert code == 3 and "training is 999" in sentence and names(scene.folder) == ["sigma0.tif"]


def test_the_file_is_there_already(scene, detector, capsys):
    for taken in ("a.geojson", "a.quicklook.png"):
        (scene.folder / taken).write_text("mine")
        code, sentence = refused(capsys, scene.path, "-o", scene.folder / "a.geojson", "--quicklook")
        assert code == 3 and f"{taken} exists already; give --overwrite" in sentence and not detector.calls
        assert (scene.folder / taken).read_text() == "mine"
        (scene.folder / taken).unlink()
    (scene.folder / "a.geojson").write_text("mine")
    assert main(["detect", str(scene.path), "-o", str(scene.folder / "a.geojson"), "--overwrite", "--quiet"]) == 0
    assert len(read_detections(scene.folder / "a.geojson").objects) == 2


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["-o", "a.shp"], 3, "must end in .geojson, .gpkg or .csv"),
        (["-o", "a.csv", "--of", "KML"], 3, "--of is KML; must be GeoJSON, GPKG or CSV"),
        (["-o", "a.csv", "--clutter", "rayleigh"], 2, "invalid choice: 'rayleigh'"),
        (["-o", "a.csv", "--training", "wide"], 2, "invalid int value: 'wide'"),
        (["-o", "no/a.csv"], 3, "no/a.csv cannot be written: there is no such file or folder"),
        ([], 2, "the following arguments are required: -o/--output"),
    ],
)
def test_usage(scene, detector, capsys, monkeypatch, options, code, words):
    monkeypatch.chdir(scene.folder)
    got, sentence = refused(capsys, scene.path, *options)
    assert got == code and words in sentence and names(scene.folder) == ["sigma0.tif"] and not detector.calls


def test_a_device_that_is_not_there(scene, detector, capsys):
    try:
        _native.cuda_devices()
    except _native.NativeError as error:
        code, words = refused(capsys, scene.path, "-o", scene.folder / "a.csv", "--device", "cuda")
        assert code == 4 and error.args[1] in words and names(scene.folder) == ["sigma0.tif"] and not detector.calls
    else:
        pytest.skip("this build and this machine have CUDA")


# ---- with the detector itself ------------------------------------------------------------------------------------


@pytest.fixture
def real():
    pytest.importorskip("sidelook.detect", reason="the native detector is not in this build")


def with_a_ship(power: np.ndarray) -> np.ndarray:
    """A bright spot of some 5 x 3 pixels around (57.5, 71.5)."""
    i, j = np.indices(power.shape)
    return power + (3 * np.exp(-(((i - 57.5) / 2) ** 2) - ((j - 71.5) / 1.3) ** 2)).astype(np.float32)


def test_a_ship_is_found(real, scene, capsys):
    path = write_image(scene.folder / "ship.tif", with_a_ship(sea(LINES, SAMPLES)), scene.metadata)
    out = scene.folder / "a.geojson"
    assert main(["detect", str(path), "-o", str(out), "--land", "none", "--quicklook"]) == 0
    assert ": n=1, " in capsys.readouterr().out
    (ship,) = read_detections(out).objects
    assert abs(ship.line - 57.5) < 1 and abs(ship.sample - 71.5) < 1
    first = out.read_bytes()
    assert main(["detect", str(path), "-o", str(out), "--land", "none", "--overwrite", "--quiet", "--threads", "1"]) == 0
    assert out.read_bytes() == first


def test_land_hides_a_ship(real, scene):
    path = write_image(scene.folder / "ship.tif", with_a_ship(sea(LINES, SAMPLES)), scene.metadata)
    land = write_land(scene.folder / "land.gpkg", [[Scene(scene.folder).box(39.5, 79.5, 59.5, 89.5)]])
    out = scene.folder / "a.geojson"
    assert main(["detect", str(path), "-o", str(out), "--land", str(land), "--quiet"]) == 0
    told = read_detections(out)
    assert told.objects == [] and told.metadata["land"] == "land.gpkg"


@pytest.mark.parametrize("rate", ["0", "0.1", "-1e-6", "nan", "1"])
def test_false_alarm_rates(real, scene, capsys, rate):
    code, sentence = refused(capsys, scene.path, "-o", scene.folder / "a.geojson", f"--false-alarm-rate={rate}")
    assert code == 3 and "false_alarm_rate" in sentence and names(scene.folder) == ["sigma0.tif"]


@pytest.mark.parametrize(
    "options", [["--training", "999"], ["--training", "20"], ["--guard", "41"], ["--training", "9", "--guard", "-1"]], ids=" ".join
)
def test_windows(real, scene, capsys, options):
    code, sentence = refused(capsys, scene.path, "-o", scene.folder / "a.geojson", *options)
    assert code == 3 and ("training" in sentence or "guard" in sentence) and names(scene.folder) == ["sigma0.tif"]


def test_windows_larger_than_the_image(real, scene, capsys):
    acquisition, metadata = spaced((4, 1), 40, 50)
    path = write_image(scene.folder / "small.tif", sea(40, 50), metadata)
    code, sentence = refused(capsys, path, "-o", scene.folder / "a.geojson", "--training", "65")
    assert code == 3 and "training" in sentence and names(scene.folder) == ["sigma0.tif", "small.tif"]


PROBE = """
import sys
from sidelook.cli import main
code = main(sys.argv[1:])
peak = [line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")]
print(f"peak {int(peak[0]) * 1024}", file=sys.stderr)
sys.exit(code)
"""


def test_peak_memory_is_flat_and_below_the_limit(tmp_path: pathlib.Path) -> None:
    """Fresh processes search images of 6 to 24 thousand lines (up to 190 MB) under one limit."""

    def probe(path: pathlib.Path, limit: int) -> subprocess.CompletedProcess[str]:
        command = ["detect", path, "-o", tmp_path / "a.geojson", "--max-ram", f"{limit}B", "--overwrite", "--threads", "2", "-q"]
        return subprocess.run([sys.executable, "-c", PROBE, *map(str, command)], capture_output=True, text=True, timeout=300)

    block = sea(1500, 2000)
    peaks, limit = {}, 0
    for lines in (24000, 6000, 12000):  # the smallest fills GDAL's cache
        _, metadata = spaced((1, 1), lines, 2000)
        path = write_image(tmp_path / "sigma0.tif", np.tile(block, (lines // 1500, 1)), metadata)
        if not limit:
            refusal = probe(path, 10_000_000)
            assert (
                refusal.returncode == 5 and "max_bytes (--max-ram) is 10000000 bytes; one line at a time needs at least" in refusal.stderr
            )
            limit = int(refusal.stderr.split("at least ")[1].split()[0]) + (16 << 20)
        done = probe(path, limit)
        assert done.returncode == 0, done.stderr
        peaks[lines] = int(done.stderr.split("peak ")[1])
        print(f"{lines} lines: peak {peaks[lines] / 2**20:.1f} MiB of {limit / 2**20:.1f}")
    assert max(peaks.values()) < limit and max(peaks.values()) / min(peaks.values()) < 1.05


def test_from_echoes_to_places(real, tmp_path):
    """A simulated coast through every command: calibrated, searched, and the ships where the truth has them."""
    pytest.importorskip("sidelook.radiometry", reason="calibrate is not in this build")
    from sidelook import Acquisition, focus, simulate, write_slc

    coast = simulate.coast(pulses=2048, samples=2048, seed=3)
    write_slc(tmp_path / "slc.tif", focus(coast.echoes, Acquisition.from_native(coast.acquisition)))
    image, ships = tmp_path / "sigma0.tif", tmp_path / "ships.geojson"
    assert main(["calibrate", str(tmp_path / "slc.tif"), "-o", str(image), "--quiet"]) == 0
    assert main(["detect", str(image), "-o", str(ships), "--quiet"]) == 0
    assert main(["publish", str(image), "-o", str(tmp_path / "out"), "--detections", str(ships), "--quiet"]) == 0
    features = json.loads(ships.read_text())["features"]
    assert features and all(f["geometry"] for f in features)
    at = np.array([f["geometry"]["coordinates"] for f in features])
    metres = np.array([111e3 * np.cos(np.radians(at[0, 1])), 111e3])
    for ship in (s for s in coast.truth["ships"] if not s["speed_m_per_s"]):  # moving ones lie elsewhere in the image
        off = np.hypot(*((at - [ship["longitude_deg"], ship["latitude_deg"]]) * metres).T).min()
        print(f"ship of {ship['length_m']:.0f} m: nearest object {off:.1f} m away")
        assert off < 8 + 0.15 * ship["length_m"]  # a cell, and what a hull's bright end may pull
    item = json.loads((tmp_path / "out" / "sigma0.json").read_text())
    west, south, east, north = item["bbox"]
    assert (at[:, 0] > west).all() and (at[:, 0] < east).all() and (at[:, 1] > south).all() and (at[:, 1] < north).all()
