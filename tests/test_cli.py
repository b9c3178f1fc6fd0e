"""The frame of the command line: options, exit codes, sentences, signals, files that appear whole or not at all."""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import signal
import subprocess
import sys
import textwrap
import time
import types

import numpy as np
import pytest
from circular_orbit import make_acquisition, noise
from sidelook import _cli_common as common
from sidelook import crsd
from sidelook.cli import COMMANDS, main
from sidelook.errors import BadInput, Failure, MissingAuxiliary, OverMemory, SidelookError, from_code, translate


@pytest.fixture
def command(monkeypatch):
    """Makes `sidelook focus` run a function of the test."""

    def install(run, options=common.add_report_options):
        module = types.ModuleType("sidelook.commands.focus")

        def register(subparsers):
            parser = subparsers.add_parser("focus")
            options(parser)

        module.register, module.run = register, run
        monkeypatch.setitem(sys.modules, "sidelook.commands.focus", module)

    return install


def raising(error):
    def run(args):
        raise error

    return run


def all_options(parser):
    common.add_output_options(parser)
    common.add_run_options(parser)
    common.add_report_options(parser)


# ---- help, version, usage ----------------------------------------------------------------------------------------


def test_help_lists_every_command(capsys):
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    for name in ("demo", "simulate", "info", "focus", "calibrate", "measure", "bench", "devices"):
        assert name in COMMANDS and f"\n    {name} " in text


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("sidelook ")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["focuss"], "invalid choice: 'focuss'"),
        (["info"], "the following arguments are required: file"),
        (["devices", "--jsn"], "unrecognized arguments: --jsn"),
    ],
)
def test_usage_is_one_sentence_and_code_2(capsys, arguments, sentence):
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("sidelook: error: ") and captured.err.count("\n") == 1
    assert sentence in captured.err and captured.out == ""


def run_cli(*arguments, code=None, **more):
    """The command line in a fresh process; `code` runs before it."""
    path = os.pathsep.join([os.path.dirname(__file__), *[p for p in sys.path if p]])
    script = textwrap.dedent(code or "") + "\nimport sys\nfrom sidelook.cli import main\nsys.exit(main(sys.argv[1:]))\n"
    return subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, timeout=60,
        env={**os.environ, "PYTHONPATH": path}, **more,
    )  # fmt: skip


def test_help_loads_no_heavy_library():
    """What only some commands need must not be loaded for help."""
    code = """
        import atexit, sys
        heavy = ("osgeo", "sarkit", "scipy", "matplotlib", "lxml")
        atexit.register(lambda: print(sorted(m for m in heavy if m in sys.modules), file=sys.stderr))
    """
    result = run_cli("--help", code=code)
    assert result.returncode == 0 and result.stderr.strip() == "[]"


# ---- exit codes --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Failure("it failed"), 1),
        (BadInput("prf_hz is 0; must be greater than 0"), 3),
        (MissingAuxiliary("no orbit"), 4),
        (OverMemory("needs 5 bytes"), 5),
        (MemoryError(), 5),
        (KeyboardInterrupt(), 130),
        (common.Terminated(), 143),
        (ZeroDivisionError("division by zero"), 1),
    ],
)
def test_exit_codes(command, capsys, error, code):
    command(raising(error))
    assert main(["focus"]) == code
    captured = capsys.readouterr()
    assert captured.err.startswith("sidelook: error: ") and captured.err.count("\n") == 1
    assert str(error) in captured.err and "Traceback" not in captured.err


@pytest.mark.parametrize(("stop", "code"), [(KeyboardInterrupt, 130), (common.Terminated, 143)])
def test_a_signal_while_a_class_is_made(command, capsys, stop, code):
    class Late:
        def __set_name__(self, owner, name):
            raise stop

    command(lambda args: type("Made", (), {"field": Late()}))
    assert main(["focus"]) == code
    assert capsys.readouterr().err in ("sidelook: error: interrupted\n", "sidelook: error: terminated\n")


