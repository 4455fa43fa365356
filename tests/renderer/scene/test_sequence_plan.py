"""Plans of sequences: what moves goes with its speed, touches nothing, and depends on seed and number alone."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from renderer.geometry.camera import Camera
from renderer.random_streams import Draw, Moment, Stream
from renderer.scene.cars import ModelSize, Placement
from renderer.scene.distances import ORDINARY, Traffic
from renderer.scene.footprints import footprint, overlaps
from renderer.scene.road_users.seats import Seat
from renderer.scene.road_users.two_wheelers import KINDS, TwoWheelerMix
from renderer.scene.sequences import companions, cyclists
from renderer.scene.sequences.gait import find_gaits
from renderer.scene.sequences.plan import RoadUsers, SequencePlan, draw_plan
from renderer.scene.sequences.route import lane_routes, route_along
from renderer.scene.sequences.tracks import Track
from renderer.scene.street import Bay, Lane, Polyline, Street
from renderer.scene.walkable import Ground, Kind
from renderer.thermal.conditions import sample_conditions

CAMERA = Camera("wide", 640, 480, 500.0, 500.0, 320.0, 240.0)
CARS = (ModelSize("hatchback", "car", 4.0, 1.8, 1.5), ModelSize("van", "van", 5.3, 2.0, 2.4))
FPS, FRAMES = 10.0, 40


def _line(x0: float, y0: float, x1: float, y1: float, points: int = 61) -> np.ndarray:
    return np.column_stack([np.linspace(x0, x1, points), np.linspace(y0, y1, points), np.zeros(points)])


def _bend(radius_m: float) -> np.ndarray:
    """A quarter of a circle between two straights."""
    angle = np.linspace(0.0, math.pi / 2, 60)
    arc = np.column_stack([60 + radius_m * np.sin(angle), radius_m * (1 - np.cos(angle)), np.zeros(60)])
    x, y, _ = arc[-1]
    return np.concatenate([_line(0, 0, 59, 0), arc, _line(x, y + 1, x, y + 200)])


def _street() -> Street:
    out, back = _line(-100, -1.7, 300, -1.7), _line(300, 1.7, -100, 1.7)
    bays = tuple(Bay(x, -4.6, 0.0, 0.0, 6.0, 2.3) for x in range(0, 200, 7))
    return Street((Lane(out, 3.4), Lane(back, 3.4)), bays, (_line(-40, -1.7, 200, -1.7),))


def _ground() -> Ground:
    """Pavement to the left of a road, a kerb higher."""
    rows, columns = 200, 2000
    kind, height = np.full((rows, columns), Kind.ROAD, np.uint8), np.zeros((rows, columns), np.float32)
    kind[130:], height[130:] = Kind.PAVEMENT, 0.12
    return Ground((-150.0, -25.0), 0.25, height, kind)


def _people() -> dict[str, ModelSize]:
    names = [f"person_01.walk_{phase:02d}" for phase in range(12)] + ["person_01.stand", "person_02.walk_00"]
    names += [f"person_03.push_{phase:02d}" for phase in range(12)] + ["person_01.sit_02"]
    return {name: ModelSize(name, "person", 0.9, 0.6, 1.75) for name in names}


def _key_points(name: str) -> np.ndarray:
    points = np.zeros((17, 3))
    points[15, 0], points[16, 0] = 0.33, -0.34
    return points


def _users(most: int | None = 6, **most_others: int | None) -> RoadUsers:
    riders = (
        ModelSize("bicycle_01", "bicycle", 1.75, 0.6, 1.1),
        ModelSize("bicycle_01.rider_01", "person", 0.8, 0.6, 1.8, rides="bicycle_01"),
    )
    mix = TwoWheelerMix(riders)
    people, wanted = tuple(_people().values()), {"bicycles": None, **most_others}
    others = (*riders, *_animals(), ModelSize("stroller_01", "stroller", 1.06, 0.5, 1.1))
    weather = replace(sample_conditions(np.random.default_rng(1)), weather="clear", air_temperature_K=292.0)
    return RoadUsers(people, most, mix, wanted, others, weather, lambda: _SEATS, _ground, _key_points)


_SEATS = tuple(Seat(float(x), 11.0, 0.12, -math.pi / 2, x) for x in range(-40, 120, 6))


def _animals() -> list[ModelSize]:
    poses = ("stand", "graze", *(f"walk_{phase:02d}" for phase in range(4)))
    return [ModelSize(f"{kind}_01.{pose}", kind, 1.3, 0.21, 0.84) for kind in ("dog", "deer") for pose in poses]


def _plan(number: int, seed: int = 3, traffic: Traffic = ORDINARY, users: RoadUsers | None = None) -> SequencePlan:
    draw = Draw(seed, number * FRAMES, 0, Moment(number, 0, FRAMES, FPS))
    weather = sample_conditions(draw.rng(Stream.CONDITIONS))
    return draw_plan(_street(), CARS, CAMERA, draw, weather, traffic, None, users)


@pytest.fixture(scope="module")
def plans() -> list[SequencePlan]:
    """Of a street with many cyclists."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cyclists, "KINDS", {"bicycles": KINDS["bicycles"]._replace(mean=4.0, ridden=1.0)})
        return [_plan(number, users=_users()) for number in range(8)]


