"""The models of a frame put where its setup says, with the street around them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from functools import cached_property

import bpy
import numpy as np
from numpy.typing import NDArray

from ...scene.cars import FrameSetup, Placement
from ..extract import Extractor
from ..identity import LabelledObject
from ..motion.moving import MovingModels, Shown
from ..objects import category_of
from ..staging import Group, PlacedGroup, Staged
from ..standing import Standing
from .inventory import Inventory
from .known_models import KnownModels

__all__ = ["TrafficStager"]


class TrafficStager:
    """Stages setups, in any order."""

    def __init__(self, known: KnownModels, inventory: Inventory, extractor: Extractor, *, by_cycles: bool) -> None:
        """Take what there is to stage.

        Args:
            known: the models.
            inventory: their meshes.
            extractor: gets meshes of what moves.
            by_cycles: frames are drawn by Cycles, for which models are placed in the opened file too.
        """
        self._known, self._inventory, self._extractor, self._by_cycles = known, inventory, extractor, by_cycles
        self._reaches: dict[tuple[str, str], NDArray[np.float64] | None] = {}

    def stage(self, setup: FrameSetup, standing: Standing | None) -> Staged:
        """The models of a setup, then what stands still; of that, what is marked is labelled too."""
        self._inventory.take_from_libraries(name for one in setup.placements for name in (one.model, *one.cycle))
        self._moving.begin()
        empties: Sequence[bpy.types.Object | None] = [None] * len(setup.placements)
        if self._by_cycles:
            empties = self._inventory.place(setup)
        groups, labelled = [], {}
        for number, (placement, empty) in enumerate(zip(setup.placements, empties, strict=True), start=1):
            ridden = setup.placements[number - 1 - placement.rides] if placement.rides else None
            shown = self._shown(placement, ridden)
            labelled[number] = item = self._labelled(number, placement, ridden, shown)
            ids = np.full(len(shown.group.members), number)
            groups.append(PlacedGroup(shown.group, ids, item.pose, empty, shown.local_to_group))
        surroundings = PlacedGroup(Group(()), np.zeros(0, np.int64))
        if standing is not None:
            surroundings, marked = standing.numbered(len(setup.placements))
            labelled |= marked
        groups.append(surroundings)
        return Staged(groups, labelled)

    @contextlib.contextmanager
    def street_hidden(self) -> Iterator[None]:
        """Keep what stands still out of renderings by Cycles, which draws whatever is in the file."""
        meshes = self._inventory.contents.street.members if self._by_cycles else ()
        holders = {holder.name: holder for holder in (mesh.instancer or mesh.owner for mesh in meshes)}
        for holder in holders.values():
            holder.hide_render = True
        try:
            yield
        finally:
            for holder in holders.values():
                holder.hide_render = False

    @cached_property
    def _moving(self) -> MovingModels:
        return MovingModels(self._extractor, self._known.library_of.get, self._inventory.contents.models)

    def _shown(self, placement: Placement, ridden: Placement | None) -> Shown:
        """A model as it moves; Cycles draws the collections of the file, in which nothing turns."""
        contents = self._inventory.contents
        if self._by_cycles:
            return Shown(contents.models[placement.model])
        return self._moving.shown(placement, ridden, contents.key_points_m)

    def _reach_m(self, placement: Placement, ridden: Placement | None) -> NDArray[np.float64]:
        """Lowest and highest corner of a placed model over all that it does."""
        extents = self._inventory.contents.extents_m
        if placement.motion is not None and ridden is not None and not self._by_cycles:
            key = placement.model, ridden.model
            if key not in self._reaches:
                self._reaches[key] = self._moving.reach_of_rider(*key)
            own = extents[placement.model]
            return own if (reach := self._reaches[key]) is None else _extent_of_all([own, reach])
        return _extent_of_all([extents[one] for one in placement.cycle or (placement.model,)])

    def _labelled(self, number: int, placement: Placement, ridden: Placement | None, shown: Shown) -> LabelledObject:
        """What is known of a placed model."""
        inventory, name = self._inventory, placement.model
        return LabelledObject(
            f"{number}",
            category_of(inventory.collections[name]),
            name,
            placement.profile,
            placement.object_to_world,
            self._reach_m(placement, ridden),
            inventory.contents.key_points_m.get(name) if shown.key_points_m is None else shown.key_points_m,
            number - placement.rides if placement.rides else None,
            placement.speed_m_s,
            self._known.clo_of.get(name),
        )


def _extent_of_all(extents_m: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Lowest and highest corner (2, 3) of all models of a gait, so that a box does not breathe with the steps."""
    if len(extents_m) == 1:
        return extents_m[0]
    corners = np.stack(extents_m)
    return np.stack([corners[:, 0].min(axis=0), corners[:, 1].max(axis=0)])
