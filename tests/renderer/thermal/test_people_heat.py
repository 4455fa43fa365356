"""Skin and clothes against ISO 7730's own table, against pythermalcomfort, and against what is seen of people."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from thermal_scenes import every_zone, profiles, winter_night

from renderer.errors import ThermalError
from renderer.thermal import physics
from renderer.thermal.people import (
    Person,
    clo_in_motion,
    clothing_surface_K,
    face_K,
    hands_K,
    local_clo,
    sample_person,
    skin_K,
    usual_clothing_clo,
    zone_temperatures_K,
)
from renderer.thermal.profiles import OBJECT_ZONES, read_profiles
from renderer.zones.catalogue import Zone

# ISO 7730:2005, Table D.1, as the validation data of pythermalcomfort state it (MIT licence):
# github.com/FedericoTartarini/validation-data-comfort-models, ts_pmv_ppd.json of commit 5aec852, rows "ISO 7730 2005".
# Air and radiant temperature (degC), air speed (m/s), humidity (%), met, clo; vote and share of the dissatisfied (%).
ISO_TABLE = (
    (22.0, 22.0, 0.1, 60, 1.2, 0.5, -0.8, 16.9),
    (27.0, 27.0, 0.1, 60, 1.2, 0.5, 0.8, 17.3),
    (27.0, 27.0, 0.3, 60, 1.2, 0.5, 0.4, 8.9),
    (23.5, 25.5, 0.1, 60, 1.2, 0.5, -0.0, 5.0),
    (23.5, 25.5, 0.3, 60, 1.2, 0.5, -0.6, 11.4),
    (19.0, 19.0, 0.1, 40, 1.2, 1.0, -0.6, 12.5),
    (23.5, 23.5, 0.3, 40, 1.2, 1.0, 0.1, 5.3),
    (23.0, 21.0, 0.1, 40, 1.2, 1.0, 0.1, 5.1),
    (23.0, 21.0, 0.3, 40, 1.2, 1.0, -0.2, 5.6),
    (22.0, 22.0, 0.1, 60, 1.6, 0.5, 0.1, 5.0),
    (27.0, 27.0, 0.1, 60, 1.6, 0.5, 1.2, 33.9),
    (27.0, 27.0, 0.3, 60, 1.6, 0.5, 0.9, 24.1),
)


def other_losses_W_m2(air_C: float, humidity: float, met: float) -> float:
    """What a body loses by sweat and breath (ISO 7730, D.1), W/m2."""
    heat, vapour_Pa = met * 58.15, humidity * 10 * math.exp(16.6536 - 4030.183 / (air_C + 235))
    sweat = 0.42 * (heat - 58.15) if heat > 58.15 else 0.0
    skin = 3.05e-3 * (5733 - 6.99 * heat - vapour_Pa)
    return skin + sweat + 1.7e-5 * heat * (5867 - vapour_Pa) + 0.0014 * heat * (34 - air_C)


def sensitivity(met: float) -> float:
    return 0.303 * math.exp(-0.036 * met * 58.15) + 0.028


@pytest.mark.parametrize("row", ISO_TABLE)
def test_votes_of_the_standard_follow_from_our_clothes(row: tuple[float, ...]) -> None:
    air, radiant, speed, humidity, met, clo, vote, dissatisfied = row
    skin = skin_K(met)
    surface = clothing_surface_K(air + 273.15, radiant + 273.15, speed, clo, skin)
    dry = (skin - surface) / (0.155 * clo)
    found = sensitivity(met) * (met * 58.15 - other_losses_W_m2(air, humidity, met) - dry)
    assert found == pytest.approx(vote, abs=0.06)
    # ISO 7730, equation 5. The table's shares have one decimal, and fall by 0.5 where the vote is off by 0.02.
    share = 100.0 - 95.0 * math.exp(-0.03353 * found**4 - 0.2179 * found**2)
    assert share == pytest.approx(dissatisfied, abs=0.5)


def test_clothes_of_all_weathers_are_those_of_pythermalcomfort() -> None:
    models = pytest.importorskip("pythermalcomfort.models")
    grid = itertools.product(np.arange(-20.0, 41.0, 10.0), (0.0, 0.5, 2.0, 10.0), (0.3, 1.0, 2.5), (1.0, 2.0, 6.0))
    for air, speed, clo, met in grid:
        voted = models.pmv_ppd_iso(air, air, speed, 50, met, clo, limit_inputs=False, round_output=False)
        dry = met * 58.15 - other_losses_W_m2(air, 50, met) - float(voted.pmv) / sensitivity(met)
        theirs = 35.7 - 0.028 * met * 58.15 - 0.155 * clo * dry
        ours = clothing_surface_K(air + 273.15, air + 273.15, speed, clo, skin_K(met)) - 273.15
        assert ours == pytest.approx(theirs, abs=0.3), (air, speed, clo, met)


def test_what_is_worn_by_the_weather_is_havenith_s() -> None:
    """Values of the polynomial of the paper, rounded."""
    assert [round(usual_clothing_clo(air + 273.15), 2) for air in (-20, 0, 10, 20)] == [1.63, 1.37, 1.13, 0.73]
    assert usual_clothing_clo(313.15) == 0.3


def test_faces_and_hands_are_cold_in_the_cold_and_never_feverish() -> None:
    faces = np.array([face_K(air + 273.15, 0.2) for air in range(-20, 45, 5)]) - 273.15
    hands = np.array([hands_K(air + 273.15, 0.2) for air in range(-20, 45, 5)]) - 273.15
    assert (np.diff(faces) >= 0).all()
    assert faces.max() <= 36.0
    assert (hands <= faces + 1e-9).all()
    assert 32.0 < face_K(294.15, 0.1) - 273.15 < 34.5, "of people in rooms, measured by many"
    # Osczevski 1994: cheeks in a cold wind tunnel reached 10 to 15 degC, and not the air's temperature.
    assert 8.0 < face_K(268.15, 2.0) - 273.15 < 16.0
    assert face_K(273.15, 5.0) < face_K(273.15, 0.5)


def test_at_night_a_coat_is_a_little_and_a_face_much_warmer_than_the_air() -> None:
    night = winter_night()
    warm = {zone: kelvin - night.air_temperature_K for zone, kelvin in zone_temperatures_K(walker(), night).items()}
    assert 1.5 < warm[Zone.UPPER_CLOTHES] < 8.0
    assert warm[Zone.LOWER_CLOTHES] > warm[Zone.UPPER_CLOTHES], "coats are cooler than trousers"
    assert warm[Zone.SKIN] > warm[Zone.HAIR] > warm[Zone.UPPER_CLOTHES]
    assert warm[Zone.SKIN] > 12.0
    assert min(warm.values()) > 0.0


def walker() -> Person:
    return Person(met=2.8, clo=1.4, speed_m_s=1.3, gloves=False)


def test_each_person_is_drawn_alone_and_with_as_many_numbers() -> None:
    activity, night = profiles().people["walking"], winter_night()
    rng = np.random.default_rng(3)
    people = [sample_person(activity, night, rng) for _ in range(200)]
    after = rng.random()
    again = np.random.default_rng(3)
    again.standard_normal(0)
    for _ in range(200):
        sample_person(profiles().people["standing"], winter_night(air_temperature_K=300.0), again)
    assert again.random() == after
    assert 1.1 < float(np.mean([person.clo for person in people])) < 1.7
    assert float(np.std([person.clo for person in people])) > 0.1
    assert 2.4 < float(np.mean([person.met for person in people])) < 3.4


def test_trousers_are_the_same_all_year_and_the_trunk_has_the_rest() -> None:
    """Garments of ISO 9920: over their areas the parts sum up to the whole; trousers are 0.25 of a clo."""
    for clo in (0.6, 0.8, 1.0):
        trunk, legs = local_clo(clo)
        assert 0.45 * trunk + 0.40 * legs + 0.1 == pytest.approx(clo)
        assert 0.40 * legs == pytest.approx(0.25)
    assert local_clo(1.6)[0] > 2.5 * local_clo(1.6)[1]


def test_what_wind_and_walking_leave_of_clothes_is_that_of_pythermalcomfort() -> None:
    clothing = pytest.importorskip("pythermalcomfort.clothing", reason="pythermalcomfort is not installed")
    grid = itertools.product((0.2, 0.5, 0.8, 1.4, 2.4), (0.15, 0.5, 1.5, 3.0), (0.0, 0.6, 1.2))
    for clo, air, pace in grid:
        area = clothing.clo_area_factor(clo)
        total = clothing.clo_total_insulation(clo + 0.7 / area, air, pace, 0.7, clo)
        theirs = total - clothing.clo_insulation_air_layer(air, pace, 0.7) / area
        assert clo_in_motion(clo, air, pace) == pytest.approx(float(theirs), rel=1e-9), (clo, air, pace)
    assert clo_in_motion(1.0, 0.15, 0.0) == pytest.approx(1.0)
    assert clo_in_motion(1.0, 1.8, 5.0) == clo_in_motion(1.0, 1.8, 1.2)


def test_a_coat_of_one_who_walks_is_warmer_than_of_one_who_stands_in_that_air() -> None:
    walks = zone_temperatures_K(walker(), winter_night(wind_m_s=1.0))
    stands = zone_temperatures_K(replace(walker(), speed_m_s=0.0), winter_night(wind_m_s=math.hypot(1.0, 1.3)))
    assert walks[Zone.UPPER_CLOTHES] - stands[Zone.UPPER_CLOTHES] > 0.8
    assert walks[Zone.SKIN] == stands[Zone.SKIN]


def test_a_shirt_is_warmer_than_a_coat_in_the_same_weather() -> None:
    mild, activity = winter_night(air_temperature_K=288.15), profiles().people["walking"]
    shirt, coat, unknown = (
        zone_temperatures_K(sample_person(activity, mild, np.random.default_rng(1), clo), mild)
        for clo in (0.5, 1.5, None)
    )
    assert shirt[Zone.UPPER_CLOTHES] > unknown[Zone.UPPER_CLOTHES] > coat[Zone.UPPER_CLOTHES]
    assert shirt[Zone.UPPER_CLOTHES] - coat[Zone.UPPER_CLOTHES] > 1.5
    assert shirt[Zone.SKIN] == coat[Zone.SKIN] == unknown[Zone.SKIN]


def test_an_activity_without_numbers_gets_one_line(tmp_path: object) -> None:
    from pathlib import Path

    from assets import THERMAL_PROFILES

    path = Path(str(tmp_path)) / "profiles.toml"
    text = THERMAL_PROFILES.read_text(encoding="utf-8")
    path.write_text(text + '\n[activity.dancing]\nmet = 3\nspeed_m_s = 1.0\nsource = "x"\n', encoding="utf-8")
    with pytest.raises(ThermalError, match=r"activity\.dancing: met is 3, expected \[mean, deviation\]"):
        read_profiles(path)


def test_a_persons_zones_are_what_the_body_says_else_what_their_material_does() -> None:
    """Zone by zone, as the table was filled before."""
    known, conditions = profiles(), winter_night()
    walker = replace(every_zone().instances[0], category="person", profile=next(iter(known.people)))
    cars = physics.Cars(
        np.zeros(65536, np.int32), np.zeros((2, 3, 4)), *np.zeros((2, 2, 32)), *np.ones((2, 2, 32)), *np.ones((5, 2))
    )
    physics._warm_person(cars, 1, walker, conditions, known, np.random.default_rng(8))
    rng = np.random.default_rng(8)
    person = sample_person(known.people[walker.profile], conditions, rng, walker.clo)
    spread = np.clip(rng.standard_normal(32), -2.2, 2.2)
    body, air_K = zone_temperatures_K(person, conditions, "person"), conditions.air_temperature_K
    for zone in OBJECT_ZONES:
        heat = known.materials[zone].heat
        mean_K = body.get(zone, air_K + heat.mean_K)
        share = 0.36 if zone in (Zone.HEADWEAR, Zone.UPPER_CLOTHES, Zone.LOWER_CLOTHES, Zone.CARRIED) else 0.22
        variation_K = 0.25 + share * abs(mean_K - air_K) if zone in body else heat.variation_K
        assert cars.base_K[1, zone] == mean_K + heat.deviation_K * spread[zone]
        assert cars.variation_K[1, zone] == variation_K
    assert cars.shift[1] == rng.uniform(0.0, 200.0)
    worn = [rng.uniform(0.5, 1.35) for _ in range(4)]
    assert cars.sun_gain[1, [Zone.HEADWEAR, Zone.UPPER_CLOTHES, Zone.LOWER_CLOTHES, Zone.CARRIED]].tolist() == worn
