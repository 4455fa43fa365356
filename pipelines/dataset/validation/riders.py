"""Riders against their vehicles: what `rides` says, and the one row that both have in KITTI's labels."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from renderer.geometry.frame import Box3D
from renderer.zones.categories import TWO_WHEELERS

from pipelines.dataset.record import InstanceRecord, Record

__all__ = ["rider_problems", "with_cyclists"]

_FARTHEST_M = 1.0
"""A rider has the pose of the vehicle, or one of its own on it."""
_TYPES = {"bicycle": "cyclist"}
"""KITTI's type of a rider by what is ridden; ``misc`` for all else."""


def rider_problems(record: Record) -> Iterator[str]:
    """What is wrong with what the objects of a frame ride, one line each."""
    known = {item.id: item for item in record.instances}
    for item in (one for one in record.instances if one.rides is not None):
        vehicle = known.get(item.rides or 0)
        if vehicle is None or vehicle.category not in TWO_WHEELERS:
            kind = "not there" if vehicle is None else f"a {vehicle.category}"
            yield f"object {item.id}: rides {item.rides}, which is {kind}: expected one of {', '.join(TWO_WHEELERS)}"
        elif item.category != "person":
            yield f"object {item.id}: is a {item.category} and rides {item.rides}: expected a person"
        elif (off := _apart_m(item, vehicle)) > _FARTHEST_M:
            yield f"object {item.id}: stands {off:.2f} m from the vehicle that it rides"


def _apart_m(one: InstanceRecord, other: InstanceRecord) -> float:
    return float(np.linalg.norm(one.object_to_world[:3, 3] - other.object_to_world[:3, 3]))


def with_cyclists(record: Record) -> list[InstanceRecord]:
    """The labelled objects, riders that count being one with their vehicle."""
    riders = [item for item in record.labelled if item.rides is not None and not item.ignored]
    vehicles = {item.id: item for item in record.labelled if item.category in TWO_WHEELERS}
    joined = {item.id: _cyclist(item, vehicles[item.rides or 0], record) for item in riders if item.rides in vehicles}
    ridden = {item.rides for item in joined.values()}
    return [joined.get(item.id, item) for item in record.labelled if item.id not in ridden]


def _cyclist(rider: InstanceRecord, vehicle: InstanceRecord, record: Record) -> InstanceRecord:
    pair = np.array([rider.box_amodal_px, vehicle.box_amodal_px])
    (left, top), (right, bottom) = pair[:, :2].min(axis=0).tolist(), pair[:, 2:].max(axis=0).tolist()
    seen = np.clip([left, right], 0, record.camera.width), np.clip([top, bottom], 0, record.camera.height)
    return replace(
        rider,
        category=_TYPES.get(vehicle.category, "misc"),
        box_amodal_px=(left, top, right, bottom),
        truncation=1.0 - float(np.ptp(seen[0]) * np.ptp(seen[1])) / max((right - left) * (bottom - top), 1e-12),
        occlusion=min(rider.occlusion, vehicle.occlusion),
        box_3d=_solid_around(vehicle.box_3d, rider.box_3d),
    )


def _solid_around(vehicle: Box3D, rider: Box3D) -> Box3D:
    """Around the corners of both, in the axes of the vehicle."""
    c, s = math.cos(vehicle.yaw_rad), math.sin(vehicle.yaw_rad)
    to_own = np.array([(c, 0.0, -s), (0.0, 1.0, 0.0), (s, 0.0, c)])
    corners = np.concatenate([_corners(one, vehicle.yaw_rad) for one in (vehicle, rider)]) @ to_own.T
    low, high = corners.min(axis=0), corners.max(axis=0)
    length, height, width = (high - low).tolist()
    x, y, z = (((low + high) / 2 * (1, 0, 1) + high * (0, 1, 0)) @ to_own).tolist()
    return Box3D((x, y, z), length, height, width, vehicle.yaw_rad)


def _corners(box: Box3D, yaw_rad: float) -> NDArray[np.float64]:
    """(8, 3) in camera axes, of a box that is turned so."""
    c, s = math.cos(yaw_rad), math.sin(yaw_rad)
    units = np.array([(a, b, d) for a in (-0.5, 0.5) for b in (0.0, -1.0) for d in (-0.5, 0.5)])
    sized = units * (box.length_m, box.height_m, box.width_m)
    turned = np.stack([c * sized[:, 0] + s * sized[:, 2], sized[:, 1], c * sized[:, 2] - s * sized[:, 0]], axis=1)
    return np.asarray(turned + np.array(box.centre_m))
