"""RADARSAT-1 fine beam over English Bay, Vancouver: raw echoes to an image and its ships, everything unknown found in the echoes.

    python examples/radarsat1_vancouver.py FOLDER [-o OUTPUT_FOLDER]

FOLDER holds CDdata1.mat and CD_run_params.mat of the CD that comes with Cumming & Wong, Digital Processing of Synthetic
Aperture Radar Data (2005), and AGC_attenuation_values.mat. There is no orbit: the Doppler ambiguity and the effective
velocity are searched, and the image has time and range instead of places. The ships that two independent looks at the image labelled are in
radarsat1_vancouver_ships.json; `ships` holds what the detector found against them.
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
from sidelook.detect import detect
from sidelook.focusing import Focuser, Options
from sidelook.intensity import calibrate_file, read_intensity
from sidelook.radiometry import Options as RadiometryOptions
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


def find_ships(folder: pathlib.Path, incidence_deg: float) -> dict[str, Any]:
    """Detects in the image that was written; the labels are opened afterwards.

    Without an orbit the image does not know its spacing on the ground: along azimuth the beam moves some 6 % slower than
    the effective velocity, and the incidence turns slant range into ground range. Both scale lengths in metres only.
    """
    calibrate_file(folder / "vancouver.tif", folder / "intensity.tif", RadiometryOptions(quantity="intensity"), overwrite=True)
    image = read_intensity(folder / "intensity.tif")
    m, sine = dict(image.metadata), float(np.sin(np.radians(incidence_deg)))
    source, looks = m["source"], m["looks"]
    m["azimuth_spacing_m"] = 0.94 * source["effective_velocity_m_per_s"] * m["line_spacing_s"]
    m["ground_range_spacing_m"] = m["sample_spacing_m"] / sine
    m["resolution_azimuth_m"] = 0.94 * source["effective_velocity_m_per_s"] / source["processed_doppler_bandwidth_hz"]
    m["resolution_ground_range_m"] = LIGHT / (2 * source["processed_range_bandwidth_hz"]) / sine
    found = detect(image.image, m, land="scene")

    labels = json.loads(pathlib.Path(__file__).with_name("radarsat1_vancouver_ships.json").read_text(encoding="utf-8"))

    def meets(o: Any, label: dict[str, Any]) -> bool:
        line, sample = (x * n + (n - 1) / 2 for x, n in zip((o.line, o.sample), looks, strict=True))
        first_line, end_line, first_sample, end_sample = label["box"]
        return bool(first_line - 6 <= line < end_line + 6 and first_sample - 6 <= sample < end_sample + 6)

    plain = [o for o in found.objects if not o.flags]
    unseen = [o for o in plain if not any(meets(o, label) for kind in ("ships", "doubtful", "ghosts") for label in labels[kind])]
    return {
        "labelled": len(labels["ships"]),
        "found": sum(any(meets(o, label) for o in plain) for label in labels["ships"]),
        "doubtful_found": sum(any(meets(o, label) for o in plain) for label in labels["doubtful"]),
        "ghosts_not_flagged": sum(any(meets(o, label) for o in plain) for label in labels["ghosts"]),
        "false_alarms": [[round(o.line * looks[0], 1), round(o.sample * looks[1], 1), round(o.scr_db, 1)] for o in unseen],
        "area_searched_km2": round(found.area_searched_km2, 1),
    }


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("-o", "--output", type=pathlib.Path, default=pathlib.Path("vancouver"))
    parser.add_argument("--ambiguities", type=int, nargs=2, default=(-16, 4), metavar=("FIRST", "LAST"))
    parser.add_argument("--minimum-exposure", type=float, default=0.6, help="1 keeps only what is fully exposed")
    parser.add_argument("--incidence-deg", type=float, default=40.0, help="only scales lengths of ships (default: 40)")
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
                "exposed_lines": max(e - f for f, e in zip(job.grid.valid_first_line, job.grid.valid_end_line, strict=True)),
                "lines": job.grid.lines,
                "samples": job.grid.samples,
                "quicklook": str(file.quicklook_path),
                "ships": find_ships(args.output, args.incidence_deg),
            },
            indent=2,
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
