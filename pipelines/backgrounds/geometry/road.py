"""The road in a picture: free ground where a car may stand, up to the first thing that stands on it.

Each column is followed upward from ground near the camera. It stays road while it looks like the road before the
camera does: like the middle of its own row, and without a strong edge. What is behind the first thing that interrupts
it does not count, so nothing is put behind a person, a car or a kerb that the picture shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from gan.data.images import list_images
from numpy.typing import NDArray
from renderer.geometry.camera import Camera

from pipelines.errors import BackgroundError
from pipelines.io.images import PictureError, decode_luminance, read_bytes

__all__ = ["Road", "RoadPlane", "estimate_road", "read_road_mask"]

UInt8 = NDArray[np.uint8]
Bool = NDArray[np.bool_]
Float32 = NDArray[np.float32]

WORKING_WIDTH_PX = 160
"""Pictures are looked at with this many columns: kerbs and feet are seen, grain and cracks are not."""
NEAR_M, FAR_M = 5.5, 60.0
"""Ground between these distances is looked at: nearer there is the bonnet, farther a row is metres deep."""
MIDDLE_M = 1.6
"""Half the width of what is taken for the road ahead: the camera car stands in a lane."""
TOLERANCE_GREY = 13.0
"""Least difference of grey, out of 255, that ends the road: tyre tracks and shadows of a road differ by less."""
TOLERANCE_SHARE = 0.17
"""The same as a share of the picture's contrast (5th to 95th percentile)."""
EDGE_SHARE = 0.08
"""Step between neighbouring rows, as a share of the contrast, that ends the road."""
MIN_FREE_M2 = 18.0
"""Less free ground than two cars take up is no road."""
MIN_MIDDLE_SHARE = 0.35
"""Share of the ground ahead that must look alike for it to be a road at all."""
MIN_DIFFERENCE = 0.35
"""Least ratio of the texture above the horizon to that of the road, in logarithms (see :func:`_plainness`)."""
MARGIN_PX = 1
FLAT_M = 0.15
"""Where boxes tell what stands on the road, marks on it (lines, covers, paving) of less than this height in the picture
do not end it: people and cars are higher, kerbs lower, but the pavement behind them rarely looks like the road."""


@dataclass(frozen=True)
class Road:
    """Free ground of a picture."""

    free: Bool
    """(H, W), True where a wheel may stand."""
    confidence: float
    """0: none found, to 1: given."""
    source: str
    """What it was read from, and why there is none, in words."""


@dataclass(frozen=True)
class RoadPlane:
    """Where the road lies in a picture."""

    camera: Camera
    horizon_px: float
    height_m: float
    """Of the camera above the road."""
    column_px: float
    """Column in which the road vanishes."""
    street_known: bool
    """Whether it is known that there is a street; else the picture must show that its ground is plain."""
    slope: float = 0.0
    """Rows by which the horizon falls per column to the right."""


