"""Car models from files: .blend, .glb, .gltf, .obj, .fbx, .ply, .stl and .usd, made alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import bmesh
import bpy
import numpy as np
from mathutils import Matrix
from numpy.typing import NDArray

from ..errors import SceneError
from ..scene.model_parts import APART, HEIGHT_TO_LENGTH, LENGTH_TO_WIDTH, STAGE, divide, straightened
from ..scene.model_pose import CLEAR_ENDS, end_from_name, is_wheel, model_pose, wrong_size
from ..zones.catalogue import Zone
from ..zones.names import category_from_name, zone_from_name
from .compat import numpy_names
from .evaluation import metres_per_unit
from .objects import CATEGORY, MODEL, category_of
from .session import check_blend_file, check_subdivision, quiet
from .simulation import turn_off_writers

__all__ = ["SUFFIXES", "load_models"]

Models = dict[str, bpy.types.Collection]


# Operators by suffix, the first that this Blender has: importers written in C++ took the place of add-ons, .fbx in 4.5,
# .ply and .stl in 4.0 and 4.1.
_USD = (("wm", "usd_import"),)
_IMPORTERS: dict[str, tuple[tuple[str, str], ...]] = {
    ".glb": (("import_scene", "gltf"),),
    ".gltf": (("import_scene", "gltf"),),
    ".obj": (("wm", "obj_import"),),
    ".fbx": (("wm", "fbx_import"), ("import_scene", "fbx")),
    ".ply": (("wm", "ply_import"), ("import_mesh", "ply")),
    ".stl": (("wm", "stl_import"), ("import_mesh", "stl")),
    **dict.fromkeys((".usd", ".usda", ".usdc", ".usdz"), _USD),
}
# "The front of a glTF asset faces +Z" (glTF 2.0, 3.4), which Blender imports as -y.
_FORWARD = {".glb": (0.0, -1.0, 0.0), ".gltf": (0.0, -1.0, 0.0)}
SUFFIXES = (".blend", *_IMPORTERS)


def load_models(path: Path) -> tuple[Models, tuple[str, ...]]:
    """Models of a file, or of all files of known kinds in a folder, as collections of the opened file.

    A .blend whose collections carry ``gis_category`` gives these as they are; anything else is one model, named as its
    file, turned, scaled and stood on the ground.

    Returns:
        collections by model name, and what was guessed.

    Raises:
        SceneError: a file is missing, damaged, of an unknown kind, or holds no mesh.
    """
    models: Models = {}
    notes: list[str] = []
    for file in _files(path):
        collections, guesses = _load_file(file)
        for name, collection in collections.items():
            if name in models:
                raise SceneError(f"{file}: a second model is called {name!r}; rename one of the files")
            models[name] = collection
        notes += guesses
    return dict(sorted(models.items())), tuple(notes)


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES)
        if not files:
            raise SceneError(f"{path}: no car model in this folder; expected files ending in {', '.join(SUFFIXES)}")
        return files
    if not path.is_file():
        raise SceneError(f"{path}: no such file or folder of car models")
    if path.suffix.lower() not in SUFFIXES:
        raise SceneError(f"{path}: unknown kind of model {path.suffix!r}; expected one of {', '.join(SUFFIXES)}")
    return [path]


def _load_file(path: Path) -> tuple[Models, list[str]]:
    if path.suffix.lower() == ".blend":
        marked, contents = _append(path)
        if marked:
            return marked, []
    else:
        contents = _Contents(_import(path), [])
    notes = contents.hide_what_is_no_surface()
    parts, hidden = _bake(contents)
    notes += [f"left out what is not rendered: {_listed(hidden)}"] if hidden else []
    if not parts:
        raise SceneError(f"{path}: no mesh with faces in this file; expected a car model" + _also(notes))
    cars, left_out = _cars(path, parts)
    models: Models = {}
    refused: list[str] = []
    for name, car, up in cars:
        collection, said = _as_model(path, name, car, up)
        if collection is None:
            refused += said
            continue
        models[name] = collection
        left_out += [f"model {name!r}: {note}" for note in said]
    if not models:
        raise SceneError(f"{path}: {'; '.join(refused)}")
    return models, [*(f"{path.name}: {note}" for note in [*notes, *(f"left out: {one}" for one in refused)]), *left_out]


def _also(notes: list[str]) -> str:
    return f" ({'; '.join(notes)})" if notes else ""


@dataclass(frozen=True)
class _Contents:
    """What a file brought into the opened one."""

    objects: list[bpy.types.Object]
    scenes: list[bpy.types.Scene]
    """Its own scenes; none for files that have objects only."""
    collections: list[bpy.types.Collection] = field(default_factory=list)

    def hide_what_is_no_surface(self) -> list[str]:
        """Make the viewport show what a render does, and turn off what writes; returns what was turned off."""
        notes = turn_off_writers(self.objects, self.scenes)
        cutters = {name for item in self.objects for name in _cutters(item)}
        hidden = [item for item in self.objects if _is_no_surface(item) or item.name in cutters]
        if not self.scenes:
            hidden += [item for item in self.objects if _lies_in_hidden_collections(item)]
        for item in hidden:
            item.hide_render = True
        for holder in (*self.objects, *self.collections):
            holder.hide_viewport = holder.hide_render
        for item in self.objects:
            for modifier in item.modifiers:
                modifier.show_viewport = modifier.show_render
            item.show_instancer_for_viewport = item.show_instancer_for_render
        return notes

    def remove(self) -> None:
        """Take it out of the opened file again."""
        for scene in self.scenes:
            bpy.data.scenes.remove(scene)
        for item in self.objects:
            bpy.data.objects.remove(item)
        for collection in self.collections:
            bpy.data.collections.remove(collection)


_WITH_FACES = ("MESH", "CURVE", "SURFACE", "META", "FONT")


def _cutters(item: bpy.types.Object) -> list[str]:
    """Objects that a boolean takes away from another and that are drawn as wires: tools, not things."""
    tools = [modifier.object for modifier in item.modifiers if modifier.type == "BOOLEAN" and modifier.object]
    return [str(tool.name) for tool in tools if tool.display_type in ("WIRE", "BOUNDS")]


def _is_no_surface(item: bpy.types.Object) -> bool:
    """Whether a render shows an object's shadow, reflection or hole, but not itself."""
    return bool(item.is_shadow_catcher or item.is_holdout or not item.visible_camera)


