"""Which mesh of a frame is which of the next one, so that its pixels' flow is known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...geometry.camera import Camera
from ...geometry.flow import CameraStep, Deformation, Flow, PartStep, forward_flow
from ...geometry.meshes import Mesh, MeshPool
from ..extract import PlacedMesh
from ..staging import Staged

__all__ = ["Before", "flow_to"]

_Key = tuple[object, ...]


@dataclass(frozen=True, eq=False)
class Before:
    """A frame that was drawn, kept until the next one is staged: staging may put other shapes into the pool."""

    camera: Camera
    cam_to_world: NDArray[np.float64]
    depth_m: NDArray[np.float32]
    part: NDArray[np.uint16]
    triangle: NDArray[np.int64] | None
    """(H, W) triangle of each pixel in its mesh; None where the engine does not tell."""
    local_to_world: NDArray[np.float64]
    meshes: Mapping[int, Mesh]
    """Of the parts that are seen, by number from 0."""
    keys: Sequence[_Key]

    @classmethod
    def of(
        cls,
        staged: Staged,
        pool: MeshPool,
        camera: Camera,
        cam_to_world: NDArray[np.float64],
        depth_m: NDArray[np.float32],
        part: NDArray[np.uint16],
        triangle: NDArray[np.int64] | None,
        *,
        by_name: bool,
    ) -> Before:
        """The frame as it was drawn; ``by_name`` as for :func:`flow_to`."""
        numbers = staged.drawing.mesh
        seen = [number - 1 for number in np.unique(part).tolist() if number]
        meshes = {number: pool.mesh(int(numbers[number])) for number in seen}
        keys = list(_keys(staged, by_name=by_name))
        return cls(camera, cam_to_world, depth_m, part, triangle, staged.drawing.local_to_world, meshes, keys)


def flow_to(
    before: Before,
    staged: Staged,
    pool: MeshPool,
    camera: Camera,
    cam_to_world: NDArray[np.float64],
    *,
    by_name: bool,
) -> Flow:
    """Flow from a frame to one that is staged.

    Args:
        before: the frame.
        staged: the next frame.
        pool: of its meshes.
        camera: of the next frame.
        cam_to_world: (4, 4) its pose.
        by_name: whether meshes are the same that have the same name and instancers; else those at the same place of
            the list.
    """
    places = _unique(_keys(staged, by_name=by_name))
    parts: list[PartStep | None] = [None] * len(before.keys)
    for number, mesh in before.meshes.items():
        place = places.get(before.keys[number])
        if place is not None:
            pose, next_pose = before.local_to_world[number], staged.drawing.local_to_world[place]
            after = pool.mesh(int(staged.drawing.mesh[place]))
            parts[number] = PartStep(pose, next_pose, None if after is mesh else _deformation(mesh, after))
    step = CameraStep(before.camera, camera, before.cam_to_world, cam_to_world)
    return forward_flow(step, before.depth_m, before.part, before.triangle, parts)


def _deformation(mesh: Mesh, after: Mesh) -> Deformation | None:
    """What became of a mesh; None where it was read anew and is the same."""
    same = mesh.positions.shape == after.positions.shape and np.array_equal(mesh.positions, after.positions)
    return None if same and np.array_equal(mesh.triangles, after.triangles) else Deformation(mesh, after)


def _keys(staged: Staged, *, by_name: bool) -> Iterator[_Key]:
    """What tells the parts of a frame apart, the same in the next one."""
    for place, group in enumerate(staged.groups):
        for number, member in enumerate(group.group.members):
            yield (place, *_name(member)) if by_name else (place, number)


def _name(member: PlacedMesh) -> _Key:
    return member.name, tuple(one.item.name_full for one in member.instancers), member.path


def _unique(keys: Iterator[_Key]) -> dict[_Key, int]:
    """Place of each key; without those that stand twice."""
    places: dict[_Key, int] = {}
    twice: set[_Key] = set()
    for place, key in enumerate(keys):
        if key in places:
            twice.add(key)
        places[key] = place
    return {key: place for key, place in places.items() if key not in twice}
