"""Copies of objects: collections, vertices, faces, particles, geometry nodes, one within another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bpy
from scene_builder import Builder, GeometryNodes

COPIES: dict[str, Callable[[Builder], None]] = {}


def copies(make: Callable[[Builder], None]) -> Callable[[Builder], None]:
    COPIES[make.__name__] = make
    return make


def _source(b: Builder, name: str, *, marked: bool = True) -> tuple[Any, Any]:
    """A small car in a collection that is not shown itself."""
    home = b.collection(f"{name} home", excluded=True)
    if marked:
        return home, b.car(name, (0, 0, 0.3), (0.8, 0.5, 0.6), home)
    return home, b.box(name, (0, 0, 0.3), (0.8, 0.5, 0.6), home)


def _two_parts(b: Builder, name: str, *, linked: bool = True) -> tuple[Any, list[Any]]:
    """A collection with the two meshes of a car, which is hidden by being excluded."""
    home = b.collection(name, linked=linked, excluded=linked)
    lower = b.box(f"{name} body", (0, 0, 0.3), (1.6, 0.9, 0.6), home)
    upper = b.box(f"{name} cabin", (0.1, 0, 0.8), (0.8, 0.7, 0.4), home)
    return home, [lower, upper]


@copies
def collections_of_parts(b: Builder) -> None:
    """Two copies of a car of two meshes: the mark on the Empty, with an offset; turned, mirrored."""
    home, _ = _two_parts(b, "kit")
    home.instance_offset = b.vector((0.2, 0.1, 0))
    for number in range(2):
        x, y = b.slot()
        item = b.truth(b.instance(f"kit copy {number}", home, (x, y, 0)), f"kit {number}", "van", 8)
        item["gis_category"], item.rotation_euler[2] = "van", 0.5 + number
        item.scale = ((1, 1, 1), (-1, 1, 1.5))[number]


@copies
def collection_that_is_marked(b: Builder) -> None:
    """The mark on the collection that is copied."""
    home, _ = _two_parts(b, "marked kit", linked=False)
    home["gis_category"] = "truck"
    for number in range(2):
        x, y = b.slot()
        item = b.instance(f"marked copy {number}", home, (x, y, 0))
        b.truth(item, f"marked {number}", "truck", 8)


@copies
def collection_in_collection(b: Builder) -> None:
    """A row of three cars, copied twice; the mark on the innermost mesh."""
    home, _ = _source(b, "inner")
    row = b.collection("row", excluded=True)
    for number in range(3):
        b.instance(f"in row {number}", home, (0.95 * number, 0.4 * number, 0), row).scale = (1, 1, 1 + 0.3 * number)
    for number in range(2):
        x, y = b.slot()
        b.instance(f"row copy {number}", row, (x - 1, y, 0)).rotation_euler[2] = -0.4 * number


@copies
def on_vertices(b: Builder) -> None:
    x, y = b.slot()
    points = b.polygons("corners", [(-1.3, 0, 0.4), (0, 0.2, 0.5), (1.3, -0.2, 0.4)])
    holder = b.add("corners", points, (x, y, 0))
    holder.instance_type = "VERTS"
    child = b.car("on vertex", (0, 0, 0), (0.8, 0.5, 0.6))
    child.parent = holder
    holder.rotation_euler[2] = 0.3


@copies
def on_faces(b: Builder) -> None:
    """Scaled by their faces; the holder itself is not rendered, or only not shown in the viewport."""
    x, y = b.slot()
    points = [
        (-1.5, 0, 0.7),
        (-0.3, 0, 0.7),
        (-0.3, 1, 0.9),
        (-1.5, 1, 0.7),
        (0.4, 0, 0.6),
        (1.8, 0, 0.6),
        (1.8, 1.2, 0.8),
        (0.4, 1.2, 0.6),
    ]
    holder = b.add("panes", b.polygons("panes", points, [(0, 1, 2, 3), (4, 5, 6, 7)]), (x, y, 0))
    holder.instance_type, holder.use_instance_faces_scale, holder.instance_faces_scale = "FACES", True, 0.7
    shown = bool(b.rng.random() < 0.5)
    holder.show_instancer_for_render, holder.show_instancer_for_viewport = shown, not shown
    b.car("on pane", (0, 0, 0), (0.9, 0.6, 0.6)).parent = holder


def _hair(b: Builder, name: str) -> tuple[Any, Any]:
    """A hair system on a sheet on the ground: its settings are returned."""
    x, y = b.slot()
    sheet = [(-2, -1.2, 0), (2, -1.2, 0), (2, 1.2, 0), (-2, 1.2, 0)]
    emitter = b.add(name, b.polygons(name, sheet, [(0, 1, 2, 3)]), (x, y, 0.05))
    emitter.modifiers.new("p", "PARTICLE_SYSTEM")
    settings = emitter.particle_systems[0].settings
    settings.type, settings.use_advanced_hair = "HAIR", True
    settings.hair_length, settings.particle_size = b.length(1), 1.0
    emitter.particle_systems[0].seed = int(b.rng.integers(1000))
    return emitter, settings


@copies
def particles(b: Builder) -> None:
    """Objects on hair; the viewport shows a share of them, and the emitter is not rendered."""
    _, car = _source(b, "seedling")
    emitter, settings = _hair(b, "meadow")
    settings.count, settings.display_percentage = 6, 50
    settings.render_type, settings.instance_object = "OBJECT", car
    settings.size_random = 0.3
    emitter.show_instancer_for_render = False


@copies
def particle_children(b: Builder) -> None:
    """Children of particles: fewer in the viewport than in the render."""
    _, bush = _source(b, "bush", marked=False)
    _, settings = _hair(b, "hedge")
    settings.count, settings.render_type, settings.instance_object = 3, "OBJECT", bush
    settings.child_type, settings.child_percent, settings.rendered_child_count = "SIMPLE", 1, 4
    settings.child_radius = b.length(0.6)


@copies
def particles_of_a_collection(b: Builder) -> None:
    home, _ = _two_parts(b, "assorted")
    for item in home.objects:
        item.location = (0, 0, 0)
        b.truth(item, str(item.name))["gis_category"] = "car"
    _, settings = _hair(b, "field")
    settings.count, settings.render_type, settings.instance_collection = 5, "COLLECTION", home
    settings.use_collection_pick_random = bool(b.rng.random() < 0.5)


@copies
def emitted_particles(b: Builder) -> None:
    """Particles that fly: what they are depends on every frame before."""
    _, car = _source(b, "drop")
    x, y = b.slot()
    emitter = b.add(
        "spout", b.polygons("spout", [(-1, 0, 0), (1, 0, 0), (1, 1, 0), (-1, 1, 0)], [(0, 1, 2, 3)]), (x, y, 2.5)
    )
    emitter.modifiers.new("p", "PARTICLE_SYSTEM")
    settings = emitter.particle_systems[0].settings
    settings.count, settings.frame_start, settings.frame_end, settings.lifetime = 8, 1, 6, 20
    settings.render_type, settings.instance_object, settings.particle_size = "OBJECT", car, 0.8
    settings.normal_factor = b.length(1.5)
    b.frames = [0, 4, 7]


def _on_points(tree: GeometryNodes, source: Any, points: Any) -> Any:
    """The copies that a node puts on points."""
    put = tree.node("GeometryNodeInstanceOnPoints")
    tree.link(points, put.inputs["Points"])
    tree.link(source, put.inputs["Instance"])
    return put


def _object(tree: GeometryNodes, item: Any) -> Any:
    info = tree.node("GeometryNodeObjectInfo")
    info.inputs["Object"].default_value, info.inputs["As Instance"].default_value = item, True
    return info.outputs["Geometry"]


def _points(b: Builder, name: str) -> Any:
    x, y = b.slot()
    return b.add(name, b.polygons(name, [(-1.4, 0, 0.3), (0, 0.5, 0.3), (1.4, 0, 0.4)]), (x, y, 0))


@copies
def nodes_on_points(b: Builder) -> None:
    """A marked object on points, turned and scaled by the nodes."""
    _, car = _source(b, "seed")
    tree = b.nodes(_points(b, "scatter"))
    put = _on_points(tree, _object(tree, car), tree.input)
    index, scale = tree.node("GeometryNodeInputIndex"), tree.node("ShaderNodeMath", operation="MULTIPLY_ADD")
    scale.inputs[1].default_value, scale.inputs[2].default_value = 0.3, 0.8
    tree.link(index.outputs[0], scale.inputs[0])
    tree.link(scale.outputs[0], put.inputs["Scale"])
    put.inputs["Rotation"].default_value = (0, 0, 0.4)
    tree.link(put.outputs[0], tree.output)


@copies
def nodes_on_points_that_come_and_go(b: Builder) -> None:
    """The number of copies changes from frame to frame."""
    _, car = _source(b, "guest")
    tree = b.nodes(_points(b, "guests"))
    put = _on_points(tree, _object(tree, car), tree.input)
    time, more = tree.node("GeometryNodeInputSceneTime"), tree.node("ShaderNodeMath", operation="GREATER_THAN")
    index, add = tree.node("GeometryNodeInputIndex"), tree.node("ShaderNodeMath", operation="ADD")
    tree.link(index.outputs[0], add.inputs[0])
    tree.link(time.outputs["Frame"], add.inputs[1])
    tree.link(add.outputs[0], more.inputs[0])
    more.inputs[1].default_value = 2.5
    tree.link(more.outputs[0], put.inputs["Selection"])
    tree.link(put.outputs[0], tree.output)


@copies
def nodes_on_points_of_a_collection(b: Builder) -> None:
    """Each copy is a car of two meshes: the mark on the collection."""
    home, parts = _two_parts(b, "duo")
    home["gis_category"] = "car"
    for part in parts:
        part.scale = (0.6, 0.6, 0.6)
        part.location *= 0.6
        b.truth(part, "duo", "car", 1)
    tree = b.nodes(_points(b, "duos"))
    info = tree.node("GeometryNodeCollectionInfo", transform_space="RELATIVE")
    info.inputs["Collection"].default_value = home
    put = _on_points(tree, info.outputs[0], tree.input)
    put.inputs["Rotation"].default_value = (0, 0, 0.9)
    tree.link(put.outputs[0], tree.output)


@copies
def nodes_on_points_that_pick(b: Builder) -> None:
    """A collection's objects, one for each point."""
    home, parts = _two_parts(b, "choice")
    for number, part in enumerate(parts):
        part.location = b.vector((0, 0, 0.2))
        part.scale = (0.6,) * 3
        part["gis_category"] = ("car", "van")[number]
        b.truth(part, str(part.name), ("car", "van")[number])
    tree = b.nodes(_points(b, "choices"))
    info = tree.node("GeometryNodeCollectionInfo", transform_space="RELATIVE")
    info.inputs["Collection"].default_value = home
    info.inputs["Separate Children"].default_value = True
    put = _on_points(tree, info.outputs[0], tree.input)
    put.inputs["Pick Instance"].default_value = True
    tree.link(put.outputs[0], tree.output)


