"""Temperatures that `gis translate --temperature` asks for, as text; apart from the images, which load more.

``car=290,person=301`` is one image. A range, ``car=280:310:10``, is an image at each of 280, 290, 300 and 310 K;
several ranges are all their combinations.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Final

from pipelines.errors import ConfigError

__all__ = ["Wanted", "image_names", "read_classes", "read_temperatures"]

Wanted = dict[str, float]
"""Kelvin by entry."""

_MOST_IMAGES: Final = 64
"""Of one source: the combinations of ranges grow quickly."""


def read_temperatures(texts: Sequence[str]) -> tuple[Wanted, ...]:
    """The vectors that options ask for, kelvin by entry.

    Raises:
        ConfigError: something else stands there, or too many images are asked for.
    """
    wanted = [dict(choice) for text in texts for choice in itertools.product(*_choices(text))]
    if len(wanted) > _MOST_IMAGES:
        raise ConfigError(f"temperature: {len(wanted)} images of each input: expected at most {_MOST_IMAGES}")
    return tuple(wanted)


def _choices(text: str) -> list[list[tuple[str, float]]]:
    """For each entry that is named, its temperatures."""
    choices: dict[str, list[tuple[str, float]]] = {}
    for part in text.split(","):
        name, equals, values = (piece.strip() for piece in part.partition("="))
        if not name or not equals or name in choices:
            raise ConfigError(f"temperature: {part.strip()!r}: expected NAME=KELVIN once a name, as car=290,person=301")
        choices[name] = [(name, kelvin) for kelvin in _values(values, part.strip())]
    return list(choices.values())


def _values(text: str, where: str) -> list[float]:
    try:
        numbers = [float(piece) for piece in text.split(":")]
    except ValueError:
        numbers = []
    if len(numbers) not in (1, 3) or not all(map(math.isfinite, numbers)):
        raise ConfigError(f"temperature: {where!r}: expected NAME=KELVIN or NAME=FIRST:LAST:STEP")
    if len(numbers) == 1:
        return numbers
    first, last, step = numbers
    if not step > 0 or last < first or (last - first) / step >= _MOST_IMAGES:
        raise ConfigError(f"temperature: {where!r}: expected rising kelvin and at most {_MOST_IMAGES} steps")
    return [first + step * number for number in range(math.floor((last - first) / step + 1e-9) + 1)]


def read_classes(texts: Sequence[str]) -> tuple[str, ...]:
    """The classes that an option names, with commas between.

    Raises:
        ConfigError: an empty name, or one that is given twice.
    """
    names = tuple(name.strip() for text in texts for name in text.split(","))
    if "" in names or len(set(names)) < len(names):
        raise ConfigError(f"redraw is {', '.join(texts)!r}: expected classes, each once, as car,person")
    return names


def image_names(name: str, count: int) -> list[str]:
    """Names of the images of an input, without suffix."""
    return [name] if count == 1 else [f"{name}_{number}" for number in range(1, count + 1)]
