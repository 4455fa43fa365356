"""What the camera sees of a street over a whole sequence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ...geometry.camera import Camera
from ..cars import ModelSize
from ..field_of_view import VIEW_FAR_M, FieldOfView
from ..street import Street
from .drive import Drive
from .tracks import Track

__all__ = ["NEW_VIEW_M", "Views"]

Array = NDArray[np.float64]

STEP_S = 0.5
"""Between the moments at which it is asked what is in view: a car at 14 m/s goes 7 m in it."""
NEW_VIEW_M = 45.0
"""When the camera has gone so far, others are in view."""
POP_FAR_M = 250.0
"""Nearer than that nothing may come into being before the camera, or vanish."""


@dataclass(frozen=True, eq=False)
class Views:
    """Fields of view at moments of a sequence."""

    camera: Camera
    drive: Drive
    street: Street
    models: Sequence[ModelSize]
    duration_s: float
    far_m: float | None = None
    """How far away cars are worth placing; None: as the street says."""

    @cached_property
    def at_s(self) -> Array:
        """(V,) the moments."""
        return np.linspace(0.0, self.duration_s, max(2, round(self.duration_s / STEP_S) + 1))

    @cached_property
    def fields(self) -> tuple[FieldOfView, ...]:
        """One of each moment."""
        usual = VIEW_FAR_M if self.street.far_m is None else self.street.far_m
        far = usual if self.far_m is None else self.far_m
        return tuple(FieldOfView(self.camera, self.drive.cam_to_world(t), self.models, far) for t in self.at_s.tolist())

    def shows(self, track: Track) -> bool:
        """Whether a track is ever in view."""
        poses, there = track.poses(self.at_s), track.is_there(self.at_s)
        return any(
            bool(seen) and bool(view.contains(pose[None, :2])[0])
            for view, pose, seen in zip(self.fields, poses, there, strict=True)
        )

    def sees_points(self, points_m: Array) -> NDArray[np.bool_]:
        """(P,) whether ground points (P, 2) are ever in view."""
        return np.asarray(np.any([view.contains(points_m) for view in self.fields], axis=0))

    def shows_coming_or_going(self, track: Track) -> bool:
        """Whether a track begins or ends before the camera's eyes."""
        if track.speed_m_s <= 0:
            return False
        ends = ((0.0, track.route.places_m[0]), (track.route.length_m, track.route.places_m[-1]))
        for s, place in ends:
            time = (s - track.start_m) / track.speed_m_s
            if 0.0 < time < self.duration_s and self._is_seen(place, time):
                return True
        return False

    def _is_seen(self, place_m: Array, time_s: float) -> bool:
        view = FieldOfView(self.camera, self.drive.cam_to_world(time_s), (), POP_FAR_M)
        return bool(view.contains(place_m[None, :2])[0])

    def show_well(self, tracks: Sequence[Track]) -> bool:
        """Whether at one of three moments a car is seen well."""
        moments = {0, len(self.at_s) // 2, len(self.at_s) - 1}
        pairs = [(self.fields[k], float(self.at_s[k])) for k in sorted(moments)]
        return any(
            view.shows_well([one for track in tracks for one in track.placements(time)[:1]]) for view, time in pairs
        )
