"""`sidelook devices`: where this build can compute, and what is missing where it cannot."""

from __future__ import annotations

import argparse
import pathlib
import platform
from typing import Any

from sidelook._cli_common import add_report_options, available_threads, print_json
from sidelook.errors import MissingAuxiliary, translate

# what the kernels may be compiled for, best first, by the names Linux gives the flags
_INSTRUCTION_SETS = {"avx512f": "avx512", "avx2": "avx2", "asimd": "neon"}


def register(subparsers: Any) -> None:
    """Adds the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser("devices", help="list where this build can compute", description=__doc__)
    parser.add_argument("--selftest", action="store_true", help="run every CUDA implementation against its CPU twin; prints JSON")
    add_report_options(parser)


def run(args: argparse.Namespace) -> int:
    """Prints the devices; a device that is missing is an error only to the self-test."""
    if args.selftest:
        return selftest()
    found = {"cpu": cpu(), "cuda": cuda()}
    if args.json:
        print_json(found)
        return 0
    print(f"cpu   {found['cpu']['model']}, {found['cpu']['threads']} threads, {found['cpu']['instruction_set']}")
    for d in found["cuda"]["devices"]:
        print(f"cuda  {d['name']}, compute capability {d['compute_capability']}, {d['memory_bytes'] / 2**30:.1f} GiB")
    if not found["cuda"]["available"]:
        print(f"cuda  not available: {found['cuda']['missing']}")
    return 0


def selftest() -> int:
    """Prints what every CUDA implementation makes of noise, compared with its CPU twin; 1 if any is beyond its tolerance."""
    from sidelook import _native

    with translate():
        device, results = _device(_native.cuda_devices()[0]), _native.cuda_selftest()
    fields = ("stage", "largest_error", "tolerance", "cpu_seconds", "cuda_seconds", "passed")
    passed = all(r.passed for r in results)
    print_json({"device": device, "passed": passed, "stages": [{f: getattr(r, f) for f in fields} for r in results]})
    return 0 if passed else 1


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
    """The CUDA devices that this build can compute on, or what is missing: implementations, driver or device."""
    from sidelook import _native

    try:
        with translate():
            devices = [_device(d) for d in _native.cuda_devices()]
    except MissingAuxiliary as error:
        return {"available": False, "missing": str(error).removeprefix("device is cuda; "), "devices": []}
    return {"available": True, "missing": "", "devices": devices}


def _device(d: Any) -> dict[str, Any]:
    return {"name": d.name, "compute_capability": f"{d.major}.{d.minor}", "memory_bytes": d.memory_bytes}
