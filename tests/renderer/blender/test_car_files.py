"""Files as people save them: what of them is the car, and what is said of the rest."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="Blender as a Python module is not installed")

from renderer.blender.models import load_models  # noqa: E402
from renderer.errors import SceneError  # noqa: E402

Box = Callable[..., Any]
SIZE = (4.2, 1.9, 1.6)


def add_car(add_box: Box, x: float = 0.0, y: float = 0.0, collection: Any = None, name: str = "") -> list[Any]:
    """A body, a cabin and four wheels: 4.2 x 1.9 x 1.6 m."""
    parts = [
        add_box(f"{name}body", (x, y, 0.8), (4.2, 1.8, 0.8), collection),
        add_box(f"{name}cabin", (x - 0.3, y, 1.35), (2.0, 1.6, 0.5), collection),
    ]
    return parts + [
        add_box(f"{name}wheel", (x + a, y + b, 0.35), (0.7, 0.2, 0.7), collection)
        for a in (-1.3, 1.3)
        for b in (-0.85, 0.85)
    ]


@pytest.fixture
def load(save_scene: Callable[..., Path]) -> Callable[..., tuple[dict[str, Any], str]]:
    """Saves the scene, opens an empty file, loads the models: sizes by name, and the notes as one text."""

    def loaded() -> tuple[dict[str, Any], str]:
        path = save_scene("thing.blend")
        bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
        models, notes = load_models(path)
        sizes = {
            name: tuple(round(model[f"gis_{side}_m"], 3) for side in ("length", "width", "height"))
            for name, model in models.items()
        }
        assert len(bpy.data.scenes) == 1
        assert not bpy.context.scene.objects
        return sizes, "\n".join(notes)

    return loaded


def floor(add_box: Box) -> None:
    add_box("floor", (0, 0, -0.005), (60, 60, 0.01))


def hidden_cutter(add_box: Box) -> None:
    add_box("cutter", (0, 0, 20), (40, 40, 1)).hide_render = True


def wire_cutter(add_box: Box) -> None:
    cutter = add_box("cutter", (0, 0, 1.4), (1.0, 5.0, 0.2))
    cutter.display_type = "WIRE"
    boolean = bpy.data.objects["body"].modifiers.new("cut", "BOOLEAN")
    boolean.object = cutter


def shadow_catcher(add_box: Box) -> None:
    add_box("catcher", (0, 0, -0.01), (5.0, 2.5, 0.02)).is_shadow_catcher = True


def old_version(add_box: Box) -> None:
    spare = bpy.data.collections.new("spare")
    bpy.context.scene.collection.children.link(spare)
    add_box("old", (0.5, 0, 1.0), (6, 3, 2), spare)
    bpy.context.view_layer.layer_collection.children["spare"].exclude = True


def hidden_collection(add_box: Box) -> None:
    spare = bpy.data.collections.new("spare")
    bpy.context.scene.collection.children.link(spare)
    add_box("old", (0.5, 0, 1.0), (6, 3, 2), spare)
    spare.hide_render = True


def in_no_scene(add_box: Box) -> None:
    old = add_box("old", (0.5, 0, 1.0), (6, 3, 2))
    bpy.context.scene.collection.objects.unlink(old)
    old.use_fake_user = True


def text(add_box: Box) -> None:
    curve = bpy.data.curves.new("name", "FONT")
    curve.body, curve.extrude = "COUPE", 0.1
    item = bpy.data.objects.new("name", curve)
    item.location, item.rotation_euler = (-1.5, -2.0, 0.0), (np.pi / 2, 0, 0)
    bpy.context.scene.collection.objects.link(item)


def turntable(add_box: Box) -> None:
    bpy.ops.mesh.primitive_cylinder_add(radius=2.7, depth=0.3, location=(0, 0, -0.15), vertices=64)


def cards(add_box: Box) -> None:
    add_box("card", (0, 0, 4.0), (6, 3, 0.01))
    add_box("person", (0, 1.6, 0.9), (0.5, 0.3, 1.8))


BESIDE = [
    floor, hidden_cutter, wire_cutter, shadow_catcher, old_version, hidden_collection, in_no_scene, text, turntable,
    cards,
]  # fmt: skip


@pytest.mark.parametrize("beside", BESIDE, ids=lambda beside: beside.__name__)
def test_the_car_alone(beside: Callable[[Box], None], empty_scene: Any, add_box: Box, load: Callable[..., Any]) -> None:
    add_car(add_box)
    beside(add_box)
    sizes, notes = load()
    assert sizes == {"thing": pytest.approx(SIZE, abs=2e-3)}
    assert "left out" in notes


def test_a_floor_in_the_same_mesh(empty_scene: Any, add_box: Box, load: Callable[..., Any]) -> None:
    parts = [*add_car(add_box), add_box("floor", (0, 8, -0.01), (20, 20, 0.02))]
    with bpy.context.temp_override(active_object=parts[0], selected_editable_objects=parts):
        bpy.ops.object.join()
    sizes, notes = load()
    assert sizes == {"thing": pytest.approx(SIZE, abs=2e-3)}
    assert "stands on or in: 'body'" in notes


@pytest.mark.parametrize("by", ["collection", "parent", "nothing"])
def test_two_cars_are_two_models(by: str, empty_scene: Any, add_box: Box, load: Callable[..., Any]) -> None:
    for name, y in (("coupe", 0.0), ("estate", 2.5)):
        home = bpy.data.collections.new(name) if by == "collection" else None
        if home:
            empty_scene.collection.children.link(home)
        parts = add_car(add_box, 0.0, y, home)
        if by == "parent":
            root = bpy.data.objects.new(name, None)
            empty_scene.collection.objects.link(root)
            for part in parts:
                part.parent = root
    sizes, notes = load()
    expected = {"thing.1", "thing.2"} if by == "nothing" else {"thing.coupe", "thing.estate"}
    assert set(sizes) == expected
    assert all(size == pytest.approx(SIZE, abs=2e-3) for size in sizes.values())
    assert "2 cars in one file" in notes


def test_a_name_s_category_is_its_own(empty_scene: Any, add_box: Box, load: Callable[..., Any]) -> None:
    for name, y in (("van", 0.0), ("saloon", 2.5)):
        home = bpy.data.collections.new(name)
        empty_scene.collection.children.link(home)
        add_car(add_box, 0.0, y, home)
    sizes, _ = load()
    assert set(sizes) == {"thing.van", "thing.saloon"}
    assert bpy.data.collections["thing.van"]["gis_category"] == "van"
    assert bpy.data.collections["thing.saloon"]["gis_category"] == "car"


def test_wheels_as_instances_and_parts_hidden_in_the_viewport(
    empty_scene: Any, add_box: Box, load: Callable[..., Any]
) -> None:
    wheel = bpy.data.collections.new("wheel")
    add_box("tyre", (0, 0, 0), (0.7, 0.2, 0.7), wheel)
    add_box("body", (0, 0, 0.8), (4.2, 1.8, 0.8))
    add_box("cabin", (-0.3, 0, 1.35), (2.0, 1.6, 0.5)).hide_viewport = True
    for x in (-1.3, 1.3):
        for y in (-0.85, 0.85):
            item = bpy.data.objects.new("hub", None)
            item.instance_type, item.instance_collection, item.location = "COLLECTION", wheel, (x, y, 0.35)
            empty_scene.collection.objects.link(item)
    sizes, notes = load()
    assert sizes == {"thing": pytest.approx(SIZE, abs=2e-3)}
    assert "left out" not in notes
    assert len(bpy.data.collections["thing"].objects) == 6


def test_posed_by_an_armature(empty_scene: Any, add_box: Box, load: Callable[..., Any]) -> None:
    rig = bpy.data.objects.new("rig", bpy.data.armatures.new("rig"))
    empty_scene.collection.objects.link(rig)
    rig.location, rig.rotation_euler = (5.0, 3.0, 0.0), (0.0, 0.0, np.radians(30))
    for part in add_car(add_box):
        part.parent = rig
        part.modifiers.new("rig", "ARMATURE").object = rig
    sizes, _ = load()
    assert sizes == {"thing": pytest.approx(SIZE, abs=0.03)}


@pytest.mark.parametrize(("units", "metres"), [(100.0, 0.01), (1000.0, 0.001), (3.28084, 0.3048)])
def test_the_file_s_own_units(
    units: float, metres: float, empty_scene: Any, add_box: Box, load: Callable[..., Any]
) -> None:
    empty_scene.unit_settings.scale_length = metres
    for part in add_car(add_box):
        part.scale *= units
        part.location *= units
    sizes, notes = load()
    assert sizes == {"thing": pytest.approx(SIZE, abs=2e-3)}
    assert "scaled" not in notes


@pytest.mark.parametrize("size", [(60, 60, 0.1), (1, 1, 1), (10, 2, 0.3)])
def test_what_no_car_is_is_refused_with_its_size(
    size: tuple[float, float, float], empty_scene: Any, add_box: Box, load: Callable[..., Any]
) -> None:
    add_box("thing", (0, 0, 0), size)
    with pytest.raises(SceneError, match=r"thing\.blend: nothing in it has the shape of a car: 'thing'") as caught:
        load()
    assert " x ".join(f"{side:g}" for side in size) in str(caught.value)


def test_a_bus_that_is_called_a_car_is_refused(empty_scene: Any, add_box: Box, load: Callable[..., Any]) -> None:
    add_box("thing", (0, 0, 1.5), (12.0, 2.5, 3.0))
    with pytest.raises(SceneError, match=r"no car has this size .*known by its name"):
        load()


def test_a_linked_car(empty_scene: Any, add_box: Box, save_scene: Callable[..., Path], tmp_path: Path) -> None:
    home = bpy.data.collections.new("coupe")
    empty_scene.collection.children.link(home)
    add_car(add_box, collection=home)
    source = save_scene("library.blend")
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    with bpy.data.libraries.load(str(source), link=True) as (_, target):
        target.collections = ["coupe"]
    item = bpy.data.objects.new("coupe", None)
    item.instance_type, item.instance_collection = "COLLECTION", target.collections[0]
    bpy.context.scene.collection.objects.link(item)
    path = save_scene("linking.blend")
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    models, _ = load_models(path)
    assert models["linking"]["gis_length_m"] == pytest.approx(4.2, abs=1e-3)


def test_a_writing_file_of_cars_writes_nothing(
    empty_scene: Any, add_box: Box, save_scene: Callable[..., Path], tmp_path: Path
) -> None:
    add_car(add_box)
    modifier = add_box("domain", (0, 0, 8), (2, 2, 2)).modifiers.new("Fluid", "FLUID")
    modifier.fluid_type = "DOMAIN"
    modifier.domain_settings.domain_type, modifier.domain_settings.cache_type = "LIQUID", "REPLAY"
    modifier.domain_settings.cache_directory = str(tmp_path / "canary")
    path = save_scene("thing.blend")
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    for made in sorted(tmp_path.glob("canary/**/*"), reverse=True):
        made.unlink() if made.is_file() else made.rmdir()
    before = set(tmp_path.rglob("*"))
    models, notes = load_models(path)
    assert models["thing"]["gis_length_m"] == pytest.approx(4.2, abs=1e-3)
    assert any("fluid domain 'domain'" in note for note in notes)
    assert set(tmp_path.rglob("*")) == before


def test_the_file_that_is_open(empty_scene: Any, add_box: Box, save_scene: Callable[..., Path]) -> None:
    add_car(add_box)
    path = save_scene()
    bpy.ops.wm.open_mainfile(filepath=str(path))
    with pytest.raises(SceneError, match="another file than the scene") as caught:
        load_models(path)
    assert "\n" not in str(caught.value)
