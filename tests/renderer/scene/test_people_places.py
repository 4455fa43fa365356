"""Where people stand: on the plane before a camera, and on the ground of a street that is known by construction."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from renderer.geometry.camera import Camera
from renderer.random_streams import Draw
from renderer.scene.cars import FrameSetup, ModelSize, Placement
from renderer.scene.pedestrians import PeopleMix, people_on_plane, people_on_street, those_out
from renderer.scene.projection import camera_pose
from renderer.scene.street import Bay, Lane, Street
from renderer.scene.walkable import Ground, Kind, walkable_ground
from renderer.thermal.conditions import sample_conditions
from renderer.zones.catalogue import Zone

CAMERA = Camera("plain", 640, 512, 772.0, 772.0, 320.0, 256.0)
SIZES = [
    ModelSize(f"person_{k:02d}.{pose}", "person", 0.4, 0.6, 1.7) for k in range(5) for pose in ("stand", "walk_00")
]
CARS = {"box": ModelSize("box", "car", 4.2, 1.8, 1.5)}
POSE = camera_pose(0.0, 0.0, 1.5, 0.0, 0.0)
MIX = PeopleMix(SIZES)


def setup(index: int = 0) -> FrameSetup:
    return FrameSetup(index, (Placement("box", 14.0, 0.5, 0.0, 0.1, "driving"),), POSE)


def mask_of_road() -> np.ndarray:
    """Free ground 5 m to either side of the camera."""
    rows, columns = np.indices((512, 640)) + 0.5
    depth = 1.5 * 772.0 / np.maximum(rows - 256.0, 1e-6)
    return (rows > 256.5) & (np.abs((columns - 320.0) / 772.0 * depth) < 5.0)


def test_feet_are_on_free_ground_and_nobody_touches_anything() -> None:
    thing = np.array([(20.0, -2.0), (26.0, -2.0), (26.0, 2.0), (20.0, 2.0)])
    total = 0
    for index in range(60):
        people = people_on_plane(
            setup(), CARS, MIX, CAMERA, Draw(1, index), free_mask=mask_of_road(), obstacles=[thing], most=8
        )
        total += len(people)
        assert len(people) <= 8
        for number, one in enumerate(people):
            assert abs(one.y_m) < 5.0
            assert not (20.0 < one.x_m < 26.0 and abs(one.y_m) < 2.0)
            assert math.hypot(one.x_m - 14.0, one.y_m - 0.5) > 0.9
            assert one.profile == ("walking" if ".walk" in one.model else "standing")
            for other in people[:number]:
                assert math.hypot(one.x_m - other.x_m, one.y_m - other.y_m) > 0.45
    assert total > 100


def test_more_people_walk_at_the_edges_than_in_the_middle() -> None:
    drawn = (people_on_plane(setup(), CARS, MIX, CAMERA, Draw(2, k), free_mask=mask_of_road()) for k in range(150))
    aside = np.array([abs(one.y_m) for people in drawn for one in people])
    assert (aside > 3.4).mean() > 1.5 * 1.6 / 5.0, "evenly spread it would be a third"


def test_heights_in_the_picture_are_those_of_roadscene() -> None:
    """10, 50 and 90 % of 447 training boxes: 18, 37 and 107 px."""
    drawn = (people_on_plane(FrameSetup(0, (), POSE), {}, MIX, CAMERA, Draw(3, k)) for k in range(300))
    heights = [772.0 * 1.7 / one.x_m for people in drawn for one in people]
    low, middle, high = np.percentile(heights, [10, 50, 90])
    assert low == pytest.approx(18.0, rel=0.25)
    assert middle == pytest.approx(37.0, rel=0.25)
    assert high == pytest.approx(107.0, rel=0.25)


def test_a_narrow_road_keeps_nobody_near() -> None:
    """Free ground is 10 m wide at all distances, the picture 5 m wide at 6 m: distances stay those of RoadScene."""
    drawn = (
        people_on_plane(FrameSetup(0, (), POSE), {}, MIX, CAMERA, Draw(5, k), free_mask=mask_of_road())
        for k in range(200)
    )
    middle = np.median([772.0 * 1.7 / one.x_m for people in drawn for one in people])
    assert middle == pytest.approx(37.0, rel=0.25)


def test_beside_the_road_people_walk_where_the_mask_of_it_ends() -> None:
    drawn = [
        people_on_plane(setup(), CARS, MIX, CAMERA, Draw(6, k), free_mask=mask_of_road(), beside_m=2.0)
        for k in range(150)
    ]
    aside = np.array([abs(one.y_m) for people in drawn for one in people])
    assert aside.max() < 7.5
    assert (aside > 5.0).mean() > 0.3
    assert (aside < 3.4).mean() < 0.3


def test_a_narrow_view_of_a_street_with_pavements() -> None:
    """The picture is 3 m wide at 5 m, less than the pavements on both sides: nobody stands outside of it."""
    narrow = Camera("tele", 640, 512, 1080.0, 1080.0, 320.0, 256.0)
    rows, columns = np.indices((512, 640)) + 0.5
    road = (rows > 256.5) & (columns > 200.0)
    drawn = [
        people_on_plane(FrameSetup(0, (), POSE), {}, MIX, narrow, Draw(8, k), free_mask=road, beside_m=2.0, most=8)
        for k in range(200)
    ]
    people = [one for group in drawn for one in group]
    assert min(one.x_m for one in people) < 6.7, "so near that fewer spots are in view than pavements hold"
    assert all(abs(one.y_m) < 0.5 * 640.0 / 1080.0 * one.x_m + 1.0 for one in people)


def test_spots_in_view_are_those_that_numpy_finds() -> None:
    rng = np.random.default_rng(8)
    ground = Ground(
        (-30.0, -20.0), 0.5, np.zeros((90, 110), np.float32), rng.integers(0, 5, (90, 110)).astype(np.uint8)
    )
    yaw, eye = 0.4, np.array([-12.0, -6.0])
    ahead, right = np.array([math.cos(yaw), math.sin(yaw)]), np.array([math.sin(yaw), -math.cos(yaw)])
    view = np.array([*eye, *ahead, *right, 4.0, 30.0, -0.3, 0.5])
    spots, distance, kinds = ground.spots_in_view(view, eye - 40.0, eye + 40.0)
    rows, columns = np.nonzero(ground.kind)
    places = np.column_stack([columns * 0.5 - 29.75, rows * 0.5 - 19.75])
    along, across = (places - eye) @ ahead, (places - eye) @ right
    seen = (along > 4.0) & (along < 30.0) & (across > -0.3 * along) & (across < 0.5 * along)
    assert 0 < seen.sum() < len(places)
    np.testing.assert_allclose(spots, places[seen])
    np.testing.assert_allclose(distance, along[seen])
    np.testing.assert_array_equal(kinds, ground.kind[rows, columns][seen])


def test_the_same_draw_gives_the_same_people_and_no_ground_gives_none() -> None:
    one, two = (people_on_plane(setup(), CARS, MIX, CAMERA, Draw(4, 7)) for _ in range(2))
    assert one == two
    nothing = np.zeros((512, 640), np.bool_)
    assert people_on_plane(setup(), CARS, MIX, CAMERA, Draw(4, 7), free_mask=nothing) == ()
    assert people_on_plane(setup(), CARS, PeopleMix([]), CAMERA, Draw(4, 7)) == ()


def slab(x: tuple[float, float], y: tuple[float, float], z: float) -> np.ndarray:
    corners = np.array([(x[0], y[0], z), (x[1], y[0], z), (x[1], y[1], z), (x[0], y[1], z)])
    return corners[[[0, 1, 2], [0, 2, 3]]]


def wall(x: tuple[float, float], y: float, z: tuple[float, float]) -> np.ndarray:
    corners = np.array([(x[0], y, z[0]), (x[1], y, z[0]), (x[1], y, z[1]), (x[0], y, z[1])])
    return corners[[[0, 1, 2], [0, 2, 3]]]


def test_ground_of_a_street_made_by_hand() -> None:
    parts = [
        (slab((-40, 40), (-4, 4), 0.0), np.full(2, Zone.ROAD, np.uint8)),
        (slab((-40, 40), (4, 8), 0.12), np.full(2, Zone.PAVEMENT, np.uint8)),
        (slab((10, 14), (-4, 4), 0.01), np.full(2, Zone.ROAD_MARKING, np.uint8)),
        (slab((-40, 40), (-0.06, 0.06), 0.01), np.full(2, Zone.ROAD_MARKING, np.uint8)),
        (wall((-40, 40), 8.0, (0.0, 9.0)), np.full(2, Zone.BUILDING, np.uint8)),
        (wall((0, 2), 6.0, (0.0, 1.0)), np.full(2, Zone.METAL, np.uint8)),
        (slab((20, 30), (4, 8), 2.6), np.full(2, Zone.VEGETATION, np.uint8)),
    ]
    path = np.array([(-30.0, -1.7, 0.0), (30.0, -1.7, 0.0)])
    street = Street((Lane(path, 3.3),), (Bay(-20.0, 3.0, 0.0, 0.0, 5.0, 2.0),), (path,))
    ground = walkable_ground(parts, street)
    places = (
        (0.1, -2.1), (0.1, 5.1), (12.1, 1.1), (-20.1, 3.1), (1.1, 6.1), (5.1, 7.9), (25.1, 6.1), (0.1, 20.0),
        (5.1, 0.05),
    )  # fmt: skip
    assert [ground.at(*place)[0] for place in places] == [
        Kind.ROAD, Kind.PAVEMENT, Kind.CROSSING, Kind.BAY, Kind.NONE, Kind.NONE, Kind.PAVEMENT, Kind.NONE, Kind.ROAD,
    ]  # fmt: skip
    assert ground.at(0.1, 5.1)[1] == pytest.approx(0.12)


def junction() -> tuple[Ground, Street]:
    """A road along x with pavements, and a crossing over it 18 m ahead."""
    rows, columns = np.indices((80, 240))
    x, y = columns * 0.25 + 0.125, rows * 0.25 - 9.875
    kind = np.where(np.abs(y) > 4.0, Kind.PAVEMENT, np.where(np.abs(x - 18.0) < 2.0, Kind.CROSSING, Kind.ROAD))
    path = np.array([(-10.0, -1.7, 0.0), (90.0, -1.7, 0.0)])
    ground = Ground((0.0, -10.0), 0.25, np.zeros(kind.shape, np.float32), kind.astype(np.uint8))
    return ground, Street((Lane(path, 3.3),), (), (path,))


def test_as_many_people_come_together_as_in_roadscene() -> None:
    """56 % of its people are in frames with six and more; of ours some are hidden by what else stands there."""
    ground, street = junction()
    drawn = [people_on_street(setup(), ground, street, CARS, MIX, CAMERA, Draw(5, k)) for k in range(400)]
    count = np.array([len(people) for people in drawn])
    assert 0.5 < count[count >= 6].sum() / count.sum() < 0.75
    assert count.max() <= 24
    for people in drawn:
        places = np.array([(one.x_m, one.y_m) for one in people]).reshape(-1, 2)
        apart = np.linalg.norm(places[:, None] - places, axis=2) + np.eye(len(places))
        assert apart.min(initial=1.0) >= 0.5
    few = [people_on_street(setup(), ground, street, CARS, MIX, CAMERA, Draw(5, k), 3) for k in range(60)]
    assert max(map(len, few)) == 3


def test_frames_without_a_crowd_are_those_without_crowds(monkeypatch: pytest.MonkeyPatch) -> None:
    ground, street = junction()
    usual = [people_on_street(setup(), ground, street, CARS, MIX, CAMERA, Draw(6, k)) for k in range(60)]
    monkeypatch.setattr("renderer.scene.pedestrians.CROWD_SHARE", 0.0)
    without = [people_on_street(setup(), ground, street, CARS, MIX, CAMERA, Draw(6, k)) for k in range(60)]
    assert 0 < sum(one != other for one, other in zip(usual, without, strict=True)) < 20
    assert all(one[: len(other)] == other for one, other in zip(usual, without, strict=True))


def test_people_are_dressed_for_the_weather() -> None:
    shirt = ModelSize("shirt.walk_00", "person", 0.4, 0.6, 1.7, clo=0.5)
    coat = ModelSize("coat.walk_00", "person", 0.4, 0.6, 1.7, clo=1.5)
    wet = ModelSize("wet.walk_00", "person", 1.0, 1.0, 2.0, clo=1.0, carries="umbrella")
    dry = ModelSize("dry.walk_00", "person", 0.4, 0.6, 1.7, clo=1.0)

    def counts(air_C: float, weather: str) -> dict[str, int]:
        drawn = sample_conditions(np.random.default_rng(0), weather=weather, hour=12.0)
        mix = PeopleMix([shirt, coat, wet, dry]).dressed_for(replace(drawn, air_temperature_K=air_C + 273.15))
        rng = np.random.default_rng(1)
        names = [mix.draw(rng, moving=True).name.split(".")[0] for _ in range(2000)]
        return {name: names.count(name) for name in ("shirt", "coat", "wet", "dry")}

    summer, winter, rain = counts(26.0, "clear"), counts(-5.0, "clear"), counts(8.0, "rain")
    assert summer["shirt"] > 5 * summer["coat"]
    assert winter["coat"] > 5 * winter["shirt"]
    assert winter["dry"] > 10 * winter["wet"]
    assert rain["wet"] > 3 * rain["dry"]
    warm = replace(sample_conditions(np.random.default_rng(0), weather="clear"), air_temperature_K=299.15)
    assert those_out([shirt, coat, wet, dry], warm) == [shirt]
    assert those_out([coat], warm) == [coat]


def test_people_of_whom_nothing_is_known_are_out_in_all_weathers() -> None:
    mix = MIX.dressed_for(sample_conditions(np.random.default_rng(0), weather="rain"))
    rng = np.random.default_rng(1)
    names = [mix.draw(rng, moving=True).name.split(".")[0] for _ in range(2000)]
    assert min(names.count(f"person_{k:02d}") for k in range(5)) > 330


def test_where_people_stand_against_the_road_is_as_in_roadscene() -> None:
    """Training boxes: 18 % on the road, 42 % within 2 m beside it, 14 % within 4 m, the others further away."""
    drawn = [
        people_on_plane(setup(), CARS, MIX, CAMERA, Draw(9, k), free_mask=mask_of_road(), beside_m=4.0)
        for k in range(300)
    ]
    aside = np.array([abs(one.y_m) for people in drawn for one in people])
    assert (aside < 5.0).mean() == pytest.approx(0.18 / 0.74, abs=0.08)
    assert ((aside > 5.0) & (aside < 7.0)).mean() == pytest.approx(0.42 / 0.74, abs=0.1)
    assert aside.max() < 9.5
