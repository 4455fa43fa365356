"""Car models as the fit needs them: outer points, thermal zones, and bins of the surface.

A *bin* is a place on a car that is the same place on every car: a cell of the paint by face and position, or a part
such as the windscreen or the tyres. The texture is learned per bin. A *part* is a coarser piece whose borders show.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray
from renderer.geometry.meshes import MeshPool, make_mesh
from renderer.zones.catalogue import Zone
from safetensors import SafetensorError

from pipelines.errors import DatasetError
from pipelines.io.files import write_bytes

__all__ = ["BINS", "PARTS", "PART_OF_BIN", "Shape", "load_shapes", "make_shape", "parse_shapes", "pools", "save_shapes"]

UInt8 = NDArray[np.uint8]
Array = NDArray[np.float64]

SIDE_ALONG, SIDE_UP = 8, 5
END_ACROSS, END_UP = 3, 5
TOP_ALONG, TOP_ACROSS = 8, 2
_SIDE = 1
_FRONT = _SIDE + SIDE_ALONG * SIDE_UP
_REAR = _FRONT + END_ACROSS * END_UP
_TOP = _REAR + END_ACROSS * END_UP
_GLASS = _TOP + TOP_ALONG * TOP_ACROSS
_LAMP = _GLASS + 4
_TYRE = _LAMP + 2
_OTHER = _TYRE + 1
_OTHER_ZONES = (Zone.GRILLE, Zone.BRAKE, Zone.EXHAUST, Zone.UNDERBODY, Zone.INTERIOR)
BINS = _OTHER + len(_OTHER_ZONES)
"""Number of bins; bin 0 is no car."""

PARTS = ("none", "side", "front", "rear", "roof", "bonnet", "glass", "tyre", "under")
"""Pieces of a car that the score compares with each other."""
CREASE_DEG = 40.0
"""Surfaces that meet at a larger angle have an edge between them, not a bend."""
MAX_EDGE_M = 0.32
"""Larger triangles are split, so that one does not lie in several bins."""
DIRECTIONS = 1200
"""Directions in which a model's outermost points are sought: 2.5 degrees apart."""


def _part_table() -> UInt8:
    table = np.zeros(256, np.uint8)
    table[_SIDE:_FRONT] = PARTS.index("side")
    table[_FRONT:_REAR] = PARTS.index("front")
    table[_REAR:_TOP] = PARTS.index("rear")
    table[_TOP:_GLASS] = PARTS.index("roof")
    # The foremost quarter of what faces up is bonnet.
    table[_TOP + (TOP_ALONG - 2) * TOP_ACROSS : _GLASS] = PARTS.index("bonnet")
    table[_GLASS:_LAMP] = PARTS.index("glass")
    table[_LAMP], table[_LAMP + 1] = PARTS.index("front"), PARTS.index("rear")
    table[_TYRE] = PARTS.index("tyre")
    named = ("front", "tyre", "rear", "under", "glass")
    table[_OTHER:BINS] = [PARTS.index(name) for name in named]
    return table


PART_OF_BIN = _part_table()


@dataclass(frozen=True, eq=False)
class Shape:
    """One car model, ready to be fitted."""

    name: str
    category: str
    positions: NDArray[np.float32]
    """(V, 3) metres: x forward, y left, z up."""
    triangles: NDArray[np.int32]
    """(T, 3)"""
    zones: UInt8
    """(T,) thermal zones."""
    bins: UInt8
    """(T,) bins, 1 to ``BINS - 1``."""
    outer: Array
    """(N, 3) points that bound the model in every direction."""

    @property
    def height_m(self) -> float:
        """Height above the ground."""
        return float(self.outer[:, 2].max())

    @property
    def length_m(self) -> float:
        """Length."""
        return float(np.ptp(self.outer[:, 0]))

    @property
    def width_m(self) -> float:
        """Width, mirrors included."""
        return float(np.ptp(self.outer[:, 1]))


def make_shape(
    name: str, category: str, positions: NDArray[np.float32], triangles: NDArray[np.int32], zones: UInt8
) -> Shape:
    """A model with its bins; see :class:`Shape`."""
    positions, triangles, zones = _split(positions, triangles, zones)
    bins = _bins(positions.astype(np.float64), triangles, zones)
    return Shape(name, category, positions, triangles, zones, bins, _outer(positions.astype(np.float64)))


def _split(
    positions: NDArray[np.float32], triangles: NDArray[np.int32], zones: UInt8
) -> tuple[NDArray[np.float32], NDArray[np.int32], UInt8]:
    """The same surface with every triangle that is too long cut in two at its longest edge, until none is."""
    while True:
        corners = positions[triangles]
        length = np.linalg.norm(corners - np.roll(corners, -1, axis=1), axis=2)
        long = np.flatnonzero(length.max(axis=1) > MAX_EDGE_M)
        if not len(long):
            return positions, triangles, zones
        first = length[long].argmax(axis=1)
        a, b, c = (triangles[long, (first + turn) % 3] for turn in range(3))
        middle = (len(positions) + np.arange(len(long))).astype(np.int32)
        positions = np.concatenate([positions, (positions[a] + positions[b]) / 2])
        kept = np.delete(triangles, long, axis=0)
        triangles = np.concatenate([kept, np.stack([a, middle, c], 1), np.stack([middle, b, c], 1)])
        zones = np.concatenate([np.delete(zones, long), zones[long], zones[long]])


