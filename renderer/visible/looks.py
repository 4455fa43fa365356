"""How surfaces look to the eye: colour, roughness and metallic of a zone where its material says nothing, and more.

Materials that shipped assets carry are named ``gis_<zone>`` or ``gis_<zone>.<variant>`` and have a colour, a roughness
and a metallic of their own. What a zone does beside that (lets light through, shines at night, gets wet or white) is
told here by zone, for these and for surfaces that have no material at all.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..zones.catalogue import Zone

__all__ = ["LAYS_ON", "LOOKS", "Look", "ZoneLook", "look_of_zone"]

Rgb = tuple[float, float, float]


@dataclass(frozen=True)
class Look:
    """A surface without a picture on it."""

    colour: Rgb
    """Linear RGB albedo, 0-1."""
    roughness: float
    metallic: float = 0.0


@dataclass(frozen=True)
class ZoneLook:
    """What surfaces of a zone have in common."""

    look: Look
    """Where a material says nothing."""
    mottled: float = 0.0
    """Largest relative change of the albedo from place to place."""
    mottle_m: float = 1.0
    """Size of these patches, metres."""
    wet_albedo: float = 1.0
    """Factor on the albedo when it is wet through."""
    wet_roughness: float = 1.0
    """Factor on the roughness when it is wet."""


# Albedos of asphalt 0.05-0.20 (old is lighter), concrete 0.10-0.35, grass 0.16-0.26, brick 0.20-0.40, snow 0.40-0.95:
# Oke, Boundary Layer Climates, 1987, table 1.1 and 7.4, broadband; in the visible leaves are darker (0.05-0.10). Wet
# asphalt and soil have about half their dry albedo (Lekner and Dorf, Why some things are darker when wet, Applied
# Optics 27, 1988). Paint, plastics and cloth: everyday values. Roughness is that of the GGX lobe of Cycles.
LOOKS: dict[Zone, ZoneLook] = {
    Zone.BACKGROUND: ZoneLook(Look((0.4, 0.4, 0.4), 0.8)),
    Zone.BODY: ZoneLook(Look((0.35, 0.35, 0.36), 0.35)),
    Zone.ROOF: ZoneLook(Look((0.35, 0.35, 0.36), 0.35)),
    Zone.BONNET: ZoneLook(Look((0.35, 0.35, 0.36), 0.35)),
    Zone.GLASS: ZoneLook(Look((0.75, 0.8, 0.78), 0.02)),
    Zone.GRILLE: ZoneLook(Look((0.02, 0.02, 0.02), 0.5)),
    Zone.TYRE: ZoneLook(Look((0.025, 0.025, 0.025), 0.8)),
    Zone.BRAKE: ZoneLook(Look((0.25, 0.24, 0.23), 0.4, 0.9)),
    Zone.EXHAUST: ZoneLook(Look((0.4, 0.39, 0.38), 0.35, 0.9)),
    Zone.LAMP: ZoneLook(Look((0.75, 0.75, 0.72), 0.1)),
    Zone.UNDERBODY: ZoneLook(Look((0.02, 0.02, 0.022), 0.8)),
    Zone.INTERIOR: ZoneLook(Look((0.05, 0.05, 0.05), 0.9)),
    Zone.SKIN: ZoneLook(Look((0.5, 0.3, 0.22), 0.55)),
    Zone.HANDS: ZoneLook(Look((0.5, 0.3, 0.22), 0.55)),
    Zone.HAIR: ZoneLook(Look((0.05, 0.035, 0.025), 0.6)),
    Zone.HEADWEAR: ZoneLook(Look((0.08, 0.07, 0.1), 0.9)),
    Zone.UPPER_CLOTHES: ZoneLook(Look((0.12, 0.13, 0.18), 0.9), mottled=0.12, mottle_m=0.08),
    Zone.LOWER_CLOTHES: ZoneLook(Look((0.05, 0.06, 0.09), 0.9), mottled=0.12, mottle_m=0.08),
    Zone.SHOES: ZoneLook(Look((0.04, 0.035, 0.03), 0.6)),
    Zone.CARRIED: ZoneLook(Look((0.1, 0.06, 0.05), 0.8)),
    Zone.FUR: ZoneLook(Look((0.2, 0.13, 0.07), 0.9), mottled=0.25, mottle_m=0.06),
    Zone.FRAME: ZoneLook(Look((0.06, 0.08, 0.1), 0.4)),
    Zone.ENGINE: ZoneLook(Look((0.2, 0.2, 0.2), 0.5, 0.5)),
    Zone.SEAT: ZoneLook(Look((0.02, 0.02, 0.02), 0.7)),
    Zone.TRIM: ZoneLook(Look((0.7, 0.7, 0.7), 0.15, 1.0)),
    Zone.ROAD: ZoneLook(Look((0.07, 0.07, 0.072), 0.9), 0.3, 1.6, wet_albedo=0.5, wet_roughness=0.22),
    Zone.BUILDING: ZoneLook(Look((0.5, 0.47, 0.42), 0.9), 0.12, 1.3, wet_albedo=0.8, wet_roughness=0.8),
    Zone.VEGETATION: ZoneLook(Look((0.06, 0.13, 0.03), 0.8), 0.45, 0.35, wet_albedo=0.9, wet_roughness=0.6),
    Zone.PERSON: ZoneLook(Look((0.2, 0.18, 0.18), 0.9)),
    Zone.PAVEMENT: ZoneLook(Look((0.3, 0.29, 0.27), 0.85), 0.2, 0.9, wet_albedo=0.55, wet_roughness=0.35),
    Zone.WINDOW: ZoneLook(Look((0.05, 0.07, 0.08), 0.05)),
    Zone.METAL: ZoneLook(Look((0.35, 0.36, 0.37), 0.45, 0.5)),
    Zone.ROAD_MARKING: ZoneLook(Look((0.7, 0.7, 0.67), 0.6), 0.25, 0.5, wet_albedo=0.85, wet_roughness=0.5),
    Zone.SOIL: ZoneLook(Look((0.12, 0.13, 0.05), 0.95), 0.4, 1.1, wet_albedo=0.6, wet_roughness=0.8),
    Zone.TRUNK: ZoneLook(Look((0.11, 0.075, 0.05), 0.95), 0.3, 0.2, wet_albedo=0.6),
    Zone.LUMINAIRE: ZoneLook(Look((0.85, 0.83, 0.75), 0.3)),
}

LAYS_ON: dict[int, str] = {
    Zone.ROAD: "road",
    Zone.ROAD_MARKING: "road",
    Zone.VEGETATION: "trees",
    Zone.TRUNK: "trees",
    **dict.fromkeys((Zone.PAVEMENT, Zone.SOIL, Zone.BUILDING, Zone.METAL, Zone.LUMINAIRE), "ground"),
    **dict.fromkeys((Zone.BODY, Zone.ROOF, Zone.BONNET, Zone.GLASS, Zone.SEAT), "object"),
}
"""Which snow lies on surfaces of a zone that look up; on the others none does."""


def look_of_zone(zone: int) -> ZoneLook:
    """What surfaces of a zone have in common; of a number that is none, as of no zone."""
    try:
        return LOOKS.get(Zone(zone), LOOKS[Zone.BACKGROUND])
    except ValueError:
        return LOOKS[Zone.BACKGROUND]
