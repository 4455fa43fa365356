"""Outlines of masks as polygons along the edges of pixels."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pipelines.export.job import ExportFrame, ExportObject

__all__ = ["joined", "mask_rings", "object_rings"]

Ring = NDArray[np.float64]
"""(N, 2) corners, columns and rows in pixels; the last is joined to the first."""


def object_rings(frame: ExportFrame, item: ExportObject) -> list[Ring]:
    """Outer rings of an object, the largest first: of its mask, or its box where it has none."""
    left, top, right, bottom = item.box_px
    rings: list[Ring] = []
    if item.instance is not None:
        x, y = max(0, int(left)), max(0, int(top))
        window = frame.mask[y : int(bottom), x : int(right)] == item.instance.id
        rings = [ring + np.array([x, y], np.float64) for ring in mask_rings(window)] if window.any() else []
    return rings or [np.array([(left, top), (right, top), (right, bottom), (left, bottom)], np.float64)]


def mask_rings(mask: NDArray[np.bool_]) -> list[Ring]:
    """Outer rings of a mask, the largest first; holes are filled.

    Contours pass through centres of pixels. In the mask at twice its size the pixels 2 c and 2 c + 1 stand for column
    c, so that halves, rounded up, are the edges c and c + 1.

    Args:
        mask: (H, W) bool.
    """
    doubled = mask.repeat(2, axis=0).repeat(2, axis=1).astype(np.uint8)
    contours, _ = cv2.findContours(doubled, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    rings = [_corners((np.asarray(contour).reshape(-1, 2) + 1) // 2) for contour in contours]
    return sorted(rings, key=lambda ring: -abs(_area(ring)))


def _corners(points: NDArray[np.int64]) -> Ring:
    """A ring without points that repeat or lie on a line with their neighbours."""
    points = points[np.any(points != np.roll(points, 1, axis=0), axis=1)]
    before, after = points - np.roll(points, 1, axis=0), np.roll(points, -1, axis=0) - points
    turns = before[:, 0] * after[:, 1] != before[:, 1] * after[:, 0]
    return np.asarray(points[turns], np.float64)


def _area(ring: Ring) -> float:
    x, y = ring.T
    return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2


def joined(rings: list[Ring]) -> Ring:
    """One ring of several, joined by lines there and back between the corners that are nearest."""
    whole, *rest = rings
    for ring in rest:
        distances = np.linalg.norm(whole[:, None] - ring[None], axis=2)
        here, there = np.unravel_index(int(distances.argmin()), distances.shape)
        tour = np.concatenate([ring[there:], ring[: there + 1]])
        whole = np.concatenate([whole[: here + 1], tour, whole[here:]])
    return whole
