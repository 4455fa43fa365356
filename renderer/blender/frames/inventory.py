"""Meshes of the models and of everything that stands still in a file, read once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import bpy
import numpy as np
from numpy.typing import NDArray

from ...geometry.boxes import extent_m
from ...scene.cars import FrameSetup, Placement
from ..extract import PlacedMesh
from ..identity import LabelledObject
from ..staging import Group
from ..traffic import apply, is_traffic
from .known_models import KnownModels
from .scene_reader import SceneReader

__all__ = ["Contents", "Inventory"]


@dataclass(frozen=True)
class Contents:
    """What a scene with a street is made of."""

    models: dict[str, Group]
    """By name, relative to the model's origin."""
    extents_m: dict[str, NDArray[np.float64]]
    """Sizes of the models."""
    street: Group
    """Everything that stands still."""
    marked: tuple[LabelledObject | None, ...]
    """The labelled object that each mesh of the street belongs to."""
    key_points_m: dict[str, NDArray[np.float64] | None] = field(default_factory=dict)
    """Of models that came from a library, in their own axes."""


class Inventory:
    """What there is to stage; the opened file is read when something of it is first asked for."""

    def __init__(self, reader: SceneReader, known: KnownModels) -> None:
        """Take what reads the file, and what models there are."""
        self._reader, self._known = reader, known
        self.collections: dict[str, bpy.types.Collection] = dict(known.own)
        """Of the models that are in the opened file by now, by name."""

    @cached_property
    def contents(self) -> Contents:
        """Meshes of each model (relative to its origin) and of everything that stands still, read once.

        Traffic poses models and nothing else, so that what the depsgraph says of one copy holds for all.
        """
        own = self._known.own
        at_origin = tuple(Placement(name, 0.0, 0.0, 0.0, 0.0, "driving") for name in own)
        empties = self.place(FrameSetup(0, at_origin, np.eye(4)))
        model_of = {empty.name: name for empty, name in zip(empties, own, strict=True)}
        models: dict[str, list[PlacedMesh]] = {name: [] for name in own}
        street = []
        for mesh, item in self._reader.evaluated(self._reader.meshes_in):
            if mesh.instancer and mesh.instancer.name in model_of:
                models[model_of[mesh.instancer.name]].append(mesh)
            elif not (mesh.instancer and is_traffic(mesh.instancer)):
                street.append((mesh, item if self._reader.labels.by_mark else None))
        return Contents(
            {name: Group(tuple(members)) for name, members in models.items()},
            {name: self._extent_m(members) for name, members in models.items()},
            Group(tuple(mesh for mesh, _ in street)),
            tuple(item for _, item in street),
        )

    def place(self, setup: FrameSetup) -> list[bpy.types.Object]:
        """Place the models of a setup in the opened file; returns what shows each of them."""
        return apply(self._reader.scene, setup, self.collections, model_unit_m=self._known.unit_m)

    def take_from_libraries(self, names: Iterable[str]) -> None:
        """Make the models that are asked for and are not there yet; they are read as they are stored."""
        contents = self.contents
        for name in names:
            library = self._known.library_of.get(name)
            if library is None or name in self.collections:
                continue
            collection = library.collection(name)
            items = sorted(collection.all_objects, key=lambda item: str(item.name))
            members = tuple(self._reader.extractor.unplaced(item, number) for number, item in enumerate(items))
            self.collections[name] = collection
            contents.models[name] = Group(members)
            contents.extents_m[name] = self._extent_m(members)
            contents.key_points_m[name] = library.key_points_m(name)

    def _extent_m(self, meshes: Sequence[PlacedMesh]) -> NDArray[np.float64]:
        """Size of a model that stands at the origin."""
        pool = self._reader.extractor.pool
        return extent_m(((pool.mesh(mesh.mesh), mesh.local_to_world) for mesh in meshes), np.eye(4))
