"""Plan of the city's street: where its axis runs, and what lies how far to the side of it. Pure numpy.

Positions are ``(u, d)``: ``u`` metres along the axis, 0 at the start of the straight main part, ``d`` metres to the
left. The street comes round a corner (so nobody looks past its end), runs straight over a crossing, bends gently to the
left and leaves round another corner. Widths follow the German guideline RASt 06: lanes of 3.25-3.5 m, bays
2.0-2.2 m wide.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "CROSSING_U_M",
    "FACADE_M",
    "KERB_M",
    "LANE_M",
    "MAIN_U_M",
    "PARKING_M",
    "PAVEMENT_Z_M",
    "PLAZA_FACADE_M",
    "PLAZA_U_M",
    "SIDE_END_M",
    "SIDE_HALF_M",
    "U_RANGE_M",
    "BayPlan",
    "axis",
    "bays",
    "camera_paths",
    "kerb_line",
    "lanes",
    "place",
]

Array = NDArray[np.float64]

LANE_M = 3.4
"""Width of a lane of the main street; lanes touch the axis."""
KERB_M = 5.6
"""Distance of the kerb from the axis beside parking bays (2.2 m wide)."""
FACADE_M = 9.2
"""Distance of the house fronts."""
PAVEMENT_Z_M = 0.12

# Segments of the axis: length in metres, curvature in 1/m (left is positive). The sharp corners have a radius of 20 m.
_CORNER_M = 20.0 * math.pi / 2
_SEGMENTS = ((30.0, 0.0), (_CORNER_M, 1 / 20.0), (190.0, 0.0), (85.0, 1 / 220.0), (45.0, 0.0), (_CORNER_M, -1 / 20.0),
             (30.0, 0.0))  # fmt: skip
_LEAD_M = 30.0 + _CORNER_M
"""Length before u = 0."""
U_RANGE_M = (-_LEAD_M, sum(length for length, _ in _SEGMENTS) - _LEAD_M)
MAIN_U_M = (0.0, 320.0)
"""Between the two corners."""

CROSSING_U_M = 105.0
SIDE_LANE_M = 3.2
SIDE_HALF_M = 3.3
"""Half the carriageway of the side street."""
SIDE_END_M = 74.0
"""How far the side street goes on either side."""

PLAZA_U_M = (36.0, 76.0)
"""Left of here the fronts stand back, and cars park at right angles."""
PLAZA_KERB_M, PLAZA_FACADE_M = 8.8, 14.5

# Stretches with parallel bays: (from, to), right and left side.
PARKING_U_M = {
    -1: ((9.0, 44.0), (51.0, 88.0), (122.0, 158.0), (166.0, 190.0), (200.0, 226.0), (235.0, 258.0), (284.0, 312.0)),
    +1: ((5.0, 29.0), (122.0, 184.0), (196.0, 226.0), (234.0, 276.0), (284.0, 308.0)),
}
BAY_M, LONG_BAY_M = 5.7, 6.7
PARKING_M = (3.5, 5.55)
"""Inner and outer edge of a parallel bay."""


@dataclass(frozen=True)
class BayPlan:
    """One bay in the plan."""

    x_m: float
    y_m: float
    yaw_rad: float
    length_m: float
    width_m: float


def _integrate(step_m: float = 0.25) -> tuple[Array, Array, Array]:
    """``u``, points and headings along the axis, on a fine grid that is moved so that u = 0 is the origin."""
    lengths = np.cumsum([0.0] + [length for length, _ in _SEGMENTS])
    s = np.arange(0.0, lengths[-1] + step_m / 2, step_m)
    turned = np.cumsum([0.0] + [length * bend for length, bend in _SEGMENTS])
    bend = np.array([b for _, b in _SEGMENTS])
    which = np.clip(np.searchsorted(lengths, s, side="right") - 1, 0, len(bend) - 1)
    heading = turned[which] + bend[which] * (s - lengths[which]) - math.pi / 2
    middle = (heading[1:] + heading[:-1]) / 2
    chords = np.stack([np.cos(middle), np.sin(middle)], axis=1) * np.diff(s)[:, None]
    points = np.concatenate([[[0.0, 0.0]], np.cumsum(chords, axis=0)])
    u = s - _LEAD_M
    origin = np.array([np.interp(0.0, u, points[:, k]) for k in (0, 1)])
    return u, points - origin, heading


_U, _POINTS, _HEADING = _integrate()


def axis(u_m: Array | float) -> tuple[Array, Array]:
    """Points (..., 2) and headings (...) of the axis."""
    points = np.stack([np.interp(u_m, _U, _POINTS[:, k]) for k in (0, 1)], axis=-1)
    return points, np.asarray(np.interp(u_m, _U, _HEADING))


def place(u_m: Array | float, d_m: Array | float) -> Array:
    """World x, y (..., 2) of points ``d`` to the left of the axis."""
    points, heading = axis(u_m)
    return np.asarray(points + np.stack([-np.sin(heading), np.cos(heading)], axis=-1) * np.asarray(d_m)[..., None])


def kerb_line(side: int) -> Array:
    """Corners (N, 2) of the kerb's line as (u, distance from the axis), for the side -1 right or +1 left.

    Where nobody parks the pavement reaches to the lane. The crossing interrupts the line in :mod:`.ground`.
    """
    cuts = [(a, b, KERB_M) for a, b in PARKING_U_M[side]]
    if side > 0:
        cuts.append((*PLAZA_U_M, PLAZA_KERB_M))
    corners = [(U_RANGE_M[0], LANE_M + 0.1)]
    for a, b, d in sorted(cuts):
        slope = 0.8 * (d - LANE_M)
        corners += [(a - slope, LANE_M + 0.1), (a, d), (b, d), (b + slope, LANE_M + 0.1)]
    corners.append((U_RANGE_M[1], LANE_M + 0.1))
    return np.array(corners)


def bays() -> list[BayPlan]:
    """All bays; every sixth of the parallel ones is long enough for a van."""
    plans = []
    for side in (-1, 1):
        for start, end in PARKING_U_M[side]:
            u, k = start + 0.3, 0
            while True:
                length = LONG_BAY_M if k % 5 == 2 else BAY_M
                if u + length > end - 0.2:
                    break
                plans.append(_parallel(u + length / 2, side, length))
                u, k = u + length, k + 1
    count = int((PLAZA_U_M[1] - PLAZA_U_M[0] - 1.0) / 2.6)
    for k in range(count):
        x, y = place(PLAZA_U_M[0] + 1.0 + 2.6 * (k + 0.5), (LANE_M + PLAZA_KERB_M) / 2 + 0.1)
        plans.append(BayPlan(float(x), float(y), math.pi / 2, 5.1, 2.5))
    return plans


def _parallel(u_m: float, side: int, length_m: float) -> BayPlan:
    x, y = place(u_m, side * sum(PARKING_M) / 2)
    heading = float(axis(u_m)[1]) + (math.pi if side > 0 else 0.0)
    return BayPlan(float(x), float(y), heading, length_m, PARKING_M[1] - PARKING_M[0])


def _along(start_m: float, end_m: float, d_m: float) -> Array:
    """Points every metre along the axis, from ``start`` to ``end`` in this order."""
    count = max(2, round(abs(end_m - start_m)) + 1)
    return place(np.linspace(start_m, end_m, count), np.full(count, d_m))


def _arc(centre: tuple[float, float], radius_m: float, start_deg: float, end_deg: float) -> Array:
    angle = np.radians(np.linspace(start_deg, end_deg, 13))
    return np.asarray(centre + radius_m * np.stack([np.cos(angle), np.sin(angle)], axis=1))


def lanes() -> dict[str, tuple[Array, float]]:
    """Lanes by name: points (N, 2) in driving order, and width."""
    x, half, side = CROSSING_U_M, LANE_M / 2, SIDE_LANE_M / 2
    low, high = U_RANGE_M
    end = SIDE_END_M - 4.0
    result = {
        "main_out": (_along(low + 1, high - 1, -half), LANE_M),
        "main_back": (_along(high - 1, low + 1, half), LANE_M),
        "side_north": (np.array([(x + side, y) for y in np.arange(-end, end + 1, 2.0)]), SIDE_LANE_M),
        "side_south": (np.array([(x - side, y) for y in np.arange(end, -end - 1, -2.0)]), SIDE_LANE_M),
        # Right turns round a radius of 6 m, from the main street into the side street and out of it.
        "turn_right_in": (
            np.concatenate([_arc((x - side - 6.0, -half - 6.0), 6.0, 90.0, 0.0), [(x - side, -30.0)]]), SIDE_LANE_M,
        ),
        "turn_right_out": (
            np.concatenate([[(x - side, 30.0)], _arc((x - side - 6.0, half + 6.0), 6.0, 0.0, -90.0),
                            [(x - 40.0, half)]]), SIDE_LANE_M,
        ),
        "turn_left_out": (
            np.concatenate([[(x + side, -30.0)], _arc((x + side - 9.0, half - 9.0), 9.0, 0.0, 90.0),
                            [(x - 40.0, half)]]), SIDE_LANE_M,
        ),
    }  # fmt: skip
    return result


def camera_paths() -> dict[str, Array]:
    """What the camera car drives, points (N, 2): both ways along the main street, and up to the crossing."""
    half, side = LANE_M / 2, SIDE_LANE_M / 2
    return {
        "out": _along(4.0, 262.0, -half),
        "back": _along(318.0, 62.0, half),
        "side": np.array([(CROSSING_U_M + side, y) for y in np.arange(-48.0, -7.0, 2.0)]),
    }
