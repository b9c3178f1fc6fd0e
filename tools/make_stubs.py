"""Writes python/sidelook/_native.pyi from the extension's own signatures; tests/test_stubs.py sees to it that it is up to date.

    python tools/make_stubs.py

pybind11 (3 or later) begins every docstring with the signature it has derived from the C++ types. They are read from there, so
that a binding's types are stated once, in C++. Only what C++ cannot say is added here: what a callback takes and returns.
"""

from __future__ import annotations

import inspect
import pathlib
import re
import sys
from types import ModuleType
from typing import Any

TARGET = pathlib.Path(__file__).resolve().parent.parent / "python" / "sidelook" / "_native.pyi"
WIDTH = 112  # of a line before it is broken, with room for a method's indentation

HEAD = '''"""Native core of sidelook: arrays in, arrays out, no files. Made by `python tools/make_stubs.py`; do not edit.

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
IntensityReader = Callable[[int, int, int, int], NDArray[np.float32]]
"""(first line, lines, first sample, samples) -> intensity (lines, samples)"""
MaskReader = Callable[[int, int, int, int], NDArray[np.uint8]]
"""the same of a mask, not 0 where it holds"""
Progress = Callable[[float], object]
"""(share done, 0 to 1); may raise to stop the run"""
'''

# A callback, by the name of its parameter: C++ knows only that it can be called.
CALLBACKS = {
    "read": "Reader",
    "write": "Writer",
    "read_lines": "LineReader",
    "write_lines": "LineWriter",
    "read_intensity": "IntensityReader",
    "read_mask": "MaskReader | None",
    "progress": "Progress | None",
}

# The same type as pybind11 writes it and as a reader wants it, in this order.
SPELLINGS = (
    (r"sidelook\._native\.", ""),
    (r"sidelook::(?:\w+::)*", ""),  # a class that was bound after the function that takes it
    (r"typing\.SupportsFloat \| typing\.SupportsIndex", "float"),
    (r"typing\.SupportsInt \| typing\.SupportsIndex", "int"),
    (r"typing\.SupportsComplex \| typing\.SupportsFloat \| typing\.SupportsIndex", "complex"),
    (r"collections\.abc\.", ""),
    (r"typing\.Annotated\[(list\[\w+\]), \"FixedSize\(\d+\)\"\]", r"\1"),
    (r"numpy\.typing\.NDArray\[numpy\.(\w+)\]", r"NDArray[np.\1]"),
    (r"typing\.Annotated\[numpy\.typing\.ArrayLike, numpy\.\w+\]", "ArrayLike"),
    (r"numpy\.ndarray", "NDArray[Any]"),
    (r"\bdict\b(?!\[)", "dict[str, Any]"),
    (r"\blist\b(?!\[)", "list[dict[str, Any]]"),
    (r"\btuple\b(?!\[)", "tuple[Any, ...]"),
)


def stubs(module: ModuleType) -> str:
    """The whole .pyi file."""
    parts = [HEAD]
    members = {k: v for k, v in vars(module).items() if not k.startswith("_")}
    for name, member in members.items():
        if inspect.isclass(member):
            parts.append("\n".join(_class(name, member)) + "\n")
    functions = [_function(name, f) for name, f in members.items() if callable(f) and not inspect.isclass(f)]
    parts.append("\n".join(line for lines in functions for line in lines) + "\n")
    return "\n".join(parts)


def _class(name: str, kind: type) -> list[str]:
    if issubclass(kind, BaseException):
        return [f"class {name}({kind.__mro__[1].__name__}): ..."]
    lines = [f"class {name}:"]
    enumerators = getattr(kind, "__members__", None)
    for key, member in vars(kind).items():
        if inspect.isclass(member):
            lines += [*_indented(_class(key, member)), ""]  # the blank line that ruff's format has after a nested class
        elif isinstance(member, property) and not key.startswith("_"):
            lines += _indented(_property(key, member))
        elif enumerators and key in enumerators:
            lines.append(f"    {key}: ClassVar[{kind.__qualname__}]")
        elif callable(member) and not (key.startswith("__") and key not in ("__init__", "__call__")) and _signature(member):
            lines += _indented(_function(key, member))
    if lines[-1] == "":
        del lines[-1]
    if enumerators:
        lines.append(f"    __members__: ClassVar[dict[str, {kind.__qualname__}]]")
        lines.append("    def __int__(self) -> int: ...")
    return lines if len(lines) > 1 else [f"class {name}: ..."]


def _property(name: str, member: property) -> list[str]:
    result = _result(member.fget)
    if member.fset is not None:
        return [f"{name}: {result}"]
    return ["@property", f"def {name}(self) -> {result}: ..."]


def _function(name: str, function: Any) -> list[str]:
    signature = _signature(function)
    if signature is None:
        raise ValueError(f"{name} has no signature in its docstring; give it one overload and plain arguments")
    arguments = [_argument(a) for a in _split(signature[0])]
    unnamed = [i for i, a in enumerate(arguments) if re.match(r"arg\d+:", a)]
    if unnamed:  # pybind11 numbers arguments without a name: they go by place only
        arguments.insert(unnamed[-1] + 1, "/")
    result = _spelled(signature[1])
    line = f"def {name}({', '.join(arguments)}) -> {result}: ..."
    if len(line) <= WIDTH:
        return [line]
    return [f"def {name}(", *(f"    {a}," for a in arguments), f") -> {result}: ..."]


def _argument(text: str) -> str:
    name, colon, rest = text.partition(":")
    if not colon or name == "self":
        return name
    kind, equals, default = (part.strip() for part in rest.partition(" = "))
    kind = CALLBACKS.get(name, _spelled(kind))
    if not equals:
        return f"{name}: {kind}"
    return f"{name}: {kind} = {'...' if default.startswith('<') else default}"  # <...> is an object's repr


def _result(function: Any) -> str:
    signature = _signature(function)
    return _spelled(signature[1]) if signature else "Any"


def _signature(function: Any) -> tuple[str, str] | None:
    """Arguments and result as pybind11 wrote them, from "name(arguments) -> result" or, of a property, "(self) -> result"."""
    found = re.match(r"\w*\((.*)\) -> (.+)", getattr(function, "__doc__", None) or "")
    return (found[1], found[2].strip()) if found and not found[1].startswith("*args") else None


def _split(arguments: str) -> list[str]:
    """At the commas that are in no brackets."""
    out, depth = [""], 0
    for c in arguments:
        depth += (c in "[(<") - (c in "])>")
        if c == "," and depth == 0:
            out.append("")
        else:
            out[-1] += c
    return [part.strip() for part in out if part.strip()]


def _spelled(kind: str) -> str:
    for pattern, text in SPELLINGS:
        kind = re.sub(pattern, text, kind)
    return kind


def _indented(lines: list[str]) -> list[str]:
    return ["    " + line for line in lines]


if __name__ == "__main__":
    from sidelook import _native

    TARGET.write_text(stubs(_native), encoding="utf-8")
    sys.exit(0)
