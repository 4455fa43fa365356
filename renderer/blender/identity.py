"""Which labelled object each mesh of an evaluated scene belongs to: a key that holds over frames, and its pose.

What is *one* object:

* An object with its children, or a collection, that is marked: one; copied by an instancer, one for each copy.
* An empty that shows a collection: one, with all that the collection holds.
* What makes copies (geometry nodes, particles, an object on vertices or faces) and is itself marked, while what it
  copies is not: each copy is one, unless it shows a surface of its own; then the copies are parts of it (bolts of a
  wheel).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import bpy
import numpy as np
from numpy.typing import NDArray

from ..geometry.meshes import MeshPool
from .copies import Instancer, copies_whole_collection
from .extract import PlacedMesh

__all__ = ["MODEL", "PROFILE", "Identities", "LabelledObject", "Mark"]

MODEL, PROFILE = "gis_model", "gis_profile"


@dataclass(frozen=True)
class LabelledObject:
    """One labelled object of the scene, whatever Blender calls it."""

    key: str
    """Stable name within the scene, the same in every frame; ids follow its order."""
    category: str
    model: str
    profile: str
    pose: NDArray[np.float64]
    """(4, 4) object to world; x is taken as forward."""
    extent_m: NDArray[np.float64] | None = None
    """(2, 3) lowest and highest corner along the upright axes of the pose, where it is known beforehand."""
    key_points_m: NDArray[np.float64] | None = None
    """COCO's key points (17, 3) of a person in the pose's axes, where they are known."""
    rides: int | None = None
    """Of a rider: instance id of the vehicle."""
    speed_m_s: float | None = None
    """Over the ground, in a sequence."""
    clo: float | None = None
    """Of a person: insulation of the clothes, where it is known."""
    of_street: bool = False
    """Whether it is a part of what stands in the street: such things are listed only where a pixel of them is seen."""
    unlabelled: bool = False
    """Whether it gets no id and is only named, in :attr:`Frame.unlabelled`: the data set has no labels of its kind."""


@dataclass(frozen=True)
class Mark:
    """Where it stands that something is labelled."""

    level: int
    """Of the things that lead to a mesh (its instancers, outermost first, then its own object), the one it is about."""
    holder: bpy.types.Object | bpy.types.Collection
    """What is one labelled object: that thing, a parent of it, or a collection that holds it."""
    marked: bpy.types.Object | bpy.types.Collection | bpy.types.ID
    """What carries the mark or the name."""
    category: str
    each_copy: bool = False
    """Whether every copy that the thing makes is labelled, whatever it shows itself."""


class Identities:
    """Keys and poses of the labelled objects in one reading of the depsgraph."""

    def __init__(self, placed: Sequence[PlacedMesh], pool: MeshPool, depsgraph: bpy.types.Depsgraph) -> None:
        """Take all meshes of the reading: what is a copy of its own shows in what there is beside it."""
        self._depsgraph = depsgraph
        self._surfaces = {(_top(one), one.path, one.owner.name_full) for one in placed if _has_faces(one, pool)}
        copied = [one for one in placed if one.instancers]
        self._same = Counter((_top(one), one.path[:-1], one.owner.name_full) for one in copied)
        pairs = {(_top(one), path, one.owner.name_full) for one in copied for path in (one.path, one.path[:-1])}
        self._members = Counter((top, path) for top, path, _ in pairs)

    def labelled(self, mark: Mark, placed: PlacedMesh) -> LabelledObject:
        """The object that a mesh belongs to by a mark."""
        things = _things(placed)
        each = self._is_each_copy(mark, things)
        key = self._key_of_copy(mark, placed, things) if each else self._key(mark, placed, things)
        pose = self._pose_of_copy(mark, placed, things) if each else self._pose(mark, things)
        thing = things[mark.level + 1 if each else mark.level].item
        collection = thing.instance_collection if copies_whole_collection(thing) else None
        sources = [item.item for item in placed.instancers[:1]] + [mark.marked]
        sources += [item for item in (mark.holder, thing, collection) if item is not None]
        named = collection or (thing if each else mark.marked)
        model = next((str(item[MODEL]) for item in sources if MODEL in item), str(named.name))
        profile = next((str(item[PROFILE]) for item in sources if item.get(PROFILE)), "driving")
        return LabelledObject(key, mark.category, model, profile, pose)

    def _is_each_copy(self, mark: Mark, things: Sequence[Instancer]) -> bool:
        """Whether not what is marked is one object, but each copy that it makes."""
        thing = things[mark.level]
        if mark.level == len(things) - 1 or copies_whole_collection(thing.item):
            return False
        top = things[0].item.name_full if mark.level else ""
        return mark.each_copy or (top, thing.path, thing.item.name_full) not in self._surfaces

    def _key(self, mark: Mark, placed: PlacedMesh, things: Sequence[Instancer]) -> str:
        thing, top = things[mark.level], _top(placed)
        if mark.level == 0:
            # A part of an object is a copy, another is not: both need the same key.
            alone = placed.instancers and mark.holder == thing.item and mark.holder.type == "EMPTY"
            return f"{top}/" if alone else f"/{mark.holder.name_full}"
        above = things[mark.level - 1]
        if mark.holder == thing.item:
            path = above.path if copies_whole_collection(above.item) else thing.path
        else:
            path = self._copy(placed, things, mark.level)
        return f"{top}{_text(path)}/{mark.holder.name_full}"

    def _key_of_copy(self, mark: Mark, placed: PlacedMesh, things: Sequence[Instancer]) -> str:
        path = self._copy(placed, things, mark.level + 1)
        own = str(things[mark.level].item.name_full) if mark.level else ""
        return f"{_top(placed)}{_text(path)}/{own}"

    def _copy(self, placed: PlacedMesh, things: Sequence[Instancer], level: int) -> tuple[int, ...]:
        """Path of the copy that a thing stands in together with others."""
        if level == 0:
            return ()
        thing, above = things[level], things[level - 1]
        if copies_whole_collection(above.item):
            return above.path
        if len(thing.path) - len(above.path) == 1 or (placed.by_particles and level == len(things) - 1):
            return thing.path
        if thing.item == above.item:
            return thing.path[:-1]  # geometry that nodes made: the last number is that of a mesh or a curve
        again = self._same[_top(placed), thing.path[:-1], thing.item.name_full] > 1
        return thing.path if again else thing.path[:-1]

    def _pose(self, mark: Mark, things: Sequence[Instancer]) -> NDArray[np.float64]:
        thing = things[mark.level]
        if mark.holder == thing.item:
            return _with_offset(thing)
        root = mark.holder if isinstance(mark.holder, bpy.types.Object) else _root_of(mark.holder)
        place = self._world(root)
        return place if mark.level == 0 else np.asarray(self._moved(thing) @ place)

    def _pose_of_copy(self, mark: Mark, placed: PlacedMesh, things: Sequence[Instancer]) -> NDArray[np.float64]:
        thing = things[mark.level + 1]
        if mark.level + 1 < len(things) - 1:
            return _with_offset(thing)
        several = self._members[_top(placed), self._copy(placed, things, mark.level + 1)] > 1
        return self._moved(thing) if several and thing.item != things[mark.level].item else thing.local_to_world

    def _moved(self, thing: Instancer) -> NDArray[np.float64]:
        """(4, 4) from where a thing's own object stands to where its copy does."""
        place = self._world(thing.item)
        try:
            return np.asarray(thing.local_to_world @ np.linalg.inv(place))
        except np.linalg.LinAlgError:  # scaled to nothing
            return thing.local_to_world

    def _world(self, item: bpy.types.Object) -> NDArray[np.float64]:
        return np.array(item.evaluated_get(self._depsgraph).matrix_world, dtype=np.float64)


