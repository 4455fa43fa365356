"""Cars that belong into a real frame: its levels, its surroundings in their paint, its sensor.

Plain blending (:mod:`.over`) gives cars the contrast of assumed weather, smooth paint and a clean sensor, and an eye
sees them at once. Here the frame itself says what they must look like:

1. *Levels.* In a display-only frame gain control has lost the temperatures, so each car's mean and contrast follow the
   frame's road and contrast as those of real cars do (:class:`GreyLevels`), its zones in the order that physics and
   measured cars give. In a radiometric frame kelvin stay kelvin; road and sky come from the frame.
2. *Mirrors.* Paint and glass mirror what is around them. The frame is taken for a picture of that, all around.
3. *Seams.* Gaps between doors, lids and bumpers, plates, badges, handles, rims, and uneven paint.
4. *Ground.* The warm or shaded road under a car and at its foot, in the frame's contrast.
5. *Air.* With distance cars fade to the level of the frame's horizon.
6. *Sensor.* Edge spread, detail enhancement, noise and columns as measured on the frame (:mod:`.frame_sensor`).

Masks and depth are never touched.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numba import njit
from numpy.typing import NDArray

from ..errors import ThermalError
from ..geometry.affine import world_to_local
from ..geometry.frame import Frame
from ..random_streams import Draw, Stream
from ..thermal.atmosphere import path_transmittance
from ..thermal.conditions import Conditions
from ..zones.catalogue import Zone
from .background_sensor import DETAIL, DETAIL_PX, FrameSensor, blur_for_px, sensor_noise
from .foreground import ForegroundLayer

__all__ = [
    "ALL",
    "GREY_LEVELS",
    "Corrections",
    "GreyLevels",
    "frame_conditions",
    "harmonise_grey",
    "harmonise_kelvin",
    "horizon_row",
]

Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class Corrections:
    """Which corrections are made; all of them, unless pictures compare them."""

    levels: bool = True
    mirror: bool = True
    seams: bool = True
    ground: bool = True
    air: bool = True
    sensor: bool = True


ALL = Corrections()


@dataclass(frozen=True)
class GreyLevels:
    """How real cars lie in frames after gain control, in grey levels.

    Slopes and deviations between frames fitted to 262 cars of 32 to 160 pixels in the training frames of RoadScene (day
    and night together); the other three chosen on the same frames by the distance of ``benchmarks/harmonisation.py``.
    """

    mean: float = 132.0
    mean_per_road: float = 0.21
    """Mean of a car = mean + mean_per_road x grey of the road below it; residuals below."""
    between_frames: float = 22.0
    between_cars: float = 25.0
    contrast: float = 24.0
    contrast_per_frame: float = 0.62
    """Deviation inside a car = contrast + contrast_per_frame x deviation of the lower two thirds of the frame."""
    contrast_between_cars: float = 13.0


GREY_LEVELS = GreyLevels()
_CONTRASTS = (28.0, 76.0)
_LOW, _HIGH = 6.0, 250.0
"""Greys that street frames rarely leave."""

# In deviations of the car's own greys, median and deviation between cars: read from cars fitted to RoadScene's training
# frames (``benchmarks/car_levels.py``, table ``benchmarks/car_levels.json``).
_ZONE_LEVEL = {
    Zone.BODY: (0.20, 0.19), Zone.ROOF: (-0.52, 0.74), Zone.GLASS: (-1.01, 0.49), Zone.BONNET: (-0.64, 0.50),
    Zone.GRILLE: (0.58, 0.50), Zone.TYRE: (0.79, 0.61), Zone.BRAKE: (0.87, 0.66), Zone.EXHAUST: (0.74, 0.92),
    Zone.LAMP: (0.20, 0.50), Zone.UNDERBODY: (0.66, 0.53), Zone.INTERIOR: (-0.64, 0.46),
}  # fmt: skip
_RISE = 0.9
"""How much warmer the lowest part of a body is than its highest, in deviations: mean of the same cars (their profile
rises by 1.3 from the roof to the sills; zones account for the rest)."""
_PHYSICS_SHARE = 0.3
"""Share of what physics says about differences between zones; its weather is not the frame's."""

