"""Doppler from the echoes: fraction, its change over range and along the record, the ambiguity from wrong starts, velocity."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import focus_helpers as h
import numpy as np
import pytest
from sidelook import _native, simulate
from sidelook.acquisition import Acquisition, Antenna
from sidelook.crsd import open_echoes
from sidelook.errors import BadInput, translate
from sidelook.focusing import Focuser, focus

PRF = 1700.0


def spectrum(offset_hz: np.ndarray) -> np.ndarray:
    """Amplitude of a two-way azimuth pattern, folded where the PRF folds it: even about its centre."""
    return np.asarray(np.abs(sum(np.sinc((offset_hz + k * PRF) / 1150.0) ** 2 for k in range(-3, 4))))


def clutter(pulses: int, centroid_hz: np.ndarray, seed: int) -> np.ndarray:
    """(pulses, samples) of Gaussian echoes whose Doppler spectrum is centred at `centroid_hz` (samples)."""
    white = np.fft.fft(h.noise((pulses, len(centroid_hz)), 1.0, seed), axis=0)
    f = np.fft.fftfreq(pulses, 1 / PRF)[:, None]
    offset = np.remainder(f - centroid_hz[None, :] + PRF / 2, PRF) - PRF / 2
    return np.fft.ifft(white * spectrum(offset), axis=0).astype(np.complex64)


def survey(echoes: np.ndarray, step: int = 0) -> Any:
    s = _native.EchoSurvey(echoes.shape[1], PRF)
    for first in range(0, len(echoes), step or len(echoes)):
        s.add(echoes[first : first + (step or len(echoes))])
    return s.result()


def error_of_one_column(echoes: np.ndarray) -> float:
    """Standard deviation (Hz) of the correlation estimator over one of the 16 columns, Madsen (1989).

    PRF / (2 pi) sqrt((1 - g^2) / (2 n g^2)), g the coherence of neighbouring pulses, n independent samples. Neighbouring
    pulses correlate over some three, which takes as much away from n.
    """
    a, b = echoes[1:], echoes[:-1]
    g = abs(np.vdot(b, a)) / np.sqrt(np.vdot(a, a).real * np.vdot(b, b).real)
    n = echoes.size / 16 / 3
    return float(PRF / (2 * np.pi) * np.sqrt((1 - g**2) / (2 * n * g**2)))


@pytest.mark.parametrize("coefficients", [(0.0,), (123.0, 4e6), (-700.0, 1e7, -1e11), (845.0,), (-845.0, -2e6)])
@pytest.mark.parametrize("bias", [0.0, 3.0])
def test_fraction_of_gaussian_clutter(coefficients: tuple[float, ...], bias: float) -> None:
    """Both signs, next to +-PRF/2 too; a bias, which is a line at 0 Hz, must not draw it there."""
    native = simulate.acquire(h.instrument("c-stripmap"), 2048, 960)
    x = np.arange(960) / native.sample_rate_hz
    truth = np.polynomial.polynomial.polyval(x, np.array(coefficients))
    echoes = clutter(2048, truth, 21)
    scale = h.rms(echoes)
    found = survey(echoes + np.complex64(bias * scale * (1 - 0.5j)))
    off = np.polynomial.polynomial.polyval(x, np.array(_native.fractional_doppler(native, found))) - truth
    assert abs(off.mean() / PRF - round(off.mean() / PRF)) < 0.01
    off -= round(off.mean() / PRF) * PRF
    sigma = error_of_one_column(echoes)
    print(f"{coefficients}, bias {bias}: farthest off {np.abs(off).max():.2f} Hz, one column's standard deviation {sigma:.2f} Hz")
    # a quadratic through 16 columns errs most at its ends, by 0.75 of one column's error; 5 standard deviations, and the
    # bias, estimated to scale / 1400, leaks (3.4 / 1400)^2 of power
    assert np.abs(off).max() < 5 * 0.75 * sigma + 0.5


def test_the_survey_does_not_depend_on_how_it_is_fed() -> None:
    echoes = clutter(700, np.full(320, 200.0), 5)
    whole, parts = survey(echoes), survey(echoes, 37)
    for name in dir(whole):
        if not name.startswith("_"):
            assert getattr(whole, name) == getattr(parts, name), name


def test_damaged_pulses_do_not_disturb_the_fraction() -> None:
    native = simulate.acquire(h.instrument("c-stripmap"), 2048, 640)
    echoes = clutter(2048, np.full(640, -400.0), 9)
    clean = _native.fractional_doppler(native, survey(echoes))
    echoes[5::40, 7] = np.nan
    echoes[11::40] = 0
    assert abs(_native.fractional_doppler(native, survey(echoes))[0] - clean[0]) < 10 * error_of_one_column(
        clutter(2048, np.full(640, 0.0), 9)
    )


def test_drift_along_the_record() -> None:
    """A centroid that moves by 25 Hz/s: clutter turned by a quadratic phase."""
    pulses, samples, rate = 6 * 1024, 480, 25.0
    native = simulate.acquire(h.instrument("c-stripmap"), pulses, samples)
    t = (np.arange(pulses) - pulses / 2) / PRF
    echoes = clutter(pulses, np.full(samples, 300.0), 12) * np.exp(1j * np.pi * rate * t**2).astype(np.complex64)[:, None]
    found = survey(echoes)
    drift = _native.doppler_drift(native, found)
    # six runs of 1024 lines at -2.5..2.5 runs, each with 16 columns: standard deviation of the slope through them
    one = error_of_one_column(echoes) * np.sqrt(6) / 4
    limit = 5 * one / (np.sqrt(17.5) * 1024 / PRF)
    print(f"drift {drift:.3f} Hz/s of {rate}, five standard deviations {limit:.3f} Hz/s")
    assert abs(drift - rate) < limit
    middle = np.polynomial.polynomial.polyval(
        np.arange(samples) / native.sample_rate_hz, np.array(_native.fractional_doppler(native, found))
    )
    assert abs(middle.mean() - 300) < 5


# ---- a coast: ships, shores, sea ---------------------------------------------------------------------------------


@functools.lru_cache(maxsize=2)
def coast(squint_deg: float) -> tuple[Any, Acquisition]:
    made = simulate.coast(pulses=2400, samples=1100, squint_deg=squint_deg, seed=3, calibration=(3, 4))
    return made, Acquisition.from_native(made.acquisition)


def reader(echoes: np.ndarray) -> Any:
    return lambda line, lines, sample, samples: np.ascontiguousarray(echoes[line : line + lines, sample : sample + samples])


@pytest.mark.parametrize("squint_deg", [0.0, 3.0])
def test_fraction_of_a_coast(squint_deg: float) -> None:
    """Strong targets near the scene's ends, seen with a part of the beam only, pull it; 2 % of the PRF move the band by 3 %."""
    made, acquisition = coast(squint_deg)
    truth = _native.doppler_from_attitude(acquisition.native())
    found = _native.fractional_doppler(acquisition.native(), survey(made.echoes))
    x = np.linspace(0, acquisition.samples / acquisition.sample_rate_hz, 33)
    off = np.polynomial.polynomial.polyval(x, np.array(found)) - np.polynomial.polynomial.polyval(x, np.array(truth))
    off -= round(off.mean() / PRF) * PRF
    print(f"squint {squint_deg}: {truth[0]:.1f} Hz by attitude; the echoes' fraction is off by {off.min():.1f} to {off.max():.1f} Hz")
    assert np.abs(off).max() < 0.02 * PRF


