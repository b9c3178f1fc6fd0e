"""The STAC item of a map: version 1.0.0 with the extensions sar, sat, processing, projection and raster."""

from __future__ import annotations

import datetime
import math
import pathlib
import re
from typing import Any

from sidelook import _native
from sidelook.errors import BadInput
from sidelook.publish import geojson
from sidelook.publish.geocode import MapGrid
from sidelook.publish.image import IntensityReader, source_of

VERSION = "1.0.0"
# projection 1.2 is the one version that knows both proj:epsg and proj:code; sar 1.3 the first that lets a
# polarization be unknown.
EXTENSIONS = tuple(
    f"https://stac-extensions.github.io/{name}/schema.json"
    for name in ("sar/v1.3.0", "sat/v1.0.0", "processing/v1.2.0", "projection/v1.2.0", "raster/v1.1.0")
)
BANDS = (("P", 0.25), ("L", 1.0), ("S", 2.0), ("C", 4.0), ("X", 8.0), ("Ku", 12.5), ("K", 18.0), ("Ka", 26.5), ("", 40.0))  # from (GHz)
POLARIZATIONS = ("HH", "VV", "HV", "VH", "LH", "LV", "RH", "RV", "CH", "CV")
COG = "image/tiff; application=geotiff; profile=cloud-optimized"


def item(
    name: str,
    image: IntensityReader,
    grid: MapGrid,
    statistics: dict[str, float],
    files: dict[str, pathlib.Path],
    *,
    polarizations: tuple[str, ...] = (),
    instrument_mode: str = "SM",
) -> dict[str, Any]:
    """Plain data of the item, to be written as JSON beside its assets.

    Parameters
    ----------
    name : the item's id
    statistics : of the map's pixels, as `geocode.write_map` gives them
    files : assets by key: `data`, and if they are there `overview` and `detections`; named in the item relative to it
    polarizations : of HH, VV, HV, VH and the compact ones; the acquisition does not know them
    """
    place = image.require_place("a STAC item")
    footprint = place.footprint(image.metadata.get("valid_region"))
    outline = geojson.polygon(footprint)
    return {
        "type": "Feature",
        "stac_version": VERSION,
        "stac_extensions": list(EXTENSIONS),
        "id": name,
        "geometry": outline,
        "bbox": geojson.bbox(footprint),
        "properties": {
            **_times(image),
            **_platform(image),
            **_sar(image, polarizations, instrument_mode),
            "sat:orbit_state": _orbit_state(image),
            **_processing(image, grid),
            **_projection(grid),
        },
        "links": [],
        "assets": {key: _asset(key, path, image, grid, statistics) for key, path in files.items()},
    }


def _times(image: IntensityReader) -> dict[str, Any]:
    """Zero-Doppler times of the first and the last line, and of the middle; not those of the echoes."""
    first_s = image.metadata["first_line_time_s"]
    last_s = first_s + (image.lines - 1) * image.metadata["line_spacing_s"]
    times = {"datetime": (first_s + last_s) / 2, "start_datetime": first_s, "end_datetime": last_s}
    return {key: utc(image.acquisition.epoch_utc, s) for key, s in times.items()}


