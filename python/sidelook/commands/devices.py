"""`sidelook devices`: where this build can compute, and what is missing where it cannot."""

from __future__ import annotations

import argparse
import ctypes
import pathlib
import platform
from typing import Any

from sidelook._cli_common import add_report_options, available_threads, print_json

# what the kernels may be compiled for, best first, by the names Linux gives the flags
_INSTRUCTION_SETS = {"avx512f": "avx512", "avx2": "avx2", "asimd": "neon"}


def register(subparsers: Any) -> None:
    """Adds the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser("devices", help="list where this build can compute", description=__doc__)
    add_report_options(parser)


def run(args: argparse.Namespace) -> int:
    """Prints the devices; a device that is missing is no error here."""
    found = {"cpu": cpu(), "cuda": cuda()}
    if args.json:
        print_json(found)
        return 0
    print(f"cpu   {found['cpu']['model']}, {found['cpu']['threads']} threads, {found['cpu']['instruction_set']}")
    print(f"cuda  not available: {found['cuda']['missing']}")
    return 0


def cpu() -> dict[str, Any]:
    """Model, usable threads and widest instruction set of this machine's processor."""
    model, flags = "", set[str]()
    cpuinfo = pathlib.Path("/proc/cpuinfo")
    for line in cpuinfo.read_text().splitlines() if cpuinfo.exists() else ():
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            model = model or value.strip()
        elif key.strip() in ("flags", "Features"):
            flags |= set(value.split())
    widest = next((name for flag, name in _INSTRUCTION_SETS.items() if flag in flags), "baseline")
    return {
        "available": True,
        "model": model or platform.processor() or platform.machine(),
        "architecture": platform.machine(),
        "threads": available_threads(),
        "instruction_set": widest,
    }


def cuda() -> dict[str, Any]:
    """What is missing for CUDA: the build has none; driver and devices are looked for too."""
    missing = "this build has no CUDA implementations"
    devices, problem = _cuda_driver()
    if problem:
        missing += f", and {problem}"
    return {"available": False, "missing": missing, "driver_devices": devices}


def _cuda_driver() -> tuple[int, str]:
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return 0, "this machine has no CUDA driver (libcuda.so.1)"
    count = ctypes.c_int(0)
    if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
        return 0, "the CUDA driver finds no device"
    return count.value, "" if count.value else "the CUDA driver finds no device"
