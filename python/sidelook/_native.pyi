"""Native core of sidelook: arrays in, arrays out, no files. Made by `python tools/make_stubs.py`; do not edit.

Fields and units are those of the C++ headers under cpp/include/sidelook, which document them.
"""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

Reader = Callable[[int, int, int, int], NDArray[np.complex64]]
"""(first line, lines, first sample, samples) -> echoes (lines, samples)"""
Writer = Callable[[int, int, NDArray[np.complex64]], object]
"""(first line, first sample, block); the block's memory is good during the call only"""
LineReader = Callable[[int, int], NDArray[np.complex64] | NDArray[np.float32]]
"""(first line, lines) -> whole lines of an image, complex64 or float32"""
LineWriter = Callable[[int, NDArray[np.float32]], object]
"""(first line, block); the block's memory is good during the call only"""
Progress = Callable[[float], object]
"""(share done, 0 to 1); may raise to stop the run"""

class NativeError(Exception): ...

class Vec3:
    def __init__(self, x: float, y: float, z: float) -> None: ...
    x: float
    y: float
    z: float

class StateVector:
    def __init__(self) -> None: ...
    time_s: float
    position_m: Vec3
    velocity_m_per_s: Vec3

class AntennaFrame:
    def __init__(self) -> None: ...
    time_s: float
    azimuth_axis: Vec3
    boresight: Vec3

class Antenna:
    def __init__(self) -> None: ...
    azimuth_length_m: float
    elevation_length_m: float
    frames: list[AntennaFrame]

class Radiometry:
    def __init__(self) -> None: ...
    radar_constant: float
    reference_range_m: float
    noise_power: float

class LookSide:
    def __init__(self, value: int) -> None: ...
    @property
    def name(self) -> str: ...
    @property
    def value(self) -> int: ...
    left: ClassVar[LookSide]
    right: ClassVar[LookSide]
    __members__: ClassVar[dict[str, LookSide]]
    def __int__(self) -> int: ...

class Acquisition:
    def __init__(self) -> None: ...
    sensor: str
    epoch_utc: str
    carrier_hz: float
    prf_hz: float
    first_pulse_time_s: float
    pulses: int
    samples: int
    sample_rate_hz: float
    first_sample_delay_s: float
    chirp_rate_hz_per_s: float
    chirp_duration_s: float
    look_side: LookSide
    terrain_height_m: float
    orbit: list[StateVector]
    effective_velocity_m_per_s: float
    antenna: Antenna
    doppler_centroid_hz: list[float]
    doppler_drift_hz_per_s: float
    radiometry: Radiometry

class Device:
    def __init__(self, value: int) -> None: ...
    @property
    def name(self) -> str: ...
    @property
    def value(self) -> int: ...
    cpu: ClassVar[Device]
    cuda: ClassVar[Device]
    __members__: ClassVar[dict[str, Device]]
    def __int__(self) -> int: ...

class CudaDevice:
    @property
    def name(self) -> str: ...
    @property
    def major(self) -> int: ...
    @property
    def minor(self) -> int: ...
    @property
    def memory_bytes(self) -> int: ...

class SelftestResult:
    @property
    def stage(self) -> str: ...
    @property
    def largest_error(self) -> float: ...
    @property
    def tolerance(self) -> float: ...
    @property
    def cpu_seconds(self) -> float: ...
    @property
    def cuda_seconds(self) -> float: ...
    @property
    def passed(self) -> bool: ...

class Orbit:
    def __init__(self, states: Sequence[StateVector]) -> None: ...
    def position_m(self, arg0: float, /) -> tuple[float, float, float]: ...
    def velocity_m_per_s(self, arg0: float, /) -> tuple[float, float, float]: ...
    def radar_to_geodetic(
        self,
        zero_doppler_time_s: ArrayLike,
        slant_range_m: ArrayLike,
        height_m: ArrayLike,
        look_side: LookSide,
    ) -> NDArray[np.float64]: ...
    def geodetic_to_radar(self, places: ArrayLike) -> NDArray[np.float64]: ...
    def geodetic_to_radar_continued(self, places: ArrayLike) -> NDArray[np.float64]: ...

