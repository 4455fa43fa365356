"""`gis synthesize`: a scene, or real backgrounds, to a labelled thermal data set.

A worker makes one frame from its number to its files: passes, infrared image, masks, labels, source tensor. The
parent appends the frame's line and, when all are there, writes what describes the whole: COCO labels, card, contact
sheet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from gan.data.layout import LAYOUT_VERSION
from numpy.typing import NDArray
from renderer.geometry.frame import Frame
from renderer.random_streams import ATTEMPT_STEP, Draw, Stream
from renderer.scene.placement import sample_on_plane
from renderer.thermal.conditions import Conditions, sample_conditions
from renderer.zones.catalogue import ZONES, zone_palette

from pipelines.backgrounds.capture_time import time_of
from pipelines.backgrounds.geometry.boxes import read_boxes
from pipelines.backgrounds.geometry.ground import Sites, on_ground
from pipelines.backgrounds.geometry.obstacles import hide_behind
from pipelines.backgrounds.images import Background, Backgrounds, choose, open_background, scan_backgrounds
from pipelines.dataset import shards as tensors
from pipelines.dataset.consistency_page import DRIFT_FILE, write_drift
from pipelines.dataset.label_consistency import ATTEMPTS, Drift, measure_drift
from pipelines.dataset.labels import CATEGORIES, MIN_VISIBLE_PX, labelled
from pipelines.dataset.labels.coco import Image, encode_rle, run_lengths, write_coco
from pipelines.dataset.labels.kitti import kitti_text
from pipelines.dataset.labels.yolo import yolo_classes, yolo_text
from pipelines.dataset.store import (
    DATASET_FILE,
    FrameStore,
    Record,
    camera_to_json,
    frame_name,
    generator,
    instance_from_json,
    instance_to_json,
)
from pipelines.errors import DatasetError
from pipelines.io.exr import encode_exr
from pipelines.io.files import read_json, sha256, write_bytes, write_text
from pipelines.io.images import encode_palette_png, encode_png
from pipelines.synthesis.config import SynthesizeConfig
from pipelines.synthesis.infrared import DEFAULT_PROFILE, DISPLAY_NOTE, Infrared, InfraredMaker, open_infrared
from pipelines.synthesis.passes import Session, SessionFactory, make_frames, open_session
from pipelines.synthesis.source_tensor import source_sample

__all__ = ["SCHEMA", "SCHEMA_VERSION", "FrameMaker", "SynthesizeJob", "coco_frames", "synthesize"]

SCHEMA, SCHEMA_VERSION = "gis-dataset", 1
COCO_FILE = "annotations/coco.json"
CLASSES_FILE = "annotations/yolo/classes.txt"
WHOLE_FILES = (COCO_FILE, CLASSES_FILE, "README.md", "preview.png", DRIFT_FILE)
"""Files that describe all frames together."""


def synthesize(
    config: SynthesizeConfig, *, progress: bool = False, session_factory: SessionFactory = open_session
) -> Path:
    """Makes all frames that the folder does not hold yet, then what describes them; returns the folder.

    Raises:
        PipelineError: an option, the backgrounds, the folder or the disk.
        RendererError: the scene.
        GanError: the model.
    """
    backgrounds = None if config.backgrounds is None else scan_backgrounds(config.backgrounds)
    sites = open_sites(config)
    store = FrameStore(config.out, DATASET_FILE, dataset_head(config))
    store.check(config.count)
    todo = store.missing(config.count)
    if config.tensors:
        todo = sorted({*todo, *tensors.missing_samples(config.out, config.count)})
    if todo:
        job = SynthesizeJob(config, backgrounds, session_factory, sites)
        after = (lambda index: tensors.pack_if_full(config.out, index)) if config.tensors else None
        # The first worker to load a model converts it for this machine; the others find that done.
        alone = config.weights is not None
        make_frames(store, job, todo, config.processes, progress=progress, after=after, one_first=alone)
    if todo or not _is_finished(store, config.count):
        finish(store, config)
    return config.out


def open_sites(config: SynthesizeConfig) -> Sites:
    """What the options tell of the ground of the backgrounds.

    Raises:
        BackgroundError: the boxes cannot be read.
    """
    boxes = None if config.boxes is None else read_boxes(config.boxes)
    return Sites(boxes, config.road_mask, config.camera_height, config.road_heading)


def dataset_head(config: SynthesizeConfig) -> dict[str, Any]:
    """What stands in dataset.json from the beginning, and what no other run may differ in."""
    return {
        "schema": SCHEMA,
        "version": SCHEMA_VERSION,
        "layout": {"name": config.layout, "version": LAYOUT_VERSION},
        "categories": list(CATEGORIES),
        "min_visible_px": MIN_VISIBLE_PX,
        "zones": {info.name: int(info.zone) for info in ZONES},
        "configuration": config.to_json(),
    }


# --- one frame --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SynthesizeJob:
    """What a worker of `gis synthesize` does."""

    config: SynthesizeConfig
    backgrounds: Backgrounds | None
    session_factory: SessionFactory
    sites: Sites = field(default_factory=Sites)

    @contextmanager
    def open(self) -> Iterator[Callable[[int], Record]]:
        """Opens the scene and the model."""
        session = self.session_factory(self.config)
        try:
            yield FrameMaker(self.config, self.backgrounds, session, open_infrared(self.config), self.sites).make
        finally:
            session.close()


@dataclass(frozen=True)
class _Made:
    """One attempt at a frame."""

    frame: Frame
    shown: Frame
    """Without the ids of objects that get no label."""
    conditions: Conditions
    background: Background | None
    image: Infrared
    drift: Drift
    attempt: int


@dataclass(frozen=True)
class FrameMaker:
    """Makes frames in an opened scene."""

    config: SynthesizeConfig
    backgrounds: Backgrounds | None
    session: Session
    infrared: InfraredMaker
    sites: Sites = field(default_factory=Sites)

    def make(self, index: int) -> Record:
        """Writes the files of a frame and returns its record."""
        made = self._accepted(index)
        shown = made.shown
        files = self._write_files(shown, made.image)
        record = self._record(made, shown.instance_id, files)
        if self.config.tensors:
            sample = self._sample(shown, made.image, made.background)
            record["tensor_sha256"] = tensors.write_part(self.config.out, sample)
        return record

    def _accepted(self, index: int) -> _Made:
        """The first attempt with no more drift than is allowed; where there is none, the one with the least."""
        best = self._attempt(index, 0)
        for attempt in range(1, ATTEMPTS):
            if not _is_rejected(best.drift, self.config.max_drift):
                break
            best = min(best, self._attempt(index, attempt), key=lambda made: made.drift.score or 0.0)
        return best

    def _attempt(self, index: int, attempt: int) -> _Made:
        """A frame drawn as frame ``index + attempt * ATTEMPT_STEP`` of the data set would be."""
        draw = index + attempt * ATTEMPT_STEP
        background = self._background(draw)
        # A scene without a street has its own animation, in which no other frame is this one.
        place = index if background is None and getattr(self.session, "street", True) is None else draw
        frame, conditions = self._passes(place, self._conditions(draw, background), background)
        image = self.infrared.make(frame, conditions, background)
        shown = _only_labelled(frame)
        picture, behind = _picture(image, background)
        drift = measure_drift(picture, shown.instance_id, shown.zone, behind)
        frame, shown = (replace(one, index=index) for one in (frame, shown))
        return _Made(frame, shown, conditions, background, image, drift, attempt)

    def _conditions(self, index: int, background: Background | None) -> Conditions:
        """Drawn; what the options say, or else the clock of the background's camera, replaces a draw."""
        rng = Draw(self.config.seed, index).rng(Stream.CONDITIONS)
        hour, season = (None, None) if background is None else time_of(background)
        return sample_conditions(
            rng,
            weather=self.config.weather,
            hour=hour if self.config.hour is None else self.config.hour,
            season=season if self.config.season is None else self.config.season,
        )

    def _background(self, index: int) -> Background | None:
        if self.backgrounds is None:
            return None
        background = open_background(
            self.backgrounds,
            choose(self.backgrounds, Draw(self.config.seed, index)),
            camera=self.config.camera,
            size=self.config.size,
            horizon=self.config.horizon,
        )
        return on_ground(background, self.sites.ground(background))

    def _passes(self, index: int, conditions: Conditions, background: Background | None) -> tuple[Frame, Conditions]:
        if background is None:
            frame, setup = self.session.frame(
                index, normals=True, parts=True, profile=self.config.profile, conditions=conditions
            )
            return _with_profile(frame, self.config.profile), setup.conditions
        ground = self.sites.ground(background)
        setup = sample_on_plane(
            background.camera, self.session.model_sizes, Draw(self.config.seed, index),
            horizon_px=background.horizon_px, horizon_slope=ground.horizon.slope, road_yaw_rad=ground.road_yaw_rad,
            free_mask=ground.road.free, obstacles=[one.footprint for one in ground.obstacles],
            profile=self.config.profile, conditions=conditions,
        )  # fmt: skip
        frame = self.session.frame_on_plane(setup, camera=background.camera, normals=True, parts=True)
        frame = hide_behind(frame, ground.obstacles)
        if ground.road.sure == 0.0:
            frame = replace(frame, notes=(*frame.notes, f"no car placed: {ground.road.source}"))
        return _with_profile(frame, self.config.profile), setup.conditions

    def _write_files(self, frame: Frame, image: Infrared) -> dict[str, str]:
        """Writes every file of the frame; their names and hashes."""
        name, (height, width) = frame_name(frame.index), frame.instance_id.shape
        objects = labelled(frame.instances)
        contents = {
            f"images/{name}.png": encode_png(image.image),
            f"masks/{name}.png": encode_png(frame.instance_id),
            f"zones/{name}.png": encode_palette_png(frame.zone, zone_palette()),
            f"depth/{name}.exr": encode_exr({"Z": frame.depth_m}),
            f"annotations/kitti/{name}.txt": kitti_text(objects, width, height).encode(),
            f"annotations/yolo/{name}.txt": yolo_text(objects, width, height).encode(),
        }
        if image.span_K is not None:
            contents[f"images16/{name}.png"] = encode_png(image.image16)
        for file, data in contents.items():
            write_bytes(self.config.out / file, data)
        return {file: sha256(data) for file, data in sorted(contents.items())}

    def _record(self, made: _Made, mask: NDArray[np.uint16], files: dict[str, str]) -> Record:
        frame, background, image = made.frame, made.background, made.image
        return {
            "index": frame.index,
            "seed": self.config.seed,
            "scene": self.config.scene.name,
            "camera": camera_to_json(frame),
            "background": {"kind": "scene", "radiometric": True} if background is None else background.about,
            "conditions": made.conditions.to_json(),
            "profile": self.config.profile,
            "backend": self.infrared.about,
            "sensor": image.sensor,
            "span_K": None if image.span_K is None else list(image.span_K),
            "instances": _instances(frame, mask),
            "drift": {
                **made.drift.to_json(),
                "attempt": made.attempt,
                "rejected": _is_rejected(made.drift, self.config.max_drift),
            },
            "notes": [*frame.notes, *image.notes],
            "files": files,
        }

    def _sample(self, frame: Frame, image: Infrared, background: Background | None) -> Any:
        group = "" if background is None else str(background.about["name"])
        # As a translation model is shown it (`pipelines.synthesis.infrared`): on the scale of its target.
        shown = image.image if image.span_K is None else (image.image16 >> 8).astype(np.uint8)
        picture = shown if self.config.layout == "physics" else None
        return source_sample(image.background, frame, image.image16, image.span_K, group, picture)


