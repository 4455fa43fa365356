"""`--scene worlds`: which street a frame is made in, and what is refused."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipelines.dataset.record import FrameRecord
from pipelines.dataset.store import read_records
from pipelines.errors import ConfigError
from pipelines.synthesis.api import write_dataset
from pipelines.synthesis.options.synthesize import SynthesizeConfig
from pipelines.synthesis.worlds import SPAN, WORLDS, WorldMixture, kind_of, parse_worlds


def config(tmp_path: Path, **options: Any) -> SynthesizeConfig:
    return SynthesizeConfig(out=tmp_path / "out", model="physics", **{"scene": WORLDS, **options})


def test_kinds_have_the_shares_of_their_weights() -> None:
    names = [WorldMixture(4, "residential=3,city=1").name(index) for index in range(2 * SPAN)]
    counts = Counter(map(kind_of, names))
    assert set(counts) == {"residential", "city"}
    assert abs(counts["residential"] / len(names) - 0.75) < 4 * np.sqrt(0.75 * 0.25 / len(names))


def test_a_span_has_few_streets_and_the_next_has_others() -> None:
    from renderer.blender.standing import MOST_BUILT  # it needs Blender

    mixture = WorldMixture(4)
    first, second = ({mixture.name(index) for index in span} for span in (range(SPAN), range(SPAN, 2 * SPAN)))
    assert 4 <= len(first - {"city.blend"}) <= MOST_BUILT  # a process holds all of a span at once
    assert first & second == {"city.blend"}
    assert {mixture.name(index) for index in range(0, SPAN, 7)} <= first


def test_another_seed_has_other_streets() -> None:
    one, other = ({WorldMixture(seed).name(index) for index in range(SPAN)} for seed in (1, 2))
    assert one & other == {"city.blend"}


@pytest.mark.parametrize(
    "text", ["", "residential", "residential=0", "residential=-1", "village=1", "city=1,city=2", "city=x"]
)
def test_weights_that_are_none(text: str) -> None:
    with pytest.raises(ConfigError, match="worlds"):
        parse_worlds(text)


def test_what_does_not_go_together(tmp_path: Path) -> None:
    (tmp_path / "frames").mkdir()
    with pytest.raises(ConfigError, match="need no street"):
        config(tmp_path, backgrounds=tmp_path / "frames")
    with pytest.raises(ConfigError, match="raster"):
        config(tmp_path, engine="cycles")
    with pytest.raises(ConfigError, match="--scene worlds"):
        config(tmp_path, scene=Path("city.blend"), worlds="city=1")


def test_options_of_one_scene_say_what_they_said_before(tmp_path: Path) -> None:
    assert "worlds" not in config(tmp_path, scene=Path("city.blend")).to_json()
    assert config(tmp_path, worlds="city=1").to_json()["worlds"] == "city=1"


@pytest.mark.slow
def test_worlds_do_not_depend_on_workers_or_on_where_a_run_was_cut(tmp_path: Path) -> None:
    pytest.importorskip("bpy")
    options: dict[str, Any] = {"scene": "worlds", "model": "physics", "size": 128, "seed": 3}
    whole = write_dataset(tmp_path / "whole", count=9, workers=1, **options)
    write_dataset(tmp_path / "cut", count=4, workers=2, **options)
    cut = write_dataset(tmp_path / "cut", count=9, workers=3, **options)
    assert (whole / "frames.jsonl").read_bytes() == (cut / "frames.jsonl").read_bytes()
    records = list(read_records(whole, FrameRecord))
    assert {kind_of(record.scene) for record in records} > {"residential", "arterial"}
    assert [record.scene for record in records] == [WorldMixture(3).name(record.index) for record in records]
    assert json.loads((whole / "dataset.json").read_text())["configuration"]["scene"]["name"] == "worlds"
