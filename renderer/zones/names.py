"""What names say: thermal zones from the names of materials, categories from the names of objects."""

from __future__ import annotations

import re
from typing import Final

from .catalogue import Zone

__all__ = ["category_from_name", "furniture_from_name", "zone_from_name"]

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
_VEHICLES: Final = {
    "bus": "bus", "coach": "bus", "schoolbus": "bus",
    "van": "van", "ambulance": "van", "minibus": "van", "minivan": "van", "transporter": "van",
    "truck": "truck", "lorry": "truck", "firetruck": "truck", "trailer": "truck",
    "car": "car", "taxi": "car", "hatchback": "car", "saloon": "car", "sedan": "car", "suv": "car", "pickup": "car",
    "coupe": "car", "prius": "car", "racecar": "car", "vehicle": "car", "automobile": "car",
    "tram": "tram", "tramcar": "tram", "streetcar": "tram", "caravan": "trailer",
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
    shadow shelter cable dining sleeping rail railway hand no non not
"""
_PARTS: Final = frozenset(_PARTS_TEXT.split())
"""Words of parts and places, and of cars that do not drive on roads: with one of them, nothing is named a vehicle."""
_FURNITURE: Final = {
    "trafficlight": "traffic_light", "trafficsignal": "traffic_light", "stoplight": "traffic_light",
    "trafficsign": "traffic_sign", "roadsign": "traffic_sign", "streetsign": "traffic_sign",
    "stopsign": "traffic_sign", "speedsign": "traffic_sign", "yieldsign": "traffic_sign",
    "hydrant": "hydrant", "firehydrant": "hydrant",
    "streetlamp": "street_lamp", "streetlight": "street_lamp", "lamppost": "street_lamp",
}  # fmt: skip
"""Names of street furniture, words put together."""
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
    """Category that a vehicle's name tells: ``car``, ``van``, ``truck``, ``bus``, ``tram``; None where it tells none.

    The last word decides, as in English: a city bus is a bus, a bus stop is none. Numbers, single letters, colours and
    words of modelling (``rig``, ``low``, ``new``) are passed over; of "sign for buses" the part before the preposition
    counts. One vehicle is meant: ``cars`` is a group, not a car.
    """
    words = _meant(name)
    if not words or not _PARTS.isdisjoint(words):
        return None
    joined = _joined(words)
    return _ALONE.get(joined) or _VEHICLES.get(joined) or _VEHICLES.get(words[-1])


def furniture_from_name(name: str) -> str | None:
    """Category of street furniture that an object's name tells: ``Traffic Light.003``; None where it tells nothing."""
    words = _meant(name)
    return _FURNITURE.get(_joined(words)) or _FURNITURE.get("".join(words[-2:])) or _FURNITURE.get("".join(words[-1:]))


def _meant(name: str) -> list[str]:
    """Words of a name up to the one that tells what it is, without numbers and single letters."""
    words = [re.sub(r"\d+$", "", word) for word in _BETWEEN.split(_words(name))[0].strip("_").split("_")]
    words = [word for word in words if len(word) > 1]
    while words and words[-1] in _ASIDE:
        words.pop()
    return words


def _joined(words: list[str]) -> str:
    """The words that say what it is as one."""
    return "".join(word for word in words if word not in _ASIDE)