def _is_rejected(drift: Drift, most: float | None) -> bool:
    """Whether a frame drifts more than is allowed; by what its line says, so that both always agree."""
    score = drift.to_json()["score"]
    return most is not None and score is not None and score > most


def _picture(image: Infrared, background: Background | None) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """What drift is measured on: the image, and in the same mapping the background that no object stands in yet."""
    if background is None or (image.span_K is not None and DISPLAY_NOTE in image.notes):
        return image.image, None
    if image.span_K is None or background.kelvin is None:
        return image.image, background.image
    low, high = image.span_K
    share = np.clip((background.kelvin - low) / (high - low), 0.0, 1.0)
    return image.image16, np.rint(share * 65535.0).astype(np.uint16)


def _with_profile(frame: Frame, profile: str | None) -> Frame:
    """The frame with a thermal profile for every object: the one that is asked for, its own, or the default."""
    chosen = [profile or item.profile or DEFAULT_PROFILE for item in frame.instances]
    pairs = zip(frame.instances, chosen, strict=True)
    return replace(frame, instances=tuple(replace(item, profile=name) for item, name in pairs))


def _only_labelled(frame: Frame) -> Frame:
    """The frame without the ids of objects that get no label, so that masks and labels name the same objects."""
    chosen = labelled(frame.instances)
    keep = np.zeros(1 + max((item.id for item in frame.instances), default=0), dtype=np.uint16)
    for item in chosen:
        keep[item.id] = item.id
    for item in chosen:
        if item.category not in CATEGORIES:
            raise DatasetError(
                f"frame {frame.index}: {item.model!r} has category {item.category!r}: "
                f"expected one of {', '.join(CATEGORIES)}; set its property gis_category"
            )
    return replace(frame, instance_id=keep.take(frame.instance_id))


