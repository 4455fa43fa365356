"""From the radiance at the aperture to what a microbolometer camera delivers: kelvin, 16 bit and 8 bit.

Order of things, as in the camera: optics blur radiance, the detector samples it at its own pitch and adds noise
(temporal, fixed pattern, columns, vignetting), the picture is brought to the size that was asked for, and automatic
gain control (AGC) makes grey levels of it. Up to the AGC everything stays radiometric.

Sources:
    FLIR, "FLIR Camera Adjustments", 102-PS242-100-01 (Tau 2 and Quark, 2014) and 102-2013-100-01 (Boson, 2016):
    plateau equalisation, its limits on gain and tails, share of a linear ramp, detail enhancement.
    Silverman, "Signal-processing algorithms for display and enhancement of IR images", SPIE 2020 (1993): plateau
    equalisation itself.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ThermalError
from ..geometry.camera import Camera
from ..normal_numbers import standard_normals
from ..optional import cv2, fast_kernel, found_intrinsic, kernel
from ..random_streams import Draw, Stream, dataset_rng
from ..text_files import parse_toml
from .flaws import Flaws, fixed_pattern, lens_transmittance, spoil_pixels
from .planck import LWIR, Band, band_radiance, band_table, clamped

__all__ = [
    "Sensor",
    "agc",
    "detector_pitch",
    "expose",
    "from_uint16",
    "map_tones",
    "read_sensors",
    "temporal_noise",
    "to_uint16",
]

_REFERENCE_K = 300.0
"""Background at which data sheets state NETD."""
_PIXEL_SIGMA = 0.289
"""Standard deviation of a square aperture of one pixel, 1 / sqrt(12)."""
_BINS = 2048
_RUN = 1024
"""Pixels whose bins are found at a time."""
_WITH_DEFAULT = {"low_um", "high_um"}
"""Keys that a table may leave out: then the band is 8-14 um."""


@dataclass(frozen=True)
class Sensor:
    """One infrared camera core.

    Raises:
        ThermalError: a number that no camera has.
    """

    name: str
    width: int
    """Detector columns; 0: as fine as the picture, whatever its size."""
    height: int
    focal_px: float
    """Focal length in detector pixels: with the picture's own it gives detector pixels per picture pixel."""
    optics_sigma_px: float
    """Blur of lens, diffraction and detector aperture together, standard deviation in detector pixels."""
    netd_K: float
    """Temporal noise at 300 K."""
    fixed_pattern_K: float
    """Non-uniformity left after correction, per pixel, the same in every frame."""
    column_K: float
    """The same per column: a read-out amplifier each."""
    row_K: float
    """Temporal noise per row: the supply's, during one row's read-out."""
    vignetting_K: float
    """Warming of the corners against the centre by the lens barrel."""
    plateau: float
    """Most pixels that a histogram bin counts for, as a share of an even distribution's; small: nearly linear."""
    linear: float
    """Share of a linear ramp in the tone curve, 0-1."""
    tail: float
    """Share of pixels cut off at either end."""
    max_gain_per_K: float
    """Steepest tone curve, grey levels per kelvin: a flat scene is not blown up into noise."""
    detail: float
    """Gain of detail enhancement; 0 none."""
    detail_sigma_px: float
    """Size of detail, in picture pixels."""
    low_um: float = LWIR.low_um
    """Wavelengths that the detector sees, from."""
    high_um: float = LWIR.high_um
    """To."""

    @property
    def band(self) -> Band:
        """Wavelengths that the detector sees."""
        return Band(self.low_um, self.high_um)

    def __post_init__(self) -> None:
        """Check that the numbers describe a camera."""
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name != "name" and not (np.isfinite(value) and 0 <= value <= 16384):
                raise ThermalError(f"sensor {self.name!r}: {field.name} is {value}, expected 0 to 16384")
        if self.plateau <= 0 or self.max_gain_per_K <= 0 or self.tail >= 0.5 or self.linear > 1:
            raise ThermalError(
                f"sensor {self.name!r}: expected plateau and max_gain_per_K above 0, tail below 0.5, linear up to 1"
            )
        _ = self.band


