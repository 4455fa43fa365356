"""What people wear: thermal zones and thickness on the body, and shapes of their own where the outline shows them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from renderer.zones.catalogue import Zone
from scipy.spatial import ConvexHull

from .bodies import Body
from .cuts import Surface, cut
from .mesh import ZonedMesh, box, ellipse, loft, vertex_normals
from .skeleton import Posed, Skeleton

__all__ = [
    "Head",
    "HeadBox",
    "Outfit",
    "dressed",
    "filled",
    "hanging",
    "head_box",
    "tailored",
    "thickness_m",
    "worn_shapes",
]

Array = NDArray[np.float64]


Head = Literal["", "hat", "cap", "hood", "beanie", "helmet", "full_helmet"]

_UNDERWEAR_SOCKS_SHOES_CLO = 0.1


@dataclass(frozen=True)
class Outfit:
    """Clothes and what is carried."""

    top: Literal["shirt", "jacket", "coat"] = "jacket"
    sleeve: float = 1.0
    """Share of the forearm that is covered; less than 0: of the upper arm."""
    bottom: Literal["trousers", "shorts", "skirt", "dress"] = "trousers"
    hair: Literal["short", "long", "bald"] = "short"
    head: Head = ""
    bag: Literal["", "backpack", "shoulder_bag", "handbag", "umbrella"] = ""

    @property
    def hem_below_hip(self) -> float:
        """Where a skirt or the tails of a coat end, as a share of the way from hip to ankle; 0 where there are none."""
        tails = {"coat": 0.42}.get(self.top, 0.0)
        return max(tails, {"skirt": 0.5, "dress": 0.62}.get(self.bottom, 0.0))

    @property
    def clo(self) -> float:
        """Insulation of the whole, 1 clo = 0.155 m2K/W: the sum of its garments (ISO 9920:2007, annex B)."""
        top = {"shirt": 0.12 if self.sleeve < 0 else 0.25, "jacket": 0.65, "coat": 1.1}[self.top]
        bottom = {"trousers": 0.25, "shorts": 0.06, "skirt": 0.16, "dress": 0.2}[self.bottom]
        return round(top + bottom + _UNDERWEAR_SOCKS_SHOES_CLO, 2)


# Above the skin, metres (assumed: what cloth and the air in it add to an outline).
_THICK_M = {"shirt": 0.007, "jacket": 0.022, "coat": 0.03, "trousers": 0.012, "shorts": 0.014}
_SHOE_M, _HEM_M = 0.010, 0.014
_HEADWEAR_M = {"hood": 0.034, "beanie": 0.016, "cap": 0.012, "hat": 0.012, "helmet": 0.034, "full_helmet": 0.04}
_HAIR_M = {"short": 0.012, "long": 0.02, "bald": 0.0}

_GROUPS: dict[str, tuple[str, ...]] = {
    "head": ("head", "eye"),
    "neck": ("neck",),
    "hand": ("wrist", "finger", "metacarpal"),
    "forearm": ("lowerarm",),
    "upper_arm": ("upperarm", "shoulder01"),
    "trunk": ("clavicle", "spine01", "spine02", "spine03"),
    "hips": ("spine04", "spine05", "root", "pelvis"),
    "thigh": ("upperleg",),
    "shank": ("lowerleg",),
    "foot": ("foot", "toe"),
}


def group_weights(skeleton: Skeleton, weights: Array) -> Array:
    """(N, groups) share of each group of bones, in the order of the groups."""
    columns = [
        weights[:, [n for name, n in skeleton.number.items() if name.startswith(starts)]].sum(axis=1)
        for starts in _GROUPS.values()
    ]
    return np.stack(columns, axis=1)


class _Places:
    """Where points of a body at rest are: along arms and legs, above waist and neck."""

    def __init__(self, skeleton: Skeleton, body: Body, points_m: Array, weights: Array) -> None:
        self._skeleton, self._body, self._points = skeleton, body, points_m
        shares = group_weights(skeleton, weights)
        names = list(_GROUPS)
        self.group: NDArray[np.str_] = np.array(names)[shares.argmax(axis=1)]
        own = {name: shares[:, column] for column, name in enumerate(names)}
        self.arm = own["hand"] + own["forearm"] + own["upper_arm"] > 0.5
        self.leg = own["thigh"] + own["shank"] + own["foot"] > 0.5
        self.trunk = ~self.arm & (own["head"] + own["thigh"] + own["shank"] + own["foot"] < 0.5)
        self.collar = own["neck"] + own["head"] + own["trunk"] + own["upper_arm"] > 0.7

    def _joint(self, name: str) -> Array:
        joint: Array = self._body.heads_m[self._skeleton.number[name]]
        return joint

    def along(self, first: str, last: str) -> Array:
        """(N,) where points are on the way from one joint to another, of their own side: 0 to 1."""
        share = np.zeros(len(self._points))
        for side, own in (("L", self._points[:, 1] >= 0), ("R", self._points[:, 1] < 0)):
            start, end = (self._joint(f"{name}.{side}") for name in (first, last))
            share[own] = (self._points[own] - start) @ (end - start) / ((end - start) @ (end - start))
        return share

    def above_waist(self, share: float) -> Array:
        """(N,) metres above a level between hip (0) and waist (1)."""
        hip, waist = self._joint("upperleg01.L")[2], self._joint("spine03")[2]
        above: Array = self._points[:, 2] - (hip + share * (waist - hip))
        return above

    def above_collar(self, raised: float = 0.0) -> Array:
        """(N,) metres above a plane through the base of the neck that falls to the front."""
        base = self._joint("neck01")
        above: Array = self._points[:, 2] - base[2] - 0.02 - raised + 0.35 * (self._points[:, 0] - base[0])
        return above

    def above_ankle(self) -> Array:
        """(N,) metres above the edge of a shoe."""
        above: Array = self._points[:, 2] - self._joint("foot.L")[2] - 0.02
        return above


@dataclass(frozen=True)
class HeadBox:
    """Extent of a head at rest, metres."""

    low: Array
    high: Array

    def share(self, points_m: Array) -> Array:
        """(N, 3) from back to front, right to left, chin to crown, each 0 to 1."""
        shares: Array = (points_m - self.low) / (self.high - self.low)
        return shares


def head_box(skeleton: Skeleton, body: Body, weights: Array) -> HeadBox:
    """Of the vertices that the head's bone moves."""
    points = body.vertices_m[weights[:, skeleton.number["head"]] > 0.8]
    return HeadBox(points.min(axis=0), points.max(axis=0))


