"""What a page must know of every frame of a set to filter and order them: columns of numbers, a few bytes an object.

A data set of gis is read line by line in the background: its first frames are there at once, however many follow.
Lines are read whole only for the frame that somebody looks at.
"""

from __future__ import annotations

import math
import os
import threading
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
from numpy.typing import NDArray
from renderer.errors import GisError
from renderer.text_files import parse_json

from pipelines.dataset.names import FRAMES_FILE, OVER_IMAGES, frame_name, kind_of_scene
from pipelines.errors import DatasetError
from pipelines.io.files import short

if TYPE_CHECKING:  # a second, which nobody waits for who only looks at the grid
    from pipelines.dataset.packed.images import ImageFile
    from pipelines.dataset.packed.reader import FilesInShards, PackedSet
    from pipelines.dataset.record import FrameRecord
    from pipelines.statistics.observed import ObservedFrame

__all__ = ["Filter", "Order", "SetIndex", "open_index"]

Order = Literal["number", "worst labels", "most objects"]
UNKNOWN: Final = -1
MOST_KEPT: Final = 8
"""Selections that are kept: scrolling asks for one again and again."""


@dataclass(frozen=True)
class Filter:
    """Which frames are wanted: those with all of it, and with an object that has all that is said of objects."""

    category: str = ""
    """Empty, as all below: any."""
    height_from: float = 0.0
    height_to: float = math.inf
    """Of an object's box, pixels."""
    occlusion: int | None = None
    """KITTI's level."""
    weather: str = ""
    world: str = ""
    hour_from: float = 0.0
    hour_to: float = 24.0
    """Past midnight where it is less than the first."""
    score_from: float = 0.0
    """Least label error of the frame, 0-1."""

    @property
    def asks_for_objects(self) -> bool:
        """Whether only frames with an object of some kind are wanted."""
        every = Filter()
        return (self.category, self.height_from, self.height_to, self.occlusion) != (
            every.category, every.height_from, every.height_to, every.occlusion,
        )  # fmt: skip


@dataclass
class _Words:
    """Names as small numbers."""

    names: list[str] = field(default_factory=list)

    def number(self, name: str) -> int:
        if name not in self.names:
            self.names.append(name)
        return self.names.index(name)

    def find(self, name: str) -> int:
        return self.names.index(name) if name in self.names else UNKNOWN - 1


@dataclass(frozen=True)
class _Object:
    """What the page knows of an object without its frame's line."""

    category: str
    box_px: tuple[float, float, float, float]
    occlusion: int = UNKNOWN
    ignored: bool = False


