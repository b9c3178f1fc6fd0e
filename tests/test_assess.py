"""Where an image must show a ship, against images: exact-geometry echoes of moving and resting points, focused."""

from __future__ import annotations

import focus_helpers as h
import numpy as np
import pytest
from sidelook import simulate
from sidelook.acquisition import Acquisition
from sidelook.assess import Known, match, shown_at
from sidelook.focusing import Slc, focus

EDGE_S = 8 / 50e6  # the fast simulator wants a pulse with slopes
SPEEDS = (0.0, 6.0, -6.0)  # (m/s) away from the radar
PIXELS = ((150.3, 60.2), (400.7, 150.4), (650.1, 240.6))


def scene(squint_deg: float) -> tuple[Slc, list[dict]]:
    """Three points that move over the ground across and along the track, and their entries of a truth."""
    radar = h.instrument("c-stripmap", squint_deg)
    native = simulate.acquire(radar, 2600, 820)
    places = h.layout(native, PIXELS)
    positions = np.array([simulate.place(radar.platform, *place) for place in places])
    velocities, truth = [], []
    for position, speed, (time_s, range_m) in zip(positions, SPEEDS, places, strict=True):
        satellite, track = simulate.state(radar.platform, time_s)
        up = position / np.linalg.norm(position)
        away = position - satellite
        away -= (away @ up) * up
        along = track - (track @ up) * up
        velocity = speed * away / np.linalg.norm(away) + (4.0 if speed else 0.0) * along / np.linalg.norm(along)
        velocities.append(velocity)
        truth.append({"position_m": position.tolist(), "velocity_m_per_s": velocity.tolist(), "zero_doppler_time_s": time_s,
                      "closest_approach_time_s": time_s, "closest_approach_range_m": range_m})  # fmt: skip
    middle_s = places[1][0]  # one instant for all positions
    then = [p + (middle_s - t["zero_doppler_time_s"]) * v for p, v, t in zip(positions, velocities, truth, strict=True)]
    made, _ = simulate.scene(native, radar.platform, then, velocities_m_per_s=velocities, reference_time_s=middle_s, pulse_edge_s=EDGE_S)
    return focus(made, Acquisition.from_native(native)), truth


@pytest.mark.parametrize("squint_deg", [0.0, 3.0])
def test_images_show_ships_where_it_is_said(squint_deg: float) -> None:
    slc, truth = scene(squint_deg)
    for one, speed in zip(truth, SPEEDS, strict=True):
        line, sample = h.pixel(slc.metadata, shown_at(one, slc.metadata))
        still = h.pixel(slc.metadata, (one["zero_doppler_time_s"], one["closest_approach_range_m"]))
        around = np.nan_to_num(np.abs(slc.image[round(line) - 25 : round(line) + 26, round(sample) - 25 : round(sample) + 26]))
        found = np.array(np.unravel_index(int(np.argmax(around)), around.shape)) - 25 + [round(line), round(sample)]
        print(
            f"squint {squint_deg}, {speed:+.0f} m/s: said {line:.2f} {sample:.2f}, brightest {found}, at rest {still[0]:.2f} {still[1]:.2f}"
        )
        # the brightest pixel is at most half a pixel off, and a moving point's change of Doppler rate moves its peak by parts of one
        assert abs(found[0] - line) < 0.6 and abs(found[1] - sample) < 0.6
        assert speed == 0 or abs(line - still[0]) > 20  # it is displaced by much more than that


def test_matching_is_one_to_one_and_nearest_first() -> None:
    class At:
        def __init__(self, line: float, sample: float) -> None:
            self.line, self.sample = line, sample

    def ship(line: float, sample: float, along: tuple[float, float]) -> Known:
        return Known({}, line, sample, np.array(along), 50.0, 8.0, np.array([4.0, 5.0]), np.array([6.0, 7.0]))

    known = [ship(100, 100, (1.0, 0.0)), ship(100, 130, (0.0, 1.0))]
    objects = [At(113, 100), At(101, 101), At(115, 100), At(100, 105), At(100, 119)]
    # along azimuth the first reaches 50 + 6 m, 14 lines; across it 8 + 7 m, 3 samples
    assert [known[0].holds(o) for o in objects] == [True, True, False, False, False]
    assert [known[1].holds(o) for o in objects] == [False, False, False, False, True]  # 50 + 7 m, 11.4 samples
    assert match(objects, known) == {0: 1, 1: 4}
