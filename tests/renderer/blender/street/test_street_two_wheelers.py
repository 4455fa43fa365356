"""Two-wheelers in the shipped street: where they are, who rides them, what stays as it is, both engines."""

from __future__ import annotations

import math
from collections.abc import Iterator

import cv2
import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="Blender as a Python module is not installed")

from assets import ANIMAL_ARRAYS, CITY, PEOPLE_ARRAYS, TWO_WHEELER_ARRAYS, camera  # noqa: E402
from renderer.api import conditions, thermal_image  # noqa: E402
from renderer.blender.engine import RenderSession  # noqa: E402
from renderer.geometry.frame import Frame  # noqa: E402
from renderer.scene.cars import ModelSize, Placement  # noqa: E402
from renderer.scene.road_users import companions, two_wheelers  # noqa: E402
from renderer.zones.catalogue import Zone  # noqa: E402

ANIMALS = ("dog", "cat", "deer")
MANY = {"bicycles": 6, "motorcycles": 4, "scooters": 3}


@pytest.fixture(autouse=True)
def many_of_each(monkeypatch: pytest.MonkeyPatch) -> None:
    often = {name: kind._replace(mean=4.0) for name, kind in two_wheelers.KINDS.items()}
    monkeypatch.setattr(two_wheelers, "KINDS", often)


@pytest.fixture(scope="module")
def session() -> Iterator[RenderSession]:
    with RenderSession(CITY, camera=camera("kitti-object", 256), others=[TWO_WHEELER_ARRAYS], seed=3) as opened:
        yield opened


def all_sizes(session: RenderSession) -> dict[str, ModelSize]:
    return {one.name: one for one in (*session.model_sizes, *session.other_sizes)}


def rectangle(one: Placement, size: ModelSize) -> tuple[tuple[float, float], tuple[float, float], float]:
    return (one.x_m, one.y_m), (size.length_m, size.width_m), math.degrees(one.yaw_rad)


def test_cars_stay_as_they_are_and_there_are_no_more_than_are_asked_for(session: RenderSession) -> None:
    total = 0
    for index in range(8):
        without, some = session.setup(index), session.setup(index, people=None, others=MANY)
        count = len(without.placements)
        assert some.placements[:count] == without.placements
        added = [one for one in some.placements[count:] if not one.rides]
        sizes = all_sizes(session)
        for kind, category in (("bicycles", "bicycle"), ("motorcycles", "motorcycle"), ("scooters", "scooter")):
            assert sum(sizes[one.model].category == category for one in added) <= MANY[kind]
        total += len(added)
        assert session.setup(index, people=None, others=MANY).placements == some.placements
    assert total > 20
    alone = session.setup(1, people=None, others=MANY | {"motorcycles": 0, "scooters": 0})
    bicycles = [one for one in session.setup(1, people=None, others=MANY).placements if "bicycle" in one.model]
    assert [one for one in alone.placements if "bicycle" in one.model] == bicycles, "each kind draws for itself"


def test_nothing_touches_anything(session: RenderSession) -> None:
    """OpenCV's intersection of rotated rectangles."""
    sizes = all_sizes(session)
    for index in range(8):
        placed = [one for one in session.setup(index, people=None, others=MANY).placements if not one.rides]
        shapes = [rectangle(one, sizes[one.model]) for one in placed]
        for number, one in enumerate(placed):
            if sizes[one.model].category in ("bicycle", "motorcycle", "scooter"):
                others = shapes[:number] + shapes[number + 1 :]
                hits = [cv2.rotatedRectangleIntersection(shapes[number], other)[0] for other in others]
                assert set(hits) <= {cv2.INTERSECT_NONE}


