"""KITTI, VOC, BOP, FiftyOne, Hugging Face and CVAT by the definitions of their formats; tests/tools has the tools."""

from __future__ import annotations

import csv
import hashlib
import json
import math
from pathlib import Path
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest
import yaml
from export_sets import CAR, HEIGHT, OF_FRAMES, WIDTH, box_of, counted, mask_of, records

from pipelines.dataset.labels import ORDINARY
from pipelines.export.run import export_dataset
from pipelines.io.images import read_png


def test_kitti_rows_are_those_of_the_data_set(real_set: Path, tmp_path: Path) -> None:
    """Checked there by `gis validate`; DontCare has no order."""
    export_dataset(real_set, tmp_path, "kitti")
    for record in records(real_set):
        wanted = (real_set / f"annotations/kitti/{record.stem}.txt").read_text().splitlines()
        found = (tmp_path / f"training/label_2/{record.stem}.txt").read_text().splitlines()
        named = [line for line in wanted if not line.startswith("DontCare")]
        assert [line for line in found if not line.startswith("DontCare")] == named
        assert set(found) <= set(wanted)


def test_kitti_calibration_projects_boxes_onto_objects(scene_set: Path, tmp_path: Path) -> None:
    export_dataset(scene_set, tmp_path, "kitti")
    seen = 0
    for record in records(scene_set):
        rows = [line.split() for line in (tmp_path / f"training/label_2/{record.stem}.txt").read_text().splitlines()]
        calibration = dict(
            line.split(": ") for line in (tmp_path / f"training/calib/{record.stem}.txt").read_text().splitlines()
        )
        projection = np.array(calibration["P2"].split(), float).reshape(3, 4)
        for row in rows:
            height, width, length, x, y, z, yaw = map(float, row[8:15])
            signs = np.array([(a, b, c) for a in (-1, 1) for b in (0, -1) for c in (-1, 1)]) * (
                length / 2,
                height,
                width / 2,
            )
            turn = np.array([[math.cos(yaw), 0, math.sin(yaw)], [0, 1, 0], [-math.sin(yaw), 0, math.cos(yaw)]])
            points = np.c_[signs @ turn.T + (x, y, z), np.ones(8)] @ projection.T
            columns = points[:, 0] / points[:, 2]
            left, right = float(row[4]), float(row[6])
            if left > 1 and right < 94:  # inside of the image
                assert abs(columns.min() - left) < 2.5
                assert abs(columns.max() - right) < 2.5
                seen += 1
        assert set(calibration) == {"P0", "P1", "P2", "P3", "R0_rect", "Tr_velo_to_cam", "Tr_imu_to_velo"}
    assert seen > 3


def test_kitti_classes_and_lists(real_set: Path, tmp_path: Path) -> None:
    export_dataset(real_set, tmp_path, "kitti", classes="kitti", split=(0.5, 0.25, 0.25))
    rows = [line for path in (tmp_path / "training/label_2").iterdir() for line in path.read_text().splitlines()]
    assert {row.split()[0] for row in rows} == {"Car", "Truck", "Pedestrian", "DontCare"}
    lists = {path.stem: path.read_text().split() for path in (tmp_path / "ImageSets").iterdir()}
    assert sorted(lists["train"] + lists["val"] + lists["test"]) == [record.stem for record in records(real_set)]
    assert lists["trainval"] == sorted(lists["train"] + lists["val"])


def test_voc_counts_pixels_from_one(real_set: Path, tmp_path: Path) -> None:
    export_dataset(real_set, tmp_path, "voc", classes="flir-adas")
    root = tmp_path / "VOCdevkit/VOC2012"
    plain = 0
    for record in records(real_set):
        objects = ElementTree.parse(root / f"Annotations/{record.stem}.xml").findall("object")
        kept = [one for one in objects if one.findtext("difficult") == "0"]
        plain += len(kept)
        ids = mask_of(real_set, record.stem)
        for one, item in zip(kept, record.counted, strict=False):
            left, top, right, bottom = (
                int(one.findtext(f"bndbox/{side}")) for side in ("xmin", "ymin", "xmax", "ymax")
            )
            rows, columns = np.nonzero(ids == item.id)
            assert (left, right) == (columns.min() + 1, columns.max() + 1)
            assert (top, bottom) == (rows.min() + 1, rows.max() + 1)
        ignored = {one.findtext("name") for one in objects if one.findtext("difficult") == "1"}
        assert {"person", "car", "truck", "bus"} <= ignored  # what the region without labels may hold
        image = cv2.imread(str(root / f"JPEGImages/{record.stem}.jpg"), cv2.IMREAD_UNCHANGED)
        before = read_png(real_set / f"images/{record.stem}.png")
        assert image.shape == before.shape
        assert np.abs(image.astype(float) - before).mean() < 4
    assert plain == counted(real_set)


