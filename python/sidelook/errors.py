"""What can go wrong, with the exit code of the command line: one sentence each, no traceback for the user.

The sentences come from the native core (argument, its value, the rule); `translate` gives them their Python face.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from types import TracebackType
from typing import ClassVar


class SidelookError(Exception):
    """Base of every refusal; ``str(error)`` is one sentence, ``exit_code`` the code of the command line."""

    exit_code: ClassVar[int] = 1


class Failure(SidelookError):
    """Our bug, or the system failed us (exit code 1)."""

    exit_code = 1


class Usage(SidelookError):
    """The command line was wrong (exit code 2)."""

    exit_code = 2


class BadInput(SidelookError):
    """An argument, a file or the data break a rule (exit code 3)."""

    exit_code = 3


class MissingAuxiliary(SidelookError):
    """An orbit, a device or a library that was asked for is not there (exit code 4)."""

    exit_code = 4


class OverMemory(SidelookError):
    """The work does not fit the memory allowed (exit code 5)."""

    exit_code = 5


_BY_CODE: dict[int, type[SidelookError]] = {kind.exit_code: kind for kind in (Failure, Usage, BadInput, MissingAuxiliary, OverMemory)}


def from_code(code: int, sentence: str) -> SidelookError:
    """The exception that belongs to a status code of the native core (sidelook::Code)."""
    return _BY_CODE.get(code, Failure)(sentence)


class translate(contextlib.ContextDecorator):
    """Turns `sidelook._native.NativeError` (args: code, sentence) into a `SidelookError`.

    Use it as ``with translate():`` or as the decorator ``@translate()`` around calls of the native core.
    """

    def __enter__(self) -> translate:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        native = sys.modules.get("sidelook._native")  # an error of a module that was never loaded cannot be
        if native is not None and isinstance(error, native.NativeError):
            code, sentence = error.args
            raise from_code(int(code), str(sentence)) from None


def from_os_error(error: OSError, path: str | os.PathLike[str], doing: str) -> SidelookError:
    """One sentence for what the file system refused.

    Parameters
    ----------
    error : the exception of the operating system
    path : the file that was meant; named in the sentence
    doing : "read" or "written", as in "out.tif cannot be written: no space left on the device"
    """
    reasons = {
        errno.ENOSPC: "no space is left on the device",
        errno.EDQUOT: "the disk quota is used up",
        errno.EFBIG: "the file would be larger than the system allows",
        errno.EACCES: "permission denied",
        errno.EPERM: "permission denied",
        errno.EROFS: "the file system is read-only",
        errno.ENOENT: "there is no such file or folder",
        errno.ENOTDIR: "its folder is not a folder",
        errno.EISDIR: "it is a folder",
    }
    reason = reasons.get(error.errno or 0, (error.strerror or str(error)).lower())
    return BadInput(f"{os.fspath(path)} cannot be {doing}: {reason}")