def test_riders_are_on_their_vehicles_on_the_right_of_a_lane(session: RenderSession) -> None:
    assert session.street is not None
    sizes, ridden = all_sizes(session), 0
    for index in range(10):
        placements = session.setup(index, people=None, others=MANY).placements
        for number, rider in enumerate(placements):
            if not rider.rides:
                continue
            vehicle = placements[number - rider.rides]
            assert sizes[rider.model].rides == vehicle.model
            assert (rider.x_m, rider.y_m, rider.z_m, rider.yaw_rad) == (
                vehicle.x_m, vehicle.y_m, vehicle.z_m, vehicle.yaw_rad,
            )  # fmt: skip
            ahead = np.array([math.cos(vehicle.yaw_rad), math.sin(vehicle.yaw_rad)])
            offsets = []
            for lane in session.street.lanes:
                off = np.array([vehicle.x_m, vehicle.y_m]) - lane.points_m[:-1, :2]
                steps = np.diff(lane.points_m[:, :2], axis=0)
                share = np.clip((off * steps).sum(axis=1) / (steps**2).sum(axis=1), 0, 1)
                rel = off - share[:, None] * steps
                near = int(np.argmin(np.hypot(*rel.T)))
                along = steps[near] / np.hypot(*steps[near])
                if np.hypot(*rel[near]) < lane.width_m / 2 and along @ ahead > 0.95:
                    offsets.append(along[0] * rel[near, 1] - along[1] * rel[near, 0])
            assert offsets, "in a lane, in its direction"
            if not vehicle.model.startswith("motorcycle"):
                assert min(offsets) < 0.05, "to the right of its middle"
            ridden += 1
    assert ridden > 5


def test_ridden_ones_are_as_far_ahead_as_real_ones(session: RenderSession) -> None:
    """By the heights of the ridden bicycles among RoadScene's training boxes; a Tau2 of 772 px, bicycles of 1.05 m."""
    heights_px = np.array([18, 23, 33, 38, 40, 45, 49, 56, 59, 67, 69, 77, 104])
    real_m = 772.0 * 1.05 / heights_px
    made_m = []
    for index in range(60):
        setup = session.setup(index, people=None, others=MANY)
        made_m += [
            float((np.array([one.x_m, one.y_m]) - setup.cam_to_world[:2, 3]) @ setup.cam_to_world[:2, 2])
            for one in setup.placements
            if one.rides
        ]
    assert len(made_m) > 60
    steps = np.array([8.0, 12.0, 16.0, 20.0, 30.0, 45.0])
    shares = [np.mean(np.asarray(distances)[:, None] < steps, axis=0) for distances in (made_m, real_m)]
    assert np.abs(shares[0] - shares[1]).max() < 0.36, "Kolmogorov and Smirnov's distance of 13 draws at 5 %"


def test_parked_ones_stand_on_the_ground_and_in_no_wall(session: RenderSession) -> None:
    scene, layer = bpy.context.scene, bpy.context.view_layer
    layer.update()
    depsgraph, parked = layer.depsgraph, 0
    for index in range(6):
        placements = session.setup(index, people=None, others=MANY).placements
        for one in placements:
            if not one.profile.endswith("parked") or one.model not in {size.name for size in session.other_sizes}:
                continue
            parked += 1
            for end in (-0.5, 0.0, 0.5):
                at = one.x_m + end * math.cos(one.yaw_rad), one.y_m + end * math.sin(one.yaw_rad)
                hit, place, normal, *_ = scene.ray_cast(depsgraph, (*at, one.z_m + 1.2), (0, 0, -1))
                assert hit
                assert place.z == pytest.approx(one.z_m, abs=0.05)
                assert normal.z > 0.9
    assert parked > 5


def test_frames_name_what_is_ridden_and_show_its_zones(session: RenderSession) -> None:
    riders = 0
    for index in range(4):
        frame = session.frame(index, people=None, others=MANY)
        known = {item.id: item for item in frame.instances}
        for item in frame.instances:
            if item.rides is not None:
                assert item.category == "person"
                assert item.profile in ("cycling", "riding", "scooting")
                assert known[item.rides].category in ("bicycle", "motorcycle", "scooter")
                assert item.key_points is not None
                riders += 1
            if item.category == "bicycle" and item.visible_px > 60:
                zones = set(np.unique(frame.zone[frame.instance_id == item.id]).tolist())
                assert zones <= {Zone.TYRE, Zone.FRAME, Zone.SEAT, Zone.CARRIED}
    assert riders > 2


