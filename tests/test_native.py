"""The native tests of cpp/tests, built with the package by tools/setup.sh, run group by group through CTest."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
GROUPS = [
    (group, "portable")
    for group in ("threads", "fft", "geometry", "resampler", "kernels", "runner", "focus", "radiometry", "emulator")
]
GROUPS += [(group, isa) for isa in ("avx2", "avx512") for group in ("fft", "kernels", "focus", "radiometry")]


def build_folder() -> pathlib.Path | None:
    """SIDELOOK_BUILD_DIR, or the build folder that holds the native tests; not those of the sanitizers."""
    if "SIDELOOK_BUILD_DIR" in os.environ:
        return pathlib.Path(os.environ["SIDELOOK_BUILD_DIR"])
    built = [p.parents[2] for p in ROOT.glob("build/*/cpp/tests/sidelook_tests") if not p.parents[2].name.startswith("sanitize-")]
    return max(built, key=lambda p: (p / "cpp/tests/sidelook_tests").stat().st_mtime, default=None)


@pytest.mark.parametrize(("group", "isa"), GROUPS)
def test_native(group: str, isa: str) -> None:
    folder = build_folder()
    ctest = shutil.which("ctest", path=f"{pathlib.Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if folder is None or ctest is None:
        pytest.skip("the native tests are not built; tools/setup.sh builds them")
    command = [ctest, "--test-dir", str(folder), "--output-on-failure", "-R", rf"^{group}\.{isa}$"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900)
    print(done.stdout + done.stderr)
    assert done.returncode == 0
    if "***Skipped" in done.stdout or ("No tests were found" in done.stdout + done.stderr and isa != "portable"):
        pytest.skip(f"this machine or this build has no {isa} kernels")
    assert "100% tests passed" in done.stdout and "out of 1" in done.stdout
