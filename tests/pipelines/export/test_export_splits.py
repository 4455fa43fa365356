"""Splits: whole groups, by seed; checked frame against frame."""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from export_sets import records
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.dataset.record import FrameRecord, SourceFile
from pipelines.errors import ConfigError, DatasetError
from pipelines.export.run import export_dataset
from pipelines.export.splits import group_frames, read_sequences, split_groups


@pytest.mark.parametrize("seed", range(6))
def test_no_background_on_two_sides(real_set: Path, seed: int, tmp_path: Path) -> None:
    export_dataset(real_set, tmp_path / "out", "coco", split=(0.6, 0.2, 0.2), seed=seed)
    about = json.loads((tmp_path / "out/splits.json").read_text())
    of = {int(name): split for split, names in about["splits"].items() for name in names}
    assert sorted(of) == list(range(12))
    assert set(of.values()) == {"train", "val", "test"}
    for one, other in itertools.combinations(records(real_set), 2):
        if one.background.sha256 == other.background.sha256:
            assert of[one.index] == of[other.index]
    assert about["seed"] == seed


def test_seeds_give_other_splits_and_the_same_seed_the_same(real_set: Path) -> None:
    groups = group_frames(records(real_set))
    splits = [split_groups(groups, {"train": 0.6, "val": 0.4}, seed).of for seed in range(8)]
    assert len({tuple(one.items()) for one in splits}) > 1
    assert splits[3] == split_groups(groups, {"train": 0.6, "val": 0.4}, 3).of


def over(record: FrameRecord, index: int, image: str, source: str | None = None) -> FrameRecord:
    file = None if source is None else SourceFile("a.seq", source, "fff")
    background = replace(record.background, sha256=image, name=f"{image}.png", source=file)
    return replace(record, index=index, background=background)


def test_frames_of_one_recording_or_sequence_stay_together(real_set: Path, tmp_path: Path) -> None:
    first = records(real_set)[0]
    frames = [over(first, 0, "a"), over(first, 1, "b", "s"), over(first, 2, "c", "s"), over(first, 3, "d")]
    assert sorted(map(len, group_frames(frames).values())) == [1, 1, 2]
    path = tmp_path / "sequences.json"
    path.write_text(json.dumps({"x/a.png": "one", "b": {"sequence": "two"}, "c": {"group": 3}, "d": {"group": "one"}}))
    assert sorted(map(len, group_frames(frames, read_sequences(path)).values())) == [2, 2]
    with pytest.raises(ConfigError, match="nothing is said of 'd'"):
        group_frames(frames, {"a": "1", "b": "1", "c": "1"})


def placed(record: FrameRecord, index: int, x: float, y: float, heading: float) -> FrameRecord:
    pose = np.eye(4)
    c, s = math.cos(math.radians(heading)), math.sin(math.radians(heading))
    pose[:3, :3] = np.array([[s, 0, c], [-c, 0, s], [0, -1, 0]])
    pose[:3, 3] = (x, y, 1.6)
    return replace(record, index=index, cam_to_world=pose)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(-40, 40), st.floats(-40, 40), st.floats(0, 360)), min_size=3, max_size=25))
def test_places_of_a_scene_stand_on_one_side(scene_set: Path, places: list[tuple[float, float, float]]) -> None:
    """Cameras within 5 m that look the same way by 15 degrees see the same street."""
    (first, *_) = records(scene_set)
    frames = [placed(first, index, *place) for index, place in enumerate(places)]
    group = {index: name for name, members in group_frames(frames).items() for index in members}
    for (i, (x, y, h)), (j, (u, v, k)) in itertools.combinations(enumerate(places), 2):
        turn = abs((h - k + 180) % 360 - 180)
        if math.hypot(x - u, y - v) < 5 and turn < 15:
            assert group[i] == group[j]
        if math.hypot(x - u, y - v) > 25 * len(places):
            assert group[i] != group[j]


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.integers(1, 30), min_size=3, max_size=60),
    st.sampled_from([(0.8, 0.1, 0.1), (0.5, 0.5), (0.34, 0.33, 0.33)]),
    st.integers(0, 99),
)
def test_shares_are_met_to_within_a_group(sizes: list[int], shares: tuple[float, ...], seed: int) -> None:
    numbers = iter(range(sum(sizes)))
    groups = {str(place): [next(numbers) for _ in range(size)] for place, size in enumerate(sizes)}
    wanted = dict(zip(("train", "val", "test"), shares, strict=False))
    split = split_groups(groups, wanted, seed)
    assert set(split.of) == set(range(sum(sizes)))
    for name, share in wanted.items():
        assert split.frames(name)
        assert abs(len(split.frames(name)) - share * sum(sizes)) <= len(wanted) * max(sizes)
    for members in groups.values():
        assert len({split.of[index] for index in members}) == 1


def test_one_place_cannot_be_split(scene_set: Path, tmp_path: Path) -> None:
    """All cameras of this scene stand in one place, as those of an animation do."""
    with pytest.raises(DatasetError, match="1 places for 2 splits"):
        export_dataset(scene_set, tmp_path / "out", "yolo", split=(0.5, 0.5))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("shares", [(0.5, 0.4), (0.9, 0.2, -0.1), (0.25,) * 4])
def test_shares_that_are_none(shares: tuple[float, ...], scene_set: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected up to three shares that add up to 1"):
        export_dataset(scene_set, tmp_path / "out", "yolo", split=shares)
