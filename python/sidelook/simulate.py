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
def place(
    platform: Any,
    zero_doppler_time_s: float,
    slant_range_m: float,
    height_m: float = 0.0,
) -> Vectors:
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
        platform,
        _vectors(position_m),
        near_time_s,
        _vectors(velocity_m_per_s),
        reference_time_s,
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


@translate()
def scene(
    acquisition: Any,
    platform: Any,
    positions_m: ArrayLike,
    amplitudes: ArrayLike | None = None,
    *,
    pulse_edge_s: float,
    velocities_m_per_s: ArrayLike | None = None,
    reference_time_s: float = 0.0,
    beam_limit: float = 1.0,
    reference_range_m: float = 0.0,
    threads: int = 0,
) -> tuple[Echoes, dict[str, Any]]:
    """Echoes of many points, within -60 dB of `exact` with the same arguments (error energy over energy).

    Parameters
    ----------
    As of `exact`; here `beam_limit` is above 0 and at most 4, `pulse_edge_s` at least 4 samples (a rectangular pulse has no
    band limit, and no fast method its sharp edges), velocities at most 30 m/s, and all points lie near the
    acquisition's terrain height. Echoes of other pulses than a line's own are left out.

    Returns
    -------
    (pulses, samples) complex64, and what was done: `scatterer_pulses`, `pulses_per_block`, `doppler_orders`,
    `workspace_bytes`, `seconds`
    """
    positions = _vectors(positions_m)
    found: tuple[Echoes, dict[str, Any]] = _native.sim_scene(
        acquisition,
        platform,
        positions,
        _amplitudes(amplitudes, len(positions)),
        None if velocities_m_per_s is None else _vectors(velocities_m_per_s),
        reference_time_s,
        _options(beam_limit, reference_range_m, pulse_edge_s, threads),
    )
    return found


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

    Returns
    -------
    truth: `targets`, see `describe`
    """
    instrument = sensor(instrument, squint_deg=squint_deg) if isinstance(instrument, str) else instrument
    acquisition = acquire(instrument, pulses, samples, height_m=height_m)
    platform = instrument.platform
    grid = _grid(acquisition, rows, columns)
    positions = [place_in_beam(platform, time_s, slant_range_m, height_m) for time_s, slant_range_m in grid]
    echoes = exact(
        acquisition,
        platform,
        np.reshape(positions, (-1, 3)),
        beam_limit=beam_limit,
        threads=threads,
    )
    truth: dict[str, Any] = {"targets": [describe(platform, place, time_s) for place, (time_s, _) in zip(positions, grid, strict=True)]}
    if receiver:
        truth["saturated_fraction"] = receive(echoes, threads=threads, **receiver)
    # an amplitude of 1 is 1 m^2 at any range
    acquisition.radiometry = _radiometry(reference_range_m=0.0, noise_sigma=receiver.get("noise_sigma", 0.0))
    return Simulation(acquisition, echoes, truth, platform)


@translate()
def coast(
    *,
    pulses: int = 2048,
    samples: int = 3072,
    instrument: Any = "c-stripmap",
    squint_deg: float = 0.0,
    seed: int = 1,
    wind_m_per_s: float = 8.0,
    wind_from_deg: float = 300.0,
    k_shape: float = 5.0,
    correlation_m: float = 80.0,
    scatterers_per_cell: float = 1.0,
    ships: int = 12,
    land: bool = True,
    calibration: tuple[int, int] = (0, 0),
    calibration_rcs_dbsm: float = 45.0,
    nesz_db: float | None = None,
    noise: bool = True,
    pulse_edge_samples: float = 8.0,
    height_m: float = 0.0,
    max_bytes: int = 0,
    threads: int = 0,
    **receiver: Any,
) -> Simulation:
    """A stretch of coast: K-distributed sea, land, a town, a breakwater and moving ships, millions of scatterers.

    Parameters
    ----------
    instrument : name of a preset, or an `_native.Sensor` (whose own squint is then kept)
    seed : the same seed gives the same scene and noise, whatever the number of threads
    wind_m_per_s, wind_from_deg : equivalent neutral wind at 10 m, and where it comes from, clockwise from north
    k_shape, correlation_m : order of the sea's K distribution; correlation length of its texture on the ground
    scatterers_per_cell : 1 to 16 scatterers in a resolution cell
    calibration : rows and columns of a grid of equal point targets of `calibration_rcs_dbsm`, phase 0
    nesz_db : noise-equivalent sigma zero; default: the preset's
    pulse_edge_samples : rise time of the transmitted pulse, at least 4 samples
    max_bytes : limit of the memory for scatterers, work and echoes; 0: none
    receiver : further keywords of `receive` (biases, gain steps, quantiser), after the noise

    Returns
    -------
    truth: `ships`, `targets` (the calibration grid), `landmarks` (buildings, breakwater head), `sea`, `land`, `noise`,
    `scene`. Amplitudes are sqrt(RCS / 1 m^2) at the range of the scene's centre.
    """
    instrument = sensor(instrument, squint_deg=squint_deg) if isinstance(instrument, str) else instrument
    if nesz_db is not None:
        instrument.nesz_db = nesz_db
    acquisition = acquire(instrument, pulses, samples, height_m=height_m)
    options = _native.CoastOptions()
    options.seed = seed
    options.wind_m_per_s = wind_m_per_s
    options.wind_from_deg = wind_from_deg
    options.k_shape = k_shape
    options.correlation_m = correlation_m
    options.scatterers_per_cell = scatterers_per_cell
    options.ships = ships
    options.land = land
    options.calibration_rows, options.calibration_columns = calibration
    options.calibration_rcs_dbsm = calibration_rcs_dbsm
    options.noise = noise
    options.pulse_edge_samples = pulse_edge_samples
    options.max_bytes = max_bytes
    options.threads = threads
    echoes, found = _native.sim_coast(instrument, acquisition, options)
    truth = {
        "ships": found["ships"],
        "targets": [p for p in found["points"] if p["kind"] == "calibration"],
        "landmarks": [p for p in found["points"] if p["kind"] != "calibration"],
        "sea": {
            "model": instrument.sea_model,
            "sigma0_db": found["sea_sigma0_db"],
            "k_shape": k_shape,
            "correlation_m": correlation_m,
            "wind_m_per_s": wind_m_per_s,
            "wind_from_deg": wind_from_deg,
            "incidence_deg": found["incidence_deg"],
            "look_azimuth_deg": found["look_azimuth_deg"],
        },
        "land": {
            "sigma0_db": found["land_sigma0_db"],
            "fraction": found["land_fraction"],
        },
        "noise": {
            "nesz_db": found["nesz_db"] if noise else None,
            "sigma": found["noise_sigma"],
        },
        "scene": {
            "sensor": instrument.name,
            "seed": seed,
            "squint_deg": instrument.platform.squint_deg,
            "centre_range_m": found["centre_range_m"],
            "cell_area_m2": found["cell_area_m2"],
            "scatterers": found["scatterers"],
            "pulse_edge_s": found["pulse_edge_s"],
            **found["report"],
        },
    }
    if receiver:
        truth["saturated_fraction"] = receive(echoes, threads=threads, **receiver)
    acquisition.radiometry = _radiometry(reference_range_m=found["centre_range_m"], noise_sigma=found["noise_sigma"])
    return Simulation(acquisition, echoes, truth, instrument.platform)


@translate()
def sea_sigma0(
    model: str,
    *,
    wind_m_per_s: float,
    relative_deg: float = 0.0,
    incidence_deg: float,
    carrier_hz: float = 5.405e9,
) -> float:
    """Linear VV sigma zero of the sea by "cmod5n" or "nrl"; relative_deg is 0 where the radar looks upwind."""
    value: float = _native.sim_sea_sigma0(model, carrier_hz, wind_m_per_s, relative_deg, incidence_deg)
    return value


@translate()
def sea_texture(
    *,
    k_shape: float,
    correlation_m: float,
    rows: int,
    cols: int,
    spacing_m: float,
    seed: int = 1,
) -> NDArray[np.float64]:
    """(rows, cols) float64 of the coast's sea texture: gamma-distributed with this shape and mean 1."""
    texture: NDArray[np.float64] = _native.sim_texture(k_shape, correlation_m, rows, cols, spacing_m, seed)
    return texture


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


def _radiometry(*, reference_range_m: float, noise_sigma: float) -> Any:
    known = _native.Radiometry()
    known.radar_constant = 1.0
    known.reference_range_m = reference_range_m
    known.noise_power = noise_sigma**2
    return known


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
