"""Folders of images with labels: where in them the images lie, where the labels, and what these say of each image."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from gan.data.images import PictureError, list_images, read_planes
from gan.errors import ItemError
from numpy.typing import NDArray

from pipelines.backgrounds.geometry.boxes import KnownBox, read_boxes
from pipelines.backgrounds.packed_labels import read_packed_labels
from pipelines.dataset.names import frame_name
from pipelines.dataset.packed.images import ImageFile, PackedImage, image_bytes
from pipelines.dataset.packed.reader import FRAMES, is_packed, open_packed
from pipelines.errors import DatasetError
from pipelines.io.files import read_json

__all__ = ["NOT_COUNTED_WORDS", "LabelledFolder", "find_labelled", "folder_name", "read_grey"]

NOT_COUNTED_WORDS: Final = frozenset({"dontcare", "misc", "ignore", "ignored", "people?", "person?"})
"""Names of regions and things that data sets neither ask for nor count as mistakes, in small letters."""
_IMAGE_FOLDERS: Final = (
    "images", "image_2", "infrared", "", "images/train", "training/image_2", "train", "train2017", "data",
)  # fmt: skip
"""Where images lie in the folders of this project, YOLO, KITTI, COCO and FLIR; of splits the one to train on."""
_LABELS: Final = {
    "images/train": ("labels/train",),
    "training/image_2": ("training/label_2",),
    "train": ("annotations/instances_train.json", "train/_annotations.coco.json"),
    "train2017": ("annotations/instances_train2017.json",),
    "data": ("coco.json",),
}
"""Where the labels of such a split lie: as YOLO, KITTI, COCO, Roboflow and FLIR have them."""
_LABELS_OF_ALL: Final = ("annotations/coco.json", "labels", "label_2", "boxes.json", "annotations.json", "")
"""Where they lie in the folders of this project, YOLO, KITTI, and beside the images."""
_NAMELESS: Final = frozenset("/".join(_IMAGE_FOLDERS).split("/")) - {"data"}
"""Folders whose names say only what lies in them."""
_MOST_UNEQUAL_SIDES: Final = 16
"""Beyond, nothing is to be seen of an image that is brought to the width of the network's input."""


@dataclass(frozen=True, eq=False)
class LabelledFolder:
    """Images and their labels, which go together by the stems of their names."""

    root: Path
    """Folder that was named."""
    labels: Path
    """Where the labels were read."""
    images: Mapping[str, ImageFile]
    """Images that have labels, by stem, in the order of the stems."""
    boxes: Mapping[str, tuple[KnownBox, ...]]
    """Boxes of those images, KITTI's DontCare regions among them."""
    about: Mapping[str, Mapping[str, object]]
    """What a JSON object by image says of an image beside its boxes: sequence, time."""

    @property
    def name(self) -> str:
        """The folder's name, or its parent's where it only says that images lie in it."""
        return folder_name(self.root)


def find_labelled(place: str, report: Callable[[str], None] = lambda line: None) -> LabelledFolder:
    """Finds images and labels; no image is read.

    Args:
        place: A data set of gis, packed or not, or its address in an object store; a folder of ``images/`` and
            ``labels/`` (YOLO), ``image_2/`` and ``label_2/`` (KITTI), or of images and one COCO file; the training
            split of what `gis export` writes as YOLO or COCO, and all of what it writes as KITTI; or
            ``FRAMES=LABELS``, a folder of images and the place of their labels.
        report: Takes lines for the user.

    Raises:
        DatasetError: No images, no labels, or labels of other images.
        BackgroundError: Labels that cannot be read.
    """
    if is_packed(place):
        return _find_packed(place)
    frames, _, labels = (place, "", "") if os.path.isdir(place) else place.partition("=")
    root = Path(frames)
    inside = _IMAGE_FOLDERS if os.path.isdir(root) else ()  # also of a name that is too long
    images = next((one for one in inside if list_images(root / one)), None)
    if images is None:
        raise DatasetError(f"{root}: no images; expected a data set, or a folder with images/ or image_2/ and labels")
    folder = root / images
    source = Path(labels) if labels else _find_labels(root, images)
    if not os.path.exists(source):
        raise DatasetError(
            f"{source}: no such labels: expected a COCO or JSON file, or a folder of KITTI or YOLO labels"
        )
    boxes = read_boxes(source, report, keep_dont_care=True)
    files = {path.stem: path for path in list_images(folder)}
    stems = sorted(set(files) & set(boxes))
    if not stems:
        raise DatasetError(
            f"{source}: labels of {len(boxes)} images, none of them in {folder}: expected the same names"
        )
    chosen = {stem: files[stem] for stem in stems}
    return LabelledFolder(root, source, chosen, {stem: boxes[stem] for stem in stems}, _about(source))


