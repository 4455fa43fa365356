"""The page of gis view in a browser without a window: what a user clicks, and what she then sees."""

from __future__ import annotations

import json
import os
import re
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from export_sets import of_scene, over_frames

from pipelines.dataset.record import FrameRecord, frame_name
from pipelines.dataset.store import read_records
from pipelines.viewing.config import ViewConfig
from pipelines.viewing.run import open_view

playwright = pytest.importorskip("playwright.sync_api", reason="the browser's driver is not installed: playwright")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: apt-get install chromium")
ODD = '<img src=x onerror="document.title=1">'
MANY = 600
PAINTED = """() => {
  const canvas = document.getElementById("overlay");
  const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  return data.filter((value, k) => k % 4 === 3 && value > 0).length;
}"""
"""How many pixels of the overlay are not clear."""
SCROLL = "share => { const grid = document.getElementById('grid'); grid.scrollTop = share * grid.scrollHeight; }"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        one = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield one
        one.close()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six frames, of which one says what no page should take for markup."""
    folder = of_scene(tmp_path_factory.mktemp("made") / "set", count=6)
    log = folder / "frames.jsonl"
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    lines[1]["scene"] = ODD
    lines[1]["notes"] = [ODD]
    for line in lines:
        line.pop("record_sha256", None)
    log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


@pytest.fixture(scope="module")
def many(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same frames again and again."""
    folder = tmp_path_factory.mktemp("many") / "set"
    (folder / "images").mkdir(parents=True)
    lines = [json.loads(line) for line in (made / "frames.jsonl").read_text().splitlines()]
    with (folder / "frames.jsonl").open("w") as stream:
        for number in range(MANY):
            stream.write(json.dumps({**lines[number % len(lines)], "index": number}) + "\n")
            source = made / f"images/{frame_name(number % len(lines))}.png"
            os.link(source, folder / f"images/{frame_name(number)}.png")
    return folder


@pytest.fixture
def page(browser: Any, request: pytest.FixtureRequest) -> Iterator[Any]:
    """The page of a set; nothing on it may fail, and nothing be asked of any other machine."""
    place, beside = getattr(request, "param", ("made", None))
    folder = request.getfixturevalue(place)
    if beside:
        beside = request.getfixturevalue(beside)
    with open_view(ViewConfig(str(folder), beside=beside)) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        one = browser.new_page(viewport={"width": 1200, "height": 800})
        wrong: list[str] = []
        one.on("pageerror", lambda error: wrong.append(str(error)))
        one.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
        one.on("request", lambda asked: None if asked.url.startswith(server.address) else wrong.append(asked.url))
        one.goto(server.address)
        one.wait_for_selector(".tile canvas", timeout=60_000)
        one.wait_for_function("() => !document.getElementById('count').textContent.includes('so far')")
        yield one
        assert wrong == []
        one.close()
        server.shutdown()
        thread.join()


@pytest.fixture
def real(tmp_path: Path) -> str:
    over_frames(tmp_path, count=2)
    return f"{tmp_path / 'frames'}={tmp_path / 'boxes.json'}"


def shown(page: Any) -> list[int]:
    page.wait_for_timeout(600)
    numbers = page.evaluate("[...document.querySelectorAll('.tile')].map(tile => Number(tile.dataset.number))")
    return sorted(numbers)


def open_frame(page: Any, number: int) -> None:
    page.click(f".tile[data-number='{number}']")
    page.wait_for_selector("#objects tr >> nth=1")
    page.wait_for_selector("#marks > *", state="attached")


def test_filters_leave_the_frames_that_have_what_is_asked_for(page: Any, made: Path) -> None:
    records = list(read_records(made, FrameRecord))
    assert shown(page) == [one.index for one in records]
    assert page.inner_text("#count") == "6 of 6 frames"
    category = records[0].counted[0].category
    page.select_option("[name=category]", category)
    having = [one.index for one in records if category in {item.category for item in one.counted}]
    assert shown(page) == having
    weather = records[having[0]].conditions.weather
    page.select_option("[name=weather]", weather)
    assert shown(page) == [k for k in having if records[k].conditions.weather == weather]
    page.fill("[name=height_from]", "100000")
    assert shown(page) == []
    assert page.inner_text("#count") == "0 of 6 frames"
    page.click("button[type=reset]")
    assert shown(page) == [one.index for one in records]
    page.select_option("[name=world]", ODD)
    assert shown(page) == [1]
    assert page.title() == "set"


def test_a_frame_with_its_layers_and_the_kelvin_under_the_cursor(page: Any, made: Path) -> None:
    from pipelines.io.images import read_png

    record = next(iter(read_records(made, FrameRecord)))
    assert record.span_K is not None
    open_frame(page, 0)
    assert page.locator("#marks rect").count() == len(record.labelled)
    page.click("#layers >> text=3-D boxes")
    assert page.locator("#marks path").count() == len(record.labelled)
    page.click("#layers >> text='boxes'")
    assert page.locator("#marks rect").count() == 0
    assert page.evaluate(PAINTED) == 0
    page.keyboard.press("m")
    page.wait_for_timeout(500)
    mask, warm = read_png(made / "masks/000000.png"), read_png(made / "images16/000000.png")
    assert page.evaluate(PAINTED) == int((mask > 0).sum())
    page.keyboard.press("t")
    page.wait_for_timeout(500)
    assert page.evaluate(PAINTED) == warm.size
    box = page.locator("#base").bounding_box()
    x, y = warm.shape[1] // 3, warm.shape[0] // 2
    across, down = (x + 0.5) / warm.shape[1] * box["width"], (y + 0.5) / warm.shape[0] * box["height"]
    page.mouse.move(box["x"] + across, box["y"] + down)
    told = page.inner_text("#cursor")
    assert f"x {x}" in told
    assert f"y {y}" in told
    low, high = record.span_K
    kelvin = re.search(r"([0-9.]+) K", told)
    assert kelvin is not None
    assert float(kelvin[1]) == pytest.approx(low + warm[y, x] / 65535 * (high - low), abs=0.006)
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => document.getElementById('frame-name').textContent === '000001'")
    page.wait_for_function(f"() => document.getElementById('about').textContent.includes({json.dumps(ODD)})")
    assert page.locator("#about img").count() == 0
    page.keyboard.press("Escape")
    assert not page.is_visible("#frame")


@pytest.mark.parametrize("page", [("many", None)], indirect=True)
def test_the_grid_holds_only_what_is_seen_of_it(page: Any) -> None:
    assert page.inner_text("#count") == f"{MANY} of {MANY} frames"
    most = 0
    for step in range(1, 11):
        page.evaluate(SCROLL, step / 10)
        numbers = shown(page)
        most = max(most, len(numbers))
    assert numbers[-1] == MANY - 1
    assert most < 60
    assert page.evaluate("document.getElementsByTagName('*').length") < 600


@pytest.mark.parametrize("page", [("made", "real")], indirect=True)
def test_charts_stand_beside_those_of_real_frames(page: Any) -> None:
    page.click("#show-charts")
    page.wait_for_selector("#charts h2", timeout=120_000)
    assert page.locator(".legend span").nth(0).inner_text() == "set: 6 frames"
    assert "5 frames" in page.locator(".legend span").nth(1).inner_text()
    assert page.locator("#charts svg rect[fill='#e69f00']").count() > 0
    page.click("#show-frames")
    assert shown(page)[:2] == [0, 1]
