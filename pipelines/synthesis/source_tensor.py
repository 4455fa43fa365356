"""From a background frame and the passes to what the networks see: the source tensor.

Only the objects are drawn into it: their label colours over the background frame, their thermal segmentation, and
their depth. The street's own zones and depth stay out even where they are known, because for a real background they
are not, and a model must see the same kind of tensor for both.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from gan.data.layout import CHANNELS, NEAR_M, Sample, build_source, depth_to_inverse
from numpy.typing import NDArray
from renderer.geometry.frame import Frame
from renderer.optional import kernel
from renderer.zones.catalogue import heat_levels

from pipelines.errors import PipelineError
from pipelines.synthesis.windows import Box, PictureWindow, grown

__all__ = [
    "LABEL_COLOURS",
    "dilate_objects",
    "fill_background",
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

LABEL_COLOURS = {
    "car": (0, 0, 255), "van": (0, 255, 255), "truck": (255, 0, 255), "bus": (255, 255, 0), "person": (255, 0, 0),
    "bicycle": (0, 255, 0), "motorcycle": (128, 0, 255), "dog": (255, 128, 0), "deer": (128, 255, 0),
    "scooter": (0, 128, 255), "stroller": (0, 255, 128), "cat": (255, 128, 128), "boar": (160, 80, 40),
    "tram": (128, 128, 255), "traffic_light": (255, 0, 128), "traffic_sign": (128, 255, 128),
    "hydrant": (128, 0, 0), "street_lamp": (0, 0, 128), "trailer": (128, 0, 128),
}  # fmt: skip
"""Colour of an object in the label image, RGB: far from each other and from every grey."""
MOST_HIGH = 1.5
"""Heights of the picture beyond which the mask of an object is dilated no further."""
REACH_SHARE, REACH_PX = 0.06, 3
"""The mask of an object is dilated by this share of its height, and at least by as many pixels: fitted models lie
within about 5 % of the boxes' height (docs/how-to/fit.md)."""
MIDDLE = 128
_DEPTH_STEP = np.float32(0.08)
"""Relative step of depth between neighbours that is an edge: a surface seen at 15 degrees has a tenth of it."""
_BEND = np.float32(0.5)
"""1 - cosine between neighbouring normals that is a full edge: 60 degrees."""
FULL_SCALE = 257
"""65535 / 255: 8 bits to the same share of 16 bits."""
_NEAREST, _OF_INVERSE = np.float32(NEAR_M * 65535), np.float32(2 / 65535)
"""Inverse depth to 16 bits, and those to 2: see `gan.data.layout.depth_to_inverse` and `planes_to_source`."""


def _signed_levels() -> Float32:
    """(256,) what a source tensor holds of 8 bits."""
    levels = np.arange(256, dtype=np.uint8)[None]
    nothing = np.zeros_like(levels)
    source = build_source(np.stack((levels,) * 3, axis=-1), nothing, np.full(levels.shape, np.inf, np.float32))
    return np.ascontiguousarray(source[0, 0])


_SIGNED = _signed_levels()
_AROUND = _SIGNED[MIDDLE]
_HEAT = heat_levels()


