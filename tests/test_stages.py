"""The table of stages: every stage against a slow, obvious reference, and the page made from the table."""

from __future__ import annotations

import importlib.util
import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sidelook import _native, simulate

ROOT = pathlib.Path(__file__).resolve().parent.parent


def test_page_is_what_the_table_makes() -> None:
    spec = importlib.util.spec_from_file_location("make_stages", ROOT / "tools" / "make_stages.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (ROOT / "docs" / "stages.md").read_text(encoding="utf-8") == module.page(_native.stage_table())


def small() -> tuple[Any, Any, np.ndarray]:
    """An acquisition of two apertures, its options and noise."""
    acquisition = simulate.acquire(simulate.sensor("c-stripmap"), 2600, 900)
    acquisition.doppler_centroid_hz = _native.doppler_from_attitude(acquisition)
    options = _native.FocusOptions()
    options.threads = 1
    rng = np.random.default_rng(7)
    return acquisition, options, rng.standard_normal((2600, 1800), np.float32).view(np.complex64)


def staged(name: str, acquisition: Any, options: Any, echoes: np.ndarray, corrections: Any) -> tuple[np.ndarray, dict[str, Any]]:
    """Output of the chain up to and with one stage."""
    plan = _native.FocusPlan(acquisition, options)
    return plan.run_until(name, echoes, corrections)


def correct_echoes(acquisition: Any, options: Any, echoes: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """I/Q bias, imbalance and line gain undone, from the definition of a receiver that adds them."""
    corrections = _native.EchoCorrections()
    corrections.bias_i, corrections.bias_q, corrections.gain_ratio, corrections.quadrature_error_rad = 0.3, -0.2, 1.1, 0.05
    gain = np.linspace(0.5, 2, len(echoes)).astype(np.float32)
    corrections.line_gain = gain.tolist()
    # The receiver: Q = ratio |x| sin(arg x + error), then the biases. What goes in is echoes / gain.
    x = echoes.astype(np.complex128) / gain[:, None]
    spoiled = (x.real + 0.3) + 1j * (1.1 * np.abs(x) * np.sin(np.angle(x) + 0.05) - 0.2)
    got, place = staged("correct_echoes", acquisition, options, spoiled.astype(np.complex64), corrections)
    first = place["first_sample_in"]
    # float32 in, float32 out; the gain goes up to 2 and values to about 5: 4 eps x 5
    return got, echoes[place["first_line"] :][: len(got), first : first + got.shape[1]], 4 * 1.2e-7 * 5


def range_compress(acquisition: Any, options: Any, echoes: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Inverse of the chirp's spectrum over the weighted band, by dense sums at the compressed samples' delays."""
    lines = 3
    options.range_window = _native.Window(_native.Window.Shape.hamming, 0.75)
    got, place = staged("range_compress", acquisition, options, echoes, _native.EchoCorrections())
    a = acquisition
    rate, duration, fs = a.chirp_rate_hz_per_s, a.chirp_duration_s, a.sample_rate_hz
    band = abs(rate) * duration
    edge = 0.02 * band
    # Frequencies of a transform twice as long as the product's, so that nothing but the definition is shared.
    n = 2 * place["transform_length"]
    f = np.fft.fftfreq(n, 1 / fs)
    f = f[np.abs(f) < 0.5 * (band + edge)]
    fine = 64
    t = (np.arange(int(duration * fs * fine)) + 0.5) / (fs * fine) - duration / 2
    t = t[t < duration / 2]
    pulse = np.exp(1j * np.pi * rate * t**2) / (fs * fine)
    chirp = np.array([np.sum(pulse * np.exp(-2j * np.pi * v * t)) for v in f])
    roll = np.clip((np.abs(f) - 0.5 * band) / edge, -0.5, 0.5)
    weight = (0.5 - 0.5 * np.sin(np.pi * roll)) * (0.75 + 0.25 * np.cos(2 * np.pi * f / band)) * np.sqrt(a.carrier_hz / (a.carrier_hz + f))
    power = np.maximum(np.abs(chirp) ** 2, 1 / abs(rate) / 16)
    dense = np.linspace(-0.5 * (band + edge), 0.5 * (band + edge), 20001)
    roll = np.clip((np.abs(dense) - 0.5 * band) / edge, -0.5, 0.5)
    integral = np.trapezoid((0.5 - 0.5 * np.sin(np.pi * roll)) * (0.75 + 0.25 * np.cos(2 * np.pi * dense / band)), dense)
    response = np.conj(chirp) / power * weight * (fs / n) / (integral * fs)
    first = place["first_sample_in"]
    used = echoes[place["first_line"] :][:lines, first : first + place["samples_in"]].astype(np.complex128)
    into = np.exp(-2j * np.pi * np.outer(np.arange(used.shape[1]) / fs, f))
    origin = a.first_sample_delay_s + first / fs
    columns = np.arange(40, got.shape[1] - 40, 37)
    delay = place["first_delay_s"] + columns / place["sample_rate_hz"] - origin
    want = (used @ into * response) @ np.exp(2j * np.pi * np.outer(f, delay))
    # The reference Doppler is some hertz here: secondary range compression and chirp shift are below 1e-6. What is left
    # is the circular tail of the filter beyond the transform's padding, below -60 dB of the noise's compressed RMS.
    return got[:lines, columns], want, 1e-3 * float(np.sqrt(np.mean(np.abs(want) ** 2))) * 4


def multilook(acquisition: Any, options: Any, echoes: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Means of |x|^2 over cells, cell by cell; NaN in a few pixels. tests/test_radiometry.py has more looks, and other pixels."""
    image = echoes[:203, :311].copy()
    image[::17, ::5] = np.nan
    got = _native.multilook_power(image, _native.Looks(5, 3), 1)
    power = np.abs(image.astype(np.complex128)) ** 2
    want = np.array([[np.nanmean(power[5 * i : 5 * i + 5, 3 * j : 3 * j + 3]) for j in range(103)] for i in range(40)])
    # Squares and sums of 5 lines in float32, half an eps each at most; powers go up to about 20
    return got, want, 6 * 0.5 * 1.2e-7 * float(want.max()) * 2


def calibrate(acquisition: Any, options: Any, echoes: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """A factor a pixel, bilinear between nodes in double, less a noise level likewise."""
    image = np.ascontiguousarray(np.abs(echoes[:91, :203]) ** 2)
    lines, samples, plan = np.array([-3.0, 20.5, 88.0]), np.array([0.0, 31.25, 150.0, 190.0]), _native.IntensityOptions()
    values, noise = np.linspace(1, 3, 12).reshape(3, 4) ** 2, np.linspace(0.5, 0.1, 12).reshape(3, 4)

    def grid(table: np.ndarray) -> Any:
        g = _native.FactorGrid()
        g.lines, g.samples, g.values = lines.tolist(), samples.tolist(), table.ravel().tolist()
        return g

    def dense(table: np.ndarray) -> np.ndarray:
        rows = np.array([np.interp(np.arange(203), samples, row) for row in table])
        return np.array([np.interp(np.arange(91), lines, column) for column in rows.T]).T

    plan.factor, plan.noise, got = grid(values), grid(noise), np.zeros((91, 203), np.float32)

    def write(first: int, block: np.ndarray) -> None:
        got[first : first + len(block)] = block

    _native.IntensityPlan(91, 203, False, plan).run_intensity(lambda first, count: image[first : first + count], write)
    want = image * dense(values) - dense(noise)
    # two roundings of each node, one of the place between them, a product and a difference: 4 eps of the largest
    return got, want, 4 * 1.2e-7 * float(want.max())


def despeckle(acquisition: Any, options: Any, echoes: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Lee's filter, window by window in double; tests/test_despeckle.py has the other methods, NaN and 60 dB."""
    x = np.ascontiguousarray(np.abs(echoes[:60, :90]) ** 2)
    known = _native.DespeckleOptions()
    known.method, known.kind, known.looks = "lee", "intensity", 1.0
    want = np.empty(x.shape)
    for i, j in np.ndindex(*x.shape):
        part = x[max(0, i - 3) : i + 4, max(0, j - 3) : j + 4].astype(np.float64)
        mean, ci2 = part.mean(), part.var(ddof=1) / part.mean() ** 2
        want[i, j] = mean + max(0, 1 - 1 / ci2) * (x[i, j] - mean)
    # sums of 49 values by pairs: 6 roundings each of the mean and of the variance, and some of the formula
    return _native.despeckle(x, known), want, 20 * 0.6e-7 * float(want.max())


def cfar(acquisition: Any, options: Any, echoes: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Pixel over the mean of its ring, window by window in double; tests/test_detect.py has NaN, bright pixels and 60 dB."""
    x = np.ascontiguousarray(np.abs(echoes[:70, :90]) ** 2)
    got = _native.cfar_ratio(x, _native.CfarWindows(21, 9), 0.25, 1000.0)
    want = np.empty(x.shape)
    for i, j in np.ndindex(*x.shape):
        outer = x[max(0, i - 10) : i + 11, max(0, j - 10) : j + 11].astype(np.float64)
        inner = x[max(0, i - 4) : i + 5, max(0, j - 4) : j + 5].astype(np.float64)
        want[i, j] = x[i, j] * (outer.size - inner.size) / (outer.sum() - inner.sum())
    # the sum rounded to float32, two divisions and a product: 4 half eps of the largest
    return got, want, 4 * 0.6e-7 * float(want.max())


CASES: dict[str, Callable[..., tuple[np.ndarray, np.ndarray, float]]] = {
    "correct_echoes": correct_echoes,
    "range_compress": range_compress,
    "multilook": multilook,
    "calibrate": calibrate,
    "despeckle": despeckle,
    "cfar": cfar,
}


@pytest.mark.parametrize("stage", [s["name"] for s in _native.stage_table() if s["cpu"]])
def test_stage_against_reference(stage: str) -> None:
    if stage in ("azimuth_compress", "backproject"):
        # Their reference is double-precision backprojection of the same echoes, which judges the chain as a whole.
        assert (ROOT / "tests" / {"azimuth_compress": "test_focus_accuracy.py", "backproject": "test_backproject.py"}[stage]).exists()
        return
    got, want, tolerance = CASES[stage](*small())
    error = float(np.abs(got - want).max())
    print(stage, "largest error", error, "tolerance", tolerance)
    assert np.isfinite(got).all() and error < tolerance


@pytest.mark.parametrize("stage", [s["name"] for s in _native.stage_table() if not s["cuda"]])
def test_absent_cuda_is_refused(stage: str) -> None:
    from sidelook._cli_common import require_device
    from sidelook.errors import MissingAuxiliary

    with pytest.raises(MissingAuxiliary):
        require_device("cuda", stage)