def estimate_road(image: UInt8, plane: RoadPlane, taken: Bool) -> Road:
    """Free road of a picture.

    Args:
        image: (H, W) uint8 grey.
        plane: of its road.
        taken: (H, W), pixels of things known to stand there.

    Returns:
        the road; ``confidence`` 0 and no free pixel where the picture shows none.
    """
    camera, horizon_px, column_px = plane.camera, plane.horizon_px, plane.column_px
    scale = min(1.0, WORKING_WIDTH_PX / camera.width)
    small = _small(_level(image, plane), scale)
    occupied = _level(taken.astype(np.uint8), plane)
    horizon, column = horizon_px * scale, column_px * scale
    focal_x, focal_y = camera.fx * scale, camera.fy * scale
    depth = focal_y * plane.height_m / np.maximum(np.arange(len(small)) + 0.5 - horizon, 1e-3)
    rows = np.flatnonzero((np.arange(len(small)) > horizon) & (depth < FAR_M) & (depth > NEAR_M))
    if len(rows) < 4:
        return _none(image, "no ground between 5 and 60 m in the picture")
    # From above, each row's own middle; as far from the vanishing column as the camera is beside the lane's middle.
    at = np.arange(small.shape[1]) + 0.5
    half = MIDDLE_M * focal_x / depth
    centre = column + (small.shape[1] / 2 - column) * (np.arange(len(small)) - horizon) / (len(small) - horizon)
    middle = np.abs(at[None] - centre[:, None]) <= np.maximum(half[:, None], 1.5)
    busy = cv2.resize(occupied, small.shape[::-1], interpolation=cv2.INTER_NEAREST) > 0
    if (middle & ~busy)[rows].any():
        middle &= ~busy
    low, high = np.percentile(small, (5, 95))
    contrast = max(float(high - low), 1.0)
    alike = _alike(small, middle, rows, contrast) & ~busy
    share = float(alike[rows][middle[rows]].mean())
    if share < MIN_MIDDLE_SHARE:
        return _none(image, f"only {share:.0%} of the ground ahead looks like one surface")
    plain = 1.0 if plane.street_known else _plainness(small, middle, rows, horizon)
    if plain < MIN_DIFFERENCE:
        return _none(image, f"the ground ahead is as structured as what is above the horizon ({plain:.2f})")
    flat = FLAT_M * focal_y / depth if plane.street_known else np.zeros(len(small))
    free = _connected(_columns_free(alike, rows, np.where(busy, 0.0, flat[:, None])), middle)
    area = _area_m2(free, rows, depth, focal_x)
    if area < MIN_FREE_M2:
        return _none(image, f"only {area:.0f} m2 of free ground")
    # Rows nearer than the first are the road's too: a car whose rear stands there is cut by the picture's edge.
    free[rows[-1] + 1 :] = free[rows[-1]]
    level = cv2.resize(free.astype(np.uint8), (camera.width, camera.height), interpolation=cv2.INTER_NEAREST)
    whole = _level(level, plane, back=True) > 0
    confidence = min(0.9, share) * min(1.0, 0.5 + plain / 2)
    return Road(np.asarray(whole), round(float(confidence), 3), "estimated from the picture")


def read_road_mask(path: Path, name: str, window: tuple[int, int, int, int], width: int, height: int) -> Road:
    """A given mask of the road, cropped like its picture: every pixel above 0 is free.

    Args:
        path: a mask for all pictures, or a folder with one per picture, named like it (any image suffix).
        name: of the picture's file.
        window: crop of the picture, ``(left, top, right, bottom)``.
        width: of the resized window.
        height: of the resized window.

    Raises:
        BackgroundError: no mask for the picture, or one that is too small for it.
    """
    file = path
    if path.is_dir():
        masks = [item for item in list_images(path) if item.stem == Path(name).stem]
        if not masks:
            raise BackgroundError(f"{path} holds no road mask for {name}: expected {Path(name).stem}.png")
        file = masks[0]
    try:
        mask = decode_luminance(read_bytes(file))
    except PictureError as error:
        raise BackgroundError(f"{file}: cannot be read: {error}; expected a road mask of the size of {name}") from None
    left, top, right, bottom = window
    if mask.shape[0] < bottom or mask.shape[1] < right:
        size = f"{mask.shape[1]}x{mask.shape[0]} pixels"
        raise BackgroundError(f"{file}: {size}: expected a road mask of the size of {name}")
    cut = cv2.resize((mask[top:bottom, left:right] > 0).astype(np.uint8), (width, height), interpolation=0)
    return Road(np.asarray(cut > 0), 1.0 if cut.any() else 0.0, "given mask" if cut.any() else "given mask is empty")


def _none(image: UInt8, why: str) -> Road:
    return Road(np.zeros(image.shape, dtype=np.bool_), 0.0, f"no free road found: {why}")