class RadarGrid:
    def __init__(
        self,
        first_line_time_s: float,
        line_spacing_s: float,
        first_sample_slant_range_m: float,
        sample_spacing_m: float,
        lines: int,
        samples: int,
    ) -> None: ...
    @property
    def lines(self) -> int: ...
    @property
    def samples(self) -> int: ...

class PixelWindow:
    @property
    def first_line(self) -> int: ...
    @property
    def end_line(self) -> int: ...
    @property
    def first_sample(self) -> int: ...
    @property
    def end_sample(self) -> int: ...

class MapToRadar:
    def __init__(
        self,
        orbit: Orbit,
        look_side: LookSide,
        grid: RadarGrid,
        places: ArrayLike,
        step: int,
    ) -> None: ...
    @property
    def map_rows(self) -> int: ...
    @property
    def map_cols(self) -> int: ...
    def coordinates(
        self,
        first_row: int,
        first_col: int,
        rows: int,
        cols: int,
        threads: int = 0,
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], PixelWindow]: ...

class Interpolation:
    def __init__(self, value: int) -> None: ...
    @property
    def name(self) -> str: ...
    @property
    def value(self) -> int: ...
    nearest: ClassVar[Interpolation]
    bilinear: ClassVar[Interpolation]
    __members__: ClassVar[dict[str, Interpolation]]
    def __int__(self) -> int: ...

class Platform:
    def __init__(self) -> None: ...
    altitude_m: float
    eccentricity: float
    inclination_deg: float
    node_longitude_deg: float
    perigee_deg: float
    latitude_argument_deg: float
    look_side: LookSide
    look_angle_deg: float
    squint_deg: float

class Sensor:
    def __init__(self) -> None: ...
    name: str
    carrier_hz: float
    prf_hz: float
    sample_rate_hz: float
    chirp_bandwidth_hz: float
    chirp_duration_s: float
    down_chirp: bool
    antenna_azimuth_length_m: float
    antenna_elevation_length_m: float
    sea_model: str
    nesz_db: float
    platform: Platform

class Receiver:
    def __init__(self) -> None: ...
    noise_sigma: float
    block_gain_db: list[float]
    block_lines: int
    iq_gain_ratio: float
    iq_phase_deg: float
    bias_i: float
    bias_q: float
    bits: int
    step: float
    seed: int
    threads: int

class EchoOptions:
    def __init__(self) -> None: ...
    beam_limit: float
    reference_range_m: float
    pulse_edge_s: float
    threads: int

class CoastOptions:
    def __init__(self) -> None: ...
    seed: int
    wind_m_per_s: float
    wind_from_deg: float
    k_shape: float
    correlation_m: float
    scatterers_per_cell: float
    ships: int
    land: bool
    calibration_rows: int
    calibration_columns: int
    calibration_rcs_dbsm: float
    pulse_edge_samples: float
    noise: bool
    threads: int
    max_bytes: int

class Window:
    def __init__(self, shape: Window.Shape, parameter: float) -> None: ...
    class Shape:
        def __init__(self, value: int) -> None: ...
        @property
        def name(self) -> str: ...
        @property
        def value(self) -> int: ...
        rectangular: ClassVar[Window.Shape]
        hamming: ClassVar[Window.Shape]
        kaiser: ClassVar[Window.Shape]
        taylor: ClassVar[Window.Shape]
        __members__: ClassVar[dict[str, Window.Shape]]
        def __int__(self) -> int: ...
    shape: Window.Shape
    parameter: float
    @property
    def name(self) -> str: ...
    def __call__(self, arg0: float, /) -> float: ...

class FocusOptions:
    def __init__(self) -> None: ...
    doppler_bandwidth_hz: float
    range_bandwidth_hz: float
    azimuth_window: Window
    range_window: Window
    equalise_antenna: bool
    minimum_exposure: float
    block_lines: int
    strip_samples: int
    max_bytes: int
    base_bytes: int
    threads: int
    device: Device

class SlcGrid:
    @property
    def lines(self) -> int: ...
    @property
    def samples(self) -> int: ...
    @property
    def first_line_time_s(self) -> float: ...
    @property
    def line_spacing_s(self) -> float: ...
    @property
    def first_slant_range_m(self) -> float: ...
    @property
    def sample_spacing_m(self) -> float: ...
    @property
    def valid_first_line(self) -> list[int]: ...
    @property
    def valid_end_line(self) -> list[int]: ...
    @property
    def doppler_centroid_hz(self) -> list[float]: ...
    @property
    def range_spectrum_centre(self) -> list[float]: ...
    @property
    def doppler_bandwidth_hz(self) -> float: ...
    @property
    def range_bandwidth_hz(self) -> float: ...
    @property
    def effective_velocity_m_per_s(self) -> float: ...

