"""Copies as the depsgraph lists them: what made each, and the numbers that tell it from its siblings in every frame.

The depsgraph names a copy by the object that stands in the scene itself and by one number for each level of instancing
below it (``persistent_id``: of a particle, a vertex, a face, an instance of geometry nodes, an object of a collection).
Objects that instance in their turn are listed too, which tells what stands between the two.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import bpy
import numpy as np
from numpy.typing import NDArray

__all__ = ["Copies", "Instancer", "copies_whole_collection", "path_of", "shown_objects"]

_NO_LEVEL = 2**31 - 1
"""Fills the levels of ``persistent_id`` that are not there."""


@dataclass(frozen=True, eq=False)
class Instancer:
    """An object that copies others: one of the scene, or itself a copy."""

    item: bpy.types.Object
    """Original object."""
    path: tuple[int, ...]
    """Which copy it is; empty for an object of the scene itself."""
    local_to_world: NDArray[np.float64]
    """(4, 4)."""


@dataclass
class Copies:
    """Finds the instancers of each entry while a depsgraph's entries are gone through in their order."""

    _top: Instancer | None = None
    _by_path: dict[tuple[int, ...], Instancer] = field(default_factory=dict)

    def instancers(self, entry: bpy.types.DepsgraphObjectInstance) -> tuple[Instancer, ...]:
        """What an entry is a copy by, outermost first; empty for an object of the scene itself."""
        if not entry.is_instance or not entry.parent:
            return ()
        top = entry.parent.original
        if self._top is None or self._top.item != top:
            self._top = Instancer(top, (), np.array(entry.parent.matrix_world, dtype=np.float64))
            self._by_path = {(): self._top}
        path = path_of(entry)
        found = (self._at(path[:length]) for length in range(len(path)))
        # Entries of what an instancer copies come after its own.
        self._by_path[path] = Instancer(entry.object.original, path, np.array(entry.matrix_world, dtype=np.float64))
        return tuple(item for item in found if item)

    def _at(self, path: tuple[int, ...]) -> Instancer | None:
        if path in self._by_path:
            return self._by_path[path]
        # Geometry nodes that instance a collection count on between an object and what it instances (4.2 to 5.0).
        before = self._by_path.get((*path[:-1], path[-1] - 1))
        return before if before and copies_whole_collection(before.item) else None


def path_of(entry: bpy.types.DepsgraphObjectInstance) -> tuple[int, ...]:
    """Numbers of a copy, outermost first; empty for an object of the scene itself."""
    if not entry.is_instance:
        return ()
    return tuple(reversed([number for number in entry.persistent_id if number != _NO_LEVEL]))


def copies_whole_collection(item: bpy.types.Object) -> bool:
    """Whether an object shows one copy of a collection (and not many copies, one on each of its points)."""
    return item.instance_type == "COLLECTION" and item.instance_collection is not None


def shown_objects(depsgraph: bpy.types.Depsgraph) -> list[tuple[bpy.types.Object, list[bpy.types.Object]]]:
    """Every original object that a depsgraph shows, with the instancers it is copied by, outermost first."""
    copies = Copies()
    return [
        (entry.object.original, [one.item for one in copies.instancers(entry)]) for entry in depsgraph.object_instances
    ]
