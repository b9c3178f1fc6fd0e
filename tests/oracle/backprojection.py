"""Exact time-domain focusing of a small grid of zero-Doppler pixels, in double precision.

One pulse, one point. Let t_c be the reception time of the pulse's centre, d0 = d(t_c), d' = d'(t_c). Around it
d(t) = d0 + d' u, u = t - t_c, so the echo is
    exp(-j 2 pi f0 d0) p((1 - d') u) exp(j 2 pi fD u),   fD = -f0 d',   p(u) = exp(j pi K u^2),
a chirp of rate K' = K (1 - d')^2 shifted by fD. Its spectrum has the phase -pi (f - fD)^2 / K', not -pi f^2 / K: a
compressor that ignores this moves the peak by -fD/K (20 ns at 3 degrees of squint in C band) and turns it by
-pi fD^2/K. So each pulse is compressed by the exact spectrum P((f - fD) / (1 - d')) of the echo from the grid's centre,
weighted over the baseband frequency f. A pixel whose Doppler differs by e from the centre's then lies at d0 - e/K with
the phase of -pi (2 fD e + e^2)/K, and both are undone. The next term, d'' u^2 / 2, is 2 pi f0 d'' (T/2)^2 / 2 of phase:
some 1e-6 rad.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .orbit import EARTH_RATE, Array, C, Orbit, dot, norm, place, rotate

Complex = NDArray[np.complex128]
Compressor = Literal["inverse", "matched", "phase"]
OVERSAMPLING = 16
TAPS = 6  # of Lagrange on 16-fold samples: (pi/16)^6 (2.5 1.5 0.5)^2 / 6! = -131 dB at the edge of the band


def bandwidth_hz(acquisition: Any) -> float:
    """Band swept by the chirp."""
    return float(abs(acquisition.chirp_rate_hz_per_s) * acquisition.chirp_duration_s)


class ChirpSpectrum:
    """Spectrum of the transmitted pulse times sqrt(|K|), which is about one in the band, at any frequency.

    sum p(u) e^{-j 2 pi f u} du over a 64-fold oversampled pulse, by FFT on a grid of frequencies; between them the
    spectrum without its quadratic phase, whose ripples are sqrt(|K|) wide and more, is interpolated.
    """

    def __init__(self, acquisition: Any) -> None:
        rate, half = acquisition.chirp_rate_hz_per_s, acquisition.chirp_duration_s / 2
        self.rate = rate
        n = int(np.ceil(64 * 2 * half * bandwidth_hz(acquisition)))
        du = 2 * half / n
        u = (np.arange(n) + 0.5) * du - half
        length = 1 << int(np.ceil(np.log2(16 * n)))
        spectrum = np.fft.fftshift(np.fft.fft(np.exp(1j * np.pi * rate * u**2), length))
        self.step = 1 / (du * length)
        self.first = -(length // 2) * self.step
        f = self.first + self.step * np.arange(length)
        keep = np.abs(f) < bandwidth_hz(acquisition)
        self.first = float(f[keep][0])
        phase = -2 * np.pi * f[keep] * u[0] + np.pi * f[keep] ** 2 / rate
        self.flattened = spectrum[keep] * du * np.sqrt(abs(rate)) * np.exp(1j * phase)

    def __call__(self, frequency: Array) -> Complex:
        smooth = _interpolate(self.flattened, (frequency - self.first) / self.step)
        return np.asarray(smooth * np.exp(-1j * np.pi * frequency**2 / self.rate))


def compressor(spectrum: ChirpSpectrum, kind: Compressor, frequency: Array) -> Complex:
    """Range filter at chirp frequencies (Hz): conjugate spectrum ("matched"), its inverse, or its phase without ripple.

    The inverse is bounded where the spectrum falls below a quarter of its plateau.
    """
    if kind == "phase":
        return np.asarray(np.exp(1j * np.pi * (frequency**2 / spectrum.rate - 0.25 * np.sign(spectrum.rate))))
    p = spectrum(frequency)
    return np.asarray(np.conj(p) / (1 if kind == "matched" else np.maximum(np.abs(p) ** 2, 1 / 16)))


def aperture_weight(doppler: Array, flat_half_hz: Array | float, zero_half_hz: float) -> Array:
    """1 within +-flat_half, cosine taper to 0 at +-zero_half; `doppler` is relative to the centroid (Hz)."""
    x = (np.abs(doppler) - flat_half_hz) / (zero_half_hz - flat_half_hz)
    return np.asarray(0.5 + 0.5 * np.cos(np.pi * np.clip(x, 0, 1)))


def flat_half_width(acquisition: Any, processed_band_hz: float, doppler_centroid_hz: Array | float) -> Array:
    """Half width (Hz, at the carrier) of the flat part that leaves the processed band whole at every range frequency.

    A pulse that sees a point at Doppler fD at the carrier holds it at fD (1 + f / f0) at range frequency f.
    """
    share = bandwidth_hz(acquisition) / (2 * acquisition.carrier_hz)
    return np.asarray((processed_band_hz / 2 + np.abs(doppler_centroid_hz) * share) / (1 - share))


class _Pulse:
    """Delay and Doppler of points for one transmitted pulse, in the inertial frame of its transmission."""

    def __init__(self, orbit: Orbit, sent: float, typical_delay: float) -> None:
        p, v, a = (x[0] for x in orbit.state(np.array([sent])))
        omega = np.array([0.0, 0.0, EARTH_RATE])
        self.omega = omega
        self.p_t, self.v_t = p, v + np.cross(omega, p)
        self.delay = typical_delay
        p, v, a = (x[0] for x in orbit.state(np.array([sent + typical_delay])))
        # Taylor's series of the receiver around the typical delay; the cubic term is 1e-17 m over 10 us
        angle = EARTH_RATE * typical_delay
        self.p_r = rotate(p, angle)
        self.v_r = rotate(v + np.cross(omega, p), angle)
        self.a_r = rotate(a + 2 * np.cross(omega, v) + np.cross(omega, np.cross(omega, p)), angle)

    def receiver(self, delay: Array) -> Array:
        x = (delay - self.delay)[..., None]
        return self.p_r + x * (self.v_r + 0.5 * x * self.a_r)

    def delay_and_rate(self, points: Array) -> tuple[Array, Array]:
        """Delay d0 (s) of ECEF points, and the derivative d' of the delay with the reception time, at t_c."""
        up = norm(points - self.p_t) / C
        for _ in range(3):
            target = rotate(points, EARTH_RATE * up)
            up = norm(target - self.p_t) / C
        delay = np.full(up.shape, self.delay)
        for _ in range(4):
            delay = up + norm(self.receiver(delay) - target) / C
        received = self.receiver(delay)
        v_r = self.v_r + (delay - self.delay)[..., None] * self.a_r
        v_p = np.cross(self.omega, target)
        n1 = (target - self.p_t) / (C * up)[..., None]
        n2 = (received - target) / (C * (delay - up))[..., None]
        bounce_rate = (C - dot(n2, v_r)) / (C - dot(n2, v_p))
        return delay, 1 - bounce_rate * (C - dot(n1, v_p)) / (C - dot(n1, self.v_t))