@copies
def nodes_within_nodes(b: Builder) -> None:
    """Copies of an object that itself is copies, on points."""
    _, car = _source(b, "atom")
    car.scale = (0.5,) * 3
    pair = b.add(
        "pair", b.polygons("pair", [(-0.3, 0, 0), (0.3, 0, 0.1)]), (0, 0, 0), b.collection("pairs", excluded=True)
    )
    inner = b.nodes(pair)
    inner.link(_on_points(inner, _object(inner, car), inner.input).outputs[0], inner.output)
    outer = b.nodes(_points(b, "pairs"))
    outer.link(_on_points(outer, _object(outer, pair), outer.input).outputs[0], outer.output)


@copies
def nodes_in_a_collection(b: Builder) -> None:
    """A scatter of cars that Empties copy twice."""
    _, car = _source(b, "bean")
    home = b.collection("scatters", excluded=True)
    item = b.add("beans", b.polygons("beans", [(-0.9, 0, 0.3), (0.9, 0.3, 0.3)]), (0, 0, 0), home)
    tree = b.nodes(item)
    tree.link(_on_points(tree, _object(tree, car), tree.input).outputs[0], tree.output)
    for number in range(2):
        x, y = b.slot()
        b.instance(f"beans copy {number}", home, (x, y, 0)).rotation_euler[2] = 0.3 * number


