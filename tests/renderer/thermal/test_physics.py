"""Energy limits, everyday physics, and the temperatures of two real cars."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from thermal_scenes import camera, pose, profiles, surface, winter_night

from renderer.errors import ThermalError
from renderer.geometry.frame import Frame, Part
from renderer.random_streams import Draw
from renderer.thermal.atmosphere import clear_sky_emissivity, sky_emissivity
from renderer.thermal.conditions import Conditions
from renderer.thermal.physics import normals_from_depth, render_thermal
from renderer.thermal.planck import band_radiance, band_table
from renderer.thermal.profiles import Heat, Material, Profiles
from renderer.zones.catalogue import Zone

DRAW = Draw(7, 0)
UP = (0.0, 0.0, 1.0)
TOWARDS = (-1.0, 0.0, 0.0)


def noon(**changes: object) -> Conditions:
    """A clear summer noon; the sun stands in the south, the world's -y."""
    values: dict[str, object] = {
        "hour": 12.0, "day_of_year": 172, "air_temperature_K": 298.15, "sky_temperature_K": 255.0,
        "relative_humidity": 0.45, "sun_elevation_deg": 62.0, "sun_azimuth_deg": -90.0, "wind_m_s": 1.5,
    }  # fmt: skip
    return winter_night(**{**values, **changes})


def plain(emissivity: float, *, mirror: float = 0.0, offset_K: float = 0.0) -> Profiles:
    """All surfaces of one material without pattern, sun or grazing reflection."""
    heat = Heat(offset_K, 0.0, 0.0, "test")
    material = Material(emissivity, mirror, 0.0, 0.0, 1.0, 0.0, 0.0, heat)
    shipped = profiles()
    return Profiles(dict.fromkeys(shipped.materials, material), shipped.cars)


def seen_K(frame: Frame, conditions: Conditions, table: Profiles | None = None, draw: Draw = DRAW) -> float:
    return float(np.median(render_thermal(frame, conditions, table or profiles(), draw).apparent_temperature_K))


def typical_K(zone: Zone, normal: tuple[float, float, float], conditions: Conditions, **where: Any) -> float:
    """Median over objects of a zone; cars have been driven long, as those that were measured."""
    table = profiles()
    warm = dataclasses.replace(
        table, cars={name: dataclasses.replace(car, trip_min=0.0) for name, car in table.cars.items()}
    )
    frame = surface(zone, normal, **where)
    return float(np.median([seen_K(frame, conditions, warm, draw=Draw(7, i)) for i in range(9)]))


# --- limits -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("offset_K", [-20.0, 0.0, 15.0, 200.0])
def test_a_black_surface_shows_its_own_temperature(offset_K: float) -> None:
    frame = surface(Zone.METAL, TOWARDS, distance_m=0.1)
    assert seen_K(frame, winter_night(), plain(1.0, offset_K=offset_K)) == pytest.approx(
        275.15 + offset_K,
        abs=0.02 + 0.003 * abs(offset_K),  # 0.1 m of air
    )


def test_a_perfect_mirror_shows_the_sky_and_nothing_of_itself() -> None:
    conditions = winter_night()
    frame = surface(Zone.METAL, UP, distance_m=0.1, down_deg=50.0)
    cold, hot = (seen_K(frame, conditions, plain(0.0, mirror=1.0, offset_K=k)) for k in (0.0, 300.0))
    assert cold == hot
    zenith = clear_sky_emissivity(275.15, 0.75)
    sky = sky_emissivity(zenith, np.radians(50.0)) * band_radiance(275.15)
    expected = float(band_table().temperature(np.asarray([sky], dtype=np.float32))[0])
    assert cold == pytest.approx(expected, abs=2.0)


def test_a_rough_reflector_lies_between_sky_and_ground() -> None:
    frame = surface(Zone.METAL, UP, distance_m=0.1, down_deg=50.0)
    conditions = winter_night()
    diffuse, mirror = (seen_K(frame, conditions, plain(0.0, mirror=m)) for m in (0.0, 1.0))
    assert mirror < diffuse < 275.15


@pytest.mark.parametrize("emissivity", [0.9, 0.6])
def test_reflectance_rises_towards_grazing_incidence_as_schlick_says(emissivity: float) -> None:
    """R = R0 + (1 - R0) (1 - cos)^5 (Schlick, Computer Graphics Forum 13, 1994), read from a very hot rough plate."""
    even = winter_night(weather="fog", sky_temperature_K=275.15, relative_humidity=1.0)  # air, sky and street alike
    cool, hot_plate = plain(emissivity), plain(emissivity, offset_K=300.0).materials[Zone.METAL]
    table = Profiles({**cool.materials, Zone.METAL: dataclasses.replace(hot_plate, grazing=1.0)}, cool.cars)
    hot, air = (float(band_radiance(kelvin)) for kelvin in (575.15, 275.15))
    for down_deg in (90.0, 60.0, 30.0, 15.0, 8.0):
        frame = surface(Zone.METAL, UP, distance_m=0.1, down_deg=down_deg)
        seen = float(band_radiance(seen_K(frame, even, table)))
        normal = 1.0 - emissivity
        schlick = normal + (1.0 - normal) * (1.0 - np.sin(np.radians(down_deg))) ** 5
        assert (hot - seen) / (hot - air) == pytest.approx(schlick, abs=0.006)


