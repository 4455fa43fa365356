"""Fog, rain and snow against theory that knows nothing of the code: Mie, Marshall and Palmer, Beer, melting ice."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from thermal_scenes import car, profiles, surface, winter_night

from renderer.errors import ThermalError
from renderer.geometry.camera import Camera
from renderer.geometry.frame import Frame, Instance
from renderer.geometry.view import camera_view
from renderer.random_streams import Draw, Stream
from renderer.thermal.atmosphere import path_transmittance
from renderer.thermal.balance import surface_balance
from renderer.thermal.condition_names import SKIES, WEATHERS, parse_weather
from renderer.thermal.conditions import Conditions, sample_conditions
from renderer.thermal.ground import GroundEffects
from renderer.thermal.kernels import Passes
from renderer.thermal.physics import render_thermal, snow_coat
from renderer.thermal.planck import LWIR, band_radiance, band_table
from renderer.thermal.weather.climate import climate_shares
from renderer.thermal.weather.departed import add_departed, departed_cars
from renderer.thermal.weather.deposit import deposit_of
from renderer.thermal.weather.draws import draw_conditions
from renderer.thermal.weather.effects import WeatherEffects
from renderer.thermal.weather.extinction import (
    fog_extinction_per_m,
    rain_extinction_per_m,
    snowfall_extinction_per_m,
    visible_extinction_per_m,
)
from renderer.thermal.weather.humid import dew_point_K, saturation_slope_hPa_K, wet_bulb_K
from renderer.thermal.weather.rain import WATER_REFLECTANCE, mirror_street
from renderer.thermal.weather.season import trees_are_bare
from renderer.thermal.weather.snow import ON_GROUND, ON_OBJECT
from renderer.thermal.weather.spray import optical_depth
from renderer.zones.catalogue import Zone

UP = (0.0, 0.0, 1.0)
DRAW = Draw(7, 0)
SNOW = WeatherEffects("clear", snow_depth_m=0.2, snow_on_road=1.0, snow_on_trees=0.5, snow_age_days=0.0)
WATER = {
    8.0: (1.291, 0.0343), 9.0: (1.262, 0.0399), 10.0: (1.218, 0.0508), 11.0: (1.153, 0.0968), 12.0: (1.111, 0.199),
    13.0: (1.146, 0.305), 14.0: (1.210, 0.370),
}  # fmt: skip
"""Refractive index by wavelength in um (Hale and Querry 1973)."""


def snowy(**changes: object) -> Conditions:
    values: dict[str, object] = {"weather": "snow", "effects": SNOW, "air_temperature_K": 268.15}
    return winter_night(**{**values, **changes})


def seen_K(zone: Zone, conditions: Conditions, normal: tuple[float, float, float] = UP, **where: object) -> float:
    frame = surface(zone, normal, **{"distance_m": 4.0, "down_deg": 40.0, **where})  # type: ignore[arg-type]
    return float(np.median(render_thermal(frame, conditions, profiles(), DRAW).apparent_temperature_K))


# --- the air ----------------------------------------------------------------------------------------------------------


def _mie(index: complex, size: float) -> float:
    """Extinction efficiency of a sphere of size parameter ``size`` (Bohren and Huffman 1983, appendix A)."""
    orders = int(size + 4.0 * size ** (1 / 3) + 2)
    y, last = size * index, int(max(orders, abs(size * index)) + 16)
    down = np.zeros(last, complex)
    for n in range(last - 1, 0, -1):
        down[n - 1] = n / y - 1.0 / (down[n] + n / y)
    psi, chi, total = (math.cos(size), math.sin(size)), (-math.sin(size), math.cos(size)), 0.0
    for n in range(1, orders + 1):
        psi, chi = (psi[1], (2 * n - 1) * psi[1] / size - psi[0]), (chi[1], (2 * n - 1) * chi[1] / size - chi[0])
        before, now = complex(psi[0], -chi[0]), complex(psi[1], -chi[1])
        a, b = down[n] / index + n / size, down[n] * index + n / size
        total += (2 * n + 1) * (
            ((a * psi[1] - psi[0]) / (a * now - before)) + ((b * psi[1] - psi[0]) / (b * now - before))
        ).real
    return 2.0 * total / size**2


def _efficiencies() -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Radii in um, extinction efficiency in visible light and in 8-14 um."""
    radii = np.geomspace(0.4, 45.0, 56)
    visible = [_mie(1.333 + 0j, 2 * math.pi * r / 0.55) for r in radii]
    band = [np.mean([_mie(complex(*nk), 2 * math.pi * r / um) for um, nk in WATER.items()]) for r in radii]
    return radii, np.array(visible), np.array(band)


