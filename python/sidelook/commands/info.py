"""`sidelook info FILE`: what a file of raw echoes, a Sentinel-1 Level-0 product, an acquisition or an image holds."""

from __future__ import annotations

import argparse
import importlib
import json
import os
from typing import Any

from sidelook._cli_common import add_report_options, path_name, print_json
from sidelook.errors import BadInput, MissingAuxiliary, from_os_error

_LIGHT = 299792458.0  # (m/s)


def register(subparsers: Any) -> None:
    """Adds the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser("info", help="say what a file holds", description=__doc__)
    parser.add_argument(
        "file",
        type=path_name,
        help="a CRSD, a .npy of echoes with its .json, Sentinel-1 Level-0 (SAFE folder or packet file), an acquisition JSON, "
        "or an image for GDAL",
    )
    parser.add_argument("--channel", help="channel of a CRSD that has several")
    add_report_options(parser)


def run(args: argparse.Namespace) -> int:
    """Prints what the file holds, as text or as one JSON object."""
    found = describe(args.file, args.channel)
    if args.json:
        print_json(found)
    else:
        print("\n".join(_text(found)))
    return 0


def describe(path: str, channel: str | None = None) -> dict[str, Any]:
    """What the file holds, as a dictionary that JSON can express; `kind` is crsd, npy, sentinel1, acquisition or image."""
    if os.path.isdir(path):
        _refuse_channel(channel)
        return _level0(path)
    try:
        with open(path, "rb") as file:
            head = file.read(16)
    except OSError as error:
        raise from_os_error(error, path, "read") from None
    if head.startswith(b"CRSD") or head.startswith(b"\x93NUMPY"):
        return _echoes(path, channel, "crsd" if head.startswith(b"CRSD") else "npy")
    _refuse_channel(channel)
    if _holds_packets(path, head):
        return _level0(path)
    if head.lstrip().startswith(b"{"):
        from sidelook.acquisition import Acquisition

        acquisition = Acquisition.from_json(_as_path(path))
        return {"path": path, "kind": "acquisition", **_derived(acquisition), "acquisition": acquisition.to_dict()}
    return _image(path, head)


def _refuse_channel(channel: str | None) -> None:
    if channel is not None:
        raise BadInput(f"channel is {channel!r}; must be left out, only a CRSD has channels")


def _holds_packets(path: str, head: bytes) -> bool:
    """Whether to look for space packets, and they are there; the first may be damaged."""
    from sidelook._echoes import looks_like

    if not head or looks_like(head) != "no format we know":
        return False
    from sidelook.sentinel1 import is_level0

    return is_level0(path)


def _level0(path: str) -> dict[str, Any]:
    """From the headers of all packets; samples are not decoded."""
    from sidelook import sentinel1

    with sentinel1.open(path) as product:
        return {"path": path, "kind": "sentinel1", "channels": {name: _channel(c) for name, c in product.channels.items()}}


def _channel(channel: Any) -> dict[str, Any]:
    times = channel.packets["time_gps_s"]
    return {
        "file": str(channel.path),
        "file_bytes": os.path.getsize(channel.path),
        "data_take": int(channel.packets["data_take"][0]),
        "ecc_number": int(channel.packets["ecc_number"][0]),
        "first_packet_utc": _utc(float(times[0])),
        "duration_s": float(times[-1] - times[0]),
        **channel.counts(),
        "groups": [_group(group) for group in channel.groups],
        "orbit_states": len(channel.orbit),
        "attitude_states": len(channel.attitude),
        "temperature_cycles": len(channel.temperatures),
    }


def _utc(gps_s: float) -> str | None:
    from sidelook.sentinel1 import gps_to_utc

    try:
        return gps_to_utc(gps_s).isoformat(timespec="microseconds") + "Z"
    except BadInput:  # a header whose time is damaged
        return None


def _group(group: Any) -> dict[str, Any]:
    head = group.packets[0]
    return {
        "signal": group.signal,
        "swath": group.swath,
        "lines": group.shape[0],
        "samples": group.shape[1],
        "runs": len(group.runs),
        "windows": len(group.windows),
        "window_shift_samples": max(abs(w.shift_samples) for w in group.windows),
        "baq_modes": sorted({int(mode) for mode in group.packets["baq_mode"]}),
        "prf_hz": 1 / group.pri_s if group.pri_s > 0 else 0.0,
        "sample_rate_hz": group.sample_rate_hz,
        "first_sample_delay_s": group.first_sample_delay_s,
        "chirp_rate_hz_per_s": float(head["tx_ramp_rate_hz_per_s"]),
        "chirp_start_hz": float(head["tx_start_frequency_hz"]),
        "chirp_duration_s": float(head["tx_pulse_length_s"]),
    }


def _as_path(path: str) -> Any:
    import pathlib

    return pathlib.Path(path)


def _echoes(path: str, channel: str | None, kind: str) -> dict[str, Any]:
    from sidelook.crsd import open_echoes

    echoes = open_echoes(path, channel=channel)
    try:
        acquisition = echoes.acquisition
        return {
            "path": path,
            "kind": kind,
            "stored_as": str(echoes.dtype),
            "file_bytes": os.path.getsize(path),
            "damaged_pulses": list(getattr(echoes, "damaged", ())),
            **_derived(acquisition),
            "acquisition": acquisition.to_dict(),
        }
    finally:
        echoes.close()


def _derived(a: Any) -> dict[str, Any]:
    """What one asks first and would have to compute."""
    last_delay = a.first_sample_delay_s + (a.samples - 1) / a.sample_rate_hz
    bandwidth = abs(a.chirp_rate_hz_per_s) * a.chirp_duration_s
    return {
        "duration_s": a.pulses / a.prf_hz,
        "near_range_m": _LIGHT / 2 * a.first_sample_delay_s,
        "far_range_m": _LIGHT / 2 * last_delay,
        "wavelength_m": _LIGHT / a.carrier_hz,
        "chirp_bandwidth_hz": bandwidth,
        "range_resolution_m": 0.886 * _LIGHT / 2 / bandwidth,  # 3 dB width, rectangular spectrum
    }


def _image(path: str, head: bytes) -> dict[str, Any]:
    from sidelook._echoes import looks_like

    try:
        gdal = importlib.import_module("osgeo.gdal")
    except ImportError:
        raise MissingAuxiliary(
            f"{os.path.basename(path)} looks like {looks_like(head)}, and images are read through GDAL, which is not "
            "installed; install libgdal-dev, then pip install gdal==$(gdal-config --version)"
        ) from None
    try:
        with gdal.ExceptionMgr() if hasattr(gdal, "ExceptionMgr") else _exceptions(gdal):
            image = gdal.Open(path)
    except RuntimeError:
        image = None
    if image is None:
        raise BadInput(f"{os.path.basename(path)} looks like {looks_like(head)}; must be echoes, an acquisition or an image")
    sidelook = {
        item: json.loads(text)
        for item, text in image.GetMetadata_Dict("SIDELOOK").items()
        if item in ("slc", "intensity", "despeckled") and text.startswith("{")
    }
    bands = [image.GetRasterBand(index + 1) for index in range(image.RasterCount)]
    return {
        "path": path,
        "kind": "image",
        "driver": image.GetDriver().ShortName,
        "lines": image.RasterYSize,
        "samples": image.RasterXSize,
        "bands": [gdal.GetDataTypeName(band.DataType) for band in bands],
        "ground_control_points": image.GetGCPCount(),
        "metadata": {
            domain or "default": image.GetMetadata_Dict(domain)
            for domain in image.GetMetadataDomainList() or []
            if domain not in ("DERIVED_SUBDATASETS", *(["SIDELOOK"] if sidelook else [])) and not domain.startswith("xml:")
        },
        **sidelook,
    }


def _product(found: dict[str, Any]) -> list[str]:
    """What an image of ours is, from its metadata."""
    if "despeckled" in found:
        from sidelook.commands.despeckle import describe as describe_filters

        return ["  " + line for line in describe_filters(found["despeckled"])]
    if "intensity" in found:
        from sidelook.commands.calibrate import describe as describe_intensity
        from sidelook.commands.despeckle import describe as describe_filters

        m = found["intensity"]
        return [
            f"  quantity      {m['quantity']}, {m['unit']}",
            *("  " + line for line in describe_intensity(m) + describe_filters(m)),
            *_place(m, m["source"]),
        ]
    if "slc" in found:
        m = found["slc"]
        bands = f"{m['processed_doppler_bandwidth_hz']:.6g} Hz x {m['processed_range_bandwidth_hz'] / 1e6:.6g} MHz"
        windows = f"{m['azimuth_window']} and {m['range_window']}"
        return [f"  quantity      complex amplitude, bands {bands}, windows {windows}", *_place(m, m)]
    return []


def _place(m: dict[str, Any], source: dict[str, Any]) -> list[str]:
    a = source.get("acquisition") or {}
    last = m["first_sample_slant_range_m"] + (m["samples"] - 1) * m["sample_spacing_m"]
    duration = (m["lines"] - 1) * m["line_spacing_s"]
    return [
        f"  sensor        {a.get('sensor') or 'not named'}, looking {a.get('look_side', 'to an unknown side')}",
        f"  time          {a.get('epoch_utc', 'epoch unknown')} {m['first_line_time_s']:+.6f} s, for {duration:.3f} s",
        f"  range         {m['first_sample_slant_range_m']:.1f} to {last:.1f} m",
    ]


class _exceptions:
    """GDAL before 3.7 has no ExceptionMgr: exceptions for this block only, the user's setting restored."""

    def __init__(self, gdal: Any) -> None:
        self.gdal = gdal

    def __enter__(self) -> None:
        self.before = self.gdal.GetUseExceptions()
        self.gdal.UseExceptions()

    def __exit__(self, *unused: object) -> None:
        if not self.before:
            self.gdal.DontUseExceptions()


