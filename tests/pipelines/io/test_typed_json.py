from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pytest
from numpy.typing import NDArray

from pipelines.errors import DatasetError
from pipelines.io.typed_json import OMITTED_IF_NONE, from_json, to_json


@dataclass(frozen=True)
class Inner:
    pair: tuple[int, float]
    kind: Literal["a", "b"] = "a"


@dataclass(frozen=True)
class Outer:
    number: float
    flag: bool
    inner: Inner
    many: tuple[Inner, ...] = ()
    named: Mapping[str, int] = field(default_factory=dict)
    matrix: NDArray[np.float64] | None = None
    other: Any = None
    left_out: str | None = field(default=None, metadata=OMITTED_IF_NONE)


FULL: dict[str, Any] = {
    "number": 1.5,
    "flag": True,
    "inner": {"pair": [1, 2.5], "kind": "b"},
    "many": [{"pair": [3, 4.0], "kind": "a"}],
    "named": {"x": 1},
    "matrix": [[1.0, 2.0], [3.0, 4.0]],
    "other": {"anything": [None]},
    "left_out": "text",
}


def test_there_and_back() -> None:
    value = from_json(Outer, FULL, "here")
    assert value.inner == Inner((1, 2.5), "b")
    assert value.many == (Inner((3, 4.0)),)
    assert value.matrix is not None
    assert value.matrix.dtype == np.float64
    assert json.loads(json.dumps(to_json(value))) == FULL


def test_defaults_and_keys_that_are_left_out() -> None:
    least = {"number": 2, "flag": False, "inner": {"pair": [1, 2]}, "unknown": "is left alone"}
    value = from_json(Outer, least, "here")
    assert value == Outer(2, False, Inner((1, 2)))
    assert "left_out" not in to_json(value)
    assert to_json(value)["matrix"] is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"number": "1"}, "number is '1': expected a number"),
        ({"number": True}, "number is True: expected a number"),
        ({"number": float("nan")}, "number is nan: expected a finite number"),
        ({"flag": 1}, "flag is 1: expected true or false"),
        ({"inner": None}, "inner is None: expected an object"),
        ({"inner": {}}, "inner.pair is missing"),
        ({"inner": {"pair": [1.5, 1]}}, r"inner.pair\[0\] is 1.5: expected a whole number"),
        ({"inner": {"pair": [1]}}, r"inner.pair is \[1\]: expected a list of 2"),
        ({"inner": {"pair": [1, 2], "kind": "c"}}, "inner.kind is 'c': expected one of a, b"),
        ({"many": [{"pair": [1, 2]}, {"pair": 3}]}, r"many\[1\].pair is 3: expected a list of 2"),
        ({"named": {"x": "y"}}, "named.x is 'y': expected a whole number"),
        ({"matrix": [[1, 2], [3]]}, "matrix is .*: expected rows of numbers"),
        ({"matrix": [[float("inf")]]}, "matrix is .*: expected finite numbers"),
    ],
)
def test_what_does_not_fit_is_named_by_its_place(change: dict[str, Any], message: str) -> None:
    with pytest.raises(DatasetError, match=f"^here: {message}$"):
        from_json(Outer, {**FULL, **change}, "here")


def test_no_object_at_all() -> None:
    with pytest.raises(DatasetError, match=r"^here: is \[\]: expected an object$"):
        from_json(Outer, [], "here")
