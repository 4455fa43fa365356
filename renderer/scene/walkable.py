"""Where people can stand in a street: its surfaces seen from above, as a grid of heights and kinds.

A cell is ground where a level surface of road, pavement or soil lies, and is taken where anything else (a wall, a tree,
a bench, a parked thing that belongs to the scene) stands above it up to the height of a head.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..geometry.cover import Cover
from ..optional import fast_kernel, kernel
from ..zones.catalogue import Zone
from .street import Bay, Street

__all__ = ["Ground", "Kind", "walkable_ground"]

Array = NDArray[np.float64]

CELL_M = 0.25
MOST_CELLS = 6_000_000
"""Beyond that the cells become larger."""
REACH_M = 75.0
"""How far around the camera's paths the ground is looked at."""
BODY_M = 0.3
"""Room that a body needs around its middle."""
STEP_M, HEAD_M = 0.25, 1.95
"""Things between these heights above the ground are in the way; what begins higher is walked under."""
CROSSING_SHARE, CROSSING_M = 0.25, 3.0
"""Where markings cover so much of a square of that size, they are a crossing and no line (of 0.12 to 0.25 m width)."""
BAY_MARGIN_M = 0.4
_GIRDER_M = 1.3
"""How far girders hang below the underside of a deck."""


class Kind(enum.IntEnum):
    """What a cell is to a person."""

    NONE = 0
    PAVEMENT = 1
    ROAD = 2
    CROSSING = 3
    BAY = 4
    """Road where cars park, and the gaps between them."""


@dataclass(frozen=True, eq=False)
class Ground:
    """The grid; arrays are (rows along y, columns along x)."""

    origin_m: tuple[float, float]
    """World position of the grid's corner."""
    cell_m: float
    height_m: NDArray[np.float32]
    kind: NDArray[np.uint8]
    """:class:`Kind` of each cell."""

    def spots_in_view(self, view: Array, low_m: Array, high_m: Array) -> tuple[Array, Array, NDArray[np.uint8]]:
        """Cells where somebody can stand in a camera's field of view.

        Args:
            view: (10,) its place, the directions of view and to the right (2 each, on the ground), the least and the
                greatest distance along the view, metres, and the columns between which it sees, as shares of the
                distance.
            low_m: (2,) a corner of the rectangle that is looked through.
            high_m: (2,) the opposite corner.

        Returns:
            (N, 2) centres of the cells, (N,) how far ahead they are, metres, and (N,) the :class:`Kind` of each.
        """
        first = np.maximum(np.floor((low_m - self.origin_m) / self.cell_m).astype(int), 0)
        last = np.maximum(np.ceil((high_m - self.origin_m) / self.cell_m).astype(int), 0)
        part = self.kind[first[1] : last[1], first[0] : last[0]]
        found = np.empty((int(np.count_nonzero(part)), 4))
        place = np.array([*first, *self.origin_m, self.cell_m], np.float64)
        found = found[: _find_spots(part, place, view, found)]
        return found[:, :2], found[:, 2], found[:, 3].astype(np.uint8)

    def at(self, x_m: float, y_m: float) -> tuple[Kind, float]:
        """Kind and height of the ground at a point; ``NONE`` outside of the grid."""
        column = math.floor((x_m - self.origin_m[0]) / self.cell_m)
        row = math.floor((y_m - self.origin_m[1]) / self.cell_m)
        if not (0 <= row < self.kind.shape[0] and 0 <= column < self.kind.shape[1]):
            return Kind.NONE, 0.0
        return Kind(int(self.kind[row, column])), float(self.height_m[row, column])


@kernel
def _find_spots(kind: NDArray[np.uint8], place: Array, view: Array, found: Array) -> int:
    """Fill ``found`` (N, 4) with centre, distance ahead and kind of cells in view; returns how many there are.

    ``place`` (5,) has the numbers of the first column and row, the grid's origin and the size of a cell.
    """
    count = 0
    for row in range(kind.shape[0]):
        y = (row + place[1] + 0.5) * place[4] + place[3]
        for column in range(kind.shape[1]):
            if kind[row, column] == 0:
                continue
            x = (column + place[0] + 0.5) * place[4] + place[2]
            ahead = (x - view[0]) * view[2] + (y - view[1]) * view[3]
            across = (x - view[0]) * view[4] + (y - view[1]) * view[5]
            if view[6] < ahead < view[7] and view[8] * ahead < across < view[9] * ahead:
                found[count, 0], found[count, 1], found[count, 2] = x, y, ahead
                found[count, 3] = kind[row, column]
                count += 1
    return count


