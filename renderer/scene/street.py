"""A street as plain geometry: lanes, parking bays and the paths that the camera car drives."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..errors import SceneError
from ..geometry.cover import Cover

__all__ = ["Bay", "Lane", "Polyline", "Street"]

Array = NDArray[np.float64]
_LEVEL_M, _AROUND_M, _OTHER_ROAD_M = 1e-4, 8.0, 3.0


@dataclass(frozen=True)
class Lane:
    """One lane, for one direction."""

    points_m: Array
    """(N, 3) centre line on the ground in driving order, world, metres."""
    width_m: float

    @cached_property
    def line(self) -> Polyline:
        """The centre line by arc length."""
        return Polyline(self.points_m)


@dataclass(frozen=True)
class Bay:
    """One parking bay, a rectangle on the ground."""

    x_m: float
    y_m: float
    z_m: float
    yaw_rad: float
    """Heading of a car that parks forward."""
    length_m: float
    width_m: float
    slope: tuple[float, float] = (0.0, 0.0)
    """How its ground rises along world x and y, metres per metre."""


@dataclass(frozen=True)
class Street:
    """Everything that traffic needs to know of a scene."""

    lanes: tuple[Lane, ...]
    bays: tuple[Bay, ...]
    camera_paths: tuple[Array, ...]
    """(N, 3) each: what the point of the road below the camera drives along, world, metres."""
    far_m: float | None = None
    """How far away its cars are worth placing, where no distances are asked for; None: as far as in a town."""
    has_people: bool = True
    """Whether anybody walks here."""
    speed_m_s: float | None = None
    """Usual speed of its cars; None: as in a town."""
    covers: tuple[Cover, ...] = ()
    """Decks of bridges over it."""

    @cached_property
    def path_lines(self) -> tuple[Polyline, ...]:
        """The camera paths by arc length."""
        return tuple(Polyline(path) for path in self.camera_paths)

    @cached_property
    def lane_points_m(self) -> Array:
        """(N, 2) points of all lanes, a metre apart, lane after lane."""
        return np.concatenate([np.zeros((0, 2)), *(lane.line.dense_m[:, :2] for lane in self.lanes)])

    @cached_property
    def lane_starts(self) -> list[int]:
        """Where each lane's points begin in :attr:`lane_points_m`, and where the last one's end."""
        return [0, *np.cumsum([len(lane.line.dense_m) for lane in self.lanes], dtype=np.int64).tolist()]

    def heading_rad(self, x_m: float, y_m: float) -> float:
        """Heading of the lane that is nearest to a point; 0 where the street has none."""
        points = self.lane_points_m
        if not len(points):
            return 0.0
        nearest = int(np.argmin((points[:, 0] - x_m) ** 2 + (points[:, 1] - y_m) ** 2))
        lane = bisect_right(self.lane_starts, nearest) - 1
        line = self.lanes[lane].line
        return line.pose(float(line.dense_s_m[nearest - self.lane_starts[lane]]), 2.0)[3]

    @cached_property
    def is_level(self) -> bool:
        """Whether no lane, bay or path rises or falls."""
        lines = [*(lane.points_m for lane in self.lanes), *self.camera_paths]
        return all(np.ptp(line[:, 2]) < _LEVEL_M for line in lines) and not any(any(bay.slope) for bay in self.bays)

    @cached_property
    def _lane_heights(self) -> Array:
        """(N, 3) points of all lanes, a metre apart."""
        return np.concatenate([np.zeros((0, 3)), *(lane.line.dense_m for lane in self.lanes)])

    def slope_at(self, x_m: float, y_m: float, z_m: float) -> tuple[float, float]:
        """How the road rises along world x and y near a point, metres per metre: the least slope that fits its lanes.

        Lanes more than :data:`_OTHER_ROAD_M` above or below the point are of another road.
        """
        if self.is_level:
            return 0.0, 0.0
        points = self._lane_heights
        points = points[np.abs(points[:, 2] - z_m) < _OTHER_ROAD_M]
        if not len(points):
            return 0.0, 0.0
        away = np.hypot(points[:, 0] - x_m, points[:, 1] - y_m)
        some = points[away < max(_AROUND_M, float(away.min()) + _AROUND_M / 2)]
        around = some - some.mean(axis=0)
        fit = np.linalg.lstsq(around[:, :2], around[:, 2], rcond=1e-3)[0]
        return float(fit[0]), float(fit[1])

    def bay_at(self, x_m: float, y_m: float) -> Bay | None:
        """The bay in which a point lies."""
        if not self.bays:
            return None
        away = np.hypot(*(self.bay_centres_m - (x_m, y_m)).T)
        bay = self.bays[int(np.argmin(away))]
        return bay if away.min() < bay.length_m / 2 else None

    @cached_property
    def bay_centres_m(self) -> Array:
        """(B, 2) centres of the bays."""
        return np.array([(bay.x_m, bay.y_m) for bay in self.bays], dtype=np.float64).reshape(-1, 2)


class Polyline:
    """A polyline on the ground, addressed by arc length."""

    def __init__(self, points_m: Array) -> None:
        self.points_m = np.asarray(points_m, dtype=np.float64)
        if self.points_m.ndim != 2 or self.points_m.shape[1] != 3 or len(self.points_m) < 2:
            raise SceneError(
                f"a lane or camera path has shape {self.points_m.shape}: expected (N, 3) with N >= 2 points"
            )
        self.s_m = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(self.points_m[:, :2], axis=0).T))])
        self.length_m = float(self.s_m[-1])
        self.dense_s_m = np.linspace(0.0, self.length_m, max(2, round(self.length_m) + 1))
        self.dense_m = self.at(self.dense_s_m)
        self._steps_m = np.diff(self.dense_m[:, :2], axis=0)
        self._step_sq_m2 = np.maximum((self._steps_m**2).sum(axis=1), 1e-12)
        self._knots_m: list[float] = self.s_m.tolist()
        self._corners_m: list[list[float]] = self.points_m.tolist()

    def _point(self, s_m: float) -> tuple[float, float, float]:
        """Point at an arc length; numpy would take longer to be called than this takes to run."""
        k = min(max(bisect_right(self._knots_m, s_m), 1), len(self._knots_m) - 1)
        start, end = self._knots_m[k - 1], self._knots_m[k]
        t = (s_m - start) / (end - start) if end > start else 0.0
        (ax, ay, az), (bx, by, bz) = self._corners_m[k - 1], self._corners_m[k]
        return ax + t * (bx - ax), ay + t * (by - ay), az + t * (bz - az)

    def at(self, s_m: Array | float) -> Array:
        """Points at those arc lengths, (..., 3)."""
        return np.stack([np.interp(s_m, self.s_m, self.points_m[:, axis]) for axis in range(3)], axis=-1)

    def pose(self, s_m: float, base_m: float) -> tuple[float, float, float, float]:
        """``x, y, z, yaw`` of a vehicle whose axles stand on the line, ``base_m`` apart."""
        rear, front = self._point(max(0.0, s_m - base_m / 2)), self._point(min(self.length_m, s_m + base_m / 2))
        yaw = math.atan2(front[1] - rear[1], front[0] - rear[0])
        return (rear[0] + front[0]) / 2, (rear[1] + front[1]) / 2, (rear[2] + front[2]) / 2, yaw

    def distance_m(self, points_m: Array, s_m: float, reach_m: float) -> Array:
        """Distance of (P, 2) points from the part of the line within ``reach`` of ``s``, (P,)."""
        gap = self.length_m / (len(self.dense_s_m) - 1)
        first = max(0, int((s_m - reach_m) / gap) - 1)
        last = min(len(self._steps_m), int((s_m + reach_m) / gap) + 2)
        d, sq = self._steps_m[first:last], self._step_sq_m2[first:last]
        rel = points_m[:, None, :] - self.dense_m[first:last, :2]
        along = rel[..., 0] * d[:, 0] + rel[..., 1] * d[:, 1]
        beyond = along - np.minimum(np.maximum(along, 0.0), sq)
        across = rel[..., 0] * d[:, 1] - rel[..., 1] * d[:, 0]
        return np.asarray(np.sqrt(((across * across + beyond * beyond) / sq).min(axis=1)))
