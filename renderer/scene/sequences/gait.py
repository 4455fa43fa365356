"""Walk cycles: which models are the phases of one person's gait, and how far a stride goes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ...thermal.people import activity_of

__all__ = ["Gait", "KeyPoints", "find_gaits", "standing_models"]

KeyPoints = Callable[[str], NDArray[np.float64] | None]
"""COCO's key points (17, 3) of a model in its own axes, metres; None where they are not known."""

_PHASES: Final = {"walk": 12, "carry": 12, "push": 12, "run": 6}
"""Phases of a stride by the numbers in the names."""
_LEAST_PHASES: Final = 6
"""That a cycle needs: between two of them a shape is blended. Some are in the collection with fewer alone."""
STRIDES_PER_S: Final = {"walk": (0.82, 1.0), "carry": (0.78, 0.95), "push": (0.78, 0.95), "run": (1.3, 1.5)}
"""Cadence: 0.9 strides a second in ordinary walking, 1.4 in slow running (Winter, The Biomechanics and Motor Control of
Human Gait, 1991; Novacheck, Gait and Posture 7, 1998)."""
_FLIGHT: Final = 1.75
"""By how much a running stride is longer than what the feet reach: both are in the air for a part of it (assumed)."""
_LEFT_ANKLE, _RIGHT_ANKLE = 15, 16
_STEP_PER_HEIGHT: Final = 0.4
"""Length of a step as a share of the height, where the joints are not known (Winter 1991)."""


@dataclass(frozen=True)
class Gait:
    """One person's cycle."""

    models: tuple[str, ...]
    """The phases in their order: the left heel strikes in the first."""
    stride_m: float
    """Of two steps."""
    strides_per_s: tuple[float, float]
    """Slowest and fastest cadence."""
    runs: bool = False
    pushes: bool = False
    """Whether the hands are on the handle of a pram."""


def find_gaits(heights_m: Mapping[str, float], key_points: KeyPoints) -> dict[str, list[Gait]]:
    """Cycles that are whole, by person.

    Args:
        heights_m: of the people's models by name: ``person_03.walk_07`` is phase 7 of a walk.
        key_points: of a model.
    """
    phases: dict[tuple[str, str], dict[int, str]] = {}
    for name in heights_m:
        found = re.fullmatch(r"(.+)\.([a-z]+)_([0-9]+)", name)
        if found and found[2] in _PHASES:
            phases.setdefault((found[1], found[2]), {})[int(found[3])] = name
    gaits: dict[str, list[Gait]] = {}
    for (person, kind), names in sorted(phases.items()):
        steps = np.diff([*sorted(names), min(names) + _PHASES[kind]])
        if len(names) >= _LEAST_PHASES and (steps == steps[0]).all():
            models = tuple(names[number] for number in sorted(names))
            stride_m = _stride_m(models, key_points, kind, heights_m[models[0]])
            gait = Gait(models, stride_m, STRIDES_PER_S[kind], kind == "run", kind == "push")
            gaits.setdefault(person, []).append(gait)
    return gaits


def _stride_m(models: tuple[str, ...], key_points: KeyPoints, kind: str, height_m: float) -> float:
    """Twice how far apart the feet are when a heel strikes: both stand then, so that neither slips."""
    points = key_points(models[0])
    step = _STEP_PER_HEIGHT * height_m if points is None else float(points[_LEFT_ANKLE, 0] - points[_RIGHT_ANKLE, 0])
    return 2.0 * max(step, 0.1) * (_FLIGHT if kind == "run" else 1.0)


def standing_models(names: Iterable[str]) -> list[str]:
    """Those of the models that stand still, by name."""
    return sorted(name for name in names if activity_of(name) == "standing")
