"""The table of materials and profiles, and what happens to a bad one."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from thermal_scenes import ASSETS, profiles

from renderer.errors import ThermalError, ZoneError
from renderer.thermal.profiles import OBJECT_ZONES, profile_names, read_profiles
from renderer.zones.catalogue import Zone

TABLE = ASSETS / "thermal_profiles.toml"


def test_the_shipped_profiles() -> None:
    assert profile_names(TABLE) == ("driving", "idling", "just_parked", "cold_soaked", "sun_loaded")


def test_every_number_has_a_source() -> None:
    shipped = profiles()
    rows = [m.heat for m in shipped.materials.values()]
    rows += [h for car in shipped.cars.values() for h in car.heat.values()]
    assert all(row.source.strip() for row in rows)


def test_a_used_car_is_warm_where_it_works() -> None:
    shipped = profiles()
    driving, cold = shipped.car("driving").heat, shipped.car("cold_soaked").heat
    for zone in (Zone.TYRE, Zone.LAMP, Zone.GRILLE, Zone.EXHAUST, Zone.BRAKE, Zone.UNDERBODY):
        assert driving[zone].mean_K > driving[Zone.BODY].mean_K > cold[zone].mean_K


def test_an_unknown_profile_is_named_with_the_known_ones() -> None:
    with pytest.raises(ThermalError, match=r"'flying'.*driving"):
        profiles().car("flying")


def broken(tmp_path: Path, old: str, new: str) -> Path:
    text = TABLE.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "profiles.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("old", "new", "error", "message"),
    [
        ("emissivity = 0.93", "emissivity = 1.93", ThermalError, "emissivity"),
        ("emissivity = 0.93", 'emissivity = "high"', ThermalError, "emissivity"),
        ("[material.road]", "[material.rode]", ZoneError, "rode"),
        ("[material.roof]", "[other.roof]", ThermalError, "roof"),
        ("tyre = { offset_K = [10.5, 1.2]", "tyre = { offset_K = 10.5", ThermalError, "offset_K"),
        ('source = "Bramson: steel, oxidised, 0.79"', "", ThermalError, "source"),
        ("[material.body]", "[material.body", ThermalError, "profiles"),
    ],
)
def test_a_bad_table_is_refused(tmp_path: Path, old: str, new: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        read_profiles(broken(tmp_path, old, new))


def test_a_missing_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ThermalError, match=r"nothing\.toml"):
        read_profiles(tmp_path / "nothing.toml")


def after_K(zone: Zone, minutes: float, air_K: float) -> float:
    """Mean warmth of a driven car's zone."""
    profiles = read_profiles(TABLE)
    warmth = profiles.zone_heat(profiles.car("driving")).mean_after_K(minutes, air_K)
    return float(warmth[OBJECT_ZONES.index(zone)])


def test_a_car_that_starts_is_cold_and_warms_up() -> None:
    tyre = read_profiles(TABLE).car("driving").heat[Zone.TYRE]
    assert after_K(Zone.TYRE, 0.0, 275.0) == 0.0
    assert after_K(Zone.TYRE, tyre.warm_up_min, 275.0) == pytest.approx(tyre.mean_K * (1.0 - 1.0 / math.e))
    assert after_K(Zone.TYRE, math.inf, 275.0) == tyre.mean_K


def test_zones_that_a_profile_leaves_out_are_as_their_material_says() -> None:
    profiles = read_profiles(TABLE)
    bicycle = next(iter(profiles.two_wheelers.values()))
    heat = profiles.zone_heat(bicycle)
    for k, zone in enumerate(OBJECT_ZONES):
        wanted = bicycle.heat.get(zone, profiles.materials[zone].heat)
        assert (heat.mean_K[k], heat.variation_K[k]) == (wanted.mean_K, wanted.variation_K)
    assert profiles.zone_heat(bicycle) is heat


def test_a_cabin_warms_doors_in_the_cold_alone() -> None:
    door = read_profiles(TABLE).car("driving").heat[Zone.BODY]
    at_2, at_11, at_20, at_30 = (after_K(Zone.BODY, math.inf, 273.15 + celsius) for celsius in (2.0, 11.0, 20.0, 30.0))
    assert at_2 == door.mean_K
    assert at_20 == at_30 == pytest.approx((1.0 - door.from_cabin) * door.mean_K)
    assert at_11 == pytest.approx((at_2 + at_20) / 2.0)
