"""Grey levels of cars in a display-only frame: mean, contrast, and how the parts of a car lie to each other.

Gain control has lost the temperatures. So a car's mean and contrast follow the frame's road and contrast as those of
real cars do (:class:`GreyLevels`), its zones in the order that physics and measured cars give.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..zones.catalogue import Zone
from .panels import PanelVariation
from .regions import Window

__all__ = [
    "GREY_LEVELS",
    "HIGHEST_CONTRAST",
    "CarVariation",
    "FrameLevels",
    "GreyLevels",
    "bend_into_scale",
    "car_contrast",
    "car_level",
    "draw_car",
    "draw_frame_levels",
    "grey_pattern",
    "person_greys",
    "road_level",
    "standardised",
    "two_wheeler_greys",
    "zone_pattern",
]

Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class GreyLevels:
    """How real cars lie in frames after gain control, in grey levels.

    Slopes and deviations between frames fitted to 262 cars of 32 to 160 pixels in the training frames of RoadScene (day
    and night together); the other three chosen on the same frames by `benchmarks.realism.harmonisation`.
    """

    mean: float = 132.0
    mean_per_road: float = 0.21
    """Mean of a car = mean + mean_per_road x grey of the road below it; residuals below."""
    between_frames: float = 22.0
    between_cars: float = 25.0
    contrast: float = 24.0
    contrast_per_frame: float = 0.62
    """Deviation inside a car = contrast + contrast_per_frame x deviation of the lower two thirds of the frame."""
    contrast_between_cars: float = 13.0


GREY_LEVELS = GreyLevels()
_LEAST_CONTRAST, HIGHEST_CONTRAST = 28.0, 76.0
"""Deviations inside a car, grey levels."""
_LEAST_LEVEL, _HIGHEST_LEVEL = 60.0, 215.0
"""Means of a car."""
_DARKEST, _LIGHTEST = 6.0, 250.0
"""Greys that street frames rarely leave."""
_STRAIGHT_SHARE = 0.6
"""Share of the scale, about its middle, that is not bent."""

# In deviations of the car's own greys, median and deviation between cars: read from cars fitted to RoadScene's training
# frames (`benchmarks.realism.car_levels`, table ``benchmarks/realism/car_levels.json``); trim, too small for that, as
# glass.
_ZONE_LEVEL = {
    Zone.BODY: (0.20, 0.19),
    Zone.ROOF: (-0.52, 0.74),
    Zone.GLASS: (-1.01, 0.49),
    Zone.BONNET: (-0.64, 0.50),
    Zone.GRILLE: (0.58, 0.50),
    Zone.TYRE: (0.79, 0.61),
    Zone.BRAKE: (0.87, 0.66),
    Zone.EXHAUST: (0.74, 0.92),
    Zone.LAMP: (0.20, 0.50),
    Zone.UNDERBODY: (0.66, 0.53),
    Zone.INTERIOR: (-0.64, 0.46),
    Zone.TRIM: (-1.1, 0.5),
}


@dataclass(frozen=True)
class PersonLevels:
    """How real people lie in frames after gain control, in grey levels.

    Of what is painted: bent into the scale, softened and with its dark hair and shoes a person shows less of it. So
    the first four are those with which people put into RoadScene's training frames are measured like its 200 real ones
    of 32 pixels and more (`benchmarks.people.contrast`, day and night together). Middles of their boxes rise with the
    ground below them by 0.20 (real 0.22), have 211 (211) on ground of 145, and differ by 17 (18) within a frame and by
    13 (14) between frames.
    """

    mean: float = 175.0
    mean_per_road: float = 0.32
    between_frames: float = 0.9
    """Share of the frame's shift of its cars: gain control moves both."""
    between_people: float = 22.0
    contrast: float = 24.0
    contrast_between_people: float = 8.0


