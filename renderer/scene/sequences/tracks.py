"""Objects of a sequence: where each of them is at any time, and which of them ever touch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..cars import Placement
from ..footprints import overlaps, rectangle
from .drive import NOD_HZ
from .route import Route
from .turning import AT_REST, Motion

__all__ = ["TIME_STEP_S", "OutOfSight", "Room", "Track", "times_s"]

Array = NDArray[np.float64]

NOD_DEG, PEDALLING_NOD_DEG = 0.8, 1.5
"""Of riders' heads: on their vehicle's springs, and in step with the pedals (both assumed)."""
TIME_STEP_S = 0.1
"""Between the moments at which tracks are compared: what comes towards another at 30 m/s goes 3 m in it, less than any
car is long."""


def times_s(duration_s: float) -> Array:
    """(T,) moments at which tracks are compared, from the first frame to one after the last."""
    return np.linspace(0.0, duration_s, max(2, math.ceil(duration_s / TIME_STEP_S) + 1))


@dataclass(frozen=True, eq=False)
class Track:
    """One object: it stands at a place, or moves along a route with constant speed."""

    models: tuple[str, ...]
    """One, or the phases of a gait in their order."""
    profile: str
    length_m: float
    """Of the room that it takes on the ground."""
    width_m: float
    route: Route
    start_m: float = 0.0
    """Where on the route it is at time 0; below 0: it enters later."""
    speed_m_s: float = 0.0
    stride_m: float = 1.0
    """Distance in which a gait goes through all its phases, or a crank round."""
    phase: float = 0.0
    """Of the gait or the crank at time 0, as a share of it."""
    rider: tuple[str, str] | None = None
    """Model and activity of who rides it."""
    pedalled: bool = False
    """Whether a rider turns cranks: once in each ``stride_m``."""

    def poses(self, at_s: Array) -> Array:
        """``x, y, z, yaw`` (T, 4) at some times; held at the ends of the route."""
        return self.route.at(self.start_m + self.speed_m_s * at_s)

    def is_there(self, at_s: Array | float) -> NDArray[np.bool_]:
        """Whether it is on its route at some times."""
        s = self.start_m + self.speed_m_s * np.asarray(at_s)
        return np.asarray((s >= 0.0) & (s <= self.route.length_m))

    def placements(self, time_s: float) -> tuple[Placement, ...]:
        """The object at a time, with its rider where it has one; none where it is not on its route."""
        if not self.is_there(time_s):
            return ()
        gone = self.speed_m_s * time_s
        x, y, z, yaw = self.route.at(self.start_m + gone).tolist()
        motion = self._motion(gone, time_s) if self.speed_m_s > 0.0 else None
        if len(self.models) == 1:
            one = Placement(self.models[0], x, y, z, yaw, self.profile, 0, self.speed_m_s, motion=motion)
        else:
            model, towards = self._phase(gone)
            one = Placement(model, x, y, z, yaw, self.profile, 0, self.speed_m_s, self.models, towards)
        if self.rider is None:
            return (one,)
        return one, Placement(self.rider[0], x, y, z, yaw, self.rider[1], 1, self.speed_m_s, motion=motion)

    def _phase(self, gone_m: float) -> tuple[str, tuple[str, float]]:
        """Phase of the gait, the next one, and the share of the way to it."""
        number, share = divmod((self.phase + gone_m / self.stride_m) % 1.0 * len(self.models), 1.0)
        at = int(number) % len(self.models)
        return self.models[at], (self.models[(at + 1) % len(self.models)], share)

    def _motion(self, gone_m: float, time_s: float) -> Motion:
        """How far wheels and cranks have turned, and how a rider's head nods."""
        crank = 2.0 * math.pi * (self.phase + gone_m / self.stride_m) if self.pedalled else 0.0
        beat = 2.0 * crank if self.pedalled else 2.0 * math.pi * (NOD_HZ * time_s + self.phase)
        nod = math.radians(PEDALLING_NOD_DEG if self.pedalled else NOD_DEG) * math.sin(beat)
        at = self.start_m + gone_m
        return Motion(at, crank, nod, self.route.curvature_per_m(at))

    @property
    def count(self) -> int:
        """How many objects it is."""
        return 1 if self.rider is None else 2


