"""What a camera with a lens draws: against rays cast one by one, and against a picture four times as fine."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from renderer.geometry.affine import world_to_local
from renderer.geometry.camera import Camera, places_in_covering
from renderer.geometry.lens import Lens
from renderer.geometry.lens_boxes import distorted_box
from renderer.geometry.meshes import Mesh, MeshPool, make_mesh
from renderer.raster.distorted import rays_by_cell
from renderer.raster.rasterizer import Drawing, Rasteriser, RasterPasses
from renderer.scene.projection import camera_pose

CAMERA = Camera("test", 320, 256, 150.0, 150.0, 158.0, 118.0)
LENSES = [
    Lens("brown-conrady", (-0.22, 0.05, 0.001, -0.0007)),
    Lens("brown-conrady", (0.12, -0.01, 0.0, 0.0)),
    Lens("fisheye", (-0.02, 0.004, -0.001, 0.0002)),
]
POSE = camera_pose(0.0, 0.0, 1.6, 0.05, 0.06)


def _behind(lens: Lens) -> Camera:
    """The camera with a lens; a fisheye's edges lie farther aside."""
    focal_px = 200.0 if lens.model == "fisheye" else CAMERA.fx
    return replace(CAMERA, fx=focal_px, fy=focal_px, lens=lens)


def _mesh(points: np.ndarray, triangles: np.ndarray) -> Mesh:
    count = len(triangles)
    normals = np.tile(np.array([0.0, 0.0, 1.0], np.float32), (count, 3, 1))
    return make_mesh(points.astype(np.float32), triangles.astype(np.int32), np.zeros(count, np.uint8), normals)


def _ball(rings: int) -> Mesh:
    up, around = np.meshgrid(np.linspace(0.05, 3.09, rings), np.linspace(0, 2 * np.pi, 2 * rings), indexing="ij")
    points = np.stack([np.sin(up) * np.cos(around), np.sin(up) * np.sin(around), np.cos(up)], axis=-1).reshape(-1, 3)
    at = np.arange(rings * 2 * rings).reshape(rings, 2 * rings)
    a, b, c, d = (part.ravel() for part in (at[:-1, :-1], at[1:, :-1], at[1:, 1:], at[:-1, 1:]))
    return _mesh(points, np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)]))


def _box() -> Mesh:
    corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], np.float64)
    quads = np.array([[0, 1, 3, 2], [4, 5, 7, 6], [0, 1, 5, 4], [2, 3, 7, 6], [0, 2, 6, 4], [1, 3, 7, 5]])
    return _mesh(corners, np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]))


def _at(x: float, y: float, z: float, *scale: float) -> np.ndarray:
    pose = np.diag([*scale, 1.0])
    pose[:3, 3] = x, y, z
    return pose


def _scene() -> tuple[MeshPool, Drawing]:
    """The ground, a ball of tiny triangles before a large box, and long boxes at the borders, one beside the camera."""
    pool = MeshPool()
    ground = _mesh(
        np.array([[-90, -90, 0], [90, -90, 0], [90, 90, 0], [-90, 90, 0.0]]), np.array([[0, 1, 2], [0, 2, 3]])
    )
    meshes = [ground, _ball(24), _box(), _box(), _box()]
    poses = [
        np.eye(4),
        _at(9, 0.5, 1.2, 0.9, 0.9, 1.2),
        _at(14, -0.5, 1.5, 2.2, 1.0, 1.5),
        _at(8, 5.5, 1.4, 4.0, 0.9, 1.4),
        _at(4, -3.2, 1.0, 4.6, 0.8, 1.0),
    ]
    numbers = np.array([pool.put(k, mesh) for k, mesh in enumerate(meshes)])
    return pool, Drawing(numbers, np.array(poses), np.arange(5))


def _drawn(camera: Camera, pose: np.ndarray = POSE) -> RasterPasses:
    pool, drawing = _scene()
    wide = camera.covering
    rasteriser = Rasteriser(wide)
    rasteriser.draw(pool, drawing, pose)
    rays = rays_by_cell(places_in_covering(camera), wide.height, wide.width)
    return rasteriser.distorted(pool, drawing, pose, rays, (camera.height, camera.width))


