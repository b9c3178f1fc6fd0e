"""Results for others: detections as GeoJSON, GeoPackage and CSV, intensity as a map with its STAC item, pictures."""

from sidelook.publish.intensity import Intensity
from sidelook.publish.land import land_mask
from sidelook.publish.picture import radar_picture
from sidelook.publish.products import Published, publish
from sidelook.publish.vectors import format_of, read_detections, to_geojson, write_detections

__all__ = [
    "Intensity",
    "Published",
    "format_of",
    "land_mask",
    "publish",
    "radar_picture",
    "read_detections",
    "to_geojson",
    "write_detections",
]
