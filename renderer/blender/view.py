"""Passes of the scene that is open, as its active camera sees it now; with the fast engine nothing in it changes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import bpy

from ..geometry.frame import Frame
from .engine import Engine
from .frames.animation import stage_meshes
from .frames.drawer import Extras, FrameDrawer, StagedFrame
from .frames.scene_reader import SceneReader
from .staging import Numbers

__all__ = ["ViewSession"]
T = TypeVar("T")


class _ViewReader(SceneReader):
    """Reads the scene of the active window as its viewport has it; nothing of the scene is touched."""

    def evaluated(self, read: Callable[[bpy.types.Depsgraph], T]) -> T:
        bpy.context.view_layer.update()
        return read(bpy.context.evaluated_depsgraph_get())

    def objects(self) -> list[bpy.types.Object]:
        return [item for item in bpy.context.view_layer.objects if item]


class ViewSession:
    """The open scene as a session, which leaves it open."""

    def __init__(self, scene: bpy.types.Scene, *, engine: Engine = "raster") -> None:
        """Look at a scene.

        Args:
            scene: the scene of the active window; what its viewport hides is not drawn.
            engine: ``raster`` reads only; ``cycles`` changes render settings, materials and zones of what has none, so
                that it belongs into a process of its own.

        Raises:
            SceneError: no perspective camera is active.
        """
        by_cycles = engine == "cycles"
        self._reader = _ViewReader(scene, Path(scene.name), by_cycles=by_cycles)
        self._view = view = self._reader.evaluated(self._reader.view_in)
        self._drawer = FrameDrawer(self._reader, view.camera, view.planes, by_cycles=by_cycles, by_name=True)
        self._background_zone = self._reader.background_zone
        if by_cycles:
            self._reader.assign_zones(copies=True)

    def view(self) -> Frame:
        """Passes with normals and parts of the scene as it stands."""
        reader = self._reader
        staged = stage_meshes(reader.evaluated(reader.meshes_in), Numbers(), reader.source)  # ids of this view alone
        shown = StagedFrame(reader.scene.frame_current, self._view.camera, self._view.cam_to_world, staged)
        return self._drawer.draw(shown, self._background_zone, Extras(normals=True, parts=True), notes=reader.notes)
