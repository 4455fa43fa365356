"""Means of named losses over steps."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

__all__ = ["MeanLosses"]


class MeanLosses:
    """Sums losses on the device, so that no step waits for their values."""

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}
        self.steps = 0
        """Steps since `take`."""

    def add(self, losses: Mapping[str, Tensor]) -> None:
        """Takes the scalars of one step."""
        for name, value in losses.items():
            self._sums[name] = self._sums[name] + value if name in self._sums else value
        self.steps += 1

    def take(self) -> dict[str, float]:
        """Means by name since the last call, which waits for the device; forgets them."""
        means = {name: float(value) / self.steps for name, value in self._sums.items()}
        self._sums, self.steps = {}, 0
        return means
