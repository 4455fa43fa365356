"""Where two-wheelers can be parked in a street: at walls and kerbs of the pavement, and between parked cars."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ...geometry.camera import Camera
from ..cars import ModelSize, Placement
from ..walkable import Ground, Kind

__all__ = ["Parking", "ParkingPlace"]

Array = NDArray[np.float64]

WALL_M, KERB_M = 0.5, 0.5
"""How near a wall or the road a place is, beyond the room that bodies need."""
_ALONG, _ACROSS = (-0.5, -0.25, 0.0, 0.25, 0.5), (-0.3, 0.3)
"""Points below a vehicle, as shares of its length and width, that must be of the place's kind."""


class ParkingPlace(enum.IntEnum):
    """What a two-wheeler stands at."""

    WALL = 1
    KERB = 2
    BAY = 3


@dataclass(frozen=True, eq=False)
class Parking:
    """The ground of a street, looked at for places to park."""

    ground: Ground

    @cached_property
    def _places(self) -> Ground:
        """The same grid with :class:`ParkingPlace` for kinds, 0 where there is none."""
        kind, cell = self.ground.kind, self.ground.cell_m
        pavement = kind == Kind.PAVEMENT
        # Below a wall lies ground too; where there is none, the grid ends.
        closed = (kind == Kind.NONE) & np.isfinite(self.ground.height_m)
        road = (kind == Kind.ROAD) | (kind == Kind.BAY) | (kind == Kind.CROSSING)
        places = np.zeros_like(kind)
        places[pavement & _near(road, round(KERB_M / cell))] = ParkingPlace.KERB
        places[pavement & _near(closed, round(WALL_M / cell))] = ParkingPlace.WALL
        places[kind == Kind.BAY] = ParkingPlace.BAY
        return replace(self.ground, kind=places)

    def places_in_view(
        self, cam_to_world: Array, camera: Camera, near_m: float, far_m: float
    ) -> dict[ParkingPlace, tuple[Array, Array]]:
        """Places in a camera's field of view (N, 2), and running sums (N,) of their weights: one over the distance."""
        eye, forward, right = cam_to_world[:2, 3], cam_to_world[:2, 2], cam_to_world[:2, 0]
        aside = 1.1 * max(camera.cx, camera.width - camera.cx) / camera.fx
        corners = np.array([eye, *(eye + far_m * (forward + side * right) for side in (-aside, aside))])
        edges = [(column - camera.cx) / camera.fx for column in (0.0, float(camera.width))]
        view = np.array([*eye, *forward, *right, near_m, far_m, *edges])
        points, ahead, kinds = self._places.spots_in_view(view, corners.min(axis=0), corners.max(axis=0))
        groups = {place: np.flatnonzero(kinds == place) for place in ParkingPlace}
        return {place: (points[here], np.cumsum(1.0 / ahead[here])) for place, here in groups.items() if len(here)}

    def height_m(self, x_m: float, y_m: float) -> float:
        """Of the ground at a point."""
        return self.ground.at(x_m, y_m)[1]

    def fits(self, at: Placement, size: ModelSize, place: ParkingPlace) -> bool:
        """Whether all ground below a vehicle is of the kind that its place has."""
        wanted = Kind.BAY if place is ParkingPlace.BAY else Kind.PAVEMENT
        c, s = math.cos(at.yaw_rad), math.sin(at.yaw_rad)
        for along in (share * size.length_m for share in _ALONG):
            for across in (share * size.width_m for share in _ACROSS):
                x, y = at.x_m + c * along - s * across, at.y_m + s * along + c * across
                if self.ground.at(x, y)[0] is not wanted:
                    return False
        return True


def _near(mask: NDArray[np.bool_], radius: int) -> NDArray[np.bool_]:
    """(H, W) whether a cell of the mask lies in the square of ``2 radius + 1`` cells around each cell."""
    return _near_along(_near_along(mask, radius).T, radius).T


def _near_along(mask: NDArray[np.bool_], radius: int) -> NDArray[np.bool_]:
    """The same within a column, by windows that double until they are as wide."""
    found, width, side = np.pad(mask, ((radius, radius), (0, 0))), 1, 2 * radius + 1
    while width < side:
        step = min(width, side - width)
        found = found[:-step] | found[step:]
        width += step
    return found
