"""How many cars a frame gets and how far away they stand, where the user says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..errors import SceneError

__all__ = ["ORDINARY", "BoxHeights", "Distances", "Traffic"]

Array = NDArray[np.float64]

CAR_HEIGHT_M = 1.5
"""Of an ordinary car: turns the height of a box into a distance."""
KNOTS = 33
"""Quantiles that a distribution is kept as."""
BINS = 12


@dataclass(frozen=True)
class Distances:
    """How far away cars stand: a distribution, by evenly spaced quantiles.

    Raises:
        SceneError: fewer than two, or not ascending from above 0.
    """

    quantiles_m: tuple[float, ...]
    """From the least to the most; two are a range in which every distance is as likely."""

    def __post_init__(self) -> None:
        """Check the quantiles."""
        values = np.array(self.quantiles_m, dtype=np.float64)
        if len(values) < 2 or not np.isfinite(values).all() or values[0] <= 0 or (np.diff(values) < 0).any():
            raise SceneError(f"distances {self.quantiles_m}: expected two or more, ascending, above 0 m")
        if values[0] == values[-1]:
            raise SceneError(f"distances from {values[0]:g} to {values[-1]:g} m: expected the second to be larger")

    @property
    def nearest_m(self) -> float:
        """Least distance."""
        return self.quantiles_m[0]

    @property
    def farthest_m(self) -> float:
        """Most distance."""
        return self.quantiles_m[-1]

    def draw(self, rng: np.random.Generator) -> float:
        """One distance."""
        shares = np.linspace(0.0, 1.0, len(self.quantiles_m))
        return float(np.interp(rng.random(), shares, self.quantiles_m))

    def keep_share(self, distance_m: float, hidden_power: float = 0.0) -> float:
        """Share of evenly spread cars to keep at a distance, 0 to 1, so that what is left has this distribution.

        Args:
            distance_m: of the car.
            hidden_power: power of the distance by which fewer of the cars are seen that stand there.
        """
        edges, per_m = self._per_m
        kept = per_m * np.sqrt(edges[1:] * edges[:-1]) ** hidden_power
        kept /= kept.max()
        if not edges[0] <= distance_m <= edges[-1]:
            return 0.0
        return float(kept[min(int(np.searchsorted(edges, distance_m, side="right")) - 1, len(kept) - 1)])

    @cached_property
    def _per_m(self) -> tuple[Array, Array]:
        """Edges of bins of equal ratio, and the share of the cars per metre in each."""
        edges = np.geomspace(self.nearest_m, self.farthest_m, BINS + 1)
        edges[0], edges[-1] = self.nearest_m, self.farthest_m
        below = np.interp(edges, self.quantiles_m, np.linspace(0.0, 1.0, len(self.quantiles_m)))
        return edges, np.diff(below) / np.diff(edges)


@dataclass(frozen=True)
class BoxHeights:
    """How high the boxes of cars are in pictures: with a focal length, how far away the cars stand."""

    quantiles_px: tuple[float, ...]
    """Evenly spaced, ascending."""

    @classmethod
    def of(cls, heights_px: Sequence[float]) -> BoxHeights:
        """The distribution of two or more heights.

        Raises:
            SceneError: fewer, or all alike.
        """
        if len(set(heights_px)) < 2:
            raise SceneError(f"{len(heights_px)} boxes of cars: expected two heights or more, to take sizes from")
        return cls(tuple(np.quantile(heights_px, np.linspace(0.0, 1.0, KNOTS)).tolist()))

    def scaled(self, scale: float) -> BoxHeights:
        """The same in pictures that are enlarged by that much."""
        return BoxHeights(tuple(height * scale for height in self.quantiles_px))

    def distances(self, focal_px: float) -> Distances:
        """Where the cars stand, in pictures of that vertical focal length."""
        return Distances(tuple(focal_px * CAR_HEIGHT_M / height for height in reversed(self.quantiles_px)))


@dataclass(frozen=True)
class Traffic:
    """What is asked of the cars of a frame."""

    density: float = 1.0
    """1 is ordinary town traffic, 0 an empty street."""
    distances: Distances | BoxHeights | None = None
    """None: as the street or the free road has them."""
    most: int | None = None
    """Most cars in a frame, the nearest of those that are drawn; None: all."""
    shares: tuple[tuple[str, float], ...] = ()
    """How often a car is of each category, against the others; those that are not named never. Empty: as in traffic."""

    @property
    def is_ordinary(self) -> bool:
        """Whether cars are as many and as far away as the place has them, before any are left out."""
        return self.density == 1.0 and self.distances is None

    def distances_for(self, focal_px: float) -> Distances | None:
        """Distances in pictures of that vertical focal length."""
        return self.distances.distances(focal_px) if isinstance(self.distances, BoxHeights) else self.distances


ORDINARY = Traffic()