def test_fog_is_as_thick_in_this_band_as_mie_says_of_the_droplets_of_shettle_and_fenn() -> None:
    radii, visible, band = _efficiencies()
    assert visible[-8:].mean() == pytest.approx(2.0, abs=0.15)  # the paradox of extinction
    for exponent, slope in ((6.0, 3.0), (6.0, 1.5), (3.0, 0.375)):  # moderate and heavy radiation fog, advection fog
        area = radii**exponent * np.exp(-slope * radii) * radii**3
        ratio = float((area * band).sum() / (area * visible).sum())
        effective_um = (exponent + 3.0) / slope
        of_visible = fog_extinction_per_m(300.0, effective_um) / visible_extinction_per_m(300.0)
        assert of_visible == pytest.approx(ratio, rel=0.06), effective_um


def test_an_eye_sees_two_percent_of_a_contrast_at_the_visibility() -> None:
    assert math.exp(-visible_extinction_per_m(430.0) * 430.0) == pytest.approx(0.02, abs=1e-4)
    assert snowfall_extinction_per_m(800.0) > visible_extinction_per_m(800.0)


@pytest.mark.parametrize("rate", [0.5, 5.0, 25.0])
def test_rain_takes_away_twice_the_cross_section_of_the_drops_of_marshall_and_palmer(rate: float) -> None:
    millimetres = np.linspace(0.0, 12.0, 24001)
    drops = 8000.0 * np.exp(-4.1 * rate**-0.21 * millimetres)  # per m3 and mm
    area_m2 = math.pi / 4.0 * (millimetres * 1e-3) ** 2
    assert rain_extinction_per_m(rate) == pytest.approx(
        float((2.0 * area_m2 * drops).sum() * (millimetres[1] - millimetres[0])), rel=0.01
    )


def test_contrast_in_fog_falls_by_beers_law() -> None:
    distances = np.array([10.0, 60.0, 150.0])
    dry = path_transmittance(distances, 283.15, 0.98, 300.0, 0.0)
    foggy = path_transmittance(distances, 283.15, 0.98, 300.0, 0.013)
    np.testing.assert_allclose(foggy / dry, np.exp(-0.013 * distances), rtol=1e-12)


def test_a_warm_thing_fades_into_the_fog() -> None:
    def warmer_K(distance_m: float, extinction: float) -> float:
        fog = WeatherEffects("fog", extinction, droplet_radius_um=4.0)
        conditions = winter_night(weather="fog", effects=fog, sky_temperature_K=275.0, relative_humidity=0.99)
        return seen_K(Zone.GRILLE, conditions, (-1.0, 0.0, 0.0), distance_m=distance_m, down_deg=2.0) - 275.15

    near, thick = warmer_K(60.0, 0.002), warmer_K(60.0, 0.03)
    # Radiance is nearly linear over the kelvins of a grille.
    assert thick / near == pytest.approx(math.exp(-0.028 * 60.0), rel=0.06)


# --- snow -------------------------------------------------------------------------------------------------------------


def test_no_zone_has_the_numbers_of_snow() -> None:
    assert {ON_GROUND, ON_OBJECT}.isdisjoint(int(zone) for zone in Zone)