def _near(placements: tuple[Placement, ...]) -> dict[int, Placement]:
    """Those that are there, by their place in the list."""
    return {number: one for number, one in enumerate(placements) if one.z_m > -50}


def test_everything_goes_with_its_speed(plans: list[SequencePlan]) -> None:
    moving = 0
    for plan in plans:
        for frame in range(FRAMES - 1):
            one, other = (_near(plan.setup(0, k / FPS).placements) for k in (frame, frame + 1))
            for number in one.keys() & other.keys():
                before, after = one[number], other[number]
                way = np.array([after.x_m - before.x_m, after.y_m - before.y_m])
                wanted = before.speed_m_s / FPS * np.array([math.cos(before.yaw_rad), math.sin(before.yaw_rad)])
                assert np.abs(way - wanted).max() < 1e-3
                moving += before.speed_m_s > 0
    assert moving > 1000


def test_a_bend_is_gone_through_with_constant_speed() -> None:
    route = route_along(Polyline(_bend(12.0)), 2.7)
    speed = route.fastest_m_s(0.0, route.length_m, 2.0)
    assert speed == pytest.approx(math.sqrt(2.0 * 12.0), rel=0.12)
    steps = np.hypot(*np.diff(route.at(np.arange(0.0, route.length_m, speed / FPS))[:, :2], axis=0).T)
    assert np.abs(steps - speed / FPS).max() < 1e-3


def test_nothing_touches_anything_at_any_time(plans: list[SequencePlan]) -> None:
    sizes = {size.name: size for size in (*CARS, ModelSize("bicycle_01", "bicycle", 1.75, 0.6, 1.1))}
    kinds = set()
    for plan in plans:
        for moment in np.arange(0.0, FRAMES / FPS, 0.15):
            there = [one for one in _near(plan.setup(0, float(moment)).placements).values() if not one.rides]
            corners = [footprint(one, sizes.get(one.model, ModelSize("", "person", 0.45, 0.45, 1.7))) for one in there]
            kinds |= {one.model.split(".")[0] for one in there}
            for k, mine in enumerate(corners):
                assert not any(overlaps(mine, other) for other in corners[k + 1 :])
    assert {"hatchback", "person_01", "bicycle_01"} <= kinds