@pytest.mark.parametrize("start_off", [-9, 4, 9])
def test_ambiguity_from_wrong_starts(start_off: int) -> None:
    """Nothing known of the attitude: +-10 around a start that is too low or too high.

    Beyond some 5 degrees of squint no strip is narrow enough, then zero Doppler leaves the orbit: those are passed over.
    """
    made, acquisition = coast(3.0)
    truth = _native.doppler_from_attitude(acquisition.native())
    bare = dataclasses.replace(acquisition, antenna=Antenna())
    native, statistics = bare.native(), survey(made.echoes)
    fraction = _native.fractional_doppler(native, statistics)
    right = round((truth[0] - fraction[0]) / PRF)
    start = right + start_off
    found = _native.estimate_ambiguity(native, fraction, reader(made.echoes), _native.corrections_from(statistics), start - 10, start + 10)
    print(f"ambiguity {found.ambiguity} of {right}, started at {start}, sharper than any other by {found.margin:.2f}")
    assert right == 8 and found.ambiguity == right and found.margin > 1.2
    assert len(found.sharpness) == 21 and np.argmax(found.sharpness) == right - (start - 10)
    assert abs(found.doppler_centroid_hz[0] - truth[0]) < 0.02 * PRF
    focused = [s > 0 for s in found.sharpness]
    print(f"{sum(focused)} of 21 candidates could be focused")
    assert focused == sorted(focused, reverse=True) and sum(focused) >= 8 and all(focused) == (start_off < 0)


