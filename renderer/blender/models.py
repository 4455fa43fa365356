"""Car models from files: .blend, .glb, .gltf, .obj, .fbx, .ply, .stl and .usd, made alike."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import bpy
import numpy as np
from mathutils import Matrix
from numpy.typing import NDArray

from ..errors import SceneError
from ..scene.model_pose import CLEAR_ENDS, ModelPose, end_from_name, is_wheel, model_pose
from ..zones.catalogue import Zone
from ..zones.names import category_from_name, zone_from_name
from .compat import numpy_names
from .objects import CATEGORY, MODEL, category_of
from .session import check_blend_file, check_subdivision, quiet

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
        marked, objects = _append(path)
        if marked:
            return marked, []
    else:
        objects = _import(path)
    collection, pose = _as_model(path, objects)
    notes = [f"model {path.stem!r}: {note}" for note in pose.notes]
    return {path.stem: collection}, notes


def _append(path: Path) -> tuple[Models, list[bpy.types.Object]]:
    """Marked collections of a .blend; where there are none, all its objects."""
    check_blend_file(path)
    try:
        with quiet(), bpy.data.libraries.load(str(path.resolve()), link=False) as (source, target):
            target.collections = list(source.collections)
            target.objects = list(source.objects)
    except OSError as error:
        raise SceneError(f"{path}: the Blender file is truncated or damaged; copy or save it again") from error
    check_subdivision([item for item in target.objects if item], bpy.context.scene)
    models = [item for item in target.collections if item and CATEGORY in item and category_of(item, path)]
    marked = {str(item.get(MODEL, item.name)): item for item in models}
    return marked, [item for item in target.objects if item]


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


def _as_model(path: Path, objects: list[bpy.types.Object]) -> tuple[bpy.types.Collection, ModelPose]:
    """One collection with the meshes of those objects, in the model's own axes; the objects themselves are removed."""
    baked = _bake(objects)
    if not baked:
        raise SceneError(f"{path}: no mesh with faces in this file; expected a car model")
    category = category_from_name(path.stem) or "car"
    forward = _FORWARD.get(path.suffix.lower()) or _forward_by_names(baked)
    points, edges = (np.concatenate([read(mesh) for _, mesh in baked]) for read in (_positions, _edges))
    pose = model_pose(points, edges, category, forward)
    collection = bpy.data.collections.new(path.stem)
    for name, mesh in baked:
        mesh.transform(Matrix(pose.transform.tolist()))
        wheel = zone_from_name(name, on_car=True) is Zone.TYRE or is_wheel(_positions(mesh), pose.size_m)
        item = bpy.data.objects.new(f"{path.stem}.wheel.{name}" if wheel else f"{path.stem}.{name}", mesh)
        if wheel:
            _centre_on_hub(item, mesh)
        collection.objects.link(item)
    collection[CATEGORY], collection[MODEL] = category, path.stem
    for key, value in zip(("gis_length_m", "gis_width_m", "gis_height_m"), pose.size_m, strict=True):
        collection[key] = value
    return collection, pose


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


def _bake(objects: list[bpy.types.Object]) -> list[tuple[str, bpy.types.Mesh]]:
    """Names and evaluated meshes (modifiers and poses applied) of objects that have faces; removes the objects."""
    scene = bpy.context.scene
    home = bpy.data.collections.new("gis_import")
    scene.collection.children.link(home)
    for item in objects:
        if item.name not in scene.objects:
            home.objects.link(item)
    bpy.context.view_layer.update()
    depsgraph = bpy.context.evaluated_depsgraph_get()
    baked = []
    for item in sorted((item for item in objects if item.type == "MESH"), key=lambda item: str(item.name)):
        mesh = bpy.data.meshes.new_from_object(item.evaluated_get(depsgraph), depsgraph=depsgraph)
        if not mesh.polygons:
            continue
        mesh.transform(item.evaluated_get(depsgraph).matrix_world)
        if item.matrix_world.determinant() < 0:
            mesh.flip_normals()
        baked.append((str(item.name), mesh))
    for item in objects:
        bpy.data.objects.remove(item)
    bpy.data.collections.remove(home)
    return baked


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
