"""Patterns inside a zone: what keeps a tyre from being a flat disc of one grey.

All patterns are anchored to the surface: to the world for the street, to the model for a car, to the hub for a wheel.
They are made of value noise on a periodic lattice (no two places of a street look alike within 256 cells) and of
simple shapes. Each returns kelvin in units of the zone's ``variation_K``: about -1 to 1 with mean near 0. The shapes
are assumed after street pictures of thermal cameras; where a measurement stands behind one, its line says so.

Everything here is compiled into the loops of :mod:`.pixels`, and does single points and :mod:`.lanes` of them alike: a
number may be several in step, but for zones and what tells of a whole car. ``fine`` arguments are the size of a pixel
on the surface in metres; detail smaller than that fades out, since one sample per pixel cannot carry it.
"""

from __future__ import annotations

import functools
import math

import numpy as np
from numpy.typing import NDArray

from ..optional import fast_kernel, inlined_kernel
from ..random_streams import Stream, dataset_rng
from ..zones.catalogue import Zone
from .lanes.in_step import (
    absolute,
    angle_of,
    anywhere,
    choose,
    corners,
    cosine,
    floored,
    greatest,
    in_lattice,
    least,
    narrow,
    rooted,
    whole,
    wide,
)

__all__ = [
    "Lattice",
    "building_pattern",
    "car_pattern",
    "lattice",
    "noise2",
    "pavement_pattern",
    "person_pattern",
    "person_warmth",
    "road_pattern",
    "sun_dapple",
    "vegetation_pattern",
    "wheel_pattern",
    "window_pattern",
    "wrapped",
]

Lattice = NDArray[np.float32]
"""(256, 256) random values, see :func:`lattice`; for pixels in step (257, 257), see :func:`wrapped`."""

LATTICE = 256


@functools.lru_cache(maxsize=2)
def lattice(seed: int) -> NDArray[np.float32]:
    """Random values that all noise is interpolated from: (256, 256) float32, -1 to 1."""
    rng = dataset_rng(seed, Stream.SURFACE)
    return rng.uniform(-1.0, 1.0, (LATTICE, LATTICE)).astype(np.float32)


def wrapped(values: Lattice) -> Lattice:
    """The lattice with its first row and column once more at the end: (257, 257), as pixels in step look it up."""
    wide_values = np.empty((LATTICE + 1, LATTICE + 1), np.float32)
    wide_values[:LATTICE, :LATTICE] = values
    wide_values[LATTICE, :LATTICE], wide_values[:, LATTICE] = values[0], wide_values[:, 0]
    wide_values[LATTICE, LATTICE] = values[0, 0]
    return wide_values


@inlined_kernel
def noise2(values: Lattice, x: float, y: float) -> float:
    """Smooth value noise in the plane, -1 to 1, one cell per unit."""
    fx, fy = floored(x), floored(y)
    tx, ty = narrow(x - fx), narrow(y - fy)
    v00, v10, v01, v11 = corners(values, whole(fx), whole(fy))
    tx, ty = tx * tx * (3.0 - 2.0 * tx), ty * ty * (3.0 - 2.0 * ty)
    a = v00 + tx * (v10 - v00)
    b = v01 + tx * (v11 - v01)
    noise: float = a + ty * (b - a)
    return noise


@inlined_kernel
def _bump(distance: float, width: float) -> float:
    """Bell that is 1 at 0 and 0 from ``2 width`` on; its half-width at half maximum is near ``width``."""
    t = distance / (2.0 * width)
    s = greatest(0.0, 1.0 - t * t)
    bell: float = s * s
    return bell


@inlined_kernel
def _line(distance: float, width: float, fine: float) -> float:
    """Coverage of a pixel by a line of that width, 0-1."""
    reach = greatest(width, fine)
    coverage: float = greatest(0.0, 1.0 - absolute(distance) / reach) * least(1.0, width / reach)
    return coverage


@inlined_kernel
def _fade(size: float, fine: float) -> float:
    """What is left of detail of that size where a pixel covers ``fine`` metres."""
    left: float = least(1.0, greatest(0.0, 1.25 - fine / size))
    return left


