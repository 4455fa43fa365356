"""What a car's panels show besides its zones: gaps, plate, badge, handles, rims, seals, uneven paint.

Everything is in deviations of the car's own greys, and drawn where the car's own axes say that it is. Nothing is
narrower than a pixel: what is finer fades with distance as it does in a real picture (:func:`line_share`,
:func:`strip_share`).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..geometry.affine import world_to_local
from ..geometry.frame import Frame
from ..geometry.view import CameraView, camera_view
from ..optional import njit
from ..zones.catalogue import Zone
from .regions import CarRegion

__all__ = ["PanelVariation", "line_share", "panel_details", "strip_share", "unevenness"]

_RISE = 0.9
"""How much warmer the lowest part of a body is than its highest, in deviations: mean of the cars fitted to RoadScene's
training frames (their profile rises by 1.3 from the roof to the sills; zones account for the rest)."""
_SEAL = 0.9
"""Depth of the border between two zones that is wider than a pixel: seals and rounded edges (assumed)."""
_DIRT = 0.3
"""Share of :func:`unevenness`: what dirt, dents and bent reflections add (assumed)."""
_SEAM_M = 0.012
"""Half width of a seam as the eye sees it: the gap of 4 mm and its rounded edges (assumed)."""
_SEAM = 1.3
"""Depth of a seam that fills a pixel (assumed)."""
_MARKS = 0.5
"""Depth of plates, badges and handles beside what :func:`_end` and :func:`_side` give them."""


class PanelVariation(NamedTuple):
    """What makes one car's panels differ from another's, each number a standard normal draw."""

    front_gap: float
    rear_gaps: float
    waist: float
    sill: float
    lid_sides: float
    bumper: float
    lid_top: float
    seal: float
    """Decides whether seals are dark or bright."""
    dirt_x: float
    dirt_y: float
    plate_height: float
    plate_place: float
    """Decides between lid and bumper."""
    plate_tone: float
    badge: float
    spokes: float
    spoke_phase: float
    rim_tone: float


class _Size(NamedTuple):
    """Extent of a car in its own axes, metres."""

    half_length: float
    half_width: float
    height: float


def panel_details(frame: Frame, region: CarRegion, inside: NDArray[np.bool_], variation: PanelVariation
) -> NDArray[np.float32]:  # fmt: skip
    """Details of one car.

    Args:
        frame: passes.
        region: the car and its box.
        inside: (h, w) pixels of the box that show the car.
        variation: drawn for the car.

    Returns:
        (N,) of the pixels that are inside, in deviations of the car's greys.
    """
    box, window = region.item.box_3d, region.window
    size = _Size(box.length_m / 2, box.width_m / 2, float(box.height_m))
    out = np.zeros(inside.shape, np.float32)
    _draw(
        frame.depth_m[window], frame.zone[window], inside, camera_view(frame),
        world_to_local(region.item.object_to_world), size, variation, region.rows.start, region.columns.start, out,
    )  # fmt: skip
    return np.asarray(out[inside])


@njit(cache=True, nogil=True, error_model="numpy")
def _draw(
    depth: Any, zones: Any, inside: Any, view: CameraView, to_car: Any, size: _Size, variation: PanelVariation,
    top: int, left: int, out: Any,
) -> None:  # fmt: skip
    """Each pixel's place on the car, and what is there."""
    turn, eye = view.rotation, view.position_m
    for r in range(depth.shape[0]):
        cy = (r + top + 0.5 - view.cy) / view.fy
        for c in range(depth.shape[1]):
            if not inside[r, c]:
                continue
            d = depth[r, c]
            cx = (c + left + 0.5 - view.cx) / view.fx
            px = eye[0] + (turn[0, 0] * cx + turn[0, 1] * cy + turn[0, 2]) * d
            py = eye[1] + (turn[1, 0] * cx + turn[1, 1] * cy + turn[1, 2]) * d
            pz = eye[2] + (turn[2, 0] * cx + turn[2, 1] * cy + turn[2, 2]) * d
            x = to_car[0, 0] * px + to_car[0, 1] * py + to_car[0, 2] * pz + to_car[0, 3]
            y = to_car[1, 0] * px + to_car[1, 1] * py + to_car[1, 2] * pz + to_car[1, 3]
            z = to_car[2, 0] * px + to_car[2, 1] * py + to_car[2, 2] * pz + to_car[2, 3]
            pixel = d / view.fx
            zone = zones[r, c]
            level = _RISE * (0.55 - z / size.height)
            level += _part(x, y, z, pixel, zone, size, variation)
            if _is_border(zones, inside, r, c):
                level -= _SEAL * min(1.0, 0.03 / pixel) * (1.0 if variation.seal > -0.8 else -0.7)
            rough = 0.5 if zone == Zone.GLASS else 1.0
            dirt = unevenness(x + 3.1 * variation.dirt_x, y + 2.7 * variation.dirt_y, z, pixel)
            out[r, c] = level + _DIRT * rough * dirt


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _part(x: Any, y: Any, z: Any, pixel: Any, zone: Any, size: Any, variation: Any) -> Any:
    """What the part of the car at a point shows: wheel, grille, side, or an end."""
    side = abs(y) > 0.75 * size.half_width and abs(x) < 0.88 * size.half_length
    level = 0.0
    if zone == Zone.TYRE or (side and zone == Zone.BRAKE):
        level = _rim(x, z, size, variation) if side else 0.0
    elif zone == Zone.GRILLE:
        level = 0.7 * math.cos(z * 2 * math.pi / 0.07) * max(0.0, 1.0 - pixel / 0.05)
    elif side and (zone == Zone.BODY or zone == Zone.GLASS):
        level = _side(x, z, pixel, size, variation, zone == Zone.BODY)
    elif abs(x) > 0.6 * size.half_length and (zone == Zone.BODY or zone == Zone.LAMP or zone == Zone.BONNET):
        level = _end(x, y, z, pixel, size, variation)
    return level


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _side(x: Any, z: Any, pixel: Any, size: Any, variation: Any, body: Any) -> Any:
    """Doors, handles, waist line, sill."""
    level = 0.0
    gap = min(1.0, 2.0 * _SEAM_M / pixel) * _SEAM
    if z / size.height > 0.2:
        level -= gap * line_share(x - (0.02 + 0.04 * variation.front_gap) * size.half_length, pixel)
        level -= gap * line_share(x + (0.46 + 0.04 * variation.rear_gaps) * size.half_length, pixel)
        level -= gap * line_share(x - (0.44 + 0.04 * variation.rear_gaps) * size.half_length, pixel)
    if body:
        level += 0.8 * gap * line_share(z - (0.56 + 0.03 * variation.waist) * size.height, pixel)
        level -= 0.7 * gap * line_share(z - (0.27 + 0.03 * variation.sill) * size.height, pixel)
        for k in range(2):
            handle = (-0.06 - 0.46 * k) * size.half_length
            upright = strip_share(z - 0.6 * size.height, 0.018, pixel)
            level -= 1.8 * _MARKS * strip_share(x - handle, 0.09, pixel) * upright
    return level


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _end(x: Any, y: Any, z: Any, pixel: Any, size: Any, variation: Any) -> Any:
    """Lid, bumper, plate and badge of the rear, or of the front."""
    gap = min(1.0, 2.0 * _SEAM_M / pixel) * _SEAM
    rear = x < 0
    level = -gap * line_share(z - (0.40 + 0.03 * variation.sill) * size.height, pixel)
    if z > 0.42 * size.height:
        level -= 0.7 * gap * line_share(abs(y) - (0.72 + 0.04 * variation.lid_sides) * size.half_width, pixel)
    level += 0.9 * gap * line_share(z - (0.25 + 0.03 * variation.bumper) * size.height, pixel)
    level += 0.6 * gap * line_share(z - (0.63 + 0.03 * variation.lid_top) * size.height, pixel)
    level += _plate(y, z, pixel, size, variation, rear)
    badge_m = math.hypot(y, z - (0.66 if rear else 0.5) * size.height)
    filled = max(0.0, min(1.0, (0.06 - badge_m) / pixel + 0.5))
    level -= _MARKS * (1.4 + 0.5 * variation.badge) * filled * min(1.0, 0.1 / pixel)
    level += 0.9 * max(0.0, 1.0 - abs(z / size.height - 0.2) / 0.05)
    return level


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _plate(y: Any, z: Any, pixel: Any, size: Any, variation: Any, rear: Any) -> Any:
    """Number plate and its frame."""
    on_lid = rear and variation.plate_place > -0.8
    height = (0.50 + 0.05 * variation.plate_height if on_lid else 0.29 + 0.02 * variation.plate_height) * size.height
    frame = strip_share(y, 0.28, pixel) * strip_share(z - height, 0.085, pixel)
    plate = strip_share(y, 0.25, pixel) * strip_share(z - height, 0.055, pixel)
    return _MARKS * (-2.4 * (frame - plate) + (-1.6 if variation.plate_tone > 0.3 else 0.4) * plate)


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _rim(x: Any, z: Any, size: Any, variation: Any) -> Any:
    """Rim and hub of the nearer wheel: a tyre is warm, its rim colder, with spokes."""
    along = abs(x) - 0.6 * size.half_length
    up = z - 0.32
    radius = math.hypot(along, up)
    if radius > 0.24:
        return 0.6
    count = 5.0 + math.floor(1.5 * abs(variation.spokes))
    spokes = math.cos(math.atan2(up, along) * count + variation.spoke_phase)
    return (-0.9 if variation.rim_tone > -0.7 else 0.2) + 0.7 * spokes * min(1.0, radius / 0.12)


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _is_border(zones: Any, inside: Any, r: Any, c: Any) -> Any:
    """Whether another zone of the same car begins below or to the right."""
    if r + 1 >= zones.shape[0] or c + 1 >= zones.shape[1]:
        return False
    zone = zones[r, c]
    return (zones[r + 1, c] != zone and inside[r + 1, c]) or (zones[r, c + 1] != zone and inside[r, c + 1])


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def line_share(offset: Any, pixel: Any) -> Any:
    """Share of a pixel at an offset that a line has, with linear fall-off to one pixel: all pixels have 1 together."""
    return max(0.0, 1.0 - abs(offset) / pixel)


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def strip_share(offset: Any, half: Any, pixel: Any) -> Any:
    """Share of a pixel at an offset that a strip of half a width fills."""
    return max(0.0, min(offset + pixel / 2, half) - max(offset - pixel / 2, -half)) / pixel


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def unevenness(x: Any, y: Any, z: Any, pixel: Any) -> Any:
    """Noise that repeats nowhere on a car, of mean 0 and a deviation of at most 0.75.

    Four octaves from 50 to 6 cm, each a product of two sines whose phases are bent by further sines, with a deviation
    of 0.375; those below two pixels are left out.

    Args:
        x: metres forward.
        y: metres to the left.
        z: metres upward.
        pixel: width of a pixel there, metres.
    """
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
