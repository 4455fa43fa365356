"""Objects that are larger than a model knows, shown to it at a scale at which it knows them.

A factor of 2 shows a frame as a camera with half as many pixels would: everything half as large, as if it stood twice
as far. What the model changes there is enlarged and added to the picture of the physics at full size.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
from gan.storage.known_objects import KnownObjects
from numpy.typing import NDArray
from renderer.geometry.frame import Box2D, Frame, Instance
from renderer.optional import kernel

from pipelines.synthesis.windows import Box, box_around, grown, place_of, within

__all__ = [
    "BLEND_PX",
    "RIM",
    "ShownFrame",
    "SmallerBox",
    "blend_weights",
    "finer_in_each",
    "kernel_reach",
    "object_factors",
    "shrink_ids",
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
RIM = 2
"""Squares around a pixel that enlarging reads."""
_NO_SHARE = np.float32(1e-6)


def object_factors(frame: Frame, objects: UInt16, known: KnownObjects | None, *, rendered: bool) -> UInt8:
    """By how much each object is shrunk before a model sees it: 1, 2, 4, ... so that it is no larger than it knows.

    By the whole object, as the size of its parts follows from that; what is in view stays large enough to see.

    Args:
        frame: with the boxes of its objects.
        objects: (H, W) ids, 0 elsewhere.
        known: to the model; None shows everything as it is.
        rendered: whether the scene is the background.

    Returns:
        (H, W) uint8, 0 where no object is, or one that stays as it is.
    """
    by_id = np.ones(int(objects.max(initial=0)) + 1, dtype=np.uint8)
    by_id[0] = 0
    for item in frame.instances:
        if known is not None and item.id < len(by_id):
            leaves = known.leaves(_longer_side(item.box_amodal_px), rendered=rendered)
            by_id[item.id] = 0 if leaves else _factor(item, known.smallest_px, known.largest_in(rendered=rendered))
    factors = np.empty(objects.shape, np.uint8)
    _look_up(by_id, objects, factors)
    return factors


@kernel
def _look_up(by_id: UInt8, ids: UInt16, out: UInt8) -> None:
    for y in range(ids.shape[0]):
        for x in range(ids.shape[1]):
            out[y, x] = by_id[ids[y, x]]


def _factor(item: Instance, smallest_px: int, largest_px: int) -> int:
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


def shrink_picture(picture: UInt8, factor: int) -> UInt8:
    """Means of squares of pixels, (ceil(H / factor), ceil(W / factor)); a last one is continued by its border."""
    whole = _whole_squares(picture, factor)
    size = (whole.shape[1] // factor, whole.shape[0] // factor)
    return np.asarray(cv2.resize(whole, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def shrink_mask(mask: NDArray[np.bool_], factor: int) -> NDArray[np.bool_]:
    """Whether any pixel of a square is set; with a rim of :data:`RIM` squares, which enlarging reads."""
    whole = _whole_squares(mask, factor)
    rows = np.logical_or.reduce([whole[row::factor] for row in range(factor)])
    squares = np.logical_or.reduce([rows[:, column::factor] for column in range(factor)])
    near = cv2.dilate(squares.view(np.uint8), np.ones((2 * RIM + 1, 2 * RIM + 1), np.uint8))
    return np.asarray(near, dtype=np.bool_)


@dataclass(frozen=True)
class SmallerBox:
    """A box of a picture, and the one that holds it where the picture is shown smaller."""

    box: Box
    """In the smaller picture, with what surrounds it."""
    factor: int

    @classmethod
    def around(cls, box: Box, factor: int, size: tuple[int, ...], reach: int) -> SmallerBox:
        """The squares that a box touches, and as many more on each side, within a picture (H, W)."""
        squares = (box[0] // factor, box[1] // factor, -(-box[2] // factor), -(-box[3] // factor))
        return cls(grown(squares, reach, [-(-length // factor) for length in size]), factor)

    @property
    def large(self) -> Box:
        """The squares in the picture, beyond whose border the last ones may reach."""
        top, left, bottom, right = self.box
        return top * self.factor, left * self.factor, bottom * self.factor, right * self.factor

    def padded(self, mask: NDArray[np.bool_], box: Box) -> NDArray[np.bool_]:
        """A mask of the box as one of all squares, False where it says nothing."""
        outer = self.large
        whole = np.zeros((outer[2] - outer[0], outer[3] - outer[1]), np.bool_)
        whole[place_of(within(box, outer))] = mask
        return whole

    def enlarged(self, change: Float32, box: Box) -> Float32:
        """(h, w) of the box from the smaller one, by cubic interpolation, which reads :data:`RIM` squares around."""
        factor = self.factor
        squares = (box[0] // factor, box[1] // factor, -(-box[2] // factor), -(-box[3] // factor))
        read = grown(within(squares, self.box), RIM, change.shape)
        height, width = read[2] - read[0], read[3] - read[1]
        small = np.ascontiguousarray(change[place_of(read)])
        large = cv2.resize(small, (width * factor, height * factor), interpolation=cv2.INTER_CUBIC)
        corner = (self.box[0] + read[0]) * factor, (self.box[1] + read[1]) * factor
        return np.asarray(large[place_of(within(box, (*corner, 0, 0)))], dtype=np.float32)


def shrink_ids(ids: UInt16, factor: int) -> UInt16:
    """What lies in the middle of each square of pixels, (ceil(H / factor), ceil(W / factor))."""
    return _whole_squares(ids, factor)[factor // 2 :: factor, factor // 2 :: factor]


def finer_in_each(change: Float32, painted: NDArray[np.bool_], ids: UInt16, sigma: float) -> Float32:
    """What is finer than a Gaussian, on each object and on the ground by itself: an outline is an edge.

    A change that is the same all over an object leaves nothing, up to its outline.

    Args:
        change: (h, w)
        painted: (h, w) where it says something.
        ids: (h, w) of the objects, 0 on the ground.
        sigma: of the Gaussian, pixels.

    Returns:
        (h, w), 0 where nothing is painted.
    """
    finer = np.zeros(change.shape, np.float32)
    for one in np.unique(ids[painted]):
        mask = painted & (ids == one)
        tight = box_around(mask)
        assert tight is not None
        place = place_of(grown(tight, kernel_reach(sigma), mask.shape))
        inside = mask[place]
        share = inside.astype(np.float32)
        here = change[place] * share
        # Where the share is 0 nothing is taken; next to the object it is not.
        smooth = cv2.GaussianBlur(here, (0, 0), sigma) / np.maximum(cv2.GaussianBlur(share, (0, 0), sigma), _NO_SHARE)
        finer[place][inside] = (here - smooth)[inside]
    return finer


def kernel_reach(sigma: float) -> int:
    """Half of the kernel that OpenCV takes for a Gaussian of floating point, pixels."""
    return (round(sigma * 4 * 2 + 1) | 1) // 2


def to_signed(picture: UInt8 | UInt16) -> Float32:
    """Full scale to [-1, 1], as `gan.data.layout.build_source` does it."""
    signed = picture.astype(np.float32) * np.float32(2 / np.iinfo(picture.dtype).max) - np.float32(1)
    return np.clip(signed, -1, 1, out=signed)


def _whole_squares(plane: NDArray[Number], factor: int) -> NDArray[Number]:
    """The plane, continued at the bottom and right to whole squares of pixels."""
    extra = [(0, -length % factor) for length in plane.shape[:2]]
    if not any(after for _, after in extra):
        return plane
    return np.pad(plane, extra + [(0, 0)] * (plane.ndim - 2), mode="edge")


def blend_weights(factors: UInt8, on_object: NDArray[np.bool_]) -> Iterator[tuple[int, Box, Float32]]:
    """What counts of the model at each factor, in [0, 1] with sum 1 where an object is; by rising factor.

    On an object that is its own factor alone: an outline is an edge, and what is changed on one side says nothing of
    the other. On the ground around objects the factors flow into each other.

    Args:
        factors: (H, W) of :func:`object_factors`.
        on_object: (H, W) whether an object is there, not only the ground close to one.

    Yields:
        A factor, the box outside of which nothing counts of it, and the weights there.
    """
    boxes: dict[int, Box] = {}
    factor, largest = 1, int(factors.max(initial=0))
    while factor <= largest:
        box = box_around(factors == factor)
        if box is not None:
            boxes[factor] = box
        factor *= 2
    if len(boxes) == 1:
        yield from ((factor, box, (factors[place_of(box)] > 0).astype(np.float32)) for factor, box in boxes.items())
        return
    somewhere = _sums(factors > 0)
    for factor, tight in boxes.items():
        box = grown(tight, BLEND_PX, factors.shape)
        place = place_of(box)
        own, weight = _sums(factors[place] == factor), np.empty((box[2] - box[0], box[3] - box[1]), np.float32)
        _draw_weights(factors[place], on_object[place], own, somewhere[place], factor, weight)
        yield factor, box, weight


def _sums(mask: NDArray[np.bool_]) -> UInt8:
    """(H, W) set pixels of the square of BLEND_PX around each."""
    counts = cv2.boxFilter(mask.view(np.uint8), cv2.CV_8U, (BLEND_PX, BLEND_PX), normalize=False)  # up to 81
    return np.asarray(counts, dtype=np.uint8)


@kernel
def _draw_weights(
    factors: UInt8, on_object: NDArray[np.bool_], own: UInt8, somewhere: UInt8, factor: int, out: Float32
) -> None:
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            if factors[y, x] == 0:
                out[y, x] = np.float32(0)
            elif on_object[y, x]:
                out[y, x] = np.float32(factors[y, x] == factor)
            else:
                out[y, x] = np.float32(own[y, x]) / np.float32(somewhere[y, x])
