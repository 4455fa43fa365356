"""`gis export`: a data set of `gis synthesize` in the form that another tool wants it in."""

from __future__ import annotations

import importlib
import itertools
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any, Final, cast

from gan.options import keyword_options

from pipelines.dataset.description import SCHEMA, DatasetDescription
from pipelines.dataset.packed.reader import is_packed, lines_sha256
from pipelines.dataset.record import FrameRecord
from pipelines.dataset.rig import is_rig, read_rig
from pipelines.dataset.store import DATASET_FILE, RunFolder, generator, read_records
from pipelines.errors import ConfigError, DatasetError
from pipelines.export.about import write_about
from pipelines.export.classes import class_map
from pipelines.export.config import ExportConfig
from pipelines.export.croissant import write_croissant, write_objects
from pipelines.export.formats import FORMATS, KELVIN_TIFF
from pipelines.export.job import Job, Writer
from pipelines.export.pictures import write_image
from pipelines.export.splits import Split, group_frames, read_sequences, split_groups
from pipelines.export.tiff import EXPORT_FILE, export_tiff
from pipelines.io.files import check_present, remove_temporaries
from pipelines.io.progress import follow
from pipelines.io.stores import open_store

__all__ = ["ExportSummary", "export_dataset", "run_export"]

SPLITS_FILE: Final = "splits.json"
_SCHEMA, _VERSION = "gis-export", 2
_LOOKED_AT: Final = 200
"""Frames that tell what a set leaves without a label."""


@dataclass(frozen=True)
class ExportSummary:
    """What was exported."""

    folder: Path
    images: dict[str, int]
    """Of each split."""
    left_out: dict[str, int]
    """Frames that are not in the export, by why."""


def export_dataset(folder: str | PathLike[str], out: str | PathLike[str], format: str, **options: Any) -> ExportSummary:
    """Writes a data set in the form of another tool, as `gis export` does.

    Args:
        folder: a data set of `gis synthesize`.
        out: folder of the export; one that was cut short is gone on with.
        format: one of :data:`pipelines.export.formats.FORMATS`.
        options: those of `gis export` by name: split, classes, link ...; see
            :class:`pipelines.export.config.ExportConfig`.

    Raises:
        ConfigError: an option that cannot work.
        DatasetError: no whole data set, or one that cannot be split like this.
        OutputError: a file cannot be written.
    """
    return run_export(keyword_options(ExportConfig, {**options, "folder": folder, "out": out, "format": format}))


def run_export(
    config: ExportConfig, *, progress: bool = False, report: Callable[[str], None] = lambda line: None
) -> ExportSummary:
    """Writes the export; see :func:`export_dataset`.

    Args:
        config: what is exported, and how.
        progress: show a bar on stderr.
        report: takes lines for the user.
    """
    if config.format == KELVIN_TIFF:
        about = export_tiff(config.folder, config.out, progress=progress)
        return ExportSummary(config.out, {"all": len(about["frames"])}, {"display-only": about["left_out"]})
    if is_rig(config.folder):
        first, *others = read_rig(config.folder).cameras
        config = replace(config, folder=config.folder / first.name)
        if config.format != "kitti":
            names = ", ".join(one.name for one in others)
            report(f"{first.name} alone is exported: give the folders of the other cameras ({names}) one by one")
    description = _description(config.folder)
    _check_folders(config)
    job, left_out = _open(config, description)
    store = RunFolder(config.out, EXPORT_FILE, _head(job))
    store.check()
    with store.locked():
        remove_temporaries(config.out)
        store.describe({"complete": False})
        _write(job, progress)
        images = {split: len(job.split.frames(split)) for split in job.splits}
        store.describe({"complete": True, "generator": generator(), "images": images, "left_out": left_out})
    for note in (_lens_note(job), _background_note(job)):
        if note:
            report(note)
    for why, count in left_out.items():
        report(f"{count} of {job.description.frames} frames left out: {why}")
    return ExportSummary(config.out, images, left_out)


def _lens_note(job: Job) -> str:
    """What a reader must know of a lens that distorts; empty where none does."""
    record = next(iter(read_records(job.config.folder, FrameRecord)))
    if record.camera.lens is None:
        return ""
    return (
        f"images and labels are distorted ({record.camera.lens.model}, OpenCV's coefficients in frames.jsonl, and in "
        "KITTI's calib): 3-D boxes project through the lens, not by K alone"
    )


