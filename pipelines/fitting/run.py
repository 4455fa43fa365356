"""`gis fit`: passes of fits and textures, the review sheet, and the tensor data set of aligned pairs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from assets import CARS
from gan.data.layout import LAYOUT_NAME, LAYOUT_VERSION, LAYOUTS
from gan.options import Option, check_options, make_options
from renderer.geometry.camera import Camera
from renderer.geometry.frame import Box2D
from renderer.raster.rasterizer import Rasteriser
from renderer.zones.catalogue import ZONES

from pipelines.cameras import named_camera
from pipelines.cluster.options import CpusPerWorker, RayAddress, check_cluster
from pipelines.cluster.same_files import sizes_sha256
from pipelines.dataset import shards as tensors
from pipelines.dataset.description import read_shards
from pipelines.dataset.record import frame_name
from pipelines.dataset.store import RunFolder, first_difference, generator
from pipelines.errors import ConfigError, DatasetError
from pipelines.fitting.cameras import camera_of_poses
from pipelines.fitting.fitter import Fit, Fitter, nearer_boxes
from pipelines.fitting.inputs import RealFrame, read_image, scan_frames
from pipelines.fitting.pairs import draw_pair, pose_to_json
from pipelines.fitting.review import REVIEW_FILE, encode_overlay, read_decisions, write_sheet, written
from pipelines.fitting.score import open_window
from pipelines.fitting.shapes import load_shapes, make_shape, parse_shapes, save_shapes
from pipelines.fitting.stored_fits import read_fits
from pipelines.fitting.texture import car_levels, learn, no_texture
from pipelines.io.files import (
    append_line,
    file_sha256,
    make_folder,
    read_object,
    remove_temporaries,
    sha256,
    write_bytes,
    write_json,
)
from pipelines.io.progress import follow
from pipelines.io.typed_json import to_json
from pipelines.synthesis.options.choices import camera_names
from pipelines.workers import WORKER_TIMEOUT_S, FrameWorkers, WorkerCount, WorkerTimeout, default_workers

if TYPE_CHECKING:
    from pipelines.cluster.ray_workers import RayWorkers

__all__ = ["FitConfig", "FitResult", "fit", "fit_cars"]

MODELS_FILE, FIT_FILE, SHEET_FILE = "models.safetensors", "fit.json", "review.html"
VALIDATION_FILE = "validation.txt"
"""Pairs that the boxes keep for validation, for `gis train --validation-list`."""
LOG_FILE, DATASET_FILE = "frames.jsonl", "dataset.json"
WHOLE_IOU, MOST_HIDDEN, HEIGHTS_M = 0.85, 0.35, (0.6, 2.6)
"""A fit is accepted without review if its box agrees, little of it is hidden and the camera's height is a car's."""
NOT_SEARCHED = {"taxi"}
"""The shipped taxi is the estate with a sign on its roof."""
FLIP_DEG = 40
_INPUT, _FITTING, _OUTPUT = "Input", "Fitting", "Output"


def _layouts() -> Iterable[str]:
    return LAYOUTS


@dataclass(frozen=True)
class FitConfig:
    """Real frames, the boxes of their cars, the camera, and how cars are fitted: options of `gis fit`.

    Raises:
        ConfigError: an option that cannot work.
        CameraError: a file that describes no camera.
    """

    frames: Annotated[Path, Option("Folder of real thermal frames.", _INPUT)]
    boxes: Annotated[Path, Option("COCO or JSON file, or folder of KITTI or YOLO labels.", _INPUT)]
    camera: Annotated[
        str | Path | Camera,
        Option(
            "The camera that took the frames: a preset of assets/cameras.toml, or a .json or .toml file of intrinsics.",
            _INPUT,
            suggestions=camera_names,
        ),
    ]
    out: Annotated[Path, Option("Folder of the output; a run that was cut short goes on in it.", _OUTPUT)]
    cars: Annotated[
        Path,
        Option(
            "File or folder of car models (.blend .glb .obj .fbx .usd) to fit.", _INPUT, default_text="the shipped cars"
        ),
    ] = CARS
    passes: Annotated[int, Option("Passes of fitting and learning the texture.", _FITTING, at_least=1)] = 3
    min_px: Annotated[
        float, Option("Shorter side of the smallest box to fit, pixels.", _FITTING, at_least=8.0, unit="pixels")
    ] = 24.0
    workers: WorkerCount = None
    worker_timeout: WorkerTimeout = WORKER_TIMEOUT_S
    ray: RayAddress = None
    cpus_per_worker: CpusPerWorker = 1.0
    layout: Annotated[
        str,
        Option("What the source tensors show; physics: the picture of the model physics.", _OUTPUT, choices=_layouts),
    ] = LAYOUT_NAME
    review: Annotated[
        Path | None,
        Option("Decisions of another run on the same boxes; those of review.txt in the output folder win.", _INPUT),
    ] = None
    variants: Annotated[int, Option("Samples of each frame, with other draws of the physics.", _OUTPUT, at_least=1)] = 1

    def __post_init__(self) -> None:
        """Check what can be checked without reading a frame."""
        check_options(self)
        check_cluster(self)
        if self.review is not None and not self.review.is_file():
            raise ConfigError(f"{self.review}: no such file: expected decisions of a review sheet")
        if self.variants > 1 and self.layout != "physics":
            raise ConfigError(f"variants is {self.variants}: expected 1, for sources of layout flat have no variants")
        assert self.intrinsics

    @property
    def intrinsics(self) -> Camera:
        """The camera with its whole picture."""
        if isinstance(self.camera, Camera):
            return self.camera
        camera = named_camera(str(self.camera), None, crop=False)
        assert camera is not None
        return camera

    @property
    def processes(self) -> int:
        """Worker processes."""
        return self.workers or default_workers()

    def head(self) -> dict[str, Any]:
        """What another run in the same folder may not differ in."""
        return {
            "schema": "gis.fit", "version": 1, "camera": self.intrinsics.to_json(), "passes": self.passes,
            "min_px": self.min_px, "boxes_sha256": file_sha256(self.boxes), "cars_sha256": file_sha256(self.cars),
        }  # fmt: skip


@dataclass(frozen=True)
class FitResult:
    """What a fit gave."""

    folder: Path
    """Of the data set of aligned pairs."""
    frames: int
    """Frames with at least one accepted car."""
    cars: int
    """Accepted cars in these frames."""
    fitted: int
    """All cars that were fitted, with those that wait for a review."""

    @property
    def review_sheet(self) -> Path:
        """Page that shows each fitted car, the least certain ones first."""
        return self.folder / SHEET_FILE


def fit_cars(
    frames: str | PathLike[str],
    boxes: str | PathLike[str],
    out: str | PathLike[str],
    *,
    camera: str | PathLike[str] | Camera,
    **options: Any,
) -> FitResult:
    """Fits car models to the cars of real frames, as `gis fit` does: aligned pairs to train from.

    Args:
        frames: folder of real thermal frames.
        boxes: of their cars: COCO or JSON file, or folder of KITTI or YOLO labels.
        out: folder of the pairs; a run that was cut short goes on in it.
        camera: that took the frames: a preset of ``assets/cameras.toml``, a file of intrinsics, or a camera.
        options: the other fields of :class:`FitConfig`: ``cars`` (path), ``passes`` (3), ``min_px`` (24), ``workers``,
            ``layout`` (``flat`` or ``physics``), ``review`` (path), ``variants`` (1), ``ray`` (address of a cluster).

    Returns:
        the folder, and how many cars were fitted and accepted.

    Raises:
        PipelineError: options, boxes, pictures, the folder or the disk.
        RendererError: the camera or the car models.
    """
    return fit(make_options(FitConfig, {**options, "frames": frames, "boxes": boxes, "out": out, "camera": camera}))


def fit(config: FitConfig, report: Callable[[str], None] = lambda line: None, *, progress: bool = False) -> FitResult:
    """Fits all cars, then makes the sheet and the data set; a run that was cut short goes on.

    Args:
        config: what to fit.
        report: takes lines for the user.
        progress: show a bar on stderr.

    Raises:
        PipelineError: options, boxes, pictures, the folder or the disk.
        RendererError: the car models.
    """
    frames = scan_frames(config.frames, config.boxes, config.intrinsics, report)
    _claim(config)
    with RunFolder(config.out, FIT_FILE, config.head()).locked():
        remove_temporaries(config.out)
        if not (config.out / MODELS_FILE).is_file():
            _read_models(config, report)
        textures: dict[str, Any] = no_texture()
        records: list[dict[str, Any]] = []
        with _cluster(config):
            for number in range(config.passes):
                records = _pass(config, frames, textures, number, report, progress)
                textures = learn((car["time"], car["levels"]) for record in records for car in record["cars"])
        about = _finish(config, frames, records, textures)
    return FitResult(config.out, about["frames"], about["cars"], about["fitted"])


def _claim(config: FitConfig) -> None:
    path = config.out / FIT_FILE
    if path.is_file():
        different = first_difference(read_object(path), config.head())
        if different:
            raise DatasetError(f"{config.out} holds another fit: {different}; give the same options, or another --out")
        return
    if config.out.is_dir() and any(config.out.iterdir()):
        raise DatasetError(f"{config.out} holds other files: expected an empty or new folder; give another --out")
    make_folder(config.out)
    write_json(path, config.head())


@dataclass(frozen=True)
class _ModelJob:
    """Reads the car models in a process of its own, because Blender stays in memory."""

    cars: Path
    out: Path

    @contextmanager
    def open(self) -> Iterator[Callable[[int], tuple[str, ...]]]:
        yield self._read

    def _read(self, _index: int) -> tuple[str, ...]:
        """Writes the shapes; returns what was guessed and left out."""
        from renderer.blender.solids import read_solids

        found, notes = read_solids(self.cars)
        solids = [solid for solid in found if solid.category == "car" or solid.name == "van"]
        solids = [solid for solid in solids if solid.name not in NOT_SEARCHED]
        if not solids:
            raise ConfigError(f"{self.cars}: no model of category car: give other --cars")
        save_shapes(
            self.out,
            [make_shape(item.name, item.category, item.positions, item.triangles, item.zones) for item in solids],
        )
        return notes


def _read_models(config: FitConfig, report: Callable[[str], None]) -> None:
    with FrameWorkers(_ModelJob(config.cars, config.out / MODELS_FILE), 1, timeout_s=config.worker_timeout) as workers:
        for _, notes in workers.run([0]):
            for note in notes:
                report(note)


@dataclass(frozen=True)
class _FitJob:
    """Fits the cars of a frame."""

    models: bytes
    """Content of the file of the car models, which lies in the output alone."""
    frames: list[RealFrame]
    textures: dict[str, Any]
    min_px: float

    @contextmanager
    def open(self) -> Iterator[Callable[[int], dict[str, Any]]]:
        fitter = Fitter(parse_shapes(self.models), self.textures)
        yield lambda index: self._fit(fitter, index)

    open_in_memory = open

    def described(self) -> dict[str, Any]:
        return {"frames": sizes_sha256(frame.path for frame in self.frames)}

    def _fit(self, fitter: Fitter, index: int) -> dict[str, Any]:
        frame = self.frames[index]
        image = (read_image(frame.path) >> 8).astype(np.uint8)
        cars = []
        for place, box in frame.cars(self.min_px):
            others = [other.box_px for number, other in enumerate(frame.boxes) if number != place]
            best = fitter.fit(image, box, others, frame.camera, frame.time)
            if best is None:
                continue
            turned = [best.angle_deg + 180 + step for step in range(-FLIP_DEG, FLIP_DEG + 1, 10)]
            flipped = fitter.fit(image, box, others, frame.camera, frame.time, turned)
            cars.append(_car(frame, place, box, others, best, flipped))
        return {"index": index, "name": frame.name, "cars": cars}


def _car(
    frame: RealFrame, place: int, box: Box2D, others: list[Box2D], best: Fit, flipped: Fit | None
) -> dict[str, Any]:
    covered = np.zeros((frame.camera.height, frame.camera.width), bool)
    for a, b, c, d in nearer_boxes(box, others):
        covered[max(int(b), 0) : max(int(d), 0), max(int(a), 0) : max(int(c), 0)] = True
    rows, columns = slice(max(int(box[1]), 0), int(box[3])), slice(max(int(box[0]), 0), int(box[2]))
    return {
        "key": f"{frame.name}#{place}", "box": list(box), "time": frame.time,
        "hidden": round(float(covered[rows, columns].mean()), 4),
        **_fit_to_json(best),
        "confidence": round(best.confidence, 4),
        "silhouette": round(best.terms.silhouette, 4),
        "levels": car_levels(best.terms.bin_sum, best.terms.bin_count),
        "flipped": None if flipped is None else _fit_to_json(flipped),
    }  # fmt: skip


def _fit_to_json(one: Fit) -> dict[str, Any]:
    return {
        "model": one.model, "angle_deg": one.angle_deg, "box_iou": round(one.box_iou, 4),
        "score": round(one.score, 4), "pose": pose_to_json(one.pose),
    }  # fmt: skip


def _cluster(config: FitConfig) -> AbstractContextManager[Any]:
    """The connection that all passes share."""
    if config.ray is None:
        return nullcontext()
    from pipelines.cluster.ray_workers import RayCluster

    return RayCluster.of(config).connected()


def _workers(
    config: FitConfig, job: _FitJob, count: int, report: Callable[[str], None]
) -> FrameWorkers[dict[str, Any]] | RayWorkers[dict[str, Any], dict[str, Any]]:
    """Workers on this machine, or on a cluster."""
    if config.ray is None:
        return FrameWorkers(job, config.processes, one_first=True, timeout_s=config.worker_timeout)
    from pipelines.cluster.ray_workers import RayCluster, RayWorkers

    return RayWorkers(
        job,
        RayCluster.of(config),
        count,
        take=lambda record: record,
        timeout_s=config.worker_timeout,
        report=report,
    )


def _pass(
    config: FitConfig,
    frames: list[RealFrame],
    textures: dict[str, Any],
    number: int,
    report: Callable[[str], None],
    progress: bool,
) -> list[dict[str, Any]]:
    """Records of all frames of one pass; those that stand in its log already are not made again."""
    log = config.out / f"fits-{number}.jsonl"
    there = list(read_fits(log, frames))
    if log.is_file() and not log.read_bytes().endswith(b"\n") and log.stat().st_size:
        whole = log.read_bytes()
        log.write_bytes(whole[: whole.rfind(b"\n") + 1])
    if len(there) < len(frames):
        load_shapes(config.out / MODELS_FILE)  # says what is wrong with it, if anything is
        job = _FitJob((config.out / MODELS_FILE).read_bytes(), frames, textures, config.min_px)
        with _workers(config, job, len(frames) - len(there), report) as workers:
            workers.wait_ready()
            todo = range(len(there), len(frames))
            status, label = partial(getattr, workers, "status", ""), f"fit, pass {number + 1} of {config.passes}"
            made = follow(workers.run(todo), len(todo), "frame", label=label, progress=progress, status=status)
            for _, record in made:
                append_line(log, json.dumps(record, allow_nan=False))
                there.append(json.loads(json.dumps(record)))
            if summary := getattr(workers, "summary", None):
                report(f"pass {number + 1}: {summary}")
    return there


def accepted(car: dict[str, Any], decided: dict[str, str]) -> dict[str, Any] | None:
    """The fit of a car to use; None where it is rejected."""
    decision = decided.get(car["key"])
    if decision == "reject":
        return None
    if decision == "flip":
        return None if car["flipped"] is None else {**car, **car["flipped"]}
    good = car["box_iou"] >= WHOLE_IOU and car["hidden"] <= MOST_HIDDEN
    good &= HEIGHTS_M[0] < car["pose"]["y_m"] < HEIGHTS_M[1]
    return car if good or decision == "accept" else None


def _finish(
    config: FitConfig, frames: list[RealFrame], records: list[dict[str, Any]], textures: dict[str, Any]
) -> dict[str, Any]:
    own = config.out / REVIEW_FILE
    decided = read_decisions(own if own.is_file() or config.review is None else config.review)
    keys = {written(car["key"]): car["key"] for record in records for car in record["cars"]}
    unknown = sorted(set(decided) - set(keys))
    if unknown:
        raise ConfigError(f"{REVIEW_FILE}: no car {unknown[0]!r}: expected FRAME#BOX as in {SHEET_FILE}")
    decided = {keys[text]: decision for text, decision in decided.items()}
    fitter = Fitter(load_shapes(config.out / MODELS_FILE), textures)
    frames = [replace(frame, camera=camera_of_poses(frame.camera, fitter, record["cars"]))
              for frame, record in zip(frames, records, strict=True)]  # fmt: skip
    _write_sheet(config, fitter, frames, records, decided)
    chosen = []
    for frame, record in zip(frames, records, strict=True):
        cars = [use for use in (accepted(car, decided) for car in record["cars"]) if use is not None]
        if cars:
            chosen.append((frame, cars))
    about = {
        "schema": "gis.fit.dataset", "version": 1, "layout": {"name": config.layout, "version": LAYOUT_VERSION},
        "zones": {info.name: int(info.zone) for info in ZONES}, "frames": len(chosen),
        "cars": sum(len(cars) for _, cars in chosen), "fitted": len(keys),
        "used_sha256": sha256(json.dumps([config.layout, config.variants, [cars for _, cars in chosen]]).encode()),
        "generator": generator(),
    }  # fmt: skip
    described = config.out / DATASET_FILE
    old = read_object(described) if described.is_file() else {}
    shards = [config.out / shard.name for shard in read_shards(old, described)]
    if old.get("used_sha256") != about["used_sha256"] or not all(path.is_file() for path in shards):
        about["shards"] = _write_pairs(config, fitter, chosen)
        numbers = [(number, frame) for at, (frame, _) in enumerate(chosen) for number in _numbers(config, chosen, at)]
        validation = [f"{frame_name(number)}\n" for number, frame in numbers if frame.split == "val"]
        write_bytes(config.out / VALIDATION_FILE, "".join(validation).encode())
        write_json(described, about)
    return about


def _write_pairs(config: FitConfig, fitter: Fitter, chosen: list[tuple[RealFrame, list[Any]]]) -> list[Any]:
    """Writes every pair anew: drawing them takes a hundredth of the fit."""
    for file in (LOG_FILE, DATASET_FILE):
        (config.out / file).unlink(missing_ok=True)
    for place in ("tensors", "images", "masks", "zones", "depth"):  # cars that are rejected now leave nothing
        shutil.rmtree(config.out / place, ignore_errors=True)
    for index, (frame, cars) in enumerate(chosen):
        _, *others = _numbers(config, chosen, index)
        record = draw_pair(config.out, fitter, index, frame, cars, config.layout, tuple(others))
        append_line(config.out / LOG_FILE, record.to_line())
    shards: list[Any] = to_json(tensors.finish_shards(config.out, len(chosen) * config.variants))
    return shards


def _numbers(config: FitConfig, chosen: list[Any], index: int) -> list[int]:
    """Numbers of a frame's samples: the first of all frames, then the second of all, and so on."""
    return [index + variant * len(chosen) for variant in range(config.variants)]


def _write_sheet(
    config: FitConfig,
    fitter: Fitter,
    frames: list[RealFrame],
    records: list[dict[str, Any]],
    decided: dict[str, str],
) -> None:
    from pipelines.fitting.pairs import pose_from_json

    overlays = []
    for frame, record in zip(frames, records, strict=True):
        image = (read_image(frame.path) >> 8).astype(np.uint8)
        for car in record["cars"]:
            a, b, c, d = car["box"]
            window = open_window(image, (a, b, c, d), [], frame.camera)
            use = {**car, **car["flipped"]} if decided.get(car["key"]) == "flip" and car["flipped"] else car
            bins = fitter.draw(Rasteriser(window.camera), use["model"], pose_from_json(use["pose"]))
            overlays.append((use, encode_overlay(window.image, bins)))
    overlays.sort(key=lambda pair: (pair[0]["confidence"], pair[0]["key"]))
    write_sheet(config.out / SHEET_FILE, overlays, decided)
