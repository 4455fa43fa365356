"""COCO, read by pycocotools."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from export_sets import CAR, PERSON, UNKNOWN, counted, mask_of

from pipelines.export.run import export_dataset

coco = pytest.importorskip("pycocotools.coco", reason="pycocotools is not installed")
cocoeval = pytest.importorskip("pycocotools.cocoeval", reason="pycocotools is not installed")


def read(folder: Path, split: str = "train"):
    with contextlib.redirect_stdout(io.StringIO()):
        return coco.COCO(str(folder / f"annotations/instances_{split}.json"))


@pytest.mark.parametrize("name", ["scene_set", "real_set"])
def test_masks_are_the_pixels_of_the_data_set(name: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(name)
    export_dataset(folder, tmp_path / "out", "coco")
    labels = read(tmp_path / "out")
    for image in labels.loadImgs(labels.getImgIds()):
        ids = mask_of(folder, Path(image["file_name"]).stem)
        found = [one for one in labels.loadAnns(labels.getAnnIds(image["id"])) if one["source"] == "rendered"]
        assert {one["gis_id"] for one in found} == set(np.unique(ids).tolist()) - {0}
        for one in found:
            assert np.array_equal(labels.annToMask(one).astype(bool), ids == one["gis_id"])
            assert labels.annToMask(one).sum() == one["area"]
    assert sum(not one["iscrowd"] for one in labels.dataset["annotations"]) == counted(folder)


def test_polygons_cover_the_same_pixels(scene_set: Path, tmp_path: Path) -> None:
    export_dataset(scene_set, tmp_path / "out", "coco", segments=True)
    labels = read(tmp_path / "out")
    for one in labels.dataset["annotations"]:
        ids = mask_of(scene_set, f"{one['image_id']:06d}")
        assert isinstance(one["segmentation"], list)
        assert (labels.annToMask(one).astype(bool) != (ids == one["gis_id"])).sum() <= 0.03 * one["area"]


def test_what_is_ignored_is_a_crowd_for_the_measure(real_set: Path, tmp_path: Path) -> None:
    """A find in a region without labels, or of what became no class, is no mistake; one elsewhere is."""
    (tmp_path / "mine.json").write_text('{"bus": "bus", "car": "car", "truck": "car"}')
    export_dataset(real_set, tmp_path / "out", "coco", classes=str(tmp_path / "mine.json"))
    labels = read(tmp_path / "out")
    bus, car = 1, 2
    crowds = [one for one in labels.dataset["annotations"] if one["iscrowd"]]
    places = {(one["category_id"], *one["bbox"][:2]) for one in crowds}
    assert {(number, *box[:2]) for number in (bus, car) for box in (UNKNOWN, PERSON)} <= places
    finds = [
        {
            "image_id": image,
            "category_id": car,
            "bbox": [box[0], box[1], box[2] - box[0], box[3] - box[1]],
            "score": 0.9,
        }
        for image in labels.getImgIds()
        for box in (UNKNOWN, PERSON, CAR)
    ]
    wrong = [{**one, "bbox": [80.0, 1.0, 12.0, 8.0]} for one in finds[:1]]
    assert precision(labels, finds, car) == pytest.approx(1.0)
    assert precision(labels, finds + wrong, car) < 1.0


def precision(labels, finds: list[dict], category: int) -> float:
    """Precision of the finds at an overlap of one half, at the recall that they reach."""
    with contextlib.redirect_stdout(io.StringIO()):
        run = cocoeval.COCOeval(labels, labels.loadRes(finds), "bbox")
        run.params.catIds = [category]
        run.params.iouThrs = np.array([0.5])
        run.evaluate()
    matched = np.concatenate([one["dtMatches"][0] for one in run.evalImgs[: len(labels.getImgIds())] if one])
    ignored = np.concatenate([one["dtIgnore"][0] for one in run.evalImgs[: len(labels.getImgIds())] if one])
    return float((matched[~ignored.astype(bool)] > 0).mean())


def test_splits_share_nothing_and_miss_nothing(scene_set: Path, real_set: Path, tmp_path: Path) -> None:
    export_dataset(real_set, tmp_path / "out", "coco", split=(0.5, 0.25, 0.25))
    images = {split: read(tmp_path / "out", split).dataset["images"] for split in ("train", "val", "test")}
    names = [one["file_name"] for found in images.values() for one in found]
    assert sorted(names) == [f"{index:06d}.png" for index in range(12)]
    for split, found in images.items():
        assert sorted(path.name for path in (tmp_path / "out" / split).iterdir()) == sorted(
            one["file_name"] for one in found
        )


def test_the_head_says_who_may_do_what(real_set: Path, tmp_path: Path) -> None:
    export_dataset(real_set, tmp_path / "out", "coco", license="CC-BY-4.0")
    data = json.loads((tmp_path / "out/annotations/instances_train.json").read_text())
    (licence,) = data["licenses"]
    assert licence == {"id": 1, "name": "CC-BY-4.0", "url": "https://spdx.org/licenses/CC-BY-4.0.html"}
    assert {image["license"] for image in data["images"]} == {1}
    assert "backgrounds frames: those it came with, which gis does not know" in data["info"]["ingredients"]
    assert all(one["supercategory"] for one in data["categories"])
    assert "instance_id" not in data["annotations"][0]  # FiftyOne refuses the name


def test_classes_have_the_numbers_of_their_set(real_set: Path, tmp_path: Path) -> None:
    for name, numbers in (
        ("flir-adas", {"person": 1, "car": 3, "truck": 8}),
        ("coco", {"person": 1, "car": 3, "truck": 8}),
    ):
        export_dataset(real_set, tmp_path / name, "coco", classes=name)
        labels = read(tmp_path / name)
        for ours, number in numbers.items():
            assert labels.getCatIds(catNms=[ours]) == [number]
            assert labels.getAnnIds(catIds=[number])


def test_people_have_their_key_points(real_set: Path, tmp_path: Path) -> None:
    """Known joints as they are, unknown ones as not labelled; other classes have none."""
    shutil.copytree(real_set, tmp_path / "set")
    lines = [json.loads(line) for line in (real_set / "frames.jsonl").read_text().splitlines()]
    chosen = next(
        item for line in lines for item in line["instances"] if item.get("labelled") and not item.get("ignored")
    )
    joints = [[float(number), 2.0 * number, number % 3] for number in range(17)]
    chosen.update(category="person", key_points=joints)
    (tmp_path / "set/frames.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    export_dataset(tmp_path / "set", tmp_path / "out", "coco")
    labels = read(tmp_path / "out")
    (person,) = labels.loadCats(labels.getCatIds(catNms=["person"]))
    assert len(person["keypoints"]) == 17
    found = labels.loadAnns(labels.getAnnIds(catIds=[person["id"]]))
    known = [one for one in found if one["num_keypoints"]]
    assert [one["keypoints"] for one in known] == [[value for joint in joints for value in joint]]
    assert known[0]["num_keypoints"] == sum(number % 3 > 0 for number in range(17))
    assert all(one["keypoints"] == [0] * 51 for one in found if not one["num_keypoints"])
    assert len(found) > 1
    assert all("keypoints" not in one for one in labels.dataset["annotations"] if one["category_id"] != person["id"])