@pytest.mark.parametrize("mirror", [0.0, 0.5, 1.0])
def test_what_mirrors_an_even_surrounding_shows_that_surrounding(mirror: float) -> None:
    even = winter_night(weather="fog", sky_temperature_K=275.15, relative_humidity=1.0)
    for normal in (UP, TOWARDS, (-0.6, 0.0, 0.8)):
        frame = surface(Zone.METAL, normal, distance_m=0.1, down_deg=40.0)
        assert seen_K(frame, even, plain(0.0, mirror=mirror, offset_K=0.0)) == pytest.approx(275.15, abs=0.05)


def test_far_away_in_fog_everything_is_air() -> None:
    fog = winter_night(weather="fog", visibility_m=300.0, relative_humidity=1.0)
    assert seen_K(surface(Zone.METAL, TOWARDS, distance_m=1500.0), fog, plain(1.0, offset_K=80.0)) == pytest.approx(
        275.15, abs=0.1
    )


def test_air_between_pulls_towards_its_temperature() -> None:
    near, far = (
        seen_K(surface(Zone.METAL, TOWARDS, distance_m=d), winter_night(), plain(1.0, offset_K=30.0))
        for d in (2.0, 300.0)
    )
    assert 275.15 + 15 < far < near - 0.5


# --- everyday physics -------------------------------------------------------------------------------------------------


def test_a_roof_mirrors_the_clear_sky_but_not_an_overcast_one() -> None:
    roof = {"local_m": (-0.3, 0.1, 1.45), "profile": "cold_soaked"}
    clear = typical_K(Zone.ROOF, (-0.1, 0.0, 1.0), winter_night(), **roof)
    overcast = winter_night(weather="overcast", sky_temperature_K=272.5)
    assert clear < 275.15 - 5.0
    assert typical_K(Zone.ROOF, (-0.1, 0.0, 1.0), overcast, **roof) == pytest.approx(275.15, abs=2.0)


def test_paint_reflects_more_at_grazing_incidence() -> None:
    def body(down_deg: float) -> float:
        return seen_K(surface(Zone.ROOF, UP, down_deg=down_deg, distance_m=3.0), winter_night())

    # At 16 degrees the mirror direction clears the houses.
    assert body(16.0) < body(40.0) - 2.0


def test_walls_in_the_sun_are_warmer_than_walls_in_shade() -> None:
    south, north = (typical_K(Zone.BUILDING, (-0.5, y, 0.0), noon(), distance_m=20.0, down_deg=-3.0) for y in (-1, 1))
    assert south > north + 3.0


def test_the_road_by_day_and_by_night() -> None:
    road = {"distance_m": 9.5, "down_deg": 10.0}
    day, night = typical_K(Zone.ROAD, UP, noon(), **road), typical_K(Zone.ROAD, UP, winter_night(), **road)
    assert 8.0 < day - 298.15 < 35.0
    assert abs(night - 275.15) < 3.0
    evening = noon(hour=20.5, sun_elevation_deg=-3.0)
    assert typical_K(Zone.ROAD, UP, evening, **road) > 298.15 + 1.0
    assert typical_K(Zone.SOIL, UP, winter_night(), **road) < night - 1.0


@pytest.mark.parametrize(("normal", "share"), [(UP, 0.0), (TOWARDS, 0.5), ((-0.6, 0.0, -0.8), 0.9)])
def test_what_stands_on_a_warm_road_is_warmed_by_what_it_sees_of_it(
    normal: tuple[float, float, float], share: float
) -> None:
    """Balance by hand: 4 sigma T^3 dT of the road against convection 5.7 + 3.8 v and 5 W/m2K of radiation."""
    even = winter_night(weather="fog", sky_temperature_K=275.15, relative_humidity=1.0, wind_m_s=2.0)
    black = plain(1.0)
    plate = dataclasses.replace(black.materials[Zone.METAL], exposure=1.0)
    road = plain(1.0, offset_K=20.0).materials[Zone.ROAD]
    table = Profiles({**black.materials, Zone.METAL: plate, Zone.ROAD: road}, black.cars)
    warmth = share * 4.0 * 5.67e-8 * 275.15**3 * 20.0 / (5.0 + 5.7 + 3.8 * 2.0)
    frame = surface(Zone.METAL, normal, distance_m=0.1)
    assert seen_K(frame, even, table) - 275.15 == pytest.approx(warmth, abs=0.04)