def test_nothing_comes_or_goes_before_the_camera(plans: list[SequencePlan]) -> None:
    for plan in plans:
        for frame in range(FRAMES - 1):
            one, other = (plan.setup(0, k / FPS) for k in (frame, frame + 1))
            changed = _near(one.placements).keys() ^ _near(other.placements).keys()
            for number in changed:
                there = _near(one.placements).get(number) or _near(other.placements)[number]
                point = np.array([there.x_m, there.y_m, 1.0]) - one.cam_to_world[:3, 3]
                x, _, z = point @ one.cam_to_world[:3, :3]
                assert z < 0 or abs(x / z) > 0.6 or z > 240


def test_a_plan_follows_from_seed_and_number() -> None:
    assert _plan(5, users=_users()).setup(7, 1.3).placements == _plan(5, users=_users()).setup(7, 1.3).placements
    assert _plan(5).setup(0, 0.0).placements != _plan(6).setup(0, 0.0).placements
    assert _plan(5).setup(0, 0.0).placements != _plan(5, seed=4).setup(0, 0.0).placements


def test_who_walks_keeps_pace_with_the_ground(plans: list[SequencePlan]) -> None:
    tracks = [track for plan in plans for track in plan.tracks if len(track.models) > 1]
    assert tracks
    for track in tracks:
        assert track.stride_m == pytest.approx(2 * 0.67)
        assert 0.8 < track.speed_m_s < 1.6
        phases = [track.models.index(track.placements(t)[0].model) for t in np.arange(0.0, 4.0, 0.02).tolist()]
        strides = (np.diff(phases) % 12).sum() / 12
        assert strides * track.stride_m == pytest.approx(track.speed_m_s * 3.98, abs=track.stride_m / 6)


def test_people_are_on_the_ground(plans: list[SequencePlan]) -> None:
    ground = _ground()
    people = [one for plan in plans for k in (0, 20) for one in _near(plan.setup(0, k / FPS).placements).values()]
    people = [one for one in people if one.model.startswith("person")]
    assert people
    assert all(abs(one.z_m - ground.at(one.x_m, one.y_m)[1]) < 0.07 for one in people)


def test_only_whole_gaits_are_walked() -> None:
    gaits = find_gaits({name: size.height_m for name, size in _people().items()}, _key_points)
    assert {person: len(found[0].models) for person, found in gaits.items()} == {"person_01": 12, "person_03": 12}
    halves = {f"person_09.walk_{phase:02d}": 1.7 for phase in range(0, 12, 2)}
    assert len(find_gaits(halves, _key_points)["person_09"][0].models) == 6
    assert not find_gaits({f"person_09.walk_{phase:02d}": 1.7 for phase in (0, 1, 2, 3, 4, 5)}, _key_points)


def test_nobody_where_nobody_is_wanted() -> None:
    assert all(track.models[0] in ("hatchback", "van") for track in _plan(1, users=_users(0)).tracks)
    assert not _plan(1, traffic=Traffic(0.0)).tracks


