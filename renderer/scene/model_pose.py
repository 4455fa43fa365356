"""How a car model from anywhere must be turned and scaled: x forward, y left, z up, on the ground, in metres.

Nothing in a model file says which end is the front or what a unit is, so it is read off the shape. The result says what
was assumed, and :mod:`renderer.blender.models` reports it.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["CLEAR_ENDS", "LENGTHS_M", "ModelPose", "end_from_name", "is_wheel", "model_pose", "wrong_size"]

LENGTHS_M = {"car": (3.0, 6.2), "van": (4.2, 8.0), "truck": (4.8, 18.75), "bus": (7.0, 19.0)}
"""Plausible lengths. Ends: smallest and largest production cars, vans to 7.5 t, road trains and articulated buses
(EU 96/53)."""
TYPICAL_LENGTH_M = {"car": 4.4, "van": 5.3, "truck": 7.5, "bus": 12.0}
WIDEST_M = {"car": 2.2, "van": 2.6, "truck": 2.6, "bus": 2.6}
"""Widest that fits a lane beside others: cars with their mirrors, heavy vehicles by EU 96/53."""
_WIDTHS_M = {"car": (1.2, 3.2), "van": (1.4, 3.6), "truck": (1.4, 3.8), "bus": (1.8, 3.8)}
_HEIGHTS_M = {"car": (0.85, 3.0), "van": (1.3, 3.8), "truck": (1.3, 4.7), "bus": (1.6, 4.7)}
"""What passes as a size: real ones, and half as much again for toy-like models, which are wide and high."""
_UNITS_M = (1.0, 0.01, 0.001, 0.0254, 0.3048, 0.1, 10.0)
CLEAR_OFFSET = 0.05
"""Share of the length by which a truck's top must stand off the middle to tell front from rear."""
CLEAR_ASYMMETRY = 0.02
"""Share of a model's cells by which two axes must differ in symmetry to tell width from length by it."""
CLEAR_ENDS = 0.1
"""Share of the greatest extent by which what is called front must be apart from what is called rear."""
_REAR_WORDS = ("rear", "back", "tail", "trunk", "boot", "brakelight", "brakelamp", "stoplight", "stoplamp")
_FRONT_WORDS = ("front", "headlight", "headlamp", "bonnet", "hood", "grill", "windscreen", "windshield")
_NO_END_WORDS = ("mirror", "view", "seat")
"""A rear-view mirror is in front, and so is what is called the back of a front seat."""
_SYMMETRY_GRID = 24
"""Cells along each side of the occupancy grid in which mirror symmetry is judged."""
_LEVELS = (0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
"""Heights, as shares of the whole, of the cuts through the cabin that tell front from rear."""
_TOP_LEVEL = _LEVELS.index(0.85)


@dataclass(frozen=True, eq=False)
class ModelPose:
    """How to place a model."""

    transform: NDArray[np.float64]
    """(4, 4) from the file's coordinates to the model's own."""
    size_m: tuple[float, float, float]
    """Length, width, height afterwards."""
    notes: tuple[str, ...]
    """What was changed or guessed."""


def model_pose(
    points: NDArray[np.float64],
    edges: NDArray[np.float64],
    category: str,
    forward: tuple[float, float, float] | None = None,
) -> ModelPose:
    """Transform for a car.

    Args:
        points: (N, 3) vertices in a z-up world of unknown unit.
        edges: (E, 2, 3) ends of the mesh's edges in the same world.
        category: detector class, which says what lengths are plausible.
        forward: where the file's format says that the front is; used if it lies along the car.
    """
    notes: list[str] = []
    rotation = _upright(points, notes)
    turned = points @ rotation.T
    along = float(rotation[0] @ forward) if forward is not None else 0.0
    if along < -0.5 or (abs(along) <= 0.5 and _faces_backwards(turned, edges @ rotation.T, category)):
        rotation = np.diag([-1.0, -1.0, 1.0]) @ rotation
        turned = points @ rotation.T
    if not np.allclose(rotation, np.eye(3)):
        source = "its file's convention" if abs(along) > 0.5 else "its shape"
        notes.append(f"turned so that its front, told by {source}, looks along +x")
    low, high = turned.min(axis=0), turned.max(axis=0)
    scale = _scale(high - low, category, notes)
    transform = np.eye(4)
    transform[:3, :3] = rotation * scale
    transform[:3, 3] = -scale * np.array([(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2]])
    length, width, height = ((high - low) * scale).tolist()
    return ModelPose(transform, (length, width, height), tuple(notes))


def wrong_size(size_m: tuple[float, float, float], category: str) -> str:
    """Why a model of that length, width and height is none of its category, in words; empty if it may be one."""
    length, width, height = size_m
    limits = [limits.get(category, limits["car"]) for limits in (_WIDTHS_M, _HEIGHTS_M)]
    if all(low <= side <= high for side, (low, high) in zip((width, height), limits, strict=True)):
        return ""
    (narrowest, widest), (lowest, highest) = limits
    return (
        f"{length:.3g} m long, {width:.3g} m wide and {height:.3g} m high: no {category} has this size (width "
        f"{narrowest:g}-{widest:g} m, height {lowest:g}-{highest:g} m); a van, truck or bus is known by its name"
    )


def end_from_name(name: str) -> Literal["front", "rear"] | None:
    """Which end of a car a part or material is at by its name; a hatchback is no back. None where it does not tell."""
    words = [word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)]
    words += [first + second for first, second in itertools.pairwise(words)]
    if any(word.startswith(_NO_END_WORDS) for word in words):
        return None
    if any(word.startswith(_REAR_WORDS) for word in words):
        return "rear"
    return "front" if any(word.startswith(_FRONT_WORDS) for word in words) else None


