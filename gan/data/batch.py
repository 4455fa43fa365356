"""What a training step is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Batch", "Pairing"]

Pairing = Literal["paired", "unpaired"]
"""Whether sources and targets of a batch belong together."""


@dataclass(frozen=True)
class Batch:
    """Sources and targets, (N, C, H, W) and (N, K, H, W) float32 in [-1, 1]; unpaired ones do not match."""

    source: Tensor
    target: Tensor
    inserted: Tensor | None = None
    """(M, C, H, W) sources of objects where no real one was: they have no target."""
