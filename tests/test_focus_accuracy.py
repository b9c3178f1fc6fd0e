"""Figures of focused point targets whose places are geometry: place, phase, width, side lobes, amplitude, noise, backprojection.

Every echo is exact (sidelook.simulate.exact). `pytest -s` prints what was measured; the limits are those of the project's
definition of a good focuser unless a comment says otherwise.
"""

from __future__ import annotations

import functools
import math

import focus_helpers as h
import numpy as np
import pytest
from oracle import backprojection, compare, ideal, orbit
from sidelook.focusing import Slc, focus
from sidelook.measure import measure_point

PULSES, SAMPLES = 3200, 1400
# Lines and samples spread over the scene; many next to borders of blocks (every 700 lines, x: 400) and tiles (256 samples). No two
# share a line or a sample: a neighbour's side lobes, decayed over hundreds of samples only, would be measured too.
C_PIXELS = (
    (96.3, 60.4), (300.7, 330.1), (699.6, 255.5), (820.3, 511.7), (960.4, 700.3), (1100.4, 766.6), (1399.8, 420.8), (1530.1, 256.6),
    (1750.6, 610.9), (2099.7, 160.7),
)  # fmt: skip
X_PIXELS = ((120.3, 60.4), (399.8, 255.5), (555.2, 512.3), (799.6, 380.9), (930.7, 767.1), (1150.2, 160.6))
CASES = {
    "C band, 0 degrees": ("c-stripmap", 0.0, PULSES, SAMPLES, C_PIXELS),
    "C band, 3 degrees": ("c-stripmap", 3.0, PULSES, SAMPLES, C_PIXELS),
    "X band, -3 degrees, left": ("x-stripmap", -3.0, PULSES, SAMPLES, X_PIXELS, True),
}
BLOCKS = {"c-stripmap": 700, "x-stripmap": 400}


@functools.lru_cache(maxsize=4)
def scene(case: str) -> h.Points:
    return h.point_scene(*CASES[case])


@functools.lru_cache(maxsize=4)
def image(case: str) -> Slc:
    """With the default options, in at least three blocks."""
    points, block = scene(case), BLOCKS[CASES[case][0]]
    slc = focus(points.echoes, points.acquisition, block_lines=block)
    assert slc.metadata["lines"] > 2 * block
    return slc


@pytest.mark.parametrize("case", CASES)
def test_place_and_phase(case: str) -> None:
    slc, phases, far = image(case), [], 0.0
    for place in scene(case).places:
        line, sample = h.pixel(slc.metadata, place)
        point = h.measured(slc.image, slc.metadata, place)
        phases.append(h.phase_at_place(point, slc.metadata, place[1]))
        print(f"{case}: line {line:.1f} sample {sample:.1f} off by {point.row - line:+.5f} lines {point.col - sample:+.5f} samples")
        far = max(far, abs(point.row - line), abs(point.col - sample))
    off = np.degrees(np.angle(np.array(phases) / np.mean(phases)))
    print(f"{case}: farthest from its place {far:.5f} samples; phases within {np.abs(off).max():.4f} degrees of their mean")
    assert far < 1 / 50
    assert np.abs(off).max() < 1


