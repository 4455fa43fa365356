"""What a set does not label and another set has a class for: ignored by each format's own means, never background."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from fake_renderer import FakeScene, FakeSession

from pipelines.dataset.record import FrameRecord, RealObject
from pipelines.dataset.store import read_records
from pipelines.dataset.validation import validate
from pipelines.export.classes import class_map
from pipelines.export.config import ExportConfig
from pipelines.export.run import export_dataset, run_export
from pipelines.synthesis.dataset_run import synthesize_dataset
from pipelines.synthesis.options.render import RenderConfig
from pipelines.synthesis.options.synthesize import SynthesizeConfig
from renderer.geometry.frame import Frame, Unlabelled

LAMP = Unlabelled("street_lamp", "lamp", (3.0, 2.0, 9.0, 7.0), 30)
SIGNS = (
    Unlabelled("traffic_sign", "stop", (70.0, 5.0, 78.0, 13.0), 60),
    Unlabelled("traffic_sign", "speed", (80.0, 5.0, 86.0, 13.0), 44),
    Unlabelled("traffic_light", "signal", (50.0, 4.0, 53.0, 12.0), 24),
)
SLIVER = Unlabelled("hydrant", "hydrant", (60.0, 30.0, 62.0, 33.0), 6)


class StreetSession(FakeSession):
    def frame(self, index: int, **options: Any) -> Frame:
        return replace(super().frame(index, **options), unlabelled=(LAMP, *SIGNS, SLIVER))


class StreetScene(FakeScene):
    def __call__(self, config: RenderConfig) -> FakeSession:
        return StreetSession(self, config)


@pytest.fixture(scope="module")
def street_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("street") / "out"
    config = SynthesizeConfig(out=out, count=3, seed=5, workers=1, model="physics")
    return synthesize_dataset(config, session_factory=StreetScene())


def coco(folder: Path) -> tuple[list[tuple[str, list[float], int]], list[str]]:
    """Class, box and mark of the first image's entries that are of no rendered object; names of all classes."""
    data = json.loads((folder / "annotations/instances_train.json").read_text())
    names = {one["id"]: one["name"] for one in data["categories"]}
    entries = [one for one in data["annotations"] if one["image_id"] == 0 and "gis_id" not in one]
    return [(names[one["category_id"]], one["bbox"], one["iscrowd"]) for one in entries], list(names.values())


def test_the_set_names_what_it_does_not_label(street_set: Path) -> None:
    """Slivers are left out, as everywhere; the set's own labels are as they were."""
    assert [str(problem) for problem in validate(street_set).problems] == []
    record = next(iter(read_records(street_set, FrameRecord)))
    assert [(one.category, one.model, one.box_px) for one in record.unlabelled or ()] == [
        (one.category, one.model, one.box_px) for one in (LAMP, *SIGNS)
    ]
    own = json.loads((street_set / "annotations/coco.json").read_text())
    assert {one["name"] for one in own["categories"]}.isdisjoint({"traffic_sign", "street_lamp"})
    assert len(own["annotations"]) == sum(len(one.labelled) for one in read_records(street_set, FrameRecord))


def test_a_wrong_box_is_found(street_set: Path, tmp_path: Path) -> None:
    import shutil

    copy = shutil.copytree(street_set, tmp_path / "copy")
    lines = (copy / "frames.jsonl").read_text().splitlines()
    first = json.loads(lines[0])
    first["unlabelled"][1]["box_px"] = [70.0, 5.0, 178.0, 13.0]
    first["unlabelled"][2]["category"] = "kite"
    (copy / "frames.jsonl").write_text("\n".join([json.dumps(first), *lines[1:]]) + "\n")
    problems = "\n".join(str(problem) for problem in validate(copy).problems)
    assert "unlabelled object 1: its box" in problems
    assert "unlabelled object 2: category 'kite'" in problems


