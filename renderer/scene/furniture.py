"""What of a street's own things can be labelled: which triangles are a traffic light, a sign, a lamp, a parked bicycle.

Real data sets draw their boxes around lights and plates and leave the posts out, so a label is of a part of a mesh.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..geometry.meshes import Mesh
from ..zones.names import furniture_from_name

__all__ = ["Furniture", "FurniturePart", "kind_of_thing", "labelled_triangles"]

Corner = tuple[float, float, float]


@dataclass(frozen=True)
class FurniturePart:
    """A labelled part of a mesh."""

    category: str
    low_m: Corner
    """Lowest corner of a box in the mesh's own axes: what of the mesh lies inside of it, whole triangles, is the
    part."""
    high_m: Corner
    more_m: tuple[tuple[Corner, Corner], ...] = ()
    """Corners of further boxes that hold triangles of it."""

    def holds(self, positions: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Which points (V, 3) of a mesh lie in which of its boxes: (boxes, V)."""
        boxes = ((self.low_m, self.high_m), *self.more_m)
        return np.stack([((positions >= low) & (positions <= high)).all(axis=1) for low, high in boxes])


Furniture = Mapping[str, Sequence[FurniturePart]]
"""Labelled parts of the things that are known, by the name of the thing."""


def kind_of_thing(name: str) -> str:
    """Name of a thing without the number that tells it from others of its kind: ``lamp.003`` is a ``lamp``."""
    return re.sub(r"\.\d+$", "", name)


def labelled_triangles(name: str, mesh: Mesh, known: Furniture) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Categories of what of a mesh is labelled, with its triangles (T,).

    Args:
        name: of the thing; of one that is not known it tells what the whole of it is, if anything.
        mesh: of the thing.
        known: the parts that are known.
    """
    kind = kind_of_thing(name)
    for part in known.get(kind, ()):
        chosen = part.holds(mesh.positions)[:, mesh.triangles].all(axis=2).any(axis=0)
        if chosen.any():
            yield part.category, chosen
    if kind not in known and (category := furniture_from_name(kind)) is not None:
        yield category, np.ones(len(mesh.triangles), np.bool_)