PERSON_LEVELS = PersonLevels()
_PERSON_LIMITS = (60.0, 246.0)
"""5 % of real people are brighter than 244."""
# In deviations of the person's own greys: heads 5 to 21 grey levels darker than the body, with 40 between people (hair
# and caps), torso and legs alike; the others after physics.
_PERSON_ZONE_LEVEL = {
    Zone.SKIN: (0.1, 0.6),
    Zone.HANDS: (0.0, 0.5),
    Zone.HAIR: (-1.0, 0.8),
    Zone.HEADWEAR: (-1.1, 0.6),
    Zone.UPPER_CLOTHES: (0.0, 0.4),
    Zone.LOWER_CLOTHES: (0.12, 0.4),
    Zone.SHOES: (-0.5, 0.5),
    Zone.CARRIED: (-1.4, 0.5),
    Zone.FUR: (0.0, 0.3),
}
_PERSON_PHYSICS_SHARE, _PERSON_DETAIL_SHARE = 0.3, 0.6
"""Share of what physics says of all zones together, and of folds and patches inside each: real people of 150 pixels
show as much of these as of their zones."""
_TWO_WHEELER_ON_ROAD, _TWO_WHEELER_SPREAD = -15.0, 20.0
"""Greys of a two-wheeler above those of the road, mean and deviation (assumed)."""
_TWO_WHEELER_CONTRAST = 25.0
"""Deviation inside one. Lower halves of the 39 bicycles of 24 pixels and more in RoadScene's training frames are 13
greys darker than the road by day, 27 at night (medians); their deviation is 28, with what shows between spokes."""
_TWO_WHEELER_ZONE_LEVEL = {
    Zone.FRAME: (-0.5, 0.5),
    Zone.TYRE: (0.5, 0.5),
    Zone.SEAT: (0.0, 0.4),
    Zone.CARRIED: (0.0, 0.4),
    Zone.ENGINE: (0.0, 0.3),
    Zone.BRAKE: (0.2, 0.4),
    Zone.EXHAUST: (0.0, 0.4),
    Zone.LAMP: (-0.2, 0.4),
}
"""In deviations of its own greys (assumed: painted tubes mirror the sky, rubber does not); engines that run are as much
warmer as physics says."""
_ENGINE_GREY = 75.0
"""By how much engine and exhaust of one that runs or ran are lighter than all else (assumed)."""
_ENGINE_WARM_K = 12.0
_PHYSICS_SHARE = 0.3
"""Share of what physics says about differences between zones; its weather is not the frame's."""
_PHYSICS_LIMIT = 2.5
"""Deviations beyond which that is cut off."""
_LEAST_DEVIATION = 1e-3


class CarVariation(NamedTuple):
    """What is drawn for one car, in standard deviations."""

    contrast: float
    level: float
    zones: NDArray[np.float64]
    """By the number of the zone."""
    panels: PanelVariation


_VARIATES, _ZONES_AT, _PANELS_AT = 40, 2, 20
"""Numbers drawn for a car, and where those of its zones and of its panels begin."""


def draw_car(rng: np.random.Generator) -> CarVariation:
    """Draw what makes a car differ from others."""
    variates = rng.standard_normal(_VARIATES)
    panels = PanelVariation(*variates[_PANELS_AT : _PANELS_AT + len(PanelVariation._fields)].tolist())
    return CarVariation(float(variates[0]), float(variates[1]), variates[_ZONES_AT:_PANELS_AT], panels)


class FrameLevels(NamedTuple):
    """What all cars of one frame share, grey levels."""

    shift: float
    """By which their means are above those of other frames' cars."""
    contrast: float
    """Deviation inside a mean car."""


