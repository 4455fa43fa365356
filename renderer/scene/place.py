"""A place where traffic happens, as plain arrays: what stands still in it, and its street.

A scene file has one place, its own. A session may be given others, which are built when a frame is to be made there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..visible.looks import Look
from .street import Street

__all__ = ["Faces", "Place", "Places", "Thing"]


@dataclass(frozen=True, eq=False)
class Faces:
    """A mesh of flat polygons."""

    positions_m: NDArray[np.float64]
    """(V, 3) in the mesh's own axes, metres."""
    corners: Sequence[tuple[int, ...]]
    """Vertices of each polygon, counter-clockwise seen from its front."""
    zones: NDArray[np.int32]
    """(F,) :class:`renderer.zones.catalogue.Zone` of each polygon."""
    materials: Sequence[str] = ()
    """Names of the polygons' materials; empty: they look as their zones do."""


@dataclass(frozen=True, eq=False)
class Thing:
    """One thing that stands still."""

    name: str
    mesh: str
    object_to_world: NDArray[np.float64]
    """(4, 4), metres."""


@dataclass(frozen=True, eq=False)
class Place:
    """What stands still, and the street for traffic and people. Nothing in it is labelled."""

    meshes: Mapping[str, Faces]
    things: Sequence[Thing]
    street: Street
    looks: Mapping[str, Look] = field(default_factory=dict)
    """Of materials by name."""
    bare: Callable[[], Mapping[str, Faces]] | None = None
    """Makes the meshes, by name, that stand for others while trees have no leaves."""

    def without_leaves(self) -> Place:
        """The place in winter."""
        return self if self.bare is None else replace(self, meshes={**self.meshes, **self.bare()}, bare=None)


class Places(Protocol):
    """Which place each frame is made in."""

    def name(self, index: int) -> str:
        """Of the place of a frame; the same at every call."""

    def make(self, name: str) -> Place | None:
        """The place of that name; None for the one of the scene file."""
