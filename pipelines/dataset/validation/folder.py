"""A folder as a whole: its description, its lines, its files, and each frame by the checks beside this module.

Each check is a function that yields what is wrong, one line each, beginning with the file. Frames are checked in
threads: hashing and decoding let go of Python's lock.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from gan.data.layout import decode_sample
from gan.errors import LayoutError

from pipelines.dataset.description import read_shards, upgraded_configuration
from pipelines.dataset.frame_files import FilesInFolder, FrameFiles
from pipelines.dataset.packed.reader import is_packed
from pipelines.dataset.record import (
    HASH_KEY,
    FrameRecord,
    PairRecord,
    PassesRecord,
    Record,
    frame_name,
    line_sha256,
    parse_line,
)
from pipelines.dataset.rig import RIG_FILE
from pipelines.dataset.shards import read_shard
from pipelines.dataset.validation import facts
from pipelines.dataset.validation.about import about_files, check_about
from pipelines.dataset.validation.labels import check_classes, check_coco, check_rows
from pipelines.dataset.validation.objects import Rules, check_fitted, check_objects
from pipelines.dataset.validation.packed import chosen_frames, index_files, packed_batches
from pipelines.dataset.validation.passes import check_passes, expected_passes
from pipelines.dataset.validation.planes import Planes
from pipelines.dataset.validation.rigs import validate_rig
from pipelines.dataset.validation.sequences import check_place, check_tracks
from pipelines.errors import DatasetError
from pipelines.io.exr import decode_exr
from pipelines.io.files import ends_with_line, file_sha256, read_lines, sha256
from pipelines.io.images import decode_png
from pipelines.io.progress import follow
from pipelines.io.stores import FolderStore, RemoteStore, Store, open_store
from pipelines.io.typed_json import from_json
from pipelines.workers import default_workers

__all__ = ["Report", "validate"]

FRAMES_FILE = "frames.jsonl"


@dataclass(frozen=True)
class Kind:
    """A kind of folder."""

    description: str
    """The file that describes it."""
    versions: tuple[int, ...]
    record: type[Record]
    whole_files: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    """Files that describe all frames together, by version."""


_LABELS = ("annotations/coco.json", "annotations/yolo/classes.txt", "README.md", "preview.png")
KINDS = {
    "gis-dataset": Kind(
        "dataset.json",
        (1, 2),
        FrameRecord,
        {1: (*_LABELS, "drift.html"), 2: (*_LABELS, "label_errors.html")},
    ),
    "gis-passes": Kind("config.json", (1, 2), PassesRecord),
    "gis.fit.dataset": Kind("dataset.json", (1, 2), PairRecord),
}
MODELS_FILE = "models.safetensors"
PAIRS_FILES = ("fit.json", "fits-0.jsonl", MODELS_FILE, "review.html", "validation.txt")


@dataclass
class Report:
    """What a check found."""

    frames: int = 0
    objects: int = 0
    files: int = 0
    checked: int = 0
    """Frames that were looked at: all, or a sample."""
    problems: list[str] = field(default_factory=list)
    """One line each; empty where all is well."""


@dataclass(frozen=True)
class Line:
    """One line of ``frames.jsonl``."""

    record: Record
    data: Mapping[str, Any]
    """Its JSON values."""


def validate(folder: Path, *, progress: bool = False, sample: str | None = None) -> Report:
    """Checks a data set of `gis synthesize`, the passes of `gis render`, or the pairs of `gis fit`.

    Args:
        folder: of the data set, or its address in an object store.
        progress: show a bar on stderr.
        sample: ``1%`` or a number: only so many frames, evenly spread, and nothing that needs all of them (COCO labels,
            counts, hashes of whole shards, files that do not belong there).

    Raises:
        DatasetError: the folder holds none of them.
        ConfigError: a sample that is none.
    """
    store = open_store(folder)
    if store.has(RIG_FILE):
        of_one = functools.partial(validate, progress=progress, sample=sample)
        return validate_rig(folder, of_one, Report(), sampled=sample is not None)
    about, report = _read_about(store), Report()
    schema = about["schema"]
    check = {"gis-dataset": _frame_check(about), "gis-passes": _check_passes, "gis.fit.dataset": _pair_check(folder)}[
        schema
    ]
    records: list[Record] = []
    for batch in _batches(store, about, report, sample):
        records += [line.record for line, _ in batch]
        for problems in _in_threads(batch, check, report, progress):
            report.problems += problems
    objects = (item for record in records for item in record.instances)
    report.objects = sum(item.labelled is not False and not item.ignored for item in objects)
    report.checked = len(records)
    report.problems += _check_count(about, report, sampled=sample is not None)
    if sample is None:
        _check_all(store, about, records, report)
    return report


def _check_all(store: Store, about: Mapping[str, Any], records: Sequence[Record], report: Report) -> None:
    """What needs all frames."""
    packed = isinstance(store, RemoteStore) or is_packed(store.where)
    if not packed:
        report.problems += _check_shards(Path(store.where), about, records)
    all_read = len(records) == report.frames
    if about["schema"] == "gis-dataset" and all_read:
        frames = cast(Sequence[FrameRecord], records)
        report.problems += [*_check_whole(store, about, frames), *check_about(store, frames)]
    expected = _expected_files(store, about, records, packed=packed)
    if all_read:  # a line that says nothing names no files
        report.problems += _check_presence(store, expected)
    report.files = len(expected)


def _read_about(store: Store) -> dict[str, Any]:
    if isinstance(store, FolderStore) and not store.folder.is_dir():
        raise DatasetError(
            f"{store.where}: no such folder: expected one of `gis synthesize`, `gis render` or `gis fit`"
        )
    for schema, kind in KINDS.items():
        if store.has(kind.description):
            about = store.read_object(kind.description)
            if about.get("schema") == schema and about.get("version") in kind.versions:
                read_shards(about, f"{store.where}/{kind.description}")
                return about
    raise DatasetError(
        f"{store.where}: holds no dataset.json or config.json that this version reads: expected a folder of "
        "`gis synthesize`, `gis render` or `gis fit`"
    )


def _batches(
    store: Store, about: Mapping[str, Any], report: Report, sample: str | None
) -> Iterator[list[tuple[Line, FrameFiles]]]:
    """Frames with their files, some at a time: all of a folder, those of a shard after the other."""
    frames = about.get("frames")
    wanted = None if sample is None else chosen_frames(sample, frames if isinstance(frames, int) else 0)
    if isinstance(store, RemoteStore) or is_packed(store.where):
        for batch in packed_batches(store, about, report, wanted):
            yield [(Line(*one), files) for one, files in batch]
        return
    folder = Path(store.where)
    lines = _read_lines(folder, KINDS[about["schema"]].record, report, wanted)
    yield [(line, FilesInFolder(folder)) for line in lines]


def _read_lines(folder: Path, kind: type[Record], report: Report, wanted: Container[int] | None = None) -> list[Line]:
    """The lines that can be read; of the others the report says what is wrong, and it counts all."""
    log = folder / FRAMES_FILE
    found: list[Line] = []
    try:
        for index, line in enumerate(read_lines(log)):
            report.frames = index + 1
            if wanted is not None and index not in wanted:
                continue
            try:
                data = parse_line(line, index, Path(FRAMES_FILE))
                found.append(Line(kind.from_json(data, f"{FRAMES_FILE}: line {index + 1}"), data))
            except DatasetError as error:
                report.problems.append(str(error))
    except DatasetError as error:
        report.problems.append(str(error))
    if log.is_file() and not ends_with_line(log):
        report.problems.append(f"{FRAMES_FILE}: its last line is cut off: give the same command again")
    return found


def _in_threads(
    batch: Sequence[tuple[Line, FrameFiles]],
    check: Callable[[FrameFiles, Line], Iterator[str]],
    report: Report,
    progress: bool,
) -> Iterator[list[str]]:
    def of_one(item: tuple[Line, FrameFiles]) -> list[str]:
        line, files = item
        return [*_check_line(line), *_check_hashes(files, line.record), *check(files, line)]

    with ThreadPoolExecutor(default_workers()) as pool:
        yield from follow(pool.map(of_one, batch), len(batch), "frame", label="check", progress=progress)


def _expected_files(
    store: Store, about: Mapping[str, Any], records: Sequence[Record], *, packed: bool = False
) -> set[str]:
    kind = KINDS[about["schema"]]
    expected = {kind.description, *kind.whole_files.get(about["version"], ())}
    expected |= {shard["name"] for shard in about.get("shards", [])}
    expected |= about_files(store, packed=packed) if about["schema"] == "gis-dataset" else set()
    if packed:
        return expected | index_files(about)
    expected |= {FRAMES_FILE, *(name for record in records for name in record.files)}
    if about["schema"] == "gis.fit.dataset":
        folder = Path(store.where)
        # The decisions of a review, and a pass of fits for each that was asked for.
        expected |= {*PAIRS_FILES, *(path.name for path in (*folder.glob("fits-*.jsonl"), *folder.glob("review.txt")))}
    return expected


def _check_count(about: Mapping[str, Any], report: Report, *, sampled: bool) -> Iterator[str]:
    kind, frames, objects = KINDS[about["schema"]], report.frames, report.objects
    if not about.get("complete") and about["schema"] != "gis.fit.dataset":  # described when they are complete
        yield f"{kind.description}: says that the run is not complete: give the same command again"
    elif about.get("frames") != frames:
        yield f"{FRAMES_FILE}: has {frames} whole lines, expected {about.get('frames')}"
    elif not sampled and about["schema"] == "gis.fit.dataset" and about.get("cars") != objects:
        yield f"{kind.description}: says {about.get('cars')} cars, {FRAMES_FILE} has {objects}"


def _check_presence(store: Store, expected: set[str]) -> Iterator[str]:
    there = store.tree()
    yield from (f"{name}: is missing" for name in sorted(expected - there))
    yield from (f"{name}: does not belong to the data set" for name in sorted(there - expected))


# --- one frame --------------------------------------------------------------------------------------------------------


def _check_line(line: Line) -> Iterator[str]:
    """A line against its own hash, and what every kind of line has."""
    here = f"{FRAMES_FILE}: frame {line.record.stem}"
    if line.data.get(HASH_KEY, digest := line_sha256(line.data)) != digest:
        yield f"{here}: is not the line that was written ({HASH_KEY} is that of another)"
    yield from (f"{here}: {problem}" for problem in facts.check_camera(line.record))
    yield from (f"{here}: {problem}" for problem in facts.check_matrix(line.data["camera"]))


def _check_hashes(files: FrameFiles, record: Record) -> Iterator[str]:
    for name, wanted in record.files.items():
        if files.has(name) and sha256(files.read(name)) != wanted:
            yield f"{name}: is not the file that was written (its SHA-256 differs from {FRAMES_FILE})"


def _check_passes(files: FrameFiles, line: Line) -> Iterator[str]:
    camera = line.record.camera
    for name in line.record.files:
        if not files.has(name):
            continue
        try:
            channels = decode_exr(files.read(name), name)
        except DatasetError as error:
            yield f"{name}: {error}"
            continue
        if set(channels) != {"Z", "instance", "zone"}:
            yield f"{name}: has channels {sorted(channels)}, expected Z, instance and zone"
        if any(plane.shape != (camera.height, camera.width) for plane in channels.values()):
            yield f"{name}: is not {camera.width}x{camera.height} pixels as its camera says"


def _pair_check(folder: Path) -> Callable[[FrameFiles, Line], Iterator[str]]:
    """The check of a real frame and its fitted cars, with the models of the folder."""
    models = _categories(folder / MODELS_FILE)

    def check(files: FrameFiles, line: Line) -> Iterator[str]:
        record, name = line.record, line.record.stem
        here = f"{FRAMES_FILE}: frame {name}"
        planes = Planes(files, name, (record.camera.height, record.camera.width))
        yield from planes.problems
        yield from check_fitted(record, planes)
        wanted = {*(f"{place}/{name}.png" for place in ("images", "masks", "zones")), f"depth/{name}.exr"}
        for odd in sorted(wanted ^ set(record.files)):
            yield f"{here}: {'does not name' if odd in wanted else 'names'} {odd}"
        for item in record.instances:
            if models and models.get(item.model) != item.category:
                said = models.get(item.model, "no such model")
                yield f"{here}: object {item.id}: {item.model!r} of {item.category!r}, {MODELS_FILE} says {said!r}"

    return check


def _categories(path: Path) -> dict[str, str]:
    """Category of each model of a fit, by its name; none where the file is missing or damaged."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "np") as file:
            keys = [key.rpartition("/")[0] for key in file.keys()]  # noqa: SIM118
    except (OSError, SafetensorError):
        return {}
    return {name: category for category, _, name in (key.partition("/") for key in keys)}


