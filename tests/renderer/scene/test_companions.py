"""Animals and prams: dogs beside people, prams before who pushes, deer where they are asked for."""

from __future__ import annotations

import math
from dataclasses import replace

import cv2
import pytest

from renderer.geometry.camera import Camera
from renderer.random_streams import Draw
from renderer.scene.cars import FrameSetup, ModelSize, Placement
from renderer.scene.projection import camera_pose
from renderer.scene.road_users import companions as module
from renderer.scene.road_users.companions import companions, ground_of, walking_without_pram
from renderer.thermal.people import clothing_surface_K, fur_clo

CAMERA = Camera("plain", 640, 512, 772.0, 772.0, 320.0, 256.0)
POSE = camera_pose(0.0, 0.0, 1.5, 0.0, 0.0)
MODELS = [
    ModelSize("dog_01.stand", "dog", 1.1, 0.25, 0.8),
    ModelSize("deer_01.graze", "deer", 1.3, 0.25, 0.8),
    ModelSize("deer_01.walk_00", "deer", 1.3, 0.25, 1.1),
    ModelSize("stroller_01", "stroller", 1.0, 0.5, 1.1),
]
SIZES = {
    "box": ModelSize("box", "car", 4.2, 1.8, 1.5),
    "person_01.walk_00": ModelSize("person_01.walk_00", "person", 0.4, 0.6, 1.7),
    "person_12.push_04": ModelSize("person_12.push_04", "person", 0.9, 0.6, 1.7),
} | {one.name: one for one in MODELS}  # fmt: skip
SETUP = FrameSetup(
    0,
    (
        Placement("box", 14.0, 0.5, 0.0, 0.1, "driving"),
        Placement("person_01.walk_00", 11.0, -3.0, 0.0, 0.3, "walking"),
        Placement("person_12.push_04", 16.0, 3.6, 0.0, 2.0, "walking"),
    ),
    POSE,
)


def placed(index: int, **most: int | None) -> tuple[Placement, ...]:
    return companions(SETUP, SIZES, MODELS, CAMERA, Draw(3, index), most, ground_of(SETUP, CAMERA, None))


def test_a_pram_is_before_who_pushes_it() -> None:
    (pram,) = placed(0, strollers=None)
    person = SETUP.placements[2]
    assert pram.model == "stroller_01"
    assert pram.yaw_rad == person.yaw_rad
    ahead = (pram.x_m - person.x_m) * math.cos(2.0) + (pram.y_m - person.y_m) * math.sin(2.0)
    assert ahead == pytest.approx(math.hypot(pram.x_m - person.x_m, pram.y_m - person.y_m))
    assert 0.6 < ahead < 1.1
    assert placed(0, strollers=0) == ()


def test_who_has_no_pram_walks_with_empty_hands() -> None:
    walker = ModelSize("person_12.walk_04", "person", 0.6, 0.6, 1.7)
    sizes = SIZES | {walker.name: walker}
    alone = walking_without_pram(SETUP.placements, sizes)
    assert [one.model for one in alone] == ["box", "person_01.walk_00", "person_12.walk_04"]
    assert alone[2] == replace(SETUP.placements[2], model="person_12.walk_04")
    together = (*SETUP.placements, *placed(0, strollers=None))
    assert walking_without_pram(together, sizes) == together


def test_dogs_are_beside_people_and_deer_where_they_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert all(not placed(index, deer=None) for index in range(40)), "no city has them unless asked"
    assert sum(len(placed(index, deer=4)) for index in range(40)) > 10
    monkeypatch.setattr(module, "ANIMALS", {"dogs": ("dog", 2.0), "deer": ("deer", 0.0)})
    dogs = [one for index in range(40) for one in placed(index, dogs=2)]
    assert len(dogs) > 15
    for dog in dogs:
        assert min(math.hypot(dog.x_m - one.x_m, dog.y_m - one.y_m) for one in SETUP.placements[1:]) < 1.8
    assert all(len(placed(index, dogs=2)) <= 2 for index in range(40))


def test_nothing_touches_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenCV's intersection of rotated rectangles."""
    monkeypatch.setattr(module, "ANIMALS", {"dogs": ("dog", 3.0), "deer": ("deer", 3.0)})
    for index in range(25):
        everything = [*SETUP.placements, *placed(index, dogs=5, deer=5, strollers=None)]
        shapes = []
        for one in everything:
            size = SIZES[one.model]
            shapes.append(((one.x_m, one.y_m), (size.length_m, size.width_m), math.degrees(one.yaw_rad)))
        for number, shape in enumerate(shapes):
            for other, before in enumerate(shapes[:number]):
                pushed = {everything[number].model, everything[other].model} == {"stroller_01", "person_12.push_04"}
                assert pushed or cv2.rotatedRectangleIntersection(shape, before)[0] == cv2.INTERSECT_NONE


def test_fur_keeps_deer_in_winter_nearly_as_cold_as_the_air() -> None:
    """Fanger's balance: more insulation, less above air; a dog in a room shows about 30 degC."""
    assert fur_clo("deer", 263.0) > fur_clo("dog", 263.0) > fur_clo("dog", 300.0)
    winter = clothing_surface_K(268.15, 268.15, 2.0, fur_clo("deer", 268.15), 308.15) - 268.15
    assert 0.5 < winter < 5.0
    room = clothing_surface_K(294.15, 294.15, 0.1, fur_clo("dog", 294.15), 308.15) - 273.15
    assert 24.0 < room < 31.0
