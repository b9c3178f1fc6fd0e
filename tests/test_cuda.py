"""CUDA without a GPU: what nvcc makes of the kernels. Their results are emulated, in the native tests (tests/test_native.py)."""

from __future__ import annotations

import pathlib
import subprocess
import sys
from typing import NoReturn

import pytest
from intensity_image import sea, spaced
from sidelook import _native, detect, focusing, simulate
from sidelook.errors import BadInput, MissingAuxiliary

ROOT = pathlib.Path(__file__).resolve().parent.parent


def gate(*files: pathlib.Path) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([sys.executable, str(ROOT / "tools/nvcc_gate.py"), *map(str, files)], capture_output=True, text=True, timeout=600)
    print(done.stdout + done.stderr)
    if done.returncode == 4:
        pytest.skip(done.stderr.strip())
    return done


def test_kernels_compile_and_keep_nothing_on_a_stack() -> None:
    done = gate()
    assert done.returncode == 0
    for source in ROOT.glob("cpp/src/**/*.cu"):
        for architecture in ("sm_87", "sm_90"):
            assert any(line.startswith(source.name) and architecture in line for line in done.stdout.splitlines())


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("float a[64]; for (int i = 0; i < 64; ++i) a[(i * n) & 63] = x[i]; x[0] = a[n & 63];", "bytes stack frame"),
        ("float a[40]; for (int i = 0; i < 40; ++i) a[i] = x[i]; __syncthreads(); for (int i = 0; i < 40; ++i) x[i] = a[39 - i];", "spill"),
        ("int unused; x[n] = 0;", "nvcc refuses it"),
    ],
)
def test_the_gate_sees(tmp_path: pathlib.Path, body: str, words: str) -> None:
    source = tmp_path / "planted.cu"
    limit = "__launch_bounds__(1024, 2) " if words == "spill" else ""  # 32 registers a thread
    source.write_text(f"__global__ void {limit}planted(float *x, int n) {{ {body} }}\n")
    done = gate(source)
    assert done.returncode == 1 and "planted" in done.stderr and words in done.stderr


def test_every_twin_is_in_the_table() -> None:
    twins = {s["name"] for s in _native.stage_table() if s["cuda_twin"]}
    assert twins == {p.stem for p in ROOT.glob("cpp/src/*/*.cu")}
    assert all(p.with_suffix(".cpp").exists() for p in ROOT.glob("cpp/src/*/*.cu"))


def _unread(*window: int) -> NoReturn:
    raise AssertionError(f"{window} is read before the device is refused")


def test_devices_are_refused_by_name() -> None:
    with pytest.raises(BadInput, match="device is 'tpu'; must be one of cpu, cuda"):
        focusing.native_options(focusing.Options(device="tpu"))
    with pytest.raises(BadInput, match="device is 'tpu'; must be one of cpu, cuda"):
        detect.Options(device="tpu").native()
    image = sea(120, 150), spaced((4, 1), 120, 150)[1]
    assert detect.detect(*image).metadata["device"] == "cpu"
    try:
        devices = _native.cuda_devices()
    except _native.NativeError as error:
        code, sentence = error.args
        assert code == MissingAuxiliary.exit_code and sentence.startswith("device is cuda; ")
        options = _native.FocusOptions()
        options.device = _native.Device.cuda
        acquisition = simulate.acquire(simulate.sensor("c-stripmap"), 2600, 900)
        acquisition.doppler_centroid_hz = [0.0]
        with pytest.raises(_native.NativeError, match="device is cuda; "):
            _native.FocusPlan(acquisition, options)
        with pytest.raises(MissingAuxiliary, match="device is cuda; "):
            detect.detect(_unread, image[1], device="cuda")
    else:
        assert devices[0].memory_bytes > 0
