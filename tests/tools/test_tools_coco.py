"""COCO, as torchvision and supervision read it; pycocotools is in the default tests."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from export_sets import counted, records

pytestmark = [pytest.mark.tools, pytest.mark.filterwarnings("ignore")]


def test_torchvision(exported: Callable[..., Path], real_set: Path) -> None:
    datasets = pytest.importorskip("torchvision.datasets", reason="torchvision is not installed")
    folder = exported("coco")
    images = objects = 0
    for split in ("train", "val", "test"):
        for image, target in datasets.CocoDetection(folder / split, folder / f"annotations/instances_{split}.json"):
            images += 1
            objects += sum(not one["iscrowd"] for one in target)
            assert image.size == (96, 64)
    assert (images, objects) == (len(records(real_set)), counted(real_set))


def test_supervision(exported: Callable[..., Path], scene_set: Path, real_set: Path) -> None:
    supervision = pytest.importorskip("supervision", reason="supervision is not installed")
    folder = exported("coco", split=(), ignored="background")
    found = supervision.DetectionDataset.from_coco(
        images_directory_path=str(folder / "train"), annotations_path=str(folder / "annotations/instances_train.json")
    )
    listed = json.loads((real_set / "dataset.json").read_text(encoding="utf-8"))["categories"]
    assert found.classes == list(listed)
    assert sum(len(detections) for _, _, detections in found) == counted(real_set)
