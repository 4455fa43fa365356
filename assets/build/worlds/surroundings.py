"""What lies behind the roadside: ground to the horizon, hills, and trees and roofs that close the view."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .axis import Axis
from .site import Site

__all__ = ["backdrop_trees", "ground_plate", "hills"]

Array = NDArray[np.float64]


def _centre(axis: Axis) -> Array:
    points = axis.place(np.linspace(0.0, axis.length_m, 20), np.zeros(20))
    return np.asarray((points.min(axis=0) + points.max(axis=0)) / 2)


def ground_plate(site: Site, axis: Axis, material: str = "dry_grass", near: str = "grass") -> None:
    """Level ground to the hills, below everything else."""
    mesh, centre, n = site.mesh("plate"), _centre(axis), 40
    reach = axis.length_m / 2
    angle = np.arange(n) * 2 * math.pi / n
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    rings = [
        np.column_stack([centre + r * circle, np.full(n, -0.08)]) for r in (reach + 60.0, reach + 260.0, reach + 700.0)
    ]
    mesh.add(np.concatenate([[[*centre, -0.08]], rings[0]]), [(0, 1 + i, 1 + (i + 1) % n) for i in range(n)], near)
    mesh.loft([rings[1], rings[0]], material, caps=False)
    mesh.loft([rings[2], rings[1]], material, caps=False)


def hills(site: Site, axis: Axis, height_m: float) -> None:
    """Two rings of hills with uneven crests: a near low one and a far high one, both wooded."""
    mesh, centre, n, rng = site.mesh("hills"), _centre(axis), 180, site.rng
    angle = np.arange(n) * 2 * math.pi / n
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    for foot, crest, share, material in ((330.0, 450.0, 0.35, "leaves_dark"), (480.0, 690.0, 1.0, "leaves_dark")):
        rough = sum(rng.uniform(-1, 1) / k**0.8 * np.sin(k * angle + rng.uniform(0, 6)) for k in range(2, 14))
        top = np.maximum(share * height_m * (0.55 + 0.35 * rough) + rng.uniform(-0.8, 0.8, n), 4.0)
        reach = axis.length_m / 2
        outer = np.column_stack([centre + (reach + crest) * circle, top])
        inner = np.column_stack([centre + (reach + foot) * circle, np.full(n, -0.1)])
        mesh.loft([outer, inner], material, caps=False)


def backdrop_trees(
    site: Site,
    axis: Axis,
    kinds: dict[str, float],
    nearest_m: float,
    farthest_m: float,
    count: int,
    keep_out: list[tuple[float, float]],
) -> None:
    """Trees behind the lots and round both ends of the road.

    Args:
        site: gets them.
        axis: the road.
        kinds: makers by weight.
        nearest_m: least distance from the axis.
        farthest_m: most.
        count: how many.
        keep_out: stretches of ``u`` that crossing streets take.
    """
    rng = site.rng
    for _ in range(count):
        u = float(rng.uniform(-60.0, axis.length_m + 60.0))
        d = float(rng.choice([-1, 1])) * float(rng.uniform(nearest_m, farthest_m))
        if any(a < u < b for a, b in keep_out) or _too_near(axis, u, d, nearest_m):
            continue
        site.beside(axis, site.pick(kinds), u, d, site.angle(), float(rng.uniform(0.85, 1.35)))
    for end, sign in ((axis.length_m, 1.0), (0.0, -1.0)):
        for d in np.arange(-46.0, 47.0, 5.5):
            beyond = float(rng.uniform(14.0, 34.0))
            site.beside(
                axis,
                site.pick(kinds),
                end + sign * beyond,
                float(d + rng.uniform(-2, 2)),
                site.angle(),
                float(rng.uniform(0.9, 1.5)),
            )


def _too_near(axis: Axis, u_m: float, d_m: float, least_m: float) -> bool:
    """Whether a bend of the road comes near to a place."""
    point = axis.place(u_m, d_m)
    line = axis.line(0.0, axis.length_m, 0.0, 4.0)
    return bool(np.hypot(*(line - point).T).min() < least_m - 0.5)
