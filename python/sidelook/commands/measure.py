"""`sidelook measure`: widths, side lobes, position and phase of point targets in a focused image."""

from __future__ import annotations

import argparse
import json
import math
import pathlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from sidelook._cli_common import AtomicFile, add_report_options, path_name, print_json, whole
from sidelook.errors import BadInput, MissingAuxiliary, from_os_error
from sidelook.measure import PointTarget, measure_point, range_phase_rad, relative_phases_deg
from sidelook.slc import DOMAIN, gdal


def register(subparsers: Any) -> None:
    """Adds the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "measure",
        help="analyse point targets in a focused image",
        description=__doc__,
        epilog="With --truth, position and phase errors are reported; the phase relative to the mean over the targets.",
    )
    parser.add_argument("slc", metavar="SLC", type=path_name, help="focused image (complex), as written by sidelook focus")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--truth", metavar="JSON", type=path_name, help='{"targets": [{"zero_doppler_time_s": .., "slant_range_m": ..}]}')
    where.add_argument("--at", metavar="ROW,COL", action="append", type=_position, help="look near this pixel, repeatable")
    parser.add_argument("--search-radius", metavar="SAMPLES", type=float, default=8.0, help="default: 8")
    parser.add_argument(
        "--half-size",
        metavar="SAMPLES",
        type=whole,
        default=0,
        help="window on each side of the peak (default: what fits)",
    )
    parser.add_argument("--oversampling", metavar="N", type=whole, default=16, help="of the cuts (default: 16)")
    parser.add_argument(
        "--axes",
        choices=("measured", "image"),
        default="measured",
        help="cut along the side lobes, or rows and columns",
    )
    parser.add_argument("--cuts", action="store_true", help="add the sampled cuts to --json")
    parser.add_argument("--plot", metavar="PNG", type=path_name, help="draw the cuts (needs matplotlib)")
    parser.add_argument("--overwrite", action="store_true", help="replace the plot that is already there")
    add_report_options(parser)


def run(args: argparse.Namespace) -> int:
    """Measures every target that the image holds; the others are listed with the reason."""
    slc = _Slc(args.slc)
    expected = _read_truth(args.truth, slc) if args.truth else [_Expected(row, col) for row, col in args.at]
    measured: list[tuple[int, _Expected, PointTarget]] = []
    skipped: list[dict[str, Any]] = []
    for index, place in enumerate(expected):
        try:
            measured.append((index, place, slc.measure(place, args)))
        except BadInput as refusal:
            if args.at:
                raise
            skipped.append({"target": index, "row": place.row, "col": place.col, "reason": str(refusal)})
    report = _report(args, slc, measured, skipped)
    if not measured:
        reason = skipped[0]["reason"] if skipped else "it lists no targets"
        raise BadInput(f"{args.truth} has no target that {args.slc} shows: {reason}")
    if args.plot:
        _plot(args.plot, args.overwrite, measured)
    if args.json:
        print_json(report)
    elif not args.quiet:
        _print_table(report)
    return 0


@dataclass(frozen=True)
class _Expected:
    row: float
    col: float
    slant_range_m: float = math.nan


def _position(text: str) -> tuple[float, float]:
    try:
        row, col = (float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not ROW,COL") from None
    return row, col


class _Slc:
    """A complex raster read by windows, and what its metadata say (domain SIDELOOK, item slc)."""

    def __init__(self, path: str) -> None:
        module = gdal()
        try:
            self.dataset = module.Open(path)
        except RuntimeError as error:
            raise BadInput(f"{path} cannot be read: {str(error).splitlines()[0]}") from None
        self.path = path
        self.band = self.dataset.GetRasterBand(1)
        if self.band.DataType != module.GDT_CFloat32:
            kind = module.GetDataTypeName(self.band.DataType)
            raise BadInput(f"{path} has pixels of type {kind}; must be CFloat32, a focused image")
        self.rows, self.cols = self.dataset.RasterYSize, self.dataset.RasterXSize
        text = self.dataset.GetMetadataItem("slc", DOMAIN)
        try:
            self.metadata: dict[str, Any] | None = json.loads(text) if text else None
        except ValueError:
            raise BadInput(f"{path} has metadata item slc that is not JSON; must be written by sidelook focus") from None

    def number(self, key: str, default: float | None = None) -> float:
        """A number of the metadata; refused by name if it is missing and there is no default."""
        value = (self.metadata or {}).get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise BadInput(f"{self.path} has {key} = {value} in its SIDELOOK metadata; must be a number")
        return float(value)

    def expected(self, zero_doppler_time_s: float, slant_range_m: float) -> _Expected:
        """Where a target lies in the image by its truth."""
        row = (zero_doppler_time_s - self.number("first_line_time_s")) / self.number("line_spacing_s")
        col = (slant_range_m - self.number("first_sample_slant_range_m")) / self.number("sample_spacing_m")
        return _Expected(row, col, slant_range_m)

    def at_column(self, key: str, col: float) -> float:
        """A quantity of the metadata that changes along range: a number, or a table [[column, value], ...]; 0 if absent."""
        table = (self.metadata or {}).get(key, 0.0)
        if not isinstance(table, list):
            return self.number(key, 0.0)
        try:
            columns, values = zip(*((float(c), float(v)) for c, v in table), strict=True)
        except (TypeError, ValueError):
            raise BadInput(f"{self.path} has {key} in its SIDELOOK metadata that is no table of column and value") from None
        return float(np.interp(col, columns, values))

    def spectrum_centre(self, col: float) -> tuple[float, float]:
        """Nominal centre, cycles per row and column: decides the phase between two samples."""
        row = self.at_column("doppler_centroid_hz", col) * self.number("line_spacing_s", 0.0)
        return row, self.at_column("range_spectrum_centre_cycles_per_sample", col)

    def measure(self, place: _Expected, args: argparse.Namespace) -> PointTarget:
        """Reads the window around one place and analyses it."""
        if not (0 <= place.row <= self.rows - 1 and 0 <= place.col <= self.cols - 1):
            raise BadInput(f"position is ({place.row:g}, {place.col:g}); must lie inside the image of {self.rows} x {self.cols}")
        # The widest window the analysis may take by itself is 512; few targets need a tenth of it.
        reaches = [args.half_size + 2] if args.half_size > 0 else [128, 514]
        radius = args.search_radius if 0 <= args.search_radius <= 1000 else 0  # the core refuses others
        for reach in reaches:
            margin = reach + math.ceil(radius) + 1
            top, left = max(0, int(place.row) - margin), max(0, int(place.col) - margin)
            bottom = min(self.rows, int(place.row) + margin + 1)
            right = min(self.cols, int(place.col) + margin + 1)
            patch = self.band.ReadAsArray(left, top, right - left, bottom - top)
            try:
                return measure_point(
                    patch,
                    place.row,
                    place.col,
                    search_radius=args.search_radius,
                    half_size=args.half_size,
                    oversampling=args.oversampling,
                    spectrum_centre=self.spectrum_centre(place.col),
                    spacing_m=self.spacing_m(),
                    axes=args.axes,
                    first_sample=(top, left),
                )
            except BadInput:
                if reach == reaches[-1] or (bottom - top, right - left) == (self.rows, self.cols):
                    raise
        raise AssertionError("the last reach returns or raises")

    def spacing_m(self) -> tuple[float, float]:
        """Metres on the ground per row (0 without an orbit) and of slant range per column (0 without metadata)."""
        if self.metadata is None:
            return 0.0, 0.0
        acquisition = self.metadata.get("acquisition")
        orbit = acquisition.get("orbit") if isinstance(acquisition, dict) else None
        along = 0.0
        if orbit:
            # the footprint moves at V_g = V_r^2 / V_s (Cumming & Wong 2005, section 4.3)
            platform = math.hypot(*orbit[len(orbit) // 2]["velocity_m_per_s"])
            along = self.number("effective_velocity_m_per_s", 0.0) ** 2 / platform * self.number("line_spacing_s")
        return along, self.number("sample_spacing_m", 0.0)


def _read_truth(path: str, slc: _Slc) -> list[_Expected]:
    if slc.metadata is None:
        raise BadInput(f"{slc.path} has no metadata item slc in domain SIDELOOK; --truth needs an image of sidelook focus")
    try:
        truth = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise from_os_error(error, path, "read") from None
    except ValueError as error:
        raise BadInput(f"{path} is not JSON: {error}") from None
    targets = truth.get("targets") if isinstance(truth, dict) else None
    if not isinstance(targets, list):
        raise BadInput(f"{path} has no list 'targets'; must be written by sidelook simulate")
    out = []
    for index, target in enumerate(targets):
        try:
            out.append(slc.expected(float(target["zero_doppler_time_s"]), float(target["slant_range_m"])))
        except (KeyError, TypeError, ValueError):
            raise BadInput(f"{path} has target {index} without numbers zero_doppler_time_s and slant_range_m") from None
    return out


def _report(
    args: argparse.Namespace,
    slc: _Slc,
    measured: list[tuple[int, _Expected, PointTarget]],
    skipped: list[dict[str, Any]],
) -> dict[str, Any]:
    targets = []
    for index, place, found in measured:
        entry = {"target": index, "expected_row": place.row, "expected_col": place.col, **found.to_dict(cuts=args.cuts)}
        if args.truth:
            entry["row_error"] = found.row - place.row
            entry["col_error"] = found.col - place.col
        targets.append(entry)
    report: dict[str, Any] = {"image": slc.path, "targets": targets, "skipped": skipped}
    if args.truth and measured:
        carrier = slc.number("carrier_hz")
        range_phases = [range_phase_rad(place.slant_range_m, carrier) for _, place, _ in measured]
        for key, values in (
            ("peak_phase_error_deg", [found.peak for _, _, found in measured]),
            ("phase_error_deg", [found.at_expected for _, _, found in measured]),
        ):
            phases = [math.atan2(value.imag, value.real) - by_range for value, by_range in zip(values, range_phases, strict=True)]
            known = [i for i, phase in enumerate(phases) if math.isfinite(phase)]
            for entry in targets:
                entry[key] = None
            for i, error in zip(known, relative_phases_deg([phases[i] for i in known]), strict=True):
                targets[i][key] = error
        report["largest"] = {
            key: max(abs(t[key]) for t in targets if t[key] is not None)
            for key in ("row_error", "col_error", "peak_phase_error_deg", "phase_error_deg")
            if any(t[key] is not None for t in targets)
        }
    return report


def _print_table(report: dict[str, Any]) -> None:
    head = "target        row        col | azimuth: IRW    PSLR    ISLR | range: IRW    PSLR    ISLR | 2-D ISLR"
    errors = "largest" in report
    print(head + ("   row err   col err  phase err" if errors else ""))
    for t in report["targets"]:
        a, r = t["azimuth"], t["range"]
        line = (
            f"{t['target']:6d} {t['row']:10.3f} {t['col']:10.3f} |"
            f" {a['irw_samples']:12.4f} {a['pslr_db']:7.2f} {a['islr_db']:7.2f} |"
            f" {r['irw_samples']:10.4f} {r['pslr_db']:7.2f} {r['islr_db']:7.2f} | {t['islr_2d_db']:8.2f}"
        )
        if errors:
            line += f" {t['row_error']:9.4f} {t['col_error']:9.4f} {t['peak_phase_error_deg']:10.3f}"
        print(line)
    for s in report["skipped"]:
        print(f"{s['target']:6d} not measured: {s['reason']}")
    if errors:
        print("widths and position errors in samples, ratios in dB, phase at the peak in degrees off the mean")


def _plot(path: str, overwrite: bool, measured: list[tuple[int, _Expected, PointTarget]]) -> None:
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingAuxiliary("matplotlib is not installed; --plot needs it: pip install matplotlib") from None
    figure = Figure(figsize=(11, 4.5), layout="constrained")
    for axes, name, unit in zip(figure.subplots(1, 2, sharey=True), ("azimuth", "range"), ("rows", "columns"), strict=True):
        for index, _, found in measured[:8]:  # more lines cannot be told apart
            cut = found.to_dict(cuts=True)[name]
            axes.plot(cut["offset_samples"], cut["magnitude_db"], linewidth=0.8, label=f"target {index}")
        axes.set(title=f"{name} cut along its side lobes", xlabel=f"offset ({unit})", ylim=(-60, 1))
        axes.grid(alpha=0.3)
    figure.axes[0].set_ylabel("power over peak (dB)")
    figure.axes[1].legend(fontsize="small")
    with AtomicFile(path, overwrite=overwrite) as target:
        figure.savefig(target.temporary, format="png", dpi=120)
