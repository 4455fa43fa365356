"""The Python API: frames in memory are those of the files, and mistakes show at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_renderer import FakeScene, FakeSession

from pipelines.dataset.record import FrameRecord
from pipelines.dataset.store import read_records
from pipelines.errors import ConfigError
from pipelines.io.images import read_png
from pipelines.synthesis.api import synthesize, write_dataset
from pipelines.synthesis.options.render import RenderConfig

NIGHT: dict[str, Any] = {"model": "physics", "hour": 22, "seed": 5, "size": 64}


def test_frames_are_those_of_the_data_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    frames = list(synthesize(count=3, session_factory=FakeScene(), **NIGHT))
    assert list(tmp_path.iterdir()) == []
    folder = write_dataset("out", count=3, workers=2, session_factory=FakeScene(), **NIGHT)
    assert folder == Path("out")
    records = list(read_records(folder, FrameRecord))
    assert [frame.index for frame in frames] == [record.index for record in records] == [0, 1, 2]
    for frame, record in zip(frames, records, strict=True):
        assert frame.conditions.hour == 22
        assert frame.image.shape == (64, 64)
        assert np.array_equal(frame.image, read_png(folder / "images" / f"{record.stem}.png"))
        assert np.array_equal(frame.instance_id, read_png(folder / "masks" / f"{record.stem}.png"))
        assert [item.box_visible_px for item in frame.instances] == [item.box_visible_px for item in record.instances]
        for item in frame.labelled:
            rows, columns = np.nonzero(frame.instance_id == item.id)
            assert item.box_visible_px == (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        assert frame.sample is None


def test_source_tensors_in_memory() -> None:
    frame = next(synthesize(1, session_factory=FakeScene(), tensors=True, **NIGHT))
    assert frame.sample is not None
    assert np.array_equal(frame.sample.target, frame.image16)


def test_the_scene_is_opened_with_the_first_frame_and_closed_at_the_end() -> None:
    log: list[str] = []

    class Logged(FakeSession):
        def close(self) -> None:
            log.append("closed")

    def factory(config: RenderConfig) -> Logged:
        log.append("opened")
        return Logged(FakeScene(), config)

    frames = synthesize(3, session_factory=factory, **NIGHT)
    assert log == []
    next(frames)
    assert log == ["opened"]
    frames.close()  # type: ignore[attr-defined]
    assert log == ["opened", "closed"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"count": 0}, "count is 0"),
        ({"hour": 25}, "hour is 25"),
        ({"o_clock": 22}, "unknown option 'o_clock'"),
        ({"weather": 3}, "weather"),
        ({"out": "here"}, "out is of files"),
        ({"workers": 2}, "workers is of files"),
        ({"scene": "nowhere.blend"}, "nowhere.blend: no such file"),
    ],
)
def test_mistakes_show_before_a_frame_is_asked_for(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        synthesize(**{"model": "physics", **options})