@inlined_kernel
def _step(low: float, high: float, x: float) -> float:
    """Smooth step from 0 at ``low`` to 1 at ``high``."""
    t = least(1.0, greatest(0.0, (x - low) / (high - low)))
    step: float = t * t * (3.0 - 2.0 * t)
    return step


@inlined_kernel
def _hash01(values: Lattice, i: float, j: float) -> float:
    """Random number of an integer cell, 0-1."""
    a, b = whole(i), whole(j)
    value: float = 0.5 + 0.5 * in_lattice(values, a * 73 + b * 19, b * 101 + a * 7)
    return value


@fast_kernel
def wheel_pattern(values: Lattice, x: float, y: float, z: float, radius: float, shift: float, fine: float) -> float:
    """Tyre, rim and hub of a wheel around its own axle (local y), metres from the hub.

    Tread and shoulder are warmest, flexing where they meet the road; the side wall follows; the rim is cooler, with
    the brake's heat showing between spokes.
    """
    r = rooted(x * x + z * z) / radius
    angle = angle_of(z, x)
    # Side wall, and what is inside of it.
    wall = 0.25 + 0.35 * _step(0.72, 0.9, r) - 0.25 * _bump(r - 0.8, 0.04) * _fade(0.03, fine)
    spokes = 0.5 + 0.5 * cosine(5.0 * angle + shift)
    opening = _step(0.45, 0.75, spokes) * _step(0.2, 0.3, r) * (1.0 - _step(0.52, 0.6, r))
    rim = -1.9 + 2.0 * opening * _fade(0.08, fine) + 0.7 * _bump(r, 0.09) - 0.4 * _bump(r - 0.62, 0.03)
    heat = choose(r > 0.64, wall, rim)
    on_tread = r > 0.92
    if anywhere(on_tread):  # and shoulder
        tread = 0.75 + 0.25 * noise2(values, angle * 9.0 + shift, y * 40.0)
        # Grooves of the tread, warmer than its blocks.
        heat = choose(on_tread, tread + 0.45 * cosine(170.0 * y) * _fade(0.03, fine), heat)
    # Warmed where it touches the road.
    heat = heat + choose(z < 0.0, 0.45 * _step(0.55, 1.0, -z / radius), 0.0)
    pattern: float = heat + 0.2 * noise2(values, x * 5.0 + shift, z * 5.0)
    return pattern


@fast_kernel
def person_pattern(
    values: Lattice, zone: int, x: float, y: float, z: float, height: float, shift: float, fine: float
) -> float:
    """Folds of clothes, a face that is cold at its tips, at a point in the model's axes, metres."""
    w = z / height
    # Slanted cells: upright ones would part a body seen from the front into squares.
    patches = noise2(values, x * 3.1 + y * 1.7 + z * 1.9 + shift, y * 2.9 - z * 2.4 + x * 0.8)
    if zone == Zone.SKIN:  # cold nose and cheeks in front, warm eyes, temples and neck
        front = _step(0.04, 0.12, x)
        tip = _bump(w - 0.915, 0.012) * _bump(y, 0.014) * front
        eyes = _bump(w - 0.94, 0.008) * _bump(absolute(y) - 0.032, 0.012) * front
        neck = _step(0.89, 0.84, w)
        detail = (1.1 * eyes - 1.3 * tip) * _fade(0.03, fine)
        return detail + 0.5 * neck - 0.25 * front + 0.25 * noise2(values, x * 14.0 + shift, y * 14.0 + z * 17.0)
    if zone == Zone.HANDS:  # fingers, farthest from the wrist, are coldest
        return 0.5 * patches + 0.4 * noise2(values, x * 30.0 + shift, y * 30.0 + z * 30.0) * _fade(0.03, fine)
    if zone == Zone.UPPER_CLOTHES:  # cloth lies on shoulders, back and breast, and hangs free below
        lies = _step(0.66, 0.8, w) * 0.7 - _step(0.62, 0.5, w) * 0.35
        open_front = _bump(y, 0.03) * _step(0.0, 0.1, x) * _step(0.74, 0.82, w) * _fade(0.06, fine)
        return lies + 0.9 * open_front + 0.55 * patches + _folds(values, x, y, z, w, shift, fine)
    if zone == Zone.LOWER_CLOTHES:  # thighs and knees press against the cloth
        thigh = _bump(w - 0.4, 0.09) * 0.5 + _bump(w - 0.285, 0.035) * _step(0.0, 0.06, x) * 0.7
        return thigh - 0.35 * _step(0.22, 0.08, w) + 0.45 * patches + _folds(values, x, y, z, w, shift, fine)
    if zone == Zone.SHOES:  # heat leaves at the ankle and where they are laced
        return 0.9 * _step(0.03, 0.09, z) - 0.5 + 0.3 * patches
    if zone == Zone.FUR:  # short hair at the head and legs, thick hair on the back
        return 0.5 * patches + 0.4 * noise2(values, x * 17.0 + shift, y * 17.0 + z * 17.0) * _fade(0.06, fine)
    return 0.5 * patches + 0.3 * noise2(values, x * 11.0 + z * 5.0 + shift, y * 11.0 + z * 7.0) * _fade(0.1, fine)


