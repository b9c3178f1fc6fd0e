"""From packets to an image: simulated echoes of a point, sent as Sentinel-1 would, read, focused, found at its place.

Bypass packets: samples are rounded to whole numbers. The receive window moves by half a sample on the way, and lines are missing.
"""

from __future__ import annotations

import dataclasses
import datetime
import json
import pathlib
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import space_packets as sp
from sidelook import _native, focus, open_echoes, sentinel1, simulate
from sidelook.acquisition import Acquisition
from sidelook.errors import BadInput

F = sentinel1.REFERENCE_FREQUENCY_HZ
PULSES, QUADS = 1300, 350
PRI, RANK, SWST, LENGTH, RAMP = 22079, 9, 7000, 375, 6326
MOVED_AT, MOVED_BY = 650, 3  # pulse, reference periods: 4.5 samples at 3/2 of the reference frequency
MISSING, NOISE = 401, 700
GPS_EPOCH_S = (datetime.datetime(2026, 1, 1) - datetime.datetime(1980, 1, 6)).total_seconds() + 18
SCALE = 300.0


@dataclasses.dataclass(frozen=True)
class Sent:
    path: pathlib.Path
    acquisition: Acquisition
    """As it was, but for the missing lines."""
    echoes: np.ndarray
    """With one window, as it is at first."""
    line: float
    sample: float


def truth() -> tuple[Any, Any]:
    instrument = simulate.sensor("c-stripmap")
    a = simulate.acquire(instrument, PULSES, 2 * QUADS)
    a.epoch_utc, a.carrier_hz, a.prf_hz, a.sample_rate_hz = "2026-01-01T00:00:00Z", 5.40500045433435e9, F / PRI, 1.5 * F
    a.chirp_duration_s, a.chirp_rate_hz_per_s = LENGTH / F, RAMP * F**2 / 2**21
    a.first_sample_delay_s = (RANK * PRI + SWST + 40) / F - LENGTH / F / 2
    return instrument, a


