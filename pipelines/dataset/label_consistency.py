"""Label drift: does a picture still show its objects where the masks say?

Physics draws an object exactly where its mask is. A network that redraws it may move it, smear it or leave it out, and
then the labels are wrong although every file agrees with every other. :func:`measure_drift` looks at the picture alone:

- *edges*: along the outline of a mask, across it, there should be edges; along the same outline shifted elsewhere,
  fewer. Where the object has the level of what is behind it no place is better than another, which counts neither way.
- *zones*: one level per thermal zone (and one for the rim around the object) should explain more of the picture than
  the same zones shifted.
- *lost*, against the background before objects were put in: pixels of the mask that still show it.
- *invented*, against the same background: hot patches away from every mask.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from renderer.optional import njit

from pipelines.errors import PipelineError

__all__ = ["ATTEMPTS", "Drift", "ObjectDrift", "measure_drift"]

UInt8 = NDArray[np.uint8]
UInt16 = NDArray[np.uint16]
Float32 = NDArray[np.float32]
Int32 = NDArray[np.int32]
Box = tuple[int, int, int, int]
"""Top, left, bottom, right in pixels; the last two are outside."""

ATTEMPTS = 3
"""How often a frame is drawn that may be rejected: with a tenth of the frames above the limit, one in 1000 stays so."""
MIN_SIDE_PX = 20
"""Least height and width of what is measured. In a smaller object a shift of 8 px is half the object, and its outline
has too few points to tell."""
MIN_OUTLINE = 20
"""Least outline in pixels that is seen, as most of it can lie on the picture's border."""
REACH_PX, STEP_PX = 16, 2
"""Furthest shift of the outline that is compared, and the step between shifts. Outlines 16 px off have nothing to do
with the object any more; an edge is searched 1 px to both sides of each point, so no place lies between two steps."""
FAR_PX = 6.0
"""Shifts from here on are elsewhere: three times the tolerance."""
TOLERANCE_PX = 2
"""An edge within this distance is the outline's: models fitted to real cars lie as close (docs/fit.md)."""
MARGIN_PX, RING_PX = 8, 5
"""Room around an object's box, and width of the rim that counts as one more zone."""
OUTLINE_POINTS, ZONE_POINTS = 160, 1000
"""Points that are looked at, evenly spread. Twice as many change the mean score of a set by less than 0.01."""
BLUR_PX, OUTLINE_BLUR_PX = 0.8, 1.5
"""Blur before gradients are taken: about the edge spread of real sensors; blur of a mask for the outline's normals."""
NOISE = np.float32(0.5 / 255)
"""Gradient per pixel and deviation that no 8-bit picture can show."""
WEIGHTS = (-7.75, -12.95, -5.8, -14.3)
BIAS = 16.3
"""Log odds that an outline lies elsewhere, by edge contrast, edge peak, edge share and zone contrast: logistic
regression on masks as they are against masks moved by 8 px or taken from another frame; physics frames and real frames
with fitted cars at equal weight (docs/metrics.md)."""
POWER = 3.0
"""Exponent of the mean over a frame's objects: between the mean (1), in which one lost car of six is hardly seen, and
the worst (infinite), which is that of the hardest object to see."""
TAILS = (0.005, 0.995)
"""Share of 16-bit pixels at the ends that may saturate: few hot pixels must not take the contrast of all others."""
SAME = np.float32(4 / 255)
"""A pixel that differs by less still shows the background: rounding, resampling and noise differ by as much."""
HOT = np.float32(16 / 255)
"""A pixel outside the masks is hot that is brighter than the background by this much: four times what may be rounding,
resampling and noise (:data:`SAME`)."""
AWAY_SHARE, AWAY_PX = 0.5, 8
"""Away from an object is further than this share of its height, and at least so far: heat and shadow on the ground
beside it are its own. Physics warms the ground up to 0.75 m from a car (renderer/thermal/ground.py), half the height of
a car of 1.5 m. At a quarter of the height 45 of 250 of its frames over RoadScene and MSRS had hot patches, at 0.4 and
above none (docs/metrics.md)."""
PATCH_PX, HALF_PX = 20, 200
"""Least size of a patch (the least size of a labelled object), and patches that make a drift of a half: about a car of
20 x 10 px, the smallest that is measured."""
UNCHANGED = 0.5
"""Share of an object's pixels that may happen to have the background's level."""
_STEPS = 2 * (REACH_PX // STEP_PX) + 1
_PAD_PX = REACH_PX + MARGIN_PX + 2
_DISTANCE_PX = np.hypot(*np.mgrid[-REACH_PX : REACH_PX + 1 : STEP_PX, -REACH_PX : REACH_PX + 1 : STEP_PX])
_RIM, _NOWHERE = 254, 255


def _compass(*radii_px: int) -> Int32:
    """(1 + 8 N, 2) no shift, then eight directions of each length."""
    around = [(radius * math.sin(k * math.pi / 4), radius * math.cos(k * math.pi / 4))
              for radius in radii_px for k in range(8)]  # fmt: skip
    return np.asarray(np.rint(np.array([(0.0, 0.0), *around])), dtype=np.int32)


_SHIFTS = _compass(4, 8, 16)


@dataclass(frozen=True)
class ObjectDrift:
    """What the picture shows of one mask."""

    id: int
    """Value in the mask."""
    score: float
    """0 where the mask says, 1 not there."""
    pixels: int
    """Pixels of the mask."""
    offset_px: float
    """Length of the shift in the image at which the outline meets the strongest edges; at most 16 in each axis."""
    edge_contrast: float
    """Mean edge strength (0-1) along the outline less that along the outline shifted by 6 to 16 px."""
    edge_peak: float
    """Edge strength along the outline as a share of the strongest along any shifted outline, 0-1."""
    edge_share: float
    """Share of the outline's points with a clear edge within 2 px, 0-1."""
    zone_contrast: float
    """Variance that one level per zone explains (0-1) less that with zones shifted by 4, 8 and 16 px."""
    lost: float | None
    """0: the mask hides the background; 1: it shows it. None where no background is known."""


@dataclass(frozen=True)
class Drift:
    """What the picture shows of all masks."""

    score: float | None
    """0 none to 1 lost; None where nothing could be measured: no object large enough, no background."""
    invented_px: int | None
    """Pixels of hot patches away from every mask; None where no background is known."""
    objects: tuple[ObjectDrift, ...]
    """By ascending id; without those that are too small to be measured."""

    def to_json(self) -> dict[str, Any]:
        """JSON values, floats rounded to 4 places."""
        rows = [{name: _rounded(value) for name, value in asdict(item).items()} for item in self.objects]
        return {"score": _rounded(self.score), "invented_px": self.invented_px, "objects": rows}


def _rounded(value: Any) -> Any:
    return round(value, 4) if isinstance(value, float) else value


def measure_drift(
    image: UInt8 | UInt16, instance_id: UInt16, zone: UInt8, background: UInt8 | UInt16 | None = None
) -> Drift:
    """Measures how far a picture shows its objects where the masks say.

    Args:
        image: (H, W) uint8 or uint16 over the full range, white hot.
        instance_id: (H, W) mask, 0 for all that is no object.
        zone: (H, W) thermal zones (:class:`renderer.zones.catalogue.Zone`).
        background: (H, W) the picture before the objects were put in, its full range that of ``image``.

    Raises:
        PipelineError: sizes or types differ.
    """
    _check(image, instance_id, zone, background)
    share, behind = _shares(image, background)
    boxes = _boxes(instance_id)
    invented = None if behind is None else _invented_px(share, behind, instance_id, boxes)
    same = None if behind is None else np.abs(share - behind) < SAME
    field = _Field.of(share)
    large = [_Window.of(number, box, instance_id, zone) for number, box in boxes if min(_sides(box)) >= MIN_SIDE_PX]
    objects = tuple(_measure(window, field, same) for window in large if len(window.outline) >= MIN_OUTLINE)
    return Drift(_frame_score(objects, invented), invented, objects)


def _check(image: Any, instance_id: Any, zone: Any, background: Any) -> None:
    for name, plane, types in (
        ("image", image, (np.uint8, np.uint16)),
        ("mask", instance_id, (np.uint16,)),
        ("zones", zone, (np.uint8,)),
        ("background", image if background is None else background, (np.uint8, np.uint16)),
    ):
        if plane.shape != instance_id.shape or plane.ndim != 2 or plane.dtype not in types:
            wanted = " or ".join(np.dtype(kind).name for kind in types)
            raise PipelineError(
                f"drift: {name} is {plane.dtype} {plane.shape}: expected {wanted} of the mask's {instance_id.shape}"
            )


def _shares(image: UInt8 | UInt16, background: UInt8 | UInt16 | None) -> tuple[Float32, Float32 | None]:
    """Image and background, 0-1: 8 bits as they are shown, of 16 bits what the image makes use of."""
    low, high = 0.0, 1.0
    if image.dtype == np.uint16:
        low, high = np.quantile(image[::4, ::4], TAILS) / 65535
        low, high = float(low), max(float(high), float(low) + 1 / 255)

    def share(plane: UInt8 | UInt16) -> Float32:
        part = plane.astype(np.float32) * np.float32(1 / np.iinfo(plane.dtype).max)
        if (low, high) == (0.0, 1.0):
            return np.asarray(part)
        return np.asarray(np.clip((part - np.float32(low)) * np.float32(1 / (high - low)), 0, 1))

    return share(image), None if background is None else share(background)


def _boxes(instance_id: UInt16) -> list[tuple[int, Box]]:
    """Ids and tight boxes of the objects, by ascending id."""
    edges = np.zeros((int(instance_id.max()) + 1, 4), dtype=np.int32)
    edges[:, :2] = np.iinfo(np.int32).max
    _bound(instance_id, edges)
    return [(number, tuple(edges[number].tolist())) for number in (np.flatnonzero(edges[1:, 2]) + 1).tolist()]


def _sides(box: Box) -> tuple[int, int]:
    return box[2] - box[0], box[3] - box[1]


# --- what is measured of one object -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Field:
    """The picture, padded by :data:`_PAD_PX` with its own border, and its gradients."""

    soft: Float32
    """Slightly blurred, 0-1."""
    across: Float32
    """Gradient along x, per pixel."""
    down: Float32
    """Gradient along y, per pixel."""

    @classmethod
    def of(cls, share: Float32) -> _Field:
        padded = cv2.copyMakeBorder(share, _PAD_PX, _PAD_PX, _PAD_PX, _PAD_PX, cv2.BORDER_REPLICATE)
        soft = np.asarray(cv2.GaussianBlur(padded, (5, 5), BLUR_PX), dtype=np.float32)
        across, down = (np.asarray(cv2.Sobel(soft, cv2.CV_32F, *axis, scale=1 / 8)) for axis in ((1, 0), (0, 1)))
        return cls(soft, across, down)


@dataclass(frozen=True)
class _Window:
    """An object's mask in its box, with a margin, and the points that are looked at in the padded picture."""

    id: int
    box: Box
    inside: NDArray[np.bool_]
    """(h, w) the mask within the box."""
    outline: Int32
    """(N, 2) y, x of the outline's points that do not lie on the picture's border."""
    normal: Float32
    """(N, 2) y, x of the unit vectors across the outline."""
    points: Int32
    """(M, 2) y, x of points in the mask and in the rim around it."""
    label: UInt8
    """(M,) their zone; :data:`_RIM` in the rim."""

    @classmethod
    def of(cls, number: int, box: Box, instance_id: UInt16, zone: UInt8) -> _Window:
        top, left, bottom, right = box
        crop = (slice(top, bottom), slice(left, right))
        inside = instance_id[crop] == number
        grown = _continued(inside.astype(np.uint8), box, instance_id.shape)
        outline, normal = _outline(grown)
        points, label = _zone_points(grown, inside, zone[crop], box, instance_id.shape)
        offset = np.array([top, left], dtype=np.int32) - MARGIN_PX + _PAD_PX
        return cls(number, box, inside, outline + offset, normal, points + offset, label)


def _continued(inside: UInt8, box: Box, shape: tuple[int, ...]) -> UInt8:
    """The mask with a margin around it; where the object meets the picture's border it goes on beyond."""
    top, left, bottom, right = box
    m = MARGIN_PX
    grown = np.zeros((inside.shape[0] + 2 * m, inside.shape[1] + 2 * m), dtype=np.uint8)
    grown[m:-m, m:-m] = inside
    if top == 0:
        grown[:m] = grown[m]
    if bottom == shape[0]:
        grown[-m:] = grown[-m - 1]
    if left == 0:
        grown[:, :m] = grown[:, m, None]
    if right == shape[1]:
        grown[:, -m:] = grown[:, -m - 1, None]
    return grown


def _outline(grown: UInt8) -> tuple[Int32, Float32]:
    """Points of the outline within the picture, evenly thinned, and its unit normals there."""
    m = MARGIN_PX
    core = cv2.erode(grown, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=1)
    rows, columns = np.nonzero((grown > core)[m:-m, m:-m])
    chosen = _thinned(len(rows), OUTLINE_POINTS)
    rows, columns = rows[chosen] + m, columns[chosen] + m
    soft = cv2.GaussianBlur(grown.astype(np.float32), (9, 9), OUTLINE_BLUR_PX, borderType=cv2.BORDER_REPLICATE)
    down, across = cv2.Sobel(soft, cv2.CV_32F, 0, 1), cv2.Sobel(soft, cv2.CV_32F, 1, 0)
    normal = np.stack((down[rows, columns], across[rows, columns]), axis=1)
    length = np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-6)
    return np.stack((rows, columns), axis=1).astype(np.int32), np.asarray(normal / length, dtype=np.float32)