def _bins(positions: Array, triangles: NDArray[np.int32], zones: UInt8) -> UInt8:
    """(T,) bin of each triangle."""
    a, b, c = positions[triangles].transpose(1, 0, 2)
    centre = (a + b + c) / 3
    normal = np.cross(b - a, c - a)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
    low, high = positions.min(axis=0), positions.max(axis=0)
    share = np.clip((centre - low) / (high - low), 0.0, 0.999)
    across = np.abs(share[:, 1] * 2 - 1)
    up, end = normal[:, 2] > 0.75, np.abs(normal[:, 0]) > np.abs(normal[:, 1])
    ahead = normal[:, 0] > 0
    side_bin = _SIDE + (share[:, 0] * SIDE_ALONG).astype(int) * SIDE_UP + (share[:, 2] * SIDE_UP).astype(int)
    end_bin = np.where(ahead, _FRONT, _REAR)
    end_bin = end_bin + (across * END_ACROSS).astype(int) * END_UP + (share[:, 2] * END_UP).astype(int)
    top_bin = _TOP + (share[:, 0] * TOP_ALONG).astype(int) * TOP_ACROSS + (across * TOP_ACROSS).astype(int)
    bins = np.where(up, top_bin, np.where(end, end_bin, side_bin))
    glass = np.where(end | up, np.where(share[:, 0] > 0.5, 0, 1), np.where(share[:, 0] > 0.5, 2, 3))
    bins = np.where(zones == Zone.GLASS, _GLASS + glass, bins)
    bins = np.where(zones == Zone.LAMP, np.where(share[:, 0] > 0.5, _LAMP, _LAMP + 1), bins)
    bins = np.where(zones == Zone.TYRE, _TYRE, bins)
    for place, zone in enumerate(_OTHER_ZONES):
        bins = np.where(zones == zone, _OTHER + place, bins)
    return bins.astype(np.uint8)


def _outer(positions: Array) -> Array:
    """Points farthest out in directions spread evenly over the sphere (Fibonacci's lattice)."""
    step = np.arange(DIRECTIONS) + 0.5
    z = 1 - 2 * step / DIRECTIONS
    turn = step * np.pi * (3 - np.sqrt(5))
    ring = np.sqrt(1 - z * z)
    directions = np.stack([ring * np.cos(turn), ring * np.sin(turn), z])
    return np.ascontiguousarray(positions[np.unique((positions @ directions).argmax(axis=0))])


def pools(shapes: list[Shape]) -> tuple[MeshPool, MeshPool]:
    """Meshes of the models by number: once with the bins in place of the zones, once with the zones."""
    both = MeshPool(), MeshPool()
    for shape in shapes:
        normals = _corner_normals(shape.positions, shape.triangles)
        for pool, values in zip(both, (shape.bins, shape.zones), strict=True):
            pool.put(shape.name, make_mesh(shape.positions, shape.triangles, values, normals))
    return both


def _corner_normals(positions: NDArray[np.float32], triangles: NDArray[np.int32]) -> NDArray[np.float32]:
    """(T, 3, 3) unit normals of the corners: the mean of the triangles there that lean less than CREASE_DEG away."""
    _, vertex = np.unique(np.round(positions.astype(np.float64), 4), axis=0, return_inverse=True)
    corners = positions[triangles].astype(np.float64)
    faces = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])  # length: twice the area
    units = faces / np.maximum(np.linalg.norm(faces, axis=1, keepdims=True), 1e-12)
    ends = vertex.reshape(-1)[triangles.reshape(-1)]
    order = np.argsort(ends, kind="stable")
    first = np.searchsorted(ends[order], np.arange(ends.max(initial=0) + 1))
    place = np.arange(len(ends)) - first[ends[order]]
    around = np.full((len(first), int(place.max(initial=0)) + 1), -1)
    around[ends[order], place] = order // 3
    near = around[ends].reshape(*triangles.shape, -1)  # (T, 3, K) triangles at each corner
    alike = np.einsum("tckx,tx->tck", units[near], units) > np.cos(np.radians(CREASE_DEG))
    summed = np.einsum("tckx,tck->tcx", faces[near], alike & (near >= 0))
    length = np.maximum(np.linalg.norm(summed, axis=-1, keepdims=True), 1e-12)
    return np.asarray(summed / length, dtype=np.float32)


def save_shapes(path: Path, shapes: list[Shape]) -> None:
    """Writes models to one file, from which :func:`load_shapes` reads them without Blender."""
    tensors = {}
    for shape in shapes:
        for key in ("positions", "triangles", "zones", "bins", "outer"):
            tensors[f"{shape.category}/{shape.name}/{key}"] = np.ascontiguousarray(getattr(shape, key))
    write_bytes(path, safetensors.numpy.save(tensors))


def load_shapes(path: Path) -> list[Shape]:
    """Models of a file, by name.

    Raises:
        DatasetError: no such file, or a damaged one.
    """
    try:
        return parse_shapes(path.read_bytes())
    except (OSError, SafetensorError) as error:
        raise DatasetError(f"{path}: car models cannot be read ({error}): delete it and start again") from error


def parse_shapes(data: bytes) -> list[Shape]:
    """Models of the content of a file.

    Raises:
        SafetensorError: it is damaged.
    """
    tensors = safetensors.numpy.load(data)
    by_model: dict[tuple[str, str], dict[str, NDArray[np.generic]]] = {}
    for key, value in tensors.items():
        category, _, rest = key.partition("/")
        name, _, field = rest.rpartition("/")  # a model's name may hold a stroke
        by_model.setdefault((name, category), {})[field] = value
    return [Shape(name, category, **fields) for (name, category), fields in sorted(by_model.items())]  # type: ignore[arg-type]