def check_shape(slc: Slc, points: h.Points, place: tuple[float, float], name: str) -> None:
    """Widths against the transform of the 2-D support, side lobes against the ideal of the window with the band's edges."""
    line, sample = h.pixel(slc.metadata, place)
    found = h.measured(slc.image, slc.metadata, place)
    support = h.Support(slc.metadata, points.acquisition, place)
    top, left = round(line) - 52, round(sample) - 52
    response = support.image(top + np.arange(104) - line, left + np.arange(104) - sample)
    truth = measure_point(
        response.astype(np.complex64), line, sample, spectrum_centre=h.spectrum_centre(slc.metadata, sample),
        measure_spectrum_centre=False, half_size=40, first_sample=(top, left),
    )  # fmt: skip
    for axis, cut, best, band in (("azimuth", found.azimuth, truth.azimuth, "doppler"), ("range", found.range, truth.range, "range")):
        limits = slc.metadata[f"processed_{band}_bandwidth_hz"], slc.metadata[f"{band}_band_edge_hz"]
        lobes = ideal.figures(h.edged(slc.metadata[f"{axis}_window"], *limits))
        print(
            f"{name} {axis} {slc.metadata[f'{axis}_window']}: IRW {100 * (cut.irw_samples / best.irw_samples - 1):+.3f} %, PSLR "
            f"{cut.pslr_db:.2f} ({cut.pslr_db - lobes.pslr_db:+.3f}) dB, ISLR {cut.islr_db:.2f} ({cut.islr_db - lobes.islr_db:+.3f}) dB"
        )
        assert abs(cut.irw_samples / best.irw_samples - 1) < 0.01
        assert abs(cut.pslr_db - lobes.pslr_db) < 0.3
        assert abs(cut.islr_db - lobes.islr_db) < 0.3


@pytest.mark.parametrize("case", CASES)
def test_width_and_side_lobes(case: str) -> None:
    for place in scene(case).places:
        check_shape(image(case), scene(case), place, case)


@pytest.mark.parametrize("case", list(CASES)[:2])
@pytest.mark.parametrize("windows", [("rectangular", "taylor 35"), ("kaiser 2.5", "rectangular"), ("taylor 35", "kaiser 2.5")])
def test_other_windows(case: str, windows: tuple[str, str]) -> None:
    points = scene(case)
    slc = focus(points.echoes, points.acquisition, azimuth_window=windows[0], range_window=windows[1], block_lines=700)
    for place in points.places[2:9:3]:
        check_shape(slc, points, place, case)
        found, default = (h.measured(s.image, s.metadata, place) for s in (slc, image(case)))
        # a unit echo has a unit peak whatever the window
        print(f"{case} {windows}: peak {abs(found.peak):.5f}, with the default windows {abs(default.peak):.5f}")
        assert abs(abs(found.peak) / abs(default.peak) - 1) < 0.005


class Beam:
    """Pulse by pulse what the antenna sees of a place: Doppler (Hz) and two-way amplitude, from orbit and frames alone."""

    def __init__(self, points: h.Points, place: tuple[float, float]) -> None:
        a = points.acquisition
        path = orbit.Orbit(a.orbit)
        target = orbit.place(path, np.array([place[0]]), np.array([place[1]]), a.terrain_height_m, a.look_side == "right")[0]
        sent = a.first_pulse_time_s + np.arange(a.pulses) / a.prf_hz
        self.doppler_hz = -a.carrier_hz * orbit.two_way(path, target, sent + 2 * place[1] / h.LIGHT)[1]
        towards = target - path.state(sent + place[1] / h.LIGHT)[0]  # the antenna moves by 1e-5 rad between transmission and reception
        towards /= orbit.norm(towards)[:, None]
        times = np.array([f.time_s for f in a.antenna.frames])

        def axis(name: str) -> np.ndarray:
            vectors = np.array([getattr(f, name) for f in a.antenna.frames])
            mixed = np.stack([np.interp(sent, times, vectors[:, k]) for k in range(3)], axis=-1)
            return np.asarray(mixed / orbit.norm(mixed)[:, None])

        along, boresight = axis("azimuth_axis"), axis("boresight")
        wavelength = h.LIGHT / a.carrier_hz
        self.azimuth = np.sinc(a.antenna.azimuth_length_m / wavelength * orbit.dot(towards, along)) ** 2
        self.elevation = np.sinc(a.antenna.elevation_length_m / wavelength * orbit.dot(towards, np.cross(along, boresight))) ** 2


