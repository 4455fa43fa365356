"""Texts of options that hold several numbers: weights by name, and distributions."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pipelines.errors import ConfigError

__all__ = ["parse_levels", "parse_weights"]

MOST_LEVELS, LARGEST = 101, 255.0
"""Numbers of a distribution, and their limit: grey levels of 8 bits."""


def parse_weights(text: str, option: str, names: Sequence[str], example: str) -> dict[str, float]:
    """Weights by name, without those of 0: ``residential=2,city=1``.

    Args:
        text: of the option.
        option: its name, for messages.
        names: that can have a weight.
        example: of a text.

    Raises:
        ConfigError: an unknown name, a weight that is none, or nothing above 0.
    """
    weights: dict[str, float] = {}
    for entry in text.replace(" ", "").split(","):
        name, _, number = entry.partition("=")
        try:
            weight = float(number)
        except ValueError:
            weight = -1.0
        if name not in names or name in weights or not 0.0 <= weight < 1e6:
            raise ConfigError(
                f"{option}: {entry!r}: expected {_kind(option)}=WEIGHT with one of {', '.join(names)}, each once, and "
                f"a weight of 0 or more, e.g. {example}"
            )
        weights[name] = weight
    if not any(weights.values()):
        raise ConfigError(f"{option} {text!r}: expected at least one weight above 0")
    return {name: weight for name, weight in weights.items() if weight}


def _kind(option: str) -> str:
    return "HOUR" if option == "hours" else "KIND"


def parse_levels(text: str | None, option: str) -> tuple[float, ...] | None:
    """A distribution of grey levels by evenly spaced quantiles, from the least to the most; one number is all of it.

    Args:
        text: ``1.5`` or ``1.1,1.3,1.5,2.0``; None is none.
        option: its name, for messages.

    Raises:
        ConfigError: no rising numbers of 0 to 255.
    """
    if text is None:
        return None
    try:
        levels = [float(word) for word in text.split(",")]
    except ValueError:
        levels = [math.nan]
    if not all(0.0 <= level <= LARGEST for level in levels) or levels != sorted(levels) or len(levels) > MOST_LEVELS:
        raise ConfigError(
            f"{option} {text[:60]!r}: expected grey levels of 0 to {LARGEST:g}: one for all frames, or rising ones "
            "with commas between, evenly spaced quantiles of what frames get, e.g. 1.1,1.3,1.5,2.0"
        )
    return tuple(levels)
