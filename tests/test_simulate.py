"""The echo simulator against references written from the definitions, in extended precision and independent of its code.

Echoes: sum over targets and pulses m of a g p(t - d - t_m) exp(-j 2 pi f0 d), see sidelook/simulate.h.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from sidelook import simulate
from sidelook.errors import BadInput, OverMemory

Q = np.longdouble
LIGHT, SPIN, MU = Q("299792458"), Q("7.2921150e-5"), Q("3.986004418e14")
PI = Q("3.14159265358979323846264338327950288")


# ---- the reference -------------------------------------------------------------------------------------------------


def turned(vector: Any, angle: Any) -> Any:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([c * vector[0] - s * vector[1], s * vector[0] + c * vector[1], vector[2]])


def orbit(p: Any, time_s: Any) -> Any:
    """Inertial position by Kepler's equation, through the true anomaly and the argument of latitude."""
    degree = PI / 180
    a, e = Q(6378137) + Q(p.altitude_m), Q(p.eccentricity)
    nu = (Q(p.latitude_argument_deg) - Q(p.perigee_deg)) * degree
    e0 = 2 * np.arctan(np.sqrt((1 - e) / (1 + e)) * np.tan(nu / 2))
    mean = e0 - e * np.sin(e0) + np.sqrt(MU / a**3) * Q(time_s)
    ecc = mean
    for _ in range(40):  # contracts by e = 0.0011 a step
        ecc = mean + e * np.sin(ecc)
    nu = 2 * np.arctan2(np.sqrt(1 + e) * np.sin(ecc / 2), np.sqrt(1 - e) * np.cos(ecc / 2))
    u, i, node = (
        nu + Q(p.perigee_deg) * degree,
        Q(p.inclination_deg) * degree,
        Q(p.node_longitude_deg) * degree,
    )
    x = np.cos(node) * np.cos(u) - np.sin(node) * np.sin(u) * np.cos(i)
    y = np.sin(node) * np.cos(u) + np.cos(node) * np.sin(u) * np.cos(i)
    return a * (1 - e * np.cos(ecc)) * np.array([x, y, np.sin(u) * np.sin(i)])


def norm(vector: Any) -> Any:
    return np.sqrt((vector * vector).sum())


def flight(p: Any, position: Any, velocity: Any, reference_s: float, received: Any) -> tuple[Any, Any]:
    """Reflection and transmission of what arrives at `received`, by fixed points, which contract by v/c = 2.5e-5."""

    def target(time_s: Any) -> Any:
        return turned(
            np.array(position, Q) + np.array(velocity, Q) * (time_s - Q(reference_s)),
            SPIN * time_s,
        )

    here, reflected = orbit(p, received), received - Q("0.003")
    for _ in range(8):
        reflected = received - norm(target(reflected) - here) / LIGHT
    there, sent = target(reflected), 2 * reflected - received
    for _ in range(8):
        sent = reflected - norm(there - orbit(p, sent)) / LIGHT
    return reflected, sent


def beam(a: Any, p: Any, position: Any, velocity: Any, reference_s: float, time_s: Any) -> float:
    """Two-way pattern of acquisition.h; attitude from its definition, along the ECEF velocity, by differences."""
    here = turned(orbit(p, time_s), -SPIN * time_s)
    h = Q("0.01")
    ahead, back = (
        turned(orbit(p, time_s + h), -SPIN * (time_s + h)),
        turned(orbit(p, time_s - h), -SPIN * (time_s - h)),
    )
    along, up = (ahead - back) / norm(ahead - back), here / norm(here)
    down = (up * along).sum() * along - up
    down = down / norm(down)
    right = np.cross(along, -down) * int(p.look_side == simulate._native.LookSide.right or -1)
    look, squint = Q(p.look_angle_deg) * PI / 180, Q(p.squint_deg) * PI / 180
    broadside = np.cos(look) * down + np.sin(look) * right
    boresight = np.cos(squint) * broadside + np.sin(squint) * along
    azimuth = np.cos(squint) * along - np.sin(squint) * broadside
    d = np.array(position, Q) + np.array(velocity, Q) * (time_s - Q(reference_s)) - here
    d = d / norm(d)
    per_m = Q(a.carrier_hz) / LIGHT
    x = Q(a.antenna.azimuth_length_m) * per_m * (d * azimuth).sum()
    y = Q(a.antenna.elevation_length_m) * per_m * (d * np.cross(azimuth, boresight)).sum()
    return float((np.sinc(float(x)) * np.sinc(float(y))) ** 2)


