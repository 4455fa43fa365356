"""Categories of labelled objects: the one table that masks, labels, exports, messages and the add-on follow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = [
    "BUILT_LIKE_CARS",
    "CATEGORIES",
    "CATEGORY_TABLE",
    "ON_REQUEST",
    "ORDINARY",
    "PEOPLE_AND_ANIMALS",
    "PUSHED_OR_RIDDEN",
    "STREET_FURNITURE",
    "SUPERCATEGORIES",
    "TWO_WHEELERS",
    "VEHICLES",
    "Category",
]


@dataclass(frozen=True)
class Category:
    """One row of the table."""

    name: str
    supercategory: str
    """As COCO groups its classes."""
    text: str
    """What it is, for people."""
    on_request: bool = False
    """Whether a data set of the shipped scenes has it only where an option asks for it."""


CATEGORY_TABLE: Final = (
    Category("car", "vehicle", "Passenger car"),
    Category("van", "vehicle", "Van or minibus"),
    Category("truck", "vehicle", "Lorry"),
    Category("bus", "vehicle", "Bus or coach"),
    Category("person", "person", "Man, woman or child"),
    Category("bicycle", "vehicle", "Bicycle without its rider"),
    Category("motorcycle", "vehicle", "Motorcycle or motor scooter without its rider"),
    Category("dog", "animal", "Dog"),
    Category("deer", "animal", "Deer"),
    Category("scooter", "vehicle", "Kick scooter, electric or not, without its rider"),
    Category("stroller", "vehicle", "Pram or pushchair"),
    Category("cat", "animal", "Cat"),
    Category("tram", "vehicle", "Tram or light rail vehicle", on_request=True),
    Category("traffic_light", "outdoor", "Traffic light, without its post", on_request=True),
    Category("traffic_sign", "outdoor", "Traffic sign, without its post", on_request=True),
    Category("hydrant", "outdoor", "Fire hydrant", on_request=True),
    Category("street_lamp", "outdoor", "Head of a street lamp", on_request=True),
    Category("boar", "animal", "Wild boar", on_request=True),
    Category("trailer", "vehicle", "Trailer or caravan behind a car", on_request=True),
)
"""In their order: YOLO counts them from 0, COCO from 1. New ones come at the end."""

CATEGORIES: Final = tuple(one.name for one in CATEGORY_TABLE)
"""Names of all categories."""
SUPERCATEGORIES: Final = {one.name: one.supercategory for one in CATEGORY_TABLE}
"""The groups, by name."""
ON_REQUEST: Final = tuple(one.name for one in CATEGORY_TABLE if one.on_request)
"""What the shipped scenes label, or hold, only where an option asks for it."""
ORDINARY: Final = tuple(one.name for one in CATEGORY_TABLE if not one.on_request)
"""All others: they come first, so that their numbers are the same with and without those on request."""
STREET_FURNITURE: Final = ("traffic_light", "traffic_sign", "hydrant", "street_lamp")
"""What stands still and is no road user: real data sets label some of it and leave the rest as background."""
VEHICLES: Final = ("car", "van", "truck", "bus")
"""Categories of what :mod:`renderer.scene.traffic` drives and parks."""
BUILT_LIKE_CARS: Final = (*VEHICLES, "tram", "trailer")
"""Categories whose zones are guessed as those of a car: panes, roof, wheels."""
TWO_WHEELERS: Final = ("bicycle", "motorcycle", "scooter")
"""Categories of what is ridden; a scooter is one that is stood on, a motor scooter is a motorcycle."""
PUSHED_OR_RIDDEN: Final = (*TWO_WHEELERS, "stroller")
"""Categories of vehicles that are no cars."""
PEOPLE_AND_ANIMALS: Final = ("person", "dog", "deer", "cat", "boar")
"""Categories of what is warm by itself: its thermal profile is what it does."""
