"""YOLO labels: a text file per image, a row per object: ``class cx cy w h`` of the visible box, shares of the image."""

from __future__ import annotations

from collections.abc import Sequence

from renderer.geometry.frame import Box2D, Instance

from pipelines.dataset.labels import CATEGORIES
from pipelines.dataset.record import RealObject

__all__ = ["yolo_classes", "yolo_text"]


def yolo_text(instances: Sequence[Instance], width: int, height: int, real: Sequence[RealObject] = ()) -> str:
    """Rows of one image of ``width x height`` pixels: labelled objects, then what the background shows by itself."""
    boxes = [(item.category, item.box_visible_px or item.box_amodal_px) for item in instances]
    boxes += [(item.category, item.box_px) for item in real if item.labelled]
    return "".join(_row(category, box, width, height) for category, box in boxes)


def _row(category: str, box: Box2D, width: int, height: int) -> str:
    left, top, right, bottom = box
    shares = ((left + right) / 2 / width, (top + bottom) / 2 / height, (right - left) / width, (bottom - top) / height)
    return " ".join([str(CATEGORIES.index(category)), *(f"{share:.6f}" for share in shares)]) + "\n"


def yolo_classes(categories: Sequence[str] = CATEGORIES) -> str:
    """Content of ``classes.txt``: the name of class 0, 1, ... one a line."""
    return "".join(f"{name}\n" for name in categories)
