"""One line of ``frames.jsonl``: everything that is known of a frame beside its pixels.

Three commands write such lines, with camera, objects and files in common: :class:`PassesRecord` of `gis render`,
:class:`FrameRecord` of `gis synthesize`, :class:`PairRecord` of `gis fit`. Lines of version 1 are read too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray
from renderer.copies import with_values
from renderer.geometry.camera import Camera
from renderer.geometry.frame import Box2D, Instance
from renderer.random_streams import Moment
from renderer.text_files import parse_json
from renderer.thermal.conditions import Conditions
from renderer.thermal.sensor_variety import SensorVariety

from pipelines.dataset.names import frame_name
from pipelines.errors import DatasetError
from pipelines.io.files import is_inside, path_inside
from pipelines.io.typed_json import OMITTED_IF_NONE, fields_to_json, from_json

__all__ = [
    "HASH_KEY",
    "SCHEMA_VERSION",
    "BackgroundRecord",
    "FitRecord",
    "FittedPose",
    "FrameLine",
    "FrameRecord",
    "GroundRecord",
    "InstanceRecord",
    "LabelError",
    "ModelRecord",
    "ObjectLabelError",
    "PairRecord",
    "PassesRecord",
    "Record",
    "SequenceRecord",
    "SourceFile",
    "UnlabelledObject",
    "file_names",
    "frame_name",
    "line_sha256",
    "track_number",
]

SCHEMA_VERSION: Final = 2
"""Of the lines of `gis synthesize`. Version 1 said ``backend`` for ``model`` and ``drift`` for ``label_error``."""


HASH_KEY: Final = "record_sha256"
"""Of a line: the hash of all else in it. Lines from before it was written are read too."""


def line_sha256(data: Mapping[str, Any]) -> str:
    """SHA-256 of the values of a line but for its own hash: of their JSON text with sorted keys."""
    rest = {key: value for key, value in data.items() if key != HASH_KEY}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


# --- parts of a record ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class FittedPose:
    """Where a model stands that was fitted to a real car, in camera axes."""

    x_m: float
    y_m: float
    z_m: float
    yaw_rad: float
    length_scale: float
    height_scale: float
    box_px: Box2D
    """Tight box of the projected model."""


@dataclass(frozen=True)
class FitRecord:
    """How an object was fitted to a real car."""

    key: str
    """``FRAME#BOX``, as the review sheet names it."""
    angle_deg: float
    box: Box2D
    """Of the real car, pixels."""
    box_iou: float
    """Intersection over union of the real car's box and the model's."""
    confidence: float
    pose: FittedPose


@dataclass(frozen=True)
class InstanceRecord(Instance):
    """An object in view, and what the data set makes of it."""

    labelled: bool | None = field(default=None, metadata=OMITTED_IF_NONE)
    """Whether it has a label and its id in the mask; None where nothing is labelled, as by `gis render`."""
    ignored: bool | None = field(default=None, metadata=OMITTED_IF_NONE)
    """True: so much stands before it that its label says to leave it out of account; else None."""
    rle: str | None = field(default=None, metadata=OMITTED_IF_NONE)
    """COCO's compressed run-length code of its pixels, of objects with a label."""
    rle_amodal: str | None = field(default=None, metadata=OMITTED_IF_NONE)
    """The same of the pixels that it would cover if nothing stood before it, where they were asked for."""
    fit: FitRecord | None = field(default=None, metadata=OMITTED_IF_NONE)
    """Of pairs of `gis fit`."""
    track_id: int | None = field(default=None, metadata=OMITTED_IF_NONE)
    """The same for the same object in all frames of a sequence, of no other object in the data set."""

    @classmethod
    def of(
        cls,
        instance: Instance,
        *,
        labelled: bool | None = None,
        ignored: bool = False,
        rle: str | None = None,
        fit: FitRecord | None = None,
        track_id: int | None = None,
    ) -> InstanceRecord:
        """The record of a renderer's instance."""
        known = {name: getattr(instance, name) for name in Instance.__dataclass_fields__}
        return cls(**known, labelled=labelled, ignored=ignored or None, rle=rle, fit=fit, track_id=track_id)


