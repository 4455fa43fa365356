"""The folder of a run: what is in it, which frames are complete, and that it is one run's and no other's.

A frame counts once its line stands in ``frames.jsonl``. Lines are appended in the order of the frames, so the file is
always a beginning of what the finished run writes. :class:`FrameStore` keeps that promise for ``gis render`` and
``gis synthesize``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from renderer.geometry.camera import Camera
from renderer.geometry.frame import Box3D, Frame, Instance

from pipelines.errors import DatasetError
from pipelines.io.files import (
    append_line,
    make_folder,
    read_json,
    read_lines,
    remove_temporaries,
    write_bytes,
    write_json,
)

__all__ = [
    "DATASET_FILE",
    "FRAMES_FILE",
    "FrameStore",
    "Record",
    "camera_to_json",
    "first_difference",
    "frame_name",
    "generator",
    "instance_from_json",
    "instance_to_json",
    "read_record",
]

Record = dict[str, Any]
"""One line of ``frames.jsonl``."""
FRAMES_FILE = "frames.jsonl"
DATASET_FILE = "dataset.json"


def generator() -> str:
    """Name and version of this program, as files state it."""
    try:
        return f"gis {version('gis-thermal')}"
    except PackageNotFoundError:  # run from a checkout that is not installed
        return "gis"


def frame_name(index: int) -> str:
    """Name of a frame's files without suffix: ``000012``."""
    return f"{index:06d}"


