"""Which part each pixel of a rendering by Cycles shows.

Object and copy are told by three things: the object's index, a copy's place (the translation of its matrix) and its
random number (a hash of what ``persistent_id`` holds, 24 bits of which are seen). The very depsgraph that is rendered
says what they are for each copy. Two copies that agree in all three would have to be of one object at one place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import bpy
import numpy as np
from numpy.typing import NDArray

from ...errors import SceneError
from ..copies import path_of
from ..extract import PlacedMesh

__all__ = ["MAX_OWNERS", "DrawnCopy", "Seen", "drawn_copies", "find_parts", "number_owners"]

MAX_OWNERS = int(np.iinfo(np.int16).max)
"""Objects that Blender's object index tells apart."""
_MIX = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93], np.uint64)
"""Odd numbers without a pattern, for hashing (of xxHash and splitmix64)."""


@dataclass(frozen=True, eq=False)
class Seen:
    """What a rendering shows of objects and copies; arrays are (H, W) and (H, W, 3)."""

    owner: NDArray[np.int64]
    random: NDArray[np.float32]
    place: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class DrawnCopy:
    """A copy as a depsgraph says it is."""

    name: tuple[str, str, tuple[int, ...]]
    """Full names of the instancer in the scene and of the object, and which copy it is."""
    random: np.float32
    place: NDArray[np.float32]
    """(3,)."""


def number_owners(owners: Mapping[str, bpy.types.Object], numbers: dict[str, int]) -> None:
    """Number objects that have no number yet, and write the numbers as Blender's object indices.

    Args:
        owners: objects that meshes are of, by full name.
        numbers: those that were given, from 1, by full name; the new ones are put in.

    Raises:
        SceneError: there are more than Blender's object index holds.
    """
    for name in sorted(owners.keys() - numbers.keys()):
        numbers[name] = len(numbers) + 1
    if len(numbers) > MAX_OWNERS:
        raise SceneError(
            f"{len(numbers)} mesh objects: the engine cycles tells at most {MAX_OWNERS} apart; "
            "take the engine raster, or join objects"
        )
    for name, owner in owners.items():
        if owner.pass_index != numbers[name]:
            owner.pass_index = numbers[name]


def drawn_copies(depsgraph: bpy.types.Depsgraph) -> list[DrawnCopy]:
    """Random number and place of every copy, with Cycles' rounding."""
    return [
        DrawnCopy(
            (entry.parent.original.name_full, entry.object.original.name_full, path_of(entry)),
            np.float32(entry.random_id & 0xFFFFFFFF) * np.float32(2.0**-32),
            np.array(entry.matrix_world.translation, dtype=np.float32),
        )
        for entry in depsgraph.object_instances
        if entry.is_instance and entry.parent
    ]


def find_parts(
    seen: Seen, placed: Sequence[PlacedMesh], numbers: dict[str, int], copies: Sequence[DrawnCopy]
) -> NDArray[np.int64]:
    """(H, W) number of the part in each pixel, from 1; 0 where it cannot be told.

    Args:
        seen: the rendering.
        placed: the parts.
        numbers: of the objects, by full name.
        copies: what was rendered.
    """
    alone = np.zeros(len(numbers) + 1, np.int64)
    part_of: dict[tuple[str, str, tuple[int, ...]], int] = {}
    for number, mesh in enumerate(placed, start=1):
        if mesh.instancer is None:
            alone[numbers[mesh.owner.name_full]] = number
        else:
            part_of.setdefault((mesh.instancer.name_full, mesh.owner.name_full, mesh.path), number)
    part = np.where(_is_silent(seen), 0, alone[seen.owner])
    shown = [copy for copy in copies if copy.name in part_of]
    if not shown:
        return np.asarray(np.where(part == 0, alone[seen.owner], part))
    keys = _mixed(
        np.array([numbers[copy.name[1]] for copy in shown], np.int64),
        np.array([copy.random for copy in shown], np.float32),
        np.array([copy.place for copy in shown], np.float32),
    )
    order = np.argsort(keys, kind="stable")
    pixels = _mixed(seen.owner, seen.random, seen.place)
    at = np.minimum(np.searchsorted(keys[order], pixels), len(order) - 1)
    parts = np.array([part_of[copy.name] for copy in shown], np.int64)[order]
    return np.asarray(np.where(keys[order][at] == pixels, parts[at], part))


def _is_silent(seen: Seen) -> NDArray[np.bool_]:
    """(H, W) where the material had no AOVs, as Cycles' own for surfaces without one."""
    return np.asarray((seen.random == 0) & ~seen.place.any(axis=-1))


def _mixed(owner: NDArray[np.int64], random: NDArray[np.float32], place: NDArray[np.float32]) -> NDArray[np.uint64]:
    """One number of 64 bits for object, random number and place; (...) and (..., 3)."""
    bits = np.ascontiguousarray(np.concatenate([random[..., None], place], axis=-1) + np.float32(0)).view(np.uint32)
    mixed = owner.astype(np.uint64)
    with np.errstate(over="ignore"):
        for axis, factor in enumerate(_MIX):
            mixed = (mixed ^ bits[..., axis].astype(np.uint64)) * factor
            mixed ^= mixed >> np.uint64(29)
    return np.asarray(mixed)
