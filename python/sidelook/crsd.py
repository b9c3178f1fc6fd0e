"""Raw echoes in files: CRSD (NGA.STND.0080) through sarkit, numpy's .npy with an acquisition as JSON, plain arrays.

`write` and `open` move echoes in blocks: memory does not grow with the file. docs/raw-data.md says which field of the
standard holds what.
"""

from __future__ import annotations

import builtins
import importlib
import os
import pathlib
import shutil
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from sidelook._cli_common import AtomicFile
from sidelook._echoes import (
    BLOCK_BYTES,
    FORMATS,
    ArrayEchoes,
    Block,
    Echoes,
    FileEchoes,
    Path,
    as_bad_input,
    check_shape,
    format_of,
    looks_like,
    open_file,
    open_npy,
)
from sidelook.acquisition import Acquisition
from sidelook.errors import BadInput, MissingAuxiliary

__all__ = ["ArrayEchoes", "CrsdEchoes", "Echoes", "open", "open_echoes", "write"]


class CrsdEchoes(FileEchoes):
    """A channel of a CRSD file; amplitude scale factors are applied, and phases follow our convention.

    ``damaged`` lists the pulses without an echo (SIGNAL is 0 or 2); they read as NaN.
    """

    def __init__(self, path: Path, channel: str | None = None) -> None:
        from sidelook._crsd_read import read_contents

        name = os.path.basename(os.fspath(path))
        file = open_file(path)
        try:
            _refuse_other_files(file, name)
            sarkit = _sarkit()
            _refuse_truncated(sarkit, file, name)
            with as_bad_input(name):
                contents = read_contents(sarkit, file, name, channel)
        except BaseException:
            file.close()
            raise
        component = FORMATS[contents.signal_format]
        super().__init__(file, name, contents.acquisition, component, contents.signal_offset)
        self._factor = contents.factor
        self.damaged = contents.damaged

    def read(self, first_pulse: int, pulses: int) -> npt.NDArray[np.complex64]:
        """Pulses `first_pulse` to `first_pulse + pulses` as complex64 (pulses, samples), a new array."""
        result = super().read(first_pulse, pulses)
        if self._factor is not None:
            result *= self._factor[first_pulse : first_pulse + pulses, None]
        for pulse in self.damaged:
            if first_pulse <= pulse < first_pulse + pulses:
                result[pulse - first_pulse] = np.nan
        return result


def open(path: Path, channel: str | None = None) -> CrsdEchoes:
    """Opens a CRSD file for reading pulses; a context manager.

    Parameters
    ----------
    path : the file
    channel : which channel, needed only if the file has several

    Raises
    ------
    BadInput
        Not a CRSD, truncated, or recorded in a way that `Acquisition` cannot express (changing PRF or receive window,
        deramped echoes, bistatic).
    MissingAuxiliary
        If sarkit is not installed.
    """
    return CrsdEchoes(path, channel)


