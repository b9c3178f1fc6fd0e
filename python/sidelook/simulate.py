"""Echoes of known scenes, to judge a focuser by.

Positions are truth by geometry, never a reference's peak. Frames: ECEF is WGS84; times are seconds after the
acquisition's ``epoch_utc``; zero Doppler is (P - S(t)) . V(t) = 0 with the platform's S, V and the target's P in ECEF at
one instant, and slant range is |P - S(t)| there. See docs/simulator.md for the models and their sources.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sidelook import _native
from sidelook.errors import translate

Echoes = NDArray[np.complex64]
Vectors = NDArray[np.float64]

SENSORS = ("c-stripmap", "x-stripmap")


@dataclass(frozen=True)
class Simulation:
    """What a simulated radar recorded, and the truth about it.

    Attributes
    ----------
    acquisition : sidelook._native.Acquisition
    echoes : (pulses, samples) complex64
    truth : plain data, ready for JSON: `points`, and for a coast also `ships`, `sea`, `noise`, `scene`
    platform : sidelook._native.Platform
        The analytic orbit and attitude behind the acquisition's state vectors.
    """

    acquisition: Any
    echoes: Echoes
    truth: dict[str, Any]
    platform: Any


@translate()
def sensor(name: str = "c-stripmap", *, squint_deg: float = 0.0) -> Any:
    """A preset instrument on its orbit, "c-stripmap" or "x-stripmap", as `sidelook._native.Sensor`."""
    preset = _native.sim_sensor(name)
    platform = preset.platform
    platform.squint_deg = squint_deg
    preset.platform = platform
    return preset


@translate()
def acquire(instrument: Any, pulses: int, samples: int, *, height_m: float = 0.0) -> Any:
    """The acquisition of an instrument: its window is centred on the boresight in the middle of the pulses."""
    return _native.sim_acquire(instrument, pulses, samples, height_m)


@translate()
def state(platform: Any, time_s: float, *, inertial: bool = False) -> tuple[Vectors, Vectors]:
    """Position (m) and velocity (m/s) of the platform, each (3,) float64, in ECEF or in the inertial frame."""
    found: tuple[Vectors, Vectors] = (
        _native.sim_inertial_state(platform, time_s) if inertial else _native.sim_earth_fixed_state(platform, time_s)
    )
    return found


@translate()
def place(platform: Any, zero_doppler_time_s: float, slant_range_m: float, height_m: float = 0.0) -> Vectors:
    """ECEF position (3,) in metres of the point with this zero Doppler, on the platform's look side."""
    point: Vectors = _native.sim_place(platform, zero_doppler_time_s, slant_range_m, height_m)
    return point


@translate()
def place_in_beam(platform: Any, time_s: float, slant_range_m: float, height_m: float = 0.0) -> Vectors:
    """ECEF position (3,) in metres of the point in the middle of the beam at `time_s` and at this range then."""
    point: Vectors = _native.sim_place_in_beam(platform, time_s, slant_range_m, height_m)
    return point


@translate()
def zero_doppler(
    platform: Any,
    position_m: ArrayLike,
    near_time_s: float,
    *,
    velocity_m_per_s: ArrayLike = (0.0, 0.0, 0.0),
    reference_time_s: float = 0.0,
) -> tuple[float, float]:
    """(time_s, slant_range_m) of a point from geometry alone; a moving one is at `position_m` at `reference_time_s`."""
    found: tuple[float, float] = _native.sim_zero_doppler(
        platform, _vectors(position_m), near_time_s, _vectors(velocity_m_per_s), reference_time_s
    )
    return found


@translate()
def geodetic(position_m: ArrayLike) -> tuple[float, float, float]:
    """(latitude_deg, longitude_deg, height_m) on WGS84 of an ECEF position (3,)."""
    found: tuple[float, float, float] = _native.sim_to_geodetic(_vectors(position_m))
    return found


