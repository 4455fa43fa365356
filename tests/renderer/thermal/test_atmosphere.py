"""Limits of sky and path that hold whatever the formulas."""

from __future__ import annotations

import numpy as np
import pytest

from renderer.thermal.atmosphere import (
    air_mass,
    clear_sky_emissivity,
    haze_extinction_per_m,
    path_transmittance,
    sky_emissivity,
    vapour_pressure_hPa,
    zenith_sky_temperature_K,
)


def test_vapour_pressure_at_points_of_the_steam_table() -> None:
    # Saturation: 6.11 hPa at 0 degC, 23.4 at 20, 42.5 at 30.
    for celsius, saturated in ((0.0, 6.11), (20.0, 23.4), (30.0, 42.5)):
        assert vapour_pressure_hPa(celsius + 273.15, 1.0) == pytest.approx(saturated, rel=0.01)


def test_clear_zenith_is_tens_of_kelvin_colder_than_air_and_less_so_in_humid_air() -> None:
    dry, humid = (zenith_sky_temperature_K(283.15, h, 0.0, 2000.0) for h in (0.3, 0.9))
    assert 40.0 < 283.15 - dry < 80.0
    assert dry < humid < 283.15


def test_a_low_cloud_cover_is_nearly_as_warm_as_the_air() -> None:
    assert 0.0 < 283.15 - zenith_sky_temperature_K(283.15, 0.8, 1.0, 300.0) < 4.0
    assert 283.15 - zenith_sky_temperature_K(283.15, 0.8, 1.0, 3000.0) > 8.0


def test_the_sky_warms_towards_the_horizon_where_it_is_as_warm_as_the_air() -> None:
    emissivity = sky_emissivity(clear_sky_emissivity(280.0, 0.6), np.radians([90.0, 60.0, 30.0, 10.0, 3.0, 0.0]))
    assert (np.diff(emissivity) > 0).all()
    assert emissivity[0] == pytest.approx(clear_sky_emissivity(280.0, 0.6), rel=1e-3)
    assert emissivity[-1] > 0.999


def test_air_mass() -> None:
    # Kasten and Young: 1 at the zenith, about 2 at 30 degrees, 38 at the horizon.
    assert air_mass(np.radians([90.0, 30.0, 0.0])) == pytest.approx([1.0, 1.994, 37.9], rel=0.01)


@pytest.mark.parametrize("air_K", [255.0, 275.0, 295.0, 308.0])
@pytest.mark.parametrize("humidity", [0.2, 0.6, 1.0])
def test_transmittance_falls_from_one_to_nothing(air_K: float, humidity: float) -> None:
    distance = np.concatenate([[0.0], np.geomspace(0.1, 30_000.0, 200), [np.inf]])
    through = path_transmittance(distance, air_K, humidity, 20_000.0)
    assert through[0] == 1.0
    assert (np.diff(through) <= 1e-12).all()
    assert through[-1] < 1e-3
    assert through[distance <= 10.0].min() > 0.93


def test_fog_hides_what_haze_lets_through() -> None:
    # In fog all wavelengths are lost alike: contrast is 2 % at the visibility, by its definition.
    assert path_transmittance(300.0, 283.0, 1.0, 300.0) < 0.03
    assert np.exp(-haze_extinction_per_m(300.0) * 300.0) == pytest.approx(0.02, rel=0.01)
    assert np.exp(-haze_extinction_per_m(10_000.0) * 1000.0) > 0.98
