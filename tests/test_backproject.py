"""Backprojection: against the double-precision oracle, point targets whose places are geometry, points of the Earth, invariance.

`pytest -s` prints what was measured.
"""

from __future__ import annotations

import functools
import pathlib
from typing import Any

import focus_helpers as h
import numpy as np
import pytest
from oracle import backprojection, compare, orbit
from sidelook import _native, backproject, focus, simulate
from sidelook.acquisition import Acquisition
from sidelook.errors import BadInput, OverMemory

PULSES, SAMPLES = 2000, 1100
SQUINTS = (0.0, 3.0, 8.0)
PLACES = ((80.3, 80.4), (240.7, 190.1))  # lines after the first valid one, samples


@functools.lru_cache(maxsize=3)
def scene(squint_deg: float) -> h.Points:
    """Two unit points; the Doppler centroid is one number, so that the oracle's window can be stated in absolute Doppler."""
    radar = h.instrument("c-stripmap", squint_deg)
    native = simulate.acquire(radar, PULSES, SAMPLES)
    native.doppler_centroid_hz = _native.doppler_from_attitude(native)[:1]
    native.doppler_drift_hz_per_s = 0.0
    grid = _native.BackprojectPlan(native, _native.FocusOptions()).grid
    places = []
    for line, sample in PLACES:
        time_s = grid.first_line_time_s + (grid.valid_first_line[round(sample)] + line) * grid.line_spacing_s
        places.append((time_s, grid.first_slant_range_m + sample * grid.sample_spacing_m))
    positions = [simulate.place(radar.platform, *place) for place in places]
    return h.Points(Acquisition.from_native(native), radar.platform, simulate.exact(native, radar.platform, positions), tuple(places))


@functools.lru_cache(maxsize=6)
def image(squint_deg: float, kind: str, **options: Any) -> Any:
    return backproject(echoes(squint_deg, kind), scene(squint_deg).acquisition, correct_iq=False, equalise_antenna=False, **options)


@functools.lru_cache(maxsize=6)
def echoes(squint_deg: float, kind: str) -> np.ndarray:
    return scene(squint_deg).echoes if kind == "points" else h.noise((PULSES, SAMPLES), 1.0, 11)


def reference(
    squint_deg: float, kind: str, times: np.ndarray, ranges: np.ndarray, m: dict[str, Any], height_m: float | None = None
) -> np.ndarray:
    """The oracle with the image's own windows, as the metadata state them."""
    a = scene(squint_deg).acquisition
    centre = a.doppler_centroid_hz[0]

    def weight(f: np.ndarray, band: float, roll: float) -> np.ndarray:
        edge = 0.5 - 0.5 * np.sin(np.pi * np.clip((np.abs(f) - band / 2) / roll, -0.5, 0.5))
        return np.asarray(edge * (0.75 + 0.25 * np.cos(2 * np.pi * f / band)))

    return backprojection.backproject(
        a, echoes(squint_deg, kind), times, ranges, height_m=height_m, doppler_centroid_hz=centre,
        processed_band_hz=0.8 * a.prf_hz,  # flat over all of our window
        gain=lambda f: weight(f - centre, m["processed_doppler_bandwidth_hz"], m["doppler_band_edge_hz"]),
        range_weight=lambda f: weight(f, m["processed_range_bandwidth_hz"], m["range_band_edge_hz"]),
    )  # fmt: skip


def patch(squint_deg: float, place: tuple[float, float], lines: int = 20, samples: int = 20) -> tuple[int, int, np.ndarray, np.ndarray]:
    """First line and sample, zero-Doppler times and slant ranges of pixels around a place, many blocks' borders among them."""
    m = image(squint_deg, "points").metadata
    line, sample = h.pixel(m, place)
    top, left = round(line) - lines // 2, round(sample) - samples // 2
    times = m["first_line_time_s"] + (top + np.arange(lines)) * m["line_spacing_s"]
    return top, left, times, m["first_sample_slant_range_m"] + (left + np.arange(samples)) * m["sample_spacing_m"]


