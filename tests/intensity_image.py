"""Calibrated images as `sidelook calibrate` writes them, made by the test itself: known pixels at known places."""

from __future__ import annotations

import dataclasses
import json
import pathlib
from typing import Any

import numpy as np
from circular_orbit import make_acquisition
from oracle.orbit import Orbit, place, zero_doppler
from sidelook.acquisition import Acquisition, Antenna
from sidelook.detections import Detection, Detections

LIGHT = 299792458.0


def metadata_of(acquisition: Acquisition, lines: int, samples: int, looks: tuple[int, int] = (1, 1), **changes: Any) -> dict[str, Any]:
    """What the item `intensity` says of an image that begins at the acquisition's first pulse."""
    line_s, sample_m = looks[0] / acquisition.prf_hz, looks[1] * LIGHT / 2 / acquisition.sample_rate_hz
    first_m = acquisition.first_sample_delay_s * LIGHT / 2
    ends = [0, samples - 1]
    metadata = {
        "schema": "sidelook-intensity-1",
        "quantity": "sigma0",
        "noise_subtracted": False,
        "looks": list(looks),
        "lines": lines,
        "samples": samples,
        "first_line_time_s": acquisition.first_pulse_time_s,
        "line_spacing_s": line_s,
        "first_sample_slant_range_m": first_m,
        "sample_spacing_m": sample_m,
        "azimuth_spacing_m": [[j, 6800 * line_s] for j in ends],
        "ground_range_spacing_m": [[0, 1.7 * sample_m], [samples - 1, 1.6 * sample_m]],
        "incidence_deg": [[0, 36.0], [samples - 1, 38.7]],
        "nesz": [[j, 1e-3] for j in ends],
        "resolution_azimuth_m": [[j, 1.3 * 6800 * line_s] for j in ends],
        "resolution_ground_range_m": [[j, 2.1 * sample_m] for j in ends],
        "equivalent_number_of_looks": 0.8 * looks[0] * looks[1],
        "valid_region": [[j, 0, lines] for j in ends],
        "source": {"schema": "sidelook-slc-1", "software": "sidelook 0", "acquisition": acquisition.to_dict()},
    }
    return {**metadata, **changes}


def write_image(path: pathlib.Path, power: np.ndarray, metadata: dict[str, Any] | None) -> pathlib.Path:
    """A GeoTIFF of these pixels, whatever they are, with the metadata where they are given."""
    gdal = __import__("osgeo.gdal").gdal
    gdal.UseExceptions()
    kind = {"f": gdal.GDT_Float32, "c": gdal.GDT_CFloat32, "u": gdal.GDT_Byte}[power.dtype.kind]
    dataset = gdal.GetDriverByName("GTiff").Create(str(path), power.shape[1], power.shape[0], 1, kind)
    if metadata is not None:
        dataset.SetMetadataItem("intensity", json.dumps(metadata), "SIDELOOK")
    band = dataset.GetRasterBand(1)
    if power.dtype.kind == "f":
        band.SetNoDataValue(float("nan"))
    band.WriteArray(power)
    dataset.FlushCache()
    del band, dataset
    return path


def sea(lines: int = 120, samples: int = 150, seed: int = 5) -> np.ndarray:
    """Exponential speckle around 0.01, float32."""
    return (0.01 * np.random.default_rng(seed).exponential(size=(lines, samples))).astype(np.float32)


def spaced(looks: tuple[int, int] = (4, 1), lines: int = 120, samples: int = 150, **changes: Any) -> tuple[Acquisition, dict[str, Any]]:
    """Acquisition with a circular orbit and the metadata of an image of about square pixels."""
    acquisition = make_acquisition(pulses=lines * looks[0], samples=max(400, samples * looks[1]))
    return acquisition, metadata_of(acquisition, lines, samples, looks, **changes)


