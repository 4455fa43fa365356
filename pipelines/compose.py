"""From a background frame and the passes to what the networks see: the source tensor.

Only the objects are drawn into it: their label colours over the background frame, their thermal segmentation, and
their depth. The street's own zones and depth stay out even where they are known, because for a real background they
are not, and a model must see the same kind of tensor for both.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import cv2
import numpy as np
from gan.layout import Sample, build_source, depth_to_inverse
from numpy.typing import NDArray
from renderer.frame import Frame
from renderer.zones import heat_levels

from pipelines.errors import PipelineError
from pipelines.picture_windows import PictureWindow

__all__ = [
    "LABEL_COLOURS",
    "continued",
    "hidden_background",
    "label_image",
    "object_depth_m",
    "object_edges",
    "segmentation",
    "source_sample",
    "source_tensors",
]

UInt8 = NDArray[np.uint8]
UInt16 = NDArray[np.uint16]
Float32 = NDArray[np.float32]

LABEL_COLOURS = {"car": (0, 0, 255), "van": (0, 255, 255), "truck": (255, 0, 255), "bus": (255, 255, 0)}
"""Colour of an object in the label image, RGB: corners of the colour cube, far from each other and from every grey."""
MOST_HIGH = 1.5
"""Heights of the picture beyond which an object hides no more around it."""
REACH_SHARE, REACH_PX = 0.06, 3
"""An object hides the background as far around it as this share of its height, and at least as many pixels: fitted
models lie within about 5 % of the boxes' height (docs/fit.md)."""
MIDDLE = 128
DEPTH_STEP = 0.08
"""Relative step of depth between neighbours that is an edge: a surface seen at 15 degrees has a tenth of it."""
BEND = 0.5
"""1 - cosine between neighbouring normals that is a full edge: 60 degrees."""
FULL_SCALE = 257
"""65535 / 255: 8 bits to the same share of 16 bits."""


def label_image(background: UInt8, frame: Frame, physics: UInt8 | None = None, hidden: UInt16 | None = None) -> UInt8:
    """The label image of a frame; see :mod:`gan.layout` for the two layouts.

    Args:
        background: (H, W) grey, at the size of the frame.
        frame: passes; with normals, edges within a zone are seen as well.
        physics: (H, W) grey, the picture that physics makes of the frame: gives the layout ``physics``, else ``flat``.
        hidden: (H, W) where it is known already, :func:`hidden_background` of the frame.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    if background.shape != frame.instance_id.shape:
        raise PipelineError(f"background is {background.shape}: expected the frame's {frame.instance_id.shape}")
    reach = hidden_background(frame) if hidden is None else hidden
    if physics is None:
        return _flat(background, frame, reach)
    if physics.shape != background.shape:
        raise PipelineError(f"picture of the physics is {physics.shape}: expected the background's {background.shape}")
    green = np.where(frame.instance_id > 0, np.uint8(255), np.where(reach > 0, np.uint8(MIDDLE), np.uint8(0)))
    return np.stack((physics, green, object_edges(frame)), axis=-1)


def continued(background: UInt8, hidden: NDArray[np.bool_]) -> UInt8:
    """(H, W) the background, and where it is hidden the nearest of it that is not: a frame without its cars."""
    if hidden.all() or not hidden.any():
        return np.full_like(background, MIDDLE) if hidden.all() else background
    _, nearest = cv2.distanceTransformWithLabels(
        hidden.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    value = np.zeros(int(nearest.max()) + 1, dtype=np.uint8)
    value[nearest[~hidden]] = background[~hidden]
    return np.asarray(value[nearest], dtype=np.uint8)


def _flat(background: UInt8, frame: Frame, reach: UInt16) -> UInt8:
    colours = np.zeros((max((item.id for item in frame.instances), default=0) + 1, 3), dtype=np.uint8)
    for instance in frame.instances:
        colours[instance.id] = LABEL_COLOURS[instance.category]
    picture = np.repeat(background[..., None], 3, axis=2)
    rows, columns = np.nonzero(reach)
    picture[rows, columns] = colours[reach[rows, columns]]
    return picture


def hidden_background(frame: Frame) -> UInt16:
    """(H, W) ids of the objects, each grown over the background by :data:`REACH_SHARE` of its height; 0 elsewhere.

    Around a fitted model there may be pixels of the real object, which a network must not see; and what an object does
    to the road beside it can only be painted where the road is hidden.
    """
    grown = frame.instance_id.copy()
    for item in frame.instances:
        if item.box_visible_px is None:
            continue
        left, top, right, bottom = (round(edge) for edge in item.box_visible_px)
        # Of a car beside the camera the box may be a hundred pictures high, and growing takes time by the square.
        high = min(item.box_amodal_px[3] - item.box_amodal_px[1], MOST_HIGH * frame.camera.height)
        reach = max(REACH_PX, round(REACH_SHARE * high))
        rows = slice(max(top - reach, 0), bottom + reach)
        columns = slice(max(left - reach, 0), right + reach)
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
        near = cv2.dilate((frame.instance_id[rows, columns] == item.id).astype(np.uint8), kernel) > 0
        part = grown[rows, columns]
        part[near & (part == 0)] = item.id
    return grown


def object_edges(frame: Frame) -> UInt8:
    """(H, W) edges of the objects: 255 at borders of zones, objects and steps of depth, less where surfaces bend."""
    inside = frame.instance_id > 0
    if not inside.any():
        return np.zeros(inside.shape, np.uint8)
    rows, columns = (np.flatnonzero(inside.any(axis=axis)) for axis in (1, 0))
    window = slice(max(rows[0] - 1, 0), rows[-1] + 2), slice(max(columns[0] - 1, 0), columns[-1] + 2)
    key = frame.instance_id[window].astype(np.int32) * 256 + frame.zone[window]
    inverse = np.float32(1) / frame.depth_m[window]
    strength = np.zeros(key.shape, dtype=np.float32)
    for axis in (0, 1):
        here, there = _pairs(key, axis), _pairs(inverse, axis)
        step = np.abs(there[1] - there[0]) / np.maximum(np.maximum(there[1], there[0]), np.float32(1e-6))
        edge = ((here[0] != here[1]) | (step > DEPTH_STEP)).astype(np.float32)
        if frame.normal is not None:
            first, second = _pairs(frame.normal[window], axis)
            edge = np.maximum(edge, np.minimum((1 - (first * second).sum(axis=-1)) / BEND, 1))
        target = _pairs(strength, axis)[0]
        np.maximum(target, edge, out=target)
    picture = np.zeros(inside.shape, np.uint8)
    picture[window] = np.rint(np.where(inside[window], strength, 0) * 255).astype(np.uint8)
    return picture


def _pairs(values: NDArray[Any], axis: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Each pixel but the last, and its neighbour below (axis 0) or to the right (axis 1)."""
    return (values[:-1], values[1:]) if axis == 0 else (values[:, :-1], values[:, 1:])