def _bare_from(outfit: Outfit, places: _Places) -> Array:
    """(N,) above 0 where an arm is bare, in shares of its upper or lower part."""
    if outfit.sleeve < 0:
        return places.along("upperarm01", "lowerarm01") + outfit.sleeve
    return places.along("lowerarm01", "wrist") - min(outfit.sleeve, 0.97)


_LEGS_END = {"trousers": 2.0, "shorts": 0.48, "skirt": 0.25, "dress": 0.25}
"""Share of the leg from which on it is bare; a skirt hangs lower as a shape of its own."""
_WAIST = {"shirt": 0.75, "jacket": 0.05, "coat": -0.1}
_HAND_FROM = 0.97
"""Share of the forearm."""


def _seams(outfit: Outfit, places: _Places) -> list[tuple[Array, NDArray[np.bool_]]]:
    """Fields that are zero where cloth ends, and where each counts."""
    return [
        (_bare_from(outfit, places), places.arm),
        (places.along("lowerarm01", "wrist") - _HAND_FROM, places.arm),
        (places.along("upperleg01", "foot") - _LEGS_END[outfit.bottom], places.leg),
        (places.above_ankle(), places.leg),
        (places.above_waist(_WAIST[outfit.top]), places.trunk | places.leg),
        (places.above_collar(), places.collar),
    ]


def tailored(skeleton: Skeleton, body: Body, surface: Surface, outfit: Outfit) -> Surface:
    """The surface of a body at rest, cut along the seams of what is worn."""
    for number in range(len(_seams(outfit, _Places(skeleton, body, surface.vertices_m, surface.weights)))):
        places = _Places(skeleton, body, surface.vertices_m, surface.weights)
        surface = cut(surface, *_seams(outfit, places)[number])
    return surface