class SetIndex:
    """Columns over all frames and objects of a set; safe to ask while it is being filled.

    Args:
        root: folder of the set.
        name: of the set.
        packed: its files, where it lies in shards.
    """

    def __init__(self, root: Path, name: str, packed: FilesInShards | None = None) -> None:
        self.root, self.name, self.packed = root, name, packed
        self.categories, self.weathers, self.worlds = _Words(), _Words(), _Words()
        self.complete, self.error = False, ""
        self.observed: tuple[ObservedFrame, ...] = ()
        """Frames of a set that is none of gis."""
        self._lock = threading.Lock()
        self._offset, self._start = array("q"), array("q", [0])
        self._width, self._height = array("i"), array("i")
        self._weather, self._world = array("h"), array("h")
        self._hour, self._score = array("f"), array("f")
        self._category, self._occlusion, self._ignored, self._box = array("h"), array("b"), array("b"), array("f")
        self._selections: dict[tuple[Filter, Order, int], NDArray[np.int64]] = {}

    def __len__(self) -> int:
        """Frames that are known so far."""
        return len(self._offset)

    # --- filling --------------------------------------------------------------------------------------------------

    def add(
        self,
        offset: int,
        size_px: tuple[int, int],
        objects: Iterator[_Object],
        *,
        weather: str = "",
        world: str = "",
        hour: float | None = None,
        score: float | None = None,
    ) -> None:
        """The next frame."""
        with self._lock:
            for one in objects:
                self._category.append(self.categories.number(one.category))
                self._occlusion.append(one.occlusion)
                self._ignored.append(int(one.ignored))
                self._box.extend(one.box_px)
            self._start.append(len(self._category))
            self._width.append(size_px[0])
            self._height.append(size_px[1])
            self._weather.append(self.weathers.number(weather) if weather else UNKNOWN)
            self._world.append(self.worlds.number(world) if world else UNKNOWN)
            self._hour.append(math.nan if hour is None else hour)
            self._score.append(math.nan if score is None else score)
            self._offset.append(offset)

    # --- asking ---------------------------------------------------------------------------------------------------

    def select(self, wanted: Filter, order: Order = "number") -> NDArray[np.int64]:
        """Numbers of the frames that are wanted, in that order."""
        with self._lock:
            key = (wanted, order, len(self._offset))
            if key not in self._selections:
                if len(self._selections) >= MOST_KEPT:
                    del self._selections[next(iter(self._selections))]
                self._selections[key] = self._ordered(np.flatnonzero(self._fitting(wanted)), order)
            return self._selections[key]

    def _fitting(self, wanted: Filter) -> NDArray[np.bool_]:
        hour, score = np.array(self._hour), np.array(self._score)
        fits = np.ones(len(self._offset), np.bool_)
        if wanted.weather:
            fits &= np.array(self._weather) == self.weathers.find(wanted.weather)
        if wanted.world:
            fits &= np.array(self._world) == self.worlds.find(wanted.world)
        if (wanted.hour_from, wanted.hour_to) != (0.0, 24.0):
            after, before = hour >= wanted.hour_from, hour <= wanted.hour_to
            fits &= (after & before) if wanted.hour_from <= wanted.hour_to else (after | before) & np.isfinite(hour)
        if wanted.score_from > 0:
            fits &= score >= wanted.score_from
        return fits & self._with_object(wanted) if wanted.asks_for_objects else fits

    def _with_object(self, wanted: Filter) -> NDArray[np.bool_]:
        """Which frames have an object that is wanted."""
        boxes = np.array(self._box).reshape(-1, 4)
        height = boxes[:, 3] - boxes[:, 1]
        chosen = (height >= wanted.height_from) & (height <= wanted.height_to) & (np.array(self._ignored) == 0)
        if wanted.category:
            chosen &= np.array(self._category) == self.categories.find(wanted.category)
        if wanted.occlusion is not None:
            chosen &= np.array(self._occlusion) == wanted.occlusion
        below = np.concatenate([[0], np.cumsum(chosen)])[np.array(self._start)]
        return np.asarray(np.diff(below) > 0)

    def _ordered(self, rows: NDArray[np.int64], order: Order) -> NDArray[np.int64]:
        if order == "worst labels":
            return rows[np.argsort(-np.nan_to_num(np.array(self._score)[rows], nan=-1.0), kind="stable")]
        if order == "most objects":
            return rows[np.argsort(-np.diff(np.array(self._start))[rows], kind="stable")]
        return rows

    def tile(self, number: int) -> dict[str, Any]:
        """What the grid shows of a frame."""
        first, last = self._start[number], self._start[number + 1]
        weather, hour, score = self._weather[number], self._hour[number], self._score[number]
        return {
            "number": number,
            "name": self.frame_name(number),
            "size_px": [self._width[number], self._height[number]],
            "weather": self.weathers.names[weather] if weather >= 0 else "",
            "hour": round(hour, 2) if math.isfinite(hour) else None,
            "score": round(score, 4) if math.isfinite(score) else None,
            "objects": [
                [self._category[k], *(round(edge, 1) for edge in self._box[4 * k : 4 * k + 4]), self._ignored[k]]
                for k in range(first, last)
            ],
        }

    def frame_name(self, number: int) -> str:
        """Name of a frame."""
        return self.observed[number].name if self.observed else frame_name(number)

    def image(self, number: int) -> ImageFile:
        """Its image's file."""
        if self.packed is not None:
            from pipelines.dataset.packed.images import PackedImage

            return PackedImage(self.packed, number)
        return self.observed[number].image if self.observed else self.root / "images" / f"{frame_name(number)}.png"

    def record(self, number: int) -> FrameRecord | None:
        """All that is known of a frame of gis.

        Raises:
            DatasetError: the line cannot be read any more.
        """
        from pipelines.dataset.record import FrameRecord

        if self.observed:
            return None
        log = self.root / FRAMES_FILE
        return FrameRecord.from_line(self._line(number, log), number, log)

    def _line(self, number: int, log: Path) -> str:
        if self.packed is not None:
            return self.packed.line(number)
        try:
            with log.open("rb") as stream:
                stream.seek(self._offset[number])
                return stream.readline().decode()
        except (OSError, UnicodeDecodeError) as error:
            raise DatasetError(f"{log}: cannot be read any more ({error}); start gis view anew") from None


