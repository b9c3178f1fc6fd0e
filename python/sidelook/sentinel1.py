"""Sentinel-1 Level-0: echoes, calibration and noise lines, orbit and attitude from a SAFE folder or a file of space packets.

    with sentinel1.open("S1A_S3_RAW__0SDV_....SAFE") as product:
        for channel in product.channels.values():
            for group in channel.echoes:
                for first_line, block in group.blocks():
                    ...

Packets are decoded natively; what is damaged is left out and counted. docs/raw-data.md says what the fields mean.
"""

from __future__ import annotations

import builtins
import dataclasses
import pathlib
import re
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from sidelook import _native
from sidelook._echoes import BLOCK_BYTES, Path, looks_like, open_file
from sidelook.errors import BadInput, translate

if TYPE_CHECKING:
    from sidelook._sentinel1_stripmap import StripmapEchoes

__all__ = ["Channel", "Damage", "Group", "Product", "Window", "gps_to_utc", "open", "open_stripmap"]

REFERENCE_FREQUENCY_HZ = 37.53472224e6  # S1-IF-ASD-PL-0007: every time in a packet counts its periods
ECHO, NOISE = 0, 1  # signal types; all others are calibration
_FAR_BYTES = 1 << 16  # packets further apart are read one by one, not with what lies between

# Leap seconds that GPS time is ahead of UTC, since when (UTC); Sentinel-1 has flown since 2014.
_LEAP_SECONDS = (("2017-01-01", 18), ("2015-07-01", 17), ("2012-07-01", 16))


def gps_to_utc(gps_s: float) -> datetime:
    """UTC of GPS seconds (since 1980-01-06), to the microsecond, without a time zone."""
    gps = datetime(1980, 1, 6) + timedelta(seconds=gps_s)
    for since, leap in _LEAP_SECONDS:
        if gps - timedelta(seconds=leap) >= datetime.fromisoformat(since):
            return gps - timedelta(seconds=leap)
    raise BadInput(f"time_gps_s is {gps_s}; must lie after 2012-07-01, when Sentinel-1 flies")


@dataclasses.dataclass(frozen=True)
class Damage:
    """Bytes of a file that were left out."""

    reason: str
    offset: int
    bytes: int


@dataclasses.dataclass(frozen=True)
class Window:
    """Lines in a row with the same receive window, and where their samples lie on the group's grid."""

    first_line: int
    lines: int
    first_sample_delay_s: float
    """From the leading edge of the pulse to the first sample received."""
    samples: int
    column: int
    """Of the first sample, in the group's grid."""
    shift_samples: float
    """How far the true first sample lies beyond its column; not 0 where windows differ by a fraction of a sample."""