def _lies_in_hidden_collections(item: bpy.types.Object) -> bool:
    """As the importer of glTF makes one for the shapes of bones."""
    return bool(item.users_collection) and all(home.hide_render for home in item.users_collection)


def _listed(names: list[str], most: int = 4) -> str:
    """Names in quotes, each once; of many the first ones and how many more there are."""
    single = sorted(set(names))
    more = f" and {len(single) - most} more" if len(single) > most else ""
    return ", ".join(repr(name) for name in single[:most]) + more


def _append(path: Path) -> tuple[Models, _Contents]:
    """Marked collections of a .blend; and all that is in it, where there are none."""
    check_blend_file(path)
    try:
        with quiet(), bpy.data.libraries.load(str(path.resolve()), link=False) as (source, target):
            target.collections = list(source.collections)
            target.objects = list(source.objects)
            target.scenes = list(source.scenes)
    except OSError as error:
        raise SceneError(f"{path}: the Blender file is truncated or damaged; copy or save it again") from error
    except ValueError as error:  # the file that is open
        raise SceneError(
            f"{path}: its models cannot be loaded ({error}): expected another file than the scene, whose own "
            "marked cars are taken where --cars is not given"
        ) from error
    check_subdivision([item for item in target.objects if item], bpy.context.scene)
    models = [item for item in target.collections if item and CATEGORY in item and category_of(item, path)]
    marked = {str(item.get(MODEL, item.name)): item for item in models}
    objects, scenes = [item for item in target.objects if item], [item for item in target.scenes if item]
    contents = _Contents(objects, scenes, [item for item in target.collections if item])
    if marked:
        for scene in scenes:
            bpy.data.scenes.remove(scene)
    return marked, contents


def _import(path: Path) -> list[bpy.types.Object]:
    before = set(bpy.data.objects)
    importer = _importer(path)
    try:
        with quiet(), numpy_names():
            importer(filepath=str(path.resolve()))
    except RuntimeError as error:
        raise SceneError(
            f"{path}: the model could not be imported ({_reason(str(error))}); open it in its own program"
        ) from error
    return [item for item in bpy.data.objects if item not in before]


def _importer(path: Path) -> Callable[..., object]:
    """The operator that imports such a file.

    Raises:
        SceneError: this Blender has none.
    """
    for group, name in _IMPORTERS[path.suffix.lower()]:
        if name in dir(getattr(bpy.ops, group)):
            operator: Callable[..., object] = getattr(getattr(bpy.ops, group), name)
            return operator
    raise SceneError(
        f"{path}: this Blender has no importer for {path.suffix} files: turn one on in Preferences > Add-ons "
        "(Import-Export), or convert the file to .obj"
    )


