"""The files of one frame: images, masks, depth, labels and its source sample."""

from __future__ import annotations

from pathlib import Path

from renderer.copies import with_values
from renderer.zones.catalogue import zone_palette

from pipelines.dataset import shards
from pipelines.dataset.frame import SynthesizedFrame
from pipelines.dataset.labels.kitti import kitti_text
from pipelines.dataset.labels.run_lengths import encode_rle, mask_code, run_lengths
from pipelines.dataset.labels.yolo import yolo_text
from pipelines.dataset.made_frame import MadeFrame
from pipelines.dataset.passes.flow import flow_files
from pipelines.dataset.passes.normals import normal_files
from pipelines.dataset.passes.parts import part_files
from pipelines.dataset.passes.stereo import disparity_files
from pipelines.dataset.record import FrameRecord, InstanceRecord, SequenceRecord, frame_name
from pipelines.io.exr import encode_exr
from pipelines.io.files import sha256
from pipelines.io.images import encode_palette_png, encode_png

__all__ = ["encode_frame", "write_frame"]


def write_frame(folder: Path, frame: SynthesizedFrame) -> FrameRecord:
    """Writes every file of a frame, its source sample too where it has one; returns its record.

    Raises:
        OutputError: a file cannot be written.
    """
    return encode_frame(frame).write(folder)


def encode_frame(frame: SynthesizedFrame) -> MadeFrame[FrameRecord]:
    """The files of a frame, its source sample too where it has one, and its record."""
    contents = _encode_files(frame)
    part = {} if frame.sample is None else shards.part_contents(frame.sample)
    record = FrameRecord(
        index=frame.index,
        seed=frame.draw.seed,
        sequence=None if frame.draw.moment is None else SequenceRecord.of(frame.draw.moment),
        scene=frame.scene,
        camera=frame.camera,
        cam_to_world=frame.cam_to_world,
        background=frame.background,
        conditions=frame.conditions,
        profile=frame.profile,
        model=frame.model,
        sensor=frame.sensor,
        sensor_variety=frame.sensor_variety,
        span_K=frame.span_K,
        instances=tuple(_with_code(item, frame) for item in frame.instances),
        label_error=frame.label_error,
        real_objects=frame.real_objects,
        unlabelled=frame.unlabelled,
        notes=frame.notes,
        files={file: sha256(data) for file, data in sorted(contents.items())},
        tensor_sha256=next(map(sha256, part.values()), None),
    )
    return MadeFrame(record, contents | part)


def _encode_files(frame: SynthesizedFrame) -> dict[str, bytes]:
    """Contents of the files by their names below the folder."""
    name, (height, width), objects = frame_name(frame.index), frame.image.shape, frame.counted
    real = frame.real_objects or ()
    contents = {
        f"images/{name}.png": encode_png(frame.image),
        f"masks/{name}.png": encode_png(frame.instance_id),
        f"zones/{name}.png": encode_palette_png(frame.zone, zone_palette()),
        f"depth/{name}.exr": encode_exr({"Z": frame.depth_m}),
        f"annotations/kitti/{name}.txt": kitti_text(objects, width, height, real, frame.ignored).encode(),
        f"annotations/yolo/{name}.txt": yolo_text(objects, width, height, real).encode(),
    }
    if frame.span_K is not None:
        contents[f"images16/{name}.png"] = encode_png(frame.image16)
    if frame.visible is not None:
        contents[f"visible/{name}.png"] = encode_png(frame.visible)
    if frame.flow is not None:
        contents |= flow_files(name, frame.flow)
    if frame.normal is not None:
        contents |= normal_files(name, frame.normal)
    if frame.parts is not None:
        contents |= part_files(name, frame.parts)
    if frame.disparity is not None:
        contents |= disparity_files(name, frame.disparity)
    return contents


def _with_code(item: InstanceRecord, frame: SynthesizedFrame) -> InstanceRecord:
    """An object with the run-length codes of its pixels, where it has a label."""
    if not item.labelled or item.box_visible_px is None:
        return item
    amodal = None if frame.amodal is None else mask_code(frame.amodal[item.id])
    return with_values(
        item, rle=encode_rle(run_lengths(frame.instance_id, item.id, item.box_visible_px)), rle_amodal=amodal
    )