@translate()
def ecef(latitude_deg: float, longitude_deg: float, height_m: float = 0.0) -> Vectors:
    """ECEF position (3,) in metres of a WGS84 place."""
    point: Vectors = _native.sim_to_ecef(latitude_deg, longitude_deg, height_m)
    return point


@translate()
def exact(
    acquisition: Any,
    platform: Any,
    positions_m: ArrayLike,
    amplitudes: ArrayLike | None = None,
    *,
    velocities_m_per_s: ArrayLike | None = None,
    reference_time_s: float = 0.0,
    beam_limit: float = 0.0,
    reference_range_m: float = 0.0,
    pulse_edge_s: float = 0.0,
    threads: int = 0,
) -> Echoes:
    """Echoes of point targets in double precision, the delay solved for every sample (the reference).

    Parameters
    ----------
    acquisition, platform : from `acquire` and ``instrument.platform``
    positions_m : (targets, 3) float64, ECEF
    amplitudes : (targets,) complex128; default 1
    velocities_m_per_s : (targets, 3) float64, ECEF; targets are at `positions_m` at `reference_time_s`
    beam_limit : 0: the antenna's whole pattern; 1: lit in the main lobe only
    reference_range_m : 0: no range factor; otherwise amplitudes are times (reference_range_m / range)^2
    pulse_edge_s : rise and fall time of the pulse, inside its duration; 0: an exact rectangle
    threads : 0: all; the result does not depend on it

    Returns
    -------
    (pulses, samples) complex64
    """
    positions = _vectors(positions_m)
    echoes: Echoes = _native.sim_exact(
        acquisition,
        platform,
        positions,
        _amplitudes(amplitudes, len(positions)),
        None if velocities_m_per_s is None else _vectors(velocities_m_per_s),
        reference_time_s,
        _options(beam_limit, reference_range_m, pulse_edge_s, threads),
    )
    return echoes


@translate()
def receive(
    echoes: Echoes,
    *,
    noise_sigma: float = 0.0,
    block_gain_db: tuple[float, ...] = (),
    block_lines: int = 0,
    iq_gain_ratio: float = 1.0,
    iq_phase_deg: float = 0.0,
    bias_i: float = 0.0,
    bias_q: float = 0.0,
    bits: int = 0,
    step: float = 0.0,
    seed: int = 0,
    first_line: int = 0,
    threads: int = 0,
) -> float:
    """Passes echoes (pulses, samples) complex64 through the receiver, in place.

    In this order: complex noise with E|n|^2 = noise_sigma^2; a gain for every block of `block_lines` lines (the last one
    goes on); Q = iq_gain_ratio |x| sin(arg x + iq_phase_deg); biases; a quantiser with 2^bits levels (n + 1/2) step
    in I and in Q, saturating at +-(2^(bits-1) - 1/2) step.

    Returns
    -------
    The fraction of I and Q values beyond the quantiser's range.
    """
    receiver = _native.Receiver()
    receiver.noise_sigma = noise_sigma
    receiver.block_gain_db = list(block_gain_db)
    receiver.block_lines = block_lines
    receiver.iq_gain_ratio = iq_gain_ratio
    receiver.iq_phase_deg = iq_phase_deg
    receiver.bias_i = bias_i
    receiver.bias_q = bias_q
    receiver.bits = bits
    receiver.step = step
    receiver.seed = seed
    receiver.threads = threads
    saturated: float = _native.sim_receive(receiver, echoes, first_line)
    return saturated