def _instances(frame: Frame, mask: NDArray[np.uint16]) -> list[dict[str, Any]]:
    """Objects as the record has them: all in view, and the run-length code of those with a label."""
    chosen = {item.id for item in labelled(frame.instances)}
    entries = []
    for item in frame.instances:
        entry = {**instance_to_json(item), "labelled": item.id in chosen}
        if item.id in chosen and item.box_visible_px is not None:
            entry["rle"] = encode_rle(run_lengths(mask, item.id, item.box_visible_px))
        entries.append(entry)
    return entries


# --- the whole --------------------------------------------------------------------------------------------------------


def _is_finished(store: FrameStore, count: int) -> bool:
    described = read_json(store.folder / store.description)
    files = [*WHOLE_FILES, *(shard["name"] for shard in described.get("shards", []))]
    whole = all((store.folder / name).is_file() for name in files)
    return bool(described.get("complete") and described.get("frames") == count and whole)


def finish(store: FrameStore, config: SynthesizeConfig) -> None:
    """Writes what describes all frames, dataset.json last."""
    from pipelines.dataset.card import write_card, write_preview

    write_text(store.folder / CLASSES_FILE, yolo_classes())
    write_coco(store.folder / COCO_FILE, coco_frames(store.records()))
    shards = tensors.finish_shards(store.folder, config.count) if config.tensors else []
    about = {**store.head, "frames": config.count, "counts": _counts(store.records()), "shards": shards}
    write_preview(store.folder, about)
    write_drift(store.folder, about)
    write_card(store.folder, about)
    store.describe({**{key: about[key] for key in ("frames", "counts", "shards")},
                    "complete": True, "generator": generator()})  # fmt: skip


