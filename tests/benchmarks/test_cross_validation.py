"""Folds of whole sequences, and what a fold's training is kept from seeing."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from benchmarks.realism import cross_validation
from benchmarks.realism.cross_validation import deal, keep_samples
from gan.data.layout import Sample
from pipelines.dataset import shards as tensors
from pipelines.errors import ConfigError


def _fits(groups: dict[str, str], cars: dict[str, int]) -> Any:
    frames = {name: SimpleNamespace(group=group) for name, group in groups.items()}
    splits = {name: "val" if name.startswith("v") else "train" for name in groups}
    return SimpleNamespace(frames=frames, splits=splits, cars={name: [{}] * count for name, count in cars.items()})


@pytest.fixture
def fits(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Nine training frames of five sequences; f8 shows the scene of a frame of another sequence."""
    monkeypatch.setattr(
        cross_validation, "seen_elsewhere", lambda fits, frames: {"f8": "f0"} if "f0" not in frames else {}
    )
    groups = {f"f{number}": "aabbcdeee"[number] for number in range(9)} | {"v0": "x"}
    return _fits(groups, {"f0": 4, "f2": 2, "f4": 1, "f8": 1, "v0": 9})


def test_sequences_stay_whole_and_every_training_frame_is_hidden_once(fits: Any) -> None:
    folds = deal(fits, 2, Path("out"))
    hidden = [name for fold in folds for name in fold.frames]
    assert sorted(hidden) == [f"f{number}" for number in range(9)]
    for fold in folds:
        mine = {fits.frames[name].group for name in fold.frames}
        assert not mine & {fits.frames[name].group for other in folds if other is not fold for name in other.frames}
    loads = [sum(len(fits.cars.get(name, ())) for name in fold.frames) for fold in folds]
    assert loads == [4, 4]


def test_frames_whose_scene_another_fold_shows_are_not_measured(fits: Any) -> None:
    folds = deal(fits, 2, Path("out"))
    assert {name for fold in folds for name in fold.frames if name not in fold.measured} == {"f8"}


def test_too_few_sequences_are_refused(fits: Any) -> None:
    with pytest.raises(ConfigError, match="5 sequences of training frames: expected at least --folds 6"):
        deal(fits, 6, Path("out"))


def test_frames_that_choose_the_weights_are_missed(fits: Any) -> None:
    fits.splits.clear()
    with pytest.raises(ConfigError, match="no frames of another split"):
        deal(fits, 2, Path("out"))


def test_only_chosen_samples_are_kept(tmp_path: Path) -> None:
    (tmp_path / "all").mkdir()
    plane = np.zeros((64, 64), np.uint8)
    for index, group in enumerate("aba"):
        sample = Sample(index, np.zeros((64, 64, 3), np.uint8), plane, plane.astype(np.uint16), plane.astype(np.uint16),
                        plane.astype(np.uint16), None, group)  # fmt: skip
        tensors.write_part(tmp_path / "all", sample)
    tensors.finish_shards(tmp_path / "all", 3)
    kept = keep_samples(tmp_path / "all", tmp_path / "some", {"b"}, lambda number, sample: sample.group)
    assert kept == {"000000": "a", "000002": "a"}
    assert sorted(path.stem for path in (tmp_path / "some" / "tensors").iterdir()) == ["000000", "000002"]
    with pytest.raises(ConfigError, match="holds no tensors"):
        keep_samples(tmp_path, tmp_path / "none", (), lambda number, sample: sample.group)
