"""The labelled objects of a set's frames, whoever made it: a data set of gis, or images with anybody's boxes."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from gan.data.skipped import check_share, skipped_lines
from gan.errors import ItemError
from renderer.geometry.frame import Box2D

from pipelines.backgrounds.geometry.boxes import KnownBox
from pipelines.backgrounds.labelled_folders import NOT_COUNTED_WORDS, find_labelled, folder_name, read_grey
from pipelines.dataset.labels import SAME_AS
from pipelines.dataset.names import FRAMES_FILE, OVER_IMAGES, kind_of_scene
from pipelines.dataset.packed.images import ImageFile, PackedImage
from pipelines.dataset.packed.reader import FilesInShards, files_of, is_packed, lines_sha256
from pipelines.dataset.record import FrameRecord, InstanceRecord
from pipelines.dataset.store import read_records
from pipelines.errors import DatasetError
from pipelines.io.files import named_file

__all__ = ["KINDS", "ObservedFrame", "ObservedObject", "ObservedSet", "described_labels", "kind_of", "observe"]

Size = tuple[int, int]

KINDS: Final[Mapping[str, frozenset[str]]] = {
    "vehicle": frozenset({"car", "van", "truck", "bus", "vehicle", "suv", "tram", "train", "trailer", "other vehicle"}),
    "person": frozenset({"person"}),
    "two-wheeler": frozenset({"bicycle", "motorcycle", "cyclist", "rider", "scooter"}),
    "animal": frozenset({"dog", "deer", "cat", "boar", "horse", "animal"}),
}
"""Categories that are looked at together, because data sets draw the lines between them differently."""
MIN_BOX_PX: Final = 3.0
"""Sides of what a window leaves of a box, from which on it counts."""


@dataclass(frozen=True)
class ObservedObject:
    """One labelled object."""

    category: str
    """In small letters, by this project's name where it has one."""
    box_px: Box2D
    """Left, top, right, bottom in the frame."""
    distance_m: float | None = None
    """Along the camera's axis, where it is known."""
    occlusion: int | None = None
    """KITTI's level, where it is known."""
    truncation: float | None = None
    """Share outside of the picture, where it is known."""

    @property
    def kind(self) -> str:
        """One of `KINDS`, or ``other``."""
        return kind_of(self.category)


@dataclass(frozen=True)
class ObservedFrame:
    """One frame and its objects."""

    name: str
    image: ImageFile
    size_px: Size
    """Width and height of the frame, or of the window of it that counts."""
    window_px: tuple[int, int]
    """Left and top of that window in the image."""
    objects: tuple[ObservedObject, ...]
    hour: float | None = None
    """0-24, where it is known."""
    time: str = ""
    """``day`` or ``night`` where it is known."""
    weather: str = ""
    world: str = ""
    """Kind of scene that it was made in."""


@dataclass(frozen=True, eq=False)
class ObservedSet:
    """The frames of a set, in the order of their names."""

    name: str
    labels: Path
    """The file or folder that the labels were read from."""
    frames: tuple[ObservedFrame, ...]

    @property
    def size_px(self) -> Size:
        """The most common size of its frames."""
        return Counter(frame.size_px for frame in self.frames).most_common(1)[0][0]


def kind_of(category: str) -> str:
    """What a category is looked at with: one of `KINDS`, or ``other``."""
    return next((kind for kind, members in KINDS.items() if category in members), "other")


def observe(
    place: str,
    *,
    window: Size | None = None,
    placed_only: bool = False,
    report: Callable[[str], None] = lambda line: None,
) -> ObservedSet:
    """The labelled objects of a set. Objects that do not count for a detector are left out.

    Args:
        place: Folder of gis, packed or not, or its address in an object store; folder of images and labels, or
            ``FRAMES=LABELS``; see `pipelines.backgrounds.labelled_folders.find_labelled`.
        window: Width and height of the centred window that counts; smaller frames count whole.
        placed_only: Of frames over real backgrounds, leave out what these show by themselves.
        report: Takes lines for the user.

    Raises:
        DatasetError: No frames, or no labels.
        BackgroundError: Labels that cannot be read.
        ItemError: Half of the images or more cannot be read.
    """
    root = Path(place)
    if _is_of_gis(place):
        labels, files = root / FRAMES_FILE, files_of(root)
        packed = files if isinstance(files, FilesInShards) else None
        records = read_records(root, FrameRecord)
        name, frames = folder_name(root), tuple(_of_record(root, packed, one, placed_only) for one in records)
    else:
        found = find_labelled(place, report)
        name, labels = found.name, found.labels
        sizes = _sizes(found.images, name, report)
        frames = tuple(
            _of_boxes(stem, path, sizes[stem], found.boxes[stem], found.about.get(stem, {}))
            for stem, path in found.images.items()
            if stem in sizes
        )
    if not frames:
        raise DatasetError(f"{place}: no frames; expected a data set, or images with labels")
    return ObservedSet(name, labels, frames if window is None else tuple(_cut(one, window) for one in frames))


