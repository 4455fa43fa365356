"""Meshes of triangles with a thermal zone for each face, and closed shapes made of rings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from renderer.zones.catalogue import Zone

__all__ = ["ZonedMesh", "box", "ellipse", "joined", "loft", "sharp_edges", "vertex_normals"]

Array = NDArray[np.float64]

SHARP_RAD = float(np.radians(55.0))
"""Edges that turn more stay sharp: brims, hems and bags, but no shoulder."""


@dataclass(frozen=True)
class ZonedMesh:
    """Triangles, seen from outside against the clock."""

    vertices_m: Array
    """(V, 3)."""
    faces: NDArray[np.int64]
    """(F, 3)."""
    zones: NDArray[np.uint8]
    """(F,)."""


def joined(meshes: Iterable[ZonedMesh]) -> ZonedMesh:
    """Several meshes as one."""
    parts = list(meshes)
    starts = np.cumsum([0, *(len(part.vertices_m) for part in parts[:-1])])
    return ZonedMesh(
        np.concatenate([part.vertices_m for part in parts]),
        np.concatenate([part.faces + start for part, start in zip(parts, starts, strict=True)]),
        np.concatenate([part.zones for part in parts]),
    )


def vertex_normals(vertices_m: Array, faces: NDArray[np.int64]) -> Array:
    """(V, 3) unit normals, faces weighted by their area."""
    corners = vertices_m[faces]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    summed = np.zeros_like(vertices_m)
    for corner in range(3):
        np.add.at(summed, faces[:, corner], across)
    normals: Array = summed / np.maximum(np.linalg.norm(summed, axis=1, keepdims=True), 1e-12)
    return normals


def sharp_edges(mesh: ZonedMesh, least_rad: float = SHARP_RAD) -> NDArray[np.int64]:
    """(S, 2) vertices of edges that turn more than an angle, the smaller first, sorted."""
    corners = mesh.vertices_m[mesh.faces]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = across / np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-12)
    edges = np.sort(mesh.faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    order = np.lexsort(edges.T[::-1])
    pairs, of = edges[order].reshape(-1, 2, 2), np.repeat(np.arange(len(mesh.faces)), 3)[order].reshape(-1, 2)
    turned = (normals[of[:, 0]] * normals[of[:, 1]]).sum(axis=1) < np.cos(least_rad)
    sharp: NDArray[np.int64] = pairs[turned, 0]
    return sharp


def ellipse(centre_m: Sequence[float], half_x_m: float, half_y_m: float, count: int) -> Array:
    """A level ring (count, 3), against the clock seen from above."""
    angle = 2 * np.pi * np.arange(count) / count
    ring = np.stack([half_x_m * np.cos(angle), half_y_m * np.sin(angle), np.zeros(count)], axis=1)
    level: Array = ring + np.asarray(centre_m)
    return level


def loft(rings: Sequence[Array], zone: Zone) -> ZonedMesh:
    """A closed body through rings (N, 3) of as many points each, from the lowest to the highest, with flat ends."""
    count, levels = len(rings[0]), len(rings)
    here = np.arange(count)
    following = (here + 1) % count
    faces = []
    for level in range(levels - 1):
        low, high = level * count, (level + 1) * count
        faces += [np.stack([low + here, low + following, high + following], axis=1)]
        faces += [np.stack([low + here, high + following, high + here], axis=1)]
    bottom, top = levels * count, levels * count + 1
    last = (levels - 1) * count
    faces += [np.stack([np.full(count, bottom), following, here], axis=1)]
    faces += [np.stack([np.full(count, top), last + here, last + following], axis=1)]
    vertices = np.concatenate([*rings, rings[0].mean(axis=0)[None], rings[-1].mean(axis=0)[None]])
    every = np.concatenate(faces)
    return ZonedMesh(vertices, every, np.full(len(every), zone, np.uint8))


def box(centre_m: Sequence[float], size_m: Sequence[float], zone: Zone, rounded: float = 0.8) -> ZonedMesh:
    """A bag: a box with rounded edges, narrower at both ends."""
    length, width, height = size_m
    x, y, z = centre_m
    levels = ((-0.5, rounded), (-0.3, 1.0), (0.3, 1.0), (0.5, rounded))
    rings = [_rounded_square((x, y, z + at * height), length / 2 * wide, width / 2 * wide) for at, wide in levels]
    return loft(rings, zone)


def _rounded_square(centre_m: Sequence[float], half_x_m: float, half_y_m: float) -> Array:
    signs = np.array([(1, 0.6), (0.6, 1), (-0.6, 1), (-1, 0.6), (-1, -0.6), (-0.6, -1), (0.6, -1), (1, -0.6)])
    ring = np.concatenate([signs * (half_x_m, half_y_m), np.zeros((8, 1))], axis=1)
    level: Array = ring + np.asarray(centre_m)
    return level