def test_snow_at_night_is_as_cold_as_air_and_sky_make_it() -> None:
    conditions = snowy()
    white, air_K = seen_K(Zone.SOIL, conditions), conditions.air_temperature_K
    # In clear calm nights snow is measured 3 to 10 K below the air; houses hide a third of the sky here.
    assert air_K - 9.0 < white < air_K - 1.5
    assert (
        seen_K(Zone.ROAD, dataclasses.replace(conditions, effects=dataclasses.replace(SNOW, snow_on_road=0.0)))
        > white + 3.0
    )
    assert seen_K(Zone.BUILDING, conditions, (-1.0, 0.0, 0.0)) > white + 3.0


@pytest.mark.parametrize("air_K", [262.0, 272.0, 275.1])
@pytest.mark.parametrize("age_days", [0.0, 15.0])
def test_snow_in_the_sun_is_no_warmer_than_melting_ice(air_K: float, age_days: float) -> None:
    conditions = snowy(
        air_temperature_K=air_K, hour=12.0, sun_elevation_deg=30.0, day_of_year=60,
        effects=dataclasses.replace(SNOW, snow_age_days=age_days),
    )  # fmt: skip
    tilted = (math.cos(math.radians(60)), 0.0, math.sin(math.radians(60)))
    for zone, normal in ((Zone.SOIL, UP), (Zone.BUILDING, tilted)):
        frame = surface(zone, normal, distance_m=1.0, down_deg=40.0)
        kelvin = render_thermal(frame, conditions, profiles(), DRAW).apparent_temperature_K
        assert kelvin.max() < 273.15 + 0.4  # and its pattern of a quarter of a kelvin


def test_snow_keeps_its_emissivity_at_a_glance() -> None:
    # Level, seen at 20 degrees above the surface: a mirror of 2 to 4 % under a zenith 50 K colder.
    steep, flat = (seen_K(Zone.SOIL, snowy(wind_m_s=30.0), down_deg=d, distance_m=2.0) for d in (70.0, 20.0))
    assert 0.0 <= steep - flat < 1.0


def test_a_car_that_stood_is_white_and_a_driven_one_is_not() -> None:
    def roof_K(profile: str, zone: Zone = Zone.BONNET) -> float:
        return seen_K(zone, snowy(), UP, profile=profile, local_m=(1.5, 0.0, 0.9), distance_m=3.0)

    snow_K = seen_K(Zone.SOIL, snowy())
    assert roof_K("cold_soaked") == pytest.approx(snow_K, abs=1.0)
    assert roof_K("driving") > snow_K + 3.0
    # Its flank is not: snow slides off.
    flank = seen_K(Zone.BODY, snowy(), (-1.0, 0.0, 0.0), profile="cold_soaked")
    assert flank > snow_K + 1.0


# --- draws ------------------------------------------------------------------------------------------------------------


def test_the_coat_of_snow_is_where_the_picture_has_it() -> None:
    """A carriageway half of which is white: the coat is where a cold surface shows, as the picture does."""
    half = dataclasses.replace(SNOW, snow_on_road=0.45)
    frame = surface(Zone.ROAD, UP, distance_m=6.0, down_deg=25.0, size=(160, 120))
    coat = snow_coat(frame, snowy(effects=half), profiles(), DRAW)
    assert coat is not None
    assert 0.1 < coat.mean() < 0.9
    seen = render_thermal(frame, snowy(effects=half), profiles(), DRAW).apparent_temperature_K
    white = seen[coat]
    assert np.percentile(white, 95) < np.percentile(seen[~coat], 5)
    assert snow_coat(frame, winter_night(), profiles(), DRAW) is None


def test_trees_are_bare_in_the_winters_of_weathers_with_effects_alone() -> None:
    assert trees_are_bare(snowy(day_of_year=20))
    assert trees_are_bare(snowy(day_of_year=350))
    assert not trees_are_bare(snowy(day_of_year=172))
    assert not trees_are_bare(winter_night(day_of_year=20))
    assert not trees_are_bare(None)


def test_without_a_mixture_nothing_is_drawn_anew() -> None:
    for index in range(20):
        draw = Draw(3, index)
        assert draw_conditions(draw) == sample_conditions(draw.rng(Stream.CONDITIONS))
        for sky in SKIES:
            assert draw_conditions(draw, weather=sky) == sample_conditions(draw.rng(Stream.CONDITIONS), weather=sky)