# Share of what is mirrored, in *grey levels*: gain control shows the 40 K between road and sky as about 100 greys and
# the few kelvin between parts of a street as another 100, so mirrors show more than their reflectance of 0.07 to 0.11.
_MIRROR_GREY = {Zone.GLASS: 0.75, Zone.ROOF: 0.5, Zone.BONNET: 0.5, Zone.BODY: 0.42, Zone.LAMP: 0.3, Zone.GRILLE: 0.15}
# Reflectance at normal incidence: one less the emissivities of assets/thermal_profiles.toml.
_MIRROR_K = {Zone.GLASS: 0.11, Zone.ROOF: 0.07, Zone.BONNET: 0.07, Zone.BODY: 0.07, Zone.LAMP: 0.07, Zone.GRILLE: 0.05}
_ROAD_SHARE = 0.5
"""Share of the difference between a radiometric frame's road and the model's that its cars follow: sheet metal follows
the air, which is the frame's already. Doors of the two FLIR E60 cars are 3 K warmer than their road, at its own air."""
_MIRROR_BLUR_PX = 6.0
"""Blur of what is mirrored: paint is no perfect mirror, and curved metal packs much of the picture into a pixel."""
_BOW_PER_M, _WAIST_M = 0.7, 0.8
"""Panels are bowed: above the waist they mirror what is higher, below what is lower (sine of elevation per metre;
assumed)."""
_SEAM_M = 0.012
"""Half width of a seam as the eye sees it: the gap of 4 mm and its rounded edges (assumed)."""
_EDGE = 0.9
"""Depth of the border between two zones that is wider than a pixel: seals and rounded edges (assumed)."""
_DIRT = 0.3
"""Deviation of what dirt, dents and bent reflections add, in deviations of the car."""
_MARKS = 0.5
"""Depth of plates, badges and handles beside what :func:`_end` and :func:`_side` give them."""
_SEAM_LEVEL = 1.3
"""Depth of a seam that fills a pixel, in deviations of the car (assumed)."""
_GROUND_GREY = 25.0
"""Most that the ground is raised or lowered: medians under real cars are 4 greys by day, 24 at night (RoadScene)."""
_GROUND_GREY_PER_K = 14.0
_UNDER_GREY, _UNDER_LIMITS = (26.0, 40.0), (-35.0, 90.0)
"""Greys by which the road at a car's foot is lighter than a third of its height below, mean and deviation between cars:
medians 15 by day and 55 at night, 15th and 85th percentile -40 to 77 and 25 to 95 (116 cars of RoadScene's training
frames, ``benchmarks/car_levels.py``)."""
_UNDER_REACH = 0.3
"""Share of a car's height by which that reaches below its foot: there the same cars show no difference any more."""
_MIN_ALPHA = 1e-3
_MOVING_PX = 0.08
"""Cars move while a frame is taken: added to the measured edge spread, well inside a fifth of it (assumed; brings crops
nearer to real ones)."""
_NOISE_SHARE = 0.2
"""Of the frame's noise: the cars have fine texture already, and with all of the noise more than twice the frame's was
read inside them; with this share 1.13 to 1.20 times on validation frames, with half of it 1.29 to 1.34
times; on training frames 0.86 times with a tenth and 0.92 with three tenths (``benchmarks/harmonisation.py``)."""
INNER_PX = 1.2
"""Blur inside a car beyond the sensor's: 0.9 to 1.4 pixels bring crops nearer to real ones than none, and hardly differ
(``benchmarks/harmonisation.py``)."""


def frame_conditions(kelvin: Float32, conditions: Conditions, horizon_px: float) -> Conditions:
    """Weather that goes with a radiometric frame: air as warm as its horizon, sky as cold as its coldest sky.

    Args:
        kelvin: (H, W) apparent temperatures.
        conditions: hour and weather that were drawn; air and sky are replaced.
        horizon_px: row of the horizon.
    """
    row = int(np.clip(horizon_px, 2, kelvin.shape[0] - 2))
    band = kelvin[max(0, row - 8) : row + 8]
    air_K = float(np.clip(np.median(band), 230.0, 330.0))
    sky_K = float(np.clip(np.percentile(kelvin[:row], 2.0), 180.0, air_K))
    return replace(conditions, air_temperature_K=air_K, sky_temperature_K=sky_K)