def coco_frames(records: Iterator[Record]) -> Iterator[tuple[Image, list[Any], list[str]]]:
    """What :func:`write_coco` takes, from the lines of the frames."""
    for record in records:
        camera = record["camera"]
        image = (record["index"], f"{frame_name(record['index'])}.png", camera["width"], camera["height"])
        chosen = [entry for entry in record["instances"] if entry["labelled"]]
        yield image, [instance_from_json(entry) for entry in chosen], [entry["rle"] for entry in chosen]


def _counts(records: Iterator[Record]) -> dict[str, Any]:
    """Images, and labelled objects by category, occlusion and profile."""
    images = 0
    tables: dict[str, dict[str, int]] = {"category": {}, "model": {}, "profile": {}, "occlusion": {}, "weather": {}}
    for record in records:
        images += 1
        _count(tables["weather"], record["conditions"]["weather"])
        for entry in record["instances"]:
            if entry["labelled"]:
                for key in ("category", "model", "profile", "occlusion"):
                    _count(tables[key], str(entry[key]))
    objects = sum(tables["category"].values())
    return {"images": images, "objects": objects, **{key: dict(sorted(table.items())) for key, table in tables.items()}}


def _count(table: dict[str, int], key: str) -> None:
    table[key] = table.get(key, 0) + 1