@copies
def nodes_made_real(b: Builder) -> None:
    """Copies that the nodes make into one mesh: one object."""
    _, source = _source(b, "brick", marked=False)
    item = _points(b, "wall of bricks")
    item["gis_category"] = "truck"
    b.truth(item, "wall of bricks", "truck")
    tree = b.nodes(item)
    put, real = _on_points(tree, _object(tree, source), tree.input), tree.node("GeometryNodeRealizeInstances")
    tree.link(put.outputs[0], real.inputs[0])
    tree.link(real.outputs[0], tree.output)


@copies
def nodes_that_copy_a_mesh(b: Builder) -> None:
    """Copies of a mesh that no object has, beside the object's own mesh."""
    x, y = b.slot()
    tree = b.nodes(b.box("stem", (x, y, 0.5), (1.4, 1.0, 1.0)))
    cone = tree.node("GeometryNodeMeshCone")
    cone.inputs["Radius Bottom"].default_value, cone.inputs["Depth"].default_value = b.length(0.2), b.length(0.8)
    put, join = _on_points(tree, cone.outputs[0], tree.input), tree.node("GeometryNodeJoinGeometry")
    tree.link(put.outputs[0], join.inputs[0])
    tree.link(tree.input, join.inputs[0])
    tree.link(join.outputs[0], tree.output)


@copies
def shared_mesh(b: Builder) -> None:
    """Two objects of one mesh, the mark on the mesh; one of them with a modifier of its own."""
    mesh = b.mesh("shared", (1.6, 0.9, 1.0))
    mesh["gis_category"] = "car"
    for number in range(2):
        x, y = b.slot()
        b.truth(b.add(f"sharing {number}", mesh, (x, y, 0.6)), f"sharing {number}")
    bpy.data.objects["sharing 1"].modifiers.new("b", "BEVEL").width = b.length(0.2)


@copies
def marked_parent(b: Builder) -> None:
    """A mark on an Empty: the meshes below it, also far below, are one thing."""
    x, y = b.slot()
    root = b.add("rig of parts", None, (x, y, 0))
    root["gis_category"], root.rotation_euler[2] = "car", 0.5
    body = b.box("hull", (0, 0, 0.6), (2, 1, 0.8))
    body.parent = root
    wheel = b.box("hull wheel", (0.6, -0.6, -0.3), (0.5, 0.2, 0.5))
    wheel.parent = body
    for part in (body, wheel):
        b.truth(part, "rig of parts")


@copies
def marked_collection(b: Builder) -> None:
    """A mark on a collection in the scene: its meshes are one thing."""
    home = b.collection("a marked home")
    home["gis_category"] = "bus"
    x, y = b.slot()
    for number in range(2):
        item = b.box(f"of the home {number}", (x + 1.1 * number, y, 0.7), (1, 1, 1.2 - 0.3 * number), home)
        b.truth(item, "home", "bus")
