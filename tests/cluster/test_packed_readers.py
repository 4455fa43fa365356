"""What looks at a set (gis stats, view, measure, synthesize --like) sees the same in shards as in single files."""

from __future__ import annotations

import http.client
import json
import pickle
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_renderer import FakeScene

from pipelines.backgrounds.labelled_folders import find_labelled
from pipelines.detection.labelled_images import open_labelled
from pipelines.errors import DatasetError
from pipelines.io.files import file_sha256
from pipelines.io.images import encode_png
from pipelines.statistics.config import StatsConfig
from pipelines.statistics.run import run_stats
from pipelines.synthesis.dataset_run import synthesize_dataset
from pipelines.synthesis.distances import described_set, is_set
from pipelines.synthesis.options.synthesize import SynthesizeConfig
from pipelines.viewing.config import ViewConfig
from pipelines.viewing.run import open_view

pytest.importorskip("pyarrow", reason="gis-thermal[store] is not installed: make test-cluster")

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of the tools of others
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
COUNT = 11


def make(out: Path, frames: Path, **options: Any) -> Path:
    """Boxes over real frames in which a car, a person and a region without labels are known."""
    config = SynthesizeConfig(
        out=out, count=COUNT, seed=3, backgrounds=frames, boxes=frames.parent / "boxes.json", size="96x64",
        horizon=30.0, model="physics", workers=1, **options,
    )  # fmt: skip
    return synthesize_dataset(config, session_factory=FakeScene())


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The same frames in shards of four, and in single files, in folders of one name."""
    root = tmp_path_factory.mktemp("readers")
    (root / "frames").mkdir()
    rng = np.random.default_rng(1)
    kinds = (("car", [60, 40, 90, 60]), ("person", [4, 8, 12, 30]), ("DontCare", [30, 2, 50, 10]))
    for number in range(3):
        (root / f"frames/street_{number}.png").write_bytes(encode_png(rng.integers(60, 120, (64, 96), np.uint8)))
    known = {"boxes_full": [{"cls": name, "xyxy": box} for name, box in kinds]}
    (root / "boxes.json").write_text(json.dumps({f"street_{number}": known for number in range(3)}))
    packed = make(root / "packed/set", root / "frames", pack="shards", shard_frames=4)
    return packed, make(root / "single/set", root / "frames")


def test_figures_are_the_same(sets: tuple[Path, Path]) -> None:
    for options in ({}, {"placed_only": True}, {"window": "64x48"}):
        packed, single = (run_stats(StatsConfig((str(one),), **options))[0] for one in sets)  # type: ignore[arg-type]
        assert packed == single
        assert (packed.frames, packed.pictures) == (COUNT, COUNT)


def test_labels_and_pictures_are_those_of_the_coco_file(sets: tuple[Path, Path]) -> None:
    packed, single = (find_labelled(str(one)) for one in sets)
    assert [*packed.images] == [*single.images]
    for stem, boxes in single.boxes.items():
        assert packed.boxes[stem] == tuple(replace(box, outline_px=()) for box in boxes)
    assert any(box.crowd for boxes in packed.boxes.values() for box in boxes)
    said: list[str] = []
    one, other = (open_labelled(str(place), ("car", "person"), report=said.append) for place in sets)
    for mine, theirs in zip(one.images, other.images, strict=True):
        np.testing.assert_array_equal(mine.read(), theirs.read())
        np.testing.assert_array_equal(mine.boxes_px, theirs.boxes_px)
        np.testing.assert_array_equal(mine.classes, theirs.classes)
        assert (mine.name, mine.sequence, mine.background) == (theirs.name, theirs.sequence, theirs.background)
    assert said == []  # what does not count is marked so by gis itself: nothing that a user must be told
    assert len({one.fingerprint, other.fingerprint}) == 2
    again = pickle.loads(pickle.dumps(one))  # as worker processes get it
    np.testing.assert_array_equal(again.images[7].read(), one.images[7].read())
    assert again.fingerprint == one.fingerprint


def test_a_set_to_be_like_is_described_alike(sets: tuple[Path, Path]) -> None:
    assert all(is_set(str(one)) for one in sets)
    packed, single = (described_set(str(one)) for one in sets)
    assert packed == single == {"name": "frames.jsonl", "sha256": file_sha256(sets[1] / "frames.jsonl")}


@contextmanager
def page(place: Path) -> Iterator[Any]:
    with open_view(ViewConfig(str(place))) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        end = time.monotonic() + 30
        while not server.index.complete and time.monotonic() < end:
            time.sleep(0.01)

        def ask(path: str) -> tuple[int, bytes, str | None]:
            connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=30)
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read(), answer.headers["X-Plane"]

        try:
            yield ask
        finally:
            server.shutdown()
            thread.join()


def test_the_page_shows_the_same(sets: tuple[Path, Path]) -> None:
    questions = ["/api/set", "/api/frames?order=most+objects"]
    kinds = ("api/frame", "image", "thumb", "plane/ids", "plane/zones", "plane/depth", "plane/kelvin")
    questions += [f"/{kind}/{number}" for kind in kinds for number in (0, 5, COUNT - 1)]
    with page(sets[0]) as packed, page(sets[1]) as single:
        for question in questions:
            assert packed(question)[::2] == single(question)[::2], question
            if not question.startswith("/plane/kelvin"):  # the error names the set's own files
                assert packed(question)[1] == single(question)[1], question


def test_damage_is_told_in_a_line(sets: tuple[Path, Path], tmp_path: Path) -> None:
    broken = Path(shutil.copytree(sets[0], tmp_path / "set"))
    (broken / "shards/shard-000001.tar").write_bytes(b"short")
    with page(broken) as ask:
        status, data, _ = ask("/image/5")
        assert (status, "is cut off: make it anew" in json.loads(data)["error"]) == (404, True)
        assert ask("/image/0")[0] == 200
    shutil.rmtree(broken / "frames")
    (broken / "frames").mkdir()
    with pytest.raises(DatasetError, match="no frames in it: expected a packed data set"):
        find_labelled(str(broken))
