"""What a training step is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Batch", "Pairing"]

Pairing = Literal["paired", "unpaired"]
"""Whether source and target of a step show one scene."""


@dataclass(frozen=True)
class Batch:
    """Sources and targets, (N, C, H, W) and (N, K, H, W) float32 in [-1, 1]; unpaired ones do not match."""

    source: Tensor
    target: Tensor
    unpaired: Tensor | None = None
    """(M, C, H, W) sources of objects that have no target, because they were put where no real one was."""
    objects: Tensor | None = None
    """(N, 2, H, W) int32, of data with temperatures: place of each pixel's object in the vector, and its id; 0 is the
    background."""