@pytest.mark.parametrize("case", CASES)
def test_amplitude(case: str) -> None:
    """A unit echo has a unit peak: the azimuth pattern is equalised, the elevation pattern of the target's place is left."""
    slc, points = image(case), scene(case)
    for place in points.places:
        beam = Beam(points, place)
        centroid = h.at(slc.metadata["doppler_centroid_hz"], h.pixel(slc.metadata, place)[1])
        expected = beam.elevation[np.argmin(np.abs(beam.doppler_hz - centroid))]
        found = abs(h.measured(slc.image, slc.metadata, place).peak)
        print(f"{case}: peak {found:.5f}, the elevation pattern leaves {expected:.5f}")
        assert abs(found / expected - 1) < 0.005


# ---- noise -------------------------------------------------------------------------------------------------------


def bound(points: h.Points, place: tuple[float, float], metadata: dict, sigma: float) -> tuple[float, float]:
    """Cramer-Rao bound (lines, samples) on the place of a target of unknown amplitude and phase, from the echoes.

    White noise of variance sigma^2 a sample leaves 1 / (2 (E / sigma^2) (2 pi)^2 <(f - <f>)^2>) of variance, E the echo's
    energy in the processed support and <> the mean over its energy spectrum (Kay 1993, section 3.11, for a complex
    signal): the pulses whose Doppler lies in the processed band, roll-off included, each with the chirp's flat band. The
    echoes' own bound, so what the window and the equalised pattern lose counts against the image.
    """
    a, beam = points.acquisition, Beam(points, place)
    centroid = h.at(metadata["doppler_centroid_hz"], h.pixel(metadata, place)[1])
    half = (metadata["processed_doppler_bandwidth_hz"] + metadata["doppler_band_edge_hz"]) / 2
    used = np.abs(beam.doppler_hz - centroid) < half
    power = (beam.azimuth * beam.elevation)[used] ** 2
    doppler = beam.doppler_hz[used]
    energy = power.sum() * a.chirp_duration_s * a.sample_rate_hz
    spread = (power * (doppler - (power * doppler).sum() / power.sum()) ** 2).sum() / power.sum()
    chirp = (a.chirp_rate_hz_per_s * a.chirp_duration_s) ** 2 / 12
    line, sample = (1 / math.sqrt(2 * energy / sigma**2 * (2 * math.pi) ** 2 * s) for s in (spread, chirp))
    return line * a.prf_hz, sample * a.sample_rate_hz


NOISE_PIXELS = tuple(
    (110.0 + 330 * i + 31 * j + 0.37 * (i + j), 58.0 + 140 * j + 13 * i + 0.23 * (i - j)) for i in range(6) for j in range(5)
)


def test_place_in_noise() -> None:
    """30 targets, 16 draws of noise: the rms error is known to 1 / sqrt(2 480) = 3 %. 27 dB of the image's signal to noise."""
    points = h.point_scene("c-stripmap", 0.0, PULSES, SAMPLES, NOISE_PIXELS)
    sigma, first_seed, draws = 25.0, 1000, 16
    ways: tuple[dict, ...] = ({}, {"azimuth_window": "rectangular", "range_window": "rectangular", "equalise_antenna": False})
    off, bounds = np.empty((2, draws, len(points.places), 2)), np.empty((0, 2))
    for draw in range(draws):
        noisy = points.echoes + h.noise(points.echoes.shape, sigma, first_seed + draw)
        for k, options in enumerate(ways):
            slc = focus(noisy, points.acquisition, **options)
            if not len(bounds):
                bounds = np.array([bound(points, place, slc.metadata, sigma) for place in points.places])
            for n, place in enumerate(points.places):
                point = h.measured(slc.image, slc.metadata, place, search_radius=2.0, half_size=36, axes="image", oversampling=4)
                off[k, draw, n] = np.array([point.row, point.col]) - h.pixel(slc.metadata, place)
    ratio = np.sqrt(np.mean((off / bounds) ** 2, axis=(1, 2)))
    print(f"bound {bounds.mean(axis=0)} (lines, samples); {draws} draws from seed {first_seed} on {len(bounds)} targets")
    for options, found in zip(ways, ratio, strict=True):
        print(f"{options or 'default options'}: rms error / bound, lines and samples: {found}")
    assert (ratio <= 1.2).all()
    # below its bound by more than three standard errors it would be the bound, or the noise, that is wrong
    assert (ratio > 1 - 3 / math.sqrt(2 * draws * len(bounds))).all()


