"""The acquisition as dataclass, as JSON and as the native class; the schema and the loader say the same."""

from __future__ import annotations

import copy
import dataclasses
import json
import pathlib

import pytest
from circular_orbit import make_acquisition
from sidelook import acquisition as module
from sidelook.acquisition import Acquisition
from sidelook.errors import BadInput

SCHEMA = json.loads((pathlib.Path(module.__file__).parent / "acquisition.schema.json").read_text())


def test_json_round_trip_keeps_every_digit(tmp_path):
    original = dataclasses.replace(make_acquisition(), prf_hz=1256.9800000000001, chirp_rate_hz_per_s=-0.1 * 3e12)
    path = tmp_path / "a.json"
    text = original.to_json(path)
    assert path.read_text() == text
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]
    for source in (path, str(path), text, original.to_dict()):
        assert Acquisition.from_json(source) == original


def test_defaults_need_not_be_written():
    data = make_acquisition().to_dict()
    minimal = {key: data[key] for key in SCHEMA["required"]}
    read = Acquisition.from_json(minimal)
    assert read.orbit == () and read.antenna == module.Antenna() and read.sensor == "" and read.terrain_height_m == 0.0


@pytest.mark.parametrize("look_side", ["left", "right"])
def test_native_round_trip(look_side):
    original = make_acquisition(look_side=look_side)
    native = original.native()
    assert native.pulses == original.pulses and native.orbit[2].position_m.y == original.orbit[2].position_m[1]
    assert Acquisition.from_native(native) == original


@pytest.mark.parametrize(
    ("field", "value"),
    [("prf_hz", 0.0), ("prf_hz", -1.0), ("sample_rate_hz", float("nan")), ("chirp_rate_hz_per_s", 0.0), ("pulses", 0)],
)
def test_values_that_break_a_native_rule(field, value):
    with pytest.raises(BadInput, match=f"^{field} is .*; must "):
        dataclasses.replace(make_acquisition(), **{field: value}).native()


def test_native_rules_are_checked_when_reading():
    data = {**make_acquisition().to_dict(), "prf_hz": -5}
    with pytest.raises(BadInput, match="prf_hz is -5; must be finite and greater than 0"):
        Acquisition.from_json(data)


def test_wrong_python_types_are_named():
    with pytest.raises(BadInput, match="pulses is 2.5; must be an integer"):
        dataclasses.replace(make_acquisition(), pulses=2.5).native()
    with pytest.raises(BadInput, match="look_side is 'up'; must be 'left' or 'right'"):
        dataclasses.replace(make_acquisition(), look_side="up").native()


def test_not_finite_numbers_are_neither_written_nor_read():
    with pytest.raises(BadInput, match="terrain_height_m is "):
        dataclasses.replace(make_acquisition(), terrain_height_m=float("inf")).to_json()
    text = make_acquisition().to_json().replace("120.5", "NaN")
    with pytest.raises(BadInput, match="holds the number NaN; must be finite"):
        Acquisition.from_json(text)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"prf_hz": "fast"}, 'prf_hz is "fast"; must be a number'),
        ({"pulses": 12.5}, "pulses is 12.5; must be an integer"),
        ({"pulses": True}, "pulses is true; must be an integer"),
        ({"prf": 1500}, "has an unknown field prf; must be one of schema, sensor, epoch_utc"),
        ({"look_side": "up"}, 'look_side is "up"; must be one of "left", "right"'),
        ({"schema": "sidelook-acquisition-2"}, 'is "sidelook-acquisition-2"; must be "sidelook-acquisition-1"'),
        ({"orbit": [{"time_s": 0}]}, r"orbit\[0\] has no position_m; must have time_s, position_m, velocity_m_per_s"),
        ({"antenna": {"frames": 3}}, "antenna.frames is 3; must be an array"),
    ],
)
def test_sentences(change, sentence):
    with pytest.raises(BadInput, match=sentence):
        Acquisition.from_json({**make_acquisition().to_dict(), **change})


