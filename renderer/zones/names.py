"""What names say: thermal zones from the names of materials, categories from the names of objects."""

from __future__ import annotations

import re

from .catalogue import Zone

__all__ = ["category_from_name", "zone_from_name"]

# The first row that matches wins, so the special stands before the general ("windscreen" before "screen").
_ZONE_WORDS: tuple[tuple[Zone, tuple[str, ...]], ...] = (
    (Zone.TYRE, ("tyre", "tire", "wheel", "rubber", "rim", "alloy")),
    (Zone.BRAKE, ("brake", "caliper", "disc", "rotor")),
    (Zone.LAMP, ("headlight", "head_light", "taillight", "tail_light", "headlamp", "taillamp", "light", "lamp",
                 "indicator", "blinker", "beacon", "siren")),
    (Zone.EXHAUST, ("exhaust", "muffler", "tailpipe")),
    (Zone.GRILLE, ("grille", "grill", "radiator", "intake")),
    (Zone.GLASS, ("windscreen", "windshield", "glass", "window", "windows")),
    (Zone.BONNET, ("bonnet", "hood", "engine")),
    (Zone.ROOF, ("roof",)),
    (Zone.UNDERBODY, ("underbody", "chassis", "undercarriage", "bottom", "floorpan")),
    (Zone.INTERIOR, ("interior", "seat", "dashboard", "steering")),
    (Zone.BODY, ("body", "paint", "carpaint", "bumper", "door", "fender", "car", "chrome", "plate")),
)  # fmt: skip
_ENVIRONMENT_WORDS: tuple[tuple[Zone, tuple[str, ...]], ...] = (
    (Zone.ROAD_MARKING, ("marking", "lane_line", "zebra")),
    (Zone.ROAD, ("road", "asphalt", "tarmac", "street")),
    (Zone.PAVEMENT, ("pavement", "sidewalk", "kerb", "curb", "concrete")),
    (Zone.LUMINAIRE, ("luminaire", "lantern", "bulb")),
    (Zone.WINDOW, ("window", "glass")),
    (Zone.BUILDING, ("building", "wall", "brick", "facade", "house", "roof", "plaster")),
    (Zone.TRUNK, ("trunk", "bark", "wood")),
    (Zone.VEGETATION, ("vegetation", "leaf", "leaves", "foliage", "tree", "bush", "hedge", "plant")),
    (Zone.SOIL, ("soil", "grass", "ground", "dirt", "earth", "terrain", "sand")),
    (Zone.PERSON, ("person", "skin", "human", "pedestrian", "cloth")),
    (Zone.METAL, ("metal", "steel", "iron", "pole", "sign")),
    (Zone.SKY, ("sky",)),
)
_CATEGORY_WORDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("bus", ("bus", "coach", "schoolbus")),
    ("van", ("van", "ambulance", "delivery", "minibus", "transporter")),
    ("truck", ("truck", "lorry", "firetruck", "garbage", "trailer")),
    ("car", ("car", "cars", "taxi", "hatchback", "saloon", "sedan", "estate", "suv", "pickup", "coupe", "cop", "police",
             "prius", "hybrid", "racecar", "vehicle", "automobile")),
)  # fmt: skip


def _words(name: str) -> str:
    """Lower case, words parted by underscores, camel case split: ``SchoolBus.001`` becomes ``_school_bus_001_``."""
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)
    return "_" + re.sub(r"[^a-z0-9]+", "_", parted.lower()).strip("_") + "_"


def _has_word(name: str, word: str) -> bool:
    """Whether a word, its plural, or the word with a number stands in the name."""
    return re.search(rf"_{word}s?\d*_", name) is not None


def zone_from_name(name: str, *, on_car: bool) -> Zone | None:
    """Zone that a material's name tells, None where it tells nothing; gis materials are named ``gis_<zone>``."""
    words = _words(name)
    if words.startswith("_gis_"):
        exact = re.sub(r"_\d+$", "", words[5:].strip("_")).upper()
        if exact in Zone.__members__:
            return Zone[exact]
    rows = _ZONE_WORDS if on_car else _ENVIRONMENT_WORDS
    for zone, keys in rows:
        if any(_has_word(words, key) for key in keys):
            return zone
    return None


def category_from_name(name: str) -> str | None:
    """Detector class that an object's name tells: ``car``, ``van``, ``truck``, ``bus``; None where it tells nothing."""
    words = _words(name)
    joined = words.replace("_", "")
    for category, keys in _CATEGORY_WORDS:
        if any(_has_word(words, key) for key in keys) or joined in keys:
            return category
    return None
