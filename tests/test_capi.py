"""The C interface, from C: an example that focuses point targets, one over an orbit, and what is refused."""

from __future__ import annotations

import pathlib
import re
import shutil
import subprocess

import pytest
from sidelook import _native

ROOT = pathlib.Path(__file__).resolve().parent.parent
COMPILER = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")


def run(*command: str | pathlib.Path) -> str:
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=300)
    print(done.stdout + done.stderr)
    assert done.returncode == 0, f"{command[0]} returned {done.returncode}"
    return done.stdout


def library() -> pathlib.Path:
    """libsidelook beside the bindings; where these come from a build folder, what they are linked to."""
    assert _native.__file__ is not None
    native = pathlib.Path(_native.__file__).resolve()
    beside = native.parent / "libsidelook.so"
    if beside.exists():
        return beside.resolve()
    found = re.search(r"libsidelook\S* => (\S+)", run("ldd", native))
    assert found, "the bindings are linked to no libsidelook"
    return pathlib.Path(found[1]).resolve()


@pytest.mark.skipif(COMPILER is None, reason="no C compiler (cc, gcc, clang) on PATH")
@pytest.mark.parametrize("source", ["examples/embed.c", "tests/capi_errors.c", "tests/capi_orbit.c"])
def test_c_program(source: str, tmp_path: pathlib.Path) -> None:
    assert COMPILER is not None
    lib = library()
    program = tmp_path / "program"
    run(COMPILER, "-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", f"-I{ROOT / 'cpp/include'}", ROOT / source, lib,
        f"-Wl,-rpath,{lib.parent}", "-lm", "-o", program)  # fmt: skip
    run(program)


def test_library_stands_alone() -> None:
    # The names alone: the folders of an installation may well be called python.
    needed = [line.split()[0].lower() for line in run("ldd", library()).splitlines() if line.strip()]
    assert any("libc.so" in name for name in needed), "ldd has not spoken"
    assert not [name for name in needed if "python" in pathlib.Path(name).name or "gdal" in pathlib.Path(name).name]