def test_any_draws_every_weather_and_snow_in_winter_alone() -> None:
    drawn = [draw_conditions(Draw(5, index), weather="any") for index in range(500)]
    assert {c.weather for c in drawn} == set(WEATHERS)
    assert all(c.effects is not None for c in drawn)
    for c in drawn:
        if c.weather in ("snow", "snowfall"):
            assert c.day_of_year >= 335 or c.day_of_year <= 60
            assert c.air_temperature_K <= 275.15
    assert drawn == [draw_conditions(Draw(5, index), weather="any") for index in range(500)]
    summer = [draw_conditions(Draw(5, index), weather="any", season="summer") for index in range(60)]
    assert {"snow", "snowfall"}.isdisjoint(c.weather for c in summer)


def test_any_has_the_sunshine_snow_and_fog_that_weather_services_count() -> None:
    year = {
        (day, hour): climate_shares(day, hour) for day in range(1, 366) for hour in (1.0, 5.0, 9.0, 13.0, 17.0, 21.0)
    }
    assert all(sum(shares.values()) == pytest.approx(1.0) and min(shares.values()) >= 0.0 for shares in year.values())

    def mean(names: dict[str, float], days: range) -> float:
        return float(np.mean([sum(w * one[n] for n, w in names.items()) for (d, _), one in year.items() if d in days]))

    shine, snow = {"clear": 1.0, "cloudy": 0.65}, {"snow": 1.0, "snowfall": 1.0}
    assert mean(shine, range(1, 32)) == pytest.approx(0.18, abs=0.05)  # 53 of 265 hours in January
    assert mean(shine, range(213, 244)) == pytest.approx(0.45, abs=0.05)
    assert 31 * mean(snow, range(1, 32)) == pytest.approx(8.6, abs=0.1)
    assert 31 * mean(snow, range(335, 366)) == pytest.approx(5.0, abs=0.1)
    assert 200.0 < 8760.0 * mean({"fog": 1.0}, range(1, 366)) < 600.0


def test_a_mixture_keeps_its_weights() -> None:
    drawn = [draw_conditions(Draw(5, i), weather="snow=3,fog=1,clear=0").weather for i in range(400)]
    assert drawn.count("snow") / 400 == pytest.approx(0.75, abs=0.07)
    assert drawn.count("clear") == 0


def test_rates_of_rain_are_those_of_the_itu() -> None:
    rates = [draw_conditions(Draw(1, i), weather="rain=1").effects.rain_mm_h for i in range(1500)]  # type: ignore[union-attr]
    # Of the hours with rain, 7 % of all: 2 mm/h are exceeded in 1/7 of them, 10 mm/h in 0.1/7.
    assert np.mean(np.array(rates, float) > 2.0) == pytest.approx(1.0 / 7.0, abs=0.03)
    assert np.mean(np.array(rates, float) > 10.0) == pytest.approx(0.1 / 7.0, abs=0.008)


def test_what_was_drawn_is_read_back() -> None:
    for weather in ("snow", "snowfall", "fog=1", "rain=1", "clear"):
        conditions = draw_conditions(Draw(2, 4), weather=weather)
        assert Conditions.from_json(conditions.to_json()) == conditions
    assert "effects" not in draw_conditions(Draw(2, 4)).to_json()


@pytest.mark.parametrize(
    ("text", "season", "words"),
    [
        ("hail", None, "unknown weather 'hail'"),
        ("snow=-1", None, "'snow=-1'"),
        ("snow,rain", None, "'snow'"),
        ("rain=1,rain=2", None, "'rain=2'"),
        ("rain=0", None, "above 0"),
        ("snow", "summer", "summer"),
    ],
)
def test_what_cannot_be_drawn_is_refused(text: str, season: str | None, words: str) -> None:
    with pytest.raises(ThermalError, match=words):
        parse_weather(text, season)
    with pytest.raises(ThermalError, match=words):
        draw_conditions(DRAW, weather=text, season=season)