def reference(
    a: Any,
    p: Any,
    position: Any,
    velocity: Any,
    reference_s: float,
    line: int,
    sample: int,
) -> complex:
    """One sample of one target, all pulses that can be in it."""
    tk = Q(a.first_pulse_time_s) + Q(line) / Q(a.prf_hz)
    received = tk + Q(a.first_sample_delay_s) + Q(sample) / Q(a.sample_rate_hz)
    reflected, sent = flight(p, position, velocity, reference_s, received)
    m = np.round((sent - tk) * Q(a.prf_hz))
    u, d = sent - tk - m / Q(a.prf_hz), received - sent
    if abs(u) > Q(a.chirp_duration_s) / 2:
        return 0
    cycles = Q(a.chirp_rate_hz_per_s) * u * u / 2 - Q(a.carrier_hz) * d
    g = beam(a, p, position, velocity, reference_s, reflected)
    return complex(g * np.exp(2j * np.pi * float(cycles - np.round(cycles))))


# ---- helpers -------------------------------------------------------------------------------------------------------


def error_db(found: Any, true: Any) -> float:
    return float(10 * np.log10(np.sum(np.abs(found - true) ** 2) / np.sum(np.abs(true) ** 2)))


def small(
    name: str = "c-stripmap",
    squint_deg: float = 0.0,
    pulses: int = 64,
    samples: int = 640,
) -> tuple[Any, Any]:
    instrument = simulate.sensor(name, squint_deg=squint_deg)
    return simulate.acquire(instrument, pulses, samples), instrument.platform


def middle_s(a: Any) -> float:
    return float(a.first_pulse_time_s + 0.5 * (a.pulses - 1) / a.prf_hz)


def delay_range_m(a: Any, sample: float) -> float:
    return float(0.5 * 299792458.0 * (a.first_sample_delay_s + sample / a.sample_rate_hz))


# ---- platform and truth --------------------------------------------------------------------------------------------


def test_orbit_is_the_keplerian_ellipse_seen_from_the_rotating_earth() -> None:
    _, p = small()
    p.eccentricity = 0.02
    for t in (0.0, 20.0, 1234.5):
        position, velocity = simulate.state(p, t, inertial=True)
        h = Q("1e-3")
        speed = (orbit(p, Q(t) + h) - orbit(p, Q(t) - h)) / (2 * h)
        assert np.abs(position - orbit(p, t)).max() < 1e-7  # 7e6 m in double: eps 1e-9, some sixty operations
        assert np.abs(velocity - speed).max() < 1e-5  # h^2 n^2 v / 6 = 1.4e-9, and the difference's own rounding
        fixed, rate = simulate.state(p, t)
        assert np.abs(fixed - turned(orbit(p, t), -SPIN * Q(t))).max() < 1e-7
        after = turned(orbit(p, Q(t) + h), -SPIN * (Q(t) + h))
        before = turned(orbit(p, Q(t) - h), -SPIN * (Q(t) - h))
        assert np.abs(rate - (after - before) / (2 * h)).max() < 1e-5


def test_state_vectors_cover_zero_doppler_with_margin() -> None:
    for squint in (0.0, 3.0, -3.0):
        a, p = small(squint_deg=squint)
        point = simulate.place_in_beam(p, middle_s(a), delay_range_m(a, 320))
        time_s, _ = simulate.zero_doppler(p, point, middle_s(a))
        assert a.orbit[0].time_s <= min(time_s, a.first_pulse_time_s) - 15
        assert a.orbit[-1].time_s >= max(time_s, a.first_pulse_time_s + 64 / a.prf_hz) + 15
        for vector in a.orbit[:: len(a.orbit) - 1]:
            position, velocity = simulate.state(p, vector.time_s)
            assert (vector.position_m.x, vector.velocity_m_per_s.z) == (
                position[0],
                velocity[2],
            )


@pytest.mark.parametrize("squint_deg", [0.0, 3.0, -3.0])
def test_place_and_zero_doppler_invert_each_other(squint_deg: float) -> None:
    a, p = small(squint_deg=squint_deg)
    for side in ("left", "right"):
        p.look_side = getattr(simulate._native.LookSide, side)
        point = simulate.place(p, 21.0, 830e3, 150.0)
        position, velocity = simulate.state(p, 21.0)
        assert abs(np.dot(point - position, velocity)) < 1e-6 * np.linalg.norm(velocity)  # 1 um along the track
        assert abs(np.linalg.norm(point - position) - 830e3) < 1e-8
        assert abs(simulate.geodetic(point)[2] - 150.0) < 1e-8
        handed = np.dot(np.cross(velocity, position), point - position)
        assert (handed > 0) == (side == "right")
        time_s, range_m = simulate.zero_doppler(p, point, middle_s(a))
        assert abs(time_s - 21.0) < 1e-12 and abs(range_m - 830e3) < 1e-8


