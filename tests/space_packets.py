"""Sentinel-1 space packets written bit by bit, and what they decode to, by the standard's words alone.

S1-IF-ASD-PL-0007: the code words are its Huffman trees, the levels its tables 5.2-1 to 5.2-3. Slow and obvious on purpose.
"""

from __future__ import annotations

import dataclasses
import math
import struct
from typing import Any

import numpy as np
import numpy.typing as npt

CODE_WORDS = (
    "0 10 110 111".split(),
    "0 10 110 1110 1111".split(),
    "0 10 110 1110 11110 111110 111111".split(),
    "00 01 10 110 1110 11110 111110 1111110 11111110 11111111".split(),
    "00 010 011 100 101 1100 1101 1110 11110 111110 11111100 11111101 111111100 111111101 111111110 111111111".split(),
)
SIMPLE = {
    "baq3": [3, 3, 3.12, 3.55],
    "baq4": [7, 7, 7, 7.17, 7.40, 7.76],
    "baq5": [15, 15, 15, 15, 15, 15, 15.44, 15.56, 16.11, 16.38, 16.65],
    "brc0": [3, 3, 3.16, 3.53],
    "brc1": [4, 4, 4.08, 4.37],
    "brc2": [6, 6, 6, 6.15, 6.50, 6.88],
    "brc3": [9, 9, 9, 9, 9.36, 9.50, 10.10],
    "brc4": [15, 15, 15, 15, 15, 15, 15.22, 15.50, 16.05],
}
NORMALISED = {
    "baq3": [0.2490, 0.7681, 1.3655, 2.1864],
    "baq4": [0.1290, 0.3900, 0.6601, 0.9471, 1.2623, 1.6261, 2.0793, 2.7467],
    "baq5": [0.0660, 0.1985, 0.3320, 0.4677, 0.6061, 0.7487, 0.8964, 1.0510, 1.2143, 1.3896, 1.5800, 1.7914, 2.0329, 2.3234,
             2.6971, 3.2692],
    "brc0": [0.3637, 1.0915, 1.8208, 2.6406],
    "brc1": [0.3042, 0.9127, 1.5216, 2.1313, 2.8426],
    "brc2": [0.2305, 0.6916, 1.1528, 1.6140, 2.0754, 2.5369, 3.1191],
    "brc3": [0.1702, 0.5107, 0.8511, 1.1916, 1.5321, 1.8726, 2.2131, 2.5536, 2.8942, 3.3744],
    "brc4": [0.1130, 0.3389, 0.5649, 0.7908, 1.0167, 1.2428, 1.4687, 1.6947, 1.9206, 2.1466, 2.3725, 2.5985, 2.8244,
             3.0504, 3.2764, 3.6623],
}  # fmt: skip


def sigma_factor(threshold_index: int) -> float:
    """Table 5.2-3 is a law rounded to hundredths: the mean of |x| is the index, in halves below 100 and then in ones."""
    step = math.sqrt(math.pi / 2)  # standard deviation over the mean of |x|, of a Gaussian
    return round(step / 2 * threshold_index if threshold_index < 100 else step * min(threshold_index, 254) - 62.34905, 2)


def level(table: str, threshold_index: int, magnitude: int) -> float:
    """Reconstruction in double precision."""
    if threshold_index < len(SIMPLE[table]):
        return SIMPLE[table][threshold_index] if magnitude == len(NORMALISED[table]) - 1 else float(magnitude)
    return NORMALISED[table][magnitude] * sigma_factor(threshold_index)