@pytest.mark.parametrize("kind", ["points", "noise"])
@pytest.mark.parametrize("squint_deg", SQUINTS)
def test_error_against_oracle(squint_deg: float, kind: str) -> None:
    """Points, as the figure is defined, and noise, of which every pixel and every pulse counts alike."""
    slc = image(squint_deg, kind)
    top, left, times, ranges = patch(squint_deg, scene(squint_deg).places[1])
    want = reference(squint_deg, kind, times, ranges, slc.metadata)
    error, constant = compare.relative_error_db(slc.image[top : top + len(times), left : left + len(ranges)], want)
    turned = np.degrees(np.angle(constant))
    print(f"{squint_deg} degrees, {kind}: {error:.1f} dB against the oracle, turned by {turned:.5f} degrees")
    assert error <= -80
    assert abs(turned) < 0.01


@pytest.mark.parametrize("squint_deg", SQUINTS)
def test_place_phase_and_amplitude(squint_deg: float) -> None:
    slc = image(squint_deg, "points")
    for place in scene(squint_deg).places:
        found = h.measured(slc.image, slc.metadata, place)
        line, sample = h.pixel(slc.metadata, place)
        phase = np.degrees(np.angle(h.phase_at_place(found, slc.metadata, place[1])))
        print(f"{squint_deg} degrees: off by {found.row - line:+.5f} lines {found.col - sample:+.5f} samples {phase:+.4f} degrees")
        # a 128th of the resolution cell, which is wider than a line and a sample
        assert max(abs(found.row - line), abs(found.col - sample)) < 1 / 128
        assert abs(phase) < 0.5


def test_same_as_range_doppler() -> None:
    """The same grid, amplitude and phase as `focus`.

    What differs are Fresnel's ripples: there the band's ends fall off in Doppler, here in time, over two Fresnel zones.
    """
    for options in ({}, {"equalise_antenna": False, "azimuth_window": "taylor 35"}):
        a, e = scene(0.0).acquisition, scene(0.0).echoes
        ours, theirs = backproject(e, a, **options), focus(e, a, **options)
        assert {k: v for k, v in ours.metadata.items() if k in theirs.metadata and k != "block_lines"} == {
            k: v for k, v in theirs.metadata.items() if k != "block_lines"
        }
        assert np.array_equal(np.isnan(ours.image), np.isnan(theirs.image))
        difference = h.rms(ours.image - theirs.image) / h.rms(theirs.image)
        print(f"{options}: range-Doppler differs by {h.db(difference**2):.1f} dB")
        assert difference < 0.03
        for place in scene(0.0).places:
            ratio = h.measured(ours.image, ours.metadata, place).peak / h.measured(theirs.image, theirs.metadata, place).peak
            assert abs(ratio - 1) < 2e-3


@pytest.mark.parametrize("squint_deg", [0.0, 8.0])
def test_given_points(squint_deg: float) -> None:
    """Another height, lines and samples exchanged, one point missing: against the oracle at that height."""
    a = scene(squint_deg).acquisition
    _, _, times, ranges = patch(squint_deg, scene(squint_deg).places[1])
    height = a.terrain_height_m + 300
    path = orbit.Orbit(a.orbit)
    there = orbit.place(path, times[:, None], ranges[None, :], height, a.look_side == "right")
    points = np.ascontiguousarray(there.transpose(1, 0, 2))
    points[3, 4] = np.nan
    slc = backproject(echoes(squint_deg, "noise"), a, points=points, correct_iq=False, equalise_antenna=False)
    assert "first_line_time_s" not in slc.metadata and slc.image.shape == points.shape[:2]
    assert np.array_equal(np.argwhere(np.isnan(slc.image)), [[3, 4]])
    want = reference(squint_deg, "noise", times, ranges, image(squint_deg, "points").metadata, height).T.copy()
    got = slc.image.copy()
    got[3, 4] = want[3, 4] = 0
    error, constant = compare.relative_error_db(got, want)
    print(f"{squint_deg} degrees: {error:.1f} dB at given points, turned by {np.degrees(np.angle(constant)):.5f} degrees")
    assert error <= -79  # the amplitude's constant is exact for the whole scene and not for a block: 7e-5
    assert abs(np.degrees(np.angle(constant))) < 0.01