def read_sensors(path: Path) -> dict[str, Sensor]:
    """Sensors of a TOML file, by name (the ``[sensor.NAME]`` tables of ``assets/cameras.toml``).

    Raises:
        ThermalError: the file cannot be read, or a table in it describes no sensor.
    """
    try:
        tables = parse_toml(path.read_bytes())["sensor"]
    except (OSError, KeyError, ValueError) as error:
        raise ThermalError(f"{path}: no sensors could be read: {error}; expected [sensor.NAME] tables") from error
    if not isinstance(tables, dict) or not all(isinstance(table, dict) for table in tables.values()):
        raise ThermalError(f"{path}: sensor is {str(tables)[:60]!r}: expected [sensor.NAME] tables")
    return {name: _sensor(name, table, path) for name, table in tables.items()}


def _sensor(name: str, table: dict[str, Any], path: Path) -> Sensor:
    known = {field.name for field in fields(Sensor)} - {"name"}
    missing, unknown = known - _WITH_DEFAULT - set(table), set(table) - known - {"source"}
    if missing or unknown:
        wrong = ", ".join(sorted(missing | unknown))
        raise ThermalError(f"{path}: sensor.{name}: missing or unknown: {wrong}; expected {', '.join(sorted(known))}")
    try:
        return Sensor(name, **{key: table[key] for key in known & set(table)})
    except TypeError as error:
        raise ThermalError(f"{path}: sensor.{name}: {error}; expected numbers") from None


# --- radiometric part -------------------------------------------------------------------------------------------------