def test_geodetic_coordinates_are_wgs84() -> None:
    # corners of the ellipsoid: a on the equator, b = a (1 - f) at the pole
    assert np.allclose(simulate.ecef(0, 0, 10), [6378147, 0, 0], atol=1e-9)
    assert np.allclose(simulate.ecef(90, 0, 0), [0, 0, 6356752.314245179], atol=1e-8)
    for place in (
        (0.0, 0.0, 0.0),
        (45.0, -120.0, 1234.5),
        (-89.999, 10.0, 5.0),
        (90.0, 0.0, -20.0),
    ):
        found = simulate.geodetic(simulate.ecef(*place))
        assert abs(found[0] - place[0]) < 1e-12 and abs(found[2] - place[2]) < 1e-8
    # the gradient of the height is the normal of the latitude
    foot, up = simulate.ecef(47, 11, 0), simulate.ecef(47, 11, 1000)
    normal = foot * [1, 1, 1 / (1 - 1 / 298.257223563) ** 2]
    assert np.allclose(np.cross(normal / np.linalg.norm(normal), (up - foot) / 1000), 0, atol=1e-11)


# ---- exact echoes --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "squint_deg"),
    [("c-stripmap", 0.0), ("c-stripmap", 3.0), ("x-stripmap", -3.0)],
)
def test_exact_is_the_definition(name: str, squint_deg: float) -> None:
    a, p = small(name, squint_deg)
    velocity, reference_s = np.array([5.0, -7.0, 3.0]), middle_s(a) - 1
    point = simulate.place_in_beam(p, middle_s(a), delay_range_m(a, 320), 40.0) - velocity
    echoes = simulate.exact(
        a,
        p,
        point[None],
        velocities_m_per_s=velocity[None],
        reference_time_s=reference_s,
        threads=2,
    )
    # float32 rounds to 6e-8; 1e-9 m of rounding in 7e6 m turns the phase by 4 pi / 0.031 m x 1e-9 m = 4e-7
    for line in (0, 41, 63):
        for sample in range(1, 640, 29):
            assert abs(echoes[line, sample] - reference(a, p, point, velocity, reference_s, line, sample)) < 1e-6


def test_exact_starts_and_ends_with_the_pulse() -> None:
    a, p = small(pulses=1)
    point = simulate.place_in_beam(p, middle_s(a), delay_range_m(a, 320.3))
    echoes = simulate.exact(a, p, point[None])[0]
    lit = np.flatnonzero(echoes)
    assert np.array_equal(lit, np.arange(lit[0], lit[-1] + 1))
    assert len(lit) in (500, 501)  # 10 us at 50 MHz, ends included or not
    for sample in (lit[0] - 1, lit[0], lit[-1], lit[-1] + 1):
        assert (reference(a, p, point, np.zeros(3), 0.0, 0, int(sample)) == 0) == (echoes[sample] == 0)


def test_pulse_edges_are_hann_slopes_inside_the_pulse() -> None:
    a, p = small(pulses=1)
    point = simulate.place_in_beam(p, middle_s(a), delay_range_m(a, 320))
    edge = 40 / a.sample_rate_hz
    sloped = simulate.exact(a, p, point[None], pulse_edge_s=edge)[0]
    plain = simulate.exact(a, p, point[None])[0]
    lit = np.flatnonzero(plain)
    for sample in [*lit[:50], *lit[-50:]]:
        received = Q(a.first_pulse_time_s) + Q(a.first_sample_delay_s) + Q(int(sample)) / Q(a.sample_rate_hz)
        sent = flight(p, point, np.zeros(3), 0.0, received)[1]
        inside = a.chirp_duration_s / 2 - abs(float(sent - Q(a.first_pulse_time_s)))
        x = min(inside / edge, 1.0)
        # the slope of the gate is a raised cosine of area 1
        assert abs(sloped[sample] - plain[sample] * (x - np.sin(2 * np.pi * x) / (2 * np.pi))) < 1e-6


def test_range_ambiguities_arise() -> None:
    """A point one pulse interval farther away falls into the same window, sent by the pulse before."""
    a, p = small(pulses=8)
    far = simulate.place_in_beam(p, middle_s(a), delay_range_m(a, 320) + 0.5 * 299792458.0 / a.prf_hz)
    antenna = a.antenna
    antenna.elevation_length_m = 0.0
    a.antenna = antenna
    echoes = simulate.exact(a, p, far[None])
    assert np.abs(echoes).max() > 0.99
    for line, sample in (
        (0, 200),
        (7, 320),
        (3, 500),
    ):  # in line 0 it was sent before the recording began
        expected = reference(a, p, far, np.zeros(3), 0.0, line, sample)
        assert abs(echoes[line, sample] - expected) < 1e-6 and abs(expected) > 0.9


def test_side_lobes_light_targets_outside_the_main_lobe() -> None:
    a, p = small(pulses=8)
    lobe_s = 299792458.0 / a.carrier_hz * delay_range_m(a, 320) / 12.3 / 7100
    point = simulate.place_in_beam(p, middle_s(a) + 1.5 * lobe_s, delay_range_m(a, 320))[None]
    full = np.abs(simulate.exact(a, p, point)).max()
    assert abs(full - (2 / (3 * np.pi)) ** 2) < 0.003  # sinc^2(1.5), less 1 % for the ground speed taken
    assert not simulate.exact(a, p, point, beam_limit=1.0).any()
    assert np.abs(simulate.exact(a, p, point, beam_limit=2.0)).max() == full