class EchoStatistics:
    @property
    def lines(self) -> int: ...
    @property
    def good_lines(self) -> int: ...
    @property
    def damaged_lines(self) -> list[int]: ...
    @property
    def silent_lines(self) -> list[int]: ...
    @property
    def mean_i(self) -> float: ...
    @property
    def mean_q(self) -> float: ...
    @property
    def power_i(self) -> float: ...
    @property
    def power_q(self) -> float: ...
    @property
    def largest(self) -> float: ...
    @property
    def share_at_largest(self) -> float: ...
    @property
    def gain_ratio(self) -> float: ...
    @property
    def quadrature_error_rad(self) -> float: ...
    @property
    def doppler_fraction_hz(self) -> list[float]: ...
    @property
    def doppler_coherence(self) -> list[float]: ...
    @property
    def doppler_deviation_hz(self) -> list[float]: ...
    @property
    def doppler_deviation_weight(self) -> list[float]: ...

class EchoSurvey:
    def __init__(self, samples: int, prf_hz: float) -> None: ...
    def add(self, lines: NDArray[np.complex64]) -> None: ...
    def result(self) -> EchoStatistics: ...

class EchoCorrections:
    def __init__(self) -> None: ...
    bias_i: float
    bias_q: float
    gain_ratio: float
    quadrature_error_rad: float
    line_gain: list[float]

class AmbiguityEstimate:
    @property
    def ambiguity(self) -> int: ...
    @property
    def margin(self) -> float: ...
    @property
    def sharpness(self) -> list[float]: ...
    @property
    def doppler_centroid_hz(self) -> list[float]: ...

class Quicklook:
    def __init__(self, lines: int, samples: int, looks_azimuth: int, looks_range: int) -> None: ...
    def add(self, first_line: int, first_sample: int, block: NDArray[np.complex64]) -> None: ...
    def add_power(self, first_line: int, first_sample: int, block: NDArray[np.float32]) -> None: ...
    def render(self) -> NDArray[np.uint8]: ...

class StageReport:
    @property
    def name(self) -> str: ...
    @property
    def seconds(self) -> float: ...
    @property
    def peak_bytes(self) -> int: ...
    @property
    def device(self) -> Device: ...

