"""Compiles every .cu of the core with nvcc and refuses kernels that keep anything on a stack: `python tools/nvcc_gate.py [FILE...]`.

A stack frame or a spilled register is memory traffic that the source does not show, mostly an array that is indexed at run time or
a kernel that asks for too many registers. ptxas tells; this fails on any. Exit code 4 where there is no nvcc.

Where a toolkit comes without cuFFT's header, its few declarations in cpp/tests/cuda_emulator/cufft serve: kernels do not depend on it.
"""

from __future__ import annotations

import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
ARCHITECTURES = ("87", "90")  # Jetson Orin; H100 and H200

ENTRY = re.compile(r"Compiling entry function '(?P<name>[^']+)' for 'sm_(?P<architecture>\d+)'")
MEMORY = re.compile(r"(?P<stack>\d+) bytes stack frame, (?P<stores>\d+) bytes spill stores, (?P<loads>\d+) bytes spill loads")
REGISTERS = re.compile(r"Used (?P<registers>\d+) registers")


def has_cufft(nvcc: str) -> bool:
    """Whether nvcc finds cuFFT's header by itself."""
    done = subprocess.run([nvcc, "-E", "-x", "cu", "-"], input="#include <cufft.h>\n", capture_output=True, text=True)
    return done.returncode == 0


def compile_file(nvcc: str, includes: list[str], source: pathlib.Path) -> tuple[list[str], int]:
    """What is wrong with one file, a line each, and how many kernels were looked at (one for each architecture)."""
    targets = [f"-gencode=arch=compute_{a},code=sm_{a}" for a in ARCHITECTURES]
    flags = ["-std=c++17", "-O3", "-Xptxas=-v", "-Werror=all-warnings", "-diag-suppress=554"]  # 554: see cmake/cuda.cmake
    with tempfile.TemporaryDirectory() as folder:
        command = [nvcc, *flags, *targets, *includes, "-c", str(source), "-o", f"{folder}/object.o"]
        done = subprocess.run(command, capture_output=True, text=True)
    said = done.stdout + done.stderr
    if done.returncode != 0:
        return [f"{source}: nvcc refuses it:\n{said}"], 0
    wrong, kernels, name = [], 0, ""
    for line in said.splitlines():
        if entry := ENTRY.search(line):
            name = f"{source.name}, {entry['name']}, sm_{entry['architecture']}"
            kernels += 1
        elif memory := MEMORY.search(line):
            if any(int(memory[kind]) for kind in ("stack", "stores", "loads")):
                wrong.append(f"{name or source.name}: {line.strip()}; must be 0")
        elif registers := REGISTERS.search(line):
            print(f"{name}: {registers['registers']} registers")
    return wrong, kernels


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=pathlib.Path, help="default: every .cu under cpp/src, and the planted bugs")
    files = parser.parse_args().files
    nvcc = shutil.which("nvcc") or shutil.which("nvcc", path="/usr/local/cuda/bin")
    if nvcc is None:
        print("nvcc is not here; it comes with the CUDA toolkit", file=sys.stderr)
        return 4
    # The planted bugs use every macro of core/cuda/launch.h: nvcc is to accept what the emulator does.
    files = files or [*sorted(ROOT.glob("cpp/src/**/*.cu")), ROOT / "cpp/tests/cuda_emulator/planted_bugs.cu"]
    includes = ["-I", str(ROOT / "cpp/src"), "-I", str(ROOT / "cpp/include")]
    if not has_cufft(nvcc):
        includes += ["-I", str(ROOT / "cpp/tests/cuda_emulator/cufft")]
    failed = False
    for source in files:
        wrong, kernels = compile_file(nvcc, includes, source)
        if kernels == 0 and not wrong:
            wrong = [f"{source}: no kernel was compiled; must hold at least one"]
        for line in wrong:
            print(line, file=sys.stderr)
        failed = failed or bool(wrong)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
