"""The z-buffer against geometry worked out by other means: exact fractions, planes, spheres."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial import Delaunay, cKDTree

from renderer.geometry.camera import Camera
from renderer.geometry.clusters import FARTHEST, NEAREST
from renderer.geometry.meshes import MeshPool, make_mesh
from renderer.raster.kernels import sort_near_to_far
from renderer.raster.rasterizer import Drawing, Rasteriser, RasterPasses

EYE = np.eye(4)
SMALL = Camera("small", 48, 40, 40.0, 44.0, 22.5, 19.25)


def draw(
    meshes: list[tuple[NDArray[Any], NDArray[Any]]],
    camera: Camera,
    *,
    ids: list[int] | None = None,
    poses: list[NDArray[Any]] | None = None,
    pose: NDArray[Any] = EYE,
    near_m: float = 0.1,
    normals: list[NDArray[Any]] | None = None,
) -> RasterPasses:
    """Draw meshes ``(positions, triangles)``; the zone of a triangle is 1 plus its number, modulo 250."""
    pool = MeshPool()
    for k, (positions, triangles) in enumerate(meshes):
        corner = normals[k] if normals else np.zeros((len(triangles), 3, 3))
        zones = 1 + np.arange(len(triangles)) % 250
        pool.put(
            k,
            make_mesh(
                positions.astype(np.float32),
                triangles.astype(np.int32),
                zones.astype(np.uint8),
                corner.astype(np.float32),
            ),
        )
    drawing = Drawing(
        np.arange(len(meshes)),
        np.array(poses if poses is not None else [EYE] * len(meshes)),
        np.array(ids if ids is not None else [1] * len(meshes)),
    )
    return Rasteriser(camera, near_m).draw(pool, drawing, pose, normals=normals is not None)


def before(camera: Camera, pixels: NDArray[Any], depth_m: NDArray[Any] | float) -> NDArray[np.float32]:
    """Points at given pixels and depths, as float32 in the camera's frame."""
    z = np.broadcast_to(np.asarray(depth_m, np.float64), pixels.shape[:-1])
    x, y = (pixels[..., 0] - camera.cx) / camera.fx * z, (pixels[..., 1] - camera.cy) / camera.fy * z
    return np.stack([x, y, z], axis=-1).astype(np.float32)


