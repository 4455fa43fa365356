"""Roads with their kerbs, pavements and verges: a main road along an axis, and streets that cross it.

A cross-section is mirrored: distances are from the axis. Corners at crossings have a radius; the pavement runs round
them and on along the crossing street.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .axis import Axis
from .site import PAINT_M, Site, flat, rectangle, strip

__all__ = [
    "Crossing",
    "Section",
    "asphalt",
    "crossing_streets",
    "dashes",
    "free_stretches",
    "junction_gaps",
    "line",
    "raised_median",
    "sidewalks",
    "zebra",
]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Section:
    """Cross-section of a road, metres from its axis."""

    kerb_m: float
    """Where the carriageway ends."""
    verge_m: float
    """Width of the planted strip behind the kerb, 0 for none."""
    walk_m: float
    """Width of the pavement behind it."""
    height_m: float = 0.13
    """Of the kerb."""
    verge: str = "grass"

    @property
    def back_m(self) -> float:
        """Far edge of the pavement."""
        return self.kerb_m + 0.15 + self.verge_m + self.walk_m


@dataclass(frozen=True)
class Crossing:
    """A street that crosses the main road, or ends at it."""

    u_m: float
    half_m: float
    """Half of its carriageway."""
    length_m: float
    """How far it goes on either side."""
    sides: tuple[int, ...] = (-1, 1)
    radius_m: float = 5.0
    """Of the kerb at its corners."""

    @property
    def opening_m(self) -> float:
        """Half of the gap in the main road's kerb."""
        return self.half_m + self.radius_m


def free_stretches(length_m: float, crossings: list[Crossing], side: int) -> list[tuple[float, float]]:
    """Where the kerb of one side runs: between the openings of crossings."""
    cuts = sorted((one.u_m - one.opening_m, one.u_m + one.opening_m) for one in crossings if side in one.sides)
    starts, ends = [0.0, *(b for _, b in cuts)], [*(a for a, _ in cuts), length_m]
    return list(zip(starts, ends, strict=True))


def junction_gaps(length_m: float, crossings: list[Crossing]) -> list[tuple[float, float]]:
    """Stretches of the road between its junctions, stop lines and crossings left out."""
    cuts = [(one.u_m - one.opening_m - 5.0, one.u_m + one.opening_m + 5.0) for one in crossings]
    starts, ends = [0.0, *(b for _, b in cuts)], [*(a for a, _ in cuts), length_m]
    return list(zip(starts, ends, strict=True))


def asphalt(site: Site, axis: Axis, section: Section, crossings: list[Crossing]) -> None:
    """Carriageways of the main road and of what crosses it."""
    mesh = site.mesh("road")
    for low, high in ((-section.kerb_m - 0.3, 0.0), (0.0, section.kerb_m + 0.3)):
        strip(mesh, axis, 0.0, axis.length_m, low, high, 0.0, "asphalt")
    for one in crossings:
        for side in one.sides:
            edge, wide = section.kerb_m + 0.3, one.opening_m + 0.5
            corner = edge + one.radius_m + 1.0
            for u0, u1, d0, d1 in (
                (one.u_m - wide, one.u_m + wide, edge, corner),
                (one.u_m - one.half_m - 0.3, one.u_m + one.half_m + 0.3, corner, one.length_m),
            ):
                corners = axis.place([u0, u1, u1, u0], [side * d0, side * d0, side * d1, side * d1])
                flat(mesh, corners, 0.0, "asphalt")


def sidewalks(site: Site, axis: Axis, section: Section, crossings: list[Crossing]) -> None:
    """Kerbs, verges and pavements along the main road, and round the corners of crossings."""
    mesh, z = site.mesh("pavements"), section.height_m
    for side in (-1, 1):
        for start, end in free_stretches(axis.length_m, crossings, side):
            kerb = section.kerb_m
            strip(mesh, axis, start, end, side * kerb, side * (kerb + 0.15), z, "kerb")
            _kerb_face(site, axis.line(start, end, side * kerb, 4.0), z, side)
            inner = kerb + 0.15
            if section.verge_m > 0:
                strip(mesh, axis, start, end, side * inner, side * (inner + section.verge_m), z, section.verge)
                inner += section.verge_m
            strip(mesh, axis, start, end, side * inner, side * section.back_m, z, "paving")
        for one in crossings:
            if side in one.sides:
                for east in (-1, 1):
                    _corner(site, axis, section, one, side, east)


def _kerb_face(site: Site, points: Array, z_m: float, side: int) -> None:
    """Upright face of the kerb; seen from the road."""
    line = points if side > 0 else points[::-1]
    n = len(line)
    both = np.concatenate([np.column_stack([line, np.full(n, z)]) for z in (0.0, z_m)])
    site.mesh("pavements").add(both, [(i, i + 1, n + i + 1, n + i) for i in range(n - 1)], "kerb")


def _corner(site: Site, axis: Axis, section: Section, one: Crossing, side: int, east: int) -> None:
    """Pavement round one corner, and on along the crossing street."""
    mesh, z, r = site.mesh("pavements"), section.height_m, one.radius_m
    angle = np.linspace(0.0, math.pi / 2, 6)
    p = one.opening_m - r * np.sin(angle)
    q = section.kerb_m + r - r * np.cos(angle)
    back, outer = section.back_m, one.half_m + 0.15 + section.verge_m + section.walk_m

    def world(points: Array) -> Array:
        return axis.place(one.u_m + east * points[:, 0], side * points[:, 1])

    arc = np.column_stack([p, q])
    shape = [*arc.tolist(), (one.half_m, max(back, q[-1])), (one.opening_m, max(back, q[-1]))]
    flat(mesh, world(np.array(shape)), z, "paving")
    start = max(back, float(q[-1]))
    along = np.array([(one.half_m, start), (one.half_m, one.length_m), (outer, one.length_m), (outer, start)])
    flat(mesh, world(along), z, "paving")
    if one.opening_m > outer + 0.05:  # behind the pavements' meeting
        rest = np.array([(outer, back), (one.opening_m, back), (one.opening_m, start), (outer, start)])
        if start > back + 0.05:
            flat(mesh, world(rest), z, "paving")
    edge = np.concatenate([arc, [(one.half_m, one.length_m)]])
    _kerb_face(site, world(edge), z, 1 if east * side < 0 else -1)