def _frame_check(about: Mapping[str, Any]) -> Callable[[FrameFiles, Line], Iterator[str]]:
    """The check of a frame in the data set that is described so."""
    if about["schema"] != "gis-dataset":
        return lambda files, line: iter(())
    told = _described(about)
    options = told.configuration
    rules = Rules(told.categories, told.min_visible_px, options.min_visible_share, options.profile)

    def check(files: FrameFiles, line: Line) -> Iterator[str]:
        record = cast(FrameRecord, line.record)
        here = f"{FRAMES_FILE}: frame {record.stem}"
        planes = Planes(files, record.stem, (record.camera.height, record.camera.width))
        yield from planes.problems
        yield from check_objects(record, planes, rules)
        yield from check_rows(files, record, rules.categories)
        more = [
            *_file_names(
                record,
                expected_passes(record, options.sequence, options.fps, options.passes),
                visible=options.visible,
            ),
            *check_passes(record, planes, options.passes),
            *facts.check_configuration(record, options),
            *facts.check_conditions(record.conditions),
            *facts.check_span(record, planes),
            *facts.check_sensor_variety(record, options.sensor_variety, planes),
            *check_place(record, options.sequence, options.fps),
        ]
        if record.label_error is not None:
            more += facts.check_label_error(record.label_error, record, planes, options.max_label_error)
        yield from (f"{here}: {problem}" for problem in more)

    return check