def expose(
    apparent_temperature_K: NDArray[np.float32],
    sensor: Sensor,
    draw: Draw,
    camera: Camera | None = None,
    band: Band = LWIR,
    flaws: Flaws | None = None,
) -> NDArray[np.float32]:
    """Temperature that the camera measures.

    Args:
        apparent_temperature_K: (H, W) at the aperture.
        sensor: its detector samples the picture.
        draw: its seed fixes the pattern that stays, the frame's number the noise that changes.
        camera: of the picture; with it the detector's pitch follows from the focal lengths. Without, the whole
            detector covers the picture's width.
        band: of the detector.
        flaws: of this frame's camera; None: a clean lens, and patterns that are the same in all frames.

    Returns:
        (H, W) float32, kelvin.
    """
    height, width = apparent_temperature_K.shape
    pitch = detector_pitch(sensor, width, camera)
    table = band_table(band)
    radiance = table.radiance(apparent_temperature_K)
    through = None if flaws is None else lens_transmittance(flaws, height, width)
    if through is not None and flaws is not None:
        own = np.float32(band_radiance(flaws.lens_K, band))
        radiance = own + through * (radiance - own)
    sigma = max(sensor.optics_sigma_px * pitch, _PIXEL_SIGMA if sensor.optics_sigma_px > 0 else 0.0)
    if sigma > 0.05:
        radiance = _blurred(radiance, _kernel(sigma), sigma)
    shape = (height, width)
    if pitch > 1.02:
        shape = (max(2, round(height / pitch)), max(2, round(width / pitch)))
        radiance = cv2.resize(radiance, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR)
    measured = table.temperature(_with_noise(radiance, sensor, draw, min(pitch, 1.0), band, flaws))
    if flaws is not None:
        spoil_pixels(measured, flaws, draw)
    if shape != (height, width):
        measured = cv2.resize(measured, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.ascontiguousarray(measured, dtype=np.float32)


def detector_pitch(sensor: Sensor, width: int, camera: Camera | None) -> float:
    """Picture pixels per detector pixel, for a picture of that width; at most all of them."""
    if sensor.width == 0:
        return 1.0
    if camera is None or sensor.focal_px == 0:
        return width / sensor.width
    return min(camera.fx / sensor.focal_px, float(width))  # a blur wider than the picture takes gigabytes


def _kernel(sigma: float) -> tuple[int, int]:
    """Odd size that holds a Gaussian to four deviations."""
    size = 2 * max(1, int(np.ceil(4.0 * sigma))) + 1
    return size, size


def _blurred(picture: NDArray[np.float32], size: tuple[int, int], sigma: float) -> NDArray[np.float32]:
    """What OpenCV's Gaussian filter of an odd size makes of a picture (H, W), its border repeated outside."""
    if found_intrinsic() is None:
        return np.asarray(cv2.GaussianBlur(picture, size, sigma, borderType=cv2.BORDER_REPLICATE), np.float32)
    weights = np.exp(-0.5 * (np.arange(size[0] // 2 + 1) / sigma) ** 2)
    weights /= weights[0] + 2.0 * weights[1:].sum()
    out = np.empty(picture.shape, np.float32)
    _blur(np.ascontiguousarray(picture, np.float32), weights.astype(np.float32), out)
    return out


@fast_kernel
def _blur(picture: NDArray[np.float32], weights: NDArray[np.float32], out: NDArray[np.float32]) -> None:
    """Fill ``out`` (H, W), by ``weights`` (R + 1,) from the middle on: a row's columns first, then along the row.

    OpenCV goes over the whole picture twice; here a row stays in the processor's nearest cache.
    """
    height, width = picture.shape
    reach = weights.size - 1
    padded = np.empty(width + 2 * reach, np.float32)
    for r in range(height):
        row, middle, line = padded[reach : reach + width], picture[r], out[r]
        for c in range(width):
            row[np.uint64(c)] = weights[0] * middle[np.uint64(c)]
        for k in range(1, reach + 1):
            above, below, weight = picture[max(r - k, 0)], picture[min(r + k, height - 1)], weights[k]
            for c in range(width):
                row[np.uint64(c)] += weight * (above[np.uint64(c)] + below[np.uint64(c)])
        padded[:reach], padded[reach + width :] = row[0], row[width - 1]
        for c in range(width):
            line[np.uint64(c)] = weights[0] * row[np.uint64(c)]
        for k in range(1, reach + 1):
            left, right, weight = (
                padded[reach - k : reach - k + width],
                padded[reach + k : reach + k + width],
                weights[k],
            )
            for c in range(width):
                line[np.uint64(c)] += weight * (left[np.uint64(c)] + right[np.uint64(c)])


def _with_noise(
    radiance: NDArray[np.float32], sensor: Sensor, draw: Draw, share: float, band: Band, flaws: Flaws | None
) -> NDArray[np.float32]:
    """Add noise in radiance: a kelvin of noise at 300 K is more than a kelvin on a cold sky.

    ``share`` below 1 means that a picture pixel averages several detector pixels.
    """
    if not any((sensor.netd_K, sensor.fixed_pattern_K, sensor.column_K, sensor.row_K, sensor.vignetting_K)):
        return radiance
    per_K = float(band_radiance(_REFERENCE_K + 0.5, band) - band_radiance(_REFERENCE_K - 0.5, band))
    shape = (radiance.shape[0], radiance.shape[1])
    numbers = standard_normals(draw.rng(Stream.SENSOR), radiance.size + shape[0])
    noise = numbers[: radiance.size].reshape(shape)
    rows = numbers[radiance.size :, None] * np.float32(sensor.row_K)
    if flaws is None:
        pattern = _fixed(sensor, draw.seed, draw.camera, shape, share)
    else:
        pattern = fixed_pattern(flaws, sensor.fixed_pattern_K * share, sensor.column_K, draw, shape)
    _add_up(noise, np.float32(sensor.netd_K * share), rows, pattern, np.float32(per_K), radiance)
    return noise


@kernel
def _add_up(
    noise: NDArray[np.float32],
    netd_K: np.float32,
    rows: NDArray[np.float32],
    pattern: NDArray[np.float32],
    per_K: np.float32,
    radiance: NDArray[np.float32],
) -> None:
    """Normal noise (H, W) becomes the radiance with all noise: of pixels, of rows (H, 1), and the pattern (H, W)."""
    for r in range(noise.shape[0]):
        line, fixed, seen, row = noise[r], pattern[r], radiance[r], rows[r, 0]
        for k in range(noise.shape[1]):
            at = np.uint64(k)
            line[at] = ((line[at] * netd_K + row) + fixed[at]) * per_K + seen[at]


def temporal_noise(sensor: Sensor, draw: Draw, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Noise of one frame alone, kelvin at 300 K: for what is added to a real picture, which has its own patterns."""
    return standard_normals(draw.rng(Stream.SENSOR), math.prod(shape)).reshape(shape) * np.float32(sensor.netd_K)


@functools.lru_cache(maxsize=4)
def _fixed(sensor: Sensor, seed: int, camera: int | None, shape: tuple[int, int], share: float) -> NDArray[np.float32]:
    """What stays from frame to frame, kelvin at 300 K."""
    rng = dataset_rng(seed, Stream.SENSOR, camera)
    pattern = rng.standard_normal(shape) * sensor.fixed_pattern_K * share
    pattern += rng.standard_normal((1, shape[1])) * sensor.column_K
    y, x = np.meshgrid(np.linspace(-1, 1, shape[0]), np.linspace(-1, 1, shape[1]), indexing="ij")
    pattern += sensor.vignetting_K * (x * x + y * y) / 2.0
    return pattern.astype(np.float32)


def to_uint16(measured_K: NDArray[np.float32]) -> tuple[NDArray[np.uint16], tuple[float, float]]:
    """Counts that hold the whole span of a picture: (H, W) uint16, and the kelvin of counts 0 and 65535.

    Raises:
        ThermalError: a value is not finite.
    """
    low, high = _finite_ends(measured_K, "16-bit counts")
    high = max(high, low + 1e-3)
    counts = np.empty(measured_K.shape, dtype=np.uint16)
    _count(measured_K.reshape(-1), np.float32(low), np.float32(65535.0 / (high - low)), counts.reshape(-1))
    return counts, (low, high)


def _finite_ends(measured_K: NDArray[np.float32], what: str) -> tuple[float, float]:
    """The lowest and the highest temperature of a picture.

    Raises:
        ThermalError: one that is not finite.
    """
    low, high = float(measured_K.min()), float(measured_K.max())
    if not np.isfinite(low + high):
        raise ThermalError(f"{what}: the picture holds values that are not finite; expected kelvin everywhere")
    return low, high


@kernel
def _count(values: NDArray[np.float32], low: np.float32, per_K: np.float32, out: NDArray[np.uint16]) -> None:
    """Steps above the lowest value, rounded."""
    half, most = np.float32(0.5), np.float32(65535.0)
    for k in range(values.size):
        at = np.uint64(k)
        out[at] = np.int32(clamped((values[at] - low) * per_K + half, np.float32(0.0), most))


def from_uint16(counts: NDArray[np.uint16], span_K: tuple[float, float]) -> NDArray[np.float32]:
    """Inverse of :func:`to_uint16`, to half a count."""
    low, high = span_K
    return (low + counts.astype(np.float64) * ((high - low) / 65535.0)).astype(np.float32)


# --- display ----------------------------------------------------------------------------------------------------------


def agc(
    measured_K: NDArray[np.float32], sensor: Sensor, earlier: Sequence[tuple[float, NDArray[np.float32]]] = ()
) -> NDArray[np.uint8]:
    """Grey levels, white hot: plateau equalisation mixed with a linear ramp, then detail enhancement.

    Args:
        measured_K: (H, W) kelvin.
        sensor: holds the parameters.
        earlier: of a sequence, pictures (any size) that were measured before with the weights of their tone curves,
            which together leave something to this one: a camera's gain control follows the scene with a delay.

    Returns:
        (H, W) uint8. Before detail enhancement equal temperatures are equal greys, and warmer is never darker.

    Raises:
        ThermalError: temperatures that are not finite.
    """
    grey = map_tones(measured_K, sensor, earlier)
    if sensor.detail > 0:
        sigma = sensor.detail_sigma_px
        smooth = _blurred(grey, _kernel(sigma * 0.75), sigma)
        return _sharpened(grey, smooth, np.float32(sensor.detail))
    return np.asarray((np.clip(grey, 0.0, 255.0) + np.float32(0.5)).astype(np.uint8))


def map_tones(
    measured_K: NDArray[np.float32], sensor: Sensor, earlier: Sequence[tuple[float, NDArray[np.float32]]] = ()
) -> NDArray[np.float32]:
    """Grey levels (H, W), 0 to 255, before detail enhancement; arguments as for :func:`agc`."""
    curve, low, step = _tone_curve(measured_K, sensor)
    if earlier:
        own = 1.0 - sum(weight for weight, _ in earlier)
        others = [(weight, *_tone_curve(picture, sensor)) for weight, picture in earlier]
        curve, low, step = _mixed([(own, curve, low, step), *others])
    grey = np.empty(measured_K.shape, dtype=np.float32)
    _apply_curve(np.ascontiguousarray(measured_K), curve, low, 1.0 / step, grey)
    return grey


def _tone_curve(measured_K: NDArray[np.float32], sensor: Sensor) -> tuple[NDArray[np.float32], float, float]:
    """Grey at the edges of equal bins of temperature: (2049,) rising from 0 to at most 255; first edge and bin, K."""
    low, high = _finite_ends(measured_K, "gain control")
    high = max(high, low + 1e-3)
    counts = _histogram(measured_K.ravel(), low, high, _BINS)
    low, high = _without_tails(counts, low, high, sensor.tail)
    counts = _histogram(measured_K.ravel(), low, high, _BINS).astype(np.float64)
    # A bin counts for no more than the plateau, so that road and sky do not take all greys.
    even = measured_K.size / _BINS
    counts = np.minimum(counts, sensor.plateau * even)
    weights = counts / max(counts.sum(), 1e-9)
    ramp = np.full(_BINS, 1.0 / _BINS)
    slope = 255.0 * ((1.0 - sensor.linear) * weights + sensor.linear * ramp)
    step = (high - low) / _BINS
    slope = np.minimum(slope, sensor.max_gain_per_K * step)
    curve = np.concatenate([[0.0], np.cumsum(slope)])
    curve += (255.0 - curve[-1]) / 2.0  # a scene with little contrast stays in the middle
    return curve.astype(np.float32), low, step


def _mixed(
    curves: Sequence[tuple[float, NDArray[np.float32], float, float]],
) -> tuple[NDArray[np.float32], float, float]:
    """The weighted mean of tone curves, over all that they span."""
    low = min(first for _, _, first, _ in curves)
    high = max(first + step * (len(curve) - 1) for _, curve, first, step in curves)
    edges = np.linspace(low, high, 2 * _BINS + 1)
    mean = np.zeros(len(edges))
    for weight, curve, first, step in curves:
        mean += weight * np.interp(edges, first + step * np.arange(len(curve)), curve)
    return mean.astype(np.float32), low, (high - low) / (2 * _BINS)


def _without_tails(counts: NDArray[np.int64], low: float, high: float, tail: float) -> tuple[float, float]:
    """Span without the given share of pixels at either end."""
    cumulated = np.cumsum(counts) / max(1, counts.sum())
    step = (high - low) / len(counts)
    first = int(np.searchsorted(cumulated, tail, side="right"))
    last = int(np.searchsorted(cumulated, 1.0 - tail, side="left"))
    cut_low, cut_high = low + first * step, low + (last + 1) * step
    return (cut_low, cut_high) if cut_high > cut_low else (low, high)


@kernel
def _histogram(values: NDArray[np.float32], low: float, high: float, bins: int) -> NDArray[np.int64]:
    """Counts of equal bins; what lies outside falls into the outer ones.

    Bins are found by vectors and counted in four tables: neighbours are alike, and one table would wait for itself.
    """
    counts = np.zeros((4, bins), dtype=np.int64)
    scale, start = np.float32(bins / (high - low)), np.float32(low)
    lowest, highest = np.float32(0.0), np.float32(bins - 1)
    where = np.empty(_RUN, dtype=np.int32)
    for first in range(0, values.size, _RUN):
        part = values[first : first + _RUN]
        for k in range(part.size):
            at = np.uint64(k)
            where[at] = np.int32(clamped((part[at] - start) * scale, lowest, highest))
        for k in range(part.size):
            counts[k & 3, np.uint64(where[np.uint64(k)])] += 1
    together: NDArray[np.int64] = counts[0] + counts[1] + counts[2] + counts[3]
    return together


@kernel
def _apply_curve(
    values: NDArray[np.float32], curve: NDArray[np.float32], low: float, per_K: float, out: NDArray[np.float32]
) -> None:
    """Linear interpolation in the tone curve: first the places of a row, by vectors, then what stands there."""
    width = values.shape[1]
    lowest, last, top = np.float32(0.0), np.float32(curve.size - 1), np.int32(curve.size - 2)
    start, scale = np.float32(low), np.float32(per_K)
    place, share = np.empty(width, dtype=np.int32), np.empty(width, dtype=np.float32)
    for r in range(values.shape[0]):
        row, grey = values[r], out[r]
        for k in range(width):
            at = np.uint64(k)
            position = clamped((row[at] - start) * scale, lowest, last)
            place[at] = min(np.int32(position), top)
            share[at] = position - np.float32(place[at])
        for k in range(width):
            at = np.uint64(k)
            below = np.uint64(place[at])
            grey[at] = curve[below] + share[at] * (curve[below + np.uint64(1)] - curve[below])


@kernel
def _sharpened(grey: NDArray[np.float32], smooth: NDArray[np.float32], gain: np.float32) -> NDArray[np.uint8]:
    """Add detail; the more of it there is, the less it is raised, which keeps halos at strong edges low."""
    out = np.empty(grey.shape, dtype=np.uint8)
    for r in range(grey.shape[0]):
        for c in range(grey.shape[1]):
            detail = grey[r, c] - smooth[r, c]
            raised = gain * detail / (np.float32(1.0) + abs(detail) * np.float32(1.0 / 40.0))
            out[r, c] = np.uint8(min(max(grey[r, c] + raised + np.float32(0.5), np.float32(0.0)), np.float32(255.0)))
    return out
