"""Riders in the classes of other sets: one object or two, as the set has it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_renderer import FakeScene, FakeSession

from pipelines.export.run import export_dataset
from pipelines.io.images import read_png
from pipelines.synthesis.dataset_run import synthesize_dataset
from pipelines.synthesis.options.render import RenderConfig
from pipelines.synthesis.options.synthesize import SynthesizeConfig
from renderer.geometry.frame import Frame

CATEGORIES = ("bicycle", "motorcycle", "scooter")


class RiddenSession(FakeSession):
    """Its first two objects are a vehicle and a rider."""

    def frame(self, index: int, **options: Any) -> Frame:
        frame = super().frame(index, **options)
        vehicle, rider, *others = frame.instances
        vehicle = replace(vehicle, category=CATEGORIES[index % 3], model="a vehicle", profile="bicycle_ridden")
        rider = replace(rider, category="person", model="a rider", profile="cycling", rides=vehicle.id)
        return replace(frame, instances=(vehicle, rider, *others))


class RiddenScene(FakeScene):
    def __call__(self, config: RenderConfig) -> FakeSession:
        return RiddenSession(self, config)


@pytest.fixture(scope="module")
def ridden_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("ridden") / "out"
    config = SynthesizeConfig(out=out, count=40, seed=5, workers=1, model="physics")
    return synthesize_dataset(config, session_factory=RiddenScene())


def pairs(folder: Path) -> list[tuple[int, dict, dict]]:
    """Frame, rider and vehicle of riders that count, both labelled."""
    found = []
    for line in (folder / "frames.jsonl").read_text().splitlines():
        record = json.loads(line)
        known = {one["id"]: one for one in record["instances"] if one["labelled"]}
        riders = [one for one in known.values() if one.get("rides") in known and not one.get("ignored")]
        found += [(record["index"], one, known[one["rides"]]) for one in riders]
    return found


def test_kitti_and_kaist_have_one_object_of_both(ridden_set: Path, tmp_path: Path) -> None:
    wanted = pairs(ridden_set)
    assert {vehicle["category"] for _, _, vehicle in wanted} == set(CATEGORIES)
    export_dataset(ridden_set, tmp_path / "kaist", "coco", classes="kaist")
    labels = [json.loads(path.read_text()) for path in (tmp_path / "kaist/annotations").glob("*.json")]
    found = {(one["image_id"], one["gis_id"]): one for part in labels for one in part["annotations"] if "gis_id" in one}
    for index, rider, vehicle in wanted:
        one = found[index, rider["id"]]
        assert (index, vehicle["id"]) not in found
        assert (one["category_id"], one["iscrowd"]) == (3, 0), "KAIST's cyclist"
        mask = read_png(ridden_set / f"masks/{index:06d}.png")
        rows, columns = np.nonzero(np.isin(mask, [rider["id"], vehicle["id"]]))
        left, top = columns.min(), rows.min()
        assert one["bbox"] == [left, top, columns.max() + 1 - left, rows.max() + 1 - top]
        assert one["area"] == len(rows)


@pytest.mark.parametrize("classes", [None, "kitti"])
def test_kitti_has_cyclists(ridden_set: Path, tmp_path: Path, classes: str | None) -> None:
    wanted = pairs(ridden_set)
    export_dataset(ridden_set, tmp_path / "out", "kitti", classes=classes)
    rows = [row for path in (tmp_path / "out").rglob("label_2/*.txt") for row in path.read_text().splitlines()]
    for name, categories in (("Cyclist", ("bicycle",)), ("Misc", ("motorcycle", "scooter"))):
        count = sum(row.startswith(name + " ") for row in rows)
        assert count == sum(vehicle["category"] in categories for _, _, vehicle in wanted)


def test_flir_and_coco_have_two(ridden_set: Path, tmp_path: Path) -> None:
    wanted = pairs(ridden_set)
    export_dataset(ridden_set, tmp_path / "out", "coco", classes="flir-adas")
    labels = [json.loads(path.read_text()) for path in (tmp_path / "out/annotations").glob("*.json")]
    names = {one["id"]: one["name"] for one in labels[0]["categories"]}
    found = {
        (one["image_id"], one["gis_id"]): names[one["category_id"]]
        for p in labels
        for one in p["annotations"]
        if "gis_id" in one
    }
    theirs = {"bicycle": "bike", "motorcycle": "motor", "scooter": "scooter"}
    for index, rider, vehicle in wanted:
        assert found[index, rider["id"]] == "person"
        if not vehicle.get("ignored"):
            assert found[index, vehicle["id"]] == theirs[vehicle["category"]]