def walkable_ground(parts: Iterable[tuple[Array, NDArray[np.uint8]]], street: Street) -> Ground:
    """The ground around the camera's paths.

    Args:
        parts: of everything that stands still: corners of triangles (T, 3, 3) in the world, metres, and the zone (T,)
            of each.
        street: its paths and bays.
    """
    low, high = _bounds(street)
    if street.covers:
        parts = [_below(corners, zones, street.covers) for corners, zones in parts]
    cell = max(CELL_M, math.sqrt(float(np.prod(high - low)) / MOST_CELLS))
    columns, rows = (math.ceil(side / cell) for side in (high - low).tolist())
    height = np.full((rows, columns), -np.inf, np.float32)
    zone = np.zeros((rows, columns), np.uint8)
    taken = np.zeros((rows, columns), np.bool_)
    parts = [(np.ascontiguousarray((corners - [*low, 0.0]) / [cell, cell, 1.0]), zones) for corners, zones in parts]
    for corners, zones in parts:
        _lay_ground(corners, zones, _ground_zones(), height, zone)
    for corners, zones in parts:
        _take(corners, zones, _ground_zones(), height, 0.5 + BODY_M / cell, taken)
    kind = _kinds(zone, cell, taken)
    ground = Ground((float(low[0]), float(low[1])), cell, height, kind)
    for bay in street.bays:
        _mark_bay(ground, bay)
    return ground


def _below(corners: Array, zones: NDArray[np.uint8], covers: Iterable[Cover]) -> tuple[Array, NDArray[np.uint8]]:
    """What does not belong to the decks of bridges: people walk below them."""
    middle, lowest = corners.mean(axis=1), corners[..., 2].min(axis=1)
    kept = np.ones(len(zones), np.bool_)
    for cover in covers:
        kept &= ~(cover.contains(middle) & (lowest > cover.z_m - _GIRDER_M))
    return corners[kept], zones[kept]


def _bounds(street: Street) -> tuple[Array, Array]:
    points = np.concatenate([path[:, :2] for path in street.camera_paths])
    return points.min(axis=0) - REACH_M, points.max(axis=0) + REACH_M


def _ground_zones() -> NDArray[np.bool_]:
    """(256,) which zones are ground."""
    table = np.zeros(256, np.bool_)
    table[[Zone.ROAD, Zone.ROAD_MARKING, Zone.PAVEMENT, Zone.SOIL]] = True
    return table


def _kinds(zone: NDArray[np.uint8], cell_m: float, taken: NDArray[np.bool_]) -> NDArray[np.uint8]:
    kinds = np.zeros(256, np.uint8)
    kinds[Zone.PAVEMENT] = Kind.PAVEMENT
    kinds[Zone.ROAD] = kinds[Zone.ROAD_MARKING] = Kind.ROAD
    kind = kinds[zone]
    marked = _share_around(zone == Zone.ROAD_MARKING, round(CROSSING_M / cell_m / 2)) > CROSSING_SHARE
    kind[marked & (kind == Kind.ROAD)] = Kind.CROSSING
    kind[taken] = Kind.NONE
    return kind


def _share_around(mask: NDArray[np.bool_], radius: int) -> Array:
    """(H, W) share of a mask in the square of ``2 radius + 1`` cells around each cell."""
    side, (rows, columns) = 2 * radius + 1, mask.shape
    padded = np.pad(mask.astype(np.uint16), radius)
    along = np.zeros((rows + 2 * radius, columns), np.uint16)
    sums = np.zeros((rows, columns), np.uint16)
    for k in range(side):
        along += padded[:, k : k + columns]
    for k in range(side):
        sums += along[k : k + rows]
    return np.asarray(sums / side**2)


def _mark_bay(ground: Ground, bay: Bay) -> None:
    """Road within a parking bay, and a little around it."""
    radius = math.hypot(bay.length_m, bay.width_m) / 2 + BAY_MARGIN_M
    x0, y0 = ground.origin_m
    first = [max(0, int((at - radius - start) / ground.cell_m)) for at, start in ((bay.x_m, x0), (bay.y_m, y0))]
    last = [max(0, int((at + radius - start) / ground.cell_m) + 1) for at, start in ((bay.x_m, x0), (bay.y_m, y0))]
    kind = ground.kind[first[1] : last[1], first[0] : last[0]]
    rows, columns = np.indices(kind.shape)
    x = (columns + first[0] + 0.5) * ground.cell_m + x0 - bay.x_m
    y = (rows + first[1] + 0.5) * ground.cell_m + y0 - bay.y_m
    c, s = math.cos(bay.yaw_rad), math.sin(bay.yaw_rad)
    along, across = np.abs(x * c + y * s), np.abs(y * c - x * s)
    inside = (along < bay.length_m / 2 + BAY_MARGIN_M) & (across < bay.width_m / 2 + BAY_MARGIN_M)
    kind[inside & (kind == Kind.ROAD)] = Kind.BAY


