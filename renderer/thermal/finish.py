"""What makes the surfaces of two cars of one model differ: colour of the paint, dirt."""

from __future__ import annotations

from bisect import bisect
from itertools import accumulate
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..zones.catalogue import FIRST_ENVIRONMENT_ZONE, Zone

__all__ = ["Finish", "draw_finish"]

_PAINTED: Final = (Zone.BODY, Zone.ROOF, Zone.BONNET)

# Share of new cars and absorptance of sunlight. Shares: Axalta, Global Automotive Color Popularity Report 2020 (white
# 38 %, black 19, grey 15, silver 9, blue 7, red 5, rest 7), gathered in three; absorptances: white 0.25 and black 0.95
# as in assets/thermal_profiles.toml, the middle assumed.
_SHARES: Final = (0.38, 0.34, 0.28)
_UP_TO: Final = tuple(accumulate(_SHARES))
_ABSORPTANCES: Final = (0.25, 0.92, 0.62)
_MEAN_ABSORPTANCE: Final = 0.65
"""Of paint in assets/thermal_profiles.toml, which these are given relative to."""
_MOST_DIRT: Final = 0.75
"""Share of its mirror that the dirtiest paint has lost (assumed); windows are wiped and lose a third of that."""


class Finish(NamedTuple):
    """Factors of one car by zone, (32,) each."""

    sun: NDArray[np.float64]
    """On the warming by the sun."""
    gloss: NDArray[np.float64]
    """On the mirror of the surface, 0-1."""

    @property
    def absorptance(self) -> float:
        """Of the paint, for sunlight, 0-1."""
        return float(self.sun[Zone.BODY] * _MEAN_ABSORPTANCE)


def draw_finish(rng: np.random.Generator) -> Finish:
    """Paint and dirt of one car."""
    sun, gloss = np.ones(FIRST_ENVIRONMENT_ZONE), np.ones(FIRST_ENVIRONMENT_ZONE)
    # As Generator.choice with these shares draws, which looks at them anew each time for ten times as long.
    absorptance = _ABSORPTANCES[bisect(_UP_TO, rng.random())] + rng.uniform(-0.05, 0.05)
    dirt = _MOST_DIRT * rng.random() ** 2
    for zone in _PAINTED:
        sun[zone], gloss[zone] = absorptance / _MEAN_ABSORPTANCE, 1.0 - dirt
    # Sun passes through a clear cover into the lamp: between the paint's warming and its own.
    sun[Zone.LAMP] = 0.5 + 0.5 * sun[Zone.BODY]
    gloss[Zone.GLASS] = 1.0 - dirt / 3.0
    return Finish(sun, gloss)
