"""Patterns inside a zone: what keeps a tyre from being a flat disc of one grey.

All patterns are anchored to the surface: to the world for the street, to the model for a car, to the hub for a wheel.
They are made of value noise on a periodic lattice (no two places of a street look alike within 256 cells) and of
simple shapes. Each returns kelvin in units of the zone's ``variation_K``: about -1 to 1 with mean near 0. The shapes
are assumed after street pictures of thermal cameras; where a measurement stands behind one, its line says so.

Everything here is compiled into the loops of :mod:`.kernels`. ``fine`` arguments are the size of a pixel on the surface
in metres; detail smaller than that fades out, since one sample per pixel cannot carry it.
"""

from __future__ import annotations

import functools
import math

import numpy as np
from numpy.typing import NDArray

from ..optional import fast_kernel, inlined_kernel
from ..random_streams import Stream, dataset_rng
from ..zones.catalogue import Zone

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
]

Lattice = NDArray[np.float32]
"""(256, 256) random values, see :func:`lattice`."""

LATTICE = 256
_MASK = LATTICE - 1


@functools.lru_cache(maxsize=2)
def lattice(seed: int) -> NDArray[np.float32]:
    """Random values that all noise is interpolated from: (256, 256) float32, -1 to 1."""
    rng = dataset_rng(seed, Stream.SURFACE)
    return rng.uniform(-1.0, 1.0, (LATTICE, LATTICE)).astype(np.float32)


@inlined_kernel
def noise2(values: Lattice, x: float, y: float) -> float:
    """Smooth value noise in the plane, -1 to 1, one cell per unit."""
    fx, fy = np.floor(x), np.floor(y)  # math.floor goes to integers and back
    tx, ty = x - fx, y - fy
    i, j = int(fx) & _MASK, int(fy) & _MASK
    i1, j1 = (i + 1) & _MASK, (j + 1) & _MASK
    tx, ty = tx * tx * (3.0 - 2.0 * tx), ty * ty * (3.0 - 2.0 * ty)
    a: float = values[j, i] + tx * (values[j, i1] - values[j, i])
    b: float = values[j1, i] + tx * (values[j1, i1] - values[j1, i])
    noise: float = a + ty * (b - a)
    return noise


@inlined_kernel
def _bump(distance: float, width: float) -> float:
    """Bell that is 1 at 0 and 0 from ``2 width`` on; its half-width at half maximum is near ``width``."""
    t = distance / (2.0 * width)
    s = max(0.0, 1.0 - t * t)
    return s * s


@inlined_kernel
def _line(distance: float, width: float, fine: float) -> float:
    """Coverage of a pixel by a line of that width, 0-1."""
    reach = max(width, fine)
    return max(0.0, 1.0 - abs(distance) / reach) * min(1.0, width / reach)


@inlined_kernel
def _fade(size: float, fine: float) -> float:
    """What is left of detail of that size where a pixel covers ``fine`` metres."""
    return min(1.0, max(0.0, 1.25 - fine / size))


@inlined_kernel
def _step(low: float, high: float, x: float) -> float:
    """Smooth step from 0 at ``low`` to 1 at ``high``."""
    t = min(1.0, max(0.0, (x - low) / (high - low)))
    return t * t * (3.0 - 2.0 * t)


@inlined_kernel
def _hash01(values: Lattice, i: float, j: float) -> float:
    """Random number of an integer cell, 0-1."""
    a = (int(i) * 73 + int(j) * 19) & _MASK
    b = (int(j) * 101 + int(i) * 7) & _MASK
    value: float = values[a, b]
    return 0.5 + 0.5 * value


