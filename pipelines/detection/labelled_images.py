"""Folders of images with boxes, to train a detector on and to test it with."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from gan.data.skipped import check_share, skipped_lines
from gan.data.splits import groups_from_names
from gan.errors import ItemError
from numpy.typing import NDArray

from pipelines.backgrounds.geometry.boxes import KnownBox
from pipelines.backgrounds.labelled_folders import NOT_COUNTED_WORDS, find_labelled, read_grey
from pipelines.dataset.labels import CATEGORIES
from pipelines.dataset.packed.images import ImageFile, image_stamp
from pipelines.dataset.packed.reader import is_packed
from pipelines.dataset.record import FrameRecord
from pipelines.dataset.store import read_records

__all__ = ["NOT_COUNTED", "LabelledImage", "LabelledImages", "categories_of", "open_labelled"]

NOT_COUNTED: Final = -1
"""Class of a region in which an object is neither wanted nor wrong."""
# Words of KITTI, COCO, FLIR ADAS, KAIST and this project for the classes that are asked for most.
_SYNONYMS: Final = {
    "car": {"car", "van", "vehicle", "suv"},
    "person": {"person", "pedestrian", "people", "person_sitting"},
    "bicycle": {"bicycle", "bike"},
}
# What looks so much like a class that finding it is no mistake, though it is none of it.
_ALIKE: Final = {
    "car": {"truck", "bus", "tram", "other vehicle"},
    "person": {"cyclist", "rider"},
    "bicycle": {"cyclist", "rider", "motorcycle", "motorbike"},
}


def categories_of(name: str) -> tuple[str, ...]:
    """Categories of gis that count as a class: vans are cars."""
    return tuple(one for one in CATEGORIES if one in _SYNONYMS.get(name, {name}))


@dataclass(frozen=True, eq=False)
class LabelledImage:
    """One image and what is labelled in it."""

    name: str
    path: ImageFile
    boxes_px: NDArray[np.float32]
    """(N, 4) left, top, right, bottom."""
    classes: NDArray[np.int64]
    """(N,) number of each box's class, or `NOT_COUNTED`."""
    sequence: str = ""
    time: str = ""
    """``day`` or ``night`` where it is known."""
    background: str = ""
    """Name of the real frame that it was made over, without suffix."""

    def read(self) -> NDArray[np.uint8]:
        """(H, W) grey image.

        Raises:
            ItemError: It cannot be read, or is no picture that can be shown.
        """
        return read_grey(self.path)


@dataclass(frozen=True, eq=False)
class LabelledImages:
    """A set of images, and the classes that are labelled in it."""

    name: str
    images: tuple[LabelledImage, ...]
    classes: tuple[str, ...]
    labelled: NDArray[np.bool_]
    """(classes,) which of the classes this set labels at all; of the others its images say nothing."""

    def chosen(self, rows: Sequence[int]) -> LabelledImages:
        """Some of the images."""
        return replace(self, images=tuple(self.images[row] for row in rows))

    def count(self, number: int) -> int:
        """Objects of a class."""
        return sum(int((image.classes == number).sum()) for image in self.images)

    @property
    def fingerprint(self) -> str:
        """Hash over names, sizes and times of the files: changes when an image does."""
        stamps = [image_stamp(image.path) for image in self.images]
        return hashlib.sha256("\n".join(stamps).encode("utf-8", "surrogateescape")).hexdigest()


def open_labelled(
    place: str, classes: tuple[str, ...], name: str = "", *, report: Callable[[str], None] = lambda line: None
) -> LabelledImages:
    """Opens a folder of images with boxes. Images that cannot be used are left out.

    Args:
        place: As for `pipelines.backgrounds.labelled_folders.find_labelled`.
        classes: What is looked for; other labels that look alike are not counted, the rest is background.
        name: Of the set, for tables; "" takes the folder's.
        report: Takes lines for the user: what was left out, and why.

    Raises:
        ItemError: Half of the images or more cannot be used.
        DatasetError: No images, no labels, or an image's labels that no image goes with.
        BackgroundError: Labels that cannot be read.
    """
    found = find_labelled(place, report)
    about = {**found.about, **_about_frames(found.root)}
    sizes = _usable(list(found.images.values()), name or found.name, report)
    images = [
        _labelled(stem, path, sizes[path], found.boxes[stem], classes, about)
        for stem, path in found.images.items()
        if path in sizes
    ]
    sequences = groups_from_names([image.name for image in images])
    images = [
        image if image.sequence else replace(image, sequence=s) for image, s in zip(images, sequences, strict=True)
    ]
    counts = [sum(int((image.classes == number).sum()) for image in images) for number in range(len(classes))]
    return LabelledImages(name or found.name, tuple(images), classes, np.array([count > 0 for count in counts]))


def _usable(paths: Sequence[ImageFile], name: str, report: Callable[[str], None]) -> dict[ImageFile, tuple[int, int]]:
    """Width and height of the images that can be used; the others are told.

    Raises:
        ItemError: Half of them or more cannot.
    """
    with ThreadPoolExecutor() as pool:
        found = dict(zip(paths, pool.map(_size_or_reason, paths), strict=True))
    skipped = [(path.name, why) for path, why in found.items() if isinstance(why, str)]
    check_share(skipped, len(paths))
    for line in skipped_lines(skipped, len(paths), f"images of {name}"):
        report(line)
    return {path: size for path, size in found.items() if not isinstance(size, str)}


def _size_or_reason(path: ImageFile) -> tuple[int, int] | str:
    try:
        height, width = read_grey(path).shape
    except ItemError as error:
        return str(error)
    return width, height


def _labelled(
    name: str,
    path: ImageFile,
    size_px: tuple[int, int],
    boxes: Sequence[KnownBox],
    classes: tuple[str, ...],
    about: Mapping[str, Mapping[str, object]],
) -> LabelledImage:
    chosen = [(box.in_pixels(*size_px).box_px, number) for box in boxes for number in _numbers(box, classes)]
    row = about.get(name, {})
    return LabelledImage(
        name,
        path,
        np.array([box for box, _ in chosen], np.float32).reshape(-1, 4),
        np.array([number for _, number in chosen], np.int64),
        str(row.get("group", row.get("sequence", ""))),
        str(row.get("time", "")),
        str(row.get("background", "")),
    )


def _numbers(box: KnownBox, classes: tuple[str, ...]) -> list[int]:
    """The class of a box, `NOT_COUNTED`, or nothing where it is background."""
    label = box.label.lower()
    for number, name in enumerate(classes):
        if label in _SYNONYMS.get(name, {name}):
            return [NOT_COUNTED if box.crowd else number]
    alike = label in NOT_COUNTED_WORDS or any(label in _ALIKE.get(name, ()) for name in classes)
    return [NOT_COUNTED] if alike else []


def _about_frames(root: Path) -> Mapping[str, Mapping[str, object]]:
    """The real frames that those of a data set were made over."""
    if not (is_packed(root) or (root / "frames.jsonl").is_file()):
        return {}
    records = read_records(root, FrameRecord)
    return {f"{one.index:06d}": {"background": Path(one.background.name or "").stem} for one in records}
