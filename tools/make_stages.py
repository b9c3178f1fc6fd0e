"""Writes docs/stages.md from the native table of stages; tests/test_stages.py sees to it that it is up to date."""

from __future__ import annotations

import pathlib
import sys
from typing import Any

from sidelook import _native


def page(stages: list[dict[str, Any]]) -> str:
    """The whole page as Markdown."""
    lines = [
        "# Stages",
        "",
        "Made from the native table of stages by `python tools/make_stages.py`; do not edit. [flow.md](flow.md) tells the conventions,",
        "[focusing.md](focusing.md) and [radiometry.md](radiometry.md) the physics, [cuda.md](cuda.md) what `cuda` takes: a build with it,",
        "and a device.",
        "",
        "| stage | in | out | cpu | cuda |",
        "|---|---|---|---|---|",
    ]
    for s in stages:
        ports = [f"{s[end]['type']} {s[end]['dimensions']}" for end in ("in", "out")]
        lines.append(f"| [{s['name']}](#{s['name']}) | {ports[0]} | {ports[1]} | {_mark(s['cpu'])} | {_mark(s['cuda_twin'])} |")
    for s in stages:
        lines += ["", f"## {s['name']}", "", s["summary"][0].upper() + s["summary"][1:] + ".", ""]
        lines += [f"- in: {_port(s['in'])}", f"- out: {_port(s['out'])}", f"- reach: {s['reach']}"]
        if s["first_pass"]:
            lines.append(f"- first pass: {s['first_pass']}")
        lines += ["", "| parameter | unit | default | meaning |", "|---|---|---|---|"]
        lines += [f"| {p['name']} | {p['unit']} | {p['default']} | {p['summary']} |" for p in s["parameters"]]
    return "\n".join(lines) + "\n"


def _mark(there: bool) -> str:
    return "yes" if there else "-"


def _port(port: dict[str, str]) -> str:
    return f"{port['type']} {port['dimensions']}, {port['unit']}"


if __name__ == "__main__":
    target = pathlib.Path(__file__).resolve().parent.parent / "docs" / "stages.md"
    target.write_text(page(_native.stage_table()), encoding="utf-8")
    sys.exit(0)
