"""Boxes with the room that other annotators leave."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from export_sets import mask_of

from pipelines.errors import ConfigError, DatasetError
from pipelines.export.run import export_dataset

coco = pytest.importorskip("pycocotools.coco", reason="pycocotools is not installed")


def _cars(folder: Path, out: Path, margins: Any = None) -> tuple[Any, list[dict[str, Any]]]:
    export_dataset(folder, out, "coco", **({} if margins is None else {"box_margins": margins}))
    with contextlib.redirect_stdout(io.StringIO()):
        labels = coco.COCO(str(out / "annotations/instances_train.json"))
    return labels, [one for one in labels.dataset["annotations"] if one["source"] == "rendered"]


def test_boxes_reach_beyond_the_pixels_and_masks_stay(scene_set: Path, tmp_path: Path) -> None:
    labels, found = _cars(scene_set, tmp_path / "out", "car=0.1:0.05:0.1:0.2")
    names = {row["id"]: row["name"] for row in labels.dataset["categories"]}
    wide = 0
    for one in found:
        ids = mask_of(scene_set, f"{one['image_id']:06d}") == one["gis_id"]
        assert np.array_equal(labels.annToMask(one).astype(bool), ids)
        rows, columns = (np.flatnonzero(ids.any(axis=axis)) for axis in (1, 0))
        tight = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], np.float64)
        more = np.array([-0.1, -0.05, 0.1, 0.2]) * (tight[3] - tight[1])
        counts = names[one["category_id"]] == "car" and not one["iscrowd"]
        limits = np.array([ids.shape[1], ids.shape[0]] * 2)
        expected = np.clip(tight + more * counts, 0, limits)
        left, top, width, height = one["bbox"]
        np.testing.assert_allclose([left, top, left + width, top + height], expected, atol=1e-6)
        wide += counts
    assert wide


def test_a_file_of_margins_is_taken(scene_set: Path, tmp_path: Path) -> None:
    path = tmp_path / "box-margins-made.json"
    path.write_text(json.dumps({"schema": "gis-box-margins", "version": 1, "margins": {"car": [0.1, 0.05, 0.1, 0.2]}}))
    by_file = _cars(scene_set, tmp_path / "a", str(path))[1]
    assert by_file == _cars(scene_set, tmp_path / "b", "car=0.1:0.05:0.1:0.2")[1]
    assert by_file != _cars(scene_set, tmp_path / "c")[1]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("car=0.1", "expected four numbers, 0 to 0.5"),
        ("car=a:b:c:d", "expected CATEGORY=LEFT:TOP:RIGHT:BOTTOM"),
        ("car=0:0:0:nan", "expected four numbers"),
        ("car=0:0:0:-0.1", "expected four numbers"),
        ("tank=0:0:0:0.1", "unknown category 'tank': expected one of car"),
        ("nowhere.json", "no such file is there: expected CATEGORY="),
    ],
)
def test_margins_that_are_none_are_one_line(scene_set: Path, tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said.replace("(", r"\(")):
        export_dataset(scene_set, tmp_path / "out", "coco", box_margins=text)


def test_another_file_is_one_line(scene_set: Path, tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text('{"margins": []}')
    with pytest.raises(DatasetError, match=r"other\.json: no box margins: expected"):
        export_dataset(scene_set, tmp_path / "out", "coco", box_margins=str(tmp_path / "other.json"))
    with pytest.raises(ConfigError, match="box-margins means nothing to the format kitti"):
        export_dataset(scene_set, tmp_path / "out", "kitti", box_margins="car=0:0:0:0.1")
