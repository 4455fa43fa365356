"""How well a drawn car agrees with a window of a thermal frame.

Four terms: edges of the picture along the silhouette, edges along the borders between parts, the share of the variance
that one level per part explains, and the correlation with a texture of the car's surface.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from renderer.geometry.camera import Camera
from renderer.geometry.frame import Box2D
from renderer.optional import njit

from pipelines.fitting.shapes import BINS, PART_OF_BIN, PARTS

__all__ = ["Agreement", "Window", "agreement", "open_window"]

Array = NDArray[np.float64]

WINDOW_PX = 104
"""The box's longer side in a window."""
MARGIN = 0.22
"""Room around the box, as a share of its longer side."""
BLUR_PX = 1.2
EDGE_CAP = 4.0
"""Gradients count at most this many times the window's mean, so that one hot spot does not decide."""
TOLERANCE = 5
"""Width in pixels in which an edge is sought across a border: 2 px to either side."""


@dataclass(frozen=True, eq=False)
class Window:
    """A box of a frame and its surroundings, resampled."""

    camera: Camera
    image: Array
    """(h, w) mean 0, standard deviation 1."""
    edge_x: Array
    """(h, w) strength of edges between a pixel and its right neighbour, in means of the window."""
    edge_y: Array
    """(h, w) the same to the neighbour below."""
    hidden: NDArray[np.bool_]
    """(h, w) outside the frame, or behind a nearer object."""
    box: tuple[int, int, int, int]
    """The box in the window: left, top, right, bottom."""


@dataclass(frozen=True, eq=False)
class Agreement:
    """Terms of the score."""

    silhouette: float
    parts: float
    levels: float
    """Share of the variance that one level per part explains, 0-1."""
    texture: float
    """Correlation with the texture, -1 to 1."""
    area_px: int
    bin_sum: Array
    bin_count: Array


