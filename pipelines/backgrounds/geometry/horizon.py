"""Row of the horizon and height of the camera, from boxes of known things, or from the lines of the road.

A thing of height ``S`` that stands on the plane below a camera at height ``H`` is ``S / H`` times as high in pixels as
its ground contact is below the horizon, wherever it stands. With ``b`` the row of its ground contact, ``x`` its column
from the middle and ``h`` the height of the box, ``h = S / H * (b - row - slope * x)``: three unknowns, and one equation
per box. Streets are cambered and cars lean, so the horizon has a slope. What is known beforehand of the three enters as
three more equations, so that one box, or boxes all at one distance, give an answer too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from renderer.geometry.camera import Camera

from pipelines.backgrounds.geometry.boxes import KnownBox

__all__ = ["Horizon", "VanishingPoint", "horizon_from_boxes", "vanishing_point"]

UInt8 = NDArray[np.uint8]
Array = NDArray[np.float64]

HEIGHT_M = {"car": 1.52, "person": 1.70}
"""Height of passenger cars (mean of KITTI's training labels: 1.53 m) and of adults on foot."""
SIZE_STD = {"car": 0.10, "person": 0.09}
"""Spread of these heights as a share: saloons to off-road cars; adults and half-grown children, walking."""
ROW_STD_PX_SHARE = 0.003
"""Error of a box's edge, as a share of the picture's height: 1.5 px of 512."""
EDGE_PX_SHARE = 0.006
"""A box that comes this near to the picture's edge may be cut by it."""
MIN_BOX_PX_SHARE = 0.022
"""Lower boxes are mostly error: 11 px of 512."""
CAMERA_HEIGHT_M, CAMERA_HEIGHT_STD_M = 1.48, 0.4
"""Cameras on cars stand from the bonnet's height to above the roof: KITTI's at 1.65 m, FLIR ADAS's, by boxes of cars
and people of 119 training frames of RoadScene, at 1.48 m (median; from frame to frame it seems to change by 0.3 m,
because streets are not flat)."""
ROLL_STD_RAD = 0.03
"""Camber of streets and lean of cars: slopes of 119 training frames of RoadScene spread by 0.021 with this prior."""
PITCH_STD_DEG = 3.0
"""How far the optical axis of a camera that someone mounted or held level is off, before anything is known."""
STREET_CONFIDENCE = 0.5
"""From here on boxes say that there is a street."""
LEVEL_STD_RAD = 1e-5
ROUNDS = 10
CAUCHY = 1.5
"""Standard errors from which on a box loses weight."""
FLOOR_PX_SHARE = 0.008
"""Least height in pixels that is predicted while the fit goes on: boxes above the horizon are not on the road."""
HEIGHT_RANGE_M = (0.5, 6.0)
"""Beyond, the boxes contradict a camera on a street."""

# Lines of the road.
MIN_LINE_SHARE = 0.05
"""Shortest line that counts, as a share of the picture's width."""
STEEP = (0.12, 6.0)
"""Slope of a line (rows per column) that can run along the road: flatter ones cross it, steeper ones are poles."""
ANGLE_STD_RAD = 0.03
GRID_PX_SHARE = 0.01
MAX_YAW_DEG = 18.0
"""Beyond, the camera looks across the road rather than along it."""
MIN_VOTES_SHARE, MIN_SIDE_SHARE = 0.8, 0.1
"""Least length of the lines that meet, in widths of the picture, and least share of it on either side of the point."""
EVIDENT_LINES_SHARE = 0.45
"""Share of the lines' length that meets in the vanishing point of an evident road."""


@dataclass(frozen=True)
class Horizon:
    """Where the plane of the road ends, and how high above it the camera is."""

    row_px: float
    """In the column of the optical axis."""
    height_m: float
    source: str
    """What it was read from, in words."""
    confidence: float
    """0 (assumed) to 1 (given)."""
    row_std_px: float
    """Standard error of the row by its own reckoning."""
    street_known: bool = False
    """Whether boxes or options say that there is a street, so that the picture need not prove it."""
    slope: float = 0.0
    """Rows by which it falls per column to the right: the tangent of the camera's roll against the road."""

    def row_at(self, column_px: float, camera: Camera) -> float:
        """Its row in another column."""
        return self.row_px + self.slope * (column_px - camera.cx)


@dataclass(frozen=True)
class VanishingPoint:
    """Where the lines of the road meet."""

    column_px: float
    row_px: float
    confidence: float
    """0 to 1: share of the lines that meet there, against that of an evident road."""


def horizon_from_boxes(
    boxes: Sequence[KnownBox],
    camera: Camera,
    *,
    row_px: tuple[float, float] | None = None,
    height_m: tuple[float, float] = (CAMERA_HEIGHT_M, CAMERA_HEIGHT_STD_M),
    level: bool = False,
) -> Horizon | None:
    """Horizon and camera height that fit the boxes best; robust against some that do not stand on the road.

    Args:
        boxes: in the camera's pixels; those at the picture's edge do not count, those outside it do.
        camera: of the picture.
        row_px: what is known of the horizon's row: mean and standard deviation; None takes the camera's pitch.
        height_m: the same of the camera's height.
        level: whether the horizon is to have no slope.

    Returns:
        the fit; None without a box that counts.
    """
    usable = [box for box in boxes if _counts(box, camera)]
    if not usable:
        return None
    prior = _Prior(row_px or level_row(camera), height_m, LEVEL_STD_RAD if level else ROLL_STD_RAD)
    data = np.array([_measures(box, camera) for box in usable])
    unknowns, std, share = _robust_fit(data, prior, camera.height)
    row, slope, height = float(unknowns[0]), float(unknowns[1]), 1.0 / float(unknowns[2])
    confidence = share * min(1.0, 0.02 * camera.height / max(std, 1e-6)) * min(1.0, 0.55 + 0.15 * len(usable))
    source = f"{len(usable)} boxes of cars or people" if len(usable) > 1 else f"1 box of a {usable[0].kind}"
    return Horizon(
        row, height, source, round(float(min(confidence, 0.95)), 3), std, confidence > STREET_CONFIDENCE, slope
    )


def level_row(camera: Camera) -> tuple[float, float]:
    """Row of the horizon by the camera's pitch, and its standard deviation, pixels."""
    row = camera.cy - camera.fy * math.tan(math.radians(camera.pitch_deg))
    return row, camera.fy * math.tan(math.radians(PITCH_STD_DEG))


def _counts(box: KnownBox, camera: Camera) -> bool:
    left, top, right, bottom = box.box_px
    edge = EDGE_PX_SHARE * camera.height
    whole = bottom < camera.height - edge and top > edge
    # People are whole more often than the wide boxes of cars that stand side on or hide each other.
    slim = box.kind == "car" and (bottom - top) > 0.33 * (right - left)
    return box.kind in HEIGHT_M and whole and (slim or box.kind == "person") and (
        bottom - top >= MIN_BOX_PX_SHARE * camera.height
    )  # fmt: skip


@dataclass(frozen=True)
class _Prior:
    """What is known before any box: mean and standard deviation."""

    row_px: tuple[float, float]
    height_m: tuple[float, float]
    roll_std_rad: float

    @property
    def means(self) -> Array:
        """Row, slope and one over the height."""
        return np.array([self.row_px[0], 0.0, 1.0 / self.height_m[0]])

    @property
    def stds(self) -> Array:
        """Their standard deviations."""
        return np.array([self.row_px[1], self.roll_std_rad, self.height_m[1] / self.height_m[0] ** 2])


def _measures(box: KnownBox, camera: Camera) -> tuple[float, float, float, float, float]:
    """Row of the ground contact, column from the middle, height in pixels and in metres, and its spread as a share."""
    left, top, right, bottom = box.box_px
    return bottom, (left + right) / 2 - camera.cx, bottom - top, HEIGHT_M[box.kind], SIZE_STD[box.kind]


def _robust_fit(data: Array, prior: _Prior, rows: int) -> tuple[Array, float, float]:
    """Gauss-Newton with Cauchy's weights on the boxes.

    Heights are predicted from ground contacts and not the other way round, because it is the heights that are
    uncertain.

    Returns:
        row, slope and one over the camera's height; standard error of the row; share of the boxes that fit.
    """
    contact, column, seen, size, spread = data.T
    pixel = ROW_STD_PX_SHARE * rows
    means, stds = prior.means, prior.stds
    unknowns = means.copy()
    for _ in range(ROUNDS):
        row, slope, per_metre = unknowns
        below = contact - row - slope * column
        predicted = np.maximum(size * per_metre * below, FLOOR_PX_SHARE * rows)
        errors = np.sqrt(pixel**2 * (1.0 + (size * per_metre) ** 2) + (spread * predicted) ** 2)
        off = (seen - size * per_metre * below) / errors
        scale = 1.0 / np.hypot(1.0, off / CAUCHY)
        gradient = np.column_stack([-size * per_metre, -size * per_metre * column, size * below])
        design = np.vstack([gradient * (scale / errors)[:, None], np.diag(1.0 / stds)])
        step = np.linalg.lstsq(design, np.concatenate([off * scale, (means - unknowns) / stds]), rcond=None)[0]
        unknowns = unknowns + step
        unknowns[2] = np.clip(unknowns[2], 1.0 / HEIGHT_RANGE_M[1], 1.0 / HEIGHT_RANGE_M[0])
    covariance = np.linalg.inv(design.T @ design)
    return unknowns, float(math.sqrt(covariance[0, 0])), float((np.abs(off) < 2.0).mean())


def vanishing_point(
    image: UInt8, camera: Camera, *, row_px: tuple[float, float] | None = None
) -> VanishingPoint | None:
    """Point in which most of the lines below the horizon meet.

    Args:
        image: (H, W) uint8 grey.
        camera: of the picture.
        row_px: what is known of the horizon's row: mean and standard deviation; None takes the camera's pitch.

    Returns:
        the point; None where there are too few lines.
    """
    known_row = row_px or level_row(camera)
    lines = _lines(image, known_row[0])
    if len(lines) < 4:
        return None
    reach = camera.fx * math.tan(math.radians(MAX_YAW_DEG))
    step = max(2.0, GRID_PX_SHARE * camera.width)
    columns = np.arange(camera.cx - reach, camera.cx + reach + 1, step)
    spread = 2.0 * known_row[1]
    rows = np.arange(known_row[0] - spread, known_row[0] + spread + 1, min(step, max(spread / 2, 1.0)))
    middle = (lines[:, :2] + lines[:, 2:]) / 2
    along = lines[:, 2:] - lines[:, :2]
    length = np.hypot(*along.T)
    to_x = columns[None, :, None] - middle[:, 0]
    to_y = rows[:, None, None] - middle[:, 1]
    sine = np.abs(to_x * along[:, 1] - to_y * along[:, 0]) / (np.hypot(to_x, to_y) * length + 1e-9)
    # Only lines that begin below the point run towards it.
    each = np.exp(-0.5 * (sine / ANGLE_STD_RAD) ** 2) * length * (to_y < 0)
    votes = each.sum(axis=2)
    prior = np.exp(-0.5 * ((rows - known_row[0]) / known_row[1]) ** 2)[:, None]
    best = np.unravel_index(int(np.argmax(votes * prior)), votes.shape)
    left = float(each[best][to_x[0, best[1]] > 0].sum() / max(votes[best], 1e-9))
    if votes[best] < MIN_VOTES_SHARE * camera.width or not MIN_SIDE_SHARE < left < 1.0 - MIN_SIDE_SHARE:
        return None
    share = float(votes[best] / length.sum())
    return VanishingPoint(
        float(columns[best[1]]), float(rows[best[0]]), round(min(1.0, share / EVIDENT_LINES_SHARE), 3)
    )


def _lines(image: UInt8, horizon_px: float) -> Array:
    """Straight lines on the ground that may run along the road, (N, 4) ``x1, y1, x2, y2`` pixels."""
    height, width = image.shape
    top = int(np.clip(horizon_px, 0, height - 8))
    ground = cv2.GaussianBlur(np.ascontiguousarray(image[top:]), (0, 0), max(0.8, width / 500))
    detector = cv2.createLineSegmentDetector(cv2.LSD_REFINE_STD)
    segments = detector.detect(ground)[0]
    if segments is None:
        return np.zeros((0, 4))
    lines = segments.reshape(-1, 4).astype(np.float64)
    lines[:, [1, 3]] += top
    run, rise = np.abs(lines[:, 2] - lines[:, 0]), np.abs(lines[:, 3] - lines[:, 1])
    slope = rise / np.maximum(run, 1e-6)
    long = np.hypot(run, rise) >= MIN_LINE_SHARE * width
    return np.asarray(lines[long & (slope > STEEP[0]) & (slope < STEEP[1])])