def horizon_row(frame: Frame) -> float:
    """Row to which the level direction straight ahead is projected."""
    pose = frame.cam_to_world[:3, :3]
    ahead = np.array([pose[0, 2], pose[1, 2], 0.0]) @ pose
    return float(frame.camera.cy + frame.camera.fy * ahead[1] / max(ahead[2], 1e-3))


def harmonise_grey(
    background: NDArray[np.uint8],
    frame: Frame,
    foreground: ForegroundLayer,
    conditions: Conditions,
    sensor: FrameSensor,
    draw: Draw,
    parts: Corrections = ALL,
) -> NDArray[np.uint8]:
    """Cars in a display-only frame.

    Args:
        background: (H, W) uint8, white hot, at the size of the frame.
        frame: passes, with normals.
        foreground: the cars, of :func:`.foreground.render_foreground`.
        conditions: for the air's transmittance.
        sensor: measured on the background.
        draw: seed of the dataset and number of the frame.
        parts: corrections to make.

    Returns:
        (H, W) uint8. Far from cars it is the background, byte for byte.

    Raises:
        ThermalError: the sizes differ.
    """
    behind = _checked(background, frame).astype(np.float32)
    window = _window(frame, foreground.ground_change_K, _UNDER_REACH if parts.ground else 0.0)
    if window is None:
        return background.copy()
    cars = _grey_cars(behind, frame, foreground, conditions, draw, parts)
    sigma = blur_for_px(sensor.edge_px + _MOVING_PX, enhanced=True) if parts.sensor else 0.55
    soft, alpha = _softened(cars[window], frame.instance_id[window], sigma)
    ground = behind[window]
    if parts.ground:
        change = np.tanh(foreground.ground_change_K[window] * np.float32(_GROUND_GREY_PER_K / _GROUND_GREY))
        glow = _under(frame, draw)[window]
        ground = _within(ground + change * np.float32(_GROUND_GREY) + glow, ground)
    if parts.sensor:
        soft = _enhanced(soft, alpha, ground)
        noise = _noise(sensor, draw, soft.shape, window)
        soft = soft + noise * np.float32(_NOISE_SHARE)
    mixed = ground + alpha * (soft - ground)
    out = background.copy()
    changed = (alpha > _MIN_ALPHA) | (np.abs(ground - behind[window]) > 0.5)
    out[window][changed] = np.clip(np.rint(mixed[changed]), 0, 255).astype(np.uint8)
    return out


def harmonise_kelvin(
    background_K: Float32,
    frame: Frame,
    foreground: ForegroundLayer,
    sensor: FrameSensor,
    draw: Draw,
    parts: Corrections = ALL,
) -> Float32:
    """Cars in a radiometric frame, kelvin; arguments as for :func:`harmonise_grey`.

    Air and sky of the foreground are the frame's (:func:`frame_conditions`); to its road it follows by a share. Physics
    has mirrored its sky and street in it already; what the frame's surroundings add is their detail.
    """
    behind = _checked(background_K, frame)
    window = _window(frame, foreground.ground_change_K)
    if window is None:
        return behind.copy()
    cars = foreground.apparent_temperature_K.copy()
    for identity, rows, columns in _boxes(frame):
        inside = frame.instance_id[rows, columns] == identity
        part = cars[rows, columns]
        off_K = _road_level(behind, rows, columns, inside) - foreground.road_K if parts.levels else 0.0
        part[inside] += np.float32(_ROAD_SHARE * off_K)
    if parts.mirror:
        around = _Around(behind, frame)
        share = _shares(_MIRROR_K)[frame.zone]
        cars += around.mirrored(frame, share, detail_only=True)
    soft, alpha = _softened(
        cars[window], frame.instance_id[window], blur_for_px(sensor.edge_px + _MOVING_PX, enhanced=False)
    )
    ground = behind[window] + (foreground.ground_change_K[window] if parts.ground else np.float32(0.0))
    if parts.sensor:
        soft = soft + _noise(sensor, draw, soft.shape, window)
    out = behind.copy()
    out[window] = np.where(alpha > _MIN_ALPHA, ground + alpha * (soft - ground), ground)
    return out


# --- ground -----------------------------------------------------------------------------------------------------------