def faces_zones(skeleton: Skeleton, body: Body, surface: Surface, head: HeadBox, outfit: Outfit) -> NDArray[np.uint8]:
    """(F,) thermal zone of each face of the body."""
    centres, weights = (values[surface.faces].mean(axis=1) for values in (surface.vertices_m, surface.weights))
    places = _Places(skeleton, body, centres, weights)
    limbs = places.arm | places.leg | (places.group == "head")
    zones = np.full(len(centres), Zone.UPPER_CLOTHES, np.uint8)
    zones[places.leg | (~limbs & (places.above_waist(_WAIST[outfit.top]) < 0))] = Zone.LOWER_CLOTHES
    if outfit.bottom == "dress" or outfit.top == "coat":
        zones[~limbs | (places.leg & (places.along("upperleg01", "foot") < 0.7 * outfit.hem_below_hip))] = (
            Zone.UPPER_CLOTHES
        )
    zones[(places.leg & (places.above_waist(_WAIST[outfit.top]) > 0))] = Zone.UPPER_CLOTHES
    zones[places.leg & (places.along("upperleg01", "foot") > _LEGS_END[outfit.bottom])] = Zone.SKIN
    zones[places.leg & (places.above_ankle() < 0)] = Zone.SHOES
    zones[places.arm & (_bare_from(outfit, places) > 0)] = Zone.SKIN
    zones[places.arm & (places.along("lowerarm01", "wrist") > _HAND_FROM)] = Zone.HANDS
    zones[(places.group == "head") | (places.collar & ~places.arm & (places.above_collar() > 0))] = Zone.SKIN
    _mark_head(zones, places.group, head.share(centres), outfit)
    return zones


def _mark_head(zones: NDArray[np.uint8], group: NDArray[np.str_], share: Array, outfit: Outfit) -> None:
    """Hair above and behind the face, and what covers it."""
    head = group == "head"
    behind = (share[:, 0] < 0.44) & (share[:, 2] > (0.0 if outfit.hair == "long" else 0.22))
    scalp = head & (behind | (share[:, 2] > 0.79) | ((share[:, 0] < 0.6) & (share[:, 2] > 0.66)))
    if outfit.hair != "bald":
        zones[scalp] = Zone.HAIR
    if outfit.head == "hood":
        zones[scalp | (head & ((share[:, 0] < 0.62) | (share[:, 2] > 0.82)))] = Zone.HEADWEAR
        zones[group == "neck"] = Zone.HEADWEAR
    elif outfit.head == "full_helmet":
        zones[head] = Zone.HEADWEAR
    elif outfit.head in ("beanie", "helmet"):
        low = 0.55 if outfit.head == "beanie" else 0.62
        zones[head & (share[:, 2] > low + 0.22 * share[:, 0])] = Zone.HEADWEAR
    elif outfit.head:
        zones[head & (share[:, 2] > 0.76)] = Zone.HEADWEAR


def dressed(
    skeleton: Skeleton, body: Body, surface: Surface, head: HeadBox, outfit: Outfit
) -> tuple[Surface, NDArray[np.uint8]]:
    """The surface with the thickness of clothes, and the zones (F,) of its faces."""
    zones = faces_zones(skeleton, body, surface, head, outfit)
    thick = np.zeros(256)
    thick[Zone.UPPER_CLOTHES] = _THICK_M[outfit.top]
    thick[Zone.LOWER_CLOTHES] = _THICK_M.get(outfit.bottom, 0.008)
    thick[Zone.SHOES], thick[Zone.HAIR] = _SHOE_M, _HAIR_M[outfit.hair]
    thick[Zone.HEADWEAR] = _HEADWEAR_M.get(outfit.head, 0.0)
    of_faces = thick[zones]
    if outfit.bottom == "trousers":
        centres, weights = (values[surface.faces].mean(axis=1) for values in (surface.vertices_m, surface.weights))
        hem = np.clip((_Places(skeleton, body, centres, weights).along("lowerleg01", "foot") - 0.3) / 0.6, 0, 1)
        of_faces = of_faces + np.where(zones == Zone.LOWER_CLOTHES, _HEM_M * hem, 0.0)
    outward = _mean_at_vertices(of_faces, surface.faces, len(surface.vertices_m))
    normals = vertex_normals(surface.vertices_m, surface.faces)
    return Surface(surface.vertices_m + normals * outward[:, None], surface.weights, surface.faces), zones