def test_rough_ground() -> None:
    """Neighbours at random heights: each point has the value that it has alone among smooth neighbours at its height."""
    a, e = scene(3.0).acquisition, echoes(3.0, "noise")
    _, _, times, ranges = patch(3.0, scene(3.0).places[1], 8, 8)
    path = orbit.Orbit(a.orbit)
    heights = np.array([0.0, 15.0, 30.0])
    flat = [orbit.place(path, times[:, None], ranges[None, :], float(z), a.look_side == "right") for z in heights]
    chosen = np.random.default_rng(5).integers(0, len(heights), (8, 8))
    rough = np.ascontiguousarray(np.choose(chosen[..., None], flat))
    smooth = [backproject(e, a, points=np.ascontiguousarray(p)).image for p in flat]
    error, _ = compare.relative_error_db(backproject(e, a, points=rough).image, np.choose(chosen, smooth))
    print(f"rough ground differs by {error:.1f} dB")
    assert error < -80


def test_threads_and_blocks_change_no_bit() -> None:
    a, e = scene(3.0).acquisition, echoes(3.0, "noise")
    want = image(3.0, "noise").image
    for options in ({"threads": 1}, {"block_lines": 37}, {"threads": 2, "block_lines": 16}, {"max_ram": 0, "block_lines": 100}):
        got = backproject(e, a, correct_iq=False, equalise_antenna=False, **options).image
        assert np.array_equal(got.view(np.uint32), want.view(np.uint32)), options


def test_instruction_sets_agree(tmp_path: pathlib.Path) -> None:
    import subprocess
    import sys

    a, e = scene(3.0).acquisition, echoes(3.0, "noise")
    h.write_scene(tmp_path, e, a)
    program = (
        "import sys, numpy as np; from sidelook import backproject; from sidelook.acquisition import Acquisition;"
        "np.save(sys.argv[2], backproject(sys.argv[1], correct_iq=False, equalise_antenna=False).image)"
    )
    images = []
    for isa in ("portable", "avx2", "avx512"):
        out = tmp_path / f"{isa}.npy"
        subprocess.run(
            [sys.executable, "-c", program, str(tmp_path / "scene.npy"), str(out)],
            check=True,
            env={**h.environment(), "SIDELOOK_MAX_ISA": isa},
        )
        images.append(np.nan_to_num(np.load(out)))
    for other in images[:2]:
        error, _ = compare.relative_error_db(other, images[2])
        assert error < -100  # single-precision rounding


def test_refusals() -> None:
    a, e = scene(0.0).acquisition, echoes(0.0, "noise")
    apart = np.zeros((2, 40, 3))
    apart[..., 0], apart[..., 1] = 6.4e6, 5e3 * np.arange(40)
    for error, sentence, options in (
        (BadInput, "points is not three-dimensional", {"points": np.zeros((4, 4))}),
        (BadInput, "points is list", {"points": [[1.0]]}),
        (BadInput, "points is ndarray", {"points": np.zeros((4, 4, 3), np.float32)}),
        (BadInput, "points has 16 neighbours that lie up to", {"points": apart}),
        (BadInput, "strip_samples is 7", {"strip_samples": 7}),
        (BadInput, "colour is no option of backproject", {"colour": 1}),
        (OverMemory, "one block needs at least", {"max_ram": 1 << 20}),
    ):
        with pytest.raises(error, match=sentence):
            backproject(e, a, **options)
    with pytest.raises(BadInput, match="orbit is empty; backprojection needs one"):
        import dataclasses

        backproject(e, dataclasses.replace(a, orbit=[], antenna=type(a.antenna)(), effective_velocity_m_per_s=7100.0), doppler=[0.0])