class Truth:
    """The range-Doppler equations of one image by the oracle, which shares no code with the package."""

    def __init__(self, acquisition: Acquisition, metadata: dict[str, Any]) -> None:
        self.orbit = Orbit(acquisition.orbit)
        self.acquisition, self.metadata = acquisition, metadata

    def lonlat(self, line: float, sample: float) -> tuple[float, float]:
        """Place of a pixel at the terrain height; the latitude by bisection of nothing: the normal's own angles."""
        from oracle.orbit import geodetic_height

        m = self.metadata
        time_s = np.array([m["first_line_time_s"] + line * m["line_spacing_s"]])
        range_m = np.array([m["first_sample_slant_range_m"] + sample * m["sample_spacing_m"]])
        point = place(self.orbit, time_s, range_m, self.acquisition.terrain_height_m, self.acquisition.look_side == "right")
        up = geodetic_height(point)[1][0]
        return float(np.degrees(np.arctan2(up[1], up[0]))), float(np.degrees(np.arcsin(up[2])))

    def pixel(self, longitude_deg: float, latitude_deg: float) -> tuple[float, float]:
        """Line and sample of a place at the terrain height."""
        from oracle.orbit import geodetic_to_ecef

        m = self.metadata
        height = np.array(self.acquisition.terrain_height_m)
        point = geodetic_to_ecef(np.radians(latitude_deg), np.radians(longitude_deg), height)
        time_s, range_m = zero_doppler(self.orbit, point, m["first_line_time_s"])
        return (time_s - m["first_line_time_s"]) / m["line_spacing_s"], (range_m - m["first_sample_slant_range_m"]) / m["sample_spacing_m"]


def detection(line: float, sample: float, truth: Truth | None, **changes: Any) -> Detection:
    """One object around a pixel, its fields of the size that real ones have; without truth no place on the Earth."""
    longitude, latitude = truth.lonlat(line, sample) if truth else (None, None)
    fields: dict[str, Any] = {
        "line": line,
        "sample": sample,
        "line_sigma": 0.31,
        "sample_sigma": 0.27,
        "zero_doppler_time_s": 0.0125 + line * 1e-3,
        "slant_range_m": 880e3 + 5 * sample,
        "time_utc": "2026-05-01T12:00:00.137500Z",
        "latitude_deg": latitude,
        "longitude_deg": longitude,
        "position_sigma_m": 4.4 if truth else None,
        "azimuth_sigma_m": 3.1 if truth else None,
        "ground_range_sigma_m": 4.25 if truth else None,
        "length_m": 112.5,
        "length_sigma_m": 11.0,
        "width_m": 21.25,
        "width_sigma_m": 9.0,
        "heading_deg": 37.1 if truth else None,
        "heading_sigma_deg": 6.0 if truth else None,
        "rcs_dbsm": 41.3,
        "scr_db": 27.9,
        "clutter_db": -20.03,
        "pixels": 38,
        "first_line": int(line) - 5,
        "end_line": int(line) + 6,
        "first_sample": int(sample) - 3,
        "end_sample": int(sample) + 4,
        "flags": (),
    }
    return Detection(**{**fields, **changes})


def found(*objects: Detection, area: float = 41.25) -> Detections:
    """A search that found these."""
    search = {"detector": "cfar", "clutter": "k", "false_alarm_rate": 1e-6, "training": 33, "guard": 9, "software": "sidelook 0"}
    return Detections(list(objects), area, search)


def turned(acquisition: Acquisition, degrees: float = 0.0, *, south: bool = False) -> Acquisition:
    """The same acquisition further east, or mirrored at the equator (and so looking to the other side)."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))

    def turn(v: tuple[float, float, float]) -> tuple[float, float, float]:
        return (c * v[0] - s * v[1], s * v[0] + c * v[1], -v[2] if south else v[2])

    states = tuple(
        dataclasses.replace(x, position_m=turn(x.position_m), velocity_m_per_s=turn(x.velocity_m_per_s)) for x in acquisition.orbit
    )
    side = {"left": "right", "right": "left"}[acquisition.look_side] if south else acquisition.look_side
    return dataclasses.replace(acquisition, orbit=states, look_side=side, antenna=Antenna())
