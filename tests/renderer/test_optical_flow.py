"""Optical flow of drawn frames: against what the picture of the next frame shows, and against plain geometry."""

from __future__ import annotations

import numpy as np
import pytest

from renderer.geometry.camera import Camera
from renderer.geometry.flow import CameraStep, Deformation, Flow, PartStep, forward_flow
from renderer.geometry.meshes import Mesh, MeshPool, make_mesh
from renderer.raster.rasterizer import Drawing, Rasteriser, RasterPasses
from renderer.scene.projection import camera_pose

CAMERA = Camera("test", 320, 240, 260.0, 260.0, 160.0, 110.0)


def _mesh(points: np.ndarray, triangles: np.ndarray) -> Mesh:
    count = len(triangles)
    normals = np.tile(np.array([0.0, 0.0, 1.0], np.float32), (count, 3, 1))
    return make_mesh(points.astype(np.float32), triangles.astype(np.int32), np.zeros(count, np.uint8), normals)


def _ball(scale: tuple[float, float, float], rings: int = 14) -> Mesh:
    """A ball, whose triangles are sorted by where they are: stretched, in another order."""
    up, around = np.meshgrid(
        np.linspace(0.05, np.pi - 0.05, rings), np.linspace(0, 2 * np.pi, 2 * rings), indexing="ij"
    )
    points = np.stack([np.sin(up) * np.cos(around), np.sin(up) * np.sin(around), np.cos(up)], axis=-1).reshape(-1, 3)
    at = np.arange(rings * 2 * rings).reshape(rings, 2 * rings)
    a, b, c, d = (part.ravel() for part in (at[:-1, :-1], at[1:, :-1], at[1:, 1:], at[:-1, 1:]))
    return _mesh(points * scale, np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)]))


def _plane(size: float) -> Mesh:
    corners = np.array([[-size, -size, 0], [size, -size, 0], [size, size, 0], [-size, size, 0]], np.float64)
    return _mesh(corners, np.array([[0, 1, 2], [0, 2, 3]]))


def _at(x: float, y: float, z: float, yaw: float = 0.0) -> np.ndarray:
    c, s = np.cos(yaw), np.sin(yaw)
    return np.array([[c, -s, 0, x], [s, c, 0, y], [0, 0, 1, z], [0, 0, 0, 1.0]])


def _drawn(meshes: list[Mesh], poses: list[np.ndarray], cam_to_world: np.ndarray) -> RasterPasses:
    pool = MeshPool()
    numbers = np.array([pool.put(k, mesh) for k, mesh in enumerate(meshes)])
    ids = np.arange(len(meshes))  # the first is the ground
    return Rasteriser(CAMERA).draw(pool, Drawing(numbers, np.array(poses), ids), cam_to_world, triangles=True)


def _moved() -> tuple[RasterPasses, RasterPasses, Flow]:
    """A ball that stretches and drives, one that turns and one that stands, seen from a car that drives."""
    ground, stands, drives, turns = (
        _plane(300.0),
        _ball((1.0, 1.0, 1.0)),
        _ball((1.5, 1.0, 0.8)),
        _ball((2.0, 0.7, 0.9)),
    )
    stretched = _ball((1.2, 1.1, 1.0))
    one = [_at(0, 0, 0), _at(14, 3, 1), _at(9, -1.5, 0.9), _at(20, -4, 1.0, 0.2)]
    other = [_at(0, 0, 0), _at(14, 3, 1), _at(9.8, -1.4, 1.0), _at(19.0, -4.5, 1.0, 0.5)]
    poses = camera_pose(0, 0, 1.6, 0.02, 0.05), camera_pose(0.9, 0.05, 1.61, 0.0, 0.045)
    first = _drawn([ground, stands, drives, turns], one, poses[0])
    second = _drawn([ground, stands, stretched, turns], other, poses[1])
    parts = [PartStep(a, b) for a, b in zip(one, other, strict=True)]
    parts[2] = PartStep(one[2], other[2], Deformation(drives, stretched))
    step = CameraStep(CAMERA, CAMERA, *poses)
    return first, second, forward_flow(step, first.depth_m, first.part, first.triangle, parts)


