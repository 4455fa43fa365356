"""Temperatures of faces at the limits of the formula: black, white, turned up, down and away from the sun."""

from __future__ import annotations

import numpy as np
import pytest
from thermal_scenes import profiles, winter_night

from renderer.errors import ThermalError
from renderer.thermal.balance import surface_balance, transfer_W_m2K
from renderer.thermal.conditions import Conditions
from renderer.thermal.faces import face_temperatures_K
from renderer.thermal.planck import band_radiance
from renderer.thermal.profiles import Heat, Material, Profiles
from renderer.zones.catalogue import Zone

UP, DOWN, SIDE = (0.0, 0.0, 1.0), (0.0, 0.0, -1.0), (1.0, 0.0, 0.0)
OPEN = 0.65
"""Share of the sky that a street leaves open."""


def plain(
    emissivity: float, *, offset_K: float = 0.0, exposure: float = 0.0, indoor: float = 0.0, absorptance: float = 0.9
) -> Profiles:
    """All environment surfaces of one material; ``exposure`` 0 keeps sun and sky off."""
    material = Material(emissivity, 0.0, 0.0, absorptance, 1.0, exposure, indoor, Heat(offset_K, 0.0, 0.0, "test"))
    return Profiles(dict.fromkeys(profiles().materials, material), profiles().cars)


def kelvin(
    zone: Zone, normal: tuple[float, ...], conditions: Conditions, table: Profiles, name: str = "driving"
) -> float:
    unit = np.asarray([normal], dtype=np.float64) / np.linalg.norm(normal)
    return float(face_temperatures_K(np.array([zone], np.uint8), unit, conditions, table, name)[0])


def noon() -> Conditions:
    return winter_night(
        hour=12.0, day_of_year=172, air_temperature_K=298.15, sky_temperature_K=255.0, relative_humidity=0.45,
        sun_elevation_deg=60.0, sun_azimuth_deg=0.0,
    )  # fmt: skip


@pytest.mark.parametrize("offset_K", [-20.0, 0.0, 35.0])
def test_a_black_face_shows_its_own_temperature_whichever_way_it_looks(offset_K: float) -> None:
    for normal in (UP, DOWN, SIDE):
        seen = kelvin(Zone.METAL, normal, winter_night(), plain(1.0, offset_K=offset_K))
        assert seen == pytest.approx(275.15 + offset_K, abs=2e-3)


def test_a_face_that_emits_nothing_shows_sky_and_surroundings_by_its_view_factor() -> None:
    """A plane tilted by b sees (1 + cos b) / 2 of the sky's half-sphere (isotropic sky, Liu and Jordan 1963)."""
    conditions = winter_night()
    sky, air = band_radiance([conditions.sky_temperature_K, conditions.air_temperature_K])
    for tilt_deg, view in ((0.0, 1.0), (60.0, 0.75), (90.0, 0.5), (120.0, 0.25), (180.0, 0.0)):
        tilt = np.radians(tilt_deg)
        seen = kelvin(Zone.METAL, (np.sin(tilt), 0.0, np.cos(tilt)), conditions, plain(0.0, offset_K=200.0))
        expected = OPEN * view * sky + (1.0 - OPEN * view) * air
        assert float(band_radiance(seen)) == pytest.approx(float(expected), rel=1e-4)


def test_half_an_emitter_lies_halfway_in_radiance() -> None:
    warm, air = band_radiance([275.15 + 60.0, 275.15])
    seen = kelvin(Zone.METAL, DOWN, winter_night(), plain(0.25, offset_K=60.0))
    assert float(band_radiance(seen)) == pytest.approx(float(0.25 * warm + 0.75 * air), rel=1e-4)


def test_in_surroundings_as_warm_as_itself_a_face_shows_that_temperature() -> None:
    even = winter_night(weather="fog", sky_temperature_K=275.15, relative_humidity=1.0, visibility_m=200.0)
    for emissivity in (0.0, 0.3, 1.0):
        assert kelvin(Zone.METAL, UP, even, plain(emissivity)) == pytest.approx(275.15, abs=2e-3)


def test_sky_cools_a_face_by_its_view_factor() -> None:
    table = plain(1.0, exposure=1.0, absorptance=0.0)  # nothing left of the day's sun
    loss_K = surface_balance(winter_night(), table).sky_loss_K[Zone.METAL]
    assert loss_K > 1.0
    for normal, view in ((UP, 1.0), (SIDE, 0.5), (DOWN, 0.0)):
        seen = kelvin(Zone.METAL, normal, winter_night(), table)
        assert 275.15 - seen == pytest.approx(OPEN * view * loss_K, abs=2e-3)


def test_the_sun_warms_by_lamberts_cosine_and_never_from_behind() -> None:
    table = plain(1.0, exposure=1.0)
    balance = surface_balance(noon(), table)
    loss_K, diffuse_K = balance.sky_loss_K[Zone.METAL], balance.diffuse_K[Zone.METAL]
    for normal in (UP, DOWN, SIDE, (-1.0, 0.0, 0.0), (0.0, 0.6, -0.8)):
        sky = (1.0 + normal[2]) / 2
        expected = 298.15 + sky * (diffuse_K - OPEN * loss_K)
        for sun, gain_K in zip(balance.sun_world, balance.sun_K[Zone.METAL], strict=True):
            cosine = float(np.dot(normal, sun))
            expected += gain_K * cosine if cosine > 0 else 0.0
        assert kelvin(Zone.METAL, normal, noon(), table) == pytest.approx(expected, abs=5e-3)


def test_heating_indoors_warms_walls_in_winter_and_does_not_cool_them_in_summer() -> None:
    table = plain(1.0, indoor=0.1)
    assert kelvin(Zone.BUILDING, SIDE, winter_night(), table) == pytest.approx(275.15 + 0.1 * 18.0, abs=2e-3)
    assert kelvin(Zone.BUILDING, SIDE, noon(), table) == pytest.approx(298.15, abs=2e-3)


def test_a_car_takes_its_heat_from_the_profile_and_its_wind_from_its_speed() -> None:
    table, conditions = plain(1.0, exposure=1.0), noon()
    balance = surface_balance(conditions, table)
    for name in ("driving", "sun_loaded", "cold_soaked"):
        car = table.car(name)
        flow = transfer_W_m2K(conditions.wind_m_s) / transfer_W_m2K(conditions.wind_m_s + car.airflow_m_s)
        own_K = 298.15 + car.heat[Zone.ROOF].mean_K
        sun_K = float(np.maximum(balance.sun_world[:, 2], 0.0) @ balance.sun_K[Zone.ROOF])
        sun_K += float(balance.diffuse_K[Zone.ROOF])
        expected = own_K + car.sun * flow * sun_K - flow * OPEN * balance.sky_loss_K[Zone.ROOF]
        assert kelvin(Zone.ROOF, UP, conditions, table, name) == pytest.approx(expected, abs=5e-3)
    assert transfer_W_m2K(2.0) == pytest.approx(5.0 + 5.7 + 3.8 * 2.0)  # McAdams, and 5 W/m2K of radiation


def test_what_is_no_car_does_not_know_the_profile() -> None:
    table = plain(1.0, exposure=1.0)
    for zone in (Zone.BACKGROUND, Zone.ROAD, Zone.BUILDING):
        seen = {kelvin(zone, UP, noon(), table, name) for name in ("driving", "cold_soaked")}
        assert len(seen) == 1


def test_an_unknown_profile_is_an_error() -> None:
    with pytest.raises(ThermalError, match="levitating"):
        kelvin(Zone.BODY, UP, noon(), profiles(), "levitating")
