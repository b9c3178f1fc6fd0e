"""`sidelook demo -o DIR`: a coast from echoes to a list of its ships, with the time and memory of every stage."""

from __future__ import annotations

import argparse
import json
import pathlib
import resource
import time
from typing import Any

from sidelook._cli_common import (
    Progress,
    add_report_options,
    add_run_options,
    held_bytes,
    output_folder,
    path_name,
    print_json,
    require_device,
    seed,
    whole,
)

FILES = (
    "echoes.crsd",
    "truth.json",
    "slc.tif",
    "slc.quicklook.png",
    "sigma0.tif",
    "sigma0.quicklook.png",
    "ships.geojson",
    "ships.quicklook.png",
    "report.json",
)


def register(subparsers: Any) -> None:
    """Adds the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "demo", help="simulate a coast, focus it, find its ships, report", description=__doc__
    )
    output = parser.add_argument_group("output")
    output.add_argument("-o", "--output", metavar="DIR", required=True, type=path_name, help="folder, made if it is not there")
    output.add_argument("--overwrite", action="store_true", help="replace what is already there")
    scene = parser.add_argument_group("scene")
    scene.add_argument("--pulses", metavar="N", type=whole, default=3072, help="default: 3072")
    scene.add_argument("--samples", metavar="N", type=whole, default=3072, help="default: 3072")
    scene.add_argument("--seed", metavar="N", type=seed, default=1, help="of scene and noise (default: 1)")
    scene.add_argument("--squint-deg", metavar="DEG", type=float, default=0.0, help="of the beam, positive forwards")
    add_run_options(parser)
    add_report_options(parser)


def run(args: argparse.Namespace) -> int:
    """Simulates, focuses what was written, finds ships in the image, and only then compares with the truth."""
    from sidelook.raster import GDAL_CACHE_BYTES, gdal

    require_device(args.device, "focus")
    gdal().SetCacheMax(GDAL_CACHE_BYTES)
    with output_folder(args.output, FILES, overwrite=args.overwrite) as work:
        report = _make(args, work)
    if args.json:
        print_json(report)
    elif not args.quiet:
        print("\n".join(_text(report)))
    return 0


def _make(args: argparse.Namespace, work: pathlib.Path) -> dict[str, Any]:
    """Writes all the files into `work`; returns the report."""
    from sidelook import crsd, simulate
    from sidelook.acquisition import Acquisition
    from sidelook.commands.detect import search
    from sidelook.focusing import Focuser, Options
    from sidelook.intensity import calibrate_file
    from sidelook.publish import IntensityReader, radar_picture, write_detections
    from sidelook.radiometry import Options as RadiometryOptions
    from sidelook.slc import SlcFile

    progress = Progress.from_args(args)
    begin = time.perf_counter()

    simulation = simulate.coast(
        pulses=args.pulses,
        samples=args.samples,
        seed=args.seed,
        squint_deg=args.squint_deg,
        calibration=(3, 3),
        threads=args.threads,
        max_bytes=args.max_ram or 0,
    )
    simulated = time.perf_counter()
    acquisition = Acquisition.from_native(simulation.acquisition)
    crsd.write(work / "echoes.crsd", acquisition, simulation.echoes)
    truth = simulation.truth
    echo_bytes = simulation.echoes.nbytes
    _write_json(work / "truth.json", truth)
    del simulation
    written = time.perf_counter()
    stages = [
        {"name": "simulate", "seconds": simulated - begin, "peak_bytes": echo_bytes},
        {"name": "write_echoes", "seconds": written - simulated, "peak_bytes": echo_bytes},
    ]

    # From here on only what is in the files counts: the truth is not looked at before the ships are written.
    options = Options(threads=args.threads, max_ram=args.max_ram or 0)
    with crsd.open(work / "echoes.crsd") as echoes:
        job = Focuser(echoes, options, base_bytes=held_bytes(0) if args.max_ram else 0)
        try:
            with SlcFile(work / "slc.tif", job.grid, job.metadata) as file:
                job.run(file.write, progress)
        finally:
            progress.close()
    stages += job.stages
    limits = {"max_ram": args.max_ram or 0, "threads": args.threads}
    base_bytes = held_bytes(0) if args.max_ram else 0
    calibrator, _ = calibrate_file(work / "slc.tif", work / "sigma0.tif", RadiometryOptions(**limits), base_bytes=base_bytes)
    stages += calibrator.stages
    calibrated = time.perf_counter()
    image = IntensityReader(work / "sigma0.tif")
    found = search(image, "scene", args.threads, Progress(quiet=True), max_ram=args.max_ram or 0)
    radar_picture(work / "ships.quicklook.png", image, found)
    write_detections(work / "ships.geojson", found, image=image.metadata, format="GeoJSON")
    stages.append({"name": "detect", "seconds": time.perf_counter() - calibrated, "peak_bytes": 0})
    ships = _compare(found.objects, image.metadata, truth)

    measuring = time.perf_counter()
    points = _points(work / "slc.tif", job.metadata, truth["targets"])
    stages.append({"name": "measure", "seconds": time.perf_counter() - measuring, "peak_bytes": 0})

    report = {
        "software": job.metadata["software"],
        "seed": args.seed,
        "lines": job.grid.lines,
        "samples": job.grid.samples,
        "doppler_centroid_hz": job.metadata["doppler"]["coefficients_hz"][0],
        "seconds": time.perf_counter() - begin,
        "stages": stages,
        "process_peak_rss": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "points": points,
        **ships,
        "files": {name: str(pathlib.Path(args.output) / name) for name in FILES},
    }
    _write_json(work / "report.json", report)
    return report


def _compare(objects: list[Any], metadata: dict[str, Any], truth: dict[str, Any]) -> dict[str, Any]:
    """Objects without a flag against the truth. Calibration targets are there to be seen: finding one is no false alarm."""
    import numpy as np

    from sidelook.assess import known_points, known_ships, match

    ships, points = known_ships(truth, metadata), known_points(truth, metadata)
    plain = [o for o in objects if not o.flags]
    found = match(plain, [*ships, *points])
    errors = [float(np.linalg.norm(ships[i].offset_m(plain[j]))) for i, j in found.items() if i < len(ships)]
    return {
        "ships_known": len(ships),
        "ships_found": len(errors),
        "false_alarms": len(plain) - len(found),
        "position_error_m": {"median": float(np.median(errors)) if errors else None, "max": max(errors, default=None)},
    }


def _points(path: pathlib.Path, metadata: dict[str, Any], targets: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Position and width of every calibration target that lies well inside the image."""
    import numpy as np

    from sidelook.errors import SidelookError
    from sidelook.measure import measure_point
    from sidelook.slc import read_window

    found = []
    half = 48
    edge = np.array(metadata["doppler_centroid_hz"])
    tilt = np.array(metadata["range_spectrum_centre_cycles_per_sample"])
    for target in targets:
        row = (target["zero_doppler_time_s"] - metadata["first_line_time_s"]) / metadata["line_spacing_s"]
        col = (target["slant_range_m"] - metadata["first_sample_slant_range_m"]) / metadata["sample_spacing_m"]
        top, left = round(row) - half, round(col) - half
        inside = top >= 0 and left >= 0 and top + 2 * half <= metadata["lines"] and left + 2 * half <= metadata["samples"]
        patch = read_window(path, top, left, 2 * half, 2 * half) if inside else None
        if patch is None or not np.isfinite(patch).all():
            continue
        centre = (
            float(np.interp(col, edge[:, 0], edge[:, 1])) * metadata["line_spacing_s"],
            float(np.interp(col, tilt[:, 0], tilt[:, 1])),
        )
        try:
            point = measure_point(patch, row - top, col - left, spectrum_centre=centre, measure_spectrum_centre=False)
        except SidelookError as error:  # a ship or the town beside it: said, not hidden
            found.append({"row": row, "col": col, "problem": str(error)})
            continue
        found.append(
            {
                "row": row,
                "col": col,
                "row_error": point.row - (row - top),
                "col_error": point.col - (col - left),
                "azimuth_irw_samples": point.azimuth.irw_samples,
                "range_irw_samples": point.range.irw_samples,
            }
        )
    return found


def _write_json(path: pathlib.Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def _text(report: dict[str, Any]) -> list[str]:
    lines = [f"{s['name']:>18} {s['seconds']:8.3f} s" for s in report["stages"]]
    good = [p for p in report["points"] if "problem" not in p]
    if good:
        worst = max(max(abs(p["row_error"]), abs(p["col_error"])) for p in good)
        lines.append(f"{len(good)} calibration targets, found within {worst:.3f} samples of where they are")
    lines.append(
        f"{report['lines']} lines x {report['samples']} samples in {report['seconds']:.1f} s, "
        f"{report['process_peak_rss'] / 2**20:.0f} MiB at most"
    )
    error = report["position_error_m"]
    if error["median"] is not None:
        lines.append(
            f"{report['ships_found']} of {report['ships_known']} ships found, within {error['median']:.1f} m (median) and "
            f"{error['max']:.1f} m (worst) of where they are; {report['false_alarms']} false alarms"
        )
    lines.append(f"look at {report['files']['slc.quicklook.png']} and {report['files']['ships.quicklook.png']}")
    return lines
