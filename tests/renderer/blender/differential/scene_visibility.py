"""Things that are there and are not rendered, or are rendered and hidden where one works."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bpy
from scene_builder import Builder

VISIBILITY: dict[str, Callable[[Builder], None]] = {}


def visibility(make: Callable[[Builder], None]) -> Callable[[Builder], None]:
    VISIBILITY[make.__name__] = make
    return make


def _in_front(b: Builder, name: str, collection: Any = None) -> Any:
    """A car that stands before all else."""
    at = (b.rng.uniform(-2.5, 2.5), b.rng.uniform(-4, -2), 1.0)
    return b.car(name, at, (1.4, 0.3, 1.6), collection)


def _layer(name: str) -> Any:
    return bpy.context.view_layer.layer_collection.children[name]


@visibility
def hidden_in_render(b: Builder) -> None:
    _in_front(b, "not rendered").hide_render = True


@visibility
def hidden_in_viewport(b: Builder) -> None:
    """Hidden by the monitor and by the eye, which a render takes no notice of."""
    x, y = b.slot()
    b.car("hidden by the monitor", (x, y, 0.8)).hide_viewport = True
    x, y = b.slot()
    item = b.car("hidden by the eye", (x, y, 0.8))
    b.last(lambda: item.hide_set(True))


@visibility
def collection_hidden_in_render(b: Builder) -> None:
    home = b.collection("not rendered either")
    _in_front(b, "in what is not rendered", home)
    home.hide_render = True


@visibility
def collection_hidden_in_viewport(b: Builder) -> None:
    x, y = b.slot()
    home = b.collection("behind the monitor")
    b.car("in what the monitor hides", (x, y, 0.8), collection=home)
    home.hide_viewport = True
    x, y = b.slot()
    home = b.collection("behind the eye")
    b.car("in what the eye hides", (x, y, 0.8), collection=home)
    _layer("behind the eye").hide_viewport = True


@visibility
def collection_excluded(b: Builder) -> None:
    _in_front(b, "excluded", b.collection("out", excluded=True))


@visibility
def in_two_collections(b: Builder) -> None:
    """One of its two collections is excluded, or not rendered: it is still there."""
    x, y = b.slot()
    first, second = b.collection("one home", excluded=True), b.collection("other home")
    third = b.collection("third home")
    item = b.car("of three homes", (x, y, 0.8), collection=first)
    second.objects.link(item)
    third.objects.link(item)
    third.hide_render = True


@visibility
def not_seen_by_the_camera(b: Builder) -> None:
    _in_front(b, "light card").visible_camera = False


@visibility
def indirect_only(b: Builder) -> None:
    home = b.collection("only in mirrors")
    _in_front(b, "reflected", home)
    _layer("only in mirrors").indirect_only = True


@visibility
def holdout(b: Builder) -> None:
    item = _in_front(b, "hole")
    item.is_holdout = True


@visibility
def holdout_collection(b: Builder) -> None:
    home = b.collection("holes")
    _in_front(b, "cut out", home)
    _layer("holes").holdout = True


@visibility
def holdout_of_copies(b: Builder) -> None:
    """Copies by an Empty: the Empty is not seen by the camera; and a hole that is a copy."""
    home = b.collection("slabs", excluded=True)
    b.box("slab", (0, 0, 0.8), (1.2, 0.3, 1.4), home)
    b.instance("unseen copy", home, (b.rng.uniform(-3, -1), -3, 0)).visible_camera = False
    b.instance("hole as a copy", home, (b.rng.uniform(0.5, 2.5), -3, 0)).is_holdout = True


@visibility
def copies_of_hidden_things(b: Builder) -> None:
    """Of what is copied, one mesh is not rendered and one is hidden in the viewport."""
    home = b.collection("mixed", excluded=True)
    for number, name in enumerate(("plain one", "unrendered one", "unseen one")):
        b.car(name, (number - 1, 0, 0.5), (0.8, 0.8, 0.9), home)
    bpy.data.objects["unrendered one"].hide_render = True
    bpy.data.objects["unseen one"].hide_viewport = True
    x, y = b.slot()
    b.instance("copy of mixed things", home, (x, y, 0))
    b.instance("copy that is not rendered", home, (0, -3, 0)).hide_render = True


@visibility
def animated_visibility(b: Builder) -> None:
    """Rendered from the third frame on, and until then; and a modifier that comes and goes."""
    first, second = _in_front(b, "late"), _in_front(b, "early")
    for item, before in ((first, True), (second, False)):
        b.animate(item, "hide_render", {1: before, 3: not before})
    x, y = b.slot()
    item = b.car("growing", (x, y, 0.8))
    modifier = item.modifiers.new("s", "SOLIDIFY")
    modifier.thickness, modifier.offset = b.length(0.5), 1.0
    b.animate(modifier, "show_render", {1: False, 4: True})


@visibility
def animated_ray_visibility(b: Builder) -> None:
    b.animate(_in_front(b, "ghost at first"), "visible_camera", {1: False, 4: True})


@visibility
def scaled_to_nothing(b: Builder) -> None:
    _in_front(b, "nothing").scale = (0, 0, 0)
    _in_front(b, "flat").scale = (1, 0, 1)


@visibility
def see_through(b: Builder) -> None:
    """Materials that let everything through: the z-buffer may draw them, and says so."""
    item = _in_front(b, "windshield by alpha")
    material, output = b.material("alpha of none")
    shader = material.node_tree.nodes.new("ShaderNodeBsdfPrincipled")
    shader.inputs["Alpha"].default_value = 0.0
    material.node_tree.links.new(shader.outputs[0], output.inputs["Surface"])
    item.data.materials.append(material)
    item = _in_front(b, "windshield by shader")
    clear, output = b.material("clear shader")
    shader = clear.node_tree.nodes.new("ShaderNodeBsdfTransparent")
    clear.node_tree.links.new(shader.outputs[0], output.inputs["Surface"])
    item.data.materials.append(clear)
    b.noted += ["alpha of none", "clear shader", "windshield by alpha", "windshield by shader"]


@visibility
def cut_out(b: Builder) -> None:
    """A sheet with holes by a pattern, as leaves are made."""
    item = _in_front(b, "leaf")
    item.data.materials.append(_with_holes(b, "leaf with holes"))
    b.noted += ["leaf with holes", "leaf"]


@visibility
def foliage(b: Builder) -> None:
    """Copies of leaves behind leaves, seen through the holes."""
    home = b.collection("leaves", excluded=True)
    material = _with_holes(b, "foliage with holes")
    for number in range(3):
        item = b.box(f"leaf {number}", (0.1 * number, 0.4 * number, 0.8), (1.6, 0.05, 1.5), home)
        item.data.materials.append(material)
        b.truth(item, str(item.name))["gis_category"] = "car"
    for number in range(2):
        b.instance(f"bush {number}", home, (-1 + 1.2 * number, -4 + 1.5 * number, 0)).rotation_euler[2] = 0.3 * number
    b.noted += ["foliage with holes", "leaf 0", "bush 0", "bush 1"]


def _with_holes(b: Builder, name: str) -> Any:
    """A material that a pattern makes clear in places."""
    material, output = b.material(name)
    tree = material.node_tree
    shader, pattern = tree.nodes.new("ShaderNodeBsdfPrincipled"), tree.nodes.new("ShaderNodeTexChecker")
    pattern.inputs["Scale"].default_value = 4 / b.units
    place = tree.nodes.new("ShaderNodeTexCoord")
    tree.links.new(place.outputs["Object"], pattern.inputs["Vector"])
    tree.links.new(pattern.outputs["Fac"], shader.inputs["Alpha"])
    tree.links.new(shader.outputs[0], output.inputs["Surface"])
    return material


@visibility
def opaque_materials(b: Builder) -> None:
    """Several materials, one linked to the object, one slot empty, a name that tells of glass."""
    x, y = b.slot()
    item = b.car("painted", (x, y, 0.8))
    for name, kind in (
        ("glass", "ShaderNodeBsdfGlass"),
        ("lamp", "ShaderNodeEmission"),
        ("body", "ShaderNodeBsdfDiffuse"),
    ):
        material, output = b.material(name)
        shader = material.node_tree.nodes.new(kind)
        material.node_tree.links.new(shader.outputs[0], output.inputs["Surface"])
        item.data.materials.append(material)
    item.data.materials.append(None)
    for number, polygon in enumerate(item.data.polygons):
        polygon.material_index = number % 4
    item.material_slots[2].link = "OBJECT"
    item.material_slots[2].material = bpy.data.materials["glass"]


@visibility
def strands(b: Builder) -> None:
    """Hair as Cycles draws it."""
    sheet = [(-1, -1, 0), (1, -1, 0), (1, 1, 0), (-1, 1, 0)]
    x, y = b.slot()
    item = b.add("coat", b.polygons("coat", sheet, [(0, 1, 2, 3)]), (x, y, 0.1))
    item.modifiers.new("fur", "PARTICLE_SYSTEM")
    settings = item.particle_systems[0].settings
    settings.type, settings.count, settings.hair_length = "HAIR", 60, b.length(1.2)
    settings.root_radius, settings.radius_scale = 1.0, b.length(0.04)
    b.noted.append("coat")


@visibility
def point_cloud(b: Builder) -> None:
    """Points that nodes make, which Cycles draws as balls."""
    x, y = b.slot()
    tree = b.nodes(b.add("dots", b.polygons("dots", [(-1, 0, 0.5), (0, 0, 0.8), (1, 0, 0.5)]), (x, y, 0)))
    points = tree.node("GeometryNodeMeshToPoints")
    points.inputs["Radius"].default_value = b.length(0.3)
    tree.link(tree.input, points.inputs[0])
    tree.link(points.outputs[0], tree.output)
    b.noted.append("dots")


@visibility
def displaced(b: Builder) -> None:
    """A material that moves the surface."""
    x, y = b.slot()
    item = b.box("rough", (x, y, 1), (1.5, 1.5, 1.5))
    item.modifiers.new("s", "SUBSURF").render_levels = 3
    material, output = b.material("bumps")
    tree = material.node_tree
    shader, move = tree.nodes.new("ShaderNodeBsdfDiffuse"), tree.nodes.new("ShaderNodeDisplacement")
    move.inputs["Height"].default_value, move.inputs["Midlevel"].default_value = b.length(0.4), 0.0
    tree.links.new(shader.outputs[0], output.inputs["Surface"])
    tree.links.new(move.outputs[0], output.inputs["Displacement"])
    material.displacement_method = "DISPLACEMENT"
    item.data.materials.append(material)
    b.noted += ["rough", "bumps"]


@visibility
def smoke(b: Builder) -> None:
    """A box that is filled with a volume and has no surface."""
    item = _in_front(b, "cloud")
    material, output = b.material("fog")
    shader = material.node_tree.nodes.new("ShaderNodeVolumePrincipled")
    material.node_tree.links.new(shader.outputs[0], output.inputs["Volume"])
    item.data.materials.append(material)
    b.noted += ["cloud", "fog"]