def open_echoes(source: Path | Block | Echoes, acquisition: Acquisition | Path | None = None, channel: str | None = None) -> Echoes:
    """Echoes from a CRSD file, a .npy file, Sentinel-1 Level-0 of a stripmap mode, or an array.

    Parameters
    ----------
    source : path of a CRSD; path of a SAFE folder or a packet file of Sentinel-1; path of a .npy file with complex64
        (pulses, samples), or int8 or int16 (pulses, samples, 2); such an array; or echoes that are open already
    acquisition : an `Acquisition` or the path of one as JSON; needed for arrays and .npy files (by default the .json
        file of the same name beside it), not allowed for a CRSD and Level-0, which have their own
    channel : channel of a CRSD, or polarisation of Level-0, that has several, not allowed with anything else

    Raises
    ------
    BadInput
        What is none of these, or breaks their rules.
    """
    if isinstance(acquisition, (str, os.PathLike)):
        acquisition = Acquisition.from_json(pathlib.Path(acquisition))
    elif acquisition is not None and not isinstance(acquisition, Acquisition):
        raise BadInput(f"acquisition is a {type(acquisition).__name__}; must be an Acquisition or the path of one as JSON")
    not_crsd = f"channel is {channel!r}; must be left out, only CRSD and Sentinel-1 Level-0 have channels"
    if isinstance(source, np.ndarray):
        if channel is not None:
            raise BadInput(not_crsd)
        if acquisition is None:
            raise BadInput("acquisition is None; must be given with an array of echoes")
        return ArrayEchoes(source, acquisition)
    if not isinstance(source, (str, os.PathLike)):
        if not all(hasattr(source, name) for name in ("acquisition", "shape", "read")):
            kind = "None" if source is None else f"of type {type(source).__name__}"
            raise BadInput(f"echoes are {kind}; must be a numpy array, the path of a file, or echoes that are open already")
        return source
    name = os.path.basename(os.fspath(source))
    head = b""
    if not os.path.isdir(source):
        with open_file(source) as file:
            head = file.read(8)
    is_npy, is_crsd = head[:6] == b"\x93NUMPY", head[:4] == b"CRSD"
    if acquisition is None and not is_npy and not is_crsd:
        from sidelook import sentinel1

        if os.path.isdir(source) or (looks_like(head) == "no format we know" and sentinel1.is_level0(source)):
            return sentinel1.open_stripmap(source, channel)
    if is_npy:
        if channel is not None:
            raise BadInput(not_crsd)
        return open_npy(source, name, acquisition)
    if acquisition is not None:
        raise BadInput(f"acquisition is given with {name}; must be left out unless the echoes are a .npy file or an array")
    return CrsdEchoes(source, channel)


def write(
    path: Path,
    acquisition: Acquisition,
    echoes: Block | Iterable[Block] | Callable[[int, int], Block],
    *,
    amplitude_scale: float | npt.ArrayLike = 1.0,
    overwrite: bool = False,
) -> None:
    """Writes raw echoes as a CRSD file that appears only when it is whole.

    Parameters
    ----------
    path : the file
    acquisition : what the radar did; must have an orbit, which the standard cannot do without
    echoes : complex64 (pulses, samples), stored as CF8; or int8 or int16 (pulses, samples, 2) I/Q pairs, stored as CI2
        or CI4. Or an iterable of blocks of such lines in order, or a function ``echoes(first_pulse, pulses)`` that
        returns a block: then memory does not grow with the scene
    amplitude_scale : true amplitude of a stored 1, for all pulses or (pulses,); stored as AmpSF, applied by `open`
    overwrite : replace an existing file

    Raises
    ------
    BadInput
        Wrong shape or dtype, samples that are not finite, an acquisition without orbit, a target that exists, a full
        disk.
    MissingAuxiliary
        If sarkit is not installed.
    """
    from sidelook._crsd_tables import Tables
    from sidelook._crsd_xml import build_xml, support_arrays

    sarkit = _sarkit()
    acquisition.native()
    if not acquisition.orbit:
        raise BadInput("orbit is empty; a CRSD needs one, write a .npy file and the acquisition as JSON instead")
    scale = np.broadcast_to(np.asarray(amplitude_scale, np.float64), (acquisition.pulses,))
    if not np.all(np.isfinite(scale)) or np.any(scale <= 0):
        raise BadInput("amplitude_scale has values that are not finite or not positive; must be greater than 0")
    blocks = _blocks(echoes, acquisition)
    head = next(blocks)
    signal_format = format_of(head)
    tables = Tables(acquisition)
    tree = build_xml(sarkit, tables, signal_format, pathlib.Path(path).stem)
    with AtomicFile(path, overwrite=overwrite) as target, builtins.open(target.temporary, "w+b") as file:
        writer = sarkit.Writer(file, sarkit.Metadata(xmltree=tree))
        for name, array in support_arrays(acquisition).items():
            writer.write_support_array(name, array)
        offsets = _offsets(sarkit, file)
        _refuse_full_disk(target.path, offsets["SIGNAL"] + offsets["SIGNAL_SIZE"])
        # sarkit writes whole tables only; these may be as long as the orbit, so they are written in runs at its offsets
        file.seek(offsets["PPP"])
        for first, count in _runs(acquisition.pulses):
            file.write(tables.ppp(first, count).tobytes())
        file.seek(offsets["PVP"])
        for first, count in _runs(acquisition.pulses):
            file.write(tables.pvp(first, scale[first : first + count]).tobytes())
        file.seek(offsets["SIGNAL"])
        done = 0
        block: Block | None = head
        del head
        while block is not None:
            done = _write_lines(file, block, signal_format, acquisition, done)
            del block  # before the next is made: one block at a time in memory
            block = next(blocks, None)
        if done != acquisition.pulses:
            raise BadInput(f"echoes have {done} pulses; must have {acquisition.pulses} as the acquisition says")


