"""Passes of the scene that is open, as its active camera sees it now; with the fast engine nothing in it changes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import bpy

from ..geometry.frame import Frame
from ..raster.rasterizer import Rasteriser
from ..scene.cars import FrameSetup
from ..zones.catalogue import ZONE_ATTRIBUTE
from .engine import Engine, RenderSession
from .extract import Extractor
from .objects import labels_of_scene
from .scene_camera import CameraView
from .staging import Numbers
from .zoning import assign_zones

__all__ = ["ViewSession"]
T = TypeVar("T")


class ViewSession(RenderSession):
    """The open scene as a session; ``close`` leaves it open."""

    def __init__(self, scene: bpy.types.Scene, *, engine: Engine = "raster") -> None:
        """Look at a scene.

        Args:
            scene: the scene of the active window; what its viewport hides is not drawn.
            engine: ``raster`` reads only; ``cycles`` changes render settings, materials and zones of what has none, so
                that it belongs into a process of its own.

        Raises:
            SceneError: no perspective camera is active.
        """
        self.path, self.seed, self.engine, self.scene = Path(scene.name), 0, engine, scene
        self._extractor = Extractor()
        self.street, self.notes, self._models = None, (), {}
        self._labels = labels_of_scene(self._objects())
        self._given_camera, self._size = None, None
        self._lens, self._mount = None, None
        self._view: CameraView = self._evaluated(self._read_view)
        self.camera, self._planes = self._view.camera, self._view.planes
        self._rasteriser = Rasteriser(self.camera, self._planes.near_m, self._planes.far_m)
        self._background_zone = int(scene.world.get(ZONE_ATTRIBUTE, 0)) if scene.world else 0
        self._cycles, self._zoned_by = None, {}
        self._numbers, self._numbered, self._left_out = Numbers(), 0, ()
        if engine == "cycles":
            self._zoned_by = assign_zones(self._meshed_objects(), self._labels.category_at)

    def _evaluated(self, read: Callable[[bpy.types.Depsgraph], T]) -> T:
        """As the viewport has it; nothing of the scene is touched."""
        bpy.context.view_layer.update()
        return read(bpy.context.evaluated_depsgraph_get())

    def _objects(self) -> list[bpy.types.Object]:
        return [item for item in bpy.context.view_layer.objects if item]

    def close(self) -> None:
        """Leave the scene open."""

    def view(self) -> Frame:
        """Passes with normals and parts of the scene as it stands."""
        self._numbers = Numbers()  # of this view alone
        pairs = self._evaluated(self._read_from)
        setup = FrameSetup(self.scene.frame_current, (), self._view.cam_to_world)
        return self._render(setup, self._stage_scene(pairs), self._background_zone, normals=True, parts=True)