def _background_note(job: Job) -> str:
    """What the export shows as background though it has classes for it, by the first frames; empty where nothing."""
    if not job.paints or job.config.ignored == "paint":
        return ""
    first = itertools.islice(read_records(job.config.folder, FrameRecord), _LOOKED_AT)
    things = {item.category: item.model for record in first for item in record.unlabelled or ()}
    lost = [name for name, model in sorted(things.items()) if job.classes.number(name, model) is not None]
    if not lost:
        return ""
    return (
        f"{', '.join(lost)}: in view, without a label, and background here, since {job.config.format} cannot mark what "
        "is to be ignored: make the set with --label-furniture, or train without these classes"
    )


def _check_folders(config: ExportConfig) -> None:
    if config.link and is_packed(config.folder):
        raise ConfigError("link: the images are in shards, where nothing can be linked to: leave it out")
    folder, out = (Path(os.path.realpath(path)) for path in (config.folder, config.out))
    if out == folder or folder in out.parents or (out.exists() and not out.is_dir()):
        raise ConfigError(f"{config.out} cannot hold the export: expected a new folder outside of the data set")


def _open(config: ExportConfig, description: DatasetDescription) -> tuple[Job, dict[str, int]]:
    """The export with its classes and splits, and the frames that are left out."""
    classes = class_map(config.classes, description.categories)
    row = FORMATS[config.format]
    paints = config.ignored == "paint" or (config.ignored == "auto" and not row.marks_ignored)
    job = Job(config, description, classes, Split({}, {}), paints)
    left_out: dict[str, int] = {}
    chosen = []
    for record in read_records(config.folder, FrameRecord):
        why = _left_out(job, record)
        if why:
            left_out[why] = left_out.get(why, 0) + 1
        else:
            chosen.append(record.index)
    if not chosen:
        raise DatasetError(f"{config.folder}: no frame is left to export ({', '.join(left_out) or 'it holds none'})")
    sequences = None if config.sequences is None else read_sequences(config.sequences)
    groups = group_frames(read_records(config.folder, FrameRecord, set(chosen)), sequences)
    return replace(job, split=split_groups(groups, config.shares, config.seed)), left_out


def _left_out(job: Job, record: FrameRecord) -> str:
    if record.label_error is not None and record.label_error.rejected:
        return "the picture does not show its labels (rejected by --max-label-error)"
    return "something in them is to be ignored (--ignored leave-out)" if job.leaves_out(record) else ""


def _description(folder: Path) -> DatasetDescription:
    path, store = folder / DATASET_FILE, open_store(folder)
    about = store.read_object(DATASET_FILE) if store.has(DATASET_FILE) else {}
    if about.get("schema") != SCHEMA:
        raise DatasetError(f"{folder}: holds no {DATASET_FILE} of ours: expected a folder of `gis synthesize`")
    if not about.get("complete"):
        raise DatasetError(f"{folder}: is not complete: give its `gis synthesize` command again, then export")
    return DatasetDescription.from_json(about, str(path))


def _head(job: Job) -> dict[str, Any]:
    """What another export into the same folder may not differ in."""
    frames = lines_sha256(job.config.folder)
    split = {"groups": len(job.split.groups), "sequences": job.config.sequences is not None}
    configuration = {**job.config.to_json(), **split, "classes": job.classes.to_json(), "of": {"frames_sha256": frames}}
    return {"schema": _SCHEMA, "version": _VERSION, "configuration": configuration}


def _write(job: Job, progress: bool) -> None:
    writer, names = _writer(job.config.format), []
    _write_splits(job)
    for frame in follow(job.frames(), len(job.split.of), "frame", progress=progress):
        names.append(writer.image_file(frame))
        write_image(job, frame, names[-1], writer.picture)
        writer.write_frame(job, frame)
    writer.write_whole(job)
    write_about(job)
    write_objects(job, Path(names[0]).suffix)
    write_croissant(job, names)
    check_present(job.out, names, "images")


def _writer(name: str) -> Writer:
    module, _, kind = FORMATS[name].place.partition(".")
    return cast(Writer, getattr(importlib.import_module(f"pipelines.export.formats.{module}"), kind)())


def _write_splits(job: Job) -> None:
    data = {
        "seed": job.config.seed,
        "shares": job.config.shares,
        "kept_together": "frames of one background, recording or sequence, or of one place of a scene",
        "splits": {split: [f"{index:06d}" for index in job.split.frames(split)] for split in job.splits},
        "groups": {name: [f"{index:06d}" for index in members] for name, members in job.split.groups.items()},
    }
    job.write_json(SPLITS_FILE, data)
