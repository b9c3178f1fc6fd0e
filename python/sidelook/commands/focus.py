"""`sidelook focus ECHOES -o IMAGE.tif`: raw echoes to a focused zero-Doppler image."""

from __future__ import annotations

import argparse
import os
from typing import Any

from sidelook._cli_common import (
    Progress,
    add_output_options,
    add_report_options,
    add_run_options,
    find_device,
    held_bytes,
    path_name,
    print_json,
    whole,
)
from sidelook.errors import BadInput

SURVEY_BYTES = 48 << 20  # the survey's lines and what numpy makes of them


def register(subparsers: Any) -> None:
    """Adds the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser("focus", help="turn raw echoes into a focused image", description=__doc__)
    parser.add_argument(
        "echoes", type=path_name, help="a CRSD, a .npy of echoes with its acquisition as JSON, or Sentinel-1 Level-0 (stripmap)"
    )
    parser.add_argument("--acquisition", metavar="JSON", type=path_name, help="acquisition of a .npy (default: the .json beside it)")
    parser.add_argument("--channel", help="channel of a CRSD, or polarisation of Level-0, that has several")
    group = parser.add_argument_group("processing")
    group.add_argument(
        "--doppler",
        default="auto",
        metavar="auto|attitude|data|C0[,C1[,C2]]",
        help="Doppler centroid: where from, or coefficients in Hz over delay (default: auto)",
    )
    group.add_argument("--doppler-bandwidth-hz", type=float, default=0.0, help="processed band (default: 0.7 PRF)")
    group.add_argument("--range-bandwidth-hz", type=float, default=0.0, help="processed band (default: the chirp's)")
    group.add_argument(
        "--azimuth-window",
        default="hamming 0.75",
        metavar="NAME",
        help="rectangular, 'hamming 0.75', 'kaiser 2.5', 'taylor 35' (default: hamming 0.75)",
    )
    group.add_argument("--range-window", default="hamming 0.75", metavar="NAME", help="likewise")
    group.add_argument("--keep-antenna-pattern", action="store_true", help="do not equalise the azimuth pattern")
    group.add_argument(
        "--minimum-exposure",
        type=float,
        default=1.0,
        metavar="SHARE",
        help="share of the aperture a pixel needs, 0.5 to 1; less is NaN (default: 1)",
    )
    group.add_argument("--block-lines", metavar="N", type=whole, default=0, help="output lines computed at once (default: chosen)")
    add_output_options(parser)
    add_run_options(parser)
    add_report_options(parser)


def run(args: argparse.Namespace) -> int:
    """Focuses a file into a file."""
    from sidelook.crsd import open_echoes
    from sidelook.focusing import Focuser
    from sidelook.raster import check_format, check_targets, limit_cache
    from sidelook.slc import KIND, SlcFile

    find_device(args.device)
    limit_cache(args.max_ram or 0)
    driver = args.of or "GTiff"
    for name, path in (("the echoes", args.echoes), ("the acquisition", args.acquisition)):
        if path and os.path.exists(args.output) and os.path.exists(path) and os.path.samefile(args.output, path):
            raise BadInput(f"--output is {args.output}, {name}; must be another file")
    progress = Progress.from_args(args)
    with open_echoes(args.echoes, args.acquisition, args.channel) as echoes:  # type: ignore[attr-defined]
        check_format(driver, args.co, KIND)  # said before the work, and again when it is written
        check_targets(args.output, overwrite=args.overwrite)
        job = Focuser(echoes, _options(args), base_bytes=held_bytes(SURVEY_BYTES) if args.max_ram else 0)
        file = SlcFile(args.output, job.grid, job.metadata, driver=driver, creation_options=args.co, overwrite=args.overwrite)
        try:
            with file:
                job.run(file.write, progress)
        finally:
            progress.close()
    report = {"output": args.output, "quicklook": str(file.quicklook_path), "stages": job.stages, **job.metadata}
    if args.json:
        print_json(report)
    elif not args.quiet:
        print("\n".join(_text(report)))
    return 0


def _options(args: argparse.Namespace) -> Any:
    from sidelook.focusing import Options

    doppler: Any = args.doppler
    if doppler not in ("auto", "attitude", "data"):
        try:
            doppler = [float(c) for c in doppler.split(",")]
        except ValueError:
            raise BadInput(f"--doppler is {args.doppler}; must be auto, attitude, data or numbers joined by commas") from None
    return Options(
        doppler=doppler,
        doppler_bandwidth_hz=args.doppler_bandwidth_hz,
        range_bandwidth_hz=args.range_bandwidth_hz,
        azimuth_window=args.azimuth_window,
        range_window=args.range_window,
        equalise_antenna=not args.keep_antenna_pattern,
        minimum_exposure=args.minimum_exposure,
        block_lines=args.block_lines,
        max_ram=args.max_ram or 0,
        threads=args.threads,
        device=args.device,
    )


def _text(report: dict[str, Any]) -> list[str]:
    echoes, doppler = report["echoes"], report["doppler"]
    lines = [
        f"{report['output']}: {report['lines']} lines x {report['samples']} samples, quicklook {report['quicklook']}",
        f"Doppler centroid {doppler['coefficients_hz'][0]:.1f} Hz from {doppler['source']}",
    ]
    if echoes["damaged_pulses"]:
        shown = ", ".join(str(p) for p in echoes["damaged_pulses"][:10])
        more = "" if len(echoes["damaged_pulses"]) <= 10 else " ..."
        lines.append(f"damaged pulses left out ({len(echoes['damaged_pulses'])}): {shown}{more}")
    if echoes["share_at_largest"] > 1e-3:
        lines.append(f"saturation: {100 * echoes['share_at_largest']:.2f} % of I and Q at +-{echoes['largest']:g}")
    lines += [f"{s['name']:>18} {s['seconds']:8.3f} s  {s['peak_bytes'] / 2**20:8.1f} MiB  {s['device']}" for s in report["stages"]]
    return lines
