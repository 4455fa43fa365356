"""Objects of a frame against its mask, its depth and their poses, all computed anew."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from renderer.geometry.camera import Camera
from renderer.geometry.frame import Box2D
from renderer.zones.categories import CATEGORIES, PEOPLE_AND_ANIMALS, VEHICLES

from pipelines.dataset.record import FrameRecord, InstanceRecord, RealObject, Record, UnlabelledObject
from pipelines.dataset.validation.planes import Planes
from pipelines.dataset.validation.riders import rider_problems
from pipelines.dataset.validation.run_lengths import decode_rle
from pipelines.errors import DatasetError

__all__ = ["Rules", "check_fitted", "check_objects", "tight_box"]

FULLY_VISIBLE, LARGELY_VISIBLE = 0.95, 0.5
"""Shares of an object's pixels from which KITTI's occlusion level is 0 and 1; 2 below (docs/reference/dataset.md)."""
_SLACK_PX = 1.0
"""A pixel's centre may be inside of a box where its edge is not."""
_SLACK_M = 0.05
"""Depth is float32, and a box is as large as its model's corners."""
_NEAR_M = 0.5
"""Boxes that reach nearer than this to the camera's plane have no projection worth comparing."""
_SLACK_RAD = 1e-4
_SLACK_FIT_M = 1e-6
_HALF_OF_FOUR_PLACES = 0.00005 + 1e-9
_KEY_POINTS = 17
_MOST_COVERED = 0.5
"""Share of its box up to which a real object that inserted ones hide keeps its label (docs/reference/dataset.md)."""


@dataclass(frozen=True)
class Rules:
    """What a data set says of which objects are labelled."""

    categories: tuple[str, ...]
    min_visible_px: int
    min_visible_share: float = 0.0
    """Of the pixels of an object inside the image: below, it is ignored."""
    profile: str | None = None
    """Thermal profile of all objects; None where each has its own."""


def check_objects(record: Record, planes: Planes, rules: Rules) -> Iterator[str]:
    """What is wrong with the objects of a frame, one line each."""
    here = f"masks/{planes.name}.png"
    ids = [item.id for item in record.instances]
    if ids != sorted(set(ids)) or any(not 1 <= number <= 65535 for number in ids):
        yield f"frames.jsonl: frame {planes.name}: ids {ids}: expected each once, rising, 1 to 65535"
    yield from (f"frames.jsonl: frame {planes.name}: {problem}" for problem in _all_facts(record, rules))
    if planes.mask is None:
        return
    entries = {item.id: item for item in record.instances}
    named = {number for number, item in entries.items() if item.labelled}
    seen = set(np.unique(planes.mask).tolist()) - {0}
    yield from (f"{here}: holds id {number}, which has no label" for number in sorted(seen - named))
    yield from (f"{here}: id {number} has a label and no pixel" for number in sorted(named - seen))
    for number in sorted(seen & named):
        pixels = planes.mask == number
        for problem in _against_pixels(entries[number], pixels, rules):
            yield f"{here}: id {number}: {problem}"
        if planes.depth_m is not None:
            for problem in _against_depth(entries[number], planes.depth_m[pixels], record.cam_to_world):
                yield f"depth/{planes.name}.exr: id {number}: {problem}"
    if isinstance(record, FrameRecord):
        for problem in _boxes_alone(record, planes.mask, rules):
            yield f"frames.jsonl: frame {planes.name}: {problem}"


def check_fitted(record: Record, planes: Planes) -> Iterator[str]:
    """What is wrong with the fitted cars of a real frame, one line each; all of them are in the mask."""
    here, rules = f"masks/{planes.name}.png", Rules(tuple(item.category for item in record.instances), 0)
    ids = [item.id for item in record.instances]
    if ids != list(range(1, len(ids) + 1)):
        yield f"frames.jsonl: frame {planes.name}: ids {ids}: expected 1 to {len(ids)}"
    problems = (*_all_facts(record, rules), *_all_fits(record))
    yield from (f"frames.jsonl: frame {planes.name}: {problem}" for problem in problems)
    if planes.mask is None:
        return
    for number in sorted(set(np.unique(planes.mask).tolist()) - {0} - set(ids)):
        yield f"{here}: holds id {number}, which is no car of frames.jsonl"
    for item in record.instances:
        pixels = planes.mask == item.id
        if not pixels.any():
            if item.visible_px:
                yield f"{here}: id {item.id}: has no pixel, frames.jsonl says {item.visible_px}"
            continue
        yield from (f"{here}: id {item.id}: {problem}" for problem in _against_pixels(item, pixels, rules))
        if planes.depth_m is not None:
            for problem in _against_depth(item, planes.depth_m[pixels], record.cam_to_world):
                yield f"depth/{planes.name}.exr: id {item.id}: {problem}"


