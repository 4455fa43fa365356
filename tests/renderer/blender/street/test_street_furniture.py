"""Furniture of the shipped streets with labels: the picture stays, lights and plates are labelled, posts are not."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="Blender as a Python module is not installed")

from assets import CITY, camera  # noqa: E402
from assets.build.city.furniture import furniture  # noqa: E402
from assets.build.worlds.things import thing_makers  # noqa: E402
from assets.build.worlds.town.furniture import town_makers  # noqa: E402
from assets.furniture import FURNITURE, PARKED  # noqa: E402
from renderer.blender.engine import RenderSession  # noqa: E402
from renderer.blender.extract import PlacedMesh  # noqa: E402
from renderer.blender.staging import Group  # noqa: E402
from renderer.blender.standing import Standing, label_furniture  # noqa: E402
from renderer.geometry.boxes import box_3d_corners_m, intersection_over_union  # noqa: E402
from renderer.geometry.frame import Frame  # noqa: E402
from renderer.geometry.meshes import Mesh, MeshPool, make_mesh  # noqa: E402
from renderer.scene.furniture import labelled_triangles  # noqa: E402
from renderer.scene.street import Street  # noqa: E402
from renderer.zones.catalogue import Zone  # noqa: E402
from renderer.zones.categories import STREET_FURNITURE  # noqa: E402

VIEW = camera("kitti-object", (640, 320))
FRAMES = range(4)


def frames(**options: object) -> Iterator[Frame]:
    with RenderSession(CITY, camera=VIEW, seed=3, **options) as session:
        yield from [session.frame(index, normals=True, parts=True) for index in FRAMES]


@pytest.fixture(scope="module")
def pairs() -> list[tuple[Frame, Frame]]:
    """Frames without labelled furniture, and with it."""
    return list(zip(list(frames()), list(frames(furniture=FURNITURE)), strict=True))


def test_the_picture_is_the_same(pairs: list[tuple[Frame, Frame]]) -> None:
    for before, after in pairs:
        for plane in ("depth_m", "zone", "normal"):
            np.testing.assert_array_equal(getattr(before, plane), getattr(after, plane))
        had = before.instance_id > 0
        np.testing.assert_array_equal(after.instance_id[had], before.instance_id[had])
        assert [item.id for item in before.instances] == [
            item.id for item in after.instances if item.category not in STREET_FURNITURE
        ]
        outside = (after.instance_id == 0) & np.isin(before.zone, [Zone.ROAD, Zone.BUILDING, Zone.SKY])
        np.testing.assert_array_equal(after.part[outside], before.part[outside])


def test_parked_bicycles_are_labelled_and_furniture_is_named() -> None:
    """What gets no label has no id: its boxes are those that ids had where it was labelled."""
    draws = range(12)  # the first with bicycles before the camera is among them

    def made(**options: object) -> list[Frame]:
        with RenderSession(CITY, camera=VIEW, seed=3, **options) as session:
            return [session.frame(index, parts=True) for index in draws]

    everything = made(furniture={**FURNITURE, **PARKED})
    silent = made(furniture={**FURNITURE, **PARKED}, unlabelled=STREET_FURNITURE)
    bicycles = 0
    for before, after in zip(everything, silent, strict=True):
        np.testing.assert_array_equal(before.depth_m, after.depth_m)
        things = [item for item in before.instances if item.category in STREET_FURNITURE]
        seen = sorted((one.category, one.model, one.box_visible_px, one.visible_px) for one in things)
        assert sorted((one.category, one.model, one.box_px, one.visible_px) for one in after.unlabelled) == seen
        wanted = np.where(np.isin(before.instance_id, [one.id for one in things]), 0, before.instance_id)
        np.testing.assert_array_equal(after.instance_id, wanted)
        parked = [item for item in after.instances if item.model == "bicycle"]
        assert [one.id for one in after.instances] == [one.id for one in before.instances if one not in things]
        for one in parked:
            assert (one.category, one.profile) == ("bicycle", "stationary")
            assert np.unique(after.zone[after.instance_id == one.id]).tolist() == [Zone.METAL]
            assert 1.4 < one.box_3d.length_m < 2.0
            assert 0.9 < one.box_3d.height_m < 1.2
            assert 0.4 < one.box_3d.width_m < 0.7
        bicycles += len(parked)
    assert bicycles


def test_lights_signs_and_lamps_are_labelled_with_boxes_around_them(pairs: list[tuple[Frame, Frame]]) -> None:
    """Each mask lies on metal or a lamp; its 3-D box, projected by the camera matrix alone, is its 2-D box."""
    seen = set()
    for _, frame in pairs:
        to_cam = frame.camera.K
        for item in (one for one in frame.instances if one.category in STREET_FURNITURE):
            zones = np.unique(frame.zone[frame.instance_id == item.id]).tolist()
            assert set(zones) <= {Zone.METAL, Zone.LUMINAIRE}
            corners = box_3d_corners_m(item.box_3d)
            if item.visible_px < 60 or corners[:, 2].min() < 2.0:
                continue
            seen.add(item.category)
            pixels = corners @ to_cam.T
            u, v = (pixels[:, :2] / pixels[:, 2:]).T
            around = (float(u.min()), float(v.min()), float(u.max()), float(v.max()))
            assert intersection_over_union(around, item.box_amodal_px) > 0.6, item
            assert item.box_3d.height_m < 1.5, "without its post"
    assert seen >= {"traffic_sign", "street_lamp"}


def test_parts_of_a_built_place_know_the_thing_that_they_are_of() -> None:
    """The colour picture draws whole things of a place by the names of their meshes, one for each member."""
    pool = MeshPool()
    names = ("mast_signal", "lamp")
    members = tuple(PlacedMesh(f"{one}.001", pool.put((one,), mesh_of(one)), np.eye(4), None) for one in names)
    place = Standing(Street((), (), ()), Group(members), (None, None), pool, None, "town", names)
    labelled = label_furniture("town", place, FURNITURE)
    assert labelled.mesh_names == (*names, *["mast_signal"] * 4, "lamp")
    assert len(labelled.mesh_names) == len(labelled.group.members) == len(labelled.marked)


def mesh_of(name: str) -> Mesh:
    makers = {**thing_makers(), **town_makers()}
    built = (makers[name]() if name in makers else furniture(name)).build(name)
    built.calc_loop_triangles()
    points = np.array([corner.co[:] for corner in built.vertices], np.float32)
    triangles = np.array([one.vertices[:] for one in built.loop_triangles], np.int32)
    faces = [one.polygon_index for one in built.loop_triangles]
    zones = np.array([built.attributes["thermal_zone"].data[face].value for face in faces], np.uint8)
    return make_mesh(points, triangles, zones, np.zeros((len(triangles), 3, 3), np.float32))


@pytest.mark.parametrize("name", FURNITURE)
def test_every_part_is_there_and_stands_above_heads(name: str) -> None:
    """Free height below signs over pavements is 2 m and more (German rules: 2.0 m), a light's 2.1 m; hydrants stand."""
    mesh = mesh_of(name)
    parts = list(labelled_triangles(f"{name}.0012", mesh, FURNITURE))
    assert len(parts) == len(FURNITURE[name])
    taken = np.sum([chosen for _, chosen in parts], axis=0)
    assert taken.max() == 1, "no triangle is of two things"
    for category, chosen in parts:
        corners = mesh.positions[mesh.triangles[chosen]].reshape(-1, 3)
        size = np.ptp(corners, axis=0)
        assert 0.2 < size.max() < 2.6
        if category == "hydrant":
            assert corners[:, 2].min() == pytest.approx(0.0, abs=0.01)
            assert chosen.all()
        else:
            assert corners[:, 2].min() > 1.4
            assert not chosen.all(), "the post is no part of it"
        lit = bool((mesh.zones[chosen] == Zone.LUMINAIRE).any())
        assert lit or category != "street_lamp"
