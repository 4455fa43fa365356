"""What the opened scene shows, read from Blender: its camera, its meshes, and the labelled objects they belong to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import bpy

from ...geometry.camera import Camera
from ...geometry.lens import Lens
from ...zones.catalogue import ZONE_ATTRIBUTE
from ..copies import shown_objects
from ..evaluation import (
    evaluated_for_render,
    left_out_note,
    matrix_in_metres,
    metres_per_unit,
    pose_in_metres,
    rendered_layer,
)
from ..extract import Extractor, PlacedMesh
from ..identity import LabelledObject
from ..objects import labels_of_scene
from ..scene_camera import CameraView, read_view
from ..zoning import assign_zones

__all__ = ["LabelledMesh", "SceneReader"]

T = TypeVar("T")
LabelledMesh = tuple[PlacedMesh, LabelledObject | None]
"""A mesh of the evaluated scene, and the labelled object that it belongs to."""


class SceneReader:
    """Reads a scene as it is now, as a rendering has it."""

    def __init__(
        self,
        scene: bpy.types.Scene,
        source: Path,
        *,
        by_cycles: bool,
        camera: Camera | None = None,
        size: tuple[int, int] | None = None,
        lens: Lens | None = None,
    ) -> None:
        """Find out how its labelled objects are recognised.

        Args:
            scene: the scene.
            source: file or scene that messages name.
            by_cycles: it is drawn by Cycles, which leaves nothing out.
            camera: intrinsics in place of the active camera's.
            size: width and height of the pictures, cut and scaled out of the active camera's.
            lens: how the active camera's lens distorts.

        Raises:
            SceneError: something is marked as what is no category.
        """
        self.scene, self.source = scene, source
        self.extractor = Extractor()
        self.labels = labels_of_scene(self.objects(), source)
        self._by_cycles = by_cycles
        self._camera, self._size, self._lens = camera, size, lens
        self._zoned_by: dict[str, str] = {}
        self._left_out: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be said of labels, of zones, and of the meshes at the last reading."""
        sources = {"materials": "read from the names of its materials", "geometry": "guessed from its geometry"}
        zones = (f"zones of {name!r} {sources[how]}" for name, how in sorted(self._zoned_by.items()))
        return (*self.labels.notes, *zones, *self._left_out)

    @property
    def background_zone(self) -> int:
        """Zone where nothing is hit."""
        return int(self.scene.world.get(ZONE_ATTRIBUTE, 0)) if self.scene.world else 0

    def evaluated(self, read: Callable[[bpy.types.Depsgraph], T]) -> T:
        """What ``read`` finds in the evaluated scene."""
        return evaluated_for_render(self.scene, read)

    def objects(self) -> list[bpy.types.Object]:
        """Objects of the scene."""
        layer = rendered_layer(self.scene)
        layer.update()  # what an import removed is still listed before
        return [item for item in layer.objects if item]

    def shown_objects(self) -> list[bpy.types.Object]:
        """Objects of the scene, and those of the collections that it shows copies of."""
        own = self.objects()
        collections = {item.instance_collection for item in own if item.instance_type == "COLLECTION"} - {None}
        return own + [item for one in collections for item in one.all_objects]

    def assign_zones(self, models: Iterable[bpy.types.Collection] = (), *, copies: bool) -> None:
        """Give zones to the meshes that have none.

        Args:
            models: that traffic will place: a model is a car wherever it stands.
            copies: what the evaluated scene copies gets them too.
        """
        self._zoned_by = assign_zones(self._meshed_objects(models, copies=copies), self.labels.category_at)

    def _meshed_objects(
        self, models: Iterable[bpy.types.Collection], *, copies: bool
    ) -> list[tuple[bpy.types.Object, Sequence[bpy.types.Object]]]:
        """Objects with a mesh, with the instancers that show them (none: the object itself is in the scene)."""
        pairs: list[tuple[bpy.types.Object, Sequence[bpy.types.Object]]] = []
        if copies:
            pairs += self.evaluated(shown_objects)
        for item in self.objects():
            if item.instance_type == "COLLECTION" and item.instance_collection:
                pairs += [(inner, (item,)) for inner in item.instance_collection.all_objects]
            pairs.append((item, ()))
        pairs += [(inner, ()) for model in models for inner in model.all_objects]
        return [(item, instancers) for item, instancers in pairs if item.type == "MESH"]

    def view_in(self, depsgraph: bpy.types.Depsgraph) -> CameraView:
        """The camera as it is now, with the intrinsics or the size that are asked for.

        Raises:
            SceneError: there is no camera that frames could be seen through.
        """
        view = read_view(depsgraph, self.source, self._camera)
        camera = view.camera.fitted(*self._size) if self._size else view.camera
        return replace(view, camera=replace(camera, lens=self._lens) if self._lens else camera)

    def meshes_in(self, depsgraph: bpy.types.Depsgraph) -> list[LabelledMesh]:
        """Every mesh of the evaluated scene with the labelled object it belongs to, cars first."""
        placed = self.extractor.placed(depsgraph, self.labels.category_at)
        lacking = () if self._by_cycles else left_out_note(self.extractor.left_out)
        self._left_out = (*self.extractor.notes, *lacking)
        found = self.labels.find_all(placed, self.extractor.pool, depsgraph)
        pairs = [(mesh, None if mesh.holdout else item) for mesh, item in zip(placed, found, strict=True)]
        return sorted(_in_metres(pairs, metres_per_unit(depsgraph.scene)), key=_rank)


def _in_metres(pairs: Sequence[LabelledMesh], metres: float) -> list[LabelledMesh]:
    """Where meshes and objects stand, in metres instead of units of the scene."""
    objects: dict[int, LabelledObject] = {}
    for _, item in pairs:
        if item is not None and id(item) not in objects:
            objects[id(item)] = replace(item, pose=pose_in_metres(item.pose, metres))
    return [(_mesh_in_metres(mesh, metres), objects.get(id(item))) for mesh, item in pairs]


def _mesh_in_metres(mesh: PlacedMesh, metres: float) -> PlacedMesh:
    if metres == 1.0:
        return mesh
    return replace(mesh, local_to_world=matrix_in_metres(mesh.local_to_world, metres))


def _rank(pair: LabelledMesh) -> tuple[bool, str, str, tuple[int, ...], bytes]:
    """Sort key that depends on the scene alone: labelled objects first, by name; equal names by copy, then by pose."""
    placed, item = pair
    top = placed.instancer.name if placed.instancer else ""
    return (item is None, item.key if item else top, placed.name, placed.path, placed.local_to_world.tobytes())
