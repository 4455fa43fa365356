"""What stands still around the traffic: read from the opened file, or built from the arrays of a place."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import bpy
import numpy as np
from numpy.typing import NDArray

from ..geometry.boxes import extent_m, heading_frame, renumbered, visible_boxes
from ..geometry.frame import Frame, Unlabelled
from ..geometry.meshes import Mesh, MeshPool, make_mesh
from ..scene.furniture import Furniture, kind_of_thing, labelled_triangles
from ..scene.place import Faces, Place
from ..scene.road_users.parking import Parking
from ..scene.road_users.seats import Seat, find_seats, is_bench
from ..scene.street import Street
from ..scene.walkable import Ground, Kind, walkable_ground
from ..zones.catalogue import ZONE_ATTRIBUTE, Zone
from ..zones.categories import STREET_FURNITURE
from .extract import Extractor, PlacedMesh
from .identity import LabelledObject
from .library.filled_mesh import fill_with_faces
from .staging import Group, PlacedGroup

__all__ = [
    "MOST_BUILT",
    "Standing",
    "build_standing",
    "drop_leaves",
    "forget_standing",
    "label_furniture",
    "without_unlabelled",
]

MOST_BUILT = 12
"""Places that a session holds at a time, some 25 MB each."""


@dataclass(eq=False)
class Standing:
    """A street with everything beside it."""

    street: Street
    group: Group
    marked: tuple[LabelledObject | None, ...]
    """The labelled object that each mesh belongs to."""
    pool: MeshPool
    """Of the meshes."""
    place: Place | None = None
    """What it was built from; None where it stands in the file."""
    name: str = ""
    """Of the place."""
    mesh_names: tuple[str, ...] = ()
    """Of the members' meshes in the place."""
    leafless: frozenset[int] = frozenset()
    """Members of a street in a file whose meshes have been left without leaves."""

    @cached_property
    def ground(self) -> Ground:
        """Where people can stand; read once."""
        members = ((self.pool.mesh(one.mesh), one.local_to_world) for one in self.group.members)
        return walkable_ground((_triangles(mesh, pose) for mesh, pose in members), self.street)

    @cached_property
    def parking(self) -> Parking:
        """Where two-wheelers can be parked; found once."""
        return Parking(self.ground)

    @cached_property
    def seats(self) -> tuple[Seat, ...]:
        """Where people can sit; found once."""
        benches = [one for one in self.group.members if is_bench(one.name)]
        found = ((_triangles(self.pool.mesh(one.mesh), one.local_to_world)[0], one.local_to_world) for one in benches)
        return find_seats(found, self.ground) if benches else ()

    def height_m(self, x_m: float, y_m: float) -> float | None:
        """Of the ground at a point; None where nobody can stand."""
        kind, height = self.ground.at(x_m, y_m)
        return None if kind is Kind.NONE else height

    def numbered(self, taken: int) -> tuple[PlacedGroup, dict[int, LabelledObject]]:
        """The group with instance ids above those that are taken, and its labelled objects by id."""
        numbers, items = self._numbers
        labelled = {taken + number: item for number, item in items.items()}
        return PlacedGroup(self.group, np.where(numbers > 0, numbers + taken, 0)), labelled

    @cached_property
    def _numbers(self) -> tuple[NDArray[np.int64], dict[int, LabelledObject]]:
        """(P,) which labelled object each member is of, from 1, 0 for none; and these objects."""
        numbers, ids, items = np.zeros(len(self.group.members), np.int64), dict[str, int](), dict[int, LabelledObject]()
        for k, item in enumerate(self.marked):
            if item is not None:
                numbers[k] = number = ids.setdefault(item.key, len(ids) + 1)
                items[number] = item
        return numbers, items


def build_standing(name: str, place: Place, extractor: Extractor, owner: bpy.types.Object) -> Standing:
    """A place as the rasteriser draws it; the opened file keeps nothing of it.

    Args:
        name: of the place.
        place: its arrays.
        extractor: gets its meshes.
        owner: stands for the objects that a file would have.
    """
    numbers = {mesh: extractor.put((*_KEY, name, mesh), _mesh(faces), mesh) for mesh, faces in place.meshes.items()}
    things = sorted(place.things, key=lambda thing: (thing.name, thing.object_to_world.tobytes()))
    members = [PlacedMesh(thing.name, numbers[thing.mesh], thing.object_to_world, owner) for thing in things]
    names = tuple(thing.mesh for thing in things)
    return Standing(place.street, Group(tuple(members)), (None,) * len(members), extractor.pool, place, name, names)


def drop_leaves(standing: Standing) -> Standing:
    """The street of a file in winter: of its trees, which have trunks and leaves, the wood is left.

    Conifers, palms and the like, known by their names, keep theirs.
    """
    members, bare = list(standing.group.members), set[int]()
    for k, member in enumerate(members):
        mesh = standing.pool.mesh(member.mesh)
        leaves = mesh.zones == Zone.VEGETATION
        evergreen = any(word in member.name.lower() for word in _EVERGREEN)
        if evergreen or not leaves.any() or not (mesh.zones == Zone.TRUNK).any():
            continue
        members[k] = replace(member, mesh=standing.pool.put(("bare", member.mesh), _some(mesh, ~leaves)))
        bare.add(k)
    return replace(standing, group=Group(tuple(members)), leafless=frozenset(bare))


