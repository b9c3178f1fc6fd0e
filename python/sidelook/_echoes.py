"""Echoes from a file or from memory, read a few pulses at a time as complex64; numpy's .npy files among them.

`sidelook.crsd` adds the CRSD files and is the public face.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from sidelook.acquisition import Acquisition
from sidelook.errors import BadInput, from_os_error

Block = npt.NDArray[Any]
Path = str | os.PathLike[str]

# numpy's type of a stored component, and how many bytes a complex sample takes
FORMATS: dict[str, np.dtype[Any]] = {"CF8": np.dtype(">f4"), "CI4": np.dtype(">i2"), "CI2": np.dtype("i1")}
BLOCK_BYTES = 8 << 20


class Echoes(Protocol):
    """Raw echoes from any source: what focusing reads from."""

    acquisition: Acquisition

    @property
    def shape(self) -> tuple[int, int]:
        """Pulses, samples."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """As stored: complex64, or int8 or int16 for I/Q pairs."""

    def read(self, first_pulse: int, pulses: int) -> npt.NDArray[np.complex64]:
        """Pulses `first_pulse` to `first_pulse + pulses` as complex64 (pulses, samples), a new array."""

    def close(self) -> None:
        """Releases the file."""


class Source:
    """Context manager and range check, common to the three kinds of echoes."""

    acquisition: Acquisition

    @property
    def shape(self) -> tuple[int, int]:
        """Pulses, samples."""
        return self.acquisition.pulses, self.acquisition.samples

    def close(self) -> None:
        """Releases the file; reading afterwards is refused."""

    def __enter__(self) -> Any:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, traceback: TracebackType | None) -> None:
        self.close()

    def _check_window(self, first_pulse: int, pulses: int) -> None:
        total = self.shape[0]
        if first_pulse < 0 or pulses < 0 or first_pulse + pulses > total:
            raise BadInput(f"first_pulse and pulses are {first_pulse} and {pulses}; must lie within the {total} pulses there are")


class FileEchoes(Source):
    """Lines of samples in a file, read with seek and read: no mapping, whose pages would count as memory."""

    def __init__(self, file: Any, name: str, acquisition: Acquisition, component: np.dtype[Any], offset: int) -> None:
        self.acquisition = acquisition
        self._file, self._name, self._component, self._offset = file, name, component, offset
        self._lock = threading.Lock()  # the readers of a pipeline share one file position

    @property
    def dtype(self) -> np.dtype[Any]:
        """As stored: complex64, or int8 or int16 for I/Q pairs."""
        return np.dtype(np.complex64) if self._component.kind == "f" else self._component.newbyteorder("=")

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def read(self, first_pulse: int, pulses: int) -> npt.NDArray[np.complex64]:
        """Pulses `first_pulse` to `first_pulse + pulses` as complex64 (pulses, samples), a new array."""
        self._check_window(first_pulse, pulses)
        samples = self.shape[1]
        result = np.empty((pulses, samples), np.complex64)
        parts = result.view(np.float32)
        line = 2 * samples * self._component.itemsize
        step = max(1, BLOCK_BYTES // line)
        for first in range(0, pulses, step):
            count = min(step, pulses - first)
            target = parts[first : first + count]
            if self._component.kind == "f":
                self._fill(target.data.cast("B"), first_pulse + first, line)
                if not self._component.isnative:
                    target.byteswap(inplace=True)
            else:
                raw = np.empty((count, 2 * samples), self._component)
                self._fill(raw.view(np.uint8).data.cast("B"), first_pulse + first, line)
                target[...] = raw
        return result

    def _fill(self, buffer: memoryview, pulse: int, line: int) -> None:
        try:
            with self._lock:
                self._file.seek(self._offset + pulse * line)
                got = self._file.readinto(buffer)
        except (OSError, ValueError) as error:
            raise BadInput(f"{self._name} cannot be read: {str(error).lower()}") from None
        if got != len(buffer):
            raise BadInput(f"{self._name} ends within pulse {pulse + got // line}; it is truncated")


class ArrayEchoes(Source):
    """Echoes in memory: complex64 (pulses, samples), or int8 or int16 (pulses, samples, 2) for I/Q pairs."""

    def __init__(self, array: Block, acquisition: Acquisition) -> None:
        acquisition.native()
        format_of(array)
        check_shape(array, acquisition, "echoes")
        self.acquisition = acquisition
        self._array = array

    @property
    def dtype(self) -> np.dtype[Any]:
        """As given: complex64, or int8 or int16 for I/Q pairs."""
        return self._array.dtype

    def read(self, first_pulse: int, pulses: int) -> npt.NDArray[np.complex64]:
        """Pulses `first_pulse` to `first_pulse + pulses` as complex64 (pulses, samples), a new array."""
        self._check_window(first_pulse, pulses)
        part = self._array[first_pulse : first_pulse + pulses]
        if part.dtype.kind == "c":
            return np.array(part, np.complex64, order="C")
        result = np.empty(part.shape[:2], np.complex64)
        result.view(np.float32).reshape(part.shape)[...] = part
        return result


def open_npy(path: Path, name: str, acquisition: Acquisition | None) -> FileEchoes:
    """A .npy file; without an acquisition the .json file of the same name beside it is taken."""
    if acquisition is None:
        beside = pathlib.Path(path).with_suffix(".json")
        if not beside.exists():
            raise BadInput(f"{name} has no acquisition; must be given one as JSON, or have {beside.name} beside it")
        acquisition = Acquisition.from_json(beside)
    acquisition.native()
    file = open_file(path)
    try:
        with as_bad_input(name):
            version = np.lib.format.read_magic(file)
            read_header = {(1, 0): np.lib.format.read_array_header_1_0}.get(version, np.lib.format.read_array_header_2_0)
            shape, fortran_order, dtype = read_header(file)
        if fortran_order:
            raise BadInput(f"{name} is stored column by column (Fortran order); must be stored pulse by pulse (C order)")
        template: Block = np.broadcast_to(np.zeros((), dtype), shape)  # takes no memory
        format_of(template, name)
        check_shape(template, acquisition, name)
        offset = file.tell()
        size = os.fstat(file.fileno()).st_size
        needed = offset + int(np.prod(shape)) * dtype.itemsize
        if size < needed:
            raise BadInput(f"{name} has {size} bytes; its header promises {needed}, it is truncated")
    except BaseException:
        file.close()
        raise
    component = np.dtype(np.float32).newbyteorder(dtype.byteorder) if dtype.kind == "c" else dtype
    return FileEchoes(file, name, acquisition, component, offset)


def format_of(block: Block, name: str = "echoes") -> str:
    """CF8, CI4 or CI2, as CRSD calls what an array holds; refused if it is none of them."""
    kind = getattr(block, "dtype", None)
    if not isinstance(block, np.ndarray) or kind is None:
        raise BadInput(f"{name} are a {type(block).__name__}; must be a numpy array")
    formats = {"c8": ("CF8", 2), "i2": ("CI4", 3), "i1": ("CI2", 3)}
    found, dimensions = formats.get(kind.str[1:], ("", 0))
    if not found:
        raise BadInput(f"{name} have dtype {kind}; must be complex64, or int8 or int16 with I and Q in a last axis of 2")
    if block.ndim != dimensions or (dimensions == 3 and block.shape[2] != 2):
        wanted = "(pulses, samples)" if dimensions == 2 else "(pulses, samples, 2)"
        raise BadInput(f"{name} have shape {block.shape}; must be {wanted} for dtype {kind}")
    return found


def check_shape(block: Block, acquisition: Acquisition, name: str, lines: int | None = None) -> None:
    """Refuses an array whose lines or samples are not those of the acquisition (or `lines` of them)."""
    wanted = (acquisition.pulses if lines is None else lines, acquisition.samples)
    if block.shape[:2] != wanted:
        raise BadInput(
            f"{name} have {block.shape[0]} pulses of {block.shape[1]} samples; must have {wanted[0]} of {wanted[1]} as the acquisition says"
        )


def open_file(path: Path) -> Any:
    """The file, open for reading bytes."""
    try:
        return open(path, "rb")
    except OSError as error:
        raise from_os_error(error, path, "read") from None


_LOOKS_LIKE = (
    (b"II*\0", "a TIFF image, perhaps a focused one"),
    (b"MM\0*", "a TIFF image, perhaps a focused one"),
    (b"II+\0", "a BigTIFF image, perhaps a focused one"),
    (b"MM\0+", "a BigTIFF image, perhaps a focused one"),
    (b"NITF", "a NITF image (SICD or SIDD)"),
    (b"CPHD", "a CPHD file, whose echoes are compensated already"),
    (b"\x89HDF", "an HDF5 file"),
    (b"\x89PNG", "a PNG picture"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"{", "JSON"),
)


def looks_like(head: bytes) -> str:
    """What a file is, told by its first bytes, for sentences; 'no format we know' if nothing fits."""
    if not head:
        return "an empty file"
    return next((kind for magic, kind in _LOOKS_LIKE if head.startswith(magic)), "no format we know")


_PARSER_ERRORS = (
    ValueError, LookupError, TypeError, AttributeError, AssertionError, SyntaxError, EOFError, ArithmeticError,
    RuntimeError,
)  # fmt: skip


@contextlib.contextmanager
def as_bad_input(name: str) -> Iterator[None]:
    """What parsers throw at a damaged file, in one sentence."""
    try:
        yield
    except _PARSER_ERRORS as error:
        reason = " ".join(str(error).split())
        raise BadInput(f"{name} is damaged: {type(error).__name__} {reason}") from None
