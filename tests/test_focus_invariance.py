"""The image does not depend on threads (bit for bit), nor on blocks, strips and crops beyond a stated error."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import focus_helpers as h
import numpy as np
import pytest
from sidelook import simulate
from sidelook.acquisition import Acquisition
from sidelook.focusing import Slc, focus

PULSES, SAMPLES = 3200, 1400
# Noise without any structure fills the whole processed spectrum, the ends of the bands included: the hardest case.


@functools.lru_cache(maxsize=2)
def echoes(squint_deg: float) -> tuple[np.ndarray, Acquisition]:
    native = simulate.acquire(h.instrument("c-stripmap", squint_deg), PULSES, SAMPLES)
    return h.noise((PULSES, SAMPLES), 1.0, 3), Acquisition.from_native(native)


@functools.lru_cache(maxsize=2)
def reference(squint_deg: float) -> Slc:
    return focus(*echoes(squint_deg), threads=2)


@pytest.mark.parametrize("squint_deg", [0.0, 3.0])
@pytest.mark.parametrize("options", [{}, {"block_lines": 700}, {"block_lines": 611, "strip_samples": 256}])
def test_threads_bit_for_bit(squint_deg: float, options: dict[str, Any]) -> None:
    one = focus(*echoes(squint_deg), threads=1, **options)
    for threads in (2, 3):
        other = focus(*echoes(squint_deg), threads=threads, **options)
        assert one.image.tobytes() == other.image.tobytes()
        assert one.metadata == other.metadata


def test_the_same_again_bit_for_bit() -> None:
    assert focus(*echoes(3.0), threads=2).image.tobytes() == reference(3.0).image.tobytes()


# Limits, each with where it comes from:
# blocks: the transform's length sets how far apart (16 bins) the knots lie between which migration and the ends of the azimuth
#   window are interpolated; errors grow with the square and more of block length's inverse.
# strips: a strip's lines are compressed from its own samples; what the inverse of the chirp's spectrum spreads beyond the pulse
#   is lost at its ends, most of it in the two or three columns there.
BLOCKS_DB = {0.0: -46.0, 3.0: -49.0}
STRIPS_DB = -43.0


def difference_db(a: np.ndarray, b: np.ndarray) -> float:
    """Of their rms to the first one's."""
    return 20 * float(np.log10(h.rms(a - b) / h.rms(a)))


@pytest.mark.parametrize("squint_deg", [0.0, 3.0])
@pytest.mark.parametrize(
    "options",
    [{"block_lines": 1100}, {"block_lines": 811}, {"block_lines": 500}, {"strip_samples": 512}, {"block_lines": 500, "strip_samples": 256}],
)
def test_blocks_and_strips(squint_deg: float, options: dict[str, int]) -> None:
    whole, other = reference(squint_deg).image, focus(*echoes(squint_deg), **options).image
    assert np.array_equal(np.isnan(whole), np.isnan(other))
    assert np.isfinite(whole).any()
    error = difference_db(whole, other)
    largest = 20 * np.log10(np.nanmax(np.abs(whole - other)) / h.rms(whole))
    print(f"squint {squint_deg}, {options}: rms difference {error:.1f} dB, largest {largest:.1f} dB of the image's rms")
    limit = max([BLOCKS_DB[squint_deg]] * ("block_lines" in options) + [STRIPS_DB] * ("strip_samples" in options))
    assert error < limit


@pytest.mark.parametrize("squint_deg", [0.0, 3.0])
def test_memory_limits_change_blocks_only(squint_deg: float) -> None:
    """Under a limit the product chooses smaller blocks or strips; the image is the same within their error."""
    whole = reference(squint_deg)
    for limit in (60_000_000, 40_000_000):
        tight = focus(*echoes(squint_deg), max_ram=limit)
        error = difference_db(whole.image, tight.image)
        print(f"squint {squint_deg}, max_ram {limit}: blocks of {tight.metadata['block_lines']} lines, difference {error:.1f} dB")
        assert np.array_equal(np.isnan(whole.image), np.isnan(tight.image))
        assert error < STRIPS_DB