class Group:
    """Lines of one signal type, swath and polarisation with one PRI, chirp and sampling rate, on a common grid of delays.

    ``packets`` has the header of every line, as a structured array whose fields are those of
    ``sidelook::sentinel1::PacketHeader``. ``damaged`` grows as lines are read: line and reason of those that turn out
    not to decode; they read as NaN. Columns outside a line's window read as 0.

    The grid is that of the most frequent window. Real windows move by fractions of a sample: lines of other windows are
    interpolated onto the grid, unless they are read as they were sent.
    """

    def __init__(self, file: _PacketFile, packets: npt.NDArray[Any], name: str) -> None:
        head = packets[0]
        self.packets = packets
        self.name = name
        self.signal = _native.packet_signal_name(int(head["signal_type"]))
        self.swath = int(head["swath"])
        self.polarisation = _polarisation(head)
        self.pri_s = float(head["pri_s"])
        self.sample_rate_hz = float(head["sample_rate_hz"])
        self.damaged: dict[int, str] = {}
        self._file = file
        delays, quads = _delay_codes(packets), packets["quads"].astype(np.int64)
        _, where, counts = np.unique(delays, return_index=True, return_counts=True)
        usual = int(where[np.argmax(counts)])
        up, down = _native.packet_range_filter(int(head["range_decimation"]))[1:3]
        # A sample lasts down / (4 up) reference periods, so that places are fractions of whole numbers.
        steps = 4 * up * (delays - delays[usual])
        self._columns = (2 * steps + down) // (2 * down)
        shifts = steps / down - self._columns
        self._columns -= self._columns.min()
        self._samples = int((self._columns + 2 * quads).max())
        changes = np.flatnonzero((np.diff(delays) != 0) | (np.diff(quads) != 0)) + 1
        starts = [0, *changes.tolist()]
        self.windows = [
            Window(
                first,
                end - first,
                float(packets["first_sample_delay_s"][first]),
                int(2 * quads[first]),
                int(self._columns[first]),
                float(shifts[first]),
            )
            for first, end in zip(starts, [*starts[1:], len(packets)], strict=True)
        ]
        self.first_sample_delay_s = float(packets["first_sample_delay_s"][usual]) - int(self._columns[usual]) / self.sample_rate_hz

    @property
    def shape(self) -> tuple[int, int]:
        """Lines, samples of the common grid."""
        return len(self.packets), self._samples

    @property
    def runs(self) -> list[tuple[int, int]]:
        """First line and number of lines of every run without a gap in time: the bursts of TOPS modes."""
        gaps = np.flatnonzero(np.diff(self.packets["pri_count"].astype(np.int64)) != 1) + 1
        starts = [0, *gaps.tolist()]
        return [(first, end - first) for first, end in zip(starts, [*starts[1:], len(self.packets)], strict=True)]

    def read(self, first_line: int, lines: int, *, as_sent: bool = False) -> npt.NDArray[np.complex64]:
        """Lines `first_line` to `first_line + lines` as complex64 (lines, samples), a new array.

        `as_sent`: samples bit for bit, in the nearest column, where the window is a fraction of a sample off the grid.
        """
        total = len(self.packets)
        if first_line < 0 or lines < 0 or first_line + lines > total:
            raise BadInput(f"first_line and lines are {first_line} and {lines}; must lie within the {total} lines there are")
        out = np.empty((lines, self._samples), np.complex64)
        part = slice(first_line, first_line + lines)
        faults = self._file.decode(self.packets[part], self._columns[part], out)
        for line in np.flatnonzero(faults):
            self.damaged[first_line + int(line)] = _native.packet_fault_name(int(faults[line]))
        for w in self.windows if not as_sent else ():
            rows = out[max(0, w.first_line - first_line) : max(0, w.first_line + w.lines - first_line)]
            if w.shift_samples != 0 and len(rows):
                with translate():
                    _native.align_lines(rows[:, w.column : w.column + w.samples], w.shift_samples, self._file.threads)
        return out

    def blocks(self, lines: int = 0, *, as_sent: bool = False) -> Iterator[tuple[int, npt.NDArray[np.complex64]]]:
        """First line and samples of one block after the other; `lines` of 0: about 8 MiB each."""
        step = lines or max(1, BLOCK_BYTES // (8 * self._samples))
        if step < 0:
            raise BadInput(f"lines is {lines}; must be at least 0")
        for first in range(0, len(self.packets), step):
            yield first, self.read(first, min(step, len(self.packets) - first), as_sent=as_sent)


class Channel:
    """The packets of one measurement file: those of one received polarisation.

    ``orbit``: (states, 7) float64: GPS time (s), position (m) and velocity (m/s) in ECEF. ``attitude``: (states, 9): GPS
    time (s), quaternion q0 to q3 as telemetered, rates about the body's axes (rad/s), pointing status. ``temperatures``:
    (cycles, 45): GPS time (s), then degrees Celsius of 14 front ends H, 14 front ends V and 14 tile amplifiers, update
    status, timing unit's code.
    """

    def __init__(self, path: pathlib.Path, packets: npt.NDArray[Any], damage: list[Damage], threads: int) -> None:
        self.path = path
        self.packets = packets
        self.damage = damage
        self._file = _PacketFile(path, threads)
        self.groups = [Group(self._file, packets[lines], path.name) for lines in _grouped(packets)]
        ancillary = _native.assemble_ancillary(packets)
        self.orbit: npt.NDArray[np.float64] = ancillary["orbit"]
        self.attitude: npt.NDArray[np.float64] = ancillary["attitude"]
        self.temperatures: npt.NDArray[np.float64] = ancillary["temperatures"]

    @property
    def echoes(self) -> list[Group]:
        """Groups of echoes, by their first line."""
        return [g for g in self.groups if g.packets["signal_type"][0] == ECHO]

    @property
    def noise(self) -> list[Group]:
        """Groups of noise lines: received without a pulse."""
        return [g for g in self.groups if g.packets["signal_type"][0] == NOISE]

    @property
    def calibration(self) -> list[Group]:
        """Groups of calibration lines: pulses through the instrument's own paths."""
        return [g for g in self.groups if g.packets["signal_type"][0] not in (ECHO, NOISE)]

    def counts(self) -> dict[str, Any]:
        """Packets kept and left out, by signal and by reason; with those found damaged as lines were read."""
        damaged = Counter(d.reason for d in self.damage)
        damaged.update(reason for g in self.groups for reason in g.damaged.values())
        signals = Counter[str]()
        for group in self.groups:
            signals[group.signal] += len(group.packets) - len(group.damaged)
        return {
            "packets": sum(signals.values()),
            "signals": dict(signals),
            "damaged": dict(damaged),
            "bytes_left_out": sum(d.bytes for d in self.damage),
        }

    def close(self) -> None:
        """Closes the file; reading afterwards is refused."""
        self._file.close()


class Product:
    """A SAFE folder or a bare packet file; ``channels`` by polarisation, transmitted then received, as in "vh"."""

    def __init__(self, path: Path, channels: dict[str, Channel]) -> None:
        self.path = pathlib.Path(path)
        self.channels = channels

    def close(self) -> None:
        """Closes the files."""
        for channel in self.channels.values():
            channel.close()

    def __enter__(self) -> Product:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, traceback: TracebackType | None) -> None:
        self.close()


