"""Weather that can occur, and the same for the same seed."""

from __future__ import annotations

import numpy as np
import pytest

from renderer.errors import ThermalError
from renderer.thermal.conditions import SEASONS, SKIES, Conditions, sample_conditions, sun_elevation_deg


def draws(count: int, **fixed: object) -> list[Conditions]:
    return [sample_conditions(np.random.default_rng([1, i, 1]), **fixed) for i in range(count)]  # type: ignore[arg-type]


def test_the_sun_stands_where_almanacs_say() -> None:
    # 48 degrees north: 65.4 degrees at noon in June, 18.6 in December; at the equinox 0 at six o'clock.
    assert sun_elevation_deg(172, 12.0) == pytest.approx(65.4, abs=0.3)
    assert sun_elevation_deg(355, 12.0) == pytest.approx(18.6, abs=0.3)
    assert sun_elevation_deg(81, 6.0) == pytest.approx(0.0, abs=0.5)
    assert sun_elevation_deg(172, 0.0) < -15.0


def test_all_weathers_and_seasons_occur() -> None:
    seen = draws(400)
    assert {c.weather for c in seen} == set(SKIES)
    assert min(c.hour for c in seen) < 2.0
    assert max(c.hour for c in seen) > 22.0
    assert min(c.day_of_year for c in seen) < 30
    assert max(c.day_of_year for c in seen) > 335


def test_what_goes_together_goes_together() -> None:
    def gap(weather: str) -> float:
        return float(np.median([c.air_temperature_K - c.sky_temperature_K for c in draws(60, weather=weather)]))

    assert gap("clear") > 30.0
    assert 5.0 < gap("cloudy") < gap("clear")
    assert gap("overcast") < 12.0
    assert gap("fog") < 2.0
    assert max(c.visibility_m for c in draws(60, weather="fog")) <= 1000.0
    summer = np.median([c.air_temperature_K for c in draws(60, season="summer", hour=14.0)])
    winter = np.median([c.air_temperature_K for c in draws(60, season="winter", hour=14.0)])
    assert 12.0 < summer - winter < 28.0


def test_seasons_are_the_meteorological_ones() -> None:
    months = {"winter": (335, 60), "spring": (60, 152), "summer": (151, 244), "autumn": (243, 335)}
    for season in SEASONS:
        first, last = months[season]
        for c in draws(40, season=season):
            inside = first <= c.day_of_year <= last if first < last else c.day_of_year >= first or c.day_of_year <= last
            assert inside, (season, c.day_of_year)


def test_same_seed_same_weather_and_what_is_given_shifts_nothing_else() -> None:
    assert draws(5) == draws(5)
    for plain, fixed in zip(draws(20), draws(20, hour=3.0), strict=True):
        assert fixed.hour == 3.0
        assert (fixed.weather, fixed.day_of_year, fixed.wind_m_s, fixed.visibility_m) == (
            plain.weather, plain.day_of_year, plain.wind_m_s, plain.visibility_m,
        )  # fmt: skip


def test_json_keeps_everything() -> None:
    for c in draws(3):
        assert Conditions.from_json(c.to_json()) == c


@pytest.mark.parametrize("wrong", [{"weather": "hail"}, {"season": "monsoon"}, {"hour": 25.0}])
def test_impossible_wishes_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ThermalError, match="expected"):
        draws(1, **wrong)


def test_impossible_numbers_are_refused() -> None:
    data = draws(1)[0].to_json()
    for key, value in (("air_temperature_K", 20.0), ("relative_humidity", 60.0), ("visibility_m", float("nan"))):
        with pytest.raises(ThermalError, match=key):
            Conditions.from_json({**data, key: value})