@inlined_kernel
def _folds(values: Lattice, x: float, y: float, z: float, w: float, shift: float, fine: float) -> float:
    """Folds of cloth: long ones that hang and lean, a hand's width apart, and creases that sag where limbs bend."""
    lean = noise2(values, x * 3.0 - y * 2.2 + z * 1.6 + shift + 31.0, y * 2.6 + z * 2.9)
    hanging = noise2(values, x * 15.0 + 1.5 * lean + shift, y * 15.0 + (2.0 + 3.0 * lean) * z + 2.2 * lean)
    bends = 0.25 + _bump(w - 0.57, 0.06) + _bump(w - 0.28, 0.06) + 0.7 * _bump(w - 0.72, 0.05)
    creases = noise2(values, x * 5.0 + y * 4.0 + shift, z * 17.0 + 7.0 * absolute(y) + x * 5.0 + 2.5 * lean)
    return 0.65 * hanging * _fade(0.06, fine) + 0.65 * bends * creases * _fade(0.05, fine)


@fast_kernel
def car_pattern(
    values: Lattice, zone: int, x: float, y: float, z: float, half_l: float, half_w: float,
    height: float, shift: float, fine: float,
) -> float:  # fmt: skip
    """Pattern of a car's or a person's zone at a point in the model's axes (x forward, y left, z up), metres."""
    if Zone.SKIN <= zone <= Zone.FUR:
        return person_pattern(values, zone, x, y, z, height, shift, fine)
    u, v, w = x / half_l, y / half_w, z / height
    # On a shell two slanted coordinates tell as much as three straight ones, at a third of the cost; their directions'
    # cross product is along (1, 1, 1), so that no side of the car gets streaks.
    smooth = noise2(values, 1.1 * (x - y) + shift, 0.64 * (x + y) - 1.28 * z)
    if zone == Zone.BODY:
        return _body(values, x, y, z, u, v, w, shift, fine) + 0.45 * smooth
    if zone == Zone.ROOF:  # bows below the skin cool less
        bows: float = 0.35 * cosine(11.4 * x) * _fade(0.25, fine)
        return 0.5 * smooth + bows
    if zone == Zone.GLASS:  # warm air rises inside from the heater along the lower edge
        lines: float = choose(u < -0.25, cosine(180.0 * z) * _fade(0.02, fine), 0.0)
        # Vents, seats and people warm a pane unevenly from inside.
        uneven = noise2(values, 3.1 * (x - y) + shift, 5.0 * z + 2.0 * (x + y))
        return 1.1 * (0.76 - w) / 0.24 - 0.35 + 0.45 * smooth + 0.1 * lines - 0.2 * v * v + 0.9 * uneven
    if zone == Zone.BONNET:  # the engine below its middle, ribs of the frame cooler
        engine = _bump(u - 0.68, 0.15) * _bump(v, 0.42)
        rib = _line(absolute(v) - 0.55, 0.03, fine)
        return 1.5 * engine - 0.75 + 0.3 * smooth - 0.25 * rib
    if zone == Zone.GRILLE:  # slats near the air's temperature before a radiator
        slats: float = cosine(125.0 * z) * _fade(0.04, fine)
        return 0.7 * _bump(v, 0.5) - 0.35 + 0.55 * slats + 0.3 * noise2(values, x * 4.0 + z * 7.0, y * 5.0 + shift)
    if zone == Zone.LAMP:
        return _lamp(u, v, z, shift, fine) + 0.08 * smooth
    if zone == Zone.UNDERBODY:  # engine in front, exhaust line along the middle
        line = _bump(v - 0.15, 0.2) * _step(-1.1, -0.6, u)
        return 1.1 * _bump(u - 0.6, 0.4) + 0.5 * line - 0.5 + 0.4 * smooth
    if zone == Zone.TYRE:  # a tyre that is not a part of its own
        return 0.5 * noise2(values, x * 5.0 + shift, y * 3.0 + z * 5.0) + 0.6 * _step(0.14, 0.0, w)
    return 0.6 * noise2(values, x * 5.0 + z * 2.0 + shift, y * 5.0 + z * 5.0) + 0.3 * smooth


