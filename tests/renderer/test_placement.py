"""Cars on the plane before a camera: apart, on free ground, beside what is there already."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from renderer.errors import SceneError
from renderer.geometry.camera import Camera
from renderer.random_streams import Draw, Stream
from renderer.scene.cars import FrameSetup, ModelSize, Placement
from renderer.scene.placement import ObstacleFootprint, sample_on_plane
from renderer.scene.projection import projected_box
from renderer.thermal.conditions import sample_conditions

WIDE = Camera("wide", 640, 512, 400.0, 400.0, 320.0, 250.0, height_m=1.5)
MODELS = (
    ModelSize("hatchback", "car", 4.0, 1.78, 1.46),
    ModelSize("saloon", "car", 4.75, 1.83, 1.44),
    ModelSize("van", "van", 5.9, 2.0, 2.4),
    ModelSize("lorry", "truck", 8.4, 2.5, 3.4),
    ModelSize("bus", "bus", 12.0, 2.55, 3.1),
)
SIZES = {model.name: model for model in MODELS}
FRAMES = 150


def on_plane(draw: Draw, **options: Any) -> FrameSetup:
    """Cars in the weather that is drawn for the frame."""
    return sample_on_plane(WIDE, MODELS, draw, sample_conditions(draw.rng(Stream.CONDITIONS)), **options)


def _cells(placement: Placement) -> NDArray[np.float64]:
    """Points on the ground below a car, 0.2 m apart, by the model's own axes."""
    size = SIZES[placement.model]
    along, across = np.meshgrid(
        np.linspace(-size.length_m / 2, size.length_m / 2, 40), np.linspace(-size.width_m / 2, size.width_m / 2, 12)
    )
    points = np.stack([along.ravel(), across.ravel(), np.zeros(along.size), np.ones(along.size)])
    return np.asarray((placement.object_to_world @ points)[:2].T)


def _distance_m(points_m: NDArray[np.float64], placement: Placement) -> NDArray[np.float64]:
    """Distance of ground points from a car's rectangle, 0 inside."""
    size = SIZES[placement.model]
    local = np.linalg.inv(placement.object_to_world) @ np.vstack(
        [points_m.T, np.zeros(len(points_m)), np.ones(len(points_m))]
    )
    beyond = np.abs(local[:2]) - np.array([[size.length_m / 2], [size.width_m / 2]])
    return np.asarray(np.hypot(*np.maximum(beyond, 0.0)))


@cache
def plane_frames() -> tuple[FrameSetup, ...]:
    return tuple(on_plane(Draw(3, k)) for k in range(FRAMES))


def test_cars_on_the_plane_are_apart_on_the_ground_and_in_the_picture() -> None:
    assert all(frame.placements for frame in plane_frames())
    for frame in plane_frames():
        for k, one in enumerate(frame.placements):
            assert not any((_distance_m(_cells(one), other) < 0.05).any() for other in frame.placements[:k])
        assert all(p.z_m == 0.0 for p in frame.placements)
        assert frame.cam_to_world[2, 3] == WIDE.height_m


def test_plane_headings_are_along_or_against_the_road() -> None:
    yaws = np.array([p.yaw_rad for f in plane_frames() for p in f.placements])
    assert (np.abs(np.sin(yaws)) < math.sin(math.radians(13))).all()
    assert 0.2 < (np.cos(yaws) < 0).mean() < 0.8


def test_horizon_row_sets_the_pitch() -> None:
    setup = on_plane(Draw(3, 0), horizon_px=200.0)
    far = np.linalg.inv(setup.cam_to_world) @ (1e7, 0.0, 0.0, 1.0)
    assert WIDE.project(far[:3])[1] == pytest.approx(200.0, abs=0.01)


def test_free_mask_is_obeyed() -> None:
    mask = np.zeros((WIDE.height, WIDE.width), dtype=np.bool_)
    mask[:, WIDE.width // 2 :] = True
    placed = 0
    for k in range(60):
        for placement in on_plane(Draw(3, k), free_mask=mask).placements:
            placed += 1
            assert placement.y_m < 0.0
    assert placed > 20
    assert not on_plane(Draw(3, 0), free_mask=np.zeros_like(mask)).placements
    with pytest.raises(SceneError, match="free_mask"):
        on_plane(Draw(3, 0), free_mask=mask[1:])


def test_cars_keep_off_what_stands_there_and_are_not_hidden_by_it() -> None:
    corners = np.array([(9.0, -2.0), (14.0, -2.0), (14.0, 6.0), (9.0, 6.0)])
    thing = ObstacleFootprint(corners, 9.0, (0.0, 150.0, 420.0, 320.0))
    placed = 0
    for k in range(60):
        setup = on_plane(Draw(3, k), obstacles=(thing,))
        for placement in setup.placements:
            placed += 1
            cells = _cells(placement)
            inside = (cells[:, 0] > 9.0) & (cells[:, 0] < 14.0) & (cells[:, 1] > -2.0) & (cells[:, 1] < 6.0)
            assert not inside.any()
            box = projected_box(placement, SIZES[placement.model], WIDE, setup.cam_to_world)
            assert box is not None
            if cells[:, 0].min() > 14.0:
                across = max(0.0, min(box[2], 420.0) - max(box[0], 0.0)) / (box[2] - box[0])
                down = max(0.0, min(box[3], 320.0) - max(box[1], 150.0)) / (box[3] - box[1])
                assert across * down <= 0.55
    assert placed > 30


def test_the_road_turns_the_headings() -> None:
    yaw = math.radians(8.0)
    setups = [on_plane(Draw(3, k), road_yaw_rad=yaw) for k in range(40)]
    turned = [p.yaw_rad for setup in setups for p in setup.placements]
    assert np.median([math.remainder(value - yaw, math.pi) for value in turned]) == pytest.approx(0.0, abs=0.02)


def test_free_ground_beside_the_lanes_is_used() -> None:
    mask = np.zeros((WIDE.height, WIDE.width), dtype=np.bool_)
    mask[:, : WIDE.width // 3] = True  # far to the left: no slot of a two-way street reaches it near by
    setups = [on_plane(Draw(3, k), free_mask=mask, depth_range_m=(8.0, 20.0)) for k in range(30)]
    assert sum(bool(setup.placements) for setup in setups) > 20
