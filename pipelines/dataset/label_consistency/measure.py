"""Label error: does a picture still show its objects where the masks say?

Physics draws an object exactly where its mask is. A network that redraws it may move it, smear it or leave it out, and
then the labels are wrong although every file agrees with every other. :func:`measure_label_error` looks at the picture
alone:

- *edges*: along the outline of a mask, across it, there should be edges; along the same outline shifted elsewhere,
  fewer. Where the object has the level of what is behind it no place is better than another, which counts neither way.
- *zones*: one level per thermal zone (and one for the rim around the object) should explain more of the picture than
  the same zones shifted.
- *lost*, against the background before objects were put in: pixels of the mask that still show it.
- *invented*, against the same background: hot patches away from every mask.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pipelines.dataset.label_consistency.invented import invented_px
from pipelines.dataset.label_consistency.loops import (
    REACH_PX,
    STEP_PX,
    bound_boxes,
    fill_gradients,
    look_at_object,
)
from pipelines.dataset.label_consistency.outline import PAD_PX, ROOM_PX, Box, ObjectOutline
from pipelines.dataset.record import LabelError, ObjectLabelError
from pipelines.errors import PipelineError

__all__ = ["ATTEMPTS", "compile_loops", "measure_label_error"]

UInt8 = NDArray[np.uint8]
UInt16 = NDArray[np.uint16]
Float32 = NDArray[np.float32]
Int32 = NDArray[np.int32]

ATTEMPTS = 3
"""How often a frame is drawn that may be rejected: with a tenth of the frames above the limit, one in 1000 stays so."""
MIN_SIDE_PX = 20
"""Least height and width of what is measured. In a smaller object a shift of 8 px is half the object, and its outline
has too few points to tell."""
MIN_OUTLINE = 20
"""Least outline in pixels that is seen, as most of it can lie on the picture's border."""
FAR_PX = 6.0
"""Shifts from here on are elsewhere: three times the tolerance."""
TOLERANCE_PX = 2
"""An edge within this distance is the outline's: models fitted to real cars lie as close (docs/how-to/fit.md)."""
BLUR_PX = 0.8
"""Blur before gradients are taken: about the edge spread of real sensors."""
NOISE = np.float32(0.5 / 255)
"""Gradient per pixel and deviation that no 8-bit picture can show."""
WEIGHTS = (-7.75, -12.95, -5.8, -14.3)
BIAS = 16.3
"""Log odds that an outline lies elsewhere, by edge contrast, edge peak, edge share and zone contrast: logistic
regression on masks as they are against masks moved by 8 px or taken from another frame; physics frames and real frames
with fitted cars at equal weight (docs/models/metrics.md)."""
POWER = 3.0
"""Exponent of the mean over a frame's objects: between the mean (1), in which one lost car of six is hardly seen, and
the worst (infinite), which is that of the hardest object to see."""
TAILS = (0.005, 0.995)
"""Share of 16-bit pixels at the ends that may saturate: few hot pixels must not take the contrast of all others."""
SAME = np.float32(4 / 255)
"""A pixel that differs by less still shows the background: rounding, resampling and noise differ by as much."""
HALF_PX = 200
"""Pixels of invented patches that make an error of a half: about a car of 20 x 10 px, the smallest that is measured."""
UNCHANGED = 0.5
"""Share of an object's pixels that may happen to have the background's level."""
_BLUR = cv2.getGaussianKernel(5, BLUR_PX).ravel().astype(np.float32)
_STEPS = 2 * (REACH_PX // STEP_PX) + 1
_DISTANCE_PX = np.hypot(*np.mgrid[-REACH_PX : REACH_PX + 1 : STEP_PX, -REACH_PX : REACH_PX + 1 : STEP_PX])
_FAR = _DISTANCE_PX >= FAR_PX


def _compass(*radii_px: int) -> Int32:
    """(1 + 8 N, 2) no shift, then eight directions of each length."""
    around = [
        (radius * math.sin(k * math.pi / 4), radius * math.cos(k * math.pi / 4))
        for radius in radii_px
        for k in range(8)
    ]
    return np.asarray(np.rint(np.array([(0.0, 0.0), *around])), dtype=np.int32)


_SHIFTS = _compass(4, 8, 16)


def measure_label_error(
    image: UInt8 | UInt16, instance_id: UInt16, zone: UInt8, background: UInt8 | UInt16 | None = None
) -> LabelError:
    """Measures how far a picture shows its objects where the masks say.

    Args:
        image: (H, W) uint8 or uint16 over the full range, white hot.
        instance_id: (H, W) mask, 0 for all that is no object.
        zone: (H, W) thermal zones (:class:`renderer.zones.catalogue.Zone`).
        background: (H, W) the picture before the objects were put in, its full range that of ``image``.

    Raises:
        PipelineError: sizes or types differ.
    """
    _check(image, instance_id, zone, background)
    level, behind = _levels(image, background)
    boxes = _boxes(instance_id)
    invented = None if behind is None else invented_px(level, behind, instance_id, boxes)
    unchanged = None if behind is None else np.abs(level - behind) < SAME
    large = ((number, box) for number, box in boxes if min(_sides(box)) >= MIN_SIDE_PX)
    outlines = [ObjectOutline.of(number, box, instance_id, zone) for number, box in large]
    seen = [item for item in outlines if len(item.outline) >= MIN_OUTLINE]
    gradients = _Gradients.of(level, [item.box for item in seen])
    objects = tuple(_measure(item, gradients, _lost(item, instance_id, unchanged)) for item in seen)
    return LabelError(_frame_score(objects, invented), invented, objects)


def compile_loops() -> None:
    """Has the loops compiled, the last one first: whoever measures meanwhile begins with the others."""
    side = 2 * MIN_SIDE_PX
    mask = np.zeros((2 * side, 2 * side), dtype=np.uint16)
    mask[:side, :side] = 1
    points = np.zeros((MIN_OUTLINE, 2), dtype=np.int32)
    label = np.zeros(MIN_OUTLINE, dtype=np.uint8)
    box = (0, 0, side, side)
    item = ObjectOutline(1, box, side * side, points, np.ones((MIN_OUTLINE, 2), dtype=np.float32), points, label)
    _measure(item, _Gradients.of(np.zeros(mask.shape, dtype=np.float32), [box]), None)
    measure_label_error(mask.astype(np.uint8), mask, mask.astype(np.uint8))


def _check(image: Any, instance_id: Any, zone: Any, background: Any) -> None:
    for name, plane, types in (
        ("image", image, (np.uint8, np.uint16)),
        ("mask", instance_id, (np.uint16,)),
        ("zones", zone, (np.uint8,)),
        ("background", image if background is None else background, (np.uint8, np.uint16)),
    ):
        if plane.shape != instance_id.shape or plane.ndim != 2 or plane.dtype not in types:
            expected = " or ".join(np.dtype(kind).name for kind in types)
            raise PipelineError(
                f"label error: {name} is {plane.dtype} {plane.shape}: "
                f"expected {expected} of the mask's {instance_id.shape}"
            )


def _levels(image: UInt8 | UInt16, background: UInt8 | UInt16 | None) -> tuple[Float32, Float32 | None]:
    """Image and background, 0-1: 8 bits as they are shown, of 16 bits what the image makes use of."""
    low, high = 0.0, 1.0
    if image.dtype == np.uint16:
        low, high = np.quantile(image[::4, ::4], TAILS) / 65535
        low, high = float(low), max(float(high), float(low) + 1 / 255)

    def levels(plane: UInt8 | UInt16) -> Float32:
        part = np.multiply(plane, np.float32(1 / np.iinfo(plane.dtype).max), dtype=np.float32)
        if (low, high) == (0.0, 1.0):
            return np.asarray(part)
        return np.asarray(np.clip((part - np.float32(low)) * np.float32(1 / (high - low)), 0, 1))

    return levels(image), None if background is None else levels(background)


def _boxes(instance_id: UInt16) -> list[tuple[int, Box]]:
    """Ids and tight boxes of the objects, by ascending id."""
    edges = np.zeros((int(instance_id.max()) + 1, 4), dtype=np.int32)
    edges[:, :2] = np.iinfo(np.int32).max
    bound_boxes(instance_id, edges)
    return [(number, tuple(edges[number].tolist())) for number in (np.flatnonzero(edges[1:, 2]) + 1).tolist()]


def _sides(box: Box) -> tuple[int, int]:
    return box[2] - box[0], box[3] - box[1]


# --- one object -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Gradients:
    """The picture, padded by :data:`PAD_PX` with its own border, and its gradients; filled around objects alone."""

    soft: Float32
    """Slightly blurred, 0-1."""
    across: Float32
    """Gradient along x, per pixel."""
    down: Float32
    """Gradient along y, per pixel."""
    size: Float32
    """Length of the gradient, per pixel."""

    @classmethod
    def of(cls, level: Float32, boxes: Sequence[Box]) -> _Gradients:
        """All that is looked at of the objects in these boxes."""
        shape = (level.shape[0] + 2 * PAD_PX, level.shape[1] + 2 * PAD_PX)
        planes = cls(*(np.empty(shape, dtype=np.float32) for _ in range(4)))
        if boxes:
            around = [_around(box) for box in boxes]
            top, left = (min(one[side] for one in around) for side in (0, 1))
            bottom, right = (max(one[side] for one in around) for side in (2, 3))
            part = (top, left, bottom, right)
            fill_gradients(level, PAD_PX, part, _BLUR, planes.soft, planes.across, planes.down, planes.size)
        return planes


def _around(box: Box) -> Box:
    """What is looked at around an object, in the padded picture."""
    near, far = PAD_PX - ROOM_PX, PAD_PX + ROOM_PX
    return box[0] + near, box[1] + near, box[2] + far, box[3] + far


def _lost(item: ObjectOutline, instance_id: UInt16, unchanged: NDArray[np.bool_] | None) -> float | None:
    """How far an object is not there, 0-1; ``unchanged`` are the pixels that still show the background."""
    if unchanged is None:
        return None
    top, left, bottom, right = item.box
    inside = instance_id[top:bottom, left:right] == item.id
    share = float(unchanged[top:bottom, left:right][inside].mean())
    return max(0.0, (share - UNCHANGED) / (1.0 - UNCHANGED))


def _mean(values: NDArray[Any]) -> float:
    """Numpy's own takes three times as long for the few values here."""
    return float(values.sum()) / values.size


def _measure(item: ObjectOutline, field: _Gradients, lost: float | None) -> ObjectLabelError:
    """One object."""
    top, left, bottom, right = _around(item.box)
    level = np.float32(max(_mean(field.size[top:bottom, left:right]), float(NOISE)))
    strength = np.empty((_STEPS, _STEPS), dtype=np.float32)
    explained = np.empty(len(_SHIFTS))
    clear = look_at_object(
        field.soft, field.across, field.down, (item.outline, item.normal), (item.points, item.label), level,
        TOLERANCE_PX, _SHIFTS, float(NOISE) ** 2, strength, explained, PAD_PX,
    )  # fmt: skip
    here = float(strength[_STEPS // 2, _STEPS // 2])
    contrast = here - _mean(strength[_FAR])
    peak = here / max(float(strength.max()), 1e-6)
    zones = float(explained[0]) - _mean(explained[1:])
    odds = BIAS + sum(weight * value for weight, value in zip(WEIGHTS, (contrast, peak, clear, zones), strict=True))
    moved = 1.0 / (1.0 + math.exp(-max(-50.0, min(50.0, odds))))
    offset = float(_DISTANCE_PX.flat[int(strength.argmax())])
    score = 1.0 - (1.0 - moved) * (1.0 - (lost or 0.0))
    return ObjectLabelError(item.id, score, item.pixels, offset, contrast, peak, float(clear), zones, lost)


def _frame_score(objects: tuple[ObjectLabelError, ...], invented: int | None) -> float | None:
    """One number for the frame; larger objects count more, by their diameter."""
    if not objects and invented is None:
        return None
    weight = sum(math.sqrt(item.pixels) for item in objects)
    total = sum(math.sqrt(item.pixels) * item.score**POWER for item in objects)
    moved = (total / weight) ** (1.0 / POWER) if objects else 0.0
    extra = (invented or 0) / ((invented or 0) + HALF_PX)
    return 1.0 - (1.0 - moved) * (1.0 - extra)
