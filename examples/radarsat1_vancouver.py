"""RADARSAT-1 fine beam over English Bay, Vancouver: raw echoes to an image, everything unknown found in the echoes.

    python examples/radarsat1_vancouver.py FOLDER [-o OUTPUT_FOLDER]

FOLDER holds CDdata1.mat and CD_run_params.mat of the CD that comes with Cumming & Wong, Digital Processing of Synthetic
Aperture Radar Data (2005), and AGC_attenuation_values.mat. There is no orbit: the Doppler ambiguity and the effective
velocity are searched, and the image has time and range instead of places.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import sys
from typing import Any

import numpy as np
import sidelook
from scipy.io import loadmat
from sidelook import _native
from sidelook.acquisition import Acquisition
from sidelook.focusing import Focuser, Options
from sidelook.slc import SlcFile

LIGHT = 299792458.0


def load(folder: pathlib.Path) -> tuple[np.ndarray, Acquisition, np.ndarray]:
    """Echoes (pulses, samples) complex64, their acquisition, and the amplitude factor that undoes the gain control."""
    p = {k: v.item() for k, v in loadmat(folder / "CD_run_params.mat").items() if getattr(v, "size", 0) == 1}
    echoes = np.ascontiguousarray(loadmat(folder / "CDdata1.mat")["data"], dtype=np.complex64)
    first_line, first_cell = int(p["first_rg_line"]), int(p["first_rg_cell"])
    # R0 is the range of cell 1 of the full record with the speed of light of the parameter file: the delay is what was
    # measured. It counts from the pulse's leading edge; ours counts from its centre, half a pulse less.
    delay = 2 * p["R0"] / p["c"] + (first_cell - 1) / p["Fr"] - p["Tr"] / 2
    acquisition = Acquisition(
        sensor="RADARSAT-1 fine beam",
        epoch_utc="2002-06-16T02:00:00Z",  # the day is on the CD; the time of the first line is not
        carrier_hz=p["f0"],
        prf_hz=p["PRF"],
        first_pulse_time_s=0.0,
        pulses=echoes.shape[0],
        samples=echoes.shape[1],
        sample_rate_hz=float(p["Fr"]),
        first_sample_delay_s=delay,
        chirp_rate_hz_per_s=-p["Kr"],  # a down-chirp
        chirp_duration_s=p["Tr"],
        look_side="right",
        effective_velocity_m_per_s=7100.0,  # where the search begins: any low orbit
    )
    # The receiver's attenuation (dB) follows the echo's power every line and is not undone in the samples.
    attenuation = loadmat(folder / "AGC_attenuation_values.mat")["nom_attenuation"].ravel().astype(float)
    lines = attenuation[first_line - 1 : first_line - 1 + echoes.shape[0]]
    gain = 10 ** ((lines - lines.mean()) / 20)
    return echoes, acquisition, gain.astype(np.float32)


def search(echoes: np.ndarray, acquisition: Acquisition, gain: np.ndarray, first: int, last: int) -> tuple[Any, float]:
    """Doppler (ambiguity within first..last) and effective velocity; each needs the other, so they take turns."""
    survey = _native.EchoSurvey(acquisition.samples, acquisition.prf_hz)
    survey.add(echoes)
    statistics = survey.result()
    corrections = _native.corrections_from(statistics)
    corrections.line_gain = gain.tolist()

    def read(line: int, lines: int, sample: int, samples: int) -> np.ndarray:
        return np.ascontiguousarray(echoes[line : line + lines, sample : sample + samples])

    native = acquisition.native()
    fraction = _native.fractional_doppler(native, statistics)
    low, high = 6900.0, 7300.0
    for width in (200.0, 40.0):
        doppler = _native.estimate_ambiguity(native, fraction, read, corrections, first, last)
        native.doppler_centroid_hz = doppler.doppler_centroid_hz
        velocity = _native.estimate_velocity(native, read, corrections, low, high)
        native.effective_velocity_m_per_s = velocity
        low, high = velocity - width / 2, velocity + width / 2
        first, last = doppler.ambiguity - 2, doppler.ambiguity + 2
    return doppler, velocity


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("-o", "--output", type=pathlib.Path, default=pathlib.Path("vancouver"))
    parser.add_argument("--ambiguities", type=int, nargs=2, default=(-16, 4), metavar=("FIRST", "LAST"))
    parser.add_argument("--minimum-exposure", type=float, default=0.6, help="1 keeps only what is fully exposed")
    args = parser.parse_args(argv)
    echoes, acquisition, gain = load(args.folder)
    doppler, velocity = search(echoes, acquisition, gain, *args.ambiguities)
    found = Acquisition.from_json({**acquisition.to_dict(), "effective_velocity_m_per_s": velocity})
    options = Options(doppler=doppler.doppler_centroid_hz, line_gain=gain, minimum_exposure=args.minimum_exposure)
    job = Focuser(sidelook.open_echoes(echoes, found), options)
    args.output.mkdir(parents=True, exist_ok=True)
    with SlcFile(args.output / "vancouver.tif", job.grid, job.metadata, overwrite=True) as file:
        job.run(file.write)
    print(
        json.dumps(
            {
                "doppler_ambiguity": doppler.ambiguity,
                "doppler_centroid_hz": doppler.doppler_centroid_hz[0],
                "sharpness_margin": doppler.margin,
                "effective_velocity_m_per_s": velocity,
                "share_of_samples_at_largest": job.statistics.share_at_largest,
                "fully_exposed_lines": max(e - f for f, e in zip(job.grid.valid_first_line, job.grid.valid_end_line, strict=True)),
                "lines": job.grid.lines,
                "samples": job.grid.samples,
                "quicklook": str(file.quicklook_path),
            },
            indent=2,
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
