"""Radiometry: looks and calibration against slow references, and powers that are the simulated truth's."""

from __future__ import annotations

import copy
import dataclasses
import functools
import itertools
import json
import pathlib
import subprocess
import sys
from typing import Any

import focus_helpers as h
import numpy as np
import pytest
from sidelook import Acquisition, _native, calibrate, focus, radiometry, simulate
from sidelook.errors import BadInput, MissingAuxiliary, OverMemory
from sidelook.focusing import Slc
from sidelook.radiometry import Calibrator, Lut, Options

EPS = float(np.finfo(np.float32).eps)
WINDOWS = (
    ("hamming 0.75", "hamming 0.75", True),
    ("rectangular", "rectangular", True),
    ("kaiser 2.5", "taylor 35", True),
    ("hamming 0.75", "hamming 0.75", False),  # the antenna's pattern left in
)


def db(ratio: float) -> float:
    return float(10 * np.log10(ratio))


# ---- looks -------------------------------------------------------------------------------------------------------


def speckle(shape: tuple[int, int], seed: int = 1) -> np.ndarray:
    return h.noise(shape, 3.0, seed)


def spoiled(image: np.ndarray, share: float, seed: int = 2) -> np.ndarray:
    """The same with some pixels NaN, of complex ones sometimes only a part."""
    out = image.copy()
    place = np.random.default_rng(seed).random(image.shape) < share
    if image.dtype == np.complex64:
        part = np.random.default_rng(seed + 1).integers(1, 4, image.shape)
        out.real[place & (part != 1)] = np.nan
        out.imag[place & (part != 2)] = np.nan
    else:
        out[place] = np.nan
    return out


