"""Seeded traffic: nothing intersects, everything stands where it may, and any order gives the same frames."""

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
from renderer.scene.distances import Traffic
from renderer.scene.footprints import overlaps
from renderer.scene.projection import camera_pose, projected_box
from renderer.scene.street import Bay, Lane, Street
from renderer.scene.traffic import sample_frame
from renderer.thermal.conditions import sample_conditions

# KITTI's left colour camera, square crop of 512 px.
CAMERA = Camera("kitti", 512, 512, 985.1, 985.1, 256.0, 236.7, height_m=1.65)
WIDE = Camera("wide", 640, 512, 400.0, 400.0, 320.0, 250.0, height_m=1.5)
MODELS = (
    ModelSize("hatchback", "car", 4.0, 1.78, 1.46),
    ModelSize("saloon", "car", 4.75, 1.83, 1.44),
    ModelSize("van", "van", 5.9, 2.0, 2.4),
    ModelSize("lorry", "truck", 8.4, 2.5, 3.4),
    ModelSize("bus", "bus", 12.0, 2.55, 3.1),
)
SIZES = {model.name: model for model in MODELS}
SLOPE = 0.03
FRAMES = 150


def _line(start: tuple[float, float], end: tuple[float, float]) -> NDArray[np.float64]:
    points = np.linspace(start, end, 60)
    return np.column_stack([points, SLOPE * points[:, 0]])


@cache
def street() -> Street:
    """Two lanes uphill along x, a crossing street, parallel bays on both sides; curves for turning cars."""
    angle = np.radians(np.linspace(90.0, 0.0, 15))
    turn = np.column_stack([100 + 8 * np.cos(angle), -9.7 + 8 * np.sin(angle)])
    lanes = (
        Lane(_line((0, -1.7), (250, -1.7)), 3.4),
        Lane(_line((250, 1.7), (0, 1.7)), 3.4),
        Lane(_line((106, -60), (106, 60)), 3.2),
        Lane(np.column_stack([turn, SLOPE * turn[:, 0]]), 3.2),
    )
    bays = [Bay(x, -4.5, SLOPE * x, 0.0, 5.7, 2.1) for x in np.arange(4.0, 94.0, 5.7)]
    bays += [Bay(x, 4.5, SLOPE * x, math.pi, 6.7, 2.1) for x in np.arange(120.0, 240.0, 6.7)]
    paths = (_line((5, -1.7), (190, -1.7)), _line((245, 1.7), (60, 1.7)))
    return Street(lanes, tuple(bays), paths)


def on_street(
    draw: Draw, where: Street | None = None, models: tuple[ModelSize, ...] = MODELS, **options: Any
) -> FrameSetup:
    """A frame in the weather that is drawn for it."""
    return sample_frame(
        where or street(), models, CAMERA, draw, sample_conditions(draw.rng(Stream.CONDITIONS)), **options
    )


@cache
def frames() -> tuple[FrameSetup, ...]:
    return tuple(on_street(Draw(7, k)) for k in range(FRAMES))


def _cells(placement: Placement) -> NDArray[np.float64]:
    """Points every 10 cm over a car's footprint, world, (P, 2)."""
    size = SIZES[placement.model]
    x, y = np.meshgrid(
        np.linspace(-size.length_m / 2, size.length_m / 2, math.ceil(size.length_m * 10) + 1),
        np.linspace(-size.width_m / 2, size.width_m / 2, math.ceil(size.width_m * 10) + 1),
    )
    turned = (x + 1j * y).ravel() * np.exp(1j * placement.yaw_rad)
    return np.column_stack([turned.real + placement.x_m, turned.imag + placement.y_m])


def _inside(points: NDArray[np.float64], x: float, y: float, yaw: float, length: float, width: float) -> bool:
    """Whether any point lies in a rectangle: occupancy by points, not by separating axes."""
    local = ((points[:, 0] - x) + 1j * (points[:, 1] - y)) * np.exp(-1j * yaw)
    return bool(((np.abs(local.real) < length / 2) & (np.abs(local.imag) < width / 2)).any())


def _clash(a: Placement, b: Placement) -> bool:
    size = SIZES[b.model]
    return _inside(_cells(a), b.x_m, b.y_m, b.yaw_rad, size.length_m, size.width_m)


def _assert_no_clash(placements: tuple[Placement, ...]) -> None:
    for k, a in enumerate(placements):
        for b in placements[:k]:
            near = math.hypot(a.x_m - b.x_m, a.y_m - b.y_m) < 13.0
            assert not (near and _clash(a, b)), (a, b)


