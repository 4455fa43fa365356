"""Visible twins by Cycles: they lie on the ids pixel by pixel, and depend on nothing but their frame."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assets import CITY, THERMAL_PROFILES
from renderer.geometry.frame import Frame
from renderer.random_streams import Draw
from renderer.thermal.conditions import Conditions
from renderer.thermal.physics import snow_coat
from renderer.thermal.profiles import read_profiles
from renderer.thermal.weather.effects import WeatherEffects
from renderer.visible.settings import VisibleSettings
from renderer.zones.catalogue import Zone

bpy = pytest.importorskip("bpy", reason="Blender as a Python module is not installed")

from renderer.blender.engine import RenderSession  # noqa: E402

# The sun stands behind the camera of the scene with boxes: shadows hide no edge.
NOON = Conditions(12.0, 172, "clear", 293.0, 260.0, 0.5, 2.0, 40e3, 55.0, 250.0)
FEW = VisibleSettings(samples=4, denoise=True, device="cpu")


def contrast_at_edges(ids: np.ndarray, picture: np.ndarray, right: int = 0, down: int = 0) -> float:
    """Mean step of the picture's grey between neighbouring pixels of two ids, the ids moved by some pixels."""
    grey = picture.astype(np.float64) @ np.array([0.2126, 0.7152, 0.0722])
    moved = np.roll(ids, (down, right), (0, 1))
    rows = np.abs(np.diff(grey, axis=0))[np.diff(moved.astype(np.int64), axis=0) != 0]
    columns = np.abs(np.diff(grey, axis=1))[np.diff(moved.astype(np.int64), axis=1) != 0]
    return float(np.concatenate([rows, columns]).mean())


def assert_aligned(ids: np.ndarray, picture: np.ndarray) -> None:
    """Where ids lie is where the picture changes most: less so anywhere a pixel beside it."""
    here = contrast_at_edges(ids, picture)
    beside = [contrast_at_edges(ids, picture, right, down) for right, down in ((1, 0), (-1, 0), (0, 1), (0, -1))]
    assert here > 1.1 * max(beside), (here, beside)


def twin(session: RenderSession, frame: Frame, draw: Draw, conditions: Conditions = NOON) -> np.ndarray:
    return session.visible(frame, draw, conditions, FEW)


@pytest.fixture
def boxes(empty_scene: Any, tmp_path: Path) -> Path:
    """Her own scene: a red box with a material of hers, marked as a car, on a floor without any; a sun of her own."""
    scene = empty_scene

    def box(name: str, place: tuple[float, float, float], size: tuple[float, float, float]) -> Any:
        bpy.ops.mesh.primitive_cube_add(size=1.0, location=place, scale=size)
        bpy.context.object.name = name
        return bpy.context.object

    car = box("thing", (0.0, 6.0, 0.4), (1.6, 2.0, 0.8))
    car["gis_category"] = "car"
    red = bpy.data.materials.new("lacquer")
    red.use_nodes = True
    red.node_tree.nodes["Principled BSDF"].inputs["Base Color"].default_value = (0.6, 0.02, 0.02, 1.0)
    car.data.materials.append(red)
    box("floor", (0.0, 6.0, -0.05), (30.0, 30.0, 0.1))
    bpy.ops.object.light_add(type="SUN")
    bpy.context.object.data.energy = 1e6  # it would drown everything
    path = tmp_path / "boxes.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    assert scene.camera is not None
    return path


def test_a_users_materials_are_seen_and_the_picture_lies_on_the_ids(boxes: Path) -> None:
    with RenderSession(boxes, size=(96, 64)) as session:
        frame = session.frame(0)
        picture = twin(session, frame, Draw(0, 0))
        again = session.frame(0)
    red, green, blue = picture[frame.instance_id == 1].mean(axis=0)
    assert red > 2.0 * max(green, blue)
    red, green, blue = picture[(frame.instance_id == 0) & np.isfinite(frame.depth_m)].mean(axis=0)
    assert max(red, green, blue) < 1.3 * min(red, green, blue)
    assert_aligned(frame.instance_id, picture)
    np.testing.assert_array_equal(frame.depth_m, again.depth_m)
    np.testing.assert_array_equal(frame.zone, again.zone)


@pytest.mark.slow
def test_a_twin_depends_on_its_frame_alone_and_changes_no_pass() -> None:
    with RenderSession(CITY, size=(160, 128), seed=4) as session:
        plain = [session.frame(k, conditions=NOON) for k in (2, 3)]
    with RenderSession(CITY, size=(160, 128), seed=4) as session:
        frames = [session.frame(k, conditions=NOON) for k in (2, 3)]
        pictures = [twin(session, frame, Draw(4, frame.index)) for frame in frames]
        after = session.frame(3, conditions=NOON)
    with RenderSession(CITY, size=(160, 128), seed=4) as session:
        alone = twin(session, session.frame(3, conditions=NOON), Draw(4, 3))
    np.testing.assert_array_equal(pictures[1], alone)
    assert (pictures[0] != pictures[1]).any()
    for one, other in zip([*plain, plain[1]], [*frames, after], strict=True):
        np.testing.assert_array_equal(one.depth_m, other.depth_m)
        np.testing.assert_array_equal(one.instance_id, other.instance_id)
        np.testing.assert_array_equal(one.zone, other.zone)
    for frame, picture in zip(frames, pictures, strict=True):
        assert_aligned(frame.instance_id, picture)


@pytest.mark.slow
def test_snow_and_bare_trees_are_in_both_pictures() -> None:
    """Where the infrared picture has snow the twin is white, and bare trees cover less of both."""
    snow = WeatherEffects("clear", snow_depth_m=0.2, snow_on_road=0.4, snow_on_trees=0.0, snow_age_days=0.0)
    winter = replace(
        NOON, day_of_year=20, sun_elevation_deg=30.0, air_temperature_K=268.0, weather="snow", effects=snow
    )
    draw = Draw(4, 2)
    profiles = read_profiles(THERMAL_PROFILES)
    with RenderSession(CITY, size=(240, 192), seed=4) as session:
        summer = session.frame(2, normals=True, parts=True, conditions=NOON)
        frame = session.frame(2, normals=True, parts=True, conditions=winter)
        coat = snow_coat(frame, winter, profiles, draw)
        picture = session.visible(frame, draw, winter, FEW, snow=coat)
    assert coat is not None
    assert 0.05 < coat.mean() < 0.9
    assert (frame.zone == Zone.VEGETATION).sum() < 0.6 * (summer.zone == Zone.VEGETATION).sum()
    assert (frame.zone == Zone.TRUNK).sum() > (summer.zone == Zone.TRUNK).sum()
    grey, road = picture.astype(np.float64).mean(axis=2), frame.zone == Zone.ROAD
    assert np.median(grey[coat & road]) > 1.5 * np.median(grey[~coat & road])
    edge = np.abs(np.diff(grey, axis=1))[road[:, 1:] & road[:, :-1] & (coat[:, 1:] != coat[:, :-1])].mean()
    moved = np.roll(coat, 2, axis=1)
    beside = np.abs(np.diff(grey, axis=1))[road[:, 1:] & road[:, :-1] & (moved[:, 1:] != moved[:, :-1])].mean()
    assert edge > 1.2 * beside
