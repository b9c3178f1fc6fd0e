"""`sidelook despeckle IMAGE -o OUT.tif --method M`: the speckle of an intensity or amplitude image filtered."""

from __future__ import annotations

import argparse
from typing import Any

from sidelook._cli_common import (
    Progress,
    add_output_options,
    add_report_options,
    add_run_options,
    held_bytes,
    print_json,
    require_device,
    whole,
)

METHODS = (
    "boxcar", "lee", "kuan", "enhanced_lee", "gamma_map", "frost", "median", "refined_lee", "refined_lee_local", "lee_sigma"
)  # fmt: skip
READER_BYTES = 20 << 20  # what GDAL and numpy hold of the lines that are on their way in and out


def register(subparsers: Any) -> None:
    """Adds the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "despeckle",
        help="filter the speckle of an image",
        description=__doc__,
        epilog="An image of sidelook calibrate says its kind and looks itself; of another image they must be given.",
    )
    parser.add_argument("image", metavar="IMAGE", help="float32 image in any format that GDAL reads")
    group = parser.add_argument_group("filter")
    group.add_argument("--method", required=True, choices=METHODS, help="docs/despeckle.md defines them")
    group.add_argument("--window", metavar="N", type=whole, default=7, help="side of the window, pixels, odd, 3 to 65 (default: 7)")
    group.add_argument("--looks", metavar="L", type=float, help="equivalent number of looks of the image")
    group.add_argument("--kind", choices=("intensity", "amplitude"), help="what a pixel is: linear power, or its root")
    group.add_argument("--nodata", metavar="VALUE", type=float, help="of missing pixels, besides NaN (default: as the file says)")
    group.add_argument("--compat", choices=("snap", "otb"), help="use the formula of that tool")
    group.add_argument("--damping", metavar="K", type=float, help="of enhanced_lee (default: 1) and frost (2)")
    group.add_argument("--distance", choices=("euclidean", "chebyshev"), help="of frost (default: euclidean)")
    group.add_argument("--sigma", metavar="SHARE", type=float, help="of the speckle within lee_sigma's range (default: 0.95)")
    group.add_argument("--bright-level", metavar="VALUE", type=float, help="of lee_sigma's bright targets (default: found in the image)")
    add_output_options(parser)
    add_run_options(parser)
    add_report_options(parser)


def run(args: argparse.Namespace) -> int:
    """Filters a file into a file."""
    from sidelook.raster import limit_cache
    from sidelook.speckle_files import despeckle_file

    require_device(args.device, "despeckle")
    limit_cache(args.max_ram or 0)
    progress = Progress.from_args(args)
    try:
        job, file, metadata = despeckle_file(
            args.image,
            args.output,
            args.method,
            kind=args.kind,
            window=args.window,
            looks=args.looks,
            compat=args.compat,
            damping=args.damping,
            distance=args.distance,
            sigma=args.sigma,
            bright_level=args.bright_level,
            nodata=args.nodata,
            max_ram=args.max_ram or 0,
            threads=args.threads,
            base_bytes=held_bytes(READER_BYTES) if args.max_ram else 0,
            progress=progress,
            output={"driver": args.of or "GTiff", "creation_options": args.co, "overwrite": args.overwrite},
        )
    finally:
        progress.close()
    report = {"output": args.output, "quicklook": str(file.quicklook_path), "stages": job.stages, **metadata}
    if args.json:
        print_json(report)
    elif not args.quiet:
        print("\n".join(text(report)))
    return 0


def text(report: dict[str, Any]) -> list[str]:
    """The report in a few lines."""
    lines = [
        f"{report['output']}: {report['lines']} lines x {report['samples']} samples, quicklook {report['quicklook']}",
        *describe(report),
    ]
    return lines + [f"{s['name']:>18} {s['seconds']:8.3f} s  {s['peak_bytes'] / 2**20:8.1f} MiB" for s in report["stages"]]


def describe(metadata: dict[str, Any]) -> list[str]:
    """What the metadata of a filtered image say of its filters, for people."""
    lines = []
    for done in metadata.get("despeckle", []):
        looks = f" for {done['looks']:.2f} looks" if done["looks"] else ""
        compat = f", as {done['compat']} has it" if done["compat"] else ""
        lines.append(f"{done['kind']} filtered by {done['method']}, window {done['window']} x {done['window']}{looks}{compat}")
    return lines