@fast_kernel
def wheel_pattern(values: Lattice, x: float, y: float, z: float, radius: float, shift: float, fine: float) -> float:
    """Tyre, rim and hub of a wheel around its own axle (local y), metres from the hub.

    Tread and shoulder are warmest, flexing where they meet the road; the side wall follows; the rim is cooler, with
    the brake's heat showing between spokes.
    """
    r = math.sqrt(x * x + z * z) / radius
    angle = math.atan2(z, x)
    if r > 0.92:  # tread and shoulder
        heat = 0.75 + 0.25 * noise2(values, angle * 9.0 + shift, y * 40.0)
        heat += 0.45 * math.cos(170.0 * y) * _fade(0.03, fine)  # grooves of the tread, warmer than its blocks
    elif r > 0.64:  # side wall
        heat = 0.25 + 0.35 * _step(0.72, 0.9, r) - 0.25 * _bump(r - 0.8, 0.04) * _fade(0.03, fine)
    else:
        spokes = 0.5 + 0.5 * math.cos(5.0 * angle + shift)
        opening = _step(0.45, 0.75, spokes) * _step(0.2, 0.3, r) * (1.0 - _step(0.52, 0.6, r))
        heat = -1.9 + 2.0 * opening * _fade(0.08, fine) + 0.7 * _bump(r, 0.09) - 0.4 * _bump(r - 0.62, 0.03)
    if z < 0.0:  # warmed where it touches the road
        heat += 0.45 * _step(0.55, 1.0, -z / radius)
    return heat + 0.2 * noise2(values, x * 5.0 + shift, z * 5.0)


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
        eyes = _bump(w - 0.94, 0.008) * _bump(abs(y) - 0.032, 0.012) * front
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
    creases = noise2(values, x * 5.0 + y * 4.0 + shift, z * 17.0 + 7.0 * abs(y) + x * 5.0 + 2.5 * lean)
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
        return 0.5 * smooth + 0.35 * math.cos(11.4 * x) * _fade(0.25, fine)
    if zone == Zone.GLASS:  # warm air rises inside from the heater along the lower edge
        lines = math.cos(180.0 * z) * _fade(0.02, fine) if u < -0.25 else 0.0
        # Vents, seats and people warm a pane unevenly from inside.
        uneven = noise2(values, 3.1 * (x - y) + shift, 5.0 * z + 2.0 * (x + y))
        return 1.1 * (0.76 - w) / 0.24 - 0.35 + 0.45 * smooth + 0.1 * lines - 0.2 * v * v + 0.9 * uneven
    if zone == Zone.BONNET:  # the engine below its middle, ribs of the frame cooler
        engine = _bump(u - 0.68, 0.15) * _bump(v, 0.42)
        rib = _line(abs(v) - 0.55, 0.03, fine)
        return 1.5 * engine - 0.75 + 0.3 * smooth - 0.25 * rib
    if zone == Zone.GRILLE:  # slats near the air's temperature before a radiator
        slats = math.cos(125.0 * z) * _fade(0.04, fine)
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
    cells = 0.06 * math.cos(45.0 * z) * _fade(0.1, fine)
    if u > 0.0:  # head lamps draw 55 W
        return (4.1 if filament else 1.1) * _bump(abs(v) - 0.7, 0.08) + cells
    return (0.9 if filament else 0.3) * _bump(abs(v) - 0.8, 0.04) + cells  # tail lamps 5 W


@inlined_kernel
def _body(
    values: Lattice, x: float, y: float, z: float, u: float, v: float, w: float, shift: float, fine: float
) -> float:
    """Painted panels: warm sills and wheel arches, engine heat in the wings, gaps, plates and bumpers."""
    heat = 1.1 * (0.42 - w) + 0.7 * _bump(u - 0.72, 0.25) * _step(0.75, 0.4, w)
    arch = max(_bump(u - 0.62, 0.16), _bump(u + 0.6, 0.16))
    heat += 0.8 * arch * _step(0.45, 0.2, w)
    if abs(v) > 0.8 and abs(u) < 0.9:  # shut lines of doors and wings, handles
        half = 0.5 * fine
        gap = _line(u - 0.3, 0.004, half) + _line(u + 0.05, 0.004, half) + _line(u + 0.38, 0.004, half)
        handle = _bump(w - 0.58, 0.014) * max(_bump(u - 0.02, 0.03), _bump(u + 0.31, 0.03))
        sill = _line(w - 0.17, 0.012, fine)
        heat += -1.1 * gap * _step(0.14, 0.2, w) * _step(0.72, 0.62, w) - 0.9 * handle * _fade(0.06, fine) - 0.5 * sill
    elif abs(u) > 0.9:  # bumper; what the exhaust has blown at it
        # Its plastic cover is thicker than sheet metal and lies over air: another grey than the panels above.
        kind = shift * 0.53 - math.floor(shift * 0.53)
        cover = _step(0.405, 0.395, w)
        heat += (1.7 * kind - 0.6) * cover - 0.5 * _line(w - 0.4, 0.012, fine)
        if u < 0.0:
            heat += 1.1 * _bump(v - 0.6, 0.14) * _step(0.34, 0.16, w)
    # Ribs, stiffeners and lining behind a panel.
    heat += 0.5 * noise2(values, 2.6 * (x - y) + shift + 7.0, 4.0 * z + 2.2 * (x + y))
    return heat + 0.3 * noise2(values, x * 6.0 + z * 3.0, y * 6.0 + z * 5.0 + shift) * _fade(0.1, fine)


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
    heat = 0.75 * large + 0.4 * middle * _fade(3.0, coarse)
    lane = across / 3.3
    lane = (lane - math.floor(lane + 0.5)) * 3.3
    track = _bump(abs(lane) - 0.78, 0.26)
    heat += (0.4 + 0.25 * middle) * track - 0.25 * _bump(lane, 0.3)
    if coarse > 1.2:
        return heat, 0.0
    seam = _line(noise2(values, along * 0.3 + 44.0, across * 0.23) * 1.6, 0.022, 0.35 * max(fine, 0.25 * coarse))
    joint = _line(abs(lane) - 1.62, 0.03, fine)
    heat += (0.9 * seam * (1.0 + large) + 0.5 * joint) * (0.5 + 0.5 * middle)
    if coarse < 0.25:
        heat += 0.17 * noise2(values, along * 3.0, across * 9.0) * _fade(0.16, coarse)
    if coarse < 0.1:
        heat += 0.16 * noise2(values, along * 27.0, across * 31.0) * _fade(0.06, coarse)
    return _road_works(values, along, across, coarse, heat)


