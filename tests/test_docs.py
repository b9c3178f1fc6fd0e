"""The documentation is true: its Python runs, its links lead somewhere, its commands parse, its lists of fields are whole."""

from __future__ import annotations

import argparse
import ast
import contextlib
import functools
import importlib
import io
import os
import pathlib
import re
import shlex
import subprocess
from typing import Any

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*.md")])


def name_of(page: pathlib.Path) -> str:
    return str(page.relative_to(ROOT))


def every_page() -> Any:
    return pytest.mark.parametrize("page", PAGES, ids=name_of)


# ---- Python ------------------------------------------------------------------------------------------------------

NOT_RUN = re.compile(r"<!-- not run: (.+?) -->\s*$")  # on the line before a block, with the reason

# What a page's examples speak of as if it were there, made before they run.
GIVEN = {
    "docs/raw-data.md": """
from sidelook import crsd, simulate
from sidelook.acquisition import Acquisition
_scene = simulate.points(pulses=1300, samples=600, rows=1, columns=1, beam_limit=1)
acquisition, array = Acquisition.from_native(_scene.acquisition), _scene.echoes
blocks = (array[first : first + 500] for first in range(0, 1300, 500))
crsd.write("scene.crsd", acquisition, array)
import pathlib
import numpy as np
import space_packets as _sp
_codes = _sp.random_codes(12, 200, np.random.default_rng(1))
pathlib.Path("s3-vv.dat").write_bytes(b"".join(_sp.packet(_codes, space_packet_count=i, pri_count=i) for i in range(3)))
""",
    "docs/publish.md": """
import pathlib
import intensity_image as _made, test_land as _land
_acquisition, _metadata = _made.spaced()
_truth = _made.Truth(_acquisition, _metadata)
_made.write_image(pathlib.Path("sigma0.tif"), _made.sea(), _metadata)
_ring = [_truth.lonlat(*p) for p in ((0, 0), (50, 0), (50, 50), (0, 50), (0, 0))]
_land.write_land(pathlib.Path("coast.gpkg"), [[_ring]])
from sidelook.publish import write_detections
write_detections("ships.geojson", _made.found(_made.detection(60, 70, _truth)), image=_metadata)
""",
}
# The same example at a size that a test can afford: (page, as it is shown, as it is run).
SMALLER = (("docs/simulator.md", "pulses=2048, samples=3072", "pulses=1200, samples=700"),)
# Writing the same file twice is refused, as it should be; a page shows both ways under one name. `...` stands for a body.
ADAPTED = (
    ("docs/raw-data.md", 'crsd.write("copy.crsd", acquisition, blocks)', 'crsd.write("copy2.crsd", acquisition, blocks)'),
    (
        "docs/raw-data.md",
        'crsd.write("copy.crsd", acquisition, lambda first_pulse, pulses: ...)',
        'crsd.write("copy3.crsd", acquisition, lambda first_pulse, pulses: array[first_pulse : first_pulse + pulses])',
    ),
)