def _things(placed: PlacedMesh) -> list[Instancer]:
    return [*placed.instancers, Instancer(placed.owner, placed.path, placed.local_to_world)]


def _top(placed: PlacedMesh) -> str:
    return str(placed.instancer.name_full) if placed.instancer else ""


def _has_faces(placed: PlacedMesh, pool: MeshPool) -> bool:
    return len(pool.mesh(placed.mesh).triangles) > 0


def _text(path: tuple[int, ...]) -> str:
    """Numbers as text that sorts as they do."""
    return "#" + ".".join(f"{number & 0xFFFFFFFF:010d}" for number in path) if path else ""


def _with_offset(thing: Instancer) -> NDArray[np.float64]:
    """(4, 4) pose of what a thing shows: of a collection, with its offset."""
    if not copies_whole_collection(thing.item):
        return thing.local_to_world
    offset = np.eye(4)
    offset[:3, 3] = -np.array(thing.item.instance_collection.instance_offset)
    return np.asarray(thing.local_to_world @ offset)


def _root_of(collection: bpy.types.Collection) -> bpy.types.Object:
    """The object whose axes are a collection's: the largest of those that stand below no other of it."""
    inside = set(collection.all_objects)
    roots = [item for item in inside if item.parent not in inside]
    return max(roots, key=lambda item: (float(np.prod(item.dimensions)), str(item.name_full)))
