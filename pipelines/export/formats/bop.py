"""BOP: for each split ``SPLIT/000000`` with ``rgb``, ``depth``, ``mask_visib`` and the three scene files.

Rendered objects with their poses; what a real background shows has none and is not told, so that such sets are for
poses and not for detection. Lengths are millimetres; the model's origin is the centre of its box, z up. Masks are of
what is seen: ``mask``, of whole silhouettes, is not known. Its toolkit wants colour: grey in three channels.

Source: https://github.com/thodan/bop_toolkit, docs/bop_datasets_format.md.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from renderer.geometry.frame import Box2D

from pipelines.dataset.record import InstanceRecord
from pipelines.export.job import ExportFrame, Job, Picture
from pipelines.io.exr import decode_exr
from pipelines.io.images import encode_png

__all__ = ["Bop"]

_SCENE: Final = "000000"
_DEPTH_SCALE: Final = 10.0
"""Millimetres of a step in the depth images: 16 bits reach to 655 m; beyond, and where nothing is, stands 0."""
_MM: Final = 1000.0


class Bop:
    """Writes BOP's files."""

    picture: Picture = "rgb"

    def image_file(self, frame: ExportFrame) -> str:
        """Where the image belongs."""
        return f"{frame.split}/{_SCENE}/rgb/{frame.name}.png"

    def write_frame(self, job: Job, frame: ExportFrame) -> None:
        """Writes depth and masks of an image."""
        folder = f"{frame.split}/{_SCENE}"
        job.write_bytes(f"{folder}/depth/{frame.name}.png", encode_png(_depth(frame)))
        for number, item in enumerate(frame.record.labelled):
            mask = np.where(frame.mask == item.id, 255, 0).astype(np.uint8)
            job.write_bytes(f"{folder}/mask_visib/{frame.name}_{number:06d}.png", encode_png(mask))

    def write_whole(self, job: Job) -> None:
        """Writes cameras, poses and what is seen of each object, and the sizes of the models."""
        models = _models(job)
        for split in job.splits:
            frames = {str(frame.record.index): frame for frame in job.frames(split)}
            folder = f"{split}/{_SCENE}"
            job.write_json(f"{folder}/scene_camera.json", {key: _camera(frame) for key, frame in frames.items()})
            truth = {
                key: [_pose(frame, item, models) for item in frame.record.labelled] for key, frame in frames.items()
            }
            job.write_json(f"{folder}/scene_gt.json", truth)
            seen = {key: [_seen(item) for item in frame.record.labelled] for key, frame in frames.items()}
            job.write_json(f"{folder}/scene_gt_info.json", seen)
        job.write_json("models/models_info.json", {str(models[name]): size for name, size in _sizes(job).items()})
        job.write_json("models/names.json", {str(number): name for name, number in models.items()})


def _depth(frame: ExportFrame) -> NDArray[np.uint16]:
    name = f"depth/{frame.name}.exr"
    metres = decode_exr(frame.read(name), name)["Z"]
    steps = np.where(np.isfinite(metres), metres, 0.0) * (_MM / _DEPTH_SCALE)
    return np.where(steps < 65535.5, np.rint(steps), 0).astype(np.uint16)


def _models(job: Job) -> dict[str, int]:
    """Number of each model, from 1."""
    names = {item.model for frame in job.frames() for item in frame.record.labelled}
    return {name: number for number, name in enumerate(sorted(names), 1)}


def _camera(frame: ExportFrame) -> dict[str, Any]:
    to_camera = np.linalg.inv(frame.record.cam_to_world)
    return {
        "cam_K": _shifted(frame).ravel().tolist(),
        "depth_scale": _DEPTH_SCALE,
        "cam_R_w2c": to_camera[:3, :3].ravel().tolist(),
        "cam_t_w2c": (to_camera[:3, 3] * _MM).tolist(),
    }


def _shifted(frame: ExportFrame) -> NDArray[np.float64]:
    """The intrinsic matrix for pixels whose centres are whole numbers, as BOP counts them."""
    K = frame.record.camera.K.copy()
    K[:2, 2] -= 0.5
    return K


def _pose(frame: ExportFrame, item: InstanceRecord, models: dict[str, int]) -> dict[str, Any]:
    """Rotation of the model's axes, and the centre of its box."""
    rotation = np.linalg.inv(frame.record.cam_to_world)[:3, :3] @ item.object_to_world[:3, :3]
    rotation /= np.linalg.norm(rotation, axis=0)
    box = item.box_3d
    centre = np.array(box.centre_m) - (0.0, box.height_m / 2, 0.0)
    return {
        "cam_R_m2c": rotation.ravel().tolist(),
        "cam_t_m2c": (centre * _MM).tolist(),
        "obj_id": models[item.model],
    }


def _seen(item: InstanceRecord) -> dict[str, Any]:
    return {
        "bbox_obj": _corner_and_size(item.box_amodal_px),
        "bbox_visib": _corner_and_size(item.box_visible_px) if item.box_visible_px else [-1, -1, -1, -1],
        "px_count_all": item.amodal_px,
        "px_count_valid": item.amodal_px,
        "px_count_visib": item.visible_px,
        "visib_fract": item.visible_px / item.amodal_px if item.amodal_px else 0.0,
    }


def _corner_and_size(box: Box2D) -> list[int]:
    left, top, right, bottom = (round(edge) for edge in box)
    return [left, top, right - left, bottom - top]


def _sizes(job: Job) -> dict[str, dict[str, float]]:
    """The box of each model as the first frame that shows it has it."""
    found: dict[str, dict[str, float]] = {}
    for frame in job.frames():
        for item in frame.record.labelled:
            box = item.box_3d
            size = np.array([box.length_m, box.width_m, box.height_m]) * _MM
            lowest = {f"min_{axis}": -value / 2 for axis, value in zip("xyz", size.tolist(), strict=True)}
            sizes = {f"size_{axis}": value for axis, value in zip("xyz", size.tolist(), strict=True)}
            found.setdefault(item.model, {"diameter": float(np.linalg.norm(size)), **lowest, **sizes})
    return dict(sorted(found.items()))