@inlined_kernel
def _road_works(values: Lattice, along: float, across: float, coarse: float, heat: float) -> tuple[float, float]:
    """Manhole covers and rectangular repairs, at most one of each in 17 m of street."""
    cell = math.floor(along / 17.0)
    chance = _hash01(values, cell, 5)
    iron, offset = 0.0, along - 17.0 * cell
    if chance < 0.4:
        centre, side = 4.0 + 9.0 * _hash01(values, cell, 9), 4.0 * (_hash01(values, cell, 13) - 0.5)
        radius = math.sqrt((offset - centre) ** 2 + (across - side) ** 2)
        iron = _step(0.36, 0.3, radius) * _fade(0.5, coarse)
        heat += 1.2 * _bump(radius - 0.38, 0.04) * _fade(0.12, coarse)
    elif chance > 0.72:
        centre, side = 5.0 + 7.0 * _hash01(values, cell, 21), 5.0 * (_hash01(values, cell, 27) - 0.5)
        inside = max(abs(offset - centre) - 4.0 * (chance - 0.5), abs(across - side) - 0.45)
        patch = _step(0.04, -0.04, inside)
        heat += (1.6 * (_hash01(values, cell, 33) - 0.6)) * patch + 0.5 * _line(inside, 0.05, coarse)
    return heat, iron


@fast_kernel
def pavement_pattern(values: Lattice, along: float, across: float, coarse: float) -> float:
    """Slabs of 0.5 m with joints, each a little different."""
    i, j = math.floor(along * 2.0), math.floor(across * 2.0)
    slab = 2.0 * _hash01(values, i, j) - 1.0
    joint = _line(0.5 - max(abs(along * 2.0 - i - 0.5), abs(across * 2.0 - j - 0.5)), 0.03, 2.0 * coarse)
    heat = 0.7 * noise2(values, along * 0.17, across * 0.4) + 0.35 * noise2(values, along * 1.1, across * 1.3)
    return heat + (0.35 * slab - 0.6 * joint) * _fade(0.5, coarse)


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
    shift = 17.3 * part
    floor = z / 3.0
    floor = (floor - math.floor(floor + 0.5)) * 3.0
    heat = 0.55 * _bump(floor, 0.16) * _fade(0.4, fine)
    heat += 0.9 * (2.0 * _hash01(values, part, 3) - 1.0)
    heat += 0.7 * noise2(values, across * 0.16 + shift, z * 0.22) + 0.4 * noise2(values, across * 0.9, z * 0.7 + shift)
    heat += 0.5 * max(0.0, 1.0 - z / 3.0) - 0.25
    if fine < 0.12:
        heat += 0.3 * noise2(values, across * 4.0, z * 13.0) * _fade(0.1, fine)
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
    if fine < 0.5:
        heat += 0.65 * _grain(values, x * 3.7, y * 3.7, z * 3.7) * _fade(0.35, fine)
    if fine < 0.14:
        heat += 0.7 * _grain(values, x * 13.0, y * 13.0, z * 13.0) * _fade(0.11, fine)
    return heat, min(1.0, max(0.0, 0.5 + 0.5 * heat))


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
    i, j = math.floor(across / 1.4), math.floor(z / 3.0)
    room: float = values[(i * 31 + int(part)) & _MASK, (j * 57 + int(part) * 3) & _MASK]
    return room + 0.3 * noise2(values, across * 2.0, z * 1.1)