def _find_packed(place: str) -> LabelledFolder:
    """Of a packed data set: images in its shards, and labels by the lines of its index."""
    root, files = Path(place), open_packed(place).files()
    found = list(read_packed_labels(root))
    if not found:
        raise DatasetError(f"{place}: no frames in it: expected a packed data set of gis synthesize")
    images = {frame_name(index): PackedImage(files, index) for index, _ in found}
    return LabelledFolder(root, root / FRAMES, images, {frame_name(index): boxes for index, boxes in found}, {})


def folder_name(root: Path) -> str:
    """Name of a set by its folder, or by the nearest one above that says more than that images lie in it."""
    path = root.resolve()
    return next((one for one in reversed(path.parts[1:]) if one not in _NAMELESS), path.name)


def _find_labels(root: Path, images: str) -> Path:
    for name in (*_LABELS.get(images, ()), *_LABELS_OF_ALL):
        place = root / name
        if place.is_file() or (name and place.is_dir()) or any(place.glob("*.txt")):
            return place
    raise DatasetError(
        f"{root}: no labels; expected annotations/coco.json, labels/ (YOLO), label_2/ (KITTI), boxes.json, or "
        "FRAMES=LABELS with the place of the labels"
    )


def _about(labels: Path) -> Mapping[str, Mapping[str, object]]:
    if labels.suffix != ".json":
        return {}
    data = read_json(labels, allow_nan=True)
    return (
        {Path(name).stem: row for name, row in data.items() if isinstance(row, dict)} if isinstance(data, dict) else {}
    )


def read_grey(image: ImageFile) -> NDArray[np.uint8]:
    """(H, W) grey image; more than 8 bits are stretched over all but the outermost percent of their values.

    Raises:
        ItemError: It cannot be read, or is no picture that can be shown.
    """
    try:
        planes = read_planes(image_bytes(image), str(image))
    except (PictureError, DatasetError) as error:
        raise ItemError(f"{image}: cannot be read: {error}") from error
    return _one_plane(planes, str(image))


def _one_plane(planes: NDArray[Any], where: str) -> NDArray[np.uint8]:
    short, long = sorted(planes.shape[1:])
    if long > _MOST_UNEQUAL_SIDES * short:
        raise ItemError(f"{where}: is {planes.shape[2]}x{planes.shape[1]} pixels: expected sides of 1 to 16 at most")
    grey = planes[0] if planes.shape[0] == 1 else cv2.cvtColor(np.moveaxis(planes, 0, -1), cv2.COLOR_RGB2GRAY)
    if grey.dtype == np.uint8:
        return np.asarray(grey, dtype=np.uint8)
    if not np.isfinite(grey).all():
        raise ItemError(f"{where}: has infinite pixels: expected finite values: mend or leave out this image")
    return _stretched(grey)


def _stretched(image: NDArray[np.uint16] | NDArray[np.float32]) -> NDArray[np.uint8]:
    """8 bits over all but the outermost percent of the values, as the gain control of a camera does it."""
    low, high = np.percentile(image, [1.0, 99.0])
    span = max(float(high - low), 1e-6)
    return np.asarray(np.clip((image - low) * (255.0 / span), 0, 255), dtype=np.uint8)
