"""Animals and prams: dogs beside people, prams before those who push them, deer and cats by the road.

They are placed after all else, with streams of their own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ...geometry.camera import Camera
from ...random_streams import Draw, Stream
from ..cars import FrameSetup, ModelSize, Placement
from ..footprints import overlaps, rectangle
from ..projection import box_around, seen_share, world_to_cam
from .two_wheelers import LEAST_SEEN, sample_count, taken_by

__all__ = ["ANIMALS", "COMPANIONS", "COMPANION_CATEGORIES", "companions", "ground_of", "walking_without_pram"]

Array = NDArray[np.float64]

ANIMALS: Final[Mapping[str, tuple[str, float]]] = {
    "dogs": ("dog", 0.05),
    "cats": ("cat", 0.01),
    "deer": ("deer", 0.0),
    "boar": ("boar", 0.0),
}
"""Category, and how many are in a frame's mean, by the words of ``--objects``. The training labels of FLIR ADAS,
version 2, have four dogs in 10742 frames; made data is there to have more. Deer and boar are there where they are asked
for alone."""
COMPANIONS: Final = (*ANIMALS, "strollers")
COMPANION_CATEGORIES: Final = frozenset({"stroller", *(category for category, _ in ANIMALS.values())})
_PARTS: Final = {"dogs": 0, "cats": 1, "deer": 2, "strollers": 3, "boar": 4}
"""Of the random stream; they stay as they are."""
ASKED_MEAN = 1.0
"""Of deer and of boar in a frame, where any are asked for."""
LEAST_HEIGHT_PX = 6.0
HEEL_M, LEASH_M = 0.55, 1.6
"""A dog goes beside its person, or as far ahead or behind as a leash reaches."""
HANDLE_M = 0.86
"""From the middle of a pram to that of who pushes it: the handle is at the hands."""
FAR_M = 60.0
TRIES = 12
_PUSHES: Final = ".push"
_AT_THE_HANDLE_M = 1.0
"""A pram that is so near to somebody is the one that they push."""
Ground = Callable[[float, float], float | None]
"""Height of the ground at a point; None where nothing can stand."""


def companions(
    setup: FrameSetup,
    sizes: Mapping[str, ModelSize],
    models: Sequence[ModelSize],
    camera: Camera,
    draw: Draw,
    most: Mapping[str, int | None],
    ground: Ground,
) -> tuple[Placement, ...]:
    """Animals and prams for a frame in which all else is placed.

    Args:
        setup: camera, cars, people and two-wheelers.
        sizes: of the setup's models.
        models: animals and prams.
        camera: of the frame.
        draw: seed of the dataset and number of the frame.
        most: most of each of :data:`COMPANIONS`; None as in real streets, of prams one for each who pushes.
        ground: where something can stand.

    Returns:
        their placements; none touches anything.
    """
    scene = _Scene(setup, sizes, camera, ground)
    scene.add_prams([one for one in models if one.category == "stroller"], most.get("strollers", 0), draw)
    for name, (category, usual) in ANIMALS.items():
        own = [one for one in models if one.category == category]
        mean = usual if usual or not most.get(name) else ASKED_MEAN
        if own and mean:
            rng = draw.rng(Stream.COMPANIONS, _PARTS[name])
            for _ in range(sample_count(mean, rng, most.get(name, 0))):
                scene.add_animal(category, own, rng)
    return tuple(scene.placed)


def walking_without_pram(placements: Sequence[Placement], sizes: Mapping[str, ModelSize]) -> tuple[Placement, ...]:
    """The same placements, in which who has nothing to push walks: there was no room for a pram, or none is wanted."""
    prams = [one for one in placements if sizes[one.model].category == "stroller"]

    def has_pram(person: Placement) -> bool:
        return any(math.hypot(one.x_m - person.x_m, one.y_m - person.y_m) < _AT_THE_HANDLE_M for one in prams)

    walking = {one.model: one.model.replace(_PUSHES, ".walk") for one in placements if _PUSHES in one.model}
    return tuple(
        replace(one, model=walking[one.model])
        if one.model in walking and walking[one.model] in sizes and not has_pram(one)
        else one
        for one in placements
    )


class _Scene:
    """What is there already, and what is added."""

    def __init__(self, setup: FrameSetup, sizes: Mapping[str, ModelSize], camera: Camera, ground: Ground) -> None:
        self.setup, self.camera, self.ground = setup, camera, ground
        self._sizes = sizes
        self.people = [one for one in setup.placements if sizes[one.model].category == "person" and not one.rides]
        self.placed: list[Placement] = []
        self._to_cam = world_to_cam(setup.cam_to_world)

    @cached_property
    def taken(self) -> list[Array]:
        """Rectangles (4, 2) of what is there; in most frames nobody asks."""
        return taken_by(self.setup.placements, self._sizes)

    def add_prams(self, prams: Sequence[ModelSize], most: int | None, draw: Draw) -> None:
        """One before each who pushes."""
        pushing = [one for one in self.people if _PUSHES in one.model] if prams else []
        if not pushing:
            return
        rng = draw.rng(Stream.COMPANIONS, _PARTS["strollers"])
        for person in pushing:
            pram = prams[int(rng.integers(len(prams)))]
            if most is None or len(self.placed) < most:
                x = person.x_m + HANDLE_M * math.cos(person.yaw_rad)
                y = person.y_m + HANDLE_M * math.sin(person.yaw_rad)
                self._take(replace(person, model=pram.name, x_m=x, y_m=y, profile="bicycle_parked"), pram)

    def add_animal(self, category: str, models: Sequence[ModelSize], rng: np.random.Generator) -> None:
        """A dog beside somebody, any other animal by itself; nothing where there is no room."""
        for _ in range(TRIES):
            model = models[int(rng.integers(len(models)))]
            at = self._beside_a_person(rng) if category == "dog" else self._anywhere(rng)
            if at is not None and self._take(replace(at, model=model.name, profile=_activity(model.name)), model):
                return

    def _beside_a_person(self, rng: np.random.Generator) -> Placement | None:
        if not self.people:
            return None
        person = self.people[int(rng.integers(len(self.people)))]
        side = HEEL_M * (1.0 if rng.random() < 0.6 else -1.0)
        along, turned = float(rng.uniform(-0.4, LEASH_M)), float(rng.normal(0.0, 0.25))
        c, s = math.cos(person.yaw_rad), math.sin(person.yaw_rad)
        x, y = person.x_m + along * c - side * s, person.y_m + along * s + side * c
        return replace(person, x_m=x, y_m=y, yaw_rad=person.yaw_rad + turned)

    def _anywhere(self, rng: np.random.Generator) -> Placement:
        """At a place of the field of view, evenly over the distance."""
        pose, camera = self.setup.cam_to_world, self.camera
        ahead, column = float(rng.uniform(7.0, FAR_M)), float(rng.uniform(0.0, camera.width))
        aside = (column - camera.cx) / camera.fx * ahead
        x, y = (pose[:2, 3] + ahead * pose[:2, 2] + aside * pose[:2, 0]).tolist()
        return Placement("", x, y, 0.0, float(rng.uniform(0.0, 2 * math.pi)), "")

    def _take(self, at: Placement, size: ModelSize) -> bool:
        height = self.ground(at.x_m, at.y_m)
        if height is None:
            return False
        at = replace(at, z_m=height)
        box = box_around(at, size, self.camera, self._to_cam)
        corners = rectangle(at.x_m, at.y_m, at.yaw_rad, size.length_m, size.width_m)
        if box is None or box[3] - box[1] < LEAST_HEIGHT_PX or seen_share(box, self.camera) < LEAST_SEEN:
            return False
        if any(overlaps(corners, other) for other in self._others(at, size)):
            return False
        self.taken.append(corners)
        self.placed.append(at)
        return True

    def _others(self, at: Placement, size: ModelSize) -> Iterator[Array]:
        """What it must not touch: of a pram not who pushes it, whose arms reach over it."""
        pushed = size.category == "stroller"
        for one, corners in zip(self.setup.placements, self.taken, strict=False):
            apart_m = math.hypot(one.x_m - at.x_m, one.y_m - at.y_m)
            if not (pushed and _PUSHES in one.model and apart_m < _AT_THE_HANDLE_M):
                yield corners
        yield from self.taken[len(self.setup.placements) :]


def _activity(model: str) -> str:
    return "walking" if ".walk" in model else "standing"


def ground_of(setup: FrameSetup, camera: Camera, free_mask: NDArray[np.bool_] | None) -> Ground:
    """The plane z = 0 where a mask (H, W) says that it is free."""

    def height(x_m: float, y_m: float) -> float | None:
        if free_mask is None:
            return 0.0
        pose = setup.cam_to_world
        point = (np.array([[x_m, y_m, 0.0]]) - pose[:3, 3]) @ pose[:3, :3]
        column, row = np.floor(camera.project(point)[0]).astype(int).tolist() if point[0, 2] > 0.5 else (-1, -1)
        inside = 0 <= column < camera.width and 0 <= row < camera.height
        return 0.0 if inside and free_mask[row, column] else None

    return height
