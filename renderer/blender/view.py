"""Passes of the scene that is open, as its active camera sees it now; with the fast engine nothing in it changes."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np

from ..errors import SceneError
from ..geometry.camera import Camera
from ..geometry.frame import Frame
from ..raster.rasterizer import Rasteriser
from ..scene.cars import FrameSetup
from ..zones.catalogue import ZONE_ATTRIBUTE
from .engine import CAMERA_AXES, Engine, RenderSession, _scene_camera
from .extract import Extractor
from .objects import labels_of_scene
from .zoning import assign_zones

__all__ = ["ViewSession", "scene_camera"]


def scene_camera(scene: bpy.types.Scene) -> Camera:
    """Intrinsics of the active camera at the scene's resolution.

    Raises:
        SceneError: there is no active camera, or no perspective one.
    """
    if scene.camera is None:
        raise SceneError(f"scene {scene.name!r} has no active camera: add one and make it active")
    return _scene_camera(scene, Path(scene.name))


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
        self.camera = scene_camera(scene)
        self._rasteriser = Rasteriser(self.camera, self._near_m())
        self._background_zone = int(scene.world.get(ZONE_ATTRIBUTE, 0)) if scene.world else 0
        self._cycles, self._surveyed, self._model_extents, self._zoned_by = None, None, {}, {}
        if engine == "cycles":
            self._zoned_by = assign_zones(self._meshed_objects(), self._labels.on_car)

    def close(self) -> None:
        """Leave the scene open."""

    def view(self) -> Frame:
        """Passes with normals and parts of the scene as it stands."""
        camera = self.scene.camera.evaluated_get(bpy.context.evaluated_depsgraph_get())
        pose = np.array(camera.matrix_world.normalized(), dtype=np.float64) @ CAMERA_AXES
        setup = FrameSetup(self.scene.frame_current, (), pose)
        return self._render(setup, self._stage_scene(), self._background_zone, normals=True, parts=True)