@inlined_kernel
def _lamp(u: float, v: float, z: float, shift: float, fine: float) -> float:
    """Covers as cool as the panels beside them; behind them the heat of a bulb, or of diodes, which have little."""
    filament = shift - math.floor(shift) < 0.6  # share of cars without diodes: assumed
    cells = 0.06 * cosine(45.0 * z) * _fade(0.1, fine)
    head = (4.1 if filament else 1.1) * _bump(absolute(v) - 0.7, 0.08)  # 55 W
    tail = (0.9 if filament else 0.3) * _bump(absolute(v) - 0.8, 0.04)  # 5 W
    heat: float = choose(u > 0.0, head, tail) + cells
    return heat


@inlined_kernel
def _body(
    values: Lattice, x: float, y: float, z: float, u: float, v: float, w: float, shift: float, fine: float
) -> float:
    """Painted panels: warm sills and wheel arches, engine heat in the wings, gaps, plates and bumpers."""
    heat: float = 1.1 * (0.42 - w) + 0.7 * _bump(u - 0.72, 0.25) * _step(0.75, 0.4, w)
    arch = greatest(_bump(u - 0.62, 0.16), _bump(u + 0.6, 0.16))
    heat = heat + 0.8 * arch * _step(0.45, 0.2, w)
    on_bumper = absolute(u) > 0.9
    on_side = (absolute(v) > 0.8) & (absolute(u) < 0.9)
    if anywhere(on_side):
        heat = heat + choose(on_side, _flank(u, w, fine), 0.0)
    if anywhere(on_bumper):
        heat = heat + choose(on_bumper, _bumper(u, v, w, shift, fine), 0.0)
    # Ribs, stiffeners and lining behind a panel.
    heat = heat + 0.5 * noise2(values, 2.6 * (x - y) + shift + 7.0, 4.0 * z + 2.2 * (x + y))
    detail = _fade(0.1, fine)
    if anywhere(detail > 0.0):
        heat = heat + 0.3 * noise2(values, x * 6.0 + z * 3.0, y * 6.0 + z * 5.0 + shift) * detail
    return heat


@inlined_kernel
def _flank(u: float, w: float, fine: float) -> float:
    """Shut lines of doors and wings, handles."""
    half = 0.5 * fine
    gap = _line(u - 0.3, 0.004, half) + _line(u + 0.05, 0.004, half) + _line(u + 0.38, 0.004, half)
    handle: float = _bump(w - 0.58, 0.014) * greatest(_bump(u - 0.02, 0.03), _bump(u + 0.31, 0.03))
    sill = _line(w - 0.17, 0.012, fine)
    return -1.1 * gap * _step(0.14, 0.2, w) * _step(0.72, 0.62, w) - 0.9 * handle * _fade(0.06, fine) - 0.5 * sill


@inlined_kernel
def _bumper(u: float, v: float, w: float, shift: float, fine: float) -> float:
    """What the exhaust has blown at it; its cover."""
    # Its plastic cover is thicker than sheet metal and lies over air: another grey than the panels above.
    kind = shift * 0.53 - math.floor(shift * 0.53)
    heat = (1.7 * kind - 0.6) * _step(0.405, 0.395, w) - 0.5 * _line(w - 0.4, 0.012, fine)
    blown: float = choose(u < 0.0, 1.1 * _bump(v - 0.6, 0.14) * _step(0.34, 0.16, w), 0.0)
    return heat + blown


