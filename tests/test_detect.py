"""Detection: the test ratio, thresholds, objects, measurement and refusals, each against something slow and obvious."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from clutter import clutter_image, metadata_of
from scipy import integrate, ndimage, special
from sidelook import _native
from sidelook.detect import Options, detect
from sidelook.errors import BadInput

# ---- the test ratio ----------------------------------------------------------------------------------------------


def reference_ratio(x: np.ndarray, training: int, guard: int, clip: float, least: float) -> np.ndarray:
    """The definition in double: medians of 16 x 16 cells make the clutter map, what is brighter counts as that level."""
    lines, samples = x.shape
    valid = (x > 0) & np.isfinite(x)
    rows, cols = -(-lines // 16), -(-samples // 16)
    median, count = np.zeros((rows, cols)), np.zeros((rows, cols))
    for r in range(rows):
        for c in range(cols):
            part = x[16 * r : 16 * r + 16, 16 * c : 16 * c + 16]
            part = np.sort(part[(part > 0) & np.isfinite(part)])
            count[r, c] = len(part)
            median[r, c] = part[len(part) // 2] if len(part) else 0

    def middle(values: list[float]) -> float:
        return sorted(values)[int(0.5 * (len(values) - 1))]

    known = [m for m, n in zip(median.ravel(), count.ravel(), strict=True) if n >= 64]
    level = np.full((rows, cols), middle(known))
    for r in range(rows):
        for c in range(cols):
            for reach in (2, 4, 8):
                near = (slice(max(0, r - reach), r + reach + 1), slice(max(0, c - reach), c + reach + 1))
                values = [m for m, n in zip(median[near].ravel(), count[near].ravel(), strict=True) if n >= 64]
                if len(values) >= 6:
                    level[r, c] = middle(values)
                    break
    level = np.float32(3.2 / 2.2) * level.astype(np.float32)
    wide = np.repeat(np.repeat(level, 16, 0), 16, 1)[:lines, :samples]
    train = np.where(valid, np.where(x <= np.float32(clip) * wide, x, wide), 0).astype(np.float64)
    out = np.full(x.shape, np.nan)
    h, g = training // 2, guard // 2
    t = np.pad(train, h)
    n = np.pad(valid.astype(float), h)
    needed = math.ceil(least * (training**2 - guard**2))
    for i, j in zip(*np.nonzero(valid), strict=True):
        box = (slice(i, i + training), slice(j, j + training))
        inner = (slice(i + h - g, i + h + g + 1), slice(j + h - g, j + h + g + 1))
        ring, number = t[box].sum() - t[inner].sum(), n[box].sum() - n[inner].sum()
        if number >= needed and ring > 0:
            out[i, j] = x[i, j] * number / ring
    return out


def spoilt_image(shape: tuple[int, int], seed: int = 3) -> np.ndarray:
    """Speckle over 60 dB of levels, bright pixels, a diagonal shore of NaN, single NaN, zeros and an infinity."""
    rng = np.random.default_rng(seed)
    x = rng.exponential(1, shape).astype(np.float32) * np.float32(10) ** np.linspace(-3, 3, shape[1], dtype=np.float32)
    x[rng.random(shape) < 0.01] *= 1e3
    x[rng.random(shape) < 0.01] = np.nan
    i, j = np.indices(shape)
    x[i > 3 * j - shape[1]] = np.nan
    x[5, -20:] = 0
    x[7, -3] = np.inf
    return x


@pytest.mark.parametrize(("training", "guard"), [(9, 1), (13, 9), (31, 15), (65, 63)])
def test_ratio_is_the_definition(training: int, guard: int) -> None:
    x = spoilt_image((97, 171))
    got = _native.cfar_ratio(x, _native.CfarWindows(training, guard), 0.25, 12.0)
    want = reference_ratio(x, training, guard, 12.0, 0.25)
    assert (np.isnan(got) == np.isnan(want)).all() and np.isfinite(want).sum() > 1000
    with np.errstate(invalid="ignore"):
        error = np.nanmax(np.abs(got / want - 1))
    print("largest relative error", error)
    # float32: one rounding of the sum, two divisions and a product, 4 x 2^-24; the sums are exact but for 2^-40 of the largest level
    assert error < 1e-6 + 2.0**-16


def test_no_drift_along_long_lines() -> None:
    rng = np.random.default_rng(4)
    samples = 12000
    x = rng.exponential(1, (67, samples)).astype(np.float32)
    x *= np.float32(10) ** (3 * np.sin(np.arange(samples, dtype=np.float32) / 900))  # 60 dB, there and back
    got = _native.cfar_ratio(x, _native.CfarWindows(33, 11), 0.25, 100.0)  # nothing is brighter
    line = 33
    t = x[line - 16 : line + 17].astype(np.float64)
    inner = x[line - 5 : line + 6].astype(np.float64)
    outer_sum = np.convolve(t.sum(0), np.ones(33), "same")
    inner_sum = np.convolve(inner.sum(0), np.ones(11), "same")
    number = np.convolve(np.full(samples, 33.0), np.ones(33), "same") - np.convolve(np.full(samples, 11.0), np.ones(11), "same")
    want = x[line] * number / (outer_sum - inner_sum)
    assert np.abs(got[line] / want - 1).max() < 1e-5


def test_ratio_depends_on_neither_blocks_nor_threads_nor_crop() -> None:
    x = spoilt_image((300, 1200))
    windows = _native.CfarWindows(31, 15)
    whole = _native.cfar_ratio(x, windows, 0.25, 12.0, 4096, 1).view(np.uint32)
    for lines in (1, 7, 64, 299):
        for threads in (1, 3):
            again = _native.cfar_ratio(x, windows, 0.25, 12.0, lines, threads).view(np.uint32)
            assert (again != whole).sum() == 0
    # A crop at a multiple of a cell sees the same clutter map but near its border, where it knows less: 8 cells and the window.
    crop = _native.cfar_ratio(np.ascontiguousarray(x[64:, 320:]), windows, 0.25, 12.0).view(np.uint32)
    inside = (slice(48, -48), slice(48, -48))
    level_same = (crop[inside] != whole[64:, 320:][inside]).sum()
    # the quantum follows the largest level of the image: the last column's, which both have
    assert level_same == 0


# ---- thresholds --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("looks", "order"), [(1.0, 0.7), (1.0, 4.0), (3.7, 2.0), (16.0, 12.0)])
def test_k_distribution_against_its_bessel_function(looks: float, order: float) -> None:
    mean = 1.7

    def density(z: float) -> float:
        """Oliver & Quegan, chapter 5."""
        a, m = looks * order / mean, (looks + order) / 2
        scale = special.kve(order - looks, 2 * math.sqrt(a * z)) * math.exp(-2 * math.sqrt(a * z))
        return 2 * a**m * z ** (m - 1) / (special.gamma(looks) * special.gamma(order)) * scale

    for t in (0.5, 3.0, 12.0, 30.0):
        want = integrate.quad(density, t, 400 * mean, limit=400, epsabs=1e-16, epsrel=1e-9)[0]
        if want > 1e-12:
            assert _native.clutter_exceedance(t, mean, looks, order) == pytest.approx(want, rel=2e-5)


def test_gamma_clutter_and_levels() -> None:
    for looks in (0.6, 1.0, 3.0, 40.0):
        for t in (0.1, 1.0, 2.5, 8.0):
            assert _native.clutter_exceedance(t, 1.0, looks, 1e9) == pytest.approx(
                special.gammaincc(looks, looks * t), rel=1e-10, abs=1e-300
            )
    for share in (1e-2, 1e-6, 1e-9):
        level = _native.clutter_level(share, 1.2, 2.0, 5.0)
        assert _native.clutter_exceedance(level, 1.2, 2.0, 5.0) == pytest.approx(share, rel=1e-6)


@pytest.mark.parametrize(("order", "looks", "correlation", "images"), [(5.0, 1, 20.0, 5), (2.0, 1, 6.0, 3), (5.0, 4, 20.0, 2)])
def test_false_alarm_rate_of_independent_clutter(order: float, looks: int, correlation: float, images: int) -> None:
    rate, above, pixels = 1e-5, 0, 0
    for seed in range(images):
        x, metadata = clutter_image((2048, 2048), order=order, correlation=(correlation, correlation), looks=looks, seed=seed + 40)
        found = detect(x, metadata, false_alarm_rate=rate)
        above += found.metadata["pixels_above_threshold"]
        pixels += found.metadata["pixels_searched"]
    factor = above / pixels / rate
    # false alarms come in groups of about 1.7 pixels: 210 of them vary by 9 %, 84 by 14 %; three times that are allowed for
    spread = 3 * math.sqrt(1.7 / (pixels * rate))
    print("order", order, "looks", looks, "factor", factor, "of", above, "pixels")
    assert 1 / 1.5 / (1 + spread) < factor < 1.5 * (1 + spread)


def test_ships_do_not_raise_the_threshold() -> None:
    x, metadata = clutter_image((1024, 1024), order=4.0, seed=9)
    alone = detect(x, metadata).metadata["zones"][0]["threshold"]
    rng = np.random.default_rng(1)
    for _ in range(25):
        i, j = rng.integers(60, 960, 2)
        x[i : i + 30, j : j + 6] *= 300 * rng.exponential(1, (30, 6)).astype(np.float32)
    full = detect(x, metadata).metadata["zones"][0]["threshold"]
    print(alone, full)
    assert abs(full / alone - 1) < 0.15


# ---- objects -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("density", [0.05, 0.3, 0.45, 0.7])
def test_objects_are_those_of_scipy(density: float) -> None:
    rng = np.random.default_rng(int(100 * density))
    ratio = np.where(rng.random((83, 131)) < density, rng.uniform(0.4, 1.2, (83, 131)), np.nan).astype(np.float32)
    got, count = _native.label_objects(ratio, 0.5)
    labels, n = ndimage.label(ratio >= 0.5, np.ones((3, 3)))
    keep = [k for k in range(1, n + 1) if (ratio[labels == k] >= 1).any()]
    want = np.zeros_like(labels)
    for new, k in enumerate(keep, 1):
        want[labels == k] = new
    assert count == len(keep) and (got == want).all()


def ship(
    x: np.ndarray, line: float, sample: float, length_m: float, axis_deg: float, rng: np.random.Generator, power: float = 300.0
) -> None:
    """Adds a hull of fading scatterers on both sides of an outline, spread by a Gaussian response, to intensity."""
    spacing, resolution = np.array([4.0, 5.0]), np.array([1.45 * 4.0, 1.2 * 5.0])
    n = max(14, int(length_m / 4))
    along = (np.arange(n) + rng.random(n)) / n - 0.5
    side = np.where(rng.random(n) < 0.5, 0.5, -0.5) * np.minimum(1, (0.5 - along) / 0.18)
    direction = np.array([math.cos(math.radians(axis_deg)), math.sin(math.radians(axis_deg))])
    place = length_m * along[:, None] * direction + length_m / 6.5 * side[:, None] * np.array([-direction[1], direction[0]])
    i, j = np.indices(x.shape)
    field = np.sqrt(x) * np.exp(2j * np.pi * rng.random(x.shape))
    for (y, z), p in zip(place, power * rng.exponential(1, n), strict=True):
        dy, dz = (i - line) * spacing[0] - y, (j - sample) * spacing[1] - z
        near = (np.abs(dy) < 30) & (np.abs(dz) < 30)
        shape = np.exp(-2 * math.log(2) * ((dy[near] / resolution[0]) ** 2 + (dz[near] / resolution[1]) ** 2))
        field[near] += math.sqrt(p) * shape * np.exp(2j * np.pi * rng.random())
    x[...] = np.abs(field) ** 2


def test_hulls_of_known_pose() -> None:
    rng = np.random.default_rng(12)
    poses, errors, stretch, sigmas = [], [], [], []
    for k in range(6):
        x, metadata = clutter_image((512, 512), order=6.0, seed=70 + k)
        here = []
        for line in (100.0, 256.3, 410.7):
            for sample in (110.2, 256.6, 400.0):
                pose = (line + rng.random(), sample + rng.random(), rng.uniform(60, 250), rng.uniform(0, 180))
                ship(x, *pose, rng)
                here.append(pose)
        found = detect(x, metadata).objects
        for pose in here:
            near = [o for o in found if abs(o.line - pose[0]) < 20 and abs(o.sample - pose[1]) < 20]
            assert len(near) == 1, (pose, near)
            o = near[0]
            poses.append(pose)
            # no layover in these hulls: what the estimator takes off for it is put back
            lean = 0.025 * o.length_m * 0.8 / 0.6
            errors.append(((o.line - pose[0]) * 4.0, (o.sample - pose[1]) * 5.0 - lean))
            sigmas.append((o.azimuth_sigma_m, o.ground_range_sigma_m))
            stretch.append(o.length_m - pose[2])
            assert o.heading_deg is None and o.latitude_deg is None  # no orbit
    e, s = np.array(errors), np.array(sigmas)
    print("bias", e.mean(0), "RMS", np.sqrt((e**2).mean(0)), "within 2 sigma", (np.abs(e) < 2 * s).mean())
    print("length bias", np.mean(stretch), "RMS", np.sqrt(np.mean(np.square(stretch))))
    count = len(poses)
    assert (np.abs(e.mean(0)) < 3 * e.std(0) / math.sqrt(count) + 1).all()
    assert np.median(np.hypot(*e.T)) < 6.0  # a cell
    assert (np.abs(e) < 2 * s).mean() > 0.9
    assert abs(np.mean(stretch)) < 8 and np.sqrt(np.mean(np.square(stretch))) < 20


def test_cross_section_of_a_point() -> None:
    x, metadata = clutter_image((256, 256), order=math.inf, seed=5)
    energies = []
    for k in range(8):
        y = x * np.float32(0.01)
        place = (100.0 + k / 7, 120.0 + k / 5)
        i, j = np.indices(x.shape)
        response = np.exp(-4 * math.log(2) * (((i - place[0]) / 1.45) ** 2 + ((j - place[1]) / 1.2) ** 2))
        y += (40 * response).astype(np.float32)
        found = [o for o in detect(y, metadata).objects if abs(o.line - place[0]) < 3]
        assert len(found) == 1
        assert math.hypot((found[0].line - place[0]) * 4, (found[0].sample - place[1]) * 5) < 2 * found[0].position_sigma_m
        energies.append(found[0].rcs_dbsm - 10 * math.log10(40 * response.sum() * 20))
    print("errors (dB)", np.round(energies, 2))
    assert max(map(abs, energies)) < 0.15


def test_search_depends_on_neither_blocks_nor_threads() -> None:
    x, metadata = clutter_image((400, 700), order=4.0, seed=2)
    rng = np.random.default_rng(3)
    for k in range(6):
        ship(x, 60.0 + 55 * k, 90.0 + 100 * k, 80.0, 30.0 * k, rng)
    x[:, :20] = np.nan
    first = detect(x, metadata, block_lines=400, threads=1)
    assert len(first.objects) >= 6
    for lines, threads in ((1, 2), (37, 1), (64, 3)):
        again = detect(x, metadata, block_lines=lines, threads=threads)
        assert again.objects == first.objects and again.area_searched_km2 == first.area_searched_km2


def test_no_ships_is_an_answer() -> None:
    x, metadata = clutter_image((256, 256), order=5.0, seed=1)
    found = detect(x, metadata, false_alarm_rate=1e-9)
    assert found.objects == [] and found.area_searched_km2 == pytest.approx(256 * 256 * 20e-6)


# ---- flags and land ----------------------------------------------------------------------------------------------


def test_azimuth_ambiguities_are_flagged() -> None:
    from sidelook import simulate
    from sidelook.acquisition import Acquisition

    native = simulate.acquire(simulate.sensor("c-stripmap"), 2048, 3072)
    acquisition = Acquisition.from_native(native)
    x, metadata = clutter_image((3200, 256), order=math.inf, seed=8)
    velocity, near = 7180.0, 818e3
    metadata |= {"line_spacing_s": 1 / native.prf_hz, "first_sample_slant_range_m": near, "sample_spacing_m": 3.0}
    metadata["source"] = {
        "acquisition": acquisition.to_dict(),
        "effective_velocity_m_per_s": velocity,
        "doppler_centroid_hz": [[0, 100.0]],
        "first_sample_slant_range_m": near,
        "sample_spacing_m": 3.0,
    }
    metadata["first_line_time_s"] = 19.5
    line, sample = 1600, 100
    x[line - 3 : line + 3, sample - 3 : sample + 3] = 3e5
    # where pulses one PRF off are focused, from the range history R(t) = sqrt(R0^2 + v^2 t^2), solved without a formula
    r0, wavelength = near + 3.0 * sample, 299792458.0 / native.carrier_hz
    t = np.linspace(-2, 2, 400001)
    r = np.hypot(r0, velocity * t)
    doppler = -2 / wavelength * velocity**2 * t / r
    ghosts = []
    for n in (-1, 1):
        seen = t[np.argmin(np.abs(doppler - (100.0 + n * native.prf_hz)))]
        taken_for = t[np.argmin(np.abs(doppler - 100.0))]
        range_there = np.hypot(r0, velocity * seen) - np.hypot(r0, velocity * taken_for)
        ghosts.append((line + (seen - taken_for) * native.prf_hz, sample + range_there / 3.0))
    for i, j in ghosts:
        x[round(i) - 2 : round(i) + 3, round(j) - 2 : round(j) + 3] = 300
    x[700:705, 200:205] = 300  # a ship that is no ghost
    flags = {(round(o.line), round(o.sample)): o.flags for o in detect(x, metadata).objects}
    print(flags, ghosts)
    assert len(flags) == 4

    def near(line: float, sample: float) -> tuple[str, ...]:
        return next(f for (i, j), f in flags.items() if abs(i - line) < 4 and abs(j - sample) < 4)

    assert [near(*g) for g in ghosts] == [("azimuth_ambiguity",)] * 2
    assert near(line, sample) == () and near(702, 202) == ()


def test_side_lobes_edges_and_land_are_flagged() -> None:
    x, metadata = clutter_image((300, 300), order=math.inf, seed=8)
    x[150:153, 150:153] = 1e6
    x[150:153, 190:193] = 60  # on the same lines, 50 dB below
    x[200:204, 40:44] = 200
    x[0:4, 250:254] = 200
    land = np.zeros(x.shape, np.uint8)
    land[240:, :] = 1
    x[240:, :] *= 20
    x[233:237, 100:104] = 300
    flags = {(round(o.line, -1), round(o.sample, -1)): o.flags for o in detect(x, metadata, land=land).objects}
    print(flags)
    assert flags == {(0, 250): ("edge",), (150, 150): (), (150, 190): ("side_lobe",), (200, 40): (), (240, 100): ("land",)} or flags == {
        (0, 250): ("edge",), (150, 150): (), (150, 190): ("side_lobe",), (200, 40): (), (230, 100): ("land",)}  # fmt: skip


def test_land_in_the_scene() -> None:
    x, metadata = clutter_image((640, 800), order=6.0, seed=3)
    metadata["equivalent_number_of_looks"] = 1.0
    i, j = np.indices(x.shape)
    dry = j > 520 + 60 * np.sin(i / 90)
    rng = np.random.default_rng(5)
    x[dry] *= 5
    rng = np.random.default_rng(6)
    ship(x, 200.0, 150.0, 120.0, 40.0, rng)
    ship(x, 400.0, 330.0, 60.0, 100.0, rng)
    x[(rng.random(x.shape) < 2e-3) & dry] *= 100  # houses
    found = detect(x, metadata, land="scene")
    plain = [o for o in found.objects if not o.flags]
    assert [(round(o.line, -1), round(o.sample, -1)) for o in plain] == [(200, 150), (400, 330)]
    assert found.area_searched_km2 == pytest.approx((~dry).sum() * 20e-6, rel=0.12)
    without = detect(x, metadata)
    assert len(without.objects) > 20 or without.metadata["zones"][0]["threshold"] > 3 * found.metadata["zones"][0]["threshold"]


# ---- refusals ----------------------------------------------------------------------------------------------------


def changed(metadata: dict[str, Any], **values: Any) -> dict[str, Any]:
    return {k: v for k, v in (metadata | values).items() if v is not ...}


IMAGE = np.ones((80, 90), np.float32)
META = metadata_of(80, 90)
REFUSALS: list[tuple[Any, dict[str, Any], dict[str, Any], str]] = [
    (IMAGE.astype(np.complex64), META, {}, "intensity has dtype complex64; must be float32; an image of complex samples"),
    (IMAGE.astype(np.float64), META, {}, "intensity has dtype float64; must be float32"),
    (IMAGE - 20, META, {}, "intensity has negative values; must be linear power, not decibels"),
    (IMAGE[:70], META, {}, "intensity has shape (70, 90); must be that of the image, (80, 90)"),
    (IMAGE, META, {"false_alarm_rate": 0.0}, "false_alarm_rate is 0; must lie above 0 and below 0.1"),
    (IMAGE, META, {"false_alarm_rate": 0.1}, "false_alarm_rate is 0.1; must lie above 0 and below 0.1"),
    (IMAGE, META, {"false_alarm_rate": math.nan}, "false_alarm_rate is nan; must lie above 0"),
    (IMAGE, META, {"training": 30}, "training is 30; must be odd and lie between 9 and 65"),
    (IMAGE, META, {"training": 67}, "training is 67; must be odd and lie between 9 and 65"),
    (IMAGE, META, {"guard": 14}, "guard is 14; must be odd"),
    (IMAGE, META, {"guard": 31}, "guard is 31; must be less than training, which is 31"),
    (IMAGE[:20], changed(META, lines=20), {}, "training is 31; must not exceed the image, 20 lines x 90 samples"),
    (IMAGE, META, {"land": np.ones((80, 90), np.uint8)}, "land covers the whole image"),
    (IMAGE, META, {"land": np.ones((80, 91), np.uint8)}, "land has shape (80, 91); must be that of the image, (80, 90)"),
    (IMAGE, META, {"land": np.ones((80, 90), np.int32)}, "land has dtype int32; must be uint8"),
    (IMAGE, META, {"land": "sea"}, "land is 'sea'; must be 'scene', a mask or None"),
    (IMAGE * np.nan, META, {}, "image has no valid pixel"),
    (IMAGE * 0, META, {}, "image has no valid pixel"),
    (IMAGE, changed(META, azimuth_spacing_m=...), {}, "image has no azimuth_spacing_m in its metadata"),
    (IMAGE, changed(META, azimuth_spacing_m=[[0, 0.0]]), {}, "azimuth_spacing_m is 0; must be greater than 0"),
    (IMAGE, changed(META, line_spacing_s=None), {}, "image has line_spacing_s None in its metadata; must be a number"),
    (IMAGE, changed(META, schema="sidelook-slc-1"), {}, "image has metadata of schema 'sidelook-slc-1'"),
    (IMAGE, changed(META, noise_subtracted=True), {}, "image has its noise taken away"),
    (IMAGE, META, {"clutter": "weibull"}, "clutter is 'weibull'; must be one of gamma, k"),
    (IMAGE, META, {"speed": 3}, "speed is no option of detect"),
    (IMAGE, META, {"threads": -1}, "threads is -1; must be zero or positive"),
]


@pytest.mark.parametrize(("image", "metadata", "options", "words"), REFUSALS, ids=[r[3][:40] for r in REFUSALS])
def test_refusals(image: Any, metadata: dict[str, Any], options: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInput) as refused:
        detect(image, metadata, **options)
    assert words in str(refused.value)


def test_a_source_that_ends_early_and_one_that_fails() -> None:
    with pytest.raises(BadInput, match="intensity ended early"):
        detect(lambda line, lines, sample, samples: IMAGE[:3], META)

    def fails(line: int, lines: int, sample: int, samples: int) -> np.ndarray:
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        detect(fails, META)


def test_options_are_the_native_defaults() -> None:
    o, native = Options(), _native.DetectOptions()
    for name in ("false_alarm_rate", "certain_rate", "grow_rate", "merge_m", "land_area_km2", "land_buffer_m", "block_lines", "threads"):
        assert getattr(o, name) == getattr(native, name), name
    assert (o.training, o.guard) == (native.windows.training, native.windows.guard)
    assert _native.Clutter.k == native.clutter
