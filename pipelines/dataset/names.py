"""Names of the files of a data set, for those who need no more of it: imports nothing."""

from __future__ import annotations

from typing import Final

__all__ = ["FRAMES_FILE", "frame_name"]

FRAMES_FILE: Final = "frames.jsonl"


def frame_name(index: int) -> str:
    """Name of a frame's files without suffix: ``000012``."""
    return f"{index:06d}"
