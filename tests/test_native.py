"""The native tests of cpp/tests, built with the package by tools/setup.sh, run one by one through CTest."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
CTEST = shutil.which("ctest", path=f"{pathlib.Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")


def build_folder() -> pathlib.Path | None:
    """SIDELOOK_BUILD_DIR, or the build folder that holds the native tests; not those of the sanitizers."""
    if "SIDELOOK_BUILD_DIR" in os.environ:
        return pathlib.Path(os.environ["SIDELOOK_BUILD_DIR"])
    built = [p.parents[2] for p in ROOT.glob("build/*/cpp/tests/sidelook_tests") if not p.parents[2].name.startswith("sanitize-")]
    return max(built, key=lambda p: (p / "cpp/tests/sidelook_tests").stat().st_mtime, default=None)


def names() -> list[str]:
    """What CTest has: every group with every instruction set, and the C programs."""
    folder = build_folder()
    if folder is None or CTEST is None:
        return []
    listed = subprocess.run([CTEST, "--test-dir", str(folder), "--show-only=json-v1"], capture_output=True, text=True, check=True)
    return [test["name"] for test in json.loads(listed.stdout)["tests"]]


NAMES = names()


@pytest.mark.skipif(not NAMES, reason="the native tests are not built; tools/setup.sh builds them")
def test_there_are_tests() -> None:
    assert {"runner.portable", "focus.portable", "c.embed"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_native(name: str) -> None:
    command = [str(CTEST), "--test-dir", str(build_folder()), "--output-on-failure", "-R", rf"^{name}$"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900)
    print(done.stdout + done.stderr)
    assert done.returncode == 0
    if "***Skipped" in done.stdout:
        pytest.skip(f"{name} does not run on this machine")
    assert "100% tests passed" in done.stdout and "out of 1" in done.stdout