def _all_fits(record: Record) -> Iterator[str]:
    for item in record.instances:
        yield from (f"object {item.id}: {problem}" for problem in _fit(item, record.cam_to_world))


def _fit(item: InstanceRecord, cam_to_world: NDArray[np.float64]) -> Iterator[str]:
    """What stands of a fit beside the object that was made of it."""
    if item.fit is None:
        yield "says nothing of its fit"
        return
    pose = item.fit.pose
    off = (cam_to_world @ [pose.x_m, pose.y_m, pose.z_m, 1.0])[:3] - item.object_to_world[:3, 3]
    if np.abs(off).max() > _SLACK_FIT_M:
        yield f"its pose stands {np.linalg.norm(off):.3f} m from where its fit does"
    yaw = pose.yaw_rad - math.pi / 2
    if abs(math.remainder(yaw - item.box_3d.yaw_rad, 2 * math.pi)) > _SLACK_RAD:
        yield f"yaw_rad is {item.box_3d.yaw_rad:.4f}, its fit says {yaw:.4f}"
    if pose.box_px != item.box_amodal_px:
        yield f"its amodal box is {_rounded(item.box_amodal_px)}, its fit says {_rounded(pose.box_px)}"
    if not (0 <= item.fit.box_iou <= 1 and 0 <= item.fit.confidence <= 1):
        yield f"box_iou is {item.fit.box_iou}, confidence {item.fit.confidence}: expected 0 to 1"


def _real_object(item: RealObject, mask: NDArray[np.uint16], rules: Rules) -> Iterator[str]:
    """An object of the background against the mask of what was put before it."""
    left, top, right, bottom = item.box_px
    if not (0 <= left < right <= mask.shape[1] and 0 <= top < bottom <= mask.shape[0]):
        yield f"its box {item.box_px} is none of the picture"
        return
    window = mask[round(top) : max(round(bottom), round(top) + 1), round(left) : max(round(right), round(left) + 1)]
    covered = float((window > 0).mean()) if window.size else 1.0
    if abs(covered - item.covered) > _HALF_OF_FOUR_PLACES:
        yield f"covered is {item.covered}, its box says {covered:.4f}"
    if item.labelled and (item.category not in rules.categories or covered > _MOST_COVERED):
        yield f"has a label as {item.category!r} with {covered:.2f} of its box hidden"


def _boxes_alone(record: FrameRecord, mask: NDArray[np.uint16], rules: Rules) -> Iterator[str]:
    """Objects of which no pixels are known."""
    for place, real in enumerate(record.real_objects or ()):
        yield from (f"real object {place}: {problem}" for problem in _real_object(real, mask, rules))
    for place, thing in enumerate(record.unlabelled or ()):
        yield from (f"unlabelled object {place}: {problem}" for problem in _unlabelled(thing, mask.shape))


def _unlabelled(item: UnlabelledObject, shape: tuple[int, ...]) -> Iterator[str]:
    """Something of the street that the data set does not label."""
    left, top, right, bottom = item.box_px
    if not (0 <= left < right <= shape[1] and 0 <= top < bottom <= shape[0]):
        yield f"its box {item.box_px} is none of the picture"
    if item.category not in CATEGORIES:
        yield f"category {item.category!r}: expected one of {', '.join(CATEGORIES)}"


def _all_facts(record: Record, rules: Rules) -> Iterator[str]:
    """Facts of all objects in view, labelled or not, that follow from other facts."""
    for item in record.instances:
        problems = (
            *_label_rule(item, rules),
            *_shares(item, record.camera),
            *_solid(item, record.camera, record.cam_to_world),
        )
        yield from (f"object {item.id}: {problem}" for problem in problems)
    yield from rider_problems(record)


def _label_rule(item: InstanceRecord, rules: Rules) -> Iterator[str]:
    wanted = item.visible_px >= rules.min_visible_px
    if item.labelled is not None and item.labelled != wanted:
        yield f"labelled is {item.labelled} with {item.visible_px} pixels, a label needs {rules.min_visible_px}"
    share = item.visible_px / max(item.amodal_px, 1)
    hidden = bool(item.labelled) and item.amodal_px > 0 and share < rules.min_visible_share
    if bool(item.ignored) != hidden:
        yield f"ignored is {item.ignored} with {share:.3f} of it visible, to count takes {rules.min_visible_share}"
    if item.category not in rules.categories and item.labelled:
        yield f"category {item.category!r}: expected one of {', '.join(rules.categories)}"
    if rules.profile is not None and item.profile != rules.profile and item.category in VEHICLES:
        yield f"profile {item.profile!r}: the data set says {rules.profile!r}"
    if item.labelled and item.rle is None:
        yield "has a label and no run-length code"
    yield from _key_points(item)
    if (item.box_visible_px is None) != (item.visible_px == 0):
        yield f"visible box {item.box_visible_px} with {item.visible_px} visible pixels"


