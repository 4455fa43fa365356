"""The option ``distances``, as its text: a range in metres, or boxes of real cars whose sizes the placed ones get."""

from __future__ import annotations

import math
import os
from pathlib import Path

from pipelines.dataset.names import FRAMES_FILE
from pipelines.errors import ConfigError
from pipelines.io.files import named_file

__all__ = ["OF_BACKGROUNDS", "check_distances", "described_distances", "described_set", "is_set", "range_m"]

OF_BACKGROUNDS = "boxes"
"""Word for the boxes of the backgrounds."""
NEAREST_M, FARTHEST_M = 3.0, 300.0
"""Nearer a car fills the picture, and farther away it is no more than a few pixels."""


def check_distances(text: str | None, boxes: Path | None) -> None:
    """Checks the option's text.

    Args:
        text: of the option; None is always right.
        boxes: the option of that name.

    Raises:
        ConfigError: it is none of what is expected, or there are no boxes that it could mean.
    """
    if text is None or range_m(text) is not None:
        return
    if text == OF_BACKGROUNDS:
        if boxes is None:
            raise ConfigError("distances boxes takes the sizes of --boxes: give --boxes too, or NEAR,FAR in metres")
    elif not text.strip() or not (Path(text).exists() or is_set(text)):
        raise ConfigError(
            f"distances {text}: expected NEAR,FAR in metres, the word boxes, a file or folder of boxes, a stats.json, "
            "or a set; there is none of that name"
        )


def range_m(text: str) -> tuple[float, float] | None:
    """Two numbers, nearest and farthest, or None where the text is something else.

    Raises:
        ConfigError: two numbers that are no range.
    """
    try:
        near, far = (float(word) for word in text.split(","))
    except ValueError:
        return None
    if not (math.isfinite(near) and math.isfinite(far) and NEAREST_M <= near < far <= FARTHEST_M):
        raise ConfigError(f"distances {text}: expected NEAR,FAR with {NEAREST_M:g} <= NEAR < FAR <= {FARTHEST_M:g} m")
    return near, far


def described_distances(text: str | None) -> str | dict[str, str] | None:
    """What a data set says of the option: files by name and hash."""
    if text is None or text == OF_BACKGROUNDS or range_m(text) is not None:
        return text
    return described_set(text) if is_set(text) else named_file(Path(text))


def is_set(text: str) -> bool:
    """Whether it names frames with their labels: ``FRAMES=LABELS``, a data set of gis, a folder with ``images/``."""
    from pipelines.dataset.packed.reader import is_packed

    if is_packed(text):
        return True
    if os.path.isdir(text):
        return os.path.isfile(os.path.join(text, FRAMES_FILE)) or os.path.isdir(os.path.join(text, "images"))
    frames, equals, labels = text.partition("=")
    return bool(equals) and not os.path.exists(text) and os.path.isdir(frames) and os.path.exists(labels)


def described_set(text: str) -> dict[str, str]:
    """What a data set says of another that it took figures from: name and hash of its labels, or of a stats.json."""
    from pipelines.statistics.observed import described_labels

    return described_labels(text) if is_set(text) else named_file(Path(text))
