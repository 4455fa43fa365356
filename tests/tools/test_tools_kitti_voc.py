"""KITTI and VOC, as torchvision reads them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from export_sets import counted, records

from pipelines.export.run import export_dataset

pytestmark = [pytest.mark.tools, pytest.mark.filterwarnings("ignore")]


def test_kitti(real_set: Path, tmp_path: Path) -> None:
    datasets = pytest.importorskip("torchvision.datasets", reason="torchvision is not installed")
    export_dataset(real_set, tmp_path / "Kitti/raw", "kitti")
    found = datasets.Kitti(tmp_path, train=True)
    assert len(found) == len(records(real_set))
    rows = [row for _, target in found for row in target]
    assert sum(row["type"] != "DontCare" for row in rows) == counted(real_set)
    assert {row["type"] for row in rows} <= {"Car", "Truck", "Pedestrian", "DontCare"}


def test_voc(real_set: Path, tmp_path: Path) -> None:
    datasets = pytest.importorskip("torchvision.datasets", reason="torchvision is not installed")
    export_dataset(real_set, tmp_path, "voc", split=(0.5, 0.5))
    images, wanted = [], 0
    for split in ("train", "val"):
        for image, target in datasets.VOCDetection(tmp_path, year="2012", image_set=split):
            about = target["annotation"]
            images.append(about["filename"])
            objects = about["object"]
            wanted += sum(one["difficult"] == "0" for one in objects)
            width, height = image.size
            for one in objects:
                left, top, right, bottom = (int(one["bndbox"][side]) for side in ("xmin", "ymin", "xmax", "ymax"))
                assert 1 <= left <= right <= width
                assert 1 <= top <= bottom <= height
            assert np.asarray(image).dtype == np.uint8
    assert sorted(images) == [f"{record.stem}.jpg" for record in records(real_set)]
    assert wanted == counted(real_set)
