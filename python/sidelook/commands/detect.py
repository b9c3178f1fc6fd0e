"""`sidelook detect IMAGE -o SHIPS.geojson`: objects brighter than the sea around them, located and measured."""

from __future__ import annotations

import argparse
import contextlib
import pathlib
from typing import Any

from sidelook._cli_common import AtomicFile, Progress, add_report_options, add_run_options, find_device, held_bytes, print_json
from sidelook.errors import BadInput

READER_BYTES = 20 << 20  # what GDAL and numpy hold of the lines that are on their way in


def register(subparsers: Any) -> None:
    """Adds the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "detect",
        help="find ships in a calibrated image",
        description=__doc__,
        epilog="No objects are a success: the exit code is 0, and the file says how much was searched.",
    )
    parser.add_argument("image", metavar="IMAGE", help="calibrated image, as written by sidelook calibrate")
    output = parser.add_argument_group("output")
    output.add_argument("-o", "--output", metavar="PATH", required=True, help="file of objects: .geojson, .gpkg or .csv")
    output.add_argument("--of", metavar="FORMAT", help="GeoJSON, GPKG or CSV (default: by the suffix)")
    output.add_argument("--quicklook", action="store_true", help="draw the objects on a picture of the image, PATH with .quicklook.png")
    output.add_argument("--overwrite", action="store_true", help="replace what is already there")
    group = parser.add_argument_group("detection")
    group.add_argument(
        "--false-alarm-rate", metavar="P", type=float, help="of a pixel of clutter, between 0 and 0.1 (default: the detector's)"
    )
    group.add_argument(
        "--certain-rate", metavar="P", type=float, help="objects above the level that this share exceeds need show no hull (default: 1e-8)"
    )
    group.add_argument("--training", metavar="N", type=int, help="side of the window that the clutter is learnt from, pixels")
    group.add_argument("--guard", metavar="N", type=int, help="side of the window inside it that is left out, pixels")
    group.add_argument("--clutter", choices=("k", "gamma"), help="distribution of the sea (default: k)")
    group.add_argument(
        "--land",
        metavar="FILE|scene|none",
        default="scene",
        help="polygons in any vector file, found in the scene itself, or nowhere (default: scene)",
    )
    add_run_options(parser)
    add_report_options(parser)


def run(args: argparse.Namespace) -> int:
    """Searches a file and writes what it found."""
    from sidelook.publish import IntensityReader, format_of, radar_picture, summary_of, write_detections
    from sidelook.raster import GDAL_CACHE_BYTES, gdal

    find_device(args.device)
    gdal().SetCacheMax(GDAL_CACHE_BYTES)
    kind = format_of(args.output, args.of)
    target = pathlib.Path(args.output)
    picture = target.with_suffix(".quicklook.png") if args.quicklook else None
    if not target.parent.is_dir():  # said before the work, and again when it is written
        raise BadInput(f"{target} cannot be written: there is no such file or folder")
    for path in (target, picture):
        if path is not None and path.exists() and not args.overwrite:
            raise BadInput(f"{path} exists already; give --overwrite to replace it")
    image = IntensityReader(args.image)
    image.check_pixels()
    progress = Progress.from_args(args)
    try:
        names = ("false_alarm_rate", "certain_rate", "training", "guard", "clutter", "max_ram")
        given = {n: getattr(args, n) for n in names if getattr(args, n) is not None}
        found = search(image, args.land, args.threads, progress, device=args.device, **given)
    finally:
        progress.close()
    if not found.area_searched_km2 > 0 and not found.objects:
        raise BadInput(f"{args.image} has no pixel that could be searched; all are land, NaN or too near to them for the windows")
    with contextlib.ExitStack() as stack:  # the picture first: its file waits hidden until the objects are written
        if picture is not None:
            file = stack.enter_context(AtomicFile(picture, overwrite=args.overwrite))
            radar_picture(file.temporary, image, found)
        write_detections(target, found, image=image.metadata, format=kind, overwrite=args.overwrite)
    report = {
        "output": args.output,
        "format": kind,
        "quicklook": str(picture) if picture else None,
        **summary_of(found),
        "objects": _records(found),
    }
    if args.json:
        print_json(report)
    elif not args.quiet:
        print("\n".join(_text(report)))
    return 0


def search(image: Any, where_land: str, threads: int, progress: Progress, **given: Any) -> Any:
    """Runs the native detector over an open image; only what is `given` is passed on, the rest are its defaults."""
    from sidelook.detect import Options, detect
    from sidelook.publish import LandMask

    options = Options(threads=threads, **given)
    base_bytes = held_bytes(READER_BYTES) if options.max_ram else 0
    land: Any = "scene" if where_land == "scene" else None
    with contextlib.ExitStack() as stack:
        if where_land not in ("scene", "none"):
            mask = stack.enter_context(LandMask(where_land, image))
            if mask.is_everywhere():
                raise BadInput(f"land is {where_land}, which covers all of {image.name}; nothing is left to search")
            land = _by_lines(mask.window)
        found = detect(_by_lines(image.window), image.metadata, options, land=land, progress=progress, base_bytes=base_bytes)
    found.metadata.setdefault("image", image.name)
    found.metadata.setdefault("image_sha256", image.sha256)
    found.metadata.setdefault("land", where_land if where_land in ("scene", "none") else pathlib.Path(where_land).name)
    for name in ("threads", "block_lines", "device", "max_ram"):  # they change nothing that was found; where it ran is told beside
        found.metadata.get("options", {}).pop(name, None)
    return found


def _by_lines(window: Any) -> Any:
    """A reader by (line, sample, lines, samples) as one by (first line, lines, first sample, samples)."""
    return lambda line, lines, sample, samples: window(line, sample, lines, samples)


def _records(found: Any) -> list[dict[str, Any]]:
    from sidelook.publish import record

    return [record(d) for d in found.objects]


def _text(report: dict[str, Any]) -> list[str]:
    lines = [f"{report['output']}: n={report['count']}, {report['area_searched_km2']:.1f} km2 searched"]
    for d in report["objects"][:20]:
        where = f"{d['latitude_deg']:9.5f} {d['longitude_deg']:10.5f}" if d["latitude_deg"] is not None else "no orbit, no place  "
        flags = "  " + ", ".join(d["flags"]) if d["flags"] else ""
        lines.append(f"{d['line']:9.1f} {d['sample']:9.1f}  {where}  {d['length_m']:6.0f} m  {d['scr_db']:5.1f} dB{flags}")
    if report["count"] > 20:
        lines.append(f"and {report['count'] - 20} more")
    return lines
