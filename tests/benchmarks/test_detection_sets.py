"""The sets that made frames are compared with, and the curve of real labels."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.detection.__main__ import plan_rows
from benchmarks.detection.curve import Series, curves, draw_curves
from benchmarks.detection.sets import MADE, Material, _levels, link_set, make_sets, paste
from benchmarks.detection.unseen import gather
from pipelines.detection.labelled_images import open_labelled
from pipelines.detection.plan import parse_rows
from pipelines.detection.results import MeasuredRow
from pipelines.errors import DatasetError


@pytest.fixture
def material(tmp_path: Path) -> Material:
    """Two frames of 96x64, of which one has a twin of a visible camera."""
    rows: dict[str, object] = {}
    for number, name in enumerate(("a", "b")):
        for folder in ("frames", "twins"):
            (tmp_path / folder).mkdir(exist_ok=True)
            colour = np.full((64, 96, 3), (10, 20 + 40 * number, 200), np.uint8)
            assert cv2.imwrite(str(tmp_path / folder / f"{name}.png"), colour if folder == "twins" else colour[..., 0])
        rows[name] = {
            "boxes_full": [{"cls": "car", "xyxy": [10, 12, 40, 44]}],
            "boxes_crop": [{"cls": "car", "xyxy": [3, 2, 30, 40]}],
            "crop_boxes_ok": name == "a",
            "group": number,
            "time": "night",
        }
    (tmp_path / "boxes.json").write_text(json.dumps(rows))
    return Material(tmp_path / "frames", tmp_path / "boxes.json", tmp_path / "sets", "flir-adas", 4, tmp_path / "twins")


def test_made_frames_have_the_shape_of_the_real_ones(material: Material) -> None:
    assert material.size == "96x64"


def test_labels_are_shifted_and_still_known_to_be_of_the_tested_frames(material: Material) -> None:
    places = make_sets(material, ["real", "shifted"])
    real, shifted = (open_labelled(str(places[name]), ("car",)) for name in ("real", "shifted"))
    assert (real.name, shifted.name) == ("real", "shifted")
    for before, after in zip(real.images, shifted.images, strict=True):
        np.testing.assert_array_equal(after.boxes_px, before.boxes_px + 4)
        np.testing.assert_array_equal(after.read(), before.read())
        assert (after.background, after.sequence, after.time) == (before.name, before.sequence, "night")


def test_grey_pictures_of_the_visible_camera_where_their_boxes_fit(material: Material) -> None:
    opened = open_labelled(str(make_sets(material, ["visible"])["visible"]), ("car",))
    (image,) = opened.images
    assert (image.name, image.background) == ("a", "a")
    assert image.boxes_px.tolist() == [[3, 2, 30, 40]]
    # ITU-R BT.601 of red 200, green 20, blue 10
    assert abs(float(image.read().mean()) - (0.299 * 200 + 0.587 * 20 + 0.114 * 10)) <= 1


def test_a_set_that_is_whole_is_not_made_again(material: Material) -> None:
    place = make_sets(material, ["shifted"])["shifted"]
    (place / "boxes.json").write_text("{}")
    make_sets(material, ["shifted"])
    assert (place / "boxes.json").read_text() == "{}"


def test_a_set_from_elsewhere_keeps_the_name_it_is_given(material: Material, tmp_path: Path) -> None:
    link_set(make_sets(material, ["shifted"])["shifted"], material, "city_physics")
    opened = open_labelled(str(make_sets(material, ["city_physics"])["city_physics"]), ("car",))
    assert (opened.name, len(opened.images)) == ("city_physics", 2)


def test_labels_of_another_form_are_one_line(material: Material) -> None:
    material.boxes.write_text('{"images": [], "annotations": []}')
    with pytest.raises(DatasetError, match="expected"):
        make_sets(material, ["shifted"])


def test_pasted_objects_are_flat_and_as_bright_as_they_are_in_the_mean() -> None:
    ground, other = np.full((8, 8), 100, np.uint8), np.full((8, 8), 60, np.uint8)
    mask = np.zeros((8, 8), bool)
    mask[2:6, 2:6] = True
    zones = np.where(mask, 3, 0).astype(np.uint8)
    zones[2:4, 2:6] = np.where(mask[2:4, 2:6], 7, 0)
    first, second = ground.copy(), ground.copy()
    first[zones == 3], second[zones == 3] = 120, 140
    first[zones == 7] = second[zones == 7] = 90
    levels = _levels(iter([(first, mask, zones), (second, mask, zones)]))
    assert levels == {3: pytest.approx(30), 7: pytest.approx(-10)}
    made = paste(other, mask, zones, levels)
    assert {int(value) for value in made[zones == 3]} == {90}
    assert {int(value) for value in made[zones == 7]} == {50}
    np.testing.assert_array_equal(made[~mask], other[~mask])


def test_every_row_can_be_measured() -> None:
    rows = plan_rows(list(MADE), visible=True)
    assert len(rows) == len(set(rows))
    names = {
        part.name for row in parse_rows(rows, ["real", *MADE, "pasted", "shifted", "visible"]) for part in row.parts
    }
    assert names == {"real", *MADE, "pasted", "shifted", "visible"}


def row(text: str, labels: int, ap50: float) -> MeasuredRow:
    return MeasuredRow(text, 1, {"car": labels}, [{"car": {"ap50": {"all": ap50}}}])


def test_curves_are_over_real_labels_alone(tmp_path: Path) -> None:
    """A row of made frames stands at the number of real labels in it, not at that of all."""
    rows = [
        row("real", 400, 35.0), row("real@25", 100, 25.0), row("city", 3000, 30.0),
        row("real+city", 3400, 39.0), row("real@25+city", 3100, 36.0), row("real+over", 900, 37.0),
    ]  # fmt: skip
    series = curves(rows, "car")
    assert series == [
        Series("real alone", ((100.0, 25.0), (400.0, 35.0))),
        Series("with city", ((100.0, 36.0), (400.0, 39.0))),
        Series("city alone", ((100.0, 30.0),), level=True),
    ]
    draw_curves(series, "AP50, car", tmp_path / "curve.png")
    picture = cv2.imread(str(tmp_path / "curve.png"))
    assert picture.shape == (640, 1000, 3)
    assert curves(rows[2:], "car") == []


def test_frames_of_other_cameras_become_one_set(tmp_path: Path) -> None:
    places = []
    for camera, label in (("dull", "0 0.5 0.5 0.25 0.5\n"), ("sharp", "1 0.25 0.25 0.5 0.5\n")):
        folder = tmp_path / camera
        (folder / "images").mkdir(parents=True)
        (folder / "labels").mkdir()
        ramp = (
            np.linspace(90, 130, 80 * 64).reshape(64, 80) if camera == "dull" else np.arange(5120).reshape(64, 80) % 256
        )
        cv2.imwrite(str(folder / "images" / f"{camera}_1.png"), ramp.astype(np.uint8))
        (folder / "labels" / f"{camera}_1.txt").write_text(label)
        (folder / "data.yaml").write_text("names: [car, person]\n")
        places.append(f"{folder / 'images'}={folder / 'labels'}")
    (tmp_path / "about.json").write_text('{"dull_1": {"sequence": "drive", "time": "night"}}')
    assert gather(places, [tmp_path / "about.json"], tmp_path / "out") == 2
    dull, sharp = open_labelled(str(tmp_path / "out"), ("car", "person")).images
    assert (dull.sequence, dull.time, dull.classes.tolist(), dull.boxes_px.tolist()) == (
        "drive",
        "night",
        [0],
        [[30, 16, 50, 48]],
    )
    assert (sharp.classes.tolist(), sharp.boxes_px.tolist()) == ([1], [[0, 0, 40, 32]])
    assert dull.read().min() == 0  # 90 before
    assert dull.read().max() == 255  # 130 before
    assert abs(float(dull.read().mean()) - 127.5) < 4
    with pytest.raises(DatasetError, match="another folder too"):
        gather([places[0], places[0]], [], tmp_path / "twice")
