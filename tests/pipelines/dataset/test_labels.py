from __future__ import annotations

import contextlib
import itertools
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from assets import CAMERAS
from pipelines.dataset.labels import CATEGORIES, MIN_VISIBLE_PX, labelled
from pipelines.dataset.labels import run_lengths as run_lengths_module
from pipelines.dataset.labels.coco import LabelledFrame, write_coco
from pipelines.dataset.labels.kitti import kitti_text
from pipelines.dataset.labels.run_lengths import encode_rle, run_lengths
from pipelines.dataset.labels.yolo import yolo_classes, yolo_text
from pipelines.dataset.record import InstanceRecord
from pipelines.dataset.validation.run_lengths import decode_rle
from pipelines.errors import DatasetError
from pipelines.io.typed_json import from_json, to_json
from renderer.geometry.camera import read_cameras
from renderer.geometry.frame import Box3D, Instance

CAR = Instance(
    id=7, category="van", model="van", profile="driving", object_to_world=np.eye(4),
    box_3d=Box3D((1.5, 1.6, 20.0), 4.2, 1.5, 1.8, -1.5), box_amodal_px=(-10.5, 20.25, 60.0, 80.0),
    box_visible_px=(0.0, 21.0, 50.0, 80.0), visible_px=900, amodal_px=1200, truncation=0.25, occlusion=1,
)  # fmt: skip


def reference_mask() -> np.ndarray:
    rows, columns = np.mgrid[:40, :64]
    ellipse = ((columns - 30.5) / 25) ** 2 + ((rows - 18.5) / 14) ** 2 < 1
    return ellipse & ~((columns > 20) & (columns < 28) & (rows % 7 == 3))


def box_of(mask: np.ndarray) -> tuple[float, float, float, float]:
    rows, columns = np.nonzero(mask)
    return float(columns.min()), float(rows.min()), float(columns.max() + 1), float(rows.max() + 1)


def test_run_length_code_is_that_of_pycocotools() -> None:
    mask = reference_mask()
    # Written by pycocotools 2.0.11: mask.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"].
    wanted = (
        "P86P14M2N2N2N2O0O2N2O000O2O000O2OZOC20000>NB20000>NB20000=OC100000K;4E100000K;4E100000K;4E100000K;"
        "k00000000000000000001N1000001N10001N10001N2N101N2N2N2N3Lb9"
    )
    assert encode_rle(run_lengths(mask.astype(np.uint16) * 9, 9, box_of(mask))) == wanted
    assert np.array_equal(decode_rle(wanted, 40, 64), mask)


@settings(max_examples=80, deadline=None)
@given(hnp.arrays(np.bool_, hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=30)))
def test_run_lengths_by_brute_force(mask: np.ndarray) -> None:
    if not mask.any():
        return
    counts, state, run = [], False, 0
    for pixel in mask.T.ravel().tolist():
        if pixel != state:
            counts.append(run)
            state, run = pixel, 0
        run += 1
    counts.append(run)
    assert run_lengths(mask.astype(np.uint16) * 3, 3, box_of(mask)).tolist() == counts
    assert np.array_equal(decode_rle(encode_rle(counts), *mask.shape), mask)


def test_runs_fit_their_array(monkeypatch: pytest.MonkeyPatch) -> None:
    """The compiled loop writes past an array's end without a word; the same loop in plain Python says so."""
    monkeypatch.setattr(run_lengths_module, "_find_runs", run_lengths_module._find_runs.py_func)
    for height, width in itertools.product(range(1, 5), range(1, 5)):
        for bits in itertools.product((False, True), repeat=height * width) if height * width < 10 else ():
            mask = np.zeros((height + 2, width + 1), dtype=np.uint16)
            mask[1:-1, :-1] = np.reshape(bits, (height, width))
            if mask.any():
                code = encode_rle(run_lengths(mask, 1, box_of(mask > 0)))
                assert np.array_equal(decode_rle(code, *mask.shape), mask > 0)


@given(st.text(alphabet=[chr(code) for code in range(48, 112)], max_size=20))
def test_no_text_is_taken_for_a_mask_of_another_size(text: str) -> None:
    with contextlib.suppress(DatasetError):
        assert decode_rle(text, 5, 7).shape == (5, 7)