def _upright(points: NDArray[np.float64], notes: list[str]) -> NDArray[np.float64]:
    """Rotation that brings length, width and height to x, y and z.

    Cars are mirror images of themselves left to right and in no other direction, and longer than high.
    """
    extent = points.max(axis=0) - points.min(axis=0)
    asymmetry = [_asymmetry(points, axis) for axis in range(3)]
    width_axis = _width_axis(asymmetry, extent, (0, 1, 2))
    if width_axis == 2 and min(asymmetry[:2]) < asymmetry[2] + 0.1:
        width_axis = _width_axis(asymmetry, extent, (0, 1))  # no clear case against the file's own up
    length_axis, up_axis = sorted((axis for axis in range(3) if axis != width_axis), key=lambda axis: -extent[axis])
    if length_axis == 2 and extent[2] < 1.2 * extent[up_axis]:
        length_axis, up_axis = up_axis, length_axis  # nearly as high as long: believe the file's own up
    if up_axis != 2:
        notes.append(f"stood up: its {'xyz'[up_axis]} axis was taken as its height")
    up = np.eye(3)[up_axis] * _up_sign(points, up_axis, length_axis, keep=up_axis == 2)
    forward = np.eye(3)[length_axis]
    return np.stack([forward, np.cross(up, forward), up])


def _width_axis(asymmetry: list[float], extent: NDArray[np.float64], axes: tuple[int, ...]) -> int:
    """The axis across which a model is most nearly its own mirror image; the shortest of those that hardly differ."""
    least = min(asymmetry[axis] for axis in axes)
    return min((axis for axis in axes if asymmetry[axis] <= least + CLEAR_ASYMMETRY), key=lambda axis: extent[axis])


def _asymmetry(points: NDArray[np.float64], axis: int) -> float:
    """Share of occupied cells whose mirror image across the middle of an axis is empty, 0-1."""
    low, high = points.min(axis=0), points.max(axis=0)
    cells = ((points - low) / np.maximum(high - low, 1e-9) * (_SYMMETRY_GRID - 1) + 0.5).astype(int)
    grid = np.zeros((_SYMMETRY_GRID,) * 3, bool)
    grid[tuple(cells.T)] = True
    return float((grid & ~np.flip(grid, axis)).sum() / max(1, grid.sum()))