class StageCost:
    class Transforms:
        @property
        def length(self) -> int: ...
        @property
        def rows(self) -> int: ...
        @property
        def batch(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def flops(self) -> float: ...
    @property
    def bytes(self) -> float: ...
    @property
    def transforms(self) -> list[StageCost.Transforms]: ...

class FocusPlan:
    def __init__(self, acquisition: Acquisition, options: FocusOptions) -> None: ...
    @property
    def grid(self) -> SlcGrid: ...
    @property
    def block_lines(self) -> int: ...
    @property
    def strip_samples(self) -> int: ...
    @property
    def azimuth_fft_length(self) -> int: ...
    @property
    def range_fft_length(self) -> int: ...
    @property
    def range_inverse_fft_length(self) -> int: ...
    @property
    def bytes(self) -> int: ...
    def costs(self) -> list[StageCost]: ...
    def run_until(
        self,
        stage: str,
        echoes: NDArray[np.complex64],
        corrections: EchoCorrections,
    ) -> tuple[NDArray[np.complex64], dict[str, Any]]: ...
    def run(
        self,
        read: Reader,
        write: Writer,
        corrections: EchoCorrections,
        progress: Progress | None = None,
    ) -> list[StageReport]: ...

class Looks:
    def __init__(self, azimuth: int, range: int) -> None: ...
    azimuth: int
    range: int

class ResponseWidths:
    @property
    def azimuth_s(self) -> float: ...
    @property
    def slant_range_m(self) -> float: ...

class ImageRadiometry:
    def __init__(self, acquisition: Acquisition, options: FocusOptions) -> None: ...
    def places(self, zero_doppler_time_s: ArrayLike, slant_range_m: ArrayLike) -> dict[str, Any]: ...
    def equivalent_looks(self, looks: Looks) -> float: ...
    def widths(self, looks: Looks) -> ResponseWidths: ...

class FactorGrid:
    def __init__(self) -> None: ...
    lines: list[float]
    samples: list[float]
    values: list[float]
    smooth: bool

class IntensityOptions:
    def __init__(self) -> None: ...
    looks: Looks
    factor: FactorGrid
    divide_by_square: bool
    noise: FactorGrid
    block_lines: int
    max_bytes: int
    base_bytes: int
    threads: int

class IntensityPlan:
    def __init__(self, lines: int, samples: int, complex: bool, options: IntensityOptions) -> None: ...
    @property
    def lines(self) -> int: ...
    @property
    def samples(self) -> int: ...
    @property
    def block_lines(self) -> int: ...
    @property
    def bytes(self) -> int: ...
    def costs(self) -> list[StageCost]: ...
    def run(
        self,
        read_lines: LineReader,
        write_lines: LineWriter,
        progress: Progress | None = None,
    ) -> list[StageReport]: ...
    def run_intensity(
        self,
        read_lines: LineReader,
        write_lines: LineWriter,
        progress: Progress | None = None,
    ) -> list[StageReport]: ...

class CutAxes:
    def __init__(self, value: int) -> None: ...
    @property
    def name(self) -> str: ...
    @property
    def value(self) -> int: ...
    measured: ClassVar[CutAxes]
    image: ClassVar[CutAxes]
    given: ClassVar[CutAxes]
    __members__: ClassVar[dict[str, CutAxes]]
    def __int__(self) -> int: ...

class MeasureOptions:
    def __init__(self) -> None: ...
    search_radius: float
    half_size: int
    oversampling: int
    spectrum_centre_row: float
    spectrum_centre_col: float
    measure_spectrum_centre: bool
    row_spacing_m: float
    col_spacing_m: float
    axes: CutAxes
    azimuth_axis_slope: float
    range_axis_slope: float
    first_row: int
    first_col: int

class PointCut:
    @property
    def slope(self) -> float: ...
    @property
    def slope_measured(self) -> bool: ...
    @property
    def irw_samples(self) -> float: ...
    @property
    def irw_m(self) -> float: ...
    @property
    def null_before(self) -> float: ...
    @property
    def null_after(self) -> float: ...
    @property
    def pslr_db(self) -> float: ...
    @property
    def islr_db(self) -> float: ...
    @property
    def offset(self) -> NDArray[np.float64]: ...
    @property
    def value(self) -> NDArray[np.complex128]: ...

class PointTarget:
    @property
    def row(self) -> float: ...
    @property
    def col(self) -> float: ...
    @property
    def peak(self) -> complex: ...
    @property
    def at_expected(self) -> complex: ...
    @property
    def spectrum_centre_row(self) -> float: ...
    @property
    def spectrum_centre_col(self) -> float: ...
    @property
    def azimuth(self) -> PointCut: ...
    @property
    def range(self) -> PointCut: ...
    @property
    def islr_2d_db(self) -> float: ...
    @property
    def main_lobe_energy_fraction(self) -> float: ...
    @property
    def peak_to_background_db(self) -> float: ...

class MachineLimits:
    @property
    def copy_bytes_per_s(self) -> float: ...
    @property
    def flops_per_s(self) -> float: ...

def validate(acquisition: Acquisition) -> None: ...
def cuda_devices() -> list[CudaDevice]: ...
def cuda_selftest() -> list[SelftestResult]: ...
def ecef_to_geodetic(arg0: float, arg1: float, arg2: float, /) -> tuple[float, float, float]: ...
def geodetic_to_ecef(arg0: float, arg1: float, arg2: float, /) -> tuple[float, float, float]: ...
def resample(
    image: NDArray[np.float32],
    first_line: int,
    first_sample: int,
    line: NDArray[np.float64],
    sample: NDArray[np.float64],
    interpolation: Interpolation,
    threads: int = 0,
) -> NDArray[np.float32]: ...
def sim_sensor(name: str) -> Sensor: ...
def sim_acquire(sensor: Sensor, pulses: int, samples: int, height_m: float = 0.0) -> Acquisition: ...
def sim_inertial_state(
    platform: Platform,
    time_s: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]: ...
def sim_earth_fixed_state(
    platform: Platform,
    time_s: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]: ...
def sim_antenna_frame(platform: Platform, time_s: float) -> AntennaFrame: ...
def sim_boresight_point(platform: Platform, time_s: float, height_m: float) -> NDArray[np.float64]: ...
def sim_to_geodetic(position_m: NDArray[np.float64]) -> tuple[float, float, float]: ...
def sim_to_ecef(latitude_deg: float, longitude_deg: float, height_m: float) -> NDArray[np.float64]: ...
def sim_zero_doppler(
    platform: Platform,
    position_m: NDArray[np.float64],
    near_time_s: float,
    velocity_m_per_s: NDArray[np.float64],
    reference_time_s: float,
) -> tuple[float, float]: ...
def sim_place(
    platform: Platform,
    time_s: float,
    slant_range_m: float,
    height_m: float,
) -> NDArray[np.float64]: ...
def sim_place_in_beam(
    platform: Platform,
    time_s: float,
    slant_range_m: float,
    height_m: float,
) -> NDArray[np.float64]: ...
def sim_exact(
    acquisition: Acquisition,
    platform: Platform,
    positions_m: NDArray[np.float64],
    amplitudes: NDArray[np.complex128],
    velocities_m_per_s: NDArray[np.float64] | None,
    reference_time_s: float,
    options: EchoOptions,
) -> NDArray[np.complex64]: ...
def sim_scene(
    acquisition: Acquisition,
    platform: Platform,
    positions_m: NDArray[np.float64],
    amplitudes: NDArray[np.complex128],
    velocities_m_per_s: NDArray[np.float64] | None,
    reference_time_s: float,
    options: EchoOptions,
) -> tuple[NDArray[np.complex64], dict[str, Any]]: ...
def sim_coast(
    sensor: Sensor,
    acquisition: Acquisition,
    options: CoastOptions,
) -> tuple[NDArray[np.complex64], dict[str, Any]]: ...
def sim_sea_sigma0(
    model: str,
    carrier_hz: float,
    wind_m_per_s: float,
    relative_deg: float,
    incidence_deg: float,
) -> float: ...
def sim_ship_rcs_m2(length_m: float, width_m: float) -> float: ...
def sim_texture(
    shape: float,
    correlation_m: float,
    rows: int,
    cols: int,
    spacing_m: float,
    seed: int,
) -> NDArray[np.float64]: ...
def sim_receive(receiver: Receiver, echoes: NDArray[np.complex64], first_line: int) -> float: ...
def version() -> str: ...
def fft_library() -> str: ...
def instruction_set() -> str: ...
def doppler_drift_from_attitude(acquisition: Acquisition) -> float: ...
def doppler_drift(acquisition: Acquisition, statistics: EchoStatistics) -> float: ...
def doppler_from_attitude(acquisition: Acquisition) -> list[float]: ...
def corrections_from(statistics: EchoStatistics) -> EchoCorrections: ...
def fractional_doppler(acquisition: Acquisition, statistics: EchoStatistics) -> list[float]: ...
def estimate_ambiguity(
    acquisition: Acquisition,
    fraction_hz: Sequence[float],
    read: Reader,
    corrections: EchoCorrections,
    first: int,
    last: int,
) -> AmbiguityEstimate: ...
def estimate_velocity(
    acquisition: Acquisition,
    read: Reader,
    corrections: EchoCorrections,
    first_m_per_s: float,
    last_m_per_s: float,
) -> float: ...
def check_looks(looks: Looks, lines: int, samples: int) -> None: ...
def multilook_power(image: NDArray[np.complex64], looks: Looks, threads: int = 0) -> NDArray[np.float32]: ...
def multilook_intensity(image: NDArray[np.float32], looks: Looks, threads: int = 0) -> NDArray[np.float32]: ...
def multilook_complex(
    image: NDArray[np.complex64],
    looks: Looks,
    threads: int = 0,
) -> NDArray[np.complex64]: ...
def measure_point(
    image: NDArray[Any],
    row: float,
    col: float,
    options: MeasureOptions = ...,
) -> PointTarget: ...
def stage_table() -> list[dict[str, Any]]: ...
def measure_machine(threads: int) -> MachineLimits: ...
def time_transforms(length: int, rows: int, batch: int) -> float: ...
