"""What the commands share: options, sizes, progress, output files that appear whole or not at all."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import pathlib
import re
import secrets
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from types import FrameType, TracebackType
from typing import Any

from sidelook.errors import BadInput, MissingAuxiliary, SidelookError, from_os_error, translate

# ---- options ---------------------------------------------------------------------------------------------------


def add_output_options(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """-o/--output, --of, --co and --overwrite, as in `gdal raster`."""
    group = parser.add_argument_group("output")
    group.add_argument("-o", "--output", metavar="PATH", required=required, type=path_name, help="output file or folder")
    group.add_argument("--of", metavar="FORMAT", help="output format, GDAL's short driver name")
    group.add_argument("--co", metavar="KEY=VALUE", action="append", default=[], type=key_value, help="creation option, repeatable")
    group.add_argument("--overwrite", action="store_true", help="replace what is already there")


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """--device, --max-ram, --threads: where and within which limits a command computes."""
    group = parser.add_argument_group("resources")
    group.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="where to compute (default: cpu)")
    group.add_argument("--max-ram", metavar="SIZE", type=size, help="memory limit of the process, e.g. 2GiB or 500MB")
    group.add_argument("--threads", metavar="N", type=thread_count, default=available_threads(), help="default: all")


def add_report_options(parser: argparse.ArgumentParser) -> None:
    """--json, -q/--quiet and --progress: what a command says, and where."""
    group = parser.add_argument_group("messages")
    group.add_argument("--json", action="store_true", help="print one JSON object on stdout")
    group.add_argument("-q", "--quiet", action="store_true", help="no progress, no messages; errors are still told")
    group.add_argument("--progress", action="store_true", help="show progress even if stderr is no terminal")


def key_value(text: str) -> str:
    """A creation option for GDAL; refused without '='."""
    if not re.fullmatch(r"[^=]+=.*", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not KEY=VALUE")
    return text


_UNITS = {"B": 1} | {
    f"{letter}{ending}": base**power for power, letter in enumerate("KMGT", start=1) for ending, base in (("B", 1000), ("iB", 1024))
}


def size(text: str) -> int:
    """Bytes from '2GiB' (powers of 1024), '500MB' (powers of 1000) or '1000000B'; a bare number is refused."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]+)\s*", text)
    unit = {name.upper(): factor for name, factor in _UNITS.items()}.get(match[2].upper()) if match else None
    if match is None or unit is None or not 1 <= float(match[1]) * unit < 2**63:
        raise argparse.ArgumentTypeError(f"{text!r} is not a size; must be like 2GiB, 1.5GB, 500MB or 800000KiB")
    return int(float(match[1]) * unit)


MOST_THREADS = 1024  # the native rule


def thread_count(text: str) -> int:
    """A number of threads, 1 or more."""
    if not re.fullmatch(r"[0-9]{1,9}", text) or not 1 <= int(text) <= MOST_THREADS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of threads; must be 1 or more, at most {MOST_THREADS}")
    return int(text)


def whole(text: str) -> int:
    """A whole number that fits the core's 32 bits; what it must be beyond that is the core's to say."""
    if not re.fullmatch(r"[+-]?[0-9]{1,10}", text) or not -(2**31) <= int(text) < 2**31:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number; must be one below 2147483648")
    return int(text)


def seed(text: str) -> int:
    """The seed of a random generator: 64 bits without a sign."""
    if not re.fullmatch(r"[0-9]{1,20}", text) or int(text) >= 2**64:
        raise argparse.ArgumentTypeError(f"{text!r} is not a seed; must be a whole number from 0 to 2^64 - 1")
    return int(text)


def path_name(text: str) -> str:
    """The name of a file or folder, which is not empty (as "$UNSET" in a script is)."""
    if not text:
        raise argparse.ArgumentTypeError("'' is no path; must be the name of a file or a folder")
    return text


