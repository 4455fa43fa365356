"""Names of the files of a data set, for those who need no more of it: imports nothing."""

from __future__ import annotations

from typing import Final

__all__ = ["FRAMES_FILE", "OVER_IMAGES", "frame_name", "kind_of_scene"]

FRAMES_FILE: Final = "frames.jsonl"
OVER_IMAGES: Final = "over images"
"""In place of a scene's kind where real images are the background."""


def frame_name(index: int) -> str:
    """Name of a frame's files without suffix: ``000012``."""
    return f"{index:06d}"


def kind_of_scene(name: str) -> str:
    """``residential`` of ``residential-4711``, one of many such streets; other scenes are a kind of their own."""
    kind, dash, number = name.rpartition("-")
    return kind if dash and number.isdecimal() else name
