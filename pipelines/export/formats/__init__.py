"""Formats of `gis export`: one file each, and this table of them.

A new format is a module with a class that is a :class:`~pipelines.export.job.Writer`, and a row here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

__all__ = ["FORMATS", "KELVIN_TIFF", "FormatRow", "format_names"]

KELVIN_TIFF: Final = "kelvin-tiff"
_OF_ALL: Final = frozenset({"split", "sequences", "seed", "classes", "ignored", "license", "link"})
_OF_BOXES: Final = _OF_ALL | {"box_margins"}
"""Of formats whose boxes are those of what is seen; KITTI's are those of whole objects."""


@dataclass(frozen=True)
class FormatRow:
    """What is known of a format before its module is loaded."""

    about: str
    place: str
    """Module and class."""
    takes: frozenset[str] = _OF_ALL
    """Options that mean something to it."""
    marks_ignored: bool = True
    """Whether it can say of an object that it is not counted."""


FORMATS: Final[Mapping[str, FormatRow]] = {
    "yolo": FormatRow(
        "Ultralytics: images/, labels/ and data.yaml", "yolo.Yolo", _OF_BOXES | {"segments"}, marks_ignored=False
    ),
    "coco": FormatRow("COCO: a folder and a JSON file for each split", "coco.Coco", _OF_BOXES | {"segments"}),
    "kitti": FormatRow("KITTI: training/image_2, label_2, calib and ImageSets", "kitti.Kitti"),
    "kitti-tracking": FormatRow(
        "KITTI tracking: training/image_02, label_02 and calib of sequences",
        "kitti_tracking.KittiTracking",
        frozenset({"split", "seed", "classes", "license", "link"}),
    ),
    "mot": FormatRow(
        "MOTChallenge: gt.txt and seqinfo.ini of sequences", "mot.Mot", frozenset({"split", "seed", "license", "link"})
    ),
    "voc": FormatRow("Pascal VOC: VOCdevkit/VOC2012 with JPEG images and XML", "voc.Voc", _OF_BOXES - {"link"}),
    "bop": FormatRow(
        "BOP: poses, depth and masks of rendered objects",
        "bop.Bop",
        frozenset({"split", "sequences", "seed", "license"}),
    ),
    "fiftyone": FormatRow("FiftyOne: a FiftyOneImageDetectionDataset for each split", "fiftyone.FiftyOne", _OF_BOXES),
    "hf": FormatRow("Hugging Face: an image folder with a card", "huggingface.HuggingFace", _OF_BOXES),
    "cvat": FormatRow("CVAT for images 1.1: XML and images for each split", "cvat.Cvat", _OF_BOXES | {"segments"}),
    "label-studio": FormatRow(
        "Label Studio: tasks.json and images for each split, and label_config.xml",
        "label_studio.LabelStudio",
        _OF_BOXES | {"segments"},
    ),
    KELVIN_TIFF: FormatRow("temperatures: 16-bit TIFF, 10 mK per count", "", frozenset()),
}


def format_names() -> tuple[str, ...]:
    """Names of the formats; ``tiff`` is what kelvin-tiff was called first."""
    return (*FORMATS, "tiff")
