"""Below a bridge: the share of the sky that it hides by counting rays, and what that does to a road."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from thermal_scenes import profiles, surface, winter_night

from renderer.geometry.cover import Cover
from renderer.geometry.frame import Frame
from renderer.random_streams import Draw
from renderer.thermal.conditions import Conditions
from renderer.thermal.physics import render_thermal
from renderer.zones.catalogue import Zone

BRIDGE = Cover(3.0, -2.0, 5.0, 0.4, 12.0, 40.0)
SUNNY = Conditions(13.0, 172, "clear", 298.15, 265.0, 0.5, 2.0, 40e3, 60.0, 250.0)


@pytest.mark.parametrize("place", [(3.0, -2.0, 0.0), (9.0, 0.0, 1.0), (20.0, 3.0, 0.0), (3.0, -2.0, 6.0)])
def test_the_hidden_share_is_that_of_rays_by_lamberts_law(place: tuple[float, float, float]) -> None:
    rng = np.random.default_rng(3)
    turn, reach = rng.uniform(0.0, 2 * np.pi, 40_000), np.sqrt(rng.random(40_000))
    rays = np.column_stack([reach * np.cos(turn), reach * np.sin(turn), np.sqrt(1.0 - reach**2)])
    met = [BRIDGE.hides(np.array(place), ray) for ray in rays[:4000]]
    assert float(BRIDGE.hidden_sky(np.array(place))) == pytest.approx(np.mean(met), abs=0.025)


def test_the_sun_is_hidden_where_its_ray_meets_the_deck() -> None:
    above = np.array([0.0, 0.0, 1.0])
    assert bool(BRIDGE.hides(np.array([3.0, -2.0, 0.0]), above))
    assert not bool(BRIDGE.hides(np.array([3.0, -2.0, 5.5]), above))
    low = np.array([np.cos(0.4), np.sin(0.4), 0.05])
    assert not bool(BRIDGE.hides(np.array([3.0, -2.0, 0.0]), low / np.linalg.norm(low)))


def road(*covers: Cover) -> Frame:
    frame = surface(Zone.ROAD, (0.0, 0.0, 1.0), distance_m=4.0, down_deg=60.0)
    return dataclasses.replace(frame, covers=covers)


def over(frame: Frame) -> Cover:
    """A wide deck above what a frame shows."""
    ahead = frame.cam_to_world[:3, 3] + 4.0 * frame.cam_to_world[:3, 2]
    return Cover(float(ahead[0]), float(ahead[1]), float(ahead[2]) + 5.0, 0.0, 60.0, 60.0)


def road_K(conditions: Conditions, *covers: Cover) -> float:
    return float(np.median(render_thermal(road(*covers), conditions, profiles(), Draw(7, 0)).apparent_temperature_K))


def test_below_a_bridge_a_road_is_warm_at_night_and_cool_by_day() -> None:
    deck, night = over(road()), winter_night()
    assert road_K(night, deck) > road_K(night) + 1.0
    assert road_K(SUNNY, deck) < road_K(SUNNY) - 5.0
    assert road_K(SUNNY, deck) == pytest.approx(SUNNY.air_temperature_K, abs=4.0)


def test_a_bridge_far_away_changes_no_pixel() -> None:
    far = dataclasses.replace(over(road()), x_m=4000.0)
    open_road = render_thermal(road(), SUNNY, profiles(), Draw(7, 0)).apparent_temperature_K
    beside = render_thermal(road(far), SUNNY, profiles(), Draw(7, 0)).apparent_temperature_K
    np.testing.assert_array_equal(open_road, beside)