@dataclass
class Room:
    """What is taken on the ground over the whole of a sequence; :meth:`take` adds what has room."""

    at_s: Array
    """(T,) the moments that are looked at."""
    tracks: list[Track] = field(default_factory=list)
    _centres_m: list[Array] = field(default_factory=list)
    _poses: list[Array] = field(default_factory=list)
    _sizes_m: list[tuple[float, float]] = field(default_factory=list)
    _there: list[NDArray[np.bool_]] = field(default_factory=list)

    def block(self, poses: Array, length_m: float, width_m: float) -> None:
        """Take what something else needs, at poses (T, 4)."""
        self._add(poses, np.ones(len(self.at_s), np.bool_), length_m, width_m)

    def take(self, track: Track, along_m: float, across_m: float) -> bool:
        """Add a track unless it ever touches what is there.

        Args:
            track: the object.
            along_m: room before and behind it together, metres.
            across_m: room to both sides together.
        """
        poses, there = track.poses(self.at_s), track.is_there(self.at_s)
        length, width = track.length_m + along_m, track.width_m + across_m
        if self.touches(poses, there, length, width):
            return False
        self.tracks.append(track)
        self._add(poses, there, length, width)
        return True

    def join(self, track: Track) -> None:
        """Add a track that may touch what is there: it belongs to it."""
        self.tracks.append(track)
        self._add(track.poses(self.at_s), track.is_there(self.at_s), track.length_m, track.width_m)

    def _add(self, poses: Array, there: NDArray[np.bool_], length_m: float, width_m: float) -> None:
        self._poses.append(poses)
        self._centres_m.append(poses[:, :2])
        self._sizes_m.append((length_m, width_m))
        self._there.append(there)

    def touches(self, poses: Array, there: NDArray[np.bool_], length_m: float, width_m: float) -> bool:
        """Whether a rectangle at poses (T, 4), at the times when it is there, touches anything."""
        if not self._poses:
            return False
        reach = math.hypot(length_m, width_m) / 2
        radii = np.array([math.hypot(*size) / 2 + reach for size in self._sizes_m])
        away = np.hypot(*np.moveaxis(np.stack(self._centres_m) - poses[:, :2], -1, 0))
        near = (away < radii[:, None]) & np.stack(self._there) & there
        for other, moment in zip(*np.nonzero(near), strict=True):
            mine = _corners(poses[moment], length_m, width_m)
            if overlaps(mine, _corners(self._poses[other][moment], *self._sizes_m[other])):
                return True
        return False


def _corners(pose: Array, length_m: float, width_m: float) -> Array:
    x, y, _, yaw = pose.tolist()
    return rectangle(x, y, yaw, length_m, width_m)


@dataclass(frozen=True)
class OutOfSight:
    """Where an object is kept that is not there, far behind the camera, so that all others keep their numbers."""

    cam_to_world: Array

    def placement(self, track: Track, number: int) -> Sequence[Placement]:
        """Stands for a track that is not on its route."""
        x, y, _ = (self.cam_to_world[:3, 3] - (5000.0 + 40.0 * number) * self.cam_to_world[:3, 2]).tolist()
        # It is made of the same parts there, so that what they do from frame to frame stays known.
        motion = AT_REST if track.speed_m_s > 0.0 and len(track.models) == 1 else None
        one = Placement(track.models[0], x, y, -100.0, 0.0, track.profile, 0, 0.0, motion=motion)
        if track.rider is None:
            return (one,)
        return one, Placement(track.rider[0], x, y, -100.0, 0.0, track.rider[1], 1, 0.0, motion=motion)
