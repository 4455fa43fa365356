"""Frames of the city behind a lens that distorts, against a picture four times as fine and rays cast one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

import assets
from renderer.blender.engine import RenderSession
from renderer.geometry.affine import world_to_local
from renderer.geometry.boxes import visible_boxes
from renderer.geometry.camera import Camera, places_in_covering
from renderer.geometry.frame import Frame
from renderer.geometry.lens import Lens
from renderer.geometry.meshes import MeshPool
from renderer.raster.rasterizer import Drawing, Rasteriser

pytestmark = pytest.mark.slow
LENSES = [
    Lens("brown-conrady", (-0.28, 0.07, 0.0008, -0.0005)),
    Lens("fisheye", (0.05, -0.01, 0.003, -0.0005)),
]


def _cast(pool: MeshPool, drawing: Drawing, frame: Frame, rows: Sequence[int], columns: Sequence[int]) -> np.ndarray:
    """Ids that some pixels' own rays meet, by Moeller and Trumbore's test with every triangle near them."""
    to_camera, rays, found = world_to_local(frame.cam_to_world), frame.camera.rays().astype(np.float64), []
    for row, column in zip(rows, columns, strict=True):
        ray, nearest, number = rays[row, column], np.inf, 0
        way = ray / np.linalg.norm(ray)
        for k, place in enumerate(drawing.mesh.tolist()):
            mesh, matrix = pool.mesh(place), to_camera @ drawing.local_to_world[k]
            reach = mesh.reach * np.linalg.norm(matrix[:, :3], axis=0).max()
            if np.linalg.norm(matrix[:, 3] - (matrix[:, 3] @ way) * way) > reach:
                continue
            corners = (mesh.positions.astype(np.float64) @ matrix[:, :3].T + matrix[:, 3])[mesh.triangles]
            a, ab, ac = corners[:, 0], corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
            with np.errstate(divide="ignore", invalid="ignore"):
                p, q = np.cross(ray, ac), np.cross(-a, ab)
                determinant = (p * ab).sum(axis=1)
                u, v, t = -(p * a).sum(axis=1) / determinant, q @ ray / determinant, (q * ac).sum(axis=1) / determinant
            hit = (u >= 0) & (v >= 0) & (u + v <= 1) & (t >= 0.1)
            if hit.any() and t[hit].min() < nearest:
                nearest, number = t[hit].min(), int(drawing.instance_id[k])
        found.append(number)
    return np.array(found, np.int64)


def _fine_ids(camera: Camera, pool: MeshPool, drawing: Drawing, frame: Frame) -> np.ndarray:
    """Ids of a pinhole picture four times as fine: each pixel's nearest ray there is up to 1/8 pixel beside its own."""
    wide = camera.covering
    fine = Rasteriser(wide.resize(4 * wide.width, 4 * wide.height)).draw(pool, drawing, frame.cam_to_world)
    columns, rows = np.moveaxis(np.floor(4 * places_in_covering(camera)).astype(int), -1, 0)
    return np.ascontiguousarray(fine.instance_id[rows, columns].astype(np.uint16))


@pytest.mark.parametrize("lens", LENSES, ids=str)
def test_ids_and_boxes_are_those_of_the_finer_picture(lens: Lens, monkeypatch: pytest.MonkeyPatch) -> None:
    camera = replace(assets.camera("flir-adas", (640, 512)), lens=lens)
    others = (assets.TWO_WHEELER_ARRAYS, assets.ANIMAL_ARRAYS)
    same = pixels = compared = thin = 0
    with RenderSession(assets.CITY, camera=camera, people=assets.PEOPLE_ARRAYS, others=others, seed=5) as session:
        drawings: list[Drawing] = []
        drawn = session._drawer._distorted
        monkeypatch.setattr(
            session._drawer,
            "_distorted",
            lambda wide, staged, *a, **k: (drawings.append(staged.drawing), drawn(wide, staged, *a, **k))[1],
        )
        for index in (4, 6, 7):
            frame = session.frame(index, people=None, parts=True)
            pool, drawing = session._reader.extractor.pool, drawings[-1]
            ids = _fine_ids(camera, pool, drawing, frame)
            same, pixels = same + int((ids == frame.instance_id).sum()), pixels + ids.size
            count = max(int(ids.max()), *(item.id for item in frame.instances))
            ours, theirs = visible_boxes(frame.instance_id, count), visible_boxes(ids, count)
            for item in frame.instances:
                a, b = ours[item.id], theirs[item.id]
                if not a[0] or not b[0]:
                    continue
                compared += 1
                if np.abs(a[1:] - b[1:]).max() > 1:
                    # Thinner than what the finer picture's rays are off: the pixels' own rays decide.
                    thin += 1
                    apart = (frame.instance_id != ids) & ((frame.instance_id == item.id) | (ids == item.id))
                    rows, columns = np.nonzero(apart)
                    assert np.array_equal(_cast(pool, drawing, frame, rows, columns), frame.instance_id[rows, columns])
    assert same / pixels >= 0.999
    assert compared > 20
    assert thin <= 0.1 * compared