@dataclass(frozen=True)
class FrameStore:
    """A folder of frames with one description and one log.

    Args:
        folder: of the run.
        description: name of the JSON file that holds the configuration.
        head: first entries of that file: ``schema``, ``version``, ``configuration`` ...; what another run may not
        differ in.
    """

    folder: Path
    description: str
    head: Mapping[str, Any]

    @property
    def log(self) -> Path:
        """Path of ``frames.jsonl``."""
        return self.folder / FRAMES_FILE

    def check(self, count: int) -> None:
        """Refuses a folder that this run may not go on in; changes nothing.

        Raises:
            DatasetError: other files, another configuration, or more frames than ``count``.
        """
        described = self.folder / self.description
        if not described.is_file():
            others = [item.name for item in self.folder.glob("*")] if self.folder.is_dir() else []
            others = [name for name in others if not name.endswith(".tmp")]
            if others:
                raise DatasetError(
                    f"{self.folder} holds other files ({sorted(others)[0]}): expected an empty or new folder; "
                    "give another --out"
                )
            return
        different = first_difference(self._stored_head(described), dict(self.head))
        if different:
            raise DatasetError(
                f"{self.folder} holds another configuration: {different}; give the same options, or another --out"
            )
        there = sum(1 for _ in self.records())
        if there > count:
            raise DatasetError(
                f"{self.folder} holds {there} frames, more than the {count} asked for: give --count {there} or more, "
                "or another --out"
            )

    def _stored_head(self, described: Path) -> dict[str, Any]:
        stored = read_json(described)
        if not isinstance(stored, dict):
            raise DatasetError(f"{described}: expected a JSON object; give another --out")
        return {key: stored.get(key) for key in self.head}

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keeps other runs out of the folder, as long as this process lives; makes the folder where it is missing.

        Raises:
            DatasetError: another run is at work in it.
            OutputError: the folder cannot be made.
        """
        make_folder(self.folder)
        if os.name == "nt":  # has no such lock; there this runs inside of Blender only
            yield
            return
        import fcntl

        handle = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError:
            raise DatasetError(
                f"{self.folder}: another run is writing to it: wait for its end, or give another --out"
            ) from None
        finally:
            os.close(handle)

    def claim(self) -> int:
        """Makes the folder this run's: the description is written, and what a killed run left half-done goes.

        Returns:
            the number of frames that have a line.
        """
        remove_temporaries(self.folder)
        self._drop_half_line()
        there = sum(1 for _ in self.records())
        self.describe({"frames": there, "complete": False})
        return there

    def _drop_half_line(self) -> None:
        """A kill while a line was written leaves a part of it at the end."""
        data = self.log.read_bytes() if self.log.is_file() else b""
        if data and not data.endswith(b"\n"):
            write_bytes(self.log, data[: data.rfind(b"\n") + 1])

    def describe(self, more: Mapping[str, Any]) -> None:
        """Writes the description: the head and ``more``."""
        write_json(self.folder / self.description, {**self.head, **more})

    def records(self) -> Iterator[Record]:
        """Records of the complete frames, in order.

        Raises:
            DatasetError: a line that is none of ours.
        """
        for number, line in enumerate(read_lines(self.log)):
            yield read_record(line, number, self.log)

    def missing(self, count: int) -> list[int]:
        """Frames below ``count`` that have no line yet, or whose files are gone."""
        gone = [record["index"] for record in self.records() if not self._has_files(record)]
        there = sum(1 for _ in read_lines(self.log))
        return gone + list(range(there, count))

    def _has_files(self, record: Record) -> bool:
        return all((self.folder / name).is_file() for name in record["files"])

    def append(self, record: Record) -> None:
        """Adds the line of the next frame, which makes it count.

        Raises:
            OutputError: the line cannot be written.
        """
        append_line(self.log, json.dumps(record, allow_nan=False))

    def confirm(self, record: Record) -> None:
        """Checks that a frame that was made again came out as its line says.

        Raises:
            DatasetError: it came out differently.
        """
        index = int(record["index"])
        stored = next(line for number, line in enumerate(read_lines(self.log)) if number == index)
        different = first_difference(json.loads(stored), json.loads(json.dumps(record)))
        if different:
            raise DatasetError(
                f"{self.log}: frame {index} came out differently than its line says ({different}): "
                "make the data set anew with this version, in another --out"
            )


def read_record(line: str, number: int, log: Path) -> Record:
    """One line of a log as a record, checked to be that of frame ``number``.

    Raises:
        DatasetError: no JSON object, or another frame's.
    """
    try:
        record = json.loads(line)
    except ValueError as error:
        raise DatasetError(f"{log}: line {number + 1} is no JSON ({error}): expected the record of a frame") from error
    if not isinstance(record, dict) or record.get("index") != number or not isinstance(record.get("files"), dict):
        raise DatasetError(f"{log}: line {number + 1}: expected the record of frame {number}, with its files")
    return record


def first_difference(stored: Any, wanted: Any, where: str = "") -> str:
    """The first value that differs between two JSON trees, as ``name is 1, now 2``; empty where there is none."""
    if isinstance(stored, Mapping) and isinstance(wanted, Mapping):
        for key in {**stored, **wanted}:
            found = first_difference(stored.get(key), wanted.get(key), f"{where}.{key}" if where else str(key))
            if found:
                return found
        return ""
    old, new = json.dumps(stored), json.dumps(wanted)
    return "" if old == new else f"{where or 'content'} is {_short(old)}, now {_short(new)}"


def _short(text: str, limit: int = 60) -> str:
    return text if len(text) <= limit else f"{text[:limit]}..."


# --- what a record says of the objects and the camera -----------------------------------------------------------------


def camera_to_json(frame: Frame) -> dict[str, Any]:
    """Intrinsics and pose of a frame's camera."""
    camera = frame.camera
    return {**camera.to_json(), "K": camera.K.tolist(), "cam_to_world": frame.cam_to_world.tolist()}


def camera_from_json(data: Mapping[str, Any]) -> Camera:
    """The camera of a record."""
    return Camera.from_json({key: value for key, value in data.items() if key not in ("K", "cam_to_world")})


def instance_to_json(instance: Instance) -> dict[str, Any]:
    """An instance as JSON values."""
    data = {name: getattr(instance, name) for name in Instance.__dataclass_fields__}
    return {**data, "object_to_world": instance.object_to_world.tolist(), "box_3d": asdict(instance.box_3d)}


def instance_from_json(data: Mapping[str, Any]) -> Instance:
    """Inverse of :func:`instance_to_json`; other keys are ignored."""
    values = {name: data[name] for name in Instance.__dataclass_fields__}
    box = dict(values["box_3d"])
    values["box_3d"] = Box3D(**{**box, "centre_m": tuple(box["centre_m"])})
    values["object_to_world"] = np.array(values["object_to_world"], dtype=np.float64)
    for name in ("box_amodal_px", "box_visible_px"):
        values[name] = None if values[name] is None else tuple(values[name])
    return Instance(**values)