# ---- backprojection ----------------------------------------------------------------------------------------------


@functools.cache
def reference_patches(case: str) -> tuple[tuple[np.ndarray, np.ndarray, np.ndarray], ...]:
    """Zero-Doppler times, slant ranges and backprojection of three patches, each around a target."""
    points, m = scene(case), image(case).metadata
    a, found = points.acquisition, []
    band, roll = m["processed_range_bandwidth_hz"], m["range_band_edge_hz"]

    def edge(f: np.ndarray) -> np.ndarray:  # of the range band, as the metadata state it
        return np.asarray(0.5 - 0.5 * np.sin(np.pi * np.clip((np.abs(f) - band / 2) / roll, -0.5, 0.5)))

    for place in (points.places[0], points.places[2], points.places[8]):  # a corner, a crossing of block and tile, far range
        line, sample = h.pixel(m, place)
        times = m["first_line_time_s"] + (round(line) - PATCH[0] // 2 + np.arange(PATCH[0])) * m["line_spacing_s"]
        columns = round(sample) - PATCH[1] // 2 + np.arange(PATCH[1])
        ranges = m["first_sample_slant_range_m"] + columns * m["sample_spacing_m"]
        doppler = np.array([h.at(m["doppler_centroid_hz"], k) for k in columns])
        options = {"processed_band_hz": 0.7 * a.prf_hz, "doppler_centroid_hz": doppler, "range_weight": edge}
        found.append((times, ranges, backprojection.backproject(a, points.echoes, times, ranges, **options)))
    return tuple(found)


PATCH = 96, 24


@pytest.mark.parametrize("block_lines", [0, 700])
@pytest.mark.parametrize("case", list(CASES)[:2])
def test_error_against_backprojection(case: str, block_lines: int) -> None:
    """Three patches with one constant; both images windowed alike, see tests/oracle/compare.py."""
    points = scene(case)
    a = points.acquisition
    slc = focus(points.echoes, a, azimuth_window="rectangular", range_window="rectangular", equalise_antenna=False,
                doppler_bandwidth_hz=0.76 * a.prf_hz, block_lines=block_lines)  # fmt: skip
    m, ours, theirs = slc.metadata, [], []
    for times, ranges, reference in reference_patches(case):
        top, left = (round(x) for x in h.pixel(m, (times[0], ranges[0])))
        doppler = np.array([h.at(m["doppler_centroid_hz"], left + k) for k in range(PATCH[1])])
        # the definition's Hamming 0.75; 1 % narrower than 0.7 PRF, where a sharp end would fall between two frequencies
        settings = a.prf_hz, doppler, 0.693 * a.prf_hz
        n = 1 << math.ceil(math.log2(2 * slc.image.shape[0]))
        columns = slc.image[:, left : left + PATCH[1]]
        assert np.isfinite(columns[top : top + PATCH[0]]).all()
        inner = slice(PATCH[0] // 4, -PATCH[0] // 4)
        ours.append(compare.doppler_window(np.nan_to_num(columns), *settings, length=n)[top : top + PATCH[0]][inner])
        theirs.append(compare.doppler_window(reference, *settings, length=n)[inner])
        print(f"{case}: line {top} sample {left} alone {compare.relative_error_db(ours[-1], theirs[-1])[0]:.1f} dB")
    error, constant = compare.relative_error_db(np.array(ours), np.array(theirs))
    turned = np.degrees(np.angle(constant))
    print(
        f"{case}, blocks of {m['block_lines']} lines: error against backprojection {error:.2f} dB, constant turned by {turned:.3f} degrees"
    )
    assert error <= -55
