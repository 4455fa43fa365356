"""The compiled loops of the measure; see :mod:`pipelines.dataset.label_consistency.measure`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from renderer.optional import njit

__all__ = ["bound_boxes", "chosen_points", "clear_edges", "edge_strength", "explained_variance"]

UInt8 = NDArray[np.uint8]
UInt16 = NDArray[np.uint16]
Float32 = NDArray[np.float32]
Int32 = NDArray[np.int32]


@njit(cache=True, nogil=True)
def bound_boxes(instance_id: UInt16, edges: Int32) -> None:
    """Boxes (top, left, bottom, right) of all ids at once."""
    for y in range(instance_id.shape[0]):
        for x in range(instance_id.shape[1]):
            number = instance_id[y, x]
            if number:
                box = edges[number]
                box[0], box[1] = min(box[0], y), min(box[1], x)
                box[2], box[3] = max(box[2], y + 1), max(box[3], x + 1)


@njit(cache=True, nogil=True)
def edge_strength(
    gx: Float32, gy: Float32, points: Int32, normals: Float32, level: float, reach: int, step: int, out: Float32
) -> None:
    """Mean edge strength along the outline at every shift: gradient / (gradient + level), strongest within 1 px."""
    share = np.float32(1.0 / len(points))
    for k in range(len(points)):
        ny, nx = normals[k, 0], normals[k, 1]
        off_y, off_x = int(np.rint(ny)), int(np.rint(nx))
        for i in range(out.shape[0]):
            y = points[k, 0] + i * step - reach
            for j in range(out.shape[1]):
                x = points[k, 1] + j * step - reach
                here = abs(gx[y, x] * nx + gy[y, x] * ny)
                there = abs(gx[y + off_y, x + off_x] * nx + gy[y + off_y, x + off_x] * ny)
                back = abs(gx[y - off_y, x - off_x] * nx + gy[y - off_y, x - off_x] * ny)
                best = max(here, there, back)
                out[i, j] += share * best / (best + level)


@njit(cache=True, nogil=True)
def clear_edges(gx: Float32, gy: Float32, points: Int32, normals: Float32, level: float, tolerance: int) -> float:
    """Share of the outline's points with a gradient above the level within the tolerance."""
    count = 0
    for k in range(len(points)):
        ny, nx = normals[k, 0], normals[k, 1]
        for t in range(-tolerance, tolerance + 1):
            y, x = points[k, 0] + int(np.rint(t * ny)), points[k, 1] + int(np.rint(t * nx))
            if abs(gx[y, x] * nx + gy[y, x] * ny) > level:
                count += 1
                break
    return count / len(points)


@njit(cache=True, nogil=True)
def explained_variance(
    soft: Float32, points: Int32, label: UInt8, shifts: Int32, noise: float, out: NDArray[np.float64]
) -> None:
    """Share of the variance that one level per label explains, at every shift."""
    for s in range(len(shifts)):
        count, total, square = np.zeros(256), np.zeros(256), 0.0
        for k in range(len(points)):
            value = soft[points[k, 0] + shifts[s, 0], points[k, 1] + shifts[s, 1]]
            count[label[k]] += 1.0
            total[label[k]] += value
            square += value * value
        between = 0.0
        for z in range(256):
            if count[z] > 0.0:
                between += total[z] * total[z] / count[z]
        middle = total.sum() * total.sum() / count.sum()
        out[s] = (between - middle) / (square - middle + noise * count.sum())


@njit(cache=True, nogil=True)
def chosen_points(label: UInt8, none: int, region: tuple[int, int, int, int], most: int) -> Int32:
    """At most ``most`` of the places with a label in a region, in the order of rows, evenly spread.

    Args:
        label: (H, W), of which ``none`` says that there is none.
        none: see there.
        region: top, left, bottom, right.
        most: of the places.

    Returns:
        (N, 2) y, x.
    """
    top, left, bottom, right = region
    count = 0
    for y in range(top, bottom):
        for x in range(left, right):
            if label[y, x] != none:
                count += 1
    taken = min(count, most)
    points = np.empty((taken, 2), dtype=np.int32)
    step = (count - 1) / (taken - 1) if taken > 1 else 0.0
    at, k = 0, 0
    for y in range(top, bottom):
        for x in range(left, right):
            if label[y, x] != none:
                # As np.linspace(0, count - 1, taken) has it, whose last value is count - 1 whatever was rounded.
                if k < taken and at == (count - 1 if k == taken - 1 and taken > 1 else int(k * step)):
                    points[k, 0], points[k, 1] = y, x
                    k += 1
                at += 1
    return points
