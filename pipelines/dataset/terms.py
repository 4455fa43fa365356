"""What the images of a data set were made of, and on which terms, as far as they are known; its size in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from assets import CAR_WEIGHTS, CITY

__all__ = ["Ingredient", "ingredients", "size_category"]

_OWN: Final = "those it came with, which gis does not know"
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
    backgrounds, cars, weights = (configuration.get(name) for name in ("backgrounds", "cars", "weights"))
    if backgrounds is None:
        scene = str(configuration["scene"]["name"])
        shipped = scene == CITY.name
        yield Ingredient("scene", scene, "part of gis; images of it are yours" if shipped else _OWN)
    else:
        yield Ingredient("backgrounds", str(backgrounds["name"]), _OWN)
    if cars is None:
        yield Ingredient("objects", "those of the scene, or of gis", "part of gis; images of them are yours")
    else:
        yield Ingredient("objects", str(cars["name"]), _OWN)
    if weights is not None:
        shipped = weights["name"] == CAR_WEIGHTS.name
        terms = (
            "trained on RoadScene (Xu, Ma, Le, Jiang, Guo: FusionDN, AAAI 2020, which asks to be cited), whose frames "
            "are of FLIR ADAS, for research; treat its images alike"
        )
        yield Ingredient("translation model", str(weights["name"]), terms if shipped else _OWN)


def size_category(count: int) -> str:
    """Number of images in the words of the hub."""
    return _SIZES[min(max(len(str(count)) - 3, 0), len(_SIZES) - 1)]
