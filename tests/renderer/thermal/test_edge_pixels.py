"""Pixels at edges: means of radiances by quadrature, and pictures of finer cameras."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from thermal_scenes import profiles, surface, winter_night

from renderer.geometry.cover import Cover
from renderer.geometry.edge_samples import EdgeSamples
from renderer.geometry.frame import Frame
from renderer.random_streams import Draw
from renderer.thermal.physics import render_thermal
from renderer.thermal.planck import LWIR, MWIR, Band, band_radiance
from renderer.thermal.weather.effects import WeatherEffects
from renderer.zones.catalogue import Zone

AT = (10, 13)
"""A pixel whose right half shows a panel that faces the ground."""


def _frame() -> Frame:
    """A panel of a car, and one pixel with two samples of glass that looks down and one of the pixel below."""
    frame = surface(Zone.BODY, (-1.0, 0.0, 0.2))
    zone = frame.zone.copy()
    zone[AT[0] + 1, AT[1]] = Zone.TYRE
    width = zone.shape[1]
    number = AT[0] * width + AT[1]
    source = np.array([[number, -1, number + width, -2]], np.int32)
    grid = np.array([[4 * AT[1] + 2, 4 * AT[0]], [4 * AT[1] + 3, 4 * AT[0] + 2]], np.int32)
    normal = np.array([[-0.6, 0.0, -0.8]] * 2, np.float32)
    samples = np.full(2, Zone.GLASS, np.uint8)
    edges = EdgeSamples(
        np.array([number], np.int32), source, grid[:, 0].copy(), grid[:, 1].copy(), np.full(2, 8.0, np.float32),
        np.ones(2, np.uint16), samples, np.zeros(2, np.uint16), normal,
    )  # fmt: skip
    return replace(frame, zone=zone, part=np.zeros(zone.shape, np.uint16), edges=edges)


def _kelvin(frame: Frame, band: Band = LWIR, **changes: object) -> np.ndarray:
    return render_thermal(frame, winter_night(**changes), profiles(), Draw(3, 0), band).apparent_temperature_K


def test_a_pixel_at_an_edge_is_the_mean_radiance_of_what_lies_in_it() -> None:
    frame = _frame()
    kelvin, sharp = _kelvin(frame), _kelvin(replace(frame, edges=None))
    # The samples' surface as pixels of a camera four times as fine see it.
    assert frame.normal is not None
    fine = replace(
        frame, camera=frame.camera.resize(96, 96), edges=None, zone=np.full((96, 96), Zone.GLASS, np.uint8),
        depth_m=np.full((96, 96), 8.0, np.float32), instance_id=np.ones((96, 96), np.uint16),
        part=np.zeros((96, 96), np.uint16), normal=np.tile(np.float32([-0.6, 0.0, -0.8]), (96, 96, 1)),
    )  # fmt: skip
    assert frame.edges is not None
    glass = _kelvin(fine)[frame.edges.row, frame.edges.column]
    shown = np.array([sharp[AT], sharp[AT[0] + 1, AT[1]], *glass], np.float64)
    assert np.ptp(shown) > 3.0
    assert band_radiance(kelvin[AT].astype(np.float64)) == pytest.approx(band_radiance(shown).mean(), rel=2e-5)
    sharp[AT] = kelvin[AT]
    assert np.array_equal(kelvin, sharp)


@pytest.mark.parametrize("what", ["frost", "snow", "bridge", "mwir by day"])
def test_where_more_decides_what_shows_edges_stay_what_centres_hit(what: str) -> None:
    frame, changes, band = _frame(), {}, LWIR
    if what == "frost":
        changes["effects"] = WeatherEffects("clear", deposit="frost")
    elif what == "snow":
        changes["effects"] = WeatherEffects("clear", snow_depth_m=0.1, snow_on_road=0.5)
    elif what == "bridge":
        frame = replace(frame, covers=(Cover(0.0, 0.0, 4.6, 0.0, 100.0, 100.0),))
    else:
        changes, band = {"hour": 12.0, "sun_elevation_deg": 30.0}, MWIR
    sharp = _kelvin(replace(frame, edges=None), band, **changes)
    assert np.array_equal(_kelvin(frame, band, **changes), sharp)
