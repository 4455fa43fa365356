"""Data sets of several cameras against each other: the same moment, the same objects, the poses of the rig."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pipelines.dataset.packed.reader import files_of
from pipelines.dataset.record import FrameRecord, InstanceRecord
from pipelines.dataset.rig import CALIBRATION_FILE, RIG_FILE, Rig, RigCamera, read_rig
from pipelines.dataset.store import read_records
from pipelines.errors import DatasetError
from pipelines.io.exr import decode_exr
from pipelines.io.stores import open_store

if TYPE_CHECKING:
    from pipelines.dataset.validation.folder import Report

__all__ = ["validate_rig"]

_SLACK_M = 1e-6
_SLACK = 1e-5
"""Of disparity times depth, relative: both are float32."""


def validate_rig(folder: Path, validate: Callable[[Path], Report], report: Report, *, sampled: bool) -> Report:
    """Checks the sets of all cameras, and how they belong together.

    Args:
        folder: of the rig.
        validate: checks the set of one camera.
        report: that is filled.
        sampled: whether single frames alone are looked at, and no set against another.
    """
    rig = read_rig(folder)
    for one in rig.cameras:
        found = validate(folder / one.name)
        report.frames += found.frames
        report.objects += found.objects
        report.files += found.files
        report.checked += found.checked
        report.problems += [f"{one.name}/{problem}" for problem in found.problems]
    report.problems += [*_calibration(folder, rig), *_foreign(folder, rig)]
    if not sampled and not report.problems:
        report.problems += _against_each_other(folder, rig)
    report.files += 2
    return report


def _foreign(folder: Path, rig: Rig) -> Iterator[str]:
    cameras = {one.name for one in rig.cameras}
    for name in sorted(open_store(folder).tree()):
        if name.partition("/")[0] not in cameras and name not in (RIG_FILE, CALIBRATION_FILE):
            yield f"{name}: does not belong to the data set"


def _calibration(folder: Path, rig: Rig) -> Iterator[str]:
    """The rows of projections take points as the cameras do, less half a pixel."""
    store = open_store(folder)
    if not store.has(CALIBRATION_FILE):
        yield f"{CALIBRATION_FILE}: is missing"
        return
    rows = dict(line.split(":", 1) for line in store.read(CALIBRATION_FILE).decode().splitlines() if ":" in line)
    point = np.array([0.3, -0.2, 7.0, 1.0])
    for number, one in enumerate(rig.cameras):
        try:
            matrix = np.array(rows[f"P{number}"].split(), np.float64).reshape(3, 4)
        except (KeyError, ValueError):
            yield f"{CALIBRATION_FILE}: has no row P{number} of twelve numbers"
            continue
        x, y, z = matrix @ point
        there = np.linalg.inv(one.cam_to_first) @ point
        camera = one.camera
        wanted = (camera.fx * there[0] / there[2] + camera.cx, camera.fy * there[1] / there[2] + camera.cy)
        if max(abs(x / z + 0.5 - wanted[0]), abs(y / z + 0.5 - wanted[1])) > 1e-4:
            yield f"{CALIBRATION_FILE}: P{number} is not the projection of camera {one.name}"


def _against_each_other(folder: Path, rig: Rig) -> Iterator[str]:
    """Frame by frame, the other cameras against the first."""
    first = rig.cameras[0]
    for one in rig.cameras:
        pairs = zip_longest(*(read_records(folder / camera.name, FrameRecord) for camera in (first, one)))
        for here, there in pairs:
            if here is None or there is None:
                yield f"{one.name}: has other frames than {first.name}"
                break
            where = f"{one.name}/frames.jsonl: frame {there.stem}"
            yield from (f"{where}: {problem}" for problem in _of_frame(one, here, there))
            yield from (f"{where}: {problem}" for problem in _disparity(folder, rig, one, there))


def _of_frame(camera: RigCamera, here: FrameRecord, there: FrameRecord) -> Iterator[str]:
    if there.camera != camera.camera:
        yield f"its camera is not that of {RIG_FILE}"
    if np.abs(here.cam_to_world @ camera.cam_to_first - there.cam_to_world).max() > _SLACK_M:
        yield f"its camera does not stand where {RIG_FILE} says"
    if here.conditions != there.conditions or here.scene != there.scene:
        yield "its weather or its scene is not that of the first camera"
    known = {item.id: item for item in here.instances}
    for item in there.instances:
        if item.id in known and (wrong := _differing(known[item.id], item)):
            yield f"object {item.id}: {wrong} is not that of the first camera"


def _differing(one: InstanceRecord, other: InstanceRecord) -> str:
    for name in ("category", "model", "profile", "track_id", "speed_m_s"):
        if getattr(one, name) != getattr(other, name):
            return name
    return "" if np.abs(one.object_to_world - other.object_to_world).max() <= _SLACK_M else "its pose"


def _disparity(folder: Path, rig: Rig, camera: RigCamera, record: FrameRecord) -> Iterator[str]:
    """Disparity times depth is focal length times baseline; it is there where another camera makes a pair with it."""
    name, pair = f"disparity/{record.stem}.exr", rig.partner(camera.name)
    files = files_of(folder / camera.name)
    if not any(file.startswith("disparity/") for file in record.files):
        return
    if pair is None:
        yield "has a disparity, and no camera makes a pair with it"
        return
    try:
        disparity = decode_exr(files.read(name), name)["disparity"]
        depth_m = decode_exr(files.read(f"depth/{record.stem}.exr"), name)["Z"]
    except (DatasetError, KeyError) as error:
        yield f"{name}: {error}"
        return
    hit = np.isfinite(depth_m)
    wanted = record.camera.fx * abs(pair[1])
    if hit.any() and np.abs(disparity[hit] * depth_m[hit] / wanted - 1).max() > _SLACK:
        yield f"{name}: is not what depth, focal length and baseline say"
