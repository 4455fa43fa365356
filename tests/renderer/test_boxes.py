"""Boxes against brute force over all vertices and pixels, and against cases worked out by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from renderer.geometry.boxes import (
    box_3d_corners_m,
    clip_box,
    extent_m,
    heading_frame,
    intersection_over_union,
    nearest_depth_m,
    observation_angle,
    occlusion_level,
    parts_of,
    projected_boxes,
    renumbered,
    truncation,
    upright_box,
    visible_boxes,
)
from renderer.geometry.camera import Camera
from renderer.geometry.frame import Box3D
from renderer.geometry.meshes import Mesh, MeshPool, make_mesh
from renderer.raster.rasterizer import Drawing

CAMERA = Camera("plain", 100, 80, 60.0, 55.0, 48.0, 37.0)


def cloud(rng: np.random.Generator, count: int, size: tuple[float, float, float]) -> Mesh:
    points = rng.uniform(-0.5, 0.5, (count, 3)) * size
    triangles = rng.permutation(count)[: count // 3 * 3].reshape(-1, 3)
    normals = np.zeros((len(triangles), 3, 3), np.float32)
    return make_mesh(points.astype(np.float32), triangles.astype(np.int32), np.ones(len(triangles), np.uint8), normals)


def turned(yaw: float, x: float, y: float, z: float) -> NDArray[np.float64]:
    pose = np.eye(4)
    pose[:2, :2] = [[math.cos(yaw), -math.sin(yaw)], [math.sin(yaw), math.cos(yaw)]]
    pose[:3, 3] = (x, y, z)
    return pose


def test_visible_boxes_of_random_ids() -> None:
    rng = np.random.default_rng(0)
    ids = np.kron(rng.integers(0, 9, (11, 17)), np.ones((4, 5), int)).astype(np.uint16)
    ids[ids == 5] = 0
    found = visible_boxes(ids, 9)
    for k in range(1, 10):
        rows, columns = np.nonzero(ids == k)
        if len(rows):
            expected = (len(rows), columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
            assert tuple(found[k].tolist()) == expected
        else:
            assert found[k, 0] == 0
    assert found[0, 0] == 0


@pytest.mark.parametrize("seed", range(5))
def test_amodal_boxes_hold_all_vertices(seed: int) -> None:
    rng = np.random.default_rng([seed, 4])
    meshes = [cloud(rng, 1200, (4, 2, 1.5)), cloud(rng, 90, (0.7, 0.2, 0.7))]
    pool = MeshPool()
    for k, mesh in enumerate(meshes):
        pool.put(k, mesh)
    poses = [turned(rng.uniform(0, 6), *rng.uniform((-6, -2, 5), (6, 2, 30))) for _ in range(6)]
    ids = np.array([1, 1, 2, 0, 4, 4])
    drawing = Drawing(np.array([0, 1, 0, 0, 1, 0]), np.array(poses), ids)
    found = projected_boxes(pool.flat(), drawing.seen_by(CAMERA, np.eye(4)), 0.1)
    assert found[0] is None
    assert found[3] is None
    for number in (1, 2, 4):
        members = np.flatnonzero(ids == number)
        world = [meshes[drawing.mesh[p]].positions @ poses[p][:3, :3].T + poses[p][:3, 3] for p in members]
        pixels = CAMERA.project(np.concatenate(world).astype(np.float64))
        np.testing.assert_allclose(found[number], (*pixels.min(axis=0), *pixels.max(axis=0)), rtol=1e-5, atol=1e-4)
    some = parts_of(drawing.seen_by(CAMERA, np.eye(4)), [2, 4])
    assert projected_boxes(pool.flat(), some, 0.1) == [None, None, found[2], None, found[4]]
    none = parts_of(drawing.seen_by(CAMERA, np.eye(4)), [])
    assert projected_boxes(pool.flat(), none, 0.1) == [None]


def test_an_amodal_box_is_clipped_at_the_near_plane() -> None:
    """Fine samples of all triangles, those before the near plane left out, against a box that crosses it."""
    rng = np.random.default_rng(6)
    mesh = cloud(rng, 300, (3, 2, 4))
    pool = MeshPool()
    pool.put(0, mesh)
    pose = turned(0.4, 0.2, 0.1, 1.5)
    drawing = Drawing(np.array([0]), pose[None], np.array([1]))
    (_, found) = projected_boxes(pool.flat(), drawing.seen_by(CAMERA, np.eye(4)), 0.5)
    weights = np.array([(i, j, 60 - i - j) for i in range(61) for j in range(61 - i)]) / 60
    points = np.einsum("wc,tck->twk", weights, mesh.positions[mesh.triangles].astype(np.float64)).reshape(-1, 3)
    points = points @ pose[:3, :3].T + pose[:3, 3]
    assert points[:, 2].min() < 0
    pixels = CAMERA.project(points[points[:, 2] >= 0.5])
    low, high = pixels.min(axis=0), pixels.max(axis=0)
    assert found is not None
    # Samples stay inside the true box and come close to it.
    assert (np.array(found[:2]) <= low + 1e-3).all()
    assert (np.array(found[2:]) >= high - 1e-3).all()
    np.testing.assert_allclose(found, (*low, *high), atol=0.06 * float((high - low).max()))
    behind = Drawing(np.array([0]), turned(0.4, 0, 0, -9)[None], np.array([1]))
    boxes = projected_boxes(pool.flat(), behind.seen_by(CAMERA, np.eye(4)), 0.5)
    assert boxes[1] is None


@pytest.mark.parametrize("yaw", [0.0, 0.7, -2.0, math.pi / 2, 3.0])
def test_the_3d_box_is_the_objects_own(yaw: float) -> None:
    """Corners in the camera's frame against the model's corners brought there by its pose."""
    rng = np.random.default_rng(8)
    mesh = cloud(rng, 600, (4.2, 1.8, 1.4))
    pose = turned(yaw, 12.0, -3.0, 0.3)
    to_world = np.eye(4)
    to_world[:3, :3] = np.array([[0, 0, 1], [-1, 0, 0], [0, -1, 0]])
    to_world[:3, 3] = (1.0, 2.0, 1.6)
    frame = heading_frame(pose)
    extent = extent_m([(mesh, pose)], frame)
    np.testing.assert_allclose(extent, [mesh.positions.min(axis=0), mesh.positions.max(axis=0)], atol=1e-5)
    box = upright_box(extent, frame, to_world)
    corners = np.array([[x, y, z, 1] for x in extent[:, 0] for y in extent[:, 1] for z in extent[:, 2]])
    expected = (np.linalg.inv(to_world) @ pose @ corners.T).T[:, :3]
    found = box_3d_corners_m(box)
    for corner in expected:
        assert np.abs(found - corner).max(axis=1).min() < 1e-5
    assert nearest_depth_m(box) == pytest.approx(expected[:, 2].min(), abs=1e-5)
    # By definition: length along the heading, which yaw turns from the camera's x axis about its y axis.
    ahead = np.linalg.inv(to_world)[:3, :3] @ pose[:3, 0]
    np.testing.assert_allclose(ahead, (math.cos(box.yaw_rad), 0, -math.sin(box.yaw_rad)), atol=1e-9)
    assert box.centre_m[1] > 0


def test_the_heading_of_a_tilted_object_is_seen_from_above() -> None:
    pose = turned(0.5, 1, 2, 3)
    tilt = np.eye(4)
    tilt[:3, :3] = [[math.cos(0.2), 0, math.sin(0.2)], [0, 1, 0], [-math.sin(0.2), 0, math.cos(0.2)]]
    np.testing.assert_allclose(heading_frame(pose @ tilt), pose, atol=1e-12)


def test_truncation_is_the_share_outside() -> None:
    assert truncation((10, 10, 30, 20), CAMERA) == 0
    assert truncation((-10, 10, 30, 20), CAMERA) == pytest.approx(0.25)
    assert truncation((90, 70, 110, 90), CAMERA) == pytest.approx(0.75)
    assert truncation((200, 10, 230, 20), CAMERA) == 1
    assert clip_box((-10, 10, 30, 200), CAMERA) == (0, 10, 30, 80)
    assert clip_box((100, 10, 130, 20), CAMERA) is None


@pytest.mark.parametrize(
    ("visible", "amodal", "level"),
    [(100, 100, 0), (95, 100, 0), (94, 100, 1), (50, 100, 1), (49, 100, 2), (1, 1000, 2), (0, 100, 3), (0, 0, 3)],
)
def test_occlusion_levels(visible: int, amodal: int, level: int) -> None:
    assert occlusion_level(visible, amodal) == level


def test_observation_angle() -> None:
    """Seen from behind, wherever it stands on its ray, an object has alpha -pi/2."""
    for degrees in (-40, 0, 25):
        ray = math.radians(degrees)
        box = Box3D((10 * math.sin(ray), 1.6, 10 * math.cos(ray)), 4, 1.5, 1.8, ray - math.pi / 2)
        assert observation_angle(box) == pytest.approx(-math.pi / 2)
    around = observation_angle(Box3D((-5.0, 1.6, 1.0), 4, 1.5, 1.8, 3.0))
    assert -math.pi < around <= math.pi


def test_overlap_of_boxes() -> None:
    a: Any = (0, 0, 4, 2)
    assert intersection_over_union(a, a) == 1
    assert intersection_over_union(a, (2, 1, 6, 3)) == pytest.approx(2 / 14)
    assert intersection_over_union(a, (4, 0, 8, 2)) == 0


@pytest.mark.parametrize("shape", [(1, 1), (3, 7), (0, 4), (40, 33)])
def test_a_pass_with_other_numbers_is_what_numpy_takes(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(4)
    ids, numbers = rng.integers(0, 300, shape).astype(np.uint16), rng.integers(0, 65536, 300).astype(np.uint16)
    assert np.array_equal(renumbered(ids, numbers), numbers[ids])
    assert np.array_equal(renumbered(ids[:, ::2], numbers), numbers[ids[:, ::2]])


def test_an_id_without_a_number_is_refused() -> None:
    with pytest.raises(IndexError, match="id 3: expected ids below 3"):
        renumbered(np.array([[0, 3]], np.uint16), np.zeros(3, np.uint16))
