"""Thermal zones of people, animals and two-wheelers that have none: by the names of materials, else by height."""

from __future__ import annotations

import re
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .catalogue import Zone
from .categories import PEOPLE_AND_ANIMALS, STREET_FURNITURE
from .names import zone_from_name

__all__ = ["guess_body_zones", "zone_of_body_from_name"]

# The first row that matches wins: a "hand_bag" is carried, "handlebar" is no hand.
_PERSON_WORDS: Final = (
    (Zone.CARRIED, "bag backpack rucksack handbag umbrella luggage suitcase phone"),
    (Zone.SHOES, "shoe boot sneaker sandal foot feet sole"),
    (Zone.HEADWEAR, "hat cap helmet hood beanie headwear"),
    (Zone.HAIR, "hair beard brow eyebrow eyelash"),
    (Zone.HANDS, "hand finger glove"),
    (Zone.LOWER_CLOTHES, "trouser pant jean short skirt leg legging lower bottom"),
    (Zone.UPPER_CLOTHES, "shirt tshirt jacket coat sweater pullover hoodie vest blouse dress suit top torso"),
    (Zone.UPPER_CLOTHES, "upper cloth clothes clothing"),
    (Zone.SKIN, "skin face head neck eye tongue teeth ear"),
)  # fmt: skip
_MACHINE_WORDS: Final = (
    (Zone.TYRE, "tyre tire wheel rim spoke"),
    (Zone.EXHAUST, "exhaust muffler silencer"),
    (Zone.BRAKE, "brake disc rotor caliper"),
    (Zone.LAMP, "lamp light headlight headlamp"),
    (Zone.ENGINE, "engine motor cylinder gearbox"),
    (Zone.SEAT, "seat saddle"),
    (Zone.FRAME, "frame fork handlebar tank chain pedal fender mudguard rack"),
)
_PERSON_FROM: Final = (
    (0.0, Zone.SHOES),
    (0.05, Zone.LOWER_CLOTHES),
    (0.5, Zone.UPPER_CLOTHES),
    (0.84, Zone.SKIN),
    (0.95, Zone.HAIR),
)
"""Shares of the height from which a standing person has a zone: ankle, waist, chin and hairline (Winter 2009, segment
lengths as shares of the height: ankle 0.04, hip 0.53, chin 0.87)."""


def zone_of_body_from_name(name: str, category: str) -> Zone | None:
    """Zone that a material or object of a person, animal or two-wheeler is named after, None where it tells nothing.

    Args:
        name: of the material; gis materials are named ``gis_<zone>``.
        category: of the object that it is on, no vehicle's.
    """
    if name.lower().startswith("gis_"):
        return zone_from_name(name, on_car=True)
    if category in STREET_FURNITURE:
        return zone_from_name(name, on_car=False)
    words = re.sub(r"[^a-z]+", " ", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()).split()
    if category in PEOPLE_AND_ANIMALS and category != "person":
        return None
    for zone, keys in _PERSON_WORDS if category == "person" else _MACHINE_WORDS:
        known = keys.split()
        if any(word in known or word.removesuffix("s") in known for word in words):
            return zone
    return None


def guess_body_zones(heights_m: NDArray[np.float32], category: str) -> NDArray[np.uint8]:
    """Zones of faces by how high they are on a standing body.

    Args:
        heights_m: (F,) of the faces' centres.
        category: of the object, no vehicle's.

    Returns:
        (F,) uint8: of a person skin, clothes, shoes; of an animal fur; of street furniture metal; else the frame.
    """
    if category != "person":
        zone = Zone.FUR if category in PEOPLE_AND_ANIMALS else Zone.FRAME
        zone = Zone.METAL if category in STREET_FURNITURE else zone
        return np.full(len(heights_m), zone, np.uint8)
    if not len(heights_m):
        return np.zeros(0, np.uint8)
    low, high = float(heights_m.min()), float(heights_m.max())
    share = (heights_m - low) / max(high - low, 1e-6)
    zones = np.full(len(heights_m), Zone.SHOES, np.uint8)
    for least, zone in _PERSON_FROM:
        zones[share >= least] = zone
    return zones
