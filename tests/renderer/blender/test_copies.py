"""An id for each copy of a car, by every way in which Blender copies: the same in both engines and in all frames."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("bpy", reason="Blender as a Python module is not installed")

from copy_scenes import PLACES, SCENES, nodes_text

from renderer.blender.engine import Engine, RenderSession
from renderer.geometry.frame import Frame, Instance

Save = Callable[..., Path]


def frame_of(path: Path, engine: Engine = "raster", index: int = 0) -> Frame:
    with RenderSession(path, engine=engine) as session:
        return session.frame(index, parts=True)


def nearest_place(one: Instance, frame: Frame) -> int:
    """Which of the places an object's box stands at."""
    x, _, z = one.box_3d.centre_m
    place = frame.cam_to_world[:3, :3] @ (x, 0.0, z) + frame.cam_to_world[:3, 3]
    return int(np.argmin([np.hypot(place[0] - p[0], place[1] - p[1]) for p in PLACES]))


def assert_same_pixels(ours: Frame, theirs: Frame) -> None:
    """But for what lies on an edge within rounding: Cycles computes in float32, the z-buffer in float64."""
    assert ours.part is not None
    differs = (ours.instance_id != theirs.instance_id) | (ours.part != theirs.part) | (ours.zone != theirs.zone)
    differs |= np.isfinite(ours.depth_m) != np.isfinite(theirs.depth_m)
    assert int(differs.sum()) <= 1


@pytest.mark.parametrize("kind", SCENES)
def test_each_copy_is_one_object(kind: str, empty_scene: Any, save_scene: Save) -> None:
    SCENES[kind]()
    empty_scene.camera.location = (0.013, 0.007, 1.537)
    path = save_scene()
    ours, theirs = (frame_of(path, engine) for engine in ("raster", "cycles"))
    assert [one.id for one in ours.instances] == [1, 2, 3]
    assert sorted(nearest_place(one, ours) for one in ours.instances) == [0, 1, 2]
    for one in ours.instances:
        assert one.box_3d.length_m == pytest.approx(2.0, abs=1e-3)
        assert np.hypot(*(one.object_to_world[:2, 3] - PLACES[nearest_place(one, ours)][:2])) < 0.6
        assert one.visible_px > 20
    assert len({one.object_to_world.tobytes() for one in ours.instances}) == len(PLACES)
    assert [one.object_to_world.tobytes() for one in theirs.instances] == [
        one.object_to_world.tobytes() for one in ours.instances
    ]
    assert_same_pixels(ours, theirs)


def test_copies_of_a_text(empty_scene: Any, save_scene: Save) -> None:
    """Of the two entries that Blender has for each, either may be the part."""
    nodes_text()
    empty_scene.camera.location = (0.013, 0.007, 1.537)
    path = save_scene()
    ours, theirs = (frame_of(path, engine) for engine in ("raster", "cycles"))
    assert [one.id for one in ours.instances] == [1, 2, 3]
    assert min(one.visible_px for one in ours.instances) > 10
    assert int(((ours.instance_id != theirs.instance_id) | (ours.zone != theirs.zone)).sum()) <= 3


def ids_by_place(frame: Frame) -> dict[int, int]:
    return {nearest_place(one, frame): one.id for one in frame.instances}


def test_ids_stay_while_others_come_and_go(empty_scene: Any, save_scene: Save) -> None:
    """Particles are born at frames 1, 4 and 7 and live for 5; each frame rendered first by a process of its own."""
    SCENES["particles"]()
    import bpy

    given = bpy.data.particles[0]
    given.frame_start, given.frame_end, given.lifetime = 1, 10, 5
    path = save_scene()
    with RenderSession(path) as session:
        forwards = [ids_by_place(session.frame(index)) for index in range(12)]
    alive = [len(ids) for ids in forwards]
    assert min(alive) < max(alive)
    assert alive[0] < len({k for ids in forwards for k in ids}) == len(PLACES)
    for place in range(len(PLACES)):
        assert len({ids[place] for ids in forwards if place in ids}) == 1
    assert len({number for ids in forwards for number in ids.values()}) == len(PLACES)
    for index in (11, 6, 3):
        with RenderSession(path) as session:
            assert ids_by_place(session.frame(index)) == forwards[index]
            assert ids_by_place(session.frame(2)) == forwards[2]
            assert ids_by_place(session.frame(8)) == forwards[8]


def test_ids_stay_where_visibility_is_animated(empty_scene: Any, save_scene: Save) -> None:
    SCENES["linked_duplicates"]()
    import bpy

    for number, shown in enumerate(({0, 1, 2}, {3, 4}, {0, 4})):
        item = bpy.data.objects[f"item.{number}"]
        for index in range(5):
            item.hide_render = index not in shown
            item.keyframe_insert("hide_render", frame=index + empty_scene.frame_start)
    path = save_scene()
    with RenderSession(path) as session:
        forwards = [ids_by_place(session.frame(index)) for index in range(5)]
    assert forwards == [{0: 1, 2: 2}, {0: 1}, {0: 1}, {1: 3}, {1: 3, 2: 2}]
    for index in (4, 3):
        with RenderSession(path) as session:
            assert ids_by_place(session.frame(index)) == forwards[index]


