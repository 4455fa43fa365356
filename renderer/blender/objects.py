"""Which objects of a scene are labelled: by their mark, else by their names, else by their zones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ..errors import SceneError
from ..geometry.meshes import MeshPool
from ..zones.catalogue import CAR_ZONES, ZONE_ATTRIBUTE
from ..zones.categories import CATEGORIES
from ..zones.names import category_from_name
from .copies import copies_whole_collection
from .extract import PlacedMesh
from .identity import MODEL, PROFILE, Identities, LabelledObject, Mark

__all__ = ["CATEGORY", "MODEL", "PROFILE", "LabelledObject", "Labels", "category_of", "labels_of_scene"]

CATEGORY = "gis_category"
_SOLID = ("MESH", "CURVE", "SURFACE", "FONT", "META")


def category_of(marked: bpy.types.ID, source: Path | None = None) -> str:
    """The category that something is marked with.

    Args:
        marked: has the property ``gis_category``.
        source: file that a message names.

    Raises:
        SceneError: there is no such category.
    """
    value = marked[CATEGORY]
    if value not in CATEGORIES:
        kind = str(marked.bl_rna.name).lower()
        where = f"{source}: " if source else ""
        raise SceneError(
            f"{where}{kind} {marked.name_full!r} has {CATEGORY} = {value!r}: expected one of {', '.join(CATEGORIES)}"
        )
    return str(value)


@dataclass
class Labels:
    """How the labelled objects of a scene are recognised."""

    by_name: bool
    by_zone: bool
    notes: tuple[str, ...]
    any: bool = True
    """Whether there is anything that could be labelled."""
    _homes: dict[bpy.types.Object, list[bpy.types.Collection]] = field(default_factory=dict)
    """Collections that hold an object, the innermost first."""
    _marks: dict[tuple[str, ...], Mark | None] = field(default_factory=dict)

    @property
    def by_mark(self) -> bool:
        """Whether only what is marked is labelled."""
        return not (self.by_name or self.by_zone)

    def category_at(self, owner: bpy.types.Object, instancers: Sequence[bpy.types.Object] = ()) -> str | None:
        """Category of the labelled object that an object, copied by those instancers, is part of by mark or name."""
        mark = self._mark(owner, instancers)
        return None if mark is None else mark.category

    def find_all(
        self, placed: Sequence[PlacedMesh], pool: MeshPool, depsgraph: bpy.types.Depsgraph
    ) -> list[LabelledObject | None]:
        """The labelled object that each mesh belongs to, None for the environment."""
        identities = Identities(placed, pool, depsgraph)
        marks = [self._mark_or_zone(mesh, pool) for mesh in placed]
        return [identities.labelled(mark, mesh) if mark else None for mark, mesh in zip(marks, placed, strict=True)]

    def _mark_or_zone(self, placed: PlacedMesh, pool: MeshPool) -> Mark | None:
        if not len(pool.mesh(placed.mesh).triangles):
            return None  # an instancer that is points alone is no object
        things = [one.item for one in placed.instancers]
        mark = self._mark(placed.owner, things)
        if mark is None and self.by_zone and _has_car_zones(pool.mesh(placed.mesh).zones):
            root = things[0] if things else _parents(placed.owner)[-1]
            return Mark(0, root, root, "car", each_copy=True)
        return mark

    def _mark(self, owner: bpy.types.Object, instancers: Sequence[bpy.types.Object]) -> Mark | None:
        """Full names are unique and do not change while a file is rendered, so the answer is kept."""
        key = (owner.name_full, *(item.name_full for item in instancers))
        if key not in self._marks:
            levels = _levels([*instancers, owner])
            self._marks[key] = next((mark for level, item in levels if (mark := self._mark_at(level, item))), None)
        return self._marks[key]

    def _mark_at(self, level: int, item: bpy.types.Object) -> Mark | None:
        return self._name_at(level, item) if self.by_name else self._property_at(level, item)

    def _property_at(self, level: int, item: bpy.types.Object) -> Mark | None:
        for holder in _parents(item):
            for marked in (holder, holder.data, _shown(holder)):
                if marked is not None and CATEGORY in marked:
                    return Mark(level, holder, marked, category_of(marked))
            for home in self.homes_of(holder):
                if CATEGORY in home:
                    return Mark(level, home, home, category_of(home))
        return None

    def _name_at(self, level: int, item: bpy.types.Object) -> Mark | None:
        """The name of the topmost parent that tells a category; else of the collections, the outermost first."""
        for holder in reversed(_parents(item)):
            named = next((one for one in _named(holder) if category_from_name(one.name)), None)
            if named is not None:
                return Mark(level, holder, named, str(category_from_name(named.name)))
        for home in reversed(self.homes_of(item)):
            category = category_from_name(home.name)
            if category and not _is_group(home):
                return Mark(level, home, home, category)
        return None

    def homes_of(self, item: bpy.types.Object) -> list[bpy.types.Collection]:
        """Collections that hold an object, the innermost first."""
        if not self._homes:
            for collection in bpy.data.collections:
                for inner in collection.all_objects:
                    self._homes.setdefault(inner, []).append(collection)
            for homes in self._homes.values():
                homes.sort(key=lambda home: (len(home.all_objects), str(home.name_full)))
        return self._homes.get(item, [])


def labels_of_scene(objects: Iterable[bpy.types.Object], source: Path | None = None) -> Labels:
    """Decide once per scene: marks if there are any, else names, else faces with a car's zones.

    Args:
        objects: of the scene; what they copy is found by them.
        source: file that a message names.

    Raises:
        SceneError: something is marked with a category that there is not.
    """
    members = _reached(objects)
    marks = Labels(False, False, ())
    if [category_of(one, source) for one in _carriers(marks, members) if CATEGORY in one]:
        return marks
    named = Labels(True, False, (f"no object has {CATEGORY!r}: labelled objects were recognised by their names",))
    if any(named.category_at(item) for item in members if item.type in _SOLID or _shown(item)):
        return named
    if any(_mesh_has_car_zones(item) for item in members):
        return Labels(False, True, (f"no object has {CATEGORY!r}: labelled objects are those with car zones",))
    return Labels(False, False, (), any=False)


def _levels(things: list[bpy.types.Object]) -> list[tuple[int, bpy.types.Object]]:
    """Things that lead to a mesh, in the order in which their marks count.

    A collection's instance is one object whatever is inside, so the outermost counts first. What makes many copies says
    least of each: it comes after them. Geometry that an object's own nodes copy is that object once more.
    """
    last = len(things) - 1
    own = last > 0 and things[last] == things[last - 1]
    whole = [level for level, item in enumerate(things) if level == last or copies_whole_collection(item)]
    many = [level for level in range(last, -1, -1) if level not in whole]
    return [(level, things[level]) for level in (*whole, *many) if not (own and level == last)]


def _parents(item: bpy.types.Object) -> list[bpy.types.Object]:
    """An object and those it stands below, up to the topmost."""
    chain = [item]
    while chain[-1].parent is not None:
        chain.append(chain[-1].parent)
    return chain


def _shown(item: bpy.types.Object) -> bpy.types.Collection | None:
    return item.instance_collection if copies_whole_collection(item) else None


def _named(item: bpy.types.Object) -> Iterator[bpy.types.ID]:
    """What of an object has a name that counts: itself, the collection that it shows, its mesh."""
    yield item
    if collection := _shown(item):
        yield collection
    if item.type in _SOLID:
        yield item.data


def _is_group(home: bpy.types.Collection) -> bool:
    """Whether a collection holds several things that are named as cars: then its name is none of a car."""
    inside = set(home.all_objects)
    roots = [item for item in inside if item.parent not in inside]
    return sum(any(category_from_name(one.name) for one in _named(item)) for item in roots) > 1


def _reached(objects: Iterable[bpy.types.Object]) -> list[bpy.types.Object]:
    """Objects, and all that they make copies of."""
    found: dict[bpy.types.Object, None] = {}
    waiting = list(objects)[::-1]
    while waiting:
        item = waiting.pop()
        if item not in found:
            found[item] = None
            waiting += _copied_by(item)
    return list(found)


def _copied_by(item: bpy.types.Object) -> Iterator[bpy.types.Object]:
    if collection := _shown(item):
        yield from collection.all_objects
    if item.instance_type in ("VERTS", "FACES"):
        yield from item.children_recursive
    sources: list[Any] = []
    for system in item.particle_systems:
        sources += [system.settings.instance_object, system.settings.instance_collection]
    for modifier in item.modifiers:
        if modifier.type == "NODES" and modifier.node_group:
            sources += [modifier[name] for name in modifier.keys()]  # noqa: SIM118 - no mapping: this is the only way
            sources += _in_nodes(modifier.node_group)
    for source in sources:
        if isinstance(source, bpy.types.Object):
            yield source
        elif isinstance(source, bpy.types.Collection):
            yield from source.all_objects


def _in_nodes(tree: bpy.types.NodeTree) -> Iterator[object]:
    """Values of the inputs of all nodes, groups included."""
    for node in tree.nodes:
        yield from (getattr(socket, "default_value", None) for socket in node.inputs)
        if group := getattr(node, "node_tree", None):
            yield from _in_nodes(group)


def _carriers(labels: Labels, objects: Iterable[bpy.types.Object]) -> Iterator[bpy.types.ID]:
    """What can carry a mark of those objects."""
    for item in objects:
        for holder in _parents(item):
            yield from (one for one in (holder, holder.data, _shown(holder)) if one is not None)
            yield from labels.homes_of(holder)


def _mesh_has_car_zones(item: bpy.types.Object) -> bool:
    attribute = item.data.attributes.get(ZONE_ATTRIBUTE) if item.type == "MESH" else None
    if attribute is None or attribute.domain != "FACE":
        return False
    values = np.empty(len(attribute.data), np.int32)
    attribute.data.foreach_get("value", values)
    return _has_car_zones(values)


def _has_car_zones(zones: NDArray[np.integer[Any]]) -> bool:
    return bool(np.isin(zones, CAR_ZONES).any())
