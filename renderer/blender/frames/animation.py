"""A scene without a street: it is rendered as it is, and moves by its own animation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import bpy
import numpy as np

from ...errors import SceneError
from ...random_streams import Moment
from ...scene.object_sizes import size_note
from ..scene_camera import CameraView
from ..simulation import Timeline
from ..staging import Group, Numbers, PlacedGroup, Staged
from .instances import LabelledObjects
from .scene_reader import LabelledMesh, SceneReader

__all__ = ["Animation", "check_index", "stage_meshes"]


def check_index(index: float) -> None:
    """Check the number of a frame.

    Raises:
        SceneError: it is below 0.
    """
    if index < 0:
        raise SceneError(f"frame {index}: expected 0 or more")


def stage_meshes(pairs: Sequence[LabelledMesh], numbers: Numbers, source: Path) -> Staged:
    """Meshes as they were read.

    Args:
        pairs: with the labelled objects that they are of.
        numbers: ids of these; gets those of new ones.
        source: file or scene that messages name.
    """
    ids = numbers.of([item for _, item in pairs], source)
    everything = PlacedGroup(Group(tuple(mesh for mesh, _ in pairs)), ids)
    return Staged([everything], {int(k): item for k, (_, item) in zip(ids, pairs, strict=True) if item})


class Animation:
    """Stages any frame of a scene's own animation, in any order."""

    def __init__(self, reader: SceneReader, timeline: Timeline) -> None:
        """Take what reads the scene, and what brings it to a frame."""
        self._reader, self._timeline = reader, timeline
        self._numbers, self._numbered = Numbers(), 0

    def scene_frame(self, index: int, moment: Moment | None) -> float:
        """Which frame of the animation a frame shows, from 0: a sequence plays it at its own speed."""
        if moment is None:
            return index
        render = self._reader.scene.render
        return moment.time_s * float(render.fps) / float(render.fps_base)

    def go_to(self, scene_frame: float) -> None:
        """Bring the scene to a frame.

        Raises:
            SceneError: the number is below 0, or there is no camera.
        """
        check_index(scene_frame)
        scene = self._reader.scene
        self._timeline.go_to(scene.frame_start + scene_frame)
        if scene.camera is None:
            raise SceneError(
                f"{self._reader.source}: the scene has no active camera; add one and make it active (Ctrl+Numpad 0)"
            )

    def view(self, scene_frame: float) -> CameraView:
        """The camera at a frame."""
        self.go_to(scene_frame)
        return self._reader.evaluated(self._reader.view_in)

    def stage(self, scene_frame: float) -> tuple[CameraView, Staged]:
        """The scene at a frame, and its camera there."""
        self.go_to(scene_frame)
        view, pairs = self._reader.evaluated(self._view_and_meshes)
        if self._numbers.lacks(item for _, item in pairs) and self._numbered < scene_frame:
            self._number_earlier_frames(math.ceil(scene_frame))
            self.go_to(scene_frame)
            view, pairs = self._reader.evaluated(self._view_and_meshes)
        return view, stage_meshes(pairs, self._numbers, self._reader.source)

    def _view_and_meshes(self, depsgraph: bpy.types.Depsgraph) -> tuple[CameraView, list[LabelledMesh]]:
        return self._reader.view_in(depsgraph), self._reader.meshes_in(depsgraph)

    def _number_earlier_frames(self, index: int) -> None:
        """Number what appears before a frame, frame by frame: ids follow from the scene alone."""
        for earlier in range(self._numbered, index):
            self.go_to(earlier)
            self._numbers.of([item for _, item in self._reader.evaluated(self._reader.meshes_in)], self._reader.source)
        self._numbered = max(self._numbered, index + 1)

    def find_labelled(self) -> tuple[CameraView, tuple[str, ...]]:
        """Look for a frame in which something is labelled.

        Returns:
            the camera there, and what is to be said of the sizes of what is labelled.

        Raises:
            SceneError: there is none.
        """
        self._timeline.start_again()  # zones and numbers for Cycles have been put into the scene since
        scene, reader = self._reader.scene, self._reader
        for index in range(max(1, scene.frame_end - scene.frame_start + 1) if reader.labels.any else 1):
            view, staged = self.stage(index)
            if staged.labelled:
                return view, self._size_note(staged)
        raise SceneError(
            f"{reader.source}: nothing to label: no object or collection has the property 'gis_category', "
            "a car's name or car zones; mark one, or give --cars with a scene that has lanes"
        )

    def _size_note(self, staged: Staged) -> tuple[str, ...]:
        sized, objects = [], LabelledObjects(staged, self._reader.extractor.pool)
        for number, item in sorted(staged.labelled.items()):
            length, width, height = np.ptp(objects.extent_m(number), axis=0).tolist()
            sized.append((item.model, item.category, (length, width, height)))
        return size_note(sized)
