"""How many pixels go in step."""

from __future__ import annotations

__all__ = ["LANES"]

LANES = 8
"""A register of AVX holds so many 32-bit numbers; processors without take several."""
