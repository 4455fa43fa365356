"""How warm people are: skin and clothes from the heat balance of the body, face and hands from what the air takes.

Clothes are as warm as the heat that comes through them equals what their surface gives to the air and to what stands
around (Fanger's balance, as ISO 7730 has it); face and hands are as warm as the heat that tissue lets through equals
the same loss. Sun and sky are added by :mod:`.physics`, as to every other surface, so that here all around is as warm
as the air.

Sources:
    ISO 7730:2005, Annex D: mean skin temperature, clothing surface, convection, clothing area.
    ISO 8996: metabolic rates of standing, walking, running (``assets/thermal_profiles.toml``).
    ISO 9920:2007, annex B: insulation of garments. What wind and walking leave of it: the standard's formulas as table
    1 of doi 10.1186/s40101-020-00235-9 states them, for light clothes as pythermalcomfort does.
    Havenith et al. 2012, "The UTCI-clothing model": what people wear out of doors by air temperature.
    Osczevski 1994, "Thermal resistance of the cheek in cold air" (DCIEM 94-47): at most 0.07 m2K/W, at a skin of 10 to
    15 degC.
    Osczevski and Bluestein 2005, "The new wind chill equivalent temperature chart": a core of 38 degC behind the face.
"""

from __future__ import annotations

import functools
import math
import re
from dataclasses import dataclass
from typing import Final

import numpy as np

from ..optional import kernel
from ..zones.catalogue import Zone
from ..zones.categories import PEOPLE_AND_ANIMALS, PUSHED_OR_RIDDEN, STREET_FURNITURE
from .conditions import Conditions

__all__ = [
    "Activity",
    "Person",
    "activity_of",
    "clo_in_motion",
    "clothing_surface_K",
    "face_K",
    "hands_K",
    "local_clo",
    "profile_of",
    "sample_person",
    "skin_K",
    "usual_clothing_clo",
    "zone_temperatures_K",
]

MET_W_M2 = 58.15
CLO_M2K_W = 0.155
_ISO_OFFSET_K = 0.15
"""ISO 7730 takes radiation of degrees Celsius and 273, not 273.15."""
_CLO_LIMITS = (0.3, 2.5)
_CORE_K = 311.15
_TISSUE_M2K_W = (0.07, 0.035)
"""Of the face: while it is cold, and while it is warm. The second follows from a cheek of 33 degC in a room of 20 degC
that loses 110 W/m2."""
_TISSUE_SKIN_K = (285.65, 306.15)
"""Skin temperatures at which the tissue has these resistances; between them it goes evenly (assumed)."""
_HAND_TISSUE = 2.0
"""Resistance of a hand's tissue in cold air in terms of the face's: its vessels close, those of the face do not
(assumed; fingers of 15 degC at an air of 5 degC)."""
_HOTTEST_SKIN_K = 309.15
"""Sweat keeps bare skin from becoming warmer than 36 degC."""
_GLOVE_M2K_W = 0.12
"""A knitted or leather glove, about 0.8 clo (assumed)."""
_GLOVES_BELOW_K, _GLOVES_SPAN_K = 281.15, 10.0
"""Nobody wears gloves above 8 degC, all do below -2 degC (assumed)."""
_HAIR_M2K_W = 0.11
"""Of 2 to 3 cm of hair that holds still air (0.025 W/mK, a third of it lost to movement; assumed)."""
_HAT_CLO = 0.8
_FUR_CLO: Final = {"dog": (1.4, 2.6), "cat": (1.4, 2.4), "deer": (1.2, 4.2), "boar": (0.9, 2.8)}
"""Of coats in summer and in winter, by category: fur of a centimetre holds still air of 0.4 m2K/W (0.025 W/mK), of
which hairs and wind leave half (assumed): 1.3 clo. Coats are 1 cm thick in summer, in winter 2 cm, those of deer 3 cm
(assumed); bristles of boar hold less in summer, and have wool below them in winter (assumed)."""
_ANY_FUR_CLO = (1.3, 2.7)
_COATS_K: Final = (293.15, 273.15)
"""Air at which summer and winter coats are worn; between them it goes evenly (assumed: seasons follow the air)."""
_FUR_SKIN_K = 308.15
_LEGS_AREA, _TRUNK_AREA = 0.40, 0.45
"""Shares of the skin below what is worn on legs and hips, and on trunk and arms."""
_ELSEWHERE_CLO = 0.1
"""Underwear, socks and shoes (ISO 9920:2007, annex B, as the two garments below)."""
_TROUSERS_CLO, _TROUSERS_FROM = 0.25, 0.6
"""Trousers as part of the whole; lighter clothes than the second number have lighter ones on the legs too."""
_WARM_LEGS, _WARM_LEGS_FROM = 0.12, 1.0
"""In the cold legs get so much of what is worn beyond the second number; the trunk gets the rest (assumed)."""
_LOCAL_CLO = (0.25, 3.5)
_LEG_SKIN_K, _FOOT_SKIN_K = -1.2, -4.0
"""Skin of legs and feet against the body's mean in the cool (assumed)."""
_SHOE_CLO = 1.6
_STILL_M_S = 0.1
_AIR_LAYER_CLO, _AREA_PER_CLO = 0.7, 0.28
"""Insulation of the still air on clothes, and how much a clo enlarges their surface (ISO 9920)."""
_FASTEST_WALK_M_S, _SLOWEST_AIR_M_S, _FASTEST_AIR_M_S = 1.2, 0.15, 3.5
"""Where walking and air are held: the formulas begin at the second, and turn near the others, as if more motion gave
insulation back."""
_LIGHT_CLO = 0.6
"""Clothes of less are between those and the bare skin."""
_SEATED: Final = {"sitting", "cycling", "riding", "scooting"}
"""Activities in which nobody walks: ISO 9920 knows nothing of what pedalling pumps, and it is left out."""
_ACTIVITIES: Final = {
    "walk": "walking", "run": "running", "sit": "sitting", "ride": "cycling", "cross": "walking", "push": "walking",
    "carry": "walking",
}  # fmt: skip
"""By the first word of a pose's name."""
_RIDERS: Final = {"bicycle": "cycling", "scooter": "scooting"}
"""Of riders, by the first word of what they ride; all others ride a motorcycle."""
_PARKED: Final = {"motorcycle": "motorcycle_parked"}
"""Profiles of what nobody rides; of all others a bicycle's."""
_OTHERS: Final = {"tram": "tram_in_service"} | dict.fromkeys(("trailer", *STREET_FURNITURE), "stationary")
"""Profiles of trams and of what has no heat of its own, by category."""
_POSE: Final = re.compile(r"\.([a-z]+)")


