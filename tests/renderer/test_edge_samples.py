"""Sub-samples at edges: against a picture four times as fine, pixel by pixel, and against shares of a strip's area."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from renderer.geometry.camera import Camera
from renderer.geometry.edge_samples import SAMPLE_GRID, SUB_SAMPLES, EdgeSamples
from renderer.geometry.meshes import Mesh, MeshPool, make_mesh
from renderer.raster.rasterizer import Drawing, Rasteriser, RasterPasses

CAMERA = Camera("small", 64, 48, 60.0, 60.0, 31.3, 24.4)
WALL, STRIP, PANE = 1, 2, 3


def _mesh(points: list[list[float]], zone: int, cells: int, normal: tuple[float, float, float]) -> Mesh:
    """A quad of so many cells along either side, 2 triangles each; points (4, 3) in turn."""
    a, b, c, d = (np.array(point) for point in points)
    u, v = np.meshgrid(np.linspace(0, 1, cells + 1), np.linspace(0, 1, cells + 1))
    u, v = u.reshape(-1, 1), v.reshape(-1, 1)
    grid = (1 - v) * ((1 - u) * a + u * b) + v * ((1 - u) * d + u * c)
    at = np.arange((cells + 1) ** 2).reshape(cells + 1, cells + 1)
    p, q, r, s = (one.ravel() for one in (at[:-1, :-1], at[:-1, 1:], at[1:, 1:], at[1:, :-1]))
    triangles = np.concatenate([np.stack([p, q, r], 1), np.stack([p, r, s], 1)])
    normals = np.tile(np.array(normal, np.float32), (len(triangles), 3, 1))
    zones = np.full(len(triangles), zone, np.uint8)
    return make_mesh(grid.astype(np.float32), triangles.astype(np.int32), zones, normals)


def _scene(thickness_px: float, strip_zone: int) -> tuple[MeshPool, Drawing]:
    """The environment's wall far behind, an object's of two zones before it, and a strip on their border."""
    z, y = 5.0, 4.99
    away = thickness_px * z / CAMERA.fx
    meshes = [
        _mesh([[-30, -30, 20], [30, -30, 20], [30, 30, 20], [-30, 30, 20]], WALL, 4, (0, 0, -1)),
        _mesh([[-1.7, -1.2, z], [1.6, -1.3, z], [1.6, 0.3, z], [-1.7, 0.2, z]], WALL, 9, (0, 0, -1)),
        _mesh([[-1.7, 0.2, z], [1.6, 0.3, z], [1.8, 1.1, z], [-1.9, 1.2, z]], PANE, 9, (0, 0, -1)),
        _mesh([[-1.6, 0.2, y], [1.5, 0.3, y], [1.5, 0.3 + away, y], [-1.6, 0.2 + away, y]], strip_zone, 5, (0, 1, 0)),
    ]  # fmt: skip
    pool = MeshPool()
    for k, mesh in enumerate(meshes):
        pool.put(k, mesh)
    return pool, Drawing(np.arange(4), np.tile(np.eye(4), (4, 1, 1)), np.array([0, 1, 1, 1]))


def _drawn(pool: MeshPool, drawing: Drawing) -> tuple[RasterPasses, EdgeSamples]:
    rasteriser = Rasteriser(CAMERA)
    passes = rasteriser.draw(pool, drawing, np.eye(4), normals=True)
    windows = np.array([[0, CAMERA.height, 0, CAMERA.width]])
    edges = rasteriser.edges(pool, drawing, np.eye(4), passes, np.array([False, True]), windows)
    assert edges is not None
    return passes, edges


def _finer(pool: MeshPool, drawing: Drawing) -> RasterPasses:
    fine = CAMERA.resize(SAMPLE_GRID * CAMERA.width, SAMPLE_GRID * CAMERA.height)
    return Rasteriser(fine).draw(pool, drawing, np.eye(4), normals=True)


@pytest.mark.parametrize("strip_zone", [STRIP, WALL])
@pytest.mark.parametrize("thickness_px", [0.4, 0.8, 2.5])
def test_each_sub_sample_is_what_a_finer_picture_shows_at_its_place(thickness_px: float, strip_zone: int) -> None:
    scene = _scene(thickness_px, strip_zone)
    passes, edges = _drawn(*scene)
    fine = _finer(*scene)
    at = edges.row, edges.column
    assert len(edges.zone) > 40
    assert np.array_equal(edges.zone, fine.zone[at])
    assert np.array_equal(edges.instance_id, fine.instance_id[at])
    assert np.array_equal(edges.part, fine.part[at])
    assert np.allclose(edges.depth_m, fine.depth_m[at], rtol=1e-6)
    assert fine.normal is not None
    assert np.allclose(edges.normal, fine.normal[at], atol=1e-6)
    # Those that are not among the samples show what some pixel shows, the own one but for what lies behind an outline.
    number, sub = np.nonzero(edges.source >= 0)
    row, column = edges.pixel[number] // CAMERA.width, edges.pixel[number] % CAMERA.width
    steps = np.array(SUB_SAMPLES)[sub]
    shown = fine.instance_id[SAMPLE_GRID * row + steps[:, 1], SAMPLE_GRID * column + steps[:, 0]]
    assert np.mean(passes.instance_id.reshape(-1)[edges.source[number, sub]] == shown) > 0.99


def _share(passes: RasterPasses, edges: EdgeSamples | None) -> NDArray[np.float64]:
    """How much of each pixel shows the strip."""
    share = (passes.part == 4).astype(np.float64)
    if edges is not None:
        own = share.reshape(-1)[np.maximum(edges.source, 0)]
        sampled = np.append(edges.part == 4, False)[np.where(edges.source < 0, -1 - edges.source, -1)]
        share.reshape(-1)[edges.pixel] = np.where(edges.source < 0, sampled, own).mean(axis=1)
    return share


@pytest.mark.parametrize("thickness_px", [0.4, 0.55, 0.8])
def test_a_strip_thinner_than_a_pixel_takes_its_share_of_each_where_centres_have_all_or_none(
    thickness_px: float,
) -> None:
    passes, edges = _drawn(*_scene(thickness_px, STRIP))
    fine = CAMERA.resize(16 * CAMERA.width, 16 * CAMERA.height)
    truth = Rasteriser(fine).draw(*_scene(thickness_px, STRIP), np.eye(4)).part == 4
    truth = truth.reshape(CAMERA.height, 16, CAMERA.width, 16).mean(axis=(1, 3))
    error = [np.sqrt(np.mean((_share(passes, one) - truth) ** 2)) for one in (None, edges)]
    assert error[1] < 0.45 * error[0]
    # Along the strip: no strokes, but the same from column to column, which centres have at 0 or 1.
    inside = slice(16, 46)
    along = [_share(passes, one).sum(axis=0)[inside] for one in (None, edges)]
    assert along[0].min() == 0.0
    assert along[0].max() == 1.0
    assert along[1].min() >= 0.25
    assert along[1].max() - along[1].min() <= 0.25
    assert along[1].mean() == pytest.approx(truth.sum(axis=0)[inside].mean(), abs=0.07)


def test_labels_are_those_of_centres_and_what_is_no_near_object_has_no_edges() -> None:
    pool, drawing = _scene(0.8, STRIP)
    rasteriser = Rasteriser(CAMERA)
    before = rasteriser.draw(pool, drawing, np.eye(4), normals=True)
    kept = [one.copy() for one in (before.zone, before.instance_id, before.depth_m, before.part)]
    windows = np.array([[0, CAMERA.height, 0, CAMERA.width]])
    assert rasteriser.edges(pool, drawing, np.eye(4), before, np.array([False, False]), windows) is None
    rasteriser.edges(pool, drawing, np.eye(4), before, np.array([False, True]), windows)
    for was, now in zip(kept, (before.zone, before.instance_id, before.depth_m, before.part), strict=True):
        assert np.array_equal(was, now)


def test_windows_that_overlap_give_each_pixel_once() -> None:
    pool, drawing = _scene(0.8, STRIP)
    rasteriser = Rasteriser(CAMERA)
    passes = rasteriser.draw(pool, drawing, np.eye(4), normals=True)
    windows = np.array([[5, 30, 3, 40], [10, 44, 20, 61]])
    edges = rasteriser.edges(pool, drawing, np.eye(4), passes, np.array([False, True]), windows)
    assert edges is not None
    assert np.array_equal(edges.pixel, np.unique(edges.pixel))
    row, column = edges.pixel // CAMERA.width, edges.pixel % CAMERA.width
    inside = [(row >= t) & (row < b) & (column >= m) & (column < r) for t, b, m, r in windows.tolist()]
    assert np.logical_or(*inside).all()