def described_labels(place: str) -> dict[str, str]:
    """Name and hash of what a set's labels are read from; raises what `observe` does.

    A packed data set has those of the same frames in single files.
    """
    if _is_of_gis(place):
        return {"name": FRAMES_FILE, "sha256": lines_sha256(Path(place))}
    return named_file(find_labelled(place).labels)


def _is_of_gis(place: str) -> bool:
    return is_packed(place) or os.path.isfile(Path(place) / FRAMES_FILE)  # also of a name that is too long


def _of_record(root: Path, packed: FilesInShards | None, record: FrameRecord, placed_only: bool) -> ObservedFrame:
    objects = [_of_instance(item) for item in record.counted if item.box_visible_px is not None]
    if not placed_only:
        objects += [ObservedObject(one.category, one.box_px) for one in record.real_objects or () if one.labelled]
    conditions = record.conditions
    return ObservedFrame(
        record.stem,
        root / "images" / f"{record.stem}.png" if packed is None else PackedImage(packed, record.index),
        (record.camera.width, record.camera.height),
        (0, 0),
        tuple(objects),
        conditions.hour,
        "day" if conditions.sun_elevation_deg > 0 else "night",
        conditions.weather,
        kind_of_scene(record.scene) if record.background.kind == "scene" else OVER_IMAGES,
    )


def _of_instance(item: InstanceRecord) -> ObservedObject:
    assert item.box_visible_px is not None
    away = item.box_3d.centre_m[2]
    return ObservedObject(item.category, item.box_visible_px, away, item.occlusion, item.truncation)


def _of_boxes(
    name: str, path: ImageFile, size_px: Size, boxes: Iterable[KnownBox], about: Mapping[str, object]
) -> ObservedFrame:
    objects = [
        ObservedObject(_category(box), box.in_pixels(*size_px).box_px)
        for box in boxes
        if not (box.crowd or box.label.lower() in NOT_COUNTED_WORDS)
    ]
    hour, time = about.get("hour"), about.get("time")
    known = float(hour) if isinstance(hour, int | float) and 0 <= hour < 24 else None
    return ObservedFrame(
        name, path, size_px, (0, 0), tuple(objects), known, time if time in ("day", "night") else "",
        str(about.get("weather", "")),
    )  # fmt: skip


def _category(box: KnownBox) -> str:
    named = box.label.strip().lower()
    return SAME_AS.get(named, named)


def _sizes(images: Mapping[str, ImageFile], name: str, report: Callable[[str], None]) -> dict[str, Size]:
    """Width and height of the images that can be read, by stem; the others are told."""
    with ThreadPoolExecutor() as pool:
        found = dict(zip(images, pool.map(_size, images.values()), strict=True))
    skipped = [(images[stem].name, why) for stem, why in found.items() if isinstance(why, str)]
    check_share(skipped, len(images))
    for line in skipped_lines(skipped, len(images), f"images of {name}"):
        report(line)
    return {stem: size for stem, size in found.items() if not isinstance(size, str)}


def _size(path: ImageFile) -> Size | str:
    """Of the file's head alone where that tells all, else of its pixels."""
    from PIL import Image

    try:
        # A PNG has no notes that turn it, and its head is read without its pixels.
        if isinstance(path, Path) and path.suffix.lower() == ".png":
            with Image.open(path) as picture:
                return picture.size
        height, width = read_grey(path).shape
    except (OSError, SyntaxError, ValueError, ItemError, Image.DecompressionBombError) as error:
        return str(error)
    return width, height


def _cut(frame: ObservedFrame, window: Size) -> ObservedFrame:
    """The frame's centred window, in its own pixels."""
    size = (min(window[0], frame.size_px[0]), min(window[1], frame.size_px[1]))
    left, top = (frame.size_px[0] - size[0]) // 2, (frame.size_px[1] - size[1]) // 2
    moved = (replace(one, box_px=_cut_box(one.box_px, left, top, size)) for one in frame.objects)
    kept = tuple(one for one in moved if min(_sides(one.box_px)) >= MIN_BOX_PX)
    return replace(frame, size_px=size, window_px=(left, top), objects=kept)


def _cut_box(box: Box2D, left: int, top: int, size: Size) -> Box2D:
    a, b, c, d = box
    width, height = size
    return (
        min(max(a - left, 0.0), width), min(max(b - top, 0.0), height),
        min(max(c - left, 0.0), width), min(max(d - top, 0.0), height),
    )  # fmt: skip


def _sides(box: Box2D) -> tuple[float, float]:
    return box[2] - box[0], box[3] - box[1]
