"""Which triangles of a model file are a car: those that hang together and have a car's shape.

Files hold more than a car: the floor it was shown on, a backdrop, cards of light, a figure for scale, a second car.
What stands apart is apart; what a car stands on is told by where it lies. Nothing here knows units: all is relative to
size.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "APART",
    "HEIGHT_TO_LENGTH",
    "LENGTH_TO_WIDTH",
    "STAGE",
    "Division",
    "Shape",
    "divide",
    "has_car_shape",
    "shape_of",
    "straightened",
]

Points = NDArray[np.float64]
Indices = NDArray[np.int64]

STAGE, APART = -1, -2
"""Group of what a car stands on or in, and of what is beside it."""

LENGTH_TO_WIDTH = (1.4, 8.0)
"""From a microcar with its mirrors (2.7 m by 1.9 m) to a road train (18.75 m by 2.55 m)."""
HEIGHT_TO_LENGTH = (0.15, 0.75)
"""From a racing car (0.95 m by 5.6 m) to a toy-like van."""
WIDTH_TO_HEIGHT = (0.55, 2.8)
"""From a bus (2.55 m by 4 m) to a racing car (2.0 m by 0.95 m), with room for toys."""

_GAP = 0.025
"""Share of the size up to which parts belong together: 11 cm of a car's length, from tyre to arch. Cells of that size
leave no doubt above 3.5 times as much."""
_FINER = tuple(0.5**halvings for halvings in range(1, 11))
_ASKEW = 0.85
"""Share of the plan's area that is left when something that stood askew is turned straight: 8 degrees for a car."""
_SIBLING = 0.4
"""Least length of a second car as a share of the largest."""
_INNER = 0.75
"""Greatest length of what may lie within a car as a part of it: seats, a driver."""
_MARGIN = 0.05
"""Share of a car's size by which a part may stand out of it, or a floor end before it."""
_BESIDE = 0.12
"""The same for what stands beside it on both sides."""
_FLAT = 0.1
"""Greatest thickness of a plate as a share of its smaller side."""
_WIDER = 1.25
"""How much larger than a car's length and width a plate must be to be none of its parts wherever it lies."""
_MOST_POINTS = 500_000
"""Samples up to which it is looked more finely for a car."""
_FURTHEST = 1e9
"""Coordinates from which on a triangle is taken for damage."""
_SMALL, _FEW = 0.3, 0.1
"""Share of the largest thing's size, and of the file's triangles, below both of which a thing is not looked into."""
_MOST_STAGES, _TRIED = 3, 4
"""Stages within each other that are looked for, and parts that are tried for each."""
_MOST_SAMPLES = 64
"""Samples along a triangle's edge, at most: of a floor's two triangles few are enough."""
_NEIGHBOURS = [step for step in itertools.product((-1, 0, 1), repeat=3) if step > (0, 0, 0)]


@dataclass(frozen=True)
class Shape:
    """Size of something that stands upright, in the file's units."""

    length: float
    width: float
    height: float


@dataclass(frozen=True, eq=False)
class Division:
    """What is a car and what is not."""

    group: Indices
    """(T,) number of the car that a triangle belongs to, :data:`STAGE` or :data:`APART`."""
    cars: int
    """How many cars there are; 0 where nothing has the shape of one."""
    up: int
    """Axis of the cars' height."""


def divide(corners: Points, owner: Indices) -> Division:
    """Find the cars among triangles.

    Args:
        corners: (T, 3, 3) corners of the triangles in a common world, z or y up, of unknown unit.
        owner: (T,) number of the object that each is of.
    """
    sound = (np.abs(corners) < _FURTHEST).all(axis=(1, 2))  # not so for NaN
    if not sound.all():
        division = divide(corners[sound], owner[sound])
        group = np.full(len(corners), APART, np.int64)
        group[sound] = division.group
        return Division(group, division.cars, division.up)
    if not len(corners):
        return Division(np.zeros(0, np.int64), 0, 2)
    part = _loose_parts(corners, owner)
    for up in (2, 1):  # files are z up, but for what was imported without its axes
        found = _Finder(corners, part, up).cars()
        if found.cars:
            return found
    return Division(np.full(len(corners), APART, np.int64), 0, 2)