def test_a_wall_in_the_shade_is_lit_by_the_sunny_road() -> None:
    shipped = profiles()
    cool = dataclasses.replace(shipped.materials[Zone.ROAD], exposure=0.0, heat=Heat(0.0, 0.0, 0.0, "test"))
    roads = [dataclasses.replace(cool, absorptance=share) for share in (0.4, 1.0)]
    behind = noon(sun_azimuth_deg=0.0)  # the sun stands behind what faces the camera
    bright, black = (
        seen_K(surface(Zone.METAL, TOWARDS), behind, Profiles({**shipped.materials, Zone.ROAD: road}, shipped.cars))
        for road in roads
    )
    assert bright - black > 2.0


def test_leaves_stay_near_the_air() -> None:
    for conditions in (noon(), winter_night()):
        leaves = typical_K(Zone.VEGETATION, TOWARDS, conditions, distance_m=20.0, down_deg=-4.0)
        assert abs(leaves - conditions.air_temperature_K) < 6.0


def test_the_sky_is_coldest_above() -> None:
    view = [seen_K(surface(Zone.SKY, UP, down_deg=-d), winter_night()) for d in (2.0, 8.0, 20.0, 60.0)]
    assert view == sorted(view, reverse=True)
    assert view[0] > 275.15 - 3.0
    assert view[-1] < 275.15 - 35.0


def test_people_are_warm() -> None:
    part = Part("person", 0, np.eye(4))
    frame = dataclasses.replace(
        surface(Zone.PERSON, TOWARDS, down_deg=1.0), parts=(part,), part=np.ones((24, 24), dtype=np.uint16)
    )
    assert 275.15 + 3.0 < seen_K(frame, winter_night()) < 309.0


# --- real cars --------------------------------------------------------------------------------------------------------

# Names of the measured regions, and the same surface here: zone, outward normal (the car looks at the camera), and the
# point in the car's axes. Where two cars were measured the range spans both medians, widened by the spread named.
REAL_CARS: dict[str, tuple[tuple[str, ...], Zone, tuple[float, float, float], dict[str, Any], float]] = {
    "windscreen": (("windscreen",), Zone.GLASS, (-0.5, 0.0, 0.866), {"local_m": (0.8, 0.2, 1.2)}, 1.0),
    "bonnet": (("hood_top", "hood"), Zone.BONNET, (-0.17, 0.0, 0.985), {"local_m": (1.5, 0.2, 0.95)}, 1.0),
    "bumper": (("front_bumper",), Zone.BODY, (-1.0, 0.0, 0.05), {"local_m": (2.2, 0.2, 0.4)}, 1.5),
    "door": (("door_side",), Zone.BODY, (-0.6, 0.8, 0.05), {"local_m": (0.0, 0.9, 0.6)}, 1.0),
    "tyre": (("tyre_front_left", "tyre_front_right", "tyre_front"), Zone.TYRE, (-0.6, 0.8, 0.0),
             {"local_m": (1.3, 0.85, 0.3)}, 1.0),
    "lamp": (("headlamp",), Zone.LAMP, (-0.95, 0.0, 0.3), {"local_m": (2.1, 0.6, 0.65)}, 1.0),
    "road": (("road",), Zone.ROAD, (0.0, 0.0, 1.0), {"distance_m": 9.5, "down_deg": 10.0}, 1.0),
    "wall": (("building_wall",), Zone.BUILDING, (-0.8, 0.6, 0.0), {"distance_m": 30.0, "down_deg": -3.0}, 1.0),
    "sky": (("sky_corner",), Zone.SKY, (0.0, 0.0, 1.0), {"down_deg": -11.5}, 2.0),
}  # fmt: skip


@pytest.mark.parametrize("name", REAL_CARS)
def test_parts_of_a_car_at_night_are_as_warm_as_those_of_two_real_cars(name: str, shared_data: Path) -> None:
    measured = json.loads((shared_data / "flir" / "car_zone_temperatures.json").read_text(encoding="utf-8"))
    regions, zone, normal, where, slack = REAL_CARS[name]
    medians = [car[region]["median"] for car in measured.values() for region in regions if region in car]
    assert medians
    celsius = typical_K(zone, normal, winter_night(), **where) - 273.15
    assert min(medians) - slack <= celsius <= max(medians) + slack


def test_a_hot_grille_is_as_warm_as_a_real_one(shared_data: Path) -> None:
    measured = json.loads((shared_data / "flir" / "car_zone_temperatures.json").read_text(encoding="utf-8"))
    grille = next(car["grille_hot"] for car in measured.values() if "grille_hot" in car)
    celsius = typical_K(Zone.GRILLE, (-1.0, 0.0, 0.05), winter_night(), local_m=(2.2, 0.1, 0.5)) - 273.15
    assert grille["min"] < celsius < grille["max"]


