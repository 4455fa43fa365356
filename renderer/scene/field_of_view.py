"""What one camera sees of a street: which points and cars are in the picture, and which stand behind others."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ..geometry.camera import Camera
from .cars import ModelSize, Placement
from .footprints import footprint
from .projection import NEAREST_M, Box, box_around, covered_share, seen_share, world_to_cam

__all__ = ["FieldOfView"]

Array = NDArray[np.float64]

VIEW_FAR_M = 65.0
"""Cars farther away are mostly hidden; they are left out where no distances are asked for."""
WEDGE_MARGIN_M = 2.5
"""Lanes and bays are filled this far outside the field of view, so that cars cut by the picture's edge are there."""
MAX_COVER, COVER_CHECK_M = 0.28, 22.0
"""No car may fill more of the picture than a car 6 m ahead does; only those this near can."""
HIDDEN_GRID = 64
"""Rows and columns of the coarse picture in which cars hide each other."""
HIDDEN_SHARE = 0.2
"""A car of whose box nearer cars leave less than this is left out: it would cost as much as one that is seen."""
SOLID_BOX = (0.08, 0.3)
"""What of a car's box hides nothing for certain: this share at either side, and at the top."""
WELL_SEEN_PX, WELL_SEEN_SHARE = 48.0, 0.5
"""A car is seen well when it is this wide and this much of its box lies inside the picture."""


class FieldOfView:
    """The view of one camera on a street with car models."""

    def __init__(
        self, camera: Camera, cam_to_world: Array, models: Sequence[ModelSize], far_m: float = VIEW_FAR_M
    ) -> None:
        """Look at a street.

        Args:
            camera: intrinsics.
            cam_to_world: (4, 4) pose.
            models: of the cars that may stand there.
            far_m: cars farther away are left out.
        """
        self.camera, self.cam_to_world, self.far_m = camera, cam_to_world, far_m
        self.models: Mapping[str, ModelSize] = {model.name: model for model in models}
        self.position_m = cam_to_world[:2, 3]
        """(2,) of the camera, on the ground."""
        self._world_to_cam = world_to_cam(cam_to_world)
        self._wedge = _wedge(camera, cam_to_world)

    def visible(self, placements: list[Placement]) -> list[Placement]:
        """Those that are in the picture and not behind nearer cars, nearest first."""
        view = self.cam_to_world[:2, 2].tolist()
        across, down = HIDDEN_GRID / self.camera.width, HIDDEN_GRID / self.camera.height
        covered = np.zeros((HIDDEN_GRID, HIDDEN_GRID), dtype=np.bool_)
        kept = []
        for placement in sorted(placements, key=lambda p: view[0] * p.x_m + view[1] * p.y_m):
            size = self.models[placement.model]
            box = self._box(placement, size)
            if box is None:
                if self._reaches_in(placement, size):
                    kept.append(placement)
                continue
            left, top, right, bottom = box[0] * across, box[1] * down, box[2] * across, box[3] * down
            cells = covered[_cells(top, bottom), _cells(left, right)]
            if not cells.size or cells.size - np.count_nonzero(cells) < HIDDEN_SHARE * cells.size:
                continue
            kept.append(placement)
            side, roof = SOLID_BOX[0] * (right - left), SOLID_BOX[1] * (bottom - top)
            covered[_cells(top + roof, bottom, inner=True), _cells(left + side, right - side, inner=True)] = True
        return kept

    def _box(self, placement: Placement, size: ModelSize) -> Box | None:
        return box_around(placement, size, self.camera, self._world_to_cam)

    def _reaches_in(self, placement: Placement, size: ModelSize) -> bool:
        """Whether a car that stands partly beside or behind the camera can reach into the field of view."""
        rel = footprint(placement, size) - self.position_m
        z = np.maximum(rel @ self.cam_to_world[:2, 2], NEAREST_M)
        column = self.camera.fx * (rel @ self.cam_to_world[:2, 0]) / z + self.camera.cx
        return bool(column.max() > 0 and column.min() < self.camera.width)

    def shows_well(self, placements: Sequence[Placement]) -> bool:
        """Whether at least one car is large enough and mostly inside the picture."""
        for placement in placements:
            box = self._box(placement, self.models[placement.model])
            if box and box[2] - box[0] >= WELL_SEEN_PX and seen_share(box, self.camera) >= WELL_SEEN_SHARE:
                return True
        return False

    def depth_m(self, placement: Placement, size: ModelSize) -> float:
        """Distance of a car's nearest corner along the camera's heading."""
        (fx, fy), (x0, y0) = self._wedge[0], self.position_m.tolist()
        return float(min(fx * (x - x0) + fy * (y - y0) for x, y in footprint(placement, size).tolist()))

    def contains(self, points_m: Array) -> NDArray[np.bool_]:
        """Whether (P, 2) ground points lie in the widened horizontal field of view."""
        x, y = points_m[:, 0] - self.position_m[0], points_m[:, 1] - self.position_m[1]
        (fx, fy), (rx, ry), (left, right) = self._wedge
        z, across = fx * x + fy * y, rx * x + ry * y
        inside = (across > left * z - WEDGE_MARGIN_M) & (across < right * z + WEDGE_MARGIN_M)
        return np.asarray((z > -1.0) & (z < self.far_m) & inside)

    def reaches(self, corners_m: Array) -> bool:
        """Whether one of a few points does; quicker for them than arrays are."""
        (fx, fy), (rx, ry), (left, right) = self._wedge
        x0, y0 = self.position_m.tolist()
        for x, y in corners_m.tolist():
            z, across = fx * (x - x0) + fy * (y - y0), rx * (x - x0) + ry * (y - y0)
            if -1.0 < z < self.far_m and left * z - WEDGE_MARGIN_M < across < right * z + WEDGE_MARGIN_M:
                return True
        return False

    def is_filled_by(self, placement: Placement, size: ModelSize) -> bool:
        """Whether nearly nothing else could be seen beside this car."""
        distance = math.hypot(placement.x_m - self.position_m[0], placement.y_m - self.position_m[1])
        if distance > COVER_CHECK_M:
            return False
        box = self._box(placement, size)
        if box is None:
            return False
        picture = (0.0, 0.0, float(self.camera.width), float(self.camera.height))
        return covered_share(picture, box) > MAX_COVER


def _cells(low: float, high: float, inner: bool = False) -> slice:
    """Cells of the coarse picture that a stretch touches, or (``inner``) fills."""
    first, last = (math.ceil(low), math.floor(high)) if inner else (math.floor(low), math.ceil(high))
    return slice(min(max(first, 0), HIDDEN_GRID), min(max(last, 0), HIDDEN_GRID))


def _wedge(camera: Camera, cam_to_world: Array) -> tuple[tuple[float, float], tuple[float, float], tuple[float, float]]:
    """Unit vectors forward and right on the ground, and how far right the picture's edges go per metre forward."""
    (fx, fy), (rx, ry) = cam_to_world[:2, 2].tolist(), cam_to_world[:2, 0].tolist()
    length = math.hypot(fx, fy)
    edges = -camera.cx / camera.fx, (camera.width - camera.cx) / camera.fx
    return (fx / length, fy / length), (rx, ry), edges
