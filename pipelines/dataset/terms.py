"""What the images of a data set were made of, and on which terms, as far as they are known; its size in words."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from assets import CAR_WEIGHTS, CITY

__all__ = ["Ingredient", "ingredients", "licence_beside", "size_category"]

_OWN: Final = "those it came with, which gis does not know"
_OURS: Final = "part of gis; images of {} are yours"
_BODIES: Final = f"{_OURS.format('them')}; bodies of people by anny (Apache-2.0) from data of MakeHuman (CC0)"
_RESEARCH: Final = (
    "trained on RoadScene (Xu, Ma, Le, Jiang, Guo: FusionDN, AAAI 2020, which asks to be cited), whose frames "
    "are of FLIR ADAS, for research; treat its images alike"
)
_STREETS: Final = frozenset({CITY.name, "worlds"})
"""Scenes that come with gis."""
_LICENCES: Final = ("license", "licence", "copying")
"""How the names of files begin that state one, in small letters."""
_LONGEST: Final = 120
_SIZES: Final = ("n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M", "10M<n<100M")
"""Of the Hugging Face hub, up to a thousand images and ten times as many each."""


@dataclass(frozen=True)
class Ingredient:
    """Something that the images were made of."""

    what: str
    name: str
    terms: str


def ingredients(configuration: Mapping[str, Any]) -> tuple[Ingredient, ...]:
    """What the images of a data set were made of, and on which terms, as far as they are known.

    Args:
        configuration: of the data set.
    """
    return tuple(_ingredients(configuration))


def _ingredients(configuration: Mapping[str, Any]) -> Iterator[Ingredient]:
    backgrounds, boxes, cars = (configuration.get(name) for name in ("backgrounds", "boxes", "cars"))
    if backgrounds is None:
        scene = configuration["scene"]
        yield _own("scene", scene, _OURS.format("it") if scene["name"] in _STREETS else "")
    else:
        yield _own("backgrounds", backgrounds)
    if boxes is not None:
        yield _own("labels of the backgrounds", boxes)
    if cars is None:
        yield Ingredient("cars", "those of the scene, or of gis", _OURS.format("them"))
    else:
        yield _own("cars", cars)
    if "objects" in configuration:
        yield Ingredient("people, two-wheelers, animals", "those of gis", _BODIES)
    if (weights := configuration.get("weights")) is not None:
        yield _own("translation model", weights, _RESEARCH if weights["name"] == CAR_WEIGHTS.name else "")


def _own(what: str, named: Mapping[str, Any], terms: str = "") -> Ingredient:
    """Something of the user's, on terms that stand beside it where they are known."""
    return Ingredient(what, str(named["name"]), terms or str(named.get("terms") or _OWN))


def licence_beside(path: Path) -> str | None:
    """What a file such as ``LICENSE`` says in its first line, in a folder or beside a file; None without one."""
    folder = path if path.is_dir() else path.parent
    names = sorted(name for name in os.listdir(folder) if name.lower().startswith(_LICENCES))
    for name in names:
        if not (folder / name).is_file():
            continue
        with (folder / name).open(encoding="utf-8", errors="replace") as stream:
            lines = (line.strip() for line in itertools.islice(stream, 20))
            if first := next(filter(None, lines), ""):
                return f"{name}: {first[:_LONGEST]}"
    return None


def size_category(count: int) -> str:
    """Number of images in the words of the hub."""
    return _SIZES[min(max(len(str(count)) - 3, 0), len(_SIZES) - 1)]