_IDS: Final = 1 << 16
"""Instance ids have 16 bits."""


def track_number(sequence: int, instance_id: int) -> int:
    """Number of an object's track in the data set; its instance id is the same in all frames of the sequence."""
    return sequence * _IDS + instance_id


@dataclass(frozen=True)
class SequenceRecord:
    """Where a frame lies in a sequence."""

    number: int
    """Of the sequence, from 0."""
    frame: int
    """In it, from 0."""
    time_s: float
    """Since its first frame."""

    @classmethod
    def of(cls, moment: Moment) -> SequenceRecord:
        """The record of a moment."""
        return cls(moment.sequence, moment.frame, moment.time_s)


@dataclass(frozen=True)
class SourceFile:
    """The file that `gis backgrounds` made a background of."""

    file: str
    sha256: str
    kind: str


@dataclass(frozen=True)
class GroundRecord:
    """The ground of a real background, as given or estimated."""

    horizon_px: float
    horizon_std_px: float
    horizon_from: str
    horizon_confidence: float
    """0-1."""
    camera_height_m: float
    roll_deg: float
    road_from: str
    road_confidence: float
    """0-1."""
    road_share: float
    """Share of the picture that is free road."""
    road_yaw_deg: float | None
    """Where the road goes, to the left of the camera's axis; None: unknown."""
    obstacles: int
    """Things that stand on the road."""
    obstacles_from: str
    placement: str
    """``on the free road``, or ``refused``."""


@dataclass(frozen=True)
class BackgroundRecord:
    """What stands behind the objects."""

    kind: Literal["scene", "image"]
    """``scene`` is the rendered scene itself: all but ``radiometric`` is of images alone."""
    name: str | None = field(default=None, metadata=OMITTED_IF_NONE)
    """File below the folder of backgrounds."""
    sha256: str | None = field(default=None, metadata=OMITTED_IF_NONE)
    size_px: tuple[int, int] | None = field(default=None, metadata=OMITTED_IF_NONE)
    """Width and height of the file."""
    crop_px: tuple[int, int, int, int] | None = field(default=None, metadata=OMITTED_IF_NONE)
    """Left, top, right, bottom of the window that was cut out."""
    radiometric: bool = True
    """Whether its pixels have temperatures."""
    camera: str | None = field(default=None, metadata=OMITTED_IF_NONE)
    """Where its camera comes from."""
    horizon: str | None = field(default=None, metadata=OMITTED_IF_NONE)
    """Where its horizon comes from."""
    source: SourceFile | None = field(default=None, metadata=OMITTED_IF_NONE)
    conditions: Mapping[str, Any] | None = field(default=None, metadata=OMITTED_IF_NONE)
    """Of the measurement, as the source states them."""
    time: str | None = field(default=None, metadata=OMITTED_IF_NONE)
    """When it was taken, ISO 8601."""
    geometry: GroundRecord | None = field(default=None, metadata=OMITTED_IF_NONE)

    @classmethod
    def from_json(cls, data: Mapping[str, Any], where: str = "background") -> BackgroundRecord:
        """Of JSON values, of version 1 too.

        Raises:
            DatasetError: a value is missing or of another kind.
        """
        return from_json(cls, _upgraded_background(data), where)


@dataclass(frozen=True)
class RealObject:
    """An object that a real background shows by itself."""

    category: str
    """As the boxes that were given name it, in small letters."""
    box_px: Box2D
    """Left, top, right, bottom in the frame, inside of it."""
    covered: float
    """Share of the box that inserted objects hide, 0-1."""
    labelled: bool
    """Whether it has a label; else a detector should neither be asked for it nor be blamed for finding it."""


@dataclass(frozen=True)
class UnlabelledObject:
    """Something in view that the data set does not label, though other sets have a class for it."""

    category: str
    """One of :data:`renderer.zones.categories.CATEGORIES`."""
    model: str
    """Kind of the thing."""
    box_px: Box2D
    """Of its visible pixels."""