@pytest.mark.parametrize(
    ("classes", "wanted"),
    [
        ("flir-adas", ["sign", "sign", "light"]),
        ("coco", ["stop sign", "traffic light"]),
        ("m3fd", ["Lamp"]),
        ("kitti", []),
        ("llvip", []),
        (None, []),
    ],
)
def test_coco_has_crowds_of_what_has_a_class(
    street_set: Path, tmp_path: Path, classes: str | None, wanted: list[str]
) -> None:
    options = {} if classes is None else {"classes": classes}
    export_dataset(street_set, tmp_path / "out", "coco", **options)
    found, _ = coco(tmp_path / "out")
    assert [(name, crowd) for name, _, crowd in found] == [(name, 1) for name in wanted]
    if classes == "flir-adas":
        assert [box for _, box, _ in found] == [[70, 5, 8, 8], [80, 5, 6, 8], [50, 4, 3, 8]]


def test_kitti_does_not_care(street_set: Path, tmp_path: Path) -> None:
    """In KITTI's dialect with FLIR's classes; with KITTI's own classes lamps are background, as in KITTI."""
    for classes, wanted in (("flir-adas", 3), ("kitti", 0)):
        out = tmp_path / classes
        export_dataset(street_set, out, "kitti", classes=classes)
        rows = (out / "training/label_2/000000.txt").read_text().splitlines()
        # KITTI's pixels have their centres at whole numbers.
        boxes = [[float(edge) + 0.5 for edge in row.split()[4:8]] for row in rows if row.startswith("DontCare")]
        assert boxes == [list(one.box_px) for one in SIGNS][:wanted]


def test_yolo_keeps_its_pictures_unless_it_is_told(street_set: Path, tmp_path: Path) -> None:
    """It has no mark: by default what is not labelled is background, painted over where one asks for it."""
    folders = {}
    for name, options in (("auto", {}), ("paint", {"ignored": "paint"})):
        folders[name] = tmp_path / name
        export_dataset(street_set, folders[name], "yolo", classes="flir-adas", **options)
    own = cv2.imread(str(street_set / "images/000000.png"), cv2.IMREAD_UNCHANGED)
    seen = {
        name: cv2.imread(str(folder / "images/train/000000.png"), cv2.IMREAD_UNCHANGED)
        for name, folder in folders.items()
    }
    np.testing.assert_array_equal(seen["auto"], own)
    left, top, right, bottom = (int(edge) for edge in SIGNS[0].box_px)
    assert (seen["paint"][top:bottom, left:right] != own[top:bottom, left:right]).any()
    rows = [(folder / "labels/train/000000.txt").read_text() for folder in folders.values()]
    assert rows[0] == rows[1]


def test_who_exports_to_yolo_is_told(street_set: Path, tmp_path: Path) -> None:
    told: dict[str, list[str]] = {}
    for name, options in (("flir-adas", {}), ("llvip", {}), ("paint", {"ignored": "paint"})):
        classes = "llvip" if name == "llvip" else "flir-adas"
        config = ExportConfig(street_set, tmp_path / name, "yolo", classes=classes, **options)
        run_export(config, report=told.setdefault(name, []).append)
    assert [line for lines in (told["llvip"], told["paint"]) for line in lines] == []
    assert told["flir-adas"][0].startswith("traffic_light, traffic_sign: in view, without a label, and background")


def test_real_lights_by_their_own_word_are_ignored_too(street_set: Path, tmp_path: Path) -> None:
    """Boxes of a background that say ``light``, in a set that lists no lights."""
    from pipelines.dataset.description import DatasetDescription
    from pipelines.export.job import Job
    from pipelines.export.splits import Split

    record = next(iter(read_records(street_set, FrameRecord)))
    real = RealObject("light", (1.0, 1.0, 5.0, 9.0), 0.0, False)
    record = replace(record, unlabelled=None, real_objects=(real,))
    description = DatasetDescription.from_json(json.loads((street_set / "dataset.json").read_text()), "set")
    for classes, wanted in (("flir-adas", ["light"]), ("llvip", [])):
        config = ExportConfig(street_set, tmp_path / "out", "coco", classes=classes)
        job = Job(config, description, class_map(classes, description.categories), Split({}, {}), paints=False)
        found = [one for one in job._objects(record, {}) if one.instance is None]
        assert [(job.classes.names[one.number], one.ignored) for one in found] == [(name, True) for name in wanted]