def test_bop_poses_bring_the_models_box_to_the_object(scene_set: Path, tmp_path: Path) -> None:
    export_dataset(scene_set, tmp_path, "bop")
    folder = tmp_path / "train/000000"
    cameras, truth, seen = (
        json.loads((folder / f"scene_{name}.json").read_text()) for name in ("camera", "gt", "gt_info")
    )
    models = json.loads((tmp_path / "models/models_info.json").read_text())
    for record in records(scene_set):
        ids, key = mask_of(scene_set, record.stem), str(record.index)
        for number, item in enumerate(record.labelled):
            pose, about = truth[key][number], seen[key][number]
            R, t = np.array(pose["cam_R_m2c"]).reshape(3, 3), np.array(pose["cam_t_m2c"])
            assert np.abs(R @ R.T - np.eye(3)).max() < 1e-6
            assert np.linalg.det(R) == pytest.approx(1.0)
            # the same point by the record: the model's origin stands on the ground, half of its height below
            ground = np.linalg.inv(record.cam_to_world) @ item.object_to_world[:, 3]
            lower = t - R[:, 2] * models[str(pose["obj_id"])]["size_z"] / 2
            assert np.abs(lower / 1000 - ground[:3]).max() < 0.7
            assert about["px_count_visib"] == (ids == item.id).sum()
            assert about["bbox_visib"] == [
                *box_of(ids == item.id)[:2],
                *np.subtract(*np.reshape(box_of(ids == item.id), (2, 2))[::-1]),
            ]
            mask = read_png(folder / f"mask_visib/{record.stem}_{number:06d}.png")
            assert np.array_equal(mask == 255, ids == item.id)
        assert cameras[key]["cam_K"][2] == pytest.approx(record.camera.cx - 0.5)


def test_fiftyone_boxes_are_shares(real_set: Path, tmp_path: Path) -> None:
    export_dataset(real_set, tmp_path, "fiftyone")
    data = json.loads((tmp_path / "train/labels.json").read_text())
    found = [one for rows in data["labels"].values() for one in rows if not one["attributes"]["iscrowd"]]
    assert len(found) == counted(real_set)
    real = [one for one in found if one["attributes"]["source"] == "real" and one["label"] == "car"]
    assert all(np.allclose(one["bounding_box"], [CAR[0] / 96, CAR[1] / 64, 30 / 96, 20 / 64]) for one in real)
    assert real


def test_hf_lines_stand_beside_their_images(real_set: Path, tmp_path: Path) -> None:
    export_dataset(real_set, tmp_path, "hf", split=(0.5, 0.5))
    total = 0
    for split in ("train", "validation"):
        lines = [json.loads(line) for line in (tmp_path / split / "metadata.jsonl").read_text().splitlines()]
        assert sorted(path.name for path in (tmp_path / split).glob("*.png")) == [line["file_name"] for line in lines]
        for line in lines:
            assert len({len(column) for column in line["objects"].values()}) == 1
            total += line["objects"]["ignored"].count(False)
    assert total == counted(real_set)
    head = yaml.safe_load((tmp_path / "README.md").read_text().split("---")[1])
    assert [one["split"] for one in head["configs"][0]["data_files"]] == ["train", "validation"]