def has_car_shape(shape: Shape) -> bool:
    """Whether some car, van, truck or bus has these proportions."""
    length, width, height = shape.length, shape.width, shape.height
    if min(length, width, height) <= 0:
        return False
    ratios = (length / width, height / length, width / height)
    limits = (LENGTH_TO_WIDTH, HEIGHT_TO_LENGTH, WIDTH_TO_HEIGHT)
    return all(low <= ratio <= high for ratio, (low, high) in zip(ratios, limits, strict=True))


def shape_of(points: Points, up: int = 2) -> Shape:
    """Size of something that may stand askew: its plan is the smallest rectangle about it.

    Args:
        points: (N, 3) vertices.
        up: axis of its height.
    """
    plan = np.delete(points, up, axis=1)
    extents = _plan_extents(plan, np.arange(0.0, 90.0, 1.5))
    sides = extents[np.argmin(extents[:, 0] * extents[:, 1])]
    return Shape(float(sides.max()), float(sides.min()), float(np.ptp(points[:, up])))


def straightened(points: Points, up: int = 2) -> Points:
    """(3, 3) rotation about the height after which a thing that stood askew lies along the axes; else the identity.

    Args:
        points: (N, 3) vertices.
        up: axis of its height.
    """
    plan = np.delete(points, up, axis=1)
    degrees = np.arange(0.0, 90.0, 0.5)
    areas = np.prod(_plan_extents(plan, degrees), axis=1)
    if areas.min() > _ASKEW * areas[0]:
        return np.eye(3)
    angle = float(np.radians(degrees[np.argmin(areas)]))
    first, second = (axis for axis in range(3) if axis != up)
    turn = np.eye(3)
    turn[[first, first, second, second], [first, second, first, second]] = (
        np.cos(angle), np.sin(angle), -np.sin(angle), np.cos(angle),
    )  # fmt: skip
    return turn


def _plan_extents(plan: Points, degrees: Points) -> Points:
    """(A, 2) sides of the rectangles about points (N, 2) at those angles."""
    turns = np.radians(np.concatenate([degrees, degrees + 90.0]))
    along = plan @ np.stack([np.cos(turns), np.sin(turns)])
    return np.asarray(np.ptp(along, axis=0).reshape(2, -1).T)