def _under(frame: Frame, draw: Draw) -> Float32:
    """(H, W) greys by which the road under and just before each car is lighter or darker than farther off."""
    rng = draw.rng(Stream.HARMONISATION, 1)
    out = np.zeros(frame.instance_id.shape, np.float32)
    for _, rows, columns in _boxes(frame):
        amount = float(np.clip(_UNDER_GREY[0] + _UNDER_GREY[1] * rng.standard_normal(), *_UNDER_LIMITS))
        tall, wide = rows.stop - rows.start, columns.stop - columns.start
        top, bottom = rows.stop - tall // 4, min(out.shape[0], rows.stop + int(_UNDER_REACH * tall))
        left, right = max(0, columns.start - wide // 8), min(out.shape[1], columns.stop + wide // 8)
        down = (np.arange(top, bottom) - rows.stop) / (_UNDER_REACH * tall)
        across = np.abs(np.arange(left, right) - (columns.start + columns.stop - 1) / 2) / (0.62 * wide)
        fall = np.clip(1.0 - np.maximum(down, 0.0), 0.0, 1.0) ** 2
        side = np.clip(1.0 - across**4, 0.0, 1.0)
        part = out[top:bottom, left:right]
        change = (amount * fall[:, None] * side[None]).astype(np.float32)
        part[...] = np.where(np.abs(change) > np.abs(part), change, part)
    return out


# --- levels -----------------------------------------------------------------------------------------------------------


def _grey_cars(
    behind: Float32, frame: Frame, foreground: ForegroundLayer, conditions: Conditions, draw: Draw, parts: Corrections
) -> Float32:
    """(H, W) greys of the cars, sharp and without noise; 0 elsewhere."""
    rng = draw.rng(Stream.HARMONISATION)
    frame_shift = float(rng.standard_normal()) * GREY_LEVELS.between_frames
    contrast = GREY_LEVELS.contrast + GREY_LEVELS.contrast_per_frame * float(behind[behind.shape[0] // 3 :: 2].std())
    around = _Around(behind, frame)
    mirrored = around.mirrored(frame, _shares(_MIRROR_GREY)[frame.zone]) if parts.mirror else np.zeros_like(behind)
    haze = _haze(frame, conditions)
    out = np.zeros_like(behind)
    draws = {item.id: rng.standard_normal(40) for item in frame.instances}
    models = {item.id: item for item in frame.instances}
    for identity, rows, columns in _boxes(frame):
        inside = frame.instance_id[rows, columns] == identity
        own = draws[identity]
        wanted = float(np.clip(contrast + GREY_LEVELS.contrast_between_cars * own[0], *_CONTRASTS))
        pattern = _pattern(
            foreground.apparent_temperature_K[rows, columns][inside], frame.zone[rows, columns][inside], own
        )
        pattern = pattern * wanted + mirrored[rows, columns][inside]
        pattern = _standard(pattern)
        if parts.seams:
            pattern = pattern + _details(frame, models[identity], rows, columns, inside, own)
            wanted = min(wanted, _CONTRASTS[1] / max(float(pattern.std()), 1e-3))
        road = _road_level(behind, rows, columns, inside)
        level = GREY_LEVELS.mean + GREY_LEVELS.mean_per_road * road + frame_shift + GREY_LEVELS.between_cars * own[1]
        if not parts.levels:
            level, wanted = road, contrast
        grey = _within(np.float32(np.clip(level, 60.0, 215.0)) + pattern * np.float32(wanted))
        if parts.air:
            grey = grey + haze[rows, columns][inside] * (np.float32(around.horizon) - grey)
        out[rows, columns][inside] = grey
    return out


def _pattern(kelvin: Float32, zone: NDArray[np.uint8], draw: NDArray[np.float64]) -> Float32:
    """Greys of a car's own warmth, in deviations: levels of its zones, and what physics says within and between."""
    levels = np.zeros(256, np.float32)
    for key, (value, spread) in _ZONE_LEVEL.items():
        levels[key] = value + spread * draw[2 + int(key)]
    physics = np.clip(_standard(kelvin), -2.5, 2.5)
    return np.asarray(levels[zone] + np.float32(_PHYSICS_SHARE) * physics, dtype=np.float32)


def _standard(values: Float32) -> Float32:
    """Values less their mean, in deviations."""
    return np.asarray((values - values.mean()) / max(float(values.std()), 1e-3), dtype=np.float32)


def _road_level(behind: Float32, rows: slice, columns: slice, inside: NDArray[np.bool_]) -> float:
    """Median of the road in a strip below a car."""
    height = rows.stop - rows.start
    bottom = min(rows.stop + 1, behind.shape[0] - 2)
    strip = behind[bottom : bottom + max(3, height // 4), columns]
    return float(np.median(strip)) if strip.size else float(np.median(behind[-8:]))


def _within(grey: Float32, start: Float32 | float = 128.0) -> Float32:
    """Greys bent smoothly into the scale, as gain control does; those that were outside before stay there."""
    middle, half = (_LOW + _HIGH) / 2, (_HIGH - _LOW) / 2
    knee = np.float32(0.6 * half)
    rise = grey - np.float32(middle)
    beyond = np.maximum(np.abs(rise) - knee, 0.0) / np.float32(half - knee)
    bent = np.sign(rise) * (np.minimum(np.abs(rise), knee) + np.tanh(beyond) * np.float32(half - knee)) + middle
    return np.asarray(np.where(grey == start, grey, bent), dtype=np.float32)


def _haze(frame: Frame, conditions: Conditions) -> Float32:
    """Share of the air's own radiance by distance, (H, W)."""
    steps = np.linspace(0.0, 200.0, 64)
    through = path_transmittance(
        np.maximum(steps, 0.5), conditions.air_temperature_K, conditions.relative_humidity, conditions.visibility_m
    )
    at = np.clip(np.where(np.isfinite(frame.depth_m), frame.depth_m, 0.0) * np.float32(63 / 200.0), 0, 63)
    return np.asarray(1.0 - through.astype(np.float32)[at.astype(np.int32)], dtype=np.float32)


# --- mirrors ----------------------------------------------------------------------------------------------------------


def _shares(table: dict[Zone, float]) -> Float32:
    shares = np.zeros(256, np.float32)
    for zone, share in table.items():
        shares[zone] = share
    return shares


class _Around:
    """The frame as a picture of what is around the cars."""

    def __init__(self, behind: Float32, frame: Frame) -> None:
        self._image = _blurred(behind, _MIRROR_BLUR_PX)
        self._row = float(np.clip(horizon_row(frame), 8.0, behind.shape[0] - 9.0))
        at = int(self._row)
        self.horizon = float(np.median(behind[max(0, at - 6) : at + 7 : 2]))

    def mirrored(self, frame: Frame, share: Float32, *, detail_only: bool = False) -> Float32:
        """What is mirrored less the level of the horizon, times its share; (H, W), in the image's unit."""
        if frame.normal is None:
            raise ThermalError("mirrors: the frame has no normals; render it with normals=True")
        rows = self._image.mean(axis=1, dtype=np.float32)
        level = rows if detail_only else np.full_like(rows, self.horizon)
        out = np.zeros(share.shape, np.float32)
        lens = frame.camera
        pose = frame.cam_to_world
        view = np.concatenate([pose[:3, :3].ravel(), [lens.fx, lens.fy, lens.cx, lens.cy, self._row, pose[2, 3]]])
        _mirror(self._image, level, frame.instance_id, frame.normal, frame.depth_m, share, view, out)
        return out


@njit(cache=True, nogil=True, error_model="numpy")
def _mirror(image: Any, level: Any, ids: Any, normals: Any, depth: Any, share: Any, view: Any, out: Any) -> None:
    """Look up the mirror direction of every car pixel; the frame is repeated, mirrored, all around."""
    height, width = image.shape
    fx, fy, cx, cy, horizon = view[9], view[10], view[11], view[12], view[13]
    for r in range(height):
        y = (r + 0.5 - cy) / fy
        for c in range(width):
            if ids[r, c] == 0 or share[r, c] == 0.0:
                continue
            x = (c + 0.5 - cx) / fx
            n = 1.0 / math.sqrt(x * x + y * y + 1.0)
            dx = (view[0] * x + view[1] * y + view[2]) * n
            dy = (view[3] * x + view[4] * y + view[5]) * n
            dz = (view[6] * x + view[7] * y + view[8]) * n
            bow = _BOW_PER_M * (view[14] + dz / n * depth[r, c] - _WAIST_M)
            nx, ny, nz = normals[r, c, 0], normals[r, c, 1], normals[r, c, 2]
            facing = dx * nx + dy * ny + dz * nz
            rx, ry, rz = dx - 2 * facing * nx, dy - 2 * facing * ny, dz - 2 * facing * nz
            away = 1.0 - min(1.0, abs(facing))
            fresnel = share[r, c] + (1.0 - share[r, c]) * min(0.35, away**5)  # outlines are half a pixel
            # A whole turn is seven pictures of 50 degrees; heights are squeezed into what the picture has of them.
            column = abs((math.atan2(ry, rx) * fx * 0.6 + 4.5 * width) % (2.0 * width) - width)
            up = math.asin(min(1.0, max(-1.0, rz + bow)))
            room = horizon if up > 0 else height - horizon
            row = horizon - room * math.tanh(up * fy / room * 0.6)
            i = min(max(int(row), 0), height - 1)
            j = min(max(int(column), 0), width - 1)
            out[r, c] = fresnel * (image[i, j] - level[i])


# --- seams ------------------------------------------------------------------------------------------------------------


def _details(
    frame: Frame, item: Any, rows: slice, columns: slice, inside: NDArray[np.bool_], draw: NDArray[np.float64]
) -> Float32:
    """What a car's panels show besides its zones, in deviations: gaps, plate, badge, handles, rims, dirt."""
    lens, box = frame.camera, item.box_3d
    view = np.concatenate(
        [frame.cam_to_world[:3, :3].ravel(), frame.cam_to_world[:3, 3], [lens.fx, lens.fy, lens.cx, lens.cy]]
    )
    size = np.array([box.length_m / 2, box.width_m / 2, box.height_m])
    out = np.zeros(inside.shape, np.float32)
    _draw_details(
        frame.depth_m[rows, columns], frame.zone[rows, columns], inside, view, world_to_local(item.object_to_world),
        size, draw[20:40], np.array([_RISE, _EDGE, _DIRT, _SEAM_LEVEL, _MARKS]), rows.start, columns.start, out,
    )  # fmt: skip
    return np.asarray(out[inside])


@njit(cache=True, nogil=True, error_model="numpy")
def _draw_details(
    depth: Any, zones: Any, inside: Any, view: Any, m: Any, size: Any, draw: Any, depths: Any, top: Any,
    left: Any, out: Any,
) -> None:  # fmt: skip
    """Each pixel's place on the car, and what is there."""
    height, width = depth.shape
    for r in range(height):
        cy = (r + top + 0.5 - view[15]) / view[13]
        for c in range(width):
            if not inside[r, c]:
                continue
            d = depth[r, c]
            cx = (c + left + 0.5 - view[14]) / view[12]
            px = view[9] + (view[0] * cx + view[1] * cy + view[2]) * d
            py = view[10] + (view[3] * cx + view[4] * cy + view[5]) * d
            pz = view[11] + (view[6] * cx + view[7] * cy + view[8]) * d
            x = m[0, 0] * px + m[0, 1] * py + m[0, 2] * pz + m[0, 3]
            y = m[1, 0] * px + m[1, 1] * py + m[1, 2] * pz + m[1, 3]
            z = m[2, 0] * px + m[2, 1] * py + m[2, 2] * pz + m[2, 3]
            pixel = d / view[12]
            zone = zones[r, c]
            level = depths[0] * (0.55 - z / size[2])
            side = abs(y) > 0.75 * size[1] and abs(x) < 0.88 * size[0]
            if zone == 6 or (side and zone == 7):
                level += _rim(x, z, size, draw) if side else 0.0
            elif zone == 5:
                level += 0.7 * math.cos(z * 2 * math.pi / 0.07) * max(0.0, 1.0 - pixel / 0.05)
            elif side and (zone == 1 or zone == 3):
                level += _side(x, z, pixel, size, draw, depths, zone == 1)
            elif abs(x) > 0.6 * size[0] and (zone == 1 or zone == 9 or zone == 4):
                level += _end(x, y, z, pixel, size, draw, depths)
            if _border(zones, inside, r, c):
                level -= depths[1] * min(1.0, 0.03 / pixel) * (1.0 if draw[7] > -0.8 else -0.7)
            rough = 0.5 if zone == 3 else 1.0
            out[r, c] = level + depths[2] * rough * _dirt(x + 3.1 * draw[8], y + 2.7 * draw[9], z, pixel)


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _side(x: Any, z: Any, pixel: Any, size: Any, draw: Any, depths: Any, body: Any) -> Any:
    """Doors, handles, waist line, sill."""
    tall = z / size[2]
    level = 0.0
    gap = min(1.0, 2.0 * _SEAM_M / pixel) * depths[3]
    if tall > 0.2:
        level -= gap * _line(x - (0.02 + 0.04 * draw[0]) * size[0], pixel)
        level -= gap * _line(x + (0.46 + 0.04 * draw[1]) * size[0], pixel)
        level -= gap * _line(x - (0.44 + 0.04 * draw[1]) * size[0], pixel)
    if body:
        level += 0.8 * gap * _line(z - (0.56 + 0.03 * draw[2]) * size[2], pixel)
        level -= 0.7 * gap * _line(z - (0.27 + 0.03 * draw[3]) * size[2], pixel)
        for k in range(2):
            at = (-0.06 - 0.46 * k) * size[0]
            level -= 1.8 * depths[4] * _patch(x - at, 0.09, pixel) * _patch(z - 0.6 * size[2], 0.018, pixel)
    return level


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _end(x: Any, y: Any, z: Any, pixel: Any, size: Any, draw: Any, depths: Any) -> Any:
    """Lid, bumper, plate and badge of the rear, or of the front."""
    gap = min(1.0, 2.0 * _SEAM_M / pixel) * depths[3]
    rear = x < 0
    level = -gap * _line(z - (0.40 + 0.03 * draw[3]) * size[2], pixel)
    if z > 0.42 * size[2]:
        level -= 0.7 * gap * _line(abs(y) - (0.72 + 0.04 * draw[4]) * size[1], pixel)
    level += 0.9 * gap * _line(z - (0.25 + 0.03 * draw[5]) * size[2], pixel)
    level += 0.6 * gap * _line(z - (0.63 + 0.03 * draw[6]) * size[2], pixel)
    at = (0.50 + 0.05 * draw[10] if rear and draw[11] > -0.8 else 0.29 + 0.02 * draw[10]) * size[2]
    frame = _patch(y, 0.28, pixel) * _patch(z - at, 0.085, pixel)
    plate = _patch(y, 0.25, pixel) * _patch(z - at, 0.055, pixel)
    level += depths[4] * (-2.4 * (frame - plate) + (-1.6 if draw[12] > 0.3 else 0.4) * plate)
    badge = math.hypot(y, z - (0.66 if rear else 0.5) * size[2])
    level -= (
        depths[4] * (1.4 + 0.5 * draw[13]) * max(0.0, min(1.0, (0.06 - badge) / pixel + 0.5)) * min(1.0, 0.1 / pixel)
    )
    low = z / size[2]
    level += 0.9 * max(0.0, 1.0 - abs(low - 0.2) / 0.05)
    return level


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _rim(x: Any, z: Any, size: Any, draw: Any) -> Any:
    """Rim and hub of the nearer wheel: a tyre is warm, its rim colder, with spokes."""
    along = abs(x) - 0.6 * size[0]
    up = z - 0.32
    radius = math.hypot(along, up)
    if radius > 0.24:
        return 0.6
    spokes = math.cos(math.atan2(up, along) * (5.0 + math.floor(1.5 * abs(draw[14]))) + draw[15])
    return (-0.9 if draw[16] > -0.7 else 0.2) + 0.7 * spokes * min(1.0, radius / 0.12)


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _patch(offset: Any, half: Any, pixel: Any) -> Any:
    """Share of a pixel at an offset that a strip of half a width fills."""
    return max(0.0, min(offset + pixel / 2, half) - max(offset - pixel / 2, -half)) / pixel


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _dirt(x: Any, y: Any, z: Any, pixel: Any) -> Any:
    """Unevenness of about unit deviation in patches of 6 to 50 cm; patches below two pixels are left out."""
    total = 0.0
    scale = 0.5
    for _ in range(4):
        if scale > 2.0 * pixel:
            total += (
                0.5
                * math.sin((x * 5.1 + y * 3.7 + 1.9 * math.sin(z * 4.3 / scale + y)) / scale)
                * math.sin((z * 6.3 + 1.7 * math.sin((x + y) * 3.1 / scale)) / scale)
            )
        scale *= 0.5
    return 1.5 * total


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _border(zones: Any, inside: Any, r: Any, c: Any) -> Any:
    """Whether another zone of the same car begins below or to the right."""
    if r + 1 >= zones.shape[0] or c + 1 >= zones.shape[1]:
        return False
    zone = zones[r, c]
    return (zones[r + 1, c] != zone and inside[r + 1, c]) or (zones[r, c + 1] != zone and inside[r, c + 1])


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _line(offset: Any, pixel: Any) -> Any:
    """Share of a pixel that a line at offset 0 has, with linear fall-off to one pixel."""
    return max(0.0, 1.0 - abs(offset) / pixel)


# --- sensor -----------------------------------------------------------------------------------------------------------


def _checked(background: NDArray[Any], frame: Frame) -> NDArray[Any]:
    if background.shape != frame.instance_id.shape:
        raise ThermalError(f"background is {background.shape}: expected the frame's {frame.instance_id.shape}")
    return background


def _boxes(frame: Frame) -> list[tuple[int, slice, slice]]:
    """Id and tight box of every visible car."""
    found = []
    for item in frame.instances:
        if item.box_visible_px is not None and item.visible_px > 0:
            left, top, right, bottom = (int(v) for v in item.box_visible_px)
            found.append((item.id, slice(top, bottom), slice(left, right)))
    return found


def _window(frame: Frame, ground: Float32, below: float = 0.0) -> tuple[slice, slice] | None:
    """Smallest rectangle with all cars and all ground that they change, and room for the blur."""
    touched = (frame.instance_id > 0) | (np.abs(ground) > 0.02)
    rows, columns = np.flatnonzero(touched.any(axis=1)), np.flatnonzero(touched.any(axis=0))
    if rows.size == 0:
        return None
    margin = 8
    tallest = max((box.stop - box.start for _, box, _ in _boxes(frame)), default=0)
    return (
        slice(max(0, int(rows[0]) - margin), int(rows[-1]) + 1 + margin + int(below * tallest)),
        slice(max(0, int(columns[0]) - margin), int(columns[-1]) + 1 + margin),
    )


def _softened(cars: Float32, ids: NDArray[np.uint16], sigma: float) -> tuple[Float32, Float32]:
    """Cars and the share of each pixel that they cover, blurred as the optics do.

    Inside a car borders are softer than its outline: heat spreads in sheet metal, and panels are rounded.
    """
    mask = (ids > 0).astype(np.float32)
    alpha = mask if sigma < 0.2 else _blurred(mask, sigma)
    inner = math.hypot(max(sigma, 0.3), INNER_PX)
    share = np.maximum(_blurred(mask, inner), _MIN_ALPHA)
    return np.asarray(_blurred(cars * mask, inner) / share, dtype=np.float32), alpha


def _enhanced(cars: Float32, alpha: Float32, ground: Float32) -> Float32:
    """Detail enhancement as the frame has had it, of the cars in their surroundings: halos at their outlines too."""
    mixed = ground + alpha * (cars - ground)
    detail = mixed - _blurred(mixed, DETAIL_PX)
    # As in the sensor model: the more detail there is, the less it is raised.
    raised = np.float32(DETAIL) * detail / (np.float32(1.0) + np.abs(detail) * np.float32(1.0 / 40.0))
    return np.asarray(cars + raised, dtype=np.float32)


def _noise(sensor: FrameSensor, draw: Draw, shape: tuple[int, ...], window: tuple[slice, slice]) -> Float32:
    """Noise of a window of the frame, with the columns that are there."""
    there = replace(sensor, columns=sensor.columns[window[1]])
    return sensor_noise(there, draw, shape)


def _blurred(image: Float32, sigma: float) -> Float32:
    size = 2 * max(1, math.ceil(3.0 * sigma)) + 1
    return np.asarray(cv2.GaussianBlur(image, (size, size), sigma, borderType=cv2.BORDER_REPLICATE))
