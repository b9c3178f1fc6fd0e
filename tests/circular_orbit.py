"""A small acquisition from a circular orbit, for tests that need one before anything is simulated."""

from __future__ import annotations

import math

import numpy as np
from sidelook.acquisition import Acquisition, Antenna, AntennaFrame, StateVector

GM = 3.986004418e14  # (m^3/s^2)
EARTH_RATE = 7.292115e-5  # (rad/s)
LIGHT = 299792458.0  # (m/s)


def circular_state(time_s: float, radius_m: float = 7.0e6, inclination_deg: float = 98.0) -> StateVector:
    """A two-body circular orbit, turned into the Earth-fixed frame (which coincides with the inertial one at 0 s)."""
    rate = math.sqrt(GM / radius_m**3)
    angle, tilt = math.radians(40) + rate * time_s, math.radians(inclination_deg)
    x = np.array([math.cos(angle), math.sin(angle) * math.cos(tilt), math.sin(angle) * math.sin(tilt)]) * radius_m
    v = np.array([-math.sin(angle), math.cos(angle) * math.cos(tilt), math.cos(angle) * math.sin(tilt)])
    v *= radius_m * rate
    c, s = math.cos(EARTH_RATE * time_s), math.sin(EARTH_RATE * time_s)
    turn = np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]])
    position = turn @ x
    velocity = turn @ v - np.cross([0, 0, EARTH_RATE], position)
    return StateVector(time_s, tuple(position.tolist()), tuple(velocity.tolist()))


def antenna_frame(state: StateVector, look_side: str, off_nadir_deg: float, squint_deg: float) -> AntennaFrame:
    """Along the velocity, looking down and to the side, turned forwards by the squint."""
    along = np.array(state.velocity_m_per_s)
    along /= np.linalg.norm(along)
    up = np.array(state.position_m)
    up -= np.dot(up, along) * along
    up /= np.linalg.norm(up)
    side = np.cross(along, up) * (1 if look_side == "right" else -1)
    a, q = math.radians(off_nadir_deg), math.radians(squint_deg)
    beam = math.sin(a) * side - math.cos(a) * up
    return AntennaFrame(
        state.time_s,
        tuple((math.cos(q) * along - math.sin(q) * beam).tolist()),
        tuple((math.cos(q) * beam + math.sin(q) * along).tolist()),
    )


def make_acquisition(
    pulses: int = 48,
    samples: int = 256,
    look_side: str = "right",
    squint_deg: float = 0.0,
    first_pulse_time_s: float = -0.0213,
    chirp_rate_hz_per_s: float = -5e12,
) -> Acquisition:
    """C band from 630 km; 30 MHz sampling and a PRF of 1500 Hz, so that a PRI is a whole number of samples."""
    states = tuple(circular_state(float(t)) for t in np.arange(-20.0, 20.1, 5.0))
    return Acquisition(
        sensor="test radar",
        epoch_utc="2026-05-01T12:00:00.125Z",
        carrier_hz=5.405e9,
        prf_hz=1500.0,
        first_pulse_time_s=first_pulse_time_s,
        pulses=pulses,
        samples=samples,
        sample_rate_hz=30e6,
        first_sample_delay_s=2 * 880e3 / LIGHT,
        chirp_rate_hz_per_s=chirp_rate_hz_per_s,
        chirp_duration_s=5e-6,
        look_side="right" if look_side == "right" else "left",
        terrain_height_m=120.5,
        orbit=states,
        effective_velocity_m_per_s=7100.25,
        antenna=Antenna(10.0, 1.25, tuple(antenna_frame(s, look_side, 42.0, squint_deg) for s in states)),
        doppler_centroid_hz=(123.456, -7.0e3),
    )


def noise(shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Complex Gaussian samples, complex64."""
    random = np.random.default_rng(seed)
    return (random.standard_normal(shape) + 1j * random.standard_normal(shape)).astype(np.complex64)