@fast_kernel
def _lay_ground(
    corners: Array, zones: NDArray[np.uint8], is_ground: NDArray[np.bool_], height: NDArray[np.float32],
    zone: NDArray[np.uint8],
) -> None:  # fmt: skip
    """Put level triangles of ground into the grid, the highest on top; corners are in cells and metres of height."""
    rows, columns = height.shape
    for t in range(corners.shape[0]):
        if not is_ground[zones[t]]:
            continue
        ax, ay, az = corners[t, 0, 0], corners[t, 0, 1], corners[t, 0, 2]
        bx, by, bz = corners[t, 1, 0] - ax, corners[t, 1, 1] - ay, corners[t, 1, 2] - az
        cx, cy, cz = corners[t, 2, 0] - ax, corners[t, 2, 1] - ay, corners[t, 2, 2] - az
        area = bx * cy - by * cx
        if abs(area) < 1e-9 or max(abs(bz), abs(cz)) > 0.25 * (abs(bx) + abs(by) + abs(cx) + abs(cy)) + 0.02:
            continue
        first_row = max(0, math.floor(ay + min(0.0, by, cy) - 0.5))
        last_row = min(rows - 1, math.ceil(ay + max(0.0, by, cy)))
        first_column = max(0, math.floor(ax + min(0.0, bx, cx) - 0.5))
        last_column = min(columns - 1, math.ceil(ax + max(0.0, bx, cx)))
        for r in range(first_row, last_row + 1):
            for c in range(first_column, last_column + 1):
                px, py = c + 0.5 - ax, r + 0.5 - ay
                u, v = (px * cy - py * cx) / area, (bx * py - by * px) / area
                if u < -1e-9 or v < -1e-9 or u + v > 1.0 + 1e-9:
                    continue
                z = az + u * bz + v * cz
                if z > height[r, c]:
                    height[r, c] = z
                    zone[r, c] = zones[t]


@fast_kernel
def _take(
    corners: Array, zones: NDArray[np.uint8], is_ground: NDArray[np.bool_], height: NDArray[np.float32],
    reach: float, taken: NDArray[np.bool_],
) -> None:  # fmt: skip
    """Take the cells that triangles of other things come nearer to than ``reach`` cells."""
    rows, columns = height.shape
    for t in range(corners.shape[0]):
        if is_ground[zones[t]]:
            continue
        low = min(corners[t, 0, 2], corners[t, 1, 2], corners[t, 2, 2])
        high = max(corners[t, 0, 2], corners[t, 1, 2], corners[t, 2, 2])
        if zones[t] == Zone.BUILDING or zones[t] == Zone.WINDOW:
            low = min(low, high - 1e3)  # a roof closes what lies below it
        ax, ay = corners[t, 0, 0], corners[t, 0, 1]
        bx, by, cx, cy = corners[t, 1, 0], corners[t, 1, 1], corners[t, 2, 0], corners[t, 2, 1]
        first_row = max(0, math.floor(min(ay, by, cy) - reach - 0.5))
        last_row = min(rows - 1, math.ceil(max(ay, by, cy) + reach))
        first_column = max(0, math.floor(min(ax, bx, cx) - reach - 0.5))
        last_column = min(columns - 1, math.ceil(max(ax, bx, cx) + reach))
        for r in range(first_row, last_row + 1):
            for c in range(first_column, last_column + 1):
                ground = height[r, c]
                if taken[r, c] or not (low < ground + HEAD_M and high > ground + STEP_M):
                    continue
                taken[r, c] = _distance(c + 0.5, r + 0.5, ax, ay, bx, by, cx, cy) < reach


@fast_kernel
def _distance(px: float, py: float, ax: float, ay: float, bx: float, by: float, cx: float, cy: float) -> float:
    """Of a point from a triangle in the plane; 0 inside."""
    one = (bx - ax) * (py - ay) - (by - ay) * (px - ax)
    two = (cx - bx) * (py - by) - (cy - by) * (px - bx)
    three = (ax - cx) * (py - cy) - (ay - cy) * (px - cx)
    if (one > 0.0 and two > 0.0 and three > 0.0) or (one < 0.0 and two < 0.0 and three < 0.0):
        return 0.0
    return math.sqrt(
        min(
            _to_segment(px - ax, py - ay, bx - ax, by - ay),
            _to_segment(px - bx, py - by, cx - bx, cy - by),
            _to_segment(px - cx, py - cy, ax - cx, ay - cy),
        )
    )


@fast_kernel
def _to_segment(px: float, py: float, dx: float, dy: float) -> float:
    """Squared distance of a point from the segment from the origin to ``(dx, dy)``."""
    t = min(1.0, max(0.0, (px * dx + py * dy) / max(dx * dx + dy * dy, 1e-12)))
    return (px - t * dx) ** 2 + (py - t * dy) ** 2