def test_no_two_cars_share_ground() -> None:
    assert sum(len(frame.placements) for frame in frames()) > 5 * FRAMES
    for frame in frames():
        _assert_no_clash(frame.placements)


def test_no_car_stands_in_the_camera_car() -> None:
    for frame in frames():
        x, y = frame.cam_to_world[:2, 3]
        heading = 0.0 if frame.cam_to_world[0, 2] > 0 else math.pi
        centre_x = x - 0.4 * math.cos(heading)  # a 4.2 m car whose camera is 1.7 m behind its front
        for placement in frame.placements:
            assert not _inside(_cells(placement), centre_x, y, heading, 4.2, 1.8)


def test_wheels_stand_on_the_ground() -> None:
    for frame in frames():
        for placement in frame.placements:
            assert placement.z_m == pytest.approx(SLOPE * placement.x_m, abs=0.02)


def _in_a_bay(placement: Placement) -> bool:
    cells = _cells(placement)
    for bay in street().bays:
        local = ((cells[:, 0] - bay.x_m) + 1j * (cells[:, 1] - bay.y_m)) * np.exp(-1j * bay.yaw_rad)
        if np.abs(local.real).max() < bay.length_m / 2 + 0.1 and np.abs(local.imag).max() < bay.width_m / 2 + 0.1:
            return True
    return False


def _in_a_lane(placement: Placement) -> bool:
    cells = _cells(placement)
    for lane in street().lanes:
        line = np.concatenate([np.linspace(a, b, 20) for a, b in zip(lane.points_m, lane.points_m[1:], strict=False)])
        distance = np.abs((cells[:, :1] + 1j * cells[:, 1:]) - (line[:, 0] + 1j * line[:, 1])).min(axis=1)
        if distance.max() < lane.width_m / 2 + 0.12:
            return True
    return False


def test_cars_are_in_lanes_or_bays_and_profiles_suit_them() -> None:
    parked = driving = 0
    for frame in frames()[:40]:
        for placement in frame.placements:
            if _in_a_bay(placement):
                parked += 1
                assert placement.profile in {"cold_soaked", "just_parked", "sun_loaded"}
                assert SIZES[placement.model].category not in {"truck", "bus"}
            else:
                driving += 1
                assert placement.profile in {"driving", "idling"}
                assert _in_a_lane(placement), placement
    assert parked > 40
    assert driving > 100


def test_traffic_keeps_right() -> None:
    for frame in frames():
        for placement in frame.placements:
            if (
                abs(abs(placement.y_m) - 1.7) < 0.8
                and placement.profile in {"driving", "idling"}
                and placement.x_m < 95
            ):
                expected = 1.0 if placement.y_m < 0 else -1.0
                assert math.cos(placement.yaw_rad) * expected > 0.99


def test_headings_jitter() -> None:
    yaws = {round(p.yaw_rad, 9) for frame in frames() for p in frame.placements}
    assert len(yaws) > 0.95 * sum(len(frame.placements) for frame in frames())


def test_same_frames_in_any_order() -> None:
    again = {k: on_street(Draw(7, k)) for k in (31, 4, 17)}
    for k, setup in again.items():
        assert setup.placements == frames()[k].placements
        np.testing.assert_array_equal(setup.cam_to_world, frames()[k].cam_to_world)
    assert on_street(Draw(8, 4)).placements != frames()[4].placements


def _seen(frame: FrameSetup, camera: Camera) -> list[float]:
    """Widths in pixels of cars 5-60 m ahead whose centre is in the picture, by projecting the centre alone."""
    widths = []
    world_to_cam = np.linalg.inv(frame.cam_to_world)
    for placement in frame.placements:
        size = SIZES[placement.model]
        centre = world_to_cam @ (placement.x_m, placement.y_m, placement.z_m + size.height_m / 2, 1.0)
        column, row = camera.project(centre[:3])
        if 5.0 < centre[2] < 60.0 and 0 < column < camera.width and 0 < row < camera.height:
            widths.append(camera.fx * size.width_m / centre[2])
    return widths


def test_nearly_every_frame_shows_a_car() -> None:
    seen = [_seen(frame, CAMERA) for frame in frames()]
    assert np.mean([bool(widths) for widths in seen]) >= 0.95
    assert np.mean([any(60 <= width <= 250 for width in widths) for widths in seen]) > 0.8