def _zone_points(
    grown: UInt8, inside: NDArray[np.bool_], zone: UInt8, box: Box, shape: tuple[int, ...]
) -> tuple[Int32, UInt8]:
    """Points of the mask and of the rim around it within the picture, evenly thinned, and their labels."""
    m = MARGIN_PX
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * RING_PX + 1, 2 * RING_PX + 1))
    label = np.where((cv2.dilate(grown, kernel) > grown), np.uint8(_RIM), np.uint8(_NOWHERE))
    label[m:-m, m:-m][inside] = zone[inside]
    rows, columns = np.nonzero(label != _NOWHERE)
    y, x = rows + (box[0] - m), columns + (box[1] - m)
    seen = np.flatnonzero((y >= 0) & (y < shape[0]) & (x >= 0) & (x < shape[1]))
    seen = seen[_thinned(len(seen), ZONE_POINTS)]
    rows, columns = rows[seen], columns[seen]
    return np.stack((rows, columns), axis=1).astype(np.int32), label[rows, columns]


def _thinned(count: int, most: int) -> NDArray[np.int64]:
    """Positions of at most ``most`` of ``count`` things, evenly spread."""
    return np.linspace(0, count - 1, min(count, most)).astype(np.int64)


def _measure(window: _Window, field: _Field, same: NDArray[np.bool_] | None) -> ObjectDrift:
    """One object; ``same`` are the pixels that still show the background."""
    top, left, bottom, right = window.box
    around = (slice(top, bottom + 2 * _PAD_PX), slice(left, right + 2 * _PAD_PX))
    across, down = field.across[around], field.down[around]
    # Not cv2.magnitude: its last bit depends on where the arrays lie in memory.
    level = np.float32(max(np.sqrt(across * across + down * down).mean(), NOISE))
    strength = np.zeros((_STEPS, _STEPS), dtype=np.float32)
    _edge_strength(field.across, field.down, window.outline, window.normal, level, REACH_PX, STEP_PX, strength)
    clear = _clear_edges(field.across, field.down, window.outline, window.normal, level, TOLERANCE_PX)
    here = float(strength[_STEPS // 2, _STEPS // 2])
    contrast = here - float(strength[_DISTANCE_PX >= FAR_PX].mean())
    peak = here / max(float(strength.max()), 1e-6)
    explained = np.zeros(len(_SHIFTS))
    _explained(field.soft, window.points, window.label, _SHIFTS, float(NOISE) ** 2, explained)
    zones = float(explained[0] - explained[1:].mean())
    lost = None
    if same is not None:
        unchanged = float(same[top:bottom, left:right][window.inside].mean())
        lost = max(0.0, (unchanged - UNCHANGED) / (1.0 - UNCHANGED))
    odds = BIAS + sum(weight * value for weight, value in zip(WEIGHTS, (contrast, peak, clear, zones), strict=True))
    moved = 1.0 / (1.0 + math.exp(-max(-50.0, min(50.0, odds))))
    offset = float(_DISTANCE_PX.flat[int(strength.argmax())])
    return ObjectDrift(
        window.id, 1.0 - (1.0 - moved) * (1.0 - (lost or 0.0)), int(window.inside.sum()), offset, contrast, peak,
        float(clear), zones, lost,
    )  # fmt: skip


def _frame_score(objects: tuple[ObjectDrift, ...], invented_px: int | None) -> float | None:
    """One number for the frame; larger objects count more, by their diameter."""
    if not objects and invented_px is None:
        return None
    weight = sum(math.sqrt(item.pixels) for item in objects)
    total = sum(math.sqrt(item.pixels) * item.score**POWER for item in objects)
    moved = (total / weight) ** (1.0 / POWER) if objects else 0.0
    extra = (invented_px or 0) / ((invented_px or 0) + HALF_PX)
    return 1.0 - (1.0 - moved) * (1.0 - extra)


def _invented_px(share: Float32, behind: Float32, instance_id: UInt16, boxes: list[tuple[int, Box]]) -> int:
    """Pixels of patches away from every mask that are hotter than the background."""
    hot = share - behind > HOT
    for number, box in boxes:
        away = max(AWAY_PX, round(AWAY_SHARE * _sides(box)[0]))
        rows = slice(max(box[0] - away, 0), box[2] + away)
        columns = slice(max(box[1] - away, 0), box[3] + away)
        window = hot[rows, columns]
        if not window.any():
            continue
        distance = cv2.distanceTransform((instance_id[rows, columns] != number).astype(np.uint8), cv2.DIST_L2, 3)
        window[distance <= away] = False
    if not hot.any():
        return 0
    _, _, about, _ = cv2.connectedComponentsWithStats(hot.astype(np.uint8), connectivity=8)
    area = about[1:, cv2.CC_STAT_AREA]
    return int(area[area >= PATCH_PX].sum())


# --- loops ------------------------------------------------------------------------------------------------------------


@njit(cache=True, nogil=True)
def _bound(instance_id: UInt16, edges: Int32) -> None:
    """Boxes (top, left, bottom, right) of all ids at once."""
    for y in range(instance_id.shape[0]):
        for x in range(instance_id.shape[1]):
            number = instance_id[y, x]
            if number:
                box = edges[number]
                box[0], box[1] = min(box[0], y), min(box[1], x)
                box[2], box[3] = max(box[2], y + 1), max(box[3], x + 1)


@njit(cache=True, nogil=True)
def _edge_strength(
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
def _clear_edges(gx: Float32, gy: Float32, points: Int32, normals: Float32, level: float, tolerance: int) -> float:
    """Share of the outline's points with a gradient above the level within the tolerance."""
    found = 0
    for k in range(len(points)):
        ny, nx = normals[k, 0], normals[k, 1]
        for t in range(-tolerance, tolerance + 1):
            y, x = points[k, 0] + int(np.rint(t * ny)), points[k, 1] + int(np.rint(t * nx))
            if abs(gx[y, x] * nx + gy[y, x] * ny) > level:
                found += 1
                break
    return found / len(points)


@njit(cache=True, nogil=True)
def _explained(
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
