"""What is drawn of a scene, and as what: modifiers, instances, visibility, marks, animation."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assets import CITY
from renderer.geometry.camera import Camera
from renderer.geometry.frame import Frame

bpy = pytest.importorskip("bpy", reason="Blender as a Python module is not installed")

from renderer.blender.engine import RenderSession  # noqa: E402
from renderer.errors import SceneError  # noqa: E402

Add = Callable[..., Any]
Save = Callable[..., Path]


@pytest.fixture
def car(add_box: Add) -> Any:
    """A marked box of 1 m, 5 m ahead of the camera."""
    box = add_box("thing", (0.0, 5.0, 0.5))
    box["gis_category"] = "car"
    return box


def first_frame(path: Path, index: int = 0, **options: Any) -> Frame:
    with RenderSession(path) as session:
        return session.frame(index, **options)


def columns_of(frame: Frame) -> list[list[int]]:
    """Columns that are hit in the middle row, as runs ``[first, end)``."""
    hit = np.isfinite(frame.depth_m[frame.depth_m.shape[0] // 2])
    edges = np.flatnonzero(np.diff(np.concatenate([[0], hit.astype(int), [0]])))
    return edges.reshape(-1, 2).tolist()


def test_a_box_where_it_should_be(car: Any, save_scene: Save) -> None:
    """Blender's default lens: 50 mm on 36 mm, 96 px wide; the box's face is 4.5 m away and 1 m wide."""
    frame = first_frame(save_scene())
    focal = 96 * 50 / 36
    half = 0.5 / 4.5 * focal
    assert frame.camera.fx == pytest.approx(focal, rel=1e-6)
    assert columns_of(frame) == [[round(48 - half), round(48 + half)]]
    assert frame.depth_m[32, 48] == pytest.approx(4.5, rel=1e-6)
    (found,) = frame.instances
    assert (found.category, found.model, found.occlusion, found.truncation) == ("car", "thing", 0, 0)
    assert found.visible_px == found.amodal_px == int((frame.instance_id == found.id).sum())
    np.testing.assert_allclose(found.box_amodal_px, (48 - half, 32 - half, 48 + half, 32 + half), atol=1e-3)
    np.testing.assert_allclose(found.box_3d.centre_m, (0, 0.5, 5), atol=1e-6)


def test_an_array_modifier_repeats_and_subdivision_rounds(car: Any, save_scene: Save) -> None:
    array = car.modifiers.new("again", "ARRAY")
    array.count, array.relative_offset_displace = 2, (1.5, 0, 0)
    with_array = save_scene("array.blend")
    subdivision = car.modifiers.new("round", "SUBSURF")
    subdivision.levels, subdivision.render_levels = 0, 3
    with_both = save_scene("round.blend")
    plain, rounded = first_frame(with_array), first_frame(with_both)
    assert len(columns_of(plain)) == 2
    assert len(plain.instances) == 1
    assert int(np.isfinite(rounded.depth_m).sum()) < 0.85 * int(np.isfinite(plain.depth_m).sum())


def test_modifiers_of_the_viewport_alone_are_left_out(car: Any, save_scene: Save) -> None:
    without = save_scene("plain.blend")
    array = car.modifiers.new("again", "ARRAY")
    array.relative_offset_displace, array.show_render = (1.5, 0, 0), False
    with_it = save_scene("viewport.blend")
    np.testing.assert_array_equal(first_frame(with_it).depth_m, first_frame(without).depth_m)


def instanced(scene: Any, name: str, what: Any, place: tuple[float, float, float]) -> Any:
    empty = bpy.data.objects.new(name, None)
    empty.instance_type, empty.instance_collection, empty.location = "COLLECTION", what, place
    scene.collection.objects.link(empty)
    return empty


@pytest.mark.parametrize("marked", ["empty", "collection", "object inside"])
def test_collection_instances_are_objects_of_their_own(
    marked: str, empty_scene: Any, add_box: Add, save_scene: Save
) -> None:
    model = bpy.data.collections.new("model")
    inside = add_box("inside", collection=model)
    empties = [instanced(empty_scene, f"copy.{k}", model, (x, 5, 0.5)) for k, x in enumerate((-0.9, 0.9))]
    holders = {"empty": empties, "collection": [model], "object inside": [inside]}[marked]
    for holder in holders:
        holder["gis_category"], holder["gis_model"] = "van", "kombi"
    empties[1]["gis_profile"] = "cold_soaked"
    frame = first_frame(save_scene(), parts=True)
    assert [(one.category, one.model) for one in frame.instances] == [("van", "kombi")] * 2
    assert sorted(one.profile for one in frame.instances) == ["cold_soaked", "driving"]
    assert {one.profile: one.object_to_world[0, 3] > 0 for one in frame.instances}["cold_soaked"]
    assert len(columns_of(frame)) == 2
    assert len(set(np.unique(frame.instance_id)) - {0}) == 2
    assert frame.part is not None
    for one in frame.instances:
        parts = np.unique(frame.part[frame.instance_id == one.id])
        assert [frame.parts[p - 1].instance_id for p in parts] == [one.id]


def test_nested_collection_instances(empty_scene: Any, add_box: Add, save_scene: Save) -> None:
    """An outer collection that holds an instance of an inner one, shifted by its offset: one object with all of it."""
    inner = bpy.data.collections.new("inner")
    add_box("wheel", (0, 0, 0), (0.4, 0.4, 0.4), collection=inner)
    outer = bpy.data.collections.new("outer")
    add_box("body", (-0.7, 0, 0), (0.4, 0.4, 0.4), collection=outer)
    nested = bpy.data.objects.new("nested", None)
    nested.instance_type, nested.instance_collection, nested.location = "COLLECTION", inner, (0.7, 0, 0)
    outer.objects.link(nested)
    outer.instance_offset = (0, -1, 0)
    outer["gis_category"] = "car"
    instanced(empty_scene, "copy", outer, (0, 5, 0.5))
    frame = first_frame(save_scene())
    runs = columns_of(frame)
    assert len(runs) == 2
    # The offset moves it to y = 6, its near faces to 5.8.
    assert frame.depth_m[32, sum(runs[0]) // 2] == pytest.approx(5.8, rel=1e-5)
    assert len(frame.instances) == 1
    np.testing.assert_allclose(frame.instances[0].object_to_world[:3, 3], (0, 6, 0.5), atol=1e-6)
    assert {int(frame.instance_id[32, sum(run) // 2]) for run in runs} == {frame.instances[0].id}


def test_children_belong_to_their_marked_parent(car: Any, add_box: Add, save_scene: Save) -> None:
    child = add_box("child", (1.5, 0, 0))
    child.parent = car
    frame = first_frame(save_scene())
    assert len(columns_of(frame)) == 2
    assert len(frame.instances) == 1
    assert set(np.unique(frame.instance_id)) == {0, 1}


def test_an_animated_object_moves(car: Any, empty_scene: Any, save_scene: Save) -> None:
    empty_scene.frame_start = 10
    for frame_number, x in ((10, -1.0), (12, 1.0)):
        car.location.x = x
        car.keyframe_insert("location", frame=frame_number)
    car.location.x = 0.0
    with RenderSession(save_scene()) as session:
        middle = [float(np.mean(columns_of(session.frame(k))[0])) for k in (0, 2, 1, 0)]
    assert middle[0] == middle[3] < middle[2] < middle[1]
    assert middle[2] == pytest.approx(48, abs=1)


def test_a_deforming_mesh_is_read_anew(car: Any, empty_scene: Any, save_scene: Save) -> None:
    car.shape_key_add(name="Basis")
    wide = car.shape_key_add(name="wide")
    for point in wide.data:
        point.co.x *= 1.5
    for frame_number, value in ((1, 0.0), (5, 1.0)):
        wide.value = value
        wide.keyframe_insert("value", frame=frame_number)
    with RenderSession(save_scene()) as session:
        widths = [int(np.diff(columns_of(session.frame(k))[0])[0]) for k in (0, 4, 0)]
    assert widths[0] == widths[2]
    assert widths[1] / widths[0] == pytest.approx(1.5, rel=0.05)


def test_an_animated_camera_zooms(car: Any, empty_scene: Any, save_scene: Save) -> None:
    for frame_number, y in ((1, 0.0), (2, 2.5)):
        empty_scene.camera.location.y = y
        empty_scene.camera.keyframe_insert("location", frame=frame_number)
    with RenderSession(save_scene()) as session:
        near, far = session.frame(1), session.frame(0)
    assert far.depth_m[32, 48] == pytest.approx(4.5, rel=1e-6)
    assert near.depth_m[32, 48] == pytest.approx(2.0, rel=1e-6)


def test_visibility_is_that_of_renderings(car: Any, empty_scene: Any, add_box: Add, save_scene: Save) -> None:
    plain = save_scene("plain.blend")
    hidden = add_box("hidden in renderings", (0, 3, 0.5))
    hidden.hide_render = True
    layer = bpy.data.collections.new("hidden collection")
    empty_scene.collection.children.link(layer)
    add_box("in it", (0, 3, 0.5), collection=layer)
    layer.hide_render = True
    excluded = bpy.data.collections.new("excluded")
    empty_scene.collection.children.link(excluded)
    add_box("excluded one", (0, 3, 0.5), collection=excluded)
    bpy.context.view_layer.layer_collection.children["excluded"].exclude = True
    car.hide_viewport = True
    switched = save_scene("hidden.blend")
    car.hide_viewport = False
    car.hide_set(True)
    closed_eye = save_scene("eye.blend")
    expected = first_frame(plain).depth_m
    assert np.isfinite(expected).any()
    np.testing.assert_array_equal(first_frame(switched).depth_m, expected)
    np.testing.assert_array_equal(first_frame(closed_eye).depth_m, expected)


def test_marks_on_a_collection_of_the_scene(empty_scene: Any, add_box: Add, save_scene: Save) -> None:
    marked = bpy.data.collections.new("the bus")
    empty_scene.collection.children.link(marked)
    marked["gis_category"] = "bus"
    for x in (-0.9, 0.9):
        add_box("side", (x, 5, 0.5), collection=marked)
    add_box("car", (0, 9, 0.5))
    frame = first_frame(save_scene())
    assert [one.category for one in frame.instances] == ["bus"]
    assert int((frame.instance_id == 1).sum()) == frame.instances[0].visible_px
    # Where anything is marked, names mean nothing.
    assert np.isfinite(frame.depth_m[32, 48])
    assert frame.instance_id[32, 48] == 0
    assert not frame.notes or not any("names" in note for note in frame.notes)


def test_names_where_nothing_is_marked(add_box: Add, save_scene: Save) -> None:
    add_box("Taxi.001", (-0.9, 5, 0.5))
    add_box("SchoolBus", (0.9, 5, 0.5))
    add_box("carpet", (0, 30, 0.5), (20, 1, 1))
    frame = first_frame(save_scene())
    assert sorted(one.category for one in frame.instances) == ["bus", "car"]
    assert any("recognised by their names" in note for note in frame.notes)
    assert frame.instance_id[32, 48] == 0


def test_zones_where_nothing_is_named(add_box: Add, save_scene: Save) -> None:
    box = add_box("thing", (0, 5, 0.5))
    zones = box.data.attributes.new("thermal_zone", "INT", "FACE")
    zones.data.foreach_set("value", [2] * len(box.data.polygons))
    frame = first_frame(save_scene())
    assert [one.category for one in frame.instances] == ["car"]
    assert frame.zone[32, 48] == 2
    assert any("car zones" in note for note in frame.notes)


def test_the_worlds_zone_is_the_backgrounds(car: Any, empty_scene: Any, save_scene: Save) -> None:
    empty_scene.world = bpy.data.worlds.new("world")
    empty_scene.world["thermal_zone"] = 35
    frame = first_frame(save_scene())
    assert (frame.zone[np.isinf(frame.depth_m)] == 35).all()


def test_an_object_behind_another_is_occluded(car: Any, add_box: Add, save_scene: Save) -> None:
    """A wall covers the left half of the box."""
    add_box("wall", (-5.0, 3.0, 0.5), (10.0, 0.1, 4.0))
    (found,) = first_frame(save_scene()).instances
    assert found.visible_px / found.amodal_px == pytest.approx(0.5, abs=0.05)
    assert found.occlusion in (1, 2)


def test_what_is_out_of_view_is_no_instance(car: Any, add_box: Add, save_scene: Save) -> None:
    for name, place in (("behind", (0, -5, 0.5)), ("aside", (40, 5, 0.5))):
        add_box(name, place)["gis_category"] = "car"
    assert [one.model for one in first_frame(save_scene()).instances] == ["thing"]


def test_negative_frames_are_refused(car: Any, save_scene: Save) -> None:
    with RenderSession(save_scene()) as session, pytest.raises(SceneError, match="expected 0 or more"):
        session.frame(-1)


def content(frame: Frame) -> list[Any]:
    arrays = [frame.depth_m, frame.instance_id, frame.zone, frame.part, frame.normal, frame.cam_to_world]
    numbers = [
        (one.id, one.model, one.profile, one.box_3d, one.box_amodal_px, one.visible_px, one.amodal_px, one.occlusion)
        for one in frame.instances
    ]
    return [*(array.tobytes() for array in arrays if array is not None), repr(numbers), len(frame.parts)]


def test_city_frames_depend_on_nothing_but_their_number(kitti_square: Camera) -> None:
    """Forwards, backwards after other frames, and alone in a fresh session."""
    camera = kitti_square.resize(192, 192)
    with RenderSession(CITY, camera=camera, seed=9) as session:
        forth = [content(session.frame(k, normals=True, parts=True)) for k in range(5)]
        session.frame(123)
        back = [content(session.frame(k, normals=True, parts=True)) for k in reversed(range(5))]
        setups = [session.setup(k) for k in (2, 3)]
    assert back[::-1] == forth
    assert len({item[0] for item in forth}) == 5
    with RenderSession(CITY, camera=camera, seed=9) as session:
        frame, setup = session.frame(3, normals=True, parts=True), session.setup(3)
        assert content(frame) == forth[3]
        assert setup.placements == setups[1].placements
    with RenderSession(CITY, camera=camera, seed=10) as session:
        assert content(session.frame(3, normals=True, parts=True)) != forth[3]
