"""People in the shipped street: where they stand, which cars are there without them, their joints, both engines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="Blender as a Python module is not installed")

from standin_people import KEY_POINTS, write_people  # noqa: E402

from assets import CITY, camera  # noqa: E402
from renderer.blender.engine import RenderSession  # noqa: E402
from renderer.geometry.frame import Frame, Instance  # noqa: E402
from renderer.scene.walkable import Kind  # noqa: E402
from renderer.zones.catalogue import Zone  # noqa: E402

NAMES = tuple(f"person_{number:02d}.{pose}" for number in range(4) for pose in ("stand_01", "walk_02"))
FRAMES = range(6)


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_people(tmp_path_factory.mktemp("people") / "people.npz", NAMES)


@pytest.fixture(scope="module")
def session(people: Path) -> Iterator[RenderSession]:
    with RenderSession(CITY, camera=camera("kitti-object", 256), people=people, seed=3) as opened:
        yield opened


def persons(frame: Frame) -> list[Instance]:
    return [item for item in frame.instances if item.category == "person"]


def test_cars_stay_as_they_are_however_many_people_there_are(session: RenderSession) -> None:
    for index in FRAMES:
        without, some, many = (session.setup(index, people=most) for most in (0, None, 40))
        count = len(without.placements)
        assert some.placements[:count] == many.placements[:count] == without.placements
        assert not any(one.model in NAMES for one in without.placements)
        assert all(one.model in NAMES for one in many.placements[count:])
        assert (some.cam_to_world == without.cam_to_world).all()


def test_there_are_as_many_as_are_asked_for_at_most(session: RenderSession) -> None:
    for index in range(12):
        cars = len(session.setup(index, people=0).placements)
        assert len(session.setup(index, people=2).placements) <= cars + 2
    counts = [len(session.setup(index, people=None).placements) for index in range(40)]
    alone = [len(session.setup(index, people=0).placements) for index in range(40)]
    extra = np.subtract(counts, alone)
    assert 1.5 < extra.mean() < 5.0
    assert extra.min() == 0


def test_nobody_stands_in_a_car_or_in_another(session: RenderSession) -> None:
    sizes = {one.name: one for one in (*session.model_sizes, *session.people_sizes)}
    seen = 0
    for index in range(10):
        setup = session.setup(index, people=None)
        where = np.array([(one.x_m, one.y_m) for one in setup.placements if one.model in NAMES]).reshape(-1, 2)
        seen += len(where)
        apart = np.linalg.norm(where[:, None] - where, axis=-1) + 9 * np.eye(len(where))
        assert not len(where) or apart.min() > 0.45
        for car in (one for one in setup.placements if one.model not in NAMES):
            rel = (where - (car.x_m, car.y_m)) @ [
                [np.cos(car.yaw_rad), -np.sin(car.yaw_rad)], [np.sin(car.yaw_rad), np.cos(car.yaw_rad)],
            ]  # fmt: skip
            size = sizes[car.model]
            inside = (np.abs(rel[:, 0]) < size.length_m / 2) & (np.abs(rel[:, 1]) < size.width_m / 2)
            assert not inside.any()
    assert seen > 15


def test_feet_are_on_pavement_or_road_and_heads_are_not_in_walls(session: RenderSession) -> None:
    """Rays from above and from the side through Blender's own geometry."""
    scene, layer = bpy.context.scene, bpy.context.view_layer
    layer.update()
    depsgraph = layer.depsgraph
    for index in range(4):
        for one in session.setup(index, people=None).placements:
            if one.model not in NAMES:
                continue
            hit, place, normal, *_ = scene.ray_cast(depsgraph, (one.x_m, one.y_m, one.z_m + 1.9), (0, 0, -1))
            assert hit
            assert place.z == pytest.approx(one.z_m, abs=0.03)
            assert normal.z > 0.9
            for angle in np.linspace(0, 2 * np.pi, 12, endpoint=False):
                beside = (float(np.cos(angle)), float(np.sin(angle)), 0.0)
                assert not scene.ray_cast(depsgraph, (one.x_m, one.y_m, one.z_m + 1.2), beside, distance=0.2)[0]


def test_kinds_of_ground(session: RenderSession) -> None:
    ground = session._places.standing(0, None).ground
    assert all((ground.kind == kind).sum() > 100 for kind in Kind)
    assert ground.at(1e6, 0.0) == (Kind.NONE, 0.0)


def test_joints_are_where_opencv_puts_them_and_hidden_where_something_is_nearer(session: RenderSession) -> None:
    seen = hidden = 0
    for index in range(8):
        frame = session.frame(index, people=None)
        view = np.linalg.inv(frame.cam_to_world)
        for person in persons(frame):
            scale = next(one for one in session.people_sizes if one.name == person.model).height_m / 1.75
            world = (KEY_POINTS * scale) @ person.object_to_world[:3, :3].T + person.object_to_world[:3, 3]
            pixels, _ = cv2.projectPoints(world, cv2.Rodrigues(view[:3, :3])[0], view[:3, 3], frame.camera.K, None)
            depth = (world @ view[:3, :3].T + view[:3, 3])[:, 2]
            assert person.key_points is not None
            for (x, y, flag), (u, v), z in zip(person.key_points, pixels[:, 0], depth, strict=True):
                if flag == 0:
                    assert not (0 <= u < frame.camera.width and 0 <= v < frame.camera.height)
                    continue
                assert (x, y) == pytest.approx((u, v), abs=0.02)
                surface = frame.depth_m[int(y), int(x)]
                seen, hidden = seen + (flag == 2), hidden + (flag == 1)
                if surface < z - 0.5:
                    assert flag == 1
                if surface > z:
                    assert flag == 2
    assert seen > 60
    assert hidden > 10


def test_zones_are_those_of_the_file(session: RenderSession) -> None:
    looked_at = 0
    for frame in (session.frame(index, people=None) for index in range(24)):
        for number in (one.id for one in persons(frame) if one.visible_px > 40):
            zones = set(np.unique(frame.zone[frame.instance_id == number]).tolist())
            assert zones <= set(range(Zone.SKIN, Zone.CARRIED + 1))
            looked_at += Zone.UPPER_CLOTHES in zones
    assert looked_at > 2


def test_cycles_sees_the_same_people(session: RenderSession, people: Path) -> None:
    drawn = [session.frame(index, people=None) for index in (0, 1)]
    with RenderSession(CITY, camera=camera("kitti-object", 256), people=people, seed=3, engine="cycles") as other:
        traced = [other.frame(index, people=None) for index in (0, 1)]
    assert sum(len(persons(frame)) for frame in drawn) > 0
    for one, two in zip(drawn, traced, strict=True):
        assert [item.model for item in one.instances] == [item.model for item in two.instances]
        on_person = np.isin(one.instance_id, [item.id for item in persons(one)])
        traced_there = np.isin(two.instance_id, [item.id for item in persons(two)])
        differ = (one.instance_id != two.instance_id) & (on_person | traced_there)
        assert differ.mean() <= 1e-5
        both = on_person & ~differ
        assert np.allclose(one.depth_m[both], two.depth_m[both], rtol=1e-4)
