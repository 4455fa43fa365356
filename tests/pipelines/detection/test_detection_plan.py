"""Rows, folds and shares: nothing that is tested was trained on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipelines.detection.labelled_images import LabelledImage, LabelledImages
from pipelines.detection.plan import Part, folds_of, parse_rows, part_images, plan_trainings
from pipelines.errors import ConfigError


def images_of(sequences: list[str]) -> LabelledImages:
    none = np.zeros((0, 4), np.float32), np.zeros(0, np.int64)
    images = [LabelledImage(f"{k}", Path(f"{k}"), *none, sequence=one) for k, one in enumerate(sequences)]
    return LabelledImages("real", tuple(images), ("car",), np.array([True]))


def test_rows() -> None:
    assert [row.text for row in parse_rows((), ("a", "b"))] == ["a", "b", "a+b"]
    (row,) = parse_rows(("a@25+b",), ("a", "b"))
    assert row.parts == (Part("a", 25.0), Part("b"))
    (row,) = parse_rows(("a@25 + 3*b",), ("a", "b"))
    assert row.parts == (Part("a", 25.0), Part("b", weight=3.0))
    (row,) = parse_rows(("2*b+0.5*2*b",), ("b", "2*b"))  # a set may be named so
    assert row.parts == (Part("2*b"), Part("2*b", weight=0.5))


@pytest.mark.parametrize("text", ["c", "a@0", "a@101", "a@x", "a+", "", "0*a", "x*a", "-1*a", "nan*a", "1001*a", "*a"])
def test_rows_that_cannot_be(text: str) -> None:
    with pytest.raises(ConfigError, match="rows"):
        parse_rows((text,), ("a", "b"))


def test_folds_keep_sequences_whole_and_even() -> None:
    images = images_of([f"s{k % 17}" for k in range(180)])
    folds = folds_of(images, 3)
    for sequence in {image.sequence for image in images.images}:
        assert len({fold for fold, image in zip(folds, images.images, strict=True) if image.sequence == sequence}) == 1
    assert max(map(folds.count, range(3))) - min(map(folds.count, range(3))) <= 11
    with pytest.raises(ConfigError, match="fewer --folds"):
        folds_of(images_of(["a", "a", "b"]), 3)


def test_a_share_grows_from_the_smaller_one() -> None:
    images = images_of([f"s{k // 7}" for k in range(140)])
    quarter, half = (part_images(images, range(140), percent, seed=0) for percent in (25, 50))
    assert (len(quarter), len(half)) == (35, 70)
    assert set(quarter) < set(half)
    assert part_images(images, range(140), 25, seed=1) != quarter


def test_only_what_is_tested_is_cross_validated() -> None:
    rows = parse_rows(("real", "made", "real+made"), ("real", "made"))
    trainings = plan_trainings(rows, {"real"}, folds=3, seeds=2)
    assert len(trainings) == 2 * (3 + 1 + 3)
    assert len({one.name for one in trainings}) == len(trainings)