def test_effects_that_no_weather_has_are_refused() -> None:
    with pytest.raises(ThermalError, match="snow_on_road is 2"):
        WeatherEffects("clear", snow_on_road=2.0)
    with pytest.raises(ThermalError, match="has the sky 'snow'"):
        winter_night(weather="snow")


# --- water ------------------------------------------------------------------------------------------------------------


def test_the_wet_bulb_is_that_of_stulls_example_and_of_a_psychrometer() -> None:
    assert wet_bulb_K(293.15, 0.5) == pytest.approx(273.15 + 13.7, abs=0.05)  # the paper's own example
    for celsius, humidity in ((5.0, 0.8), (15.0, 0.9), (25.0, 0.4), (2.0, 0.95)):
        air_hPa = humidity * saturated_hPa(celsius)
        low, high = -20.0, celsius
        for _ in range(60):  # e = e_s(wet) - 0.000662 p (dry - wet), an aspirated psychrometer at 1013 hPa
            middle = 0.5 * (low + high)
            too_wet = saturated_hPa(middle) - 0.000662 * 1013.25 * (celsius - middle) > air_hPa
            low, high = (low, middle) if too_wet else (middle, high)
        assert wet_bulb_K(273.15 + celsius, humidity) - 273.15 == pytest.approx(low, abs=0.8)


def saturated_hPa(celsius: float) -> float:
    """Buck 1981, another formula than the code's."""
    return float(6.1121 * math.exp(17.502 * celsius / (240.97 + celsius)))


def test_dew_point_and_slope_are_those_of_tables() -> None:
    assert dew_point_K(293.15, 0.5) == pytest.approx(273.15 + 9.3, abs=0.1)  # psychrometric charts
    assert dew_point_K(283.15, 1.0) == pytest.approx(283.15, abs=1e-6)
    for celsius, kPa in ((5.0, 0.061), (10.0, 0.082), (20.0, 0.145), (30.0, 0.243)):  # FAO paper 56, table 2.4
        assert saturation_slope_hPa_K(273.15 + celsius) == pytest.approx(10.0 * kPa, rel=0.012)


def test_a_film_of_water_reflects_what_fresnel_says() -> None:
    seen = [
        np.mean([_fresnel(complex(*nk), math.radians(degrees)) for nk in WATER.values()]) for degrees in (0, 80, 87)
    ]
    assert pytest.approx(seen[0], abs=0.004) == WATER_REFLECTANCE
    for exact, degrees in zip(seen[1:], (80, 87), strict=True):
        away = 1.0 - math.cos(math.radians(degrees))
        schlick = WATER_REFLECTANCE + (1.0 - WATER_REFLECTANCE) * 0.85 * away**5
        assert 0.85 * exact - 0.03 < schlick < exact + 0.05  # grains of asphalt stick out of the film


def _fresnel(index: complex, angle: float) -> float:
    cos, root = math.cos(angle), np.sqrt(index**2 - math.sin(angle) ** 2)
    across, along = (cos - root) / (cos + root), (index**2 * cos - root) / (index**2 * cos + root)
    return float((abs(across) ** 2 + abs(along) ** 2) / 2)


RAIN = WeatherEffects("rain", 0.001, rain_mm_h=5.0, water_film=1.0)


def rainy(**changes: object) -> Conditions:
    values: dict[str, object] = {
        "weather": "rain", "effects": RAIN, "air_temperature_K": 283.15, "sky_temperature_K": 281.0,
        "relative_humidity": 0.9, "visibility_m": 5000.0,
    }  # fmt: skip
    return winter_night(**{**values, **changes})


def test_rain_evens_temperatures_out() -> None:
    dry = rainy(weather="overcast", effects=None)
    spread = [
        abs(seen_K(zone, weather, (-1.0, 0.0, 0.2), profile="idling") - wet_bulb_K(283.15, 0.9))
        for weather in (dry, rainy())
        for zone in (Zone.BONNET, Zone.BODY, Zone.ROAD)
    ]
    assert sum(spread[3:]) < 0.8 * sum(spread[:3])