def _reason(text: str) -> str:
    """The line of an operator's error that says what is wrong; of a traceback, the error itself."""
    lines = [line for line in text.strip().splitlines() if line.strip() and not line.startswith("Location:")]
    frames = [number for number, line in enumerate(lines) if line.startswith("  ")]
    rest = lines[frames[-1] + 1 :] if "Traceback" in text and frames else lines[-1:]
    return rest[0].removeprefix("Error: ").strip() if rest else "no reason given"


def _cars(path: Path, parts: list[_Part]) -> tuple[list[tuple[str, list[_Part], int]], list[str]]:
    """Name, parts and axis of height of each car among parts; and what was left out.

    Raises:
        SceneError: nothing there has the shape of a car.
    """
    owner = np.repeat(np.arange(len(parts)), [len(part.triangles) for part in parts])
    corners = np.concatenate([part.corners() for part in parts])
    division = divide(corners, owner)
    if not division.cars:
        raise SceneError(f"{path}: {_no_car_shape(corners, parts)}")
    by_part = np.split(division.group, np.cumsum([len(part.triangles) for part in parts])[:-1])
    groups = [
        [part.keep(group == number) for part, group in zip(parts, by_part, strict=True) if (group == number).any()]
        for number in range(division.cars)
    ]
    said = []
    for kind, words in ((STAGE, "what a car stands on or in"), (APART, "what stands apart from a car")):
        named = [part.name for part, group in zip(parts, by_part, strict=True) if (group == kind).any()]
        said += [f"{path.name}: left out {words}: {_listed(named)}"] if named else []
    names = _names_of_cars(path, groups)
    if len(groups) > 1:
        said.append(f"{path.name}: {len(groups)} cars in one file, taken as models {_listed(names, 12)}")
    return [(name, group, division.up) for name, group in zip(names, groups, strict=True)], said


def _no_car_shape(corners: NDArray[np.float64], parts: list[_Part]) -> str:
    extent = np.ptp(corners.reshape(-1, 3), axis=0)
    size = " x ".join(f"{side:.4g}" for side in extent)
    return (
        f"nothing in it has the shape of a car: {_listed([part.name for part in parts])} together are {size} units; "
        f"expected a length of {LENGTH_TO_WIDTH[0]:g} to {LENGTH_TO_WIDTH[1]:g} times the width, and a height of "
        f"{HEIGHT_TO_LENGTH[0]:g} to {HEIGHT_TO_LENGTH[1]:g} times the length; take out what is no car, or mark the "
        f"car's collection with {CATEGORY!r}, 'gis_length_m', 'gis_width_m' and 'gis_height_m'"
    )


def _names_of_cars(path: Path, groups: list[list[_Part]]) -> list[str]:
    """The file's name; of several cars each with that of its own collection, parent or object, else a number."""
    if len(groups) == 1:
        return [path.stem]
    for homes in (lambda part: part.collections, lambda part: (part.root,), lambda part: (part.name,)):
        shared = [set.intersection(*(set(homes(part)) for part in group)) for group in groups]
        own = [names - set().union(*(other for other in shared if other is not names)) for names in shared]
        if all(own):
            return [f"{path.stem}.{min(names)}" for names in own]
    return [f"{path.stem}.{number}" for number in range(1, len(groups) + 1)]


def _as_model(
    path: Path, name: str, parts: list[_Part], up: int
) -> tuple[bpy.types.Collection | None, tuple[str, ...]]:
    """One collection with the meshes of a car, in the model's own axes, and what was guessed; or why it is no car."""
    own = name.removeprefix(path.stem)
    category = category_from_name(own) or category_from_name(path.stem) or "car"
    turn = straightened(np.concatenate([_positions(part.mesh) for part in parts]), up)
    if not np.array_equal(turn, np.eye(3)):
        for part in parts:
            part.mesh.transform(Matrix(turn.tolist()).to_4x4())
    named = [(part.name, part.mesh) for part in parts]
    by_format = _FORWARD.get(path.suffix.lower())
    forward = tuple((turn @ by_format).tolist()) if by_format else _forward_by_names(named)
    points, edges = (np.concatenate([read(part.mesh) for part in parts]) for read in (_positions, _edges))
    pose = model_pose(points, edges, category, forward)
    wrong = wrong_size(pose.size_m, category)
    if wrong:
        return None, (f"{name!r} is {wrong}",)
    collection = bpy.data.collections.new(name)
    for part in parts:
        mesh = part.mesh
        mesh.transform(Matrix(pose.transform.tolist()))
        wheel = zone_from_name(part.name, on_car=True) is Zone.TYRE or is_wheel(_positions(mesh), pose.size_m)
        item = bpy.data.objects.new(f"{name}.wheel.{part.name}" if wheel else f"{name}.{part.name}", mesh)
        if wheel:
            _centre_on_hub(item, mesh)
        collection.objects.link(item)
    collection[CATEGORY], collection[MODEL] = category, name
    for key, value in zip(("gis_length_m", "gis_width_m", "gis_height_m"), pose.size_m, strict=True):
        collection[key] = value
    return collection, pose.notes


