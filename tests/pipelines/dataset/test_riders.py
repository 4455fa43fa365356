"""Riders in the labels: one row in KITTI, two boxes elsewhere, and what is said of them is checked."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipelines.dataset.frame_files import FilesInFolder
from pipelines.dataset.labels.coco import coco_annotations
from pipelines.dataset.labels.kitti import kitti_text
from pipelines.dataset.labels.yolo import yolo_text
from pipelines.dataset.record import InstanceRecord, PassesRecord
from pipelines.dataset.validation.labels import check_rows
from pipelines.dataset.validation.objects import Rules, check_objects
from pipelines.dataset.validation.planes import Planes
from pipelines.io.typed_json import from_json, to_json
from pipelines.synthesis.options.choices import KINDS
from renderer.geometry.boxes import truncation
from renderer.geometry.camera import Camera
from renderer.geometry.frame import Box3D, Instance
from renderer.scene.road_users import companions, trailers, trams, two_wheelers

CAMERA = Camera("plain", 200, 100, 100.0, 100.0, 100.0, 50.0)
YAW = 0.4
POSE = np.eye(4)
VEHICLE = Instance(
    id=3, category="bicycle", model="bicycle_01", profile="bicycle_ridden", object_to_world=POSE,
    box_3d=Box3D((1.0, 1.6, 12.0), 1.7, 1.0, 0.6, YAW), box_amodal_px=(100.0, 40.0, 120.0, 70.0),
    box_visible_px=(100.0, 45.0, 120.0, 70.0), visible_px=90, amodal_px=200, truncation=0.0, occlusion=2,
)  # fmt: skip
RIDER = Instance(
    id=4, category="person", model="bicycle_01.rider_01", profile="cycling", object_to_world=POSE,
    box_3d=Box3D((1.0, 1.3, 12.0), 0.8, 1.5, 0.7, YAW), box_amodal_px=(98.0, 20.0, 115.0, 66.0),
    box_visible_px=(98.0, 20.0, 115.0, 66.0), visible_px=390, amodal_px=400, truncation=0.0, occlusion=0, rides=3,
)  # fmt: skip


def test_kitti_has_a_rider_and_a_bicycle_in_one_row() -> None:
    """Box around both; sizes by hand: both have one middle and heading."""
    rows = kitti_text([VEHICLE, RIDER], 200, 100).splitlines()
    assert len(rows) == 1
    words = rows[0].split()
    assert words[:3] == ["Cyclist", "0.00", "0"]
    assert list(map(float, words[4:8])) == [97.5, 19.5, 119.5, 69.5]
    assert list(map(float, words[8:])) == pytest.approx([1.8, 0.7, 1.7, 1.0, 1.6, 12.0, YAW], abs=0.006)


def test_kitti_has_no_word_for_riders_with_a_motor() -> None:
    for category in ("motorcycle", "scooter"):
        rows = kitti_text([replace(VEHICLE, category=category), RIDER], 200, 100)
        assert rows.startswith("Misc ")


def test_a_vehicle_that_does_not_count_belongs_to_its_rider_all_the_same() -> None:
    rows = kitti_text([RIDER], 200, 100, ignored=[VEHICLE]).splitlines()
    assert [row.split()[0] for row in rows] == ["Cyclist"]
    alone = kitti_text([VEHICLE], 200, 100, ignored=[RIDER]).splitlines()
    assert [row.split()[0] for row in alone] == ["Bicycle", "DontCare"]
    assert kitti_text([RIDER], 200, 100).startswith("Pedestrian ")


def test_a_rider_off_the_middle_has_a_longer_box() -> None:
    """The rider sits 0.6 m behind the middle and reaches 0.15 m beyond the rear wheel."""
    back = (1.0 - 0.6 * math.cos(YAW), 1.3, 12.0 + 0.6 * math.sin(YAW))
    rows = kitti_text([VEHICLE, replace(RIDER, box_3d=replace(RIDER.box_3d, centre_m=back))], 200, 100)
    length, x, z = float(rows.split()[10]), float(rows.split()[11]), float(rows.split()[13])
    assert length == pytest.approx(1.7 / 2 + 0.6 + 0.4, abs=0.006)
    off = (0.85 - (0.6 + 0.4)) / 2
    assert (x, z) == pytest.approx((1.0 + off * math.cos(YAW), 12.0 - off * math.sin(YAW)), abs=0.006)


def test_truncation_is_of_the_box_around_both() -> None:
    pair = [
        replace(VEHICLE, box_amodal_px=(170.0, 40.0, 220.0, 70.0)),
        replace(RIDER, box_amodal_px=(180.0, -10.0, 210.0, 60.0)),
    ]
    wanted = truncation((170.0, -10.0, 220.0, 70.0), CAMERA)
    assert float(kitti_text(pair, 200, 100).split()[1]) == pytest.approx(wanted, abs=0.006)


def test_coco_and_yolo_have_both() -> None:
    found = coco_annotations((0, "0.png", 200, 100), [VEHICLE, RIDER], ["", ""], 1)
    assert [one["category_id"] for one in found] == [6, 5]
    assert [one.get("rides") for one in found] == [None, 3]
    assert [row.split()[0] for row in yolo_text([VEHICLE, RIDER], 200, 100).splitlines()] == ["5", "4"]


def test_what_a_record_says_comes_back_and_old_records_ride_nothing() -> None:
    record = InstanceRecord.of(RIDER, labelled=True)
    data = to_json(record)
    assert data["rides"] == 3
    assert from_json(InstanceRecord, data, "here").rides == 3
    assert "rides" not in to_json(InstanceRecord.of(VEHICLE))


def problems(vehicle: Instance, rider: Instance) -> list[str]:
    instances = tuple(InstanceRecord.of(item) for item in (vehicle, rider))
    record = PassesRecord(index=0, seed=0, camera=CAMERA, cam_to_world=np.eye(4), instances=instances, files={})
    planes = Planes(FilesInFolder(Path("nowhere")), "000000", (100, 200))
    return [line for line in check_objects(record, planes, Rules(("person",), 20)) if "rides" in line]


def test_wrong_riders_are_found() -> None:
    assert problems(VEHICLE, RIDER) == []
    assert "rides 9, which is not there" in problems(VEHICLE, replace(RIDER, rides=9))[0]
    assert "rides 3, which is a car" in problems(replace(VEHICLE, category="car"), RIDER)[0]
    assert "is a dog and rides 3" in problems(VEHICLE, replace(RIDER, category="dog"))[0]
    away = POSE + np.array([[0, 0, 0, 3.0], *[[0] * 4] * 3])
    assert "stands 3.00 m from" in problems(VEHICLE, replace(RIDER, object_to_world=away))[0]


def test_rows_of_riders_are_checked(tmp_path: Path) -> None:
    instances = tuple(InstanceRecord.of(item, labelled=True) for item in (VEHICLE, RIDER))
    record = PassesRecord(index=0, seed=0, camera=CAMERA, cam_to_world=np.eye(4), instances=instances, files={})
    path = tmp_path / "annotations/kitti/000000.txt"
    path.parent.mkdir(parents=True)
    path.write_text(kitti_text([VEHICLE, RIDER], 200, 100))
    assert list(check_rows(FilesInFolder(tmp_path), record, ("person",))) == []
    path.write_text(path.read_text().replace("Cyclist", "Pedestrian"))
    assert "type Pedestrian, the object is a cyclist" in next(check_rows(FilesInFolder(tmp_path), record, ("person",)))


def test_the_words_of_the_option_are_those_of_the_renderer() -> None:
    assert {"cars", "people", *two_wheelers.KINDS, *companions.COMPANIONS, trams.TRAMS, trailers.TRAILERS} == set(KINDS)
