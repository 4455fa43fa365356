"""Wheels: tyre, spoked rim and brake disc, turned about the local y axis; the outside faces +y."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from renderer.zones.catalogue import Zone

from .mesh import PolyMesh

__all__ = ["WheelShape", "build_wheel"]


@dataclass(frozen=True)
class WheelShape:
    """Sizes as in a tyre's name: 205/55 R16 is width 0.205, ratio 0.55, rim 16 inches."""

    width_m: float
    ratio: float
    rim_inch: float
    spokes: int = 5
    spoke_share: float = 0.5
    """Part of the circle that the spokes cover."""
    dish_m: float = 0.02
    """How far the hub lies inside the rim's outer edge; negative where it stands out."""
    segments: int = 25
    bright: bool = False
    """Spokes of polished alloy, which mirror the sky; painted or covered ones are taken as warm as the tyre's wall."""
    twin: bool = False
    """Two tyres side by side, as on the driven axle of a lorry or bus."""

    @property
    def radius_m(self) -> float:
        """Outer radius of the tyre."""
        return self.rim_m + self.width_m * self.ratio

    @property
    def rim_m(self) -> float:
        """Radius of the rim's seat."""
        return self.rim_inch * 0.0254 / 2

    @property
    def full_width_m(self) -> float:
        """Width of all tyres together."""
        return self.width_m * (2.1 if self.twin else 1.0)


def build_wheel(shape: WheelShape) -> PolyMesh:
    """Mesh of a left wheel about its hub; its outer face lies at half the tyre's width."""
    mesh = PolyMesh()
    _tyre(mesh, shape, 0.0)
    if shape.twin:
        _tyre(mesh, shape, -1.1 * shape.width_m)
    _rim(mesh, shape)
    _brake(mesh, shape)
    mesh.weld()
    return mesh


def _tyre(mesh: PolyMesh, shape: WheelShape, at: float) -> None:
    """Tyre: bead, bulging side walls, rounded shoulders, tread; closed inside by a plate."""
    w, r, rim = shape.width_m / 2, shape.radius_m, shape.rim_m
    wall = r - rim
    half = [(0.8 * w, rim), (0.97 * w, rim + 0.3 * wall), (1.0 * w, rim + 0.55 * wall), (0.95 * w, rim + 0.85 * wall),
            (0.84 * w, rim + 0.965 * wall), (0.7 * w, r)]  # fmt: skip
    # Nobody sees the inner wall closely: bead, widest point and shoulder will do.
    inner = [half[0], half[2], half[4], half[5]]
    profile = [(at - y, radius) for y, radius in inner] + [(at + y, radius) for y, radius in reversed(half)]
    profile = [(at - 0.6 * w, 0.0), (at - 0.6 * w, 0.9 * rim), *profile]
    zones = [Zone.UNDERBODY, Zone.UNDERBODY] + [Zone.TYRE] * (len(profile) - 3)
    mesh.lathe(profile, zones, shape.segments)


def _rim(mesh: PolyMesh, shape: WheelShape) -> None:
    """Rim flange, barrel and spokes."""
    w, rim = shape.width_m / 2, shape.rim_m
    flange = [(0.8 * w, rim), (0.86 * w, rim * 0.985), (0.8 * w, rim * 0.94), (-0.5 * w, rim * 0.9)]
    mesh.lathe(flange, [Zone.TYRE] * 3, shape.segments)
    per = shape.segments // shape.spokes
    solid = max(1, round(per * shape.spoke_share))
    face, hub = 0.78 * w, 0.78 * w - shape.dish_m
    radii = [0.935 * rim, 0.6 * rim, 0.3 * rim]
    heights = [face, face - 0.45 * shape.dish_m, hub]
    angle = np.arange(shape.segments + 1) * 2 * math.pi / shape.segments - math.pi / 2
    metal = Zone.TRIM if shape.bright else Zone.TYRE
    for spoke in range(shape.spokes):
        own = angle[spoke * per : spoke * per + solid + 1]
        front = np.array([[(r * math.cos(a), y, r * math.sin(a)) for a in own]
                          for r, y in zip(radii, heights, strict=True)])  # fmt: skip
        mesh.grid(front, metal, flip=True)
        back = front - (0.0, 0.22 * w + 0.01, 0.0)
        for edge in (0, -1):
            mesh.grid(np.stack([front[:, edge], back[:, edge]]), metal, flip=edge == 0)
    mesh.lathe([(hub - 0.2 * w, 0.3 * rim), (hub, 0.3 * rim), (hub + 0.012, 0.2 * rim), (hub + 0.02, 0.0)],
               [metal] * 3, shape.segments)  # fmt: skip


def _brake(mesh: PolyMesh, shape: WheelShape) -> None:
    """Brake disc behind the spokes; a dark plate closes the rest of the rim."""
    w, rim = shape.width_m / 2, shape.rim_m
    depth = 0.1 * w
    mesh.lathe([(depth - 0.3 * w, 0.86 * rim), (depth, 0.86 * rim), (depth, 0.2 * rim)],
               [Zone.BRAKE, Zone.BRAKE], shape.segments)  # fmt: skip
    mesh.lathe([(-0.4 * w, 0.9 * rim), (-0.4 * w, 0.2 * rim)], [Zone.UNDERBODY], shape.segments)
