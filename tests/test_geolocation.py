"""Geolocation both ways against the simulator's geometry, which shares no code with it: analytic orbit, own ellipsoid."""

from __future__ import annotations

import pathlib

import focus_helpers as h
import numpy as np
import pytest
from sidelook import _native, simulate
from sidelook.acquisition import Acquisition
from sidelook.errors import BadInput, translate
from sidelook.focusing import Slc, focus

LIMIT_M = 0.1
GROUND_SPEED = 7000.0  # (m/s) turns zero-Doppler time into metres


def states(platform: object, times: np.ndarray) -> list:
    """State vectors of the platform in ECEF."""
    found = []
    for t in times:
        position, velocity = simulate.state(platform, float(t))
        state = _native.StateVector()
        state.time_s, state.position_m, state.velocity_m_per_s = float(t), _native.Vec3(*position), _native.Vec3(*velocity)
        found.append(state)
    return found


def side(platform: object) -> object:
    return _native.LookSide.left if platform.look_side == _native.LookSide.left else _native.LookSide.right


def ranges_of(platform: object, time_s: float) -> list[float]:
    """From 10 to some 50 degrees off nadir."""
    altitude = np.linalg.norm(simulate.state(platform, time_s)[0]) - 6371e3
    return [1.05 * altitude, 1.25 * altitude, 1.6 * altitude]


PLACES = {
    "preset": {},
    "left": {"look_side": _native.LookSide.left},
    "pole": {"inclination_deg": 88.0, "latitude_argument_deg": 90.0},
    "pole, left": {"inclination_deg": 88.0, "latitude_argument_deg": 90.0, "look_side": _native.LookSide.left},
    "south pole": {"inclination_deg": 92.0, "latitude_argument_deg": 270.0},
    "equator, descending": {"latitude_argument_deg": 180.0},
    "eccentric": {"eccentricity": 0.02, "latitude_argument_deg": 60.0},
}


@pytest.mark.parametrize("name", PLACES)
@pytest.mark.parametrize("spacing_s", [1.0, 10.0])
def test_both_ways(name: str, spacing_s: float) -> None:
    """State vectors a second and ten seconds apart; heights from below the ellipsoid to the highest mountain."""
    platform = h.instrument("c-stripmap", **PLACES[name]).platform
    orbit = _native.Orbit(states(platform, np.arange(-4, 5) * spacing_s))
    worst, back = 0.0, 0.0
    for time_s in (-1.37 * spacing_s, 0.0, 0.51 * spacing_s):
        for height in (-400.0, 0.0, 8848.0):
            for slant_range in ranges_of(platform, time_s):
                truth = simulate.place(platform, time_s, slant_range, height)
                found = orbit.radar_to_geodetic(np.array([time_s]), np.array([slant_range]), np.array([height]), side(platform))[0]
                worst = max(worst, float(np.linalg.norm(simulate.ecef(*found) - truth)))
                there = orbit.geodetic_to_radar(np.array([simulate.geodetic(truth)]))[0]
                expected = simulate.zero_doppler(platform, truth, time_s)
                back = max(back, abs(there[0] - expected[0]) * GROUND_SPEED, abs(there[1] - expected[1]))
                assert abs(expected[0] - time_s) < 1e-9 and abs(expected[1] - slant_range) < 1e-4  # the truth agrees with itself
    print(f"{name}, state vectors every {spacing_s} s: radar to ground {worst:.2e} m, ground to radar {back:.2e} m")
    assert worst < LIMIT_M and back < LIMIT_M


def test_across_the_date_line() -> None:
    """Longitudes jump by 360 degrees there; places do not."""
    home = h.instrument("c-stripmap").platform
    longitude = simulate.geodetic(simulate.place(home, 0.0, ranges_of(home, 0.0)[1]))[1]
    platform = h.instrument("c-stripmap", node_longitude_deg=home.node_longitude_deg + 180.0 - longitude).platform
    orbit = _native.Orbit(states(platform, np.arange(-5.0, 6.0)))
    near, far = ranges_of(platform, 0.0)[0], ranges_of(platform, 0.0)[2]
    ranges = np.linspace(near, far, 41)
    found = orbit.radar_to_geodetic(np.zeros(41), ranges, np.zeros(41), side(platform))
    assert found[:, 1].min() < -175 and found[:, 1].max() > 175  # the swath crosses it
    assert (np.abs(found[:, 1]) <= 180).all()
    off = [np.linalg.norm(simulate.ecef(*g) - simulate.place(platform, 0.0, r)) for g, r in zip(found, ranges, strict=True)]
    back = orbit.geodetic_to_radar(found)
    shifted = orbit.geodetic_to_radar(found + [0, 360, 0])  # the same places, counted on
    print(f"date line: radar to ground {max(off):.2e} m, ground to radar {np.abs(back[:, 1] - ranges).max():.2e} m")
    assert max(off) < LIMIT_M
    assert np.abs(back[:, 0]).max() * GROUND_SPEED < LIMIT_M and np.abs(back[:, 1] - ranges).max() < LIMIT_M
    assert np.abs(shifted - back).max() < 1e-6


