"""The models of ``trailers.npz``: a caravan, a luggage trailer with its cover, a flat one with boards, a horse box.

Sizes, with the drawbar: caravans of two axles' width and one axle (Hobby De Luxe 460: 6.6 x 2.3 x 2.6 m), luggage
trailers of 750 kg (Boeckmann, Stema: 3.3 x 1.5 m), horse boxes for two (4.3 x 2.2 x 2.7 m). x is forward, to the car.
The origin is on the ground below the middle of the whole, drawbar included.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from renderer.zones.catalogue import Zone

from assets.build.people.mesh import ZonedMesh, joined
from assets.build.people.models import PersonModel
from assets.build.people.twowheelers import disc, tube

__all__ = ["trailer_models"]

Array = NDArray[np.float64]

_STEP_M = 1 / 2048
_ROUND_M: Final = 0.12
"""Rounding of the long edges of a caravan's roof."""


def _hull(profile: Sequence[tuple[float, float]], half_width_m: float, side: Zone, top: Zone) -> ZonedMesh:
    """A closed body: an outline (x, z) against the clock seen from the right, swept across, its roof's edges rounded.

    Faces that look up more than aside are of the roof's zone, those that look down of the underbody's.
    """
    outline, middle = np.array(profile), np.mean(profile, axis=0)
    inward = 1.0 - _ROUND_M / np.maximum(np.abs(outline - middle).max(axis=1, keepdims=True), 1.0)
    rings = []
    for y, share in ((-1.0, 0.0), (-0.93, 1.0), (0.93, 1.0), (1.0, 0.0)):
        points = outline if share else middle + (outline - middle) * inward
        rings.append(np.column_stack([points[:, 0], np.full(len(points), y * half_width_m), points[:, 1]]))
    count = len(outline)
    faces: list[tuple[int, int, int]] = []
    for k in range(len(rings) - 1):
        for a in range(count):
            b, low, high = (a + 1) % count, k * count, (k + 1) * count
            faces += [(low + a, high + b, low + b), (low + a, high + a, high + b)]
    centre = len(rings) * count
    last = (len(rings) - 1) * count
    faces += [(centre, a, (a + 1) % count) for a in range(count)]
    faces += [(centre + 1, last + (a + 1) % count, last + a) for a in range(count)]
    ends = [(*middle[:1], -half_width_m, *middle[1:]), (*middle[:1], half_width_m, *middle[1:])]
    vertices, order = np.concatenate([*rings, np.array(ends)]), np.array(faces)
    corners = vertices[order]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    zones = np.where(normals[:, 2] > 0.7, top, np.where(normals[:, 2] < -0.7, Zone.UNDERBODY, side))
    return ZonedMesh(vertices, order, zones.astype(np.uint8))


def _block(centre_m: Sequence[float], size_m: Sequence[float], zone: Zone) -> ZonedMesh:
    """A plain box."""
    (x, y, z), (length, width, height) = centre_m, size_m
    outline = [(x - length / 2, z - height / 2), (x + length / 2, z - height / 2)]
    outline += [(x + length / 2, z + height / 2), (x - length / 2, z + height / 2)]
    rings = [np.array([(px, y + side * width / 2, pz) for px, pz in outline]) for side in (-1.0, 1.0)]
    sides = [(a, 4 + (a + 1) % 4, (a + 1) % 4) for a in range(4)] + [(a, 4 + a, 4 + (a + 1) % 4) for a in range(4)]
    faces = np.array([*sides, (0, 1, 2), (0, 2, 3), (4, 6, 5), (4, 7, 6)])
    return ZonedMesh(np.concatenate(rings), faces, np.full(len(faces), zone, np.uint8))


def _running_gear(front_m: float, tip_m: float, axles_m: Sequence[float], track_m: float) -> Iterator[ZonedMesh]:
    """A drawbar of two tubes with its coupling and a small wheel, and wheels below mudguards."""
    for y in (-0.55, 0.55):
        yield tube((front_m, y, 0.46), (tip_m - 0.25, 0.03 * np.sign(y), 0.46), 0.04, Zone.FRAME)
    yield _block((tip_m - 0.14, 0.0, 0.46), (0.3, 0.1, 0.1), Zone.FRAME)
    yield tube((tip_m - 0.3, 0.12, 0.1), (tip_m - 0.3, 0.12, 0.75), 0.025, Zone.FRAME)
    yield disc((tip_m - 0.3, 0.12, 0.1), 0.1, 0.025, Zone.TYRE, 12)
    for x in axles_m:
        for side in (-1.0, 1.0):
            yield disc((x, side * track_m / 2, 0.31), 0.31, 0.085, Zone.TYRE, 20)
            yield disc((x, side * (track_m / 2 + 0.02), 0.31), 0.17, 0.08, Zone.TRIM, 14)


def _lamps(rear_m: float, half_width_m: float, height_m: float) -> Iterator[ZonedMesh]:
    for side in (-1.0, 1.0):
        yield _block((rear_m, side * (half_width_m - 0.16), height_m), (0.04, 0.2, 0.12), Zone.LAMP)
    yield _block((rear_m, 0.0, height_m - 0.02), (0.03, 0.52, 0.11), Zone.TRIM)


