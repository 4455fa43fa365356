"""Crowns of trees against measured ones, and how fine they are from near by.

Konarska, Lindberg, Larsson, Thorsson, Holmer, "Transmissivity of solar radiation through crowns of single urban trees",
Theoretical and Applied Climatology 117 (2014): of the sun's direct rays 1.3 to 5.3 % come through street trees of
several species in leaf, 40.2 to 51.9 % through bare ones (means over a species).
"""

from __future__ import annotations

import cv2
import numpy as np
import pytest

pytest.importorskip("bpy", reason="Blender as a Python module is not installed")

from assets.build.city.mesh import MeshBuilder
from assets.build.worlds.plants import bare_plants, plant_makers

BROADLEAVED = ("oak", "round", "small", "jacaranda", "lime", "plane", "maple")
PX_PER_M, SUN_RAD = 50, np.radians(40.0)


def _corners(mesh: MeshBuilder, start: str = "") -> list[np.ndarray]:
    """Corners of the faces whose material's name begins so."""
    points = np.concatenate(mesh.points)
    return [points[list(face)] for face, name in zip(mesh.faces, mesh.materials, strict=True) if name.startswith(start)]


def _share_let_through(mesh: MeshBuilder, azimuth_rad: float) -> float:
    """Of rays at the sun's height, through the middle half of the crown."""
    s, c = np.sin(SUN_RAD), np.cos(SUN_RAD)
    right = np.array([-np.sin(azimuth_rad), np.cos(azimuth_rad), 0.0])
    up = np.array([-np.cos(azimuth_rad) * s, -np.sin(azimuth_rad) * s, c])
    axes = np.stack([right, -up], axis=1)
    top = np.concatenate(mesh.points)[:, 2].max()
    crown = np.concatenate([face for face in _corners(mesh) if face[:, 2].max() > 0.35 * top]) @ axes
    low, high = np.percentile(crown, [5, 95], axis=0)
    origin, centre, radius = crown.min(axis=0), (low + high) / 2, (high - low) / 2
    size = np.ceil((crown.max(axis=0) - origin) * PX_PER_M).astype(int)
    hidden = np.zeros((size[1], size[0]), np.uint8)
    for face in _corners(mesh):
        cv2.fillPoly(hidden, [np.round((face @ axes - origin) * PX_PER_M * 16).astype(np.int32)], 1, shift=4)
    y, x = np.indices(hidden.shape)
    places = np.stack([x, y], axis=-1) / PX_PER_M + origin
    middle = (((places - centre) / radius) ** 2).sum(axis=-1) < 0.5
    return float(1.0 - hidden[middle].mean())


@pytest.mark.parametrize(("leaves", "least", "most"), [(True, 0.013, 0.053), (False, 0.402, 0.519)])
def test_crowns_let_through_what_those_of_street_trees_do(leaves: bool, least: float, most: float) -> None:
    makers = plant_makers(np.random.default_rng(3)) if leaves else bare_plants(3)
    found = {name: [_share_let_through(makers[f"tree.{name}"](), a) for a in (0.3, 2.1)] for name in BROADLEAVED}
    assert least <= np.mean(list(found.values())) <= most, found
    assert all(least / 3 < np.mean(shares) < 3 * most for shares in found.values()), found


@pytest.mark.parametrize("name", ["tree.oak", "tree.plane", "fan_palm.0", "feather_palm.0", "shrub.1", "hedge.middle"])
def test_leaves_are_small_from_near_by(name: str) -> None:
    """What is ragged at the rim of a crown are leaves, not sheets: from 8 m on 0.04 square metres are 20 px square."""
    faces = [face for face in _corners(plant_makers(np.random.default_rng(3))[name](), "leaves") if len(face) == 3]
    areas = np.array([np.linalg.norm(np.cross(b - a, c - a)) / 2 for a, b, c in faces])
    assert len(areas) > 100
    assert np.median(areas) < 0.04
    assert np.percentile(areas, 90) < 0.1
