"""KITTI object labels: one text file per image, 15 columns per object.

Columns: type, truncated, occluded, alpha, 2-D box (left top right bottom), dimensions (height width length), location
of the bottom centre in camera axes, rotation about the camera's y axis. The 2-D box is that of the whole object,
clipped to the image, as in KITTI; the visible box stands in the other formats. KITTI counts pixels by their centres,
so its coordinates are ours less 0.5. A person is a ``Pedestrian``, one who sits a ``Person_sitting``; one who rides a
bicycle is a ``Cyclist`` together with it, one who rides a motorcycle or a scooter ``Misc``, where KITTI has vehicles
without a type of their own. Its types have no bus, parked bicycle or animal; ours has them.

An object that a real background shows by itself has a box alone: its other columns have the values that the
benchmark's development kit gives to what is not known. What has no label of ours is a ``DontCare`` region, and so is
the visible box of an object that is mostly hidden: in rows at the end, where readers of KITTI's labels look for them.

Source: development kit of the KITTI object benchmark (Geiger, Lenz, Urtasun, CVPR 2012).
"""

from __future__ import annotations

from collections.abc import Sequence

from renderer.geometry.boxes import observation_angle
from renderer.geometry.frame import Box2D, Instance

from pipelines.dataset.labels.riders import KITTI_RIDERS, joined_riders
from pipelines.dataset.record import RealObject

__all__ = ["kitti_text", "kitti_type"]

_CENTRE = 0.5


def kitti_text(
    instances: Sequence[Instance],
    width: int,
    height: int,
    real: Sequence[RealObject] = (),
    ignored: Sequence[Instance] = (),
) -> str:
    """Rows of one image.

    Args:
        instances: objects that count.
        width: of the image, pixels.
        height: of the image, pixels.
        real: what the background shows by itself.
        ignored: labelled objects that do not count.
    """
    joined = joined_riders(instances, ignored, KITTI_RIDERS, (width, height))
    left_over = [item for item in ignored if item.id not in {one.rides for one in instances}]
    rows = [_row(instance, width, height) for instance in joined]
    # Readers of KITTI's labels count the rows with a name and take so many from the top.
    rows += [_row_of_real(item, width, height) for item in sorted(real, key=lambda item: not item.labelled)]
    rows += [_row_of_box("DontCare", item.box_visible_px or item.box_amodal_px, width, height) for item in left_over]
    return "".join(rows)


def kitti_type(category: str, profile: str = "") -> str:
    """KITTI's word for a category; what a person does tells of two."""
    if category == "person":
        return "Person_sitting" if profile == "sitting" else "Pedestrian"
    return category.capitalize()


def _row_of_real(item: RealObject, width: int, height: int) -> str:
    return _row_of_box(kitti_type(item.category) if item.labelled else "DontCare", item.box_px, width, height)


def _row_of_box(name: str, box_px: Box2D, width: int, height: int) -> str:
    box = " ".join(f"{value:.2f}" for value in _edges(box_px, width, height))
    return f"{name} -1 -1 -10 {box} -1 -1 -1 -1000 -1000 -1000 -10\n"


def _edges(box: Box2D, width: int, height: int) -> Box2D:
    left, top, right, bottom = box
    return (_clip(left, width), _clip(top, height), _clip(right, width), _clip(bottom, height))


def _row(instance: Instance, width: int, height: int) -> str:
    solid = instance.box_3d
    values = (
        observation_angle(solid),
        *_edges(instance.box_amodal_px, width, height),
        solid.height_m,
        solid.width_m,
        solid.length_m,
        *solid.centre_m,
        solid.yaw_rad,
    )
    head = f"{kitti_type(instance.category, instance.profile)} {instance.truncation:.2f} {instance.occlusion}"
    return " ".join([head, *(f"{value:.2f}" for value in values)]) + "\n"


def _clip(edge_px: float, size_px: int) -> float:
    return min(max(edge_px - _CENTRE, 0.0), size_px - 1.0)