def _level0_text(found: dict[str, Any]) -> list[str]:
    lines = []
    for name, c in found["channels"].items():
        lost = ", ".join(f"{count} {reason}" for reason, count in c["damaged"].items())
        lines += [
            f"  {name}            {os.path.basename(c['file'])}, data take {c['data_take']}, mode {c['ecc_number']}",
            f"  time          {c['first_packet_utc'] or 'unknown'}, for {c['duration_s']:.3f} s",
            f"  packets       {c['packets']}: {', '.join(f'{count} {signal}' for signal, count in c['signals'].items())}",
            f"  damaged       {lost}, {c['bytes_left_out']} bytes left out" if lost else "  damaged       none",
            f"  ancillary     {c['orbit_states']} orbit, {c['attitude_states']} attitude, {c['temperature_cycles']} temperature",
        ]
        for g in c["groups"]:
            modes = "/".join({0: "bypass", 3: "BAQ 3", 4: "BAQ 4", 5: "BAQ 5"}.get(mode, "FDBAQ") for mode in g["baq_modes"])
            lines.append(
                f"  {g['signal']:<13} swath {g['swath']}: {g['lines']} lines x {g['samples']} samples, {modes}, {g['windows']} windows, "
                f"PRF {g['prf_hz']:.6g} Hz, sampled at {g['sample_rate_hz'] / 1e6:.6g} MHz"
            )
    return lines