def utc(epoch_utc: str, seconds: float) -> str:
    """RFC 3339 with microseconds, `seconds` after an epoch in ISO 8601."""
    # fromisoformat of Python 3.10 knows neither Z nor fractions other than of 3 or 6 digits
    match = re.fullmatch(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(\.\d+)?(?:Z|\+00:?00)?", epoch_utc.strip())
    if match is None:
        raise BadInput(f"epoch_utc is {epoch_utc}; must be a time as 2026-05-01T12:00:00Z")
    whole = datetime.datetime.fromisoformat(f"{match[1]}T{match[2]}")
    time = whole + datetime.timedelta(seconds=float(match[3] or 0) + seconds)
    return time.isoformat(timespec="microseconds") + "Z"


def _platform(image: IntensityReader) -> dict[str, Any]:
    found: dict[str, Any] = {"instruments": ["sar"]}
    if image.acquisition.sensor.strip():
        found["platform"] = re.sub(r"[^a-z0-9]+", "-", image.acquisition.sensor.strip().lower()).strip("-")
    return found


def _sar(image: IntensityReader, polarizations: tuple[str, ...], mode: str) -> dict[str, Any]:
    for p in polarizations:
        if p not in POLARIZATIONS:
            raise BadInput(f"polarization is {p}; must be one of {', '.join(POLARIZATIONS)}")
    ghz = image.acquisition.carrier_hz / 1e9
    looks = image.metadata.get("looks", [1, 1])
    bandwidth = source_of(image.metadata).get("processed_range_bandwidth_hz")
    found: dict[str, Any] = {
        "sar:instrument_mode": mode,
        "sar:frequency_band": _band(ghz),
        "sar:center_frequency": round(ghz, 9),
        "sar:bandwidth": bandwidth / 1e9 if bandwidth else None,
        "sar:polarizations": list(dict.fromkeys(polarizations)) or None,
        "sar:product_type": "GEC",  # geocoded to the ellipsoid
        "sar:resolution_range": _metres(image, "resolution_ground_range_m"),
        "sar:resolution_azimuth": _metres(image, "resolution_azimuth_m"),
        "sar:pixel_spacing_range": _metres(image, "ground_range_spacing_m"),
        "sar:pixel_spacing_azimuth": _metres(image, "azimuth_spacing_m"),
        "sar:looks_range": int(looks[1]),
        "sar:looks_azimuth": int(looks[0]),
        "sar:looks_equivalent_number": image.mean_of("equivalent_number_of_looks"),
        "sar:observation_direction": image.acquisition.look_side,
    }
    return {key: value for key, value in found.items() if value is not None}


def _band(ghz: float) -> str | None:
    """The letter; None outside of them."""
    return next((name for (name, low), (_, high) in zip(BANDS, BANDS[1:], strict=False) if low <= ghz < high), None)


def _metres(image: IntensityReader, key: str) -> float | None:
    found = image.mean_of(key)
    return None if found is None else round(found, 3)


def _orbit_state(image: IntensityReader) -> str:
    """Flying north is ascending, by the velocity in the inertial frame, whose z is the Earth-fixed one's."""
    place = image.require_place("the direction of flight")
    middle_s = image.metadata["first_line_time_s"] + (image.lines - 1) / 2 * image.metadata["line_spacing_s"]
    return "ascending" if place.orbit.velocity_m_per_s(middle_s)[2] >= 0 else "descending"


def _processing(image: IntensityReader, grid: MapGrid) -> dict[str, Any]:
    quantity = image.metadata.get("quantity", "intensity")
    height = image.acquisition.terrain_height_m
    return {
        "processing:software": {"sidelook": _native.version()},
        "processing:level": "L1",
        "processing:lineage": (
            f"{quantity} of {image.name} (SHA-256 {image.sha256}), geocoded by the range-Doppler equations to the WGS84 ellipsoid "
            f"at a height of {height:g} m; no terrain correction"
        ),
    }


def _projection(grid: MapGrid) -> dict[str, Any]:
    number = int(grid.code.split(":")[1]) if grid.code else None
    left, across, _, top, _, down = grid.transform
    found: dict[str, Any] = {
        "gsd": round(grid.spacing_m, 6),
        "proj:epsg": number,
        "proj:code": grid.code,
        "proj:shape": [grid.rows, grid.cols],
        "proj:transform": [across, 0.0, left, 0.0, down, top],
        "proj:bbox": grid.bbox,
    }
    if not grid.code:
        found["proj:wkt2"] = grid.reference.ExportToWkt(["FORMAT=WKT2_2018"])
    return found


def _asset(key: str, path: pathlib.Path, image: IntensityReader, grid: MapGrid, statistics: dict[str, float]) -> dict[str, Any]:
    quantity = image.metadata.get("quantity", "intensity")
    href = f"./{path.name}"
    if key == "data":
        band = {
            "data_type": "float32",
            "nodata": "nan",
            "unit": "1",
            "sampling": "area",
            "spatial_resolution": round(grid.spacing_m, 6),
            "statistics": {name: value for name, value in statistics.items() if math.isfinite(value)},
        }
        return {"href": href, "title": f"{quantity}, linear power", "type": COG, "roles": ["data", quantity], "raster:bands": [band]}
    if key == "overview":
        return {"href": href, "title": "quicklook", "type": "image/png", "roles": ["overview", "visual"]}
    return {"href": href, "title": "detected objects", "type": "application/geo+json", "roles": ["metadata", "detections"]}
