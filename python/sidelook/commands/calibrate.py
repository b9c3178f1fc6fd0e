"""`sidelook calibrate SLC -o SIGMA0.tif`: a focused image to calibrated intensity."""

from __future__ import annotations

import argparse
import math
import re
from typing import TYPE_CHECKING, Any

from sidelook._cli_common import (
    Progress,
    add_output_options,
    add_report_options,
    add_run_options,
    held_bytes,
    print_json,
    require_device,
)

READER_BYTES = 20 << 20  # what GDAL and numpy hold of the lines that are on their way in and out

if TYPE_CHECKING:
    from sidelook.radiometry import Looks


def register(subparsers: Any) -> None:
    """Adds the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "calibrate", help="turn a focused image into calibrated intensity", description=__doc__
    )
    parser.add_argument("slc", metavar="SLC", help="focused image, as written by sidelook focus")
    group = parser.add_argument_group("processing")
    group.add_argument(
        "--quantity",
        choices=("intensity", "beta0", "sigma0", "gamma0"),
        default="sigma0",
        help="what a pixel means; intensity needs neither orbit nor radar constant (default: sigma0)",
    )
    group.add_argument(
        "--looks", metavar="AxR", type=_looks, default=(1, 1), help="lines x samples averaged, or square: on the ground (default: 1x1)"
    )
    group.add_argument("--subtract-noise", action="store_true", help="take the noise-equivalent level away")
    add_output_options(parser)
    add_run_options(parser)
    add_report_options(parser)


def run(args: argparse.Namespace) -> int:
    """Calibrates a file into a file."""
    from sidelook.intensity import calibrate_file
    from sidelook.radiometry import Options
    from sidelook.raster import limit_cache

    require_device(args.device, "calibrate")
    limit_cache(args.max_ram or 0)
    options = Options(
        quantity=args.quantity,
        looks=args.looks,
        subtract_noise=args.subtract_noise,
        max_ram=args.max_ram or 0,
        threads=args.threads,
    )
    progress = Progress.from_args(args)
    try:
        job, file = calibrate_file(
            args.slc,
            args.output,
            options,
            base_bytes=held_bytes(READER_BYTES) if args.max_ram else 0,
            progress=progress,
            driver=args.of or "GTiff",
            creation_options=args.co,
            overwrite=args.overwrite,
        )
    finally:
        progress.close()
    report = {"output": args.output, "quicklook": str(file.quicklook_path), "stages": job.stages, **job.metadata}
    if args.json:
        print_json(report)
    elif not args.quiet:
        print("\n".join(text(report)))
    return 0


def text(report: dict[str, Any]) -> list[str]:
    """The report in a few lines."""
    lines = [
        f"{report['output']}: {report['quantity']}, {report['lines']} lines x {report['samples']} samples, quicklook {report['quicklook']}",
        *describe(report),
    ]
    return lines + [f"{s['name']:>18} {s['seconds']:8.3f} s  {s['peak_bytes'] / 2**20:8.1f} MiB" for s in report["stages"]]


def describe(metadata: dict[str, Any]) -> list[str]:
    """What the metadata of an intensity image say, for people."""
    looks, number = metadata["looks"], metadata["equivalent_number_of_looks"]
    lines = [f"looks {looks[0]} x {looks[1]}" + (f", equivalent to {number:.2f} independent ones" if number else "")]
    if metadata["incidence_deg"]:
        middle = {
            key: metadata[key][len(metadata[key]) // 2][1]
            for key in ("azimuth_spacing_m", "ground_range_spacing_m", "resolution_azimuth_m", "resolution_ground_range_m")
        }
        lines.append(
            "pixels of {azimuth_spacing_m:.2f} x {ground_range_spacing_m:.2f} m on the ground, resolution {resolution_azimuth_m:.2f} x "
            "{resolution_ground_range_m:.2f} m".format(**middle)
        )
        lines.append(f"incidence {metadata['incidence_deg'][0][1]:.2f} to {metadata['incidence_deg'][-1][1]:.2f} degrees")
    if metadata["nesz"]:
        levels = [10 * math.log10(level) for _, level in metadata["nesz"]]
        taken = ", taken away" if metadata["noise_subtracted"] else ""
        lines.append(f"noise-equivalent {metadata['quantity']} {min(levels):.2f} to {max(levels):.2f} dB{taken}")
    return lines


def _looks(text: str) -> Looks:
    """'4x2' as (4, 2)."""
    if text == "square":
        return "square"
    match = re.fullmatch(r"(-?\d+)x(-?\d+)", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not AxR, lines x samples, such as 4x2, nor square")
    return int(match[1]), int(match[2])
