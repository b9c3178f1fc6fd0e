"""Sentinel-1 Level-0 from packets written bit by bit: every mode, changes of window, damage, ancillary data, the command line."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
import space_packets as sp
from sidelook import _native, sentinel1
from sidelook.errors import BadInput

MODES = (0, 3, 4, 5, 12, 13, 14)


def write(path: pathlib.Path, packets: Iterable[bytes]) -> pathlib.Path:
    path.write_bytes(b"".join(packets))
    return path


def stripmap(lines: int, quads: int = 300, seed: int = 1, **fields: int) -> tuple[list[sp.Codes], list[bytes]]:
    rng = np.random.default_rng(seed)
    codes = [sp.random_codes(12, quads, rng) for _ in range(lines)]
    return codes, [sp.packet(c, space_packet_count=i, pri_count=1000 + i, **fields) for i, c in enumerate(codes)]


@pytest.mark.parametrize("mode", MODES)
def test_samples_are_those_that_were_sent(mode: int, tmp_path: pathlib.Path) -> None:
    """Equal to the reference in double precision, rounded once: reconstruction is one product."""
    rng = np.random.default_rng(mode)
    for quads in (1, 5, 127, 128, 129, 1000):
        for rate in (None, 0, 1, 2, 3, 4) if mode >= 12 else (None,):
            codes = sp.random_codes(mode, quads, rng, rate)
            with sentinel1.open(write(tmp_path / "one.dat", [sp.packet(codes)])) as product:
                (group,) = product.channels["vv"].groups
                assert group.shape == (1, 2 * quads)
                assert np.array_equal(group.read(0, 1)[0], codes.samples()), (quads, rate)
                assert not group.damaged


def test_every_level_of_every_table() -> None:
    for k in range(256):
        for rate in range(5):
            for m in range(len(sp.CODE_WORDS[rate])):
                assert _native.fdbaq_level(rate, k, m) == sp.level(f"brc{rate}", k, m)
        for size in (3, 4, 5):
            for m in range(1 << (size - 1)):
                assert _native.baq_level(size, k, m) == sp.level(f"baq{size}", k, m)


def test_header_fields_come_through(tmp_path: pathlib.Path) -> None:
    """Every field at a value of its own; those that are derived, against their formulas."""
    rng = np.random.default_rng(5)
    values = {name: int(rng.integers(1 << min(count, 31))) for name, count, _ in sp.HEADER if name}
    fixed = "version type secondary_header process category sequence_flags length sync_marker baq_mode baq_block_code quads".split()
    values = {name: value for name, value in values.items() if name not in fixed} | {"range_decimation": 9, "test_mode": 4}
    for calibration in (0, 1):
        values["calibration"] = calibration
        packets, damage = _native.PacketScanner().scan(np.frombuffer(sp.packet(sp.random_codes(14, 200, rng), **values), np.uint8), True)
        assert not damage
        h = packets[0]
        for name, value in values.items():
            if name == "elevation_beam" and calibration:
                assert h["elevation_beam"] == 0
                assert h["sas_test"] == value >> 3 and h["calibration_type"] == value & 7
            else:
                assert h[name] == value, name
        f = sentinel1.REFERENCE_FREQUENCY_HZ
        sign = {name: 1 if values[name] >> 15 else -1 for name in ("tx_ramp_code", "tx_start_code")}
        ramp = sign["tx_ramp_code"] * (values["tx_ramp_code"] & 0x7FFF) * f**2 / 2**21
        start = ramp / (4 * f) + sign["tx_start_code"] * (values["tx_start_code"] & 0x7FFF) * f / 2**14
        delay = (values["rank"] * values["pri_code"] + values["swst_code"] + 40) / f
        derived = {
            "time_gps_s": values["coarse_time"] + (values["fine_time"] + 0.5) / 65536,
            "tx_ramp_rate_hz_per_s": ramp,
            "tx_start_frequency_hz": start,
            "tx_pulse_length_s": values["tx_pulse_length_code"] / f,
            "pri_s": values["pri_code"] / f,
            "swst_s": values["swst_code"] / f,
            "swl_s": values["swl_code"] / f,
            "first_sample_delay_s": delay,
            "rx_gain_db": -0.5 * values["rx_gain_code"],
            "sample_rate_hz": 4 * f * 5 / 16,
        }
        for name, wanted in derived.items():
            assert h[name] == pytest.approx(wanted, rel=1e-14, abs=1e-9), name


def test_window_samples_of_every_filter() -> None:
    """N3_Rx: about SWL times the sampling rate, less the filter's transients, and equal to what real packets hold."""
    rng = np.random.default_rng(6)
    codes = sp.random_codes(0, 10, rng)
    for code, real in ((4, 21558), (8, None), (11, None), (9, None), (7, None), (10, None), (1, None), (0, None)):
        up, down, taps = _native.packet_range_filter(code)[1:]
        for swl in (12178, 12179, 9000):
            packets, _ = _native.PacketScanner().scan(np.frombuffer(sp.packet(codes, range_decimation=code, swl_code=swl), np.uint8), True)
            n = int(packets["window_samples"][0])
            assert abs(n - 4 * up / down * (swl - (97 + taps // 4) / 2)) <= 4 * up / down * 1.5 + 2
            assert real is None or swl != 12178 or n == real


def test_windows_are_placed_on_a_common_grid(tmp_path: pathlib.Path) -> None:
    """9 reference periods are 16 samples at 16/9 of the reference frequency: such a step moves the grid by whole samples."""
    starts = [5271, 5271, 5271 + 18, 5271 - 9, 5271 - 9]
    rng = np.random.default_rng(7)
    codes = [sp.random_codes(12, 200, rng) for _ in starts]
    packets = [sp.packet(c, swst_code=s, space_packet_count=i, pri_count=i) for i, (c, s) in enumerate(zip(codes, starts, strict=True))]
    with sentinel1.open(write(tmp_path / "moving.dat", packets)) as product:
        (group,) = product.channels["vv"].echoes
        assert group.shape == (5, 400 + 48)
        assert [(w.first_line, w.lines, w.column, w.samples, w.shift_samples) for w in group.windows] == [
            (0, 2, 16, 400, 0.0), (2, 1, 48, 400, 0.0), (3, 2, 0, 400, 0.0),
        ]  # fmt: skip
        assert group.first_sample_delay_s == pytest.approx(group.windows[2].first_sample_delay_s, abs=1e-15)
        image = group.read(0, 5)
        for line, column in enumerate((16, 16, 48, 0, 0)):
            wanted = np.zeros(448, np.complex64)
            wanted[column : column + 400] = codes[line].samples()
            assert np.array_equal(image[line], wanted)


def test_windows_between_samples_are_interpolated(tmp_path: pathlib.Path) -> None:
    """A step of one reference period is 16/9 samples: column 2, 2/9 of a sample before it. Against the sum of sinc's periodic kin."""
    codes, _ = stripmap(3)
    packets = [
        sp.packet(c, swst_code=5271 + s, space_packet_count=i, pri_count=i) for i, (c, s) in enumerate(zip(codes, (0, 0, 1), strict=True))
    ]
    with sentinel1.open(write(tmp_path / "fraction.dat", packets)) as product:
        (group,) = product.channels["vv"].groups
        assert [(w.column, w.lines) for w in group.windows] == [(0, 2), (2, 1)]
        shift = group.windows[1].shift_samples
        assert shift == pytest.approx(16 / 9 - 2)
        sent, moved = group.read(0, 3, as_sent=True), group.read(0, 3)
        assert np.array_equal(sent[2, 2:602], codes[2].samples()) and not sent[2, :2].any() and not moved[2, :2].any()
        assert np.array_equal(sent[:2], moved[:2])
        # The definition, in double: the window's samples with 72 zeros (672 = 2^5 x 3 x 7), every frequency turned.
        x = np.concatenate([codes[2].samples().astype(complex), np.zeros(72)])
        f = np.fft.fftfreq(672)
        wanted = np.fft.ifft(np.fft.fft(x) * np.exp(-2j * np.pi * f * shift))[:600]
        # Two transforms in single precision: some log2(672) roundings of the largest sum each.
        assert np.abs(moved[2, 2:602] - wanted).max() <= 2 * np.log2(672) * 6e-8 * np.abs(x).max() * 10
        assert np.array_equal(np.concatenate([b for _, b in group.blocks(1)]), moved)
        # A tone within the band stays the same tone: its phase tells the place.
        tone = np.exp(2j * np.pi * 0.13 * (np.arange(600) + shift)).astype(np.complex64)[None]
        _native.align_lines(tone, shift)
        inside = slice(150, 450)
        assert np.abs(tone[0, inside] - np.exp(2j * np.pi * 0.13 * np.arange(600))[inside]).max() < 2e-2  # the ends ring
        with pytest.raises(_native.NativeError):
            _native.align_lines(tone, 1.5)


def test_signals_and_swaths_are_told_apart(tmp_path: pathlib.Path) -> None:
    rng = np.random.default_rng(8)
    kinds = [(1, 2, 5), (8, 52, 0), (9, 52, 0), (0, 10, 12), (0, 10, 12), (0, 11, 12), (0, 10, 12), (3, 0, 3)]
    packets = [
        sp.packet(sp.random_codes(mode, 150, rng), signal_type=s, swath=w, calibration=int(s >= 8), space_packet_count=i, pri_count=i)
        for i, (s, w, mode) in enumerate(kinds)
    ]
    with sentinel1.open(write(tmp_path / "all.dat", packets)) as product:
        channel = product.channels["vv"]
        assert [(g.signal, g.swath, g.shape[0]) for g in channel.groups] == [
            ("noise", 2, 1), ("tx_cal", 52, 1), ("rx_cal", 52, 1), ("echo", 10, 3), ("echo", 11, 1), ("signal_3", 0, 1),
        ]  # fmt: skip
        assert [g.swath for g in channel.echoes] == [10, 11]
        assert [g.signal for g in channel.noise] == ["noise"]
        assert [g.signal for g in channel.calibration] == ["tx_cal", "rx_cal", "signal_3"]
        assert channel.echoes[0].runs == [(0, 2), (2, 1)]
        assert channel.counts()["signals"]["echo"] == 4


def test_a_window_that_lies_elsewhere_is_a_group_of_its_own(tmp_path: pathlib.Path) -> None:
    """One wild header must not make the grid of all others huge."""
    codes, packets = stripmap(6)
    packets[3] = sp.packet(codes[3], swst_code=0xFFFFF0, space_packet_count=3)
    with sentinel1.open(write(tmp_path / "wild.dat", packets)) as product:
        assert [g.shape for g in product.channels["vv"].echoes] == [(5, 600), (1, 600)]


def test_damage_is_left_out_and_counted(tmp_path: pathlib.Path) -> None:
    codes, packets = stripmap(12)
    broken = list(packets)
    broken[2] = packets[2][:12] + b"\0" + packets[2][13:]  # sync marker
    broken[4] = packets[4][:200]  # octets are missing
    broken[6] = packets[6] + b"what is this"  # octets too many
    broken[8] = packets[8][:68] + bytes([packets[8][68] | 0xE0]) + packets[8][69:]  # bit rate code 7
    broken[11] = packets[11][:-4]  # the file ends early
    with sentinel1.open(write(tmp_path / "damaged.dat", broken)) as product:
        channel = product.channels["vv"]
        (group,) = channel.groups
        assert [d.reason for d in channel.damage] == ["sync_marker", "cut_short", "version", "truncated"]
        image = group.read(0, group.shape[0])
        kept = [0, 1, 3, 5, 6, 7, 8, 9, 10]
        assert group.packets["space_packet_count"].tolist() == kept
        assert group.damaged == {kept.index(8): "bit_rate_code"}
        for line, sent in zip(image, kept, strict=True):
            assert np.all(np.isnan(line)) if sent == 8 else np.array_equal(line, codes[sent].samples())
        counts = channel.counts()
        assert counts["packets"] == 8
        assert counts["damaged"] == {"sync_marker": 1, "cut_short": 1, "version": 1, "truncated": 1, "bit_rate_code": 1}
        assert counts["bytes_left_out"] == len(b"".join(broken)) - sum(len(packets[i]) for i in kept)


@pytest.mark.parametrize("piece", [1, 1000, 1 << 20])
def test_neither_pieces_nor_blocks_nor_threads_matter(piece: int, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, packets = stripmap(40, quads=1500)
    packets[7] = packets[7][:999]
    packets[21] = packets[21][:100] + bytes(50) + packets[21][150:]
    path = write(tmp_path / "same.dat", packets)
    with sentinel1.open(path, threads=1) as product:
        (group,) = product.channels["vv"].groups
        wanted, damage, damaged = group.read(0, group.shape[0]), product.channels["vv"].damage, group.damaged
    monkeypatch.setattr(sentinel1, "BLOCK_BYTES", max(piece, _native.PacketScanner.least_piece))
    monkeypatch.setattr(sentinel1, "_FAR_BYTES", piece)
    with sentinel1.open(path, threads=3) as product:
        (group,) = product.channels["vv"].groups
        assert product.channels["vv"].damage == damage
        monkeypatch.setattr(sentinel1, "BLOCK_BYTES", piece)
        cut = np.concatenate([block for _, block in group.blocks(7)])
        assert np.array_equal(cut.view(np.uint32), wanted.view(np.uint32)) and group.damaged == damaged
        assert np.array_equal(group.read(11, 3).view(np.uint32), wanted[11:14].view(np.uint32))
        assert group.read(5, 0).shape == (0, 3000)
        with pytest.raises(BadInput, match="first_line and lines are 38 and 9; must lie within the 39 lines there are"):
            group.read(38, 9)


def test_orbit_and_attitude_are_assembled(tmp_path: pathlib.Path) -> None:
    rng = np.random.default_rng(9)
    codes = sp.random_codes(3, 10, rng)
    packets = []
    for cycle in range(3):
        words = sp.ancillary_words((4e6, -3e6 + cycle, 5e6), (1000.5, -7000.25, 2500.0), (0.5, -0.5, 0.5, -0.5), 1276273467.25 + cycle)
        packets += [
            sp.packet(codes, ancillary_index=k + 1, ancillary_word=w, space_packet_count=64 * cycle + k) for k, w in enumerate(words)
        ]
    del packets[70]  # a word of the second orbit state
    with sentinel1.open(write(tmp_path / "orbit.dat", packets)) as product:
        channel = product.channels["vv"]
        assert channel.orbit.tolist() == [
            [1276273467.25, 4e6, -3e6, 5e6, 1000.5, -7000.25, 2500.0], [1276273469.25, 4e6, -3e6 + 2, 5e6, 1000.5, -7000.25, 2500.0],
        ]  # fmt: skip
        assert channel.attitude.shape == (3, 9) and channel.temperatures.shape == (3, 45)
        assert channel.attitude[1, :5].tolist() == [1276273468.25, 0.5, -0.5, 0.5, -0.5]
        assert channel.attitude[1, 5:8] == pytest.approx([1e-3, 2e-3, 3e-3]) and channel.attitude[1, 8] == 0x500
        assert set(channel.temperatures[0, 1:43]) == {21.88} and channel.temperatures[0, 43:].tolist() == [1, 77]


def test_gps_time() -> None:
    assert sentinel1.gps_to_utc(1276273467.5).isoformat() == "2020-06-15T16:24:09.500000"
    assert sentinel1.gps_to_utc(1167264018.0).isoformat() == "2017-01-01T00:00:00"
    assert sentinel1.gps_to_utc(1119744017.0).isoformat() == "2015-07-01T00:00:00"
    with pytest.raises(BadInput, match=r"time_gps_s is 0.0; must lie after 2012-07-01"):
        sentinel1.gps_to_utc(0.0)


def safe(folder: pathlib.Path, manifest: bool) -> pathlib.Path:
    """A SAFE folder with two polarisations, an annotation and an index, which hold no packets."""
    folder.mkdir()
    for channel, name in ((0, "vv"), (1, "vh")):
        write(folder / f"s1x-s3-raw-s-{name}-1.dat", stripmap(3, rx_channel=channel)[1])
        (folder / f"s1x-s3-raw-s-{name}-1-annot.dat").write_bytes(bytes(26 * 3))
        (folder / f"s1x-s3-raw-s-{name}-1-index.dat").write_bytes(bytes(36))
    if manifest:
        items = "".join(f'<fileLocation locatorType="URL" href="./{f.name}"/>' for f in sorted(folder.glob("*.dat")))
        items += '<fileLocation href="../elsewhere.dat"/>'
        (folder / "manifest.safe").write_text(f"<xfdu>{items}</xfdu>", encoding="utf-8")
    return folder


@pytest.mark.parametrize("manifest", [True, False])
def test_safe_folder(manifest: bool, tmp_path: pathlib.Path) -> None:
    folder = safe(tmp_path / "S1.SAFE", manifest)
    with sentinel1.open(folder) as product:
        assert sorted(product.channels) == ["vh", "vv"]
        assert product.channels["vh"].path.name == "s1x-s3-raw-s-vh-1.dat"
    with sentinel1.open(folder, "vh") as product:
        assert list(product.channels) == ["vh"]
        group = product.channels["vh"].echoes[0]
    with pytest.raises(BadInput, match="cannot be read"):
        group.read(0, 1)


def test_refusals(tmp_path: pathlib.Path) -> None:
    folder = safe(tmp_path / "S1.SAFE", True)
    with pytest.raises(BadInput, match="polarisation is 'hh'; S1.SAFE has no such channel"):
        sentinel1.open(folder, "hh")
    with pytest.raises(BadInput, match="polarisation is 'x'; must be hh, hv, vh or vv"):
        sentinel1.open(folder, "x")
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput, match="empty holds no measurement file; must have a .dat file"):
        sentinel1.open(tmp_path / "empty")
    other = write(tmp_path / "other.dat", [b"II*\0" + bytes(1000)])
    with pytest.raises(
        BadInput, match="other.dat looks like a TIFF image, perhaps a focused one and holds no sound Sentinel-1 space packet"
    ):
        sentinel1.open(other)
    with pytest.raises(BadInput, match="looks like an empty file"):
        sentinel1.open(write(tmp_path / "nothing.dat", []))
    with pytest.raises(BadInput, match="there is no such file"):
        sentinel1.open(tmp_path / "none.dat")
    path = write(tmp_path / "shrinks.dat", stripmap(4)[1])
    with sentinel1.open(path) as product:
        path.write_bytes(path.read_bytes()[:-100])
        with pytest.raises(BadInput, match="it has become shorter since it was opened"):
            product.channels["vv"].groups[0].read(0, 4)


def test_native_refuses_what_is_not_its_own() -> None:
    codes, packets = stripmap(1)
    data = np.frombuffer(packets[0], np.uint8)
    headers, _ = _native.PacketScanner().scan(data, True)
    column, out = np.zeros(1, np.int64), np.empty((1, 600), np.complex64)
    assert _native.decode_packets(data, 0, headers, column, out).tolist() == [0]
    assert np.array_equal(out[0], codes[0].samples())
    for arguments, words in (
        ((data, 0, np.zeros(1), column, out), "packets have dtype float64"),
        ((data, 0, headers, column, out.astype(np.complex128)), "out must be a writeable complex64 array"),
        ((data, 0, headers, column, out[:, ::2]), "out must be a writeable complex64 array"),
        ((data, 0, headers, column[:0], out), "columns must be as many as packets"),
        ((data[:-1], 0, headers, column, out), "must lie within the"),
        ((data, 1, headers, column, out), "must lie within the"),
        ((data, 0, headers, column + 1, out), "must lie within the row's 600"),
    ):
        with pytest.raises(_native.NativeError) as refused:
            _native.decode_packets(*arguments)
        assert words in refused.value.args[1]


def test_random_damage_never_escapes(tmp_path: pathlib.Path) -> None:
    """Whatever is done to the file, it is read or refused in one sentence."""
    rng = np.random.default_rng(10)
    whole = b"".join(sp.packet(sp.random_codes(m, 140, rng), space_packet_count=i) for i, m in enumerate(MODES))
    for _ in range(150):
        data = bytearray(whole)
        for _ in range(int(rng.integers(1, 6))):
            data[int(rng.integers(len(data)))] = int(rng.integers(256))
        path = tmp_path / "fuzz.dat"
        path.write_bytes(bytes(data[: int(rng.integers(1, len(data) + 1))]))
        try:
            with sentinel1.open(path) as product:
                for channel in product.channels.values():
                    for group in channel.groups:
                        if group.shape[1] < 1 << 20:
                            group.read(0, group.shape[0])
        except BadInput:
            pass


def info(*arguments: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "sidelook.cli", "info", *map(str, arguments)], capture_output=True, text=True, check=False)


def test_info_tells_what_it_is(tmp_path: pathlib.Path) -> None:
    folder = safe(tmp_path / "S1.SAFE", True)
    said = info(folder)
    assert said.returncode == 0, said.stderr
    assert "3 echo" in said.stdout and "damaged       none" in said.stdout and "3 lines x 600 samples, FDBAQ" in said.stdout
    found = json.loads(info(folder, "--json").stdout)
    assert found["kind"] == "sentinel1" and sorted(found["channels"]) == ["vh", "vv"]
    codes, packets = stripmap(3)
    said = info(write(tmp_path / "one.dat", [*packets, packets[0][:100]]))
    assert said.returncode == 0 and "1 truncated, 100 bytes left out" in said.stdout
    said = info(write(tmp_path / "late.dat", [b"not a packet", *packets]))
    assert said.returncode == 0 and "1 version, 12 bytes left out" in said.stdout
    refused = info(folder, "--channel", "x")
    assert refused.returncode == 3 and "only a CRSD has channels" in refused.stderr