def test_no_candidate_that_can_be_focused() -> None:
    made, acquisition = coast(3.0)
    native, corrections = acquisition.native(), _native.EchoCorrections()
    with pytest.raises(BadInput, match="ambiguities from 40 to 41 hold none that can be focused: ") as refusal, translate():
        _native.estimate_ambiguity(native, [0.0], reader(made.echoes), corrections, 40, 41)
    print(refusal.value)

    def broken(*unused: int) -> Any:
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):  # what is not the candidate's fault ends the search
        _native.estimate_ambiguity(native, [0.0], broken, corrections, 7, 8)


def test_doppler_from_data_focuses_as_well_as_from_attitude() -> None:
    made, acquisition = coast(3.0)
    by_attitude, by_data = (focus(made.echoes, acquisition, doppler=way) for way in ("attitude", "data"))
    m = by_data.metadata["doppler"]
    assert m["source"] == "data" and m["ambiguity"] == 8 and by_attitude.metadata["doppler"]["source"] == "attitude"
    print(f"sharpness margin {m['sharpness_margin']:.2f}, centroid {m['coefficients_hz'][0]:.1f} Hz, drift {m['drift_hz_per_s']:.2f} Hz/s")
    compared = 0
    for target in made.truth["targets"]:
        place = target["zero_doppler_time_s"], target["slant_range_m"]
        line, sample = h.pixel(by_data.metadata, place)
        # the outer columns of the grid lie some 22 samples from the image's ends, less than a window's 40
        if not all(41 < p < size - 42 for p, size in zip((line, sample), by_data.image.shape, strict=True)):
            continue
        points = [h.measured(slc.image, slc.metadata, place) for slc in (by_attitude, by_data)]
        compared += 1
        ratio = abs(points[1].peak) / abs(points[0].peak)
        print(f"off by {points[1].row - line:+.4f} lines {points[1].col - sample:+.4f} samples; peak {ratio:.4f}")
        # a band moved by 2 % of the PRF loses as much of its weight, no more; clutter moves the peak by parts of a sample
        assert abs(ratio - 1) < 0.05
        by_truth = h.pixel(by_attitude.metadata, place)  # another centroid exposes other lines: each image has its grid
        assert abs(points[1].row - line - points[0].row + by_truth[0]) < 0.05
        assert abs(points[1].col - sample - points[0].col + by_truth[1]) < 0.05
    assert compared == 6


def test_velocity_from_the_echoes() -> None:
    """Without an orbit: found where a point focuses sharpest, against the orbit's own curvature."""
    points = h.point_scene("c-stripmap", 0.0, 2000, 720, ((150.3, 50.2), (500.7, 110.4), (850.1, 170.6)))
    a = points.acquisition
    truth = Focuser(open_echoes(points.echoes, a)).grid.effective_velocity_m_per_s
    bare = dataclasses.replace(a, orbit=(), antenna=Antenna(), effective_velocity_m_per_s=7100.0, doppler_centroid_hz=(0.0,))
    found = _native.estimate_velocity(bare.native(), reader(points.echoes), _native.EchoCorrections(), truth - 130, truth + 90)
    # a quadratic phase of pi/4 at the ends of an aperture of T s is v' / v = lambda R / (8 v^2 (T/2)^2) = 6e-4
    print(f"velocity {found:.2f} of {truth:.2f} m/s")
    assert abs(found / truth - 1) < 6e-4


def test_refusals() -> None:
    made, acquisition = coast(3.0)
    native, corrections = acquisition.native(), _native.EchoCorrections()
    with pytest.raises(BadInput, match="ambiguities from 3 to 2; must ascend"), translate():
        _native.estimate_ambiguity(native, [0.0], reader(made.echoes), corrections, 3, 2)
    with pytest.raises(BadInput, match="orbit is given; the effective velocity follows from it"), translate():
        _native.estimate_velocity(native, reader(made.echoes), corrections, 7000.0, 7100.0)
    with pytest.raises(BadInput, match="velocities from 7100 to 7000"), translate():
        _native.estimate_velocity(native, reader(made.echoes), corrections, 7100.0, 7000.0)
    with pytest.raises(BadInput, match="prf|samples"), translate():
        _native.EchoSurvey(0, PRF)
    with pytest.raises(BadInput, match="line has 4 samples; must have 5"), translate():
        _native.EchoSurvey(5, PRF).add(np.ones((2, 4), np.complex64))
