"""The lower half of a car: bumpers, wings, doors, bonnet and underbody up to the belt line, as one closed surface.

The side is a grid. Its columns run round the car from the middle of the nose over the left side to the middle of the
tail; its rows run from the lower edge to the shoulder. Named rows and columns lie exactly on the edges of lamps,
grilles, arches and panels, so that a zone is a set of whole cells. Two further grids close it above and below.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from renderer.zones.catalogue import Zone

from .curves import Array, Outline, Profile, smooth_step, spread
from .mesh import PolyMesh

__all__ = ["Axle", "Lid", "Panel", "Row", "Tub"]

_ARCH_STEPS = 14
"""Edges of a wheel arch's half circle: 13 degrees each, round at 400 px."""


@dataclass(frozen=True)
class Row:
    """One named line round the car; heights in metres, depths in metres inside the widest outline."""

    name: str
    front: tuple[float, float, float]
    """Height in the middle of the nose, height at its corner, depth."""
    side: tuple[float, float]
    """Height as a fraction from lower edge to shoulder, depth."""
    rear: tuple[float, float, float]
    """Height in the middle of the tail, height at its corner, depth."""


@dataclass(frozen=True)
class Axle:
    """Where a pair of wheels sits, and the arch above it."""

    x_m: float
    wheel_radius_m: float
    arch_radius_m: float
    tyre_width_m: float
    track_m: float
    """Distance of the tyres' outer faces."""
    twin: bool = False


@dataclass(frozen=True)
class Panel:
    """A patch of the side grid between named rows and columns."""

    rows: tuple[str, str]
    columns: tuple[str, str]
    zone: Zone
    recess_m: float = 0.0


@dataclass(frozen=True)
class Lid:
    """A patch of the upper grid: bonnet or load bed."""

    columns: tuple[str, str]
    share: float
    """Fraction of the width that it takes."""
    zone: Zone
    drop_m: float = 0.0