# --- patterns and plumbing --------------------------------------------------------------------------------------------


def test_a_wheel_has_a_pattern_that_turns_with_it() -> None:
    size = (96, 96)
    frame = surface(Zone.TYRE, TOWARDS, distance_m=8.0, down_deg=0.0, local_m=(1.3, 0.8, 0.32), size=size)
    hub = np.eye(4)
    hub[:3, :3] = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])  # axle (local y) along -x
    hub[:3, 3] = (8.0, 0.0, 1.65)
    turned = hub.copy()
    turned[:3, :3] = hub[:3, :3] @ np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 0.0]])

    def wheel(matrix: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        part = np.ones(size, dtype=np.uint16)
        whole = dataclasses.replace(frame, parts=(Part("wheel", 1, matrix),), part=part)
        return render_thermal(whole, winter_night(), profiles(), DRAW).apparent_temperature_K

    still, quarter = wheel(hub), wheel(turned)
    assert still.std() > 0.3
    assert np.abs(still - quarter).max() > 0.3
    # A view of 0.77 m: the rim, cooler, is in the middle, the side wall around it.
    y, x = np.indices(size) - 47.5
    radius_m = np.hypot(x, y) * 8.0 / 1000.0
    assert still[radius_m < 0.18].mean() < still[(radius_m > 0.22) & (radius_m < 0.31)].mean() - 0.5


def test_a_pattern_travels_with_its_car() -> None:
    black = plain(1.0)
    here = surface(Zone.BODY, TOWARDS, distance_m=5.0, size=(64, 64), local_m=(2.2, 0.3, 0.6))
    shift = np.eye(4)
    shift[:3, 3] = (31.0, -12.0, 0.0)
    moved = dataclasses.replace(
        here,
        cam_to_world=shift @ here.cam_to_world,
        instances=(dataclasses.replace(here.instances[0], object_to_world=shift @ here.instances[0].object_to_world),),
    )
    first, second = (render_thermal(f, winter_night(), black, DRAW).apparent_temperature_K for f in (here, moved))
    assert first.std() > 0.02
    np.testing.assert_allclose(first, second, atol=2e-3)


def test_same_seed_same_picture_and_other_frames_have_other_cars() -> None:
    frame = surface(Zone.BODY, TOWARDS)
    first, again = (render_thermal(frame, winter_night(), profiles(), DRAW).apparent_temperature_K for _ in range(2))
    assert np.array_equal(first, again)
    others = {round(seen_K(frame, winter_night(), draw=Draw(7, i)), 3) for i in range(6)}
    assert len(others) == 6


def test_pictures_hold_kelvin_everywhere() -> None:
    size = (60, 256)
    frame = surface(Zone.ROAD, UP, distance_m=9.5, down_deg=10.0, size=size)
    mixed = dataclasses.replace(
        frame,
        zone=np.tile(np.arange(256, dtype=np.uint8) % 44, (60, 1)),
        instance_id=np.tile((np.arange(256) % 3).astype(np.uint16), (60, 1)),  # ids that no instance explains
        depth_m=np.where(np.arange(60)[:, None] < 20, np.inf, np.linspace(0.05, 900, 256)[None, :]).astype(np.float32),
        normal=np.zeros((*size, 3), dtype=np.float32),
    )
    for conditions in (winter_night(), noon(), noon(weather="rain"), winter_night(weather="fog", visibility_m=100.0)):
        image = render_thermal(mixed, conditions, profiles(), DRAW).apparent_temperature_K
        assert image.dtype == np.float32
        assert np.isfinite(image).all()
        assert image.min() > 180.0
        assert image.max() < 420.0


def test_normals_of_a_plane_from_its_depth() -> None:
    view, to_world = camera(40, 60), pose(20.0)
    rays = view.rays() @ to_world[:3, :3].T
    depth = (-1.65 / rays[..., 2]).astype(np.float32)  # where the rays meet the ground
    frame = dataclasses.replace(
        surface(Zone.ROAD, UP, size=(40, 60)), depth_m=depth, cam_to_world=to_world, normal=None
    )
    normal = normals_from_depth(frame)
    assert np.abs(normal - np.array(UP)).max() < 1e-2
    with_them = seen_K(dataclasses.replace(frame, normal=np.broadcast_to(np.float32(UP), (40, 60, 3))), winter_night())
    assert seen_K(frame, winter_night()) == pytest.approx(with_them, abs=0.05)


def test_an_unknown_profile_is_an_error() -> None:
    with pytest.raises(ThermalError, match="levitating"):
        render_thermal(surface(Zone.BODY, TOWARDS, profile="levitating"), winter_night(), profiles(), DRAW)
