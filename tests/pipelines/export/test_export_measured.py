"""What `gis export` writes for other tools is what `gis measure` and `gis stats` read, by the export's folder alone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pipelines.detection.labelled_images import LabelledImage, open_labelled
from pipelines.export.run import export_dataset

CLASSES = ("car",)


def counted(image: LabelledImage) -> NDArray[np.float32]:
    """(N, 4) boxes without those that are neither wanted nor wrong, which YOLO cannot say, in one order."""
    boxes = image.boxes_px[image.classes >= 0]
    return boxes[np.lexsort(boxes.T.round())]


@pytest.mark.parametrize("kind", ["coco", "yolo"])
def test_the_split_to_train_on_is_taken(real_set: Path, tmp_path: Path, kind: str) -> None:
    out = tmp_path / "drawn"
    export_dataset(real_set, out, kind, split=(0.5, 0.25, 0.25))
    every = {image.name: image for image in open_labelled(str(real_set), CLASSES).images}
    taken = open_labelled(str(out), CLASSES)
    splits = json.loads((out / "splits.json").read_text())
    assert taken.name == "drawn"
    assert 0 < len(taken.images) < len(every)
    assert sorted(image.name for image in taken.images) == sorted(splits["splits"]["train"])
    assert sum(image.classes.size for image in taken.images) > 0
    for image in taken.images:
        np.testing.assert_allclose(counted(image), counted(every[image.name]), atol=0.01)
        assert kind == "yolo" or (image.read() == every[image.name].read()).all()  # YOLO: ignored objects are greyed


def test_kitti_has_all_in_one_folder(real_set: Path, tmp_path: Path) -> None:
    out = tmp_path / "kitti"
    export_dataset(real_set, out, "kitti", split=(0.5, 0.5))
    taken = open_labelled(str(out), CLASSES)
    assert taken.name == "kitti"
    assert len(taken.images) == len(open_labelled(str(real_set), CLASSES).images)