@fast_kernel
def road_pattern(values: Lattice, along: float, across: float, fine: float, coarse: float) -> tuple[float, float]:
    """Asphalt: wheel tracks, seams, repaired patches, aggregate.

    Args:
        values: the lattice.
        along: metres along the street.
        across: metres across, 0 in the middle of the camera's lane.
        fine: size of a pixel across the view.
        coarse: size of a pixel along the view, larger at grazing incidence.

    Returns:
        pattern, and coverage by iron of a manhole cover, 0-1.
    """
    large = noise2(values, along * 0.035, across * 0.23)
    middle = noise2(values, along * 0.11 + 91.0, across * 1.1)
    lane = across * (1.0 / 3.3)
    lane = (lane - floored(lane + 0.5)) * 3.3
    track = _bump(absolute(lane) - 0.78, 0.26)
    heat = 0.75 * large + 0.4 * middle * _fade(3.0, coarse)
    heat = heat + (0.4 + 0.25 * middle) * track - 0.25 * _bump(lane, 0.3)
    near = coarse <= 1.2
    if not anywhere(near):
        return heat, 0.0 * heat
    seam = noise2(values, along * 0.3 + 44.0, across * 0.23) * 1.6
    seam = _line(seam, 0.022, 0.35 * greatest(fine, 0.25 * coarse))
    joint = _line(absolute(lane) - 1.62, 0.03, fine)
    detail = (0.9 * seam * (1.0 + large) + 0.5 * joint) * (0.5 + 0.5 * middle)
    if anywhere(coarse < 0.2):  # where something of it is left
        detail = detail + 0.17 * noise2(values, along * 3.0, across * 9.0) * _fade(0.16, coarse)
    if anywhere(coarse < 0.075):
        detail = detail + 0.16 * noise2(values, along * 27.0, across * 31.0) * _fade(0.06, coarse)
    works, iron = _road_works(values, along, across, coarse)
    return heat + choose(near, detail + works, 0.0), choose(near, iron, 0.0)


@inlined_kernel
def _road_works(values: Lattice, along: float, across: float, coarse: float) -> tuple[float, float]:
    """Manhole covers and rectangular repairs, at most one of each in 17 m of street: warmth, and coverage by iron."""
    cell = floored(along * (1.0 / 17.0))
    chance = _hash01(values, cell, 5.0)
    offset = along - 17.0 * cell
    has_cover, has_repair = chance < 0.4, chance > 0.72
    heat, iron = 0.0 * offset, 0.0 * offset
    if anywhere(has_cover):
        centre, side = 4.0 + 9.0 * _hash01(values, cell, 9.0), 4.0 * (_hash01(values, cell, 13.0) - 0.5)
        aside, ahead = across - side, offset - centre
        radius = rooted(ahead * ahead + aside * aside)
        iron = choose(has_cover, _step(0.36, 0.3, radius) * _fade(0.5, coarse), iron)
        heat = choose(has_cover, 1.2 * _bump(radius - 0.38, 0.04) * _fade(0.12, coarse), heat)
    if anywhere(has_repair):
        centre, side = 5.0 + 7.0 * _hash01(values, cell, 21.0), 5.0 * (_hash01(values, cell, 27.0) - 0.5)
        inside = greatest(absolute(offset - centre) - 4.0 * (chance - 0.5), absolute(across - side) - 0.45)
        patch = (1.6 * (_hash01(values, cell, 33.0) - 0.6)) * _step(0.04, -0.04, inside)
        heat = choose(has_repair, patch + 0.5 * _line(inside, 0.05, coarse), heat)
    return heat, iron


@fast_kernel
def pavement_pattern(values: Lattice, along: float, across: float, coarse: float) -> float:
    """Slabs of 0.5 m with joints, each a little different."""
    i, j = floored(along * 2.0), floored(across * 2.0)
    slab = 2.0 * _hash01(values, i, j) - 1.0
    from_middle = greatest(absolute(narrow(along * 2.0 - i) - 0.5), absolute(narrow(across * 2.0 - j) - 0.5))
    joint = _line(0.5 - from_middle, 0.03, 2.0 * coarse)
    x, y = narrow(along), narrow(across)
    heat = 0.7 * noise2(values, x * 0.17, y * 0.4) + 0.35 * noise2(values, x * 1.1, y * 1.3)
    pattern: float = heat + (0.35 * slab - 0.6 * joint) * _fade(0.5, coarse)
    return pattern