def _up_sign(points: NDArray[np.float64], up_axis: int, length_axis: int, *, keep: bool) -> float:
    """+1 where the model stands along the axis, -1 where it stands on its roof: cabins are shorter than floors."""
    if keep:
        return 1.0
    height = points[:, up_axis]
    low, high = height.min(), height.max()
    upper = points[height > low + 0.75 * (high - low), length_axis]
    lower = points[height < low + 0.25 * (high - low), length_axis]
    return 1.0 if np.ptp(upper) <= np.ptp(lower) else -1.0


def _faces_backwards(points: NDArray[np.float64], edges: NDArray[np.float64], category: str) -> bool:
    """Whether the front is at -x: cabins sit behind the middle, for bonnets are long and windscreens lean.

    Nearly every height's cut through the upper part has its middle there, so that no spoiler, mirror or siren decides.
    A truck's cab stands at its front, and what is high and long on a truck is its load.
    """
    low, high = points.min(axis=0), points.max(axis=0)
    cuts = _cuts((edges - low) / np.maximum(high - low, 1e-9))
    middles, lengths = cuts.mean(axis=1), np.diff(cuts)[:, 0]
    top = middles[_TOP_LEVEL]
    if category == "truck" and abs(top - 0.5) > CLEAR_OFFSET:
        return bool((top < 0.5) == (lengths[_TOP_LEVEL] < 0.5))
    known = middles[np.isfinite(middles)]
    return bool(len(known) and known.mean() > 0.5)


def _cuts(edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """First and last x of a model at each of the heights, (levels, 2); NaN where nothing is.

    Args:
        edges: (E, 2, 3) their ends as shares of the model's size. Vertices alone may be far apart.
    """
    cuts = np.full((len(_LEVELS), 2), np.nan)
    for row, level in enumerate(_LEVELS):
        start, end = edges[(edges[:, 0, 2] < level) != (edges[:, 1, 2] < level)].swapaxes(0, 1)
        x = start[:, 0] + (level - start[:, 2]) / (end[:, 2] - start[:, 2]) * (end[:, 0] - start[:, 0])
        if len(x):
            cuts[row] = x.min(), x.max()
    return cuts


def _scale(extent: NDArray[np.float64], category: str, notes: list[str]) -> float:
    """Metres per unit of the file, in which length, width and height are ``extent``."""
    length, width, height = (float(side) for side in extent)
    shortest, longest = LENGTHS_M.get(category, LENGTHS_M["car"])
    for unit in _UNITS_M:
        fits = shortest <= length * unit <= longest
        if fits and not wrong_size((length * unit, width * unit, height * unit), category):
            if unit != 1.0:
                notes.append(f"scaled by {unit:g}: {length:.4g} units long is no {category} in metres")
            return unit
    typical, widest = TYPICAL_LENGTH_M.get(category, TYPICAL_LENGTH_M["car"]), WIDEST_M.get(category, WIDEST_M["car"])
    # Toy-like models are short for their width.
    scale = min(typical / length, widest / max(width, 1e-9))
    change = f"scaled to a length of {scale * length:.3g} m"
    notes.append(f"{change}: {length:.4g} units fit no {category} in any common unit")
    return scale


def is_wheel(points_m: NDArray[np.float64], size_m: tuple[float, float, float]) -> bool:
    """Whether a part of a model is one wheel, or the two of an axle: round seen from the side, low, of a wheel's size.

    One is narrower than high; two have nothing between them.
    """
    low, high = points_m.min(axis=0), points_m.max(axis=0)
    length, width, height = (high - low).tolist()
    is_round = abs(length - height) < 0.12 * max(length, height, 1e-9)
    is_low = bool(low[2] < 0.1 * size_m[2])
    off_middle = np.abs(points_m[:, 1] - (low[1] + high[1]) / 2)
    is_pair = width > 0.7 * size_m[1] and bool(off_middle.min() > 0.25 * width)
    return is_round and (width < 0.8 * height or is_pair) and is_low and 0.08 < length / size_m[0] < 0.3
