"""Every command with what a newcomer may give it: one sentence, the documented exit code, nothing left behind, no traceback.

tests/test_focus_input.py judges what files of echoes may hold; tests/test_cli.py the frame that all commands share.
"""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import shlex
import signal
import subprocess
import time
from collections.abc import Iterator

import focus_helpers as h
import numpy as np
import pytest
from sidelook import crsd, simulate
from sidelook.acquisition import Acquisition
from sidelook.cli import main

pytest.importorskip("osgeo.gdal", reason="GDAL's Python bindings are not installed")
pytest.importorskip("sarkit", reason="sarkit is not installed")

SMALL = "--pulses 1200 --samples 600"


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """Echoes as .npy and CRSD, their image slc.tif, and files that are none of these."""
    folder = tmp_path_factory.mktemp("given")
    native = simulate.acquire(h.instrument("c-stripmap"), 1500, 700)
    acquisition, echoes = Acquisition.from_native(native), h.noise((1500, 700), 1.0, 3)
    h.write_scene(folder, echoes, acquisition)
    crsd.write(folder / "scene.crsd", acquisition, echoes)
    assert main(["focus", str(folder / "scene.npy"), "-o", str(folder / "slc.tif"), "-q"]) == 0
    (folder / "text.txt").write_text("hello\n")
    (folder / "empty.npy").touch()
    (folder / "folder").mkdir()
    (folder / "cut.crsd").write_bytes((folder / "scene.crsd").read_bytes()[:5_000_000])
    (folder / "cut.npy").write_bytes((folder / "scene.npy").read_bytes()[:5_000_000])
    (folder / "cut.json").write_text((folder / "scene.json").read_text())
    (folder / "cut.tif").write_bytes((folder / "slc.tif").read_bytes()[:5000])
    return folder


