"""One frame's scene, ready to be drawn: groups of meshes that keep together, each with its pose."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain
from pathlib import Path

import bpy
import numpy as np
from numpy.typing import NDArray

from ..errors import SceneError
from ..geometry.frame import Part
from ..raster.rasterizer import MAX_INSTANCES, Drawing
from .copies import Instancer
from .extract import PlacedMesh
from .identity import LabelledObject

__all__ = ["Group", "Numbers", "PlacedGroup", "Staged"]


@dataclass(frozen=True, eq=False)
class Group:
    """Meshes that keep together: a car model, or the whole street."""

    members: tuple[PlacedMesh, ...]

    @cached_property
    def mesh(self) -> NDArray[np.int64]:
        """(P,) numbers of the meshes in the pool."""
        return np.array([mesh.mesh for mesh in self.members], dtype=np.int64)

    @cached_property
    def local_to_group(self) -> NDArray[np.float64]:
        """(P, 4, 4) poses within the group."""
        return np.array([mesh.local_to_world for mesh in self.members], dtype=np.float64).reshape(-1, 4, 4)

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """The members as parts of the environment, where the group stands as it was built: the same in all frames."""
        return tuple(Part(mesh.name, 0, pose) for mesh, pose in zip(self.members, self.local_to_group, strict=True))

    @cached_property
    def has_holes(self) -> bool:
        """Whether there is any hole in the picture."""
        return bool(self.holdout.any())

    @cached_property
    def holdout(self) -> NDArray[np.bool_]:
        """(P,) which are holes in the picture."""
        return np.array([mesh.holdout for mesh in self.members], dtype=np.bool_)


@dataclass
class Numbers:
    """Instance ids of a scene's labelled objects, in the order in which they first appear; none is given twice."""

    _ids: dict[str, int] = field(default_factory=dict)

    def lacks(self, items: Iterable[LabelledObject | None]) -> bool:
        """Whether one of the objects has no id yet."""
        return any(item is not None and item.key not in self._ids for item in items)

    def of(self, items: Sequence[LabelledObject | None], source: Path) -> NDArray[np.int64]:
        """(P,) ids of the objects that meshes belong to, 0 for the environment; those without get the next ones.

        Raises:
            SceneError: there are more objects than ids.
        """
        keys = [item.key if item else None for item in items]
        for key in keys:
            if key is not None:
                self._ids.setdefault(key, len(self._ids) + 1)
        if len(self._ids) > MAX_INSTANCES:
            raise SceneError(
                f"{source}: {len(self._ids)} labelled objects up to this frame: expected at most {MAX_INSTANCES}, "
                "as ids have 16 bits; label fewer, or make fewer copies"
            )
        return np.array([self._ids[key] if key is not None else 0 for key in keys], dtype=np.int64)


@dataclass(frozen=True, eq=False)
class PlacedGroup:
    """A group as it stands in a frame."""

    group: Group
    instance_id: NDArray[np.int64]
    """(P,) of its members; 0 for the environment."""
    pose: NDArray[np.float64] | None = None
    """(4, 4) group to world; None where that is the identity."""
    instancer: bpy.types.Object | None = None
    """What shows the group in Blender, where that is not what its members say."""
    moved: NDArray[np.float64] | None = None
    """(P, 4, 4) poses of the members within the group, where they are not as built."""

    @cached_property
    def local_to_world(self) -> NDArray[np.float64]:
        """(P, 4, 4)."""
        poses = self.group.local_to_group if self.moved is None else self.moved
        return poses if self.pose is None else np.asarray(self.pose @ poses)

    def parts(self, silent: Collection[int]) -> Iterable[Part]:
        """The members as parts of a frame; those of instances that get no label are of the environment."""
        if self.pose is None and self.moved is None:
            parts = list(self.group.parts)
            for k in np.flatnonzero(self.instance_id).tolist():  # most of what stands as built is of the environment
                if (number := int(self.instance_id[k])) not in silent:
                    parts[k] = Part(parts[k].name, number, parts[k].local_to_world)
            return parts
        numbers = [0 if number in silent else number for number in self.instance_id.tolist()]
        return map(Part, [mesh.name for mesh in self.group.members], numbers, self.local_to_world)

    def placed(self) -> Iterable[PlacedMesh]:
        """The members where they stand."""
        if self.pose is None:
            return self.group.members
        pairs = zip(self.group.members, self.local_to_world, strict=True)
        shown_by = (Instancer(self.instancer, (), self.pose),) if self.instancer else ()
        return [
            replace(mesh, local_to_world=pose, instancers=(*shown_by, *mesh.instancers[1:])) for mesh, pose in pairs
        ]


@dataclass(frozen=True, eq=False)
class Staged:
    """Everything that stands in a frame."""

    groups: Sequence[PlacedGroup]
    labelled: Mapping[int, LabelledObject]
    """Labelled objects by instance id."""

    @cached_property
    def drawing(self) -> Drawing:
        """The arrays that the rasteriser takes."""
        return Drawing(
            np.concatenate([item.group.mesh for item in self.groups]),
            np.concatenate([item.local_to_world for item in self.groups]),
            np.concatenate([item.instance_id for item in self.groups]),
            np.concatenate([item.group.holdout for item in self.groups]) if self._has_holes else None,
        )

    @property
    def _has_holes(self) -> bool:
        return any(item.group.has_holes for item in self.groups)

    def placed(self) -> list[PlacedMesh]:
        """All meshes, in the drawing's order."""
        return [mesh for item in self.groups for mesh in item.placed()]

    def parts(self) -> tuple[Part, ...]:
        """What ``Frame.parts`` shows of them."""
        silent = {number for number, item in self.labelled.items() if item.unlabelled}
        return tuple(chain.from_iterable(item.parts(silent) for item in self.groups))