def _write_lines(file: Any, block: Block, signal_format: str, acquisition: Acquisition, done: int) -> int:
    if format_of(block) != signal_format:
        raise BadInput(f"echoes change to {block.dtype} at pulse {done}; must keep one type")
    check_shape(block, acquisition, "echoes", lines=len(block))
    if done + len(block) > acquisition.pulses:
        raise BadInput(f"echoes have at least {done + len(block)} pulses; must have {acquisition.pulses} as the acquisition says")
    component = FORMATS[signal_format]
    step = max(1, BLOCK_BYTES // max(1, 2 * acquisition.samples * component.itemsize))
    for first in range(0, len(block), step):
        lines = np.ascontiguousarray(block[first : first + step])
        if lines.dtype.kind == "c":
            finite = np.isfinite(lines).all(axis=1)
            if not finite.all():
                pulse = done + first + int(np.argmin(finite))
                raise BadInput(f"echoes have a sample that is not finite in pulse {pulse}; a CRSD allows finite ones only")
            lines = lines.view(np.float32)
        file.write(lines.astype(component, copy=False).reshape(-1).view(np.uint8).data)
    return done + len(block)


def _blocks(source: Any, acquisition: Acquisition) -> Iterator[Block]:
    """Lines in order from an array, an iterable of arrays or a function."""
    if isinstance(source, np.ndarray):
        format_of(source)
        check_shape(source, acquisition, "echoes")
        yield source
    elif callable(source):
        step = max(1, BLOCK_BYTES // (8 * acquisition.samples))
        for first in range(0, acquisition.pulses, step):
            yield source(first, min(step, acquisition.pulses - first))
    else:
        empty = True
        for block in source:
            empty = False
            yield block
        if empty:
            raise BadInput(f"echoes have 0 pulses; must have {acquisition.pulses} as the acquisition says")


def _runs(pulses: int, step: int = 4096) -> Iterator[tuple[int, int]]:
    for first in range(0, pulses, step):
        yield first, min(step, pulses - first)


def _sarkit() -> Any:
    try:
        return importlib.import_module("sarkit.crsd")
    except ImportError as error:
        raise MissingAuxiliary(
            f"sarkit is not installed ({error}); CRSD files need it: pip install sarkit (Python 3.11 or later)"
        ) from None


def _refuse_other_files(file: Any, name: str) -> None:
    head = file.read(8)
    if not head.startswith(b"CRSD"):
        raise BadInput(f"{name} looks like {looks_like(head)}; raw echoes must be a CRSD file, or a .npy file with an acquisition")


def _offsets(sarkit: Any, file: Any) -> dict[str, int]:
    file.seek(0)
    _, header = sarkit.read_file_header(file)
    offsets = {block: int(header[f"{block}_BLOCK_BYTE_OFFSET"]) for block in ("PPP", "PVP", "SIGNAL")}
    return offsets | {"SIGNAL_SIZE": int(header["SIGNAL_BLOCK_SIZE"])}


def _refuse_truncated(sarkit: Any, file: Any, name: str) -> None:
    size = os.fstat(file.fileno()).st_size
    with as_bad_input(name):
        file.seek(0)
        _, header = sarkit.read_file_header(file)
        blocks = [key.removesuffix("_SIZE") for key in header if key.endswith("_BLOCK_SIZE")]
        needed = max(int(header[f"{b}_BYTE_OFFSET"]) + int(header[f"{b}_SIZE"]) for b in blocks)
    if size < needed:
        raise BadInput(f"{name} has {size} bytes; its header promises {needed}, it is truncated")


def _refuse_full_disk(path: pathlib.Path, needed: int) -> None:
    free = shutil.disk_usage(path.parent).free
    if free < needed:
        raise BadInput(f"{path} needs {needed} bytes; {free} are free on the disk")
