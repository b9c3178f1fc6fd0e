"""Memory does not grow with the scene: peak RSS of fresh processes that focus 1, 4 and 16 lengths of a scene under one limit."""

from __future__ import annotations

import json
import pathlib
import re
import subprocess
import sys
from collections.abc import Iterator

import focus_helpers as h
import numpy as np
import pytest
from sidelook import simulate
from sidelook.acquisition import Acquisition

pytest.importorskip("osgeo.gdal", reason="GDAL's Python bindings are not installed")

PULSES, SAMPLES = 5000, 1000  # of 1x: 38 MiB; 16x: 610 MiB
PROBE = """
import json, resource, sys
from sidelook.cli import main
code = main(sys.argv[1:])
peak = [line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")]
print(f"peak {int(peak[0]) * 1024 if peak else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}", file=sys.stderr)
sys.exit(code)
"""


def write(folder: pathlib.Path, times: int) -> pathlib.Path:
    """Noise with some bright points, written a part at a time."""
    native = simulate.acquire(h.instrument("c-stripmap"), times * PULSES, SAMPLES)
    path = folder / f"scene{times}.npy"
    image = np.lib.format.open_memmap(path, mode="w+", dtype=np.complex64, shape=(times * PULSES, SAMPLES))
    part = h.noise((PULSES, SAMPLES), 1.0, 4)
    part[::777, ::333] += 100
    for k in range(times):
        image[k * PULSES : (k + 1) * PULSES] = part
    image.flush()
    del image
    Acquisition.from_native(native).to_json(path.with_suffix(".json"))
    return path


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[int, pathlib.Path]]:
    folder = tmp_path_factory.mktemp("scenes")
    paths = {times: write(folder, times) for times in (1, 4, 16)}
    yield paths
    for path in paths.values():
        path.unlink()


def run(path: pathlib.Path, output: pathlib.Path, limit: int, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROBE, "focus", str(path), "-o", str(output), "--max-ram", f"{limit}B", "--json", "--overwrite",
         "--threads", "2", *more],
        capture_output=True, text=True, timeout=300, env=h.environment(),
    )  # fmt: skip


@pytest.fixture(scope="module")
def least(scenes: dict[int, pathlib.Path], tmp_path_factory: pytest.TempPathFactory) -> int:
    """What the refusal of a limit that is too small says is needed: most of it is Python, numpy and GDAL, and differs by machine."""
    refusal = run(scenes[16], tmp_path_factory.mktemp("none") / "slc.tif", 10_000_000)
    assert refusal.returncode == 5
    return int(refusal.stderr.split("at least ")[1].split()[0])


def focus(path: pathlib.Path, output: pathlib.Path, limit: int, *more: str) -> tuple[int, dict]:
    """Peak RSS in bytes of a fresh process, Python and GDAL's cache included, and what it reports."""
    result = run(path, output, limit, *more)
    assert result.returncode == 0, result.stderr
    peak = re.search(r"^peak (\d+)$", result.stderr, re.MULTILINE)
    assert peak
    return int(peak[1]), json.loads(result.stdout)


@pytest.mark.parametrize("spare", [16 << 20, 32 << 20, 64 << 20, 128 << 20])
def test_peak_is_flat_and_below_the_limit(scenes: dict[int, pathlib.Path], least: int, tmp_path: pathlib.Path, spare: int) -> None:
    limit, peaks, blocks = least + spare, {}, {}
    for times, path in scenes.items():
        peaks[times], report = focus(path, tmp_path / "slc.tif", limit)
        blocks[times] = report["lines"] / report["block_lines"]
        said = f"{blocks[times]:.1f} blocks of {report['block_lines']} lines, image {(tmp_path / 'slc.tif').stat().st_size >> 20} MiB"
        print(f"{times:2d}x ({path.stat().st_size >> 20} MiB): peak RSS {peaks[times] / 2**20:.1f} MiB of {limit / 2**20:.1f}, {said}")
        assert peaks[times] < limit
    assert blocks[4] > 3 and blocks[16] > 12
    # what fits a single block, as the shortest scene does under the largest limit, may take less than that block would
    flat = [peak for times, peak in peaks.items() if blocks[times] > 1]
    assert max(flat) / min(flat) < 1.05 and max(peaks.values()) == max(flat)


@pytest.mark.parametrize("options", [["--co", "COMPRESS=DEFLATE", "--co", "ZLEVEL=1"], ["--co", "TILED=YES"]])
def test_creation_options_keep_the_limit(scenes: dict[int, pathlib.Path], least: int, tmp_path: pathlib.Path, options: list[str]) -> None:
    limit, peaks = least + (16 << 20), []
    # tiles that a block has begun wait in GDAL's cache, which an image of 15 MiB does not fill
    for times in (4, 16) if "TILED=YES" in options else (1, 4):
        peaks.append(focus(scenes[times], tmp_path / "slc.tif", limit, *options)[0])
        print(f"{options}: {times}x: peak RSS {peaks[-1] / 2**20:.1f} MiB of {limit / 2**20:.1f}")
    assert max(peaks) < limit and max(peaks) / min(peaks) < 1.05
