"""Polygon meshes gathered in numpy, each face with its thermal zone, and their way into Blender."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from renderer.zones.catalogue import Zone

from .curves import Array

__all__ = ["PolyMesh", "grid_faces"]

_WELD_M = 1e-5
"""Vertices closer than this are one: far below anything a camera sees, far above float rounding."""
_LATTICE_M = 2.0**-13
"""Finished vertices lie on multiples of 0.12 mm, so that last-bit differences of a CPU vanish and files pack well."""


def grid_faces(rows: int, columns: int, start: int = 0) -> list[tuple[int, ...]]:
    """Quads of a grid whose vertex (r, c) has the index ``start + r * columns + c``, row by row."""
    return [
        (start + r * columns + c, start + r * columns + c + 1, start + (r + 1) * columns + c + 1,
         start + (r + 1) * columns + c)
        for r in range(rows - 1)
        for c in range(columns - 1)
    ]  # fmt: skip


@dataclass
class PolyMesh:
    """Vertices, polygons and zones; every method appends or edits in place."""

    points: list[Array] = field(default_factory=list)
    faces: list[tuple[int, ...]] = field(default_factory=list)
    zones: list[int] = field(default_factory=list)
    count: int = 0

    @property
    def vertices(self) -> Array:
        """(N, 3) positions in metres."""
        return np.concatenate(self.points) if self.points else np.zeros((0, 3))

    @property
    def triangles(self) -> int:
        """Triangles after triangulation."""
        return sum(len(face) - 2 for face in self.faces)

    def add(self, points: Array | Sequence[Sequence[float]], faces: Sequence[Sequence[int]],
            zone: Zone | Sequence[int]) -> None:  # fmt: skip
        """Append points (N, 3) and faces that index them, of one zone or one zone each."""
        self.points.append(np.asarray(points, dtype=np.float64))
        self.faces.extend(tuple(int(i) + self.count for i in face) for face in faces)
        self.zones.extend([int(zone)] * len(faces) if isinstance(zone, Zone) else [int(z) for z in zone])
        self.count += len(self.points[-1])

    def grid(self, points: Array, zone: Callable[[int, int], Zone] | Zone, *, flip: bool = False) -> None:
        """Append a grid (R, C, 3) of quads; ``zone(r, c)`` names the zone of the cell above and right of (r, c)."""
        rows, columns = points.shape[:2]
        faces = grid_faces(rows, columns)
        cells = [(r, c) for r in range(rows - 1) for c in range(columns - 1)]
        zones = [int(zone) if isinstance(zone, Zone) else int(zone(r, c)) for r, c in cells]
        self.add(points.reshape(-1, 3), [face[::-1] for face in faces] if flip else faces, zones)

    def extend(self, other: PolyMesh, move: Sequence[float] = (0.0, 0.0, 0.0)) -> None:
        """Append another mesh, moved."""
        self.add(other.vertices + np.asarray(move), other.faces, other.zones)

    def mirror(self) -> None:
        """Append the mirror image in y."""
        self.add(self.vertices * (1, -1, 1), [face[::-1] for face in self.faces], list(self.zones))

    def weld(self) -> list[int]:
        """Join vertices that coincide; drop faces that have no area left, and vertices that no face uses.

        Returns:
            The former index of every face that is left.
        """
        positions = self.vertices
        keys = np.round(positions / _WELD_M).astype(np.int64)
        _, first, inverse = np.unique(keys, axis=0, return_index=True, return_inverse=True)
        inverse = inverse.reshape(-1)
        faces: list[tuple[int, ...]] = []
        kept: list[int] = []
        for number, face in enumerate(self.faces):
            ring = [int(first[inverse[i]]) for i in face]
            ring = [i for k, i in enumerate(ring) if i != ring[k - 1]]
            if len(set(ring)) >= 3 and len(set(ring)) == len(ring):
                faces.append(tuple(ring))
                kept.append(number)
        used = np.unique(np.array([i for face in faces for i in face]))
        renumber = np.full(len(positions), -1)
        renumber[used] = np.arange(len(used))
        self.points, self.count = [positions[used]], len(used)
        self.faces = [tuple(int(renumber[i]) for i in face) for face in faces]
        self.zones = [self.zones[k] for k in kept]
        return kept

    def snap(self) -> None:
        """Move all vertices to the lattice."""
        self.points = [np.round(self.vertices / _LATTICE_M) * _LATTICE_M]

    def recess(self, chosen: Sequence[int], offset: Array | Sequence[float] | float, wall: Zone | None = None) -> None:
        """Push faces in and wall up the step around them.

        Args:
            chosen: indices of the faces.
            offset: metres against the faces' own normals, or one vector (3,) for all.
            wall: zone of the step; that of the face beside it by default.
        """
        picked = [self.faces[k] for k in chosen]
        if not picked:
            return
        corners = sorted({i for face in picked for i in face})
        moved = self.vertices[corners] + self._shift(picked, corners, offset)
        number = {old: self.count + k for k, old in enumerate(corners)}
        edges = {(face[k - 1], face[k]) for face in picked for k in range(len(face))}
        walls = [
            (face[k - 1], face[k], number[face[k]], number[face[k - 1]], zone)
            for face, zone in zip(picked, [self.zones[k] for k in chosen], strict=True)
            for k in range(len(face))
            if (face[k], face[k - 1]) not in edges
        ]
        self.points.append(moved)
        self.count += len(moved)
        for k in chosen:
            self.faces[k] = tuple(number[i] for i in self.faces[k])
        self.faces.extend(entry[:4] for entry in walls)
        self.zones.extend(int(wall) if wall is not None else entry[4] for entry in walls)

    def _shift(
        self, picked: list[tuple[int, ...]], corners: list[int], offset: Array | Sequence[float] | float
    ) -> Array:
        """(N, 3) displacement of the corners of some faces."""
        if not isinstance(offset, float):
            return np.broadcast_to(np.asarray(offset, dtype=np.float64), (len(corners), 3))
        positions = self.vertices
        row = {old: k for k, old in enumerate(corners)}
        normals = np.zeros((len(corners), 3))
        for face in picked:
            area = _area_vector(positions[list(face)])
            normals[[row[i] for i in face]] += area
        return np.asarray(-offset * normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12))

    def lathe(self, profile: Sequence[tuple[float, float]], zones: Sequence[Zone], segments: int) -> None:
        """Turn a profile of (y, radius) about the y axis; profile running to +y has its outside away from the axis."""
        angle = np.arange(segments) * 2 * math.pi / segments - math.pi / 2
        rings = np.array([[(r * math.cos(a), y, r * math.sin(a)) for a in [*angle, angle[0]]] for y, r in profile])
        self.grid(rings, lambda r, c: zones[r], flip=True)

    def box(self, low: Sequence[float], high: Sequence[float], zone: Zone, bevel: float = 0.0) -> None:
        """Axis-aligned box, its corners cut by ``bevel``."""
        (x0, y0, z0), (x1, y1, z1) = low, high
        ring = [(x0, y0 + bevel), (x0 + bevel, y0), (x1 - bevel, y0), (x1, y0 + bevel), (x1, y1 - bevel),
                (x1 - bevel, y1), (x0 + bevel, y1), (x0, y1 - bevel)]  # fmt: skip
        plan = np.array(ring)
        centre = np.array([(x0 + x1) / 2, (y0 + y1) / 2])
        inner = centre + (plan - centre) * (1 - bevel / np.maximum(np.abs(centre - (x0, y0)), 1e-9))
        levels = [(z0, inner), (z0 + bevel, plan), (z1 - bevel, plan), (z1, inner)]
        rings = [np.column_stack([xy, np.full(8, z)]) for z, xy in levels]
        self.loft(rings, zone)

    def loft(self, rings: Sequence[Array], zone: Zone, *, caps: bool = True) -> None:
        """Skin over closed rings (N, 3), each turning left about the direction of the loft."""
        n = len(rings[0])
        faces: list[tuple[int, ...]] = [
            (k * n + i, k * n + (i + 1) % n, (k + 1) * n + (i + 1) % n, (k + 1) * n + i)
            for k in range(len(rings) - 1)
            for i in range(n)
        ]
        if caps:
            faces += [tuple(range(n - 1, -1, -1)), tuple(range((len(rings) - 1) * n, len(rings) * n))]
        self.add(np.concatenate(rings), faces, zone)

    def tube(self, path: Sequence[Sequence[float]], radius: float, zone: Zone, sides: int = 10) -> None:
        """Round bar along a path of points."""
        line = np.asarray(path, dtype=np.float64)
        angle = np.arange(sides) * 2 * math.pi / sides
        rings = []
        for k, centre in enumerate(line):
            along = line[min(k + 1, len(line) - 1)] - line[max(k - 1, 0)]
            along /= np.linalg.norm(along)
            other = np.array([1.0, 0, 0]) if abs(along[2]) > 0.7 else np.array([0, 0, 1.0])
            u = np.cross(other, along)
            u /= np.linalg.norm(u)
            v = np.cross(along, u)
            rings.append(centre + radius * (np.cos(angle)[:, None] * u + np.sin(angle)[:, None] * v))
        self.loft(rings, zone)

    def blob(self, centre: Sequence[float], radii: Sequence[float], zone: Zone, power: float = 2.0,
             rings: int = 7, sides: int = 12) -> None:  # fmt: skip
        """Superellipsoid: 2 is an ellipsoid, larger powers come closer to a box."""
        elevation = (np.arange(rings) + 0.5) / rings * math.pi - math.pi / 2
        angle = np.arange(sides) * 2 * math.pi / sides
        up, out = _power(np.sin(elevation), power), _power(np.cos(elevation), power)
        ring = np.stack([_power(np.cos(angle), power), _power(np.sin(angle), power)], axis=1)
        levels = [np.column_stack([ring * r, np.full(sides, z)]) for z, r in zip(up, out, strict=True)]
        self.loft([np.asarray(centre) + level * np.asarray(radii) for level in levels], zone)


def _power(value: Array, power: float) -> Array:
    """Signed power of a sine or cosine, for superellipses."""
    return np.asarray(np.sign(value) * np.abs(value) ** (2 / power))


def _area_vector(corners: Array) -> Array:
    """Normal of a polygon, as long as its area."""
    return np.asarray(0.5 * np.cross(corners, np.roll(corners, -1, axis=0)).sum(axis=0))
