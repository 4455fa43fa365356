"""The upper half of a car: windscreen, side windows, pillars and roof, lofted from the belt line to the roof line.

Columns run as in :mod:`.tub`, but each has one point on the belt and one on the roof, so that pillars and screens rake.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from renderer.zones.catalogue import Zone

from .curves import Array, Profile, spread
from .mesh import PolyMesh

__all__ = ["Cabin", "End", "Post"]


_OPEN_DEPTH_M = 0.06
"""How deep the inside shows behind an open window: the thickness of a door."""


@dataclass(frozen=True)
class End:
    """Windscreen or rear end: x of its middle and of its corners, on the belt and on the roof."""

    belt_m: tuple[float, float]
    roof_m: tuple[float, float]
    glass: tuple[float, float] | None = (0.03, 0.93)
    """Lower and upper edge of the screen as fractions of the height; None for a closed end."""
    curve: Sequence[tuple[float, float]] = ((0.0, 0.0), (0.5, 0.47), (1.0, 1.0))
    """Fraction of the way from belt to roof outline at fractions of the height."""
    pillar_m: tuple[float, float, float] = (0.055, 0.09, 0.09)
    """Width of the corner pillar across the car, along it on the belt, and along it on the roof."""
    glass_f: float = 1.0
    """Fraction of the half width up to the corner pillar that the screen takes."""


@dataclass(frozen=True)
class Post:
    """A pillar between side windows, or a change from glass to panel."""

    belt_m: float
    roof_m: float
    width_m: float = 0.09


@dataclass(frozen=True)
class Cabin:
    """Everything that shapes the glasshouse."""

    front: End
    rear: End
    belt: Profile
    """Height of the belt along the side."""
    roof: Profile
    """Height of the roof along the middle."""
    belt_half: Profile
    """Half width on the belt along the car."""
    roof_half: Profile
    posts: Sequence[Post] = ()
    panes: Sequence[bool] | None = None
    """Whether each bay between posts is glass, from the front; all by default."""
    open_panes: Sequence[int] = ()
    """Bays whose window is open."""
    window: tuple[float, float] = (0.04, 0.87)
    """Lower and upper edge of the side windows as fractions of the height."""
    side_curve: Sequence[tuple[float, float]] = ((0.0, 0.0), (0.45, 0.28), (0.87, 0.72), (0.95, 0.86), (1.0, 1.0))
    crown_m: float = 0.06
    crown_power: float = 2.4
    sink_m: float = 0.04
    spacing_m: float = 0.14
    rows_m: float = 0.13
    glass_depth_m: float = 0.004
    roof_zone: Zone = Zone.ROOF
    across: Mapping[str, float] = field(default_factory=dict)

    def build(self) -> PolyMesh:
        """Surface open below (it stands in the tub), both sides."""
        columns = self._columns()
        heights = self._heights()
        side = self._side(columns, heights)
        mesh = PolyMesh()
        mesh.grid(side, lambda r, c: self._zone(columns, heights[r] + heights[r + 1], c))
        mesh.mirror()
        mesh.grid(self._cap(columns, side[-1]), self.roof_zone)
        mesh.weld()
        glass = [k for k, zone in enumerate(mesh.zones) if zone == Zone.GLASS]
        mesh.recess(glass, self.glass_depth_m, Zone.BODY)
        opened = [k for k, zone in enumerate(mesh.zones) if zone == Zone.INTERIOR]
        mesh.recess(opened, _OPEN_DEPTH_M, Zone.BODY)
        return mesh

    def on_screen(self, f: float, h: float, *, rear: bool) -> Array:
        """Point (3,) of windscreen or rear window, by fractions of the half width (left positive) and of the height."""
        columns, heights = self._columns(), self._heights()
        side = self._side(columns, heights)
        grid = side[:, : -len(columns.f) - 1 : -1] if rear else side[:, : len(columns.f)]
        line = np.array([[np.interp(abs(f), columns.f, row[:, k]) for k in range(3)] for row in grid])
        point = np.array([np.interp(h, heights, line[:, k]) for k in range(3)])
        return np.asarray(point * (1.0, np.sign(f) or 1.0, 1.0))

    def _heights(self) -> Array:
        """Rows as fractions of the height from belt to roof; the first lies below the belt."""
        marks = {0.0, *self.window, *(edge for end in (self.front, self.rear) if end.glass for edge in end.glass),
                 *(h for h, _ in self.side_curve if h >= 0.85), 1.0}  # fmt: skip
        tall = float(np.max([z for _, z in self.roof.points]) - np.min([z for _, z in self.belt.points]))
        return np.concatenate([[-self.sink_m / tall], spread(sorted(marks), self.rows_m / tall)])

    def _columns(self) -> _Columns:
        """Columns round the cabin."""
        marks = sorted({0.0, self.front.glass_f, self.rear.glass_f, 1.0, *self.across.values()})
        f = spread(marks, 0.14)
        belt, roof = [_screen(self.front, f, "belt_m")], [_screen(self.front, f, "roof_m")]
        for (belt_a, roof_a), (belt_b, roof_b) in pairwise(self._edges()):
            count = max(1, int(np.ceil((belt_a - belt_b) / self.spacing_m)))
            t = np.arange(1, count + 1) / count
            belt.append(belt_a + (belt_b - belt_a) * t)
            roof.append(roof_a + (roof_b - roof_a) * t)
        belt.append(_screen(self.rear, f, "belt_m")[-2::-1])
        roof.append(_screen(self.rear, f, "roof_m")[-2::-1])
        return _Columns(np.concatenate(belt), np.concatenate(roof), f)

    def _edges(self) -> list[tuple[float, float]]:
        """Edges of pillars and panes along the side, from the front, x on belt and roof."""
        front, rear = self.front, self.rear
        edges = [(front.belt_m[1], front.roof_m[1])]
        edges.append((front.belt_m[1] - front.pillar_m[1], front.roof_m[1] - front.pillar_m[2]))
        for post in self.posts:
            half = post.width_m / 2
            edges += [(post.belt_m + half, post.roof_m + half), (post.belt_m - half, post.roof_m - half)]
        edges.append((rear.belt_m[1] + rear.pillar_m[1], rear.roof_m[1] + rear.pillar_m[2]))
        return [*edges, (rear.belt_m[1], rear.roof_m[1])]

    def _side(self, columns: _Columns, heights: Array) -> Array:
        """Grid (R, C, 3) of the left half."""
        a, last = len(columns.f) - 1, len(columns.belt) - 1
        share = np.ones(last + 1)
        share[: a + 1], share[last - a :] = columns.f, columns.f[::-1]
        belt = self._loop(columns.belt, self.belt_half, a, share)
        roof = self._loop(columns.roof, self.roof_half, a, share)
        base = self.belt(np.clip(columns.belt, columns.belt[last - a], columns.belt[a]))
        edge = self.roof(columns.roof) - self.crown_m * share**self.crown_power
        weight = np.zeros((3, last + 1))
        weight[0, : a + 1], weight[2, last - a :], weight[1, a + 1 : last - a] = 1, 1, 1
        tables = (self.front.curve, self.side_curve, self.rear.curve)
        curves = [Profile(table)(np.maximum(heights, 0)) for table in tables]
        along = np.einsum("kr,kc->rc", np.array([curves[0], heights.clip(0), curves[2]]), weight)
        points = np.zeros((len(heights), last + 1, 3))
        points[..., 0] = belt[:, 0] + along * (roof[:, 0] - belt[:, 0])
        points[..., 1] = belt[:, 1] + curves[1][:, None] * (roof[:, 1] - belt[:, 1])
        points[..., 2] = base + heights[:, None] * (edge - base)
        return points

    def _loop(self, x: Array, half: Profile, a: int, share: Array) -> Array:
        """Outline (C, 2) on belt or roof."""
        last = len(x) - 1
        width = half(np.clip(x, x[last - a], x[a]))
        inset = np.zeros(last + 1)
        inset[: a + 1], inset[last - a :] = self.front.pillar_m[0], self.rear.pillar_m[0]
        return np.column_stack([x, share * (width - inset)])

    def _zone(self, columns: _Columns, twice_height: float, c: int) -> Zone:
        """Zone of a cell whose two edges' heights sum to ``twice_height``, between columns c and c + 1."""
        height, a, last = twice_height / 2, len(columns.f) - 1, len(columns.belt) - 1
        for end, inner, outer in ((self.front, c + 1, a), (self.rear, last - c, a)):
            if inner <= outer:
                pane = end.glass is not None and end.glass[0] < height < end.glass[1]
                return Zone.GLASS if pane and columns.f[inner] <= end.glass_f + 1e-6 else Zone.BODY
        bay = self._bay(columns, c)
        pane = bay is not None and (self.panes is None or self.panes[bay])
        if not pane or not self.window[0] < height < self.window[1]:
            return Zone.BODY
        return Zone.INTERIOR if bay in self.open_panes else Zone.GLASS

    def _bay(self, columns: _Columns, c: int) -> int | None:
        """Which bay between posts a cell of the side lies in; None on a pillar."""
        x = (columns.belt[c] + columns.belt[c + 1]) / 2
        edges = [belt for belt, _ in self._edges()[1:-1]]
        for bay in range(0, len(edges), 2):
            if edges[bay] > x > edges[bay + 1]:
                return bay // 2
        return None

    def _cap(self, columns: _Columns, edge: Array) -> Array:
        """Roof as a grid of lines across the car."""
        a, last = len(columns.f) - 1, len(edge) - 1
        share = np.concatenate([-columns.f[:0:-1], columns.f])
        left = edge[a : last - a + 1]
        ends = [np.concatenate([e[:0:-1] * (1, -1, 1), e]) for e in (edge[: a + 1], edge[last - a :][::-1])]
        points = np.zeros((len(left), len(share), 3))
        t = ((left[0, 0] - left[:, 0]) / (left[0, 0] - left[-1, 0]))[:, None]
        bow = (1 - t) ** 2 * (ends[0][:, 0] - left[0, 0]) + t**2 * (ends[1][:, 0] - left[-1, 0])
        points[..., 0] = left[:, :1] + bow
        points[..., 1] = left[:, 1:2] * share
        points[..., 2] = self.roof(points[..., 0]) - self.crown_m * np.abs(share) ** self.crown_power
        points[0], points[-1] = ends
        return points


@dataclass(frozen=True)
class _Columns:
    """x on belt and roof of every column, and the fractions of the columns of the screens."""

    belt: Array
    roof: Array
    f: Array


def _screen(end: End, f: Array, where: str) -> Array:
    """Where a screen's columns are, x in metres: a parabola from its middle to its corners."""
    middle, corner = getattr(end, where)
    return np.asarray(middle + (corner - middle) * f**2)
