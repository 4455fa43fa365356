"""Blender's evaluated depsgraph as arrays: meshes once, poses every frame.

Reading a mesh costs about 15 ms, a pose microseconds; so meshes are kept by datablock, and read again only where an
object has modifiers, shape keys or animated data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import bpy
import numpy as np
from numpy.typing import NDArray

from ..geometry.damage import FARTHEST, reaches_too_far, sound_triangles
from ..geometry.meshes import Mesh, MeshPool, make_mesh
from .compat import read_corner_normals
from .copies import Copies, Instancer, path_of
from .zoning import zones_of_faces

__all__ = ["WITH_SURFACE", "Extractor", "LabelledAs", "PlacedMesh"]

LabelledAs = Callable[[bpy.types.Object, Sequence[bpy.types.Object]], str | None]
"""Category of the labelled object that an object, copied by those instancers, belongs to; None: to none."""

WITH_SURFACE = {"MESH", "CURVE", "SURFACE", "FONT", "META"}
NO_SURFACE = {"CURVES": "hair", "POINTCLOUD": "points", "VOLUME": "a volume"} | dict.fromkeys(
    ("GPENCIL", "GREASEPENCIL"), "strokes"
)


@dataclass(frozen=True, eq=False)
class PlacedMesh:
    """One mesh of the evaluated scene."""

    name: str
    mesh: int
    """Number in the pool."""
    local_to_world: NDArray[np.float64]
    owner: bpy.types.Object
    """Original object."""
    instancers: tuple[Instancer, ...] = ()
    """What made this copy, outermost first: an empty with a collection, a particle system; none for a plain object."""
    path: tuple[int, ...] = ()
    """Which copy of the outermost instancer it is, the same in every frame; empty for a plain object."""
    by_particles: bool = False
    holdout: bool = False
    """Whether it is a hole in the picture: it hides what is behind it and is not there itself."""
    posed: bool = False
    """Whether the pool's mesh has another shape than the owner's: the same vertices at other places."""

    @property
    def instancer(self) -> bpy.types.Object | None:
        """Original object of the scene itself that shows this copy, None for a plain object."""
        return self.instancers[0].item if self.instancers else None


@dataclass
class Extractor:
    """Reads the depsgraph; keeps the meshes that it has read."""

    pool: MeshPool = field(default_factory=MeshPool)
    notes: list[str] = field(default_factory=list)
    """What was left out at the last reading, once for each object."""
    left_out: dict[str, str] = field(default_factory=dict)
    """What has no surface at the last reading (hair, points, volumes, strokes), by the names of objects."""

    def placed(self, depsgraph: bpy.types.Depsgraph, labelled_as: LabelledAs) -> list[PlacedMesh]:
        """Every visible surface, in the depsgraph's order.

        Args:
            depsgraph: evaluated depsgraph.
            labelled_as: tells what an original object belongs to.
        """
        # Evaluated data lie anywhere in memory each time: what is known by its place there is another's next time.
        self.pool = self.pool.keep(lambda key: key[0] != "evaluated")
        self.notes, self.left_out = [], {}
        placed = list(self._placed(depsgraph, labelled_as))
        self.notes = list(dict.fromkeys(self.notes))
        return placed

    def unplaced(self, item: bpy.types.Object, number: int) -> PlacedMesh:
        """A mesh object of a collection that no scene shows, read as it is stored.

        Args:
            item: has no modifiers.
            number: of the object among those of its collection.
        """
        mesh = self._number(item, item, None)
        return PlacedMesh(str(item.name), mesh, np.array(item.matrix_basis, dtype=np.float64), item, (), (number,))

    def put(self, key: tuple[object, ...], mesh: bpy.types.Mesh, name: str) -> int:
        """Read a mesh that has no object, and take it out of the file; returns its number in the pool."""
        try:
            return self.pool.put(key, _read(mesh, name, [], None))
        finally:
            bpy.data.meshes.remove(mesh)

    def _placed(self, depsgraph: bpy.types.Depsgraph, labelled_as: LabelledAs) -> Iterator[PlacedMesh]:
        visibility, copies = _Visibility(depsgraph), Copies()
        for entry in depsgraph.object_instances:
            item, instancers = entry.object, copies.instancers(entry)
            if not entry.show_self or not visibility.camera_sees(entry):
                continue
            if item.type not in WITH_SURFACE:
                if kind := NO_SURFACE.get(item.type):
                    self.left_out[str(_shown_by(entry).name)] = kind
                continue
            original = item.original
            matrix = np.array(entry.matrix_world, dtype=np.float64)
            if not np.isfinite(matrix).all():
                self.notes.append(f"{original.name_full!r} is left out: its place is no finite number")
                continue
            number = self._number(item, original, labelled_as(original, [one.item for one in instancers]))
            number = self._within_reach(number, matrix)
            if note := self.pool.mesh(number).damage.note:
                self.notes.append(f"mesh of {original.name_full!r}: {note}")
            particles = entry.is_instance and entry.particle_system is not None
            holdout = visibility.is_holdout(entry)
            path = path_of(entry)
            yield PlacedMesh(str(original.name), number, matrix, original, instancers, path, particles, holdout)

    def _within_reach(self, number: int, matrix: NDArray[np.float64]) -> int:
        """The mesh, without triangles that its matrix takes beyond all measure."""
        mesh = self.pool.mesh(number)
        if np.linalg.norm(matrix[:3, :3]) * mesh.reach + np.linalg.norm(matrix[:3, 3]) <= FARTHEST:
            return number
        far = reaches_too_far(mesh.positions, matrix)
        return self.pool.put(("evaluated", number, matrix.tobytes()), mesh.without(far)) if far.any() else number

    def _number(self, item: bpy.types.Object, original: bpy.types.Object, category: str | None) -> int:
        key = _key(item, original)
        if key in self.pool:
            return self.pool.number(key)
        mesh = item.data if item.type == "MESH" else item.to_mesh()
        slots = [slot.material for slot in item.material_slots]
        arrays = _read(mesh, original.name, slots, category) if mesh is not None else _EMPTY
        if item.type != "MESH":
            item.to_mesh_clear()
        return self.pool.put(key, arrays)


class _Visibility:
    """What a rendering says of an entry beside its visibility as such (Cycles, ``blender/object.cpp``)."""

    def __init__(self, depsgraph: bpy.types.Depsgraph) -> None:
        self._layer, self._renders = depsgraph.view_layer, depsgraph.mode == "RENDER"
        self._reach = _culling_distance(depsgraph.scene) if self._renders else np.inf
        """How far things are seen that Simplify takes away by their distance, Blender units."""
        self._culls_by_view = self._reach < np.inf and depsgraph.scene.cycles.use_camera_cull
        camera = depsgraph.scene.camera
        self._eye = np.array(camera.matrix_world.translation if camera else (0, 0, 0), dtype=np.float64)

    def camera_sees(self, entry: bpy.types.DepsgraphObjectInstance) -> bool:
        """By ray visibility, of an object and of what shows a copy of it; by collections that are indirect only."""
        if not self._renders:
            return True
        shown_by = _shown_by(entry)
        if not (entry.object.visible_camera and shown_by.visible_camera) or self._is_culled(entry):
            return False
        return self.is_holdout(entry) or not shown_by.original.indirect_only_get(view_layer=self._layer)

    def is_holdout(self, entry: bpy.types.DepsgraphObjectInstance) -> bool:
        """By the object itself or a collection of it."""
        shown_by = _shown_by(entry)  # evaluated, it has no place in the layer
        return self._renders and bool(shown_by.is_holdout or shown_by.original.holdout_get(view_layer=self._layer))

    def _is_culled(self, entry: bpy.types.DepsgraphObjectInstance) -> bool:
        """By the distance to the box around it, along the world's axes (Cycles, ``blender/object_cull.cpp``)."""
        item = entry.object
        if self._reach == np.inf or not item.cycles.use_distance_cull:
            return False
        if self._culls_by_view and item.cycles.use_camera_cull:
            return False  # then only what is out of the picture too is culled
        matrix = np.array(entry.matrix_world, dtype=np.float64)
        corners = np.array([tuple(corner) for corner in item.bound_box]) @ matrix[:3, :3].T + matrix[:3, 3]
        nearest = np.clip(self._eye, corners.min(axis=0), corners.max(axis=0))
        return bool(np.linalg.norm(self._eye - nearest) > self._reach)