def test_a_bug_of_ours_can_be_looked_into(command, monkeypatch):
    command(raising(ZeroDivisionError("division by zero")))
    monkeypatch.setenv("SIDELOOK_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        main(["focus"])


def test_the_commands_own_code_is_returned(command):
    command(lambda args: 7)
    assert main(["focus"]) == 7


def test_native_errors_become_ours():
    from sidelook import _native

    for kind, code in ((Failure, 1), (BadInput, 3), (MissingAuxiliary, 4), (OverMemory, 5)):
        assert kind.exit_code == code and type(from_code(code, "x")) is kind
        with pytest.raises(kind, match="^the sentence$"), translate():
            raise _native.NativeError(code, "the sentence")
    with pytest.raises(BadInput, match="carrier_hz is 0; must be"), translate():
        _native.validate(_native.Acquisition())
    with pytest.raises(ValueError, match="untouched"), translate():
        raise ValueError("untouched")

    @translate()
    def decorated():
        _native.validate(_native.Acquisition())

    with pytest.raises(SidelookError):
        decorated()


def test_a_native_refusal_through_the_command_line(command, capsys):
    from sidelook import _native

    command(lambda args: _native.validate(_native.Acquisition()))
    assert main(["focus"]) == 3
    assert capsys.readouterr().err.startswith("sidelook: error: carrier_hz is 0; must be")


# ---- options -----------------------------------------------------------------------------------------------------


def test_common_options(command):
    seen = []
    command(lambda args: seen.append(args) or 0, all_options)
    arguments = ["focus", "-o", "out.tif", "--of", "GTiff", "--co", "TILED=YES", "--co", "A=", "--overwrite", "--json"]
    assert main([*arguments, "--device", "cpu", "--max-ram", "2GiB", "--threads", "3", "-q"]) == 0
    args = seen[0]
    assert (args.output, args.of, args.co, args.overwrite) == ("out.tif", "GTiff", ["TILED=YES", "A="], True)
    assert (args.device, args.max_ram, args.threads, args.json, args.quiet) == ("cpu", 2 << 30, 3, True, True)
    assert main(["focus", "--output", "out.tif"]) == 0
    assert (seen[1].max_ram, seen[1].threads, seen[1].co) == (None, common.available_threads(), [])


@pytest.mark.parametrize(
    ("text", "value"),
    [("2GiB", 2 << 30), ("500MB", 500_000_000), ("1.5 GiB", 3 << 29), ("800KiB", 819200), ("7kB", 7000), ("9B", 9),
     ("1tib", 1 << 40), ("3GB", 3_000_000_000)],
)  # fmt: skip
def test_sizes(text, value):
    assert common.size(text) == value


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        ("--max-ram", "2", "'2' is not a size; must be like 2GiB"),
        ("--max-ram", "2G", "'2G' is not a size"),
        ("--max-ram", "-1GiB", "expected one argument"),
        ("--max-ram", "0MB", "'0MB' is not a size"),
        ("--max-ram", "muchGB", "'muchGB' is not a size"),
        ("--threads", "0", "'0' is not a number of threads; must be 1 or more"),
        ("--threads", "two", "'two' is not a number of threads"),
        ("--co", "TILED", "'TILED' is not KEY=VALUE"),
        ("--device", "tpu", "invalid choice: 'tpu'"),
    ],
)
def test_options_refused(command, capsys, option, value, sentence):
    command(lambda args: 0, all_options)
    assert main(["focus", "-o", "x", option, value]) == 2
    assert sentence in capsys.readouterr().err


def test_cuda_is_refused_not_replaced(command, capsys):
    command(lambda args: common.require_device(args.device, "focus") or 0, all_options)
    assert main(["focus", "-o", "x", "--device", "cuda"]) == 4
    assert "device is cuda; this build has no cuda implementation of focus" in capsys.readouterr().err
    assert main(["focus", "-o", "x", "--device", "cpu"]) == 0


def test_progress_is_gdals(capsys):
    progress = common.Progress(force=True)
    for fraction in (0.0, 0.12, 0.5, 0.3, 1.0, 1.0):
        progress(fraction)
    expected = "0...10...20...30...40...50...60...70...80...90...100 - done.\n"
    assert capsys.readouterr() == ("", expected)
    common.Progress(quiet=True, force=True)(1.0)
    common.Progress()(1.0)  # captured stderr is no terminal
    assert capsys.readouterr().err == ""
    unfinished = common.Progress(force=True)
    unfinished(0.1)
    unfinished.close()
    assert capsys.readouterr().err == "0...10\n"
    args = argparse.Namespace(quiet=False, progress=True)
    assert common.Progress.from_args(args).shown


# ---- output files ------------------------------------------------------------------------------------------------


def names(folder):
    return sorted(p.name for p in pathlib.Path(folder).iterdir())


def test_atomic_file_appears_whole(tmp_path):
    with common.AtomicFile(tmp_path / "a.tif") as target:
        assert target.temporary.parent == tmp_path and target.temporary.name.startswith(".")
        assert target.temporary.suffix == ".tif"
        target.temporary.write_text("whole")
        pathlib.Path(f"{target.temporary}.aux.xml").write_text("side")
        assert not (tmp_path / "a.tif").exists()
    assert names(tmp_path) == ["a.tif", "a.tif.aux.xml"]
    assert (tmp_path / "a.tif").read_text() == "whole" and (tmp_path / "a.tif.aux.xml").read_text() == "side"