def _cast(camera: Camera) -> tuple[np.ndarray, np.ndarray]:
    """Ids and depths by Moeller and Trumbore's test of each ray with each triangle."""
    pool, drawing = _scene()
    rays = camera.rays().reshape(-1, 3).astype(np.float64)
    to_camera = world_to_local(POSE)
    nearest, ids = np.full(len(rays), np.inf), np.zeros(len(rays), int)
    for number in range(5):
        mesh, matrix = pool.mesh(int(drawing.mesh[number])), to_camera @ drawing.local_to_world[number]
        corners = mesh.positions.astype(np.float64) @ matrix[:, :3].T + matrix[:, 3]
        for a, b, c in corners[mesh.triangles]:
            p = np.cross(rays, c - a)
            determinant = p @ (b - a)
            with np.errstate(divide="ignore", invalid="ignore"):
                u = (p @ -a) / determinant
                q = np.cross(-a, b - a)
                v, t = (rays @ q) / determinant, (q @ (c - a)) / determinant
                hit = (u >= 0) & (v >= 0) & (u + v <= 1) & (t >= 0.1) & (t < nearest)
            nearest, ids = np.where(hit, t, nearest), np.where(hit, number, ids)
    shape = (camera.height, camera.width)
    return ids.reshape(shape), nearest.reshape(shape)


@pytest.mark.parametrize("lens", LENSES, ids=str)
def test_each_pixel_is_what_its_ray_meets(lens: Lens) -> None:
    camera = _behind(lens).resize(96, 77)
    drawn = _drawn(camera)
    ids, depth = _cast(camera)
    assert (drawn.instance_id != ids).sum() <= 1  # a ray through an edge
    same = (drawn.instance_id == ids) & np.isfinite(depth)
    assert np.array_equal(np.isfinite(drawn.depth_m), np.isfinite(depth))
    assert np.quantile(np.abs(drawn.depth_m[same] / depth[same] - 1), 0.999) < 1e-5  # rays are float32
    assert set(np.unique(ids)) == {0, 1, 2, 3, 4}


@pytest.mark.parametrize("lens", LENSES, ids=str)
def test_against_a_picture_four_times_as_fine(lens: Lens) -> None:
    camera = _behind(lens)
    drawn, wide = _drawn(camera), camera.covering
    pool, drawing = _scene()
    fine = Rasteriser(wide.resize(4 * wide.width, 4 * wide.height)).draw(pool, drawing, POSE)
    columns, rows = np.moveaxis(np.floor(4 * places_in_covering(camera)).astype(int), -1, 0)
    ids = fine.instance_id[rows, columns]
    assert (drawn.instance_id == ids).mean() >= 0.999
    # Were the lens left out, many would differ.
    plain = Rasteriser(replace(camera, lens=None)).draw(pool, drawing, POSE)
    assert (plain.instance_id == ids).mean() < 0.998
    for number in range(1, 5):
        members = [(pool.mesh(int(drawing.mesh[number])), world_to_local(POSE) @ drawing.local_to_world[number])]
        box = distorted_box(members, camera, 0.1)
        alone = Rasteriser(wide.resize(4 * wide.width, 4 * wide.height)).mask(pool, drawing.of_instance(number), POSE)
        down, across = np.nonzero(alone[rows, columns])
        seen = across.min(), down.min(), across.max() + 1, down.max() + 1
        assert box is not None
        whole = min(box[:2]) >= 0 and box[2] <= camera.width and box[3] <= camera.height
        assert whole == (number in (1, 2))
        # Of what reaches out of the picture the box is larger than what is seen.
        off = np.abs(np.array(seen) - box) if whole else np.maximum(np.array(box[:2]) - seen[:2], 0)
        assert off.max() <= 1.0
        # An edge along a column of pixels may lie within the eighth of a pixel that the finer picture is off.
        assert drawn.amodal_px[number] == pytest.approx(alone[rows, columns].sum(), rel=0.05)


def test_whole_objects_are_those_that_are_drawn_alone() -> None:
    camera = replace(CAMERA, lens=LENSES[0])
    drawn, wide = _drawn(camera), camera.covering
    pool, drawing = _scene()
    rays = rays_by_cell(places_in_covering(camera), wide.height, wide.width)
    for number in range(1, 5):
        mask = Rasteriser(wide).distorted_mask(pool, drawing.of_instance(number), POSE, rays, (256, 320))
        assert mask.sum() == drawn.amodal_px[number]
        assert mask[drawn.instance_id == number].all()
    assert drawn.amodal_px[2] > (drawn.instance_id == 2).sum() + 100
