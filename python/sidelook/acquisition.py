"""What a radar was doing while it recorded, as Python dataclasses and as JSON.

The fields, units, frames and signs are those of ``sidelook/acquisition.h``; the JSON is described by
``acquisition.schema.json`` beside this file, and `Acquisition.from_json` reads its rules from there.
Rules about values (a PRF is positive) are native: `Acquisition.native` refuses what breaks them.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib.resources
import json
import os
from dataclasses import dataclass
from typing import Any, Literal

from sidelook.errors import BadInput, from_os_error, translate

SCHEMA = "sidelook-acquisition-1"
Vector = tuple[float, float, float]


@dataclass(frozen=True)
class StateVector:
    """Position (m) and velocity (m/s) of the antenna's phase centre, Earth-fixed frame (ECEF, WGS84)."""

    time_s: float
    position_m: Vector
    velocity_m_per_s: Vector


@dataclass(frozen=True)
class AntennaFrame:
    """Attitude at one time: unit vectors in ECEF, perpendicular to each other."""

    time_s: float
    azimuth_axis: Vector
    boresight: Vector


@dataclass(frozen=True)
class Antenna:
    """A rectangular, uniformly lit antenna; a length (m) of 0 is unknown, and its pattern flat."""

    azimuth_length_m: float = 0.0
    elevation_length_m: float = 0.0
    frames: tuple[AntennaFrame, ...] = ()


@dataclass(frozen=True)
class Radiometry:
    """What turns powers into radar cross-sections; 0 stands for what is not known.

    The echo of a target of s m^2 at range R has the power radar_constant s (reference_range_m / R)^4 times the two-way
    pattern's; a reference_range_m of 0 says that the loss of range spreading is not in the echoes. noise_power is the mean
    |n|^2 of the thermal noise in an echo sample.
    """

    radar_constant: float = 0.0
    reference_range_m: float = 0.0
    noise_power: float = 0.0


@dataclass(frozen=True)
class Acquisition:
    """Stripmap acquisition with a linear chirp and a constant PRF; times are seconds after ``epoch_utc``.

    Signs: the transmitted pulse is exp(j pi chirp_rate t^2); an echo with delay d(t) is demodulated to
    exp(-j 2 pi carrier d(t)). Pulse k is centred at first_pulse_time_s + k / prf_hz, sample j lies
    first_sample_delay_s + j / sample_rate_hz after its pulse's centre.
    """

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
    look_side: Literal["left", "right"]
    sensor: str = ""
    terrain_height_m: float = 0.0
    orbit: tuple[StateVector, ...] = ()
    effective_velocity_m_per_s: float = 0.0
    antenna: Antenna = dataclasses.field(default_factory=Antenna)
    doppler_centroid_hz: tuple[float, ...] = ()
    doppler_drift_hz_per_s: float = 0.0
    radiometry: Radiometry = dataclasses.field(default_factory=Radiometry)

    def to_dict(self) -> dict[str, Any]:
        """The JSON object as a dictionary; numbers keep all their digits."""
        # through JSON: tuples become lists, and numpy's integers (which json refuses) plain ones
        plain: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(self), default=lambda v: v.item()))
        return {"schema": SCHEMA, **plain}

    def to_json(self, path: str | os.PathLike[str] | None = None) -> str:
        """The acquisition as JSON text, also written to `path` if one is given (UTF-8, replaced at once).

        Raises
        ------
        BadInput
            If a field is not a finite number, or the file cannot be written.
        """
        try:
            text = json.dumps(self.to_dict(), indent=2, allow_nan=False) + "\n"
        except ValueError:
            self.native()  # names the field where it can
            raise BadInput("acquisition holds a number that is not finite; JSON allows finite numbers only") from None
        if path is not None:
            from sidelook._cli_common import AtomicFile

            with AtomicFile(path, overwrite=True) as target:
                target.temporary.write_text(text, encoding="utf-8")
        return text

    @classmethod
    def from_json(cls, source: str | os.PathLike[str] | dict[str, Any]) -> Acquisition:
        """Reads an acquisition; value rules are checked too.

        Parameters
        ----------
        source : path of a JSON file, JSON text (starts with ``{``), or a dictionary

        Raises
        ------
        BadInput
            Unknown, missing or ill-typed fields, values that break a rule, unreadable files.
        """
        name = "acquisition"
        data: Any = source
        if not isinstance(source, dict):
            if isinstance(source, str) and source.lstrip().startswith("{"):
                text = source
            else:
                name = os.path.basename(os.fspath(source))
                text = _read_text(source)
            data = _parse(text, name)
        _check(data, _schema(), name)
        acquisition = cls(**_fields(data))
        acquisition.native()
        return acquisition

    @translate()
    def native(self) -> Any:
        """The same as `sidelook._native.Acquisition`, checked by the native rules (`BadInput` if one is broken)."""
        from sidelook import _native

        result = _native.Acquisition()
        for field in dataclasses.fields(self):
            if field.name not in ("look_side", "orbit", "antenna", "doppler_centroid_hz", "radiometry"):
                try:
                    setattr(result, field.name, getattr(self, field.name))
                except TypeError:
                    rule = "be an integer" if field.name in ("pulses", "samples") else "be text or a number as declared"
                    raise BadInput(f"{field.name} is {getattr(self, field.name)!r}; must {rule}") from None
        if self.look_side not in ("left", "right"):
            raise BadInput(f"look_side is {self.look_side!r}; must be 'left' or 'right'")
        result.look_side = _native.LookSide.left if self.look_side == "left" else _native.LookSide.right
        result.orbit = [_filled(_native.StateVector(), state) for state in self.orbit]
        result.antenna = _filled(_native.Antenna(), self.antenna)
        result.radiometry = _filled(_native.Radiometry(), self.radiometry)
        result.doppler_centroid_hz = list(self.doppler_centroid_hz)
        _native.validate(result)
        return result

    @classmethod
    def from_native(cls, native: Any) -> Acquisition:
        """The inverse of `native`."""
        values = {f.name: getattr(native, f.name) for f in dataclasses.fields(cls)}
        values["look_side"] = native.look_side.name
        values["orbit"] = tuple(StateVector(s.time_s, _tuple(s.position_m), _tuple(s.velocity_m_per_s)) for s in native.orbit)
        values["antenna"] = Antenna(
            native.antenna.azimuth_length_m,
            native.antenna.elevation_length_m,
            tuple(AntennaFrame(f.time_s, _tuple(f.azimuth_axis), _tuple(f.boresight)) for f in native.antenna.frames),
        )
        values["doppler_centroid_hz"] = tuple(native.doppler_centroid_hz)
        values["radiometry"] = Radiometry(**{f.name: getattr(native.radiometry, f.name) for f in dataclasses.fields(Radiometry)})
        return cls(**values)