def _mean_at_vertices(of_faces: Array, faces: NDArray[np.int64], count: int) -> Array:
    """(V,) mean over the faces at each vertex."""
    sums, counts = np.zeros(count), np.zeros(count)
    np.add.at(sums, faces.ravel(), np.repeat(of_faces, 3))
    np.add.at(counts, faces.ravel(), 1.0)
    mean: Array = sums / np.maximum(counts, 1.0)
    return mean


# --- shapes of their own ----------------------------------------------------------------------------------------------


def hanging(
    skeleton: Skeleton, posed: Posed, skin_m: Array, moved_by_arms: NDArray[np.bool_], outfit: Outfit
) -> Iterator[ZonedMesh]:
    """Skirt or tails of a coat: from the waist down around both legs as they stand.

    Args:
        skeleton: bones.
        posed: where they are.
        skin_m: (N, 3) points of the posed skin.
        moved_by_arms: (N,) which of these belong to arms, hands and head.
        outfit: what is worn.
    """
    if outfit.hem_below_hip <= 0:
        return
    hips, ankles = (
        np.mean([posed.heads_m[skeleton.number[f"{name}.{side}"]] for side in "LR"], axis=0)
        for name in ("upperleg01", "foot")
    )
    if hips[2] - ankles[2] < 0.85 * np.linalg.norm(hips - ankles):
        return
    under_a_jacket = outfit.bottom == "skirt" and outfit.top == "jacket"
    top = hips[2] + (-0.02 if under_a_jacket else 0.12) * (hips[2] - ankles[2])
    hem = hips[2] - outfit.hem_below_hip * (hips[2] - ankles[2])
    points = skin_m[~moved_by_arms]
    thick = _THICK_M.get(outfit.top if outfit.top == "coat" else "", 0.012)
    rings = []
    for share in np.linspace(1.0, 0.0, 5):
        level = top + share * (hem - top)
        near = points[(points[:, 2] > level - 0.02) & (points[:, 2] < level + 0.02 + 0.2 * share)]
        rings.append(_ring_around(near, level, thick + 0.045 * share))
    yield loft(rings, Zone.UPPER_CLOTHES if outfit.top == "coat" or outfit.bottom == "dress" else Zone.LOWER_CLOTHES)


def thickness_m(outfit: Outfit) -> float:
    """Of the thickest clothes below the neck."""
    return max(_THICK_M[outfit.top], _THICK_M.get(outfit.bottom, 0.012))


def filled(rings_m: Array, count: int = 16) -> Array:
    """Points between the rings of a loft too."""
    rings = rings_m[:-2].reshape(-1, count, 3)
    between = [rings[:-1] * (1 - share) + rings[1:] * share for share in (0.0, 0.25, 0.5, 0.75)]
    return np.concatenate([*(one.reshape(-1, 3) for one in between), rings[-1]])


def _ring_around(points_m: Array, level_m: float, grown_m: float, count: int = 16) -> Array:
    """A ring (count, 3) around points, as cloth would hang around them."""
    flat = points_m[:, :2]
    hull = ConvexHull(flat)
    centre = flat[hull.vertices].mean(axis=0)
    angle = 2 * np.pi * np.arange(count) / count
    ways = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    towards = ways @ hull.equations[:, :2].T
    inside = -(hull.equations[:, :2] @ centre + hull.equations[:, 2])
    reach = np.where(towards > 1e-9, inside / np.maximum(towards, 1e-9), np.inf).min(axis=1) + grown_m
    return np.concatenate([centre + ways * reach[:, None], np.full((count, 1), level_m)], axis=1)