def test_a_wet_street_shows_the_warm_car_ahead_upside_down() -> None:
    frame = car_on_a_road()
    pixel = np.argwhere((frame.zone == Zone.ROAD) & (np.arange(48)[:, None] == 40))[24]
    film = [dataclasses.replace(RAIN, water_film=share) for share in (0.0, 1.0)]
    dull, wet = (
        render_thermal(frame, rainy(effects=f), profiles(), DRAW).apparent_temperature_K[tuple(pixel)] for f in film
    )
    assert wet > dull + 1.0


def test_mirror_images_lie_where_reflected_rays_meet_what_stands() -> None:
    """Rows of a wall have temperatures of their own, so that each image tells where it is from. No ripples."""
    frame = car_on_a_road()
    passes = Passes(frame.depth_m, frame.zone, frame.instance_id, np.ones_like(frame.instance_id), frame.normal)
    stands = frame.zone == Zone.GRILLE
    rows = np.broadcast_to(np.arange(48.0)[:, None], stands.shape)
    table = band_table(LWIR)

    def added(wall_K: NDArray[np.float64]) -> NDArray[np.float64]:
        kelvin = np.where(stands, wall_K, 280.0).astype(np.float32)
        before = band_radiance(kelvin, LWIR)
        mirror_street(
            passes, camera_view(frame), np.zeros((256, 256), np.float32), 1.0, 0.0, float(band_radiance(280.0, LWIR)),
            table.forward, table.inverse, kelvin,
        )  # fmt: skip
        change: NDArray[np.float64] = band_radiance(kelvin, LWIR) - before
        assert (change[stands] == 0).all()
        return change

    even, by_row = added(np.full(stands.shape, 330.0)), added(300.0 + rows)
    shows = even > 0.01
    assert shows.sum() > 48 * 8
    image = by_row[shows] / even[shows] * (band_radiance(330.0, LWIR) - band_radiance(280.0, LWIR))
    each_row = band_radiance(300.0 + np.arange(48.0), LWIR)
    wall_rows = np.interp(image + band_radiance(280.0, LWIR), each_row, np.arange(48))
    # From the height of the camera down to a street d ahead, and up again to the wall 12 m ahead. A ray is asked at
    # steps, each 0.28 longer than what lies behind it: so much later it may be found to have met.
    street_m = frame.depth_m[shows].astype(np.float64)
    for late, lowest in ((0.0, True), (0.28, False)):
        along = (12.0 - street_m) * (1.0 + late)
        row = 24.0 + 120.0 * (1.2 - 1.2 * along / street_m) / (street_m + along)
        assert (wall_rows < row + 0.2).all() if lowest else (wall_rows > row - 1.2).all()


def car_on_a_road() -> Frame:
    """A warm grille as an upright wall 12 m ahead, above a level road, seen from 1.2 m."""
    size = 48
    view = Camera("view", size, size, 120.0, 120.0, size / 2, size / 2)
    base = surface(Zone.GRILLE, (-1.0, 0.0, 0.0), distance_m=12.0, down_deg=0.0, size=(size, size), profile="idling")
    to_world = base.cam_to_world.copy()
    to_world[2, 3] = 1.2
    down = (np.arange(size) + 0.5 - size / 2) / 120.0
    road_m = np.where(down > 0, 1.2 / np.maximum(down, 1e-6), np.inf)
    on_road = np.broadcast_to((road_m < 12.0)[:, None], (size, size))
    normal = np.where(on_road[..., None], (0.0, 0.0, 1.0), (-1.0, 0.0, 0.0)).astype(np.float32)
    return dataclasses.replace(
        base, camera=view, cam_to_world=to_world, normal=normal,
        depth_m=np.where(on_road, np.minimum(road_m, 12.0)[:, None], 12.0).astype(np.float32),
        zone=np.where(on_road, Zone.ROAD, Zone.GRILLE).astype(np.uint8),
        instance_id=np.where(on_road, 0, 1).astype(np.uint16),
    )  # fmt: skip


