"""What keeps vehicles on their road and noise off the land: rails, concrete barriers, noise walls, fences, bridges."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from assets.build.city.mesh import MeshBuilder, pose

from .axis import Axis
from .site import Site, fence_along

__all__ = ["bridge", "concrete_barrier", "guard_rail", "noise_wall", "wire_fence"]

Array = NDArray[np.float64]


def guard_rail(site: Site, axis: Axis, start_m: float, end_m: float, d_m: float, z_m: float = 0.0) -> None:
    """Steel beam of two waves on posts, 0.75 m high (EN 1317, as most of Europe and America has it)."""
    if end_m - start_m < 4.0:
        return
    mesh, line = site.mesh(f"rail.{len(site.static):04d}"), axis.line(start_m, end_m, d_m, 6.0)
    for low, high, thick in ((0.44, 0.56, 0.05), (0.56, 0.63, 0.015), (0.63, 0.75, 0.05)):
        fence_along(mesh, line, thick, z_m + low, z_m + high, "steel")
    for u in np.arange(start_m + 1.0, end_m, 4.0):
        x, y = axis.place(float(u), d_m).tolist()
        mesh.matrix = pose(x, y, z_m, float(axis.heading(float(u))))
        mesh.box((-0.05, -0.06, 0.0), (0.05, 0.06, 0.7), "steel", skip="-z")
    mesh.matrix = np.eye(4)


def concrete_barrier(site: Site, axis: Axis, start_m: float, end_m: float, d_m: float, height_m: float = 0.9) -> None:
    """Barrier with a wide foot and sloped sides, New Jersey's."""
    mesh, line = site.mesh(f"barrier.{len(site.static):04d}"), axis.line(start_m, end_m, d_m, 6.0)
    ahead = np.gradient(line, axis=0)
    ahead /= np.hypot(*ahead.T)[:, None]
    left = np.stack([-ahead[:, 1], ahead[:, 0]], axis=1)
    profile = (
        (-0.3, 0.0),
        (-0.3, 0.08),
        (-0.14, 0.33),
        (-0.08, height_m),
        (0.08, height_m),
        (0.14, 0.33),
        (0.3, 0.08),
        (0.3, 0.0),
    )
    n = len(line)
    for (a, low), (b, high) in itertools.pairwise(profile):
        points = np.concatenate(
            [np.column_stack([line + a * left, np.full(n, low)]), np.column_stack([line + b * left, np.full(n, high)])]
        )
        mesh.add(points, [(i, i + 1, n + i + 1, n + i) for i in range(n - 1)], "concrete")


def noise_wall(
    site: Site, axis: Axis, start_m: float, end_m: float, d_m: float, height_m: float, material: str
) -> None:
    """Panels between steel posts."""
    mesh = site.mesh(f"noise.{len(site.static):04d}")
    fence_along(mesh, axis.line(start_m, end_m, d_m, 5.0), 0.2, -0.1, height_m, material, "trim")
    for u in np.arange(start_m, end_m, 5.0):
        x, y = axis.place(float(u), d_m).tolist()
        mesh.matrix = pose(x, y, 0.0, float(axis.heading(float(u))))
        mesh.box((-0.1, -0.16, -0.1), (0.1, 0.16, height_m + 0.1), "steel", skip="-z")
    mesh.matrix = np.eye(4)


def wire_fence(site: Site, axis: Axis, start_m: float, end_m: float, d_m: float, z_m: float = 0.0) -> None:
    """Wooden posts with two rails."""
    if end_m - start_m < 3.0:
        return
    mesh, line = site.mesh(f"rails.{len(site.static):04d}"), axis.line(start_m, end_m, d_m, 6.0)
    for low, high in ((0.45, 0.55), (0.95, 1.05)):
        fence_along(mesh, line, 0.05, z_m + low, z_m + high, "wood")
    for u in np.arange(start_m, end_m, 3.0):
        x, y = axis.place(float(u), d_m).tolist()
        mesh.matrix = pose(x, y, z_m, float(axis.heading(float(u))))
        mesh.box((-0.07, -0.07, 0.0), (0.07, 0.07, 1.15), "bark", skip="-z")
    mesh.matrix = np.eye(4)


def bridge(mesh: MeshBuilder, axis: Axis, u_m: float, half_m: float, width_m: float) -> None:
    """Deck over the road with abutments and railings, 5.2 m of clearance; nothing drives on it."""
    x, y = axis.place(u_m, 0.0).tolist()
    mesh.matrix = pose(x, y, 0.0, float(axis.heading(u_m)))
    a, reach = width_m / 2, half_m + 14.0
    mesh.box((-a, -reach, 5.2), (a, reach, 6.3), "concrete")
    for side in (-1, 1):
        low, high = sorted((side * (half_m + 1.5), side * reach))
        mesh.box((-a, low, -0.1), (a, high, 5.2), "concrete", skip="-z+z")
        mesh.box((side * a - 0.1, -reach, 6.3), (side * a + 0.1, reach, 7.3), "steel")
    mesh.matrix = np.eye(4)