def worn_shapes(skeleton: Skeleton, body: Body, head: HeadBox, posed: Posed, outfit: Outfit) -> Iterator[ZonedMesh]:
    """Hair, hats and bags, where the pose has them."""
    for shape in on_head(head, outfit):
        yield ZonedMesh(posed.rigid(shape.vertices_m, skeleton.number["head"]), shape.faces, shape.zones)
    chest, hips = skeleton.number["spine01"], skeleton.number["root"]
    size = float(np.ptp(body.vertices_m[:, 2])) / 1.75
    if outfit.bag == "backpack":
        back = _back_of(body, body.heads_m[chest][2] - 0.12 * size)
        shape = box(
            (back - 0.085 * size, 0.0, body.heads_m[chest][2] - 0.13 * size),
            (0.19 * size, 0.3 * size, 0.46 * size),
            Zone.CARRIED,
        )
        yield ZonedMesh(posed.rigid(shape.vertices_m, chest), shape.faces, shape.zones)
    elif outfit.bag == "shoulder_bag":
        side = _side_of(body, body.heads_m[hips][2])
        shape = box(
            (-0.04, -side - 0.075, body.heads_m[hips][2] - 0.03), (0.32 * size, 0.11, 0.26 * size), Zone.CARRIED
        )
        yield ZonedMesh(posed.rigid(shape.vertices_m, hips), shape.faces, shape.zones)
    elif outfit.bag == "handbag":
        x, y, z = _grip(skeleton, posed)
        yield box((x, y, z - 0.2), (0.34, 0.12, 0.28), Zone.CARRIED)
        yield loft([ellipse((x, y, level), 0.09, 0.012, 8) for level in (z - 0.08, z + 0.015)], Zone.CARRIED)
    elif outfit.bag == "umbrella":
        yield from _umbrella(_grip(skeleton, posed), posed.heads_m[skeleton.number["head"]][2] + 0.2 * size)


def _grip(skeleton: Skeleton, posed: Posed) -> Array:
    """Where the right hand holds something."""
    wrist, knuckle = (posed.heads_m[skeleton.number[name]] for name in ("wrist.R", "finger3-1.R"))
    middle: Array = 0.2 * wrist + 0.8 * knuckle
    return middle


def _umbrella(grip: Array, rim_m: float) -> Iterator[ZonedMesh]:
    """A stick in the hand, and cloth whose rim is at a height."""
    x, y, z = grip
    yield loft([ellipse((x, y, level), 0.012, 0.012, 6) for level in (z - 0.1, rim_m + 0.28)], Zone.CARRIED)
    levels = ((0.0, 0.5), (0.1, 0.44), (0.18, 0.3), (0.25, 0.08))
    yield loft([ellipse((x, y, rim_m + up), wide, wide, 16) for up, wide in levels], Zone.CARRIED)


def _back_of(body: Body, level_m: float) -> float:
    points = body.vertices_m[(abs(body.vertices_m[:, 2] - level_m) < 0.12) & (abs(body.vertices_m[:, 1]) < 0.12)]
    return float(points[:, 0].min())


def _side_of(body: Body, level_m: float) -> float:
    points = body.vertices_m[(abs(body.vertices_m[:, 2] - level_m) < 0.08) & (abs(body.vertices_m[:, 1]) < 0.3)]
    return float(points[:, 1].max())


def on_head(head: HeadBox, outfit: Outfit) -> Iterator[ZonedMesh]:
    """Long hair, the brim of a hat or the peak of a cap; of a head at rest."""
    (back, right, chin), (front, left, crown) = head.low, head.high
    x, y = (back + front) / 2, (left + right) / 2
    deep, wide, high = front - back, left - right, crown - chin
    if outfit.hair == "long" and outfit.head not in ("hood", "full_helmet"):
        levels = ((-0.75, 0.34, 0.11), (-0.4, 0.44, 0.14), (0.1, 0.5, 0.2), (0.55, 0.5, 0.26), (0.85, 0.4, 0.26))
        yield loft(
            [
                ellipse((back + 0.17 * deep, y, chin + up * high), along * deep, across * wide * 1.12, 12)
                for up, across, along in levels
            ],
            Zone.HAIR,
        )
    if outfit.head == "hat":
        rim = chin + 0.74 * high
        yield loft([ellipse((x, y, rim + up), 0.85 * deep, 0.95 * wide, 16) for up in (-0.006, 0.006)], Zone.HEADWEAR)
        crown_levels = ((0.0, 0.55), (0.3, 0.53), (0.42, 0.4))
        yield loft(
            [
                ellipse((x - 0.01, y, rim + up * high), grown * deep, grown * wide * 1.08, 16)
                for up, grown in crown_levels
            ],
            Zone.HEADWEAR,
        )
    if outfit.head == "cap":
        rim = chin + 0.76 * high
        yield loft(
            [ellipse((front - 0.06 + 0.04, y, rim + up), 0.1, 0.42 * wide, 12) for up in (-0.006, 0.008)], Zone.HEADWEAR
        )
