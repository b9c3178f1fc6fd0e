"""Sizes of the benchmarks, and what of the machine goes into their report."""

from __future__ import annotations

from typing import Any

import pytest
from sidelook import _native
from sidelook.commands.devices import cpu

# A power of two, two primes, a long strip, a wide one: few transforms of theirs are of convenient length. Pulses x samples.
SIZES = ("2048x2048", "2503x2053", "8192x1031", "1811x4099")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--sizes", default=",".join(SIZES), help="pulses x samples, joined by commas, instead of the fixed list")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "size" in metafunc.fixturenames:
        sizes = metafunc.config.getoption("--sizes").split(",")
        metafunc.parametrize("size", [tuple(int(n) for n in size.split("x")) for size in sizes], ids=sizes, scope="module")


@pytest.fixture(scope="session")
def limits() -> Any:
    """What one thread of this machine can do, measured now."""
    return _native.measure_machine(1)


@pytest.hookimpl(optionalhook=True)
def pytest_benchmark_update_machine_info(config: pytest.Config, machine_info: dict[str, Any]) -> None:
    machine_info["sidelook"] = {
        "version": _native.version(),
        "fft_library": _native.fft_library(),
        "instruction_set": _native.instruction_set(),
        "cpu": cpu(),
    }
