"""Colours by lot: the same for the same key, and in agreement with how the sun warms a car."""

from __future__ import annotations

import numpy as np

from assets import THERMAL_PROFILES
from renderer.random_streams import Draw, Moment
from renderer.thermal.finish import draw_finish
from renderer.thermal.profiles import read_profiles
from renderer.visible.colours import colours_of
from renderer.visible.looks import LOOKS
from renderer.zones.catalogue import Zone

LUMINANCE = np.array([0.2126, 0.7152, 0.0722])


def test_colours_follow_from_frame_and_object_alone() -> None:
    first = colours_of(Draw(1, 5), 3, "person", None)
    assert first == colours_of(Draw(1, 5), 3, "person", None)
    assert first != colours_of(Draw(1, 5), 4, "person", None)
    assert first != colours_of(Draw(1, 6), 3, "person", None)


def test_an_object_keeps_its_colours_over_a_sequence() -> None:
    frames = [Draw(1, index, 0, Moment(2, index, 10, 10.0)) for index in (0, 7)]
    assert colours_of(frames[0], 3, "car", 0.5) == colours_of(frames[1], 3, "car", 0.5)


def test_cars_that_the_sun_warms_are_dark() -> None:
    """Absorptance and visible reflectance of paints go together: white 0.25, black 0.95 (thermal_profiles.toml)."""
    rng = np.random.default_rng(4)
    absorptances = [draw_finish(rng).absorptance for _ in range(300)]
    bright = [
        np.array(colours_of(Draw(0, 0), k, "car", one)[Zone.BODY]) @ LUMINANCE for k, one in enumerate(absorptances)
    ]
    assert np.corrcoef(absorptances, bright)[0, 1] < -0.8
    assert min(absorptances) > 0.15
    assert max(absorptances) < 1.0


def test_roof_and_bonnet_have_the_colour_of_the_body() -> None:
    colours = colours_of(Draw(0, 3), 1, "van", None)
    assert colours[Zone.BODY] == colours[Zone.ROOF] == colours[Zone.BONNET]


def test_every_zone_that_is_drawn_has_a_look() -> None:
    assert set(LOOKS) == set(Zone) - {Zone.SKY}
    assert all(
        0.0 <= value <= 1.0
        for one in LOOKS.values()
        for value in (*one.look.colour, one.look.roughness, one.look.metallic)
    )
    assert set(read_profiles(THERMAL_PROFILES).materials) <= set(Zone)
