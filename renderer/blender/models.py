"""Car models from files."""

from __future__ import annotations

from pathlib import Path

import bpy

__all__ = ["load_models"]


def load_models(path: Path) -> tuple[dict[str, bpy.types.Collection], tuple[str, ...]]:
    raise ValueError("later")
