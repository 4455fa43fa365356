"""Meshes of the opened file from arrays."""

from __future__ import annotations

from itertools import chain
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ...scene.place import Faces

__all__ = ["fill_mesh", "fill_with_faces"]


def fill_mesh(
    mesh: bpy.types.Mesh, vertices: NDArray[Any], corners: NDArray[Any], sizes: NDArray[Any], *, smooth: bool
) -> None:
    """Give an empty mesh its faces: as ``from_pydata``, which asks for lists and goes through them in Python.

    Args:
        mesh: to fill.
        vertices: (V, 3) positions.
        corners: vertices of all faces, one after the other.
        sizes: (F,) corners of each face.
        smooth: how all faces are shaded.
    """
    mesh.vertices.add(len(vertices))
    mesh.loops.add(len(corners))
    mesh.polygons.add(len(sizes))
    mesh.vertices.foreach_set("co", np.ascontiguousarray(vertices, np.float32).reshape(-1))
    lengths = np.ascontiguousarray(sizes, np.int32)
    mesh.polygons.foreach_set("loop_start", np.cumsum(lengths, dtype=np.int32) - lengths)
    if bpy.app.version < (3, 6, 0):  # later it follows from where faces begin
        mesh.polygons.foreach_set("loop_total", lengths)
    mesh.loops.foreach_set("vertex_index", np.ascontiguousarray(corners, np.int32))
    mesh.polygons.foreach_set("use_smooth", np.full(len(sizes), smooth))
    mesh.update(calc_edges=True)


def fill_with_faces(mesh: bpy.types.Mesh, faces: Faces) -> None:
    """Give an empty mesh flat faces."""
    sizes = np.fromiter(map(len, faces.corners), np.int32, len(faces.corners))
    corners = np.fromiter(chain.from_iterable(faces.corners), np.int32, int(sizes.sum()))
    fill_mesh(mesh, faces.positions_m, corners, sizes, smooth=False)
