"""What a format is given: the frames of a data set with their objects, classes and splits, and a folder to write to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from renderer.geometry.frame import Box2D
from renderer.zones.categories import ON_REQUEST

from pipelines.dataset.description import DatasetDescription
from pipelines.dataset.frame_files import FrameFiles
from pipelines.dataset.labels import NOT_COUNTED, SAME_AS
from pipelines.dataset.labels.box_margins import widened
from pipelines.dataset.labels.riders import as_one
from pipelines.dataset.packed.reader import files_of
from pipelines.dataset.record import FrameRecord, InstanceRecord
from pipelines.dataset.rig import Rig, is_rig, read_rig
from pipelines.dataset.store import read_records
from pipelines.errors import DatasetError
from pipelines.export.classes import ClassMap
from pipelines.export.config import ExportConfig
from pipelines.export.splits import Split
from pipelines.io.files import write_bytes, write_json, write_text
from pipelines.io.images import decode_png
from pipelines.io.stores import is_remote

__all__ = ["ExportFrame", "ExportObject", "Job", "Picture", "Writer"]

_OTHER_WORDS: Final = frozenset(word for word, ours in SAME_AS.items() if ours in ON_REQUEST)
"""Words of boxes for what a set labels on request alone."""
Picture = Literal["png", "rgb", "jpeg"]
"""What an image becomes: as it is, a PNG of three equal channels, or a JPEG."""


@dataclass(frozen=True)
class ExportObject:
    """An object as an export says it."""

    classes: tuple[int, ...]
    """Places of its class, or of all the classes that it may be taken for where it is ignored."""
    box_px: Box2D
    """Of its visible pixels, with what `ExportConfig.margins` adds; of a real object as it was given."""
    ignored: bool
    """Whether a detector should neither be asked for it nor be blamed for finding it."""
    instance: InstanceRecord | None
    """What is known of a rendered object; None of what the background shows by itself."""

    @property
    def number(self) -> int:
        """Place of its class."""
        return self.classes[0]

    @property
    def source(self) -> Literal["rendered", "real"]:
        """Where it comes from."""
        return "real" if self.instance is None else "rendered"


@dataclass(frozen=True)
class ExportFrame:
    """A frame and what it shows."""

    folder: Path
    """Of the data set."""
    files: FrameFiles
    """Of the data set."""
    record: FrameRecord
    split: str
    objects: tuple[ExportObject, ...]
    painted: tuple[ExportObject, ...] = ()
    """What is painted over in the image, and has no label therefore."""
    joined: Mapping[int, int] = field(default_factory=dict)
    """Ids of riders that are one object with their vehicles, by those of the vehicles."""

    @property
    def name(self) -> str:
        """Of its files, without suffix."""
        return self.record.stem

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height."""
        return self.record.camera.width, self.record.camera.height

    @property
    def counted(self) -> tuple[ExportObject, ...]:
        """Objects that are not ignored."""
        return tuple(item for item in self.objects if not item.ignored)

    @property
    def image(self) -> Path:
        """The 8-bit image of the data set."""
        return self.folder / f"images/{self.name}.png"

    def read(self, name: str) -> bytes:
        """A file of the frame, ``masks/000012.png``.

        Raises:
            DatasetError: it is not there, or cannot be read.
        """
        try:
            return self.files.read(name)
        except DatasetError as error:
            raise DatasetError(f"{self.folder}/{error}") from error

    @cached_property
    def mask(self) -> NDArray[np.uint16]:
        """(H, W) instance ids; where a rider and a vehicle are one object that of the rider.

        Raises:
            DatasetError: no mask, or one of another size.
        """
        path = self.folder / f"masks/{self.name}.png"
        mask = decode_png(self.read(f"masks/{self.name}.png"), str(path))
        if mask.shape[::-1] != self.size_px or mask.dtype != np.uint16:
            raise DatasetError(f"{path}: {mask.dtype} of shape {mask.shape}: expected ids of {self.size_px} pixels")
        for vehicle, rider in self.joined.items():
            mask = np.where(mask == vehicle, np.uint16(rider), mask)
        return np.asarray(mask, np.uint16)


