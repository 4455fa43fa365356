"""The labelled objects of a frame: their boxes, and how much of them is seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...copies import with_values
from ...geometry.affine import world_to_local
from ...geometry.boxes import (
    clip_box,
    extent_m,
    heading_frame,
    nearest_depth_m,
    occlusion_level,
    parts_of,
    projected_boxes,
    truncation,
    upright_box_from,
    visible_boxes,
)
from ...geometry.camera import Camera
from ...geometry.frame import Box2D, Box3D, Frame, Instance
from ...geometry.key_points import project_key_points
from ...geometry.lens_boxes import distorted_box
from ...geometry.meshes import Mesh, MeshPool
from ...raster.rasterizer import RasterPasses
from ..cycles.engine import CyclesPasses
from ..identity import LabelledObject
from ..scene_camera import CameraView
from ..staging import Staged

__all__ = ["LabelledObjects"]


@dataclass(frozen=True, eq=False)
class LabelledObjects:
    """The labelled objects of what is staged."""

    staged: Staged
    pool: MeshPool
    """Of the meshes."""

    def extent_m(self, number: int) -> NDArray[np.float64]:
        """Size of an object along upright axes: as known of its model if that stands upright, else measured."""
        labelled, drawing = self.staged.labelled[number], self.staged.drawing
        if labelled.extent_m is not None and labelled.pose[2, 2] == 1.0:
            return labelled.extent_m
        members = np.flatnonzero(drawing.instance_id == number)
        meshes = ((self.pool.mesh(int(drawing.mesh[k])), drawing.local_to_world[k]) for k in members)
        return extent_m(meshes, heading_frame(labelled.pose))

    def seen(
        self, view: CameraView, passes: RasterPasses | CyclesPasses, amodal_px: NDArray[np.int64]
    ) -> tuple[Instance, ...]:
        """The objects that reach into a picture.

        Args:
            view: of a pinhole camera.
            passes: the picture.
            amodal_px: (N,) pixels that each id would have if it stood there alone.
        """
        camera, pose = view.camera, view.cam_to_world
        visible = visible_boxes(passes.instance_id, len(amodal_px) - 1).tolist()
        listed = {
            number: item
            for number, item in sorted(self.staged.labelled.items())
            if not item.of_street or (visible[number][0] and not item.unlabelled)
        }
        parts = parts_of(self.staged.drawing.seen_by(camera, pose), listed)
        boxes = projected_boxes(self.pool.flat(), parts, view.planes.near_m)
        world_to_camera, instances = world_to_local(pose), []
        for number, labelled in listed.items():
            amodal = boxes[number]
            if amodal is not None and clip_box(amodal, camera) is not None:
                box_3d = self._box_3d(number, world_to_camera)
                if nearest_depth_m(box_3d) > view.planes.far_m:
                    continue
                one = _instance(number, labelled, camera, box_3d, amodal, visible[number], int(amodal_px[number]))
                instances.append(_with_key_points(one, labelled, camera, pose, passes.depth_m))
        return _with_rides(instances, self.staged.labelled)

    def seen_distorted(self, wide: Frame, camera: Camera, passes: RasterPasses, near_m: float) -> tuple[Instance, ...]:
        """The objects of the pinhole camera's frame that are in the distorted picture too, as they are there.

        Also those of the street that only the distorted picture shows: it has other pixels, and one of them may hit
        what all of the pinhole camera's miss.

        Args:
            wide: the pinhole camera's frame.
            camera: whose lens distorts.
            passes: the distorted picture.
            near_m: from where on something is seen.
        """
        pose, instances = wide.cam_to_world, []
        world_to_camera = world_to_local(pose)
        visible = visible_boxes(passes.instance_id, len(passes.amodal_px) - 1).tolist()
        boxes_3d = {item.id: item.box_3d for item in wide.instances}
        for number, labelled in sorted(self.staged.labelled.items()):
            if number not in boxes_3d:
                if not labelled.of_street or labelled.unlabelled or not visible[number][0]:
                    continue
                boxes_3d[number] = self._box_3d(number, world_to_camera)
            box = distorted_box(self._meshes(number, world_to_camera), camera, near_m)
            if box is not None and clip_box(box, camera) is not None:
                whole_px = int(passes.amodal_px[number])
                one = _instance(number, labelled, camera, boxes_3d[number], box, visible[number], whole_px)
                instances.append(_with_key_points(one, labelled, camera, pose, passes.depth_m))
        return _with_rides(instances, self.staged.labelled)

    def _meshes(self, number: int, world_to_camera: NDArray[np.float64]) -> Iterator[tuple[Mesh, NDArray[np.float64]]]:
        """Meshes of an object with the matrices that take them into the camera's axes."""
        drawing = self.staged.drawing
        for k in np.flatnonzero(drawing.instance_id == number):
            yield self.pool.mesh(int(drawing.mesh[k])), world_to_camera @ drawing.local_to_world[k]

    def _box_3d(self, number: int, world_to_camera: NDArray[np.float64]) -> Box3D:
        """Upright box around an object, in the camera's axes."""
        return upright_box_from(
            self.extent_m(number), heading_frame(self.staged.labelled[number].pose), world_to_camera
        )


def _instance(
    number: int,
    labelled: LabelledObject,
    camera: Camera,
    box_3d: Box3D,
    amodal: Box2D,
    visible: list[int],
    amodal_px: int,
) -> Instance:
    """Everything known of one object; ``visible`` is its row of :func:`renderer.geometry.boxes.visible_boxes`."""
    count, left, top, right, bottom = visible
    return Instance(
        id=number,
        category=labelled.category,
        model=labelled.model,
        profile=labelled.profile,
        object_to_world=labelled.pose,
        box_3d=box_3d,
        box_amodal_px=amodal,
        box_visible_px=(float(left), float(top), float(right), float(bottom)) if count else None,
        visible_px=count,
        amodal_px=amodal_px,
        truncation=truncation(amodal, camera),
        occlusion=occlusion_level(count, amodal_px),
        speed_m_s=labelled.speed_m_s,
        clo=labelled.clo,
    )


def _with_key_points(
    instance: Instance,
    labelled: LabelledObject,
    camera: Camera,
    cam_to_world: NDArray[np.float64],
    depth_m: NDArray[np.float32],
) -> Instance:
    """The object with its joints in the picture, where they are known."""
    if labelled.key_points_m is None:
        return instance
    points_m = labelled.key_points_m @ labelled.pose[:3, :3].T + labelled.pose[:3, 3]
    return with_values(instance, key_points=project_key_points(points_m, camera, cam_to_world, depth_m))


def _with_rides(instances: Sequence[Instance], labelled: Mapping[int, LabelledObject]) -> tuple[Instance, ...]:
    """The objects, riders with what they ride where that is in view too."""
    in_view = {item.id for item in instances}
    rides = (labelled[item.id].rides for item in instances)
    pairs = zip(instances, rides, strict=True)
    return tuple(item if number not in in_view else with_values(item, rides=number) for item, number in pairs)