def available_threads() -> int:
    """Hardware threads this process may use (its affinity, where the system tells)."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS, Windows
        return os.cpu_count() or 1


def find_device(device: str) -> None:
    """Refuses cuda where this build or this machine has none."""
    if device == "cuda":
        from sidelook import _native

        with translate():
            _native.cuda_devices()


def require_device(device: str, stage: str) -> None:
    """Refuses a device that `stage` has no implementation for in any build; there is no silent fall-back."""
    if device != "cpu":
        raise MissingAuxiliary(f"device is {device}; this build has no {device} implementation of {stage}, only cpu")


def held_bytes(besides: int) -> int:
    """What the process holds now and will hold beside a native plan: code, libraries, GDAL's cache of blocks, and `besides`."""
    from sidelook.raster import GDAL_CACHE_BYTES

    with open("/proc/self/statm", encoding="ascii") as file:
        resident = int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return resident + GDAL_CACHE_BYTES + besides


# ---- output ----------------------------------------------------------------------------------------------------


class AtomicFile:
    """An output file that appears under its name only when it is whole.

    As a context manager it hands out itself; write to ``temporary``, a hidden name in the same folder (so that the
    rename cannot fail for crossing file systems). On success it is renamed to ``path``; on an exception or a signal
    it is removed, and so are side files that begin with its name (GDAL's .aux.xml).

    Raises
    ------
    BadInput
        If the target exists and `overwrite` is false, the folder is missing or not writable, or the disk is full.
    """

    def __init__(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        self.path = pathlib.Path(path)
        self.overwrite = overwrite
        # the suffix stays last: GDAL's drivers look at it
        name = f".{self.path.stem}-{secrets.token_hex(4)}.part{self.path.suffix}"
        self.temporary = self.path.with_name(name)

    def __enter__(self) -> AtomicFile:
        if self.path.is_dir():
            raise BadInput(f"{self.path} is a folder; must be the name of a file")
        if not self.overwrite and self.path.exists():
            raise BadInput(f"{self.path} exists already; give --overwrite to replace it")
        try:
            with _uninterrupted():
                self.temporary.touch(exist_ok=False)
        except OSError as error:
            raise from_os_error(error, self.path, "written") from None
        except BaseException:  # a signal that had to wait for the file
            self._remove()
            raise
        return self

    def check(self) -> None:
        """Refuses what entering would refuse, and leaves nothing: to be called before the work that makes the content."""
        self.__enter__()
        with _uninterrupted():
            self._remove()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        try:
            if kind is None:
                with _uninterrupted():
                    self._publish()
        except OSError as refused:
            raise from_os_error(refused, self.path, "written") from None
        finally:
            with _uninterrupted():
                self._remove()
        if isinstance(error, OSError) and error.filename in (None, os.fspath(self.temporary)):
            raise from_os_error(error, self.path, "written") from None

    def _publish(self) -> None:
        for side in self._side_files():
            os.replace(side, self.path.with_name(self.path.name + side.name[len(self.temporary.name) :]))
        os.replace(self.temporary, self.path)

    def _side_files(self) -> list[pathlib.Path]:
        return [p for p in self.path.parent.glob(f"{self.temporary.name}?*") if p.is_file()]

    def _remove(self) -> None:
        with contextlib.suppress(OSError):
            for left in (self.temporary, *self._side_files()):
                left.unlink(missing_ok=True)


@contextlib.contextmanager
def temporary_folder(parent: str | os.PathLike[str]) -> Iterator[pathlib.Path]:
    """A hidden folder inside `parent` for intermediate files; gone afterwards, also after a signal."""
    folder = pathlib.Path(parent) / f".sidelook-{secrets.token_hex(4)}.part"
    try:
        try:
            folder.mkdir(parents=False)
        except OSError as error:
            raise from_os_error(error, folder.parent, "written") from None
        yield folder
    finally:
        with _uninterrupted():
            shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def output_folder(path: str | os.PathLike[str], names: Sequence[str], *, overwrite: bool = False) -> Iterator[pathlib.Path]:
    """A hidden folder inside `path` for files that are to appear there, all of them when all are whole, or none.

    `path` and the folders above it are made if they are not there, and taken away again if nothing comes of it.

    Parameters
    ----------
    names : the files; each must have been written when the body ends
    overwrite : replace files of these names

    Raises
    ------
    BadInput
        If `path` is no folder or cannot be made or written, or one of the files is there and `overwrite` is false.
    """
    folder = pathlib.Path(path)
    if folder.exists() and not folder.is_dir():
        raise BadInput(f"{folder} is a file; must be the name of a folder")
    for name in names:
        if not overwrite and (folder / name).exists():
            raise BadInput(f"{folder / name} exists already; give --overwrite to replace it")
    made = [f for f in (folder, *folder.parents) if not f.exists()]
    published = False
    try:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise from_os_error(error, folder, "made") from None
        with temporary_folder(folder) as work:
            try:
                yield work
            except OSError as error:
                if error.filename is None or str(error.filename).startswith(str(work)):
                    raise from_os_error(error, folder, "written") from None
                raise
            except SidelookError as error:  # of a hidden folder that nobody has heard of
                raise type(error)(str(error).replace(str(work), str(folder))) from None
            with _uninterrupted():
                published = True
                for name in names:
                    os.replace(work / name, folder / name)
    finally:
        if not published:
            for empty in made:
                with contextlib.suppress(OSError):
                    empty.rmdir()


def print_json(value: dict[str, Any]) -> None:
    """One JSON object on stdout."""
    print(json.dumps(value, indent=2, allow_nan=False))


# ---- progress --------------------------------------------------------------------------------------------------


class Progress:
    """GDAL's progress line on stderr: 0...10...20 and so on to 100 - done.

    Shown if stderr is a terminal, or if forced; never if quiet.
    """

    STEPS = 40  # a dot every 2.5 %, a number every 10 %, as GDALTermProgress

    def __init__(self, *, quiet: bool = False, force: bool = False) -> None:
        self.shown = not quiet and (force or sys.stderr.isatty())
        self._step = -1

    @classmethod
    def from_args(cls, args: argparse.Namespace) -> Progress:
        """From the options of `add_report_options`."""
        return cls(quiet=args.quiet, force=args.progress)

    def __call__(self, fraction: float) -> None:
        """Tells that `fraction` (0 to 1) of the work is done; going back is ignored."""
        last = int(min(max(fraction, 0.0), 1.0) * self.STEPS + 1e-9)
        if not self.shown or last <= self._step:
            return
        for step in range(self._step + 1, last + 1):
            sys.stderr.write(str(step * 100 // self.STEPS) if step % 4 == 0 else ".")
        self._step = last
        if last == self.STEPS:
            sys.stderr.write(" - done.\n")
        sys.stderr.flush()

    def close(self) -> None:
        """Ends an unfinished line, so that an error message starts on its own."""
        if self.shown and 0 <= self._step < self.STEPS:
            sys.stderr.write("\n")
            self._step = self.STEPS


# ---- signals ---------------------------------------------------------------------------------------------------


class Terminated(BaseException):
    """SIGTERM, as an exception, so that `with` and `finally` clean up."""


@contextlib.contextmanager
def signals_as_exceptions() -> Iterator[None]:
    """Within it SIGTERM raises `Terminated` (SIGINT raises KeyboardInterrupt as always), and what either has caused is that again."""
    if threading.current_thread() is not threading.main_thread():
        yield  # Python delivers signals to the main thread only
        return

    def terminate(number: int, frame: FrameType | None) -> None:
        raise Terminated

    before = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    except Exception as error:
        # A signal that comes while a class is made reaches us as the RuntimeError that CPython before 3.12 makes of it.
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, (KeyboardInterrupt, Terminated)):
            cause = cause.__cause__ or cause.__context__
        if cause is None:
            raise
        raise cause from None
    finally:
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Holds back SIGINT and SIGTERM for the moment of a rename or a removal; they are raised right after."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    arrived: list[int] = []
    before: dict[int, Callable[[int, FrameType | None], Any] | int | None] = {}
    for number in (signal.SIGINT, signal.SIGTERM):
        before[number] = signal.signal(number, lambda n, frame: arrived.append(n))
    try:
        yield
    finally:
        for changed, handler in before.items():
            signal.signal(changed, handler)
        if arrived:
            signal.raise_signal(arrived[0])