def _key_points(item: InstanceRecord) -> Iterator[str]:
    """Joints of a person: COCO's 17, about inside of the box around the whole person."""
    if item.key_points is None:
        return
    left, top, right, bottom = item.box_amodal_px
    if len(item.key_points) != _KEY_POINTS or any(seen not in (0, 1, 2) for _, _, seen in item.key_points):
        yield f"has {len(item.key_points)} key points: expected {_KEY_POINTS}, each with 0, 1 or 2"
    for number, (x, y, seen) in enumerate(item.key_points):
        inside = left - _SLACK_PX <= x <= right + _SLACK_PX and top - _SLACK_PX <= y <= bottom + _SLACK_PX
        if (seen and not inside) or (not seen and (x, y) != (0.0, 0.0)):
            yield f"key point {number} is {(x, y, seen)}, its amodal box {_rounded(item.box_amodal_px)}"


def _shares(item: InstanceRecord, camera: Camera) -> Iterator[str]:
    """Truncation and occlusion from boxes and pixels."""
    if item.amodal_px < item.visible_px:
        yield f"amodal_px is {item.amodal_px}, less than the {item.visible_px} that are visible"
    left, top, right, bottom = item.box_amodal_px
    area = (right - left) * (bottom - top)
    inside = max(0.0, min(right, camera.width) - max(left, 0.0)) * max(0.0, min(bottom, camera.height) - max(top, 0.0))
    truncation = 1.0 - inside / area if area > 0 else 1.0
    if not math.isclose(item.truncation, truncation, abs_tol=1e-6):
        yield f"truncation is {item.truncation}, its amodal box says {truncation:.6f}"
    if item.occlusion != (level := _occlusion(item.visible_px, item.amodal_px)):
        yield f"occlusion is {item.occlusion}, {item.visible_px} of {item.amodal_px} pixels say {level}"


def _occlusion(visible_px: int, amodal_px: int) -> int:
    if visible_px == 0 or amodal_px == 0:
        return 3
    share = visible_px / amodal_px
    return 0 if share >= FULLY_VISIBLE else 1 if share >= LARGELY_VISIBLE else 2


def _solid(item: InstanceRecord, camera: Camera, cam_to_world: NDArray[np.float64]) -> Iterator[str]:
    """The 3-D box against the pose, and the amodal box against the 3-D box."""
    box, pose = item.box_3d, item.object_to_world
    if min(box.length_m, box.height_m, box.width_m) <= 0:
        yield f"its 3-D box is {box.length_m} x {box.width_m} x {box.height_m} m: expected positive sizes"
        return
    heading = cam_to_world[:3, :3].T @ [pose[0, 0], pose[1, 0], 0.0]
    yaw = math.atan2(-heading[2], heading[0])
    if abs(math.remainder(box.yaw_rad - yaw, 2 * math.pi)) > _SLACK_RAD:
        yield f"yaw_rad is {box.yaw_rad:.4f}, its pose says {yaw:.4f}"
    foot = cam_to_world @ [*box.centre_m, 1.0]
    off = foot[:3] - pose[:3, 3]
    if math.hypot(off[0], off[1]) > math.hypot(box.length_m, box.width_m) / 2 or abs(off[2]) > box.height_m:
        yield f"its 3-D box stands {np.linalg.norm(off):.2f} m from where its pose does"
    corners = _corners(item, cam_to_world)
    if corners[:, 2].min() > _NEAR_M:
        # The box of somebody who walks through a sequence holds all steps of the gait: feet together fill less of it.
        walks = item.track_id is not None and item.category in PEOPLE_AND_ANIMALS
        outer = _bounds(corners, camera) if camera.lens is None else _distorted_bounds(corners, camera)
        if outer is not None:
            yield from _inside(item.box_amodal_px, outer, 0.25 if walks else 0.5)


def _corners(item: InstanceRecord, cam_to_world: NDArray[np.float64]) -> NDArray[np.float64]:
    """Corners of the upright box that an object fills, (8, 3) metres in camera axes.

    KITTI's box turns about the camera's own y axis, which a tilted camera has not upright: its sizes and the centre of
    its bottom are taken, its axes from the pose and the world.
    """
    box, pose = item.box_3d, item.object_to_world
    forward = np.array([pose[0, 0], pose[1, 0], 0.0]) / math.hypot(pose[0, 0], pose[1, 0])
    sideways, up = np.array([-forward[1], forward[0], 0.0]), np.array([0.0, 0.0, 1.0])
    bottom = (cam_to_world @ [*box.centre_m, 1.0])[:3]
    corners = np.array([
        bottom + along * box.length_m / 2 * forward + across * box.width_m / 2 * sideways + high * box.height_m * up
        for along in (-1, 1) for across in (-1, 1) for high in (0, 1)
    ])  # fmt: skip
    return np.asarray((corners - cam_to_world[:3, 3]) @ cam_to_world[:3, :3])