def _level(image: UInt8, plane: RoadPlane, *, back: bool = False) -> UInt8:
    """The picture with its columns moved so that the horizon is level, or moved back."""
    if plane.slope == 0.0:
        return image
    slope = -plane.slope if back else plane.slope
    matrix = np.array([[1.0, 0.0, 0.0], [slope, 1.0, -slope * plane.camera.cx]])
    flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    moved = cv2.warpAffine(image, matrix, image.shape[::-1], flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, dtype=np.uint8)


def _small(image: UInt8, scale: float) -> Float32:
    height, width = image.shape
    size = max(8, round(width * scale)), max(8, round(height * scale))
    shrunk = cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    return np.asarray(cv2.medianBlur(shrunk, 3), dtype=np.float32)


def _alike(small: Float32, middle: Bool, rows: NDArray[np.intp], contrast: float) -> Bool:
    """Pixels that look like the road: near the median grey of their row's middle, smoothed over the rows."""
    greys = np.array([np.median(small[row][middle[row]]) if middle[row].any() else np.nan for row in rows])
    greys = np.where(np.isnan(greys), np.nanmedian(greys), greys)
    wide = max(3, len(rows) // 3 | 1)
    padded = np.pad(greys, wide // 2, mode="edge")
    smooth = np.median(np.lib.stride_tricks.sliding_window_view(padded, wide), axis=1)
    tolerance = max(TOLERANCE_GREY, TOLERANCE_SHARE * contrast)
    alike = np.zeros(small.shape, dtype=np.bool_)
    step = np.abs(np.gradient(small, axis=0))
    alike[rows] = (np.abs(small[rows] - smooth[:, None]) < tolerance) & (step[rows] < max(EDGE_SHARE * contrast, 5.0))
    return alike


def _plainness(small: Float32, middle: Bool, rows: NDArray[np.intp], horizon: float) -> float:
    """How much plainer the ground ahead is than what is around the horizon: ratio of gradients, natural logarithm."""
    gradient = np.hypot(np.gradient(small, axis=0), np.gradient(small, axis=1))
    reach = max(4, len(small) // 8)
    top = int(np.clip(horizon - reach, 0, len(small) - 2))
    above = gradient[top : max(top + 2, int(min(horizon + 2, len(small))))]
    return float(np.log((np.mean(above) + 0.5) / (np.mean(gradient[rows][middle[rows]]) + 0.5)))


def _columns_free(alike: Bool, rows: NDArray[np.intp], flat_px: NDArray[np.float64]) -> Bool:
    """Rows of each column from the nearest up to the first that is not road; specks of one pixel do not count.

    Args:
        alike: pixels that look like the road.
        rows: of the ground, downward.
        flat_px: (H, W) rows that may look different, one after the other, without ending the road.
    """
    closed = cv2.morphologyEx(alike.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8)) > 0
    free = np.zeros(alike.shape, dtype=np.bool_)
    different = np.zeros(alike.shape[1])
    open_ = np.ones(alike.shape[1], dtype=np.bool_)
    for row in rows[::-1]:
        different = np.where(closed[row], 0.0, different + 1.0)
        open_ &= different <= flat_px[row]
        free[row] = open_
    return np.asarray(cv2.erode(free.astype(np.uint8), np.ones((1, 2 * MARGIN_PX + 1), np.uint8)) > 0)


def _connected(free: Bool, middle: Bool) -> Bool:
    """The part of the free ground that hangs together with the road ahead."""
    count, labels = cv2.connectedComponents(free.astype(np.uint8), connectivity=4)
    if count < 2:
        return np.zeros_like(free)
    sizes = np.bincount(labels[middle & free], minlength=count)
    sizes[0] = 0
    return np.asarray(free & (labels == int(np.argmax(sizes)))) if sizes.any() else np.zeros_like(free)


def _area_m2(free: Bool, rows: NDArray[np.intp], depth: NDArray[np.float64], focal_x: float) -> float:
    """Ground that the free pixels cover."""
    length = np.abs(np.gradient(depth[rows]))
    near = depth[rows] < 40.0  # farther rows are metres deep, and their area is guesswork
    return float((free[rows].sum(axis=1) * depth[rows] / focal_x * length)[near].sum())
