"""Label formats, one file each. Which objects are labelled, and under which names, is said here for all of them."""

from __future__ import annotations

from collections.abc import Iterable

from renderer.geometry.frame import Instance
from renderer.zones.categories import CATEGORIES, ORDINARY, SUPERCATEGORIES

__all__ = [
    "CATEGORIES",
    "MIN_VISIBLE_PX",
    "NOT_COUNTED",
    "ORDINARY",
    "SAME_AS",
    "SUPERCATEGORIES",
    "is_ignored",
    "labelled",
]

SAME_AS = {
    "pedestrian": "person", "people": "person", "human": "person", "person_sitting": "person", "bike": "bicycle",
    "motor": "motorcycle", "motorbike": "motorcycle", "train": "tram",
    "caravan": "trailer",
    "traffic light": "traffic_light", "light": "traffic_light", "traffic sign": "traffic_sign",
    "street sign": "traffic_sign", "stop sign": "traffic_sign", "sign": "traffic_sign",
    "fire hydrant": "hydrant", "lamp": "street_lamp",
}  # fmt: skip
"""What public data sets (KITTI, KAIST, FLIR ADAS, M3FD, LLVIP) call our categories, in small letters."""
NOT_COUNTED = frozenset({"dontcare"})
"""Names of regions in which single objects are not labelled, in small letters: KITTI's."""
MIN_VISIBLE_PX = 20
"""An object with fewer visible pixels gets no label and no id in the masks: no detector can name a sliver. 20 pixels is
about a car of 5 x 4 pixels, the far end of what is placed."""


def labelled(instances: Iterable[Instance]) -> tuple[Instance, ...]:
    """The objects that get labels, by ascending id."""
    chosen = [item for item in instances if item.visible_px >= MIN_VISIBLE_PX and item.box_visible_px is not None]
    return tuple(sorted(chosen, key=lambda item: item.id))


def is_ignored(item: Instance, min_visible_share: float) -> bool:
    """Whether so much stands before a labelled object that a detector should neither be asked for it nor be blamed.

    What the border of the image cuts off does not matter: both numbers are of pixels inside of it. Slivers of hidden
    cars teach a detector that parts of cars are cars (docs/explanation/usefulness.md).

    Args:
        item: the object.
        min_visible_share: of its pixels in the image, 0-1; with 0 no object is ignored.
    """
    return item.amodal_px > 0 and item.visible_px / item.amodal_px < min_visible_share