def _described(about: Mapping[str, Any]) -> facts.Described:
    """What the description of a data set says of its frames.

    Raises:
        DatasetError: a value is missing or of another kind.
    """
    configuration = about.get("configuration")
    if isinstance(configuration, Mapping):
        configuration = upgraded_configuration(configuration)
    described = from_json(facts.Described, {**about, "configuration": configuration}, "dataset.json")
    for name in ("min_visible_share", "sensor_variety"):
        value = getattr(described.configuration, name)
        if not 0 <= value <= 1:
            raise DatasetError(f"dataset.json: configuration.{name} is {value}: expected a number from 0 to 1")
    return described


def _file_names(record: FrameRecord, passes: set[str], *, visible: bool) -> Iterator[str]:
    name = record.stem
    wanted = {f"{place}/{name}.png" for place in ("images", "masks", "zones")}
    wanted |= {f"depth/{name}.exr", f"annotations/kitti/{name}.txt", f"annotations/yolo/{name}.txt"}
    if record.span_K is not None:
        wanted.add(f"images16/{name}.png")
    if visible:
        wanted.add(f"visible/{name}.png")
    wanted |= passes
    for odd in sorted(wanted ^ set(record.files)):
        yield f"{'does not name' if odd in wanted else 'names'} {odd}"


