"""What the story in Blender's window must have seen: the panel, colours, thermal images, data sets, cancellations."""

from __future__ import annotations

import itertools
import json
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from renderer.zones.catalogue import Zone, zone_palette

pytestmark = pytest.mark.gui

PANELS = {"GIS_PT_main", "GIS_PT_zones", "GIS_PT_cars", "GIS_PT_passes", "GIS_PT_dataset"}


def count_of(pixels: NDArray[np.uint8], color: tuple[int, int, int], within: int = 6) -> int:
    """Pixels of nearly one colour."""
    return int((np.abs(pixels.astype(int) - color).max(axis=2) <= within).sum())


def zone_color(zone: Zone) -> tuple[int, int, int]:
    red, green, blue = zone_palette()[zone].tolist()
    return red, green, blue


def test_the_story_came_to_its_end(seen: Any) -> None:
    assert seen.report["error"] == ""
    assert seen.report["steps"][-1]["step"] == "end"


def test_the_console_holds_no_error(seen: Any) -> None:
    """Blender prints what goes wrong in draw, in operators and in timers."""
    assert "Traceback" not in seen.console, seen.console[-3000:]
    assert "Error:" not in seen.console.replace("Error: " + seen.step("refused")["message"], ""), seen.console[-3000:]


def test_the_panel_is_open(seen: Any) -> None:
    step = seen.step("panel")
    assert set(step["drawn"]) >= PANELS
    assert set(step["closed"]) == PANELS - {"GIS_PT_zones"}  # so that the others fit the screen


def test_buttons_were_pressed_by_mouse(seen: Any) -> None:
    pressed = {press[0].split("(")[0] for press in seen.report["presses"]}
    assert pressed >= {"gis.guess_zones", "gis.show_overlay", "gis.render_view", "gis.synthesize_dataset"}


def test_a_shipped_car_and_an_own_one_are_there(seen: Any) -> None:
    step = seen.step("cars")
    assert (step["added"], step["category"], step["own"]) == ("saloon", "car", "car")
    assert step["shown"] >= 1


def test_people_and_riders_are_added_and_seen(seen: Any) -> None:
    step = seen.step("people")
    assert step["walker"] == ["person_05.walk_03", "person"]
    assert step["rider"] == ["bicycle_01.rider_22", "bicycle"]
    before, after = seen.pixels("1-panel"), seen.pixels("1-people")
    assert (np.abs(after.astype(int) - before).max(axis=-1) > 20).sum() > 5000


def test_an_imported_car_gets_zones(seen: Any) -> None:
    """What becomes active is a copy of a model: it is guessed as it is, and painted once its faces can be selected."""
    step = seen.step("import")
    assert step["guessed"]
    assert 0 not in step["guessed"]
    assert (step["mode"], step["same_mesh"], step["parent"]) == ("EDIT_MESH", True, "car")
    assert step["painted"] == [int(Zone.GLASS)]


def test_undo_takes_the_viewport_back_and_leaves_the_data_set_alone(seen: Any) -> None:
    step = seen.step("undo")
    assert step["shown"] == ["SOLID", "VERTEX", "FLAT"]
    kept = [77, str(seen.folder / "kept")]
    assert step["undone"] == ["", ["SOLID", "MATERIAL", "STUDIO"], *kept]
    assert step["redone"] == ["ZONES", step["shown"], *kept]
    white = (np.asarray(seen.pixels("2-zones-undone")) > 250).all(axis=2)
    assert white.mean() < 0.05


def test_a_picture_opens_where_it_is_seen(seen: Any) -> None:
    """No Image Editor was open: a window of its own, as for Blender's own renderings."""
    step = seen.step("picture")
    assert (step["windows"], step["shown"]) == (2, ["GIS Thermal"])
    assert step["message"] == "2 cars in view"


def test_a_rendering_says_what_it_does_and_for_how_long(seen: Any) -> None:
    first, second = seen.step("first-rendering")["stages"], seen.step("second-rendering")["stages"]
    assert [stage for stage, _ in first if stage] == ["Rendering the passes", "Computing the thermal image"]
    assert not any(is_known for _, is_known in first)  # how long it takes is not known yet
    assert all(is_known for stage, is_known in second if stage)


def test_a_refusal_moves_no_button(seen: Any) -> None:
    places = seen.step("refused")["places"]
    assert places[0] == places[1]