def crossing_streets(
    site: Site,
    axis: Axis,
    one: Crossing,
    name: str,
    lanes: int,
    main_kerb_m: float,
    reach_m: float | None = None,
) -> None:
    """Lanes of a crossing street: through where it goes on, turning where it ends, and its paint.

    Args:
        site: gets them.
        axis: the main road.
        one: the crossing.
        name: of its lanes.
        lanes: in each direction.
        main_kerb_m: where the main road's carriageway ends.
        reach_m: how far beyond the main road's axis lanes go where the street ends; None: nearly to the far kerb.
    """
    width, reach = one.half_m / lanes, main_kerb_m - 2.0 if reach_m is None else reach_m
    u, end = one.u_m, one.length_m - 3.0
    for k in range(lanes):
        offset = (k + 0.5) * width
        for direction in (1, -1):
            ends = (-end if -1 in one.sides else -reach, end if 1 in one.sides else reach)
            start, stop = ends if direction > 0 else ends[::-1]
            # Driving on the right: going to +d, the lane lies towards +u, the right-hand side.
            d = np.linspace(start, stop, max(2, round(abs(stop - start) / 3)))
            points = axis.place(np.full(len(d), u + direction * offset), d)
            site.lanes[f"{name}.{'north' if direction > 0 else 'south'}.{k}"] = (points, width)
    for side in one.sides:
        _cross_paint(site, axis, one, side, lanes, main_kerb_m)


def _cross_paint(site: Site, axis: Axis, one: Crossing, side: int, lanes: int, main_kerb_m: float) -> None:
    """Stop line and centre line of one arm."""
    mesh, heading = site.mesh("markings"), float(axis.heading(one.u_m))
    stop = main_kerb_m + one.radius_m + 0.5
    # Cars that come towards the main road keep to their right: at +d they drive to -d, so the lane is at lower u.
    x, y = axis.place(one.u_m - side * one.half_m / 2, side * (stop + 0.3)).tolist()
    rectangle(mesh, x, y, one.half_m - 0.4, 0.45, heading, PAINT_M, "paint_white")
    d = stop + 0.8
    while d < one.length_m - 6.0:
        x, y = axis.place(one.u_m, side * (d + 1.5)).tolist()
        rectangle(mesh, x, y, 0.13, 3.0, heading, PAINT_M, "paint_white")
        d += 4.0 if d < stop + 12.0 else 9.0


def zebra(site: Site, axis: Axis, u_m: float, half_m: float, width_m: float = 3.0) -> None:
    """Bars across the main road."""
    mesh, heading = site.mesh("markings"), float(axis.heading(u_m))
    for d in np.arange(-half_m + 0.5, half_m - 0.2, 1.2):
        x, y = axis.place(u_m, float(d)).tolist()
        rectangle(mesh, x, y, width_m, 0.55, heading, PAINT_M, "paint_white")


def raised_median(
    site: Site, axis: Axis, stretches: list[tuple[float, float]], half_m: float, kinds: dict[str, float]
) -> None:
    """A kerbed strip in the middle of the road, planted.

    Args:
        site: gets it.
        axis: the road.
        stretches: where it runs.
        half_m: half of its width.
        kinds: makers of plants by weight.
    """
    rng, mesh, z = site.rng, site.mesh("median"), 0.15
    for start, end in stretches:
        inner = half_m - 0.15
        strip(mesh, axis, start, end, -inner, inner, z, str(rng.choice(["mulch", "grass", "paving"])))
        for side in (-1, 1):
            strip(mesh, axis, start, end, side * inner, side * half_m, z, "kerb")
            points = axis.line(start, end, side * half_m, 4.0)
            points = points[::-1] if side > 0 else points
            n = len(points)
            both = np.concatenate([np.column_stack([points, np.full(n, level)]) for level in (0.0, z)])
            mesh.add(both, [(i, i + 1, n + i + 1, n + i) for i in range(n - 1)], "kerb")
        for u in np.arange(start + 3.0, end - 2.0, float(rng.uniform(3.5, 7.0))):
            name = site.pick(kinds)
            across, turned = float(rng.uniform(-0.3, 0.3)) * half_m, 0.0 if "hedge" in name else site.angle()
            site.beside(axis, name, float(u), across, turned, float(rng.uniform(0.6, 1.0)), z)


def line(site: Site, axis: Axis, start_m: float, end_m: float, d_m: float, width_m: float = 0.13) -> None:
    """One unbroken line along the road."""
    strip(site.mesh("markings"), axis, start_m, end_m, d_m - width_m / 2, d_m + width_m / 2, PAINT_M, "paint_white")


def dashes(
    site: Site, axis: Axis, stretches: list[tuple[float, float]], d_m: float, length_m: float, period_m: float
) -> None:
    """A broken line along the road."""
    for start, end in stretches:
        for u in np.arange(start + 1.0, end - length_m, period_m):
            line(site, axis, float(u), float(u) + length_m, d_m)