def test_range_factor_is_the_radar_equation() -> None:
    a, p = small(pulses=2)
    range_m = delay_range_m(a, 320)
    point = simulate.place_in_beam(p, middle_s(a), range_m)[None]
    ratio = np.abs(simulate.exact(a, p, point, reference_range_m=2 * range_m)[0, 320] / simulate.exact(a, p, point)[0, 320])
    assert abs(ratio - 4) < 1e-4  # the range at the instant of reflection differs by some metres


# ---- the fast scene ------------------------------------------------------------------------------------------------


def scattered(a: Any, p: Any, count: int, seed: int, lobes: float = 1.05) -> tuple[Any, Any]:
    """Random points all over the window and the beam, some beyond either, at heights of 0 to 60 m."""
    random = np.random.default_rng(seed)
    lobe_s = 299792458.0 / a.carrier_hz * delay_range_m(a, 0) / a.antenna.azimuth_length_m / 7000
    positions = [
        simulate.place_in_beam(
            p,
            middle_s(a) + random.uniform(-lobes, lobes) * lobe_s,
            delay_range_m(a, random.uniform(-280, a.samples + 280)),
            random.uniform(0, 60),
        )
        for _ in range(count)
    ]
    return np.array(positions), random.normal(size=count) + 1j * random.normal(size=count)


@pytest.mark.parametrize("name", ["c-stripmap", "x-stripmap"])
@pytest.mark.parametrize("squint_deg", [0.0, 3.0, -3.0])
def test_scene_is_within_60_db_of_exact(name: str, squint_deg: float) -> None:
    a, p = small(name, squint_deg, pulses=160, samples=768)
    positions, amplitudes = scattered(a, p, 30, seed=3)
    options: dict[str, Any] = {
        "beam_limit": 1.0,
        "pulse_edge_s": 4 / a.sample_rate_hz,
        "reference_range_m": 800e3,
    }
    echoes, report = simulate.scene(a, p, positions, amplitudes, **options)
    error = error_db(echoes, simulate.exact(a, p, positions, amplitudes, **options))
    assert error < -60, f"{error:.1f} dB"
    assert report["scatterer_pulses"] > 1000


@pytest.mark.parametrize("name", ["c-stripmap", "x-stripmap"])
def test_scene_with_moving_points_is_within_60_db_of_exact(name: str) -> None:
    a, p = small(name, 3.0, pulses=128, samples=768)
    positions, amplitudes = scattered(a, p, 20, seed=4)
    flight_path = simulate.state(p, middle_s(a))[1]
    for velocity in (25 * flight_path / np.linalg.norm(flight_path), np.array([8.0, -6.0, 3.0])):
        options: dict[str, Any] = {
            "beam_limit": 1.0,
            "pulse_edge_s": 8 / a.sample_rate_hz,
            "velocities_m_per_s": np.tile(velocity, (20, 1)),
            "reference_time_s": middle_s(a),
        }
        echoes, _ = simulate.scene(a, p, positions, amplitudes, **options)
        error = error_db(echoes, simulate.exact(a, p, positions, amplitudes, **options))
        assert error < -60, f"{velocity}: {error:.1f} dB"
    # some that move among some that stand still
    options["velocities_m_per_s"][::2] = 0
    echoes, _ = simulate.scene(a, p, positions, amplitudes, **options)
    assert error_db(echoes, simulate.exact(a, p, positions, amplitudes, **options)) < -60


def test_scene_with_side_lobes_is_within_60_db_of_exact() -> None:
    a, p = small(squint_deg=3.0, pulses=96, samples=768)
    positions, amplitudes = scattered(a, p, 20, seed=4, lobes=3.0)
    options: dict[str, Any] = {"beam_limit": 3.0, "pulse_edge_s": 8 / a.sample_rate_hz}
    echoes, _ = simulate.scene(a, p, positions, amplitudes, **options)
    error = error_db(echoes, simulate.exact(a, p, positions, amplitudes, **options))
    assert error < -60, f"{error:.1f} dB"


def test_a_coast_is_the_sum_of_its_scatterers() -> None:
    """The generator's own targets, through simulate_exact: the calibration grid of an otherwise dark coast."""
    options: dict[str, Any] = {
        "pulses": 64,
        "samples": 768,
        "ships": 0,
        "land": False,
        "noise": False,
    }
    dark = simulate.coast(**options, seed=5)
    lit = simulate.coast(**options, seed=5, calibration=(2, 3), calibration_rcs_dbsm=50.0)
    positions = np.array([t["position_m"] for t in lit.truth["targets"]])
    true = simulate.exact(
        lit.acquisition,
        lit.platform,
        positions,
        np.full(6, 10**2.5),
        beam_limit=1.0,
        pulse_edge_s=lit.truth["scene"]["pulse_edge_s"],
        reference_range_m=lit.truth["scene"]["centre_range_m"],
    )
    # float32 sums of the sea, 500 against 316, add eps x sqrt(4000 deposits a cell) to the method's own error
    assert error_db(lit.echoes - dark.echoes, true) < -60


