"""What the server of gis view answers, by plain requests: frames as the files have them, and nothing but the set."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from export_sets import of_scene, over_frames

from pipelines.dataset.record import FrameRecord
from pipelines.dataset.store import read_records
from pipelines.errors import DatasetError, PipelineError
from pipelines.io.exr import read_exr
from pipelines.io.images import read_png
from pipelines.viewing.config import ViewConfig
from pipelines.viewing.run import open_view
from pipelines.viewing.server import ViewServer


@contextmanager
def served(place: Path | str, **options: Any) -> Iterator[ViewServer]:
    with open_view(ViewConfig(str(place), **options)) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        end = time.monotonic() + 30
        while not server.index.complete and time.monotonic() < end:
            time.sleep(0.01)
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def ask(server: ViewServer, path: str, method: str = "GET", **headers: str) -> tuple[int, bytes, dict[str, str]]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=30)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    found = answer.status, answer.read(), dict(answer.getheaders())
    connection.close()
    return found


def table(server: ViewServer, path: str) -> Any:
    status, data, _ = ask(server, path)
    assert status == 200, data
    return json.loads(data)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return of_scene(tmp_path_factory.mktemp("made") / "set", count=6)


def test_pixels_and_planes_are_those_of_the_files(made: Path) -> None:
    record = next(iter(read_records(made, FrameRecord)))
    assert record.span_K is not None
    with served(made) as server:
        picture = cv2.imdecode(np.frombuffer(ask(server, "/image/0")[1], np.uint8), cv2.IMREAD_UNCHANGED)
        np.testing.assert_array_equal(picture, read_png(made / "images/000000.png"))
        small = cv2.imdecode(np.frombuffer(ask(server, "/thumb/0")[1], np.uint8), cv2.IMREAD_UNCHANGED)
        assert small.shape[1] == 256
        files = {"ids": "masks/000000.png", "zones": "zones/000000.png", "kelvin": "images16/000000.png"}
        for name, file in files.items():
            _, data, headers = ask(server, f"/plane/{name}/0")
            about = json.loads(headers["X-Plane"])
            values = np.frombuffer(data, about["type"]).reshape(about["size_px"][::-1])
            np.testing.assert_array_equal(values, read_png(made / file))
            assert about["span"] == (list(record.span_K) if name == "kelvin" else None)
        depth = np.frombuffer(ask(server, "/plane/depth/0")[1], "<f4")
        np.testing.assert_array_equal(depth, read_exr(made / "depth/000000.exr")["Z"].ravel())


def test_a_frame_has_the_objects_of_its_record(made: Path) -> None:
    with served(made) as server:
        for record in read_records(made, FrameRecord):
            frame = table(server, f"/api/frame/{record.index}")
            assert [one["id"] for one in frame["objects"]] == [item.id for item in record.labelled]
            for shown, item in zip(frame["objects"], record.labelled, strict=True):
                assert shown["box"] == list(item.box_visible_px or ())
                assert len(shown["edges"]) == 12
                # The 3-D box covers the whole object, whose box was found from its own shape.
                ends = np.array(shown["edges"]).reshape(-1, 2)
                left, top, right, bottom = item.box_amodal_px
                assert ends.min(0)[0] < left + 1 and ends.min(0)[1] < top + 1  # noqa: PT018
                assert ends.max(0)[0] > right - 1 and ends.max(0)[1] > bottom - 1  # noqa: PT018


def test_filters_and_orders_as_counted_from_the_records(made: Path) -> None:
    records = list(read_records(made, FrameRecord))

    def wanted(query: str) -> list[int]:
        return [one["number"] for one in table(server, f"/api/frames?{query}")["tiles"]]

    def with_object(test: Any) -> list[int]:
        return [one.index for one in records if any(test(item) for item in one.counted)]

    with served(made) as server:
        every = [one.index for one in records]
        assert wanted("") == every
        for name in {item.category for one in records for item in one.counted}:
            assert wanted(f"category={name}") == with_object(lambda item, name=name: item.category == name)
        assert wanted("category=unicorn") == []
        heights = sorted(item.box_visible_px[3] - item.box_visible_px[1] for one in records for item in one.counted)
        middle = heights[len(heights) // 2]
        expected = with_object(lambda item: item.box_visible_px[3] - item.box_visible_px[1] >= middle)
        assert wanted(f"height_from={middle}") == expected
        assert wanted("occlusion=1") == with_object(lambda item: item.occlusion == 1)
        weather = records[0].conditions.weather
        assert wanted(f"weather={weather}") == [one.index for one in records if one.conditions.weather == weather]
        night = [one.index for one in records if one.conditions.hour >= 20 or one.conditions.hour <= 6]
        assert wanted("hour_from=20&hour_to=6") == night
        scores = [-1.0 if one.label_error is None else one.label_error.score or 0.0 for one in records]
        worst = sorted(every, key=lambda index: -scores[index])
        assert [scores[k] for k in wanted("order=worst+labels")] == [scores[k] for k in worst]
        assert wanted("first=2&count=3") == every[2:5]
        assert table(server, "/api/frames?first=2&count=3")["total"] == len(every)


def test_only_the_set_is_served_and_only_to_this_machine(made: Path, tmp_path: Path) -> None:
    with served(made) as server:
        assert server.server_address[0] == "127.0.0.1"
        outside = (
            "/../../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/frames.jsonl", "/images/000000.png", "/thumb/../x",
            "/thumb/-1", "/thumb/99", "/thumb/0%00", "/plane/passwd/0", "/plane/../0", "/api/frame/1e3", "//etc/passwd",
            "/static/view.html", "/thumb/9999999999999",
        )  # fmt: skip
        for path in outside:
            status, data, _ = ask(server, path)
            assert (status, list(json.loads(data))) == (404, ["error"]), path
        for query in ("order=up", "first=-1", "count=x", "height_from=nan"):
            assert ask(server, f"/api/frames?{query}")[0] == 400, query
        for host in ("example.com", f"example.com:{server.server_address[1]}", ""):
            assert ask(server, "/", Host=host)[0] == 403
        assert ask(server, "/", method="POST")[0] == 501
        status, data, headers = ask(server, "/", method="HEAD")
        assert (status, data) == (200, b"")
        assert "default-src 'self'" in headers["Content-Security-Policy"]


def test_a_link_out_of_the_folder_is_not_followed(made: Path, tmp_path: Path) -> None:
    copy = tmp_path / "set"
    shutil.copytree(made, copy)
    secret = tmp_path / "secret.png"
    shutil.copy(made / "images/000001.png", secret)
    (copy / "images/000000.png").unlink()
    os.symlink(secret, copy / "images/000000.png")
    with served(copy) as server:
        for path in ("/image/0", "/thumb/0"):
            status, data, _ = ask(server, path)
            assert status == 404
            assert "leads out of" in json.loads(data)["error"]
        assert ask(server, "/image/1")[0] == 200


def test_real_frames_with_boxes(tmp_path: Path) -> None:
    over_frames(tmp_path, count=2)
    with served(f"{tmp_path / 'frames'}={tmp_path / 'boxes.json'}") as server:
        about = table(server, "/api/set")
        assert (about["made"], about["frames"], about["categories"]) == (False, 5, ["car", "person"])
        frame = table(server, "/api/frame/3")
        assert [one["category"] for one in frame["objects"]] == ["car", "person"]
        assert ask(server, "/image/3")[0] == 200
        assert ask(server, "/plane/depth/3")[0] == 404


def test_charts_have_the_sets_beside_each_other(made: Path, tmp_path: Path) -> None:
    over_frames(tmp_path, count=2)
    with served(made, beside=f"{tmp_path / 'frames'}={tmp_path / 'boxes.json'}") as server:
        answer = table(server, "/api/charts")
        end = time.monotonic() + 60
        while not answer["ready"] and time.monotonic() < end:
            time.sleep(0.1)
            answer = table(server, "/api/charts")
        assert [one["frames"] for one in answer["sets"]] == [6, 5]
        assert answer["sets"][1]["kinds"]["vehicle"]["per_frame"] == 1.0


def test_a_broken_line_is_told_and_the_frames_before_it_shown(made: Path, tmp_path: Path) -> None:
    copy = tmp_path / "set"
    shutil.copytree(made, copy)
    lines = (copy / "frames.jsonl").read_text().splitlines(keepends=True)
    (copy / "frames.jsonl").write_text("".join([*lines[:3], '{"index": 3}\n', *lines[4:]]))
    with served(copy) as server:
        about = table(server, "/api/set")
        assert about["frames"] == 3
        assert "line 4 is no record of gis synthesize" in about["error"]


def test_messages(made: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no images; expected"), open_view(ViewConfig(str(tmp_path))):
        pass
    with (
        served(made) as server,
        pytest.raises(PipelineError, match="expected a free one"),
        open_view(ViewConfig(str(made), port=server.server_address[1])),
    ):
        pass