@fast_kernel
def building_pattern(values: Lattice, across: float, z: float, part: int, fine: float) -> float:
    """Masonry: floor slabs that lead heat out, courses, damp and thin places.

    Args:
        values: the lattice.
        across: metres along the wall, level.
        z: height, metres.
        part: number of the mesh; no two houses are alike.
        fine: size of a pixel.
    """
    shift = wide(part) * 17.3
    shift = narrow(shift - 256.0 * floored(shift * (1.0 / 256.0)))  # the lattice repeats
    floor = z * (1.0 / 3.0)
    floor = (floor - floored(floor + 0.5)) * 3.0
    heat: float = 0.55 * _bump(floor, 0.16) * _fade(0.4, fine)
    heat = heat + 0.9 * (2.0 * _hash01(values, part, 3.0) - 1.0)
    wide_damp = noise2(values, across * 0.16 + shift, z * 0.22)
    heat = heat + 0.7 * wide_damp + 0.4 * noise2(values, across * 0.9, z * 0.7 + shift)
    heat = heat + 0.5 * greatest(0.0, 1.0 - z * (1.0 / 3.0)) - 0.25
    near = fine < 0.12
    if anywhere(near):
        heat = heat + choose(near, 0.3 * noise2(values, across * 4.0, z * 13.0) * _fade(0.1, fine), 0.0)
    return heat


@inlined_kernel
def _grain(values: Lattice, x: float, y: float, z: float) -> float:
    """Noise in space, -1 to 1: two planes across each other, so that it has no streaks in any direction."""
    return 0.7 * (noise2(values, x - 0.3 * z, y - 0.3 * z) + noise2(values, y + 0.2 * x, z + 0.2 * x))


@fast_kernel
def vegetation_pattern(values: Lattice, x: float, y: float, z: float, fine: float) -> tuple[float, float]:
    """Leaves in clumps: (pattern, share of the sun that the leaf gets, 0-1)."""
    clump = noise2(values, x * 0.9 + z * 0.7, y * 0.9 + z * 0.9)
    heat = 0.55 * clump
    if anywhere(fine < 0.4375):  # where something of it is left
        heat = heat + 0.65 * _grain(values, x * 3.7, y * 3.7, z * 3.7) * _fade(0.35, fine)
    if anywhere(fine < 0.1375):
        heat = heat + 0.7 * _grain(values, x * 13.0, y * 13.0, z * 13.0) * _fade(0.11, fine)
    return heat, least(1.0, greatest(0.0, 0.5 + 0.5 * heat))


@fast_kernel
def sun_dapple(values: Lattice, x: float, y: float) -> float:
    """Share of the sun that trees and houses beyond the picture keep away, 0-1, at a point of the ground."""
    wide = noise2(values, x * 0.085 + 7.0, y * 0.085 + 3.0)
    small = noise2(values, x * 0.8, y * 0.8) * 0.35 + noise2(values, x * 2.3, y * 2.3) * 0.2
    return _step(0.05, 0.45, wide + small)


@fast_kernel
def person_warmth(values: Lattice, x: float, y: float, z: float, height: float) -> float:
    """Share of the way from air to skin temperature that a point of a person shows, 0-1.

    Bare skin of face and neck shows about all of it, clothing a third (assumed: 1 clo, still air), legs less.
    """
    cloth = 0.33 - 0.08 * _step(0.9, 0.3, height) + 0.12 * noise2(values, x * 5.0 + z * 2.0, y * 5.0 + z * 5.0)
    return cloth + (0.92 - cloth) * _step(1.42, 1.5, height)


@fast_kernel
def window_pattern(values: Lattice, across: float, z: float, part: int) -> float:
    """Rooms behind panes are heated unalike; curtains and blinds."""
    i, j = whole(floored(across * (1.0 / 1.4))), whole(floored(z * (1.0 / 3.0)))
    room: float = in_lattice(values, i * 31 + part, j * 57 + part * 3)
    return room + 0.3 * noise2(values, narrow(across) * 2.0, narrow(z) * 1.1)
