"""What random scenes are built of: boxes, marks, cameras, node trees, all in the units of the scene."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import bpy
import numpy as np

Vector = Sequence[float]

_FACES = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
TRUTH = "truth"
"""Property that tells the oracle what a mesh is part of; gis does not know it."""


class Builder:
    """A new scene with a ground and a camera. Lengths are given in metres, whatever the scene's unit is."""

    def __init__(self, rng: np.random.Generator, metres_per_unit: float = 1.0) -> None:
        bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
        self.rng, self.units = rng, 1.0 / metres_per_unit
        self.scene = bpy.context.scene
        self.scene.unit_settings.scale_length = metres_per_unit
        render = self.scene.render
        render.resolution_x, render.resolution_y, render.resolution_percentage = 160, 120, 100
        self.scene.frame_start, self.scene.frame_end = 1, 20
        self.frames = [0, 3]
        self.noted: list[str] = []
        """Names of what the z-buffer cannot draw as Blender does: a note has to name one of them."""
        self._mode: tuple[str, tuple[Any, ...]] | None = None
        self._last: list[Callable[[], Any]] = []
        self.refused: tuple[int, str] | None = None
        """Frame from which on all are refused, and a word of the message."""
        self._slots = [(x, y) for y in (1.0, 6.0, 11.0) for x in (-4.5, 0.0, 4.5)]
        rng.shuffle(self._slots)
        self.camera = self.add_camera("Camera", (0.3, -13.0, 3.1), (math.radians(83.0), 0.0, 0.013))
        self.scene.camera = self.camera
        self.box("ground", (0, 12, -0.31), (70, 90, 0.6))

    def slot(self) -> tuple[float, float]:
        """A place on the ground where nothing stands yet."""
        x, y = self._slots.pop()
        return float(x), float(y)

    def length(self, metres: float) -> float:
        return metres * self.units

    def vector(self, metres: Vector) -> list[float]:
        return [value * self.units for value in metres]

    def mesh(self, name: str, size: Vector = (1, 1, 1)) -> Any:
        """A box as mesh data."""
        corners = [(x, y, z) for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)]
        return self.polygons(name, [[c * s for c, s in zip(corner, size, strict=True)] for corner in corners], _FACES)

    def polygons(self, name: str, points: Sequence[Vector], faces: Sequence[Sequence[int]] = ()) -> Any:
        mesh = bpy.data.meshes.new(name)
        mesh.from_pydata([self.vector(point) for point in points], [], faces)
        mesh.update()
        return mesh

    def add(self, name: str, data: Any, at: Vector = (0, 0, 0), collection: Any = None) -> Any:
        """An object in the scene, or in a collection."""
        item = bpy.data.objects.new(name, data)
        item.location = self.vector(at)
        (collection or self.scene.collection).objects.link(item)
        return item

    def box(self, name: str, at: Vector, size: Vector = (2, 1.5, 1.5), collection: Any = None) -> Any:
        return self.add(name, self.mesh(name, size), at, collection)

    def turned_box(self, name: str, at: Vector, size: Vector = (2, 1.5, 1.5), collection: Any = None) -> Any:
        item = self.box(name, at, size, collection)
        item.rotation_euler[2] = self.rng.uniform(-1, 1)
        return item

    def car(self, name: str, at: Vector, size: Vector = (2.2, 1.2, 1.1), collection: Any = None) -> Any:
        """A box that is marked as a car, each copy of it on its own."""
        item = self.turned_box(name, at, size, collection)
        item["gis_category"] = "car"
        return self.truth(item, name)

    def truth(self, item: Any, name: str, category: str = "car", inner_levels: int = 0) -> Any:
        """Tell the oracle what an object's copies are.

        Args:
            item: object with a mesh, or an instancer whose every copy belongs to what is meant.
            name: objects with the same are parts of one thing.
            category: of the thing.
            inner_levels: how many of the innermost numbers of a copy tell parts of one thing apart.
        """
        item[TRUTH] = f"{category}|{name}|{inner_levels}"
        return item

    def collection(self, name: str, *, linked: bool = True, excluded: bool = False) -> Any:
        """A new collection; ``linked`` to the scene, there perhaps ``excluded``."""
        made = bpy.data.collections.new(name)
        if linked:
            self.scene.collection.children.link(made)
            bpy.context.view_layer.layer_collection.children[name].exclude = excluded
        return made

    def instance(self, name: str, collection: Any, at: Vector, into: Any = None) -> Any:
        """An Empty that shows a collection."""
        item = self.add(name, None, at, into)
        item.instance_type, item.instance_collection = "COLLECTION", collection
        return item

    def add_camera(self, name: str, at: Vector, rotation: Vector, lens_mm: float = 35.0) -> Any:
        data = bpy.data.cameras.new(name)
        data.lens, data.clip_start, data.clip_end = lens_mm, self.length(0.1), self.length(1000)
        item = self.add(name, data, at)
        item.rotation_euler = rotation
        return item

    def activate(self, item: Any) -> Any:
        """Make an object the only selected and active one."""
        bpy.context.view_layer.update()
        for other in bpy.context.view_layer.objects:
            other.select_set(other == item)
        bpy.context.view_layer.objects.active = item
        return item

    def animate(self, item: Any, path: str, values: dict[int, Any], index: int = -1) -> None:
        """Key frames of a property (straight lines between); numbers of frames as Blender counts them."""
        for frame, value in values.items():
            if index < 0:
                setattr(item, path, value)
            else:
                getattr(item, path)[index] = value
            item.keyframe_insert(path, index=index, frame=frame)
        owner = item.id_data
        for curve in owner.animation_data.action.fcurves:
            for key in curve.keyframe_points:
                key.interpolation = "LINEAR"

    def last(self, step: Callable[[], Any]) -> None:
        """Leave something to be done when all else is there."""
        self._last.append(step)

    def leave_in_mode(self, mode: str, *items: Any) -> None:
        """Have the file saved while objects are being edited; only the first who asks for it is heard."""
        self._mode = self._mode or (mode, items)

    def finish(self) -> None:
        """Do what was left for the end."""
        if self._mode:
            mode, items = self._mode
            self.activate(items[0])
            for item in items:
                item.select_set(True)
            bpy.ops.object.mode_set(mode=mode)
        for step in self._last:
            step()

    def material(self, name: str) -> tuple[Any, Any]:
        """A material with an empty tree; gives it and its output node."""
        made = bpy.data.materials.new(name)
        made.use_nodes = True
        made.node_tree.nodes.clear()
        return made, made.node_tree.nodes.new("ShaderNodeOutputMaterial")

    def nodes(self, item: Any) -> GeometryNodes:
        """A geometry nodes modifier."""
        made = GeometryNodes(item.name)
        item.modifiers.new("nodes", "NODES").node_group = made.tree
        return made


class GeometryNodes:
    """A geometry node tree with one geometry in and one out."""

    def __init__(self, name: str) -> None:
        self.tree = bpy.data.node_groups.new(name, "GeometryNodeTree")
        for way in ("INPUT", "OUTPUT"):
            self.tree.interface.new_socket("Geometry", in_out=way, socket_type="NodeSocketGeometry")
        self.input = self.tree.nodes.new("NodeGroupInput").outputs[0]
        self.output = self.tree.nodes.new("NodeGroupOutput").inputs[0]

    def node(self, kind: str, **settings: Any) -> Any:
        """A node; settings are its properties."""
        made = self.tree.nodes.new(kind)
        for name, value in settings.items():
            setattr(made, name, value)
        return made

    def link(self, source: Any, target: Any) -> None:
        self.tree.links.new(source, target)
