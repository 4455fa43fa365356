"""Damaged geometry, scenes saved in the midst of work, missing files: rendered as far as there is something."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="Blender as a Python module is not installed")

import bmesh  # noqa: E402
from copy_scenes import Nodes, box_mesh, new  # noqa: E402

from renderer.blender.engine import Engine, RenderSession  # noqa: E402
from renderer.blender.models import load_models  # noqa: E402
from renderer.blender.solids import read_solids  # noqa: E402
from renderer.errors import SceneError  # noqa: E402
from renderer.geometry.frame import Frame  # noqa: E402

Save = Callable[..., Path]


@pytest.fixture(autouse=True)
def no_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.fixture
def street(empty_scene: Any) -> Any:
    """A marked car, 4 m long, and a wall behind it; the camera 12 m before."""
    empty_scene.camera.location = (0.013, -12.0, 1.537)
    car = new("car", box_mesh("car", (4.0, 1.6, 1.3)), place=(0.0, 0.0, 0.65))
    car["gis_category"] = "car"
    new("wall", box_mesh("wall", (8.0, 1.0, 4.0)), place=(0.0, 8.0, 2.0))
    for item in (car, bpy.data.objects["wall"]):
        triangulated(item)
    return empty_scene


def triangulated(item: Any, without_vertex: int | None = None) -> None:
    """Make triangles of an object's faces, and drop those at a vertex."""
    edit = bmesh.new()
    edit.from_mesh(item.data)
    bmesh.ops.triangulate(edit, faces=edit.faces[:])
    edit.verts.ensure_lookup_table()
    if without_vertex is not None:
        bmesh.ops.delete(edit, geom=list(edit.verts[without_vertex].link_faces), context="FACES_ONLY")
    edit.to_mesh(item.data)
    edit.free()


def rendered(path: Path, engine: Engine = "raster") -> Frame:
    with RenderSession(path, engine=engine) as session:
        return session.frame(0, parts=True, normals=True)


def opened(path: Path) -> None:
    bpy.ops.wm.open_mainfile(filepath=str(path))


def nan_vertex(wall: Any) -> str:
    wall.data.vertices[7].co = (float("nan"),) * 3
    return "coordinates that are no finite numbers"


def infinite_vertex(wall: Any) -> str:
    """Blender makes the largest float32 of it."""
    wall.data.vertices[7].co.z = float("inf")
    return "coordinates beyond 1e+09"


def far_vertex(wall: Any) -> str:
    wall.data.vertices[7].co.x = 1e20
    return "coordinates beyond 1e+09"


def nan_from_a_shape_key(wall: Any) -> str:
    wall.shape_key_add(name="Basis")
    moved = wall.shape_key_add(name="moved")
    moved.value = 1.0
    moved.data[7].co.y = float("nan")
    return "coordinates that are no finite numbers"


def nan_uv_and_normals(wall: Any) -> str:
    """Nothing is left out: neither moves a triangle."""
    wall.data.uv_layers.new(name="uv").data[3].uv = (float("nan"), 0.0)
    wall.data.normals_split_custom_set([(float("nan"),) * 3] * len(wall.data.loops))
    return ""


BROKEN = [nan_vertex, infinite_vertex, far_vertex, nan_from_a_shape_key, nan_uv_and_normals]


@pytest.mark.parametrize("broken", BROKEN)
def test_the_other_triangles_are_drawn(broken: Callable[[Any], str], street: Any, save_scene: Save) -> None:
    """The picture is that of the scene in which somebody took the broken triangles out by hand."""
    said = broken(bpy.data.objects["wall"])
    path = save_scene("broken.blend")
    frame = rendered(path)
    left_out = [note for note in frame.notes if "left out" in note]
    assert len(left_out) == bool(said)
    assert all(note.startswith("mesh of 'wall': left out of 12 triangles: ") and said in note for note in left_out)
    opened(path)
    wall = bpy.data.objects["wall"]
    wall.shape_key_clear()
    wall.data = box_mesh("new", (8.0, 1.0, 4.0))
    triangulated(wall)
    triangulated(wall, 7 if said else None)
    expected = rendered(save_scene("mended.blend"))
    np.testing.assert_array_equal(frame.depth_m, expected.depth_m)
    np.testing.assert_array_equal(frame.instance_id, expected.instance_id)
    assert frame.normal is not None
    assert np.isfinite(frame.normal).all()


