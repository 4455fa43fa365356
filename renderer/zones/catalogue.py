"""Thermal zones: which part of a car or of the street a face belongs to.

A zone says what a surface *is*; how warm it is follows from the thermal profile (``renderer.thermal.profiles``).
In Blender a zone is the integer face attribute :data:`ZONE_ATTRIBUTE`. Zones of objects are 1-31: those of cars 1-11,
those of people, animals and two-wheelers 12-23 (tyres and brakes of two-wheelers are a car's), bright metal 24.
Environment zones start at 32, and 0 means that no surface was hit.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..errors import ZoneError

__all__ = [
    "CAR_ZONES",
    "FIRST_ENVIRONMENT_ZONE",
    "ZONES",
    "ZONE_ATTRIBUTE",
    "HeatLevel",
    "Zone",
    "ZoneInfo",
    "heat_levels",
    "parse_zone",
    "zone_palette",
]

ZONE_ATTRIBUTE = "thermal_zone"
FIRST_ENVIRONMENT_ZONE = 32

HeatLevel = Literal["hot", "warm", "cold"]


class Zone(enum.IntEnum):
    """What a face belongs to. The numbers are stored in .blend files and datasets: never renumber."""

    BACKGROUND = 0
    BODY = 1
    ROOF = 2
    GLASS = 3
    BONNET = 4
    GRILLE = 5
    TYRE = 6
    BRAKE = 7
    EXHAUST = 8
    LAMP = 9
    UNDERBODY = 10
    INTERIOR = 11
    SKIN = 12
    HANDS = 13
    HAIR = 14
    HEADWEAR = 15
    UPPER_CLOTHES = 16
    LOWER_CLOTHES = 17
    SHOES = 18
    CARRIED = 19
    FUR = 20
    FRAME = 21
    ENGINE = 22
    SEAT = 23
    TRIM = 24
    ROAD = 32
    BUILDING = 33
    VEGETATION = 34
    SKY = 35
    PERSON = 36
    PAVEMENT = 37
    WINDOW = 38
    METAL = 39
    ROAD_MARKING = 40
    SOIL = 41
    TRUNK = 42
    LUMINAIRE = 43


CAR_ZONES = tuple(zone for zone in Zone if Zone.BACKGROUND < zone <= Zone.INTERIOR)
"""Zones that a car has; every thermal profile of a car has a row for each."""


@dataclass(frozen=True)
class ZoneInfo:
    """One row of the zone table."""

    zone: Zone
    heat: HeatLevel
    """Heat level of a running car (or of a street at dusk): the published three-level thermal segmentation."""
    rgb: tuple[int, int, int]
    """Colour in palette images and overlays, 0-255."""

    @property
    def name(self) -> str:
        """Lower-case name, as in TOML tables and labels."""
        return self.zone.name.lower()


ZONES: tuple[ZoneInfo, ...] = (
    ZoneInfo(Zone.BACKGROUND, "cold", (0, 0, 0)),
    ZoneInfo(Zone.BODY, "cold", (70, 110, 180)),
    ZoneInfo(Zone.ROOF, "cold", (95, 150, 220)),
    ZoneInfo(Zone.GLASS, "cold", (150, 220, 240)),
    ZoneInfo(Zone.BONNET, "warm", (240, 160, 60)),
    ZoneInfo(Zone.GRILLE, "hot", (230, 70, 50)),
    ZoneInfo(Zone.TYRE, "warm", (200, 120, 40)),
    ZoneInfo(Zone.BRAKE, "hot", (250, 100, 30)),
    ZoneInfo(Zone.EXHAUST, "hot", (255, 30, 30)),
    ZoneInfo(Zone.LAMP, "hot", (255, 240, 130)),
    ZoneInfo(Zone.UNDERBODY, "warm", (150, 60, 110)),
    ZoneInfo(Zone.INTERIOR, "warm", (210, 150, 190)),
    ZoneInfo(Zone.SKIN, "hot", (255, 175, 140)),
    ZoneInfo(Zone.HANDS, "hot", (225, 130, 105)),
    ZoneInfo(Zone.HAIR, "warm", (110, 60, 25)),
    ZoneInfo(Zone.HEADWEAR, "warm", (120, 90, 200)),
    ZoneInfo(Zone.UPPER_CLOTHES, "warm", (190, 60, 130)),
    ZoneInfo(Zone.LOWER_CLOTHES, "warm", (60, 50, 150)),
    ZoneInfo(Zone.SHOES, "warm", (55, 35, 70)),
    ZoneInfo(Zone.CARRIED, "cold", (30, 150, 150)),
    ZoneInfo(Zone.FUR, "warm", (170, 120, 60)),
    ZoneInfo(Zone.FRAME, "cold", (40, 100, 90)),
    ZoneInfo(Zone.ENGINE, "hot", (255, 80, 90)),
    ZoneInfo(Zone.SEAT, "warm", (90, 40, 50)),
    ZoneInfo(Zone.TRIM, "cold", (215, 225, 235)),
    ZoneInfo(Zone.ROAD, "cold", (90, 90, 95)),
    ZoneInfo(Zone.BUILDING, "cold", (150, 120, 100)),
    ZoneInfo(Zone.VEGETATION, "cold", (60, 130, 60)),
    ZoneInfo(Zone.SKY, "cold", (20, 30, 60)),
    ZoneInfo(Zone.PERSON, "hot", (255, 120, 200)),
    ZoneInfo(Zone.PAVEMENT, "cold", (140, 140, 145)),
    ZoneInfo(Zone.WINDOW, "cold", (110, 150, 170)),
    ZoneInfo(Zone.METAL, "cold", (120, 125, 140)),
    ZoneInfo(Zone.ROAD_MARKING, "cold", (200, 200, 200)),
    ZoneInfo(Zone.SOIL, "cold", (110, 95, 60)),
    ZoneInfo(Zone.TRUNK, "cold", (90, 65, 45)),
    ZoneInfo(Zone.LUMINAIRE, "warm", (250, 220, 160)),
)


def parse_zone(name: str) -> Zone:
    """Zone of that name (any case), e.g. ``"tyre"``.

    Raises:
        ZoneError: no zone has that name.
    """
    try:
        return Zone[name.strip().upper()]
    except KeyError:
        known = ", ".join(info.name for info in ZONES)
        raise ZoneError(f"unknown thermal zone {name!r}: expected one of {known}") from None


def zone_palette() -> NDArray[np.uint8]:
    """Colours of all zones for an 8-bit palette image: (256, 3) uint8; unused rows are magenta."""
    palette = np.full((256, 3), (255, 0, 255), dtype=np.uint8)
    for info in ZONES:
        palette[info.zone] = info.rgb
    return palette


def heat_levels() -> NDArray[np.uint8]:
    """Heat level of each zone number: (256,) uint8 with 0 none, 1 hot, 2 warm, 3 cold."""
    order = {"hot": 1, "warm": 2, "cold": 3}
    table = np.zeros(256, dtype=np.uint8)
    for info in ZONES:
        table[info.zone] = order[info.heat]
    table[Zone.BACKGROUND] = 0
    return table
