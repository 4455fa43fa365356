"""FiftyOne's importers read every format with the same counts; its database is not needed for that."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from export_sets import counted, records

pytestmark = [pytest.mark.tools, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(autouse=True)
def quiet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIFTYONE_DO_NOT_TRACK", "1")
    monkeypatch.setenv("FIFTYONE_DATABASE_DIR", str(tmp_path / "database"))
    pytest.importorskip("fiftyone", reason="fiftyone is not installed")


def count(importers: Iterable[Any]) -> tuple[int, int, set[str]]:
    """Images, detections that are not ignored, and classes."""
    images, found = 0, []
    for importer in importers:
        with importer:
            for path, _, labels in importer:
                assert Path(path).is_file()
                images += 1
                labels = labels if isinstance(labels, dict) else {"labels": labels}
                found += [one for label in labels.values() if label for one in label.detections]
    kept = [one for one in found if not _is_ignored(one)]
    return images, len(kept), {one.label for one in kept}


def _is_ignored(detection: Any) -> bool:
    return bool(getattr(detection, "iscrowd", False)) or detection.label in ("DontCare", "ignored")


SPLITS = ("train", "val", "test")


def test_coco(exported: Callable[..., Path], real_set: Path) -> None:
    from fiftyone.utils.coco import COCODetectionDatasetImporter

    folder = exported("coco")
    importers = [
        COCODetectionDatasetImporter(
            data_path=str(folder / split),
            labels_path=str(folder / f"annotations/instances_{split}.json"),
            label_types=["detections"],
        )
        for split in SPLITS
    ]
    assert count(importers) == (len(records(real_set)), counted(real_set), {"car", "truck", "person"})


def test_coco_masks(scene_set: Path, exported: Callable[..., Path], tmp_path: Path) -> None:
    from fiftyone.utils.coco import COCODetectionDatasetImporter

    from pipelines.export.run import export_dataset

    export_dataset(scene_set, tmp_path / "masks", "coco")
    importer = COCODetectionDatasetImporter(
        data_path=str(tmp_path / "masks/train"),
        labels_path=str(tmp_path / "masks/annotations/instances_train.json"),
        label_types=["segmentations"],
    )
    with importer:
        areas = [int(one.mask.sum()) for _, _, labels in importer for one in labels.detections]
    data = json.loads((tmp_path / "masks/annotations/instances_train.json").read_text())
    assert sorted(areas) == sorted(one["area"] for one in data["annotations"])


def test_yolo(exported: Callable[..., Path], real_set: Path) -> None:
    from fiftyone.utils.yolo import YOLOv5DatasetImporter

    folder = str(exported("yolo"))
    importers = [YOLOv5DatasetImporter(dataset_dir=folder, yaml_path="data.yaml", split=split) for split in SPLITS]
    assert count(importers) == (len(records(real_set)), counted(real_set), {"car", "truck", "person"})


def test_kitti(exported: Callable[..., Path], real_set: Path) -> None:
    from fiftyone.utils.kitti import KITTIDetectionDatasetImporter

    folder = exported("kitti") / "training"
    importer = KITTIDetectionDatasetImporter(data_path=str(folder / "image_2"), labels_path=str(folder / "label_2"))
    assert count([importer]) == (len(records(real_set)), counted(real_set), {"Car", "Truck", "Pedestrian"})


def test_voc(exported: Callable[..., Path], real_set: Path) -> None:
    from fiftyone.utils.voc import VOCDetectionDatasetImporter

    folder = exported("voc", ignored="paint") / "VOCdevkit/VOC2012"
    importer = VOCDetectionDatasetImporter(
        data_path=str(folder / "JPEGImages"), labels_path=str(folder / "Annotations")
    )
    assert count([importer]) == (len(records(real_set)), counted(real_set), {"car", "truck", "person"})


def test_cvat(exported: Callable[..., Path], real_set: Path) -> None:
    from fiftyone.utils.cvat import CVATImageDatasetImporter

    folder = exported("cvat")
    importers = [
        CVATImageDatasetImporter(
            data_path=str(folder / split / "images"), labels_path=str(folder / split / "annotations.xml")
        )
        for split in SPLITS
    ]
    assert count(importers) == (len(records(real_set)), counted(real_set), {"car", "truck", "person"})


def test_its_own_form(exported: Callable[..., Path], real_set: Path) -> None:
    from fiftyone.utils.data import FiftyOneImageDetectionDatasetImporter

    folder = exported("fiftyone")
    importers = [FiftyOneImageDetectionDatasetImporter(dataset_dir=str(folder / split)) for split in SPLITS]
    assert count(importers) == (len(records(real_set)), counted(real_set), {"car", "truck", "person"})
