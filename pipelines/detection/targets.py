"""Boxes as the maps that the network learns: a peak at each centre, and the distances to the edges around it.

The peaks are those of Liu et al., "Training-Time-Friendly Network for Real-Time Object Detection" (AAAI 2020): a
Gaussian as wide as the box, of which a part teaches the edges, with a weight by the logarithm of the box's area.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipelines.detection.network import STRIDE_PX

__all__ = ["Targets", "make_targets"]

Float32 = NDArray[np.float32]

_SPREAD: Final = 0.54 / 6  # standard deviation of a peak as a share of the box's side, of the paper
_LEAST_SPREAD_PX: Final = 1.6
_TEACHES: Final = 0.2  # of a peak's height, from which on a cell learns the edges
_LEAST_SHARE: Final = 0.3  # of a box inside of the window, from which on it is learned
_LEAST_HEIGHT_PX: Final = 4.0


@dataclass(frozen=True, eq=False)
class Targets:
    """What the network should say of one window of (h, w) cells."""

    centres: Float32
    """(classes, h, w) 1 at a centre, falling to 0 around it."""
    counted: Float32
    """(classes, h, w) 0 where nothing is known, so that neither a find nor its absence is wrong; else 1."""
    edges: Float32
    """(4, h, w) distances to the left, top, right and bottom edge, pixels."""
    edge_weight: Float32
    """(h, w) how much a cell's edges count; 0 far from centres."""


def make_targets(
    boxes_px: Float32, classes: NDArray[np.int64], size_px: tuple[int, int], labelled: NDArray[np.bool_]
) -> Targets:
    """Targets of one window.

    Args:
        boxes_px: (N, 4) left, top, right, bottom in the window's pixels; they may reach out of it.
        classes: (N,) class of each; -1 for a region in which nothing is known.
        size_px: Width and height of the window.
        labelled: (classes,) which classes are labelled in this image at all.
    """
    width, height = size_px[0] // STRIDE_PX, size_px[1] // STRIDE_PX
    centres = np.zeros((len(labelled), height, width), np.float32)
    counted = np.repeat(labelled.astype(np.float32), height * width).reshape(centres.shape)
    edges, weight = np.zeros((4, height, width), np.float32), np.zeros((height, width), np.float32)
    xs, ys = (np.arange(width) + 0.5) * STRIDE_PX, (np.arange(height) + 0.5) * STRIDE_PX
    inside = boxes_px.copy()
    inside[:, 0::2] = inside[:, 0::2].clip(0, size_px[0])
    inside[:, 1::2] = inside[:, 1::2].clip(0, size_px[1])
    learned = (classes >= 0) & _is_learned(boxes_px, inside)
    for box in inside[~learned]:
        _leave_out(counted, box)
    for box, kind in zip(inside[learned], classes[learned], strict=True):
        peak = _peak(box, xs, ys)
        row, column = np.unravel_index(np.argmax(peak), peak.shape)
        peak[row, column] = 1.0
        centres[kind] = np.maximum(centres[kind], peak)
        counted[kind, row, column] = labelled[kind]
    # The smaller of two boxes over one cell is in front, or else would never be learned: it comes last.
    for box in _largest_first(inside[learned]):
        peak = _peak(box, xs, ys)
        near = peak > _TEACHES
        if near.any():
            area = float(np.prod(box[2:] - box[:2]))
            weight[near] = peak[near] / peak[near].sum() * np.log1p(area) / 5
            edges[:, near] = _distances(box, xs, ys)[:, near]
    return Targets(centres, counted, edges, weight)


def _is_learned(boxes_px: Float32, inside_px: Float32) -> NDArray[np.bool_]:
    """Which boxes are seen enough to be learned."""
    full, seen = (np.maximum(boxes[:, 2:] - boxes[:, :2], 0) for boxes in (boxes_px, inside_px))
    enough = seen.prod(1) >= _LEAST_SHARE * full.prod(1)
    return np.asarray(enough & (seen[:, 0] > 1) & (seen[:, 1] >= _LEAST_HEIGHT_PX))


def _leave_out(counted: Float32, box: Float32) -> None:
    left, top, right, bottom = np.rint(box / STRIDE_PX).astype(int)
    if box[2] > box[0] and box[3] > box[1]:
        counted[:, top : bottom + 1, left : right + 1] = 0


def _largest_first(boxes: Float32) -> Float32:
    return boxes[np.argsort(-(boxes[:, 2:] - boxes[:, :2]).prod(1), kind="stable")]


def _peak(box: Float32, xs: NDArray[np.float64], ys: NDArray[np.float64]) -> Float32:
    """(h, w) Gaussian around the middle of a box."""
    middle, spread = (box[:2] + box[2:]) / 2, np.maximum((box[2:] - box[:2]) * _SPREAD, _LEAST_SPREAD_PX)
    across, down = (np.exp(-0.5 * ((v - m) / s) ** 2) for v, m, s in zip((xs, ys), middle, spread, strict=True))
    return np.asarray(np.outer(down, across), dtype=np.float32)


def _distances(box: Float32, xs: NDArray[np.float64], ys: NDArray[np.float64]) -> Float32:
    """(4, h, w) from each cell's middle to the edges of a box, pixels."""
    left, top, right, bottom = box
    sides = np.broadcast_arrays((xs - left)[None], (ys - top)[:, None], (right - xs)[None], (bottom - ys)[:, None])
    return np.asarray(np.stack(sides), dtype=np.float32)
