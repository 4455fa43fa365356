"""From a background frame and the passes to what the networks see: the source tensor.

Only the objects are drawn into it: their label colours over the background frame, their thermal segmentation, and
their depth. The street's own zones and depth stay out even where they are known, because for a real background they
are not, and a model must see the same kind of tensor for both.
"""

from __future__ import annotations

import numpy as np
from gan.layout import Sample, build_source, depth_to_inverse
from numpy.typing import NDArray
from renderer.frame import Frame
from renderer.zones import heat_levels

from pipelines.errors import PipelineError

__all__ = ["LABEL_COLOURS", "label_image", "object_depth_m", "segmentation", "source_sample", "source_tensor"]

UInt8 = NDArray[np.uint8]
UInt16 = NDArray[np.uint16]
Float32 = NDArray[np.float32]

LABEL_COLOURS = {"car": (0, 0, 255), "van": (0, 255, 255), "truck": (255, 0, 255), "bus": (255, 255, 0)}
"""Colour of an object in the label image, RGB: corners of the colour cube, far from each other and from every grey."""
FULL_SCALE = 257
"""65535 / 255: 8 bits to the same share of 16 bits."""


def label_image(background: UInt8, frame: Frame) -> UInt8:
    """The background with every object in its label colour.

    Args:
        background: (H, W) grey, at the size of the frame.
        frame: passes.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    if background.shape != frame.instance_id.shape:
        raise PipelineError(f"background is {background.shape}: expected the frame's {frame.instance_id.shape}")
    colours = np.zeros((max((item.id for item in frame.instances), default=0) + 1, 3), dtype=np.uint8)
    for instance in frame.instances:
        colours[instance.id] = LABEL_COLOURS[instance.category]
    picture = np.repeat(background[..., None], 3, axis=2)
    rows, columns = np.nonzero(frame.instance_id)
    picture[rows, columns] = colours[frame.instance_id[rows, columns]]
    return picture


def segmentation(frame: Frame) -> UInt8:
    """Thermal segmentation of the objects, (H, W): 0 none, 1 hot, 2 warm, 3 cold."""
    levels = heat_levels()[frame.zone]
    levels[frame.instance_id == 0] = 0
    return levels


def object_depth_m(frame: Frame) -> Float32:
    """Depth of the objects, (H, W) metres; inf elsewhere."""
    return np.where(frame.instance_id > 0, frame.depth_m, np.float32(np.inf))


def source_tensor(background: UInt8, frame: Frame) -> Float32:
    """The source tensor of a frame, (7, H, W) float32 in [-1, 1]; see :mod:`gan.layout`."""
    return build_source(label_image(background, frame), segmentation(frame), object_depth_m(frame))


def source_sample(
    background: UInt8, frame: Frame, target: UInt16, span_K: tuple[float, float] | None, group: str
) -> Sample:
    """What is stored for training: the source's planes and the infrared image.

    Args:
        background: (H, W) uint8 grey.
        frame: passes.
        target: (H, W) infrared image over the full 16-bit range.
        span_K: apparent temperatures at target 0 and 65535; None where it is display intensity.
        group: frames of one group never stand on both sides of a split.
    """
    return Sample(
        index=frame.index,
        label_image=label_image(background, frame),
        segmentation=segmentation(frame),
        inverse_depth=depth_to_inverse(object_depth_m(frame)),
        target=target,
        instance_id=frame.instance_id,
        span_K=span_K,
        group=group,
    )
