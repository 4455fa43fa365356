"""Generated scenes: the same from the same seed, complete, and ready for traffic and people."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("bpy")

from assets import WORLD_KINDS
from assets.build.worlds.scene import GENERATORS, build_place
from assets.build.worlds.site import Site
from renderer.zones.catalogue import Zone


def test_every_kind_has_a_generator() -> None:
    assert tuple(GENERATORS) == WORLD_KINDS


@pytest.mark.parametrize("kind", WORLD_KINDS)
def test_a_seed_gives_one_scene_and_another_seed_another(kind: str) -> None:
    one, again, other = (GENERATORS[kind](seed) for seed in (3, 3, 4))
    assert _points(one) == _points(again) != _points(other)
    assert [(name, pose.tobytes()) for name, pose in one.props] == [
        (name, pose.tobytes()) for name, pose in again.props
    ]
    assert one.bays == again.bays


@pytest.mark.parametrize("kind", WORLD_KINDS)
@pytest.mark.parametrize("seed", range(4))
def test_nothing_stands_in_a_lane(kind: str, seed: int) -> None:
    site = GENERATORS[kind](seed)
    ways = np.concatenate([points[:, :2] for points, _ in site.lanes.values()])
    for name, pose in site.props:
        if not name.startswith(("tree", "fan_palm", "feather_palm", "pole", "cobra_lamp")):
            continue  # what stands in the way of cars and is no labelled thing
        away = np.hypot(*(ways - pose[:2, 3]).T).min()
        assert away > 1.5, f"{name} stands {away:.2f} m from the middle of a lane"


# What is as warm as weather, ground and house make it. All else is warm by itself: bodies, engines, tyres, lamps.
BY_THE_WEATHER = {
    Zone.ROAD, Zone.ROAD_MARKING, Zone.PAVEMENT, Zone.SOIL, Zone.BUILDING, Zone.WINDOW, Zone.METAL, Zone.VEGETATION,
    Zone.TRUNK, Zone.LUMINAIRE,
}  # fmt: skip


@pytest.mark.parametrize("kind", WORLD_KINDS)
@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_warm_by_itself_and_has_no_label(kind: str, seed: int) -> None:
    """Places hold no labelled object: whoever or whatever has a warmth of its own is placed by frames, and labelled."""
    place = build_place(kind, seed)
    assert len({thing.mesh for thing in place.things}) > 15
    for thing in place.things:
        zones = {Zone(zone) for zone in np.unique(place.meshes[thing.mesh].zones).tolist()}
        assert zones <= BY_THE_WEATHER, thing.name


@pytest.mark.parametrize("kind", ["residential", "arterial", "car_park", "town"])
def test_cars_stand_lengthwise_and_across(kind: str) -> None:
    """Bays and lanes of both directions: cars are seen from behind, from ahead and from the side."""
    site = GENERATORS[kind](2)
    ahead = _heading(site.paths["out"])
    turned = [abs(np.sin(_heading(points) - ahead)) for points, _ in site.lanes.values()]
    turned += [abs(np.sin(bay.yaw_rad - ahead)) for bay in site.bays]
    assert sum(value > 0.9 for value in turned) >= 4
    assert sum(value < 0.3 for value in turned) >= 4


@pytest.mark.parametrize("seed", range(3))
def test_cars_that_park_in_a_town_leave_its_lanes_free(seed: int) -> None:
    """A car of 1.9 m in the middle of any lane passes every bay, island and planted strip."""
    site = GENERATORS["town"](seed)
    ways = np.concatenate([points[:, :2] for points, _ in site.lanes.values()])
    assert len(site.bays) > 20
    for bay in site.bays:
        ahead = np.array([np.cos(bay.yaw_rad), np.sin(bay.yaw_rad)])
        aside = np.array([-ahead[1], ahead[0]])
        away = ways - [bay.x_m, bay.y_m]
        along, across = away @ ahead, away @ aside
        beyond = np.maximum(np.abs([along, across]).T - [bay.length_m / 2, bay.width_m / 2], 0.0)
        assert np.hypot(*beyond.T).min() > 0.95
    for name in ("island", "median"):
        if name in site.static:
            corners = np.concatenate(site.static[name][0].points)[:, :2]
            nearest = np.hypot(*(ways[:, None] - corners).transpose(2, 0, 1)).min()
            assert nearest > 0.95, f"{name} comes within {nearest:.2f} m of the middle of a lane"


@pytest.mark.parametrize("seed", range(2))
def test_on_a_hill_everything_stands_on_its_ground(seed: int) -> None:
    """Lanes rise by 1 to 9 %; trees are upright and grow from the land; no house's foot hangs in the air."""
    place = build_place("hill", seed)
    line = place.street.camera_paths[0]
    steps = np.diff(line, axis=0)
    grade = np.abs(steps[:, 2]) / np.hypot(steps[:, 0], steps[:, 1])
    assert grade.max() > 0.01
    assert grade.max() < 0.09
    slope = np.array(place.street.slope_at(*line[len(line) // 2]))
    for thing in place.things:
        pose = thing.object_to_world
        if thing.name.startswith("tree"):
            assert pose[:2, 2] == pytest.approx(0.0)
        if thing.name.startswith(("shop", "farm", "house", "barn")):
            points = place.meshes[thing.mesh].positions_m @ pose[:3, :3].T + pose[:3, 3]
            foot = points[np.argsort(points[:, 2])[:4]]
            assert np.all(foot[:, 2] < foot[:, :2] @ slope + line[0, 2] - line[0, :2] @ slope + 0.2)


@pytest.mark.parametrize("seed", [0, 9])
def test_streets_go_below_bridges_that_leave_room(seed: int) -> None:
    place = build_place("underpass", seed)
    assert place.street.covers
    for cover in place.street.covers:
        below = [way for way in place.street.camera_paths if cover.contains(way).any()]
        assert below, "no way leads below the bridge"
        for thing in place.things:
            points = (
                place.meshes[thing.mesh].positions_m @ thing.object_to_world[:3, :3].T + thing.object_to_world[:3, 3]
            )
            points = points[cover.contains(points) & (points[:, 2] > 0.5) & (points[:, 2] < 4.0)]
            away = np.abs(points[:, None, :2] - below[0][None, :, :2]).max(axis=2)
            assert not (away < 1.0).any(), thing.name


def test_in_winter_broadleaved_trees_have_no_leaves_and_stand_where_they_stood() -> None:
    place = build_place("residential", 5)
    bare = place.without_leaves()
    assert bare.things == place.things
    trees = [name for name in place.meshes if name.startswith("prop.tree") and "eucalyptus" not in name]
    assert trees
    for name in trees:
        assert Zone.VEGETATION in place.meshes[name].zones
        if "cypress" not in name:
            assert set(bare.meshes[name].zones.tolist()) == {Zone.TRUNK}
    assert bare.meshes["plate"] is place.meshes["plate"]


def _heading(points: np.ndarray) -> float:
    step = points[1] - points[0]
    return float(np.arctan2(step[1], step[0]))


def _points(site: Site) -> list[bytes]:
    return [np.concatenate(mesh.points).tobytes() for mesh, _ in site.static.values() if mesh.points]