def _bounds(corners: NDArray[np.float64], camera: Camera) -> Box2D:
    """Tight image box of points before the camera."""
    x = camera.fx * corners[:, 0] / corners[:, 2] + camera.cx
    y = camera.fy * corners[:, 1] / corners[:, 2] + camera.cy
    return float(x.min()), float(y.min()), float(x.max()), float(y.max())


def _distorted_bounds(corners: NDArray[np.float64], camera: Camera) -> Box2D | None:
    """The same behind a lens, which bends edges; by OpenCV. None for what reaches out of what its model is of."""
    import cv2

    pairs = [(k, k ^ bit) for k in range(8) for bit in (1, 2, 4) if k < k ^ bit]
    shares = np.linspace(0.0, 1.0, 17)[:, None]
    points = np.concatenate([corners[a] + shares * (corners[b] - corners[a]) for a, b in pairs])
    wide, lens = camera.covering, camera.lens
    seen = points[:, :2] / points[:, 2:] * (wide.fx, wide.fy) + (wide.cx, wide.cy)
    if lens is None or (seen < 0).any() or (seen > (wide.width, wide.height)).any():
        return None
    zero, coefficients = np.zeros(3), np.array(lens.coefficients)
    if lens.model == "fisheye":
        places, _ = cv2.fisheye.projectPoints(points[None], zero, zero, camera.K, coefficients)
    else:
        places, _ = cv2.projectPoints(points, zero, zero, camera.K, coefficients)
    low, high = places.reshape(-1, 2).min(axis=0), places.reshape(-1, 2).max(axis=0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def _inside(amodal: Box2D, outer: Box2D, least: float) -> Iterator[str]:
    """The object's box lies within that of its 3-D box, and fills a good part of it."""
    within = all(amodal[k] >= outer[k] - _SLACK_PX for k in (0, 1)) and all(
        amodal[k] <= outer[k] + _SLACK_PX for k in (2, 3)
    )
    size = [amodal[2] - amodal[0], amodal[3] - amodal[1]]
    room = [outer[2] - outer[0], outer[3] - outer[1]]
    if not within or any(part < least * whole - _SLACK_PX for part, whole in zip(size, room, strict=True)):
        yield f"its amodal box {_rounded(amodal)} does not fit its 3-D box, whose corners span {_rounded(outer)}"


def _rounded(box: Box2D) -> list[float]:
    return [round(edge, 1) for edge in box]


def _against_pixels(item: InstanceRecord, pixels: NDArray[np.bool_], rules: Rules) -> Iterator[str]:
    """One object against its pixels in the mask."""
    count, tight = tight_box(pixels)
    if tight is None:
        return
    if item.box_visible_px != tight:
        yield f"its visible box is {item.box_visible_px}, its pixels span {tight}"
    if item.visible_px != count:
        yield f"visible_px is {item.visible_px}, it has {count} pixels"
    if count < rules.min_visible_px:
        yield f"has {count} pixels and a label, expected {rules.min_visible_px} or more"
    left, top, right, bottom = item.box_amodal_px
    if not (left <= tight[0] + _SLACK_PX and top <= tight[1] + _SLACK_PX
            and right >= tight[2] - _SLACK_PX and bottom >= tight[3] - _SLACK_PX):  # fmt: skip
        yield f"its amodal box {item.box_amodal_px} does not contain the visible one {tight}"
    if item.rle is not None and not _is_code_of(item.rle, pixels):
        yield "its run-length code is not its pixels"


def tight_box(pixels: NDArray[np.bool_]) -> tuple[int, Box2D | None]:
    """Number of the pixels that are on, and the edges of the box around them; None where there is none."""
    rows, columns = np.flatnonzero(pixels.any(axis=1)), np.flatnonzero(pixels.any(axis=0))
    if not len(rows):
        return 0, None
    edges = (float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1))
    return int(np.count_nonzero(pixels)), edges


def _is_code_of(rle: str, pixels: NDArray[np.bool_]) -> bool:
    try:
        return np.array_equal(decode_rle(rle, *pixels.shape), pixels)
    except DatasetError:
        return False


def _against_depth(
    item: InstanceRecord, depth_m: NDArray[np.float32], cam_to_world: NDArray[np.float64]
) -> Iterator[str]:
    """The depth of an object's pixels lies within its 3-D box."""
    ends = _corners(item, cam_to_world)[:, 2]
    near, far = float(depth_m.min()), float(depth_m.max())
    if near < ends.min() - _SLACK_M or far > ends.max() + _SLACK_M:
        yield f"its pixels are {near:.2f} to {far:.2f} m away, its 3-D box {ends.min():.2f} to {ends.max():.2f} m"