# --- the whole --------------------------------------------------------------------------------------------------------


def _check_whole(store: Store, about: Mapping[str, Any], records: Sequence[FrameRecord]) -> Iterator[str]:
    categories = about["categories"]
    yield from check_classes(store, categories)
    yield from check_coco(store, records, categories)
    yield from facts.check_counts(about, records)
    yield from check_tracks(records, _described(about).configuration.fps)
    if store.has("preview.png"):
        try:
            decode_png(store.read("preview.png"), "preview.png")
        except DatasetError as error:
            yield str(error)


def _check_shards(folder: Path, about: Mapping[str, Any], records: Sequence[Record]) -> Iterator[str]:
    """Source tensors against the hashes in dataset.json and in the lines, which name the first variant of a pair."""
    hashes = {record.index: getattr(record, "tensor_sha256", None) for record in records}
    pairs = about["schema"] == "gis.fit.dataset"
    for shard in about.get("shards", []):
        path, name = folder / shard["name"], shard["name"]
        if not path.is_file():
            continue
        if file_sha256(path) != shard["sha256"]:
            yield f"{name}: is not the file that was written (its SHA-256 differs from dataset.json)"
        try:
            members = {index: sha256(data) for index, data in _decoded(path)}
        except (DatasetError, LayoutError) as error:
            yield f"{name}: {error}"
            continue
        wanted = range(shard["first"], shard["first"] + shard["frames"])
        if list(members) != list(wanted):
            yield f"{name}: holds frames {list(members)[:3]}..., expected {wanted.start} to {wanted.stop - 1}"
        for index, digest in members.items():
            if hashes.get(index) != digest and not (pairs and index not in hashes):
                yield f"{name}: sample {frame_name(index)} is not the one that {FRAMES_FILE} names"


def _decoded(path: Path) -> Iterator[tuple[int, bytes]]:
    """Samples of a shard, each decoded once to see that it can be."""
    for index, data in read_shard(path):
        decode_sample(data, f"{path.name}:{frame_name(index)}")
        yield index, data
