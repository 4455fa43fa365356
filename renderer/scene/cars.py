"""The cars of a frame: models by size and share, where each stands, and how a parked one was heated."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from ..errors import SceneError
from ..thermal.conditions import Conditions
from .sequences.turning import Motion

__all__ = [
    "LONG_CATEGORIES",
    "FrameSetup",
    "ModelMix",
    "ModelSize",
    "Placement",
    "nearest",
    "parked_profile",
    "pose_on_slope",
    "with_shares",
]

Array = NDArray[np.float64]

# Counts of KITTI's training labels (28742 cars, 2914 vans, 1094 trucks, 511 trams), with lorries and buses doubled so
# that a small dataset holds some of each.
CATEGORY_SHARE = {"car": 0.80, "van": 0.09, "truck": 0.07, "bus": 0.04}
OTHER_SHARE = 0.05
LONG_CATEGORIES = ("truck", "bus")


@dataclass(frozen=True)
class ModelSize:
    """Outer size of a car model, whose origin stands on the ground below its centre."""

    name: str
    category: str
    length_m: float
    width_m: float
    height_m: float
    rides: str = ""
    """Of a rider: the model that is ridden, whose axes the rider has."""
    share: float = 1.0
    """How often it is drawn, against the others of its category."""
    clo: float | None = None
    """Insulation of what a person wears, 1 clo = 0.155 m2K/W; None where that is not known."""
    carries: str = ""
    """What a person carries, such as ``umbrella``."""
    category_share: float | None = None
    """How often a car is of its category, against the others; None: as in traffic."""


@dataclass(frozen=True)
class Placement:
    """One car of a frame: pose of the model's origin in the world."""

    model: str
    x_m: float
    y_m: float
    z_m: float
    yaw_rad: float
    """Heading, counter-clockwise from world +x."""
    profile: str
    """Thermal profile, a key of ``assets/thermal_profiles.toml``."""
    rides: int = 0
    """Of a rider: how many placements before it the vehicle stands; 0: rides nothing."""
    speed_m_s: float | None = None
    """Over the ground, along the heading; None in a frame that is of no sequence."""
    cycle: tuple[str, ...] = ()
    """Of one who walks in a sequence: the models of the gait, whose common box is the object's."""
    towards: tuple[str, float] | None = None
    """Of one who walks in a sequence: the next phase of the gait, and the share of the way to it, 0-1."""
    motion: Motion | None = None
    """How far what turns of it has turned, in a sequence."""
    slope: tuple[float, float] = (0.0, 0.0)
    """How the ground below its wheels rises along world x and y, metres per metre."""

    @property
    def object_to_world(self) -> Array:
        """(4, 4) pose."""
        c, s = math.cos(self.yaw_rad), math.sin(self.yaw_rad)
        if self.slope != (0.0, 0.0):
            return pose_on_slope(self.x_m, self.y_m, self.z_m, self.yaw_rad, self.slope)
        return np.array(
            [[c, -s, 0.0, self.x_m], [s, c, 0.0, self.y_m], [0.0, 0.0, 1.0, self.z_m], [0.0, 0.0, 0.0, 1.0]]
        )


@dataclass(frozen=True)
class FrameSetup:
    """Everything that is random about the geometry of one frame."""

    index: int
    placements: tuple[Placement, ...]
    cam_to_world: Array
    """(4, 4) OpenCV camera axes to the world, metres."""


def pose_on_slope(x_m: float, y_m: float, z_m: float, yaw_rad: float, slope: tuple[float, float]) -> Array:
    """(4, 4) pose of what stands on sloped ground: x along its heading, seen from above, z along the ground's normal.

    Args:
        x_m: its origin, in the world, as y and z.
        y_m: see x.
        z_m: see x.
        yaw_rad: heading, counter-clockwise from world +x.
        slope: how the ground rises along world x and y, metres per metre.
    """
    c, s = math.cos(yaw_rad), math.sin(yaw_rad)
    ahead = np.array([c, s, slope[0] * c + slope[1] * s])
    up = np.array([-slope[0], -slope[1], 1.0]) / math.hypot(*slope, 1.0)
    ahead /= np.linalg.norm(ahead)
    pose = np.eye(4)
    pose[:3, :3] = np.stack([ahead, np.cross(up, ahead), up], axis=1)
    pose[:3, 3] = x_m, y_m, z_m
    return pose


def nearest(setup: FrameSetup, most: int | None) -> FrameSetup:
    """The setup with at most so many of its cars, those nearest to the camera, in their order; None keeps all."""
    if most is None or len(setup.placements) <= most:
        return setup
    x, y = setup.cam_to_world[:2, 3].tolist()
    apart_m = [math.hypot(one.x_m - x, one.y_m - y) for one in setup.placements]
    kept = set(sorted(range(len(apart_m)), key=lambda k: (apart_m[k], k))[:most])
    return replace(setup, placements=tuple(one for k, one in enumerate(setup.placements) if k in kept))


class ModelMix:
    """Draws models with the shares of their categories, and their own within these."""

    def __init__(self, models: Sequence[ModelSize]) -> None:
        self.models = list(models)
        sums: dict[str, float] = {}
        for model in models:
            sums[model.category] = sums.get(model.category, 0.0) + model.share
        self.shares = [_category_share(m) / sums[m.category] * m.share for m in models]

    def draw(self, rng: np.random.Generator) -> ModelSize:
        """Any model."""
        return self._draw(rng, self.shares)

    def draw_fitting(self, rng: np.random.Generator, length_m: float, width_m: float) -> ModelSize | None:
        """A model no larger than that, no lorry and no bus; None if there is none."""
        shares = [
            share if m.length_m <= length_m and m.width_m <= width_m and m.category not in LONG_CATEGORIES else 0.0
            for m, share in zip(self.models, self.shares, strict=True)
        ]
        return self._draw(rng, shares) if any(shares) else None

    def _draw(self, rng: np.random.Generator, shares: Sequence[float]) -> ModelSize:
        edges = list(accumulate(shares))
        return self.models[min(bisect_right(edges, rng.random() * edges[-1]), len(shares) - 1)]


def _category_share(model: ModelSize) -> float:
    own = model.category_share
    return CATEGORY_SHARE.get(model.category, OTHER_SHARE) if own is None else own


def with_shares(models: Sequence[ModelSize], shares: Sequence[tuple[str, float]]) -> tuple[ModelSize, ...]:
    """Models of which each category is drawn as often as its share says, and those without a share never.

    Raises:
        SceneError: none of the models has a share.
    """
    if not shares:
        return tuple(models)
    known = dict(shares)
    if models and not any(known.get(model.category, 0.0) > 0 for model in models):
        there = ", ".join(sorted({model.category for model in models}))
        raise SceneError(f"vehicles: no car model is a {' or '.join(known)}: expected one of {there}")
    return tuple(replace(model, category_share=known.get(model.category, 0.0)) for model in models)


def parked_profile(conditions: Conditions, rng: np.random.Generator) -> str:
    """A profile of a parked car that suits the weather."""
    sunny = conditions.sky == "clear" and conditions.sun_elevation_deg > 10.0
    shares = (0.25, 0.2, 0.55) if sunny else (0.7, 0.3, 0.0)
    names = ("cold_soaked", "just_parked", "sun_loaded")
    return names[int(np.searchsorted(np.cumsum(shares), rng.random() * sum(shares), side="right"))]
