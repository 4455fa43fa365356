"""What real backgrounds show by themselves: in the records, in every label format, and as other tools read it."""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_renderer import FakeScene

from pipelines.backgrounds.geometry.boxes import read_boxes
from pipelines.dataset.record import FrameRecord, line_sha256
from pipelines.dataset.store import read_records
from pipelines.dataset.validation import validate
from pipelines.detection.labelled_images import NOT_COUNTED, open_labelled
from pipelines.io.files import file_sha256
from pipelines.io.images import encode_png, read_png
from pipelines.synthesis.dataset_run import synthesize_dataset
from pipelines.synthesis.options.synthesize import SynthesizeConfig

WIDTH, HEIGHT = 96, 64
ROWS = {
    "Car": [4.0, 40.0, 20.0, 56.0],
    "DontCare": [0.0, 0.0, 10.0, 8.0],
    "Bus": [70.0, 20.0, 95.0, 50.0],
    "Pedestrian": [30.0, 30.0, 36.0, 50.0],
}
KITTI = {"person": "Pedestrian", "dontcare": "DontCare"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set over four backgrounds, one of which has no boxes."""
    root = tmp_path_factory.mktemp("real")
    (root / "frames").mkdir()
    (root / "labels").mkdir()
    rng = np.random.default_rng(3)
    for name in ("first", "second", "third", "bare"):
        grey = rng.integers(60, 120, (HEIGHT, WIDTH), dtype=np.uint8)
        (root / "frames" / f"{name}.png").write_bytes(encode_png(grey))
    lines = [f"{name} 0 0 0 {' '.join(map(str, box))} 1.5 1.6 4 0 1.6 20 0" for name, box in ROWS.items()]
    for name in ("first", "second", "third"):
        (root / "labels" / f"{name}.txt").write_text("\n".join(lines) + "\n")
    config = SynthesizeConfig(
        out=root / "out", count=8, backgrounds=root / "frames", boxes=root / "labels", size="96x64", horizon=30.0,
        model="physics", workers=1,
    )  # fmt: skip
    synthesize_dataset(config, session_factory=FakeScene())
    return root / "out"


def records(folder: Path) -> list[FrameRecord]:
    return list(read_records(folder, FrameRecord))


def test_records_say_what_the_boxes_say(folder: Path) -> None:
    """Of each real object the box as it was given, and the share of it that the mask covers."""
    seen = 0
    for record in records(folder):
        if record.background.name == "bare.png":
            assert record.real_objects is None
            continue
        assert record.real_objects is not None
        mask = read_png(folder / "masks" / f"{record.stem}.png")
        for item in record.real_objects:
            wanted = ROWS[KITTI.get(item.category, item.category.capitalize())]
            assert list(item.box_px) == wanted
            left, top, right, bottom = map(int, wanted)
            covered = float((mask[top:bottom, left:right] > 0).mean())
            assert item.covered == pytest.approx(covered, abs=1e-4)
            assert item.labelled == (item.category in ("car", "bus", "person") and covered <= 0.5)
            seen += 1
    assert seen >= 8


def test_the_data_set_is_valid(folder: Path) -> None:
    assert validate(folder).problems == []


def test_pycocotools_reads_boxes_and_crowds(folder: Path) -> None:
    coco_module = pytest.importorskip("pycocotools.coco")
    with contextlib.redirect_stdout(io.StringIO()):
        coco = coco_module.COCO(str(folder / "annotations" / "coco.json"))
    names = {item["id"]: item["name"] for item in coco.dataset["categories"]}
    for record in records(folder):
        found = [one for one in coco.imgToAnns[record.index] if one.get("source") == "real"]
        single = [one for one in found if not one["iscrowd"]]
        wanted = [item for item in record.real_objects or () if item.labelled]
        assert [names[one["category_id"]] for one in single] == [item.category for item in wanted]
        for one, item in zip(single, wanted, strict=True):
            x, y, w, h = one["bbox"]
            assert (x, y, x + w, y + h) == item.box_px
        for one in found:
            if one["iscrowd"]:
                x, y, w, h = map(round, one["bbox"])
                mask = coco.annToMask(one)
                assert mask.sum() == w * h == mask[y : y + h, x : x + w].sum()


def test_other_readers_find_the_same_objects(folder: Path) -> None:
    """KITTI's and YOLO's files through the reader of labels, against the records."""
    kitti = read_boxes(folder / "annotations" / "kitti", keep_dont_care=True)
    yolo = read_boxes(folder / "annotations" / "yolo")
    for record in records(folder):
        real = sorted(record.real_objects or (), key=lambda item: not item.labelled)
        rows = kitti[record.stem][len(record.counted) : len(record.counted) + len(real)]
        assert [box.label for box in rows] == [
            KITTI.get(item.category, item.category.capitalize()) if item.labelled else "DontCare" for item in real
        ]
        for box, item in zip(rows, real, strict=True):
            assert np.array(box.box_px) + 0.5 == pytest.approx(
                np.minimum(item.box_px, [95.5, 63.5, 95.5, 63.5]), abs=0.51
            )
        shown = [item for item in real if item.labelled]
        last = yolo[record.stem][len(record.counted) :]
        assert [box.label for box in last] == [item.category for item in shown]
        for box, item in zip(last, shown, strict=True):
            assert box.in_pixels(WIDTH, HEIGHT).box_px == pytest.approx(item.box_px, abs=1e-3)


def test_kitti_names_no_object_after_dont_care(folder: Path, tmp_path: Path) -> None:
    """Readers count the named rows and take so many from the top; the order of earlier versions is valid too."""
    mixed = 0
    for record in records(folder):
        path = folder / "annotations" / "kitti" / f"{record.stem}.txt"
        names = [row.split()[0] for row in path.read_text().splitlines()]
        named = sum(name != "DontCare" for name in names)
        assert "DontCare" not in names[:named]
        real = record.real_objects or ()
        mixed += any(not one.labelled and other.labelled for one, other in itertools.pairwise(real))
    assert mixed >= 1
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    log = copy / "frames.jsonl"
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    for line, record in zip(lines, records(folder), strict=True):
        name = f"annotations/kitti/{record.stem}.txt"
        rows = (copy / name).read_text().splitlines(keepends=True)
        count, real = len(record.counted), list(record.real_objects or ())
        by_place = sorted(range(len(real)), key=lambda place: not real[place].labelled)
        former = [row for _, row in sorted(zip(by_place, rows[count : count + len(real)], strict=True))]
        (copy / name).write_text("".join([*rows[:count], *former, *rows[count + len(real) :]]))
        line["files"][name] = file_sha256(copy / name)
        line["record_sha256"] = line_sha256(line)
    log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert validate(copy).problems == []


def test_a_detector_is_told_of_them(folder: Path) -> None:
    opened = open_labelled(str(folder), ("car", "bus"))
    for image, record in zip(opened.images, records(folder), strict=True):
        real = record.real_objects or ()
        shown = [item.category for item in (*(one for one in real if one.labelled), *record.counted)]
        assert int((image.classes != NOT_COUNTED).sum()) == sum(name in ("car", "bus") for name in shown)
        assert image.background == Path(record.background.name or "").stem


def test_card_and_counts_say_it(folder: Path) -> None:
    counts = json.loads((folder / "dataset.json").read_text())["counts"]
    every = [item.category for record in records(folder) for item in record.real_objects or () if item.labelled]
    assert counts["real"] == {name: every.count(name) for name in sorted(set(every))}
    assert counts["images_without_objects"] == sum(not record.labelled for record in records(folder))
    assert "no labels" not in (folder / "README.md").read_text()


CHANGES: dict[str, Any] = {
    "box": lambda item: replace(item, box_px=(item.box_px[0] + 1.0, *item.box_px[1:])),
    "covered": lambda item: replace(item, covered=min(item.covered + 0.3, 0.9)),
    "category": lambda item: replace(item, category="van"),
    "labelled": lambda item: replace(item, labelled=not item.labelled),
    "outside": lambda item: replace(item, box_px=(-5.0, *item.box_px[1:])),
}


@pytest.mark.parametrize("name", [*CHANGES, "dropped"])
def test_a_wrong_value_is_found(folder: Path, tmp_path: Path, name: str) -> None:
    """Also where the line's own hash is made right again."""
    copy = shutil.copytree(folder, tmp_path / "copy")
    lines = records(copy)
    place = next(k for k, record in enumerate(lines) if record.real_objects)
    real = lines[place].real_objects
    assert real is not None
    changed = real[1:] if name == "dropped" else (CHANGES[name](real[0]), *real[1:])
    lines[place] = replace(lines[place], real_objects=changed)
    (copy / "frames.jsonl").write_text("".join(line.to_line() + "\n" for line in lines))
    assert validate(copy).problems
