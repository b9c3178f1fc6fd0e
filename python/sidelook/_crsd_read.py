"""From the metadata of a CRSD 1.0 file (NGA.STND.0080), by whomever it was written, to an acquisition.

Everything is taken from the standard's own fields. If the file carries our parameter (the acquisition as JSON), that
one is handed out instead, after it has been found to say the same; it has the digits and the fields the standard lacks.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from sidelook._crsd_geometry import (
    Array,
    extend_orbit,
    geodetic,
    half_power_sine,
    interpolate_orbit,
    state_vector,
    unit,
)
from sidelook._crsd_tables import SPEED_OF_LIGHT
from sidelook._crsd_xml import xsd_epoch
from sidelook.acquisition import SCHEMA, Acquisition, Antenna, AntennaFrame, StateVector
from sidelook.errors import BadInput

# A pulse this far (s) from a constant PRF turns a Doppler of 1 kHz by 1e-5 cycles.
PULSE_TIME_TOLERANCE_S = 1e-8
# The receive window may move by this part of a sample before an echo's place changes noticeably.
WINDOW_TOLERANCE_SAMPLES = 1e-2
# Phases within this (cycles) of ours need no turning; the file's 53-bit times give 1e-6.
PHASE_TOLERANCE_CYCLES = 1e-5
# A reference frequency this far (Hz) off turns a receive window of 1 ms by 1e-6 cycles.
FREQUENCY_TOLERANCE_HZ = 1e-3

# Platforms above this distance (m) from the Earth's centre, 100 km of altitude, are taken to fall freely.
LOWEST_ORBIT_M = 6378137.0 + 100e3

SAMPLE_BYTES = {"CF8": 8, "CI4": 4, "CI2": 2}

_CHUNK = 4096  # records read at a time: memory stays small for any number of pulses


@dataclass
class Contents:
    """What `crsd.open` needs to know about one channel of a file."""

    acquisition: Acquisition
    signal_format: str
    signal_offset: int  # bytes from the start of the file
    factor: npt.NDArray[Any] | None  # per vector, real or complex, to multiply the samples with; None: all 1
    damaged: tuple[int, ...]  # vectors that hold no echo (SIGNAL 0 or 2)


def read_contents(sarkit: Any, file: BinaryIO, name: str, channel: str | None) -> Contents:
    """Reads the metadata of `file` (a CRSD, open for reading); `name` is used in the sentences."""
    file.seek(0)
    _, header = sarkit.read_file_header(file)
    file.seek(0)
    tree = sarkit.Reader(file).metadata.xmltree
    find = _Finder(tree.getroot(), name)
    kind = tree.getroot().tag.rsplit("}", 1)[-1]
    if kind != "CRSDsar":
        lacks = {"CRSDrcv": "the transmitted pulses", "CRSDtx": "received echoes"}.get(kind, "what focusing needs")
        raise BadInput(f"{name} is a {kind} file, without {lacks}; must be CRSDsar")
    for path, allowed in (("SARInfo/CollectType", "MONOSTATIC"), ("TxSequence/TxWFType", "LFM")):
        if find.text(path) != allowed:
            raise BadInput(f"{name}: {path} is {find.text(path)}; must be {allowed}")
    if tree.find("{*}Data/{*}Receive/{*}SignalCompression") is not None:
        raise BadInput(f"{name} holds compressed signals; must be stored without compression")

    channel = _choose(find, channel, name)
    data = find.child("Data/Receive/Channel", "ChId", channel)
    parameters = find.child("Channel/Parameters", "Identifier", channel)
    sequence = parameters.text("SARImage/TxId")
    pulse_data = find.child("Data/Transmit/TxSequence", "TxId", sequence)
    dtypes = {"PVP": sarkit.get_pvp_dtype(tree), "PPP": sarkit.get_ppp_dtype(tree)}

    def table(block: str, entry: _Finder, count: int) -> _Table:
        dtype = dtypes[block]
        start = entry.integer(f"{block}ArrayByteOffset")
        return _Table(file, dtype, count, _place(header, name, block, start, count * dtype.itemsize))

    vectors = table("PVP", data, data.count("NumVectors"))
    pulses = table("PPP", pulse_data, pulse_data.count("NumPulses"))
    signal_format = find.text("Data/Receive/SignalArrayFormat")
    if signal_format not in SAMPLE_BYTES:
        raise BadInput(f"{name} stores {signal_format}; must be one of {', '.join(SAMPLE_BYTES)}")
    length = vectors.count * data.count("NumSamples") * SAMPLE_BYTES[signal_format]
    signal_offset = _place(header, name, "SIGNAL", data.integer("SignalArrayByteOffset"), length)
    timing = _Timing(vectors, pulses, parameters.number("Fs"), name)
    antenna = _antenna_lengths(sarkit, file, tree, find, sequence)
    acquisition = _acquisition(find, data, parameters, pulses, timing, antenna)
    mine = next((e.text for e in tree.findall("{*}ProductInfo/{*}Parameter") if e.get("name") == SCHEMA), None)
    if mine is not None:
        acquisition = _agreed(Acquisition.from_json(mine), acquisition, name)
    return Contents(
        acquisition=acquisition,
        signal_format=signal_format,
        signal_offset=signal_offset,
        factor=timing.factor,
        damaged=tuple(np.flatnonzero(~timing.echo).tolist()),
    )


def _place(header: dict[str, str], name: str, block: str, start: int, length: int) -> int:
    """Where an array begins in the file; refused if it does not fit its block, before memory is taken for it."""
    size = int(header[f"{block}_BLOCK_SIZE"])
    if start < 0 or start + length > size:
        raise BadInput(f"{name}: its XML needs {start + length} bytes of {block}_BLOCK; its header has {size}")
    return int(header[f"{block}_BLOCK_BYTE_OFFSET"]) + start


class _Finder:
    """Text of XML elements by path without namespaces; a missing one becomes a sentence."""

    def __init__(self, element: Any, name: str) -> None:
        self.element, self.name = element, name

    @staticmethod
    def _path(path: str) -> str:
        return "/".join("{*}" + part for part in path.split("/"))

    def text(self, path: str) -> str:
        found = self.element.findtext(self._path(path))
        if found is None:
            raise BadInput(f"{self.name} has no {path} in its XML; must have it")
        return str(found).strip()

    def _parsed(self, path: str, kind: type) -> Any:
        try:
            return kind(self.text(path))
        except ValueError:
            raise BadInput(f"{self.name}: {path} is {self.text(path)}; must be a number") from None

    def number(self, path: str) -> float:
        return float(self._parsed(path, float))

    def integer(self, path: str) -> int:
        return int(self._parsed(path, int))

    def count(self, path: str) -> int:
        value = self.integer(path)
        if value <= 0:
            raise BadInput(f"{self.name}: {path} is {value}; must be greater than 0")
        return value

    def vector(self, path: str) -> Array:
        return np.array([self.number(f"{path}/{axis}") for axis in "XYZ"])

    def child(self, path: str, key: str, value: str) -> _Finder:
        for element in self.element.findall(self._path(path)):
            if (element.findtext("{*}" + key) or "").strip() == value:
                return _Finder(element, self.name)
        raise BadInput(f"{self.name} has no {path} with the {key} {value}; must have it")

    def names(self, path: str) -> list[str]:
        return [str(e.text).strip() for e in self.element.findall(self._path(path))]


def _choose(find: _Finder, channel: str | None, name: str) -> str:
    channels = find.names("Data/Receive/Channel/ChId")
    if channel is None and len(channels) == 1:
        return channels[0]
    if channel is None:
        raise BadInput(f"{name} has {len(channels)} channels; name one of {', '.join(channels)}")
    if channel not in channels:
        raise BadInput(f"channel is {channel!r}; must be one of {', '.join(map(repr, channels))} of {name}")
    return channel


class _Table:
    """Records of a parameter block, read a few at a time."""

    def __init__(self, file: BinaryIO, dtype: np.dtype[Any], count: int, offset: int) -> None:
        self.file, self.dtype, self.count, self.offset = file, dtype.newbyteorder(">"), count, offset

    def records(self, first: int, count: int) -> npt.NDArray[Any]:
        self.file.seek(self.offset + first * self.dtype.itemsize)
        raw = self.file.read(count * self.dtype.itemsize)
        if len(raw) != count * self.dtype.itemsize:
            raise BadInput(f"{os.path.basename(self.file.name)} ends within its parameters; it is truncated")
        return np.frombuffer(raw, self.dtype)

    def columns(self, *names: str) -> list[Array]:
        """Whole columns as float64 (count,); a name like TxTime.Int is a part of a field."""
        result = [np.empty(self.count) for _ in names]
        for first in range(0, self.count, _CHUNK):
            chunk = self.records(first, min(_CHUNK, self.count - first))
            for name, column in zip(names, result, strict=True):
                part: Any = chunk
                for key in name.split("."):
                    part = part[key]
                column[first : first + len(chunk)] = part
        return result


class _Timing:
    """When pulses left and windows opened, and by what the samples must be multiplied to follow our conventions."""

    def __init__(self, vectors: _Table, pulses: _Table, sample_rate_hz: float, name: str) -> None:
        self.name = name
        tx_whole, tx_part, phase_x, frequency, rate, duration, low, high = pulses.columns(
            "TxTime.Int", "TxTime.Frac", "PhiX0.Frac", "FxFreq0", "FxRate", "TXmt", "FX1", "FX2"
        )
        self.carrier_hz = self._constant("FxFreq0", frequency)
        self.chirp_rate = self._constant("FxRate", rate)
        self.chirp_duration_s = self._constant("TXmt", duration)
        centre = (self._constant("FX1", low) + self._constant("FX2", high)) / 2
        if abs(centre - self.carrier_hz) > 1e-3 * (high[0] - low[0]):
            raise BadInput(f"{name}: FxFreq0 is {self.carrier_hz:.10g} Hz; must be the middle of FX1 and FX2, {centre:.10g} Hz")
        rx_whole, rx_part, phase_0, reference, dfic0, fic, signal, scale, index = vectors.columns(
            "RcvStart.Int", "RcvStart.Frac", "RefPhi0.Frac", "RefFreq", "DFIC0", "FICRate", "SIGNAL", "AmpSF",
            "TxPulseIndex",
        )  # fmt: skip
        if np.any(dfic0) or np.any(fic):
            raise BadInput(f"{name}: FICRate is not 0, the echoes are deramped; must be plain echoes (DFIC0 = FICRate = 0)")
        if np.max(np.abs(reference - self.carrier_hz)) > FREQUENCY_TOLERANCE_HZ:
            raise BadInput(f"{name}: RefFreq is {reference[0]:.10g} Hz; must equal FxFreq0, {self.carrier_hz:.10g} Hz")
        self.index = index.astype(np.int64)
        if np.any(self.index >= pulses.count):
            raise BadInput(f"{name}: TxPulseIndex is {self.index.max()}; must be below NumPulses, {pulses.count}")
        self.echo = ((signal == 1) | (signal == 3)) & (self.index >= 0)
        used = np.flatnonzero(self.echo)
        if len(used) < 2:
            raise BadInput(f"{name} has {len(used)} vectors with an echo; must have at least 2")
        at = self.index[used]

        # differences of whole seconds and of fractions apart: all digits stay
        since = (tx_whole[at] - tx_whole[at[0]]) + (tx_part[at] - tx_part[at[0]])
        self.pri_s = float(since[-1]) / float(used[-1] - used[0])
        worst = float(np.max(np.abs(since - (used - used[0]) * self.pri_s)))
        if not self.pri_s > 0 or worst > PULSE_TIME_TOLERANCE_S:
            raise BadInput(f"{name}: TxTime departs from a constant PRF by {worst:.3g} s; must be constant within 1e-8 s")
        self.first_pulse_time_s = float(tx_whole[at[0]] + (tx_part[at[0]] - used[0] * self.pri_s))
        delay = (rx_whole[used] - tx_whole[at]) + (rx_part[used] - tx_part[at])
        self.delay_s = float(np.median(delay))
        moved = float(np.max(np.abs(delay - self.delay_s))) * sample_rate_hz
        if moved > WINDOW_TOLERANCE_SAMPLES:
            raise BadInput(f"{name}: the receive window moves by {moved:.3g} samples against the pulse; must stay within 0.01")
        # what the stored phase has besides ours (cycles), see _crsd_tables
        besides = np.zeros(len(self.echo))
        besides[used] = phase_x[at] - phase_0[used] + np.mod(self.carrier_hz * delay, 1.0)
        besides -= np.round(besides)
        self.factor: npt.NDArray[Any] | None = None
        if np.max(np.abs(besides)) > PHASE_TOLERANCE_CYCLES:
            self.factor = (scale * np.exp(-2j * np.pi * besides)).astype(np.complex64)
        elif np.any(scale != 1):
            self.factor = scale.astype(np.float32)

    def _constant(self, field: str, values: Array) -> float:
        if np.ptp(values) > 1e-12 * abs(values[0]):
            raise BadInput(f"{self.name}: {field} changes from {values.min():.10g} to {values.max():.10g}; must be constant")
        return float(values[0])


def _acquisition(
    find: _Finder, data: _Finder, parameters: _Finder, pulses: _Table, timing: _Timing, antenna: tuple[float, float]
) -> Acquisition:
    """The acquisition from the standard's fields alone."""
    count = data.count("NumVectors")
    used = timing.index[timing.echo]
    span_s = len(used) * timing.pri_s
    falling = float(np.linalg.norm(pulses.records(int(used[0]), 1)[0]["TxPos"])) > LOWEST_ORBIT_M
    # Nodes much closer than a second would lose digits in the interpolation; where free fall continues the orbit, one
    # will do.
    count_nodes = 1 + int(span_s) if falling else max(4, math.ceil(span_s) + 1)
    orbit = [_state(pulses.records(k, 1)[0]) for k in _spread(used, count_nodes)]
    frames = [_frame(pulses.records(k, 1)[0]) for k in _spread(used, max(2, math.ceil(span_s) + 1))]
    if falling:
        orbit = extend_orbit(orbit, margin_s=15.0, step_s=1.0)
    return Acquisition(
        sensor=find.text("TransmitInfo/SensorName"),
        epoch_utc=find.text("Global/CollectionRefTime"),
        carrier_hz=timing.carrier_hz,
        prf_hz=1 / timing.pri_s,
        first_pulse_time_s=timing.first_pulse_time_s,
        pulses=count,
        samples=data.count("NumSamples"),
        sample_rate_hz=parameters.number("Fs"),
        first_sample_delay_s=timing.delay_s,
        chirp_rate_hz_per_s=timing.chirp_rate,
        chirp_duration_s=timing.chirp_duration_s,
        look_side="left" if find.text("ReferenceGeometry/TxParameters/SideOfTrack") == "L" else "right",
        terrain_height_m=float(geodetic(parameters.vector("RcvRefPoint/ECF"))[2]),
        orbit=tuple(orbit),
        antenna=Antenna(*antenna, tuple(frames)),
    )


