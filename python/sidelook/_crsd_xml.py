"""The XML of a CRSD 1.0 file (NGA.STND.0080) from an acquisition; docs/raw-data.md lists what its fields hold."""

from __future__ import annotations

import datetime
import importlib
from typing import Any

import numpy as np

from sidelook._crsd_geometry import Array
from sidelook._crsd_tables import (
    PPP_DTYPE,
    PPP_FIELDS,
    PPP_XML,
    PVP_DTYPE,
    PVP_FIELDS,
    PVP_XML,
    SPEED_OF_LIGHT,
    Tables,
    band,
)
from sidelook.acquisition import SCHEMA, Acquisition
from sidelook.errors import BadInput

NAMESPACE = "http://api.nsgreg.nga.mil/schema/crsd/1.0"
CHANNEL, SEQUENCE = "channel", "transmit"


def xsd_epoch(epoch_utc: str) -> str:
    """The epoch as XML's dateTime in UTC ('...Z'), all its digits kept."""
    try:
        parsed = datetime.datetime.fromisoformat(epoch_utc.strip().replace("Z", "+00:00"))
    except ValueError:
        raise BadInput(f"epoch_utc is {epoch_utc!r}; must be an ISO 8601 date and time for a CRSD") from None
    if epoch_utc.strip().endswith("Z"):
        return epoch_utc.strip().replace(" ", "T")
    if parsed.tzinfo is None:
        return (epoch_utc.strip().replace(" ", "T") if "T" in epoch_utc or " " in epoch_utc else parsed.isoformat()) + "Z"
    return parsed.astimezone(datetime.timezone.utc).replace(tzinfo=None).isoformat() + "Z"


def gain_pattern(a: Acquisition) -> tuple[float, float, np.ndarray[Any, Any]]:
    """One-way array pattern on direction cosines: half widths in x and y, table (rows: x, columns: y) in dB, cycles.

    Four zeros to each side, eight samples a lobe; beyond it nothing is said.
    """
    wavelength = SPEED_OF_LIGHT / a.carrier_hz
    halves, cuts = [], []
    for length in (a.antenna.azimuth_length_m, a.antenna.elevation_length_m):
        half = min(1.0, 4 * wavelength / length) if length > 0 else 1.0
        sine = np.linspace(-half, half, 65)
        halves.append(half)
        cuts.append(np.sinc(sine * length / wavelength))
    table = np.zeros((65, 65), np.dtype([("Gain", "f4"), ("Phase", "f4")]))
    amplitude = cuts[0][:, None] * cuts[1][None, :]
    table["Gain"] = 20 * np.log10(np.maximum(np.abs(amplitude), 1e-4))  # -80 dB stands for the zeros
    table["Phase"] = np.where(amplitude < 0, 0.5, 0.0)
    return halves[0], halves[1], table


def support_arrays(a: Acquisition) -> dict[str, np.ndarray[Any, Any]]:
    """The binary support arrays by identifier, in the order of the file."""
    response = np.zeros((1, 3), np.dtype([("Amp", "f4"), ("Phase", "f4")]))
    response["Amp"] = 1  # a flat spectrum
    element = np.zeros((3, 3), np.dtype([("Gain", "f4"), ("Phase", "f4")]))  # isotropic
    return {"array pattern": gain_pattern(a)[2], "element pattern": element, "spectrum": response}