def test_vectors_have_three_components():
    data = make_acquisition().to_dict()
    data["orbit"][1]["position_m"].append(1.0)
    with pytest.raises(BadInput, match=r"orbit\[1\].position_m has 4 items; must have 3"):
        Acquisition.from_json(data)


def test_missing_field_is_named():
    data = make_acquisition().to_dict()
    del data["carrier_hz"]
    with pytest.raises(BadInput, match="acquisition has no carrier_hz; must have schema, epoch_utc, carrier_hz"):
        Acquisition.from_json(data)


def test_files_that_are_no_acquisition(tmp_path):
    with pytest.raises(BadInput, match="there is no such file"):
        Acquisition.from_json(tmp_path / "none.json")
    (tmp_path / "cut.json").write_text(make_acquisition().to_json()[:200])
    with pytest.raises(BadInput, match="cut.json is not JSON: .* at line "):
        Acquisition.from_json(tmp_path / "cut.json")
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(BadInput, match="is not text"):
        Acquisition.from_json(tmp_path / "binary.json")
    (tmp_path / "list.json").write_text("[]")
    with pytest.raises(BadInput, match=r"list.json is \[\]; must be an object"):
        Acquisition.from_json(tmp_path / "list.json")


# ---- the published schema and the loader ------------------------------------------------------------------------


def _places(value, path=()):
    """Every place in a JSON value, deepest last; of long lists the first two items."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value[:2]) if isinstance(value, list) else ()
    for key, item in items:
        yield from _places(item, (*path, key))


def _mutations(data):
    """The value with one thing changed: removed, of each other type, joined by a stranger."""
    replacements = [None, True, 1, 1.5, 3.0, "text", "left", [], [1, 2, 3], [1, 2], {}, -2]
    for path in _places(data):
        if not path:
            continue

        def changed(action, path=path):
            result = copy.deepcopy(data)
            parent = result
            for key in path[:-1]:
                parent = parent[key]
            action(parent, path[-1])
            return result

        yield path, "removed", changed(lambda parent, key: parent.pop(key))
        for new in replacements:
            yield path, f"is {new!r}", changed(lambda parent, key, new=new: parent.__setitem__(key, new))
    for path in _places(data):
        result = copy.deepcopy(data)
        target = result
        for key in path:
            target = target[key]
        if isinstance(target, dict):
            target["stranger"] = 1
        elif isinstance(target, list):
            target.append(None)
        else:
            continue
        yield path, "joined by a stranger", result


def test_schema_and_loader_agree():
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    validator = jsonschema.Draft202012Validator(SCHEMA)
    data = make_acquisition().to_dict()
    data["orbit"], data["antenna"]["frames"] = data["orbit"][:2], data["antenna"]["frames"][:2]
    assert validator.is_valid(data)
    accepted = refused = 0
    for path, what, value in _mutations(data):
        try:
            module._check(value, SCHEMA, "acquisition")
            loads = True
        except BadInput:
            loads = False
        assert loads == validator.is_valid(value), (path, what)
        accepted, refused = accepted + loads, refused + (not loads)
    assert accepted > 50 and refused > 300  # both kinds were met


def test_schema_documents_every_field():
    fields = {f.name for f in dataclasses.fields(Acquisition)}
    assert set(SCHEMA["properties"]) == fields | {"schema"}
    required = {f.name for f in dataclasses.fields(Acquisition) if f.default is f.default_factory is dataclasses.MISSING}
    assert set(SCHEMA["required"]) == required | {"schema"}
    for name, rule in SCHEMA["properties"].items():
        assert len(rule["description"]) > 10, name
        for ending, unit in (("_hz", "Hz"), ("_s", "(s)"), ("_m", "(m)"), ("_hz_per_s", "Hz/s"), ("_m_per_s", "m/s")):
            longest = max((e for e in ("_hz", "_s", "_m", "_hz_per_s", "_m_per_s") if name.endswith(e)), key=len, default="")
            if longest == ending:
                assert unit in rule["description"], name