def _filled(target: Any, source: Any) -> Any:
    from sidelook import _native

    for field in dataclasses.fields(source):
        value = getattr(source, field.name)
        if field.name == "frames":
            value = [_filled(_native.AntennaFrame(), frame) for frame in value]
        elif isinstance(value, (tuple, list)):
            value = _native.Vec3(*value)
        setattr(target, field.name, value)
    return target


def _tuple(vector: Any) -> Vector:
    return (vector.x, vector.y, vector.z)


def _vector(values: list[float]) -> Vector:
    x, y, z = values
    return (float(x), float(y), float(z))


def _fields(data: dict[str, Any]) -> dict[str, Any]:
    """Constructor arguments from a JSON object that has passed the schema; integers stay integers."""
    whole = ("pulses", "samples")
    values = {
        key: int(value) if key in whole else float(value) if isinstance(value, (int, float)) else value
        for key, value in data.items()
        if key != "schema"
    }
    values["orbit"] = tuple(
        StateVector(float(s["time_s"]), _vector(s["position_m"]), _vector(s["velocity_m_per_s"])) for s in data.get("orbit", ())
    )
    antenna = data.get("antenna", {})
    values["antenna"] = Antenna(
        float(antenna.get("azimuth_length_m", 0)),
        float(antenna.get("elevation_length_m", 0)),
        tuple(AntennaFrame(float(f["time_s"]), _vector(f["azimuth_axis"]), _vector(f["boresight"])) for f in antenna.get("frames", ())),
    )
    values["doppler_centroid_hz"] = tuple(float(c) for c in data.get("doppler_centroid_hz", ()))
    values["radiometry"] = Radiometry(**{key: float(value) for key, value in data.get("radiometry", {}).items()})
    return values


def _read_text(path: str | os.PathLike[str]) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError as error:
        raise from_os_error(error, path, "read") from None
    except UnicodeDecodeError:
        raise BadInput(f"{os.fspath(path)} is not text; an acquisition must be JSON") from None


def _parse(text: str, name: str) -> Any:
    def constant(word: str) -> Any:
        raise BadInput(f"{name} holds the number {word}; must be finite")

    try:
        return json.loads(text, parse_constant=constant)
    except json.JSONDecodeError as error:
        raise BadInput(f"{name} is not JSON: {error.msg.lower()} at line {error.lineno}") from None


@functools.cache
def _schema() -> dict[str, Any]:
    text = importlib.resources.files("sidelook").joinpath("acquisition.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


_TYPES: dict[str, tuple[str, Any]] = {
    "object": ("an object", lambda v: isinstance(v, dict)),
    "array": ("an array", lambda v: isinstance(v, list)),
    "string": ("a string", lambda v: isinstance(v, str)),
    "number": ("a number", lambda v: isinstance(v, (int, float)) and not isinstance(v, bool)),
    "integer": (
        "an integer",
        lambda v: not isinstance(v, bool) and (isinstance(v, int) or (isinstance(v, float) and v.is_integer())),
    ),
}


def _check(value: Any, rule: dict[str, Any], name: str) -> None:
    """The few words of JSON Schema that our schema uses; the first broken rule becomes the sentence."""
    if "$ref" in rule:
        _check(value, _schema()["$defs"][rule["$ref"].rsplit("/", 1)[1]], name)
    shown = json.dumps(value, default=repr)
    shown = shown if len(shown) <= 60 else shown[:57] + "..."
    if "type" in rule:
        words, test = _TYPES[rule["type"]]
        if not test(value):
            raise BadInput(f"{name} is {shown}; must be {words}")
    if "const" in rule and value != rule["const"]:
        raise BadInput(f"{name} is {shown}; must be {json.dumps(rule['const'])}")
    if "enum" in rule and value not in rule["enum"]:
        raise BadInput(f"{name} is {shown}; must be one of {', '.join(map(json.dumps, rule['enum']))}")
    if isinstance(value, dict):
        properties = rule.get("properties", {})
        for key in rule.get("required", ()):
            if key not in value:
                raise BadInput(f"{name} has no {key}; must have {', '.join(rule['required'])}")
        for key, item in value.items():
            if key not in properties and rule.get("additionalProperties", True) is False:
                raise BadInput(f"{name} has an unknown field {key}; must be one of {', '.join(properties)}")
            _check(item, properties.get(key, {}), f"{name}.{key}")
    if isinstance(value, list):
        if not rule.get("minItems", 0) <= len(value) <= rule.get("maxItems", len(value)):
            raise BadInput(f"{name} has {len(value)} items; must have {rule['minItems']}")
        for index, item in enumerate(value):
            _check(item, rule.get("items", {}), f"{name}[{index}]")