@pytest.fixture(scope="module")
def walks() -> list[SequencePlan]:
    """With many dogs, deer and prams, and benches."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(companions, "ANIMALS", {"dogs": ("dog", 3.0), "deer": ("deer", 1.0)})
        return [_plan(number, users=_users(8, dogs=None, deer=4, strollers=None)) for number in range(5)]


def _tracks(plans: list[SequencePlan], start: str) -> list[tuple[SequencePlan, Track]]:
    return [(plan, track) for plan in plans for track in plan.tracks if start in track.models[0]]


def test_dogs_go_beside_people_as_fast(walks: list[SequencePlan]) -> None:
    dogs = _tracks(walks, "dog_01")
    assert len(dogs) > 3
    for plan, dog in dogs:
        people = [track for track in plan.tracks if track.models[0].startswith("person")]
        apart = [
            np.hypot(*(person.poses(np.array([t])) - dog.poses(np.array([t])))[0, :2])
            for person in people
            if person.speed_m_s == dog.speed_m_s
            for t in (0.0, 3.9)
        ]
        assert min(apart) < 1.9
    assert 4 in {len(dog.models) for _, dog in dogs} <= {1, 4}


def test_animals_alone_walk_or_stand(walks: list[SequencePlan]) -> None:
    deer = [track for _, track in _tracks(walks, "deer_01")]
    assert {len(one.models) for one in deer} == {1, 4}
    assert all(one.speed_m_s == 0 or 0.4 < one.speed_m_s < 1.0 for one in deer)


def test_a_pram_is_where_the_hands_are(walks: list[SequencePlan]) -> None:
    prams = _tracks(walks, "stroller")
    assert prams
    assert len(prams) == len(_tracks(walks, ".push"))
    for plan, pram in prams:
        pushing = plan.tracks[plan.tracks.index(pram) + 1]
        assert ".push" in pushing.models[0]
        for time in (0.0, 1.7, 3.9):
            (one,), (other,) = pram.placements(time), pushing.placements(time)
            way = np.array([one.x_m - other.x_m, one.y_m - other.y_m])
            assert way == pytest.approx([0.86 * math.cos(other.yaw_rad), 0.86 * math.sin(other.yaw_rad)], abs=1e-6)


def test_nobody_pushes_where_there_are_no_prams() -> None:
    assert not _tracks([_plan(number, users=_users(8)) for number in range(2)], ".push")


def test_people_sit_and_stay(walks: list[SequencePlan]) -> None:
    seated = _tracks(walks, ".sit")
    assert seated
    for plan, one in seated:
        x, y, _, yaw = one.poses(np.array([0.0]))[0].tolist()
        assert y == 11.0
        assert math.cos(yaw + math.pi / 2) > 0.9
        assert np.array_equal(one.poses(np.array([0.0])), one.poses(np.array([3.9])))
        legs = np.array([x, y - 0.4])
        others = [track for track in plan.tracks if track is not one]
        assert all(np.hypot(*(track.poses(np.array([t]))[0, :2] - legs)) > 0.3 for track in others for t in (0, 2, 3.9))


def test_cranks_keep_a_cadence_and_wheels_the_way(plans: list[SequencePlan]) -> None:
    riders = [track for plan in plans for track in plan.tracks if track.rider is not None]
    assert riders
    for track in riders:
        one, other = (track.placements(t) for t in (1.0, 1.5))
        if one and other:
            assert one[0].motion == one[1].motion is not None
            first, second = one[0].motion, other[0].motion
            assert second.rolled_m - first.rolled_m == pytest.approx(0.5 * track.speed_m_s)
            assert 0.8 < (second.crank_rad - first.crank_rad) / (2 * math.pi * 0.5) < 1.4


def test_a_lane_goes_on_in_the_one_that_it_joins() -> None:
    through = Lane(_line(0, 0, 100, 0), 3.0)
    corner = [[51.7, -1.7, 0.0], [56.0, 0.0, 0.0]]
    joining = Lane(np.concatenate([_line(50, -30, 50, -6, 20), corner, _line(57, 0, 60, 0, 4)]), 3.0)
    first, second = lane_routes(Street((through, joining), (), (through.points_m,)))
    assert first is through
    assert second.line.length_m == pytest.approx(joining.line.length_m + 40.0, abs=1.0)


def test_single_frames_are_drawn_as_before() -> None:
    draw = Draw(3, 7)
    in_sequence = replace(draw, moment=Moment(7, 2, 9, 10.0))
    assert draw.rng(Stream.SENSOR).integers(1 << 60) == np.random.default_rng([3, 7, 3]).integers(1 << 60)
    assert in_sequence.rng(Stream.SENSOR).integers(1 << 60) != draw.rng(Stream.SENSOR).integers(1 << 60)
    later = replace(in_sequence, index=8, moment=Moment(7, 3, 9, 10.0))
    same = [one.rng(Stream.SURFACE).integers(1 << 60) for one in (in_sequence, later)]
    noise = [one.rng(Stream.SENSOR).integers(1 << 60) for one in (in_sequence, later)]
    assert same[0] == same[1]
    assert noise[0] != noise[1]
