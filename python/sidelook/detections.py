"""What a detector found: the record that `sidelook detect` writes and that a message carries."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Detection:
    """One object. Every sigma is one standard deviation; None stands for what is not known, as places without an orbit.

    Attributes
    ----------
    line, sample : place of its centre in the image it was found in; integers are pixel centres
    line_sigma, sample_sigma : of that place (pixels)
    zero_doppler_time_s, slant_range_m : the same place in the radar's coordinates, seconds after the epoch
    time_utc : ISO 8601
    latitude_deg, longitude_deg : WGS84, at the terrain height of the acquisition
    position_sigma_m : of the place on the ground, along its worst direction
    azimuth_sigma_m, ground_range_sigma_m : the same along and across the track
    length_m, width_m : of the smallest rectangle that holds it, the radar's resolution taken out, and their sigmas
    heading_deg : of its long axis, clockwise from north, 0 to 180: bow and stern are not told apart
    rcs_dbsm : radar cross-section, its integrated energy above the clutter (dB over 1 m^2)
    scr_db : signal to clutter, brightest pixel over the mean of the clutter around it
    clutter_db : the clutter's mean in the image's quantity (dB)
    pixels : above the threshold
    first_line, end_line, first_sample, end_sample : its box in pixels, end not included
    flags : of "azimuth_ambiguity", "side_lobe", "land", "edge": reasons to doubt it, empty for a plain detection
    """

    line: float
    sample: float
    line_sigma: float
    sample_sigma: float
    zero_doppler_time_s: float
    slant_range_m: float
    time_utc: str | None
    latitude_deg: float | None
    longitude_deg: float | None
    position_sigma_m: float | None
    azimuth_sigma_m: float | None
    ground_range_sigma_m: float | None
    length_m: float
    length_sigma_m: float
    width_m: float
    width_sigma_m: float
    heading_deg: float | None
    heading_sigma_deg: float | None
    rcs_dbsm: float
    scr_db: float
    clutter_db: float
    pixels: int
    first_line: int
    end_line: int
    first_sample: int
    end_sample: int
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Detections:
    """Everything that one search found, and what was searched.

    Attributes
    ----------
    objects : sorted by line, then sample
    area_searched_km2 : on the ground, without land, NaN and what the clutter windows could not judge
    metadata : how it was searched: detector, false_alarm_rate, windows, thresholds, image and its hash, software
    """

    objects: list[Detection]
    area_searched_km2: float
    metadata: dict[str, Any] = field(default_factory=dict)