def of_animals(frame: Frame) -> np.ndarray:
    """(H, W) whether a pixel shows an animal."""
    return np.isin(frame.instance_id, [item.id for item in frame.instances if item.category in ANIMALS])


def on_two_wheelers(frame: Frame) -> np.ndarray:
    """(H, W) whether a pixel shows a two-wheeler or a rider."""
    shown = ("bicycle", "motorcycle", "scooter", "person")
    return np.isin(frame.instance_id, [item.id for item in frame.instances if item.category in shown])


def test_cycles_sees_the_same(session: RenderSession) -> None:
    drawn = [session.frame(index, people=None, others=MANY) for index in range(6)]
    drawn = sorted(drawn, key=lambda frame: -np.count_nonzero(on_two_wheelers(frame)))[:2]
    others = [TWO_WHEELER_ARRAYS]
    with RenderSession(CITY, camera=camera("kitti-object", 256), others=others, seed=3, engine="cycles") as other:
        traced = [other.frame(frame.index, people=None, others=MANY) for frame in drawn]
    for one, two in zip(drawn, traced, strict=True):
        assert [(item.model, item.rides) for item in one.instances] == [(i.model, i.rides) for i in two.instances]
        here, there = on_two_wheelers(one), on_two_wheelers(two)
        assert np.count_nonzero(here) > 150
        differ = (one.instance_id != two.instance_id) & (here | there)
        assert differ.mean() <= 1e-4
        both = here & ~differ
        assert np.isclose(one.depth_m[both], two.depth_m[both], rtol=1e-4).mean() > 1 - 1e-3


def test_animals_and_prams_are_where_people_are_and_cycles_sees_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(companions, "ANIMALS", {"dogs": ("dog", 3.0), "cats": ("cat", 2.0), "deer": ("deer", 3.0)})
    options = {"people": None, "others": {"dogs": 4, "cats": 2, "deer": 3, "strollers": None}}
    files = {"people": PEOPLE_ARRAYS, "others": [ANIMAL_ARRAYS], "camera": camera("kitti-object", 256), "seed": 5}
    with RenderSession(CITY, **files) as opened:
        frames = [opened.frame(index, **options) for index in range(5)]
        profiles = {item.profile for frame in frames for item in frame.instances if item.category in ANIMALS}
        assert profiles <= {"standing", "walking"}
        frame = max(frames, key=lambda one: np.count_nonzero(of_animals(one)))
    with RenderSession(CITY, **files, engine="cycles") as other:
        traced = other.frame(frame.index, **options)
    here, there = of_animals(frame), of_animals(traced)
    assert np.count_nonzero(here) > 100
    assert ((frame.instance_id != traced.instance_id) & (here | there)).mean() <= 1e-4


def test_heat_of_cars_and_road_is_the_same_with_and_without() -> None:
    """Pixels of cars that nothing new hides, and of the road away from all that is new."""
    options = {"normals": True, "parts": True}
    weather = conditions(weather="clear", hour=22.0, season="autumn")
    with RenderSession(CITY, camera=camera("kitti-object", 256), others=[TWO_WHEELER_ARRAYS], seed=3) as opened:
        added = 0
        for index in range(4):
            pair = [opened.frame(index, people=None, others=most, **options) for most in ({}, MANY)]
            without, some = (thermal_image(frame, weather) for frame in pair)
            same = pair[0].instance_id == pair[1].instance_id
            same &= pair[0].depth_m == pair[1].depth_m
            cars = same & (pair[0].instance_id > 0) & (pair[0].zone < 32)
            road = same & (pair[0].zone == Zone.ROAD)
            assert np.array_equal(without[cars], some[cars])
            assert np.array_equal(without[road], some[road])
            added += np.count_nonzero(~same)
    assert added > 100
