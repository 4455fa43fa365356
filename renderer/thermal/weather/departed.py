"""Thermal shadows: the place of a parked car that has left is not yet as warm, or as cold, as the ground around it.

In the sun it is a dark rectangle with the shadow beside it, in clear nights a bright one, in snow a bare one. It fades
with the memory of asphalt (:attr:`..profiles.Material.lag_h`; Oke, "Boundary Layer Climates", 1987, chapter 8). How
many places beside parked cars have just been left, and for how long, is assumed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from ...geometry.frame import Frame, Instance
from ...zones.catalogue import Zone
from ..balance import Balance
from ..ground import GroundEffects, ground_effects
from ..profiles import Profiles

__all__ = ["add_departed", "departed_cars"]

_CHANCE = 0.3
_GAP_M = 1.1
_MEAN_H = 0.7
"""Since the car left (exponential)."""


def departed_cars(
    instances: Sequence[Instance], profiles: Profiles, rng_of: Callable[[Instance], np.random.Generator]
) -> list[tuple[Instance, float]]:
    """Cars that stood before or behind parked ones where nothing stands now, and the hours since they left."""
    parked = [one for one in instances if profiles.is_of_car(one.profile) and profiles.car(one.profile).shadow]
    places = [one.object_to_world[:2, 3] for one in instances]
    left = []
    for one in parked:
        rng = rng_of(one)
        chance, side, wait = rng.random(), rng.random(), rng.exponential(_MEAN_H)
        pose = one.object_to_world.copy()
        pose[:3, 3] += math.copysign(one.box_3d.length_m + _GAP_M, side - 0.5) * pose[:3, 0]
        room = 0.5 * one.box_3d.length_m + 2.2
        free = all(float(np.hypot(*(pose[:2, 3] - place))) > room for place in places)
        if chance < _CHANCE and free:
            places.append(pose[:2, 3])
            left.append((replace(one, object_to_world=pose), float(wait)))
    return left


def add_departed(
    frame: Frame,
    ground: GroundEffects,
    left: Sequence[tuple[Instance, float]],
    profiles: Profiles,
    balance: Balance,
) -> GroundEffects:
    """Adds what is left of their warmth and shadow; gives what they alone did, as it was when they left."""
    alone = GroundEffects(np.zeros_like(ground.heat_K), np.zeros_like(ground.shade))
    for instance, hours in left:
        one = ground_effects(frame, [instance], profiles, balance, [0.0])
        kept = np.float32(math.exp(-hours / profiles.materials[Zone.ROAD].lag_h * 2.0))
        np.add(ground.heat_K, kept * one.heat_K, out=ground.heat_K)
        np.maximum(ground.shade, kept * one.shade, out=ground.shade)
        np.maximum(alone.heat_K, one.heat_K, out=alone.heat_K)
    return alone