@pytest.mark.parametrize("error", [ValueError("x"), KeyboardInterrupt(), common.Terminated(), BadInput("x")])
def test_atomic_file_leaves_nothing(tmp_path, error):
    (tmp_path / "old.tif").write_text("old")
    for name in ("new.tif", "old.tif"):
        with pytest.raises(type(error)), common.AtomicFile(tmp_path / name, overwrite=True) as target:
            target.temporary.write_text("half")
            pathlib.Path(f"{target.temporary}.aux.xml").write_text("side")
            raise error
    assert names(tmp_path) == ["old.tif"] and (tmp_path / "old.tif").read_text() == "old"


def test_atomic_file_refuses(tmp_path):
    (tmp_path / "a.tif").write_text("old")
    for path, sentence in (
        (tmp_path / "a.tif", "a.tif exists already; give --overwrite to replace it"),
        (tmp_path, "is a folder; must be the name of a file"),
        (tmp_path / "none" / "a.tif", "a.tif cannot be written: there is no such file or folder"),
        (tmp_path / "a.tif" / "b.tif", "b.tif cannot be written: its folder is not a folder"),
    ):
        with pytest.raises(BadInput, match=sentence), common.AtomicFile(path):
            pytest.fail("was entered")
    if os.geteuid() != 0:  # root may write anywhere
        tmp_path.chmod(0o500)
        with pytest.raises(BadInput, match="permission denied"), common.AtomicFile(tmp_path / "b.tif"):
            pytest.fail("was entered")
    assert (tmp_path / "a.tif").read_text() == "old"


def test_a_folder_made_unwritable(tmp_path, monkeypatch):
    """The same as root: the system's refusal is played."""

    def refuse(self, **unused):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(pathlib.Path, "touch", refuse)
    with (
        pytest.raises(BadInput, match="a.tif cannot be written: permission denied$"),
        common.AtomicFile(tmp_path / "a.tif"),
    ):
        pytest.fail("was entered")


def test_temporary_folder(tmp_path):
    with pytest.raises(BadInput), common.temporary_folder(tmp_path) as folder:
        (folder / "deep").mkdir()
        (folder / "deep" / "file").write_text("x")
        raise BadInput("x")
    assert names(tmp_path) == []


# ---- signals, in real processes ------------------------------------------------------------------------------------

SLOW = """
    import sys, time, types
    from sidelook import _cli_common as common
    module = types.ModuleType("sidelook.commands.focus")

    def register(subparsers):
        common.add_output_options(subparsers.add_parser("focus"))

    def run(args):
        with common.AtomicFile(args.output) as target, common.temporary_folder(target.path.parent) as folder:
            (folder / "x").write_text("x")
            target.temporary.write_text("half")
            print("ready", flush=True)
            time.sleep(30)
        return 0

    module.register, module.run = register, run
    sys.modules["sidelook.commands.focus"] = module
"""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_signals_leave_no_files(tmp_path, number, code):
    path = os.pathsep.join([os.path.dirname(__file__), *[p for p in sys.path if p]])
    script = textwrap.dedent(SLOW) + "\nfrom sidelook.cli import main\nsys.exit(main(sys.argv[1:]))\n"
    process = subprocess.Popen(
        [sys.executable, "-c", script, "focus", "-o", str(tmp_path / "out.tif")],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path},
    )  # fmt: skip
    try:
        assert process.stdout.readline() == "ready\n"
        assert len(names(tmp_path)) == 2 and all(n.startswith(".") for n in names(tmp_path))
        started = time.monotonic()
        process.send_signal(number)
        _, messages = process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode == code
    assert messages.startswith("sidelook: error: ") and "Traceback" not in messages
    assert time.monotonic() - started < 10
    assert names(tmp_path) == []


def test_a_signal_during_the_rename_waits_for_it(tmp_path, monkeypatch):
    """The file is whole or absent, never half renamed, and the signal still ends the command."""
    replace = os.replace

    def interrupted(source, target):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.01)
        replace(source, target)

    with pytest.raises(KeyboardInterrupt), common.AtomicFile(tmp_path / "a.tif") as target:
        target.temporary.write_text("whole")
        monkeypatch.setattr(os, "replace", interrupted)
    assert names(tmp_path) == ["a.tif"]


def test_the_handler_is_put_back(command):
    before = signal.getsignal(signal.SIGTERM)
    command(lambda args: 0)
    assert main(["focus"]) == 0
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_closed_pipe_is_no_traceback(tmp_path):
    read_end, write_end = os.pipe()
    os.close(read_end)
    path = os.pathsep.join([p for p in sys.path if p])
    result = subprocess.run(
        [sys.executable, "-m", "sidelook.cli", "devices", "--json"], stdout=write_end, stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path}, timeout=60,
    )  # fmt: skip
    os.close(write_end)
    assert result.returncode == 1 and result.stderr == ""


# ---- devices -----------------------------------------------------------------------------------------------------