@dataclass(frozen=True)
class Activity:
    """What a person is doing, a table of ``assets/thermal_profiles.toml``."""

    name: str
    met: float
    """Metabolic rate, 1 met = 58.15 W/m2."""
    met_deviation: float
    """Between people."""
    speed_m_s: float
    """Of their own."""


@dataclass(frozen=True)
class Person:
    """One person, dressed."""

    met: float
    clo: float
    """Insulation of the clothes."""
    speed_m_s: float
    gloves: bool
    on_foot: bool = True


@functools.lru_cache(maxsize=4096)
def activity_of(model: str) -> str:
    """Activity of a model by its name: ``person_07.walk_03`` is walking, what names no movement stands."""
    found = _POSE.search(model)
    if found and found[1] == "rider":
        return _RIDERS.get(model.split("_")[0], "riding")
    return _ACTIVITIES.get(found[1] if found else "", "standing")


def profile_of(category: str, model: str, own: str, asked: str | None, default: str) -> str:
    """Thermal profile of an object.

    Args:
        category: of the object.
        model: its name.
        own: profile that it has; empty where it has none.
        asked: of all cars; None leaves each its own.
        default: of cars without one.

    Returns:
        of people and animals their own or what their pose says, of two-wheelers their own or that of parked ones, of
        trams and street furniture their own or the one there is, of cars the one that is asked for.
    """
    if category in _OTHERS:
        return own if own not in ("", default) else _OTHERS[category]
    if category in PUSHED_OR_RIDDEN:
        return own if own not in ("", default) else _PARKED.get(category, "bicycle_parked")
    if category in PEOPLE_AND_ANIMALS:
        return own or activity_of(model)
    return asked or own or default


def skin_K(met: float) -> float:
    """Mean skin temperature at comfort: 35.7 - 0.028 (M - W) degC, no work being done against the outside."""
    return 35.7 - 0.028 * MET_W_M2 * met + 273.15