def _culling_distance(scene: bpy.types.Scene) -> float:
    settings = getattr(scene, "cycles", None)
    culls = settings is not None and scene.render.use_simplify and settings.use_distance_cull
    return float(settings.distance_cull_margin or np.inf) if settings is not None and culls else np.inf


def _shown_by(entry: bpy.types.DepsgraphObjectInstance) -> bpy.types.Object:
    return entry.parent if entry.is_instance and entry.parent else entry.object


_DEFORMING_PARENTS = ("ARMATURE", "LATTICE", "CURVE")
"""Parents that act as modifiers without standing in the list of them."""


def _key(item: bpy.types.Object, original: bpy.types.Object) -> tuple[object, ...]:
    """Identity of a mesh: shared datablocks once, generated or deforming geometry as the depsgraph made it."""
    if item.type == "MESH" and _is_as_stored(item.data, original):
        own_materials = any(slot.link == "OBJECT" for slot in original.material_slots)
        return ("object", original.as_pointer()) if own_materials else ("data", original.data.as_pointer())
    return ("evaluated", original.as_pointer(), item.data.as_pointer())


def _is_as_stored(evaluated: bpy.types.Mesh, original: bpy.types.Object) -> bool:
    """Whether the depsgraph left a mesh as it stands in the file; its ``original`` does not tell (Blender 4.5)."""
    data = original.data
    return (
        isinstance(data, bpy.types.Mesh)
        and not original.modifiers
        and not data.shape_keys
        and not data.animation_data
        and original.parent_type not in _DEFORMING_PARENTS
        and len(evaluated.vertices) == len(data.vertices)
        and len(evaluated.loops) == len(data.loops)
    )


