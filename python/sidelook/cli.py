"""The command line: `sidelook COMMAND ...`, in the manner of `gdal raster`.

A command is a module of `sidelook.commands` with `register(subparsers)` and `run(args) -> int`. Only the module of the
command that was asked for is imported, so that help is quick and a missing library hurts only those who need it.

Exit codes: 0 done, 1 failure, 2 usage, 3 bad input, 4 missing auxiliary data, 5 over memory, 130 and 143 on signals.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from sidelook._cli_common import Terminated, signals_as_exceptions
from sidelook.errors import SidelookError, translate

COMMANDS = {
    "demo": "simulate a coast, focus it, measure and report",
    "simulate": "write the raw echoes of a scene as CRSD",
    "info": "say what a file holds",
    "focus": "turn raw echoes into a focused image",
    "calibrate": "turn a focused image into calibrated intensity",
    "despeckle": "filter the speckle of an image",
    "measure": "analyse point targets in a focused image",
    "detect": "find ships in a calibrated image",
    "publish": "put calibrated intensity on a map, with a STAC item",
    "bench": "time every stage against the machine's limit",
    "devices": "list where this build can compute",
}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        # one sentence, the same form as every other refusal
        self.exit(2, f"sidelook: error: {message} (see '{self.prog} --help')\n")


class _Help(argparse.HelpFormatter):
    def __init__(self, prog: str) -> None:
        super().__init__(prog)
        # argparse forgets that commands are indented once more, and breaks the line after the longest
        self._action_max_length = max(map(len, COMMANDS)) + 4


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *unused: object, **also_unused: object) -> NoReturn:
        print(f"sidelook {version()}")
        parser.exit(0)


def version() -> str:
    """Version of the installed package."""
    import importlib.metadata

    try:
        return importlib.metadata.version("sidelook")
    except importlib.metadata.PackageNotFoundError:  # run from a source tree
        import sidelook

        return str(getattr(sidelook, "__version__", "unknown"))


def _build_parser(wanted: str | None) -> argparse.ArgumentParser:
    parser = _Parser(
        prog="sidelook",
        description="Radar echoes to focused images and calibrated intensity.",
        epilog="Exit codes: 0 done, 1 failure, 2 usage, 3 bad input, 4 missing auxiliary data or device, 5 over memory.",
        allow_abbrev=False,
        formatter_class=_Help,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=_Parser)
    for name, summary in COMMANDS.items():
        if name == wanted:
            importlib.import_module(f"sidelook.commands.{name}").register(subparsers)
        else:
            subparsers.add_parser(name, help=summary, add_help=False)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; returns its exit code and never raises what a user can cause."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    wanted = next((a for a in arguments if not a.startswith("-")), None)
    try:
        with signals_as_exceptions(), translate():
            args = _build_parser(wanted).parse_args(arguments)
            code = importlib.import_module(f"sidelook.commands.{args.command}").run(args)
            sys.stdout.flush()
            return int(code)
    except SystemExit as end:  # argparse: help, version, usage
        return end.code if isinstance(end.code, int) else 2
    except SidelookError as error:
        return _refuse(str(error), error.exit_code)
    except KeyboardInterrupt:
        # CPython remembers an interrupt that came out of an exec, as while dataclasses are made, even if it is caught later, and
        # would end by the signal; another exec makes it forget
        exec("")
        return _refuse("interrupted", 130)
    except Terminated:
        return _refuse("terminated", 143)
    except MemoryError:
        return _refuse("the system has no more memory; give a smaller --max-ram or a smaller scene", 5)
    except BrokenPipeError:
        # the reader of our output has left, as `head` does; what is still buffered must not complain at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if os.environ.get("SIDELOOK_DEBUG"):
            raise
        sentence = " ".join(str(error).split())
        return _refuse(f"{type(error).__name__}: {sentence} (a bug of ours; SIDELOOK_DEBUG=1 shows where)", 1)


def _refuse(sentence: str, code: int) -> int:
    print(f"sidelook: error: {sentence}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
