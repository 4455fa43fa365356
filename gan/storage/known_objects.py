"""The objects that a model has seen, as its file states them.

A network that was trained on windows around objects of some sizes knows what a wheel or a lamp looks like at those
sizes, and takes the smooth surface of a larger object for something else. A file that states nothing was trained on
whole frames, or by somebody who did not say.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

__all__ = ["KNOWN_OBJECTS", "KnownObjects"]

KNOWN_OBJECTS: Final = "objects"
"""Key in the description of a model file, and in that of its conversion."""
_LARGEST_PX: Final = 4096


@dataclass(frozen=True)
class KnownObjects:
    """Sizes are longer sides of objects, in pixels of what the network is given."""

    smallest_px: int
    largest_px: int
    """Objects that are larger are shown at half the size, a quarter, and so on."""
    scene_largest_px: int | None = None
    """The same in a rendered scene, which is farther from what a network has seen than real frames are; None: the
    same size."""
    scene_detail_px: float | None = None
    """In a rendered scene the levels of larger objects stay those of the physics: of what the network changes, only
    what is finer than a Gaussian of this sigma is taken, in pixels of what it is given. None takes all."""

    def __post_init__(self) -> None:
        """Checks the values.

        Raises:
            ValueError: sizes that no object has, or the larger one first.
        """
        if not 1 <= self.smallest_px < self.largest_px <= _LARGEST_PX:
            raise ValueError(f"objects of {self.smallest_px} to {self.largest_px} px: expected 1 to {_LARGEST_PX}")
        if not self.smallest_px < self.largest_in(rendered=True) <= _LARGEST_PX:
            raise ValueError(f"objects in scenes up to {self.scene_largest_px} px: expected more than the smallest")
        if self.scene_detail_px is not None and not 0 < self.scene_detail_px <= _LARGEST_PX:
            raise ValueError(f"detail of {self.scene_detail_px} px: expected more than 0")

    def largest_in(self, *, rendered: bool) -> int:
        """The largest object of a rendered scene, or of a real frame, pixels."""
        return self.scene_largest_px if rendered and self.scene_largest_px is not None else self.largest_px

    @classmethod
    def from_json(cls, about: Mapping[str, Any]) -> KnownObjects | None:
        """Reads what `to_json` gave, from the description that holds it; None where it states nothing.

        Raises:
            ValueError: something else stands there.
        """
        stored = about.get(KNOWN_OBJECTS)
        if stored is None:
            return None
        names = {field.name for field in fields(cls)}
        if not isinstance(stored, dict) or not {"smallest_px", "largest_px"} <= set(stored) <= names:
            raise ValueError(f"{KNOWN_OBJECTS} is {str(stored)[:60]}: expected {', '.join(sorted(names))}")
        whole = all(type(value) is int for name, value in stored.items() if name != "scene_detail_px")
        detail = stored.get("scene_detail_px")
        if not whole or not (detail is None or (type(detail) in (int, float) and math.isfinite(detail))):
            raise ValueError(f"{KNOWN_OBJECTS} is {str(stored)[:60]}: expected numbers of pixels")
        return cls(**stored)

    def to_json(self) -> dict[str, Any]:
        """What stands in a description."""
        return {KNOWN_OBJECTS: {name: value for name, value in asdict(self).items() if value is not None}}