def slow_looks(values: np.ndarray, looks: tuple[int, int]) -> np.ndarray:
    """Cell by cell in double; a cell with less than half of its pixels is NaN."""
    wide = values.astype(np.complex128 if values.dtype.kind == "c" else np.float64)
    out = np.full((values.shape[0] // looks[0], values.shape[1] // looks[1]), np.nan, wide.dtype)
    for i, j in np.ndindex(out.shape):
        cell = wide[i * looks[0] : (i + 1) * looks[0], j * looks[1] : (j + 1) * looks[1]]
        good = cell[~np.isnan(cell)]
        if 2 * good.size >= cell.size:
            out[i, j] = good.mean()
    return out


AWKWARD = [(1, 1), (1, 7), (7, 1), (2, 2), (3, 5), (13, 37), (61, 83), (1, 83), (61, 1)]


@pytest.mark.parametrize("looks", AWKWARD, ids=str)
@pytest.mark.parametrize("share", [0.0, 0.02, 0.5])
@pytest.mark.parametrize("samples", [83, 2087])
def test_looks_are_means(looks: tuple[int, int], share: float, samples: int) -> None:
    image = spoiled(speckle((61, samples)), share)
    power = np.abs(image).astype(np.float32) ** 2
    # Sums over lines in float32, one rounding a line; the mean's own rounding
    tolerance = (looks[0] + 2) * EPS / 2
    for got, want in (
        (radiometry.multilook(image, looks), slow_looks(np.abs(image.astype(np.complex128)) ** 2, looks)),
        (radiometry.multilook(power, looks), slow_looks(power, looks)),
    ):
        assert got.dtype == np.float32
        np.testing.assert_array_equal(np.isnan(got), np.isnan(want))
        np.testing.assert_allclose(got, want, rtol=2 * tolerance, equal_nan=True)
    coherent, want = radiometry.multilook(image, looks, coherent=True), slow_looks(image, looks)
    np.testing.assert_array_equal(np.isnan(coherent), np.isnan(want))
    largest = float(np.nanmax(np.abs(image))) if not np.isnan(image).all() else 0.0
    np.testing.assert_allclose(coherent, want, rtol=0, atol=2 * tolerance * largest, equal_nan=True)


def test_half_of_a_cell_is_enough() -> None:
    image = np.ones((4, 3), np.float32)
    image[0, :2] = image[1, :] = np.nan  # 7 of 12 are left
    image[2, 0] = np.nan  # 6
    assert radiometry.multilook(image, (4, 3))[0, 0] == 1
    image[3, 0] = np.nan  # 5
    assert np.isnan(radiometry.multilook(image, (4, 3))[0, 0])


def test_infinity_is_a_value() -> None:
    image = np.ones((2, 4), np.complex64)
    image[0, 0] = np.inf
    assert radiometry.multilook(image, (2, 2)).tolist() == [[np.inf, 1]]


# ---- streaming ---------------------------------------------------------------------------------------------------


def streamed(image: np.ndarray, metadata: dict[str, Any], **options: Any) -> np.ndarray:
    job = Calibrator(metadata, image.dtype, Options(**options))
    out = np.zeros((job.lines, job.samples), np.float32)
    starts = []

    def write(first: int, block: np.ndarray) -> None:
        starts.append(first)
        out[first : first + len(block)] = block

    job.run(lambda first, lines: image[first : first + lines], write)
    if options.get("block_lines"):
        assert starts == list(range(0, job.lines, options["block_lines"]))
    return out


@functools.cache
def small() -> Slc:
    scene = simulate.points(pulses=1500, samples=900, rows=2, columns=2, beam_limit=1, noise_sigma=0.1, seed=4)
    return focus(scene.echoes, Acquisition.from_native(scene.acquisition))


@pytest.mark.parametrize("quantity", radiometry.QUANTITIES)
@pytest.mark.parametrize("looks", [(1, 1), (3, 2), (17, 5)], ids=str)
def test_blocks_and_threads_change_no_bit(quantity: str, looks: tuple[int, int]) -> None:
    image = spoiled(small().image, 0.001)
    noise = quantity != "intensity"
    whole = streamed(image, small().metadata, quantity=quantity, looks=looks, subtract_noise=noise, threads=1)
    for block, threads in itertools.product((1, 7, 16, 1000), (1, 2, 5)):
        lines = min(block, whole.shape[0])
        again = streamed(image, small().metadata, quantity=quantity, looks=looks, subtract_noise=noise, threads=threads, block_lines=lines)
        assert again.tobytes() == whole.tobytes()
    memory = calibrate(Slc(image, small().metadata), quantity, looks, subtract_noise=noise)  # type: ignore[arg-type]
    assert memory.image.tobytes() == whole.tobytes()


def test_memory_is_bounded() -> None:
    metadata = small().metadata
    long = {**metadata, "lines": 64 * metadata["lines"]}
    longer = {**metadata, "lines": 16 * metadata["lines"]}
    plans = [_plan(m["lines"], m["samples"]) for m in (longer, long)]
    assert plans[1].bytes == plans[0].bytes
    least = _plan(long["lines"], long["samples"], max_bytes=10**9).bytes
    tight = _plan(long["lines"], long["samples"], max_bytes=least // 8)
    assert tight.bytes <= least // 8 and tight.block_lines < plans[1].block_lines
    with pytest.raises(_native.NativeError, match="one line needs at least"):
        _plan(long["lines"], long["samples"], max_bytes=1000)
    with pytest.raises(OverMemory):
        Calibrator(metadata, np.complex64, Options(max_ram=1000))


def _plan(lines: int, samples: int, **options: int) -> Any:
    native = _native.IntensityOptions()
    native.looks = _native.Looks(2, 1)
    native.threads = 2
    for key, value in options.items():
        setattr(native, key, value)
    return _native.IntensityPlan(lines, samples, True, native)


# ---- the truth: figure 1 -----------------------------------------------------------------------------------------


@functools.cache
def sea(sensor: str, squint_deg: float) -> Any:
    """Nothing but sea without texture; the pulse's edges as steep as the simulator allows."""
    return simulate.coast(
        instrument=sensor, squint_deg=squint_deg, pulses=3000 if sensor[0] == "c" else 4200, samples=1800, land=False, ships=0,
        k_shape=1000, noise=False, seed=3, pulse_edge_samples=4,
    )  # fmt: skip


def focused(scene: Any, window: tuple[str, str, bool], **options: Any) -> Slc:
    azimuth, across, equalise = window
    return focus(
        scene.echoes, Acquisition.from_native(scene.acquisition), azimuth_window=azimuth, range_window=across,
        equalise_antenna=equalise, **options,
    )  # fmt: skip


def beam_incidence_deg(slc: Slc, line: float, samples: np.ndarray) -> np.ndarray:
    """Incidence while the beam passes, from the orbit's states and the ellipsoid, by the simulator's own geometry."""
    m = slc.metadata
    time_s = np.full(samples.shape, m["first_line_time_s"] + line * m["line_spacing_s"])
    places = radiometry._model(m).places(time_s, m["first_sample_slant_range_m"] + samples * m["sample_spacing_m"])
    return np.asarray(places["beam_incidence_deg"])


CASES = [("c-stripmap", 0.0), ("x-stripmap", 0.0), ("c-stripmap", 3.0), ("c-stripmap", -3.0)]


@pytest.mark.parametrize(("sensor", "squint_deg"), CASES, ids=str)
@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_sigma0_of_the_sea(sensor: str, squint_deg: float, window: tuple[str, str, bool]) -> None:
    scene = sea(sensor, squint_deg)
    slc = focused(scene, window)
    result = calibrate(slc, "sigma0", (4, 3))
    m, about = result.metadata, scene.truth["sea"]
    parts = []
    for part in range(6):
        first, end = part * m["samples"] // 6, (part + 1) * m["samples"] // 6
        at = 3 * np.arange(first, end, 8) + 1.0
        truth = np.mean([
            simulate.sea_sigma0(
                about["model"], wind_m_per_s=about["wind_m_per_s"], relative_deg=about["wind_from_deg"] - about["look_azimuth_deg"],
                incidence_deg=float(i), carrier_hz=slc.metadata["carrier_hz"],
            )
            for i in beam_incidence_deg(slc, slc.metadata["lines"] / 2, at)
        ])  # fmt: skip
        parts.append(db(np.nanmean(result.image[:, first:end], dtype=np.float64) / truth))
    print(f"{sensor}, squint {squint_deg:g}, {window}: sigma0 over the truth's in sixths of the swath (dB)", np.round(parts, 3))
    # About 2e5 independent looks a sixth: 0.01 dB one sigma. The edges of the simulated pulse, 4 samples of 500 each, take
    # up to 0.04 dB from a rectangular window.
    assert max(map(abs, parts)) < 0.1


@functools.cache
def targets(sensor: str, squint_deg: float) -> Any:
    """Bright points over the swath with range spreading and both patterns, by the exact simulator."""
    radar = simulate.sensor(sensor, squint_deg=squint_deg)
    acquisition = simulate.acquire(radar, 2600 if sensor[0] == "c" else 3800, 2200)
    delay = acquisition.first_sample_delay_s + np.array([0.19, 0.5, 0.81]) * acquisition.samples / acquisition.sample_rate_hz
    middle = acquisition.first_pulse_time_s + acquisition.pulses / acquisition.prf_hz / 2
    positions = [simulate.place_in_beam(radar.platform, middle, 0.5 * h.LIGHT * float(d)) for d in delay]
    known = _native.Radiometry()
    known.radar_constant, known.reference_range_m = 1.0, 0.5 * h.LIGHT * float(delay[1])
    acquisition.radiometry = known
    echoes = simulate.exact(
        acquisition, radar.platform, positions, [10.0, 20.0, 30.0], beam_limit=1, reference_range_m=known.reference_range_m
    )
    places = [simulate.zero_doppler(radar.platform, p, middle) for p in positions]
    return simulate.Simulation(acquisition, echoes, {"places": places, "rcs_m2": [100.0, 400.0, 900.0]}, radar.platform)


def integrated_rcs(result: Any, place: tuple[float, float], half: tuple[int, int]) -> float:
    """Sum of sigma0 times the ground area of a pixel, around a place."""
    m = result.metadata
    line, sample = (round(v) for v in h.pixel(m, place))
    box = result.image[line - half[0] : line + half[0] + 1, sample - half[1] : sample + half[1] + 1]
    assert box.shape == (2 * half[0] + 1, 2 * half[1] + 1) and not np.isnan(box).any()
    area = h.at(m["azimuth_spacing_m"], sample) * h.at(m["ground_range_spacing_m"], sample)
    return float(box.sum(dtype=np.float64) * area)


@pytest.mark.parametrize(("sensor", "squint_deg"), CASES, ids=str)
@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_integrated_energy_of_a_target(sensor: str, squint_deg: float, window: tuple[str, str, bool]) -> None:
    scene = targets(sensor, squint_deg)
    slc = focused(scene, window, block_lines=700 if squint_deg == 0 else 0)
    errors = []
    for looks in ((1, 1), (3, 2)):
        result = calibrate(slc, "sigma0", looks)
        for place, rcs in zip(scene.truth["places"], scene.truth["rcs_m2"], strict=True):
            errors.append(db(integrated_rcs(result, place, (150 // looks[0], 90 // looks[1])) / rcs))
    print(f"{sensor}, squint {squint_deg:g}, {window}: integrated energy over the RCS (dB)", np.round(errors, 4))
    # Side lobes beyond the box: 1/(pi^2 N) of a rectangular window's energy at N cells along an axis, 0.1 % or 0.005 dB each
    assert max(map(abs, errors)) < 0.1


@pytest.mark.parametrize(("sensor", "squint_deg"), CASES[:3], ids=str)
@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_noise_equivalent_level(sensor: str, squint_deg: float, window: tuple[str, str, bool]) -> None:
    acquisition = simulate.acquire(simulate.sensor(sensor, squint_deg=squint_deg), 3800, 1200)
    known = _native.Radiometry()
    known.radar_constant, known.reference_range_m, known.noise_power = 2.0, 7e5, 4.0
    acquisition.radiometry = known
    scene = simulate.Simulation(acquisition, h.noise((3800, 1200), 2.0, 5), {}, None)
    slc = focused(scene, window)
    result = calibrate(slc, "sigma0", (4, 3))
    m = result.metadata
    measured = np.nanmean(result.image, axis=0, dtype=np.float64)
    said = np.interp(np.arange(m["samples"]), *np.array(m["nesz"]).T)
    thirds = [db(np.mean(measured[p] / said[p])) for p in np.array_split(np.arange(m["samples"]), 3)]
    print(f"{sensor}, squint {squint_deg:g}, {window}: noise over the NESZ (dB)", np.round(thirds, 3))
    assert max(map(abs, thirds)) < 0.05  # 0.01 dB one sigma
    rest = calibrate(slc, "sigma0", (4, 3), subtract_noise=True)
    assert abs(np.nanmean(rest.image / said)) < 0.01 and np.nanmin(rest.image) < 0
    np.testing.assert_allclose(rest.image + said, result.image, rtol=0, atol=5e-4 * said.max())  # 17 points joined by lines


def test_noise_of_the_coast_and_its_truth() -> None:
    """What the acquisition says of the noise gives the level the truth says, by the truth's own definition (ideal filter)."""
    scene = simulate.coast(pulses=1600, samples=900, land=False, ships=0, seed=2)
    known = scene.acquisition.radiometry
    assert known.radar_constant == 1 and known.noise_power == pytest.approx(scene.truth["noise"]["sigma"] ** 2)
    assert known.reference_range_m == scene.truth["scene"]["centre_range_m"]
    result = calibrate(focus(scene.echoes, Acquisition.from_native(scene.acquisition)))
    level = [db(v) for _, v in result.metadata["nesz"]]
    print("NESZ over the swath (dB)", np.round(level, 2), "truth", scene.truth["noise"]["nesz_db"])
    # The windows and the levelled antenna cost some tenths of a dB against the ideal filter over the whole main lobe.
    assert all(scene.truth["noise"]["nesz_db"] < v < scene.truth["noise"]["nesz_db"] + 2 for v in level)


def test_equivalent_looks_are_those_of_speckle() -> None:
    """Speckle as fully developed as white noise, seen by an antenna without a pattern, which focusing then does not level."""
    native = simulate.acquire(simulate.sensor(), 3000, 1800)
    acquisition = dataclasses.replace(Acquisition.from_native(native), doppler_centroid_hz=(0.0,))
    acquisition = dataclasses.replace(acquisition, antenna=type(acquisition.antenna)())
    scene = simulate.Simulation(acquisition.native(), h.noise((3000, 1800), 1.0, 6), {}, None)
    for window in WINDOWS[:3]:
        slc = focused(scene, window)
        for looks in ((1, 1), (2, 1), (1, 3), (4, 3), (9, 8)):
            result = calibrate(slc, "intensity", looks)
            values = result.image[np.isfinite(result.image).all(axis=1)].astype(np.float64)
            measured = 1 / (values / values.mean()).var()
            said = result.metadata["equivalent_number_of_looks"]
            print(window, looks, "looks said", round(said, 3), "measured", round(measured, 3))
            # One sigma is 0.3 % at (1, 1), 1 % at (9, 8); the noise's spectrum is the window over the chirp's own, whose ripples
            # and ends differ from the window by some per cent.
            assert measured == pytest.approx(said, rel=0.04)


def test_resolution_is_the_width_of_a_point() -> None:
    scene = targets("c-stripmap", 0.0)
    place = scene.truth["places"][1]
    for window in WINDOWS:
        slc = focused(scene, window)
        m = calibrate(slc, "sigma0", (1, 1)).metadata
        point = h.measured(slc.image, slc.metadata, place)
        sample = h.pixel(slc.metadata, place)[1]
        for key, width, spacing in (
            ("resolution_azimuth_m", point.azimuth.irw_samples, "azimuth_spacing_m"),
            ("resolution_ground_range_m", point.range.irw_samples, "ground_range_spacing_m"),
        ):
            assert h.at(m[key], sample) == pytest.approx(width * h.at(m[spacing], sample), rel=0.005)


# ---- geometry and quantities -------------------------------------------------------------------------------------


def test_incidence_and_spacing_from_the_simulators_geometry() -> None:
    scene = targets("c-stripmap", 0.0)
    slc = focused(scene, WINDOWS[0])
    m = calibrate(slc, "gamma0", (3, 2)).metadata
    time_s = m["first_line_time_s"] + (m["lines"] - 1) / 2 * m["line_spacing_s"]
    for (j, incidence), (_, along), (_, across) in zip(
        m["incidence_deg"], m["azimuth_spacing_m"], m["ground_range_spacing_m"], strict=True
    ):
        range_m = m["first_sample_slant_range_m"] + j * m["sample_spacing_m"]
        place = simulate.place(scene.platform, time_s, range_m)
        latitude, longitude, _ = np.radians(simulate.geodetic(place))
        up = np.array([np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)])
        look = simulate.state(scene.platform, time_s)[0] - place
        assert incidence == pytest.approx(np.degrees(np.arccos(look @ up / np.linalg.norm(look))), abs=1e-6)
        for spacing, ends in (
            (along, [(time_s - m["line_spacing_s"] / 2, range_m), (time_s + m["line_spacing_s"] / 2, range_m)]),
            (across, [(time_s, range_m - m["sample_spacing_m"] / 2), (time_s, range_m + m["sample_spacing_m"] / 2)]),
        ):
            step = np.linalg.norm(np.subtract(*(simulate.place(scene.platform, *end) for end in ends)))
            assert spacing == pytest.approx(step, rel=2e-5)


def test_quantities_differ_by_the_incidence() -> None:
    slc = small()
    beta0, sigma0, gamma0, power = (calibrate(slc, q, (2, 2)) for q in ("beta0", "sigma0", "gamma0", "intensity"))
    incidence = np.radians(np.interp(np.arange(beta0.metadata["samples"]), *np.array(beta0.metadata["incidence_deg"]).T))
    for image, ratio in ((sigma0.image, np.sin(incidence)), (gamma0.image, np.tan(incidence))):
        np.testing.assert_allclose(image, beta0.image * ratio, rtol=5e-5)  # 17 angles joined by lines
    np.testing.assert_array_equal(power.image, radiometry.multilook(slc.image, (2, 2)))
    assert power.metadata["calibration"] is None and power.metadata["nesz"] and beta0.metadata["calibration"] == "acquisition"


def test_grid_of_looks() -> None:
    slc, looks = small(), (3, 2)
    m = calibrate(slc, "sigma0", looks).metadata
    source = slc.metadata
    assert (m["lines"], m["samples"]) == (source["lines"] // 3, source["samples"] // 2)
    assert m["first_line_time_s"] == pytest.approx(source["first_line_time_s"] + source["line_spacing_s"], abs=1e-12)
    assert m["line_spacing_s"] == pytest.approx(3 * source["line_spacing_s"])
    assert m["first_sample_slant_range_m"] == pytest.approx(source["first_sample_slant_range_m"] + source["sample_spacing_m"] / 2)
    assert m["sample_spacing_m"] == pytest.approx(2 * source["sample_spacing_m"])
    image = calibrate(slc, "sigma0", looks).image
    for j, first, end in m["valid_region"]:
        good = np.flatnonzero(np.isfinite(image[:, j]))
        assert abs(good[0] - first) <= 1 and abs(good[-1] + 1 - end) <= 1  # the region is told at 17 samples
    assert m["source"] == source and len(m["source_sha256"]) == 64
    json.dumps(m, allow_nan=False)


def test_point_is_where_the_grid_says() -> None:
    scene = targets("c-stripmap", 0.0)
    slc = focused(scene, WINDOWS[0])
    result = calibrate(slc, "sigma0", (3, 2))
    for place in scene.truth["places"]:
        line, sample = h.pixel(result.metadata, place)
        i, j = round(line), round(sample)
        box = result.image[i - 8 : i + 9, j - 8 : j + 9].astype(np.float64)
        assert np.sum(box * np.arange(-8, 9)[:, None]) / box.sum() == pytest.approx(line - i, abs=0.05)
        assert np.sum(box * np.arange(-8, 9)) / box.sum() == pytest.approx(sample - j, abs=0.05)


def test_square_looks() -> None:
    assert calibrate(focused(targets("c-stripmap", 0.0), WINDOWS[0])).metadata["looks"] == [1, 1]
    for sensor in ("c-stripmap", "x-stripmap"):
        m = calibrate(focused(targets(sensor, 0.0), WINDOWS[0]), looks="square").metadata
        sizes = m["azimuth_spacing_m"][8][1], m["ground_range_spacing_m"][8][1]
        print(sensor, "looks", m["looks"], "cells (m)", np.round(sizes, 2))
        assert 0.6 < sizes[0] / sizes[1] < 1.67


# ---- look-up tables ----------------------------------------------------------------------------------------------


def test_lut_of_amplitudes() -> None:
    slc = small()
    m = slc.metadata
    lines, samples = np.array([0.0, m["lines"] / 2, m["lines"]]), np.linspace(0, m["samples"], 5)
    table = np.linspace(200, 700, 15).reshape(3, 5)
    result = calibrate(slc, "sigma0", (2, 3), lut=Lut(lines, samples, table))
    power = radiometry.multilook(slc.image, (2, 3))
    line, sample = 2 * np.arange(power.shape[0]) + 0.5, 3 * np.arange(power.shape[1]) + 1.0
    rows = np.array([np.interp(sample, samples, row) for row in table])
    want = power / np.array([np.interp(line, lines, column) for column in rows.T]).T ** 2
    np.testing.assert_allclose(result.image, want, rtol=8 * EPS)
    assert result.metadata["calibration"] == "lut" and result.metadata["nesz"] is None
    vector = calibrate(slc, "beta0", (1, 1), lut=Lut([0], [0, m["samples"] - 1], [[10, 10]]))
    np.testing.assert_allclose(vector.image, radiometry.multilook(slc.image, (1, 1)) / 100, rtol=4 * EPS)


def test_lut_needs_no_acquisition() -> None:
    """An image of another processor: times and spacings are enough."""
    keys = ("lines", "samples", "first_line_time_s", "line_spacing_s", "first_sample_slant_range_m", "sample_spacing_m")
    foreign = Slc(small().image, {key: small().metadata[key] for key in keys})
    result = calibrate(foreign, "sigma0", (2, 2), lut=Lut([0], [0], [[5]]))
    assert result.metadata["incidence_deg"] is None and result.metadata["equivalent_number_of_looks"] is None
    with pytest.raises(MissingAuxiliary, match="sigma0 needs the acquisition"):
        calibrate(foreign)
    assert calibrate(foreign, "intensity").metadata["looks"] == [2, 1] or calibrate(foreign, "intensity").metadata["looks"] == [1, 1]


# ---- refusals ----------------------------------------------------------------------------------------------------


def changed(**fields: Any) -> Slc:
    metadata = copy.deepcopy(small().metadata)
    for key, value in fields.items():
        if value is None:
            del metadata[key]
        else:
            metadata[key] = value
    return Slc(small().image, metadata)


def other_acquisition(**fields: Any) -> Slc:
    acquisition = Acquisition.from_json(small().metadata["acquisition"])
    return changed(acquisition=dataclasses.replace(acquisition, **fields).to_dict())


@pytest.mark.parametrize("looks", [(0, 1), (1, 0), (-2, 1), (10**6, 1), (1, 10**6)], ids=str)
def test_looks_that_do_not_fit(looks: tuple[int, int]) -> None:
    with pytest.raises(BadInput, match=r"looks along (azimuth|range) are -?\d+; must lie within 1 and the"):
        calibrate(small(), "sigma0", looks)
    with pytest.raises(BadInput, match="must lie within 1 and the"):
        radiometry.multilook(small().image, looks)


def test_other_pixels_are_refused() -> None:
    slc = small()
    for dtype in (np.complex128, np.float64, np.int16):
        other = np.zeros(slc.image.shape, dtype)
        with pytest.raises(BadInput, match="image is .*; must be complex64"):
            calibrate(Slc(other, slc.metadata))  # type: ignore[arg-type]
        with pytest.raises(BadInput, match="image is .*; must be complex64"):
            radiometry.multilook(other, (1, 1))  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="must be complex64$"):
        radiometry.multilook(np.ones((3, 3), np.float32), (1, 1), coherent=True)
    with pytest.raises(BadInput, match="its metadata says"):
        calibrate(Slc(slc.image[:-1], slc.metadata))
    with pytest.raises(BadInput, match="is sigma0 already; must be a focused image"):
        calibrate(calibrate(slc))  # type: ignore[arg-type]


def test_decibels_are_refused() -> None:
    decibels = 10 * np.log10(np.abs(small().image) ** 2)
    with pytest.raises(BadInput, match="image has powers below 0 in lines 0 to 1; must be linear power, not decibels"):
        calibrate(Slc(decibels, small().metadata), "sigma0", (2, 1))
    with pytest.raises(BadInput, match="not decibels"):
        radiometry.multilook(decibels, (2, 1))
    power = np.abs(small().image) ** 2
    np.testing.assert_allclose(calibrate(Slc(power, small().metadata)).image, calibrate(small()).image, rtol=4 * EPS)


@pytest.mark.parametrize("key", ["line_spacing_s", "sample_spacing_m", "first_line_time_s", "first_sample_slant_range_m", "lines"])
def test_an_image_without_spacing(key: str) -> None:
    for value in (None, "wide", float("nan")):
        with pytest.raises(BadInput, match=f"image has {key} = .* in its metadata; must be a number"):
            calibrate(changed(**{key: value}), "intensity")


def test_without_orbit() -> None:
    scene = simulate.acquire(simulate.sensor(), 1500, 900)
    acquisition = dataclasses.replace(
        Acquisition.from_native(scene), orbit=(), effective_velocity_m_per_s=7100.0, doppler_centroid_hz=(0.0,)
    )
    slc = focus(h.noise((1500, 900), 1.0, 1), acquisition)
    for quantity in ("beta0", "sigma0", "gamma0"):
        with pytest.raises(MissingAuxiliary, match=f"{quantity} needs an orbit"):
            calibrate(slc, quantity)  # type: ignore[arg-type]
    result = calibrate(slc, "intensity")
    assert result.metadata["incidence_deg"] is None and result.metadata["nesz"] is None
    assert result.metadata["equivalent_number_of_looks"] >= 1
    with pytest.raises(MissingAuxiliary, match="subtract_noise needs"):
        calibrate(slc, "intensity", subtract_noise=True)


def test_without_radar_constant_or_noise() -> None:
    nothing = other_acquisition(radiometry=type(Acquisition.from_json(small().metadata["acquisition"]).radiometry)())
    with pytest.raises(MissingAuxiliary, match="sigma0 needs acquisition.radiometry.radar_constant, which is unknown; only"):
        calibrate(nothing)
    assert calibrate(nothing, "intensity").metadata["nesz"] is None
    with pytest.raises(MissingAuxiliary, match="noise_power"):
        calibrate(nothing, "intensity", subtract_noise=True)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"quantity": "sigma"}, "quantity is 'sigma'; must be one of"),
        ({"looks": (1.5, 1)}, "looks are .*; must be two whole numbers"),
        ({"looks": (1,)}, "looks are .*; must be two whole numbers"),
        ({"quantity": "intensity", "lut": Lut([0], [0], [[1]])}, "lut is given with quantity 'intensity'"),
        ({"lut": Lut([0], [0, 1], [[1]])}, "lut has values of shape"),
        ({"lut": Lut([0], [1, 0], [[1, 1]])}, "factor has samples that do not ascend at entry 1"),
        ({"lut": Lut([0], [0, 1], [[1, np.nan]])}, "factor has the value nan at entry 1; must be finite and not negative"),
        ({"lut": Lut([0], [0, 1], [[1, 0]])}, "factor has the value 0; must be greater than 0 to divide by"),
        ({"lut": Lut([0], [0], [[1]]), "subtract_noise": True}, "subtract_noise is given with lut"),
        ({"threads": -1}, "threads is -1"),
    ],
)
def test_options_that_break_a_rule(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        calibrate(small(), **options)


# ---- files -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def slc_file(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    pytest.importorskip("osgeo.gdal", reason="GDAL's Python bindings are not installed")
    from sidelook import write_slc

    path = tmp_path_factory.mktemp("slc") / "slc.tif"
    write_slc(path, small())
    return path


def test_file_is_the_array(slc_file: pathlib.Path, tmp_path: pathlib.Path) -> None:
    from sidelook import read_intensity

    target = tmp_path / "sigma0.tif"
    done = h.run("calibrate", slc_file, "-o", target, "--looks", "3x2", "--json", "--threads", 2)
    assert done.returncode == 0, done.stderr
    report, file = json.loads(done.stdout), read_intensity(target)
    memory = calibrate(small(), "sigma0", (3, 2))
    assert file.image.tobytes() == memory.image.tobytes()
    looks = file.metadata.pop("quicklook_looks")
    source = {**memory.metadata["source"], "quicklook_looks": file.metadata["source"]["quicklook_looks"]}
    assert file.metadata == {**memory.metadata, "source": source}
    assert report["output"] == str(target) and report["looks"] == [3, 2] and len(looks) == 2
    assert [s["name"] for s in report["stages"]] == ["multilook", "calibrate"]
    assert h.only_files(tmp_path) == {"sigma0.tif", "sigma0.quicklook.png"}


def test_file_for_gdal_alone(slc_file: pathlib.Path, tmp_path: pathlib.Path) -> None:
    from osgeo import gdal

    target = tmp_path / "beta0.tif"
    done = h.run("calibrate", slc_file, "-o", target, "--quantity", "beta0", "--looks", "3x2", "--co", "COMPRESS=DEFLATE", "-q")
    assert done.returncode == 0 and done.stdout == "" and done.stderr == ""
    dataset = gdal.Open(str(target))
    band = dataset.GetRasterBand(1)
    assert gdal.GetDataTypeName(band.DataType) == "Float32" and np.isnan(band.GetNoDataValue())
    assert band.GetDescription() == "beta0, linear power, zero Doppler"
    m = json.loads(dataset.GetMetadataItem("intensity", "SIDELOOK"))
    native = Acquisition.from_json(m["source"]["acquisition"]).native()
    orbit = _native.Orbit(native.orbit)
    assert dataset.GetGCPCount() == 121
    for gcp in dataset.GetGCPs():
        time_s = m["first_line_time_s"] + (gcp.GCPLine - 0.5) * m["line_spacing_s"]
        range_m = m["first_sample_slant_range_m"] + (gcp.GCPPixel - 0.5) * m["sample_spacing_m"]
        there = orbit.geodetic_to_radar(np.array([[gcp.GCPY, gcp.GCPX, gcp.GCPZ]]))[0]
        assert there[0] == pytest.approx(time_s, abs=1e-8) and there[1] == pytest.approx(range_m, abs=1e-3)


def test_info_understands_it(slc_file: pathlib.Path, tmp_path: pathlib.Path) -> None:
    target = tmp_path / "gamma0.tif"
    assert h.run("calibrate", slc_file, "-o", target, "--quantity", "gamma0").returncode == 0
    text, data = h.run("info", target).stdout, json.loads(h.run("info", target, "--json").stdout)
    assert "gamma0, linear power" in text and "noise-equivalent gamma0" in text and "looking right" in text and "{" not in text
    assert data["intensity"]["quantity"] == "gamma0" and data["bands"] == ["Float32"]
    assert "complex amplitude" in h.run("info", slc_file).stdout


def test_refusals_of_the_command(slc_file: pathlib.Path, tmp_path: pathlib.Path) -> None:
    sigma0 = tmp_path / "sigma0.tif"
    assert h.run("calibrate", slc_file, "-o", sigma0, "-q").returncode == 0
    before = h.only_files(tmp_path)
    target = tmp_path / "x.tif"
    for arguments, code, sentence in (
        ((slc_file, "-o", sigma0), 3, "exists already"),
        ((sigma0, "-o", target), 3, "no item 'slc'"),
        ((tmp_path / "none.tif", "-o", target), 3, "cannot be read"),
        ((slc_file, "-o", target, "--looks", "0x1"), 3, "must lie within 1 and the"),
        ((slc_file, "-o", target, "--looks", "2"), 2, "not AxR"),
        ((slc_file, "-o", target, "--of", "Nothing"), 3, "no driver"),
        ((slc_file, "-o", target, "--max-ram", "10MB"), 5, "one line needs at least"),
        ((slc_file, "-o", target, "--device", "cuda"), 4, "no cuda implementation of calibrate"),
    ):
        done = h.run("calibrate", *arguments)
        assert done.returncode == code and sentence in done.stderr and done.stderr.count("\n") == 1, done.stderr
    assert h.only_files(tmp_path) == before


PROBE = """
import sys
from sidelook.cli import main
code = main(sys.argv[1:])
peak = [line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")]
print(f"peak {int(peak[0]) * 1024}", file=sys.stderr)
sys.exit(code)
"""


def probe(path: pathlib.Path, limit: int) -> subprocess.CompletedProcess[str]:
    command = ["calibrate", path, "-o", path.with_name("out.tif"), "--max-ram", f"{limit}B", "--overwrite", "--threads", "2", "-q"]
    return subprocess.run(
        [sys.executable, "-c", PROBE, *map(str, command)], capture_output=True, text=True, timeout=300, env=h.environment()
    )


def test_peak_memory_is_flat_and_below_the_limit(tmp_path: pathlib.Path) -> None:
    """Fresh processes calibrate images of 5, 20 and 80 thousand lines (up to 500 MB) under one limit."""
    pytest.importorskip("osgeo.gdal", reason="GDAL's Python bindings are not installed")
    from sidelook.slc import SlcFile

    block = np.ascontiguousarray(np.nan_to_num(small().image[:500]))
    peaks, limit = {}, 0
    for lines in (80000, 5000, 20000):
        pulses = lines + 1200
        acquisition = simulate.acquire(simulate.sensor(), pulses, 900)
        acquisition.radiometry = Acquisition.from_json(small().metadata["acquisition"]).native().radiometry
        metadata = {
            **small().metadata, "lines": lines, "acquisition": Acquisition.from_native(acquisition).to_dict(),
            "valid_region": [[j, 0, lines] for j, _, _ in small().metadata["valid_region"]],
        }  # fmt: skip
        path = tmp_path / "slc.tif"
        with SlcFile(path, type("Grid", (), {"lines": lines, "samples": metadata["samples"]}), metadata, overwrite=True) as file:
            for first in range(0, lines, 500):
                file.write(first, 0, block)

        if not limit:
            refusal = probe(path, 10_000_000)
            assert refusal.returncode == 5
            limit = int(refusal.stderr.split("at least ")[1].split()[0]) + (16 << 20)
        done = probe(path, limit)
        assert done.returncode == 0, done.stderr
        peaks[lines] = int(done.stderr.split("peak ")[1])
        print(f"{lines} lines: peak {peaks[lines] / 2**20:.1f} MiB of {limit / 2**20:.1f}")
    assert max(peaks.values()) < limit and max(peaks.values()) / min(peaks.values()) < 1.05
