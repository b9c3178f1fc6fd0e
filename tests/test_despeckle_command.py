"""`sidelook despeckle`: what it writes is what the array function gives, with metadata and place; refusals and memory."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
from typing import Any

import focus_helpers as h
import intensity_image as made
import numpy as np
import pytest
from sidelook import _native, despeckle
from sidelook.commands.despeckle import METHODS

pytest.importorskip("osgeo.gdal", reason="GDAL's Python bindings are not installed")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """sigma0.tif with metadata of ours, other.tif on a map without, decibels, complex and byte images."""
    from osgeo import gdal, osr

    folder = tmp_path_factory.mktemp("files")
    _, metadata = made.spaced(unit="linear power", calibration="acquisition")
    image = made.sea()
    image[:9, 20:60] = np.nan
    made.write_image(folder / "sigma0.tif", image, metadata)
    made.write_image(folder / "less_noise.tif", image - 0.005, {**metadata, "noise_subtracted": True})
    made.write_image(folder / "db.tif", 10 * np.log10(image), metadata)
    made.write_image(folder / "complex.tif", image.astype(np.complex64), metadata)
    made.write_image(folder / "bytes.tif", np.ones((40, 40), np.uint8), None)
    dataset = gdal.GetDriverByName("GTiff").Create(str(folder / "other.tif"), 90, 70, 1, gdal.GDT_Float32)
    dataset.SetGeoTransform((500000, 10, 0, 5000000, 0, -10))
    place = osr.SpatialReference()
    place.ImportFromEPSG(32633)
    dataset.SetSpatialRef(place)
    dataset.SetMetadataItem("POLARISATION", "VV")
    other = made.sea(70, 90)
    other[30:40, 10:20] = 0
    dataset.GetRasterBand(1).SetNoDataValue(0)
    dataset.GetRasterBand(1).WriteArray(other)
    dataset = None
    return folder


def read(path: pathlib.Path) -> tuple[np.ndarray, Any]:
    from osgeo import gdal

    dataset = gdal.Open(str(path))
    return dataset.ReadAsArray(), dataset


def test_methods_are_the_native_ones() -> None:
    assert list(METHODS) == _native.despeckle_methods()


@pytest.mark.parametrize("method", METHODS)
def test_file_is_the_array(method: str, files: pathlib.Path, tmp_path: pathlib.Path) -> None:
    target = tmp_path / "out.tif"
    done = h.run("despeckle", files / "sigma0.tif", "-o", target, "--method", method, "--threads", 2, "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    image, dataset = read(target)
    looks = 0.8 * 4  # of the metadata
    want = despeckle(read(files / "sigma0.tif")[0], method, "intensity", looks=looks)
    assert image.tobytes() == want.tobytes() and np.isnan(dataset.GetRasterBand(1).GetNoDataValue())
    m = json.loads(dataset.GetMetadataItem("intensity", "SIDELOOK"))
    assert m["quantity"] == "sigma0" and m["equivalent_number_of_looks"] is None
    (how,) = m["despeckle"]
    assert how["method"] == method and how["kind"] == "intensity" and how["window"] == 7 and how["looks"] == pytest.approx(looks)
    assert how["compat"] is None and how["software"] == f"sidelook {_native.version()}"
    assert report["despeckle"] == m["despeckle"] and [s["name"] for s in report["stages"]] == ["despeckle"]
    assert dataset.GetGCPCount() == 121
    assert h.only_files(tmp_path) == {"out.tif", "out.quicklook.png"}


def test_an_image_of_others_keeps_its_place(files: pathlib.Path, tmp_path: pathlib.Path) -> None:
    target = tmp_path / "out.tif"
    arguments = ("--method", "lee", "--kind", "intensity", "--looks", 1, "--window", 9)
    done = h.run("despeckle", files / "other.tif", "-o", target, *arguments, "-q")
    assert done.returncode == 0 and done.stdout == "", done.stderr
    image, dataset = read(target)
    want = despeckle(read(files / "other.tif")[0], "lee", "intensity", looks=1, window=9, nodata=0)  # as the file says
    assert image.tobytes() == want.tobytes() and np.isnan(image[30:40, 10:20]).all()
    assert dataset.GetGeoTransform() == (500000, 10, 0, 5000000, 0, -10)
    assert dataset.GetSpatialRef().GetAuthorityCode(None) == "32633"
    assert dataset.GetMetadataItem("POLARISATION") == "VV"
    assert json.loads(dataset.GetMetadataItem("despeckled", "SIDELOOK"))["despeckle"][0]["nodata"] == 0
    told = h.run("info", target).stdout
    assert "intensity filtered by lee, window 9 x 9 for 1.00 looks" in told and "{" not in told


def test_twice_filtered_must_be_told_its_looks(files: pathlib.Path, tmp_path: pathlib.Path) -> None:
    once, twice = tmp_path / "once.tif", tmp_path / "twice.tif"
    assert h.run("despeckle", files / "sigma0.tif", "-o", once, "--method", "boxcar").returncode == 0
    refused = h.run("despeckle", once, "-o", twice, "--method", "lee")
    assert refused.returncode == 3 and "looks is not given" in refused.stderr
    assert h.run("despeckle", once, "-o", twice, "--method", "lee", "--looks", 30).returncode == 0
    told = h.run("info", twice).stdout
    assert "filtered by boxcar" in told and "filtered by lee, window 7 x 7 for 30.00 looks" in told
    # what needs the looks of the speckle does not take those of what was filtered
    detected = h.run("detect", once, "-o", tmp_path / "ships.csv", "--land", "none")
    assert detected.returncode in (0, 3)


def test_refusals_of_the_command(files: pathlib.Path, tmp_path: pathlib.Path) -> None:
    target = tmp_path / "out.tif"
    given = ("-o", target, "--method", "lee")
    kind = ("--kind", "intensity")
    for arguments, code, sentence in (
        (("sigma0.tif", "-o", target), 2, "required: --method"),
        (("sigma0.tif", "-o", target, "--method", "best"), 2, "invalid choice: 'best'"),
        (("sigma0.tif", *given, "--kind", "db"), 2, "invalid choice: 'db'"),
        (("sigma0.tif", *given, "--kind", "amplitude"), 3, "says of itself that it is intensity"),
        (("sigma0.tif", *given, "--window", "8"), 3, "window is 8; must be odd"),
        (("sigma0.tif", *given, "--window", "7.5"), 2, "not a whole number"),
        (("other.tif", *given, *kind, "--window", "65", "--looks", "0"), 3, "looks is 0; must lie above 0"),
        (("other.tif", *given, *kind), 3, "looks is not given; lee must be told"),
        (("other.tif", *given, "--looks", "1"), 3, "kind is not given, and"),
        (("bytes.tif", *given, *kind, "--looks", "1"), 3, "has pixels of type uint8; must be float32"),
        (("complex.tif", *given), 3, "has pixels of type complex64; must be float32, intensity or amplitude, not complex"),
        (("db.tif", *given), 3, "image has values below 0 in lines 0 to 119, the least"),
        (("less_noise.tif", *given), 3, "had its noise taken away, which leaves values below 0"),
        (("none.tif", *given), 3, "cannot be read"),
        (("sigma0.tif", "-o", files / "sigma0.tif", "--method", "lee", "--overwrite"), 3, "the image; must be another file"),
        (("sigma0.tif", "-o", files / "other.tif", "--method", "lee"), 3, "exists already"),
        (("sigma0.tif", *given, "--max-ram", "1MB"), 5, "one line needs at least"),
        (("sigma0.tif", *given, "--device", "cuda"), 4, "no cuda implementation of despeckle"),
    ):
        before = h.only_files(files)
        done = h.run("despeckle", files / arguments[0], *arguments[1:])
        assert done.returncode == code and sentence in done.stderr and done.stderr.count("\n") == 1, done.stderr
        assert h.only_files(tmp_path) == set() and h.only_files(files) == before


PROBE = """
import sys
from sidelook.cli import main
code = main(sys.argv[1:])
peak = [line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")]
print(f"peak {int(peak[0]) * 1024}", file=sys.stderr)
sys.exit(code)
"""


def probe(path: pathlib.Path, limit: int) -> subprocess.CompletedProcess[str]:
    command = ["despeckle", path, "-o", path.with_name("out.tif"), "--method", "lee", "--window", "31", "--looks", "4"]
    command += ["--kind", "intensity", "--max-ram", f"{limit}B", "--overwrite", "--threads", "2", "-q"]
    return subprocess.run(
        [sys.executable, "-c", PROBE, *map(str, command)], capture_output=True, text=True, timeout=300, env=h.environment()
    )


def test_peak_memory_is_flat_and_below_the_limit(tmp_path: pathlib.Path) -> None:
    """Fresh processes filter images of 4 and 40 thousand lines (up to 160 MB) under one limit."""
    from osgeo import gdal

    peaks, limit = {}, 0
    block = made.sea(500, 1000)
    for lines in (40_000, 4_000):
        path = tmp_path / "image.tif"
        dataset = gdal.GetDriverByName("GTiff").Create(str(path), 1000, lines, 1, gdal.GDT_Float32)
        for first in range(0, lines, 500):
            dataset.GetRasterBand(1).WriteArray(block, 0, first)
        dataset = None
        if not limit:
            refusal = probe(path, 10_000_000)
            assert refusal.returncode == 5
            limit = int(refusal.stderr.split("at least ")[1].split()[0]) + (16 << 20)
        done = probe(path, limit)
        assert done.returncode == 0, done.stderr
        peaks[lines] = int(done.stderr.split("peak ")[1])
        print(f"{lines} lines: peak {peaks[lines] / 2**20:.1f} MiB of {limit / 2**20:.1f}")
    assert max(peaks.values()) < limit and peaks[40_000] < 1.05 * peaks[4_000]
