"""What is tested, or shows what is tested, is not trained on; what is reported on is not what one chooses by."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pipelines.detection.config import MeasureConfig
from pipelines.detection.inputs import Inputs
from pipelines.detection.labelled_images import LabelledImage, LabelledImages
from pipelines.detection.plan import plan_trainings, reported_images
from pipelines.errors import ConfigError

WriteSet = Callable[[Path, dict[str, dict[str, object]]], str]


@pytest.fixture
def places(tmp_path: Path, write_set: WriteSet) -> tuple[str, str, str]:
    """Twelve real frames of six sequences; two made over each; twelve made over none."""
    names = [f"r{k:02d}" for k in range(12)]
    real = write_set(tmp_path / "real", {name: {"group": f"s{k // 2}"} for k, name in enumerate(names)})
    over = write_set(tmp_path / "over", {f"{k:06d}": {"background": names[k % 12], "group": k} for k in range(24)})
    city = write_set(tmp_path / "city", {f"{k:06d}": {"group": k} for k in range(12)})
    return real, over, city


def opened(places: tuple[str, str, str], row: str, *, train: tuple[int, ...] = (0, 1, 2)) -> Inputs:
    sets = tuple(places[k] for k in train)
    return Inputs.open(MeasureConfig(train=sets, test=places[0], out=Path("out"), rows=(row,), classes=("car",)))


def seen(inputs: Inputs, name: str, rows: list[int]) -> set[str]:
    """Real frames that some images of a set are, or show."""
    images = [inputs.sets[name].images[row] for row in rows]
    return {image.background or image.name for image in images}


ALL, MADE = (0, 1, 2), (1, 2)


@pytest.mark.parametrize(
    ("row", "train"),
    [("over", ALL), ("over", MADE), ("real+over", ALL), ("real@50+over", ALL), ("over@50", ALL), ("over@50", MADE)],
)
def test_a_detector_never_saw_what_it_is_tested_on(
    places: tuple[str, str, str], row: str, train: tuple[int, ...]
) -> None:
    inputs = opened(places, row, train=train)
    trainings = plan_trainings(inputs.rows, inputs.overlapping, 3, 1)
    tested: list[str] = []
    for training in trainings:
        names = {image.name for image in inputs.tested_by(training)}
        for name, rows in inputs.trained_on(training).items():
            assert rows
            assert not seen(inputs, name, rows) & names
        tested += names
    assert sorted(tested) == [f"r{k:02d}" for k in range(12)]


def test_a_set_that_shows_no_tested_frame_is_trained_on_once(places: tuple[str, str, str]) -> None:
    inputs = opened(places, "city")
    (training,) = plan_trainings(inputs.rows, inputs.overlapping, 3, 1)
    assert (training.fold, len(inputs.tested_by(training))) == (-1, 12)


def test_a_quarter_brings_only_what_was_made_over_that_quarter(places: tuple[str, str, str]) -> None:
    """Else the made frames would bring the labels of the real frames that are left out."""
    inputs = opened(places, "real@25+over")
    for training in plan_trainings(inputs.rows, inputs.overlapping, 3, 2):
        chosen = inputs.trained_on(training)
        assert len(chosen["real"]) == 2  # of the eight that are not tested
        assert seen(inputs, "over", chosen["over"]) == seen(inputs, "real", chosen["real"])
        assert inputs.objects(training) == [2 + 4]


def test_shares_of_a_row_without_the_real_set_are_free(places: tuple[str, str, str]) -> None:
    inputs = opened(places, "city@25+over")
    for training in plan_trainings(inputs.rows, inputs.overlapping, 3, 1):
        assert {name: len(rows) for name, rows in inputs.trained_on(training).items()} == {"city": 3, "over": 16}


def of_sequences(sizes: list[int]) -> LabelledImages:
    none = np.zeros((0, 4), np.float32), np.zeros(0, np.int64)
    names = [f"s{k}" for k, size in enumerate(sizes) for _ in range(size)]
    images = [LabelledImage(f"{k}", Path(f"{k}"), *none, sequence=name) for k, name in enumerate(names)]
    return LabelledImages("real", tuple(images), ("car",), np.array([True]))


def test_sequences_are_reported_on_or_chosen_by() -> None:
    images = of_sequences([24, 17, 14, 12, 9, 8, 8, 7, 5, 5, 4, 3, 2, 1, 1])
    reported = reported_images(images, 0.5)
    assert 0.4 * 120 <= sum(reported) <= 0.5 * 120
    by_sequence: dict[str, set[bool]] = {}
    for image, one in zip(images.images, reported, strict=True):
        by_sequence.setdefault(image.sequence, set()).add(one)
    assert all(len(one) == 1 for one in by_sequence.values())
    assert reported_images(images, 0.5) == reported


def test_a_recording_of_one_sequence_cannot_be_split() -> None:
    with pytest.raises(ConfigError, match="--report-share"):
        reported_images(of_sequences([10]), 0.5)
