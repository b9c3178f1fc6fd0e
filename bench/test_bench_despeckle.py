"""Speckle filters on one thread, at awkward sizes too; some pixels of each are found right before it is timed.

    python -m pytest bench/test_bench_despeckle.py
    SIDELOOK_MAX_ISA=avx2 python -m pytest bench/test_bench_despeckle.py --sizes 4096x4096 -k lee

`extra_info` of each holds millions of pixels a second and the share of the machine's limit.
"""

from __future__ import annotations

import functools
import time
from typing import Any

import numpy as np
import pytest
from sidelook import _native, despeckle

FILTERS = [
    (method, window)
    for method in _native.despeckle_methods()
    for window in (7, 31)
    if window == 7 or method not in ("median", "refined_lee", "refined_lee_local")
]


@functools.lru_cache(maxsize=1)
def speckle(size: tuple[int, int]) -> np.ndarray:
    """Four looks over 30 dB of steps, with bright points."""
    rng = np.random.default_rng(1)
    scene = 10 ** rng.integers(0, 4, (size[0] // 64 + 1, size[1] // 64 + 1)).astype(np.float32)
    image = np.kron(scene, np.ones((64, 64), np.float32))[: size[0], : size[1]] * rng.gamma(4, 0.25, size).astype(np.float32)
    image[rng.random(size) < 1e-4] *= 1e3
    return np.asarray(image, np.float32)


def lee_pixel(image: np.ndarray, i: int, j: int, window: int) -> float:
    h = window // 2
    part = image[max(0, i - h) : i + h + 1, max(0, j - h) : j + h + 1].astype(np.float64)
    mean, var = part.mean(), part.var(ddof=1)
    return float(mean + max(0.0, 1 - 0.25 * mean**2 / var) * (image[i, j] - mean))


@pytest.mark.benchmark(timer=time.process_time)  # of one thread: what others take of the machine counts less
@pytest.mark.parametrize(("method", "window"), FILTERS, ids=[f"{m}-{w}" for m, w in FILTERS])
def test_despeckle(benchmark: Any, size: tuple[int, int], method: str, window: int, limits: Any) -> None:
    image = speckle(size)
    looks = 4 if _native.despeckle_needs_looks(method) else None
    out = np.empty_like(image)

    def filtered() -> None:
        despeckle(image, method, "intensity", window=window, looks=looks, threads=1, out=out)  # type: ignore[arg-type]

    filtered()
    if method == "lee":
        rng = np.random.default_rng(2)
        for i, j in zip(rng.integers(0, size[0], 50), rng.integers(0, size[1], 50), strict=True):
            assert out[i, j] == pytest.approx(lee_pixel(image, i, j, window), rel=1e-5)
    assert np.isfinite(out).all() and out.min() >= 0 and out.max() <= image.max() * 1.001
    benchmark(filtered)
    if benchmark.stats is not None:
        seconds, pixels = benchmark.stats.stats.median, size[0] * size[1]
        benchmark.extra_info["mpix_per_s"] = 1e-6 * pixels / seconds
        benchmark.extra_info["share_of_limit"] = 8 * pixels / limits.copy_bytes_per_s / seconds