def test_the_depth_of_spray_is_the_integral_along_the_ray() -> None:
    cloud = np.array([1.0, -0.5, 0.4, 1.5, 0.5, 0.3, 0.2])
    start, direction = np.array([-6.0, 0.3, 1.4]), np.array([0.99, -0.08, -0.11])
    direction /= np.linalg.norm(direction)

    def depth_m(end: float) -> float:
        (ox, oy, oz), (dx, dy, dz) = start, direction
        return float(optical_depth(cloud, ox, oy, oz, dx, dy, dz, end))

    for end in (5.0, 7.5, 30.0):
        along = np.linspace(0.0, end, 20001)
        points = start + along[:, None] * direction
        density = 0.2 * np.exp(-0.5 * (((points - cloud[:3]) / cloud[3:6]) ** 2).sum(axis=1))
        assert depth_m(end) == pytest.approx(float(density.sum() * along[1]), rel=1e-3)


# --- dew and places that were left ------------------------------------------------------------------------------------


def test_dew_falls_on_clear_humid_nights_alone() -> None:
    def fallen(**changes: object) -> str | None:
        return deposit_of(winter_night(**changes), 6.0)  # 3.9 K below the air at a street's open sky

    assert fallen(air_temperature_K=288.15, relative_humidity=0.9) == "dew"
    assert fallen(air_temperature_K=272.15, relative_humidity=0.9) == "frost"
    assert fallen(air_temperature_K=288.15, relative_humidity=0.5) is None
    assert fallen(air_temperature_K=288.15, relative_humidity=0.9, sun_elevation_deg=20.0) is None
    assert deposit_of(winter_night(relative_humidity=0.9), 0.5) is None  # under clouds


def test_rime_takes_the_mirror_of_the_sky_from_a_bonnet() -> None:
    frost = winter_night(
        air_temperature_K=271.15, relative_humidity=0.95, effects=WeatherEffects("clear", deposit="frost")
    )
    dry = dataclasses.replace(frost, effects=None)
    where = {"profile": "cold_soaked", "down_deg": 15.0, "distance_m": 6.0, "normal": (-0.3, 0.0, 1.0)}
    assert seen_K(Zone.BONNET, frost, **where) > seen_K(Zone.BONNET, dry, **where) + 1.0  # type: ignore[arg-type]
    moving = {**where, "profile": "driving"}
    assert seen_K(Zone.BONNET, frost, **moving) == pytest.approx(seen_K(Zone.BONNET, dry, **moving), abs=0.5)  # type: ignore[arg-type]


def _seeded(seed: int) -> Callable[[Instance], np.random.Generator]:
    return lambda _: np.random.default_rng(seed)


def test_a_car_that_left_lets_its_place_be_seen_until_the_ground_forgets() -> None:
    frame = surface(Zone.ROAD, UP, distance_m=4.0, down_deg=40.0)
    parked = car(np.array([30.0, 3.0, 0.0]), (0.0, 0.0, 0.0), "cold_soaked")
    lots = [departed_cars([parked], profiles(), _seeded(seed)) for seed in range(300)]
    assert 0.2 < np.mean([len(one) for one in lots]) < 0.4
    for left in (one for one in lots if one):
        gap = np.linalg.norm(left[0][0].object_to_world[:2, 3] - parked.object_to_world[:2, 3])
        assert gap == pytest.approx(parked.box_3d.length_m + 1.1)
    under = dataclasses.replace(parked, object_to_world=np.diag([1.0, 1.0, 1.0, 1.0]))
    under.object_to_world[:3, 3] = (3.0, 0.0, 1.65 - 4.0 * math.sin(math.radians(40.0)))
    balance = surface_balance(winter_night(), profiles())
    warm = []
    for hours in (0.0, 1.0, 4.0):
        effects = GroundEffects(*np.zeros((2, *frame.zone.shape), np.float32))
        add_departed(frame, effects, [(under, hours)], profiles(), balance)
        warm.append(float(effects.heat_K.max()))
    assert warm[0] > warm[1] > warm[2] > 0.0
    assert warm[2] < 0.1 * warm[0]
