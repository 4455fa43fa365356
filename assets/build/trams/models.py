"""The model of ``trams.npz``: a low-floor tram of three sections, one mesh with zones and marks.

Sizes are those of the Adtranz GT6N (Bremen, Munich, Berlin and others, 1990 to 1997): 26.8 m over the couplers, 2.3 m
wide, 3.4 m high with what stands on the roof, floor at 0.35 m, wheels of 0.68 m. It is built for x > 0 and mirrored:
both ends have a cab. The pantograph stands on the middle section.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from renderer.zones.catalogue import Zone

from assets.build.people.mesh import ZonedMesh, joined
from assets.build.people.models import PersonModel
from assets.build.people.twowheelers import disc, tube

__all__ = ["tram_model"]

Array = NDArray[np.float64]

_STEP_M = 1 / 2048
_LENGTH_M = 26.8
_OUTLINE: Final = (
    (0.0, 0.28), (1.05, 0.28), (1.12, 0.36), (1.15, 0.85), (1.15, 1.05), (1.14, 2.3), (1.09, 2.62), (0.92, 2.9),
    (0.6, 3.02), (0.0, 3.06),
)  # fmt: skip
"""Half of the cross section, from the middle below to the middle of the roof: (y, z), metres."""
_PILLAR_M = 0.1
_SILL_POINT: Final = 4
"""Of the outline: the lower edge of the windows."""


def _row_zone(row: int, kind: str) -> Zone:
    """Zone of a row in a stretch of the wall: a pillar, a window or a door."""
    if row < 2:
        return Zone.UNDERBODY
    if row >= 6:
        return Zone.ROOF
    if row == 4 and kind != "pillar":
        return Zone.GLASS
    return Zone.GLASS if kind == "door" and row in (2, 3) else Zone.BODY


def _stretches(start_m: float, kinds: str, width_m: float) -> tuple[list[float], list[str]]:
    """Edges and kinds of a wall: pillars between windows (w) and doors (d)."""
    edges, names = [start_m], []
    for kind in kinds:
        edges += [edges[-1] + _PILLAR_M, edges[-1] + _PILLAR_M + width_m]
        names += ["pillar", {"w": "window", "d": "door"}[kind]]
    return [*edges, edges[-1] + _PILLAR_M], [*names, "pillar"]


def _grid(rings: Sequence[Array], zone_of: Callable[[int, int], Zone]) -> ZonedMesh:
    """Quads between rings (P, 3) of the half with y > 0, and their mirror images."""
    points = len(rings[0])
    faces, zones = [], []
    for k in range(len(rings) - 1):
        for row in range(points - 1):
            a, b = k * points + row, (k + 1) * points + row
            faces += [(a, b, b + 1), (a, b + 1, a + 1)]
            zones += [zone_of(k, row)] * 2
    left = ZonedMesh(np.concatenate(rings), np.array(faces)[:, ::-1], np.array(zones, np.uint8))
    return joined([left, _mirrored(left, 1)])


def _mirrored(mesh: ZonedMesh, axis: int) -> ZonedMesh:
    """The mesh on the other side."""
    vertices = mesh.vertices_m.copy()
    vertices[:, axis] *= -1.0
    return ZonedMesh(vertices, mesh.faces[:, ::-1], mesh.zones)


def _ring(x_m: float, wide: float = 1.0, lean: float = 0.0) -> Array:
    """The outline at a place; ``lean`` moves what is above the sill back, by that share of its height above it."""
    yz = np.array(_OUTLINE)
    x = x_m - lean * np.maximum(0.0, yz[:, 1] - _OUTLINE[_SILL_POINT][1])
    return np.column_stack([x, yz[:, 0] * wide, yz[:, 1]])


def _wall(start_m: float, kinds: str, width_m: float) -> tuple[ZonedMesh, float]:
    """A stretch of the body, and where it ends."""
    edges, names = _stretches(start_m, kinds, width_m)
    mesh = _grid([_ring(x) for x in edges], lambda k, row: _row_zone(row, names[k]))
    return mesh, edges[-1]


def _cap(ring: Array, zones: Callable[[int], Zone], *, front: bool) -> ZonedMesh:
    """A flat end between both sides of a ring."""
    points = len(ring)
    vertices = np.concatenate([ring, ring * (1.0, -1.0, 1.0)])
    faces, of = [], []
    for row in range(points - 1):
        a, b = row, points + row
        faces += [(a, a + 1, b + 1), (a, b + 1, b)]
        of += [zones(row)] * 2
    order = np.array(faces)
    return ZonedMesh(vertices, order if front else order[:, ::-1], np.array(of, np.uint8))


def _nose(start_m: float) -> Iterator[ZonedMesh]:
    """The cab: side panes, a slanted windscreen, two lamps on each side."""
    end = _LENGTH_M / 2
    stations = ((start_m, 1.0, 0.0), (end - 1.0, 0.99, 0.06), (end - 0.35, 0.9, 0.2), (end, 0.72, 0.3))
    rings = [_ring(*one) for one in stations]
    yield _grid(rings, lambda k, row: _row_zone(row, "window" if k < 2 else "pillar"))
    yield _cap(rings[-1], lambda row: Zone.GLASS if row in (4, 5) else _row_zone(row, "pillar"), front=True)
    for y in (-0.66, 0.66):
        yield _block((end - 0.1, y, 0.72), (0.24, 0.26, 0.14), Zone.LAMP)
    yield _block((end - 0.02, 0.0, 0.42), (0.3, 0.4, 0.16), Zone.UNDERBODY)


def _block(centre_m: Sequence[float], size_m: Sequence[float], zone: Zone) -> ZonedMesh:
    """A plain box."""
    signs = np.array([(x, y, z) for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)])
    quads = ((0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3))
    faces = np.array([corners for a, b, c, d in quads for corners in ((a, b, c), (a, c, d))])
    return ZonedMesh(signs * size_m + centre_m, faces, np.full(len(faces), zone, np.uint8))


def _bellows(start_m: float, end_m: float) -> ZonedMesh:
    """Folds between two sections, narrower than these."""
    edges = np.linspace(start_m, end_m, 9)
    rings = [_ring(float(x), 0.9 if k % 2 else 0.84) for k, x in enumerate(edges)]
    return _grid(rings, lambda _k, row: Zone.UNDERBODY if row < 2 else Zone.TRIM)


def _bogie(x_m: float) -> Iterator[ZonedMesh]:
    """Four wheels, motors between them, a track brake over each rail."""
    for y in (-0.72, 0.72):
        for dx in (-0.92, 0.92):
            yield disc((x_m + dx, y, 0.34), 0.34, 0.065, Zone.TYRE, 24)
        yield _block((x_m, y, 0.12), (1.0, 0.09, 0.12), Zone.BRAKE)
        yield _block((x_m, y * 1.25, 0.27), (1.5, 0.18, 0.2), Zone.ENGINE)


def _roof(x_m: float, length_m: float, height_m: float, zone: Zone) -> ZonedMesh:
    """Equipment in a box on the roof."""
    return _block((x_m, 0.0, 3.0 + height_m / 2), (length_m, 1.3, height_m), zone)


def _pantograph(x_m: float) -> Iterator[ZonedMesh]:
    """Two arms and the strip that slides along the wire."""
    for y in (-0.3, 0.3):
        yield tube((x_m - 0.5, y, 3.1), (x_m + 0.75, y, 3.75), 0.03, Zone.TRIM)
        yield tube((x_m + 0.75, y, 3.75), (x_m - 0.35, y * 0.6, 4.45), 0.02, Zone.TRIM)
    for dx in (-0.5, -0.2):
        yield tube((x_m + dx, -0.8, 4.48), (x_m + dx, 0.8, 4.48), 0.025, Zone.TRIM)


def tram_model() -> PersonModel:
    """The tram; its origin is on the ground below the middle."""
    middle, wall_end = _wall(0.65, "dw", 1.35)
    own, cab = _wall(wall_end + 0.7, "wdwdw", 1.35)
    half = [
        middle, _bellows(wall_end, wall_end + 0.7), own, *_nose(cab), *_bogie(9.0), _roof(10.2, 1.9, 0.38, Zone.GRILLE),
        _roof(7.0, 2.6, 0.34, Zone.ROOF), _roof(2.6, 1.7, 0.3, Zone.GRILLE),
    ]  # fmt: skip
    half += [_cap(_ring(wall_end), lambda row: _row_zone(row, "pillar"), front=True)]
    half += [_cap(_ring(wall_end + 0.7), lambda row: _row_zone(row, "pillar"), front=False)]
    centre = _grid([_ring(x) for x in (-0.65, 0.65)], lambda _k, row: _row_zone(row, "window"))
    parts = [*half, *(_mirrored(one, 0) for one in half), centre, *_bogie(0.0), *_pantograph(0.0)]
    mesh = joined(parts)
    vertices = np.round(mesh.vertices_m / _STEP_M) * _STEP_M
    length, width = (2.0 * float(abs(vertices[:, axis]).max()) for axis in (0, 1))
    marks = {
        "gis_category": "tram", "gis_model": "tram_01", "gis_source": "made by hand", "gis_length_m": length,
        "gis_width_m": width, "gis_height_m": float(vertices[:, 2].max()),
    }  # fmt: skip
    return PersonModel("tram_01", ZonedMesh(vertices, mesh.faces, mesh.zones), None, marks)
