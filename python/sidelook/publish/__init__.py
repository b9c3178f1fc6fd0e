"""Results for others: detections as GeoJSON, GeoPackage and CSV, intensity as a map with its STAC item, pictures."""

from sidelook.publish.image import IntensityReader
from sidelook.publish.land import LandMask, land_mask
from sidelook.publish.picture import radar_picture
from sidelook.publish.products import Published, publish
from sidelook.publish.vectors import format_of, read_detections, record, summary_of, to_geojson, write_detections

__all__ = [
    "IntensityReader",
    "LandMask",
    "Published",
    "format_of",
    "land_mask",
    "publish",
    "radar_picture",
    "read_detections",
    "record",
    "summary_of",
    "to_geojson",
    "write_detections",
]
