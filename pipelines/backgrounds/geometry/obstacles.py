"""What stands on the road already: its rectangle on the ground, and the pixels with which it hides what is behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray
from renderer.geometry.boxes import occlusion_level, visible_boxes
from renderer.geometry.camera import Camera
from renderer.geometry.frame import Frame
from renderer.geometry.key_points import KeyPoint
from renderer.scene.placement import ObstacleFootprint

from pipelines.backgrounds.geometry.boxes import KnownBox
from pipelines.backgrounds.geometry.horizon import Horizon

__all__ = ["Obstacle", "find_obstacles", "hide_behind"]

UInt8 = NDArray[np.uint8]
Bool = NDArray[np.bool_]

LENGTH_M = {"car": 4.5, "person": 0.7, "other": 1.8}
"""How far things reach away from the camera: a car seen from behind; a stride; a bicycle or a pole's base."""
SIDE_ON_RATIO, SIDE_ON_M = 1.9, 1.9
"""Wider boxes are cars seen from the side, whose width then points away."""
MARGIN_M = 0.3
MIN_CONTACT_PX = 1.5
"""Feet nearer to the horizon than this say nothing of the distance."""
CUT_ROUNDS = 2
CUT_PX = 96
"""Silhouettes are cut in pictures of at most this size: a second for each would be too long."""
SILHOUETTE_SHARE = {"car": (0.6, 0.97), "person": (0.3, 0.97), "other": (0.2, 0.97)}
"""A silhouette that fills less or more of its box was not found; its :data:`SHAPE` stands for it then."""
CORE = {"car": (0.12, 0.25, 0.88, 0.88), "person": (0.38, 0.08, 0.62, 0.75)}
"""Left, top, right and bottom of what surely is the thing, as shares of its box: glass and bumper belong together."""
SHAPE = {
    "car": ((0.18, 0.0), (0.82, 0.0), (0.93, 0.38), (1.0, 0.45), (1.0, 0.93), (0.95, 1.0), (0.05, 1.0), (0.0, 0.93),
            (0.0, 0.45), (0.07, 0.38)),
    "person": ((0.38, 0.0), (0.62, 0.0), (0.68, 0.15), (0.95, 0.25), (0.95, 0.55), (0.75, 1.0), (0.25, 1.0),
               (0.05, 0.55), (0.05, 0.25), (0.32, 0.15)),
}  # fmt: skip
"""Outline of a thing that could not be told from what is around it, in shares of its box."""
MIN_CUT_PX = 8


@dataclass(frozen=True)
class Obstacle:
    """A real thing on the road."""

    footprint: ObstacleFootprint
    mask: Bool
    """Its pixels inside :attr:`window`."""
    window: tuple[int, int, int, int]
    """``(left, top, right, bottom)`` of the mask in the picture."""
    kind: str = "other"
    """``car``, ``person`` or ``other``."""


def find_obstacles(boxes: Sequence[KnownBox], image: UInt8, camera: Camera, horizon: Horizon) -> tuple[Obstacle, ...]:
    """Obstacles from known boxes, nearest first.

    Args:
        boxes: in the picture's pixels.
        image: (H, W) uint8, in which silhouettes are looked for where the boxes bring none.
        camera: of the picture.
        horizon: and the height of the camera above the road.
    """
    obstacles = []
    for box in boxes:
        footprint = _footprint(box, camera, horizon)
        if footprint is None:
            continue
        left, top, right, bottom = box.box_px
        window = (
            max(0, int(np.floor(left))), max(0, int(np.floor(top))),
            min(camera.width, int(np.ceil(right))), min(camera.height, int(np.ceil(bottom))),
        )  # fmt: skip
        if window[0] < window[2] and window[1] < window[3]:
            obstacles.append(Obstacle(footprint, _silhouette(box, window, image), window, box.kind))
    return tuple(sorted(obstacles, key=lambda item: item.footprint.depth_m))


def _footprint(box: KnownBox, camera: Camera, horizon: Horizon) -> ObstacleFootprint | None:
    """The rectangle between the box's sides from its ground contact on; None where that is not below the horizon."""
    left, top, right, bottom = box.box_px
    below = bottom - horizon.row_at((left + right) / 2, camera)
    if below < MIN_CONTACT_PX:
        return None
    depth = camera.fy * horizon.height_m / below
    side_on = box.kind == "car" and right - left > SIDE_ON_RATIO * (bottom - top)
    back = depth + (SIDE_ON_M if side_on else LENGTH_M[box.kind]) + MARGIN_M
    # World axes of a camera that looks along +x: y is to the left.
    y_left = (camera.cx - left) / camera.fx * depth + MARGIN_M
    y_right = (camera.cx - right) / camera.fx * depth - MARGIN_M
    front = depth - MARGIN_M
    corners = np.array([(back, y_left), (front, y_left), (front, y_right), (back, y_right)])
    return ObstacleFootprint(corners, front, (left, top, right, bottom))


def _silhouette(box: KnownBox, window: tuple[int, int, int, int], image: UInt8) -> Bool:
    """Pixels of a thing inside its window: its outline where known, else what GrabCut tells from its surroundings."""
    left, top, right, bottom = window
    shape = (bottom - top, right - left)
    if box.outline_px:
        mask = np.zeros(shape, dtype=np.uint8)
        rings = [np.rint(np.array(ring) - (left + 0.5, top + 0.5)).astype(np.int32) for ring in box.outline_px]
        return np.asarray(cv2.fillPoly(mask, rings, 1) > 0)
    if min(shape) < MIN_CUT_PX or image.std() == 0:
        return np.ones(shape, dtype=np.bool_)
    cut = _cut(window, image, CORE.get(box.kind))
    low, high = SILHOUETTE_SHARE[box.kind]
    return cut if low < float(cut.mean()) < high else _shape(box, window)


