"""python/sidelook/_native.pyi is what tools/make_stubs.py makes of the extension, and says what the extension does."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import pathlib
import sys
from types import ModuleType

import pytest
from sidelook import _native

ROOT = pathlib.Path(__file__).resolve().parent.parent
STUB = ROOT / "python" / "sidelook" / "_native.pyi"


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_stubs", ROOT / "tools" / "make_stubs.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_stub_is_what_the_extension_makes() -> None:
    if "typing.Supports" not in (_native.EchoSurvey.__init__.__doc__ or ""):
        pytest.skip("the extension was built with pybind11 2; its signatures are those of pybind11 3 in other words")
    made = generator().stubs(_native)
    assert STUB.read_text(encoding="utf-8") == made, "run: python tools/make_stubs.py"


def test_stub_names_everything_and_nothing_else() -> None:
    tree = ast.parse(STUB.read_text(encoding="utf-8"))
    declared = {n.name: n for n in tree.body if isinstance(n, (ast.ClassDef, ast.FunctionDef))}
    there = {name: member for name, member in vars(_native).items() if not name.startswith("_")}
    assert declared.keys() == there.keys()
    for name, member in there.items():
        if not inspect.isclass(member) or issubclass(member, BaseException):
            continue
        node = declared[name]
        assert isinstance(node, ast.ClassDef)
        members = {n.name for n in node.body if isinstance(n, (ast.ClassDef, ast.FunctionDef))}
        members |= {n.target.id for n in node.body if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name)}
        wanted = {k for k in vars(member) if not k.startswith("_")}
        assert {m for m in members if not m.startswith("_")} == wanted, name


def test_callbacks_and_defaults() -> None:
    def function() -> None: ...

    # As pybind11 writes it: a callable without types, a default with a comma, a default that is an object's repr.
    function.__doc__ = "f(read: collections.abc.Callable, x: list[int] = [1, 2], w: sidelook._native.Window = <Window at 0x1>) -> dict"
    line = " ".join(part.strip() for part in generator()._function("f", function))
    assert line == "def f(read: Reader, x: list[int] = [1, 2], w: Window = ...) -> dict[str, Any]: ..."


@pytest.mark.parametrize("version", [(3, 10)])
def test_stub_is_python(version: tuple[int, int]) -> None:
    assert sys.version_info >= version
    ast.parse(STUB.read_text(encoding="utf-8"), feature_version=version)
