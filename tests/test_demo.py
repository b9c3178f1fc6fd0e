"""The whole chain: echoes of a coast to a list of its ships, found without the truth."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Iterator
from typing import Any

import pytest
from sidelook.cli import main

pytest.importorskip("osgeo.gdal", reason="GDAL's Python bindings are not installed")
pytest.importorskip("sarkit", reason="sarkit is not installed")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[pathlib.Path]:
    made = tmp_path_factory.mktemp("chain") / "demo"
    assert main(["demo", "-o", str(made), "--pulses", "2048", "--samples", "1536", "--seed", "3", "--quiet"]) == 0
    yield made


def report(folder: pathlib.Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    return read


def test_ships_are_found_where_they_are(folder: pathlib.Path) -> None:
    said = report(folder)
    print({k: said[k] for k in ("ships_known", "ships_found", "false_alarms", "position_error_m")})
    assert said["ships_known"] >= 5
    assert said["ships_found"] >= 0.7 * said["ships_known"]  # some are short, or close to the shore
    assert said["false_alarms"] <= 2
    error = said["position_error_m"]
    # a cell is some 5 m along azimuth and 7 m along ground range
    assert 0 < error["median"] < 7 and error["median"] <= error["max"]
    names = [s["name"] for s in said["stages"]]
    assert [n for n in names if n in ("azimuth_compress", "calibrate", "detect")] == ["azimuth_compress", "calibrate", "detect"]
    assert all((folder / name).exists() for name in said["files"])


def test_detection_sees_only_the_product(folder: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """The truth is deleted, and so is all but the calibrated image: the same ships are found."""
    found = json.loads((folder / "ships.geojson").read_text(encoding="utf-8"))
    alone = tmp_path / "sigma0.tif"
    alone.write_bytes((folder / "sigma0.tif").read_bytes())
    (folder / "truth.json").rename(tmp_path / "hidden")
    try:
        assert main(["detect", str(alone), "-o", str(tmp_path / "again.geojson"), "--quiet"]) == 0
    finally:
        (tmp_path / "hidden").rename(folder / "truth.json")
    again = json.loads((tmp_path / "again.geojson").read_text(encoding="utf-8"))
    assert again["features"] == found["features"] and len(again["features"]) > 0
