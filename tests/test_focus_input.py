"""What focusing does with bad and imperfect input: one sentence, the right exit code, nothing half-written; or the right image."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import os
import pathlib
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

import focus_helpers as h
import numpy as np
import pytest
from sidelook import _native, crsd, simulate
from sidelook.acquisition import Acquisition, Antenna
from sidelook.errors import BadInput, OverMemory
from sidelook.focusing import focus

PULSES, SAMPLES = 1500, 700


@functools.cache
def scene() -> tuple[np.ndarray, Acquisition]:
    """White noise of unit power, and the acquisition of a small scene."""
    native = simulate.acquire(h.instrument("c-stripmap"), PULSES, SAMPLES)
    return h.noise((PULSES, SAMPLES), 1.0, 11), Acquisition.from_native(native)


def changed(**values: Any) -> Acquisition:
    return dataclasses.replace(scene()[1], **values)


@functools.cache
def clean_image() -> np.ndarray:
    return focus(*scene()).image


# ---- refusals ----------------------------------------------------------------------------------------------------

REFUSALS: dict[str, tuple[Callable[[np.ndarray], Any], Callable[[], Acquisition], dict[str, Any], str]] = {
    "all zero": (lambda e: np.zeros_like(e), changed, {}, "zero"),
    "all NaN": (lambda e: np.full_like(e, np.nan), changed, {}, "NaN"),
    "all infinite": (lambda e: np.full_like(e, np.inf), changed, {}, "NaN|finite"),
    "float64": (lambda e: e.real.astype(np.float64), changed, {}, "float64; must be complex64"),
    "complex128": (lambda e: e.astype(np.complex128), changed, {}, "complex128; must be complex64"),
    "int32": (lambda e: np.zeros((*e.shape, 2), np.int32), changed, {}, "int32; must be complex64"),
    "bool": (lambda e: e != 0, changed, {}, "bool; must be complex64"),
    "text": (lambda e: np.zeros(e.shape, "U1"), changed, {}, "must be complex64"),
    "lines of unequal length": (lambda e: [e[0], e[1, :-3], e[2]], changed, {}, "list; must be a numpy array"),
    "an array of such lines": (lambda e: np.array([e[0], e[1, :-3]], object), changed, {}, "object; must be complex64"),
    "one line": (lambda e: e[0], changed, {}, r"shape \(700,\); must be \(pulses, samples\)"),
    "three dimensions": (lambda e: e[None], changed, {}, r"must be \(pulses, samples\)"),
    "I only": (lambda e: np.zeros((*e.shape, 1), np.int16), changed, {}, r"must be \(pulses, samples, 2\)"),
    "a pulse too few": (lambda e: e[:-1], changed, {}, "1499 pulses.*must have 1500"),
    "a sample too many": (lambda e: np.pad(e, ((0, 0), (0, 1))), changed, {}, "701 samples; must have 1500 of 700"),
    "none": (lambda e: None, changed, {}, "echoes are None; must be a numpy array"),
    "a number": (lambda e: 7, changed, {}, "echoes are of type int; must be a numpy array"),
    "acquisition a dictionary": (lambda e: e, lambda: changed().to_dict(), {}, "acquisition is a dict; must be an Acquisition"),
    "aperture longer than the record": (lambda e: e[:700], lambda: changed(pulses=700), {}, "pulses is 700; must exceed the .*, [0-9]+"),
    "one pulse": (lambda e: e[:1], lambda: changed(pulses=1), {}, "pulses is 1; must exceed"),
    "pulse longer than the window": (lambda e: e[:, :400], lambda: changed(samples=400), {}, "chirp_duration_s is .*; must be shorter"),
    "pulse almost as long as it": (lambda e: e[:, :501], lambda: changed(samples=501), {}, "samples is 501"),
    "no pulses": (lambda e: e[:0], lambda: changed(pulses=0), {}, "pulses is 0; must be greater than 0"),
    "chirp rate 0": (lambda e: e, lambda: changed(chirp_rate_hz_per_s=0.0), {}, "chirp_rate_hz_per_s is 0; must be finite and not zero"),
    "chirp wider than the sampling": (lambda e: e, lambda: changed(chirp_rate_hz_per_s=6e12), {}, "must not exceed sample_rate_hz"),
    "orbit too short": (lambda e: e, lambda: changed(orbit=scene()[1].orbit[:4]), {}, "orbit covers .* must cover the pulses"),
    "three state vectors": (lambda e: e, lambda: changed(orbit=scene()[1].orbit[:3]), {}, "orbit has 3 .*; must be 0 or at least 4"),
    "no orbit, no velocity": (lambda e: e, lambda: changed(orbit=(), antenna=Antenna(), doppler_centroid_hz=(0.0,)), {}, "effective|orbit"),
    "look side": (lambda e: e, lambda: changed(look_side="down"), {}, "look_side is 'down'; must be 'left' or 'right'"),
    "option": (lambda e: e, changed, {"windows": "flat"}, "windows is no option"),
    "window": (lambda e: e, changed, {"azimuth_window": "flat"}, "window is 'flat'; must be one of"),
    "window's parameter": (lambda e: e, changed, {"range_window": "kaiser -1"}, "range_window is kaiser -1; its parameter must"),
    "window's word": (lambda e: e, changed, {"range_window": "kaiser much"}, "parameter must be a number"),
    "doppler band": (lambda e: e, changed, {"doppler_bandwidth_hz": 1600.0}, "doppler_bandwidth_hz is 1600; must be"),
    "negative doppler band": (lambda e: e, changed, {"doppler_bandwidth_hz": -1.0}, "doppler_bandwidth_hz is -1; must be"),
    "range band": (lambda e: e, changed, {"range_bandwidth_hz": 60e6}, "range_bandwidth_hz is 6e?\\+?0*7?.*; must be"),
    "exposure": (lambda e: e, changed, {"minimum_exposure": 0.49}, "minimum_exposure is 0.49; must lie within 0.5 and 1"),
    "threads": (lambda e: e, changed, {"threads": -1}, "threads is -1; must be"),
    "block": (lambda e: e, changed, {"block_lines": -5}, "block_lines is -5; must be"),
    "strip": (lambda e: e, changed, {"strip_samples": -5}, "strip_samples is -5; must be"),
    "memory": (lambda e: e, changed, {"max_ram": -5}, "-5; must be"),
    "gains": (lambda e: e, changed, {"line_gain": [1.0, 2.0]}, "line_gain has 2 values; must be empty or one a pulse, 1500"),
    "gain NaN": (lambda e: e, changed, {"line_gain": [float("nan")] * PULSES}, "line_gain of pulse 0 is nan; must be finite"),
    "doppler": (lambda e: e, changed, {"doppler": "guess"}, "doppler is 'guess'; must be auto, attitude, data or"),
    "doppler NaN": (lambda e: e, changed, {"doppler": [float("nan")]}, "doppler_centroid_hz is nan; must be finite"),
    "doppler beyond the velocity": (
        lambda e: e, lambda: changed(orbit=(), antenna=Antenna(), effective_velocity_m_per_s=7100.0), {"doppler": [1e9]},
        "doppler_centroid_hz asks for .* must be a Doppler that this carrier and this velocity can give",
    ),
    "attitude wanted, none there": (lambda e: e, lambda: changed(antenna=Antenna()), {"doppler": "attitude"}, "doppler is attitude; the"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSALS)
def test_refused_in_one_sentence(name: str) -> None:
    make, acquisition, options, words = REFUSALS[name]
    with pytest.raises(BadInput, match=words) as refusal:
        focus(make(scene()[0]), acquisition(), **options)
    assert "\n" not in str(refusal.value) and refusal.value.exit_code == 3
    print(f"{name}: {refusal.value}")


@pytest.mark.parametrize("field", ["prf_hz", "carrier_hz", "sample_rate_hz", "chirp_duration_s", "first_sample_delay_s"])
@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
def test_rates_must_be_positive(field: str, value: float) -> None:
    with pytest.raises(BadInput, match=f"{field} is {value:g}; must be finite and greater than 0"):
        focus(scene()[0], changed(**{field: value}))


def test_memory_is_refused_with_both_numbers() -> None:
    with pytest.raises(OverMemory, match=r"is 1000000 bytes; one block needs at least (\d+) bytes") as refusal:
        focus(*scene(), max_ram=1000000)
    assert refusal.value.exit_code == 5
    needed = int(str(refusal.value).split("at least ")[1].split()[0])
    assert np.isfinite(focus(*scene(), max_ram=needed).image).any()  # and that much is enough
    with pytest.raises(OverMemory):
        focus(*scene(), max_ram=needed - 1)


def test_an_orbit_must_reach_zero_doppler() -> None:
    """At 3 degrees of squint targets pass zero Doppler 7 s after the pulses that see them."""
    native = simulate.acquire(h.instrument("c-stripmap", 3.0), PULSES, SAMPLES)
    acquisition = Acquisition.from_native(native)
    last = acquisition.first_pulse_time_s + PULSES / acquisition.prf_hz
    short = tuple(s for s in acquisition.orbit if s.time_s < last + 3)
    with pytest.raises(BadInput, match="must lie within the orbit|orbit covers .* zero Doppler"):
        focus(scene()[0], dataclasses.replace(acquisition, orbit=short))


# ---- damaged pulses ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_damaged_pulses_are_left_out_and_named(value: float) -> None:
    raw, acquisition = scene()
    damaged, silent = raw.copy(), raw.copy()
    pulses = [0, 10, 11, 700, PULSES - 1]
    for k, pulse in enumerate(pulses):  # one sample of each, in I or in Q, is enough
        damaged[pulse, (97 * k) % SAMPLES] = complex(value, 1.0) if k % 2 else complex(1.0, value)
    silent[pulses] = 0
    # without the correction of the bias, which is not zero where the lines are
    found, expected = (focus(e, acquisition, correct_iq=False) for e in (damaged, silent))
    assert found.metadata["echoes"]["damaged_pulses"] == pulses and found.metadata["echoes"]["silent_pulses"] == []
    assert expected.metadata["echoes"]["silent_pulses"] == pulses and expected.metadata["echoes"]["damaged_pulses"] == []
    # left out is as if never recorded: the very same image
    assert found.image.tobytes() == expected.image.tobytes()
    assert np.array_equal(np.isnan(found.image), np.isnan(clean_image()))
    error = 20 * np.log10(h.rms(found.image - clean_image()) / h.rms(clean_image()))
    print(f"5 pulses of 1500 left out: {error:.1f} dB")
    assert error < 10 * np.log10(5 / 900)  # at most 5 of the some 900 pulses of an aperture are missing


def test_a_gap_longer_than_an_aperture() -> None:
    raw, acquisition = scene()
    gap = raw.copy()
    gap[:, 0][PULSES // 2 :] = np.nan  # from the middle on
    slc = focus(gap, acquisition)
    assert slc.metadata["echoes"]["damaged_pulses"] == list(range(PULSES // 2, PULSES))
    assert np.array_equal(np.isnan(slc.image), np.isnan(clean_image()))


# ---- receivers that are not perfect ------------------------------------------------------------------------------


def spoiled(**receiver: Any) -> np.ndarray:
    echoes = scene()[0].copy()
    simulate.receive(echoes, **receiver)
    return echoes


def error_db(image: np.ndarray) -> float:
    """Against the clean image, whatever the constant between them."""
    a, b = (x[np.isfinite(clean_image())].astype(np.complex128) for x in (image, clean_image()))
    constant = np.vdot(a, b) / np.vdot(a, a)
    return h.db(float(np.sum(np.abs(constant * a - b) ** 2) / np.sum(np.abs(b) ** 2)))


def test_bias_and_imbalance_are_corrected() -> None:
    wrong = {"iq_gain_ratio": 1.12, "iq_phase_deg": 5.0, "bias_i": 0.3, "bias_q": -0.2}
    echoes, acquisition = spoiled(**wrong), scene()[1]
    corrected, left = focus(echoes, acquisition), focus(echoes, acquisition, correct_iq=False)
    found = corrected.metadata["echoes"]["corrected"]
    # a million independent values: 1e-3 relative on each figure
    assert np.abs(np.array(found["bias"]) - [0.3, -0.2]).max() < 4e-3
    assert abs(found["gain_ratio"] - 1.12) < 4e-3 and abs(found["quadrature_error_rad"] - np.radians(5)) < 4e-3
    error, without = error_db(corrected.image), error_db(left.image)
    print(f"I/Q bias and imbalance: {without:.1f} dB, corrected {error:.1f} dB; found {found}")
    assert error < -50 and without > -30  # amplitude and phase known to 1e-3: some -60 dB


def test_a_perfect_receiver_is_left_alone() -> None:
    found = focus(*scene()).metadata["echoes"]["corrected"]
    assert found["gain_ratio"] == 1 and found["quadrature_error_rad"] == 0 and found["line_gain"] is False
    assert np.abs(found["bias"]).max() < 4e-3


def test_gain_steps_are_undone() -> None:
    steps = (0.0, 3.0, -6.0, 2.0)
    echoes, acquisition = spoiled(block_gain_db=steps, block_lines=400), scene()[1]
    gain = 10 ** (-np.array(steps)[np.minimum(np.arange(PULSES) // 400, 3)] / 20)
    corrected, left = focus(echoes, acquisition, line_gain=gain), focus(echoes, acquisition)
    assert corrected.metadata["echoes"]["corrected"]["line_gain"] is True
    error, without = error_db(corrected.image), error_db(left.image)
    print(f"gain steps: {without:.1f} dB, undone {error:.1f} dB")
    assert error < -50 and without > -20  # what is left is the bias, estimated from unequal lines: 1e-3, scaled by up to 6 dB


def test_saturation_is_reported() -> None:
    echoes = scene()[0].copy()
    fraction = simulate.receive(echoes, bits=4, step=0.14)
    slc = focus(echoes, scene()[1])
    share, largest = slc.metadata["echoes"]["share_at_largest"], slc.metadata["echoes"]["largest"]
    # the outermost level also holds what lay within it
    print(f"saturated {fraction:.4f}; reported {share:.4f} at {largest}; error of the image {error_db(slc.image):.1f} dB")
    assert abs(largest - 7.5 * 0.14) < 1e-5
    level = np.mean(np.abs(np.stack([echoes.real, echoes.imag])) == np.float32(largest))
    assert abs(share - level) < 1e-6 and share > fraction > 0.1
    assert focus(*scene()).metadata["echoes"]["share_at_largest"] < 1e-5


def test_integers_focus_as_their_values() -> None:
    raw, acquisition = scene()
    pairs = np.rint(raw.view(np.float32).reshape(PULSES, SAMPLES, 2) * 20)
    whole = focus(pairs.astype(np.float32).view(np.complex64)[..., 0], acquisition)
    for kind in (np.int8, np.int16):
        assert focus(pairs.astype(kind), acquisition).image.tobytes() == whole.image.tobytes()


# ---- the command line --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """scene.npy with scene.json, and scene.crsd."""
    where = tmp_path_factory.mktemp("scene")
    echoes, acquisition = scene()
    h.write_scene(where, echoes, acquisition)
    crsd.write(where / "scene.crsd", acquisition, echoes)
    return where


def refused(result: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    assert result.returncode == code, result.stderr
    assert result.stderr.startswith("sidelook: error: ") and result.stderr.count("\n") == 1, result.stderr
    assert "bug of ours" not in result.stderr and result.stdout == ""
    for word in words:
        assert word in result.stderr, (word, result.stderr)
    print(result.stderr.strip())


@pytest.fixture
def output(tmp_path: pathlib.Path) -> Iterator[pathlib.Path]:
    """A file to write; if the test leaves it unwritten nothing else may be there either."""
    where = tmp_path / "out"
    where.mkdir()
    yield where / "slc.tif"
    allowed = {"slc.tif", "slc.quicklook.png"} if (where / "slc.tif").exists() else set()
    assert h.only_files(where) <= allowed


gdal = pytest.mark.skipif(__import__("importlib").util.find_spec("osgeo") is None, reason="GDAL's Python bindings are not installed")


@gdal
def test_focus_writes_image_quicklook_and_metadata(folder: pathlib.Path, output: pathlib.Path) -> None:
    from sidelook.slc import read_slc

    result = h.run("focus", folder / "scene.npy", "-o", output, "--json")
    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout)
    assert h.only_files(output.parent) == {"slc.tif", "slc.quicklook.png"}
    slc = read_slc(output)
    assert slc.image.tobytes() == clean_image().tobytes()
    assert (report["lines"], report["samples"]) == slc.image.shape
    assert {"survey", "correct_echoes", "range_compress", "azimuth_compress"} == {s["name"] for s in report["stages"]}
    again = h.run("focus", folder / "scene.crsd", "-o", output.with_name("slc2.tif"), "--json")
    assert again.returncode == 0, again.stderr
    other = read_slc(output.with_name("slc2.tif"))
    difference = h.db((h.rms(other.image - slc.image) / h.rms(slc.image)) ** 2)
    print(f"from CRSD instead of .npy: {difference:.1f} dB")
    assert difference < -90  # a CRSD states its geometry anew, in other numbers
    for left in output.parent.glob("slc2*"):
        left.unlink()


@gdal
def test_an_image_is_no_echoes(folder: pathlib.Path, output: pathlib.Path) -> None:
    image = folder / "image.tif"
    if not image.exists():
        assert h.run("focus", folder / "scene.npy", "-o", image, "-q").returncode == 0
    refused(h.run("focus", image, "-o", output), 3, "image.tif", "TIFF image, perhaps a focused one")


@gdal
@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("nothing.crsd", b"", "nothing.crsd"),
        ("noise.bin", bytes(range(256)) * 40, "noise.bin"),
        ("header.npy", b"\x93NUMPY\x01\x00", "header.npy"),
        ("picture.png", b"\x89PNG\r\n\x1a\n" + b"x" * 100, "picture.png"),
    ],
)
def test_files_that_are_no_echoes(tmp_path: pathlib.Path, output: pathlib.Path, name: str, content: bytes, words: str) -> None:
    (tmp_path / name).write_bytes(content)
    (tmp_path / name).with_suffix(".json").write_text(scene()[1].to_json())
    refused(h.run("focus", tmp_path / name, "-o", output), 3, words)


@gdal
@pytest.mark.parametrize("share", [0.999, 0.5, 0.01])
@pytest.mark.parametrize("name", ["scene.crsd", "scene.npy"])
def test_truncated_files(folder: pathlib.Path, tmp_path: pathlib.Path, output: pathlib.Path, name: str, share: float) -> None:
    whole = (folder / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: int(share * len(whole))])
    (tmp_path / "scene.json").write_text((folder / "scene.json").read_text())
    refused(h.run("focus", tmp_path / name, "-o", output), 3, name)


@gdal
@pytest.mark.parametrize(
    ("array", "words"),
    [
        (lambda e: e.astype(np.complex128), "complex128"),
        (lambda e: e[:-7], "1493"),
        (lambda e: np.zeros_like(e), "zero"),
        (lambda e: np.full_like(e, np.nan), "NaN"),
        (lambda e: np.asfortranarray(e), "Fortran"),
        (lambda e: e.real.copy(), "float32"),
    ],
)
def test_arrays_in_files(tmp_path: pathlib.Path, output: pathlib.Path, array: Callable[[np.ndarray], np.ndarray], words: str) -> None:
    path = h.write_scene(tmp_path, array(scene()[0]), scene()[1])
    refused(h.run("focus", path, "-o", output), 3, words)


@gdal
@pytest.mark.parametrize(("field", "value"), [("prf_hz", 0), ("sample_rate_hz", -5e7), ("carrier_hz", "much"), ("pulses", 10**9)])
def test_bad_acquisition_files(folder: pathlib.Path, tmp_path: pathlib.Path, output: pathlib.Path, field: str, value: object) -> None:
    (tmp_path / "other.json").write_text(json.dumps({**scene()[1].to_dict(), field: value}))
    refused(h.run("focus", folder / "scene.npy", "--acquisition", tmp_path / "other.json", "-o", output), 3, field.split("_")[0])


@gdal
def test_missing_files(folder: pathlib.Path, tmp_path: pathlib.Path, output: pathlib.Path) -> None:
    refused(h.run("focus", tmp_path / "absent.npy", "-o", output), 3, "absent")
    (tmp_path / "bare.npy").write_bytes((folder / "scene.npy").read_bytes())
    refused(h.run("focus", tmp_path / "bare.npy", "-o", output), 3, "bare.npy", "bare.json")
    refused(h.run("focus", folder / "scene.npy", "-o", tmp_path / "no" / "such" / "slc.tif"), 3, "slc.tif", "no such file or folder")


@gdal
def test_a_device_that_is_not_there(folder: pathlib.Path, output: pathlib.Path) -> None:
    try:
        _native.cuda_devices()
    except _native.NativeError as error:
        code, sentence = error.args
        assert code == 4
        refused(h.run("focus", folder / "scene.npy", "-o", output, "--device", "cuda"), 4, sentence)
    else:
        pytest.skip("this build and this machine have CUDA")


@gdal
def test_memory_limit_on_the_command_line(folder: pathlib.Path, output: pathlib.Path) -> None:
    result = h.run("focus", folder / "scene.npy", "-o", output, "--max-ram", "10MiB")
    refused(result, 5, "10485760 bytes", "needs at least")
    needed = int(result.stderr.split("at least ")[1].split()[0])
    assert 10485760 < needed < 2**31


@gdal
def test_existing_output_is_kept(folder: pathlib.Path, output: pathlib.Path) -> None:
    output.write_bytes(b"precious")
    refused(h.run("focus", folder / "scene.npy", "-o", output), 3, "slc.tif exists already; give --overwrite")
    assert output.read_bytes() == b"precious" and h.only_files(output.parent) == {"slc.tif"}
    picture = output.with_suffix(".quicklook.png")
    output.unlink()
    picture.write_bytes(b"precious too")
    refused(h.run("focus", folder / "scene.npy", "-o", output), 3, "slc.quicklook.png exists already")
    assert picture.read_bytes() == b"precious too" and not output.exists()
    done = h.run("focus", folder / "scene.npy", "-o", output, "--overwrite", "-q")
    assert done.returncode == 0 and output.stat().st_size > clean_image().nbytes and picture.read_bytes().startswith(b"\x89PNG")


@contextlib.contextmanager
def mounted(where: pathlib.Path, options: str) -> Iterator[pathlib.Path]:
    """A small file system of its own, where this process may mount one; a visible skip where not."""
    where.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", where], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    try:
        yield where
    finally:
        subprocess.run(["umount", where], check=True)


@gdal
@pytest.mark.parametrize("size", ["4k", "64k", "500k"])
@pytest.mark.parametrize("options", [(), ("--co", "COMPRESS=DEFLATE", "--co", "TILED=YES")])
def test_full_disk_is_told_in_one_sentence(folder: pathlib.Path, tmp_path: pathlib.Path, size: str, options: tuple[str, ...]) -> None:
    with mounted(tmp_path / "small", f"size={size}") as small:
        refused(h.run("focus", folder / "scene.npy", "-o", small / "slc.tif", *options), 3, "slc.tif cannot be written", "disk is full")
        assert h.only_files(small) == set()


@gdal
def test_unwritable_folder(folder: pathlib.Path, tmp_path: pathlib.Path) -> None:
    if os.geteuid():
        (tmp_path / "locked").mkdir(mode=0o555)
        refused(
            h.run("focus", folder / "scene.npy", "-o", tmp_path / "locked" / "slc.tif"), 3, "slc.tif cannot be written: permission denied"
        )
        return
    with mounted(tmp_path / "locked", "ro") as locked:  # permissions do not stop root
        refused(h.run("focus", folder / "scene.npy", "-o", locked / "slc.tif"), 3, "slc.tif cannot be written", "read-only")
        assert h.only_files(locked) == set()


def reads(process: int, name: str) -> bool:
    """Whether a process has this file open (Linux)."""
    with contextlib.suppress(OSError):
        return any(os.readlink(link).endswith(name) for link in pathlib.Path(f"/proc/{process}/fd").iterdir())
    return False


@gdal
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("moment", ["first pass", "focusing"])
def test_signals_leave_nothing(tmp_path: pathlib.Path, output: pathlib.Path, number: signal.Signals, code: int, moment: str) -> None:
    native = simulate.acquire(h.instrument("c-stripmap"), 16000, 1024)
    block = h.noise((1000, 1024), 1.0, 2)
    np.save(tmp_path / "long.npy", np.tile(block, (16, 1)))
    Acquisition.from_native(native).to_json(tmp_path / "long.json")
    process = h.start("focus", tmp_path / "long.npy", "-o", output, "--progress", "--block-lines", "600", "--threads", "1")
    assert process.stderr is not None
    if moment == "focusing":
        assert process.stderr.read(1) == "0"  # the progress has begun, and the output with it
        assert any(p.name.startswith(".slc") for p in output.parent.iterdir())
    else:
        while not reads(process.pid, "long.npy"):
            time.sleep(0.01)
    process.send_signal(number)
    begin = time.monotonic()
    _, errors = process.communicate(timeout=60)
    print(f"{number.name} in {moment}: exit {process.returncode} after {time.monotonic() - begin:.2f} s")
    assert process.returncode == code, errors
    assert errors.splitlines()[-1].startswith("sidelook: error: ") and "Traceback" not in errors
    assert h.only_files(output.parent) == set()


def test_native_plan_refuses_without_python() -> None:
    """The checks are the core's own, not the binding's."""
    acquisition = scene()[1].native()
    acquisition.doppler_centroid_hz = [0.0]
    acquisition.prf_hz = 0
    with pytest.raises(_native.NativeError, match="prf_hz is 0; must be finite and greater than 0"):
        _native.FocusPlan(acquisition, _native.FocusOptions())