# ---- threads and seeds ---------------------------------------------------------------------------------------------


def test_results_do_not_depend_on_threads() -> None:
    a, p = small(pulses=130, samples=520)
    positions, amplitudes = scattered(a, p, 8, seed=6)
    exact = [simulate.exact(a, p, positions, amplitudes, threads=n) for n in (1, 2, 3)]
    edge = 6 / a.sample_rate_hz
    scene = [simulate.scene(a, p, positions, amplitudes, pulse_edge_s=edge, threads=n)[0] for n in (1, 2, 3)]
    coast = [simulate.coast(pulses=40, samples=600, bits=6, step=300.0, threads=n) for n in (1, 2, 3)]
    for runs in (exact, scene, [c.echoes for c in coast]):
        assert np.array_equal(runs[0], runs[1]) and np.array_equal(runs[0], runs[2])
    assert coast[0].truth["ships"] == coast[2].truth["ships"]


def test_seeds_differ_and_repeat() -> None:
    options: dict[str, Any] = {"pulses": 16, "samples": 600, "ships": 3}
    one, again, other = (simulate.coast(**options, seed=s) for s in (1, 1, 2))
    assert np.array_equal(one.echoes, again.echoes)
    # independent echoes: correlation of 4800 samples, whose speckle is some 20 samples wide
    c = np.vdot(one.echoes, other.echoes) / (np.linalg.norm(one.echoes) * np.linalg.norm(other.echoes))
    assert abs(c) < 0.3


# ---- receiver ------------------------------------------------------------------------------------------------------


def test_noise_is_complex_white_and_has_its_variance() -> None:
    x = np.zeros((500, 2000), np.complex64)
    simulate.receive(x, noise_sigma=3.0, seed=9)
    n = x.size
    # of n values: power +- 1/sqrt(n), I and Q each +- sqrt(2/n), correlations +- 1/sqrt(n); five sigma
    assert abs(np.mean(np.abs(x) ** 2) / 9 - 1) < 5 / np.sqrt(n)
    assert abs(np.mean(x.real**2) / 4.5 - 1) < 5 * np.sqrt(2 / n) and abs(np.mean(x)) < 5 * 3 / np.sqrt(n)
    assert abs(np.mean(x.real * x.imag)) / 4.5 < 5 / np.sqrt(n)
    for shifted in (x[1:] * x[:-1].conj(), x[:, 1:] * x[:, :-1].conj()):
        assert abs(shifted.mean()) / 9 < 5 / np.sqrt(n)
    assert abs(np.mean(np.abs(x) ** 4) / 81 - 2) < 5 * np.sqrt(20 / n)  # Gaussian: var |n|^4 = 20 sigma^8
    y = np.zeros((100, 2000), np.complex64)
    simulate.receive(y, noise_sigma=3.0, seed=9, first_line=400)
    assert np.array_equal(y, x[400:])  # a line's noise is its own
    simulate.receive(z := np.zeros_like(y), noise_sigma=3.0, seed=10, first_line=400)
    assert not np.array_equal(y, z)


def test_gain_steps_imbalance_and_bias() -> None:
    x = np.exp(2j * np.pi * np.arange(256) / 256).astype(np.complex64)
    x = np.tile(x, (6, 1))
    faulty = x.copy()
    simulate.receive(
        faulty,
        block_gain_db=(0.0, 6.0, -20.0),
        block_lines=2,
        iq_gain_ratio=1.2,
        iq_phase_deg=5.0,
        bias_i=3.0,
        bias_q=-4.0,
    )
    angle = np.angle(x[0])
    for line, gain in zip(range(6), (1, 1, 10**0.3, 10**0.3, 0.1, 0.1), strict=True):
        true = gain * np.cos(angle) + 3 + 1j * (1.2 * gain * np.sin(angle + np.radians(5)) - 4)
        assert np.abs(faulty[line] - true).max() < 2e-6  # float32 at 5


def test_quantiser_levels_and_saturation() -> None:
    x = np.zeros((200, 2000), np.complex64)
    simulate.receive(x, noise_sigma=np.sqrt(2.0), seed=3)  # I and Q have variance 1
    y = x.copy()
    saturated = simulate.receive(y, bits=3, step=0.5)
    levels = 0.5 * (np.arange(8) - 3.5)
    assert np.array_equal(np.unique(y.real), levels.astype(np.float32))
    inside = np.abs(x.real) <= 2.0
    assert np.abs(y.real - x.real)[inside].max() <= 0.25 + 1e-6
    assert np.all(np.abs(y.real[~inside]) == 1.75) and np.all(np.sign(y.real[~inside]) == np.sign(x.real[~inside]))
    counted = np.mean(np.abs(np.stack([x.real, x.imag])) > 2.0)
    assert abs(saturated - counted) < 1e-6
    expected = 0.0455002638963584  # 2 Q(2)
    assert abs(saturated - expected) < 5 * np.sqrt(expected / 800000)


