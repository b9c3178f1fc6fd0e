"""`sidelook bench`: what every stage costs here, against the bare cost of its transforms and the machine's limits."""

from __future__ import annotations

import argparse
import statistics
import time
from typing import Any

from sidelook._cli_common import add_report_options, print_json, require_device, thread_count, whole

# Looks of an image of a size: what square_looks gives for the presets, a larger cell, and one look.
LOOKS = ((1, 1), (2, 1), (4, 3), (8, 8))

# A fixed list: a power of two, awkward sizes, a long strip. Pulses x samples.
SIZES = ((4096, 4096), (5003, 4099), (8192, 8192), (16384, 2053))


def register(subparsers: Any) -> None:
    """Adds the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "bench", help="time every stage against the machine's limit", description=__doc__
    )
    parser.add_argument("--size", metavar="PULSESxSAMPLES", action="append", type=_size, help="instead of the fixed list")
    parser.add_argument("--squint-deg", metavar="DEG", type=float, default=0.0, help="of the beam (default: 0)")
    parser.add_argument("--repeat", metavar="N", type=_repeat, default=3, help="runs after one warm-up (default: 3)")
    parser.add_argument("--threads", metavar="N", type=thread_count, default=1, help="default: 1")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="where to compute (default: cpu)")
    add_report_options(parser)


def run(args: argparse.Namespace) -> int:
    """Times focusing and radiometry of noise; what pixels hold does not change the work."""
    from sidelook import _native
    from sidelook.commands.devices import cpu as describe_cpu

    require_device(args.device, "bench")
    limits = _native.measure_machine(args.threads)
    report: dict[str, Any] = {
        "software": f"sidelook {_native.version()}",
        "fft_library": _native.fft_library(),
        "instruction_set": _native.instruction_set(),
        "cpu": describe_cpu(),
        "threads": args.threads,
        "limits": {"copy_bytes_per_s": limits.copy_bytes_per_s, "flops_per_s": limits.flops_per_s},
        "focus": [],
        "radiometry": [],
    }
    sizes: list[tuple[int, int]] = args.size or list(SIZES)
    for pulses, samples in sizes:
        entry = time_focus(pulses, samples, args.squint_deg, args.threads, args.repeat, limits)
        report["focus"].append(entry)
        if not args.json and not args.quiet:
            print("\n".join(_text(entry)), flush=True)
    for looks in LOOKS:
        lines, samples = sizes[0]
        entry = time_radiometry(lines, samples, looks, args.threads, args.repeat, limits)
        report["radiometry"].append(entry)
        if not args.json and not args.quiet:
            print(f"radiometry {lines} x {samples}, looks {looks[0]} x {looks[1]}: {entry['ns_per_sample']:.2f} CPU ns a sample")
            print("\n".join(_stage_text(entry)), flush=True)
    if args.json:
        print_json(report)
    return 0


def time_focus(pulses: int, samples: int, squint_deg: float, threads: int, repeat: int, limits: Any) -> dict[str, Any]:
    """Median CPU time of focusing pulses x samples of noise, and what it is made of."""
    import numpy as np

    from sidelook import _native, simulate

    acquisition = simulate.acquire(simulate.sensor("c-stripmap", squint_deg=squint_deg), pulses, samples)
    acquisition.doppler_centroid_hz = _native.doppler_from_attitude(acquisition)
    options = _native.FocusOptions()
    options.threads = threads
    begin = time.perf_counter()
    plan = _native.FocusPlan(acquisition, options)
    plan_seconds = time.perf_counter() - begin
    noise = np.random.default_rng(1).standard_normal((512, 2 * samples), np.float32).view(np.complex64)
    valid = sum(e - f for f, e in zip(plan.grid.valid_first_line, plan.grid.valid_end_line, strict=True))

    def read(first_line: int, lines: int, first_sample: int, count: int) -> Any:
        start = first_line % (512 - lines) if lines < 512 else 0
        return np.ascontiguousarray(noise[start : start + lines, first_sample : first_sample + count])

    cpu: list[float] = []
    wall: list[float] = []
    stages: dict[str, list[float]] = {}
    for turn in range(repeat + 1):
        start_cpu, start_wall = time.process_time(), time.perf_counter()
        times = plan.run(read, lambda *unused: None, _native.EchoCorrections())
        if turn == 0:
            continue  # warm-up
        cpu.append(time.process_time() - start_cpu)
        wall.append(time.perf_counter() - start_wall)
        for stage in times:
            stages.setdefault(stage.name, []).append(stage.seconds)
    costs = plan.costs()
    rows = _stages(costs, stages, threads, limits)
    transforms = sum(_native.time_transforms(t.length, t.rows, t.batch) for c in costs for t in c.transforms)
    seconds = statistics.median(cpu)
    return {
        "pulses": pulses,
        "samples": samples,
        "squint_deg": squint_deg,
        "valid_samples": valid,
        "block_lines": plan.block_lines,
        "azimuth_fft": plan.azimuth_fft_length,
        "range_fft": [plan.range_fft_length, plan.range_inverse_fft_length],
        "plan_seconds": plan_seconds,
        "cpu_seconds": cpu,
        "wall_seconds": wall,
        "ns_per_valid_sample": 1e9 * seconds / valid,
        "ns_per_echo_sample": 1e9 * seconds / (pulses * samples),
        "bare_fft_seconds": transforms,
        "times_bare_fft": seconds / transforms,
        "stages": rows,
    }


def time_radiometry(lines: int, samples: int, looks: tuple[int, int], threads: int, repeat: int, limits: Any) -> dict[str, Any]:
    """Median times of averaging looks of lines x samples of noise and calibrating them."""
    import numpy as np

    from sidelook import _native

    options = _native.IntensityOptions()
    options.looks, options.threads = _native.Looks(*looks), threads
    grid = _native.FactorGrid()
    grid.lines, grid.samples, grid.values = [0.0, float(lines)], [0.0, float(samples)], [1.0, 2.0, 3.0, 4.0]
    options.factor = options.noise = grid
    plan = _native.IntensityPlan(lines, samples, True, options)
    noise = np.random.default_rng(1).standard_normal((lines, 2 * samples), np.float32).view(np.complex64)
    stages: dict[str, list[float]] = {}
    for turn in range(repeat + 1):
        times = plan.run(lambda first, count: noise[first : first + count], lambda *unused: None)
        if turn > 0:  # the first is a warm-up
            for stage in times:
                stages.setdefault(stage.name, []).append(stage.seconds)
    rows = _stages(plan.costs(), stages, threads, limits)
    return {
        "lines": lines,
        "samples": samples,
        "looks": list(looks),
        "ns_per_sample": 1e9 * threads * sum(s["seconds"] for s in rows) / (lines * samples),
        "stages": rows,
    }


def _stages(costs: list[Any], seconds: dict[str, list[float]], threads: int, limits: Any) -> list[dict[str, Any]]:
    """Each stage's median time against the machine's limit, from what it must compute and move at least."""
    from sidelook import _native

    rows = []
    for cost in costs:
        took = statistics.median(seconds[cost.name])
        memory, arithmetic = cost.bytes / limits.copy_bytes_per_s, cost.flops / limits.flops_per_s
        rows.append(
            {
                "name": cost.name,
                "seconds": took,
                "spread_seconds": max(seconds[cost.name]) - min(seconds[cost.name]),
                "share_of_limit": max(memory, arithmetic) / took,
                "bound_by": "memory" if memory >= arithmetic else "arithmetic",
                "bare_fft_seconds": sum(_native.time_transforms(t.length, t.rows, t.batch) for t in cost.transforms) / threads,
            }
        )
    return rows


def _size(text: str) -> tuple[int, int]:
    pulses, x, samples = text.partition("x")
    if not (x and pulses.isdigit() and samples.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is not PULSESxSAMPLES; must be like 4096x4096")
    return whole(pulses), whole(samples)


def _repeat(text: str) -> int:
    if not text.isdigit() or whole(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of runs; must be 1 or more")
    return int(text)


def _text(e: dict[str, Any]) -> list[str]:
    lines = [
        f"focus {e['pulses']} x {e['samples']}, squint {e['squint_deg']:g}: {e['ns_per_valid_sample']:.1f} CPU ns a valid sample "
        f"({e['ns_per_echo_sample']:.1f} an echo sample), {e['times_bare_fft']:.2f} times its bare FFTs; plan {e['plan_seconds']:.2f} s, "
        f"runs {min(e['cpu_seconds']):.2f} to {max(e['cpu_seconds']):.2f} s"
    ]
    return lines + _stage_text(e)


def _stage_text(e: dict[str, Any]) -> list[str]:
    lines = []
    for s in e["stages"]:
        fft = f", bare FFTs {s['bare_fft_seconds']:.3f} s" if s["bare_fft_seconds"] else ""
        lines.append(f"  {s['name']:>18} {s['seconds']:7.3f} s wall, {100 * s['share_of_limit']:5.1f} % of the {s['bound_by']} limit{fft}")
    return lines
