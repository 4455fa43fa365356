"""Models that can be placed: what is known of each by its name, before its meshes are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import bpy
import numpy as np
from numpy.typing import NDArray

from ...scene.cars import ModelSize, with_shares
from ...zones.categories import VEHICLES
from ..library.model_arrays import ModelLibrary
from ..traffic import model_size

__all__ = ["KnownModels"]


class KnownModels:
    """Models of the scene, or of the files that stand in for them, and those of libraries."""

    def __init__(
        self,
        collections: Mapping[str, bpy.types.Collection],
        *,
        people: ModelLibrary | None = None,
        others: Sequence[ModelLibrary] = (),
        shares: Sequence[tuple[str, float]] = (),
        unit_m: float | None = None,
    ) -> None:
        """Say what there is.

        Args:
            collections: models that are in the opened file, by name.
            people: library of people.
            others: libraries of two-wheelers with their riders, of animals and prams, of trams and trailers.
            shares: how often vehicles of each category are drawn; none: as there are models of them.
            unit_m: length of a unit of ``collections``, metres; None: as long as the scene's.
        """
        self.own: Mapping[str, bpy.types.Collection] = dict(collections)
        self.unit_m = unit_m
        self._shares = shares
        self._people, self._others = people, tuple(others)

    @property
    def _libraries(self) -> tuple[ModelLibrary, ...]:
        return (() if self._people is None else (self._people,)) + self._others

    def close(self) -> None:
        """Close the libraries."""
        for library in self._libraries:
            library.close()

    @cached_property
    def own_sizes(self) -> tuple[ModelSize, ...]:
        """Sizes of the models that the scene, or the file of cars, has."""
        return tuple(model_size(collection) for collection in self.own.values())

    @cached_property
    def vehicles(self) -> tuple[ModelSize, ...]:
        """Sizes of the cars that traffic is made of, by name."""
        return with_shares([size for size in self.own_sizes if size.category in VEHICLES], self._shares)

    @cached_property
    def people(self) -> tuple[ModelSize, ...]:
        """Sizes of the people, and of what else is no car, by name."""
        own = tuple(size for size in self.own_sizes if size.category not in VEHICLES)
        return own if self._people is None else (*own, *self._people.sizes)

    @cached_property
    def others(self) -> tuple[ModelSize, ...]:
        """Sizes of two-wheelers and their riders, of animals and prams, by name."""
        return tuple(size for library in self._others for size in library.sizes)

    @cached_property
    def category_of(self) -> dict[str, str]:
        """Categories by name."""
        return {size.name: size.category for size in (*self.own_sizes, *self.people, *self.others)}

    @cached_property
    def clo_of(self) -> dict[str, float]:
        """Insulation of the clothes of models that have any, by name."""
        return {size.name: size.clo for size in (*self.people, *self.others) if size.clo is not None}

    @cached_property
    def library_of(self) -> dict[str, ModelLibrary]:
        """The library that has a model, by the model's name."""
        return {name: library for library in self._libraries for name in library.names}

    def key_points_m(self, name: str) -> NDArray[np.float64] | None:
        """Joints of a model of a library in its own axes, (17, 3) metres, where they are known."""
        library = self.library_of.get(name)
        return None if library is None else library.key_points_m(name)
