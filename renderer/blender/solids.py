"""Car models as plain triangles: each model's parts in one list, in the model's own axes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np
from numpy.typing import NDArray

from ..errors import SceneError
from .extract import Extractor
from .models import load_models
from .objects import category_of

__all__ = ["Solid", "read_solids"]


LONGEST_M = 30.0
"""More than any road vehicle of the European Modular System measures (25.25 m)."""


@dataclass(frozen=True, eq=False)
class Solid:
    """One car model."""

    name: str
    category: str
    positions: NDArray[np.float32]
    """(V, 3) metres: x forward, y left, z up, origin on the ground below the centre."""
    triangles: NDArray[np.int32]
    """(T, 3) vertex numbers."""
    zones: NDArray[np.uint8]
    """(T,) :class:`renderer.zones.catalogue.Zone`."""


def read_solids(path: Path) -> tuple[list[Solid], tuple[str, ...]]:
    """Models of a file or folder, by name, and what was guessed.

    Raises:
        SceneError: no car models there, or one that is larger than any road vehicle.
    """
    models, notes = load_models(path)
    solids = [_read(name, collection) for name, collection in models.items()]
    for solid in solids:
        size_m = np.ptp(solid.positions, axis=0) if len(solid.positions) else np.zeros(3)
        if not 0 < size_m.max() <= LONGEST_M:
            size = " x ".join(f"{length:.4g}" for length in size_m.tolist())
            raise SceneError(
                f"{path}: model {solid.name!r} measures {size} m: expected a road vehicle of at most {LONGEST_M:g} m; "
                "keep the ground and what else is no car out of its collection"
            )
    return solids, notes


def _read(name: str, collection: bpy.types.Collection) -> Solid:
    children = bpy.context.scene.collection.children
    children.link(collection)
    bpy.context.view_layer.update()
    own = {item.name for item in collection.all_objects}
    extractor = Extractor()
    placed = extractor.placed(bpy.context.evaluated_depsgraph_get(), lambda *_: "car")
    placed = [item for item in placed if item.owner.name in own]
    children.unlink(collection)
    meshes = [extractor.pool.mesh(item.mesh) for item in placed]
    poses = [item.local_to_world for item in placed]
    first = np.concatenate([[0], np.cumsum([len(mesh.positions) for mesh in meshes])]).astype(np.int32)
    pairs = zip(meshes, poses, strict=True)
    positions = [mesh.positions @ pose[:3, :3].T + pose[:3, 3] for mesh, pose in pairs]
    triangles = [mesh.triangles + start for mesh, start in zip(meshes, first, strict=False)]
    return Solid(
        name,
        category_of(collection),
        np.concatenate(positions).astype(np.float32),
        np.concatenate(triangles).astype(np.int32),
        np.concatenate([mesh.zones for mesh in meshes]),
    )