# ---- sea, land, ships ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [0.5, 2.0, 5.0])
def test_sea_is_k_distributed(shape: float) -> None:
    """Intensity = gamma texture x unit exponential: E[I^n] = n! Gamma(nu + n) / (nu^n Gamma(nu)), Ward 1981."""
    # 5 correlation lengths apart: independent (exp(-25))
    tau = simulate.sea_texture(k_shape=shape, correlation_m=50.0, rows=300, cols=300, spacing_m=250.0, seed=11).ravel()
    random = np.random.default_rng(12)
    intensity = tau * random.exponential(size=tau.size)

    def moment(n: int) -> float:
        return float(np.prod([(shape + k) * (k + 1) / shape for k in range(n)]))

    for n in (1, 2):
        sigma = np.sqrt((moment(2 * n) - moment(n) ** 2) / tau.size)
        assert abs(np.mean(intensity**n) - moment(n)) < 4 * sigma, f"moment {n}"
    # the texture itself: variance 1/nu; the fourth central moment of a gamma is (3 + 6/nu)/nu^2
    assert abs(tau.var() - 1 / shape) < 4 * np.sqrt((2 + 6 / shape) / shape**2 / tau.size)


def test_sea_texture_is_correlated_over_its_length() -> None:
    # nearly Gaussian at shape 1000, where the texture's correlation is exp(-d^2 / length^2) itself
    tau = (
        simulate.sea_texture(
            k_shape=1000.0,
            correlation_m=100.0,
            rows=600,
            cols=600,
            spacing_m=25.0,
            seed=13,
        )
        - 1
    )
    power = np.mean(tau**2)
    independent = 600 * 25 / (100 * np.sqrt(np.pi / 2))  # a side: correlated squares exp(-2 d^2 / length^2)
    for lag in (1, 2, 4, 8):
        for moved in (tau[lag:] * tau[:-lag], tau[:, lag:] * tau[:, :-lag]):
            assert abs(moved.mean() / power - np.exp(-((lag / 4) ** 2))) < 4 * np.sqrt(2) / independent + 0.01


def test_cmod5n_is_the_memorandum() -> None:
    """Second transcription of ECMWF Technical Memorandum 554, and what must hold of any such model."""
    c = [float(v) for v in "-.6878 -.7957 .338 -.1728 0 .004 .1103 .0159 6.7329 2.7713 -2.2885 .4971 -.725 .045 .0066"
         " .3222 .012 22.7 2.0813 3 8.3659 -3.3428 1.3236 6.2437 2.3893 .3249 4.159 1.693".split()]  # fmt: skip

    def model(v: float, phi: float, theta: float) -> float:
        x = (theta - 40) / 25
        a0, a1, a2 = (
            np.polyval(c[3::-1], x),
            np.polyval(c[5:3:-1], x),
            np.polyval(c[7:5:-1], x),
        )
        gamma, s0 = np.polyval(c[10:7:-1], x), np.polyval(c[12:10:-1], x)
        s = a2 * v
        f = 1 / (1 + np.exp(-max(s, s0)))
        if s < s0:
            f *= (s / s0) ** (s0 * (1 - 1 / (1 + np.exp(-s0))))
        b0 = f**gamma * 10 ** (a0 + a1 * v)
        b1 = c[13] * (1 + x) - c[14] * v * (0.5 + x - np.tanh(4 * (x + c[15] + c[16] * v)))
        b1 /= 1 + np.exp(0.34 * (v - c[17]))
        y0, n = c[18], c[19]
        y = 1 + v / np.polyval(c[22:19:-1], x)
        if y < y0:
            y = y0 - (y0 - 1) / n + (y - 1) ** n / (n * (y0 - 1) ** (n - 1))
        b2 = (-np.polyval(c[25:22:-1], x) + np.polyval(c[27:25:-1], x) * y) * np.exp(-y)
        angle = np.radians(phi)
        return float(b0 * (1 + b1 * np.cos(angle) + b2 * np.cos(2 * angle)) ** 1.6)

    for v in (1.0, 4.0, 8.0, 15.0, 25.0):
        for phi in (0.0, 60.0, 90.0, 180.0):
            for theta in (20.0, 33.0, 45.0, 57.0):
                found = simulate.sea_sigma0("cmod5n", wind_m_per_s=v, relative_deg=phi, incidence_deg=theta)
                assert abs(found / model(v, phi, theta) - 1) < 1e-12
    at = {phi: simulate.sea_sigma0("cmod5n", wind_m_per_s=10, relative_deg=phi, incidence_deg=35) for phi in (0, 90, 180)}
    assert at[0] > at[180] > at[90]
    assert -12 < 10 * np.log10(at[0]) < -7  # C-band VV upwind at 10 m/s and 35 degrees