def draw_frame_levels(background: Float32, rng: np.random.Generator) -> FrameLevels:
    """Contrast that suits a frame, (H, W) grey levels, and a shift drawn for it."""
    shift = float(rng.standard_normal()) * GREY_LEVELS.between_frames
    deviation = float(background[background.shape[0] // 3 :: 2].std())
    return FrameLevels(shift, GREY_LEVELS.contrast + GREY_LEVELS.contrast_per_frame * deviation)


def car_contrast(frame: FrameLevels, car: CarVariation) -> float:
    """Deviation of the greys inside a car."""
    contrast = frame.contrast + GREY_LEVELS.contrast_between_cars * car.contrast
    return float(np.clip(contrast, _LEAST_CONTRAST, HIGHEST_CONTRAST))


def car_level(road: float, frame: FrameLevels, car: CarVariation) -> float:
    """Mean grey of a car on a road of a grey level."""
    mean = GREY_LEVELS.mean + GREY_LEVELS.mean_per_road * road
    return mean + frame.shift + GREY_LEVELS.between_cars * car.level


def person_greys(
    apparent_temperature_K: Float32, zone: NDArray[np.uint8], road: float, frame: FrameLevels, person: CarVariation
) -> Float32:
    """Grey levels of a person (or an animal) on a road of a grey level, (N,).

    Args:
        apparent_temperature_K: (N,) of the person's pixels.
        zone: (N,) of the same pixels.
        road: grey level of the ground below.
        frame: what all objects of the frame share.
        person: what is drawn for this one.
    """
    own = PERSON_LEVELS
    levels = np.zeros(256, np.float32)
    for place, (key, (median, spread)) in enumerate(_PERSON_ZONE_LEVEL.items()):
        levels[key] = median + spread * person.zones[place]
    between = np.clip(standardised(apparent_temperature_K), -_PHYSICS_LIMIT, _PHYSICS_LIMIT)
    within = _within_zones(apparent_temperature_K, zone)
    physics = np.float32(_PERSON_PHYSICS_SHARE) * between + np.float32(_PERSON_DETAIL_SHARE) * within
    pattern = standardised(levels[zone] + physics)
    level = own.mean + own.mean_per_road * road + own.between_frames * frame.shift + own.between_people * person.level
    contrast = max(8.0, own.contrast + own.contrast_between_people * person.contrast)
    return bend_into_scale(np.float32(np.clip(level, *_PERSON_LIMITS)) + pattern * np.float32(contrast))


def _within_zones(apparent_temperature_K: Float32, zone: NDArray[np.uint8]) -> Float32:
    """(N,) what physics says inside of each zone, in deviations."""
    within = np.zeros_like(apparent_temperature_K)
    for one in np.unique(zone):
        inside = zone == one
        within[inside] = np.clip(standardised(apparent_temperature_K[inside]), -_PHYSICS_LIMIT, _PHYSICS_LIMIT)
    return within


def two_wheeler_greys(
    apparent_temperature_K: Float32, zone: NDArray[np.uint8], road: float, frame: FrameLevels, one: CarVariation
) -> Float32:
    """Grey levels of a bicycle or a motorcycle on a road of a grey level, (N,); see :func:`person_greys`."""
    levels = np.zeros(256, np.float32)
    for place, (key, (median, spread)) in enumerate(_TWO_WHEELER_ZONE_LEVEL.items()):
        levels[key] = median + spread * one.zones[place]
    hot = np.isin(zone, (Zone.ENGINE, Zone.EXHAUST, Zone.BRAKE))
    cold_K = apparent_temperature_K[~hot] if not hot.all() else apparent_temperature_K
    # What runs is far warmer than all else, which would look alike beside it.
    above = np.clip(apparent_temperature_K - np.median(cold_K), 0.0, None) * hot
    physics = standardised(np.where(hot, np.float32(np.median(cold_K)), apparent_temperature_K))
    pattern = levels[zone] + np.float32(_PHYSICS_SHARE) * np.clip(physics, -_PHYSICS_LIMIT, _PHYSICS_LIMIT)
    pattern = standardised(pattern + np.float32(_PERSON_DETAIL_SHARE) * _within_zones(apparent_temperature_K, zone))
    level = road + _TWO_WHEELER_ON_ROAD + _TWO_WHEELER_SPREAD * one.level
    grey = np.float32(level) + pattern * np.float32(_TWO_WHEELER_CONTRAST * max(0.5, 1.0 + 0.3 * one.contrast))
    return bend_into_scale(grey + np.float32(_ENGINE_GREY) * np.tanh(above / np.float32(_ENGINE_WARM_K)))


def road_level(background: Float32, window: Window) -> float:
    """Median of the road in a strip below a car, in the background's unit.

    Args:
        background: (H, W).
        window: box of the car.
    """
    rows, columns = window
    height = rows.stop - rows.start
    bottom = min(rows.stop + 1, background.shape[0] - 2)
    strip = background[bottom : bottom + max(3, height // 4), columns]
    return float(np.median(strip)) if strip.size else float(np.median(background[-8:]))


def zone_pattern(apparent_temperature_K: Float32, zone: NDArray[np.uint8], car: CarVariation) -> Float32:
    """A car's own warmth in deviations: levels of its zones, and what physics says within and between them.

    Args:
        apparent_temperature_K: (N,) of the car's pixels.
        zone: (N,) of the same pixels.
        car: what is drawn for it.
    """
    levels = np.zeros(256, np.float32)
    for key, (median, spread) in _ZONE_LEVEL.items():
        levels[key] = median + spread * car.zones[min(key, len(car.zones) - 1)]
    physics = np.clip(standardised(apparent_temperature_K), -_PHYSICS_LIMIT, _PHYSICS_LIMIT)
    return np.asarray(levels[zone] + np.float32(_PHYSICS_SHARE) * physics, dtype=np.float32)


def standardised(values: Float32) -> Float32:
    """Values less their mean, in deviations; zeros where all are alike."""
    return np.asarray((values - values.mean()) / max(float(values.std()), _LEAST_DEVIATION), dtype=np.float32)


def grey_pattern(pattern: Float32, level: float, contrast: float) -> Float32:
    """Grey levels of a pattern in deviations about a mean, bent into the scale."""
    mean = np.float32(np.clip(level, _LEAST_LEVEL, _HIGHEST_LEVEL))
    return bend_into_scale(mean + pattern * np.float32(contrast))


def bend_into_scale(grey: Float32, unchanged: Float32 | None = None) -> Float32:
    """Greys bent smoothly into the scale, as gain control does: the same in the middle, never beyond the ends.

    Args:
        grey: grey levels, any range.
        unchanged: what they were before; where nothing was changed nothing is bent.
    """
    middle, half = (_DARKEST + _LIGHTEST) / 2, (_LIGHTEST - _DARKEST) / 2
    knee = np.float32(_STRAIGHT_SHARE * half)
    rise = grey - np.float32(middle)
    beyond = np.maximum(np.abs(rise) - knee, 0.0) / np.float32(half - knee)
    bent = np.sign(rise) * (np.minimum(np.abs(rise), knee) + np.tanh(beyond) * np.float32(half - knee)) + middle
    return np.asarray(bent if unchanged is None else np.where(grey == unchanged, grey, bent), dtype=np.float32)