def _depth_later(first: RasterPasses) -> np.ndarray:
    """(H, W) how far from the second camera the points of the first picture are, by plain geometry."""
    rows, columns = np.indices(first.depth_m.shape)
    rays = np.stack(
        [(columns + 0.5 - CAMERA.cx) / CAMERA.fx, (rows + 0.5 - CAMERA.cy) / CAMERA.fy, np.ones(rows.shape)], -1
    )
    pose, later = camera_pose(0, 0, 1.6, 0.02, 0.05), camera_pose(0.9, 0.05, 1.61, 0.0, 0.045)
    world = rays * np.where(np.isfinite(first.depth_m), first.depth_m, 0.0)[..., None] @ pose[:3, :3].T + pose[:3, 3]
    drives, turns = first.instance_id == 2, first.instance_id == 3
    world[drives] = (world[drives] - [9, -1.5, 0.9]) * [1.2 / 1.5, 1.1, 1.0 / 0.8] + [9.8, -1.4, 1.0]
    turn = _at(0, 0, 0, 0.3)[:3, :3]
    world[turns] = (world[turns] - [20, -4, 1.0]) @ turn.T + [19.0, -4.5, 1.0]
    return np.asarray((world - later[:3, 3]) @ later[:3, 2])


def test_flow_warps_ids_onto_the_next_frame() -> None:
    first, second, flow = _moved()
    rows, columns = np.indices(first.depth_m.shape)
    x = np.floor(columns + 0.5 + flow.flow_px[..., 0]).astype(int)
    y = np.floor(rows + 0.5 + flow.flow_px[..., 1]).astype(int)
    inside = flow.valid & (x >= 0) & (x < CAMERA.width) & (y >= 0) & (y < CAMERA.height) & np.isfinite(first.depth_m)
    ids, there = first.instance_id[inside], second.instance_id[y[inside], x[inside]]
    # Both see a point where the next frame has its depth; rows of the road are 0.0024 / m apart in inverse depth.
    apart = np.abs(1 / second.depth_m[y[inside], x[inside]] - 1 / _depth_later(first)[inside])
    seen = apart < 0.0015
    assert (ids == there)[seen].mean() >= 0.999
    assert all((seen & (ids == number)).sum() > 20 for number in range(4))
    # Were nothing to move, many would not be met.
    assert (first.instance_id == second.instance_id)[inside][seen].mean() < 0.99


def test_flow_of_a_stretched_mesh_is_that_of_its_map() -> None:
    first, _, flow = _moved()
    chosen = first.instance_id == 2
    rows, columns = np.nonzero(chosen)
    pose, later = camera_pose(0, 0, 1.6, 0.02, 0.05), camera_pose(0.9, 0.05, 1.61, 0.0, 0.045)
    rays = np.stack(
        [(columns + 0.5 - CAMERA.cx) / CAMERA.fx, (rows + 0.5 - CAMERA.cy) / CAMERA.fy, np.ones(len(rows))], 1
    )
    world = rays * first.depth_m[chosen][:, None] @ pose[:3, :3].T + pose[:3, 3]
    moved = (world - [9, -1.5, 0.9]) * [1.2 / 1.5, 1.1, 1.0 / 0.8] + [9.8, -1.4, 1.0]
    local = (moved - later[:3, 3]) @ later[:3, :3]
    wanted = CAMERA.project(local) - np.stack([columns + 0.5, rows + 0.5], 1)
    assert np.abs(flow.flow_px[chosen] - wanted).max() < 0.01


def test_flow_of_the_sky_is_the_cameras_turning() -> None:
    first, _, flow = _moved()
    assert flow.valid[5, 160]
    assert not np.isfinite(first.depth_m[5, 160])
    assert flow.flow_px[5, 160, 0] == pytest.approx(-0.02 * CAMERA.fx, rel=0.1)


def test_what_is_not_known_is_not_valid() -> None:
    first, _, flow = _moved()
    step = CameraStep(CAMERA, CAMERA, np.eye(4), np.eye(4))
    parts = [
        PartStep(np.eye(4), np.eye(4)),
        None,
        PartStep(np.eye(4), np.eye(4), Deformation(_plane(1), _ball((1, 1, 1)))),
    ]
    other = forward_flow(step, first.depth_m, first.part, first.triangle, [*parts, None])
    assert not other.valid[np.isin(first.part, (2, 3, 4))].any()
    assert other.valid[first.part == 1].all()
    assert np.abs(other.flow_px).max() < 1e-3
    assert flow.valid.all()
