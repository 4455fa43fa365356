"""Carriageway, markings, kerbs, pavements, grass, and what closes the view far away."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from . import layout as plan
from .mesh import MeshBuilder, Point, pose

__all__ = ["ground", "markings", "pavements", "skyline"]

Array = NDArray[np.float64]

FILLET_M = 4.0
"""Radius of the kerb where the side street joins."""
OPENING_M = plan.SIDE_HALF_M + FILLET_M
ROAD_EDGE_M = plan.KERB_M + 0.3
"""The asphalt runs on a little below the kerb."""
PAINT_Z_M = 0.004
"""Paint lies this much above the asphalt: at 80 m a view ray passes it 0.2 m before the road, far above rounding."""
PARK_U_M = (196.0, 262.0)
"""No houses on the right here: a small park."""


def _strip(mesh: MeshBuilder, u_m: Array, inner_m: Array, outer_m: Array, z_m: float, material: str) -> None:
    """Faces between two lines beside the axis; ``inner`` and ``outer`` are signed offsets to the left."""
    a, b = plan.place(u_m, inner_m), plan.place(u_m, outer_m)
    points = np.column_stack([np.concatenate([a, b]), np.full(2 * len(u_m), z_m)])
    n = len(u_m)
    flip = bool(np.mean(outer_m - inner_m) < 0)
    quads = [(i, i + 1, n + i + 1, n + i) for i in range(n - 1)]
    mesh.add(points, [q[::-1] for q in quads] if flip else quads, material)


def _wall(mesh: MeshBuilder, line: Array, low_m: float, high_m: float, material: str) -> None:
    """Upright band along a line of points (N, 2), seen from its right-hand side."""
    n = len(line)
    points = np.concatenate([np.column_stack([line, np.full(n, z)]) for z in (low_m, high_m)])
    mesh.add(points, [(i, i + 1, n + i + 1, n + i) for i in range(n - 1)], material)


def _grid(start_m: float, end_m: float, step_m: float, *extra: float) -> Array:
    """Positions along the axis, about ``step`` apart, with some exact ones among them."""
    base = np.linspace(start_m, end_m, max(2, round((end_m - start_m) / step_m) + 1))
    inside = [x for x in extra if start_m < x < end_m]
    return np.asarray(np.unique(np.round(np.concatenate([base, inside]), 4)))


def ground() -> MeshBuilder:
    """Asphalt of both streets, grass and earth below everything."""
    mesh = MeshBuilder()
    u = _grid(*plan.U_RANGE_M, 4.0)
    for low, high in (
        (-ROAD_EDGE_M, -plan.LANE_M),
        (-plan.LANE_M, 0.0),
        (0.0, plan.LANE_M),
        (plan.LANE_M, ROAD_EDGE_M),
    ):
        _strip(mesh, u, np.full(len(u), low), np.full(len(u), high), 0.0, "asphalt")
    a, b = plan.PLAZA_U_M
    u = _grid(a - 6.0, b + 6.0, 6.0)
    _strip(mesh, u, np.full(len(u), ROAD_EDGE_M), np.full(len(u), plan.PLAZA_KERB_M + 0.3), 0.0, "asphalt")
    x, half, end = plan.CROSSING_U_M, OPENING_M + 0.5, plan.SIDE_END_M
    for y0, y1, w in ((ROAD_EDGE_M, 9.0, half), (9.0, 40.0, 3.6), (40.0, end, 3.6)):
        for sign in (1, -1):
            corners = [
                (x - w, sign * y0, 0.0),
                (x + w, sign * y0, 0.0),
                (x + w, sign * y1, 0.0),
                (x - w, sign * y1, 0.0),
            ]
            mesh.polygon("asphalt", *(corners if sign > 0 else corners[::-1]))
    _ground_plate(mesh)
    return mesh


def _ground_plate(mesh: MeshBuilder) -> None:
    """Earth far out and grass near the street, below the asphalt."""
    centre, radii = np.array([150.0, 20.0]), (150.0, 300.0, 480.0)
    angle = np.arange(32) * 2 * math.pi / 32
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    rings = [np.column_stack([centre + r * circle, np.full(32, -0.08)]) for r in radii]
    mesh.add(np.concatenate([[[*centre, -0.08]], rings[0]]), [(0, 1 + i, 1 + (i + 1) % 32) for i in range(32)], "earth")
    mesh.loft([rings[1], rings[0]], "grass", caps=False)
    mesh.loft([rings[2], rings[1]], "grass", caps=False)
    u = _grid(*PARK_U_M, 6.0)
    _strip(mesh, u, np.full(len(u), -plan.FACADE_M), np.full(len(u), -52.0), 0.06, "grass")


def pavements() -> MeshBuilder:
    """Pavements with their kerbs."""
    mesh = MeshBuilder()
    low, high = plan.U_RANGE_M
    for side in (-1, 1):
        _pavement(mesh, side, low, plan.CROSSING_U_M - OPENING_M)
        _pavement(mesh, side, plan.CROSSING_U_M + OPENING_M, high)
        for east in (-1, 1):
            _corner(mesh, side, east)
    return mesh


def _outer_m(u_m: Array, side: int) -> Array:
    """Far edge of the pavement: the house fronts; inside a sharp corner almost its centre."""
    edge = np.full(len(u_m), plan.FACADE_M + 0.3)
    if side > 0:
        edge[(u_m > plan.PLAZA_U_M[0] - 6.0) & (u_m < plan.PLAZA_U_M[1] + 6.0)] = plan.PLAZA_FACADE_M + 0.3
    inside = (u_m < 0.0) & (u_m > -32.0) if side > 0 else (u_m > plan.MAIN_U_M[1]) & (u_m < plan.MAIN_U_M[1] + 32.0)
    edge[inside] = 19.0
    return edge


def _pavement(mesh: MeshBuilder, side: int, start_m: float, end_m: float) -> None:
    corners = plan.kerb_line(side)
    jumps = [p + e for p in (*plan.PLAZA_U_M,) for e in (-6.01, -5.99, 5.99, 6.01)]
    u = _grid(start_m, end_m, 3.0, *corners[:, 0], *jumps)
    kerb: Array = np.interp(u, corners[:, 0], corners[:, 1])
    z = plan.PAVEMENT_Z_M
    _strip(mesh, u, float(side) * kerb, float(side) * (kerb + 0.15), z, "kerb")
    _strip(mesh, u, float(side) * (kerb + 0.15), float(side) * _outer_m(u, side), z, "paving")
    line = plan.place(u, float(side) * kerb)
    _wall(mesh, line if side > 0 else line[::-1], 0.0, z, "kerb")


def _corner(mesh: MeshBuilder, side: int, east: int) -> None:
    """Pavement round one corner of the crossing, and on along the side street."""
    x, z, edge, end = plan.CROSSING_U_M, plan.PAVEMENT_Z_M, plan.LANE_M + 0.1, plan.SIDE_END_M
    angle = np.linspace(0.0, math.pi / 2, 7)
    # In the quadrant's own axes: p away from the side street's axis, q away from the main street's.
    p = OPENING_M - FILLET_M * np.sin(angle)
    q = edge + FILLET_M - FILLET_M * np.cos(angle)
    inner = np.column_stack([np.append(p, plan.SIDE_HALF_M), np.append(q, end)])
    line = np.array([x, 0.0]) + inner * (east, side)
    front, wall = plan.FACADE_M + 0.3, 6.3
    shape = [(OPENING_M, edge), *zip(p[1:], q[1:], strict=True), (plan.SIDE_HALF_M, front), (OPENING_M, front)]
    side_strip = [(plan.SIDE_HALF_M, front), (plan.SIDE_HALF_M, end), (wall, end), (wall, front)]
    mirrored = east * side < 0
    for outline in (shape, side_strip):
        corners: list[Point] = [(x + east * a, side * b, z) for a, b in outline]
        mesh.polygon("paving", *(corners if mirrored else corners[::-1]))
    _wall(mesh, line if mirrored else line[::-1], 0.0, z, "kerb")


# --- paint and iron on the road ---------------------------------------------------------------------------------------


def markings() -> MeshBuilder:
    """Lane lines, bays, stop lines, zebra crossings; drains, manholes and patches."""
    mesh = MeshBuilder()
    low, high = plan.U_RANGE_M
    for u in np.arange(low + 2.0, high - 4.0, 9.0):
        if abs(u + 1.5 - plan.CROSSING_U_M) > OPENING_M + 2.0 and not _on_zebra(u, 3.0):
            _line(mesh, u, u + 3.0, 0.0, 0.15)
    for start in ZEBRAS_U_M:
        for d in np.arange(-plan.LANE_M + 0.4, plan.LANE_M, 1.0):
            _line(mesh, start, start + 3.2, float(d) + 0.1, 0.5)
    for bay in plan.bays():
        _bay_lines(mesh, bay)
    x, half = plan.CROSSING_U_M, plan.SIDE_LANE_M / 2
    for sign in (1, -1):
        _box_on_road(mesh, x - sign * half, sign * 8.3, plan.SIDE_LANE_M - 0.3, 0.5, 0.0, "paint_white")
        for y in np.arange(10.0, plan.SIDE_END_M - 3, 9.0):
            _box_on_road(mesh, x, sign * (float(y) + 1.5), 0.12, 3.0, 0.0, "paint_white")
    _iron(mesh)
    return mesh


ZEBRAS_U_M = (93.0, 229.0)


def _on_zebra(u_m: float, length_m: float) -> bool:
    return any(start - length_m - 1.0 < u_m < start + 4.2 for start in ZEBRAS_U_M)


def _line(mesh: MeshBuilder, start_m: float, end_m: float, d_m: float, width_m: float, material: str = "paint_white",
          z_m: float = PAINT_Z_M) -> None:  # fmt: skip
    u = _grid(start_m, end_m, 3.0)
    _strip(mesh, u, np.full(len(u), d_m - width_m / 2), np.full(len(u), d_m + width_m / 2), z_m, material)


def _box_on_road(
    mesh: MeshBuilder, x_m: float, y_m: float, length_m: float, width_m: float, yaw_rad: float, material: str,
    z_m: float = PAINT_Z_M,
) -> None:  # fmt: skip
    """Flat rectangle, turned by ``yaw``."""
    c, s = math.cos(yaw_rad), math.sin(yaw_rad)
    corners = []
    for a, b in ((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)):
        dx, dy = a * length_m, b * width_m
        corners.append((x_m + c * dx - s * dy, y_m + s * dx + c * dy, z_m))
    mesh.polygon(material, *corners)


def _bay_lines(mesh: MeshBuilder, bay: plan.BayPlan) -> None:
    """Paint between a bay and the next, and towards the lane."""
    c, s = math.cos(bay.yaw_rad), math.sin(bay.yaw_rad)
    if bay.width_m > 2.3:
        for b in (-bay.width_m / 2, bay.width_m / 2):
            _box_on_road(mesh, bay.x_m - s * b, bay.y_m + c * b, bay.length_m, 0.1, bay.yaw_rad, "paint_white")
        return
    for a in (-bay.length_m / 2, bay.length_m / 2):
        _box_on_road(mesh, bay.x_m + c * a, bay.y_m + s * a, 0.1, bay.width_m, bay.yaw_rad, "paint_white")
    b = bay.width_m / 2
    _box_on_road(
        mesh, bay.x_m - s * b, bay.y_m + c * b, bay.length_m, 0.1, bay.yaw_rad, "paint_white", PAINT_Z_M + 0.001
    )


def _iron(mesh: MeshBuilder) -> None:
    """Manholes, drains at the kerb, and patches of newer asphalt."""
    rng = np.random.default_rng(41)
    angle = np.arange(14) * 2 * math.pi / 14
    for u in np.arange(-40.0, 340.0, 21.0).tolist():
        x, y = plan.place(float(u + rng.uniform(-4, 4)), float(rng.choice([-1.0, 0.9]) * rng.uniform(0.5, 1.6)))
        disc = np.column_stack([x + 0.34 * np.cos(angle), y + 0.34 * np.sin(angle), np.full(14, 0.006)])
        mesh.add(disc, [range(14)], "steel_dark")
    for side in (-1, 1):
        corners = plan.kerb_line(side)
        for u in np.arange(-30.0, 340.0, 26.0) + side * 5.0:
            if abs(u - plan.CROSSING_U_M) > OPENING_M + 1:
                d = side * (float(np.interp(u, corners[:, 0], corners[:, 1])) - 0.3)
                _line(mesh, float(u), float(u) + 0.55, d, 0.42, "steel_dark", 0.006)
    for start in np.arange(-8.0, 316.0, 18.0):
        u, d = start + float(rng.uniform(0.0, 9.0)), float(rng.choice([-1.7, 1.7]) + rng.uniform(-0.5, 0.5))
        if not _on_zebra(u, 8.0):
            _line(mesh, u, u + float(rng.uniform(1.2, 7.0)), d, float(rng.uniform(0.6, 1.6)), "asphalt_patch", 0.002)


# --- far away ---------------------------------------------------------------------------------------------------------


def skyline() -> MeshBuilder:
    """Blocks behind the street, wooded hills around everything, and a church tower."""
    mesh = MeshBuilder()
    rng = np.random.default_rng(77)
    u = np.linspace(*plan.U_RANGE_M, 200)
    street = np.concatenate([plan.axis(u)[0], [(plan.CROSSING_U_M, y) for y in np.arange(-80, 81, 4.0)]])
    placed: list[tuple[float, float]] = []
    for _ in range(900):
        x, y = float(rng.uniform(-110, 410)), float(rng.uniform(-150, 260))
        gap = np.hypot(*(street - (x, y)).T).min()
        if gap < 46 or gap > 150 or any(math.hypot(x - a, y - b) < 34 for a, b in placed):
            continue
        placed.append((x, y))
        to_x, to_y = street[int(np.hypot(*(street - (x, y)).T).argmin())] - (x, y)
        _block(mesh, x, y, math.atan2(to_y, to_x) + math.pi / 2 + float(rng.uniform(-0.5, 0.5)), rng)
    _hills(mesh, rng)
    _church(mesh, *plan.place(float(plan.MAIN_U_M[1]) + 10.0, 95.0).tolist())
    _church(mesh, -95.0, -8.0)
    return mesh


def _block(mesh: MeshBuilder, x_m: float, y_m: float, yaw_rad: float, rng: np.random.Generator) -> None:
    """A distant block with rows of windows on the side that looks to the street."""
    w, depth, storeys = float(rng.uniform(14, 26)), float(rng.uniform(11, 18)), int(rng.integers(4, 13))
    height = storeys * 3.0 + 1.5
    wall = str(rng.choice(["concrete", "plaster_grey", "plaster_white", "brick_brown"]))
    mesh.matrix = pose(x_m, y_m, -0.1, yaw_rad)
    mesh.box((-w / 2, -depth / 2, 0.0), (w / 2, depth / 2, height), wall, skip="-z")
    mesh.box((-w / 6, -2.0, height), (w / 6, 2.0, height + 2.4), "concrete", skip="-z")
    columns = int(w / 3.4)
    for storey in range(storeys):
        z = 1.6 + 3.0 * storey
        for k in range(columns):
            a, b = -w / 2 + (k + 0.5) * w / columns, -depth / 2 - 0.04
            mesh.polygon("glass", (a - 0.8, b, z), (a + 0.8, b, z), (a + 0.8, b, z + 1.4), (a - 0.8, b, z + 1.4))
    mesh.matrix = np.eye(4)


def _hills(mesh: MeshBuilder, rng: np.random.Generator) -> None:
    """A ring of wooded hills with an uneven crest."""
    n = 160
    angle = np.arange(n) * 2 * math.pi / n
    rough = sum(rng.uniform(-1, 1) / k * np.sin(k * angle + rng.uniform(0, 6)) for k in range(2, 9))
    crest = 24.0 + 7.0 * rough + rng.uniform(-1.3, 1.3, n)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    centre = np.array([150.0, 20.0])
    outer = np.column_stack([centre + 455.0 * circle, np.maximum(crest, 9.0)])
    inner = np.column_stack([centre + 370.0 * circle, np.full(n, -0.1)])
    mesh.loft([outer, inner], "leaves_dark", caps=False)


def _church(mesh: MeshBuilder, x_m: float, y_m: float) -> None:
    mesh.matrix = pose(x_m, y_m, -0.1, 0.4)
    mesh.box((-4.0, -4.0, 0.0), (4.0, 4.0, 27.0), "stone", skip="-z")
    spire = [(-4.3, -4.3, 27.0), (4.3, -4.3, 27.0), (4.3, 4.3, 27.0), (-4.3, 4.3, 27.0), (0.0, 0.0, 47.0)]
    mesh.add(spire, [(0, 1, 4), (1, 2, 4), (2, 3, 4), (3, 0, 4)], "tiles_dark")
    for face in range(4):
        mesh.matrix = pose(x_m, y_m, -0.1, 0.4 + face * math.pi / 2)
        mesh.polygon("glass", (-1.1, -4.05, 20.0), (1.1, -4.05, 20.0), (1.1, -4.05, 24.0), (0.0, -4.05, 25.0),
                     (-1.1, -4.05, 24.0))  # fmt: skip
    mesh.matrix = np.eye(4)