def test_nan_is_exactly_the_complement_of_the_valid_region() -> None:
    for squint_deg in (0.0, 3.0):
        slc = reference(squint_deg)
        finite = np.isfinite(slc.image)
        assert np.isfinite(slc.image.real).sum() == finite.sum() == np.isfinite(slc.image.imag).sum()
        for sample, first, end in slc.metadata["valid_region"]:
            column = finite[:, sample]
            assert column[first:end].all() and not column[:first].any() and not column[end:].any()
        # not a line or a sample more than needed
        assert finite.any(axis=1).all() and finite.any(axis=0).all()


# ---- crops -------------------------------------------------------------------------------------------------------


def crop(raw: np.ndarray, a: Acquisition, line: int, sample: int, end_line: int, end_sample: int) -> tuple[np.ndarray, Acquisition]:
    """A part of a recording as a recording of its own; its Doppler polynomial starts at its own first sample."""
    later = sample / a.sample_rate_hz
    moved = np.polynomial.Polynomial(a.doppler_centroid_hz)(np.polynomial.Polynomial([later, 1.0])).coef
    middle = line + (end_line - line) / 2 - a.pulses / 2  # the drift counts from the middle pulse
    moved[0] += a.doppler_drift_hz_per_s * middle / a.prf_hz
    part = dataclasses.replace(
        a, pulses=end_line - line, samples=end_sample - sample, first_pulse_time_s=a.first_pulse_time_s + line / a.prf_hz,
        first_sample_delay_s=a.first_sample_delay_s + later, doppler_centroid_hz=tuple(moved.tolist()),
    )  # fmt: skip
    return np.ascontiguousarray(raw[line:end_line, sample:end_sample]), part


@pytest.mark.parametrize("squint_deg", [0.0, 3.0])
def test_offset_by_lines_and_samples(squint_deg: float) -> None:
    """The CEOS offset test: |mean phase| < 0.1 degrees, std < 1 degree over the overlap, weighted by intensity."""
    raw, a = echoes(squint_deg)
    found = reference(squint_deg).metadata["doppler"]  # of the whole, also for the part
    a = dataclasses.replace(a, doppler_centroid_hz=tuple(found["coefficients_hz"]), doppler_drift_hz_per_s=found["drift_hz_per_s"])
    whole = focus(raw, a)
    # what the echoes themselves tell is not the same in a part; here it is nothing
    part = focus(*crop(raw, a, 137, 101, PULSES - 83, SAMPLES - 57))
    first, m = whole.metadata, part.metadata
    line, sample = (
        (m["first_line_time_s"] - first["first_line_time_s"]) / m["line_spacing_s"],
        (m["first_sample_slant_range_m"] - first["first_sample_slant_range_m"]) / m["sample_spacing_m"],
    )
    print(f"squint {squint_deg}: the crop's image begins at line {line:.6f}, sample {sample:.6f} of the whole one")
    assert abs(line - round(line)) < 1e-6 and abs(sample - round(sample)) < 1e-6
    top, left = max(0, round(line)), max(0, round(sample))
    size = min(whole.image.shape[0] - top, part.image.shape[0]), min(whole.image.shape[1] - left, part.image.shape[1])
    x = whole.image[top : top + size[0], left : left + size[1]]
    y = part.image[top - round(line) :, left - round(sample) :][: size[0], : size[1]]
    both = np.isfinite(x) & np.isfinite(y)
    assert both.sum() > 0.8 * np.isfinite(part.image).sum()
    product, weight = y[both] * np.conj(x[both]), np.abs(x[both]) ** 2
    mean = np.angle(product.sum())
    std = np.sqrt((weight * np.angle(product * np.exp(-1j * mean)) ** 2).sum() / weight.sum())
    print(f"squint {squint_deg}: mean phase {np.degrees(mean):+.4f} degrees, std {np.degrees(std):.3f} degrees, "
          f"difference {20 * np.log10(h.rms(x[both] - y[both]) / h.rms(x[both])):.1f} dB")  # fmt: skip
    assert abs(np.degrees(mean)) < 0.1
    assert np.degrees(std) < 1
