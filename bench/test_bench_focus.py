"""Focusing and its stages on one thread, at awkward sizes too; each is found right before it is timed.

    python -m pytest bench
    python -m pytest bench --sizes 4096x4096 --benchmark-json focus.json

`extra_info` of each holds nanoseconds a sample and the share of the machine's limit: the least time that the work's bytes
and flops would take at the measured memory bandwidth and arithmetic, over the time it took.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from sidelook import _native, simulate

LIGHT = 299792458.0  # (m/s)


@dataclass(frozen=True, eq=False)
class Scene:
    """A unit point on a pixel's centre in the middle of the image, and noise of the same shape."""

    acquisition: Any
    options: Any
    plan: Any
    line: int
    sample: int
    range_m: float
    point: np.ndarray
    noise: np.ndarray


@functools.lru_cache(maxsize=1)
def made(size: tuple[int, int]) -> Scene:
    instrument = simulate.sensor("c-stripmap")
    acquisition = simulate.acquire(instrument, *size)
    acquisition.doppler_centroid_hz = _native.doppler_from_attitude(acquisition)
    options = _native.FocusOptions()
    options.threads = 1
    plan = _native.FocusPlan(acquisition, options)
    grid = plan.grid
    sample = grid.samples // 2
    line = (grid.valid_first_line[sample] + grid.valid_end_line[sample]) // 2
    range_m = grid.first_slant_range_m + sample * grid.sample_spacing_m
    place = simulate.place(instrument.platform, grid.first_line_time_s + line * grid.line_spacing_s, range_m)
    point = simulate.exact(acquisition, instrument.platform, [place], beam_limit=1)
    noise = np.random.default_rng(1).standard_normal((size[0], 2 * size[1]), np.float32).view(np.complex64)
    return Scene(acquisition, options, plan, line, sample, range_m, point, noise)


@pytest.fixture
def scene(size: tuple[int, int]) -> Iterator[Scene]:
    yield made(size)


def reader(echoes: np.ndarray) -> Any:
    return lambda line, lines, sample, samples: np.ascontiguousarray(echoes[line : line + lines, sample : sample + samples])


def told(benchmark: Any, limits: Any, samples: int, flops: float, bytes_moved: float) -> None:
    """Puts figures beside the times, where there are times (not with --benchmark-disable)."""
    by = {"arithmetic": flops / limits.flops_per_s, "memory": bytes_moved / limits.copy_bytes_per_s}
    benchmark.extra_info["bound_by"] = max(by, key=lambda k: by[k])
    if benchmark.stats is not None:
        seconds = benchmark.stats.stats.median
        benchmark.extra_info["ns_per_sample"] = 1e9 * seconds / samples
        benchmark.extra_info["share_of_limit"] = max(by.values()) / seconds


def test_focus(benchmark: Any, scene: Scene, limits: Any) -> None:
    """The whole chain. Right: the point's pixel is 1 times the phase of its range, the elevation pattern left in."""
    found: list[complex] = []

    def look(line: int, sample: int, block: np.ndarray) -> None:
        row, col = scene.line - line, scene.sample - sample
        if 0 <= row < block.shape[0] and 0 <= col < block.shape[1]:
            found.append(complex(block[row, col]))

    scene.plan.run(reader(scene.point), look, _native.EchoCorrections())
    phase = np.exp(4j * np.pi * np.fmod(scene.range_m * scene.acquisition.carrier_hz / LIGHT, 0.5))
    assert len(found) == 1 and abs(found[0] * phase - 1) < 0.05

    corrections, read = _native.EchoCorrections(), reader(scene.noise)
    stages: list[Any] = []

    def run() -> None:
        stages[:] = scene.plan.run(read, lambda *unused: None, corrections)

    benchmark.pedantic(run, rounds=5, warmup_rounds=1)
    costs = scene.plan.costs()
    told(benchmark, limits, scene.noise.size, sum(c.flops for c in costs), sum(c.bytes for c in costs))
    bare = sum(_native.time_transforms(t.length, t.rows, t.batch) for c in costs for t in c.transforms)
    benchmark.extra_info["bare_fft_seconds"] = bare
    if benchmark.stats is not None:
        benchmark.extra_info["times_bare_fft"] = benchmark.stats.stats.median / bare
    for stage, cost in zip(stages, costs, strict=True):
        least = max(cost.flops / limits.flops_per_s, cost.bytes / limits.copy_bytes_per_s)
        benchmark.extra_info[stage.name] = {"seconds": stage.seconds, "share_of_limit": least / stage.seconds}


@pytest.mark.parametrize("stage", ["correct_echoes", "range_compress"])
def test_stage(benchmark: Any, scene: Scene, limits: Any, stage: str) -> None:
    """One stage on the pulses of the first block. Right: the energy is that of the echoes, or of the compressed point."""
    corrections = _native.EchoCorrections()
    lines, place = scene.plan.run_until(stage, scene.point, corrections)
    first = place["first_line"]
    if stage == "correct_echoes":
        inside = scene.point[first : first + len(lines), place["first_sample_in"] : place["first_sample_in"] + place["samples_in"]]
        assert np.array_equal(lines, inside)
    else:  # the peak of a compressed line has the amplitude of its echo, wherever the band puts it
        strongest = int(np.argmax(np.abs(lines).max(axis=1)))
        echo = np.abs(scene.point[first + strongest]).max()
        assert 0.85 < np.abs(lines[strongest]).max() / echo < 1.1

    benchmark.pedantic(scene.plan.run_until, (stage, scene.noise, corrections), rounds=5, warmup_rounds=1)
    costs = {c.name: c for c in scene.plan.costs()}
    done = ["correct_echoes"] if stage == "correct_echoes" else ["correct_echoes", "range_compress"]
    share = len(lines) / scene.acquisition.pulses
    told(benchmark, limits, lines.shape[0] * place["samples_in"],
         share * sum(costs[n].flops for n in done), share * sum(costs[n].bytes for n in done))  # fmt: skip


def test_survey(benchmark: Any, scene: Scene, limits: Any) -> None:
    """The first pass over the echoes. Right: the noise's own mean, in double."""

    def survey() -> Any:
        s = _native.EchoSurvey(scene.acquisition.samples, scene.acquisition.prf_hz)
        s.add(scene.noise)
        return s.result()

    mean = scene.noise.mean(dtype=np.complex128)
    found = survey()
    assert found.good_lines == scene.acquisition.pulses and abs(complex(found.mean_i, found.mean_q) - mean) < 1e-6
    benchmark.pedantic(survey, rounds=5, warmup_rounds=1)
    told(benchmark, limits, scene.noise.size, 20 * scene.noise.size, 8 * scene.noise.size)


def test_plan(benchmark: Any, scene: Scene) -> None:
    """Everything before the first echo is read. Right: the same plan again."""
    again = benchmark.pedantic(_native.FocusPlan, (scene.acquisition, scene.options), rounds=5, warmup_rounds=1)
    assert (again.grid.lines, again.grid.samples, again.bytes) == (scene.plan.grid.lines, scene.plan.grid.samples, scene.plan.bytes)
