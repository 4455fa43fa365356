"""The objects that a model has seen, as its file states them.

A network that was trained on windows around objects of some sizes knows what a wheel or a lamp looks like at those
sizes, and takes the smooth surface of a larger object for something else. A file that states nothing was trained on
whole frames, or by somebody who did not say.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
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
    scene_detail_of_all: bool = False
    """Whether the levels of objects that are shown as they are stay those of the physics too."""
    scene_given_px: tuple[int, int] | None = None
    """In a rendered scene objects from the first size up to below the second alone are given to the network; others
    stay as the physics makes them. None: all are given."""

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
        if self.scene_detail_of_all and self.scene_detail_px is None:
            raise ValueError("detail of all objects in scenes: expected scene_detail_px, its size, too")
        if self.scene_given_px is not None:
            low, high = self.scene_given_px
            if not 0 <= low < high <= _LARGEST_PX:
                raise ValueError(f"objects of {low} to {high} px given in scenes: expected sizes of 0 to {_LARGEST_PX}")

    def largest_in(self, *, rendered: bool) -> int:
        """The largest object of a rendered scene, or of a real frame, pixels."""
        return self.scene_largest_px if rendered and self.scene_largest_px is not None else self.largest_px

    def detail_in(self, factor: int, *, rendered: bool) -> float | None:
        """Sigma of the Gaussian that a change must be finer than, pixels of what is shown; None takes all.

        Args:
            factor: by how much the objects are shrunk before they are shown.
            rendered: whether the scene is the background.
        """
        return self.scene_detail_px if rendered and (factor > 1 or self.scene_detail_of_all) else None

    def leaves(self, size_px: float, *, rendered: bool) -> bool:
        """Whether an object of that longer side stays as it is."""
        given = self.scene_given_px if rendered else None
        return given is not None and not given[0] <= size_px < given[1]

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
        if not all(_KINDS.get(name, _is_whole)(value) for name, value in stored.items()):
            raise ValueError(f"{KNOWN_OBJECTS} is {str(stored)[:60]}: expected numbers of pixels")
        given = stored.get(_GIVEN)
        return cls(**stored | ({} if given is None else {_GIVEN: (given[0], given[1])}))

    def to_json(self) -> dict[str, Any]:
        """What stands in a description."""
        said = {name: value for name, value in asdict(self).items() if value is not None and value is not False}
        if self.scene_given_px is not None:
            said[_GIVEN] = list(self.scene_given_px)
        return {KNOWN_OBJECTS: said}


def _is_whole(value: object) -> bool:
    return type(value) is int


def _is_number(value: object) -> bool:
    return type(value) is int or (type(value) is float and math.isfinite(value))


def _is_range(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(_is_whole(one) for one in value)


_GIVEN: Final = "scene_given_px"
_KINDS: Final[Mapping[str, Callable[[object], bool]]] = {
    "scene_detail_px": _is_number,
    "scene_detail_of_all": lambda value: type(value) is bool,
    _GIVEN: _is_range,
}
"""What a field may be in a file; the others are whole numbers."""
