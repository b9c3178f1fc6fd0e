"""The measured rate of false alarms: simulated seas without ships, and textures times speckle made here, against the design.

python bench/false_alarms.py sea --seeds 201-212            # echoes, focusing, detection
python bench/false_alarms.py made --images 12               # correlated gamma texture times correlated speckle
"""

from __future__ import annotations

import argparse
import math
import pathlib
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
from evaluate_detection import make_scene, seeds_of
from sidelook import calibrate
from sidelook.detect import Options, detect

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests"))
from clutter import clutter_image  # noqa: E402


def seas(a: argparse.Namespace) -> Iterator[tuple[np.ndarray, dict[str, Any]]]:
    for seed in seeds_of(a.seeds):
        name = f"sea-{a.instrument}-{seed}-w{a.wind:g}-k{a.k_shape:g}"
        slc, _ = make_scene(a.keep, name, seed=seed, instrument=a.instrument, wind_m_per_s=a.wind, k_shape=a.k_shape, land=False, ships=0)
        azimuth, across = (int(n) for n in a.looks.split("x"))
        image = calibrate(slc, looks=(azimuth, across))
        yield image.image, image.metadata


def made(a: argparse.Namespace) -> Iterator[tuple[np.ndarray, dict[str, Any]]]:
    for k in range(a.images):
        looks = int(a.looks.split("x")[0])
        yield clutter_image((2048, 2048), order=a.k_shape, correlation=(a.correlation, a.correlation), looks=looks, seed=k)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=("sea", "made"))
    parser.add_argument("--seeds", default="201-212")
    parser.add_argument("--images", type=int, default=12)
    parser.add_argument("--instrument", default="c-stripmap")
    parser.add_argument("--wind", type=float, default=8.0)
    parser.add_argument("--k-shape", type=float, default=5.0)
    parser.add_argument("--correlation", type=float, default=20.0, help="of the texture made here (pixels)")
    parser.add_argument("--looks", default="1x1", help="azimuth x range; of images made here: independent looks x 1")
    parser.add_argument("--training", type=int, default=Options.training)
    parser.add_argument("--guard", type=int, default=Options.guard)
    parser.add_argument("--clutter", default="k")
    parser.add_argument("--keep", type=pathlib.Path)
    a = parser.parse_args()
    rates = (1e-4, 1e-5, 1e-6)
    above, pixels, fits = dict.fromkeys(rates, 0), 0, []
    for intensity, metadata in {"sea": seas, "made": made}[a.kind](a):
        for rate in rates:
            found = detect(intensity, metadata, false_alarm_rate=rate, training=a.training, guard=a.guard, clutter=a.clutter)
            above[rate] += found.metadata["pixels_above_threshold"]
        pixels += found.metadata["pixels_searched"]
        fits += [(z["threshold"], z["ratio_mean"], z["looks"], z["order"] or math.inf, z["share"]) for z in found.metadata["zones"]]
    print(" ".join(sys.argv[1:]), f"{pixels / 1e6:.1f} million pixels")
    print("  threshold at 1e-6, mean, looks, order, share:", " ".join(f"{v:.2f}" for v in np.median(np.array(fits), axis=0)))
    for rate in rates:
        n = above[rate]
        # pixels overlap, so that false alarms come in groups of about 1.7
        factor, spread = n / pixels / rate, math.sqrt(1.7 * max(n, 1)) / pixels / rate
        print(f"  design {rate:g}: measured {n / pixels:.3g}, factor {factor:.2f} +- {spread:.2f} ({n} pixels)")


if __name__ == "__main__":
    main()