@pytest.fixture
def here(given: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[pathlib.Path]:
    """The current folder holds what is given; whatever happens it holds the same afterwards."""
    monkeypatch.chdir(given)
    before = {p: p.stat().st_mtime_ns for p in given.rglob("*")}
    yield given
    assert {p: p.stat().st_mtime_ns for p in given.rglob("*") if p.name != "folder"} == {
        p: t for p, t in before.items() if p.name != "folder"
    }


def words_of(line: str) -> tuple[list[str], int, str]:
    command, _, expected = line.partition(" => ")
    code, _, sentence = expected.partition(" ")
    return shlex.split(command), int(code), sentence


REFUSED = f"""
focus absent.crsd -o new.tif => 3 absent.crsd cannot be read: there is no such file or folder
focus folder -o new.tif => 3 folder holds no measurement file; must have a .dat file of Sentinel-1 space packets
focus text.txt -o new.tif => 3 text.txt looks like no format we know; raw echoes must be a CRSD file
focus slc.tif -o new.tif => 3 slc.tif looks like a TIFF image, perhaps a focused one; raw echoes must be
focus scene.json -o new.tif => 3 scene.json looks like JSON; raw echoes must be
focus empty.npy -o new.tif => 3 empty.npy looks like an empty file; raw echoes must be
focus cut.crsd -o new.tif => 3 cut.crsd has 5000000 bytes; its header promises
focus cut.npy -o new.tif => 3 cut.npy has 5000000 bytes; its header promises
focus scene.npy => 2 the following arguments are required: -o/--output
focus -o new.tif => 2 the following arguments are required: echoes
focus '' -o new.tif => 2 argument echoes: '' is no path
focus scene.npy -o '' => 2 argument -o/--output: '' is no path; must be the name of a file or a folder
focus scene.npy -o . => 3 . is a folder; must be the name of a file
focus scene.npy -o folder => 3 folder is a folder; must be the name of a file
focus scene.npy -o slc.tif => 3 slc.tif exists already; give --overwrite to replace it
focus scene.npy -o no/new.tif => 3 no/new.tif cannot be written: there is no such file or folder
focus scene.npy -o text.txt/new.tif => 3 text.txt/new.tif cannot be written: its folder is not a folder
focus scene.npy -o scene.npy --overwrite => 3 --output is scene.npy, the echoes; must be another file
focus scene.npy --acquisition scene.json -o scene.json --overwrite => 3 --output is scene.json, the acquisition; must be another
focus scene.npy -o new.tif --max-ram 1MB => 5 max_bytes (--max-ram) is 1000000 bytes; one block needs at least
focus scene.npy -o new.tif --max-ram 9999999999TiB => 2 '9999999999TiB' is not a size; must be like 2GiB
focus scene.npy -o new.tif --block-lines 99999999999999999999 => 2 '99999999999999999999' is not a whole number; must be
focus scene.npy -o new.tif --block-lines -1 => 3 block_lines is -1; must be 0 (chosen) or greater
focus scene.npy -o new.tif --threads 99999999999 => 2 '99999999999' is not a number of threads; must be 1 or more, at most 1024
focus scene.npy -o new.tif --of Nonsense => 3 --of is Nonsense; GDAL has no driver of that name
focus scene.npy -o new.png --of PNG => 3 --of is PNG; must be a format that GDAL can write images of CFloat32 in
focus scene.npy -o new.vrt --of VRT => 3 --of is VRT; must be a format that holds images of CFloat32
focus scene.npy -o new.mem --of MEM => 3 --of is MEM; must be a format that holds images of CFloat32: it keeps no pixels in a file of its
focus scene.npy -o new.tif --co COMPRESS=NONSENSE => 3 --co is COMPRESS=NONSENSE; GTiff refuses: 'NONSENSE' is an unexpected value
focus scene.npy -o new.tif --co NONSENSE=1 => 3 --co is NONSENSE=1; GTiff refuses: driver GTiff does not support creation option NONSENSE
focus scene.npy -o new.tif --doppler twelve => 3 --doppler is twelve; must be auto, attitude, data or numbers
focus scene.npy -o new.tif --doppler nan => 3 doppler_centroid_hz is nan; must be finite
focus scene.npy -o new.tif --doppler 1e9 => 3 orbit covers
focus scene.npy -o new.tif --doppler-bandwidth-hz 1e-300 => 3 doppler_bandwidth_hz is 1e-300; must be 0 (0.7 PRF) or lie within
focus scene.npy -o new.tif --azimuth-window none => 3 azimuth_window is 'none'; must be one of rectangular, hamming, kaiser, taylor
focus scene.npy -o new.tif --range-window 'taylor 1e9' => 3 range_window is taylor 1000000000; its parameter must
focus scene.npy -o new.tif --channel X => 3 channel is 'X'; must be left out, only CRSD and Sentinel-1 Level-0 have channels
focus scene.crsd -o new.tif --channel X => 3 channel is 'X'; must be one of '
focus scene.crsd -o new.tif --acquisition scene.json => 3 acquisition is given with scene.crsd; must be left out
focus scene.npy -o new.tif --acquisition text.txt => 3 text.txt is not JSON
focus scene.npy -o new.tif --acquisition scene.npy => 3 scene.npy is not text; an acquisition must be JSON
focus scene.npy -o new.tif --frobnicate => 2 unrecognized arguments: --frobnicate
simulate => 2 the following arguments are required: -o/--output
simulate -o '' => 2 argument -o/--output: '' is no path
simulate -o new.crsd --pulses 0 => 3 pulses is 0; must be positive
simulate -o new.crsd --pulses 2000000000 => 3 pulses is 2000000000; must be sent within an hour at most
simulate -o new.crsd --pulses 99999999999 => 2 '99999999999' is not a whole number
simulate -o new.crsd --pulses 1e3 => 2 '1e3' is not a whole number
simulate -o new.crsd --samples 1 => 3 chirp_duration_s is 1e-05 s; must be shorter than the receive window
simulate -o new.crsd {SMALL} --max-ram 1MB => 5 max_bytes (--max-ram) is 1000000; must be at least
simulate -o new.crsd {SMALL} --scene points --max-ram 1MB => 5 max_bytes (--max-ram) is 1000000 bytes; the echoes alone need 5760000 bytes
simulate -o no/new.crsd {SMALL} => 3 no/new.crsd cannot be written: there is no such file or folder
simulate -o folder {SMALL} => 3 folder is a folder; must be the name of a file
simulate -o text.txt {SMALL} => 3 text.txt exists already; give --overwrite to replace it
simulate -o new.crsd {SMALL} --squint-deg 89 => 3 squint_deg is 89.000000; must lie within +-30
simulate -o new.crsd {SMALL} --height-m 1e9 => 3 height_m is 1000000000.000000; must lie within +-10 km
simulate -o new.crsd {SMALL} --seed -1 => 2 '-1' is not a seed; must be a whole number from 0 to 2^64 - 1
simulate -o new.crsd {SMALL} --nesz-db inf => 3 nesz_db is inf; must lie within +-200
simulate -o new.crsd {SMALL} --scene points --targets 3 => 2 '3' is not ROWSxCOLS, such as 3x5
simulate -o new.crsd {SMALL} --scene points --targets 99999x99999 => 2 '99999x99999' is not ROWSxCOLS, such as 3x5, at most 999x999
simulate -o new.crsd {SMALL} --scene points --bits 8 => 3 step is 0.000000; must be positive where bits is not 0
simulate -o new.crsd {SMALL} --sensor z => 2 invalid choice: 'z'
info => 2 the following arguments are required: file
info '' => 2 argument file: '' is no path
info absent => 3 absent cannot be read: there is no such file or folder
info folder => 3 folder holds no measurement file; must have a .dat file of Sentinel-1 space packets
info text.txt => 3 text.txt looks like no format we know; must be echoes, an acquisition or an image
info cut.crsd => 3 cut.crsd has 5000000 bytes
info slc.tif --channel X => 3 channel is 'X'; must be left out, only a CRSD has channels
measure slc.tif => 2 one of the arguments --truth --at is required
measure absent.tif --at 1,1 => 3 absent.tif cannot be read
measure text.txt --at 1,1 => 3 text.txt cannot be read
measure slc.quicklook.png --at 1,1 => 3 slc.quicklook.png has pixels of type Byte; must be CFloat32
measure slc.tif --at 1 => 2 '1' is not ROW,COL
measure slc.tif --at=-5,1 => 3 position is (-5, 1); must lie inside the image
measure slc.tif --at nan,1 => 3 position is (nan, 1); must lie inside the image
measure slc.tif --at 250,100 --search-radius nan => 3 search_radius is nan; must be 1 to 1000 samples
measure slc.tif --at 250,100 --search-radius inf => 3 search_radius is inf; must be 1 to 1000 samples
measure slc.tif --at 250,100 --half-size 99999999999 => 2 '99999999999' is not a whole number
measure slc.tif --at 250,100 --oversampling 99999999999 => 2 '99999999999' is not a whole number
measure slc.tif --truth absent.json => 3 absent.json cannot be read
measure slc.tif --truth scene.json => 3 scene.json has no list 'targets'; must be written by sidelook simulate
bench --size 0x0 => 3 pulses is 0; must be positive
bench --size 100x700 => 3 pulses is 100; must exceed the synthetic aperture
bench --size abc => 2 'abc' is not PULSESxSAMPLES; must be like 4096x4096
bench --size 99999999999x5 => 2 '99999999999' is not a whole number
bench --size 1500x700 --repeat 0 => 2 '0' is not a number of runs; must be 1 or more
bench --device cuda => 4 device is cuda
demo => 2 the following arguments are required: -o/--output
demo -o '' => 2 argument -o/--output: '' is no path
demo -o text.txt => 3 text.txt is a file; must be the name of a folder
demo -o text.txt/new => 3 text.txt/new cannot be made: its folder is not a folder
demo -o new/demo --pulses 0 => 3 pulses is 0; must be positive
demo -o new/demo --pulses 300 --samples 600 => 3 pulses is 300; must exceed the synthetic aperture
demo -o new {SMALL} --max-ram 120MB => 5 max_bytes (--max-ram) is 120000000 bytes; one block needs at least
demo -o new {SMALL} --device cuda => 4 device is cuda
devices all => 2 unrecognized arguments: all
"""


@pytest.mark.parametrize("line", REFUSED.strip().splitlines())
def test_one_sentence(here: pathlib.Path, line: str, capfd: pytest.CaptureFixture[str]) -> None:
    arguments, code, sentence = words_of(line)
    assert main(arguments) == code
    said = capfd.readouterr()  # of the process, so that what GDAL prints counts too
    print(said.err.strip())
    assert said.err.startswith("sidelook: error: ") and said.err.count("\n") == 1 and said.out == ""
    assert sentence in said.err and "Traceback" not in said.err and "bug of ours" not in said.err


def test_what_is_in_the_way_is_said_before_the_work(
    here: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from sidelook.focusing import Focuser

    monkeypatch.setattr(Focuser, "__init__", lambda *unused, **also: pytest.fail("the work was begun"))
    for options in (["-o", "slc.tif"], ["-o", "no/new.tif"], ["-o", "new.tif", "--co", "COMPRESS=NONSENSE"]):
        assert main(["focus", "scene.npy", *options]) == 3
    assert capsys.readouterr().err.count("\n") == 3


def test_a_failed_demo_takes_nothing_away(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What an earlier run left stays whole, and the folder too."""
    (tmp_path / "truth.json").write_text("earlier")
    assert main(["demo", "-o", str(tmp_path), *SMALL.split()]) == 3
    assert "truth.json exists already; give --overwrite" in capsys.readouterr().err
    assert main(["demo", "-o", str(tmp_path), "--overwrite", "--pulses", "300", "--samples", "600"]) == 3
    assert h.only_files(tmp_path) == {"truth.json"} and (tmp_path / "truth.json").read_text() == "earlier"


def test_a_demo_appears_whole(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "deep" / "demo"
    assert main(["demo", "-o", str(folder), *SMALL.split(), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    images = {f"{name}{end}" for name in ("slc", "sigma0") for end in (".tif", ".quicklook.png")}
    others = {"echoes.crsd", "truth.json", "ships.geojson", "ships.quicklook.png", "report.json"}
    assert h.only_files(folder) == images | others == set(report["files"])
    assert all(pathlib.Path(path).parent == folder for path in report["files"].values())
    assert json.loads((folder / "report.json").read_text()) == report


def test_a_full_disk_ends_the_demo(tmp_path: pathlib.Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6400k", "tmpfs", small], capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        result = h.run("demo", "-o", small / "demo", *SMALL.split())  # echoes of 5.8 MB fit, the image beside them does not
        print(result.stderr)
        assert result.returncode == 3 and result.stderr.count("\n") == 1 and ".part" not in result.stderr
        assert str(small / "demo") in result.stderr and h.only_files(small) == set()
    finally:
        subprocess.run(["umount", small], check=True)


# ---- signals -----------------------------------------------------------------------------------------------------


def wait_for(process: subprocess.Popen[str], pattern: str, folder: pathlib.Path) -> None:
    """Until a file of this pattern is in the folder or below."""
    for _ in range(6000):
        with contextlib.suppress(OSError):
            if any(folder.rglob(pattern)):
                return
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    pytest.fail(f"no {pattern} has come")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("moment", ["simulating", "focusing"])
@pytest.mark.parametrize("there", [False, True])
def test_an_interrupted_demo_leaves_nothing(tmp_path: pathlib.Path, number: signal.Signals, code: int, moment: str, there: bool) -> None:
    folder = tmp_path / "demo"
    if there:
        folder.mkdir()
        (folder / "report.json").write_text("earlier")
    process = h.start("demo", "-o", folder, "--overwrite", "--pulses", "1700", "--samples", "700", "--threads", "1")
    try:
        wait_for(process, "*.part" if moment == "simulating" else ".slc*.tif", tmp_path)
        process.send_signal(number)
        _, errors = process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode == code, errors
    assert errors.startswith("sidelook: error: ") and errors.count("\n") == 1 and "Traceback" not in errors
    assert h.only_files(tmp_path) == ({"demo"} if there else set())
    if there:
        assert h.only_files(folder) == {"report.json"} and (folder / "report.json").read_text() == "earlier"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_simulation_leaves_nothing(tmp_path: pathlib.Path, number: signal.Signals, code: int) -> None:
    process = h.start("simulate", "-o", tmp_path / "scene.crsd", "--pulses", "1700", "--samples", "700", "--threads", "1")
    try:
        time.sleep(1.5)  # within the native core, where the signal waits for the end of the call
        process.send_signal(number)
        _, errors = process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode == code, errors
    assert "Traceback" not in errors and h.only_files(tmp_path) == set()


def test_native_refusals_of_the_python_interface() -> None:
    """What argparse refuses on the command line is refused in a sentence here too."""
    from sidelook.errors import BadInput
    from sidelook.focusing import focus

    acquisition = Acquisition.from_native(simulate.acquire(h.instrument("c-stripmap"), 1500, 700))
    echoes = np.ones((1500, 700), np.complex64)
    for option, value, rule in (
        ("threads", 10**12, "must be a whole number that the core can hold"),
        ("threads", 5000, "must be 0 (all) or greater, at most 1024"),
        ("block_lines", 2.5, "must be a whole number"),
        ("max_ram", 10**30, "must be a whole number"),
        ("minimum_exposure", "much", "must be a number"),
    ):
        with pytest.raises(BadInput) as refusal:
            focus(echoes, acquisition, **{option: value})
        assert str(refusal.value).startswith(f"{option} is {value!r}; ") and rule in str(refusal.value)


def test_the_folder_of_the_output_must_be_writable(here: pathlib.Path, tmp_path: pathlib.Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write anywhere; tests/test_focus_input.py mounts a read-only file system instead")
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    for command in (["focus", "scene.npy", "-o"], ["simulate", "--scene", "points", *SMALL.split(), "-o"]):
        result = h.run(*command, locked / "new")
        assert result.returncode == 3 and "permission denied" in result.stderr and h.only_files(locked) == set()