def test_no_car_fills_the_picture() -> None:
    for frame in frames():
        view = np.linalg.inv(frame.cam_to_world)
        for placement in frame.placements:
            size = SIZES[placement.model]
            edge = _cells(placement)
            foot = view[:3, :3] @ np.column_stack([edge, np.full(len(edge), placement.z_m)]).T + view[:3, 3:]
            if foot[2].min() > 0.5:
                columns = np.clip(CAMERA.fx * foot[0] / foot[2] + CAMERA.cx, 0, 512)
                tall = CAMERA.fy * size.height_m / foot[2].min()
                assert (columns.max() - columns.min()) * min(tall, 512) < 0.45 * 512 * 512


def test_camera_varies_as_kitti_does() -> None:
    heights = np.array([f.cam_to_world[2, 3] - SLOPE * f.cam_to_world[0, 3] for f in frames()])
    normal = np.array([-SLOPE, 0.0, 1.0]) / math.hypot(SLOPE, 1.0)  # KITTI's planes are those of the road, on hills too
    pitch = np.degrees([-math.asin(f.cam_to_world[:3, 2] @ normal) for f in frames()])
    assert abs(pitch.mean() - CAMERA.pitch_deg) < 0.1
    assert abs(heights.mean() - 1.65) < 0.02
    assert 0.015 < heights.std() < 0.045
    assert 0.2 < pitch.std() < 0.45
    for frame in frames():
        rotation = frame.cam_to_world[:3, :3]
        np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
        assert np.linalg.det(rotation) == pytest.approx(1.0)


def test_every_kind_of_car_and_state_turns_up() -> None:
    assert {p.model for f in frames() for p in f.placements} == set(SIZES)
    assert {p.profile for f in frames() for p in f.placements} >= {"driving", "idling", "cold_soaked", "just_parked"}


def test_profile_and_density_are_obeyed() -> None:
    forced = [on_street(Draw(7, k), profile="just_parked") for k in range(4)]
    assert {p.profile for f in forced for p in f.placements} == {"just_parked"}
    assert [p.x_m for p in forced[2].placements] == [p.x_m for p in frames()[2].placements]
    assert on_street(Draw(7, 0), traffic=Traffic(0.0)).placements == ()


def test_street_without_path_and_traffic_without_models_are_errors() -> None:
    with pytest.raises(SceneError, match="camera path"):
        on_street(Draw(0, 0), Street((), (), ()))
    with pytest.raises(SceneError, match="no car models"):
        on_street(Draw(0, 0), models=())
    with pytest.raises(SceneError, match=r"\(N, 3\)"):
        on_street(Draw(0, 0), Street((), (), (np.zeros((1, 3)),)))


def test_overlap_of_rectangles() -> None:
    square = np.array([(0.0, 0.0), (2.0, 0.0), (2.0, 2.0), (0.0, 2.0)])
    diamond = np.array([(2.0, -1.0), (3.0, 0.0), (2.0, 1.0), (1.0, 0.0)])
    assert overlaps(square, diamond)
    assert not overlaps(square, square + np.array([2.1, 0.0]))
    # Their bounding boxes overlap, they do not.
    assert not overlaps(square, diamond + np.array([0.9, 2.9]))
    assert overlaps(square, square * 0.1 + 0.5)


def test_camera_pose_and_projection_by_hand() -> None:
    pose = camera_pose(1.0, 2.0, 1.65, math.pi / 2, math.radians(2.0))
    np.testing.assert_allclose(pose[:3, 2], [0.0, math.cos(math.radians(2)), -math.sin(math.radians(2))], atol=1e-12)
    np.testing.assert_allclose(pose[:3, 0], [1.0, 0.0, 0.0], atol=1e-12)
    # A box whose near face is 10 m ahead of a level camera: its foot is 1.65 m below the axis, its side 1 m beside it.
    size = ModelSize("box", "car", 4.0, 2.0, 1.65)
    ahead = Placement("box", 12.0, 0.0, 0.0, 0.0, "driving")
    left, top, right, bottom = projected_box(ahead, size, CAMERA, camera_pose(0, 0, 1.65, 0, 0)) or (0, 0, 0, 0)
    assert (left, right) == pytest.approx((256 - 98.51, 256 + 98.51))
    assert top == pytest.approx(236.7)
    assert bottom == pytest.approx(236.7 + 985.1 * 0.165)
    assert projected_box(ahead, size, CAMERA, camera_pose(11.0, 0, 1.65, 0, 0)) is None
