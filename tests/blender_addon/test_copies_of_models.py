"""Cars are copies of models: their zones are guessed and painted all the same, and they stay one labelled object."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="Blender as a Python module is not installed")

from blender_addon.data import images, mesh_zones  # noqa: E402
from blender_addon.operators.dataset import _has_one_weather  # noqa: E402
from blender_addon.translations import count_of  # noqa: E402
from blender_addon.ui import availability, dataset_properties  # noqa: E402
from gan.backends.registry import backend_names  # noqa: E402
from renderer.zones.catalogue import CAR_ZONES, ZONE_ATTRIBUTE, Zone  # noqa: E402

FINISHED = {"FINISHED"}
Scene = bpy.types.Scene


@pytest.fixture
def imported(empty: Scene, tmp_path: Path) -> bpy.types.Object:
    """A car from a file that has no zones; active is the empty that shows it."""
    bpy.ops.mesh.primitive_cube_add(size=1.0)
    box = bpy.context.object
    box.scale = (4.0, 1.8, 1.4)
    bpy.ops.wm.obj_export(filepath=str(tmp_path / "box.obj"), export_materials=False)
    bpy.data.objects.remove(box)
    empty.gis_thermal.car_file = str(tmp_path / "box.obj")
    empty.cursor.location = (12.0, 1.0, 0.0)
    assert bpy.ops.gis.import_car() == FINISHED
    return bpy.context.active_object


def parts(item: bpy.types.Object) -> list[bpy.types.Object]:
    return [part for part in item.instance_collection.all_objects if part.type == "MESH"]


def test_zones_of_an_imported_car_are_guessed_and_written_to_all_of_it(imported: bpy.types.Object) -> None:
    assert imported.type == "EMPTY"
    (part,) = parts(imported)
    part.data.attributes.remove(part.data.attributes[ZONE_ATTRIBUTE])
    assert bpy.ops.gis.guess_zones.poll()
    assert bpy.ops.gis.guess_zones() == FINISHED
    zones = set(mesh_zones.read(part.data).tolist())
    assert zones <= set(map(int, CAR_ZONES))  # as parts of a car, which its mark says, and not of the street
    rows = {row.name: row.faces for row in bpy.context.scene.gis_thermal.zone_rows}
    assert sum(rows.values()) == len(part.data.polygons)
    bpy.context.scene.gis_thermal.zone = "glass"
    assert bpy.ops.gis.assign_zone(target="OBJECT") == FINISHED
    assert set(mesh_zones.read(part.data).tolist()) == {Zone.GLASS}
    with pytest.raises(RuntimeError, match="Edit Faces"):
        bpy.ops.gis.assign_zone(target="FACES")


def test_its_faces_can_be_painted(imported: bpy.types.Object) -> None:
    (part,) = parts(imported)
    mesh, place = part.data, imported.matrix_world @ part.matrix_world
    assert bpy.ops.gis.edit_faces() == FINISHED
    own = bpy.context.active_object
    assert (bpy.context.mode, own.data, own.parent) == ("EDIT_MESH", mesh, imported)
    bpy.ops.mesh.select_all(action="DESELECT")
    bpy.ops.object.mode_set(mode="OBJECT")
    np.testing.assert_allclose(np.array(own.matrix_world), np.array(place), atol=1e-6)
    mesh.polygons.foreach_set("select", np.arange(len(mesh.polygons)) == 2)
    bpy.context.scene.gis_thermal.zone = "tyre"
    before = mesh_zones.read(mesh)
    assert bpy.ops.gis.assign_zone(target="FACES") == FINISHED
    changed = mesh_zones.read(mesh) != before
    assert changed.tolist() == (np.arange(len(mesh.polygons)) == 2).tolist()


def test_taken_out_it_is_rendered_and_labelled_as_before(imported: bpy.types.Object) -> None:
    scene = bpy.context.scene
    scene.cursor.location = (0.0, 0.0, 0.0)
    scene.gis_thermal.camera = "flir-one-pro"
    bpy.ops.gis.add_camera()

    def seen() -> list[np.ndarray[Any, Any]]:
        assert bpy.ops.gis.render_view(what="PASSES") == FINISHED
        return [images.values_of(f"GIS {name} Data") for name in ("Mask", "Zones", "Depth")]

    before = seen()
    assert set(np.unique(before[0])) == {0.0, 1.0}
    bpy.context.view_layer.objects.active = imported
    assert bpy.ops.gis.edit_faces() == FINISHED
    bpy.ops.object.mode_set(mode="OBJECT")
    for ours, theirs in zip(seen(), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert scene.gis_thermal.message == "1 car in view"


def test_why_nothing_can_be_painted(empty: Scene) -> None:
    empty_model = bpy.data.collections.new("nothing")
    item = bpy.data.objects.new("copy", None)
    item.instance_type, item.instance_collection = "COLLECTION", empty_model
    assert availability.why_not_editable(item) == "The active object is not a mesh: select a mesh"
    empty_model.objects.link(bpy.data.objects.new("bare", bpy.data.meshes.new("bare")))
    assert availability.why_not_editable(item) == "The object has no faces"
    assert "Edit Faces" in availability.why_not_one_mesh(item)


def test_numbers_of_things_are_words() -> None:
    said = [count_of(number, thing) for number, thing in ((1, "car"), (2, "car"), (0, "face"), (2, "person"))]
    assert said == ["1 car", "2 cars", "0 faces", "2 people"]


def test_undo_leaves_the_data_set_alone(empty: Scene) -> None:
    bpy.context.preferences.edit.use_global_undo = True
    settings = empty.gis_dataset
    bpy.ops.ed.undo_push(message="before")
    bpy.ops.mesh.primitive_cube_add()
    bpy.ops.ed.undo_push(message="a cube")
    settings.count, settings.out, settings.conditions = 77, "/tmp/set", "DRAWN"
    bpy.ops.ed.undo()
    settings = bpy.context.scene.gis_dataset
    assert "Cube" not in bpy.data.objects
    assert (settings.count, settings.out, settings.conditions) == (77, "/tmp/set", "DRAWN")
    settings.count = 5
    bpy.ops.ed.redo()
    assert "Cube" in bpy.data.objects
    assert bpy.context.scene.gis_dataset.count == 5


def _key(item: bpy.types.Object) -> None:
    item.keyframe_insert("location", frame=1)


def _key_shape(item: bpy.types.Object) -> None:
    item.shape_key_add(name="basis")
    item.shape_key_add(name="bent").keyframe_insert("value", frame=1)


def _follow(item: bpy.types.Object) -> None:
    item.constraints.new("FOLLOW_PATH")


@pytest.mark.parametrize("move", [_key, _key_shape, _follow])
def test_an_animation_has_one_weather_unless_asked(move: Callable[[bpy.types.Object], None], empty: Scene) -> None:
    bpy.ops.mesh.primitive_cube_add()
    assert not _has_one_weather(empty)  # every frame the same view: only weather and hour can differ
    move(bpy.context.object)
    assert _has_one_weather(empty)
    empty.gis_dataset.conditions = "DRAWN"
    assert not _has_one_weather(empty)
    empty.gis_dataset.conditions = "AUTO"
    empty.gis_dataset.backgrounds = "/tmp"
    assert not _has_one_weather(empty)
    empty.gis_dataset.conditions = "PANEL"
    assert _has_one_weather(empty)


def test_the_menu_has_all_models(addon: None) -> None:
    assert list(dataset_properties.TRANSLATION_MODELS) == sorted(backend_names())
