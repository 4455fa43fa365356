"""How a hit is written: one number, the part's, shifted, plus the triangle's within it."""

from __future__ import annotations

__all__ = ["NO_HIT", "PART_SHIFT", "TRIANGLE_MASK"]

PART_SHIFT = 32
"""Lower numbers win equal depths, so that parts win in their order and triangles in theirs."""
TRIANGLE_MASK = 2**32 - 1
NO_HIT = 2**62
