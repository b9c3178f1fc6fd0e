"""What is installed: a wheel in an environment of its own, and the core alone with programs built against it."""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import subprocess
import sys
import textwrap
import venv
import zipfile

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
VERSION = re.search(r"VERSION ([0-9.]+) LANGUAGES", (ROOT / "CMakeLists.txt").read_text(encoding="utf-8"))
PATH = f"{pathlib.Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"


def run(*command: str | pathlib.Path, code: int = 0, **keywords: object) -> str:
    """What the command prints, both streams; it must return `code`."""
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "LD_LIBRARY_PATH")} | {"PATH": PATH}
    environment |= keywords.pop("env", {})  # type: ignore[call-overload]
    done = subprocess.run(
        [str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=900, env=environment, **keywords
    )  # type: ignore[call-overload]
    print(done.stdout)
    assert done.returncode == code, f"{command[0]} returned {done.returncode}"
    return str(done.stdout)


def needs(*programs: str) -> None:
    for program in programs:
        if shutil.which(program, path=PATH) is None:
            pytest.skip(f"{program} is not on PATH")


# ---- the wheel -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """Built in the folder in which tools/setup.sh has built before, so that nothing is compiled twice."""
    if not list(ROOT.glob("build/cp*/CMakeCache.txt")):
        pytest.skip("nothing was built here yet, and a build takes minutes; tools/setup.sh builds")
    for module in ("scikit_build_core", "pybind11"):
        pytest.importorskip(module, reason=f"{module}, which builds the wheel, is not installed")
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", folder, ROOT)
    (found,) = folder.glob("*.whl")
    return found


def environment(folder: pathlib.Path, wheel: pathlib.Path, links: tuple[str, ...]) -> pathlib.Path:
    """A new environment that holds the wheel and links to these installed packages; its Python."""
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    site = pathlib.Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('platlib'))").strip())
    here = pathlib.Path(np.__file__).parent.parent
    for link in links:
        (site / link).symlink_to(here / link)
    run(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-index", wheel)
    return python


@pytest.fixture(scope="session")
def bare(wheel: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """Python of an environment with numpy and the wheel, and nothing else: no GDAL, no sarkit."""
    here = pathlib.Path(np.__file__).parent.parent
    return environment(tmp_path_factory.mktemp("bare") / "venv", wheel, tuple(n for n in ("numpy", "numpy.libs") if (here / n).exists()))


def test_wheel_holds_what_it_must_and_no_more(wheel: pathlib.Path) -> None:
    assert VERSION and f"sidelook-{VERSION[1]}-" in wheel.name
    names = set(zipfile.ZipFile(wheel).namelist())
    info = f"sidelook-{VERSION[1]}.dist-info"
    wanted = {"__init__.py", "py.typed", "_native.pyi", "acquisition.schema.json", "libsidelook.so", "licenses/ducc0.txt"}
    assert {f"sidelook/{n}" for n in wanted} <= names
    assert f"{info}/licenses/LICENSE" in names
    assert len([n for n in names if re.fullmatch(r"sidelook/_native\.\S+\.so", n)]) == 1
    tops = {n.split("/")[0] for n in names}
    assert tops == {"sidelook", info}  # no lib/, include/ or bin/ of the core
    assert not [n for n in names if n.endswith((".h", ".cmake", ".pc", ".cpp")) or "tests" in n]
    notice = zipfile.ZipFile(wheel).read("sidelook/licenses/ducc0.txt").decode()
    # ducc0's files carry two licences; ours is the BSD one, and its LICENSE file is the other.
    assert "ducc0" in notice and "Max-Planck-Society" in notice and "Redistributions in binary form" in notice
    assert "SUCH DAMAGE" in notice and "GNU" not in notice
    metadata = zipfile.ZipFile(wheel).read(f"{info}/METADATA").decode()
    required = [line for line in metadata.splitlines() if line.startswith("Requires-Dist:") and "extra ==" not in line]
    assert not [line for line in required if "gdal" in line.lower()], "GDAL is no unconditional requirement"


def test_wheel_finds_its_library_beside_itself(wheel: pathlib.Path, tmp_path: pathlib.Path) -> None:
    needs("readelf")
    zipfile.ZipFile(wheel).extractall(tmp_path)
    (native,) = (tmp_path / "sidelook").glob("_native*.so")
    paths = re.findall(r"\((?:RPATH|RUNPATH)\)\s+\S+ \S+ \[(.*)\]", run("readelf", "-d", native))
    assert paths == ["$ORIGIN"]
    assert not re.search(r"\((?:RPATH|RUNPATH)\)", run("readelf", "-d", tmp_path / "sidelook" / "libsidelook.so"))


def test_wheel_alone_focuses_arrays(bare: pathlib.Path, tmp_path: pathlib.Path) -> None:
    assert VERSION and VERSION[1] in run(bare.parent / "sidelook", "--version", cwd=tmp_path)
    program = """
        import pathlib, sys
        import numpy as np, sidelook
        from sidelook import Acquisition, focus, simulate
        assert pathlib.Path(sidelook.__file__).is_relative_to(sys.prefix), sidelook.__file__
        scene = simulate.points(pulses=1500, samples=700)
        slc = focus(scene.echoes, Acquisition.from_native(scene.acquisition))
        assert np.isfinite(slc.image).any()
        try:
            sidelook.write_slc("out.tif", slc)
        except sidelook.SidelookError as error:
            print(error.exit_code, error)
        else:
            raise SystemExit("an image was written without GDAL")
    """
    said = run(bare, "-c", textwrap.dedent(program), cwd=tmp_path)
    assert said.startswith("4 ") and "GDAL" in said and "install" in said
    assert list(tmp_path.iterdir()) == [], "nothing may be left under the name of an image that was not written"


def test_wheel_alone_says_what_files_need(bare: pathlib.Path, tmp_path: pathlib.Path) -> None:
    said = run(bare.parent / "sidelook", "simulate", "--pulses", "64", "--samples", "700", "-o", "a.crsd", cwd=tmp_path, code=4)
    assert "sarkit" in said and "install" in said and "Traceback" not in said
    assert list(tmp_path.iterdir()) == []


def test_wheel_runs_the_demo(wheel: pathlib.Path, tmp_path: pathlib.Path) -> None:
    for module in ("osgeo", "sarkit"):
        pytest.importorskip(module, reason=f"{module}, which the demo needs, is not installed")
    python = environment(tmp_path / "venv", wheel, ())
    site = pathlib.Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('platlib'))").strip())
    (site / "others.pth").write_text(f"{pathlib.Path(np.__file__).parent.parent}\n", encoding="utf-8")
    where = run(python, "-c", "import sidelook; print(sidelook.__file__)", cwd=tmp_path)
    assert str(tmp_path) in where
    run(python.parent / "sidelook", "demo", "-o", tmp_path / "demo", "--pulses", "1536", "--samples", "1024", cwd=tmp_path)
    assert {"slc.tif", "slc.quicklook.png", "report.json"} <= {p.name for p in (tmp_path / "demo").iterdir()}


# ---- the core alone ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The core built by CMake without Python, kernels portable and not optimised for a quick build, and installed."""
    needs("cmake", "c++")
    ducc0 = os.environ.get("SIDELOOK_DUCC0_DIR") or next((str(p) for p in ROOT.glob("build/*/ducc0/ducc0-*/")), None)
    if ducc0 is None:
        pytest.skip("ducc0's source is not here; tools/setup.sh fetches it, or SIDELOOK_DUCC0_DIR names it")
    build = ROOT / "build" / "core"
    options = ["-DCMAKE_BUILD_TYPE=Debug", "-DSIDELOOK_PORTABLE_ONLY=ON", f"-DSIDELOOK_DUCC0_DIR={ducc0}"]
    run("cmake", "-S", ROOT, "-B", build, *options)
    run("cmake", "--build", build, "--parallel", str(len(os.sched_getaffinity(0))))
    folder = tmp_path_factory.mktemp("prefix")
    run("cmake", "--install", build, "--prefix", folder)
    return folder


def only(folder: pathlib.Path, pattern: str) -> pathlib.Path:
    (found,) = folder.glob(pattern)
    return found


CONSUMER = """
    #include <iostream>
    #include <sidelook/focus.h>
    #include <sidelook/sidelook.h>
    int main()
    {
        sidelook::Acquisition acquisition;
        try {
            sidelook::FocusPlan plan(acquisition, {});
        } catch (const std::exception &error) {
            std::cout << sidelook::version() << " " << sidelook_version() << " " << error.what() << std::endl;
            return 0;
        }
        return 1;
    }
"""
PROJECT = """
    cmake_minimum_required(VERSION 3.22)
    project(consumer LANGUAGES {language})
    find_package(sidelook REQUIRED)
    add_executable(consumer {source})
    target_link_libraries(consumer PRIVATE sidelook::sidelook {others})
"""


def test_core_links_neither_python_nor_gdal(prefix: pathlib.Path) -> None:
    needs("ldd")
    library = only(prefix, "lib*/**/libsidelook.so")
    assert library.is_symlink() and library.resolve().name == f"libsidelook.so.{VERSION and VERSION[1]}"
    linked = [line.split()[0] for line in run("ldd", library).splitlines()]
    assert [name for name in linked if name.startswith("libstdc++")], "ldd has not spoken"
    assert not [name for name in linked if re.search("python|gdal|proj|curl", pathlib.Path(name).name)]


def test_core_installs_headers_and_notices(prefix: pathlib.Path) -> None:
    installed = {p.name for p in (prefix / "include" / "sidelook").iterdir()}
    assert installed == {p.name for p in (ROOT / "cpp" / "include" / "sidelook").glob("*.h")}
    assert {p.name for p in (prefix / "share" / "licenses" / "sidelook").iterdir()} == {"LICENSE", "ducc0.txt"}


@pytest.mark.parametrize("language", ["CXX", "C"])
def test_cmake_package(prefix: pathlib.Path, tmp_path: pathlib.Path, language: str) -> None:
    source = tmp_path / "consumer.cpp"
    source.write_text(textwrap.dedent(CONSUMER), encoding="utf-8")
    if language == "C":
        source = ROOT / "examples" / "embed.c"
    project = PROJECT.format(language=language, source=source, others="m" if language == "C" else "")
    (tmp_path / "CMakeLists.txt").write_text(textwrap.dedent(project), encoding="utf-8")
    run("cmake", "-S", tmp_path, "-B", tmp_path / "build", f"-DCMAKE_PREFIX_PATH={prefix}")
    run("cmake", "--build", tmp_path / "build")
    said = run(tmp_path / "build" / "consumer")
    assert VERSION and VERSION[1] in said
    if language == "CXX":
        assert "carrier_hz is 0; must be" in said


def test_pkg_config(prefix: pathlib.Path, tmp_path: pathlib.Path) -> None:
    needs("pkg-config", "cc", "c++")
    (tmp_path / "consumer.cpp").write_text(textwrap.dedent(CONSUMER), encoding="utf-8")
    lookup = {"PKG_CONFIG_PATH": str(only(prefix, "lib*/**/sidelook.pc").parent)}
    assert run("pkg-config", "--modversion", "sidelook", env=lookup).strip() == (VERSION and VERSION[1])
    flags = run("pkg-config", "--cflags", "--libs", "sidelook", env=lookup).split()
    rpath = f"-Wl,-rpath,{only(prefix, 'lib*/**/libsidelook.so').parent}"
    run("cc", "-std=c99", "-Wall", "-Werror", ROOT / "examples" / "embed.c", *flags, "-lm", rpath, "-o", tmp_path / "embed")
    run(tmp_path / "embed")
    run("c++", "-std=c++17", "-Wall", "-Werror", tmp_path / "consumer.cpp", *flags, rpath, "-o", tmp_path / "consumer")
    assert "carrier_hz is 0; must be" in run(tmp_path / "consumer")
