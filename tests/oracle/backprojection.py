"""Exact time-domain focusing of a small grid of zero-Doppler pixels, in double precision.

One pulse, one point. Let t_c be the reception time of the pulse's centre, d0 = d(t_c), d' = d'(t_c). Around it
d(t) = d0 + d' u, u = t - t_c, so the echo is
    exp(-j 2 pi f0 d0) p((1 - d') u) exp(j 2 pi fD u),   fD = -f0 d',   p(u) = exp(j pi K u^2),
a chirp of rate K' = K (1 - d')^2 shifted by fD. Its spectrum has the phase -pi (f - fD)^2 / K', not -pi f^2 / K: a
compressor that ignores this moves the peak by -fD/K (20 ns at 3 degrees of squint in C band) and turns it by
-pi fD^2/K. So each pulse is compressed with the filter
    H_k(f) = H(f) exp(j pi ((f - fD)^2 / K' - f^2 / K)),
with fD and K' of the grid's centre: H alone decides the amplitudes, the phase is exact there. A pixel whose Doppler
differs by e then lies at d0 - e/K with the phase of -pi (2 fD e + e^2)/K, and both are undone. The next term,
d'' u^2 / 2, is 2 pi f0 d'' (T/2)^2 / 2 of phase: some 1e-6 rad.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .orbit import EARTH_RATE, Array, C, Orbit, dot, norm, place, rotate

Complex = NDArray[np.complex128]
RangeFilter = Callable[[Array], Complex]
OVERSAMPLING = 16
TAPS = 6  # of Lagrange on 16-fold samples: (pi/16)^6 (2.5 1.5 0.5)^2 / 6! = -131 dB at the edge of the band


def bandwidth_hz(acquisition: Any) -> float:
    """Band swept by the chirp."""
    return float(abs(acquisition.chirp_rate_hz_per_s) * acquisition.chirp_duration_s)


def flat_filter(acquisition: Any, window: Callable[[Array], Array] | None = None, band_hz: float = 0) -> RangeFilter:
    """exp(j pi f^2 / K) inside the band, times window(f / band); the spectrum of a chirp made flat but for its ripple."""
    band = band_hz or bandwidth_hz(acquisition)

    def response(f: Array) -> Complex:
        inside = np.abs(f) <= band / 2
        weight = inside.astype(float) if window is None else inside * window(np.clip(f / band, -0.5, 0.5))
        return np.asarray(weight * np.exp(1j * np.pi * f**2 / acquisition.chirp_rate_hz_per_s))

    return response


def matched_filter(acquisition: Any, window: Callable[[Array], Array] | None = None, band_hz: float = 0) -> RangeFilter:
    """Conjugate spectrum of the transmitted pulse (a dense sum, scaled to about one), inside the band as above."""
    band = band_hz or bandwidth_hz(acquisition)
    rate, half = acquisition.chirp_rate_hz_per_s, acquisition.chirp_duration_s / 2

    def response(f: Array) -> Complex:
        n = int(np.ceil(32 * 2 * half * bandwidth_hz(acquisition)))
        u = (np.arange(n) + 0.5) * (2 * half / n) - half
        pulse = np.exp(1j * np.pi * rate * u**2)
        out = np.zeros(f.shape, np.complex128)
        inside = np.flatnonzero(np.abs(f) <= band / 2)
        for part in np.array_split(inside, max(1, inside.size // 256)):
            out[part] = np.conj(np.exp(-2j * np.pi * np.outer(f[part], u)) @ pulse)
        weight = 1.0 if window is None else window(np.clip(f / band, -0.5, 0.5))
        return np.asarray(out * weight * (2 * half / n) * np.sqrt(abs(rate)))

    return response


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


def backproject(
    acquisition: Any,
    echoes: NDArray[Any],
    zero_doppler_time_s: Array,
    slant_range_m: Array,
    *,
    processed_band_hz: float,
    doppler_centroid_hz: Array | float | None = None,
    height_m: float | None = None,
    range_filter: RangeFilter | None = None,
    gain: Callable[[Array], Array] | None = None,
) -> Complex:
    """Image (times, ranges) on the zero-Doppler grid of `zero_doppler_time_s` x `slant_range_m`.

    Parameters
    ----------
    acquisition : fields of sidelook's Acquisition; orbit needed
    echoes : (pulses, samples) complex; pulses that hold a value that is not finite are left out
    processed_band_hz : the aperture is whole inside this band around the centroid, tapered to zero at +-PRF/2
    doppler_centroid_hz : absolute, a number or one a range; default: the acquisition's polynomial
    height_m : above WGS84; default: the acquisition's terrain height
    range_filter : complex response at baseband frequencies (Hz); default: `flat_filter` of the chirp's band
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
    centroid = np.broadcast_to(np.asarray(doppler_centroid_hz, float), ranges.shape)
    flat_half = flat_half_width(acquisition, processed_band_hz, centroid)
    if flat_half.max() >= prf / 2:
        raise ValueError(
            f"processed_band_hz is {processed_band_hz}; leaves no taper inside +-PRF/2 at every range frequency"
        )

    n = 1 << int(np.ceil(np.log2(acquisition.samples + fs * acquisition.chirp_duration_s + 64)))
    frequency = np.fft.fftfreq(n, 1 / fs)
    response = (range_filter or flat_filter(acquisition))(frequency)
    used = np.flatnonzero(response)
    response, frequency_used = response[used], frequency[used]
    padded = np.zeros(OVERSAMPLING * n, np.complex128)
    into = np.where(frequency_used >= 0, used, used + (OVERSAMPLING - 1) * n)

    image = np.zeros(points.shape[:2], np.complex128)
    typical = float(2 * norm(centre - orbit.state(np.array([times.mean()]))[0][0]) / C)
    for k in range(acquisition.pulses):
        line = np.asarray(echoes[k], np.complex128)
        pulse = _Pulse(orbit, acquisition.first_pulse_time_s + k / prf, typical)
        centre_delay, centre_rate = pulse.delay_and_rate(centre[None])
        typical = float(centre_delay[0])
        pulse = _Pulse(orbit, acquisition.first_pulse_time_s + k / prf, typical)
        centre_doppler = -f0 * float(centre_rate[0])
        span = prf / 2 + 2 * abs(2 * f0 / C * 7500**2 / ranges.min()) * np.ptp(times) + np.ptp(centroid)
        if abs(centre_doppler - centroid[len(ranges) // 2]) > 1.5 * span or not np.isfinite(line).all():
            continue  # far outside every pixel's aperture
        delay, delay_rate = pulse.delay_and_rate(points)
        doppler = -f0 * delay_rate
        weight = aperture_weight(doppler - centroid, flat_half, prf / 2)
        if not weight.any():
            continue
        if gain is not None:
            weight = weight * gain(doppler)
        chirp_rate = rate * (1 - float(centre_rate[0])) ** 2
        exact = np.exp(1j * np.pi * ((frequency_used - centre_doppler) ** 2 / chirp_rate - frequency_used**2 / rate))
        padded[into] = np.fft.fft(line, n)[used] * response * exact
        compressed = np.fft.ifft(padded) * OVERSAMPLING
        e = doppler - centre_doppler
        position = (delay - e / rate - acquisition.first_sample_delay_s) * fs * OVERSAMPLING
        phase = np.remainder(f0 * delay, 1.0) * 2 * np.pi + np.pi * (2 * centre_doppler * e + e**2) / rate
        image += weight * _interpolate(compressed, position) * np.exp(1j * phase)
    return image * np.exp(-2j * np.pi * np.remainder(2 * ranges * f0 / C, 1.0))
