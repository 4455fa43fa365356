"""Where Blender versions differ. Every other file asks here instead of looking at ``bpy.app.version``."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import bpy
import numpy as np
from numpy.typing import NDArray

__all__ = ["FIRST_TESTED", "aov_output", "numpy_names", "pass_named", "read_corner_normals", "read_pass"]

FIRST_TESTED = (4, 2)
_PASS_NAMES = {"object_index": ("IndexOB", "Object Index"), "depth": ("Depth",), "normal": ("Normal",)}


def pass_named(passes: bpy.types.bpy_prop_collection, name: str) -> bpy.types.RenderPass:
    """A render pass by our name for it, whatever this version of Blender calls it (an AOV by its own name)."""
    names = _PASS_NAMES.get(name, (name,))
    return next(item for item in passes if item.name in names)


@contextlib.contextmanager
def numpy_names() -> Iterator[None]:
    """While inside, numpy has the name ``bool``, which NumPy 1.24 took away and the glTF importer of 3.4 uses.

    Debian's Blender 3.4 comes with NumPy 1.24; Blender's own brings an older one.
    """
    lacks = "bool" not in vars(np)
    if lacks:
        np.bool = bool  # type: ignore[attr-defined]
    try:
        yield
    finally:
        if lacks:
            del np.bool  # type: ignore[attr-defined]


def read_pass(render_pass: bpy.types.RenderPass) -> NDArray[np.float32]:
    """Values of a render pass, (pixels * channels,) float32, from the bottom row up."""
    flat = np.zeros(len(render_pass.rect) * render_pass.channels, np.float32)
    try:
        render_pass.rect.foreach_get(flat)
    except TypeError:
        # 3.4 takes only a buffer as long as there are pixels, and then writes all channels: give it the beginning of
        # one that has room for them.
        render_pass.rect.foreach_get(flat[: len(render_pass.rect)])
    return flat


def aov_output(tree: bpy.types.NodeTree, name: str) -> bpy.types.Node:
    """A shader node that writes an AOV."""
    node = tree.nodes.new("ShaderNodeOutputAOV")
    if hasattr(node, "aov_name"):
        node.aov_name = name
    else:
        node.name = name
    return node


def read_corner_normals(mesh: bpy.types.Mesh, out: NDArray[np.float32]) -> None:
    """Shading normals of a mesh's corners, (3 L,) float32."""
    if hasattr(mesh, "corner_normals"):
        mesh.corner_normals.foreach_get("vector", out)
    else:  # before 4.1
        mesh.calc_normals_split()
        mesh.loops.foreach_get("normal", out)
