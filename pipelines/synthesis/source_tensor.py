"""From a background frame and the passes to what the networks see: the source tensor.

Only the objects are drawn into it: their label colours over the background frame, their thermal segmentation, and
their depth. The street's own zones and depth stay out even where they are known, because for a real background they
are not, and a model must see the same kind of tensor for both.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from gan.data.layout import Sample, build_source, depth_to_inverse
from numpy.typing import NDArray
from renderer.geometry.frame import Frame
from renderer.optional import njit
from renderer.zones.catalogue import heat_levels

from pipelines.errors import PipelineError
from pipelines.synthesis.windows import PictureWindow

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
    colours = np.zeros((max((item.id for item in frame.instances), default=0) + 1, 3), dtype=np.uint8)
    for instance in frame.instances:
        colours[instance.id] = LABEL_COLOURS[instance.category]
    picture = np.repeat(background[..., None], 3, axis=2)
    rows, columns = np.nonzero(dilated)
    picture[rows, columns] = colours[dilated[rows, columns]]
    return picture


def dilate_objects(frame: Frame) -> UInt16:
    """(H, W) ids of the objects, each dilated over the background by :data:`REACH_SHARE` of its height; 0 elsewhere.

    Around a fitted model there may be pixels of the real object, which a network must not see; and what an object does
    to the road beside it can only be painted where the road is masked.
    """
    dilated = frame.instance_id.copy()
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
        part = dilated[rows, columns]
        part[near & (part == 0)] = item.id
    return dilated


def object_edges(frame: Frame) -> UInt8:
    """(H, W) edges of the objects: 255 at borders of zones, objects and steps of depth, less where surfaces bend."""
    normal = np.zeros((0, 0, 3), np.float32) if frame.normal is None else frame.normal
    picture = np.zeros(frame.instance_id.shape, np.uint8)
    _draw_edges(frame.instance_id, frame.zone, frame.depth_m, normal, picture)
    return picture


@njit(cache=True, nogil=True)
def _draw_edges(ids: UInt16, zone: UInt8, depth_m: Float32, normal: Float32, out: UInt8) -> None:
    """Each pixel of an object against its neighbours below and to the right."""
    one, tiny = np.float32(1), np.float32(1e-6)
    for y in range(ids.shape[0]):
        for x in range(ids.shape[1]):
            if ids[y, x] == 0:
                continue
            strength = np.float32(0)
            for b, a in ((y + 1, x), (y, x + 1)):
                if b == ids.shape[0] or a == ids.shape[1]:
                    continue
                here, beside = one / depth_m[y, x], one / depth_m[b, a]
                step = abs(beside - here) / max(here, beside, tiny)
                if ids[y, x] != ids[b, a] or zone[y, x] != zone[b, a] or step > _DEPTH_STEP:
                    strength = one
                elif normal.shape[0]:
                    along = normal[y, x, 0] * normal[b, a, 0] + normal[y, x, 1] * normal[b, a, 1]
                    along += normal[y, x, 2] * normal[b, a, 2]
                    strength = max(strength, min((one - along) / _BEND, one))
            out[y, x] = np.uint8(np.rint(strength * np.float32(255)))


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
) -> Iterator[Float32]:
    """The source tensor of each window of a frame, (7, h, w) float32 in [-1, 1]; see :func:`label_image`."""
    label, heat, depth_m = label_image(background, frame, physics, objects), segmentation(frame), object_depth_m(frame)
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
