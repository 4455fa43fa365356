"""Which trees have leaves: in weathers with effects, broadleaved ones are bare in winter.

From when to when is assumed: as in central Europe, where the last leaves fall in November and the first unfold in the
second half of April.
"""

from __future__ import annotations

from ..conditions import Conditions

__all__ = ["trees_are_bare"]

_FALLEN, _UNFOLDED = 325, 108
"""Days of the year."""


def trees_are_bare(conditions: Conditions | None) -> bool:
    """Whether a frame's broadleaved trees have no leaves; the simple weathers leave them on all year."""
    if conditions is None or conditions.effects is None:
        return False
    return conditions.day_of_year >= _FALLEN or conditions.day_of_year < _UNFOLDED
