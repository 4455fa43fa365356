"""People on benches, more of them the warmer and drier it is.

They are placed after all else, with a stream of their own, so that nothing of a frame changes with them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ...geometry.camera import Camera
from ...random_streams import Draw, Stream
from ...thermal.conditions import Conditions
from ...thermal.people import activity_of
from ..cars import FrameSetup, ModelSize, Placement
from ..footprints import overlaps, rectangle
from ..pedestrians import suits
from ..projection import box_around, seen_share, world_to_cam
from .seats import Seat
from .two_wheelers import FAR_M, LEAST_HEIGHT_PX, LEAST_SEEN, NEAR_M

__all__ = ["COUNT_SHARES", "LEGS_M", "bench_share", "by_bench", "seated_people", "sits"]

Array = NDArray[np.float64]

BENCH_SHARE = 0.4
"""How likely somebody sits on a bench on a mild dry day (assumed; Whyte 1980 counted one to two people on a bench of
squares in New York at noon, streets have fewer)."""
COLD_SHARE, WET_SHARE = 0.15, 0.05
"""How much of that is left in freezing air, and in rain or snow (assumed)."""
_COLD_K, _MILD_K = 273.15, 291.15
COUNT_SHARES = (0.6, 0.3, 0.1)
"""Of one to three people on a bench that anybody sits on (assumed)."""
LEGS_M: Final = (1.1, 0.5)
"""Length and width of what somebody who sits takes on the ground, 0.3 m before the hips."""
_WET: Final = frozenset({"rain", "snow", "snowfall"})


def sits(model: ModelSize) -> bool:
    """Whether a model is of somebody who sits."""
    return model.category == "person" and activity_of(model.name) == "sitting"


def seated_people(
    setup: FrameSetup,
    seats: Sequence[Seat],
    sizes: Mapping[str, ModelSize],
    people: Sequence[ModelSize],
    camera: Camera,
    draw: Draw,
    weather: Conditions,
    most: int | None = None,
) -> tuple[Placement, ...]:
    """People who sit, for a frame in which all else is placed.

    Args:
        setup: camera and all that is placed.
        seats: of the street.
        sizes: of the setup's models.
        people: models of people.
        camera: of the frame.
        draw: seed of the dataset and number of the frame.
        weather: tells who is out and how many sit.
        most: most people in the frame, those of the setup included; None as in real streets.

    Returns:
        their placements; none touches what stands there.
    """
    sitting = [one for one in people if sits(one)]
    on_foot = sum(sizes[one.model].category == "person" and not one.rides for one in setup.placements)
    left = len(seats) if most is None else max(0, most - on_foot)
    if not sitting or not left:
        return ()
    view = _View(setup, sizes, camera)
    shown = view.shown(seats)
    if not shown:
        return ()
    rng, share = draw.rng(Stream.SEATED), bench_share(weather)
    shares = np.cumsum([suits(one, weather) for one in sitting])
    placed: list[Placement] = []
    for bench in by_bench(shown):
        used, count = rng.random() < share, 1 + int(np.searchsorted(np.cumsum(COUNT_SHARES), rng.random()))
        for place in rng.permutation(len(bench))[:count] if used else ():
            chosen = min(int(np.searchsorted(shares, rng.random() * shares[-1], side="right")), len(sitting) - 1)
            placed += view.take(bench[int(place)], sitting[chosen], float(rng.normal(0.0, 0.04)))
    return tuple(placed[:left])


def bench_share(weather: Conditions) -> float:
    """How likely somebody sits on a bench."""
    mild = (weather.air_temperature_K - _COLD_K) / (_MILD_K - _COLD_K)
    share = BENCH_SHARE * (COLD_SHARE + (1.0 - COLD_SHARE) * min(max(mild, 0.0), 1.0))
    return share * (WET_SHARE if weather.weather in _WET else 1.0)


def by_bench(seats: Sequence[Seat]) -> Iterator[list[Seat]]:
    """The seats of each bench."""
    benches: dict[int, list[Seat]] = {}
    for seat in seats:
        benches.setdefault(seat.bench, []).append(seat)
    yield from benches.values()


class _View:
    """What a camera sees, and what stands there."""

    def __init__(self, setup: FrameSetup, sizes: Mapping[str, ModelSize], camera: Camera) -> None:
        self.camera, self._pose, self._setup, self._sizes = camera, setup.cam_to_world, setup, sizes
        self._to_cam = world_to_cam(setup.cam_to_world)

    @cached_property
    def _taken(self) -> list[Array]:
        """Rectangles (4, 2) of what stands there."""
        placed = [(one, self._sizes[one.model]) for one in self._setup.placements]
        return [rectangle(one.x_m, one.y_m, one.yaw_rad, size.length_m, size.width_m) for one, size in placed]

    def shown(self, seats: Sequence[Seat]) -> list[Seat]:
        """Seats in the field of view."""
        if not seats:
            return []
        places = np.array([(one.x_m, one.y_m) for one in seats]) - self._pose[:2, 3]
        ahead, across = places @ self._pose[:2, 2], places @ self._pose[:2, 0]
        column = self.camera.cx + self.camera.fx * across / np.maximum(ahead, NEAR_M)
        seen = (ahead > NEAR_M) & (ahead < FAR_M) & (column > 0) & (column < self.camera.width)
        return [seats[int(k)] for k in np.flatnonzero(seen)]

    def take(self, seat: Seat, person: ModelSize, turned_rad: float) -> list[Placement]:
        """Somebody on a seat; nobody where something stands at their feet, or where they are not seen."""
        yaw = seat.yaw_rad + turned_rad
        at = Placement(person.name, seat.x_m, seat.y_m, seat.z_m, yaw, activity_of(person.name))
        box = box_around(at, person, self.camera, self._to_cam)
        if box is None or box[3] - box[1] < LEAST_HEIGHT_PX or seen_share(box, self.camera) < LEAST_SEEN:
            return []
        legs = replace(at, x_m=at.x_m + 0.3 * math.cos(yaw), y_m=at.y_m + 0.3 * math.sin(yaw))
        corners = rectangle(legs.x_m, legs.y_m, yaw, *LEGS_M)
        return [] if any(overlaps(corners, other) for other in self._taken) else [at]
