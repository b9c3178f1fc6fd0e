"""The benchmarks of bench/ run and find what they time right; at a tiny size, and no time is judged."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys

import focus_helpers as h
import pytest
from test_native import build_folder

ROOT = pathlib.Path(__file__).resolve().parent.parent
SIZE = "1151x547"  # two primes; the least number of pulses that holds an aperture is some 960

pytest.importorskip("pytest_benchmark", reason="pytest-benchmark is not installed")


def run(*command: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=300, env=h.environment(), cwd=ROOT)
    print(done.stdout + done.stderr)
    assert done.returncode == code
    return done


def test_pytest_benchmarks(tmp_path: pathlib.Path) -> None:
    out = tmp_path / "bench.json"
    run(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", ROOT / "bench", "--sizes", SIZE, "--benchmark-json", out)
    report = json.loads(out.read_text())
    assert {"version", "fft_library", "instruction_set", "cpu"} <= set(report["machine_info"]["sidelook"])
    found = {b["name"]: b["extra_info"] for b in report["benchmarks"]}
    filters = {name: info for name, info in found.items() if name.startswith("test_despeckle")}
    assert len(found) - len(filters) == 5 and all(SIZE in name for name in found)
    assert len(filters) >= 10 and all(info["mpix_per_s"] > 0 for info in filters.values())
    whole = found[f"test_focus[{SIZE}]"]
    assert {"ns_per_sample", "share_of_limit", "bare_fft_seconds", "times_bare_fft"} <= set(whole)
    assert {"correct_echoes", "range_compress", "azimuth_compress"} <= set(whole)


def test_pytest_benchmarks_without_times() -> None:
    """As a test of what they check."""
    run(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", ROOT / "bench", "--sizes", SIZE, "--benchmark-disable")


def test_decode_bench() -> None:
    report = json.loads(run(sys.executable, ROOT / "bench" / "decode.py", "--copies", 2, "--quads", 300, "--runs", 1).stdout)
    assert len(report["results"]) == 10 and all(r["verified"] and r["msample_per_cpu_s"] > 0 for r in report["results"])


def native() -> pathlib.Path:
    folder = build_folder()
    program = folder / "bench" / "sidelook_bench" if folder else None
    if program is None or not program.exists():
        pytest.skip("the native bench is not built; tools/setup.sh builds it")
    return program


def test_native_bench() -> None:
    report = json.loads(run(native(), "--size", SIZE, "--size", "1201x563", "--repeat", 2, "--threads", 2).stdout)
    assert report["threads"] == 2 and report["runs"] == 2 and report["limits"]["flops_per_s"] > 0
    assert [(f["pulses"], f["samples"]) for f in report["focus"]] == [(1151, 547), (1201, 563)]
    for entry in report["focus"]:
        assert entry["cpu_seconds"]["median"] > 0 and entry["wall_seconds"]["spread"] >= 0 and entry["bare_fft_cpu_seconds"] > 0
        assert [s["name"] for s in entry["stages"]] == ["correct_echoes", "range_compress", "azimuth_compress"]
        assert all(s["share_of_limit"] > 0 and s["bound_by"] in ("memory", "arithmetic") for s in entry["stages"])


def test_native_bench_refuses() -> None:
    for arguments in (["--size", "0x0"], ["--size", "abc"], ["--size"], ["--repeat", "0"], ["--threads", "-1"], ["--frobnicate", "1"]):
        done = run(native(), *arguments, code=2)
        assert done.stdout == "" and done.stderr.startswith("usage: ")
    done = run(native(), "--size", "100x547", code=3)
    assert done.stdout == "" and "pulses is 100; must exceed the synthetic aperture" in done.stderr
