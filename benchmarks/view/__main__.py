"""`gis view` as somebody uses it: how long until a picture is there, and what the page takes while all is scrolled by.

    python -m benchmarks.view SET [--beside REAL] [--frames 5000] [--out DIR]

SET is a data set of gis; --frames repeats its frames, by hard links beside it, until there are so many. The command is
started as a user starts it. With --out also screenshots of the grid, of a frame and of the charts. Needs Chromium and
playwright. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipelines.dataset.record import frame_name

__all__ = ["main", "repeated"]

FOLDERS = {"images": ".png", "images16": ".png", "masks": ".png", "zones": ".png", "depth": ".exr"}
SIZE_PX = {"width": 1400, "height": 850}
STEPS, PAUSE_MS = 100, 120
FIRST = "() => document.querySelector('.tile canvas') !== null"
SCROLL = "share => { const grid = document.getElementById('grid'); grid.scrollTop = share * grid.scrollHeight; }"


def repeated(source: Path, out: Path, count: int) -> Path:
    """A set with the frames of another again and again, for looking at alone: hashes are left out."""
    lines = [json.loads(line) for line in (source / "frames.jsonl").read_text(encoding="utf-8").splitlines()]
    folders = {name: suffix for name, suffix in FOLDERS.items() if (source / name).is_dir()}
    for name in folders:
        (out / name).mkdir(parents=True)
    with (out / "frames.jsonl").open("w", encoding="utf-8") as stream:
        for number in range(count):
            line = {**lines[number % len(lines)], "index": number, "files": {}}
            line.pop("record_sha256", None)
            stream.write(json.dumps(line) + "\n")
            for name, suffix in folders.items():
                first = source / name / f"{frame_name(number % len(lines))}{suffix}"
                os.link(first, out / name / f"{frame_name(number)}{suffix}")
    return out


@contextmanager
def _served(folder: Path, beside: str | None) -> Iterator[str]:
    command = [sys.executable, "-m", "pipelines.cli", "view", str(folder), *(["--beside", beside] if beside else [])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().split(": ", 1)[1].split()[0]
        finally:
            process.terminate()


def _memory_MB(page: Any) -> dict[str, float]:
    """Heap of the page's programs after a collection, and resident memory of the browser's largest renderer."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    heap = session.send("Runtime.getHeapUsage")["usedSize"] / 1e6
    session.detach()
    return {"heap": round(heap, 1), "renderer": round(max(_renderers_MB(), default=0.0))}


def _renderers_MB() -> Iterator[float]:
    import psutil

    for process in psutil.process_iter(["cmdline", "memory_info"]):
        if any("--type=renderer" in word for word in process.info["cmdline"] or ()):
            yield process.info["memory_info"].rss / 1e6


def _scroll(page: Any) -> list[dict[str, float]]:
    """Down, up and down again; memory after each."""
    found = []
    for shares in (range(STEPS + 1), range(STEPS, -1, -1), range(STEPS + 1)):
        for share in shares:
            page.evaluate(SCROLL, share / STEPS)
            page.wait_for_timeout(PAUSE_MS)
        found.append({**_memory_MB(page), "tiles": page.locator(".tile").count()})
    return found


def _screenshots(page: Any, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    page.evaluate(SCROLL, 0)
    page.check("#grid-boxes")
    page.wait_for_timeout(2000)
    page.screenshot(path=str(out / "view-grid.jpg"), quality=80)
    page.click(".tile >> nth=3")
    page.wait_for_selector("#objects tr >> nth=1")
    page.wait_for_timeout(2000)
    for key in "3km":
        page.keyboard.press(key)
    box = page.locator("#base").bounding_box()
    page.mouse.move(box["x"] + 0.55 * box["width"], box["y"] + 0.55 * box["height"])
    page.wait_for_timeout(500)
    page.screenshot(path=str(out / "view-frame.jpg"), quality=80)
    page.keyboard.press("Escape")
    page.click("#show-charts")
    page.wait_for_selector("#charts h2", timeout=600_000)
    page.screenshot(path=str(out / "view-charts.jpg"), quality=80)


def _measure(folder: Path, beside: str | None, out: Path | None) -> dict[str, Any]:
    from playwright.sync_api import sync_playwright

    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page(viewport=SIZE_PX)
        start = time.perf_counter()
        with _served(folder, beside) as address:
            asked = time.perf_counter()
            page.goto(address)
            page.wait_for_function(FIRST, polling=20)
            there = time.perf_counter()
            page.wait_for_function("() => !document.getElementById('count').textContent.includes('so far')")
            found = {
                "first_picture_s": round(there - asked, 2),
                "first_picture_after_the_command_s": round(there - start, 2),
                "all_indexed_s": round(time.perf_counter() - start, 2),
                "memory_MB": [_memory_MB(page), *_scroll(page)],
            }
            if out is not None:
                _screenshots(page, out)
        browser.close()
    return found


def main() -> None:
    """Runs the measurement."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", type=Path)
    parser.add_argument("--beside")
    parser.add_argument("--frames", type=int, default=0)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.set.resolve().parent) as temporary:
        folder = options.set
        if options.frames:
            folder = repeated(folder, Path(temporary) / folder.resolve().name, options.frames)
        print(json.dumps(_measure(folder, options.beside, options.out)))


if __name__ == "__main__":
    main()
