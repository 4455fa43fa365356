"""Models as they are while they move: wheels, cranks and pedals turn as parts, gaits and riders change their shape.

Only sequences have it; in single frames every model stands as it was built. What changes its shape is a mesh of the
pool that is put anew for each frame, under a key of its own for each copy of a model.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ...geometry.meshes import Mesh
from ...scene.cars import Placement
from ...scene.sequences.turning import (
    STEERED,
    WHEELS,
    Axle,
    Limbs,
    Motion,
    limb_moves,
    moved_key_points,
    skinned,
    turned_directions,
)
from ..extract import Extractor
from ..library.model_arrays import ModelLibrary
from ..staging import Group

__all__ = ["MovingModels", "Shown"]

Array = NDArray[np.float64]

_WHEEL: Final = re.compile(r"(?:^|[^a-z])(?:wheel|tyre|tire)s?(?:[^a-z]|$)")
_ROUND, _CENTRED = 0.04, 0.04
"""How much less high than long a wheel may be, and how far its origin may be off its middle, in shares of its size."""
_HUB_M = (0.1, 1.0)
_CRANKS: Final = tuple(2.0 * np.pi * k / 12 for k in range(12))
"""Over which a rider's box is taken, so that it does not breathe with the legs."""


@dataclass(frozen=True, eq=False)
class Shown:
    """A model as it is at one moment."""

    group: Group
    local_to_group: Array | None = None
    """(P, 4, 4) of its members; None: as the group says."""
    key_points_m: Array | None = None
    """(17, 3) of a person whose joints moved; None: as they were built."""


@dataclass(frozen=True, eq=False)
class _Turning:
    """A model with parts that turn."""

    group: Group
    axles: tuple[Axle | None, ...]
    """One for each member that turns."""

    @property
    def base_m(self) -> float:
        """Between the axles of the wheels."""
        at = [one.place_m[0] for one in self.axles if one is not None and one.name in WHEELS]
        return max(at, default=0.0) - min(at, default=0.0)

    def poses(self, motion: Motion) -> Array:
        """(P, 4, 4) of the members."""
        poses = self.group.local_to_group.copy()
        crank = next((one for one in self.axles if one is not None and one.name == "crank"), None)
        for number, axle in enumerate(self.axles):
            if axle is not None:
                poses[number] = axle.pose(motion, self.base_m, crank) @ poses[number]
        return poses


