"""What a trained detector finds in an image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from pipelines.detection.augmentation import resized
from pipelines.detection.network import STRIDE_PX, DetectionNetwork, FrozenLayers

__all__ = ["Detections", "find_objects"]

_LIMIT: Final = 100
"""Finds of one image, as COCO counts them."""
_LEAST_SCORE: Final = 0.02
_OVERLAP: Final = 0.6
"""IoU with a better find of the same class from which on a find is its double."""


@dataclass(frozen=True, eq=False)
class Detections:
    """Finds of one image, best first."""

    boxes_px: NDArray[np.float32]
    """(N, 4) left, top, right, bottom."""
    scores: NDArray[np.float32]
    """(N,) 0 to 1."""
    classes: NDArray[np.int64]


@torch.inference_mode()
def find_objects(
    layers: FrozenLayers | None, network: DetectionNetwork, image: NDArray[np.uint8], input_width_px: int
) -> Detections:
    """Boxes in an image.

    Args:
        layers: The low layers; None where the network has its own.
        network: A trained one.
        image: (H, W) grey.
        input_width_px: Width that it is brought to.
    """
    window, scale = resized(image, input_width_px)
    given = torch.from_numpy(window)[None, None].contiguous(memory_format=torch.channels_last)
    logits, edges = network(given if layers is None else layers(given))
    chance = torch.sigmoid(logits[0])
    chance = chance * (
        functional.max_pool2d(chance[None], 3, 1, 1)[0] == chance
    )  # a centre is higher than its neighbours
    scores, places = chance.flatten().topk(min(_LIMIT, chance.numel()))
    scores, places = scores[scores > _LEAST_SCORE], places[scores > _LEAST_SCORE]
    cells = chance.shape[1] * chance.shape[2]
    boxes = _boxes(edges[0], places % cells) / scale
    height, width = image.shape
    boxes[:, 0::2] = boxes[:, 0::2].clip(0, width)
    boxes[:, 1::2] = boxes[:, 1::2].clip(0, height)
    return _without_doubles(Detections(boxes, scores.numpy(), (places // cells).numpy()))


def _boxes(edges: Tensor, cells: Tensor) -> NDArray[np.float32]:
    """(N, 4) boxes that some cells tell of, pixels of the network's input."""
    left, top, right, bottom = edges.flatten(1)[:, cells]
    x, y = ((index + 0.5) * STRIDE_PX for index in (cells % edges.shape[2], cells // edges.shape[2]))
    return np.asarray(torch.stack([x - left, y - top, x + right, y + bottom], 1).numpy(), dtype=np.float32)


def _without_doubles(found: Detections) -> Detections:
    kept: list[int] = []
    for number in range(len(found.scores)):
        same = [other for other in kept if found.classes[other] == found.classes[number]]
        if not same or _overlaps(found.boxes_px[number], found.boxes_px[same]).max() < _OVERLAP:
            kept.append(number)
    return Detections(found.boxes_px[kept], found.scores[kept], found.classes[kept])


def _overlaps(box: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    """IoU of a box with others."""
    sides = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
    shared = sides.clip(min=0).prod(1)
    areas = (others[:, 2:] - others[:, :2]).prod(1) + (box[2:] - box[:2]).prod()
    return np.asarray(shared / np.maximum(areas - shared, 1e-9), dtype=np.float32)