def test_kitti_row_of_a_known_object() -> None:
    row = kitti_text([CAR], 100, 90).split()
    assert len(row) == 15
    assert row[:3] == ["Van", "0.25", "1"]
    # alpha = ry - atan2(x, z), the box clipped and in KITTI's coordinates, then height width length, x y z, ry.
    assert float(row[3]) == pytest.approx(-1.5 - np.arctan2(1.5, 20.0), abs=0.005)
    assert list(map(float, row[4:])) == [0.0, 19.75, 59.5, 79.5, 1.5, 1.8, 4.2, 1.5, 1.6, 20.0, -1.5]


def test_kitti_rows_of_kitti(shared_data: Path) -> None:
    """Real rows, read into our terms and written again, come out the same."""
    camera = read_cameras(CAMERAS)["kitti-object"]
    compared = 0
    for path in sorted((shared_data / "kitti" / "label_2").glob("*.txt")):
        for line in path.read_text().splitlines():
            kind, *values = line.split()
            if kind not in ("Car", "Van", "Truck"):
                continue
            cut, occluded, alpha, left, top, right, bottom, h, w, length, x, y, z, yaw = map(float, values)
            box = (left + 0.5, top + 0.5, right + 0.5, bottom + 0.5)
            item = replace(
                CAR, category=kind.lower(), truncation=cut, occlusion=int(occluded), box_amodal_px=box,
                box_3d=Box3D((x, y, z), length, h, w, yaw),
            )  # fmt: skip
            ours = kitti_text([item], camera.width, camera.height).split()
            assert float(ours[3]) == pytest.approx(alpha, abs=0.02)
            del ours[3]
            theirs = line.split()
            del theirs[3]
            assert ours == theirs
            compared += 1
    assert compared >= 3


def test_yolo_row_gives_the_visible_box_back() -> None:
    number, *shares = yolo_text([CAR], 100, 90).split()
    assert yolo_classes().splitlines()[int(number)] == "van"
    cx, cy, w, h = map(float, shares)
    box = ((cx - w / 2) * 100, (cy - h / 2) * 90, (cx + w / 2) * 100, (cy + h / 2) * 90)
    assert box == pytest.approx(CAR.box_visible_px, abs=1e-3)


def test_slivers_and_hidden_objects_get_no_label() -> None:
    sliver = replace(CAR, id=1, visible_px=MIN_VISIBLE_PX - 1)
    hidden = replace(CAR, id=2, visible_px=0, box_visible_px=None)
    just = replace(CAR, id=3, visible_px=MIN_VISIBLE_PX)
    assert [item.id for item in labelled([CAR, just, hidden, sliver])] == [3, 7]


def test_coco_file_is_what_detectors_expect(tmp_path: Path) -> None:
    mask = reference_mask()
    item = replace(CAR, box_visible_px=box_of(mask), visible_px=int(mask.sum()))
    code = encode_rle(run_lengths(mask.astype(np.uint16) * 7, 7, box_of(mask)))
    images = [(number, f"{number:06d}.png", 64, 40) for number in range(3)]
    frames = [
        LabelledFrame(images[0], [item, item], [code, code]),
        LabelledFrame(images[1], [], []),
        LabelledFrame(images[2], [item], [code]),
    ]
    head = {"info": {"version": "2"}, "licenses": [{"id": 1, "name": "CC0-1.0", "url": ""}]}
    write_coco(tmp_path / "coco.json", frames, CATEGORIES, head)
    coco = json.loads((tmp_path / "coco.json").read_text())
    assert [image["id"] for image in coco["images"]] == [0, 1, 2]
    assert {image["license"] for image in coco["images"]} == {1}
    assert (coco["info"], coco["licenses"]) == (head["info"], head["licenses"])
    assert [category["name"] for category in coco["categories"]] == list(CATEGORIES)
    assert [annotation["id"] for annotation in coco["annotations"]] == [1, 2, 3]
    last = coco["annotations"][2]
    assert (last["image_id"], last["category_id"], last["iscrowd"]) == (2, CATEGORIES.index("van") + 1, 0)
    x, y, w, h = last["bbox"]
    assert mask[int(y) : int(y + h), int(x) : int(x + w)].sum() == mask.sum() == last["area"]
    assert last["segmentation"]["size"] == [40, 64]


def test_instance_survives_json() -> None:
    written = json.dumps(to_json(InstanceRecord.of(CAR, labelled=True, rle="x")))
    back = from_json(InstanceRecord, json.loads(written), "instance")
    assert np.array_equal(back.object_to_world, CAR.object_to_world)
    assert (back.labelled, back.rle) == (True, "x")
    for name in Instance.__dataclass_fields__:
        assert name == "object_to_world" or getattr(back, name) == getattr(CAR, name)
