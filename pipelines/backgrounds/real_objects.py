"""What a real background shows already, as its boxes name it: labelled beside the objects that are put into it.

A street frame holds some four cars of its own (742 in RoadScene's 181). Left without a label they teach a detector
that such cars are background.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray
from renderer.geometry.frame import Box2D
from renderer.zones.categories import ON_REQUEST

from pipelines.backgrounds.geometry.boxes import KnownBox, to_crop
from pipelines.backgrounds.images import Background
from pipelines.dataset.labels import CATEGORIES, MIN_VISIBLE_PX, SAME_AS
from pipelines.dataset.record import RealObject

__all__ = ["find_real_objects"]

MOST_COVERED: Final = 0.5
"""Share of its box up to which inserted objects may hide a real one that keeps its label."""
GONE: Final = 0.9
"""From this share on nothing of it is left to be found."""


def find_real_objects(
    boxes: Iterable[KnownBox],
    background: Background,
    instance_id: NDArray[np.uint16],
    categories: Collection[str] = CATEGORIES,
) -> tuple[RealObject, ...]:
    """Real objects of a frame, in the order of their boxes.

    Args:
        boxes: Of the whole image.
        background: Says which window of it the frame shows.
        instance_id: (H, W) objects that were put into the frame, 0 elsewhere.
        categories: That get a label.
    """
    height, width = instance_id.shape
    file = background.file
    moved = to_crop(boxes, (file.width, file.height), background.crop_px, width, height)
    found = (_real_object(box, instance_id, categories) for box in moved)
    return tuple(item for item in found if item is not None)


def _real_object(box: KnownBox, instance_id: NDArray[np.uint16], categories: Collection[str]) -> RealObject | None:
    height, width = instance_id.shape
    left, top, right, bottom = box.box_px
    place: Box2D = (max(left, 0.0), max(top, 0.0), min(right, float(width)), min(bottom, float(height)))
    area = max(place[2] - place[0], 0.0) * max(place[3] - place[1], 0.0)
    if area < MIN_VISIBLE_PX:
        return None
    covered = _share_covered(place, instance_id)
    if covered >= GONE:
        return None
    named = box.label.strip().lower()
    category = SAME_AS.get(named, named)
    if category in ON_REQUEST and category not in categories:
        category = named  # a set that does not list it goes on by the word of the boxes
    labelled = category in categories and not box.crowd and covered <= MOST_COVERED
    return RealObject(category, place, round(covered, 4), labelled)


def _share_covered(box_px: Box2D, instance_id: NDArray[np.uint16]) -> float:
    left, top, right, bottom = (int(edge) for edge in np.rint(box_px))
    window = instance_id[top : max(bottom, top + 1), left : max(right, left + 1)]
    return float((window > 0).mean()) if window.size else 1.0