def _spread(pulses: npt.NDArray[np.int64], count: int) -> list[int]:
    """`count` of the pulses, evenly spread from the first to the last; the middle one if it is one."""
    if count == 1:
        return [int(pulses[len(pulses) // 2])]
    chosen: list[int] = pulses[np.unique(np.linspace(0, len(pulses) - 1, count).round().astype(int))].tolist()
    return chosen


def _state(record: Any) -> StateVector:
    seconds = float(record["TxTime"]["Int"] + record["TxTime"]["Frac"])
    return state_vector(seconds, np.asarray(record["TxPos"], float), np.asarray(record["TxVel"], float))


def _frame(record: Any) -> AntennaFrame:
    """The frame with its boresight where the electrical boresight (TxEB, direction cosines) points."""
    seconds = float(record["TxTime"]["Int"] + record["TxTime"]["Frac"])
    acx, acy = np.asarray(record["TxACX"], float), np.asarray(record["TxACY"], float)
    dcx, dcy = (float(v) for v in record["TxEB"])
    beam = dcx * acx + dcy * acy + math.sqrt(max(0.0, 1 - dcx**2 - dcy**2)) * np.cross(acx, acy)
    azimuth = unit(acx - np.dot(acx, beam) * beam)
    return AntennaFrame(seconds, (*map(float, azimuth),), (*map(float, beam),))  # type: ignore[arg-type]


def _antenna_lengths(sarkit: Any, file: BinaryIO, tree: Any, find: _Finder, sequence: str) -> tuple[float, float]:
    """Lengths (m) of the uniformly lit aperture with the same half-power widths as the array pattern; 0: flat."""
    pattern = find.child("TxSequence/Parameters", "Identifier", sequence).text("TxAPATId")
    antenna = find.child("Antenna/AntPattern", "Identifier", pattern)
    array = antenna.text("ArrayGPId")
    grid = find.child("SupportArray/GainPhaseArray", "Identifier", array)
    file.seek(0)
    gain = np.ma.filled(np.ma.asarray(sarkit.Reader(file).read_support_array(array)["Gain"]).astype(float), np.nan)
    axes = [grid.number(f"{axis}0") + grid.number(f"{axis}SS") * np.arange(size) for axis, size in zip("XY", gain.shape, strict=True)]
    centre = [int(np.argmin(np.abs(sine))) for sine in axes]
    wavelength = SPEED_OF_LIGHT / antenna.number("FreqZero")
    lengths = []
    for sine, cut in zip(axes, (gain[:, centre[1]], gain[centre[0], :]), strict=True):
        half = half_power_sine(cut, sine)
        # sinc(x) = 1/sqrt(2) at x = 0.44295
        lengths.append(0.44295 * wavelength / half if half > 0 else 0.0)
    return lengths[0], lengths[1]


def _agreed(mine: Acquisition, standard: Acquisition, name: str) -> Acquisition:
    """Our parameter, if it says what the standard's fields say."""
    exact = ("pulses", "samples", "look_side")
    tolerance = {
        "carrier_hz": FREQUENCY_TOLERANCE_HZ,
        # the last pulse may be off as far as any other
        "prf_hz": PULSE_TIME_TOLERANCE_S * mine.prf_hz**2 / max(mine.pulses - 1, 1) + 1e-12 * mine.prf_hz,
        "first_pulse_time_s": PULSE_TIME_TOLERANCE_S,
        "sample_rate_hz": 1e-12 * mine.sample_rate_hz,
        "first_sample_delay_s": WINDOW_TOLERANCE_SAMPLES / mine.sample_rate_hz,
        "chirp_rate_hz_per_s": 1e-12 * abs(mine.chirp_rate_hz_per_s),
        "chirp_duration_s": 1e-12 * mine.chirp_duration_s,
    }
    differing = [f for f in exact if getattr(mine, f) != getattr(standard, f)]
    differing += [f for f, limit in tolerance.items() if abs(getattr(mine, f) - getattr(standard, f)) > limit]
    if xsd_epoch(mine.epoch_utc) != xsd_epoch(standard.epoch_utc):
        differing.append("epoch_utc")
    for field in differing[:1]:
        raise BadInput(
            f"{name}: its parameter {SCHEMA} has {field} {getattr(mine, field)!r} but the CRSD's own fields say "
            f"{getattr(standard, field)!r}; must agree, or remove the parameter"
        )
    middle = np.array([standard.first_pulse_time_s + (standard.pulses // 2) / standard.prf_hz])
    apart = interpolate_orbit(mine.orbit, middle)[0] - interpolate_orbit(standard.orbit, middle)[0]
    if float(np.linalg.norm(apart)) > 0.1:
        raise BadInput(
            f"{name}: the orbit of its parameter {SCHEMA} is {np.linalg.norm(apart):.3g} m from TxPos; must agree, or remove the parameter"
        )
    return mine