def test_nrl_model_follows_its_formula() -> None:
    # grazing 50 degrees, sea state 4 (wind 3.16 x 4^0.8 = 9.58 m/s), 9.65 GHz, by hand from the report's formula
    db = -50.79 + 25.93 * np.log10(np.sin(np.radians(50))) + (27.5 + 0.7093 * 50) * np.log10(9.65) / (1 + 0.95 * 50)
    db += 21.58 * 5 ** (1 / (2 + 0.085 * 50 + 0.033 * 4)) + 0.00211 * 2500
    found = simulate.sea_sigma0("nrl", wind_m_per_s=3.16 * 4**0.8, incidence_deg=40, carrier_hz=9.65e9)
    assert abs(10 * np.log10(found) - db) < 1e-9


def test_raw_power_is_that_of_the_stated_sigma0_and_nesz() -> None:
    """Mean echo power of bare sea = sigma0 x lit area x pattern; noise from the energy of an exact echo."""
    sea = simulate.coast(
        pulses=48,
        samples=1400,
        ships=0,
        land=False,
        noise=False,
        seed=21,
        correlation_m=40.0,
        k_shape=20.0,
    )
    a, p, t = sea.acquisition, sea.platform, sea.truth
    long = simulate.acquire(simulate.sensor(), 2100, 1400)
    point = simulate.place_in_beam(p, middle_s(long), t["scene"]["centre_range_m"])[None]

    def energy(edge_s: float) -> float:
        return float(np.sum(np.abs(simulate.exact(long, p, point, beam_limit=1.0, pulse_edge_s=edge_s)) ** 2))

    track = [simulate.place_in_beam(p, middle_s(a) + h, t["scene"]["centre_range_m"]) for h in (-0.5, 0.5)]
    cell = 299792458.0 / (2 * a.sample_rate_hz * np.sin(np.radians(t["sea"]["incidence_deg"])))
    cell *= np.linalg.norm(track[1] - track[0]) / a.prf_hz  # ground area of a sample
    expected = 10 ** (t["sea"]["sigma0_db"] / 10) * cell * energy(t["scene"]["pulse_edge_s"])
    found = float(np.mean(np.abs(sea.echoes[:, 600:800]) ** 2))
    # A pulse's footprint is 1500 m by 5 km: some 4000 patches of texture (variance 1/20), and the speckle of 200
    # samples (one resolution cell each 1.2) times 48 pulses (a Doppler band apart each 1.5): 1 %, four sigma and a margin
    assert abs(found / expected - 1) < 0.06
    noisy = simulate.coast(pulses=16, samples=600, ships=0, land=False)
    n = noisy.truth["noise"]
    nesz = n["sigma"] ** 2 / (energy(0.0) * noisy.truth["scene"]["cell_area_m2"])
    assert abs(10 * np.log10(nesz) - n["nesz_db"]) < 0.05  # the scene's centre differs by a few metres


def test_ship_truth_is_consistent() -> None:
    s = simulate.coast(pulses=256, samples=2000, ships=10, seed=4)
    assert len(s.truth["ships"]) >= 5
    for ship in s.truth["ships"]:
        position, velocity = (
            np.array(ship["position_m"]),
            np.array(ship["velocity_m_per_s"]),
        )
        here, flying = simulate.state(s.platform, ship["zero_doppler_time_s"])
        assert abs(np.dot(position - here, flying)) < 1e-5 * np.linalg.norm(flying)
        assert abs(np.linalg.norm(position - here) - ship["slant_range_m"]) < 1e-6
        assert abs(np.linalg.norm(velocity) - ship["speed_m_per_s"]) < 1e-9
        lat, lon = np.radians(ship["latitude_deg"]), np.radians(ship["longitude_deg"])
        east = np.array([-np.sin(lon), np.cos(lon), 0])
        north = np.array([-np.sin(lat) * np.cos(lon), -np.sin(lat) * np.sin(lon), np.cos(lat)])
        if ship["speed_m_per_s"] > 0:
            heading = np.degrees(np.arctan2(velocity @ east, velocity @ north)) % 360
            assert abs((heading - ship["heading_deg"] + 180) % 360 - 180) < 0.1
        # Skolnik: RCS in m^2 = displacement in t; block coefficient 0.7, draught = width / 2.7
        displacement = 1.025 * 0.7 * ship["length_m"] * ship["width_m"] ** 2 / 2.7
        assert abs(ship["rcs_dbsm"] - 10 * np.log10(displacement)) < 1e-9

        def distance(time_s: float) -> float:
            at = position + (time_s - ship["zero_doppler_time_s"]) * velocity  # noqa: B023 - used at once
            return float(np.linalg.norm(at - simulate.state(s.platform, time_s)[0]))

        closest = ship["closest_approach_time_s"]
        assert abs(distance(closest) - ship["closest_approach_range_m"]) < 1e-6
        # a parabola of 64 m/s^2: 0.1 s off is 0.32 m farther on either side, alike to the cubic term
        assert abs(distance(closest + 0.1) - distance(closest - 0.1)) < 1e-3
        assert distance(closest + 0.1) > distance(closest) + 0.2
    assert json.loads(json.dumps(s.truth, allow_nan=False)) == s.truth


