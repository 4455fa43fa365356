"""A real frame and its fitted cars as one sample: source planes, the picture, masks, zones, depth and poses."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from assets import THERMAL_PROFILES
from gan.data.layout import LAYOUT_NAME
from numpy.typing import NDArray
from renderer.geometry.boxes import clip_box, occlusion_level, truncation
from renderer.geometry.camera import Camera
from renderer.geometry.frame import Frame, Instance
from renderer.insertion.background_sensor import measure_sensor
from renderer.insertion.foreground import render_foreground
from renderer.insertion.harmonise import harmonise_grey
from renderer.random_streams import Draw, Stream
from renderer.raster.rasterizer import Drawing, Rasteriser
from renderer.thermal.conditions import sample_conditions
from renderer.thermal.profiles import read_profiles
from renderer.zones.catalogue import zone_palette

from pipelines.dataset import shards as tensors
from pipelines.dataset.record import FitRecord, FittedPose, InstanceRecord, PairRecord, frame_name
from pipelines.fitting.candidates import Pose
from pipelines.fitting.fitter import Fitter, nearer_boxes
from pipelines.fitting.inputs import RealFrame, read_image
from pipelines.io.exr import encode_exr
from pipelines.io.files import sha256, write_bytes
from pipelines.io.images import encode_palette_png, encode_png
from pipelines.synthesis import source_tensor as compose
from pipelines.synthesis.infrared import DEFAULT_PROFILE
from pipelines.synthesis.source_tensor import source_sample

__all__ = ["draw_pair", "physics_picture", "pose_from_json", "pose_to_json"]

HOURS = {"day": 13.0, "night": 22.0}
"""Hour of the weather that the cars' physical rendering is made with; others are drawn."""
BOX_PX = 2
"""What a model has outside its box is not the car's: it is hidden, or the model is too large there."""


def pose_to_json(pose: Pose) -> dict[str, Any]:
    """A pose as JSON values."""
    return {**asdict(pose), "box_px": list(pose.box_px)}


def pose_from_json(data: dict[str, Any]) -> Pose:
    """Inverse of :func:`pose_to_json`."""
    left, top, right, bottom = data["box_px"]
    return Pose(**{**data, "box_px": (left, top, right, bottom)})


def physics_picture(background: NDArray[np.uint8], frame: Frame, time: str, variant: int = 0) -> NDArray[np.uint8]:
    """(H, W) the fitted cars by physics in their own frame, of which nothing is used where cars are or might be.

    Args:
        background: (H, W) the real frame.
        frame: passes of the fitted cars.
        time: "day", "night" or "".
        variant: another number draws other levels and details.
    """
    empty = compose.fill_background(background, compose.dilate_objects(frame) > 0)
    draw = Draw(variant, frame.index)
    conditions = sample_conditions(draw.rng(Stream.FIT_WEATHER), hour=HOURS.get(time))
    foreground = render_foreground(frame, conditions, read_profiles(THERMAL_PROFILES), draw)
    measured = measure_sensor(empty.astype(np.float32))
    return harmonise_grey(empty, frame, foreground, conditions, measured, draw)


def draw_pair(
    out: Path,
    fitter: Fitter,
    index: int,
    frame: RealFrame,
    cars: list[dict[str, Any]],
    layout: str = LAYOUT_NAME,
    others: tuple[int, ...] = (),
) -> PairRecord:
    """Writes the files and the samples of a frame; returns its record.

    Args:
        out: folder of the pairs.
        fitter: models.
        index: number of the pair.
        frame: the real frame.
        cars: its accepted fits.
        layout: one of :data:`gan.data.layout.LAYOUTS`.
        others: numbers of further samples, for which the picture of the physics is drawn anew.
    """
    target, hashed = read_image(frame.path), ""
    rendered = _passes(fitter, index, frame, cars)
    background = (target >> 8).astype(np.uint8)
    for variant, number in enumerate((index, *others)):
        picture = physics_picture(background, rendered, frame.time, variant) if layout == "physics" else None
        sample = replace(source_sample(background, rendered, target, None, frame.group, picture), index=number)
        digest = tensors.write_part(out, sample)
        hashed = digest if number == index else hashed
    name = frame_name(index)
    contents = {
        f"images/{name}.png": encode_png(background),
        f"masks/{name}.png": encode_png(rendered.instance_id),
        f"zones/{name}.png": encode_palette_png(rendered.zone, zone_palette()),
        f"depth/{name}.exr": encode_exr({"Z": rendered.depth_m}),
    }
    for file, data in contents.items():
        write_bytes(out / file, data, root=out)
    return PairRecord(
        index=index,
        name=frame.name,
        group=frame.group,
        time=frame.time,
        camera=rendered.camera,
        cam_to_world=rendered.cam_to_world,
        instances=tuple(
            InstanceRecord.of(item, fit=_fit_record(car)) for item, car in zip(rendered.instances, cars, strict=True)
        ),
        tensor_sha256=hashed,
        files={file: sha256(data) for file, data in sorted(contents.items())},
    )