_EVERGREEN = ("conifer", "palm", "pine", "fir", "spruce", "cypress", "cedar", "eucalyptus", "yew", "thuja", "hedge")


def label_furniture(
    name: str, standing: Standing, known: Furniture, unlabelled: Collection[str] = frozenset()
) -> Standing:
    """The place with labels on its lights, signs, hydrants, lamps, parked bicycles; it looks as before.

    Labelled parts become meshes of their own behind all others, so that no other mesh gets another number.

    Args:
        name: of the place; empty for the one of the opened file.
        standing: the place.
        known: which parts of which things are labelled.
        unlabelled: categories of which the parts are told apart, and get no label.
    """
    members, marked = list(standing.group.members), list(standing.marked)
    added: list[tuple[PlacedMesh, LabelledObject]] = []
    names = list(standing.mesh_names)
    for place, (member, mark) in enumerate(zip(standing.group.members, standing.marked, strict=True)):
        if mark is None:
            members[place], parts = _split((*_KEY, name), member, standing.pool, known)
            added += [
                (part, replace(item, of_street=True, unlabelled=item.category in unlabelled)) for part, item in parts
            ]
            names += standing.mesh_names[place : place + 1] * len(parts)  # the colour picture shows whole things
    return replace(
        standing,
        group=Group((*members, *(member for member, _ in added))),
        marked=(*marked, *(item for _, item in added)),
        mesh_names=tuple(names),
    )


def without_unlabelled(frame: Frame, labelled: Mapping[int, LabelledObject]) -> Frame:
    """The frame without the ids of what gets no label, which is named in :attr:`Frame.unlabelled`.

    Args:
        frame: with an id in its pixels for everything that was told apart.
        labelled: what has an id.
    """
    silent = {number: item for number, item in labelled.items() if item.unlabelled}
    if not silent:
        return frame
    numbers = np.array(sorted(silent))
    seen = visible_boxes(frame.instance_id, int(numbers[-1]))[numbers]
    in_view = seen[:, 0] > 0
    found = []
    for number, (count, *box) in zip(numbers[in_view].tolist(), seen[in_view].tolist(), strict=True):
        left, top, right, bottom = map(float, box)
        found.append(Unlabelled(silent[number].category, silent[number].model, (left, top, right, bottom), count))
    kept = np.arange(max(numbers[-1], *labelled) + 1, dtype=np.uint16)
    kept[numbers] = 0
    return replace(frame, instance_id=renumbered(frame.instance_id, kept), unlabelled=tuple(found))


def _split(
    key: tuple[str, ...], member: PlacedMesh, pool: MeshPool, known: Furniture
) -> tuple[PlacedMesh, list[tuple[PlacedMesh, LabelledObject]]]:
    """A thing without its labelled parts, and these."""
    whole = pool.mesh(member.mesh)
    left, parts = np.ones(len(whole.triangles), np.bool_), []
    for number, (category, chosen) in enumerate(labelled_triangles(member.name, whole, known)):
        left &= ~chosen
        part = _some(whole, chosen)
        mesh, pose = pool.put((*key, member.mesh, number), part), _upright(part, member.local_to_world)
        if category in STREET_FURNITURE:
            pose[:2, :2] *= -1.0  # plates and lights look to their own -x
        kind = kind_of_thing(member.name)
        item = LabelledObject(f"{member.name}#{number}", category, kind, "stationary", pose)
        parts.append((replace(member, mesh=mesh), item))
    if parts:
        rest = pool.put((*key, member.mesh, "rest"), _some(whole, left))
        member = replace(member, mesh=rest)
    return member, parts


def _some(mesh: Mesh, chosen: NDArray[np.bool_]) -> Mesh:
    """Some triangles of a mesh."""
    return make_mesh(mesh.positions, mesh.triangles[chosen], mesh.zones[chosen], mesh.normals[chosen])


def _upright(part: Mesh, local_to_world: NDArray[np.float64]) -> NDArray[np.float64]:
    """Upright pose below the middle of a part, x as the thing has it."""
    frame = heading_frame(local_to_world)
    (x0, y0, z0), (x1, y1, _) = extent_m([(part, local_to_world)], frame)
    frame[:3, 3] = frame[:3, :3] @ ((x0 + x1) / 2, (y0 + y1) / 2, z0) + frame[:3, 3]
    return frame


def forget_standing(name: str, extractor: Extractor) -> None:
    """Free the meshes of a place that was built."""
    extractor.pool.empty(lambda key: key[:2] == (*_KEY, name))


_KEY = ("place",)


def _mesh(faces: Faces) -> bpy.types.Mesh:
    """A mesh of the opened file, which triangulates it."""
    mesh = bpy.data.meshes.new("place")
    fill_with_faces(mesh, faces)
    zones = mesh.attributes.new(ZONE_ATTRIBUTE, "INT", "FACE")
    zones.data.foreach_set("value", faces.zones)
    mesh.update()
    return mesh


def _triangles(mesh: Mesh, local_to_world: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """Corners (T, 3, 3) in the world, and zones (T,)."""
    points = mesh.positions.astype(np.float64) @ local_to_world[:3, :3].T + local_to_world[:3, 3]
    return points[mesh.triangles], mesh.zones