# ---- refusals ------------------------------------------------------------------------------------------------------


def test_refusals_name_argument_value_and_rule() -> None:
    a, p = small(pulses=2, samples=640)
    ok = simulate.place_in_beam(p, middle_s(a), delay_range_m(a, 320))[None]
    zeros = np.zeros((2, 64), np.complex64)
    cases: list[tuple[Any, str]] = [
        (
            lambda: simulate.sensor("l-stripmap"),
            "sensor is 'l-stripmap'; must be c-stripmap or x-stripmap",
        ),
        (
            lambda: simulate.acquire(simulate.sensor(), 0, 64),
            "pulses is 0; must be positive",
        ),
        (
            lambda: simulate.acquire(simulate.sensor(), 2, 10**6),
            "samples is 1000000; must fit between",
        ),
        (
            lambda: simulate.acquire(simulate.sensor(squint_deg=45.0), 2, 64),
            "squint_deg is 45.0",
        ),
        (lambda: simulate.place(p, 20.0, 1000.0), "slant_range_m is 1000.0"),
        (
            lambda: simulate.zero_doppler(p, [-6378137.0, 0.0, 0.0], 20.0),
            "target has no zero Doppler within 60 s",
        ),
        (lambda: simulate.exact(a, p, ok * np.nan), "target 0 holds NaN or infinity"),
        (lambda: simulate.exact(a, p, ok * 2), "target 0 lies 12"),
        (
            lambda: simulate.exact(a, p, ok, [1.0, 2.0]),
            "amplitudes has 2 values; must have one a target, 1",
        ),
        (lambda: simulate.exact(a, p, ok, beam_limit=-1.0), "beam_limit is -1.0"),
        (lambda: simulate.exact(a, p, ok, pulse_edge_s=1.0), "pulse_edge_s is 1.0"),
        (lambda: simulate.exact(a, p, ok, threads=-1), "threads is -1"),
        (lambda: simulate.scene(a, p, ok, pulse_edge_s=0.0), "pulse_edge_s is 0.0"),
        (
            lambda: simulate.scene(a, p, ok, pulse_edge_s=2e-7, beam_limit=0.0),
            "beam_limit is 0.0",
        ),
        (
            lambda: simulate.scene(a, p, ok, pulse_edge_s=2e-7, velocities_m_per_s=[[40.0, 0.0, 0.0]]),
            "velocity is 40.0",
        ),
        (lambda: simulate.receive(zeros, noise_sigma=-1.0), "noise_sigma is -1.0"),
        (
            lambda: simulate.receive(zeros, bits=17),
            "bits is 17; must lie between 0 and 16",
        ),
        (lambda: simulate.receive(zeros, bits=4), "step is 0.0"),
        (lambda: simulate.receive(zeros, block_gain_db=(1.0,)), "block_lines is 0"),
        (
            lambda: simulate.coast(pulses=2, samples=640, wind_m_per_s=0.0),
            "wind_m_per_s is 0.0",
        ),
        (lambda: simulate.coast(pulses=2, samples=640, k_shape=0.0), "k_shape is 0.0"),
        (lambda: simulate.coast(pulses=2, samples=640, ships=-1), "ships is -1"),
        (
            lambda: simulate.sea_sigma0("xmod", wind_m_per_s=8, incidence_deg=35),
            "sea_model is 'xmod'",
        ),
        (
            lambda: simulate.sea_sigma0("cmod5n", wind_m_per_s=8, incidence_deg=5),
            "incidence of the scene is 5.0",
        ),
    ]
    for call, sentence in cases:
        with pytest.raises(BadInput) as refused:
            call()
        assert str(refused.value).startswith(sentence), str(refused.value)
    with pytest.raises(
        OverMemory,
        match=r"max_bytes \(--max-ram\) is 1000000; must be at least \d+ bytes for this scene",
    ):
        simulate.coast(pulses=64, samples=640, max_bytes=1000000)


def test_command_writes_echoes_and_truth(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("sarkit")
    from sidelook import cli, crsd

    path = tmp_path / "points.crsd"
    arguments = [
        "simulate",
        "-o",
        str(path),
        "--scene",
        "points",
        "--pulses",
        "32",
        "--samples",
        "700",
        "--targets",
        "1x2",
    ]
    assert cli.main([*arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["targets"] == 2
    truth = json.loads((tmp_path / "points.crsd.truth.json").read_text())
    with crsd.open_echoes(path) as echoes:
        true = simulate.points(pulses=32, samples=700, rows=1, columns=2)
        assert np.array_equal(echoes.read(0, 32), true.echoes) and truth == true.truth
    assert cli.main(arguments) == 3
    assert "exists already" in capsys.readouterr().err
    assert sorted(f.name for f in tmp_path.iterdir()) == [
        "points.crsd",
        "points.crsd.truth.json",
    ]