def open(path: Path, polarisation: str | None = None, threads: int = 0) -> Product:
    """Opens a Level-0 product and reads all its headers; samples are decoded when they are asked for.

    Parameters
    ----------
    path : a SAFE folder, or a file of space packets
    polarisation : "hh", "hv", "vh" or "vv": only that channel of a SAFE folder
    threads : to decode with; 0: all that the process may run on

    Raises
    ------
    BadInput
        Nothing there, no sound packet in it, or no channel of that polarisation.
    """
    if polarisation is not None and polarisation not in ("hh", "hv", "vh", "vv"):
        raise BadInput(f"polarisation is {polarisation!r}; must be hh, hv, vh or vv")
    place = pathlib.Path(path)
    if place.is_dir():
        files = _measurements(place)
        if not files:
            raise BadInput(f"{place.name} holds no measurement file; must have a .dat file of Sentinel-1 space packets")
    else:
        files = [place]
    channels: dict[str, Channel] = {}
    try:
        for file in files:
            packets, damage = _scan(file)
            if not len(packets):
                with open_file(file) as opened:
                    kind = looks_like(opened.read(8))
                first = f": the first of its {len(damage)} faults is {damage[0].reason}" if damage else ""
                raise BadInput(f"{file.name} looks like {kind} and holds no sound Sentinel-1 space packet{first}")
            name = _polarisation(packets[0])
            if polarisation in (None, name):
                channel = Channel(file, packets, damage, threads)
                if name in channels:
                    channel.close()
                    raise BadInput(f"{file.name} and {channels[name].path.name} both hold {name}; must be opened one by one")
                channels[name] = channel
        if not channels:
            raise BadInput(f"polarisation is {polarisation!r}; {place.name} has no such channel")
    except BaseException:
        Product(place, channels).close()
        raise
    return Product(place, channels)


def open_stripmap(path: Path, polarisation: str | None = None, threads: int = 0) -> StripmapEchoes:
    """The echoes of a stripmap product with their acquisition: what `sidelook.focus` takes.

    Raises
    ------
    BadInput
        As `open`; several polarisations and none named; echoes of too few pulses (TOPS modes); an orbit that leaves
        the pulses uncovered.
    """
    from sidelook._sentinel1_stripmap import StripmapEchoes

    product = open(path, polarisation, threads)
    try:
        if len(product.channels) > 1:
            names = ", ".join(sorted(product.channels))
            raise BadInput(f"{product.path.name} has the channels {names}; one must be named")
        return StripmapEchoes(product, next(iter(product.channels.values())))
    except BaseException:
        product.close()
        raise


def is_level0(path: Path) -> bool:
    """Whether a path is Sentinel-1 Level-0: a SAFE folder with packets, or a file with a packet in its first MiB."""
    place = pathlib.Path(path)
    if place.is_dir():
        return bool(_measurements(place))
    return _begins_with_packet(place) or _has_packets(place)


def _begins_with_packet(path: pathlib.Path) -> bool:
    try:
        with builtins.open(path, "rb") as file:
            head = file.read(16)
    except OSError:
        return False
    return len(head) == 16 and head[:2] == b"\x0c\x1c" and head[12:] == b"\x35\x2e\xf8\x53"


def _measurements(folder: pathlib.Path) -> list[pathlib.Path]:
    """The packet files of a SAFE folder: those its manifest names, or all .dat files; annotations and indices hold no packets."""
    manifest = folder / "manifest.safe"
    named: list[pathlib.Path] = []
    if manifest.exists():
        text = manifest.read_text(encoding="utf-8", errors="replace")
        hrefs = re.findall(r"""href=["']([^"']+\.dat)["']""", text)
        named = [folder / href for href in hrefs if (folder / href).resolve().is_relative_to(folder.resolve())]
    files = {file.resolve(): file for file in (named or sorted(folder.glob("**/*.dat"))) if file.is_file()}
    return sorted(file for file in files.values() if _begins_with_packet(file) or _has_packets(file))


def _has_packets(path: pathlib.Path) -> bool:
    """Whether there is a packet in the first MiB of a file whose own first packet is damaged."""
    try:
        with builtins.open(path, "rb") as file:
            head = np.frombuffer(file.read(1 << 20), np.uint8)
    except OSError:
        return False
    return len(_native.PacketScanner().scan(head, True)[0]) > 0


