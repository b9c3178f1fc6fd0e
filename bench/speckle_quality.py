"""What the speckle filters leave of an image: PSNR and SSIM under synthetic speckle, and what they do to a flat scene.

    python bench/speckle_quality.py
    python bench/speckle_quality.py --crop --image coins

Needs scikit-image (`pip install sidelook[bench]`). The amplitude A of a test image, 0 to 255, becomes the intensity (A + 0.01)^2 times
gamma speckle of L looks, numpy's default_rng(100 + L); `--crop` filters and judges rows and columns 128 to 384 of it only. The filtered
intensity's root, clipped to 0..255, is judged against A. The flat scene is 1200 x 2500 pixels of gamma speckle: mean of the result over
that of the input, and mean and variance of the ratio image, input over result.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
from sidelook import _native, despeckle

LOOKS = (1, 4, 16)
CASES: list[tuple[str, dict[str, Any]]] = [
    ("boxcar", {}),
    ("lee", {}),
    ("kuan", {}),
    ("enhanced_lee", {}),
    ("gamma_map", {}),
    ("frost", {}),
    ("frost", {"distance": "chebyshev"}),
    ("median", {}),
    ("refined_lee", {}),
    ("refined_lee_local", {}),
    ("lee_sigma", {}),
    ("lee_sigma", {"sigma": 0.9}),
    ("lee_sigma", {"window": 9}),
]


def filtered(image: np.ndarray, looks: float, method: str, options: dict[str, Any]) -> np.ndarray:
    """Filtered intensity, 7 x 7 unless the options say otherwise."""
    needed = looks if _native.despeckle_needs_looks(method) else None
    return despeckle(image, method, "intensity", looks=needed, **options)  # type: ignore[arg-type]


def main() -> None:
    """Prints both tables as Markdown."""
    from skimage import data
    from skimage.metrics import peak_signal_noise_ratio, structural_similarity

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--image", default="camera", help="of skimage.data (default: camera)")
    parser.add_argument("--crop", action="store_true", help="judge rows and columns 128 to 384 only")
    args = parser.parse_args()
    amplitude = getattr(data, args.image)().astype(np.float64)

    def judged(intensity: np.ndarray, truth: np.ndarray) -> str:
        found = np.clip(np.sqrt(intensity.astype(np.float64)), 0, 255)
        return f"{peak_signal_noise_ratio(truth, found, data_range=255):.2f}/{structural_similarity(truth, found, data_range=255):.3f}"

    part = np.s_[128:384, 128:384] if args.crop else np.s_[:, :]
    noisy = {
        n: ((amplitude + 0.01) ** 2 * np.random.default_rng(100 + n).gamma(n, 1 / n, amplitude.shape)).astype(np.float32) for n in LOOKS
    }
    print(f"{args.image}{', crop' if args.crop else ''}\n\n| PSNR (dB) / SSIM | {' | '.join(f'L = {n}' for n in LOOKS)} |")
    print("|---" * (len(LOOKS) + 1) + "|")
    print(f"| noisy | {' | '.join(judged(noisy[n][part], amplitude[part]) for n in LOOKS)} |")
    for method, options in CASES:
        row = [judged(filtered(noisy[n][part], n, method, options), amplitude[part]) for n in LOOKS]
        print(f"| {_name(method, options)} | {' | '.join(row)} |", flush=True)
    print("\n| flat scene: mean kept; ratio's mean, variance | L = 1 | L = 4 |\n|---|---|---|")
    flat = {n: np.random.default_rng(11).gamma(n, 1 / n, (1200, 2500)).astype(np.float32) for n in (1, 4)}
    for method, options in CASES:
        row = [_flat(flat[n], filtered(flat[n], n, method, options)) for n in flat]
        print(f"| {_name(method, options)} | {' | '.join(row)} |", flush=True)


def _name(method: str, options: dict[str, Any]) -> str:
    return " ".join([f"`{method}`", *(str(v) for v in options.values())])


def _flat(image: np.ndarray, out: np.ndarray) -> str:
    ratio = image.astype(np.float64) / out
    return f"{out.mean(dtype=np.float64) / image.mean(dtype=np.float64):.3f}; {ratio.mean():.3f}, {ratio.var():.3f}"


if __name__ == "__main__":
    main()
