"""The streets that frames are made in: the opened file's own, and places that are built from arrays."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cached_property

from ...random_streams import Moment
from ...scene.furniture import Furniture
from ...scene.place import Places
from ...scene.street import Street
from ...thermal.conditions import Conditions
from ...thermal.weather.season import trees_are_bare
from ..standing import MOST_BUILT, Standing, build_standing, drop_leaves, forget_standing, label_furniture
from .inventory import Inventory
from .scene_reader import SceneReader

__all__ = ["StreetPlaces"]

_BARE = "without leaves"


class StreetPlaces:
    """Has the street of each frame; the last few stay built."""

    def __init__(
        self,
        street: Street,
        reader: SceneReader,
        inventory: Inventory,
        *,
        by_cycles: bool,
        places: Places | None,
        furniture: Furniture | None,
        unlabelled: Collection[str],
    ) -> None:
        """Say what streets there are.

        Args:
            street: of the opened file.
            reader: of the file.
            inventory: of the file.
            by_cycles: frames are drawn by Cycles, which draws the file as it is.
            places: others, and which frame is made where.
            furniture: what of the streets' things is labelled; None: only what is marked.
            unlabelled: categories of it that are told apart, and get no label.
        """
        self._street, self._reader, self._inventory = street, reader, inventory
        self._by_cycles = by_cycles
        self._places, self._furniture, self._unlabelled = places, furniture, unlabelled
        self._built: dict[str, Standing] = {}

    @property
    def built(self) -> Mapping[str, Standing]:
        """Places that are built at the moment, by name."""
        return self._built

    def standing(self, index: int, conditions: Conditions | None, moment: Moment | None = None) -> Standing:
        """The street that a frame is made in, bare trees and all in winter.

        Args:
            index: number of the frame.
            conditions: of the frame.
            moment: where it lies in a sequence, all of which is made in one street.
        """
        number = int(index) if moment is None else moment.sequence
        bare, plain = trees_are_bare(conditions), None if self._places is None else self._places.name(number)
        name = None if plain is None else f"{plain} {_BARE}" if bare else plain
        if name in self._built:
            self._built[name] = self._built.pop(name)  # the latest stands last
            return self._built[name]
        place = None if self._places is None or plain is None else self._places.make(plain)
        if place is None or name is None:
            return self._own_bare if bare else self._own
        place = place.without_leaves() if bare else place
        _ = self._inventory.contents  # reads the file, which keeps nothing that was built before
        extractor = self._reader.extractor
        if len(self._built) >= MOST_BUILT:
            oldest = next(iter(self._built))
            del self._built[oldest]
            forget_standing(oldest, extractor)
        built = build_standing(name, place, extractor, self._reader.scene.camera)
        self._built[name] = self._with_furniture(name, built)
        return self._built[name]

    @cached_property
    def _own(self) -> Standing:
        """The street of the file."""
        contents = self._inventory.contents
        own = Standing(self._street, contents.street, contents.marked, self._reader.extractor.pool)
        return self._with_furniture("", own)

    @cached_property
    def _own_bare(self) -> Standing:
        """The street of the file in winter."""
        return self._own if self._by_cycles else drop_leaves(self._own)

    def _with_furniture(self, name: str, standing: Standing) -> Standing:
        if self._furniture is None:
            return standing
        return label_furniture(name, standing, self._furniture, self._unlabelled)