def test_zones_are_guessed_and_seen(seen: Any) -> None:
    step = seen.step("zones")
    # The story's own car: two boxes of paint, one of glass, four wheels with 24 sides and two faces.
    assert step["rows"] == {"body": 12, "glass": 6, "tyre": 4 * 26, "road": 1, "building": 12}
    assert step["overlay"] == "ZONES"
    before, after = seen.pixels("1-panel"), seen.pixels("2-zones")
    for zone, least in ((Zone.ROAD, 50000), (Zone.BUILDING, 5000), (Zone.BODY, 2000), (Zone.GLASS, 500)):
        assert count_of(after, zone_color(zone)) > count_of(before, zone_color(zone)) + least, zone


def test_temperatures_are_seen_and_follow_the_hour(seen: Any) -> None:
    night, noon = seen.step("temperature"), seen.step("noon")
    assert night["low"] < night["high"] < noon["high"]
    assert noon["low"] > night["low"] + 10.0
    dark = (38, 0, 57)  # an eighth of the scale: the street on a winter evening
    view = seen.pixels("3-temperature").astype(int)
    assert (np.abs(view - dark).max(axis=2) < 40).sum() > 100000
    warm = (view[..., 0] > 200) & (view[..., 1] > 140) & (view[..., 2] < 80)
    assert warm.sum() > 100  # tyres; and the legend's bar
    changed = np.abs(seen.pixels("4-temperature-noon").astype(int) - view).max(axis=2) > 20
    assert changed.sum() > 50000


def test_the_legend_shows_the_scale(seen: Any) -> None:
    """Columns of the bar run through the scale from black below to white above."""
    view = seen.pixels("3-temperature").astype(int)
    corner = view[view.shape[0] // 2 :, : view.shape[1] // 3]
    runs = [column for column in range(corner.shape[1]) if _longest_rise(corner[::-1, column, 0]) > 60]
    assert 10 <= len(runs) <= 30


def _longest_rise(values: NDArray[np.int_]) -> int:
    """Most different values of a piece that never falls."""
    best, piece = 0, {int(values[0])}
    for before, value in itertools.pairwise(values.tolist()):
        piece = piece | {value} if value >= before else {value}
        best = max(best, len(piece))
    return best


def test_a_thermal_image_appears(seen: Any) -> None:
    step = seen.step("thermal")
    assert step["message"] == "2 cars in view"
    assert step["shown"] == "GIS Thermal"
    assert step["spread"] > 0.05
    image = seen.pixels("6-thermal", "IMAGE_EDITOR")[60:].astype(int)
    grey = image[(image.max(axis=2) - image.min(axis=2)) <= 2]
    assert len(np.unique(grey[:, 0])) > 60
    assert seen.step("thermal-noon")["kelvin"] > step["kelvin"] + 10.0


def test_a_rendering_can_be_cancelled(seen: Any) -> None:
    step = seen.step("render-cancelled")
    assert step["message"] == "Cancelled"
    assert step["processes"] == []
    assert step["left"] == []


def test_gis_is_found_and_checked(seen: Any) -> None:
    step = seen.step("check")
    assert step["state"] == "DONE", step
    assert "ready" in step["message"]


def test_a_dataset_is_made(seen: Any) -> None:
    step = seen.step("dataset")
    assert step["state"] == "DONE", step
    moved = step["progress"]
    assert moved == sorted(moved)
    assert (moved[0], moved[-1]) == (0.0, 1.0)
    folder = seen.folder / "dataset"
    rows = [json.loads(line) for line in (folder / "frames.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(rows) == 4
    for number in range(4):
        with Image.open(folder / "images" / f"{number:06d}.png") as image:
            assert np.asarray(image).std() > 3.0
    labels = json.loads(next((folder / "annotations").glob("*coco*.json")).read_text(encoding="utf-8"))
    assert labels["annotations"]


def test_the_bar_moves_and_a_dataset_can_be_cancelled(seen: Any) -> None:
    step = seen.step("cancelled")
    assert step["state"] == "CANCELLED"
    assert step["running"]
    assert step["left"] == []
    assert "Cancelled after" in step["message"]
    moved = step["progress"]
    assert len(moved) >= 3
    assert all(first < second for first, second in itertools.pairwise(moved))
    half = [path.name for path in (seen.folder / "cancelled").rglob("*") if path.suffix in (".tmp", ".part")]
    assert half == []


def test_a_bad_folder_is_refused_in_words(seen: Any) -> None:
    step = seen.step("refused")
    assert step["state"] == "FAILED"
    assert "is a file" in step["message"]


def test_nothing_is_left_behind(seen: Any) -> None:
    step = seen.step("disabled")
    assert step["types"] == []
    assert step["left"] == []
    assert not step["scene"]