def send(samples: np.ndarray, k: int, acquisition: Any, **fields: int) -> bytes:
    """A bypass packet of the pulse k, at the time that its centre was sent."""
    values = np.rint(SCALE * samples).astype(np.complex64)
    channels = [values.real[::2], values.real[1::2], values.imag[::2], values.imag[1::2]]
    codes = sp.Codes(0, [[(int(v < 0), int(abs(v))) for v in c] for c in channels], [0] * 3, [0] * 3)
    start = acquisition.first_pulse_time_s + k / acquisition.prf_hz - LENGTH / F / 2 + RANK * PRI / F
    coarse, fine = divmod(int((GPS_EPOCH_S + start) * 65536), 65536)
    states = acquisition.orbit
    s = states[min(8 + k // 64, len(states) - 1)]
    words = sp.ancillary_words(vector(s.position_m), vector(s.velocity_m_per_s), (1.0, 0.0, 0.0, 0.0), GPS_EPOCH_S + s.time_s)
    start_code = round((RAMP * F**2 / 2**21 * (1 / (4 * F) + LENGTH / F / 2)) * 2**14 / F)
    return sp.packet(
        codes,
        **{
            "coarse_time": coarse, "fine_time": fine, "pri_code": PRI, "rank": RANK, "swst_code": SWST + MOVED_BY * (k >= MOVED_AT),
            "tx_ramp_code": 0x8000 | RAMP, "tx_start_code": start_code, "tx_pulse_length_code": LENGTH, "range_decimation": 5,
            "space_packet_count": k, "pri_count": 5000 + k, "ancillary_index": k % 64 + 1, "ancillary_word": words[k % 64], **fields,
        },
    )  # fmt: skip


def vector(v: Any) -> tuple[float, float, float]:
    return v.x, v.y, v.z


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Sent:
    instrument, a = truth()
    a.doppler_centroid_hz = _native.doppler_from_attitude(a)
    grid = _native.FocusPlan(a, _native.FocusOptions()).grid
    sample = grid.samples // 2
    line = (grid.valid_first_line[sample] + grid.valid_end_line[sample]) // 2
    place = simulate.place(
        instrument.platform,
        grid.first_line_time_s + line * grid.line_spacing_s,
        grid.first_slant_range_m + sample * grid.sample_spacing_m,
    )
    first = simulate.exact(a, instrument.platform, [place], beam_limit=1)
    a.first_sample_delay_s += MOVED_BY / F
    second = simulate.exact(a, instrument.platform, [place], beam_limit=1)
    a.first_sample_delay_s -= MOVED_BY / F
    packets = [send(first[k] if k < MOVED_AT else second[k], k, a, signal_type=int(k == NOISE)) for k in range(PULSES) if k != MISSING]
    path = tmp_path_factory.mktemp("stripmap") / "s1.dat"
    path.write_bytes(b"".join(packets))
    return Sent(path, Acquisition.from_native(a), first, line, sample)


def test_the_acquisition_is_that_of_the_radar(sent: Sent) -> None:
    with open_echoes(sent.path) as echoes:
        a, t = echoes.acquisition, sent.acquisition
        assert echoes.shape == (PULSES, 2 * QUADS + 5) and echoes.damaged == [MISSING, NOISE]
    assert (a.pulses, a.look_side, a.carrier_hz) == (t.pulses, "right", t.carrier_hz)
    for name in ("prf_hz", "sample_rate_hz", "chirp_rate_hz_per_s", "chirp_duration_s", "first_sample_delay_s"):
        assert getattr(a, name) == pytest.approx(getattr(t, name), rel=1e-12), name
    epoch = [datetime.datetime.fromisoformat(x.epoch_utc.rstrip("Z")) for x in (a, t)]
    later = (epoch[0] - epoch[1]).total_seconds()
    # The median of 1300 times that are uniform within 15 us, and the 0.24 us of a float64 of GPS seconds.
    assert later + a.first_pulse_time_s == pytest.approx(t.first_pulse_time_s, abs=1.5e-6)
    known = {round(s.time_s + later): s for s in a.orbit}
    # Whole cycles of words tell the states of 12 to 31 s, but that which lost a word; free fall goes on 15 s to both sides.
    assert sorted(known) == [k for k in range(-3, 47) if k != 12 + MISSING // 64]
    for s in t.orbit:
        if round(s.time_s) in known and 12 <= s.time_s <= 31:
            assert known[round(s.time_s)].position_m == s.position_m
            assert known[round(s.time_s)].velocity_m_per_s == pytest.approx(s.velocity_m_per_s, rel=2**-24)  # float32


def test_echoes_lie_on_one_grid(sent: Sent) -> None:
    with open_echoes(sent.path) as echoes:
        block = echoes.read(0, PULSES)
        assert np.array_equal(echoes.read(390, 20), block[390:410], equal_nan=True)
        assert np.all(np.isnan(echoes.read(MISSING, 1)))
        with pytest.raises(BadInput, match="must lie within the 1300 pulses"):
            echoes.read(1299, 2)
    assert np.flatnonzero(np.isnan(block).any(axis=1)).tolist() == [MISSING, NOISE]
    there = np.setdiff1d(np.arange(PULSES), [MISSING, NOISE])
    # Samples are rounded to whole numbers; interpolation rings where the pulse begins and ends, which is sharp, and fades from there.
    error = (block[:, :700] - SCALE * sent.echoes)[there]
    before, after = error[there < MOVED_AT], error[there >= MOVED_AT][:, 5:]
    assert np.abs(before).max() <= np.sqrt(0.5) + 1e-6
    assert np.median(np.abs(after)) < 0.01 * SCALE
    assert not block[there[there < MOVED_AT], 700:].any()


@pytest.fixture(scope="module")
def doppler() -> list[float]:
    return list(_native.doppler_from_attitude(truth()[1]))


def test_the_point_is_focused_where_it_is(sent: Sent, doppler: list[float]) -> None:
    """Against the image of the echoes as they were simulated."""
    t = dataclasses.replace(sent.acquisition, antenna=dataclasses.replace(sent.acquisition.antenna, frames=()))
    wanted = focus(sent.echoes, t, doppler=doppler)
    with open_echoes(sent.path) as echoes:
        got = focus(echoes, doppler=doppler)
    assert got.metadata["echoes"]["damaged_pulses"] == [MISSING, NOISE]
    places = []
    for slc in (wanted, got):
        m, power = slc.metadata, np.nan_to_num(np.abs(slc.image))
        row, col = np.unravel_index(int(np.argmax(power)), power.shape)
        point = _native.measure_point(slc.image, float(row), float(col), _native.MeasureOptions())
        places.append(
            (
                m["first_line_time_s"] + point.row * m["line_spacing_s"],
                m["first_sample_slant_range_m"] + point.col * m["sample_spacing_m"],
                abs(point.peak),
            )
        )
    from_epoch = datetime.datetime.fromisoformat(open_epoch(sent).rstrip("Z")) - datetime.datetime(2026, 1, 1)
    assert places[1][0] + from_epoch.total_seconds() == pytest.approx(places[0][0], abs=0.05 * PRI / F)
    assert places[1][1] == pytest.approx(places[0][1], abs=0.05 * 299792458.0 / 2 / (1.5 * F))
    assert places[1][2] / SCALE == pytest.approx(places[0][2], rel=0.02)


def open_epoch(sent: Sent) -> str:
    with open_echoes(sent.path) as echoes:
        return str(echoes.acquisition.epoch_utc)


def test_sidelook_focus_reads_it(sent: Sent, doppler: list[float], tmp_path: pathlib.Path) -> None:
    pytest.importorskip("osgeo.gdal", reason="GDAL's Python bindings are not installed")
    command = ["focus", str(sent.path), "-o", str(tmp_path / "slc.tif"), "--doppler", f"{doppler[0]:.3f}", "--channel", "vv", "--json"]
    done = subprocess.run([sys.executable, "-m", "sidelook.cli", *command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["echoes"]["damaged_pulses"] == [MISSING, NOISE]


def test_what_cannot_be_focused_is_refused(sent: Sent, tmp_path: pathlib.Path) -> None:
    with pytest.raises(BadInput, match="polarisation is 'hh'; s1.dat has no such channel"):
        open_echoes(sent.path, channel="hh")
    rng = np.random.default_rng(1)
    codes = sp.random_codes(3, 200, rng)
    bursts = tmp_path / "tops.dat"
    counts = [30 * (i // 10) + i % 10 for i in range(40)]
    times = [int(n * 19499 / F * 65536) for n in counts]
    bursts.write_bytes(
        b"".join(sp.packet(codes, space_packet_count=n, pri_count=n, fine_time=t) for n, t in zip(counts, times, strict=True))
    )
    with pytest.raises(BadInput, match="tops.dat has 40 echoes of swath 2 in 100 pulses; only stripmap"):
        open_echoes(bursts)
    bursts.write_bytes(b"".join(sp.packet(codes, space_packet_count=n, pri_count=1000 * n) for n in range(40)))
    with pytest.raises(BadInput, match="tops.dat has times that contradict its PRI counts|has 1 echoes of swath 2"):
        open_echoes(bursts)
    noise = tmp_path / "noise.dat"
    noise.write_bytes(sp.packet(codes, signal_type=1))
    with pytest.raises(BadInput, match="noise.dat has no echoes"):
        open_echoes(noise)
    both = tmp_path / "S1.SAFE"
    both.mkdir()
    for channel in (0, 1):
        (both / f"{channel}.dat").write_bytes(sp.packet(codes, rx_channel=channel))
    with pytest.raises(BadInput, match="S1.SAFE has the channels vh, vv; one must be named"):
        open_echoes(both)
