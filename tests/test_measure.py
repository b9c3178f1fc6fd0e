"""Point-target analysis against analytic impulse responses, and the oracles of tests/oracle against themselves."""

from __future__ import annotations

import json
import math
import pathlib
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from oracle import backprojection, compare, echoes, ideal, orbit
from sidelook.errors import BadInput
from sidelook.measure import measure_point, measure_points, range_phase_rad, relative_phases_deg

SIZE, ROW, COL = 121, 60.3371, 59.8123
HAMMING = ideal.WINDOWS["hamming_0.75"]


def image_of(support: ideal.Support, row: float = ROW, col: float = COL, phase: float = 0.7) -> Any:
    z = support.image(np.arange(SIZE) - row, np.arange(SIZE) - col) * np.exp(1j * phase)
    return z.astype(np.complex64)


def db(ratio: float) -> float:
    return 10 * math.log10(ratio)


# ---- the ideal response ------------------------------------------------------------------------------------------

# as published: IRW in 1/bandwidth, PSLR and ISLR in dB
PUBLISHED = {
    "rectangular": (0.886, -13.26, -10.22),
    "hamming_0.75": (1.001, -21.24, -16.76),
    "kaiser_2.5": (1.043, -20.98, -18.98),
    "taylor_35_4": (1.184, -35.17, -28.50),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_ideal_figures_are_the_published_ones(name: str) -> None:
    irw, pslr, islr = PUBLISHED[name]
    found = ideal.figures(ideal.WINDOWS[name])
    assert abs(found.irw - irw) < 0.002  # published to three digits, from sums less dense than these
    assert abs(found.pslr_db - pslr) < 0.05
    assert abs(found.islr_db - islr) < 0.05


def test_ideal_hamming_is_three_sincs() -> None:
    t = np.linspace(-9, 9, 181)
    exact = 0.75 * np.sinc(t) + 0.125 * (np.sinc(t - 1) + np.sinc(t + 1))
    # midpoint rule with n points: relative error (pi t / n)^2 / 6
    assert np.abs(ideal.response(ideal.hamming(0.75), t) - exact).max() < (np.pi * 9 / 4096) ** 2 / 6


def test_skewed_support_is_a_product_along_its_ridges() -> None:
    s = ideal.Support(0.7, 0.8, 3.2, 0.1, 0.1, -0.05, ideal.hamming(0.75), ideal.kaiser(2.5))
    for row, col in ((0.0, 0.0), (1.3, -0.7), (-2.1, 4.4)):
        fast = s.image(np.array([row]), np.array([col]))[0, 0]
        assert abs(fast - s.brute_force(row, col)) < 1e-4  # midpoint rule with 400 points: (pi 4.4 / 400)^2 / 6 = 2e-4


# ---- the analysis ------------------------------------------------------------------------------------------------

SUPPORTS = {
    "rectangular": ideal.Support(0.70, 0.83),
    "hamming": ideal.Support(0.7, 0.83, 0.21, 0.03, 0, 0, HAMMING, HAMMING),
    "kaiser and taylor": ideal.Support(0.65, 0.75, -0.4, 0, 0, 0, ideal.WINDOWS["kaiser_2.5"], ideal.WINDOWS["taylor_35_4"]),
    # C band at 3 degrees: the centroid 8.4 PRF off, both ridges slanted, the range band turned down by 0.14 cycles
    "squinted": ideal.Support(0.65, 0.8, 8.42, -0.14, 0.092, -0.034, HAMMING, ideal.rectangular),
    "squinted backwards": ideal.Support(0.6, 0.75, -8.42, -0.14, -0.15, 0.05, HAMMING, HAMMING),
}


@pytest.mark.parametrize("name", SUPPORTS)
def test_known_target(name: str) -> None:
    s = SUPPORTS[name]
    nominal = (s.row_centre + 0.3, s.col_centre - 0.2)  # only its integer part matters
    found = measure_point(image_of(s), 62, 57, spectrum_centre=nominal, spacing_m=(4.0, 2.5))
    assert abs(found.row - ROW) < 1e-4
    assert abs(found.col - COL) < 1e-4
    # 1e-4 sample at 8.42 cycles a sample is 0.3 degrees
    tolerance = 0.02 + 360e-4 * abs(s.row_centre)
    assert abs(math.degrees(np.angle(found.peak * np.exp(-0.7j)))) < tolerance
    assert abs(abs(found.peak) / abs(s.image(np.zeros(1), np.zeros(1))[0, 0]) - 1) < 1e-4
    assert abs(found.spectrum_centre_row - s.row_centre) < 1e-4
    assert abs(found.spectrum_centre_col - s.col_centre) < 1e-4
    widths = s.widths()
    for cut, irw, slope, window, spacing in (
        (found.azimuth, widths[0], s.azimuth_axis_slope, s.row_window, (4.0, 2.5)),
        (found.range, widths[1], s.range_axis_slope, s.col_window, (2.5, 4.0)),
    ):
        truth = ideal.figures(window)
        assert cut.slope_measured
        assert abs(cut.slope - slope) < 1e-3
        assert abs(cut.irw_samples / irw - 1) < 2e-4
        assert abs(cut.irw_m / (irw * math.hypot(spacing[0], slope * spacing[1])) - 1) < 5e-4
        assert abs(cut.pslr_db - truth.pslr_db) < 0.02
        assert abs(cut.islr_db - truth.islr_db) < 0.01
        assert abs(cut.null_after / (truth.null * irw / truth.irw) - 1) < 1e-2
        assert abs(cut.null_before + cut.null_after) < 0.02
        assert cut.offset[len(cut.offset) // 2] == 0
        assert cut.value[len(cut.offset) // 2] == found.peak
        assert abs(cut.offset[-1] - 10 * irw) < 0.2
    # a product of two factors: main lobe m and side lobes s share the energy as (m + s)(m + s)
    shares = [1 + 10 ** (ideal.figures(w).islr_db / 10) for w in (s.row_window, s.col_window)]
    fraction = 1 / (shares[0] * shares[1])
    assert abs(found.main_lobe_energy_fraction - fraction) < 2e-3  # a grid of 1/4 sample cuts the lobe's edge
    assert abs(found.islr_2d_db - db((1 - fraction) / fraction)) < 0.2


def test_value_at_expected_position_and_range_phase() -> None:
    s = SUPPORTS["squinted"]
    found = measure_point(image_of(s), ROW, COL, spectrum_centre=(8.42, -0.14))
    assert abs(math.degrees(np.angle(found.at_expected * np.exp(-0.7j)))) < 0.05
    carrier, wavelength = 5.405e9, 299792458.0 / 5.405e9
    for slant_range in (850e3, 850e3 + wavelength / 2, 850e3 + wavelength / 8):
        excess = 4 * np.pi * (slant_range - 850e3) / wavelength
        assert abs(np.exp(1j * (range_phase_rad(slant_range, carrier) + excess)) - np.exp(1j * range_phase_rad(850e3, carrier))) < 1e-6
    assert relative_phases_deg([3.1, -3.1]) == pytest.approx([-math.degrees(np.pi - 3.1), math.degrees(np.pi - 3.1)])


def test_axes_on_request() -> None:
    s = SUPPORTS["squinted backwards"]
    z = image_of(s)
    along_image = measure_point(z, ROW, COL, axes="image", spectrum_centre=(-8.42, 0))
    assert (along_image.azimuth.slope, along_image.range.slope) == (0, 0)
    assert not along_image.azimuth.slope_measured
    slopes = (s.azimuth_axis_slope, s.range_axis_slope)
    given = measure_point(z, ROW, COL, axes="given", axis_slopes=slopes, spectrum_centre=(-8.42, 0))
    assert (given.azimuth.slope, given.range.slope) == slopes
    assert abs(given.azimuth.irw_samples / s.widths()[0] - 1) < 2e-4


def test_a_wide_response_gets_a_larger_window() -> None:
    s = ideal.Support(0.3, 0.25)
    found = measure_point(image_of(s), ROW, COL)
    assert abs(found.azimuth.irw_samples / s.widths()[0] - 1) < 2e-4
    assert abs(found.range.irw_samples / s.widths()[1] - 1) < 2e-4


def test_the_target_need_not_be_the_brightest() -> None:
    s = SUPPORTS["hamming"]
    weak = image_of(s)
    strong = s.image(np.arange(SIZE) - (ROW + 14), np.arange(SIZE) - COL - 11)
    z = weak + (3 * strong).astype(np.complex64)
    found = measure_point(z, ROW + 1, COL - 1, search_radius=5)
    assert math.hypot(found.row - ROW, found.col - COL) < 0.02  # the neighbour's side lobes pull
    other = measure_point(z, ROW + 1, COL - 1, search_radius=25)
    assert math.hypot(other.row - ROW - 14, other.col - COL - 11) < 0.02


def test_windows_and_views_count_from_the_whole_image() -> None:
    z = image_of(SUPPORTS["hamming"])
    whole = measure_point(z, ROW, COL)
    part = measure_point(z[5:, 7:], ROW, COL, first_sample=(5, 7))
    assert (part.row, part.col) == (whole.row, whole.col)
    assert part.azimuth.irw_samples == whole.azimuth.irw_samples
    assert [t.row for t in measure_points(z, [(ROW, COL), (ROW + 1, COL)])] == [whole.row] * 2


def test_noise_of_the_position_meets_its_bound() -> None:
    """Cramer-Rao: var = 1 / (2 SNR (2 pi)^2 B^2/12), SNR of the peak over noise of the same band."""
    s = SUPPORTS["rectangular"]
    snr, trials = 10**2.5, 150
    seed = 20261122
    print("seed", seed)
    rng = np.random.default_rng(seed)
    clean = s.image(np.arange(SIZE) - ROW, np.arange(SIZE) - COL)
    f = np.fft.fftfreq(SIZE)
    band = (np.abs(f)[:, None] <= s.row_band / 2) & (np.abs(f)[None, :] <= s.col_band / 2)
    errors = []
    for _ in range(trials):
        white = rng.standard_normal((SIZE, SIZE)) + 1j * rng.standard_normal((SIZE, SIZE))
        noise = np.fft.ifft2(np.fft.fft2(white) * band)
        noise *= np.sqrt(1 / snr / (2 * band.mean()))
        found = measure_point((clean + noise).astype(np.complex64), ROW, COL, axes="image")
        errors.append((found.row - ROW, found.col - COL))
    bound = np.sqrt(6 / snr) / (2 * np.pi * np.array([s.row_band, s.col_band]))
    ratio = np.sqrt(np.mean(np.square(errors), axis=0)) / bound
    print("standard deviation over its bound", ratio)
    # the estimate of a standard deviation from 150 trials has itself 6 %
    assert (ratio < 1.2).all()
    assert (ratio > 0.8).all()
    assert (np.abs(np.mean(errors, axis=0)) < 4 * bound / np.sqrt(trials)).all()


def test_side_lobes_lost_in_noise_leave_the_image_axes() -> None:
    s = SUPPORTS["kaiser and taylor"]
    rng = np.random.default_rng(3)
    z = image_of(s) / abs(s.image(np.zeros(1), np.zeros(1))[0, 0])
    noise = rng.standard_normal((SIZE, SIZE, 2)).view(np.complex128)[..., 0] * 0.1
    found = measure_point((z + noise).astype(np.complex64), ROW, COL)
    assert (found.azimuth.slope, found.range.slope) == (0, 0)
    assert not found.azimuth.slope_measured
    # E|n|^2 = 0.02; some 100 samples are averaged, a tenth of it in standard deviation
    assert abs(found.peak_to_background_db - 10 * math.log10(abs(found.peak) ** 2 / 0.02)) < 1.5


def with_sample(z: Any, row: int, col: int, value: complex) -> Any:
    z = z.copy()
    z[row, col] = value
    return z


REFUSALS: dict[str, tuple[Any, tuple[float, float], dict[str, Any], str]] = {
    "nan": (lambda z: with_sample(z, 70, 50, complex("nan")), (ROW, COL), {}, r"not finite at \(70, 50\)"),
    "infinite": (lambda z: with_sample(z, 50, 70, complex("inf")), (ROW, COL), {}, r"not finite at \(50, 70\)"),
    "dtype": (lambda z: z.astype(np.complex128), (ROW, COL), {}, "dtype complex128; must be complex64"),
    "dimensions": (lambda z: z[0], (ROW, COL), {}, "1 dimensions; must have 2"),
    "strides": (lambda z: z[:, ::2], (ROW, COL), {}, "rows must be contiguous"),
    "empty": (lambda z: z[:0], (ROW, COL), {}, "image is 0 x 121 samples"),
    "zeros": (lambda z: z * 0, (ROW, COL), {}, "must have a local maximum"),
    "slope": (lambda z: z, (ROW + 1.1, COL), {"search_radius": 1}, "must have a local maximum within search_radius"),
    "outside": (lambda z: z, (-1, COL), {}, "must lie inside the image"),
    "too small": (lambda z: z[30:90, 30:90], (ROW - 30, COL - 30), {}, "must hold 36 samples on every side"),
    "half_size": (
        lambda z: z,
        (ROW, COL),
        {"half_size": 20},
        r"half_size is 20; must be at least \d+ to hold 10 widths",
    ),
    "half_size range": (lambda z: z, (ROW, COL), {"half_size": 5}, "half_size is 5; must be"),
    "radius": (lambda z: z, (ROW, COL), {"search_radius": 0}, "search_radius is 0"),
    "oversampling": (lambda z: z, (ROW, COL), {"oversampling": 0}, "oversampling is 0"),
    "spacing": (lambda z: z, (ROW, COL), {"spacing_m": (-1.0, 1.0)}, "row_spacing_m is -1"),
    "centre": (lambda z: z, (ROW, COL), {"spectrum_centre": (math.nan, 0.0)}, "spectrum_centre_row is not finite"),
    "same axes": (lambda z: z, (ROW, COL), {"axis_slopes": (1.0, 1.0)}, "two different directions"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_refusals(case: str) -> None:
    change, position, options, sentence = REFUSALS[case]
    with pytest.raises(BadInput, match=sentence):
        measure_point(change(image_of(SUPPORTS["hamming"])), *position, **options)


def test_a_sample_that_is_not_finite_elsewhere_does_no_harm() -> None:
    z = with_sample(image_of(SUPPORTS["hamming"]), 1, 1, complex("nan"))
    assert abs(measure_point(z, ROW, COL).row - ROW) < 1e-4


# ---- the command line --------------------------------------------------------------------------------------------


@pytest.fixture
def slc(tmp_path: pathlib.Path) -> tuple[pathlib.Path, pathlib.Path]:
    """An SLC with three targets whose truth is known, and that truth; a fourth lies outside."""
    gdal = pytest.importorskip("osgeo.gdal")
    rows, cols, carrier = 300, 260, 5.4e9
    meta = {
        "first_line_time_s": 12.5,
        "line_spacing_s": 1 / 1500,
        "first_sample_slant_range_m": 850e3,
        "sample_spacing_m": 2.5,
        "carrier_hz": carrier,
        "doppler_centroid_hz": [[0, 1500 * 3.1], [100, 1500 * 3.2], [259, 1500 * 3.3]],
        "range_spectrum_centre_cycles_per_sample": [[0, 0.0], [259, 0.1]],
        "effective_velocity_m_per_s": 7100.0,
        "acquisition": {"orbit": [{"velocity_m_per_s": [0.0, 4500.0, 6000.0]}]},
    }
    s = ideal.Support(0.7, 0.8, 3.2, 0, 0, 0, HAMMING, HAMMING)
    z = np.zeros((rows, cols), np.complex128)
    targets = []
    for row, col in ((70.25, 60.5), (150.125, 180.75), (220.4, 90.2)):
        slant_range = 850e3 + 2.5 * col
        phase = 0.4 - 4 * np.pi * math.fmod(slant_range * carrier / 299792458.0, 1)
        part = s.image(np.arange(rows) - row, np.arange(cols) - col)
        z += part * np.exp(1j * phase)
        targets.append({"zero_doppler_time_s": 12.5 + row / 1500, "slant_range_m": slant_range})
    targets.append({"zero_doppler_time_s": 99.0, "slant_range_m": 851e3})
    path, truth = tmp_path / "slc.tif", tmp_path / "truth.json"
    dataset = gdal.GetDriverByName("GTiff").Create(str(path), cols, rows, 1, gdal.GDT_CFloat32)
    dataset.GetRasterBand(1).WriteArray(z.astype(np.complex64))
    dataset.SetMetadataItem("slc", json.dumps(meta), "SIDELOOK")
    dataset = None
    truth.write_text(json.dumps({"targets": targets}))
    return path, truth


def test_command_with_truth(slc: Any, capsys: pytest.CaptureFixture[str]) -> None:
    from sidelook.cli import main

    path, truth = slc
    assert main(["measure", str(path), "--truth", str(truth), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert [t["target"] for t in report["targets"]] == [0, 1, 2]
    assert [s["target"] for s in report["skipped"]] == [3]
    for t in report["targets"]:
        # the other targets' side lobes, -60 dB away, pull by some 1e-3
        assert abs(t["row_error"]) < 2e-3
        assert abs(t["col_error"]) < 2e-3
        assert abs(t["phase_error_deg"]) < 0.5
        assert abs(t["azimuth"]["irw_samples"] * 0.7 / 1.0005 - 1) < 2e-3
        spacing_m = 7100.0**2 / 7500.0 / 1500
        assert abs(t["azimuth"]["irw_m"] / (t["azimuth"]["irw_samples"] * spacing_m) - 1) < 1e-4
        assert abs(t["range"]["irw_m"] / (t["range"]["irw_samples"] * 2.5) - 1) < 1e-4
    assert main(["measure", str(path), "--truth", str(truth)]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 6


def test_command_at_a_pixel_with_a_plot(slc: Any, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    from sidelook.cli import main

    path, _ = slc
    plot = tmp_path / "cuts.png"
    assert main(["measure", str(path), "--at", "72,61", "--json", "--cuts", "--plot", str(plot)]) == 0
    target = json.loads(capsys.readouterr().out)["targets"][0]
    assert abs(target["row"] - 70.25) < 2e-3
    assert "row_error" not in target
    assert max(target["range"]["magnitude_db"]) == pytest.approx(0, abs=1e-6)
    assert plot.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--at", "5,5"], "must hold 36 samples on every side"),
        (["--at", "1000,5"], "must lie inside the image of 300 x 260"),
        (["--truth", "no such file"], "cannot be read"),
    ],
)
def test_command_refuses(slc: Any, arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    from sidelook.cli import main

    assert main(["measure", str(slc[0]), *arguments, "--search-radius", "8"]) == 3
    assert sentence in capsys.readouterr().err


# ---- the oracles -------------------------------------------------------------------------------------------------

GM = 3.986004418e14  # (m^3/s^2), WGS84


def circular_orbit(time: float) -> tuple[Any, Any]:
    """ECEF position and velocity of a satellite 700 km up on a circle in the inertial frame."""
    radius, inclination = 6378137 + 700e3, np.radians(98.2)
    rate = np.sqrt(GM / radius**3)
    u = np.radians(40) + rate * time
    p = radius * np.array([np.cos(u), np.sin(u) * np.cos(inclination), np.sin(u) * np.sin(inclination)])
    v = radius * rate * np.array([-np.sin(u), np.cos(u) * np.cos(inclination), np.cos(u) * np.sin(inclination)])
    v = v - np.cross([0, 0, orbit.EARTH_RATE], p)
    return orbit.rotate(p, -orbit.EARTH_RATE * time), orbit.rotate(v, -orbit.EARTH_RATE * time)


STATES = [
    SimpleNamespace(time_s=float(t), position_m=circular_orbit(t)[0], velocity_m_per_s=circular_orbit(t)[1])
    for t in np.arange(-30, 31, 2.0)
]


def test_orbit_and_zero_doppler() -> None:
    o = orbit.Orbit(STATES)
    times = np.array([-13.3, 0.77, 29.1])
    position, velocity, acceleration = o.state(times)
    for t, p, v in zip(times, position, velocity, strict=True):
        assert np.abs(p - circular_orbit(t)[0]).max() < 1e-8  # double: 7e6 m * 1e-16 a few times
        assert np.abs(v - circular_orbit(t)[1]).max() < 1e-6
    h = 0.01
    assert np.abs((o.state(times + h)[1] - o.state(times - h)[1]) / (2 * h) - acceleration).max() < 1e-6
    point = orbit.place(o, np.array(0.77), np.array(850e3), 120.0, True)
    assert abs(orbit.geodetic_height(point)[0] - 120.0) < 1e-6
    t, r = orbit.zero_doppler(o, point, 3.0)
    assert abs(t - 0.77) < 1e-10
    assert abs(r - 850e3) < 1e-6
    # right of the track: the satellite's nadir, the point and the flight direction turn clockwise seen from above
    s, v, _ = (x[0] for x in o.state(np.array([0.77])))
    assert np.dot(np.cross(v, point - s), s) < 0


def test_two_way_delay_solves_its_own_equations() -> None:
    o = orbit.Orbit(STATES)
    point = orbit.place(o, np.array(0.0), np.array(850e3), 0.0, True)
    t = np.linspace(-8, 8, 33)
    delay, rate = orbit.two_way(o, point, t)
    h = 1e-3
    numeric = (orbit.two_way(o, point, t + h)[0] - orbit.two_way(o, point, t - h)[0]) / (2 * h)
    assert np.abs(numeric - rate).max() < 1e-14  # delay is known to some 1e-18 s: 1e-15 over 2 ms
    # Light in the frame of t = 0: the two legs meet at the target's place at the moment between them.
    sent, received = t - delay, t
    p_t = orbit.rotate(o.state(sent)[0], orbit.EARTH_RATE * sent)
    p_r = orbit.rotate(o.state(received)[0], orbit.EARTH_RATE * received)
    bounce = sent + delay / 2
    for _ in range(5):
        target = orbit.rotate(np.broadcast_to(point, (t.size, 3)), orbit.EARTH_RATE * bounce)
        bounce = sent + orbit.norm(target - p_t) / orbit.C
    assert np.abs(bounce + orbit.norm(p_r - target) / orbit.C - received).max() * orbit.C < 1e-6  # double near 8 s: 3e-7 m
    # the fast path of the backprojection says the same, starting from the transmission
    pulse = backprojection._Pulse(o, float(sent[3]), float(delay[3]) + 3e-6)
    again, again_rate = pulse.delay_and_rate(point[None])
    assert abs(again[0] - delay[3]) < 1e-16
    assert abs(again_rate[0] - rate[3]) < 1e-13


def acquisition(squint_deg: float, prf: float = 700.0) -> tuple[Any, Any]:
    """A C-band acquisition that sees the point (t = 0, R = 850 km) in the middle, and that point."""
    f0, fs, band, duration = 5.405e9, 60e6, 50e6, 8e-6
    o = orbit.Orbit(STATES)
    point = orbit.place(o, np.array(0.0), np.array(850e3), 0.0, True)
    speed = np.linalg.norm(circular_orbit(0.0)[1])
    centroid = 2 * speed * f0 / orbit.C * np.sin(np.radians(squint_deg))
    t = np.linspace(-10, 10, 4001)
    delay, rate = orbit.two_way(o, point, t)
    centre = np.interp(-centroid, f0 * rate, t)
    doppler_rate = abs(np.interp(centre, t, np.gradient(-f0 * rate, t)))
    pulses = int(prf**2 / doppler_rate) + 12
    extent = np.interp(centre + np.array([-0.5, 0.5]) * pulses / prf, t, delay)
    first = extent.min() - duration / 2 - 2e-6
    samples = int((np.ptp(extent) + duration + 4e-6) * fs)
    return SimpleNamespace(
        carrier_hz=f0,
        prf_hz=prf,
        pulses=pulses,
        samples=samples,
        sample_rate_hz=fs,
        first_pulse_time_s=centre - np.interp(centre, t, delay) - (pulses - 1) / 2 / prf,
        first_sample_delay_s=first,
        chirp_rate_hz_per_s=-band / duration,
        chirp_duration_s=duration,
        look_side="right",
        terrain_height_m=0.0,
        orbit=STATES,
        doppler_centroid_hz=[centroid],
    ), point


@pytest.mark.parametrize("squint_deg", [0.0, 3.0])
def test_backprojection_puts_a_target_where_it_is(squint_deg: float) -> None:
    acq, point = acquisition(squint_deg)
    raw = echoes.simulate(acq, point[None], [np.exp(0.5j)])
    # Lines twice as dense as the PRF: the aperture's taper ends at +-PRF/2 at the carrier, and beyond at its band edge.
    rows, cols, row, col = 96, 84, 47.37, 41.79
    times = (np.arange(rows) - row) / (2 * acq.prf_hz)
    ranges = 850e3 + (np.arange(cols) - col) * orbit.C / (2 * acq.sample_rate_hz)
    image = backprojection.backproject(acq, raw, times, ranges, processed_band_hz=0.6 * acq.prf_hz, compress="matched")
    centre = (acq.doppler_centroid_hz[0] / (2 * acq.prf_hz), 0.0)
    found = measure_point(image.astype(np.complex64), row, col, spectrum_centre=centre)
    phase = np.exp(-1j * (0.5 + range_phase_rad(850e3, acq.carrier_hz)))
    print("row error", found.row - row, "column error", found.col - col)
    print("phase error", math.degrees(np.angle(found.at_expected * phase)), "degrees")
    assert abs(found.row - row) / 2 < 1e-3  # in lines of the PRF
    assert abs(found.col - col) < 1e-3
    assert abs(math.degrees(np.angle(found.at_expected * phase))) < 0.1
    # |chirp|^2 at baseband is flat: the width along the range ridge is 0.886 c / 2B
    assert abs(found.range.irw_samples * 50 / 60 / 0.886 - 1) < 0.02


def test_backprojection_of_a_pixel_does_not_depend_on_the_grid() -> None:
    """Filters are exact at the grid's centre; 60 lines and samples away what is left out must not be seen."""
    acq, point = acquisition(3.0)
    raw = echoes.simulate(acq, point[None], [1.0])
    settings: dict[str, Any] = {"processed_band_hz": 0.6 * acq.prf_hz}
    alone = backprojection.backproject(acq, raw, np.zeros(1), np.full(1, 850e3), **settings)[0, 0]
    times, ranges = np.array([0, 60]) / acq.prf_hz, 850e3 + 2.5 * np.array([0, 60])
    corner = backprojection.backproject(acq, raw, times, ranges, **settings)[0, 0]
    print("difference", 20 * math.log10(abs(corner / alone - 1)), "dB")
    assert abs(corner / alone - 1) < 1e-4  # -80 dB, where images are compared to -55


def test_backprojection_without_doppler_over_chirp_rate_would_be_off() -> None:
    """The terms that the backprojection undoes are there in the echo: -fD/K of delay, 2 fD^2/K half turns of phase."""
    acq, point = acquisition(3.0)
    acq.pulses, acq.first_pulse_time_s = 1, acq.first_pulse_time_s + acq.pulses / 2 / acq.prf_hz
    line = echoes.simulate(acq, point[None], [1.0])[0]
    n = 4096
    f = np.fft.fftfreq(n, 1 / acq.sample_rate_hz)
    inside = np.abs(f) <= backprojection.bandwidth_hz(acq) / 2
    compressor = backprojection.compressor(backprojection.ChirpSpectrum(acq), "matched", f)
    spectrum = np.fft.fft(line, n) * np.where(inside, compressor, 0)
    pulse = backprojection._Pulse(orbit.Orbit(STATES), acq.first_pulse_time_s, 850e3 * 2 / orbit.C)
    delay, rate = (float(x[0]) for x in pulse.delay_and_rate(point[None]))
    doppler = -acq.carrier_hz * rate

    def compressed(tau: Any) -> Any:
        steps = np.atleast_1d(tau) - acq.first_sample_delay_s
        return np.exp(2j * np.pi * np.outer(steps, f)) @ spectrum * np.exp(2j * np.pi * acq.carrier_hz * delay)

    fine = delay + np.linspace(-40e-9, 40e-9, 8001)
    peak = fine[np.argmax(np.abs(compressed(fine)))]
    shift = -doppler / acq.chirp_rate_hz_per_s
    assert abs(shift) > 2e-9
    assert abs(peak - delay - shift) < 2e-11
    turned = np.angle(compressed(peak)[0])
    assert abs(np.angle(np.exp(1j * (turned + np.pi * doppler**2 / acq.chirp_rate_hz_per_s)))) < 5e-3


def test_range_compressors() -> None:
    acq, _ = acquisition(0.0)
    f = np.array([-20e6, -3.3e6, 0.0, 1e6, 24.9e6])
    half, rate = acq.chirp_duration_s / 2, acq.chirp_rate_hz_per_s
    u = (np.arange(200000) + 0.5) / 200000 * 2 * half - half
    exact = np.exp(1j * np.pi * rate * u**2 - 2j * np.pi * f[:, None] * u).sum(axis=1) * (2 * half / u.size) * abs(rate) ** 0.5
    spectrum = backprojection.ChirpSpectrum(acq)
    # midpoint sums; the worst is the 64-fold one: (2 pi 25 MHz du)^2 / 24 of its ends
    assert np.abs(spectrum(f) - exact).max() < 1e-4
    assert np.abs(backprojection.compressor(spectrum, "inverse", f) * exact - 1).max() < 3e-4
    assert np.abs(backprojection.compressor(spectrum, "matched", f) - np.conj(exact)).max() < 1e-4
    # without ripple it is off by the Fresnel tails of both ends, 1 / (2 pi x) at x sqrt(|K|) from the band's edge
    tails = sum(abs(rate) ** 0.5 / (2 * np.pi * (25e6 + side * f[:4])) for side in (-1, 1))
    assert (np.abs(backprojection.compressor(spectrum, "phase", f[:4]) * exact[:4] - 1) < 1.01 * tails).all()


def test_zoomed_sum() -> None:
    rng = np.random.default_rng(5)
    low, high, n = -31, 40, 1024
    x = rng.standard_normal(high - low + 1) + 1j * rng.standard_normal(high - low + 1)
    m = 517 + np.arange(90)
    direct = np.exp(2j * np.pi * np.outer(m, np.arange(low, high + 1)) / n) @ x
    assert np.abs(backprojection._Zoom(low, high, n, 90)(x, 517) - direct).max() < 1e-12


def test_aperture_weight() -> None:
    w = backprojection.aperture_weight(np.array([0.0, -300, 300, 350, -400, 400, 900]), 300.0, 400.0)
    assert np.allclose(w, [1, 1, 1, 0.5, 0, 0, 0], atol=1e-15)


def test_error_figure_sees_the_error_and_nothing_else() -> None:
    """A sharp band against a tapered one: equal after the Doppler window, so what is added is what is found."""
    n, band, centroid, rate = 4096, 0.6, 0.31, 1500.0
    t = np.arange(n) - n // 2
    carrier = np.exp(2j * np.pi * centroid * t)
    sharp = band * np.sinc(band * t) * carrier
    x = np.linspace(-0.5, 0.5, 20001)
    taper = backprojection.aperture_weight(x, band / 2, 0.5)
    inner = slice(n // 2 - 64, n // 2 + 64)
    tapered = (np.exp(2j * np.pi * np.outer(t[inner], x)) @ taper) / x.size * carrier[inner]
    a, b = np.tile(sharp[:, None], 3), np.tile(tapered[:, None], 3)
    settings: dict[str, Any] = {
        "line_rate_hz": rate,
        "doppler_centroid_hz": centroid * rate,
        "band_hz": band * rate,
        "first_line": inner.start,
    }
    floor, c = compare.error_against_backprojection(2j * a, b, **settings)
    print("floor with the window as wide as the band", floor, "dB")
    assert floor < -60  # the band's edge falls between two frequencies of the window: 4096 lines leave -66 dB
    assert abs(c * 2j - 1) < 1e-3
    settings["band_hz"] = 0.98 * band * rate
    narrower, _ = compare.error_against_backprojection(a, b, **settings)
    print("floor with a window that stays inside the band", narrower, "dB")
    assert narrower < -90
    compact, _ = compare.error_against_backprojection(a, b, edge=0.05, **settings)
    print("floor with a rounded window", compact, "dB")
    assert compact < -120
    # an error of -40 dB in energy, within the band: a delayed copy in quadrature
    wrong = a + 0.01j * a
    wrong[:, 1] = a[:, 1] - 0.01j * a[:, 1]
    expected = db(1e-4 * 8 / 9)  # mean of (+1, -1, +1) goes into c, the rest stays
    assert abs(compare.error_against_backprojection(wrong, b, **settings)[0] - expected) < 0.2
    # an image that has its window already
    windowed = compare.doppler_window(a, rate, centroid * rate, band * rate)
    same, _ = compare.error_against_backprojection(windowed, b, applied=lambda f: HAMMING(f / rate / band), **settings)
    assert same < -90