def python_blocks(page: pathlib.Path) -> list[tuple[int, str]]:
    """Line number and text of every ```python block that is not excused."""
    found = []
    text = page.read_text(encoding="utf-8")
    for match in re.finditer(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        if not NOT_RUN.search(text[: match.start()].rstrip()):
            found.append((text.count("\n", 0, match.start()) + 2, match[1]))
    return found


@pytest.mark.parametrize("page", [p for p in PAGES if python_blocks(p)], ids=name_of)
def test_python_blocks_run(page: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All blocks of a page, one after the other, as if typed in one session in an empty folder."""
    name = name_of(page)
    blocks = python_blocks(page)
    whole = "".join(code for _, code in blocks)
    if ".tif" in whole:
        pytest.importorskip("osgeo", reason="GDAL's Python bindings are not installed")
    if ".crsd" in whole:
        pytest.importorskip("sarkit", reason="sarkit is not installed")
    monkeypatch.chdir(tmp_path)
    space: dict[str, Any] = {"__name__": "__main__"}
    for where, shown, _ in (*SMALLER, *ADAPTED):
        assert where != name or shown in whole, f"{name} no longer says {shown!r}: take it out of tests/test_docs.py"
    exec(compile(GIVEN.get(name, ""), f"given for {name}", "exec"), space)
    for line, code in blocks:
        for where, shown, run in (*SMALLER, *ADAPTED):
            code = code.replace(shown, run) if where == name else code
        exec(compile("\n" * (line - 1) + code, str(page), "exec"), space)


# ---- links and paths ---------------------------------------------------------------------------------------------


def prose(page: pathlib.Path) -> str:
    """The page without fenced blocks."""
    return re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def anchors(page: pathlib.Path) -> set[str]:
    """Fragments that GitHub makes of headings: small letters, no punctuation, blanks to hyphens."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    slugs = {re.sub(r"[^\w\- ]", "", h.replace("`", "").lower()).strip().replace(" ", "-") for h in headings}
    return slugs | set(re.findall(r'<a id="([^"]+)">', page.read_text(encoding="utf-8")))


@every_page()
def test_links_lead_somewhere(page: pathlib.Path) -> None:
    links = re.findall(r"\[[^\]]*\]\(([^)\s]+)\)", prose(page))
    for link in links:
        if re.match(r"[a-z]+://|mailto:", link):
            assert link.startswith("https://"), f"{link} is not https"
            continue
        path, _, fragment = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{name_of(page)} links {link}; there is no such file"
        assert not fragment or fragment in anchors(target), f"{name_of(page)} links {link}; there is no such heading"


def test_index_leads_to_every_page() -> None:
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    missing = [p.name for p in PAGES if p.parent.name == "docs" and p.name != "index.md" and f"({p.name})" not in index]
    assert not missing


@every_page()
def test_paths_in_code_exist(page: pathlib.Path) -> None:
    """Files of the repository that a page names, and tests by their names."""
    spans = re.findall(r"`([^`\n]+)`", prose(page)) + re.findall(r"^    .+$", prose(page), re.MULTILINE)
    places = "|".join(("tests", "docs", "examples", "tools", "cpp", "python", "cmake", "bench"))
    for span in spans:
        for path, test in re.findall(rf"(?<![\w/.])((?:{places})/[\w/.-]*\w)(?:::(\w+))?", span):
            assert (ROOT / path).exists(), f"{name_of(page)} names {path}; there is no such file"
            assert not test or f"def {test}(" in (ROOT / path).read_text(encoding="utf-8"), f"{path} has no {test}"


def test_make_targets_exist() -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for page in PAGES:
        named = set(re.findall(r"(?:`|^    )make (\w+)", page.read_text(encoding="utf-8"), re.MULTILINE))
        assert named <= targets, f"{name_of(page)}: {named - targets}"


# ---- the command line --------------------------------------------------------------------------------------------


def shown_commands(page: pathlib.Path) -> list[str]:
    """`sidelook ...` lines of code blocks, fenced (sh, console) and indented; `a | b | c` is a list of commands, not one."""
    fenced = re.findall(r"^```(?:sh|bash|console|shell)\n(.*?)^```$", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    lines = "".join(fenced).splitlines() + re.findall(r"^    (\S.*)$", prose(page), re.MULTILINE)
    commands = (line.removeprefix("$ ") for line in lines)
    return [c for c in commands if c.startswith("sidelook ") and " | " not in c]


def parse(words: list[str]) -> argparse.Namespace:
    from sidelook.cli import _build_parser

    wanted = next((w for w in words if not w.startswith("-")), None)
    return _build_parser(wanted).parse_args(words)


def test_commands_are_found() -> None:
    assert {c.split()[1] for page in PAGES for c in shown_commands(page)} >= {
        "simulate",
        "focus",
        "calibrate",
        "measure",
        "demo",
        "bench",
        "info",
    }


@every_page()
def test_commands_parse(page: pathlib.Path) -> None:
    for line in shown_commands(page):
        words = shlex.split(line, comments=True)[1:]
        said = io.StringIO()
        try:
            with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
                parse(words)
        except SystemExit as end:
            assert end.code in (0, None), f"{name_of(page)} shows {line!r}: {said.getvalue()}"


@functools.cache
def help_of(command: str) -> str:
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):
        parse([command, "--help"])
    return said.getvalue()


@every_page()
def test_commands_in_prose_exist(page: pathlib.Path) -> None:
    """`sidelook COMMAND --option` within a sentence: the command is there and has the option."""
    from sidelook.cli import COMMANDS

    for span in re.findall(r"`sidelook ([a-z][^`\n]*)`", prose(page)):
        if " | " in span:
            assert {w for w in re.split(r"[ |]+", span) if w.isalpha()} <= set(COMMANDS)
            continue
        command = span.split()[0]
        assert command in COMMANDS, f"{name_of(page)} names sidelook {command}"
        for option in re.findall(r"(?<!\w)--[a-z][\w-]*", span):
            assert option in help_of(command), f"{name_of(page)}: sidelook {command} has no {option}"


# ---- lists that must be whole ------------------------------------------------------------------------------------


def fields(page: str, heading: str | None = None) -> set[str]:
    """Names in the first column of the tables of a page, or of those below a heading or some words."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    if heading is not None:
        text = text[text.index(heading) + len(heading) :]
        text = re.split(r"\n#|\n`\w+`:\n", text)[0]
    rows = re.findall(r"^\| (`[^|]+) \|", text, re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`(\w+)`", row)}


@functools.cache
def focused() -> Any:
    from sidelook import Acquisition, focus, simulate

    scene = simulate.points(pulses=1100, samples=600, rows=1, columns=1, beam_limit=1)
    return focus(scene.echoes, Acquisition.from_native(scene.acquisition))


def test_every_metadata_field_is_described() -> None:
    metadata = focused().metadata
    assert fields("slc.md", "\n## The metadata") == set(metadata) | {"quicklook_looks"}  # that one is added by the file
    always = {"source", "coefficients_hz", "drift_hz_per_s"}
    assert set(metadata["doppler"]) == always
    assert fields("slc.md", "\n`doppler`:\n") == always | {"ambiguity", "sharpness_margin"}
    assert fields("slc.md", "\n`echoes`:\n") == set(metadata["echoes"])


def test_every_field_of_intensity_is_described() -> None:
    from sidelook import calibrate

    metadata = calibrate(focused()).metadata
    assert fields("radiometry.md", "\n## The metadata") == set(metadata) | {"quicklook_looks"}


def test_doppler_from_the_echoes_has_the_fields_described() -> None:
    from sidelook import _native, simulate
    from sidelook.acquisition import Acquisition
    from sidelook.focusing import focus

    acquisition = simulate.acquire(simulate.sensor(), 1100, 600)
    noise = np.random.default_rng(3).standard_normal((1100, 1200), np.float32).view(np.complex64)
    slc = focus(noise, Acquisition.from_native(acquisition), doppler="data")
    assert fields("slc.md", "\n`doppler`:\n") == set(slc.metadata["doppler"])
    assert _native.version() in slc.metadata["software"]


def test_every_option_of_focus_is_described() -> None:
    import dataclasses

    from sidelook.focusing import Options

    assert fields("python.md", "The keywords are the fields of") == {f.name for f in dataclasses.fields(Options)}
    text = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    for field in dataclasses.fields(Options):
        row = next(r.split("|") for r in text.splitlines() if r.startswith("| `") and f"`{field.name}`" in r.split("|")[1])
        assert ast.literal_eval(row[2].strip().strip("`")) == field.default, field.name


@pytest.mark.parametrize("page", ["flow.md", "cli.md"])
def test_exit_codes_are_those_of_the_errors(page: str) -> None:
    from sidelook import errors

    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    table = text[text.index("## Exit codes") :].split("\n## ")[0]
    codes = {int(c) for row in re.findall(r"^\| ([\d, ]+) \|", table, re.MULTILINE) for c in row.split(",")}
    kinds = [k for k in vars(errors).values() if isinstance(k, type) and issubclass(k, errors.SidelookError)]
    assert codes == {k.exit_code for k in kinds} | {0, 130, 143}
    if page == "flow.md":
        for kind in kinds:
            if kind is not errors.SidelookError:
                assert re.search(rf"\| {kind.exit_code} \|[^|]*\| `{kind.__name__}` \|", table), kind


def test_versions_agree() -> None:
    from sidelook import __version__, _native

    cmake = re.search(r"VERSION ([\d.]+) LANGUAGES", (ROOT / "CMakeLists.txt").read_text(encoding="utf-8"))
    assert cmake and cmake[1] == __version__ == _native.version()
    assert f"## [{__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_public_names_of_the_table_exist() -> None:
    for module in re.findall(r"^\| `(sidelook[\w.]*)` \|", (ROOT / "docs" / "python.md").read_text(encoding="utf-8"), re.MULTILINE):
        importlib.import_module(module)
    import sidelook

    row = next(r for r in (ROOT / "docs" / "python.md").read_text(encoding="utf-8").splitlines() if r.startswith("| `sidelook` |"))
    assert set(re.findall(r"`(\w+)`", row)) - {"sidelook"} == set(sidelook.__all__)


# ---- the repository as a whole -----------------------------------------------------------------------------------


def text_files() -> list[pathlib.Path]:
    """Files under version control or about to be; from an archive without git, everything but hidden and built folders."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode == 0:
        paths = [ROOT / os.fsdecode(name) for name in listed.stdout.split(b"\0") if name]
    else:
        inside = (p for p in ROOT.rglob("*") if not any(part.startswith(".") for part in p.relative_to(ROOT).parts))
        paths = [p for p in inside if not {"build", "demo", "__pycache__"} & set(p.parts)]
    return [p for p in paths if p.is_file() and p.suffix not in (".png", ".npy", ".tif", ".crsd")]


# Absolute paths of somebody's machine; those that every system has (/dev, /proc, /usr/bin, /opt as an example) are fine.
OF_ONE_MACHINE = re.compile(r"(?<![\w.$}>)\]-])/(?:home|root|tmp|work|Users|mnt|media)/\w[^\s\"'`)]*|\b[A-Z]:\\\w+\\")
UNFINISHED = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|TB" r"D)\b", re.IGNORECASE)


def test_no_path_of_one_machine_and_nothing_unfinished() -> None:
    found = []
    for path in text_files():
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            for pattern in (OF_ONE_MACHINE, UNFINISHED):
                if match := pattern.search(line):
                    found.append(f"{name_of(path)}:{number}: {match[0]}")
    assert not found, "\n".join(found)


def test_that_check_can_fail() -> None:
    assert OF_ONE_MACHINE.search('open("/' + 'home/somebody/file")') and OF_ONE_MACHINE.search("C:\\" + "Users\\me")
    assert not OF_ONE_MACHINE.search("build/tmp/x and https://x.org/home/y and /dev/null and ${TMP}/work/x")
    assert UNFINISHED.search("# to" + "do: later") and not UNFINISHED.search("mastodon")
