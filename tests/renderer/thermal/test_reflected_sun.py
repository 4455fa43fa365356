"""Reflected sun in 3-5 um, against the published irradiance and the formula written out."""

from __future__ import annotations

import math

import numpy as np
import pytest
from thermal_scenes import profiles, surface, winter_night

from renderer.random_streams import Draw
from renderer.thermal.atmosphere import path_transmittance
from renderer.thermal.conditions import Conditions
from renderer.thermal.physics import render_thermal
from renderer.thermal.planck import LWIR, MWIR, Band, band_radiance
from renderer.thermal.profiles import Heat, Material, Profiles
from renderer.thermal.weather.reflected_sun import reflects_sun, solar_irradiance_W_m2
from renderer.zones.catalogue import Zone


def _noon(**changes: object) -> Conditions:
    return winter_night(**{"hour": 12.0, "day_of_year": 172, "sun_elevation_deg": 90.0, **changes})


def test_sun_above_the_air_is_a_black_body_of_its_size() -> None:
    """Blackbody fractions F(0, lambda T) by their series (Chang and Rhee 1984), times 1361 W/m2, at 5772 K."""
    irradiance = solar_irradiance_W_m2(_noon(), MWIR) / 0.55
    assert irradiance == pytest.approx(1361.0 * (_fraction(5e-6 * 5772) - _fraction(3e-6 * 5772)), rel=5e-3)


def _fraction(wavelength_temperature_mK: float) -> float:
    x = 1.438777e-2 / wavelength_temperature_mK
    terms = ((x**3 + 3 * x**2 / n + 6 * x / n**2 + 6 / n**3) * math.exp(-n * x) / n for n in range(1, 60))
    return 15 / math.pi**4 * sum(terms)


def test_no_sun_by_night_and_under_clouds() -> None:
    assert solar_irradiance_W_m2(_noon(sun_elevation_deg=-5.0), MWIR) == 0.0
    assert solar_irradiance_W_m2(_noon(weather="overcast"), MWIR) == 0.0
    low = _noon(sun_elevation_deg=20.0)
    assert 0 < solar_irradiance_W_m2(low, MWIR) < solar_irradiance_W_m2(_noon(), MWIR)


def test_it_counts_in_short_bands_only() -> None:
    """In 8-14 um the sun is, on a surface that reflects a tenth, a five hundredth of what 300 K emit."""
    assert reflects_sun(MWIR)
    assert not reflects_sun(LWIR)
    assert not reflects_sun(Band(7.5, 13.5))
    assert 0.1 * solar_irradiance_W_m2(_noon(), LWIR) / math.pi < float(band_radiance(300.0, LWIR)) / 500
    assert 0.1 * solar_irradiance_W_m2(_noon(), MWIR) / math.pi > float(band_radiance(300.0, MWIR)) / 10


def test_a_lit_road_is_as_bright_as_the_formula_says() -> None:
    """Emissivity 0.9, no warming by the sun: what the sun adds to the radiance is tau 0.1 E sin(elevation) / pi."""
    heat = Heat(0.0, 0.0, 0.0, "test")
    material = Material(0.9, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, heat)
    shipped = profiles()
    table = Profiles(dict.fromkeys(shipped.materials, material), shipped.cars)
    frame, draw = surface(Zone.ROAD, (0.0, 0.0, 1.0), down_deg=12.0), Draw(7, 0)

    def radiance(elevation_deg: float, band: Band) -> float:
        kelvin = render_thermal(frame, _noon(sun_elevation_deg=elevation_deg), table, draw, band)
        return float(np.median(band_radiance(kelvin.apparent_temperature_K, band)))

    irradiance = solar_irradiance_W_m2(_noon(sun_elevation_deg=50.0), MWIR)
    through = float(path_transmittance(8.0, 275.15, 0.75, 20000.0))
    added = through * 0.1 * irradiance * math.sin(math.radians(50.0)) / math.pi
    assert added > 0.1
    assert radiance(50.0, MWIR) - radiance(-40.0, MWIR) == pytest.approx(added, rel=2e-2)
    assert radiance(50.0, LWIR) == pytest.approx(radiance(-40.0, LWIR), rel=1e-4)