def segmentation(frame: Frame) -> UInt8:
    """Thermal segmentation of the objects, (H, W): 0 none, 1 hot, 2 warm, 3 cold."""
    levels = heat_levels()[frame.zone]
    levels[frame.instance_id == 0] = 0
    return levels


def object_depth_m(frame: Frame) -> Float32:
    """Depth of the objects, (H, W) metres; inf elsewhere."""
    return np.where(frame.instance_id > 0, frame.depth_m, np.float32(np.inf))


def source_tensors(
    background: UInt8,
    frame: Frame,
    windows: Sequence[PictureWindow],
    physics: UInt8 | None = None,
    hidden: UInt16 | None = None,
) -> Iterator[Float32]:
    """The source tensor of each window of a frame, (7, h, w) float32 in [-1, 1]; see :func:`label_image`."""
    label, heat, depth_m = label_image(background, frame, physics, hidden), segmentation(frame), object_depth_m(frame)
    for window in windows:
        place = (window.rows, window.columns)
        yield build_source(label[place], heat[place], depth_m[place])


def source_sample(
    background: UInt8,
    frame: Frame,
    target: UInt16,
    span_K: tuple[float, float] | None,
    group: str,
    physics: UInt8 | None = None,
) -> Sample:
    """What is stored for training: the source's planes and the infrared image.

    Args:
        background: (H, W) uint8 grey.
        frame: passes.
        target: (H, W) infrared image over the full 16-bit range.
        span_K: apparent temperatures at target 0 and 65535; None where it is display intensity.
        group: frames of one group never stand on both sides of a split.
        physics: for the layout ``physics``, see :func:`label_image`.
    """
    return Sample(
        index=frame.index,
        label_image=label_image(background, frame, physics),
        segmentation=segmentation(frame),
        inverse_depth=depth_to_inverse(object_depth_m(frame)),
        target=target,
        instance_id=frame.instance_id,
        span_K=span_K,
        group=group,
        layout="flat" if physics is None else "physics",
    )