def test_at_the_pole_itself() -> None:
    """A geodetic pole and its neighbourhood, seen by a satellite that passes 2 degrees beside it."""
    for latitude in (90.0, 89.9999, 89.5):
        for look in (_native.LookSide.left, _native.LookSide.right):
            platform = h.instrument("c-stripmap", inclination_deg=88.0, latitude_argument_deg=90.0, look_side=look).platform
            orbit = _native.Orbit(states(platform, np.arange(-60.0, 61.0, 2.0)))
            truth = simulate.ecef(latitude, 33.0, 100.0)
            time_s, slant_range = orbit.geodetic_to_radar(np.array([[latitude, 33.0, 100.0]]))[0]
            expected = simulate.zero_doppler(platform, truth, time_s)
            assert abs(time_s - expected[0]) * GROUND_SPEED < LIMIT_M and abs(slant_range - expected[1]) < LIMIT_M
            places = [orbit.radar_to_geodetic(np.array([time_s]), np.array([slant_range]), np.array([100.0]), s)[0]
                      for s in (_native.LookSide.left, _native.LookSide.right)]  # fmt: skip
            assert min(np.linalg.norm(simulate.ecef(*p) - truth) for p in places) < LIMIT_M


@pytest.mark.parametrize(
    ("name", "squint_deg", "left"), [("c-stripmap", 0.0, False), ("c-stripmap", 3.0, True), ("x-stripmap", -3.0, False)]
)
def test_of_acquisitions(name: str, squint_deg: float, left: bool) -> None:
    """With the state vectors that an acquisition carries, over its whole image."""
    more = {"look_side": _native.LookSide.left} if left else {}
    radar = h.instrument(name, squint_deg, **more)
    native = simulate.acquire(radar, 3000, 1400)
    orbit, worst, back = _native.Orbit(native.orbit), 0.0, 0.0
    grid = h.layout(native, [(line, sample) for line in (10.0, 800.5) for sample in (1.25, 400.0, 790.0)])
    for time_s, slant_range in grid:
        truth = simulate.place(radar.platform, time_s, slant_range)
        found = orbit.radar_to_geodetic(np.array([time_s]), np.array([slant_range]), np.zeros(1), native.look_side)[0]
        worst = max(worst, float(np.linalg.norm(simulate.ecef(*found) - truth)))
        there = orbit.geodetic_to_radar(np.array([simulate.geodetic(truth)]))[0]
        back = max(back, abs(there[0] - time_s) * GROUND_SPEED, abs(there[1] - slant_range))
    print(f"{name} at {squint_deg} degrees: radar to ground {worst:.2e} m, ground to radar {back:.2e} m")
    assert worst < LIMIT_M and back < LIMIT_M


@pytest.fixture(scope="module")
def small() -> tuple[object, Slc]:
    """A small squinted image 750 m above the ellipsoid."""
    radar = h.instrument("c-stripmap", 1.0)
    native = simulate.acquire(radar, 1400, 700, height_m=750.0)
    acquisition = Acquisition.from_native(native)
    assert acquisition.terrain_height_m == 750.0
    return radar.platform, focus(h.noise((1400, 700), 1.0, 7), acquisition)


def test_control_points_of_the_geotiff(small: tuple[object, Slc], tmp_path: pathlib.Path) -> None:
    gdal = pytest.importorskip("osgeo.gdal")
    from sidelook.slc import write_slc

    platform, slc = small
    write_slc(tmp_path / "image.tif", slc)
    dataset = gdal.Open(str(tmp_path / "image.tif"))
    points, m = dataset.GetGCPs(), slc.metadata
    assert len(points) >= 4 and "WGS" in dataset.GetGCPProjection()
    worst = 0.0
    for p in points:  # GDAL counts from the corner of the first pixel, the image's grid from its centre
        time_s = m["first_line_time_s"] + (p.GCPLine - 0.5) * m["line_spacing_s"]
        slant_range = m["first_sample_slant_range_m"] + (p.GCPPixel - 0.5) * m["sample_spacing_m"]
        truth = simulate.place(platform, time_s, slant_range, 750.0)
        worst = max(worst, float(np.linalg.norm(simulate.ecef(p.GCPY, p.GCPX, p.GCPZ) - truth)))
    corners = {(p.GCPLine, p.GCPPixel) for p in points}
    assert {(y, x) for y in (0.0, float(m["lines"])) for x in (0.0, float(m["samples"]))} <= corners
    print(f"{len(points)} ground control points: {worst:.2e} m")
    assert worst < LIMIT_M