def _shape(box: KnownBox, window: tuple[int, int, int, int]) -> Bool:
    """The outline of its kind inside the window; all of it for kinds of no known outline."""
    left, top, right, bottom = window
    if box.kind not in SHAPE:
        return np.ones((bottom - top, right - left), dtype=np.bool_)
    a, b, c, d = box.box_px
    points = np.array(SHAPE[box.kind]) * (c - a, d - b) + (a - left, b - top)
    mask = np.zeros((bottom - top, right - left), dtype=np.uint8)
    return np.asarray(cv2.fillPoly(mask, [np.rint(points).astype(np.int32)], 1) > 0)


def _cut(window: tuple[int, int, int, int], image: UInt8, core: tuple[float, float, float, float] | None) -> Bool:
    """GrabCut (Rother et al. 2004) started from the box and its core, on the box and half its size around it."""
    left, top, right, bottom = window
    pad = max(4, min(right - left, bottom - top) // 2)
    x, y = max(0, left - pad), max(0, top - pad)
    part = np.ascontiguousarray(image[y : bottom + pad, x : right + pad])
    inside = (left - x, top - y, right - left, bottom - top)
    labels = np.full(part.shape, cv2.GC_BGD, dtype=np.uint8)
    rows, columns = slice(inside[1], inside[1] + inside[3]), slice(inside[0], inside[0] + inside[2])
    labels[rows, columns] = cv2.GC_PR_FGD
    if core is not None:
        (a, b), (c, d) = ((round(inside[0] + x * inside[2]), round(inside[1] + y * inside[3]))
                          for x, y in (core[:2], core[2:]))  # fmt: skip
        labels[b:d, a:c] = cv2.GC_FGD
    if (labels == cv2.GC_BGD).sum() < MIN_CUT_PX:
        return np.ones((bottom - top, right - left), dtype=np.bool_)
    scale = min(1.0, CUT_PX / max(part.shape))
    size = max(4, round(part.shape[1] * scale)), max(4, round(part.shape[0] * scale))
    labels = cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST)
    colour = cv2.cvtColor(cv2.resize(part, size, interpolation=cv2.INTER_AREA), cv2.COLOR_GRAY2BGR)
    cv2.setRNGSeed(0)  # its mixtures start at random
    cv2.grabCut(colour, labels, None, np.zeros((1, 65)), np.zeros((1, 65)), CUT_ROUNDS, cv2.GC_INIT_WITH_MASK)
    labels = cv2.resize(labels, part.shape[::-1], interpolation=cv2.INTER_NEAREST)
    return np.asarray((labels[rows, columns] & 1) > 0)


def hide_behind(frame: Frame, obstacles: Sequence[Obstacle]) -> Frame:
    """The frame with the pixels of its cars cut away that nearer real things hide; boxes and levels follow.

    A thing hides a car as a whole or not at all: the distance of its ground contact against that of the car's nearest
    pixel.
    """
    hidden = np.zeros(frame.instance_id.shape, dtype=np.bool_)
    nearest = _nearest_m(frame)
    for obstacle in obstacles:
        left, top, right, bottom = obstacle.window
        ids = frame.instance_id[top:bottom, left:right]
        behind = (nearest > obstacle.footprint.depth_m)[ids] & (ids > 0)
        hidden[top:bottom, left:right] |= behind & obstacle.mask
    if not hidden.any():
        return frame
    instance_id = np.where(hidden, 0, frame.instance_id).astype(np.uint16)
    visible = visible_boxes(instance_id, max(item.id for item in frame.instances)).tolist()
    instances = []
    for item in frame.instances:
        count, left, top, right, bottom = visible[item.id]
        box = (float(left), float(top), float(right), float(bottom)) if count else None
        level = occlusion_level(count, item.amodal_px)
        points = None if item.key_points is None else tuple(_seen(point, hidden) for point in item.key_points)
        instances.append(replace(item, visible_px=count, box_visible_px=box, occlusion=level, key_points=points))
    return replace(
        frame,
        instance_id=instance_id,
        instances=tuple(instances),
        depth_m=np.where(hidden, np.float32(np.inf), frame.depth_m),
        zone=np.where(hidden, 0, frame.zone).astype(np.uint8),
        normal=None
        if frame.normal is None
        else np.where(hidden[..., None], 0, frame.normal).astype(frame.normal.dtype),
        part=None if frame.part is None else np.where(hidden, 0, frame.part).astype(frame.part.dtype),
    )


def _seen(point: KeyPoint, hidden: NDArray[np.bool_]) -> KeyPoint:
    """A key point, hidden where its pixel is."""
    x, y, seen = point
    return (x, y, 1 if seen == 2 and hidden[int(y), int(x)] else seen)


def _nearest_m(frame: Frame) -> NDArray[np.float32]:
    """Depth of each object's nearest pixel, by id."""
    count = 1 + max((item.id for item in frame.instances), default=0)
    nearest = np.full(count, np.inf, dtype=np.float32)
    nearest[0] = -np.inf
    for item in frame.instances:
        if item.box_visible_px is not None:
            left, top, right, bottom = (int(value) for value in item.box_visible_px)
            own = frame.instance_id[top:bottom, left:right] == item.id
            nearest[item.id] = frame.depth_m[top:bottom, left:right][own].min()
    return nearest