@dataclass(frozen=True)
class Tub:
    """Everything that shapes the lower body."""

    outline: Outline
    rows: Sequence[Row]
    axles: Sequence[Axle]
    shoulder: Profile
    """Height of the shoulder along the side."""
    top: Profile
    """Height of bonnet, belt and boot lid along the middle."""
    sill: Profile
    """Height of the lower edge along the side."""
    across: Mapping[str, float]
    """Named columns of nose and tail, as fractions of the half width at the corner."""
    along: Mapping[str, float]
    """Named columns of the side, x in metres."""
    panels: Sequence[Panel] = ()
    lids: Sequence[Lid] = ()
    flare_m: float = 0.012
    corner: float = 0.86
    """Fraction of the half width where nose and tail end and the sides begin."""
    floor_m: float = 0.2
    rows_between: int = 2
    blend_m: float = 0.5
    crown_power: float = 2.6
    spacing_m: float = 0.13

    def build(self) -> PolyMesh:
        """Closed surface with zones, both sides."""
        columns = _Columns.of(self)
        side = self._side(columns)
        mesh = PolyMesh()
        mesh.grid(side, lambda r, c: self._zone(columns, r, c))
        mesh.mirror()
        patches = _Patches(self, columns, side)
        top = patches.top()
        outer = np.maximum(np.abs(patches.share[:-1]), np.abs(patches.share[1:]))
        lids = [self._lid(columns, m, f) for m in range(len(top) - 1) for f in outer]
        start = len(mesh.faces)
        mesh.grid(top, Zone.BODY)
        mesh.zones[start:] = [int(lid.zone) if lid else int(Zone.BODY) for lid in lids]
        patches.bottom(mesh)
        self._recess(mesh, columns, lids, mesh.weld())
        return mesh

    def row_index(self, name: str) -> int:
        """Index of a named row in the grid."""
        return [row.name for row in self.rows].index(name) * self.rows_between

    def _side(self, columns: _Columns) -> Array:
        """Grid (R, C, 3) of the left side."""
        count = (len(self.rows) - 1) * self.rows_between + 1
        order = np.arange(count) / self.rows_between
        knots = np.arange(len(self.rows))
        points = np.zeros((count, len(columns.x), 3))
        for c, (x, y, part) in enumerate(zip(columns.x, columns.y, columns.part, strict=True)):
            heights, depths = self._section(columns, c, x, y, part)
            z = Profile(list(zip(knots, heights, strict=True)))(order)
            depth = Profile(list(zip(knots, depths, strict=True)))(order)
            lifted = np.maximum(z, columns.arch[c])
            depth = np.interp(lifted, z, depth) - self._flare(x, lifted)
            nx, ny = self.outline.normal(np.array(x), np.array(y))
            points[:, c] = np.column_stack([x - nx * depth, y - ny * depth, lifted])
        points[:, [0, -1], 1] = 0.0
        return points

    def _section(self, columns: _Columns, c: int, x: float, y: float, part: int) -> tuple[Array, Array]:
        """Heights and depths of the rows at one column: those of the nose or tail run out along the side."""
        front, side, rear = (np.array([getattr(row, key) for row in self.rows]) for key in ("front", "side", "rear"))
        f2 = (y / columns.corner_y(part)) ** 2 if part else 1.0
        sill, shoulder = float(self.sill(x)), float(self.shoulder(x))
        along_side = sill + side[:, 0] * (shoulder - sill)
        near_nose = 1.0 if part == 1 else float(smooth_step(1 - (columns.first_x - x) / self.blend_m))
        near_tail = 1.0 if part == 2 else float(smooth_step(1 - (x - columns.last_x) / self.blend_m))
        at_nose, at_tail = front[:, 0] + (front[:, 1] - front[:, 0]) * f2, rear[:, 0] + (rear[:, 1] - rear[:, 0]) * f2
        heights = along_side + near_nose * (at_nose - along_side) + near_tail * (at_tail - along_side)
        nx, ny = self.outline.normal(np.array(x), np.array(y))
        end = front[:, 2] if x > 0 else rear[:, 2]
        return np.maximum.accumulate(heights + 1e-4 * np.arange(len(heights))), end * nx**2 + side[:, 1] * ny**2

    def _flare(self, x: float, z: Array) -> Array:
        """How far the lip of the wheel arches stands out."""
        out = np.zeros_like(z)
        for axle in self.axles:
            gap = np.hypot(x - axle.x_m, z - axle.wheel_radius_m) - axle.arch_radius_m
            out += self.flare_m * (1 - smooth_step((gap - 0.02) / 0.09)) * (gap > -1e-3)
        return out

    def _zone(self, columns: _Columns, r: int, c: int) -> Zone:
        """Zone of a cell of the side."""
        panel = self._panel(columns, r, c)
        return panel.zone if panel else Zone.BODY

    def _panel(self, columns: _Columns, r: int, c: int) -> Panel | None:
        """The last panel that covers a cell."""
        for panel in reversed(self.panels):
            rows = [self.row_index(name) for name in panel.rows]
            cols = [columns.index(name) for name in panel.columns]
            if rows[0] <= r < rows[1] and cols[0] <= c < cols[1]:
                return panel
        return None

    def _lid(self, columns: _Columns, m: int, outer: float) -> Lid | None:
        """The lid that covers a cell of the upper grid, which reaches out to the fraction ``outer`` of the width."""
        for lid in self.lids:
            first, last = (columns.index(name) - columns.across for name in lid.columns)
            if first <= m < last and outer <= lid.share + 1e-6:
                return lid
        return None

    def _recess(self, mesh: PolyMesh, columns: _Columns, lids: list[Lid | None], former: list[int]) -> None:
        """Push in what lies deeper than the skin; ``former`` are the faces' indices in the grids."""
        wide = len(columns.x) - 1
        half = ((len(self.rows) - 1) * self.rows_between) * wide
        owner: list[Panel | Lid | None] = []
        for k in former:
            lid = lids[k - 2 * half] if 2 * half <= k < 2 * half + len(lids) else None
            owner.append(self._panel(columns, (k % half) // wide, k % wide) if k < 2 * half else lid)
        for panel in self.panels:
            if panel.recess_m:
                mesh.recess([k for k, other in enumerate(owner) if other is panel], panel.recess_m)
        for lid in self.lids:
            if lid.drop_m:
                mesh.recess([k for k, other in enumerate(owner) if other is lid], (0.0, 0.0, -lid.drop_m))


@dataclass(frozen=True)
class _Columns:
    """Columns of the side grid: where they start, which part they belong to (1 nose, 0 side, 2 tail)."""

    x: Array
    y: Array
    part: Array
    arch: Array
    names: Mapping[str, int]
    fractions: Array
    across: int
    first_x: float
    last_x: float
    corner_nose_y: float
    corner_tail_y: float

    def index(self, name: str) -> int:
        """Column of that name; ``-name`` is the mirror image of a nose column on the tail."""
        return len(self.x) - 1 - self.names[name[1:]] if name.startswith("-") else self.names[name]

    def corner_y(self, part: int) -> float:
        """Half width where the nose (1) or the tail (2) ends."""
        return self.corner_nose_y if part == 1 else self.corner_tail_y

    @staticmethod
    def of(tub: Tub) -> _Columns:
        """Columns of a body."""
        marks = sorted({0.0, 1.0, *tub.across.values()})
        fractions = spread(marks, 0.12)
        nose_x, nose_y = tub.outline.end(fractions * tub.corner, front=True)
        tail_x, tail_y = tub.outline.end(fractions[::-1] * tub.corner, front=False)
        side_x, arch = _side_columns(tub, float(nose_x[-1]), float(tail_x[0]))
        inner = slice(1, -1)
        x = np.concatenate([nose_x, side_x[inner], tail_x])
        y = np.concatenate([nose_y, tub.outline.half_width(side_x[inner]), tail_y])
        count = len(fractions) - 1
        part = np.concatenate([np.full(count + 1, 1), np.zeros(len(side_x) - 2, dtype=int), np.full(count + 1, 2)])
        names = {name: int(np.argmin(np.abs(fractions - f))) for name, f in tub.across.items()}
        names |= {"middle": 0, "corner": count}
        names |= {name: count + int(np.argmin(np.abs(side_x - at))) for name, at in tub.along.items()}
        lift = np.concatenate([np.full(count, -1.0), arch, np.full(count, -1.0)])
        return _Columns(x, y, part, lift, names, fractions, count, float(nose_x[-1]), float(tail_x[0]),
                        float(nose_y[-1]), float(tail_y[0]))  # fmt: skip


def _side_columns(tub: Tub, first_x: float, last_x: float) -> tuple[Array, Array]:
    """Where the side's columns are, and how high a wheel arch lifts their lower end (-1 where there is none)."""
    marks = {first_x: -1.0, last_x: -1.0, **{x: -1.0 for x in tub.along.values() if last_x < x < first_x}}
    doubled = []
    for axle in tub.axles:
        low, high = axle.x_m - axle.arch_radius_m, axle.x_m + axle.arch_radius_m
        marks = {x: z for x, z in marks.items() if not low - 0.005 < x < high + 0.005 or x in tub.along.values()}
        for angle in np.linspace(0, np.pi, _ARCH_STEPS + 1):
            marks[axle.x_m + axle.arch_radius_m * float(np.cos(angle))] = 0.0
        doubled += [low, high]
    ordered = sorted(marks, reverse=True)
    line = spread(ordered, tub.spacing_m)
    lift = np.full(len(line), -1.0)
    for axle in tub.axles:
        inside = np.abs(line - axle.x_m) < axle.arch_radius_m + 1e-9
        lift[inside] = axle.wheel_radius_m + np.sqrt(
            np.maximum(axle.arch_radius_m**2 - (line[inside] - axle.x_m) ** 2, 0)
        )
    ends = [k for k, x in enumerate(line) if any(abs(x - end) < 1e-9 for end in doubled)]
    repeat = np.ones(len(line), dtype=int)
    repeat[ends] = 2
    line, lift = np.repeat(line, repeat), np.repeat(lift, repeat)
    for axle in tub.axles:
        lift[np.flatnonzero(np.abs(line - axle.x_m - axle.arch_radius_m) < 1e-9)[0]] = -1.0
        lift[np.flatnonzero(np.abs(line - axle.x_m + axle.arch_radius_m) < 1e-9)[-1]] = -1.0
    return line, lift


class _Patches:
    """The grids that close the body above and below, from side to side."""

    def __init__(self, tub: Tub, columns: _Columns, side: Array) -> None:
        self.tub, self.columns, self.side = tub, columns, side
        self.share = np.concatenate([-columns.fractions[:0:-1], columns.fractions])

    def _plan(self, row: int, reach_m: float) -> tuple[Array, Array, Array]:
        """Lines (M, J, 3) across the car between the left and right ends of a row; and the edges of nose and tail.

        Near nose and tail, up to ``reach_m`` behind their corners, the lines are bent as these are.
        """
        edge = self.side[row]
        a, last = self.columns.across, len(edge) - 1
        left = edge[a : last - a + 1]
        nose, tail = edge[: a + 1], edge[last - a :][::-1]
        nose, tail = (np.concatenate([end[:0:-1] * (1, -1, 1), end]) for end in (nose, tail))
        x = left[:, 0]
        # A line may not overtake the next: the smooth step is at most 1.5 / reach steep.
        reach = [max(reach_m, 1.6 * abs(float(end[a, 0] - end[-1, 0]))) for end in (nose, tail)]
        near_nose = smooth_step(1 - (x[0] - x) / reach[0])[:, None]
        near_tail = smooth_step(1 - (x - x[-1]) / reach[1])[:, None]
        points = np.zeros((len(left), len(self.share), 3))
        points[..., 0] = x[:, None] + near_nose * (nose[:, 0] - nose[-1, 0]) + near_tail * (tail[:, 0] - tail[-1, 0])
        points[..., 1] = left[:, 1:2] * self.share
        points[..., 2] = left[:, 2:3]
        return points, nose, tail

    def top(self) -> Array:
        """Bonnet, belt and boot lid."""
        points, nose, tail = self._plan(len(self.side) - 1, 1.0)
        middle = self.tub.top(points[..., 0])
        points[..., 2] = middle + (points[..., 2] - middle) * np.abs(self.share) ** self.tub.crown_power
        return self._close(points, nose, tail)

    def bottom(self, mesh: PolyMesh) -> None:
        """Add the underbody with its wheel housings; few lines along the car, for nobody looks at it closely."""
        points, nose, tail = self._plan(0, 0.2)
        # The sides step in at a wheel arch; inside of them the two lines at its end are one.
        inside = self.tub.outline.half_width(points[1:-1, -1:, 0]) * self.share[1:-1]
        points[1:-1, 1:-1, 1] = np.clip(inside, points[1:-1, :1, 1], points[1:-1, -1:, 1])
        floor = np.minimum(points[..., 2], self.tub.floor_m)
        half = float(points[len(points) // 2, -1, 1])
        kept = {0.0, 0.3, 1.0}
        for axle in self.tub.axles:
            inner = axle.track_m / 2 - axle.tyre_width_m * (2.1 if axle.twin else 1.0) - 0.06
            kept.add(inner / half)
            housed = np.abs(self.share) > self._nearest(inner / half) + 1e-6
            beside = np.abs(points[:, -1:, 0] - axle.x_m) > axle.arch_radius_m + 0.01
            points[..., 2] = np.where(housed | beside, points[..., 2], floor)
        self._close(points, nose, tail)
        own = sorted({self._nearest(sign * f) for f in kept for sign in (-1, 1)})
        columns = [int(np.argmin(np.abs(self.share - f))) for f in own]
        mesh.grid(points[1:-1, columns], Zone.UNDERBODY, flip=True)
        for a, b in pairwise(columns):
            front = np.concatenate([points[0, a : b + 1][::-1], points[1, [a, b]]])
            rear = np.concatenate([points[-1, a : b + 1], points[-2, [b, a]]])
            mesh.add(front, [range(len(front))], Zone.UNDERBODY)
            mesh.add(rear, [range(len(rear))], Zone.UNDERBODY)

    def _nearest(self, f: float) -> float:
        """The fraction of the grid's columns that is nearest to ``f``."""
        return float(self.share[np.argmin(np.abs(self.share - f))])

    def _close(self, points: Array, nose: Array, tail: Array) -> Array:
        """Put the edges of the side grid exactly on the rim of a patch."""
        points[0], points[-1] = nose, tail
        return points