def _scan(path: pathlib.Path) -> tuple[npt.NDArray[Any], list[Damage]]:
    """The headers of a file, read once from end to end in pieces."""
    scanner = _native.PacketScanner()
    found, damage = [], []
    with open_file(path) as file:
        rest = b""
        while True:
            fresh = file.read(BLOCK_BYTES)
            piece = np.frombuffer(rest + fresh, np.uint8)
            last = len(fresh) < BLOCK_BYTES
            start = scanner.position
            packets, left_out = scanner.scan(piece, last)
            found.append(packets)
            damage += [Damage(*d) for d in left_out]
            if last:
                headers = np.empty(sum(map(len, found)), packets.dtype)  # concatenate would pack the fields more tightly
                return np.concatenate(found, out=headers), damage
            rest = piece[scanner.position - start :].tobytes()


def _polarisation(head: Any) -> str:
    """Transmitted, received: from the pulse's code and the channel that this packet came through."""
    return ("v" if head["polarisation"] & 4 else "h") + ("h" if head["rx_channel"] & 1 else "v")


def _delay_codes(packets: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """From the pulse to the start of the window, in reference periods."""
    rank, pri, swst = (packets[name].astype(np.int64) for name in ("rank", "pri_code", "swst_code"))
    return rank * pri + swst


# What all lines of a group share. Windows may differ, as long as they overlap with the most frequent one.
_SHARED = (
    "signal_type", "swath", "rx_channel", "polarisation", "range_decimation", "pri_code", "tx_ramp_code", "tx_start_code",
    "tx_pulse_length_code",
)  # fmt: skip


def _grouped(packets: npt.NDArray[Any]) -> list[npt.NDArray[np.intp]]:
    """Lines of every group, by their first line."""
    keys = np.stack([packets[name].astype(np.int64) for name in _SHARED], axis=1)
    which = np.unique(keys, axis=0, return_inverse=True)[1].reshape(-1)
    groups: list[npt.NDArray[np.intp]] = []
    for key in range(int(which.max()) + 1):
        lines = np.flatnonzero(which == key)
        up, down = _native.packet_range_filter(int(packets["range_decimation"][lines[0]]))[1:3]
        starts = _delay_codes(packets[lines])
        ends = starts + 2 * packets["quads"][lines].astype(np.int64) * down // (4 * up)
        while len(lines):
            windows, counts = np.unique(np.stack([starts, ends], axis=1), axis=0, return_counts=True)
            start, end = windows[int(np.argmax(counts))]
            together = (starts < end) & (ends > start) | (starts == start)
            groups.append(lines[together])
            lines, starts, ends = lines[~together], starts[~together], ends[~together]
    return sorted(groups, key=lambda lines: int(lines[0]))


class _PacketFile:
    """Reads runs of packets from a file and has them decoded; no mapping, whose pages would count as memory."""

    def __init__(self, path: pathlib.Path, threads: int) -> None:
        self._file = open_file(path)
        self._name, self.threads = path.name, threads
        self._lock = threading.Lock()  # the readers of a pipeline share one file position

    def close(self) -> None:
        self._file.close()

    def decode(self, packets: npt.NDArray[Any], columns: npt.NDArray[np.int64], out: npt.NDArray[np.complex64]) -> npt.NDArray[np.uint8]:
        """Fills out with a line a packet; returns the fault of each, 0 for none."""
        faults = np.zeros(len(packets), np.uint8)
        ends = packets["offset"] + packets["bytes"]
        gaps = np.flatnonzero(packets["offset"][1:] - ends[:-1] > _FAR_BYTES) + 1
        first = 0
        while first < len(packets):  # runs of packets that lie near each other within a block of the file
            start = int(packets["offset"][first])
            end = max(first + 1, int(np.searchsorted(ends, start + BLOCK_BYTES, "right")))
            gap = int(np.searchsorted(gaps, first, "right"))
            end = min(end, int(gaps[gap])) if gap < len(gaps) else end
            data = self._bytes(start, int(ends[end - 1]) - start)
            run = slice(first, end)
            with translate():
                faults[run] = _native.decode_packets(
                    data, start, np.ascontiguousarray(packets[run]), np.ascontiguousarray(columns[run]), out[run], self.threads
                )
            first = end
        return faults

    def _bytes(self, start: int, count: int) -> npt.NDArray[np.uint8]:
        data = np.empty(count, np.uint8)
        try:
            with self._lock:
                self._file.seek(start)
                got = self._file.readinto(data.data)
        except (OSError, ValueError) as error:
            raise BadInput(f"{self._name} cannot be read: {str(error).lower()}") from None
        if got != count:
            raise BadInput(f"{self._name} ends at byte {start + got}; it has become shorter since it was opened")
        return data