def _forward_by_names(baked: list[tuple[str, bpy.types.Mesh]]) -> tuple[float, float, float] | None:
    """Direction from what is called rear to what is called front, by the names of parts and materials.

    Where only one end is named, from or to the middle of the model; None where no names tell.
    """
    ends: dict[str, list[NDArray[np.float64]]] = {"front": [], "rear": []}
    for name, mesh in baked:
        named = [(name, _positions(mesh)), *_places_of_materials(mesh)]
        for end, place in ((end_from_name(name), place) for name, place in named if len(place)):
            if end is not None:
                ends[end].append(place.mean(axis=0))
    everything = np.concatenate([_positions(mesh) for _, mesh in baked])
    middle = (everything.min(axis=0) + everything.max(axis=0)) / 2
    front, rear = (np.mean(places, axis=0) if places else middle for places in (ends["front"], ends["rear"]))
    along = front - rear
    length = float(np.linalg.norm(along))
    if length < CLEAR_ENDS * float(np.ptp(everything, axis=0).max()):
        return None
    x, y, z = (along / length).tolist()
    return x, y, z


def _places_of_materials(mesh: bpy.types.Mesh) -> list[tuple[str, NDArray[np.float64]]]:
    """Names of a mesh's materials, each with the centres (N, 3) of its faces."""
    slots = np.empty(len(mesh.polygons), np.int32)
    centres = np.empty(len(mesh.polygons) * 3, np.float32)
    mesh.polygons.foreach_get("material_index", slots)
    mesh.polygons.foreach_get("center", centres)
    places = centres.reshape(-1, 3).astype(np.float64)
    return [(str(item.name), places[slots == slot]) for slot, item in enumerate(mesh.materials) if item]


@dataclass(frozen=True, eq=False)
class _Part:
    """An object's evaluated mesh (modifiers and poses applied) in the file's world."""

    name: str
    mesh: bpy.types.Mesh
    collections: tuple[str, ...]
    """Where the object lies."""
    root: str
    """Its topmost parent."""
    triangles: NDArray[np.int64] = field(init=False)
    """(T, 3) vertices."""
    polygons: NDArray[np.int64] = field(init=False)
    """(T,) polygon of each triangle."""

    def __post_init__(self) -> None:
        self.mesh.calc_loop_triangles()
        count = len(self.mesh.loop_triangles)
        triangles, polygons = np.empty(count * 3, np.int32), np.empty(count, np.int32)
        self.mesh.loop_triangles.foreach_get("vertices", triangles)
        self.mesh.loop_triangles.foreach_get("polygon_index", polygons)
        object.__setattr__(self, "triangles", triangles.reshape(-1, 3).astype(np.int64))
        object.__setattr__(self, "polygons", polygons.astype(np.int64))

    def corners(self) -> NDArray[np.float64]:
        """(T, 3, 3) corners of the triangles."""
        flat = np.empty(len(self.mesh.vertices) * 3, np.float32)
        self.mesh.vertices.foreach_get("co", flat)
        corners: NDArray[np.float64] = flat.reshape(-1, 3).astype(np.float64)[self.triangles]
        return corners

    def keep(self, chosen: NDArray[np.bool_]) -> _Part:
        """The part with those of its triangles."""
        if chosen.all():
            return self
        kept = bmesh.new()
        kept.from_mesh(self.mesh)
        kept.faces.ensure_lookup_table()
        gone = np.setdiff1d(np.arange(len(self.mesh.polygons)), self.polygons[chosen])
        bmesh.ops.delete(kept, geom=[kept.faces[number] for number in gone.tolist()], context="FACES")
        mesh = self.mesh.copy()
        kept.to_mesh(mesh)
        kept.free()
        return _Part(self.name, mesh, self.collections, self.root)


