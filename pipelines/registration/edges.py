"""How well the edges of visible and infrared pictures agree.

The measure works across spectra: edges lie in the same places and run in the same directions, but may be bright on
dark in one picture and dark on bright in the other. So each pixel has its gradient's *doubled* angle, which is the
same for both signs, weighted by how strong the gradient is beside the picture's median; the measure is the normalised
correlation of these vectors over the common field of all frames, 1 for equal edges, about 0 for unrelated ones.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

__all__ = ["covered_field", "edge_score", "edges", "similarity_of_edges", "warp"]

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

_BLUR_PX: Final = 1.0  # of the gradients; noise of a small detector is finer
_LEAST_OVERLAP: Final = 0.3  # of the infrared picture; a sliver can correlate by chance


def edges(image: Float32) -> Float32:
    """Doubled-angle gradient of a picture (H, W): (2, H, W), length 0 (flat) to 1 (far stronger than the median)."""
    smooth = cv2.GaussianBlur(image, (0, 0), _BLUR_PX)
    x, y = cv2.Scharr(smooth, cv2.CV_32F, 1, 0), cv2.Scharr(smooth, cv2.CV_32F, 0, 1)
    square = x * x + y * y
    strength = np.sqrt(square)
    # Weighted by m / (m + 2 median): a lamp's rim must not outweigh a whole street.
    weight = strength / (strength + 2 * float(np.median(strength)) + np.float32(1e-6)) / (square + np.float32(1e-12))
    return np.stack([(x * x - y * y) * weight, 2 * x * y * weight])


def similarity_of_edges(visible: Sequence[Float32], infrared: Sequence[Float32], transform: Float64) -> float:
    """Normalised correlation of the edges of all frames over their common field, -1 to 1.

    Args:
        visible: Pictures (H, W) float32.
        infrared: Pictures (h, w) float32.
        transform: (3, 3), a point of the visible picture to the infrared one.
    """
    return edge_score(visible, [edges(image) for image in infrared], transform)


def edge_score(visible: Sequence[Float32], targets: Sequence[Float32], transform: Float64) -> float:
    """The same of infrared pictures whose :func:`edges` are known; below -1 where the fields hardly overlap."""
    height, width = targets[0].shape[1:]
    mask = covered_field(transform, visible[0].shape, (height, width))
    share = float(mask.mean())
    if share < _LEAST_OVERLAP:
        return share - 1.0 - _LEAST_OVERLAP  # below every real score, and rising with the overlap
    both = warped = fixed = 0.0
    for image, target in zip(visible, targets, strict=True):
        moved = edges(warp(image, transform, (height, width))) * mask
        both += float(np.vdot(moved, target))
        warped += float(np.vdot(moved, moved))
        fixed += float(np.vdot(target * mask, target))
    return both / max(math.sqrt(warped * fixed), 1e-12)


def warp(image: npt.NDArray[Any], transform: Float64, shape: tuple[int, ...]) -> npt.NDArray[Any]:
    """A visible picture in the pixels of an infrared one of (H, W)."""
    size = (shape[1], shape[0])
    warped = cv2.warpPerspective(image, transform, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped)


def covered_field(transform: Float64, source: tuple[int, ...], shape: tuple[int, ...]) -> Float32:
    """1 where the visible picture covers the infrared one with room for a gradient, else 0."""
    mask = np.zeros(source[:2], dtype=np.float32)
    mask[2:-2, 2:-2] = 1
    size = (shape[1], shape[0])
    return np.asarray(cv2.warpPerspective(mask, transform, size, flags=cv2.INTER_NEAREST), dtype=np.float32)