@pytest.mark.parametrize("broken", [nan_vertex, nan_from_a_shape_key])
def test_cycles_draws_the_same(broken: Callable[[Any], str], street: Any, save_scene: Save) -> None:
    broken(bpy.data.objects["wall"])
    path = save_scene()
    ours, theirs = rendered(path), rendered(path, "cycles")
    assert int(((ours.instance_id != theirs.instance_id) | (ours.part != theirs.part)).sum()) <= 2


def test_the_box_is_of_what_is_drawn(street: Any, save_scene: Save) -> None:
    """A car with a vertex at 1e20 has the size that it has without the triangles there."""
    bpy.data.objects["car"].data.vertices[0].co.x = -1e20
    (one,) = rendered(save_scene()).instances
    assert (one.box_3d.length_m, one.box_3d.width_m, one.box_3d.height_m) == pytest.approx((4.0, 1.6, 1.3), abs=1e-5)


@pytest.mark.parametrize("scale", [1e12, 1e20, 3e38, float("nan"), 1e-20, 0.0])
@pytest.mark.parametrize("engine", ["raster", "cycles"])
def test_any_scale(scale: float, engine: Engine, street: Any, save_scene: Save) -> None:
    bpy.data.objects["wall"].scale = (scale, scale, scale)
    frame = rendered(save_scene(), engine)
    assert [one.model for one in frame.instances] == ["car"]
    assert frame.instances[0].visible_px > 20
    if not scale <= 1:
        assert any("'wall'" in note and "left out" in note for note in frame.notes)


def test_meshes_with_nothing_to_draw(street: Any, save_scene: Save) -> None:
    """No vertices, vertices and edges alone, faces without an area: nothing to see, and a word for the last."""
    path = save_scene("before.blend")
    before = rendered(path)
    opened(path)
    edges, flat = bpy.data.meshes.new("edges"), bpy.data.meshes.new("flat")
    edges.from_pydata([(0, 0, 1), (1, 0, 1), (2, 0, 1)], [(0, 1), (1, 2)], [])
    flat.from_pydata([(0.0, 0.0, 1.0)] * 30_000, [], np.arange(30_000).reshape(-1, 3).tolist())
    for name, data in (("empty", bpy.data.meshes.new("empty")), ("edges", edges), ("flat", flat)):
        new(name, data, place=(0.0, -3.0, 1.0))["gis_category"] = "car"
    frame = rendered(save_scene("after.blend"))
    np.testing.assert_array_equal(frame.depth_m, before.depth_m)
    assert [one.model for one in frame.instances] == ["car"]
    assert "mesh of 'flat': left out of 10000 triangles: 10000 without an area" in frame.notes
    assert not any("'edges'" in note or "'empty'" in note for note in frame.notes)


MODES = ["EDIT", "SCULPT", "WEIGHT_PAINT", "VERTEX_PAINT", "TEXTURE_PAINT", "POSE", "PARTICLE_EDIT"]