_EMPTY = make_mesh(
    np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32), np.zeros(0, np.uint8), np.zeros((0, 3, 3), np.float32)
)


def _read(
    mesh: bpy.types.Mesh,
    name: str,
    materials: list[bpy.types.Material | None],
    category: str | None,
) -> Mesh:
    """Arrays of one evaluated mesh."""
    mesh.calc_loop_triangles()
    count = len(mesh.loop_triangles)
    positions = np.empty(len(mesh.vertices) * 3, np.float32)
    triangles = np.empty(count * 3, np.int32)
    loops = np.empty(count * 3, np.int32)
    polygons = np.empty(count, np.int32)
    corner_normals = np.empty(len(mesh.loops) * 3, np.float32)
    mesh.vertices.foreach_get("co", positions)
    mesh.loop_triangles.foreach_get("vertices", triangles)
    mesh.loop_triangles.foreach_get("loops", loops)
    mesh.loop_triangles.foreach_get("polygon_index", polygons)
    if len(mesh.loops):
        read_corner_normals(mesh, corner_normals)
    zones = zones_of_faces(mesh, name, materials, category).zones
    positions, triangles = positions.reshape(-1, 3), triangles.reshape(-1, 3)
    good, damage = sound_triangles(positions, triangles)
    if not good.all():
        triangles, polygons, loops = triangles[good], polygons[good], loops.reshape(-1, 3)[good]
    normals = corner_normals.reshape(-1, 3)[loops].reshape(-1, 3, 3)
    # A bent polygon that is shaded flat has one normal per triangle, as Cycles draws it, not one for all.
    flat = ~_smooth(mesh)[polygons] | ~np.isfinite(normals).all(axis=(1, 2))
    normals[flat] = _triangle_normals(positions, triangles[flat])[:, None]
    return make_mesh(positions, triangles, zones[polygons], normals, damage)


def _smooth(mesh: bpy.types.Mesh) -> NDArray[np.bool_]:
    """(F,) which polygons are shaded smooth."""
    smooth = np.empty(len(mesh.polygons), np.bool_)
    mesh.polygons.foreach_get("use_smooth", smooth)
    return smooth


def _triangle_normals(positions: NDArray[np.float32], triangles: NDArray[np.int32]) -> NDArray[np.float32]:
    """(T, 3) unit normals of the triangles themselves; 0 where one has no area."""
    a, b, c = positions[triangles].astype(np.float64).transpose(1, 0, 2)
    normals = np.cross(b - a, c - a)
    return np.asarray(normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-30), dtype=np.float32)
