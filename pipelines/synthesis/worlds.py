"""`--scene worlds`: a mixture of streets, and which of them each frame is made in.

The world of a frame follows from the seed and the frame's number. Frames are counted in spans of :data:`SPAN`; each
span has streets of its own, so that a large data set has many and a process holds few at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from assets import CITY, WORLD_KINDS
from renderer.random_streams import Draw, Stream

from pipelines.synthesis.likeness.option_texts import parse_weights

if TYPE_CHECKING:
    from renderer.scene.place import Place

__all__ = ["CITY_KIND", "DEFAULT_WORLDS", "SPAN", "WORLDS", "WorldMixture", "kind_of", "parse_worlds"]

WORLDS: Final = Path("worlds")
"""What `--scene` is told for the mixture."""
CITY_KIND: Final = "city"
"""The shipped street, in the mixture beside the kinds that are generated."""
DEFAULT_WORLDS: Final = "residential=4,town=4,city=3,arterial=2,country=0.5,motorway=0.25,car_park=0.25"
SPAN: Final = 1000
"""Frames that share a set of streets."""
_STREETS: Final = 9
"""Generated streets of a span, of all kinds together, or one of each kind if these are more."""
_MOST_SEED: Final = 1_000_000


def parse_worlds(text: str) -> dict[str, float]:
    """Weights by kind, without those of 0: ``residential=2,city=1``.

    Raises:
        ConfigError: an unknown kind, a weight that is none, or nothing above 0.
    """
    return parse_weights(text, "worlds", (*WORLD_KINDS, CITY_KIND), "residential=2,city=1")


def kind_of(name: str) -> str:
    """Kind of a world by its name: ``residential-4711`` is a residential street, ``city.blend`` the city."""
    return CITY_KIND if name == CITY.name else name.rpartition("-")[0]


@dataclass(frozen=True)
class WorldMixture:
    """Which world each frame of a seed is made in; :class:`renderer.scene.place.Places`."""

    seed: int
    text: str = DEFAULT_WORLDS
    """As :func:`parse_worlds` reads it."""

    @cached_property
    def _weights(self) -> dict[str, float]:
        return parse_worlds(self.text)

    @cached_property
    def _counts(self) -> dict[str, int]:
        """Streets of each generated kind in a span: by weight, at least one."""
        generated = {kind: weight for kind, weight in self._weights.items() if kind != CITY_KIND}
        total = sum(generated.values())
        return {kind: max(1, round(_STREETS * weight / total)) for kind, weight in generated.items()}

    def name(self, index: int) -> str:
        """``KIND-SEED`` of a frame's world, as `gis scene --kind KIND --seed SEED` writes it; else the city's file."""
        return _name(self, index)

    def _drawn_name(self, index: int) -> str:
        rng = Draw(self.seed, index).rng(Stream.WORLD)
        kinds = sorted(self._weights)
        weights = np.array([self._weights[kind] for kind in kinds])
        kind = kinds[int(rng.choice(len(kinds), p=weights / weights.sum()))]
        if kind == CITY_KIND:
            return CITY.name
        which = int(rng.integers(self._counts[kind]))
        streets = np.random.default_rng([self.seed, index // SPAN, int(Stream.WORLD), which, *kind.encode()])
        return f"{kind}-{int(streets.integers(_MOST_SEED))}"

    def make(self, name: str) -> Place | None:
        """The world of that name; None for the city, which is the open scene itself."""
        kind = kind_of(name)
        if kind == CITY_KIND:
            return None
        from assets.build.worlds.scene import build_place  # it needs Blender

        return build_place(kind, int(name.rpartition("-")[2]))


@lru_cache(maxsize=64)
def _name(mixture: WorldMixture, index: int) -> str:
    """Kept, for each frame is asked for its world several times: where it is made and for its record."""
    return mixture._drawn_name(index)
