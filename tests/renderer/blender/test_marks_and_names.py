"""Where a mark or a name may stand: an object, its parents, its mesh, the collections that hold or show it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

bpy = pytest.importorskip("bpy", reason="Blender as a Python module is not installed")

from copy_scenes import box_mesh, hidden_collection, new, shows  # noqa: E402

from renderer.blender.engine import RenderSession  # noqa: E402
from renderer.blender.models import load_models  # noqa: E402
from renderer.blender.solids import read_solids  # noqa: E402
from renderer.errors import SceneError  # noqa: E402
from renderer.geometry.frame import Instance  # noqa: E402

Save = Callable[..., Path]


def car(parent: Any = None, home: Any = None, name: str = "body") -> list[Any]:
    """A body and a wheel that no name tells to be a car; 4 m long together."""
    body = new(name, box_mesh("mesh", (4.0, 1.6, 1.0)), home, (0.0, 0.0, 0.8))
    wheel = new("round thing", box_mesh("mesh", (0.6, 1.8, 0.6)), home, (1.2, 0.0, 0.3))
    for item in (body, wheel):
        item.parent = parent
    return [body, wheel]


def empty(name: str) -> Any:
    return new(name)


def collection(name: str, parent: Any = None) -> Any:
    home = bpy.data.collections.new(name)
    (parent or bpy.context.scene.collection).children.link(home)
    return home


def on_empty(word: str) -> Any:
    root = empty(word)
    car(root)
    return root


def on_upper_empty(word: str) -> Any:
    root, inner = empty(word), empty("inner")
    inner.parent = root
    car(inner)
    return root


def on_armature(word: str) -> Any:
    rig = new(word, bpy.data.armatures.new("bones"))
    car(rig)
    return rig


def on_collection(word: str) -> Any:
    home = collection(word)
    car(home=home)
    return home


def on_upper_collection(word: str) -> Any:
    home = collection(word)
    wheel = car(home=collection("inner", home))[1]
    home.objects.link(wheel)
    return home


def on_shown_collection(word: str) -> Any:
    home = hidden_collection(word)
    car(home=home)
    shows("place", home)
    return home


def on_showing_empty(word: str) -> Any:
    home = hidden_collection("assets")
    car(home=home)
    return shows(word, home)


def on_body(word: str) -> Any:
    body, wheel = car(name=word)
    wheel.parent = body
    wheel.location.z = -0.5
    return body


def on_sheared_child(word: str) -> Any:
    """Below an empty that is scaled along one axis and mirrored."""
    root = empty("base")
    root.scale = (1.0, -1.0, 1.0)
    body = on_body(word)
    body.parent, body.rotation_euler[2] = root, 0.3
    root.scale[1] = -1.5
    return body


PLACES = [
    on_empty, on_upper_empty, on_armature, on_collection, on_upper_collection, on_shown_collection, on_showing_empty,
    on_body, on_sheared_child,
]  # fmt: skip


def found_in(path: Path) -> list[Instance]:
    with RenderSession(path) as session:
        return list(session.frame(0).instances)


@pytest.fixture
def aimed(empty_scene: Any) -> Any:
    empty_scene.camera.location = (0, -12, 1.5)
    new("bus_stop", box_mesh("Bus Stop Sign", (0.3, 0.3, 2.0)), place=(2.0, 3.0, 1.0))
    return empty_scene


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("by", ["name", "mark"])
def test_one_car_wherever_it_is_named(by: str, place: Callable[[str], Any], aimed: Any, save_scene: Save) -> None:
    holder = place("Car_01" if by == "name" else "thing")
    if by == "mark":
        holder["gis_category"] = "truck"
    (one,) = found_in(save_scene())
    assert one.category == ("car" if by == "name" else "truck")
    if place is not on_sheared_child:
        assert one.box_3d.length_m == pytest.approx(4.0, abs=1e-3)
    # All of it: the wheel reaches the ground.
    assert one.box_3d.height_m == pytest.approx(1.3, abs=1e-3)


@pytest.mark.parametrize("by", ["name", "mark"])
def test_on_the_mesh(by: str, aimed: Any, save_scene: Save) -> None:
    """Objects that share a mesh with a mark or a name are as many cars."""
    mesh = box_mesh("Car" if by == "name" else "mesh", (4.0, 1.6, 1.3))
    if by == "mark":
        mesh["gis_category"] = "car"
    for number in range(2):
        new(f"thing.{number}", mesh, place=(5.0 * number - 2.5, 0.0, 0.65))
    assert [one.box_3d.length_m for one in found_in(save_scene())] == pytest.approx([4.0, 4.0])


def test_a_collection_of_named_cars_is_no_car(aimed: Any, save_scene: Save) -> None:
    home = collection("Car")
    for number in range(2):
        new(f"Car.{number:03d}", box_mesh("mesh", (4.0, 1.6, 1.3)), home, (5.0 * number - 2.5, 0.0, 0.65))
    assert len(found_in(save_scene())) == 2


@pytest.mark.parametrize("place", [*PLACES, lambda word: on_body(word).data])
def test_a_category_that_there_is_not(place: Callable[[str], Any], aimed: Any, save_scene: Save) -> None:
    marked = place("thing")
    marked["gis_category"] = "lorry"
    with pytest.raises(SceneError, match=r"has gis_category = 'lorry': expected one of car, van, truck, bus"):
        found_in(save_scene())


@pytest.mark.parametrize("value", ["Car", "", 1.0])
def test_values_that_are_no_categories(value: object, aimed: Any, save_scene: Save) -> None:
    on_empty("thing")["gis_category"] = value
    with pytest.raises(SceneError, match="'thing' has gis_category"):
        found_in(save_scene())


@pytest.mark.parametrize("read", [load_models, read_solids])
def test_models_of_no_known_category(read: Callable[[Path], object], empty_scene: Any, save_scene: Save) -> None:
    on_collection("thing")["gis_category"] = "tank"
    path = save_scene("models.blend")
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    with pytest.raises(SceneError, match="collection 'thing' has gis_category = 'tank'"):
        read(path)