@kernel
def clothing_surface_K(
    air_K: float, radiant_K: float, air_speed_m_s: float, clo: float, skin_temperature_K: float
) -> float:
    """Temperature of the outside of clothes.

    Args:
        air_K: temperature of the air.
        radiant_K: mean radiant temperature.
        air_speed_m_s: of the air against the body.
        clo: insulation, 1 clo = 0.155 m2K/W.
        skin_temperature_K: below the clothes, :func:`skin_K`.

    Returns:
        kelvin; the root of the balance, found to a millikelvin.
    """
    insulation = CLO_M2K_W * clo
    area = 1.0 + 1.29 * insulation if insulation <= 0.078 else 1.05 + 0.645 * insulation
    forced = 12.1 * math.sqrt(max(air_speed_m_s, 0.0))
    low, high = min(air_K, radiant_K, skin_temperature_K), max(air_K, radiant_K, skin_temperature_K)
    radiant4 = ((radiant_K - _ISO_OFFSET_K) / 100.0) ** 4
    while high - low > 1e-3:
        surface = (low + high) / 2.0
        convection = max(forced, 2.38 * abs(surface - air_K) ** 0.25) * (surface - air_K)
        radiation = 3.96 * (((surface - _ISO_OFFSET_K) / 100.0) ** 4 - radiant4)
        if skin_temperature_K - surface > insulation * area * (convection + radiation):
            low = surface
        else:
            high = surface
    return (low + high) / 2.0


@kernel
def _transfer_W_m2K(air_K: float, surface_K: float, air_speed_m_s: float) -> float:
    """Convection as of the whole body, and radiation of a surface of 0.97."""
    convection = max(2.38 * abs(surface_K - air_K) ** 0.25, 12.1 * math.sqrt(max(air_speed_m_s, _STILL_M_S)))
    return float(convection + 4.0 * 0.97 * 5.67e-8 * ((surface_K + air_K) / 2.0) ** 3)


@kernel
def _bare_surface_K(air_K: float, air_speed_m_s: float, inner_K: float, resistance_m2K_W: float) -> float:
    """Surface behind a resistance, of which air and surroundings of one temperature take heat."""
    surface = 0.0
    for _ in range(12):  # the transfer hardly depends on the surface: a few rounds settle it
        transfer = _transfer_W_m2K(air_K, surface or (air_K + inner_K) / 2.0, air_speed_m_s)
        surface = inner_K + (air_K - inner_K) * resistance_m2K_W / (resistance_m2K_W + 1.0 / transfer)
    return surface


@kernel
def _flesh_K(air_K: float, air_speed_m_s: float, cold_factor: float) -> float:
    """Bare skin over tissue whose resistance rises while it cools; ``cold_factor`` multiplies that of the cold."""
    cold, warm = _TISSUE_M2K_W[0] * cold_factor, _TISSUE_M2K_W[1]
    resistance, surface = warm, _CORE_K
    for _ in range(30):
        surface = _bare_surface_K(air_K, air_speed_m_s, _CORE_K, resistance)
        share = (_TISSUE_SKIN_K[1] - surface) / (_TISSUE_SKIN_K[1] - _TISSUE_SKIN_K[0])
        # Halfway each time: a full step would swing about the balance.
        resistance += 0.5 * (warm + (cold - warm) * min(max(share, 0.0), 1.0) - resistance)
    return min(surface, _HOTTEST_SKIN_K)


def face_K(air_K: float, air_speed_m_s: float) -> float:
    """Mean skin of face and neck: 33 degC in a room, about 20 degC in freezing air, never above 36 degC."""
    return _flesh_K(air_K, air_speed_m_s, 1.0)


def hands_K(air_K: float, air_speed_m_s: float, *, gloves: bool = False) -> float:
    """Hands, or the outside of gloves."""
    bare = _flesh_K(air_K, air_speed_m_s, _HAND_TISSUE)
    if not gloves:
        return bare
    # In gloves a hand is about as warm as a bare one 15 K warmer.
    inner = _flesh_K(air_K + 15.0, _STILL_M_S, _HAND_TISSUE)
    return _bare_surface_K(air_K, air_speed_m_s, inner, _GLOVE_M2K_W)


def usual_clothing_clo(air_K: float) -> float:
    """What people wear out of doors (Havenith et al. 2012), 0.3 to 2.5 clo."""
    air_C = air_K - 273.15
    clo = 1.372 - 0.01866 * air_C - 0.0004849 * air_C**2 - 0.000009333 * air_C**3
    return float(min(max(clo, _CLO_LIMITS[0]), _CLO_LIMITS[1]))


