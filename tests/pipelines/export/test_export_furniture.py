"""Lights, signs, hydrants, lamps and trams in the labels of a set, and in the classes of other sets."""

from __future__ import annotations

import contextlib
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fake_renderer import FakeScene, FakeSession

from pipelines.dataset.validation import validate
from pipelines.export.classes import CLASS_MAPS, class_map
from pipelines.export.run import export_dataset
from pipelines.synthesis.dataset_run import synthesize_dataset
from pipelines.synthesis.options.render import RenderConfig
from pipelines.synthesis.options.synthesize import SynthesizeConfig
from renderer.geometry.frame import Frame

THINGS = (
    ("traffic_light", "signal"), ("traffic_sign", "stop"), ("traffic_sign", "speed"), ("hydrant", "hydrant"),
    ("street_lamp", "lamp"), ("tram", "tram_01"), ("trailer", "trailer_01"),
)  # fmt: skip
FLIR = {
    1: "person", 2: "bike", 3: "car", 4: "motor", 6: "bus", 7: "train", 8: "truck", 10: "light", 11: "hydrant",
    12: "sign", 17: "dog", 37: "skateboard", 73: "stroller", 77: "scooter", 79: "other vehicle",
}  # fmt: skip
"""Categories of the annotations of FLIR ADAS, version 2, in use."""
THEIRS: dict[str, dict[tuple[str, str], str | None]] = {
    "flir-adas": dict(zip(THINGS, ("light", "sign", "sign", "hydrant", None, "train", "other vehicle"), strict=True)),
    "coco": dict(
        zip(THINGS, ("traffic light", "stop sign", None, "fire hydrant", None, "train", "ignored"), strict=True)
    ),
    "kitti": dict(zip(THINGS, (None, None, None, None, None, "Tram", "Misc"), strict=True)),
    "m3fd": dict(zip(THINGS, ("ignored", None, None, None, "Lamp", "ignored", "ignored"), strict=True)),
    "llvip": dict(zip(THINGS, (None, None, None, None, None, "ignored", "ignored"), strict=True)),
    "kaist": dict(zip(THINGS, (None, None, None, None, None, "ignored", "ignored"), strict=True)),
}
"""What each thing is in each set: None is background there."""


class FurnishedSession(FakeSession):
    """Its first object is one thing after the other."""

    def frame(self, index: int, **options: Any) -> Frame:
        frame = super().frame(index, **options)
        first, *others = frame.instances
        category, model = THINGS[index % len(THINGS)]
        return replace(frame, instances=(replace(first, category=category, model=model), *others))


class FurnishedScene(FakeScene):
    def __call__(self, config: RenderConfig) -> FakeSession:
        return FurnishedSession(self, config)


@pytest.fixture(scope="module")
def furnished_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("furnished") / "out"
    config = SynthesizeConfig(out=out, count=35, seed=5, workers=1, model="physics", label_furniture=True)
    return synthesize_dataset(config, session_factory=FurnishedScene())


def things(folder: Path) -> dict[tuple[int, int], tuple[str, str]]:
    """Category and model by frame and id, of labelled things that count."""
    records = [json.loads(line) for line in (folder / "frames.jsonl").read_text().splitlines()]
    pairs = [(record["index"], one) for record in records for one in record["instances"]]
    known = {(index, one["id"]): (one["category"], one["model"]) for index, one in pairs if counts(one)}
    return {key: one for key, one in known.items() if one in THINGS}


def counts(one: dict[str, Any]) -> bool:
    return bool(one["labelled"]) and not one.get("ignored")


def test_the_set_itself_is_sound(furnished_set: Path) -> None:
    """pycocotools reads it; supercategories are COCO's; a thermal profile fits what the thing is."""
    coco_api = pytest.importorskip("pycocotools.coco")
    assert [str(problem) for problem in validate(furnished_set).problems] == []
    with contextlib.redirect_stdout(io.StringIO()):
        coco = coco_api.COCO(str(furnished_set / "annotations/coco.json"))
    above = {one["name"]: one["supercategory"] for one in coco.dataset["categories"]}
    assert {name: above[name] for name in ("traffic_light", "hydrant", "tram", "dog", "person")} == {
        "traffic_light": "outdoor", "hydrant": "outdoor", "tram": "vehicle", "dog": "animal", "person": "person",
    }  # fmt: skip
    found = things(furnished_set)
    assert set(found.values()) == set(THINGS)
    profiles = {}
    for one in coco.dataset["annotations"]:
        if (one["image_id"], one["instance_id"]) in found:
            name = coco.cats[one["category_id"]]["name"]
            assert name == found[one["image_id"], one["instance_id"]][0]
            assert coco.annToMask(one).sum() == one["area"]
            profiles[name] = one["profile"]
    assert profiles == {name: "tram_in_service" if name == "tram" else "stationary" for name, _ in THINGS}


@pytest.mark.parametrize("classes", THEIRS)
def test_what_things_are_in_other_sets(furnished_set: Path, tmp_path: Path, classes: str) -> None:
    export_dataset(furnished_set, tmp_path / "out", "coco", classes=classes)
    parts = [json.loads(path.read_text()) for path in (tmp_path / "out/annotations").glob("*.json")]
    names = {one["id"]: one["name"] for part in parts for one in part["categories"]}
    found: dict[tuple[int, int], set[str]] = {}
    for one in (one for part in parts for one in part["annotations"]):
        said = "ignored" if one["iscrowd"] else names[one["category_id"]]
        found.setdefault((one["image_id"], one["gis_id"]), set()).add(said)
    for key, thing in things(furnished_set).items():
        wanted = THEIRS[classes][thing]
        assert found.get(key, set()) == ({wanted} if wanted else set()), (thing, classes)


def test_class_lists_are_those_that_are_published() -> None:
    """FLIR's and COCO's own numbers, with COCO's gaps; the order of M3FD's classes in a published detector's list."""
    assert {one.id: one.name for one in CLASS_MAPS["flir-adas"].classes} == FLIR
    coco = {one.id: one.name for one in CLASS_MAPS["coco"].classes}
    assert set(coco) == set(range(1, 91)) - {12, 26, 29, 30, 45, 66, 68, 69, 71, 83}
    street = {1: "person", 7: "train", 10: "traffic light", 11: "fire hydrant", 13: "stop sign", 18: "dog"}
    assert {number: coco[number] for number in street} == street
    assert CLASS_MAPS["m3fd"].names == ("People", "Car", "Bus", "Motorcycle", "Lamp", "Truck")
    assert CLASS_MAPS["llvip"].names == ("person",)
    documented = {"Car", "Van", "Truck", "Pedestrian", "Person_sitting", "Cyclist", "Tram", "Misc", "DontCare"}
    assert set(CLASS_MAPS["kitti"].names) == documented - {"DontCare"}


def test_a_file_of_classes_says_what_lamps_are(tmp_path: Path) -> None:
    """Named: a class; null: ignored; not named: background, as in all sets that do not label them."""
    path = tmp_path / "classes.json"
    path.write_text('{"car": "vehicle", "traffic_sign/stop": "stop", "street_lamp": null}')
    found = class_map(str(path), ["car"])
    assert found.number("traffic_sign", "stop") == 1
    assert found.leaves_out("traffic_sign", "speed")
    assert found.leaves_out("hydrant")
    assert not found.leaves_out("street_lamp")
    assert not found.leaves_out("truck")