def _text(found: dict[str, Any]) -> list[str]:
    lines = [f"{found['path']}: {found['kind']}"]
    if found["kind"] == "sentinel1":
        return lines + _level0_text(found)
    if found["kind"] == "image":
        lines.append(f"  driver        {found['driver']}")
        lines.append(f"  size          {found['lines']} lines x {found['samples']} samples")
        lines.append(f"  bands         {', '.join(found['bands'])}")
        lines.append(f"  GCPs          {found['ground_control_points']}")
        lines += _product(found)
        for domain, entries in found["metadata"].items():
            lines += [f"  {domain}: {key} = {value}" for key, value in entries.items()]
        return lines
    a = found["acquisition"]
    stored = f", stored as {found['stored_as']}" if "stored_as" in found else ""
    first = a["first_pulse_time_s"]
    direction = "down" if a["chirp_rate_hz_per_s"] < 0 else "up"
    lines += [
        f"  sensor        {a['sensor'] or 'not named'}, looking {a['look_side']}",
        f"  echoes        {a['pulses']} pulses x {a['samples']} samples{stored}",
        f"  time          {a['epoch_utc']} {first:+.6f} s, for {found['duration_s']:.3f} s, PRF {a['prf_hz']:.6g} Hz",
        f"  range         {found['near_range_m']:.1f} to {found['far_range_m']:.1f} m, sampled at {a['sample_rate_hz'] / 1e6:.6g} MHz",
        f"  carrier       {a['carrier_hz'] / 1e9:.6g} GHz ({found['wavelength_m'] * 100:.3f} cm)",
        f"  chirp         {found['chirp_bandwidth_hz'] / 1e6:.6g} MHz {direction} "
        f"in {a['chirp_duration_s'] * 1e6:.6g} us, range resolution {found['range_resolution_m']:.2f} m",
        f"  orbit         {_span(a['orbit'], 'state vectors')}",
        f"  attitude      {_span(a['antenna']['frames'], 'antenna frames')}",
        f"  antenna       {_length(a['antenna']['azimuth_length_m'])} x {_length(a['antenna']['elevation_length_m'])}",
        f"  terrain       {a['terrain_height_m']:.1f} m above WGS84",
    ]
    if found.get("damaged_pulses"):
        lines.append(f"  damaged       {len(found['damaged_pulses'])} pulses without an echo")
    return lines


def _span(entries: list[dict[str, Any]], name: str) -> str:
    if not entries:
        return "unknown"
    return f"{len(entries)} {name}, {entries[0]['time_s']:+.3f} to {entries[-1]['time_s']:+.3f} s"


def _length(length_m: float) -> str:
    return f"{length_m:g} m" if length_m > 0 else "unknown"
