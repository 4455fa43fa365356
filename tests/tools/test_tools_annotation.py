"""Exports in Datumaro and Label Studio, which need other versions than all else: an environment of their own."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from export_sets import HEIGHT, WIDTH, counted, records

from pipelines.export.run import export_dataset

PYTHON = os.environ.get("GIS_ANNOTATION_PYTHON", "")
pytestmark = [
    pytest.mark.tools,
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.skipif(not PYTHON, reason="GIS_ANNOTATION_PYTHON names no Python with Datumaro: make test-tools"),
]
SPLITS = ("train", "val", "test")


def read(*arguments: object) -> Any:
    """What tests/tools/read_annotation.py prints."""
    command = [PYTHON, str(Path(__file__).with_name("read_annotation.py")), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("kind", ["coco", "yolo", "voc"])
def test_datumaro(kind: str, exported: Callable[..., Path], real_set: Path) -> None:
    folder = exported(kind, ignored="paint")
    if kind == "coco":
        (folder / "images").symlink_to(".")  # it looks for images/train, where COCO itself has train/
    found = read("datumaro", kind, folder / "VOCdevkit/VOC2012" if kind == "voc" else folder)
    assert found["images"] == [[HEIGHT, WIDTH]] * len(records(real_set))
    boxes = [name for shape, name, counts in found["shapes"] if shape == "bbox" and counts]
    assert len(boxes) == counted(real_set)
    assert set(boxes) == {"car", "truck", "person"}


def test_label_studio_boxes(exported: Callable[..., Path], real_set: Path, tmp_path: Path) -> None:
    folder, boxes, images = exported("label-studio"), [], 0
    for split in SPLITS:
        found = read("label-studio", folder, split, tmp_path / split)
        assert found["errors"] == []
        names = {one["id"]: one["name"] for one in found["coco"]["categories"]}
        images += len(found["coco"]["images"])
        boxes += [(names[one["category_id"]], *_rounded(one["bbox"])) for one in found["coco"]["annotations"]]
    wanted = []
    for record in records(real_set):
        own = [(item.category, item.box_visible_px or item.box_amodal_px) for item in record.counted]
        own += [(one.category, one.box_px) for one in record.real_objects or () if one.labelled]
        wanted += [(name, *_rounded((a, b, c - a, d - b))) for name, (a, b, c, d) in own]
    assert images == len(records(real_set))
    assert sorted(one for one in boxes if one[0] != "ignored") == sorted(wanted)


def test_label_studio_polygons_have_the_area_of_the_masks(scene_set: Path, tmp_path: Path) -> None:
    export_dataset(scene_set, tmp_path / "polygons", "label-studio", segments=True)
    found = read("label-studio", tmp_path / "polygons", "train", tmp_path / "coco")
    assert found["errors"] == []
    pixels = sum(item.visible_px for record in records(scene_set) for item in record.labelled)
    assert sum(one["area"] for one in found["coco"]["annotations"]) == pytest.approx(pixels, rel=0.02)


def _rounded(values: Any) -> list[float]:
    return [round(value, 2) for value in values]
