"""People in a street: on pavements alone and in groups, at crossings, between parked cars, on the carriageway.

They have streams of their own, so that the cars of a frame stay as they are however many people there are. Nobody
stands in a wall, a car or another person.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..geometry.camera import Camera
from ..random_streams import Draw, Stream
from ..thermal.conditions import Conditions
from ..thermal.people import activity_of, usual_clothing_clo
from .camera_car import camera_car_rectangle
from .cars import FrameSetup, ModelSize, Placement
from .footprints import overlaps, rectangle
from .projection import WorldToCam, box_around, seen_share, world_to_cam
from .street import Street
from .walkable import Ground, Kind

__all__ = ["PeopleMix", "people_on_plane", "people_on_street", "sample_count", "spots_by_kind", "suits", "those_out"]

Array = NDArray[np.float64]

MEAN_COUNT, MOST = 3.6, 12
"""People in a frame: RoadScene's training frames have 447 in 1.4 as many cars' frames, in clusters; the count is drawn
as a geometric number, whose spread is as large as its mean."""
NEAR_M, FAR_M = 4.5, 68.0
"""Nearest and farthest. Between them people are spread evenly over the distance: RoadScene's training boxes are 107, 37
and 18 px high (90, 50 and 10 % of them), which at its 772 px of focal length is 12, 35 and 73 m away."""
PLACES: Mapping[Kind, float] = {Kind.PAVEMENT: 0.62, Kind.CROSSING: 0.22, Kind.BAY: 0.04, Kind.ROAD: 0.12}
"""Shares of groups (assumed: with these as many people stand near the middle of the picture, and as few behind parked
cars, as in RoadScene's training frames)."""
GROUP_SHARES = (0.52, 0.25, 0.11, 0.06, 0.03, 0.03)
"""Of people alone and of two to six together (Moussaid et al. 2010 counted 55 to 70 % of pedestrians in groups in busy
streets, mostly of two; in RoadScene's training frames one who is 32 px high has one other beside them, and whole
crowds cross at lights)."""
CROWD_SHARE = 0.1
"""Of frames with a crowd beside the people above: 19 % of RoadScene's frames have six people and more, and over half of
all people are in these; of made frames 9 % had as many without crowds, 12 % have them with."""
CROWD_LEAST, CROWD_MEAN, CROWD_MOST = 5, 11.0, 24
"""People of a crowd: a least number and a geometric one more, which have that mean; most people in a frame with one."""
CROWD_PLACES: Mapping[Kind, float] = {Kind.CROSSING: 0.6, Kind.PAVEMENT: 0.4}
"""Where crowds are (assumed: they cross at lights, or wait and walk before them)."""
CROWD_ALONG_M, CROWD_ASIDE_M = 2.4, 1.1
"""Deviation of a crowd's people from its middle on their way and beside it (assumed: a crossing of 4 m)."""
ONCOMING_SHARE = 0.3
"""Of a crowd's people who walk the other way (assumed)."""
CROWD_PART = 1
"""Of the stream of people: frames without a crowd stay as they are."""
ABREAST_M = (0.62, 0.85)
"""Between the middles of two who walk beside each other."""
CIRCLE_M = (0.45, 0.7)
"""From the middle of those who stand together."""
APART_M = 0.5
"""Least distance between two people's middles."""
CAR_MARGIN_M = 0.3
ROUNDING_M = 1e-6
LEAST_HEIGHT_PX = 8.0
LEAST_SEEN = 0.3
"""Share of a person's box that must lie inside of the picture."""
TRIES = 24
"""Spots that are tried for a group before it is given up."""
STANDING_SHARE: Mapping[Kind, float] = {Kind.PAVEMENT: 0.3, Kind.CROSSING: 0.15, Kind.BAY: 0.5, Kind.ROAD: 0.1}
PLANE_NEAR_M = 6.0
PLANE_TRIES, SIDE_TRIES = 24, 3
"""Distances that are tried, and spots at each: how wide the road is there must not decide how far away people are."""
ACROSS_STEP_M = 0.25
"""Between spots side by side."""
EDGE_M, EDGE_FROM_M = 1.6, 3.2
"""Over a background: how near the edge of free ground, or how far from the road's middle where that is not known,
people walk along the road."""
PAVEMENT_M = 2.0
"""How far beside the road most people walk (a pavement of RASt 06 is 2.5 m wide)."""
EDGE_SHARE, MIDDLE_SHARE, VERGE_SHARE = 0.12, 0.04, 0.8
"""How likely a spot at the edge of the road is, one away from it, and one more than `PAVEMENT_M` beside the road, in
terms of one directly beside it: so people stand where those of RoadScene's training frames do."""
HEADING_STD = math.radians(9.0)
DRESS_SPREAD = 0.5
"""Deviation of the logarithm of clothes' insulation between people in the same weather (assumed; in RoadScene's frames
one in shorts walks beside one in a jacket)."""
COMMON = 0.25
"""How likely people must be to go out, for a sequence to have them (assumed)."""
WET_UMBRELLAS, DRY_UMBRELLAS = 6.0, 0.05
"""How likely somebody under an umbrella is met in rain and else, in terms of somebody without (assumed)."""


def sample_count(rng: np.random.Generator, most: int | None) -> int:
    """How many people there are in a frame, at most ``most``; one number is drawn, always."""
    count = int(rng.geometric(1.0 / (1.0 + MEAN_COUNT))) - 1
    return min(count, MOST if most is None else most)


def crowd_count(rng: np.random.Generator) -> int:
    """How many people a frame's crowd has; 0 in most frames. Two numbers are drawn, always."""
    is_there, more = rng.random() < CROWD_SHARE, int(rng.geometric(1.0 / (1.0 + CROWD_MEAN - CROWD_LEAST))) - 1
    return min(CROWD_LEAST + more, CROWD_MOST) if is_there else 0


class PeopleMix:
    """Draws people: those more often whose clothes suit the weather, each in a pose that suits."""

    def __init__(self, models: Sequence[ModelSize], weather: Conditions | None = None) -> None:
        """Of all models; without a weather each person is as likely as another."""
        self.sizes = {model.name: model for model in models if model.category == "person"}
        self._by_pose: dict[bool, dict[str, list[str]]] = {False: {}, True: {}}
        self._weather = weather
        for name in self.sizes:
            activity = activity_of(name)
            if activity in ("standing", "walking", "running"):
                self._by_pose[activity != "standing"].setdefault(name.split(".")[0], []).append(name)

    def __bool__(self) -> bool:
        """Whether there is anybody."""
        return any(self._by_pose.values())

    def dressed_for(self, weather: Conditions) -> PeopleMix:
        """The same people, who go out as their clothes suit the weather."""
        dressed = PeopleMix((), weather)
        dressed.sizes, dressed._by_pose = self.sizes, self._by_pose
        return dressed

    @functools.cached_property
    def _shares(self) -> dict[bool, list[float]]:
        """How likely each person is, by whether they move, in the order of their names."""
        groups = {
            moving: [self.sizes[people[name][0]] for name in sorted(people)] for moving, people in self._by_pose.items()
        }
        return {moving: [suits(one, self._weather) for one in group] for moving, group in groups.items()}

    def draw(self, rng: np.random.Generator, *, moving: bool) -> ModelSize:
        """One person who moves or stands; who has no such pose does the other."""
        moving = moving if self._by_pose[moving] else not moving
        people = self._by_pose[moving]
        poses = people[sorted(people)[_chosen(self._shares[moving], rng)]]
        return self.sizes[poses[int(rng.integers(len(poses)))]]


def those_out(models: Sequence[ModelSize], weather: Conditions) -> list[ModelSize]:
    """The people among whom a sequence draws: those in clothes that are common in the weather, or all if nobody is."""
    return [one for one in models if suits(one, weather) >= COMMON] or list(models)


def suits(person: ModelSize, weather: Conditions | None) -> float:
    """How likely somebody goes out: as their clothes are near what people wear in that weather; 1 without one."""
    if weather is None:
        return 1.0
    usual = _usual_clo(weather.air_temperature_K)
    apart = 0.0 if not person.clo else math.log(person.clo / usual) / DRESS_SPREAD
    opened = WET_UMBRELLAS if weather.weather == "rain" else DRY_UMBRELLAS
    return math.exp(-0.5 * apart * apart) * (opened if person.carries == "umbrella" else 1.0)


_usual_clo = functools.lru_cache(maxsize=64)(usual_clothing_clo)
"""All models are asked in one weather after the other."""


def people_on_street(
    setup: FrameSetup,
    ground: Ground,
    street: Street,
    cars: Mapping[str, ModelSize],
    mix: PeopleMix,
    camera: Camera,
    draw: Draw,
    most: int | None = None,
) -> tuple[Placement, ...]:
    """People for a frame whose cars are placed.

    Args:
        setup: camera and cars.
        ground: where one can stand.
        street: its lanes tell where people walk to.
        cars: sizes of the setup's models.
        mix: who there is.
        camera: of the frame.
        draw: seed of the dataset and number of the frame.
        most: most people in the frame; None as in real streets.

    Returns:
        their placements; none nearer than a car's length, in a car, a wall or another.
    """
    rng, crowd_rng = draw.rng(Stream.PEOPLE), draw.rng(Stream.PEOPLE, CROWD_PART)
    count, crowd = sample_count(rng, most), crowd_count(crowd_rng)
    if not (count or crowd) or not mix:
        return ()
    scene = _Scene(setup, ground, street, cars, camera)
    placed: list[Placement] = []
    for _ in range(3 * count):
        if len(placed) >= count:
            break
        placed += scene.group(mix, count - len(placed), placed, rng)
    crowd = min(crowd, (CROWD_MOST if most is None else most) - len(placed))
    if crowd > 0:
        placed += scene.crowd(mix, crowd, placed, crowd_rng)
    return tuple(placed)


def _chosen(shares: Sequence[float] | Array, rng: np.random.Generator) -> int:
    """Which of some things is drawn, each as often as its share says; one number is drawn."""
    sums = np.cumsum(shares)
    return min(int(np.searchsorted(sums, rng.random() * sums[-1], side="right")), len(shares) - 1)


def _members(
    mix: PeopleMix, middle: Array, count: int, rng: np.random.Generator, *, standing: bool, heading: float
) -> Iterator[Placement]:
    """People about a point of the plane: side by side on their way, or in a circle where they stand."""
    first = rng.uniform(0.0, 2 * math.pi)
    for number in range(count):
        name = mix.draw(rng, moving=not standing).name
        if standing and count > 1:
            angle = first + 2 * math.pi * number / count
            radius = rng.uniform(*CIRCLE_M)
            x, y = middle + radius * np.array([math.cos(angle), math.sin(angle)])
            yaw = angle + math.pi + rng.normal(0.0, 0.35)
        else:
            side, row = (number % 2) * rng.uniform(*ABREAST_M), (number // 2) * rng.uniform(0.8, 1.3)
            x = middle[0] - side * math.sin(heading) - row * math.cos(heading)
            y = middle[1] + side * math.cos(heading) - row * math.sin(heading)
            yaw = first if standing else heading + rng.normal(0.0, HEADING_STD)
        yield Placement(name, float(x), float(y), 0.0, float(yaw), activity_of(name))


def _crowded(
    mix: PeopleMix, middle: Array, count: int, rng: np.random.Generator, *, standing: bool, heading: float
) -> Iterator[Placement]:
    """People spread about a point of the plane, the first of them at it; some come towards the others."""
    for number in range(count):
        name = mix.draw(rng, moving=not standing).name
        along, aside = rng.normal(0.0, (CROWD_ALONG_M, CROWD_ASIDE_M)) * (number > 0)
        x = middle[0] + along * math.cos(heading) - aside * math.sin(heading)
        y = middle[1] + along * math.sin(heading) + aside * math.cos(heading)
        yaw = heading + (math.pi if rng.random() < ONCOMING_SHARE else 0.0) + rng.normal(0.0, HEADING_STD)
        yield Placement(name, float(x), float(y), 0.0, float(yaw), activity_of(name))


def _those_that_fit(
    group: Iterable[Placement],
    placed: Sequence[Placement],
    fits: Callable[[Placement, ModelSize, Sequence[Placement]], bool],
    mix: PeopleMix,
) -> list[Placement]:
    """The people of a group who find room; none where the first does not."""
    kept: list[Placement] = []
    for number, member in enumerate(group):
        if fits(member, mix.sizes[member.model], [*placed, *kept]):
            kept.append(member)
        elif number == 0:
            break
    return kept


@dataclass(frozen=True, eq=False)
class _Taken:
    """Rectangles on the ground that something stands on."""

    corners_m: Sequence[Array]
    """(4, 2) each."""

    @functools.cached_property
    def _circles(self) -> list[tuple[float, float, float]]:
        """Middle and radius around each: most are too far away to be looked at closely."""
        return [_circle_around(one.tolist()) for one in self.corners_m]

    def touches(self, corners_m: Array, x_m: float, y_m: float, radius_m: float) -> bool:
        """Whether a rectangle overlaps one of them; it lies within a radius about a point."""
        return any(
            math.hypot(x - x_m, y - y_m) <= radius + radius_m + ROUNDING_M and overlaps(corners_m, other)
            for other, (x, y, radius) in zip(self.corners_m, self._circles, strict=True)
        )


def _circle_around(corners_m: Sequence[Sequence[float]]) -> tuple[float, float, float]:
    """Middle and radius of a circle around points."""
    x, y = (sum(one[axis] for one in corners_m) / len(corners_m) for axis in (0, 1))
    return x, y, max(math.hypot(one[0] - x, one[1] - y) for one in corners_m)


def _taken_by_cars(cars: Sequence[Placement], sizes: Mapping[str, ModelSize]) -> list[Array]:
    """Rectangles (4, 2) of cars with room around them."""
    margin = 2 * CAR_MARGIN_M
    pairs = [(car, sizes[car.model]) for car in cars]
    return [
        rectangle(car.x_m, car.y_m, car.yaw_rad, size.length_m + margin, size.width_m + margin) for car, size in pairs
    ]


def _stands_free(
    person: Placement,
    size: ModelSize,
    others: Sequence[Placement],
    taken: _Taken,
    camera: Camera,
    to_cam: WorldToCam,
) -> bool:
    """Whether a person touches nobody and nothing, and is seen."""
    if any(math.hypot(one.x_m - person.x_m, one.y_m - person.y_m) < APART_M for one in others):
        return False
    corners = rectangle(person.x_m, person.y_m, person.yaw_rad, size.length_m, size.width_m)
    if taken.touches(corners, person.x_m, person.y_m, math.hypot(size.length_m, size.width_m) / 2):
        return False
    box = box_around(person, size, camera, to_cam)
    return box is not None and box[3] - box[1] >= LEAST_HEIGHT_PX and seen_share(box, camera) >= LEAST_SEEN


def spots_by_kind(ground: Ground, cam_to_world: Array, camera: Camera) -> dict[Kind, tuple[Array, Array]]:
    """Spots in the field of view (N, 2) by kind, and running sums (N,) of their weights: one over the distance."""
    pose, eye = cam_to_world, cam_to_world[:2, 3]
    aside = 1.1 * max(camera.cx, camera.width - camera.cx) / camera.fx
    corners = np.array([eye, *(eye + FAR_M * (pose[:2, 2] + side * pose[:2, 0]) for side in (-aside, aside))])
    left, right = ((column - camera.cx) / camera.fx for column in (-0.02 * camera.width, 1.02 * camera.width))
    view = np.array([*eye, *pose[:2, 2], *pose[:2, 0], NEAR_M, FAR_M, left, right])
    points, ahead, kinds = ground.spots_in_view(view, corners.min(axis=0), corners.max(axis=0))
    found = {}
    for kind in PLACES:
        chosen = np.flatnonzero(kinds == kind)
        if len(chosen):
            found[kind] = (points[chosen], np.cumsum(1.0 / ahead[chosen]))
    return found


@dataclass(frozen=True, eq=False)
class _Scene:
    """What one camera sees of the ground, and what stands on it."""

    setup: FrameSetup
    ground: Ground
    street: Street
    cars: Mapping[str, ModelSize]
    camera: Camera

    @functools.cached_property
    def _spots(self) -> dict[Kind, tuple[Array, Array]]:
        return spots_by_kind(self.ground, self.setup.cam_to_world, self.camera)

    @functools.cached_property
    def _to_cam(self) -> WorldToCam:
        return world_to_cam(self.setup.cam_to_world)

    @functools.cached_property
    def _taken(self) -> _Taken:
        """Rectangles of the cars with room around them, and of the camera's own."""
        pose = self.setup.cam_to_world
        own = camera_car_rectangle(pose[:2, 3], math.atan2(pose[1, 2], pose[0, 2]))
        return _Taken([own, *_taken_by_cars(self.setup.placements, self.cars)])

    def group(
        self, mix: PeopleMix, most: int, placed: Sequence[Placement], rng: np.random.Generator
    ) -> list[Placement]:
        """One to six people together; none where there is no room for them."""
        if not self._spots:
            return []
        count = min(most, 1 + _chosen(GROUP_SHARES, rng))

        def members(middle: Array, *, standing: bool, heading: float) -> Iterator[Placement]:
            near = middle + rng.uniform(-0.1, 0.1, 2)
            return _members(mix, near, count, rng, standing=standing, heading=heading)

        return self._together(PLACES, mix, members, placed, rng)

    def crowd(
        self, mix: PeopleMix, count: int, placed: Sequence[Placement], rng: np.random.Generator
    ) -> list[Placement]:
        """Many people on a crossing or a pavement, most of them on one way; none where there is no room."""

        def members(middle: Array, *, standing: bool, heading: float) -> Iterator[Placement]:
            return _crowded(mix, middle, count, rng, standing=standing, heading=heading)

        return self._together(CROWD_PLACES, mix, members, placed, rng)

    def _together(
        self,
        places: Mapping[Kind, float],
        mix: PeopleMix,
        members: Callable[..., Iterator[Placement]],
        placed: Sequence[Placement],
        rng: np.random.Generator,
    ) -> list[Placement]:
        """People about a spot where there is room for the first of them; ``members`` draws them about its middle."""
        spots = {kind: self._spots[kind] for kind in places if kind in self._spots}
        if not spots:
            return []
        kind = list(spots)[_chosen([places[kind] for kind in spots], rng)]
        points, sums = spots[kind]
        for _ in range(TRIES):
            middle = points[min(int(np.searchsorted(sums, rng.random() * sums[-1])), len(points) - 1)]
            standing, heading = rng.random() < STANDING_SHARE[kind], self._way(kind, middle, rng)
            group = members(middle, standing=standing, heading=heading)
            kept = _those_that_fit((self._on_ground(one) for one in group), placed, self._fits, mix)
            if kept:
                return kept
        return []

    def _on_ground(self, person: Placement) -> Placement:
        return replace(person, z_m=self.ground.at(person.x_m, person.y_m)[1])

    def _way(self, kind: Kind, middle: Array, rng: np.random.Generator) -> float:
        """Heading of one who walks there: along the street on pavements, across it on the road."""
        along = self._street_heading(middle) + (math.pi if rng.random() < 0.5 else 0.0)
        turned = kind != Kind.PAVEMENT or rng.random() < 0.08
        return along + (math.pi / 2 if turned else 0.0) + float(rng.normal(0.0, HEADING_STD))

    def _street_heading(self, middle: Array) -> float:
        """Of the nearest lane; of the camera where the street has none."""
        points = self.street.lane_points_m
        if not len(points):
            pose = self.setup.cam_to_world
            return math.atan2(pose[1, 2], pose[0, 2])
        nearest = int(np.argmin((points[:, 0] - middle[0]) ** 2 + (points[:, 1] - middle[1]) ** 2))
        lane = int(np.searchsorted(self.street.lane_starts, nearest, side="right")) - 1
        line = self.street.lanes[lane].line
        return line.pose(float(line.dense_s_m[nearest - self.street.lane_starts[lane]]), 2.0)[3]

    def _fits(self, person: Placement, size: ModelSize, others: Sequence[Placement]) -> bool:
        """Whether a person stands on the ground, is seen, and touches nothing."""
        if self.ground.at(person.x_m, person.y_m)[0] is Kind.NONE:
            return False
        return _stands_free(person, size, others, self._taken, self.camera, self._to_cam)


# --- over a real background -------------------------------------------------------------------------------------------


def people_on_plane(
    setup: FrameSetup,
    cars: Mapping[str, ModelSize],
    mix: PeopleMix,
    camera: Camera,
    draw: Draw,
    *,
    free_mask: NDArray[np.bool_] | None = None,
    obstacles: Sequence[Array] = (),
    road_yaw_rad: float | None = None,
    beside_m: float = 0.0,
    most: int | None = None,
) -> tuple[Placement, ...]:
    """People on the plane z = 0 before a camera above its origin, for a real background.

    Args:
        setup: camera and cars, of :func:`.placement.sample_on_plane`.
        cars: sizes of the setup's models.
        mix: who there is.
        camera: of the background.
        draw: seed of the dataset and number of the frame.
        free_mask: (H, W) bool, True where ground is free.
        obstacles: (4, 2) rectangles of real things on the ground.
        road_yaw_rad: heading of the road, counter-clockwise from the camera's; None: that of the camera.
        beside_m: how far beside free ground people may stand too: the mask is of the road, they walk on pavements.
        most: most people in the frame; None as in real streets.

    Returns:
        their placements; fewer where there is no room, even none.
    """
    rng = draw.rng(Stream.PEOPLE)
    count = sample_count(rng, most)
    if not count or not mix or (free_mask is not None and not free_mask.any()):
        return ()
    taken = _Taken([*obstacles, *_taken_by_cars(setup.placements, cars)])
    plane = _Plane(setup, camera, free_mask, taken, road_yaw_rad or 0.0, beside_m)
    placed: list[Placement] = []
    for _ in range(3 * count):
        if len(placed) >= count:
            break
        placed += plane.group(mix, count - len(placed), placed, rng)
    return tuple(placed)


@dataclass(frozen=True, eq=False)
class _Plane:
    """Free ground before a camera at the origin that looks along x."""

    setup: FrameSetup
    camera: Camera
    free_mask: NDArray[np.bool_] | None
    taken: _Taken
    road_yaw_rad: float
    beside_m: float

    @functools.cached_property
    def _to_cam(self) -> WorldToCam:
        return world_to_cam(self.setup.cam_to_world)

    def group(
        self, mix: PeopleMix, most: int, placed: Sequence[Placement], rng: np.random.Generator
    ) -> list[Placement]:
        """One to six people together; none where there is no room for them."""
        count = min(most, 1 + _chosen(GROUP_SHARES, rng))
        for _ in range(PLANE_TRIES):
            x = float(rng.uniform(PLANE_NEAR_M, FAR_M))
            across_m, shares = self._spots_at(x)
            if not len(across_m):
                continue
            for _ in range(SIDE_TRIES):
                k = _chosen(shares, rng)
                y = float(across_m[k]) + ACROSS_STEP_M * (rng.random() - 0.5)
                group = self._members(mix, x, y, count, rng, bool(shares[k] > MIDDLE_SHARE))
                kept = _those_that_fit(group, placed, self._fits, mix)
                if kept:
                    return kept
        return []

    def _spots_at(self, x_m: float) -> tuple[Array, Array]:
        """Spots at a distance, left to right: (N,) metres to the left, and (N,) how likely somebody is there.

        The edge of the picture is no edge of the road.
        """
        half = 0.5 * self.camera.width / self.camera.fx * x_m
        across_m = np.arange(-half, half, ACROSS_STEP_M)
        if self.free_mask is None:
            aside_m = np.abs(across_m - math.tan(self.road_yaw_rad) * x_m)
            return across_m, np.where(aside_m > EDGE_FROM_M, 1.0, MIDDLE_SHARE)
        free, right, left = (self._free_at(x_m, across_m + side) for side in (0.0, -EDGE_M, EDGE_M))
        there = (free == 1) | ((free == 0) & self._is_beside(free, self.beside_m))
        on_road = np.where((right == 0) | (left == 0), EDGE_SHARE, MIDDLE_SHARE)
        beside = np.where(self._is_beside(free, min(PAVEMENT_M, self.beside_m)), 1.0, VERGE_SHARE)
        return across_m[there], np.where(free == 0, beside, on_road)[there]

    def _is_beside(self, free: NDArray[np.int8], reach_m: float) -> NDArray[np.bool_]:
        """(N,) which spots at a distance are near free ones."""
        steps = round(reach_m / ACROSS_STEP_M)
        near = np.convolve(free == 1, np.ones(2 * steps + 1))
        return near[steps : steps + len(free)] > 0.5  # the mode "same" is as long as the longer of both

    def _free_at(self, x_m: float, across_m: Array) -> NDArray[np.int8]:
        """(N,) 1 where the ground is free, 0 where it is not, -1 outside of the picture."""
        assert self.free_mask is not None
        pose, camera = self.setup.cam_to_world, self.camera
        points = np.column_stack([np.full(len(across_m), x_m), across_m, np.zeros(len(across_m))])
        columns, rows = np.floor(camera.project((points - pose[:3, 3]) @ pose[:3, :3])).astype(int).T
        inside = (columns >= 0) & (columns < camera.width) & (rows >= 0) & (rows < camera.height)
        free = self.free_mask[np.where(inside, rows, 0), np.where(inside, columns, 0)]
        return np.where(inside, free.astype(np.int8), np.int8(-1))

    def _members(
        self, mix: PeopleMix, x_m: float, y_m: float, count: int, rng: np.random.Generator, at_edge: bool
    ) -> Iterator[Placement]:
        """People about a point: at the edge of free ground they walk along it, on the road mostly across."""
        across = not at_edge and rng.random() < 0.6
        heading = self.road_yaw_rad + math.pi * (rng.random() < 0.5) + (math.pi / 2 if across else 0.0)
        heading += float(rng.normal(0.0, HEADING_STD))
        standing = rng.random() < STANDING_SHARE[Kind.PAVEMENT if at_edge else Kind.ROAD]
        return _members(mix, np.array([x_m, y_m]), count, rng, standing=standing, heading=heading)

    def _is_ground(self, x_m: float, y_m: float) -> bool:
        """Whether one can stand at a point: it is free, or beside what is."""
        if self.free_mask is None:
            return True
        steps = round(self.beside_m / ACROSS_STEP_M)
        free = self._free_at(x_m, y_m + ACROSS_STEP_M * np.arange(-steps, steps + 1))
        return bool(free[steps] == 1 or (free[steps] == 0 and (free == 1).any()))

    def _fits(self, person: Placement, size: ModelSize, others: Sequence[Placement]) -> bool:
        """Whether a person stands on free ground, is seen, and touches nothing."""
        feet = ((person.x_m, person.y_m + side) for side in (-0.2, 0.2))
        if not all(self._is_ground(x, y) for x, y in feet):
            return False
        return _stands_free(person, size, others, self.taken, self.camera, self._to_cam)
