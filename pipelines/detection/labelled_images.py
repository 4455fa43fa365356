"""Folders of images with boxes, to train a detector on and to test it with."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from gan.data.images import list_images, read_image
from gan.data.skipped import check_share, skipped_lines
from gan.data.splits import groups_from_names
from gan.errors import ItemError
from numpy.typing import NDArray

from pipelines.backgrounds.geometry.boxes import KnownBox, read_boxes
from pipelines.dataset.record import FrameRecord
from pipelines.dataset.store import read_records
from pipelines.errors import DatasetError
from pipelines.io.files import read_json

__all__ = ["NOT_COUNTED", "LabelledImage", "LabelledImages", "open_labelled"]

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
_NOT_COUNTED_WORDS: Final = {"dontcare", "misc", "ignore", "ignored", "people?", "person?"}
_IMAGE_FOLDERS: Final = ("images", "image_2", "infrared", "")
_LABELS: Final = ("annotations/coco.json", "labels", "label_2", "boxes.json", "annotations.json", "")
"""Where labels lie in the folders of this project, YOLO, KITTI, and beside the images."""
_MOST_UNEQUAL_SIDES: Final = 16
"""Beyond, nothing is to be seen of an image that is brought to the width of the network's input."""


@dataclass(frozen=True, eq=False)
class LabelledImage:
    """One image and what is labelled in it."""

    name: str
    path: Path
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
        return _read_grey(self.path)


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
        stamps = [
            f"{image.path.resolve()}:{image.path.stat().st_size}:{image.path.stat().st_mtime_ns}"
            for image in self.images
        ]
        return hashlib.sha256("\n".join(stamps).encode("utf-8", "surrogateescape")).hexdigest()


def _read_grey(path: Path) -> NDArray[np.uint8]:
    planes = read_image(path)
    short, long = sorted(planes.shape[1:])
    if long > _MOST_UNEQUAL_SIDES * short:
        raise ItemError(f"{path}: is {planes.shape[2]}x{planes.shape[1]} pixels: expected sides of 1 to 16 at most")
    grey = planes[0] if planes.shape[0] == 1 else cv2.cvtColor(np.moveaxis(planes, 0, -1), cv2.COLOR_RGB2GRAY)
    if grey.dtype == np.uint8:
        return np.asarray(grey, dtype=np.uint8)
    if not np.isfinite(grey).all():
        raise ItemError(f"{path}: has infinite pixels: expected finite values: mend or leave out this image")
    return _stretched(grey)


def open_labelled(
    place: str, classes: tuple[str, ...], name: str = "", *, report: Callable[[str], None] = lambda line: None
) -> LabelledImages:
    """Opens a folder of images with boxes. Images that cannot be used are left out.

    Args:
        place: A data set of gis; a folder of ``images/`` and ``labels/`` (YOLO), ``image_2/`` and ``label_2/`` (KITTI),
            or of images and one COCO file; or ``FRAMES=LABELS``, a folder of images and the place of their labels.
        classes: What is looked for; other labels that look alike are not counted, the rest is background.
        name: Of the set, for tables; "" takes the folder's.
        report: Takes lines for the user: what was left out, and why.

    Raises:
        ItemError: Half of the images or more cannot be used.
        DatasetError: No images, no labels, or an image's labels that no image goes with.
        BackgroundError: Labels that cannot be read.
    """
    frames, _, labels = (place, "", "") if os.path.isdir(place) else place.partition("=")
    root = Path(frames)
    inside = [root / one for one in _IMAGE_FOLDERS] if os.path.isdir(root) else []  # also of a name that is too long
    folder = next((one for one in inside if list_images(one)), None)
    if folder is None:
        raise DatasetError(f"{root}: no images; expected a data set, or a folder with images/ or image_2/ and labels")
    source = Path(labels) if labels else _find_labels(root)
    if not os.path.exists(source):
        raise DatasetError(
            f"{source}: no such labels: expected a COCO or JSON file, or a folder of KITTI or YOLO labels"
        )
    boxes = read_boxes(source, report, keep_dont_care=True)
    about = {**_about(source), **_about_frames(root)}
    files = {path.stem: path for path in list_images(folder)}
    stems = sorted(set(files) & set(boxes))
    if not stems:
        raise DatasetError(
            f"{source}: labels of {len(boxes)} images, none of them in {folder}: expected the same names"
        )
    sizes = _usable([files[stem] for stem in stems], name or _name(root), report)
    images = [
        _labelled(stem, files[stem], sizes[files[stem]], boxes[stem], classes, about)
        for stem in stems
        if files[stem] in sizes
    ]
    sequences = groups_from_names([image.name for image in images])
    images = [
        image if image.sequence else replace(image, sequence=s) for image, s in zip(images, sequences, strict=True)
    ]
    counts = [sum(int((image.classes == number).sum()) for image in images) for number in range(len(classes))]
    return LabelledImages(name or _name(root), tuple(images), classes, np.array([count > 0 for count in counts]))


def _name(root: Path) -> str:
    """The folder's name, or its parent's where it only says that images lie in it."""
    path = root.resolve()
    return path.parent.name if path.name in _IMAGE_FOLDERS else path.name


def _find_labels(root: Path) -> Path:
    for name in _LABELS:
        place = root / name
        if place.is_file() or (name and place.is_dir()) or any(place.glob("*.txt")):
            return place
    raise DatasetError(
        f"{root}: no labels; expected annotations/coco.json, labels/ (YOLO), label_2/ (KITTI), boxes.json, or "
        "FRAMES=LABELS with the place of the labels"
    )


def _usable(paths: Sequence[Path], name: str, report: Callable[[str], None]) -> dict[Path, tuple[int, int]]:
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


def _size_or_reason(path: Path) -> tuple[int, int] | str:
    try:
        height, width = _read_grey(path).shape
    except ItemError as error:
        return str(error)
    return width, height


def _labelled(
    name: str,
    path: Path,
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
    alike = label in _NOT_COUNTED_WORDS or any(label in _ALIKE.get(name, ()) for name in classes)
    return [NOT_COUNTED] if alike else []


def _about(labels: Path) -> Mapping[str, Mapping[str, object]]:
    """What a JSON object by image says of each beside its boxes: sequence and time."""
    if labels.suffix != ".json":
        return {}
    data = read_json(labels, allow_nan=True)
    return (
        {Path(name).stem: row for name, row in data.items() if isinstance(row, dict)} if isinstance(data, dict) else {}
    )


def _about_frames(root: Path) -> Mapping[str, Mapping[str, object]]:
    """The real frames that those of a data set were made over."""
    if not (root / "frames.jsonl").is_file():
        return {}
    records = read_records(root, FrameRecord)
    return {f"{one.index:06d}": {"background": Path(one.background.name or "").stem} for one in records}


def _stretched(image: NDArray[np.uint16] | NDArray[np.float32]) -> NDArray[np.uint8]:
    """8 bits over all but the outermost percent of the values, as the gain control of a camera does it."""
    low, high = np.percentile(image, [1.0, 99.0])
    span = max(float(high - low), 1e-6)
    return np.asarray(np.clip((image - low) * (255.0 / span), 0, 255), dtype=np.uint8)