def _bake(contents: _Contents) -> tuple[list[_Part], list[str]]:
    """Everything with faces that the scenes of a file show, or all its objects; takes the contents out again.

    Returns:
        the parts by name, and names of objects with faces that are not shown.
    """
    own = {item.name for item in contents.objects}
    parts: list[_Part] = []
    for scene in contents.scenes:
        _show_all(scene)
        parts += [part for part in _shown(scene, own) if part.name not in {other.name for other in parts}]
    if not parts:
        scene = bpy.data.scenes.new("gis_import")
        for item in contents.objects:
            scene.collection.objects.link(item)
        parts = list(_shown(scene, own))
        bpy.data.scenes.remove(scene)
    shown = {part.name for part in parts}
    hidden = [str(item.name) for item in contents.objects if _has_faces(item) and item.name not in shown]
    contents.remove()
    return sorted(parts, key=lambda part: part.name), hidden


def _has_faces(item: bpy.types.Object) -> bool:
    return bool(item.type == "FONT" or (item.type == "MESH" and item.data.polygons))


def _show_all(scene: bpy.types.Scene) -> None:
    """What is hidden in the viewport alone is shown."""
    layer = scene.view_layers[0]
    waiting = [layer.layer_collection]
    while waiting:
        top = waiting.pop()
        top.hide_viewport = False
        waiting += top.children
    for item in layer.objects:
        item.hide_set(False, view_layer=layer)


def _shown(scene: bpy.types.Scene, own: set[str]) -> Iterator[_Part]:
    """The meshes of a scene, copies made by instancers too, in metres as the scene's unit says."""
    layer, metres = scene.view_layers[0], metres_per_unit(scene)
    layer.update()
    depsgraph = layer.depsgraph
    for entry in depsgraph.object_instances:
        item, holder = entry.object, (entry.parent if entry.is_instance and entry.parent else entry.object)
        if item.type not in _WITH_FACES or not entry.show_self or holder.original.name not in own:
            continue
        matrix = entry.matrix_world.copy()
        mesh = bpy.data.meshes.new_from_object(item, depsgraph=depsgraph)
        if not mesh.polygons:
            continue
        mesh.transform(matrix)
        if matrix.determinant() < 0:
            mesh.flip_normals()
        if metres != 1.0:
            mesh.transform(Matrix.Scale(metres, 4))
        yield _Part(str(item.original.name), mesh, _homes(holder.original), _root_name(holder.original))


def _homes(item: bpy.types.Object) -> tuple[str, ...]:
    shown = item.instance_collection if item.instance_type == "COLLECTION" else None
    return tuple(str(home.name) for home in [*item.users_collection, *([shown] if shown else [])])


def _root_name(item: bpy.types.Object) -> str:
    while item.parent is not None:
        item = item.parent
    return str(item.name)


def _positions(mesh: bpy.types.Mesh) -> NDArray[np.float64]:
    """(N, 3) vertices that faces use."""
    flat = np.empty(len(mesh.vertices) * 3, np.float32)
    mesh.vertices.foreach_get("co", flat)
    used = np.empty(len(mesh.loops), np.int32)
    mesh.loops.foreach_get("vertex_index", used)
    return flat.reshape(-1, 3)[np.unique(used)].astype(np.float64)


def _edges(mesh: bpy.types.Mesh) -> NDArray[np.float64]:
    """(E, 2, 3) ends of the edges of faces."""
    flat, pairs = np.empty(len(mesh.vertices) * 3, np.float32), np.empty(len(mesh.edges) * 2, np.int32)
    mesh.vertices.foreach_get("co", flat)
    mesh.edges.foreach_get("vertices", pairs)
    used = np.empty(len(mesh.loops), np.int32)
    mesh.loops.foreach_get("edge_index", used)
    ends: NDArray[np.float64] = flat.reshape(-1, 3)[pairs.reshape(-1, 2)[np.unique(used)]].astype(np.float64)
    return ends


def _centre_on_hub(item: bpy.types.Object, mesh: bpy.types.Mesh) -> None:
    """Put a wheel's origin on its hub, so that its rubber can be told from its rim by the radius."""
    points = _positions(mesh)
    hub = (points.min(axis=0) + points.max(axis=0)) / 2
    mesh.transform(Matrix.Translation((-hub).tolist()))
    item.location = hub.tolist()
