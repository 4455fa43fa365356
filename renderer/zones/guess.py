"""A guess of the thermal zones of a car that has none, from the position and direction of its faces."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .catalogue import Zone

__all__ = ["guess_car_zones"]

# Shares of length (from rear 0 to front 1) and height, read off the proportions of ordinary passenger cars: glass
# begins at 60-65 % of the height, wheels are about 45 % of it, the bonnet is the front fifth below the glass. A
# roof covers an eighth (pickups) to a third of the plan, a taxi sign or a light bar a twentieth.
GLASS_FROM, GLASS_TO = 0.62, 0.95
ROOF_FROM = 0.88
BONNET_FROM_X, BONNET_HEIGHT = 0.72, (0.42, 0.72)
ROOF_SHARE = 0.08
WHEEL_HEIGHT, UNDERBODY_HEIGHT = 0.40, 0.22
LAMP_HEIGHT, GRILLE_HEIGHT = (0.38, 0.58), (0.2, 0.45)


def guess_car_zones(
    centres_m: NDArray[np.float32],
    normals: NDArray[np.float32],
    positions_m: NDArray[np.float32],
    areas_m2: NDArray[np.float32] | None = None,
) -> NDArray[np.uint8]:
    """Zones of faces by where they sit in the bounding box.

    Args:
        centres_m: (F, 3) centres of the faces; x forward, y left, z up.
        normals: (F, 3) their unit normals.
        positions_m: (V, 3) all vertices, for the bounding box.
        areas_m2: (F,) areas of the faces, which tell a roof from the sign or the light bar on it.

    Returns:
        (F,) uint8.
    """
    if not len(centres_m):
        return np.zeros(0, np.uint8)
    low, high = positions_m.min(axis=0), positions_m.max(axis=0)
    if areas_m2 is not None:
        high[2] = _roof_height_m(centres_m[:, 2], normals[:, 2], areas_m2, low, high)
    x, y, z = ((centres_m - low) / np.maximum(high - low, 1e-6)).T
    side = np.abs(2 * y - 1)
    along, across, up = normals[:, 0], normals[:, 1], normals[:, 2]
    zones = np.full(len(centres_m), Zone.BODY, np.uint8)
    front_or_rear = np.abs(along) > 0.5
    zones[(x > BONNET_FROM_X) & (z > BONNET_HEIGHT[0]) & (z < BONNET_HEIGHT[1]) & (up > 0.5)] = Zone.BONNET
    zones[(z > GLASS_FROM) & (z < GLASS_TO) & (np.abs(up) < 0.85)] = Zone.GLASS
    zones[(z > ROOF_FROM) & (up > 0.6)] = Zone.ROOF
    zones[(x > 0.9) & front_or_rear & (z > GRILLE_HEIGHT[0]) & (z < GRILLE_HEIGHT[1]) & (side < 0.55)] = Zone.GRILLE
    lamps = front_or_rear & (z > LAMP_HEIGHT[0]) & (z < LAMP_HEIGHT[1]) & (side > 0.6) & ((x > 0.88) | (x < 0.1))
    zones[lamps] = Zone.LAMP
    zones[(z < UNDERBODY_HEIGHT) & (up < -0.5)] = Zone.UNDERBODY
    wheel = (z < WHEEL_HEIGHT) & (side > 0.7) & (np.minimum(np.abs(x - 0.2), np.abs(x - 0.8)) < 0.085)
    zones[wheel & (np.abs(across) > 0.6)] = Zone.TYRE
    return zones


def _roof_height_m(
    heights_m: NDArray[np.float32],
    up: NDArray[np.float32],
    areas_m2: NDArray[np.float32],
    low: NDArray[np.float32],
    high: NDArray[np.float32],
) -> float:
    """Height above which faces that look up cover the least share of the car's plan that a roof does."""
    order = np.argsort(-heights_m[up > 0.6], kind="stable")
    above = np.cumsum(areas_m2[up > 0.6][order])
    enough = np.flatnonzero(above > ROOF_SHARE * (high[0] - low[0]) * (high[1] - low[1]))
    return float(heights_m[up > 0.6][order][enough[0]]) if len(enough) else float(high[2])