@dataclass(frozen=True)
class Job:
    """One export."""

    config: ExportConfig
    description: DatasetDescription
    classes: ClassMap
    split: Split
    paints: bool
    """Whether what is ignored is painted over."""

    @property
    def out(self) -> Path:
        """Folder of the export."""
        return self.config.out

    @property
    def splits(self) -> tuple[str, ...]:
        """Names of the splits, those without frames too."""
        return tuple(self.config.shares)

    @cached_property
    def rig(self) -> Rig | None:
        """The rig whose first camera's set is exported; None: it is of none."""
        folder = self.config.folder.parent
        if is_remote(self.config.folder) or not is_rig(folder):
            return None
        rig = read_rig(folder)
        return rig if self.config.folder.name == rig.cameras[0].name else None

    def files_beside(self, camera: str) -> FrameFiles:
        """Files of another camera of the rig."""
        return files_of(self.config.folder.parent / camera)

    @cached_property
    def files(self) -> FrameFiles:
        """Of the data set, packed or not."""
        return files_of(self.config.folder)

    def frames(self, split: str | None = None) -> Iterator[ExportFrame]:
        """The frames that are exported, in order; those of one split where it is named.

        Raises:
            DatasetError: a line of the data set that is none of ours.
        """
        wanted = self.split.of if split is None else set(self.split.frames(split))
        for record in read_records(self.config.folder, FrameRecord, wanted):
            yield self._frame(record)

    def _frame(self, record: FrameRecord) -> ExportFrame:
        joined = self._joined(record)
        objects = tuple(self._objects(record, joined))
        kept, painted = objects, tuple[ExportObject, ...]()
        if self.paints:
            painted = tuple(item for item in objects if item.ignored)
        if self.paints or self.config.ignored == "background":
            kept = tuple(item for item in objects if not item.ignored)
        return ExportFrame(self.config.folder, self.files, record, self.split.of[record.index], kept, painted, joined)

    def _joined(self, record: FrameRecord) -> dict[int, int]:
        """Riders that count, by the vehicles with which they are one object."""
        vehicles = {item.id for item in record.labelled if item.category in self.classes.riders}
        return {item.rides: item.id for item in record.counted if item.rides is not None and item.rides in vehicles}

    def _objects(self, record: FrameRecord, joined: Mapping[int, int]) -> Iterator[ExportObject]:
        known = {item.id: item for item in record.labelled}
        vehicle_of = {rider: known[vehicle] for vehicle, rider in joined.items()}
        for item in (one for one in record.labelled if one.id not in joined):
            if item.id in vehicle_of:
                yield self._with_vehicle(item, vehicle_of[item.id], record)
                continue
            if self.classes.leaves_out(item.category, item.model):
                continue
            box = item.box_visible_px or item.box_amodal_px
            if not item.ignored:
                box = widened(box, item.category, self.config.margins, (record.camera.width, record.camera.height))
            yield self._object(item.category, box, bool(item.ignored), item)
        for real in record.real_objects or ():
            if self.classes.leaves_out(real.category):
                continue
            if real.category in self.description.categories or real.category in self.classes.of:
                yield self._object(real.category, real.box_px, not real.labelled, None)
            elif real.category in NOT_COUNTED:
                yield ExportObject(self.classes.used, real.box_px, True, None)
        yield from self._unlabelled(record)

    def _unlabelled(self, record: FrameRecord) -> Iterator[ExportObject]:
        """What the set does not label and the export has a class for: it is ignored where that can be marked.

        Else it is background: few want every lamp painted over, or every image with one left out.
        """
        config = self.config
        if config.ignored in ("leave-out", "background") or (self.paints and config.ignored != "paint"):
            return
        things = [(item.category, item.model, item.box_px) for item in record.unlabelled or ()]
        for real in record.real_objects or ():
            if real.category in _OTHER_WORDS and real.category not in self.classes.of:
                things.append((SAME_AS[real.category], real.category, real.box_px))
        for category, model, box in things:
            if self.classes.number(category, model) is not None:
                yield self._object(category, box, True, None, model)

    def _with_vehicle(self, rider: InstanceRecord, vehicle: InstanceRecord, record: FrameRecord) -> ExportObject:
        """A rider and a vehicle as one object; its pixels are looked up in the mask."""
        name = self.classes.riders[vehicle.category]
        both = replace(
            as_one(rider, vehicle, name, (record.camera.width, record.camera.height)), rle=None, rle_amodal=None
        )
        place = self.classes.names.index(name)
        return ExportObject((place,), both.box_visible_px or both.box_amodal_px, False, both)

    def _object(
        self, category: str, box_px: Box2D, ignored: bool, item: InstanceRecord | None, model: str = ""
    ) -> ExportObject:
        number = self.classes.number(category, model if item is None else item.model)
        classes = self.classes.used if number is None else (number,)
        return ExportObject(classes, box_px, ignored or number is None, item)

    def leaves_out(self, record: FrameRecord) -> bool:
        """Whether a frame's image has what is ignored in it, where such images are left out."""
        return self.config.ignored == "leave-out" and any(
            item.ignored for item in self._objects(record, self._joined(record))
        )

    def write_bytes(self, name: str, data: bytes) -> None:
        """Writes a file below the folder of the export."""
        write_bytes(self.out / name, data, root=self.out)

    def write_text(self, name: str, text: str) -> None:
        """Writes a text below the folder of the export."""
        write_text(self.out / name, text, root=self.out)

    def write_json(self, name: str, data: Any) -> None:
        """Writes JSON below the folder of the export."""
        write_json(self.out / name, data, root=self.out)


class Writer(Protocol):
    """What writes one format."""

    picture: Picture

    def image_file(self, frame: ExportFrame) -> str:
        """Where the image of a frame belongs, below the folder of the export."""

    def write_frame(self, job: Job, frame: ExportFrame) -> None:
        """Writes the files of one frame beside its image."""

    def write_whole(self, job: Job) -> None:
        """Writes the files that describe all frames."""
