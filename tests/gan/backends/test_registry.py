"""Backends found by file name, and configurations from plain values."""

from __future__ import annotations

import dataclasses
from typing import Literal

import pytest

from gan.backends.registry import backend_names, config_to_dict, load_backend, make_config
from gan.errors import ConfigError


@dataclasses.dataclass(frozen=True)
class Options:
    width: int = 4
    rate: float = 0.5
    kind: Literal["a", "b"] = "a"
    on: bool = False
    edge: int | None = None


def test_pix2pix_is_found() -> None:
    assert "pix2pix" in backend_names()
    assert load_backend("pix2pix").Config().pairing == "paired"
    with pytest.raises(ConfigError, match=r"unknown backend 'pixpix': expected one of .*pix2pix"):
        load_backend("pixpix")


def test_values_are_checked() -> None:
    config = make_config(Options, {"width": 8, "rate": 1, "kind": "b", "on": True, "edge": None})
    assert config == Options(8, 1.0, "b", True, None)
    assert make_config(Options, config_to_dict(config)) == config
    assert make_config(Options, {"edge": 3}).edge == 3


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"widht": 8}, "unknown option 'widht'"),
        ({"width": 8.5}, "width is 8.5: expected a whole number"),
        ({"width": True}, "width is True: expected a whole number"),
        ({"rate": "fast"}, "rate is 'fast': expected a number"),
        ({"kind": "c"}, "unknown kind 'c': expected one of a, b"),
        ({"on": 1}, "on is 1: expected true or false"),
        ({"edge": "x"}, "edge is 'x': expected a whole number"),
    ],
)
def test_wrong_values(values: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make_config(Options, values)
