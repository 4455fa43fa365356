"""Label formats, one file each. Which objects are labelled, and under which names, is said here for all of them."""

from __future__ import annotations

from collections.abc import Iterable

from renderer.geometry.frame import Instance

__all__ = ["CATEGORIES", "MIN_VISIBLE_PX", "NOT_COUNTED", "labelled"]

CATEGORIES = ("car", "van", "truck", "bus")
"""Detector classes in their order: YOLO counts them from 0, COCO from 1."""
NOT_COUNTED = frozenset({"dontcare"})
"""Names of regions in which single objects are not labelled, in small letters: KITTI's."""
MIN_VISIBLE_PX = 20
"""An object with fewer visible pixels gets no label and no id in the masks: no detector can name a sliver. 20 pixels is
about a car of 5 x 4 pixels, the far end of what is placed."""


def labelled(instances: Iterable[Instance]) -> tuple[Instance, ...]:
    """The objects that get labels, by ascending id."""
    chosen = [item for item in instances if item.visible_px >= MIN_VISIBLE_PX and item.box_visible_px is not None]
    return tuple(sorted(chosen, key=lambda item: item.id))
