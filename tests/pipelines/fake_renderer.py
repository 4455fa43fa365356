"""A renderer without Blender: boxes on a flat road, exact by construction, the same for a seed and a frame number."""

from __future__ import annotations

import os
import resource
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np

from pipelines.cameras import parse_size
from pipelines.synthesis.options.render import RenderConfig
from renderer.errors import SceneError
from renderer.geometry.camera import Camera
from renderer.geometry.flow import Flow
from renderer.geometry.frame import Box3D, Frame, Instance, Part
from renderer.random_streams import Draw, Moment, Stream
from renderer.scene.cars import FrameSetup, ModelSize
from renderer.thermal.conditions import Conditions
from renderer.visible.settings import VisibleSettings
from renderer.zones.catalogue import Zone

GATE_S = 600.0
"""How long a frame waits for a gate; then it fails."""
CAMERA = Camera("fake", 96, 64, 90.0, 90.0, 48.0, 30.0)
# OpenCV camera looking along world +y: x right, y down, z forward.
LOOKING_ALONG_Y = np.array([[1.0, 0, 0, 0], [0, 0, 1.0, 0], [0, -1.0, 0, 1.65], [0, 0, 0, 1.0]])
MODELS = (ModelSize("hatchback", "car", 4.0, 1.8, 1.5), ModelSize("lorry", "truck", 8.0, 2.5, 3.2))


@dataclass(frozen=True)
class FakeScene:
    """Session factory: picklable, with the accidents that a test wants."""

    kill_at: int = -1
    """Frame at which the worker process kills itself."""
    fail_at: int = -1
    """Frame at which the renderer raises something unforeseen."""
    full_at: int = -1
    """Frame from which on the worker can write no file of more than a few bytes."""
    slow_s: float = 0.0
    """Time that each frame takes."""
    has_traffic: bool = True
    """Cars are drawn for each frame."""
    broken: bool = False
    """The scene cannot be opened."""
    log: Path | None = None
    """Folder that gets an empty file per rendered frame."""
    gates: tuple[tuple[int, Path], ...] = ()
    """Numbers and files: frames from that number on are begun, and wait until the file is there."""

    def __call__(self, config: RenderConfig) -> FakeSession:
        if self.broken:
            raise SceneError("fake.blend: cannot be read; expected a scene")
        return FakeSession(self, config)


