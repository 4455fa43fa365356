"""Riders with what they ride as one object, as KITTI labels a cyclist and KAIST too."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final, TypeVar

import numpy as np
from renderer.geometry.frame import Box2D, Box3D, Instance

__all__ = ["KITTI_RIDERS", "as_one", "joined_riders"]

T = TypeVar("T", bound=Instance)

KITTI_RIDERS: Final[Mapping[str, str]] = {"bicycle": "cyclist", "motorcycle": "misc", "scooter": "misc"}
"""What KITTI calls a rider, by the category of the vehicle, in small letters. ``Misc`` holds what has a motor and no
word of its own, such as segways (Geiger et al., "Vision meets Robotics", IJRR 2013)."""


def joined_riders(
    instances: Sequence[T], others: Sequence[T], names: Mapping[str, str], size_px: tuple[int, int]
) -> list[T]:
    """The objects, each rider and vehicle as one.

    Args:
        instances: objects that count.
        others: labelled objects that do not count: vehicles among them belong to their riders all the same.
        names: category of the pair by that of the vehicle; vehicles that are not in it stay by themselves.
        size_px: width and height of the image.

    Returns:
        riders with vehicles where the riders stood; the vehicles are left out.
    """
    vehicles = {item.id: item for item in (*instances, *others) if item.category in names}
    ridden = {item.rides for item in instances if item.rides in vehicles}
    joined = []
    for item in (one for one in instances if one.id not in ridden):
        vehicle = None if item.rides is None else vehicles.get(item.rides)
        joined.append(item if vehicle is None else as_one(item, vehicle, names[vehicle.category], size_px))
    return joined


def as_one(rider: T, vehicle: Instance, category: str, size_px: tuple[int, int]) -> T:
    """A rider and a vehicle in an image of that size as one object: boxes around both, occlusion of the less hidden."""
    amodal = _around(rider.box_amodal_px, vehicle.box_amodal_px)
    visible = [box for box in (rider.box_visible_px, vehicle.box_visible_px) if box is not None]
    return replace(
        rider,
        category=category,
        box_3d=_around_3d(vehicle.box_3d, rider.box_3d),
        box_amodal_px=amodal,
        box_visible_px=_around(*visible) if visible else None,
        truncation=_outside(amodal, size_px),
        occlusion=min(rider.occlusion, vehicle.occlusion),
        visible_px=rider.visible_px + vehicle.visible_px,
    )


def _around(*boxes: Box2D) -> Box2D:
    left, top, right, bottom = np.transpose(boxes).tolist()
    return min(left), min(top), max(right), max(bottom)


def _outside(box: Box2D, size_px: tuple[int, int]) -> float:
    """Share of a box's area outside of the image, 0-1."""
    (left, top, right, bottom), (width, height) = box, size_px
    wide, high = min(right, width) - max(left, 0.0), min(bottom, height) - max(top, 0.0)
    area = (right - left) * (bottom - top)
    return min(max(1.0 - max(wide, 0.0) * max(high, 0.0) / area, 0.0), 1.0) if area > 0 else 1.0


def _around_3d(vehicle: Box3D, rider: Box3D) -> Box3D:
    """The box around both in the vehicle's axes, which are the rider's."""
    forward = np.array([math.cos(vehicle.yaw_rad), 0.0, -math.sin(vehicle.yaw_rad)])
    side = np.array([math.sin(vehicle.yaw_rad), 0.0, math.cos(vehicle.yaw_rad)])
    spans = []
    for axis, sizes in (
        (forward, (vehicle.length_m, rider.length_m)), (side, (vehicle.width_m, rider.width_m)),
    ):  # fmt: skip
        at = [float(axis @ np.array(one.centre_m)) for one in (vehicle, rider)]
        spans.append((min(a - s / 2 for a, s in zip(at, sizes, strict=True)),
                      max(a + s / 2 for a, s in zip(at, sizes, strict=True))))  # fmt: skip
    bottom = max(vehicle.centre_m[1], rider.centre_m[1])
    top = min(one.centre_m[1] - one.height_m for one in (vehicle, rider))
    middle = forward * sum(spans[0]) / 2 + side * sum(spans[1]) / 2
    return Box3D(
        (float(middle[0]), bottom, float(middle[2])), spans[0][1] - spans[0][0], bottom - top,
        spans[1][1] - spans[1][0], vehicle.yaw_rad,
    )  # fmt: skip