def test_ids_stay_where_nodes_delete_points_that_have_an_id(empty_scene: Any, save_scene: Save) -> None:
    """The first point goes from frame 2 on: the others move up in the list, and keep their ids."""
    from copy_scenes import Nodes, points, single_car

    car, nodes = single_car(), Nodes(points("scatter"))
    kept, numbered, gone = nodes.node("SetID"), nodes.node("InputIndex"), nodes.node("DeleteGeometry")
    time, compare = nodes.node("InputSceneTime"), nodes.tree.nodes.new("FunctionNodeCompare")
    first, both = nodes.tree.nodes.new("FunctionNodeCompare"), nodes.tree.nodes.new("FunctionNodeBooleanMath")
    first.data_type, first.operation = "INT", "EQUAL"
    nodes.link(nodes.start, kept.inputs["Geometry"])
    nodes.link(numbered.outputs[0], kept.inputs["ID"])
    nodes.link(numbered.outputs[0], next(one for one in first.inputs if one.type == "INT"))
    compare.inputs[1].default_value = empty_scene.frame_start + 1.5
    nodes.link(time.outputs["Frame"], compare.inputs[0])
    nodes.link(compare.outputs[0], both.inputs[0])
    nodes.link(first.outputs[0], both.inputs[1])
    nodes.link(both.outputs[0], gone.inputs["Selection"])
    nodes.link(kept.outputs[0], gone.inputs["Geometry"])
    nodes.finish(nodes.on_points(nodes.object(car), gone.outputs[0]))
    path = save_scene()
    with RenderSession(path) as session:
        frames = [ids_by_place(session.frame(index)) for index in range(4)]
    assert frames == [{0: 1, 1: 2, 2: 3}] * 2 + [{1: 2, 2: 3}] * 2


def test_copies_at_one_place(empty_scene: Any, save_scene: Save) -> None:
    """Two copies of a car at the same point, turned differently: Cycles tells them by their random numbers."""
    import bpy
    from copy_scenes import box_mesh, hidden_collection, new, shows

    home = hidden_collection("assets")
    home["gis_category"] = "car"
    new("thing", box_mesh("thing", (4.0, 0.5, 1.0)), home)
    for number in range(2):
        shows(f"car.{number}", home, (0.0, 12.0, 0.5)).rotation_euler[2] = 1.2 * number + 0.3
    bpy.context.view_layer.update()
    path = save_scene()
    ours, theirs = (frame_of(path, engine) for engine in ("raster", "cycles"))
    assert min(one.visible_px for one in ours.instances) > 50
    assert_same_pixels(ours, theirs)


@pytest.mark.slow
def test_more_copies_than_ids(empty_scene: Any, save_scene: Save) -> None:
    from copy_scenes import Nodes, points, single_car

    from renderer.errors import SceneError

    car = single_car()
    nodes = Nodes(points("scatter", [(k % 256, 20.0 + k // 256, 0.0) for k in range(65_536)]))
    nodes.finish(nodes.on_points(nodes.object(car)))
    with pytest.raises(SceneError, match=r"65536 labelled objects up to this frame: expected at most 65535"):
        RenderSession(save_scene())


def test_objects_of_one_name_from_two_libraries(empty_scene: Any, save_scene: Save, tmp_path: Path) -> None:
    """Two linked files, each with a car of the same name."""
    import bpy
    from copy_scenes import box_mesh, shows

    names = []
    for number in range(2):
        home = bpy.data.collections.new("Car")
        item = bpy.data.objects.new("body", box_mesh("body", (2.0 + number, 1.0, 1.0)))
        home.objects.link(item)
        home["gis_category"] = "car"
        names.append(tmp_path / f"library{number}.blend")
        bpy.data.libraries.write(str(names[-1]), {home})
        bpy.data.objects.remove(item)
        bpy.data.collections.remove(home)
        bpy.ops.outliner.orphans_purge(do_recursive=True)
    for number, name in enumerate(names):
        with bpy.data.libraries.load(str(name), link=True) as (_, target):
            target.collections = ["Car"]
        shows(f"place.{number}", target.collections[0], PLACES[number])
    path = save_scene()
    ours, theirs = (frame_of(path, engine) for engine in ("raster", "cycles"))
    lengths = {nearest_place(one, ours): one.box_3d.length_m for one in ours.instances}
    assert lengths == {0: pytest.approx(2.0), 1: pytest.approx(3.0)}
    assert_same_pixels(ours, theirs)
