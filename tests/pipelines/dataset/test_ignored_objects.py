"""Objects that others mostly hide: every label format says to leave them out, and other tools read it so."""

from __future__ import annotations

import contextlib
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_renderer import FakeScene

from pipelines.backgrounds.geometry.boxes import read_boxes
from pipelines.dataset.labels import is_ignored
from pipelines.dataset.record import FrameRecord, line_sha256
from pipelines.dataset.store import read_records
from pipelines.dataset.validation import validate
from pipelines.detection.labelled_images import NOT_COUNTED, open_labelled
from pipelines.errors import DatasetError
from pipelines.io.images import read_png
from pipelines.synthesis.dataset_run import synthesize_dataset
from pipelines.synthesis.options.synthesize import SynthesizeConfig

SHARE = 0.85


def make(out: Path, **options: object) -> Path:
    values = {"out": out, "count": 8, "seed": 7, "model": "physics", "workers": 1, "tensors": True, **options}
    return synthesize_dataset(SynthesizeConfig(**values), session_factory=FakeScene())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("ignored") / "out", min_visible_share=SHARE)


@pytest.fixture(scope="module")
def every(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same frames, in which all objects count."""
    return make(tmp_path_factory.mktemp("every") / "out", min_visible_share=0)


def records(folder: Path) -> list[FrameRecord]:
    return list(read_records(folder, FrameRecord))


def drawn_px(box: tuple[float, float, float, float], width: int, height: int) -> int:
    """Pixels inside of the image of a rectangle, which is what the fake scene draws."""
    left, top, right, bottom = box
    return round(max(0, min(right, width) - max(left, 0)) * max(0, min(bottom, height) - max(top, 0)))


def test_a_share_is_of_what_the_image_would_show(folder: Path) -> None:
    """By the pixels of mask and rectangle."""
    ignored = 0
    for record in records(folder):
        mask = read_png(folder / "masks" / f"{record.stem}.png")
        for item in record.labelled:
            whole = drawn_px(item.box_amodal_px, record.camera.width, record.camera.height)
            share = np.count_nonzero(mask == item.id) / whole
            assert bool(item.ignored) == (share < SHARE)
            ignored += bool(item.ignored)
    assert ignored == 3


def test_what_the_border_cuts_off_does_not_matter(folder: Path) -> None:
    """Of an object with a tenth in the image all of that tenth is visible: the renderer counts no pixels outside."""
    item = replace(records(folder)[0].labelled[0], truncation=0.9, visible_px=100, amodal_px=100)
    assert not is_ignored(item, 1.0)
    assert is_ignored(replace(item, visible_px=29), 0.3)
    assert not is_ignored(replace(item, visible_px=30), 0.3)


def test_only_labels_differ(folder: Path, every: Path) -> None:
    """Pictures, masks and tensors are those of a data set in which all objects count."""
    for record, other in zip(records(folder), records(every), strict=True):
        same = [name for name in record.files if not name.startswith("annotations")]
        assert len(same) >= 5
        assert [record.files[name] for name in same] == [other.files[name] for name in same]
        assert record.tensor_sha256 == other.tensor_sha256
        assert other.ignored == ()


def test_without_a_share_nothing_tells_of_it(every: Path) -> None:
    for name in ("dataset.json", "frames.jsonl", "README.md"):
        text = (every / name).read_text()
        assert "ignored" not in text
        assert "min_visible_share" not in text


def test_old_data_sets_go_on_without_a_share_only(every: Path) -> None:
    before = (every / "frames.jsonl").read_bytes()
    make(every, min_visible_share=0, count=9)
    assert (every / "frames.jsonl").read_bytes().startswith(before)
    with pytest.raises(DatasetError, match=r"min_visible_share is null, now 0\.3"):
        make(every)


def test_the_data_set_is_valid(folder: Path, every: Path) -> None:
    assert validate(folder).problems == []
    assert validate(every).problems == []


def test_pycocotools_takes_a_find_for_neither_right_nor_wrong(folder: Path) -> None:
    coco_module = pytest.importorskip("pycocotools.coco")
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):
        coco = coco_module.COCO(str(folder / "annotations" / "coco.json"))
        anns = list(coco.anns.values())
        of_others = [one for one in anns if not one["iscrowd"]]
        for chosen in (anns, of_others):  # with a find of each ignored object, and with none
            finds = [{**{key: one[key] for key in ("image_id", "category_id", "bbox")}, "score": 0.9} for one in chosen]
            measure = COCOeval(coco, coco.loadRes(finds), "bbox")
            measure.evaluate()
            measure.accumulate()
            measure.summarize()
            assert measure.stats[0] == pytest.approx(1.0)
    hidden = {(record.index, item.id) for record in records(folder) for item in record.ignored}
    assert {(one["image_id"], one["instance_id"]) for one in anns if one["iscrowd"]} == hidden
    for one in anns:
        mask = read_png(folder / "masks" / f"{one['image_id']:06d}.png")
        assert np.array_equal(coco.annToMask(one) > 0, mask == one["instance_id"])


def test_kitti_says_dont_care_and_yolo_nothing(folder: Path) -> None:
    kitti = read_boxes(folder / "annotations" / "kitti", keep_dont_care=True)
    yolo = read_boxes(folder / "annotations" / "yolo")
    for record in records(folder):
        rows = kitti[record.stem]
        wanted = [item.category.capitalize() for item in record.counted] + ["DontCare"] * len(record.ignored)
        assert [box.label for box in rows] == wanted
        for box, item in zip(rows[len(record.counted) :], record.ignored, strict=True):
            assert np.array(box.box_px) + 0.5 == pytest.approx(np.array(item.box_visible_px), abs=0.51)
        assert [box.label for box in yolo.get(record.stem, ())] == [item.category for item in record.counted]


def test_a_detector_leaves_them_out(folder: Path) -> None:
    opened = open_labelled(str(folder), ("car", "truck"))
    for image, record in zip(opened.images, records(folder), strict=True):
        assert int((image.classes == NOT_COUNTED).sum()) == len(record.ignored)


def test_counts_and_card(folder: Path) -> None:
    counts = json.loads((folder / "dataset.json").read_text())["counts"]
    hidden = sum(len(record.ignored) for record in records(folder))
    assert counts["ignored"] == hidden
    assert counts["objects"] + hidden == sum(len(record.labelled) for record in records(folder))
    assert f"{hidden} more objects show less than 85%" in (folder / "README.md").read_text()


def edit(folder: Path, change: Any) -> None:
    log = folder / "frames.jsonl"
    data = [json.loads(line) for line in log.read_text().splitlines()]
    change(data)
    for record in data:
        record["record_sha256"] = line_sha256(record)
    log.write_text("".join(json.dumps(record) + "\n" for record in data))


def objects(data: list[dict[str, Any]], ignored: bool) -> dict[str, Any]:
    """The first labelled object that is, or is not, ignored."""
    every = (item for record in data for item in record["instances"] if item["labelled"])
    return next(item for item in every if item.get("ignored", False) == ignored)


CHANGES: dict[str, Any] = {
    "ignored lost": lambda data: objects(data, True).pop("ignored"),
    "ignored made up": lambda data: objects(data, False).update(ignored=True),
    "hidden less": lambda data: objects(data, True).update(amodal_px=objects(data, True)["visible_px"]),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_wrong_mark_is_found(tmp_path: Path, name: str) -> None:
    folder = make(tmp_path / "out", min_visible_share=SHARE, tensors=False)
    edit(folder, CHANGES[name])
    assert any("ignored is" in problem for problem in validate(folder).problems)


@pytest.mark.parametrize("share", ["much", True, 1.5, None, [0.3]])
def test_a_share_that_is_none_is_refused(every: Path, tmp_path: Path, share: object) -> None:
    about = json.loads((every / "dataset.json").read_text())
    about["configuration"]["min_visible_share"] = share
    (tmp_path / "dataset.json").write_text(json.dumps(about))
    with pytest.raises(DatasetError, match=r"min_visible_share is .*: expected a number"):
        validate(tmp_path)


def test_another_share_is_found(tmp_path: Path) -> None:
    folder = make(tmp_path / "out", min_visible_share=SHARE, tensors=False)
    about = json.loads((folder / "dataset.json").read_text())
    about["configuration"]["min_visible_share"] = 0.1
    (folder / "dataset.json").write_text(json.dumps(about))
    assert any("to count takes 0.1" in problem for problem in validate(folder).problems)