@dataclass(frozen=True)
class ModelRecord:
    """What made the image: physics alone, or a translation model."""

    name: str
    weights_sha256: str | None
    inference: str | None = field(default=None, metadata=OMITTED_IF_NONE)
    """Engine, precision and device of a translation model."""
    layout: str | None = field(default=None, metadata=OMITTED_IF_NONE)
    """Of the source tensors that it takes."""


@dataclass(frozen=True)
class ObjectLabelError:
    """What the picture shows of one mask; see :mod:`pipelines.dataset.label_consistency`."""

    id: int
    """Value in the mask."""
    score: float
    """0 where the mask says, 1 not there."""
    pixels: int
    """Pixels of the mask."""
    offset_px: float
    """Length of the shift in the image at which the outline meets the strongest edges; at most 16 in each axis."""
    edge_contrast: float
    """Mean edge strength (0-1) along the outline less that along the outline shifted by 6 to 16 px."""
    edge_peak: float
    """Edge strength along the outline as a share of the strongest along any shifted outline, 0-1."""
    edge_share: float
    """Share of the outline's points with a clear edge within 2 px, 0-1."""
    zone_contrast: float
    """Variance that one level per zone explains (0-1) less that with zones shifted by 4, 8 and 16 px."""
    lost: float | None
    """0: the mask hides the background; 1: it shows it. None where no background is known."""

    def rounded(self) -> ObjectLabelError:
        """The same with floats of 4 places."""
        return with_values(
            self,
            score=round(self.score, 4),
            offset_px=round(self.offset_px, 4),
            edge_contrast=round(self.edge_contrast, 4),
            edge_peak=round(self.edge_peak, 4),
            edge_share=round(self.edge_share, 4),
            zone_contrast=round(self.zone_contrast, 4),
            lost=None if self.lost is None else round(self.lost, 4),
        )


@dataclass(frozen=True)
class LabelError:
    """What the picture shows of all masks."""

    score: float | None
    """0 none to 1 lost; None where nothing could be measured: no object large enough, no background."""
    invented_px: int | None
    """Pixels of hot patches away from every mask; None where no background is known."""
    objects: tuple[ObjectLabelError, ...] = ()
    """By ascending id; without those that are too small to be measured."""
    attempt: int = 0
    """Which draw of the frame was kept, from 0."""
    rejected: bool = False
    """Whether it exceeds the limit of the data set all the same."""

    def rounded(self) -> LabelError:
        """The same with floats of 4 places, as records have them."""
        score = None if self.score is None else round(self.score, 4)
        return replace(self, score=score, objects=tuple(item.rounded() for item in self.objects))

    def exceeds(self, limit: float | None) -> bool:
        """Whether a frame is to be drawn again; without a score or a limit it is not."""
        return limit is not None and self.score is not None and self.score > limit


# --- records ----------------------------------------------------------------------------------------------------------


_FILES: Final = '"files": {'
"""Within a text of a line quotes have strokes before them, so that this is the key."""
_DECODER: Final = json.JSONDecoder()


def parse_line(line: str, index: int, log: Path) -> dict[str, Any]:
    """One line of a log, before its values are read: of frame ``index``, with ``files`` that lie beside the log.

    Raises:
        DatasetError: no JSON object, another frame's, or it names a file elsewhere.
    """
    try:
        data = parse_json(line)
    except ValueError as error:
        raise DatasetError(f"{log}: line {index + 1} is no JSON ({error}): expected the record of a frame") from error
    if not isinstance(data, dict) or data.get("index") != index or not isinstance(data.get("files"), dict):
        raise DatasetError(f"{log}: line {index + 1}: expected the record of frame {index}, with its files")
    for name in data["files"]:
        if not is_inside(name):
            path_inside(log.parent, name, f"{log}: line {index + 1}")  # tells it
    return data


def file_names(line: str, index: int, log: Path) -> Iterable[str]:
    """Names of the files of a frame: of its line no more is read, which takes a thirtieth of the time.

    Args:
        line: of a log, as :meth:`Record.to_line` wrote it.
        index: number of the frame.
        log: for messages.

    Raises:
        DatasetError: as :func:`parse_line`, where the files do not stand where they should.
    """
    place = line.rfind(_FILES)
    try:
        names = _DECODER.raw_decode(line, place + len(_FILES) - 1)[0] if place >= 0 else None
    except ValueError:
        names = None
    return names if isinstance(names, dict) else parse_line(line, index, log)["files"]


