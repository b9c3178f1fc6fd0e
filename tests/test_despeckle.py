"""Speckle filters: every one against a slow reference in double, and the guarantees that docs/despeckle.md gives."""

from __future__ import annotations

import dataclasses
import itertools
import math
import os
import pathlib
import subprocess
import sys
from typing import Any

import focus_helpers as h
import numpy as np
import pytest
import speckle_reference as ref
from sidelook import _native, despeckle
from sidelook.errors import BadInput, OverMemory
from sidelook.speckle import Despeckler, Options

METHODS = _native.despeckle_methods()
INTENSITY_ONLY = {"gamma_map"}
STEEP = {"enhanced_lee": 0.03, "gamma_map": 0.03, "frost": 0.001}
KEEP_THE_MEAN = ("boxcar", "lee", "kuan", "frost")
WINDOWS = {"refined_lee": (7,), "refined_lee_local": (7,), "lee_sigma": (5, 7, 9, 13, 31, 33, 63, 65)}
ALL_WINDOWS = (3, 5, 7, 9, 13, 31, 33, 63, 65)


def speckled(shape: tuple[int, int], looks: float = 4, seed: int = 1, dynamic_db: float = 30) -> np.ndarray:
    """Gamma speckle on a scene of steps and ramps with a few bright points."""
    rng = np.random.default_rng(seed)
    i, j = np.mgrid[: shape[0], : shape[1]]
    scene = 1 + 3 * (j > shape[1] // 2) + 2 * (i > shape[0] // 3) + i / shape[0]
    image = scene * rng.gamma(looks, 1 / looks, shape)
    bright = rng.random(shape) < 0.002
    image[bright] *= 10 ** (rng.random(int(bright.sum())) * dynamic_db / 10)
    return np.asarray(image, np.float32)


def spoiled(image: np.ndarray, pattern: str) -> np.ndarray:
    """The image with NaN: none, scattered, a mask with a slanted edge, nearly everywhere, or everywhere."""
    out, rng = image.copy(), np.random.default_rng(9)
    i, j = np.indices(image.shape)
    if pattern == "scattered":
        out[rng.random(image.shape) < 0.05] = np.nan
    elif pattern == "mask":
        out[(i > 20 + j / 3) | (j < 5 + i / 10)] = np.nan
        out[40:44] = np.nan
    elif pattern == "sparse":
        out[rng.random(image.shape) < 0.97] = np.nan
    elif pattern == "all":
        out[:] = np.nan
    return out


def settings(method: str, looks: float = 4, **more: Any) -> dict[str, Any]:
    needs = _native.despeckle_needs_looks(method)
    if method in WINDOWS and more.get("window", 7) not in WINDOWS[method]:
        more["window"] = 7 if method.startswith("refined") else 5
    return {"method": method, "kind": "intensity", "looks": looks if needs else None, **more}


def reference(image: np.ndarray, method: str, kind: str, window: int, looks: float | None) -> tuple[np.ndarray, np.ndarray]:
    """The filter in double, and where it may be compared: not where a class of the window hangs on a rounding."""
    x = image.astype(np.float64)
    cu2 = ref.speckle_cu2(kind, looks) if looks else 0.0
    sure = np.full(image.shape, True)
    if method == "boxcar":
        return ref.boxcar(x, window), sure
    if method == "lee":
        return ref.lee(x, window, cu2), sure
    if method == "kuan":
        return ref.kuan(x, window, cu2), sure
    if method == "frost":
        return ref.frost(x, window, 2.0, euclidean=True), sure
    if method == "median":
        return ref.median(x, window), sure
    if method == "refined_lee":
        return ref.refined_lee(x, cu2)
    if method == "refined_lee_local":
        return ref.refined_lee(x, None)
    if method == "lee_sigma":
        assert looks
        table = _native.sigma_range(looks, kind == "amplitude", 0.95)
        return ref.lee_sigma(x, window, cu2, table, _native.bright_level(image))
    c2 = ref.ci2(*ref.moments(x, window))
    if method == "enhanced_lee":
        cmax2 = cu2 + (1 + cu2) * (1.0 if kind == "intensity" else 4 / math.pi - 1)
        return ref.enhanced_lee(x, window, cu2, cmax2, 1.0), ~ref.near(c2, cmax2)
    if method == "gamma_map":
        assert looks
        return ref.gamma_map(x, window, looks), ~ref.near(c2, 2 * cu2)
    raise AssertionError(method)


def compare(got: np.ndarray, want: np.ndarray, sure: np.ndarray, limit: float = 1e-5, floor: np.ndarray | float = 0.0) -> float:
    """Largest relative error, of values below `floor` relative to that."""
    np.testing.assert_array_equal(np.isnan(got), np.isnan(want))
    with np.errstate(invalid="ignore", divide="ignore"):
        error = np.abs(got - want) / np.maximum(np.abs(want), floor)
    error[(got == want) | ~sure | np.isnan(want)] = 0
    assert error.max(initial=0) <= limit, f"{error.max()} at {np.unravel_index(error.argmax(), error.shape)}"
    return float(error.max(initial=0))


def judge(got: np.ndarray, image: np.ndarray, method: str, window: int = 7, looks: float | None = 4, kind: str = "intensity") -> float:
    """Against the reference, to 1e-5. Enhanced Lee and Gamma MAP hang on the variation so steeply near Cmax that a dark pixel there is
    a small difference, and so does Frost's beside a bright point: of such the error is relative to a share of the window's mean."""
    floor = STEEP[method] * ref.moments(image, window)[0] if method in STEEP else 0.0
    return compare(got, *reference(image, method, kind, window, looks), floor=floor)


# ---- against the references --------------------------------------------------------------------------------------

PATTERNS = ("none", "scattered", "mask", "sparse", "all")


@pytest.mark.parametrize(("method", "window"), [(m, w) for m in METHODS for w in WINDOWS.get(m, ALL_WINDOWS)])
@pytest.mark.parametrize("pattern", PATTERNS)
def test_against_the_reference(method: str, window: int, pattern: str) -> None:
    slow = method in ("frost", "median") and window > 13  # their references hold every pixel of every window
    image = spoiled(speckled((66, 70) if slow else (71, 203)), pattern)
    got = despeckle(image, window=window, **settings(method))
    assert got.dtype == np.float32
    print(method, window, pattern, "largest relative error", judge(got, image, method, window))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shape", [(7, 7), (7, 300), (300, 7), (8, 127), (64, 128), (65, 129), (9, 1025), (19, 2049)])
def test_awkward_sizes(method: str, shape: tuple[int, int]) -> None:
    for pattern in ("none", "scattered"):
        image = spoiled(speckled(shape), pattern)
        judge(despeckle(image, **settings(method)), image, method)


@pytest.mark.parametrize("method", [m for m in METHODS if m not in INTENSITY_ONLY])
@pytest.mark.parametrize("looks", [1, 2.7, 16, 400])
def test_amplitude(method: str, looks: float) -> None:
    image = np.sqrt(speckled((60, 90), looks))
    options = {**settings(method, looks), "kind": "amplitude"}
    judge(despeckle(image, **options), image, method, looks=looks, kind="amplitude")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("looks", [0.5, 1, 150, 1e4, 1e6])
def test_few_and_many_looks(method: str, looks: float) -> None:
    """Variances of a millionth of the squared mean must not drown in rounding."""
    image = speckled((60, 150), looks, dynamic_db=60)
    options = settings(method, looks)
    judge(despeckle(image, **options), image, method, looks=looks)


@pytest.mark.parametrize("method", METHODS)
def test_no_drift_over_long_rows(method: str) -> None:
    """10,000 pixels a row, 60 dB between neighbours."""
    rng = np.random.default_rng(3)
    image = (rng.gamma(4, 0.25, (24, 10_000)) * 10 ** rng.choice([0, 0, 0, 3, 6], (24, 10_000))).astype(np.float32)
    for window in WINDOWS.get(method, (7, 15))[:2]:
        got = despeckle(image, window=window, **settings(method))
        print(method, window, judge(got, image, method, window))
    columns = np.ascontiguousarray(image.T)
    judge(despeckle(columns, **settings(method)), columns, method)


# ---- as other tools have it ---------------------------------------------------------------------------------------


def of_tool(tool: str, method: str, kind: str, part: np.ndarray, looks: float, damping: float) -> float:
    """One pixel, from its window alone, by the formula that SNAP and OTB code: variance over N - 1, Cu = 1 / sqrt(L) whatever the kind."""
    values = [float(v) for v in part.ravel()]
    x, mean = float(part[part.shape[0] // 2, part.shape[1] // 2]), sum(values) / len(values)
    var = sum((v - mean) ** 2 for v in values) / (len(values) - 1)
    cu2, c2 = 1 / looks, var / mean**2
    if method == "frost":
        total = weights = 0.0
        for (i, j), v in np.ndenumerate(part):
            a, b = i - part.shape[0] // 2, j - part.shape[1] // 2
            w = math.exp(-damping * c2 * (max(abs(a), abs(b)) if tool == "snap" else math.hypot(a, b)))
            total, weights = total + w * float(v), weights + w
        return total / weights
    if c2 <= cu2:
        return mean
    w = 1 - cu2 / c2
    if method == "lee":
        return x * w + mean * (1 - w)
    if method == "kuan":
        w /= 1 + cu2
        return x * w + mean * (1 - w)
    if c2 >= 2 * cu2:
        return x
    a = (1 + cu2) / (c2 - cu2)
    b = a - looks - 1
    return (b * mean + math.sqrt(mean**2 * b**2 + 4 * a * looks * mean * x)) / (2 * a)


@pytest.mark.parametrize(
    ("tool", "method"),
    [("otb", "kuan"), *((tool, method) for tool in ("snap", "otb") for method in ("lee", "gamma_map", "frost"))],
)
@pytest.mark.parametrize("kind", ["intensity", "amplitude"])
def test_compat(tool: str, method: str, kind: str) -> None:
    if kind == "amplitude" and method in INTENSITY_ONLY:
        pytest.skip("models intensity")
    for looks, window in ((1.0, 3), (4.4, 7), (16.0, 11)):
        image = speckled((40, 50), looks)
        if kind == "amplitude":
            image = np.sqrt(image)
        options = {**settings(method, looks, window=window, compat=tool), "kind": kind}
        got, h_ = despeckle(image, **options), window // 2
        for i in range(h_, 40 - h_):
            for j in range(h_, 50 - h_):
                part = image[i - h_ : i + h_ + 1, j - h_ : j + h_ + 1].astype(np.float64)
                want = of_tool(tool, method, kind, part, looks, 2.0 if tool == "snap" else 0.1)
                c2 = part.var(ddof=1) / part.mean() ** 2
                if method != "gamma_map" or abs(c2 * looks / 2 - 1) > 1e-5:
                    assert got[i, j] == pytest.approx(want, rel=1e-5, abs=3e-7 * part.mean())


@pytest.mark.parametrize("window", [3, 7, 9, 31])
@pytest.mark.parametrize("distance", ["euclidean", "chebyshev"])
def test_frost_by_either_distance(window: int, distance: str) -> None:
    image = spoiled(speckled((50, 60)), "scattered")
    for damping in (0.1, 2.0, 30.0):
        got = despeckle(image, "frost", "intensity", window=window, damping=damping, distance=distance)  # type: ignore[arg-type]
        want = ref.frost(image, window, damping, distance == "euclidean")
        compare(got, want, np.full(image.shape, True))


# ---- the sigma range and bright targets --------------------------------------------------------------------------


@pytest.mark.parametrize("looks", [0.5, 1, 3.7, 20, 300])
@pytest.mark.parametrize("kind", ["intensity", "amplitude"])
def test_sigma_range_by_its_definition(looks: float, kind: str) -> None:
    """The range holds the share, its mean is that of all, by integrals of the density."""
    integrate, stats = pytest.importorskip("scipy.integrate"), pytest.importorskip("scipy.stats")
    gamma = stats.gamma(looks, scale=1 / looks)
    mean = 1.0 if kind == "intensity" else gamma.expect(np.sqrt)
    for share in (0.5, 0.8, 0.9, 0.95):
        low, high, cu2 = _native.sigma_range(looks, kind == "amplitude", share)

        def density(x: float) -> float:
            return float(gamma.pdf(x) if kind == "intensity" else 2 * x * mean**2 * gamma.pdf((x * mean) ** 2))

        held, first, second = (
            integrate.quad(lambda x, k=k: x**k * density(x), low, high, epsabs=1e-12, points=[1.0] if low < 1 < high else None)[0]
            for k in (0, 1, 2)
        )
        assert held == pytest.approx(share, rel=1e-6) and first / held == pytest.approx(1, rel=1e-6)
        assert second / held - 1 == pytest.approx(cu2, rel=1e-4, abs=1e-9)


def test_bright_level_is_the_percentile() -> None:
    image = spoiled(speckled((300, 400)), "mask")
    level = _native.bright_level(image)
    want = np.nanpercentile(image, 98)
    assert 0.992 * want <= level <= want
    assert _native.bright_level(image * np.float32(0.25)) == level / 4
    assert math.isinf(_native.bright_level(np.full((3, 3), np.nan, np.float32)))
    assert _native.bright_level(np.where(np.isnan(image), np.float32(-9), image), -9) == level


def test_bright_targets_are_kept() -> None:
    image = speckled((40, 60), 4)
    image[20:23, 30:33] *= 100  # nine
    image[5, 5] *= 100  # alone
    image[10:12, 10:12] *= 100  # four
    bright = float(image[20:23, 30:33].min())
    out = despeckle(image, "lee_sigma", "intensity", looks=4, window=9, bright_level=bright)
    np.testing.assert_array_equal(out[20:23, 30:33], image[20:23, 30:33])
    assert out[11, 11] != image[11, 11]
    other = despeckle(image, "lee_sigma", "intensity", looks=4, window=9, bright_level=math.inf)
    assert other[21, 31] != image[21, 31]


# ---- the same bits -----------------------------------------------------------------------------------------------


def streamed(image: np.ndarray, **options: Any) -> np.ndarray:
    job = Despeckler(*image.shape, Options(**options))
    out = np.zeros_like(image)

    def write(first: int, block: np.ndarray) -> None:
        out[first : first + len(block)] = block

    job.run(lambda first, lines: image[first : first + lines], write)
    return out


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("pattern", ["none", "scattered", "mask"])
def test_blocks_and_threads_change_no_bit(method: str, pattern: str) -> None:
    image = spoiled(speckled((211, 1301)), pattern)
    for window in (7, 31):
        options = settings(method, window=window)
        whole = despeckle(image, threads=1, **options).tobytes()
        for block, threads in itertools.product((1, 13, 100, 211), (1, 3)):
            assert streamed(image, block_lines=block, threads=threads, **options).tobytes() == whole
        for threads in (2, 5):
            assert despeckle(image, threads=threads, **options).tobytes() == whole


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("pattern", ["none", "scattered", "mask"])
def test_crops_change_no_bit(method: str, pattern: str) -> None:
    image = spoiled(speckled((300, 1500), seed=4), pattern)
    rng = np.random.default_rng(5)
    for window in (3, 7, 33):
        options = settings(method, window=window)
        half = options["window"] // 2
        if method == "lee_sigma":  # which is the whole scene's else
            options["bright_level"] = _native.bright_level(image)
        whole = despeckle(image, **options)
        for _ in range(6):
            i, j = int(rng.integers(0, 150)), int(rng.integers(0, 900))
            n, m = int(rng.integers(max(7, window), 150)), int(rng.integers(max(7, window), 600))
            part = despeckle(image[i : i + n, j : j + m], **options)
            inner = np.s_[half : n - half, half : m - half]
            assert part[inner].tobytes() == whole[i : i + n, j : j + m][inner].tobytes()


@pytest.mark.parametrize("method", METHODS)
def test_long_columns_are_cut_for_threads(method: str) -> None:
    image = speckled((1500, 64))
    options = settings(method)
    assert despeckle(image, threads=4, **options).tobytes() == despeckle(image, threads=1, **options).tobytes()


# ---- missing pixels ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", ["intensity", "amplitude"])
def test_a_lone_pixel_passes(method: str, kind: str) -> None:
    if kind == "amplitude" and method in INTENSITY_ONLY:
        pytest.skip("models intensity")
    for place in ((0, 0), (17, 33), (39, 79)):
        image = np.full((40, 80), np.nan, np.float32)
        image[place] = 3.7
        out = despeckle(image, **{**settings(method), "kind": kind})
        assert out[place] == image[place] and np.isnan(out).sum() == out.size - 1


@pytest.mark.parametrize("method", METHODS)
def test_zero_is_data_unless_nodata_says_otherwise(method: str) -> None:
    image = speckled((50, 200))
    image[10:30, 40:90] = 0
    image[0:30, 0:9] = 0
    options = settings(method)
    judge(despeckle(image, **options), image, method)
    assert not np.isnan(despeckle(image, **options)).any() and despeckle(image, **options)[20, 65] == 0
    gone = np.where(image == 0, np.float32(np.nan), image)
    for value in (0.0, -9999.0):
        marked = np.where(image == 0, np.float32(value), image)
        assert despeckle(marked, nodata=value, **options).tobytes() == despeckle(gone, **options).tobytes()


@pytest.mark.parametrize("method", METHODS)
def test_a_constant_stays(method: str) -> None:
    for value in (0.0, 1.0, 0.1, 7e9):
        image = np.full((30, 40), value, np.float32)
        np.testing.assert_allclose(despeckle(image, **settings(method)), image, rtol=3e-7)


# ---- statistics --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("looks", [1, 4])
def test_mean_of_homogeneous_speckle(method: str, looks: float) -> None:
    """3 million looks: the means' own deviation is 0.06 %; that of out over in is less, they are of the same pixels."""
    image = np.random.default_rng(11).gamma(looks, 1 / looks, (1200, 2500)).astype(np.float32)
    out = despeckle(image, **settings(method, looks))
    ratio = image[8:-8, 8:-8].astype(np.float64) / out[8:-8, 8:-8]
    kept = out.mean(dtype=np.float64) / image.mean(dtype=np.float64)
    print(f"{method}, L = {looks}: mean out / in {kept:.5f}; ratio image mean {ratio.mean():.4f}, variance {ratio.var():.4f}")
    if method in KEEP_THE_MEAN:
        assert abs(kept - 1) < 0.005


@pytest.mark.parametrize("method", METHODS)
def test_scale_and_flips(method: str) -> None:
    image = spoiled(speckled((80, 300)), "scattered")
    options = settings(method)
    out = despeckle(image, **options)

    def scaled(factor: float) -> np.ndarray:
        level = {"bright_level": options["bright_level"] * factor} if "bright_level" in options else {}
        return despeckle(image * np.float32(factor), **{**options, **level})

    for factor in (2.0**-20, 2.0**13):  # exact, so that what changes is not the input's rounding
        np.testing.assert_array_equal(scaled(factor), out * np.float32(factor))
    sure, mean = reference(image, method, "intensity", 7, 4)[1], ref.moments(image, 7)[0]
    if method == "lee_sigma":  # the scene's level is found to 0.4 % only
        options["bright_level"] = _native.bright_level(image)
    limit, floor = (3e-6, 0.01 * mean) if method in STEEP else (1e-6, 0.0)
    for factor in (1e-9, 3.3e6):
        compare(scaled(factor) / np.float32(factor), out.astype(np.float64), sure, limit, floor)
    for flip in (np.s_[::-1], np.s_[:, ::-1], np.s_[::-1, ::-1]):
        compare(despeckle(image[flip], **options)[flip], out.astype(np.float64), sure, limit, floor)


def test_instruction_sets_agree() -> None:
    """To rounding; each is a process of its own."""
    code = (
        "import sys, numpy as np, test_despeckle as t\n"
        "image = t.spoiled(t.speckled((60, 200)), 'scattered')\n"
        "np.save(sys.argv[1], np.array([t.despeckle(image, **t.settings(m)) for m in t.METHODS]))\n"
    )
    import tempfile

    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for isa in ("portable", "avx2", "avx512"):
            path = pathlib.Path(folder) / f"{isa}.npy"
            environment = {**h.environment(), "SIDELOOK_MAX_ISA": isa}
            environment["PYTHONPATH"] = os.pathsep.join([str(pathlib.Path(__file__).parent), environment.get("PYTHONPATH", "")])
            subprocess.run([sys.executable, "-c", code, str(path)], check=True, env=environment, timeout=300)
            found[isa] = np.load(path)
    image = spoiled(speckled((60, 200)), "scattered")
    for isa in ("avx2", "avx512"):
        for method, a, b in zip(METHODS, found[isa], found["portable"], strict=True):
            sure = reference(image, method, "intensity", 7, 4)[1]
            compare(a, b.astype(np.float64), sure, 5e-6, 0.01 * ref.moments(image, 7)[0])


# ---- refusals ----------------------------------------------------------------------------------------------------

GOOD = np.ones((20, 30), np.float32)


def changed(value: float) -> np.ndarray:
    image = GOOD.copy()
    image[13, 7] = value
    return image


@pytest.mark.parametrize(
    ("image", "options", "sentence"),
    [
        (GOOD, {"window": 4}, "window is 4; must be odd and lie between 3 and 65"),
        (GOOD, {"window": 1}, "window is 1; must be odd and lie between 3 and 65"),
        (GOOD, {"window": 67}, "window is 67; must be odd"),
        (GOOD, {"window": -7}, "window is -7; must be odd"),
        (GOOD, {"window": 21}, "window is 21; must not exceed the image, 20 lines x 30 samples"),
        (GOOD, {"window": 7.0}, "window is 7.0; must be a whole number"),
        (GOOD, {"looks": 0}, "looks is 0; must lie above 0"),
        (GOOD, {"looks": -1.5}, "looks is -1.5; must lie above 0"),
        (GOOD, {"looks": float("nan")}, "looks is nan; must be"),
        (GOOD, {"looks": float("inf")}, "looks is inf; must lie"),
        (GOOD, {"looks": "four"}, "looks is 'four'; must be a number"),
        (GOOD, {"looks": None}, "looks is not given; lee must be told the equivalent number of looks"),
        (GOOD, {"method": "best"}, "method is 'best'; must be one of boxcar, lee"),
        (GOOD, {"method": None}, "method is None; must be a name"),
        (GOOD, {"kind": "power"}, "kind is 'power'; must be intensity"),
        (GOOD, {"kind": "db"}, "kind is 'db'; must be intensity"),
        (GOOD, {"kind": "complex"}, "kind is 'complex'; must be intensity"),
        (GOOD, {"kind": "amplitude", "method": "gamma_map"}, "kind is amplitude; gamma_map models intensity: must be given"),
        (GOOD, {"compat": "gamma"}, "compat is 'gamma'; must be snap or otb"),
        (GOOD, {"compat": "snap", "method": "kuan"}, "compat is snap; snap has no kuan"),
        (GOOD, {"damping": 1.0}, "damping is given; must be left out, lee has none"),
        (GOOD, {"sigma": 0.9}, "sigma is given; must be left out, lee has none"),
        (GOOD, {"distance": "euclidean"}, "distance is given; must be left out, lee has none"),
        (GOOD, {"bright_level": 9.0}, "bright_level is given; must be left out, lee has none"),
        (GOOD, {"method": "frost", "distance": "taxi"}, "distance is 'taxi'; must be euclidean or chebyshev"),
        (GOOD, {"method": "frost", "compat": "otb", "distance": "chebyshev"}, "distance is chebyshev; must be euclidean with"),
        (GOOD, {"method": "lee_sigma", "sigma": 1.0}, "sigma is 1; must lie between 0.1 and 0.99"),
        (GOOD, {"method": "lee_sigma", "bright_level": -1}, "bright_level is -1; must not be negative"),
        (GOOD, {"method": "lee_sigma", "window": 3}, "window is 3; must be odd and lie between 5 and 65"),
        (GOOD, {"method": "refined_lee", "window": 9}, "window is 9; must be 7 for refined_lee"),
        (GOOD, {"damping": 0.0, "method": "enhanced_lee"}, "damping is 0; must lie above 0"),
        (GOOD, {"nodata": float("inf")}, "nodata is inf; must be finite"),
        (GOOD, {"threads": -1}, "threads is -1; must be 0"),
        (GOOD.astype(np.complex64), {}, "image is complex64; must be float32 intensity or amplitude, not complex"),
        (GOOD.astype(np.float64), {}, "image is float64; must be float32"),
        (GOOD.astype(np.uint16), {}, "image is uint16; must be float32"),
        (GOOD[0], {}, "image is not two-dimensional"),
        (GOOD[:0], {}, "image is 0 x 30; must not be empty"),
        (10 * np.log10(0.5 * GOOD), {}, "image has values below 0 in lines 0 to 19, the least -3.01"),
        (changed(-1e-3), {}, "image has values below 0"),
        (changed(np.inf), {}, "image has the value inf in lines 0 to 19; must be finite"),
        (changed(-np.inf), {}, "image has values below 0"),
        (changed(2e15), {}, "must be finite and not above 1e15"),
    ],
)  # fmt: skip
def test_refusals(image: np.ndarray, options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadInput) as refused:
        despeckle(image, **{"method": "lee", "kind": "intensity", "looks": 4, **options})
    print(refused.value)
    assert sentence in str(refused.value) and "\n" not in str(refused.value) and refused.value.exit_code == 3


def test_the_result_goes_where_it_is_wanted() -> None:
    image = speckled((30, 40))
    out = np.empty_like(image)
    assert despeckle(image, "lee", "intensity", looks=4, out=out) is out
    assert out.tobytes() == despeckle(np.asfortranarray(image), "lee", "intensity", looks=4).tobytes()
    for wrong, sentence in ((out[1:], "out is 29 x 40; must be 30 x 40"), (out.T, "no C-contiguous"), (image, "shares memory")):
        with pytest.raises(BadInput, match=sentence):
            despeckle(image, "lee", "intensity", looks=4, out=wrong)


def test_one_pixel() -> None:
    with pytest.raises(BadInput, match="window is 7; must not exceed the image, 1 lines x 1 samples"):
        despeckle(np.ones((1, 1), np.float32), "boxcar", "intensity")


def test_a_stream_that_ends_early_or_holds_decibels() -> None:
    job = Despeckler(40, 30, Options("lee", "intensity", looks=4, block_lines=10))
    with pytest.raises(BadInput, match="image ended early"):
        job.run(lambda first, lines: GOOD[:5], lambda first, block: None)
    with pytest.raises(BadInput, match="image is float64"):
        job.run(lambda first, lines: np.ones((lines, 30)), lambda first, block: None)  # type: ignore[arg-type, return-value]
    with pytest.raises(BadInput, match="values below 0"):
        job.run(lambda first, lines: np.full((lines, 30), -7, np.float32), lambda first, block: None)


def test_memory_is_bounded() -> None:
    options = Options("lee", "intensity", window=31, looks=4, threads=2)
    long, longer = Despeckler(50_000, 3000, options).plan, Despeckler(500_000, 3000, options).plan
    assert long.bytes == longer.bytes
    tight = Despeckler(50_000, 3000, dataclasses.replace(options, max_ram=long.bytes // 4)).plan
    assert tight.bytes <= long.bytes // 4 and tight.block_lines < long.block_lines
    with pytest.raises(OverMemory, match="one line needs at least"):
        Despeckler(50_000, 3000, dataclasses.replace(options, max_ram=1000))