def label_image(background: UInt8, frame: Frame, physics: UInt8 | None = None, objects: UInt16 | None = None) -> UInt8:
    """The label image of a frame; see :mod:`gan.data.layout` for the two layouts.

    Args:
        background: (H, W) grey, at the size of the frame.
        frame: passes; with normals, edges within a zone are seen as well.
        physics: (H, W) grey, the picture that physics makes of the frame: gives the layout ``physics``, else ``flat``.
        objects: (H, W) :func:`dilate_objects` of the frame, where it is known already.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    if background.shape != frame.instance_id.shape:
        raise PipelineError(f"background is {background.shape}: expected the frame's {frame.instance_id.shape}")
    dilated = dilate_objects(frame) if objects is None else objects
    if physics is None:
        return _flat(background, frame, dilated)
    if physics.shape != background.shape:
        raise PipelineError(f"picture of the physics is {physics.shape}: expected the background's {background.shape}")
    green = np.where(frame.instance_id > 0, np.uint8(255), np.where(dilated > 0, np.uint8(MIDDLE), np.uint8(0)))
    return np.stack((physics, green, object_edges(frame)), axis=-1)


def fill_background(background: UInt8, mask: NDArray[np.bool_]) -> UInt8:
    """(H, W) the background, and within the mask the nearest of it outside: a frame without its cars."""
    if mask.all() or not mask.any():
        return np.full_like(background, MIDDLE) if mask.all() else background
    _, nearest = cv2.distanceTransformWithLabels(
        mask.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    value = np.zeros(int(nearest.max()) + 1, dtype=np.uint8)
    value[nearest[~mask]] = background[~mask]
    return np.asarray(value[nearest], dtype=np.uint8)


def _flat(background: UInt8, frame: Frame, dilated: UInt16) -> UInt8:
    colours = _colours(frame)
    picture = np.repeat(background[..., None], 3, axis=2)
    rows, columns = np.nonzero(dilated)
    picture[rows, columns] = colours[dilated[rows, columns]]
    return picture


def _colours(frame: Frame) -> UInt8:
    """Label colours by id, (n, 3)."""
    colours = np.zeros((max((item.id for item in frame.instances), default=0) + 1, 3), dtype=np.uint8)
    for instance in frame.instances:
        colours[instance.id] = LABEL_COLOURS[instance.category]
    return colours


def dilate_objects(frame: Frame) -> UInt16:
    """(H, W) ids of the objects, each dilated over the background by :data:`REACH_SHARE` of its height; 0 elsewhere.

    Around a fitted model there may be pixels of the real object, which a network must not see; and what an object does
    to the road beside it can only be painted where the road is masked.
    """
    dilated = frame.instance_id.copy()
    size = frame.instance_id.shape
    for item in frame.instances:
        if item.box_visible_px is None:
            continue
        left, top, right, bottom = (round(edge) for edge in item.box_visible_px)
        # Of a car beside the camera the box may be a hundred pictures high, and growing takes time by the square.
        high = min(item.box_amodal_px[3] - item.box_amodal_px[1], MOST_HIGH * frame.camera.height)
        reach = max(REACH_PX, round(REACH_SHARE * high))
        box = grown((top, left, bottom, right), reach, size)
        _dilate(frame.instance_id, item.id, box, _half_widths(reach), dilated)
    return dilated


@functools.cache
def _half_widths(reach: int) -> UInt16:
    """(2 reach + 1,) how far OpenCV's ellipse reaches to the sides, row by row."""
    ellipse = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return np.asarray((ellipse.sum(axis=1) - 1) // 2, dtype=np.uint16)


@kernel
def _dilate(ids: UInt16, item: int, box: Box, half_widths: UInt16, out: UInt16) -> None:
    """Dilates one object within a box over what is 0: where one of the rows near has it within its half width.

    Distances along rows take the place of a kernel's squares of pixels: time by its height, not by its area.
    """
    top, left, bottom, right = box
    far = np.uint16(65535)
    away = np.empty((bottom - top, right - left), np.uint16)
    for y in range(bottom - top):
        last = far
        for x in range(right - left):
            last = np.uint16(0) if ids[top + y, left + x] == item else (last + np.uint16(1) if last < far else far)
            away[y, x] = last
        last = far
        for x in range(right - left - 1, -1, -1):
            last = np.uint16(0) if away[y, x] == 0 else (last + np.uint16(1) if last < far else far)
            away[y, x] = min(away[y, x], last)
    reach = half_widths.shape[0] // 2
    near = np.empty(right - left, np.uint16)
    for y in range(bottom - top):
        near[:] = 0
        for row in range(max(y - reach, 0), min(y + reach + 1, bottom - top)):
            widest, line = half_widths[row - y + reach], away[row]
            for x in range(right - left):
                near[x] |= np.uint16(line[x] <= widest)
        for x in range(right - left):
            if near[x] and out[top + y, left + x] == 0:
                out[top + y, left + x] = item


def object_edges(frame: Frame) -> UInt8:
    """(H, W) edges of the objects: 255 at borders of zones, objects and steps of depth, less where surfaces bend."""
    normal = np.zeros((0, 0, 3), np.float32) if frame.normal is None else frame.normal
    picture = np.zeros(frame.instance_id.shape, np.uint8)
    _draw_edges(frame.instance_id, frame.zone, frame.depth_m, normal, picture)
    return picture


@kernel
def _draw_edges(ids: UInt16, zone: UInt8, depth_m: Float32, normal: Float32, out: UInt8) -> None:
    """Each pixel of an object against its neighbours below and to the right."""
    height, width = ids.shape
    for y in range(height):
        below = min(y + 1, height - 1)
        for x in range(width):
            if ids[y, x]:
                out[y, x] = _edge(ids, zone, depth_m, normal, y, x, below, min(x + 1, width - 1))


@kernel
def _edge(
    ids: UInt16, zone: UInt8, depth_m: Float32, normal: Float32, y: int, x: int, below: int, beside: int
) -> np.uint8:
    """How much of an edge lies between a pixel and those below and beside it, 0 to 255; itself stands for none."""
    one, strength = np.float32(1), np.float32(0)
    for b, a in ((below, x), (y, beside)):
        if ids[y, x] != ids[b, a] or zone[y, x] != zone[b, a]:
            return np.uint8(255)
        here, there = one / depth_m[y, x], one / depth_m[b, a]
        if abs(there - here) / max(here, there, np.float32(1e-6)) > _DEPTH_STEP:
            return np.uint8(255)
        if normal.shape[0] and (b > y or a > x):
            along = normal[y, x, 0] * normal[b, a, 0] + normal[y, x, 1] * normal[b, a, 1]
            along += normal[y, x, 2] * normal[b, a, 2]
            strength = max(strength, min((one - along) / _BEND, one))
    return np.uint8(np.rint(strength * np.float32(255)))


def segmentation(frame: Frame) -> UInt8:
    """Thermal segmentation of the objects, (H, W): 0 none, 1 hot, 2 warm, 3 cold."""
    levels = heat_levels().take(frame.zone)
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
    objects: UInt16 | None = None,
    factor: int = 1,
) -> Iterator[Float32]:
    """The source tensor of each window of a frame, as `gan.data.layout.build_source` makes it of :func:`label_image`.

    A frame is shown at a smaller size by one sample of its passes for each square of pixels, and depths that grow: the
    network was shown what is enlarged as that much nearer (`gan.data.windows`). It is made in one go for each window,
    without the planes between.

    Args:
        background: (h, w) grey at the size that is shown.
        frame: passes (H, W).
        windows: of what is shown.
        physics: (h, w) likewise, see :func:`label_image`.
        objects: (H, W) :func:`dilate_objects` of the frame, where it is known already.
        factor: by how much the frame is shrunk, h = ceil(H / factor).

    Yields:
        (7, h, w) float32 in [-1, 1].
    """
    dilated = dilate_objects(frame) if objects is None else objects
    normal = np.zeros((0, 0, 3), np.float32) if frame.normal is None else frame.normal
    planes = frame.instance_id, dilated, frame.zone, frame.depth_m, normal
    picture = background if physics is None else physics
    colours = _SIGNED.take(_colours(frame)) if physics is None else np.zeros((0, 3), np.float32)
    for window in windows:
        shown = picture[window.rows, window.columns]
        source = np.empty((len(CHANNELS), *shown.shape), np.float32)
        cv2.LUT(shown, _SIGNED, dst=source[0])
        source[1:] = -1  # what most of a picture has in these channels
        if physics is None:
            source[1:3] = source[0]
        _draw_objects(*planes, colours, _HEAT, (window.rows.start, window.columns.start), factor, source)
        yield source