def points(
    *,
    pulses: int = 2048,
    samples: int = 3072,
    instrument: Any = "c-stripmap",
    squint_deg: float = 0.0,
    rows: int = 3,
    columns: int = 3,
    height_m: float = 0.0,
    beam_limit: float = 0.0,
    threads: int = 0,
    **receiver: Any,
) -> Simulation:
    """A grid of point targets of amplitude 1 in the fully exposed part of a scene, by `exact`.

    Parameters
    ----------
    instrument : name of a preset, or an `_native.Sensor` (whose own squint is then kept)
    rows, columns : targets along azimuth and along range
    receiver : keywords of `receive`; none: no noise, no quantisation
    """
    instrument = sensor(instrument, squint_deg=squint_deg) if isinstance(instrument, str) else instrument
    acquisition = acquire(instrument, pulses, samples, height_m=height_m)
    platform = instrument.platform
    middle_s = acquisition.first_pulse_time_s + 0.5 * (pulses - 1) / acquisition.prf_hz
    positions = []
    for time_s, slant_range_m in _grid(acquisition, rows, columns):
        positions.append(place_in_beam(platform, time_s, slant_range_m, height_m))
    echoes = exact(acquisition, platform, np.reshape(positions, (-1, 3)), beam_limit=beam_limit, threads=threads)
    if receiver:
        receive(echoes, threads=threads, **receiver)
    truth = {"points": [describe(platform, position, middle_s) for position in positions]}
    return Simulation(acquisition, echoes, truth, platform)


def describe(platform: Any, position_m: ArrayLike, near_time_s: float, amplitude: complex = 1.0) -> dict[str, Any]:
    """The truth about one fixed point target, as plain data."""
    time_s, slant_range_m = zero_doppler(platform, position_m, near_time_s)
    latitude_deg, longitude_deg, height_m = geodetic(position_m)
    return {
        "position_m": [float(v) for v in _vectors(position_m)],
        "latitude_deg": latitude_deg,
        "longitude_deg": longitude_deg,
        "height_m": height_m,
        "zero_doppler_time_s": time_s,
        "slant_range_m": slant_range_m,
        "amplitude": [complex(amplitude).real, complex(amplitude).imag],
    }


def _grid(acquisition: Any, rows: int, columns: int) -> list[tuple[float, float]]:
    """(time in the middle of the beam, range then) of targets whose echoes lie wholly in the array where it is long enough.

    Half the main lobe is R lambda / L / v seconds long; v is taken as 7 km/s on the ground, for placing only.
    """
    light = 299792458.0
    near_s = acquisition.first_sample_delay_s + 0.5 * acquisition.chirp_duration_s
    far_s = acquisition.first_sample_delay_s + (acquisition.samples - 1) / acquisition.sample_rate_hz
    far_s -= 0.5 * acquisition.chirp_duration_s
    first_s = acquisition.first_pulse_time_s
    last_s = first_s + (acquisition.pulses - 1) / acquisition.prf_hz
    length_m = acquisition.antenna.azimuth_length_m
    lobe_s = light / acquisition.carrier_hz * 0.25 * light * (near_s + far_s) / (length_m * 7000.0) if length_m else 0.0
    inset_s = min(lobe_s, 0.45 * (last_s - first_s))
    times = np.linspace(first_s + inset_s, last_s - inset_s, rows) if rows > 1 else [0.5 * (first_s + last_s)]
    delays = np.linspace(0.9 * near_s + 0.1 * far_s, 0.1 * near_s + 0.9 * far_s, columns)
    if columns == 1:
        delays = np.array([0.5 * (near_s + far_s)])
    return [(float(t), 0.5 * light * float(d)) for t in times for d in delays]


def _vectors(values: ArrayLike) -> Vectors:
    return np.ascontiguousarray(values, dtype=np.float64)


def _amplitudes(values: ArrayLike | None, count: int) -> NDArray[np.complex128]:
    return np.ones(count, np.complex128) if values is None else np.ascontiguousarray(values, dtype=np.complex128)


def _options(beam_limit: float, reference_range_m: float, pulse_edge_s: float, threads: int) -> Any:
    options = _native.EchoOptions()
    options.beam_limit = beam_limit
    options.reference_range_m = reference_range_m
    options.pulse_edge_s = pulse_edge_s
    options.threads = threads
    return options