def clo_in_motion(clo: float, air_speed_m_s: float, walking_m_s: float) -> float:
    """What wind and walking leave of the insulation of clothes, as ISO 9920 has it.

    Wind presses clothes together and comes through them; limbs in motion pump air through their openings.

    Args:
        clo: of the clothes on one who stands in still air.
        air_speed_m_s: of the air against the body.
        walking_m_s: speed of walking.

    Returns:
        clo; never more than without.
    """
    air = min(max(air_speed_m_s, _SLOWEST_AIR_M_S), _FASTEST_AIR_M_S) - _SLOWEST_AIR_M_S
    pace = min(walking_m_s, _FASTEST_WALK_M_S)
    area = 1.0 + _AREA_PER_CLO * clo
    dressed = (clo + _AIR_LAYER_CLO / area) * math.exp(-0.281 * air + 0.044 * air**2 - 0.492 * pace + 0.176 * pace**2)
    layer = _AIR_LAYER_CLO * math.exp(-0.533 * air + 0.069 * air**2 - 0.462 * pace + 0.201 * pace**2)
    total = dressed if clo > _LIGHT_CLO else ((_LIGHT_CLO - clo) * layer + clo * dressed) / _LIGHT_CLO
    return min(total - layer / area, clo)


def local_clo(clo: float) -> tuple[float, float]:
    """Insulation over trunk and arms, and over the legs, of clothes of which the whole body has ``clo``.

    What is worn against the cold is worn on the trunk: trousers are much the same the whole year.
    """
    legs = _TROUSERS_CLO * min(1.0, clo / _TROUSERS_FROM) + _WARM_LEGS * max(0.0, clo - _WARM_LEGS_FROM)
    trunk = clo - legs - _ELSEWHERE_CLO
    low, high = _LOCAL_CLO
    return min(max(trunk / _TRUNK_AREA, low), high), min(max(legs / _LEGS_AREA, low), high)


def sample_person(
    activity: Activity, conditions: Conditions, rng: np.random.Generator, worn_clo: float | None = None
) -> Person:
    """Draw how one person is dressed and how hard they work; four numbers are drawn, always.

    Args:
        activity: what the person does.
        conditions: the weather, which people dress for.
        rng: of the person.
        worn_clo: of the clothes that the person is seen in; the same jacket is lined in the cold and open in the
            warmth, so that half of its insulation's logarithm is the weather's. None: all of it is.
    """
    dress, work, pace = np.clip(rng.standard_normal(3), -2.2, 2.2).tolist()
    cold = (_GLOVES_BELOW_K - conditions.air_temperature_K) / _GLOVES_SPAN_K
    usual = usual_clothing_clo(conditions.air_temperature_K)
    clo = math.sqrt(usual * (worn_clo or usual)) * math.exp((0.22 if worn_clo is None else 0.15) * dress)
    return Person(
        met=max(0.8, activity.met + activity.met_deviation * work),
        clo=min(max(clo, _CLO_LIMITS[0]), _CLO_LIMITS[1]),
        speed_m_s=activity.speed_m_s * (1.0 + 0.12 * pace),
        gloves=bool(rng.random() < cold),
        on_foot=activity.name not in _SEATED,
    )


def fur_clo(category: str, air_K: float) -> float:
    """Insulation of an animal's coat: the winter's in the cold, the summer's in the warmth."""
    summer, winter = _FUR_CLO.get(category, _ANY_FUR_CLO)
    share = (_COATS_K[0] - air_K) / (_COATS_K[0] - _COATS_K[1])
    return summer + (winter - summer) * min(max(share, 0.0), 1.0)


def zone_temperatures_K(person: Person, conditions: Conditions, category: str = "person") -> dict[Zone, float]:
    """Temperature of each zone of a person (or an animal) before sun and sky, kelvin."""
    air = conditions.air_temperature_K
    fur = fur_clo(category, air)
    # Wind and walking meet under any angle: in the mean their squares add up.
    flow = max(_STILL_M_S, math.hypot(conditions.wind_m_s, person.speed_m_s))
    skin = skin_K(person.met)
    walking_m_s = person.speed_m_s if person.on_foot else 0.0
    left = clo_in_motion(person.clo, flow, walking_m_s) / person.clo
    trunk_clo, legs_clo = (clo * left for clo in local_clo(person.clo))

    def worn(clo: float, below_K: float) -> float:
        return clothing_surface_K(air, air, flow, clo, below_K)

    return {
        Zone.SKIN: face_K(air, flow),
        Zone.HANDS: hands_K(air, flow, gloves=person.gloves),
        Zone.HAIR: _bare_surface_K(air, flow, skin, _HAIR_M2K_W),
        Zone.HEADWEAR: worn(_HAT_CLO, skin),
        Zone.UPPER_CLOTHES: worn(trunk_clo, skin),
        Zone.LOWER_CLOTHES: worn(legs_clo, skin + _LEG_SKIN_K),
        Zone.SHOES: worn(_SHOE_CLO, skin + _FOOT_SKIN_K),
        Zone.FUR: worn(fur, _FUR_SKIN_K),
    }