def test_without_an_orbit_geometry_is_absent(tmp_path: pathlib.Path) -> None:
    gdal = pytest.importorskip("osgeo.gdal")
    import dataclasses

    from sidelook.slc import write_slc

    acquisition = Acquisition.from_native(simulate.acquire(h.instrument("c-stripmap"), 1400, 700))
    bare = dataclasses.replace(acquisition, orbit=(), antenna=type(acquisition.antenna)(), effective_velocity_m_per_s=7100.0,
                               doppler_centroid_hz=(0.0,))  # fmt: skip
    slc = focus(h.noise((1400, 700), 1.0, 8), bare)
    write_slc(tmp_path / "image.tif", slc)
    dataset = gdal.Open(str(tmp_path / "image.tif"))
    assert dataset.GetGCPCount() == 0 and dataset.GetGeoTransform(can_return_null=True) is None
    assert np.isfinite([slc.metadata["first_line_time_s"], slc.metadata["first_sample_slant_range_m"]]).all()


# ---- refusals ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def orbit() -> object:
    return _native.Orbit(states(h.instrument("c-stripmap").platform, np.arange(-5.0, 6.0)))


@pytest.mark.parametrize(
    ("time_s", "slant_range", "height", "words"),
    [
        (5.01, 850e3, 0.0, "zero_doppler_time_s is 5.01; must lie within the orbit"),
        (-5.01, 850e3, 0.0, "zero_doppler_time_s is -5.01; must lie within the orbit"),
        (float("nan"), 850e3, 0.0, "zero_doppler_time_s"),
        (0.0, 100e3, 0.0, "slant_range_m is 100000"),
        (0.0, -850e3, 0.0, "slant_range_m is -850000"),
        (0.0, 2e7, 0.0, "slant_range_m is"),  # beyond the far side of the Earth
        (0.0, float("nan"), 0.0, "slant_range_m is nan"),
        (0.0, float("inf"), 0.0, "slant_range_m is inf"),
        (0.0, 850e3, float("nan"), "height_m|slant_range_m"),
    ],
)
def test_no_such_place(orbit: object, time_s: float, slant_range: float, height: float, words: str) -> None:
    with pytest.raises(BadInput, match=words), translate():
        orbit.radar_to_geodetic(np.array([time_s]), np.array([slant_range]), np.array([height]), _native.LookSide.right)


def test_closer_than_the_ground_is_refused(orbit: object) -> None:
    """Just short of nadir nothing reaches the surface; just beyond it something does."""
    platform = h.instrument("c-stripmap").platform
    nadir = simulate.geodetic(simulate.state(platform, 0.0)[0])[2]
    assert np.isfinite(orbit.radar_to_geodetic(np.zeros(1), np.array([nadir + 2e3]), np.zeros(1), _native.LookSide.right)).all()
    with pytest.raises(BadInput, match="slant_range_m"), translate():
        orbit.radar_to_geodetic(np.zeros(1), np.array([nadir - 2e3]), np.zeros(1), _native.LookSide.right)


def test_a_place_that_was_passed_outside_the_orbit_is_refused(orbit: object) -> None:
    platform = h.instrument("c-stripmap").platform
    away = simulate.geodetic(simulate.place(platform, 9.0, 850e3))
    with pytest.raises(BadInput, match=r"closest approach is at (9|8\.99).*must lie within the orbit, -5 to 5 s"), translate():
        orbit.geodetic_to_radar(np.array([away]))


def test_bad_arrays_and_orbits_are_refused(orbit: object) -> None:
    with pytest.raises(BadInput, match="differ in length"), translate():
        orbit.radar_to_geodetic(np.zeros(2), np.full(2, 850e3), np.zeros(1), _native.LookSide.right)
    with pytest.raises(BadInput, match="places has the wrong shape"), translate():
        orbit.geodetic_to_radar(np.zeros((2, 2)))
    with pytest.raises(BadInput), translate():
        orbit.geodetic_to_radar(np.full((1, 3), np.nan))
    platform = h.instrument("c-stripmap").platform
    good = states(platform, np.arange(5.0))
    with pytest.raises(BadInput, match="orbit has 3 state vectors; must have at least 4"), translate():
        _native.Orbit(good[:3])
    with pytest.raises(BadInput, match="must be later than the one before"), translate():
        _native.Orbit([good[1], good[0], *good[2:]])