class FakeSession:
    def __init__(self, scene: FakeScene, config: RenderConfig) -> None:
        self.scene, self.seed, self.has_traffic = scene, config.seed, scene.has_traffic
        self.camera = config.named_camera() or CAMERA
        if config.camera is None and config.size is not None:
            self.camera = CAMERA.fitted(*parse_size(config.size))

    model_sizes = MODELS
    people_sizes: tuple[ModelSize, ...] = ()
    other_sizes: tuple[ModelSize, ...] = ()

    def frame(
        self,
        index: int,
        *,
        attempt: int = 0,
        normals: bool = False,
        parts: bool = False,
        profile: str | None = None,
        conditions: Conditions | None = None,
        people: int | None = 0,
        others: Mapping[str, int | None] = MappingProxyType({}),
        moment: Moment | None = None,
        flow: bool = False,
        amodal: bool = False,
        shrink: int = 1,
        edges: bool = False,
    ) -> Frame:
        if shrink > 1:
            assert moment is not None
            small = self.camera.fitted(self.camera.width // shrink, self.camera.height // shrink)
            return draw_moment(small, index, Draw(self.seed, index, attempt, moment))
        self._accidents(index)
        if moment is not None:
            frame = _with_amodal(draw_moment(self.camera, index, Draw(self.seed, index, attempt, moment)), amodal)
            known = Flow(np.full((*frame.zone.shape, 2), 1.5, np.float32), frame.zone > 0)
            return replace(frame, flow=known if flow and moment.next is not None else None)
        rng = Draw(self.seed, index, attempt if self.has_traffic else 0).rng(Stream.TRAFFIC)
        return _with_amodal(draw(self.camera, index, rng, profile or ""), amodal)

    def visible(
        self, frame: Frame, draw: Draw, conditions: Conditions, settings: VisibleSettings, **more: object
    ) -> np.ndarray:
        """Colours by instance, a little lighter with more samples."""
        grey = (frame.instance_id.astype(np.int64) * 37 + 40 + settings.samples) % 256
        return np.stack([grey, 255 - grey, np.full_like(grey, 90)], axis=-1).astype(np.uint8)

    def frame_on_plane(
        self,
        setup: FrameSetup,
        *,
        camera: Camera | None = None,
        normals: bool = False,
        parts: bool = False,
        amodal: bool = False,
    ) -> Frame:
        self._accidents(setup.index)
        rng = np.random.default_rng([self.seed, setup.index, 0])
        frame = _with_amodal(draw(camera or self.camera, setup.index, rng, ""), amodal)
        alone = frame.instance_id > 0
        return replace(
            frame,
            zone=np.where(alone, frame.zone, 0).astype(np.uint8),
            depth_m=np.where(alone, frame.depth_m, np.inf).astype(np.float32),
            normal=None if frame.normal is None else np.where(alone[..., None], frame.normal, 0).astype(np.float32),
        )

    def close(self) -> None:
        pass

    def _accidents(self, index: int) -> None:
        time.sleep(self.scene.slow_s)
        if self.scene.log is not None:
            (self.scene.log / f"{index}.{os.getpid()}").touch()
        for first, gate in self.scene.gates:
            end = time.monotonic() + GATE_S
            while index >= first and not gate.exists():
                if time.monotonic() > end:
                    raise TimeoutError(f"nobody has opened {gate.name}")
                time.sleep(0.02)
        if index == self.scene.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        if index == self.scene.fail_at:
            raise RuntimeError("the roof\nfell in")
        if 0 <= self.scene.full_at <= index:
            resource.setrlimit(resource.RLIMIT_FSIZE, (40, 40))


def _with_amodal(frame: Frame, asked: bool) -> Frame:
    """The frame with the whole rectangle of each object, where that is asked for."""
    if not asked:
        return frame
    masks = {}
    for item in frame.instances:
        left, top, right, bottom = (max(0, int(edge)) for edge in item.box_amodal_px)
        masks[item.id] = np.zeros(frame.zone.shape, np.bool_)
        masks[item.id][top:bottom, left:right] = True
    return replace(frame, amodal=masks)


def draw_moment(camera: Camera, index: int, place: Draw) -> Frame:
    """Rectangles of one sequence, which go to the right with constant speeds, seen by a camera that stands."""
    assert place.moment is not None
    rng = place.rng(Stream.TRAFFIC)
    speeds = rng.uniform(0.4, 2.0, 4)
    return draw(camera, index, rng, "", speeds * place.moment.time_s)


def draw(camera: Camera, index: int, rng: np.random.Generator, profile: str, gone_m: np.ndarray | None = None) -> Frame:
    """A flat road, the sky, and upright rectangles with a bonnet and tyres; the last one is a sliver."""
    height, width = camera.height, camera.width
    rays = camera.rays()
    road = rays[..., 1] > 0.02
    depth = np.where(road, 1.65 / np.maximum(rays[..., 1], 0.02), np.inf).astype(np.float32)
    zone = np.where(road, Zone.ROAD, Zone.SKY).astype(np.uint8)
    ids = np.zeros((height, width), dtype=np.uint16)
    normal = np.zeros((height, width, 3), dtype=np.float32)
    normal[road] = (0, 0, 1)
    part = np.where(road, 1, 0).astype(np.uint16)
    parts = [Part("road", 0, np.eye(4))]
    boxes: dict[int, tuple[int, int, int, int]] = {}
    solids: dict[int, Box3D] = {}
    distances = sorted(rng.uniform(6.0, 40.0, int(rng.integers(1, 5))), reverse=True)
    for number, distance in enumerate([*distances, 5.0], 1):
        sliver = number == len(distances) + 1
        half, tall = (0.9, 1.5) if number % 2 else (1.25, 3.2)
        x = float(rng.uniform(-0.35, 0.35)) * distance * width / camera.fx
        x += 0.0 if gone_m is None or sliver else float(gone_m[number - 1])
        left, right = (camera.cx + camera.fx * (x + s * half) / distance for s in (-1, 1))
        top, bottom = (camera.cy + camera.fy * (1.65 - h) / distance for h in (tall, 0.0))
        box = (round(left), round(top), max(round(right), round(left) + 1), round(bottom))
        box = (1, 2, 3, 5) if sliver else box
        rows = slice(max(box[1], 0), max(box[3], 0))
        columns = slice(max(box[0], 0), max(box[2], 0))
        depth[rows, columns], ids[rows, columns], part[rows, columns] = distance, number, number + 1
        zone[rows, columns] = Zone.BODY
        zone[max(box[3] - 2, 0) : max(box[3], 0), columns] = Zone.TYRE
        normal[rows, columns] = (0, -1, 0)
        solid = _solid_behind(box, distance, camera)
        x_m, y_m, _ = solid.centre_m
        parts.append(Part(f"car.{number}", number, _heading_away(x_m, distance, 1.65 - y_m)))
        boxes[number], solids[number] = box, solid
    instances = tuple(
        _instance(number, boxes[number], solids[number], ids, parts[number], camera, profile) for number in boxes
    )
    return Frame(
        index,
        camera,
        LOOKING_ALONG_Y,
        depth,
        ids,
        zone,
        instances,
        normal,
        part,
        tuple(parts),
        notes=("zones were drawn",),
    )


def _heading_away(x_m: float, y_m: float, z_m: float) -> np.ndarray:
    """Pose of a model on the road whose front looks along the camera's view."""
    pose = np.eye(4)
    pose[:3, 0], pose[:3, 1], pose[:3, 3] = (0, 1, 0), (-1, 0, 0), (x_m, y_m, z_m)
    return pose


def _solid_behind(box: tuple[int, int, int, int], distance_m: float, camera: Camera) -> Box3D:
    """The shallow 3-D box that a rectangle of pixels at this distance cuts in the middle."""
    left, top, right, bottom = box
    centre = ((left + right) / 2 - camera.cx) / camera.fx * distance_m, (bottom - camera.cy) / camera.fy * distance_m
    width, height = (right - left) / camera.fx * distance_m, (bottom - top) / camera.fy * distance_m
    return Box3D((*centre, float(distance_m)), width / 4, height, width, -np.pi / 2)


def _instance(
    number: int, box: tuple[int, int, int, int], solid: Box3D, ids: np.ndarray, part: Part, camera: Camera, profile: str
) -> Instance:
    rows, columns = np.nonzero(ids == number)
    seen = None
    if len(rows):
        seen = (float(columns.min()), float(rows.min()), float(columns.max() + 1), float(rows.max() + 1))
    left, top, right, bottom = box
    inside = max(0, min(right, camera.width) - max(left, 0)) * max(0, min(bottom, camera.height) - max(top, 0))
    area = max((right - left) * (bottom - top), 1)  # a camera may be absurd
    model = MODELS[0] if number % 2 else MODELS[1]
    share = len(rows) / inside if inside else 0.0
    return Instance(
        id=number, category=model.category, model=model.name, profile=profile, object_to_world=part.local_to_world,
        box_3d=solid, box_amodal_px=tuple(map(float, box)), box_visible_px=seen, visible_px=len(rows),
        amodal_px=inside, truncation=1 - inside / area,
        occlusion=3 if not len(rows) else 0 if share >= 0.95 else 1 if share >= 0.5 else 2,
    )  # fmt: skip
