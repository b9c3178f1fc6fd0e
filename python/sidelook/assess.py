"""Detections against the truth of a simulated scene: where an image must show each ship, and which object is which ship.

For `sidelook demo` and the benches. Only geometry: no pixel is looked at, and nothing here is known to the detector.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sidelook import _native
from sidelook.acquisition import Acquisition
from sidelook.detections import Detection

Vector = npt.NDArray[np.float64]
LIGHT_M_PER_S = 299792458.0


@dataclass(frozen=True, eq=False)
class Known:
    """Something of the truth, in the pixels of an image.

    Attributes
    ----------
    truth : its entry of the truth
    line, sample : where the image must show its centre
    along : (azimuth, ground range) unit vector of its long axis
    half_length_m, half_width_m : 0 for a point
    spacing_m, cell_m : (azimuth, ground range) spacing of pixels, and widths of the response at half power, there
    """

    truth: dict[str, Any]
    line: float
    sample: float
    along: Vector
    half_length_m: float
    half_width_m: float
    spacing_m: Vector
    cell_m: Vector

    def offset_m(self, found: Detection) -> Vector:
        """(azimuth, ground range) from its centre to a detection's."""
        return np.array([found.line - self.line, found.sample - self.sample]) * self.spacing_m

    def holds(self, found: Detection) -> bool:
        """Whether a detection's centre lies in its rectangle dilated by one cell."""
        offset, across = self.offset_m(found), np.array([-self.along[1], self.along[0]])
        return all(
            abs(float(offset @ axis)) <= half + 1 / math.hypot(*(axis / self.cell_m))
            for axis, half in ((self.along, self.half_length_m), (across, self.half_width_m))
        )


def known_ships(truth: dict[str, Any], metadata: dict[str, Any]) -> list[Known]:
    """The ships whose centre the image ("sidelook-intensity-1") holds."""
    orbit = _native.Orbit(Acquisition.from_json(metadata["source"]["acquisition"]).native().orbit)
    ships = []
    for ship in truth["ships"]:
        found = _known(ship, shown_at(ship, metadata["source"]), metadata)
        if found is None:
            continue
        # the long axis: two points some 10 m apart, through the same equations as the image
        heading, step = math.radians(ship["heading_deg"]), 1e-4  # (deg)
        place = np.array([ship["latitude_deg"], ship["longitude_deg"], ship["height_m"]])
        bow = place + [step * math.cos(heading), step * math.sin(heading) / math.cos(math.radians(place[0])), 0]
        radar = orbit.geodetic_to_radar(np.array([place, bow]))
        grid = np.array([metadata["line_spacing_s"], metadata["sample_spacing_m"]])
        along = (radar[1] - radar[0]) / grid * found.spacing_m
        size = along / np.linalg.norm(along), ship["length_m"] / 2, ship["width_m"] / 2
        ships.append(Known(ship, found.line, found.sample, *size, found.spacing_m, found.cell_m))
    return ships


def known_points(truth: dict[str, Any], metadata: dict[str, Any]) -> list[Known]:
    """The calibration targets that the image holds."""
    places = [(t, (t["zero_doppler_time_s"], t["slant_range_m"])) for t in truth["targets"]]
    return [k for k in (_known(t, place, metadata) for t, place in places) if k is not None]


def match(objects: Sequence[Detection], known: Sequence[Known]) -> dict[int, int]:
    """Index of `known` -> index of `objects`, one to one, the nearest pairs first."""
    pairs = sorted((float(np.linalg.norm(k.offset_m(o))), i, j) for i, k in enumerate(known) for j, o in enumerate(objects) if k.holds(o))
    matched: dict[int, int] = {}
    for _, i, j in pairs:
        if i not in matched and j not in matched.values():
            matched[i] = j
    return matched


def shown_at(ship: dict[str, Any], source: dict[str, Any]) -> tuple[float, float]:
    """Zero-Doppler time (s) and slant range (m) at which a focused image shows a ship of constant velocity.

    Its echoes are taken for those of the resting point that has its range and range rate while the beam is on it. Without
    squint that is where its own range rate vanishes.

    Parameters
    ----------
    ship : an entry of the truth
    source : metadata of the focused image
    """
    native = Acquisition.from_json(source["acquisition"]).native()
    orbit = _native.Orbit(native.orbit)
    position, velocity = np.array(ship["position_m"]), np.array(ship["velocity_m_per_s"])

    def seen(place: Vector, own: Vector, time_s: float) -> tuple[float, float]:  # range, range rate
        line = place - np.array(orbit.position_m(time_s))
        length = float(np.linalg.norm(line))
        return length, float(line @ (own - np.array(orbit.velocity_m_per_s(time_s)))) / length

    table = np.array(source["doppler_centroid_hz"])
    sample = (ship["closest_approach_range_m"] - source["first_sample_slant_range_m"]) / source["sample_spacing_m"]
    # range rate in the middle of the beam (m/s)
    wanted = -float(np.interp(sample, table[:, 0], table[:, 1])) * LIGHT_M_PER_S / (2 * source["carrier_hz"])

    def moving(time_s: float) -> tuple[float, float]:
        return seen(position + (time_s - ship["zero_doppler_time_s"]) * velocity, velocity, time_s)

    beam_s = float(ship["closest_approach_time_s"])
    for _ in range(20):
        slope = (moving(beam_s + 0.01)[1] - moving(beam_s - 0.01)[1]) / 0.02
        beam_s -= (moving(beam_s)[1] - wanted) / slope
    target = np.array(moving(beam_s))

    def resting(place: Vector) -> Vector:
        ground = orbit.radar_to_geodetic(place[:1], place[1:], np.array([native.terrain_height_m]), native.look_side)[0]
        found: Vector = np.array(seen(np.array(_native.geodetic_to_ecef(*ground.tolist())), np.zeros(3), beam_s)) - target
        return found

    place = np.array([ship["closest_approach_time_s"], ship["closest_approach_range_m"]])
    for _ in range(6):
        steps = np.diag([1e-3, 5.0])
        jacobian = np.array([(resting(place + h) - resting(place - h)) / (2 * h.sum()) for h in steps]).T
        place = place - np.linalg.solve(jacobian, resting(place))
    return float(place[0]), float(place[1])


def _known(truth: dict[str, Any], place: tuple[float, float], metadata: dict[str, Any]) -> Known | None:
    line = (place[0] - metadata["first_line_time_s"]) / metadata["line_spacing_s"]
    sample = (place[1] - metadata["first_sample_slant_range_m"]) / metadata["sample_spacing_m"]

    def value(name: str, column: int = 1) -> float:
        table = np.array(metadata[name], float)
        return float(np.interp(sample, table[:, 0], table[:, column]))

    if not (0 <= sample < metadata["samples"] and value("valid_region", 1) <= line < value("valid_region", 2)):
        return None
    spacing = np.array([value("azimuth_spacing_m"), value("ground_range_spacing_m")])
    cell = np.array([value("resolution_azimuth_m"), value("resolution_ground_range_m")])
    return Known(truth, line, sample, np.array([1.0, 0.0]), 0.0, 0.0, spacing, cell)