def open_index(place: str) -> SetIndex:
    """The index of a set, which fills itself in the background; what is wrong later stands in its ``error``.

    Raises:
        DatasetError: there is no set.
        BackgroundError: labels that cannot be read.
    """
    log = Path(place) / FRAMES_FILE
    if os.path.isfile(log):
        index = SetIndex(Path(place), Path(place).resolve().name)
        _check_images(index.root)
        threading.Thread(target=_fill, args=(index, log), daemon=True).start()
        return index
    from pipelines.dataset.packed.reader import is_packed
    from pipelines.statistics.observed import observe

    if is_packed(place):
        return _open_packed(place)
    observed = observe(place)
    index = SetIndex(Path(place.partition("=")[0]), observed.name)
    index.observed = observed.frames
    for frame in observed.frames:
        objects = (_Object(one.category, one.box_px) for one in frame.objects)
        index.add(UNKNOWN, frame.size_px, objects, weather=frame.weather, hour=frame.hour, world=frame.time)
    index.complete = True
    return index


def _open_packed(place: str) -> SetIndex:
    from pipelines.dataset.packed.reader import open_packed

    packed = open_packed(place)
    index = SetIndex(Path(place), Path(place).resolve().name, packed.files())
    shards = packed.numbers()
    if not shards:
        raise DatasetError(f"{place}: has no shards yet: expected a packed data set of gis synthesize")
    packed.about(shards[0])  # what is missing or wrong is told before there is a page
    threading.Thread(target=_fill_from_shards, args=(index, packed), daemon=True).start()
    return index


def _check_images(root: Path) -> None:
    if not (root / "images").is_dir():
        raise DatasetError(f"{root}: has no images/: expected a data set of gis synthesize, or images with labels")


def _fill(index: SetIndex, log: Path) -> None:
    """Reads all lines; one that is none of ours ends it."""
    try:
        offset = 0
        with log.open("rb") as stream:
            for line in stream:
                if not line.endswith(b"\n"):
                    break  # a run is at work on it
                _add_line(index, offset, line, log)
                offset += len(line)
    except (OSError, GisError) as error:
        index.error = str(error)
    index.complete = True


def _fill_from_shards(index: SetIndex, packed: PackedSet) -> None:
    try:
        for number, line in packed.lines():
            _add_line(index, number, line.encode(), index.root / FRAMES_FILE)
    except GisError as error:
        index.error = str(error)
    index.complete = True


def _add_line(index: SetIndex, offset: int, line: bytes, log: Path) -> None:
    """One line, without the checks that cost a millisecond: a page shows thousands, and reads few of them whole."""
    try:
        data = parse_json(line.decode())
        camera, conditions = data["camera"], data["conditions"]
        error = data.get("label_error", data.get("drift")) or {}
        index.add(
            offset,
            (int(camera["width"]), int(camera["height"])),
            _objects(data),
            weather=str(conditions["weather"]),
            world=kind_of_scene(str(data["scene"])) if data["background"]["kind"] == "scene" else OVER_IMAGES,
            hour=float(conditions["hour"]),
            score=error.get("score"),
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        number = len(index) + 1
        raise DatasetError(f"{log}: line {number} is no record of gis synthesize ({short(str(error))})") from None


def _objects(data: Mapping[str, Any]) -> Iterator[_Object]:
    for item in data["instances"]:
        if item.get("labelled") and item["box_visible_px"]:
            left, top, right, bottom = map(float, item["box_visible_px"])
            yield _Object(
                str(item["category"]), (left, top, right, bottom), int(item["occlusion"]), bool(item.get("ignored"))
            )
    for item in data.get("real_objects") or ():
        left, top, right, bottom = map(float, item["box_px"])
        yield _Object(str(item["category"]), (left, top, right, bottom), UNKNOWN, not item["labelled"])