@dataclass(frozen=True, slots=True)
class FrameLine:
    """A frame that is made and written, as its line in the log: a tenth of its record to send."""

    index: int
    text: str
    notes: tuple[str, ...]
    """What had to be guessed."""

    def to_line(self) -> str:
        """See :meth:`Record.to_line`."""
        return self.text


class Record:
    """What the records of all commands have: camera, objects and files."""

    index: int
    camera: Camera
    cam_to_world: NDArray[np.float64]
    instances: tuple[InstanceRecord, ...]
    notes: tuple[str, ...] = ()
    files: Mapping[str, str]

    @property
    def stem(self) -> str:
        """Name of the frame's files without suffix: ``000012``."""
        return frame_name(self.index)

    @property
    def labelled(self) -> tuple[InstanceRecord, ...]:
        """The objects that have a label and their id in the mask."""
        return tuple(item for item in self.instances if item.labelled)

    @property
    def counted(self) -> tuple[InstanceRecord, ...]:
        """The labelled objects that a detector is asked for."""
        return tuple(item for item in self.labelled if not item.ignored)

    @property
    def ignored(self) -> tuple[InstanceRecord, ...]:
        """The labelled objects that are mostly hidden: neither wanted nor wrong."""
        return tuple(item for item in self.labelled if item.ignored)

    def to_json(self) -> dict[str, Any]:
        """JSON values; the camera's pose and its matrix K stand within ``camera``."""
        data = fields_to_json(self)
        data["camera"] = {**data["camera"], "K": self.camera.K.tolist(), "cam_to_world": data.pop("cam_to_world")}
        return data

    def to_line(self) -> str:
        """A line of ``frames.jsonl``: :meth:`to_json`, and its own hash, which tells when a value was changed later.

        It is kept: a worker makes it, and the process that writes all lines is spared what takes most of its time.
        """
        return self._line

    @cached_property
    def _line(self) -> str:
        data = self.to_json()
        return json.dumps({**data, HASH_KEY: line_sha256(data)}, allow_nan=False)

    @classmethod
    def from_json(cls: type[R], data: Mapping[str, Any], where: str = "record") -> R:
        """Inverse of :meth:`to_json`; lines of version 1 are read too.

        Args:
            data: JSON values.
            where: begins the error, e.g. file and line.

        Raises:
            DatasetError: a value is missing or of another kind, by its name.
        """
        camera = data.get("camera")
        pose = (
            {"cam_to_world": camera["cam_to_world"]} if isinstance(camera, Mapping) and "cam_to_world" in camera else {}
        )
        return from_json(cls, {**_upgraded(data), **pose}, where)

    @property
    def frame_line(self) -> FrameLine:
        """What the process that writes all lines needs of the record."""
        return FrameLine(self.index, self.to_line(), self.notes)

    @classmethod
    def from_line(cls: type[R], line: str, index: int, log: Path, *, labelled_only: bool = False) -> R:
        """One line of a log, checked to be that of frame ``index``.

        Args:
            line: of the log.
            index: number of the frame.
            log: for messages.
            labelled_only: leave out the objects that have no label: of many frames that is most of what there is to
                read.

        Raises:
            DatasetError: no JSON object, another frame's, or a value is missing or of another kind.
        """
        data, where = parse_line(line, index, log), f"{log}: line {index + 1}"
        if labelled_only and isinstance(listed := data.get("instances"), list):
            labelled = [item for item in listed if not isinstance(item, dict) or item.get("labelled") is not False]
            with suppress(DatasetError):  # whose place is told as the line has it
                return cls.from_json({**data, "instances": labelled}, where)
        return cls.from_json(data, where)


R = TypeVar("R", bound=Record)


@dataclass(frozen=True, kw_only=True)
class PassesRecord(Record):
    """A frame of `gis render`."""

    index: int
    """Number of the frame, from 0."""
    seed: int
    camera: Camera
    cam_to_world: NDArray[np.float64]
    """(4, 4) OpenCV camera axes to the world, metres."""
    instances: tuple[InstanceRecord, ...]
    """Every object in view, by ascending id."""
    notes: tuple[str, ...] = ()
    """What had to be guessed, one line each."""
    files: Mapping[str, str]
    """SHA-256 of each file of the frame, by its name below the folder."""