@kernel
def _draw_objects(
    ids: UInt16, dilated: UInt16, zone: UInt8, depth_m: Float32, normal: Float32, colours: Float32, heat: UInt8,
    corner: tuple[int, int], factor: int, out: Float32,
) -> None:  # fmt: skip
    """What a source tensor shows of the objects and of the ground close to them; (0, 3) colours: layout `physics`."""
    one, last_row, last_column = np.float32(1), ids.shape[0] - 1, ids.shape[1] - 1
    for y in range(out.shape[1]):
        row = min((corner[0] + y) * factor + factor // 2, last_row)
        # Squares of pixels that the border cuts have a last sample of their own; behind it there is none.
        below = min(row + factor, last_row) if (corner[0] + y + 1) * factor <= last_row else row
        for x in range(out.shape[2]):
            column = min((corner[1] + x) * factor + factor // 2, last_column)
            item = dilated[row, column]
            if item == 0:
                continue
            inside = ids[row, column] != 0
            if colours.shape[0]:
                for channel in range(3):
                    out[channel, y, x] = colours[item, channel]
            else:
                out[1, y, x] = one if inside else _AROUND
            if not inside:
                continue
            level = heat[zone[row, column]]
            if level > 0:
                out[2 + level, y, x] = one
            out[6, y, x] = _signed_inverse(depth_m[row, column] * np.float32(factor))
            if colours.shape[0] == 0:
                beside = min(column + factor, last_column) if (corner[1] + x + 1) * factor <= last_column else column
                out[2, y, x] = _SIGNED[_edge(ids, zone, depth_m, normal, row, column, below, beside)]


@kernel
def _signed_inverse(depth_m: np.float32) -> np.float32:
    """What a source tensor holds of a depth; not a number where that is none, so that it is refused."""
    one, near = np.float32(1), np.float32(NEAR_M)
    away = near if depth_m < near else depth_m
    return min(np.rint(_NEAREST / away) * _OF_INVERSE - one, one)


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
