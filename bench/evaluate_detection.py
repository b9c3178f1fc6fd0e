"""Ship detection judged on simulated coasts: echoes, focusing, intensity, detection, and only then the truth.

    python bench/evaluate_detection.py --seeds 1-8
    python bench/evaluate_detection.py --seeds 101-112 --instrument x-stripmap --land none

Images are those of `sidelook calibrate`. sidelook.assess tells where an image must show a ship, and
matches one to one: the detection's centre lies in the ship's rectangle dilated by one cell. A cell is the half-power width of the
response along azimuth and along ground range. Flagged objects are no detections, and no false alarms.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import pathlib
import sys
import time
from typing import Any

import numpy as np
from sidelook import calibrate, focus, simulate
from sidelook.acquisition import Acquisition
from sidelook.assess import Known, known_ships, match
from sidelook.detect import Options, detect
from sidelook.focusing import Slc

LENGTHS = (0.0, 50.0, 80.0, 130.0, 400.0)  # (m)
RATIOS = (0.0, 12.0, 15.0, 20.0, 25.0, 60.0)  # (dB)


@dataclasses.dataclass
class Ship:
    """A ship of the truth, in the image."""

    known: Known
    scr_db: float
    cells: float  # its length
    found: Any = None

    @property
    def length_m(self) -> float:
        return 2 * self.known.half_length_m


@dataclasses.dataclass
class Scene:
    ships: list[Ship]
    detections: Any
    false: list[Any]
    seconds: float


def make_scene(folder: pathlib.Path | None, name: str, **options: Any) -> tuple[Slc, dict[str, Any]]:
    """Focused image and truth; kept in `folder` when there is one."""
    path = folder / name if folder else None
    if path and path.with_suffix(".json").exists():
        kept = json.loads(path.with_suffix(".json").read_text())
        return Slc(np.load(path.with_suffix(".npy")), kept["meta"]), kept["truth"]
    scene = simulate.coast(**options)
    slc = focus(scene.echoes, Acquisition.from_native(scene.acquisition))
    if path:
        np.save(path.with_suffix(".npy"), slc.image)
        path.with_suffix(".json").write_text(json.dumps({"meta": slc.metadata, "truth": scene.truth}))
    return slc, scene.truth


def ships_of(truth: dict[str, Any], metadata: dict[str, Any], intensity: np.ndarray) -> list[Ship]:
    ships = []
    for k in known_ships(truth, metadata):
        half = np.ceil((k.half_length_m * np.abs(k.along) + k.cell_m) / k.spacing_m).astype(int)
        l0, l1 = max(0, int(k.line) - half[0]), int(k.line) + half[0] + 1
        c0, c1 = max(0, int(k.sample) - half[1]), int(k.sample) + half[1] + 1
        around = intensity[max(0, l0 - 30) : l1 + 30, max(0, c0 - 30) : c1 + 30]
        around = around[around > 0]
        looks = metadata["equivalent_number_of_looks"]
        mean = np.median(around) * (3 * looks + 0.2) / (3 * looks - 0.8)
        scr = 10 * math.log10(np.nanmax(intensity[l0:l1, c0:c1]) / mean)
        ships.append(Ship(k, scr, 2 * k.half_length_m * math.hypot(*(k.along / k.cell_m))))
    return ships


def judge(slc: Slc, truth: dict[str, Any], looks: tuple[int, int], land: str | None, options: Options) -> Scene:
    image = calibrate(slc, looks=looks)
    begin = time.process_time()
    found = detect(image.image, image.metadata, options, land=land)
    seconds = time.process_time() - begin
    ships = ships_of(truth, image.metadata, image.image)
    plain = [o for o in found.objects if not o.flags]
    matched = match(plain, [s.known for s in ships])
    for i, j in matched.items():
        ships[i].found = plain[j]
    return Scene(ships, found, [o for j, o in enumerate(plain) if j not in matched.values()], seconds)


def wilson(k: int, n: int) -> tuple[float, float]:
    """95 % interval of a proportion (E. Wilson, J. American Statistical Association 22, 1927)."""
    if n == 0:
        return 0.0, 1.0
    z = 1.959964
    p, d = k / n, 1 + z * z / n
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return (p + z * z / (2 * n) - half) / d, (p + z * z / (2 * n) + half) / d


def share(k: int, n: int) -> str:
    low, high = wilson(k, n)
    return f"{k}/{n} = {k / max(1, n):.3f} ({low:.3f} to {high:.3f})"


def report(scenes: list[Scene], verbose: bool) -> None:
    ships = [s for scene in scenes for s in scene.ships]
    seconds = sum(s.seconds for s in scenes)
    print(f"{len(scenes)} scenes, {len(ships)} ships, detection {seconds / max(1, len(scenes)):.2f} CPU seconds a scene")
    wanted = [s for s in ships if s.cells > 3 and s.scr_db > 12]
    print("Pd, longer than 3 cells, SCR over 12 dB:", share(sum(s.found is not None for s in wanted), len(wanted)))
    long = [s for s in wanted if s.cells > 5]
    print("Pd, longer than 5 cells, SCR over 12 dB:", share(sum(s.found is not None for s in long), len(long)))
    for low, high in zip(RATIOS, RATIOS[1:], strict=False):
        some = [s for s in ships if low <= s.scr_db < high]
        if some:
            print(f"  SCR {low:.0f} to {high:.0f} dB: {share(sum(s.found is not None for s in some), len(some))}")
    for low, high in zip(LENGTHS, LENGTHS[1:], strict=False):
        some = [s for s in ships if low <= s.length_m < high]
        if some:
            print(f"  length {low:.0f} to {high:.0f} m: {share(sum(s.found is not None for s in some), len(some))}")
    false = [len(s.false) for s in scenes]
    print(f"false alarms: {sum(false)}, {np.mean(false):.2f} a scene, by scene {false}")
    errors, metres, within, covered, worst, rows = [], [], [], [], [], []
    for scene in scenes:
        for s in scene.ships:
            o = s.found
            if o is None:
                if verbose:
                    print(f"    missed: {s.known.line:.0f} {s.known.sample:.0f}, {s.length_m:.0f} m, SCR {s.scr_db:.1f} dB")
                continue
            d, heading = s.known.offset_m(o), s.known.truth["heading_deg"]
            errors.append(float(np.hypot(*(d / s.known.cell_m))))
            metres.append(float(np.hypot(*d)))
            within.append(metres[-1] - max(s.known.cell_m) - 0.15 * s.length_m)
            covered += [abs(d[0]) <= 2 * o.azimuth_sigma_m, abs(d[1]) <= 2 * o.ground_range_sigma_m]
            worst.append(metres[-1] <= 2 * o.position_sigma_m)
            turn = math.nan if o.heading_deg is None else (o.heading_deg - heading + 90) % 180 - 90
            heading_sigma = o.heading_sigma_deg or math.nan
            rows.append((s.length_m, o.length_m, o.length_sigma_m, turn, heading_sigma, d[0], d[1]))
            if verbose:
                print(
                    f"    {s.length_m:5.0f} m at {heading:5.0f}: error {d[0]:6.1f} {d[1]:6.1f} m, "
                    f"sigma {o.azimuth_sigma_m:.1f} {o.ground_range_sigma_m:.1f}, length {o.length_m:.0f} +- {o.length_sigma_m:.0f}, "
                    f"width {o.width_m:.0f}, turn {turn:.0f} +- {heading_sigma:.0f}, SCR {s.scr_db:.0f}"
                )
        if verbose:
            for o in scene.false:
                print(f"    false: {o.line:.0f} {o.sample:.0f}, {o.length_m:.0f} m, SCR {o.scr_db:.1f} dB, {o.pixels} pixels")
    if not errors:
        return
    print(f"position error: median {np.median(errors):.2f} cells, {np.median(metres):.1f} m; max {max(errors):.2f}, {max(metres):.1f} m")
    print(f"  beyond 1 cell + 0.15 length: {sum(w > 0 for w in within)} of {len(within)}; closest to it {max(within):.1f} m")
    print(f"  within 2 sigma: by axis {share(int(sum(covered)), len(covered))}, in all {share(int(sum(worst)), len(worst))}")
    table = np.array(rows)
    for low, high in zip(LENGTHS, LENGTHS[1:], strict=False):
        t = table[(table[:, 0] >= low) & (table[:, 0] < high)]
        if len(t) == 0:
            continue
        e, known = t[:, 1] - t[:, 0], t[~np.isnan(t[:, 3])]
        print(f"  {low:.0f} to {high:.0f} m, {len(t)} ships")
        print(f"    length: bias {e.mean():+.1f} m, RMS {rms(e):.1f} m, within 2 sigma {np.mean(np.abs(e) <= 2 * t[:, 2]):.2f}")
        if len(known):
            turn = known[:, 3]
            print(
                f"    heading: RMS {rms(turn):.1f} deg, median {np.median(np.abs(turn)):.1f}, "
                f"within 2 sigma {np.mean(np.abs(turn) <= 2 * known[:, 4]):.2f}, unknown for {len(t) - len(known)}"
            )
        print(f"    position: bias {t[:, 5].mean():+.1f} {t[:, 6].mean():+.1f} m, RMS {rms(t[:, 5]):.1f} {rms(t[:, 6]):.1f} m")


def rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(values**2)))


def seeds_of(text: str) -> list[int]:
    out: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        out += range(int(first), int(last or first) + 1)
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="1-8")
    parser.add_argument("--instrument", default="c-stripmap")
    parser.add_argument("--wind", type=float, default=8.0)
    parser.add_argument("--k-shape", type=float, default=5.0)
    parser.add_argument("--squint", type=float, default=0.0)
    parser.add_argument("--pulses", type=int, default=2048)
    parser.add_argument("--samples", type=int, default=3072)
    parser.add_argument("--looks", default="1x1", help="azimuth x range (default: 1x1, as sidelook calibrate)")
    parser.add_argument("--land", default="scene", help="scene or none")
    parser.add_argument("--keep", type=pathlib.Path, help="folder of scenes made before")
    parser.add_argument("--set", action="append", default=[], metavar="OPTION=VALUE", help="of sidelook.detect.Options")
    parser.add_argument("-v", "--verbose", action="store_true")
    a = parser.parse_args()
    changes = {k: type(getattr(Options(), k))(v) for k, _, v in (text.partition("=") for text in a.set)}
    scenes = []
    for seed in seeds_of(a.seeds):
        name = f"{a.instrument}-{seed}-w{a.wind:g}-k{a.k_shape:g}-q{a.squint:g}-{a.pulses}x{a.samples}"
        slc, truth = make_scene(
            a.keep, name, seed=seed, instrument=a.instrument, wind_m_per_s=a.wind, k_shape=a.k_shape, squint_deg=a.squint,
            pulses=a.pulses, samples=a.samples,
        )  # fmt: skip
        azimuth, across = (int(n) for n in a.looks.split("x"))
        scenes.append(judge(slc, truth, (azimuth, across), None if a.land == "none" else a.land, dataclasses.replace(Options(), **changes)))
    print(" ".join(sys.argv[1:]), dataclasses.replace(Options(), **changes))
    report(scenes, a.verbose)


if __name__ == "__main__":
    main()
