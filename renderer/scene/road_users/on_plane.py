"""Two-wheelers on the flat road before a camera, for a real background: on free ground, by its edges."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ...geometry.camera import Camera
from ...random_streams import Draw
from ..cars import FrameSetup, ModelSize, Placement
from ..draws import clipped_normal
from .two_wheelers import FAR_M, JUST_PARKED, KERB_M, Kind, Site, TwoWheelerMix, taken_by

__all__ = ["two_wheelers_on_plane"]

Array = NDArray[np.float64]

NEAREST_M = 6.0
STEP_M = 0.25
"""Between the spots across the road that are looked at."""
ROAD_M = 3.2
"""Half the width of the road where nothing is known of it."""
PARKED_M = (0.2, 0.7)
"""How far parked ones stand inside of the edge of free ground."""
ACROSS_SHARE = 0.25
"""Of parked ones these many stand across the road (assumed)."""
WANDER_M = 1.2
"""How far to either side of the middle of their half of the road motorcycles are ridden, at most."""


def two_wheelers_on_plane(
    setup: FrameSetup,
    sizes: Mapping[str, ModelSize],
    mix: TwoWheelerMix,
    camera: Camera,
    draw: Draw,
    most: Mapping[str, int | None],
    *,
    free_mask: NDArray[np.bool_] | None = None,
    obstacles: Sequence[Array] = (),
    road_yaw_rad: float | None = None,
    riders: bool = True,
) -> tuple[Placement, ...]:
    """Two-wheelers on the plane z = 0 before a camera above its origin; a rider follows the vehicle that is ridden.

    Args:
        setup: camera, cars and people, of :func:`..placement.sample_on_plane`.
        sizes: of the setup's models.
        mix: what there is.
        camera: of the background.
        draw: seed of the dataset and number of the frame.
        most: most vehicles of each of :data:`.two_wheelers.KINDS`; None as in real streets.
        free_mask: (H, W) bool, True where ground is free.
        obstacles: (4, 2) rectangles of real things on the ground.
        road_yaw_rad: heading of the road, counter-clockwise from the camera's; None: that of the camera.
        riders: whether any is ridden.

    Returns:
        their placements; fewer where there is no room, even none.
    """
    if free_mask is not None and not free_mask.any():
        return ()
    taken = [*obstacles, *taken_by(setup.placements, sizes)]
    site = _Plane(setup, camera, taken, free_mask, road_yaw_rad or 0.0)
    site.fill(mix, draw, most, riders=riders)
    return tuple(site.placed)


class _Plane(Site):
    """Free ground before a camera at the origin that looks along x."""

    def __init__(
        self,
        setup: FrameSetup,
        camera: Camera,
        taken: list[Array],
        free_mask: NDArray[np.bool_] | None,
        road_yaw_rad: float,
    ) -> None:
        super().__init__(setup, camera, taken)
        self.free_mask, self.road_yaw_rad = free_mask, road_yaw_rad

    def ride(self, kind: Kind, vehicle: ModelSize, rider: ModelSize, rng: np.random.Generator) -> bool:
        """Along the road: away at its right edge, towards the camera at its left edge."""
        x, away, edge = float(rng.uniform(NEAREST_M, FAR_M)), rng.random() < 0.5, float(rng.uniform(*KERB_M))
        wander = clipped_normal(rng, 0.5, WANDER_M)
        ends = self._road_at(x)
        if ends is None:
            return False
        right, left, _, _ = ends
        if kind.category == "motorcycle":
            y = right + (left - right) * (0.25 if away else 0.75) + wander
        else:
            y = right + edge if away else left - edge
        yaw = self.road_yaw_rad + (0.0 if away else math.pi) + clipped_normal(rng, 0.03, 0.08)
        at = Placement(vehicle.name, x, y, 0.0, yaw, kind.moving)
        return self._is_free(at, vehicle) and self.take(at, vehicle, rider, kind.rider)

    def park(self, kind: Kind, vehicle: ModelSize, rng: np.random.Generator) -> bool:
        """Just inside of an edge of free ground."""
        x, side, inside = float(rng.uniform(NEAREST_M, FAR_M)), rng.random() < 0.5, float(rng.uniform(*PARKED_M))
        across, turned = rng.random() < ACROSS_SHARE, clipped_normal(rng, 0.12, 0.3)
        profile = JUST_PARKED if rng.random() < kind.warm else kind.resting
        ends = self._road_at(x)
        if ends is None or not (ends[2] if side else ends[3]):
            return False
        half = 0.5 * (vehicle.length_m if across else vehicle.width_m)
        y = ends[0] + half + inside if side else ends[1] - half - inside
        yaw = self.road_yaw_rad + math.pi * (rng.random() < 0.5) + (math.pi / 2 if across else 0.0) + turned
        at = Placement(vehicle.name, x, y, 0.0, yaw, profile)
        return self._is_free(at, vehicle) and self.take(at, vehicle)

    def _road_at(self, x_m: float) -> tuple[float, float, bool, bool] | None:
        """Right and left end of the free ground at a distance, metres to the left, and whether the road ends there.

        Where the picture ends the road does not. None where there is none.
        """
        middle = math.tan(self.road_yaw_rad) * x_m
        if self.free_mask is None:
            return middle - ROAD_M, middle + ROAD_M, True, True
        half = 0.5 * self.camera.width / self.camera.fx * x_m
        across = np.arange(-half, half, STEP_M)
        free = np.flatnonzero(self._free_at(np.full(len(across), x_m), across))
        if not len(free):
            return None
        first, last = int(free[0]), int(free[-1])
        return float(across[first]), float(across[last]), first > 1, last < len(across) - 2

    def _free_at(self, x_m: Array, y_m: Array) -> NDArray[np.bool_]:
        """(N,) whether the ground at points is in the picture and free."""
        if self.free_mask is None:
            return np.ones(len(x_m), np.bool_)
        pose, camera = self.setup.cam_to_world, self.camera
        points = np.column_stack([x_m, y_m, np.zeros(len(x_m))])
        columns, rows = np.floor(camera.project((points - pose[:3, 3]) @ pose[:3, :3])).astype(int).T
        inside = (columns >= 0) & (columns < camera.width) & (rows >= 0) & (rows < camera.height)
        return np.asarray(inside & self.free_mask[np.where(inside, rows, 0), np.where(inside, columns, 0)])

    def _is_free(self, at: Placement, size: ModelSize) -> bool:
        """Whether the ground below both wheels and the middle is free."""
        along = np.array([-0.35, 0.0, 0.35]) * size.length_m
        x, y = at.x_m + along * math.cos(at.yaw_rad), at.y_m + along * math.sin(at.yaw_rad)
        return bool(self._free_at(x, y).all())