@dataclass(frozen=True, kw_only=True)
class FrameRecord(Record):
    """A frame of `gis synthesize`."""

    index: int
    """Number of the frame, from 0."""
    seed: int
    sequence: SequenceRecord | None = field(default=None, metadata=OMITTED_IF_NONE)
    """Of a frame of `--sequence`."""
    scene: str
    """Name of the .blend file."""
    camera: Camera
    cam_to_world: NDArray[np.float64]
    """(4, 4) OpenCV camera axes to the world, metres."""
    background: BackgroundRecord
    conditions: Conditions
    profile: str | None
    """Thermal profile of all cars; None where each has its own."""
    model: ModelRecord
    sensor: str
    """Infrared sensor, a table of ``assets/cameras.toml``."""
    span_K: tuple[float, float] | None
    """Kelvin of 0 and 65535 in ``images16/``; None where the image is display intensity."""
    sensor_variety: SensorVariety | None = field(default=None, metadata=OMITTED_IF_NONE)
    """How this frame's sensor differs from that; None: it does not."""
    instances: tuple[InstanceRecord, ...]
    """Every object in view, by ascending id."""
    label_error: LabelError | None = field(default=None, metadata=OMITTED_IF_NONE)
    """None in data sets from before it was measured."""
    real_objects: tuple[RealObject, ...] | None = field(default=None, metadata=OMITTED_IF_NONE)
    """What the background shows by itself; None where nothing is known of it: no boxes were given, or a scene."""
    unlabelled: tuple[UnlabelledObject, ...] | None = field(default=None, metadata=OMITTED_IF_NONE)
    """What a street shows of categories that the data set does not label, by pixels in the picture."""
    notes: tuple[str, ...] = ()
    """What had to be guessed, one line each."""
    files: Mapping[str, str]
    """SHA-256 of each file of the frame, by its name below the folder."""
    tensor_sha256: str | None = field(default=None, metadata=OMITTED_IF_NONE)
    """Of the frame's sample in its shard, where there are source tensors."""


@dataclass(frozen=True, kw_only=True)
class PairRecord(Record):
    """A real frame and its fitted cars, of `gis fit`."""

    index: int
    """Number of the pair, from 0."""
    name: str
    """Of the real frame."""
    group: str
    """Frames of one group never stand on both sides of a split."""
    time: str
    """``day``, ``night`` or empty."""
    camera: Camera
    cam_to_world: NDArray[np.float64]
    """(4, 4) OpenCV camera axes to the world, metres."""
    instances: tuple[InstanceRecord, ...]
    """The fitted cars, by ascending id."""
    tensor_sha256: str
    """Of the first variant's sample in its shard."""
    files: Mapping[str, str]
    """SHA-256 of each file of the pair, by its name below the folder."""


# --- version 1 --------------------------------------------------------------------------------------------------------

_RENAMED: Final = {"backend": "model", "drift": "label_error"}
_RENAMED_OF_MODEL: Final = {"route": "inference"}
_RENAMED_OF_GROUND: Final = {"horizon_sure": "horizon_confidence", "road_sure": "road_confidence"}


def _upgraded(data: Mapping[str, Any]) -> dict[str, Any]:
    """A record with the names of this version."""
    result = _renamed(data, _RENAMED)
    if isinstance(result.get("model"), Mapping):
        result["model"] = _renamed(result["model"], _RENAMED_OF_MODEL)
    if isinstance(result.get("background"), Mapping):
        result["background"] = _upgraded_background(result["background"])
    return result


def _upgraded_background(data: Mapping[str, Any]) -> dict[str, Any]:
    ground = data.get("geometry")
    more = {"geometry": _renamed(ground, _RENAMED_OF_GROUND)} if isinstance(ground, Mapping) else {}
    return {**data, **more}


def _renamed(data: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {names.get(key, key): value for key, value in data.items()}
