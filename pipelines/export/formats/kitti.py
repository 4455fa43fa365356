"""KITTI's object benchmark: ``training/image_2``, ``label_2``, ``calib``, and ``ImageSets/SPLIT.txt``.

Of a rig whose first camera has another to its right (`gis synthesize --rig kitti-stereo`) there is ``image_3`` too, and
``P3`` in ``calib``. All frames lie in ``training``, as the benchmark's own for training and validation do: lists tell
them apart. What is ignored is a ``DontCare`` region. There is no lidar: ``Tr_velo_to_cam`` turns its axes alone.

Source: development kit of the KITTI object benchmark (Geiger, Lenz, Urtasun, CVPR 2012).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from renderer.geometry.camera import Camera

from pipelines.dataset.labels.kitti import kitti_text
from pipelines.dataset.labels.riders import KITTI_RIDERS
from pipelines.dataset.record import InstanceRecord, RealObject
from pipelines.dataset.rig import Rig, RigCamera, distortion_rows, projection
from pipelines.export.job import ExportFrame, ExportObject, Job, Picture

__all__ = ["Kitti", "object_rows", "projection_rows"]

_CENTRE_PX = 0.5
"""KITTI's pixels have their centres at whole numbers."""


class Kitti:
    """Writes KITTI's files."""

    picture: Picture = "png"

    def image_file(self, frame: ExportFrame) -> str:
        """Where the image belongs."""
        return f"training/image_2/{frame.name}.png"

    def write_frame(self, job: Job, frame: ExportFrame) -> None:
        """Writes rows and calibration of an image."""
        rows = "".join(row for _, row in object_rows(job, frame))
        job.write_text(f"training/label_2/{frame.name}.txt", rows)
        rig = job.rig
        job.write_text(f"training/calib/{frame.name}.txt", _calibration(frame.record.camera, rig))
        if rig is not None and (right := _right_of(rig)) is not None:
            data = job.files_beside(right.name).read(f"images/{frame.name}.png")
            job.write_bytes(f"training/image_3/{frame.name}.png", data)

    def write_whole(self, job: Job) -> None:
        """Writes the lists of the splits, and ``trainval``."""
        numbers = {split: job.split.frames(split) for split in job.splits}
        both = sorted([*numbers.get("train", ()), *numbers.get("val", ())])
        for name, members in {**numbers, "trainval": both}.items():
            job.write_text(f"ImageSets/{name}.txt", "".join(f"{index:06d}\n" for index in members))


def object_rows(job: Job, frame: ExportFrame) -> Iterator[tuple[ExportObject, str]]:
    """The objects of a frame with their rows, each with a line break at its end; a rider stands for the pair."""
    ridden = _ridden(frame) if job.config.classes is None else {}
    left_out = {vehicle.id for vehicle in ridden.values()}
    for item in frame.objects:
        if item.instance is None or item.instance.id not in left_out:
            yield item, _rows(job, frame, item, ridden)


def _ridden(frame: ExportFrame) -> dict[int, InstanceRecord]:
    """Vehicles by the ids of their riders who count: each pair is one row."""
    vehicles = {item.id: item for item in frame.record.labelled if item.category in KITTI_RIDERS}
    riders = (item for item in frame.record.counted if item.rides is not None)
    return {item.id: vehicles[item.rides] for item in riders if item.rides in vehicles}


def _rows(job: Job, frame: ExportFrame, item: ExportObject, ridden: Mapping[int, InstanceRecord]) -> str:
    name = job.classes.names[item.number].replace(" ", "_")
    if item.ignored or item.instance is None:
        return kitti_text((), *frame.size_px, [RealObject(name, item.box_px, 0.0, not item.ignored)])
    if item.instance.id in ridden:
        return kitti_text([ridden[item.instance.id], item.instance], *frame.size_px)
    named = item.instance if job.config.classes is None else replace(item.instance, category=name)
    return kitti_text([named], *frame.size_px)


def _calibration(camera: Camera, rig: Rig | None) -> str:
    names = ("R0_rect", "Tr_velo_to_cam", "Tr_imu_to_velo")
    if rig is None:
        return projection_rows(camera, names)
    left, right = rig.cameras[0], _right_of(rig)
    others = {} if right is None else {3: projection(right), 1: projection(right)}
    return projection_rows(left.camera, names, others)


def _right_of(rig: Rig) -> RigCamera | None:
    """The camera that makes a rectified pair with the first one, to its right."""
    pair = rig.partner(rig.cameras[0].name)
    return None if pair is None or pair[1] < 0 else pair[0]


def projection_rows(
    camera: Camera, names: tuple[str, str, str], others: Mapping[int, NDArray[np.float64]] = MappingProxyType({})
) -> str:
    """Calibration of a camera; of a lens that distorts OpenCV's coefficients too, in a row that readers pass over.

    Args:
        camera: intrinsics.
        names: what the format calls rectification, lidar to camera, and inertial unit to lidar.
        others: projections (3, 4) of other cameras, by their numbers.
    """
    own = np.zeros((3, 4))
    own[:, :3] = camera.K
    own[:2, 2] -= _CENTRE_PX
    to_camera = [[0, -1, 0, 0], [0, 0, -1, 0], [1, 0, 0, 0]]  # a lidar's x is forward, y left, z up
    matrices = (np.eye(3), np.array(to_camera), np.eye(4)[:3])
    rows = {f"P{number}": others.get(number, own) for number in range(4)} | dict(zip(names, matrices, strict=True))
    text = "".join(f"{name}: {_numbers(values.ravel())}\n" for name, values in rows.items())
    return text + "".join(distortion_rows(camera, 2))


def _numbers(values: Iterable[float]) -> str:
    return " ".join(f"{value:.12e}" for value in values)
