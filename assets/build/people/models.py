"""The models of ``people.npz``: each person in each pose is one mesh with zones, key points and marks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .bodies import BodyModel
from .clearance import MOST_STEPS, hands_inside, raised
from .clothes import dressed, filled, hanging, head_box, on_head, tailored, thickness_m, worn_shapes
from .crowd import CROWD, RIDERS, Person
from .cuts import Surface
from .mesh import ZonedMesh, joined
from .moving import MovingLimbs, MovingParts, moving_limbs, moving_parts
from .poses import Pose, pose_named, rotations, with_umbrella
from .riding import riding
from .sitting import on_a_seat
from .skeleton import Posed
from .twowheelers import TWO_WHEELERS, TwoWheeler

__all__ = ["PersonModel", "person_models", "pushing_models", "two_wheeler_models"]

Array = NDArray[np.float64]

_STEP_M = 1 / 2048
"""Coordinates are rounded to this, so that every processor builds the same file, and it packs well."""
_PUSHING = tuple(f"push_{step:02}" for step in range(12))
_ARM_BONES = ("upperarm", "lowerarm", "wrist", "finger", "metacarpal", "shoulder01", "head", "neck", "eye")
_SHANK_BONES = ("lowerleg", "foot", "toe")
_HAND_BONES = ("lowerarm02", "wrist", "finger", "metacarpal")


@dataclass(frozen=True)
class PersonModel:
    """A person in a pose, or a two-wheeler; the ground is at z = 0, the origin below hips or middle."""

    name: str
    mesh: ZonedMesh
    key_points_m: NDArray[np.float32] | None
    """(17, 3), COCO's; None of things."""
    marks: dict[str, Any]
    parts: MovingParts | None = None
    """Of a two-wheeler: what turns."""
    limbs: MovingLimbs | None = None
    """Of a rider: what follows the pedals."""


def person_models(topology: str, people: Sequence[Person] = CROWD) -> Iterator[PersonModel]:
    """People in all their poses."""
    coarse, full = BodyModel(topology), BodyModel("anny")
    parts = _Parts.of(full)
    for person in people:
        figure = _Figure(person, coarse, full, parts)
        for pose in person.all_poses:
            yield (figure.without_bag() if pose.startswith("sit") else figure).model(pose)


def pushing_models(topology: str, people: Sequence[Person] = CROWD) -> Iterator[PersonModel]:
    """The phases of a stride that who pushes a pram has not among :func:`person_models`: sequences need them all."""
    coarse, full = BodyModel(topology), BodyModel("anny")
    parts = _Parts.of(full)
    for person in people:
        missing = [pose for pose in _PUSHING if pose not in person.all_poses]
        if len(missing) < len(_PUSHING):
            figure = _Figure(person, coarse, full, parts)
            yield from map(figure.model, missing)


def two_wheeler_models(topology: str) -> Iterator[PersonModel]:
    """All two-wheelers, and their riders."""
    coarse, full = BodyModel(topology), BodyModel("anny")
    parts, people = _Parts.of(full), {person.name: person for person in CROWD}
    for vehicle in TWO_WHEELERS:
        yield _parked(vehicle)
        for name, head in RIDERS[vehicle.name]:
            person = people[name]
            outfit = replace(person.outfit, head=head or person.outfit.head)
            yield _Figure(replace(person, outfit=outfit), coarse, full, parts).rider(vehicle)


def _parked(vehicle: TwoWheeler) -> PersonModel:
    vertices = np.round(vehicle.mesh.vertices_m / _STEP_M) * _STEP_M
    mesh = ZonedMesh(vertices, vehicle.mesh.faces, vehicle.mesh.zones)
    marks = _sizes(vertices) | {
        "gis_category": vehicle.category,
        "gis_model": vehicle.name,
        "gis_source": "made by hand",
    }
    return PersonModel(vehicle.name, mesh, None, marks, moving_parts(vehicle))


def _sizes(vertices: Array) -> dict[str, Any]:
    """Outer sizes about the origin, as marks."""
    length, width = (2.0 * float(abs(vertices[:, axis]).max()) for axis in (0, 1))
    return {"gis_length_m": length, "gis_width_m": width, "gis_height_m": float(vertices[:, 2].max())}


@dataclass(frozen=True)
class _Parts:
    """Which points of the skin (N,) belong to arms and head, and to each hand with the forearm below the elbow."""

    arms: NDArray[np.bool_]
    hands: tuple[NDArray[np.bool_], NDArray[np.bool_]]

    @classmethod
    def of(cls, full: BodyModel) -> _Parts:
        """Read from the weights of the bones."""
        left, right = (_moved_by(full, _HAND_BONES, f".{side}") for side in "LR")
        return cls(_moved_by(full, _ARM_BONES, ""), (left, right))


def _moved_by(full: BodyModel, starts: tuple[str, ...], end: str) -> NDArray[np.bool_]:
    bones = [n for name, n in full.skeleton.number.items() if name.startswith(starts) and name.endswith(end)]
    moved: NDArray[np.bool_] = full.weights[:, bones].sum(axis=1) > 0.3
    return moved


