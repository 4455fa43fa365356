"""What names say: thermal zones from the names of materials, categories from the names of objects."""

from __future__ import annotations

import re
from typing import Final

from .catalogue import Zone

__all__ = [
    "CATEGORIES",
    "PEOPLE_AND_ANIMALS",
    "PUSHED_OR_RIDDEN",
    "TWO_WHEELERS",
    "VEHICLES",
    "category_from_name",
    "zone_from_name",
]

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
    (Zone.TRIM, ("chrome", "trim", "badge", "emblem", "logo")),
    (Zone.BODY, ("body", "paint", "carpaint", "bumper", "door", "fender", "car", "plate")),
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
VEHICLES: Final = ("car", "van", "truck", "bus")
"""Categories of what :mod:`renderer.scene.traffic` drives and parks."""
TWO_WHEELERS: Final = ("bicycle", "motorcycle", "scooter")
"""Categories of what is ridden; a scooter is one that is stood on, a motor scooter is a motorcycle."""
PUSHED_OR_RIDDEN: Final = (*TWO_WHEELERS, "stroller")
"""Categories of vehicles that are no cars."""
PEOPLE_AND_ANIMALS: Final = ("person", "dog", "deer", "cat")
"""Categories of what is warm by itself: its thermal profile is what it does."""
CATEGORIES: Final = (*VEHICLES, "person", "bicycle", "motorcycle", "dog", "deer", "scooter", "stroller", "cat")
"""Categories of labelled objects."""
_VEHICLES: Final = {
    "bus": "bus", "coach": "bus", "schoolbus": "bus",
    "van": "van", "ambulance": "van", "minibus": "van", "minivan": "van", "transporter": "van",
    "truck": "truck", "lorry": "truck", "firetruck": "truck", "trailer": "truck",
    "car": "car", "taxi": "car", "hatchback": "car", "saloon": "car", "sedan": "car", "suv": "car", "pickup": "car",
    "coupe": "car", "prius": "car", "racecar": "car", "vehicle": "car", "automobile": "car",
}  # fmt: skip
_ALONE: Final = {"delivery": "van", "garbage": "truck", "cop": "car", "police": "car", "estate": "car", "hybrid": "car"}
"""Words that tell a category where nothing else does: a police is a car, a police station is none."""
_ASIDE_TEXT: Final = """
    black white grey gray silver red green blue yellow orange brown beige purple pink gold golden dark bright metallic
    matte rig root armature skeleton empty parent null group grp ctrl control proxy locator mesh model object obj geo
    geometry asset prefab prop instance copy clone duplicate variant version ver v lod low high mid poly lowpoly
    highpoly simple short long hd uhd final new old main master whole full all complete combined merged joined export
    sports sport classic left right front rear
"""
_ASIDE: Final = frozenset(_ASIDE_TEXT.split())
"""Words that say which one it is, or how it is made: the word before them tells what it is."""
_PARTS_TEXT: Final = """
    stop station sign park parking wash door wheel wheels tyre tyres tire tires rim rims window windows windscreen
    windshield glass mirror mirrors bumper seat seats hood bonnet fender headlight headlights taillight taillights
    shadow shelter cable dining sleeping rail railway tram hand no non not
"""
_PARTS: Final = frozenset(_PARTS_TEXT.split())
"""Words of parts and places, and of cars that do not drive on roads: with one of them, nothing is named a vehicle."""
_BETWEEN: Final = re.compile(r"_(?:of|for|in|on|at|by|near|behind|under|with|without|to|from|and)_")


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
    """Detector class that an object's name tells: ``car``, ``van``, ``truck``, ``bus``; None where it tells nothing.

    The last word decides, as in English: a city bus is a bus, a bus stop is none. Numbers, single letters, colours and
    words of modelling (``rig``, ``low``, ``new``) are passed over; of "sign for buses" the part before the preposition
    counts. One vehicle is meant: ``cars`` is a group, not a car.
    """
    words = [re.sub(r"\d+$", "", word) for word in _BETWEEN.split(_words(name))[0].strip("_").split("_")]
    words = [word for word in words if len(word) > 1]
    while words and words[-1] in _ASIDE:
        words.pop()
    if not words or not _PARTS.isdisjoint(words):
        return None
    said = [word for word in words if word not in _ASIDE]
    joined = "".join(said)
    return _ALONE.get(joined) or _VEHICLES.get(joined) or _VEHICLES.get(words[-1])