def exactly_covered(camera: Camera, points: NDArray[np.float32]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Pixels whose centres are inside a triangle in exact arithmetic, and those within 1e-9 px of an edge."""
    inside = np.zeros((camera.height, camera.width), np.bool_)
    close = np.zeros_like(inside)
    corners = []
    for x, y, z in points.tolist():
        fx, fy, cx, cy = (Fraction(v) for v in (camera.fx, camera.fy, camera.cx, camera.cy))
        corners.append((fx * Fraction(x) / Fraction(z) + cx, fy * Fraction(y) / Fraction(z) + cy))
    for row in range(camera.height):
        for column in range(camera.width):
            x, y = Fraction(2 * column + 1, 2), Fraction(2 * row + 1, 2)
            sides = []
            for (ax, ay), (bx, by) in zip(corners, corners[1:] + corners[:1], strict=True):
                sides.append(float((bx - ax) * (y - ay) - (by - ay) * (x - ax)))
            inside[row, column] = all(s > 0 for s in sides) or all(s < 0 for s in sides)
            close[row, column] = min(abs(s) for s in sides) < 1e-9
    return inside, close


@pytest.mark.parametrize("seed", range(8))
def test_coverage_is_that_of_exact_arithmetic(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pixels = rng.uniform((-20, -20), (68, 60), (3, 2))
    points = before(SMALL, pixels, rng.uniform(1, 30, 3))
    inside, close = exactly_covered(SMALL, points)
    drawn = draw([(points, np.array([[0, 1, 2]]))], SMALL)
    np.testing.assert_array_equal((drawn.instance_id == 1)[~close], inside[~close])
    np.testing.assert_array_equal(drawn.zone == 1, drawn.instance_id == 1)
    np.testing.assert_array_equal(drawn.part, drawn.instance_id)


@pytest.mark.parametrize("seed", range(4))
def test_neighbouring_triangles_cover_each_pixel_once(seed: int) -> None:
    rng = np.random.default_rng([seed, 1])
    # Corners and edges through pixel centres are the hard case, hence points on a grid of half pixels.
    inner = np.round(rng.uniform((0, 0), (48, 40), (60, 2)) * 2) / 2 + 0.5 * (seed % 2)
    outline = np.array([[-9.0, -9.0], [57.0, -9.0], [57.0, 49.0], [-9.0, 49.0]])
    pixels = np.unique(np.concatenate([inner, outline]), axis=0)
    triangles = Delaunay(pixels).simplices
    points = before(SMALL, pixels, 4.0 if seed < 2 else rng.uniform(2, 9, len(pixels)))
    times = np.zeros((SMALL.height, SMALL.width), int)
    for triangle in triangles:
        times += draw([(points, triangle[None])], SMALL).instance_id
    np.testing.assert_array_equal(times, 1)


def test_triangles_that_cross_the_near_plane_stay_watertight() -> None:
    """A floor of many triangles from behind the camera to far ahead: every pixel below the horizon once."""
    rng = np.random.default_rng(7)
    outline = [[-900, -50], [900, -50], [900, 2000], [-900, 2000]]
    plan = np.concatenate([rng.uniform((-30, -20), (30, 80), (80, 2)), outline])
    triangles = Delaunay(plan).simplices
    points = np.stack([plan[:, 0], np.full(len(plan), 1.5), plan[:, 1]], axis=1)
    times = np.zeros((SMALL.height, SMALL.width), int)
    for triangle in triangles:
        times += draw([(points, triangle[None])], SMALL).instance_id
    ray = SMALL.rays().astype(np.float64)
    floor = (ray[..., 1] > 0) & (1.5 / np.maximum(ray[..., 1], 1e-9) < 1900)
    np.testing.assert_array_equal(times, floor)
    depth = draw([(points, triangles)], SMALL).depth_m
    np.testing.assert_allclose(depth[floor], (1.5 / ray[..., 1])[floor], rtol=1e-6)
    assert np.isinf(depth[~floor]).all()


def test_what_is_nearer_than_the_near_plane_is_not_drawn() -> None:
    wall = np.array([[-50.0, -50, 0], [50, -50, 0], [50, 50, 0], [-50, 50, 0]])
    quad = np.array([[0, 1, 2], [0, 2, 3]])
    for depth_m, seen in ((0.49, False), (0.51, True), (-3.0, False)):
        drawn = draw([(wall + np.array([0, 0, depth_m]), quad)], SMALL, near_m=0.5)
        assert (drawn.instance_id == 1).all() == seen
        assert (drawn.instance_id == 0).all() != seen


@pytest.mark.parametrize("seed", range(4))
def test_depth_is_that_of_the_plane(seed: int) -> None:
    rng = np.random.default_rng([seed, 2])
    normal = rng.normal(size=3) + np.array([0, 0, 3])
    normal /= np.linalg.norm(normal)
    distance = rng.uniform(3, 20)
    along = np.cross(normal, (0, 1, 0))
    across = np.cross(normal, along)
    size = 4.0 * distance
    corners = [normal * distance + size * (a * along + b * across) for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    drawn = draw([(np.array(corners), np.array([[0, 1, 2], [0, 2, 3]]))], SMALL)
    expected = distance / (SMALL.rays().astype(np.float64) @ normal)
    hit = np.isfinite(drawn.depth_m)
    assert hit.mean() > 0.5
    np.testing.assert_allclose(drawn.depth_m[hit], expected[hit], rtol=3e-6)


def soup(rng: np.random.Generator, parts: int) -> list[tuple[NDArray[Any], NDArray[Any]]]:
    """Parts of random triangles that pierce each other and the edges of the image."""
    meshes = []
    for _ in range(parts):
        centres = before(SMALL, rng.uniform((-5, -5), (53, 45), (150, 2)), rng.uniform(2, 20, 150)).astype(np.float64)
        points = (centres[:, None] + rng.normal(0, 0.8, (150, 3, 3))).reshape(-1, 3)
        meshes.append((points, np.arange(450).reshape(-1, 3)))
    return meshes


def test_the_order_of_parts_and_of_triangles_changes_nothing() -> None:
    rng = np.random.default_rng(11)
    meshes = soup(rng, 6)
    ids = [1, 1, 2, 3, 0, 0]
    forth = draw(meshes, SMALL, ids=ids)
    turn = [4, 2, 5, 0, 3, 1]
    back = draw([meshes[k] for k in turn], SMALL, ids=[ids[k] for k in turn])
    np.testing.assert_array_equal(forth.depth_m, back.depth_m)
    np.testing.assert_array_equal(forth.instance_id, back.instance_id)
    np.testing.assert_array_equal(forth.zone, back.zone)
    np.testing.assert_array_equal(forth.amodal_px, back.amodal_px)
    numbers = np.array([0, *(1 + np.argsort(turn))])
    np.testing.assert_array_equal(numbers[forth.part], back.part)


def test_the_nearest_triangle_wins_and_hidden_pixels_are_counted() -> None:
    """Whole soup against its triangles drawn one at a time, with no clusters to skip."""
    rng = np.random.default_rng(12)
    meshes, ids = soup(rng, 5), [1, 1, 2, 3, 0]
    together = draw(meshes, SMALL, ids=ids)
    depth = np.full((SMALL.height, SMALL.width), np.inf, np.float32)
    instance = np.zeros(depth.shape, int)
    covered = np.zeros((4, *depth.shape), np.bool_)
    for (points, triangles), owner in zip(meshes, ids, strict=True):
        for triangle in triangles:
            single = draw([(points, triangle[None])], SMALL).depth_m
            nearer = single < depth
            depth[nearer], instance[nearer] = single[nearer], owner
            covered[owner] |= np.isfinite(single)
    np.testing.assert_array_equal(together.depth_m, depth)
    np.testing.assert_array_equal(together.instance_id, instance)
    np.testing.assert_array_equal(together.amodal_px[1:], covered[1:].sum(axis=(1, 2)))
    assert (together.amodal_px[1:] > [(instance == k).sum() for k in (1, 2, 3)]).all()


def test_passes_of_a_picture_whose_rows_are_no_whole_lanes() -> None:
    """Normals, zones and parts of a soup with huge triangles, some cut by the near plane, some behind the camera: each
    pixel's corner weights are those that solve its ray in the world, by numpy."""
    rng, camera = np.random.default_rng(13), replace(SMALL, width=45, height=37)
    meshes = [*soup(rng, 3), (rng.normal(0, 6, (90, 3)), np.arange(90).reshape(-1, 3))]
    corners = [points.astype(np.float32).astype(np.float64)[triangles] for points, triangles in meshes]
    normals = [rng.normal(size=one.shape).astype(np.float32) for one in corners]
    drawn = draw(meshes, camera, ids=[1, 1, 0, 2], normals=normals)
    assert drawn.normal is not None
    assert drawn.normal.shape == (37, 45, 3)
    checked = 0
    for row, column in np.ndindex(drawn.part.shape):
        part = int(drawn.part[row, column]) - 1
        if part < 0:
            assert drawn.zone[row, column] == drawn.instance_id[row, column] == 0
            assert (drawn.normal[row, column] == 0).all()
            continue
        ray = np.array([(column + 0.5 - camera.cx) / camera.fx, (row + 0.5 - camera.cy) / camera.fy, 1.0])
        number = int(drawn.zone[row, column]) - 1
        weights = np.linalg.solve(corners[part][number].T, ray)
        assert 1 / weights.sum() == pytest.approx(drawn.depth_m[row, column], rel=1e-5)
        plane = np.cross(*(corners[part][number][1:] - corners[part][number][0]))
        blended = weights @ normals[part][number].astype(np.float64) * -np.sign(plane @ ray)
        np.testing.assert_allclose(drawn.normal[row, column], blended / np.linalg.norm(blended), atol=1e-4)
        checked += 1
    assert checked > 1000


@pytest.mark.parametrize("count", [0, 1, 2, 5, 41, 1000])
def test_clusters_are_drawn_from_near_to_far(count: int) -> None:
    boxes = np.random.default_rng(count).uniform(-1.0, 300.0, (count + 3, 6))
    boxes[count:] = -5.0  # nearer than all, and not asked for
    order = np.full(count + 3, -1)
    sort_near_to_far(boxes, count, np.empty(count + 3), order)
    middle = boxes[:count, NEAREST] + boxes[:count, FARTHEST]
    assert order[:count].tolist() == sorted(range(count), key=middle.tolist().__getitem__)
    assert order[count:].tolist() == [-1] * 3


def test_equal_depths_go_to_the_first_part() -> None:
    wall = before(SMALL, np.array([[-5.0, -5], [60, -5], [60, 60], [-5, 60]]), 5.0)
    quad = np.array([[0, 1, 2], [0, 2, 3]])
    drawn = draw([(wall, quad), (wall, quad)], SMALL, ids=[7, 4])
    assert (drawn.instance_id == 7).all()
    assert drawn.amodal_px[[4, 7]].tolist() == [48 * 40, 48 * 40]


def ball(count: int) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Unit sphere of ``count`` by ``2 count`` quads."""
    theta, phi = np.meshgrid(np.linspace(0, np.pi, count + 1), np.linspace(0, 2 * np.pi, 2 * count + 1), indexing="ij")
    points = np.stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)], axis=-1).reshape(-1, 3)
    i, j = np.meshgrid(np.arange(count), np.arange(2 * count), indexing="ij")
    a = (i * (2 * count + 1) + j).ravel()
    quads = np.stack([a, a + 2 * count + 1, a + 2 * count + 2, a + 1], axis=1)
    return points, np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]).astype(np.int32)


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("inside", [False, True])
def test_normals_of_an_ellipsoid(mirrored: bool, inside: bool) -> None:
    """Scaled unevenly, turned, mirrored, seen from outside and inside: the gradient of its implicit equation."""
    points, triangles = ball(96)
    scale = np.array([-1.0 if mirrored else 1.0, 1.6, 0.7]) * (12.0 if inside else 1.0)
    yaw = 0.6
    turn = np.array([[np.cos(yaw), -np.sin(yaw), 0], [np.sin(yaw), np.cos(yaw), 0], [0, 0, 1]])
    part, centre = np.eye(4), np.array([0.3, -0.2, 1.0 if inside else 6.0])
    part[:3, :3], part[:3, 3] = turn * scale, centre
    camera = replace(SMALL, width=96, height=80, cx=48.0, cy=40.0, fx=80.0, fy=80.0)
    drawn = draw([(points, triangles)], camera, poses=[part], normals=[points[triangles]])
    hit = np.isfinite(drawn.depth_m)
    assert hit.mean() > 0.05
    at = camera.rays()[hit] * drawn.depth_m[hit][:, None]
    inverse = np.linalg.inv(part[:3, :3])
    gradient = ((at - centre) @ inverse.T) @ inverse
    gradient /= np.linalg.norm(gradient, axis=1, keepdims=True)
    expected = gradient * (-1.0 if inside else 1.0)
    facing = np.abs((gradient * at).sum(axis=1)) / np.linalg.norm(at, axis=1) > 0.2
    assert drawn.normal is not None
    found = drawn.normal[hit]
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1.0, atol=1e-5)
    np.testing.assert_allclose(found[facing], expected[facing], atol=0.02)
    assert (drawn.normal[~hit] == 0).all()


def test_the_pose_of_the_camera() -> None:
    """A cloud of small triangles, each near the pixel where its centre projects to by hand."""
    rng = np.random.default_rng(3)
    pose = np.eye(4)
    pose[:3, :3] = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    pose[:3, :3] *= np.linalg.det(pose[:3, :3])
    pose[:3, 3] = (10, -4, 2)
    pixels = rng.uniform((4, 4), (44, 36), (12, 2))
    pixels = pixels[cKDTree(pixels).query(pixels, k=2)[0][:, 1] > 4]
    assert len(pixels) >= 4
    centres = before(SMALL, pixels, 8.0).astype(np.float64)
    spread = np.array([[-0.25, -0.2, 0], [0.25, -0.2, 0], [0, 0.4, 0]])
    points = (centres[:, None] + spread).reshape(-1, 3) @ pose[:3, :3].T + pose[:3, 3]
    drawn = draw([(points, np.arange(len(points)).reshape(-1, 3))], SMALL, pose=pose)
    for k, pixel in enumerate(pixels):
        rows, columns = np.nonzero(drawn.zone == 1 + k)
        assert len(rows) >= 1
        assert np.hypot(columns.mean() + 0.5 - pixel[0], rows.mean() + 0.5 - pixel[1]) < 0.8
        np.testing.assert_allclose(drawn.depth_m[rows, columns], 8.0, rtol=1e-5)


def test_nothing_at_all() -> None:
    drawn = draw([(np.zeros((0, 3)), np.zeros((0, 3)))], SMALL)
    assert np.isinf(drawn.depth_m).all()
    assert not drawn.instance_id.any()
    assert not drawn.zone.any()