class _Finder:
    """Finds cars for one direction of up; holds what every step needs."""

    def __init__(self, corners: Points, part: Indices, up: int) -> None:
        self.corners, self.part, self.up = corners, part, up
        self.plan = [axis for axis in range(3) if axis != up]
        self.order = np.argsort(part, kind="stable")
        self.starts = np.flatnonzero(np.diff(part[self.order], prepend=-1))
        self.counts = np.diff(self.starts, append=len(part))
        self.low = np.minimum.reduceat(corners.min(axis=1)[self.order], self.starts)
        self.high = np.maximum.reduceat(corners.max(axis=1)[self.order], self.starts)
        self.longest_edge = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).max(axis=1)
        self.stage: set[int] = set()

    def cars(self) -> Division:
        """Which triangles are which car's."""
        everything = np.arange(len(self.starts))
        clusters = self._resolve(everything)
        cars = self._choose([cluster for cluster in clusters if self._is_car(cluster)])
        group = np.full(len(self.starts), APART, np.int64)
        for number, car in enumerate(cars):
            group[car] = number
        rest = [cluster for cluster in clusters if not any(cluster is car for car in cars)]
        for number, cluster in self._satellites(cars, rest):
            group[cluster] = number
        group[sorted(self.stage)] = STAGE
        return Division(group[self.part], len(cars), self.up)

    def _choose(self, cars: list[Indices]) -> list[Indices]:
        """Without what is much smaller than the largest or lies within another; by x, then by y."""
        lengths = [self._shape(car).length for car in cars]
        longest = max(lengths, default=0.0)
        large = [(car, length) for car, length in zip(cars, lengths, strict=True) if length >= _SIBLING * longest]
        chosen = [
            car
            for car, length in large
            if not any(length < _INNER * other and self._within(car, body) for body, other in large)
        ]
        return sorted(chosen, key=lambda car: tuple(np.round(self._box(car)[0], 6).tolist()))

    def _satellites(self, cars: list[Indices], rest: list[Indices]) -> Iterator[tuple[int, Indices]]:
        """What touches no car but is of one: wheels in their arches or beside the body, seats behind the glass."""
        for number, car in enumerate(cars):
            yield from ((number, cluster) for cluster in self._twins(car, rest))
        for cluster in rest:
            yield from ((number, cluster) for number, car in enumerate(cars) if self._within(cluster, car))

    def _twins(self, car: Indices, rest: list[Indices]) -> list[Indices]:
        """What stands beside a car on both sides alike, at most a wheel's width away: open wheels, mirrors."""
        low, high = self._box(car)
        length, across = float((high - low)[self.plan].max()), self.plan[int(np.argmin((high - low)[self.plan]))]
        boxes = [np.stack(self._box(one)) for one in rest]
        near = [
            bool((box[0] > low - _BESIDE * length).all() and (box[1] < high + _BESIDE * length).all())
            and float(np.ptp(box, axis=0).max()) < _SIBLING * length
            for box in boxes
        ]
        found = []
        for one, box, close in zip(rest, boxes, near, strict=True):
            mirrored = box.copy()
            mirrored[:, across] = (low + high)[across] - box[::-1, across]
            alike = (float(np.abs(other - mirrored).max()) for other, there in zip(boxes, near, strict=True) if there)
            if close and min(alike, default=np.inf) < 0.2 * _MARGIN * length:
                found.append(one)
        return found

    def _within(self, cluster: Indices, car: Indices) -> bool:
        """Whether most of a cluster's box lies in the box of a car."""
        low, high = self._box(car)
        room = _MARGIN * float((high - low).max())
        own_low, own_high = self._box(cluster)
        # A thin thing has a volume too.
        own = np.maximum(own_high - own_low, 1e-3 * room)
        middle = (own_low + own_high) / 2
        shared = np.minimum(middle + own / 2, high + room) - np.maximum(middle - own / 2, low - room)
        return bool(np.prod(np.maximum(shared, 0.0)) > 0.5 * np.prod(own)) and bool(
            (own <= high - low + 2 * room).all()
        )

    def _resolve(self, parts: Indices, stages: int = _MOST_STAGES) -> list[Indices]:
        """Clusters of parts: those that stand apart, without what they stand on, as finely as a car is found by it."""
        low, high = self._box(parts)
        gap = _GAP * float((high - low).max())
        clusters = self._clusters(parts, gap)
        if len(clusters) > 1:
            return self._resolve_each(clusters, stages)
        unstaged = self._unstaged(parts, stages) if stages else None
        if unstaged is not None:
            return unstaged
        for finer in () if self._is_car(parts) else _FINER:
            if self._count(parts, finer * gap) > _MOST_POINTS:
                break
            clusters = self._clusters(parts, finer * gap)
            if len(clusters) > 1 and any(self._is_car(cluster) for cluster in clusters):
                return self._resolve_each(clusters, stages)
        return [parts]

    def _resolve_each(self, clusters: list[Indices], stages: int) -> list[Indices]:
        """Look into what is large, or much of the file; a small thing beside the rest is no car."""
        sizes = [float(np.subtract(*self._box(cluster)[::-1]).max()) for cluster in clusters]
        found = []
        for cluster, size in zip(clusters, sizes, strict=True):
            small = size < _SMALL * max(sizes) and self.counts[cluster].sum() < _FEW * len(self.part)
            found += [cluster] if small else self._resolve(cluster, stages)
        return found

    def _unstaged(self, parts: Indices, stages: int) -> list[Indices] | None:
        """The clusters of a cluster without what its cars stand on; None where they stand on nothing."""
        whole = self._shape(parts)
        for part in self._possible_stages(parts):
            known, rest = set(self.stage), parts[parts != part]
            if has_car_shape(whole):  # there is a car in any case: one step is enough
                low, high = self._box(rest)
                clusters = self._clusters(rest, _GAP * float((high - low).max()))
            else:
                clusters = self._resolve(rest, stages - 1)
            cars = sorted((one for one in clusters if self._is_car(one)), key=lambda one: -self._shape(one).length)
            if any(self._stands_on(car, part, whole) for car in cars[:_TRIED]):
                self.stage.add(int(part))
                return self._resolve_each(clusters, stages - 1) if has_car_shape(whole) else clusters
            self.stage = known
        return None

    def _possible_stages(self, parts: Indices) -> Indices:
        """Parts of a cluster that reach under all of it, the largest first."""
        if len(parts) < 2:
            return parts[:0]
        low, high = self._box(parts)
        extent = high - low
        sizes = self.high[parts] - self.low[parts]
        wide = (sizes[:, self.plan] >= 0.5 * extent[self.plan]).all(axis=1)
        below = self.low[parts, self.up] <= low[self.up] + 0.1 * extent[self.up]
        found = parts[wide & (below | self._flat(parts))]
        order = np.argsort(-np.prod(self.high[found] - self.low[found] + 1e-9, axis=1), kind="stable")
        tried = found[order]
        clear = [self._is_clear_of_largest(part, parts) for part in tried.tolist()]
        return np.asarray(tried[self._flat(tried) | np.array(clear, dtype=bool)][:_TRIED])

    def _is_clear_of_largest(self, part: int, parts: Indices) -> bool:
        """Whether little of a part lies within the largest of the others, as a body lies about its seats."""
        others = parts[parts != part]
        sizes = self.high[others] - self.low[others]
        largest = np.atleast_1d(others[np.argmax(np.prod(sizes, axis=1))])
        points = self._samples(np.atleast_1d(part), _GAP * float(sizes.max()))[0]
        low, high = self._box(largest)
        room = _MARGIN * (high - low)
        return bool(((points > low + room) & (points < high - room)).all(axis=1).mean() < 0.05)

    def _flat(self, parts: Indices) -> NDArray[np.bool_]:
        sizes = self.high[parts] - self.low[parts]
        return np.asarray(sizes[:, self.up] <= _FLAT * sizes[:, self.plan].min(axis=1))

    def _stands_on(self, car: Indices, part: Indices, whole: Shape) -> bool:
        """Whether a part is a plate under a car, or a room or backdrop whose floor the car stands on."""
        low, high = self._box(car)
        size = high - low
        own_low, own_high = self.low[part], self.high[part]
        own_size = own_high - own_low
        flat = bool(self._flat(np.atleast_1d(part))[0])
        if flat and (own_size[self.plan] >= _WIDER * size[self.plan]).all():
            return True  # at whatever height: a car has no plate that stands out of it on all sides
        points = self._samples(np.atleast_1d(part), max(_GAP * float(size.max()), 0.002 * float(own_size.max())))[0]
        over = ((points[:, self.plan] >= low[self.plan]) & (points[:, self.plan] <= high[self.plan])).all(axis=1)
        heights = points[over, self.up]
        inside = (heights > low[self.up] + _MARGIN * size[self.up]) & (heights < high[self.up])
        touches = heights > low[self.up] - 2 * _MARGIN * size[self.up]
        if inside.sum() > 0.005 * max(1, len(heights)) or not touches.any():
            return False
        if flat:
            overlap = np.minimum(own_high, high) - np.maximum(own_low, low)
            return bool((overlap[self.plan] >= 0.5 * size[self.plan]).all())
        covers = (own_low <= low + _MARGIN * size) & (own_high >= high - _MARGIN * size)
        lowest = own_low[self.up] >= low[self.up] - 2 * _MARGIN * size[self.up]
        return bool(covers[self.plan].all()) and bool(lowest) and _is_a_car_in_the_unit_of(whole, self._shape(car))

    def _is_car(self, parts: Indices) -> bool:
        return has_car_shape(self._shape(parts))

    def _shape(self, parts: Indices) -> Shape:
        low, high = self._box(parts)
        upright = high - low
        sides = sorted(upright[self.plan].tolist())
        straight = Shape(sides[1], sides[0], float(upright[self.up]))
        if has_car_shape(straight) or sides[0] <= 0:
            return straight
        return shape_of(self.corners[self._triangles(parts)].reshape(-1, 3), self.up)

    def _triangles(self, parts: Indices) -> Indices:
        """Triangles of parts, part after part."""
        counts = self.counts[parts]
        before = np.cumsum(counts) - counts
        return np.asarray(self.order[np.arange(counts.sum()) + np.repeat(self.starts[parts] - before, counts)])

    def _box(self, parts: Indices) -> tuple[Points, Points]:
        return self.low[parts].min(axis=0), self.high[parts].max(axis=0)

    def _clusters(self, parts: Indices, gap: float) -> list[Indices]:
        """Parts in groups whose surfaces come closer to each other than about ``gap``; each at least one cell's."""
        if len(parts) < 2 or gap <= 0:
            return [parts]
        points, numbers = self._samples(parts, gap)
        cells = np.floor((points - points.min(axis=0)) / gap).astype(np.int64) + 1
        keys = (cells[:, 0] << 42) | (cells[:, 1] << 21) | cells[:, 2]
        label = _components(len(parts), _touching(keys, numbers))
        return [parts[label == value] for value in np.unique(label)]

    def _steps(self, triangles: Indices, spacing: float) -> Indices:
        """Samples along the edges of triangles."""
        steps = np.ceil(self.longest_edge[triangles] / max(spacing, 1e-12))
        return np.asarray(np.clip(steps, 1, _MOST_SAMPLES), dtype=np.int64)

    def _count(self, parts: Indices, spacing: float) -> int:
        """How many points :meth:`_samples` would give."""
        steps = self._steps(self._triangles(parts), spacing)
        return int(((steps + 1) * (steps + 2) // 2).sum())

    def _samples(self, parts: Indices, spacing: float) -> tuple[Points, Indices]:
        """Points on the surfaces of parts no further apart than ``spacing``, and the place of each one's part."""
        chosen = self._triangles(parts)
        corners, steps = self.corners[chosen], self._steps(chosen, spacing)
        number = np.repeat(np.arange(len(parts)), self.counts[parts])
        points, numbers = [], []
        for count in np.unique(steps):
            same = steps == count
            weights = _barycentric(int(count))
            points.append((weights @ corners[same]).reshape(-1, 3))
            numbers.append(np.repeat(number[same], len(weights)))
        return np.concatenate(points), np.concatenate(numbers)


def _barycentric(count: int) -> Points:
    """(S, 3) weights of points all over a triangle, ``count`` steps along each edge."""
    first, second = np.meshgrid(np.arange(count + 1), np.arange(count + 1), indexing="ij")
    keep = first + second <= count
    first, second = first[keep], second[keep]
    return np.asarray(np.stack([first, second, count - first - second], axis=1) / count)


def _is_a_car_in_the_unit_of(whole: Shape, car: Shape) -> bool:
    """Whether a thing within another is as long as a car, if the whole is as long as a car or a studio.

    A car's body hangs together with its seats as a studio does with a car, but no car is as short as its seats.
    """
    units = (1.0, 0.01, 0.001, 0.0254, 0.1)
    unit = next((one for one in units if 2.5 <= whole.length * one <= 60.0), None)
    return unit is None or 2.5 <= car.length * unit <= 19.0


def _loose_parts(corners: Points, owner: Indices) -> Indices:
    """(T,) number of the part that each triangle belongs to: triangles of an object that share a corner's place."""
    points = corners.reshape(-1, 3)
    low = points.min(axis=0)
    step = max(float((points.max(axis=0) - low).max()) * 1e-6, 1e-30)
    places = np.rint((points - low) / step).astype(np.int64)
    _, place = np.unique((places[:, 0] << 42) | (places[:, 1] << 21) | places[:, 2], return_inverse=True)
    owners = int(owner.max()) + 1
    _, corner = np.unique(place.reshape(-1) * owners + np.repeat(owner, 3), return_inverse=True)
    corner = corner.reshape(-1, 3)
    pairs = np.concatenate([corner[:, :2], corner[:, 1:]])
    label = _components(int(corner.max()) + 1, pairs)
    _, part = np.unique(label[corner[:, 0]], return_inverse=True)
    return np.asarray(part, dtype=np.int64).reshape(-1)


def _touching(keys: Indices, numbers: Indices) -> Indices:
    """(P, 2) pairs of numbers that lie in the same or in neighbouring cells."""
    order = np.lexsort((numbers, keys))
    cell, number = keys[order], numbers[order]
    new = np.concatenate([[True], (np.diff(cell) != 0) | (np.diff(number) != 0)])
    cell, number = cell[new], number[new]
    same = cell[1:] == cell[:-1]
    found = [np.stack([number[1:][same], number[:-1][same]], axis=1)]
    first = np.flatnonzero(np.concatenate([[True], ~same]))
    cells, members = cell[first], number[first]
    for step in _NEIGHBOURS:
        wanted = cells + (step[0] * (1 << 42) + step[1] * (1 << 21) + step[2])
        at = np.minimum(np.searchsorted(cells, wanted), len(cells) - 1)
        there = cells[at] == wanted
        found.append(np.stack([members[there], members[at[there]]], axis=1))
    return np.concatenate(found)


def _components(count: int, pairs: Indices) -> Indices:
    """(count,) least number among those that pairs connect each number with."""
    label = np.arange(count)
    while True:
        first, second = label[pairs[:, 0]], label[pairs[:, 1]]
        low, high = np.minimum(first, second), np.maximum(first, second)
        if (low == high).all():
            return label
        np.minimum.at(label, high, low)
        while (label[label] != label).any():
            label = label[label]