def test_cvat_polygons_have_the_area_of_the_masks(scene_set: Path, tmp_path: Path) -> None:
    export_dataset(scene_set, tmp_path, "cvat", segments=True)
    root = ElementTree.parse(tmp_path / "train/annotations.xml").getroot()
    assert root.findtext("version") == "1.1"
    declared = {one.findtext("name") for one in root.iter("label")}
    constructor = {one["name"] for one in json.loads((tmp_path / "labels.json").read_text())}
    assert declared == constructor == {*ORDINARY, "ignored"}
    assert int(root.findtext("meta/task/size")) == len(root.findall("image")) == 4
    areas: dict[str, float] = {}
    for image in root.findall("image"):
        for polygon in image.findall("polygon"):
            x, y = np.array([point.split(",") for point in polygon.get("points").split(";")], float).T
            area = abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2
            areas[image.get("name")] = areas.get(image.get("name"), 0.0) + area
            assert polygon.get("label") in declared
    for record in records(scene_set):
        assert areas[f"{record.stem}.png"] == pytest.approx((mask_of(scene_set, record.stem) > 0).sum(), rel=0.02)


def test_label_studio_has_percent_of_the_image(scene_set: Path, real_set: Path, tmp_path: Path) -> None:
    export_dataset(scene_set, tmp_path / "polygons", "label-studio", segments=True)
    interface = ElementTree.parse(tmp_path / "polygons/label_config.xml").getroot()
    declared = {one.get("value") for one in interface.iter("Label")}
    assert declared == {*ORDINARY, "ignored"}
    assert interface.find("PolygonLabels").get("toName") == interface.find("Image").get("name")
    tasks = json.loads((tmp_path / "polygons/train/tasks.json").read_text())
    for task, record in zip(tasks, records(scene_set), strict=True):
        root, _, file = task["data"]["image"].partition("?d=")
        assert (root, (tmp_path / "polygons" / file).is_file()) == ("/data/local-files/", True)
        area = 0.0
        for shape in task["annotations"][0]["result"]:
            assert set(shape["value"]["polygonlabels"]) <= declared
            x, y = np.array(shape["value"]["points"]).T * [[record.camera.width / 100], [record.camera.height / 100]]
            area += abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2
        assert area == pytest.approx((mask_of(scene_set, record.stem) > 0).sum(), rel=0.02)
    export_dataset(real_set, tmp_path / "boxes", "label-studio", split=(0.5, 0.25, 0.25))
    splits = [json.loads((tmp_path / f"boxes/{name}/tasks.json").read_text()) for name in ("train", "val", "test")]
    shapes = [one for tasks in splits for task in tasks for one in task["annotations"][0]["result"]]
    assert sum(one["value"]["rectanglelabels"] != ["ignored"] for one in shapes) == counted(real_set)
    real = [
        one["value"] for one in shapes if one["meta"]["text"] == ["real"] and one["value"]["rectanglelabels"] == ["car"]
    ]
    left, top, _, bottom = CAR
    for value in real:
        assert value["x"] == pytest.approx(100 * left / WIDTH)
        assert value["height"] == pytest.approx(100 * (bottom - top) / HEIGHT)


@pytest.mark.parametrize("name", OF_FRAMES)
def test_every_export_says_what_it_is(name: str, real_set: Path, tmp_path: Path) -> None:
    export_dataset(real_set, tmp_path, name, license="CC-BY-4.0")
    head = yaml.safe_load((tmp_path / "README.md").read_text().split("---")[1])
    assert head["license"] == "cc-by-4.0"
    assert head["task_categories"] == ["object-detection"]
    about = json.loads((tmp_path / "croissant.json").read_text())
    assert about["conformsTo"] == "http://mlcommons.org/croissant/1.0"
    table, files = about["distribution"]
    assert table["sha256"] == hashlib.sha256((tmp_path / table["contentUrl"]).read_bytes()).hexdigest()
    images = [path for pattern in files["includes"] for path in tmp_path.glob(pattern)]
    assert len(images) == len(records(real_set))
    with (tmp_path / "objects.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert {row["image"] for row in rows} <= {path.name for path in images}
    assert sum(row["ignored"] == "0" for row in rows) == counted(real_set)
    text = (tmp_path / "README.md").read_text()
    assert "backgrounds | frames" in text
    assert "CC\\-BY" in text or "CC-BY-4.0" in text
