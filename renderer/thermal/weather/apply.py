"""What a weather's effects change of a frame, before and after its temperatures are computed.

The compiled loops of :mod:`..kernels` know nothing of weathers: what lies on a surface gives it another zone number and
that number a row in their tables, so that frames without it cost what they did.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...geometry.frame import Frame, Instance
from ...random_streams import Draw, Stream
from ..conditions import Conditions
from ..ground import GroundEffects
from ..kernels import Passes, Scene
from ..planck import LWIR, Band, band_radiance
from ..profiles import Profiles
from ..under_covers import hidden_by_covers
from .departed import add_departed, departed_cars
from .deposit import cover_cold_cars, let_condense
from .effects import WeatherEffects
from .humid import wet_bulb_K
from .rain import mirror_street, wet_surfaces
from .snow import MELTING_K, ON_GROUND, lay_snow, snow_cover, snow_level_K, warm_snow
from .spray import add_spray, spray_of

__all__ = ["WeatheredFrame"]

_DRIVING_M_S = 5.0
"""Air that flows past a car which throws up spray."""
_UNDER_CAR_K = 0.4
_SHELTERED = 0.55
"""Share of the sky that a bridge hides where no snow comes down (assumed: it drifts in under the edges)."""
_SNOW, _LEFT, _SPRAY, _PARTS = 0, 1, 2, 8
"""Parts of an object's own random stream, and how many there may be."""


@dataclass(frozen=True)
class WeatheredFrame:
    """A frame in a weather with effects; tables of ``scene`` and ``ground`` are changed in place."""

    frame: Frame
    scene: Scene
    conditions: Conditions
    effects: WeatherEffects
    profiles: Profiles
    draw: Draw
    band: Band = LWIR

    def before(self, passes: Passes, ground: GroundEffects) -> Passes:
        """The passes as this weather has them."""
        scene, effects, instances = self.scene, self.effects, self.frame.instances
        left = departed_cars(instances, self.profiles, functools.partial(self._own, _LEFT))
        if effects.rain_mm_h is not None:
            wet_surfaces(self.conditions, self.profiles, instances, scene.surfaces, scene.balance, scene.cars)
        if effects.deposit is not None:
            let_condense(self.conditions, scene.surfaces, scene.balance, scene.cars)
            passes = cover_cold_cars(passes, instances, self.profiles)
        under = add_departed(self.frame, ground, left, self.profiles, scene.balance)
        return passes if effects.snow_depth_m is None else self._with_snow(passes, ground, under)

    def _with_snow(self, passes: Passes, ground: GroundEffects, under: GroundEffects) -> Passes:
        scene = self.scene
        warm_snow(self.conditions, self.profiles, scene.surfaces, scene.balance, scene.cars)
        cover = snow_cover(self.effects, self.frame.instances, self.profiles, functools.partial(self._own, _SNOW))
        zones = np.empty_like(passes.zone)
        lay_snow(passes, scene.camera, scene.street_heading_rad, scene.cars.row_of_id, scene.lattice, cover, zones)
        if self.frame.covers:
            dry = hidden_by_covers(self.frame, scene.balance)[0] > _SHELTERED
            zones[dry] = passes.zone[dry]
        bare = (zones == ON_GROUND) & (under.heat_K > _UNDER_CAR_K)
        zones[bare] = passes.zone[bare]
        # What a car gives to snow melts it; it warms it no further.
        white = zones == ON_GROUND
        most_K = np.float32(max(0.0, MELTING_K - snow_level_K(scene.surfaces, scene.balance)))
        ground.heat_K[white] = np.minimum(ground.heat_K[white], most_K)
        return passes._replace(zone=zones)

    def after(self, passes: Passes, out: NDArray[np.float32]) -> None:
        """Adds to temperatures ``out``, (H, W), what the street mirrors and what hangs in the air behind cars."""
        rain = self.effects.rain_mm_h
        if rain is None:
            return
        scene, tables = self.scene, self.scene.tables
        extinction, film = self.effects.extinction_per_m or 0.0, self.effects.water_film or 0.0
        mirror_street(
            passes, scene.camera, scene.lattice, film, extinction, scene.surroundings.walls, tables.radiance,
            tables.temperature, out,
        )  # fmt: skip
        wet_K = wet_bulb_K(self.conditions.air_temperature_K, self.conditions.relative_humidity)
        level = float(band_radiance(wet_K, self.band))
        for instance in self.frame.instances:
            if self.profiles.is_of_car(instance.profile) and self._drives(instance.profile):
                clouds = spray_of(instance, rain, float(self._own(_SPRAY, instance).uniform(0.4, 1.6)))
                add_spray(self.frame, scene.camera, instance, clouds, level, tables.radiance, tables.temperature, out)

    def _own(self, part: int, instance: Instance) -> np.random.Generator:
        """An object's own generator: in a sequence it stays as it is when others come into view."""
        return self.draw.rng(Stream.WEATHER, _PARTS * instance.id + part)

    def _drives(self, profile: str) -> bool:
        return self.profiles.car(profile).airflow_m_s > _DRIVING_M_S
