"""YOLO labels: a text file per image, a row per object: ``class cx cy w h`` of the visible box, shares of the image."""

from __future__ import annotations

from collections.abc import Sequence

from renderer.geometry.frame import Instance

from pipelines.dataset.labels import CATEGORIES

__all__ = ["yolo_classes", "yolo_text"]


def yolo_text(instances: Sequence[Instance], width: int, height: int) -> str:
    """Rows of the labelled objects of one image of ``width x height`` pixels."""
    return "".join(_row(instance, width, height) for instance in instances)


def _row(instance: Instance, width: int, height: int) -> str:
    assert instance.box_visible_px is not None
    left, top, right, bottom = instance.box_visible_px
    shares = ((left + right) / 2 / width, (top + bottom) / 2 / height, (right - left) / width, (bottom - top) / height)
    return " ".join([str(CATEGORIES.index(instance.category)), *(f"{share:.6f}" for share in shares)]) + "\n"


def yolo_classes() -> str:
    """Content of ``classes.txt``: the name of class 0, 1, ... one a line."""
    return "".join(f"{name}\n" for name in CATEGORIES)