@dataclasses.dataclass
class Codes:
    """What is sent: (sign, magnitude) of every sample of the channels IE, IO, QE, QO, and a rate and an index a block of 128."""

    baq_mode: int
    channels: list[list[tuple[int, int]]]
    rates: list[int]
    indices: list[int]

    @property
    def quads(self) -> int:
        return len(self.channels[0])

    def table(self, block: int) -> str:
        return f"brc{self.rates[block]}" if self.baq_mode >= 12 else f"baq{self.baq_mode}"

    def value(self, channel: int, i: int) -> float:
        sign, magnitude = self.channels[channel][i]
        size = magnitude if self.baq_mode == 0 else level(self.table(i // 128), self.indices[i // 128], magnitude)
        return -size if sign else float(size)

    def samples(self) -> npt.NDArray[np.complex64]:
        """Even and odd samples in turn, in double precision, then rounded once."""
        values = np.array([[self.value(channel, i) for i in range(self.quads)] for channel in range(4)])
        ie, io, qe, qo = values
        return np.stack([ie + 1j * qe, io + 1j * qo], axis=1).reshape(-1).astype(np.complex64)


def random_codes(baq_mode: int, quads: int, rng: np.random.Generator, rate: int | None = None, *, as_recorded: bool = False) -> Codes:
    """All magnitudes alike, so that rare ones come; `as_recorded`: as often as their code words are short, as in real echoes."""
    blocks = -(-quads // 128)
    rates = [int(rng.integers(5)) if rate is None else rate for _ in range(blocks)]
    codes = Codes(baq_mode, [], rates, [int(k) for k in rng.integers(256, size=blocks)])
    for _ in range(4):
        magnitudes: list[int] = []
        for block in range(blocks):
            size = 512 if baq_mode == 0 else len(NORMALISED[codes.table(block)])
            p = [0.5 ** len(word) for word in CODE_WORDS[rates[block]]] if as_recorded and baq_mode >= 12 else None
            magnitudes += rng.choice(size, min(128, quads - 128 * block), p=p).tolist()
        codes.channels.append(list(zip(rng.integers(2, size=quads).tolist(), magnitudes, strict=True)))
    return codes


def bits(value: int, count: int) -> str:
    return format(value % (1 << count), f"0{count}b") if count else ""


def padded(digits: str, multiple: int) -> str:
    return digits + "0" * (-len(digits) % multiple)


def user_data(codes: Codes) -> str:
    mode, sent = codes.baq_mode, ""
    for channel in range(4):
        digits = []
        for i, (sign, magnitude) in enumerate(codes.channels[channel]):
            block = i // 128
            if mode >= 12 and channel == 0 and i % 128 == 0:
                digits.append(bits(codes.rates[block], 3))
            if mode > 0 and channel == 2 and i % 128 == 0:
                digits.append(bits(codes.indices[block], 8))
            word = CODE_WORDS[codes.rates[block]][magnitude] if mode >= 12 else bits(magnitude, mode - 1 if mode else 9)
            digits.append(str(sign) + word)
        sent += padded("".join(digits), 16)
    return sent


# Fields of both headers in the order in which they are sent: name, bits, value of a sound stripmap packet.
HEADER: list[tuple[str, int, int]] = [
    ("version", 3, 0), ("type", 1, 0), ("secondary_header", 1, 1), ("process", 7, 65), ("category", 4, 12),
    ("sequence_flags", 2, 3), ("sequence_count", 14, 0), ("length", 16, 0),
    ("coarse_time", 32, 1276273467), ("fine_time", 16, 0),
    ("sync_marker", 32, 0x352EF853), ("data_take", 32, 87780960), ("ecc_number", 8, 3), ("", 1, 0), ("test_mode", 3, 0),
    ("rx_channel", 4, 0), ("instrument_configuration", 32, 0),
    ("ancillary_index", 8, 0), ("ancillary_word", 16, 0),
    ("space_packet_count", 32, 0), ("pri_count", 32, 0),
    ("error_flag", 1, 0), ("", 2, 0), ("baq_mode", 5, 12), ("baq_block_code", 8, 31), ("", 8, 0), ("range_decimation", 8, 4),
    ("rx_gain_code", 8, 12), ("tx_ramp_code", 16, 0x87D2), ("tx_start_code", 16, 0x32AA), ("tx_pulse_length_code", 24, 1658),
    ("", 3, 0), ("rank", 5, 10), ("pri_code", 24, 19499), ("swst_code", 24, 5271), ("swl_code", 24, 12178),
    ("calibration", 1, 0), ("polarisation", 3, 7), ("temperature_compensation", 2, 3), ("", 2, 0),
    ("elevation_beam", 4, 2), ("", 2, 0), ("azimuth_beam", 10, 5),
    ("calibration_mode", 2, 0), ("", 1, 0), ("tx_pulse_number", 5, 2), ("signal_type", 4, 0), ("", 3, 0), ("swap", 1, 0),
    ("swath", 8, 2), ("quads", 16, 0), ("", 8, 0),
]  # fmt: skip


def packet(codes: Codes, **fields: int) -> bytes:
    """A packet of these samples; other header fields by name."""
    unknown = fields.keys() - {name for name, _, _ in HEADER}
    assert not unknown, unknown
    data = padded(user_data(codes), 32)  # the headers are a multiple of 32 bits themselves
    given: dict[str, Any] = {"baq_mode": codes.baq_mode, "quads": codes.quads, "length": 62 + len(data) // 8 - 1, **fields}
    header = "".join(bits(given.get(name, value), count) for name, count, value in HEADER)
    assert len(header) == 68 * 8
    whole = header + data
    return int(whole, 2).to_bytes(len(whole) // 8, "big")


def ancillary_words(
    position: tuple[float, float, float], velocity: tuple[float, float, float], quaternion: tuple[float, ...], time_gps_s: float
) -> list[int]:
    """The 64 words of one cycle (section 3.2.3), from word 1 on."""
    time = struct.pack(">Q", 0xFF << 56 | round(time_gps_s * 2**24))
    octets = struct.pack(">ddd", *position) + struct.pack(">fff", *velocity) + time
    octets += struct.pack(">ffff", *quaternion) + struct.pack(">fff", 1e-3, 2e-3, 3e-3) + time + bytes([5, 0])
    octets += bytes([0, 1]) + bytes([100] * 42) + bytes([0, 77])
    return list(struct.unpack(">64H", octets))