class _Figure:
    """A dressed person, ready to be posed."""

    def __init__(self, person: Person, coarse: BodyModel, full: BodyModel, parts: _Parts) -> None:
        self._person, self._coarse, self._full, self._parts = person, coarse, full, parts
        self._body, self._skin = coarse.body(person.build), full.body(person.build)
        self._head = head_box(full.skeleton, self._skin, full.weights)
        surface = Surface(self._body.vertices_m, coarse.weights, coarse.faces)
        cut = tailored(coarse.skeleton, self._body, surface, person.outfit)
        self._surface, self._zones = dressed(coarse.skeleton, self._body, cut, self._head, person.outfit)

    def without_bag(self) -> _Figure:
        """The same person, whose bag lies elsewhere."""
        other = copy(self)
        other._person = replace(self._person, outfit=replace(self._person.outfit, bag=""))
        return other

    def model(self, pose: str) -> PersonModel:
        """The person in a pose."""
        posed, skin = self._clear_of_the_body(self._angles(pose))
        mesh = joined(self._shapes(posed, skin, tails=True))
        lifted = np.array([0.0, 0.0, -mesh.vertices_m[:, 2].min()]) - (*posed.heads_m[0, :2], 0.0)
        return self._made(f"{self._person.name}.{pose}", pose, mesh, skin, lifted)

    def rider(self, vehicle: TwoWheeler) -> PersonModel:
        """The person on a vehicle, in the vehicle's axes."""
        size = float(np.ptp(self._skin.vertices_m[:, 2])) / 1.75
        posed = riding(self._coarse.skeleton, self._body.heads_m, vehicle, size)
        skin = posed.skin(self._skin.vertices_m, self._full.weights)
        mesh = joined(self._shapes(posed, skin, tails=False))
        name = f"{vehicle.name}.{self._person.name.replace('person', 'rider')}"
        made = self._made(name, "ride", mesh, skin, np.zeros(3))
        worn = sum(len(shape.vertices_m) for shape in on_head(self._head, self._person.outfit))
        limbs = moving_limbs(self._coarse.skeleton, posed, self._surface.weights, worn, made.mesh)
        return replace(made, marks=made.marks | {"gis_rides": vehicle.name}, limbs=limbs)

    def _made(self, name: str, pose: str, mesh: ZonedMesh, skin: Array, lifted: Array) -> PersonModel:
        vertices = np.round((mesh.vertices_m + lifted) / _STEP_M) * _STEP_M
        key_points = self._full.key_point_weights @ skin + lifted
        mesh = ZonedMesh(vertices, mesh.faces, mesh.zones)
        return PersonModel(name, mesh, key_points.astype(np.float32), self._marks(name, pose, vertices))

    def _angles(self, pose: str) -> Pose:
        angles = pose_named(pose, self._person.gait)
        if pose.startswith("sit"):
            return on_a_seat(angles, self._clothed)
        return with_umbrella(angles) if self._person.outfit.bag == "umbrella" else angles

    def _clothed(self, angles: Pose) -> tuple[Array, NDArray[np.bool_], Array]:
        """Points (N, 3) of body and clothes in a pose, which are of trunk and thighs (N,), and where the hips are."""
        skeleton, heads, surface = self._coarse.skeleton, self._body.heads_m, self._surface
        posed = skeleton.pose(heads, rotations(skeleton, heads, angles))
        elsewhere = [n for name, n in skeleton.number.items() if name.startswith((*_ARM_BONES, *_SHANK_BONES))]
        trunk = surface.weights[:, elsewhere].sum(axis=1) < 0.3
        return posed.skin(surface.vertices_m, surface.weights), trunk, posed.heads_m[skeleton.number["root"]]

    def _clear_of_the_body(self, angles: Pose) -> tuple[Posed, Array]:
        """The pose and the points of its skin; arms are raised to the side until no hand is in the body."""
        skeleton, heads = self._coarse.skeleton, self._body.heads_m
        for _ in range(MOST_STEPS):
            posed = skeleton.pose(heads, rotations(skeleton, heads, angles))
            skin = posed.skin(self._skin.vertices_m, self._full.weights)
            shapes = hanging(skeleton, posed, skin, self._parts.arms, self._person.outfit)
            below_neck = skin[:, 2] < posed.heads_m[skeleton.number["upperarm01.L"], 2]
            own = skin[~self._parts.arms & below_neck]
            trunk = np.concatenate([own, *(filled(shape.vertices_m) for shape in shapes)])
            margin = thickness_m(self._person.outfit) + 0.008
            left, right = (hands_inside(skin[hand], trunk, margin) > 0 for hand in self._parts.hands)
            if not left and not right:
                break
            angles = raised(angles, left, right)
        return posed, skin

    def _shapes(self, posed: Posed, skin: Array, *, tails: bool) -> Iterator[ZonedMesh]:
        outfit = self._person.outfit
        yield ZonedMesh(posed.skin(self._surface.vertices_m, self._surface.weights), self._surface.faces, self._zones)
        if tails:
            yield from hanging(self._coarse.skeleton, posed, skin, self._parts.arms, outfit)
        yield from worn_shapes(self._coarse.skeleton, self._skin, self._head, posed, outfit)

    def _marks(self, name: str, pose: str, vertices: Array) -> dict[str, Any]:
        kind, _, step = pose.partition("_")
        return _sizes(vertices) | {
            "gis_category": "person", "gis_model": name, "gis_person": self._person.name, "gis_pose": kind,
            "gis_phase": int(step) / {"run": 6.0}.get(kind, 12.0) if step else 0.0,
            "gis_clo": self._person.outfit.clo, "gis_carries": self._person.outfit.bag,
            "gis_source": "anny 0.6.2 (Apache-2.0), MakeHuman data (CC0)",
        }  # fmt: skip
