"""Sidelook: spaceborne radar echoes to focused images, where the data is.

import sidelook
with sidelook.open_echoes("scene.crsd") as echoes:
    slc = sidelook.focus(echoes)
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "Acquisition",
    "Intensity",
    "SidelookError",
    "backproject",
    "calibrate",
    "despeckle",
    "focus",
    "open_echoes",
    "read_intensity",
    "read_slc",
    "write_intensity",
    "write_slc",
]
__version__ = "0.1.0"

_HOMES = {
    "Acquisition": "sidelook.acquisition",
    "Intensity": "sidelook.radiometry",
    "SidelookError": "sidelook.errors",
    "backproject": "sidelook.backprojection",
    "calibrate": "sidelook.radiometry",
    "despeckle": "sidelook.speckle",
    "focus": "sidelook.focusing",
    "open_echoes": "sidelook.crsd",
    "read_intensity": "sidelook.intensity",
    "read_slc": "sidelook.slc",
    "write_intensity": "sidelook.intensity",
    "write_slc": "sidelook.slc",
}


def __getattr__(name: str) -> Any:
    # Imported when first used: `sidelook --help` then needs neither numpy nor the native library.
    if name in _HOMES:
        import importlib

        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'sidelook' has no attribute {name!r}")
