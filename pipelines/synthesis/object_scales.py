"""Objects that are larger than a model knows, shown to it at a scale at which it knows them.

A factor of 2 shows a frame as a camera with half as many pixels would: everything half as large, as if it stood twice
as far. What the model changes there is enlarged and added to the picture of the physics at full size.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

import cv2
import numpy as np
from gan.storage.known_objects import KnownObjects
from numpy.typing import NDArray
from renderer.geometry.frame import Box2D, Frame, Instance

__all__ = [
    "ShownFrame",
    "blend_weights",
    "enlarge",
    "object_factors",
    "shrink_frame",
    "shrink_mask",
    "shrink_picture",
    "to_signed",
]

UInt8 = NDArray[np.uint8]
UInt16 = NDArray[np.uint16]
Float32 = NDArray[np.float32]
Number = TypeVar("Number", bound=np.generic)

BLEND_PX = 9
"""Width of the seam on the ground between objects of different factors, pixels of the frame."""


def object_factors(frame: Frame, objects: UInt16, known: KnownObjects | None, *, rendered: bool) -> UInt8:
    """By how much each object is shrunk before a model sees it: 1, 2, 4, ... so that it is no larger than it knows.

    Args:
        frame: with the boxes of its objects.
        objects: (H, W) ids, 0 elsewhere.
        known: to the model; None shows everything as it is.
        rendered: whether the scene is the background.

    Returns:
        (H, W) uint8, 0 where no object is.
    """
    by_id = np.ones(int(objects.max(initial=0)) + 1, dtype=np.uint8)
    by_id[0] = 0
    for item in frame.instances:
        if known is not None and item.id < len(by_id):
            by_id[item.id] = _factor(item, known.smallest_px, known.largest_in(rendered=rendered))
    return by_id.take(objects)


def _factor(item: Instance, smallest_px: int, largest_px: int) -> int:
    """By the whole object, as the size of its parts follows from that; what is in view stays large enough to see."""
    factor, whole = 1, _longer_side(item.box_amodal_px)
    visible = whole if item.box_visible_px is None else _longer_side(item.box_visible_px)
    while whole > largest_px * factor and visible >= 2 * smallest_px * factor:
        factor *= 2
    return factor


def _longer_side(box: Box2D) -> float:
    return max(box[2] - box[0], box[3] - box[1])


@dataclass(frozen=True)
class ShownFrame:
    """What a model is shown of a frame."""

    background: UInt8
    """(H, W)"""
    frame: Frame
    physics: UInt8
    """(H, W) the picture of the physics on the scale of the model."""
    objects: UInt16
    """(H, W) ids, dilated."""

    def shrunk(self, factor: int) -> ShownFrame:
        """The same at a smaller size."""
        return ShownFrame(
            shrink_picture(self.background, factor),
            shrink_frame(self.frame, factor),
            shrink_picture(self.physics, factor),
            _samples(self.objects, factor),
        )


def shrink_frame(frame: Frame, factor: int) -> Frame:
    """The passes that a source tensor is made of, one sample for each square of pixels; depths of what is seen grow.

    The network was shown what is enlarged as that much nearer (`gan.data.windows`).
    """
    return replace(
        frame,
        depth_m=_samples(frame.depth_m, factor) * np.float32(factor),
        instance_id=_samples(frame.instance_id, factor),
        zone=_samples(frame.zone, factor),
        normal=None if frame.normal is None else _samples(frame.normal, factor),
    )


def shrink_picture(picture: UInt8, factor: int) -> UInt8:
    """Means of squares of pixels, (ceil(H / factor), ceil(W / factor)); a last one is continued by its border."""
    whole = _whole_squares(picture, factor)
    size = (whole.shape[1] // factor, whole.shape[0] // factor)
    return np.asarray(cv2.resize(whole, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def shrink_mask(mask: NDArray[np.bool_], factor: int) -> NDArray[np.bool_]:
    """Whether any pixel of a square is set; with a rim of one square, which enlarging reads."""
    whole = _whole_squares(mask.astype(np.uint8), factor)
    squares = whole.reshape(whole.shape[0] // factor, factor, -1, factor).max(axis=(1, 3))
    return np.asarray(cv2.dilate(squares, np.ones((5, 5), np.uint8)) > 0)


def enlarge(change: Float32, factor: int, size: tuple[int, ...]) -> Float32:
    """(H, W) of the given size from (h, w), by cubic interpolation."""
    height, width = (length * factor for length in change.shape)
    large = cv2.resize(change, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(large[: size[0], : size[1]], dtype=np.float32)


def to_signed(picture: UInt8 | UInt16) -> Float32:
    """Full scale to [-1, 1], as `gan.data.layout.build_source` does it."""
    signed = picture.astype(np.float32) * np.float32(2 / np.iinfo(picture.dtype).max) - np.float32(1)
    return np.clip(signed, -1, 1, out=signed)


def _samples(plane: NDArray[Number], factor: int) -> NDArray[Number]:
    return np.ascontiguousarray(_whole_squares(plane, factor)[factor // 2 :: factor, factor // 2 :: factor])


def _whole_squares(plane: NDArray[Number], factor: int) -> NDArray[Number]:
    """The plane, continued at the bottom and right to whole squares of pixels."""
    extra = [(0, -length % factor) for length in plane.shape[:2]]
    if not any(after for _, after in extra):
        return plane
    return np.pad(plane, extra + [(0, 0)] * (plane.ndim - 2), mode="edge")


def blend_weights(factors: UInt8, frame: Frame) -> Iterator[tuple[int, Float32]]:
    """What counts of the model at each factor, (H, W) in [0, 1] with sum 1 where an object is; by rising factor.

    On an object that is its own factor alone: an outline is an edge, and what is changed on one side says nothing of
    the other. On the ground around objects the factors flow into each other.
    """
    present = [int(factor) for factor in np.unique(factors) if factor]
    if len(present) < 2:
        yield from ((factor, (factors > 0).astype(np.float32)) for factor in present)
        return
    on_object, somewhere = frame.instance_id > 0, cv2.blur((factors > 0).astype(np.float32), (BLEND_PX, BLEND_PX))
    for factor in present:
        own = (factors == factor).astype(np.float32)
        soft = cv2.blur(own, (BLEND_PX, BLEND_PX)) / np.maximum(somewhere, np.float32(1e-6))
        yield factor, np.where(on_object | (factors == 0), own, soft)