def test_devices(capsys):
    assert main(["devices", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["cpu"]["available"] and found["cpu"]["threads"] == common.available_threads()
    assert found["cpu"]["instruction_set"] in ("avx512", "avx2", "neon", "baseline")
    assert main(["devices"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("cpu ")
    if found["cuda"]["available"]:
        assert found["cuda"]["devices"][0]["name"] in text
    else:
        assert "this build has no CUDA" in found["cuda"]["missing"] or "this machine has no CUDA" in found["cuda"]["missing"]
        assert f"cuda  not available: {found['cuda']['missing']}" in text


def test_selftest_needs_a_device(capsys):
    assert main(["devices", "--json"]) == 0
    cuda = json.loads(capsys.readouterr().out)["cuda"]
    code = main(["devices", "--selftest"])
    out, err = capsys.readouterr()
    if cuda["available"]:
        assert code == 0 and all(s["passed"] and s["largest_error"] > 0 for s in json.loads(out)["stages"])
    else:
        assert code == 4 and f"device is cuda; {cuda['missing']}" in err


# ---- info --------------------------------------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path):
    pytest.importorskip("sarkit")
    acquisition = make_acquisition()
    echoes = noise((acquisition.pulses, acquisition.samples), seed=1)
    crsd.write(tmp_path / "a.crsd", acquisition, echoes)
    acquisition.to_json(tmp_path / "a.json")
    np.save(tmp_path / "a.npy", echoes)
    return tmp_path


@pytest.mark.parametrize(("name", "kind"), [("a.crsd", "crsd"), ("a.npy", "npy"), ("a.json", "acquisition")])
def test_info(files, capsys, name, kind):
    assert main(["info", str(files / name), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["kind"] == kind and found["acquisition"] == make_acquisition().to_dict()
    assert found["near_range_m"] == pytest.approx(880e3, rel=1e-12)
    assert found["chirp_bandwidth_hz"] == pytest.approx(25e6, rel=1e-12)
    if kind != "acquisition":
        assert found["stored_as"] == "complex64" and found["file_bytes"] == (files / name).stat().st_size
    assert main(["info", str(files / name)]) == 0
    text = capsys.readouterr().out
    for part in (
        "48 pulses x 256 samples",
        "5.405 GHz",
        "looking right",
        "25 MHz down",
        "9 state vectors",
        "10 m x 1.25 m",
    ):
        assert part in text


def test_info_of_an_image(tmp_path, capsys):
    gdal = pytest.importorskip("osgeo.gdal")
    image = gdal.GetDriverByName("GTiff").Create(str(tmp_path / "a.tif"), 5, 7, 1, gdal.GDT_CFloat32)
    image.SetMetadataItem("carrier_hz", "5.4e9", "SIDELOOK")
    image = None
    using = gdal.GetUseExceptions()
    assert main(["info", str(tmp_path / "a.tif"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["kind"], found["lines"], found["samples"], found["bands"]) == ("image", 7, 5, ["CFloat32"])
    assert found["metadata"]["SIDELOOK"] == {"carrier_hz": "5.4e9"}
    assert main(["info", str(tmp_path / "a.tif")]) == 0
    assert "7 lines x 5 samples" in capsys.readouterr().out
    assert gdal.GetUseExceptions() == using


def test_info_refuses(files, capsys, monkeypatch):
    (files / "cut.crsd").write_bytes((files / "a.crsd").read_bytes()[:-5])
    (files / "text.txt").write_text("hello")
    (files / "other.json").write_text('{"schema": 1}')
    cases = [
        ("none.crsd", 3, "none.crsd cannot be read: there is no such file or folder"),
        ("cut.crsd", 3, "it is truncated"),
        ("other.json", 3, "other.json has no epoch_utc"),
    ]
    try:
        import osgeo.gdal  # noqa: F401

        cases.append(("text.txt", 3, "text.txt looks like no format we know; must be echoes, an acquisition or an image"))
    except ImportError:
        pass
    for name, code, sentence in cases:
        assert main(["info", str(files / name)]) == code
        captured = capsys.readouterr()
        assert sentence in captured.err and captured.err.count("\n") == 1 and captured.out == ""
    (files / "b.tif").write_bytes(b"II*\0\x08\0\0\0")
    monkeypatch.setitem(sys.modules, "osgeo.gdal", None)
    assert main(["info", str(files / "b.tif")]) == 4
    assert "looks like a TIFF image" in (text := capsys.readouterr().err) and "gdal-config" in text


def test_a_real_process_refuses(files):
    (files / "cut.crsd").write_bytes((files / "a.crsd").read_bytes()[:5000])
    result = run_cli("info", str(files / "cut.crsd"))
    assert result.returncode == 3 and result.stdout == ""
    assert result.stderr.startswith("sidelook: error: cut.crsd has 5000 bytes; its header promises ")
    assert result.stderr.count("\n") == 1