def _interpolate(line: Complex, position: Array) -> Complex:
    """Lagrange interpolation through the TAPS nearest elements; positions outside give 0."""
    first = np.floor(position).astype(np.int64) - (TAPS // 2 - 1)
    x = position - first
    valid = (first >= 0) & (first + TAPS <= line.size)
    first = np.where(valid, first, 0)
    out = np.zeros(position.shape, np.complex128)
    for i in range(TAPS):
        weight = np.ones(position.shape)
        for j in range(TAPS):
            if j != i:
                weight *= (x - j) / (i - j)
        out += weight * line[first + i]
    return np.where(valid, out, 0)


class _Zoom:
    """sum over k = low..high of X_k e^{j 2 pi k m / n} at `count` successive m, by Bluestein's convolution."""

    def __init__(self, low: int, high: int, n: int, count: int) -> None:
        self.n, self.count = n, count
        self.k, self.m = np.arange(low, high + 1), np.arange(count)
        self.length = 1 << int(np.ceil(np.log2(self.k.size + count)))
        lag = np.arange(-high, count - low)  # m - k
        kernel = np.zeros(self.length, np.complex128)
        kernel[lag + high] = self._half_square(lag, -1)  # starts at lag -high: the first k meets m = 0 at lag -low
        self.kernel = np.fft.fft(kernel)

    def _half_square(self, x: NDArray[np.int64], sign: int) -> Complex:
        return np.asarray(np.exp(sign * 1j * np.pi * np.remainder(x * x, 2 * self.n) / self.n))

    def __call__(self, values: Complex, first: int) -> Complex:
        """Sums at m = first..first + count - 1."""
        turned = np.exp(2j * np.pi * np.remainder(self.k * first, self.n) / self.n)
        padded = np.zeros(self.length, np.complex128)
        padded[: self.k.size] = values * turned * self._half_square(self.k, 1)
        sums = np.fft.ifft(np.fft.fft(padded) * self.kernel)
        # element i of the padded input is k = low + i, and lag m - k sits at m - k + high: together m + high - low
        start = self.k.size - 1
        return np.asarray(sums[start : start + self.count] * self._half_square(self.m, 1))


def backproject(
    acquisition: Any,
    echoes: NDArray[Any],
    zero_doppler_time_s: Array,
    slant_range_m: Array,
    *,
    processed_band_hz: float,
    doppler_centroid_hz: Array | float | None = None,
    height_m: float | None = None,
    compress: Compressor = "inverse",
    range_weight: Callable[[Array], Array] | None = None,
    gain: Callable[[Array], Array] | None = None,
) -> Complex:
    """Image (times, ranges) on the zero-Doppler grid of `zero_doppler_time_s` x `slant_range_m`.

    Parameters
    ----------
    acquisition : fields of sidelook's Acquisition; orbit needed
    echoes : (pulses, samples) complex; pulses that hold a value that is not finite are left out
    processed_band_hz : the aperture is whole inside this band around the centroid, tapered to zero at +-PRF/2
    doppler_centroid_hz : absolute, a number, one a range, or (times, ranges); default: the acquisition's polynomial at
        the ranges' two-way delays, without drift
    height_m : above WGS84; default: the acquisition's terrain height
    compress : "inverse" of the chirp's spectrum (the result's range spectrum is `range_weight`), "matched" (it is that
        times the chirp's power spectrum), or "phase" (a chirp without Fresnel ripple is assumed)
    range_weight : amplitude at baseband frequencies (Hz), the focuser's range window with its cut; default: 1 in the
        chirp's band, 0 outside
    gain : amplitude factor as a function of the absolute Doppler (Hz) at the carrier, to equalise an antenna pattern

    Returns
    -------
    (times, ranges) complex128; a point of amplitude a at slant range R has the phase of a exp(-j 4 pi R f0 / c),
    with a factor of about the number of pulses and of sample_rate / sqrt(|K|) of the compressed pulse.
    """
    times, ranges = np.asarray(zero_doppler_time_s, float), np.asarray(slant_range_m, float)
    orbit = Orbit(acquisition.orbit)
    height = acquisition.terrain_height_m if height_m is None else height_m
    right = not str(acquisition.look_side).endswith("left")
    f0, rate, prf, fs = (
        acquisition.carrier_hz,
        acquisition.chirp_rate_hz_per_s,
        acquisition.prf_hz,
        acquisition.sample_rate_hz,
    )
    points = place(orbit, times[:, None], ranges[None, :], height, right)
    centre = points[len(times) // 2, len(ranges) // 2]
    if doppler_centroid_hz is None:
        x = 2 * ranges / C - acquisition.first_sample_delay_s
        doppler_centroid_hz = np.polynomial.polynomial.polyval(x, np.array(acquisition.doppler_centroid_hz))
    centroid = np.broadcast_to(np.asarray(doppler_centroid_hz, float), points.shape[:2])
    flat_half = flat_half_width(acquisition, processed_band_hz, centroid)
    if flat_half.max() >= prf / 2:
        raise ValueError(f"processed_band_hz is {processed_band_hz}; leaves no taper inside +-PRF/2 at every range frequency")

    n = 1 << int(np.ceil(np.log2(acquisition.samples + fs * acquisition.chirp_duration_s + 64)))
    frequency = np.fft.fftfreq(n, 1 / fs)
    if range_weight is None:
        response = (np.abs(frequency) <= bandwidth_hz(acquisition) / 2).astype(float)
    else:
        response = np.asarray(range_weight(frequency), float)
    index = np.round(frequency * n / fs).astype(np.int64)
    half = int(np.abs(index[response != 0]).max())
    used = np.arange(-half, half + 1)  # an index below zero counts from the end, as in the transform
    response, frequency = response[used], frequency[used]
    spectrum = ChirpSpectrum(acquisition)

    image = np.zeros(points.shape[:2], np.complex128)
    corners = np.ix_([0, -1], [0, -1])
    zoom: _Zoom | None = None
    typical = float(2 * norm(centre - orbit.state(np.array([times.mean()]))[0][0]) / C)
    for k in range(acquisition.pulses):
        sent = acquisition.first_pulse_time_s + k / prf
        typical = float(_Pulse(orbit, sent, typical).delay_and_rate(centre[None])[0][0])
        pulse = _Pulse(orbit, sent, typical)
        at_corners = -f0 * pulse.delay_and_rate(points[corners])[1] - centroid[corners]
        line = np.asarray(echoes[k], np.complex128)
        if at_corners.min() > prf / 2 or at_corners.max() < -prf / 2 or not np.isfinite(line).all():
            continue  # Doppler is monotonic over the grid: no pixel's aperture holds this pulse
        centre_rate = float(pulse.delay_and_rate(centre[None])[1][0])
        centre_doppler = -f0 * centre_rate
        delay, delay_rate = pulse.delay_and_rate(points)
        doppler = -f0 * delay_rate
        weight = aperture_weight(doppler - centroid, flat_half, prf / 2)
        if gain is not None:
            weight = weight * gain(doppler)
        e = doppler - centre_doppler
        position = (delay - e / rate - acquisition.first_sample_delay_s) * fs * OVERSAMPLING
        first = int(np.floor(position.min())) - TAPS
        if zoom is None or np.ptp(position) + 2 * TAPS + 1 > zoom.count:
            zoom = _Zoom(-half, half, OVERSAMPLING * n, int(1.1 * np.ptp(position)) + 8 * TAPS)
        # the spectrum of this pulse's echo from the grid's centre: shifted by the Doppler, its time scale stretched
        chirp_frequency = (frequency - centre_doppler) / (1 - centre_rate)
        compressed = zoom(np.fft.fft(line, n)[used] * response * compressor(spectrum, compress, chirp_frequency), first) / n
        phase = np.remainder(f0 * delay, 1.0) * 2 * np.pi + np.pi * (2 * centre_doppler * e + e**2) / rate
        image += weight * _interpolate(compressed, position - first) * np.exp(1j * phase)
    return np.asarray(image * np.exp(-2j * np.pi * np.remainder(2 * ranges * f0 / C, 1.0)))