def _fit_record(car: dict[str, Any]) -> FitRecord:
    left, top, right, bottom = car["box"]
    pose = FittedPose(**asdict(pose_from_json(car["pose"])))
    return FitRecord(car["key"], car["angle_deg"], (left, top, right, bottom), car["box_iou"], car["confidence"], pose)


def _passes(fitter: Fitter, index: int, frame: RealFrame, cars: list[dict[str, Any]]) -> Frame:
    """Passes of the fitted cars, each kept within its box and behind nearer boxes."""
    shape = frame.camera.height, frame.camera.width
    depth = np.full(shape, np.inf, np.float32)
    ids, zones = np.zeros(shape, np.uint16), np.zeros(shape, np.uint8)
    normals = np.zeros((*shape, 3), np.float32)
    rasteriser, whole = Rasteriser(frame.camera), []
    for number, car in enumerate(cars, start=1):
        drawing = Drawing(
            np.array([fitter.number(car["model"])]), pose_from_json(car["pose"]).matrix()[None], np.array([1])
        )
        passes = rasteriser.draw(fitter.zone_pool, drawing, np.eye(4), normals=True)
        seen = (passes.instance_id > 0) & (passes.depth_m < depth) & _visible(frame, car, shape)
        depth[seen], ids[seen], zones[seen] = passes.depth_m[seen], number, passes.zone[seen]
        if passes.normal is not None:
            normals[seen] = passes.normal[seen]
        whole.append(int(passes.amodal_px[1]))
    world = _camera_pose(frame.camera)
    items = [_instance(fitter, place, car, ids, px, world, frame.camera) for place, (car, px) in
             enumerate(zip(cars, whole, strict=True), start=1)]  # fmt: skip
    # The rasteriser drew in the camera's axes.
    turned = np.ascontiguousarray(normals @ world[:3, :3].T, dtype=np.float32)
    return Frame(index, frame.camera, world, depth, ids, zones, tuple(items), normal=turned)


def _visible(frame: RealFrame, car: dict[str, Any], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """(H, W) the car's box, less the boxes of people and things before it (other cars hide it by their depth)."""
    left, top, right, bottom = car["box"]
    seen = np.zeros(shape, bool)
    seen[max(int(top) - BOX_PX, 0) : int(bottom) + BOX_PX, max(int(left) - BOX_PX, 0) : int(right) + BOX_PX] = True
    others = [one.box_px for one in frame.boxes if one.kind != "car"]
    for a, b, c, d in nearer_boxes((left, top, right, bottom), others):
        seen[max(int(b), 0) : max(int(d), 0), max(int(a), 0) : max(int(c), 0)] = False
    return seen


def _camera_pose(camera: Camera) -> NDArray[np.float64]:
    """(4, 4) level camera above the origin, looking along +x of a world with z up."""
    return np.array([[0, 0, 1, 0], [-1, 0, 0, 0], [0, -1, 0, camera.height_m], [0, 0, 0, 1]], dtype=np.float64)


def _instance(
    fitter: Fitter,
    number: int,
    car: dict[str, Any],
    ids: NDArray[np.uint16],
    amodal_px: int,
    world: NDArray[np.float64],
    camera: Camera,
) -> Instance:
    pose, model = pose_from_json(car["pose"]), fitter.shape(car["model"])
    rows, columns = np.nonzero(ids == number)
    box = None
    if len(rows):
        box = float(columns.min()), float(rows.min()), float(columns.max() + 1), float(rows.max() + 1)
    cut = truncation(pose.box_px, camera) if clip_box(pose.box_px, camera) else 1.0
    return Instance(
        number, model.category, car["model"], DEFAULT_PROFILE, world @ pose.matrix(), pose.box_3d(model), pose.box_px,
        box, len(rows), amodal_px, cut, occlusion_level(len(rows), amodal_px),
    )  # fmt: skip
