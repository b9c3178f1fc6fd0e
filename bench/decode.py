"""Sentinel-1 packets decoded on one thread, in million complex samples a CPU second, beside sentinel1decoder where it is installed.

    python bench/decode.py                                   # synthetic packets of every mode
    python bench/decode.py PACKET.dat... --answers A.npz...  # real ones too, first held bit by bit against their answers

Every packet is repeated, the copies decoded one after the other into memory that was written before. What is timed is first found
right: synthetic packets against a reference in double precision. The peer decodes in threads of its own; CPU seconds count all.
Each figure is the median of the runs, with the spread: the interquartile range over the median. JSON goes to stdout.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import pathlib
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from sidelook import _native
from sidelook.commands.devices import cpu

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests"))
import space_packets as sp  # noqa: E402


def ours(packet: bytes, copies: int) -> tuple[Callable[[], Any], np.ndarray]:
    """What decodes all copies, and where the samples lie."""
    data = np.frombuffer(packet * copies, np.uint8)
    headers, damage = _native.PacketScanner().scan(data, True)
    assert len(headers) == copies and not damage
    out, columns = np.zeros((copies, 2 * int(headers["quads"][0])), np.complex64), np.zeros(copies, np.int64)
    return lambda: _native.decode_packets(data, 0, headers, columns, out, 1), out


def peer(packet: bytes, copies: int) -> Callable[[], Any] | None:
    """The same by sentinel1decoder, or None where it is not installed."""
    if importlib.util.find_spec("sentinel1decoder") is None:
        return None
    from sentinel1decoder import _sentinel1decoder as native

    header = _native.PacketScanner().scan(np.frombuffer(packet, np.uint8), True)[0][0]
    mode, quads, packets = int(header["baq_mode"]), int(header["quads"]), [packet[68:]] * copies
    if mode == 0:
        return lambda: native.decode_batched_bypass_packets(packets, quads)
    if mode <= 5:
        return lambda: native.decode_batched_baq_packets(packets, quads, mode)
    return lambda: native.decode_batched_fdbaq_packets(packets, quads)


def rate(decode: Callable[[], Any], samples: int, runs: int) -> dict[str, float]:
    """Million samples a CPU second; the first run warms up and does not count."""
    seconds = []
    for _ in range(runs + 1):
        begun = time.process_time()
        decode()
        seconds.append(time.process_time() - begun)
    low, middle, high = np.percentile(seconds[1:], [25, 50, 75])
    return {"msample_per_cpu_s": samples / middle / 1e6, "spread": (high - low) / middle}


def measure(name: str, packet: bytes, wanted: np.ndarray | None, a: argparse.Namespace) -> dict[str, Any]:
    decode, out = ours(packet, a.copies)
    faults = decode()
    if faults.any() or (wanted is not None and not np.array_equal(out[0], wanted)):
        raise SystemExit(f"{name} is decoded wrongly")
    result = {"packet": name, "bits_per_sample": 8 * (len(packet) - 68) / out.shape[1], **rate(decode, out.size, a.runs)}
    result["verified"] = wanted is not None
    other = peer(packet, a.copies)
    if other is not None:
        result["sentinel1decoder"] = rate(other, out.size, a.runs) | {"equal": bool(np.array_equal(other()[0], out[0]))}
        result["times_faster"] = result["msample_per_cpu_s"] / result["sentinel1decoder"]["msample_per_cpu_s"]
    return result


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packets", nargs="*", type=pathlib.Path, help="files of one packet each")
    parser.add_argument("--answers", nargs="*", type=pathlib.Path, default=[], help="their samples, decoded_udf or udf in an .npz, by name")
    parser.add_argument("--copies", type=int, default=200)
    parser.add_argument("--quads", type=int, default=10000, help="of the synthetic packets")
    parser.add_argument("--runs", type=int, default=5)
    a = parser.parse_args(arguments)
    results = []
    for path in a.packets:
        answer = next((f for f in a.answers if f.stem == path.stem), None)
        wanted = None
        if answer is not None:
            with np.load(answer, allow_pickle=False) as found:
                wanted = found["decoded_udf" if "decoded_udf" in found else "udf"]
        results.append(measure(path.stem, path.read_bytes(), wanted, a))
    rng = np.random.default_rng(1)
    for mode, code in [(0, None), (3, None), (4, None), (5, None), *((12, r) for r in range(5)), (12, None)]:
        codes = sp.random_codes(mode, a.quads, rng, code, as_recorded=True)
        name = "bypass" if mode == 0 else f"BAQ {mode}" if mode <= 5 else f"FDBAQ, bit rate code {'mixed' if code is None else code}"
        results.append(measure(name, sp.packet(codes), codes.samples(), a))
    print(json.dumps({"cpu": cpu(), "instruction_set": _native.instruction_set(), "copies": a.copies, "results": results}, indent=1))


if __name__ == "__main__":
    main()
