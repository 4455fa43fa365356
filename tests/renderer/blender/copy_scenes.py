"""Scenes whose cars are copies: each kind of instancing that Blender has, with the places where the cars then stand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

Place = tuple[float, float, float]

PLACES: Final[list[Place]] = [(-4.0, 14.0, 0.0), (0.0, 17.0, 0.5), (4.0, 20.0, 0.0)]
"""Where the copies are put, metres; all in view, none before another."""


def box_mesh(name: str, size: Place) -> Any:
    """A box around the origin."""
    import bpy

    mesh = bpy.data.meshes.new(name)
    corners = [(x, y, z) for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)]
    faces = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    mesh.from_pydata([tuple(c * s for c, s in zip(corner, size, strict=True)) for corner in corners], [], faces)
    return mesh


def new(name: str, data: Any = None, home: Any = None, place: Place = (0.0, 0.0, 0.0)) -> Any:
    """An object in a collection (the scene's)."""
    import bpy

    item = bpy.data.objects.new(name, data)
    item.location = place
    (home or bpy.context.scene.collection).objects.link(item)
    return item


def hidden_collection(name: str) -> Any:
    """A collection of the scene that is excluded from the view layer, as asset collections are."""
    import bpy

    home = bpy.data.collections.new(name)
    bpy.context.scene.collection.children.link(home)
    bpy.context.view_layer.layer_collection.children[name].exclude = True
    return home


def car_collection(mark: str = "collection") -> Any:
    """A car of two meshes, body and wheel, in an excluded collection; marked where ``mark`` says."""
    home = hidden_collection("assets")
    body = new("body", box_mesh("body", (2.0, 1.0, 0.8)), home, (0.0, 0.0, 0.6))
    wheel = new("wheel", box_mesh("wheel", (0.6, 1.2, 0.6)), home, (0.5, 0.0, 0.3))
    if mark == "collection":
        home["gis_category"] = "car"
    elif mark == "parent":
        root = new("root", None, home)
        body.parent = wheel.parent = root
        root["gis_category"] = "car"
    return home


def single_car(marked: bool = True) -> Any:
    """A car of one mesh in an excluded collection."""
    car = new("thing", box_mesh("thing", (2.0, 1.0, 1.0)), hidden_collection("assets"), (7.0, 7.0, 7.0))
    if marked:
        car["gis_category"] = "car"
    return car


def points(name: str, places: list[Place] = PLACES) -> Any:
    """An object that is nothing but points."""
    import bpy

    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(places, [], [])
    return new(name, mesh)


def shows(name: str, collection: Any, place: Place = (0.0, 0.0, 0.0), home: Any = None) -> Any:
    """An empty that instances a collection."""
    item = new(name, None, home, place)
    item.instance_type, item.instance_collection = "COLLECTION", collection
    return item


class Nodes:
    """A tree of geometry nodes on an object, put together step by step."""

    def __init__(self, item: Any) -> None:
        import bpy

        self.tree = bpy.data.node_groups.new("nodes", "GeometryNodeTree")
        for way in ("INPUT", "OUTPUT"):
            self.tree.interface.new_socket("Geometry", in_out=way, socket_type="NodeSocketGeometry")
        self.start = self.tree.nodes.new("NodeGroupInput").outputs[0]
        self.end = self.tree.nodes.new("NodeGroupOutput").inputs[0]
        item.modifiers.new("nodes", "NODES").node_group = self.tree

    def node(self, kind: str, **inputs: Any) -> Any:
        node = self.tree.nodes.new(f"GeometryNode{kind}")
        for name, value in inputs.items():
            node.inputs[name.replace("_", " ")].default_value = value
        return node

    def object(self, item: Any) -> Any:
        return self.node("ObjectInfo", Object=item, As_Instance=True).outputs["Geometry"]

    def collection(self, collection: Any, *, separate: bool = False) -> Any:
        return self.node("CollectionInfo", Collection=collection, Separate_Children=separate).outputs[0]

    def on_points(self, instance: Any, on: Any = None, *, pick: bool = False) -> Any:
        to_points, node = self.node("MeshToPoints"), self.node("InstanceOnPoints", Pick_Instance=pick)
        self.link(on or self.start, to_points.inputs[0])
        self.link(to_points.outputs[0], node.inputs["Points"])
        self.link(instance, node.inputs["Instance"])
        return node.outputs[0]

    def join(self, *parts: Any) -> Any:
        node = self.node("JoinGeometry")
        for part in parts:
            self.link(part, node.inputs[0])
        return node.outputs[0]

    def link(self, source: Any, target: Any) -> None:
        self.tree.links.new(source, target)

    def finish(self, geometry: Any) -> None:
        self.link(geometry, self.end)


def nodes_object() -> None:
    """Geometry nodes put a marked object on points."""
    car, nodes = single_car(), Nodes(points("scatter"))
    nodes.finish(nodes.on_points(nodes.object(car)))


def nodes_marked_instancer() -> None:
    """The object with the nodes is marked, what it copies is not."""
    car, scatter = single_car(marked=False), points("scatter")
    scatter["gis_category"] = "car"
    nodes = Nodes(scatter)
    nodes.finish(nodes.on_points(nodes.object(car)))


def nodes_collection() -> None:
    """Geometry nodes put a marked collection on points."""
    home, nodes = car_collection(), Nodes(points("scatter"))
    nodes.finish(nodes.on_points(nodes.collection(home)))


def nodes_collection_marked_instancer() -> None:
    """As above, but the object with the nodes is marked."""
    home, scatter = car_collection("nothing"), points("scatter")
    scatter["gis_category"] = "car"
    nodes = Nodes(scatter)
    nodes.finish(nodes.on_points(nodes.collection(home)))


def nodes_collection_with_root() -> None:
    """Geometry nodes put a collection on points in which the parent of the meshes is marked."""
    home, nodes = car_collection("parent"), Nodes(points("scatter"))
    nodes.finish(nodes.on_points(nodes.collection(home)))


def nodes_empty() -> None:
    """Geometry nodes put an empty on points that shows a collection."""
    home = car_collection("nothing")
    empty = shows("car empty", home, home=hidden_collection("empties"))
    empty["gis_category"] = "car"
    nodes = Nodes(points("scatter"))
    nodes.finish(nodes.on_points(nodes.object(empty)))


def nodes_collection_of_empties() -> None:
    """Geometry nodes put a collection on points that holds an empty that shows a marked collection."""
    home = car_collection()
    outer = hidden_collection("outer")
    shows("one", home, home=outer)
    nodes = Nodes(points("scatter"))
    nodes.finish(nodes.on_points(nodes.collection(outer)))


def nodes_rows() -> None:
    """Instances of instances: the first place with two more relative to it."""
    car, nodes = single_car(), Nodes(points("scatter", [PLACES[0]]))
    offsets = [tuple(a - b for a, b in zip(place, PLACES[0], strict=True)) for place in PLACES]
    row = points("row", offsets)
    row.hide_render = row.hide_viewport = True
    inner = nodes.on_points(nodes.object(car), nodes.node("ObjectInfo", Object=row).outputs["Geometry"])
    nodes.finish(nodes.on_points(inner))


def nodes_primitive() -> None:
    """Nodes make the cars out of nothing: a cube without a material."""
    scatter = points("scatter")
    scatter["gis_category"] = "car"
    nodes = Nodes(scatter)
    nodes.finish(nodes.on_points(nodes.node("MeshCube", Size=(2.0, 1.0, 1.0)).outputs[0]))


def nodes_text() -> None:
    """What is copied is a text, which Blender lists twice for each copy."""
    import bpy

    text = bpy.data.curves.new("thing", "FONT")
    text.body, text.size, text.extrude, text.align_x, text.align_y = "CAR", 1.0, 0.3, "CENTER", "CENTER"
    thing = new("thing", text, hidden_collection("assets"))
    thing["gis_category"] = "car"
    nodes = Nodes(points("scatter"))
    nodes.finish(nodes.on_points(nodes.object(thing)))


def vertices() -> None:
    """An object on the vertices of its parent."""
    base = points("base")
    base.instance_type = "VERTS"
    car = new("thing", box_mesh("thing", (2.0, 1.0, 1.0)))
    car.parent, car["gis_category"] = base, "car"


def vertices_marked_instancer() -> None:
    """A body and its wheel on the vertices of a marked parent."""
    base = points("base")
    base.instance_type, base["gis_category"] = "VERTS", "car"
    for name, size in (("body", (2.0, 1.0, 0.8)), ("wheel", (0.6, 1.2, 0.6))):
        new(name, box_mesh(name, size)).parent = base


def faces() -> None:
    """An object on the faces of its parent, which is not drawn."""
    import bpy

    mesh = bpy.data.meshes.new("base")
    corners = [(x + a, y + b, z) for x, y, z in PLACES for a, b in ((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5))]
    mesh.from_pydata(corners, [], [tuple(range(4 * k, 4 * k + 4)) for k in range(len(PLACES))])
    base = new("base", mesh)
    base.instance_type = "FACES"
    base.show_instancer_for_render = base.show_instancer_for_viewport = False
    car = new("thing", box_mesh("thing", (2.0, 1.0, 1.0)))
    car.parent, car["gis_category"] = base, "car"


def emitter(**settings: Any) -> Any:
    """A plate with a particle at each place."""
    item = points("emitter")
    item.modifiers.new("particles", "PARTICLE_SYSTEM")
    given = item.particle_systems[0].settings
    given.emit_from, given.count, given.use_emit_random = "VERT", len(PLACES), False
    given.frame_start, given.frame_end, given.lifetime = 1, 1, 100
    given.physics_type, given.particle_size, given.normal_factor = "NO", 1.0, 0.0
    given.use_rotation_instance = True
    for name, value in settings.items():
        setattr(given, name, value)
    return item


def particles() -> None:
    """A particle system of a marked object."""
    emitter(render_type="OBJECT", instance_object=single_car())


def particles_whole_collection() -> None:
    """A particle system of a marked collection as a whole."""
    emitter(render_type="COLLECTION", instance_collection=car_collection(), use_whole_collection=True)


def particles_marked_instancer() -> None:
    """A marked particle system of a collection as a whole."""
    home = car_collection("nothing")
    emitter(render_type="COLLECTION", instance_collection=home, use_whole_collection=True)["gis_category"] = "car"


def block() -> Any:
    """A collection with an empty at each place that shows a car."""
    home, outer = car_collection(), hidden_collection("block")
    for number, place in enumerate(PLACES):
        shows(f"car.{number}", home, place, outer)
    new("house", box_mesh("house", (2.0, 2.0, 5.0)), outer, (0.0, 30.0, 0.0))
    return outer


def nested() -> None:
    """An empty shows a block of houses, whose empties show cars."""
    shows("block", block())


def nested_nodes() -> None:
    """An empty shows a collection with an object whose nodes put a car on points."""
    car, home = single_car(), hidden_collection("block")
    scatter = points("scatter")
    home.objects.link(scatter)
    import bpy

    bpy.context.scene.collection.objects.unlink(scatter)
    nodes = Nodes(scatter)
    nodes.finish(nodes.on_points(nodes.object(car)))
    shows("block", home)


def linked_duplicates() -> None:
    """Three objects of one mesh that carries the mark."""
    mesh = box_mesh("thing", (2.0, 1.0, 1.0))
    mesh["gis_category"] = "car"
    for number, place in enumerate(PLACES):
        new(f"item.{number}", mesh, place=place)


SCENES: Final[dict[str, Callable[[], Any]]] = {
    scene.__name__: scene
    for scene in (
        nodes_object, nodes_marked_instancer, nodes_collection, nodes_collection_marked_instancer,
        nodes_collection_with_root, nodes_empty, nodes_collection_of_empties, nodes_rows, nodes_primitive, vertices,
        vertices_marked_instancer, faces, particles, particles_whole_collection, particles_marked_instancer, nested,
        nested_nodes, linked_duplicates,
    )
}  # fmt: skip