@dataclass(eq=False)
class MovingModels:
    """Knows what of each model moves."""

    extractor: Extractor
    library_of: Callable[[str], ModelLibrary | None]
    groups: Mapping[str, Group]
    """All models by name, as they were built."""
    _turning: dict[str, _Turning] = field(default_factory=dict)
    _limbs: dict[str, Limbs | None] = field(default_factory=dict)
    _alike: dict[tuple[int, int], NDArray[np.int64] | None] = field(default_factory=dict)
    _copies: Counter[str] = field(default_factory=Counter)

    def begin(self) -> None:
        """Begin a frame."""
        self._copies.clear()

    def shown(self, placement: Placement, ridden: Placement | None, key_points: Mapping[str, Array | None]) -> Shown:
        """A model at a moment.

        Args:
            placement: says how far it has moved.
            ridden: of a rider: what is ridden.
            key_points: of the models as they were built, by name.
        """
        group, motion = self.groups[placement.model], placement.motion
        if placement.towards is not None:
            return self._between(placement, *placement.towards, key_points)
        if motion is None:
            return Shown(group)
        if ridden is not None:
            return self._rider(placement, motion, self.turning(ridden.model).axles, key_points)
        turning = self.turning(placement.model)
        return Shown(turning.group, turning.poses(motion)) if any(turning.axles) else Shown(group)

    def turning(self, name: str) -> _Turning:
        """A model and the axles of its parts."""
        if name not in self._turning:
            self._turning[name] = self._from_library(name) or self._with_wheels(self.groups[name])
        return self._turning[name]

    def reach_of_rider(self, name: str, vehicle: str) -> Array | None:
        """Lowest and highest corner (2, 3) of a rider over a turn of the cranks; None where nothing is known."""
        limbs, axles = self._limbs_of(name), _present(self.turning(vehicle).axles)
        if limbs is None:
            return None
        points = self._mesh(self.groups[name]).positions.astype(np.float64)
        shapes = [skinned(points, limbs.weights, limb_moves(limbs, Motion(crank_rad=a), axles)) for a in _CRANKS]
        every = np.concatenate(shapes)
        return np.asarray(np.stack([every.min(axis=0), every.max(axis=0)]), dtype=np.float64)

    def _from_library(self, name: str) -> _Turning | None:
        """Of a model in one mesh that the library can take apart."""
        library = self.library_of(name)
        parts = None if library is None else library.turning(name)
        if parts is None:
            return None
        members = tuple(self.extractor.unplaced(item, number) for number, (item, _) in enumerate(parts))
        return _Turning(Group(members), tuple(axle for _, axle in parts))

    def _with_wheels(self, group: Group) -> _Turning:
        """Of a model that has its wheels as meshes of their own, found by name and shape."""
        hubs = [self._hub_m(number, group) for number in range(len(group.members))]
        middle = np.mean([hub[0] for hub in hubs if hub is not None] or [0.0])
        names = [None if hub is None else STEERED if hub[0] > middle else "wheel.R" for hub in hubs]
        return _Turning(
            group,
            tuple(
                None if hub is None or name is None else Axle(name, hub) for hub, name in zip(hubs, names, strict=True)
            ),
        )

    def _hub_m(self, number: int, group: Group) -> tuple[float, float, float] | None:
        """Where a wheel's hub is; None of what is no wheel that turns about its own origin."""
        member, pose = group.members[number], group.local_to_group[number]
        if not _WHEEL.search(member.name.lower().replace(".", " ").replace("_", " ")):
            return None
        mesh = self.extractor.pool.mesh(member.mesh)
        if not len(mesh.positions):
            return None
        points = mesh.positions.astype(np.float64) @ pose[:3, :3].T
        low, high = points.min(axis=0), points.max(axis=0)
        size, off = high - low, np.abs(high + low) / 2
        x, y, z = pose[:3, 3].tolist()
        is_round = abs(size[0] - size[2]) < _ROUND * size[0] and size[1] < size[0]
        centred = max(off[0], off[2]) < _CENTRED * size[0] and abs(z - size[2] / 2) < 0.15 * size[2]
        return (x, y, z) if is_round and centred and _HUB_M[0] < z < _HUB_M[1] else None

    def _mesh(self, group: Group) -> Mesh:
        return self.extractor.pool.mesh(group.members[0].mesh)

    def _posed(self, group: Group, name: str, mesh: Mesh) -> Group:
        """A group of one member in another shape."""
        copy = self._copies[name]
        self._copies[name] += 1
        number = self.extractor.pool.put(("posed", name, copy), mesh)
        # Whatever phase it is nearest to, it keeps its name over a sequence.
        return Group((replace(group.members[0], name=name, mesh=number, posed=True),))

    # --- gaits ---

    def _between(self, placement: Placement, other: str, share: float, key_points: Mapping[str, Array | None]) -> Shown:
        """A shape between two phases of a gait."""
        group = self.groups[placement.model]
        first, second = self._mesh(group), self._mesh(self.groups[other])
        order = self._same_triangles(group.members[0].mesh, self.groups[other].members[0].mesh)
        if order is None:
            return Shown(group)
        positions = (1.0 - share) * first.positions + share * second.positions
        normals = (1.0 - share) * first.normals + share * second.normals[order]
        normals /= np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-12)
        mesh = replace(first, positions=positions.astype(np.float32), normals=normals.astype(np.float32))
        points, others = key_points.get(placement.model), key_points.get(other)
        joints = None if points is None or others is None else (1.0 - share) * points + share * others
        return Shown(self._posed(group, placement.cycle[0], mesh), None, joints)

    def _same_triangles(self, first: int, second: int) -> NDArray[np.int64] | None:
        """(T,) of each triangle of a mesh the number of the same one in another; None where they are not alike."""
        if (first, second) not in self._alike:
            one, other = self.extractor.pool.mesh(first), self.extractor.pool.mesh(second)
            alike = one.positions.shape == other.positions.shape and one.triangles.shape == other.triangles.shape
            order: NDArray[np.int64] | None = None
            if alike:
                place = np.empty(len(other.order), np.int64)
                place[other.order] = np.arange(len(place))
                order = place[one.order]
                order = order if np.array_equal(other.triangles[order], one.triangles) else None
            self._alike[first, second] = order
        return self._alike[first, second]

    # --- riders ---

    def _rider(
        self, placement: Placement, motion: Motion, axles: Sequence[Axle | None], key_points: Mapping[str, Array | None]
    ) -> Shown:
        """A rider whose feet are on the pedals."""
        name, group = placement.model, self.groups[placement.model]
        limbs, mesh = self._limbs_of(name), self._mesh(group)
        if limbs is None:
            return Shown(group)
        moves = limb_moves(limbs, motion, _present(axles))
        positions = skinned(mesh.positions.astype(np.float64), limbs.weights, moves)
        corners = limbs.weights[mesh.triangles.reshape(-1)]
        normals = turned_directions(mesh.normals.reshape(-1, 3).astype(np.float64), corners, moves)
        shape = replace(
            mesh, positions=positions.astype(np.float32), normals=normals.reshape(-1, 3, 3).astype(np.float32)
        )
        points = key_points.get(name)
        joints = None if points is None else moved_key_points(points, moves)
        return Shown(self._posed(group, name, shape), None, joints)

    def _limbs_of(self, name: str) -> Limbs | None:
        if name not in self._limbs:
            library, group = self.library_of(name), self.groups[name]
            limbs = None if library is None or len(group.members) != 1 else library.limbs(name)
            known = limbs is not None and len(limbs.weights) == len(self._mesh(group).positions)
            self._limbs[name] = limbs if known else None
        return self._limbs[name]


def _present(axles: Sequence[Axle | None]) -> list[Axle]:
    return [one for one in axles if one is not None]
