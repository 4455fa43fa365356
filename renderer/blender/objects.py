"""Which objects of a scene are labelled: by their mark, else by their names, else by their zones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ..geometry.meshes import MeshPool
from ..zones.catalogue import FIRST_ENVIRONMENT_ZONE, ZONE_ATTRIBUTE, Zone
from ..zones.names import category_from_name
from .extract import PlacedMesh

__all__ = ["CATEGORY", "MODEL", "PROFILE", "LabelledObject", "Labels", "labels_of_scene"]

CATEGORY, MODEL, PROFILE = "gis_category", "gis_model", "gis_profile"


@dataclass(frozen=True)
class LabelledObject:
    """One labelled object of the scene, whatever Blender calls it."""

    key: str
    """Stable name within the scene; ids follow its order."""
    category: str
    model: str
    profile: str
    pose: NDArray[np.float64]
    """(4, 4) object to world; x is taken as forward."""
    extent_m: NDArray[np.float64] | None = None
    """(2, 3) lowest and highest corner along the upright axes of the pose, where it is known beforehand."""


@dataclass(frozen=True)
class _Mark:
    """Where it stands that something is labelled."""

    marked: bpy.types.Object | bpy.types.Collection
    holder: bpy.types.Object
    category: str


@dataclass
class Labels:
    """How the labelled objects of a scene are recognised."""

    by_name: bool
    by_zone: bool
    notes: tuple[str, ...]
    _marks: dict[tuple[str, str], _Mark | None] = field(default_factory=dict)

    @property
    def by_mark(self) -> bool:
        """Whether only what is marked is labelled."""
        return not (self.by_name or self.by_zone)

    def on_car(self, owner: bpy.types.Object, instancer: bpy.types.Object | None) -> bool:
        """Whether a mark or a name says that an object is part of a labelled one."""
        return self._mark(owner, instancer) is not None

    def find(self, placed: PlacedMesh, pool: MeshPool) -> LabelledObject | None:
        """The labelled object that a mesh belongs to, None for the environment."""
        mark = self._mark(placed.owner, placed.instancer)
        if mark is None and self.by_zone and _has_car_zones(pool.mesh(placed.mesh).zones):
            root = placed.instancer or _root(placed.owner)
            mark = _Mark(root, root, "car")
        return _labelled(mark, placed.instancer) if mark else None

    def _mark(self, owner: bpy.types.Object, instancer: bpy.types.Object | None) -> _Mark | None:
        """Names of objects are unique in a file and do not change while it is rendered, so the answer is kept."""
        key = (owner.name, instancer.name if instancer else "")
        if key not in self._marks:
            marks = (self._mark_of(holder, instancer) for holder in _holders(owner, instancer))
            self._marks[key] = next((mark for mark in marks if mark), None)
        return self._marks[key]

    def _mark_of(self, holder: bpy.types.Object, instancer: bpy.types.Object | None) -> _Mark | None:
        collection = holder.instance_collection if holder.instance_type == "COLLECTION" else None
        homes = [] if instancer else list(holder.users_collection)
        for marked in [holder, *([collection] if collection else []), *homes]:
            if CATEGORY in marked:
                return _Mark(marked, holder, str(marked[CATEGORY]))
        if self.by_name and (holder.parent is None or holder is instancer):
            for named in [holder, *([collection] if collection else [])]:
                category = category_from_name(named.name)
                if category:
                    return _Mark(named, holder, category)
        return None


def labels_of_scene(objects: Iterable[bpy.types.Object]) -> Labels:
    """Decide once per scene: marks if there are any, else names, else faces with a car's zones."""
    members = list(objects)
    if any(_is_marked(item) for item in members):
        return Labels(False, False, ())
    solid = [item for item in members if item.type == "MESH" or item.instance_type == "COLLECTION"]
    if any(category_from_name(item.name) or _collection_category(item) for item in solid if item.parent is None):
        return Labels(True, False, (f"no object has {CATEGORY!r}: labelled objects were recognised by their names",))
    if any(_mesh_has_car_zones(item) for item in solid):
        return Labels(False, True, (f"no object has {CATEGORY!r}: labelled objects are those with car zones",))
    return Labels(False, False, ())


def _is_marked(item: bpy.types.Object) -> bool:
    collection = item.instance_collection if item.instance_type == "COLLECTION" else None
    inside = [*collection.all_objects, *collection.children_recursive] if collection else []
    homes = [collection] if collection else []
    return any(CATEGORY in marked for marked in [item, *homes, *inside, *item.users_collection])


def _collection_category(item: bpy.types.Object) -> str | None:
    collection = item.instance_collection if item.instance_type == "COLLECTION" else None
    return category_from_name(collection.name) if collection else None


def _mesh_has_car_zones(item: bpy.types.Object) -> bool:
    attribute = item.data.attributes.get(ZONE_ATTRIBUTE) if item.type == "MESH" else None
    if attribute is None or attribute.domain != "FACE":
        return False
    values = np.empty(len(attribute.data), np.int32)
    attribute.data.foreach_get("value", values)
    return _has_car_zones(values)


def _has_car_zones(zones: NDArray[np.integer[Any]]) -> bool:
    return bool(((zones > Zone.BACKGROUND) & (zones < FIRST_ENVIRONMENT_ZONE)).any())


def _root(item: bpy.types.Object) -> bpy.types.Object:
    while item.parent is not None:
        item = item.parent
    return item


def _holders(owner: bpy.types.Object, instancer: bpy.types.Object | None) -> Iterator[bpy.types.Object]:
    """Objects that can carry the mark: the instancer and its parents, then the mesh's object and its parents."""
    for item in (instancer, owner):
        while item is not None:
            yield item
            item = item.parent


def _labelled(mark: _Mark, instancer: bpy.types.Object | None) -> LabelledObject:
    """Read pose and properties as they are now; several meshes of one object give equal keys."""
    body = instancer or mark.holder
    collection = body.instance_collection if body.instance_type == "COLLECTION" else None
    pose = np.array(body.matrix_world, dtype=np.float64)
    if collection:
        offset = np.eye(4)
        offset[:3, 3] = -np.array(collection.instance_offset)
        pose = pose @ offset
    sources = [item for item in (instancer, mark.marked, collection) if item is not None]
    model = next((str(item[MODEL]) for item in sources if MODEL in item), str((collection or mark.marked).name))
    profile = next((str(item[PROFILE]) for item in sources if item.get(PROFILE)), "driving")
    # A mark inside an instanced collection makes an object of its own out of each copy.
    own = "" if mark.holder is instancer else str(mark.marked.name)
    return LabelledObject(f"{instancer.name if instancer else ''}/{own}", mark.category, model, profile, pose)
