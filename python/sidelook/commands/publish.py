"""`sidelook publish INTENSITY -o MAP.tif`: calibrated intensity as a map, with its STAC item and a quicklook."""

from __future__ import annotations

import argparse
from typing import Any

from sidelook._cli_common import Progress, add_report_options, available_threads, print_json, thread_count


def register(subparsers: Any) -> None:
    """Adds the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "publish", help="put calibrated intensity on a map, with a STAC item", description=__doc__
    )
    parser.add_argument("intensity", metavar="INTENSITY", help="calibrated image, as written by sidelook calibrate")
    output = parser.add_argument_group("output")
    output.add_argument("-o", "--output", metavar="PATH", required=True, help="the map (.tif), or a folder, made if it is not there")
    output.add_argument("--overwrite", action="store_true", help="replace what is already there")
    group = parser.add_argument_group("map")
    group.add_argument("--crs", default="utm", help="utm, or a reference system as EPSG:3035 (default: utm)")
    group.add_argument("--spacing-m", metavar="M", type=float, help="of the map's pixels (default: the coarser of the image's)")
    group.add_argument("--interpolation", choices=("bilinear", "nearest"), default="bilinear", help="in linear power (default: bilinear)")
    group.add_argument("--detections", metavar="GEOJSON", help="objects of sidelook detect: outlined, and an asset of the item")
    group.add_argument(
        "--polarization",
        metavar="PP",
        action="append",
        default=[],
        help="HH, VV, ..., repeatable: said in the item, the echoes do not know it",
    )
    parser.add_argument("--threads", metavar="N", type=thread_count, default=available_threads(), help="default: all")
    add_report_options(parser)


def run(args: argparse.Namespace) -> int:
    """Publishes a file into files."""
    from sidelook.publish import publish
    from sidelook.raster import GDAL_CACHE_BYTES, gdal

    gdal().SetCacheMax(GDAL_CACHE_BYTES)
    progress = Progress.from_args(args)
    try:
        made = publish(
            args.intensity,
            args.output,
            crs=args.crs,
            spacing_m=args.spacing_m,
            interpolation=args.interpolation,
            detections=args.detections,
            polarizations=tuple(args.polarization),
            overwrite=args.overwrite,
            threads=args.threads,
            progress=progress,
        )
    finally:
        progress.close()
    report: dict[str, Any] = {
        "files": {key: str(path) for key, path in made.files.items()},
        "crs": made.grid.code,
        "rows": made.grid.rows,
        "cols": made.grid.cols,
        "spacing_m": made.grid.spacing_m,
        "statistics": made.statistics,
        "item": made.item,
    }
    if args.json:
        print_json(report)
    elif not args.quiet:
        print(
            f"{report['files']['data']}: {made.grid.rows} x {made.grid.cols} pixels of {made.grid.spacing_m:g} m, "
            f"{made.grid.code or 'a reference system without a number'}"
        )
        print("\n".join(f"{key:>12} {path}" for key, path in report["files"].items() if key != "data"))
    return 0
