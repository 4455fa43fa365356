"""Splits never leak."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gan.data.splits import groups_from_names, read_list, read_sequences, split_by_groups, split_by_lists
from gan.errors import DataError


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.sampled_from(["", "a", "b", "c", "d"]), min_size=2, max_size=60),
    st.floats(min_value=0.01, max_value=0.6),
    st.integers(0, 5),
)
def test_no_sequence_on_both_sides(groups: list[str], share: float, seed: int) -> None:
    split = split_by_groups(groups, share, seed)
    assert sorted(split.train + split.validation) == list(range(len(groups)))
    assert split.train
    assert split.validation
    assert split == split_by_groups(groups, share, seed)
    if len(set(groups)) > 1 or "" in groups:
        assert not ({groups[p] for p in split.train} & {groups[p] for p in split.validation}) - {""}


def test_share_is_kept_where_frames_are_independent() -> None:
    split = split_by_groups([""] * 200, 0.1, 0)
    assert len(split.validation) == 20
    assert split.validation != split_by_groups([""] * 200, 0.1, 1).validation


def test_one_sequence_is_cut_once() -> None:
    split = split_by_groups(["a"] * 10, 0.2, 0)
    assert split.validation == (8, 9)
    assert "look like one sequence" in split.how


def test_long_sequence_does_not_swallow_the_data() -> None:
    split = split_by_groups(["a"] * 90 + ["b"] * 10, 0.05, 0)
    assert len(split.validation) == 10


def test_names_tell_the_sequence() -> None:
    names = ["set00/V000_I00001", "set00/V000_I00002", "set01/V000_I00001", "day"]
    assert groups_from_names(names) == ["set00/V000_I", "set00/V000_I", "set01/V000_I", "day"]


def test_lists() -> None:
    names = ["a1", "a2", "b1"]
    split = split_by_lists(names, None, ["b1"])
    assert (split.train, split.validation) == ((0, 1), (2,))
    assert split_by_lists(names, None, ["b1"], ["a2"]).train == (1,)


@pytest.mark.parametrize(
    ("validation", "train", "message"),
    [
        (["c1"], None, "names 'c1', which is not in the data; expected names like 'a1'"),
        (["b1"], ["b1", "a1"], "1 images stand in both split lists, first 'b1'"),
        (["a1"], None, "sequence 'a' stands in training and in validation"),
        ([], None, "no image validates"),
        (["a1", "a2", "b1"], None, "no image is left to train"),
    ],
)
def test_lists_that_leak_or_leave_nothing(validation: list[str], train: list[str] | None, message: str) -> None:
    with pytest.raises(DataError, match=message):
        split_by_lists(["a1", "a2", "b1"], ["a", "a", "b"], validation, train)


def test_empty_split() -> None:
    with pytest.raises(DataError, match="no image is left to train"):
        split_by_groups(["a"], 0.5, 0)
    with pytest.raises(DataError, match="validation share 1"):
        split_by_groups(["a", "b"], 1, 0)
    assert split_by_groups(["a"], 0, 0).train == (0,)


def test_files(tmp_path: Path) -> None:
    listed = tmp_path / "val.txt"
    listed.write_text("a1.png\n\nb1\n")
    assert read_list(listed) == ["a1", "b1"]
    with pytest.raises(DataError, match="no such split list"):
        read_list(tmp_path / "none.txt")
    table = tmp_path / "sequences.json"
    table.write_text(json.dumps({"a1": 1, "a2": 1}))
    assert read_sequences(table, ["a1", "a2"]) == ["1", "1"]
    with pytest.raises(DataError, match="no sequence for image 'b1'"):
        read_sequences(table, ["b1"])
    table.write_text("[]")
    with pytest.raises(DataError, match="no table of sequences"):
        read_sequences(table, ["a1"])