def _panes(places: Sequence[tuple[float, float, float, float]], half_width_m: float) -> Iterator[ZonedMesh]:
    """Windows (x, z, length, height) that stand out of both sides by a centimetre."""
    for x, z, length, height in places:
        for side in (-1.0, 1.0):
            yield _block((x, side * half_width_m, z), (length, 0.03, height), Zone.GLASS)


def _caravan() -> Iterator[ZonedMesh]:
    back, front, low, high = -3.1, 2.2, 0.38, 2.6
    profile = [
        (back + 0.15, low), (front - 0.2, low), (front, low + 0.35), (front - 0.02, 1.35), (front - 0.35, 2.25),
        (front - 0.6, high), (back + 0.3, high), (back + 0.05, high - 0.25), (back, 1.1), (back + 0.02, low + 0.2),
    ]  # fmt: skip
    yield _hull(profile, 1.15, Zone.BODY, Zone.ROOF)
    yield from _panes([(1.0, 1.6, 0.9, 0.55), (-1.8, 1.6, 0.9, 0.55)], 1.15)
    yield _block((-0.2, -1.15, 1.35), (0.62, 0.03, 1.7), Zone.TRIM)
    yield _block((front - 0.16, 0.0, 1.75), (0.1, 1.7, 0.55), Zone.GLASS)
    yield _block((back, 0.0, 1.65), (0.06, 1.5, 0.55), Zone.GLASS)
    yield _block((-0.9, 0.0, high + 0.05), (0.5, 0.5, 0.12), Zone.TRIM)
    yield from _lamps(back, 1.1, 0.75)
    yield from _running_gear(front - 0.2, 3.3, (-0.45,), 2.02)


def _luggage_trailer() -> Iterator[ZonedMesh]:
    back, front = -1.65, 0.55
    yield _block(((back + front) / 2, 0.0, 0.66), (front - back, 1.12, 0.36), Zone.BODY)
    cover = [(back - 0.01, 0.78), (front + 0.01, 0.78), (front, 1.35), (front - 0.25, 1.52), (back + 0.25, 1.52),
             (back, 1.35)]  # fmt: skip
    yield _hull(cover, 0.57, Zone.CARRIED, Zone.CARRIED)
    for side in (-1.0, 1.0):
        yield _block((-0.65, side * 0.68, 0.68), (0.76, 0.2, 0.04), Zone.TRIM)
    yield from _lamps(back - 0.01, 0.66, 0.6)
    yield from _running_gear(front, 1.65, (-0.65,), 1.36)


def _flat_trailer() -> Iterator[ZonedMesh]:
    back, front = -1.85, 0.75
    yield _block(((back + front) / 2, 0.0, 0.62), (front - back, 1.3, 0.06), Zone.UNDERBODY)
    for x, length, y, width in ((-0.55, 2.6, -0.65, 0.04), (-0.55, 2.6, 0.65, 0.04), (back, 0.04, 0.0, 1.3),
                                (front, 0.04, 0.0, 1.3)):  # fmt: skip
        yield _block((x, y, 0.82), (length, width, 0.36), Zone.FRAME)
    yield _block((-0.6, 0.1, 0.82), (1.5, 0.9, 0.34), Zone.CARRIED)
    yield from _lamps(back - 0.03, 0.66, 0.56)
    yield from _running_gear(front, 1.85, (-0.55,), 1.5)


def _horse_box() -> Iterator[ZonedMesh]:
    back, front, low = -2.15, 0.95, 0.42
    profile = [(back, low), (front - 0.1, low), (front + 0.2, 1.3), (front + 0.15, 1.9), (front - 0.35, 2.35),
               (back + 0.2, 2.45), (back, 2.3)]  # fmt: skip
    yield _hull(profile, 0.82, Zone.BODY, Zone.ROOF)
    yield from _panes([(0.45, 1.75, 0.5, 0.35)], 0.82)
    yield _block((back, 0.0, 2.0), (0.05, 1.4, 0.45), Zone.CARRIED)
    for side in (-1.0, 1.0):
        yield _block((-0.6, side * 0.95, 0.72), (1.7, 0.22, 0.04), Zone.TRIM)
    yield from _lamps(back, 0.78, 0.66)
    yield from _running_gear(front - 0.1, 2.15, (-0.98, -0.22), 1.86)


def trailer_models() -> Iterator[PersonModel]:
    """All trailers."""
    makers = (_caravan, _luggage_trailer, _flat_trailer, _horse_box)
    for number, make in enumerate(makers, 1):
        yield _model(f"trailer_{number:02d}", joined(make()))


def _model(name: str, mesh: ZonedMesh) -> PersonModel:
    vertices = mesh.vertices_m - (mesh.vertices_m[:, 0].min() / 2 + mesh.vertices_m[:, 0].max() / 2, 0.0, 0.0)
    vertices = np.round(vertices / _STEP_M) * _STEP_M
    length, width = (2.0 * float(abs(vertices[:, axis]).max()) for axis in (0, 1))
    marks = {
        "gis_category": "trailer", "gis_model": name, "gis_source": "made by hand", "gis_length_m": length,
        "gis_width_m": width, "gis_height_m": float(vertices[:, 2].max()),
    }  # fmt: skip
    return PersonModel(name, ZonedMesh(vertices, mesh.faces, mesh.zones), None, marks)
