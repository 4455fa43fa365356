"""Ultralytics finds every image and every label, and trains an epoch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from export_sets import box_of, counted, mask_of, records

pytestmark = [pytest.mark.tools, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(autouse=True)
def quiet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YOLO_CONFIG_DIR", str(tmp_path))
    monkeypatch.setenv("YOLO_OFFLINE", "true")
    monkeypatch.setenv("YOLO_VERBOSE", "false")
    pytest.importorskip("ultralytics", reason="ultralytics is not installed")


def labels_of(folder: Path, split: str, *, segments: bool = False) -> list[dict]:
    """What the trainer's own data set holds."""
    from ultralytics.data import YOLODataset
    from ultralytics.data.utils import check_det_dataset

    data = check_det_dataset(str(folder / "data.yaml"), autodownload=False)
    task = "segment" if segments else "detect"
    return YOLODataset(img_path=data[split], data=data, task=task, augment=False, imgsz=96).labels


@pytest.mark.parametrize("link", [False, True])
def test_every_image_and_label_is_found(exported: Callable[..., Path], real_set: Path, link: bool) -> None:
    folder = exported("yolo", link=link, ignored="background")
    found = {Path(one["im_file"]).stem: one for split in ("train", "val", "test") for one in labels_of(folder, split)}
    assert sorted(found) == [record.stem for record in records(real_set)]
    assert sum(len(one["cls"]) for one in found.values()) == counted(real_set)


def test_segments_are_the_masks(exported: Callable[..., Path], real_set: Path) -> None:
    folder = exported("yolo", segments=True, split=())
    seen = 0
    for one in labels_of(folder, "train", segments=True):
        (record,) = (item for item in records(real_set) if item.stem == Path(one["im_file"]).stem)
        ids = mask_of(real_set, record.stem)
        for polygon, item in zip(one["segments"], record.counted, strict=False):
            corners = np.asarray(polygon) * ids.shape[::-1]
            assert np.abs([*corners.min(0), *corners.max(0)] - np.array(box_of(ids == item.id))).max() < 1e-3
            seen += 1
    assert seen == sum(len(record.counted) for record in records(real_set)) > 5


def test_an_epoch(exported: Callable[..., Path], tmp_path: Path, real_set: Path) -> None:
    from ultralytics import YOLO

    model = YOLO("yolo11n.yaml")
    options = {"epochs": 1, "imgsz": 64, "batch": 4, "device": "cpu", "workers": 0, "plots": False, "pretrained": False}
    model.train(data=str(exported("yolo") / "data.yaml"), project=str(tmp_path / "runs"), **options)
    trained = model.trainer.train_loader.dataset
    assert len(trained) == 6
    assert sum(len(one["cls"]) for one in trained.labels) > 0
    assert (tmp_path / "runs").is_dir()
    assert np.isfinite(model.trainer.loss.item())
