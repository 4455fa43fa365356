"""What is staged, before a camera, becomes a frame: passes of one of the engines, and the objects in view."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ...errors import SceneError
from ...geometry.camera import Camera, places_in_covering
from ...geometry.edge_samples import LARGEST_PX, EdgeSamples
from ...geometry.flow import Flow
from ...geometry.frame import Frame
from ...raster.distorted import Rays, rays_by_cell
from ...raster.rasterizer import MAX_PARTS, Rasteriser, RasterPasses
from ...zones.categories import VEHICLES
from ..cycles.engine import CyclesEngine, CyclesPasses
from ..motion.flow import Before, flow_to
from ..scene_camera import CameraView, Planes
from ..staging import Staged
from ..standing import without_unlabelled
from .instances import LabelledObjects
from .scene_reader import SceneReader

__all__ = ["Extras", "FrameDrawer", "StagedFrame"]

_NEAR_PX = 150
"""Longer side of the visible box of a vehicle from which its edges are drawn finer than pixels."""


@dataclass(frozen=True, eq=False)
class StagedFrame:
    """A frame that is ready to be drawn."""

    index: int
    camera: Camera
    """That it is seen through."""
    cam_to_world: NDArray[np.float64]
    """(4, 4) pose of that camera, OpenCV axes."""
    staged: Staged


@dataclass(frozen=True)
class Extras:
    """What a frame has beside depth, ids, zones and objects."""

    normals: bool = False
    parts: bool = False
    amodal: bool = False
    edges: bool = False
    """Of near vehicles, by the rasteriser; only with normals and parts."""


class FrameDrawer:
    """Draws staged frames by the z-buffer, and over it by Cycles where that is asked for."""

    def __init__(self, reader: SceneReader, camera: Camera, planes: Planes, *, by_cycles: bool, by_name: bool) -> None:
        """Set up the rasteriser.

        Args:
            reader: has the scene, and the pool of its meshes.
            camera: without distortion.
            planes: between which it sees.
            by_cycles: passes are those of Cycles.
            by_name: the same part in two frames is told by its name, see :func:`.motion.flow.flow_to`.
        """
        self._reader, self._by_cycles, self._by_name = reader, by_cycles, by_name
        self._rasteriser = Rasteriser(camera, planes.near_m, planes.far_m)
        self._cycles: CyclesEngine | None = None

    def look_through(self, camera: Camera, planes: Planes) -> None:
        """Take another camera, without distortion."""
        self._rasteriser.look_through(camera, planes.near_m, planes.far_m)

    def set_up_cycles(self, background_zone: int) -> CyclesEngine:
        """Cycles with a zone where nothing is hit; it stays set up for that."""
        if self._cycles is None or self._cycles.background_zone != background_zone:
            self._cycles = CyclesEngine(self._reader.scene, background_zone)
        return self._cycles

    @np.errstate(divide="ignore", over="ignore", invalid="ignore")  # as numba has it, where the loops run as Python
    def draw(
        self,
        shown: StagedFrame,
        background_zone: int,
        extras: Extras,
        *,
        notes: tuple[str, ...] = (),
        lens_camera: Camera | None = None,
        following: Callable[[], StagedFrame] | None = None,
    ) -> Frame:
        """Draw a frame by the camera that was looked through last.

        Args:
            shown: what stands there, and the camera's pose.
            background_zone: where nothing is hit.
            extras: what else the frame has.
            notes: of the frame.
            lens_camera: camera of the picture, where its lens distorts what the drawing one sees.
            following: stages the next frame of its sequence, for the flow to it.

        Raises:
            SceneError: there are more meshes than ``Frame.part`` holds.
        """
        frame, passes = self._pinhole(shown, background_zone, extras, notes, triangles=following is not None)
        if lens_camera is not None and lens_camera.lens is not None:
            frame, passes = self._distorted(frame, shown.staged, lens_camera, background_zone)
        if extras.amodal:
            frame = replace(frame, amodal=self._amodal_masks(frame, shown.staged))
        return frame if following is None else replace(frame, flow=self._flow(frame, shown.staged, passes, following))

    def _pinhole(
        self, shown: StagedFrame, background_zone: int, extras: Extras, notes: tuple[str, ...], *, triangles: bool
    ) -> tuple[Frame, RasterPasses | CyclesPasses]:
        """What the drawing camera sees."""
        rasteriser, pool, staged = self._rasteriser, self._reader.extractor.pool, shown.staged
        count = len(staged.drawing.mesh)
        if extras.parts and count > MAX_PARTS:
            raise SceneError(f"{self._reader.source}: {count} meshes in the frame; parts hold at most {MAX_PARTS}")
        drawn = rasteriser.draw(
            pool,
            staged.drawing,
            shown.cam_to_world,
            background_zone=background_zone,
            normals=extras.normals,
            triangles=triangles,
        )
        passes: RasterPasses | CyclesPasses = drawn
        view = CameraView(rasteriser.camera, shown.cam_to_world, Planes(rasteriser.near_m, rasteriser.far_m))
        if self._by_cycles:
            engine = self.set_up_cycles(background_zone)
            passes = engine.render(staged.placed(), staged.drawing.instance_id, view, drawn, pool)
        frame = Frame(
            index=shown.index,
            camera=view.camera,
            cam_to_world=view.cam_to_world,
            depth_m=passes.depth_m,
            instance_id=passes.instance_id,
            zone=passes.zone,
            instances=LabelledObjects(staged, pool).seen(view, passes, drawn.amodal_px),
            normal=passes.normal if extras.normals else None,
            part=passes.part if extras.parts else None,
            parts=staged.parts() if extras.parts else (),
            notes=notes,
        )
        if extras.edges and drawn is passes:
            frame = replace(frame, edges=self._edges(frame, staged, drawn))
        return without_unlabelled(frame, staged.labelled), passes

    def _edges(self, frame: Frame, staged: Staged, drawn: RasterPasses) -> EdgeSamples | None:
        """Edges of near vehicles, where there are any."""
        near, windows = np.zeros(len(drawn.amodal_px), np.bool_), []
        for item in frame.instances:
            box = item.box_visible_px
            if item.category in VEHICLES and box is not None and max(box[2] - box[0], box[3] - box[1]) >= _NEAR_PX:
                near[item.id] = True
                left, top, right, bottom = map(int, box)
                width, height = frame.camera.width, frame.camera.height
                windows.append((max(top - 1, 0), min(bottom + 1, height), max(left - 1, 0), min(right + 1, width)))
        if not windows or max(frame.camera.width, frame.camera.height) > LARGEST_PX:
            return None
        pool = self._reader.extractor.pool
        return self._rasteriser.edges(pool, staged.drawing, frame.cam_to_world, drawn, near, np.array(windows))

    def _distorted(
        self, wide: Frame, staged: Staged, camera: Camera, background_zone: int
    ) -> tuple[Frame, RasterPasses]:
        """What a camera whose lens distorts sees of what was drawn: each pixel by its own ray; labels alike."""
        pool, near_m = self._reader.extractor.pool, self._rasteriser.near_m
        passes = self._rasteriser.distorted(
            pool,
            staged.drawing,
            wide.cam_to_world,
            _rays_of(camera),
            (camera.height, camera.width),
            background_zone=background_zone,
            normals=wide.normal is not None,
        )
        frame = replace(
            wide,
            camera=camera,
            depth_m=passes.depth_m,
            instance_id=passes.instance_id,
            zone=passes.zone,
            instances=LabelledObjects(staged, pool).seen_distorted(wide, camera, passes, near_m),
            normal=passes.normal,
            part=None if wide.part is None else passes.part,
            edges=None,
            undistorted=wide,
        )
        return without_unlabelled(frame, staged.labelled), passes

    def _amodal_masks(self, frame: Frame, staged: Staged) -> dict[int, NDArray[np.bool_]]:
        """What each visible object would cover if it stood there alone; see :attr:`Frame.amodal`."""
        masks, pose, camera = {}, frame.cam_to_world, frame.camera
        for item in frame.instances:
            drawn = self._reader.extractor.pool, staged.drawing.of_instance(item.id), pose
            if item.visible_px == item.amodal_px > 0:
                masks[item.id] = frame.instance_id == item.id
            elif item.visible_px and camera.lens is None:
                masks[item.id] = self._rasteriser.mask(*drawn)
            elif item.visible_px:
                shape = camera.height, camera.width
                masks[item.id] = self._rasteriser.distorted_mask(*drawn, _rays_of(camera), shape)
        return masks

    def _flow(
        self,
        frame: Frame,
        staged: Staged,
        passes: RasterPasses | CyclesPasses,
        following: Callable[[], StagedFrame],
    ) -> Flow:
        """Optical flow from a frame that was drawn to the next one, which is staged for it."""
        pool, by_name = self._reader.extractor.pool, self._by_name
        triangle = passes.triangle if isinstance(passes, RasterPasses) else None
        pose, depth_m = frame.cam_to_world, frame.depth_m
        before = Before.of(staged, pool, frame.camera, pose, depth_m, passes.part, triangle, by_name=by_name)
        later = following()
        return flow_to(before, later.staged, pool, later.camera, later.cam_to_world, by_name=by_name)


@functools.lru_cache(maxsize=4)
def _rays_of(camera: Camera) -> Rays:
    """Where the rays of a camera with a lens meet the picture of the one that covers it."""
    wide = camera.covering
    return rays_by_cell(places_in_covering(camera), wide.height, wide.width)