def build_xml(sarkit: Any, tables: Tables, signal_format: str, product_name: str) -> Any:
    """The CRSD's XML as an lxml tree.

    Parameters
    ----------
    sarkit : the module sarkit.crsd
    tables : of the acquisition
    signal_format : CF8, CI4 or CI2
    product_name : name of the product
    """
    etree: Any = importlib.import_module("lxml.etree")  # comes with sarkit; has no types
    a, scene = tables.acquisition, tables.scene
    middle = a.pulses // 2
    first_hz, last_hz = band(a)
    ends = {}
    for name, delay in (("Tx", 0.0), ("Rcv", a.first_sample_delay_s)):
        ends[name] = [float((w + f)[0]) for w, f in (tables.int_frac(k, 1, delay) for k in (0, a.pulses - 1))]
    reference = {"ECF": scene.point_m, "IAC": [0.0, 0.0]}
    area = {"X1Y1": scene.corners_xy()[0], "X2Y2": scene.corners_xy()[2], "Polygon": scene.corners_xy()}
    ppp, pvp = tables.ppp(middle, 1), tables.pvp(middle, np.ones(1))
    sent = _polarization(sarkit, ppp["TxPos"][0], ppp["TxACX"][0], ppp["TxACY"][0], scene.point_m, 1)
    received = _polarization(sarkit, pvp["RcvPos"][0], pvp["RcvACX"][0], pvp["RcvACY"][0], scene.point_m, -1)
    arrays = support_arrays(a)
    sizes, offset = [], 0
    for name, array in arrays.items():
        sizes.append(
            {"SAId": name, "NumRows": array.shape[0], "NumCols": array.shape[1],
             "BytesPerElement": array.itemsize, "ArrayByteOffset": offset}
        )  # fmt: skip
        offset += array.nbytes
    half_x, half_y, _ = gain_pattern(a)
    gain = {"ElementFormat": "Gain=F4;Phase=F4;"}
    epoch = xsd_epoch(a.epoch_utc)
    sensor = {"SensorName": a.sensor or "unknown", "EventName": epoch}

    tree = etree.ElementTree(etree.Element(f"{{{NAMESPACE}}}CRSDsar", nsmap={None: NAMESPACE}))
    root = sarkit.ElementWrapper(tree.getroot())
    root["ProductInfo"] = {
        "ProductName": product_name, "Classification": "UNCLASSIFIED", "ReleaseInfo": "UNRESTRICTED",
        "Parameter": [(SCHEMA, a.to_json())],  # what the standard has no field for, and every digit of the rest
    }  # fmt: skip
    root["SARInfo"] = {"CollectType": "MONOSTATIC", "RadarMode": {"ModeType": "STRIPMAP"}}
    root["TransmitInfo"] = sensor
    root["ReceiveInfo"] = sensor
    root["Global"] = {
        "CollectionRefTime": datetime.datetime(2000, 1, 1),  # replaced below, with more digits than a datetime has
        "Transmit": {"TxTime1": ends["Tx"][0], "TxTime2": ends["Tx"][1], "FxMin": first_hz, "FxMax": last_hz},
        "Receive": {"RcvStartTime1": ends["Rcv"][0], "RcvStartTime2": ends["Rcv"][1],
                    "FrcvMin": first_hz, "FrcvMax": last_hz},
    }  # fmt: skip
    tree.find("{*}Global/{*}CollectionRefTime").text = epoch
    root["SceneCoordinates"] = {
        "EarthModel": "WGS_84",
        "IARP": {"ECF": scene.point_m, "LLH": scene.geodetic},
        "ReferenceSurface": {"Planar": {"uIAX": scene.x_axis, "uIAY": scene.y_axis}},
        "ImageArea": area,
        "ImageAreaCornerPoints": scene.corners_geodetic(),
    }
    root["Data"] = {
        "Support": {"NumSupportArrays": len(arrays), "SupportArray": sizes},
        "Transmit": {
            "NumBytesPPP": PPP_DTYPE.itemsize, "NumTxSequences": 1,
            "TxSequence": [{"TxId": SEQUENCE, "NumPulses": a.pulses, "PPPArrayByteOffset": 0}],
        },
        "Receive": {
            "SignalArrayFormat": signal_format, "NumBytesPVP": PVP_DTYPE.itemsize, "NumCRSDChannels": 1,
            "Channel": [{"ChId": CHANNEL, "NumVectors": a.pulses, "NumSamples": a.samples,
                         "SignalArrayByteOffset": 0, "PVPArrayByteOffset": 0}],
        },
    }  # fmt: skip
    root["TxSequence"] = {
        "RefTxId": SEQUENCE, "TxWFType": "LFM",
        "Parameters": [{
            "Identifier": SEQUENCE, "RefPulseIndex": middle, "FxResponseId": "spectrum", "FxBWFixed": True,
            "FxC": a.carrier_hz, "FxBW": last_hz - first_hz, "TXmtMin": a.chirp_duration_s,
            "TXmtMax": a.chirp_duration_s, "TxTime1": ends["Tx"][0], "TxTime2": ends["Tx"][1],
            "TxAPCId": "phase centre", "TxAPATId": "antenna", "TxRefPoint": reference, "TxPolarization": sent,
            "TxRefRadIntensity": 0.0, "TxRadIntErrorStdDev": 0.0, "TxRefLAtm": 0.0,
        }],
    }  # fmt: skip
    root["Channel"] = {
        "RefChId": CHANNEL,
        "Parameters": [{
            "Identifier": CHANNEL, "RefVectorIndex": middle, "RefFreqFixed": True, "FrcvFixed": True,
            "SignalNormal": True, "F0Ref": a.carrier_hz, "Fs": a.sample_rate_hz,
            # the standard asks for Fs >= 1.1 BWInst; a radar sampled more tightly gets the widest it allows
            "BWInst": min(last_hz - first_hz, a.sample_rate_hz / 1.1),
            "RcvStartTime1": ends["Rcv"][0], "RcvStartTime2": ends["Rcv"][1],
            "FrcvMin": first_hz, "FrcvMax": last_hz, "RcvAPCId": "phase centre", "RcvAPATId": "antenna",
            "RcvRefPoint": reference, "RcvPolarization": received,
            "RcvRefIrradiance": 0.0, "RcvIrradianceErrorStdDev": 0.0, "RcvRefLAtm": 0.0, "PNCRSD": a.radiometry.noise_power, "BNCRSD": 1.0,
            "SARImage": {
                "TxId": SEQUENCE, "RefVectorPulseIndex": middle, "TxPolarization": sent,
                "DwellTimes": {"Polynomials": {"CODId": "centre", "DwellId": "dwell"}}, "ImageArea": area,
            },
        }],
    }  # fmt: skip
    centre = float(tables.pulse_seconds(middle, 1)[0])
    root["DwellPolynomials"] = {
        "NumCODTimes": 1,
        "CODTime": [{"Identifier": "centre", "CODTimePoly": np.array([[centre], [1 / scene.ground_speed_m_per_s]])}],
        "NumDwellTimes": 1,
        "DwellTime": [{"Identifier": "dwell", "DwellTimePoly": np.array([[scene.dwell_s]])}],
    }
    root["SupportArray"] = {
        "GainPhaseArray": [
            {"Identifier": "array pattern", **gain, "X0": -half_x, "Y0": -half_y,
             "XSS": half_x / 32, "YSS": half_y / 32},
            {"Identifier": "element pattern", **gain, "X0": -1.0, "Y0": -1.0, "XSS": 1.0, "YSS": 1.0},
        ],
        "FxResponseArray": [
            {"Identifier": "spectrum", "ElementFormat": "Amp=F4;Phase=F4;", "Fx0FXR": first_hz,
             "FxSSFXR": (last_hz - first_hz) / 2},
        ],
    }  # fmt: skip
    root["PPP"] = PPP_XML
    root["PVP"] = PVP_XML
    still = {"DCXSF": 0.0, "DCYSF": 0.0}  # our pattern does not change within the band
    root["Antenna"] = {
        "NumACFs": 1, "NumAPCs": 1, "NumAPATs": 1,
        "AntCoordFrame": [{"Identifier": "frame"}],
        "AntPhaseCenter": [{"Identifier": "phase centre", "ACFId": "frame", "APCXYZ": [0.0, 0.0, 0.0]}],
        "AntPattern": [{
            "Identifier": "antenna", "FreqZero": a.carrier_hz, "ArrayGPId": "array pattern",
            "ElemGPId": "element pattern", "EBFreqShift": still, "MLFreqDilation": still, "GainBSPoly": [0.0],
            "AntPolRef": {"AmpX": 1.0, "AmpY": 0.0, "PhaseX": 0.0, "PhaseY": 0.0},
        }],
    }  # fmt: skip
    # sarkit asks for whole tables but looks at the reference pulse only
    one_ppp = {name: {middle: ppp[name][0]} for name in PPP_FIELDS}
    one_pvp = {name: {middle: pvp[name][0]} for name in PVP_FIELDS}
    root["ReferenceGeometry"] = sarkit.compute_reference_geometry(tree, pvps=one_pvp, ppps=one_ppp)
    return tree


def _polarization(sarkit: Any, position: Array, acx: Array, acy: Array, point: Array, sign: int) -> dict[str, Any]:
    # An acquisition does not know its polarisation: the field is said to lie along ACX ("X").
    native = [np.asarray(v, np.float64) for v in (position, acx, acy, point)]
    amp_h, amp_v, phase_h, phase_v = sarkit.compute_h_v_pol_parameters(*native, sign, 1.0, 0.0, 0.0, 0.0)
    return {
        "PolarizationID": "X", "AmpH": float(min(amp_h, 1.0)), "AmpV": float(min(amp_v, 1.0)),
        "PhaseH": float(phase_h), "PhaseV": float(phase_v),
    }  # fmt: skip