def open_window(image: NDArray[np.uint8], box: Box2D, nearer: Sequence[Box2D], camera: Camera) -> Window:
    """The window around a box; ``camera`` has its principal row at the horizon."""
    left, top, right, bottom = box
    side = max(right - left, bottom - top)
    scale, margin = WINDOW_PX / side, MARGIN * side
    x, y = left - margin, top - margin
    width, height = int((right - left + 2 * margin) * scale), int((bottom - top + 2 * margin) * scale)
    # Pixel centres are at integer + 0.5 with us, at integers in OpenCV.
    shift = 0.5 * scale - 0.5
    matrix = np.array([[scale, 0, shift - x * scale], [0, scale, shift - y * scale]])
    grey = image.astype(np.float32)
    smooth = cv2.GaussianBlur(grey, (0, 0), 0.45 / scale) if scale < 1 else grey
    pixels = cv2.warpAffine(smooth, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    inside = cv2.warpAffine(np.ones_like(grey), matrix, (width, height), flags=cv2.INTER_NEAREST)
    hidden = inside < 0.5
    for other in nearer:
        a, b, c, d = (round((v - o) * scale) for v, o in zip(other, (x, y, x, y), strict=True))
        hidden[max(b, 0) : max(d, 0), max(a, 0) : max(c, 0)] = True
    a, b, c, d = (int((v - o) * scale) for v, o in zip(box, (x, y, x, y), strict=True))
    view = Camera(
        camera.name, width, height, camera.fx * scale, camera.fy * scale,
        (camera.cx - x) * scale, (camera.cy - y) * scale, camera.height_m,
    )  # fmt: skip
    return Window(view, *_edges(pixels), hidden, (a, b, c, d))


def _edges(pixels: NDArray[Any]) -> tuple[Array, Array, Array]:
    smooth = cv2.GaussianBlur(pixels, (0, 0), BLUR_PX)
    edge_x = np.abs(np.diff(smooth, axis=1, append=smooth[:, -1:]))
    edge_y = np.abs(np.diff(smooth, axis=0, append=smooth[-1:]))
    mean = (edge_x.mean() + edge_y.mean()) / 2 + 1e-6
    edge_x = cv2.dilate(edge_x, np.ones((1, TOLERANCE), np.uint8))
    edge_y = cv2.dilate(edge_y, np.ones((TOLERANCE, 1), np.uint8))
    normal = (smooth - smooth.mean()) / (smooth.std() + 1e-6)
    capped = [np.minimum(edge / mean, EDGE_CAP).astype(np.float64) for edge in (edge_x, edge_y)]
    return normal.astype(np.float64), capped[0], capped[1]


def agreement(window: Window, bins: NDArray[np.uint8], texture: Array) -> Agreement:
    """Agreement of a drawing with a window.

    Args:
        window: the picture.
        bins: (h, w) bin of the car at each pixel, 0 outside it.
        texture: (BINS,) expected level of each bin, in any unit.
    """
    bin_sum, bin_count = np.zeros(BINS), np.zeros(BINS)
    silhouette, parts, levels, correlation, area = _agree(
        bins, PART_OF_BIN, len(PARTS), window.image, window.edge_x, window.edge_y, window.hidden,
        np.array(window.box), texture, bin_sum, bin_count,
    )  # fmt: skip
    return Agreement(silhouette, parts, levels, correlation, int(area), bin_sum, bin_count)


@njit(cache=True, nogil=True)
def _around(row: Any, column: Any, box: Any) -> Any:
    """Number of the piece of the background: below, above, left or right of the car."""
    if row >= box[3]:
        return 0
    if row < (box[1] + box[3]) // 2:
        return 1
    return 2 if column < (box[0] + box[2]) // 2 else 3


@njit(cache=True, nogil=True)
def _agree(
    bins: Any, part_of: Any, parts: Any, image: Any, edge_x: Any, edge_y: Any, hidden: Any, box: Any, texture: Any,
    bin_sum: Any, bin_count: Any,
) -> Any:  # fmt: skip
    """One pass over the window; fills the sums by bin."""
    rows, columns = bins.shape
    pieces = np.zeros((parts + 4, 3))
    edge = np.zeros((2, 2))
    t1 = t2 = tv = v1 = v2 = n = 0.0
    for r in range(rows):
        for c in range(columns):
            if hidden[r, c]:
                continue
            here, value = bins[r, c], image[r, c]
            part = part_of[here]
            if here:
                level = texture[here]
                n += 1
                t1 += level
                t2 += level * level
                tv += level * value
                v1 += value
                v2 += value * value
                bin_sum[here] += value
                bin_count[here] += 1
            piece = part if here else parts + _around(r, c, box)
            pieces[piece, 0] += 1
            pieces[piece, 1] += value
            pieces[piece, 2] += value * value
            for d in range(2):
                rr, cc = r + d, c + 1 - d
                if rr < rows and cc < columns and not hidden[rr, cc]:
                    other = part_of[bins[rr, cc]]
                    if other != part:
                        kind = 0 if other == 0 or part == 0 else 1
                        edge[kind, 0] += edge_y[r, c] if d else edge_x[r, c]
                        edge[kind, 1] += 1
    total, sums, squares = 0.0, 0.0, 0.0
    within = 0.0
    for k in range(parts + 4):
        if pieces[k, 0] > 0:
            total += pieces[k, 0]
            sums += pieces[k, 1]
            squares += pieces[k, 2]
            within += pieces[k, 2] - pieces[k, 1] ** 2 / pieces[k, 0]
    spread = squares - sums * sums / max(total, 1.0)
    m = max(n, 1.0)
    product = (v2 - v1 * v1 / m) * (t2 - t1 * t1 / m)
    correlation = (tv - t1 * v1 / m) / np.sqrt(product) if product > 1e-9 else 0.0
    return (
        edge[0, 0] / max(edge[0, 1], 1.0), edge[1, 0] / max(edge[1, 1], 1.0),
        1.0 - within / max(spread, 1e-9), correlation, n,
    )  # fmt: skip
