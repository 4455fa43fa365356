"""People on benches of the shipped street: they touch nothing, sit on the seat, have their feet on the ground."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

bpy = pytest.importorskip("bpy", reason="Blender as a Python module is not installed")

from mathutils import bvhtree  # noqa: E402

from assets import CITY, PEOPLE_ARRAYS, camera  # noqa: E402
from pipelines.dataset.labels import kitti  # noqa: E402
from renderer.api import conditions  # noqa: E402
from renderer.blender.engine import RenderSession  # noqa: E402
from renderer.scene.cars import FrameSetup, Placement  # noqa: E402
from renderer.scene.road_users import seated  # noqa: E402

FRAMES = range(60)
Array = NDArray[np.float64]
MILD = replace(conditions(weather="clear", hour=14.0), air_temperature_K=295.15)


@pytest.fixture(scope="module")
def session() -> Iterator[RenderSession]:
    with RenderSession(CITY, camera=camera("kitti-object", 256), people=PEOPLE_ARRAYS, seed=3) as opened:
        yield opened


@pytest.fixture(scope="module")
def setups(session: RenderSession) -> Iterator[dict[int, FrameSetup]]:
    """Frames in which somebody sits: on each bench, if it were for the share alone."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(seated, "BENCH_SHARE", 1.0)
        every = {index: session.setup(index, people=None, conditions=MILD) for index in FRAMES}
        yield {index: setup for index, setup in every.items() if those_who_sit(setup)}


def those_who_sit(setup: FrameSetup) -> list[Placement]:
    return [one for one in setup.placements if ".sit" in one.model]


@pytest.fixture(scope="module")
def street(session: RenderSession) -> tuple[Array, Array]:
    """Corners of all triangles that stand still (T, 3, 3), and the middle of each."""
    standing = session._places.standing(0, None)
    parts = []
    for one in standing.group.members:
        mesh = standing.pool.mesh(one.mesh)
        points = mesh.positions @ one.local_to_world[:3, :3].T + one.local_to_world[:3, 3]
        parts.append(points[mesh.triangles])
    corners = np.concatenate(parts)
    return corners, corners.mean(axis=1)


def posed(at: Placement) -> tuple[Array, NDArray[np.int64]]:
    """Vertices in the world and triangles of a person."""
    with np.load(PEOPLE_ARRAYS) as stored:
        points, faces = stored[f"{at.model}/vertices"], stored[f"{at.model}/corners"].reshape(-1, 3)
    pose = at.object_to_world
    return points @ pose[:3, :3].T + pose[:3, 3], faces.astype(np.int64)


def test_who_sits_touches_nothing_and_sits_on_something(session: RenderSession, street: tuple[Array, Array]) -> None:
    corners, middles = street
    looked_at = 0
    for index in FRAMES:
        for one in those_who_sit(session.setup(index, people=None, conditions=MILD)):
            near = corners[np.linalg.norm(middles - (one.x_m, one.y_m, one.z_m), axis=1) < 4.0]
            points, faces = posed(one)
            own = bvhtree.BVHTree.FromPolygons(points.tolist(), faces.tolist())
            others = bvhtree.BVHTree.FromPolygons(
                near.reshape(-1, 3).tolist(), np.arange(3 * len(near)).reshape(-1, 3).tolist()
            )
            # Soles are level with the ground: above it by a hair.
            above = bvhtree.BVHTree.FromPolygons((points + np.array([0.0, 0.0, 0.003])).tolist(), faces.tolist())
            assert not above.overlap(others), one
            assert own is not None
            below, *_ = others.ray_cast((one.x_m, one.y_m, one.z_m + 0.8), (0, 0, -1))
            assert 0.44 < below.z - one.z_m < 0.48, "the hips are above a seat"
            lowest = own.ray_cast((one.x_m, one.y_m, one.z_m + 0.3), (0, 0, 1))[0]
            assert 0.0 <= lowest.z - below.z < 0.09, "and on it"
            ground = others.ray_cast((*points[points[:, 2].argmin()][:2].tolist(), one.z_m + 0.2), (0, 0, -1))[0]
            assert points[:, 2].min() == pytest.approx(ground.z, abs=0.01)
            looked_at += 1
    assert looked_at > 3


def test_all_else_stays_as_it_is(
    session: RenderSession, setups: dict[int, FrameSetup], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seated, "BENCH_SHARE", 0.0)
    for index, with_them in setups.items():
        without = session.setup(index, people=None, conditions=MILD)
        assert not those_who_sit(without)
        assert with_them.placements[: len(without.placements)] == without.placements
        assert len(without.placements) < len(with_them.placements)


def test_there_are_no_more_than_are_asked_for_and_hardly_any_in_rain(
    session: RenderSession, setups: dict[int, FrameSetup]
) -> None:
    wet, wet_ones = replace(MILD, weather="rain"), 0
    for index in setups:
        assert not those_who_sit(session.setup(index, people=0, conditions=MILD))
        few = session.setup(index, people=1, conditions=MILD)
        assert sum("person" in one.model for one in few.placements) <= 1
        wet_ones += len(those_who_sit(session.setup(index, people=None, conditions=wet)))
    assert wet_ones < 0.4 * sum(len(those_who_sit(setup)) for setup in setups.values())


def test_frames_label_them_as_people_who_sit(
    session: RenderSession, setups: dict[int, FrameSetup], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seated, "BENCH_SHARE", 1.0)
    seen = []
    for index in setups:
        frame = session.frame(index, people=None, conditions=MILD)
        seen += [item for item in frame.instances if item.profile == "sitting" and item.visible_px > 10]
        if seen:
            break
    assert {item.category for item in seen} == {"person"}
    assert kitti.kitti_type("person", "sitting") == "Person_sitting"