@pytest.mark.parametrize("mode", MODES)
def test_saved_while_working(mode: str, street: Any, save_scene: Save) -> None:
    path = save_scene("before.blend")
    before = rendered(path)
    opened(path)
    car = bpy.data.objects["car"]
    if mode == "POSE":
        bpy.ops.object.armature_add()
    else:
        car.select_set(True)
        bpy.data.objects["wall"].select_set(mode == "EDIT")
        bpy.context.view_layer.objects.active = car
    if mode == "PARTICLE_EDIT":
        bpy.ops.object.modifier_add(type="PARTICLE_SYSTEM")
        car.particle_systems[0].settings.type = "HAIR"
        car.particle_systems[0].settings.render_type = "NONE"
    bpy.ops.object.mode_set(mode=mode)
    after = rendered(save_scene("after.blend"))
    np.testing.assert_array_equal(after.instance_id, before.instance_id)
    np.testing.assert_array_equal(after.depth_m, before.depth_m)
    np.testing.assert_array_equal(after.zone, before.zone)


def test_subdivision_without_end(street: Any, save_scene: Save) -> None:
    bpy.data.objects["wall"].modifiers.new("Smoother", "SUBSURF").render_levels = 11
    with pytest.raises(SceneError, match=r"'wall': with its modifier 'Smoother' it would have 5e\+07 faces: expected"):
        rendered(save_scene())


def subdividing_nodes(wall: Any) -> None:
    nodes = Nodes(wall)
    node = nodes.node("SubdivideMesh", Level=11)
    nodes.link(nodes.start, node.inputs[0])
    nodes.finish(node.outputs[0])


def fine_remeshing(wall: Any) -> None:
    modifier = wall.modifiers.new("Fine", "REMESH")
    modifier.mode, modifier.voxel_size = "VOXEL", 0.0005


def arrays_of_arrays(wall: Any) -> None:
    for number in range(4):
        wall.modifiers.new(f"Array {number}", "ARRAY").count = 1000


@pytest.mark.parametrize("endless", [subdividing_nodes, fine_remeshing, arrays_of_arrays])
def test_other_meshes_without_end(endless: Callable[[Any], None], street: Any, save_scene: Save) -> None:
    wall = bpy.data.objects["wall"]
    wall.hide_viewport = True
    endless(wall)
    path = save_scene()
    for read in (rendered, load_models):
        bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
        with pytest.raises(SceneError, match=r"'wall': with its modifier .* it would have .* faces: expected at most"):
            read(path)


def test_a_marked_ground_is_no_car(street: Any, save_scene: Save) -> None:
    """Whoever looks for cars in real frames takes no model of a kilometre."""
    home = bpy.data.collections.new("model")
    street.collection.children.link(home)
    home["gis_category"] = "car"
    home.objects.link(bpy.data.objects["car"])
    new("ground", box_mesh("ground", (1000.0, 1000.0, 0.1)), home)
    path = save_scene()
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    with pytest.raises(SceneError, match=r"model 'model' measures 1000 x 1000 x .* m: expected a road vehicle"):
        read_solids(path)


def test_subdivision_that_only_the_viewport_has(street: Any, save_scene: Save) -> None:
    smooth = bpy.data.objects["wall"].modifiers.new("Smoother", "SUBSURF")
    smooth.render_levels = 1
    path = save_scene()
    before = rendered(path)
    opened(path)
    bpy.data.objects["wall"].modifiers["Smoother"].levels = 11
    np.testing.assert_array_equal(rendered(save_scene("viewport.blend")).depth_m, before.depth_m)


def test_a_linked_file_that_is_missing(street: Any, save_scene: Save, tmp_path: Path) -> None:
    house = new("house", box_mesh("house", (2.0, 2.0, 2.0)))
    library = tmp_path / "houses.blend"
    bpy.data.libraries.write(str(library), {house})
    bpy.data.objects.remove(house)
    with bpy.data.libraries.load(str(library), link=True) as (_, target):
        target.objects = ["house"]
    bpy.context.scene.collection.objects.link(target.objects[0])
    path = save_scene()
    assert not any("missing" in note for note in rendered(path).notes)
    library.unlink()
    (note,) = [note for note in rendered(path).notes if "missing" in note]
    assert "houses.blend" in note
    assert "'house'" in note
