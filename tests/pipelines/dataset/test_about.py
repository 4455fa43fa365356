"""What a data set says of itself: objects.csv, croissant.json, CITATION.cff, and the heads of card and COCO labels."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml
from export_sets import CAR, PERSON, UNKNOWN, box_of, mask_of, of_scene, over_frames, records

from pipelines.dataset.terms import licence_beside
from pipelines.dataset.validation.folder import validate

FILES = ("objects.csv", "croissant.json", "CITATION.cff")


@pytest.fixture(scope="module")
def real_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return over_frames(
        tmp_path_factory.mktemp("real"), count=6, licence="\nCreative Commons Attribution 4.0\n\nlong text"
    )


@pytest.fixture
def copied(real_set: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(real_set, tmp_path / "set"))


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "objects.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_the_table_has_every_object_of_the_masks(real_set: Path) -> None:
    rows = rows_of(real_set)
    for record in records(real_set):
        mask = mask_of(real_set, record.stem)
        own = [row for row in rows if row["image"] == f"{record.stem}.png"]
        rendered = {int(row["gis_id"]): row for row in own if row["source"] == "rendered"}
        assert set(rendered) == set(np.unique(mask)) - {0}
        for number, row in rendered.items():
            left, top, right, bottom = box_of(mask == number)
            box = [float(row[name]) for name in ("left", "top", "width", "height")]
            assert box == [left, top, right - left, bottom - top]
            assert int(row["visible_px"]) == (mask == number).sum()
        given = [(row["class"], [float(row["left"]), float(row["top"])]) for row in own if row["source"] == "real"]
        assert sorted(given) == sorted([("car", CAR[:2]), ("person", PERSON[:2]), ("dontcare", UNKNOWN[:2])])
        assert all(row["ignored"] == "1" for row in own if row["class"] == "dontcare")


def test_coco_labels_name_licence_and_ingredients(real_set: Path) -> None:
    coco = json.loads((real_set / "annotations/coco.json").read_text())
    (licence,) = coco["licenses"]
    assert {image["license"] for image in coco["images"]} == {licence["id"]}
    assert set(coco["info"]) >= {"description", "version", "contributor"}
    assert "backgrounds frames: LICENSE: Creative Commons Attribution 4.0" in coco["info"]["ingredients"]
    assert all(category["supercategory"] for category in coco["categories"])


def test_the_card_and_the_citation_state_the_licence(tmp_path: Path) -> None:
    for licence, hub in ((None, "unknown"), ("CC-BY-4.0", "cc-by-4.0")):
        folder = of_scene(tmp_path / hub, 1, license=licence)
        front = yaml.safe_load((folder / "README.md").read_text().split("---")[1])
        assert (front["license"], front["size_categories"]) == (hub, ["n<1K"])
        assert front["configs"] == [{"config_name": "default", "data_files": "images/*"}]
        assert yaml.safe_load((folder / "CITATION.cff").read_text()).get("license") == licence
        page = json.loads((folder / "croissant.json").read_text()).get("license")
        assert page == (licence and "https://spdx.org/licenses/CC-BY-4.0.html")


def test_a_licence_is_found_beside_a_file_and_in_a_folder(tmp_path: Path) -> None:
    (tmp_path / "cars").mkdir()
    (tmp_path / "cars/a.glb").write_bytes(b"")
    assert licence_beside(tmp_path / "cars") is None
    (tmp_path / "cars/license.txt").write_text("\n\n  CC0 1.0 Universal \nmore")
    for place in ("cars", "cars/a.glb"):
        assert licence_beside(tmp_path / place) == "license.txt: CC0 1.0 Universal"


def test_a_set_without_them_is_one_of_an_earlier_version(copied: Path) -> None:
    assert validate(copied).problems == []
    (copied / "objects.csv").unlink()
    assert validate(copied).problems == ["objects.csv: is missing"]
    for name in FILES[1:]:
        (copied / name).unlink()
    card = (copied / "README.md").read_text()
    (copied / "README.md").write_text(card.replace("croissant.json", ""))
    assert validate(copied).problems == []


@pytest.mark.parametrize(
    ("old", "new", "what"), [("car,60.0", "van,60.0", "class"), (",real,", ",rendered,", "source")]
)
def test_validate_finds_a_changed_table(copied: Path, old: str, new: str, what: str) -> None:
    text = (copied / "objects.csv").read_text()
    (copied / "objects.csv").write_text(text.replace(old, new, 1))
    problems = validate(copied).problems
    assert any(what in problem and "objects.csv: line" in problem for problem in problems)
    assert any(problem.startswith("croissant.json: says another SHA-256") for problem in problems)


def test_validate_finds_lost_rows_and_what_is_no_croissant(copied: Path) -> None:
    lines = (copied / "objects.csv").read_text().splitlines(keepends=True)
    (copied / "objects.csv").write_text("".join(lines[:-1]))
    (copied / "croissant.json").write_text('{"distribution": 3}')
    problems = validate(copied).problems
    assert any("too few rows" in problem for problem in problems)
    assert any("cannot be read as Croissant" in problem for problem in problems)


def test_files_that_are_gone_are_made_anew_with_the_same_bytes(tmp_path: Path) -> None:
    folder = of_scene(tmp_path / "set", 2)
    before = {name: (folder / name).read_bytes() for name in FILES}
    for name in FILES:
        (folder / name).unlink()
    of_scene(folder, 2)
    assert {name: (folder / name).read_bytes() for name in FILES} == before
