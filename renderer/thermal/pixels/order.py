"""The pixels of a frame sorted by what they show, so that those of a kind go in step."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...optional import kernel
from ...zones.catalogue import FIRST_ENVIRONMENT_ZONE, Zone
from ..kernels import Passes
from ..lanes.in_step import LANES

__all__ = ["FIRST_OBJECT", "ROW_SHIFT", "Order", "in_order"]

ROW_SHIFT = 16
"""Bits of a pixel's place that tell its column; those above are its row."""
FIRST_OBJECT = 256
"""Kinds below are zones of the street; from here on follow 32 zones of each object."""
_SKY = int(Zone.SKY)
_FAR_M = np.float32(1e7)
"""What is farther has not been hit."""


class Order(NamedTuple):
    """Groups of pixels of one kind; the arrays of groups are as long as there are any."""

    places: NDArray[np.int32]
    """(N,) row and column of pixels, group after group: a group is filled up to whole lanes with its last pixel."""
    numbers: NDArray[np.int32]
    """(N,) where in flat arrays of the frame these pixels are; only those of objects are filled in."""
    kinds: NDArray[np.int32]
    """What each group shows: the zone of a street's surface (``Zone.SKY`` also where nothing was hit), or
    :data:`FIRST_OBJECT` + 32 times the row of an object + its zone."""
    starts: NDArray[np.int32]
    """Where in ``places`` a group begins."""
    ends: NDArray[np.int32]
    """Where it ends."""


@kernel
def in_order(passes: Passes, row_of_id: NDArray[np.int32], objects: int, objects_only: bool) -> Order:
    """Sort a frame's pixels, those of a group as they lie in the picture.

    Args:
        passes: of the frame.
        row_of_id: (65536,) row of each object's table by instance id.
        objects: how many rows.
        objects_only: leave out what belongs to no instance.
    """
    zones, ids, depth = passes.zone, passes.instance_id, passes.depth_m
    height, width = zones.shape
    # Runs of equal neighbours: kind, place of the first, length.
    runs, count = np.empty((zones.size, 3), np.int32), 0
    sizes = np.zeros(FIRST_OBJECT + FIRST_ENVIRONMENT_ZONE * objects, np.int32)
    # What tells a row's pixels apart as one number each, by vectors; at the end one that no pixel has.
    marks = np.full(width + 1, np.int32(-1))
    for r in range(height):
        zone_row, id_row, depth_row = zones[r], ids[r], depth[r]
        for k in range(width):
            at = np.uint64(k)
            marks[at] = (np.int32(id_row[at]) << 9) | (np.int32(zone_row[at]) << 1) | np.int32(depth_row[at] < _FAR_M)
        c = 0
        while c < width:
            mark, first = marks[np.uint64(c)], c
            c += 1
            while marks[np.uint64(c)] == mark:
                c += 1
            own, kind, is_hit = mark >> 9, (mark >> 1) & 255, (mark & 1) == 1
            if objects_only and own == 0:
                continue
            if kind == _SKY or not is_hit:
                kind = _SKY
            elif kind < FIRST_ENVIRONMENT_ZONE and own > 0:
                kind += FIRST_OBJECT + FIRST_ENVIRONMENT_ZONE * row_of_id[own]
            runs[count, 0], runs[count, 1], runs[count, 2] = kind, (r << ROW_SHIFT) + first, c - first
            sizes[kind] += c - first
            count += 1
    return _filled(runs[:count], sizes, width)


@kernel
def _filled(runs: NDArray[np.int32], sizes: NDArray[np.int32], width: int) -> Order:
    """The groups of runs (N, 3); ``sizes`` are the pixels of each kind."""
    kinds = _present(sizes)
    starts, ends, next_of_kind = np.empty_like(kinds), np.empty_like(kinds), np.empty_like(sizes)
    total = 0
    for k in range(kinds.size):
        starts[k] = next_of_kind[kinds[k]] = total
        total += (sizes[kinds[k]] + LANES - 1) // LANES * LANES
        ends[k] = total
    places, numbers = np.empty(total, np.int32), np.empty(total, np.int32)
    for i in range(runs.shape[0]):
        kind, first, length = runs[i, 0], runs[i, 1], runs[i, 2]
        at = next_of_kind[kind]
        for k in range(length):
            places[at + k] = first + k
        if kind >= FIRST_OBJECT:
            number = (first >> ROW_SHIFT) * width + (first & ((1 << ROW_SHIFT) - 1))
            for k in range(length):
                numbers[at + k] = number + k
        next_of_kind[kind] = at + length
    for k in range(kinds.size):
        for i in range(next_of_kind[kinds[k]], ends[k]):
            places[i] = places[i - 1]
            if kinds[k] >= FIRST_OBJECT:
                numbers[i] = numbers[i - 1]
    return Order(places, numbers, kinds, starts, ends)


@kernel
def _present(sizes: NDArray[np.int32]) -> NDArray[np.int32]:
    """Which kinds have pixels: ``np.flatnonzero`` in a loop, as Numba's own loads SciPy into every worker."""
    kinds, count = np.empty(sizes.size, np.int32), 0
    for k in range(sizes.size):
        if sizes[k] != 0:
            kinds[count] = k
            count += 1
    return kinds[:count].copy()
