"""How a visible twin is rendered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Device", "VisibleSettings"]

Device = Literal["auto", "cpu"]


@dataclass(frozen=True)
class VisibleSettings:
    """What a user can choose."""

    samples: int = 16
    """Paths per pixel."""
    denoise: bool = True
    """Whether Open Image Denoise cleans the picture, with albedo and normals as guides."""
    device: Device = "auto"
    """``auto`` takes a GPU where Cycles finds one."""
