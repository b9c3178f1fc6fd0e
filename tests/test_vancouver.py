"""Real echoes: RADARSAT-1 fine beam over English Bay, Vancouver, from the CD of Cumming & Wong (2005).

What the echoes must give (docs and literature on this block): Doppler ambiguity -6, effective velocity 7050 to 7075 m/s,
some 830 fully exposed lines, ships that are points and bars. The data are not part of the repository.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib.util
import json
import pathlib
from typing import Any

import focus_helpers as h
import numpy as np
import pytest
from oracle import ideal
from sidelook import _native
from sidelook.focusing import Slc, focus
from sidelook.measure import PointTarget

ROOT = pathlib.Path(__file__).resolve().parent.parent
DATA = ROOT.parent / "shared" / "data" / "radarsat1_vancouver"

pytest.importorskip("scipy.io", reason="SciPy reads the CD's files, and is not installed")
pytestmark = pytest.mark.skipif(not (DATA / "CDdata1.mat").exists(), reason=f"{DATA} is not there: real data are not in the repository")


@functools.cache
def example() -> Any:
    spec = importlib.util.spec_from_file_location("radarsat1_vancouver", ROOT / "examples" / "radarsat1_vancouver.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@functools.cache
def echoes() -> tuple[np.ndarray, Any, np.ndarray]:
    loaded: tuple[np.ndarray, Any, np.ndarray] = example().load(DATA)
    return loaded


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], pathlib.Path]:
    """What the example says and writes; the search starts six ambiguities off, at -12, and spans +-10."""
    pytest.importorskip("osgeo.gdal", reason="GDAL's Python bindings are not installed")
    import contextlib
    import io

    folder, said = tmp_path_factory.mktemp("vancouver"), io.StringIO()
    with contextlib.redirect_stdout(said):
        assert example().main([str(DATA), "-o", str(folder), "--ambiguities", "-22", "-2", "--minimum-exposure", "1"]) == 0
    return json.loads(said.getvalue()), folder


def test_the_recording_is_what_it_is_said_to_be() -> None:
    raw, acquisition, gain = echoes()
    assert raw.shape == (1536, 2048) and acquisition.chirp_rate_hz_per_s < 0 and acquisition.orbit == ()
    survey = _native.EchoSurvey(2048, acquisition.prf_hz)
    survey.add(raw)
    found = survey.result()
    print(f"largest {found.largest}, share of I and Q there {found.share_at_largest:.4f}")
    assert found.largest == 15 and abs(found.share_at_largest - 0.06) < 0.005  # 4 bits; "6 % of the samples sit at +-15"
    span = 20 * np.log10(gain.max() / gain.min())
    print(f"the attenuation moves by {span:.0f} dB")
    assert span > 5


def test_ambiguity_and_velocity_come_from_the_echoes(run: tuple[dict[str, Any], pathlib.Path]) -> None:
    found, _ = run
    print(f"from -12: ambiguity {found['doppler_ambiguity']}, centroid {found['doppler_centroid_hz']:.1f} Hz, margin "
          f"{found['sharpness_margin']:.2f}, velocity {found['effective_velocity_m_per_s']:.1f} m/s")  # fmt: skip
    assert found["doppler_ambiguity"] == -6
    assert 7050 <= found["effective_velocity_m_per_s"] <= 7075
    assert found["sharpness_margin"] > 1.2


@pytest.mark.parametrize("start", [4, -16])
def test_ambiguity_from_other_wrong_starts(start: int) -> None:
    """With the velocity that the example starts from, as far off as +-10 allows."""
    raw, acquisition, gain = echoes()
    survey = _native.EchoSurvey(acquisition.samples, acquisition.prf_hz)
    survey.add(raw)
    corrections = _native.corrections_from(survey.result())
    corrections.line_gain = gain.tolist()

    def read(line: int, lines: int, sample: int, samples: int) -> np.ndarray:
        return np.ascontiguousarray(raw[line : line + lines, sample : sample + samples])

    native = acquisition.native()
    fraction = _native.fractional_doppler(native, survey.result())
    assert abs(fraction[0]) <= native.prf_hz  # a fraction it is
    found = _native.estimate_ambiguity(native, fraction, read, corrections, start - 10, start + 10)
    print(f"from {start}: ambiguity {found.ambiguity}, margin {found.margin:.2f}")
    assert found.ambiguity == -6 and found.margin > 1.2


def test_exposure_and_geometry(run: tuple[dict[str, Any], pathlib.Path]) -> None:
    from sidelook.slc import gdal, read_slc

    found, folder = run
    print(f"{found['exposed_lines']} fully exposed lines, image {found['lines']} x {found['samples']}")
    # 1536 lines less an azimuth filter of 705 leave some 830; ours is 0.7 PRF wide, its ends included 0.75
    assert 800 <= found["exposed_lines"] <= 900
    dataset, slc = gdal().Open(str(folder / "vancouver.tif")), read_slc(folder / "vancouver.tif")
    assert dataset.GetGCPCount() == 0 and slc.metadata["acquisition"]["orbit"] == []  # no orbit: time and range, no places
    finite = np.isfinite(slc.image)
    for sample, first, end in slc.metadata["valid_region"]:
        assert finite[first:end, sample].all() and finite[:, sample].sum() == end - first
    # zero Doppler lies some 4 s from the echoes
    away = slc.metadata["first_line_time_s"] - slc.metadata["acquisition"]["first_pulse_time_s"]
    print(f"zero Doppler {away:+.2f} s from the first pulse")
    assert 3 < abs(away) < 6
    assert (folder / "vancouver.quicklook.png").read_bytes().startswith(b"\x89PNG")


def ships(slc: Slc) -> list[PointTarget]:
    """The brightest points of what stands 40 dB above the sea, each the brightest within 40 lines and samples."""
    power = np.nan_to_num(np.abs(slc.image) ** 2)
    sea, found = float(np.nanmedian(np.abs(slc.image) ** 2)), []
    while True:
        line, sample = np.unravel_index(int(np.argmax(power)), power.shape)
        if power[line, sample] < 1e4 * sea:
            return found
        power[max(0, line - 40) : line + 41, max(0, sample - 40) : sample + 41] = 0
        place = (
            slc.metadata["first_line_time_s"] + line * slc.metadata["line_spacing_s"],
            slc.metadata["first_sample_slant_range_m"] + sample * slc.metadata["sample_spacing_m"],
        )
        found.append(h.measured(slc.image, slc.metadata, place, search_radius=2.0))


def test_ships_are_points_and_bars(run: tuple[dict[str, Any], pathlib.Path]) -> None:
    """Their brightest points are nearly as narrow as one scatterer; with the next ambiguity they are not."""
    from sidelook.slc import read_slc

    slc = read_slc(run[1] / "vancouver.tif")
    m, rates = slc.metadata, (1 / slc.metadata["line_spacing_s"], slc.metadata["acquisition"]["sample_rate_hz"])
    limits = []
    for axis, band, rate in zip(("azimuth", "range"), ("doppler", "range"), rates, strict=True):
        width, edge = m[f"processed_{band}_bandwidth_hz"], m[f"{band}_band_edge_hz"]
        limits.append(ideal.figures(h.edged(m[f"{axis}_window"], width, edge)).irw * rate / (width + edge))
    points = ships(slc)
    for p in points:
        print(f"ship at line {p.row:.1f} sample {p.col:.1f}: 3 dB widths {p.azimuth.irw_samples:.2f} lines (ideal {limits[0]:.2f}), "
              f"{p.range.irw_samples:.2f} samples (ideal {limits[1]:.2f})")  # fmt: skip
    assert 3 <= len(points) <= 8  # ships at anchor, nothing else is as bright
    # a bright point of a ship is several scatterers within a cell or two: half as wide again
    assert all(p.azimuth.irw_samples < 1.6 * limits[0] and p.range.irw_samples < 1.6 * limits[1] for p in points)

    raw, acquisition, gain = echoes()
    velocity = run[0]["effective_velocity_m_per_s"]
    wrong = list(m["doppler"]["coefficients_hz"])
    wrong[0] += acquisition.prf_hz
    smeared = focus(raw, dataclasses.replace(acquisition, effective_velocity_m_per_s=velocity), doppler=wrong, line_gain=gain)
    peaks = [np.nanmax(np.abs(s.image)) ** 2 / np.nanmedian(np.abs(s.image) ** 2) for s in (slc, smeared)]
    print(f"brightest over the sea's median: {h.db(peaks[0]):.1f} dB, with the next ambiguity {h.db(peaks[1]):.1f} dB")
    assert peaks[0] > 2 * peaks[1]


def test_every_labelled_ship_is_found(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Labels by two looks that knew neither each other nor the detector, on the image that the example makes by default."""
    import contextlib
    import io

    pytest.importorskip("osgeo.gdal", reason="GDAL's Python bindings are not installed")
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        assert example().main([str(DATA), "-o", str(tmp_path_factory.mktemp("ships"))]) == 0
    ships = json.loads(said.getvalue())["ships"]
    print(ships)
    assert ships["found"] == ships["labelled"] == 10
    assert ships["ghosts_not_flagged"] == 0
    # of 13 dB, looked at: one is a streak along azimuth, as a boat under way makes it, three are groups of points
    assert len(ships["false_alarms"]) <= 5 and ships["area_searched_km2"] > 30
