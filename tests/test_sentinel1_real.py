"""Real space packets of Sentinel-1B (2020-06-15, stripmap 3) with the samples that another decoder found in them.

The data are not part of the repository: noise (BAQ 5), transmit calibration (bypass), echo (FDBAQ), and FDBAQ's levels.
"""

from __future__ import annotations

import json
import pathlib
from typing import Any

import numpy as np
import pytest
from sidelook import _native, sentinel1

DATA = pathlib.Path(__file__).resolve().parent.parent.parent / "shared" / "data" / "sentinel1_l0_packets"
PACKETS = (("000000-noise", "udf", "noise"), ("000008-txcal", "udf", "tx_cal"), ("000408-echo", "decoded_udf", "echo"))

pytestmark = pytest.mark.skipif(not DATA.exists(), reason=f"{DATA} is not there: real data are not in the repository")


@pytest.mark.parametrize("stem, key, signal", PACKETS)
def test_samples_are_bit_exact(stem: str, key: str, signal: str) -> None:
    with sentinel1.open(DATA / f"{stem}.dat") as product, np.load(DATA / f"{stem}.npz", allow_pickle=False) as answers:
        (group,) = product.channels["vv"].groups
        assert group.signal == signal
        assert np.array_equal(group.read(0, 1)[0].view(np.uint32), answers[key].view(np.uint32))


def test_headers_make_sense() -> None:
    heads: list[Any] = []
    for stem, _, _ in PACKETS:
        with sentinel1.open(DATA / f"{stem}.dat") as product:
            channel = product.channels["vv"]
            heads.append(channel.packets[0])
            assert not channel.damage and channel.packets["bytes"][0] == (DATA / f"{stem}.dat").stat().st_size
    for h, count in zip(heads, (0, 8, 408), strict=True):
        assert h["space_packet_count"] == count and h["ancillary_index"] == count % 64 + 1
        assert h["window_samples"] == 2 * h["quads"]  # SWL, decimation filter and number of quads agree
        assert h["data_take"] == heads[0]["data_take"]
    echo = heads[2]
    # As ESA's processor annotates another stripmap 3 product (S1A_S3_SLC__1SDV_20210401T152855), whose radar was set alike.
    annotated = {
        "tx_ramp_rate_hz_per_s": 1.344932774550966e12, "tx_start_frequency_hz": -2.970450322412297e07,
        "tx_pulse_length_s": 4.417243291154830e-05, "sample_rate_hz": 6.672839509333333e07, "pri_s": 5.194923216780943e-04,
        "rx_gain_db": -6.0, "rank": 10, "swath": 2, "ecc_number": 13,
    }  # fmt: skip
    for name, value in annotated.items():
        assert echo[name] == pytest.approx(value, rel=1e-13), name
    assert echo["tx_ramp_rate_hz_per_s"] * echo["tx_pulse_length_s"] == pytest.approx(59.44e6, rel=1e-3)  # S3's band
    assert echo["tx_start_frequency_hz"] == pytest.approx(-echo["tx_ramp_rate_hz_per_s"] * echo["tx_pulse_length_s"] / 2, rel=1e-3)
    assert 5e5 < 299792458.0 / 2 * echo["first_sample_delay_s"] < 1.1e6  # slant range (m)
    # Time runs with the PRI count.
    expected = (int(heads[2]["pri_count"]) - int(heads[0]["pri_count"])) * echo["pri_s"]
    assert heads[2]["time_gps_s"] - heads[0]["time_gps_s"] == pytest.approx(expected, rel=2e-3)


def test_levels_are_those_of_the_table() -> None:
    table = json.loads((DATA / "reconstruction-lut.json").read_text())
    for rate, by_index in table.items():
        for index, by_sign in by_index.items():
            for sign, by_magnitude in by_sign.items():
                for magnitude, wanted in by_magnitude.items():
                    assert (1 - 2 * int(sign)) * _native.fdbaq_level(int(rate), int(index), int(magnitude)) == wanted


def test_all_three_in_one_file(tmp_path: pathlib.Path) -> None:
    whole = tmp_path / "three.dat"
    whole.write_bytes(b"".join((DATA / f"{stem}.dat").read_bytes() for stem, _, _ in PACKETS))
    with sentinel1.open(whole) as product:
        channel = product.channels["vv"]
        assert [g.signal for g in channel.groups] == ["noise", "tx_cal", "echo"]
        assert len(channel.echoes) == len(channel.noise) == len(channel.calibration) == 1
