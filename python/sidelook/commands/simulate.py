"""`sidelook simulate -o FILE`: raw echoes of a known scene as CRSD, with the truth as FILE.truth.json."""

from __future__ import annotations

import argparse
import json
import pathlib
import re
import time
from typing import Any

from sidelook._cli_common import (
    AtomicFile,
    add_report_options,
    available_threads,
    path_name,
    print_json,
    seed,
    size,
    thread_count,
    whole,
)
from sidelook.errors import BadInput, OverMemory


def register(subparsers: Any) -> None:
    """Adds the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "simulate",
        help="write the raw echoes of a scene as CRSD",
        description=__doc__,
        epilog="docs/simulator.md tells the models, their sources and their limits.",
    )
    output = parser.add_argument_group("output")
    output.add_argument("-o", "--output", metavar="FILE", required=True, type=path_name, help="the CRSD file")
    output.add_argument("--overwrite", action="store_true", help="replace what is already there")
    what = parser.add_argument_group("scene")
    what.add_argument("--scene", choices=("coast", "points"), default="coast", help="default: coast")
    what.add_argument(
        "--sensor",
        choices=("c-stripmap", "x-stripmap"),
        default="c-stripmap",
        help="default: c-stripmap",
    )
    what.add_argument("--pulses", metavar="N", type=whole, default=2048, help="default: 2048")
    what.add_argument("--samples", metavar="N", type=whole, default=3072, help="default: 3072")
    what.add_argument(
        "--squint-deg",
        metavar="DEG",
        type=float,
        default=0.0,
        help="of the beam, positive forwards",
    )
    what.add_argument(
        "--height-m",
        metavar="M",
        type=float,
        default=0.0,
        help="of the scene over the ellipsoid",
    )
    what.add_argument(
        "--seed",
        metavar="N",
        type=seed,
        default=1,
        help="of scene and noise (default: 1)",
    )
    coast = parser.add_argument_group("coast")
    coast.add_argument(
        "--wind-m-per-s",
        metavar="U",
        type=float,
        default=8.0,
        help="at 10 m height (default: 8)",
    )
    coast.add_argument(
        "--wind-from-deg",
        metavar="DEG",
        type=float,
        default=300.0,
        help="clockwise from north",
    )
    coast.add_argument(
        "--k-shape",
        metavar="NU",
        type=float,
        default=5.0,
        help="order of the sea's K distribution",
    )
    coast.add_argument("--ships", metavar="N", type=whole, default=12, help="default: 12")
    coast.add_argument("--no-land", action="store_true", help="sea only")
    coast.add_argument(
        "--calibration",
        metavar="ROWSxCOLS",
        type=_grid,
        default=(0, 0),
        help="grid of point targets",
    )
    coast.add_argument(
        "--nesz-db",
        metavar="DB",
        type=float,
        help="noise-equivalent sigma zero (default: the sensor's)",
    )
    coast.add_argument("--no-noise", action="store_true", help="no thermal noise")
    points = parser.add_argument_group("points")
    points.add_argument(
        "--targets",
        metavar="ROWSxCOLS",
        type=_grid,
        default=(3, 3),
        help="default: 3x3",
    )
    points.add_argument(
        "--noise-sigma",
        metavar="S",
        type=float,
        default=0.0,
        help="of a complex sample; targets are 1",
    )
    receiver = parser.add_argument_group("receiver")
    receiver.add_argument(
        "--bits",
        metavar="N",
        type=whole,
        default=0,
        help="of the quantiser (default: none)",
    )
    receiver.add_argument(
        "--step",
        metavar="S",
        type=float,
        default=0.0,
        help="of the quantiser, amplitude",
    )
    receiver.add_argument("--bias", metavar="B", type=float, default=0.0, help="added to I and to Q")
    limits = parser.add_argument_group("resources")
    limits.add_argument(
        "--max-ram",
        metavar="SIZE",
        type=size,
        default=0,
        help="for scene and echoes, e.g. 2GiB",
    )
    limits.add_argument(
        "--threads",
        metavar="N",
        type=thread_count,
        default=available_threads(),
        help="default: all",
    )
    add_report_options(parser)


def run(args: argparse.Namespace) -> int:
    """Simulates, writes the echoes and the truth beside them."""
    from sidelook import crsd, simulate
    from sidelook.acquisition import Acquisition

    path = pathlib.Path(args.output)
    if not path.name:
        raise BadInput(f"{path} is a folder; must be the name of a file")
    truth_path = path.with_name(path.name + ".truth.json")
    for target in (path, truth_path):  # said before the work, and again when it is written
        AtomicFile(target, overwrite=args.overwrite).check()
    needed = 8 * args.pulses * args.samples
    if args.max_ram and args.scene == "points" and needed > args.max_ram:
        raise OverMemory(f"max_bytes (--max-ram) is {args.max_ram} bytes; the echoes alone need {needed} bytes")
    start = time.perf_counter()
    receiver: dict[str, Any] = {}
    if args.bits or args.step or args.bias:
        receiver = {
            "bits": args.bits,
            "step": args.step,
            "bias_i": args.bias,
            "bias_q": args.bias,
        }
    common: dict[str, Any] = {
        "pulses": args.pulses,
        "samples": args.samples,
        "instrument": args.sensor,
        "squint_deg": args.squint_deg,
        "height_m": args.height_m,
        "threads": args.threads,
        **receiver,
    }
    if args.scene == "points":
        if args.noise_sigma:
            common.update(noise_sigma=args.noise_sigma, seed=args.seed)
        simulation = simulate.points(rows=args.targets[0], columns=args.targets[1], **common)
    else:
        simulation = simulate.coast(
            seed=args.seed,
            wind_m_per_s=args.wind_m_per_s,
            wind_from_deg=args.wind_from_deg,
            k_shape=args.k_shape,
            ships=args.ships,
            land=not args.no_land,
            calibration=args.calibration,
            nesz_db=args.nesz_db,
            noise=not args.no_noise,
            max_bytes=args.max_ram,
            **common,
        )
    seconds = time.perf_counter() - start
    with AtomicFile(truth_path, overwrite=args.overwrite) as file:
        text = json.dumps(simulation.truth, indent=1, allow_nan=False)
        file.temporary.write_text(text + "\n", encoding="utf-8")
        crsd.write(
            path,
            Acquisition.from_native(simulation.acquisition),
            simulation.echoes,
            overwrite=args.overwrite,
        )
    report = {
        "output": str(path),
        "truth": str(truth_path),
        "pulses": args.pulses,
        "samples": args.samples,
        "seconds": seconds,
        "targets": len(simulation.truth["targets"]),
        "ships": len(simulation.truth.get("ships", ())),
    }
    if args.json:
        print_json(report)
    elif not args.quiet:
        shape = f"{args.pulses} pulses x {args.samples} samples"
        print(f"{path}: {shape}, {report['ships']} ships, {report['targets']} targets, simulated in {seconds:.1f} s")
        print(f"{truth_path}: the truth")
    return 0


def _grid(text: str) -> tuple[int, int]:
    """'3x5' as (3, 5)."""
    match = re.fullmatch(r"([0-9]{1,3})x([0-9]{1,3})", text)
    if not match:
        raise argparse.ArgumentTypeError(f"{text!r} is not ROWSxCOLS, such as 3x5, at most 999x999")
    return int(match[1]), int(match[2])
