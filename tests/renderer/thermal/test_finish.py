"""Paint and dirt of cars: shares of colours, and what they do to a frame."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from thermal_scenes import profiles, surface, winter_night

from renderer.random_streams import Draw, Stream
from renderer.thermal.balance import surface_balance
from renderer.thermal.finish import draw_finish
from renderer.thermal.physics import _Generators, _objects, _OwnGenerators
from renderer.thermal.pixels.radiance import mirrored
from renderer.zones.catalogue import Zone


def finishes(count: int) -> list[tuple[float, float, float]]:
    rng = Draw(3, 0).rng(Stream.FINISH)
    drawn = [draw_finish(rng) for _ in range(count)]
    return [(one.sun[Zone.ROOF], one.gloss[Zone.ROOF], one.gloss[Zone.GLASS]) for one in drawn]


def test_two_cars_in_five_are_white_and_absorb_under_half_of_what_the_mean_does() -> None:
    sun, gloss, glass = np.array(finishes(4000)).T
    assert (sun < 0.5).mean() == pytest.approx(0.38, abs=0.03)
    assert sun.mean() * 0.65 == pytest.approx(0.58, abs=0.02)
    assert (sun.min(), sun.max()) == (pytest.approx(0.20 / 0.65, abs=0.01), pytest.approx(0.97 / 0.65, abs=0.01))
    assert gloss.min() > 0.24
    assert gloss.max() <= 1.0
    assert (glass >= gloss).all()


def test_colours_are_those_that_numpy_chooses() -> None:
    ours, numpys = np.random.default_rng(5), np.random.default_rng(5)
    for _ in range(500):
        chosen = numpys.choice((0.25, 0.92, 0.62), p=(0.38, 0.34, 0.28)) + numpys.uniform(-0.05, 0.05)
        dirt = 0.75 * numpys.random() ** 2
        finish = draw_finish(ours)
        assert finish.absorptance == pytest.approx(chosen, rel=1e-15)
        assert finish.gloss[Zone.ROOF] == 1.0 - dirt


def test_only_paint_has_a_colour() -> None:
    finish = draw_finish(np.random.default_rng(1))
    assert (finish.sun[[Zone.GLASS, Zone.TYRE, Zone.SKIN]] == 1.0).all()
    assert (finish.gloss[[Zone.TYRE, Zone.UPPER_CLOTHES]] == 1.0).all()
    assert np.ptp(finish.sun[[Zone.BODY, Zone.ROOF, Zone.BONNET]]) == 0.0


def test_panes_of_a_heated_cabin_are_warm_in_the_cold_only() -> None:
    finish = [draw_finish(np.random.default_rng(0))]
    car = surface(Zone.GLASS, (-1.0, 0.0, 0.0)).instances[0]

    def above_air(air_K: float, profile: str) -> float:
        conditions = winter_night(air_temperature_K=air_K)
        own = [dataclasses.replace(car, profile=profile)]
        warmth = _Generators(np.random.default_rng(7), Draw(3, 0))
        balance = surface_balance(conditions, profiles())
        cars = _objects(own, conditions, profiles(), balance, warmth, iter(finish), _OwnGenerators(Draw(3, 0)))
        return float(cars.base_K[1, Zone.GLASS] - air_K)

    assert above_air(273.15, "driving") - above_air(298.0, "driving") == pytest.approx(0.15 * 20.0)
    assert above_air(273.15, "cold_soaked") == pytest.approx(above_air(298.0, "cold_soaked"))


def test_the_mirror_shows_crowns_before_the_sky_and_fewer_the_higher() -> None:
    values = np.random.default_rng(2).uniform(-1, 1, (256, 256)).astype(np.float32)
    sky = np.zeros(512)

    def hidden(elevation_deg: float) -> float:
        up, out = np.sin(np.radians(elevation_deg)), np.cos(np.radians(elevation_deg))
        turns = np.linspace(0, 2 * np.pi, 500)
        seen = [mirrored(values, sky, 1.0, 1.0, 0.8, out * np.cos(a), out * np.sin(a), up, 0.1) for a in turns]
        return float(np.mean(seen))

    shares = [hidden(at) for at in (10.0, 25.0, 45.0)]
    assert shares[0] == pytest.approx(0.5, abs=0.15)
    assert shares[0] > shares[1] > shares[2] > 0.0
    assert hidden(80.0) == 0.0
